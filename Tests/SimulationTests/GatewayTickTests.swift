// Single ticks and depth of the simulated gateway: streams that agree with the quotes, and a past that agrees with what was live.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayTickTests {
    private func ready(_ settings: GatewaySettings = GatewaySettings()) throws -> GatewayBench {
        var bench = try GatewayBench(settings)
        bench.start(1)
        _ = bench.hear(1)
        return bench
    }
    private func ticks(_ id: String, _ kind: String, _ symbol: String = "MBTZ6", count: String = "0", ignoreSize: String = "0") -> [String] {
        ["97", id] + contract(symbol) + [kind, count, ignoreSize]
    }
    private func past(_ id: String, start: String = "", end: String = "", count: String = "100", _ what: String) -> [String] {
        ["96", id] + contract("MBTZ6") + ["0", start, end, count, what, "0", "0", ""]
    }

    @Test func fourKindsOfTicksFollowTheMarket() throws {
        var bench = try ready()
        for (index, kind) in ["Last", "AllLast", "BidAsk", "MidPoint"].enumerated() { bench.send(1, ticks(String(index + 1), kind)) }
        #expect(bench.hear(1).map { Array($0[0...2]) } == [["99", "3", "3"], ["99", "4", "4"]], "touch and midpoint are told at once")
        bench.pass(.seconds(30))
        let heard = bench.hear(1)
        #expect(heard.allSatisfy { $0[0] == "99" })
        let byId = Dictionary(grouping: heard) { $0[1] }
        #expect(byId.mapValues { Set($0.map { $0[2] }) } == ["1": ["1"], "2": ["2"], "3": ["3"], "4": ["4"]])
        #expect(byId["1"]?.map { $0.dropFirst(3) } == byId["2"]?.map { $0.dropFirst(3) } && (byId["1"]?.count ?? 0) > 10)
        #expect(byId["1"]?.allSatisfy { $0.count == 9 && $0[7] == "CME" } == true)
        #expect(byId["3"]?.allSatisfy { $0.count == 9 && (Int($0[4]) ?? 9) < (Int($0[5]) ?? 0) } == true)
        let points = try #require(byId["4"]).map { $0[4] }
        #expect(zip(points, points.dropFirst()).allSatisfy { $0 != $1 }, "a midpoint is told when it has moved")
        for id in 1...4 { bench.send(1, ["98", String(id)]) }
        bench.pass(.seconds(10))
        #expect(bench.hear(1).isEmpty)
    }

    @Test func changesOfSizeAloneCanBeLeftOut() throws {
        var bench = try ready()
        bench.send(1, ticks("1", "BidAsk"))
        bench.send(1, ticks("2", "BidAsk", ignoreSize: "1"))
        bench.pass(.seconds(60))
        let byId = Dictionary(grouping: bench.hear(1)) { $0[1] }
        let (all, prices) = (try #require(byId["1"]), try #require(byId["2"]))
        #expect(prices.count < all.count && zip(prices, prices.dropFirst()).allSatisfy { $0[4...5] != $1[4...5] })
    }

    @Test func ticksBeginWithThePastWhenAsked() throws {
        var bench = try ready()
        bench.send(1, ticks("1", "Last", count: "20"))
        let frame = try #require(bench.hear(1, "98").first)
        let count = try #require(Int(frame[2]))
        #expect((20...24).contains(count) && frame.count == 3 + count * 6 + 1 && frame.last == "1", "all of the first second are there")
        bench.send(1, ticks("1", "Last"))
        bench.send(1, ticks("2", "First"))
        bench.send(1, ticks("3", "Last", count: "5000"))
        #expect(bench.errors(1) == ["102", "10189", "10189"])
    }

    @Test func fiveStreamsOfSingleTicksAreTheMost() throws {
        var bench = try ready()
        bench.start(2)
        for id in 1...4 { bench.send(1, ticks(String(id), "BidAsk")) }
        for id in 1...2 { bench.send(2, ticks(String(id), "BidAsk")) }
        #expect(bench.errors(2) == ["10190"] && bench.errors(1).isEmpty, "for all clients of the login")
        bench.send(1, ["98", "1"])
        bench.send(2, ticks("3", "BidAsk"))
        #expect(bench.errors(2).isEmpty)
        var closed = try ready(GatewaySettings(switches: [.noMarketData(code: 354)]))
        closed.send(1, ticks("1", "Last"))
        closed.send(1, past("2", end: "20261120 09:00:00 US/Eastern", "TRADES"))
        #expect(closed.errors(1) == ["10189", "10187"])
    }

    @Test func thePastIsWhatWasLive() throws {
        var bench = try ready()
        bench.send(1, ticks("1", "Last"))
        bench.send(1, ticks("2", "BidAsk"))
        bench.pass(.seconds(60))
        let live = bench.hear(1)
        bench.send(1, past("3", start: "20261120-15:00:00", count: "1000", "TRADES"))
        bench.send(1, past("4", start: "20261120-15:00:00", count: "1000", "BID_ASK"))
        let trades = try #require(bench.hear(1, "98").first)
        let touches = try #require(bench.hear(1, "97").first)
        let told: [String] = stride(from: 3, to: trades.count - 1, by: 6).map { at in trades[at + 2...at + 3].joined(separator: "/") }
        let liveTrades: [String] = live.filter { $0[1] == "1" }.map { $0[4...5].joined(separator: "/") }
        #expect(Array(told.suffix(liveTrades.count)) == liveTrades && told.count - liveTrades.count <= 1, "the step of the start itself")
        let touchTexts: [String] = stride(from: 3, to: touches.count - 1, by: 6).map { at in touches[at + 2...at + 5].joined(separator: "/") }
        let liveTouches: [String] = live.filter { $0[1] == "2" }.map { $0[4...7].joined(separator: "/") }
        #expect(Array(touchTexts.suffix(liveTouches.count - 1)) == Array(liveTouches.dropFirst()))
    }

    @Test func thePastEndsWhereItIsAskedToAndSkipsTheWeekend() throws {
        var bench = try GatewayBench(realHours: true)
        bench.start(1)
        _ = bench.hear(1)
        bench.send(1, ["96", "5"] + contract("AAPL") + ["0", "", "20261116 09:30:05 US/Eastern", "200", "TRADES", "1", "0", ""])
        let frame = try #require(bench.hear(1, "98").first)
        let seconds = stride(from: 3, to: frame.count - 1, by: 6).compactMap { Int64(frame[$0]) }
        // Friday 16:00 New York is 21:00 UTC.
        #expect(seconds.count >= 200 && seconds == seconds.sorted())
        #expect((seconds.first ?? .max) < 1_794_603_600 && (seconds.last ?? 0) >= 1_794_839_400)
        #expect(!seconds.contains { $0 >= 1_794_603_600 && $0 < 1_794_839_400 })
        bench.send(1, past("6", "TRADES"))
        bench.send(1, past("7", end: "20261120 09:00:00 US/Eastern", count: "5000", "TRADES"))
        bench.send(1, past("8", end: "20261120 09:00:00 US/Eastern", "SCHEDULE"))
        bench.send(1, past("9", end: "yesterday", "TRADES"))
        bench.send(1, past("10", end: "00010101 00:00:00 UTC", "TRADES"))
        #expect(bench.errors(1) == ["10187", "10187", "10187", "10314", "10314"])
    }
}

@Suite struct GatewayHaltTests {
    @Test func aHaltIsToldAndNothingTradesUntilItEnds() throws {
        let instrument = InstrumentID("MBTZ6.CME")
        var bench = try GatewayBench()
        bench.start(1)
        bench.send(1, ["1", "11", "5"] + contract("MBTZ6") + ["0", "", "0", "0", ""])
        bench.pass(.seconds(5))
        _ = bench.hear(1)
        bench.suffer(.halt(instrument))
        #expect(bench.hear(1) == [["45", "6", "5", "49", "1.0"]])
        bench.send(1, order(1, "BUY", "2"))
        bench.pass(.seconds(30))
        let halted = bench.hear(1)
        #expect(!halted.contains { $0[0] == "11" || $0[0] == "1" || $0[0] == "2" }, "neither fills nor prices")
        bench.send(1, ["1", "11", "6"] + contract("MBTZ6") + ["0", "", "1", "0", ""])
        #expect(bench.hear(1, "45").contains(["45", "6", "6", "49", "1.0"]), "whoever comes late is told too")
        bench.suffer(.resume(instrument))
        bench.pass(.seconds(5))
        let after = bench.hear(1)
        #expect(after.contains(["45", "6", "5", "49", "0.0"]) && after.contains { $0[0] == "11" } && after.contains { $0[0] == "1" })
    }
}

@Suite struct GatewayDepthTests {
    /// A client's book, rebuilt from rows as clients do it.
    private struct Book {
        var sides: [[(price: String, size: String)]] = [[], []]
        mutating func take(_ operation: String, _ position: Int, _ side: Int, _ price: String, _ size: String) -> Bool {
            switch operation {
            case "0" where position <= sides[side].count: sides[side].insert((price, size), at: position)
            case "1" where position < sides[side].count: sides[side][position] = (price, size)
            case "2" where position < sides[side].count: sides[side].remove(at: position)
            default: return false
            }
            return true
        }
    }

    @Test func theBookOfAFutureIsKeptByItsChanges() throws {
        var bench = try GatewayBench()
        bench.start(1)
        _ = bench.hear(1)
        bench.send(1, ["10", "5", "7"] + contract("MBTZ6") + ["5", "0", ""])
        var book = Book()
        var frames = bench.hear(1, "12")
        #expect(frames.count == 10 && frames.allSatisfy { $0[4] == "0" })
        bench.pass(.seconds(30))
        let changes = bench.hear(1, "12")
        #expect(changes.count > 20 && changes.allSatisfy { $0.count == 8 && $0[2] == "7" })
        frames += changes
        for row in frames {
            let fits = book.take(row[4], Int(row[3]) ?? 99, Int(row[5]) ?? 0, row[6], row[7])
            #expect(fits, "\(row)")
        }
        for (side, rows) in book.sides.enumerated() {
            let prices = rows.compactMap { Int($0.price) }
            #expect(prices.count == 5 && prices == prices.sorted(by: side == 1 ? { $0 > $1 } : { $0 < $1 }))
        }
        let id = InstrumentID("MBTZ6.CME")
        var exchange = bench.gateway.exchange
        let shown = exchange.touch(id)
        let touch = try #require(shown)
        #expect(book.sides[1][0].price == touch.bid.description && book.sides[0][0].size == touch.askSize.description)
        bench.send(1, ["11", "1", "7", "0"])
        bench.pass(.seconds(10))
        #expect(bench.hear(1).isEmpty)
    }

    @Test func stocksNameWhereARowRestsAndThreeBooksAreTheMost() throws {
        var bench = try GatewayBench()
        bench.start(1)
        _ = bench.hear(1)
        bench.send(1, ["10", "5", "1"] + contract("AAPL") + ["20", "1", ""])
        let rows = bench.hear(1, "13")
        #expect(rows.count == 20 && rows.allSatisfy { $0.count == 10 && !$0[4].isEmpty && $0[9] == "1" }, "ten rows a side are all there are")
        for id in 2...4 { bench.send(1, ["10", "5", String(id)] + contract("MBTZ6") + ["5", "0", ""]) }
        #expect(bench.errors(1) == ["309"])
        bench.send(1, ["10", "5", "9"] + contract("MBTZ6") + ["0", "0", ""])
        #expect(bench.errors(1) == ["321"])
    }
}
