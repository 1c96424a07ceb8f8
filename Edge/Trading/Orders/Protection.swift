// Protection and what it protects: never larger than its position, never refused while its entry rests, never back from the dead.
internal import Ledger
internal import Values

/// Protection that would turn the position round if it filled.
struct Excess: Hashable, Sendable {
    /// Since when it has been seen; what the broker cancels by itself is gone sooner.
    var since: Instant
    /// Positions were compared with the broker's since then.
    var isCompared = false
}

extension Desk {
    /// How long the broker gets to cancel or reduce children by itself.
    private static var patience: Span { .seconds(5) }
    /// How long a stop rests whose cancel the broker refused.
    private static var excessAgain: Span { .minutes(10) }

    /// Cancels or reduces stops that exceed what they protect: after an entry was cancelled in part, or a position was closed by other hands.
    /// Acts only on positions that the broker has just confirmed: a stop that protects something is never taken away by mistake.
    mutating func mendProtection(at now: Instant, into out: inout Outcome) {
        guard isTrading else { return }
        let working = book.workingOrders
        let protected = Set(working.filter { $0.leg.role == .protect }.map(\.leg.instrument))
        for id in excesses.keys.sorted() where !protected.contains(id) { excesses[id] = nil }
        for id in protected.sorted() {
            let orders = working.filter { $0.leg.instrument == id }
            guard let side = excessiveSide(of: orders, held: book.netQuantity(id)), programs[id] == nil else { excesses[id] = nil; continue }
            guard let excess = excesses[id], now >= excess.since else { excesses[id] = Excess(since: now); continue }
            guard now - excess.since >= Desk.patience else { continue }
            guard excess.isCompared else {
                excesses[id]?.isCompared = true
                return compareAgain(at: now, into: &out)
            }
            guard !disagreeing.contains(id) else { continue }
            // What the broker refused to cancel is not asked for all day long.
            guard !orders.contains(where: { $0.cancelRefusedAt.map { now >= $0 && now - $0 < Desk.excessAgain } ?? false }) else { continue }
            excesses[id] = nil
            reduce(orders, side: side, held: book.netQuantity(id), into: &out)
        }
    }

    /// Asks for a comparison with the broker in this connection. No order leaves before it is done.
    mutating func compareAgain(at now: Instant, into out: inout Outcome) {
        reconciliation.again(at: now, hasUnknown: book.workingOrders.contains { $0.status == .unknown }, settings)
        if let gateway = live.gateway { show(gateway, into: &out) }
    }

    /// Stops of one side that are to stay, and how much of them may fill without turning the position round.
    private func cover(_ orders: [OrderRecord], side: Side, held: Quantity) -> (stops: [OrderRecord], excess: Quantity) {
        let stops = orders.filter { $0.leg.role == .protect && $0.leg.side == side && $0.status != .pendingCancel }
        let coming = orders.filter { $0.leg.role == .open && $0.leg.side != side }
        var excess = side == .sell ? max(.zero, held).negated : min(.zero, held)
        // A sum that does not fit is no ground to act on.
        for order in coming { excess = excess.subtracting(order.leavesQty) ?? Quantity(raw: .min) }
        for order in stops { excess = excess.adding(order.leavesQty) ?? .zero }
        return (stops, excess)
    }

    private func excessiveSide(of orders: [OrderRecord], held: Quantity) -> Side? {
        guard !orders.contains(where: { $0.status == .unknown || $0.status == .zombie }) else { return nil }
        return Side.allCases.first { cover(orders, side: $0, held: held).excess > .zero }
    }

    /// The newest goes first.
    private func reduce(_ orders: [OrderRecord], side: Side, held: Quantity, into out: inout Outcome) {
        var (stops, excess) = cover(orders, side: side, held: held)
        while excess > .zero, let stop = stops.popLast() {
            let reason = "it exceeds what it protects by \(excess)"
            if let rest = stop.leavesQty.subtracting(excess), rest > .zero, let quantity = stop.quantity.subtracting(excess) {
                let draft = out.add(.modifyIntent(ModifyIntent(tag: stop.tag, quantity: quantity, reason: reason)))
                out.actions.append(.modify(draft: draft, order: stop.tag))
                return
            }
            cancel(stop, origin: .system, command: nil, reason: reason, into: &out)
            excess = excess.subtracting(stop.leavesQty) ?? .zero
        }
    }

    /// An order whose absence was proved is there: it is cancelled at once, and its instrument takes no new exposure.
    func endZombie(_ order: OrderRecord, into out: inout Outcome) {
        let text = "Order \(order.tag) was not at the broker when it was looked for, and is there now. It is cancelled."
        halt(order.leg.instrument, rule: "R4", text: text, into: &out)
        cancel(order, origin: .system, command: nil, reason: "it was taken for dead", into: &out)
    }

    /// The broker refused a protection: an entry that has not filled yet would open a position without one.
    func endEntry(unprotectedBy protection: OrderRecord, into out: inout Outcome) {
        guard protection.leg.role == .protect, let entry = entry(of: protection), entry.isWorking, entry.status != .pendingCancel,
            entry.status != .unknown
        else { return }
        cancel(entry, origin: .system, command: nil, reason: "the broker refused its protection", into: &out)
    }
}
