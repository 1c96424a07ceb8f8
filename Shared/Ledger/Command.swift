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
    case halt(reason: String)
    /// Keep data of an instrument coming for an hour.
    case watch(instrument: InstrumentID)

    /// The word of the kind, in frames, facts and answers.
    package var kind: String {
        switch self {
        case .order: "order"
        case .close: "close"
        case .cancel: "cancel"
        case .halt: "halt"
        case .watch: "watch"
        }
    }
    /// Every word that `kind` can be: what this release understands, as told in HELLO.
    package static let kinds = ["order", "close", "cancel", "halt", "watch"]
    /// True for commands that only lower risk; they may wait for a silent edge until they expire.
    package var reducesRisk: Bool {
        switch self {
        case .order, .watch: false
        case .close, .cancel, .halt: true
        }
    }
    /// How long the command lives by default; nil means until it is delivered.
    package var lifetime: Span? {
        switch self {
        case .order: .seconds(10)
        case .close, .cancel: .seconds(60)
        case .halt: nil
        case .watch: .minutes(5)
        }
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
        case .halt(let reason): out.put("reason", reason)
        }
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
        case "halt": self = .halt(reason: String(try f.text("reason").prefix(CommandBody.reasonMax)))
        case "watch": self = .watch(instrument: InstrumentID(try f.name("instrument")))
        default: throw .badValue("kind")
        }
    }
}

extension CommandBody {
    /// Characters of a halt's reason that are kept.
    fileprivate static var reasonMax: Int { 1_000 }
}

extension Fields {
    /// A text short enough for any body of the ledger: 256 bytes.
    fileprivate func name(_ key: String) throws(CodecError) -> String {
        let text = try text(key)
        guard text.utf8.count <= 256 else { throw .badValue(key) }
        return text
    }
}
