// A recorded call as a request of ours.
import Values
import Venues
import Wire

/// The neutral call of an outbound vector.
struct OutboundCall {
    let name: String
    let params: JSONValue

    init(vector: JSONValue) throws {
        name = try needed(vector["request"]?.text)
        params = try needed(vector["params"])
    }

    func integer(_ key: String) throws -> Int64 { try needed(params[key]?.integerValue, "\(name) \(key)") }
    /// The first of several names that the call knows; nil when it knows none.
    func optionalInteger(_ keys: String...) throws -> Int64? {
        guard let value = keys.lazy.compactMap({ key in params[key] }).first else { return nil }
        return try needed(value.integerValue, "\(name) \(keys[0])")
    }
    func text(_ keys: String...) throws -> String {
        try needed(keys.lazy.compactMap { key in params[key]?.text }.first, "\(name) \(keys[0])")
    }
    /// A number at 10^-8.
    func raw(_ key: String) throws -> Int64 { try needed(params[key].flatMap { Neutral.raw($0) }, "\(name) \(key)") }
    /// Recorded as true and false or as 1 and 0.
    func flag(_ key: String) throws -> Bool {
        let value = try needed(params[key], "\(name) \(key)")
        return try needed(value.boolValue ?? value.integerValue.map { $0 != 0 })
    }
    func tags(_ key: String) throws -> [TagValue] {
        try (params[key]?.elements ?? []).map { TagValue(try needed($0.elements?.first?.text), try needed($0.elements?.last?.text)) }
    }
    func contract() throws -> IBContract { try Neutral.contract(from: try needed(params["contract"])) }

    /// The request of ours. A name that nobody knows is an error, not a pass.
    func request() throws -> IBRequest {
        if let request = try basicRequest() { return request }
        if let request = try dataRequest() { return .data(request) }
        if let request = try searchRequest() { return .search(request) }
        if let request = try newsRequest() { return .news(request) }
        if let request = try booksRequest() { return .books(request) }
        guard name == "exerciseOptions" else { throw UnknownParameter(name: "request \(name)") }
        return .exercise(try exercise())
    }

    /// Nil for a name of another group.
    private func basicRequest() throws -> IBRequest? {
        switch name {
        case "startApi": .startApi(clientId: try integer("clientId"), capabilities: params["optionalCapabilities"]?.text ?? "")
        case "reqIds": .ids
        case "reqCurrentTime": .currentTime
        case "reqManagedAccts": .managedAccounts
        case "reqAccountUpdates": .accountUpdates(subscribe: try flag("subscribe"), account: try text("acctCode"))
        case "reqAccountSummary": .accountSummary(requestId: try integer("reqId"), group: try text("groupName"), tags: try text("tags"))
        case "cancelAccountSummary": .cancelAccountSummary(requestId: try integer("reqId"))
        case "reqPositions": .positions
        case "cancelPositions": .cancelPositions
        case "reqMktData":
            .marketData(
                requestId: try integer("reqId"), try contract(), genericTicks: try text("genericTickList"), snapshot: try flag("snapshot"),
                regulatorySnapshot: try flag("regulatorySnapshot"))
        case "cancelMktData": .cancelMarketData(requestId: try integer("reqId"))
        case "reqMarketDataType": .marketDataType(try integer("marketDataType"))
        case "reqRealTimeBars":
            .realTimeBars(requestId: try integer("reqId"), try contract(), whatToShow: try text("whatToShow"), useRTH: try flag("useRTH"))
        case "cancelRealTimeBars": .cancelRealTimeBars(requestId: try integer("reqId"))
        case "reqHistoricalData": .historicalData(requestId: try integer("reqId"), try contract(), try history())
        case "cancelHistoricalData": .cancelHistoricalData(requestId: try integer("reqId"))
        case "reqContractDetails": .contractDetails(requestId: try integer("reqId"), try contract())
        case "placeOrder": try placeOrder()
        case "cancelOrder": .cancelOrder(orderId: try integer("orderId"), manualTime: params["manualCancelOrderTime"]?.text ?? "")
        case "reqGlobalCancel": .globalCancel
        case "reqOpenOrders": .openOrders
        case "reqAllOpenOrders": .allOpenOrders
        case "reqAutoOpenOrders": .autoOpenOrders(bind: try flag("bAutoBind"))
        case "reqCompletedOrders": .completedOrders(apiOnly: try flag("apiOnly"))
        case "reqExecutions": .executions(requestId: try integer("reqId"), try filter())
        default: nil
        }
    }

    private func placeOrder() throws -> IBRequest {
        .placeOrder(try contract(), try OrderTable().order(try needed(params["order"]), id: try integer("orderId")))
    }

    private func history() throws -> IBHistoryQuery {
        var query = IBHistoryQuery()
        query.endDateTime = try text("endDateTime"); query.barSize = try text("barSizeSetting"); query.duration = try text("durationStr")
        query.useRTH = try flag("useRTH"); query.whatToShow = try text("whatToShow"); query.formatDate = try integer("formatDate")
        query.keepUpToDate = try flag("keepUpToDate")
        return query
    }

    private func filter() throws -> IBExecutionFilter {
        var out = IBExecutionFilter()
        for member in params["filter"]?.members ?? [] {
            switch member.key {
            case "clientId": out.clientId = try needed(member.value.integerValue)
            case "acctCode": out.account = try needed(member.value.text)
            case "time": out.time = try needed(member.value.text)
            case "symbol": out.symbol = try needed(member.value.text)
            case "secType": out.secType = try needed(member.value.text)
            case "exchange": out.exchange = try needed(member.value.text)
            case "side": out.side = try needed(member.value.text)
            default: throw UnknownParameter(name: member.key)
            }
        }
        return out
    }
}
