// Stops and what they protect: closing while an entry fills, stops left behind, refused distances, orders back from the dead.
import Ledger
import Testing
import Trading
import Values

struct ProtectionTests {
    private static let trail = TrailingOffset.percent(Ratio(raw: 100_000))

    /// An entry with its stop, filled by `filled` of ten.
    private func entered(_ filled: Int64) throws -> TestDesk {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(10, trailing: Self.trail))
        for tag in desk.placed { try desk.send(.order(desk.brokerOrder(tag, .new), code: nil)) }
        if filled > 0 { try desk.send(.fill(desk.brokerFill(desk.placed[0], "e1", filled, 98_000))) }
        return desk
    }

    private func held(_ quantity: Int64) -> [BrokerPosition] {
        quantity == 0 ? [] : [BrokerPosition(account: "DU1", instrument: TestDesk.mbt, quantity: Quantity(whole: quantity))]
    }

    private func cancelled(_ desk: TestDesk) -> [ClOrdID] {
        desk.facts.compactMap { if case .cancelIntent(let cancel) = $0 { cancel.tag } else { nil } }
    }

    /// The rest of a half-filled entry would open a position that nothing protects.
    @Test func closingEndsTheEntryThatStillFills() throws {
        var desk = try entered(4)
        let (entry, stop) = (desk.placed[0], desk.placed[1])
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        #expect(cancelled(desk) == [entry, stop])
        try desk.send(.order(desk.brokerOrder(stop, .canceled), code: nil))
        try desk.tick()
        #expect(desk.placed.count == 2, "the entry may still fill")
        try desk.send(.fill(desk.brokerFill(entry, "e2", 1, 98_000)))
        try desk.send(.order(desk.brokerOrder(entry, .canceled), code: nil))
        try desk.tick()
        let last = try #require(desk.placed.last)
        let closing = try #require(desk.desk.book.order(last))
        #expect(closing.leg.role == .close && closing.quantity == Quantity(whole: 5))
    }

    /// The stop's cancel comes when the closing's time is up: the closing order does not leave after it, and the stop is placed again.
    @Test func aClosingDoesNotLeaveAfterItsTime() throws {
        for late in [false, true] {
            var desk = try entered(10)
            let stop = desk.placed[1]
            _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
            desk.now = desk.now + .seconds(late ? 60 : 59)
            try desk.quote(98_000)
            try desk.send(.order(desk.brokerOrder(stop, .canceled), code: nil))
            try desk.send(.timer)
            let orders = try desk.placed.dropFirst(2).map { try #require(desk.desk.book.order($0)).leg.role }
            #expect(orders == (late ? [.protect] : [.close]))
        }
    }

    /// The stop of an entry that rests belongs to that entry: taken alone, the entry would trigger without it.
    @Test func closingDoesNotLeaveARestingEntryWithoutItsStop() throws {
        var desk = try entered(0)
        let entry = desk.placed[0]
        _ = try desk.command(.order(instrument: TestDesk.mbt, side: .buy, size: .quantity(Quantity(whole: 2)), trailing: nil, reverse: false))
        try desk.send(.fill(desk.brokerFill(desk.placed[2], "m", 2, 98_000)))
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        #expect(cancelled(desk) == [entry], "its stop goes with it at the broker")
    }

    /// Our wish to cancel is no proof of what became of the order.
    @Test func aCancelDoesNotEndTheUnknown() throws {
        var desk = try entered(0)
        let entry = desk.placed[0]
        try desk.send(.condition(desk.gateway(.unreachable), generation: 1))
        try desk.send(.condition(desk.gateway(.connected), generation: 2))
        try desk.send(.ready(account: "DU1", generation: 2, nextOrderID: 1))
        _ = try desk.command(.cancel(tag: entry))
        #expect(desk.actions.count == 1 && desk.desk.book.order(entry)?.status == .unknown)
    }

    /// A cancel that the broker refused must not keep the position open for ever.
    @Test func closingAsksAgainForACancelThatWasLost() throws {
        var desk = try entered(10)
        let stop = desk.placed[1]
        _ = try desk.command(.cancel(tag: stop))
        #expect(desk.desk.book.order(stop)?.status == .pendingCancel)
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        #expect(desk.actions.count == 1 && cancelled(desk) == [stop, stop])
    }

    /// The broker did not cancel: the order is shown as working again, with the reason, and a closing asks again after a while.
    @Test(arguments: [0, 4] as [Int64]) func aRefusedCancelIsShownAndTriedAgain(filled: Int64) throws {
        var desk = try entered(10)
        let stop = desk.placed[1]
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        if filled > 0 { try desk.send(.fill(desk.brokerFill(stop, "s1", filled, 97_000))) }
        #expect(desk.desk.book.order(stop)?.status == .pendingCancel)
        for _ in 0..<2 {
            try desk.send(.cancelRefused(desk.brokerOrder(stop, .new), code: 161, text: "not in a cancellable state"))
            #expect(desk.desk.book.order(stop)?.status == (filled > 0 ? .partiallyFilled : .new))
        }
        #expect(desk.desk.book.order(stop)?.text == "not in a cancellable state" && desk.desk.book.order(stop)?.code == 161)
        #expect(desk.facts.count { if case .cancelRefused = $0 { true } else { false } } == 1, "said once")
        try desk.tick(4)
        #expect(cancelled(desk) == [stop])
        try desk.tick(2)
        #expect(cancelled(desk) == [stop, stop] && desk.desk.book.order(stop)?.status == .pendingCancel)
    }

    /// The broker does not list an order that works here: two pictures tell that it is gone, or the list of finished orders how it ended.
    @Test(arguments: [OrdStatus.dead, .canceled]) func anOrderThatIsMissingIsCompared(end: OrdStatus) throws {
        var desk = try entered(0)
        let entry = desk.placed[0]
        _ = try desk.command(.cancel(tag: entry))
        try desk.send(.orderMissing(reference: entry.text, brokerOrderID: 5, text: "not found"))
        let (gone, stop) = (try desk.brokerOrder(entry, .canceled), try desk.brokerOrder(desk.placed[1], .new))
        for _ in 0..<10 where desk.desk.book.order(entry)?.isWorking == true {
            try desk.tick()
            guard desk.actions.contains(.snapshot) else { continue }
            #expect(!desk.desk.isTrading)
            try desk.send(.snapshot(desk.snapshot(1, open: [stop], completed: end == .canceled ? [gone] : [])))
        }
        #expect(desk.desk.book.order(entry)?.status == end && desk.desk.isTrading && desk.desk.book.order(desk.placed[1])?.isWorking == true)
    }

    /// A stop is cancelled for a closing; that it had sold four is told late. The position and the order's filled amount are right all the same.
    @Test func aFillAfterTheEndIsBookedAndCounts() throws {
        var desk = try entered(10)
        let stop = desk.placed[1]
        _ = try desk.command(.cancel(tag: stop))
        try desk.send(.order(desk.brokerOrder(stop, .canceled), code: nil))
        try desk.send(.fill(desk.brokerFill(stop, "late", 4, 97_000)))
        let order = try #require(desk.desk.book.order(stop))
        #expect(order.status == .canceled && order.cumQty == Quantity(whole: 4) && desk.desk.book.netQuantity(TestDesk.mbt) == Quantity(whole: 6))
    }

    @Test(arguments: [0, -1, 1_000_000, Int64.max]) func aPercentThatCannotBeIsRefused(raw: Int64) throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(1, trailing: .percent(Ratio(raw: raw))))
        #expect(desk.placed.isEmpty && desk.refusal?.code == "badTrailing")
    }

    @Test(arguments: [Price(whole: 0), Price(whole: -5), Price(whole: 7), Price(whole: 98_000)]) func anAmountThatCannotBeIsRefused(amount: Price)
        throws
    {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(1, trailing: .amount(amount)))
        #expect(desk.placed.isEmpty && desk.refusal?.code == "badTrailing")
    }

    /// Runs the clock, with quotes kept fresh, and gives each snapshot that is asked for.
    private func pass(_ desk: inout TestDesk, seconds: Int, held quantity: Int64) throws {
        for _ in 0..<seconds {
            try desk.tick()
            if desk.actions.contains(.snapshot) { try desk.send(.snapshot(desk.snapshot(1, positions: held(quantity)))) }
        }
    }

    /// Four of ten were bought and the rest cancelled: a stop for ten would sell six that nobody has.
    @Test func aStopIsReducedToWhatTheEntryBought() throws {
        var desk = try entered(4)
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .canceled), code: nil))
        try pass(&desk, seconds: 4, held: 4)
        #expect(desk.desk.book.order(desk.placed[1])?.quantity == Quantity(whole: 10), "the broker may do it by itself")
        try pass(&desk, seconds: 6, held: 4)
        #expect(desk.desk.book.order(desk.placed[1])?.quantity == Quantity(whole: 4) && desk.desk.isTrading)
    }

    /// The position was sold by other hands, and its stop rests on: it would open the other side.
    @Test func aStopWithoutAPositionIsCancelled() throws {
        var desk = try entered(10)
        var sale = try desk.brokerFill(desk.placed[0], "foreign", 10, 98_100)
        sale.reference = ""; sale.brokerOrderID = 0; sale.fill.side = .sell
        try desk.send(.fill(sale))
        #expect(desk.desk.book.netQuantity(TestDesk.mbt) == .zero)
        try pass(&desk, seconds: 10, held: 0)
        #expect(cancelled(desk) == [desk.placed[1]])
    }

    /// Where the broker holds what the ledger does not know, the stop stays.
    @Test func aStopIsNotTakenFromAPositionThatTheBrokerStillHolds() throws {
        var desk = try entered(0)
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .filled), code: nil))
        try pass(&desk, seconds: 30, held: 10)
        #expect(cancelled(desk).isEmpty && desk.desk.book.order(desk.placed[1])?.quantity == Quantity(whole: 10))
        #expect(desk.desk.book.haltedInstruments[TestDesk.mbt]?.hasPrefix("R9") == true)
    }

    /// A stop that protects nothing and that the broker will not cancel is not asked for all day long.
    @Test func aRefusedCancelOfAnExcessRests() throws {
        var desk = try entered(10)
        var sale = try desk.brokerFill(desk.placed[0], "foreign", 10, 98_100)
        sale.reference = ""; sale.brokerOrderID = 0; sale.fill.side = .sell
        try desk.send(.fill(sale))
        try pass(&desk, seconds: 10, held: 0)
        try desk.send(.cancelRefused(desk.brokerOrder(desk.placed[1], .new), code: 161, text: "not in a cancellable state"))
        try pass(&desk, seconds: 300, held: 0)
        #expect(cancelled(desk) == [desk.placed[1]])
        try pass(&desk, seconds: 320, held: 0)
        #expect(cancelled(desk) == [desk.placed[1], desk.placed[1]])
    }

    /// The broker says filled and lists no execution: what is held is compared before anything else leaves.
    @Test func anEndWithoutItsExecutionsIsCompared() throws {
        var desk = try entered(0)
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .filled), code: nil))
        try desk.tick()
        #expect(!desk.desk.isTrading && desk.desk.live.gateway?.condition == .reconciling)
    }

    /// Selling what the ledger holds would open the other side where the broker holds less.
    @Test func nothingIsClosedThatTheBrokerHoldsOtherwise() throws {
        var desk = try entered(10)
        try desk.send(.order(desk.brokerOrder(desk.placed[1], .canceled), code: nil))
        desk.actions = []
        try desk.send(.condition(desk.gateway(.connected), generation: 2))
        try desk.send(.ready(account: "DU1", generation: 2, nextOrderID: 1))
        for _ in 0..<3 { try desk.tick(11); try desk.send(.snapshot(desk.snapshot(2, positions: held(5)))) }
        #expect(desk.desk.book.haltedInstruments[TestDesk.mbt]?.hasPrefix("R9") == true && desk.desk.isTrading)
        let placed = desk.placed.count
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        #expect(desk.refusal?.code == "positionDiffers" && desk.placed.count == placed)
    }

    @Test func anEntryWhoseStopWasRefusedDoesNotRest() throws {
        var desk = try entered(0)
        try desk.send(.order(desk.brokerOrder(desk.placed[1], .rejected, text: "no such offset"), code: 201))
        #expect(cancelled(desk) == [desk.placed[0]])
    }

    @Test func anOrderBackFromTheDeadIsCancelledAndHaltsItsInstrument() throws {
        var desk = try ReconciliationTests().lost()
        let tag = desk.placed[0]
        for _ in 0..<2 {
            try desk.tick(11)
            try desk.send(.snapshot(desk.snapshot(2)))
        }
        #expect(desk.desk.book.order(tag)?.status == .dead)
        try desk.send(.order(desk.brokerOrder(tag, .new), code: nil))
        #expect(cancelled(desk) == [tag] && desk.desk.book.haltedInstruments[TestDesk.mbt] != nil)
        #expect(desk.desk.book.order(tag)?.isWorking == true)
    }

    /// The console's word lifts the halt of an instrument; what still differs halts it again.
    @Test(arguments: [0, 7]) func resumingAcknowledgesWhatWasHaltedAndComparesAnew(held quantity: Int64) throws {
        var desk = try TestDesk()
        try desk.makeReady(positions: held(7))
        #expect(desk.desk.book.haltedInstruments[TestDesk.mbt] != nil)
        try desk.send(.resume(reason: "looked at"))
        #expect(desk.desk.book.haltedInstruments.isEmpty && !desk.desk.isTrading, "nothing leaves before the comparison")
        try desk.tick()
        #expect(desk.actions.contains(.snapshot))
        try desk.send(.snapshot(desk.snapshot(1, positions: held(quantity))))
        #expect(desk.desk.isTrading && (desk.desk.book.haltedInstruments[TestDesk.mbt] != nil) == (quantity != 0))
    }

    /// A trailing level moves between the two pictures of a comparison.
    @Test func aMovingStopDoesNotHoldUpTheComparison() throws {
        var desk = try entered(10)
        try desk.send(.condition(desk.gateway(.unreachable), generation: 1))
        try desk.send(.condition(desk.gateway(.connected), generation: 2))
        try desk.send(.ready(account: "DU1", generation: 2, nextOrderID: 1))
        for level in [88_000, 88_005] as [Int64] {
            try desk.tick(11)
            var stop = try desk.brokerOrder(desk.placed[1], .new)
            stop.stopPrice = Price(whole: level)
            try desk.send(.snapshot(desk.snapshot(2, open: [stop], positions: held(10))))
        }
        #expect(desk.desk.isTrading && desk.desk.book.order(desk.placed[1])?.stopPrice == Price(whole: 88_005))
    }
}
