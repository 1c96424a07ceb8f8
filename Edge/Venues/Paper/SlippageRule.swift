// What taking costs beyond the touch: a deterministic worsening of every taker's price.
package import Values

/// How much worse than the book's level a taker is filled; never better, and never beyond the taker's own limit.
package enum SlippageRule: Hashable, Sendable {
    case none
    /// Nought to so many ticks, each as likely, drawn from the seed.
    case ticks(Int64)
    /// A part of the spread, rounded up to whole ticks.
    case ofSpread(Ratio)
    /// So many ticks for every so many lots that the fill takes beyond the first.
    case perLots(lots: Int64, ticks: Int64)

    /// Ticks by which one fill is worse.
    func ticks(spread: Int64, lots: Int64, draw: UInt64) -> Int64 {
        switch self {
        case .none: return 0
        case .ticks(let most): return most > 0 ? Int64(draw % UInt64(most + 1)) : 0
        case .ofSpread(let part):
            guard part.raw > 0, spread > 0 else { return 0 }
            return Int64(clamping: (Int128(spread) * Int128(part.raw) + 999_999) / 1_000_000)
        case .perLots(let every, let ticks):
            guard every > 0, ticks > 0, lots > 0 else { return 0 }
            return (lots - 1) / every * ticks
        }
    }
}
