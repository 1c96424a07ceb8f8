// Orders with more than a price: algorithms, conditions, hedges, scales, times and amounts of money; carried, told again, and meant where they can be.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayBlockTests {
    private func ready() throws -> GatewayBench {
        var bench = try GatewayBench()
        bench.start(1)
        _ = bench.hear(1)
        return bench
    }
    /// An order with fields put into places of the plain frame, and more of them behind a place.
    private func order(
        _ id: Int, _ type: String = "LMT", _ set: [String: String] = [:], at places: [Int: String], behind place: Int, _ block: [String]
    )
        -> [String]
    {
        var fields = SimulationTests.order(id, "BUY", "1", type, set)
        for (index, value) in places { fields[index] = value }
        fields.insert(contentsOf: block, at: place + 1)
        return fields
    }
    private func front(_ bench: GatewayBench) throws -> String {
        String(try #require(bench.gateway.exchange.listing(InstrumentID("MBTZ6.CME"))).instrument.brokerContractID)
    }

    @Test func anAlgorithmIsCarriedAndItsOrderWorks() throws {
        var bench = try ready()
        bench.send(1, order(1, "LMT", ["lmtPrice": "50000"], at: [82: "Adaptive"], behind: 82, ["1", "adaptivePriority", "Normal"]))
        let report = try #require(bench.hear(1, "5").first)
        let at = try #require(report.firstIndex(of: "Adaptive"))
        #expect(Array(report[at...at + 3]) == ["Adaptive", "1", "adaptivePriority", "Normal"])
        #expect(bench.hear(1, "3").map { $0[2] } == ["Submitted"] && bench.errors(1).isEmpty)
        try bench.restart()
        bench.start(2, id: 1)
        bench.send(2, ["5", "1"])
        #expect(bench.hear(2, "5").first.map { Array($0[at...at + 3]) } == Array(report[at...at + 3]), "the journal keeps it")
        bench.send(2, ["4", "1", "1", ""])
        bench.send(2, ["99", "0"])
        #expect(bench.hear(2, "101").first?.contains("adaptivePriority") == true)
    }

    @Test func hedgesScalesAndBenchmarksAreCarriedOrRefusedInWords() throws {
        var bench = try ready()
        bench.send(1, order(1, "LMT", ["lmtPrice": "50000"], at: [76: "B"], behind: 76, ["1.1"]))
        bench.send(1, order(2, "LMT", ["lmtPrice": "50000"], at: [70: "5", 71: "5", 72: "0.5"], behind: 72, ["0", "0", "1", "0", "0", "0", "0"]))
        let reports = bench.hear(1, "5")
        #expect(reports.count == 2 && reports[0].contains("1.1") && reports[1].contains("0.5") && bench.errors(1).isEmpty)
        bench.send(1, order(3, "PEG BENCH", [:], at: [:], behind: 88, ["265598", "0", "0.1", "0.1", "ISLAND"]))
        bench.send(1, order(4, "VOL", [:], at: [62: "0.4"], behind: 0, []))
        #expect(bench.errors(1) == ["387", "387"])
    }

    @Test func anOrderWaitsForItsPriceCondition() throws {
        var bench = try ready()
        let contract = try front(bench)
        var exchange = bench.gateway.exchange
        let last = try #require(exchange.last(InstrumentID("MBTZ6.CME"))?.price)
        func conditions(_ id: Int, _ more: String, _ price: Int64, cancels: Bool = false) -> [String] {
            let block = ["1", "a", more, Price(raw: last.raw + Price(whole: price).raw).description, contract, "CME", "0", "0", cancels ? "1" : "0"]
            return order(id, "LMT", ["lmtPrice": "50000"], at: [89: "1"], behind: 89, block)
        }
        bench.send(1, conditions(1, "1", 50_000))
        #expect(bench.hear(1, "3").map { $0[2] } == ["PreSubmitted"] && bench.gateway.exchange.liveOrders.isEmpty)
        bench.send(1, conditions(2, "1", -50_000))
        #expect(bench.hear(1, "3").map { $0[2] } == ["Submitted"], "met at once")
        bench.send(1, conditions(3, "1", -50_000, cancels: true))
        bench.pass(.seconds(1))
        #expect(bench.hear(1, "3").map { $0[2] } == ["Submitted", "PendingCancel", "Cancelled"])
        bench.send(1, order(1, "LMT", ["lmtPrice": "50005"], at: [89: "1"], behind: 89, ["1", "a", "0", "999999", contract, "CME", "0", "0", "0"]))
        #expect(bench.hear(1, "5").last?[16] == "50005" && bench.errors(1) == ["202"])
        try bench.restart()
        #expect(bench.gateway.exchange.liveOrders.count == 1, "what waits is not at the exchange")
        bench.start(2, id: 1)
        bench.pass(.seconds(1))
        #expect(bench.hear(2, "3").map { [$0[1], $0[2]] } == [["1", "Submitted"]], "the change has met its condition")
    }

    @Test func aTimeLetsAnOrderGoWithItsChildren() throws {
        var bench = try ready()
        bench.send(1, SimulationTests.order(1, "BUY", "1", "MKT", ["transmit": "0", "goodAfterTime": "20261120 10:00:10 US/Eastern"]))
        bench.send(1, SimulationTests.order(2, "SELL", "1", "LMT", ["lmtPrice": "200000", "parentId": "1"]))
        bench.pass(.seconds(9))
        #expect(bench.gateway.exchange.orders.isEmpty && bench.hear(1, "11").isEmpty)
        bench.pass(.seconds(2))
        #expect(bench.hear(1, "11").count == 1 && bench.gateway.exchange.liveOrders.map(\.state) == [.working])
        bench.send(1, SimulationTests.order(3, "BUY", "1", "MKT", ["goodAfterTime": "20261120 11:00:00 US/Eastern"]))
        _ = bench.hear(1)
        bench.send(1, ["4", "1", "3", ""])
        #expect(bench.hear(1, "3").map { $0[2] } == ["PendingCancel", "Cancelled"])
    }

    @Test func conditionsOfTimeMarginVolumeChangeAndExecutionAreRead() throws {
        var bench = try ready()
        let contract = try front(bench)
        let sets: [(block: [String], isMet: Bool)] = [
            (["3", "a", "1", "20261120 09:59:00 US/Eastern"], true), (["3", "a", "1", "20261120 10:01:00 US/Eastern"], false),
            (["4", "a", "1", "50"], true), (["4", "a", "0", "50"], false), (["5", "a", "FUT", "CME", "MBT"], false),
            (["6", "a", "1", "1", contract, "CME"], true), (["6", "a", "1", "2000000000", contract, "CME"], false),
            (["7", "a", "1", "99", contract, "CME"], false), (["7", "a", "0", "99", contract, "CME"], true),
            (["3", "o", "1", "20261120 10:01:00 US/Eastern", "4", "a", "1", "50"], true),
        ]
        for (index, set) in sets.enumerated() {
            let count = set.block.contains("o") ? "2" : "1"
            bench.send(1, order(index + 1, "LMT", ["lmtPrice": "50000"], at: [89: count], behind: 89, set.block + ["0", "0"]))
            #expect(bench.hear(1, "3").map { $0[2] } == [set.isMet ? "Submitted" : "PreSubmitted"], "\(set.block)")
        }
        bench.send(1, SimulationTests.order(20, "BUY", "1"))
        bench.pass(.seconds(1))
        #expect(bench.hear(1, "3").contains { $0[1] == "5" && $0[2] == "Submitted" }, "the execution has happened")
    }

    @Test func coinsAreBoughtForMoney() throws {
        var bench = try ready()
        let coin = try #require(bench.gateway.exchange.listings.first { $0.instrument.securityType == .crypto }?.instrument)
        func buy(_ id: Int, quantity: String, cash: String) -> [String] {
            var fields = SimulationTests.order(id, "BUY", quantity, "MKT", ["tif": "Minutes"])
            for (index, value) in [2: String(coin.brokerContractID), 3: coin.symbol, 4: "CRYPTO", 9: coin.exchange, 12: ""] { fields[index] = value }
            fields[100] = cash
            return fields
        }
        bench.send(1, buy(1, quantity: "0.01", cash: ""))
        bench.send(1, buy(2, quantity: "", cash: ""))
        #expect(bench.errors(1) == ["10289", "10289"])
        bench.send(1, buy(3, quantity: "0", cash: "1000"))
        bench.pass(.seconds(30))
        let shares = try bench.hear(1, "11").map { try Quantity($0[19]) }.reduce(Int64(0)) { $0 + $1.raw }
        let held = bench.gateway.exchange.account.position(coin.id).quantity
        #expect(held.raw == shares && held > .zero && held < Quantity(whole: 1), "\(held)")
    }

    @Test func twentyActiveOrdersOfASideAreEnough() throws {
        var bench = try ready()
        for id in 1...21 { bench.send(1, SimulationTests.order(id, "BUY", "1", "LMT", ["lmtPrice": "50000"])) }
        #expect(bench.errors(1) == ["399", "201"] && bench.gateway.exchange.liveOrders.count == 20)
        bench.send(1, SimulationTests.order(30, "SELL", "1", "LMT", ["lmtPrice": "200000"]))
        bench.send(1, SimulationTests.order(31, "BUY", "1", "LMT", ["lmtPrice": "10"], symbol: "AAPL"))
        #expect(bench.errors(1).isEmpty, "the other side and the other contract have their own twenty")
    }

    @Test func whoSendsMuchAndTradesLittleIsWarnedOnceADay() throws {
        var bench = try ready()
        bench.send(1, SimulationTests.order(1, "BUY", "1", "LMT", ["lmtPrice": "50000"]))
        for price in 1...30 { bench.send(1, SimulationTests.order(1, "BUY", "1", "LMT", ["lmtPrice": String(50_000 + 5 * price)])) }
        let warnings = bench.hear(1, "4").filter { $0[3] == "399" }
        #expect(warnings.count == 1 && warnings[0][2] == "1" && warnings[0][4].contains("efficiency"))
        var good = try ready()
        for id in 1...30 { good.send(1, SimulationTests.order(id, "BUY", "1")); good.pass(.milliseconds(100)) }
        #expect(good.errors(1).isEmpty)
    }
}
