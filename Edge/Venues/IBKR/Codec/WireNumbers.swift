// Numbers of the wire that are neither price nor money: sizes that may exceed a Quantity, and pure numbers.
package import Values

/// A size as the gateway writes it, at 10^-8. Wider than `Quantity`, because volumes can be: 9007199254740993 is read exactly.
package struct WireSize: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The value times 10^8.
    package var raw: Int128
    package init(raw: Int128) { self.raw = raw }
    package init(_ quantity: Quantity) { raw = Int128(quantity.raw) }
    /// A whole number of units.
    package init(whole: Int64) { raw = Int128(whole) * 100_000_000 }
    package static func < (a: WireSize, b: WireSize) -> Bool { a.raw < b.raw }
    /// The same size where it fits.
    package var quantity: Quantity? { Int64(exactly: raw).map { Quantity(raw: $0) } }
    /// Decimal text without an exponent or trailing zeros.
    package var description: String {
        if let narrow = Int64(exactly: raw) { return Decimals.text(narrow, scale: 8) }
        let whole = String(raw / 100_000_000)
        let rest = Int64((raw % 100_000_000).magnitude)
        return rest == 0 ? whole : whole + Decimals.text(rest, scale: 8).dropFirst()
    }
}

/// A number without a unit, at 10^-8: a percentage, a greek, a volatility.
package struct WireNumber: Hashable, Sendable, CustomStringConvertible {
    /// The value times 10^8.
    package var raw: Int64
    package init(raw: Int64) { self.raw = raw }
    package var description: String { Decimals.text(raw, scale: 8) }
}
