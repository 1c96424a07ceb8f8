// What an order would be if it were asked for now: quantity, notional, leverage, margin, and what *max* is and why.
package import Ledger
package import Values
package import Wire

/// A question about an order.
package struct PreviewAsk: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case order(Side, reverse: Bool), close }
    package var instrument: InstrumentID
    package var kind: Kind
    package var size: OrderSize
    package var trailing: TrailingOffset?
    package init(instrument: InstrumentID, kind: Kind, size: OrderSize, trailing: TrailingOffset? = nil) {
        self.instrument = instrument; self.kind = kind; self.size = size; self.trailing = trailing
    }
}

/// The answer, in numbers; `row` is its API form.
package struct Preview: Hashable, Sendable {
    package var ask: PreviewAsk
    package var side: Side
    /// What is held before it, below zero when short: all of this rests on that.
    package var position = Quantity.zero
    package var closing = Quantity.zero
    package var opening = Quantity.zero
    /// The largest opening quantity now, the term that bound it, and the sentence.
    package var maximum = Quantity.zero
    package var term = ""
    package var words = ""
    /// What the edge's gate would value the order by, and which part of the quote it is.
    package var price: Price?
    package var pricePart: QuotedPrice.Part?
    package var priceAsOf: Instant?
    package var notional: Money?
    package var leverage: Ratio?
    package var margin: ContractMargin?
    package var initialMargin: Money?
    package var maintenanceMargin: Money?
    package var availableFunds: Money?
    package var fundsAsOf: Instant?
    /// The currency of the funds and the margins, which is the account's.
    package var accountCurrency: String?
    package var stopPrice: Price?
    package var reason: String?
    package var cure: String?
    package var warnings: [String] = []

    /// Closing and opening together.
    package var quantity: Quantity { closing.adding(opening) ?? opening }
    package var isAllowed: Bool { reason == nil }

    fileprivate mutating func refuse(_ reason: String, _ cure: String?) {
        guard self.reason == nil else { return }
        self.reason = reason; self.cure = cure
    }
}

extension EdgePicture {
    /// Computes the answer. The limits are the edge's standard ones unless it tells others.
    package func preview(_ ask: PreviewAsk, at now: Instant, limits: SizingLimits = .standard) -> Preview {
        let held = book.netQuantity(ask.instrument)
        var preview = Preview(ask: ask, side: side(ask, held: held))
        preview.position = held
        guard let instrument = book.instruments[ask.instrument] else {
            preview.refuse("\(ask.instrument) is not an instrument this edge knows.", "Choose one of the watched instruments.")
            return preview
        }
        price(&preview)
        let isAgainst = held.raw != 0 && (held.raw > 0) == (preview.side == .sell)
        if isAgainst { preview.closing = held.magnitude }
        size(&preview, instrument, limits, opens: !isAgainst || ask.reverses, at: now)
        judge(&preview, instrument, limits, at: now)
        value(&preview, instrument, held: held)
        warn(&preview, instrument, held: held, at: now)
        return preview
    }

    private func side(_ ask: PreviewAsk, held: Quantity) -> Side {
        switch ask.kind {
        case .order(let side, _): side
        case .close: held.raw > 0 ? .sell : .buy
        }
    }

    /// The far side of the quote: what a market order would meet, and what the gate values it by. Without both sides the last price is shown, and
    /// nothing is opened by it. Nothing is priced on delayed data.
    private func price(_ preview: inout Preview) {
        guard let quote = live.quote(preview.ask.instrument), !quote.isDelayed else { return }
        guard let priced = quote.shown(preview.side) else { return }
        preview.price = priced.price; preview.pricePart = priced.part; preview.priceAsOf = quote.asOf
    }

    /// What the gate says of the quote: both sides, and young by the edge's own clock.
    private func quoteRefusal(_ id: InstrumentID, at now: Instant) -> RiskRefusal? {
        guard let quote = live.quote(id), quote.touch(.buy) != nil else { return .noQuote }
        return age(of: quote.asOf, at: now, over: RiskRefusal.quoteAgeMax).map { .staleQuote(age: $0, limit: RiskRefusal.quoteAgeMax) }
    }

    /// By the edge's own clock, of which ours knows within seconds how far it is.
    private func age(of asOf: Instant, at now: Instant, over limit: Span) -> Span? {
        RiskRefusal.age(of: asOf, at: now + (link.clockOffset ?? .zero), over: limit, ahead: limit)
    }

    /// What the gate says of the account's figures: of the currency that is paid in, and of now.
    private func fundsRefusal(_ instrument: Instrument, at now: Instant) -> RiskRefusal? {
        guard let values = live.account(account), values.availableFunds != nil else { return nil }
        if let gap = RiskRefusal.currencyGap(instrument, account: values.currency) { return gap }
        if let age = age(of: values.asOf, at: now, over: RiskRefusal.fundsAgeMax) { return .staleFunds(age: age, limit: RiskRefusal.fundsAgeMax) }
        guard instrument.securityType == .future, let margin = live.margin(instrument.id) else { return nil }
        return age(of: margin.asOf, at: now, over: RiskRefusal.marginAgeMax).map { .staleMargin(age: $0, limit: RiskRefusal.marginAgeMax) }
    }

    private func size(_ preview: inout Preview, _ instrument: Instrument, _ limits: SizingLimits, opens: Bool, at now: Instant) {
        let account = live.account(self.account)
        preview.availableFunds = account?.availableFunds
        preview.fundsAsOf = account?.availableFunds == nil ? nil : account?.asOf
        preview.accountCurrency = account?.currency
        // What is paid in full needs its price; a future needs the broker's margin for one more contract. Both are said in the account's currency.
        let isForeign = account.map { RiskRefusal.currencyGap(instrument, account: $0.currency) != nil } ?? false
        let full = isForeign ? nil : preview.price.flatMap { Money.value($0, Quantity(whole: 1), multiplier: instrument.multiplier) }
        preview.margin = live.margin(instrument.id)
        let perUnit = instrument.securityType == .future ? preview.margin?.initial : full
        if let refusal = openingRefusal(instrument.id, at: now) {
            preview.term = refusal.term; preview.words = refusal.reason
        } else if let refusal = quoteRefusal(instrument.id, at: now) {
            preview.term = refusal.name; preview.words = refusal.text
        } else if let refusal = fundsRefusal(instrument, at: now) {
            preview.term = refusal.name; preview.words = refusal.text
        } else if let price = preview.price, let funds = account?.availableFunds, let perUnit,
            let maximum = Sizing.maximum(of: instrument, price: price, margin: perUnit, availableFunds: funds, limits: limits)
        {
            preview.maximum = maximum.quantity; preview.term = maximum.term.rawValue
            preview.words = words(maximum.term, maximum.quantity, instrument, funds, limits, account?.currency ?? instrument.currency)
        } else {
            preview.term = "unknown"
            preview.words =
                account?.availableFunds == nil
                ? "The broker has not told the available funds yet." : "The broker has not told the margin of this contract yet."
        }
        guard opens, !preview.ask.isClose else { return }
        switch preview.ask.size {
        case .quantity(let quantity): preview.opening = quantity
        case .max: preview.opening = preview.maximum
        }
        let perUnitMaintenance = instrument.securityType == .future ? preview.margin?.maintenance : full
        preview.initialMargin = perUnit.flatMap { Decimals.product($0.raw, preview.opening.raw, scale: 8) }.map { Money(raw: $0) }
        preview.maintenanceMargin = perUnitMaintenance.flatMap { Decimals.product($0.raw, preview.opening.raw, scale: 8) }.map { Money(raw: $0) }
    }

    private func words(
        _ term: BindingTerm, _ quantity: Quantity, _ instrument: Instrument, _ funds: Money, _ limits: SizingLimits, _ currency: String
    ) -> String {
        switch term {
        case .availableFunds:
            let held = Ratio(raw: 1_000_000 - limits.utilisation.raw)
            let less = held.raw > 0 ? ", less \(Plain.percent(held)) % held back," : ""
            let what = instrument.securityType == .future ? "the initial margin of" : "for"
            return "Available funds of \(Plain.money(funds, currency))\(less) pay \(what) \(Plain.units(quantity, of: instrument))."
        case .quantityMax: return "One order may have \(Plain.units(limits.quantityMax, of: instrument)) at most."
        case .notionalMax: return "One order may be worth \(Plain.money(limits.notionalMax, instrument.currency)) at most."
        }
    }

    /// The refusals that the edge would give too, in the same order.
    private func judge(_ preview: inout Preview, _ instrument: Instrument, _ limits: SizingLimits, at now: Instant) {
        if preview.ask.isClose {
            if preview.closing.raw == 0 { preview.refuse("There is no open position in \(instrument.localSymbol).", "There is nothing to close.") }
            return
        }
        guard preview.closing.raw == 0 || preview.ask.reverses else { return }
        if let refusal = openingRefusal(instrument.id, at: now) { return preview.refuse(refusal.reason, refusal.cure) }
        if let tag = book.unknownOrder(of: instrument.id) { return preview.refuse(RiskRefusal.fateUnknown(tag).text, "Wait a moment.") }
        if let refusal = quoteRefusal(instrument.id, at: now) {
            return preview.refuse(refusal.text, "Wait for the next quote; look at the gateway's market data if none comes.")
        }
        if preview.opening.raw <= 0 || preview.opening.floored(to: instrument.lotStep) != preview.opening {
            if preview.ask.size == .max { return preview.refuse(preview.words, "Free some margin, or wait for the broker's figures.") }
            return preview.refuse(RiskRefusal.badQuantity(preview.opening, step: instrument.lotStep).text, "Ask for a whole number of lots.")
        }
        if preview.opening > limits.quantityMax {
            return preview.refuse(RiskRefusal.quantityMax(limit: limits.quantityMax, actual: preview.opening).text, "Ask for fewer.")
        }
        guard let notional = preview.price.flatMap({ Money.value($0, preview.opening, multiplier: instrument.multiplier) }) else {
            return preview.refuse(RiskRefusal.overflow.text, "Ask for fewer.")
        }
        if notional > limits.notionalMax {
            return preview.refuse(RiskRefusal.notionalMax(limit: limits.notionalMax, actual: notional).text, "Ask for fewer.")
        }
        if let refusal = fundsRefusal(instrument, at: now) {
            return preview.refuse(refusal.text, "Closing is not judged by it: a position can be closed at any time.")
        }
        guard let needed = preview.initialMargin, let funds = preview.availableFunds else {
            return preview.refuse(
                "The broker has not told \(preview.availableFunds == nil ? "the available funds" : "the margin of this contract") yet.",
                "Wait for the broker's figures; they are asked for by themselves.")
        }
        if needed > funds {
            let what = instrument.securityType == .future ? "of initial margin" : "to pay for them"
            let currency = preview.accountCurrency ?? instrument.currency
            return preview.refuse(
                "\(Plain.units(preview.opening, of: instrument)) need \(Plain.money(needed, currency)) \(what); "
                    + "\(Plain.money(funds, currency)) are available.",
                "Ask for fewer \(instrument.securityType == .future ? "contracts" : "shares"), or for max.")
        }
    }

    private func value(_ preview: inout Preview, _ instrument: Instrument, held: Quantity) {
        if preview.initialMargin == nil, preview.opening.raw == 0, preview.price != nil {
            preview.initialMargin = .zero; preview.maintenanceMargin = .zero
        }
        guard let price = preview.price else { return }
        preview.notional = Money.value(price, preview.quantity, multiplier: instrument.multiplier)
        let signed = preview.side == .buy ? preview.quantity : preview.quantity.negated
        if let after = held.adding(signed), let notional = Money.value(price, after.magnitude, multiplier: instrument.multiplier) {
            preview.leverage = leverage(of: exposure(with: instrument.id, notional: notional), in: instrument.currency)
        }
        guard preview.opening.raw > 0, let trailing = preview.ask.trailing else { return }
        preview.stopPrice = firstStop(price, trailing, side: preview.side, step: instrument.minPriceIncrement)
    }

    /// Where a trailing stop would rest first, rounded away from the price.
    private func firstStop(_ price: Price, _ trailing: TrailingOffset, side: Side, step: Price) -> Price? {
        let distance: Price? =
            switch trailing {
            case .amount(let amount): amount
            case .percent(let percent): Decimals.product(price.raw, percent.raw, scale: 6).map { Price(raw: $0) }
            }
        guard let distance else { return nil }
        return side == .buy ? price.subtracting(distance)?.rounded(to: step, up: false) : price.adding(distance)?.rounded(to: step, up: true)
    }

    private func warn(_ preview: inout Preview, _ instrument: Instrument, held: Quantity, at now: Instant) {
        guard preview.isAllowed else { return }
        let word = held.raw > 0 ? "long" : "short"
        if preview.closing.raw > 0, !preview.ask.isClose {
            preview.warnings.append(
                preview.opening.raw == 0
                    ? "You are \(word) \(held.magnitude): this closes them and opens nothing."
                    : "You are \(word) \(held.magnitude): this closes them first, then opens \(preview.opening) the other way.")
        }
        if let asOf = preview.priceAsOf, now - asOf > .seconds(10) { preview.warnings.append("The price is \(Plain.age(now - asOf)) old.") }
        if isBookBehind, now - bookAsOf > .seconds(10) {
            preview.warnings.append("Positions and orders are \(Plain.age(now - bookAsOf)) old: newer entries of the edge are still on their way.")
        }
        if link.state != .live { preview.warnings.append("The edge is silent: the command waits for it and expires.") }
    }
}

extension PreviewAsk {
    var isClose: Bool { kind == .close }
    var reverses: Bool { if case .order(_, reverse: true) = kind { true } else { false } }
    /// How long its command would live.
    var lifetime: Span { isClose ? .seconds(60) : .seconds(10) }
}

extension EdgePicture {
    /// The API's form.
    package func row(_ preview: Preview, at now: Instant) -> JSONValue {
        var row = Row()
        row.put("instrument", preview.ask.instrument); row.put("account", account); row.put("mode", mode.rawValue)
        row.put("side", preview.side.rawValue); row.put("allowed", preview.isAllowed); row.put("reason", preview.reason);
        row.put("cure", preview.cure)
        row.put("position", preview.position)
        row.put("quantity", preview.quantity); row.put("closing", preview.closing); row.put("opening", preview.opening)
        var max = Row()
        max.put("quantity", preview.maximum); max.put("term", preview.term); max.put("words", preview.words)
        row.put("max", max.value)
        row.put("price", preview.price); row.put("pricePart", preview.pricePart?.rawValue); row.put("priceAsOf", preview.priceAsOf);
        row.put("notional", preview.notional)
        row.put("leverage", preview.leverage); row.put("initialMargin", preview.initialMargin)
        row.put("maintenanceMargin", preview.maintenanceMargin)
        if preview.initialMargin != nil { row.put("marginAsOf", preview.margin?.asOf) }
        if preview.price != nil {
            row.put("availableFunds", preview.availableFunds); row.put("fundsAsOf", preview.fundsAsOf)
            row.put("accountCurrency", preview.accountCurrency)
        }
        row.put("stopPrice", preview.stopPrice); row.integer("expiresAfterMs", preview.ask.lifetime.nanoseconds / 1_000_000)
        row.put("warnings", preview.warnings); row.put("currency", currency(preview.ask.instrument)); row.put("asOf", now)
        return row.value
    }
}
