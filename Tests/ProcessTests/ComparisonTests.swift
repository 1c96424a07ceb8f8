// The rules by which edge and broker are compared after a day of faults: each is seen to catch its breach.
import Processes
import Testing
import Values

@Suite struct ComparisonTests {
    private struct Day {
        var brokerFills = ["7 BUY 1 at 100, 1 in all", "8 SELL 1 at 101, 1 in all"]
        var orders: [String: Set<Int64>] = ["a": [7], "b": [8], "c": [9]]
        var brokerWorking: Set<String> = ["c"]
        var ledgerFills = ["8 SELL 1 at 101, 1 in all", "7 BUY 1 at 100, 1 in all"]
        var executions = ["x1", "x2"]
        var tags: Set<String> = ["a", "b", "c", "d"]
        var working: Set<String> = ["c"]
        var openings: [CommandID: Int] = [:]

        var violations: [String] {
            Comparison.violations(
                brokerFills: brokerFills, brokerOrders: orders, brokerWorking: brokerWorking, ledgerFills: ledgerFills, executions: executions,
                tags: tags, working: working, openings: openings)
        }
    }

    @Test func aGoodDayHasNone() { #expect(Day().violations == []) }

    @Test func eachBreachIsNamed() throws {
        var day = Day()
        day.ledgerFills.removeLast()
        #expect(day.violations == ["the ledger lost a fill: 7 BUY 1 at 100, 1 in all"])
        day = Day()
        day.ledgerFills.append("7 BUY 1 at 100, 1 in all")
        #expect(day.violations == ["the ledger has a fill that the broker has not: 7 BUY 1 at 100, 1 in all"])
        day = Day()
        day.executions.append("x1")
        #expect(day.violations == ["execution x1 stands 2 times in the ledger"])
        day = Day()
        day.orders["a"] = [7, 12]
        #expect(day.violations == ["order a reached the broker 2 times"])
        day = Day()
        day.orders["z"] = [12]
        #expect(day.violations == ["order z is at the broker without an intent"])
        day = Day()
        day.brokerWorking = []
        #expect(day.violations == ["order c works at the edge only"])
        day = Day()
        day.working = []
        #expect(day.violations == ["order c works at the broker only"])
        day = Day()
        let command = try #require(CommandID(hex: String(repeating: "0a", count: 16)))
        day.openings[command] = 2
        #expect(day.violations == ["command \(command) opened 2 times"])
    }
}
