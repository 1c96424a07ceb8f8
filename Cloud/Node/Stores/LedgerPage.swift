// One page of an edge's stored ledger, as screens turn them.
internal import Ledger
internal import Platform
internal import Values

/// Entries ascending, and whether there are, or may be, more that match on either side.
struct LedgerPage {
    let entries: [Entry]
    let hasOlder: Bool
    let hasNewer: Bool
    /// The lowest number that was looked at, of a search backward that ended there before the page was full: the next one goes on below it.
    var lookedFrom: Seq?
    /// The highest, of one forward: the next one goes on above it.
    var lookedTo: Seq?
}

extension EdgeLedgers {
    /// Rows that one call looks through for those of some kinds. There is no index of kinds, and a kind may be rare: without a bound one question
    /// would read the whole ledger, and the links and the kill switch wait for it. This many take some ten milliseconds.
    package static let scanMax = 20_000

    /// From `from` on, or the newest below `before`, or the newest; of these kinds (empty: all), at most `limit`.
    func page(_ edge: EdgeID, from: Seq?, before: Seq?, kinds: [UInt16], limit: Int, scanMax: Int) throws -> LedgerPage {
        guard kinds.isEmpty else { return try search(edge, Search(from: from, before: before, kinds: kinds, limit: limit), UInt64(scanMax)) }
        if let from {
            let found = try read(edge, from: from, limit: limit + 1)
            return LedgerPage(entries: Array(found.prefix(limit)), hasOlder: from.raw > 1 && head(edge).seq.raw > 0, hasNewer: found.count > limit)
        }
        let end = head(edge).seq.next
        let found = try newest(edge, below: min(before ?? end, end), limit: limit + 1)
        let hasNewer = before.map { $0 < end } ?? false
        return LedgerPage(entries: Array(found.suffix(limit)), hasOlder: found.count > limit, hasNewer: hasNewer)
    }

    private struct Search {
        let from: Seq?
        let before: Seq?
        let kinds: [UInt16]
        let limit: Int
    }

    private func search(_ edge: EdgeID, _ search: Search, _ scanMax: UInt64) throws -> LedgerPage {
        let end = head(edge).seq.raw + 1
        /// The newest of the stretch below `top`, and where it begins.
        func backward(below top: UInt64, limit: Int) throws -> (found: [Entry], start: UInt64) {
            let start = top > scanMax ? top - scanMax : 1
            guard start < top else { return ([], start) }
            let found = try matching(edge, kinds: search.kinds, from: Seq(start), below: Seq(top), newestFirst: true, limit: limit)
            return (found.reversed(), start)
        }
        /// The oldest of the stretch from `low` on, and where it ends.
        func forward(from low: UInt64, limit: Int) throws -> (found: [Entry], stop: UInt64) {
            let stop = low < end && end - low > scanMax ? low + scanMax : end
            guard low < stop else { return ([], end) }
            return (try matching(edge, kinds: search.kinds, from: Seq(low), below: Seq(stop), newestFirst: false, limit: limit), stop)
        }
        if let from = search.from {
            let (found, stop) = try forward(from: from.raw, limit: search.limit + 1)
            let (older, start) = try backward(below: min(from.raw, end), limit: 1)
            let isCut = found.count <= search.limit && stop < end
            return LedgerPage(
                entries: Array(found.prefix(search.limit)), hasOlder: !older.isEmpty || start > 1, hasNewer: found.count > search.limit || isCut,
                lookedTo: isCut ? Seq(stop - 1) : nil)
        }
        let (found, start) = try backward(below: min(search.before?.raw ?? end, end), limit: search.limit + 1)
        let isCut = found.count <= search.limit && start > 1
        var hasNewer = false
        if let before = search.before {
            let (newer, stop) = try forward(from: before.raw, limit: 1)
            hasNewer = !newer.isEmpty || stop < end
        }
        return LedgerPage(
            entries: Array(found.suffix(search.limit)), hasOlder: found.count > search.limit || isCut, hasNewer: hasNewer,
            lookedFrom: isCut ? Seq(start) : nil)
    }

    private func newest(_ edge: EdgeID, below end: Seq, limit: Int) throws -> [Entry] {
        let start = end.raw > UInt64(limit) ? end.raw - UInt64(limit) : 1
        guard start < end.raw else { return [] }
        return try read(edge, from: Seq(start), limit: Int(end.raw - start))
    }
}
