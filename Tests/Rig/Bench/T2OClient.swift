// `rig t2o-client HOST PORT`: the edge agent as it runs in production, with one rule that answers a traded price by a buy stop at that price.
import EdgeAgent
import Glibc
import Ledger
import Platform
import Trading
import Values
import Venues
import Views

/// The client of the tick-to-order contract: it ends when its gateway hangs up.
///
/// All of an edge's duties are on: risk gate, ledger with a full sync before each order, reconciliation, live state, local socket.
/// What is not: the link to a cloud (the edge is not enrolled), and the pacing of 40 messages a second, which the contract forbids.
enum T2OClient {
    static let command = RigCommand(
        spec: CommandSpec(
            "t2o-client", operands: ["HOST", "PORT"],
            options: [
                CommandOption("data", value: "DIR", "keeps the ledger here; by default in a temporary folder that is removed"),
                CommandOption("trigger", value: "PRICE", "every traded price from here on is answered by an order (1000)"),
            ],
            "Trades as the edge does: a buy stop of 1 AAPL at each traded price of 1000 and more, journalled before it leaves.\n"
                + "Ends with the connection."),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        guard let port = Int(options.operands[1]), (1...65_535).contains(port) else {
            throw UsageError(text: "PORT wants a number of 1 to 65535, not '\(options.operands[1])'")
        }
        let trigger = try options.number("trigger", in: 1...1_000_000, default: Int64(1_000))
        Log.setThreshold(.warning)
        let data = try BenchFolder(kept: options.text("data"))
        try trade(host: options.operands[0], port: port, trigger: Price(whole: trigger), folder: EdgeFolder(data.path))
        return 0
    }

    private static func trade(host: String, port: Int, trigger: Price, folder: EdgeFolder) throws {
        var book = Book()
        var milestones = Milestones()
        let journal = try Journal(path: folder.ledger, edge: try folder.identity()) { entry in
            book.apply(entry)
            milestones.note(entry)
        }
        let boot = Boot(raw: UInt64.random(in: .min ... .max))
        guard let zone = ZoneFiles.zone("America/New_York") else { throw UsageError(text: "the time zones of tzdata are missing") }
        var settings = IBKRSettings(clientID: 7, mode: .paper, zones: ZoneResolver(standard: zone) { ZoneFiles.zone($0) })
        settings.limits.messagesPerSecond = 1_000_000
        let session = OneConnection(
            IBKRSession(
                settings: settings, instruments: [.stock(symbol: "AAPL", primaryExchange: "NASDAQ", currency: "USD")],
                nextOrderID: book.highestBrokerOrderID + 1, random: SeededRandom(seed: boot.raw)))
        var desk = DeskSettings(mode: .paper)
        // The player tells trades alone, and what the account has but once.
        desk.trustsLastAlone = true; desk.countsFundsInFlight = false; desk.fundsAgeMax = .hours(24); desk.marginAgeMax = .hours(24)
        desk.priceRules = [StopAtPrice(instrument: InstrumentID("AAPL.NASDAQ"), trigger: trigger)]
        let agent = Agent(journal: journal, book: book, boot: boot, settings: desk, session: session, milestones: milestones)
        let loop = EdgeLoop(
            agent: agent, folder: folder, settings: EdgeLoopSettings(name: "bench", gatewayHost: host, gatewayPort: port))
        try loop.run(BootFact(version: Version.product, mode: .paper, machine: "", kernelBoot: "", configuration: "t2o-client"))
    }
}

/// A buy stop of one at exactly the price that was traded.
private struct StopAtPrice: PriceRule {
    let instrument: InstrumentID
    let trigger: Price
    var instruments: [InstrumentID] { [instrument] }

    func wish(_ instrument: InstrumentID, tradedAt price: Price, at now: Instant) -> OrderWish? {
        guard price >= trigger else { return nil }
        return OrderWish(
            instrument: instrument, side: .buy, quantity: Quantity(whole: 1), role: .open, origin: .bot, bot: "t2o", ordType: .stop, stopPrice: price)
    }
}

/// The gateway's session for one connection: when that is over, the process is asked to stop in order, as by its supervisor.
private struct OneConnection: VenueSession {
    private var session: IBKRSession
    init(_ session: IBKRSession) { self.session = session }

    mutating func start(at now: Instant, into out: inout SessionOutput) { session.start(at: now, into: &out) }
    mutating func transport(_ event: TransportEvent, at now: Instant, into out: inout SessionOutput) {
        session.transport(event, at: now, into: &out)
        if case .disconnected = event { kill(getpid(), SIGTERM) }
    }
    mutating func receive(_ bytes: RawSpan, at now: Instant, into out: inout SessionOutput) { session.receive(bytes, at: now, into: &out) }
    mutating func tick(at now: Instant, into out: inout SessionOutput) { session.tick(at: now, into: &out) }
    mutating func clockWasSet(by step: Span, at now: Instant, into out: inout SessionOutput) {
        session.clockWasSet(by: step, at: now, into: &out)
    }
    mutating func place(_ intent: consuming DurableIntent, at now: Instant, into out: inout SessionOutput) {
        session.place(intent, at: now, into: &out)
    }
    mutating func request(_ request: VenueRequest, at now: Instant, into out: inout SessionOutput) { session.request(request, at: now, into: &out) }
}
