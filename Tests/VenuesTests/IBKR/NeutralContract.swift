// The recorded vectors' names for contracts and their details.
import Values
import Venues
import Wire

extension Neutral {
    static func contract(_ c: IBContract) -> JSONValue {
        [
            "conId": .integer(c.conId), "symbol": .string(c.symbol), "secType": .string(c.secType),
            "lastTradeDateOrContractMonth": .string(c.lastTradeDateOrContractMonth), "strike": number(c.strike?.raw),
            "right": .string(c.right?.rawValue ?? ""), "multiplier": .string(c.multiplier), "exchange": .string(c.exchange),
            "primaryExchange": .string(c.primaryExchange), "currency": .string(c.currency), "localSymbol": .string(c.localSymbol),
            "tradingClass": .string(c.tradingClass), "includeExpired": .bool(c.includeExpired), "secIdType": .string(c.secIdType),
            "secId": .string(c.secId), "issuerId": .string(c.issuerId), "comboLegsDescrip": .string(c.comboLegsDescrip),
            "comboLegs": .array(c.comboLegs.map(leg)),
            "deltaNeutralContract": c.deltaNeutral.map {
                ["conId": .integer($0.conId), "delta": number($0.delta.raw), "price": number($0.price.raw)]
            } ?? .null,
        ]
    }

    private static func leg(_ leg: ComboLeg) -> JSONValue {
        [
            "conId": .integer(leg.conId), "ratio": .integer(leg.ratio), "action": .string(leg.action), "exchange": .string(leg.exchange),
            "openClose": .integer(leg.openClose), "shortSaleSlot": .integer(leg.shortSaleSlot), "designatedLocation": .string(leg.designatedLocation),
            "exemptCode": .integer(leg.exemptCode),
        ]
    }

    static func details(_ d: IBContractDetails) -> JSONValue {
        .object(basics(d) + bond(d.bond ?? IBBondTerms()))
    }

    private static func bond(_ b: IBBondTerms) -> [JSONMember] {
        let texts = [
            ("cusip", b.cusip), ("maturity", b.maturity), ("issueDate", b.issueDate), ("ratings", b.ratings), ("bondType", b.bondType),
            ("couponType", b.couponType), ("descAppend", b.description), ("nextOptionDate", b.nextOptionDate),
            ("nextOptionType", b.nextOptionType), ("notes", b.notes),
        ]
        let flags = [
            ("convertible", b.isConvertible), ("callable", b.isCallable), ("putable", b.isPutable), ("nextOptionPartial", b.isNextOptionPartial),
        ]
        return texts.map { JSONMember($0.0, .string($0.1)) } + flags.map { JSONMember($0.0, .bool($0.1)) }
            + [JSONMember("coupon", number(b.coupon?.raw))]
    }

    private static func basics(_ d: IBContractDetails) -> [JSONMember] {
        let value: JSONValue = [
            "contract": contract(d.contract), "marketName": .string(d.marketName), "minTick": number(d.minTick?.raw),
            "orderTypes": .string(d.orderTypes),
            "validExchanges": .string(d.validExchanges), "priceMagnifier": .integer(d.priceMagnifier), "underConId": .integer(d.underConId),
            "longName": .string(d.longName), "contractMonth": .string(d.contractMonth), "industry": .string(d.industry),
            "category": .string(d.category),
            "subcategory": .string(d.subcategory), "timeZoneId": .string(d.timeZoneId), "tradingHours": .string(d.tradingHours),
            "liquidHours": .string(d.liquidHours), "evRule": .string(d.evRule), "evMultiplier": number(d.evMultiplier?.raw),
            "secIdList": tags(d.secIds),
            "aggGroup": integer(d.aggGroup), "underSymbol": .string(d.underSymbol), "underSecType": .string(d.underSecType),
            "marketRuleIds": .string(d.marketRuleIds), "realExpirationDate": .string(d.realExpirationDate), "lastTradeTime": .string(d.lastTradeTime),
            "stockType": .string(d.stockType), "minSize": size(d.minSize), "sizeIncrement": size(d.sizeIncrement),
            "suggestedSizeIncrement": size(d.suggestedSizeIncrement),
        ]
        return value.members ?? []
    }

    /// A contract from a call's parameters. A name nobody knows fails.
    static func contract(from params: JSONValue) throws -> IBContract {
        var c = IBContract()
        for member in try needed(params.members) {
            let value = member.value
            switch member.key {
            case "conId": c.conId = try needed(value.integerValue)
            case "symbol": c.symbol = try needed(value.text)
            case "secType": c.secType = try needed(value.text)
            case "lastTradeDateOrContractMonth": c.lastTradeDateOrContractMonth = try needed(value.text)
            case "strike": c.strike = Price(raw: try needed(raw(value)))
            case "right": c.right = OptionRight(wire: try needed(value.text))
            case "multiplier": c.multiplier = try needed(value.text)
            case "exchange": c.exchange = try needed(value.text)
            case "primaryExchange": c.primaryExchange = try needed(value.text)
            case "currency": c.currency = try needed(value.text)
            case "localSymbol": c.localSymbol = try needed(value.text)
            case "tradingClass": c.tradingClass = try needed(value.text)
            case "includeExpired": c.includeExpired = try needed(value.boolValue)
            case "secIdType": c.secIdType = try needed(value.text)
            case "secId": c.secId = try needed(value.text)
            case "issuerId": c.issuerId = try needed(value.text)
            case "comboLegs": c.comboLegs = try needed(value.elements).map(leg(from:))
            case "deltaNeutralContract":
                c.deltaNeutral = DeltaNeutralContract(
                    conId: try needed(value["conId"]?.integerValue), delta: WireNumber(raw: try needed(value["delta"].flatMap(raw))),
                    price: Price(raw: try needed(value["price"].flatMap(raw))))
            default: throw UnknownParameter(name: member.key)
            }
        }
        return c
    }

    private static func leg(from params: JSONValue) throws -> ComboLeg {
        var leg = ComboLeg()
        for member in try needed(params.members) {
            let value = member.value
            switch member.key {
            case "conId": leg.conId = try needed(value.integerValue)
            case "ratio": leg.ratio = try needed(value.integerValue)
            case "action": leg.action = try needed(value.text)
            case "exchange": leg.exchange = try needed(value.text)
            case "openClose": leg.openClose = try needed(value.integerValue)
            case "shortSaleSlot": leg.shortSaleSlot = try needed(value.integerValue)
            case "designatedLocation": leg.designatedLocation = try needed(value.text)
            case "exemptCode": leg.exemptCode = try needed(value.integerValue)
            default: throw UnknownParameter(name: member.key)
            }
        }
        return leg
    }
}
