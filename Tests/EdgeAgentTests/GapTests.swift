// Entries that are gone for good: the edge says so once, the check goes on from the hash behind the hole, and a hole nobody speaks of is a difference.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Trading
import Values
import Wire

@Suite struct GapTests {
    /// A ledger whose first segment has moved out and is lost.
    private func holed() throws -> (FaultyDisk, [Entry]) {
        let disk = FaultyDisk(seed: 8)
        let entries = try SegmentTests.ledger(disk, Int(Segment.rows) + 60)
        do { _ = try #require(try SegmentTests.store(disk).compact(through: .max, olderThan: .max)) }
        try disk.remove(try #require(disk.names.first { $0.hasSuffix(".seg") }))
        return (disk, entries)
    }
    private func verify(_ disk: FaultyDisk) throws -> LedgerAudit.Finding {
        try LedgerAudit.verify(path: "ledger.db", vfs: disk.name, kept: DiskFiles(disk))
    }

    @Test func aHoleIsADifferenceUntilAnEntrySpeaksOfIt() throws {
        let (disk, entries) = try holed()
        let last = Seq(Segment.rows)
        #expect(try verify(disk).difference?.contains("entries 1 to 4096 cannot be read") == true)
        let anchor = (entry: entries[entries.count - 1], signer: [UInt8]?.none)
        let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: anchor)
        let rig = DiskRig()
        let agent = rig.agent(
            over: journal,
            book: {
                var book = Book(edge: LedgerWriter.edge); for entry in entries { book.apply(entry) }; return book
            }())
        _ = try agent.start(DiskRig.bootFact, at: rig.clock)
        let effects = try agent.noteMissing(from: Seq(1), to: last, at: rig.clock)
        #expect(effects.contains { if case .committed = $0 { true } else { false } })
        #expect(try agent.noteMissing(from: Seq(1), to: last, at: rig.clock) == [], "said once")
        guard case .gap(let gap)? = try journal.last?.decoded() else { Issue.record("no gap was written"); return }
        #expect(gap.from == Seq(1) && gap.to == last && gap.hash == entries[Int(Segment.rows) - 1].hash)
        let finding = try verify(disk)
        #expect(finding.difference == nil && finding.exitCode == 0)
        #expect(finding.report.contains("entries 1 to 4096 are missing for good, as entry \(try #require(journal.last).seq) says"))
        #expect(finding.head == journal.head && finding.count == journal.head.seq.raw - Segment.rows)
    }

    /// A person decided for the cloud's history from an entry on that lies in a segment, here one that is lost: nothing is given up or changed, the
    /// mark neither, and the words say what is to be done.
    @Test func whatHasMovedIsNotGivenUpInPart() throws {
        let (disk, entries) = try holed()
        let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: (entries[entries.count - 1], nil))
        let mark = DiskMark(disk)
        try mark.write([1, 2, 3])
        func settlement(after common: Head) -> Settlement {
            let dispute = Dispute(
                verdict: .fork, common: common, edgeHead: journal.head, edgeEpoch: 1, cloudHead: Head(seq: Seq(9_000), hash: common.hash),
                isCloudBranchKept: true)
            return Settlement(
                edge: LedgerWriter.edge, kept: .cloud, epoch: 2, dispute: dispute, decidedBy: "cloud:admin", decidedAt: Instant(seconds: 1))
        }
        func giveUp(after common: Head, _ name: String) throws -> Bool {
            try StartTalk.giveUp(settlement(after: common), journal, mark: mark, at: Instant(seconds: 1_795_000_000)) {
                (_, base) throws(JournalError) in
                do throws(StoreError) { return try EntryStore(path: name, .init(.create, vfs: disk.name), base: base) } catch { throw .store(error) }
            }
        }
        let trouble = #expect(throws: JournalError.self) { try giveUp(after: entries[99].head, "early.db") }
        #expect(trouble == .moved(common: Seq(100), last: Seq(Segment.rows)) && !disk.names.contains("early.db"))
        let words = trouble?.description ?? ""
        #expect(
            words.contains("from entry 101 on") && words.contains("nothing was changed") && words.contains("ledger-*.seg")
                && words.contains("guide/ledger.md"))
        #expect(journal.head == entries[entries.count - 1].head && mark.read() == [1, 2, 3])
        // The control: behind the segments a branch is given up.
        #expect(try giveUp(after: entries[entries.count - 11].head, "late.db"))
    }

    /// A person decided for the cloud's history: the word about the hole is sealed with its branch, and the hole is there all the same.
    @Test func aWordThatIsSealedWithItsBranchIsSaidAgain() throws {
        let (disk, entries) = try holed()
        let rig = DiskRig(), common = entries[entries.count - 1]
        func run(_ boot: UInt64, _ body: (Agent) throws -> Void) throws {
            var book = Book(edge: LedgerWriter.edge)
            for entry in entries { book.apply(entry) }
            let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: (common, nil)) { book.apply($0) }
            try body(rig.agent(over: journal, book: book, boot: boot))
        }
        func words() throws -> Int {
            try SegmentTests.store(disk, .readOnly).read(from: common.seq.raw, limit: 500).count { $0.kind == Kind.gap.rawValue }
        }
        try run(1) { agent in
            _ = try agent.start(DiskRig.bootFact, at: rig.clock)
            _ = try agent.noteMissing(from: Seq(1), to: Seq(Segment.rows), at: rig.clock)
            let dispute = Dispute(
                verdict: .fork, common: common.head, edgeHead: agent.journal.head, edgeEpoch: 1,
                cloudHead: Head(seq: Seq(9_000), hash: common.hash), isCloudBranchKept: true)
            let settlement = Settlement(
                edge: LedgerWriter.edge, kept: .cloud, epoch: 2, dispute: dispute, decidedBy: "cloud:admin", decidedAt: Instant(seconds: 1))
            let isGivenUp = try StartTalk.giveUp(settlement, agent.journal, mark: DiskMark(disk), at: rig.now) {
                (_, base) throws(JournalError) in
                do throws(StoreError) { return try EntryStore(path: "sealed.db", .init(.create, vfs: disk.name), base: base) } catch {
                    throw .store(error)
                }
            }
            #expect(isGivenUp)
        }
        // The control: nothing speaks of the hole now.
        #expect(try verify(disk).difference?.contains("entries 1 to 4096 cannot be read") == true)
        try run(2) { agent in
            let settlement = try #require(try agent.journal.settlement())
            _ = try agent.start(DiskRig.bootFact, settlement: settlement, at: rig.clock)
            #expect(try agent.journal.gaps() == [GapFact(from: Seq(1), to: Seq(Segment.rows), hash: entries[Int(Segment.rows) - 1].hash)])
        }
        #expect(try verify(disk).difference == nil && words() == 1)
        try run(3) { agent in _ = try agent.start(DiskRig.bootFact, at: rig.clock) }
        #expect(try words() == 1, "said once")
    }

    /// The link asks once for what cannot be read, and its lane waits for the word. On a full disk the word is said when there is room.
    @Test func aHoleThatIsFoundOnAFullDiskIsSaidOnceThereIsRoom() throws {
        let (disk, entries) = try holed()
        let rig = DiskRig()
        let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: (entries[entries.count - 1], nil))
        var book = Book(edge: LedgerWriter.edge)
        for entry in entries { book.apply(entry) }
        let agent = rig.agent(over: journal, book: book, reserve: SimulatedReserve(disk, bytes: 4_096))
        func gaps(_ effects: [AgentEffect]) -> [GapFact] {
            effects.flatMap { effect -> [GapFact] in if case .entries(let entries) = effect { entries.compactMap(\.gap) } else { [] } }
        }
        _ = try agent.start(DiskRig.bootFact, at: rig.clock)
        disk.capacity = disk.names.reduce(0) { $0 + (disk.bytes(of: $1)?.count ?? 0) }
        var isFull = false
        for number in 0..<40 where !isFull {
            let reason = String(repeating: "r", count: 8_000) + "\(number)"
            let wish: DeskInput = number % 2 == 0 ? .halt(source: "file", reason: reason) : .resume(reason: reason)
            isFull = try agent.turn([.desk(wish)], at: rig.clock).contains(.heldBack)
        }
        #expect(isFull)
        // Asked for twice, and by either end: said once.
        for _ in 0..<2 { #expect(try agent.noteMissing(from: Seq(1), to: Seq(Segment.rows), at: rig.clock) == []) }
        #expect(try gaps(agent.keep(at: rig.clock)).isEmpty, "there is no room yet")
        disk.capacity = nil
        let said = try gaps(agent.keep(at: rig.clock))
        #expect(said == [GapFact(from: Seq(1), to: Seq(Segment.rows), hash: entries[Int(Segment.rows) - 1].hash)])
        #expect(try gaps(agent.keep(at: rig.clock)).isEmpty && verify(disk).difference == nil)
    }

    /// The words of an entry do not cover another hash: what stands behind the hole must follow what was there.
    @Test func anotherHashIsNoExcuse() throws {
        let (disk, entries) = try holed()
        let anchor = (entry: entries[entries.count - 1], signer: [UInt8]?.none)
        let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: anchor)
        var writer = LedgerWriter(boot: 6, after: journal.last)
        let lie = GapFact(from: Seq(1), to: Seq(Segment.rows), hash: [UInt8](repeating: 7, count: 32))
        _ = try journal.commit([try writer.entry(LedgerWriter.bootFact), try writer.entry(.gap(lie))])
        #expect(try verify(disk).difference?.contains("entries 1 to 4096 cannot be read") == true)
    }

    /// A ledger of two segments and a little more, the files of these numbers taken away one after the other.
    private func twice(_ disk: FaultyDisk) throws -> (entries: [Entry], files: [String]) {
        let entries = try SegmentTests.ledger(disk, 2 * Int(Segment.rows) + 60)
        do {
            let store = try SegmentTests.store(disk)
            for _ in 0..<2 { _ = try #require(try store.compact(through: .max, olderThan: .max)) }
        }
        return (entries, disk.names.filter { $0.hasSuffix(".seg") })
    }
    private func agent(_ rig: DiskRig, _ disk: FaultyDisk, after entries: [Entry]) throws -> Agent {
        let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: (entries[entries.count - 1], nil))
        var book = Book(edge: LedgerWriter.edge)
        for entry in entries { book.apply(entry) }
        let agent = rig.agent(over: journal, book: book)
        _ = try agent.start(DiskRig.bootFact, at: rig.clock)
        return agent
    }
    private func gaps(_ journal: Journal) throws -> [GapFact] {
        try journal.read(from: Seq(2 * Segment.rows + 1), limit: 500).compactMap { if case .gap(let gap) = try $0.decoded() { gap } else { nil } }
    }

    /// Two neighbours are gone: one hole, however it is come upon; trading goes on.
    @Test func lostNeighboursAreOneHole() throws {
        let disk = FaultyDisk(seed: 8)
        let (entries, files) = try twice(disk)
        for file in files { try disk.remove(file) }
        let rig = DiskRig()
        let agent = try agent(rig, disk, after: entries)
        let rows = Segment.rows
        #expect(try agent.noteMissing(from: Seq(1), to: Seq(rows), at: rig.clock) != [])
        #expect(try agent.noteMissing(from: Seq(rows + 1), to: Seq(2 * rows), at: rig.clock) == [], "said once")
        #expect(try gaps(agent.journal) == [GapFact(from: Seq(1), to: Seq(2 * rows), hash: entries[Int(2 * rows) - 1].hash)])
        let finding = try verify(disk)
        #expect(finding.difference == nil && finding.report.contains("entries 1 to 8192 are missing for good"))
        #expect(agent.ledgerTroubles == [] && agent.desk.book.haltLevel == .normal)
    }

    /// The second goes after the first was spoken of; later the second comes back from a copy: what was said covers what is missing each time.
    @Test func aHoleThatGrowsOrShrinksIsStillCovered() throws {
        let disk = FaultyDisk(seed: 8)
        let (entries, files) = try twice(disk)
        let second = try #require(disk.bytes(of: files[1]))
        try disk.remove(files[0])
        let rows = Segment.rows
        do {
            let rig = DiskRig()
            let agent = try agent(rig, disk, after: entries)
            _ = try agent.noteMissing(from: Seq(1), to: Seq(rows), at: rig.clock)
            #expect(try verify(disk).difference == nil)
        }
        try disk.remove(files[1])
        #expect(try verify(disk).difference?.contains("entries 1 to 8192 cannot be read") == true)
        do {
            let journal = try Journal(
                store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: (entries[entries.count - 1], nil))
            var writer = LedgerWriter(boot: 7, after: journal.last)
            let said = GapFact(from: Seq(rows + 1), to: Seq(2 * rows), hash: entries[Int(2 * rows) - 1].hash)
            _ = try journal.commit([try writer.entry(LedgerWriter.bootFact), try writer.entry(.gap(said))])
        }
        #expect(try verify(disk).difference == nil, "each part is spoken of")
        disk.place(files[1], second)
        #expect(try verify(disk).difference == nil)
    }

    /// One word for both; the second file comes back: the word speaks of more than is missing, and must be right about its own end.
    @Test func aWordAboutMoreThanIsMissingMustBeTrue() throws {
        let rows = Segment.rows
        for isTrue in [true, false] {
            let disk = FaultyDisk(seed: 8)
            let (entries, files) = try twice(disk)
            try disk.remove(files[0])
            let journal = try Journal(
                store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: (entries[entries.count - 1], nil))
            var writer = LedgerWriter(boot: 7, after: journal.last)
            let hash = isTrue ? entries[Int(2 * rows) - 1].hash : [UInt8](repeating: 7, count: 32)
            let said = GapFact(from: Seq(1), to: Seq(2 * rows), hash: hash)
            _ = try journal.commit([try writer.entry(LedgerWriter.bootFact), try writer.entry(.gap(said))])
            #expect((try verify(disk).difference == nil) == isTrue)
        }
    }

    /// A cloud put back from a backup asks for a proof in the hole: a proof that leaves it out would read as another history, and an error would end
    /// the edge. At the hole's end the entry behind it knows the hash.
    @Test func aProofInTheHoleIsNotGivenAndEndsNothing() throws {
        let rows = Int(Segment.rows)
        func asked(have: Int, isHoled: Bool) throws -> [UplinkEffect] {
            let disk = FaultyDisk(seed: 8)
            let (entries, files) = try twice(disk)
            if isHoled { for file in files { try disk.remove(file) } }
            let journal = try Journal(
                store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: (entries[entries.count - 1], nil))
            try journal.noteAcknowledged(Seq(9))
            let acked = try UplinkCore.acknowledged(in: journal)
            #expect(acked == (isHoled ? .start : entries[8].head))
            try journal.noteAcknowledged(Seq(UInt64(2 * rows)))
            #expect(try UplinkCore.acknowledged(in: journal) == entries[2 * rows - 1].head)
            var uplink = UplinkCore(
                Identity(edge: LedgerWriter.edge, boot: Boot(raw: 5), epoch: 1, release: "t"), head: journal.head, acked: acked, ledger: journal)
            var receiver = Receiver(incarnation: "i", release: "t", sessionSeed: 8)
            let now = ClockReading(wall: Instant(seconds: 1_795_000_100), monotonic: .seconds(50))
            let head = entries[have - 1].head
            _ = receiver.handle(.enrolled(LedgerWriter.edge, EdgeMemory(have: head, announced: head)), at: now)
            var effects = try uplink.handle(.linkUp, at: now), seen: [UplinkEffect] = []
            while !effects.isEmpty {
                let effect = effects.removeFirst()
                seen.append(effect)
                guard case .send(_, let bytes) = effect else { continue }
                for case .send(let answer, _) in receiver.handle(.frame(bytes, from: Peer(edge: LedgerWriter.edge, connection: 1)), at: now) {
                    effects += try uplink.handle(.frame(answer), at: now)
                }
            }
            return seen
        }
        let gone = UplinkEffect.missing(from: Seq(1), to: Seq(Segment.rows))
        let middle = try asked(have: 100, isHoled: true)
        #expect(middle.contains(gone) && !middle.contains(.phase(.open)))
        for (have, isHoled) in [(100, false), (2 * rows, true), (2 * rows + 10, true)] {
            let effects = try asked(have: have, isHoled: isHoled)
            #expect(effects.contains(.phase(.open)) && !effects.contains(gone), "\(have) \(isHoled)")
        }
    }

    /// The cloud asks for what is gone: the link stays, the ledger's lane stands still, and the edge is told once what to write down.
    @Test func theUplinkTellsWhatItCannotRead() throws {
        let (disk, entries) = try holed()
        let anchor = (entry: entries[entries.count - 1], signer: [UInt8]?.none)
        let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: anchor)
        #expect {
            _ = try journal.read(from: Seq(9), limit: 3)
        } throws: { error in
            guard case .store(.missing(from: 1, to: Segment.rows, _)) = error as? JournalError else { return false }
            return true
        }
        #expect(try journal.read(from: Seq(Segment.rows).next, limit: 3).count == 3)
    }
}
