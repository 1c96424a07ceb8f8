// The control room: every edge's book and presence, the outbox, and what follows from each thing that happens.
package import Ledger
package import Values

/// What happens.
package enum ControlInput: Sendable {
    /// An edge is known from now on; its stored entries follow as `.entries`.
    case enrolled(EdgeID, name: String)
    /// The edge is not shown for now: it is to be confirmed anew, or its ledger is damaged.
    case revoked(EdgeID)
    /// A person revoked the edge's key: its commands have an end, whatever becomes of it later.
    case expelled(EdgeID)
    /// What this row of refused links told of is over.
    case refusalOver(id: String)
    /// A session was opened with the verdict CONTINUE.
    case opened(EdgeID, LinkSession, announced: Seq)
    /// The session ended, or gave way to a newer one.
    case closed(EdgeID, session: UInt64)
    /// How the edge is heard has changed.
    case presence(EdgeID, EdgePresence)
    /// What a sign of life in a session told.
    case heard(EdgeID, session: UInt64, Pulse)
    /// The edge's stored ledger was cut short by a decision; what is left follows again as `.entries`.
    case cut(EdgeID)
    /// The edge's book out of a file and the entries behind that, with its newest entries. What commands became by the entries up to the file's is
    /// stored with them; `news` are those behind it that tell of commands.
    case restored(EdgeID, Book, recent: [Entry], news: [Entry])
    /// More entries of the edge are stored than its book holds, or no more: what is not in half a book may stand in the other half.
    case behind(EdgeID, Bool)
    /// Entries in order, checked and durable here.
    case entries(EdgeID, [Entry])
    /// The entries up to this one, the last of them, are missing for good; what comes next follows it.
    case passedOver(EdgeID, Head)
    case live(EdgeID, [LiveItem])
    /// The edge holds this command.
    case commandReceived(EdgeID, CommandID)
    case withdraw(CommandID)
    /// A link was turned away.
    case linkRefused(LinkRefusal)
    /// The clock that all times are told by was set by this much.
    case clockWasSet(by: Span)
    /// At least once a second.
    case tick
}

/// What must be stored first.
package enum ControlWrite: Hashable, Sendable {
    case command(CommandRecord)
    case forgetCommand(CommandID)
}

/// What screens should hear about; order of happening.
package enum ControlChange: Hashable, Sendable {
    case edge(EdgeID)
    case entries(EdgeID, [Entry])
    case live(EdgeID, [LiveItem])
    case command(CommandID)
    case refusals
}

/// What follows from one input.
package struct ControlOutcome: Sendable {
    package var writes: [ControlWrite] = []
    /// Commands to send once `writes` are durable.
    package var dispatches: [Dispatch] = []
    package var changes: [ControlChange] = []
    package init() {}
}

/// A link that was turned away, counted by what was wrong.
package struct LinkRefusal: Hashable, Sendable {
    /// Refusals of one id are one row.
    package let id: String
    package let edge: EdgeID?
    /// The key in hexadecimal, when nobody knows whose it is.
    package let key: String?
    /// `FORK`, `UNKNOWN_KEY`, …
    package let verdict: String
    package let words: String
    package let cure: String
    package internal(set) var times: Int64 = 1
    package internal(set) var first: Instant
    package internal(set) var last: Instant
    /// A session that opens says nothing about it: it stays on the page.
    package var outlivesSessions = false
    package init(id: String, edge: EdgeID?, key: String?, verdict: String, words: String, cure: String, at now: Instant) {
        self.id = id; self.edge = edge; self.key = key; self.verdict = verdict; self.words = words; self.cure = cure; first = now; last = now
    }

    /// Which of two rows goes first when there is no room: strangers are many and cost nothing, an edge of ours needs a person.
    func isLess(than other: LinkRefusal) -> Bool { (edge == nil ? 0 : 1, last) < (other.edge == nil ? 0 : 1, other.last) }
}

/// The cloud's whole knowledge, without a socket or a file.
package struct ControlRoom: Sendable {
    /// Rows of refused links; beyond it strangers go before edges of ours, and the one longest quiet first.
    package static let refusalsMax = 100
    /// A refusal not repeated for this long is over.
    package static let refusalLife = Span.hours(24)

    package private(set) var edges: [EdgeID: EdgeRoom] = [:]
    package private(set) var outbox: Outbox
    /// By id.
    package private(set) var refusals: [LinkRefusal] = []
    /// Kinds of entries that tell of a command.
    package static let telling: Set<UInt16> = [
        Kind.lineage.rawValue, Kind.intent.rawValue, Kind.commandAccepted.rawValue, Kind.commandRefused.rawValue,
    ]

    package init(commands: [CommandRecord] = [], rules: OutboxRules = OutboxRules()) { outbox = Outbox(records: commands, rules: rules) }

    /// Edges by name.
    package var sortedEdges: [EdgeRoom] { edges.values.sorted { ($0.name, $0.id) < ($1.name, $1.id) } }
    /// The edge of a name or an id in hexadecimal; without either the only one, or the first by name.
    package func edge(named text: String?) -> EdgeRoom? {
        guard let text else { return sortedEdges.first }
        return sortedEdges.first { $0.name == text } ?? EdgeID(hex: text).flatMap { edges[$0] }
    }

    /// Takes one input in.
    package mutating func handle(_ input: ControlInput, at now: Instant) -> ControlOutcome {
        var out = ControlOutcome()
        switch input {
        case .enrolled(let id, let name):
            if edges[id] == nil { edges[id] = EdgeRoom(id: id, name: name) } else { edges[id]?.name = name }
            out.changes.append(.edge(id))
        case .refusalOver(let id):
            guard refusals.contains(where: { $0.id == id }) else { break }
            refusals.removeAll { $0.id == id }
            out.changes.append(.refusals)
        case .revoked(let id), .expelled(let id):
            if case .expelled = input { apply(outbox.handle(.revoked(id), at: now), &out) }
            close(id, session: edges[id]?.session?.number, now, &out)
            edges[id] = nil
            out.changes.append(.edge(id))
        case .opened(let id, let session, let announced): open(id, session, announced, now, &out)
        case .closed(let id, let number): close(id, session: number, now, &out)
        case .presence(let id, let presence): show(id, presence, now, &out)
        case .heard(let id, let number, let pulse): hear(id, number, pulse, now, &out)
        case .entries(let id, let entries): take(entries, from: id, now, &out)
        case .passedOver(let id, let anchor): edges[id]?.book.passOver(anchor)
        case .cut(let id):
            edges[id]?.book = Book(edge: id)
            edges[id]?.recent = []
            edges[id]?.pulse = Pulse(announced: Seq(0))
            out.changes.append(.edge(id))
        case .restored(let id, let book, let recent, let news):
            guard edges[id] != nil else { break }
            edges[id]?.book = book
            edges[id]?.recent = Array(recent.suffix(EdgeRoom.recentMax))
            for entry in news { learn(from: entry, of: id, now, &out) }
            out.changes.append(.edge(id))
        case .behind(let id, let isBehind): note(id, isBehind: isBehind, now, &out)
        case .live(let id, let items):
            guard edges[id] != nil else { break }
            for item in items { edges[id]?.live.apply(item) }
            out.changes.append(.live(id, items))
        case .commandReceived(let id, let command):
            if outbox.records[command]?.command.edge == id { apply(outbox.handle(.received(command), at: now), &out) }
        case .withdraw(let command): apply(outbox.handle(.withdraw(command), at: now), &out)
        case .linkRefused(let refusal): note(refusal, now, &out)
        case .clockWasSet(let step):
            for id in edges.keys { edges[id]?.clockWasSet(by: step) }
            apply(outbox.handle(.clockWasSet(by: step), at: now), &out)
        case .tick: tick(now, &out)
        }
        return out
    }

    /// Takes one command in, or says why not. Of an id that is known the old record is the answer.
    package mutating func ask(_ request: Ask, at now: Instant) -> (AskVerdict, ControlOutcome) {
        var out = ControlOutcome()
        if let known = outbox.records[request.id] {
            return (known.fingerprint == request.fingerprint && known.user == request.user ? .repeated(known) : .refused(.keyReused), out)
        }
        guard let edge = edges[request.edge] else { return askOfUnseen(request, now, out) }
        guard edge.book.commands[request.id] == nil else { return (.refused(.keyReused), out) }
        if !request.body.reducesRisk {
            guard edge.presence == .live else { return (.refused(.edgeSilent(name: edge.name)), out) }
            if case .order = request.body {
                guard !edge.lags(at: now) else { return (.refused(.bookBehind(name: edge.name, entries: edge.backlog)), out) }
                guard edge.book.haltLevel == .normal else { return (.refused(.halted(edge.book.haltLevel, edge.book.haltFact)), out) }
            }
        }
        if let old = request.supersedes ?? request.withdraws {
            guard let record = outbox.records[old], record.command.edge == request.edge else { return (.refused(.unknownCommand), out) }
            guard record.isUndecided else { return (.refused(.alreadyDecided(record)), out) }
            if case .withdraw = record.command.body { return (.refused(.staysAsked), out) }
            guard !record.command.body.isKill else { return (.refused(.staysAsked), out) }
        }
        // A halt always finds room, and so does what makes room.
        let isAlwaysTaken = request.body.isKill || request.withdraws != nil
        if !isAlwaysTaken, outbox.open(of: request.edge).count >= Outbox.openMax { return (.refused(.tooManyOpen), out) }
        let record = CommandRecord(
            command: request.command(mode: edge.book.boot?.mode, at: now), user: request.user, title: request.title, fingerprint: request.fingerprint)
        apply(outbox.handle(.place(record), at: now), &out)
        return (.queued(outbox.records[request.id] ?? record), out)
    }

    /// An edge whose ledger is not taken up may trade on: a halt is there for it when it links again. Nothing else is: nobody sees what it would do.
    private mutating func askOfUnseen(_ request: Ask, _ now: Instant, _ outcome: ControlOutcome) -> (AskVerdict, ControlOutcome) {
        var out = outcome
        guard request.isOfUnseen, request.body.isKill else { return (.refused(.unknownEdge), out) }
        let record = CommandRecord(
            command: request.command(mode: nil, at: now), user: request.user, title: request.title, fingerprint: request.fingerprint)
        apply(outbox.handle(.place(record), at: now), &out)
        return (.queued(outbox.records[request.id] ?? record), out)
    }

    private mutating func open(_ id: EdgeID, _ session: LinkSession, _ announced: Seq, _ now: Instant, _ out: inout ControlOutcome) {
        guard edges[id] != nil else { return }
        edges[id]?.session = session
        edges[id]?.settledThrough = nil
        // HELLO has told the head, so what former runs wrote is known; of this run nothing is told before its first beat.
        edges[id]?.toldThrough = Instant(nanoseconds: .min)
        edges[id]?.pulse = Pulse(announced: announced)
        edges[id]?.noteLag(at: now, isNewLink: true)
        let before = refusals.count
        refusals.removeAll { $0.edge == id && !$0.outlivesSessions }
        if refusals.count != before { out.changes.append(.refusals) }
        apply(outbox.handle(.linked(id, session: session.number, boot: session.boot), at: now), &out)
        settle(id, now, &out)
        out.changes.append(.edge(id))
    }

    private mutating func close(_ id: EdgeID, session number: UInt64?, _ now: Instant, _ out: inout ControlOutcome) {
        guard let session = edges[id]?.session, session.number == number else { return }
        edges[id]?.session = nil
        apply(outbox.handle(.unlinked(id), at: now), &out)
        out.changes.append(.edge(id))
    }

    /// Into a silent session nothing new goes; a dead one was closed by its own word.
    private mutating func show(_ id: EdgeID, _ presence: EdgePresence, _ now: Instant, _ out: inout ControlOutcome) {
        guard let known = edges[id]?.presence, known != presence else { return }
        edges[id]?.presence = presence
        switch presence {
        case .live: apply(outbox.handle(.heard(id), at: now), &out)
        case .silent: apply(outbox.handle(.quiet(id), at: now), &out)
        case .dead, .never: break
        }
        out.changes.append(.edge(id))
    }

    private mutating func hear(_ id: EdgeID, _ number: UInt64, _ pulse: Pulse, _ now: Instant, _ out: inout ControlOutcome) {
        guard edges[id]?.session?.number == number, let old = edges[id]?.pulse else { return }
        var merged = pulse
        merged.announced = max(old.announced, pulse.announced)
        merged.roundTrip = pulse.roundTrip ?? old.roundTrip
        merged.clockOffset = pulse.clockOffset ?? old.clockOffset
        edges[id]?.pulse = merged
        edges[id]?.toldThrough = pulse.toldAt ?? now
        settle(id, now, &out)
        out.changes.append(.edge(id))
    }

    private mutating func take(_ entries: [Entry], from id: EdgeID, _ now: Instant, _ out: inout ControlOutcome) {
        guard edges[id] != nil, !entries.isEmpty else { return }
        for entry in entries {
            edges[id]?.book.apply(entry)
            learn(from: entry, of: id, now, &out)
        }
        edges[id]?.remember(entries)
        out.changes.append(.entries(id, entries))
        if edges[id]?.session != nil { settle(id, now, &out) }
        followOrders(of: id, now, &out)
        out.changes.append(.edge(id))
    }

    /// What an entry tells of commands.
    private mutating func learn(from entry: Entry, of id: EdgeID, _ now: Instant, _ out: inout ControlOutcome) {
        guard ControlRoom.telling.contains(entry.kind), let fact = try? entry.decoded() else { return }
        switch fact {
        case .lineage: apply(outbox.handle(.lineageEnded(id, at: entry.wall), at: now), &out)
        case .intent(let ticket): if let command = ticket.command { apply(outbox.handle(.intended(command), at: now), &out) }
        case .commandAccepted(let outcome): apply(outbox.handle(.outcome(outcome, accepted: true), at: now), &out)
        case .commandRefused(let outcome): apply(outbox.handle(.outcome(outcome, accepted: false), at: now), &out)
        default: break
        }
    }

    private mutating func note(_ id: EdgeID, isBehind: Bool, _ now: Instant, _ out: inout ControlOutcome) {
        guard let known = edges[id]?.isBehind, known != isBehind else { return }
        edges[id]?.isBehind = isBehind
        edges[id]?.noteLag(at: now)
        guard !isBehind else { return }
        settle(id, now, &out)
        followOrders(of: id, now, &out)
    }

    /// When all that was announced is here, everything the edge wrote before it announced it is here too.
    private mutating func settle(_ id: EdgeID, _ now: Instant, _ out: inout ControlOutcome) {
        edges[id]?.noteLag(at: now)
        guard let session = edges[id]?.session, edges[id]?.backlog == 0, edges[id]?.isBehind == false, let told = edges[id]?.toldThrough else {
            return
        }
        edges[id]?.settledThrough = told
        // Beats come all day long; there is something to settle only while a command is on its way.
        guard outbox.hasOpen(of: id), let facts = edges[id]?.facts else { return }
        apply(outbox.handle(.settled(id, boot: session.boot, through: told, facts: facts), at: now), &out)
    }

    private mutating func followOrders(of id: EdgeID, _ now: Instant, _ out: inout ControlOutcome) {
        guard outbox.hasOpen(of: id), let edge = edges[id], !edge.isBehind else { return }
        for record in outbox.open(of: id) where record.stage == .accepted {
            if let progress = edge.progress(of: record, at: now) { apply(outbox.handle(.progress(record.id, progress), at: now), &out) }
        }
    }

    private mutating func tick(_ now: Instant, _ out: inout ControlOutcome) {
        if outbox.hasOpen { for edge in sortedEdges { followOrders(of: edge.id, now, &out) } }
        apply(outbox.handle(.tick, at: now), &out)
        let before = refusals.count
        refusals.removeAll { now - $0.last > ControlRoom.refusalLife }
        if refusals.count != before { out.changes.append(.refusals) }
    }

    private mutating func note(_ refusal: LinkRefusal, _ now: Instant, _ out: inout ControlOutcome) {
        if let index = refusals.firstIndex(where: { $0.id == refusal.id }) {
            refusals[index].times += 1; refusals[index].last = now
        } else {
            if refusals.count >= ControlRoom.refusalsMax {
                guard let least = refusals.indices.min(by: { refusals[$0].isLess(than: refusals[$1]) }), refusals[least].isLess(than: refusal) else {
                    return
                }
                refusals.remove(at: least)
            }
            refusals.append(refusal)
            refusals.sort { $0.id < $1.id }
        }
        out.changes.append(.refusals)
    }

    private func apply(_ outcome: OutboxOutcome, _ out: inout ControlOutcome) {
        for record in outcome.writes {
            out.writes.append(.command(record))
            out.changes.append(.command(record.id))
        }
        out.writes += outcome.forgotten.map { .forgetCommand($0) }
        out.dispatches += outcome.dispatches
    }
}
