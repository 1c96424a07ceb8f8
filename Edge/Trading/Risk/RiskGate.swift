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
    package init(
        instrument: InstrumentID, side: Side, quantity: Quantity, role: LegRole, origin: OrderOrigin, command: CommandID? = nil, bot: String? = nil,
        ordType: OrdType = .market, stopPrice: Price? = nil
    ) {
        self.instrument = instrument; self.side = side; self.quantity = quantity; self.role = role; self.origin = origin; self.command = command
        self.bot = bot; self.ordType = ordType; self.stopPrice = stopPrice
    }
}

/// Why an order was refused here (FIX DENIED), with the numbers that were compared.
package enum RiskRefusal: Error, Hashable, Sendable {
    case halted(level: HaltLevel, source: String)
    case gatewayNotConnected(text: String, cure: String)
    case notReconciled
    case wrongMode(account: String)
    case unknownInstrument(InstrumentID)
    case instrumentHalted(reason: String)
    case fateUnknown(ClOrdID)
    case noQuote
    case staleQuote(age: Span, limit: Span)
    case delayedData
    case noMarketData(text: String, cure: String)
    case badQuantity(Quantity, step: Quantity)
    case quantityMax(limit: Quantity, actual: Quantity)
    case notionalMax(limit: Money, actual: Money)
    case overflow
    case badStop(Price)
    case badTrailing
    case noMargin
    /// The broker would not tell the margin: mostly a permission that the account lacks.
    case marginRefused(text: String, cure: String)
    case insufficientFunds(needed: Money, available: Money)
    case duplicate(within: Span)
    case nothingToClose
    case noOrderID

    /// The refusal's stable name.
    package var name: String { String(String(describing: self).prefix { $0 != "(" }) }

    /// What happened and what to do, for a person.
    package var text: String {
        switch self {
        case .halted(let level, let source): "Trading is \(level.word) (\(source)). Resume at the edge console with `tidewire-edge resume`."
        case .gatewayNotConnected(let text, let cure): cure.isEmpty ? text : "\(text) \(cure)"
        case .notReconciled: "The account is still being compared with the broker. Wait until the gateway shows as trading."
        case .wrongMode(let account):
            "The account \(account) does not fit the configured mode. Correct `mode` or the gateway's login; nothing is sent."
        case .unknownInstrument(let id): "\(id) is not an instrument this edge knows."
        case .instrumentHalted(let reason): "The instrument is halted: \(reason)"
        case .fateUnknown(let tag): "The fate of order \(tag) is not known yet. New orders wait until the broker has told it."
        case .noQuote: "There is no quote for the instrument yet."
        case .staleQuote(let age, let limit):
            "The quote is \(age.nanoseconds / 1_000_000_000) s old; the limit is \(limit.nanoseconds / 1_000_000_000) s."
        case .delayedData: "The market data is delayed. No order is placed on delayed data; subscribe to live data at the broker."
        case .noMarketData(let text, let cure), .marginRefused(let text, let cure): "\(text) \(cure)"
        case .badQuantity(let quantity, let step): "The quantity \(quantity) is not a multiple of \(step) above zero."
        case .quantityMax(let limit, let actual): "The quantity \(actual) is over the limit of \(limit) for one order."
        case .notionalMax(let limit, let actual): "The notional \(actual) is over the limit of \(limit) for one order."
        case .overflow: "A number in this order is too large to be computed."
        case .badStop(let price): "The stop price \(price) is on the wrong side of the market or off the price step."
        case .badTrailing: "The trailing distance must be above zero, on the price step, and less than the price itself."
        case .noMargin: "The broker has not told the margin of this contract yet."
        case .insufficientFunds(let needed, let available): "The order needs \(needed) of initial margin and \(available) is available."
        case .duplicate(let within): "The same order was placed less than \(within.nanoseconds / 1_000_000_000) s ago."
        case .nothingToClose: "There is no open position to close."
        case .noOrderID: "The broker's order numbers are used up (2^31); reset the API order ids in the gateway's settings."
        }
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
        if let reason = book.haltedInstruments[wish.instrument] { throw .instrumentHalted(reason: reason) }
        let mark = try freshMark(of: wish.instrument, at: now)
        guard wish.quantity <= settings.limits.quantityMax else { throw .quantityMax(limit: settings.limits.quantityMax, actual: wish.quantity) }
        guard let notional = Money.value(mark, wish.quantity, multiplier: instrument.multiplier) else { throw .overflow }
        guard notional <= settings.limits.notionalMax else { throw .notionalMax(limit: settings.limits.notionalMax, actual: notional) }
        if wish.ordType == .stop {
            guard let stop = wish.stopPrice, stop.isMultiple(of: instrument.minPriceIncrement), wish.side == .buy ? stop >= mark : stop <= mark else {
                throw .badStop(wish.stopPrice ?? Price(raw: 0))
            }
        }
        try funds(wish, instrument: instrument, notional: notional)
        if isDuplicate(wish, at: now) { throw .duplicate(within: settings.duplicateWindow) }
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

    private func session(opens: Bool) throws(RiskRefusal) {
        if opens, book.haltLevel >= .reducing { throw .halted(level: book.haltLevel, source: book.haltFact?.source ?? "ledger") }
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
        let age = now - quote.asOf
        guard age <= settings.quoteAgeMax else { throw .staleQuote(age: age, limit: settings.quoteAgeMax) }
        return mark
    }

    /// The broker's refusal of this instrument's data, when there was one.
    private func dataNotice(of id: InstrumentID) -> Notice? {
        for code: Int64 in [354, 10_089, 10_168] {
            if case .notice(let notice) = live.items["notice/\(code)/\(id.text)"] { return notice }
        }
        return nil
    }

    /// Futures by the broker's margin; what is paid in full by its notional.
    private func funds(_ wish: OrderWish, instrument: Instrument, notional: Money) throws(RiskRefusal) {
        let available = try freeFunds()
        var needed = notional
        if instrument.securityType == .future {
            guard let margin = live.margin(wish.instrument)?.initial,
                let total = Decimals.product(margin.raw, wish.quantity.raw, scale: 8)
            else { throw missingMargin(of: wish.instrument) }
            needed = Money(raw: total)
        }
        guard needed <= available else { throw .insufficientFunds(needed: needed, available: available) }
    }

    /// The broker's available funds without what its figure cannot hold yet: opening orders placed since it was told, as far as they work or filled.
    func freeFunds() throws(RiskRefusal) -> Money {
        guard let values = live.account(account), let told = values.availableFunds else { throw .noMargin }
        guard settings.countsFundsInFlight else { return told }
        var free = told
        for place in book.orders.indices.reversed() {
            guard book.orders[place].createdAt >= values.asOf else { break }
            let order = book.orders[place]
            let quantity = order.isWorking ? order.quantity : order.cumQty
            guard order.leg.role == .open, quantity.raw > 0 else { continue }
            let (rest, over) = try free.raw.subtractingReportingOverflow(exposure(order, quantity).raw)
            guard !over else { throw .overflow }
            free = Money(raw: rest)
        }
        return free
    }

    /// What a quantity of an order takes of the account's funds.
    private func exposure(_ order: OrderRecord, _ quantity: Quantity) throws(RiskRefusal) -> Money {
        let id = order.leg.instrument
        guard let instrument = book.instruments[id] else { throw .unknownInstrument(id) }
        if instrument.securityType == .future {
            guard let margin = live.margin(id)?.initial else { throw missingMargin(of: id) }
            guard let total = Decimals.product(margin.raw, quantity.raw, scale: 8) else { throw .overflow }
            return Money(raw: total)
        }
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

    /// Walks back in time, as far as the window reaches; the orders are looked at where they are, a busy window holds hundreds.
    private func isDuplicate(_ wish: OrderWish, at now: Instant) -> Bool {
        for place in book.orders.indices.reversed() {
            guard now - book.orders[place].createdAt < settings.duplicateWindow else { return false }
            guard book.orders[place].leg.stopPrice == wish.stopPrice, book.orders[place].leg.quantity == wish.quantity,
                book.orders[place].leg.side == wish.side, book.orders[place].leg.role == .open, book.orders[place].leg.instrument == wish.instrument,
                book.orders[place].bot == wish.bot
            else { continue }
            return true
        }
        return false
    }
}
