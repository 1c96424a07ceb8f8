// One page of an edge's stored ledger, as screens turn them.
internal import Ledger
internal import Platform
internal import Values

/// Entries ascending, and whether there are more that match on either side.
struct LedgerPage {
    let entries: [Entry]
    let hasOlder: Bool
    let hasNewer: Bool
}

extension EdgeLedgers {
    /// From `from` on, or the newest below `before`, or the newest; of these kinds (empty: all), at most `limit`.
    func page(_ edge: EdgeID, from: Seq?, before: Seq?, kinds: [UInt16], limit: Int) throws -> LedgerPage {
        if let from {
            let found = try read(edge, from: from, kinds: kinds, limit: limit + 1)
            let older = from.raw > 1 ? try newest(edge, below: from, kinds: kinds, limit: 1) : []
            return LedgerPage(entries: Array(found.prefix(limit)), hasOlder: !older.isEmpty, hasNewer: found.count > limit)
        }
        let found = try newest(edge, below: before, kinds: kinds, limit: limit + 1)
        let newer = try before.map { try read(edge, from: $0, kinds: kinds, limit: 1) } ?? []
        return LedgerPage(entries: Array(found.suffix(limit)), hasOlder: found.count > limit, hasNewer: !newer.isEmpty)
    }

    private func read(_ edge: EdgeID, from seq: Seq, kinds: [UInt16], limit: Int) throws -> [Entry] {
        guard !kinds.isEmpty else { return try read(edge, from: seq, limit: limit) }
        return try matching(edge, kinds: kinds, from: seq, below: nil, newestFirst: false, limit: limit)
    }

    private func newest(_ edge: EdgeID, below seq: Seq?, kinds: [UInt16], limit: Int) throws -> [Entry] {
        guard kinds.isEmpty else { return try matching(edge, kinds: kinds, from: nil, below: seq, newestFirst: true, limit: limit).reversed() }
        let end = min(seq?.raw ?? .max, head(edge).seq.raw + 1)
        let start = end > UInt64(limit) ? end - UInt64(limit) : 1
        guard start < end else { return [] }
        return try read(edge, from: Seq(start), limit: Int(end - start))
    }
}
