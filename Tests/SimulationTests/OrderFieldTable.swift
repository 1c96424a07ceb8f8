// One table of an order's fields: the wire's name, how to fill it by chance, and how it reads; the tie between the two codecs.
import Simulation
import Values
import Venues

/// One field of an order.
struct OrderField: Sendable {
    /// As in the protocol notes.
    let name: String
    /// The server version from which placeOrder carries it.
    var since = 157
    let fill: @Sendable (inout IBOrder, inout SeededRandom) -> Void
    let text: @Sendable (IBOrder) -> String

    private static func words(_ chance: inout SeededRandom) -> String { "t\(chance.int(1...999_999))" }

    static func text(_ name: String, _ path: any WritableKeyPath<IBOrder, String> & Sendable, since: Int = 157) -> OrderField {
        OrderField(name: name, since: since, fill: { $0[keyPath: path] = words(&$1) }, text: { $0[keyPath: path] })
    }
    static func word(_ name: String, _ path: any WritableKeyPath<IBOrder, String> & Sendable, _ choices: [String]) -> OrderField {
        OrderField(name: name, fill: { $0[keyPath: path] = choices[$1.int(0...choices.count - 1)] }, text: { $0[keyPath: path] })
    }
    static func number(_ name: String, _ path: any WritableKeyPath<IBOrder, Int64> & Sendable) -> OrderField {
        OrderField(name: name, fill: { $0[keyPath: path] = Int64($1.int(1...99_999)) }, text: { String($0[keyPath: path]) })
    }
    static func maybe(_ name: String, _ path: any WritableKeyPath<IBOrder, Int64?> & Sendable, since: Int = 157) -> OrderField {
        OrderField(
            name: name, since: since, fill: { $0[keyPath: path] = $1.chance(1, in: 3) ? nil : Int64($1.int(1...99_999)) },
            text: { $0[keyPath: path].map(String.init) ?? "" })
    }
    static func flag(_ name: String, _ path: any WritableKeyPath<IBOrder, Bool> & Sendable, since: Int = 157) -> OrderField {
        OrderField(name: name, since: since, fill: { $0[keyPath: path] = $1.chance(1, in: 2) }, text: { $0[keyPath: path] ? "1" : "0" })
    }
    static func price(_ name: String, _ path: any WritableKeyPath<IBOrder, Price?> & Sendable) -> OrderField {
        OrderField(
            name: name, fill: { $0[keyPath: path] = $1.chance(1, in: 3) ? nil : Price(raw: Int64($1.int(-99_999_999...999_999_999))) },
            text: { $0[keyPath: path]?.description ?? "" })
    }
    static func pure(_ name: String, _ path: any WritableKeyPath<IBOrder, WireNumber?> & Sendable) -> OrderField {
        OrderField(
            name: name, fill: { $0[keyPath: path] = $1.chance(1, in: 3) ? nil : WireNumber(raw: Int64($1.int(1...99_999_999))) },
            text: { $0[keyPath: path]?.description ?? "" })
    }

    /// The fields that both placeOrder and the reports of orders carry.
    static let shared: [OrderField] = [
        word("action", \.action, ["BUY", "SELL"]),
        OrderField(
            name: "totalQuantity", fill: { $0.totalQuantity = WireSize(Quantity(raw: Int64($1.int(1...9_999_999_999)))) },
            text: { $0.totalQuantity?.description ?? "" }),
        word("orderType", \.orderType, ["MKT", "LMT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MIT", "REL"]), price("lmtPrice", \.lmtPrice),
        price("auxPrice", \.auxPrice), word("tif", \.tif, ["DAY", "GTC", "IOC", "GTD"]), text("ocaGroup", \.ocaGroup), text("account", \.account),
        word("openClose", \.openClose, ["", "O", "C"]), number("origin", \.origin), text("orderRef", \.orderRef), flag("outsideRth", \.outsideRth),
        flag("hidden", \.hidden), text("goodAfterTime", \.goodAfterTime), text("faGroup", \.faGroup), text("faMethod", \.faMethod),
        text("faPercentage", \.faPercentage), text("modelCode", \.modelCode), text("goodTillDate", \.goodTillDate), text("rule80A", \.rule80A),
        pure("percentOffset", \.percentOffset), text("settlingFirm", \.settlingFirm), number("shortSaleSlot", \.shortSaleSlot),
        text("designatedLocation", \.designatedLocation), number("exemptCode", \.exemptCode), price("startingPrice", \.startingPrice),
        price("stockRefPrice", \.stockRefPrice), pure("delta", \.delta), price("stockRangeLower", \.stockRangeLower),
        price("stockRangeUpper", \.stockRangeUpper), flag("sweepToFill", \.sweepToFill), flag("allOrNone", \.allOrNone), maybe("minQty", \.minQty),
        number("ocaType", \.ocaType), number("triggerMethod", \.triggerMethod), pure("volatility", \.volatility),
        maybe("volatilityType", \.volatilityType), flag("continuousUpdate", \.continuousUpdate), maybe("referencePriceType", \.referencePriceType),
        pure("trailingPercent", \.trailingPercent), maybe("scaleInitLevelSize", \.scale.initLevelSize),
        maybe("scaleSubsLevelSize", \.scale.subsLevelSize), text("clearingAccount", \.clearingAccount), text("clearingIntent", \.clearingIntent),
        flag("notHeld", \.notHeld), flag("solicited", \.solicited), flag("randomizeSize", \.randomizeSize), flag("randomizePrice", \.randomizePrice),
        price("lmtPriceOffset", \.lmtPriceOffset), flag("isOmsContainer", \.isOmsContainer),
        flag("dontUseAutoPriceForHedge", \.dontUseAutoPriceForHedge),
        OrderField(
            name: "cashQty", fill: { $0.cashQty = $1.chance(1, in: 3) ? nil : Money(raw: Int64($1.int(1...99_999_999_999))) },
            text: { $0.cashQty?.description ?? "" }),
    ]
    /// Those of placeOrder and openOrder.
    static let working: [OrderField] = [
        number("parentId", \.parentId), flag("blockOrder", \.blockOrder), number("auctionStrategy", \.auctionStrategy),
        flag("optOutSmartRouting", \.optOutSmartRouting), flag("whatIf", \.whatIf), text("adjustedOrderType", \.adjustedOrderType),
        price("triggerPrice", \.triggerPrice), price("adjustedStopPrice", \.adjustedStopPrice),
        price("adjustedStopLimitPrice", \.adjustedStopLimitPrice), price("adjustedTrailingAmount", \.adjustedTrailingAmount),
        number("adjustableTrailingUnit", \.adjustableTrailingUnit), text("softDollarTier.name", \.softDollarTier.name),
        text("softDollarTier.value", \.softDollarTier.value), flag("discretionaryUpToLimitPrice", \.discretionaryUpToLimitPrice),
        price("discretionaryAmt", \.discretionaryAmt), price("trailStopPrice", \.trailStopPrice), maybe("duration", \.duration, since: 158),
        maybe("postToAts", \.postToAts, since: 160),
        OrderField(
            name: "usePriceMgmtAlgo", fill: { $0.usePriceMgmtAlgo = $1.chance(1, in: 3) ? nil : $1.chance(1, in: 2) },
            text: { $0.usePriceMgmtAlgo.map { $0 ? "1" : "0" } ?? "" }),
        flag("autoCancelParent", \.autoCancelParent, since: 162),
    ]
    /// Those that only placeOrder carries.
    static let asked: [OrderField] = [
        number("orderId", \.orderId), flag("transmit", \.transmit), flag("overridePercentageConstraints", \.overridePercentageConstraints),
        text("scaleTable", \.scaleTable), text("activeStartTime", \.activeStartTime), text("activeStopTime", \.activeStopTime),
        text("extOperator", \.extOperator), text("mifid2DecisionMaker", \.mifid.decisionMaker), text("mifid2DecisionAlgo", \.mifid.decisionAlgo),
        text("mifid2ExecutionTrader", \.mifid.executionTrader), text("mifid2ExecutionAlgo", \.mifid.executionAlgo),
        text("advancedErrorOverride", \.advancedErrorOverride, since: 166), text("manualOrderTime", \.manualOrderTime, since: 169),
        text("algoId", \.algoId), maybe("displaySize", \.displaySize), text("hedgeType", \.hedgeType), text("hedgeParam", \.hedgeParam),
        price("scalePriceIncrement", \.scale.priceIncrement), text("deltaNeutralOrderType", \.deltaNeutral.orderType),
        text("deltaNeutralSettlingFirm", \.deltaNeutral.settlingFirm), number("deltaNeutralConId", \.deltaNeutral.conId),
    ]
}
