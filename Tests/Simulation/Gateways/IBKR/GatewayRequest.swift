// What clients ask of the gateway, read from their frames (server versions 157 to 178).

/// The twelve fields by which a request names a contract.
package struct WireContract: Hashable, Sendable {
    package var conId: Int64 = 0
    package var symbol = ""
    package var secType = ""
    /// yyyymm or yyyymmdd.
    package var expiry = ""
    package var strike = ""
    package var right = ""
    package var multiplier = ""
    package var exchange = ""
    package var primaryExchange = ""
    package var currency = ""
    package var localSymbol = ""
    package var tradingClass = ""

    /// - Parameter hasPrimary: false for the eleven fields of an exercise, which has no primary exchange.
    init(_ reader: inout GatewayReader, hasPrimary: Bool = true) throws(GatewayFault) {
        conId = try reader.integer()
        symbol = try reader.text()
        secType = try reader.text()
        expiry = try reader.text()
        strike = try reader.text()
        right = try reader.text()
        multiplier = try reader.text()
        exchange = try reader.text()
        if hasPrimary { primaryExchange = try reader.text() }
        currency = try reader.text()
        localSymbol = try reader.text()
        tradingClass = try reader.text()
    }
    /// Of a placed order's named fields.
    init(_ order: OrderFields) {
        conId = Int64(order["contract.conId"]) ?? 0
        symbol = order["contract.symbol"]; secType = order["contract.secType"]; expiry = order["contract.lastTradeDateOrContractMonth"]
        strike = order["contract.strike"]; right = order["contract.right"]; multiplier = order["contract.multiplier"]
        exchange = order["contract.exchange"]; primaryExchange = order["contract.primaryExchange"]; currency = order["contract.currency"]
        localSymbol = order["contract.localSymbol"]; tradingClass = order["contract.tradingClass"]
    }
}

/// Which executions are asked for; empty or 0 matches all.
package struct ExecutionFilter: Hashable, Sendable {
    package var clientId: Int
    package var account: String
    package var time: String
    package var symbol: String
    package var secType: String
    package var exchange: String
    package var side: String
}

/// A request for bars.
package struct HistoryRequest: Hashable, Sendable {
    package var contract: WireContract
    package var includeExpired: Bool
    package var end: String
    package var barSize: String
    package var duration: String
    package var regularHours: Bool
    package var whatToShow: String
    package var formatDate: Int
    package var keepUpToDate: Bool
}

/// A request for quotes.
package struct MarketDataRequest: Hashable, Sendable {
    package var contract: WireContract
    package var genericTicks: String
    package var snapshot: Bool
    package var regulatorySnapshot: Bool
}

/// Every message of the book. Requests that stop another one carry its id.
package enum GatewayRequest: Sendable {
    case startApi(clientId: Int, capabilities: String)
    case ids, currentTime, managedAccounts
    case serverLogLevel(Int)
    case accountUpdates(subscribe: Bool, account: String)
    case accountSummary(id: Int, group: String, tags: String), cancelAccountSummary(id: Int)
    case positions, cancelPositions
    case positionsMulti(id: Int, account: String, model: String), cancelPositionsMulti(id: Int)
    case accountUpdatesMulti(id: Int, account: String, model: String, ledgerAndNLV: Bool), cancelAccountUpdatesMulti(id: Int)
    case pnl(id: Int, account: String, model: String), cancelPnl(id: Int)
    case pnlSingle(id: Int, account: String, model: String, conId: Int64), cancelPnlSingle(id: Int)
    case marketData(id: Int, MarketDataRequest), cancelMarketData(id: Int)
    case marketDataType(Int)
    case realTimeBars(id: Int, WireContract, seconds: Int, whatToShow: String, regularHours: Bool), cancelRealTimeBars(id: Int)
    case history(id: Int, HistoryRequest), cancelHistory(id: Int)
    case headTimestamp(id: Int, WireContract, includeExpired: Bool, regularHours: Bool, whatToShow: String, formatDate: Int), cancelHeadTimestamp(
        id: Int)
    case contractDetails(id: Int, WireContract, includeExpired: Bool, secIdType: String, secId: String)
    case matchingSymbols(id: Int, pattern: String)
    case marketRule(id: Int)
    case placeOrder(OrderFields)
    case cancelOrder(id: Int64, manualTime: String), globalCancel
    case openOrders, allOpenOrders, autoOpenOrders(bind: Bool)
    case completedOrders(apiOnly: Bool)
    case executions(id: Int, ExecutionFilter)
    case userInfo(id: Int)
    case research(ResearchRequest)
    case office(OfficeRequest)

    /// The id under which a change of orders is refused: the order's, or -1 for one of all orders; nil when this changes none.
    var changedOrder: Int64? {
        switch self {
        case .placeOrder(let fields): Int64(fields["orderId"]) ?? -1
        case .cancelOrder(let id, _): id
        case .globalCancel, .autoOpenOrders: -1
        default: nil
        }
    }
    /// True for what changes orders.
    var isOrderWork: Bool {
        switch self {
        case .placeOrder, .cancelOrder, .globalCancel: true
        default: false
        }
    }

    /// The order a frame is about, when that much of it can be read.
    static func order(in fields: [String]) -> Int64? { fields.count > 1 && fields[0] == "3" ? Int64(fields[1]) : nil }

    /// Reads one frame at a negotiated version.
    /// - Throws: `.unknownMessage` for what is not in the book; `.tooFewFields`, `.notANumber` for what it cannot read.
    package init(_ fields: [String], version: Int) throws(GatewayFault) {
        var reader = GatewayReader(fields)
        let message = try reader.int()
        if let plain = try Self.plain(message, &reader) { self = plain; return }
        if let account = try Self.account(message, &reader) { self = account; return }
        if let data = try Self.data(message, &reader, version) { self = data; return }
        if let order = try Self.order(message, &reader, version) { self = order; return }
        if let research = try ResearchRequest(message, &reader) { self = .research(research); return }
        if let office = try OfficeRequest(message, &reader, version: version) { self = .office(office); return }
        throw .unknownMessage(message)
    }

    private static func plain(_ message: Int, _ reader: inout GatewayReader) throws(GatewayFault) -> GatewayRequest? {
        switch message {
        case 71:
            try reader.skip(1)
            return .startApi(clientId: try reader.int(), capabilities: reader.isAtEnd ? "" : try reader.text())
        case 8: return .ids
        case 49: return .currentTime
        case 17: return .managedAccounts
        case 14: try reader.skip(1); return .serverLogLevel(try reader.int())
        case 104: return .userInfo(id: try reader.int())
        default: return nil
        }
    }

    private static func account(_ message: Int, _ reader: inout GatewayReader) throws(GatewayFault) -> GatewayRequest? {
        switch message {
        case 6: try reader.skip(1); return .accountUpdates(subscribe: try reader.bool(), account: try reader.text())
        case 62: try reader.skip(1); return .accountSummary(id: try reader.int(), group: try reader.text(), tags: try reader.text())
        case 63: try reader.skip(1); return .cancelAccountSummary(id: try reader.int())
        case 61: return .positions
        case 64: return .cancelPositions
        case 74: try reader.skip(1); return .positionsMulti(id: try reader.int(), account: try reader.text(), model: try reader.text())
        case 75: try reader.skip(1); return .cancelPositionsMulti(id: try reader.int())
        case 76:
            try reader.skip(1)
            return .accountUpdatesMulti(id: try reader.int(), account: try reader.text(), model: try reader.text(), ledgerAndNLV: try reader.bool())
        case 77: try reader.skip(1); return .cancelAccountUpdatesMulti(id: try reader.int())
        case 92: return .pnl(id: try reader.int(), account: try reader.text(), model: try reader.text())
        case 93: return .cancelPnl(id: try reader.int())
        case 94: return .pnlSingle(id: try reader.int(), account: try reader.text(), model: try reader.text(), conId: try reader.integer())
        case 95: return .cancelPnlSingle(id: try reader.int())
        default: return nil
        }
    }

    private static func data(_ message: Int, _ reader: inout GatewayReader, _ version: Int) throws(GatewayFault) -> GatewayRequest? {
        switch message {
        case 1: try reader.skip(1); return .marketData(id: try reader.int(), try marketData(&reader))
        case 2: try reader.skip(1); return .cancelMarketData(id: try reader.int())
        case 59: try reader.skip(1); return .marketDataType(try reader.int())
        case 50:
            try reader.skip(1)
            let (id, contract) = (try reader.int(), try WireContract(&reader))
            return .realTimeBars(id: id, contract, seconds: try reader.int(), whatToShow: try reader.text(), regularHours: try reader.bool())
        case 51: try reader.skip(1); return .cancelRealTimeBars(id: try reader.int())
        case 20: return .history(id: try reader.int(), try history(&reader))
        case 25: try reader.skip(1); return .cancelHistory(id: try reader.int())
        case 87:
            let (id, contract, expired) = (try reader.int(), try WireContract(&reader), try reader.bool())
            let (regular, what) = (try reader.bool(), try reader.text())
            return .headTimestamp(id: id, contract, includeExpired: expired, regularHours: regular, whatToShow: what, formatDate: try reader.int())
        case 90: return .cancelHeadTimestamp(id: try reader.int())
        case 9:
            try reader.skip(1)
            let (id, contract, expired) = (try reader.int(), try WireContract(&reader), try reader.bool())
            return .contractDetails(id: id, contract, includeExpired: expired, secIdType: try reader.text(), secId: try reader.text())
        case 81: return .matchingSymbols(id: try reader.int(), pattern: try reader.text())
        case 91: return .marketRule(id: try reader.int())
        default: return nil
        }
    }

    private static func order(_ message: Int, _ reader: inout GatewayReader, _ version: Int) throws(GatewayFault) -> GatewayRequest? {
        switch message {
        case 3: return .placeOrder(try OrderFields(reader.fields, version: version))
        case 4:
            try reader.skip(1)
            return .cancelOrder(id: try reader.integer(), manualTime: version >= 169 && !reader.isAtEnd ? try reader.text() : "")
        case 58: return .globalCancel
        case 5: return .openOrders
        case 16: return .allOpenOrders
        case 15: try reader.skip(1); return .autoOpenOrders(bind: try reader.bool())
        case 99: return .completedOrders(apiOnly: try reader.bool())
        case 7:
            try reader.skip(1)
            let id = try reader.int()
            let filter = ExecutionFilter(
                clientId: try reader.int(), account: try reader.text(), time: try reader.text(), symbol: try reader.text(),
                secType: try reader.text(),
                exchange: try reader.text(), side: try reader.text())
            return .executions(id: id, filter)
        default: return nil
        }
    }

    private static func marketData(_ reader: inout GatewayReader) throws(GatewayFault) -> MarketDataRequest {
        let contract = try WireContract(&reader)
        if contract.secType == "BAG" { try reader.skipList(of: 4) }
        if try reader.bool() { try reader.skip(3) }
        return MarketDataRequest(
            contract: contract, genericTicks: try reader.text(), snapshot: try reader.bool(),
            regulatorySnapshot: reader.isAtEnd ? false : try reader.bool())
    }

    private static func history(_ reader: inout GatewayReader) throws(GatewayFault) -> HistoryRequest {
        let contract = try WireContract(&reader)
        let (expired, end) = (try reader.bool(), try reader.text())
        let (barSize, duration) = (try reader.text(), try reader.text())
        let (regular, what, format) = (try reader.bool(), try reader.text(), try reader.int())
        if contract.secType == "BAG" { try reader.skipList(of: 4) }
        return HistoryRequest(
            contract: contract, includeExpired: expired, end: end, barSize: barSize, duration: duration, regularHours: regular, whatToShow: what,
            formatDate: format, keepUpToDate: try reader.bool())
    }
}
