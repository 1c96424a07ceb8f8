// Every word a person can give a misbehaving gateway: what it does to a scripted client's stream.
import Simulation
import Testing
import Values
import Venues

@Suite struct GatewayFaultTests {
    private func ready(_ switches: GatewaySwitch..., seed: UInt64 = 1) throws -> GatewayBench {
        var bench = try GatewayBench(GatewaySettings(switches: switches, faultSeed: seed))
        bench.start(1)
        _ = bench.hear(1)
        return bench
    }
    /// A 25-lot, which fills in parts, and all that is told of it in half a minute.
    private func twentyFive(_ bench: inout GatewayBench) -> [[String]] {
        bench.send(1, order(1, "BUY", "25"))
        bench.pass(.seconds(30))
        return bench.hear(1)
    }
    private func executions(_ frames: [[String]]) -> [String] { frames.filter { $0[0] == "11" }.map { $0[14] } }

    @Test func everyWordOfTheUsageIsRead() {
        let words = [
            "wedge-after": GatewaySwitch.wedgeAfter(1), "ack-drop=3": .cutAfterOrder(3), "execution=late": .execution(.late(nil)),
            "execution=late:250": .execution(.late(.milliseconds(250))), "execution=reorder": .execution(.reorder),
            "status=duplicate": .status(.duplicate), "commission=never": .commission(.never),
            "commission=late:9": .commission(.late(.milliseconds(9))),
            "commission=sentinel": .commission(.sentinel), "fill-before-ack": .fillBeforeAck, "fill-after-cancel": .fillAfterCancel,
            "correction=2": .correction(2), "next-id=edge": .nextId(.edge), "twin-perm": .twinPerm(1),
            "link=1102:7": .link(code: 1_102, every: .seconds(7)), "link=2110": .link(code: 2_110, every: .seconds(20)),
            "snapshot-without-end=positions": .endless(.positions), "snapshot-without-end": .endless(nil), "split": .split(1),
            "slow-reader=50": .slowReader(50), "competing-session": .competingSession(nil), "competing-session=5": .competingSession(.seconds(5)),
            "pacing=5": .pacing(5), "restart-at=23:45": .restartAt(.daily(85_500)), "restart-at=+5": .restartAt(.after(.seconds(5))),
            "reset-at=00:15:30": .resetAt(.daily(930)),
        ]
        for (word, item) in words { #expect(GatewaySwitch(word) == item, "\(word)") }
        for word in [
            "execution=", "execution=never", "status=late:", "status=late:0", "commission=reorder", "next-id=sideways", "link=1103", "link=1100:0",
            "link=1100:5:5", "snapshot-without-end=dreams", "restart-at", "restart-at=24:00", "restart-at=7:5", "reset-at=+0", "split=0",
            "twin-perm=x",
        ] { #expect(GatewaySwitch(word) == nil, "\(word)") }
        let first = GatewaySwitch.usage.split(separator: "\n").compactMap {
            $0.first == " " ? nil : $0.split(whereSeparator: { " [=".contains($0) }).first
        }
        #expect(first.count == 25 && Set(first).count == 25, "\(first.count)")
    }

    // MARK: Executions, statuses, commissions

    @Test func executionsAreToldTwice() throws {
        var bench = try ready(.execution(.duplicate))
        let ids = executions(twentyFive(&bench))
        #expect(ids.count == 2 * Set(ids).count && Set(ids).count > 1)
        #expect(bench.gateway.exchange.account.positions.map(\.quantity) == [Quantity(whole: 25)])
    }

    @Test func lateExecutionsComeBehindTheStatusAndBeforeTheirCommission() throws {
        var bench = try ready(.execution(.late(.milliseconds(700))))
        let heard = twentyFive(&bench)
        let filled = try #require(heard.firstIndex { $0[0] == "3" && $0[2] == "Filled" })
        let last = try #require(heard.lastIndex { $0[0] == "11" })
        #expect(filled < last)
        for id in executions(heard) {
            let execution = try #require(heard.firstIndex { $0[0] == "11" && $0[14] == id })
            let commission = try #require(heard.firstIndex { $0[0] == "59" && $0[2] == id })
            #expect(execution < commission)
        }
    }

    @Test func executionsChangePlacesAndNoneIsLost() throws {
        var bench = try ready(.execution(.reorder))
        let ids = executions(twentyFive(&bench))
        #expect(ids != ids.sorted() && Set(ids).count == ids.count)
        bench.send(1, ["7", "3", "9", "0", "", "", "", "", "", ""])
        let listed = executions(bench.hear(1))
        #expect(Set(listed) == Set(ids) && listed == listed.sorted(), "a list is never tampered with")
    }

    @Test func statusesComeTwiceLateAndInAnotherOrder() throws {
        var plain = try ready()
        let wanted = twentyFive(&plain).filter { $0[0] == "3" }
        var twice = try ready(.status(.duplicate))
        #expect(twentyFive(&twice).filter { $0[0] == "3" }.count == 2 * wanted.count)
        var late = try ready(.status(.late(.milliseconds(900))))
        let heard = twentyFive(&late)
        #expect(heard.filter { $0[0] == "3" } == wanted)
        let (fill, status) = (try #require(heard.firstIndex { $0[0] == "11" }), try #require(heard.firstIndex { $0[0] == "3" }))
        #expect(fill < status)
        var reordered = try ready(.status(.reorder))
        let others = twentyFive(&reordered).filter { $0[0] == "3" }
        #expect(others != wanted && others.sorted { $0.joined() < $1.joined() } == wanted.sorted { $0.joined() < $1.joined() })
    }

    @Test func aFillComesBeforeItsAcknowledgement() throws {
        var bench = try ready(.fillBeforeAck)
        bench.send(1, order(1, "BUY", "1"))
        bench.send(1, order(2, "BUY", "1", "LMT", ["lmtPrice": "50000"]))
        let now = bench.hear(1)
        #expect(now.first?[0] == "11" && now.contains { $0[0] == "3" && $0[2] == "Filled" } && !now.contains { $0[1] == "2" })
        bench.pass(.seconds(3))
        #expect(bench.hear(1, "3").map { $0[1] } == ["2"], "a resting order is acknowledged late")
        bench.send(1, order(3, "BUY", "1", ["whatIf": "1"]))
        #expect(!bench.hear(1, "5").isEmpty, "a preview is answered at once")
    }

    @Test func aFillComesAfterTheCancel() throws {
        var bench = try ready(.fillAfterCancel)
        bench.send(1, order(1, "BUY", "3", "LMT", ["lmtPrice": "50000"]))
        _ = bench.hear(1)
        bench.send(1, ["4", "1", "1", ""])
        #expect(bench.hear(1).map { $0[0] == "3" ? $0[2] : $0[0] } == ["PendingCancel", "Cancelled", "4"])
        bench.pass(.seconds(2))
        let late = bench.hear(1)
        let shares = late.filter { $0[0] == "11" }.compactMap { Int64($0[19]) }.reduce(0, +)
        #expect(shares > 0 && late.contains { $0[0] == "59" } && !late.contains { $0[0] == "3" })
        #expect(bench.gateway.exchange.account.positions.map(\.quantity) == [Quantity(whole: shares)])
    }

    @Test func commissionsComeLateNeverAndUnset() throws {
        var late = try ready(.commission(.late(.seconds(2))))
        late.send(1, order(1, "BUY", "1"))
        late.pass(.milliseconds(1_900))
        #expect(late.hear(1, "59").isEmpty)
        late.pass(.milliseconds(100))
        #expect(late.hear(1, "59").count == 1)
        var never = try ready(.commission(.never))
        #expect(!twentyFive(&never).contains { $0[0] == "59" })
        never.send(1, ["7", "3", "9", "0", "", "", "", "", "", ""])
        #expect(!never.hear(1).contains { $0[0] == "59" })
        var unset = try ready(.commission(.sentinel))
        #expect(twentyFive(&unset).filter { $0[0] == "59" }.allSatisfy { $0[3] == Unset.double })
        unset.send(1, ["7", "3", "9", "0", "", "", "", "", "", ""])
        #expect(unset.hear(1, "59").allSatisfy { $0[3] != Unset.double }, "the list tells the true amount")
    }

    @Test func aCorrectionReplacesWhatWasMisprinted() throws {
        var bench = try ready(.correction(1))
        bench.send(1, order(1, "BUY", "1"))
        bench.pass(.seconds(3))
        let told = bench.hear(1, "11")
        #expect(told.count == 2 && told[0][14].hasSuffix(".01.01") && told[1][14] == told[0][14].dropLast() + "2")
        let prices = try told.map { try Price($0[20]) }
        #expect(prices[1] == prices[0].adding(Price(whole: 5)) && told.map { $0[31] } == ["1", "0"])
        let position = try #require(bench.gateway.exchange.account.positions.first)
        #expect(position.quantity == Quantity(whole: 1) && position.averagePrice == prices[1])
        try bench.restart()
        bench.start(1)
        bench.send(1, ["7", "3", "9", "0", "", "", "", "", "", ""])
        #expect(executions(bench.hear(1)) == [told[1][14]], "the corrected one outlives the gateway")
    }

    // MARK: Numbers

    @Test func orderIdsGoBackForwardAndToTheEdge() throws {
        for (fault, first, later) in [(NextIdFault.back, "1", "5"), (.forward, "1001", "1011"), (.edge, "2147483645", "2147483645")] {
            var bench = try GatewayBench(GatewaySettings(switches: [.nextId(fault)]))
            bench.start(1)
            #expect(bench.hear(1, "9").map { $0[2] } == [first])
            bench.send(1, order(10, "BUY", "1"))
            bench.send(1, ["8", "1", "1"])
            #expect(bench.hear(1, "9").map { $0[2] } == [later])
        }
        var edge = try ready(.nextId(.edge))
        for id in [2_147_483_645, 2_147_483_647] { edge.send(1, order(id, "BUY", "1")) }
        edge.send(1, ["8", "1", "1"])
        #expect(edge.hear(1, "9").map { $0[2] } == ["2147483647"] && edge.hear(1, "11").count == 2, "there is no number beyond")
    }

    @Test func oneOrderWorksUnderTwoPermIds() throws {
        var bench = try ready(.twinPerm(2))
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": "50000", "orderRef": "a"]))
        bench.send(1, order(2, "BUY", "1", "LMT", ["lmtPrice": "50005", "orderRef": "b"]))
        bench.send(1, ["5", "1"])
        _ = bench.hear(1, "3")
        let listed = bench.hear(1, "5").suffix(3)
        #expect(listed.map { $0[23] } == ["a", "b", "b"] && Set(listed.map { $0[25] }).count == 3)
        for left in [1, 0] {
            bench.send(1, ["4", "1", "2", ""])
            #expect(bench.gateway.exchange.liveOrders.count == 1 + left)
        }
        try bench.restart()
        #expect(bench.gateway.exchange.liveOrders.count == 1)
    }
}
