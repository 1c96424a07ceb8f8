// Placing, changing and cancelling on the simulated exchange: the column of checks, and what follows.
internal import Values

extension PaperExchange {
    mutating func place(_ ticket: PaperTicket, _ events: inout [PaperEvent]) {
        do throws(PaperRefusal) {
            try check(ticket)
            if book[ticket.id] != nil { throw PaperRefusal.duplicateID }
            if let parent = ticket.parent, book[parent] == nil { throw PaperRefusal.unknownParent }
            try checkMargin(ticket)
        } catch {
            events.append(.refused(ticket.id, error))
            return
        }
        var order = PaperOrder(
            ticket: ticket, state: .working, filled: .zero, filledValue: 0, lastPrice: nil, stop: nil, triggered: false, placedAt: now,
            changedAt: now,
            expiresAt: lapse(of: ticket), priority: takePriority())
        if let parent = ticket.parent.flatMap({ book[$0] }) {
            if parent.state.isFinal, parent.filled == .zero { order.state = .cancelled } else if parent.filled == .zero { order.state = .held }
        }
        if order.state == .working { arm(&order) }
        store(order)
        events.append(.order(order))
        match(ticket.instrument, fresh: false, &events)
        finishImmediate(ticket.id, &events)
    }

    mutating func replace(_ ticket: PaperTicket, _ events: inout [PaperEvent]) {
        guard var order = book[ticket.id] else { events.append(.refused(ticket.id, .unknownOrder)); return }
        let old = order.ticket
        do throws(PaperRefusal) {
            if order.state.isFinal { throw PaperRefusal.final(order.state) }
            if ticket.instrument != old.instrument || ticket.side != old.side || ticket.parent != old.parent { throw PaperRefusal.cannotChange }
            try check(ticket)
            if order.triggered, ticket.type != old.type { throw PaperRefusal.cannotChange }
            if ticket.quantity > old.quantity { try checkMargin(ticket) }
        } catch {
            events.append(.refused(ticket.id, error))
            return
        }
        if ticket.quantity > old.quantity || ticket.limitPrice != old.limitPrice || ticket.type != old.type { order.priority = takePriority() }
        order.ticket = ticket
        order.expiresAt = lapse(of: ticket)
        order.changedAt = now
        let stopChanged = ticket.stopPrice != old.stopPrice || ticket.trail != old.trail || ticket.type != old.type
        if order.state != .held, !order.triggered, stopChanged { order.state = .working; arm(&order) }
        if order.remaining == .zero { order.state = .filled }
        store(order)
        events.append(.order(order))
        match(ticket.instrument, fresh: false, &events)
        finishImmediate(ticket.id, &events)
    }

    mutating func cancel(_ id: PaperOrderID, _ events: inout [PaperEvent]) {
        guard let order = book[id] else { events.append(.refused(id, .unknownOrder)); return }
        guard !order.state.isFinal else { events.append(.refused(id, .final(order.state))); return }
        close(id, as: .cancelled, &events)
    }

    /// What placing `ticket` would do to the account; changes nothing.
    /// - Throws: the refusal that placing it would meet.
    package mutating func preview(_ ticket: PaperTicket) throws(PaperRefusal) -> PaperPreview {
        try check(ticket)
        guard let listing = listing(ticket.instrument), let touch = touch(ticket.instrument) else { throw .unknownInstrument }
        let value = Money.value(touch.opposite(of: ticket.side), ticket.quantity, multiplier: listing.instrument.multiplier)
        guard let commission = listing.commission.total(for: ticket.quantity, value: value) else { throw .overflow }
        let before = balance()
        let after = try balance(adding: ticket)
        let required = after.initialMargin
        if required > before.initialMargin, required > before.netLiquidation {
            throw .margin(equity: before.netLiquidation, required: required)
        }
        return PaperPreview(before: before, after: after, commission: commission)
    }

    // MARK: Checks

    /// Everything about a ticket that does not depend on the account; the order of the lines is their precedence.
    private func check(_ ticket: PaperTicket) throws(PaperRefusal) {
        guard let listing = listing(ticket.instrument) else { throw .unknownInstrument }
        let instrument = listing.instrument
        if let expiry = instrument.maturityDate, listing.tradingHours.zone.local(now).date > expiry { throw .instrumentExpired }
        if ticket.quantity <= .zero || ticket.quantity.raw % instrument.lotStep.raw != 0 { throw .quantity }
        // A million lots, or units where lots are parts of one, keeps every product inside its type and is more than the market will ever show.
        if ticket.quantity.raw / max(instrument.lotStep.raw, 100_000_000) > 1_000_000 { throw .quantity }
        let needsLimit = ticket.type == .limit || ticket.type == .stopLimit
        let needsStop = ticket.type == .stop || ticket.type == .stopLimit
        if needsLimit, ticket.limitPrice == nil { throw .incomplete("limit price") }
        if needsStop, ticket.stopPrice == nil { throw .incomplete("stop price") }
        if ticket.type == .trailingStop {
            switch ticket.trail {
            case nil: throw .incomplete("trailing amount or percent")
            case .amount(let amount): if amount.raw <= 0 { throw .incomplete("trailing amount") }
            case .fraction(let part): if part.raw <= 0 || part.raw >= 1_000_000 { throw .incomplete("trailing percent") }
            }
        }
        let prices = [needsLimit ? ticket.limitPrice : nil, ticket.type == .market || ticket.type == .limit ? nil : ticket.stopPrice]
        for price in prices.compactMap({ $0 }) where price.raw <= 0 || !price.isMultiple(of: instrument.minPriceIncrement) {
            throw .price(increment: instrument.minPriceIncrement)
        }
        if ticket.timeInForce == .gtd {
            guard let until = ticket.goodTill else { throw .incomplete("good-till time") }
            if until <= now { throw .goodTillPassed }
        }
    }

    private mutating func checkMargin(_ ticket: PaperTicket) throws(PaperRefusal) {
        // A child only ever closes what its parent opened.
        guard ticket.parent == nil else { return }
        let before = balance()
        var after = try balance(adding: ticket)
        try compare(after, with: before)
        // Working orders on the same side may fill first.
        for order in liveOrders where order.state != .held && order.ticket.side == ticket.side && order.ticket.id != ticket.id {
            let more = try balance(adding: order.ticket, quantity: order.remaining)
            if more.initialMargin > before.initialMargin {
                after.initialMargin = Money(raw: after.initialMargin.raw + more.initialMargin.raw - before.initialMargin.raw)
            }
        }
        try compare(after, with: before)
    }
    private func compare(_ after: PaperBalance, with before: PaperBalance) throws(PaperRefusal) {
        guard after.initialMargin > before.initialMargin, after.initialMargin > before.netLiquidation else { return }
        throw .margin(equity: before.netLiquidation, required: after.initialMargin)
    }

    private func lapse(of ticket: PaperTicket) -> Instant? {
        switch ticket.timeInForce {
        case .gtc: nil
        case .gtd: ticket.goodTill
        case .day, .ioc, .fok:
            listing(ticket.instrument).map { (ticket.outsideHours ? $0.tradingHours : $0.liquidHours).endOfDay(after: now) }
        }
    }

    /// Sets the stop of a stop order and leaves others alone.
    mutating func arm(_ order: inout PaperOrder) {
        switch order.ticket.type {
        case .market, .limit: order.stop = nil
        case .stop, .stopLimit:
            order.stop = order.ticket.stopPrice
            order.state = .armed
        case .trailingStop:
            order.stop = order.ticket.stopPrice
            order.state = .armed
            trail(&order)
        }
    }

    /// IOC and FOK never rest.
    private mutating func finishImmediate(_ id: PaperOrderID, _ events: inout [PaperEvent]) {
        guard let order = book[id], order.state == .working, order.ticket.timeInForce == .ioc || order.ticket.timeInForce == .fok else { return }
        close(id, as: .cancelled, &events)
    }

    /// Ends an order; children that never woke go with it, children of a part-filled parent keep what was filled.
    mutating func close(_ id: PaperOrderID, as state: PaperOrderState, _ events: inout [PaperEvent]) {
        guard var order = book[id], !order.state.isFinal else { return }
        order.state = state
        order.changedAt = now
        store(order)
        events.append(.order(order))
        for child in live where book[child]?.ticket.parent == id {
            guard var held = book[child] else { continue }
            if order.filled == .zero { close(child, as: .cancelled, &events); continue }
            let rest = Quantity(raw: held.filled.raw + order.filled.raw - (childrenFilled[id] ?? 0))
            guard held.ticket.quantity > rest else { continue }
            held.ticket.quantity = rest
            if held.remaining == .zero { held.state = .filled }
            store(held)
            events.append(.order(held))
        }
    }

    /// Ends what has lapsed.
    mutating func expire(_ events: inout [PaperEvent]) {
        for id in live {
            guard let order = book[id] else { continue }
            if let lapse = order.expiresAt, lapse <= now { close(id, as: .expired, &events); continue }
            guard let listing = listing(order.ticket.instrument), let last = listing.instrument.maturityDate else { continue }
            if listing.tradingHours.zone.local(now).date > last { close(id, as: .expired, &events) }
        }
    }
}
