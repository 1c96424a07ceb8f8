// What three independent clients put on the wire, read by the gateway's decoder.
import Simulation
import Testing
import Wire

@Suite struct OutboundVectorTests {
    @Test func theGatewayReadsEveryFrame() throws {
        let run = try OutboundRun()
        #expect(run.failures.isEmpty, "\(run.failures.joined(separator: "\n"))")
        #expect(run.read > 0)
    }

    @Test func framesAreCutFromAnyPiecesOfTheStream() throws {
        for vector in try TWSVectors.all("outbound").filter({ $0.version == 178 }).prefix(60) {
            for frame in vector.frames where !frame.fields.isEmpty {
                let bytes = hex(frame.hex)
                for size in [1, 3, 64, 4_096] {
                    var frames = GatewayFrames()
                    frames.append(Array("API\0".utf8) + [0, 0, 0, 9] + Array("v157..178".utf8))
                    #expect(try frames.next() == .greeting(GatewayGreeting(lowest: 157, highest: 178)))
                    var pieces: [GatewayFrames.Piece] = []
                    for start in stride(from: 0, to: bytes.count, by: size) {
                        frames.append(Array(bytes[start..<min(start + size, bytes.count)]))
                        while let piece = try frames.next() { pieces.append(piece) }
                    }
                    #expect(pieces == [.fields(frame.fields)], "\(vector) in pieces of \(size)")
                }
            }
        }
    }

    private func hex(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) }
    }
}

/// One comparison of all outbound files.
struct OutboundRun {
    private(set) var read = 0
    private(set) var failures: [String] = []
    private(set) var deviations: GatewayDeviations

    init() throws {
        deviations = try GatewayDeviations()
        for vector in try TWSVectors.all("outbound") where (157...178).contains(vector.version) {
            for frame in vector.frames where !frame.fields.isEmpty {
                read += 1
                do throws(GatewayFault) {
                    compare(vector, Decoded(try GatewayRequest(frame.fields, version: vector.version)), frame.fields, frame.names)
                } catch {
                    failures.append("\(vector), a \(vector.request): \(error)")
                }
            }
        }
    }

    private mutating func compare(_ vector: TWSVector, _ decoded: Decoded, _ fields: [String], _ names: [String?]) {
        if decoded.name != vector.request { failures.append("\(vector): read as \(decoded.name)") }
        if let order = decoded.order {
            if !names.isEmpty, order.names != names.map({ $0 ?? "?" }) { failures.append("\(vector): names") }
            if order.values != fields { failures.append("\(vector): values") }
        }
        for parameter in vector.json["params"]?.members ?? [] {
            switch parameter.key {
            case "contract": compare(vector, decoded, parameter.value, prefix: "contract.")
            case "order": compare(vector, decoded, parameter.value, prefix: "")
            case "filter": compare(vector, decoded, parameter.value, prefix: "filter.")
            default: compare(vector, decoded, parameter.key, parameter.value)
            }
        }
    }
    private mutating func compare(_ vector: TWSVector, _ decoded: Decoded, _ group: JSONValue, prefix: String) {
        for member in group.members ?? [] { compare(vector, decoded, prefix + member.key, member.value) }
    }
    private mutating func compare(_ vector: TWSVector, _ decoded: Decoded, _ key: String, _ value: JSONValue) {
        // What is no single value is a list, and stands in the table too.
        let isDeliberate = deviations.cover(vector, parameter: key)
        guard !isDeliberate, let wanted = TWSVectors.text(value) else { return }
        // One library writes this name in small letters.
        guard let own = decoded.values[key == "conid" ? "conId" : key] else {
            if decoded.order == nil { failures.append("\(vector): \(key) was not read") }
            return
        }
        if !TWSVectors.same(own, wanted) { failures.append("\(vector): \(key) is \(own), not \(wanted)") }
    }
}

/// A decoded request in the words of the vectors' neutral parameters.
private struct Decoded {
    var name = ""
    var values: [String: String] = [:]
    var order: OrderFields?

    init(_ request: GatewayRequest) {
        switch request {
        case .research(let research): read(research)
        case .office(let office): read(office)
        default: if !plain(request), !account(request), !data(request) { orders(request) }
        }
    }
    private mutating func set(_ name: String, _ values: [String: String] = [:], _ contract: WireContract? = nil) {
        self.name = name
        self.values = values
        guard let contract else { return }
        let fields = [
            ("conId", String(contract.conId)), ("symbol", contract.symbol), ("secType", contract.secType),
            ("lastTradeDateOrContractMonth", contract.expiry),
            ("strike", contract.strike), ("right", contract.right), ("multiplier", contract.multiplier), ("exchange", contract.exchange),
            ("primaryExchange", contract.primaryExchange), ("currency", contract.currency), ("localSymbol", contract.localSymbol),
            ("tradingClass", contract.tradingClass),
        ]
        for (key, value) in fields { self.values["contract." + key] = value }
    }
    private func flag(_ value: Bool) -> String { value ? "1" : "0" }

    private mutating func plain(_ request: GatewayRequest) -> Bool {
        switch request {
        case .startApi(let id, let capabilities): set("startApi", ["clientId": String(id), "optionalCapabilities": capabilities])
        case .ids: set("reqIds")
        case .currentTime: set("reqCurrentTime")
        case .managedAccounts: set("reqManagedAccts")
        case .serverLogLevel(let level): set("setServerLogLevel", ["logLevel": String(level)])
        case .userInfo(let id): set("reqUserInfo", ["reqId": String(id)])
        case .matchingSymbols(let id, let pattern): set("reqMatchingSymbols", ["reqId": String(id), "pattern": pattern])
        case .marketRule(let id): set("reqMarketRule", ["marketRuleId": String(id)])
        default: return false
        }
        return true
    }
    private mutating func account(_ request: GatewayRequest) -> Bool {
        switch request {
        case .accountUpdates(let on, let account): set("reqAccountUpdates", ["subscribe": flag(on), "acctCode": account])
        case .accountSummary(let id, let group, let tags): set("reqAccountSummary", ["reqId": String(id), "groupName": group, "tags": tags])
        case .cancelAccountSummary(let id): set("cancelAccountSummary", ["reqId": String(id)])
        case .positions: set("reqPositions")
        case .cancelPositions: set("cancelPositions")
        case .positionsMulti(let id, let account, let model): set("reqPositionsMulti", ["reqId": String(id), "account": account, "modelCode": model])
        case .cancelPositionsMulti(let id): set("cancelPositionsMulti", ["reqId": String(id)])
        case .accountUpdatesMulti(let id, let account, let model, let ledger):
            set("reqAccountUpdatesMulti", ["reqId": String(id), "account": account, "modelCode": model, "ledgerAndNLV": flag(ledger)])
        case .cancelAccountUpdatesMulti(let id): set("cancelAccountUpdatesMulti", ["reqId": String(id)])
        case .pnl(let id, let account, let model): set("reqPnL", ["reqId": String(id), "account": account, "modelCode": model])
        case .cancelPnl(let id): set("cancelPnL", ["reqId": String(id)])
        case .pnlSingle(let id, let account, let model, let conId):
            set("reqPnLSingle", ["reqId": String(id), "account": account, "modelCode": model, "conId": String(conId)])
        case .cancelPnlSingle(let id): set("cancelPnLSingle", ["reqId": String(id)])
        default: return false
        }
        return true
    }
    private mutating func data(_ request: GatewayRequest) -> Bool {
        switch request {
        case .marketData(let id, let r):
            set(
                "reqMktData",
                [
                    "reqId": String(id), "genericTickList": r.genericTicks, "snapshot": flag(r.snapshot),
                    "regulatorySnapshot": flag(r.regulatorySnapshot),
                ],
                r.contract)
        case .cancelMarketData(let id): set("cancelMktData", ["reqId": String(id)])
        case .marketDataType(let type): set("reqMarketDataType", ["marketDataType": String(type)])
        case .realTimeBars(let id, let contract, let seconds, let what, let regular):
            set("reqRealTimeBars", ["reqId": String(id), "barSize": String(seconds), "whatToShow": what, "useRTH": flag(regular)], contract)
        case .cancelRealTimeBars(let id): set("cancelRealTimeBars", ["reqId": String(id)])
        case .history(let id, let r):
            set(
                "reqHistoricalData",
                [
                    "reqId": String(id), "endDateTime": r.end, "durationStr": r.duration, "barSizeSetting": r.barSize, "whatToShow": r.whatToShow,
                    "useRTH": flag(r.regularHours), "formatDate": String(r.formatDate), "keepUpToDate": flag(r.keepUpToDate),
                ], r.contract)
            values["contract.includeExpired"] = flag(r.includeExpired)
        case .cancelHistory(let id): set("cancelHistoricalData", ["reqId": String(id)])
        case .headTimestamp(let id, let contract, let expired, let regular, let what, let format):
            set("reqHeadTimeStamp", ["reqId": String(id), "whatToShow": what, "useRTH": flag(regular), "formatDate": String(format)], contract)
            values["contract.includeExpired"] = flag(expired)
        case .cancelHeadTimestamp(let id): set("cancelHeadTimeStamp", ["reqId": String(id)])
        case .contractDetails(let id, let contract, let expired, let type, let secId):
            set("reqContractDetails", ["reqId": String(id)], contract)
            values.merge(["contract.includeExpired": flag(expired), "contract.secIdType": type, "contract.secId": secId]) { $1 }
        default: return false
        }
        return true
    }
    private mutating func read(_ request: ResearchRequest) {
        switch request {
        case .tickByTick(let id, let contract, let kind, let count, let ignoreSize):
            set(
                "reqTickByTickData",
                ["reqId": String(id), "tickType": kind, "numberOfTicks": String(count), "ignoreSize": flag(ignoreSize)], contract)
        case .cancelTickByTick(let id): set("cancelTickByTickData", ["reqId": String(id)])
        case .historicalTicks(let id, let r):
            let values = [
                "reqId": String(id), "startDateTime": r.start, "endDateTime": r.end, "numberOfTicks": String(r.count), "whatToShow": r.whatToShow,
                "useRth": flag(r.regularHours), "ignoreSize": flag(r.ignoreSize),
            ]
            set("reqHistoricalTicks", values, r.contract)
            self.values["contract.includeExpired"] = flag(r.includeExpired)
        case .depth(let id, let contract, let rows, let isSmart):
            set("reqMktDepth", ["reqId": String(id), "numRows": String(rows), "isSmartDepth": flag(isSmart)], contract)
        case .cancelDepth(let id, let isSmart): set("cancelMktDepth", ["reqId": String(id), "isSmartDepth": flag(isSmart)])
        case .depthExchanges: set("reqMktDepthExchanges")
        case .smartComponents(let id, let exchange): set("reqSmartComponents", ["reqId": String(id), "bboExchange": exchange])
        case .optionParameters(let id, let r):
            set(
                "reqSecDefOptParams",
                [
                    "reqId": String(id), "underlyingSymbol": r.symbol, "futFopExchange": r.futureExchange, "underlyingSecType": r.secType,
                    "underlyingConId": String(r.conId),
                ])
        case .histogram(let id, let contract, let regular, let period):
            set("reqHistogramData", ["reqId": String(id), "useRTH": flag(regular), "timePeriod": period], contract)
        case .cancelHistogram(let id): set("cancelHistogramData", ["reqId": String(id)])
        case .impliedVolatility(let id, let contract, let price, let underlying):
            set("calculateImpliedVolatility", ["reqId": String(id), "optionPrice": price, "underPrice": underlying], contract)
        case .optionPrice(let id, let contract, let volatility, let underlying):
            set("calculateOptionPrice", ["reqId": String(id), "volatility": volatility, "underPrice": underlying], contract)
        case .cancelImpliedVolatility(let id): set("cancelCalculateImpliedVolatility", ["reqId": String(id)])
        case .cancelOptionPrice(let id): set("cancelCalculateOptionPrice", ["reqId": String(id)])
        case .exercise(let id, let r):
            set(
                "exerciseOptions",
                [
                    "reqId": String(id), "exerciseAction": String(r.action), "exerciseQuantity": String(r.quantity), "account": r.account,
                    "override": flag(r.override),
                ], r.contract)
        }
    }
    private mutating func read(_ request: OfficeRequest) {
        func named(_ id: Int, _ fields: NamedFields) -> [String: String] {
            Dictionary(zip(fields.names, fields.values)) { first, _ in first }.merging(["reqId": String(id)]) { $1 }
        }
        switch request {
        case .newsProviders: set("reqNewsProviders")
        case .newsArticle(let id, let provider, let article):
            set("reqNewsArticle", ["reqId": String(id), "providerCode": provider, "articleId": article])
        case .historicalNews(let id, let fields): set("reqHistoricalNews", named(id, fields))
        case .newsBulletins(let all): set("reqNewsBulletins", ["allMsgs": flag(all)])
        case .cancelNewsBulletins: set("cancelNewsBulletins")
        case .scannerParameters: set("reqScannerParameters")
        case .scanner(let id, let fields): set("reqScannerSubscription", named(id, fields))
        case .cancelScanner(let id): set("cancelScannerSubscription", ["reqId": String(id)])
        case .fundamentals(let id, let contract, let report): set("reqFundamentalData", ["reqId": String(id), "reportType": report], contract)
        case .cancelFundamentals(let id): set("cancelFundamentalData", ["reqId": String(id)])
        case .adviserData(let type): set("requestFA", ["faData": String(type)])
        case .replaceAdviserData(let id, let type, let xml): set("replaceFA", ["reqId": String(id), "faData": String(type), "cxml": xml])
        case .softDollarTiers(let id): set("reqSoftDollarTiers", ["reqId": String(id)])
        case .familyCodes: set("reqFamilyCodes")
        case .eventKinds(let id): set("reqWshMetaData", ["reqId": String(id)])
        case .cancelEventKinds(let id): set("cancelWshMetaData", ["reqId": String(id)])
        case .events(let id, let conId, _): set("reqWshEventData", ["reqId": String(id), "wshEventData.conId": String(conId)])
        case .cancelEvents(let id): set("cancelWshEventData", ["reqId": String(id)])
        }
    }
    private mutating func orders(_ request: GatewayRequest) {
        switch request {
        case .placeOrder(let fields):
            set("placeOrder")
            order = fields
            for name in fields.names { values[name] = fields[name] }
        case .cancelOrder(let id, let time):
            set("cancelOrder", ["orderId": String(id), "manualCancelOrderTime": time, "manualOrderCancelTime": time])
        case .globalCancel: set("reqGlobalCancel")
        case .openOrders: set("reqOpenOrders")
        case .allOpenOrders: set("reqAllOpenOrders")
        case .autoOpenOrders(let bind): set("reqAutoOpenOrders", ["bAutoBind": flag(bind)])
        case .completedOrders(let api): set("reqCompletedOrders", ["apiOnly": flag(api)])
        case .executions(let id, let f):
            set(
                "reqExecutions",
                [
                    "reqId": String(id), "filter.clientId": String(f.clientId), "filter.acctCode": f.account, "filter.time": f.time,
                    "filter.symbol": f.symbol,
                    "filter.secType": f.secType, "filter.exchange": f.exchange, "filter.side": f.side,
                ])
        default: break
        }
    }
}
