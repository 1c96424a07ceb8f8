// What the gateway sends, as values.
package import Values

/// One message of the gateway. Large ones are boxed, so that a tick stays small.
package enum IBMessage: Hashable, Sendable {
    case nextValidId(Int64)
    case managedAccounts([String])
    /// Seconds since 1970 on the gateway's clock.
    case currentTime(Int64)
    indirect case error(IBError)
    case tickPrice(IBTickPrice)
    case tickSize(requestId: Int64, type: Int64, size: WireSize?)
    case tickGeneric(requestId: Int64, type: Int64, value: WireNumber?)
    case tickString(requestId: Int64, type: Int64, text: String)
    indirect case tickRequestParameters(requestId: Int64, minTick: Price?, bboExchange: String, snapshotPermissions: Int64)
    /// 1 live, 2 frozen, 3 delayed, 4 delayed and frozen.
    case marketDataType(requestId: Int64, type: Int64)
    case tickSnapshotEnd(requestId: Int64)
    indirect case realTimeBar(requestId: Int64, IBBar)
    indirect case historicalData(IBHistory)
    indirect case historicalUpdate(requestId: Int64, IBBar)
    indirect case contractDetails(requestId: Int64, IBContractDetails)
    case contractDetailsEnd(requestId: Int64)
    indirect case accountValue(key: String, value: String, currency: String, account: String)
    indirect case portfolioValue(IBPortfolioLine)
    case accountUpdateTime(String)
    case accountDownloadEnd(account: String)
    indirect case accountSummary(requestId: Int64, account: String, tag: String, value: String, currency: String)
    case accountSummaryEnd(requestId: Int64)
    indirect case position(IBPositionLine)
    case positionEnd
    indirect case orderStatus(IBOrderStatus)
    indirect case openOrder(IBOpenOrder)
    case openOrderEnd
    indirect case completedOrder(IBOpenOrder)
    case completedOrdersEnd
    case orderBound(permId: Int64, clientId: Int64, orderId: Int64)
    indirect case execution(requestId: Int64, IBExecution)
    case executionsEnd(requestId: Int64)
    indirect case commission(IBCommission)
    // Beyond quotes, bars and orders; all boxed
    /// A row of a book.
    indirect case depth(IBDepthRow)
    indirect case tickByTick(requestId: Int64, IBTickByTick)
    indirect case historicalTicks(IBHistoricalTicks)
    indirect case optionComputation(IBOptionComputation)
    indirect case exchangeForPhysical(IBExchangeForPhysical)
    indirect case headTimestamp(requestId: Int64, String)
    indirect case histogram(requestId: Int64, [IBHistogramRow])
    indirect case schedule(IBSchedule)
    indirect case marketRule(id: Int64, [IBPriceStep])
    indirect case depthExchanges([IBDepthExchange])
    indirect case smartComponents(requestId: Int64, [IBSmartComponent])
    /// The data of a CFD is to be asked for at another contract: its quotes, or its book.
    indirect case reroute(requestId: Int64, conId: Int64, exchange: String, isDepth: Bool)
    indirect case bondDetails(requestId: Int64, IBContractDetails)
    indirect case optionChain(IBOptionChain)
    case optionChainEnd(requestId: Int64)
    indirect case symbolSamples(requestId: Int64, [IBSymbolSample])
    indirect case scannerParameters(xml: String)
    indirect case scannerData(requestId: Int64, [IBScanRow])
    indirect case fundamentalData(requestId: Int64, xml: String)
    /// The gateway's own figures for the hedge of a combination.
    indirect case deltaNeutralValidation(requestId: Int64, DeltaNeutralContract)
    indirect case bulletin(IBBulletin)
    indirect case newsTick(IBNewsTick)
    /// 0 plain or HTML text, 1 a PDF in base 64.
    indirect case newsArticle(requestId: Int64, type: Int64, text: String)
    indirect case newsProviders([IBNewsProvider])
    indirect case historicalNews(IBHistoricalHeadline)
    case historicalNewsEnd(requestId: Int64, hasMore: Bool)
    /// Calendar of corporate events: what can be asked for, and events, as JSON.
    indirect case eventMetaData(requestId: Int64, json: String)
    indirect case eventData(requestId: Int64, json: String)
    indirect case positionMulti(requestId: Int64, IBPositionLine, model: String)
    case positionMultiEnd(requestId: Int64)
    indirect case accountUpdateMulti(IBAccountUpdateMulti)
    case accountUpdateMultiEnd(requestId: Int64)
    indirect case profit(IBProfit)
    indirect case positionProfit(IBPositionProfit)
    /// An advisor's groups (1), profiles (2) or aliases (3).
    indirect case advisorData(type: Int64, xml: String)
    indirect case advisorDataReplaced(requestId: Int64, text: String)
    indirect case softDollarTiers(requestId: Int64, [SoftDollarTier])
    indirect case familyCodes([IBFamilyCode])
    indirect case userInfo(requestId: Int64, brand: String)
    /// A message that did not exist when this was written.
    case unknown(id: Int64)
}

/// An error, a warning or a notice.
package struct IBError: Hashable, Sendable {
    /// A request or order id; -1 for none.
    package var id: Int64
    package var code: Int64
    package var text: String
    /// Machine-readable reason of a refused order; empty for none.
    package var rejectJSON: String
}

/// A price tick with the size that belongs to it.
package struct IBTickPrice: Hashable, Sendable {
    package var requestId: Int64
    package var type: Int64
    /// Nil = no quote.
    package var price: Price?
    package var size: WireSize?
    /// Bit 0 can execute automatically, 1 past limit, 2 before the open.
    package var mask: Int64

    /// -1 with nothing behind it means that there is no quote; with a size it is a price of a spread.
    package var isNoQuote: Bool { price == nil || (price?.raw == -100_000_000 && (size?.raw ?? 0) <= 0) }
    /// The size tick that this price brings along: bid size for bid, and so on.
    package var sizeType: Int64? {
        switch type {
        case 1: 0
        case 2: 3
        case 4: 5
        case 66: 69
        case 67: 70
        case 68: 71
        default: nil
        }
    }
}

/// A bar. Volume, average and count are nil where the gateway writes -1 (bars of midpoints, bids and asks).
package struct IBBar: Hashable, Sendable {
    /// As written: epoch seconds, or a date with or without time and zone.
    package var date: String
    package var open: Price?
    package var high: Price?
    package var low: Price?
    package var close: Price?
    package var volume: WireSize?
    package var average: Price?
    package var count: Int64?
}

/// All bars of one historical request; the message is its own end.
package struct IBHistory: Hashable, Sendable {
    package var requestId: Int64
    package var start: String
    package var end: String
    package var bars: [IBBar]
}

/// A contract with the figures that trading needs.
package struct IBContractDetails: Hashable, Sendable {
    package var contract = IBContract()
    package var marketName = ""
    package var minTick: Price?
    package var orderTypes = ""
    package var validExchanges = ""
    package var priceMagnifier: Int64 = 1
    package var underConId: Int64 = 0
    package var longName = ""
    package var contractMonth = ""
    package var industry = ""
    package var category = ""
    package var subcategory = ""
    package var timeZoneId = ""
    package var tradingHours = ""
    package var liquidHours = ""
    package var evRule = ""
    package var evMultiplier: WireNumber?
    package var secIds: [TagValue] = []
    package var aggGroup: Int64?
    package var underSymbol = ""
    package var underSecType = ""
    package var marketRuleIds = ""
    package var realExpirationDate = ""
    /// The clock part of the last trade date, where the gateway joins it to the date.
    package var lastTradeTime = ""
    package var lastTradeZone = ""
    package var stockType = ""
    package var minSize: WireSize?
    package var sizeIncrement: WireSize?
    package var suggestedSizeIncrement: WireSize?
    /// Of bonds only.
    package var bond: IBBondTerms?
    package init() {}
}

/// One line of the account window's portfolio.
package struct IBPortfolioLine: Hashable, Sendable {
    package var contract: IBContract
    package var position: WireSize?
    package var marketPrice: Price?
    package var marketValue: Money?
    /// Per unit, the multiplier included.
    package var averageCost: Money?
    package var unrealizedPnL: Money?
    package var realizedPnL: Money?
    package var account: String
}

/// One position.
package struct IBPositionLine: Hashable, Sendable {
    package var account: String
    package var contract: IBContract
    package var position: WireSize?
    /// Per unit, the multiplier included.
    package var averageCost: Money?
}

/// What the gateway says of an order's course: advice, never a fill.
package struct IBOrderStatus: Hashable, Sendable {
    package var orderId: Int64
    package var status: String
    package var filled: WireSize?
    package var remaining: WireSize?
    package var avgFillPrice: Price?
    package var permId: Int64
    package var parentId: Int64
    package var lastFillPrice: Price?
    package var clientId: Int64
    /// Comma list of trigger, child, locate.
    package var whyHeld: String
    package var mktCapPrice: Price?
}

/// One execution.
package struct IBExecution: Hashable, Sendable {
    package var contract: IBContract
    /// Nil for an order that no client owns.
    package var orderId: Int64?
    package var execId: String
    /// As written.
    package var time: String
    package var account: String
    package var exchange: String
    /// BOT or SLD.
    package var side: String
    package var shares: WireSize?
    package var price: Price?
    package var permId: Int64
    package var clientId: Int64
    package var liquidation: Int64
    package var cumQty: WireSize?
    package var avgPrice: Price?
    package var orderRef: String
    package var evRule: String
    package var evMultiplier: WireNumber?
    package var modelCode: String
    /// 1 added, 2 removed, 3 routed.
    package var lastLiquidity: Int64
    package var pendingPriceRevision: Bool
}

/// What one execution cost.
package struct IBCommission: Hashable, Sendable {
    package var execId: String
    package var commission: Money?
    package var currency: String
    /// Nil for an opening fill.
    package var realizedPnL: Money?
    package var yield: WireNumber?
    /// yyyymmdd as a number, 0 for none.
    package var yieldRedemptionDate: Int64
}
