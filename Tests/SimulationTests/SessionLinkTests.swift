// The gateway has lost the broker: nobody can answer, so nothing is asked, nothing is given up, and every wait begins anew afterwards.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct SessionLinkTests {
    private func wait(_ desk: inout OneOrder, minutes: Int) {
        for _ in 0..<minutes * 4 { desk.gateway.pass(.seconds(15), step: .seconds(1)); desk.gateway.say(["49", "1", "1"]) }
    }

    /// An order without a word: the connection to the gateway stands, and ending it would help nobody.
    @Test(arguments: [1_101, 1_102]) func anOrderWithoutAWordWaitsForTheBroker(back: Int) throws {
        var desk = try OneOrder(.limit)
        desk.gateway.pass(.seconds(1))
        _ = desk.gateway.sent()
        desk.gateway.complain(-1, 1_100, "lost")
        wait(&desk, minutes: 10)
        #expect(!desk.gateway.wishes.contains(.disconnect))
        #expect(desk.gateway.sent().allSatisfy { $0[0] == "49" }, "nothing but the question for the time")
        desk.gateway.complain(-1, back, "restored")
        desk.gateway.pass(.milliseconds(4_800))
        #expect(desk.gateway.sent("5").isEmpty, "as long as the first time")
        desk.gateway.pass(.milliseconds(400))
        #expect(Set(desk.gateway.sent().map { $0[0] }).isSuperset(of: ["5", "7"]))
        desk.gateway.say(["53", "1"])
        desk.gateway.pass(.seconds(10))
        #expect(desk.gateway.wishes.contains(.disconnect), "three questions without a word, as ever")
    }

    /// A last word that waits for its executions, and a list of them that does not end meanwhile.
    @Test func executionsThatDoNotComeAreNoGroundToHangUp() throws {
        var desk = try OneOrder()
        desk.status("Submitted")
        desk.status("Filled", filled: 100)
        desk.gateway.pass(.milliseconds(1_500))
        #expect(desk.gateway.sent("7").count == 1)
        desk.gateway.complain(-1, 1_100, "lost")
        wait(&desk, minutes: 10)
        #expect(!desk.gateway.wishes.contains(.disconnect) && desk.statuses().allSatisfy { $0 != .filled })
        desk.gateway.complain(-1, 1_102, "restored")
        desk.gateway.pass(.seconds(17), step: .seconds(1))
        let request = try #require(desk.gateway.sent("7").last)[2]
        desk.execution("e.01", shares: 100, sum: 100, request: request)
        #expect(desk.gateway.hear().orders(5).last?.status == .filled && !desk.gateway.wishes.contains(.disconnect))
    }
}
