// A desk with a chain under it, for tests: inputs in, committed facts and actions out, time by hand.
import Ledger
import Testing
import Trading
import Values

struct TestDesk {
    static let edge = EdgeID(bytes: Array(0..<16)) ?? { preconditionFailure("16 bytes") }()
    static let mbt = InstrumentID("MBTZ6.CME")
    static let instrument = Instrument(
        id: mbt, symbol: "MBT", securityType: .future, exchange: "CME", currency: "USD", localSymbol: "MBTZ6", tradingClass: "MBT",
        multiplier: Quantity(raw: 10_000_000), minPriceIncrement: Price(whole: 5), lotStep: Quantity(whole: 1), maturityDate: CivilDate("20261224"),
        brokerContractID: 99)

    var chain: Chain
    var desk: Desk
    /// The desk's own time.
    var now = Instant(seconds: 1_795_000_000)
    /// How far the wall clock, which entries are stamped by, is from it.
    var wallAhead = Span.zero
    var facts: [Fact] = []
    var entries: [Entry] = []
    /// Actions of the last input, with the draft's place.
    var actions: [Action] = []
    var placed: [ClOrdID] = []
    var nextCommand: UInt8 = 0

    init(settings: DeskSettings = DeskSettings(mode: .paper)) throws {
        chain = Chain(edge: TestDesk.edge, boot: Boot(raw: 1), last: nil)
        desk = Desk(settings: settings, book: Book(edge: TestDesk.edge))
        try commit([Draft(.boot(BootFact(version: "v", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))])
    }

    mutating func commit(_ drafts: [Draft]) throws {
        var refused: [Draft] = []
        for draft in drafts {
            let posted = desk.posted(draft)
            refused += posted.refused
            try append(posted.draft)
        }
        for draft in refused { try append(draft) }
    }

    private mutating func append(_ draft: Draft) throws {
        let entry = try chain.append(draft, at: ClockReading(wall: now + wallAhead, monotonic: Span(nanoseconds: now.nanoseconds)))
        desk.apply([entry]); entries.append(entry); facts.append(draft.fact)
    }

    @discardableResult mutating func send(_ input: DeskInput) throws -> Outcome {
        let outcome = desk.handle(input, at: now)
        let before = entries.count
        try commit(outcome.drafts)
        actions = outcome.actions
        for case .place(let draft, _) in actions { placed += try entries[before + draft].intentTags() }
        return outcome
    }

    @discardableResult mutating func send(_ event: VenueEvent) throws -> Outcome { try send(.venue(event)) }

    mutating func tick(_ seconds: Int64 = 1) throws { now = now + .seconds(seconds); try send(.timer) }

    /// Connected, reconciled, instrument known, quote and account fresh.
    mutating func makeReady(generation: Int64 = 1, positions: [BrokerPosition] = []) throws {
        try send(.condition(gateway(.connected), generation: generation))
        try send(.ready(account: "DU1", generation: generation, nextOrderID: 5))
        try send(.instrument(TestDesk.instrument))
        if actions.contains(.snapshot) || !desk.isTrading { try send(.snapshot(snapshot(generation, positions: positions))) }
        try quote(98_000)
        try tellAccount()
        try tellMargin()
    }

    mutating func tellAccount(in currency: String = "USD") throws {
        var values = AccountValues(account: "DU1", currency: currency, asOf: now)
        values.availableFunds = Money(whole: 50_000); values.netLiquidation = Money(whole: 60_000)
        try send(.account(values))
    }
    mutating func tellMargin() throws {
        try send(.margin(TestDesk.mbt, ContractMargin(initial: Money(whole: 2_000), maintenance: Money(whole: 1_800), asOf: now)))
    }

    /// The clock that the desk is told by is set.
    mutating func setClock(by step: Span) {
        now = now + step
        desk.clockWasSet(by: step)
    }

    func gateway(_ condition: GatewayCondition) -> GatewayState {
        GatewayState(condition: condition, since: now, text: "\(condition)", cure: "", account: "DU1", isTrading: false)
    }

    func snapshot(
        _ generation: Int64, open: [BrokerOrder] = [], completed: [BrokerOrder] = [], fills: [BrokerFill] = [], positions: [BrokerPosition] = []
    ) -> BrokerSnapshot {
        BrokerSnapshot(
            generation: generation, startedAt: now, completedAt: now, openOrders: open, completedOrders: completed, fills: fills, positions: positions
        )
    }

    mutating func quote(_ price: Int64, _ id: InstrumentID = TestDesk.mbt) throws {
        var quote = Quote(asOf: now)
        quote.last = Price(whole: price); quote.bid = Price(whole: price - 5); quote.ask = Price(whole: price + 5)
        try send(.quote(id, quote))
    }

    /// What the account has and a contract takes, as told just now; nil leaves it as it was.
    mutating func tell(funds: Money? = nil, margin: Money) throws {
        if let funds {
            var values = AccountValues(account: "DU1", currency: "USD", asOf: now)
            values.availableFunds = funds
            try send(.account(values))
        }
        try send(.margin(TestDesk.mbt, ContractMargin(initial: margin, maintenance: margin, asOf: now)))
    }

    mutating func command(_ body: CommandBody, boot: UInt64 = 1, lifetime: Int64 = 10) throws -> CommandID {
        nextCommand += 1
        let id = try #require(CommandID(bytes: [UInt8](repeating: nextCommand, count: 16)))
        try send(make(body, id, boot: boot, lifetime: lifetime))
        return id
    }

    func make(_ body: CommandBody, _ id: CommandID, boot: UInt64 = 1, lifetime: Int64 = 10) -> DeskInput {
        .command(
            Command(
                id: id, edge: TestDesk.edge, boundBoot: Boot(raw: boot), issuer: "cloud:admin", tier: 2, issuedAt: now, expiresAt: nil, body: body),
            deadline: now + .seconds(lifetime))
    }

    func brokerOrder(_ tag: ClOrdID, _ status: OrdStatus, permID: Int64 = 70, text: String = "") throws -> BrokerOrder {
        let order = try #require(desk.book.order(tag))
        return BrokerOrder(
            reference: tag.text, brokerOrderID: order.leg.brokerOrderID, permID: permID, clientID: 1, account: "DU1",
            instrument: order.leg.instrument,
            side: order.leg.side, quantity: order.quantity, cumQty: order.cumQty, status: status, text: text)
    }

    func brokerFill(_ tag: ClOrdID, _ exec: String, _ quantity: Int64, _ price: Int64) throws -> BrokerFill {
        let order = try #require(desk.book.order(tag))
        let fill = Fill(
            execID: exec, tag: nil, account: "DU1", instrument: order.leg.instrument, side: order.leg.side, lastQty: Quantity(whole: quantity),
            lastPx: Price(whole: price), cumQty: Quantity(whole: quantity), permID: 70, transactTime: now)
        return BrokerFill(fill: fill, reference: tag.text, brokerOrderID: order.leg.brokerOrderID)
    }

    var refusal: CommandOutcome? { for case .commandRefused(let outcome) in facts.reversed() { return outcome }; return nil }
    var denial: Denial? { for case .denied(let denial) in facts.reversed() { return denial }; return nil }
}
