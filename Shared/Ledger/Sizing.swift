// How many contracts an account affords, with the name of the term that bound the answer.
package import Values

/// What limited a maximum quantity.
package enum BindingTerm: String, Hashable, Sendable {
    case availableFunds, quantityMax, notionalMax
    /// For the screen.
    package var words: String {
        switch self {
        case .availableFunds: "available funds divided by the initial margin"
        case .quantityMax: "the order quantity limit"
        case .notionalMax: "the order notional limit"
        }
    }
}

/// The numbers that bound an order's size.
package struct SizingLimits: Hashable, Sendable {
    /// The share of the available funds that one order may use.
    package var utilisation: Ratio
    package var quantityMax: Quantity
    /// In the instrument's currency.
    package var notionalMax: Money
    package init(utilisation: Ratio, quantityMax: Quantity, notionalMax: Money) {
        self.utilisation = utilisation; self.quantityMax = quantityMax; self.notionalMax = notionalMax
    }
    /// 80 % of available funds, 100 contracts, one million.
    package static let standard = SizingLimits(
        utilisation: Ratio(raw: 800_000), quantityMax: Quantity(whole: 100), notionalMax: Money(whole: 1_000_000))
}

/// *max*: the largest order that funds and limits allow.
package enum Sizing {
    /// The quantity, floored to the lot step, and what bound it. Nil when margin or price are not above zero or a number does not fit.
    package static func maximum(
        of instrument: Instrument, price: Price, margin: Money, availableFunds: Money, limits: SizingLimits
    ) -> (quantity: Quantity, term: BindingTerm)? {
        guard margin.raw > 0, price.raw > 0, let one = Money.value(price, Quantity(whole: 1), multiplier: instrument.multiplier), one.raw > 0,
            let usable = Decimals.product(max(0, availableFunds.raw), limits.utilisation.raw, scale: 6),
            let byFunds = units(usable, per: margin.raw), let byNotional = units(limits.notionalMax.raw, per: one.raw)
        else { return nil }
        let terms: [(Quantity, BindingTerm)] = [(byFunds, .availableFunds), (limits.quantityMax, .quantityMax), (byNotional, .notionalMax)]
        guard let least = terms.min(by: { $0.0 < $1.0 }) else { return nil }
        return (least.0.floored(to: instrument.lotStep), least.1)
    }

    /// `amount / each` in units at 10^-8, rounded down.
    private static func units(_ amount: Int64, per each: Int64) -> Quantity? {
        Int64(exactly: Int128(amount) * 100_000_000 / Int128(each)).map { Quantity(raw: $0) }
    }
}
