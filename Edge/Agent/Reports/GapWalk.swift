// A walk over a ledger of which entries may be missing for good: the chain is checked up to the hole and on from the hash behind it.
internal import Ledger
internal import Platform
internal import Values
internal import Wire

/// Notes the holes and the entries that speak of them.
struct GapWalk {
    private var holes: [(from: UInt64, to: UInt64, hash: [UInt8], words: String)] = []
    private var told: [(by: Seq, gap: GapFact)] = []

    var isWhole: Bool { holes.isEmpty }

    /// Hands on every entry that can be read and is good, and notes what is told to be wrong with it.
    mutating func each(_ store: EntryStore, _ verifier: inout LedgerVerifier, visit: (Entry) throws(DatabaseError) -> [String]) throws(StoreError) {
        var next: UInt64 = 1
        while true {
            do throws(StoreError) {
                return try store.each(from: next) { row throws(DatabaseError) in
                    guard let entry = verifier.accept(row) else { return false }
                    if row.kind == Kind.gap.rawValue, case .gap(let gap)? = try? entry.decoded() { told.append((entry.seq, gap)) }
                    for problem in try visit(entry) { verifier.note(problem) }
                    return true
                }
            } catch {
                guard case .missing(let from, let to, let words) = error, let after = try store.read(from: to + 1, limit: 1).first,
                    after.seq == to + 1
                else { throw error }
                holes.append((from, to, after.prev, words))
                verifier.skip(to: Head(seq: Seq(to), hash: after.prev))
                next = to + 1
            }
        }
    }

    private func record(of hole: (from: UInt64, to: UInt64, hash: [UInt8], words: String)) -> Seq? {
        told.first { $0.gap.from.raw == hole.from && $0.gap.to.raw == hole.to && $0.gap.hash == hole.hash }?.by
    }

    /// Holes that no entry speaks of, in words.
    var unrecorded: [String] { holes.filter { record(of: $0) == nil }.map { "entries \($0.from) to \($0.to) cannot be read: \($0.words)" } }

    /// One line for each hole that is known, above the report.
    var report: String {
        holes.compactMap { hole in
            record(of: hole).map {
                "entries \(hole.from) to \(hole.to) are missing for good, as entry \($0) says; the chain goes on from their last hash\n"
            }
        }.joined()
    }
}
