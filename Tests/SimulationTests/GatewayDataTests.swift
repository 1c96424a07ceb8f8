// Quotes, history and bars of the simulated gateway.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayDataTests {
    private func ready(_ settings: GatewaySettings = GatewaySettings(), range: String = "v157..178") throws -> GatewayBench {
        var bench = try GatewayBench(settings)
        bench.start(1, range: range)
        _ = bench.hear(1)
        return bench
    }

    @Test func quotesStartWholeThenFollowTheMarket() throws {
        var bench = try ready()
        bench.send(1, ["1", "11", "5"] + contract("MBTZ6") + ["0", "233", "0", "0", ""])
        let start = bench.hear(1)
        #expect(start.first == ["58", "1", "5", "1"] && start[1] == ["81", "5", "5", "", "4"])
        let types = Set(start.filter { $0[0] == "1" }.map { $0[3] })
        #expect(types == ["1", "2", "4", "6", "7", "9", "14"], "bid, ask, last, high, low, close, open")
        bench.pass(.seconds(30))
        let later = bench.hear(1)
        let bids = later.filter { $0[0] == "1" && $0[3] == "1" }
        #expect(bids.count > 2 && bids.allSatisfy { (Int($0[4]) ?? 1) % 5 == 0 && (Int($0[5]) ?? 99) < 25 })
        #expect(later.contains { $0[0] == "46" && $0[3] == "48" && $0[4].hasSuffix(";true") }, "RT volume was asked for")
        bench.send(1, ["2", "2", "5"])
        bench.pass(.seconds(30))
        #expect(bench.hear(1).isEmpty)
        bench.send(1, ["2", "2", "5"])
        #expect(bench.errors(1) == ["300"])
    }

    @Test func aSnapshotEndsAndADoubleIdIsRefused() throws {
        var bench = try ready()
        bench.send(1, ["1", "11", "5"] + contract("AAPL") + ["0", "", "1", "0", ""])
        #expect(bench.hear(1).last == ["57", "1", "5"])
        bench.pass(.seconds(10))
        #expect(bench.hear(1).isEmpty)
        for _ in 0..<2 { bench.send(1, ["1", "11", "6"] + contract("AAPL") + ["0", "", "0", "0", ""]) }
        #expect(bench.errors(1) == ["102"])
    }

    @Test(arguments: [354, 10_089, 10_168]) func withoutASubscriptionThereIsNoLiveDataButDelayed(_ code: Int) throws {
        var bench = try ready(GatewaySettings(switches: [.noMarketData(code: code)]))
        bench.send(1, ["1", "11", "5"] + contract("AAPL") + ["0", "", "0", "0", ""])
        #expect(bench.errors(1) == [String(code)])
        bench.send(1, ["59", "1", "3"])
        bench.send(1, ["1", "11", "6"] + contract("AAPL") + ["0", "", "0", "0", ""])
        let heard = bench.hear(1)
        #expect(heard.contains { $0[0] == "4" && $0[3] == "10167" } && heard.contains(["58", "1", "6", "3"]))
        #expect(heard.filter { $0[0] == "1" }.allSatisfy { (66...76).contains(Int($0[3]) ?? 0) })
    }

    private func history(
        _ id: String, _ symbol: String, end: String = "", bar: String = "1 min", duration: String = "3600 S", format: String = "2", keep: String = "0"
    )
        -> [String]
    {
        ["20", id] + contract(symbol) + ["0", end, bar, duration, "0", "TRADES", format, keep, ""]
    }

    @Test func historyComesInOneFrameAndAgreesWithTheQuotes() throws {
        var bench = try ready()
        bench.send(1, history("9", "MBTZ6"))
        let frame = try #require(bench.hear(1, "17").first)
        #expect(frame[1] == "9" && frame[4] == "60" && frame.count == 5 + 60 * 8)
        #expect(frame[3] == "20261120 10:00:00 US/Eastern" && frame[2] == "20261120 09:00:00 US/Eastern")
        let starts = stride(from: 5, to: frame.count, by: 8).compactMap { Int64(frame[$0]) }
        #expect(starts.count == 60 && starts.last == friday.seconds && zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 == 60 })
        bench.send(1, ["1", "11", "5"] + contract("MBTZ6") + ["0", "", "1", "0", ""])
        let last = try #require(bench.hear(1, "1").first { $0[3] == "4" })
        #expect(last[4] == frame[frame.count - 4], "the last bar closes at the last trade")
    }

    @Test func timesCarryAZoneFrom174On() throws {
        for (range, date) in [("v157..178", "20261120 10:00:00 US/Eastern"), ("v157..173", "20261120  10:00:00")] {
            var bench = try ready(range: range)
            bench.send(1, history("9", "AAPL", bar: "5 mins", duration: "600 S", format: "1"))
            let frame = try #require(bench.hear(1, "17").first)
            #expect(frame[frame.count - 8] == date)
        }
    }

    @Test func historyIsKeptUpToDateOpenCloseHighLow() throws {
        var bench = try ready()
        bench.send(1, history("9", "MBTZ6", keep: "1"))
        _ = bench.hear(1)
        bench.pass(.seconds(130))
        let updates = bench.hear(1, "90")
        #expect(updates.count > 60 && updates.allSatisfy { $0.count == 10 && $0[1] == "9" })
        for update in updates {
            let (open, close) = (Int(update[4]) ?? 0, Int(update[5]) ?? 0)
            let (high, low) = (Int(update[6]) ?? 0, Int(update[7]) ?? 0)
            #expect(high >= max(open, close) && low <= min(open, close) && low > 0)
        }
        #expect(Set(updates.map { $0[3] }).count == 3, "the minute of the start and the two after it")
        bench.send(1, ["25", "1", "9"])
        _ = bench.hear(1)
        bench.pass(.seconds(10))
        #expect(bench.hear(1).isEmpty)
    }

    @Test func senselessHistoryIsRefused() throws {
        var bench = try ready()
        bench.send(1, history("1", "MBTZ6", bar: "7 mins"))
        bench.send(1, history("2", "MBTZ6", duration: "1 X"))
        bench.send(1, history("3", "MBTZ6", end: "20261120 09:00:00 Mars/Base"))
        bench.send(1, history("4", "MBTZ6", end: "20261120 09:00:00 US/Eastern", keep: "1"))
        bench.send(1, history("5", "MBTZ6", bar: "1 secs", duration: "1 Y"))
        bench.send(1, history("6", "NOPE"))
        // Numbers that no clock holds.
        for (id, duration) in [("7", "300 Y"), ("8", "110000 D"), ("9", "4000 M"), ("10", "900000 W")] {
            bench.send(1, history(id, "MBTZ6", duration: duration))
        }
        for (id, end) in [("11", "00010101 00:00:00 UTC"), ("12", "99991231 23:59:59 UTC")] { bench.send(1, history(id, "MBTZ6", end: end)) }
        #expect(bench.errors(1) == ["321", "321", "10314", "321", "162", "200", "321", "321", "321", "321", "10314", "10314"])
        bench.send(1, history("7", "MBTZ6", end: "20261120-14:00:00", duration: "120 S"))
        #expect(bench.hear(1, "17").first?[3] == "20261120 08:59:59 US/Eastern")
    }

    @Test func realTimeBarsComeEveryFiveSeconds() throws {
        var bench = try ready()
        bench.send(1, ["50", "3", "8"] + contract("MBTZ6") + ["5", "TRADES", "0", ""])
        bench.pass(.seconds(21))
        let bars = bench.hear(1, "50")
        #expect(bars.map { $0[3] } == [0, 5, 10, 15].map { String(friday.seconds + $0) })
        bench.send(1, ["51", "1", "8"])
        bench.pass(.seconds(10))
        #expect(bench.hear(1, "50").isEmpty)
    }
}
