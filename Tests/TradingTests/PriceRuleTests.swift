// Rules that follow the traded price: once a price, through the gate, and never on a price that only repeats.
import Ledger
import Testing
import Trading
import Values

/// A buy stop of one at every price from 100,000 on.
private struct AtPrice: PriceRule {
    var instruments: [InstrumentID] { [TestDesk.mbt] }
    func wish(_ instrument: InstrumentID, tradedAt price: Price, at now: Instant) -> OrderWish? {
        guard price >= Price(whole: 100_000) else { return nil }
        return OrderWish(
            instrument: instrument, side: .buy, quantity: Quantity(whole: 1), role: .open, origin: .bot, bot: "at", ordType: .stop, stopPrice: price)
    }
}

@Suite struct PriceRuleTests {
    private func ready() throws -> TestDesk {
        var settings = DeskSettings(mode: .paper)
        settings.priceRules = [AtPrice()]
        var desk = try TestDesk(settings: settings)
        try desk.makeReady()
        return desk
    }

    @Test func eachNewPriceIsAnsweredOnce() throws {
        var desk = try ready()
        try desk.quote(99_000)
        #expect(desk.placed.isEmpty)
        try desk.quote(100_000)
        try desk.quote(100_000)
        #expect(desk.placed.count == 1)
        try desk.quote(100_005)
        #expect(desk.placed.count == 2 && desk.denial == nil)
        #expect(try desk.placed.map { try #require(desk.desk.book.order($0)).stopPrice } == [Price(whole: 100_000), Price(whole: 100_005)])
    }

    @Test func theGateStandsInItsWay() throws {
        var desk = try ready()
        try desk.send(.halt(source: "file", reason: "KILL"))
        try desk.quote(100_000)
        #expect(desk.placed.isEmpty && desk.denial?.rule == "halted" && desk.denial?.bot == "at")
    }

    @Test func anotherInstrumentIsNotItsBusiness() throws {
        var desk = try ready()
        try desk.quote(100_000, InstrumentID("OTHER.CME"))
        #expect(desk.placed.isEmpty && desk.denial == nil)
    }
}
