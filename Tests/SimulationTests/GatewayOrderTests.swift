// Orders on the simulated gateway: what is told, in which order, with which end marks and codes.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayOrderTests {
    private func ready(_ settings: GatewaySettings = GatewaySettings(), cash: Int64 = 1_000_000, realHours: Bool = false) throws -> GatewayBench {
        var bench = try GatewayBench(settings, cash: cash, realHours: realHours)
        bench.start(1)
        _ = bench.hear(1)
        return bench
    }

    @Test func aTwentyFiveLotFillsInPartsAndEveryPartIsToldOnce() throws {
        var bench = try ready()
        bench.send(1, ["61", "1"])
        bench.send(1, order(1, "BUY", "25", ["orderRef": "tw-1"]))
        bench.pass(.seconds(30))
        let heard = bench.hear(1)
        let fills = heard.filter { $0[0] == "11" }
        #expect(fills.count >= 2 && fills.allSatisfy { $0.count == 32 && $0[1] == "-1" && $0[2] == "1" && $0[26] == "tw-1" })
        #expect(fills.compactMap { Int($0[19]) }.reduce(0, +) == 25 && fills.last?[24] == "25")
        #expect(Set(fills.map { $0[14] }).count == fills.count, "no execution id twice")
        #expect(fills[0][15] == "20261120 10:00:00 US/Eastern" && fills[0][18] == "BOT")
        let statuses = heard.filter { $0[0] == "3" }
        #expect(statuses.last?[2] == "Filled" && statuses.last?[3] == "25" && statuses.last?[4] == "0")
        #expect(statuses.contains { $0[2] == "Submitted" && $0[3] != "0" }, "partly filled is Submitted")
        let commissions = heard.filter { $0[0] == "59" }
        #expect(
            commissions.map { $0[2] } == fills.map { $0[14] } && commissions.allSatisfy { $0[5] == Unset.double }, "opening fills realise nothing")
        #expect(heard.last { $0[0] == "61" }?[14] == "25")
        #expect(heard.contains { $0[0] == "5" && $0.count == 135 })
    }

    @Test func previewTellsTheMarginOfAContractAndPlacesNothing() throws {
        var bench = try ready()
        bench.send(1, order(1, "BUY", "2", ["whatIf": "1"]))
        let report = try #require(bench.hear(1, "5").first)
        let at = try #require(report.firstIndex(of: "PreSubmitted"))
        #expect(
            Array(report[at + 1...at + 9]) == [
                "0.00", "0.00", "1000000.00", "5600.00", "4480.00", report[at + 6], "5600.00", "4480.00", report[at + 9],
            ])
        #expect(report[at + 10] == "4.54" && report[at + 13] == "USD")
        bench.send(1, ["16", "1"])
        #expect(bench.hear(1) == [["53", "1"]])
        bench.send(1, order(1, "BUY", "1"))
        #expect(!bench.hear(1, "11").isEmpty, "the id of a preview is not used up")
    }

    @Test func modifyAndCancelALimitOrder() throws {
        var bench = try ready()
        bench.send(1, order(1, "BUY", "3", "LMT", ["lmtPrice": "50000"]))
        #expect(bench.hear(1, "3").map { $0[2] } == ["Submitted"])
        bench.send(1, order(1, "BUY", "2", "LMT", ["lmtPrice": "50005"]))
        let modified = try #require(bench.hear(1, "5").last)
        #expect(modified[14] == "2" && modified[16] == "50005")
        bench.send(1, order(1, "BUY", "2", "LMT", ["lmtPrice": "50003"]))
        bench.send(1, order(1, "SELL", "2", "LMT", ["lmtPrice": "50005"]))
        #expect(bench.errors(1) == ["110", "105"])
        bench.send(1, ["5", "1"])
        #expect(bench.hear(1, "5").first?[16] == "50005", "a refused change leaves the old order working")
        _ = bench.hear(1)
        bench.send(1, ["4", "1", "1", ""])
        #expect(bench.hear(1, "3").map { $0[2] } == ["PendingCancel", "Cancelled"])
        #expect(bench.errors(1) == ["202"])
        bench.send(1, ["4", "1", "1", ""])
        bench.send(1, ["4", "1", "77", ""])
        bench.send(1, order(1, "BUY", "2"))
        #expect(bench.errors(1) == ["10148", "10147", "103"])
        bench.send(1, order(2, "BUY", "1"))
        _ = bench.hear(1)
        bench.send(1, order(2, "BUY", "2"))
        bench.send(1, ["4", "1", "2", ""])
        #expect(bench.errors(1) == ["104", "161"])
    }

    @Test func aBracketWaitsForItsLastLegAndWakesWithItsParent() throws {
        var bench = try ready()
        bench.send(1, order(10, "BUY", "1", "LMT", ["lmtPrice": "50000", "transmit": "0"]))
        bench.send(1, order(11, "SELL", "1", "LMT", ["lmtPrice": "200000", "parentId": "10", "transmit": "0"]))
        #expect(bench.hear(1, "3").map { $0[2] } == ["PendingSubmit", "PendingSubmit"])
        #expect(bench.gateway.exchange.liveOrders.isEmpty, "nothing has left the gateway")
        bench.send(1, order(12, "SELL", "1", "STP", ["auxPrice": "40000", "parentId": "10"]))
        let statuses = bench.hear(1, "3").suffix(3)
        #expect(
            statuses.map { [$0[1], $0[2], $0[7], $0[10]] } == [
                ["10", "Submitted", "0", ""], ["11", "PreSubmitted", "10", "child"], ["12", "PreSubmitted", "10", "child,trigger"],
            ])
        _ = bench.hear(1)
        bench.send(1, ["5", "1"])
        let reports = bench.hear(1, "5")
        let perm = try #require(reports.first?[25])
        for child in reports.dropFirst() { #expect([child[19], child[53], child[57]] == [perm, "3", "10"], "one group named by the parent") }
        _ = bench.hear(1)
        bench.send(1, order(10, "BUY", "1", "LMT", ["lmtPrice": "190000"]))
        bench.pass(.seconds(1))
        let after = bench.hear(1, "3")
        #expect(after.last { $0[1] == "10" }?[2] == "Filled")
        #expect(after.last { $0[1] == "11" }?[2] == "Submitted" && after.last { $0[1] == "12" }?[10] == "trigger")
        bench.send(1, ["58", "1"])
        #expect(Set(bench.hear(1, "3").filter { $0[2] == "Cancelled" }.map { $0[1] }) == ["11", "12"])
    }

    @Test func trailingStopsShowTheirLevelOnlyWhenAsked() throws {
        var bench = try ready()
        bench.send(1, order(1, "SELL", "1", "TRAIL", ["auxPrice": "500", "tif": "GTC"]))
        let first = try #require(bench.hear(1, "5").last)
        #expect(first[15] == "TRAIL" && first[17] == "500" && !first[73].isEmpty)
        bench.send(1, order(2, "SELL", "1", "TRAIL", ["trailingPercent": "10", "tif": "GTC"]))
        bench.send(1, order(3, "BUY", "1", "STP LMT", ["auxPrice": "150000", "lmtPrice": "150010"]))
        #expect(bench.errors(1).isEmpty)
        _ = bench.hear(1)
        bench.pass(.seconds(20))
        #expect(bench.hear(1, "5").isEmpty)
        bench.send(1, ["5", "1"])
        let reports = bench.hear(1)
        #expect(
            reports.filter { $0[0] == "5" }.count == 3
                && reports.filter { $0[0] == "3" }.allSatisfy { $0[2] == "PreSubmitted" && $0[10] == "trigger" })
        #expect(reports.last == ["53", "1"])
        #expect(reports.first { $0[0] == "5" && $0[1] == "2" }?[74] == "10")
    }

    @Test func openOrdersAreOwnOrEverybodys() throws {
        var bench = try ready()
        bench.start(2)
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": "50000", "tif": "GTC"]))
        bench.send(2, order(1, "BUY", "1", "LMT", ["lmtPrice": "60000", "tif": "GTC"]))
        _ = (bench.hear(1), bench.hear(2))
        bench.send(2, ["5", "1"])
        #expect(bench.hear(2).filter { $0[0] == "5" }.map { $0[24] } == ["2"])
        bench.send(2, ["16", "1"])
        let all = bench.hear(2)
        #expect(all.filter { $0[0] == "5" }.map { $0[24] } == ["1", "2"] && all.last == ["53", "1"])
        bench.send(2, ["4", "1", "2", ""])
        #expect(bench.errors(2) == ["10147"], "other clients' orders cannot be cancelled by number")
        bench.send(2, ["15", "1", "1"])
        #expect(bench.errors(2) == ["321"])
        bench.send(2, ["58", "1"])
        #expect(bench.hear(1, "3").last?[2] == "Cancelled", "but by the global cancel")
    }

    @Test func completedOrdersAndExecutionsEndWithTheirMarks() throws {
        var bench = try ready()
        bench.send(1, order(1, "BUY", "2", ["orderRef": "a"]))
        bench.send(1, order(2, "BUY", "1", "LMT", ["lmtPrice": "50000"]))
        bench.send(1, ["4", "1", "2", ""])
        bench.send(1, order(3, "SELL", "5", symbol: "AAPL"))
        bench.pass(.seconds(5))
        _ = bench.hear(1)
        bench.send(1, ["99", "0"])
        let completed = bench.hear(1)
        #expect(completed.dropLast().allSatisfy { $0[0] == "101" } && completed.last == ["102"])
        #expect(completed.dropLast().map { $0[13] } == ["0", "0", "0"], "the size of a completed order stands elsewhere")
        #expect(completed.contains { $0.contains("Filled Size: 2") && $0.contains("a") } && completed.contains { $0.contains("Cancelled by Trader") })
        func ask(_ filter: [String]) -> [[String]] { bench.send(1, ["7", "3", "9"] + filter); return bench.hear(1) }
        let all = ask(["0", "", "", "", "", "", ""])
        #expect(all.last == ["55", "1", "9"] && all.filter { $0[0] == "11" }.allSatisfy { $0[1] == "9" })
        #expect(all.filter { $0[0] == "11" }.count == all.filter { $0[0] == "59" }.count && all.filter { $0[0] == "11" }.count >= 2)
        #expect(ask(["0", "", "", "MBT", "", "", ""]).filter { $0[0] == "11" }.allSatisfy { $0[4] == "MBT" })
        #expect(ask(["5", "", "", "", "", "", ""]) == [["55", "1", "9"]])
        #expect(ask(["0", "", "20261120 23:00:00 US/Eastern", "", "", "", ""]) == [["55", "1", "9"]])
        #expect(ask(["0", "", "", "", "", "", "SELL"]).filter { $0[0] == "11" }.allSatisfy { $0[18] == "SLD" })
    }

    /// Sending the same again changes nothing, and is answered all the same: clients wait for the word.
    @Test func aChangeOfNothingIsAnswered() throws {
        var bench = try ready()
        let resting = order(1, "BUY", "1", "LMT", ["lmtPrice": "50000", "tif": "GTC"])
        bench.send(1, resting)
        #expect(bench.hear(1, "3").last?[2] == "Submitted")
        bench.send(1, resting)
        #expect(bench.hear(1, "3").map { $0[2] } == ["Submitted"])
    }

    @Test func ordersThatCannotBeAreRefusedWithTheirCodes() throws {
        var bench = try ready(cash: 5_000)
        func refusal(_ fields: [String]) -> [String] { bench.send(1, fields); return bench.errors(1) }
        #expect(refusal(order(1, "BUY", "2")) == ["201"])
        #expect(bench.hear(1, "3").last?[2] == "Inactive")
        #expect(refusal(order(2, "BUY", "0")) == ["434"])
        #expect(refusal(order(3, "BUY", "1", "LMT", ["lmtPrice": "50001"])) == ["110"])
        #expect(bench.hear(1, "3").isEmpty, "it was never an order")
        #expect(refusal(order(4, "BUY", "1", "REL")) == ["387"])
        #expect(refusal(order(5, "BUY", "1", "MKT", ["tif": "OPG"])) == ["111"])
        #expect(refusal(order(6, "BUY", "1", symbol: "MBTQ9")) == ["200"])
        #expect(refusal(order(7, "HOLD", "1")) == ["321"])
        #expect(refusal(order(8, "BUY", "1", "MKT", ["account": "U999"])) == ["321"])
        #expect(refusal(order(9, "SELL", "1", "MKT", ["parentId": "99"])) == ["135"])
        #expect(refusal(order(4, "BUY", "1")) == ["103"], "an id below the highest")
        #expect(refusal(["4", "1", "1", ""]) == ["10148"])
        bench.send(1, ["8", "1", "1"])
        #expect(bench.hear(1, "9") == [["9", "1", "10"]])
    }

    @Test func accountsWithoutPermissionOrWithAReadOnlyAPICannotTrade() throws {
        var bench = try ready(GatewaySettings(switches: [.noPermission]))
        bench.send(1, order(1, "BUY", "1"))
        #expect(bench.errors(1) == ["203"] && bench.gateway.exchange.orders.isEmpty)
        bench.send(1, order(2, "BUY", "1", symbol: "AAPL"))
        #expect(bench.errors(1).isEmpty && bench.gateway.exchange.orders.count == 1)
        var readOnly = try ready(GatewaySettings(switches: [.readOnly]))
        readOnly.send(1, order(1, "BUY", "1"))
        #expect(readOnly.errors(1) == ["321"])
    }

    @Test func aMarketOrderOutsideHoursRestsWithAWarning() throws {
        // 15:00 UTC on a Saturday.
        var bench = try GatewayBench(realHours: true, at: friday + .hours(24))
        bench.start(1)
        _ = bench.hear(1)
        bench.send(1, order(1, "BUY", "1", symbol: "AAPL"))
        #expect(bench.hear(1, "3").map { $0[2] } == ["PreSubmitted"])
        let warning = try #require(bench.hear(1, "4").first)
        #expect(warning[3] == "399" && warning[4].hasSuffix("until 20261123 09:30:00 US/Eastern"))
    }

    @Test func anOrderMayBePlacedAndItsWordLost() throws {
        var bench = try ready(GatewaySettings(switches: [.cutAfterOrder(1)]))
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": "50000", "tif": "GTC", "orderRef": "x"]))
        #expect(bench.closed == [1] && bench.hear(1).isEmpty && bench.gateway.exchange.liveOrders.count == 1)
        bench.start(2, id: 1)
        bench.send(2, ["5", "1"])
        #expect(bench.hear(2, "5").map { $0[23] } == ["x"])
        #expect(bench.hear(2, "9") == [["9", "1", "2"]])
        var lossy = try ready(GatewaySettings(switches: [.loseOrder(1)]))
        lossy.send(1, order(1, "BUY", "1"))
        #expect(lossy.closed == [1] && lossy.gateway.exchange.orders.isEmpty)
    }
}
