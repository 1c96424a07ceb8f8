// Matching on the simulated exchange: triggers, price-time priority, partial fills, groups and children.
internal import Values

/// What own orders have already taken in the current step.
struct Taken: Sendable {
    /// Per level, of the asks (taken by buyers) and the bids.
    var asks: [Quantity] = []
    var bids: [Quantity] = []
    /// Of the step's trade, by resting orders.
    var trade = Quantity.zero
    func level(_ level: Int, by side: Side) -> Quantity {
        let list = side == .buy ? asks : bids
        return level < list.count ? list[level] : .zero
    }
    mutating func take(_ quantity: Quantity, level: Int, by side: Side) {
        while (side == .buy ? asks : bids).count <= level { if side == .buy { asks.append(.zero) } else { bids.append(.zero) } }
        if side == .buy { asks[level].raw += quantity.raw } else { bids[level].raw += quantity.raw }
    }
}

extension PaperExchange {
    private struct Execution { var order: PaperOrder; var quantity: Quantity; var price: Price; var level: Int? }

    /// Matches an instrument's orders until none can trade any more in this step.
    /// - Parameter fresh: true once a step, when the market has moved: stops look at it then.
    mutating func match(_ instrument: InstrumentID, fresh: Bool, _ events: inout [PaperEvent]) {
        guard let listing = listing(instrument), listing.tradingHours.isOpen(at: now), !isHalted(instrument) else { return }
        let isRegular = listing.liquidHours.isOpen(at: now)
        if fresh { moveStops(instrument, isRegular, &events) }
        // Every round takes from a finite level or finishes an order, so this ends; the bound is a guard against a mistake here.
        for _ in 0..<10_000 {
            guard let next = bestExecution(instrument, isRegular) else { break }
            do throws(PaperRefusal) { try execute(next, listing, &events) } catch {
                // Numbers beyond the account's range: the order cannot go on.
                close(next.order.ticket.id, as: .cancelled, &events)
            }
        }
        // What is good only now, and could trade now, is over: also a child or a stop that has just woken.
        for id in live {
            guard let order = book[id], order.ticket.instrument == instrument, order.state == .working else { continue }
            if order.ticket.timeInForce == .ioc || order.ticket.timeInForce == .fok { close(id, as: .cancelled, &events) }
        }
    }

    // MARK: Stops

    private mutating func moveStops(_ instrument: InstrumentID, _ isRegular: Bool, _ events: inout [PaperEvent]) {
        let trade = stepTrade(instrument)
        for id in live {
            guard var order = book[id], order.ticket.instrument == instrument, order.state == .armed, isRegular || order.ticket.outsideHours else {
                continue
            }
            let before = order.stop
            if let trade, let stop = order.stop, order.ticket.side == .buy ? trade.price >= stop : trade.price <= stop {
                order.triggered = true
                order.state = .working
            } else if order.ticket.type == .trailingStop {
                trail(&order)
            }
            guard order.triggered || order.stop != before else { continue }
            order.changedAt = now
            store(order)
            events.append(.order(order))
        }
    }

    /// Moves a trailing stop after the market; it never moves back.
    mutating func trail(_ order: inout PaperOrder) {
        guard let trail = order.ticket.trail, let listing = listing(order.ticket.instrument), let last = last(order.ticket.instrument) else { return }
        let distance: Price
        switch trail {
        case .amount(let amount): distance = amount
        case .fraction(let part): distance = Price(raw: Decimals.product(last.price.raw, part.raw, scale: 6) ?? last.price.raw)
        }
        let isBuy = order.ticket.side == .buy
        guard let level = isBuy ? last.price.adding(distance) : last.price.subtracting(distance) else { return }
        // Rounded away from the market, so that rounding never triggers.
        let target = level.rounded(to: listing.instrument.minPriceIncrement, up: isBuy)
        guard let stop = order.stop else { order.stop = target; return }
        order.stop = isBuy ? min(stop, target) : max(stop, target)
    }

    // MARK: Choice

    /// The execution that comes first: market orders before limits, better limits before worse, older before newer.
    private mutating func bestExecution(_ instrument: InstrumentID, _ isRegular: Bool) -> Execution? {
        var best: (order: PaperOrder, execution: Execution)?
        for id in live {
            guard let order = book[id], order.ticket.instrument == instrument, order.state == .working, isRegular || order.ticket.outsideHours else {
                continue
            }
            if let best, !precedes(order, best.order) { continue }
            if let execution = execution(of: order) { best = (order, execution) }
        }
        return best?.execution
    }

    private func precedes(_ a: PaperOrder, _ b: PaperOrder) -> Bool {
        guard a.ticket.side == b.ticket.side else { return a.priority < b.priority }
        switch (a.workingLimit, b.workingLimit) {
        case (nil, .some): return true
        case (.some, nil): return false
        case (let first?, let second?) where first != second: return a.ticket.side == .buy ? first > second : first < second
        default: return a.priority < b.priority
        }
    }

    /// What an order can do in this step; nil when it must wait.
    private mutating func execution(of order: PaperOrder) -> Execution? {
        let ticket = order.ticket
        var wanted = order.remaining
        // Children together never do more than their parent has done, however its fills and theirs interleave.
        if let id = ticket.parent, let parent = book[id] { wanted = min(wanted, Quantity(raw: parent.filled.raw - (childrenFilled[id] ?? 0))) }
        guard wanted > .zero else { return nil }
        let used = taken[ticket.instrument] ?? Taken()
        let limit = order.workingLimit
        let levels = takeable(ticket.instrument, by: ticket.side)
            .enumerated().map {
                (level: $0.offset, price: $0.element.price, size: Quantity(raw: $0.element.size.raw - used.level($0.offset, by: ticket.side).raw))
            }
            .filter { level in level.size > .zero && (limit.map { ticket.side == .buy ? level.price <= $0 : level.price >= $0 } ?? true) }
        if ticket.timeInForce == .fok, levels.reduce(Int64(0), { $0 + $1.size.raw }) < wanted.raw { return nil }
        if let first = levels.first { return Execution(order: order, quantity: min(wanted, first.size), price: first.price, level: first.level) }
        // Resting: somebody else's trade at our price or through it. Orders placed in this very step were not there yet.
        guard let limit, ticket.timeInForce != .ioc, ticket.timeInForce != .fok, let trade = stepTrade(ticket.instrument), trade.taker != ticket.side,
            order.changedAt < now, ticket.side == .buy ? trade.price <= limit : trade.price >= limit, trade.size > used.trade
        else { return nil }
        return Execution(order: order, quantity: min(wanted, Quantity(raw: trade.size.raw - used.trade.raw)), price: limit, level: nil)
    }

    // MARK: Execution

    private mutating func execute(_ execution: Execution, _ listing: PaperInstrument, _ events: inout [PaperEvent]) throws(PaperRefusal) {
        var order = execution.order
        let quantity = execution.quantity
        let price = slipped(execution, listing)
        let paid = commission(of: order, listing)
        order.filled = Quantity(raw: order.filled.raw + quantity.raw)
        order.filledValue += Int128(price.raw) * Int128(quantity.raw)
        order.lastPrice = price
        order.changedAt = now
        if order.remaining == .zero { order.state = .filled }
        guard let paid, let due = commission(of: order, listing), let average = order.averagePrice else { throw .overflow }
        let realised = try account.realised(by: (order.ticket.side, quantity, price), in: listing)
        let fill = PaperFill(
            serial: fillSerial + 1, order: order.ticket.id, instrument: order.ticket.instrument, side: order.ticket.side, quantity: quantity,
            price: price,
            at: now, cumulative: order.filled, averagePrice: average, commission: Money(raw: due.raw - paid.raw), realised: realised,
            added: execution.level == nil)
        try book(fill)
        var used = taken[order.ticket.instrument] ?? Taken()
        if let level = execution.level { used.take(quantity, level: level, by: order.ticket.side) } else { used.trade.raw += quantity.raw }
        taken[order.ticket.instrument] = used
        store(order)
        events.append(.fill(fill))
        events.append(.order(order))
        wakeChildren(of: order, &events)
        settleGroup(of: order, filled: quantity, &events)
    }

    /// What an order's fills have cost together.
    private func commission(of order: PaperOrder, _ listing: PaperInstrument) -> Money? {
        listing.commission.total(for: order.filled, value: PaperAccount.value(order.filledValue, in: listing))
    }

    /// The price of a fill: that of its level, or worse for takers by the exchange's rule.
    private mutating func slipped(_ execution: Execution, _ listing: PaperInstrument) -> Price {
        let ticket = execution.order.ticket
        guard rules.slippage != .none, execution.level != nil, let touch = touch(ticket.instrument) else { return execution.price }
        let tick = listing.instrument.minPriceIncrement.raw
        let ticks = rules.slippage.ticks(
            spread: (touch.ask.raw - touch.bid.raw) / tick, lots: execution.quantity.raw / listing.instrument.lotStep.raw,
            draw: mixed(rules.seed, 940, Int64(truncatingIfNeeded: fillSerial + 1)))
        let worse = execution.price.raw + ticks * tick * ticket.side.sign
        guard let limit = execution.order.workingLimit else { return Price(raw: max(worse, tick)) }
        return Price(raw: ticket.side == .buy ? min(worse, limit.raw) : max(worse, limit.raw, tick))
    }

    private mutating func wakeChildren(of parent: PaperOrder, _ events: inout [PaperEvent]) {
        for id in live {
            guard var child = book[id], child.ticket.parent == parent.ticket.id, child.state == .held else { continue }
            child.state = .working
            child.priority = takePriority()
            child.changedAt = now
            arm(&child)
            store(child)
            events.append(.order(child))
        }
    }

    private mutating func settleGroup(of order: PaperOrder, filled quantity: Quantity, _ events: inout [PaperEvent]) {
        guard let group = order.ticket.group, !group.isEmpty else { return }
        for id in live where id != order.ticket.id {
            guard var other = book[id], other.ticket.group == group else { continue }
            if order.ticket.groupRule == .cancel || other.remaining <= quantity { close(id, as: .cancelled, &events); continue }
            other.ticket.quantity = Quantity(raw: other.ticket.quantity.raw - quantity.raw)
            other.changedAt = now
            store(other)
            events.append(.order(other))
        }
    }
}
