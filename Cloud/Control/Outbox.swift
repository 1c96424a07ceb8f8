// The commands on their way to the edges: stored first, sent to one run of the edge only, ended by facts, expiry or proof of absence.
package import Ledger
package import Values
internal import Wire

/// What happens to the outbox.
package enum OutboxInput: Sendable {
    /// A new command, its id unknown so far. One that it supersedes and that was never sent ends here and now.
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
    /// A person ended a lineage of the edge's ledger: what its runs had been sent by then and never answered, nobody can tell any more.
    case lineageEnded(EdgeID, at: Instant)
    /// The edge's key is refused from now on: nothing goes to it any more, and nothing of it tells what became of what went.
    case revoked(EdgeID)
    /// Everything that former runs of the edge wrote is stored here, and what this run wrote before `through`; `facts` is what is held and works.
    case settled(EdgeID, boot: Boot, through: Instant, facts: String)
    /// The clock of `now` was set by this much.
    case clockWasSet(by: Span)
    case tick
}

/// How the outbox behaves. Production uses `init()`; only tests construct another, which takes protections away.
package struct OutboxRules: Hashable, Sendable {
    package init() {}
    /// What is in doubt is asked again, whatever it is.
    package var reissuesOrders = false
    /// A command may go to another run than the one it was bound to.
    package var rebinds = false
    /// A command that was taken back or replaced goes all the same.
    package var sendsWithdrawn = false
    /// What the edge holds counts as done.
    package var doneWhenReceived = false
    /// A clock that was set stretches or cuts the lives of commands.
    package var ttlByWallClock = false
    /// Commands of an edge whose key was revoked stay open.
    package var ignoresRevocation = false
    /// Every number of a key is one.
    package var numbersRepeat = false
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
    /// Those that have not ended, oldest first: looked at in every turn, where the records are thousands.
    private var unended: [CommandID] = []
    private var sessions: [EdgeID: Session] = [:]
    /// Sent in the present session of their edge.
    private var sent: Set<CommandID> = []
    /// Edges whose session is silent. What is not sent is not bound, and ends at its expiry by the cloud's own clock.
    private var silent: Set<EdgeID> = []

    private let rules: OutboxRules

    /// Takes up what was stored, oldest first.
    package init(records: [CommandRecord] = [], rules: OutboxRules = OutboxRules()) {
        self.rules = rules
        for record in records { add(record) }
    }

    /// Commands that have not ended, oldest first.
    package var open: [CommandRecord] { unended.compactMap { records[$0] } }
    /// True while any command has not ended.
    var hasOpen: Bool { !unended.isEmpty }
    /// True while a command of this edge has not ended.
    func hasOpen(of edge: EdgeID) -> Bool { unended.contains { records[$0]?.command.edge == edge } }
    /// Commands of an edge that have not ended, oldest first.
    package func open(of edge: EdgeID) -> [CommandRecord] { open.filter { $0.command.edge == edge } }

    /// Takes one input in.
    package mutating func handle(_ input: OutboxInput, at now: Instant) -> OutboxOutcome {
        var out = OutboxOutcome()
        switch input {
        case .place(let record): place(record, now, &out)
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
            if let record = records[id], record.stage == .queued || record.stage == .dispatched, record.command.boundBoot != nil {
                change(id, &out) { $0.advance(to: .delivered, at: now) }
                if rules.doneWhenReceived { end(id, .accepted, nil, nil, now, &out) }
            }
        case .outcome(let outcome, let accepted): judge(outcome, accepted, now, &out)
        case .intended(let id): accept(id, now, &out)
        case .progress(let id, let progress): follow(id, progress, now, &out)
        case .lineageEnded(let edge, let ended): loseAll(of: edge, askedBefore: ended, now, &out)
        case .revoked(let edge): if !rules.ignoresRevocation { endAll(of: edge, now, &out) }
        case .settled(let edge, let boot, let through, let facts): settle(edge, boot, through, facts, now, &out)
        case .clockWasSet(let step): if !rules.ttlByWallClock { for record in open { change(record.id, &out) { $0.clockWasSet(by: step) } } }
        case .tick: expire(now, &out)
        }
        forget(&out)
        return out
    }

    /// A halt overtakes everything, then goes what takes others back; the rest goes in the order it was asked for.
    private mutating func dispatchWaiting(_ edge: EdgeID, _ now: Instant, _ out: inout OutboxOutcome) {
        let waiting = rules.sendsWithdrawn ? order.compactMap { records[$0] }.filter { $0.command.edge == edge } : open(of: edge)
        for urgency in [2, 1, 0] { for record in waiting where record.command.urgency == urgency { dispatch(record.id, at: now, into: &out) } }
    }

    /// Takes a command in. What it replaces and was never sent has ended; what was sent is replaced at the edge.
    private mutating func place(_ new: CommandRecord, _ now: Instant, _ out: inout OutboxOutcome) {
        precondition(records[new.id] == nil, "command \(new.id) placed twice")
        var record = new
        if let old = record.command.supersedes.flatMap({ records[$0] }), old.isUndecided, old.command.boundBoot == nil {
            end(old.id, .superseded, "A newer command took its place before it was sent.", nil, now, &out)
            record.command.supersedes = nil
        }
        add(record); out.writes.append(record)
        if case .withdraw(let target, _, _) = record.command.body, let old = records[target], old.isUndecided, old.command.boundBoot == nil {
            end(target, .withdrawn, "Taken back before it was sent.", nil, now, &out)
            end(record.id, .accepted, "It was taken back before it was sent.", nil, now, &out)
        }
        dispatch(record.id, at: now, into: &out)
    }

    /// Sends one record into its edge's session if it may go there; binds it to the session's boot before the first byte, for ever.
    private mutating func dispatch(_ id: CommandID, at now: Instant, into out: inout OutboxOutcome) {
        guard let record = records[id], record.stage == .queued || record.stage == .dispatched || (rules.sendsWithdrawn && record.isTakenBack),
            !record.isFinal || rules.sendsWithdrawn, let session = sessions[record.command.edge], !sent.contains(id),
            !silent.contains(record.command.edge)
        else { return }
        if let expiry = record.command.expiresAt, expiry <= now { return }
        if record.command.boundBoot == nil {
            let place = record.command.body.orderKey.map { nextPlace($0, record.command.edge, session.boot) }
            change(id, &out) {
                $0.command.boundBoot = session.boot; $0.command.place = place
                $0.advance(to: .dispatched, at: now)
            }
        }
        if rules.rebinds { change(id, &out) { $0.command.boundBoot = session.boot } }
        guard let command = records[id]?.command, command.boundBoot == session.boot else { return }
        sent.insert(id)
        out.dispatches.append(Dispatch(session: session.number, command: command, timeToLive: command.expiresAt.map { $0 - now }))
    }

    /// The next number of a key in a run, and below which number all have ended.
    private func nextPlace(_ key: String, _ edge: EdgeID, _ boot: Boot) -> CommandPlace {
        var last: Int64 = 0
        var floor: Int64?
        for id in order {
            guard let record = records[id], record.command.edge == edge, record.command.boundBoot == boot, let place = record.command.place,
                place.key == key
            else { continue }
            last = max(last, place.number)
            if record.isUndecided { floor = min(floor ?? place.number, place.number) }
        }
        let number = rules.numbersRepeat ? 1 : last + 1
        return CommandPlace(key: key, number: number, floor: min(floor ?? number, number))
    }

    private mutating func judge(_ outcome: CommandOutcome, _ accepted: Bool, _ now: Instant, _ out: inout OutboxOutcome) {
        let id = outcome.command
        guard !accepted else { return accept(id, now, &out) }
        let stage: CommandStage =
            switch outcome.code {
            case "expired": .expired
            case "withdrawn": .withdrawn
            case "superseded": .superseded
            default: .refused
            }
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

    private mutating func settle(
        _ edge: EdgeID, _ boot: Boot, _ through: Instant, _ facts: String, _ now: Instant, _ out: inout OutboxOutcome
    ) {
        guard let session = sessions[edge], session.boot == boot else { return }
        for record in open(of: edge) where record.isUndecided {
            guard let bound = record.command.boundBoot else { continue }
            if bound != boot {
                lose(
                    record, "The edge restarted before it answered, and its ledger does not mention the command. \(facts)",
                    "Look at orders and positions, then ask again.", now, &out)
            } else if let expiry = record.command.expiresAt, through > expiry + Outbox.verdictGrace {
                end(
                    record.id, .expired, "The edge did not take it within \(record.lifetimeWords).", "Look at the position, then ask again.", now,
                    &out)
            }
        }
    }

    /// The ledger that would tell of them was lost or sealed: commands of former runs may have been executed or not. A start of the cloud reads of
    /// old decisions too, which say nothing of what was asked later.
    private mutating func loseAll(of edge: EdgeID, askedBefore ended: Instant, _ now: Instant, _ out: inout OutboxOutcome) {
        for record in open(of: edge) where record.isUndecided && record.command.issuedAt < ended {
            guard let bound = record.command.boundBoot, bound != sessions[edge]?.boot else { continue }
            lose(
                record, "Lost: the part of the edge's ledger that would tell of it was written off by a decision.",
                "Look at orders and positions at the broker; it may have been executed.", now, &out)
        }
    }

    /// Nobody hears of it again: what never left did nothing, what left may have done anything.
    private mutating func endAll(of edge: EdgeID, _ now: Instant, _ out: inout OutboxOutcome) {
        sessions[edge] = nil
        let look = "Look at orders and positions at the broker."
        for record in open(of: edge) {
            if record.command.boundBoot == nil {
                end(record.id, .withdrawn, "The edge's key was revoked before this was sent: it had no effect.", nil, now, &out)
            } else if record.isUndecided {
                end(record.id, .expired, "The edge's key was revoked before it answered; it may have been executed.", look, now, &out)
            } else {
                end(
                    record.id, .accepted, "The edge had taken it when its key was revoked; what became of its orders is not told here any more.",
                    look,
                    now, &out)
            }
        }
    }

    /// The run that a command was bound to is over and its ledger says nothing: nobody will ever act on it. What only lowers risk, and may be
    /// done twice, is asked again under a new id; of all else the person decides, told what is held and what works.
    private mutating func lose(_ record: CommandRecord, _ words: String, _ cure: String, _ now: Instant, _ out: inout OutboxOutcome) {
        let isAgain = record.command.body.isReissued || rules.reissuesOrders
        let next = CommandID(bytes: Hashing.blake2b(record.id.bytes + Array("again".utf8), length: 16)).flatMap {
            records[$0] == nil && isAgain ? $0 : nil
        }
        end(record.id, .expired, words, next == nil ? cure : "Nothing to do: it was asked again by itself.", now, &out)
        guard let next else { return }
        var command = record.command
        command.id = next; command.boundBoot = nil; command.place = nil; command.supersedes = nil; command.issuedAt = now
        if rules.reissuesOrders { command.expiresAt = command.body.lifetime.map { now + $0 } }
        let again = CommandRecord(command: command, user: record.user, title: record.title, fingerprint: record.fingerprint)
        add(again); out.writes.append(again)
        dispatch(next, at: now, into: &out)
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

    private mutating func add(_ record: CommandRecord) {
        records[record.id] = record; order.append(record.id)
        if !record.isFinal { unended.append(record.id) }
    }

    private mutating func change(_ id: CommandID, _ out: inout OutboxOutcome, _ body: (inout CommandRecord) -> Void) {
        guard var record = records[id] else { return }
        body(&record)
        guard record != records[id] else { return }
        if record.isFinal { unended.removeAll { $0 == id } }
        records[id] = record
        // One row a command and turn: the last state is the one to store.
        out.writes.removeAll { $0.id == id }
        out.writes.append(record)
    }

    /// The records that the next number of a key in the present run is counted from.
    private var topsOfKeys: Set<CommandID> {
        struct Lane: Hashable { let edge: EdgeID, key: String }
        var tops: [Lane: (number: Int64, id: CommandID)] = [:]
        for id in order {
            guard let command = records[id]?.command, let place = command.place, sessions[command.edge]?.boot == command.boundBoot else { continue }
            let lane = Lane(edge: command.edge, key: place.key)
            if place.number > tops[lane]?.number ?? 0 { tops[lane] = (place.number, id) }
        }
        return Set(tops.values.map(\.id))
    }

    private mutating func forget(_ out: inout OutboxOutcome) {
        guard order.count > Outbox.recordsMax else { return }
        var excess = order.count - Outbox.recordsMax
        let tops = topsOfKeys
        order.removeAll { id in
            guard excess > 0, let record = records[id], record.isFinal, !tops.contains(id) else { return false }
            excess -= 1
            records[id] = nil; out.forgotten.append(id)
            return true
        }
    }
}

extension Command {
    /// What overtakes what.
    fileprivate var urgency: Int {
        switch body {
        case .raise: 2
        case .withdraw: 1
        case .order, .close, .cancel, .watch: 0
        }
    }
    /// True when orders follow that can fill.
    package var fills: Bool {
        switch body {
        case .order, .close: true
        case .cancel, .raise, .watch, .withdraw: false
        }
    }
}

extension CommandRecord {
    fileprivate var isTakenBack: Bool { stage == .withdrawn || stage == .superseded }
    fileprivate var lifetimeWords: String {
        guard let life = command.body.lifetime else { return "its time" }
        return "\(life.nanoseconds / 1_000_000_000) s"
    }
}
