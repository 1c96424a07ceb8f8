// Compares a decoded message with what another client made of the same frame, by the readings that the protocol notes settle.
import Values
import Venues
import Wire

/// Walks two neutral values side by side and names every difference.
struct NeutralCompare {
    let client: Client
    /// The vector's fields by name, where the file names them.
    let named: [String: String]
    let version: Int64
    private(set) var differences: [String] = []

    init(client: Client, vector: JSONValue) {
        self.client = client
        let fields = vector["fields"]?.elements ?? []
        let names = vector["names"]?.elements ?? []
        var named: [String: String] = [:]
        for (name, field) in zip(names, fields) { if let name = name.text { named[name] = field.text } }
        self.named = named
        version = vector["serverVersion"]?.integerValue ?? 0
    }

    /// Attributes that no message of our range carries, or that are obsolete and never read.
    private static let notCarried: Set<String> = [
        "eTradeOnly", "firmQuoteOnly", "nbboPriceCap", "faProfile", "allowPreOpen", "bondAccruedInterest", "customerAccount", "deactivate",
        "hedgeMaxSize",
        "ignoreOpenAuction", "includeOvernight", "manualOrderIndicator", "postOnly", "professionalCustomer", "ptOrderId", "ptOrderType",
        "seekPriceImprovement", "slOrderId", "slOrderType", "submitter", "whatIfType", "description", "lastTradeDate", "optExerciseOrLapseType",
        "equityWithLoanAfterOutsideRTH", "equityWithLoanBeforeOutsideRTH", "equityWithLoanChangeOutsideRTH", "initMarginAfterOutsideRTH",
        "initMarginBeforeOutsideRTH", "initMarginChangeOutsideRTH", "maintMarginAfterOutsideRTH", "maintMarginBeforeOutsideRTH",
        "maintMarginChangeOutsideRTH", "marginCurrency", "orderAllocations", "rejectReason", "suggestedSize", "bondType", "callable", "convertible",
        "coupon", "couponType", "cusip", "descAppend", "issueDate", "maturity", "nextOptionDate", "nextOptionPartial", "nextOptionType", "notes",
        "putable", "ratings", "mdSizeMultiplier", "eventContract1", "eventContractDescription1", "eventContractDescription2", "lastPricePrecision",
        "lastSizePrecision", "minAlgoSize", "ineligibilityReasonList",
    ]

    mutating func compare(calls mine: [[JSONValue]], with theirs: [JSONValue]) {
        guard mine.count == theirs.count else { differences.append("\(mine.count) calls, theirs \(theirs.count)"); return }
        for (index, call) in mine.enumerated() {
            let values = theirs[index]["values"]?.members ?? []
            guard values.count == call.count else { differences.append("call \(index): \(call.count) values, theirs \(values.count)"); continue }
            for (value, member) in zip(call, values) { compare(value, member.value, member.key) }
        }
    }

    private mutating func compare(_ mine: JSONValue, _ theirs: JSONValue, _ path: String) {
        switch (mine, theirs) {
        case (.object(let ours), .object(let members)):
            for member in members {
                let inner = "\(path).\(member.key)"
                if let value = ours.first(where: { $0.key == member.key })?.value { compare(value, member.value, inner); continue }
                let isFund = member.key.hasPrefix("fund")
                if !isFund, !NeutralCompare.notCarried.contains(member.key) { differences.append("\(inner): not decoded by us (\(member.value))") }
            }
            for member in ours where !members.contains(where: { $0.key == member.key }) {
                differences.append("\(path).\(member.key): unknown to them")
            }
        case (.array(let ours), .array(let elements)):
            guard ours.count == elements.count else { differences.append("\(path): \(ours.count) elements, theirs \(elements.count)"); return }
            for index in ours.indices { compare(ours[index], elements[index], "\(path)[\(index)]") }
        case (.array(let accounts), .string(let text)) where path == "accountsList":
            // The trailing comma goes.
            if accounts.compactMap(\.text) != text.split(separator: ",").map(String.init) {
                differences.append("\(path): \(accounts), theirs \(text)")
            }
        case (.array(let ours), .null): if !ours.isEmpty { differences.append("\(path): theirs none") }
        default: if !agrees(mine, theirs, path) { differences.append("\(path): \(mine), theirs \(theirs)") }
        }
    }

    private func agrees(_ mine: JSONValue, _ theirs: JSONValue, _ path: String) -> Bool {
        if mine == theirs { return true }
        let name = path.split(separator: ".").last.map(String.init) ?? path
        if mine == Neutral.unset { return isUnset(theirs, name) }
        if case .bool(let flag) = mine { return theirs == .null && !flag }
        // The first level of a trailing stop is kept where both clients let an unset second one wipe it out.
        if name == "trailStopPrice", isUnset(theirs, name), let told = named[name], let raw = Neutral.raw(.string(told)) {
            return Neutral.raw(mine) == raw
        }
        // This client reads the field one version too late.
        if name == "duration", client == .ibAsync, version == 158 { return true }
        // This client does not read the one size field that stands there at that version only.
        if name == "suggestedSizeIncrement", client == .nautilus, version == 163 { return true }
        if isSentinel(theirs) || theirs == Neutral.unset { return isSentinel(mine) }
        if case .string(let text) = mine { return agrees(text: text, theirs, name) }
        guard let ours = Neutral.digits(mine), let digits = Neutral.digits(theirs) else { return false }
        if ours == digits { return true }
        guard let a = Neutral.raw(mine), let b = Neutral.raw(theirs) else { return wide(ours) == wide(digits) && wide(ours) != nil }
        return a == b
    }

    private func agrees(text: String, _ theirs: JSONValue, _ name: String) -> Bool {
        guard let other = Neutral.digits(theirs) else { return false }
        if text == other { return true }
        // Right is C, P or nothing.
        if name == "right" { return text.isEmpty && ["?", "0"].contains(other) }
        // Epoch seconds: a number here, text there.
        if name == "time" || name == "date" { return text == other }
        if name == "time", client == .ibAsync { return false }
        // Only \uXXXX is unescaped; one client unescapes nothing in this field, the other more.
        if other.contains("\\") { return text == WireText.unescaped(other) }
        if text.contains("\\") { return text.replacing("\\n", with: "\n").replacing("\\t", with: "\t") == other }
        // This client takes the clock's zone for the contract's: ours keeps the field of its own.
        return client == .ibAsync && (name == "timeZoneId" || name == "lastTradeTime")
    }

    /// Sizes too large for 10^-8 in 64 bits.
    private func wide(_ digits: String) -> Int64? { try? Decimals.parse(digits, scale: 0) }

    private func isSentinel(_ value: JSONValue) -> Bool {
        ["2147483647", "9223372036854775807", "-9223372036854775808", "1.7976931348623157E308", "1.7976931348623157e+308"].contains(
            Neutral.digits(value) ?? "")
    }

    /// How others write what we read as unset: a sentinel, none, nothing, or zero.
    private func isUnset(_ theirs: JSONValue, _ name: String) -> Bool {
        if theirs == Neutral.unset || theirs == .null || theirs == .string("") || theirs == .bool(false) || isSentinel(theirs) { return true }
        guard let raw = Neutral.raw(theirs) else { return false }
        // Bars without trades write -1.
        let isBarFigure = ["volume", "wap", "count", "barCount"].contains(name)
        return raw == 0 || (isBarFigure && raw == -100_000_000)
    }
}
