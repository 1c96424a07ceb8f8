// A broken line between the gateway and IBKR (1100): the market goes on, clients hear of their orders when the line is back.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayLinkTests {
    private func ready(_ switches: GatewaySwitch...) throws -> GatewayBench {
        var bench = try GatewayBench(GatewaySettings(switches: switches))
        bench.start(1)
        bench.send(1, ["61", "1"])
        _ = bench.hear(1)
        return bench
    }
    private let executions = ["7", "3", "9", "0", "", "", "", "", "", ""]

    /// The price of a buy that rests, and trades within minutes.
    private func nearTheMarket(_ bench: GatewayBench) throws -> String {
        var exchange = bench.gateway.exchange
        let touch = exchange.touch(InstrumentID("MBTZ6.CME"))
        return try #require(touch?.bid.description)
    }

    @Test func fillsWithoutALineAreToldWhenItIsBack() throws {
        var bench = try ready()
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": try nearTheMarket(bench), "tif": "GTC"]))
        bench.suffer(.linkLost)
        _ = bench.hear(1)
        bench.pass(.seconds(300))
        #expect(bench.gateway.exchange.fillSerial == 1, "the market does not wait")
        #expect(bench.hear(1).isEmpty)
        // Nor is it known here.
        bench.send(1, ["5", "1"])
        bench.send(1, executions)
        bench.send(1, ["61", "1"])
        let asked = bench.hear(1)
        #expect(asked.filter { $0[0] == "3" }.map { $0[2] } == ["Submitted"] && !asked.contains { $0[0] == "11" || $0[0] == "61" })
        bench.suffer(.linkRestored(dataLost: false))
        let told = bench.hear(1).filter { ["4", "11", "3", "59", "61"].contains($0[0]) }
        #expect(told.map { $0[0] } == ["4", "11", "3", "59", "61"] && told[0][3] == "1102" && told[2][2] == "Filled" && told[4][14] == "1")
        bench.send(1, executions)
        #expect(bench.hear(1, "11").count == 1)
        bench.suffer(.linkRestored(dataLost: true))
        #expect(bench.hear(1, "11").isEmpty, "once")
    }

    @Test func aFillWithoutALineOutlivesTheGateway() throws {
        var bench = try ready()
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": try nearTheMarket(bench), "tif": "GTC"]))
        bench.suffer(.linkLost)
        bench.pass(.seconds(300))
        #expect(bench.gateway.exchange.fillSerial == 1)
        var twin = bench
        try bench.restart()
        bench.start(2, id: 1)
        bench.send(2, executions)
        #expect(bench.hear(2, "11").count == 1)
        twin.suffer(.restart(lasting: .seconds(1)))
        twin.pass(.seconds(2))
        twin.start(2, id: 1)
        twin.send(2, executions)
        #expect(twin.hear(2, "11").count == 1)
    }

    @Test func whatIsAskedOfOrdersWaitsForTheLine() throws {
        var bench = try ready()
        for id in 1...2 { bench.send(1, order(id, "BUY", "1", "LMT", ["lmtPrice": "50000", "tif": "GTC"])) }
        bench.suffer(.linkLost)
        _ = bench.hear(1)
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": "50005", "tif": "GTC"]))
        bench.send(1, ["4", "1", "2", ""])
        bench.send(1, order(3, "BUY", "1", "LMT", ["lmtPrice": "50010", "tif": "GTC"]))
        bench.pass(.seconds(5))
        #expect(bench.hear(1).isEmpty && bench.gateway.exchange.liveOrders.map(\.ticket.limitPrice?.description) == ["50000", "50000"])
        bench.suffer(.linkRestored(dataLost: false))
        let statuses = bench.hear(1, "3").map { [$0[1], $0[2]] }
        #expect(statuses == [["1", "Submitted"], ["2", "PendingCancel"], ["2", "Cancelled"], ["3", "Submitted"]])
        #expect(bench.gateway.exchange.liveOrders.map(\.ticket.limitPrice?.description) == ["50005", "50010"], "a change is not a second order")
    }

    @Test func aChangeOfWhatFilledMeanwhileComesTooLate() throws {
        var bench = try ready()
        let price = try nearTheMarket(bench)
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": price, "tif": "GTC"]))
        bench.suffer(.linkLost)
        bench.pass(.seconds(300))
        bench.send(1, order(1, "BUY", "2", "LMT", ["lmtPrice": price, "tif": "GTC"]))
        bench.send(1, ["4", "1", "1", ""])
        _ = bench.hear(1)
        bench.suffer(.linkRestored(dataLost: false))
        let told = bench.hear(1).filter { $0[0] == "11" || $0[0] == "4" }
        #expect(told.map { $0[0] == "11" ? "fill" : $0[3] } == ["1102", "fill", "104", "161"])
        #expect(bench.gateway.exchange.fillSerial == 1)
    }

    /// What clients have reported of real gateways: the changed order is placed anew and the old one works on.
    @Test func aChangeThatCrossesABrokenLineMayBecomeASecondOrder() throws {
        var bench = try ready(.twinPerm(2))
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": "50000", "tif": "GTC", "orderRef": "x"]))
        bench.suffer(.linkLost)
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": "50005", "tif": "GTC", "orderRef": "x"]))
        bench.suffer(.linkRestored(dataLost: false))
        _ = bench.hear(1)
        bench.send(1, ["16", "1"])
        let both = bench.hear(1, "5")
        #expect(both.map { [$0[1], $0[16], $0[23]] } == [["1", "50000", "x"], ["1", "50005", "x"]] && Set(both.map { $0[25] }).count == 2)
    }

    @Test func waitingOrdersWaitForTheLineToo() throws {
        var bench = try ready()
        bench.send(1, order(1, "BUY", "1", "MKT", ["goodAfterTime": "20261120 10:00:05 US/Eastern"]))
        bench.suffer(.linkLost)
        _ = bench.hear(1)
        bench.pass(.seconds(20))
        #expect(bench.hear(1).isEmpty && bench.gateway.exchange.fillSerial == 0)
        bench.suffer(.linkRestored(dataLost: false))
        bench.pass(.seconds(1))
        #expect(bench.hear(1, "11").count == 1)
    }
}
