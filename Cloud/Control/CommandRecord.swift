// A command as the cloud keeps it: what was asked, how far it came, and how it ended.
package import Ledger
package import Values
package import Wire

/// How far a command has come. Each is reached at most once; the last five end it.
package enum CommandStage: String, Hashable, Sendable, CaseIterable {
    /// Stored; nothing of it was sent.
    case queued
    /// Bound to a run of the edge and handed to the link; not known to have arrived.
    case dispatched
    /// The edge has said that it holds it.
    case delivered
    /// The edge's ledger says yes.
    case accepted
    /// All orders it brought about are finished and something was filled.
    case filled
    /// The edge's ledger, or the broker, says no.
    case refused
    /// It had no effect in time, or nobody can say any more.
    case expired
    /// Taken back: before a byte of it was sent, or because the edge's ledger says that it will never be executed.
    case withdrawn
    /// A newer command took its place.
    case superseded
}

/// One step of the walk, with the time at which the cloud learned it.
package struct CommandStep: Hashable, Sendable {
    package let stage: CommandStage
    package let at: Instant
    package init(stage: CommandStage, at: Instant) { self.stage = stage; self.at = at }
}

/// The row of the outbox.
package struct CommandRecord: Hashable, Sendable {
    /// With its bound boot once there is one.
    package var command: Command
    /// Who asked, without the prefix of the issuer.
    package let user: String
    /// One line for people: `Long 3 MBTZ6, trailing stop 1.5 %`.
    package let title: String
    /// Hash of the request, so that one key never stands for two wishes.
    package let fingerprint: [UInt8]
    /// Never empty.
    package private(set) var walk: [CommandStep]
    /// No further step comes.
    package private(set) var isFinal = false
    /// Why it ended as it did, and what to do; nil while it runs well.
    package private(set) var reason: String?
    package private(set) var cure: String?

    /// A new record, queued at `command.issuedAt`.
    package init(command: Command, user: String, title: String, fingerprint: [UInt8]) {
        self.command = command; self.user = user; self.title = title; self.fingerprint = fingerprint
        walk = [CommandStep(stage: .queued, at: command.issuedAt)]
    }

    package var id: CommandID { command.id }
    package var stage: CommandStage { walk[walk.count - 1].stage }
    /// True before the edge's ledger has said anything.
    package var isUndecided: Bool { !isFinal && (stage == .queued || stage == .dispatched || stage == .delivered) }

    /// When the stage was reached, if it was.
    package func reached(_ stage: CommandStage) -> Instant? { walk.first { $0.stage == stage }?.at }

    /// The clock that its times are told by was set by `step`: what is left of its life stays the same.
    mutating func clockWasSet(by step: Span) {
        guard !isFinal, let expiry = command.expiresAt else { return }
        command.expiresAt = expiry + step
    }

    /// Moves on; a stage already passed changes nothing.
    package mutating func advance(to stage: CommandStage, at now: Instant) {
        guard !isFinal, !walk.contains(where: { $0.stage == stage }) else { return }
        walk.append(CommandStep(stage: stage, at: now))
    }

    /// Ends the walk, with a last step unless it stands there already.
    package mutating func end(as stage: CommandStage, reason: String? = nil, cure: String? = nil, at now: Instant) {
        guard !isFinal else { return }
        advance(to: stage, at: now)
        isFinal = true
        self.reason = reason.map(CommandRecord.cut)
        self.cure = cure.map(CommandRecord.cut)
    }

    /// The edge's and the broker's words are theirs to choose, and the row must stay one that can be read back.
    private static func cut(_ words: String) -> String {
        words.unicodeScalars.count <= scalarsMax ? words : String(words.unicodeScalars.prefix(scalarsMax)) + "…"
    }
    private static let scalarsMax = 1_000

    /// The form that is stored.
    package var value: JSONValue {
        var out = FieldWriter()
        out.put("command", command.value); out.put("user", user); out.put("title", title); out.put("fingerprint", Hex.text(fingerprint))
        out.put("walk", .array(walk.map { [.string($0.stage.rawValue), .integer($0.at.nanoseconds)] }))
        out.put("final", isFinal); out.put("reason", reason); out.put("cure", cure)
        return out.value
    }

    /// Reads `value` back.
    package init(_ value: JSONValue) throws(CodecError) {
        let f = try Fields(value)
        command = try Command(f.raw("command"))
        user = try f.text("user"); title = try f.text("title")
        guard let fingerprint = Hex.bytes(try f.text("fingerprint")) else { throw .badValue("fingerprint") }
        self.fingerprint = fingerprint
        walk = []
        for step in try f.list("walk") {
            guard let parts = step.elements, parts.count == 2, let stage = parts[0].text.flatMap({ CommandStage(rawValue: $0) }),
                let at = parts[1].integerValue
            else { throw .badValue("walk") }
            walk.append(CommandStep(stage: stage, at: Instant(nanoseconds: at)))
        }
        guard !walk.isEmpty else { throw .badValue("walk") }
        isFinal = try f.flag("final")
        reason = try f.optional("reason", f.text); cure = try f.optional("cure", f.text)
    }
}
