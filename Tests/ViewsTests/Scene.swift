// The edge of the golden samples, built from facts: long 3 MBTZ6 with a trailing stop, long 120 NVDA by the bot.
import Ledger
import Values
import Views

struct Scene {
    static let id = EdgeID(hex: "5d41402abc4b2a76b9719d911017c592") ?? { preconditionFailure("32 digits") }()
    static let boot = Boot(raw: 0x1f3c_5a77_90b2_d4e6)
    static let mbt = InstrumentID("MBTZ6.CME")
    static let nvda = InstrumentID("NVDA.NASDAQ")
    static let longCommand = command("0192f3a4b5c67d8e9fa0b1c2d3e4f501")
    static let refusedCommand = command("0192f3a4b5c67d8e9fa0b1c2d3e4f502")
    static let now = at("2026-12-01T14:30:05.250Z")
    static let heard = at("2026-12-01T14:30:05.010Z")

    var book = Book(edge: id)
    var live = LiveState()
    var link = LinkPicture(state: .live, lastHeard: heard, announced: Seq(0), acked: Seq(0))
    var milestones = Milestones()
    private(set) var entries: [Entry] = []
    private var chain = Chain(edge: id, boot: boot, last: nil)
    var wall = at("2026-12-01T14:12:40.000Z")

    static func at(_ text: String) -> Instant {
        let parts = text.split { "-T:.Z".contains($0) }.compactMap { Int($0) }
        guard parts.count == 7, let date = CivilDate(year: parts[0], month: parts[1], day: parts[2]) else { preconditionFailure("a time: \(text)") }
        return date.startUTC + .seconds(Int64(parts[3] * 3_600 + parts[4] * 60 + parts[5])) + .milliseconds(Int64(parts[6]))
    }
    static func command(_ hex: String) -> CommandID {
        guard let id = CommandID(hex: hex) else { preconditionFailure("32 digits") }
        return id
    }
    static func money(_ text: String) -> Money {
        do { return try Money(text) } catch { preconditionFailure("\(error)") }
    }
    static func price(_ text: String) -> Price {
        do { return try Price(text) } catch { preconditionFailure("\(error)") }
    }

    var picture: EdgePicture {
        var link = link
        if link.announced < book.head.seq { link.announced = book.head.seq; link.acked = book.head.seq }
        return EdgePicture(id: Scene.id, name: "home-1", book: book, live: live, link: link, milestones: milestones)
    }

    @discardableResult mutating func write(_ fact: Fact) -> Entry {
        wall = wall + .milliseconds(1)
        do {
            let entry = try chain.append(Draft(fact), at: ClockReading(wall: wall, monotonic: wall - Instant(seconds: 0)))
            book.apply(entry); milestones.note(entry); entries.append(entry)
            return entry
        } catch { preconditionFailure("\(error)") }
    }

    func tag(_ entry: Entry, leg: Int = 0) -> ClOrdID { ClOrdID(edge: Scene.id, intent: IntentID(boot: entry.boot, seq: entry.seq), leg: leg) }

    mutating func fill(_ tag: ClOrdID, _ exec: String, _ instrument: InstrumentID, _ quantity: Int64, _ price: String, commission: String) {
        write(
            .fill(
                Fill(
                    execID: exec, tag: tag, account: "DU4402117", instrument: instrument, side: .buy, lastQty: Quantity(whole: quantity),
                    lastPx: Scene.price(price), cumQty: Quantity(whole: quantity), permID: 1_480_332_900, transactTime: wall)))
        write(.commission(Commission(execID: exec, amount: Scene.money(commission), currency: "USD")))
    }

    static func instrument(_ id: InstrumentID, _ symbol: String, _ type: SecurityType, multiplier: String, tick: String, expiry: String?)
        -> Instrument
    {
        Instrument(
            id: id, symbol: symbol, securityType: type, exchange: type == .future ? "CME" : "SMART", currency: "USD",
            localSymbol: String(id.text.prefix { $0 != "." }), tradingClass: symbol, multiplier: Quantity(raw: price(multiplier).raw),
            minPriceIncrement: price(tick), lotStep: Quantity(whole: 1), maturityDate: expiry.flatMap { CivilDate($0) }, brokerContractID: 7)
    }

    /// Everything of the samples.
    static func full() -> Scene {
        var scene = Scene()
        scene.write(.boot(BootFact(version: "0.1.0", mode: .paper, machine: "aa", kernelBoot: "bb", configuration: "cc")))
        scene.write(.instrument(instrument(mbt, "MBT", .future, multiplier: "0.1", tick: "5", expiry: "20261224")))
        scene.write(.instrument(instrument(nvda, "NVDA", .stock, multiplier: "1", tick: "0.01", expiry: nil)))
        scene.write(.brokerSession(BrokerSessionFact(connected: true, generation: 1, account: "DU4402117", text: "")))
        scene.write(.reconciled(ReconciledFact(generation: 1, evidence: "e", differences: 0)))
        let bot = scene.write(.intent(ticket(.bot, nil, "momentum", nvda, 120, .percent(Ratio(raw: 100_000)))))
        scene.fill(scene.tag(bot), "0000e0d5.674c1a01.01.01", nvda, 120, "181.42", commission: "1")
        scene.write(.stopMoved(tag: scene.tag(bot, leg: 1), level: price("168.31")))
        let entry = scene.write(.intent(ticket(.manual, longCommand, nil, mbt, 3, .percent(Ratio(raw: 15_000)))))
        scene.write(.orderReport(OrderReport(tag: scene.tag(entry), status: .new, permID: 1_480_332_900)))
        scene.write(.orderReport(OrderReport(tag: scene.tag(entry, leg: 1), status: .new, permID: 1_480_332_901)))
        scene.fill(scene.tag(entry), "0000e0d5.674c1a2b.01.01", mbt, 2, "98335", commission: "4.74")
        scene.fill(scene.tag(entry), "0000e0d5.674c1a2b.02.01", mbt, 1, "98335", commission: "2.37")
        scene.write(.stopMoved(tag: scene.tag(entry, leg: 1), level: price("97270")))
        scene.write(
            .denied(
                Denial(
                    rule: "insufficientFunds", instrument: mbt, side: .buy, quantity: Quantity(whole: 400), origin: .manual, command: refusedCommand,
                    text: "400 contracts need 740,000.00 USD of initial margin; 32,874.70 USD are available.")))
        scene.write(
            .commandRefused(
                CommandOutcome(command: refusedCommand, kind: "order", issuer: "cloud:admin", code: "insufficientFunds", text: "Not enough funds.")))
        scene.goLive()
        return scene
    }

    private static func ticket(
        _ origin: OrderOrigin, _ command: CommandID?, _ bot: String?, _ id: InstrumentID, _ quantity: Int64, _ trailing: TrailingOffset
    ) -> Ticket {
        let size = Quantity(whole: quantity)
        return Ticket(
            account: "DU4402117", origin: origin, command: command, bot: bot, reason: "asked by cloud:admin",
            legs: [
                Leg(role: .open, instrument: id, side: .buy, quantity: size, ordType: .market, timeInForce: .day, brokerOrderID: 1),
                Leg(
                    role: .protect, instrument: id, side: .sell, quantity: size, ordType: .trailingStop, trailing: trailing, timeInForce: .gtc,
                    parent: 0, brokerOrderID: 2),
            ])
    }

    mutating func goLive() {
        var quote = Quote(asOf: Scene.heard)
        quote.bid = Price(whole: 98_745); quote.bidSize = Quantity(whole: 12); quote.ask = Price(whole: 98_750); quote.askSize = Quantity(whole: 9)
        quote.last = Price(whole: 98_750); quote.lastSize = Quantity(whole: 2); quote.close = Price(whole: 97_675)
        live.apply(.quote(Scene.mbt, quote))
        var stock = Quote(asOf: Scene.heard)
        stock.bid = Scene.price("186.19"); stock.ask = Scene.price("186.21"); stock.last = Scene.price("186.2"); stock.close = Scene.price("183.05")
        live.apply(.quote(Scene.nvda, stock))
        var values = AccountValues(account: "DU4402117", currency: "USD", asOf: Scene.heard)
        values.netLiquidation = Scene.money("41994.7"); values.availableFunds = Scene.money("32874.7")
        values.initialMargin = Scene.money("9120"); values.maintenanceMargin = Scene.money("8290.9")
        live.apply(.account(values))
        live.apply(
            .margin(
                Scene.mbt,
                ContractMargin(initial: Scene.money("1850"), maintenance: Scene.money("1681.77"), asOf: Scene.at("2026-12-01T14:28:40.000Z"))))
        live.apply(
            .gateway(
                GatewayState(
                    condition: .connected, since: Scene.at("2026-12-01T09:00:03.900Z"), text: "Connected to the paper gateway.", cure: "",
                    account: "DU4402117", isTrading: true)))
        live.apply(.front(symbol: "MBT", Scene.mbt, asOf: Scene.heard))
        let bar = Bar(
            start: Scene.at("2026-12-01T14:30:00.000Z"), open: Price(whole: 98_745), high: Price(whole: 98_785), low: Price(whole: 98_675),
            close: Price(whole: 98_745), volume: Quantity(whole: 81))
        live.apply(.formingBar(Scene.mbt, bar, asOf: Scene.heard))
        live.apply(.bot(BotLive(bot: "momentum", instrument: Scene.nvda, state: "holding", text: "In position.", asOf: Scene.heard)))
        live.apply(
            .notice(
                Notice(
                    code: 354, instrument: InstrumentID("AMD.NASDAQ"), text: "the account has no subscription", cure: "Subscribe.",
                    asOf: Scene.at("2026-12-01T14:00:00.000Z"))))
    }
}
