// The whole picture for reconciliation: open and completed orders, executions, positions, account; all end marks or nothing.
internal import Ledger
internal import Values

extension IBKRSession {
    /// More disturbed attempts than this and the desk is told that there is none: it asks again later.
    private static var attemptsMax: Int { 5 }

    mutating func startSnapshot(at now: Instant, into out: inout SessionOutput) {
        guard snapshot == nil else { return }
        guard canOrder else {
            return out.events.append(.snapshotFailed(generation: generation, text: "The gateway is not connected to the broker."))
        }
        take(attempt: 0, deadline: now + settings.limits.snapshot, at: now, into: &out)
    }

    private mutating func take(attempt: Int, deadline: Instant, at now: Instant, into out: inout SessionOutput) {
        snapshot = SnapshotBuilder(startedAt: now, deadline: deadline, attempts: attempt)
        read(.openOrders, for: .snapshot, at: now, into: &out)
        let id = takeRequestID()
        requests[id] = Request(kind: .executions(.snapshot))
        var filter = IBExecutionFilter()
        filter.account = account
        send(.executions(requestId: id, filter), .order, at: now, into: &out)
        read(.completedOrders, for: .snapshot, at: now, into: &out)
        askSummary(at: now, into: &out)
        read(.positions, for: .snapshot, at: now, into: &out)
    }

    /// Tells the picture once it is whole and every contract in it has a name.
    mutating func finishSnapshot(at now: Instant, into out: inout SessionOutput) {
        guard let taken = snapshot, taken.isWhole else { return }
        for conId in taken.contracts { ask(contract: conId, at: now, into: &out) }
        let isNaming = requests.values.contains { if case .contract = $0.kind { true } else { false } }
        guard !isNaming else { return }
        snapshot = nil
        if taken.isDisturbed {
            for fill in taken.fills { tell(fill, at: now, into: &out) }
            guard taken.attempts < IBKRSession.attemptsMax else {
                return out.events.append(.snapshotFailed(generation: generation, text: "The account kept changing while it was read."))
            }
            return take(attempt: taken.attempts + 1, deadline: taken.deadline, at: now, into: &out)
        }
        out.events.append(.snapshot(picture(taken, at: now)))
    }

    private func picture(_ taken: SnapshotBuilder, at now: Instant) -> BrokerSnapshot {
        BrokerSnapshot(
            generation: generation, startedAt: taken.startedAt, completedAt: now, openOrders: taken.open.map { listed($0, taken) },
            completedOrders: taken.completed.map(completed), fills: taken.fills.map(named),
            positions: taken.positions.compactMap { line in
                guard let quantity = line.position?.quantity, quantity.raw != 0 else { return nil }
                return BrokerPosition(account: line.account, instrument: contracts.name(of: line.contract), quantity: quantity)
            })
    }

    /// An open order: ours by our own record, others by what the list says.
    private func listed(_ open: IBOpenOrder, _ taken: SnapshotBuilder) -> BrokerOrder {
        guard open.order.clientId == clientID, let order = orders[open.order.orderId], order.reference == open.order.orderRef else {
            var record = foreign(open)
            record.cumQty = taken.statuses[open.order.permId]?.filled?.quantity ?? .zero
            return record
        }
        return order.record
    }

    /// A finished order has no number any more; its size stands in what was filled.
    private func completed(_ done: IBOpenOrder) -> BrokerOrder {
        let filled = done.order.filledQuantity?.quantity ?? .zero
        let total = done.order.totalQuantity?.quantity ?? .zero
        let status: OrdStatus =
            switch done.state.status {
            case "Filled": .filled
            case "Inactive": filled.raw > 0 ? .canceled : .rejected
            default: .canceled
            }
        return BrokerOrder(
            reference: done.order.orderRef, brokerOrderID: 0, permID: done.order.permId, clientID: done.order.clientId, account: done.order.account,
            instrument: contracts.name(of: done.contract), side: done.order.action == "BUY" ? .buy : .sell, quantity: max(total, filled),
            cumQty: filled, status: status, text: done.state.completedStatus)
    }

    mutating func checkSnapshot(at now: Instant, into out: inout SessionOutput) {
        guard let taken = snapshot, now >= taken.deadline else { return }
        abandonSnapshot(taken.missing.isEmpty ? "contracts could not be named" : "no end of \(taken.missing)", at: now, into: &out)
    }

    /// No conclusion may rest on a part; but the executions in it are true.
    mutating func abandonSnapshot(_ reason: String, at now: Instant, into out: inout SessionOutput) {
        guard let taken = snapshot else { return }
        snapshot = nil
        lists.disown()
        for id in requests.keys.sorted() where requests[id]?.kind == .executions(.snapshot) { requests[id] = nil }
        for fill in taken.fills { tell(fill, at: now, into: &out) }
        out.events.append(.snapshotFailed(generation: generation, text: "The account could not be read whole: \(reason)."))
    }
}
