// openOrder and completedOrder: two long tables of fields with what real gateways write where nothing was set.

/// An order as it is reported: its contract and every named field that is not at the gateway's habit.
package struct OrderReport: Sendable {
    package var orderId: Int64
    package var listing: WireListing
    /// Field name to text; names as in placeOrder, `initMarginBefore` and the like for the order state.
    package var values: [String: String]
    /// Repeated fields, one inner list each: `legs` (eight fields), `legPrices`, `routing` and `algo` (tag and value), `conditions` (their type first).
    package var lists: [String: [[String]]]
    package init(orderId: Int64, listing: WireListing, values: [String: String], lists: [String: [[String]]] = [:]) {
        self.orderId = orderId; self.listing = listing; self.values = values; self.lists = lists
    }

    /// message 5.
    package func openOrder(version: Int) -> [String] { ["5", String(orderId)] + listing.fields + render(Self.openRows, version) }
    /// message 101.
    package func completedOrder(version: Int) -> [String] { ["101"] + listing.fields + render(Self.completedRows, version) }

    private func render(_ rows: [Row], _ version: Int) -> [String] {
        var fields: [String] = []
        for row in rows where version >= row.since && version < row.before && holds(row.only) {
            guard let list = row.list else { fields.append(values[row.name] ?? row.habit); continue }
            let items = lists[list] ?? []
            fields.append(String(items.count))
            fields += items.flatMap { $0 }
        }
        return fields
    }

    private func holds(_ condition: Row.Condition?) -> Bool {
        switch condition {
        case nil: true
        case .notEmpty(let name): !(values[name] ?? "").isEmpty
        case .positive(let name):
            values[name].map { !Unset.matches($0) && !$0.hasPrefix("-") && $0.contains { $0 >= "1" && $0 <= "9" } } ?? false
        case .equal(let name, let text): values[name] == text
        case .listed(let list): !(lists[list] ?? []).isEmpty
        }
    }
}

/// One field of a report: its name and what stands there when the order says nothing.
private struct Row {
    /// When a field is there at all.
    enum Condition {
        case notEmpty(String), positive(String), equal(String, String), listed(String)
    }
    var name: String
    var habit: String
    var since: Int
    var before: Int
    var only: Condition?
    /// Set for a count with the items of a list behind it.
    var list: String?
    init(_ name: String, _ habit: String = "", since: Int = 0, before: Int = .max, only: Condition? = nil, list: String? = nil) {
        self.name = name; self.habit = habit; self.since = since; self.before = before; self.only = only; self.list = list
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
    private static func only(_ condition: Row.Condition, _ names: String...) -> [Row] { names.map { Row($0, only: condition) } }
    private static let legs = [
        Row("comboLegsDescrip"), Row("nLegs", list: "legs"), Row("nLegPrices", list: "legPrices"), Row("nRouting", list: "routing"),
    ]
    private static let scale =
        [Row("scaleInitLevelSize", Unset.integer), Row("scaleSubsLevelSize", Unset.integer), Row("scalePriceIncrement")]
        + only(
            .positive("scalePriceIncrement"), "scalePriceAdjustValue", "scalePriceAdjustInterval", "scaleProfitOffset", "scaleAutoReset",
            "scaleInitPosition", "scaleInitFillQty", "scaleRandomPercent")
    private static let hedge = [Row("hedgeType"), Row("hedgeParam", only: .notEmpty("hedgeType"))]
    private static let deltaNeutral =
        zeros("deltaNeutralContract?")
        + only(
            .equal("deltaNeutralContract?", "1"), "deltaNeutralContract.conId", "deltaNeutralContract.delta", "deltaNeutralContract.price")
    private static let algorithm = blanks("algoStrategy") + [Row("algoParams.count", only: .notEmpty("algoStrategy"), list: "algo")]
    private static let pegBench = only(
        .equal("orderType", "PEG BENCH"), "referenceContractId", "isPeggedChangeAmountDecrease", "peggedChangeAmount", "referenceChangeAmount",
        "referenceExchangeId")
    private static let conditions =
        [Row("conditions.count", list: "conditions")] + only(.listed("conditions"), "conditionsIgnoreRth", "conditionsCancelOrder")

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
        + zeros("continuousUpdate", "referencePriceType") + blanks("trailStopPrice", "trailingPercent", "basisPoints", "basisPointsType") + legs
        + scale
        + hedge + zeros("optOutSmartRouting") + blanks("clearingAccount")
        + [Row("clearingIntent", "IB")] + zeros("notHeld") + deltaNeutral + algorithm + zeros("solicited", "whatIf")
        + blanks("status")
        + unsets("initMarginBefore", "maintMarginBefore", "equityWithLoanBefore", "initMarginChange", "maintMarginChange", "equityWithLoanChange")
        + unsets("initMarginAfter", "maintMarginAfter", "equityWithLoanAfter")
        + blanks("commission", "minCommission", "maxCommission", "commissionCurrency", "warningText")
        + zeros("randomizeSize", "randomizePrice") + pegBench + conditions
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
        + zeros("continuousUpdate", "referencePriceType") + blanks("trailStopPrice", "trailingPercent") + legs + scale
        + hedge + blanks("clearingAccount") + [Row("clearingIntent", "IB")]
        + zeros("notHeld") + deltaNeutral + algorithm + zeros("solicited") + blanks("status")
        + zeros("randomizeSize", "randomizePrice") + pegBench + conditions + unsets("adjTrailStopPrice", "lmtPriceOffset") + zeros("cashQty")
        + [Row("dontUseAutoPriceForHedge", "1")] + zeros("isOmsContainer") + blanks("autoCancelDate") + zeros("filledQuantity")
        + [Row("refFuturesConId", Unset.integer), Row("autoCancelParent", "0"), Row("shareholder", "Not an insider or substantial shareholder")]
        + zeros("imbalanceOnly", "routeMarketableToBbo") + [Row("parentPermId", Unset.long)] + blanks("completedTime", "completedStatus") + lateFive
}
