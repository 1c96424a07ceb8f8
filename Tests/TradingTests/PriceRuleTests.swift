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

    /// However many orders were recorded since, and whatever they wished for.
    @Test func theSameWishIsRefusedForFiveSecondsAlsoAmongOthers() throws {
        var desk = try ready()
        try desk.quote(100_000)
        for step in 1...4 { try desk.quote(100_000 + Int64(step) * 5) }
        #expect(desk.placed.count == 5)
        desk.now = desk.now + .milliseconds(4_999)
        try desk.quote(100_000)
        #expect(desk.placed.count == 5 && desk.denial?.rule == "duplicate")
        desk.now = desk.now + .milliseconds(1)
        try desk.quote(100_005)
        try desk.quote(100_000)
        #expect(desk.placed.count == 7)
        try desk.quote(100_010)
        // One side of the window is behind it now, so that what was placed just now counts.
        try desk.quote(100_000)
        #expect(desk.placed.count == 8 && desk.denial?.rule == "duplicate")
    }

    /// A desk that begins anew knows its orders from the book alone.
    @Test func theSameWishIsRefusedAcrossAStart() throws {
        var desk = try ready()
        try desk.quote(100_000)
        let order = try desk.brokerOrder(desk.placed[0], .new)
        desk.desk = Desk(settings: desk.desk.settings, book: desk.desk.book)
        try desk.send(.condition(desk.gateway(.connected), generation: 2))
        try desk.send(.ready(account: "DU1", generation: 2, nextOrderID: 9))
        try desk.send(.snapshot(desk.snapshot(2, open: [order])))
        try desk.makeReady(generation: 2)
        desk.now = desk.now + .milliseconds(4_000)
        try desk.quote(100_005)
        try desk.quote(100_000)
        #expect(desk.placed.count == 2 && desk.denial?.rule == "duplicate")
        desk.now = desk.now + .milliseconds(1_000)
        try desk.quote(100_010)
        try desk.quote(100_000)
        #expect(desk.placed.count == 4)
    }

    /// What was recorded before the clock was set back is no younger by that: it is looked for behind the first order that is too old no more.
    @Test func aClockThatWasSetBackMakesNothingYoung() throws {
        var desk = try ready()
        try desk.quote(100_000)
        desk.setClock(by: .seconds(-3_600))
        try desk.quote(100_005)
        desk.now = desk.now + .seconds(6)
        try desk.quote(100_000)
        #expect(desk.placed.count == 3 && desk.denial == nil)
    }
}
