// What the gateway tells its clients: one function a message, fields in wire order (server versions 157 to 178).

/// The contract fields that inbound messages carry.
package struct WireListing: Hashable, Sendable {
    package var conId: Int64
    package var symbol: String
    package var secType: String
    package var expiry = ""
    package var strike = "0"
    package var right = ""
    package var multiplier = ""
    package var exchange: String
    package var currency: String
    package var localSymbol: String
    package var tradingClass: String
    package init(
        conId: Int64, symbol: String, secType: String, expiry: String = "", strike: String = "0", right: String = "", multiplier: String = "",
        exchange: String,
        currency: String, localSymbol: String, tradingClass: String
    ) {
        self.conId = conId; self.symbol = symbol; self.secType = secType; self.expiry = expiry; self.strike = strike; self.right = right
        self.multiplier = multiplier; self.exchange = exchange; self.currency = currency; self.localSymbol = localSymbol;
        self.tradingClass = tradingClass
    }
    /// conId to tradingClass, in wire order.
    var fields: [String] {
        [String(conId), symbol, secType, expiry, strike, right, multiplier, exchange, currency, localSymbol, tradingClass]
    }
    func with(exchange: String? = nil, right: String? = nil) -> WireListing {
        var copy = self
        copy.exchange = exchange ?? copy.exchange
        copy.right = right ?? copy.right
        return copy
    }
}

/// Session, clock and notices.
package enum GatewayMessages {
    package static func greeting(version: Int, time: String) -> [String] { [String(version), time] }
    package static func nextValidId(_ id: Int64) -> [String] { ["9", "1", String(id)] }
    package static func managedAccounts(_ list: String) -> [String] { ["15", "1", list] }
    package static func currentTime(_ seconds: Int64) -> [String] { ["49", "1", String(seconds)] }
    package static func userInfo(id: Int, brandingId: String) -> [String] { ["107", String(id), brandingId] }
    /// - Parameter id: an order id or request id, -1 for none.
    package static func error(id: Int64, code: Int, _ text: String, reject: String = "", version: Int) -> [String] {
        ["4", "2", String(id), String(code), text] + (version >= 166 ? [reject] : [])
    }
}

/// Accounts and positions.
extension GatewayMessages {
    package static func accountValue(_ key: String, _ value: String, _ currency: String, account: String) -> [String] {
        ["6", "2", key, value, currency, account]
    }
    /// What a position is worth; the listing's exchange field holds the primary exchange here.
    package struct Portfolio: Sendable {
        package var listing: WireListing
        package var position, marketPrice, marketValue, averageCost, unrealised, realised: String
        package init(
            listing: WireListing, position: String, marketPrice: String, marketValue: String, averageCost: String, unrealised: String,
            realised: String
        ) {
            self.listing = listing; self.position = position; self.marketPrice = marketPrice; self.marketValue = marketValue
            self.averageCost = averageCost; self.unrealised = unrealised; self.realised = realised
        }
    }
    package static func portfolioValue(_ item: Portfolio, account: String) -> [String] {
        ["7", "8"] + item.listing.fields
            + [item.position, item.marketPrice, item.marketValue, item.averageCost, item.unrealised, item.realised, account]
    }
    package static func accountUpdateTime(_ clock: String) -> [String] { ["8", "1", clock] }
    package static func accountDownloadEnd(_ account: String) -> [String] { ["54", "1", account] }
    package static func position(_ listing: WireListing, account: String, size: String, averageCost: String) -> [String] {
        ["61", "3", account] + listing.fields + [size, averageCost]
    }
    package static var positionEnd: [String] { ["62", "1"] }
    package static func positionMulti(id: Int, _ listing: WireListing, account: String, size: String, averageCost: String, model: String) -> [String]
    {
        ["71", "1", String(id), account] + listing.fields + [size, averageCost, model]
    }
    package static func positionMultiEnd(id: Int) -> [String] { ["72", "1", String(id)] }
    package static func accountSummary(id: Int, account: String, tag: String, value: String, currency: String) -> [String] {
        ["63", "1", String(id), account, tag, value, currency]
    }
    package static func accountSummaryEnd(id: Int) -> [String] { ["64", "1", String(id)] }
    package static func accountUpdateMulti(id: Int, account: String, model: String, key: String, value: String, currency: String) -> [String] {
        ["73", "1", String(id), account, model, key, value, currency]
    }
    package static func accountUpdateMultiEnd(id: Int) -> [String] { ["74", "1", String(id)] }
    package static func pnl(id: Int, daily: String, unrealised: String, realised: String) -> [String] {
        ["94", String(id), daily, unrealised, realised]
    }
    package static func pnlSingle(id: Int, position: String, daily: String, unrealised: String, realised: String, value: String) -> [String] {
        ["95", String(id), position, daily, unrealised, realised, value]
    }
}

/// Market data.
extension GatewayMessages {
    /// - Parameter mask: bit 0 can auto-execute, 1 past limit, 2 pre-open.
    package static func tickPrice(id: Int, type: Int, price: String, size: String, mask: Int) -> [String] {
        ["1", "6", String(id), String(type), price, size, String(mask)]
    }
    package static func tickSize(id: Int, type: Int, size: String) -> [String] { ["2", "6", String(id), String(type), size] }
    package static func tickGeneric(id: Int, type: Int, value: String) -> [String] { ["45", "6", String(id), String(type), value] }
    package static func tickString(id: Int, type: Int, text: String) -> [String] { ["46", "6", String(id), String(type), text] }
    package static func tickReqParams(id: Int, minTick: String, bboExchange: String, snapshotPermissions: Int) -> [String] {
        ["81", String(id), minTick, bboExchange, String(snapshotPermissions)]
    }
    package static func marketDataType(id: Int, type: Int) -> [String] { ["58", "1", String(id), String(type)] }
    package static func snapshotEnd(id: Int) -> [String] { ["57", "1", String(id)] }
    package static func headTimestamp(id: Int, text: String) -> [String] { ["88", String(id), text] }
    package static func marketRule(id: Int, _ steps: [(lowEdge: String, increment: String)]) -> [String] {
        ["93", String(id), String(steps.count)] + steps.flatMap { [$0.lowEdge, $0.increment] }
    }

    /// A bar as text; -1 for volume, average and count means that the data has none.
    package struct WireBar: Sendable {
        package var date, open, high, low, close, volume, average, count: String
        package init(date: String, open: String, high: String, low: String, close: String, volume: String, average: String, count: String) {
            self.date = date; self.open = open; self.high = high; self.low = low; self.close = close; self.volume = volume; self.average = average
            self.count = count
        }
    }
    package static func realTimeBar(id: Int, _ bar: WireBar) -> [String] {
        ["50", "3", String(id), bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.average, bar.count]
    }
    /// All bars in one frame, which means their end too.
    package static func historicalData(id: Int, start: String, end: String, _ bars: [WireBar]) -> [String] {
        ["17", String(id), start, end, String(bars.count)]
            + bars.flatMap { [$0.date, $0.open, $0.high, $0.low, $0.close, $0.volume, $0.average, $0.count] }
    }
    /// Open, close, high, low: not the order of the others.
    package static func historicalDataUpdate(id: Int, _ bar: WireBar) -> [String] {
        ["90", String(id), bar.count, bar.date, bar.open, bar.close, bar.high, bar.low, bar.average, bar.volume]
    }

    /// One description of a contract.
    package struct Details: Sendable {
        package var listing: WireListing
        package var marketName, minTick, orderTypes, validExchanges, priceMagnifier, underConId, longName, primaryExchange, contractMonth: String
        package var industry, category, subcategory, timeZoneId, tradingHours, liquidHours, evRule, evMultiplier: String
        package var secIds: [(tag: String, value: String)]
        package var aggGroup, underSymbol, underSecType, marketRuleIds, realExpirationDate, stockType, minSize, sizeIncrement,
            suggestedSizeIncrement: String
        package init(
            listing: WireListing, marketName: String, minTick: String, orderTypes: String, validExchanges: String, priceMagnifier: String,
            underConId: String,
            longName: String, primaryExchange: String, contractMonth: String, industry: String, category: String, subcategory: String,
            timeZoneId: String,
            tradingHours: String, liquidHours: String, evRule: String, evMultiplier: String, secIds: [(tag: String, value: String)], aggGroup: String,
            underSymbol: String, underSecType: String, marketRuleIds: String, realExpirationDate: String, stockType: String, minSize: String,
            sizeIncrement: String, suggestedSizeIncrement: String
        ) {
            self.listing = listing; self.marketName = marketName; self.minTick = minTick; self.orderTypes = orderTypes
            self.validExchanges = validExchanges; self.priceMagnifier = priceMagnifier; self.underConId = underConId; self.longName = longName
            self.primaryExchange = primaryExchange; self.contractMonth = contractMonth; self.industry = industry; self.category = category
            self.subcategory = subcategory; self.timeZoneId = timeZoneId; self.tradingHours = tradingHours; self.liquidHours = liquidHours
            self.evRule = evRule; self.evMultiplier = evMultiplier; self.secIds = secIds; self.aggGroup = aggGroup; self.underSymbol = underSymbol
            self.underSecType = underSecType; self.marketRuleIds = marketRuleIds; self.realExpirationDate = realExpirationDate
            self.stockType = stockType; self.minSize = minSize; self.sizeIncrement = sizeIncrement;
            self.suggestedSizeIncrement = suggestedSizeIncrement
        }
    }
    package static func contractDetails(id: Int, _ d: Details, version: Int) -> [String] {
        var fields = ["10"] + (version < 164 ? ["8"] : [])
        fields += [
            String(id), d.listing.symbol, d.listing.secType, d.listing.expiry, d.listing.strike, d.listing.right, d.listing.exchange,
            d.listing.currency,
        ]
        fields += [d.listing.localSymbol, d.marketName, d.listing.tradingClass, String(d.listing.conId), d.minTick]
        // The old market data size multiplier.
        if version < 164 { fields.append("100") }
        fields += [
            d.listing.multiplier, d.orderTypes, d.validExchanges, d.priceMagnifier, d.underConId, d.longName, d.primaryExchange, d.contractMonth,
        ]
        fields += [
            d.industry, d.category, d.subcategory, d.timeZoneId, d.tradingHours, d.liquidHours, d.evRule, d.evMultiplier, String(d.secIds.count),
        ]
        fields += d.secIds.flatMap { [$0.tag, $0.value] }
        fields += [d.aggGroup, d.underSymbol, d.underSecType, d.marketRuleIds, d.realExpirationDate, d.stockType]
        if version >= 164 { fields += [d.minSize, d.sizeIncrement, d.suggestedSizeIncrement] } else if version == 163 { fields.append("100") }
        return fields
    }
    package static func contractDetailsEnd(id: Int) -> [String] { ["52", "1", String(id)] }

    /// A match of a symbol search.
    package struct Sample: Sendable {
        package var conId: Int64
        package var symbol, secType, primaryExchange, currency: String
        package var derivatives: [String]
        package var description, issuerId: String
        package init(
            conId: Int64, symbol: String, secType: String, primaryExchange: String, currency: String, derivatives: [String], description: String,
            issuerId: String
        ) {
            self.conId = conId; self.symbol = symbol; self.secType = secType; self.primaryExchange = primaryExchange; self.currency = currency
            self.derivatives = derivatives; self.description = description; self.issuerId = issuerId
        }
    }
    package static func symbolSamples(id: Int, _ samples: [Sample], version: Int) -> [String] {
        ["79", String(id), String(samples.count)]
            + samples.flatMap { sample in
                [String(sample.conId), sample.symbol, sample.secType, sample.primaryExchange, sample.currency, String(sample.derivatives.count)]
                    + sample.derivatives + (version >= 176 ? [sample.description, sample.issuerId] : [])
            }
    }
}

/// Orders and executions; openOrder and completedOrder have a file of their own.
extension GatewayMessages {
    /// How an order stands.
    package struct Status: Sendable {
        package var orderId: Int64
        package var status: String
        package var filled, remaining, averagePrice: String
        package var permId: Int64
        package var parentId: Int64
        package var lastPrice: String
        package var clientId: Int
        package var whyHeld: String
        package var marketCapPrice = "0"
        package init(
            orderId: Int64, status: String, filled: String, remaining: String, averagePrice: String, permId: Int64, parentId: Int64,
            lastPrice: String,
            clientId: Int, whyHeld: String, marketCapPrice: String = "0"
        ) {
            self.orderId = orderId; self.status = status; self.filled = filled; self.remaining = remaining; self.averagePrice = averagePrice
            self.permId = permId; self.parentId = parentId; self.lastPrice = lastPrice; self.clientId = clientId; self.whyHeld = whyHeld
            self.marketCapPrice = marketCapPrice
        }
    }
    package static func orderStatus(_ s: Status) -> [String] {
        [
            "3", String(s.orderId), s.status, s.filled, s.remaining, s.averagePrice, String(s.permId), String(s.parentId), s.lastPrice,
            String(s.clientId),
            s.whyHeld, s.marketCapPrice,
        ]
    }
    package static var openOrderEnd: [String] { ["53", "1"] }
    package static var completedOrdersEnd: [String] { ["102"] }

    /// One execution.
    package struct Execution: Sendable {
        package var listing: WireListing
        package var orderId: Int64
        package var execId, time, account, exchange, side, shares, price: String
        package var permId: Int64
        package var clientId: Int
        package var liquidation = "0"
        package var cumulative, averagePrice, orderRef: String
        package var evRule = ""
        package var evMultiplier = ""
        package var model = ""
        /// 1 added, 2 removed, 3 routed.
        package var lastLiquidity: String
        package var pendingRevision = "0"
        package init(
            listing: WireListing, orderId: Int64, execId: String, time: String, account: String, exchange: String, side: String, shares: String,
            price: String,
            permId: Int64, clientId: Int, cumulative: String, averagePrice: String, orderRef: String, lastLiquidity: String
        ) {
            self.listing = listing; self.orderId = orderId; self.execId = execId; self.time = time; self.account = account; self.exchange = exchange
            self.side = side; self.shares = shares; self.price = price; self.permId = permId; self.clientId = clientId; self.cumulative = cumulative
            self.averagePrice = averagePrice; self.orderRef = orderRef; self.lastLiquidity = lastLiquidity
        }
    }
    /// - Parameter id: the request's id, -1 for a live one.
    package static func execDetails(id: Int, _ e: Execution, version: Int) -> [String] {
        ["11", String(id), String(e.orderId)] + e.listing.fields
            + [e.execId, e.time, e.account, e.exchange, e.side, e.shares, e.price, String(e.permId), String(e.clientId), e.liquidation, e.cumulative]
            + [e.averagePrice, e.orderRef, e.evRule, e.evMultiplier, e.model, e.lastLiquidity] + (version >= 178 ? [e.pendingRevision] : [])
    }
    package static func execDetailsEnd(id: Int) -> [String] { ["55", "1", String(id)] }
    /// - Parameter realised: unset for a fill that only opened.
    package static func commissionReport(
        execId: String, commission: String, currency: String, realised: String, yield: String = Unset.double, redemption: String = ""
    ) -> [String] {
        ["59", "1", execId, commission, currency, realised, yield, redemption]
    }
}
