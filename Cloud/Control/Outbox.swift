// The commands on their way to the edges: stored first, sent to one run of the edge only, ended by facts, expiry or proof of absence.
package import Ledger
package import Values
internal import Wire

/// What happens to the outbox.
package enum OutboxInput: Sendable {
    /// A new command, its id unknown so far.
    case place(CommandRecord)
    /// Take it back if no byte of it was sent.
    case withdraw(CommandID)
    /// A session with an edge stands; commands may go.
    case linked(EdgeID, session: UInt64, boot: Boot)
    case unlinked(EdgeID)
    /// The session stands by name only: nothing was heard for a while, so nothing new goes into it.
    case quiet(EdgeID)
    /// The edge spoke again in the session that stands.
    case heard(EdgeID)
    /// The edge says that it holds the command (not that it did anything).
    case received(CommandID)
    /// The edge's ledger tells the verdict; a refusal may follow an acceptance (a closing that was not completed).
    case outcome(CommandOutcome, accepted: Bool)
    /// The edge's ledger has an intent of this command: that is a yes.
    case intended(CommandID)
    /// What became of the orders of an accepted command.
    case progress(CommandID, OrderProgress)
    /// Everything that former runs of the edge wrote is stored here, and what this run wrote before `through`.
    case settled(EdgeID, boot: Boot, through: Instant)
    case tick
}

/// The state of all orders that one command brought about.
package enum OrderProgress: Hashable, Sendable {
    case filled
    /// Every order ended without a fill.
    case dead(reason: String)
    /// Nothing to fill.
    case done
}

/// One command to send now; `timeToLive` is counted from here, nil for what never expires.
package struct Dispatch: Hashable, Sendable {
    package let session: UInt64
    package let command: Command
    package let timeToLive: Span?
}

/// What follows: rows to store before anything is sent, then what to send.
package struct OutboxOutcome: Sendable {
    package var writes: [CommandRecord] = []
    package var forgotten: [CommandID] = []
    package var dispatches: [Dispatch] = []
    package init() {}
}

/// All commands of all edges.
package struct Outbox: Sendable {
    /// After its expiry and this much more, a command that the settled ledger does not mention was never taken.
    package static let verdictGrace = Span.seconds(3)
    /// Records kept; beyond it the oldest finished ones are forgotten.
    package static let recordsMax = 2_000
    /// Commands of one edge that have not ended; one more is refused.
    package static let openMax = 64

    private struct Session: Sendable { let number: UInt64, boot: Boot }

    package private(set) var records: [CommandID: CommandRecord] = [:]
    /// Oldest first.
    package private(set) var order: [CommandID] = []
    private var sessions: [EdgeID: Session] = [:]
    /// Sent in the present session of their edge.
    private var sent: Set<CommandID> = []
    /// Edges whose session is silent. What is not sent is not bound, and ends at its expiry by the cloud's own clock.
    private var silent: Set<EdgeID> = []

    /// Takes up what was stored, oldest first.
    package init(records: [CommandRecord] = []) {
        for record in records { self.records[record.id] = record; order.append(record.id) }
    }

    /// Commands that have not ended, oldest first.
    package var open: [CommandRecord] { order.compactMap { records[$0] }.filter { !$0.isFinal } }
    /// Commands of an edge that have not ended, oldest first.
    package func open(of edge: EdgeID) -> [CommandRecord] { open.filter { $0.command.edge == edge } }

    /// Takes one input in.
    package mutating func handle(_ input: OutboxInput, at now: Instant) -> OutboxOutcome {
        var out = OutboxOutcome()
        switch input {
        case .place(let record):
            precondition(records[record.id] == nil, "command \(record.id) placed twice")
            records[record.id] = record; order.append(record.id); out.writes.append(record)
            dispatch(record.id, at: now, into: &out)
        case .withdraw(let id):
            if let record = records[id], record.isUndecided, record.command.boundBoot == nil {
                end(id, .withdrawn, "Taken back before it was sent.", nil, now, &out)
            }
        case .linked(let edge, let number, let boot):
            for id in order where records[id]?.command.edge == edge { sent.remove(id) }
            sessions[edge] = Session(number: number, boot: boot)
            silent.remove(edge)
            dispatchWaiting(edge, now, &out)
        case .unlinked(let edge): sessions[edge] = nil
        case .quiet(let edge): silent.insert(edge)
        case .heard(let edge): if silent.remove(edge) != nil { dispatchWaiting(edge, now, &out) }
        case .received(let id):
            if let record = records[id], record.stage == .queued, record.command.boundBoot != nil {
                change(id, &out) { $0.advance(to: .delivered, at: now) }
            }
        case .outcome(let outcome, let accepted): judge(outcome, accepted, now, &out)
        case .intended(let id): accept(id, now, &out)
        case .progress(let id, let progress): follow(id, progress, now, &out)
        case .settled(let edge, let boot, let through): settle(edge, boot, through, now, &out)
        case .tick: expire(now, &out)
        }
        forget(&out)
        return out
    }

    /// A halt overtakes everything; the rest goes in the order it was asked for.
    private mutating func dispatchWaiting(_ edge: EdgeID, _ now: Instant, _ out: inout OutboxOutcome) {
        let waiting = open(of: edge)
        for record in waiting.filter(\.command.isHalt) + waiting.filter({ !$0.command.isHalt }) { dispatch(record.id, at: now, into: &out) }
    }

    /// Sends one record into its edge's session if it may go there; binds it to the session's boot before the first byte, for ever.
    private mutating func dispatch(_ id: CommandID, at now: Instant, into out: inout OutboxOutcome) {
        guard let record = records[id], record.stage == .queued, !record.isFinal, let session = sessions[record.command.edge], !sent.contains(id),
            !silent.contains(record.command.edge)
        else { return }
        if let expiry = record.command.expiresAt, expiry <= now { return }
        if record.command.boundBoot == nil { change(id, &out) { $0.command.boundBoot = session.boot } }
        guard let command = records[id]?.command, command.boundBoot == session.boot else { return }
        sent.insert(id)
        out.dispatches.append(Dispatch(session: session.number, command: command, timeToLive: command.expiresAt.map { $0 - now }))
    }

    private mutating func judge(_ outcome: CommandOutcome, _ accepted: Bool, _ now: Instant, _ out: inout OutboxOutcome) {
        let id = outcome.command
        guard !accepted else { return accept(id, now, &out) }
        let stage: CommandStage = outcome.code == "expired" ? .expired : .refused
        end(id, stage, outcome.text, stage == .expired ? "Look at the position, then ask again." : nil, now, &out)
    }

    private mutating func accept(_ id: CommandID, _ now: Instant, _ out: inout OutboxOutcome) {
        change(id, &out) { record in
            record.advance(to: .accepted, at: now)
            if !record.command.fills { record.end(as: .accepted, at: now) }
        }
    }

    private mutating func follow(_ id: CommandID, _ progress: OrderProgress, _ now: Instant, _ out: inout OutboxOutcome) {
        guard let record = records[id], record.reached(.accepted) != nil, !record.isFinal else { return }
        switch progress {
        case .filled: end(id, .filled, nil, nil, now, &out)
        case .dead(let reason): end(id, .refused, reason, "Look at the orders table, then ask again.", now, &out)
        case .done: end(id, .accepted, nil, nil, now, &out)
        }
    }

    private mutating func settle(_ edge: EdgeID, _ boot: Boot, _ through: Instant, _ now: Instant, _ out: inout OutboxOutcome) {
        guard let session = sessions[edge], session.boot == boot else { return }
        for record in open(of: edge) where record.isUndecided {
            guard let bound = record.command.boundBoot else { continue }
            if bound != boot {
                lose(record, to: session, now, &out)
            } else if let expiry = record.command.expiresAt, through > expiry + Outbox.verdictGrace {
                end(
                    record.id, .expired, "The edge did not take it within \(record.lifetimeWords).", "Look at the position, then ask again.", now,
                    &out)
            }
        }
    }

    /// The run that a command was bound to is over and its ledger says nothing: nobody will ever act on it. A halt is asked again under a new id.
    private mutating func lose(_ record: CommandRecord, to session: Session, _ now: Instant, _ out: inout OutboxOutcome) {
        end(
            record.id, .expired, "The edge restarted before it answered, and its ledger does not mention the command.",
            "Look at orders and positions, then ask again.", now, &out)
        guard record.command.isHalt, let id = CommandID(bytes: Hashing.blake2b(record.id.bytes + Array("again".utf8), length: 16)), records[id] == nil
        else { return }
        var command = record.command
        command.id = id; command.boundBoot = nil; command.issuedAt = now
        let again = CommandRecord(command: command, user: record.user, title: record.title, fingerprint: record.fingerprint)
        records[id] = again; order.append(id); out.writes.append(again)
        dispatch(id, at: now, into: &out)
    }

    /// Only what was never bound is certainly dead at its expiry; the rest waits for the edge's word.
    private mutating func expire(_ now: Instant, _ out: inout OutboxOutcome) {
        for record in open where record.isUndecided && record.command.boundBoot == nil {
            guard let expiry = record.command.expiresAt, expiry <= now else { continue }
            end(record.id, .expired, "The edge did not take it within \(record.lifetimeWords).", "Look at the position, then ask again.", now, &out)
        }
    }

    private mutating func end(_ id: CommandID, _ stage: CommandStage, _ reason: String?, _ cure: String?, _ now: Instant, _ out: inout OutboxOutcome)
    {
        change(id, &out) { $0.end(as: stage, reason: reason, cure: cure, at: now) }
    }

    private mutating func change(_ id: CommandID, _ out: inout OutboxOutcome, _ body: (inout CommandRecord) -> Void) {
        guard var record = records[id] else { return }
        body(&record)
        guard record != records[id] else { return }
        records[id] = record
        // One row a command and turn: the last state is the one to store.
        out.writes.removeAll { $0.id == id }
        out.writes.append(record)
    }

    private mutating func forget(_ out: inout OutboxOutcome) {
        guard order.count > Outbox.recordsMax else { return }
        var excess = order.count - Outbox.recordsMax
        order.removeAll { id in
            guard excess > 0, records[id]?.isFinal == true else { return false }
            excess -= 1
            records[id] = nil; out.forgotten.append(id)
            return true
        }
    }
}

extension Command {
    /// True for the kill switch.
    package var isHalt: Bool { if case .halt = body { true } else { false } }
    /// True when orders follow that can fill.
    package var fills: Bool {
        switch body {
        case .order, .close: true
        case .cancel, .halt, .watch: false
        }
    }
}

extension CommandRecord {
    fileprivate var lifetimeWords: String {
        guard let expiry = command.expiresAt else { return "its time" }
        return "\((expiry - command.issuedAt).nanoseconds / 1_000_000_000) s"
    }
}
