// The books balance: every entry with money adds up to zero by asset, the whole ledger does, and positions are the sum of executions and suspense.
package import Values
internal import Wire

/// Invariant I11, read from the bodies alone.
package struct PostingChecker: Checker {
    package static let name = "posting"
    package init() {}

    /// Kinds whose bodies list postings: fills and commissions from their second version on, movements of money always.
    private static let withPostings: Set<UInt16> = [21, 22, 80, 81, 82, 83, 84, 85, 86]

    /// What the rows said so far.
    private struct Sums: Sendable {
        var ledger: [String: Int128] = [:]
        /// On the accounts of class `position`, and what executions, reversals and suspense come to, by asset.
        var posted: [String: Int128] = [:]
        var executed: [String: Int128] = [:]
        var suspense: [String: Int128] = [:]
        /// Signed quantity and instrument of each execution that was posted.
        var executions: [String: (instrument: String, quantity: Int128)] = [:]
        /// Instruments that a difference or a halt was told of.
        var told: Set<String> = []
    }

    private var edge = RowFold(Sums()), cloud = RowFold(Sums())

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .rows(.edge, let rows): return edge.follow(rows, PostingChecker.follow) ?? PostingChecker.whole(edge.state)
        case .rows(.cloud, let rows): return cloud.follow(rows, PostingChecker.follow) ?? PostingChecker.whole(cloud.state)
        default: return nil
        }
    }

    private static func follow(_ sums: inout Sums, _ row: EntryRow) -> String? {
        guard let body = try? JSONReader.read(row.body) else { return nil }
        if row.kind == 42 || row.kind == 52, let instrument = body["instrument"]?.text { sums.told.insert(instrument) }
        guard withPostings.contains(row.kind), row.kver > (row.kind < 80 ? 1 : 0) else { return nil }
        return take(row, body, &sums)
    }

    /// What can only be said of all rows together.
    private static func whole(_ sums: Sums) -> String? {
        if let (asset, sum) = sums.ledger.filter({ $0.value != 0 }).min(by: { $0.key < $1.key }) { return "the ledger is off by \(sum) of \(asset)" }
        for (asset, amount) in sums.suspense.sorted(by: { $0.key < $1.key }) where amount != 0 && !sums.told.contains(asset) {
            return "\(asset) stands in suspense and nobody was told"
        }
        for asset in Set(sums.posted.keys).union(sums.executed.keys).sorted() where sums.posted[asset] ?? 0 != sums.executed[asset] ?? 0 {
            return "\(sums.posted[asset] ?? 0) of \(asset) are posted, executions and suspense come to \(sums.executed[asset] ?? 0)"
        }
        return nil
    }

    private static func take(_ row: EntryRow, _ body: JSONValue, _ sums: inout Sums) -> String? {
        guard let lines = body["postings"]?.elements else { return "entry \(row.seq) lists no postings" }
        var entry: [String: Int128] = [:]
        for line in lines {
            guard let account = line["account"]?.text, let asset = line["asset"]?.text, let amount = line["amount"]?.integerValue else {
                return "a posting of entry \(row.seq) cannot be read"
            }
            entry[asset, default: 0] += Int128(amount)
            sums.ledger[asset, default: 0] += Int128(amount)
            if account.hasPrefix("position:") { sums.posted[asset, default: 0] += Int128(amount) }
            if account.hasPrefix("suspense:") { sums.suspense[asset, default: 0] += Int128(amount) }
        }
        if let (asset, sum) = entry.filter({ $0.value != 0 }).min(by: { $0.key < $1.key }) { return "entry \(row.seq) is off by \(sum) of \(asset)" }
        guard !lines.isEmpty else { return nil }
        // A pair of currencies is held as cash: no account of class position speaks of it.
        let isHeld = lines.contains { $0["account"]?.text?.hasPrefix("position:") == true }
        switch row.kind {
        case 21:
            guard let id = body["execID"]?.text, let instrument = body["instrument"]?.text, let quantity = body["lastQty"]?.integerValue else {
                break
            }
            let signed = body["side"]?.text == "BUY" ? Int128(quantity) : -Int128(quantity)
            if isHeld { sums.executed[instrument, default: 0] += signed; sums.executions[id] = (instrument, signed) }
        case 22:
            let fee = lines.first { $0["account"]?.text?.hasPrefix("fee:") == true }?["amount"]?.integerValue
            if fee != body["amount"]?.integerValue { return "the fee of entry \(row.seq) is not what was posted" }
        case 85:
            guard let id = body["execID"]?.text, let old = sums.executions[id] else { break }
            sums.executed[old.instrument, default: 0] -= old.quantity
        case 86:
            if isHeld, let asset = body["asset"]?.text, let amount = body["amount"]?.integerValue {
                sums.executed[asset, default: 0] += Int128(amount)
            }
        default: break
        }
        return nil
    }
}
