// What clients ask of markets beyond quotes and bars: ticks, depth, options, searches, news; read from their frames.

/// A request for ticks of the past.
package struct HistoricalTicksRequest: Hashable, Sendable {
    package var contract: WireContract
    package var includeExpired: Bool
    /// One of the two is empty.
    package var start: String
    package var end: String
    /// 1...1,000.
    package var count: Int
    /// TRADES, BID_ASK or MIDPOINT.
    package var whatToShow: String
    package var regularHours: Bool
    package var ignoreSize: Bool
}

/// A request for the option chains of an underlying.
package struct OptionParametersRequest: Hashable, Sendable {
    package var symbol: String
    /// Empty for chains on anything but futures.
    package var futureExchange: String
    package var secType: String
    package var conId: Int64
}

/// What an option is asked to do.
package struct ExerciseRequest: Hashable, Sendable {
    package var contract: WireContract
    /// 1 exercise, 2 lapse.
    package var action: Int
    package var quantity: Int
    package var account: String
    package var override: Bool
}

/// Values that came in a fixed order, by the names other clients give them.
package struct NamedFields: Hashable, Sendable {
    package let names: [String]
    package let values: [String]
    init(_ names: [String], _ reader: inout GatewayReader) throws(GatewayFault) {
        var values: [String] = []
        for _ in names { values.append(try reader.text()) }
        self.names = names
        self.values = values
    }
}

/// Requests for market data that no stream of quotes or bars answers.
package enum ResearchRequest: Hashable, Sendable {
    case tickByTick(id: Int, WireContract, kind: String, count: Int, ignoreSize: Bool), cancelTickByTick(id: Int)
    case historicalTicks(id: Int, HistoricalTicksRequest)
    case depth(id: Int, WireContract, rows: Int, isSmart: Bool), cancelDepth(id: Int, isSmart: Bool)
    case depthExchanges
    case smartComponents(id: Int, exchange: String)
    case optionParameters(id: Int, OptionParametersRequest)
    case histogram(id: Int, WireContract, regularHours: Bool, period: String), cancelHistogram(id: Int)
    /// The volatility that an option's price implies.
    case impliedVolatility(id: Int, WireContract, price: String, underlying: String), cancelImpliedVolatility(id: Int)
    /// The price that a volatility gives an option.
    case optionPrice(id: Int, WireContract, volatility: String, underlying: String), cancelOptionPrice(id: Int)
    case exercise(id: Int, ExerciseRequest)

    /// Reads one frame; nil when it is none of these.
    init?(_ message: Int, _ reader: inout GatewayReader) throws(GatewayFault) {
        switch message {
        case 97:
            let (id, contract, kind) = (try reader.int(), try WireContract(&reader), try reader.text())
            self = .tickByTick(id: id, contract, kind: kind, count: try reader.int(), ignoreSize: try reader.bool())
        case 98: self = .cancelTickByTick(id: try reader.int())
        case 96: self = .historicalTicks(id: try reader.int(), try Self.ticks(&reader))
        case 10:
            try reader.skip(1)
            let (id, contract) = (try reader.int(), try WireContract(&reader))
            self = .depth(id: id, contract, rows: try reader.int(), isSmart: try reader.bool())
        case 11: try reader.skip(1); self = .cancelDepth(id: try reader.int(), isSmart: reader.isAtEnd ? false : try reader.bool())
        case 82: self = .depthExchanges
        case 83: self = .smartComponents(id: try reader.int(), exchange: try reader.text())
        case 78:
            let id = try reader.int()
            let request = OptionParametersRequest(
                symbol: try reader.text(), futureExchange: try reader.text(), secType: try reader.text(), conId: try reader.integer())
            self = .optionParameters(id: id, request)
        case 88:
            let (id, contract) = (try reader.int(), try WireContract(&reader))
            try reader.skip(1)
            self = .histogram(id: id, contract, regularHours: try reader.bool(), period: try reader.text())
        case 89: self = .cancelHistogram(id: try reader.int())
        case 54:
            try reader.skip(1)
            let (id, contract) = (try reader.int(), try WireContract(&reader))
            self = .impliedVolatility(id: id, contract, price: try reader.text(), underlying: try reader.text())
        case 55:
            try reader.skip(1)
            let (id, contract) = (try reader.int(), try WireContract(&reader))
            self = .optionPrice(id: id, contract, volatility: try reader.text(), underlying: try reader.text())
        case 56: try reader.skip(1); self = .cancelImpliedVolatility(id: try reader.int())
        case 57: try reader.skip(1); self = .cancelOptionPrice(id: try reader.int())
        case 21: self = try Self.exercise(&reader)
        default: return nil
        }
    }

    private static func ticks(_ reader: inout GatewayReader) throws(GatewayFault) -> HistoricalTicksRequest {
        let (contract, expired) = (try WireContract(&reader), try reader.bool())
        let (start, end, count) = (try reader.text(), try reader.text(), try reader.int())
        return HistoricalTicksRequest(
            contract: contract, includeExpired: expired, start: start, end: end, count: count, whatToShow: try reader.text(),
            regularHours: try reader.bool(), ignoreSize: try reader.bool())
    }

    private static func exercise(_ reader: inout GatewayReader) throws(GatewayFault) -> ResearchRequest {
        try reader.skip(1)
        let id = try reader.int()
        let contract = try WireContract(&reader, hasPrimary: false)
        let request = ExerciseRequest(
            contract: contract, action: try reader.int(), quantity: try reader.int(), account: try reader.text(), override: try reader.bool())
        return .exercise(id: id, request)
    }
}

/// Requests that this gateway answers with what little a simulation knows, or refuses in the broker's words.
package enum OfficeRequest: Hashable, Sendable {
    case newsProviders
    case newsArticle(id: Int, provider: String, article: String)
    case historicalNews(id: Int, NamedFields)
    case newsBulletins(all: Bool), cancelNewsBulletins
    case scannerParameters
    case scanner(id: Int, NamedFields), cancelScanner(id: Int)
    case fundamentals(id: Int, WireContract, report: String), cancelFundamentals(id: Int)
    case adviserData(type: Int), replaceAdviserData(id: Int, type: Int, xml: String)
    case softDollarTiers(id: Int), familyCodes
    case eventKinds(id: Int), cancelEventKinds(id: Int)
    case events(id: Int, conId: Int64, rest: [String]), cancelEvents(id: Int)

    private static let scannerNames = [
        "numberOfRows", "instrument", "locationCode", "scanCode", "abovePrice", "belowPrice", "aboveVolume", "marketCapAbove", "marketCapBelow",
        "moodyRatingAbove", "moodyRatingBelow", "spRatingAbove", "spRatingBelow", "maturityDateAbove", "maturityDateBelow", "couponRateAbove",
        "couponRateBelow", "excludeConvertible", "averageOptionVolumeAbove", "scannerSettingPairs", "stockTypeFilter",
        "scannerSubscriptionFilterOptions", "scannerSubscriptionOptions",
    ]

    /// Reads one frame; nil when it is none of these.
    init?(_ message: Int, _ reader: inout GatewayReader, version: Int) throws(GatewayFault) {
        switch message {
        case 85: self = .newsProviders
        case 84: self = .newsArticle(id: try reader.int(), provider: try reader.text(), article: try reader.text())
        case 86:
            let names = ["conId", "providerCodes", "startDateTime", "endDateTime", "totalResults"]
            self = .historicalNews(id: try reader.int(), try NamedFields(names, &reader))
        case 12: try reader.skip(1); self = .newsBulletins(all: try reader.bool())
        case 13: self = .cancelNewsBulletins
        case 24: self = .scannerParameters
        case 22: self = .scanner(id: try reader.int(), try NamedFields(Self.scannerNames, &reader))
        case 23: try reader.skip(1); self = .cancelScanner(id: try reader.int())
        case 52:
            try reader.skip(1)
            let id = try reader.int()
            self = .fundamentals(id: id, try WireContract(company: &reader), report: try reader.text())
        case 53: try reader.skip(1); self = .cancelFundamentals(id: try reader.int())
        case 18: try reader.skip(1); self = .adviserData(type: try reader.int())
        case 19:
            try reader.skip(1)
            let (type, xml) = (try reader.int(), try reader.text())
            self = .replaceAdviserData(id: reader.isAtEnd ? -1 : try reader.int(), type: type, xml: xml)
        case 79: self = .softDollarTiers(id: try reader.int())
        case 80: self = .familyCodes
        case 100: self = .eventKinds(id: try reader.int())
        case 101: self = .cancelEventKinds(id: try reader.int())
        case 102:
            let (id, conId) = (try reader.int(), try reader.integer())
            var rest: [String] = []
            while !reader.isAtEnd { rest.append(try reader.text()) }
            self = .events(id: id, conId: conId, rest: rest)
        case 103: self = .cancelEvents(id: try reader.int())
        default: return nil
        }
    }
}

extension WireContract {
    /// The seven fields by which a company is named.
    init(company reader: inout GatewayReader) throws(GatewayFault) {
        conId = try reader.integer()
        symbol = try reader.text()
        secType = try reader.text()
        exchange = try reader.text()
        primaryExchange = try reader.text()
        currency = try reader.text()
        localSymbol = try reader.text()
    }
}
