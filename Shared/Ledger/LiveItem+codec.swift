// Live items to JSON and back, for STATE frames; integers carry the fixed scales of Values.
internal import Values
package import Wire

extension LiveItem {
    /// The item as one JSON object with its type under `t`.
    package var value: JSONValue {
        var out = FieldWriter()
        switch self {
        case .quote(let id, let quote):
            out.put("t", "quote"); out.put("instrument", id); out.put("bid", quote.bid); out.put("bidSize", quote.bidSize); out.put("ask", quote.ask)
            out.put("askSize", quote.askSize); out.put("last", quote.last); out.put("lastSize", quote.lastSize); out.put("close", quote.close)
            out.put("delayed", quote.isDelayed); out.put("asOf", quote.asOf)
        case .formingBar(let id, let bar, let asOf):
            out.put("t", "bar"); out.put("instrument", id); out.put("bar", bar.value); out.put("asOf", asOf)
        case .account(let values):
            out.put("t", "account"); out.put("account", values.account); out.put("currency", values.currency)
            out.put("netLiquidation", values.netLiquidation); out.put("availableFunds", values.availableFunds)
            out.put("initialMargin", values.initialMargin); out.put("maintenanceMargin", values.maintenanceMargin); out.put("asOf", values.asOf)
        case .margin(let id, let margin):
            out.put("t", "margin"); out.put("instrument", id); out.put("initial", margin.initial); out.put("maintenance", margin.maintenance)
            out.put("asOf", margin.asOf)
        case .gateway(let state):
            out.put("t", "gateway"); out.put("condition", state.condition.rawValue); out.put("since", state.since); out.put("text", state.text)
            out.put("cure", state.cure); out.put("account", state.account); out.put("trading", state.isTrading)
        case .bot(let bot):
            out.put("t", "bot"); out.put("bot", bot.bot); out.put("instrument", bot.instrument); out.put("state", bot.state)
            out.put("text", bot.text)
            out.put("asOf", bot.asOf)
        case .notice(let notice):
            out.put("t", "notice"); out.put("code", notice.code); out.put("instrument", notice.instrument); out.put("text", notice.text)
            out.put("cure", notice.cure); out.put("asOf", notice.asOf)
        case .front(let symbol, let id, let asOf):
            out.put("t", "front"); out.put("symbol", symbol); out.put("instrument", id); out.put("asOf", asOf)
        }
        return out.value
    }

    /// A text of more bytes is cut: an edge may have thousands of items, and whoever shows them holds them all.
    package static let textBytesMax = 4_096

    /// Reads `value` back.
    package init(_ value: JSONValue) throws(CodecError) {
        let f = try Fields(value.cut(to: LiveItem.textBytesMax))
        switch try f.text("t") {
        case "quote":
            var quote = Quote(asOf: try f.instant("asOf"))
            quote.bid = try f.optional("bid", f.price); quote.bidSize = try f.optional("bidSize", f.quantity)
            quote.ask = try f.optional("ask", f.price); quote.askSize = try f.optional("askSize", f.quantity)
            quote.last = try f.optional("last", f.price); quote.lastSize = try f.optional("lastSize", f.quantity)
            quote.close = try f.optional("close", f.price); quote.isDelayed = try f.flag("delayed")
            self = .quote(try f.instrument("instrument"), quote)
        case "bar": self = .formingBar(try f.instrument("instrument"), try Bar(f.raw("bar")), asOf: try f.instant("asOf"))
        case "account":
            var values = AccountValues(account: try f.text("account"), currency: try f.text("currency"), asOf: try f.instant("asOf"))
            values.netLiquidation = try f.optional("netLiquidation", f.money); values.availableFunds = try f.optional("availableFunds", f.money)
            values.initialMargin = try f.optional("initialMargin", f.money); values.maintenanceMargin = try f.optional("maintenanceMargin", f.money)
            self = .account(values)
        case "margin":
            let margin = ContractMargin(initial: try f.money("initial"), maintenance: try f.money("maintenance"), asOf: try f.instant("asOf"))
            self = .margin(try f.instrument("instrument"), margin)
        case "gateway":
            self = .gateway(
                GatewayState(
                    condition: try f.word("condition", GatewayCondition.self), since: try f.instant("since"), text: try f.text("text"),
                    cure: try f.text("cure"), account: try f.text("account"), isTrading: try f.flag("trading")))
        case "bot":
            self = .bot(
                BotLive(
                    bot: try f.text("bot"), instrument: try f.instrument("instrument"), state: try f.text("state"), text: try f.text("text"),
                    asOf: try f.instant("asOf")))
        case "notice":
            self = .notice(
                Notice(
                    code: try f.integer("code"), instrument: try f.optional("instrument", f.instrument), text: try f.text("text"),
                    cure: try f.text("cure"), asOf: try f.instant("asOf")))
        case "front": self = .front(symbol: try f.text("symbol"), try f.instrument("instrument"), asOf: try f.instant("asOf"))
        default: throw .badValue("t")
        }
    }
}

extension Bar {
    /// `[start, open, high, low, close, volume]` as integers (ns and 10^-8).
    package var value: JSONValue {
        [.integer(start.nanoseconds), .integer(open.raw), .integer(high.raw), .integer(low.raw), .integer(close.raw), .integer(volume.raw)]
    }

    /// Reads `value` back.
    package init(_ value: JSONValue) throws(CodecError) {
        let numbers = (value.elements ?? []).compactMap(\.integerValue)
        guard numbers.count == 6, value.elements?.count == 6 else { throw .wrongType("bar") }
        self.init(
            start: Instant(nanoseconds: numbers[0]), open: Price(raw: numbers[1]), high: Price(raw: numbers[2]), low: Price(raw: numbers[3]),
            close: Price(raw: numbers[4]), volume: Quantity(raw: numbers[5]))
    }
}
