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

    /// R2: the same execution under a higher last part. Nothing is booked on a guess.
    @Test func aCorrectionIsShownAndHaltsItsInstrument() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(3))
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "0000e0d5.6545a1b2.01.01", 2, 98_000)))
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "0000e0d5.6545a1b3.01.01", 1, 98_000)))
        #expect(desk.desk.book.haltedInstruments.isEmpty && desk.desk.book.netQuantity(TestDesk.mbt) == Quantity(whole: 3), "two fills are two fills")
        for _ in 0..<2 { try desk.send(.fill(desk.brokerFill(desk.placed[0], "0000e0d5.6545a1b2.01.02", 2, 97_000))) }
        #expect(desk.desk.book.netQuantity(TestDesk.mbt) == Quantity(whole: 3) && desk.desk.book.fills.count == 2)
        #expect(desk.desk.book.differences.map(\.rule) == ["R2"] && desk.desk.book.haltedInstruments[TestDesk.mbt]?.hasPrefix("R2") == true)
    }

    /// R2: the broker lists an execution beside the one that it corrects. One of them is booked, and a person is told.
    @Test func aCorrectionInTheSamePictureIsNotBookedBesideItsOriginal() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(2))
        let fills = try ["01.01", "01.02"].map { try desk.brokerFill(desk.placed[0], "0000e0d5.6545a1b2.\($0)", 2, 98_000) }
        try desk.send(.snapshot(desk.snapshot(1, fills: fills)))
        #expect(desk.desk.book.netQuantity(TestDesk.mbt) == Quantity(whole: 2))
        #expect(desk.desk.book.haltedInstruments[TestDesk.mbt]?.hasPrefix("R2") == true)
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
