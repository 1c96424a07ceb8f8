// The instruments the simulated exchange lists by default: the chain of Micro Bitcoin futures and a few stocks.
package import Values

/// Ready-made listings. Contract numbers are stable: the same contract has the same number in every run.
package enum PaperCatalogue {
    /// Micro Bitcoin futures of the months around `date`: three past ones (still held, perhaps) and six to come, each with its true expiry.
    package static func microBitcoin(asOf date: CivilDate, realHours: Bool = false, tape: PriceTape? = nil) -> [PaperInstrument] {
        let front = (date.year * 12 + date.month - 1)
        return (-3...6).compactMap { future(month: front + $0, ahead: Int64($0), realHours: realHours, tape: tape) }
    }

    /// Large US stocks, routed by SMART, listed at NASDAQ; two calm ones, two that move enough for a breakout to trigger within minutes.
    package static func stocks(realHours: Bool = false) -> [PaperInstrument] {
        [
            stock("AAPL", "APPLE INC", contract: 265_598, dollars: 230, realHours),
            stock("MSFT", "MICROSOFT CORP", contract: 272_093, dollars: 430, realHours),
            stock("NVDA", "NVIDIA CORP", contract: 4_815_747, dollars: 140, minuteTicks: 20, realHours),
            stock("TSLA", "TESLA INC", contract: 76_792_991, dollars: 340, minuteTicks: 50, realHours),
        ]
    }

    /// So many made-up stocks, for whoever needs many: `S001` and on, each with a walk of its own.
    package static func many(_ count: Int) -> [PaperInstrument] {
        (0..<max(count, 0)).map { index in
            stock(
                "S" + CivilDate.padded(index + 1, 3), "SIMULATED STOCK \(index + 1)", contract: 900_000_001 + Int64(index),
                dollars: 20 + Int64(index % 400), minuteTicks: 12, false)
        }
    }

    /// MBT and four stocks.
    package static func standard(asOf date: CivilDate, realHours: Bool = false, tape: PriceTape? = nil) -> [PaperInstrument] {
        microBitcoin(asOf: date, realHours: realHours, tape: tape) + stocks(realHours: realHours)
    }

    /// The last Friday of the month, or the day before when that is Christmas or New Year's Day.
    package static func expiry(year: Int, month: Int) -> CivilDate? {
        guard let last = CivilDate(year: year, month: month, day: CivilDate.length(of: month, in: year)) else { return nil }
        let friday = last.adding(days: -((last.weekday - 5 + 7) % 7))
        return friday.month == 12 && friday.day == 25 ? friday.adding(days: -1) : friday
    }

    private static func future(month count: Int, ahead: Int64, realHours: Bool, tape: PriceTape?) -> PaperInstrument? {
        let (year, month) = (count / 12, count % 12 + 1)
        guard let expiry = expiry(year: year, month: month) else { return nil }
        let local = "MBT" + MonthCode.text(year: year, month: month)
        let instrument = Instrument(
            id: InstrumentID(local + ".CME"), symbol: "MBT", securityType: .future, exchange: "CME", currency: "USD", localSymbol: local,
            tradingClass: "MBT", multiplier: Quantity(raw: 10_000_000), minPriceIncrement: Price(whole: 5), lotStep: Quantity(whole: 1),
            maturityDate: expiry, brokerContractID: 712_000_000 + Int64(year * 100 + month))
        let hours = realHours ? ExchangeHours.cmeCrypto : .always(.central)
        return PaperInstrument(
            instrument: instrument, longName: "Micro Bitcoin",
            process: tape.map { .tape($0) } ?? .walk(PriceWalk(base: Price(whole: 95_000), minuteTicks: 8, gapTicks: 12)),
            walkKey: "MBT", offsetTicks: tape == nil ? max(ahead, 0) * 60 : 0,
            // Below 25 a level, two levels a step: a 25-lot always fills in parts.
            depth: DepthRule(lots: 3...19, levels: 2, spreadTicks: 2, tradeLots: 6, tradesPerHundred: 45),
            margin: .perContract(initial: Money(whole: 2_800), maintenance: Money(whole: 2_240)),
            commission: CommissionRule(perUnit: Money(raw: 227_000_000), minimum: .zero), tradingHours: hours, liquidHours: hours)
    }

    private static func stock(_ symbol: String, _ name: String, contract: Int64, dollars: Int64, minuteTicks: Int64 = 6, _ realHours: Bool)
        -> PaperInstrument
    {
        let instrument = Instrument(
            id: InstrumentID(symbol + ".NASDAQ"), symbol: symbol, securityType: .stock, exchange: "SMART", currency: "USD", localSymbol: symbol,
            tradingClass: "NMS", multiplier: Quantity(whole: 1), minPriceIncrement: Price(raw: 1_000_000), lotStep: Quantity(whole: 1),
            maturityDate: nil, brokerContractID: contract)
        return PaperInstrument(
            instrument: instrument, longName: name, process: .walk(PriceWalk(base: Price(whole: dollars), minuteTicks: minuteTicks, gapTicks: 15)),
            walkKey: symbol,
            offsetTicks: 0, depth: DepthRule(lots: 100...900, levels: 3, spreadTicks: 2, tradeLots: 300, tradesPerHundred: 60),
            margin: .fraction(initial: Ratio(raw: 500_000), maintenance: Ratio(raw: 250_000)),
            commission: CommissionRule(perUnit: Money(raw: 500_000), minimum: Money(whole: 1)),
            tradingHours: realHours ? .usStocksExtended : .always(.eastern), liquidHours: realHours ? .usStocksRegular : .always(.eastern))
    }
}
