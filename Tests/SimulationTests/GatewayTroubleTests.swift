// A gateway's bad hours: broken lines, resets, restarts, other sessions, lists without an end, slow readers and writers of single bytes.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayTroubleTests {
    private func ready(_ switches: GatewaySwitch...) throws -> GatewayBench {
        var bench = try GatewayBench(GatewaySettings(switches: switches))
        bench.start(1)
        _ = bench.hear(1)
        return bench
    }

    @Test(arguments: [(1_100, ["1100", "110x"]), (1_101, ["1100", "1101"]), (1_102, ["1100", "1102"]), (2_110, ["2110", "1102"])])
    func theLineBreaksEverySoOften(code: Int, words: [String]) throws {
        var bench = try ready(.link(code: code, every: .seconds(10)))
        bench.pass(.seconds(9))
        #expect(bench.hear(1).isEmpty)
        bench.pass(.seconds(15))
        let codes = bench.hear(1, "4").map { $0[3] }
        #expect(codes.count == 4 && codes[0] == words[0] && codes[2] == words[0])
        #expect([codes[1], codes[3]].allSatisfy { words[1] == "110x" ? ["1101", "1102"].contains($0) : $0 == words[1] })
    }

    @Test func listsMayHaveNoEnd() throws {
        var orders = try ready(.endless(.orders))
        for _ in 0..<2 { orders.send(1, ["5", "1"]) }
        orders.send(1, ["61", "1"])
        #expect(orders.hear(1) == [["62", "1"]], "the other lists end")
        var all = try ready(.endless(nil))
        for message in [["5", "1"], ["61", "1"], ["99", "0"]] {
            all.send(1, message)
            #expect(all.hear(1).isEmpty)
            all.send(1, message)
            #expect(all.hear(1).count == 1, "the second time it ends")
        }
    }

    @Test func everyByteIsAWriteOfItsOwn() throws {
        var gateway = IBKRGateway(
            settings: GatewaySettings(switches: [.split(1)]), exchange: try GatewayBench.exchange(), at: friday)
        let line = GatewayConnection(1)
        _ = gateway.connect(line, at: friday)
        let greeting = Array("API\0".utf8) + GatewayBench.prefixed(Array("v157..178".utf8))
        let output = gateway.receive(line, greeting, at: friday)
        #expect(output.count > 20)
        for item in output { if case .send(_, let bytes) = item { #expect(bytes.count == 1) } }
        var bench = try ready(.split(3))
        bench.send(1, order(1, "BUY", "1"))
        #expect(bench.hear(1, "11").count == 1)
    }

    @Test func aSlowReaderTakesItsTime() throws {
        var bench = try GatewayBench(GatewaySettings(switches: [.slowReader(100)]))
        bench.start(1)
        bench.pass(.milliseconds(200))
        #expect(bench.hear(1, "9").isEmpty)
        bench.pass(.seconds(1))
        #expect(bench.hear(1, "9").count == 1)
        _ = bench.hear(1)
        bench.send(1, order(1, "BUY", "1"))
        bench.pass(.seconds(1))
        #expect(bench.hear(1, "11").isEmpty)
        bench.pass(.seconds(4))
        #expect(bench.hear(1, "11").count == 1, "all is read in the end")
        bench.send(1, order(2, "BUY", "1"))
        bench.hangUp(1)
        bench.pass(.seconds(9))
        #expect(bench.gateway.exchange.fillSerial == 1, "what was not read when the line broke is lost")
    }

    @Test func onlyTheFirstConnectionsAreServed() throws {
        var bench = try GatewayBench(GatewaySettings(switches: [.wedgeAfter(2)]))
        for client in 1...3 { bench.start(UInt64(client)) }
        #expect(bench.hear(2, "9").count == 1 && bench.hear(3).isEmpty && bench.closed.isEmpty)
    }

    @Test func anotherSessionHasTheData() throws {
        func ask(_ id: Int, _ bench: inout GatewayBench) { bench.send(1, ["1", "11", String(id)] + contract("AAPL") + ["0", "", "0", "0", ""]) }
        var always = try ready(.competingSession(nil))
        ask(5, &always)
        always.pass(.seconds(2))
        #expect(always.hear(1).map { [$0[0]] + $0.dropFirst(2).prefix(2) } == [["4", "5", "10197"]])
        always.send(1, ["97", "6"] + contract("AAPL") + ["BidAsk", "0", "1"])
        always.send(1, ["10", "5", "7"] + contract("AAPL") + ["5", "0", ""])
        #expect(always.errors(1) == ["10197", "10197"])
        var spells = try ready(.competingSession(.seconds(5)))
        ask(5, &spells)
        #expect(spells.errors(1).isEmpty && !spells.hear(1, "1").isEmpty)
        spells.pass(.seconds(5))
        _ = spells.hear(1)
        spells.pass(.seconds(4))
        #expect(spells.hear(1).isEmpty, "the stream is silent")
        ask(6, &spells)
        #expect(spells.errors(1) == ["10197"])
        spells.pass(.seconds(1))
        #expect(spells.errors(1).isEmpty && spells.hear(1, "1").allSatisfy { $0[2] == "5" }, "the stream goes on by itself")
        spells.pass(.seconds(4))
        #expect(!spells.hear(1, "2").isEmpty)
    }

    /// Not quotes alone: single ticks, depth, five-second bars and bars that are kept up to date are silent too, and go on afterwards.
    @Test func everyKindOfStreamWaitsForTheOtherSession() throws {
        var bench = try ready()
        bench.send(1, ["1", "11", "5"] + contract("AAPL") + ["0", "", "0", "0", ""])
        bench.send(1, ["97", "6"] + contract("AAPL") + ["BidAsk", "0", "0"])
        bench.send(1, ["97", "7"] + contract("AAPL") + ["AllLast", "0", "0"])
        bench.send(1, ["10", "5", "8"] + contract("AAPL") + ["5", "0", ""])
        bench.send(1, ["50", "3", "9"] + contract("AAPL") + ["5", "TRADES", "0", ""])
        bench.send(1, ["20", "10"] + contract("AAPL") + ["0", "", "5 secs", "60 S", "0", "TRADES", "2", "1", ""])
        func kinds() -> Set<String> { Set(bench.hear(1).map { $0[0] == "99" ? "99." + $0[2] : $0[0] }) }
        for _ in 0..<12 { bench.pass(.seconds(1)) }
        let all: Set<String> = ["1", "99.3", "99.2", "13", "50", "90"]
        #expect(kinds().isSuperset(of: all))
        let volume = bench.hear(1)
        bench.suffer(.competingSession(lasting: .seconds(20)))
        #expect(bench.hear(1).map { [$0[3], $0[2]] } == ["5", "6", "7", "8", "9", "10"].map { ["10197", $0] })
        for _ in 0..<19 { bench.pass(.seconds(1)) }
        #expect(volume.isEmpty && bench.hear(1).isEmpty, "nothing of the market is told")
        bench.send(1, ["50", "3", "11"] + contract("AAPL") + ["5", "TRADES", "0", ""])
        #expect(bench.errors(1) == ["10197"])
        for _ in 0..<12 { bench.pass(.seconds(1)) }
        #expect(kinds().isSuperset(of: all), "all go on")
    }

    /// A client whose bytes wait may hang up; the reading that was to come is then the next client's, not one more.
    @Test func aSlowReaderIsNotTwiceAsFastForTheSecondClient() throws {
        var bench = try GatewayBench(GatewaySettings(switches: [.slowReader(100)]))
        bench.start(1)
        bench.hangUp(1)
        bench.start(2)
        // The hello has 17 bytes, the start 12: three readings of ten bytes each, one every tenth of a second.
        for _ in 0..<2 { bench.pass(.milliseconds(100)) }
        #expect(bench.hear(2, "9").isEmpty)
        bench.pass(.milliseconds(100))
        #expect(bench.hear(2, "9").count == 1)
    }

    @Test func fewMessagesAreTooMany() throws {
        var bench = try ready(.pacing(5))
        for _ in 0..<3 {
            for _ in 0..<7 { bench.send(1, ["49", "1"]) }
            bench.pass(.seconds(1))
        }
        // The start is a message too; in the third second the first one too many ends it.
        #expect(bench.errors(1) == Array(repeating: "100", count: 3 + 2 + 1) && bench.closed == [1])
    }

    @Test func eachMessageAboveTheRateIsAnsweredWithItsNumber() throws {
        func ask(_ count: Int, _ settings: GatewaySettings) throws -> [[String]] {
            var bench = try GatewayBench(settings)
            bench.start(1)
            bench.pass(.seconds(1))
            _ = bench.hear(1)
            for _ in 0..<count { bench.send(1, ["49", "1"]) }
            return bench.hear(1)
        }
        let usual = try ask(53, GatewaySettings())
        #expect(usual.map(\.[0]) == Array(repeating: "49", count: 50) + ["4", "4", "4"])
        #expect(
            usual.suffix(3).map { Array($0[2...4]) }
                == [51, 52, 53].map { ["-1", "100", "Max rate of messages per second has been exceeded: max=50 rec=\($0) (1)"] })
        #expect(try ask(4, GatewaySettings(rate: 3)).map(\.[0]) == ["49", "49", "49", "4"])
        #expect(try ask(400, GatewaySettings(rate: 0)).allSatisfy { $0[0] == "49" }, "no limit")
        #expect(try ask(3, GatewaySettings(switches: [.pacing(2)], rate: 0)).map(\.[0]) == ["49", "49", "4"], "the fault has a limit of its own")
    }

    @Test(arguments: [GatewayHour.after(.seconds(20)), .daily(10 * 3_600 + 20)]) func itRestartsAtItsTime(hour: GatewayHour) throws {
        var bench = try ready(.restartAt(hour))
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": "50000", "tif": "GTC"]))
        bench.send(1, order(2, "BUY", "1", "LMT", ["lmtPrice": "50000", "transmit": "0"]))
        bench.pass(.seconds(19))
        #expect(bench.closed.isEmpty)
        bench.pass(.seconds(1))
        #expect(bench.closed == [1])
        bench.start(2)
        #expect(bench.closed == [1, 2], "nobody is served yet")
        bench.pass(.seconds(10))
        bench.start(3, id: 1)
        bench.send(3, ["5", "1"])
        #expect(bench.hear(3, "5").map { $0[1] } == ["1"], "what was not transmitted is gone")
    }

    @Test func itRestartsEveryDay() throws {
        var bench = try GatewayBench(GatewaySettings(switches: [.restartAt(.daily(10 * 3_600 + 20))]))
        bench.pass(.hours(24))
        bench.start(1)
        bench.pass(.seconds(19))
        #expect(bench.closed.isEmpty)
        bench.pass(.seconds(1))
        #expect(bench.closed == [1])
    }

    @Test func theNightlyResetLiesForAMinute() throws {
        var bench = try ready(.resetAt(.after(.seconds(10))))
        bench.send(1, ["1", "11", "5"] + contract("AAPL") + ["0", "", "0", "0", ""])
        bench.pass(.seconds(10))
        #expect(bench.hear(1, "4").map { $0[3] } == ["2103", "2103", "2105", "2157", "1100"])
        _ = bench.hear(1)
        bench.send(1, ["9", "8", "7"] + contract("MBTZ6") + ["0", "", "", ""])
        bench.send(1, ["20", "8"] + contract("MBTZ6") + ["0", "", "1 min", "600 S", "0", "TRADES", "2", "0", ""])
        #expect(bench.hear(1).map { [$0[0]] + $0.dropFirst(2).prefix(2) } == [["4", "7", "200"], ["4", "8", "162"]])
        bench.send(1, order(1, "BUY", "1"))
        bench.pass(.seconds(50))
        #expect(bench.hear(1).isEmpty && bench.gateway.exchange.fillSerial == 0, "nobody manages orders meanwhile")
        bench.pass(.seconds(10))
        let codes = bench.hear(1, "4").map { $0[3] }
        #expect(codes.prefix(4) == ["2104", "2104", "2106", "2158"] && ["1101", "1102"].contains(codes.last))
        #expect(bench.hear(1, "11").count == 1, "the order that waited is done")
    }

    @Test func incidentsComeFromOutsideToo() throws {
        var bench = try ready()
        bench.suffer(.restart(lasting: .seconds(2)))
        #expect(bench.closed == [1])
        bench.pass(.seconds(2))
        bench.start(2)
        _ = bench.hear(2)
        bench.send(2, ["1", "11", "5"] + contract("AAPL") + ["0", "", "0", "0", ""])
        bench.suffer(.competingSession(lasting: .seconds(3)))
        bench.suffer(.reset(lasting: .seconds(4)))
        #expect(bench.errors(2) == ["10197", "1100"])
        bench.pass(.seconds(5))
        bench.send(2, order(1, "BUY", "1"))
        bench.suffer(.correctLastExecution)
        #expect(bench.hear(2, "11").map { $0[14].suffix(2) } == ["01", "02"])
    }
}
