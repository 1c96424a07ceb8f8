// A position built from executions alone: quantity, average price, realised profit.
package import Values

/// The net holding of one instrument in one account.
package struct Position: Hashable, Sendable {
    package let instrument: InstrumentID
    /// Above zero long, below zero short.
    package private(set) var quantity = Quantity.zero
    /// Average entry price of what is held; nil when flat.
    package private(set) var averagePrice: Price?
    /// Profit of what was closed, before commissions, in the instrument's currency.
    package private(set) var realizedPnL = Money.zero
    /// What the broker charged so far.
    package private(set) var commissions = Money.zero
    /// True when a sum left the range of the numbers; shown, and the instrument is to be halted.
    package private(set) var hasOverflowed = false

    package init(instrument: InstrumentID) { self.instrument = instrument }

    /// Takes one execution in. Closing beyond flat opens the other side at the same price.
    package mutating func apply(side: Side, quantity size: Quantity, price: Price, multiplier: Quantity) {
        precondition(size.raw > 0, "an execution of size \(size)")
        let signed = side == .buy ? size : size.negated
        let opens = quantity.raw == 0 || (quantity.raw > 0) == (signed.raw > 0)
        guard let sum = quantity.adding(signed) else { hasOverflowed = true; return }
        if opens {
            let held = Int128(averagePrice?.raw ?? 0) * Int128(quantity.raw) + Int128(price.raw) * Int128(signed.raw)
            averagePrice = Decimals.divide(held, by: Int128(sum.raw)).map { Price(raw: $0) }
            if averagePrice == nil { hasOverflowed = true }
        } else {
            let closed = Quantity(raw: min(size.raw, quantity.magnitude.raw))
            let long = quantity.raw > 0
            if let average = averagePrice, let gap = long ? price.subtracting(average) : average.subtracting(price),
                let profit = Money.value(gap, closed, multiplier: multiplier), let total = realizedPnL.adding(profit)
            {
                realizedPnL = total
            } else {
                hasOverflowed = true
            }
            if sum.raw == 0 { averagePrice = nil } else if (sum.raw > 0) != long { averagePrice = price }
        }
        quantity = sum
    }

    /// Adds what one execution cost.
    package mutating func charge(_ amount: Money) {
        if let total = commissions.adding(amount) { commissions = total } else { hasOverflowed = true }
    }

    /// Profit of what is held at `mark`, or nil when flat or out of range.
    package func unrealizedPnL(mark: Price, multiplier: Quantity) -> Money? {
        guard let averagePrice, let gap = mark.subtracting(averagePrice) else { return nil }
        return Money.value(gap, quantity, multiplier: multiplier)
    }
}
