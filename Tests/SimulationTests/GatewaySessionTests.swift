// Handshake, versions, client ids, notices, contracts and faults of the simulated gateway.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewaySessionTests {
    @Test func handshakeGivesVersionAccountIdAndNotices() throws {
        var bench = try GatewayBench()
        bench.start(7)
        let heard = bench.hear(7)
        #expect(heard.first == ["178", "20261120 10:00:00 US/Eastern"])
        #expect(heard.contains(["15", "1", "DU1234567"]) && heard.contains(["9", "1", "1"]))
        #expect(Set(heard.filter { $0[0] == "4" }.map { $0[3] }) == ["2104", "2106", "2158"])
        bench.send(7, ["49", "1"])
        #expect(bench.hear(7) == [["49", "1", "1795186800"]])
    }

    @Test(arguments: [
        ("v157..178", 178, "178"), ("v100..225", 178, "178"), ("v100..157", 178, "157"), ("v157..178", 163, "163"), ("v178", 178, "178"),
    ])
    func theVersionIsTheSmallerMaximum(_ range: String, _ maximum: Int, _ answer: String) throws {
        var bench = try GatewayBench(GatewaySettings(maximumVersion: maximum))
        bench.start(1, range: range)
        #expect(bench.hear(1).first?.first == answer)
    }

    @Test(arguments: ["v100..156", "v179..225"]) func aClientTooOldOrTooNewIsClosed(_ range: String) throws {
        var bench = try GatewayBench()
        bench.start(1, range: range)
        #expect(bench.closed == [1] && bench.hear(1).isEmpty)
    }

    @Test func garbageAndOversizeFramesCloseTheConnection() throws {
        var bench = try GatewayBench()
        _ = bench.gateway.connect(GatewayConnection(1), at: friday)
        bench.send(1, bytes: Array("GET / HTTP/1.1\r\n".utf8))
        bench.start(2)
        bench.send(2, bytes: [0x7F, 0xFF, 0xFF, 0xFF])
        #expect(bench.closed == [1, 2])
        bench.start(3)
        _ = bench.hear(3)
        bench.send(3, ["1", "11", "x"])
        bench.send(3, ["20", "5"])
        #expect(bench.errors(3) == ["320", "320"] && bench.gateway.malformedMessages == 4)
        bench.send(3, ["97", "1"])
        bench.send(3, ["4711"])
        #expect(bench.errors(3) == ["320", "320"] && bench.gateway.unknownMessages == 1 && bench.gateway.malformedMessages == 5)
    }

    @Test func aClientIdIsUsedOnceAtATime() throws {
        var bench = try GatewayBench()
        bench.start(1, id: 7)
        bench.start(2, id: 7)
        #expect(bench.errors(2) == ["326"] && bench.closed == [2])
        bench.hangUp(1)
        bench.start(3, id: 7)
        #expect(bench.hear(3, "9").count == 1)
        var busy = try GatewayBench(GatewaySettings(switches: [.clientIdInUse(times: 1)]))
        busy.start(1, id: 7)
        busy.start(2, id: 7)
        #expect(busy.closed == [1] && busy.hear(2, "9").count == 1)
    }

    @Test func aWedgedGatewaySaysNothing() throws {
        var bench = try GatewayBench(GatewaySettings(switches: [.wedge]))
        bench.start(1)
        bench.pass(.seconds(60))
        #expect(bench.hear(1).isEmpty && bench.closed.isEmpty)
    }

    @Test func requestsBeforeStartApiAreLost() throws {
        var bench = try GatewayBench()
        _ = bench.gateway.connect(GatewayConnection(1), at: friday)
        bench.send(1, bytes: Array("API\0".utf8) + [0, 0, 0, 9] + Array("v157..178".utf8))
        _ = bench.hear(1)
        bench.send(1, ["61", "1"])
        #expect(bench.hear(1).isEmpty)
    }

    @Test func tooManyMessagesInASecondAreRefusedAndThenTheSocketCloses() throws {
        var bench = try GatewayBench()
        bench.start(1)
        for round in 1...3 {
            _ = bench.hear(1)
            for _ in 0..<60 { bench.send(1, ["49", "1"]) }
            // The start is a message of the first second; the third second ends at the first one too many.
            #expect(bench.errors(1) == Array(repeating: "100", count: [11, 10, 1][round - 1]), "round \(round)")
            bench.pass(.seconds(1))
        }
        #expect(bench.closed == [1])
    }

    @Test func theChainIsDescribedWithHoursAndExpiries() throws {
        var bench = try GatewayBench()
        bench.start(1)
        _ = bench.hear(1)
        bench.send(1, ["9", "8", "1", "0", "MBT", "FUT", "", "", "", "", "CME", "", "USD", "", "", "0", "", "", ""])
        let details = bench.hear(1, "10")
        #expect(details.map { $0[9] } == ["MBTX6", "MBTZ6", "MBTF7", "MBTG7", "MBTH7", "MBTJ7", "MBTK7"])
        let december = try #require(details.first { $0[9] == "MBTZ6" })
        #expect(december.count == 40 && december[4] == "20261224 10:00:00 US/Central" && december[14] == "0.1" && december[13] == "5")
        #expect(december[25] == "US/Central" && december[26].hasPrefix("20261120:0000-20261121:0000;"))
        #expect(details.first { $0[9] == "MBTH7" }?[4] == "20270326 11:00:00 US/Central", "London changes its clocks two days later")
        #expect(bench.hear(1) == [["52", "1", "1"]])
        bench.start(2, range: "v157..173")
        _ = bench.hear(2)
        bench.send(2, ["9", "8", "1", "0", "MBT", "FUT", "", "", "", "", "CME", "", "USD", "", "", "0", "", ""])
        let ends = bench.hear(2, "10").map { $0[4] }.filter { $0.hasPrefix("2027") }.prefix(4)
        #expect(ends == ["20270129 10:00 CST", "20270226 10:00 CST", "20270326 11:00 CDT", "20270430 10:00 CDT"])
        bench.send(1, ["9", "8", "2", "0", "XYZ", "STK", "", "", "", "", "SMART", "", "USD", "", "", "0", "", "", ""])
        #expect(bench.errors(1) == ["200"])
        bench.send(1, ["9", "8", "3", "0", "AAPL", "STK", "", "", "", "", "SMART", "NASDAQ", "USD", "", "", "0", "", "", ""])
        #expect(bench.hear(1, "10").first?[20] == "NASDAQ")
    }

    @Test func realHoursAreWrittenAsClosedDaysAndSessions() throws {
        var bench = try GatewayBench(realHours: true)
        bench.start(1)
        bench.send(1, ["9", "8", "3", "0", "AAPL", "STK", "", "", "", "", "SMART", "NASDAQ", "USD", "", "", "0", "", "", ""])
        let details = try #require(bench.hear(1, "10").first)
        #expect(details[26].hasPrefix("20261120:0400-20261120:2000;20261121:CLOSED;20261122:CLOSED;20261123:0400"))
        #expect(details[27].hasPrefix("20261120:0930-20261120:1600;20261121:CLOSED"))
    }

    @Test func linkLossIsToldAndStopsTheData() throws {
        var bench = try GatewayBench()
        bench.start(1)
        bench.send(1, ["1", "11", "5"] + contract("MBTZ6") + ["0", "", "0", "0", ""])
        bench.suffer(.linkLost)
        _ = bench.hear(1, "1")
        bench.pass(.seconds(20))
        #expect(bench.errors(1) == ["1100"] && bench.hear(1, "1").isEmpty)
        bench.suffer(.linkRestored(dataLost: false))
        bench.pass(.seconds(20))
        #expect(bench.errors(1) == ["1102"] && !bench.hear(1, "1").isEmpty)
        bench.suffer(.linkRestored(dataLost: true))
        _ = bench.hear(1)
        bench.pass(.seconds(20))
        #expect(bench.hear(1).isEmpty, "subscriptions are gone after 1101")
    }

    @Test func switchesAreReadFromWords() {
        #expect(GatewaySwitch("wedge") == .wedge && GatewaySwitch("no-market-data=10089") == .noMarketData(code: 10_089))
        #expect(GatewaySwitch("no-market-data=NVDA") == .noMarketData(code: 354, symbol: "NVDA"))
        #expect(GatewaySwitch("no-market-data=10168:MBT") == .noMarketData(code: 10_168, symbol: "MBT"))
        #expect(GatewaySwitch("cut-after-order") == .cutAfterOrder(1) && GatewaySwitch("drop-every=30") == .dropEvery(.seconds(30)))
        for text in [
            "", "nonsense", "wedge=1", "wedge=", "drop-every", "drop-every=-1", "no-market-data=7", "no-market-data=354:", "no-market-data=",
        ] { #expect(GatewaySwitch(text) == nil, "\(text)") }
    }
}
