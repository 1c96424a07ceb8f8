// What an instrument of the simulated exchange needs beyond its contract: price process, depth, margin, commission, hours.
package import Values

/// What must be deposited for a position.
package enum MarginRule: Hashable, Sendable {
    /// Money per contract, as futures exchanges ask.
    case perContract(initial: Money, maintenance: Money)
    /// Parts of the position's value, as for stocks.
    case fraction(initial: Ratio, maintenance: Ratio)
}

/// How much is on show at each price, in lots, and how often something trades.
package struct DepthRule: Hashable, Sendable {
    /// Lots at the touch and at each level behind it.
    package var lots: ClosedRange<Int64>
    /// Levels on each side that a taker can reach within one step.
    package var levels: Int
    /// The widest spread in ticks.
    package var spreadTicks: Int64
    /// The largest single trade in lots.
    package var tradeLots: Int64
    /// Trades in a hundred steps.
    package var tradesPerHundred: UInt64
    package init(lots: ClosedRange<Int64>, levels: Int, spreadTicks: Int64, tradeLots: Int64, tradesPerHundred: UInt64) {
        precondition(lots.lowerBound > 0 && levels > 0 && spreadTicks > 0 && tradeLots > 0 && tradesPerHundred > 0, "an empty market")
        self.lots = lots; self.levels = levels; self.spreadTicks = spreadTicks; self.tradeLots = tradeLots; self.tradesPerHundred = tradesPerHundred
    }
}

/// An instrument as the simulated exchange lists it.
package struct PaperInstrument: Sendable {
    package var instrument: Instrument
    package var longName: String
    package var process: PriceProcess
    /// Instruments with the same key move together (the months of one future).
    package var walkKey: String
    /// Ticks added to the process: the carry of a later month.
    package var offsetTicks: Int64
    package var depth: DepthRule
    package var margin: MarginRule
    package var commission: CommissionRule
    /// When orders can match at all.
    package var tradingHours: ExchangeHours
    /// When orders match that did not ask for trading outside regular hours.
    package var liquidHours: ExchangeHours
    /// Set when this is a right on another instrument: `process` is then the other one's, and the price what the model makes of it.
    package var option: OptionTerms?
    package init(
        instrument: Instrument, longName: String, process: PriceProcess, walkKey: String, offsetTicks: Int64, depth: DepthRule,
        margin: MarginRule, commission: CommissionRule, tradingHours: ExchangeHours, liquidHours: ExchangeHours
    ) {
        self.instrument = instrument; self.longName = longName; self.process = process; self.walkKey = walkKey; self.offsetTicks = offsetTicks
        self.depth = depth; self.margin = margin; self.commission = commission; self.tradingHours = tradingHours; self.liquidHours = liquidHours
    }
    /// Futures pay profit and loss only; stocks are paid for in full.
    package var isFuture: Bool { instrument.securityType == .future }
    /// Currencies are quoted by dealers: their trades are nobody's to see.
    package var hasTrades: Bool { instrument.securityType != .currency }
    /// Dealers of options show no book.
    package var hasDepth: Bool { instrument.securityType != .option }
}
