// Building API objects: decimals as texts, times as RFC 3339, what is unknown left out.
package import Values
package import Wire

/// One JSON object of the API. Nothing that is nil is written; null is never sent.
package struct Row: Sendable {
    private var members: [JSONMember] = []
    package init() {}
    package var value: JSONValue { .object(members) }

    package mutating func put(_ key: String, _ value: JSONValue?) { if let value { members.append(JSONMember(key, value)) } }
    package mutating func put(_ key: String, _ text: String?) { put(key, text.map { JSONValue.string($0) }) }
    package mutating func put(_ key: String, _ flag: Bool) { put(key, JSONValue.bool(flag)) }
    package mutating func put(_ key: String, _ instant: Instant?) { put(key, instant?.description) }
    package mutating func put(_ key: String, _ price: Price?) { put(key, price?.description) }
    package mutating func put(_ key: String, _ quantity: Quantity?) { put(key, quantity?.description) }
    package mutating func put(_ key: String, _ money: Money?) { put(key, money?.description) }
    package mutating func put(_ key: String, _ ratio: Ratio?) { put(key, ratio?.description) }
    package mutating func put(_ key: String, _ id: InstrumentID?) { put(key, id?.text) }
    package mutating func put(_ key: String, _ rows: [JSONValue]) { put(key, JSONValue.array(rows)) }
    package mutating func put(_ key: String, _ texts: [String]) { put(key, JSONValue.array(texts.map { .string($0) })) }
    /// A count; a number beyond what JavaScript holds exactly is cut to the largest it does.
    package mutating func count(_ key: String, _ number: UInt64?) {
        put(key, number.map { JSONValue.integer(Int64(min($0, 9_007_199_254_740_991))) })
    }
    package mutating func integer(_ key: String, _ number: Int64?) { put(key, number.map { JSONValue.integer($0) }) }
    /// Adds or replaces nothing: takes over the members of another object.
    package mutating func merge(_ other: JSONValue) { members += other.members ?? [] }
}

/// Numbers as people write them in sentences.
package enum Plain {
    /// `98,335.00`: thousands apart, at least `decimals` places.
    package static func grouped(_ raw: Int64, decimals: Int = 2) -> String {
        let text = Decimals.text(raw, scale: 8, minimum: decimals)
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        var whole = ""
        for (index, digit) in parts[0].reversed().enumerated() {
            if index > 0, index % 3 == 0 { whole.append(",") }
            whole.append(digit)
        }
        return (isNegative ? "-" : "") + String(whole.reversed()) + (parts.count > 1 ? "." + parts[1] : "")
    }
    /// `32,874.70 USD`.
    package static func money(_ amount: Money, _ currency: String) -> String { "\(grouped(amount.raw)) \(currency)" }
    /// `1.5` of a fraction 0.015.
    package static func percent(_ ratio: Ratio) -> String { Decimals.text(ratio.raw, scale: 4) }
    /// A percentage in words back to a fraction: `1.5` is 0.015.
    package static func ratio(percent text: String) -> Ratio? { (try? Decimals.parse(text, scale: 4)).map { Ratio(raw: $0) } }
    /// `2 min 14 s`, `3 h 5 min`, `45 s`.
    package static func age(_ span: Span) -> String {
        let seconds = max(0, span.nanoseconds / 1_000_000_000)
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3_600 { return "\(seconds / 60) min \(seconds % 60) s" }
        return "\(seconds / 3_600) h \(seconds / 60 % 60) min"
    }
    /// Rounded half to even to two places, for ratios that people compare; as it is where rounding leaves the range.
    package static func two(_ ratio: Ratio) -> Ratio {
        guard let hundredths = Decimals.divide(Int128(ratio.raw), by: 10_000) else { return ratio }
        let (rounded, over) = hundredths.multipliedReportingOverflow(by: 10_000)
        return over ? ratio : Ratio(raw: rounded)
    }
    /// `1 contract`, `17 contracts`, `120 shares`.
    package static func units(_ quantity: Quantity, of instrument: Instrument?) -> String {
        let noun =
            switch instrument?.securityType {
            case .stock, .fund: "share"
            case .future, .option, .futureOption, .continuousFuture: "contract"
            default: "unit"
            }
        return "\(quantity) \(noun)\(quantity == Quantity(whole: 1) ? "" : "s")"
    }
}

extension Instrument {
    /// Decimal places of its prices on a screen: as many as its price step needs, at least two.
    package var priceDecimals: Int {
        let step = minPriceIncrement.description
        return max(2, step.split(separator: ".").dropFirst().first?.utf8.count ?? 0)
    }
}
