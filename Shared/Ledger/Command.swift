// What the cloud or the console asks of the edge: at most one effect, never after its expiry.
package import Values
package import Wire

/// The size of an order: a number, or as many as the account affords.
package enum OrderSize: Hashable, Sendable {
    case quantity(Quantity)
    case max
}

/// What a command asks for.
package enum CommandBody: Hashable, Sendable {
    /// Open a position at market; with `reverse` also through flat to the other side. `trailing` rests a stop at the broker.
    case order(instrument: InstrumentID, side: Side, size: OrderSize, trailing: TrailingOffset?, reverse: Bool)
    /// Close whatever is held of the instrument and cancel its protection.
    case close(instrument: InstrumentID)
    case cancel(tag: ClOrdID)
    /// Raise the halt level, which no command lowers: the kill switch. Never to `normal`.
    case raise(HaltLevel, reason: String)
    /// Keep data of an instrument coming for an hour.
    case watch(instrument: InstrumentID)
    /// Take back another command that was sent to the run `boot` and is not known to be executed; `kind` is the other's word.
    case withdraw(command: CommandID, boot: Boot, kind: String)

    /// The word of the kind, in frames, facts and answers.
    package var kind: String {
        switch self {
        case .order: "order"
        case .close: "close"
        case .cancel: "cancel"
        case .raise(.reducing, _): "reduceOnly"
        case .raise(.cancel, _): "cancelAll"
        case .raise: "halt"
        case .watch: "watch"
        case .withdraw: "withdraw"
        }
    }
    /// Every word that `kind` can be: what this release understands, as told in HELLO.
    package static let kinds = ["order", "close", "cancel", "halt", "watch", "withdraw", "reduceOnly", "cancelAll"]
    /// The version of this kind's arguments. One above 1 stands behind the word in HELLO, as in `order.2`, and is sent to nobody who does not name it.
    package var version: Int { 1 }
    /// What an edge must have named in HELLO to be sent this command.
    package var wanted: String { version == 1 ? kind : "\(kind).\(version)" }
    /// True for commands that only lower risk; they may wait for a silent edge until they expire.
    package var reducesRisk: Bool {
        switch self {
        case .order, .watch: false
        case .close, .cancel, .raise, .withdraw: true
        }
    }
    /// How long the command lives by default; nil means until it is delivered.
    package var lifetime: Span? {
        switch self {
        case .order: .seconds(10)
        case .close, .cancel, .withdraw: .seconds(60)
        case .raise: nil
        case .watch: .minutes(5)
        }
    }
    /// The longest life that an edge grants; nil for what may live for ever.
    package var lifetimeMax: Span? {
        switch self {
        case .order, .close, .cancel, .withdraw: .seconds(60)
        case .raise: nil
        case .watch: .minutes(5)
        }
    }
    /// True for what may bring about an order: judged by prices and clocks, so a wrong clock refuses it.
    package var isOrderLike: Bool { if case .order = self { true } else { false } }
    /// Commands of one key are executed in the order they were asked for; nil overtakes everything.
    package var orderKey: String? {
        switch self {
        case .order(let instrument, _, _, _, _), .close(let instrument): "trade/\(instrument)"
        case .watch(let instrument): "watch/\(instrument)"
        case .cancel, .raise, .withdraw: nil
        }
    }
    /// True for what only lowers risk and does so as well when done twice: asked again by itself when nobody can say what became of it.
    package var isReissued: Bool { isKill }
    /// True for the kill switch, whatever its level.
    package var isKill: Bool { if case .raise = self { true } else { false } }
    /// The kill switch at the level HALT.
    package static func halt(reason: String) -> CommandBody { .raise(.halt, reason: reason) }
    /// The trust tier that it needs: 0 lowers risk, 2 opens.
    package var tier: Int64 { if case .order = self { 2 } else { 0 } }
}

/// The place of a command among those of its key, counted anew for each run of the edge.
package struct CommandPlace: Hashable, Sendable {
    package var key: String
    /// From 1, without holes as the cloud counts.
    package var number: Int64
    /// All numbers below had ended when this was bound: they are not waited for.
    package var floor: Int64
    /// The highest that is read: whoever counts on from it stays far from the end of the range.
    package static let numberMax: Int64 = 1 << 53
    package init(key: String, number: Int64, floor: Int64) { self.key = key; self.number = number; self.floor = floor }
}

/// What the person saw when asking. The edge refuses the command when it no longer holds.
package struct Expectation: Hashable, Sendable {
    /// What was held, signed. With `orLess` a smaller position on the same side will do: closing what is left of it.
    package struct Held: Hashable, Sendable {
        package var instrument: InstrumentID
        package var quantity: Quantity
        package var orLess: Bool
        package init(instrument: InstrumentID, quantity: Quantity, orLess: Bool = false) {
            self.instrument = instrument; self.quantity = quantity; self.orLess = orLess
        }
    }
    /// What an order's status was.
    package struct Order: Hashable, Sendable {
        package var tag: ClOrdID
        package var status: OrdStatus
        package init(tag: ClOrdID, status: OrdStatus) { self.tag = tag; self.status = status }
    }
    /// Between which prices the instrument traded, both included: an order is held to the side of the quote that it would meet.
    package struct Band: Hashable, Sendable {
        package var instrument: InstrumentID
        package var low: Price
        package var high: Price
        package init(instrument: InstrumentID, low: Price, high: Price) { self.instrument = instrument; self.low = low; self.high = high }
    }
    package var held: Held?
    package var order: Order?
    package var halt: HaltLevel?
    package var band: Band?
    package init(held: Held? = nil, order: Order? = nil, halt: HaltLevel? = nil, band: Band? = nil) {
        self.held = held; self.order = order; self.halt = halt; self.band = band
    }
}

/// A command as the cloud stores it and the edge receives it.
package struct Command: Hashable, Sendable {
    package var id: CommandID
    package var edge: EdgeID
    /// The run it was first dispatched to; set once, by the cloud, before the first byte.
    package var boundBoot: Boot?
    /// `cloud:<user>` or `console`.
    package var issuer: String
    /// Trust tier 0...3 (LEDGER-AND-SYNC 5.3), there from the first byte.
    package var tier: Int64
    package var issuedAt: Instant
    /// By the cloud's wall clock; nil for what never expires.
    package var expiresAt: Instant?
    package var body: CommandBody
    /// Of which kind of account the screen spoke that it was asked on.
    package var mode: TradingMode?
    package var expects: Expectation?
    /// Given with the bound boot; nil for what overtakes.
    package var place: CommandPlace?
    /// The waiting command whose place this one takes.
    package var supersedes: CommandID?
    /// A user's signature, for edges that ask for one.
    package var signature: [UInt8]?
    /// How far the issuer's wall clock was from the edge's when the command came, noted by the edge's end of the link; neither sent nor stored.
    package var skew: Span?

    package init(
        id: CommandID, edge: EdgeID, boundBoot: Boot? = nil, issuer: String, tier: Int64, issuedAt: Instant, expiresAt: Instant?, body: CommandBody
    ) {
        self.id = id; self.edge = edge; self.boundBoot = boundBoot; self.issuer = issuer; self.tier = tier; self.issuedAt = issuedAt
        self.expiresAt = expiresAt; self.body = body
    }

    /// The JSON form used in frames and in the outbox.
    package var value: JSONValue {
        var out = FieldWriter()
        out.put("id", id); out.put("edge", edge.description); out.put("boot", boundBoot.map { Int64($0.raw) }); out.put("issuer", issuer)
        out.put("tier", tier); out.put("issuedAt", issuedAt); out.put("expiresAt", expiresAt); out.put("kind", body.kind)
        switch body {
        case .order(let instrument, let side, let size, let trailing, let reverse):
            out.put("instrument", instrument); out.put("side", side.rawValue); out.put("reverse", reverse)
            if case .quantity(let quantity) = size { out.put("quantity", quantity) }
            switch trailing {
            case .amount(let amount): out.put("trailAmount", amount)
            case .percent(let percent): out.put("trailPercent", percent.raw)
            case nil: break
            }
        case .close(let instrument), .watch(let instrument): out.put("instrument", instrument)
        case .cancel(let tag): out.put("tag", tag)
        case .raise(_, let reason): out.put("reason", reason)
        case .withdraw(let id, let boot, let kind): out.put("target", id); out.put("targetBoot", Int64(boot.raw)); out.put("targetKind", kind)
        }
        out.put("mode", mode?.rawValue); out.put("expects", expects?.value); out.put("supersedes", supersedes)
        out.put("signature", signature.map { Hex.text($0) })
        if let place { out.put("key", place.key); out.put("number", place.number); out.put("floor", place.floor) }
        return out.value
    }

    /// Reads `value` back. An unknown kind is `.badValue("kind")`.
    package init(_ value: JSONValue) throws(CodecError) {
        let f = try Fields(value)
        guard let edge = EdgeID(hex: try f.text("edge")) else { throw .badValue("edge") }
        self.init(
            id: try f.command("id"), edge: edge, boundBoot: try f.optional("boot", f.integer).map { Boot(raw: UInt64(bitPattern: $0)) },
            issuer: try f.name("issuer"), tier: try f.integer("tier"), issuedAt: try f.instant("issuedAt"),
            expiresAt: try f.optional("expiresAt", f.instant), body: try CommandBody(f))
        mode = try f.optional("mode") { key throws(CodecError) in try f.word(key, TradingMode.self) }
        if f.has("expects") { expects = try Expectation(f.raw("expects")) }
        supersedes = try f.optional("supersedes", f.command)
        if let text = try f.optional("signature", f.name) {
            guard let bytes = Hex.bytes(text) else { throw .badValue("signature") }
            signature = bytes
        }
        if f.has("key") {
            let place = CommandPlace(key: try f.name("key"), number: try f.integer("number"), floor: try f.integer("floor"))
            guard place.floor >= 1, place.floor <= place.number, place.number <= CommandPlace.numberMax else { throw .badValue("number") }
            self.place = place
        }
    }
}

extension Expectation {
    fileprivate var value: JSONValue {
        var out = FieldWriter()
        if let held {
            out.put("instrument", held.instrument); out.put("held", held.quantity); out.put("orLess", held.orLess)
        }
        if let order { out.put("order", order.tag); out.put("status", order.status.rawValue) }
        out.put("halt", halt?.rawValue)
        if let band { out.put("priced", band.instrument); out.put("low", band.low); out.put("high", band.high) }
        return out.value
    }

    fileprivate init(_ value: JSONValue) throws(CodecError) {
        let f = try Fields(value)
        self.init()
        if f.has("held") {
            held = Held(instrument: InstrumentID(try f.name("instrument")), quantity: try f.quantity("held"), orLess: try f.flag("orLess"))
        }
        if f.has("order") { order = Order(tag: ClOrdID(try f.name("order")), status: try f.word("status", OrdStatus.self)) }
        if let raw = try f.optional("halt", f.integer) {
            guard let level = HaltLevel(rawValue: raw) else { throw .badValue("halt") }
            halt = level
        }
        if f.has("priced") {
            band = Band(instrument: InstrumentID(try f.name("priced")), low: try f.price("low"), high: try f.price("high"))
        }
    }
}

extension CommandBody {
    fileprivate init(_ f: Fields) throws(CodecError) {
        switch try f.text("kind") {
        case "order":
            let quantity = try f.optional("quantity", f.quantity)
            if let quantity, quantity.raw <= 0 { throw .badValue("quantity") }
            var trailing: TrailingOffset?
            if let amount = try f.optional("trailAmount", f.price) { trailing = .amount(amount) }
            if let percent = try f.optional("trailPercent", f.integer) { trailing = .percent(Ratio(raw: percent)) }
            self = .order(
                instrument: InstrumentID(try f.name("instrument")), side: try f.word("side", Side.self), size: quantity.map { .quantity($0) } ?? .max,
                trailing: trailing, reverse: try f.flag("reverse"))
        case "close": self = .close(instrument: InstrumentID(try f.name("instrument")))
        case "cancel": self = .cancel(tag: ClOrdID(try f.name("tag")))
        // Never refused for its words; a body of the ledger must hold them.
        case "halt": self = .raise(.halt, reason: try f.reason())
        case "reduceOnly": self = .raise(.reducing, reason: try f.reason())
        case "cancelAll": self = .raise(.cancel, reason: try f.reason())
        case "watch": self = .watch(instrument: InstrumentID(try f.name("instrument")))
        case "withdraw":
            self = .withdraw(
                command: try f.command("target"), boot: Boot(raw: UInt64(bitPattern: try f.integer("targetBoot"))), kind: try f.name("targetKind"))
        default: throw .badValue("kind")
        }
    }
}

extension CommandBody {
    /// Characters of a halt's reason that are kept.
    fileprivate static var reasonMax: Int { 1_000 }
}

extension Fields {
    /// Why somebody halts: cut, and never refused for its length.
    fileprivate func reason() throws(CodecError) -> String { String(try text("reason").prefix(CommandBody.reasonMax)) }
    /// A text short enough for any body of the ledger: 256 bytes.
    fileprivate func name(_ key: String) throws(CodecError) -> String {
        let text = try text(key)
        guard text.utf8.count <= 256 else { throw .badValue(key) }
        return text
    }
}
