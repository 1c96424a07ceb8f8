// Orders coming back: open orders and their status, executions, commissions.
internal import Ledger
internal import Values

extension IBKRSession {
    mutating func takeOrderMessage(_ message: IBMessage, at now: Instant, into out: inout SessionOutput) {
        switch message {
        case .openOrder(let open): take(open, at: now, into: &out)
        case .orderStatus(let status): take(status, at: now, into: &out)
        case .openOrderEnd: endList(.openOrders, at: now, into: &out)
        case .completedOrder(let order): snapshot?.take(completed: order)
        case .completedOrdersEnd: endList(.completedOrders, at: now, into: &out)
        case .execution(let request, let execution): take(execution, request: request, at: now, into: &out)
        case .executionsEnd(let id): endExecutions(id, at: now, into: &out)
        case .commission(let report):
            // Without an amount it is not known yet; the broker sends it again when it is.
            if let amount = report.commission {
                out.events.append(.commission(Commission(execID: report.execId, amount: amount, currency: report.currency)))
            }
        default: break
        }
    }

    // MARK: Open orders

    private mutating func take(_ open: IBOpenOrder, at now: Instant, into out: inout SessionOutput) {
        if open.order.whatIf || requests[open.order.orderId] != nil, takePreview(open, at: now, into: &out) { return }
        snapshot?.take(open: open)
        // Orders of other clients are seen in snapshots alone: their numbers are not ours.
        guard open.order.clientId == clientID, (1..<Int64(Int32.max)).contains(open.order.orderId) else { return }
        let id = open.order.orderId
        raiseFloor(to: id + 1, into: &out)
        var order = orders[id] ?? SessionOrder(id: id, clientID: clientID)
        if !order.reference.isEmpty, !open.order.orderRef.isEmpty, order.reference != open.order.orderRef {
            // The number means another order at the broker than in our ledger: told under the broker's own reference, ours stays in doubt.
            let record = foreign(open)
            return out.events.append(.order(record, code: nil))
        }
        order.reference = open.order.orderRef.isEmpty ? order.reference : open.order.orderRef
        order.account = open.order.account
        order.instrument = contracts.name(of: open.contract)
        order.side = open.order.action == "BUY" ? .buy : .sell
        order.quantity = open.order.totalQuantity?.quantity ?? order.quantity
        if open.order.permId != 0 { order.permID = open.order.permId }
        if open.order.parentId != 0 { order.parentID = open.order.parentId }
        order.isTrailing = open.order.orderType.hasPrefix("TRAIL")
        if order.isTrailing, let level = open.order.trailStopPrice { order.stopPrice = level }
        if !open.state.warningText.isEmpty { order.text = open.state.warningText }
        order.seenIn = lists.count(.openOrders)
        orders[id] = order
        move(id, to: open.state.status, filled: nil, isListed: true, at: now, into: &out)
    }

    private mutating func take(_ status: IBOrderStatus, at now: Instant, into out: inout SessionOutput) {
        snapshot?.take(status)
        guard status.clientId == clientID, status.orderId > 0 else { return }
        let id = status.orderId
        var order = orders[id] ?? SessionOrder(id: id, clientID: clientID)
        if order.quantity == .zero, let filled = status.filled?.quantity, let rest = status.remaining?.quantity {
            order.quantity = filled.adding(rest) ?? .zero
        }
        if order.permID != 0, status.permId != 0, order.permID != status.permId, order.told != nil {
            let text = "The broker lists two orders under number \(id): \(order.permID) and \(status.permId)."
            notice(103, text, instrument: order.instrument, cure: "Look at both in TWS and cancel one.", at: now, into: &out)
        }
        if status.permId != 0 { order.permID = status.permId }
        if status.parentId != 0 { order.parentID = status.parentId }
        if status.whyHeld.contains("locate") { order.text = "Waiting for shares to borrow." }
        order.seenIn = lists.count(.openOrders)
        if status.status == "Inactive", order.text.isEmpty { order.text = "Held by the broker as inactive; it may wake up again." }
        orders[id] = order
        move(id, to: status.status, filled: status.filled?.quantity, isListed: false, at: now, into: &out)
    }

    /// Takes the broker's word. A final one that is ahead of its executions is held until they came.
    private mutating func move(_ id: Int64, to word: String, filled: Quantity?, isListed: Bool, at now: Instant, into out: inout SessionOutput) {
        guard var order = orders[id], !word.isEmpty else { return }
        // A word that says nothing of a cancel does not end the wait for one that does.
        if order.cancelAskedAt == nil || !SessionOrder.isWorking(word) { order.deadline = nil }
        let gaveUpCancel = order.word == "PendingCancel" && SessionOrder.isWorking(word)
        let isFinal = ["Filled", "Cancelled", "ApiCancelled"].contains(word) || (word == "Inactive" && order.isRefused)
        // Repeats and late words do not bring an order back to life; being listed as open does.
        if order.isOver, order.word == word || !(isListed && !isFinal) {
            orders[id] = order
            return
        }
        guard isFinal else {
            order.word = word
            order.isOver = false
            orders[id] = order
            tell(id, into: &out)
            if gaveUpCancel { ask(.cancel, of: id, code: nil, "The broker did not cancel the order; it works on.", at: now, into: &out) }
            return
        }
        snapshot?.isDisturbed = true
        // An open order's message does not say how much was filled: then the executions are read before its end is believed.
        let expected = filled ?? (word == "Filled" ? order.quantity : order.held?.filled)
        var held =
            order.held
            ?? SessionOrder.Held(
                word: word, filled: expected, askAt: now + .seconds(1), endBy: now + settings.limits.lateExecutions, since: nextRequestID)
        held.word = word
        held.filled = expected.map { max($0, held.filled ?? $0) }
        order.held = held
        // Whatever else: the broker has it.
        if order.word.isEmpty { order.word = "Submitted" }
        orders[id] = order
        let isComplete = order.quantity.raw > 0 && order.executed >= order.quantity
        if isComplete || held.filled.map({ order.executed >= $0 }) ?? false { end(id, into: &out) } else { tell(id, into: &out) }
    }

    /// The end that an order's last word said, now that it is believed. Executions that are kept for a picture are told before it.
    private mutating func end(_ id: Int64, into out: inout SessionOutput) {
        for taken in snapshot?.fills ?? [] where taken.fill.brokerOrderID == id { out.events.append(.fill(named(taken))) }
        if let word = orders[id]?.held?.word { orders[id]?.word = word }
        orders[id]?.held = nil
        orders[id]?.isOver = true
        tell(id, into: &out)
    }

    /// Tells the order when something of it changed.
    mutating func tell(_ id: Int64, into out: inout SessionOutput) {
        guard let order = orders[id] else { return }
        let record = order.record
        guard record != order.told else { return }
        orders[id]?.told = record
        out.events.append(.order(record, code: order.code))
    }

    /// An order as a snapshot tells it. Numbers of other clients mean nothing to us.
    func foreign(_ open: IBOpenOrder) -> BrokerOrder {
        var order = SessionOrder(id: 0, clientID: open.order.clientId)
        order.word = open.state.status
        return BrokerOrder(
            reference: open.order.orderRef, brokerOrderID: 0, permID: open.order.permId, clientID: open.order.clientId, account: open.order.account,
            instrument: contracts.name(of: open.contract), side: open.order.action == "BUY" ? .buy : .sell,
            quantity: open.order.totalQuantity?.quantity ?? .zero, cumQty: .zero, status: order.status, text: open.state.warningText)
    }

    // MARK: Executions

    private mutating func take(_ execution: IBExecution, request: Int64, at now: Instant, into out: inout SessionOutput) {
        guard execution.account.isEmpty || execution.account == account else { return }
        guard var fill = fill(execution, at: now) else {
            malformedMessages += 1
            let text = "The broker reported execution \(execution.execId) without side, size or price; it is not booked."
            return notice(505, text, cure: "Compare the position with the broker.", at: now, into: &out)
        }
        follow(execution, at: now, into: &out)
        fill.isReplayed = request != -1
        let taken = ContractFill(fill: fill, contract: execution.contract)
        if case .executions(.snapshot)? = requests[request]?.kind {
            snapshot?.take(taken)
        } else {
            // A fill is news whatever else is going on; a picture that was being taken is blurred by it.
            if request == -1 { snapshot?.isDisturbed = true }
            tell(taken, at: now, into: &out)
        }
        settle(execution, at: now, into: &out)
    }

    /// A fill is told at once, but for one in a contract that nobody has named: the name that it is booked under must be the one that the broker's
    /// lists will have. It waits for the contract's details, which are asked for again in the next connection when this one ends before.
    mutating func tell(_ taken: ContractFill, at now: Instant, into out: inout SessionOutput) {
        guard contracts.isUnnamed(taken.contract) else { return out.events.append(.fill(named(taken))) }
        if !unnamed.contains(where: { $0.fill.fill.execID == taken.fill.fill.execID }) { unnamed.append(taken) }
        if phase == .up { ask(contract: taken.contract.conId, at: now, into: &out) }
    }

    /// Tells the fills whose contracts have a name now, or whose description the broker refused: those go under the contract's own words.
    mutating func tellUnnamed(into out: inout SessionOutput) {
        let waiting = unnamed
        unnamed = waiting.filter { contracts.isUnnamed($0.contract) }
        for taken in waiting where !contracts.isUnnamed(taken.contract) { out.events.append(.fill(named(taken))) }
    }

    /// Asks for the names that an earlier connection did not get.
    mutating func askUnnamed(at now: Instant, into out: inout SessionOutput) {
        for taken in unnamed { ask(contract: taken.contract.conId, at: now, into: &out) }
    }

    /// The fill under the name that its contract has by now.
    func named(_ taken: ContractFill) -> BrokerFill {
        var fill = taken.fill
        fill.fill.instrument = contracts.name(of: taken.contract)
        return fill
    }

    private func fill(_ execution: IBExecution, at now: Instant) -> BrokerFill? {
        let side: Side
        switch execution.side {
        case "BOT", "BUY": side = .buy
        case "SLD", "SELL": side = .sell
        default: return nil
        }
        guard let size = execution.shares?.quantity, size.raw > 0, let price = execution.price, !execution.execId.isEmpty else { return nil }
        let isOurs = execution.clientId == clientID
        return BrokerFill(
            fill: Fill(
                execID: execution.execId, tag: nil, account: execution.account, instrument: contracts.name(of: execution.contract), side: side,
                lastQty: size, lastPx: price, cumQty: execution.cumQty?.quantity ?? size, permID: execution.permId,
                // A time in a zone that nobody knows: when it was heard is the nearest that is certain.
                transactTime: WireTime.instant(execution.time, settings.zones) ?? now),
            reference: execution.orderRef, brokerOrderID: isOurs ? execution.orderId ?? 0 : 0)
    }

    /// The order's own sum, by the broker's cumulative figure: earlier days' executions are not listed any more.
    private mutating func follow(_ execution: IBExecution, at now: Instant, into out: inout SessionOutput) {
        guard execution.clientId == clientID, let id = execution.orderId, id > 0 else { return }
        if orders[id] == nil {
            var order = SessionOrder(id: id, clientID: clientID)
            order.reference = execution.orderRef; order.account = execution.account; order.permID = execution.permId
            order.instrument = contracts.name(of: execution.contract); order.side = execution.side == "BOT" ? .buy : .sell
            orders[id] = order
        }
        if let sum = execution.cumQty?.quantity ?? execution.shares?.quantity {
            let before = orders[id]?.executed ?? .zero
            orders[id]?.executed = max(before, sum)
        }
        if execution.permId != 0 { orders[id]?.permID = execution.permId }
        // It says that the broker has the order, and nothing of a cancel that is under way.
        if orders[id]?.cancelAskedAt == nil { orders[id]?.deadline = nil }
    }

    /// What an execution completes: an end that was held back.
    private mutating func settle(_ execution: IBExecution, at now: Instant, into out: inout SessionOutput) {
        guard execution.clientId == clientID, let id = execution.orderId, let order = orders[id], let held = order.held,
            let filled = held.filled, order.executed >= filled
        else { return }
        end(id, into: &out)
    }

    private mutating func endExecutions(_ id: Int64, at now: Instant, into out: inout SessionOutput) {
        guard case .executions(let why)? = requests.removeValue(forKey: id)?.kind else { return }
        for order in orders.keys.sorted() {
            guard let held = orders[order]?.held, held.since <= id else { continue }
            if why != .snapshot, let filled = held.filled, let executed = orders[order]?.executed, executed < filled, now < held.endBy {
                // The word was quicker than the list: an end without its executions would show a position that is not there.
                orders[order]?.held?.askAt = now + .seconds(2)
            } else {
                // What an order's last word says beyond all that is listed is of days that are not listed any more.
                end(order, into: &out)
            }
        }
        settleQuestions(ofExecutions: id, at: now, into: &out)
        guard why == .snapshot else { return }
        snapshot?.hasExecutions = true
        finishSnapshot(at: now, into: &out)
    }
}
