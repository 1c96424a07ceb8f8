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
            let reason = "the closing came to nothing: the protection it took away is placed again"
            if let refusal = protect(like: stop, quantity, reason: reason, at: now, into: &out) {
                let cure = "Close the position, or protect it at the broker's own screen."
                return .told("Its protection could NOT be placed again: \(refusal.text) \(cure)")
            }
            missing = missing.subtracting(quantity) ?? .zero
            placed = placed.adding(quantity) ?? placed
        }
        return placed.raw > 0 ? .told("Its protection is placed again for \(placed).") : .notNeeded
    }

    /// One stop like another, through the gate and the ledger as any order. It belongs to no command: the closing is over.
    private mutating func protect(like stop: OrderRecord, _ quantity: Quantity, reason: String, at now: Instant, into out: inout Outcome)
        -> RiskRefusal?
    {
        let wish = OrderWish(
            instrument: stop.leg.instrument, side: stop.leg.side, quantity: quantity, role: .protect, origin: .system, bot: stop.bot,
            ordType: stop.leg.ordType, stopPrice: stop.leg.ordType == .trailingStop ? nil : stop.stopPrice)
        do throws(RiskRefusal) {
            try check(wish, at: now)
            guard let number = takeOrderID() else { throw .noOrderID }
            let leg = Leg(
                role: .protect, instrument: wish.instrument, side: wish.side, quantity: quantity, ordType: wish.ordType,
                limitPrice: stop.limitPrice, stopPrice: wish.stopPrice, trailing: stop.leg.trailing, timeInForce: .gtc, brokerOrderID: number)
            let ticket = Ticket(account: account, origin: .system, command: nil, bot: stop.bot, reason: reason, legs: [leg])
            out.actions.append(.place(draft: out.add(.intent(ticket))))
            return nil
        } catch {
            return error
        }
    }

    // MARK: - Protection that the broker will not take back

    /// How long a rejected restoration rests before its one repetition: what was wrong for a moment may be over then.
    private static var restoreAgain: Span { .seconds(5) }

    /// The stops of the last attempt to protect the open position again, newest first, as far as the broker rejected it. Whatever else works
    /// on the instrument, and a part of the attempt that was taken, makes them no less rejected.
    private func rejectedRestorations(of id: InstrumentID) -> [OrderRecord] {
        guard let newest = newestStop(of: id, where: { $0.isRestored }) else { return [] }
        var rejected: [OrderRecord] = []
        // By their places in the ledger: the wall clock may have been set between two attempts. One attempt is written in one moment.
        book.orders.backward { order in
            guard order.intent.seq >= newest.intent.seq || order.createdAt == newest.createdAt else { return false }
            if order.isRestored, order.status == .rejected, order.leg.instrument == id, order.leg.side == newest.leg.side { rejected.append(order) }
            return true
        }
        return rejected
    }

    /// How much of the open position no working stop covers. A stop that waits for its entry to fill covers what that entry brings.
    private func uncovered(_ id: InstrumentID) -> Quantity {
        let held = book.netQuantity(id)
        let side: Side = held.raw > 0 ? .sell : .buy
        var missing = held.magnitude
        for stop in working(on: id) where stop.leg.role == .protect && stop.leg.side == side {
            if let entry = entry(of: stop), entry.isWorking, entry.cumQty.raw == 0 { continue }
            missing = missing.subtracting(stop.leavesQty) ?? .zero
        }
        return max(.zero, missing)
    }

    /// The broker rejected a protection that was placed again: the ledger says so. The second time its instrument takes no new exposure.
    mutating func tellRejected(_ stop: OrderRecord, text: String, into out: inout Outcome) {
        guard stop.isRestored else { return }
        let id = stop.leg.instrument
        rejectedAt[id] = toldTime
        let words = "The position of \(book.netQuantity(id)) \(id) has no protection: the broker rejected the stop \(stop.tag) that was placed again"
        let why = text.isEmpty ? "" : " (\(text))"
        if stop.reason == Desk.secondAttempt {
            let cure = "It is not tried a third time: close the position, or protect it at the broker's own screen."
            halt(id, rule: Difference.unprotected, text: "\(words)\(why). \(cure)", into: &out)
        } else {
            out.add(.difference(Difference(rule: Difference.unprotected, instrument: id, text: "\(words)\(why). It is tried once more.")))
        }
    }
    private static var secondAttempt: String { "the broker rejected the protection that was placed again: one more attempt" }

    /// One more attempt with a fresh order, for what the rejected ones were to protect and nothing else protects. Entries that rest beside the
    /// position are no reason to leave it bare; a closing order is, and a stop on its way out. What the gate refuses is said in the ledger, once
    /// in the same words, and tried again.
    mutating func retryRejected(at now: Instant, into out: inout Outcome) {
        guard isTrading else { return }
        // What was rejected changes with the ledger alone; most ticks come without an entry.
        if rejections?.head != book.head {
            rejections = (book.head, book.positions.keys.sorted().filter { !rejectedRestorations(of: $0).isEmpty })
        }
        for id in rejections?.instruments ?? [] where programs[id] == nil && restorations[id] == nil && !disagreeing.contains(id) {
            let rejected = rejectedRestorations(of: id)
            guard let newest = rejected.first, newest.reason != Desk.secondAttempt,
                rejectedAt[id].map({ now - $0 >= Desk.restoreAgain }) ?? true,
                !working(on: id).contains(where: { $0.leg.role == .close || ($0.leg.role == .protect && $0.status == .pendingCancel) })
            else { continue }
            let quantity = min(rejected.reduce(Quantity.zero) { $0.adding($1.quantity) ?? $0 }, uncovered(id))
            guard quantity.raw > 0,
                let refusal = protect(like: newest, quantity, reason: Desk.secondAttempt, at: now, into: &out)
            else { continue }
            let text =
                "\(quantity) of the position of \(book.netQuantity(id)) \(id) have no protection: it could not be placed again: \(refusal.text)"
            let cure = "It is tried again. Close the position, or protect it at the broker's own screen."
            let difference = Difference(rule: Difference.unprotected, instrument: id, text: "\(text) \(cure)")
            if !book.differences.contains(difference) { out.add(.difference(difference)) }
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

extension OrderRecord {
    /// True for protection that was placed for a position, not with the entry that opened it.
    var isRestored: Bool { leg.role == .protect && origin == .system && leg.parent == nil }
}
