// The rules by which edge and broker are compared after a day of faults: each is seen to catch its breach.
import Ledger
import Platform
import Processes
import Testing
import Values
import Wire

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

    /// Two ledgers of the same entries, then each with one fault: what is lost, changed, or there twice is named.
    @Test func rowsAreComparedOneByOne() throws {
        let scratch = try ScratchFolder()
        let edge = try #require(EdgeID(hex: String(repeating: "0a", count: 16)))
        let clock = ClockReading(wall: Instant(nanoseconds: 1_000_000_000), monotonic: .seconds(1))
        func rows(_ reasons: [String]) throws -> [EntryRow] {
            var chain = Chain(edge: edge, boot: Boot(raw: 7), last: nil)
            let boot = BootFact(version: "0", mode: .paper, machine: "", kernelBoot: "", configuration: "")
            return try [chain.append(Draft(.boot(boot)), at: clock).row]
                + reasons.map { try chain.append(Draft(.shutdown(reason: $0)), at: clock).row }
        }
        var files = 0
        func ledger(_ rows: [EntryRow]) throws -> String {
            files += 1
            let path = "\(scratch.path)/\(files).db"
            try EntryStore(path: path, .init(.create)).append(rows)
            return path
        }
        let good = try rows(["a", "b", "c"]), once = good.dropFirst().map(\.body)
        let near = try ledger(good)
        func violations(_ far: [EntryRow], edge: String? = nil, once: [[UInt8]]) throws -> [String] {
            try Comparison.rowViolations(edgeLedger: edge ?? near, cloudLedger: ledger(far), through: 4, once: once)
        }
        #expect(try violations(good, once: once) == [])
        #expect(
            try violations(Array(good.dropLast()), once: once) == [
                "entry 4 is missing at the cloud", "1 of 3 entries that were written stand in the cloud's ledger never or more than once",
            ])
        #expect(try violations(rows(["a", "x", "c"]), once: []) == ["entry 3 is another at the cloud", "entry 4 is another at the cloud"])
        let twice = try rows(["a", "b", "b"])
        #expect(
            try violations(twice, edge: ledger(twice), once: Array(once.prefix(2))) == [
                "1 of 2 entries that were written stand in the cloud's ledger never or more than once"
            ])
    }
}
