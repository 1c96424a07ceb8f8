// The nightly check: the ledger read and folded again from its first entry, a small piece at a time, and compared with the live book.
internal import Ledger
internal import Platform
internal import Synchronization
internal import Values
internal import Wire

/// Walks behind the live ledger until it stands where that stands. One owner, one thread.
struct RebuildCheck {
    /// What a piece brought.
    enum Step: Equatable {
        case nothing
        /// The chain is whole, and the live book is what its entries add up to. Of a ledger with a hole nobody can say so.
        case agrees
        /// A stored entry is not what was written.
        case damaged(String)
        /// The same entries give another book.
        case differs(String)
    }

    private var rebuild: LedgerRebuild?
    private var steppedAt: Span?
    private var startAt: Span?
    private var quietestHour: Int?
    private var lastDay: Int64?
    /// What the walk added up to where a snapshot stands, until the entry comes that speaks of it.
    private var digests: [Seq: [UInt8]] = [:]
    /// The newest snapshot on the way whose book is that of the entries; it counts once the walk agrees.
    private(set) var snapshot: SnapshotFact?

    /// A piece takes about a millisecond, ten pieces a second leave the loop to trading.
    private static let rowsPerStep = 128
    private static let every = Span.milliseconds(100)
    /// A start has better things to do first.
    private static let afterStart = Span.seconds(60)

    /// To be called when there is nothing else to do.
    /// - Parameters:
    ///   - digest: of the live book, asked for when the walk has caught up with it.
    ///   - kept: where the snapshots stand whose books are to be compared on the way; each costs a digest of the whole book.
    ///   - rows: reads stored rows from a number on, at most so many.
    mutating func step(
        at clock: ClockReading, edge: EdgeID, head: Head, digest: () -> [UInt8], kept: [Seq] = [],
        rows: (Seq, Int) throws(JournalError) -> [EntryRow]
    ) throws(JournalError) -> Step {
        if let steppedAt, clock.monotonic - steppedAt < RebuildCheck.every { return .nothing }
        steppedAt = clock.monotonic
        guard var walk = rebuild ?? begun(at: clock, edge) else { return .nothing }
        // Moved out, or the first entry of each piece would copy the whole book.
        rebuild = nil
        let piece: [EntryRow]
        do throws(JournalError) { piece = try rows(walk.next, RebuildCheck.rowsPerStep) } catch {
            // It goes on behind what cannot be read.
            rebuild = walk
            throw error
        }
        for row in piece {
            guard walk.accept(row) else { break }
            note(row, walk, kept)
        }
        rebuild = walk
        if walk.difference != nil || walk.verifier.head == head { rebuild = nil }
        if let words = walk.difference { return .damaged(words) }
        guard walk.verifier.head == head else { return .nothing }
        quietestHour = walk.quietestHour
        guard walk.isFolding else { return .nothing }
        walk.compare(digest(), "the live book")
        let difference = walk.difference
        RebuildCheck.letGo(consume walk)
        return difference.map { .differs($0) } ?? .agrees
    }

    /// Orders from which on a book is freed beside the loop: that of a million entries takes a third of a second.
    private static let largeBook = 4_096

    private static func letGo(_ walk: consuming LedgerRebuild) {
        guard walk.book.orders.count >= largeBook else { return }
        let holder = Holder(walk)
        SystemThread.detached(name: "let go") { holder.letGo() }
    }

    /// The only one who has the book, until a thread frees it.
    private final class Holder: Sendable {
        private let walk: Mutex<LedgerRebuild?>
        init(_ walk: consuming LedgerRebuild) { self.walk = Mutex(walk) }
        func letGo() { walk.withLock { $0 = nil } }
    }

    private mutating func note(_ row: EntryRow, _ walk: borrowing LedgerRebuild, _ kept: [Seq]) {
        guard walk.isFolding else { return }
        if kept.contains(Seq(row.seq)) { digests[Seq(row.seq)] = walk.book.digest() }
        guard row.kind == Kind.snapshot.rawValue, case .snapshot(let fact)? = (try? Entry(row)).flatMap({ try? $0.decoded() }) else { return }
        if digests.removeValue(forKey: fact.seq) == fact.book { snapshot = fact }
    }

    /// Entries up to here are missing for good: the chain is checked on behind them, and no book is left to compare.
    mutating func passOver(_ anchor: Head) { rebuild?.passOver(anchor) }

    /// Damaged bytes were put right: what was walked is walked again, at once.
    mutating func beginAnew() {
        rebuild = nil
        lastDay = nil
        quietestHour = nil
    }

    /// The first walk a minute after the start, the next ones once a day in the hour in which this ledger was always quietest.
    private mutating func begun(at clock: ClockReading, _ edge: EdgeID) -> LedgerRebuild? {
        let begin = startAt ?? clock.monotonic
        startAt = begin
        guard clock.monotonic - begin >= RebuildCheck.afterStart else { return nil }
        let day = clock.wall.seconds / 86_400, hour = Int(clock.wall.seconds % 86_400 / 3_600)
        if let quietestHour { guard day != lastDay, hour == quietestHour else { return nil } }
        lastDay = day
        digests = [:]
        snapshot = nil
        return LedgerRebuild(edge: edge)
    }
}
