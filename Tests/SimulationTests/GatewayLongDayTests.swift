// Long days and closed doors: what is forgotten, what a journal brings back, who may bind, what a reading API refuses.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayLongDayTests {
    private func ready(_ settings: GatewaySettings = GatewaySettings(), id: Int = 1) throws -> GatewayBench {
        var bench = try GatewayBench(settings)
        bench.start(1, id: id)
        _ = bench.hear(1)
        return bench
    }

    @Test func onlyClientZeroEndsItsBinding() throws {
        var bench = try ready(GatewaySettings(isManual: true), id: 0)
        bench.send(1, ["15", "1", "1"])
        bench.start(2, id: 5)
        _ = bench.hear(2)
        bench.send(2, ["15", "1", "0"])
        #expect(bench.errors(2) == ["321"])
        bench.pass(.seconds(10))
        #expect(bench.hear(1, "100").count == 1, "what is made by hand is still bound as it comes")
        bench.send(1, ["15", "1", "0"])
        bench.pass(.seconds(50))
        #expect(bench.hear(1, "100").isEmpty && bench.errors(1).isEmpty)
    }

    @Test func aReadingAPIChangesNothing() throws {
        var bench = try ready(GatewaySettings(switches: [.readOnly], isManual: true), id: 0)
        bench.send(1, order(1, "BUY", "1"))
        bench.send(1, ["4", "1", "7", ""])
        bench.send(1, ["58", "1"])
        bench.send(1, ["15", "1", "1"])
        bench.send(1, ["21", "2", "8"] + contract("AAPL").prefix(8) + ["USD", "", "", "1", "1", "", "0"])
        let refusals = bench.hear(1, "4")
        #expect(refusals.map { [$0[2], $0[3]] } == [["1", "321"], ["7", "321"], ["-1", "321"], ["-1", "321"], ["8", "321"]])
        #expect(refusals.allSatisfy { $0[4].hasSuffix("The API interface is currently in Read-Only mode.") })
        bench.pass(.seconds(10))
        #expect(bench.hear(1, "100").isEmpty)
        bench.send(1, ["16", "1"])
        bench.send(1, ["61", "1"])
        #expect(bench.errors(1).isEmpty && bench.hear(1).last == ["62", "1"], "reading goes on")
    }

    @Test func anOrderThatCannotBeReadIsRefusedUnderItsNumber() throws {
        var bench = try ready()
        bench.send(1, Array(order(41, "BUY", "1").prefix(60)))
        bench.send(1, ["3", "x", "0"])
        bench.send(1, order(43, "BUY", "1").enumerated().map { $0.offset == 1 ? "4,3" : $0.element })
        #expect(bench.hear(1, "4").map { [$0[2], $0[3]] } == [["41", "320"], ["-1", "320"], ["-1", "320"]])
    }

    @Test func aMisprintIsStillOneAfterARestart() throws {
        let settings = GatewaySettings(switches: [.correction(1)])
        var bench = try ready(settings)
        bench.send(1, order(1, "BUY", "1"))
        let first = try #require(bench.hear(1, "11").first)
        try bench.restart(settings, after: .milliseconds(100))
        bench.start(2, id: 1)
        _ = bench.hear(2)
        bench.send(2, ["7", "3", "9", "0", "", "", "", "", "", ""])
        let again = try #require(bench.hear(2, "11").first)
        #expect([again[14], again[20], again[31]] == [first[14], first[20], "1"], "the same number tells the same price")
        bench.pass(.seconds(2))
        let corrected = try #require(bench.hear(2, "11").first)
        #expect(corrected[14].hasSuffix(".02") && corrected[20] != first[20] && corrected[31] == "0")
    }

    /// Many orders of one day: the oldest are forgotten, the rest is told, and each costs what the first did.
    @Test func aLongDayIsBounded() throws {
        var bench = try GatewayBench(GatewaySettings(rate: 0, finishedOrdersMax: 100))
        bench.start(1)
        let resting = order(1, "BUY", "1", "LMT", ["lmtPrice": "50000", "tif": "GTC"])
        bench.send(1, resting)
        for id in 2...400 {
            bench.send(1, order(id, "BUY", "1", "LMT", ["lmtPrice": "50000"]))
            bench.send(1, ["4", "1", String(id), ""])
        }
        _ = bench.hear(1)
        #expect(bench.gateway.orders.all.count <= 107 && bench.gateway.orders.live.map(\.key.orderId) == [1])
        bench.send(1, ["99", "0"])
        #expect((100...106).contains(bench.hear(1, "101").count))
        bench.send(1, ["4", "1", "2", ""])
        bench.send(1, order(2, "BUY", "1"))
        bench.send(1, ["4", "1", "400", ""])
        #expect(bench.errors(1) == ["10147", "103", "10148"], "a number that was used stays used")
        bench.send(1, ["4", "1", "1", ""])
        #expect(bench.hear(1, "3").last?[2] == "Cancelled", "what lives is never forgotten")
    }

    @Test func anOrderBeyondAllNumbersIsRefused() throws {
        var bench = try ready()
        let coin = try #require(bench.gateway.exchange.listings.first { $0.instrument.securityType == .crypto }?.instrument)
        func buy(_ id: Int, _ quantity: String, whatIf: String = "0") -> [String] {
            var fields = order(id, "BUY", quantity, "LMT", ["lmtPrice": "900000", "tif": "GTC", "whatIf": whatIf])
            for (index, value) in [2: String(coin.brokerContractID), 3: coin.symbol, 4: "CRYPTO", 9: coin.exchange, 12: ""] { fields[index] = value }
            return fields
        }
        bench.send(1, buy(1, "1000000"))
        bench.send(1, buy(2, "999999"))
        bench.send(1, buy(3, "1000000", whatIf: "1"))
        bench.send(1, buy(4, "50000"))
        let codes = bench.errors(1)
        #expect(codes.count == 4 && codes.allSatisfy { $0 == "321" || $0 == "201" } && bench.gateway.exchange.liveOrders.isEmpty, "\(codes)")
        bench.send(1, buy(5, "0.1"))
        #expect(bench.errors(1).isEmpty && bench.gateway.exchange.fillSerial > 0)
    }
}
