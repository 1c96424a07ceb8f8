// Old entries in segment files: every reader finds them, no moment of a move loses one, and a file that is not as it was written is noticed.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Values
import Wire

@Suite struct SegmentTests {
    private static let moving = Segment.rows

    /// A ledger of this many entries on a disk, indexed, its last part younger than 30 days.
    static func ledger(_ disk: FaultyDisk, _ count: Int) throws -> [Entry] {
        let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name), kept: DiskFiles(disk))
        let journal = try Journal(store: store, edge: LedgerWriter.edge)
        var writer = LedgerWriter(boot: 5, after: nil)
        var entries = [try writer.entry(LedgerWriter.bootFact)]
        for number in 1..<count {
            let fact = Fact.instrumentHalt(instrument: InstrumentID("I\(number % 50)"), halted: number % 3 == 0, reason: "entry \(number)")
            entries.append(number % 10 == 0 ? try writer.intent(Int64(number)) : try writer.entry(fact))
        }
        _ = try journal.commit(entries)
        while try store.indexSubjects(limit: 4_096) > 0 {}
        return entries
    }
    static func store(_ disk: FaultyDisk, _ access: Database.Options.Access = .readWrite) throws -> EntryStore {
        try EntryStore(path: "ledger.db", .init(access, vfs: disk.name), kept: DiskFiles(disk))
    }
    private static let future = Int64.max

    @Test func rowsComeBackOutOfAFileAndEveryFlippedByteIsNoticed() throws {
        var writer = LedgerWriter(boot: 5, after: nil)
        var rows = [try writer.entry(LedgerWriter.bootFact).row]
        for number in 1..<40 {
            rows.append(try number % 4 == 0 ? writer.intent(Int64(number)).row : writer.entry(.shutdown(reason: "r\(number)")).row)
        }
        rows[3].ref = []
        var builder = SegmentBuilder()
        for start in stride(from: 0, to: rows.count, by: 7) { builder.append(Array(rows[start...].prefix(7))) }
        let bytes = builder.finished()
        #expect(try Segment.decode(bytes) == rows && Segment.decode(Segment.encode(rows)) == rows)
        var reader = try SegmentReader(bytes)
        #expect(try reader.first == 1 && reader.count == rows.count && reader.next() == Array(rows.prefix(7)))
        for place in bytes.indices {
            var spoilt = bytes
            spoilt[place] ^= 1 << UInt8(place % 8)
            #expect(throws: SegmentError.self, "byte \(place)") { try Segment.decode(spoilt) }
        }
        for length in stride(from: 0, to: bytes.count, by: 5) {
            #expect(throws: SegmentError.self) { try Segment.decode(Array(bytes.prefix(length))) }
        }
    }

    @Test func everyReaderFindsWhatHasMoved() throws {
        let disk = FaultyDisk(seed: 3)
        let entries = try Self.ledger(disk, 2 * Int(Self.moving) + 500)
        let intent = entries[10], rows = entries.map(\.row)
        do {
            let store = try Self.store(disk)
            let before = store.head
            #expect(try store.compact(through: Self.moving - 1, olderThan: Self.future) == nil, "a segment is whole or not at all")
            #expect(try store.compact(through: .max, olderThan: entries[100].wall.nanoseconds) == nil, "it holds younger entries")
            let first = try #require(try store.compact(through: .max, olderThan: Self.future))
            #expect(first.from == 1 && first.to == Self.moving && store.anchor == LogHead(seq: first.to, hash: entries[Int(first.to) - 1].hash))
            #expect(try store.compact(through: .max, olderThan: Self.future)?.to == 2 * Self.moving)
            #expect(try store.compact(through: .max, olderThan: Self.future) == nil && store.head == before)
            #expect(throws: StoreError.self) { try store.cut(after: 100) }
        }
        for access in [Database.Options.Access.readOnly, .readWrite] {
            let store = try Self.store(disk, access)
            var walked: [EntryRow] = []
            try store.each { row in
                walked.append(row); return true
            }
            let count = try store.count()
            #expect(walked == rows && count == rows.count)
            for seq in [1, 2, Self.moving, Self.moving + 1, 2 * Self.moving, 2 * Self.moving + 1, UInt64(rows.count)] {
                #expect(try store.read(from: seq, limit: 3) == Array(rows[(Int(seq) - 1)...].prefix(3)))
            }
            #expect(try store.read(from: Self.moving - 5, limit: 10).map(\.seq) == Array(Self.moving - 5...Self.moving + 4))
            #expect(try store.entries(ref: intent.ref, limit: 9) == [intent.row])
            let young = entries[entries.count - 1 - (entries.count - 1) % 10]
            #expect(try store.entries(ref: young.ref, limit: 9) == [young.row])
            let kinds = [Kind.intent.rawValue, Kind.boot.rawValue]
            let fitting = rows.filter { kinds.contains($0.kind) }
            for limit in [1, 500, 5_000] {
                #expect(try store.read(kinds: kinds, from: 1, below: .max, newestFirst: false, limit: limit) == Array(fitting.prefix(limit)))
                #expect(
                    try store.read(kinds: kinds, from: 1, below: .max, newestFirst: true, limit: limit) == Array(fitting.reversed().prefix(limit)))
            }
            #expect(try store.storedRows(from: Self.moving, through: Self.moving + 1) == Array(rows[Int(Self.moving) - 1...Int(Self.moving)]))
        }
        // The check, the proof, the raw bytes, the fold, and the start go through the files too.
        let files = DiskFiles(disk)
        let finding = try LedgerAudit.verify(path: "ledger.db", vfs: disk.name, kept: files)
        #expect(finding.difference == nil && finding.count == UInt64(rows.count))
        #expect(try LedgerAudit.rawBytes(path: "ledger.db", seq: Seq(7), vfs: disk.name, kept: files)?.hash == rows[6].hash)
        #expect(try LedgerAudit.rebuild(path: "ledger.db", vfs: disk.name, kept: files).difference == nil)
        #expect(try LedgerAudit.prove(path: "ledger.db", seq: Seq(7), vfs: disk.name, kept: files)?.path.count == rows.count - 6)
        let journal = try Journal(store: try Self.store(disk), edge: LedgerWriter.edge)
        var writer = LedgerWriter(boot: 6, after: journal.last)
        _ = try journal.commit([try writer.entry(LedgerWriter.bootFact)])
        #expect(try journal.read(from: Seq(3), limit: 2).map(\.seq) == [Seq(3), Seq(4)])
    }

    /// A segment that rots or goes: told by its range, never read as if it were right; what is in the table is read and written on.
    @Test func aSpoiltSegmentIsNoticedAndNothingElseIsLost() throws {
        let disk = FaultyDisk(seed: 3)
        let entries = try Self.ledger(disk, Int(Self.moving) + 200)
        do { _ = try #require(try Self.store(disk).compact(through: .max, olderThan: Self.future)) }
        let name = try #require(disk.names.first { $0.hasSuffix(".seg") })
        let length = try #require(disk.bytes(of: name)?.count)
        func look(_ words: String) throws {
            let store = try Self.store(disk)
            #expect {
                try store.read(from: 5, limit: 1)
            } throws: { error in
                guard case .missing(from: 1, to: Self.moving, let told) = error as? StoreError else { return false }
                return told.contains(words)
            }
            let young = try store.read(from: Self.moving + 1, limit: 2)
            #expect(store.failure == nil && young.count == 2)
            #expect(try LedgerAudit.verify(path: "ledger.db", vfs: disk.name, kept: DiskFiles(disk)).difference?.contains(words) == true)
        }
        for place in [0, 17, length / 2, length - 90, length - 1] {
            disk.flip(bit: 2, at: place, of: name)
            try look("is damaged")
            disk.flip(bit: 2, at: place, of: name)
        }
        try disk.remove(name)
        try look("is gone")
        #expect(entries.count == Int(Self.moving) + 200)
    }

    /// The process died between two pieces, and then the file went: what had not left the table is no part of the hole.
    @Test func aLostFileTakesNothingThatIsStillInTheTable() throws {
        let disk = FaultyDisk(seed: 3)
        let rows = try Self.ledger(disk, Int(Self.moving) + 50).map(\.row)
        do {
            let store = try Self.store(disk)
            while store.anchor.seq == 0 { _ = try store.compactStep(through: .max, olderThan: Self.future) { _ in true } }
        }
        let store = try Self.store(disk), anchor = store.anchor.seq
        #expect(anchor > 0 && anchor < Self.moving)
        try disk.remove(try #require(disk.names.first { $0.hasSuffix(".seg") }))
        #expect {
            try store.read(from: 5, limit: 1)
        } throws: { error in
            if case .missing(from: 1, to: anchor, _) = error as? StoreError { true } else { false }
        }
        #expect(try store.read(from: anchor + 1, limit: 2) == Array(rows[Int(anchor)...].prefix(2)))
    }

    /// The power is cut after every mutation of a move: each entry is in the table or in a file that was read back, whatever the medium kept.
    @Test(arguments: [CrashMode.nothing, .everything, .anySubset, .prefix]) func noMomentOfAMoveLosesAnEntry(mode: CrashMode) throws {
        let origin = FaultyDisk(seed: 4)
        let rows = try Self.ledger(origin, Int(Self.moving) + 50).map(\.row)
        var ends = (before: 0, between: 0, after: 0, whole: 0)
        for step in 0..<3_000 where ends.whole == 0 {
            let disk = FaultyDisk(seed: UInt64(step))
            disk.copy(origin)
            do {
                let store = try Self.store(disk)
                // A few of the many pages that one transaction writes are as good as all: the journal's own tests meet each.
                disk.freezeAt = disk.mutations + (step < 12 ? step : 12 + (step - 12) * 40 + mode.rawValue * 10)
                if (try? store.compact(through: .max, olderThan: Self.future)) != nil { ends.whole += 1 }
            }
            disk.crash(mode)
            let store = try Self.store(disk)
            var walked: [EntryRow] = []
            try store.each { row in
                walked.append(row); return true
            }
            #expect(walked == rows, "\(mode) \(step)")
            switch store.anchor.seq {
            case 0: ends.before += 1
            case Self.moving: ends.after += 1
            default: ends.between += 1
            }
            // The next try ends well.
            if store.anchor.seq < Self.moving {
                let next = try store.compact(through: .max, olderThan: Self.future)
                #expect(next?.to == Self.moving && store.anchor.seq == Self.moving)
            }
        }
        #expect(ends.whole == 1 && ends.before > 5 && ends.between > 1 && ends.after >= 1, "\(ends)")
    }

    /// Beside a writer that moves entries: whoever reads, and whenever his answer is half given, finds each of them once.
    @Test func aReaderFindsEveryEntryWhileTheyMove() throws {
        let disk = FaultyDisk(seed: 3)
        let entries = try Self.ledger(disk, 2 * Int(Self.moving) + 50)
        let rows = entries.map(\.row), intents = rows.filter { $0.kind == Kind.intent.rawValue }
        let store = try Self.store(disk), reader = try Self.store(disk, .readOnly)
        var steps = 0, during = 0
        func step() throws -> Bool {
            steps += 1
            return try store.compactStep(through: .max, olderThan: Self.future) { _ in true } != .nothing
        }
        while try step() {
            #expect(try reader.count() == rows.count)
            #expect(try reader.read(kinds: [Kind.intent.rawValue], from: 1, below: .max, newestFirst: false, limit: 900) == intents)
            #expect(try reader.read(kinds: [Kind.intent.rawValue], from: 1, below: .max, newestFirst: true, limit: 5) == intents.suffix(5).reversed())
            #expect(try reader.entries(ref: entries[10].ref, limit: 9) == [rows[10]] && store.entries(ref: entries[10].ref, limit: 9) == [rows[10]])
            let low = max(1, store.anchor.seq) - 1
            #expect(try reader.read(from: low + 1, limit: 4) == Array(rows[Int(low)...].prefix(4)))
            #expect(try store.storedRows(from: low + 1, through: low + 4) == Array(rows[Int(low)...].prefix(4)))
            guard store.anchor.seq >= Self.moving, during == 0 else { continue }
            // The walk is inside the first file when the second segment leaves the table.
            var walked: [EntryRow] = []
            try reader.each { row in
                if row.seq == 100 { while (try? step()) == true { during += 1 } }
                walked.append(row)
                return true
            }
            #expect(walked == rows)
        }
        #expect(store.anchor.seq == 2 * Self.moving && steps > 20 && during > 8)
    }

    /// A cut or a mend in the middle of a move: what was gathered is let go, and nothing of it comes back.
    @Test func aMendOrACutInTheMiddleOfAMoveEndsIt() throws {
        let origin = FaultyDisk(seed: 3)
        let entries = try Self.ledger(origin, Int(Self.moving) + 50)
        for step in stride(from: 1, to: 24, by: 4) {
            let disk = FaultyDisk(seed: 3)
            disk.copy(origin)
            let store = try Self.store(disk)
            for _ in 0..<step { _ = try store.compactStep(through: .max, olderThan: Self.future) { _ in true } }
            let end = max(store.anchor.seq, 4_000)
            if end < Self.moving {
                try store.mend(entries[4_050].row, note: "test")
                try store.cut(after: end)
                #expect(try store.compact(through: .max, olderThan: Self.future) == nil && store.head.seq == end)
            }
            var walked: [EntryRow] = []
            try store.each { row in
                walked.append(row); return true
            }
            #expect(walked == entries.prefix(walked.count).map(\.row) && walked.count >= Int(end), "\(step)")
        }
    }

    /// A damaged row of the index may name what no log has.
    @Test func aRowOfTheIndexThatNamesNothingIsPassedOver() throws {
        let disk = FaultyDisk(seed: 3)
        let entries = try Self.ledger(disk, Int(Self.moving) + 50)
        do { #expect(try Self.store(disk).compact(through: .max, olderThan: Self.future)?.to == Self.moving) }
        let ref = entries[10].ref
        for seq in [0, -3] {
            try Database(path: "ledger.db", .init(.readWrite, vfs: disk.name)).run("INSERT INTO subject VALUES (x'\(Hex.text(ref))', \(seq))")
        }
        #expect(try Self.store(disk).entries(ref: ref, limit: 9) == [entries[10].row])
    }

    /// A process died between the file and the last of its rows, and the log was cut behind those that had left: what came instead moves too.
    @Test func aCutBehindAHalfMovedSegmentEndsNoMove() throws {
        let disk = FaultyDisk(seed: 3)
        let entries = try Self.ledger(disk, Int(Self.moving) + 50)
        do {
            let store = try Self.store(disk)
            while store.anchor.seq == 0 { _ = try store.compactStep(through: .max, olderThan: Self.future) { _ in true } }
            #expect(store.anchor.seq < 2_000)
        }
        do { try Self.store(disk).cut(after: 2_000) }
        var writer = LedgerWriter(boot: 6, after: entries[1_999])
        var other = [try writer.entry(LedgerWriter.bootFact)]
        for number in 0..<2_200 { other.append(try writer.entry(.shutdown(reason: "another \(number)"))) }
        do { _ = try Journal(store: try Self.store(disk), edge: LedgerWriter.edge).commit(other) }
        let rows = (entries.prefix(2_000) + other).map(\.row)
        for isMoving in [true, false] {
            let store = try Self.store(disk)
            while try store.indexSubjects(limit: 4_096) > 0 {}
            if isMoving { #expect(try store.compact(through: .max, olderThan: Self.future)?.to == Self.moving) }
            var walked: [EntryRow] = []
            try store.each { row in
                walked.append(row); return true
            }
            #expect(walked == rows && store.anchor.seq == Self.moving)
        }
    }

    /// What does not hash into the chain is not put into a file.
    @Test func aDamagedRowIsNotMoved() throws {
        let disk = FaultyDisk(seed: 3)
        _ = try Self.ledger(disk, Int(Self.moving) + 50)
        let store = try Self.store(disk)
        #expect(throws: StoreError.self) { try store.compact(through: .max, olderThan: Self.future) { $0.seq != 77 } }
        #expect(store.failure == nil && store.anchor.seq == 0 && disk.names.allSatisfy { !$0.contains(".seg") })
    }

    /// Every bound holds: without the cloud's word, its backup, a verified snapshot, or age, nothing moves.
    @Test func nothingMovesBeforeEverybodyHasIt() throws {
        let disk = FaultyDisk(seed: 6)
        let files = DiskFiles(disk)
        let count = Int(Self.moving) * 2 + 300
        let entries = try Self.ledger(disk, count)
        let now = entries[0].wall + .hours(24 * 40)
        var book = Book(edge: LedgerWriter.edge)
        for entry in entries { book.apply(entry) }
        func run(days: Int = 30, isDry: Bool = false) throws -> LedgerCompaction.Report {
            try LedgerCompaction.run(try Self.store(disk), edge: LedgerWriter.edge, files: files, days: days, at: now, isDry: isDry)
        }
        func meta(_ key: String, _ text: String) throws { try Self.store(disk).setMeta(key, text) }
        #expect(try run().moved == [])
        try meta("acked", "999999")
        #expect(try run().moved == [], "no backup")
        try meta("backup_watermark", "999999")
        #expect(try run().moved == [], "no snapshot")
        // The snapshot and its entry.
        var builder = SnapshotBuilder(
            SnapshotHeader(edge: LedgerWriter.edge, release: "r", head: book.head, signer: nil), book, beside: [1])
        var bytes: [UInt8] = []
        while let more = builder.nextBytes() { bytes += more }
        let name = SnapshotFile.name(book.head.seq)
        #expect(disk.replace(name, bytes) == nil)
        do {
            let journal = try Journal(store: try Self.store(disk), edge: LedgerWriter.edge)
            var writer = LedgerWriter(boot: 6, after: journal.last)
            let fact = SnapshotFact(
                seq: book.head.seq, book: book.digest(), milestones: Hashing.blake2b([1]), file: name, bytes: Int64(bytes.count),
                hash: builder.hash ?? [])
            _ = try journal.commit([try writer.entry(LedgerWriter.bootFact), try writer.entry(.snapshot(fact))])
        }
        do { let store = try Self.store(disk); while try store.indexSubjects(limit: 4_096) > 0 {} }
        disk.flip(bit: 1, at: 40, of: name)
        #expect(try run().moved == [], "a damaged snapshot counts for nothing")
        disk.flip(bit: 1, at: 40, of: name)
        #expect(try run(days: 60).moved == [], "too young")
        for (key, low) in [("acked", UInt64(5_000)), ("backup_watermark", 5_000)] {
            try meta(key, String(low))
            #expect(try run(isDry: true).moved.map(\.to) == [Self.moving], "\(key)")
            try meta(key, "999999")
        }
        #expect(try run(isDry: true).moved.map(\.to) == [Self.moving, 2 * Self.moving] && disk.names.allSatisfy { !$0.hasSuffix(".seg") })
        #expect(try run().moved.map(\.to) == [Self.moving, 2 * Self.moving])
        #expect(try LedgerAudit.verify(path: "ledger.db", vfs: disk.name, kept: files).difference == nil)
        #expect(try run().moved == [])
    }
}
