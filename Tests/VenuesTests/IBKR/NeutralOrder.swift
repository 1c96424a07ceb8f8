// The recorded vectors' names for an order's attributes, each with our field: one table, read in both directions.
import Values
import Venues
import Wire

/// Neutral values: numbers as text, `unset`, `infinity`.
enum Neutral {
    static let unset = JSONValue.string("unset")
    static func number(_ raw: Int64?) -> JSONValue { raw.map { .number(Decimals.text($0, scale: 8)) } ?? unset }
    static func size(_ size: WireSize?) -> JSONValue { size.map { .number($0.description) } ?? unset }
    static func integer(_ value: Int64?) -> JSONValue { value.map { .integer($0) } ?? unset }
    static func tags(_ tags: [TagValue]) -> JSONValue { .array(tags.map { .array([.string($0.tag), .string($0.value)]) }) }
    /// Digits of a number, written as a number or as text.
    static func digits(_ value: JSONValue) -> String? {
        switch value {
        case .integer(let number): String(number)
        case .number(let text), .string(let text): text
        default: nil
        }
    }
    /// The value times 10^8, half to even, or nil for what is no number.
    static func raw(_ value: JSONValue) -> Int64? { digits(value).flatMap { try? Decimals.parse($0, scale: 8, rounding: .halfEven) } }
}

/// The attributes of an order by neutral name and type.
struct OrderTable {
    let texts: [(String, WritableKeyPath<IBOrder, String>)] = [
        ("action", \.action), ("orderType", \.orderType), ("tif", \.tif), ("goodAfterTime", \.goodAfterTime), ("goodTillDate", \.goodTillDate),
        ("account", \.account), ("modelCode", \.modelCode), ("orderRef", \.orderRef), ("ocaGroup", \.ocaGroup), ("openClose", \.openClose),
        ("adjustedOrderType", \.adjustedOrderType), ("faGroup", \.faGroup), ("faMethod", \.faMethod), ("faPercentage", \.faPercentage),
        ("rule80A", \.rule80A), ("settlingFirm", \.settlingFirm), ("clearingAccount", \.clearingAccount), ("clearingIntent", \.clearingIntent),
        ("designatedLocation", \.designatedLocation), ("extOperator", \.extOperator), ("manualOrderTime", \.manualOrderTime),
        ("advancedErrorOverride", \.advancedErrorOverride), ("mifid2DecisionMaker", \.mifid.decisionMaker),
        ("mifid2DecisionAlgo", \.mifid.decisionAlgo),
        ("mifid2ExecutionTrader", \.mifid.executionTrader), ("mifid2ExecutionAlgo", \.mifid.executionAlgo),
        ("deltaNeutralOrderType", \.deltaNeutral.orderType), ("deltaNeutralSettlingFirm", \.deltaNeutral.settlingFirm),
        ("deltaNeutralClearingAccount", \.deltaNeutral.clearingAccount), ("deltaNeutralClearingIntent", \.deltaNeutral.clearingIntent),
        ("deltaNeutralOpenClose", \.deltaNeutral.openClose), ("deltaNeutralDesignatedLocation", \.deltaNeutral.designatedLocation),
        ("scaleTable", \.scaleTable), ("activeStartTime", \.activeStartTime), ("activeStopTime", \.activeStopTime), ("hedgeType", \.hedgeType),
        ("hedgeParam", \.hedgeParam), ("referenceExchangeId", \.benchmark.exchangeId), ("algoStrategy", \.algoStrategy), ("algoId", \.algoId),
        ("autoCancelDate", \.autoCancelDate), ("shareholder", \.shareholder),
    ]
    let flags: [(String, WritableKeyPath<IBOrder, Bool>)] = [
        ("transmit", \.transmit), ("whatIf", \.whatIf), ("blockOrder", \.blockOrder), ("sweepToFill", \.sweepToFill), ("outsideRth", \.outsideRth),
        ("hidden", \.hidden), ("allOrNone", \.allOrNone), ("discretionaryUpToLimitPrice", \.discretionaryUpToLimitPrice),
        ("overridePercentageConstraints", \.overridePercentageConstraints), ("notHeld", \.notHeld), ("optOutSmartRouting", \.optOutSmartRouting),
        ("autoCancelParent", \.autoCancelParent), ("randomizeSize", \.randomizeSize), ("randomizePrice", \.randomizePrice),
        ("solicited", \.solicited),
        ("dontUseAutoPriceForHedge", \.dontUseAutoPriceForHedge), ("isOmsContainer", \.isOmsContainer), ("continuousUpdate", \.continuousUpdate),
        ("deltaNeutralShortSale", \.deltaNeutral.shortSale), ("scaleAutoReset", \.scale.autoReset), ("scaleRandomPercent", \.scale.randomPercent),
        ("isPeggedChangeAmountDecrease", \.benchmark.isChangeAmountDecrease), ("conditionsIgnoreRth", \.conditionsIgnoreRth),
        ("conditionsCancelOrder", \.conditionsCancelOrder), ("imbalanceOnly", \.imbalanceOnly), ("routeMarketableToBbo", \.routeMarketableToBbo),
    ]
    let integers: [(String, WritableKeyPath<IBOrder, Int64>)] = [
        ("orderId", \.orderId), ("clientId", \.clientId), ("permId", \.permId), ("parentId", \.parentId),
        ("ocaType", \.ocaType), ("origin", \.origin), ("triggerMethod", \.triggerMethod), ("adjustableTrailingUnit", \.adjustableTrailingUnit),
        ("shortSaleSlot", \.shortSaleSlot), ("exemptCode", \.exemptCode), ("auctionStrategy", \.auctionStrategy),
        ("deltaNeutralConId", \.deltaNeutral.conId), ("deltaNeutralShortSaleSlot", \.deltaNeutral.shortSaleSlot),
        ("referenceContractId", \.benchmark.contractId),
    ]
    let optionalIntegers: [(String, WritableKeyPath<IBOrder, Int64?>)] = [
        ("displaySize", \.displaySize), ("minQty", \.minQty), ("duration", \.duration), ("postToAts", \.postToAts),
        ("volatilityType", \.volatilityType),
        ("referencePriceType", \.referencePriceType), ("basisPointsType", \.basisPointsType), ("scaleInitLevelSize", \.scale.initLevelSize),
        ("scaleSubsLevelSize", \.scale.subsLevelSize), ("scalePriceAdjustInterval", \.scale.priceAdjustInterval),
        ("scaleInitPosition", \.scale.initPosition), ("scaleInitFillQty", \.scale.initFillQty), ("minTradeQty", \.ats.minTradeQty),
        ("minCompeteSize", \.ats.minCompeteSize), ("refFuturesConId", \.refFuturesConId), ("parentPermId", \.parentPermId),
    ]
    let prices: [(String, WritableKeyPath<IBOrder, Price?>)] = [
        ("lmtPrice", \.lmtPrice), ("auxPrice", \.auxPrice), ("discretionaryAmt", \.discretionaryAmt), ("trailStopPrice", \.trailStopPrice),
        ("lmtPriceOffset", \.lmtPriceOffset), ("triggerPrice", \.triggerPrice), ("adjustedStopPrice", \.adjustedStopPrice),
        ("adjustedStopLimitPrice", \.adjustedStopLimitPrice), ("adjustedTrailingAmount", \.adjustedTrailingAmount),
        ("startingPrice", \.startingPrice),
        ("stockRefPrice", \.stockRefPrice), ("stockRangeLower", \.stockRangeLower), ("stockRangeUpper", \.stockRangeUpper),
        ("deltaNeutralAuxPrice", \.deltaNeutral.auxPrice), ("scalePriceIncrement", \.scale.priceIncrement),
        ("scalePriceAdjustValue", \.scale.priceAdjustValue), ("scaleProfitOffset", \.scale.profitOffset),
        ("peggedChangeAmount", \.benchmark.changeAmount),
        ("referenceChangeAmount", \.benchmark.referenceChangeAmount), ("midOffsetAtWhole", \.ats.midOffsetAtWhole),
        ("midOffsetAtHalf", \.ats.midOffsetAtHalf),
    ]
    let numbers: [(String, WritableKeyPath<IBOrder, WireNumber?>)] = [
        ("percentOffset", \.percentOffset), ("trailingPercent", \.trailingPercent), ("delta", \.delta), ("volatility", \.volatility),
        ("basisPoints", \.basisPoints),
    ]
    let sizes: [(String, WritableKeyPath<IBOrder, WireSize?>)] = [("totalQuantity", \.totalQuantity), ("filledQuantity", \.filledQuantity)]

    /// All attributes under their neutral names.
    func neutral(_ o: IBOrder) -> JSONValue {
        var out: [JSONMember] = []
        for (name, path) in texts { out.append(JSONMember(name, .string(o[keyPath: path]))) }
        for (name, path) in flags { out.append(JSONMember(name, .bool(o[keyPath: path]))) }
        for (name, path) in integers { out.append(JSONMember(name, .integer(o[keyPath: path]))) }
        for (name, path) in optionalIntegers { out.append(JSONMember(name, Neutral.integer(o[keyPath: path]))) }
        for (name, path) in prices { out.append(JSONMember(name, Neutral.number(o[keyPath: path]?.raw))) }
        for (name, path) in numbers { out.append(JSONMember(name, Neutral.number(o[keyPath: path]?.raw))) }
        for (name, path) in sizes { out.append(JSONMember(name, Neutral.size(o[keyPath: path]))) }
        out.append(JSONMember("cashQty", Neutral.number(o.cashQty?.raw)))
        out.append(JSONMember("usePriceMgmtAlgo", o.usePriceMgmtAlgo.map { .bool($0) } ?? Neutral.unset))
        out.append(JSONMember("algoParams", Neutral.tags(o.algoParams)))
        out.append(JSONMember("orderMiscOptions", Neutral.tags(o.orderMiscOptions)))
        out.append(JSONMember("smartComboRoutingParams", Neutral.tags(o.smartComboRoutingParams)))
        out.append(JSONMember("orderComboLegs", .array(o.comboLegPrices.map { .object([JSONMember("price", Neutral.number($0?.raw))]) })))
        let tier = o.softDollarTier
        out.append(JSONMember("softDollarTier", ["name": .string(tier.name), "val": .string(tier.value), "displayName": .string(tier.displayName)]))
        out.append(JSONMember("conditions", .array(o.conditions.map(condition))))
        switch o.ats.competeAgainstBestOffset {
        case .amount(let price): out.append(JSONMember("competeAgainstBestOffset", Neutral.number(price.raw)))
        case .upToMid: out.append(JSONMember("competeAgainstBestOffset", "infinity"))
        case nil: out.append(JSONMember("competeAgainstBestOffset", Neutral.unset))
        }
        return .object(out)
    }

    private func condition(_ condition: IBCondition) -> JSONValue {
        var out: [JSONMember] = [JSONMember("conjunction", .string(condition.isAnd ? "a" : "o"))]
        func put(_ name: String, _ value: JSONValue) { out.append(JSONMember(name, value)) }
        switch condition.kind {
        case .price(let isMore, let price, let conId, let exchange, let method):
            put("conditionType", "Price"); put("isMore", .bool(isMore)); put("price", Neutral.number(price.raw)); put("conId", .integer(conId))
            put("exchange", .string(exchange)); put("triggerMethod", .integer(method))
        case .time(let isMore, let time): put("conditionType", "Time"); put("isMore", .bool(isMore)); put("time", .string(time))
        case .margin(let isMore, let percent): put("conditionType", "Margin"); put("isMore", .bool(isMore)); put("percent", .integer(percent))
        case .execution(let secType, let exchange, let symbol):
            put("conditionType", "Execution"); put("secType", .string(secType)); put("exchange", .string(exchange)); put("symbol", .string(symbol))
        case .volume(let isMore, let volume, let conId, let exchange):
            put("conditionType", "Volume"); put("isMore", .bool(isMore)); put("volume", .integer(volume)); put("conId", .integer(conId))
            put("exchange", .string(exchange))
        case .percentChange(let isMore, let percent, let conId, let exchange):
            put("conditionType", "PercentChange"); put("isMore", .bool(isMore)); put("changePercent", Neutral.number(percent?.raw))
            put("conId", .integer(conId)); put("exchange", .string(exchange))
        }
        return .object(out)
    }

    /// An order from the neutral parameters of a call. A name nobody knows fails: it would be a part of the order left out.
    func order(_ params: JSONValue, id: Int64) throws -> IBOrder {
        var o = IBOrder()
        o.orderId = id
        for member in try needed(params.members) { try set(member, &o) }
        return o
    }

    private func set(_ member: JSONMember, _ o: inout IBOrder) throws {
        let (name, value) = (member.key, member.value)
        if let (_, path) = texts.first(where: { $0.0 == name }) {
            o[keyPath: path] = try needed(value.text)
        } else if let (_, path) = flags.first(where: { $0.0 == name }) {
            o[keyPath: path] = try needed(value.boolValue)
        } else if let (_, path) = integers.first(where: { $0.0 == name }) {
            o[keyPath: path] = try needed(value.integerValue)
        } else if let (_, path) = optionalIntegers.first(where: { $0.0 == name }) {
            o[keyPath: path] = try needed(value.integerValue)
        } else if let (_, path) = prices.first(where: { $0.0 == name }) {
            o[keyPath: path] = Price(raw: try needed(Neutral.raw(value)))
        } else if let (_, path) = numbers.first(where: { $0.0 == name }) {
            o[keyPath: path] = WireNumber(raw: try needed(Neutral.raw(value)))
        } else if let (_, path) = sizes.first(where: { $0.0 == name }) {
            o[keyPath: path] = WireSize(raw: Int128(try needed(Neutral.raw(value))))
        } else {
            try setOther(name, value, &o)
        }
    }

    private func setOther(_ name: String, _ value: JSONValue, _ o: inout IBOrder) throws {
        switch name {
        case "cashQty": o.cashQty = Money(raw: try needed(Neutral.raw(value)))
        case "usePriceMgmtAlgo": o.usePriceMgmtAlgo = try needed(value.boolValue)
        case "algoParams": o.algoParams = try tags(value)
        case "smartComboRoutingParams": o.smartComboRoutingParams = try tags(value)
        case "orderMiscOptions": o.orderMiscOptions = try tags(value)
        case "orderComboLegs":
            o.comboLegPrices = try needed(value.elements).map { Neutral.raw($0).map { Price(raw: $0) } }
        case "conditions": o.conditions = try needed(value.elements).map(condition(from:))
        case "softDollarTier":
            o.softDollarTier.name = value["name"]?.text ?? ""
            o.softDollarTier.value = value["val"]?.text ?? value["value"]?.text ?? ""
        case "competeAgainstBestOffset":
            o.ats.competeAgainstBestOffset = value.text == "infinity" ? .upToMid : .amount(Price(raw: try needed(Neutral.raw(value))))
        default: throw UnknownParameter(name: name)
        }
    }

    private func tags(_ value: JSONValue) throws -> [TagValue] {
        try needed(value.elements).map { TagValue(try needed($0.elements?.first?.text), try needed($0.elements?.last?.text)) }
    }

    private func condition(from value: JSONValue) throws -> IBCondition {
        func text(_ key: String) throws -> String { try needed(value[key]?.text, "\(key) of a condition") }
        func integer(_ key: String) throws -> Int64 { try needed(value[key]?.integerValue, "\(key) of a condition") }
        let isMore = value["isMore"]?.boolValue ?? false
        let kind: IBCondition.Kind
        switch try text("type") {
        case "Price":
            let price = Price(raw: try needed(value["price"].flatMap(Neutral.raw)))
            kind = .price(
                isMore: isMore, price: price, conId: try integer("conId"), exchange: try text("exch"), triggerMethod: try integer("triggerMethod"))
        case "Time": kind = .time(isMore: isMore, time: try text("time"))
        case "Margin": kind = .margin(isMore: isMore, percent: try integer("percent"))
        case "Execution": kind = .execution(secType: try text("secType"), exchange: try text("exch"), symbol: try text("symbol"))
        case "Volume": kind = .volume(isMore: isMore, volume: try integer("volume"), conId: try integer("conId"), exchange: try text("exch"))
        case "PercentChange":
            let percent = WireNumber(raw: try needed(value["changePercent"].flatMap(Neutral.raw)))
            kind = .percentChange(isMore: isMore, percent: percent, conId: try integer("conId"), exchange: try text("exch"))
        default: throw UnknownParameter(name: "condition \(value)")
        }
        return IBCondition(kind, isAnd: try text("conj") == "a")
    }
}

/// A parameter of a recorded call that these tests cannot hand to the encoder.
struct UnknownParameter: Error { let name: String }
