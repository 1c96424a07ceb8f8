// A piece of a ledger as it lies on a disk: digests by which two copies are compared, and the check of which entries hash into the chain.
package import Values
internal import Wire

/// Entries re-read from a store, one for each number from `from` on.
package struct StoredRange: Hashable, Sendable {
    package let edge: EdgeID
    package let from: Seq
    /// Nil for a number that is missing, or whose row cannot be read.
    package let entries: [Entry?]
    /// What each entry's bytes give, computed anew.
    private let hashes: [[UInt8]]

    /// What the bytes of a range say, walked down from a hash that is known to be right.
    package enum Finding: Hashable, Sendable {
        /// Every entry hashes into the chain; this one stands before the first.
        case whole(before: Head)
        /// The highest entry that does not, and the hash that it must have.
        case wrong(Head)
    }

    /// - Parameter entries: at least one, in order, without holes in the numbers.
    package init(edge: EdgeID, from: Seq, _ entries: [Entry?]) {
        precondition(!entries.isEmpty && from > Seq(0), "an empty range")
        self.edge = edge; self.from = from; self.entries = entries
        hashes = entries.map { $0.map { Chain.hash($0, edge: edge) } ?? [] }
    }

    /// The last number.
    package var through: Seq { Seq(from.raw + UInt64(entries.count) - 1) }

    /// One digest for each `step` entries: BLAKE2b-256 over domain, edge, first and last number, and for each entry the hash that its bytes give and
    /// the hash stored beside them, 64 zeros for one that is missing.
    package func digests(step: Int) -> [[UInt8]] { digests(of: 0..<entries.count, step: step) }

    /// The same for some of its numbers, from hashes that are computed already; nil when they are not all here.
    package func digests(of numbers: ClosedRange<Seq>, step: Int) -> [[UInt8]]? {
        guard numbers.lowerBound >= from, numbers.upperBound <= through else { return nil }
        return digests(of: Int(numbers.lowerBound.raw - from.raw)..<Int(numbers.upperBound.raw - from.raw) + 1, step: step)
    }

    private func digests(of places: Range<Int>, step: Int) -> [[UInt8]] {
        precondition(step > 0, "a step of \(step)")
        return stride(from: places.lowerBound, to: places.upperBound, by: step).map { start in
            let end = min(start + step, places.upperBound)
            var out = ByteWriter(reserving: 64 + 64 * (end - start))
            out.append("tidewire.range1".utf8)
            out.append(edge.bytes); out.little(from.raw + UInt64(start)); out.little(from.raw + UInt64(end) - 1)
            for index in start..<end {
                if let entry = entries[index] {
                    out.append(hashes[index]); out.append(entry.hash)
                } else {
                    out.append(repeatElement(UInt8(0), count: 64))
                }
            }
            return Hashing.blake2b(out.bytes)
        }
    }

    /// The hash that the bytes of this entry give; nil when it is missing.
    package func hash(at seq: Seq) -> [UInt8]? {
        guard seq >= from, seq <= through else { return nil }
        let hash = hashes[Int(seq.raw - from.raw)]
        return hash.isEmpty ? nil : hash
    }

    /// Walks down from the last entry, whose right hash is `end`'s: each entry found good names the hash of the one before it.
    package func check(endingAt end: Head) -> Finding {
        precondition(end.seq == through, "the range ends at \(through), the known hash is of \(end.seq)")
        var known = end
        for index in entries.indices.reversed() {
            guard let entry = entries[index], hashes[index] == known.hash, entry.hash == known.hash else { return .wrong(known) }
            known = Head(seq: Seq(known.seq.raw - 1), hash: entry.previous)
        }
        return .whole(before: known)
    }

    /// The entries from a number on, when each of them is what was written as far as it can tell by itself; nil otherwise.
    package func sound(from seq: Seq) -> [Entry]? {
        guard seq >= from, seq <= through else { return nil }
        var out: [Entry] = []
        for index in Int(seq.raw - from.raw)..<entries.count {
            guard let entry = entries[index], entry.hash == hashes[index], out.last.map({ $0.hash == entry.previous }) ?? true else { return nil }
            out.append(entry)
        }
        return out
    }
}

extension Chain {
    /// Why these bytes may not take the place of a stored entry; nil when they may: they hash to themselves, and the sound entry after them, or the
    /// known end of the ledger, names that hash.
    /// - Parameter after: the stored entry after it; nil when `entry` is the last one.
    package static func refusal(of entry: Entry, before after: Entry?, end: Head, edge: EdgeID) -> String? {
        guard hash(entry, edge: edge) == entry.hash else { return "the bytes of entry \(entry.seq) do not give their hash" }
        guard let after else {
            return entry.head == end ? nil : "entry \(entry.seq) is not the one that this ledger ends with"
        }
        guard after.seq == entry.seq.next, hash(after, edge: edge) == after.hash else {
            return "the entry after \(entry.seq) is not sound, so that nothing says which bytes belong before it"
        }
        return after.previous == entry.hash ? nil : "entry \(after.seq) follows another entry than these bytes"
    }
}
