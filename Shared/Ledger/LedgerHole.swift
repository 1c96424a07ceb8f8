// Entries that a copy of a ledger does not have and will never have: where its chain breaks off, and where it goes on.
package import Values
package import Wire

/// A hole in a stored copy. The edge confessed it; an entry of kind `gap` further on speaks of it, or will when it has come.
package struct LedgerHole: Hashable, Sendable {
    /// The last entry before it; `Head.start` when the first entries are missing.
    package let after: Head
    /// Its last entry, by the hash that the entry behind it follows.
    package let last: Head

    /// - Precondition: `last` is above `after`.
    package init(after: Head, last: Head) {
        precondition(last.seq > after.seq, "a hole from \(after.seq) to \(last.seq)")
        self.after = after; self.last = last
    }
    /// As a store keeps it.
    package init(_ hole: LogHole) {
        self.init(
            after: hole.after.seq == 0 ? .start : Head(seq: Seq(hole.after.seq), hash: hole.after.hash),
            last: Head(seq: Seq(hole.last.seq), hash: hole.last.hash))
    }
    package var log: LogHole {
        LogHole(
            after: after.seq == Seq(0) ? .empty : LogHead(seq: after.seq.raw, hash: after.hash), last: LogHead(seq: last.seq.raw, hash: last.hash))
    }

    /// The first missing number.
    package var from: Seq { after.seq.next }
    /// `entries 5 to 9`, for sentences.
    package var words: String { from == last.seq ? "entry \(from)" : "entries \(from) to \(last.seq)" }
    /// True when the edge's words, one or several together, cover all of it and name the hash behind it.
    package func isTold(by gaps: [GapFact]) -> Bool {
        guard gaps.contains(where: { $0.last == last }) else { return false }
        var next = from
        while next <= last.seq {
            guard let furthest = gaps.filter({ $0.from <= next && next <= $0.to && $0.to <= last.seq }).map(\.to).max() else { return false }
            next = furthest.next
        }
        return true
    }
}

extension Entry {
    /// What it says was lost, when it is of kind `gap` and can be read; nil for any other.
    package var gap: GapFact? {
        guard kind == Kind.gap.rawValue, case .gap(let gap)? = try? decoded() else { return nil }
        return gap
    }
}

extension GapFact {
    /// The last of the missing entries.
    package var last: Head { Head(seq: to, hash: hash) }
    /// True for an entry that cannot be shown: of the last one at least the hash is known.
    package func hides(_ seq: Seq) -> Bool { from <= seq && seq < to }
}

extension LedgerVerifier {
    /// Goes on behind the hole that lies before this row, if one does: it must begin where the chain stands and end where the row follows.
    /// - Returns: the hole; nil when there is none, and the row is then judged as it stands.
    package mutating func pass(to row: EntryRow, _ holes: [LedgerHole]) -> LedgerHole? {
        guard let hole = hole(before: row, holes) else { return nil }
        skip(to: hole.last)
        return hole
    }

    fileprivate func hole(before row: EntryRow, _ holes: [LedgerHole]) -> LedgerHole? {
        guard row.seq > head.seq.next.raw else { return nil }
        return holes.first { $0.after == head && $0.last.seq.next.raw == row.seq }
    }
}

extension LedgerRebuild {
    /// The hole that lies before this row, if one does, to be passed over.
    package func hole(before row: EntryRow, _ holes: [LedgerHole]) -> LedgerHole? { verifier.hole(before: row, holes) }
}
