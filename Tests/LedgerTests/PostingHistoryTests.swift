// Random histories of trades, fees, corrections and movements against a second, simpler set of books.
import Ledger
import Testing
import Values

struct PostingHistoryTests {
    /// The auditor: it knows executions and amounts, and no postings. Money at 10⁻²⁴, so that nothing is rounded but each value paid.
    struct Auditor {
        struct Trade {
            var instrument: Instrument
            /// Signed, in whole units.
            var units: Int128
            var price: Price
        }
        var trades: [(id: String, trade: Trade)] = []
        /// Fees, deposits and the like, by currency.
        var other: [String: Int128] = [:]

        static func value(_ trade: Trade) -> Int128 {
            let exact = trade.units * 100_000_000 * Int128(trade.price.raw) * Int128(trade.instrument.multiplier.raw)
            return Int128(Decimals.divide(exact, by: 10_000_000_000_000_000) ?? 0)
        }
        func units(_ instrument: Instrument) -> Int128 { trades.filter { $0.trade.instrument.id == instrument.id }.map(\.trade.units).reduce(0, +) }

        /// Profit of one instrument by the average of what was held, at 10⁻²⁴, and how many closings it took.
        func profit(_ instrument: Instrument) -> (exact: Int128, closings: Int) {
            var (held, cost, profit, closings) = (Int128(0), Int128(0), Int128(0), 0)
            for (_, trade) in trades where trade.instrument.id == instrument.id {
                let each = 100_000_000 * Int128(trade.price.raw) * Int128(trade.instrument.multiplier.raw)
                if held == 0 || (held > 0) == (trade.units > 0) { held += trade.units; cost += trade.units * each; continue }
                let closed = (held > 0 ? 1 : -1) * min(held.magnitude, trade.units.magnitude).asSigned
                let share = cost * closed / held
                profit += closed * each - share
                cost -= share
                held += trade.units
                closings += 1
                if held != 0, (held > 0) == (trade.units > 0) { cost = held * each }
            }
            return (profit, closings)
        }

        /// Cash in a currency that needs no profit to know: all but open futures.
        func cash(_ currency: String, _ instruments: [Instrument]) -> Int128 {
            var cash = other[currency] ?? 0
            for (_, trade) in trades {
                if trade.instrument.payment == .exchange, trade.instrument.symbol == currency { cash += trade.units * 100_000_000 }
                if trade.instrument.currency == currency, trade.instrument.payment != .difference { cash -= Auditor.value(trade) }
            }
            // A future that is closed has moved exactly what was paid and received.
            for future in instruments where future.payment == .difference && future.currency == currency && units(future) == 0 {
                for (_, trade) in trades where trade.instrument.id == future.id { cash -= Auditor.value(trade) }
            }
            return cash
        }
    }

    static func instruments() throws -> [Instrument] {
        [
            BookTests.instrument, try PostingTests.instrument("ESZ6.CME", "ES", .future, multiplier: "50"),
            try PostingTests.instrument("AAPL.NASDAQ", "AAPL", .stock), try PostingTests.instrument("SAP.XETRA", "SAP", .stock, "EUR"),
            try PostingTests.instrument("AAPL C100", "AAPL", .option, multiplier: "100"), try PostingTests.instrument("EUR.USD", "EUR", .currency),
        ]
    }

    @Test(arguments: 0..<40) func everyHistoryBalancesAndTheAuditorAgrees(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var ledger = try TestLedger()
        var auditor = Auditor()
        let all = try Self.instruments()
        for instrument in all { try ledger.add(.instrument(instrument)) }
        let ticket = Ticket(account: "DU1", origin: .bot, bot: "breakout", reason: "r", legs: [BookTests.leg(quantity: 1_000)])
        let tag = try ledger.add(.intent(ticket)).intentTags().first
        for step in 0..<80 {
            switch random.int(0...9) {
            case 0: try move(step, &ledger, &auditor, &random)
            case 1: try correct(step, &ledger, &auditor, &random)
            case 2:
                guard let (id, trade) = auditor.trades.last, !ledger.book.hasCommission(id) else { continue }
                let fee = Int64(random.int(-50_000_000...400_000_001))
                try ledger.add(.commission(Commission(execID: id, amount: Money(raw: fee), currency: trade.instrument.currency)))
                auditor.other[trade.instrument.currency, default: 0] -= Int128(fee)
            default:
                let instrument = all[random.int(0...(all.count - 1))]
                let trade = Auditor.Trade(
                    instrument: instrument, units: Int128(random.int(1...9)) * (random.chance(1, in: 2) ? 1 : -1),
                    price: Price(raw: Int64(random.int(90_000_000...310_000_007))))
                try add("x\(step)", trade, tag: random.chance(1, in: 3) ? tag : nil, &ledger)
                auditor.trades.append(("x\(step)", trade))
            }
            try compare(ledger.book, auditor, all)
        }
        for entry in ledger.entries { #expect(try Posting.imbalance(of: entry.reading().postings).isEmpty, "entry \(entry.seq)") }
        #expect(ledger.book.digest() == ledger.book.recountedDigest())
        var again = Book()
        for entry in ledger.entries { again.apply(entry) }
        #expect(again.digest() == ledger.book.digest() && again.balances == ledger.book.balances)
    }

    private func add(_ id: String, _ trade: Auditor.Trade, tag: ClOrdID?, corrects: String? = nil, _ ledger: inout TestLedger) throws {
        var fill = Fill(
            execID: id, tag: tag, account: "DU1", instrument: trade.instrument.id, side: trade.units > 0 ? .buy : .sell,
            lastQty: Quantity(whole: Int64(trade.units.magnitude)), lastPx: trade.price, cumQty: Quantity(whole: 1), permID: 1,
            transactTime: Instant(seconds: 1))
        fill.corrects = corrects
        try ledger.add(.fill(fill))
    }

    /// Any execution may be corrected, also one that was closed long ago. The corrected one comes last.
    private func correct(_ step: Int, _ ledger: inout TestLedger, _ auditor: inout Auditor, _ random: inout SeededRandom) throws {
        guard !auditor.trades.isEmpty else { return }
        let (id, old) = auditor.trades.remove(at: random.int(0...(auditor.trades.count - 1)))
        let new = Auditor.Trade(
            instrument: old.instrument, units: random.chance(1, in: 2) ? old.units : -old.units,
            price: Price(raw: old.price.raw + Int64(random.int(0...999))))
        let tag = ledger.book.fill(id)?.fill.tag
        try ledger.add(.correction(Correction(execID: id, by: "x\(step)", reason: "r")))
        try compare(ledger.book, auditor, [old.instrument])
        try add("x\(step)", new, tag: tag, corrects: id, &ledger)
        auditor.trades.append(("x\(step)", new))
    }

    private func move(_ step: Int, _ ledger: inout TestLedger, _ auditor: inout Auditor, _ random: inout SeededRandom) throws {
        let currency = random.chance(1, in: 2) ? "USD" : "EUR", amount = Int64(random.int(-5_000_000_000...5_000_000_001))
        let move = CashMove(account: "DU1", currency: currency, amount: Money(raw: amount), at: Instant(seconds: 1), source: "s", note: "\(step)")
        switch random.int(0...5) {
        case 0: try ledger.add(.transfer(move))
        case 1: try ledger.add(.dividend(move))
        case 2: try ledger.add(.interest(move))
        case 3: try ledger.add(.accountFee(move))
        case 4: try ledger.add(.borrowFee(move))
        default:
            let bought = Money(raw: Int64(random.int(1...1_000_000_000)))
            try ledger.add(
                .exchange(
                    CashExchange(
                        account: "DU1", soldCurrency: "GBP", sold: Money(raw: 7), boughtCurrency: currency, bought: bought, at: Instant(seconds: 1),
                        source: "s", note: "")))
            auditor.other["GBP", default: 0] -= 7
            auditor.other[currency, default: 0] += Int128(bought.raw)
            return
        }
        auditor.other[currency, default: 0] += Int128(amount)
    }

    private func compare(_ book: Book, _ auditor: Auditor, _ instruments: [Instrument]) throws {
        try #require(book.balances.imbalance.isEmpty && book.unbalanced == nil)
        for instrument in instruments {
            let held = auditor.units(instrument) * 100_000_000
            try #require(Int128(book.netQuantity(instrument.id).raw) == held)
            guard instrument.payment != .exchange else { continue }
            try #require(book.balances.total(.position, instrument.asset) == held && book.balances.total(.trading, instrument.asset) == -held)
            // Where an average was rounded the profit differs by less than what was held times half a unit, each time.
            let (exact, closings) = auditor.profit(instrument)
            let told = Int128(book.positions[instrument.id]?.realizedPnL.raw ?? 0)
            let slack = Int128(closings) * (1 + 100 * Int128(max(instrument.multiplier.raw / 100_000_000, 1)))
            try #require((exact / 10_000_000_000_000_000 - told).magnitude <= slack.magnitude)
        }
        guard instruments.count > 1 else { return }
        for currency in ["USD", "EUR"] {
            let priced = instruments.filter { $0.currency == currency }
            let told = priced.map { Int128(book.positions[$0.id]?.realizedPnL.raw ?? 0) }.reduce(0, +)
            try #require(-book.balances.total(.pnlRealised, currency) == told)
            try #require(book.balances.total(.rounding, currency) == priced.map { book.positions[$0.id]?.rounding ?? 0 }.reduce(0, +))
            // Open futures have moved the profit of what was closed, and rounding.
            var cash = auditor.cash(currency, instruments)
            for future in priced where future.payment == .difference && auditor.units(future) != 0 {
                cash += Int128(book.positions[future.id]?.realizedPnL.raw ?? 0) - (book.positions[future.id]?.rounding ?? 0)
            }
            try #require(book.balances.total(.cash, currency) == cash, "\(currency)")
        }
        try #require(book.balances.total(.cash, "GBP") == auditor.other["GBP"] ?? 0)
    }
}

extension UInt128 {
    fileprivate var asSigned: Int128 { Int128(self) }
}
