// Previews: the golden samples to the digit, and each reason against an order.
import Contract
import Ledger
import Testing
import Values
import Views
import Wire

@Suite struct PreviewTests {
    private let contract: Contract
    private let sampleLimits = SizingLimits(
        utilisation: Ratio(raw: 980_000), quantityMax: Quantity(whole: 1_000), notionalMax: Money(whole: 100_000_000))
    init() throws { contract = try Contract() }

    private func buy(_ size: OrderSize, reverse: Bool = false) -> PreviewAsk {
        PreviewAsk(instrument: Scene.mbt, kind: .order(.buy, reverse: reverse), size: size, trailing: .percent(Ratio(raw: 15_000)))
    }
    private func sell(_ size: OrderSize, reverse: Bool = false) -> PreviewAsk {
        PreviewAsk(instrument: Scene.mbt, kind: .order(.sell, reverse: reverse), size: size, trailing: .percent(Ratio(raw: 15_000)))
    }

    @Test func maxIsTheSample() throws {
        let picture = Scene.full().picture
        let preview = picture.preview(buy(.max), at: Scene.now, limits: sampleLimits)
        let row = picture.row(preview, at: Scene.now)
        #expect(contract.problems(of: row, as: "preview") == [])
        for member in try Contract.sample("orders-preview").members ?? [] where !["leverage", "maintenanceMargin"].contains(member.key) {
            #expect(row[member.key] == member.value, "\(member.key)")
        }
        // 17 more beside 3 held, and 120 NVDA: all positions count.
        #expect(row["leverage"] == "5.24" && row["maintenanceMargin"] == "28590.09")
    }

    @Test func standardLimitsHoldBackAFifth() {
        let preview = Scene.full().picture.preview(buy(.max), at: Scene.now)
        #expect(preview.maximum == Quantity(whole: 14) && preview.term == "availableFunds")
        #expect(preview.words == "Available funds of 32,874.70 USD, less 20 % held back, pay the initial margin of 14 contracts.")
    }

    @Test func againstThePositionOnlyCloses() throws {
        let picture = Scene.full().picture
        let preview = picture.preview(sell(.quantity(Quantity(whole: 5))), at: Scene.now, limits: sampleLimits)
        let row = picture.row(preview, at: Scene.now)
        #expect(contract.problems(of: row, as: "preview") == [])
        for member in try Contract.sample("orders-preview-flatten").members ?? [] where member.key != "marginAsOf" {
            #expect(row[member.key] == member.value, "\(member.key)")
        }
    }

    @Test func reversalClosesAndOpensAndMaxCountsNewExposureOnly() {
        let picture = Scene.full().picture
        let preview = picture.preview(sell(.max, reverse: true), at: Scene.now, limits: sampleLimits)
        #expect(preview.closing == Quantity(whole: 3) && preview.opening == Quantity(whole: 17) && preview.quantity == Quantity(whole: 20))
        #expect(preview.initialMargin == Scene.money("31450"))
        #expect(preview.stopPrice == Price(whole: 100_230), "above the price and rounded away from it")
        #expect(preview.warnings == ["You are long 3: this closes them first, then opens 17 the other way."])
    }

    /// A backlog comes after the first sign of life: what is held is as old as the last entry that is here.
    @Test func aBookThatLagsBehindIsAsOldAsItsEntries() throws {
        var scene = Scene.full()
        let whole = try #require(scene.picture.positionRow(Scene.mbt)?["asOf"]?.text), last = try #require(scene.milestones.lastEntry)
        scene.link.announced = Seq(scene.book.head.seq.raw + 40)
        #expect(scene.picture.bookAsOf == last && last.description != whole)
        #expect(scene.picture.positionRow(Scene.mbt)?["asOf"]?.text == last.description)
        #expect(scene.picture.gateRow(Scene.mbt, at: Scene.now)["asOf"]?.text == last.description)
        let close = PreviewAsk(instrument: Scene.mbt, kind: .close, size: .max)
        #expect(scene.picture.preview(close, at: Scene.now).warnings.contains { $0.contains("newer entries of the edge are still on their way") })
        // A beat that is a moment ahead of its entries makes nothing old.
        scene.link.settled = Scene.heard + .seconds(-2)
        #expect(scene.picture.bookAsOf == Scene.heard + .seconds(-2) && scene.picture.preview(close, at: Scene.now).warnings.isEmpty)
    }

    @Test func closeAsksAboutTheWholePosition() {
        var scene = Scene.full()
        let close = PreviewAsk(instrument: Scene.mbt, kind: .close, size: .max)
        let preview = scene.picture.preview(close, at: Scene.now)
        #expect(preview.isAllowed && preview.side == .sell && preview.quantity == Quantity(whole: 3) && preview.opening == .zero)
        scene.link.state = .silent
        let silent = scene.picture.preview(close, at: Scene.now)
        #expect(silent.isAllowed && silent.warnings.contains("The edge is silent: the command waits for it and expires."))
        let flat = scene.picture.preview(PreviewAsk(instrument: InstrumentID("X"), kind: .close, size: .max), at: Scene.now)
        #expect(!flat.isAllowed)
    }

    @Test func stocksArePaidInFull() {
        let ask = PreviewAsk(instrument: Scene.nvda, kind: .order(.buy, reverse: false), size: .max)
        let preview = Scene.full().picture.preview(ask, at: Scene.now)
        // 32,874.70 x 0.8 / 186.21 = 141.2; the sizing limit of 100 binds first.
        #expect(preview.maximum == Quantity(whole: 100) && preview.term == "quantityMax")
        #expect(preview.initialMargin == Scene.money("18621"))
    }

    /// Each way in which an order cannot be opened now.
    enum Trouble: String, CaseIterable { case edgeSilent, halted, instrumentHalted, gateway, reconciling, delayedData, noData, noPermission }

    @Test(arguments: Trouble.allCases) func everyReasonAgainstOpeningIsNamed(_ trouble: Trouble) {
        var scene = Scene.full()
        switch trouble {
        case .edgeSilent: scene.link.state = .silent
        case .halted: scene.write(.halt(HaltFact(level: .halt, source: "console", reason: "news")))
        case .instrumentHalted: scene.write(.instrumentHalt(instrument: Scene.mbt, halted: true, reason: "The position differs."))
        case .gateway, .reconciling:
            let condition: GatewayCondition = trouble == .gateway ? .unreachable : .reconciling
            scene.live.apply(.gateway(GatewayState(condition: condition, since: Scene.now, text: "t", cure: "c", account: "", isTrading: false)))
        case .delayedData:
            var quote = Quote(asOf: Scene.now)
            quote.last = Price(whole: 98_750); quote.isDelayed = true
            scene.live.apply(.quote(Scene.mbt, quote))
        case .noData: scene.live.apply(.quote(Scene.mbt, Quote(asOf: Scene.now)))
        case .noPermission: scene.live.apply(.notice(Notice(code: 203, instrument: Scene.mbt, text: "no permission", cure: "c", asOf: Scene.now)))
        }
        let picture = scene.picture
        let preview = picture.preview(buy(.quantity(Quantity(whole: 1))), at: Scene.now)
        #expect(!preview.isAllowed && preview.term == trouble.rawValue && preview.maximum == .zero)
        #expect(contract.problems(of: picture.row(preview, at: Scene.now), as: "preview") == [])
        let gate = picture.gateRow(Scene.mbt, at: Scene.now)
        #expect(contract.problems(of: gate, as: "gate") == [])
        #expect(gate["opening"] == false && gate["reason"]?.text == preview.reason)
    }

    @Test func delayedDataIsTheSample() throws {
        var scene = Scene.full()
        var quote = Quote(asOf: Scene.now)
        quote.last = Price(whole: 98_750); quote.isDelayed = true
        scene.live.apply(.quote(Scene.mbt, quote))
        let picture = scene.picture
        let row = picture.row(picture.preview(buy(.quantity(Quantity(whole: 1))), at: Scene.now), at: Scene.now)
        let golden = try Contract.sample("orders-preview-refused")
        for key in ["allowed", "reason", "cure", "quantity", "closing", "opening"] { #expect(row[key] == golden[key], "\(key)") }
        #expect(row["max"]?["term"] == golden["max"]?["term"] && row["price"] == nil && row["notional"] == nil)
    }

    @Test func tooManyAndOddQuantitiesAreRefusedWithTheNumbers() {
        let picture = Scene.full().picture
        let many = picture.preview(buy(.quantity(Quantity(whole: 400))), at: Scene.now, limits: sampleLimits)
        #expect(many.reason == "400 contracts need 740,000.00 USD of initial margin; 32,874.70 USD are available.")
        #expect(many.cure == "Ask for fewer contracts, or for max.")
        #expect(picture.preview(buy(.quantity(Quantity(raw: 50_000_000))), at: Scene.now).reason != nil)
        #expect(picture.preview(buy(.quantity(Quantity(whole: 101))), at: Scene.now).reason?.contains("limit of 100") == true)
    }

    /// The edge's gate would refuse too, in these words.
    @Test func whatTheGateRefusesIsRefusedInItsWords() throws {
        func quoted(_ bid: Int64?, _ ask: Int64?, age: Span = .zero) -> Scene {
            var scene = Scene.full()
            var quote = Quote(asOf: Scene.now - age)
            quote.last = Price(whole: 98_750); quote.bid = bid.map { Price(whole: $0) }; quote.ask = ask.map { Price(whole: $0) }
            scene.live.apply(.quote(Scene.mbt, quote))
            return scene
        }
        func reason(_ scene: Scene, _ quantity: Int64 = 1) -> String? {
            scene.picture.preview(buy(.quantity(Quantity(whole: quantity))), at: Scene.now).reason
        }
        #expect(reason(quoted(98_745, 98_750)) == nil)
        for (bid, ask) in [(nil, nil), (98_745, nil), (nil, 98_750), (0, 98_750)] as [(Int64?, Int64?)] {
            #expect(reason(quoted(bid, ask)) == RiskRefusal.noQuote.text)
            let maximum = quoted(bid, ask).picture.preview(buy(.max), at: Scene.now)
            #expect(!maximum.isAllowed && maximum.maximum == .zero && maximum.term == "noQuote" && maximum.pricePart == .last)
        }
        #expect(reason(quoted(98_745, 98_750, age: .seconds(6))) == RiskRefusal.staleQuote(age: .seconds(6), limit: .seconds(5)).text)
        var skewed = quoted(98_745, 98_750, age: .seconds(6))
        skewed.link.clockOffset = .seconds(-6)
        #expect(reason(skewed) == nil, "the age is counted by the edge's clock")
        // Twelve at the ask of 900,000 are over a million; by the last price they would not be.
        #expect(
            reason(quoted(98_745, 900_000), 12)
                == RiskRefusal.notionalMax(limit: SizingLimits.standard.notionalMax, actual: Money(whole: 1_080_000)).text)
        #expect(reason(quoted(98_745, 98_750), 101) == RiskRefusal.quantityMax(limit: Quantity(whole: 100), actual: Quantity(whole: 101)).text)
    }

    @Test(arguments: [(Side.buy, "98750", "ask"), (.sell, "98745", "bid")]) func thePriceIsNamed(side: Side, price: String, part: String) {
        let picture = Scene.full().picture
        let ask = PreviewAsk(instrument: Scene.mbt, kind: .order(side, reverse: true), size: .quantity(Quantity(whole: 1)))
        let row = picture.row(picture.preview(ask, at: Scene.now), at: Scene.now)
        #expect(row["price"]?.text == price && row["pricePart"]?.text == part)
    }

    /// An account kept in another currency: its amounts are named by it, and nothing is reckoned over from one to the other.
    @Test func amountsOfTwoCurrenciesAreNotCompared() {
        var scene = Scene.full()
        var values = AccountValues(account: "DU4402117", currency: "CAD", asOf: Scene.heard)
        values.netLiquidation = Scene.money("41994.7"); values.availableFunds = Scene.money("32874.7")
        scene.live.apply(.account(values))
        let picture = scene.picture
        let share = picture.preview(
            PreviewAsk(instrument: Scene.nvda, kind: .order(.buy, reverse: false), size: .quantity(Quantity(whole: 1))), at: Scene.now)
        #expect(share.reason == RiskRefusal.otherCurrency(account: "CAD", instrument: "USD").text && share.term == "otherCurrency")
        #expect(share.initialMargin == nil && share.maximum == .zero)
        let many = picture.preview(buy(.quantity(Quantity(whole: 400))), at: Scene.now, limits: sampleLimits)
        #expect(many.reason == "400 contracts need 740,000.00 CAD of initial margin; 32,874.70 CAD are available.")
        let row = picture.row(picture.preview(buy(.max), at: Scene.now), at: Scene.now)
        #expect(row["allowed"] == true && row["leverage"] == nil && row["accountCurrency"] == "CAD" && row["currency"] == "USD")
        #expect(picture.positionRow(Scene.mbt)?["leverage"] == nil && Scene.full().picture.positionRow(Scene.mbt)?["leverage"] != nil)
        #expect(picture.preview(PreviewAsk(instrument: Scene.nvda, kind: .close, size: .max), at: Scene.now).isAllowed)
    }

    /// The account's figures have an age, which is told and which ends what they are good for.
    @Test func oldFiguresOfTheAccountOpenNothing() {
        func told(_ age: Span) -> EdgePicture {
            var scene = Scene.full()
            var values = AccountValues(account: "DU4402117", currency: "USD", asOf: Scene.now - age)
            values.netLiquidation = Scene.money("41994.7"); values.availableFunds = Scene.money("32874.7")
            scene.live.apply(.account(values))
            return scene.picture
        }
        let fresh = told(.minutes(9)), old = told(.minutes(11))
        let preview = fresh.preview(buy(.max), at: Scene.now)
        #expect(preview.isAllowed && fresh.row(preview, at: Scene.now)["fundsAsOf"]?.text == (Scene.now - .minutes(9)).description)
        for size in [OrderSize.max, .quantity(Quantity(whole: 1))] {
            let refused = old.preview(buy(size), at: Scene.now)
            #expect(refused.reason == RiskRefusal.staleFunds(age: .minutes(11), limit: .minutes(10)).text && refused.maximum == .zero)
        }
        var scene = Scene.full()
        let margin = ContractMargin(initial: Scene.money("1850"), maintenance: Scene.money("1681.77"), asOf: Scene.now - .minutes(31))
        scene.live.apply(.margin(Scene.mbt, margin))
        let refused = scene.picture.preview(buy(.quantity(Quantity(whole: 1))), at: Scene.now)
        #expect(refused.reason == RiskRefusal.staleMargin(age: .minutes(31), limit: .minutes(30)).text)
    }

    @Test func openGateSaysSo() {
        let row = Scene.full().picture.gateRow(Scene.mbt, at: Scene.now)
        #expect(contract.problems(of: row, as: "gate") == [])
        #expect(row["opening"] == true && row["reason"] == nil)
    }
}
