// What the gateway read, as the request that our own client would send for it.
internal import Values
internal import Venues

enum GatewayRewrite {
    /// Nil for what our client has no words for.
    static func request(_ request: GatewayRequest) -> IBRequest? {
        switch request {
        case .startApi(let id, let capabilities): .startApi(clientId: Int64(id), capabilities: capabilities)
        case .ids: .ids
        case .currentTime: .currentTime
        case .managedAccounts: .managedAccounts
        case .globalCancel: .globalCancel
        case .openOrders: .openOrders
        case .allOpenOrders: .allOpenOrders
        case .autoOpenOrders(let bind): .autoOpenOrders(bind: bind)
        case .completedOrders(let apiOnly): .completedOrders(apiOnly: apiOnly)
        case .cancelOrder(let id, let time): .cancelOrder(orderId: id, manualTime: time)
        case .executions(let id, let filter): .executions(requestId: Int64(id), own(filter))
        default: books(request) ?? data(request)
        }
    }

    private static func books(_ request: GatewayRequest) -> IBRequest? {
        switch request {
        case .accountUpdates(let on, let account): .accountUpdates(subscribe: on, account: account)
        case .accountSummary(let id, let group, let tags): .accountSummary(requestId: Int64(id), group: group, tags: tags)
        case .cancelAccountSummary(let id): .cancelAccountSummary(requestId: Int64(id))
        case .positions: .positions
        case .cancelPositions: .cancelPositions
        default: nil
        }
    }

    private static func data(_ request: GatewayRequest) -> IBRequest? {
        switch request {
        case .marketData(let id, let m):
            .marketData(
                requestId: Int64(id), own(m.contract), genericTicks: m.genericTicks, snapshot: m.snapshot, regulatorySnapshot: m.regulatorySnapshot)
        case .cancelMarketData(let id): .cancelMarketData(requestId: Int64(id))
        case .marketDataType(let type): .marketDataType(Int64(type))
        case .realTimeBars(let id, let contract, _, let what, let regular):
            .realTimeBars(requestId: Int64(id), own(contract), whatToShow: what, useRTH: regular)
        case .cancelRealTimeBars(let id): .cancelRealTimeBars(requestId: Int64(id))
        case .history(let id, let h): .historicalData(requestId: Int64(id), own(h.contract, expired: h.includeExpired), own(h))
        case .cancelHistory(let id): .cancelHistoricalData(requestId: Int64(id))
        case .headTimestamp(let id, let contract, let expired, let regular, let what, let format):
            .data(
                .headTimestamp(
                    requestId: Int64(id), own(contract, expired: expired), whatToShow: what, useRTH: regular, formatDate: Int64(format)))
        case .cancelHeadTimestamp(let id): .data(.cancelHeadTimestamp(requestId: Int64(id)))
        case .contractDetails(let id, let contract, let expired, let type, let secId):
            .contractDetails(requestId: Int64(id), own(contract, expired: expired, secIdType: type, secId: secId))
        default: nil
        }
    }

    private static func own(_ filter: ExecutionFilter) -> IBExecutionFilter {
        var own = IBExecutionFilter()
        own.clientId = Int64(filter.clientId); own.account = filter.account; own.time = filter.time; own.symbol = filter.symbol
        own.secType = filter.secType; own.exchange = filter.exchange; own.side = filter.side
        return own
    }

    private static func own(_ history: HistoryRequest) -> IBHistoryQuery {
        var query = IBHistoryQuery()
        query.endDateTime = history.end; query.barSize = history.barSize; query.duration = history.duration; query.useRTH = history.regularHours
        query.whatToShow = history.whatToShow; query.formatDate = Int64(history.formatDate); query.keepUpToDate = history.keepUpToDate
        return query
    }

    private static func own(_ wire: WireContract, expired: Bool = false, secIdType: String = "", secId: String = "") -> IBContract {
        var contract = IBContract()
        contract.conId = wire.conId; contract.symbol = wire.symbol; contract.secType = wire.secType
        contract.lastTradeDateOrContractMonth = wire.expiry; contract.strike = try? Price(wire.strike); contract.right = OptionRight(wire: wire.right)
        contract.multiplier = wire.multiplier; contract.exchange = wire.exchange; contract.primaryExchange = wire.primaryExchange
        contract.currency = wire.currency; contract.localSymbol = wire.localSymbol; contract.tradingClass = wire.tradingClass
        contract.includeExpired = expired; contract.secIdType = secIdType; contract.secId = secId
        // Non-options have no strike; `0` and nothing are the same.
        if contract.strike?.raw == 0 { contract.strike = nil }
        return contract
    }
}
