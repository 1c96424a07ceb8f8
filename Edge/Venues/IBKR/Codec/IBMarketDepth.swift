// Ticks one by one, depth, option figures and what else the gateway tells of a market, as values.
package import Values

/// One row of a book that came, changed or went.
package struct IBDepthRow: Hashable, Sendable {
    package var requestId: Int64
    /// 0 = the best row of its side. An inserted row pushes those behind it back.
    package var position: Int64
    /// Who makes this price, or the exchange of a smart book; nil in a book of one exchange (message 12).
    package var marketMaker: String?
    /// 0 insert, 1 update, 2 delete.
    package var operation: Int64
    /// 1 bid, 0 ask.
    package var side: Int64
    /// Nil where nothing is told, as in a row that goes.
    package var price: Price?
    package var size: WireSize?
    /// True when the rows of several exchanges stand in one book.
    package var isSmart: Bool
}

/// One tick of a tick-by-tick stream or of historical ticks.
package enum IBTickByTick: Hashable, Sendable {
    case trade(IBTradeTick)
    case quote(IBQuoteTick)
    /// `time` in seconds since 1970; historical midpoints have a size, mostly 0.
    case midpoint(time: Int64, price: Price?, size: WireSize?)
}

/// One trade.
package struct IBTradeTick: Hashable, Sendable {
    /// True in a stream of all trades (type 2); always false for trades of the past.
    package var isAllLast = false
    /// Seconds since 1970.
    package var time: Int64
    package var price: Price?
    package var size: WireSize?
    package var isPastLimit: Bool
    /// True for a trade that does not count into the last price.
    package var isUnreported: Bool
    package var exchange: String
    /// Letters of the exchange for trades out of the ordinary.
    package var conditions: String
}

/// One change of the best bid and ask.
package struct IBQuoteTick: Hashable, Sendable {
    /// Seconds since 1970.
    package var time: Int64
    package var bid: Price?
    package var ask: Price?
    package var bidSize: WireSize?
    package var askSize: WireSize?
    package var isBidPastLow: Bool
    package var isAskPastHigh: Bool
}

/// The ticks of one historical request, oldest first.
package struct IBHistoricalTicks: Hashable, Sendable {
    /// Which message they came in: what the list holds, also when it is empty.
    package enum Kind: Int64, Hashable, Sendable { case midpoints = 96, quotes = 97, trades = 98 }
    package var requestId: Int64
    package var kind: Kind
    package var ticks: [IBTickByTick]
    /// False when another message of this request follows.
    package var isDone: Bool
}

/// What the gateway computed of an option. Nil = not computed.
package struct IBOptionComputation: Hashable, Sendable {
    package var requestId: Int64
    /// 10 bid, 11 ask, 12 last, 13 model; 80 to 83 the same, delayed.
    package var type: Int64
    /// 0 based on returns, 1 on prices.
    package var attribute: Int64
    /// 0.2 = twenty percent.
    package var impliedVolatility: WireNumber?
    package var delta: WireNumber?
    package var price: Price?
    package var dividend: Price?
    package var gamma: WireNumber?
    package var vega: WireNumber?
    package var theta: WireNumber?
    package var underlying: Price?
}

/// An exchange for physicals.
package struct IBExchangeForPhysical: Hashable, Sendable {
    package var requestId: Int64
    package var type: Int64
    package var basisPoints: WireNumber?
    /// The basis points as the gateway would show them.
    package var formattedBasisPoints: String
    package var impliedFuturesPrice: Price?
    package var holdDays: Int64?
    package var futureLastTradeDate: String
    package var dividendImpact: Price?
    package var dividendsToLastTradeDate: Price?
}

/// How often one price traded over a time.
package struct IBHistogramRow: Hashable, Sendable {
    package var price: Price?
    package var size: WireSize?
}

/// One session of a trading schedule, as written.
package struct IBScheduleSession: Hashable, Sendable {
    package var start: String
    package var end: String
    /// The trading day it counts for, yyyymmdd.
    package var day: String
}

/// The sessions of a contract over a time.
package struct IBSchedule: Hashable, Sendable {
    package var requestId: Int64
    package var start: String
    package var end: String
    package var zone: String
    package var sessions: [IBScheduleSession]
}

/// One step of a price ladder: prices from `lowEdge` on move by `increment`.
package struct IBPriceStep: Hashable, Sendable {
    package var lowEdge: Price?
    package var increment: Price?
}

/// Where a book can be had.
package struct IBDepthExchange: Hashable, Sendable {
    package var exchange: String
    package var secType: String
    package var listingExchange: String
    /// `Deep` or `Deep2`.
    package var service: String
    /// Exchanges of one number share a book; nil for none.
    package var aggregateGroup: Int64?
}

/// One exchange behind a letter of a smart quote.
package struct IBSmartComponent: Hashable, Sendable {
    package var bit: Int64
    package var exchange: String
    package var letter: String
}
