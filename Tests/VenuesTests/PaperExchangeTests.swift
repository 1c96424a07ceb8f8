// The matching engine: what each order type does when the market moves in a known way.
import Testing
import Values
import Venues

@Suite struct PaperExchangeTests {
    @Test func marketOrderOfTwentyFiveFillsInPartsOverLevelsAndTime() throws {
        var venue = try exchange([95_000, 95_000])
        var events = venue.handle(.place(ticket(1, .buy, 25)), at: friday)
        #expect(try #require(venue.order(PaperOrderID(1))).state == .working)
        events += venue.advance(to: friday + .seconds(30))
        let fills = events.fills
        #expect(fills.count >= 2 && fills.allSatisfy { $0.quantity < Quantity(whole: 25) })
        #expect(fills.reduce(0) { $0 + $1.quantity.raw } == Quantity(whole: 25).raw)
        #expect(Set(fills.map(\.price)).count >= 2, "deeper levels cost more")
        #expect(fills.map(\.serial) == Array(1...UInt64(fills.count)))
        #expect(fills.last?.cumulative == Quantity(whole: 25))
        #expect(venue.order(PaperOrderID(1))?.state == .filled)
        #expect(venue.account.position(mbt).quantity == Quantity(whole: 25))
        #expect(fills.reduce(0) { $0 + $1.commission.raw } == 25 * 227_000_000)
    }

    @Test func limitRestsUntilTheMarketComesAndThenFillsNoWorse() throws {
        var venue = try exchange([95_000, 94_000])
        var events = venue.handle(.place(ticket(1, .buy, 2, .limit, limit: 94_500)), at: friday)
        events += venue.advance(to: friday + .seconds(59))
        #expect(events.fills.isEmpty)
        events += venue.advance(to: friday + .seconds(61))
        #expect(events.fills.map(\.quantity) == [Quantity(whole: 2)])
        #expect(events.fills.allSatisfy { $0.price <= Price(whole: 94_005) && !$0.added })
        #expect(events.states(of: 1) == [.working, .filled])
    }

    @Test func restingLimitAtTheTouchIsFilledByOthersTradesAtItsOwnPrice() throws {
        var venue = try exchange([95_000, 95_000, 95_000])
        // The tape trades at 95,000 in every step; a buy there is never marketable while the ask is 95,005.
        var events: [PaperEvent] = []
        for second in 0..<120 where venue.touch(mbt)?.ask == Price(whole: 95_000) { events += venue.advance(to: friday + .seconds(Int64(second))) }
        events += venue.handle(.place(ticket(1, .buy, 30, .limit, limit: 95_000)), at: venue.now)
        events += venue.advance(to: friday + .seconds(170))
        #expect(events.fills.contains { $0.added } && events.fills.allSatisfy { $0.price == Price(whole: 95_000) })
    }

    @Test func stopTriggersOnAGapAndFillsBeyondItsPrice() throws {
        var venue = try exchange([95_000, 93_000])
        var events = venue.handle(.place(ticket(1, .sell, 1, .stop, stop: 94_500)), at: friday)
        #expect(events.states(of: 1) == [.armed])
        events += venue.advance(to: friday + .seconds(61))
        #expect(events.states(of: 1) == [.armed, .working, .filled])
        let price = try #require(events.fills.first?.price)
        #expect(price <= Price(whole: 93_000) && price >= Price(whole: 92_990), "the gap is not given back")
    }

    @Test func stopLimitStaysWhenTheGapJumpsOverItsLimit() throws {
        var venue = try exchange([95_000, 93_000, 94_400])
        var events = venue.handle(.place(ticket(1, .sell, 1, .stopLimit, limit: 94_300, stop: 94_500)), at: friday)
        events += venue.advance(to: friday + .seconds(110))
        #expect(events.states(of: 1) == [.armed, .working] && events.fills.isEmpty)
        events += venue.advance(to: friday + .seconds(121))
        #expect(try #require(events.fills.first?.price) >= Price(whole: 94_300))
    }

    @Test func trailingStopFollowsUpNeverDownAndThenSells() throws {
        var venue = try exchange([95_000, 96_000, 95_800, 95_400])
        var order = ticket(1, .sell, 1, .trailingStop, stop: 94_400)
        order.trail = .amount(Price(whole: 500))
        var events = venue.handle(.place(order), at: friday)
        // The first stop is nearer the market than the given one after the first look.
        #expect(venue.order(PaperOrderID(1))?.stop == Price(whole: 94_500))
        events += venue.advance(to: friday + .seconds(90))
        #expect(venue.order(PaperOrderID(1))?.stop == Price(whole: 95_500))
        events += venue.advance(to: friday + .seconds(150))
        #expect(venue.order(PaperOrderID(1))?.stop == Price(whole: 95_500), "a falling market does not lower it")
        events += venue.advance(to: friday + .seconds(185))
        #expect(events.states(of: 1).suffix(2) == [.working, .filled])
    }

    @Test func trailingStopByPercentKeepsItsDistance() throws {
        var venue = try exchange([90_000, 100_000])
        var order = ticket(1, .sell, 1, .trailingStop)
        order.trail = .fraction(Ratio(raw: 100_000))
        _ = venue.handle(.place(order), at: friday)
        #expect(venue.order(PaperOrderID(1))?.stop == Price(whole: 81_000))
        _ = venue.advance(to: friday + .seconds(70))
        #expect(venue.order(PaperOrderID(1))?.stop == Price(whole: 90_000))
    }

    @Test func bracketWakesWithTheParentAndOneExitEndsTheOther() throws {
        var venue = try exchange([95_000, 96_000])
        var target = ticket(2, .sell, 1, .limit, limit: 95_500)
        var stop = ticket(3, .sell, 1, .stop, stop: 94_000)
        for child in [\PaperTicket.parent] { target[keyPath: child] = PaperOrderID(1); stop[keyPath: child] = PaperOrderID(1) }
        target.group = "exit"; stop.group = "exit"
        var events = venue.handle(.place(ticket(1, .buy, 1, .limit, limit: 94_900)), at: friday)
        events += venue.handle(.place(target), at: friday)
        events += venue.handle(.place(stop), at: friday)
        #expect(events.states(of: 2) == [.held] && events.states(of: 3) == [.held])
        events += venue.handle(.replace(ticket(1, .buy, 1, .limit, limit: 95_100)), at: friday + .seconds(5))
        #expect(events.states(of: 1).last == .filled && events.states(of: 2).last == .working && events.states(of: 3).last == .armed)
        events += venue.advance(to: friday + .seconds(62))
        #expect(events.states(of: 2).last == .filled && events.states(of: 3).last == .cancelled)
        #expect(venue.account.position(mbt).quantity == .zero)
    }

    @Test func childrenNeverDoMoreThanTheirParentHasDone() throws {
        var venue = try exchange([95_000, 96_000, 96_000])
        var target = ticket(2, .sell, 30, .limit, limit: 95_500)
        var stop = ticket(3, .sell, 30, .stop, stop: 90_000)
        target.parent = PaperOrderID(1); stop.parent = PaperOrderID(1)
        target.group = "exit"; stop.group = "exit"
        var events = venue.handle(.place(ticket(1, .buy, 30, .limit, limit: 95_000)), at: friday)
        events += venue.handle(.place(target), at: friday)
        events += venue.handle(.place(stop), at: friday)
        events += venue.advance(to: friday + .seconds(3))
        events += venue.handle(.cancel(PaperOrderID(1)), at: friday + .seconds(3))
        let bought = try #require(venue.order(PaperOrderID(1))).filled
        try #require(bought > .zero && bought < Quantity(whole: 30))
        #expect(venue.order(PaperOrderID(2))?.ticket.quantity == bought && venue.order(PaperOrderID(3))?.ticket.quantity == bought)
        events += venue.advance(to: friday + .seconds(100))
        #expect(venue.account.position(mbt).quantity == .zero && venue.liveOrders.isEmpty)
    }

    @Test func cancellingAnUnfilledParentCancelsItsChildren() throws {
        var venue = try exchange([95_000])
        var child = ticket(2, .sell, 1, .stop, stop: 90_000)
        child.parent = PaperOrderID(1)
        _ = venue.handle(.place(ticket(1, .buy, 1, .limit, limit: 90_000)), at: friday)
        _ = venue.handle(.place(child), at: friday)
        let events = venue.handle(.cancel(PaperOrderID(1)), at: friday)
        #expect(events.states(of: 1) == [.cancelled] && events.states(of: 2) == [.cancelled])
    }

    @Test func groupThatReducesShrinksAndGroupThatCancelsEnds() throws {
        for rule in [GroupRule.reduce, .cancel] {
            var venue = try exchange([95_000, 95_000])
            var (a, b) = (ticket(1, .sell, 10, .limit, limit: 99_000), ticket(2, .sell, 1))
            a.group = "g"; b.group = "g"; a.groupRule = rule; b.groupRule = rule
            _ = venue.handle(.place(a), at: friday)
            _ = venue.handle(.place(b), at: friday)
            _ = venue.advance(to: friday + .seconds(3))
            let other = try #require(venue.order(PaperOrderID(1)))
            #expect(rule == .cancel ? other.state == .cancelled : other.state == .working && other.ticket.quantity == Quantity(whole: 9))
        }
    }

    @Test(arguments: [TimeInForce.ioc, .fok]) func immediateOrdersNeverRest(_ tif: TimeInForce) throws {
        var venue = try exchange([95_000])
        var order = ticket(1, .buy, 100)
        order.timeInForce = tif
        let events = venue.handle(.place(order), at: friday)
        #expect(events.states(of: 1).last == .cancelled)
        #expect(events.fills.isEmpty == (tif == .fok))
    }

    @Test func dayOrderLapsesAtTheEndOfTheDayAndGTDAtItsTime() throws {
        var venue = try exchange([95_000])
        var (day, dated) = (ticket(1, .buy, 1, .limit, limit: 90_000), ticket(2, .buy, 1, .limit, limit: 90_000))
        day.timeInForce = .day
        dated.timeInForce = .gtd
        dated.goodTill = friday + .seconds(10)
        _ = venue.handle(.place(day), at: friday)
        _ = venue.handle(.place(dated), at: friday)
        let soon = venue.advance(to: friday + .seconds(11))
        #expect(soon.states(of: 2) == [.expired] && soon.states(of: 1).isEmpty)
        // Midnight in Chicago is 06:00 UTC, fifteen hours on.
        #expect(venue.advance(to: friday + .hours(15) - .seconds(1)).states(of: 1).isEmpty)
        #expect(venue.advance(to: friday + .hours(15)).states(of: 1) == [.expired])
    }

    @Test func nothingTradesOutsideTheSession() throws {
        let shut = ExchangeHours(zone: .central, rows: [SessionRow(weekdays: [5], openDay: 0, openMinute: 600, closeMinute: 660)])
        var venue = try exchange([95_000], hours: shut)
        _ = venue.handle(.place(ticket(1, .buy, 1)), at: friday)
        #expect(venue.advance(to: friday + .minutes(59)).fills.isEmpty)
        #expect(venue.advance(to: friday + .minutes(61)).fills.count == 1, "opens at 10:00 in Chicago")
    }

    @Test func ownOrdersQueueByPriceThenTime() throws {
        var venue = try exchange([95_000, 94_000])
        _ = venue.handle(.place(ticket(1, .buy, 15, .limit, limit: 94_500)), at: friday)
        _ = venue.handle(.place(ticket(2, .buy, 15, .limit, limit: 94_600)), at: friday)
        _ = venue.handle(.place(ticket(3, .buy, 15, .limit, limit: 94_500)), at: friday)
        let fills = venue.advance(to: friday + .seconds(120)).fills
        var order: [Int64] = []
        for fill in fills where order.last != fill.order.raw { order.append(fill.order.raw) }
        #expect(order == [2, 1, 3])
    }

    @Test func refusalsNameTheirReason() throws {
        var venue = try exchange([95_000], cash: Money(whole: 5_000))
        func refusal(_ ticket: PaperTicket) -> PaperRefusal? { venue.handle(.place(ticket), at: friday).refusals.first }
        #expect(refusal(ticket(1, .buy, 0)) == .quantity)
        #expect(refusal(ticket(1, .buy, 1, .limit, limit: 95_002)) == .price(increment: Price(whole: 5)))
        #expect(refusal(ticket(1, .buy, 1, .limit)) == .incomplete("limit price"))
        #expect(refusal(ticket(1, .buy, 1, .stop)) == .incomplete("stop price"))
        #expect(refusal(ticket(1, .buy, 1, .trailingStop)) == .incomplete("trailing amount or percent"))
        #expect(refusal(ticket(1, .buy, 2)) == .margin(equity: Money(whole: 5_000), required: Money(whole: 5_600)))
        var other = ticket(1, .buy, 1)
        other.parent = PaperOrderID(77)
        #expect(refusal(other) == .unknownParent)
        #expect(refusal(ticket(1, .buy, 1, .limit, limit: 90_000)) == nil)
        #expect(refusal(ticket(1, .buy, 1)) == .duplicateID)
        #expect(refusal(ticket(2, .buy, 1)) == .margin(equity: Money(whole: 5_000), required: Money(whole: 5_600)), "the working order counts")
        #expect(venue.handle(.cancel(PaperOrderID(9)), at: friday).refusals == [.unknownOrder])
        _ = venue.handle(.cancel(PaperOrderID(1)), at: friday)
        #expect(venue.handle(.cancel(PaperOrderID(1)), at: friday).refusals == [.final(.cancelled)])
        #expect(venue.handle(.replace(ticket(1, .buy, 1)), at: friday).refusals == [.final(.cancelled)])
    }
}
