// Ticks, depth, options, news and the rest as the gateway writes them: decoded values turned back into the recorded fields.
import Simulation
import Wire

extension Encoded {
    /// The flags of a tick, by the meaning of the two bits of its mask.
    private static func mask(_ v: VectorReader, _ first: String, _ second: String) -> Int {
        (v[first] == "1" ? 1 : 0) + (v[second] == "1" ? 2 : 0)
    }
    private static func items(_ v: VectorReader, _ key: String) -> [VectorReader] { (v.json[key]?.elements ?? []).map { VectorReader($0) } }
    private static func trade(_ v: VectorReader) -> GatewayMessages.WireTrade {
        GatewayMessages.WireTrade(
            seconds: v.integer("time"), price: v["price"], size: v["size"], mask: mask(v.inner("tickAttribLast"), "pastLimit", "unreported"),
            exchange: v["exchange"], conditions: v["specialConditions"])
    }

    static func research(_ vector: TWSVector, _ v: VectorReader) -> [String]? {
        let id = Int(v.integer("reqId"))
        switch vector.messageId {
        case 12, 13:
            let row = GatewayMessages.DepthRow(
                position: Int(v.integer("position")), operation: Int(v.integer("operation")), side: Int(v.integer("side")), price: v["price"],
                size: v["size"])
            if vector.messageId == 12 { return GatewayMessages.depth(id: id, row) }
            return GatewayMessages.depth(id: id, row, maker: v["marketMaker"], isSmart: v["isSmartDepth"] == "1")
        case 21: return computation(v, id)
        case 56:
            let n = v.inner("deltaNeutralContract")
            return GatewayMessages.deltaNeutralValidation(id: id, conId: n.integer("conId"), delta: n["delta"], price: n["price"])
        case 47:
            let keys = [
                "basisPoints", "formattedBasisPoints", "totalDividends", "holdDays", "futureLastTradeDate", "dividendImpact",
                "dividendsToLastTradeDate",
            ]
            return GatewayMessages.tickEFP(id: id, type: Int(v.integer("tickType")), keys.map { v[$0] })
        case 75:
            let chain = GatewayMessages.OptionChain(
                exchange: v["exchange"], underlying: v.integer("underlyingConId"), tradingClass: v["tradingClass"], multiplier: v["multiplier"],
                expirations: (v.json["expirations"]?.elements ?? []).map { TWSVectors.text($0) ?? "" },
                strikes: (v.json["strikes"]?.elements ?? []).map { TWSVectors.text($0) ?? "" })
            return GatewayMessages.optionChain(id: id, chain)
        case 76: return GatewayMessages.optionChainEnd(id: id)
        case 80:
            return GatewayMessages.depthExchanges(
                items(v, "depthMktDataDescriptions").map {
                    .init($0["exchange"], $0["secType"], listing: $0["listingExch"], service: $0["serviceDataType"], group: $0["aggGroup"])
                })
        case 82:
            let parts = items(v, "smartComponentMap").map {
                (bit: Int($0.integer("bitNumber")), exchange: $0["exchange"], letter: $0["exchangeLetter"])
            }
            return GatewayMessages.smartComponents(id: id, parts)
        case 89: return GatewayMessages.histogram(id: id, items(v, "items").map { (price: $0["price"], size: $0["size"]) })
        case 91: return GatewayMessages.rerouteQuotes(id: id, conId: v.integer("conId"), exchange: v["exchange"])
        case 92: return GatewayMessages.rerouteDepth(id: id, conId: v.integer("conId"), exchange: v["exchange"])
        case 93:
            let steps = items(v, "priceIncrements").map { (lowEdge: $0["lowEdge"], increment: $0["increment"]) }
            return GatewayMessages.marketRule(id: Int(v.integer("marketRuleId")), steps)
        case 94:
            return GatewayMessages.pnl(id: id, daily: v["dailyPnL"], unrealised: v["unrealizedPnL"], realised: v["realizedPnL"])
        case 95:
            return GatewayMessages.pnlSingle(
                id: id, position: v["pos"], daily: v["dailyPnL"], unrealised: v["unrealizedPnL"], realised: v["realizedPnL"], value: v["value"])
        case 96, 97, 98, 99: return ticks(vector, v, id)
        case 106:
            let sessions = items(v, "sessions").map { (start: $0["startDateTime"], end: $0["endDateTime"], date: $0["refDate"]) }
            return GatewayMessages.schedule(id: id, start: v["startDateTime"], end: v["endDateTime"], zone: v["timeZone"], sessions)
        default: return nil
        }
    }

    private static func computation(_ v: VectorReader, _ id: Int) -> [String] {
        var numbers = GatewayMessages.OptionNumbers()
        func set(_ key: String, _ path: WritableKeyPath<GatewayMessages.OptionNumbers, String>) {
            // What was not computed stands as the gateway's word for it.
            if !v[key].isEmpty { numbers[keyPath: path] = v[key] }
        }
        set("impliedVol", \.volatility); set("delta", \.delta); set("optPrice", \.price); set("pvDividend", \.dividend)
        set("gamma", \.gamma); set("vega", \.vega); set("theta", \.theta); set("undPrice", \.underlying)
        return GatewayMessages.optionComputation(id: id, type: Int(v.integer("tickType")), attribute: Int(v.integer("tickAttrib")), numbers)
    }

    private static func ticks(_ vector: TWSVector, _ v: VectorReader, _ id: Int) -> [String]? {
        let isDone = v["done"] == "1"
        let ticks = items(v, "ticks")
        switch (vector.messageId, v["tickType"]) {
        case (96, _):
            let points = ticks.map { (seconds: $0.integer("time"), price: $0["price"], size: $0["size"]) }
            return GatewayMessages.historicalTicks(id: id, midpoints: points, isDone: isDone)
        case (97, _):
            let touches = ticks.map {
                GatewayMessages.WireTouch(
                    seconds: $0.integer("time"), bid: $0["priceBid"], ask: $0["priceAsk"], bidSize: $0["sizeBid"], askSize: $0["sizeAsk"],
                    mask: mask($0.inner("tickAttribBidAsk"), "askPastHigh", "bidPastLow"))
            }
            return GatewayMessages.historicalTicks(id: id, touches: touches, isDone: isDone)
        case (98, _): return GatewayMessages.historicalTicks(id: id, trades: ticks.map(trade), isDone: isDone)
        case (99, "1"), (99, "2"): return GatewayMessages.tickByTick(id: id, type: Int(v.integer("tickType")), trade(v))
        case (99, _) where v.json["midPoint"] != nil: return GatewayMessages.tickByTick(id: id, midpoint: v["midPoint"], seconds: v.integer("time"))
        default:
            let touch = GatewayMessages.WireTouch(
                seconds: v.integer("time"), bid: v["bidPrice"], ask: v["askPrice"], bidSize: v["bidSize"], askSize: v["askSize"],
                mask: mask(v.inner("tickAttribBidAsk"), "bidPastLow", "askPastHigh"))
            return GatewayMessages.tickByTick(id: id, touch)
        }
    }

    static func office(_ vector: TWSVector, _ v: VectorReader) -> [String]? {
        // News has another word for the request.
        let id = Int(v.integer(v.json["requestId"] == nil ? "reqId" : "requestId"))
        switch vector.messageId {
        case 8: return GatewayMessages.accountUpdateTime(v["timeStamp"])
        case 52: return GatewayMessages.contractDetailsEnd(id: id)
        case 54: return GatewayMessages.accountDownloadEnd(v["accountName"])
        case 58: return GatewayMessages.marketDataType(id: id, type: Int(v.integer("marketDataType")))
        case 107: return GatewayMessages.userInfo(id: id, brandingId: v["whiteBrandingId"])
        case 14:
            return GatewayMessages.newsBulletin(
                id: Int(v.integer("msgId")), type: Int(v.integer("msgType")), text: escaped(v["newsMessage"]), exchange: v["originExch"])
        case 16: return GatewayMessages.adviserData(type: Int(v.integer("faData")), v["cxml"])
        case 18: return bond(vector, v, id)
        case 19: return GatewayMessages.scannerParameters(v["xml"])
        case 20: return scanner(vector, id)
        case 51: return GatewayMessages.fundamentals(id: id, v["data"])
        case 77:
            return GatewayMessages.softDollarTiers(id: id, items(v, "tiers").map { (name: $0["name"], value: $0["val"], display: $0["displayName"]) })
        case 78: return GatewayMessages.familyCodes(items(v, "familyCodes").map { (account: $0["accountID"], code: $0["familyCodeStr"]) })
        case 83: return GatewayMessages.newsArticle(id: id, type: Int(v.integer("articleType")), text: v["articleText"])
        case 84:
            return GatewayMessages.tickNews(
                id: Int(v.integer("tickerId")),
                .init(time: v["timeStamp"], provider: v["providerCode"], article: v["articleId"], text: v["headline"], extra: v["extraData"]))
        case 85: return GatewayMessages.newsProviders(items(v, "newsProviders").map { (code: $0["code"], name: $0["name"]) })
        case 86:
            return GatewayMessages.historicalNews(
                id: id, .init(time: v["time"], provider: v["providerCode"], article: v["articleId"], text: v["headline"]))
        case 87: return GatewayMessages.historicalNewsEnd(id: id, hasMore: v["hasMore"] == "1")
        case 100:
            return GatewayMessages.orderBound(permId: v.integer("permId"), clientId: Int(v.integer("clientId")), orderId: v.integer("orderId"))
        case 103: return GatewayMessages.adviserDataReplaced(id: id, v["text"])
        case 104: return GatewayMessages.eventKinds(id: id, v["dataJson"])
        case 105: return GatewayMessages.events(id: id, v["dataJson"])
        default: return nil
        }
    }

    private static func bond(_ vector: TWSVector, _ v: VectorReader, _ id: Int) -> [String] {
        let (details, contract) = (v.inner("contractDetails"), v.inner("contractDetails").inner("contract"))
        let ids = (details.json["secIdList"]?.elements ?? []).map { (tag: $0.elements?.first?.text ?? "", value: $0.elements?.last?.text ?? "") }
        // The maturity field holds date, time and zone, which decoders take apart.
        let parts = [details["maturity"], details["lastTradeTime"], details["timeZoneId"]].filter { !$0.isEmpty }
        let own: Set = ["symbol", "secType", "exchange", "currency", "tradingClass", "conId"]
        return GatewayMessages.bondDetails(
            id: id,
            { name in
                if name == "maturity" { return parts.joined(separator: "-") }
                if name == "mdSizeMultiplier" { return details[name].isEmpty ? "1" : details[name] }
                return own.contains(name) ? contract[name] : details[name]
            }, secIds: ids, version: vector.version)
    }

    private static func scanner(_ vector: TWSVector, _ id: Int) -> [String] {
        let rows = vector.calls.filter { $0.name == "scannerData" }.map { call in
            let v = VectorReader(call.values)
            let (d, c) = (v.inner("contractDetails"), v.inner("contractDetails").inner("contract"))
            return [
                v["rank"], c["conId"], c["symbol"], c["secType"], c["lastTradeDateOrContractMonth"], c["strike"], c["right"], c["exchange"],
                c["currency"], c["localSymbol"], d["marketName"], c["tradingClass"], v["distance"], v["benchmark"], v["projection"], v["legsStr"],
            ]
        }
        return GatewayMessages.scannerData(id: Int(VectorReader(vector.calls.first?.values ?? .null).integer("reqId")), rows)
    }
}
