// The edge's computer: the real agent, journal and uplink on a simulated disk, beside a broker that outlives them.
internal import EdgeAgent
package import Ledger
internal import Platform
package import Sync
internal import Trading
package import Values
internal import Venues
package import Wire

/// Which broker an edge trades with.
package enum WorldVenue: String, CaseIterable, Sendable {
    /// The paper exchange in the edge's own process.
    case paper
    /// IB Gateway on the other end of a TCP line.
    case gateway
}

/// How an edge machine is set up.
package struct EdgeSetup: Sendable {
    package var edge: EdgeID
    package var seed: UInt64
    package var rules = Rules()
    package var breaker = Breaker.none
    package var venue = WorldVenue.paper
    package var pace = Pace.close
    /// Wall clock at the start of the world.
    package var start: Instant
    package init(edge: EdgeID, seed: UInt64, start: Instant) { self.edge = edge; self.seed = seed; self.start = start }
}

/// One edge.
package final class EdgeMachine: Machine {
    package let name = "edge"
    private let setup: EdgeSetup
    private let disk: FaultyDisk
    private var chance: SeededRandom
    private var broker: PaperBroker
    private var program: Program?
    private var connection: UInt64?
    /// Of this process.
    private var firstConnection: UInt64?
    private var generation: Int64 = 0
    /// Dies around the first or second order of the next run.
    package var deathAtNextOrder: DeathAtOrder?
    /// What checkers are to see, in order; taken by the world after each turn.
    private var seen: [Observation] = []
    private var left: [MachineEffect] = []

    /// What is lost when the process ends.
    private struct Program {
        /// For sessions that do not count orders themselves.
        var death: (moment: DeathAtOrder, orders: Int)?
        let agent: Agent
        var uplink: UplinkCore
        /// Acknowledged by the cloud and not yet noted.
        var toNote: Seq?
    }

    package init(_ setup: EdgeSetup) {
        self.setup = setup
        chance = SeededRandom(seed: setup.seed)
        disk = FaultyDisk(seed: chance.next(), now: setup.start)
        let day = CivilDate(dayNumber: Int(setup.start.seconds / 86_400))
        let exchange = PaperExchange(
            rules: PaperRules(seed: chance.next(), step: setup.pace.marketStep), listings: PaperCatalogue.standard(asOf: day), start: setup.start)
        broker = PaperBroker(exchange: exchange, account: "DU1")
    }

    /// How far the wall clock is from the world's time.
    package var wallOffset: Span {
        get { brokerTime.offset }
        set { brokerTime.offset = newValue }
    }
    private let brokerTime = BrokerTime()

    package var isRunning: Bool { program != nil }
    /// True when the broker has been compared and no order's fate is open.
    package var isSettled: Bool { unrest.isEmpty }
    /// What is not settled, in words.
    package var unrest: String {
        guard let program else { return "the edge is down" }
        let desk = program.agent.desk
        if program.agent.hasPending { return "events are pending" }
        if !desk.isTrading { return "the broker is not compared" }
        if desk.isClosing { return "a position is being closed" }
        let open = desk.book.workingOrders.filter { $0.leg.role == .close || [.unknown, .pendingNew, .pendingCancel].contains($0.status) }
        return open.isEmpty ? "" : "orders of open fate: \(open.map { "\($0.tag) \($0.status.rawValue)" })"
    }
    /// What the broker's own books say.
    package var brokerBooks: BrokerBooks {
        let broker = (program?.agent.session as? WatchedSession)?.broker ?? self.broker
        let working = broker.exchange.orders.filter { !$0.state.isFinal }.map { broker.reference(of: $0.ticket.id) }
        return BrokerBooks(
            executions: Dictionary(uniqueKeysWithValues: broker.executions.map { ($0.fill.execID, BrokerBooks.Execution($0.fill)) }),
            working: Set(working), believed: believed)
    }
    /// Tags of the orders that the edge believes live.
    package var believed: Set<String> { Set((program?.agent.desk.book.workingOrders ?? []).map(\.tag.text)) }
    /// What is traded when a person asks for "the future".
    package var front: InstrumentID? { program?.agent.desk.live.front("MBT") }
    /// True when the cloud has everything this edge has.
    package var isCaughtUp: Bool { program.map { $0.uplink.sender.phase == .open && $0.uplink.sender.isCaughtUp && !$0.agent.hasPending } ?? false }
    /// When the uplink must be ticked, by the boot clock.
    package var wakeAt: Span? { program?.uplink.sender.wakeAt }

    package func takeEffects() -> [MachineEffect] {
        defer { left = [] }
        return left
    }

    package func takeSeen() -> [Observation] {
        defer { seen = [] }
        return seen
    }

    package private(set) var isDiskFailing = false

    package func failDisk(_ operation: DiskFault.Operation, after count: Int, _ answer: DiskFault.Answer) {
        disk.fault = DiskFault(operation, (operation == .write ? disk.writes : disk.syncs) + count, answer)
        isDiskFailing = true
    }

    package func freezeDisk(after mutations: Int) { disk.freezeAt = disk.mutations + mutations }

    package var diskOperations: Int { disk.mutations }

    package func survivors(from seq: UInt64) throws -> [EntryRow] {
        guard disk.names.contains("ledger.db") else { return [] }
        return try EntryStore(path: "ledger.db", .init(.readWrite, vfs: disk.name)).read(from: seq, limit: .max)
    }

    package func start(at clock: ClockReading) throws {
        disk.now = clock.wall
        generation += 1
        try guarded {
            var book = Book(edge: setup.edge)
            let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
            let liar = setup.breaker == .ordersBeforeTheDisk ? LyingStore(store) : nil
            let journal = try Journal(store: liar ?? store, edge: setup.edge) { book.apply($0) }
            let death = deathAtNextOrder.map { (moment: $0, orders: chance.int(1...2)) }
            deathAtNextOrder = nil
            let session = session(book, death: death)
            let boot = Boot(raw: chance.next())
            let mark = DiskMark(disk)
            let finding = try MarkFinding.compare(mark.read(), with: journal)
            let signing = SigningKeys(seed: EdgeMachine.ledgerSeed).map { Witness(keys: $0, mark: mark) }
            var postings = PostingRules()
            postings.postsCounterLeg = setup.breaker != .oneSidedBooks
            postings.checksBalance = setup.breaker != .oneSidedBooks
            let agent = Agent(
                journal: journal, book: book, boot: boot, settings: settings, session: session, witness: signing, finding: finding,
                postingRules: postings)
            let effects = try agent.start(
                BootFact(version: "world", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c"), at: clock)
            let uplink = UplinkCore(
                Identity(edge: setup.edge, boot: boot, epoch: 1, release: "world"), head: journal.head,
                acked: try UplinkCore.acknowledged(in: journal), ledger: journal, rules: setup.rules)
            program = Program(death: death, agent: agent, uplink: uplink)
            witness(from: 0)
            toBroker(effects)
            try perform(program?.uplink.note(effects, at: clock) ?? [], at: clock)
        }
    }

    package func turn(_ event: MachineEvent, at clock: ClockReading) throws {
        guard program != nil else { return }
        disk.now = clock.wall
        try guarded {
            switch event {
            case .linkUp(let connection):
                self.connection = connection
                firstConnection = firstConnection ?? connection
                try uplink(.linkDown, at: clock)
                try uplink(.linkUp, at: clock)
            case .linkDown(let gone):
                guard connection == gone else { return }
                connection = nil
                try uplink(.linkDown, at: clock)
            // A frame of an earlier connection of this process may still lie in its socket.
            case .frame(_, let bytes, let over): if over >= firstConnection ?? .max { try uplink(.frame(bytes), at: clock) }
            case .tick:
                try agent([.tick], at: clock)
                while program?.agent.hasPending == true { try agent([], at: clock) }
                let kept = try program?.agent.keep(at: clock) ?? []
                try perform(program?.uplink.note(kept, at: clock) ?? [], at: clock)
                try uplink(.tick, at: clock)
                try rest(at: clock)
            case .broker(let events):
                let inputs: [AgentInput] = events.map { event in
                    switch event {
                    case .connected: .transport(.connected)
                    case .disconnected(let words): .transport(.disconnected(words))
                    case .bytes(let bytes): .bytes(bytes)
                    }
                }
                try agent(inputs, at: clock)
                while program?.agent.hasPending == true { try agent([], at: clock) }
            case .ask: break
            }
        }
    }

    package func crash(_ mode: CrashMode) {
        if let session = program?.agent.session as? WatchedSession { broker = session.broker }
        // The process goes first: its files close on a disk that is already dead.
        if mode != .everything { disk.freezeAt = disk.mutations }
        program = nil
        connection = nil
        firstConnection = nil
        disk.crash(mode)
        isDiskFailing = false
    }

    // MARK: - Within a turn

    private static let ledgerSeed = [UInt8](1...32)

    private var settings: DeskSettings {
        let bot = BreakoutSettings(
            name: "breakout", instruments: [InstrumentID("AAPL.NASDAQ"), InstrumentID("NVDA.NASDAQ")], entryOffset: Ratio(raw: 300),
            trail: Ratio(raw: 2_000), notional: Money(whole: 20_000), cooldown: .seconds(5 * setup.pace.rarity),
            entryLifetime: .seconds(20 * setup.pace.rarity))
        var settings = DeskSettings(mode: .paper, settle: .seconds(2), snapshotGap: .seconds(1), bots: [bot])
        // Where late commands are let in, the other rules that stop them are taken away too: each alone would hide the fault.
        settings.commandRules.noOrderKeys = setup.breaker == .lateCommands
        settings.commandRules.noTokenBucket = setup.breaker == .lateCommands
        return settings
    }

    /// Runs part of a turn; on a dead disk whatever fails is the disk's death.
    private func guarded(_ body: () throws -> Void) throws {
        do { try body() } catch let error {
            if error is MachineDied || disk.isFrozen || (isDiskFailing && EdgeMachine.isOfDisk(error)) { throw MachineDied() }
            throw error
        }
    }

    /// The product's rule: whatever the disk refuses ends the process, and the next start reads what is true.
    private static func isOfDisk(_ error: any Error) -> Bool {
        switch error {
        case JournalError.store, AgentFailure.journal(.store), AgentFailure.mark, is MarkError, is StoreError: true
        default: false
        }
    }

    /// Tells the checkers of the orders placed after the first `count` of this run.
    private func witness(from count: Int) {
        guard let session = program?.agent.session as? WatchedSession else { return }
        seen += session.placed.dropFirst(count).map { .placed(tag: $0) }
    }

    private func session(_ book: Book, death: (moment: DeathAtOrder, orders: Int)?) -> any VenueSession {
        guard setup.venue == .gateway else {
            return WatchedSession(broker: broker, time: brokerTime, generation: generation, death: death, breaker: setup.breaker)
        }
        let eastern = Zone(name: "US/Eastern", fixedOffset: -5 * 3_600)
        let central = Zone(name: "US/Central", fixedOffset: -6 * 3_600)
        let zones = ZoneResolver(standard: eastern) { ["US/Eastern": eastern, "US/Central": central][$0] }
        var settings = IBKRSettings(clientID: 7, mode: .paper, zones: zones)
        settings.history = .minutes(2)
        let stocks = ["AAPL", "NVDA"].map { InstrumentWish.stock(symbol: $0, primaryExchange: "NASDAQ", currency: "USD") }
        return IBKRSession(
            settings: settings, instruments: [.future(symbol: "MBT", exchange: "CME", currency: "USD")] + stocks,
            nextOrderID: book.highestBrokerOrderID + 1, random: chance.fork(), known: Array(book.instruments.values))
    }

    private func toBroker(_ effects: [AgentEffect]) {
        for effect in effects {
            switch effect {
            case .write(let bytes): left.append(.broker(.write(bytes)))
            case .transport(.connect), .transport(.connectTo): left.append(.broker(.connect))
            case .transport(.disconnect): left.append(.broker(.disconnect))
            case .live, .committed, .entries: break
            }
        }
    }

    /// True when the process is to die in the turn of these effects, before or after its bytes leave.
    private func diesNow(_ effects: [AgentEffect]) -> DeathAtOrder? {
        guard setup.venue == .gateway, let death = program?.death else { return nil }
        let places = effects.contains { if case .entries(let entries) = $0 { entries.contains { $0.kind == Kind.intent.rawValue } } else { false } }
        guard places else { return nil }
        program?.death = death.orders > 1 ? (death.moment, death.orders - 1) : nil
        return death.orders > 1 ? nil : death.moment
    }

    /// One turn of the agent. Bytes leave for the broker, entries and live state for the uplink. A process that died at an order did nothing more.
    private func agent(_ inputs: [AgentInput], at clock: ClockReading) throws {
        guard let program else { return }
        let before = (program.agent.session as? WatchedSession)?.placed.count ?? 0
        let effects = try program.agent.turn(inputs, at: clock)
        witness(from: before)
        if (program.agent.session as? WatchedSession)?.isDead == true { throw MachineDied() }
        let death = diesNow(effects)
        if death == .before { throw MachineDied() }
        toBroker(effects)
        if death == .after { throw MachineDied() }
        try perform(self.program?.uplink.note(effects, at: clock) ?? [], at: clock)
    }

    private func uplink(_ input: Sender.Input, at clock: ClockReading) throws {
        try perform(program?.uplink.handle(input, at: clock) ?? [], at: clock)
    }

    /// Does what the uplink wants, and lets it read on; no call finds it in the middle of another.
    private func perform(_ effects: [UplinkEffect], at clock: ClockReading) throws {
        var commands: [AgentInput] = []
        var mends: [Entry] = []
        var effects = effects
        repeat {
            for effect in effects {
                switch effect {
                case .send(let lane, let bytes): if let connection { left.append(.frame(lane, bytes, connection: connection)) }
                case .deliver(let command, let deadline): commands.append(.command(command, deadline: deadline))
                case .acked(let head):
                    if head.seq > Seq(0) { seen.append(.acked(seq: head.seq.raw, hash: head.hash)) }
                    program?.toNote = head.seq
                case .reopen: left.append(.reopen)
                case .incarnation(let name): try program?.agent.journal.noteIncarnation(name)
                case .mend(let entry): mends.append(entry)
                case .phase, .malformed, .heal, .settle: break
                }
            }
            effects = program?.uplink.hasMore == true ? try program?.uplink.readOn(at: clock) ?? [] : []
        } while !effects.isEmpty || program?.uplink.hasMore == true
        for entry in mends {
            let noted = try program?.agent.mend(entry, at: clock) ?? []
            try perform(program?.uplink.note(noted, at: clock) ?? [], at: clock)
            try uplink(.mended(entry.seq), at: clock)
        }
        if !commands.isEmpty { try agent(commands, at: clock) }
    }

    /// What the loop does when it has nothing to do.
    private func rest(at clock: ClockReading) throws {
        guard let program else { return }
        if let seq = program.toNote, chance.chance(1, in: 8) {
            try program.agent.journal.noteAcknowledged(seq)
            self.program?.toNote = nil
        }
        try program.agent.journal.idle(at: clock.wall)
    }
}

extension BrokerBooks.Execution {
    fileprivate init(_ fill: Fill) {
        self.init(instrument: fill.instrument.text, side: fill.side.rawValue, quantity: fill.lastQty.raw)
    }
}
