// The parts of an order that most orders do not have.
package import Values

/// A commission rebate arrangement.
package struct SoftDollarTier: Hashable, Sendable {
    package var name = ""
    package var value = ""
    package var displayName = ""
    package init() {}
}

/// Who decided and executed, for European rules.
package struct Mifid: Hashable, Sendable {
    package var decisionMaker = ""
    package var decisionAlgo = ""
    package var executionTrader = ""
    package var executionAlgo = ""
    package init() {}
}

/// The hedge of a volatility order. The server writes `None` for an order without one.
package struct DeltaNeutralTerms: Hashable, Sendable {
    package var orderType = ""
    package var auxPrice: Price?
    package var conId: Int64 = 0
    package var settlingFirm = ""
    package var clearingAccount = ""
    package var clearingIntent = ""
    package var openClose = ""
    package var shortSale = false
    package var shortSaleSlot: Int64 = 0
    package var designatedLocation = ""
    package init() {}
}

/// An order that is worked in levels.
package struct ScaleTerms: Hashable, Sendable {
    package var initLevelSize: Int64?
    package var subsLevelSize: Int64?
    package var priceIncrement: Price?
    package var priceAdjustValue: Price?
    package var priceAdjustInterval: Int64?
    package var profitOffset: Price?
    package var autoReset = false
    package var initPosition: Int64?
    package var initFillQty: Int64?
    package var randomPercent = false
    package init() {}
    /// The levels' own fields are on the wire only then.
    package var isActive: Bool { (priceIncrement?.raw ?? 0) > 0 }
}

/// The other contract that a `PEG BENCH` order follows.
package struct BenchmarkTerms: Hashable, Sendable {
    package var contractId: Int64 = 0
    package var isChangeAmountDecrease = false
    package var changeAmount: Price?
    package var referenceChangeAmount: Price?
    package var exchangeId = ""
    package init() {}
}

/// The distance of a `PEG BEST` order: an amount, or without bound up to the midpoint.
package enum PegOffset: Hashable, Sendable {
    case amount(Price)
    case upToMid
}

/// What orders at the broker's own venue and pegged orders add (from server version 170).
package struct AtsTerms: Hashable, Sendable {
    package var minTradeQty: Int64?
    package var minCompeteSize: Int64?
    package var competeAgainstBestOffset: PegOffset?
    package var midOffsetAtWhole: Price?
    package var midOffsetAtHalf: Price?
    package init() {}
}

/// One condition that an order waits for, with the word that joins it to the next.
package struct IBCondition: Hashable, Sendable {
    /// The condition itself.
    package enum Kind: Hashable, Sendable {
        case price(isMore: Bool, price: Price, conId: Int64, exchange: String, triggerMethod: Int64)
        case time(isMore: Bool, time: String)
        case margin(isMore: Bool, percent: Int64)
        case execution(secType: String, exchange: String, symbol: String)
        case volume(isMore: Bool, volume: Int64, conId: Int64, exchange: String)
        case percentChange(isMore: Bool, percent: WireNumber?, conId: Int64, exchange: String)
    }
    package var kind: Kind
    /// True = and, false = or.
    package var isAnd: Bool
    package init(_ kind: Kind, isAnd: Bool) { self.kind = kind; self.isAnd = isAnd }
}
