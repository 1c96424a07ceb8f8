// The fold done again from the first entry: what was added up since must be, digest for digest, what the entries add up to.
package import Values
package import Wire

/// Folds stored rows from entry 1 into a book of its own, checking the chain, the signatures and the digests on the way. In pieces of any size.
package struct LedgerRebuild: Sendable {
    private(set) package var verifier: LedgerVerifier
    package private(set) var book: Book
    /// Checkpoints whose digest was compared with this fold.
    package private(set) var compared: UInt64 = 0
    /// Entries by the hour of the day they were written in (UTC).
    package private(set) var hours = [UInt64](repeating: 0, count: 24)
    /// True while the entries were written by the release that folds them: another release may add up to another digest.
    private var isOurs = false
    private let release: String

    /// - Parameter release: of this build; digests of runs of other releases are not compared.
    package init(edge: EdgeID, release: String = Version.product, key: [UInt8]? = nil) {
        verifier = LedgerVerifier(edge: edge, key: key)
        book = Book(edge: edge)
        self.release = release
    }

    /// True until entries were passed over: without them nothing can be added up.
    package private(set) var isFolding = true

    /// Goes on behind entries that are missing for good, with the chain alone.
    /// - Parameter anchor: the last of them, by the hash that the entry behind it names.
    package mutating func passOver(_ anchor: Head) {
        verifier.skip(to: anchor)
        isFolding = false
    }

    /// The number of the row to hand in next.
    package var next: Seq { verifier.head.seq.next }
    /// The first thing that is not as it must be, in words.
    package var difference: String? { verifier.difference }

    /// True when the row that differs is not what was written: after `retry` it can be handed in again.
    package var isRotten: Bool { verifier.isRotten }
    package mutating func retry() { verifier.retry() }

    /// Takes the next row; false at the first that is not as it must be.
    package mutating func accept(_ row: EntryRow) -> Bool {
        guard let entry = verifier.accept(row) else { return false }
        if isFolding, let fact = try? entry.decoded() {
            if case .boot(let boot) = fact { isOurs = boot.version == release }
            if case .checkpoint(let checkpoint) = fact, isOurs {
                compared += 1
                if checkpoint.digest != book.digest() {
                    verifier.note("checkpoint \(entry.seq) was signed over another book than its entries add up to")
                    return false
                }
            }
        }
        if isFolding { book.apply(entry) }
        let seconds = entry.wall.seconds % 86_400
        hours[Int((seconds + 86_400) % 86_400 / 3_600)] += 1
        return true
    }

    /// Compares with a digest from elsewhere, of the book after the entry that this fold stands at.
    package mutating func compare(_ digest: [UInt8], _ what: String) {
        if isFolding, digest != book.digest() { verifier.note("\(what) is another book than the entries up to \(book.head.seq) add up to") }
    }

    /// The hour of the day (UTC) with the fewest entries; the earliest of several.
    package var quietestHour: Int { hours.indices.min { (hours[$0], $0) < (hours[$1], $1) } ?? 0 }

    /// For people.
    package var report: String {
        let good = "rebuilt \(verifier.count) entries, head \(verifier.head.seq), digest \(Hex.text(book.digest())), \(compared) checkpoints compared"
        return difference.map { "\(good)\nDIFFERENCE: \($0)" } ?? "\(good)\nno difference"
    }
}
