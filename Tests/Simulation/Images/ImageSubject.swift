// Whose disk is imaged: the edge with journal, mark and reserve, or the cloud with one edge's ledger. How each works, and what must hold of an image.
internal import CloudNode
internal import EdgeAgent
internal import Ledger
internal import Platform
internal import Values
internal import Wire

/// Which program's files.
package enum ImageSide: String, CaseIterable, Sendable { case edge, cloud }

/// What a finished piece of work left to compare with.
struct ImageTruth {
    /// Every entry that was offered to the store, in order.
    var entries: [Entry] = []
    /// The lines that bodies list, by entry; read by the second reader of postings, not by the store's SQL.
    var postings: [UInt64: [PostingRow]] = [:]

    mutating func offer(_ more: [Entry]) {
        entries += more
        for entry in more {
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
    /// Some runs of the program on a traced disk; promises go into the trace.
    mutating func work(on disk: FaultyDisk, _ trace: DiskTrace, _ chance: inout SeededRandom) throws -> ImageTruth
    /// The production start on an image, compared with what was promised.
    /// - Parameter goesOn: also write more, start once more, and look again.
    func look(_ disk: FaultyDisk, _ promise: DiskPromise, _ truth: ImageTruth, goesOn: Bool) -> ImageFinding
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
        guard let subject = found.last(where: { !$0.ref.isEmpty }) else { return }
        let about = try store.entries(ref: subject.ref, limit: .max).map(\.seq)
        if about != found.filter({ $0.ref == subject.ref }).map(\.seq.raw) { finding.problems.append("the index of subjects differs") }
    }
}

/// The edge: journal, head mark and ballast.
struct EdgeImages: ImageSubject {
    var synchronous = Database.Options.Synchronous.full
    private static let path = "ledger.db"
    private static let reserveBytes = 24 << 10

    private func store(_ disk: FaultyDisk) throws(StoreError) -> EntryStore {
        try EntryStore(path: EdgeImages.path, .init(.create, synchronous: synchronous, vfs: disk.name))
    }

    func work(on disk: FaultyDisk, _ trace: DiskTrace, _ chance: inout SeededRandom) throws -> ImageTruth {
        var truth = ImageTruth()
        for run in 1...chance.int(2...3) {
            try live(UInt64(run), disk, trace, &truth, &chance)
            // An orderly end copies the log into the file and deletes it; a killed process leaves all as it is.
            disk.crash(.everything)
        }
        return truth
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
        _ = reserve.take()
        try commit([try writer.boot()])
        for _ in 0..<chance.int(6...12) {
            try commit(try writer.turn())
            if chance.chance(1, in: 4) { try sign() }
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

    func look(_ disk: FaultyDisk, _ promise: DiskPromise, _ truth: ImageTruth, goesOn: Bool) -> ImageFinding {
        var finding = ImageFinding()
        do {
            let store = try store(disk)
            var found: [Entry] = []
            let journal = try Journal(store: store, edge: ImageWriter.edge) { found.append($0) }
            compare(found, promise, truth, into: &finding)
            try compareFollowers(store, found, truth, into: &finding)
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
    private static let folder = "edges"

    func work(on disk: FaultyDisk, _ trace: DiskTrace, _ chance: inout SeededRandom) throws -> ImageTruth {
        var truth = ImageTruth()
        for run in 1...chance.int(2...3) {
            try live(UInt64(run), disk, trace, &truth, &chance)
            disk.crash(.everything)
        }
        return truth
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
                path: EdgeLedgers.path(folder: CloudImages.folder, ImageWriter.edge), .init(.create, synchronous: synchronous, vfs: disk.name))
        }
        var writer = ImageWriter(run: run, after: truth.entries, seed: chance.next())
        var batch = [try writer.boot()]
        for _ in 0..<chance.int(5...9) {
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
