// An agent on the paper venue over the simulated disk: the disk may fail, fill up, lose power or be put back; the broker lives on.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Trading
import Values
import Venues
import Wire

/// One edge whose disk the test holds in its hands.
final class DiskRig {
    static let seed = [UInt8](1...32)
    var disk: FaultyDisk
    var now = Instant(seconds: 1_795_000_000)
    private(set) var agent: Agent?
    private(set) var finding: MarkFinding?
    private var broker: PaperBroker
    private var boots: UInt64 = 0
    private var issued: UInt8 = 0
    private let settings = DeskSettings(mode: .paper, settle: .milliseconds(500), snapshotGap: .milliseconds(250))
    /// What the effects of all turns said of the ledger, the newest last.
    private(set) var notices: [Notice] = []

    private let reserveBytes: Int?
    private let snapshotsEvery: UInt64?
    private let snapshotRate: Int64
    private let compacting: UInt64?
    private let smallBytesMax: Int
    /// What the last start made of the ledger.
    private(set) var recovered: Recovered?
    private(set) var reserve: SimulatedReserve?

    /// - Parameter reserveBytes: of the reserve on the disk; nil for an agent that has none and ends when the disk is full.
    /// - Parameter snapshotsEvery: entries between two snapshots of the fold; nil keeps none, and reads every entry at each start.
    /// - Parameter snapshotRate: bytes that all snapshots together may write in a second.
    /// - Parameter compacting: entries of a segment, for an edge that moves what is older than half an hour; nil for one that moves nothing.
    /// - Parameter smallBytesMax: of what a snapshot holds beside its lists.
    init(
        seed: UInt64 = 7, reserveBytes: Int? = nil, snapshotsEvery: UInt64? = nil, snapshotRate: Int64 = SnapshotSettings.standardRate,
        compacting: UInt64? = nil, smallBytesMax: Int = Book.smallBytesMax
    ) {
        self.snapshotRate = snapshotRate
        self.compacting = compacting
        self.smallBytesMax = smallBytesMax
        self.reserveBytes = reserveBytes
        self.snapshotsEvery = snapshotsEvery
        disk = FaultyDisk(seed: seed, now: now)
        let listings = PaperCatalogue.standard(asOf: CivilDate(dayNumber: Int(now.seconds / 86_400)))
        broker = PaperBroker(exchange: PaperExchange(rules: PaperRules(seed: seed), listings: listings, start: now), account: "DU1")
    }

    static let release = "t"
    static let bootFact = BootFact(version: release, mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")

    /// An agent over a journal of the test's own, at this rig's broker and clock.
    func agent(
        over journal: Journal, book: Book = Book(edge: LedgerWriter.edge), boot: UInt64 = 1, reserve: (any DiskReserve)? = nil,
        trouble: LedgerTrouble? = nil
    ) -> Agent {
        Agent(
            journal: journal, book: book, boot: Boot(raw: boot), settings: settings,
            session: PaperSession(broker: broker, generation: 1), reserve: reserve, trouble: trouble)
    }
    /// A wish to buy as many contracts as its number says, and one.
    func wish(of agent: Agent, _ number: Int) -> DeskInput {
        let id = CommandID(bytes: [UInt8](repeating: UInt8(number + 1), count: 16)) ?? { preconditionFailure("16 bytes") }()
        let front = agent.desk.live.front("MBT") ?? InstrumentID("none")
        let body = CommandBody.order(
            instrument: front, side: .buy, size: .quantity(Quantity(whole: Int64(number + 1))), trailing: nil, reverse: false)
        let command = Command(
            id: id, edge: LedgerWriter.edge, boundBoot: agent.boot, issuer: "cloud:admin", tier: 2, issuedAt: now, expiresAt: nil, body: body)
        return .command(command, deadline: now + .seconds(10))
    }
    func placed(by agent: Agent) -> [String] {
        guard let broker = (agent.session as? PaperSession)?.broker else { return [] }
        return broker.exchange.orders.map { broker.reference(of: $0.ticket.id) }
    }

    var clock: ClockReading { ClockReading(wall: now, monotonic: Span(nanoseconds: now.nanoseconds)) }
    var mark: DiskMark { DiskMark(disk) }

    /// How long each commit takes.
    var commitTakes = Span.zero
    /// What the next start's disk claims to have left; nil for plenty.
    var room: DiskRoom?
    /// Bytes of all files now.
    var used: Int { disk.names.reduce(0) { $0 + (disk.bytes(of: $1)?.count ?? 0) } }

    /// Starts the process; the broker is as the last one left it.
    func start() throws {
        boots += 1
        let files = snapshotsEvery.map { _ in DiskFiles(disk) }
        let store: EntryStore
        do throws(StoreError) {
            store = try EntryStore(
                path: "ledger.db", .init(.create, vfs: disk.name), kept: DiskFiles(disk), segmentRows: compacting ?? Segment.rows)
        } catch { throw JournalError.store(error) }
        let recovered = try FastStart.open(store, edge: LedgerWriter.edge, files: files, release: DiskRig.release)
        self.recovered = recovered
        let (journal, book) = (recovered.journal, recovered.book)
        let keys = try #require(SigningKeys(seed: DiskRig.seed))
        let finding = try MarkFinding.compare(mark.read(), with: journal)
        self.finding = finding
        reserve = reserveBytes.map { SimulatedReserve(disk, bytes: $0) }
        if let room { reserve?.room = room }
        var snapshots = files.map { SnapshotSettings(files: $0, recovered) }
        if let snapshotsEvery { snapshots?.every = snapshotsEvery }
        snapshots?.smallBytesMax = smallBytesMax
        snapshots?.bytesPerSecond = snapshotRate
        var compaction = CompactionSettings(files: DiskFiles(disk), days: 1)
        // The exchange of the rig lives through every second of it.
        compaction.age = .minutes(30)
        let agent = Agent(
            journal: journal, book: book, boot: Boot(raw: boots), settings: settings,
            session: PaperSession(broker: broker, generation: Int64(boots)), witness: Witness(keys: keys, mark: mark), finding: finding,
            reserve: reserve, milestones: recovered.milestones, snapshots: snapshots,
            compaction: compacting.map { _ in compaction }, trouble: recovered.trouble, release: DiskRig.release)
        self.agent = agent
        take(try agent.start(DiskRig.bootFact, at: clock))
    }

    /// What a test begins with that goes on from another's end: the files as they are now, synced; the broker of the next one is new.
    struct Left: Sendable {
        let files: [(name: String, bytes: [UInt8])], now: Instant, boots: UInt64
    }
    /// The process is killed.
    func left() -> Left {
        crash()
        return Left(files: disk.names.map { ($0, disk.bytes(of: $0) ?? []) }, now: now, boots: boots)
    }
    func take(_ left: Left) {
        for file in left.files { disk.place(file.name, file.bytes) }
        (now, boots) = (left.now, left.boots)
    }

    /// The process dies; the disk is left as `mode` says.
    func crash(_ mode: CrashMode = .everything) {
        if let session = agent?.session as? PaperSession { broker = session.broker }
        if mode != .everything { disk.freezeAt = disk.mutations }
        agent = nil
        disk.crash(mode)
    }

    /// The process dies, and another disk is put in its place.
    func crash(replacing other: FaultyDisk) {
        if let session = agent?.session as? PaperSession { broker = session.broker }
        agent = nil
        disk = other
    }

    @discardableResult func turn(_ inputs: [AgentInput]) throws -> [AgentEffect] {
        guard let agent else { preconditionFailure("the process is down") }
        let effects = try agent.turn(inputs, at: clock) { commitTakes } + agent.keep(at: clock)
        take(effects)
        return effects
    }

    func settle(seconds: Int64) throws {
        for _ in 0..<(seconds * 4) {
            now = now + .milliseconds(250)
            try turn([.tick])
            while agent?.hasPending == true { try turn([]) }
        }
    }

    @discardableResult func command(_ body: CommandBody) throws -> CommandID {
        issued += 1
        let id = try #require(CommandID(bytes: [UInt8](repeating: issued, count: 16)))
        let command = Command(
            id: id, edge: LedgerWriter.edge, boundBoot: agent?.boot, issuer: "cloud:admin", tier: 2, issuedAt: now, expiresAt: nil, body: body)
        try turn([.desk(.command(command, deadline: now + .seconds(10)))])
        return id
    }

    @discardableResult func buy(_ quantity: Int64, trailing: TrailingOffset? = nil) throws -> CommandID {
        try command(.order(instrument: front, side: .buy, size: .quantity(Quantity(whole: quantity)), trailing: trailing, reverse: false))
    }

    var book: Book { agent?.desk.book ?? Book() }
    var front: InstrumentID { agent?.desk.live.front("MBT") ?? InstrumentID("none") }
    /// Tags of every order that ever reached the broker.
    var placed: [String] {
        let broker = (agent?.session as? PaperSession)?.broker ?? self.broker
        return broker.exchange.orders.map { broker.reference(of: $0.ticket.id) }
    }
    func entries() throws -> [Entry] { try agent?.journal.read(from: Seq(1), limit: .max) ?? [] }
    func kinds() throws -> [Kind] { try entries().compactMap { Kind(rawValue: $0.kind) } }

    private func take(_ effects: [AgentEffect]) {
        for effect in effects {
            guard case .live(let items) = effect else { continue }
            for case .notice(let notice) in items where notice.code == Notice.ledger { notices.append(notice) }
        }
    }
}
