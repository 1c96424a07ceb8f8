// What the gateway tells of option chains, bonds, news, scanners and advisers: much of it only ever empty here, all of it written as the book says.

/// Searches.
extension GatewayMessages {
    /// The options of one exchange and trading class on an underlying.
    package struct OptionChain: Sendable {
        package var exchange: String
        package var underlying: Int64
        package var tradingClass, multiplier: String
        package var expirations, strikes: [String]
        package init(exchange: String, underlying: Int64, tradingClass: String, multiplier: String, expirations: [String], strikes: [String]) {
            self.exchange = exchange; self.underlying = underlying; self.tradingClass = tradingClass; self.multiplier = multiplier
            self.expirations = expirations; self.strikes = strikes
        }
    }
    package static func optionChain(id: Int, _ c: OptionChain) -> [String] {
        let head = ["75", String(id), c.exchange, String(c.underlying), c.tradingClass, c.multiplier]
        return head + [String(c.expirations.count)] + c.expirations + [String(c.strikes.count)] + c.strikes
    }
    package static func optionChainEnd(id: Int) -> [String] { ["76", String(id)] }

    /// One description of a bond, by the names other clients give its fields.
    package static func bondDetails(id: Int, _ value: (String) -> String, secIds: [(tag: String, value: String)], version: Int) -> [String] {
        func all(_ names: [String]) -> [String] { names.map(value) }
        var fields = ["18"] + (version < 164 ? ["6"] : []) + [String(id)]
        fields += all(["symbol", "secType", "cusip", "coupon", "maturity", "issueDate", "ratings", "bondType", "couponType"])
        fields += all(["convertible", "callable", "putable", "descAppend", "exchange", "currency", "marketName", "tradingClass", "conId", "minTick"])
        if version < 164 { fields.append(value("mdSizeMultiplier")) }
        fields += all(["orderTypes", "validExchanges", "nextOptionDate", "nextOptionType", "nextOptionPartial", "notes", "longName"])
        fields += all(["evRule", "evMultiplier"]) + [String(secIds.count)] + secIds.flatMap { [$0.tag, $0.value] }
        fields += all(["aggGroup", "marketRuleIds"])
        return fields + (version >= 164 ? all(["minSize", "sizeIncrement", "suggestedSizeIncrement"]) : [])
    }

    package static func scannerParameters(_ xml: String) -> [String] { ["19", "1", xml] }
    /// Rows of sixteen fields: rank, the contract in ten, distance, benchmark, projection, legs.
    package static func scannerData(id: Int, _ rows: [[String]]) -> [String] { ["20", "3", String(id), String(rows.count)] + rows.flatMap { $0 } }
    package static func fundamentals(id: Int, _ xml: String) -> [String] { ["51", "1", String(id), xml] }
}

/// News.
extension GatewayMessages {
    /// - Parameter type: 1 a bulletin, 2 an exchange is not available, 3 it is again.
    package static func newsBulletin(id: Int, type: Int, text: String, exchange: String) -> [String] {
        ["14", "1", String(id), String(type), text, exchange]
    }
    package static func newsProviders(_ list: [(code: String, name: String)]) -> [String] {
        ["85", String(list.count)] + list.flatMap { [$0.code, $0.name] }
    }
    /// - Parameter type: 0 text, 1 binary in base 64.
    package static func newsArticle(id: Int, type: Int, text: String) -> [String] { ["83", String(id), String(type), text] }
    /// One headline, of a stream or of the past.
    package struct Headline: Sendable {
        package var time, provider, article, text: String
        package var extra = ""
        package init(time: String, provider: String, article: String, text: String, extra: String = "") {
            self.time = time; self.provider = provider; self.article = article; self.text = text; self.extra = extra
        }
    }
    /// - Parameter headline: its time in milliseconds.
    package static func tickNews(id: Int, _ h: Headline) -> [String] { ["84", String(id), h.time, h.provider, h.article, h.text, h.extra] }
    package static func historicalNews(id: Int, _ h: Headline) -> [String] { ["86", String(id), h.time, h.provider, h.article, h.text] }
    package static func historicalNewsEnd(id: Int, hasMore: Bool) -> [String] { ["87", String(id), hasMore ? "1" : "0"] }
    package static func eventKinds(id: Int, _ json: String) -> [String] { ["104", String(id), json] }
    package static func events(id: Int, _ json: String) -> [String] { ["105", String(id), json] }
}

/// Advisers, tiers, and orders that were bound.
extension GatewayMessages {
    package static func adviserData(type: Int, _ xml: String) -> [String] { ["16", "1", String(type), xml] }
    package static func adviserDataReplaced(id: Int, _ text: String) -> [String] { ["103", String(id), text] }
    package static func softDollarTiers(id: Int, _ tiers: [(name: String, value: String, display: String)]) -> [String] {
        ["77", String(id), String(tiers.count)] + tiers.flatMap { [$0.name, $0.value, $0.display] }
    }
    package static func familyCodes(_ codes: [(account: String, code: String)]) -> [String] {
        ["78", String(codes.count)] + codes.flatMap { [$0.account, $0.code] }
    }
    package static func orderBound(permId: Int64, clientId: Int, orderId: Int64) -> [String] {
        ["100", String(permId), String(clientId), String(orderId)]
    }
}
