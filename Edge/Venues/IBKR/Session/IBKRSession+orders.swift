// Orders going out: placing, changing, cancelling.
package import Ledger
package import Values

extension IBKRSession {
    package mutating func place(_ intent: consuming DurableIntent, at now: Instant, into out: inout SessionOutput) {
        let (ticket, tags) = (intent.ticket, intent.tags)
        for (index, leg) in ticket.legs.enumerated() {
            nextOrderID = max(nextOrderID, leg.brokerOrderID + 1)
            remember(leg, tags[index], parentID: leg.parent.map { ticket.legs[$0].brokerOrderID } ?? 0, account: ticket.account)
        }
        let ids = ticket.legs.map(\.brokerOrderID)
        if let reason = reasonNotToOrder(ticket.account) {
            for id in ids { refuse(id, reason, code: 504, into: &out) }
            return
        }
        do throws(FormFault) {
            let unit = try unit(ticket, tags)
            let isClosing = ticket.legs.allSatisfy { $0.role != .open }
            guard pacer.offer(unit, isClosing ? .urgent : .order) else { throw FormFault.unsupported("So many orders at once") }
        } catch {
            for id in ids { refuse(id, error.text, code: 505, into: &out) }
        }
        drain(at: now, into: &out)
    }

    private func reasonNotToOrder(_ account: String) -> String? {
        if phase != .up { return "There is no connection to the gateway. The order was not sent." }
        if let refusal { return "\(refusal.text) The order was not sent." }
        if !isLinkUp { return "The gateway has no connection to IBKR. The order was not sent." }
        if account != self.account { return "The order is for account \(account) and the gateway trades \(self.account). It was not sent." }
        return nil
    }

    /// All frames of a ticket, parents first; every member of a family but the last is held by the gateway until the last is there.
    private func unit(_ ticket: Ticket, _ tags: [ClOrdID]) throws(FormFault) -> Pacer.Unit {
        var unit = Pacer.Unit(bytes: [], frames: ticket.legs.count, orderIDs: ticket.legs.map(\.brokerOrderID))
        for (index, leg) in ticket.legs.enumerated() {
            guard let instrument = contracts.instrument(leg.instrument), instrument.brokerContractID != 0 else {
                throw .missing("contract: \(leg.instrument) is not known to the gateway's session")
            }
            var order = try OrderForms.order(leg, tag: tags[index], account: ticket.account, instrument: instrument)
            if let parent = leg.parent { order.parentId = ticket.legs[parent].brokerOrderID }
            order.transmit = OrderForms.isLast(index, of: ticket.legs)
            do throws(EncodeFault) { unit.bytes += try encoder.encode(.placeOrder(IBContract(instrument), order)) } catch {
                throw .unsupported("\(error) at server version \(encoder.version)")
            }
        }
        return unit
    }

    private mutating func remember(_ leg: Leg, _ tag: ClOrdID, parentID: Int64, account: String) {
        var order = SessionOrder(id: leg.brokerOrderID, clientID: clientID)
        order.reference = tag.text; order.account = account; order.instrument = leg.instrument; order.side = leg.side
        order.quantity = leg.quantity; order.parentID = parentID; order.isTrailing = leg.ordType == .trailingStop
        orders[order.id] = order
    }

    /// An order of which no byte left: that is certain, and told as such.
    mutating func refuse(_ id: Int64, _ text: String, code: Int64, into out: inout SessionOutput) {
        guard var order = orders[id] else { return }
        order.isRefused = true; order.isOver = true; order.code = code; order.text = text
        orders[id] = order
        tell(id, into: &out)
    }

    /// Changes a live order: all its fields go out again under the same id, from our own record.
    mutating func modify(_ leg: Leg, tag: ClOrdID, account: String, at now: Instant, into out: inout SessionOutput) {
        let id = leg.brokerOrderID
        if let reason = reasonNotToOrder(account) { return notice(504, reason, instrument: leg.instrument, at: now, into: &out) }
        if let reason = otherClient(of: id) { return notice(10_147, reason, instrument: leg.instrument, at: now, into: &out) }
        guard let instrument = contracts.instrument(leg.instrument), instrument.brokerContractID != 0 else {
            return notice(
                200, "\(leg.instrument) is not known to the gateway; the change was not sent.", instrument: leg.instrument, at: now, into: &out)
        }
        do throws(FormFault) {
            var order = try OrderForms.order(leg, tag: tag, account: account, instrument: instrument)
            order.parentId = orders[id]?.parentID ?? 0
            if orders[id] == nil { remember(leg, tag, parentID: 0, account: account) }
            // What waits to be placed is changed behind itself: a change that overtook it would be placed in its stead.
            let lane = pacer.lane(placing: id) ?? (leg.role == .open ? .order : .urgent)
            let isFirst = !pacer.holdsChange(of: id)
            guard send(.placeOrder(IBContract(instrument), order), lane, change: id, at: now, into: &out) else { return }
            let before = orders[id]?.quantity
            if isFirst { orders[id]?.quantityBefore = before }
            orders[id]?.changedAt = now
            orders[id]?.quantity = leg.quantity
            orders[id]?.await(until: now + settings.limits.acknowledgement)
        } catch {
            notice(505, error.text, instrument: leg.instrument, at: now, into: &out)
        }
    }

    /// Changes that were taken back before they left: the orders are as they were, and a person is told.
    mutating func takeBack(changes: [Int64], _ reason: String, at now: Instant, into out: inout SessionOutput) {
        for id in Set(changes).sorted() {
            guard let order = orders[id], !order.isOver else { continue }
            orders[id]?.quantity = order.quantityBefore ?? order.quantity
            orders[id]?.quantityBefore = nil
            orders[id]?.changedAt = nil
            if order.cancelAskedAt == nil, order.isAcknowledged { orders[id]?.deadline = nil }
            let text = "The change of order \(order.reference) was never sent: \(reason)"
            notice(504, text, instrument: order.instrument, cure: "Change it again once the broker is back.", at: now, into: &out)
        }
    }

    mutating func cancel(_ id: Int64, tag: ClOrdID, at now: Instant, into out: inout SessionOutput) {
        if let unit = pacer.withdraw(id) {
            // A change that stayed behind would be placed as an order of its own.
            for id in unit.orderIDs {
                _ = pacer.withdrawChanges(of: id)
                refuse(id, "Cancelled before it was sent.", code: 202, into: &out)
            }
            return
        }
        guard phase == .up, refusal == nil else {
            let text = "There is no connection to the gateway; order \(tag) could not be cancelled."
            return notice(504, text, instrument: orders[id]?.instrument, cure: "Cancel again once the gateway is back.", at: now, into: &out)
        }
        if let reason = otherClient(of: id) {
            notice(10_147, reason, instrument: orders[id]?.instrument, at: now, into: &out)
            guard let order = orders[id] else { return }
            return out.events.append(.cancelRefused(order.record, code: 10_147, text: reason))
        }
        if orders[id] == nil {
            // Of an earlier run, and not listed since: what the broker says of the cancel still needs an order to be about.
            var order = SessionOrder(id: id, clientID: clientID)
            order.reference = tag.text
            orders[id] = order
        } else {
            orders[id]?.await(until: now + settings.limits.acknowledgement)
        }
        orders[id]?.cancelAskedAt = now
        // A change behind a cancel is a change of nothing.
        if pacer.withdrawChanges(of: id) {
            if let quantity = orders[id]?.quantityBefore { orders[id]?.quantity = quantity }
            orders[id]?.quantityBefore = nil
            orders[id]?.changedAt = nil
        }
        send(.cancelOrder(orderId: id, manualTime: ""), .urgent, at: now, into: &out)
    }

    /// Where several client ids may be in use: why an order cannot be touched under the present one. A change under the wrong id would be a new order.
    private func otherClient(of id: Int64) -> String? {
        guard !settings.spareClientIDs.isEmpty, orders[id]?.clientID != clientID else { return nil }
        return "Order \(id) was not placed as client \(clientID); it can only be changed or cancelled as the client that placed it."
    }

    // MARK: Reading again

    /// Asks for our open orders, unless they are being read already.
    mutating func reread(at now: Instant, into out: inout SessionOutput) {
        guard phase == .up, !lists.isReading(.openOrders) else { return }
        read(.openOrders, for: .check, at: now, into: &out)
    }

    /// Has the question settled by a list of open orders that is asked for from here on.
    mutating func ask(_ kind: SessionOrder.Question.Kind, of id: Int64, code: Int64?, _ text: String, at now: Instant, into out: inout SessionOutput)
    {
        guard phase == .up, let order = orders[id], !order.isOver else { return }
        // A refusal outweighs what else is asked.
        let isRefused = order.question?.kind == .refused
        orders[id]?.question = SessionOrder.Question(
            kind: isRefused ? .refused : kind, code: code, text: text, since: lists.count(.openOrders))
        read(.openOrders, for: .check, at: now, into: &out)
    }

    /// The open orders were read: what was asked before is settled by whether the broker told the order since.
    mutating func settleQuestions(ofRead number: Int64, at now: Instant, into out: inout SessionOutput) {
        for id in orders.keys.sorted() {
            guard let order = orders[id], let question = order.question, question.since < number else { continue }
            orders[id]?.question = nil
            // Its end is known, or being waited for.
            if order.isOver || order.held != nil { continue }
            let isThere = order.seenIn > question.since
            switch question.kind {
            case .undescribed where !isThere && order.isUntaken:
                // Gone from the list may mean filled: the executions have to be read behind it.
                orders[id]?.question = question
                let from = question.executionsFrom ?? nextRequestID
                orders[id]?.question?.executionsFrom = from
                readExecutions(at: now, into: &out)
            case .refused where order.isUntaken && !(isThere && order.word == "PendingSubmit"):
                end(refused: id, question.code, question.text, at: now, into: &out)
            case _ where !isThere:
                out.events.append(.orderMissing(reference: order.reference, brokerOrderID: id, text: question.text))
            case .cancel where order.word == "PendingCancel":
                // The broker is still at it: looked at again.
                orders[id]?.await(until: now + settings.limits.acknowledgement)
            case .cancel: keep(id, question, at: now, into: &out)
            case .refused, .undescribed, .other:
                orders[id]?.isRefused = false
                if order.cancelAskedAt != nil, SessionOrder.isWorking(order.word) { keep(id, question, at: now, into: &out) }
                tell(id, into: &out)
            }
        }
    }

    /// A list of executions ended: orders that the open orders did not hold, and of which nothing was executed, are refused by their code.
    mutating func settleQuestions(ofExecutions request: Int64, at now: Instant, into out: inout SessionOutput) {
        for id in orders.keys.sorted() {
            guard let order = orders[id], let question = order.question, let from = question.executionsFrom, from <= request else { continue }
            orders[id]?.question = nil
            if order.isOver || order.held != nil { continue }
            if order.isUntaken {
                end(refused: id, question.code, question.text, at: now, into: &out)
            } else if SessionOrder.isWorking(order.word) {
                tell(id, into: &out)
            } else {
                out.events.append(.orderMissing(reference: order.reference, brokerOrderID: id, text: question.text))
            }
        }
    }

    /// A cancel came to nothing: the order works on, and the desk is told so, with the reason.
    private mutating func keep(_ id: Int64, _ question: SessionOrder.Question, at now: Instant, into out: inout SessionOutput) {
        orders[id]?.cancelAskedAt = nil
        orders[id]?.deadline = nil
        orders[id]?.code = question.code
        orders[id]?.text = question.text
        tell(id, into: &out)
        guard let order = orders[id] else { return }
        out.events.append(.cancelRefused(order.record, code: question.code, text: question.text))
    }

    /// The order was refused, and no list speaks against it.
    private mutating func end(
        refused id: Int64, _ code: Int64?, _ text: String, at now: Instant, into out: inout SessionOutput
    ) {
        orders[id]?.isRefused = true
        orders[id]?.isOver = true
        orders[id]?.deadline = nil
        orders[id]?.code = code
        orders[id]?.text = text
        tell(id, into: &out)
        guard let code else { return }
        notice(code, text, instrument: orders[id]?.instrument, cure: NoticeTable.cure(code), at: now, into: &out)
    }

    mutating func readExecutions(at now: Instant, into out: inout SessionOutput) {
        guard phase == .up, !requests.values.contains(where: { $0.kind == .executions(.check) }) else { return }
        let id = takeRequestID()
        requests[id] = Request(kind: .executions(.check), deadline: now + settings.limits.request)
        var filter = IBExecutionFilter()
        filter.account = account
        send(.executions(requestId: id, filter), .order, at: now, into: &out)
    }

    /// A gateway that neither takes, refuses nor lists an order cannot be trusted with the next. The comparison after reconnecting settles its fate.
    private mutating func giveUp(_ order: SessionOrder, at now: Instant, into out: inout SessionOutput) {
        hangUp(
            .unreachable, "The gateway gave no word about order \(order.reference); the connection is made anew.",
            cure: "Nothing to do: the order is looked up at the broker. If this repeats, restart IB Gateway.", at: now, into: &out)
    }
    /// A list of executions did not end. What waits for one asks again, and not for ever.
    mutating func executionsLate(at now: Instant, into out: inout SessionOutput) {
        guard isLinkUp else { return }
        for id in orders.filter({ $0.value.held != nil }).keys.sorted() {
            orders[id]?.held?.misses += 1
            if let order = orders[id], let held = order.held, held.misses >= IBKRSession.lookupsMax { return giveUp(order, at: now, into: &out) }
        }
        for id in orders.filter({ $0.value.question?.executionsFrom != nil }).keys.sorted() {
            orders[id]?.question?.misses += 1
            if let order = orders[id], let question = order.question, question.misses >= IBKRSession.lookupsMax {
                return giveUp(order, at: now, into: &out)
            }
        }
    }
    /// Questions about an order without a word before that.
    private static var lookupsMax: Int { 3 }

    /// The broker can be asked again: what was waited for is waited for anew, as long as the first time.
    mutating func waitAnew(at now: Instant) {
        lists.extend(to: now + settings.limits.list)
        for id in requests.keys { if let deadline = requests[id]?.deadline { requests[id]?.deadline = max(deadline, now + settings.limits.request) } }
        for id in orders.keys {
            if orders[id]?.deadline != nil { orders[id]?.await(until: now + settings.limits.acknowledgement) }
            guard let held = orders[id]?.held else { continue }
            orders[id]?.held?.askAt = max(held.askAt, now + .seconds(1))
            orders[id]?.held?.endBy = max(held.endBy, now + settings.limits.lateExecutions)
        }
    }

    /// Orders without a word, final states without their executions, trailing stops that move unseen.
    mutating func checkOrders(at now: Instant, into out: inout SessionOutput) {
        // While the gateway has lost the broker nobody can answer: the waits begin anew when it is back.
        guard refusal == nil, isLinkUp else { return }
        var needsOrders = false
        var needsExecutions = false
        for id in orders.filter({ $0.value.needsLooking }).keys.sorted() {
            guard var order = orders[id] else { continue }
            if let deadline = order.deadline, now >= deadline {
                needsOrders = true
                needsExecutions = true
                order.lookups += 1
                // A change or cancel is looked up once; an order without any word until there is one.
                order.deadline = order.isAcknowledged ? nil : now + settings.limits.acknowledgement
                if order.lookups >= IBKRSession.lookupsMax, !order.isAcknowledged { return giveUp(order, at: now, into: &out) }
            }
            if let held = order.held, now >= held.askAt { needsExecutions = true }
            if order.question?.executionsFrom != nil { needsExecutions = true }
            let isSilentCancel = order.cancelAskedAt != nil && order.isAcknowledged && order.deadline == nil && orders[id]?.deadline != nil
            orders[id] = order
            if isSilentCancel {
                ask(.cancel, of: id, code: nil, "The broker gave no word about the cancel; the order works on.", at: now, into: &out)
            }
        }
        let trails = orders.values.contains { $0.isTrailing && !$0.isOver && $0.isAcknowledged }
        if trails, now - (trailingReadAt ?? now - settings.limits.trailingRefresh) >= settings.limits.trailingRefresh {
            trailingReadAt = now
            needsOrders = true
        }
        if needsExecutions { readExecutions(at: now, into: &out) }
        if needsOrders { reread(at: now, into: &out) }
    }
}
