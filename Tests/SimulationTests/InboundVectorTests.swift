// What the gateway writes, against recorded frames: the decoded values go in, the recorded fields must come out.
import Simulation
import Testing
import Wire

@Suite struct InboundVectorTests {
    @Test func theGatewayWritesEveryMessageOfItsSliceAsRecorded() throws {
        var written = 0
        var foreign: [String] = []
        for vector in try TWSVectors.all("inbound") where (157...178).contains(vector.version) {
            for frame in vector.frames {
                guard let own = Encoded.fields(vector, frame.names) else { foreign.append("\(vector)"); continue }
                written += 1
                guard own.count == frame.fields.count else {
                    Issue.record("\(vector): \(own.count) fields, not \(frame.fields.count): \(own)")
                    continue
                }
                for (index, (mine, theirs)) in zip(own, frame.fields).enumerated() {
                    let isVersion = index == 1 && Encoded.versioned.contains(vector.messageId)
                    // An empty number is 0 once decoded.
                    let isFolded = theirs.isEmpty && TWSVectors.same(mine, "0")
                    #expect(TWSVectors.same(mine, theirs) || isVersion || isFolded, "\(vector): field \(index) is \(mine), not \(theirs)")
                }
            }
        }
        #expect(written >= 200, "\(written) written, not of this slice: \(foreign)")
    }

    @Test func textBeyondASCIIIsEscaped() {
        let bytes = GatewayFrames.bytes(["4", "NESTLÉ – 😀"])
        #expect(String(decoding: bytes.dropFirst(4), as: UTF8.self) == "4\0NESTL\\u00c9 \\u2013 \\ud83d\\ude00\0")
        #expect(Array(bytes.prefix(4)) == [0, 0, 0, UInt8(bytes.count - 4)])
    }
}

/// Decoded values turned back into a frame by the gateway's own encoder.
private enum Encoded {
    /// Messages whose second field is a version number, which nobody reads.
    static let versioned: Set<Int> = [1, 2, 4, 6, 7, 8, 9, 15, 45, 46, 49, 50, 52, 53, 54, 55, 57, 58, 59, 61, 62, 63, 64, 71, 72, 73, 74]

    static func fields(_ vector: TWSVector, _ names: [String?]) -> [String]? {
        guard let call = vector.calls.first else { return nil }
        let v = Reader(call.values)
        return session(vector, v) ?? account(vector, v) ?? data(vector, v) ?? orders(vector, v) ?? reports(vector, v, names)
    }

    private static func session(_ vector: TWSVector, _ v: Reader) -> [String]? {
        switch vector.messageId {
        case 9: GatewayMessages.nextValidId(v.integer("orderId"))
        case 15: GatewayMessages.managedAccounts(v["accountsList"])
        case 49: GatewayMessages.currentTime(v.integer("time"))
        case 4:
            GatewayMessages.error(
                id: v.integer("reqId"), code: Int(v.integer("errorCode")),
                v["errorString"].split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n"),
                reject: v["advancedOrderRejectJson"],
                version: vector.version)
        default: nil
        }
    }

    private static func account(_ vector: TWSVector, _ v: Reader) -> [String]? {
        let id = Int(v.integer("reqId"))
        switch vector.messageId {
        case 6: return GatewayMessages.accountValue(v["key"], v["val"], v["currency"], account: v["accountName"])
        case 7:
            var listing = v.listing("contract")
            listing.exchange = v.inner("contract")["primaryExchange"]
            let item = GatewayMessages.Portfolio(
                listing: listing, position: v["position"], marketPrice: v["marketPrice"], marketValue: v["marketValue"],
                averageCost: v["averageCost"],
                unrealised: v["unrealizedPNL"], realised: v["realizedPNL"])
            return GatewayMessages.portfolioValue(item, account: v["accountName"])
        case 61: return GatewayMessages.position(v.listing("contract"), account: v["account"], size: v["position"], averageCost: v["avgCost"])
        case 62: return GatewayMessages.positionEnd
        case 71:
            return GatewayMessages.positionMulti(
                id: id, v.listing("contract"), account: v["account"], size: v["pos"], averageCost: v["avgCost"], model: v["modelCode"])
        case 72: return GatewayMessages.positionMultiEnd(id: id)
        case 63: return GatewayMessages.accountSummary(id: id, account: v["account"], tag: v["tag"], value: v["value"], currency: v["currency"])
        case 64: return GatewayMessages.accountSummaryEnd(id: id)
        case 73:
            return GatewayMessages.accountUpdateMulti(
                id: id, account: v["account"], model: v["modelCode"], key: v["key"], value: v["value"], currency: v["currency"])
        case 74: return GatewayMessages.accountUpdateMultiEnd(id: id)
        default: return nil
        }
    }

    private static func data(_ vector: TWSVector, _ v: Reader) -> [String]? {
        let (id, type) = (Int(v.integer("reqId")), Int(v.integer("tickType")))
        switch vector.messageId {
        case 1:
            let attributes = v.inner("attrib")
            let mask =
                (attributes["canAutoExecute"] == "1" ? 1 : 0) + (attributes["pastLimit"] == "1" ? 2 : 0) + (attributes["preOpen"] == "1" ? 4 : 0)
            // Types without a size tick of their own (close, high, low) come with a size nobody keeps.
            let size = vector.calls.count > 1 ? Reader(vector.calls[1].values)["size"] : vector.frames[0].fields[5]
            return GatewayMessages.tickPrice(id: id, type: type, price: v["price"], size: size, mask: mask)
        case 2: return GatewayMessages.tickSize(id: id, type: type, size: v["size"])
        case 45: return GatewayMessages.tickGeneric(id: id, type: type, value: v["value"])
        case 46: return GatewayMessages.tickString(id: id, type: type, text: v["value"])
        case 81:
            return GatewayMessages.tickReqParams(
                id: Int(v.integer("tickerId")), minTick: v["minTick"], bboExchange: v["bboExchange"],
                snapshotPermissions: Int(v.integer("snapshotPermissions")))
        case 57: return GatewayMessages.snapshotEnd(id: id)
        case 50: return GatewayMessages.realTimeBar(id: id, v.bar(date: v["time"], open: "open_", volume: "volume", count: "count"))
        case 17:
            let bars = vector.calls.filter { $0.name == "historicalData" }.map { Reader($0.values).inner("bar").plainBar }
            guard let end = vector.calls.first(where: { $0.name == "historicalDataEnd" }).map({ Reader($0.values) }) else { return nil }
            return GatewayMessages.historicalData(id: id, start: end["start"], end: end["end"], bars)
        case 90: return GatewayMessages.historicalDataUpdate(id: id, v.inner("bar").plainBar)
        case 88: return GatewayMessages.headTimestamp(id: id, text: v["headTimestamp"])
        case 10: return details(vector, v, id)
        case 79: return samples(vector, v, id)
        default: return nil
        }
    }

    private static func details(_ vector: TWSVector, _ v: Reader, _ id: Int) -> [String]? {
        let d = v.inner("contractDetails")
        let ids = (d.json["secIdList"]?.elements ?? []).map { (tag: $0.elements?.first?.text ?? "", value: $0.elements?.last?.text ?? "") }
        let details = GatewayMessages.Details(
            listing: d.listing("contract"), marketName: d["marketName"], minTick: d["minTick"], orderTypes: d["orderTypes"],
            validExchanges: d["validExchanges"],
            priceMagnifier: d["priceMagnifier"], underConId: d["underConId"], longName: escaped(d["longName"]),
            primaryExchange: d.inner("contract")["primaryExchange"], contractMonth: d["contractMonth"], industry: d["industry"],
            category: d["category"],
            subcategory: d["subcategory"], timeZoneId: d["timeZoneId"], tradingHours: d["tradingHours"], liquidHours: d["liquidHours"],
            evRule: d["evRule"],
            evMultiplier: d["evMultiplier"] == "0" || d["evMultiplier"] == "0.0" ? "" : d["evMultiplier"], secIds: ids, aggGroup: d["aggGroup"],
            underSymbol: d["underSymbol"], underSecType: d["underSecType"], marketRuleIds: d["marketRuleIds"],
            realExpirationDate: d["realExpirationDate"],
            stockType: d["stockType"], minSize: d["minSize"], sizeIncrement: d["sizeIncrement"], suggestedSizeIncrement: d["suggestedSizeIncrement"])
        return GatewayMessages.contractDetails(id: id, details, version: vector.version)
    }
    /// As it goes on the wire; the files keep their fields escaped.
    private static func escaped(_ text: String) -> String {
        GatewayFrames.fields(Array(GatewayFrames.bytes([text]).dropFirst(4))).first ?? ""
    }

    private static func samples(_ vector: TWSVector, _ v: Reader, _ id: Int) -> [String]? {
        let samples = (v.json["contractDescriptions"]?.elements ?? []).map { element in
            let c = Reader(element).inner("contract")
            return GatewayMessages.Sample(
                conId: c.integer("conId"), symbol: c["symbol"], secType: c["secType"], primaryExchange: c["primaryExchange"], currency: c["currency"],
                derivatives: (element["derivativeSecTypes"]?.elements ?? []).compactMap(\.text), description: escaped(c["description"]),
                issuerId: c["issuerId"])
        }
        return GatewayMessages.symbolSamples(id: id, samples, version: vector.version)
    }

    private static func orders(_ vector: TWSVector, _ v: Reader) -> [String]? {
        switch vector.messageId {
        case 3:
            let status = GatewayMessages.Status(
                orderId: v.integer("orderId"), status: v["status"], filled: v["filled"], remaining: v["remaining"], averagePrice: v["avgFillPrice"],
                permId: v.integer("permId"), parentId: v.integer("parentId"), lastPrice: v["lastFillPrice"], clientId: Int(v.integer("clientId")),
                whyHeld: v["whyHeld"], marketCapPrice: v["mktCapPrice"])
            return GatewayMessages.orderStatus(status)
        case 11:
            let e = v.inner("execution")
            var execution = GatewayMessages.Execution(
                listing: v.listing("contract"), orderId: e["orderId"].isEmpty ? Int64(Int32.max) : e.integer("orderId"), execId: e["execId"],
                time: e["time"], account: e["acctNumber"],
                exchange: e["exchange"], side: e["side"], shares: e["shares"], price: e["price"], permId: e.integer("permId"),
                clientId: Int(e.integer("clientId")), cumulative: e["cumQty"], averagePrice: e["avgPrice"], orderRef: e["orderRef"],
                lastLiquidity: e["lastLiquidity"])
            execution.liquidation = e["liquidation"]
            execution.evRule = e["evRule"]
            execution.evMultiplier = e["evMultiplier"] == "0.0" ? "" : e["evMultiplier"]
            execution.model = e["modelCode"]
            return GatewayMessages.execDetails(id: Int(v.integer("reqId")), execution, version: vector.version)
        case 59:
            let r = v.inner("commissionAndFeesReport")
            return GatewayMessages.commissionReport(
                execId: r["execId"], commission: r["commissionAndFees"], currency: r["currency"], realised: r["realizedPNL"], yield: r["yield_"],
                redemption: r["yieldRedemptionDate"] == "0" ? "" : r["yieldRedemptionDate"])
        case 53: return GatewayMessages.openOrderEnd
        case 55: return GatewayMessages.execDetailsEnd(id: Int(v.integer("reqId")))
        case 102: return GatewayMessages.completedOrdersEnd
        default: return nil
        }
    }

    /// openOrder and completedOrder: every named field from the decoded order, everything unnamed from the gateway's habits. Orders with blocks that this
    /// gateway refuses (legs, conditions, algorithms, benchmarks, tiers) are not of its slice.
    private static func reports(_ vector: TWSVector, _ v: Reader, _ names: [String?]) -> [String]? {
        guard vector.messageId == 5 || vector.messageId == 101 else { return nil }
        let (order, state) = (v.inner("order"), v.inner("orderState"))
        let hasLists = ["orderComboLegs", "conditions", "smartComboRoutingParams"].contains { !(order.json[$0]?.elements ?? []).isEmpty }
        let legs = v.inner("contract").json["comboLegs"]?.elements ?? []
        guard !hasLists, legs.isEmpty, order.inner("softDollarTier")["name"].isEmpty, order["algoStrategy"].isEmpty,
            order["scalePriceIncrement"].isEmpty,
            v.inner("contract").json["deltaNeutralContract"]?.members == nil, !["PEG BENCH", "VOL"].contains(order["orderType"])
        else { return nil }
        var values: [String: String] = [:]
        for case let name? in names { values[name] = (order.json[renamed(name)] ?? state.json[renamed(name)]).flatMap(TWSVectors.text) }
        // What decoders throw away or fold into another field cannot be rebuilt from their result.
        for (name, field) in zip(names, vector.frames[0].fields) {
            guard let name, ["sharesAllocation(ignored)", "adjTrailStopPrice", "autoCancelParentC", "trailStopPrice"].contains(name) else { continue }
            values[name == "autoCancelParentC" ? "autoCancelParent" : name] = field
        }
        let report = OrderReport(orderId: v.integer("orderId"), listing: v.listing("contract"), values: values)
        return vector.messageId == 5 ? report.openOrder(version: vector.version) : report.completedOrder(version: vector.version)
    }
    /// The decoders' names of what the wire's labels call otherwise.
    private static func renamed(_ name: String) -> String {
        switch name {
        case "commission": "commissionAndFees"
        case "minCommission": "minCommissionAndFees"
        case "maxCommission": "maxCommissionAndFees"
        case "commissionCurrency": "commissionAndFeesCurrency"
        default: name
        }
    }
}

/// Values of a decoded call as field text.
private struct Reader {
    let json: JSONValue
    init(_ json: JSONValue) { self.json = json }
    subscript(key: String) -> String { json[key].flatMap(TWSVectors.text) ?? "" }
    func integer(_ key: String) -> Int64 { Int64(self[key]) ?? 0 }
    func inner(_ key: String) -> Reader { Reader(json[key] ?? .null) }

    func listing(_ key: String) -> WireListing {
        let c = inner(key)
        return WireListing(
            conId: c.integer("conId"), symbol: c["symbol"], secType: c["secType"], expiry: c["lastTradeDateOrContractMonth"], strike: c["strike"],
            right: c["right"], multiplier: c["multiplier"], exchange: c["exchange"], currency: c["currency"], localSymbol: c["localSymbol"],
            tradingClass: c["tradingClass"])
    }
    func bar(date: String, open: String, volume: String, count: String) -> GatewayMessages.WireBar {
        GatewayMessages.WireBar(
            date: date, open: self[open], high: self["high"], low: self["low"], close: self["close"], volume: self[volume], average: self["wap"],
            count: self[count])
    }
    var plainBar: GatewayMessages.WireBar { bar(date: self["date"], open: "open", volume: "volume", count: "barCount") }
}
