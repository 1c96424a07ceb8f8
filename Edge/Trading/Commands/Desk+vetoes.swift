// Why the edge will not do what a command asks: each veto has a name, and words that say what to do.
internal import Ledger
internal import Values

/// A veto, as it stands in the ledger.
struct CommandVeto: Error, Hashable, Sendable {
    /// Stable name.
    var code: String
    /// What happened and what to do.
    var text: String
    init(_ code: String, _ text: String) { self.code = code; self.text = text }
}

extension Desk {
    /// What is judged when a command comes, before it may wait for others.
    mutating func admit(_ command: Command, deadline: Instant?, at now: Instant) throws(CommandVeto) {
        let rules = settings.commandRules
        guard command.edge == book.edge || book.edge == nil else { throw CommandVeto("wrongEdge", "The command is for another edge.") }
        let isConsole = command.issuer == "console"
        if !isConsole, !rules.anyBoot {
            guard let bound = command.boundBoot, bound == book.bootID else {
                throw CommandVeto("wrongBoot", "The edge restarted after the command was sent. Look at the orders and ask again.")
            }
        }
        try alive(deadline, at: now)
        if let most = command.body.lifetimeMax, !rules.anyLifetime {
            guard let deadline, deadline - now <= most else {
                throw CommandVeto(
                    "lifetime", "The command was to live longer than the \(most.nanoseconds / 1_000_000_000) s that this edge grants. Ask again.")
            }
        }
        // A halt is never counted, unless all that it asks for is so already.
        let isHalting = if case .raise(let level, _) = command.body { book.haltLevel < level } else { false }
        if !isConsole, !isHalting, !rules.noTokenBucket, let limit = gate.count(command, at: now, rules) {
            throw limit == "tooManyOrders"
                ? CommandVeto(limit, "More than \(rules.ordersPerMinute) orders in a minute. Wait some seconds, then ask again.")
                : CommandVeto(limit, "More than \(rules.commandsPerMinute) commands in a minute. Wait some seconds, then ask again.")
        }
    }

    /// What is judged at the moment at which the command would be executed.
    func judge(_ command: Command, deadline: Instant?, at now: Instant) throws(CommandVeto) {
        let rules = settings.commandRules
        try alive(deadline, at: now)
        if let mode = command.mode, mode != settings.mode, !rules.anyMode {
            throw CommandVeto(
                "wrongMode",
                "The command was meant for a \(mode.rawValue) account, and this edge trades \(settings.mode.rawValue). Load the page anew and look.")
        }
        guard command.tier >= command.body.tier || rules.anyTier else {
            throw CommandVeto("tier", "The command claims a lower trust than it needs. Sign in anew, then ask again.")
        }
        try judgeLoss(command, at: now)
        if book.haltLevel >= .halt, case .watch = command.body {
            let refusal = RiskRefusal.halted(level: book.haltLevel, source: book.haltFact?.source ?? "ledger")
            throw CommandVeto(refusal.name, refusal.text)
        }
        if case .order(let id, _, let size, let trailing, _) = command.body { try mayOpen(command, id, size, trailing) }
        if let expects = command.expects, !rules.ignoresPrecondition, let words = broken(expects, command.body) {
            throw CommandVeto("precondition", words + " Nothing was done. Look again, then ask again.")
        }
    }

    private func alive(_ deadline: Instant?, at now: Instant) throws(CommandVeto) {
        if let deadline, now >= deadline, !settings.commandRules.ignoresDeadline {
            throw CommandVeto("expired", "The command arrived after its time was up; nothing was done.")
        }
    }

    private func mayOpen(_ command: Command, _ id: InstrumentID, _ size: OrderSize, _ trailing: TrailingOffset?) throws(CommandVeto) {
        let rules = settings.commandRules
        guard command.issuer != "console" else { return }
        if let skew = command.skew, skew.nanoseconds.magnitude > rules.skewMax.nanoseconds.magnitude, !rules.ignoresSkew {
            throw CommandVeto(
                "clockSkew",
                "The clocks of cloud and edge are \(skew.nanoseconds.magnitude / 1_000_000_000) s apart; over "
                    + "\(rules.skewMax.nanoseconds / 1_000_000_000) s no order is taken. Set the wrong clock.")
        }
        guard settings.acceptsRemoteOpenings else {
            throw CommandVeto("remoteOrders", "This edge takes no opening orders from afar (its setting remote_orders).")
        }
        guard !settings.wantsSignature || rules.anyTier else {
            // No key of a user is enrolled here yet, so that no signature can be the right one.
            throw CommandVeto(
                "unsigned", "This edge opens only what a user's enrolled key has signed (its setting remote_orders), and knows no such key.")
        }
        if let instrument = book.instruments[id], let listed = settings.listed, !listed.contains(instrument.symbol), !rules.anyInstrument {
            throw CommandVeto("notListed", "\(id) is not among the futures and stocks that this edge's settings list. List it there to trade it.")
        }
        let isInRange =
            switch trailing {
            case .percent(let part): part.raw > 0 && part.raw < 1_000_000
            case .amount(let amount): amount.raw > 0
            case nil: true
            }
        guard isInRange else { throw CommandVeto("badTrailing", RiskRefusal.badTrailing.text) }
        if case .quantity(let quantity) = size, quantity.raw <= 0 {
            throw CommandVeto("badQuantity", "The quantity \(quantity) is not above zero. Ask for a whole number.")
        }
    }

    /// The price that a command is held to: of an order the one that was shown of it, of anything else the mark.
    private static func price(of body: CommandBody, in quote: Quote) -> Price? {
        if case .order(_, let side, _, _, _) = body { quote.shown(side)?.price } else { quote.mark }
    }

    /// What was seen and what is, in words; nil when all still holds.
    private func broken(_ expects: Expectation, _ body: CommandBody) -> String? {
        if let seen = expects.held {
            let held = book.netQuantity(seen.instrument)
            let isLess = seen.orLess && held.magnitude <= seen.quantity.magnitude && (held.raw == 0 || (held.raw > 0) == (seen.quantity.raw > 0))
            if held != seen.quantity, !isLess { return "The screen showed a position of \(seen.quantity) \(seen.instrument); it is \(held)." }
        }
        if let seen = expects.order {
            guard let order = book.order(seen.tag) else {
                return "The screen showed the order \(seen.tag) as \(seen.status.rawValue); there is none."
            }
            if order.status != seen.status {
                return "The screen showed the order \(seen.tag) as \(seen.status.rawValue); it is \(order.status.rawValue)."
            }
        }
        if let seen = expects.halt, seen != book.haltLevel {
            return "The screen showed the halt level \(seen.apiWord); it is \(book.haltLevel.apiWord)."
        }
        if let band = expects.band {
            guard let price = live.quote(band.instrument).flatMap({ Desk.price(of: body, in: $0) }) else {
                return "The screen showed \(band.instrument) between \(band.low) and \(band.high); there is no price now."
            }
            if price < band.low || price > band.high {
                return "The screen showed \(band.instrument) between \(band.low) and \(band.high); it is at \(price)."
            }
        }
        return nil
    }
}
