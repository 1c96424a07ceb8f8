// What the gateway writes, against recorded frames: the decoded values go in, the recorded fields must come out.
import Simulation
import Testing
import Wire

@Suite struct InboundVectorTests {
    @Test func theGatewayWritesEveryMessageAsRecorded() throws {
        let run = try InboundRun()
        #expect(run.failures.isEmpty, "\(run.failures.joined(separator: "\n"))")
        #expect(run.written > 0)
    }

    @Test func textBeyondASCIIIsEscaped() {
        let bytes = GatewayFrames.bytes(["4", "NESTLÉ – 😀"])
        #expect(String(decoding: bytes.dropFirst(4), as: UTF8.self) == "4\0NESTL\\u00c9 \\u2013 \\ud83d\\ude00\0")
        #expect(Array(bytes.prefix(4)) == [0, 0, 0, UInt8(bytes.count - 4)])
    }
}

/// One comparison of all inbound files.
struct InboundRun {
    private(set) var written = 0
    private(set) var failures: [String] = []
    private(set) var deviations: GatewayDeviations

    init() throws {
        deviations = try GatewayDeviations()
        // A frame on which both clients' decoders say nothing leaves nothing to be written back.
        for vector in try TWSVectors.all("inbound") where (157...178).contains(vector.version) && !vector.calls.isEmpty {
            for frame in vector.frames { compare(vector, frame.fields, frame.names) }
        }
    }

    private mutating func compare(_ vector: TWSVector, _ fields: [String], _ names: [String?]) {
        guard let own = Encoded.fields(vector, names) else { return failures.append("\(vector): the gateway has no message \(vector.messageId)") }
        written += 1
        guard own.count == fields.count else { return failures.append("\(vector): \(own.count) fields, not \(fields.count): \(own)") }
        for (index, (mine, theirs)) in zip(own, fields).enumerated() where !TWSVectors.same(mine, theirs) {
            guard !deviations.cover(vector, index, mine, theirs) else { continue }
            failures.append("\(vector): field \(index) is \(mine), not \(theirs)")
        }
    }
}

/// Decoded values turned back into a frame by the gateway's own encoder.
enum Encoded {
    static func fields(_ vector: TWSVector, _ names: [String?]) -> [String]? {
        guard let call = vector.calls.first else { return nil }
        let v = VectorReader(call.values)
        return session(vector, v) ?? account(vector, v) ?? data(vector, v) ?? orders(vector, v) ?? reports(vector, v, names) ?? research(vector, v)
            ?? office(vector, v)
    }

    private static func session(_ vector: TWSVector, _ v: VectorReader) -> [String]? {
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

    private static func account(_ vector: TWSVector, _ v: VectorReader) -> [String]? {
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

    private static func data(_ vector: TWSVector, _ v: VectorReader) -> [String]? {
        let (id, type) = (Int(v.integer("reqId")), Int(v.integer("tickType")))
        switch vector.messageId {
        case 1:
            let attributes = v.inner("attrib")
            let mask =
                (attributes["canAutoExecute"] == "1" ? 1 : 0) + (attributes["pastLimit"] == "1" ? 2 : 0) + (attributes["preOpen"] == "1" ? 4 : 0)
            // Types without a size tick of their own (close, high, low) come with a size nobody keeps.
            let size = vector.calls.count > 1 ? VectorReader(vector.calls[1].values)["size"] : vector.frames[0].fields[5]
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
            let bars = vector.calls.filter { $0.name == "historicalData" }.map { VectorReader($0.values).inner("bar").plainBar }
            guard let end = vector.calls.first(where: { $0.name == "historicalDataEnd" }).map({ VectorReader($0.values) }) else { return nil }
            return GatewayMessages.historicalData(id: id, start: end["start"], end: end["end"], bars)
        case 90: return GatewayMessages.historicalDataUpdate(id: id, v.inner("bar").plainBar)
        case 88: return GatewayMessages.headTimestamp(id: id, text: v["headTimestamp"])
        case 10: return details(vector, v, id)
        case 79: return samples(vector, v, id)
        default: return nil
        }
    }

    private static func details(_ vector: TWSVector, _ v: VectorReader, _ id: Int) -> [String]? {
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
    static func escaped(_ text: String) -> String {
        GatewayFrames.fields(Array(GatewayFrames.bytes([text]).dropFirst(4))).first ?? ""
    }

    private static func samples(_ vector: TWSVector, _ v: VectorReader, _ id: Int) -> [String]? {
        let samples = (v.json["contractDescriptions"]?.elements ?? []).map { element in
            let c = VectorReader(element).inner("contract")
            return GatewayMessages.Sample(
                conId: c.integer("conId"), symbol: c["symbol"], secType: c["secType"], primaryExchange: c["primaryExchange"], currency: c["currency"],
                derivatives: (element["derivativeSecTypes"]?.elements ?? []).compactMap(\.text), description: escaped(c["description"]),
                issuerId: c["issuerId"])
        }
        return GatewayMessages.symbolSamples(id: id, samples, version: vector.version)
    }
}
