// Double entry: what each kind of trade and movement posts, to the last unit, and what happens where numbers end.
import Ledger
import Testing
import Values

struct PostingTests {
    static func instrument(_ id: String, _ symbol: String, _ type: SecurityType, _ currency: String = "USD", multiplier: String = "1") throws
        -> Instrument
    {
        Instrument(
            id: InstrumentID(id), symbol: symbol, securityType: type, exchange: "X", currency: currency, localSymbol: id, tradingClass: symbol,
            multiplier: try Quantity(multiplier), minPriceIncrement: Price(raw: 1), lotStep: Quantity(raw: 1), maturityDate: nil, brokerContractID: 1)
    }

    static func fill(_ id: String, _ instrument: Instrument, _ side: Side, _ quantity: String, _ price: String, tag: ClOrdID? = nil) throws -> Fact {
        .fill(
            Fill(
                execID: id, tag: tag, account: "DU1", instrument: instrument.id, side: side, lastQty: try Quantity(quantity),
                lastPx: try Price(price), cumQty: try Quantity(quantity), permID: 7, transactTime: Instant(seconds: 1)))
    }

    /// The lines of the last entry as words: `cash:DU1 USD -12.5`.
    static func lines(_ entry: Entry) throws -> [String] {
        try entry.reading().postings.map { "\($0.account) \($0.asset) \(Decimals.text($0.amount, scale: 8))" }
    }

    @Test func sharesArePaidInFullAndTheirProfitIsTold() throws {
        var ledger = try TestLedger()
        let apple = try Self.instrument("AAPL.NASDAQ", "AAPL", .stock)
        try ledger.add(.instrument(apple))
        #expect(
            try Self.lines(ledger.add(Self.fill("a", apple, .buy, "3", "100.5")))
                == ["position:DU1 AAPL.NASDAQ 3", "trading:DU1 AAPL.NASDAQ -3", "cash:DU1 USD -301.5", "trading:DU1 USD 301.5"])
        #expect(
            try Self.lines(ledger.add(Self.fill("b", apple, .sell, "1", "110.5")))
                == [
                    "position:DU1 AAPL.NASDAQ -1", "trading:DU1 AAPL.NASDAQ 1", "cash:DU1 USD 110.5", "trading:DU1 USD -100.5",
                    "pnl_realised:DU1 USD -10",
                ])
        #expect(ledger.book.balances.total(.trading, "USD") == 20_100_000_000, "what is held has cost 201")
        #expect(ledger.book.balances.imbalance.isEmpty && ledger.book.unbalanced == nil)
    }

    @Test func futuresMoveCashOnlyWhenTheyClose() throws {
        var ledger = try TestLedger()
        try ledger.add(.instrument(BookTests.instrument))
        #expect(
            try Self.lines(ledger.add(Self.fill("a", BookTests.instrument, .sell, "3", "98000")))
                == ["position:DU1 MBTZ6.CME -3", "trading:DU1 MBTZ6.CME 3"])
        // Buys five: three close the short at a loss of 100 each contract's tenth, two open a long.
        #expect(
            try Self.lines(ledger.add(Self.fill("b", BookTests.instrument, .buy, "5", "98100")))
                == ["position:DU1 MBTZ6.CME 5", "trading:DU1 MBTZ6.CME -5", "cash:DU1 USD -30", "pnl_realised:DU1 USD 30"])
        #expect(ledger.book.positions[BookTests.mbt]?.realizedPnL == Money(whole: -30))
    }

    @Test func optionsCountTheirMultiplierAndPairsAreCashOnBothSides() throws {
        var ledger = try TestLedger()
        let option = try Self.instrument("AAPL 261218C00100000", "AAPL", .option, multiplier: "100")
        let pair = try Self.instrument("EUR.USD", "EUR", .currency)
        try ledger.add(.instrument(option))
        try ledger.add(.instrument(pair))
        #expect(
            try Self.lines(ledger.add(Self.fill("o", option, .buy, "2", "1.25"))).suffix(2) == ["cash:DU1 USD -250", "trading:DU1 USD 250"])
        #expect(
            try Self.lines(ledger.add(Self.fill("f", pair, .buy, "20000", "1.08115")))
                == ["cash:DU1 EUR 20000", "trading:DU1 EUR -20000", "cash:DU1 USD -21623", "trading:DU1 USD 21623"])
    }

    /// The bot whose order it was stands in the account; the fee comes with its own report, in either order, once.
    @Test func feesArePostedOnceByExecutionAndNameTheBot() throws {
        var ledger = try TestLedger()
        try ledger.add(.instrument(BookTests.instrument))
        let ticket = Ticket(account: "DU1", origin: .bot, bot: "breakout", reason: "r", legs: [BookTests.leg()])
        let tag = try #require(try ledger.add(.intent(ticket)).intentTags().first)
        try ledger.add(Self.fill("a", BookTests.instrument, .buy, "1", "98000", tag: tag))
        let fee = Fact.commission(Commission(execID: "a", amount: try Money("2.25"), currency: "USD"))
        #expect(try Self.lines(ledger.add(fee)) == ["fee:DU1:breakout USD 2.25", "cash:DU1:breakout USD -2.25"])
        #expect(try Self.lines(ledger.add(fee)).isEmpty, "a fee told again is not posted again")
        #expect(try Self.lines(ledger.add(Self.fill("a", BookTests.instrument, .buy, "1", "98000", tag: tag))).isEmpty, "nor is a fill")
        try ledger.add(.brokerSession(BrokerSessionFact(connected: true, generation: 1, account: "DU9", text: "t")))
        let early = Fact.commission(Commission(execID: "later", amount: try Money("-0.5"), currency: "EUR"))
        #expect(try Self.lines(ledger.add(early)) == ["fee:DU9 EUR -0.5", "cash:DU9 EUR 0.5"])
    }

    @Test func moneyWithoutATradeHasItsOwnKinds() throws {
        var ledger = try TestLedger()
        func lines(_ fact: Fact) throws -> [String] { try Self.lines(ledger.add(fact)) }
        let all = BookTests.everyMovement
        #expect(try lines(all[0]) == ["cash:DU1 USD 1000", "transfer:DU1 USD -1000"])
        #expect(try lines(all[1]) == ["cash:DU1 USD 5", "dividend:DU1 USD -5"])
        #expect(try lines(all[2]) == ["cash:DU1 USD -2", "interest:DU1 USD 2"])
        #expect(try lines(all[3]) == ["cash:DU1 USD -10", "fee:DU1 USD 10"])
        #expect(try lines(all[4]) == ["cash:DU1 USD -108", "trading:DU1 USD 108", "cash:DU1 EUR 100", "trading:DU1 EUR -100"])
        #expect(try lines(all[6]) == ["position:DU1 MBTZ6.CME 1", "suspense:DU1 MBTZ6.CME -1"])
        #expect(try lines(all[7]) == ["cash:DU1 USD -3", "fee:DU1 USD 3"])
        #expect(ledger.book.balances.inSuspense == ["MBTZ6.CME"])
        #expect(ledger.book.balances.total(.cash, "USD") == 88_200_000_000 && ledger.book.balances.imbalance.isEmpty)
    }

    /// A correction takes the whole of the first entry back, and what it had done to a later closing.
    @Test func aCorrectionIsAReversalAndANewEntry() throws {
        var ledger = try TestLedger()
        let apple = try Self.instrument("AAPL.NASDAQ", "AAPL", .stock)
        try ledger.add(.instrument(apple))
        let intent = try ledger.add(.intent(Ticket(account: "DU1", origin: .manual, reason: "r", legs: [BookTests.leg()])))
        let tag = try #require(try intent.intentTags().first)
        try ledger.add(Self.fill("a.01", apple, .buy, "2", "100", tag: tag))
        try ledger.add(Self.fill("b", apple, .sell, "1", "110"))
        let reversal = try ledger.add(.correction(Correction(execID: "a.01", by: "a.02", reason: "r")))
        #expect(
            try Self.lines(reversal)
                == [
                    "position:DU1 AAPL.NASDAQ -2", "trading:DU1 AAPL.NASDAQ 2", "cash:DU1 USD 200", "trading:DU1 USD -210", "pnl_realised:DU1 USD 10",
                ])
        #expect(ledger.book.order(tag)?.cumQty == .zero && ledger.book.fill("a.01")?.reversedBy == "a.02")
        #expect(try ledger.add(.correction(Correction(execID: "a.01", by: "x", reason: "again"))).reading().postings.isEmpty)
        try ledger.add(Self.fill("a.02", apple, .buy, "2", "101", tag: tag))
        let book = ledger.book
        #expect(book.netQuantity(apple.id) == Quantity(whole: 1) && book.balances.total(.cash, "USD") == -9_200_000_000)
        #expect(book.balances.total(.position, apple.asset) == 100_000_000 && book.balances.imbalance.isEmpty)
        #expect(book.order(tag)?.avgPx == Price(whole: 101) && reversal.ref == Array("a.01".utf8))
    }

    /// An execution of what the ledger did not know yet has no lines; its correction, which comes when it does, takes none back, and what stands in
    /// its place is posted whole. A book out of a snapshot knows it too.
    @Test(arguments: [false, true]) func whatWasNotPostedIsNotPostedBack(isKnown: Bool) throws {
        var ledger = try TestLedger()
        let apple = try Self.instrument("AAPL.NASDAQ", "AAPL", .stock)
        if isKnown { try ledger.add(.instrument(apple)) }
        let first = try ledger.add(Self.fill("a.01", apple, .buy, "10", "100"))
        #expect(try first.reading().postings.isEmpty != isKnown)
        if !isKnown { try ledger.add(.instrument(apple)) }
        let record = try #require(ledger.book.fill("a.01"))
        var reader = Unpacker(record.canonical)
        #expect(try FillRecord(&reader) == record && record.wasPosted == isKnown)
        let reversal = try ledger.add(.correction(Correction(execID: "a.01", by: "a.02", reason: "r")))
        #expect(try reversal.reading().postings.isEmpty != isKnown)
        try ledger.add(Self.fill("a.02", apple, .buy, "10", "101"))
        let balances = ledger.book.balances
        #expect(balances.total(.position, apple.asset) == 1_000_000_000 && balances.total(.cash, "USD") == -101_000_000_000)
        #expect(ledger.book.netQuantity(apple.id) == Quantity(whole: 10) && ledger.book.digest() == ledger.book.recountedDigest())
    }

    /// A digest is signed: of what the releases before counted it says what it said then, whether or not the execution was posted.
    @Test func theDigestDoesNotTellWhetherItWasPosted() throws {
        var ledger = try TestLedger()
        try ledger.add(Self.fill("a.01", Self.instrument("AAPL.NASDAQ", "AAPL", .stock), .buy, "10", "100"))
        #expect(ledger.book.fill("a.01")?.wasPosted == false)
        #expect(Hex.text(ledger.book.digest()) == "e65382f759c2b5acebca1522dfaf3baed04354273ccbd5752d1e7c1f5513fac3")
    }

    /// Thirds: what dividing leaves over is on its own account when the position is flat, and the cost is zero to the last unit.
    @Test func whatDividingLeavesOverIsPostedToRounding() throws {
        for type in [SecurityType.stock, .future] {
            var ledger = try TestLedger()
            let thing = try Self.instrument("THING", "THING", type)
            try ledger.add(.instrument(thing))
            try ledger.add(Self.fill("a", thing, .buy, "1", "10"))
            try ledger.add(Self.fill("b", thing, .buy, "2", "10.01"))
            try ledger.add(Self.fill("c", thing, .sell, "1", "11"))
            #expect(ledger.book.balances.total(.rounding, "USD") == 0, "as long as something is held, it may still even out")
            try ledger.add(Self.fill("d", thing, .sell, "2", "11"))
            let balances = ledger.book.balances
            // 33 received for 30.02. The average, 10.00666667, is a third of a unit too high each time.
            #expect(balances.total(.pnlRealised, "USD") == -297_999_999 && balances.total(.rounding, "USD") == -1)
            #expect(balances.total(.cash, "USD") == 298_000_000)
            #expect(balances.total(.trading, "USD") == 0 && balances.total(.position, "THING") == 0 && balances.imbalance.isEmpty)
        }
    }

    @Test func numbersThatLeaveTheirRangeAreRefusedInWordsAndNeverWrap() throws {
        var ledger = try TestLedger()
        let apple = try Self.instrument("AAPL.NASDAQ", "AAPL", .stock)
        try ledger.add(.instrument(apple))
        let huge = try Self.fill("huge", apple, .buy, "90000000000", "90000000000")
        #expect(ledger.book.postings(of: huge) == Posted(refusal: .overflow("execution huge")))
        let entry = try ledger.add(huge)
        #expect(try entry.reading().postings.isEmpty && ledger.book.hasExecution("huge"), "the execution is kept")
        #expect(ledger.book.balances == Balances())
        // Values that fit, and whose sum does not: the sums are wider than an amount.
        for index in 0..<3 {
            let move = CashMove(account: "DU1", currency: "USD", amount: Money(raw: .max), at: Instant(seconds: 1), source: "s", note: "\(index)")
            try ledger.add(.transfer(move))
        }
        #expect(ledger.book.balances.total(.cash, "USD") == 3 * Int128(Int64.max) && ledger.book.balances.imbalance.isEmpty)
        let least = CashMove(account: "DU1", currency: "USD", amount: Money(raw: .min), at: Instant(seconds: 1), source: "s", note: "")
        #expect(ledger.book.postings(of: .transfer(least)).refusal == .overflow("an amount of USD"))
        // What is sold is posted with the other sign: the least number has none.
        for (sold, bought) in [(Money(raw: .min), Money(whole: 1)), (Money(whole: 1), Money(raw: .min))] {
            let exchange = CashExchange(
                account: "DU1", soldCurrency: "USD", sold: sold, boughtCurrency: "EUR", bought: bought, at: Instant(seconds: 1), source: "console",
                note: "")
            #expect(ledger.book.postings(of: .exchange(exchange)) == Posted(refusal: .overflow("an exchange of USD")))
        }
        #expect(
            ledger.book.postings(of: try Self.fill("x", Self.instrument("NEW", "NEW", .stock), .buy, "1", "1")).refusal
                == .unknownInstrument(InstrumentID("NEW")))
        let combo = try Self.instrument("SPREAD", "SPREAD", .combo)
        try ledger.add(.instrument(combo))
        #expect(ledger.book.postings(of: try Self.fill("y", combo, .buy, "1", "1")).refusal == .notPostable(combo.id, .combo))
    }

    /// The faults that may be planted: one is stopped here, with both the checker must see it (Tests/Simulation).
    @Test func linesThatDoNotBalanceAreNotPosted() throws {
        var ledger = try TestLedger()
        try ledger.add(.instrument(BookTests.instrument))
        let fill = try Self.fill("a", BookTests.instrument, .buy, "1", "98000")
        var rules = PostingRules()
        rules.postsCounterLeg = false
        #expect(ledger.book.postings(of: fill, rules: rules) == Posted(refusal: .unbalanced(asset: "MBTZ6.CME")))
        rules.checksBalance = false
        let broken = ledger.book.postings(of: fill, rules: rules)
        #expect(broken.refusal == nil && Posting.imbalance(of: broken.lines).map(\.asset) == ["MBTZ6.CME"])
        // Whoever folds such an entry knows it, for good.
        var draft = Draft(fill)
        draft.postings = broken.lines
        let entry = try ledger.chain.append(draft, at: ledger.clock)
        ledger.book.apply(entry)
        #expect(ledger.book.unbalanced == entry.seq && ledger.book.balances.imbalance.map(\.asset) == ["MBTZ6.CME"])
    }

    @Test func accountsHaveOneForm() {
        for account in [PostingAccount(.cash, "DU1"), PostingAccount(.pnlRealised, "DU1", strategy: "a:b"), PostingAccount(.suspense, "")] {
            #expect(PostingAccount(account.description) == account)
        }
        #expect(PostingAccount("gold:DU1") == nil && PostingAccount("cash") == nil)
    }

    /// Before there were postings nothing was posted, and an old entry says so still.
    @Test func entriesOfTheFirstVersionPostNothing() throws {
        var ledger = try TestLedger()
        try ledger.add(.instrument(BookTests.instrument))
        var entry = try ledger.chain.append(Draft(Self.fill("a", BookTests.instrument, .buy, "1", "98000")), at: ledger.clock)
        entry.kindVersion = 1
        entry.body = Array(String(decoding: entry.body, as: UTF8.self).replacing("\"postings\":[],", with: "").utf8)
        ledger.book.apply(entry)
        #expect(ledger.book.netQuantity(BookTests.mbt) == Quantity(whole: 1) && ledger.book.balances == Balances() && ledger.book.unreadable == 0)
    }
}
