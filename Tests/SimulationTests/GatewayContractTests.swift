// Every class of instrument on the simulated gateway: descriptions, searches, chains, and what their data has and has not.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayContractTests {
    private func ready(_ settings: GatewaySettings = GatewaySettings(), realHours: Bool = false, at start: Instant = friday) throws -> GatewayBench {
        var bench = try GatewayBench(settings, realHours: realHours, at: start)
        bench.start(1)
        _ = bench.hear(1)
        return bench
    }
    private static let euro = ["0", "EUR", "CASH", "", "", "", "", "IDEALPRO", "", "USD", "", ""]
    private static let coin = ["0", "BTC", "CRYPTO", "", "", "", "", "PAXOS", "", "USD", "", ""]
    private static let call = ["0", "AAPL", "OPT", "20261218", "230.0", "C", "100", "SMART", "", "USD", "", ""]
    private func details(_ contract: [String], _ rest: [String] = ["0", "", "", ""]) -> [String] { ["9", "8", "5"] + contract + rest }

    @Test func everyClassIsDescribedAsClientsNeedIt() throws {
        var bench = try ready()
        bench.send(1, details(Self.euro))
        let euro = try #require(bench.hear(1, "10").first)
        #expect(
            euro[2...3] == ["EUR", "CASH"] && euro[7...9] == ["IDEALPRO", "USD", "EUR.USD"] && euro[12...13] == ["12087792", "0.00005"], "\(euro)")
        bench.send(1, details(Self.coin))
        let coin = try #require(bench.hear(1, "10").first)
        #expect(coin.suffix(3) == ["0.00000001", "0.00000001", "0.00000001"] && coin[3] == "CRYPTO", "\(coin)")
        bench.send(1, details(Self.call))
        let call = try #require(bench.hear(1, "10").first)
        #expect(call[3...6] == ["OPT", "20261218", "230", "C"] && call[9] == "AAPL  261218C00230000" && call[14] == "100", "\(call)")
        #expect(call.contains("265598") && call.contains("STK"), "the stock under it")
        bench.send(1, details(["0", "AAPL", "OPT", "202612", "", "", "", "SMART", "", "USD", "", ""]))
        #expect(bench.hear(1, "10").count == 22, "all rights of a month")
        bench.send(1, details(contract("AAPL")))
        #expect(bench.hear(1, "10").count == 1, "the stock is meant, not its rights")
        bench.send(1, details(["0", "", "", "", "", "", "", "", "", "", "", ""], ["0", "ISIN", "US0378331005", ""]))
        #expect(bench.hear(1, "10").first?[2] == "AAPL")
        bench.send(1, details(["0", "", "STK", "", "", "", "", "", "", "", "", ""], ["0", "CUSIP", "594918104", ""]))
        #expect(bench.hear(1, "10").first?[2] == "MSFT")
        bench.send(1, details(["0", "", "STK", "", "", "", "", "", "", "", "", ""], ["0", "ISIN", "XX", ""]))
        #expect(bench.errors(1) == ["200"])
    }

    @Test func theChainOfAStockComesByExchangeAndEnds() throws {
        var bench = try ready()
        bench.send(1, ["78", "7", "AAPL", "", "STK", "265598"])
        let heard = bench.hear(1)
        #expect(heard.count == 6 && heard.last == ["76", "7"] && heard.map { $0[0] }.dropLast().allSatisfy { $0 == "75" })
        #expect(
            heard[0] == [
                "75", "7", "SMART", "265598", "AAPL", "100", "3", "20261120", "20261218", "20270115", "11", "205", "210", "215", "220", "225", "230",
                "235", "240", "245", "250", "255",
            ])
        bench.send(1, ["78", "8", "MSFT", "", "STK", "272093"])
        #expect(bench.hear(1) == [["76", "8"]], "a stock without options")
        bench.send(1, ["78", "9", "NOPE", "", "STK", "4711"])
        #expect(bench.errors(1) == ["200"])
    }

    @Test func theSearchFindsAllClassesBySymbolOrName() throws {
        var bench = try ready()
        func found(_ pattern: String) -> [[String]] {
            bench.send(1, ["81", "5", pattern])
            let frame = bench.hear(1, "79").first ?? []
            var rows: [[String]] = []
            var at = 3
            while at + 5 < frame.count {
                let derivatives = Int(frame[at + 5]) ?? 0
                rows.append(Array(frame[at..<at + 8 + derivatives]))
                at += 8 + derivatives
            }
            return rows
        }
        #expect(found("AAP") == [["265598", "AAPL", "STK", "NASDAQ", "USD", "1", "OPT", "APPLE INC", ""]])
        #expect(found("eur").map { $0[1...3].joined(separator: " ") } == ["EUR CASH IDEALPRO"])
        #expect(found("bitcoin").map { $0[2] } == ["IND", "CRYPTO"])
        #expect(found("ether").map { $0[1] } == ["ETH"] && found("zzz").isEmpty)
    }

    @Test func currenciesHaveQuotesAndNoTrades() throws {
        var bench = try ready()
        bench.send(1, ["1", "11", "5"] + Self.euro + ["0", "233", "0", "0", ""])
        bench.pass(.seconds(30))
        let heard = bench.hear(1)
        let prices = Set(heard.filter { $0[0] == "1" }.map { $0[3] })
        #expect(prices == ["1", "2", "6", "7", "9"] && !heard.contains { $0[0] == "46" }, "\(prices)")
        let bids = heard.filter { $0[0] == "1" && $0[3] == "1" }.compactMap { try? Price($0[4]) }
        #expect(bids.count > 2 && bids.allSatisfy { $0 > Price(raw: 90_000_000) && $0 < Price(raw: 130_000_000) && $0.raw % 5_000 == 0 })
        bench.send(1, ["20", "6"] + Self.euro + ["0", "", "1 min", "600 S", "0", "MIDPOINT", "2", "0", ""])
        let bars = try #require(bench.hear(1, "17").first)
        #expect(bars[4] == "10" && bars[10] == "-1")
        bench.send(1, ["20", "7"] + Self.euro + ["0", "", "1 min", "600 S", "0", "TRADES", "2", "0", ""])
        bench.send(1, ["97", "8"] + Self.euro + ["AllLast", "0", "0"])
        bench.send(1, ["50", "3", "9"] + Self.euro + ["5", "TRADES", "0", ""])
        bench.send(1, ["96", "10"] + Self.euro + ["0", "", "20261120 09:00:00 US/Eastern", "10", "TRADES", "0", "0", ""])
        #expect(bench.errors(1) == ["162", "10189", "420", "10187"])
    }

    @Test func barsOfBidAndAskSpanBoth() throws {
        var bench = try ready()
        bench.send(1, ["20", "6"] + contract("MBTZ6") + ["0", "", "1 min", "600 S", "0", "BID_ASK", "2", "0", ""])
        let frame = try #require(bench.hear(1, "17").first)
        for at in stride(from: 5, to: frame.count, by: 8) {
            let bar = frame[at + 1...at + 4].compactMap { Int($0) }
            #expect(bar.count == 4 && bar[1] > bar[2] && bar[1] >= bar[3] && bar[2] <= bar[0] && frame[at + 5] == "-1")
        }
    }

    @Test func optionsCarryTheirComputationsAndAnswerQuestions() throws {
        var bench = try ready()
        bench.send(1, ["1", "11", "5"] + Self.call + ["0", "", "0", "0", ""])
        let start = bench.hear(1)
        #expect(start.filter { $0[0] == "21" }.map { $0[2] } == ["10", "11", "13"])
        let model = try #require(start.first { $0[0] == "21" && $0[2] == "13" })
        let delta = try Price(model[5])
        #expect(model.count == 12 && model[4] == "0.28" && delta > Price(raw: 0) && delta < Price(whole: 1), "\(model)")
        bench.pass(.seconds(60))
        #expect(bench.hear(1).filter { $0[0] == "21" }.count > 9)
        bench.send(1, ["55", "3", "6"] + Self.call + ["0.35", "231", ""])
        let priced = try #require(bench.hear(1, "21").first { $0[1] == "6" })
        bench.send(1, ["54", "3", "7"] + Self.call + [priced[6], "231", ""])
        let implied = try #require(bench.hear(1, "21").first { $0[1] == "7" })
        #expect(priced[2] == "53" && implied[4] == "0.35" && implied[6] == priced[6])
        bench.send(1, ["54", "3", "8"] + Self.call + ["0.01", "300", ""])
        bench.send(1, ["55", "3", "9"] + Self.call + ["x", "231", ""])
        #expect(bench.errors(1) == ["321", "321"])
        bench.send(1, ["10", "5", "9"] + Self.call + ["5", "0", ""])
        #expect(bench.errors(1) == ["10092"])
    }

    @Test func genericTicksBringWhatTheyName() throws {
        var bench = try ready()
        bench.send(
            1, ["1", "11", "5"] + contract("AAPL") + ["0", "100,101,104,106,165,221,233,236,258,293,294,295,318,411,456,mdoff", "0", "0", ""])
        #expect(bench.hear(1).map { $0[0] } == ["58", "81"], "without the market's own ticks nothing comes at once")
        bench.send(1, ["1", "11", "6"] + contract("AAPL") + ["0", "100,101,104,106,165,221,233,236,258,293,294,295,318,411,456", "0", "0", ""])
        let types = Set(bench.hear(1).filter { ["1", "2", "45", "46"].contains($0[0]) }.map { $0[3] })
        let wanted: Set<String> = [
            "29", "30", "27", "28", "23", "24", "15", "16", "17", "18", "19", "20", "21", "37", "46", "89", "47", "54", "55", "56", "57", "58", "59",
        ]
        #expect(types.isSuperset(of: wanted), "\(wanted.subtracting(types))")
        bench.send(1, ["1", "11", "7"] + contract("AAPL") + ["0", "233,volume", "0", "0", ""])
        #expect(bench.errors(1) == ["321"])
    }

    @Test func frozenDataIsWhatStandsWhileTheMarketIsShut() throws {
        // Saturday noon in New York.
        let saturday = friday + .hours(26)
        for (asked, isRefused, told) in [("2", false, "2"), ("1", false, "1"), ("4", true, "4"), ("3", true, "3")] {
            let settings = GatewaySettings(switches: isRefused ? [.noMarketData(code: 354)] : [])
            var bench = try ready(settings, realHours: true, at: saturday)
            bench.send(1, ["59", "1", asked])
            bench.send(1, ["1", "11", "5"] + contract("AAPL") + ["0", "", "0", "0", ""])
            #expect(bench.hear(1, "58").first?[3] == told, "asked for \(asked)")
        }
        var open = try ready(realHours: true)
        open.send(1, ["59", "1", "2"])
        open.send(1, ["1", "11", "5"] + contract("AAPL") + ["0", "", "0", "0", ""])
        #expect(open.hear(1, "58").first?[3] == "1", "a running market is live")
    }

    /// The fields of an order for any contract.
    private func buy(_ id: Int, _ quantity: String, _ contract: [String], _ type: String = "MKT", limit: String = "") -> [String] {
        var fields = order(id, "BUY", quantity, type, ["lmtPrice": limit, "tif": "GTC"])
        fields.replaceSubrange(2..<14, with: contract)
        return fields
    }

    @Test func everyClassTradesAndIsAccountedFor() throws {
        var bench = try ready()
        bench.send(1, buy(1, "2", Self.call))
        bench.send(1, buy(2, "20000", Self.euro))
        bench.send(1, buy(3, "0.0125", Self.coin, "LMT", limit: "150000"))
        bench.pass(.seconds(5))
        let heard = bench.hear(1)
        let executions = heard.filter { $0[0] == "11" }
        #expect(Set(executions.map { $0[5] }) == ["OPT", "CASH", "CRYPTO"] && Set(executions.map { $0[2] }) == ["1", "2", "3"])
        let call = try #require(executions.first { $0[2] == "1" })
        #expect(call[7...8] == ["230", "C"] && call[17] == "CBOE", "\(call)")
        let open = try #require(heard.first { $0[0] == "5" && $0[1] == "1" })
        #expect(open[7] == "C" && open[8] == "100", "an option keeps its right in reports")
        bench.send(1, ["61", "1"])
        let positions = bench.hear(1, "61")
        let option = try #require(positions.first { $0[5] == "OPT" })
        let price = try Price(call[20])
        // Cost of one contract: a hundred times its price.
        let cost = try Price(option[15])
        #expect(option[14] == "2" && abs(cost.raw - price.raw * 100) <= 200_000_000, "\(option)")
        #expect(positions.first { $0[5] == "CRYPTO" }?[14] == "0.0125" && positions.first { $0[5] == "CASH" }?[14] == "20000")
    }

    @Test func oldClientsReadWholeSizesEvenOfCoins() throws {
        for (version, isWhole) in [(162, true), (163, false)] {
            var bench = try ready(GatewaySettings(maximumVersion: version))
            bench.send(1, ["1", "11", "5"] + Self.coin + ["0", "", "0", "0", ""])
            bench.send(1, ["97", "6"] + Self.coin + ["BidAsk", "0", "0"])
            bench.send(1, ["97", "7"] + Self.coin + ["Last", "20", "0"])
            bench.send(1, ["10", "5", "8"] + Self.coin + ["5", "0", ""])
            bench.send(1, ["20", "9"] + Self.coin + ["0", "", "1 min", "600 S", "0", "TRADES", "2", "0", ""])
            bench.send(1, ["50", "3", "10"] + Self.coin + ["5", "TRADES", "0", ""])
            bench.pass(.seconds(11))
            let heard = bench.hear(1)
            func sizes(_ message: String, _ at: [Int]) -> [String] { heard.filter { $0[0] == message }.flatMap { frame in at.map { frame[$0] } } }
            let touches = heard.filter { $0[0] == "99" && $0[2] == "3" }.flatMap { $0[6...7] }
            let trades = heard.filter { $0[0] == "99" && $0[2] == "1" }.map { $0[5] }
            let past = heard.filter { $0[0] == "98" }.flatMap { frame in stride(from: 6, to: frame.count - 1, by: 6).map { frame[$0] } }
            let bars = heard.filter { $0[0] == "17" }.flatMap { frame in stride(from: 10, to: frame.count, by: 8).map { frame[$0] } }
            for kind in [sizes("2", [4]), sizes("1", [5]), sizes("12", [7]), sizes("50", [8]), touches, trades, past, bars] {
                #expect(!kind.isEmpty && kind.contains { $0.contains(".") } == !isWhole, "\(version): \(kind.prefix(4))")
            }
        }
    }

    @Test func allClientsShareTheLinesAndEachInstrumentCountsOnce() throws {
        var bench = try ready(GatewaySettings(lines: 2))
        bench.start(2)
        func quotes(_ id: Int, _ symbol: String) -> [String] { ["1", "11", String(id)] + contract(symbol) + ["0", "", "0", "0", ""] }
        bench.send(1, quotes(1, "AAPL"))
        bench.send(2, quotes(1, "AAPL"))
        bench.send(2, quotes(2, "MSFT"))
        bench.send(1, quotes(2, "MSFT"))
        #expect(bench.errors(1).isEmpty && bench.errors(2).isEmpty)
        bench.send(1, quotes(3, "NVDA"))
        #expect(bench.errors(1) == ["101"])
        bench.send(1, ["1", "11", "4"] + contract("NVDA") + ["0", "", "1", "0", ""])
        #expect(bench.hear(1).last == ["57", "1", "4"], "a snapshot needs no line")
        bench.hangUp(2)
        bench.send(1, ["2", "2", "2"])
        bench.send(1, quotes(5, "NVDA"))
        #expect(bench.errors(1).isEmpty)
    }
}
