// Codes of the gateway's error message: each class does what the table says, and unknown ones change nothing.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct IBKRSessionNoticeTests {
    static let stock = Instrument(
        id: InstrumentID("AAPL.NASDAQ"), symbol: "AAPL", securityType: .stock, exchange: "SMART", currency: "USD", localSymbol: "AAPL",
        tradingClass: "NMS", multiplier: Quantity(whole: 1), minPriceIncrement: Price(raw: 1_000_000), lotStep: Quantity(whole: 1), maturityDate: nil,
        brokerContractID: 265_598)

    /// Logged in and watching one stock; gives the request ids of its quotes and bars.
    private func watching(_ change: (inout IBKRSettings) -> Void = { _ in }) throws -> (ScriptedGateway, quotes: Int64, bars: Int64) {
        var gateway = ScriptedGateway.up(known: [Self.stock], change)
        gateway.pass(.seconds(1))
        _ = gateway.sent()
        gateway.ask(.watch(Self.stock.id))
        gateway.pass(.milliseconds(500))
        let frames = gateway.sent()
        let quotes = try #require(frames.first { $0[0] == "1" }.flatMap { Int64($0[2]) })
        let bars = try #require(frames.first { $0[0] == "20" }.flatMap { Int64($0[1]) })
        _ = gateway.hear()
        return (gateway, quotes, bars)
    }

    @Test func requestIdsAreFarFromOrderIds() throws {
        let (_, quotes, bars) = try watching()
        #expect(quotes >= 1_000_000_000 && bars > quotes)
    }

    @Test(arguments: [2_107, 2_108, 2_119, 300, 366, 165]) func someCodesAreNobodysBusiness(code: Int) throws {
        var (gateway, quotes, _) = try watching()
        gateway.complain(quotes, code, "x")
        #expect(gateway.hear().isEmpty)
    }

    @Test(arguments: [1, 9_999, 10_090, 2_174]) func unknownCodesAreShownAndChangeNothing(code: Int) throws {
        var (gateway, quotes, _) = try watching()
        gateway.complain(quotes, code, "Something \\u00fcber new")
        #expect(gateway.hear().notices.map(\.text) == ["Something über new"])
        gateway.say(["1", "6", String(quotes), "4", "230.5", "100", "0"])
        #expect(gateway.hear().count == 1, "the stream goes on")
    }

    @Test(arguments: [(354, "live data"), (10_089, "live data"), (10_168, "live data"), (10_197, "other session"), (101, "fewer")])
    func aRefusedStreamIsToldWithItsCureAndTriedAgain(code: Int, cure: String) throws {
        var (gateway, quotes, _) = try watching()
        gateway.complain(quotes, code, "Refused.")
        let notice = try #require(gateway.hear().notices.first)
        #expect(notice.code == Int64(code) && notice.instrument == Self.stock.id && notice.cure.contains(cure))
        gateway.say(["1", "6", String(quotes), "4", "230.5", "100", "0"])
        #expect(gateway.hear().isEmpty, "a late tick of the refused request meets nobody")
        _ = gateway.sent()
        gateway.say(["49", "1", "1"])
        for _ in 0..<22 { gateway.pass(.seconds(15), step: .seconds(1)); gateway.say(["49", "1", "1"]) }
        #expect(!gateway.sent("1").isEmpty)
    }

    /// Asked for before the first stream, in every connection; the gateway gives live prices unasked.
    @Test(arguments: zip(MarketDataKind.allCases, [nil, "2", "3", "4"])) func theKindOfDataIsAskedForFirst(kind: MarketDataKind, number: String?) {
        var gateway = ScriptedGateway({ $0.marketData = kind }, known: [Self.stock])
        gateway.ask(.watch(Self.stock.id))
        for _ in 0..<2 {
            let wishes = gateway.wishes.count
            gateway.connect()
            gateway.say(["178", "20261120 10:00:00 US/Eastern"])
            gateway.say(["15", "1", "DU1"])
            gateway.say(["9", "1", "1"])
            gateway.pass(.seconds(1))
            let frames = gateway.sent().filter { $0[0] == "59" || $0[0] == "1" }
            #expect(frames.map { $0[0] } == (number == nil ? ["1"] : ["59", "1"]) && frames.first { $0[0] == "59" }?[2] == number)
            gateway.drop()
            while gateway.wishes.count == wishes { gateway.pass(.milliseconds(500)) }
        }
    }

    @Test func delayedDataIsMarkedByItsTypeAndByItsTicks() throws {
        var (gateway, quotes, _) = try watching { $0.marketData = .delayed }
        gateway.say(["58", "1", String(quotes), "3"])
        gateway.say(["1", "6", String(quotes), "68", "230.5", "100", "0"])
        var quote = gateway.hear().compactMap { if case .quote(_, let quote) = $0 { quote } else { nil } }.last
        #expect(quote?.isDelayed == true && quote?.last == Price(raw: 23_050_000_000))
        gateway.say(["58", "1", String(quotes), "1"])
        gateway.say(["1", "6", String(quotes), "1", "230.4", "200", "1"])
        quote = gateway.hear().compactMap { if case .quote(_, let quote) = $0 { quote } else { nil } }.last
        #expect(quote?.isDelayed == false && quote?.bid == Price(raw: 23_040_000_000) && quote?.bidSize == Quantity(whole: 200))
        // Frozen prices are of a closed market, under the tick types of live ones.
        gateway.say(["58", "1", String(quotes), "2"])
        gateway.say(["1", "6", String(quotes), "4", "230.4", "200", "0"])
        quote = gateway.hear().compactMap { if case .quote(_, let quote) = $0 { quote } else { nil } }.last
        #expect(quote?.isDelayed == true)
        // No bid at all.
        gateway.say(["1", "6", String(quotes), "1", "-1", "0", "0"])
        quote = gateway.hear().compactMap { if case .quote(_, let quote) = $0 { quote } else { nil } }.last
        #expect(quote?.bid == nil && quote?.bidSize == nil)
    }

    /// Bids and asks of one read are one quote; no last price is swallowed by the next.
    @Test func everyLastPriceIsToldAndTheRestIsJoined() throws {
        var (gateway, quotes, _) = try watching()
        let read = ["230.1", "230.2", "1000.25", "230.3"].flatMap { price in
            ScriptedGateway.frame(["1", "6", String(quotes), "4", price, "100", "0"]) + ScriptedGateway.frame(["2", "6", String(quotes), "5", "100"])
                + ScriptedGateway.frame(["1", "6", String(quotes), "1", price, "3", "1"])
        }
        gateway.say(bytes: read)
        let told = gateway.hear().compactMap { if case .quote(_, let quote) = $0 { quote.last?.description } else { nil } }
        #expect(told == ["230.1", "230.2", "1000.25", "230.3"])
    }

    /// A what-if order takes a fresh id clear of the desk's, tells the desk, asks the other side when buying frees margin, and is no order.
    @Test func marginIsAskedUnderIdsThatNobodyElseTakes() throws {
        var (gateway, _, _) = try watching()
        gateway.ask(.margin(Self.stock.id))
        gateway.pass(.milliseconds(300))
        let first = try #require(gateway.sent("3").first)
        let id = try #require(Int64(first[1]))
        #expect(id > 30 && first[84] == "1" && first[16] == "BUY" && first[23] == "DU1" && gateway.hear().floors == [id + 1])
        func answer(_ id: String, _ change: String) -> [String] {
            let listing = WireListing(
                conId: 265_598, symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD", localSymbol: "AAPL", tradingClass: "NMS")
            let values = [
                "totalQuantity": "1", "orderType": "MKT", "whatIf": "1", "clientId": "7", "status": "PreSubmitted", "initMarginChange": change,
                "maintMarginChange": change,
            ]
            return OrderReport(orderId: Int64(id) ?? 0, listing: listing, values: values).openOrder(version: 178)
        }
        gateway.say(answer(first[1], "-57.5"))
        gateway.pass(.milliseconds(300))
        let second = try #require(gateway.sent("3").first)
        #expect(second[16] == "SELL" && (Int64(second[1]) ?? 0) > id)
        gateway.say(answer(second[1], "57.5"))
        let heard = gateway.hear()
        #expect(heard.contains { if case .margin(_, let margin) = $0 { margin.initial == Money(raw: 5_750_000_000) } else { false } })
        #expect(!heard.contains { if case .order = $0 { true } else { false } })
    }

    @Test func brokenFarmsAreNewsAndWorkingOnesAreNot() throws {
        var (gateway, _, _) = try watching()
        gateway.complain(-1, 2_104, "Market data farm connection is OK:usfarm")
        #expect(gateway.hear().isEmpty)
        gateway.complain(-1, 2_103, "Market data farm connection is broken:usfarm")
        gateway.complain(-1, 2_104, "Market data farm connection is OK:usfarm")
        let notices = gateway.hear().notices
        #expect(notices.map(\.code) == [Notice.dataFarm, Notice.dataFarm] && notices.first?.cure != "" && notices.last?.text == "")
    }

    @Test func aLostLinkStopsOrdersAndItsReturnBeginsAnew() throws {
        var (gateway, quotes, _) = try watching()
        gateway.complain(-1, 1_100, "Connectivity has been lost")
        gateway.complain(-1, 2_110, "Connectivity between TWS and server is broken")
        let lost = gateway.hear()
        #expect(lost.conditions.map(\.condition) == [.brokerLinkDown])
        gateway.ask(.snapshot)
        #expect(gateway.hear().contains { if case .snapshotFailed = $0 { true } else { false } })
        _ = gateway.sent()
        gateway.complain(-1, 1_102, "restored - data maintained")
        gateway.pass(.seconds(1))
        #expect(gateway.hear().readies.count == 1 && gateway.sent("1").isEmpty, "1102 keeps the subscriptions")
        gateway.complain(-1, 1_100, "lost")
        gateway.complain(-1, 1_101, "restored - data lost")
        gateway.pass(.seconds(1))
        let frames = gateway.sent("1")
        #expect(gateway.hear().readies.count == 1 && frames.count == 1 && frames.first?[2] != String(quotes), "1101 asks anew, under a new id")
    }

    /// A source of history that is away answers each request by the same words: it is not asked as fast as it answers.
    @Test func barsThatAreLostAgainAndAgainAreAskedForMoreAndMoreSeldom() throws {
        var (gateway, _, bars) = try watching()
        var request = bars
        var asked = 0
        for _ in 0..<120 {
            gateway.complain(request, 10_182, "Failed to request live updates (disconnected).")
            gateway.pass(.milliseconds(500))
            gateway.say(["49", "1", "1"])
            if let again = gateway.sent("20").last { request = try #require(Int64(again[1])); asked += 1 }
        }
        #expect((3...8).contains(asked), "\(asked) times in a minute")
    }

    @Test func aDeadBarStreamIsAskedForAgainAndFallsBackToFiveSecondBars() throws {
        var (gateway, _, bars) = try watching()
        gateway.say(["17", String(bars), "", "", "1", "1795186740", "230", "231", "229", "230.5", "100", "230.1", "9"])
        #expect(gateway.hear().contains { if case .bars(_, let bars, true) = $0 { bars.count == 1 } else { false } })
        gateway.complain(bars, 10_182, "Failed to request live updates (disconnected).")
        gateway.pass(.seconds(1))
        let again = try #require(gateway.sent("20").first)
        #expect(again[1] != String(bars))
        gateway.complain(try #require(Int64(again[1])), 162, "Historical Market Data Service error message:keep up to date not supported")
        gateway.say(["49", "1", "1"])
        for _ in 0..<22 { gateway.pass(.seconds(15), step: .seconds(1)); gateway.say(["49", "1", "1"]) }
        let frames = gateway.sent()
        let five = try #require(frames.last { $0[0] == "50" })
        _ = gateway.hear()
        gateway.say(["50", "3", five[2], "1795187100", "230", "232", "229", "231", "10", "230.5", "3"])
        gateway.say(["50", "3", five[2], "1795187105", "231", "233", "230", "232", "5", "231.5", "2"])
        let minutes = gateway.hear().compactMap { if case .bars(_, let bars, false) = $0 { bars.last } else { nil } }
        #expect(minutes.last?.open == Price(whole: 230) && minutes.last?.high == Price(whole: 233) && minutes.last?.low == Price(whole: 229))
        #expect(minutes.last?.close == Price(whole: 232) && minutes.last?.volume == Quantity(whole: 15) && minutes.map(\.start).count == 2)
    }

    @Test func pacingHalvesTheRate() throws {
        var (gateway, _, _) = try watching()
        gateway.pass(.seconds(2))
        gateway.complain(-1, 100, "Max rate of messages per second has been exceeded")
        #expect(gateway.hear().notices.map(\.code) == [100])
        _ = gateway.sent()
        for id in 1...60 { gateway.ask(.cancel(brokerOrderID: Int64(id), tag: ClOrdID("x"))) }
        #expect(gateway.sent("4").count == 25)
        gateway.pass(.milliseconds(1_050))
        #expect(gateway.sent("4").count == 25)
    }

    @Test func accountUpdatesAreTakenBackAtMostOnceAMinute() throws {
        var (gateway, _, _) = try watching()
        for _ in 0..<3 { gateway.complain(-1, 2_100, "API client has been unsubscribed from account data.") }
        gateway.pass(.seconds(1))
        #expect(gateway.sent("6").isEmpty, "asked less than a minute ago")
        gateway.say(["49", "1", "1"])
        for _ in 0..<4 { gateway.pass(.seconds(15), step: .seconds(1)); gateway.say(["49", "1", "1"]) }
        for _ in 0..<3 { gateway.complain(-1, 2_100, "API client has been unsubscribed from account data.") }
        gateway.pass(.seconds(1))
        #expect(gateway.sent("6").count == 1)
    }

    @Test func anUnknownSymbolIsToldAndAskedForAgain() throws {
        var gateway = ScriptedGateway.up(instruments: [.future(symbol: "XYZ", exchange: "CME", currency: "USD")])
        gateway.pass(.milliseconds(300))
        let request = try #require(gateway.sent("9").first)
        #expect(request[4] == "XYZ" && request[5] == "FUT")
        gateway.complain(try #require(Int64(request[2])), 200, "No security definition has been found for the request")
        #expect(gateway.hear().contains { if case .noInstrument("XYZ", let text) = $0 { text.contains("No security") } else { false } })
        gateway.say(["49", "1", "1"])
        for _ in 0..<21 { gateway.pass(.seconds(15), step: .seconds(1)); gateway.say(["49", "1", "1"]) }
        #expect(gateway.sent("9").count == 1)
    }

    /// What refuses a stream does not end a question for a contract: without an answer it is asked again, or nothing could ever be traded.
    @Test(arguments: [320, 321, 322, 354, 101, 10_197]) func aRefusedQuestionForAContractIsAskedAgain(code: Int) throws {
        var gateway = ScriptedGateway.up(instruments: [.future(symbol: "MBT", exchange: "CME", currency: "USD")])
        gateway.pass(.milliseconds(300))
        for _ in 0..<2 {
            let request = try #require(gateway.sent("9").first)
            gateway.complain(try #require(Int64(request[2])), code, "Error validating request.")
            #expect(gateway.hear().notices.map(\.code) == [Int64(code)])
            gateway.say(["49", "1", "1"])
            for _ in 0..<3 { gateway.pass(.seconds(12), step: .seconds(1)); gateway.say(["49", "1", "1"]) }
        }
        #expect(gateway.sent("9").count == 1)
    }
}
