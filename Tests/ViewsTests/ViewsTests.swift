// The views against the contract and the golden samples.
import Contract
import Ledger
import Testing
import Values
import Views
import Wire

@Suite struct ViewsTests {
    private let contract: Contract
    private let scene = Scene.full()
    init() throws { contract = try Contract() }

    /// My row against the sample's: same keys, and the same values but for the keys that name ledger positions.
    private func compare(_ mine: JSONValue, _ sample: JSONValue, except: Set<String> = [], absent: Set<String> = []) {
        let own = Set((mine.members ?? []).map(\.key)), golden = Set((sample.members ?? []).map(\.key))
        #expect(golden.subtracting(own) == absent, "keys of the sample that are missing here")
        #expect(own.subtracting(golden).isEmpty, "keys that the sample has not")
        for member in sample.members ?? [] where !except.contains(member.key) && !absent.contains(member.key) {
            #expect(mine[member.key] == member.value, "\(member.key)")
        }
    }

    @Test func positionsAreTheSample() throws {
        let picture = scene.picture
        #expect(
            contract.problems(of: ["positions": .array(picture.positionRows), "serverTime": .string(Scene.now.description)], as: "positions") == [])
        let golden = try #require(Contract.sample("positions")["positions"]?.elements)
        for (mine, sample) in zip(picture.positionRows, golden) { compare(mine, sample, except: ["stopOrder", "realizedPnL"]) }
        #expect(picture.positionRows.count == golden.count)
    }

    @Test func ordersAreTheSample() throws {
        let rows = scene.picture.orderRows()
        #expect(contract.problems(of: ["orders": .array(rows), "serverTime": .string(Scene.now.description)], as: "orders") == [])
        #expect(
            rows.map { $0["status"]?.text } == ["DENIED", "NEW", "FILLED", "PENDING_NEW", "FILLED"],
            "newest first, the last leg of an intent before its first")
        let golden = try #require(Contract.sample("orders")["orders"]?.elements)
        let places: Set<String> = ["id", "parent", "seq", "createdAt", "updatedAt"]
        compare(rows[1], golden[0], except: places)
        compare(rows[2], golden[1], except: places)
        compare(rows[0], golden[3], except: places)
        #expect(rows[1]["parent"] == rows[2]["id"])
        #expect(scene.picture.orderRows(workingOnly: true).count == 2)
    }

    @Test func fillsAreTheSample() throws {
        let rows = scene.picture.fillRows()
        #expect(contract.problems(of: ["fills": .array(rows), "serverTime": .string(Scene.now.description)], as: "fills") == [])
        let golden = try #require(Contract.sample("fills")["fills"]?.elements)
        compare(rows[1], golden[0], except: ["order", "seq", "time"])
        compare(rows[2], golden[2], except: ["order", "seq", "time"], absent: ["realizedPnL"])
    }

    /// Whoever adds up the rows counts the corrected execution once; who holds the position is asked of what counts.
    @Test func aCorrectedFillSaysSo() throws {
        var scene = self.scene
        let old = try #require(scene.book.fills.last { $0.fill.instrument == Scene.mbt })
        var fill = old.fill
        fill.execID = "x.02"; fill.corrects = old.fill.execID; fill.tag = nil
        scene.write(.fill(fill))
        scene.write(.correction(Correction(execID: old.fill.execID, by: fill.execID, reason: "r")))
        let rows = scene.picture.fillRows()
        #expect(contract.problems(of: ["fills": .array(rows), "serverTime": .string(Scene.now.description)], as: "fills") == [])
        #expect(rows.first { $0["id"]?.text == old.fill.execID }?["correctedBy"]?.text == "x.02")
        #expect(rows.first { $0["id"]?.text == "x.02" }?["corrects"]?.text == old.fill.execID)
        let counting = rows.filter { $0["correctedBy"] == nil && $0["instrument"]?.text == Scene.mbt.text }
        #expect(counting.compactMap { $0["quantity"]?.text.flatMap { Int($0) } }.reduce(0, +) == 3)
        scene.write(.correction(Correction(execID: fill.execID, by: "y", reason: "r")))
        #expect(scene.picture.positionRow(Scene.mbt)?["owner"]?.text == "manual", "the external one counts no more")
    }

    @Test func marketIsTheSample() throws {
        let picture = scene.picture
        compare(try #require(picture.quoteRow(Scene.mbt)), try Contract.sample("market-quote"), absent: ["volume"])
        let golden = try #require(Contract.sample("market-instruments")["instruments"]?.elements)
        let mine = picture.watched.compactMap { picture.instrumentRow($0) }
        #expect(contract.problems(of: ["instruments": .array(mine), "serverTime": .string(Scene.now.description)], as: "instruments") == [])
        compare(mine[0], golden[0], except: ["frontRule"], absent: ["open", "hours"])
        #expect(mine[0]["name"] == "CME Micro Bitcoin")
        #expect(mine.filter { $0["front"] == true }.count == 1)
        let bar = try #require(scene.live.formingBar(Scene.mbt))
        compare(
            picture.barRow(Scene.mbt, bar.bar, closed: false, asOf: bar.asOf),
            try #require(Contract.sample("stream-delta")["put"]?["bars"]?.elements?.first))
    }

    @Test func candlesEndWithTheFormingBar() throws {
        let bar = Bar(start: Scene.at("2026-12-01T14:29:00.000Z"), price: Price(whole: 98_780), size: Quantity(whole: 52))
        let answer = scene.picture.candles(Scene.mbt, closed: [bar], oldest: Scene.at("2026-11-30T13:30:00.000Z"), wantsNewest: true)
        #expect(contract.problems(of: answer, as: "candles") == [])
        #expect(answer["candles"]?.elements?.map { $0["time"]?.text } == ["2026-12-01T14:29:00.000Z", "2026-12-01T14:30:00.000Z"])
        #expect(scene.picture.candles(Scene.mbt, closed: [bar], oldest: nil, wantsNewest: false)["candles"]?.elements?.count == 1)
    }

    @Test func edgesTellTheirState() throws {
        var scene = scene
        scene.link.roundTrip = .milliseconds(45); scene.link.clockOffset = .milliseconds(-12)
        let golden = try #require(Contract.sample("edges")["edges"]?.elements?.first)
        let row = scene.picture.edgeRow
        #expect(contract.problems(of: row, as: "edge") == [])
        let own = Set((row.members ?? []).map(\.key))
        #expect(own == Set((golden.members ?? []).map(\.key)))
        #expect(row["gateway"]?["data"] == "live" && row["reconciliation"]?["state"] == "clean" && row["halt"]?["level"] == "NONE")
        scene.link.state = .silent
        #expect(scene.picture.edgeRow["silentSince"] == .string(Scene.heard.description))
        scene.live.apply(
            .gateway(
                GatewayState(
                    condition: .unreachable, since: Scene.now, text: "IB Gateway does not take connections.", cure: "Start it.", account: "",
                    isTrading: false)))
        let gone = scene.picture.edgeRow
        #expect(contract.problems(of: gone, as: "edge") == [])
        #expect(gone["gateway"]?["state"] == "unreachable" && gone["gateway"]?["data"] == "none" && gone["reconciliation"]?["state"] == "waiting")
        scene.write(.halt(HaltFact(level: .halt, source: "console", reason: "news")))
        #expect(scene.picture.edgeRow["halt"]?["by"] == "console" && scene.picture.edgeRow["halt"]?["since"] != nil)
    }

    /// Trading ends with a halt; that the books agree with the broker's does not.
    @Test(arguments: [(GatewayCondition.connected, "clean"), (.reconciling, "running"), (.unreachable, "waiting")])
    func aHaltIsNoComparisonUnderWay(_ condition: GatewayCondition, _ state: String) {
        var scene = scene
        scene.write(.halt(HaltFact(level: .halt, source: "console", reason: "news")))
        scene.live.apply(.gateway(GatewayState(condition: condition, since: Scene.now, text: "t", cure: "c", account: "", isTrading: false)))
        #expect(scene.picture.edgeRow["reconciliation"]?["state"]?.text == state)
    }

    @Test(arguments: GatewayCondition.allCases) func everyGatewayConditionHasAWord(_ condition: GatewayCondition) {
        var scene = Scene()
        scene.live.apply(.gateway(GatewayState(condition: condition, since: Scene.now, text: "t", cure: "c", account: "", isTrading: false)))
        #expect(contract.problems(of: scene.picture.edgeRow, as: "edge") == [])
    }

    /// The age is that of the first entry that was not followed, by the boot clock, however many come and whatever the wall clock does.
    @Test func aLagHasItsNumberAndTheAgeOfItsFirstEntry() {
        func clock(_ seconds: Int64, setBy step: Int64 = 0) -> ClockReading {
            ClockReading(wall: Instant(seconds: 1_000 + seconds + step), monotonic: .seconds(50 + seconds))
        }
        var watch = LagWatch()
        #expect(watch.lag(of: Seq(0), at: clock(9)) == nil)
        for second in 0..<1_000 as Range<Int64> { watch.note(Seq(UInt64(second + 1) * 10), at: clock(second).monotonic) }
        #expect(watch.lag(of: Seq(0), at: clock(1_000)) == Lag(entries: 10_000, since: Instant(seconds: 1_000)))
        #expect(watch.lag(of: Seq(0), at: clock(1_000, setBy: 7_200)) == Lag(entries: 10_000, since: Instant(seconds: 8_200)))
        #expect(watch.lag(of: Seq(9), at: clock(1_000))?.since == Instant(seconds: 1_000), "the tenth is not followed yet")
        #expect(watch.lag(of: Seq(10), at: clock(1_000))?.since == Instant(seconds: 1_001))
        #expect(watch.lag(of: Seq(9_999), at: clock(1_000)) == Lag(entries: 1, since: Instant(seconds: 1_255)), "the oldest of those with one mark")
        watch.followed(through: Seq(9_999))
        #expect(watch.lasting(of: Seq(9_999), at: clock(257)) == nil)
        #expect(watch.lasting(of: Seq(9_999), at: clock(258)) == Lag(entries: 1, since: Instant(seconds: 1_255)))
        #expect(watch.lag(of: Seq(10_000), at: clock(1_000)) == nil)
    }

    @Test func anEdgeThatNeverSpokeIsShownToo() {
        var scene = Scene()
        scene.link = LinkPicture(state: .never, announced: Seq(0), acked: Seq(0))
        #expect(contract.problems(of: scene.picture.edgeRow, as: "edge") == [])
        #expect(scene.picture.positionRows.isEmpty && scene.picture.accountRows.isEmpty && scene.picture.front == nil)
    }

    @Test func untilTheEdgeNamesTheFrontItIsTheNearestMonthOfTheLedger() {
        var scene = scene
        scene.write(.instrument(Scene.instrument(InstrumentID("MBTX6.CME"), "MBT", .future, multiplier: "0.1", tick: "5", expiry: "20261127")))
        scene.write(.instrument(Scene.instrument(InstrumentID("MBTF7.CME"), "MBT", .future, multiplier: "0.1", tick: "5", expiry: "20270129")))
        scene.live = LiveState()
        #expect(scene.picture.front == Scene.mbt, "neither the month that is over nor the one after")
        let rows = scene.picture.watched.compactMap { scene.picture.instrumentRow($0) }
        #expect(rows.filter { $0["front"] == true }.map { $0["id"] } == ["MBTZ6.CME"])
        scene.live.apply(.front(symbol: "MBT", InstrumentID("MBTF7.CME"), asOf: Scene.heard))
        #expect(scene.picture.front == InstrumentID("MBTF7.CME"), "what the edge says counts")
    }

    @Test func followingShowsWhatWasHandedToTheGateway() throws {
        var scene = scene
        let order = try #require(scene.picture.book.orders.first { $0.leg.instrument == Scene.mbt })
        let sent = scene.write(.sent(tags: [order.tag]))
        let other = scene.write(.sent(tags: [ClOrdID(edge: Scene.id, intent: IntentID(boot: Scene.boot, seq: Seq(999)), leg: 0)]))
        let extra = try #require(scene.picture.follow(OrderName.text(order))).extra
        #expect(extra.contains(sent.seq) && !extra.contains(other.seq))
    }

    /// Told while the position is held without a stop, in the edge's own words; a stop that works ends it.
    @Test func aLostProtectionIsToldUntilItIsThereAgain() {
        var scene = scene
        let text = "The position has no protection."
        for id in [Scene.mbt, InstrumentID("FLAT.SMART")] {
            scene.live.apply(.notice(Notice(code: Notice.unprotected, instrument: id, text: text, cure: "Close it.", asOf: Scene.now)))
        }
        func rows(_ scene: Scene) -> [JSONValue] { scene.picture.noticeRows(at: Scene.now + .hours(13)).filter { $0["words"]?.text == text } }
        #expect(rows(scene).isEmpty, "one is protected, the other flat")
        for order in scene.book.workingOrders where order.leg.role == .protect {
            scene.write(.orderReport(OrderReport(tag: order.tag, status: .rejected, permID: 1, cumQty: .zero, code: 201, text: "no")))
        }
        #expect(rows(scene).map { $0["severity"]?.text } == ["error"])
    }

    @Test func botsAndNotices() {
        let picture = scene.picture
        #expect(picture.botRows.flatMap { contract.problems(of: $0, as: "bot") } == [])
        #expect(picture.botRows.first?["position"] == "120 NVDA")
        let notices = picture.noticeRows(at: Scene.now)
        #expect(notices.flatMap { contract.problems(of: $0, as: "notice") } == [])
        #expect(notices.map { $0["id"]?.text } == ["ib-354-AMD.NASDAQ"])
        #expect(picture.noticeRows(at: Scene.now + .hours(13)).isEmpty, "a notice that is not repeated is over")
        var scene = scene
        var quote = Quote(asOf: Scene.now)
        quote.last = Price(whole: 1)
        scene.live.apply(.quote(InstrumentID("AMD.NASDAQ"), quote))
        #expect(scene.picture.noticeRows(at: Scene.now).isEmpty, "live data has come")
    }

    @Test func commandsWalk() throws {
        let command = Command(
            id: Scene.longCommand, edge: Scene.id, issuer: "cloud:admin", tier: 2, issuedAt: Scene.at("2026-12-01T14:12:40.051Z"),
            expiresAt: Scene.at("2026-12-01T14:12:50.051Z"),
            body: .order(
                instrument: Scene.mbt, side: .buy, size: .quantity(Quantity(whole: 3)), trailing: .percent(Ratio(raw: 15_000)), reverse: false))
        let walk = ["queued", "dispatched", "delivered", "accepted", "filled"]
        let times = ["14:12:40.051", "14:12:40.051", "14:12:40.098", "14:12:40.160", "14:12:40.431"].map { Scene.at("2026-12-01T\($0)Z") }
        let picture = CommandPicture(
            command: command, user: "admin", title: Scene().picture.title(command.body, preview: nil), walk: Array(zip(walk, times)), isFinal: true,
            reason: nil, cure: nil)
        let row = scene.picture.commandRow(picture)
        #expect(contract.problems(of: row, as: "command") == [])
        compare(row, try Contract.sample("command-filled"), except: ["orders", "title"])
        #expect(scene.picture.title(command.body, preview: nil) == "Long 3 MBTZ6, trailing stop 1.5 %")
        #expect(scene.picture.title(.close(instrument: Scene.mbt), preview: nil) == "Close 3 MBTZ6")
        #expect(scene.picture.title(.halt(reason: "x"), preview: nil) == "Kill switch: HALT")
    }

    @Test func everyEntryHasASentence() {
        let picture = scene.picture
        let rows = scene.entries.map { picture.entryRow($0) }
        #expect(rows.flatMap { contract.problems(of: $0, as: "entry") } == [])
        let words = rows.compactMap { $0["words"]?.text }
        #expect(words.contains("Bought 2 MBTZ6 at 98,335.00"))
        #expect(words.contains("Buy 3 MBTZ6 at market; Sell 3 MBTZ6 by a trailing stop of 1.5 %, after the entry, asked by cloud:admin"))
        #expect(Set(words).count > 10 && words.allSatisfy { !$0.isEmpty })
        for kind in Kind.allCases { #expect(EdgePicture.kindNumber(EdgePicture.kindName(kind.rawValue)) == kind.rawValue) }
        #expect(EdgePicture.kindName(999) == "kind-999" && EdgePicture.kindNumber("kind-999") == 999 && EdgePicture.kindNumber("nonsense") == nil)
    }

    @Test func aBorrowFeeNamesWhatWasBorrowed() throws {
        var entry = try #require(scene.entries.last)
        entry.kind = Kind.borrowFee.rawValue; entry.kindVersion = 1
        let body =
            #"{"account":"DU1","amount":-1250000000,"at":1,"currency":"USD","instrument":"MBTZ6.CME","note":"November","postings":[],"#
            + #""source":"console"}"#
        entry.body = Array(body.utf8)
        let row = scene.picture.entryRow(entry)
        #expect(contract.problems(of: row, as: "entry") == [])
        #expect(row["kind"] == "borrowFee" && row["words"] == "Borrow fee of MBTZ6: 12.50 USD, November", "\(row)")
    }

    @Test func anUnknownKindIsShownRaw() throws {
        var entry = try #require(scene.entries.last)
        entry.kind = 999
        let row = scene.picture.entryRow(entry)
        #expect(contract.problems(of: row, as: "entry") == [])
        #expect(row["kind"] == "kind-999" && row["body"]?["code"] == "insufficientFunds")
    }

    @Test func followingFindsTheWholeWalk() throws {
        let picture = scene.picture
        let stop = try #require(picture.book.workingOrders.last { $0.leg.instrument == Scene.mbt })
        for name in [OrderName.text(stop), Scene.longCommand.description] {
            let follow = try #require(picture.follow(name))
            let found = scene.entries.filter { follow.refs.contains($0.ref) || follow.extra.contains($0.seq) }
            #expect(
                found.map { EdgePicture.kindName($0.kind) } == [
                    "intent", "orderReport", "orderReport", "fill", "commission", "fill", "commission", "stopMoved",
                ])
        }
        let refused = try #require(picture.follow(Scene.refusedCommand.description))
        #expect(
            scene.entries.filter { refused.refs.contains($0.ref) || refused.extra.contains($0.seq) }.map { EdgePicture.kindName($0.kind) } == [
                "denied", "commandRefused",
            ])
        #expect(picture.follow("1f3c5a7790b2d4e6-9999") == nil && picture.follow("x") == nil)
    }

    @Test(arguments: ["1f3c5a7790b2d4e6-1041", "1f3c5a7790b2d4e6-1041.1", "1f3c5a7790b2d4e6-1041.25"]) func orderNamesReadBack(_ text: String) throws
    {
        let name = try #require(OrderName.parse(text))
        #expect(OrderName.text(name.intent, leg: name.leg) == text)
    }

    @Test(arguments: ["", "1", "1f3c5a7790b2d4e6-1041.0", "1f3c5a7790b2d4e6-1041.26", "1f3c5a7790b2d4e6-1041.01", "1f3c5a7790b2d4e6-1041.1.1"])
    func oddOrderNamesAreNone(_ text: String) { #expect(OrderName.parse(text) == nil) }

    @Test(
        arguments: [
            (9_833_500_000_000, "98,335.00"), (0, "0.00"), (-123_456_789_000_000, "-1,234,567.89"), (99_999_999_999, "999.99999999"),
            (50_000_000, "0.50"),
        ] as [(Int64, String)])
    func groupedNumbers(_ raw: Int64, _ text: String) { #expect(Plain.grouped(raw) == text) }

    /// However many executions others had since, an order's own are found in a walk that ends with the last of them; one that is too long says so.
    @Test func followingAnOrderEndsWithItsLastExecution() throws {
        var scene = Scene()
        scene.write(.boot(BootFact(version: "v", mode: .live, machine: "m", kernelBoot: "k", configuration: "c")))
        func intent(_ scene: inout Scene) -> ClOrdID {
            let leg = Leg(
                role: .open, instrument: Scene.mbt, side: .buy, quantity: Quantity(whole: 2), ordType: .market, timeInForce: .day, brokerOrderID: 1)
            return scene.tag(scene.write(.intent(Ticket(account: "DU4402117", origin: .manual, reason: "r", legs: [leg]))))
        }
        let first = intent(&scene), second = intent(&scene)
        scene.fill(first, "a", Scene.mbt, 1, "98000", commission: "1")
        for number in 0..<600 { scene.fill(second, "b\(number)", Scene.mbt, 1, "98000", commission: "1") }
        scene.fill(first, "c", Scene.mbt, 1, "98000", commission: "1")
        for number in 0..<300 { scene.fill(second, "d\(number)", Scene.mbt, 1, "98000", commission: "1") }
        let picture = scene.picture
        let name = OrderName.text(try #require(picture.book.order(first)))
        let all = try #require(picture.follow(name)), exact = try #require(picture.follow(name, fillsMax: 602))
        #expect(all.looked == 602, "those after the last of its own are not looked at")
        #expect(all.isWhole && all == exact && all.refs.contains(Array("a".utf8)) && all.refs.contains(Array("c".utf8)))
        let short = try #require(picture.follow(name, fillsMax: 601))
        #expect(!short.isWhole && short.refs.contains(Array("a".utf8)) && !short.refs.contains(Array("c".utf8)))
    }
}
