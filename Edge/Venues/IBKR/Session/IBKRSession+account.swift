// The account's figures, and the margin of one contract by what-if orders.
internal import Ledger
internal import Values

/// What is known of one instrument's margin question.
struct MarginState: Hashable, Sendable {
    /// The order id of the open question.
    var request: Int64?
    /// When to ask (again).
    var askAt: Instant?
    init(askAt: Instant) { self.askAt = askAt }
}

extension IBKRSession {
    /// The four figures that the desk needs.
    private static var tags: String { "NetLiquidation,AvailableFunds,InitMarginReq,MaintMarginReq" }

    mutating func askAccount(at now: Instant, into out: inout SessionOutput) {
        accountUpdatesAskedAt = now
        send(.accountUpdates(subscribe: true, account: account), at: now, into: &out)
        askSummary(at: now, into: &out)
    }

    /// A fresh summary; the broker serves two at most, so the old one goes first. No picture of the account is whole without it, and none is
    /// traded on before: it does not wait behind requests for data.
    mutating func askSummary(at now: Instant, into out: inout SessionOutput) {
        if let old = summaryRequest {
            requests[old] = nil
            send(.cancelAccountSummary(requestId: old), .order, at: now, into: &out)
        }
        let id = takeRequestID()
        summaryRequest = id
        summaryAskedAt = now
        requests[id] = Request(kind: .summary)
        send(.accountSummary(requestId: id, group: "All", tags: IBKRSession.tags), .order, at: now, into: &out)
    }

    /// Another client took the account updates: once a minute they are taken back.
    mutating func renewAccountUpdates(at now: Instant, into out: inout SessionOutput) {
        guard refusal == nil, now - (accountUpdatesAskedAt ?? now) >= .seconds(60) else { return }
        accountUpdatesAskedAt = now
        send(.accountUpdates(subscribe: true, account: account), at: now, into: &out)
    }

    /// What did not change the broker does not tell again. Orders are judged by figures that are known to be of now: those that were not told for
    /// a while are asked for.
    mutating func checkAccount(at now: Instant, into out: inout SessionOutput) {
        guard canOrder, snapshot == nil, let asOf = values?.asOf, now - asOf >= settings.limits.accountRefresh,
            now - (summaryAskedAt ?? asOf) >= settings.limits.accountRefresh
        else { return }
        askSummary(at: now, into: &out)
    }

    mutating func take(_ tag: String, _ value: String, _ currency: String, of account: String, at now: Instant) {
        guard account == self.account, let place = IBKRSession.place(tag), let money = try? Money(value, rounding: .halfEven) else { return }
        var values = self.values ?? AccountValues(account: account, currency: currency, asOf: now)
        if !currency.isEmpty { values.currency = currency }
        values[keyPath: place] = money
        values.asOf = now
        self.values = values
        areValuesDirty = true
    }

    private static func place(_ tag: String) -> WritableKeyPath<AccountValues, Money?>? {
        switch tag {
        case "NetLiquidation": \.netLiquidation
        case "AvailableFunds": \.availableFunds
        case "InitMarginReq": \.initialMargin
        case "MaintMarginReq": \.maintenanceMargin
        default: nil
        }
    }

    mutating func endSummary(_ id: Int64, at now: Instant, into out: inout SessionOutput) {
        tellAccount(into: &out)
        guard id == summaryRequest else { return }
        snapshot?.hasAccount = true
        finishSnapshot(at: now, into: &out)
    }

    /// Tells the figures when some changed: at the end of a batch, and with each tick of the clock.
    mutating func tellAccount(into out: inout SessionOutput) {
        guard areValuesDirty, let values else { return }
        areValuesDirty = false
        out.events.append(.account(values))
    }

    // MARK: Margin

    mutating func wantMargin(_ id: InstrumentID, at now: Instant) {
        guard margins[id]?.request == nil else { return }
        margins[id] = MarginState(askAt: now)
    }

    mutating func checkMargins(at now: Instant, into out: inout SessionOutput) {
        guard canOrder else { return }
        var due: [InstrumentID] = []
        for (id, state) in margins { if let at = state.askAt, now >= at { due.append(id) } }
        for id in due.sorted() { ask(margin: id, .buy, at: now, into: &out) }
    }

    /// A what-if of one unit, under a fresh id. The gap keeps it clear of orders that the desk has numbered and not handed over yet.
    private mutating func ask(margin id: InstrumentID, _ side: Side, at now: Instant, into out: inout SessionOutput) {
        guard let instrument = contracts.instrument(id), nextOrderID < Int64(Int32.max) - IBKRSession.previewGap else { return }
        let orderID = nextOrderID + IBKRSession.previewGap
        var order = IBOrder()
        order.orderId = orderID; order.action = side.rawValue; order.totalQuantity = WireSize(max(instrument.lotStep, Quantity(whole: 1)))
        order.orderType = "MKT"; order.tif = "DAY"; order.account = account; order.whatIf = true
        requests[orderID] = Request(kind: .margin(id, side), deadline: now + settings.limits.request)
        margins[id] = MarginState(askAt: now + settings.limits.marginRefresh)
        margins[id]?.request = orderID
        nextOrderID = orderID + 1
        tellFloor(into: &out)
        send(.placeOrder(IBContract(instrument), order), at: now, into: &out)
    }
    /// More ids than the desk can have numbered in one turn.
    private static var previewGap: Int64 { 32 }

    /// The answer to a what-if. True when it was one.
    mutating func takePreview(_ open: IBOpenOrder, at now: Instant, into out: inout SessionOutput) -> Bool {
        let orderID = open.order.orderId
        guard case .margin(let id, let side)? = requests[orderID]?.kind else { return open.order.whatIf }
        requests[orderID] = nil
        margins[id]?.request = nil
        let units = max(open.order.totalQuantity?.quantity ?? Quantity(whole: 1), Quantity(whole: 1))
        if let initial = perUnit(open.state.change.initMargin, units), let maintenance = perUnit(open.state.change.maintMargin, units),
            initial > .zero
        {
            out.events.append(.margin(id, ContractMargin(initial: initial, maintenance: maintenance, asOf: now)))
        } else if side == .buy {
            // Buying lowers the margin of a short position: the other side tells what one more costs.
            ask(margin: id, .sell, at: now, into: &out)
        } else {
            margins[id] = MarginState(askAt: now + .seconds(60))
        }
        return true
    }

    private func perUnit(_ change: Money?, _ units: Quantity) -> Money? {
        change.flatMap { Decimals.divide(Int128($0.raw) * 100_000_000, by: Int128(units.raw)) }.map { Money(raw: $0) }
    }
}
