// The gateway's order with all its fields; nil and empty text mean "unset".
package import Values

/// An order as placeOrder sends it and as openOrder and completedOrder tell it. Attributes have the broker's own names.
package struct IBOrder: Hashable, Sendable {
    // Who and what
    package var orderId: Int64 = 0
    package var clientId: Int64 = 0
    package var permId: Int64 = 0
    /// BUY SELL SSHORT SLONG.
    package var action = ""
    package var totalQuantity: WireSize?
    /// MKT LMT STP `STP LMT` TRAIL `TRAIL LIMIT` and the rest.
    package var orderType = ""
    package var lmtPrice: Price?
    /// Stop price; trailing amount of TRAIL; offset of REL.
    package var auxPrice: Price?
    /// DAY GTC IOC GTD OPG FOK DTC AUC Minutes.
    package var tif = ""
    package var goodAfterTime = ""
    package var goodTillDate = ""
    package var account = ""
    package var modelCode = ""
    package var orderRef = ""
    /// False holds the order in the gateway until a sibling transmits.
    package var transmit = true
    package var parentId: Int64 = 0
    package var parentPermId: Int64?
    package var whatIf = false
    // How it may fill
    package var ocaGroup = ""
    package var ocaType: Int64 = 0
    package var openClose = ""
    package var origin: Int64 = 0
    package var blockOrder = false
    package var sweepToFill = false
    package var displaySize: Int64?
    package var triggerMethod: Int64 = 0
    package var outsideRth = false
    package var hidden = false
    package var allOrNone = false
    package var minQty: Int64?
    package var discretionaryAmt: Price?
    package var discretionaryUpToLimitPrice = false
    package var overridePercentageConstraints = false
    package var percentOffset: WireNumber?
    package var notHeld = false
    package var optOutSmartRouting = false
    package var cashQty: Money?
    package var duration: Int64?
    package var postToAts: Int64?
    package var autoCancelParent = false
    package var usePriceMgmtAlgo: Bool?
    package var randomizeSize = false
    package var randomizePrice = false
    package var solicited = false
    package var dontUseAutoPriceForHedge = false
    package var isOmsContainer = false
    // Trailing and adjusted stops
    package var trailStopPrice: Price?
    /// 10 means ten percent.
    package var trailingPercent: WireNumber?
    package var lmtPriceOffset: Price?
    package var triggerPrice: Price?
    package var adjustedOrderType = ""
    package var adjustedStopPrice: Price?
    package var adjustedStopLimitPrice: Price?
    package var adjustedTrailingAmount: Price?
    package var adjustableTrailingUnit: Int64 = 0
    // Whose it is, and the books
    package var faGroup = ""
    package var faMethod = ""
    package var faPercentage = ""
    package var rule80A = ""
    package var settlingFirm = ""
    package var clearingAccount = ""
    package var clearingIntent = ""
    package var shortSaleSlot: Int64 = 0
    package var designatedLocation = ""
    package var exemptCode: Int64 = -1
    package var extOperator = ""
    package var manualOrderTime = ""
    package var advancedErrorOverride = ""
    package var softDollarTier = SoftDollarTier()
    package var mifid = Mifid()
    // Prices relative to something else
    package var auctionStrategy: Int64 = 0
    package var startingPrice: Price?
    package var stockRefPrice: Price?
    package var delta: WireNumber?
    package var stockRangeLower: Price?
    package var stockRangeUpper: Price?
    package var volatility: WireNumber?
    package var volatilityType: Int64?
    package var continuousUpdate = false
    package var referencePriceType: Int64?
    package var basisPoints: WireNumber?
    package var basisPointsType: Int64?
    package var deltaNeutral = DeltaNeutralTerms()
    package var scale = ScaleTerms()
    package var scaleTable = ""
    package var activeStartTime = ""
    package var activeStopTime = ""
    package var hedgeType = ""
    package var hedgeParam = ""
    package var benchmark = BenchmarkTerms()
    package var ats = AtsTerms()
    // Lists
    package var algoStrategy = ""
    package var algoParams: [TagValue] = []
    package var algoId = ""
    package var orderMiscOptions: [TagValue] = []
    package var smartComboRoutingParams: [TagValue] = []
    /// A price for each leg of a combination; nil for a leg without.
    package var comboLegPrices: [Price?] = []
    package var conditions: [IBCondition] = []
    package var conditionsIgnoreRth = false
    package var conditionsCancelOrder = false
    // Told of completed orders only
    package var autoCancelDate = ""
    package var filledQuantity: WireSize?
    package var refFuturesConId: Int64?
    package var shareholder = ""
    package var imbalanceOnly = false
    package var routeMarketableToBbo = false
    package init() {}
}

/// What the gateway says of an order beside the order itself.
package struct IBOrderState: Hashable, Sendable {
    /// PendingSubmit PreSubmitted Submitted PendingCancel ApiCancelled Cancelled Filled Inactive.
    package var status = ""
    package var before = MarginFigures()
    package var change = MarginFigures()
    package var after = MarginFigures()
    package var commission: Money?
    package var minCommission: Money?
    package var maxCommission: Money?
    package var commissionCurrency = ""
    package var warningText = ""
    /// A completed order's time and last words.
    package var completedTime = ""
    package var completedStatus = ""
    package init() {}
}

/// The account's margin figures around a what-if order, in its base currency; nil where the gateway gives none.
package struct MarginFigures: Hashable, Sendable {
    package var initMargin: Money?
    package var maintMargin: Money?
    package var equityWithLoan: Money?
    package init() {}
}

/// An order with its contract and state.
package struct IBOpenOrder: Hashable, Sendable {
    package var contract = IBContract()
    package var order = IBOrder()
    package var state = IBOrderState()
    package init() {}
}
