// From a wish that passed the gate to an intent with its legs.
internal import Ledger
internal import Values

extension Desk {
    /// Checks the wish and drafts its intent, with a trailing stop attached when asked; on a refusal drafts the denial.
    @discardableResult
    mutating func place(_ wish: OrderWish, trailing: TrailingOffset? = nil, reason: String, at now: Instant, into out: inout Outcome) -> RiskRefusal?
    {
        do throws(RiskRefusal) {
            try check(wish, at: now)
            if let trailing { try check(trailing, of: wish, at: now) }
            guard let id = takeOrderID() else { throw RiskRefusal.noOrderID }
            var legs = [
                Leg(
                    role: wish.role, instrument: wish.instrument, side: wish.side, quantity: wish.quantity, ordType: wish.ordType,
                    stopPrice: wish.stopPrice, timeInForce: .day, brokerOrderID: id)
            ]
            if let trailing {
                guard let child = takeOrderID() else { throw RiskRefusal.noOrderID }
                // Protection is GTC: a dead edge must leave a protected position.
                legs.append(
                    Leg(
                        role: .protect, instrument: wish.instrument, side: wish.side.opposite, quantity: wish.quantity, ordType: .trailingStop,
                        trailing: trailing, timeInForce: .gtc, parent: 0, brokerOrderID: child))
            }
            let ticket = Ticket(account: account, origin: wish.origin, command: wish.command, bot: wish.bot, reason: reason, legs: legs)
            let end = settings.commandRules.ignoresDeadline ? nil : wish.deadline
            out.actions.append(.place(draft: out.add(.intent(ticket)), before: end))
            return nil
        } catch {
            out.add(
                .denied(
                    Denial(
                        rule: error.name, instrument: wish.instrument, side: wish.side, quantity: wish.quantity, origin: wish.origin,
                        command: wish.command, bot: wish.bot, text: error.text)))
            return error
        }
    }

    /// Drafts the wish to cancel one order. Risk-reducing: no gate but the session's own.
    func cancel(_ order: OrderRecord, origin: OrderOrigin, command: CommandID?, reason: String, into out: inout Outcome) {
        let draft = out.add(.cancelIntent(CancelIntent(tag: order.tag, origin: origin, command: command, reason: reason)))
        out.actions.append(.cancel(draft: draft, order: order.tag))
    }

    /// Everything of ours that may still fill on an instrument, oldest first.
    func working(on instrument: InstrumentID) -> [OrderRecord] { book.workingOrders.filter { $0.leg.instrument == instrument } }

    /// The entry that an attached protection belongs to.
    func entry(of protection: OrderRecord) -> OrderRecord? {
        guard protection.leg.parent == 0, protection.legIndex > 0 else { return nil }
        // A tag is its intent's with a letter for every leg but the first.
        return book.order(ClOrdID(String(protection.tag.text.dropLast()))).flatMap { $0.intent == protection.intent ? $0 : nil }
    }
}
