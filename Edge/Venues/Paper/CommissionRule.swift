// What fills cost: by unit, by value, or by unit in tiers.
package import Values

/// One step of a tiered commission: units of an order up to `upTo` in all cost `perUnit` each.
package struct CommissionTier: Hashable, Sendable {
    package var upTo: Quantity
    package var perUnit: Money
    package init(upTo: Quantity, perUnit: Money) { self.upTo = upTo; self.perUnit = perUnit }
}

/// What an order's fills cost together.
package enum CommissionRule: Hashable, Sendable {
    /// So much a unit, at least `minimum` an order, and never more than a part of its value when that is said.
    case perUnit(Money, minimum: Money, mostOfValue: Ratio?)
    /// A part of the value, at least `minimum` an order.
    case ofValue(Ratio, minimum: Money)
    /// So much a unit by tiers, which rise; beyond the last one its price goes on.
    case tiered([CommissionTier], minimum: Money)

    /// So much a unit, at least `minimum` an order.
    package init(perUnit: Money, minimum: Money) { self = .perUnit(perUnit, minimum: minimum, mostOfValue: nil) }

    /// The commission of an order once `quantity` of it is filled.
    /// - Parameter value: what it was worth, nil beyond what money can say.
    /// - Returns: nil when the numbers do not fit.
    package func total(for quantity: Quantity, value: Money?) -> Money? {
        guard quantity > .zero else { return .zero }
        switch self {
        case .perUnit(let each, let minimum, let most):
            guard let raw = Decimals.product(each.raw, quantity.raw, scale: 8) else { return nil }
            let plain = max(Money(raw: raw), minimum)
            guard let most else { return plain }
            guard let value else { return nil }
            return Decimals.product(abs(value.raw), most.raw, scale: 6).map { min(plain, Money(raw: $0)) }
        case .ofValue(let part, let minimum):
            guard let value else { return nil }
            return Decimals.product(abs(value.raw), part.raw, scale: 6).map { max(Money(raw: $0), minimum) }
        case .tiered(let tiers, let minimum):
            var (sum, counted) = (Int64(0), Int64(0))
            for (index, tier) in tiers.enumerated() where counted < quantity.raw {
                let end = index == tiers.count - 1 ? quantity.raw : min(tier.upTo.raw, quantity.raw)
                guard end > counted else { continue }
                guard let part = Decimals.product(tier.perUnit.raw, end - counted, scale: 8) else { return nil }
                let (total, over) = sum.addingReportingOverflow(part)
                guard !over else { return nil }
                (sum, counted) = (total, end)
            }
            return max(Money(raw: sum), minimum)
        }
    }
}
