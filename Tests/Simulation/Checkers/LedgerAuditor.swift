// A second, much simpler model of a ledger: orders, positions and commands, added up from the text of the rows alone.
package import Wire

/// What the rows of a ledger come to. It shares no code with the book and knows nothing but kinds and keys.
package struct LedgerAuditor: Sendable {
    /// By instrument, at 10⁻⁸; without those that are flat.
    package private(set) var positions: [String: Int64] = [:]
    /// What has been executed of each order, by tag; without those of which nothing was.
    package private(set) var filled: [String: Int64] = [:]
    /// Tags of orders that may still fill.
    package private(set) var working: Set<String> = []
    /// The last word on each command, by its id.
    package private(set) var commands: [String: String] = [:]
    /// The halt level: 0 for none.
    package private(set) var halt: Int64 = 0

    private var sizes: [String: Int64] = [:]
    private var executions: [String: (instrument: String, quantity: Int64, tag: String?)] = [:]
    private var isDead: Set<String> = []
    private static let ended: Set<String> = ["CANCELED", "REJECTED", "EXPIRED", "FILLED"]

    /// - Parameter rows: a whole ledger, from its first row.
    package init(_ rows: some Sequence<EntryRow>) { for row in rows { take(row) } }

    private mutating func take(_ row: EntryRow) {
        guard [10, 12, 20, 21, 23, 30, 31, 40, 41, 85].contains(row.kind), let body = try? JSONReader.read(row.body) else { return }
        switch row.kind {
        case 10:
            for leg in body["legs"]?.elements ?? [] {
                guard let tag = leg["tag"]?.text, let size = leg["quantity"]?.integerValue else { continue }
                sizes[tag] = size
                working.insert(tag)
            }
        case 12: if let tag = body["tag"]?.text, let size = body["quantity"]?.integerValue { sizes[tag] = size }
        case 20: report(body)
        case 21: execute(body)
        case 23: if let tag = body["tag"]?.text, working.remove(tag) != nil { isDead.insert(tag) }
        case 30, 31: if let command = body["command"]?.text { commands[command] = body["code"]?.text }
        case 40, 41: halt = body["level"]?.integerValue ?? halt
        case 85: if let id = body["execID"]?.text, let old = executions[id] { add(old.instrument, -old.quantity, old.tag, isBack: true) }
        default: break
        }
    }

    private mutating func report(_ body: JSONValue) {
        guard let tag = body["tag"]?.text, sizes[tag] != nil, let status = body["status"]?.text else { return }
        if LedgerAuditor.ended.contains(status) {
            working.remove(tag)
            isDead.remove(tag)
        } else if isDead.remove(tag) != nil {
            // Its absence had been proved, and the broker works it all the same.
            working.insert(tag)
        }
    }

    private mutating func execute(_ body: JSONValue) {
        guard let id = body["execID"]?.text, executions[id] == nil, let instrument = body["instrument"]?.text,
            let quantity = body["lastQty"]?.integerValue
        else { return }
        let signed = body["side"]?.text == "BUY" ? quantity : -quantity
        let tag = body["tag"]?.text
        executions[id] = (instrument, signed, tag)
        add(instrument, signed, tag)
        if let tag, let size = sizes[tag], filled[tag] ?? 0 >= size {
            working.remove(tag)
            isDead.remove(tag)
        }
    }

    private mutating func add(_ instrument: String, _ signed: Int64, _ tag: String?, isBack: Bool = false) {
        positions[instrument, default: 0] += signed
        if positions[instrument] == 0 { positions[instrument] = nil }
        guard let tag, sizes[tag] != nil else { return }
        // A correction takes as much of the order back as it takes of the position.
        filled[tag, default: 0] += isBack ? -abs(signed) : abs(signed)
        if filled[tag] == 0 { filled[tag] = nil }
    }
}
