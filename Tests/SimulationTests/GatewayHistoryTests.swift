// History that takes long: others are served meanwhile, what was made once is not made again, and it can be taken back.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayHistoryTests {
    private func bench(_ clients: UInt64...) throws -> GatewayBench {
        var bench = try GatewayBench(GatewaySettings(rate: 0))
        for client in clients {
            bench.start(client)
            _ = bench.hear(client)
        }
        return bench
    }
    private func ask(_ id: Int, _ bar: String = "5 mins", _ span: String = "1 W", _ what: String = "TRADES", goesOn: Bool = false) -> [String] {
        ["20", String(id)] + contract("AAPL") + ["0", "", bar, span, "0", what, "2", goesOn ? "1" : "0", ""]
    }
    /// Turns of a millisecond until a client hears an answer of this kind; nil when it never does.
    private func turns(_ bench: inout GatewayBench, _ client: UInt64, _ message: String = "17", most: Int = 1_000) -> (count: Int, frame: [String])? {
        for count in 0..<most {
            if let frame = bench.hear(client, message).first { return (count, frame) }
            bench.pass(.milliseconds(1))
        }
        return nil
    }

    @Test func othersAreServedWhileItIsMade() throws {
        var bench = try bench(1, 2)
        bench.send(1, ask(5))
        bench.send(2, ["49", "1"])
        #expect(bench.hear(2, "49").count == 1 && bench.hear(1).isEmpty)
        let long = try #require(turns(&bench, 1))
        #expect(long.count > 10 && long.frame[4] == "2016", "\(long.count) turns")
        bench.send(1, ask(6, "1 min", "600 S"))
        #expect(bench.hear(1, "17").first?[4] == "10", "what is soon made is answered at once")
    }

    @Test(arguments: ["TRADES", "BID_ASK"]) func whatWasMadeOnceIsNotMadeAgain(what: String) throws {
        var bench = try bench(1, 2)
        bench.send(1, ask(5, "5 mins", "1 W", what))
        let first = try #require(turns(&bench, 1))
        bench.send(2, ask(7, "5 mins", "1 W", what))
        let again = try #require(turns(&bench, 2))
        #expect(again.count * 5 < first.count, "\(first.count) turns, then \(again.count)")
        // The last one is still forming.
        #expect(again.frame.dropFirst(2).dropLast(9) == first.frame.dropFirst(2).dropLast(9))
    }

    /// Bars that come in pieces, some from the shelf, are those that the exchange makes in one.
    @Test(arguments: [("5 mins", 300, "2 D", 576), ("1 min", 60, "1 D", 1_440), ("1 hour", 3_600, "1 M", 720), ("1 day", 86_400, "1 M", 30)])
    func theyAreTheBarsOfTheExchange(bar: String, seconds: Int, span: String, count: Int) throws {
        var bench = try bench(1)
        var exchange = try GatewayBench.exchange()
        let wanted = exchange.bars(InstrumentID("AAPL.NASDAQ"), length: .seconds(Int64(seconds)), count: count, end: friday)
        try #require(wanted.count == count)
        for id in 5...6 {
            bench.send(1, ask(id, bar, span))
            let frame = try #require(turns(&bench, 1)).frame
            let rows = stride(from: 5, to: frame.count, by: 8).map { Array(frame[$0..<$0 + 8]) }
            // The last one is still forming.
            #expect(rows.dropLast().map { $0[4] } == wanted.dropLast().map { $0.close.description })
            #expect(rows.dropLast().map { $0[5] } == wanted.dropLast().map { $0.volume.description })
        }
    }

    @Test func aQueryThatIsTakenBackSaysWhichOneItWas() throws {
        var bench = try bench(1)
        let gone = "Historical Market Data Service error message:API historical data query cancelled: "
        bench.send(1, ask(5))
        bench.send(1, ask(5))
        #expect(bench.errors(1) == ["322"], "the number is in use")
        bench.send(1, ["25", "1", "5"])
        #expect(bench.hear(1).map { Array($0[2...4]) } == [["5", "162", gone + "5"]])
        #expect(turns(&bench, 1, most: 200) == nil, "and nothing follows")
        bench.send(1, ask(6, "5 secs", "60 S", goesOn: true))
        #expect(bench.hear(1, "17").count == 1)
        bench.send(1, ["25", "1", "6"])
        #expect(bench.hear(1).map { Array($0[2...4]) } == [["6", "162", gone + "6"]])
        bench.send(1, ["25", "1", "6"])
        #expect(bench.errors(1) == ["366"])
    }

    @Test func fiftyMayWaitAndNoMore() throws {
        var bench = try bench(1)
        for id in 1...51 { bench.send(1, ask(id, "5 mins", "2 D")) }
        #expect(bench.hear(1).map { Array($0[2...3]) } == [["51", "322"]])
        var answered = 0
        for _ in 0..<1_000 { bench.pass(.milliseconds(1)); answered += bench.hear(1, "17").count }
        #expect(answered == 50)
    }

    @Test func itGoesOnAfterItWasLongInMaking() throws {
        var bench = try bench(1)
        bench.send(1, ask(5, "1 min", "1 D", goesOn: true))
        _ = try #require(turns(&bench, 1))
        for _ in 0..<5 { bench.pass(.seconds(1)) }
        #expect(!bench.hear(1, "90").isEmpty)
        bench.hangUp(1)
        bench.start(2)
        bench.send(2, ask(5))
        bench.hangUp(2)
        bench.pass(.seconds(1))
        #expect(bench.hear(2, "17").isEmpty)
    }
}
