// Snapshots under the running edge and the start from them: after power cuts at every operation, damage, rollbacks and cuts of the ledger.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Trading
import Values
import Views
import Wire

@Suite struct FastStartTests {
    /// A day in small: trades, and a halt raised and lowered until a snapshot has been due a few times; the loop is idle in between.
    private func live(_ rig: DiskRig, halts: Int) throws {
        try rig.settle(seconds: 3)
        try rig.buy(2, trailing: .percent(Ratio(raw: 100_000)))
        try rig.settle(seconds: 1)
        try toggle(rig, halts)
        try rig.settle(seconds: 1)
    }
    private func toggle(_ rig: DiskRig, _ halts: Int) throws {
        for number in 0..<halts {
            rig.now = rig.now + .milliseconds(30)
            try rig.turn(number % 2 == 0 ? [.desk(.halt(source: "file", reason: "x"))] : [.desk(.resume(reason: "y"))])
            try idle(rig, 3)
        }
    }
    private func idle(_ rig: DiskRig, _ turns: Int) throws {
        for _ in 0..<turns {
            rig.now = rig.now + .milliseconds(30)
            _ = try rig.agent?.idle(at: rig.clock)
        }
    }
    private func snapshots(_ rig: DiskRig) -> [String] { rig.disk.names.filter { SnapshotFile.seq(of: $0) != nil } }

    /// The fold of every entry, from the first.
    private func folded(_ disk: FaultyDisk) throws -> Book {
        var book = Book(edge: LedgerWriter.edge)
        _ = try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: disk.name) { book.apply($0) }
        return book
    }
    /// Ends the process, looks at the ledger from outside, and starts again.
    private func restart(_ rig: DiskRig, _ mode: CrashMode = .everything) throws {
        rig.crash(mode)
        rig.now = rig.now + .seconds(1)
        let book = try folded(rig.disk)
        try rig.start()
        #expect(rig.recovered?.book.digest() == book.digest() && rig.recovered?.book.head == book.head)
    }

    /// However few entries a day has, its book is in a file at the end of it.
    @Test func aQuietDayHasItsSnapshot() throws {
        let rig = DiskRig(snapshotsEvery: 1_000)
        try rig.start()
        try live(rig, halts: 4)
        rig.now = rig.now + .hours(23)
        try idle(rig, 100)
        #expect(snapshots(rig).isEmpty)
        rig.now = rig.now + .hours(1)
        try idle(rig, 100)
        #expect(snapshots(rig).count == 1)
    }

    @Test func theNewestSnapshotThatTheLedgerSpeaksOfIsStartedFrom() throws {
        let rig = DiskRig(snapshotsEvery: 40)
        try rig.start()
        try live(rig, halts: 200)
        #expect(snapshots(rig).count == 2, "the last two are kept: \(rig.disk.names)")
        let newest = try #require(snapshots(rig).last.flatMap { SnapshotFile.seq(of: $0) })
        try restart(rig)
        let recovered = try #require(rig.recovered)
        #expect(recovered.snapshot?.head.seq == newest && recovered.remarks == [] && recovered.kept == snapshots(rig))
        #expect(recovered.journal.signer != nil || recovered.book.head.seq < Seq(1_024))
        // The day goes on, and the next ones are made and started from.
        try live(rig, halts: 80)
        try restart(rig)
        #expect(rig.recovered?.snapshot?.head.seq ?? Seq(0) > newest && snapshots(rig).count == 2)
        #expect(try LedgerAudit.verify(path: "ledger.db", vfs: rig.disk.name).difference == nil)
    }

    /// In a flood of entries a snapshot waits until the one before is paid for, also after a start from it.
    @Test func aFloodIsNotWrittenAgainAndAgain() throws {
        let rig = DiskRig(snapshotsEvery: 40, snapshotRate: 10)
        try rig.start()
        try live(rig, halts: 60)
        let first = try #require(snapshots(rig).last), bytes = try #require(rig.disk.bytes(of: first)?.count)
        try toggle(rig, 120)
        #expect(snapshots(rig) == [first])
        try restart(rig)
        #expect(rig.recovered?.snapshotBytes == Int64(bytes))
        try toggle(rig, 60)
        #expect(snapshots(rig) == [first])
        rig.now = rig.now + Span.milliseconds(Int64(bytes) * 100)
        try toggle(rig, 20)
        #expect(snapshots(rig).count == 2)
    }

    @Test func anOrderlyEndLeavesNextToNothingToRead() throws {
        let rig = DiskRig(snapshotsEvery: 100_000)
        try rig.start()
        try live(rig, halts: 1_100)
        #expect(snapshots(rig) == [])
        _ = try rig.agent?.shutdown(reason: "asked", at: rig.clock)
        try restart(rig)
        let recovered = try #require(rig.recovered)
        #expect(recovered.book.head.seq.raw - (recovered.snapshot?.head.seq.raw ?? 0) == 3, "the snapshot's own entry, the end and what covers it")
        // A short run is not worth a file.
        _ = try rig.agent?.shutdown(reason: "asked", at: rig.clock)
        #expect(snapshots(rig).count == 1)
    }

    /// Whatever is wrong with a file: said in one line, and the older one or every entry is read.
    @Test func aSnapshotThatIsNotAsItMustBeIsPassedOver() throws {
        let rig = DiskRig(snapshotsEvery: 40)
        try rig.start()
        try live(rig, halts: 200)
        let names = snapshots(rig)
        let (older, newer) = (names[0], names[1])
        func starts(from name: String?, _ words: [String], spoiling spoil: (FaultyDisk) throws -> Void) throws {
            rig.crash()
            let disk = FaultyDisk(seed: 9)
            disk.copy(rig.disk)
            try spoil(disk)
            rig.crash(replacing: disk)
            let book = try folded(disk)
            try rig.start()
            let recovered = try #require(rig.recovered)
            #expect(recovered.book.digest() == book.digest())
            #expect(recovered.snapshot?.head.seq == name.flatMap { SnapshotFile.seq(of: $0) })
            #expect(recovered.remarks.count == words.count, "\(recovered.remarks)")
            for (remark, word) in zip(recovered.remarks, words) { #expect(remark.contains(word), "\(remark)") }
        }
        let length = try #require(rig.disk.bytes(of: newer)?.count)
        try starts(from: newer, []) { _ in }
        for place in [0, length / 3, length / 2, length - 60, length - 1] {
            try starts(from: older, ["damaged"]) { $0.flip(bit: 3, at: place, of: newer) }
            // The next turn of this loop finds it whole again.
            rig.disk.flip(bit: 3, at: place, of: newer)
        }
        let foreign = Book(edge: LedgerWriter.edge)
        func put(_ name: String, _ header: SnapshotHeader, on disk: FaultyDisk) {
            var builder = SnapshotBuilder(header, foreign, beside: [])
            var bytes: [UInt8] = []
            while let more = builder.nextBytes() { bytes += more }
            #expect(disk.replace(name, bytes) == nil)
        }
        let far = SnapshotFile.name(Seq(9_999_999)), key: [UInt8]? = nil
        var header = SnapshotHeader(
            edge: LedgerWriter.edge, release: DiskRig.release, head: Head(seq: Seq(9_999_999), hash: Head.start.hash), signer: key)
        try starts(from: newer, ["newer than the ledger"]) { put(far, header, on: $0) }
        header.release = "another"
        try starts(from: newer, ["release another made it"]) { put(far, header, on: $0) }
        header.edge = EdgeID(bytes: [UInt8](repeating: 9, count: 16)) ?? LedgerWriter.edge
        try starts(from: newer, ["another edge"]) { put(far, header, on: $0) }
        header = SnapshotHeader(edge: LedgerWriter.edge, release: DiskRig.release, head: Head(seq: Seq(5), hash: Head.start.hash), signer: key)
        try starts(from: newer, ["not the one it was made at"]) { put(far, header, on: $0) }
        try starts(from: nil, ["damaged", "damaged"]) { disk in
            try disk.remove(far)
            disk.flip(bit: 0, at: 30, of: newer)
            disk.flip(bit: 0, at: 30, of: older)
        }
    }

    /// A whole and true file that no entry speaks of: the process died between the two.
    @Test func aFileWithoutItsEntryDoesNotCount() throws {
        let rig = DiskRig(snapshotsEvery: 40)
        try rig.start()
        try live(rig, halts: 60)
        let book = rig.book
        let head = try #require(rig.agent?.journal.head)
        var builder = SnapshotBuilder(
            SnapshotHeader(edge: LedgerWriter.edge, release: DiskRig.release, head: head, signer: nil), book, beside: Milestones().packed)
        var bytes: [UInt8] = []
        while let more = builder.nextBytes() { bytes += more }
        #expect(rig.disk.replace(SnapshotFile.name(head.seq), bytes) == nil)
        let counted = try #require(snapshots(rig).dropLast().last)
        try restart(rig)
        #expect(rig.recovered?.snapshot?.head.seq == SnapshotFile.seq(of: counted))
        #expect(rig.recovered?.remarks.first?.contains("no entry of this ledger speaks of it") == true)
    }

    /// A branch that was given up takes its snapshots with it, also those of entries that stayed.
    @Test func aCutLedgerStartsFromNoSnapshotOfWhatIsGone() throws {
        let rig = DiskRig(snapshotsEvery: 40)
        try rig.start()
        try live(rig, halts: 200)
        let names = snapshots(rig)
        rig.crash()
        let newest = try #require(names.last.flatMap { SnapshotFile.seq(of: $0) })
        // Just after the entry that the newest stands at, and before the entry that speaks of it.
        for after in [newest, Seq(newest.raw - 1)] {
            let store = try EntryStore(path: "ledger.db", .init(.readWrite, vfs: rig.disk.name))
            try store.cut(after: after.raw)
        }
        let book = try folded(rig.disk)
        try rig.start()
        #expect(rig.recovered?.book.digest() == book.digest() && rig.recovered?.snapshot?.head.seq != newest)
        try live(rig, halts: 100)
        try restart(rig)
        #expect(rig.recovered?.snapshot != nil && snapshots(rig).count == 2)
    }

    /// The power is cut after every mutation of a stretch in which a snapshot is made, counted, and an older one taken away.
    @Test(arguments: [CrashMode.nothing, .everything, .anySubset, .prefix]) func aPowerCutAtAnyMomentLosesNothing(mode: CrashMode) throws {
        var ends = (cut: 0, whole: 0, fast: 0)
        for step in 0..<1_000 where ends.whole == 0 {
            let rig = DiskRig(seed: UInt64(step), snapshotsEvery: 30)
            try rig.start()
            try live(rig, halts: 32)
            // The four modes together meet every second moment.
            rig.disk.freezeAt = rig.disk.mutations + step * 8 + mode.rawValue * 2
            do {
                try toggle(rig, 32)
                ends.whole += 1
            } catch is AgentFailure { ends.cut += 1 }
            let head = rig.agent?.journal.head.seq ?? Seq(0)
            try restart(rig, mode)
            #expect(rig.recovered?.book.head.seq ?? Seq(0) >= head, "\(mode) \(step)")
            ends.fast += rig.recovered?.snapshot == nil ? 0 : 1
        }
        #expect(ends.whole == 1 && ends.cut > 8 && ends.fast == ends.cut + 1, "\(ends): an older one is always there to start from")
    }

    /// Every write and every sync of that stretch fails once: the edge ends as by any failure of its disk, and starts as it must.
    @Test(arguments: [DiskFault.Operation.write, .sync]) func anErrorAtAnyOperationEndsInASoundStart(operation: DiskFault.Operation) throws {
        var ends = (stopped: 0, whole: 0)
        for step in stride(from: 1, to: 1_000, by: 2) where ends.whole == 0 {
            let rig = DiskRig(seed: 5, snapshotsEvery: 30)
            try rig.start()
            try live(rig, halts: 32)
            let done = operation == .write ? rig.disk.writes : rig.disk.syncs
            rig.disk.fault = DiskFault(operation, done + step)
            do {
                try toggle(rig, 32)
                ends.whole += rig.disk.faultIsOver ? 0 : 1
            } catch is AgentFailure { ends.stopped += 1 }
            try restart(rig, .nothing)
            #expect(rig.recovered?.snapshot != nil, "\(operation) \(step)")
        }
        #expect(ends.whole == 1 && ends.stopped > 10, "\(ends)")
    }

    /// Snapshots are kept beside the ledger for the next start's sake: that they cannot be written ends no trading.
    @Test func aFolderThatTakesNoSnapshotEndsNothing() throws {
        let rig = DiskRig(snapshotsEvery: 40)
        try rig.start()
        try live(rig, halts: 10)
        rig.disk.failingPrefix = "snapshot-"
        try toggle(rig, 200)
        #expect(rig.disk.names.allSatisfy { !$0.hasPrefix("snapshot-") } && rig.agent?.ledgerTroubles == [])
        rig.disk.failingPrefix = nil
        rig.now = rig.now + .seconds(601)
        try toggle(rig, 20)
        #expect(snapshots(rig).count == 1, "it is tried again")
        rig.disk.failingPrefix = "snapshot-"
        try toggle(rig, 1_000)
        let head = try #require(rig.agent?.journal.head.seq)
        _ = try rig.agent?.shutdown(reason: "asked", at: rig.clock)
        #expect(rig.agent?.journal.head.seq ?? head > head, "the end is written all the same")
    }

    /// What a start would not read back is not written: a book with too many commands has no snapshot, and that is all.
    @Test func aBookThatOutgrowsItsSnapshotHasNone() throws {
        for (limit, count) in [(200, 0), (Book.smallBytesMax, 2)] {
            let rig = DiskRig(snapshotsEvery: 40, smallBytesMax: limit)
            try rig.start()
            try live(rig, halts: 200)
            #expect(snapshots(rig).count == count && rig.agent?.ledgerTroubles == [])
            try restart(rig)
            #expect((rig.recovered?.snapshot == nil) == (count == 0))
        }
    }

    /// Old entries are lost, and the snapshots are another release's: nobody can fold the ledger any more, and it is the edge's own all the same.
    @Test func afterAnUpgradeALostSegmentIsNoEnd() throws {
        for isSameDigest in [true, false] {
            let disk = FaultyDisk(seed: 3), files = DiskFiles(disk)
            func store() throws -> EntryStore {
                try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name), kept: files, segmentRows: 40)
            }
            var writer = LedgerWriter(boot: 5, after: nil)
            var book = Book(edge: LedgerWriter.edge)
            var entries = [try writer.entry(LedgerWriter.bootFact)]
            for number in 1..<150 { entries.append(try writer.intent(Int64(number))) }
            for entry in entries { book.apply(entry) }
            let last = entries[149]
            var builder = SnapshotBuilder(
                SnapshotHeader(edge: LedgerWriter.edge, release: "old", head: last.head, signer: nil), book, beside: Milestones().packed)
            var bytes: [UInt8] = []
            while let more = builder.nextBytes() { bytes += more }
            let name = SnapshotFile.name(last.seq), hash = try #require(builder.hash)
            disk.place(name, bytes)
            let fact = SnapshotFact(
                seq: last.seq, book: isSameDigest ? book.digest() : [UInt8](repeating: 1, count: 32),
                milestones: Hashing.blake2b(Milestones().packed), file: name, bytes: Int64(bytes.count), hash: hash)
            entries += [try writer.entry(.snapshot(fact)), try writer.intent(900)]
            do {
                let store = try store()
                _ = try Journal(store: store, edge: LedgerWriter.edge).commit(entries)
                while try store.indexSubjects(limit: 4_096) > 0 {}
                while try store.compact(through: .max, olderThan: .max) != nil {}
            }
            func open(_ release: String) throws -> Recovered { try FastStart.open(store(), edge: LedgerWriter.edge, files: files, release: release) }
            #expect(try open("new").snapshot == nil && open("new").trouble == nil, "as long as the entries are there it folds for itself")
            try disk.remove(try #require(disk.names.first { $0.hasSuffix(".seg") }))
            let recovered = try open("new")
            #expect(recovered.snapshot?.head.seq == last.seq && recovered.isBorrowed && recovered.book.head == entries[151].head)
            #expect(recovered.remarks.count == 2 && recovered.remarks[1].contains("started from all the same"), "\(recovered.remarks)")
            #expect(recovered.trouble?.kind == (isSameDigest ? nil : .different))
            #expect(SnapshotSettings(files: files, recovered).last == Seq(0), "one of its own is due")
            // What no entry vouches for is nothing to start from.
            disk.flip(bit: 2, at: bytes.count / 2, of: name)
            #expect(throws: JournalError.self) { try open("new") }
        }
    }

    /// Nothing of a file is decoded before the whole of it gave its hashes, wherever the damage is; a file of another release is refused by its table.
    @Test func aDamagedFileIsKnownByItsHashesAlone() throws {
        let disk = FaultyDisk(seed: 3)
        let files = DiskFiles(disk)
        var writer = LedgerWriter(boot: 5, after: nil)
        var book = Book(edge: LedgerWriter.edge)
        var entries = [try writer.entry(LedgerWriter.bootFact)]
        for number in 1..<1_600 { entries.append(try writer.intent(Int64(number))) }
        for entry in entries { book.apply(entry) }
        let last = entries[entries.count - 1]
        var builder = SnapshotBuilder(
            SnapshotHeader(edge: LedgerWriter.edge, release: DiskRig.release, head: last.head, signer: nil), book, beside: Milestones().packed)
        var bytes: [UInt8] = []
        var parts: [Range<Int>] = []
        while let more = builder.nextBytes() {
            parts.append(bytes.count..<bytes.count + more.count)
            bytes += more
        }
        let name = SnapshotFile.name(last.seq)
        let fact = SnapshotFact(
            seq: last.seq, book: book.digest(), milestones: Hashing.blake2b(Milestones().packed), file: name, bytes: Int64(bytes.count),
            hash: try #require(builder.hash))
        entries.append(try writer.entry(.snapshot(fact)))
        do { _ = try Journal(store: try SegmentTests.store(disk, .create), edge: LedgerWriter.edge).commit(entries) }
        func open(_ bytes: [UInt8], _ release: String = DiskRig.release) throws -> Recovered {
            disk.place(name, bytes)
            return try FastStart.open(try SegmentTests.store(disk), edge: LedgerWriter.edge, files: files, release: release)
        }
        #expect(try open(bytes).remarks == [] && parts.count > 12)
        for part in parts.dropLast() {
            var spoilt = bytes
            spoilt[part.lowerBound + part.count / 2] ^= 4
            let recovered = try open(spoilt)
            #expect(recovered.snapshot == nil && recovered.book.head.seq == last.seq.next)
            #expect(recovered.remarks.count == 1 && recovered.remarks[0].contains("a part does not give its hash"), "\(recovered.remarks)")
            #expect(try open(spoilt, "another").remarks.first?.contains("release t made it") == true)
        }
    }

    /// A full disk makes no snapshot and ends nothing.
    @Test func aFullDiskPutsItOff() throws {
        let rig = DiskRig(snapshotsEvery: 40)
        try rig.start()
        try live(rig, halts: 10)
        rig.disk.fullPrefix = "snapshot-"
        try toggle(rig, 200)
        #expect(rig.disk.names.allSatisfy { !$0.hasPrefix("snapshot-") } && rig.agent?.ledgerTroubles == [])
        rig.disk.fullPrefix = nil
        rig.now = rig.now + .seconds(601)
        try toggle(rig, 20)
        #expect(snapshots(rig).count == 1)
    }
}
