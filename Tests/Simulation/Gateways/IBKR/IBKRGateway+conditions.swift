// Orders that wait in the gateway: for their conditions, for the time from which they are good, or for a parent that waits.
internal import Values
internal import Venues

extension IBKRGateway {
    /// True for an order that the exchange has not seen because it waits here.
    func isWaiting(_ order: GatewayOrder) -> Bool {
        !order.isRefused && order.paper?.state == .held && exchange.order(order.ticket.id) == nil
    }

    /// True while something keeps an order from going to the exchange.
    mutating func mustWait(_ order: GatewayOrder) -> Bool {
        if let parent = order.ticket.parent.flatMap({ orders[$0.raw] }), isWaiting(parent) { return true }
        if let from = GatewayText.instant(order.fields["goodAfterTime"], zone: settings.zone), from > now { return true }
        return !order.conditions.isEmpty && !order.isCancelledByConditions && !areMet(order.conditions)
    }

    /// Keeps a transmitted order here, which its client is told as PreSubmitted.
    mutating func wait(_ order: GatewayOrder) {
        var order = order
        let paper = PaperOrder(
            ticket: order.ticket, state: .held, filled: .zero, filledValue: 0, lastPrice: nil, stop: nil, triggered: false, placedAt: now,
            changedAt: now, expiresAt: lapse(of: order), priority: 0)
        order.paper = paper
        orders.store(order)
        records.append(.state(paper))
        conditioned.append(order.permId)
        tellOrder(order)
        if let parent = order.ticket.parent.flatMap({ orders[$0.raw] }), !parent.isLive { endWaitingChildren(of: parent) }
    }

    /// Changes or ends an order that waits here.
    mutating func change(_ order: GatewayOrder, to state: PaperOrderState) {
        guard var paper = order.paper else { return }
        paper.ticket = order.ticket
        paper.state = state
        paper.changedAt = now
        if !state.isFinal { paper.expiresAt = lapse(of: order) }
        var order = order
        order.paper = paper
        orders.store(order)
        records.append(.state(paper))
        tellOrder(order)
        if state.isFinal { endWaitingChildren(of: order) }
    }

    /// When an order that waits here is over: as at the exchange, but that its day is the one from which it, and what it waits for, is good.
    private func lapse(of order: GatewayOrder) -> Instant? {
        switch order.ticket.timeInForce {
        case .gtc: nil
        case .gtd: order.ticket.goodTill
        case .day, .ioc, .fok:
            exchange.listing(order.ticket.instrument).map {
                (order.ticket.outsideHours ? $0.tradingHours : $0.liquidHours).endOfDay(after: start(of: order))
            }
        }
    }
    private func start(of order: GatewayOrder) -> Instant {
        let own = max(GatewayText.instant(order.fields["goodAfterTime"], zone: settings.zone) ?? now, now)
        guard let parent = order.ticket.parent.flatMap({ orders[$0.raw] }), isWaiting(parent) else { return own }
        return max(own, start(of: parent))
    }
    private func hasLapsed(_ order: GatewayOrder) -> Bool {
        if let lapse = order.paper?.expiresAt, lapse <= now { return true }
        return exchange.listing(order.ticket.instrument).map(isExpired) ?? false
    }

    /// A parent is over: children that wait here go with it, or keep as much as it has filled.
    mutating func endWaitingChildren(of parent: GatewayOrder) {
        let filled = parent.paper?.filled ?? .zero
        for child in orders.live where child.ticket.parent?.raw == parent.permId && isWaiting(child) {
            guard filled > .zero else { change(child, to: .cancelled); continue }
            guard child.ticket.quantity > filled else { continue }
            var child = child
            child.ticket.quantity = filled
            records.append(.order(child))
            change(child, to: .held)
        }
    }

    /// A fill of one member of a group ends the members that wait here, or takes as much from them.
    mutating func settleWaiting(behind fill: PaperFill) {
        guard let order = orders[fill.order.raw], let group = order.ticket.group, !group.isEmpty else { return }
        for other in orders.live where other.permId != order.permId && other.ticket.group == group && isWaiting(other) {
            guard order.ticket.groupRule == .reduce, other.ticket.quantity > fill.quantity else { change(other, to: .cancelled); continue }
            var other = other
            other.ticket.quantity = Quantity(raw: other.ticket.quantity.raw - fill.quantity.raw)
            records.append(.order(other))
            change(other, to: .held)
        }
    }

    /// Sends what has nothing more to wait for, ends what has waited too long, and cancels what its conditions cancel. Parents have lower
    /// numbers than their children. Without a line to IBKR everything stays as it is.
    mutating func wakeConditioned() {
        guard !conditioned.isEmpty, !isLinkLost else { return }
        for perm in conditioned.sorted() {
            guard let order = orders[perm], order.isLive else { continue }
            if isWaiting(order) {
                if hasLapsed(order) { change(order, to: .expired) } else if !mustWait(order) { place(order) }
            } else if order.isCancelledByConditions, areMet(order.conditions) {
                end(order)
            }
        }
        conditioned = conditioned.filter { perm in
            guard let order = orders[perm], order.isLive else { return false }
            return isWaiting(order) || order.isCancelledByConditions
        }
    }

    // MARK: Conditions

    /// Read from left to right, each joined to the next by its own `a` or `o`.
    private mutating func areMet(_ conditions: [[String]]) -> Bool {
        var isMet = true
        var needsBoth = true
        for condition in conditions {
            let holds = holds(condition)
            isMet = needsBoth ? isMet && holds : isMet || holds
            needsBoth = condition.count > 1 && condition[1] == "a"
        }
        return isMet
    }

    /// One condition: its type, its conjunction, and what belongs to the type.
    private mutating func holds(_ condition: [String]) -> Bool {
        func at(_ index: Int) -> String { index < condition.count ? condition[index] : "" }
        let isMore = at(2) == "1"
        func compares<Number: Comparable>(_ value: Number, _ bound: Number) -> Bool { isMore ? value >= bound : value <= bound }
        switch at(0) {
        case "1":
            guard let bound = try? Price(at(3)), let last = last(conId: at(4)) else { return false }
            return compares(last, bound)
        case "3":
            guard let bound = GatewayText.instant(at(3), zone: settings.zone) else { return false }
            return compares(now, bound)
        case "4":
            let balance = exchange.balance()
            guard let bound = Int64(at(3)), balance.netLiquidation.raw > 0 else { return false }
            return compares(Int64(Int128(balance.excessLiquidity.raw) * 100 / Int128(balance.netLiquidation.raw)), bound)
        case "5": return orders.executions.contains { exchange.listing($0.instrument)?.instrument.symbol == at(4) }
        case "6":
            guard let bound = try? Quantity(at(3)), let day = days(conId: at(4)).last else { return false }
            return compares(day.volume.raw, bound.raw)
        case "7":
            let days = days(conId: at(4))
            guard days.count == 2, let bound = try? Decimals.parse(at(3), scale: 4, rounding: .halfEven) else { return false }
            let change = Int128(days[1].close.raw - days[0].close.raw) * 1_000_000 / Int128(max(days[0].close.raw, 1))
            return compares(change, Int128(bound))
        default: return false
        }
    }

    private mutating func last(conId text: String) -> Price? {
        guard let id = Int64(text), let listing = listing(contract: id) else { return nil }
        return exchange.last(listing.instrument.id)?.price
    }
    /// Yesterday and today.
    private mutating func days(conId text: String) -> [Bar] {
        guard let id = Int64(text), let listing = listing(contract: id) else { return [] }
        return exchange.bars(listing.instrument.id, length: .hours(24), count: 2, end: now)
    }
}

extension GatewayOrder {
    /// The conditions as the client wrote them, each its fields from the type on.
    var conditions: [[String]] { fields.lists["conditions"] ?? [] }
    /// True when the conditions end the order instead of beginning it.
    var isCancelledByConditions: Bool { fields["conditionsCancelOrder"] == "1" && !conditions.isEmpty }
}
