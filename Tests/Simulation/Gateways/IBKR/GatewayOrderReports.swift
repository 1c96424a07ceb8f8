// openOrder and completedOrder: two long tables of fields with what real gateways write where nothing was set.

/// An order as it is reported: its contract and every named field that is not at the gateway's habit.
package struct OrderReport: Sendable {
    package var orderId: Int64
    package var listing: WireListing
    /// Field name to text; names as in placeOrder, `initMarginBefore` and the like for the order state.
    package var values: [String: String]
    package init(orderId: Int64, listing: WireListing, values: [String: String]) {
        self.orderId = orderId; self.listing = listing; self.values = values
    }

    /// message 5.
    package func openOrder(version: Int) -> [String] {
        ["5", String(orderId)] + listing.fields + Self.render(Self.openRows, values, version)
    }
    /// message 101.
    package func completedOrder(version: Int) -> [String] {
        ["101"] + listing.fields + Self.render(Self.completedRows, values, version)
    }

    private static func render(_ rows: [Row], _ values: [String: String], _ version: Int) -> [String] {
        rows.compactMap { row in
            guard version >= row.since, version < row.before, row.onlyWith.map({ !(values[$0] ?? "").isEmpty }) ?? true else { return nil }
            return values[row.name] ?? row.habit
        }
    }
}

/// One field of a report: its name and what stands there when the order says nothing.
private struct Row {
    var name: String
    var habit = ""
    var since = 0
    var before = Int.max
    /// Only there when this other field is not empty.
    var onlyWith: String?
    init(_ name: String, _ habit: String = "", since: Int = 0, before: Int = .max, onlyWith: String? = nil) {
        self.name = name; self.habit = habit; self.since = since; self.before = before; self.onlyWith = onlyWith
    }
}

extension OrderReport {
    private static func zeros(_ names: String...) -> [Row] { names.map { Row($0, "0") } }
    private static func blanks(_ names: String...) -> [Row] { names.map { Row($0) } }
    private static func unsets(_ names: String...) -> [Row] { names.map { Row($0, Unset.double) } }

    private static let opening =
        blanks("action", "totalQuantity", "orderType") + [Row("lmtPrice", "0.0"), Row("auxPrice", "0.0"), Row("tif", "DAY")]
        + blanks("ocaGroup", "account", "openClose") + zeros("origin") + blanks("orderRef")
    private static let lateFive = [
        Row("minTradeQty", since: 170), Row("minCompeteSize", since: 170), Row("competeAgainstBestOffset", since: 170),
        Row("midOffsetAtWhole", since: 170),
        Row("midOffsetAtHalf", since: 170),
    ]
    /// Legs, leg prices and routing parameters: counts of none, as the gateway takes no combinations.
    private static let noLegs = [Row("comboLegsDescrip"), Row("nLegs", "0"), Row("nLegPrices", "0"), Row("nRouting", "0")]
    private static let noScale = [Row("scaleInitLevelSize", Unset.integer), Row("scaleSubsLevelSize", Unset.integer), Row("scalePriceIncrement")]

    private static let openRows: [Row] =
        opening + zeros("clientId", "permId", "outsideRth", "hidden", "discretionaryAmt") + blanks("goodAfterTime", "sharesAllocation(ignored)")
        + blanks("faGroup", "faMethod", "faPercentage") + [Row("faProfile", before: 177)]
        + blanks("modelCode", "goodTillDate", "rule80A", "percentOffset", "settlingFirm") + zeros("shortSaleSlot") + blanks("designatedLocation")
        + [Row("exemptCode", "-1"), Row("auctionStrategy", "0")]
        + blanks("startingPrice", "stockRefPrice", "delta", "stockRangeLower", "stockRangeUpper")
        + [Row("displaySize", Unset.integer)] + zeros("blockOrder", "sweepToFill", "allOrNone") + blanks("minQty") + [Row("ocaType", "3")]
        + zeros("eTradeOnly", "firmQuoteOnly") + blanks("nbboPriceCap") + zeros("parentId", "triggerMethod") + blanks("volatility")
        + zeros("volatilityType")
        + [Row("deltaNeutralOrderType", "None"), Row("deltaNeutralAuxPrice"), Row("deltaNeutralConId", "0")]
        + blanks("deltaNeutralSettlingFirm", "deltaNeutralClearingAccount", "deltaNeutralClearingIntent")
        + [Row("deltaNeutralOpenClose", "?")] + zeros("deltaNeutralShortSale", "deltaNeutralShortSaleSlot") + blanks("deltaNeutralDesignatedLocation")
        + zeros("continuousUpdate", "referencePriceType") + blanks("trailStopPrice", "trailingPercent", "basisPoints", "basisPointsType") + noLegs
        + noScale
        + [Row("hedgeType"), Row("hedgeParam", onlyWith: "hedgeType")] + zeros("optOutSmartRouting") + blanks("clearingAccount")
        + [Row("clearingIntent", "IB")] + zeros("notHeld", "deltaNeutralContract?") + blanks("algoStrategy") + zeros("solicited", "whatIf")
        + blanks("status")
        + unsets("initMarginBefore", "maintMarginBefore", "equityWithLoanBefore", "initMarginChange", "maintMarginChange", "equityWithLoanChange")
        + unsets("initMarginAfter", "maintMarginAfter", "equityWithLoanAfter")
        + blanks("commission", "minCommission", "maxCommission", "commissionCurrency", "warningText")
        + zeros("randomizeSize", "randomizePrice", "conditions.count")
        + [Row("adjustedOrderType", "None")]
        + unsets("triggerPrice", "adjTrailStopPrice", "lmtPriceOffset", "adjustedStopPrice", "adjustedStopLimitPrice", "adjustedTrailingAmount")
        + zeros("adjustableTrailingUnit") + blanks("softDollarTier.name", "softDollarTier.value", "softDollarTier.displayName") + zeros("cashQty")
        + [Row("dontUseAutoPriceForHedge", "1")] + zeros("isOmsContainer", "discretionaryUpToLimitPrice", "usePriceMgmtAlgo")
        + [Row("duration", since: 158), Row("postToAts", since: 160), Row("autoCancelParent", "0", since: 162)] + lateFive

    private static let completedRows: [Row] =
        opening + zeros("permId", "outsideRth", "hidden", "discretionaryAmt") + blanks("goodAfterTime", "faGroup", "faMethod", "faPercentage")
        + [Row("faProfile", before: 177)] + blanks("modelCode", "goodTillDate", "rule80A", "percentOffset", "settlingFirm") + zeros("shortSaleSlot")
        + blanks("designatedLocation") + [Row("exemptCode", "-1")]
        + blanks("startingPrice", "stockRefPrice", "delta", "stockRangeLower", "stockRangeUpper")
        + [Row("displaySize", Unset.integer)] + zeros("sweepToFill", "allOrNone") + blanks("minQty") + [Row("ocaType", "3")] + zeros("triggerMethod")
        + blanks("volatility") + zeros("volatilityType") + [Row("deltaNeutralOrderType", "None"), Row("deltaNeutralAuxPrice")]
        + zeros("deltaNeutralConId", "deltaNeutralShortSale", "deltaNeutralShortSaleSlot") + blanks("deltaNeutralDesignatedLocation")
        + zeros("continuousUpdate", "referencePriceType") + blanks("trailStopPrice", "trailingPercent") + noLegs + noScale
        + [Row("hedgeType"), Row("hedgeParam", onlyWith: "hedgeType")] + blanks("clearingAccount") + [Row("clearingIntent", "IB")]
        + zeros("notHeld", "deltaNeutralContract?") + blanks("algoStrategy") + zeros("solicited") + blanks("status")
        + zeros("randomizeSize", "randomizePrice", "conditions.count") + unsets("adjTrailStopPrice", "lmtPriceOffset") + zeros("cashQty")
        + [Row("dontUseAutoPriceForHedge", "1")] + zeros("isOmsContainer") + blanks("autoCancelDate") + zeros("filledQuantity")
        + [Row("refFuturesConId", Unset.integer), Row("autoCancelParent", "0"), Row("shareholder", "Not an insider or substantial shareholder")]
        + zeros("imbalanceOnly", "routeMarketableToBbo") + [Row("parentPermId", Unset.long)] + blanks("completedTime", "completedStatus") + lateFive
}
