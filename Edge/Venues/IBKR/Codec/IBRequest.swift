// What the client sends, as values.

/// One request to the gateway.
package enum IBRequest: Hashable, Sendable {
    case startApi(clientId: Int64, capabilities: String = "")
    case ids
    case currentTime
    case managedAccounts
    case accountUpdates(subscribe: Bool, account: String)
    /// `group` is `All` but for advisors; `tags` a comma list.
    case accountSummary(requestId: Int64, group: String, tags: String)
    case cancelAccountSummary(requestId: Int64)
    case positions
    case cancelPositions
    case marketData(requestId: Int64, IBContract, genericTicks: String, snapshot: Bool, regulatorySnapshot: Bool)
    case cancelMarketData(requestId: Int64)
    /// 1 live, 2 frozen, 3 delayed, 4 delayed and frozen.
    case marketDataType(Int64)
    case realTimeBars(requestId: Int64, IBContract, whatToShow: String, useRTH: Bool)
    case cancelRealTimeBars(requestId: Int64)
    case historicalData(requestId: Int64, IBContract, IBHistoryQuery)
    case cancelHistoricalData(requestId: Int64)
    case contractDetails(requestId: Int64, IBContract)
    indirect case placeOrder(IBContract, IBOrder)
    case cancelOrder(orderId: Int64, manualTime: String)
    case globalCancel
    case openOrders
    case allOpenOrders
    case autoOpenOrders(bind: Bool)
    case completedOrders(apiOnly: Bool)
    case executions(requestId: Int64, IBExecutionFilter)
    /// Accounts by request, profit and loss, advisors.
    case books(BookRequest)
    /// Ticks one by one, books, history in ticks.
    case data(DataRequest)
    /// Contracts looked for.
    case search(SearchRequest)
    case news(NewsRequest)
    indirect case exercise(ExerciseOrder)
}

/// What history is asked for.
package struct IBHistoryQuery: Hashable, Sendable {
    /// Empty = now; must be empty with `keepUpToDate`.
    package var endDateTime = ""
    /// `1 min`, `5 mins`, `1 day`.
    package var barSize = "1 min"
    /// `2 D`, `3600 S`, `1 Y`.
    package var duration = "1 D"
    package var useRTH = false
    package var whatToShow = "TRADES"
    /// 1 text, 2 epoch seconds.
    package var formatDate: Int64 = 2
    package var keepUpToDate = false
    package init() {}
}

/// Which executions are asked for; empty = all.
package struct IBExecutionFilter: Hashable, Sendable {
    package var clientId: Int64 = 0
    package var account = ""
    package var time = ""
    package var symbol = ""
    package var secType = ""
    package var exchange = ""
    package var side = ""
    package init() {}
}

/// Why a request was not sent. Nothing of it reaches the socket.
package enum EncodeFault: Error, Hashable, Sendable {
    /// Text with characters the gateway refuses (error 579 at its own client).
    case notASCII(String)
    /// The server is too old for a field that was set.
    case needsVersion(Int, field: String)
    /// Fields that exclude each other by the broker's rules.
    case contradiction(String)
}
