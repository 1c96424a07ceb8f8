// A command has at most one effect, none after its time, and is told to have ended.
package import Values
internal import Wire

/// Invariant I7. It remembers effects that a ledger set back has forgotten: the broker has not.
package struct CommandChecker: Checker {
    package static let name = "command"
    /// Until when a command may bring about an order; nil for ever.
    private var until: [String: Span?] = [:]
    private var placed: [String: Span] = [:]
    /// Tags by command and role, ever.
    private var effects: [String: String] = [:]
    private var ledger = RowFold(Ends())
    /// The run that a command went to first; the copy of an edge speaks for itself.
    private var bound: [String: UInt64] = [:]
    package init() {}

    /// What the rows of one ledger say.
    private struct Ends: Sendable {
        /// Outcomes that are no beginnings, and orders that open.
        var count: [String: Int] = [:]
        /// The last word on each.
        var last: [String: String] = [:]
        var orders: [(command: String, role: String, tag: String, boot: UInt64)] = []
    }

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .asked(let command, let lifetime): until[command] = lifetime.map { now + $0 }
        case .placed(let tag): placed[tag] = now
        case .bound(let command, let boot):
            if let first = bound[command], first != boot { return "command \(command) was bound to one run and sent to another" }
            bound[command] = boot
        // A cloud put back has forgotten where it sent a command; the edge's ledger has not.
        case .injected(.cloudRestored): bound = [:]
        case .rows(.edge, let rows): return follow(rows)
        case .quiet(let edge, _, _): return follow(edge) ?? loose
        default: break
        }
        return nil
    }

    private mutating func follow(_ rows: StoredRows) -> String? {
        if let words = ledger.follow(rows, CommandChecker.take) { return words }
        for order in ledger.state.orders {
            let key = "\(order.command) \(order.role)"
            if let other = effects[key], other != order.tag { return "command \(order.command) brought about two orders to \(order.role)" }
            effects[key] = order.tag
            if order.role == "OPEN", let boot = bound[order.command], boot != order.boot {
                return "command \(order.command) was executed by another run than it was sent to"
            }
            if let limit = until[order.command] ?? nil, let at = placed[order.tag], at > limit, order.role == "OPEN" {
                return "command \(order.command) placed \(order.tag) \((at - limit).nanoseconds / 1_000_000) ms after its time"
            }
        }
        return nil
    }

    private static func take(_ ends: inout Ends, _ row: EntryRow) -> String? {
        guard [10, 30, 31].contains(row.kind), let body = try? JSONReader.read(row.body), let command = body["command"]?.text else { return nil }
        // A reversal ends with the order that opens the other side.
        let legs = body["legs"]?.elements ?? []
        let opens = legs.contains { $0["role"]?.text == "OPEN" }
        let code = body["code"]?.text
        if row.kind != 10 { ends.last[command] = code } else if opens { ends.last[command] = "opened" }
        if row.kind == 10 ? opens : code != "closing" { ends.count[command, default: 0] += 1 }
        if ends.count[command, default: 0] > 1 { return "ended more than once: \(command)" }
        guard row.kind == 10 else { return nil }
        for leg in legs {
            guard let tag = leg["tag"]?.text, let role = leg["role"]?.text, role != "PROTECT" else { continue }
            ends.orders.append((command, role, tag, row.boot))
        }
        return nil
    }

    /// Commands that were begun and never ended.
    private var loose: String? {
        let begun = ledger.state.last.filter { $0.value == "closing" }.keys.sorted()
        return begun.isEmpty ? nil : "begun and never ended: \(begun)"
    }
}
