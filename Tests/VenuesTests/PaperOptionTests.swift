// Options, currencies and coins of the simulated exchange: prices that hang together, sizes that fit.
import Testing
import Values
import Venues

@Suite struct PaperOptionTests {
    private static let start = Instant(seconds: 1_795_186_800)

    private func terms(_ isCall: Bool, strike: Int64 = 230, days: Int64 = 30) -> OptionTerms {
        OptionTerms(
            strike: Price(whole: strike), isCall: isCall, underlying: InstrumentID("AAPL.NASDAQ"), underlyingTick: Price(raw: 1_000_000),
            expires: Self.start + .hours(days * 24), volatility: Ratio(raw: 300_000))
    }

    @Test func callsAndPutsHoldParityAndFallWithDistance() throws {
        var last = Price(whole: 1_000)
        for strike in stride(from: Int64(150), through: 310, by: 5) {
            let (call, put) = (terms(true, strike: strike), terms(false, strike: strike))
            let spot = Price(whole: 230)
            let (c, p) = (call.value(underlying: spot, at: Self.start), put.value(underlying: spot, at: Self.start))
            // Without interest the difference of the two is what exercise would bring.
            #expect(c.price.raw - p.price.raw == spot.raw - strike * 100_000_000)
            #expect(c.price <= last && c.price.raw >= max(spot.raw - strike * 100_000_000, 0))
            #expect(abs(c.delta - p.delta - 100_000_000) <= 2 && c.delta >= 0 && p.delta <= 0 && c.theta <= 0 && c.gamma == p.gamma)
            last = c.price
        }
    }

    @Test func atTheMoneyIsFourTenthsOfADeviationAndDecays() throws {
        let value = terms(true).value(underlying: Price(whole: 230), at: Self.start)
        // 0.3989 * 230 * 0.3 * sqrt(30 / 365) = 7.8914
        #expect(abs(value.price.raw - 789_140_000) < 200_000, "\(value.price)")
        #expect(abs(value.delta - 50_000_000) < 1_000)
        // 230 * sqrt(30 / 365) * 0.3989 / 100 = 0.26305; half of 7.8914 over 30 days is 0.13152 a day.
        #expect(abs(value.vega - 26_305_000) < 20_000 && abs(value.theta + 13_152_000) < 20_000, "\(value)")
        let later = terms(true).value(underlying: Price(whole: 230), at: Self.start + .hours(24 * 29))
        #expect(later.price < value.price)
        let over = terms(true).value(underlying: Price(whole: 233), at: Self.start + .hours(24 * 31))
        #expect(over.price == Price(whole: 3) && over.delta == 100_000_000)
    }

    @Test func aPriceImpliesTheVolatilityThatMadeIt() throws {
        for volatility in [Int64(80_000), 300_000, 1_200_000] {
            for strike in [Int64(220), 230, 245] {
                let option = terms(true, strike: strike)
                let price = option.value(underlying: Price(whole: 230), volatility: Ratio(raw: volatility), at: Self.start).price
                let implied = try #require(option.impliedVolatility(price: price, underlying: Price(whole: 230), at: Self.start))
                #expect(abs(implied.raw - volatility) <= 2, "\(strike) at \(volatility): \(implied)")
            }
        }
        let deep = terms(true, strike: 200)
        #expect(deep.impliedVolatility(price: Price(whole: 29), underlying: Price(whole: 230), at: Self.start) == nil, "below exercise")
    }

    @Test func anOptionFollowsItsStockAndIsPaidTimesAHundred() throws {
        let date = try day(2026, 11, 20)
        let listings = PaperCatalogue.everything(asOf: date)
        var venue = PaperExchange(rules: PaperRules(seed: 4), listings: listings, start: Self.start)
        let chain = listings.filter { $0.option != nil }
        #expect(chain.filter { ($0.instrument.maturityDate ?? date) >= date }.count == 66 && chain.count == 88)
        #expect(Set(listings.map(\.instrument.brokerContractID)).count == listings.count)
        let call = try #require(chain.first { $0.instrument.localSymbol == "AAPL  261218C00230000" })
        let option = try #require(call.option)
        var agreements = 0
        for second in 1...120 {
            _ = venue.advance(to: Self.start + .seconds(Int64(second)))
            let shown = (venue.touch(call.instrument.id), venue.touch(option.underlying))
            let (touch, stock) = (try #require(shown.0), try #require(shown.1))
            let fair = option.value(underlying: Price(raw: (stock.bid.raw + stock.ask.raw) / 2), at: venue.now).price
            if abs(touch.bid.raw - fair.raw) <= 4_000_000 { agreements += 1 }
        }
        #expect(agreements == 120)
        let events = venue.handle(
            .place(PaperTicket(id: PaperOrderID(1), instrument: call.instrument.id, side: .buy, quantity: Quantity(whole: 2))), at: venue.now)
        let fill = try #require(events.fills.first)
        let paid = fill.price.raw * 200 + fill.commission.raw
        #expect(venue.account.cash.raw == Money(whole: 1_000_000).raw - paid && fill.commission == Money(raw: 130_000_000))
        #expect(venue.balance().stockValue.raw > fill.price.raw * 150)
    }

    @Test func aHundredthOfACoinAndAMillionEuroAreOrders() throws {
        var venue = PaperExchange(
            rules: PaperRules(seed: 4, startingCash: Money(whole: 5_000_000)), listings: PaperCatalogue.currencies() + PaperCatalogue.coins(),
            start: Self.start)
        var coin = PaperTicket(
            id: PaperOrderID(1), instrument: InstrumentID("BTC.USD.PAXOS"), side: .buy, quantity: Quantity(raw: 2_000_001), timeInForce: .gtc)
        let bought = venue.handle(.place(coin), at: Self.start)
        #expect(bought.refusals.isEmpty && bought.fills.reduce(0) { $0 + $1.quantity.raw } == 2_000_001)
        let euro = PaperTicket(id: PaperOrderID(2), instrument: InstrumentID("EUR.USD.IDEALPRO"), side: .buy, quantity: Quantity(whole: 1_000_000))
        #expect(venue.handle(.place(euro), at: Self.start).refusals.isEmpty)
        coin.id = PaperOrderID(3)
        coin.quantity = Quantity(whole: 1_000_001)
        #expect(venue.handle(.place(coin), at: Self.start).refusals == [.quantity])
    }
}
