// What the gateway tells of contracts, news, scans and advisors' accounts, as values.
package import Values

/// What a bond's details have beside those of other contracts.
package struct IBBondTerms: Hashable, Sendable {
    package var cusip = ""
    /// Percent a year; nil when unset.
    package var coupon: WireNumber?
    package var maturity = ""
    package var issueDate = ""
    package var ratings = ""
    package var bondType = ""
    package var couponType = ""
    package var isConvertible = false
    package var isCallable = false
    package var isPutable = false
    package var description = ""
    package var nextOptionDate = ""
    package var nextOptionType = ""
    package var isNextOptionPartial = false
    package var notes = ""
    package init() {}
}

/// The options of one underlying on one exchange: every expiry has every strike.
package struct IBOptionChain: Hashable, Sendable {
    package var requestId: Int64
    package var exchange: String
    package var underlyingConId: Int64
    package var tradingClass: String
    package var multiplier: String
    /// yyyymmdd.
    package var expirations: [String]
    package var strikes: [Price?]
}

/// One contract that a search found.
package struct IBSymbolSample: Hashable, Sendable {
    /// Of the contract only conId, symbol, secType, primaryExchange, currency and issuerId are told.
    package var contract: IBContract
    package var derivatives: [String]
    /// The company's name; from server version 176.
    package var description: String
}

/// One row of a scan.
package struct IBScanRow: Hashable, Sendable {
    package var rank: Int64
    package var contract: IBContract
    package var marketName: String
    package var distance: String
    package var benchmark: String
    package var projection: String
    package var legs: String
}

/// A message of the exchange to everybody.
package struct IBBulletin: Hashable, Sendable {
    package var id: Int64
    /// 1 news, 2 an exchange is not available, 3 it is again.
    package var type: Int64
    package var text: String
    package var exchange: String
}

/// A headline of a contract's news stream.
package struct IBNewsTick: Hashable, Sendable {
    package var requestId: Int64
    /// Milliseconds since 1970.
    package var milliseconds: Int64
    package var provider: String
    package var articleId: String
    package var headline: String
    package var extra: String
}

/// A headline of the past.
package struct IBHistoricalHeadline: Hashable, Sendable {
    package var requestId: Int64
    /// As written.
    package var time: String
    package var provider: String
    package var articleId: String
    package var headline: String
}

/// Who sells news.
package struct IBNewsProvider: Hashable, Sendable {
    package var code: String
    package var name: String
}

/// An account of an advisor's family.
package struct IBFamilyCode: Hashable, Sendable {
    package var account: String
    package var code: String
}

/// What one account or model is worth, by its keys; the stream that any account of the login may be asked for.
package struct IBAccountUpdateMulti: Hashable, Sendable {
    package var requestId: Int64
    package var account: String
    package var model: String
    package var key: String
    package var value: String
    package var currency: String
}

/// Profit and loss in the account's base currency; nil where the gateway has no figure.
package struct IBProfit: Hashable, Sendable {
    package var requestId: Int64
    package var daily: Money?
    package var unrealized: Money?
    package var realized: Money?
}

/// Profit and loss of one position.
package struct IBPositionProfit: Hashable, Sendable {
    package var requestId: Int64
    package var position: WireSize?
    package var daily: Money?
    package var unrealized: Money?
    package var realized: Money?
    package var value: Money?
}
