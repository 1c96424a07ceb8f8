// The simulated account: cash, positions at cost, profit and loss. Folded from fills alone, so that replaying them rebuilds it.
package import Values

/// A position at its cost.
package struct PaperPosition: Hashable, Sendable {
    package var instrument: InstrumentID
    /// Long above zero.
    package var quantity: Quantity
    /// Sum of price * quantity that is still open, at 10^-16; has the sign of the quantity.
    package var cost: Int128
    /// Profit and loss that has been realised, before commissions.
    package var realised: Money
    package var commissions: Money
    /// Average entry price; nil when flat.
    package var averagePrice: Price? { quantity == .zero ? nil : Decimals.divide(cost, by: Int128(quantity.raw)).map { Price(raw: $0) } }
}

/// Money and positions; currency is the account's own.
package struct PaperAccount: Hashable, Sendable {
    /// Settled money: deposits, realised profit and loss, commissions, and for stocks the money paid and received.
    package private(set) var cash: Money
    /// In order of their instruments.
    package private(set) var positions: [PaperPosition] = []

    package init(cash: Money) { self.cash = cash }

    /// The position in an instrument; a flat one when never traded.
    package func position(_ instrument: InstrumentID) -> PaperPosition {
        positions.first { $0.instrument == instrument }
            ?? PaperPosition(instrument: instrument, quantity: .zero, cost: 0, realised: .zero, commissions: .zero)
    }

    /// What a fill would realise before commission; nil when it closes nothing.
    /// - Throws: `.overflow` when the numbers do not fit.
    package func realised(by fill: (side: Side, quantity: Quantity, price: Price), in listing: PaperInstrument) throws(PaperRefusal) -> Money? {
        let position = position(listing.instrument.id)
        guard position.quantity.raw * fill.side.sign < 0 else { return nil }
        let closing = min(fill.quantity.raw, position.quantity.magnitude.raw)
        let part = Self.part(of: position.cost, closing, of: position.quantity.magnitude.raw)
        // Closing a long sells at `price` what cost `part`; a short the other way round: both are value of the close minus signed cost.
        let proceeds = Int128(fill.price.raw) * Int128(closing) * (position.quantity.raw > 0 ? 1 : -1)
        return try Self.money(proceeds - part, listing)
    }

    /// Takes a fill into the books. The fill's own `realised` and `commission` are used as they stand.
    package mutating func apply(_ fill: PaperFill, in listing: PaperInstrument) throws(PaperRefusal) {
        var position = position(fill.instrument)
        let signed = fill.quantity.raw * fill.side.sign
        let closing = position.quantity.raw * fill.side.sign < 0 ? min(fill.quantity.raw, position.quantity.magnitude.raw) : 0
        if closing > 0 { position.cost -= Self.part(of: position.cost, closing, of: position.quantity.magnitude.raw) }
        position.cost += Int128(fill.price.raw) * Int128(fill.quantity.raw - closing) * Int128(fill.side.sign)
        position.quantity = Quantity(raw: position.quantity.raw + signed)
        let gain = fill.realised ?? .zero
        var change = Money(raw: gain.raw - fill.commission.raw)
        if !listing.isFuture { change = Money(raw: try Self.money(-Int128(fill.price.raw) * Int128(signed), listing).raw - fill.commission.raw) }
        guard let cash = cash.adding(change), let realised = position.realised.adding(gain),
            let commissions = position.commissions.adding(fill.commission)
        else { throw .overflow }
        self.cash = cash; position.realised = realised; position.commissions = commissions
        if let index = positions.firstIndex(where: { $0.instrument >= fill.instrument }) {
            if positions[index].instrument == fill.instrument { positions[index] = position } else { positions.insert(position, at: index) }
        } else {
            positions.append(position)
        }
    }

    /// Value of a position at a price: of stocks what they are worth, of futures the notional.
    package static func marketValue(_ position: PaperPosition, at price: Price, in listing: PaperInstrument) -> Money? {
        Money.value(price, position.quantity, multiplier: listing.instrument.multiplier)
    }

    /// Profit or loss that closing at `price` would realise.
    package static func unrealised(_ position: PaperPosition, at price: Price, in listing: PaperInstrument) -> Money? {
        try? money(Int128(price.raw) * Int128(position.quantity.raw) - position.cost, listing)
    }

    /// A sum of price * quantity, at 10^-16, as money; nil when it does not fit.
    static func value(_ sum: Int128, in listing: PaperInstrument) -> Money? { try? money(sum, listing) }

    /// `cost * quantity / whole` without a product that could leave Int128.
    private static func part(of cost: Int128, _ quantity: Int64, of whole: Int64) -> Int128 {
        let (each, rest) = cost.quotientAndRemainder(dividingBy: Int128(whole))
        return each * Int128(quantity) + rest * Int128(quantity) / Int128(whole)
    }

    /// price * quantity at 10^-16, times the multiplier, as money.
    private static func money(_ value: Int128, _ listing: PaperInstrument) throws(PaperRefusal) -> Money {
        let (product, over) = value.multipliedReportingOverflow(by: Int128(listing.instrument.multiplier.raw))
        guard !over, let raw = Decimals.divide(product, by: 10_000_000_000_000_000) else { throw .overflow }
        return Money(raw: raw)
    }
}

/// The account valued at one moment.
package struct PaperBalance: Hashable, Sendable {
    package var cash: Money
    /// What the stocks are worth, shorts counted negative.
    package var stockValue: Money
    /// The same without signs: what is exposed.
    package var grossValue: Money
    /// Of all positions.
    package var unrealised: Money
    /// Of futures only: part of net liquidation, as cash has not moved yet.
    package var futuresUnrealised: Money
    package var realised: Money
    package var initialMargin: Money
    package var maintenanceMargin: Money
    package var netLiquidation: Money { Money(raw: cash.raw + stockValue.raw + futuresUnrealised.raw) }
    package var availableFunds: Money { Money(raw: netLiquidation.raw - initialMargin.raw) }
    package var excessLiquidity: Money { Money(raw: netLiquidation.raw - maintenanceMargin.raw) }
}

/// What an order would do to the account, before it is placed.
package struct PaperPreview: Hashable, Sendable {
    package var before: PaperBalance
    package var after: PaperBalance
    package var commission: Money
}
