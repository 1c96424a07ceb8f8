// Orders and executions as the gateway writes them: decoded values turned back into the recorded fields.
import Simulation
import Wire

extension Encoded {
    static func orders(_ vector: TWSVector, _ v: VectorReader) -> [String]? {
        switch vector.messageId {
        case 3:
            let status = GatewayMessages.Status(
                orderId: v.integer("orderId"), status: v["status"], filled: v["filled"], remaining: v["remaining"], averagePrice: v["avgFillPrice"],
                permId: v.integer("permId"), parentId: v.integer("parentId"), lastPrice: v["lastFillPrice"], clientId: Int(v.integer("clientId")),
                whyHeld: v["whyHeld"], marketCapPrice: v["mktCapPrice"])
            return GatewayMessages.orderStatus(status)
        case 11:
            let e = v.inner("execution")
            var execution = GatewayMessages.Execution(
                listing: v.listing("contract"), orderId: e["orderId"].isEmpty ? Int64(Int32.max) : e.integer("orderId"), execId: e["execId"],
                time: e["time"], account: e["acctNumber"],
                exchange: e["exchange"], side: e["side"], shares: e["shares"], price: e["price"], permId: e.integer("permId"),
                clientId: Int(e.integer("clientId")), cumulative: e["cumQty"], averagePrice: e["avgPrice"], orderRef: e["orderRef"],
                lastLiquidity: e["lastLiquidity"])
            execution.liquidation = e["liquidation"]
            execution.evRule = e["evRule"]
            execution.evMultiplier = e["evMultiplier"] == "0.0" ? "" : e["evMultiplier"]
            execution.model = e["modelCode"]
            return GatewayMessages.execDetails(id: Int(v.integer("reqId")), execution, version: vector.version)
        case 59:
            let r = v.inner("commissionAndFeesReport")
            return GatewayMessages.commissionReport(
                execId: r["execId"], commission: r["commissionAndFees"], currency: r["currency"], realised: r["realizedPNL"], yield: r["yield_"],
                redemption: r["yieldRedemptionDate"] == "0" ? "" : r["yieldRedemptionDate"])
        case 53: return GatewayMessages.openOrderEnd
        case 55: return GatewayMessages.execDetailsEnd(id: Int(v.integer("reqId")))
        case 102: return GatewayMessages.completedOrdersEnd
        default: return nil
        }
    }

    /// openOrder and completedOrder: every named field and every block from the decoded order, everything unnamed from the gateway's habits.
    static func reports(_ vector: TWSVector, _ v: VectorReader, _ names: [String?]) -> [String]? {
        guard vector.messageId == 5 || vector.messageId == 101 else { return nil }
        let (order, state) = (v.inner("order"), v.inner("orderState"))
        var values: [String: String] = [:]
        for case let name? in names { values[name] = (order.json[renamed(name)] ?? state.json[renamed(name)]).flatMap(TWSVectors.text) }
        // What decoders throw away or fold into another field cannot be rebuilt from their result.
        for (name, field) in zip(names, vector.frames[0].fields) {
            guard let name, ["sharesAllocation(ignored)", "adjTrailStopPrice", "autoCancelParentC", "trailStopPrice"].contains(name) else { continue }
            values[name == "autoCancelParentC" ? "autoCancelParent" : name] = field
        }
        for name in Self.blockNames { values[name] = order[name] }
        values["comboLegsDescrip"] = v.inner("contract")["comboLegsDescrip"]
        let tier = order.inner("softDollarTier")
        for (name, key) in [("name", "name"), ("value", "val"), ("displayName", "displayName")] { values["softDollarTier." + name] = tier[key] }
        let hedge = v.inner("contract").inner("deltaNeutralContract")
        if hedge.json.members != nil {
            values["deltaNeutralContract?"] = "1"
            for key in ["conId", "delta", "price"] { values["deltaNeutralContract." + key] = hedge[key] }
        }
        let report = OrderReport(orderId: v.integer("orderId"), listing: v.listing("contract"), values: values, lists: lists(v))
        return vector.messageId == 5 ? report.openOrder(version: vector.version) : report.completedOrder(version: vector.version)
    }
    /// Blocks whose fields the files do not label.
    private static let blockNames = [
        "scalePriceAdjustValue", "scalePriceAdjustInterval", "scaleProfitOffset", "scaleAutoReset", "scaleInitPosition", "scaleInitFillQty",
        "scaleRandomPercent", "conditionsIgnoreRth", "conditionsCancelOrder",
    ]

    private static func lists(_ v: VectorReader) -> [String: [[String]]] {
        let order = v.inner("order").json
        func items(_ json: JSONValue?, _ keys: [String]) -> [[String]] {
            (json?.elements ?? []).map { item in keys.map { VectorReader(item)[$0] } }
        }
        func pairs(_ json: JSONValue?) -> [[String]] { (json?.elements ?? []).map { ($0.elements ?? []).map { TWSVectors.text($0) ?? "" } } }
        let leg = ["conId", "ratio", "action", "exchange", "openClose", "shortSaleSlot", "designatedLocation", "exemptCode"]
        return [
            "legs": items(v.inner("contract").json["comboLegs"], leg), "legPrices": items(order["orderComboLegs"], ["price"]),
            "routing": pairs(order["smartComboRoutingParams"]), "algo": pairs(order["algoParams"]),
            "conditions": (order["conditions"]?.elements ?? []).map { condition(VectorReader($0)) },
        ]
    }
    private static func condition(_ c: VectorReader) -> [String] {
        let kinds: [String: (type: String, keys: [String])] = [
            "Price": ("1", ["isMore", "price", "conId", "exchange", "triggerMethod"]), "Time": ("3", ["isMore", "time"]),
            "Margin": ("4", ["isMore", "percent"]), "Execution": ("5", ["secType", "exchange", "symbol"]),
            "Volume": ("6", ["isMore", "volume", "conId", "exchange"]), "PercentChange": ("7", ["isMore", "changePercent", "conId", "exchange"]),
        ]
        guard let kind = kinds[c["conditionType"]] else { return ["unknown condition \(c["conditionType"])"] }
        return [kind.type, c["conjunction"]] + kind.keys.map { c[$0] }
    }
    /// The decoders' names of what the wire's labels call otherwise.
    private static func renamed(_ name: String) -> String {
        switch name {
        case "commission": "commissionAndFees"
        case "minCommission": "minCommissionAndFees"
        case "maxCommission": "maxCommissionAndFees"
        case "commissionCurrency": "commissionAndFeesCurrency"
        default: name
        }
    }
}
