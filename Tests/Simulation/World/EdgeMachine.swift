// The edge's computer: the real agent, journal and uplink on a simulated disk, beside a broker that outlives them.
internal import EdgeAgent
package import Ledger
internal import Platform
package import Sync
internal import Trading
package import Values
internal import Venues
internal import Views
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
    /// Snapshots, segments and the nightly check; nil for an edge without them.
    package var house: Housekeeping?
    /// How much faster its boot clock runs than the broker's time, in parts of a million.
    package var drift: Int64 = 0
    /// Wall clock at the start of the world.
    package var start: Instant
    /// Whether the run asks the cloud before its first entry, as an enrolled edge does; an edge enrolled later begins without.
    package var greets = true
    /// Somebody changes its keys.
    package var changesKeys = false
    /// A copy of the edge beside the original: it reaches the cloud, and no broker, which lets only one of them in.
    package var isClone = false
    package var signatures = CheckedSignatures()
    package init(edge: EdgeID, seed: UInt64, start: Instant) { self.edge = edge; self.seed = seed; self.start = start }
}

/// One edge.
package final class EdgeMachine: Machine {
    package let name: String
    let setup: EdgeSetup
    let disk: FaultyDisk
    /// Outside the disk, whose older copies they do not go back with.
    let keys: SimulatedKeys
    /// By which key it has linked, and whether the door refused the one that it showed last.
    var linkedBy: [UInt8]?
    var isKeyRefused = false
    var chance: SeededRandom
    /// When acknowledgements are noted: a lane of its own, so that the cloud's presence shifts nothing else.
    var noting: SeededRandom
    var broker: PaperBroker
    var program: Program?
    var connection: UInt64?
    /// Of this process.
    var firstConnection: UInt64?
    var generation: Int64 = 0
    /// Dies around the first or second order of the next run.
    package var deathAtNextOrder: DeathAtOrder?
    /// What checkers are to see, in order; taken by the world after each turn.
    var seen: [Observation] = []
    var left: [MachineEffect] = []

    /// What is lost when the process ends.
    struct Program {
        /// For sessions that do not count orders themselves.
        var death: (moment: DeathAtOrder, orders: Int)?
        let journal: Journal
        let boot: Boot
        /// Folded until the agent has it.
        var book: Book
        var milestones: Milestones
        /// Where the agent is to keep snapshots.
        var snapshots: SnapshotSettings?
        /// Before the run's first entry.
        var talk: StartTalk?
        var agent: Agent?
        var uplink: UplinkCore
        var linkKeys: LinkKeyChanger
        /// Acknowledged by the cloud and not yet noted.
        var toNote: Seq?
        /// A person's decision that the link has just told.
        var decided: Settlement?
    }

    package init(_ setup: EdgeSetup) {
        self.setup = setup
        name = setup.isClone ? "twin" : "edge"
        chance = SeededRandom(seed: setup.seed)
        noting = SeededRandom(seed: setup.seed ^ 0xACED)
        disk = FaultyDisk(seed: chance.next(), now: setup.start)
        keys = SimulatedKeys(seed: setup.seed)
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
    let brokerTime = BrokerTime()

    package var isRunning: Bool { program != nil }
    /// True when the broker has been compared and no order's fate is open.
    package var isSettled: Bool { unrest.isEmpty }
    /// What is not settled, in words.
    package var unrest: String {
        guard let program else { return "the edge is down" }
        guard let agent = program.agent else { return "the edge waits for the cloud's word" }
        let desk = agent.desk
        if agent.hasPending { return "events are pending" }
        if !desk.isTrading { return "the broker is not compared" }
        if desk.isClosing { return "a position is being closed" }
        let open = desk.book.workingOrders.filter { $0.leg.role == .close || [.unknown, .pendingNew, .pendingCancel].contains($0.status) }
        return open.isEmpty ? "" : "orders of open fate: \(open.map { "\($0.tag) \($0.status.rawValue)" })"
    }
    /// What the broker's own books say.
    package var brokerBooks: BrokerBooks {
        let broker = (program?.agent?.session as? WatchedSession)?.broker ?? self.broker
        let working = broker.exchange.orders.filter { !$0.state.isFinal }.map { broker.reference(of: $0.ticket.id) }
        return BrokerBooks(
            executions: Dictionary(uniqueKeysWithValues: broker.executions.map { ($0.fill.execID, BrokerBooks.Execution($0.fill)) }),
            working: Set(working), believed: believed)
    }
    /// Tags of the orders that the edge believes live.
    package var believed: Set<String> { Set((program?.agent?.desk.book.workingOrders ?? []).map(\.tag.text)) }
    /// What is traded when a person asks for "the future".
    package var front: InstrumentID? { program?.agent?.desk.live.front("MBT") }
    /// True when the cloud has everything this edge has.
    package var isCaughtUp: Bool {
        program.map { $0.uplink.sender.phase == .open && $0.uplink.sender.isCaughtUp && $0.agent?.hasPending == false } ?? false
    }
    /// How the link looks from here; nil while the process is down.
    package var phase: LinkPhase? { program?.uplink.sender.phase }
    /// The last entry that this process knows the cloud to have acknowledged.
    package var acked: UInt64 { program?.uplink.sender.acked.seq.raw ?? 0 }
    /// The cloud's store as this edge knows it; nil while the process is down.
    package var store: String? { program.flatMap { try? $0.journal.incarnation() } }
    /// Entries that the cloud has not acknowledged.
    package var backlog: UInt64 { program?.uplink.sender.backlog ?? 0 }
    /// Of this process; nil while it is down.
    package var boot: Boot? { program?.boot }
    /// True when trading is halted, or its run has not begun.
    package var isHalted: Bool { program?.agent.map { $0.desk.book.haltLevel >= .halt } ?? true }
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

    package internal(set) var isDiskFailing = false
    /// Its disk is going to end it.
    package var isDoomed: Bool { isDiskFailing || disk.freezeAt != nil || program?.death != nil }
    /// Entries up to here lie in segments; 0 for none.
    package internal(set) var movedThrough: UInt64 = 0
    /// Looks at a move that went on without an entry more having left the database.
    var steps = 0
    /// The entry whose snapshot this process started from; 0 when it has read them all.
    package internal(set) var startedFrom: UInt64 = 0

    package func failDisk(_ operation: DiskFault.Operation, after count: Int, _ answer: DiskFault.Answer) {
        disk.fault = DiskFault(operation, (operation == .write ? disk.writes : disk.syncs) + count, answer)
        isDiskFailing = true
    }

    /// A disk that is dead already stays dead.
    package func freezeDisk(after mutations: Int) { if !disk.isFrozen { disk.freezeAt = disk.mutations + mutations } }

    package var diskOperations: Int { disk.mutations }

    package func survivors(from seq: UInt64) throws -> [EntryRow] {
        guard disk.names.contains("ledger.db") else { return [] }
        return try openFile(.readWrite).read(from: seq, limit: .max)
    }

    package func crash(_ mode: CrashMode) {
        // The process goes first: its files close on a disk that is already dead.
        if mode != .everything { disk.freezeAt = disk.mutations }
        endRun()
        disk.crash(mode)
        isDiskFailing = false
    }

    // MARK: - A person

    /// A copy of the disk's files as they are.
    package func image() -> FaultyDisk {
        let image = FaultyDisk(seed: 0)
        image.copy(disk)
        return image
    }

    /// How far the mark beside the ledger says that it reached; nil without one.
    package var marked: UInt64? { DiskMark(disk).read().flatMap { HeadMark($0) }?.head.seq.raw }

    /// Puts an older copy in the place of what the disk holds; an empty one leaves nothing. Only while no process runs.
    /// - Parameter keepsMark: the copy is of the ledger alone; the mark beside it stays.
    package func restore(_ image: FaultyDisk, keepsMark: Bool = false) {
        let mark = keepsMark ? DiskMark(disk).read() : nil
        movedThrough = 0
        for file in disk.names { try? disk.remove(file) }
        disk.copy(image)
        if let mark { try? DiskMark(disk).write(mark) }
    }

    /// Somebody sits at the edge's console: what is lost for good is given up, and trading goes on once the cloud agrees.
    package func lookAfter(at clock: ClockReading) throws {
        guard let agent = program?.agent, phase == .open else { return }
        disk.now = clock.wall
        try guarded {
            if agent.ledgerTroubles.contains(where: { $0.kind == .rolledBack }) {
                seen.append(.lowers)
                let effects = try agent.acceptRollback(reason: "looked at it", at: clock) ?? []
                try perform(program?.uplink.note(effects, at: clock) ?? [], at: clock)
            }
            let book = agent.desk.book
            guard book.haltLevel != .normal || !book.haltedInstruments.isEmpty else { return }
            seen.append(.lowers)
            try toAgent([.desk(.resume(reason: "looked at it"))], at: clock)
        }
    }
}

extension BrokerBooks.Execution {
    fileprivate init(_ fill: Fill) {
        self.init(instrument: fill.instrument.text, side: fill.side.rawValue, quantity: fill.lastQty.raw)
    }
}
