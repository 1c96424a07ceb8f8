// When the fold is kept in a file, and how: from the book as it was at one moment, a small piece whenever there is nothing else to do.
internal import Ledger
package import Platform
package import Values
internal import Views
internal import Wire

/// Where snapshots lie and which of them count.
package struct SnapshotSettings {
    package let files: any KeptFiles
    /// Names of those that count, oldest first.
    package var kept: [String]
    /// The entry that the newest stands at, and its length in bytes.
    package var last: Seq
    package var lastBytes: Int64
    /// Entries between two snapshots.
    package var every: UInt64
    /// What a snapshot may hold of commands and whatever else is read whole: production's, but for tests.
    package var smallBytesMax = Book.smallBytesMax
    /// A start after a crash folds so many entries at the worst, and those of a flood: see `standardRate`.
    package static let standardInterval: UInt64 = 1_000
    /// Each file costs its length in writing, about 22 MB behind a million entries: in a flood of entries the next one waits until the last is paid
    /// for at this rate, which no medium minds in ten years.
    package static let standardRate: Int64 = 100_000
    /// The standard, but for tests.
    package var bytesPerSecond = SnapshotSettings.standardRate
    /// - Parameter every: the standard, but for tests.
    package init(
        files: any KeptFiles, kept: [String] = [], last: Seq = Seq(0), lastBytes: Int64 = 0, every: UInt64 = SnapshotSettings.standardInterval
    ) {
        self.files = files; self.kept = kept; self.last = last; self.lastBytes = lastBytes; self.every = every
    }
    package init(files: any KeptFiles, _ recovered: Recovered) {
        let last = recovered.isBorrowed ? nil : recovered.snapshot?.head.seq
        self.init(files: files, kept: recovered.kept, last: last ?? Seq(0), lastBytes: recovered.snapshotBytes)
    }
}

/// Makes snapshots. One owner, one thread.
struct SnapshotKeeper {
    private var settings: SnapshotSettings
    private var work: Work?
    private var steppedAt: Span?
    private var notBefore: Span?
    /// The book has outgrown its snapshot: it is not packed in vain every few minutes.
    private var isTooLarge = false
    /// When the newest was made, or this run began.
    private var madeAt: Span?

    /// A snapshot under way.
    private struct Work {
        var builder: SnapshotBuilder
        let writer: any KeptFileWriter
        let seq: Seq, book: [UInt8], milestones: [UInt8]
        var unsynced = 0
        /// The disk is at what was given.
        var isSyncing = false
        /// All is given.
        var isWhole = false
    }

    init(_ settings: SnapshotSettings) { self.settings = settings }

    /// Where those stand that count.
    var kept: [Seq] { settings.kept.compactMap { SnapshotFile.seq(of: $0) } }
    /// One is being written.
    var isWorking: Bool { work != nil }

    /// Between two pieces the loop trades.
    private static let pause = Span.milliseconds(20)
    private static let pieceBytes = 256 << 10
    private static let syncBytes = 1 << 20
    private static let patience = Span.hours(24)
    private static let retryAfter = Span.minutes(10)
    /// At an orderly end it is worth the wait when the next start would read more than this.
    private static let worthAtEnd: UInt64 = 500
    private static let keptMax = 2

    /// Does a piece when one is due.
    /// - Parameters:
    ///   - book: the live one, which must be durable as it is; what it prepares for the file it keeps.
    ///   - header: of the snapshot that would begin now.
    /// - Returns: the fact to write down when a file has become durable.
    mutating func step(at now: Span, book: inout Book, milestones: Milestones, header: () -> SnapshotHeader) -> SnapshotFact? {
        let begun = madeAt ?? now
        madeAt = begun
        if let notBefore, now < notBefore { return nil }
        if let steppedAt, now - steppedAt < SnapshotKeeper.pause { return nil }
        do throws(KeptFileError) {
            if work == nil {
                let behind = book.head.seq.raw - min(book.head.seq.raw, settings.last.raw)
                let isDue = behind >= settings.every && now - begun >= price
                guard isDue || (behind > 0 && now - begun >= SnapshotKeeper.patience) else { return nil }
                steppedAt = now
                if book.prepareParts() { return nil }
                try begin(book, milestones, header())
                return nil
            }
            steppedAt = now
            return try advance(limit: SnapshotKeeper.pieceBytes, at: now)
        } catch {
            putOff(error)
            notBefore = now + (isTooLarge ? SnapshotKeeper.patience : SnapshotKeeper.retryAfter)
            return nil
        }
    }

    /// How long the newest file's writing keeps the next from being written.
    private var price: Span { Span(nanoseconds: settings.lastBytes * (1_000_000_000 / settings.bytesPerSecond)) }

    /// Only the next start takes longer without it: a file beside the ledger that cannot be written ends no trading. What the disk does to the
    /// ledger itself is learned from its own commits.
    private mutating func putOff(_ error: KeptFileError) {
        drop()
        Log.write(.warning, "no snapshot can be kept now, starts take longer", ["error": "\(error)"])
    }

    /// The whole of it at the end of a run; nil when it is not worth it, or the disk takes none.
    mutating func finish(book: Book, milestones: Milestones, header: () -> SnapshotHeader) -> SnapshotFact? {
        drop()
        guard book.head.seq.raw >= settings.last.raw + SnapshotKeeper.worthAtEnd else { return nil }
        do throws(KeptFileError) {
            try begin(book, milestones, header())
            while work != nil {
                if let fact = try advance(limit: .max, at: madeAt ?? .zero) { return fact }
                work?.writer.wait()
            }
            return nil
        } catch {
            putOff(error)
            return nil
        }
    }

    /// The entry of the newest snapshot is durable: it counts, and what is older than the one before goes.
    mutating func counted(_ fact: SnapshotFact) {
        settings.last = fact.seq
        settings.lastBytes = fact.bytes
        settings.kept = (settings.kept.filter { $0 != fact.file } + [fact.file]).suffix(SnapshotKeeper.keptMax)
        // What cannot be deleted now is deleted the next time.
        for name in (try? settings.files.names()) ?? [] where SnapshotFile.seq(of: SnapshotKeeper.stem(name)) != nil && !settings.kept.contains(name)
        {
            try? settings.files.remove(name)
        }
    }

    /// The name without the mark of an unfinished file.
    private static func stem(_ name: String) -> String { name.hasSuffix(KeptName.suffix) ? String(name.dropLast(KeptName.suffix.count)) : name }

    private mutating func begin(_ book: Book, _ milestones: Milestones, _ header: SnapshotHeader) throws(KeptFileError) {
        let beside = milestones.packed
        let builder = SnapshotBuilder(header, book, beside: beside, smallBytesMax: settings.smallBytesMax)
        isTooLarge = builder.isTooLarge
        guard !isTooLarge else { throw .full("the book has more commands than a snapshot holds") }
        work = Work(
            builder: builder, writer: try settings.files.begin(SnapshotFile.name(header.head.seq)),
            seq: header.head.seq, book: book.digest(), milestones: Hashing.blake2b(beside))
    }

    /// A piece, or a look at how far the disk is.
    /// - Returns: the fact when the file is durable.
    private mutating func advance(limit: Int, at now: Span) throws(KeptFileError) -> SnapshotFact? {
        guard var current = work else { return nil }
        if current.isSyncing {
            guard try current.writer.sync() else { return nil }
            current.isSyncing = false
        }
        var given = 0
        while !current.isWhole, given < limit {
            guard let bytes = current.builder.nextBytes() else {
                if current.builder.isUnpackable { throw .full("a part of the book does not come back from its packed form") }
                current.isWhole = true
                break
            }
            try current.writer.append(bytes)
            given += bytes.count
            current.unsynced += bytes.count
            if current.unsynced >= SnapshotKeeper.syncBytes {
                current.isSyncing = !(try current.writer.sync())
                current.unsynced = 0
                break
            }
        }
        work = current
        guard current.isWhole, try current.writer.finish() else { return nil }
        work = nil
        madeAt = now
        return SnapshotFact(
            seq: current.seq, book: current.book, milestones: current.milestones, file: SnapshotFile.name(current.seq),
            bytes: Int64(current.builder.byteCount), hash: current.builder.hash ?? [])
    }

    private mutating func drop() {
        work?.writer.abandon()
        work = nil
    }
}
