// A walk over a ledger of which entries may be missing for good: the chain is checked up to the hole and on from the hash behind it.
internal import Ledger
internal import Platform
internal import Values
internal import Wire

/// Notes the holes and the entries that speak of them.
struct GapWalk {
    private struct Missing {
        let from: UInt64, to: UInt64
        /// Of the entry before `to.next`, as that one has it.
        let hash: [UInt8]
        let words: String
    }
    private var holes: [Missing] = []
    private var told: [(by: Seq, gap: GapFact)] = []
    /// Hashes of the last of the entries that a word speaks of, where that entry can be read again.
    private var found: [Seq: [UInt8]] = [:]

    var isWhole: Bool { holes.isEmpty }

    /// Hands on every entry that can be read and is good, and notes what is told to be wrong with it.
    mutating func each(_ store: EntryStore, _ verifier: inout LedgerVerifier, visit: (Entry) throws(DatabaseError) -> [String]) throws(StoreError) {
        var next: UInt64 = 1
        while true {
            do throws(StoreError) {
                try store.each(from: next) { row throws(DatabaseError) in
                    guard let entry = verifier.accept(row) else { return false }
                    if let gap = entry.gap { told.append((entry.seq, gap)) }
                    for problem in try visit(entry) { verifier.note(problem) }
                    return true
                }
                break
            } catch {
                guard case .missing(let from, let to, let words) = error else { throw error }
                let hole = try GapWalk.hole(store, from, to, words)
                holes.append(hole)
                verifier.skip(to: Head(seq: Seq(hole.to), hash: hole.hash))
                next = hole.to + 1
            }
        }
        for gap in told.map(\.gap) where !holes.contains(where: { $0.from <= gap.to.raw && gap.to.raw <= $0.to }) {
            found[gap.to] = try store.read(from: gap.to.raw, limit: 1).first { $0.seq == gap.to.raw }?.hash
        }
    }

    /// The files beside one that is lost may be lost too.
    private static func hole(_ store: EntryStore, _ from: UInt64, _ to: UInt64, _ words: String) throws(StoreError) -> Missing {
        var end = to
        while true {
            do throws(StoreError) {
                guard let after = try store.read(from: end + 1, limit: 1).first, after.seq == end + 1 else {
                    throw .missing(from: from, to: end, words)
                }
                return Missing(from: from, to: end, hash: after.prev, words: words)
            } catch {
                guard case .missing(_, let further, _) = error, further > end else { throw error }
                end = further
            }
        }
    }

    /// The entries that speak of a hole, or of each part of it, and name the hash behind it; nil when none does. A file that came back makes a hole
    /// smaller than what was said: then the last entry spoken of must be the one that is there.
    private func records(of hole: Missing) -> [Seq]? {
        var by: [Seq] = []
        var next = hole.from
        while next <= hole.to {
            let fitting = told.filter { _, gap in
                guard gap.from.raw <= next, next <= gap.to.raw else { return false }
                if gap.to.raw == hole.to { return gap.hash == hole.hash }
                return gap.to.raw < hole.to || found[gap.to].map { $0 == gap.hash } ?? true
            }
            guard let furthest = fitting.max(by: { $0.gap.to < $1.gap.to }) else { return nil }
            by.append(furthest.by)
            next = furthest.gap.to.raw + 1
        }
        return by
    }

    /// Holes that no entry speaks of, in words.
    var unrecorded: [String] { holes.filter { records(of: $0) == nil }.map { "entries \($0.from) to \($0.to) cannot be read: \($0.words)" } }

    /// One line for each hole that is known, above the report.
    var report: String {
        holes.compactMap { hole in
            records(of: hole).map { by in
                let names = by.map { "entry \($0)" }.joined(separator: " and ")
                return "entries \(hole.from) to \(hole.to) are missing for good, as \(names) \(by.count == 1 ? "says" : "say");"
                    + " the chain goes on from their last hash\n"
            }
        }.joined()
    }
}
