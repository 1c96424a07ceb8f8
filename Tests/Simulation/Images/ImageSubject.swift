// Whose disk is imaged: the edge with journal, mark and reserve, or the cloud with one edge's ledger. How each works, and what must hold of an image.
internal import CloudNode
internal import EdgeAgent
internal import Ledger
internal import Platform
internal import Values
internal import Views
internal import Wire

/// Which program's files.
package enum ImageSide: String, CaseIterable, Sendable { case edge, cloud }

/// What a finished piece of work left to compare with.
struct ImageTruth {
    /// Every entry that was offered to the store, in order.
    var entries: [Entry] = []
    /// The lines that bodies list, by entry; read by the second reader of postings, not by the store's SQL.
    var postings: [UInt64: [PostingRow]] = [:]
    /// What the entries add up to, after each; the first is of none.
    private(set) var digests: [[UInt8]] = [Book(edge: ImageWriter.edge).digest()]
    private var book = Book(edge: ImageWriter.edge)

    /// Whether this is the book after so many entries.
    func isBook(_ digest: [UInt8], after seq: Seq) -> Bool { seq.raw < UInt64(digests.count) && digests[Int(seq.raw)] == digest }

    mutating func offer(_ more: [Entry]) {
        entries += more
        for entry in more {
            book.apply(entry)
            digests.append(book.digest())
            let lines = (try? JSONReader.read(entry.body))?["postings"]?.elements ?? []
            let rows = lines.enumerated().compactMap { place, line -> PostingRow? in
                guard let account = line["account"]?.text, let asset = line["asset"]?.text, let amount = line["amount"]?.integerValue else {
                    return nil
                }
                return PostingRow(line: place, account: account, asset: asset, amount: amount)
            }
            if !rows.isEmpty { postings[entry.seq.raw] = rows }
        }
    }
}

/// What opening an image showed.
struct ImageFinding {
    /// Acknowledged entries that are not there.
    var lost = 0
    /// Entries that are there though nobody was told.
    var unacknowledged = 0
    /// Why the program would not start, in its own words.
    var refusal: String?
    /// What must never be.
    var problems: [String] = []
}

/// One side's work and start.
protocol ImageSubject {
    /// Some runs of the program; promises go into the trace, also when the disk ends it.
    func work(on disk: FaultyDisk, _ trace: DiskTrace, _ truth: inout ImageTruth, _ chance: inout SeededRandom) throws
    /// The production start on an image, compared with what was promised.
    /// - Parameter goesOn: also write more, start once more, and look again.
    func look(_ disk: FaultyDisk, _ promise: DiskPromise, _ truth: ImageTruth, goesOn: Bool) -> ImageFinding
    /// The production start alone, on a disk that may be damaged.
    func start(_ disk: FaultyDisk) -> ImageStart
    /// The check that runs beside a running program, on the stored bytes alone: what it finds wrong; nil for nothing.
    /// - Parameter witness: the last entry as the other side knows it.
    func audit(_ disk: FaultyDisk, witness: Entry?) -> String?
    /// The file that holds the entries.
    var file: String { get }
}

/// What a start brought.
struct ImageStart {
    /// The entries that the program has folded, or can read after its start, also when it refused in the end.
    var folded: [Entry] = []
    /// Numbers of those that it cannot read, up to where it stands: it says so to whoever asks for one.
    var unreadable: Set<UInt64> = []
    /// Where it stands and what it goes on from; nil for a program that folds every entry.
    var book: (head: Seq, digest: [UInt8])?
    /// It told of a snapshot that it did not start from.
    var passesOverSnapshot = false
    /// Why it would not go on.
    var refusal: String?
    /// It goes on and knows that the end of its ledger is gone: nothing is opened until somebody has decided.
    var knowsItsEndIsGone = false
    /// It told that it has no mark, or none that can be read.
    var missesItsMark = false
}

extension ImageSubject {
    /// What holds for either side: the entries are those that were offered, in order, as many as were promised at least.
    func compare(_ found: [Entry], _ promise: DiskPromise, _ truth: ImageTruth, into finding: inout ImageFinding) {
        finding.lost = max(0, promise.acknowledged - found.count)
        finding.unacknowledged = max(0, found.count - promise.acknowledged)
        if found.count > promise.offered { finding.problems.append("\(found.count) entries, \(promise.offered) were offered") }
        if !truth.entries.starts(with: found) { finding.problems.append("an entry is not what was offered") }
    }

    /// What was written on an image is there after one more power cut.
    func compare(_ written: [Entry], after found: [Entry], into finding: inout ImageFinding) {
        finding.lost = max(finding.lost, written.count - found.count)
        if !written.starts(with: found) { finding.problems.append("an entry that was written on the image is another one at the next start") }
    }

    /// The posting table and the index of subjects say what the bodies say, as far as they have followed.
    func compareFollowers(_ store: EntryStore, _ found: [Entry], _ truth: ImageTruth, into finding: inout ImageFinding) throws(StoreError) {
        let through = try store.postedThrough()
        let listed = truth.postings.filter { $0.key <= through }
        if through > UInt64(found.count) { finding.problems.append("postings of entry \(through), the last is \(found.count)") }
        if try store.postingCount(through: .max) != listed.reduce(0, { $0 + $1.value.count }) {
            finding.problems.append("lines of postings are too many or few")
        }
        if let (seq, lines) = listed.max(by: { $0.key < $1.key }), try store.postings(of: seq) != lines {
            finding.problems.append("the postings of entry \(seq) are others than its body lists")
        }
        if let seq = try store.subjectDamage(limit: 1).first { finding.problems.append("the index of subjects is wrong about entry \(seq)") }
        guard let subject = found.last(where: { !$0.ref.isEmpty }) else { return }
        guard try finds(subject.ref, store, found) else { return finding.problems.append("the index of subjects differs") }
    }

    private func finds(_ ref: [UInt8], _ store: EntryStore, _ found: [Entry]) throws(StoreError) -> Bool {
        try store.entries(ref: ref, limit: .max).map(\.seq) == found.filter { $0.ref == ref }.map(\.seq.raw)
    }

    /// True when a question by subject, or to the posting table, is answered with less or more than the entries say.
    func followersDiffer(_ disk: FaultyDisk, _ truth: ImageTruth) -> Bool {
        do {
            let store = try EntryStore(path: file, .init(.readOnly, vfs: disk.name), kept: DiskFiles(disk))
            for ref in Set(truth.entries.map(\.ref)) where !ref.isEmpty {
                guard try finds(ref, store, truth.entries) else { return true }
            }
            let through = try store.postedThrough()
            for (seq, lines) in truth.postings where seq <= through {
                guard try store.postings(of: seq) == lines else { return true }
            }
            return false
        } catch { return true }
    }
}

/// The edge: journal, segments, snapshots, head mark and ballast.
struct EdgeImages: ImageSubject {
    var synchronous = Database.Options.Synchronous.full
    /// Two short runs instead of two or three long ones.
    var isShort = false
    let file = "ledger.db"
    private static let reserveBytes = 24 << 10

    /// A few turns fill a segment.
    private static let segmentRows: UInt64 = 16

    private func store(_ disk: FaultyDisk) throws(StoreError) -> EntryStore {
        try EntryStore(
            path: file, .init(.create, synchronous: synchronous, vfs: disk.name), kept: DiskFiles(disk), segmentRows: EdgeImages.segmentRows)
    }
    private func recover(_ disk: FaultyDisk) throws -> Recovered {
        try FastStart.open(try store(disk), edge: ImageWriter.edge, files: DiskFiles(disk), release: ImageWriter.release)
    }

    func work(on disk: FaultyDisk, _ trace: DiskTrace, _ truth: inout ImageTruth, _ chance: inout SeededRandom) throws {
        for run in 1...chance.int(isShort ? 2...2 : 2...3) {
            try live(UInt64(run), disk, trace, &truth, &chance)
            // An orderly end copies the log into the file and deletes it; a killed process leaves all as it is.
            disk.crash(.everything)
        }
    }

    private func live(_ run: UInt64, _ disk: FaultyDisk, _ trace: DiskTrace, _ truth: inout ImageTruth, _ chance: inout SeededRandom) throws {
        let store = try store(disk), mark = DiskMark(disk), reserve = SimulatedReserve(disk, bytes: EdgeImages.reserveBytes)
        var journal: Journal? = try Journal(store: store, edge: ImageWriter.edge)
        var writer = ImageWriter(run: run, after: truth.entries, seed: chance.next())
        func commit(_ entries: [Entry]) throws {
            truth.offer(entries)
            trace.promise.offered = truth.entries.count
            _ = try journal?.commit(entries)
            trace.promise.acknowledged = truth.entries.count
        }
        func sign() throws {
            let entry = try writer.checkpoint()
            try commit([entry])
            try mark.write(HeadMark(edge: ImageWriter.edge, epoch: 1, head: entry.head, writtenAt: entry.wall).bytes)
            trace.promise.marked = entry.seq.raw
        }
        func snapshot() throws {
            guard let fact = try EdgeImages.keep(writer, signer: journal?.signer, DiskFiles(disk)) else { return }
            try commit([try writer.snapshot(fact)])
            trace.promise.snapshot = fact.seq.raw
            try EdgeImages.removeOldSnapshots(DiskFiles(disk))
        }
        _ = reserve.take()
        try commit([try writer.boot()])
        for _ in 0..<chance.int(isShort ? 3...4 : 6...12) {
            try commit(try writer.turn())
            if chance.chance(1, in: 4) { try sign() }
            if chance.chance(1, in: 5) { try snapshot() }
            if chance.chance(1, in: 3) {
                // Mostly not to the end: commits, copies of the log and deaths come in between.
                while try store.indexSubjects(limit: 64) > 0 {}
                for _ in 0..<chance.int(1...14) {
                    _ = try store.compactStep(through: UInt64(truth.entries.count), olderThan: .max) { (try? Entry($0)) != nil }
                }
            }
            if chance.chance(1, in: 5) { _ = try store.indexSubjects(limit: chance.int(1...40)) }
            if chance.chance(1, in: 6) { try store.checkpoint() }
            if chance.chance(1, in: 7) { try journal?.noteAcknowledged(Seq(UInt64(truth.entries.count))) }
            if chance.chance(1, in: 9) { if reserve.isHeld { reserve.release() } else { _ = reserve.take() } }
        }
        guard chance.chance(1, in: 2) else {
            // Dead connections write nothing when they are closed.
            disk.crash(.everything)
            return
        }
        try commit([try writer.shutdown()])
        try sign()
        journal = nil
    }

    /// A snapshot's file as the running edge makes it, one piece after the other; nil when there is nothing new.
    private static func keep(_ writer: ImageWriter, signer: [UInt8]?, _ files: DiskFiles) throws -> SnapshotFact? {
        let name = SnapshotFile.name(writer.book.head.seq), beside = writer.milestones.packed
        guard try files.names().contains(name) == false else { return nil }
        let header = SnapshotHeader(edge: ImageWriter.edge, release: ImageWriter.release, head: writer.book.head, signer: signer)
        var builder = SnapshotBuilder(header, writer.book, beside: beside)
        let file = try files.begin(name)
        while let bytes = builder.nextBytes() {
            try file.append(bytes)
            try file.syncNow()
        }
        try file.finishNow()
        return SnapshotFact(
            seq: writer.book.head.seq, book: writer.book.digest(), milestones: Hashing.blake2b(beside), file: name, bytes: Int64(builder.byteCount),
            hash: builder.hash ?? [])
    }

    /// The last two are kept.
    private static func removeOldSnapshots(_ files: DiskFiles) throws {
        for name in try files.names().filter({ SnapshotFile.seq(of: $0) != nil }).dropLast(2) { try files.remove(name) }
    }

    func look(_ disk: FaultyDisk, _ promise: DiskPromise, _ truth: ImageTruth, goesOn: Bool) -> ImageFinding {
        var finding = ImageFinding()
        do {
            var found: [Entry] = []
            let journal: Journal
            do {
                let recovered = try recover(disk)
                journal = recovered.journal
                // Whatever was started from: every entry is read again, in the table or in a segment, and checked from the first.
                found = try readAll(journal)
                if !truth.isBook(recovered.book.digest(), after: recovered.book.head.seq) {
                    finding.problems.append("the start's book is not what the entries up to \(recovered.book.head.seq) add up to")
                }
                compare(found, promise, truth, into: &finding)
                if let kept = promise.snapshot, finding.lost == 0, recovered.snapshot == nil {
                    finding.problems.append("no snapshot to start from, one at entry \(kept) was counted: \(recovered.remarks)")
                }
                let reader = try EntryStore(path: file, .init(.readOnly, vfs: disk.name), kept: DiskFiles(disk))
                try compareFollowers(reader, found, truth, into: &finding)
            }
            try compareMark(disk, journal, promise, into: &finding)
            guard goesOn else { return finding }
            var writer = ImageWriter(run: 99, after: found, seed: UInt64(found.count))
            found.append(try writer.boot())
            _ = try journal.commit([found[found.count - 1]])
            disk.crash(.nothing)
            compare(found, after: try again(disk), into: &finding)
        } catch { finding.refusal = "\(error)" }
        return finding
    }

    /// Every entry up to the head, the chain checked on the way.
    private func readAll(_ journal: Journal) throws -> [Entry] {
        var verifier = ChainVerifier(edge: ImageWriter.edge)
        var found: [Entry] = []
        while verifier.head.seq < journal.head.seq {
            for entry in try journal.read(from: verifier.head.seq.next, limit: 1_000) {
                try verifier.accept(entry)
                found.append(entry)
            }
        }
        return found
    }

    func start(_ disk: FaultyDisk) -> ImageStart {
        var start = ImageStart()
        do {
            let recovered = try recover(disk)
            let journal = recovered.journal
            start.book = (recovered.book.head.seq, recovered.book.digest())
            start.passesOverSnapshot = !recovered.remarks.isEmpty
            // One by one: what cannot be read hides nothing else.
            for seq in Seq(1).raw..<journal.head.seq.raw + 1 {
                if let entry = try? journal.read(from: Seq(seq), limit: 1).first, entry.seq == Seq(seq) {
                    start.folded.append(entry)
                } else {
                    start.unreadable.insert(seq)
                }
            }
            switch try MarkFinding.compare(DiskMark(disk).read(), with: journal) {
            case .agrees: break
            case .missing, .unreadable: start.missesItsMark = true
            case .rolledBack: start.knowsItsEndIsGone = true
            }
        } catch { start.refusal = "\(error)" }
        return start
    }

    func audit(_ disk: FaultyDisk, witness: Entry?) -> String? {
        do {
            return try LedgerAudit.verify(path: file, edge: ImageWriter.edge, witness: witness?.head, vfs: disk.name, kept: DiskFiles(disk))
                .difference
        } catch { return "\(error)" }
    }

    /// The fold of every entry, whatever snapshots there are.
    private func again(_ disk: FaultyDisk) throws -> [Entry] {
        var found: [Entry] = []
        _ = try Journal(store: try store(disk), edge: ImageWriter.edge) { found.append($0) }
        return found
    }

    private func compareMark(_ disk: FaultyDisk, _ journal: Journal, _ promise: DiskPromise, into finding: inout ImageFinding) throws {
        let bytes = DiskMark(disk).read()
        switch try MarkFinding.compare(bytes, with: journal) {
        case .agrees:
            let seq = bytes.flatMap { HeadMark($0) }?.head.seq.raw
            if let marked = promise.marked, seq ?? 0 < marked { finding.problems.append("the mark names \(seq ?? 0), \(marked) was marked") }
        case .missing: if promise.marked != nil { finding.problems.append("the mark is gone") }
        case .unreadable: finding.problems.append("half a mark")
        // Entries lost to a disk that was not made to sync are found out here, as they must be.
        case .rolledBack: if finding.lost == 0 { finding.problems.append("called rolled back, and nothing is lost") }
        }
    }
}

/// The cloud: the ledger file of one edge, taken in by batches.
struct CloudImages: ImageSubject {
    var synchronous = Database.Options.Synchronous.full
    /// Two short runs instead of two or three long ones.
    var isShort = false
    private static let folder = "edges"
    var file: String { EdgeLedgers.path(folder: CloudImages.folder, ImageWriter.edge) }

    func start(_ disk: FaultyDisk) -> ImageStart {
        var start = ImageStart()
        do { try EdgeLedgers(folder: CloudImages.folder, vfs: disk.name).open(ImageWriter.edge) { start.folded.append($0) } } catch {
            start.refusal = "\(error)"
        }
        return start
    }

    /// What `tidewire-cloud ledger verify` does with one file.
    func audit(_ disk: FaultyDisk, witness: Entry?) -> String? {
        var verifier = LedgerVerifier(edge: ImageWriter.edge)
        do {
            let store = try EntryStore(path: file, .init(.readOnly, vfs: disk.name))
            var books = BookCheck(postedThrough: try store.postedThrough())
            try store.each { row throws(DatabaseError) in
                guard let entry = verifier.accept(row) else { return false }
                for problem in try books.check(entry, table: { seq throws(DatabaseError) in try store.lines(of: seq) }) { verifier.note(problem) }
                return true
            }
            for problem in books.finish(found: try store.postingCount(through: books.postedThrough)) { verifier.note(problem) }
            for line in try store.structuralDamage(limit: 3) { verifier.note(line) }
            for seq in try store.subjectDamage(limit: 1) { verifier.note("the index is wrong about entry \(seq)") }
        } catch { verifier.note("\(error)") }
        if let witness, verifier.head.seq < witness.seq { verifier.note("the edge's own head is beyond it") }
        return verifier.difference
    }

    func work(on disk: FaultyDisk, _ trace: DiskTrace, _ truth: inout ImageTruth, _ chance: inout SeededRandom) throws {
        for run in 1...chance.int(isShort ? 2...2 : 2...3) {
            try live(UInt64(run), disk, trace, &truth, &chance)
            disk.crash(.everything)
        }
    }

    private func live(_ run: UInt64, _ disk: FaultyDisk, _ trace: DiskTrace, _ truth: inout ImageTruth, _ chance: inout SeededRandom) throws {
        var file: EntryStore?
        let ledgers = EdgeLedgers(folder: CloudImages.folder, vfs: disk.name) { store in
            file = store
            return store
        }
        if synchronous == .full {
            try ledgers.open(ImageWriter.edge) { _ in }
        } else {
            file = try EntryStore(
                path: self.file, .init(.create, synchronous: synchronous, vfs: disk.name))
        }
        var writer = ImageWriter(run: run, after: truth.entries, seed: chance.next())
        var batch = [try writer.boot()]
        for _ in 0..<chance.int(isShort ? 3...4 : 5...9) {
            for _ in 0..<chance.int(1...6) { batch += try writer.turn() }
            if chance.chance(1, in: 3) { batch.append(try writer.checkpoint()) }
            truth.offer(batch)
            trace.promise.offered = truth.entries.count
            // The control goes past the door that knows only one way to sync.
            if synchronous == .full { try ledgers.append(ImageWriter.edge, batch) } else { try file?.append(batch.map(\.row)) }
            trace.promise.acknowledged = truth.entries.count
            batch = []
            if chance.chance(1, in: 2) { _ = try file?.indexSubjects(limit: chance.int(1...60)) }
            if chance.chance(1, in: 4) { try file?.checkpoint() }
        }
        if chance.chance(1, in: 2) { disk.crash(.everything) }
    }

    func look(_ disk: FaultyDisk, _ promise: DiskPromise, _ truth: ImageTruth, goesOn: Bool) -> ImageFinding {
        var finding = ImageFinding()
        do {
            var file: EntryStore?
            let ledgers = EdgeLedgers(folder: CloudImages.folder, vfs: disk.name) { store in
                file = store
                return store
            }
            var found: [Entry] = []
            try ledgers.open(ImageWriter.edge) { found.append($0) }
            compare(found, promise, truth, into: &finding)
            if let file { try compareFollowers(file, found, truth, into: &finding) }
            guard goesOn else { return finding }
            // The edge sends on from the head that it is told; here all the rest at once.
            let rest = truth.entries.count > found.count ? Array(truth.entries[found.count...]) : []
            try ledgers.append(ImageWriter.edge, rest)
            disk.crash(.nothing)
            var again: [Entry] = []
            try EdgeLedgers(folder: CloudImages.folder, vfs: disk.name).open(ImageWriter.edge) { again.append($0) }
            compare(found + rest, after: again, into: &finding)
        } catch { finding.refusal = "\(error)" }
        return finding
    }
}
