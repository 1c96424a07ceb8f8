// Protection that a closing took away and that its position still needs: placed again when the closing came to nothing.
internal import Ledger
internal import Values

extension Desk {
    /// What became of the wish to protect a position again.
    enum Restored {
        /// Nothing was taken away, or nothing is held.
        case notNeeded
        /// The broker has still to tell the fate of an order: a stop beside a closing order could turn the position round.
        case mustWait
        /// Placed or refused, in words.
        case told(String)
    }

    /// Places the protection again that the closing commands cancelled: the same kind and distance, no more than is held and unprotected.
    /// Which it was stands in the ledger, each cancel names its command. A trailing stop starts anew from the present price.
    mutating func restore(_ id: InstrumentID, of commands: [CommandID], at now: Instant, into out: inout Outcome) -> Restored {
        let held = book.netQuantity(id)
        let side: Side = held.raw > 0 ? .sell : .buy
        let tags = Set(commands.flatMap { book.commandOrders[$0] ?? [] }).sorted()
        let removed = tags.compactMap { book.order($0) }.filter { $0.leg.role == .protect && $0.leg.instrument == id && $0.leg.side == side }
        guard held.raw != 0, !removed.isEmpty else { return .notNeeded }
        let orders = working(on: id)
        let isOpen = orders.contains { $0.status == .unknown || $0.leg.role == .close || ($0.leg.role == .protect && $0.status == .pendingCancel) }
        guard isTrading, !isOpen else { return .mustWait }
        guard !disagreeing.contains(id) else {
            return .told("The broker holds another position than the ledger, so its protection is not placed again. Protect it at the broker.")
        }
        var missing = held.magnitude
        for stop in orders where stop.leg.role == .protect && stop.leg.side == side { missing = missing.subtracting(stop.leavesQty) ?? .zero }
        var placed = Quantity.zero
        // The oldest intent first: what comes last is the newest, and an excess is taken from there.
        for stop in removed.sorted(by: { $0.leg.brokerOrderID < $1.leg.brokerOrderID }) where !stop.isWorking && missing.raw > 0 {
            guard let rest = stop.quantity.subtracting(stop.cumQty), rest.raw > 0 else { continue }
            let quantity = min(rest, missing)
            if let refusal = protect(like: stop, quantity, at: now, into: &out) {
                let cure = "Close the position, or protect it at the broker's own screen."
                return .told("Its protection could NOT be placed again: \(refusal.text) \(cure)")
            }
            missing = missing.subtracting(quantity) ?? .zero
            placed = placed.adding(quantity) ?? placed
        }
        return placed.raw > 0 ? .told("Its protection is placed again for \(placed).") : .notNeeded
    }

    /// One stop like another, through the gate and the ledger as any order. It belongs to no command: the closing is over.
    private mutating func protect(like stop: OrderRecord, _ quantity: Quantity, at now: Instant, into out: inout Outcome) -> RiskRefusal? {
        let wish = OrderWish(
            instrument: stop.leg.instrument, side: stop.leg.side, quantity: quantity, role: .protect, origin: .system, bot: stop.bot,
            ordType: stop.leg.ordType, stopPrice: stop.leg.ordType == .trailingStop ? nil : stop.stopPrice)
        do throws(RiskRefusal) {
            try check(wish, at: now)
            guard let number = takeOrderID() else { throw .noOrderID }
            let leg = Leg(
                role: .protect, instrument: wish.instrument, side: wish.side, quantity: quantity, ordType: wish.ordType,
                limitPrice: stop.limitPrice, stopPrice: wish.stopPrice, trailing: stop.leg.trailing, timeInForce: .gtc, brokerOrderID: number)
            let reason = "the closing came to nothing: the protection it took away is placed again"
            let ticket = Ticket(account: account, origin: .system, command: nil, bot: stop.bot, reason: reason, legs: [leg])
            out.actions.append(.place(draft: out.add(.intent(ticket))))
            return nil
        } catch {
            return error
        }
    }

    /// What had to wait when its closing was given up.
    mutating func advanceRestorations(at now: Instant, into out: inout Outcome) {
        for id in restorations.keys.sorted() where programs[id] == nil {
            if case .mustWait = restore(id, of: restorations[id] ?? [], at: now, into: &out) { continue }
            restorations[id] = nil
        }
    }
}
