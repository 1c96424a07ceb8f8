// Price, Quantity, Money and Ratio: the fixed-point numbers of the house, checked at every operation.

/// A price per unit in the instrument's currency, at 10^-8. May be negative (spreads).
@frozen @usableFromInline package struct Price: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The value times 10^8.
    @usableFromInline package var raw: Int64
    @inlinable package init(raw: Int64) { self.raw = raw }
    /// A whole number of currency units. Traps over ±92 bn.
    @inlinable package init(whole: Int64) { raw = whole * 100_000_000 }
    /// A decimal text, exact to 8 places.
    package init(_ text: some StringProtocol, rounding: Rounding = .exact) throws(DecimalError) {
        raw = try Decimals.parse(text, scale: 8, rounding: rounding)
    }
    @inlinable package static func < (a: Price, b: Price) -> Bool { a.raw < b.raw }
    /// The sum, or nil on overflow.
    @inlinable package func adding(_ other: Price) -> Price? {
        let (sum, over) = raw.addingReportingOverflow(other.raw)
        return over ? nil : Price(raw: sum)
    }
    /// The difference, or nil on overflow.
    @inlinable package func subtracting(_ other: Price) -> Price? {
        let (sum, over) = raw.subtractingReportingOverflow(other.raw)
        return over ? nil : Price(raw: sum)
    }
    /// True when the price is a whole number of `increment`s; an increment that is not above zero accepts every price.
    @inlinable package func isMultiple(of increment: Price) -> Bool { increment.raw <= 0 || raw % increment.raw == 0 }
    /// The nearest multiple of `increment` in the given direction; unchanged when the increment is not positive.
    package func rounded(to increment: Price, up: Bool) -> Price {
        guard increment.raw > 0 else { return self }
        let remainder = raw % increment.raw
        let rest = remainder < 0 ? remainder + increment.raw : remainder
        guard rest != 0 else { return self }
        let down = raw.subtractingReportingOverflow(rest)
        let target = up ? down.partialValue.addingReportingOverflow(increment.raw) : down
        return down.overflow || target.overflow ? self : Price(raw: target.partialValue)
    }
    @usableFromInline package var description: String { Decimals.text(raw, scale: 8) }
}

/// A number of shares, contracts or coins, at 10^-8. Signed where it is a position (long above zero).
@frozen @usableFromInline package struct Quantity: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The value times 10^8.
    @usableFromInline package var raw: Int64
    @inlinable package init(raw: Int64) { self.raw = raw }
    /// A whole number of units. Traps over ±92 bn.
    @inlinable package init(whole: Int64) { raw = whole * 100_000_000 }
    /// A decimal text, exact to 8 places.
    package init(_ text: some StringProtocol, rounding: Rounding = .exact) throws(DecimalError) {
        raw = try Decimals.parse(text, scale: 8, rounding: rounding)
    }
    @inlinable package static var zero: Quantity { Quantity(raw: 0) }
    @inlinable package static func < (a: Quantity, b: Quantity) -> Bool { a.raw < b.raw }
    /// The sum, or nil on overflow.
    @inlinable package func adding(_ other: Quantity) -> Quantity? {
        let (sum, over) = raw.addingReportingOverflow(other.raw)
        return over ? nil : Quantity(raw: sum)
    }
    /// The difference, or nil on overflow.
    @inlinable package func subtracting(_ other: Quantity) -> Quantity? {
        let (sum, over) = raw.subtractingReportingOverflow(other.raw)
        return over ? nil : Quantity(raw: sum)
    }
    /// The same size with the opposite sign. Int64.min cannot occur: it is outside what `init(_:)` accepts for a size.
    @inlinable package var negated: Quantity { Quantity(raw: 0 &- raw) }
    /// The size without its sign.
    @inlinable package var magnitude: Quantity { Quantity(raw: raw < 0 ? 0 &- raw : raw) }
    /// Rounded towards zero to a multiple of `step`; unchanged when the step is not positive.
    @inlinable package func floored(to step: Quantity) -> Quantity { step.raw > 0 ? Quantity(raw: raw - raw % step.raw) : self }
    @usableFromInline package var description: String { Decimals.text(raw, scale: 8) }
}

/// An amount of one currency, at 10^-8 (±92 bn); the currency stands beside it where more than one is possible.
@frozen @usableFromInline package struct Money: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The value times 10^8.
    @usableFromInline package var raw: Int64
    @inlinable package init(raw: Int64) { self.raw = raw }
    /// A whole number of currency units. Traps over ±92 bn.
    @inlinable package init(whole: Int64) { raw = whole * 100_000_000 }
    /// A decimal text, exact to 8 places.
    package init(_ text: some StringProtocol, rounding: Rounding = .exact) throws(DecimalError) {
        raw = try Decimals.parse(text, scale: 8, rounding: rounding)
    }
    @inlinable package static var zero: Money { Money(raw: 0) }
    @inlinable package static func < (a: Money, b: Money) -> Bool { a.raw < b.raw }
    /// The sum, or nil on overflow.
    @inlinable package func adding(_ other: Money) -> Money? {
        let (sum, over) = raw.addingReportingOverflow(other.raw)
        return over ? nil : Money(raw: sum)
    }
    /// The difference, or nil on overflow.
    @inlinable package func subtracting(_ other: Money) -> Money? {
        let (sum, over) = raw.subtractingReportingOverflow(other.raw)
        return over ? nil : Money(raw: sum)
    }
    @inlinable package var negated: Money { Money(raw: 0 &- raw) }
    /// `price * quantity * multiplier`, rounded half to even at 10^-8, or nil when it does not fit.
    package static func value(_ price: Price, _ quantity: Quantity, multiplier: Quantity) -> Money? {
        // Rounded once. What leaves 2^127 here is above 10^22 when divided, and so leaves the range as well.
        let (product, over) = (Int128(price.raw) * Int128(quantity.raw)).multipliedReportingOverflow(by: Int128(multiplier.raw))
        return over ? nil : Decimals.divide(product, by: 10_000_000_000_000_000).map { Money(raw: $0) }
    }
    @usableFromInline package var description: String { Decimals.text(raw, scale: 8) }
}

/// A pure number at 10^-6: scores, confidences, percentages as fractions, leverage.
@frozen @usableFromInline package struct Ratio: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The value times 10^6.
    @usableFromInline package var raw: Int64
    @inlinable package init(raw: Int64) { self.raw = raw }
    /// A decimal text, exact to 6 places unless rounding is asked for.
    package init(_ text: some StringProtocol, rounding: Rounding = .exact) throws(DecimalError) {
        raw = try Decimals.parse(text, scale: 6, rounding: rounding)
    }
    /// `dividend / divisor`, or nil when the divisor is zero or the quotient does not fit.
    package static func of(_ dividend: Money, over divisor: Money) -> Ratio? {
        Decimals.divide(Int128(dividend.raw) * 1_000_000, by: Int128(divisor.raw)).map { Ratio(raw: $0) }
    }
    @inlinable package static func < (a: Ratio, b: Ratio) -> Bool { a.raw < b.raw }
    @usableFromInline package var description: String { Decimals.text(raw, scale: 6) }
}
