// The risk gate: a column of rules in order of precedence, each with its own named refusal.
package import Ledger
package import Values

/// An order somebody wants, before it is an intent.
package struct OrderWish: Hashable, Sendable {
    package var instrument: InstrumentID
    package var side: Side
    package var quantity: Quantity
    package var role: LegRole
    package var origin: OrderOrigin
    package var command: CommandID?
    package var bot: String?
    package var ordType: OrdType
    package var stopPrice: Price?
    /// When its command's life ends; nil for one that has none.
    package var deadline: Instant?
    package init(
        instrument: InstrumentID, side: Side, quantity: Quantity, role: LegRole, origin: OrderOrigin, command: CommandID? = nil, bot: String? = nil,
        ordType: OrdType = .market, stopPrice: Price? = nil, deadline: Instant? = nil
    ) {
        self.instrument = instrument; self.side = side; self.quantity = quantity; self.role = role; self.origin = origin; self.command = command
        self.bot = bot; self.ordType = ordType; self.stopPrice = stopPrice; self.deadline = deadline
    }
}

extension Quote {
    /// The last trade where bid and ask agree with it, else their middle; nil without both. A quote's age is that of its youngest part, and
    /// a venue tells Friday's last trade anew to each subscriber: a last price alone proves nothing of now. Bid and ask come one after the other,
    /// so a moving market looks crossed for a moment: that is no ground to refuse.
    fileprivate var quotedMark: Price? {
        guard let bid, let ask, bid.raw > 0, ask.raw > 0 else { return nil }
        if let last, last >= min(bid, ask), last <= max(bid, ask) { return last }
        var touch = self
        touch.last = nil
        return touch.mark
    }
}

extension Desk {
    /// The column. Closing and protecting orders skip what only guards new exposure.
    func check(_ wish: OrderWish, at now: Instant) throws(RiskRefusal) {
        let opens = wish.role == .open
        try session(opens: opens)
        guard let instrument = book.instruments[wish.instrument] else { throw .unknownInstrument(wish.instrument) }
        guard wish.quantity.raw > 0, wish.quantity.floored(to: instrument.lotStep) == wish.quantity else {
            throw .badQuantity(wish.quantity, step: instrument.lotStep)
        }
        if let unknown = book.unknownOrder(of: wish.instrument) { throw .fateUnknown(unknown) }
        guard opens else { return }
        if let reason = book.haltedInstruments[wish.instrument] ?? doubt(of: instrument) { throw .instrumentHalted(reason: reason) }
        let mark = try freshMark(of: wish.instrument, at: now)
        guard wish.quantity <= settings.limits.quantityMax else { throw .quantityMax(limit: settings.limits.quantityMax, actual: wish.quantity) }
        let price = try freshPrice(of: wish.instrument, wish.side, at: now).price
        guard let notional = Money.value(price, wish.quantity, multiplier: instrument.multiplier) else { throw .overflow }
        guard notional <= settings.limits.notionalMax else { throw .notionalMax(limit: settings.limits.notionalMax, actual: notional) }
        if wish.ordType == .stop {
            guard let stop = wish.stopPrice, stop.isMultiple(of: instrument.minPriceIncrement), wish.side == .buy ? stop >= mark : stop <= mark else {
                throw .badStop(wish.stopPrice ?? Price(raw: 0))
            }
        }
        try funds(wish, instrument: instrument, notional: notional, at: now)
        if recent.repeats(wish, at: now, within: settings.duplicateWindow, book) { throw .duplicate(within: settings.duplicateWindow) }
    }

    /// A distance that the broker would refuse leaves the entry without its protection.
    func check(_ trailing: TrailingOffset, of wish: OrderWish, at now: Instant) throws(RiskRefusal) {
        switch trailing {
        case .percent(let part): guard part.raw > 0, part.raw < 1_000_000 else { throw .badTrailing }
        case .amount(let amount):
            guard let instrument = book.instruments[wish.instrument] else { throw .unknownInstrument(wish.instrument) }
            guard amount.raw > 0, amount.isMultiple(of: instrument.minPriceIncrement), try amount < freshMark(of: wish.instrument, at: now) else {
                throw .badTrailing
            }
        }
    }

    /// Why the books are no ground for new exposure; nil when they are.
    private func doubt(of instrument: Instrument) -> String? {
        if let seq = book.unbalanced { return "Entry \(seq) of the ledger does not balance. Run `tidewire-edge ledger verify` and tell the makers." }
        return book.suspended[instrument.id].map { "A difference with the broker of \($0) stands in suspense: R9." }
    }

    private func session(opens: Bool) throws(RiskRefusal) {
        if opens, book.haltLevel >= .reducing { throw .halted(level: book.haltLevel, source: book.haltFact?.source ?? "ledger") }
        if let trouble = ledgerTrouble, trouble.kind.stopsAll || (opens && trouble.kind.stopsOpening) {
            throw .ledgerUnsound(text: trouble.text, cure: trouble.cure)
        }
        if let unreachable { throw unreachable }
        guard reconciliation.isDone else { throw .notReconciled }
    }

    /// Why nothing at all can be said to the broker now; nil when it listens, compared or not.
    var unreachable: RiskRefusal? {
        guard let gateway = live.gateway else { return .gatewayNotConnected(text: "The broker's gateway has not been heard yet.", cure: "") }
        if gateway.condition == .wrongAccount { return .wrongMode(account: gateway.account) }
        let listens = gateway.condition == .connected || gateway.condition == .reconciling
        return listens ? nil : .gatewayNotConnected(text: gateway.text, cure: gateway.cure)
    }

    /// A price to judge by: young enough, not delayed, not refused by the broker.
    func freshMark(of id: InstrumentID, at now: Instant) throws(RiskRefusal) -> Price {
        guard let quote = live.quote(id), quote.mark != nil else {
            if let notice = dataNotice(of: id) { throw .noMarketData(text: notice.text, cure: notice.cure) }
            throw .noQuote
        }
        if quote.isDelayed { throw .delayedData }
        // A price of zero would make every order affordable.
        guard let mark = quote.quotedMark ?? (settings.trustsLastAlone ? quote.last : nil), mark.raw > 0 else { throw .noQuote }
        if let age = RiskRefusal.age(of: quote.asOf, at: now, over: settings.quoteAgeMax) { throw .staleQuote(age: age, limit: settings.quoteAgeMax) }
        return mark
    }

    /// The price that a market order of a side is valued by, which the preview shows beforehand: the ask for a purchase, the bid for a sale.
    func freshPrice(of id: InstrumentID, _ side: Side, at now: Instant) throws(RiskRefusal) -> QuotedPrice {
        let mark = try freshMark(of: id, at: now)
        return live.quote(id)?.touch(side) ?? QuotedPrice(price: mark, part: .last)
    }

    /// The broker's refusal of this instrument's data, when there was one.
    private func dataNotice(of id: InstrumentID) -> Notice? {
        for code: Int64 in [354, 10_089, 10_168] {
            if case .notice(let notice) = live.items["notice/\(code)/\(id.text)"] { return notice }
        }
        return nil
    }

    /// Futures by the broker's margin; what is paid in full by its notional.
    private func funds(_ wish: OrderWish, instrument: Instrument, notional: Money, at now: Instant) throws(RiskRefusal) {
        let available = try freeFunds(for: instrument, at: now)
        var needed = notional
        if instrument.securityType == .future {
            let margin = try freshMargin(of: wish.instrument, at: now)
            guard let total = Decimals.product(margin.raw, wish.quantity.raw, scale: 8) else { throw .overflow }
            needed = Money(raw: total)
        }
        guard needed <= available else { throw .insufficientFunds(needed: needed, available: available) }
    }

    /// The broker's initial margin for one more contract, young enough to judge by.
    func freshMargin(of id: InstrumentID, at now: Instant) throws(RiskRefusal) -> Money {
        guard let margin = live.margin(id) else { throw missingMargin(of: id) }
        if let age = RiskRefusal.age(of: margin.asOf, at: now, over: settings.marginAgeMax) {
            throw .staleMargin(age: age, limit: settings.marginAgeMax)
        }
        return margin.initial
    }

    /// The broker's available funds without what its figure cannot hold yet: opening orders placed since it was told, as far as they work or filled.
    /// Of a figure that is too old, or in another currency than what is to be paid, nothing is said.
    func freeFunds(for instrument: Instrument, at now: Instant) throws(RiskRefusal) -> Money {
        guard let values = live.account(account), let told = values.availableFunds else { throw .noMargin }
        if let gap = RiskRefusal.currencyGap(instrument, account: values.currency) { throw gap }
        if let age = RiskRefusal.age(of: values.asOf, at: now, over: settings.fundsAgeMax) {
            throw .staleFunds(age: age, limit: settings.fundsAgeMax)
        }
        guard settings.countsFundsInFlight else { return told }
        var free = told
        var refusal: RiskRefusal?
        recent.since(values.asOf, book) { order in
            let quantity = order.isWorking ? order.quantity : order.cumQty
            guard order.leg.role == .open, quantity.raw > 0 else { return true }
            do throws(RiskRefusal) {
                let (rest, over) = try free.raw.subtractingReportingOverflow(exposure(order, quantity, in: values.currency).raw)
                guard !over else { throw .overflow }
                free = Money(raw: rest)
            } catch { refusal = error }
            return refusal == nil
        }
        if let refusal { throw refusal }
        return free
    }

    /// What a quantity of an order takes of the account's funds.
    private func exposure(_ order: OrderRecord, _ quantity: Quantity, in currency: String) throws(RiskRefusal) -> Money {
        let id = order.leg.instrument
        guard let instrument = book.instruments[id] else { throw .unknownInstrument(id) }
        if instrument.securityType == .future {
            guard let margin = live.margin(id)?.initial else { throw missingMargin(of: id) }
            guard let total = Decimals.product(margin.raw, quantity.raw, scale: 8) else { throw .overflow }
            return Money(raw: total)
        }
        if let gap = RiskRefusal.currencyGap(instrument, account: currency) { throw gap }
        guard let price = order.limitPrice ?? order.stopPrice ?? order.avgPx ?? live.quote(id)?.mark else { throw .noQuote }
        guard let total = Money.value(price, quantity, multiplier: instrument.multiplier) else { throw .overflow }
        return total
    }

    /// In the broker's own words when it gave any.
    func missingMargin(of id: InstrumentID) -> RiskRefusal {
        for code: Int64 in [203, 201] {
            if case .notice(let notice) = live.items["notice/\(code)/\(id.text)"] { return .marginRefused(text: notice.text, cure: notice.cure) }
        }
        return .noMargin
    }
}
