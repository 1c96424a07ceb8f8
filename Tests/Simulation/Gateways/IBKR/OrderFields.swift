// The named fields of a placeOrder frame: one table of names in frame order, with the blocks that come and go.

/// A placed order as its client wrote it: every field by name, none interpreted.
package struct OrderFields: Hashable, Sendable {
    /// Names in frame order; the fields of repeated blocks (legs, conditions) repeat theirs.
    package private(set) var names: [String]
    /// Of the same length as `names`.
    package private(set) var values: [String]
    private var first: [String: Int]
    /// Longest order that a gateway takes, with one byte for the end of each field: what it remembers of one is then far below a journal's line.
    package static let bytesMax = 65_536
    package var byteCount: Int { values.reduce(0) { $0 + $1.utf8.count + 1 } }

    /// The first field of that name; empty when the frame has none.
    package subscript(name: String) -> String { first[name].map { values[$0] } ?? "" }
    /// True when the frame carried that field.
    package func has(_ name: String) -> Bool { first[name] != nil }
    /// True when the field is there and not one of the ways of writing "unset".
    package func isSet(_ name: String) -> Bool { first[name].map { !Unset.matches(values[$0]) } ?? false }

    /// The repeated blocks, each inner list the fields of one item: `legs`, `legPrices`, `routing`, `algo`, `conditions`.
    package var lists: [String: [[String]]] {
        var lists: [String: [[String]]] = [:]
        for (name, value) in zip(names, values) {
            guard let block = Self.blocks.first(where: { name.hasPrefix($0.prefix) }) else { continue }
            var items = lists[block.list] ?? []
            if name == block.first || items.isEmpty { items.append([value]) } else { items[items.count - 1].append(value) }
            lists[block.list] = items
        }
        return lists
    }
    /// Each repeated block: how its fields begin, and the field that begins an item.
    private static let blocks: [(list: String, prefix: String, first: String)] = [
        ("legs", "leg.", "leg.conId"), ("legPrices", "legPrice", "legPrice"), ("routing", "routing.", "routing.tag"),
        ("algo", "algo.", "algo.tag"), ("conditions", "condition.", "condition.type"),
    ]
    /// True for a field that may come more than once.
    package static func repeats(_ name: String) -> Bool { blocks.contains { name.hasPrefix($0.prefix) } }

    /// Restores what `names` and `values` held.
    package init?(names: [String], values: [String]) {
        guard names.count == values.count else { return nil }
        self.names = names; self.values = values
        first = [:]
        for (index, name) in names.enumerated() where first[name] == nil { first[name] = index }
    }

    /// Forgets fields that say nothing; in repeated blocks the place of each counts, so they stay.
    mutating func dropEmpty() {
        let told = zip(names, values).filter { !$1.isEmpty || Self.repeats($0) }
        guard told.count < names.count, let less = OrderFields(names: told.map(\.0), values: told.map(\.1)) else { return }
        self = less
    }

    /// Reads a frame at a negotiated version.
    package init(_ fields: [String], version: Int) throws(GatewayFault) {
        var parser = OrderFrameParser(reader: GatewayReader(fields), version: version)
        try parser.run()
        names = parser.names; values = parser.values; first = parser.first
    }
}

private struct OrderFrameParser {
    var reader: GatewayReader
    let version: Int
    var names: [String] = []
    var values: [String] = []
    var first: [String: Int] = [:]

    init(reader: GatewayReader, version: Int) { self.reader = reader; self.version = version }

    mutating func run() throws(GatewayFault) {
        try take(Self.head)
        if value("contract.secType") == "BAG" { try legs() }
        try take(["sharesAllocation(obsolete)", "discretionaryAmt", "goodAfterTime", "goodTillDate", "faGroup", "faMethod", "faPercentage"])
        if version < 177 { try take(["faProfile"]) }
        try take(Self.middle)
        if !value("deltaNeutralOrderType").isEmpty { try take(Self.deltaNeutral) }
        try take(["continuousUpdate", "referencePriceType", "trailStopPrice", "trailingPercent"])
        try take(["scaleInitLevelSize", "scaleSubsLevelSize", "scalePriceIncrement"])
        if isPositive("scalePriceIncrement") { try take(Self.scale) }
        try take(["scaleTable", "activeStartTime", "activeStopTime", "hedgeType"])
        if !value("hedgeType").isEmpty { try take(["hedgeParam"]) }
        try take(["optOutSmartRouting", "clearingAccount", "clearingIntent", "notHeld", "deltaNeutralContract?"])
        if value("deltaNeutralContract?") == "1" {
            try take(["deltaNeutralContract.conId", "deltaNeutralContract.delta", "deltaNeutralContract.price"])
        }
        try take(["algoStrategy"])
        if !value("algoStrategy").isEmpty { try pairs(count: "algoParams.count", "algo.tag", "algo.value") }
        try take(["algoId", "whatIf", "orderMiscOptions", "solicited", "randomizeSize", "randomizePrice"])
        if value("orderType") == "PEG BENCH" { try take(Self.pegBench) }
        try conditions()
        try take(Self.tail)
        try late()
    }

    private static let head = [
        "messageId", "orderId", "contract.conId", "contract.symbol", "contract.secType", "contract.lastTradeDateOrContractMonth", "contract.strike",
        "contract.right", "contract.multiplier", "contract.exchange", "contract.primaryExchange", "contract.currency", "contract.localSymbol",
        "contract.tradingClass", "contract.secIdType", "contract.secId", "action", "totalQuantity", "orderType", "lmtPrice", "auxPrice", "tif",
        "ocaGroup",
        "account", "openClose", "origin", "orderRef", "transmit", "parentId", "blockOrder", "sweepToFill", "displaySize", "triggerMethod",
        "outsideRth", "hidden",
    ]
    private static let middle = [
        "modelCode", "shortSaleSlot", "designatedLocation", "exemptCode", "ocaType", "rule80A", "settlingFirm", "allOrNone", "minQty",
        "percentOffset",
        "eTradeOnly", "firmQuoteOnly", "nbboPriceCap", "auctionStrategy", "startingPrice", "stockRefPrice", "delta", "stockRangeLower",
        "stockRangeUpper",
        "overridePercentageConstraints", "volatility", "volatilityType", "deltaNeutralOrderType", "deltaNeutralAuxPrice",
    ]
    private static let deltaNeutral = [
        "deltaNeutralConId", "deltaNeutralSettlingFirm", "deltaNeutralClearingAccount", "deltaNeutralClearingIntent", "deltaNeutralOpenClose",
        "deltaNeutralShortSale", "deltaNeutralShortSaleSlot", "deltaNeutralDesignatedLocation",
    ]
    private static let scale = [
        "scalePriceAdjustValue", "scalePriceAdjustInterval", "scaleProfitOffset", "scaleAutoReset", "scaleInitPosition", "scaleInitFillQty",
        "scaleRandomPercent",
    ]
    private static let pegBench = [
        "referenceContractId", "isPeggedChangeAmountDecrease", "peggedChangeAmount", "referenceChangeAmount", "referenceExchangeId",
    ]
    private static let tail = [
        "adjustedOrderType", "triggerPrice", "lmtPriceOffset", "adjustedStopPrice", "adjustedStopLimitPrice", "adjustedTrailingAmount",
        "adjustableTrailingUnit", "extOperator", "softDollarTier.name", "softDollarTier.value", "cashQty", "mifid2DecisionMaker",
        "mifid2DecisionAlgo",
        "mifid2ExecutionTrader", "mifid2ExecutionAlgo", "dontUseAutoPriceForHedge", "isOmsContainer", "discretionaryUpToLimitPrice",
        "usePriceMgmtAlgo",
    ]
    private static let leg = [
        "leg.conId", "leg.ratio", "leg.action", "leg.exchange", "leg.openClose", "leg.shortSaleSlot", "leg.designatedLocation", "leg.exemptCode",
    ]

    private mutating func take(_ list: [String]) throws(GatewayFault) {
        for name in list {
            if first[name] == nil { first[name] = names.count }
            names.append(name)
            values.append(try reader.text())
        }
    }
    private func value(_ name: String) -> String { first[name].map { values[$0] } ?? "" }
    private func isPositive(_ name: String) -> Bool {
        let text = value(name)
        return !Unset.matches(text) && !text.hasPrefix("-") && text.contains { $0 >= "1" && $0 <= "9" }
    }
    /// Takes a count field and returns it; nothing sane sends more than a thousand of anything.
    private mutating func count(_ name: String) throws(GatewayFault) -> Int {
        try take([name])
        guard let text = values.last, let count = Int(text), (0...1_000).contains(count) else {
            if values.last?.isEmpty == true { return 0 }
            throw .notANumber(message: 3, text: values.last ?? "")
        }
        return count
    }
    private mutating func pairs(count name: String, _ tag: String, _ value: String) throws(GatewayFault) {
        for _ in 0..<(try count(name)) { try take([tag, value]) }
    }

    private mutating func legs() throws(GatewayFault) {
        for _ in 0..<(try count("comboLegs.count")) { try take(Self.leg) }
        for _ in 0..<(try count("orderComboLegs.count")) { try take(["legPrice"]) }
        try pairs(count: "smartComboRoutingParams.count", "routing.tag", "routing.value")
    }

    private mutating func conditions() throws(GatewayFault) {
        let total = try count("conditions.count")
        guard total > 0 else { return }
        for _ in 0..<total {
            try take(["condition.type", "condition.conjunction"])
            switch values[values.count - 2] {
            case "1": try take(["condition.isMore", "condition.price", "condition.conId", "condition.exch", "condition.triggerMethod"])
            case "3": try take(["condition.isMore", "condition.time"])
            case "4": try take(["condition.isMore", "condition.percent"])
            case "5": try take(["condition.secType", "condition.exch", "condition.symbol"])
            case "6": try take(["condition.isMore", "condition.volume", "condition.conId", "condition.exch"])
            case "7": try take(["condition.isMore", "condition.changePercent", "condition.conId", "condition.exch"])
            default: throw .notANumber(message: 3, text: values[values.count - 2])
            }
        }
        try take(["conditionsIgnoreRth", "conditionsCancelOrder"])
    }

    private mutating func late() throws(GatewayFault) {
        if version >= 158 { try take(["duration"]) }
        if version >= 160 { try take(["postToAts"]) }
        if version >= 162 { try take(["autoCancelParent"]) }
        if version >= 166 { try take(["advancedErrorOverride"]) }
        if version >= 169 { try take(["manualOrderTime"]) }
        guard version >= 170 else { return }
        if value("contract.exchange") == "IBKRATS" { try take(["minTradeQty"]) }
        let type = value("orderType")
        var withMiddle = type == "PEG MID"
        if type == "PEG BEST" {
            try take(["minCompeteSize", "competeAgainstBestOffset"])
            // Clients spell infinity in two ways.
            withMiddle = value("competeAgainstBestOffset").hasPrefix("Infinit")
        }
        if withMiddle { try take(["midOffsetAtWhole", "midOffsetAtHalf"]) }
    }
}
