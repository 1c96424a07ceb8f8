// Recorded calls for data, contracts, news and books as requests of ours.
import Values
import Venues
import Wire

extension OutboundCall {
    /// Nil for a name of another group.
    func dataRequest() throws -> DataRequest? {
        let id = try optionalInteger("reqId", "tickerId") ?? 0
        return switch name {
        case "reqHeadTimeStamp", "reqHeadTimestamp":
            .headTimestamp(
                requestId: id, try contract(), whatToShow: try text("whatToShow"), useRTH: try flag("useRTH"), formatDate: try integer("formatDate"))
        case "cancelHeadTimeStamp", "cancelHeadTimestamp": .cancelHeadTimestamp(requestId: id)
        case "reqHistoricalTicks": .historicalTicks(requestId: id, try contract(), try tickQuery())
        case "reqTickByTickData":
            .tickByTick(
                requestId: id, try contract(), kind: try text("tickType"), count: try integer("numberOfTicks"), ignoreSize: try flag("ignoreSize"))
        case "cancelTickByTickData": .cancelTickByTick(requestId: id)
        case "reqMktDepth": .depth(requestId: id, try contract(), rows: try integer("numRows"), isSmart: try flag("isSmartDepth"))
        case "cancelMktDepth": .cancelDepth(requestId: id, isSmart: try flag("isSmartDepth"))
        case "reqMktDepthExchanges": .depthExchanges
        case "reqSmartComponents": .smartComponents(requestId: id, bboExchange: try text("bboExchange"))
        case "reqHistogramData": .histogram(requestId: id, try contract(), useRTH: try flag("useRTH"), period: try text("timePeriod"))
        case "cancelHistogramData": .cancelHistogram(requestId: id)
        case "calculateImpliedVolatility":
            .impliedVolatility(
                requestId: id, try contract(), optionPrice: Price(raw: try raw("optionPrice")), underlying: Price(raw: try raw("underPrice")),
                options: [])
        case "cancelCalculateImpliedVolatility": .cancelImpliedVolatility(requestId: id)
        case "calculateOptionPrice":
            .optionPrice(
                requestId: id, try contract(), volatility: WireNumber(raw: try raw("volatility")), underlying: Price(raw: try raw("underPrice")),
                options: [])
        case "cancelCalculateOptionPrice": .cancelOptionPrice(requestId: id)
        default: nil
        }
    }

    private func tickQuery() throws -> IBTickQuery {
        var query = IBTickQuery()
        query.start = try text("startDateTime"); query.end = try text("endDateTime"); query.count = try integer("numberOfTicks")
        query.whatToShow = try text("whatToShow"); query.useRTH = try flag("useRth"); query.ignoreSize = try flag("ignoreSize")
        return query
    }

    /// Nil for a name of another group.
    func searchRequest() throws -> SearchRequest? {
        let id = try optionalInteger("reqId", "tickerId") ?? 0
        return switch name {
        case "reqMatchingSymbols": .matchingSymbols(requestId: id, pattern: try text("pattern"))
        case "reqSecDefOptParams":
            .optionChains(
                requestId: id, symbol: try text("underlyingSymbol"), futFopExchange: try text("futFopExchange"),
                secType: try text("underlyingSecType"), conId: try integer("underlyingConId"))
        case "reqMarketRule": .marketRule(id: try integer("marketRuleId"))
        case "reqScannerParameters": .scannerParameters
        case "reqScannerSubscription": .scan(requestId: id, try scan())
        case "cancelScannerSubscription": .cancelScan(requestId: id)
        case "reqFundamentalData": .fundamentals(requestId: id, try contract(), report: try text("reportType"), options: [])
        case "cancelFundamentalData": .cancelFundamentals(requestId: id)
        default: nil
        }
    }

    private func scan() throws -> IBScan {
        var scan = IBScan()
        scan.options = try tags("scannerSubscriptionOptions")
        scan.filters = try tags("scannerSubscriptionFilterOptions")
        for member in try needed((params["subscription"] ?? params["scannerSubscription"])?.members, "subscription") {
            let (name, value) = (member.key, member.value)
            func text() throws -> String { try needed(value.text, name) }
            func whole() throws -> Int64 { try needed(value.integerValue, name) }
            func fixed() throws -> Int64 { try needed(Neutral.raw(value), name) }
            switch name {
            case "numberOfRows": scan.rows = try whole()
            case "instrument": scan.instrument = try text()
            case "locationCode": scan.location = try text()
            case "scanCode": scan.code = try text()
            case "abovePrice": scan.abovePrice = Price(raw: try fixed())
            case "belowPrice": scan.belowPrice = Price(raw: try fixed())
            case "aboveVolume": scan.aboveVolume = try whole()
            case "marketCapAbove": scan.marketCapAbove = WireSize(raw: Int128(try fixed()))
            case "marketCapBelow": scan.marketCapBelow = WireSize(raw: Int128(try fixed()))
            case "moodyRatingAbove": scan.moodyAbove = try text()
            case "moodyRatingBelow": scan.moodyBelow = try text()
            case "spRatingAbove": scan.spAbove = try text()
            case "spRatingBelow": scan.spBelow = try text()
            case "maturityDateAbove": scan.maturityAbove = try text()
            case "maturityDateBelow": scan.maturityBelow = try text()
            case "couponRateAbove": scan.couponAbove = WireNumber(raw: try fixed())
            case "couponRateBelow": scan.couponBelow = WireNumber(raw: try fixed())
            case "excludeConvertible": scan.excludesConvertible = try needed(value.boolValue ?? value.integerValue.map { $0 != 0 })
            case "averageOptionVolumeAbove": scan.averageOptionVolumeAbove = try whole()
            case "scannerSettingPairs": scan.settingPairs = try text()
            case "stockTypeFilter": scan.stockType = try text()
            default: throw UnknownParameter(name: name)
            }
        }
        return scan
    }

    /// Nil for a name of another group.
    func newsRequest() throws -> NewsRequest? {
        let id = try optionalInteger("reqId", "tickerId") ?? 0
        return switch name {
        case "reqNewsProviders": .providers
        case "reqNewsArticle": .article(requestId: id, provider: try text("providerCode"), articleId: try text("articleId"))
        case "reqHistoricalNews":
            .history(
                requestId: id, conId: try integer("conId"), providers: try text("providerCodes"), start: try text("startDateTime"),
                end: try text("endDateTime"), most: try integer("totalResults"))
        case "reqNewsBulletins": .bulletins(all: try flag("allMsgs"))
        case "cancelNewsBulletins": .cancelBulletins
        case "reqWshMetaData": .eventMetaData(requestId: id)
        case "cancelWshMetaData": .cancelEventMetaData(requestId: id)
        case "reqWshEventData": .events(requestId: id, try eventQuery())
        case "cancelWshEventData": .cancelEvents(requestId: id)
        default: nil
        }
    }

    private func eventQuery() throws -> IBEventQuery {
        var query = IBEventQuery()
        for member in try needed((params["wshEventData"] ?? params["data"])?.members, "wshEventData") {
            switch member.key {
            case "conId": query.conId = member.value.integerValue
            case "filter": query.filter = try needed(member.value.text)
            case "fillWatchlist": query.fillsWatchlist = try needed(member.value.boolValue)
            case "fillPortfolio": query.fillsPortfolio = try needed(member.value.boolValue)
            case "fillCompetitors": query.fillsCompetitors = try needed(member.value.boolValue)
            case "startDate": query.start = try needed(member.value.text)
            case "endDate": query.end = try needed(member.value.text)
            case "totalLimit": query.limit = member.value.integerValue
            default: throw UnknownParameter(name: member.key)
            }
        }
        return query
    }

    /// Nil for a name of another group.
    func booksRequest() throws -> BookRequest? {
        let id = try optionalInteger("reqId", "tickerId") ?? 0
        return switch name {
        case "reqPositionsMulti": .positionsMulti(requestId: id, account: try text("account"), model: try text("modelCode"))
        case "cancelPositionsMulti": .cancelPositionsMulti(requestId: id)
        case "reqAccountUpdatesMulti":
            .accountUpdatesMulti(
                requestId: id, account: try text("account"), model: try text("modelCode"), ledgerAndNLV: try flag("ledgerAndNLV"))
        case "cancelAccountUpdatesMulti": .cancelAccountUpdatesMulti(requestId: id)
        case "reqPnL": .profit(requestId: id, account: try text("account"), model: try text("modelCode"))
        case "cancelPnL": .cancelProfit(requestId: id)
        case "reqPnLSingle":
            .positionProfit(
                requestId: id, account: try text("account"), model: try text("modelCode"),
                conId: try needed(try optionalInteger("conId", "conid"), "conId"))
        case "cancelPnLSingle": .cancelPositionProfit(requestId: id)
        case "reqUserInfo": .userInfo(requestId: id)
        case "reqFamilyCodes": .familyCodes
        case "reqSoftDollarTiers": .softDollarTiers(requestId: id)
        case "setServerLogLevel": .logLevel(try needed(try optionalInteger("logLevel", "logLevelIndex"), "logLevel"))
        case "requestFA": .advisorData(type: try needed(try optionalInteger("faData", "faDataType"), "faData"))
        case "replaceFA":
            .replaceAdvisorData(
                requestId: id, type: try needed(try optionalInteger("faData", "faDataType"), "faData"), xml: try text("cxml", "xml"))
        default: nil
        }
    }

    func exercise() throws -> ExerciseOrder {
        let action = try integer("exerciseAction")
        guard action == 1 || action == 2 else { throw UnknownParameter(name: "exerciseAction \(action)") }
        var order = ExerciseOrder(
            requestId: try needed(try optionalInteger("reqId", "tickerId"), "reqId"), contract: try contract(), exercises: action == 1,
            quantity: try integer("exerciseQuantity"))
        order.account = try text("account")
        order.overrides = try flag("override")
        return order
    }
}
