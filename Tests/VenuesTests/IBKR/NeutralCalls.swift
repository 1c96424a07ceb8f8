// What two other clients would report for a message of ours: positional arguments as recorded vectors hold them.
import Values
import Venues
import Wire

/// The clients whose decoders were recorded.
enum Client: String, CaseIterable { case ibAsync = "ib_async", nautilus = "nautilus-ibapi" }

/// The callbacks of one message: a client's argument order, our values.
struct NeutralCalls {
    let client: Client
    let orders = OrderTable()
    let utc: (String) -> String?

    /// Nil for a message that this table does not know.
    func calls(_ message: IBMessage) -> [[JSONValue]]? { basic(message) ?? data(message) ?? research(message) ?? books(message) }

    private func basic(_ message: IBMessage) -> [[JSONValue]]? {
        switch message {
        case .nextValidId(let id): [[.integer(id)]]
        case .managedAccounts(let accounts): [[.array(accounts.map { .string($0) })]]
        case .currentTime(let time): [[.integer(time)]]
        case .error(let error): [errorCall(error)]
        case .tickPrice(let tick): tickCalls(tick)
        case .tickSize(let id, let type, let size): [[.integer(id), .integer(type), Neutral.size(size)]]
        case .tickGeneric(let id, let type, let value): [[.integer(id), .integer(type), Neutral.number(value?.raw)]]
        case .tickString(let id, let type, let text): [[.integer(id), .integer(type), .string(text)]]
        case .tickRequestParameters(let id, let minTick, let exchange, let permissions):
            [[.integer(id), Neutral.number(minTick?.raw), .string(exchange), .integer(permissions)]]
        case .marketDataType(let id, let type): [[.integer(id), .integer(type)]]
        case .tickSnapshotEnd(let id), .contractDetailsEnd(let id), .accountSummaryEnd(let id), .executionsEnd(let id): [[.integer(id)]]
        case .realTimeBar(let id, let bar):
            [[.integer(id), .string(bar.date)] + [bar.open, bar.high, bar.low, bar.close].map { Neutral.number($0?.raw) } + tail(bar)]
        case .historicalData(let history):
            history.bars.map { [.integer(history.requestId), self.bar($0)] }
                + [[.integer(history.requestId), .string(history.start), .string(history.end)]]
        case .historicalUpdate(let id, let bar): [[.integer(id), self.bar(bar)]]
        case .contractDetails(let id, let details): [[.integer(id), Neutral.details(details)]]
        case .accountValue(let key, let value, let currency, let account): [[.string(key), .string(value), .string(currency), .string(account)]]
        case .portfolioValue(let line): [portfolio(line)]
        case .accountUpdateTime(let text), .accountDownloadEnd(let text): [[.string(text)]]
        case .accountSummary(let id, let account, let tag, let value, let currency):
            [[.integer(id), .string(account), .string(tag), .string(value), .string(currency)]]
        case .position(let line):
            [[.string(line.account), Neutral.contract(line.contract), Neutral.size(line.position), Neutral.number(line.averageCost?.raw)]]
        case .positionEnd, .openOrderEnd, .completedOrdersEnd: [[]]
        case .orderStatus(let status): [statusCall(status)]
        case .openOrder(let open):
            [[.integer(open.order.orderId), Neutral.contract(open.contract), orders.neutral(open.order), state(open.state)]]
        case .completedOrder(let open): [[Neutral.contract(open.contract), orders.neutral(open.order), state(open.state)]]
        case .orderBound(let permId, let clientId, let orderId): [[.integer(permId), .integer(clientId), .integer(orderId)]]
        case .execution(let id, let execution): [[.integer(id), Neutral.contract(execution.contract), self.execution(execution)]]
        case .commission(let report): [[commission(report)]]
        default: nil
        }
    }

    private func errorCall(_ error: IBError) -> [JSONValue] {
        let time: [JSONValue] = client == .nautilus ? [.integer(0)] : []
        return [.integer(error.id)] + time + [.integer(error.code), .string(error.text), .string(error.rejectJSON)]
    }

    private func tickCalls(_ tick: IBTickPrice) -> [[JSONValue]] {
        let head: [JSONValue] = [.integer(tick.requestId), .integer(tick.type), Neutral.number(tick.price?.raw)]
        // This client joins price and size, drops the mask, and says nothing of an empty price.
        if client == .ibAsync { return tick.price == nil ? [] : [head + [Neutral.size(tick.size)]] }
        let mask: JSONValue = [
            "canAutoExecute": .bool(tick.mask & 1 != 0), "pastLimit": .bool(tick.mask & 2 != 0), "preOpen": .bool(tick.mask & 4 != 0),
        ]
        let size = tick.sizeType.map { [[JSONValue.integer(tick.requestId), .integer($0), Neutral.size(tick.size)]] } ?? []
        return [head + [mask]] + size
    }

    private func tail(_ bar: IBBar) -> [JSONValue] { [Neutral.size(bar.volume), Neutral.number(bar.average?.raw), Neutral.integer(bar.count)] }

    private func bar(_ bar: IBBar) -> JSONValue {
        [
            "date": .string(bar.date), "open": Neutral.number(bar.open?.raw), "high": Neutral.number(bar.high?.raw),
            "low": Neutral.number(bar.low?.raw),
            "close": Neutral.number(bar.close?.raw), "volume": Neutral.size(bar.volume), "wap": Neutral.number(bar.average?.raw),
            "barCount": Neutral.integer(bar.count),
        ]
    }

    private func portfolio(_ line: IBPortfolioLine) -> [JSONValue] {
        [
            Neutral.contract(line.contract), Neutral.size(line.position), Neutral.number(line.marketPrice?.raw),
            Neutral.number(line.marketValue?.raw),
            Neutral.number(line.averageCost?.raw), Neutral.number(line.unrealizedPnL?.raw), Neutral.number(line.realizedPnL?.raw),
            .string(line.account),
        ]
    }

    private func statusCall(_ s: IBOrderStatus) -> [JSONValue] {
        [
            .integer(s.orderId), .string(s.status), Neutral.size(s.filled), Neutral.size(s.remaining), Neutral.number(s.avgFillPrice?.raw),
            .integer(s.permId), .integer(s.parentId), Neutral.number(s.lastFillPrice?.raw), .integer(s.clientId), .string(s.whyHeld),
            Neutral.number(s.mktCapPrice?.raw),
        ]
    }

    private func state(_ s: IBOrderState) -> JSONValue {
        var out: [JSONMember] = []
        for (when, figures) in [("Before", s.before), ("Change", s.change), ("After", s.after)] {
            out.append(JSONMember("initMargin\(when)", Neutral.number(figures.initMargin?.raw)))
            out.append(JSONMember("maintMargin\(when)", Neutral.number(figures.maintMargin?.raw)))
            out.append(JSONMember("equityWithLoan\(when)", Neutral.number(figures.equityWithLoan?.raw)))
        }
        out += [
            JSONMember("status", .string(s.status)), JSONMember("commissionAndFees", Neutral.number(s.commission?.raw)),
            JSONMember("minCommissionAndFees", Neutral.number(s.minCommission?.raw)),
            JSONMember("maxCommissionAndFees", Neutral.number(s.maxCommission?.raw)),
            JSONMember("commissionAndFeesCurrency", .string(s.commissionCurrency)), JSONMember("warningText", .string(s.warningText)),
            JSONMember("completedTime", .string(s.completedTime)), JSONMember("completedStatus", .string(s.completedStatus)),
        ]
        return .object(out)
    }

    private func execution(_ e: IBExecution) -> JSONValue {
        [
            "orderId": Neutral.integer(e.orderId), "execId": .string(e.execId), "time": .string(client == .ibAsync ? utc(e.time) ?? "?" : e.time),
            "acctNumber": .string(e.account), "exchange": .string(e.exchange), "side": .string(e.side), "shares": Neutral.size(e.shares),
            "price": Neutral.number(e.price?.raw), "permId": .integer(e.permId), "clientId": .integer(e.clientId),
            "liquidation": .integer(e.liquidation),
            "cumQty": Neutral.size(e.cumQty), "avgPrice": Neutral.number(e.avgPrice?.raw), "orderRef": .string(e.orderRef),
            "evRule": .string(e.evRule),
            "evMultiplier": Neutral.number(e.evMultiplier?.raw), "modelCode": .string(e.modelCode), "lastLiquidity": .integer(e.lastLiquidity),
            "pendingPriceRevision": .bool(e.pendingPriceRevision),
        ]
    }

    private func commission(_ c: IBCommission) -> JSONValue {
        [
            "execId": .string(c.execId), "commissionAndFees": Neutral.number(c.commission?.raw), "currency": .string(c.currency),
            "realizedPNL": Neutral.number(c.realizedPnL?.raw), "yield_": Neutral.number(c.yield?.raw),
            "yieldRedemptionDate": .integer(c.yieldRedemptionDate),
        ]
    }
}
