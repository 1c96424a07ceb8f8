// What the gateway must remember through its own death, as canonical JSON lines.
package import Values
package import Venues
package import Wire

/// One line of the gateway's journal.
package enum GatewayRecord: Hashable, Sendable {
    /// The first line: when this gateway's history began, and for which account.
    case born(at: Instant, account: String)
    /// An order as its client wrote it, at transmission, modification or refusal.
    case order(GatewayOrder)
    /// How an order stands at the exchange.
    case state(PaperOrder)
    case fill(PaperFill)
    /// The execution of this serial is known by its corrected id from now on.
    case corrected(serial: UInt64)
    /// The execution of this serial is told with a wrong price until it is corrected.
    case misprinted(serial: UInt64)

    /// Bytes of a line.
    package static let lineBytesMax = 4_194_304
    private static let limits = JSONLimits(depth: 8, bytes: lineBytesMax)

    /// One canonical line, without its newline, of all that one turn must remember: a torn line loses the whole turn, never a part of it.
    package static func line(_ records: [GatewayRecord]) throws(CanonicalError) -> [UInt8] {
        try JSONWriter.canonical(.array(records.map(\.json)), limits: limits)
    }

    /// Reads a line back; nil when it is not one of ours or is torn.
    package static func records(line: [UInt8]) -> [GatewayRecord]? {
        guard let elements = (try? JSONReader.read(line, limits: limits))?.elements else { return nil }
        let records = elements.compactMap { GatewayRecord($0) }
        return records.count == elements.count ? records : nil
    }

    private var json: JSONValue {
        switch self {
        case .born(let at, let account): ["born": ["at": .integer(at.nanoseconds), "account": .string(account)]]
        case .order(let order): ["order": Self.json(order)]
        case .state(let order): ["state": Self.json(order)]
        case .fill(let fill): ["fill": Self.json(fill)]
        case .corrected(let serial): ["corrected": .integer(Int64(bitPattern: serial))]
        case .misprinted(let serial): ["misprinted": .integer(Int64(bitPattern: serial))]
        }
    }

    private init?(_ json: JSONValue) {
        guard let member = json.members?.first, json.members?.count == 1 else { return nil }
        switch member.key {
        case "born":
            guard let at = member.value["at"]?.integerValue, let account = member.value["account"]?.text else { return nil }
            self = .born(at: Instant(nanoseconds: at), account: account)
        case "order": guard let order = Self.gatewayOrder(member.value) else { return nil }; self = .order(order)
        case "state": guard let order = Self.paperOrder(member.value) else { return nil }; self = .state(order)
        case "corrected":
            guard let serial = member.value.integerValue else { return nil }
            self = .corrected(serial: UInt64(bitPattern: serial))
        case "misprinted":
            guard let serial = member.value.integerValue else { return nil }
            self = .misprinted(serial: UInt64(bitPattern: serial))
        case "fill": guard let fill = Self.fill(member.value) else { return nil }; self = .fill(fill)
        default: return nil
        }
    }
}

// MARK: Orders of the gateway

extension GatewayRecord {
    private static func json(_ order: GatewayOrder) -> JSONValue {
        // Empty fields say nothing, but in blocks the place of each counts.
        let all = zip(order.fields.names, order.fields.values)
        let fields = all.filter { !$1.isEmpty && !OrderFields.repeats($0) }.map { JSONMember($0, .string($1)) }
        let blocks = all.filter { OrderFields.repeats($0.0) }.map { JSONValue.array([.string($0), .string($1)]) }
        var members = [
            JSONMember("client", .integer(Int64(order.key.clientId))), JSONMember("order", .integer(order.key.orderId)),
            JSONMember("perm", .integer(order.permId)), JSONMember("fields", .object(fields)), JSONMember("ticket", json(order.ticket)),
            JSONMember("refused", .bool(order.isRefused)),
        ]
        if !blocks.isEmpty { members.append(JSONMember("blocks", .array(blocks))) }
        return .object(members)
    }

    /// Journals of before this had blocks know none.
    private static func blocks(_ json: JSONValue?) -> [(name: String, value: String)]? {
        guard let json else { return [] }
        let pairs = json.elements?.compactMap { item -> (name: String, value: String)? in
            guard let words = item.elements, words.count == 2, let name = words[0].text, let value = words[1].text else { return nil }
            return (name, value)
        }
        return pairs?.count == json.elements?.count ? pairs : nil
    }

    private static func gatewayOrder(_ json: JSONValue) -> GatewayOrder? {
        guard let client = json["client"]?.integerValue.flatMap({ Int(exactly: $0) }), let order = json["order"]?.integerValue,
            let perm = json["perm"]?.integerValue, let members = json["fields"]?.members, let ticket = json["ticket"].flatMap(ticket),
            let refused = json["refused"]?.boolValue,
            let blocks = blocks(json["blocks"]),
            let fields = OrderFields(
                names: members.map(\.key) + blocks.map(\.name), values: members.map { $0.value.text ?? "" } + blocks.map(\.value))
        else { return nil }
        return GatewayOrder(
            key: OrderKey(clientId: client, orderId: order), permId: perm, fields: fields, ticket: ticket, isTransmitted: true, isRefused: refused,
            paper: nil)
    }
}

// MARK: What the exchange holds

extension GatewayRecord {
    private static func json(_ ticket: PaperTicket) -> JSONValue {
        var members = [
            JSONMember("id", .integer(ticket.id.raw)), JSONMember("instrument", .string(ticket.instrument.text)),
            JSONMember("side", .string(ticket.side.rawValue)),
            JSONMember("quantity", .integer(ticket.quantity.raw)), JSONMember("type", .string(ticket.type.rawValue)),
            JSONMember("tif", .string(ticket.timeInForce.rawValue)), JSONMember("outside", .bool(ticket.outsideHours)),
            JSONMember("reduce", .bool(ticket.groupRule == .reduce)),
        ]
        func add(_ key: String, _ value: Int64?) { if let value { members.append(JSONMember(key, .integer(value))) } }
        add("limit", ticket.limitPrice?.raw)
        add("stop", ticket.stopPrice?.raw)
        add("limitOffset", ticket.limitOffset?.raw)
        add("goodTill", ticket.goodTill?.nanoseconds)
        add("parent", ticket.parent?.raw)
        switch ticket.trail {
        case .amount(let amount)?: add("trailAmount", amount.raw)
        case .fraction(let part)?: add("trailFraction", part.raw)
        case nil: break
        }
        if let group = ticket.group { members.append(JSONMember("group", .string(group))) }
        return .object(members)
    }

    private static func ticket(_ json: JSONValue) -> PaperTicket? {
        guard let id = json["id"]?.integerValue, let instrument = json["instrument"]?.text,
            let side = json["side"]?.text.flatMap(Side.init(rawValue:)),
            let quantity = json["quantity"]?.integerValue, let type = json["type"]?.text.flatMap(OrdType.init(rawValue:)),
            let tif = json["tif"]?.text.flatMap(TimeInForce.init(rawValue:)), let outside = json["outside"]?.boolValue,
            let reduce = json["reduce"]?.boolValue
        else { return nil }
        func price(_ key: String) -> Price? { json[key]?.integerValue.map { Price(raw: $0) } }
        let trail = price("trailAmount").map { Trail.amount($0) } ?? json["trailFraction"]?.integerValue.map { .fraction(Ratio(raw: $0)) }
        return PaperTicket(
            id: PaperOrderID(id), instrument: InstrumentID(instrument), side: side, quantity: Quantity(raw: quantity), type: type,
            limitPrice: price("limit"),
            stopPrice: price("stop"), trail: trail, limitOffset: price("limitOffset"), timeInForce: tif,
            goodTill: json["goodTill"]?.integerValue.map { Instant(nanoseconds: $0) }, outsideHours: outside,
            parent: json["parent"]?.integerValue.map { PaperOrderID($0) }, group: json["group"]?.text, groupRule: reduce ? .reduce : .cancel)
    }

    private static func json(_ order: PaperOrder) -> JSONValue {
        var members = [
            JSONMember("ticket", json(order.ticket)), JSONMember("state", .string(order.state.rawValue)),
            JSONMember("filled", .integer(order.filled.raw)),
            JSONMember("value", .string(String(order.filledValue))), JSONMember("triggered", .bool(order.triggered)),
            JSONMember("placed", .integer(order.placedAt.nanoseconds)), JSONMember("changed", .integer(order.changedAt.nanoseconds)),
            JSONMember("priority", .integer(Int64(bitPattern: order.priority))),
        ]
        if let last = order.lastPrice { members.append(JSONMember("last", .integer(last.raw))) }
        if let stop = order.stop { members.append(JSONMember("stop", .integer(stop.raw))) }
        if let expires = order.expiresAt { members.append(JSONMember("expires", .integer(expires.nanoseconds))) }
        return .object(members)
    }

    private static func paperOrder(_ json: JSONValue) -> PaperOrder? {
        guard let ticket = json["ticket"].flatMap(ticket), let state = json["state"]?.text.flatMap(PaperOrderState.init(rawValue:)),
            let filled = json["filled"]?.integerValue, let value = json["value"]?.text.flatMap({ Int128($0) }),
            let triggered = json["triggered"]?.boolValue,
            let placed = json["placed"]?.integerValue, let changed = json["changed"]?.integerValue, let priority = json["priority"]?.integerValue
        else { return nil }
        return PaperOrder(
            ticket: ticket, state: state, filled: Quantity(raw: filled), filledValue: value,
            lastPrice: json["last"]?.integerValue.map { Price(raw: $0) },
            stop: json["stop"]?.integerValue.map { Price(raw: $0) }, triggered: triggered, placedAt: Instant(nanoseconds: placed),
            changedAt: Instant(nanoseconds: changed), expiresAt: json["expires"]?.integerValue.map { Instant(nanoseconds: $0) },
            priority: UInt64(bitPattern: priority))
    }

    private static func json(_ fill: PaperFill) -> JSONValue {
        var members = [
            JSONMember("serial", .integer(Int64(bitPattern: fill.serial))), JSONMember("order", .integer(fill.order.raw)),
            JSONMember("instrument", .string(fill.instrument.text)), JSONMember("side", .string(fill.side.rawValue)),
            JSONMember("quantity", .integer(fill.quantity.raw)), JSONMember("price", .integer(fill.price.raw)),
            JSONMember("at", .integer(fill.at.nanoseconds)),
            JSONMember("cumulative", .integer(fill.cumulative.raw)), JSONMember("average", .integer(fill.averagePrice.raw)),
            JSONMember("commission", .integer(fill.commission.raw)), JSONMember("added", .bool(fill.added)),
        ]
        if let realised = fill.realised { members.append(JSONMember("realised", .integer(realised.raw))) }
        return .object(members)
    }

    private static func fill(_ json: JSONValue) -> PaperFill? {
        guard let serial = json["serial"]?.integerValue, let order = json["order"]?.integerValue, let instrument = json["instrument"]?.text,
            let side = json["side"]?.text.flatMap(Side.init(rawValue:)), let quantity = json["quantity"]?.integerValue,
            let price = json["price"]?.integerValue,
            let at = json["at"]?.integerValue, let cumulative = json["cumulative"]?.integerValue, let average = json["average"]?.integerValue,
            let commission = json["commission"]?.integerValue, let added = json["added"]?.boolValue
        else { return nil }
        return PaperFill(
            serial: UInt64(bitPattern: serial), order: PaperOrderID(order), instrument: InstrumentID(instrument), side: side,
            quantity: Quantity(raw: quantity),
            price: Price(raw: price), at: Instant(nanoseconds: at), cumulative: Quantity(raw: cumulative), averagePrice: Price(raw: average),
            commission: Money(raw: commission), realised: json["realised"]?.integerValue.map { Money(raw: $0) }, added: added)
    }
}
