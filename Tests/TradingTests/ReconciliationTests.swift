// Start and reconnect: unknown fates, two equal snapshots, missed fills, foreign orders, positions that differ.
import Ledger
import Testing
import Trading
import Values

struct ReconciliationTests {
    /// One order in flight, then the connection is lost and comes back.
    func lost() throws -> TestDesk {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(3))
        try desk.send(.condition(desk.gateway(.unreachable), generation: 1))
        #expect(desk.desk.book.order(desk.placed[0])?.status == .unknown)
        try desk.send(.condition(desk.gateway(.connected), generation: 2))
        try desk.send(.ready(account: "DU1", generation: 2, nextOrderID: 1))
        return desk
    }

    @Test func nothingIsConcludedBeforeTheBrokerHasSettled() throws {
        var desk = try lost()
        #expect(desk.actions.isEmpty)
        try desk.tick(9)
        #expect(desk.actions.isEmpty)
        try desk.tick(2)
        #expect(desk.actions == [.snapshot])
    }

    @Test func absenceNeedsTwoEqualSnapshots() throws {
        var desk = try lost()
        try desk.tick(11)
        try desk.send(.snapshot(desk.snapshot(2)))
        #expect(desk.desk.book.order(desk.placed[0])?.status == .unknown && !desk.desk.isTrading)
        try desk.tick(2)
        #expect(desk.actions.isEmpty, "the second picture is at least three seconds younger")
        try desk.tick(2)
        #expect(desk.actions == [.snapshot])
        try desk.send(.snapshot(desk.snapshot(2)))
        #expect(desk.desk.book.order(desk.placed[0])?.status == .dead && desk.desk.isTrading)
        #expect(desk.placed.count == 1, "an unknown order is never sent again")
    }

    @Test func aMissedFillIsBookedOnceAndMarkedReplayed() throws {
        var desk = try lost()
        let fill = try desk.brokerFill(desk.placed[0], "m1", 3, 98_000)
        let done = try desk.brokerOrder(desk.placed[0], .filled)
        let held = [BrokerPosition(account: "DU1", instrument: TestDesk.mbt, quantity: Quantity(whole: 3))]
        for _ in 0..<2 {
            try desk.tick(11)
            try desk.send(.snapshot(desk.snapshot(2, completed: [done], fills: [fill], positions: held)))
        }
        #expect(desk.desk.book.order(desk.placed[0])?.status == .filled && desk.desk.book.fills.count == 1 && desk.desk.book.fills[0].wasReplayed)
        #expect(desk.desk.book.haltedInstruments.isEmpty && desk.desk.isTrading)
    }

    /// The first of two pictures proves no absence, and what was executed is true all the same: the order's end, told in between, comes after it.
    @Test func theFillsOfAFirstPictureAreBookedAtOnce() throws {
        var desk = try lost()
        let fill = try desk.brokerFill(desk.placed[0], "m1", 2, 98_000)
        try desk.tick(11)
        try desk.send(.snapshot(desk.snapshot(2, fills: [fill])))
        #expect(!desk.desk.isTrading && desk.desk.book.netQuantity(TestDesk.mbt) == Quantity(whole: 2) && desk.desk.book.fills[0].wasReplayed)
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .canceled), code: nil))
        #expect(desk.desk.book.order(desk.placed[0])?.status == .canceled)
    }

    @Test func aSnapshotOfAnEarlierConnectionProvesNothing() throws {
        var desk = try lost()
        try desk.tick(11)
        try desk.send(.snapshot(desk.snapshot(1)))
        try desk.send(.snapshotFailed(generation: 2, text: "timeout"))
        #expect(!desk.desk.isTrading && desk.desk.book.order(desk.placed[0])?.status == .unknown)
        try desk.tick(4)
        #expect(desk.actions == [.snapshot], "it is asked again")
    }

    @Test func aPositionThatDiffersHaltsItsInstrumentAndInventsNothing() throws {
        var desk = try TestDesk()
        try desk.makeReady(positions: [BrokerPosition(account: "DU1", instrument: TestDesk.mbt, quantity: Quantity(whole: 7))])
        #expect(desk.desk.book.haltedInstruments[TestDesk.mbt] != nil && desk.desk.book.netQuantity(TestDesk.mbt) == .zero)
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.refusal?.code == "instrumentHalted")
    }

    @Test func anOrderWithATagOfOursThatWeDoNotKnowHaltsTheAccount() throws {
        var desk = try TestDesk()
        let twin = ClOrdID(edge: TestDesk.edge, intent: IntentID(boot: Boot(raw: 99), seq: Seq(4)), leg: 0)
        let order = BrokerOrder(
            reference: twin.text, brokerOrderID: 3, permID: 8, clientID: 1, account: "DU1", instrument: TestDesk.mbt, side: .buy,
            quantity: Quantity(whole: 1), cumQty: .zero, status: .new)
        try desk.send(.condition(desk.gateway(.connected), generation: 1))
        try desk.send(.ready(account: "DU1", generation: 1, nextOrderID: 1))
        try desk.send(.snapshot(desk.snapshot(1, open: [order])))
        #expect(desk.desk.book.haltLevel == .halt && desk.desk.book.differences.first?.rule == "R5")
    }

    @Test func aManualOrderHaltsOnlyItsInstrument() throws {
        var desk = try TestDesk()
        let order = BrokerOrder(
            reference: "", brokerOrderID: 0, permID: 8, clientID: 0, account: "DU1", instrument: TestDesk.mbt, side: .buy,
            quantity: Quantity(whole: 1),
            cumQty: .zero, status: .new)
        try desk.send(.condition(desk.gateway(.connected), generation: 1))
        try desk.send(.ready(account: "DU1", generation: 1, nextOrderID: 1))
        try desk.send(.snapshot(desk.snapshot(1, open: [order])))
        #expect(desk.desk.book.haltLevel == .normal && desk.desk.book.haltedInstruments.count == 1)
    }

    @Test func anOrderFoundWorkingIsAdopted() throws {
        var desk = try lost()
        let order = try desk.brokerOrder(desk.placed[0], .new)
        for _ in 0..<2 { try desk.tick(11); try desk.send(.snapshot(desk.snapshot(2, open: [order]))) }
        #expect(desk.desk.book.order(desk.placed[0])?.status == .new && desk.desk.isTrading && desk.placed.count == 1)
    }

    /// Three bought, and the first execution (2 at 98,000) told again under a higher last part.
    private func corrected(quantity: Int64, price: Int64) throws -> TestDesk {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(3))
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "0000e0d5.6545a1b2.01.01", 2, 98_000)))
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "0000e0d5.6545a1b3.01.01", 1, 98_000)))
        #expect(desk.desk.book.haltedInstruments.isEmpty && desk.desk.book.netQuantity(TestDesk.mbt) == Quantity(whole: 3), "two fills are two fills")
        for _ in 0..<2 { try desk.send(.fill(desk.brokerFill(desk.placed[0], "0000e0d5.6545a1b2.01.02", quantity, price))) }
        #expect(desk.desk.book.fills.count == 2 && !desk.desk.isTrading, "nothing is booked on a guess, and nothing leaves meanwhile")
        try desk.tick()
        #expect(desk.actions.contains(.snapshot))
        return desk
    }

    private func held(_ quantity: Int64) -> BrokerPosition {
        BrokerPosition(account: "DU1", instrument: TestDesk.mbt, quantity: Quantity(whole: quantity))
    }

    /// R2: the position has not moved, so the new execution stands in the place of the old.
    @Test func aCorrectionThatReplacesIsBookedAsReversalAndNewEntry() throws {
        var desk = try corrected(quantity: 2, price: 97_000)
        try desk.send(.snapshot(desk.snapshot(1, positions: [held(3)])))
        let book = desk.desk.book
        #expect(desk.desk.isTrading && book.haltedInstruments.isEmpty && book.differences.isEmpty)
        #expect(book.fill("0000e0d5.6545a1b2.01.01")?.reversedBy == "0000e0d5.6545a1b2.01.02")
        #expect(book.fill("0000e0d5.6545a1b2.01.02")?.fill.corrects == "0000e0d5.6545a1b2.01.01")
        #expect(book.netQuantity(TestDesk.mbt) == Quantity(whole: 3) && book.order(desk.placed[0])?.cumQty == Quantity(whole: 3))
        #expect(book.positions[TestDesk.mbt]?.averagePrice?.raw == 9_733_333_333_333 && book.balances.imbalance.isEmpty)
        // Both are told again with the next picture, and an older revision late: nothing is new.
        for part in ["01.01", "01.02"] { try desk.send(.fill(desk.brokerFill(desk.placed[0], "0000e0d5.6545a1b2.\(part)", 2, 97_000))) }
        #expect(desk.desk.book.fills.count == 3 && desk.desk.isTrading)
    }

    /// R2: the position moved by the new execution, so it came beside the old.
    @Test func aCorrectionThatAddsIsBookedBesideItsOriginal() throws {
        var desk = try corrected(quantity: 1, price: 97_000)
        try desk.send(.snapshot(desk.snapshot(1, positions: [held(4)])))
        #expect(desk.desk.book.netQuantity(TestDesk.mbt) == Quantity(whole: 4) && desk.desk.book.fills.allSatisfy { $0.reversedBy == nil })
        #expect(desk.desk.book.differences.isEmpty && desk.desk.book.balances.total(.position, TestDesk.mbt.text) == 400_000_000)
    }

    /// R2 and R9: neither reading explains the position. Nothing is booked, the instrument is halted, the difference stands in suspense.
    @Test func aCorrectionThatExplainsNothingHaltsItsInstrument() throws {
        var desk = try corrected(quantity: 1, price: 97_000)
        try desk.send(.snapshot(desk.snapshot(1, positions: [held(7)])))
        #expect(desk.desk.book.fills.count == 2 && desk.desk.book.differences.map(\.rule) == ["R2", "R9"])
        #expect(desk.desk.book.haltedInstruments[TestDesk.mbt] != nil && desk.desk.book.suspended == [TestDesk.mbt: TestDesk.mbt.text])
        #expect(desk.desk.book.balances.total(.suspense, TestDesk.mbt.text) == -400_000_000)
    }

    /// R2: the broker lists an execution beside the one that it corrects, to an edge that knows neither.
    @Test func aCorrectionInTheSamePictureIsNotBookedBesideItsOriginal() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(2))
        try desk.send(.condition(desk.gateway(.unreachable), generation: 1))
        try desk.send(.condition(desk.gateway(.connected), generation: 2))
        try desk.send(.ready(account: "DU1", generation: 2, nextOrderID: 1))
        let fills = try ["01.01", "01.02"].map { try desk.brokerFill(desk.placed[0], "0000e0d5.6545a1b2.\($0)", 2, 98_000) }
        for _ in 0..<2 {
            try desk.tick(11)
            try desk.send(.snapshot(desk.snapshot(2, fills: fills, positions: [held(2)])))
        }
        #expect(desk.desk.book.netQuantity(TestDesk.mbt) == Quantity(whole: 2) && desk.desk.isTrading && desk.desk.book.differences.isEmpty)
        #expect(desk.desk.book.fills.map { $0.reversedBy == nil } == [false, true])
    }

    /// R9: the ledger's position is the broker's, the difference stands in suspense until it is explained, and nothing new is opened.
    @Test func aDifferenceStandsInSuspenseUntilItIsExplained() throws {
        var desk = try TestDesk()
        try desk.makeReady(positions: [held(2)])
        let asset = TestDesk.mbt.text
        #expect(desk.desk.book.balances.total(.suspense, asset) == -200_000_000 && desk.desk.book.balances.total(.position, asset) == 200_000_000)
        #expect(desk.desk.book.netQuantity(TestDesk.mbt) == .zero && desk.desk.book.balances.inSuspense == [asset])
        // A person lifts the halt before the broker was compared with: what stands in suspense refuses openings all the same.
        try desk.send(.resume(reason: "r"))
        #expect(desk.desk.book.haltedInstruments.isEmpty)
        try desk.tick()
        let before = desk.desk.book.head.seq
        try desk.send(.snapshot(desk.snapshot(1, positions: [held(2)])))
        #expect(desk.entries.filter { $0.seq > before && $0.kind == Kind.suspense.rawValue }.isEmpty, "the same difference is posted once")
        try desk.send(.resume(reason: "r"))
        try desk.tick()
        try desk.send(.snapshot(desk.snapshot(1)))
        #expect(desk.desk.book.balances.inSuspense.isEmpty && desk.desk.book.balances.imbalance.isEmpty && desk.desk.book.haltedInstruments.isEmpty)
        #expect(desk.desk.book.balances.total(.position, asset) == 0)
    }

    /// What stands in suspense reduces its instrument by itself, whatever became of the halt.
    @Test func whatStandsInSuspenseOpensNothing() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        let suspense = Suspense(
            rule: "R9", account: "DU1", asset: TestDesk.mbt.text, amount: 100_000_000, instrument: TestDesk.mbt, text: "t")
        try desk.commit([Draft(.suspense(suspense))])
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.isEmpty && desk.refusal?.code == "instrumentHalted" && desk.refusal?.text.contains("suspense") == true)
    }

    /// The books are asked before each opening: one entry that does not balance, and nothing new is opened any more.
    @Test func booksThatDoNotBalanceOpenNothing() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        let move = CashMove(account: "DU1", currency: "USD", amount: Money(whole: 5), at: desk.now, source: "console", note: "n")
        var draft = Draft(.transfer(move))
        draft.postings = [Posting(PostingAccount(.cash, "DU1"), "USD", 5)]
        let entry = try desk.chain.append(draft, at: ClockReading(wall: desk.now, monotonic: Span(nanoseconds: desk.now.nanoseconds)))
        desk.desk.apply([entry])
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.isEmpty && desk.refusal?.text.contains("does not balance") == true)
    }

    /// Money beyond the range of the books: the execution is kept, told, and its instrument is halted.
    @Test func whatCannotBePostedIsRecordedAndHaltsItsInstrument() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(1))
        var fill = try desk.brokerFill(desk.placed[0], "x1", 1, 98_000)
        fill.fill.lastQty = Quantity(whole: 90_000_000_000); fill.fill.lastPx = Price(whole: 90_000_000_000)
        try desk.send(.fill(fill))
        fill.fill.execID = "x2"
        try desk.send(.fill(fill))
        #expect(desk.desk.book.hasExecution("x2") && desk.desk.book.differences.first?.rule == "M1")
        #expect(desk.desk.book.haltedInstruments[TestDesk.mbt]?.hasPrefix("M1") == true && desk.desk.book.balances.imbalance.isEmpty)
    }

    /// A record by hand is written once for each id.
    @Test func whatAPersonWritesDownIsWrittenOnce() throws {
        var desk = try TestDesk()
        let id = try #require(CommandID(bytes: [UInt8](repeating: 9, count: 16)))
        let move = CashMove(account: "DU1", currency: "USD", amount: Money(whole: 5), at: desk.now, source: "console", note: "n")
        for _ in 0..<2 { try desk.send(.record(.transfer(move), command: id)) }
        #expect(desk.desk.book.balances.total(.cash, "USD") == 500_000_000 && desk.desk.book.commands[id]?.code == "done")
    }

    /// R7: one intent became two orders at the broker.
    @Test func twoWorkingOrdersOfOneTagHaltTheirInstrument() throws {
        var desk = try lost()
        let first = try desk.brokerOrder(desk.placed[0], .new, permID: 70)
        let second = try desk.brokerOrder(desk.placed[0], .new, permID: 71)
        for _ in 0..<2 { try desk.tick(11); try desk.send(.snapshot(desk.snapshot(2, open: [first, first, second]))) }
        #expect(desk.desk.book.differences.map(\.rule) == ["R7"] && desk.desk.book.haltedInstruments.count == 1)
        #expect(desk.desk.book.differences.first?.text.contains("70") == true && desk.desk.book.differences.first?.text.contains("71") == true)
    }

    /// A code refused it here, and the broker works it: nothing new is opened beside an order that may still fill.
    @Test(arguments: [OrdStatus.rejected, .canceled]) func anOrderThatEndedHereAndWorksThereHaltsItsInstrument(end: OrdStatus) throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(3))
        try desk.send(.order(desk.brokerOrder(desk.placed[0], end), code: nil))
        try desk.send(.condition(desk.gateway(.unreachable), generation: 1))
        try desk.send(.condition(desk.gateway(.connected), generation: 2))
        try desk.send(.ready(account: "DU1", generation: 2, nextOrderID: 1))
        try desk.send(.snapshot(desk.snapshot(2, open: [desk.brokerOrder(desk.placed[0], .new)])))
        #expect(desk.desk.book.differences.map(\.rule) == ["R3"] && desk.desk.book.haltedInstruments[TestDesk.mbt]?.hasPrefix("R3") == true)
        #expect(desk.desk.book.order(desk.placed[0])?.status == end && desk.desk.isTrading)
    }

    @Test func idsThatTheSessionUsedUpAreNotTaken() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        try desk.send(.orderIDFloor(400))
        try desk.send(.orderIDFloor(300))
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.desk.book.order(desk.placed[0])?.leg.brokerOrderID == 400)
    }
}
