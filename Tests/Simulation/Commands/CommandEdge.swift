// One process of the edge in a world of commands: the desk with its chain and the sender, beside a broker that fills at once.
internal import Ledger
internal import Sync
internal import Trading
internal import Values

/// What is lost when the process ends, and how the broker answers it.
struct CommandEdge {
    enum Death { case beforeCommit, afterCommit }

    let boot: Boot
    var desk: Desk
    var sender: Sender
    /// At which side of the next commit the process ends.
    var dies: Death?
    private var chain: Chain
    private let rules: Rules
    private var quotedAt: Instant?

    init(_ mutant: CommandMutant, boot: Boot, ledger: [Entry], at now: Span) {
        self.boot = boot
        rules = mutant.link
        chain = Chain(edge: CommandWorld.edge, boot: boot, last: ledger.last)
        var book = Book(edge: CommandWorld.edge)
        for entry in ledger { book.apply(entry) }
        var settings = DeskSettings(mode: .paper, settle: .milliseconds(100), snapshotGap: .milliseconds(100))
        settings.commandRules = mutant.desk
        desk = Desk(settings: settings, book: book)
        sender = Sender(Identity(edge: CommandWorld.edge, boot: boot, epoch: 1, release: "r"), head: ledger.last?.head ?? .start, rules: rules)
    }

    /// The first entry of the run is durable: the link may tell of it.
    mutating func announce(_ head: Head) {
        sender = Sender(Identity(edge: CommandWorld.edge, boot: boot, epoch: 1, release: "r"), head: head, rules: rules)
    }

    mutating func append(_ draft: Draft, at clock: ClockReading) -> Entry? {
        guard let entry = try? chain.append(draft, at: clock) else { return nil }
        desk.apply(CollectionOfOne(entry))
        return entry
    }

    // MARK: - The broker

    /// Connected, compared, priced.
    func venue(_ fills: [BrokerFill], at now: Instant) -> [VenueEvent] {
        let state = GatewayState(condition: .connected, since: now, text: "connected", cure: "", account: "DU1", isTrading: false)
        let instrument = Instrument(
            id: CommandWorld.mbt, symbol: "MBT", securityType: .future, exchange: "CME", currency: "USD", localSymbol: "MBTZ6", tradingClass: "MBT",
            multiplier: Quantity(raw: 10_000_000), minPriceIncrement: Price(whole: 5), lotStep: Quantity(whole: 1),
            maturityDate: CivilDate("20261224"), brokerContractID: 99)
        return [.condition(state, generation: 1), .ready(account: "DU1", generation: 1, nextOrderID: 5), .instrument(instrument)] + figures(at: now)
    }

    /// The account's funds and a contract's margin, as of now.
    func figures(at now: Instant) -> [VenueEvent] {
        var values = AccountValues(account: "DU1", currency: "USD", asOf: now)
        values.availableFunds = Money(whole: 50_000_000); values.netLiquidation = Money(whole: 60_000_000)
        let margin = ContractMargin(initial: Money(whole: 2_000), maintenance: Money(whole: 1_800), asOf: now)
        return [.account(values), .margin(CommandWorld.mbt, margin)]
    }

    mutating func quoteDue(at now: Instant) -> Bool {
        guard quotedAt.map({ now < $0 || now - $0 > .seconds(1) }) ?? true else { return false }
        quotedAt = now
        return true
    }

    func quote(at now: Instant) -> VenueEvent {
        var quote = Quote(asOf: now)
        quote.last = Price(whole: 98_000); quote.bid = Price(whole: 97_995); quote.ask = Price(whole: 98_005)
        return .quote(CommandWorld.mbt, quote)
    }

    /// Each leg of an intent, filled whole.
    func fills(of entry: Entry, count: Int, at now: Instant) -> [BrokerFill] {
        guard case .intent(let ticket)? = try? entry.decoded(), let tags = try? entry.intentTags() else { return [] }
        return zip(ticket.legs, tags).enumerated().map { index, pair in
            let (leg, tag) = pair
            let fill = Fill(
                execID: "x\(count + index)", tag: nil, account: "DU1", instrument: leg.instrument, side: leg.side, lastQty: leg.quantity,
                lastPx: Price(whole: 98_000), cumQty: leg.quantity, permID: Int64(count + index + 1), transactTime: now)
            return BrokerFill(fill: fill, reference: tag.text, brokerOrderID: leg.brokerOrderID)
        }
    }

    func snapshot(_ fills: [BrokerFill], at now: Instant) -> VenueEvent {
        let net = fills.reduce(Int64(0)) { $0 + ($1.fill.side == .buy ? $1.fill.lastQty.raw : -$1.fill.lastQty.raw) }
        let positions = net == 0 ? [] : [BrokerPosition(account: "DU1", instrument: CommandWorld.mbt, quantity: Quantity(raw: net))]
        let replayed = fills.map { one in
            var one = one
            one.isReplayed = true
            return one
        }
        return .snapshot(
            BrokerSnapshot(
                generation: 1, startedAt: now, completedAt: now, openOrders: [], completedOrders: [], fills: replayed, positions: positions))
    }
}
