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

    private func integer(_ key: String) throws -> Int64 { try needed(params[key]?.integerValue, "\(name) \(key)") }
    private func text(_ key: String) throws -> String { try needed(params[key]?.text, "\(name) \(key)") }
    /// Recorded as true and false or as 1 and 0.
    private func flag(_ key: String) throws -> Bool {
        let value = try needed(params[key], "\(name) \(key)")
        return try needed(value.boolValue ?? value.integerValue.map { $0 != 0 })
    }
    private func contract() throws -> IBContract { try Neutral.contract(from: try needed(params["contract"])) }

    /// Nil for requests of other slices.
    func request() throws -> IBRequest? {
        switch name {
        case "startApi": .startApi(clientId: try integer("clientId"))
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
