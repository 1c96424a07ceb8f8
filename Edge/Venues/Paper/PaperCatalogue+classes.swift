// Listings beyond futures and stocks: currencies, coins, and the options of one stock.
package import Values

extension PaperCatalogue {
    /// Every class of instrument: what `standard` lists, and currencies, coins and options besides.
    package static func everything(asOf date: CivilDate, realHours: Bool = false, tape: PriceTape? = nil) -> [PaperInstrument] {
        standard(asOf: date, realHours: realHours, tape: tape) + currencies() + coins() + options(asOf: date, realHours: realHours)
    }

    /// Two pairs against the dollar, quoted by dealers in half pips.
    package static func currencies() -> [PaperInstrument] {
        [
            currency("EUR", "European Monetary Union Euro", contract: 12_087_792, base: 108_500_000),
            currency("GBP", "British pound", contract: 12_087_797, base: 127_000_000),
        ]
    }

    /// Two coins that trade in hundred-millionths, around the clock.
    package static func coins() -> [PaperInstrument] {
        [
            coin(
                "BTC", "Bitcoin cryptocurrency", contract: 479_624_278, dollars: 95_000, tick: 25_000_000, minuteTicks: 100,
                lots: 2_000_000...150_000_000),
            coin(
                "ETH", "Ethereum cryptocurrency", contract: 495_759_171, dollars: 3_300, tick: 1_000_000, minuteTicks: 150,
                lots: 50_000_000...2_500_000_000),
        ]
    }

    /// Eleven strikes of AAPL, calls and puts, for the third Fridays of a past month and of the three to come.
    package static func options(asOf date: CivilDate, realHours: Bool = false) -> [PaperInstrument] {
        guard let stock = stocks(realHours: realHours).first(where: { $0.instrument.symbol == "AAPL" }) else { return [] }
        let month = date.year * 12 + date.month - 1
        let expiries = (-2...4).compactMap { thirdFriday(month: month + $0) }
        let coming = expiries.filter { $0 >= date }.prefix(3)
        let listed = expiries.filter { $0 < date }.suffix(1) + coming
        return listed.flatMap { expiry in
            (0..<11).flatMap { at in [true, false].map { option(on: stock, expiry, strike: 205 + Int64(at) * 5, isCall: $0) } }
        }
    }

    private static func thirdFriday(month count: Int) -> CivilDate? {
        guard let first = CivilDate(year: count / 12, month: count % 12 + 1, day: 1) else { return nil }
        return first.adding(days: (5 - first.weekday + 7) % 7 + 14)
    }

    private static func option(on stock: PaperInstrument, _ expiry: CivilDate, strike: Int64, isCall: Bool) -> PaperInstrument {
        let symbol = stock.instrument.symbol
        let digits = String(strike * 1_000)
        // The clearing house's own names: the root in six characters, the date, the right, the strike in thousandths.
        let padded = symbol + String(repeating: " ", count: 6 - symbol.utf8.count)
        let local = padded + expiry.compact.dropFirst(2) + (isCall ? "C" : "P") + String(repeating: "0", count: 8 - digits.utf8.count) + digits
        let number = Int64((expiry.year - 2_000) * 12 + expiry.month) * 1_000 + strike * 2 + (isCall ? 0 : 1)
        let instrument = Instrument(
            id: InstrumentID(local.filter { $0 != " " } + ".SMART"), symbol: symbol, securityType: .option, exchange: "SMART", currency: "USD",
            localSymbol: local, tradingClass: symbol, multiplier: Quantity(whole: 100), minPriceIncrement: Price(raw: 1_000_000),
            lotStep: Quantity(whole: 1), maturityDate: expiry, brokerContractID: 600_000_000 + number)
        var listing = PaperInstrument(
            instrument: instrument, longName: stock.longName, process: stock.process, walkKey: stock.walkKey, offsetTicks: 0,
            depth: DepthRule(lots: 5...120, levels: 2, spreadTicks: 5, tradeLots: 10, tradesPerHundred: 12),
            margin: .fraction(initial: Ratio(raw: 1_000_000), maintenance: Ratio(raw: 1_000_000)),
            commission: CommissionRule(perUnit: Money(raw: 65_000_000), minimum: Money(whole: 1)), tradingHours: stock.liquidHours,
            liquidHours: stock.liquidHours)
        listing.option = OptionTerms(
            strike: Price(whole: strike), isCall: isCall, underlying: stock.instrument.id, underlyingTick: stock.instrument.minPriceIncrement,
            expires: USZone.eastern.instant(expiry, minute: 960), volatility: Ratio(raw: 280_000))
        return listing
    }

    private static func currency(_ symbol: String, _ name: String, contract: Int64, base: Int64) -> PaperInstrument {
        let pair = symbol + ".USD"
        let instrument = Instrument(
            id: InstrumentID(pair + ".IDEALPRO"), symbol: symbol, securityType: .currency, exchange: "IDEALPRO", currency: "USD", localSymbol: pair,
            tradingClass: pair, multiplier: Quantity(whole: 1), minPriceIncrement: Price(raw: 5_000), lotStep: Quantity(whole: 1), maturityDate: nil,
            brokerContractID: contract)
        return PaperInstrument(
            instrument: instrument, longName: name, process: .walk(PriceWalk(base: Price(raw: base), minuteTicks: 3, gapTicks: 4)), walkKey: pair,
            offsetTicks: 0, depth: DepthRule(lots: 250_000...5_000_000, levels: 3, spreadTicks: 2, tradeLots: 1_000_000, tradesPerHundred: 70),
            margin: .fraction(initial: Ratio(raw: 30_000), maintenance: Ratio(raw: 25_000)),
            commission: .ofValue(Ratio(raw: 20), minimum: Money(whole: 2)), tradingHours: .always(.eastern),
            liquidHours: .always(.eastern))
    }

    private static func coin(
        _ symbol: String, _ name: String, contract: Int64, dollars: Int64, tick: Int64, minuteTicks: Int64, lots: ClosedRange<Int64>
    ) -> PaperInstrument {
        let pair = symbol + ".USD"
        let instrument = Instrument(
            id: InstrumentID(pair + ".PAXOS"), symbol: symbol, securityType: .crypto, exchange: "PAXOS", currency: "USD", localSymbol: pair,
            tradingClass: symbol, multiplier: Quantity(whole: 1), minPriceIncrement: Price(raw: tick), lotStep: Quantity(raw: 1), maturityDate: nil,
            brokerContractID: contract)
        return PaperInstrument(
            instrument: instrument, longName: name,
            process: .walk(PriceWalk(base: Price(whole: dollars), minuteTicks: minuteTicks, gapTicks: minuteTicks * 2)), walkKey: pair,
            offsetTicks: 0,
            depth: DepthRule(lots: lots, levels: 3, spreadTicks: 4, tradeLots: lots.upperBound / 3, tradesPerHundred: 50),
            margin: .fraction(initial: Ratio(raw: 1_000_000), maintenance: Ratio(raw: 1_000_000)),
            commission: .ofValue(Ratio(raw: 1_800), minimum: Money(raw: 175_000_000)),
            tradingHours: .always(.eastern),
            liquidHours: .always(.eastern))
    }
}
