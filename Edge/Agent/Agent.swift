// The edge's loop turn: inputs in, facts committed, then and only then the actions; no thread, socket or clock inside.
package import Ledger
package import Platform
package import Sync
package import Trading
package import Values
package import Venues
package import Views
package import Wire

/// Something that reached the edge since the last turn.
package enum AgentInput: Sendable {
    case desk(DeskInput)
    /// A command that came over the link or the local socket; it dies at `deadline` of the boot clock.
    case command(Command, deadline: Span?)
    /// Bytes from the broker's socket.
    case bytes([UInt8])
    case transport(TransportEvent)
    /// A person decided that this ledger goes on beside a lost or sealed branch.
    case settle(Settlement)
    /// Time passed; sent at least every 100 ms.
    case tick
}

/// What the drivers do after a turn.
package enum AgentEffect: Hashable, Sendable {
    case write([UInt8])
    case transport(TransportWish)
    /// Live state to show and to send up.
    case live([LiveItem])
    /// The ledger grew to this head, and nothing waits to be written: the uplink may send.
    case committed(Head)
    /// What this turn and those before brought could not be written yet: nobody may take the ledger's head for all that happened.
    case heldBack
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
    package internal(set) var desk: Desk
    package private(set) var session: any VenueSession
    package let journal: Journal
    var chain: Chain
    private var output = SessionOutput()
    /// Venue events that actions brought about; they belong to the next turn.
    var pending: [VenueEvent] = []
    /// Instruments to watch once they are known.
    private var wanted: Set<InstrumentID>
    private(set) var steady: SteadyClock?
    /// Signs and marks; nil for an agent whose ledger nobody is to trust, as a test's.
    var keeper: LedgerKeeper?
    private let postingRules: PostingRules
    var troubles: [LedgerTrouble.Kind: LedgerTrouble] = [:]
    /// When the cloud last told of a copy of this edge, by the boot clock.
    var copiedAt: Span?
    var watch: DiskWatch?
    var rebuild = RebuildCheck()
    /// What the tables beside the entries have yet to read, beyond the handful that is not worth a commit.
    var tables = LagWatch()
    /// Keeps the fold for the next start; nil for an agent whose starts are short.
    var snapshots: SnapshotKeeper?
    /// Moves old entries out of the database; nil for an agent that keeps them all there.
    var compactor: Compactor?
    /// When things that the book holds without a time came to be so, up to the last durable entry.
    package private(set) var milestones: Milestones
    let release: String
    var witnessed = CountersignKeeper()
    /// Facts that found no room on the disk, in order; they are the first to be written when there is some.
    var unwritten: [Entry] = []
    /// Missing entries that were asked for meanwhile, and of which nothing is said yet.
    var unsaid: [(from: Seq, to: Seq)] = []
    /// Why this agent decides nothing any more.
    private var failure: AgentFailure?

    /// Recovery is the only start: `book` is the fold of the journal's entries.
    /// - Parameters:
    ///   - witness: signs and marks the ledger.
    ///   - finding: what the comparison with the mark gave at the opening.
    ///   - reserve: room to give up when the disk is full; nil for an agent that ends then.
    ///   - postingRules: production's, but for worlds with a planted fault.
    ///   - milestones: folded from the journal beside the book.
    ///   - snapshots: where the fold is kept for the next start; nil keeps none.
    ///   - compaction: how old entries move out of the database; nil leaves them there.
    ///   - trouble: what the start found wrong with the book.
    package init(
        journal: Journal, book: Book, boot: Boot, settings: DeskSettings, session: any VenueSession, witness: Witness? = nil,
        finding: MarkFinding = .agrees, reserve: (any DiskReserve)? = nil,
        postingRules: PostingRules = PostingRules(), milestones: Milestones = Milestones(), snapshots: SnapshotSettings? = nil,
        compaction: CompactionSettings? = nil, trouble: LedgerTrouble? = nil, release: String = Version.product
    ) {
        self.journal = journal; self.boot = boot; self.session = session; self.postingRules = postingRules
        self.milestones = milestones; self.snapshots = snapshots.map { SnapshotKeeper($0) }; self.release = release
        compactor = compaction.map { Compactor($0) }
        chain = Chain(edge: journal.edge, boot: boot, last: journal.last)
        desk = Desk(settings: settings, book: book)
        wanted = Set(settings.bots.flatMap(\.instruments) + settings.priceRules.flatMap(\.instruments))
        for trouble in [LedgerTrouble(finding, head: journal.head), trouble].compactMap({ $0 }) { troubles[trouble.kind] = trouble }
        watch = reserve.map { DiskWatch($0) }
        guard let witness else { return }
        if case .rolledBack(let mark) = finding { keeper = LedgerKeeper(witness, lost: mark) } else { keeper = LedgerKeeper(witness, lost: nil) }
    }

    /// Records the start and begins the broker session.
    /// - Parameters:
    ///   - healed: entries that came back before this run, noted right after its boot.
    ///   - settlement: the decision by which they came; it begins a new lineage, and is forgotten once that is durable.
    package func start(
        _ fact: BootFact, healed: HealedFact? = nil, settlement: Settlement? = nil, at clock: ClockReading
    ) throws(AgentFailure) -> [AgentEffect] {
        try mustLive()
        var effects: [AgentEffect] = []
        var turn = Turn()
        try number([Draft(.boot(fact))] + (healed.map { [Draft(.healed($0))] } ?? []), at: clock, into: &turn)
        if let settlement, settlement.epoch == chain.epoch + 1 {
            try number([Draft(.lineage(settlement.lineage(after: chain.head)))], at: clock, into: &turn)
        }
        let words = try sealedWords()
        try number(words, at: clock, into: &turn)
        if let trouble = troubles[.rolledBack] ?? troubles[.different], desk.book.haltLevel < .reducing {
            let source = trouble.kind == .rolledBack ? Agent.rollbackRule : Agent.rebuildRule
            try number([Draft(.halt(HaltFact(level: .reducing, source: source, reason: trouble.text)))], at: clock, into: &turn)
        }
        _ = try commit(&turn, at: clock, into: &effects)
        if unwritten.isEmpty, let last = journal.last { try mark(last) }
        if !words.isEmpty, unwritten.isEmpty {
            do throws(JournalError) { try journal.forgetSealedGaps() } catch { throw fail(.journal(error)) }
        }
        // Not before its lineage is durable, or nobody would ever begin it.
        if settlement != nil, unwritten.isEmpty {
            do throws(JournalError) { try journal.forgetSettlement() } catch { throw fail(.journal(error)) }
        }
        watchDisk(at: clock)
        tell(at: clock, into: &effects)
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
    /// - Parameter elapsed: how long ago `clock` was read, asked for after the commit: a disk may take seconds for it, and no order leaves after its
    ///   command's time.
    package func turn(
        _ inputs: [AgentInput], at clock: ClockReading, elapsed: () -> Span = { .zero }
    ) throws(AgentFailure) -> [AgentEffect] {
        try mustLive()
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
            case .settle(let settlement):
                guard settlement.kept == .edge, settlement.epoch == chain.epoch + 1 else { continue }
                try number([Draft(.lineage(settlement.lineage(after: chain.head)))], at: clock, into: &turn)
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
        perform(turn.actions, receipt, at: now, written: turn.actions.isEmpty ? now : now + elapsed())
        collect(into: &effects)
        return effects
    }

    /// Ends the run in the ledger. Working orders stay: stopping never cancels.
    package func shutdown(reason: String, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        try mustLive()
        var effects = try lastSnapshot(at: clock)
        guard keeper == nil else { return effects + (try sign([Draft(.shutdown(reason: reason))], at: clock)) }
        var turn = Turn()
        try number([Draft(.shutdown(reason: reason))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        return effects
    }

    // MARK: The parts of a turn

    /// What one turn gathers before its commit.
    struct Turn {
        var entries: [Entry] = []
        var actions: [(action: Action, draft: Int?)] = []
        var live: [LiveItem] = []
        /// One of the entries begins a session with the broker.
        var opensSession = false
    }

    /// The time by which is decided. Entries keep the wall clock as it was read.
    func time(_ clock: ClockReading) -> (now: Instant, step: Span?) {
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
            case .place(let draft, _), .cancel(let draft, _), .modify(let draft, _): turn.actions.append((action, first + draft))
            case .snapshot, .margin, .watch: turn.actions.append((action, nil))
            }
        }
        if case .venue(.instrument(let instrument)) = input, wanted.contains(instrument.id) { turn.actions.append((.watch(instrument.id), nil)) }
        if case .venue(.front(_, let id)) = input { turn.actions.append((.watch(id), nil)) }
    }

    /// Numbers drafts and lets the desk fold them, so that the turn's next input sees them. Each gets its postings from the book as it is then;
    /// what cannot be posted is recorded all the same, and stops its instrument. Those entries come last: actions name drafts by their places.
    func number(_ drafts: [Draft], at clock: ClockReading, into turn: inout Turn) throws(AgentFailure) {
        var refused: [Draft] = []
        for draft in drafts {
            let posted = desk.posted(draft, rules: postingRules)
            refused += posted.refused
            try append(posted.draft, at: clock, into: &turn)
        }
        for draft in refused { try append(draft, at: clock, into: &turn) }
    }

    private func append(_ draft: Draft, at clock: ClockReading, into turn: inout Turn) throws(AgentFailure) {
        let entry: Entry
        var draft = draft
        if journal.isShortOfRoom { draft.flags.insert(.degraded) }
        do throws(CanonicalError) { entry = try chain.append(draft, at: clock) } catch { throw .unwritable(error) }
        turn.entries.append(entry)
        witnessed.note(entry)
        if case .brokerSession(let fact) = draft.fact, fact.connected { turn.opensSession = true }
        desk.apply(CollectionOfOne(entry))
    }

    /// Feeds the session's events of this call to the desk; bytes and wishes become effects.
    private func drain(at clock: ClockReading, into turn: inout Turn, _ effects: inout [AgentEffect]) throws(AgentFailure) {
        let events = output.events
        flush(into: &effects)
        for event in events { try decide(.venue(event), at: clock, into: &turn) }
    }

    func commit(_ turn: inout Turn, at clock: ClockReading, into effects: inout [AgentEffect]) throws(AgentFailure) -> Receipt? {
        for (index, action) in turn.actions.enumerated() {
            // From places in the turn to numbers in the ledger.
            if let draft = action.draft { turn.actions[index].draft = Int(turn.entries[draft].seq.raw) }
        }
        let entries = unwritten.isEmpty ? turn.entries : unwritten + turn.entries
        guard !entries.isEmpty, let receipt = try write(entries) else {
            if !unwritten.isEmpty { effects.append(.heldBack) }
            tell(at: clock, into: &effects)
            return nil
        }
        // A countersigned head alone needs no signature of ours over it: the two would follow one another for ever.
        let count = entries.count { $0.kind != Kind.countersigned.rawValue }
        if count > 0 { keeper?.note(count, opens: turn.opensSession, at: clock.monotonic) }
        for entry in entries { milestones.note(entry) }
        effects.append(.committed(receipt.head))
        effects.append(.entries(entries))
        tell(at: clock, into: &effects)
        return receipt
    }

    /// Makes entries durable. A full disk takes the reserve; without one the facts wait in memory, and nil says that no intent may be sent.
    private func write(_ entries: [Entry]) throws(AgentFailure) -> Receipt? {
        var cause: JournalError
        do throws(JournalError) { return try attempt(entries) } catch { cause = error }
        if cause.isDiskFull, let reserve = watch?.reserve, reserve.isHeld {
            journal.isShortOfRoom = true
            reserve.release()
            troubles[.full] = DiskWatch.full
            do throws(JournalError) { return try attempt(entries) } catch { cause = error }
        }
        // Without a watch on the disk nobody waits for room: the process ends as it does for any other error.
        guard cause.isDiskFull, watch != nil, entries.count <= Agent.unwrittenMax else { throw fail(.journal(cause)) }
        journal.isShortOfRoom = true
        troubles[.unwritten] = DiskWatch.unwritten
        unwritten = entries
        return nil
    }
    /// Facts kept in memory while nothing can be written; more end the process, and the broker tells them again.
    private static let unwrittenMax = 10_000

    private func attempt(_ entries: [Entry]) throws(JournalError) -> Receipt {
        let receipt = try journal.commit(entries)
        unwritten = []
        troubles[.unwritten] = nil
        return receipt
    }

    /// After a failure of the store nothing is decided or sent any more: only reading everything again tells what is true.
    func fail(_ cause: AgentFailure) -> AgentFailure {
        failure = failure ?? cause
        return cause
    }
    func mustLive() throws(AgentFailure) { if let failure { throw failure } }

    private func perform(_ actions: [(action: Action, draft: Int?)], _ receipt: consuming Receipt?, at now: Instant, written: Instant) {
        let isHeldBack = !unwritten.isEmpty
        for (action, seq) in actions {
            switch action {
            case .place(_, let end):
                guard let seq else { preconditionFailure("an order without an intent") }
                let id = IntentID(boot: boot, seq: Seq(UInt64(seq)))
                guard !isHeldBack else { withhold(id, "the ledger could not be written"); continue }
                if let end, written >= end { withhold(id, "its time was up when the ledger had it"); continue }
                guard let intent = receipt?.take(id) else { preconditionFailure("an order without a durable intent") }
                session.place(intent, at: now, into: &output)
            case .cancel(_, let tag):
                guard let order = desk.book.order(tag) else { continue }
                // Taking a protection away is no reduction of risk: it waits for the ledger as an order does.
                guard !isHeldBack || order.leg.role != .protect else { leaveWorking(order); continue }
                session.request(.cancel(brokerOrderID: order.leg.brokerOrderID, tag: tag), at: now, into: &output)
            case .modify(_, let tag):
                // Only ever makes a protection as small as what it protects, and says the same twice: it may go first.
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

    /// Orders whose intent could not be written, or not in time, are not sent, and known not to be.
    private func withhold(_ intent: IntentID, _ why: String) {
        for order in desk.book.workingOrders where order.intent == intent {
            pending.append(.order(BrokerOrder(order, as: .rejected, text: "Not sent: \(why)."), code: nil))
        }
    }

    /// A protection whose cancel was not sent works on.
    private func leaveWorking(_ order: OrderRecord) {
        let words = "Not cancelled: the ledger could not be written."
        pending.append(.cancelRefused(BrokerOrder(order, as: .new, text: words), code: nil, text: words))
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

extension BrokerOrder {
    /// The agent's own word about an order that it did not hand over.
    fileprivate init(_ order: OrderRecord, as status: OrdStatus, text: String) {
        self.init(
            reference: order.tag.text, brokerOrderID: order.leg.brokerOrderID, permID: order.permID, clientID: 0, account: order.account,
            instrument: order.leg.instrument, side: order.leg.side, quantity: order.quantity, cumQty: order.cumQty, status: status, text: text)
    }
}
