// The desk by story: orders, refusals, closing, reversing, halting, reconciling.
import Ledger
import Testing
import Trading
import Values

struct DeskTests {
    static func buy(_ quantity: Int64, trailing: TrailingOffset? = nil, reverse: Bool = false, side: Side = .buy) -> CommandBody {
        .order(instrument: TestDesk.mbt, side: side, size: .quantity(Quantity(whole: quantity)), trailing: trailing, reverse: reverse)
    }

    @Test func anOrderIsAnIntentFirstAndNamesItsCommand() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        let id = try desk.command(Self.buy(3, trailing: .percent(Ratio(raw: 100_000))))
        #expect(desk.placed.count == 2 && desk.actions == [.place(draft: 0, before: desk.now + .seconds(10))])
        let entry = try #require(desk.desk.book.order(desk.placed[0])), stop = try #require(desk.desk.book.order(desk.placed[1]))
        #expect(entry.command == id && entry.leg.ordType == .market && entry.leg.brokerOrderID == 5)
        #expect(
            stop.leg.ordType == .trailingStop && stop.leg.side == .sell && stop.leg.parent == 0 && stop.leg.timeInForce == .gtc
                && stop.leg.brokerOrderID == 6)
    }

    @Test func theSameCommandTwiceIsOneOrder() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        let id = try desk.command(Self.buy(3))
        try desk.send(desk.make(Self.buy(3), id))
        #expect(desk.placed.count == 1 && desk.actions.isEmpty)
        _ = try desk.command(Self.buy(3))
        #expect(desk.placed.count == 1 && desk.denial?.rule == "duplicate" && desk.refusal?.code == "duplicate")
    }

    @Test func maxIsWhatTheAccountAffords() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(.order(instrument: TestDesk.mbt, side: .buy, size: .max, trailing: nil, reverse: false))
        // 80 % of 50,000 at 2,000 a contract.
        #expect(desk.desk.book.order(desk.placed[0])?.quantity == Quantity(whole: 20))
    }

    @Test func everyRefusalHasItsName() throws {
        func denied(_ body: CommandBody = DeskTests.buy(1), boot: UInt64 = 1, lifetime: Int64 = 10, _ prepare: (inout TestDesk) throws -> Void) throws
            -> String?
        {
            var desk = try TestDesk()
            try prepare(&desk)
            _ = try desk.command(body, boot: boot, lifetime: lifetime)
            #expect(desk.placed.isEmpty)
            return desk.refusal?.code
        }
        #expect(try denied { _ in } == "gatewayNotConnected")
        #expect(try denied { try $0.send(.condition($0.gateway(.connected), generation: 1)) } == "notReconciled")
        #expect(
            try denied {
                try $0.makeReady(); try $0.send(.condition($0.gateway(.wedged), generation: 1))
            } == "gatewayNotConnected")
        #expect(
            try denied {
                try $0.makeReady(); try $0.send(.condition($0.gateway(.wrongAccount), generation: 1))
            } == "wrongMode")
        #expect(
            try denied {
                try $0.makeReady(); try $0.tick(6)
            } == "staleQuote")
        #expect(
            try denied {
                try $0.makeReady(); var q = Quote(asOf: $0.now); q.last = Price(whole: 1); q.isDelayed = true; try $0.send(.quote(TestDesk.mbt, q))
            } == "delayedData")
        #expect(try denied(Self.buy(101)) { try $0.makeReady() } == "quantityMax")
        #expect(try denied(Self.buy(30)) { try $0.makeReady() } == "insufficientFunds")
        #expect(
            try denied {
                try $0.makeReady(); try $0.send(.halt(source: "file", reason: "KILL"))
            } == "halted")
        #expect(try denied(boot: 9) { try $0.makeReady() } == "wrongBoot")
        #expect(try denied(lifetime: 0) { try $0.makeReady() } == "expired")
        #expect(try denied(.close(instrument: TestDesk.mbt)) { try $0.makeReady() } == "nothingToClose")
        #expect(try denied(.cancel(tag: ClOrdID("TW1nothing"))) { try $0.makeReady() } == "unknownOrder")
        #expect(
            try denied(.order(instrument: InstrumentID("X"), side: .buy, size: .quantity(Quantity(whole: 1)), trailing: nil, reverse: false)) {
                try $0.makeReady()
            }
                == "unknownInstrument")
    }

    /// Whichever amount of an order it is that leaves the range of ±92 bn: its value, its margin, or what the orders in flight take of the funds.
    @Test func anAmountThatLeavesTheRangeIsRefusedAsSuch() throws {
        func desk(funds: Int64 = 92_000_000_000) throws -> TestDesk {
            let limits = SizingLimits(utilisation: Ratio(raw: 800_000), quantityMax: Quantity(raw: .max), notionalMax: Money(raw: .max))
            var desk = try TestDesk(settings: DeskSettings(mode: .paper, limits: limits))
            try desk.makeReady()
            try desk.tell(funds: Money(whole: funds), margin: Money(raw: 1))
            return desk
        }
        func denied(_ desk: inout TestDesk, _ quantity: Int64) throws -> String? {
            let before = desk.placed.count
            _ = try desk.command(Self.buy(quantity))
            guard desk.placed.count == before else { return nil }
            #expect(desk.denial?.rule == desk.refusal?.code)
            return desk.refusal?.code
        }
        // Worth 9,800.50 each: 9.4 million are 92,124,700,000, and a hundred thousand more leave the range.
        var value = try desk()
        #expect(try denied(&value, 9_500_000) == "overflow")
        #expect(try denied(&value, 9_400_000) == nil, "the last one that can be computed is taken")

        var margin = try desk()
        try margin.tell(funds: Money(whole: 92_000_000_000), margin: Money(whole: 92_000_000_000))
        #expect(try denied(&margin, 2) == "overflow", "and not for want of a margin")
        #expect(try denied(&margin, 1) == nil)

        var flying = try desk()
        #expect(try denied(&flying, 100) == nil)
        try flying.tell(margin: Money(whole: 1_000_000_000))
        #expect(try denied(&flying, 1) == "overflow", "a hundred in flight take more than can be computed")

        var owing = try desk()
        #expect(try denied(&owing, 100) == nil)
        try owing.tell(funds: Money(whole: -92_000_000_000), margin: Money(whole: 10_000_000))
        #expect(try denied(&owing, 1) == "overflow", "nor can what is left without them")
    }

    mutating func open(_ desk: inout TestDesk, _ quantity: Int64, trailing: TrailingOffset? = nil) throws {
        _ = try desk.command(Self.buy(quantity, trailing: trailing))
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "x1", quantity, 98_000)))
    }

    /// Prices, figures of the account and the broker's notices are shown and not kept: an hour of them leaves no entry.
    @Test func whatIsOnlySeenIsNoEntry() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        let before = desk.entries.count
        for minute in 0..<60 {
            desk.now = desk.now + .minutes(1)
            let price = Price(whole: 98_000 + Int64(minute) * 5), id = TestDesk.mbt
            var quote = Quote(asOf: desk.now)
            quote.last = price; quote.bid = price; quote.ask = price
            var values = AccountValues(account: "DU1", currency: "USD", asOf: desk.now)
            values.availableFunds = Money(whole: 50_000 + Int64(minute)); values.netLiquidation = Money(whole: 60_000 + Int64(minute))
            let margin = ContractMargin(initial: Money(whole: 2_000 + Int64(minute)), maintenance: Money(whole: 1_800), asOf: desk.now)
            let bar = Bar(start: desk.now, price: price, size: Quantity(whole: 1))
            let seen: [VenueEvent] = [
                .quote(id, quote), .trade(id, price: price, size: Quantity(whole: 1), at: desk.now), .bars(id, [bar], isHistory: minute % 2 == 0),
                .account(values), .margin(id, margin), .front(symbol: "MBT", id), .noInstrument(symbol: "X", text: "none"),
                .notice(Notice(code: 2_104, instrument: nil, text: "The data farm is well, \(minute).", cure: "", asOf: desk.now)),
            ]
            for event in seen {
                let outcome = try desk.send(event)
                #expect(outcome.drafts.isEmpty && !outcome.live.isEmpty, "\(event)")
            }
        }
        #expect(desk.entries.count == before && desk.desk.live.quote(TestDesk.mbt)?.last == Price(whole: 98_295))
        // The control: what happened is an entry.
        #expect(try desk.send(.commission(Commission(execID: "e", amount: Money(whole: 1), currency: "USD"))).drafts.count == 1)
        #expect(desk.entries.count == before + 1)
    }

    @Test mutating func closingTakesTheProtectionAwayFirst() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        try open(&desk, 3, trailing: .percent(Ratio(raw: 100_000)))
        let stop = desk.placed[1]
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        #expect(desk.actions.count == 1 && desk.placed.count == 2, "only the cancel goes out")
        try desk.tick()
        #expect(desk.placed.count == 2, "no closing order while the stop may fill")
        try desk.send(.order(desk.brokerOrder(stop, .canceled), code: nil))
        try desk.tick()
        let closing = try #require(desk.desk.book.order(desk.placed[2]))
        #expect(closing.leg.side == .sell && closing.quantity == Quantity(whole: 3) && closing.leg.role == .close)
        try desk.send(.fill(desk.brokerFill(closing.tag, "x2", 3, 98_100)))
        try desk.tick()
        #expect(
            desk.desk.book.netQuantity(TestDesk.mbt) == .zero
                && desk.facts.contains { if case .commandAccepted(let o) = $0 { o.code == "done" } else { false } })
    }

    @Test mutating func aStopThatFillsWhileClosingIsNotClosedTwice() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        try open(&desk, 3, trailing: .amount(Price(whole: 500)))
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        try desk.send(.fill(desk.brokerFill(desk.placed[1], "stop", 3, 97_000)))
        try desk.tick()
        #expect(desk.placed.count == 2 && desk.desk.book.netQuantity(TestDesk.mbt) == .zero)
    }

    @Test(arguments: [false, true]) mutating func shortWhileLongFlattensFirst(reverse: Bool) throws {
        var desk = try TestDesk()
        try desk.makeReady()
        try open(&desk, 2)
        _ = try desk.command(Self.buy(reverse ? 1 : 2, reverse: reverse, side: .sell))
        let closing = try #require(desk.placed.last)
        #expect(desk.desk.book.order(closing)?.leg.role == .close && desk.desk.book.order(closing)?.quantity == Quantity(whole: 2))
        try desk.tick()
        #expect(desk.placed.count == 2)
        try desk.quote(98_000)
        try desk.send(.fill(desk.brokerFill(closing, "x2", 2, 98_000)))
        try desk.tick()
        #expect(desk.placed.count == (reverse ? 3 : 2))
        if reverse { #expect(desk.desk.book.order(desk.placed[2])?.leg.side == .sell) }
    }

    /// Whoever asks for less than is held saw another position: nothing is closed beyond what was asked, unless the protection is taken out.
    @Test(arguments: [false, true]) func noMoreIsClosedThanWasAsked(unguarded: Bool) throws {
        var settings = DeskSettings(mode: .paper)
        settings.commandRules.closesMoreThanAsked = unguarded
        let sizes: [(OrderSize, Bool)] = [(.quantity(Quantity(whole: 1)), unguarded), (.quantity(Quantity(whole: 3)), true), (.max, true)]
        for (size, isTaken) in sizes {
            var desk = try TestDesk(settings: settings)
            try desk.makeReady()
            _ = try desk.command(Self.buy(3, side: .sell))
            try desk.send(.fill(desk.brokerFill(desk.placed[0], "x1", 3, 98_000)))
            _ = try desk.command(.order(instrument: TestDesk.mbt, side: .buy, size: size, trailing: nil, reverse: false))
            #expect(desk.placed.count == (isTaken ? 2 : 1) && desk.refusal?.code == (isTaken ? nil : "moreThanAsked"), "\(size)")
            if !isTaken { #expect(desk.refusal?.text.contains("the position is -3 MBTZ6.CME: closing it would trade 3") == true) }
        }
    }

    @Test func haltStopsOpeningAndOnlyTheConsoleResumes() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(.halt(reason: "enough"))
        #expect(desk.desk.book.haltLevel == .halt)
        _ = try desk.command(Self.buy(1))
        #expect(desk.refusal?.code == "halted")
        try desk.send(.resume(reason: "checked"))
        #expect(desk.desk.book.haltLevel == .normal)
        _ = try desk.command(Self.buy(1))
        #expect(desk.placed.count == 1)
    }

    @Test func aRejectedOrderKeepsTheBrokersWords() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(Self.buy(1))
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .rejected, text: "No trading permission"), code: 203))
        let order = try #require(desk.desk.book.order(desk.placed[0]))
        #expect(order.status == .rejected && order.code == 203 && order.text == "No trading permission")
        let count = desk.facts.count
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .rejected, text: "No trading permission"), code: 203))
        #expect(desk.facts.count == count, "saying it again is no new fact")
    }

    @Test func idsNeverRepeatEvenWhenTheGatewaysFallsBack() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(Self.buy(1))
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .rejected, text: "no"), code: 201))
        #expect(desk.desk.book.highestBrokerOrderID == 5)
        // Another session, whose gateway begins again at the number that the first one took.
        try desk.send(.condition(desk.gateway(.unreachable), generation: 1))
        try desk.makeReady(generation: 2)
        desk.now = desk.now + .seconds(30)
        try desk.quote(98_000)
        _ = try desk.command(Self.buy(2))
        #expect(desk.placed.count == 2 && desk.desk.book.highestBrokerOrderID == 6, "\(String(describing: desk.refusal))")
    }
}
