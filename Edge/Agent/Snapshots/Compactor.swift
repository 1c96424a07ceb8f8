// Compaction under the running edge: old entries move into segment files a small piece at a time, as far as the cloud's backup and a snapshot allow.
internal import Ledger
package import Platform
package import Values

/// Where an edge keeps its snapshots, and how old entries must be to move.
package struct CompactionSettings {
    package let files: any KeptFiles
    /// Entries younger than this stay in the database.
    package var age: Span
    /// - Parameter days: at least one.
    package init(files: any KeptFiles, days: Int) {
        self.files = files
        age = Span(nanoseconds: Span.hours(24).nanoseconds * Int64(days))
    }
}

/// How far entries have moved and may move, for the edge's own screen.
package struct CompactionProgress: Hashable, Sendable {
    /// The last entry that is in a segment; 0 for none.
    package var moved = Seq(0)
    /// The last entry that the cloud has on its disk, that its verified backup has, and that a snapshot has whose book the whole ledger was compared
    /// with: nothing above the least of them moves.
    package var acknowledged = Seq(0), backedUp = Seq(0), snapshot = Seq(0)
    package var limit: Seq { min(acknowledged, backedUp, snapshot) }
    /// Entries are on their way now.
    package var isMoving = false
    /// Why the last try ended early; nil when nothing is wrong.
    package var trouble: String?
}

/// Decides when a piece is moved, and up to where. One owner, one thread.
struct Compactor {
    private let settings: CompactionSettings
    private(set) var progress = CompactionProgress()
    private var looking: Look?
    private var steppedAt: Span?
    private var notBefore: Span?

    /// A snapshot's file compared with its hashes, some parts at a time.
    private struct Look {
        let fact: SnapshotFact
        var table: SnapshotTable?
        var next = 0
    }

    init(_ settings: CompactionSettings) { self.settings = settings }

    /// Between two pieces the loop trades.
    private static let pause = Span.milliseconds(50)
    /// How long until it is asked again whether something may move.
    private static let patience = Span.minutes(1)
    private static let retryAfter = Span.minutes(10)
    private static let lookBytes = 256 << 10

    /// The walk from the first entry agrees with the live book, and this snapshot lies on its way.
    mutating func agrees(_ fact: SnapshotFact) {
        guard fact.seq > progress.snapshot else { return }
        looking = Look(fact: fact)
    }

    /// Does a piece when one is due.
    mutating func step(at clock: ClockReading, _ journal: Journal) throws(JournalError) {
        let now = clock.monotonic
        progress.moved = journal.compacted
        if let steppedAt, now - steppedAt < Compactor.pause { return }
        if look(at: now) { return }
        guard progress.snapshot > Seq(0) else { return }
        if let notBefore, now < notBefore { return }
        steppedAt = now
        do throws(JournalError) {
            if !progress.isMoving {
                progress.acknowledged = try journal.acknowledged()
                progress.backedUp = try journal.backupWatermark() ?? Seq(0)
            }
            switch try journal.compactStep(through: progress.limit, olderThan: clock.wall - settings.age) {
            case .nothing:
                progress.isMoving = false
                notBefore = now + Compactor.patience
            case .working: progress.isMoving = true
            case .moved(let done):
                progress.isMoving = false
                Log.write(.info, "entries moved into a segment", ["from": "\(done.from)", "to": "\(done.to)", "file": done.file])
            }
            progress.trouble = nil
        } catch {
            // The log is as it was, and whatever moved is in whole files.
            guard case .store(let cause) = error else { throw error }
            if case .failed = cause { throw error }
            if progress.trouble != "\(cause)" { Log.write(.warning, "old entries cannot be moved now", ["error": "\(cause)"]) }
            progress.trouble = "\(cause)"
            progress.isMoving = false
            notBefore = now + Compactor.retryAfter
        }
        progress.moved = journal.compacted
    }

    /// A piece of the look at a snapshot's file; false when there is nothing to look at.
    private mutating func look(at now: Span) -> Bool {
        guard var look = looking else { return false }
        steppedAt = now
        looking = nil
        guard let table = look.table else {
            // Two newer ones may have been made meanwhile: the next walk brings another.
            guard let table = table(of: look.fact.file), table.hash == look.fact.hash else { return true }
            look.table = table
            looking = look
            return true
        }
        let (parts, place) = table.stretch(from: look.next, limit: Compactor.lookBytes)
        guard let bytes = try? settings.files.read(look.fact.file, in: place), table.isSound(parts, bytes: bytes) else {
            Log.write(.warning, "a snapshot is damaged: nothing moves because of it", ["file": look.fact.file])
            return true
        }
        look.next = parts.upperBound
        if look.next == table.partCount { progress.snapshot = look.fact.seq } else { looking = look }
        return true
    }

    /// What stands at the end of a snapshot's file; nil when it is gone, or not as it must be.
    private func table(of name: String) -> SnapshotTable? {
        let files = settings.files, magic = SnapshotFile.magic
        guard let size = try? files.size(name), size >= magic.count + SnapshotTable.tailBytes,
            (try? files.read(name, in: 0..<magic.count)) == magic, let tail = try? files.read(name, in: size - SnapshotTable.tailBytes..<size),
            let start = try? SnapshotTable.start(tail: tail, of: size), let table = try? files.read(name, in: start..<size - tail.count)
        else { return nil }
        return try? SnapshotTable(table, tail: tail, of: size)
    }
}
