// What our client read, written again by the gateway's own codec: with the same value, and mostly in another spelling.
internal import Values
internal import Venues

/// Writes values as a gateway might; the ways of saying "unset" take turns.
struct ClientRewrite {
    private var turn: Int
    init(turn: Int) { self.turn = turn }

    private mutating func unset(_ words: [String]) -> String {
        turn &+= 1
        return words[(turn & 0xFFFF) % words.count]
    }
    private mutating func number(_ text: String?) -> String { text ?? unset(["", Unset.double]) }
    private mutating func price(_ price: Price?) -> String { number(price?.description) }
    private mutating func money(_ money: Money?) -> String { number(money?.description) }
    private mutating func size(_ size: WireSize?) -> String {
        size?.description ?? unset(["", Unset.integer, Unset.long, "-9223372036854775808", Unset.double])
    }

    /// The message's fields; nil for messages that are not written here.
    mutating func fields(_ message: IBMessage, version: Int) -> [String]? {
        switch message {
        case .nextValidId(let id): GatewayMessages.nextValidId(id)
        case .managedAccounts(let list): GatewayMessages.managedAccounts(list.joined(separator: ","))
        case .currentTime(let seconds): GatewayMessages.currentTime(seconds)
        case .error(let error):
            GatewayMessages.error(id: error.id, code: Int(error.code), error.text, reject: error.rejectJSON, version: version)
        case .userInfo(let id, let brand): GatewayMessages.userInfo(id: Int(id), brandingId: brand)
        case .headTimestamp(let id, let text): GatewayMessages.headTimestamp(id: Int(id), text: text)
        case .contractDetailsEnd(let id): GatewayMessages.contractDetailsEnd(id: Int(id))
        case .tickSnapshotEnd(let id): GatewayMessages.snapshotEnd(id: Int(id))
        case .openOrderEnd: GatewayMessages.openOrderEnd
        case .completedOrdersEnd: GatewayMessages.completedOrdersEnd
        case .positionEnd: GatewayMessages.positionEnd
        case .executionsEnd(let id): GatewayMessages.execDetailsEnd(id: Int(id))
        case .orderBound(let permId, let clientId, let orderId):
            GatewayMessages.orderBound(permId: permId, clientId: Int(clientId), orderId: orderId)
        default: ticks(message) ?? bars(message) ?? books(message) ?? orders(message, version)
        }
    }

    private mutating func ticks(_ message: IBMessage) -> [String]? {
        switch message {
        case .tickPrice(let t):
            GatewayMessages.tickPrice(id: Int(t.requestId), type: Int(t.type), price: price(t.price), size: size(t.size), mask: Int(t.mask))
        case .tickSize(let id, let type, let value): GatewayMessages.tickSize(id: Int(id), type: Int(type), size: size(value))
        case .tickGeneric(let id, let type, let value): GatewayMessages.tickGeneric(id: Int(id), type: Int(type), value: number(value?.description))
        case .tickString(let id, let type, let text): GatewayMessages.tickString(id: Int(id), type: Int(type), text: text)
        case .tickRequestParameters(let id, let minTick, let exchange, let permissions):
            GatewayMessages.tickReqParams(id: Int(id), minTick: price(minTick), bboExchange: exchange, snapshotPermissions: Int(permissions))
        case .marketDataType(let id, let type): GatewayMessages.marketDataType(id: Int(id), type: Int(type))
        case .tickByTick(let id, let tick): byTick(Int(id), tick)
        case .historicalTicks(let ticks): past(ticks)
        case .depth(let row): depth(row)
        default: nil
        }
    }

    private mutating func byTick(_ id: Int, _ tick: IBTickByTick) -> [String] {
        switch tick {
        case .trade(let t): GatewayMessages.tickByTick(id: id, type: t.isAllLast ? 2 : 1, wire(t))
        case .quote(let q):
            GatewayMessages.tickByTick(id: id, wire(q, mask: (q.isBidPastLow ? 1 : 0) | (q.isAskPastHigh ? 2 : 0)))
        case .midpoint(let time, let mid, _): GatewayMessages.tickByTick(id: id, midpoint: price(mid), seconds: time)
        }
    }
    private mutating func past(_ answer: IBHistoricalTicks) -> [String] {
        var (trades, touches): ([GatewayMessages.WireTrade], [GatewayMessages.WireTouch]) = ([], [])
        var midpoints: [(seconds: Int64, price: String, size: String)] = []
        for tick in answer.ticks {
            switch tick {
            case .trade(let t): trades.append(wire(t))
            case .quote(let q): touches.append(wire(q, mask: (q.isAskPastHigh ? 1 : 0) | (q.isBidPastLow ? 2 : 0)))
            case .midpoint(let time, let mid, let volume): midpoints.append((time, price(mid), size(volume)))
            }
        }
        return switch answer.kind {
        case .trades: GatewayMessages.historicalTicks(id: Int(answer.requestId), trades: trades, isDone: answer.isDone)
        case .quotes: GatewayMessages.historicalTicks(id: Int(answer.requestId), touches: touches, isDone: answer.isDone)
        case .midpoints: GatewayMessages.historicalTicks(id: Int(answer.requestId), midpoints: midpoints, isDone: answer.isDone)
        }
    }
    private mutating func wire(_ t: IBTradeTick) -> GatewayMessages.WireTrade {
        GatewayMessages.WireTrade(
            seconds: t.time, price: price(t.price), size: size(t.size), mask: (t.isPastLimit ? 1 : 0) | (t.isUnreported ? 2 : 0),
            exchange: t.exchange, conditions: t.conditions)
    }
    private mutating func wire(_ q: IBQuoteTick, mask: Int) -> GatewayMessages.WireTouch {
        GatewayMessages.WireTouch(
            seconds: q.time, bid: price(q.bid), ask: price(q.ask), bidSize: size(q.bidSize), askSize: size(q.askSize), mask: mask)
    }
    private mutating func depth(_ row: IBDepthRow) -> [String] {
        let wire = GatewayMessages.DepthRow(
            position: Int(row.position), operation: Int(row.operation), side: Int(row.side), price: price(row.price), size: size(row.size))
        guard let maker = row.marketMaker else { return GatewayMessages.depth(id: Int(row.requestId), wire) }
        return GatewayMessages.depth(id: Int(row.requestId), wire, maker: maker, isSmart: row.isSmart)
    }

    private mutating func bars(_ message: IBMessage) -> [String]? {
        switch message {
        case .realTimeBar(let id, let bar): GatewayMessages.realTimeBar(id: Int(id), wire(bar))
        case .historicalUpdate(let id, let bar): GatewayMessages.historicalDataUpdate(id: Int(id), wire(bar))
        case .historicalData(let history): past(history)
        default: nil
        }
    }
    private mutating func past(_ history: IBHistory) -> [String] {
        var bars: [GatewayMessages.WireBar] = []
        for bar in history.bars { bars.append(wire(bar)) }
        return GatewayMessages.historicalData(id: Int(history.requestId), start: history.start, end: history.end, bars)
    }
    private mutating func wire(_ bar: IBBar) -> GatewayMessages.WireBar {
        GatewayMessages.WireBar(
            date: bar.date, open: price(bar.open), high: price(bar.high), low: price(bar.low), close: price(bar.close),
            volume: bar.volume == nil ? unset(["-1", "", Unset.double]) : size(bar.volume),
            average: bar.average == nil ? unset(["-1", "", Unset.double]) : price(bar.average), count: bar.count.map { String($0) } ?? "-1")
    }

    private mutating func books(_ message: IBMessage) -> [String]? {
        switch message {
        case .accountValue(let key, let value, let currency, let account):
            GatewayMessages.accountValue(key, value, currency, account: account)
        case .accountUpdateTime(let clock): GatewayMessages.accountUpdateTime(clock)
        case .accountDownloadEnd(let account): GatewayMessages.accountDownloadEnd(account)
        case .accountSummary(let id, let account, let tag, let value, let currency):
            GatewayMessages.accountSummary(id: Int(id), account: account, tag: tag, value: value, currency: currency)
        case .accountSummaryEnd(let id): GatewayMessages.accountSummaryEnd(id: Int(id))
        case .position(let line):
            GatewayMessages.position(listing(line.contract), account: line.account, size: size(line.position), averageCost: money(line.averageCost))
        case .positionMulti(let id, let line, let model):
            GatewayMessages.positionMulti(
                id: Int(id), listing(line.contract), account: line.account, size: size(line.position), averageCost: money(line.averageCost),
                model: model)
        case .profit(let p):
            GatewayMessages.pnl(id: Int(p.requestId), daily: money(p.daily), unrealised: money(p.unrealized), realised: money(p.realized))
        case .positionProfit(let p):
            GatewayMessages.pnlSingle(
                id: Int(p.requestId), position: size(p.position), daily: money(p.daily), unrealised: money(p.unrealized),
                realised: money(p.realized), value: money(p.value))
        default: nil
        }
    }

    private mutating func orders(_ message: IBMessage, _ version: Int) -> [String]? {
        switch message {
        case .orderStatus(let s):
            GatewayMessages.orderStatus(
                GatewayMessages.Status(
                    orderId: s.orderId, status: s.status, filled: size(s.filled), remaining: size(s.remaining), averagePrice: price(s.avgFillPrice),
                    permId: s.permId, parentId: s.parentId, lastPrice: price(s.lastFillPrice), clientId: Int(s.clientId), whyHeld: s.whyHeld,
                    marketCapPrice: price(s.mktCapPrice)))
        case .execution(let id, let e): execution(Int(id), e, version)
        case .commission(let c):
            GatewayMessages.commissionReport(
                execId: c.execId, commission: money(c.commission), currency: c.currency, realised: money(c.realizedPnL),
                yield: number(c.yield?.description), redemption: String(c.yieldRedemptionDate))
        default: nil
        }
    }

    /// Orders of nobody have no number that this codec could write.
    private mutating func execution(_ id: Int, _ e: IBExecution, _ version: Int) -> [String]? {
        guard let orderId = e.orderId else { return nil }
        var wire = GatewayMessages.Execution(
            listing: listing(e.contract), orderId: orderId, execId: e.execId, time: e.time, account: e.account, exchange: e.exchange, side: e.side,
            shares: size(e.shares), price: price(e.price), permId: e.permId, clientId: Int(e.clientId), cumulative: size(e.cumQty),
            averagePrice: price(e.avgPrice), orderRef: e.orderRef, lastLiquidity: String(e.lastLiquidity))
        wire.liquidation = String(e.liquidation); wire.evRule = e.evRule; wire.evMultiplier = number(e.evMultiplier?.description)
        wire.model = e.modelCode; wire.pendingRevision = e.pendingPriceRevision ? "1" : "0"
        return GatewayMessages.execDetails(id: id, wire, version: version)
    }

    private mutating func listing(_ c: IBContract) -> WireListing {
        WireListing(
            conId: c.conId, symbol: c.symbol, secType: c.secType, expiry: c.lastTradeDateOrContractMonth, strike: price(c.strike),
            right: c.right?.rawValue ?? unset(["", "0", "?"]), multiplier: c.multiplier, exchange: c.exchange, currency: c.currency,
            localSymbol: c.localSymbol, tradingClass: c.tradingClass)
    }
}
