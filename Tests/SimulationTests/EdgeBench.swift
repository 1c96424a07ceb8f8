// The whole edge beside the simulated gateway: real agent, journal, desk and session; bytes to bytes, under virtual time.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Trading
import Values
import Venues

/// An edge that can be killed between any two turns; the gateway lives on.
final class EdgeBench {
    private(set) var gateway: IBKRGateway
    private(set) var now = friday
    private var running: Agent?
    private let disk: FaultyDisk
    private let settings: DeskSettings
    private let maximumVersion: Int
    private var boots: UInt64 = 0
    private var connections: UInt64 = 0
    private var line: GatewayConnection?
    /// Read from the socket and not yet taken in by a turn.
    private var inbox: [AgentInput] = []
    private var issued: UInt8 = 0
    /// Turns of all runs.
    private(set) var turns = 0
    /// Kills the process after this many turns from now, once its bytes are written or before.
    var deathIn: (turns: Int, beforeWriting: Bool)?
    private(set) var deaths = 0

    static let bot = BreakoutSettings(
        name: "breakout", instruments: [InstrumentID("AAPL.NASDAQ"), InstrumentID("NVDA.NASDAQ")], entryOffset: Ratio(raw: 300),
        trail: Ratio(raw: 500), notional: Money(whole: 10_000), cooldown: .seconds(5), entryLifetime: .seconds(20))
    static let wishes: [InstrumentWish] = [
        .future(symbol: "MBT", exchange: "CME", currency: "USD"), .stock(symbol: "AAPL", primaryExchange: "NASDAQ", currency: "USD"),
        .stock(symbol: "NVDA", primaryExchange: "NASDAQ", currency: "USD"),
    ]

    init(_ gatewaySettings: GatewaySettings = GatewaySettings(), bots: [BreakoutSettings] = [], seed: UInt64 = 1) throws {
        gateway = IBKRGateway(settings: gatewaySettings, exchange: try GatewayBench.exchange(seed: seed), at: friday)
        disk = FaultyDisk(seed: seed)
        maximumVersion = gatewaySettings.maximumVersion
        settings = DeskSettings(mode: .paper, settle: .seconds(2), snapshotGap: .seconds(1), bots: bots)
        try boot()
    }

    var agent: Agent {
        guard let running else { preconditionFailure("the process is down") }
        return running
    }
    var book: Book { agent.desk.book }
    private var clock: ClockReading { ClockReading(wall: now, monotonic: now - friday) }

    /// Recovery is the only start.
    private func boot() throws {
        boots += 1
        var book = Book(edge: IntentMint.edge)
        let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
        let journal = try Journal(store: store, edge: IntentMint.edge) { book.apply($0) }
        var broker = IBKRSettings(clientID: 7, mode: .paper, zones: SessionBench.zones)
        // A day of bars costs most of a run's time and decides nothing in it.
        broker.history = .minutes(30)
        let session = IBKRSession(
            settings: broker, instruments: EdgeBench.wishes,
            nextOrderID: book.highestBrokerOrderID + 1, random: SeededRandom(seed: boots), known: Array(book.instruments.values))
        let agent = Agent(journal: journal, book: book, boot: Boot(raw: boots), settings: settings, session: session)
        running = agent
        let fact = BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")
        perform(try agent.start(fact, at: clock))
    }

    /// The process is gone, with everything in memory. Its socket closes.
    func kill() {
        running = nil
        inbox = []
        disk.freezeAt = nil
        if let line { take(gateway.disconnect(line, at: now)) }
        line = nil
        deaths += 1
    }
    func restart() throws { try boot() }

    /// The network breaks; the process lives.
    func cut() {
        guard let line else { return }
        self.line = nil
        take(gateway.disconnect(line, at: now))
        inbox.append(.transport(.disconnected("connection reset")))
    }
    func suffer(_ incident: GatewayIncident) { take(gateway.suffer(incident, at: now)) }

    func pass(_ span: Span) throws {
        let end = now + span
        while now < end {
            now = now + .milliseconds(100)
            disk.now = now
            take(gateway.advance(to: now))
            try turn([.tick])
            while running != nil, agent.hasPending || !inbox.isEmpty { try turn([]) }
        }
    }

    private func turn(_ inputs: [AgentInput]) throws {
        guard let running else { return }
        let heard = inbox
        inbox = []
        let effects = try running.turn(heard + inputs, at: clock)
        turns += 1
        if let death = deathIn {
            deathIn = death.turns > 0 ? (death.turns - 1, death.beforeWriting) : nil
            if death.turns == 0 {
                if !death.beforeWriting { perform(effects) }
                return kill()
            }
        }
        perform(effects)
    }

    func command(_ body: CommandBody) throws -> CommandID {
        issued += 1
        let id = try #require(CommandID(bytes: [UInt8](repeating: issued, count: 16)))
        let command = Command(
            id: id, edge: IntentMint.edge, boundBoot: agent.boot, issuer: "cloud:admin", tier: 2, issuedAt: now, expiresAt: nil, body: body)
        try turn([.desk(.command(command, deadline: now + .seconds(10)))])
        return id
    }

    // MARK: The wire

    private func perform(_ effects: [AgentEffect]) {
        for effect in effects {
            switch effect {
            case .write(let bytes): if let line { take(gateway.receive(line, bytes, at: now)) }
            case .transport(.connect), .transport(.connectTo):
                connections += 1
                let line = GatewayConnection(connections)
                self.line = line
                inbox.append(.transport(.connected))
                take(gateway.connect(line, at: now))
            case .transport(.disconnect):
                if let line { take(gateway.disconnect(line, at: now)) }
                line = nil
                inbox.append(.transport(.disconnected("closed")))
            case .live, .committed, .heldBack, .entries: break
            }
        }
    }

    private func take(_ outputs: [GatewayOutput]) {
        _ = gateway.takeRecords()
        for item in outputs {
            switch item {
            case .send(let connection, let bytes): if connection == line { inbox.append(.bytes(bytes)) }
            case .close(let connection):
                guard connection == line else { continue }
                line = nil
                inbox.append(.transport(.disconnected("closed by the gateway")))
            }
        }
    }

    // MARK: What must hold at rest

    /// Ledger and gateway agree: positions, executions, and one order at the gateway for each that the ledger believes was accepted.
    func differences() -> [String] {
        var found: [String] = []
        for position in gateway.exchange.account.positions where book.netQuantity(position.instrument) != position.quantity {
            found.append("\(position.instrument): ledger \(book.netQuantity(position.instrument)), gateway \(position.quantity)")
        }
        let accepted = book.orders.filter { $0.permID != 0 }
        if Set(accepted.map(\.permID)).count != accepted.count { found.append("two orders of the ledger share a permId") }
        let placed = Set(gateway.exchange.orders.map(\.ticket.id.raw))
        let known = Set(accepted.map(\.permID))
        if !placed.isSubset(of: known) { found.append("the gateway has orders that the ledger does not know: \(placed.subtracting(known).sorted())") }
        let unknown = book.workingOrders.filter { $0.status == .unknown }
        if !unknown.isEmpty { found.append("fate unknown: \(unknown.map(\.tag))") }
        if !book.haltedInstruments.isEmpty { found.append("halted: \(book.haltedInstruments)") }
        for order in gateway.exchange.orders where order.state.isFinal {
            guard let ours = accepted.first(where: { $0.permID == order.ticket.id.raw }), ours.cumQty == order.filled else {
                found.append("order \(order.ticket.id) filled \(order.filled) at the gateway")
                continue
            }
        }
        return found
    }
}
