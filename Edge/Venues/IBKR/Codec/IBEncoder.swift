// Requests to frames, by the negotiated server version.
internal import Values

/// Writes requests for one negotiated server version (157...178).
package struct IBEncoder: Sendable {
    package let version: Int

    package init(version: Int) {
        precondition(IBProtocol.versions.contains(version), "server version \(version) was not to be accepted")
        self.version = version
    }

    /// The first bytes on a connection: the magic word and the versions on offer, 157 up to `maximum`. Not NUL-ended inside its frame.
    package static func hello(maximum: Int) -> [UInt8] {
        let text = Array("v\(IBProtocol.versions.lowerBound)..\(maximum)".utf8)
        return Array("API\0".utf8) + [0, 0, 0, UInt8(text.count)] + text
    }

    /// The frame of a request, length included.
    package func encode(_ request: IBRequest) throws(EncodeFault) -> [UInt8] {
        var w = FrameWriter([])
        write(request, &w)
        return try w.finish()
    }

    private func write(_ request: IBRequest, _ w: inout FrameWriter) {
        switch request {
        case .startApi(let clientId, let capabilities): head(71, 2, &w); w.integer(clientId); w.text(capabilities)
        case .ids: head(8, 1, &w); w.integer(Int64(1))
        case .currentTime: head(49, 1, &w)
        case .managedAccounts: head(17, 1, &w)
        case .accountUpdates(let subscribe, let account): head(6, 2, &w); w.flag(subscribe); w.text(account)
        case .accountSummary(let id, let group, let tags): head(62, 1, &w); w.integer(id); w.text(group); w.text(tags)
        case .cancelAccountSummary(let id): head(63, 1, &w); w.integer(id)
        case .positions: head(61, 1, &w)
        case .cancelPositions: head(64, 1, &w)
        case .globalCancel: head(58, 1, &w)
        case .openOrders: head(5, 1, &w)
        case .allOpenOrders: head(16, 1, &w)
        case .autoOpenOrders(let bind): head(15, 1, &w); w.flag(bind)
        case .completedOrders(let apiOnly): w.integer(Int64(99)); w.flag(apiOnly)
        case .executions(let id, let filter): executions(id, filter, &w)
        case .placeOrder(let contract, let order): placeOrder(contract, order, &w)
        case .cancelOrder(let id, let manualTime): cancelOrder(id, manualTime, &w)
        case .marketData(let id, let contract, let ticks, let snapshot, let regulatory):
            marketData(id, contract, ticks, isSnapshot: snapshot, isRegulatory: regulatory, &w)
        case .cancelMarketData(let id): head(2, 2, &w); w.integer(id)
        case .marketDataType(let type): head(59, 1, &w); w.integer(type)
        case .realTimeBars(let id, let contract, let what, let useRTH):
            head(50, 3, &w); w.integer(id); contract12(contract, &w)
            w.integer(Int64(5)); w.text(what); w.flag(useRTH); w.empty()
        case .cancelRealTimeBars(let id): head(51, 1, &w); w.integer(id)
        case .historicalData(let id, let contract, let query): history(id, contract, query, &w)
        case .cancelHistoricalData(let id): head(25, 1, &w); w.integer(id)
        case .contractDetails(let id, let contract): contractDetails(id, contract, &w)
        case .books(let request): write(request, &w)
        case .data(let request): write(request, &w)
        case .search(let request): write(request, &w)
        case .news(let request): write(request, &w)
        case .exercise(let order): write(order, &w)
        }
    }

    /// A message id, and the version of a message that has one.
    func head(_ id: Int64, _ messageVersion: Int64, _ w: inout FrameWriter) { w.integer(id); w.integer(messageVersion) }
    func head(_ id: Int64, _ w: inout FrameWriter) { w.integer(id) }

    /// Refuses what an older server would not understand.
    func needs(_ since: Int, _ field: String, _ w: inout FrameWriter) { if version < since { w.refuse(.needsVersion(since, field: field)) } }

    /// A list of tags in one field.
    func joined(_ tags: [TagValue]) -> String { tags.map { "\($0.tag)=\($0.value);" }.joined() }

    /// A list of tags in one field, behind how many there are.
    func counted(_ tags: [TagValue], _ w: inout FrameWriter) { w.integer(Int64(tags.count)); w.text(joined(tags)) }

    private func marketData(
        _ id: Int64, _ contract: IBContract, _ ticks: String, isSnapshot: Bool, isRegulatory: Bool, _ w: inout FrameWriter
    ) {
        if isSnapshot, !ticks.isEmpty { w.refuse(.contradiction("a snapshot takes no generic ticks")) }
        head(1, 11, &w); w.integer(id); contract12(contract, &w)
        if contract.secType == "BAG" { legs4(contract, &w) }
        deltaNeutral(contract, &w)
        w.text(ticks); w.flag(isSnapshot); w.flag(isRegulatory); w.empty()
    }

    private func contractDetails(_ id: Int64, _ contract: IBContract, _ w: inout FrameWriter) {
        head(9, 8, &w); w.integer(id); contract12(contract, &w)
        w.flag(contract.includeExpired); w.text(contract.secIdType); w.text(contract.secId)
        if version >= IBProtocol.issuerId {
            w.text(contract.issuerId)
        } else if !contract.issuerId.isEmpty {
            w.refuse(.needsVersion(IBProtocol.issuerId, field: "issuerId"))
        }
    }

    private func executions(_ id: Int64, _ filter: IBExecutionFilter, _ w: inout FrameWriter) {
        head(7, 3, &w); w.integer(id); w.integer(filter.clientId)
        for text in [filter.account, filter.time, filter.symbol, filter.secType, filter.exchange, filter.side] { w.text(text) }
    }

    private func cancelOrder(_ id: Int64, _ manualTime: String, _ w: inout FrameWriter) {
        head(4, 1, &w); w.integer(id)
        if version >= IBProtocol.manualOrderTime {
            w.text(manualTime)
        } else if !manualTime.isEmpty {
            w.refuse(.needsVersion(IBProtocol.manualOrderTime, field: "manualCancelOrderTime"))
        }
    }

    private func history(_ id: Int64, _ contract: IBContract, _ query: IBHistoryQuery, _ w: inout FrameWriter) {
        if query.keepUpToDate, !query.endDateTime.isEmpty { w.refuse(.contradiction("keepUpToDate takes no end")) }
        if query.keepUpToDate, contract.includeExpired { w.refuse(.contradiction("keepUpToDate takes no expired contracts")) }
        if query.whatToShow == "ADJUSTED_LAST", !query.endDateTime.isEmpty { w.refuse(.contradiction("ADJUSTED_LAST takes no end")) }
        if query.whatToShow == "SCHEDULE" { needs(IBProtocol.schedule, "SCHEDULE", &w) }
        head(20, &w); w.integer(id); contract12(contract, &w); w.flag(contract.includeExpired)
        w.text(query.endDateTime); w.text(query.barSize); w.text(query.duration); w.flag(query.useRTH); w.text(query.whatToShow)
        w.integer(query.formatDate)
        if contract.secType == "BAG" { legs4(contract, &w) }
        w.flag(query.keepUpToDate); w.empty()
    }

    /// The twelve contract fields of most requests.
    func contract12(_ contract: IBContract, _ w: inout FrameWriter) {
        w.integer(contract.conId); w.text(contract.symbol); w.text(contract.secType); w.text(contract.lastTradeDateOrContractMonth)
        w.price(contract.strike ?? Price(raw: 0)); w.text(contract.right?.rawValue ?? ""); w.text(contract.multiplier); w.text(contract.exchange)
        w.text(contract.primaryExchange); w.text(contract.currency); w.text(contract.localSymbol); w.text(contract.tradingClass)
    }

    private func legs4(_ contract: IBContract, _ w: inout FrameWriter) {
        w.integer(Int64(contract.comboLegs.count))
        for leg in contract.comboLegs { w.integer(leg.conId); w.integer(leg.ratio); w.text(leg.action); w.text(leg.exchange) }
    }

    /// A flag, and the underlying when there is one.
    func deltaNeutral(_ contract: IBContract, _ w: inout FrameWriter) {
        guard let hedge = contract.deltaNeutral else { return w.flag(false) }
        w.flag(true); w.integer(hedge.conId); w.number(hedge.delta); w.price(hedge.price)
    }
}
