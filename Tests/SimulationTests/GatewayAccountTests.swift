// Account values, positions, profit and loss, and the gateway's memory through its own death.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayAccountTests {
    private static let documented = [
        "AccountType", "NetLiquidation", "TotalCashValue", "SettledCash", "AccruedCash", "BuyingPower", "EquityWithLoanValue",
        "PreviousEquityWithLoanValue",
        "GrossPositionValue", "RegTEquity", "RegTMargin", "SMA", "InitMarginReq", "MaintMarginReq", "AvailableFunds", "ExcessLiquidity", "Cushion",
        "FullInitMarginReq", "FullMaintMarginReq", "FullAvailableFunds", "FullExcessLiquidity", "LookAheadNextChange", "LookAheadInitMarginReq",
        "LookAheadMaintMarginReq", "LookAheadAvailableFunds", "LookAheadExcessLiquidity", "HighestSeverity", "DayTradesRemaining", "Leverage",
    ]

    @Test func everyTagAskedForIsAnswered() throws {
        var bench = try GatewayBench()
        bench.start(1)
        bench.send(1, ["62", "1", "5", "All", Self.documented.joined(separator: ",")])
        let rows = bench.hear(1, "63")
        #expect(rows.map { $0[4] } == Self.documented && rows.allSatisfy { $0.count == 7 && !$0[5].isEmpty && $0[3] == "DU1234567" })
        #expect(rows.first { $0[4] == "NetLiquidation" }?[5] == "1000000.00")
        #expect(bench.hear(1, "64") == [["64", "1", "5"]])
        bench.send(1, ["62", "1", "6", "All", "$LEDGER:ALL"])
        #expect(bench.hear(1, "63").map { $0[4] }.contains("RealizedPnL"))
        bench.send(1, ["62", "1", "7", "All", "NetLiquidation"])
        #expect(bench.errors(1) == ["322"], "two at most")
        bench.send(1, order(1, "BUY", "2"))
        let updates = bench.hear(1, "63").filter { $0[2] == "5" }
        #expect(updates.contains { $0[4] == "InitMarginReq" && $0[5] == "5600.00" }, "a trade updates at once")
    }

    @Test func accountUpdatesEndAndGoOn() throws {
        var bench = try GatewayBench()
        bench.start(1)
        bench.send(1, order(1, "BUY", "2"))
        _ = bench.hear(1)
        bench.send(1, ["6", "2", "1", "DU1234567"])
        let heard = bench.hear(1)
        #expect(heard.last == ["54", "1", "DU1234567"] && heard.contains { $0[0] == "8" })
        let portfolio = try #require(heard.first { $0[0] == "7" })
        #expect(portfolio.count == 20 && portfolio[13] == "2" && portfolio[8] == "0.1" && portfolio[9] == "CME")
        #expect(heard.contains { $0[0] == "6" && $0[2] == "NetLiquidation" && $0[4] == "USD" })
        bench.pass(.seconds(181))
        #expect(!bench.hear(1, "6").isEmpty, "every three minutes")
        bench.send(1, ["6", "2", "0", ""])
        bench.pass(.seconds(400))
        #expect(bench.hear(1, "6").isEmpty)
        bench.send(1, ["6", "2", "1", "U77"])
        #expect(bench.errors(1) == ["321"])
    }

    @Test func positionsAndProfitAreTold() throws {
        var bench = try GatewayBench()
        bench.start(1)
        bench.send(1, order(1, "SELL", "2"))
        _ = bench.hear(1)
        bench.send(1, ["61", "1"])
        let heard = bench.hear(1)
        #expect(heard.count == 2 && heard[0][14] == "-2" && heard[1] == ["62", "1"])
        bench.send(1, ["74", "1", "4", "DU1234567", ""])
        #expect(bench.hear(1).map { $0[0] } == ["71", "72"])
        bench.send(1, ["76", "1", "5", "DU1234567", "", "0"])
        let multi = bench.hear(1)
        #expect(multi.last == ["74", "1", "5"] && multi.dropLast().allSatisfy { $0[0] == "73" })
        bench.send(1, ["92", "6", "DU1234567", ""])
        bench.send(1, ["94", "7", "DU1234567", "", "712202612"])
        bench.pass(.seconds(3))
        #expect(bench.hear(1, "94").count == 4)
        #expect(bench.hear(1, "95").allSatisfy { $0[2] == "-2" && $0.count == 7 })
        bench.send(1, ["93", "6"])
        bench.send(1, ["95", "7"])
        bench.pass(.seconds(3))
        #expect(bench.hear(1).isEmpty)
    }

    @Test func theJournalBringsOrdersMoneyAndNumbersBack() throws {
        var bench = try GatewayBench()
        bench.start(1)
        bench.send(1, order(1, "BUY", "25"))
        bench.pass(.seconds(20))
        bench.send(1, order(2, "SELL", "5", "TRAIL", ["auxPrice": "3000", "tif": "GTC", "orderRef": "stop"]))
        bench.send(1, order(3, "BUY", "1", "LMT", ["lmtPrice": "50000", "transmit": "0"]))
        bench.send(1, order(4, "BUY", "1", "LMT", ["lmtPrice": "50000"]))
        bench.send(1, ["4", "1", "4", ""])
        bench.pass(.seconds(10))
        let executions = Set(bench.hear(1, "11").map { $0[14] })
        let (orders, account) = (bench.gateway.exchange.orders, bench.gateway.exchange.account)
        let perms = Set(orders.map(\.ticket.id.raw))
        try bench.restart()
        #expect(bench.gateway.exchange.account == account && bench.gateway.exchange.orders == orders)
        bench.start(1)
        #expect(bench.hear(1, "9") == [["9", "1", "5"]])
        bench.send(1, ["5", "1"])
        #expect(bench.hear(1, "5").map { $0[23] } == ["stop"])
        bench.send(1, ["7", "3", "9", "0", "", "", "", "", "", ""])
        #expect(Set(bench.hear(1, "11").map { $0[14] }) == executions)
        bench.send(1, order(5, "SELL", "1"))
        let fill = try #require(bench.hear(1, "11").first { $0[2] == "5" })
        #expect(!executions.contains(fill[14]) && !perms.contains(Int64(fill[21]) ?? 0), "no number is used twice")
        bench.pass(.minutes(30))
        try bench.restart(after: .minutes(1))
        #expect(bench.gateway.exchange.account.position(InstrumentID("MBTZ6.CME")).quantity <= Quantity(whole: 24))
    }

    @Test func aTornLineIsNotReadAndAForeignJournalIsRefused() throws {
        var bench = try GatewayBench()
        bench.start(1)
        bench.send(1, order(1, "BUY", "1"))
        let line = try GatewayRecord.line(bench.journal.flatMap { $0 })
        let read = try #require(GatewayRecord.records(line: line))
        #expect(try GatewayRecord.line(read) == line && read.count == bench.journal.flatMap { $0 }.count)
        #expect(GatewayRecord.records(line: Array(line.dropLast())) == nil && GatewayRecord.records(line: Array("[{\"x\":1}]".utf8)) == nil)
        let exchange = try GatewayBench.exchange()
        #expect(throws: GatewayRestoreError.noBirth) { try IBKRGateway(settings: GatewaySettings(), exchange: exchange, records: [], at: friday) }
        let records = bench.journal.flatMap { $0 }
        #expect(throws: GatewayRestoreError.otherAccount("DU1234567")) {
            try IBKRGateway(settings: GatewaySettings(account: "DU7"), exchange: exchange, records: records, at: friday)
        }
    }

    @Test func theSameInputsGiveTheSameBytes() throws {
        func run() throws -> [[String]] {
            var bench = try GatewayBench()
            bench.start(1)
            bench.send(1, ["1", "11", "5"] + contract("MBTZ6") + ["0", "", "0", "0", ""])
            bench.send(1, order(1, "BUY", "25"))
            bench.pass(.seconds(60))
            bench.send(1, ["6", "2", "1", ""])
            return bench.hear(1)
        }
        #expect(try run() == (try run()))
    }
}
