// Orders made by hand at the TWS, client 0 that binds them, and the master client that hears of everything.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayBindingTests {
    /// A gateway at which somebody has traded by hand for a while.
    private func manual() throws -> GatewayBench {
        var bench = try GatewayBench(GatewaySettings(isManual: true))
        bench.pass(.minutes(5))
        return bench
    }

    @Test func ordersMadeByHandAreSeenByAllAndCancelledByNone() throws {
        var bench = try manual()
        bench.start(1)
        _ = bench.hear(1)
        bench.send(1, ["16", "1"])
        let open = bench.hear(1, "5")
        #expect(open.count > 2 && open.allSatisfy { $0[1] == "0" && $0[24] == "0" })
        #expect(Set(open.map { $0[25] }).count == open.count, "known by their permIds")
        bench.send(1, ["5", "1"])
        #expect(bench.hear(1, "5").isEmpty, "they are not this client's")
        bench.send(1, ["4", "1", "0", ""])
        #expect(bench.errors(1) == ["10147"])
        bench.send(1, ["7", "3", "9", "0", "", "", "", "", "", ""])
        let executions = bench.hear(1, "11")
        #expect(!executions.isEmpty && executions.allSatisfy { $0[2] == "2147483647" && $0[22] == "0" })
        bench.send(1, ["58", "1"])
        bench.send(1, ["16", "1"])
        #expect(bench.hear(1, "5").isEmpty, "a global cancel ends them too")
    }

    @Test func clientZeroBindsThemOnceOrAsTheyCome() throws {
        var bench = try manual()
        bench.start(5, id: 0)
        _ = bench.hear(5)
        bench.send(5, ["5", "1"])
        let bound = bench.hear(5, "100")
        let ids = bound.compactMap { Int($0[3]) }
        #expect(bound.count > 2 && ids == Array((1...bound.count).map { -$0 }) && bound.allSatisfy { $0[2] == "0" })
        #expect(Set(bench.hear(5, "5").map { $0[1] }) == Set(bound.map { $0[3] }))
        bench.send(5, ["4", "1", "-1", ""])
        #expect(bench.hear(5, "3").last?[2] == "Cancelled", "what is bound can be cancelled")
        _ = bench.hear(5)
        bench.pass(.minutes(3))
        #expect(bench.hear(5, "100").isEmpty, "new ones are bound when it asks again")
        bench.send(5, ["15", "1", "1"])
        #expect(!bench.hear(5, "100").isEmpty)
        bench.pass(.minutes(3))
        let later = bench.hear(5, "100").compactMap { Int($0[3]) }
        #expect(!later.isEmpty && later.allSatisfy { $0 < -bound.count }, "and then as they come")
        try bench.restart()
        bench.start(6, id: 0)
        bench.send(6, ["5", "1"])
        let restored = bench.hear(6)
        #expect(restored.contains { $0[0] == "5" && $0[1] == "-2" } && !restored.contains { $0[0] == "100" }, "bound ones stay bound")
    }

    @Test func onlyClientZeroMayBind() throws {
        var bench = try manual()
        bench.start(1)
        _ = bench.hear(1)
        bench.send(1, ["15", "1", "1"])
        #expect(bench.errors(1) == ["321"] && bench.hear(1).isEmpty)
    }

    @Test func theMasterHearsOfEveryClientsOrders() throws {
        var bench = try GatewayBench(GatewaySettings(master: 9))
        for client: UInt64 in [1, 2, 9] { bench.start(client); _ = bench.hear(client) }
        bench.send(1, order(1, "BUY", "1"))
        bench.send(2, order(1, "BUY", "1", "LMT", ["lmtPrice": "50000"]))
        bench.send(2, ["4", "1", "1", ""])
        let heard = bench.hear(9)
        #expect(Set(heard.filter { $0[0] == "5" }.map { $0[24] }) == ["1", "2"] && heard.filter { $0[0] == "11" }.map { $0[22] } == ["1"])
        #expect(heard.contains { $0[0] == "59" } && heard.contains { $0[0] == "3" && $0[2] == "Cancelled" && $0[9] == "2" })
        #expect(!heard.contains { $0[0] == "4" }, "errors are for whoever asked")
        #expect(bench.hear(1).allSatisfy { $0[0] != "3" || $0[9] == "1" }, "the others hear of their own only")
        bench.send(9, ["4", "1", "1", ""])
        #expect(bench.errors(9) == ["10147"], "hearing is not owning")
    }
}
