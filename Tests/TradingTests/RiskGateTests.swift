// What the gate judges by: which price counts, and what the account can still carry.
import Ledger
import Testing
import Trading
import Values

struct RiskGateTests {
    private func told(last: Int64?, bid: Int64?, ask: Int64?) throws -> TestDesk {
        var desk = try TestDesk()
        try desk.makeReady()
        var quote = Quote(asOf: desk.now)
        quote.last = last.map { Price(whole: $0) }; quote.bid = bid.map { Price(whole: $0) }; quote.ask = ask.map { Price(whole: $0) }
        try desk.send(.quote(TestDesk.mbt, quote))
        return desk
    }

    /// A size tick or a new subscription makes the quote young and leaves an old last trade in it.
    @Test(arguments: [(nil, nil), (97_000, nil), (nil, 97_010), (0, 97_010)] as [(Int64?, Int64?)])
    func anOldLastPriceAloneIsNoQuote(bid: Int64?, ask: Int64?) throws {
        var desk = try told(last: 98_000, bid: bid, ask: ask)
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.isEmpty && desk.refusal?.code == "noQuote")
    }

    /// The new bid is told before the new ask.
    @Test func aQuoteThatIsCrossedForAMomentIsAQuote() throws {
        var desk = try told(last: 98_000, bid: 97_020, ask: 97_010)
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.count == 1)
    }

    /// Seventeen contracts at the touch are over the notional limit, at the old last price they would not be.
    @Test func aLastPriceOutsideTheTouchIsNotJudgedBy() throws {
        var inside = try told(last: 58_000, bid: 57_995, ask: 58_005)
        _ = try inside.command(DeskTests.buy(17))
        #expect(inside.placed.count == 1)
        var outside = try told(last: 58_000, bid: 599_990, ask: 600_010)
        _ = try outside.command(DeskTests.buy(17))
        #expect(outside.placed.isEmpty && outside.refusal?.code == "notionalMax")
    }

    /// What a market order meets is what it is valued by: the ask of a purchase, the bid of a sale.
    @Test func theNotionalIsThatOfTheFarSide() throws {
        for (side, bid, ask, isTaken) in [
            (Side.buy, 588_000, 588_230, true), (.buy, 588_000, 588_240, false), (.sell, 588_230, 589_000, true), (.sell, 588_240, 589_000, false),
        ] {
            // Seventeen contracts of a tenth are worth a million at 588,235.
            var desk = try told(last: 588_235, bid: Int64(bid), ask: Int64(ask))
            _ = try desk.command(DeskTests.buy(17, side: side))
            #expect(desk.placed.count == (isTaken ? 1 : 0) && desk.refusal?.code == (isTaken ? nil : "notionalMax"), "\(side) \(bid) \(ask)")
        }
    }

    private func values(_ desk: inout TestDesk, _ whole: Int64) throws {
        var values = AccountValues(account: "DU1", currency: "USD", asOf: desk.now)
        values.availableFunds = Money(whole: whole)
        try desk.send(.account(values))
    }

    /// Two orders inside one account update: the second is judged by what the first has left, working or filled.
    @Test(arguments: [false, true]) func fundsOfOrdersInFlightAreTaken(filled: Bool) throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(20))
        #expect(desk.placed.count == 1)
        if filled { try desk.send(.fill(desk.brokerFill(desk.placed[0], "x1", 20, 98_000))) }
        _ = try desk.command(DeskTests.buy(6))
        #expect(desk.placed.count == 1 && desk.refusal?.code == "insufficientFunds", "20 of 25 contracts are taken")
        _ = try desk.command(DeskTests.buy(5))
        #expect(desk.placed.count == 2)
        try desk.tick()
        try desk.quote(98_000)
        try values(&desk, 14_000)
        _ = try desk.command(DeskTests.buy(7))
        #expect(desk.placed.count == 3, "a younger figure holds them already")
    }

    /// What was rejected takes nothing.
    @Test func aRejectedOrderGivesItsFundsBack() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(20))
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .rejected, text: "no"), code: 201))
        _ = try desk.command(DeskTests.buy(21))
        #expect(desk.placed.count == 2)
    }

    // MARK: - Two clocks

    /// Entries carry the wall's time, and the desk is told its own: the wall may be seconds behind it, or an hour ahead after it was set back.
    @Test func aSecondClickIsOneWhateverTheWallClockSays() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        desk.wallAhead = .seconds(-6)
        _ = try desk.command(DeskTests.buy(1))
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.count == 1 && desk.refusal?.code == "duplicate")
        desk.setClock(by: .hours(-1))
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.count == 1, "no time has passed")
        try desk.tick(6)
        try desk.quote(98_000)
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.count == 2, "it is another wish by now, and not for an hour")
    }

    @Test func fundsInFlightAreTakenWhateverTheWallClockSays() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        desk.wallAhead = .seconds(-6)
        _ = try desk.command(DeskTests.buy(20))
        _ = try desk.command(DeskTests.buy(6))
        #expect(desk.placed.count == 1 && desk.refusal?.code == "insufficientFunds")
        desk.setClock(by: .hours(-1))
        try desk.quote(98_000)
        _ = try desk.command(DeskTests.buy(6))
        #expect(desk.placed.count == 1, "the account's figure is as old as it was")
    }

    @Test func aQuoteStaysAsOldAsItIsWhenTheClockIsSet() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        try desk.tick(4)
        desk.setClock(by: .hours(-1))
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.count == 1)
        try desk.tick(2)
        _ = try desk.command(DeskTests.buy(2))
        #expect(desk.placed.count == 1 && desk.refusal?.code == "staleQuote")
        var ahead = Quote(asOf: desk.now + .minutes(5))
        ahead.bid = Price(whole: 97_995); ahead.ask = Price(whole: 98_005)
        try desk.send(.quote(TestDesk.mbt, ahead))
        _ = try desk.command(DeskTests.buy(3))
        #expect(desk.placed.count == 1 && desk.refusal?.code == "staleQuote", "what is of a time to come is of no known time")
    }

    // MARK: - Figures of now, in one currency

    @Test func figuresThatAreTooOldOpenNothing() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        desk.now = desk.now + .minutes(11)
        try desk.quote(98_000)
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.refusal?.code == "staleFunds")
        _ = try desk.command(.order(instrument: TestDesk.mbt, side: .buy, size: .max, trailing: nil, reverse: false))
        #expect(desk.refusal?.code == "staleFunds")
        desk.now = desk.now + .minutes(20)
        try desk.quote(98_000)
        try desk.tellAccount()
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.isEmpty && desk.refusal?.code == "staleMargin")
        try desk.tellMargin()
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.count == 1)
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "x1", 1, 98_000)))
        desk.now = desk.now + .hours(1)
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        #expect(desk.placed.count == 2, "closing needs none of them")
    }

    /// The broker tells the margin of a future in the account's currency; a share is paid in its own, and no rate is known here.
    @Test func whatIsPaidInAnotherCurrencyIsNotJudged() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        var share = TestDesk.instrument
        share.id = InstrumentID("AAPL.NASDAQ"); share.securityType = .stock; share.multiplier = Quantity(whole: 1)
        try desk.send(.instrument(share))
        try desk.quote(200, share.id)
        func order(_ size: OrderSize) -> CommandBody { .order(instrument: share.id, side: .buy, size: size, trailing: nil, reverse: false) }
        _ = try desk.command(order(.quantity(Quantity(whole: 2))))
        #expect(desk.placed.count == 1)
        try desk.tick(1)
        try desk.tellAccount(in: "CAD")
        for size in [OrderSize.quantity(Quantity(whole: 1)), .max] {
            _ = try desk.command(order(size))
            #expect(desk.placed.count == 1 && desk.refusal?.code == "otherCurrency")
            #expect(desk.refusal?.text.contains("kept in CAD and this is paid in USD") == true)
        }
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.count == 2)
    }
}
