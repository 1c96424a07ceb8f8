// The real session joined to the simulated gateway, bytes to bytes, under virtual time.
import Ledger
import Simulation
import Testing
import Values
import Venues

/// A session, a gateway, and the wire between them.
struct SessionBench {
    var session: IBKRSession
    var gateway: IBKRGateway
    var now: Instant
    /// All events so far; tests take what they have looked at.
    private(set) var events: [VenueEvent] = []
    private(set) var connections: UInt64 = 0
    private var line: GatewayConnection?
    /// While true, nobody listens: connecting fails.
    var isGatewayGone = false
    private var output = SessionOutput()
    private let mint: IntentMint
    private(set) var nextID: Int64 = 1

    static let zones: ZoneResolver = {
        // A fixed offset will do: the bench's day has no change of clocks.
        let eastern = Zone(name: "US/Eastern", fixedOffset: -5 * 3_600)
        let central = Zone(name: "US/Central", fixedOffset: -6 * 3_600)
        return ZoneResolver(standard: eastern) { name in ["US/Eastern": eastern, "US/Central": central][name] }
    }()
    static let wishes: [InstrumentWish] = [
        .future(symbol: "MBT", exchange: "CME", currency: "USD"), .stock(symbol: "AAPL", primaryExchange: "NASDAQ", currency: "USD"),
    ]
    static let front = InstrumentID("MBTX6.CME")

    init(
        _ gatewaySettings: GatewaySettings = GatewaySettings(), mode: TradingMode = .paper, clientID: Int64 = 7, account: String = "",
        delayed: Bool = false, seed: UInt64 = 1
    ) throws {
        now = friday
        mint = try IntentMint(seed: seed)
        let exchange = try GatewayBench.exchange(seed: seed)
        gateway = IBKRGateway(settings: gatewaySettings, exchange: exchange, at: friday)
        var settings = IBKRSettings(clientID: clientID, mode: mode, account: account, marketData: delayed ? .delayed : .live, zones: Self.zones)
        settings.history = .minutes(30)
        session = IBKRSession(settings: settings, instruments: Self.wishes, nextOrderID: 1, random: SeededRandom(seed: seed))
        session.start(at: now, into: &output)
        flush()
    }

    /// A session that has connected, found its contracts and watches the front month.
    static func ready(_ settings: GatewaySettings = GatewaySettings(), seed: UInt64 = 1) throws -> SessionBench {
        var bench = try SessionBench(settings, seed: seed)
        bench.pass(.seconds(2))
        bench.ask(.watch(front))
        bench.pass(.seconds(3))
        return bench
    }

    // MARK: What a test does

    mutating func pass(_ span: Span, step: Span = .milliseconds(100)) {
        let end = now + span
        while now < end {
            now = min(end, now + step)
            take(gateway.advance(to: now))
            session.tick(at: now, into: &output)
            flush()
        }
    }
    mutating func ask(_ request: VenueRequest) {
        session.request(request, at: now, into: &output)
        flush()
    }
    mutating func suffer(_ incident: GatewayIncident) { take(gateway.suffer(incident, at: now)) }
    /// The gateway forgets every subscription without a word, as real ones do after their nightly reset.
    mutating func forgetStreams() {
        _ = gateway.suffer(.linkLost, at: now)
        _ = gateway.suffer(.linkRestored(dataLost: true), at: now)
    }
    /// The network between the two breaks.
    mutating func cut(_ words: String = "connection reset") {
        guard let line else { return }
        self.line = nil
        take(gateway.disconnect(line, at: now))
        session.transport(.disconnected(words), at: now, into: &output)
        flush()
    }

    /// Numbers the legs, makes the intent durable and places it.
    @discardableResult
    mutating func place(_ legs: [Leg], account: String = "DU1234567") throws -> [Int64] {
        var legs = legs
        for index in legs.indices { legs[index].brokerOrderID = max(nextID, session.floor) + Int64(index) }
        nextID = (legs.last?.brokerOrderID ?? 0) + 1
        let ticket = Ticket(account: account, origin: .manual, reason: "test", legs: legs)
        session.place(try mint.mint(ticket, at: now), at: now, into: &output)
        flush()
        return legs.map(\.brokerOrderID)
    }

    /// The gateway says these messages in one breath: the session reads them together.
    mutating func say(_ messages: [[String]]) {
        let bytes = messages.flatMap { fields -> [UInt8] in
            let payload: [UInt8] = fields.flatMap { Array($0.utf8) + [0] }
            let length: [UInt8] = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: payload.count >> $0) }
            return length + payload
        }
        session.receive(bytes.span.bytes, at: now, into: &output)
        flush()
    }

    /// Everything heard since the last look.
    mutating func hear() -> [VenueEvent] {
        defer { events = [] }
        return events
    }

    // MARK: The wire

    private mutating func flush() {
        while !output.bytes.isEmpty || output.transport != nil || !output.events.isEmpty {
            let (bytes, wish) = (output.bytes, output.transport)
            events += output.events
            output.clear()
            if !bytes.isEmpty, let line { take(gateway.receive(line, bytes, at: now)) }
            switch wish {
            case .connect, .connectTo: connect()
            case .disconnect:
                if let line {
                    self.line = nil
                    take(gateway.disconnect(line, at: now))
                }
                session.transport(.disconnected("closed"), at: now, into: &output)
            case nil: break
            }
        }
    }

    private mutating func connect() {
        guard !isGatewayGone else { return session.transport(.disconnected("connection refused"), at: now, into: &output) }
        connections += 1
        let line = GatewayConnection(connections)
        self.line = line
        take(gateway.connect(line, at: now))
        session.transport(.connected, at: now, into: &output)
    }

    private mutating func take(_ outputs: [GatewayOutput]) {
        _ = gateway.takeRecords()
        for item in outputs {
            switch item {
            case .send(let connection, let bytes): if connection == line { session.receive(bytes.span.bytes, at: now, into: &output) }
            case .close(let connection):
                guard connection == line else { continue }
                line = nil
                session.transport(.disconnected("closed by the gateway"), at: now, into: &output)
            }
        }
        flush()
    }
}

extension [VenueEvent] {
    var conditions: [GatewayState] { compactMap { if case .condition(let state, _) = $0 { state } else { nil } } }
    var orders: [BrokerOrder] { compactMap { if case .order(let order, _) = $0 { order } else { nil } } }
    func orders(_ id: Int64) -> [BrokerOrder] { orders.filter { $0.brokerOrderID == id } }
    var fills: [BrokerFill] { compactMap { if case .fill(let fill) = $0 { fill } else { nil } } }
    var commissions: [Commission] { compactMap { if case .commission(let report) = $0 { report } else { nil } } }
    var notices: [Notice] { compactMap { if case .notice(let notice) = $0 { notice } else { nil } } }
    var snapshots: [BrokerSnapshot] { compactMap { if case .snapshot(let snapshot) = $0 { snapshot } else { nil } } }
    var generations: [Int64] { compactMap { if case .ready(_, let generation, _) = $0 { generation } else { nil } } }
    var instruments: [Instrument] { compactMap { if case .instrument(let instrument) = $0 { instrument } else { nil } } }
    func quotes(_ id: InstrumentID) -> [Quote] { compactMap { if case .quote(id, let quote) = $0 { quote } else { nil } } }
    var sent: [Int64] { flatMap { if case .sent(let ids) = $0 { ids } else { [Int64]() } } }
}

/// A second program at the same gateway, whose answers nobody reads.
struct OtherClient {
    let connection: GatewayConnection
    func send(_ fields: [String], to gateway: inout IBKRGateway, at now: Instant) {
        _ = gateway.receive(connection, GatewayBench.prefixed(fields.flatMap { Array($0.utf8) + [0] }), at: now)
    }
}

extension GatewayBench {
    /// Connects a second client under this id.
    static func client(_ id: UInt64, greetingOn gateway: inout IBKRGateway, at now: Instant) -> OtherClient {
        let other = OtherClient(connection: GatewayConnection(1_000 + id))
        _ = gateway.connect(other.connection, at: now)
        _ = gateway.receive(other.connection, Array("API\0".utf8) + prefixed(Array("v157..178".utf8)), at: now)
        other.send(["71", "2", String(id), ""], to: &gateway, at: now)
        return other
    }
}
