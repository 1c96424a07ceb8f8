// Money of the simulated account: margins, profit and loss, what-if, and that replaying fills rebuilds it.
import Testing
import Values
import Venues

@Suite struct PaperAccountTests {
    @Test func futuresPayOnlyProfitAndLoss() throws {
        var venue = try exchange([95_000, 96_000])
        var events = venue.handle(.place(ticket(1, .buy, 2)), at: friday)
        let bought = events.fills.reduce(Int128(0)) { $0 + Int128($1.price.raw) * Int128($1.quantity.raw) }
        #expect(venue.account.cash == Money(raw: Money(whole: 1_000_000).raw - 2 * 227_000_000), "only the commission has moved")
        let held = venue.balance()
        #expect(held.initialMargin == Money(whole: 5_600) && held.maintenanceMargin == Money(whole: 4_480) && held.grossValue == .zero)
        events = venue.handle(.place(ticket(2, .sell, 2)), at: friday + .seconds(61))
        let sold = events.fills.reduce(Int128(0)) { $0 + Int128($1.price.raw) * Int128($1.quantity.raw) }
        let gain = Money(raw: Int64((sold - bought) * 10_000_000 / 10_000_000_000_000_000))
        #expect(gain > Money(whole: 195) && gain < Money(whole: 201))
        #expect(events.fills.reduce(0) { $0 + ($1.realised?.raw ?? 0) } == gain.raw)
        #expect(venue.account.cash.raw == Money(whole: 1_000_000).raw + gain.raw - 4 * 227_000_000)
        #expect(venue.balance().initialMargin == .zero && venue.account.position(mbt).averagePrice == nil)
    }

    @Test func flippingClosesThenOpens() throws {
        var venue = try exchange([95_000, 95_000])
        _ = venue.handle(.place(ticket(1, .sell, 1)), at: friday)
        let events = venue.handle(.place(ticket(2, .buy, 3)), at: friday + .seconds(1))
        #expect(events.fills.first?.realised != nil)
        let position = venue.account.position(mbt)
        #expect(position.quantity == Quantity(whole: 2))
        #expect(try #require(position.averagePrice) >= Price(whole: 95_000))
    }

    @Test func previewTellsWhatPlacingThenDoes() throws {
        var venue = try exchange([95_000, 95_000])
        let preview = try venue.preview(ticket(1, .buy, 3))
        #expect(preview.before.initialMargin == .zero && preview.after.initialMargin == Money(whole: 8_400))
        #expect(preview.commission == Money(raw: 681_000_000))
        #expect(venue.orders.isEmpty && venue.account.positions.isEmpty, "nothing was placed")
        _ = venue.handle(.place(ticket(1, .buy, 3)), at: friday)
        #expect(venue.balance().initialMargin == preview.after.initialMargin)
        #expect(throws: PaperRefusal.self) { try venue.preview(ticket(2, .buy, 400)) }
    }

    @Test func stocksArePaidForInFull() throws {
        let date = try day(2026, 11, 20)
        var venue = PaperExchange(rules: PaperRules(seed: 3), listings: PaperCatalogue.standard(asOf: date), start: friday)
        let apple = InstrumentID("AAPL.NASDAQ")
        let order = PaperTicket(id: PaperOrderID(1), instrument: apple, side: .buy, quantity: Quantity(whole: 50))
        let events = venue.handle(.place(order), at: friday)
        let paid = events.fills.reduce(Int64(0)) { $0 + $1.price.raw * ($1.quantity.raw / 100_000_000) + $1.commission.raw }
        #expect(venue.account.cash.raw == Money(whole: 1_000_000).raw - paid)
        #expect(events.fills.reduce(0) { $0 + $1.commission.raw } == Money(whole: 1).raw, "the minimum of an order, once")
        let balance = venue.balance()
        #expect(balance.stockValue > Money(whole: 5_000) && balance.grossValue == balance.stockValue)
        #expect(balance.initialMargin.raw * 2 == balance.stockValue.raw)
        #expect(abs(balance.netLiquidation.raw - Money(whole: 1_000_000).raw) < Money(whole: 5).raw)
    }

    @Test func replayingWhatWasToldRebuildsOrdersAndAccount() throws {
        var venue = try exchange([95_000, 94_000, 96_000])
        var events = venue.handle(.place(ticket(1, .buy, 25)), at: friday)
        events += venue.handle(.place(ticket(2, .sell, 10, .stop, stop: 94_500)), at: friday + .seconds(5))
        events += venue.handle(.place(ticket(3, .sell, 4, .limit, limit: 99_000)), at: friday + .seconds(6))
        events += venue.advance(to: friday + .seconds(90))
        var again = try exchange([95_000, 94_000, 96_000])
        for event in events {
            switch event {
            case .order(let order): again.restore(order)
            case .fill(let fill): try again.restore(fill)
            default: break
            }
        }
        #expect(again.account == venue.account && again.orders == venue.orders && again.liveOrders == venue.liveOrders)
        #expect(again.fillSerial == venue.fillSerial && venue.fillSerial > 2)
        // And it goes on the same way.
        _ = again.advance(to: venue.now)
        let more = venue.handle(.replace(ticket(3, .sell, 4, .limit, limit: 95_900)), at: friday + .seconds(130)).fills
        #expect(again.handle(.replace(ticket(3, .sell, 4, .limit, limit: 95_900)), at: friday + .seconds(130)).fills == more && !more.isEmpty)
    }
}
