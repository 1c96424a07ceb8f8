// A disk that runs out of room, from the first warning to a start on a full one: no order leaves that is not in the ledger, and no fact is lost.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Trading
import Values
import Wire

@Suite struct DiskFullTests {
    private static let reserveBytes = 256 << 10

    private func trading(reserve: Int? = DiskFullTests.reserveBytes) throws -> DiskRig {
        let rig = DiskRig(reserveBytes: reserve)
        try rig.start()
        try rig.settle(seconds: 4)
        return rig
    }
    private func free(_ rig: DiskRig, mebibytes: Int64) throws {
        rig.reserve?.room = DiskRoom(free: mebibytes << 20, total: 200 << 30)
        try rig.settle(seconds: 2)
    }
    /// Every order at the broker has its intent in the ledger as a power cut leaves it.
    private func expectAllJournalled(_ rig: DiskRig, _ place: String = "") throws {
        let placed = rig.placed
        rig.crash(.nothing)
        rig.disk.capacity = nil
        var tags: Set<String> = []
        _ = try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: rig.disk.name) { entry in
            for tag in (try? entry.intentTags()) ?? [] { tags.insert(tag.text) }
        }
        #expect(placed.allSatisfy { tags.contains($0) }, "\(place): \(placed.filter { !tags.contains($0) }) left without an intent")
    }

    /// On a disk of which a twentieth is little, two gibibytes are the line.
    @Test func onASmallDiskTwoGibibytesAreTheLine() throws {
        for (free, kinds) in [(Int64(2_100), []), (2_000, [LedgerTrouble.Kind.warning])] {
            let rig = try trading()
            rig.reserve?.room = DiskRoom(free: free << 20, total: 20 << 30)
            try rig.settle(seconds: 2)
            #expect(rig.agent?.ledgerTroubles.map(\.kind) == kinds, "\(free) MiB")
        }
    }

    /// The words say what is done, and nothing else: no log or recording is dropped, because the edge keeps none.
    @Test(arguments: [
        (9_000, " are left on the ledger's disk.", "Free some room: below 128 MiB nothing is opened."),
        (512, " are left on the ledger's disk.", "Free some room: below 128 MiB nothing is opened."),
        (511, " are left on the ledger's disk.", "Free some room soon: below 128 MiB nothing is opened."),
        (128, " are left on the ledger's disk.", "Free some room soon: below 128 MiB nothing is opened."),
        (127, " are left on the ledger's disk: no position is opened any more.", "Free some room; opening orders are taken again by themselves."),
    ])
    func theWordsSayWhatIsDone(mebibytes: Int64, words: String, cure: String) throws {
        let rig = try trading()
        try free(rig, mebibytes: mebibytes)
        #expect(rig.agent?.ledgerTroubles.map { $0.text + $0.cure } == ["\(mebibytes) MiB" + words + cure])
        let order = try rig.buy(1)
        #expect((rig.book.commands[order]?.code == "ledgerUnsound") == (mebibytes < 128), "\(String(describing: rig.book.commands[order]))")
    }

    @Test func littleRoomIsToldThenStopsOpeningAndEndsByItself() throws {
        let rig = try trading()
        #expect(rig.agent?.ledgerTroubles == [] && rig.reserve?.isHeld == true, "the reserve is made at the start")
        try free(rig, mebibytes: 9_000)
        #expect(rig.agent?.ledgerTroubles.map(\.kind) == [.warning], "a twentieth of the disk")
        try free(rig, mebibytes: 400)
        #expect(rig.notices.last?.cure.contains("Free some room soon") == true)
        try rig.buy(2)
        try rig.settle(seconds: 10)
        #expect(rig.book.netQuantity(rig.front) == Quantity(whole: 2), "a warning hinders nobody")
        try free(rig, mebibytes: 127)
        let refused = try rig.buy(1)
        #expect(rig.book.commands[refused]?.code == "ledgerUnsound" && rig.placed.count == 1)
        try free(rig, mebibytes: 140)
        #expect(rig.agent?.ledgerTroubles.map(\.kind) == [.short], "it ends a quarter above where it began")
        let close = try rig.command(.close(instrument: rig.front))
        try rig.settle(seconds: 10)
        #expect(rig.book.commands[close]?.code == "done" && rig.book.netQuantity(rig.front) == .zero)
        try free(rig, mebibytes: 20_000)
        #expect(rig.agent?.ledgerTroubles == [] && rig.notices.last?.text == "")
        let again = try rig.buy(1)
        #expect(rig.book.commandOrders[again]?.count == 1)
    }

    @Test func aFullDiskTakesTheReserveAndGoesOnClosing() throws {
        let rig = try trading()
        try rig.buy(2)
        try rig.settle(seconds: 10)
        rig.disk.capacity = rig.used
        let fileBytes = rig.disk.bytes(of: "ledger.db")?.count
        let before = try rig.entries().count
        let close = try rig.command(.close(instrument: rig.front))
        #expect(rig.reserve?.isHeld == false && rig.agent?.ledgerTroubles.first?.kind == .full)
        try rig.settle(seconds: 10)
        #expect(rig.book.commands[close]?.code == "done" && rig.book.netQuantity(rig.front) == .zero, "the closing was written in the reserve's room")
        let refused = try rig.buy(1)
        #expect(rig.book.commands[refused]?.code == "ledgerUnsound")
        for _ in 0..<20 { rig.now = rig.now + .seconds(1); try rig.agent?.journal.idle(at: rig.now) }
        #expect(rig.disk.bytes(of: "ledger.db")?.count == fileBytes, "no checkpoint in this state")
        // Somebody makes room: the reserve comes back, and with it the right to open.
        rig.disk.capacity = nil
        try rig.settle(seconds: 3)
        #expect(rig.reserve?.isHeld == true && rig.agent?.ledgerTroubles == [])
        let again = try rig.buy(1)
        #expect(rig.book.commandOrders[again]?.count == 1)
        // What was written in the reserve's room says so; the entries that found the disk full had their numbers before.
        let marked = try rig.entries().map { $0.flags.contains(.degraded) }
        #expect(!marked.prefix(before).contains(true) && marked.dropFirst(before).contains(true) && marked.last == false)
        try expectAllJournalled(rig)
    }

    /// The control: without a reserve the same moment ends the process.
    @Test func withoutAReserveTheSameMomentEndsTheProcess() throws {
        let rig = try trading(reserve: nil)
        try rig.buy(2)
        try rig.settle(seconds: 10)
        rig.disk.capacity = rig.used
        let error = #expect(throws: AgentFailure.self) { try rig.command(.close(instrument: rig.front)) }
        guard case .journal(let cause) = error else { Issue.record("\(String(describing: error))"); return }
        #expect(cause.isDiskFull)
    }

    @Test func withNothingLeftNoOrderLeavesAndACancelDoes() throws {
        let rig = try trading()
        try rig.buy(25)
        let entry = try #require(rig.book.workingOrders.first)
        rig.reserve?.release()
        rig.disk.capacity = rig.used
        let durable = rig.agent?.journal.head
        let cancel = try rig.command(.cancel(tag: entry.tag))
        #expect(rig.agent?.ledgerTroubles.first?.kind == .unwritten && rig.agent?.journal.head == durable)
        try rig.settle(seconds: 5)
        #expect(rig.book.order(entry.tag)?.status == .canceled, "the cancel went out before it could be written")
        #expect(try rig.turn([.tick]).contains(.heldBack), "nobody takes the head for all that happened")
        let placed = rig.placed.count
        let close = try rig.command(.close(instrument: rig.front))
        let buy = try rig.buy(1)
        try rig.settle(seconds: 5)
        #expect(rig.placed.count == placed, "no order leaves")
        #expect(rig.book.commands[close]?.code == "ledgerUnsound" && rig.book.commands[buy]?.code == "ledgerUnsound")
        let known = rig.book.head
        #expect(rig.agent?.journal.head == durable)
        // Room comes back: everything is written, in order.
        rig.disk.capacity = nil
        try rig.settle(seconds: 3)
        #expect(try rig.turn([.tick]).contains(.heldBack) == false)
        #expect(rig.agent?.ledgerTroubles == [] && rig.reserve?.isHeld == true)
        let entries = try rig.entries()
        #expect(entries.count >= Int(known.seq.raw) && entries[Int(known.seq.raw) - 1].head == known)
        #expect(rig.book.commands[cancel]?.code == "done")
        try expectAllJournalled(rig)
    }

    /// Facts that nothing can write wait in memory up to a bound; one turn more ends the process, and what the broker says it says again to the next.
    @Test func factsThatWaitForRoomAreBounded() throws {
        let rig = try trading()
        rig.reserve?.release()
        rig.disk.capacity = rig.used
        let durable = try #require(rig.agent?.journal.head)
        var known = durable.seq.raw
        func say(_ count: Int) throws {
            let lowering = (0..<count).map { number -> AgentInput in
                number % 2 == 0 ? .desk(.halt(source: "file", reason: "x")) : .desk(.resume(reason: "y"))
            }
            try rig.turn(lowering)
            known = rig.book.head.seq.raw
        }
        while known - durable.seq.raw < 9_000 { try say(1_000) }
        #expect(rig.agent?.journal.head == durable && rig.agent?.ledgerTroubles.first?.kind == .unwritten)
        #expect(throws: AgentFailure.self) { for _ in 0..<20 { try say(1_000) } }
        #expect(known - durable.seq.raw <= 10_000 && rig.agent?.journal.head == durable)
        rig.crash()
        rig.disk.capacity = nil
        try rig.start()
        #expect(rig.book.head.seq > durable.seq && rig.book.head.seq.raw < durable.seq.raw + 100)
    }

    /// The very turn that finds the disk full: its order is not sent and known not to be, its protection is not taken away.
    @Test func theTurnThatFindsItFullSendsNothingUnwritten() throws {
        let rig = try trading()
        try rig.buy(2, trailing: .percent(Ratio(raw: 200_000)))
        try rig.settle(seconds: 10)
        let stop = try #require(rig.book.workingOrders.first)
        rig.reserve?.release()
        rig.disk.capacity = rig.used
        let placed = rig.placed.count
        let buy = try rig.buy(1)
        #expect(rig.agent?.ledgerTroubles.first?.kind == .unwritten)
        try rig.settle(seconds: 2)
        let order = try #require(rig.book.commandOrders[buy]?.first.flatMap { rig.book.order($0) })
        #expect(order.status == .rejected && order.text.contains("Not sent") && rig.placed.count == placed)
        rig.disk.capacity = nil
        try rig.settle(seconds: 2)
        rig.reserve?.release()
        rig.disk.capacity = rig.used
        _ = try rig.command(.close(instrument: rig.front))
        try rig.settle(seconds: 2)
        #expect(rig.book.order(stop.tag)?.isWorking == true, "the protection stays while the closing cannot be written")
        rig.disk.capacity = nil
        try rig.settle(seconds: 70)
        #expect(rig.book.workingOrders.contains { $0.leg.role == .protect } || rig.book.netQuantity(rig.front) == .zero)
        try expectAllJournalled(rig)
    }

    @Test(arguments: [true, false]) func anEdgeStartsOnAFullDisk(hasReserve: Bool) throws {
        let rig = try trading()
        try rig.buy(2)
        try rig.settle(seconds: 10)
        if !hasReserve { rig.reserve?.release() }
        rig.crash()
        rig.disk.capacity = rig.used
        rig.room = DiskRoom(free: 0, total: 200 << 30)
        try rig.start()
        #expect(rig.agent?.ledgerTroubles.first?.kind == (hasReserve ? .full : .unwritten))
        #expect(try rig.kinds().filter { $0 == .boot }.count == (hasReserve ? 2 : 1))
        try rig.settle(seconds: 10)
        #expect(rig.book.netQuantity(rig.front) == Quantity(whole: 2), "what is held is known")
        let refused = try rig.buy(1)
        #expect(rig.book.commands[refused]?.code == "ledgerUnsound")
        rig.disk.capacity = nil
        rig.reserve?.room = DiskRoom(free: 100 << 30, total: 200 << 30)
        try rig.settle(seconds: 5)
        #expect(rig.agent?.ledgerTroubles == [])
        #expect(try rig.kinds().filter { $0 == .boot }.count == 2)
        let again = try rig.buy(1)
        #expect(rig.book.commandOrders[again]?.count == 1)
        try expectAllJournalled(rig)
    }

    /// The disk fills up at each write of a start and an order; whatever then happens, what left is written.
    @Test func whereverTheDiskFillsUpNothingUnwrittenLeaves() throws {
        var kinds: Set<LedgerTrouble.Kind> = []
        for index in 1...400 {
            let rig = DiskRig(seed: UInt64(index), reserveBytes: index.isMultiple(of: 2) ? 64 << 10 : 16)
            rig.disk.fault = DiskFault(.write, index, .full)
            do {
                try rig.start()
                try rig.settle(seconds: 2)
                try rig.buy(1, trailing: .percent(Ratio(raw: 100_000)))
                try rig.settle(seconds: 1)
                if !rig.disk.faultIsOver { break }
                rig.disk.capacity = rig.used
                try rig.buy(1)
                try rig.settle(seconds: 1)
                kinds.formUnion(rig.agent?.ledgerTroubles.map(\.kind) ?? [])
            } catch {
                // A new ledger that cannot be made is refused; nothing was placed then.
                #expect(rig.placed.isEmpty || error is AgentFailure, "write \(index): \(error)")
            }
            try expectAllJournalled(rig, "full at write \(index)")
        }
        #expect(kinds.isSuperset(of: [.full, .unwritten]))
    }

    /// What the cloud tells again is not worth a page of the last room, and its name ends no edge.
    @Test func aFullDiskEndsNothingBecauseOfWhatTheCloudTells() throws {
        let rig = try trading()
        let journal = try #require(rig.agent?.journal)
        try journal.noteIncarnation("first", have: Seq(3))
        for step in 1...3 {
            rig.disk.fault = DiskFault(.write, rig.disk.writes + step, .full)
            try journal.noteIncarnation("second", have: Seq(2))
            #expect(rig.disk.faultIsOver, "\(step)")
            if try journal.incarnation() == "first" { break }
            // Some writes went through before the disk was full.
            try journal.noteIncarnation("first", have: Seq(3))
        }
        #expect(try journal.incarnation() == "first")
        rig.disk.fault = DiskFault(.write, rig.disk.writes + 1, .full)
        try journal.noteBackup(Seq(2))
        rig.disk.fault = DiskFault(.write, rig.disk.writes + 1, .full)
        try journal.forgetSettlement()
        rig.disk.fault = nil
        // The reserve was spent: nothing but entries is written.
        journal.isShortOfRoom = true
        let writes = rig.disk.writes
        try journal.noteAcknowledged(Seq(4))
        try journal.noteBackup(Seq(4))
        try journal.noteIncarnation("third", have: Seq(1))
        #expect(rig.disk.writes == writes)
        // There is room again: never the number of one store beside the name of another.
        journal.isShortOfRoom = false
        try journal.noteAcknowledged(Seq(5))
        #expect(try journal.incarnation() == "third" && journal.acknowledged() == Seq(5) && journal.formerStores().contains("first"))
        try journal.noteBackup(Seq(6))
        #expect(try journal.backupWatermark() == Seq(6))
    }

    /// An edge that lost its ledger takes it back on a disk that others have filled: the reserve is for the ledger.
    @Test(arguments: [true, false]) func whatComesBackTakesTheReserve(hasReserve: Bool) throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        let lost = [try writer.entry(LedgerWriter.bootFact), try writer.intent(1)]
        let rig = DiskRig()
        let journal = try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: rig.disk.name)
        let reserve = SimulatedReserve(rig.disk, bytes: Self.reserveBytes)
        #expect(!hasReserve || reserve.take())
        var talk = try StartTalk(journal, isShort: false, at: .zero)
        rig.disk.capacity = rig.used
        var folded = 0
        func takeBack() throws { try talk.takeBack(lost, of: Seq(2), into: journal, reserve: reserve) { _ in folded += 1 } }
        if hasReserve { try takeBack() } else { #expect(throws: JournalError.self) { try takeBack() } }
        #expect(!reserve.isHeld && journal.head.seq == Seq(hasReserve ? 2 : 0) && folded == (hasReserve ? 2 : 0))
    }

    /// A key that may have signed the ledger is neither written over nor put aside before the announcement is durable.
    @Test func aKeyChangedOnAFullDiskIsNotLost() throws {
        let rig = try trading()
        let agent = try #require(rig.agent)
        let temporary = try TemporaryFolder(), folder = try EdgeFolder(temporary.file("data"))
        let old = try folder.ledgerKeys().publicKey, signer = agent.journal.signer
        rig.reserve?.release()
        rig.disk.capacity = rig.used
        let change = try agent.changeKey(in: folder, at: rig.clock)
        #expect(change.isDone && change.words.contains("disk is full") && agent.journal.signer == signer)
        #expect(try folder.ledgerKeys().publicKey == old, "the file that signs what is durable stays")
        #expect(try agent.changeKey(in: folder, at: rig.clock).isDone == false, "and the other is not written over")
        rig.disk.capacity = nil
        try rig.settle(seconds: 3)
        let next = try #require(agent.journal.signer)
        #expect(next != signer)
        // The next change comes before the next start.
        #expect(try agent.changeKey(in: folder, at: rig.clock).isDone)
        let last = try #require(agent.journal.signer)
        #expect(try last != next && folder.ledgerKeys(after: last).publicKey == last)
    }

    /// A decision is forgotten once the lineage that carries it out is durable, not before.
    @Test func aDecisionIsRememberedUntilItsLineageIsWritten() throws {
        for isFull in [false, true] {
            let rig = DiskRig()
            let store = try EntryStore(path: "ledger.db", .init(.create, vfs: rig.disk.name))
            let journal = try Journal(store: store, edge: LedgerWriter.edge)
            var writer = LedgerWriter(boot: 9, after: nil)
            let first = try writer.entry(LedgerWriter.bootFact)
            _ = try journal.commit([first])
            let dispute = Dispute(
                verdict: .fork, common: first.head, edgeHead: first.head, edgeEpoch: 1, cloudHead: first.head, isCloudBranchKept: true)
            let settlement = Settlement(
                edge: LedgerWriter.edge, kept: .cloud, epoch: 2, dispute: dispute, decidedBy: "cloud:admin", decidedAt: Instant(seconds: 1))
            try store.setMeta("settlement", String(decoding: JSONWriter.plain(settlement.value), as: UTF8.self))
            var book = Book(edge: LedgerWriter.edge)
            book.apply(first)
            let agent = rig.agent(over: journal, book: book, reserve: SimulatedReserve(rig.disk, bytes: 16))
            if isFull { rig.disk.fault = DiskFault(.write, rig.disk.writes + 1, .full) }
            _ = try agent.start(DiskRig.bootFact, settlement: settlement, at: rig.clock)
            #expect(try journal.settlement() == (isFull ? settlement : nil) && (journal.head == first.head) == isFull)
        }
    }

    @Test func theBallastIsRealRoom() throws {
        let folder = try TemporaryFolder()
        let ballast = BallastFile(path: folder.file("ballast"), bytes: 8 << 20)
        let before = try #require(ballast.room)
        #expect(!ballast.isHeld && ballast.take() && ballast.isHeld && ballast.take())
        let during = try #require(ballast.room)
        #expect(before.total == during.total && before.total > 0)
        ballast.release()
        #expect(!ballast.isHeld)
        let tooLarge = BallastFile(path: folder.file("ballast"), bytes: before.total * 2)
        #expect(!tooLarge.take() && !tooLarge.isHeld, "what does not fit is not begun")
    }
}
