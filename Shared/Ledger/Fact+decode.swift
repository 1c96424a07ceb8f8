// Bodies back to facts; the reader tolerates unknown members and names what is missing.
package import Values
internal import Wire

extension Entry {
    /// The fact in this entry. An unknown kind or version throws: such entries are stored, verified and shown raw.
    package func decoded() throws(CodecError) -> Fact { try decodedWithTags().fact }

    /// The order tags of an intent's legs, in order; empty for other kinds.
    package func intentTags() throws(CodecError) -> [ClOrdID] {
        kind == Kind.intent.rawValue ? try decodedWithTags().tags : []
    }

    /// Both from one reading of the body.
    package func decodedWithTags() throws(CodecError) -> (fact: Fact, tags: [ClOrdID]) {
        let reading = try reading()
        return (reading.fact, reading.tags)
    }

    /// The whole body, read at the version it was written in.
    package func reading() throws(CodecError) -> Reading {
        guard let kind = Kind(rawValue: kind) else { throw .unknownKind(self.kind) }
        let value: JSONValue
        do { value = try JSONReader.read(body) } catch { throw .notJSON }
        let fields = try Fields(Upcasters.lifted(value, kind, from: kindVersion))
        var reading = Reading(fact: try Fact.decode(kind, fields))
        if kind == .intent { for leg in try fields.list("legs") { reading.tags.append(ClOrdID(try Fields(leg).text("tag"))) } }
        if kind.hasPostings { for line in try fields.list("postings") { reading.postings.append(try Posting(line)) } }
        return reading
    }
}

/// What a body says.
package struct Reading: Sendable {
    package var fact: Fact
    /// Of an intent's legs, in order; empty for other kinds.
    package var tags: [ClOrdID] = []
    /// The lines of double entry; empty for entries without money.
    package var postings: [Posting] = []
}

extension Fact {
    fileprivate static func decode(_ kind: Kind, _ f: Fields) throws(CodecError) -> Fact {
        switch kind {
        case .boot:
            return .boot(
                BootFact(
                    version: try f.text("version"), mode: try f.word("mode", TradingMode.self), machine: try f.text("machine"),
                    kernelBoot: try f.text("kernelBoot"), configuration: try f.text("configuration")))
        case .shutdown: return .shutdown(reason: try f.text("reason"))
        case .checkpoint: return .checkpoint(try CheckpointFact(f))
        case .snapshot: return .snapshot(try SnapshotFact(f))
        case .healed: return .healed(try HealedFact(f))
        case .lineage: return .lineage(try LineageFact(f))
        case .gap: return .gap(try GapFact(f))
        case .countersigned: return .countersigned(try CountersignedFact(f))
        case .keyRotated: return .keyRotated(try KeyRotatedFact(f))
        case .cloudKey: return .cloudKey(try CloudKeyFact(f))
        case .linkKey: return .linkKey(try LinkKeyFact(f))
        case .serverKey: return .serverKey(try ServerKeyFact(f))
        case .intent: return .intent(try Ticket(f))
        case .sent: return .sent(tags: try f.list("tags").map { ClOrdID($0.text ?? "") })
        case .cancelIntent:
            return .cancelIntent(
                CancelIntent(
                    tag: ClOrdID(try f.text("tag")), origin: try f.word("origin", OrderOrigin.self), command: try f.optional("command", f.command),
                    reason: try f.text("reason")))
        case .modifyIntent:
            return .modifyIntent(
                ModifyIntent(
                    tag: ClOrdID(try f.text("tag")), quantity: try f.optional("quantity", f.size),
                    limitPrice: try f.optional("limitPrice", f.price),
                    stopPrice: try f.optional("stopPrice", f.price), command: try f.optional("command", f.command), reason: try f.text("reason")))
        case .orderReport:
            return .orderReport(
                OrderReport(
                    tag: ClOrdID(try f.text("tag")), status: try f.word("status", OrdStatus.self), permID: try f.integer("permID"),
                    cumQty: try f.optional("cumQty", f.quantity), code: try f.optional("code", f.integer), text: try f.text("text")))
        case .fill: return .fill(try Fill(f))
        case .commission:
            return .commission(Commission(execID: try f.text("execID"), amount: try f.money("amount"), currency: try f.text("currency")))
        case .orderDead: return .orderDead(tag: ClOrdID(try f.text("tag")), evidence: try f.text("evidence"))
        case .stopMoved: return .stopMoved(tag: ClOrdID(try f.text("tag")), level: try f.price("level"))
        case .cancelRefused:
            return .cancelRefused(
                CancelRefusal(tag: ClOrdID(try f.text("tag")), code: try f.optional("code", f.integer), text: try f.text("text")))
        case .commandAccepted: return .commandAccepted(try CommandOutcome(f))
        case .commandRefused: return .commandRefused(try CommandOutcome(f))
        case .denied, .halt, .resume, .instrumentHalt, .brokerSession, .reconciled, .difference, .instrument, .bot: return try decodeState(kind, f)
        case .transfer, .dividend, .interest, .accountFee, .borrowFee, .exchange, .correction, .suspense: return try decodeMoney(kind, f)
        }
    }

    private static func decodeState(_ kind: Kind, _ f: Fields) throws(CodecError) -> Fact {
        switch kind {
        case .denied:
            return .denied(
                Denial(
                    rule: try f.text("rule"), instrument: try f.instrument("instrument"), side: try f.word("side", Side.self),
                    quantity: try f.quantity("quantity"), origin: try f.word("origin", OrderOrigin.self),
                    command: try f.optional("command", f.command),
                    bot: try f.optional("bot", f.text), text: try f.text("text")))
        case .halt: return .halt(try HaltFact(f))
        case .resume: return .resume(try HaltFact(f))
        case .instrumentHalt:
            return .instrumentHalt(instrument: try f.instrument("instrument"), halted: try f.flag("halted"), reason: try f.text("reason"))
        case .brokerSession:
            return .brokerSession(
                BrokerSessionFact(
                    connected: try f.flag("connected"), generation: try f.integer("generation"), account: try f.text("account"),
                    text: try f.text("text")))
        case .reconciled:
            return .reconciled(
                ReconciledFact(generation: try f.integer("generation"), evidence: try f.text("evidence"), differences: try f.integer("differences")))
        case .difference:
            return .difference(Difference(rule: try f.text("rule"), instrument: try f.optional("instrument", f.instrument), text: try f.text("text")))
        case .instrument: return .instrument(try Instrument(f))
        case .bot:
            return .bot(
                BotFact(
                    bot: try f.text("bot"), instrument: try f.instrument("instrument"), state: try f.text("state"), reason: try f.text("reason"),
                    until: try f.optional("until", f.instant)))
        default: preconditionFailure("kind \(kind) is decoded elsewhere")
        }
    }

    private static func decodeMoney(_ kind: Kind, _ f: Fields) throws(CodecError) -> Fact {
        switch kind {
        case .transfer: return .transfer(try CashMove(f))
        case .dividend: return .dividend(try CashMove(f))
        case .interest: return .interest(try CashMove(f))
        case .accountFee: return .accountFee(try CashMove(f))
        case .borrowFee: return .borrowFee(try CashMove(f))
        case .exchange:
            return .exchange(
                CashExchange(
                    account: try f.text("account"), soldCurrency: try f.text("soldCurrency"), sold: try f.money("sold"),
                    boughtCurrency: try f.text("boughtCurrency"), bought: try f.money("bought"), at: try f.instant("at"),
                    source: try f.text("source"), note: try f.text("note")))
        case .correction:
            return .correction(Correction(execID: try f.text("execID"), by: try f.text("by"), reason: try f.text("reason")))
        case .suspense:
            return .suspense(
                Suspense(
                    rule: try f.text("rule"), account: try f.text("account"), asset: try f.text("asset"), amount: try f.integer("amount"),
                    instrument: try f.optional("instrument", f.instrument), text: try f.text("text")))
        default: preconditionFailure("kind \(kind) is decoded elsewhere")
        }
    }
}

extension CheckpointFact {
    fileprivate init(_ f: Fields) throws(CodecError) {
        guard let seq = UInt64(exactly: try f.integer("seq")) else { throw .badValue("seq") }
        self.init(
            head: Head(seq: Seq(seq), hash: try f.bytes("hash", count: 32)), digest: try f.bytes("digest", count: 32),
            signature: try f.bytes("signature", count: Signing.signatureBytes), key: try f.bytes("key", count: Signing.keyBytes))
    }
}

extension Ticket {
    fileprivate init(_ f: Fields) throws(CodecError) {
        var legs: [Leg] = []
        for leg in try f.list("legs") { legs.append(try Leg(Fields(leg))) }
        guard (1...8).contains(legs.count) else { throw .badValue("legs") }
        self.init(
            account: try f.text("account"), origin: try f.word("origin", OrderOrigin.self), command: try f.optional("command", f.command),
            bot: try f.optional("bot", f.text), reason: try f.text("reason"), legs: legs)
    }
}

extension Leg {
    fileprivate init(_ f: Fields) throws(CodecError) {
        var trailing: TrailingOffset?
        if let amount = try f.optional("trailAmount", f.price) { trailing = .amount(amount) }
        if let percent = try f.optional("trailPercent", f.integer) { trailing = .percent(Ratio(raw: percent)) }
        self.init(
            role: try f.word("role", LegRole.self), instrument: try f.instrument("instrument"), side: try f.word("side", Side.self),
            quantity: try f.size("quantity"), ordType: try f.word("ordType", OrdType.self), limitPrice: try f.optional("limitPrice", f.price),
            stopPrice: try f.optional("stopPrice", f.price), trailing: trailing, timeInForce: try f.word("timeInForce", TimeInForce.self),
            parent: try f.optional("parent", f.integer).map(Int.init), brokerOrderID: try f.integer("brokerOrderID"))
    }
}

extension Fill {
    fileprivate init(_ f: Fields) throws(CodecError) {
        self.init(
            execID: try f.text("execID"), tag: try f.optional("tag", f.text).map { ClOrdID($0) }, account: try f.text("account"),
            instrument: try f.instrument("instrument"), side: try f.word("side", Side.self), lastQty: try f.size("lastQty"),
            lastPx: try f.price("lastPx"), cumQty: try f.quantity("cumQty"), permID: try f.integer("permID"),
            transactTime: try f.instant("transactTime"))
        corrects = try f.optional("corrects", f.text)
    }
}

extension CashMove {
    fileprivate init(_ f: Fields) throws(CodecError) {
        self.init(
            account: try f.text("account"), currency: try f.text("currency"), amount: try f.money("amount"), at: try f.instant("at"),
            source: try f.text("source"), note: try f.text("note"), instrument: try f.optional("instrument", f.instrument))
    }
}

extension CommandOutcome {
    fileprivate init(_ f: Fields) throws(CodecError) {
        self.init(
            command: try f.command("command"), kind: try f.text("kind"), issuer: try f.text("issuer"), code: try f.text("code"),
            text: try f.text("text"))
    }
}

extension HaltFact {
    fileprivate init(_ f: Fields) throws(CodecError) {
        guard let level = HaltLevel(rawValue: try f.integer("level")) else { throw .badValue("level") }
        self.init(level: level, source: try f.text("source"), reason: try f.text("reason"), command: try f.optional("command", f.command))
    }
}

extension Instrument {
    package init(_ f: Fields) throws(CodecError) {
        var maturity: CivilDate?
        if let text = try f.optional("maturityDate", f.text) {
            guard let date = CivilDate(text) else { throw .badValue("maturityDate") }
            maturity = date
        }
        self.init(
            id: try f.instrument("id"), symbol: try f.text("symbol"), securityType: try f.word("securityType", SecurityType.self),
            exchange: try f.text("exchange"), currency: try f.text("currency"), localSymbol: try f.text("localSymbol"),
            tradingClass: try f.text("tradingClass"), multiplier: try f.quantity("multiplier"), minPriceIncrement: try f.price("minPriceIncrement"),
            lotStep: try f.quantity("lotStep"), maturityDate: maturity, brokerContractID: try f.integer("brokerContractID"))
    }
}
