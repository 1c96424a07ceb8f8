// The breakout bot by story, and bars from trades.
import Ledger
import Testing
import Trading
import Values

struct BreakoutBotTests {
    static let stock = InstrumentID("AAPL.SMART")

    func ready() throws -> TestDesk {
        let bot = BreakoutSettings(
            name: "breakout", instruments: [Self.stock], entryOffset: Ratio(raw: 50_000), trail: Ratio(raw: 100_000), notional: Money(whole: 1_000),
            cooldown: .minutes(20), entryLifetime: .minutes(5))
        var desk = try TestDesk(settings: DeskSettings(mode: .paper, bots: [bot]))
        try desk.makeReady()
        var stock = TestDesk.instrument
        stock.id = Self.stock; stock.securityType = .stock; stock.multiplier = Quantity(whole: 1); stock.minPriceIncrement = Price(raw: 1_000_000)
        try desk.send(.instrument(stock))
        return desk
    }

    @Test func itArmsHoldsAndCoolsDown() throws {
        var desk = try ready()
        try desk.tick()
        #expect(desk.placed.isEmpty && desk.desk.book.bots.first?.value.fact.state == "WAITING")
        try desk.quote(200, Self.stock)
        try desk.tick()
        let entry = try #require(desk.desk.book.order(desk.placed[0]))
        #expect(
            entry.leg.ordType == .stop && entry.leg.stopPrice == Price(whole: 210) && entry.quantity == Quantity(whole: 5) && desk.placed.count == 2)
        try desk.tick()
        #expect(desk.placed.count == 2, "one entry at a time")
        try desk.send(.fill(desk.brokerFill(entry.tag, "e", 5, 210)))
        try desk.tick()
        #expect(desk.desk.book.bots.first?.value.fact.state == "IN_POSITION")
        try desk.send(.fill(desk.brokerFill(desk.placed[1], "s", 5, 200)))
        try desk.tick()
        #expect(desk.desk.book.bots.first?.value.fact.state == "COOLDOWN" && desk.placed.count == 2)
        desk.now = desk.now + .minutes(21)
        try desk.quote(200, Self.stock)
        try desk.tellAccount()
        try desk.send(.timer)
        #expect(desk.placed.count == 4)
    }

    /// How long an entry has rested that was placed before the clock was set back nobody knows: it does not rest for the length of the step.
    @Test func anEntryOfATimeToComeIsPlacedAnew() throws {
        var desk = try ready()
        try desk.quote(200, Self.stock)
        try desk.tick()
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .new), code: nil))
        desk.setClock(by: .hours(-1))
        try desk.tick()
        #expect(desk.desk.book.order(desk.placed[0])?.status == .pendingCancel)
    }

    /// A remote opening is refused where the setting says so; closing and halting are not.
    @Test func openingsFromAfarCanBeForbidden() throws {
        var settings = DeskSettings(mode: .paper)
        settings.acceptsRemoteOpenings = false
        var desk = try TestDesk(settings: settings)
        try desk.makeReady()
        _ = try desk.command(.order(instrument: TestDesk.mbt, side: .buy, size: .quantity(Quantity(whole: 1)), trailing: nil, reverse: false))
        #expect(desk.refusal?.code == "remoteOrders" && desk.placed.isEmpty)
        _ = try desk.command(.halt(reason: "test"))
        #expect(desk.desk.book.haltLevel == .halt)
    }

    /// The sale is not the bot's own order, and it stays out all the same.
    @Test func aPositionClosedByHandIsNotOpenedAgainAtOnce() throws {
        var desk = try ready()
        try desk.quote(200, Self.stock)
        try desk.tick()
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "e", 5, 210)))
        try desk.tick()
        _ = try desk.command(.close(instrument: Self.stock), lifetime: 60)
        try desk.send(.order(desk.brokerOrder(desk.placed[1], .canceled), code: nil))
        try desk.tick()
        let closing = try #require(desk.placed.last)
        #expect(desk.desk.book.order(closing)?.bot == nil && desk.placed.count == 3)
        try desk.send(.fill(desk.brokerFill(closing, "c", 5, 205)))
        try desk.tick()
        #expect(desk.desk.book.bots.first?.value.fact.state == "COOLDOWN" && desk.placed.count == 3)
    }

    /// The broker takes the entry and rejects its stop after the entry has filled: nobody may be told that a stop rests.
    @Test func aStopRejectedAfterItsEntryFilledIsTold() throws {
        var desk = try ready()
        try desk.quote(200, Self.stock)
        try desk.tick()
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "e", 5, 210)))
        func words() -> String? {
            if case .bot(let bot) = desk.desk.live.items["bot/breakout/\(Self.stock)"] { bot.text } else { nil }
        }
        func notice() -> Notice? {
            if case .notice(let notice) = desk.desk.live.items["notice/\(Notice.unprotected)/\(Self.stock)"] { notice } else { nil }
        }
        try desk.tick()
        #expect(words()?.contains("not confirmed") == true && notice() == nil)
        try desk.send(.order(desk.brokerOrder(desk.placed[1], .new), code: nil))
        try desk.tick()
        #expect(words()?.contains("rests") == true && notice() == nil)
        try desk.send(.order(desk.brokerOrder(desk.placed[1], .rejected, text: "no stops here"), code: 201))
        try desk.tick()
        #expect(words()?.contains("WITHOUT") == true)
        #expect(notice()?.text.contains("no stops here") == true && notice()?.cure.isEmpty == false)
    }

    @Test func aHaltKeepsItOut() throws {
        var desk = try ready()
        try desk.send(.halt(source: "file", reason: "KILL"))
        try desk.quote(200, Self.stock)
        try desk.tick()
        #expect(desk.placed.isEmpty && desk.desk.book.bots.first?.value.fact.state == "WAITING")
    }

    @Test func anEntryThatDoesNotTriggerIsTakenBack() throws {
        var desk = try ready()
        try desk.quote(200, Self.stock)
        try desk.tick()
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .new), code: nil))
        try desk.tick(301)
        #expect(desk.actions.contains { if case .cancel(_, let order) = $0 { order == desk.placed[0] } else { false } })
    }

    @Test func barsJoinHistoryAndTrades() {
        var builder = BarBuilder()
        let first = Bar(start: Instant(seconds: 60), price: Price(whole: 1), size: Quantity(whole: 1))
        let third = Bar(start: Instant(seconds: 180), price: Price(whole: 3), size: Quantity(whole: 1))
        builder.merge([first, third])
        builder.merge([Bar(start: Instant(seconds: 120), price: Price(whole: 2), size: Quantity(whole: 1))])
        builder.add(price: Price(whole: 9), size: Quantity(whole: 2), at: Instant(seconds: 190))
        builder.add(price: Price(whole: 4), size: Quantity(whole: 2), at: Instant(seconds: 240))
        builder.add(price: Price(whole: 99), size: Quantity(whole: 2), at: Instant(seconds: 70))
        #expect(
            builder.bars.map(\.start.seconds) == [60, 120, 180, 240] && builder.bars[2].high == Price(whole: 9)
                && builder.bars[0].high == Price(whole: 1))
        for minute in 0..<2_000 { builder.add(price: Price(whole: 1), size: .zero, at: Instant(seconds: 300 + Int64(minute) * 60)) }
        #expect(builder.bars.count == BarBuilder.countMax)
    }
}
