// The edge's loop turn: inputs in, facts committed, then and only then the actions; no thread, socket or clock inside.
package import Ledger
package import Trading
package import Values
package import Venues
package import Wire

/// Something that reached the edge since the last turn.
package enum AgentInput: Sendable {
    case desk(DeskInput)
    /// A command that came over the link or the local socket; it dies at `deadline` of the boot clock.
    case command(Command, deadline: Span?)
    /// Bytes from the broker's socket.
    case bytes([UInt8])
    case transport(TransportEvent)
    /// Time passed; sent at least every 100 ms.
    case tick
}

/// What the drivers do after a turn.
package enum AgentEffect: Hashable, Sendable {
    case write([UInt8])
    case transport(TransportWish)
    /// Live state to show and to send up.
    case live([LiveItem])
    /// The ledger grew to this head: the uplink may send.
    case committed(Head)
    /// Entries of this turn, for whoever watches locally.
    case entries([Entry])
}

/// Why the agent stops. The process ends with exit code 70 and starts again: recovery is the only start.
package enum AgentFailure: Error, Equatable, Sendable {
    case journal(JournalError)
    case unwritable(CanonicalError)
    /// The mark beside the ledger cannot be written: the disk fails.
    case mark(MarkError)
}

/// The edge's state: one owner, one thread.
package final class Agent {
    package let boot: Boot
    package private(set) var desk: Desk
    package private(set) var session: any VenueSession
    package let journal: Journal
    private var chain: Chain
    private var output = SessionOutput()
    /// Venue events that actions brought about; they belong to the next turn.
    private var pending: [VenueEvent] = []
    /// Instruments to watch once they are known.
    private var wanted: Set<InstrumentID>
    private var steady: SteadyClock?
    /// Signs and marks; nil for an agent whose ledger nobody is to trust, as a test's.
    private var keeper: LedgerKeeper?
    private var troubles: [LedgerTrouble.Kind: LedgerTrouble] = [:]

    /// Recovery is the only start: `book` is the fold of the journal's entries.
    /// - Parameters:
    ///   - witness: signs and marks the ledger.
    ///   - finding: what the comparison with the mark gave at the opening.
    package init(
        journal: Journal, book: Book, boot: Boot, settings: DeskSettings, session: any VenueSession, witness: Witness? = nil,
        finding: MarkFinding = .agrees
    ) {
        self.journal = journal; self.boot = boot; self.session = session
        chain = Chain(edge: journal.edge, boot: boot, last: journal.last)
        desk = Desk(settings: settings, book: book)
        wanted = Set(settings.bots.flatMap(\.instruments) + settings.priceRules.flatMap(\.instruments))
        if let trouble = LedgerTrouble(finding, head: journal.head) { troubles[trouble.kind] = trouble }
        guard let witness else { return }
        if case .rolledBack(let mark) = finding { keeper = LedgerKeeper(witness, lost: mark) } else { keeper = LedgerKeeper(witness, lost: nil) }
    }

    /// Records the start and begins the broker session.
    package func start(_ fact: BootFact, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        var effects: [AgentEffect] = []
        var turn = Turn()
        try number([Draft(.boot(fact))], at: clock, into: &turn)
        if let trouble = troubles[.rolledBack], desk.book.haltLevel < .reducing {
            try number([Draft(.halt(HaltFact(level: .reducing, source: Agent.rollbackRule, reason: trouble.text)))], at: clock, into: &turn)
        }
        _ = try commit(&turn, at: clock, into: &effects)
        if let last = journal.last { try mark(last) }
        tell(at: time(clock).now, into: &effects)
        session.start(at: time(clock).now, into: &output)
        collect(into: &effects)
        return effects
    }

    /// The closed bars of an instrument that are to be passed on, oldest first: those after `sent`, and those that changed since the last call.
    package func takeClosedBars(of instrument: InstrumentID, before present: Instant, after sent: Instant?) -> [Bar] {
        desk.takeClosedBars(of: instrument, before: present, after: sent)
    }

    /// True when another turn should follow at once: actions have already brought about events.
    package var hasPending: Bool { !pending.isEmpty }

    /// One turn: every input in order, one commit, then the actions.
    package func turn(_ inputs: [AgentInput], at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        var effects: [AgentEffect] = []
        var turn = Turn()
        let events = pending
        pending.removeAll(keepingCapacity: true)
        let (now, step) = time(clock)
        if let step {
            desk.clockWasSet(by: step)
            session.clockWasSet(by: step, at: now, into: &output)
            try drain(at: clock, into: &turn, &effects)
        }
        for event in events { try decide(.venue(event), at: clock, into: &turn) }
        for input in inputs {
            switch input {
            case .desk(let input): try decide(input, at: clock, into: &turn)
            case .command(let command, let deadline):
                try decide(.command(command, deadline: deadline.map { now + ($0 - clock.monotonic) }), at: clock, into: &turn)
            case .bytes(let bytes): session.receive(bytes.span.bytes, at: now, into: &output)
            case .transport(let event): session.transport(event, at: now, into: &output)
            case .tick:
                session.tick(at: now, into: &output)
                try drain(at: clock, into: &turn, &effects)
                try decide(.timer, at: clock, into: &turn)
            }
            try drain(at: clock, into: &turn, &effects)
        }
        let receipt = try commit(&turn, at: clock, into: &effects)
        if !turn.live.isEmpty { effects.append(.live(turn.live)) }
        perform(turn.actions, receipt, at: now)
        collect(into: &effects)
        return effects
    }

    /// To be called after each turn, once its effects are done: signs and marks the ledger when that is due.
    package func keep(at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        guard let keeper, keeper.isDue(at: clock.monotonic) else { return [] }
        return try sign([], at: clock)
    }

    /// The entries that the mark speaks of and the ledger does not hold are given up: a person decided so at the console.
    /// - Returns: nil when nothing is missing.
    package func acceptRollback(reason: String, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect]? {
        guard let lost = keeper?.lost else { return nil }
        var effects: [AgentEffect] = []
        var turn = Turn()
        let words = "The end of the ledger up to entry \(lost.head.seq) is given up: \(reason)"
        let isOurs = desk.book.haltFact?.source == Agent.rollbackRule
        let fact = HaltFact(level: isOurs ? .normal : desk.book.haltLevel, source: "console", reason: words)
        try number([Draft(fact.level == .normal ? .resume(fact) : .halt(fact))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        settleRollback(at: clock, into: &effects)
        return effects + (try sign([], at: clock))
    }

    /// To be called when entries came into the ledger from elsewhere: the end that was lost may be there again.
    package func lookAtMark(at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        var effects: [AgentEffect] = []
        guard let lost = keeper?.lost else { return [] }
        do throws(JournalError) { guard try MarkFinding.isHeld(lost, by: journal) else { return [] } } catch { throw .journal(error) }
        settleRollback(at: clock, into: &effects)
        return effects
    }

    /// What is wrong with the ledger, the weightiest first.
    package var ledgerTroubles: [LedgerTrouble] { troubles.values.sorted { $0.kind < $1.kind } }

    /// Ends the run in the ledger. Working orders stay: stopping never cancels.
    package func shutdown(reason: String, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        guard keeper == nil else { return try sign([Draft(.shutdown(reason: reason))], at: clock) }
        var effects: [AgentEffect] = []
        var turn = Turn()
        try number([Draft(.shutdown(reason: reason))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        return effects
    }

    // MARK: The ledger's own

    /// Who says so in the ledger when its end is missing.
    private static let rollbackRule = "rule:rollback"

    /// Writes these drafts and the checkpoint that covers them, then the mark: never before what it speaks of is durable.
    private func sign(_ drafts: [Draft], at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        var effects: [AgentEffect] = []
        guard let keeper else { return effects }
        var turn = Turn()
        try number(drafts, at: clock, into: &turn)
        let checkpoint = CheckpointFact(
            head: chain.head, digest: desk.book.digest(), edge: chain.edge, epoch: chain.epoch, keys: keeper.witness.keys)
        try number([Draft(.checkpoint(checkpoint))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        self.keeper?.covered()
        if let last = journal.last { try mark(last) }
        if keeper.lost == nil, troubles.removeValue(forKey: .unmarked) != nil { tell(at: time(clock).now, into: &effects) }
        return effects
    }

    /// A full disk leaves the old mark, which is still true; a disk that fails ends the process as a failed commit does.
    private func mark(_ entry: Entry) throws(AgentFailure) {
        do throws(MarkError) { try keeper?.mark(entry, edge: chain.edge) } catch {
            guard case .full = error else { throw .mark(error) }
        }
    }

    private func settleRollback(at clock: ClockReading, into effects: inout [AgentEffect]) {
        keeper?.settle()
        troubles[.rolledBack] = nil
        tell(at: time(clock).now, into: &effects)
    }

    /// Puts the weightiest trouble before the desk and on the screens.
    private func tell(at now: Instant, into effects: inout [AgentEffect]) {
        guard desk.ledgerTrouble != ledgerTroubles.first else { return }
        effects.append(.live(desk.note(ledgerTroubles.first, at: now)))
    }

    // MARK: The parts of a turn

    /// What one turn gathers before its commit.
    private struct Turn {
        var entries: [Entry] = []
        var actions: [(action: Action, draft: Int?)] = []
        var live: [LiveItem] = []
        /// One of the entries begins a session with the broker.
        var opensSession = false
    }

    /// The time by which is decided. Entries keep the wall clock as it was read.
    private func time(_ clock: ClockReading) -> (now: Instant, step: Span?) {
        var steady = self.steady ?? SteadyClock(clock)
        let step = steady.advance(to: clock)
        self.steady = steady
        return (steady.now, step)
    }

    private func decide(_ input: DeskInput, at clock: ClockReading, into turn: inout Turn) throws(AgentFailure) {
        let outcome = desk.handle(input, at: time(clock).now)
        let first = turn.entries.count
        try number(outcome.drafts, at: clock, into: &turn)
        turn.live += outcome.live
        for action in outcome.actions {
            switch action {
            case .place(let draft), .cancel(let draft, _), .modify(let draft, _): turn.actions.append((action, first + draft))
            case .snapshot, .margin, .watch: turn.actions.append((action, nil))
            }
        }
        if case .venue(.instrument(let instrument)) = input, wanted.contains(instrument.id) { turn.actions.append((.watch(instrument.id), nil)) }
        if case .venue(.front(_, let id)) = input { turn.actions.append((.watch(id), nil)) }
    }

    /// Numbers drafts and lets the desk fold them, so that the turn's next input sees them.
    private func number(_ drafts: [Draft], at clock: ClockReading, into turn: inout Turn) throws(AgentFailure) {
        for draft in drafts {
            let entry: Entry
            do throws(CanonicalError) { entry = try chain.append(draft, at: clock) } catch { throw .unwritable(error) }
            turn.entries.append(entry)
            if case .brokerSession(let fact) = draft.fact, fact.connected { turn.opensSession = true }
            desk.apply(CollectionOfOne(entry))
        }
    }

    /// Feeds the session's events of this call to the desk; bytes and wishes become effects.
    private func drain(at clock: ClockReading, into turn: inout Turn, _ effects: inout [AgentEffect]) throws(AgentFailure) {
        let events = output.events
        flush(into: &effects)
        for event in events { try decide(.venue(event), at: clock, into: &turn) }
    }

    private func commit(_ turn: inout Turn, at clock: ClockReading, into effects: inout [AgentEffect]) throws(AgentFailure) -> Receipt? {
        guard !turn.entries.isEmpty else { return nil }
        let receipt: Receipt
        do throws(JournalError) { receipt = try journal.commit(turn.entries) } catch { throw .journal(error) }
        keeper?.note(turn.entries.count, opens: turn.opensSession, at: clock.monotonic)
        effects.append(.committed(receipt.head))
        effects.append(.entries(turn.entries))
        for (index, action) in turn.actions.enumerated() {
            // From places in the turn to numbers in the ledger.
            if let draft = action.draft { turn.actions[index].draft = Int(turn.entries[draft].seq.raw) }
        }
        return receipt
    }

    private func perform(_ actions: [(action: Action, draft: Int?)], _ receipt: consuming Receipt?, at now: Instant) {
        for (action, seq) in actions {
            switch action {
            case .place:
                guard let seq, let intent = receipt?.take(IntentID(boot: boot, seq: Seq(UInt64(seq)))) else {
                    preconditionFailure("an order without a durable intent")
                }
                session.place(intent, at: now, into: &output)
            case .cancel(_, let tag):
                guard let order = desk.book.order(tag) else { continue }
                session.request(.cancel(brokerOrderID: order.leg.brokerOrderID, tag: tag), at: now, into: &output)
            case .modify(_, let tag):
                guard let order = desk.book.order(tag) else { continue }
                var leg = order.leg
                leg.quantity = order.quantity; leg.limitPrice = order.limitPrice; leg.stopPrice = order.stopPrice
                session.request(.modify(leg, tag: tag, account: order.account), at: now, into: &output)
            case .snapshot: session.request(.snapshot, at: now, into: &output)
            case .margin(let id): session.request(.margin(id), at: now, into: &output)
            case .watch(let id): session.request(.watch(id), at: now, into: &output)
            }
        }
    }

    /// What actions brought about: bytes at once, events in the next turn.
    private func collect(into effects: inout [AgentEffect]) {
        pending += output.events
        flush(into: &effects)
    }

    private func flush(into effects: inout [AgentEffect]) {
        if !output.bytes.isEmpty { effects.append(.write(output.bytes)) }
        if let wish = output.transport { effects.append(.transport(wish)) }
        output.clear()
    }
}

/// One owner, one thread.
@available(*, unavailable) extension Agent: Sendable {}

extension LedgerTrouble {
    /// What a comparison with the mark means for trading; nil when nothing is wrong.
    fileprivate init?(_ finding: MarkFinding, head: Head) {
        switch finding {
        case .agrees: return nil
        case .missing, .unreadable:
            let what = finding == .missing ? "There is no mark beside the ledger" : "The mark beside the ledger cannot be read"
            self.init(
                .unmarked, "\(what): a ledger put back from a copy would not have been noticed at this start.",
                cure: "Nothing is to be done if the ledger was not restored; a new mark is written.")
        case .rolledBack(let mark):
            let ends = mark.head.seq > head.seq
            self.init(
                .rolledBack,
                ends
                    ? "This ledger ends at entry \(head.seq) and once reached entry \(mark.head.seq): it was put back from a copy, or lost its end."
                    : "Entry \(mark.head.seq) of this ledger is not the one that was there: another copy of it went on.",
                cure: "Let the cloud's copy decide, or give the lost end up at the edge's console: tidewire-edge ledger accept-rollback.")
        }
    }
}
