// An edge as the cloud sees one: the real sender with a made-up ledger, its frames carried to a node by hand.
import CloudNode
import Ledger
import Sync
import Values
import Wire

final class TestEdge {
    static let id = edge(1)
    static let mbt = InstrumentID("MBTZ6.CME")
    let id: EdgeID
    let boot: Boot
    private var chain: Chain
    private(set) var entries: [Entry]
    private(set) var sender: Sender
    /// Commands handed to the desk.
    private(set) var commands: [Command] = []
    /// Decisions that came down.
    private(set) var settlements: [Settlement] = []
    private(set) var isConnected = false
    /// Times the sender asked for a new connection.
    private(set) var reopened = 0
    private var connection: UInt64
    private unowned let cloud: TestCloud

    static func edge(_ number: UInt8) -> EdgeID {
        EdgeID(bytes: [UInt8](repeating: number, count: 16)) ?? { preconditionFailure("16 bytes") }()
    }

    /// - Parameter writes: false for a run that asks the cloud before its first entry.
    init(_ cloud: TestCloud, id: EdgeID = TestEdge.id, boot: UInt64 = 7, after entries: [Entry] = [], writes: Bool = true) {
        self.cloud = cloud; self.id = id; self.entries = entries
        self.boot = Boot(raw: boot)
        connection = boot * 100
        chain = Chain(edge: id, boot: self.boot, last: entries.last)
        let head = entries.last?.head ?? .start
        sender = Sender(Identity(edge: id, boot: self.boot, epoch: entries.last?.epoch ?? 1, release: "0.1.0"), head: head)
        if writes { write(.boot(BootFact(version: "0.1.0", mode: .paper, machine: "aa", kernelBoot: "bb", configuration: "cc"))) }
    }

    /// Writes a fact and tells the sender.
    @discardableResult func write(_ fact: Fact) -> Entry {
        do {
            let entry = try chain.append(Draft(fact), at: cloud.clock)
            entries.append(entry)
            waiting += sender.handle(.committed([entry]), at: cloud.clock)
            return entry
        } catch { preconditionFailure("\(error)") }
    }
    private var waiting: [Sender.Action] = []
    /// What the cloud signed and said of its backups.
    private(set) var countersigned: [CountersignedFact] = []
    private(set) var backups: [Seq] = []
    /// What it was told of copies of itself.
    private(set) var copies: [String] = []
    /// What its disk has instead of what was written.
    var rotten: [Seq: Entry?] = [:]
    var takesMends = true
    /// What its disk has lost for good.
    var lost: ClosedRange<UInt64>?
    /// False for a disk that is too busy to answer a comparison.
    var readsStored = true
    /// Its entries never arrive.
    var losesBatches = false
    /// The commands that HELLO says are understood, as an older release's would; nil for this release's.
    var commandKinds: [String]?

    func live(_ item: LiveItem) { waiting += sender.handle(.live(item), at: cloud.clock) }
    func market(_ bars: MarketBars) { waiting += sender.handle(.market(bars), at: cloud.clock) }

    // MARK: - The link

    func connect() throws {
        connection += 1
        isConnected = true
        waiting += sender.handle(.linkUp, at: cloud.clock)
        try pump()
    }
    func disconnect() {
        isConnected = false
        waiting = sender.handle(.linkDown, at: cloud.clock)
    }

    /// Lets time pass on both sides, then carries frames until both are quiet.
    func pass(_ span: Span) throws {
        cloud.pass(span)
        waiting += sender.handle(.tick, at: cloud.clock)
        try cloud.turn([.tick])
        try pump()
    }

    /// What waits to be sent is lost on its way.
    func lose() throws {
        for _ in 0..<100 where !waiting.isEmpty {
            let actions = waiting
            waiting = []
            var lost: [NodeInput] = []
            for action in actions { perform(action, &lost) }
        }
    }

    /// Carries frames both ways until both sides are quiet.
    func pump() throws {
        for _ in 0..<1_000 {
            let actions = waiting
            waiting = []
            var frames: [NodeInput] = []
            for action in actions { perform(action, &frames) }
            if isConnected, !frames.isEmpty { try cloud.turn(frames) }
            let down = cloud.take { if case .send(let bytes, let peer) = $0, peer.edge == id { bytes } else { nil } }
            if isConnected { for bytes in down { waiting += sender.handle(.frame(bytes), at: cloud.clock) } }
            if waiting.isEmpty { return }
        }
        preconditionFailure("the link never becomes quiet")
    }

    private func perform(_ action: Sender.Action, _ frames: inout [NodeInput]) {
        switch action {
        case .send(.bulk, _) where losesBatches: break
        case .send(let lane, let bytes):
            frames.append(.frame(asOlder(bytes), from: Peer(edge: id, connection: connection * 2 + UInt64(lane.rawValue))))
        case .read(let from, _, _) where lost?.contains(from.raw) == true:
            if sender.mayPassOver(from) { waiting += sender.handle(.unreadable(from), at: cloud.clock) }
        case .read(let from, let count, _):
            let found = Array(entries.dropFirst(Int(from.raw) - 1).prefix(count).prefix { lost?.contains($0.seq.raw) != true })
            waiting += sender.handle(.entries(from: from, found), at: cloud.clock)
        case .readHeads(let attempt, let seqs):
            let heads = seqs.filter { lost?.contains($0.raw) != true || $0.raw == lost?.upperBound }.compactMap { seq in
                seq.raw >= 1 && Int(seq.raw) <= entries.count ? entries[Int(seq.raw) - 1].head : nil
            }
            waiting += sender.handle(.heads(attempt: attempt, asked: seqs, heads), at: cloud.clock)
        case .deliver(let command, _): commands.append(command)
        case .reopen: reopened += 1
        case .readBranch(let after):
            let isLost = { (entry: Entry) in self.lost?.contains(entry.seq.raw) == true }
            var rest = entries.dropFirst(Int(after.seq.raw))
            if let first = rest.first, isLost(first) {
                guard sender.gap(over: first.seq) != nil else { break }
                rest = rest.drop(while: isLost)
            }
            waiting += sender.handle(.branch(after: after, Array(rest.prefix { !isLost($0) })), at: cloud.clock)
        case .settle(let settlement): settlements.append(settlement)
        case .readStored(let from, let through):
            guard readsStored else { break }
            let found = (from.raw...through.raw).map { number -> Entry? in
                if let bad = rotten[Seq(number)] { return bad }
                if lost?.contains(number) == true { return nil }
                return Int(number) <= entries.count ? entries[Int(number) - 1] : nil
            }
            waiting += sender.handle(.stored(from: from, found), at: cloud.clock)
        case .mend(let entry):
            // A journal takes what its own chain names.
            if entry == entries[Int(entry.seq.raw) - 1], takesMends { rotten.removeValue(forKey: entry.seq) }
            waiting += sender.handle(.mended(entry.seq), at: cloud.clock)
        case .countersigned(let fact): countersigned.append(fact)
        case .backedUp(let seq): backups.append(seq)
        case .copied(let words): copies.append(words)
        case .heal, .incarnation, .acked, .phase, .malformed, .signers, .serverKey: break
        }
    }

    private func asOlder(_ bytes: [UInt8]) -> [UInt8] {
        guard let commandKinds, let frame = try? Frame(bytes), case .hello(var hello)? = try? Message(frame) else { return bytes }
        hello.commandKinds = commandKinds
        return Message.hello(hello).frame(session: frame.session, number: frame.number).bytes
    }

    // MARK: - What it tells

    /// A connected, reconciled gateway with one front contract, its quote, margin and funds.
    func goLive(at price: Int64 = 98_750) {
        write(.instrument(TestEdge.contract))
        write(.brokerSession(BrokerSessionFact(connected: true, generation: 1, account: "DU4402117", text: "")))
        write(.reconciled(ReconciledFact(generation: 1, evidence: "e", differences: 0)))
        let now = cloud.clock.wall
        live(
            .gateway(
                GatewayState(
                    condition: .connected, since: now, text: "Connected to the paper gateway.", cure: "", account: "DU4402117", isTrading: true)))
        live(.front(symbol: "MBT", TestEdge.mbt, asOf: now))
        quote(price)
        var values = AccountValues(account: "DU4402117", currency: "USD", asOf: now)
        values.netLiquidation = Money(whole: 41_994); values.availableFunds = Money(whole: 32_874)
        live(.account(values))
        live(.margin(TestEdge.mbt, ContractMargin(initial: Money(whole: 1_850), maintenance: Money(whole: 1_681), asOf: now)))
        live(.formingBar(TestEdge.mbt, Bar(start: Timeframe.minute.start(of: now), price: Price(whole: price), size: Quantity(whole: 1)), asOf: now))
    }
    func quote(_ price: Int64) {
        var quote = Quote(asOf: cloud.clock.wall)
        quote.bid = Price(whole: price - 5); quote.ask = Price(whole: price); quote.last = Price(whole: price)
        live(.quote(TestEdge.mbt, quote))
    }
    static let contract = Instrument(
        id: mbt, symbol: "MBT", securityType: .future, exchange: "CME", currency: "USD", localSymbol: "MBTZ6", tradingClass: "MBT",
        multiplier: Quantity(raw: 10_000_000), minPriceIncrement: Price(whole: 5), lotStep: Quantity(whole: 1),
        maturityDate: CivilDate(year: 2026, month: 12, day: 24), brokerContractID: 7)

    /// Obeys an order command: intent, report, fill.
    @discardableResult func fill(_ command: Command?, side: Side = .buy, quantity: Int64 = 3, role: LegRole = .open) -> Entry {
        let size = Quantity(whole: quantity)
        let leg = Leg(
            role: role, instrument: TestEdge.mbt, side: side, quantity: size, ordType: .market, timeInForce: .day, brokerOrderID: Int64(entries.count)
        )
        let intent = write(.intent(Ticket(account: "DU4402117", origin: .manual, command: command?.id, reason: "asked", legs: [leg])))
        let tag = ClOrdID(edge: id, intent: IntentID(boot: intent.boot, seq: intent.seq), leg: 0)
        write(.orderReport(OrderReport(tag: tag, status: .new, permID: 1_480_332_900)))
        write(
            .fill(
                Fill(
                    execID: "0000e0d5.\(entries.count).01.01", tag: tag, account: "DU4402117", instrument: TestEdge.mbt, side: side, lastQty: size,
                    lastPx: Price(whole: 98_335), cumQty: size, permID: 1_480_332_900, transactTime: cloud.clock.wall)))
        return intent
    }
    func accept(_ command: Command) {
        write(.commandAccepted(CommandOutcome(command: command.id, kind: command.body.kind, issuer: command.issuer, code: "done", text: "")))
    }
    func refuse(_ command: Command, _ text: String) {
        write(.commandRefused(CommandOutcome(command: command.id, kind: command.body.kind, issuer: command.issuer, code: "no", text: text)))
    }
}

extension TestCloud {
    /// A cloud with one edge that is linked, live, and quiet.
    static func linked(_ rules: Rules = Rules()) throws -> (TestCloud, TestEdge) {
        let cloud = try TestCloud(edges: [TestEdge.id], rules: rules)
        let edge = TestEdge(cloud)
        edge.goLive()
        try edge.connect()
        try edge.pass(.milliseconds(250))
        return (cloud, edge)
    }
}
