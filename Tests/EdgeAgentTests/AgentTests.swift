// The agent on the paper venue: a real journal, virtual time, crashes between any two turns.
import EdgeAgent
import Ledger
import Platform
import Testing
import Trading
import Values
import Venues
import Views

/// An agent that can be crashed: the broker lives on, the process does not.
final class AgentRig {
    static let edge = EdgeID(bytes: Array(0..<16)) ?? { preconditionFailure("16 bytes") }()
    let folder: TemporaryFolder
    var now = Instant(seconds: 1_795_000_000)
    private var running: Agent?
    var boots: UInt64 = 1
    var issued: UInt8 = 0
    let settings: DeskSettings

    init(settings: DeskSettings = DeskSettings(mode: .paper, settle: .seconds(2), snapshotGap: .seconds(1)), seed: UInt64 = 7) throws {
        self.settings = settings
        folder = try TemporaryFolder()
        let start = now
        let listings = PaperCatalogue.standard(asOf: CivilDate(dayNumber: Int(start.seconds / 86_400)))
        let exchange = PaperExchange(rules: PaperRules(seed: seed), listings: listings, start: start)
        running = try Self.boot(folder, PaperBroker(exchange: exchange, account: "DU1"), boot: 1, settings, at: start)
        try settle(seconds: 1)
    }

    static func boot(_ folder: TemporaryFolder, _ broker: PaperBroker, boot: UInt64, _ settings: DeskSettings, at now: Instant) throws -> Agent {
        var book = Book(edge: edge)
        let journal = try Journal(path: folder.path + "/ledger.db", edge: edge) { book.apply($0) }
        let agent = Agent(
            journal: journal, book: book, boot: Boot(raw: boot), settings: settings, session: PaperSession(broker: broker, generation: Int64(boot)))
        _ = try agent.start(
            BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c"),
            at: ClockReading(wall: now, monotonic: Span(nanoseconds: now.nanoseconds)))
        return agent
    }

    /// The process dies here: nothing in memory survives but what the broker holds.
    func crash() throws {
        guard let session = agent.session as? PaperSession else { preconditionFailure("a paper session") }
        let broker = session.broker
        boots += 1
        // The file's lock goes with the old process.
        running = nil
        running = try Self.boot(folder, broker, boot: boots, settings, at: now)
    }

    var agent: Agent {
        guard let running else { preconditionFailure("the process is down") }
        return running
    }

    @discardableResult func turn(_ inputs: [AgentInput]) throws -> [AgentEffect] {
        try agent.turn(inputs, at: ClockReading(wall: now, monotonic: Span(nanoseconds: now.nanoseconds)))
    }

    func settle(seconds: Int64) throws {
        for _ in 0..<(seconds * 4) {
            now = now + .milliseconds(250)
            try turn([.tick])
            while agent.hasPending { try turn([]) }
        }
    }

    func command(_ body: CommandBody) throws -> CommandID {
        issued += 1
        let id = try #require(CommandID(bytes: [UInt8](repeating: issued, count: 16)))
        let command = Command(
            id: id, edge: Self.edge, boundBoot: agent.boot, issuer: "cloud:admin", tier: 2, issuedAt: now, expiresAt: nil, body: body)
        try turn([.desk(.command(command, deadline: now + .seconds(10)))])
        return id
    }

    var front: InstrumentID { agent.desk.live.front("MBT") ?? InstrumentID("none") }
    var brokerQuantity: Quantity {
        (agent.session as? PaperSession)?.broker.exchange.account.position(front).quantity ?? .zero
    }
}

struct AgentTests {
    func order(_ rig: AgentRig, _ quantity: Int64, trailing: TrailingOffset? = nil) -> CommandBody {
        .order(instrument: rig.front, side: .buy, size: .quantity(Quantity(whole: quantity)), trailing: trailing, reverse: false)
    }

    @Test func itConnectsComparesAndQuotes() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        #expect(rig.agent.desk.isTrading && rig.agent.desk.live.quote(rig.front)?.mark != nil && rig.agent.desk.live.margin(rig.front) != nil)
        #expect(rig.agent.desk.live.account("DU1")?.availableFunds == Money(whole: 1_000_000))
    }

    /// Nothing new comes from the gateway when a person lifts a halt: the screens must not wait for it.
    @Test func aLiftedHaltIsShownWithoutAWordOfTheGateway() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        #expect(rig.agent.desk.live.gateway?.isTrading == true)
        try rig.turn([.desk(.halt(source: "file", reason: "x"))])
        try rig.settle(seconds: 1)
        #expect(rig.agent.desk.live.gateway?.isTrading == false)
        try rig.turn([.desk(.resume(reason: "y"))])
        try rig.settle(seconds: 1)
        #expect(rig.agent.desk.live.gateway?.isTrading == true)
    }

    /// Index and postings follow while the loop has nothing to do. When it never has, that is told; a handful that waits is not.
    @Test func aLagOfTheTablesIsShownAfterTwoSeconds() throws {
        let rig = try AgentRig()
        let journal = rig.agent.journal
        func clock() -> ClockReading { ClockReading(wall: rig.now, monotonic: Span(nanoseconds: rig.now.nanoseconds)) }
        func shown(after span: Span) throws -> Lag? {
            rig.now = rig.now + span
            _ = try rig.agent.keep(at: clock())
            return rig.agent.tablesLag(at: clock())
        }
        func write(until seq: Int) throws {
            for _ in journal.head.seq.raw..<UInt64(seq) {
                try rig.turn([.desk(rig.agent.desk.book.haltLevel == .normal ? .halt(source: "file", reason: "x") : .resume(reason: "y"))])
            }
        }
        try write(until: Journal.subjectsWorthIndexing - 1)
        #expect(journal.head.seq.raw == 255)
        #expect(try shown(after: .zero) == nil && shown(after: .seconds(60)) == nil)
        try write(until: 256)
        let since = rig.now
        #expect(try shown(after: .zero) == nil && shown(after: .seconds(2)) == nil)
        try write(until: 300)
        #expect(try shown(after: .milliseconds(1)) == Lag(entries: 300, since: since))
        // It readies its log first, then it has to have been idle before.
        for _ in 0..<10 { _ = try rig.agent.idle(at: clock()) }
        #expect(try shown(after: .seconds(5)) == nil)
    }

    @Test func twentyFiveLotsFillInPartsAndCloseFlat() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        _ = try rig.command(order(rig, 25, trailing: .percent(Ratio(raw: 100_000))))
        try rig.settle(seconds: 20)
        let book = rig.agent.desk.book
        #expect(book.netQuantity(rig.front) == Quantity(whole: 25) && book.fills.count > 1 && book.fills.allSatisfy { $0.commission != nil })
        #expect(book.workingOrders.map(\.leg.ordType) == [.trailingStop])
        _ = try rig.command(.close(instrument: rig.front))
        try rig.settle(seconds: 20)
        #expect(rig.agent.desk.book.netQuantity(rig.front) == .zero && rig.agent.desk.book.workingOrders.isEmpty && rig.brokerQuantity == .zero)
    }

    /// After every single turn of an order's life the process may die; afterwards ledger and broker agree and nothing was sent twice.
    @Test(arguments: 0..<8) func aCrashAtAnyTurnLosesAndDoublesNothing(turns: Int) throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        _ = try rig.command(order(rig, 25))
        for _ in 0..<turns { rig.now = rig.now + .milliseconds(250); try rig.turn([.tick]) }
        try rig.crash()
        try rig.settle(seconds: 30)
        let book = rig.agent.desk.book
        #expect(rig.agent.desk.isTrading && book.haltedInstruments.isEmpty, "\(book.differences)")
        #expect(book.netQuantity(rig.front) == rig.brokerQuantity && book.orders.count == 1)
        #expect(book.orders.allSatisfy { $0.status == .filled || $0.status == .dead })
    }

    /// A closing lives in one run. When that run dies in it, the next one says how it ended and does nothing more by itself.
    @Test(arguments: 0..<6) func aClosingThatACrashInterruptsIsToldToHaveEnded(turns: Int) throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        _ = try rig.command(order(rig, 25, trailing: .percent(Ratio(raw: 100_000))))
        try rig.settle(seconds: 20)
        let id = try rig.command(.close(instrument: rig.front))
        for _ in 0..<turns { rig.now = rig.now + .milliseconds(250); try rig.turn([.tick]) }
        try rig.crash()
        try rig.settle(seconds: 30)
        let book = rig.agent.desk.book
        let isFlat = book.netQuantity(rig.front) == .zero
        #expect(book.commands[id]?.code == (isFlat ? "done" : "notCompleted") && book.netQuantity(rig.front) == rig.brokerQuantity)
    }

    /// A cancel that nobody can hear is refused, and a closing touches no protection while the broker is away.
    @Test func nothingIsCancelledIntoADeadLine() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        _ = try rig.command(order(rig, 2, trailing: .percent(Ratio(raw: 200_000))))
        try rig.settle(seconds: 10)
        let stop = try #require(rig.agent.desk.book.workingOrders.first)
        try rig.turn([.transport(.disconnected("the gateway is gone"))])
        let cancel = try rig.command(.cancel(tag: stop.tag))
        let close = try rig.command(.close(instrument: rig.front))
        try rig.settle(seconds: 5)
        #expect(rig.agent.desk.book.commands[cancel]?.code == "gatewayNotConnected" && rig.agent.desk.isClosing)
        #expect(rig.agent.desk.book.commands[close]?.code == "closing" && rig.agent.desk.book.order(stop.tag)?.status == .unknown)
        try rig.settle(seconds: 10)
        #expect(rig.agent.desk.book.commands[close]?.code == "notCompleted" && rig.agent.desk.book.order(stop.tag)?.status == .unknown)
    }

    @Test func stoppingKeepsWorkingOrdersAndTheHalt() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        _ = try rig.command(order(rig, 2, trailing: .percent(Ratio(raw: 200_000))))
        try rig.settle(seconds: 10)
        _ = try rig.command(.halt(reason: "enough"))
        _ = try rig.agent.shutdown(reason: "asked", at: ClockReading(wall: rig.now, monotonic: Span(nanoseconds: rig.now.nanoseconds)))
        try rig.crash()
        try rig.settle(seconds: 15)
        #expect(rig.agent.desk.book.workingOrders.count == 1 && rig.agent.desk.book.haltLevel == .halt)
    }
}
