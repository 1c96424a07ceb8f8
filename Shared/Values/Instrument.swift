// What can be traded: the instrument, its numbers, and the words for side, order type and validity.

/// The house's own id of an instrument: `MBTZ6.CME`, `AAPL.NASDAQ`; stable for the life of the contract.
package struct InstrumentID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package static func < (a: InstrumentID, b: InstrumentID) -> Bool { a.text < b.text }
    @usableFromInline package var description: String { text }
}

/// FIX SecurityType (167), with the broker's three-letter words as raw values.
package enum SecurityType: String, Hashable, Sendable, CaseIterable {
    case stock = "STK", future = "FUT", option = "OPT", futureOption = "FOP", currency = "CASH", crypto = "CRYPTO", index = "IND", combo = "BAG"
    case continuousFuture = "CONTFUT", bond = "BOND", fund = "FUND", warrant = "WAR", cfd = "CFD", commodity = "CMDTY", news = "NEWS"
}

/// One tradable thing with the numbers that orders need.
package struct Instrument: Hashable, Sendable {
    package var id: InstrumentID
    /// The root symbol: `MBT`, `AAPL`.
    package var symbol: String
    package var securityType: SecurityType
    /// Where orders are routed: `CME`, `SMART`.
    package var exchange: String
    package var currency: String
    /// The contract's own name at its exchange: `MBTZ6`.
    package var localSymbol: String
    package var tradingClass: String
    /// Units of the underlying per contract: 0.1 for MBT, 1 for a stock.
    package var multiplier: Quantity
    /// The smallest price step.
    package var minPriceIncrement: Price
    /// The smallest quantity step.
    package var lotStep: Quantity
    /// Last trade date of a future or option; nil for what does not expire.
    package var maturityDate: CivilDate?
    /// The broker's number for the contract (IBKR conId), 0 when unknown.
    package var brokerContractID: Int64

    package init(
        id: InstrumentID, symbol: String, securityType: SecurityType, exchange: String, currency: String, localSymbol: String, tradingClass: String,
        multiplier: Quantity, minPriceIncrement: Price, lotStep: Quantity, maturityDate: CivilDate?, brokerContractID: Int64
    ) {
        self.id = id; self.symbol = symbol; self.securityType = securityType; self.exchange = exchange; self.currency = currency
        self.localSymbol = localSymbol; self.tradingClass = tradingClass; self.multiplier = multiplier
        self.minPriceIncrement = minPriceIncrement; self.lotStep = lotStep; self.maturityDate = maturityDate; self.brokerContractID = brokerContractID
    }
}

/// FIX Side (54).
package enum Side: String, Hashable, Sendable, CaseIterable {
    case buy = "BUY", sell = "SELL"
    package var opposite: Side { self == .buy ? .sell : .buy }
    /// +1 for buy, -1 for sell.
    package var sign: Int64 { self == .buy ? 1 : -1 }
}

/// FIX OrdType (40).
package enum OrdType: String, Hashable, Sendable, CaseIterable {
    case market = "MARKET", limit = "LIMIT", stop = "STOP", stopLimit = "STOP_LIMIT", trailingStop = "TRAILING_STOP"
}

/// FIX TimeInForce (59).
package enum TimeInForce: String, Hashable, Sendable, CaseIterable {
    case day = "DAY", gtc = "GTC", ioc = "IOC", fok = "FOK", gtd = "GTD"
}

/// Paper or live; a property of the account, shown on every page.
package enum TradingMode: String, Hashable, Sendable, CaseIterable { case paper = "PAPER", live = "LIVE" }

/// CME month letters F...Z for months 1...12.
package enum MonthCode {
    private static let letters = Array("FGHJKMNQUVXZ")
    /// `Z6` for December 2026.
    package static func text(year: Int, month: Int) -> String { "\(letters[month - 1])\(year % 10)" }
}
