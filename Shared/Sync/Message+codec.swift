// Messages to frame bodies and back: canonical JSON, unknown members ignored, missing ones named.
internal import Ledger
internal import Values
internal import Wire

extension Message {
    /// How many seqs one PROVE may ask for.
    package static let proofsMax = 64
    /// What is left of each text of a message that is too large for a frame, in bytes.
    private static let wordsBytesMax = 1_024

    /// The frame of this message. Words of other people in one that is too large are cut: they must not end the process.
    package func frame(session: UInt64, number: UInt64) -> Frame {
        switch self {
        case .batch(let body), .heal(let body): return Frame(type: type, session: session, number: number, body: body)
        default: break
        }
        do {
            return Frame(type: type, session: session, number: number, body: try Message.text(of: value))
        } catch {
            preconditionFailure("a \(type) message has no canonical form: \(error)")
        }
    }

    private static func text(of value: JSONValue) throws(CanonicalError) -> [UInt8] {
        do throws(CanonicalError) { return try JSONWriter.canonical(value, limits: .frame) } catch {
            guard case .tooLarge = error else { throw error }
            return try JSONWriter.canonical(value.cut(to: Message.wordsBytesMax), limits: .frame)
        }
    }

    /// Reads a frame's body. BATCH bodies are handed on unread: `Batch` unpacks them.
    package init(_ frame: Frame) throws(FrameError) {
        if frame.type == .batch { self = .batch(frame.body); return }
        if frame.type == .heal { self = .heal(frame.body); return }
        let value: JSONValue
        do { value = try JSONReader.read(frame.body, limits: .frame) } catch { throw .notJSON(error) }
        do { self = try Message.read(frame.type, Fields(value)) } catch { throw .body(error) }
    }

    private var value: JSONValue {
        var out = FieldWriter()
        switch self {
        case .hello(let hello): return hello.value
        case .welcome(let welcome): return welcome.value
        case .prove(let attempt, let seqs): out.put("attempt", attempt); out.put("seqs", .array(seqs.map { .integer(Int64(clamping: $0.raw)) }))
        case .proof(let attempt, let heads, let asked):
            out.put("attempt", attempt); out.put("heads", .array(heads.map(\.value)))
            if let asked { out.put("asked", .array(asked.map { .integer(Int64(clamping: $0.raw)) })) }
        case .behind(let attempt, let have): out.put("attempt", attempt); out.put("have", have.value)
        case .settle(let attempt, let settlement): out.put("attempt", attempt); out.put("settlement", settlement.value)
        case .fetch(let attempt, let after, let upTo):
            out.put("attempt", attempt); out.put("after", after.value); out.put("upTo", Int64(clamping: upTo.raw))
        case .range(let question): question.write(into: &out)
        case .rangeHash(let answer): answer.write(into: &out)
        case .batch, .heal: preconditionFailure("entries are not JSON")
        case .ack(let head), .nack(let head): out.put("have", head.value)
        case .countersigned(let fact):
            out.put("have", fact.head.value); out.put("signature", Hex.text(fact.signature)); out.put("key", Hex.text(fact.key))
        case .credit(let credit): out.put("entries", Int64(credit.entries)); out.put("bytes", Int64(credit.bytes))
        case .beat(let beat):
            out.put("boot", beat.boot.map { Int64($0.raw) }); out.put("head", beat.head?.value); out.put("roundTrip", beat.roundTrip?.nanoseconds)
            out.put("stamp", beat.stamp.value); out.put("wantsAnswer", beat.wantsAnswer)
            out.put("backup", beat.backup.map { Int64(clamping: $0.raw) })
        case .state(let seq, let items): out.put("seq", Int64(clamping: seq.raw)); out.put("items", .array(items.map(\.value)))
        case .market(let bars):
            out.put("instrument", bars.instrument); out.put("seconds", bars.timeframe.seconds); out.put("bars", .array(bars.bars.map(\.value)))
            out.put("history", bars.isHistory)
        case .command(let order):
            out.put("command", order.command.value); out.put("remaining", order.remaining?.nanoseconds); out.put("sentAt", order.sentAt.nanoseconds)
        case .commandAck(let id, let refusal): out.put("id", id); out.put("refusal", refusal)
        case .bye(let reason): out.put("reason", reason)
        case .error(let trouble):
            out.put("code", trouble.code); out.put("text", trouble.text); out.put("cure", trouble.cure); out.put("ends", trouble.ends)
        }
        return out.value
    }

    private static func seqs(_ f: Fields, _ name: String) throws(CodecError) -> [Seq] {
        var seqs: [Seq] = []
        for value in try f.list(name) { seqs.append(try Seq(value, name)) }
        guard seqs.count <= proofsMax else { throw .badValue(name) }
        return seqs
    }

    private static func read(_ type: FrameType, _ f: Fields) throws(CodecError) -> Message {
        switch type {
        case .hello: return .hello(try Hello(f))
        case .welcome: return .welcome(try Welcome(f))
        case .prove:
            return .prove(attempt: try f.integer("attempt"), seqs: try seqs(f, "seqs"))
        case .proof:
            var heads: [Head] = []
            for value in try f.list("heads") { heads.append(try Head(value, "heads")) }
            guard heads.count <= proofsMax else { throw .badValue("heads") }
            return .proof(attempt: try f.integer("attempt"), heads: heads, asked: f.has("asked") ? try seqs(f, "asked") : nil)
        case .behind: return .behind(attempt: try f.integer("attempt"), have: try f.head("have"))
        case .settle: return .settle(attempt: try f.integer("attempt"), try Settlement(f.raw("settlement")))
        case .fetch: return .fetch(attempt: try f.integer("attempt"), after: try f.head("after"), upTo: try Seq(f.raw("upTo"), "upTo"))
        case .range: return .range(try RangeQuestion(f))
        case .rangeHash: return .rangeHash(try RangeAnswer(f))
        case .batch, .heal: throw .wrongType("entries")
        case .ack: return .ack(try Head(f.raw("have"), "have"))
        case .nack: return .nack(try Head(f.raw("have"), "have"))
        case .countersigned:
            guard let signature = Hex.bytes(try f.text("signature")), signature.count == Signing.signatureBytes else { throw .badValue("signature") }
            guard let key = Hex.bytes(try f.text("key")), key.count == Signing.keyBytes else { throw .badValue("key") }
            return .countersigned(CountersignedFact(head: try f.head("have"), signature: signature, key: key))
        case .credit: return .credit(try Credit(f))
        case .beat:
            return .beat(
                Beat(
                    boot: try f.optional("boot", f.boot), head: try f.optional("head", f.head), roundTrip: try f.optional("roundTrip", f.span),
                    stamp: try Stamp(Fields(f.raw("stamp"))), wantsAnswer: try f.flag("wantsAnswer"), backup: try f.backup))
        case .state:
            // An item of a kind that only a newer edge knows is left out: state is for showing.
            return .state(seq: try Seq(f.raw("seq"), "seq"), items: try f.list("items").compactMap { try? LiveItem($0) })
        case .market:
            var bars: [Bar] = []
            let list = try f.list("bars")
            guard list.count <= MarketBars.barsMax else { throw .badValue("bars") }
            for value in list { bars.append(try Bar(value)) }
            let seconds = try f.integer("seconds")
            guard seconds > 0 else { throw .badValue("seconds") }
            return .market(
                MarketBars(
                    instrument: try f.instrument("instrument"), timeframe: Timeframe(seconds: seconds), bars: bars, isHistory: try f.flag("history")))
        case .command:
            return .command(
                CommandOrder(command: try Command(f.raw("command")), remaining: try f.optional("remaining", f.span), sentAt: try f.span("sentAt")))
        case .commandAck: return .commandAck(try f.command("id"), refusal: try f.optional("refusal", f.text))
        case .bye: return .bye(reason: try f.text("reason"))
        case .error:
            return .error(Trouble(code: try f.text("code"), text: try f.text("text"), cure: try f.text("cure"), ends: try f.flag("ends")))
        }
    }
}

extension Fields {
    /// How far a verified backup reaches, where the cloud says so.
    fileprivate var backup: Seq? {
        get throws(CodecError) { has("backup") ? try Seq(raw("backup"), "backup") : nil }
    }
    fileprivate func span(_ key: String) throws(CodecError) -> Span { Span(nanoseconds: try integer(key)) }
    /// What the other end is called in words: only shown, so that what is too long is cut.
    fileprivate func release(_ key: String) throws(CodecError) -> String {
        JSONValue.string(try text(key)).cut(to: Hello.nameBytesMax).text ?? ""
    }
    /// A store's name: told back in every HELLO, so that one that is too long is refused.
    fileprivate func store(_ key: String) throws(CodecError) -> String {
        let name = try text(key)
        guard name.utf8.count <= Hello.nameBytesMax else { throw .badValue(key) }
        return name
    }
    /// Names of what the other end can do, as many as are looked at; none that this release knows is longer.
    fileprivate func names(_ key: String) throws(CodecError) -> [String] {
        Array(try list(key).lazy.compactMap(\.text).filter { $0.utf8.count <= Hello.nameBytesMax }.prefix(Hello.namesMax))
    }
    func head(_ key: String) throws(CodecError) -> Head { try Head(raw(key), key) }
    fileprivate func boot(_ key: String) throws(CodecError) -> Boot {
        guard let raw = UInt64(exactly: try integer(key)) else { throw .badValue(key) }
        return Boot(raw: raw)
    }
}

extension Seq {
    fileprivate init(_ value: JSONValue, _ key: String) throws(CodecError) {
        guard let number = value.integerValue else { throw .wrongType(key) }
        guard let raw = UInt64(exactly: number) else { throw .badValue(key) }
        self.init(raw)
    }
}

extension Head {
    /// `[seq, "hash in hex"]`.
    var value: JSONValue { [.integer(Int64(clamping: seq.raw)), .string(Hex.text(hash))] }
    init(_ value: JSONValue, _ key: String) throws(CodecError) {
        guard let parts = value.elements, parts.count == 2, let text = parts[1].text else { throw .wrongType(key) }
        guard let hash = Hex.bytes(text), hash.count == 32 else { throw .badValue(key) }
        self.init(seq: try Seq(parts[0], key), hash: hash)
    }
}

extension Credit {
    fileprivate init(_ f: Fields) throws(CodecError) {
        let entries = try f.integer("entries"), bytes = try f.integer("bytes")
        guard entries > 0, entries <= 1 << 24 else { throw .badValue("entries") }
        guard bytes > 0, bytes <= 1 << 30 else { throw .badValue("bytes") }
        self.init(entries: Int(entries), bytes: Int(bytes))
    }
}

extension Stamp {
    fileprivate var value: JSONValue {
        var out = FieldWriter()
        out.put("sentAt", sentAt.nanoseconds); out.put("wall", wall)
        out.put("echo", echo?.sentAt.nanoseconds); out.put("held", echo?.held.nanoseconds)
        return out.value
    }
    fileprivate init(_ f: Fields) throws(CodecError) {
        self.init(sentAt: try f.span("sentAt"), wall: try f.instant("wall"))
        if let sentAt = try f.optional("echo", f.span) { echo = Echo(sentAt: sentAt, held: try f.span("held")) }
    }
}

extension Hello {
    fileprivate var value: JSONValue {
        var out = FieldWriter()
        out.put("edge", edge.description); out.put("protocolMin", protocolMin); out.put("protocolMax", protocolMax); out.put("release", release)
        out.put("boot", Int64(boot.raw)); out.put("attempt", attempt); out.put("epoch", Int64(epoch)); out.put("head", head.value)
        out.put("acked", acked.value); out.put("oldest", Int64(clamping: oldest.raw)); out.put("stamp", stamp.value)
        out.put("clockSound", isClockSound); out.put("commandKinds", .array(commandKinds.map { .string($0) }))
        out.put("features", .array(features.map { .string($0) })); out.put("incarnation", incarnation)
        if !gaps.isEmpty {
            out.put(
                "gaps",
                .array(
                    gaps.map { gap in
                        var member = FieldWriter()
                        gap.write(into: &member)
                        return member.value
                    }))
        }
        if !formerStores.isEmpty { out.put("formerStores", .array(formerStores.map { .string($0) })) }
        out.put("patience", patience?.nanoseconds)
        return out.value
    }
    fileprivate init(_ f: Fields) throws(CodecError) {
        guard let edge = EdgeID(hex: try f.text("edge")) else { throw .badValue("edge") }
        // A decision begins the next one.
        guard let epoch = UInt32(exactly: try f.integer("epoch")), epoch < .max else { throw .badValue("epoch") }
        // It is echoed as a frame's number, which has no sign.
        guard try f.integer("attempt") >= 0 else { throw .badValue("attempt") }
        self.init(
            edge: edge, protocolMin: try f.integer("protocolMin"), protocolMax: try f.integer("protocolMax"), release: try f.release("release"),
            boot: try f.boot("boot"), attempt: try f.integer("attempt"), epoch: epoch, head: try f.head("head"), acked: try f.head("acked"),
            oldest: try Seq(f.raw("oldest"), "oldest"), stamp: try Stamp(Fields(f.raw("stamp"))), isClockSound: try f.flag("clockSound"),
            commandKinds: try f.names("commandKinds"), features: try f.optional("features", f.names) ?? [],
            incarnation: try f.optional("incarnation", f.store) ?? "")
        for value in try f.optional("gaps", f.list) ?? [] {
            let gap = try GapFact(Fields(value))
            guard gap.from > Seq(0), gap.from <= gap.to, gaps.count < Identity.gapsMax else { throw .badValue("gaps") }
            gaps.append(gap)
        }
        formerStores = try f.optional("formerStores", f.names) ?? []
        guard formerStores.count <= Identity.formerStoresMax else { throw .badValue("formerStores") }
        patience = try f.optional("patience", f.span)
    }
}

extension Welcome {
    fileprivate var value: JSONValue {
        var out = FieldWriter()
        out.put("attempt", attempt); out.put("have", have.value); out.put("entries", Int64(credit.entries)); out.put("bytes", Int64(credit.bytes))
        out.put("incarnation", incarnation); out.put("release", release); out.put("stamp", stamp.value)
        out.put("backup", backup.map { Int64(clamping: $0.raw) })
        if takesGaps { out.put("takesGaps", true) }
        if takesLinkKeys { out.put("takesLinkKeys", true) }
        if !signers.isEmpty { out.put("signers", .array(signers.map(\.value))) }
        if let serverKey { out.put("serverKey", serverKey.value) }
        return out.value
    }
    fileprivate init(_ f: Fields) throws(CodecError) {
        self.init(
            attempt: try f.integer("attempt"), have: try f.head("have"), credit: try Credit(f), incarnation: try f.store("incarnation"),
            release: try f.release("release"), stamp: try Stamp(Fields(f.raw("stamp"))), backup: try f.backup)
        takesGaps = try f.optional("takesGaps", f.flag) ?? false
        takesLinkKeys = try f.optional("takesLinkKeys", f.flag) ?? false
        for value in try f.optional("signers", f.list) ?? [] {
            guard signers.count < Welcome.signersMax else { throw .badValue("signers") }
            signers.append(try CloudKeyChange(value))
        }
        serverKey = try f.optional("serverKey") { key throws(CodecError) in try ServerKeyFact(f.raw(key)) }
    }
}
