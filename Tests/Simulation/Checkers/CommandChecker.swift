// A command has at most one effect, none after its time, and is told to have ended.
package import Values
internal import Wire

/// Invariant I7.
package struct CommandChecker: Checker {
    package static let name = "command"
    /// Until when a command may bring about an order; nil for ever.
    private var until: [String: Span?] = [:]
    private var placed: [String: Span] = [:]
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .asked(let command, let lifetime): until[command] = lifetime.map { now + $0 }
        case .placed(let tag): placed[tag] = now
        case .rows(.edge, let rows): return effects(rows) ?? ends(rows)
        case .quiet(let edge, _, _): return ends(edge) ?? loose(edge)
        case .rows, .acked: break
        }
        return nil
    }

    private func effects(_ rows: StoredRows) -> String? {
        var orders: [String: Int] = [:]
        for row in rows where row.kind == 10 {
            guard let body = try? JSONReader.read(row.body), let command = body["command"]?.text else { continue }
            for leg in body["legs"]?.elements ?? [] {
                guard let tag = leg["tag"]?.text, let role = leg["role"]?.text, role != "PROTECT" else { continue }
                orders["\(command) \(role)", default: 0] += 1
                if orders["\(command) \(role)", default: 0] > 1 { return "command \(command) brought about two orders to \(role)" }
                if let limit = until[command] ?? nil, let at = placed[tag], at > limit, role == "OPEN" {
                    return "command \(command) placed \(tag) \((at - limit).nanoseconds / 1_000_000) ms after its time"
                }
            }
        }
        return nil
    }

    /// Commands with more than one end: an outcome that is not a beginning, or the order that opens.
    private func ends(_ rows: StoredRows) -> String? {
        var count: [String: Int] = [:]
        for row in rows where [10, 30, 31].contains(row.kind) {
            guard let body = try? JSONReader.read(row.body), let command = body["command"]?.text else { continue }
            let opens = body["legs"]?.elements?.contains { $0["role"]?.text == "OPEN" } ?? false
            if row.kind == 10 ? opens : body["code"]?.text != "closing" { count[command, default: 0] += 1 }
        }
        let twice = count.filter { $0.value > 1 }.keys.sorted()
        return twice.isEmpty ? nil : "ended more than once: \(twice)"
    }

    /// Commands that were begun and never ended.
    private func loose(_ rows: StoredRows) -> String? {
        var last: [String: String] = [:]
        for row in rows where [10, 30, 31].contains(row.kind) {
            guard let body = try? JSONReader.read(row.body), let command = body["command"]?.text else { continue }
            // A reversal ends with the order that opens the other side.
            let opens = body["legs"]?.elements?.contains { $0["role"]?.text == "OPEN" } ?? false
            if row.kind != 10 { last[command] = body["code"]?.text } else if opens { last[command] = "opened" }
        }
        let begun = last.filter { $0.value == "closing" }.keys.sorted()
        return begun.isEmpty ? nil : "begun and never ended: \(begun)"
    }
}
