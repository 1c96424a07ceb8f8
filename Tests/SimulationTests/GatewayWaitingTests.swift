// Orders that wait in the gateway: what ends them, and that each end is told once.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayWaitingTests {
    private func ready(cash: Int64 = 1_000_000, realHours: Bool = false) throws -> GatewayBench {
        var bench = try GatewayBench(cash: cash, realHours: realHours)
        bench.start(1)
        _ = bench.hear(1)
        return bench
    }
    /// Seconds after the bench's start, as a client writes it.
    private func at(_ second: Int) -> String { "20261120 10:00:\(second < 10 ? "0" : "")\(second) US/Eastern" }
    private func ends(_ bench: inout GatewayBench) -> [[String]] {
        bench.hear(1, "3").filter { $0[2] == "Cancelled" || $0[2] == "Inactive" }.map { [$0[1], $0[2]] }
    }
    private func place(_ bench: inout GatewayBench, _ id: Int, _ action: String, _ type: String, _ set: [String: String], quantity: String = "1") {
        bench.send(1, order(id, action, quantity, type, set))
    }

    @Test func aParentThatIsRefusedWhenItsTimeComesTakesItsChildrenAlong() throws {
        var bench = try ready(cash: 1_000)
        place(&bench, 1, "BUY", "MKT", ["goodAfterTime": at(5), "transmit": "0"])
        place(&bench, 2, "SELL", "LMT", ["lmtPrice": "200000", "parentId": "1", "tif": "GTC", "transmit": "0"])
        place(&bench, 3, "SELL", "STP", ["auxPrice": "40000", "parentId": "1", "tif": "GTC"])
        #expect(bench.hear(1, "3").suffix(3).map { $0[2] } == ["PreSubmitted", "PreSubmitted", "PreSubmitted"])
        bench.pass(.seconds(6))
        #expect(ends(&bench) == [["1", "Inactive"], ["2", "Inactive"], ["3", "Inactive"]])
        #expect(bench.errors(1) == ["201", "201", "201"])
        _ = bench.hear(1)
        bench.send(1, ["5", "1"])
        #expect(bench.hear(1, "5").isEmpty, "nobody waits for what will never come")
    }

    @Test func aParentAtTheExchangeTakesChildrenAlongThatWaitForTheirTime() throws {
        var bench = try ready()
        place(&bench, 1, "BUY", "LMT", ["lmtPrice": "50000", "transmit": "0"])
        place(&bench, 2, "SELL", "LMT", ["lmtPrice": "200000", "parentId": "1", "goodAfterTime": at(50)])
        #expect(bench.gateway.exchange.liveOrders.count == 1)
        bench.send(1, ["4", "1", "1", ""])
        #expect(ends(&bench) == [["1", "Cancelled"], ["2", "Cancelled"]])
        place(&bench, 3, "BUY", "LMT", ["lmtPrice": "50000", "tif": "GTD", "goodTillDate": at(10), "transmit": "0"])
        place(&bench, 4, "SELL", "LMT", ["lmtPrice": "200000", "parentId": "3", "tif": "GTC", "goodAfterTime": at(50)])
        _ = bench.hear(1)
        bench.pass(.seconds(11))
        #expect(ends(&bench) == [["3", "Cancelled"], ["4", "Cancelled"]], "also when it lapses")
        bench.pass(.seconds(60))
        #expect(bench.hear(1, "3").isEmpty && bench.gateway.exchange.liveOrders.isEmpty)
    }

    @Test func aChildThatWaitsIsNotMoreThanItsParentHasFilled() throws {
        var bench = try ready()
        place(&bench, 1, "BUY", "MKT", ["transmit": "0", "tif": "IOC"], quantity: "300")
        place(&bench, 2, "SELL", "LMT", ["lmtPrice": "200000", "parentId": "1", "goodAfterTime": at(50)], quantity: "300")
        let parent = try #require(bench.hear(1, "3").last { $0[1] == "1" })
        let filled = try #require(Int(parent[3]))
        #expect(parent[2] == "Cancelled" && filled > 0 && filled < 300)
        _ = bench.hear(1)
        bench.send(1, ["5", "1"])
        #expect(bench.hear(1, "5").map { $0[14] } == [String(filled)])
    }

    @Test func aFillEndsOrShrinksMembersOfItsGroupThatWait() throws {
        var bench = try ready()
        for (id, type) in [(1, "1"), (3, "2"), (5, "2")] {
            let group = ["ocaGroup": "g\(id)", "ocaType": type, "goodAfterTime": at(50)]
            place(&bench, id, "SELL", "LMT", ["lmtPrice": "200000"].merging(group) { $1 }, quantity: id == 5 ? "5" : "1")
            place(&bench, id + 1, "BUY", "MKT", ["ocaGroup": "g\(id)", "ocaType": type])
        }
        #expect(ends(&bench) == [["1", "Cancelled"], ["3", "Cancelled"]])
        _ = bench.hear(1)
        bench.send(1, ["5", "1"])
        #expect(bench.hear(1, "5").map { [$0[1], $0[14]] } == [["5", "4"]])
        try bench.restart()
        bench.start(2, id: 1)
        bench.pass(.seconds(50))
        #expect(bench.gateway.exchange.liveOrders.map(\.ticket.quantity) == [Quantity(whole: 4)], "and it goes to the exchange no bigger")
    }

    @Test func anOrderThatWaitsLapsesLikeAnyOther() throws {
        // A minute before the close of stocks.
        var bench = try GatewayBench(realHours: true, at: friday + .minutes(359))
        bench.start(1)
        let later = ["lmtPrice": "5", "goodAfterTime": "20261123 10:00:00 US/Eastern"]
        func place(_ id: Int, _ set: [String: String]) {
            bench.send(1, order(id, "BUY", "1", "LMT", set.merging(later) { own, _ in own }, symbol: "AAPL"))
        }
        place(1, ["tif": "GTD", "goodTillDate": "20261120 15:59:20 US/Eastern"])
        place(2, ["tif": "GTC"])
        place(3, [:])
        place(4, ["goodAfterTime": "20261120 15:59:10 US/Eastern", "tif": "GTC", "transmit": "0"])
        bench.send(1, order(5, "SELL", "1", "LMT", later.merging(["lmtPrice": "900", "parentId": "4"]) { $1 }, symbol: "AAPL"))
        // For its day, and only at a price that will not come.
        let contract = String(try #require(bench.gateway.exchange.listing(InstrumentID("MBTZ6.CME"))).instrument.brokerContractID)
        var conditioned = order(6, "BUY", "1", "LMT", ["lmtPrice": "5"], symbol: "AAPL")
        conditioned[89] = "1"
        conditioned.insert(contentsOf: ["1", "a", "1", "900000", contract, "CME", "0", "0", "0"], at: 90)
        bench.send(1, conditioned)
        #expect(bench.errors(1).isEmpty)
        _ = bench.hear(1)
        bench.pass(.seconds(19))
        #expect(ends(&bench).isEmpty)
        bench.pass(.seconds(1))
        #expect(ends(&bench) == [["1", "Cancelled"]])
        bench.hangUp(1)
        bench.pass(.minutes(2))
        bench.start(1)
        _ = bench.hear(1)
        bench.send(1, ["5", "1"])
        #expect(bench.hear(1, "5").map { $0[1] } == ["2", "3", "4", "5"], "one's day is over; the day of an order for later has not begun")
        bench.send(1, ["99", "0"])
        #expect(bench.hear(1, "101").filter { $0.contains("Expired") }.count == 2)
    }

    @Test func nobodyNeedsToLookOnForTheTimeToCome() throws {
        var bench = try ready()
        place(&bench, 1, "BUY", "MKT", ["goodAfterTime": at(10), "tif": "GTD", "goodTillDate": at(40)])
        bench.hangUp(1)
        bench.pass(.minutes(5))
        #expect(bench.gateway.exchange.fillSerial == 1)
    }

    @Test func aGlobalCancelTellsEachOrderOnce() throws {
        var bench = try ready()
        place(&bench, 1, "BUY", "LMT", ["lmtPrice": "50000", "goodAfterTime": at(50), "transmit": "0"])
        place(&bench, 2, "SELL", "LMT", ["lmtPrice": "200000", "parentId": "1", "transmit": "0"])
        place(&bench, 3, "SELL", "STP", ["auxPrice": "40000", "parentId": "1"])
        place(&bench, 4, "BUY", "LMT", ["lmtPrice": "50000", "transmit": "0"])
        place(&bench, 5, "SELL", "LMT", ["lmtPrice": "200000", "parentId": "4", "transmit": "0"])
        _ = bench.hear(1)
        bench.send(1, ["58", "1"])
        #expect(ends(&bench).map { $0[0] } == ["1", "2", "3", "4", "5"])
        #expect(bench.errors(1) == ["202", "202", "202", "202", "202"])
    }

    @Test func onlyActiveOrdersCountForTheLimitOfASide() throws {
        var bench = try ready()
        // Ten families whose twenty children are held, and ten that wait for their time.
        for family in 0..<10 {
            let id = family * 4 + 1
            place(&bench, id, "SELL", "LMT", ["lmtPrice": "300000", "tif": "GTC", "transmit": "0"])
            place(&bench, id + 1, "BUY", "LMT", ["lmtPrice": "40000", "parentId": String(id), "transmit": "0"])
            place(&bench, id + 2, "BUY", "STP", ["auxPrice": "400000", "parentId": String(id)])
            place(&bench, id + 3, "BUY", "LMT", ["lmtPrice": "50000", "goodAfterTime": at(50)])
            bench.pass(.seconds(1))
        }
        _ = bench.hear(1)
        for id in 101...120 { place(&bench, id, "BUY", "LMT", ["lmtPrice": "50000"]) }
        #expect(bench.errors(1).isEmpty && bench.hear(1, "3").count == 20)
        place(&bench, 121, "BUY", "LMT", ["lmtPrice": "50000"])
        #expect(bench.errors(1) == ["201"])
        bench.pass(.seconds(45))
        #expect(bench.errors(1).filter { $0 == "201" }.count == 10, "what wakes is counted then")
    }
}
