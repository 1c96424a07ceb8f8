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

    /// What is held has cost so much, at 10⁻⁸, with the rounding of every closing still in it; what that comes to at flat is moved to `rounding`.
    package private(set) var cost: Int128 = 0
    /// What all closings so far left over between the money paid and received and the profit told, at 10⁻⁸.
    package private(set) var rounding: Int128 = 0
    /// False from an execution whose value is not known until flat.
    package private(set) var isCostKnown = true

    /// Takes one execution in. Closing beyond flat opens the other side at the same price.
    /// - Parameter multiplier: nil when it is not known: the position is counted, its cost is not.
    /// - Returns: false when a number left its range; `hasOverflowed` stays set then.
    @discardableResult
    package mutating func apply(side: Side, quantity size: Quantity, price: Price, multiplier: Quantity?) -> Bool {
        precondition(size.raw > 0, "an execution of size \(size)")
        let signed = side == .buy ? size : size.negated
        let before = quantity
        let opens = before.raw == 0 || (before.raw > 0) == (signed.raw > 0)
        guard let sum = before.adding(signed) else { hasOverflowed = true; return false }
        var isGood = true
        var profit = Money.zero
        if opens {
            let held = Int128(averagePrice?.raw ?? 0) * Int128(before.raw) + Int128(price.raw) * Int128(signed.raw)
            averagePrice = Decimals.divide(held, by: Int128(sum.raw)).map { Price(raw: $0) }
            if averagePrice == nil { isGood = false }
        } else {
            let closed = Quantity(raw: min(size.raw, before.magnitude.raw))
            let long = before.raw > 0
            if let average = averagePrice, let gap = long ? price.subtracting(average) : average.subtracting(price),
                let gain = Money.value(gap, closed, multiplier: multiplier ?? Quantity(whole: 1)), let total = realizedPnL.adding(gain)
            {
                realizedPnL = total
                profit = gain
            } else {
                isGood = false
            }
            if sum.raw == 0 { averagePrice = nil } else if (sum.raw > 0) != long { averagePrice = price }
        }
        quantity = sum
        account(before: before, traded: signed, price, profit, multiplier)
        if !isGood { hasOverflowed = true; isCostKnown = sum.raw == 0 }
        return isGood
    }

    /// Keeps `cost` and `rounding`. With every profit taken out, what a position cost is zero again when it is flat, but for rounding.
    private mutating func account(before: Quantity, traded: Quantity, _ price: Price, _ profit: Money, _ multiplier: Quantity?) {
        let crosses = before.raw != 0 && (quantity.raw == 0 || (quantity.raw > 0) != (before.raw > 0))
        let value = multiplier.flatMap { Money.value(price, traded, multiplier: $0) }
        let opened = crosses ? multiplier.flatMap { Money.value(price, quantity, multiplier: $0) } : Money.zero
        guard let value, let opened else {
            isCostKnown = quantity.raw == 0
            cost = 0
            return
        }
        if isCostKnown || crosses {
            let rest = cost + Int128(value.raw) - Int128(opened.raw) + Int128(profit.raw)
            if crosses, isCostKnown { rounding += rest }
            cost = crosses ? Int128(opened.raw) : rest
        }
        if crosses { isCostKnown = true }
    }

    /// Adds what one execution cost.
    package mutating func charge(_ amount: Money) {
        if let total = commissions.adding(amount) { commissions = total } else { hasOverflowed = true }
    }

    /// Takes a fill in.
    @discardableResult
    package mutating func apply(_ fill: Fill, multiplier: Quantity?) -> Bool {
        apply(side: fill.side, quantity: fill.lastQty, price: fill.lastPx, multiplier: multiplier)
    }

    /// The same position after other executions: what was charged stays.
    package func emptied() -> Position {
        var other = Position(instrument: instrument)
        other.commissions = commissions
        return other
    }

    /// A position as a snapshot has it; the writing half is its canonical form.
    init(_ reader: inout Unpacker) throws(PackError) {
        instrument = try reader.instrument()
        quantity = try reader.quantity()
        averagePrice = try reader.optional { reader throws(PackError) in try reader.price() }
        realizedPnL = try reader.money(); commissions = try reader.money(); hasOverflowed = try reader.flag()
        cost = try reader.little(Int128.self); rounding = try reader.little(Int128.self); isCostKnown = try reader.flag()
    }

    /// Profit of what is held at `mark`, or nil when flat or out of range.
    package func unrealizedPnL(mark: Price, multiplier: Quantity) -> Money? {
        guard let averagePrice, let gap = mark.subtracting(averagePrice) else { return nil }
        return Money.value(gap, quantity, multiplier: multiplier)
    }
}
