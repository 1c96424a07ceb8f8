// Snapshots by scripted bytes: end marks that are missing, contracts without a name, fills in between, connections that end.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct IBKRSessionSnapshotTests {
    private func asked() -> (ScriptedGateway, executions: String, summary: String) {
        var gateway = ScriptedGateway.up(known: [IBKRSessionNoticeTests.stock])
        gateway.pass(.seconds(1))
        _ = gateway.sent()
        _ = gateway.hear()
        gateway.ask(.snapshot)
        gateway.pass(.milliseconds(300))
        let frames = gateway.sent()
        return (gateway, frames.first { $0[0] == "7" }?[2] ?? "", frames.first { $0[0] == "62" }?[2] ?? "")
    }
    private func pictures(_ events: [VenueEvent]) -> [BrokerSnapshot] { events.compactMap { if case .snapshot(let one) = $0 { one } else { nil } } }
    private func failures(_ events: [VenueEvent]) -> [String] {
        events.compactMap { if case .snapshotFailed(_, let text) = $0 { text } else { nil } }
    }
    private func ends(_ executions: String, _ summary: String) -> [[String]] {
        [["53", "1"], ["55", "1", executions], ["102"], ["64", "1", summary], ["62", "1"]]
    }

    @Test func itIsToldOnlyWhenEveryEndMarkCame() {
        for missing in 0..<5 {
            var (gateway, executions, summary) = asked()
            for (index, end) in ends(executions, summary).enumerated() where index != missing { gateway.say(end) }
            #expect(pictures(gateway.hear()).isEmpty, "end mark \(missing) is missing")
            gateway.pass(.seconds(21))
            let text = failures(gateway.hear()).first ?? ""
            #expect(text.contains(["open orders", "executions", "completed orders", "account", "positions"][missing]), "\(text)")
        }
        var (gateway, executions, summary) = asked()
        for end in ends(executions, summary).reversed() { gateway.say(end) }
        #expect(pictures(gateway.hear()).count == 1)
    }

    @Test func absentPositionsAreFlatAndZeroLinesAreNotPositions() {
        var (gateway, executions, summary) = asked()
        func position(_ account: String, _ size: String) -> [String] {
            ["61", "3", account, "265598", "AAPL", "STK", "", "0", "", "", "", "USD", "AAPL", "NMS", size, "230.5"]
        }
        gateway.say(position("DU1", "0"))
        gateway.say(position("DU1", "-150"))
        for end in ends(executions, summary) { gateway.say(end) }
        let picture = pictures(gateway.hear()).first
        #expect(picture?.positions == [BrokerPosition(account: "DU1", instrument: InstrumentID("AAPL.NASDAQ"), quantity: Quantity(whole: -150))])
    }

    /// A contract that nobody wished for is asked by its number before the picture is told.
    @Test func unknownContractsAreNamedFirst() throws {
        var (gateway, executions, summary) = asked()
        gateway.say(["61", "3", "DU1", "4815747", "NVDA", "STK", "", "0", "", "", "", "USD", "NVDA", "NMS", "10", "140"])
        for end in ends(executions, summary) { gateway.say(end) }
        gateway.pass(.milliseconds(200))
        #expect(pictures(gateway.hear()).isEmpty)
        let request = try #require(gateway.sent("9").first)
        #expect(request[3] == "4815747")
        gateway.complain(try #require(Int64(request[2])), 200, "No security definition has been found for the request")
        let picture = try #require(pictures(gateway.hear()).first)
        #expect(picture.positions.map(\.instrument) == [InstrumentID("NVDA.STK")])
    }

    /// A fill between the lists: the positions may be older than the executions, so the picture is taken again.
    @Test func aFillInBetweenMeansAnotherPicture() throws {
        var (gateway, executions, summary) = asked()
        gateway.say(["53", "1"])
        gateway.say([
            "11", "-1", "3", "265598", "AAPL", "STK", "", "0", "", "", "SMART", "USD", "AAPL", "NMS", "0001.01", "20261120 10:00:01 US/Eastern",
            "DU1",
            "ISLAND", "BOT", "100", "230.5", "99", "7", "0", "100", "230.5", "ref", "", "", "", "2", "0",
        ])
        for end in ends(executions, summary).dropFirst() { gateway.say(end) }
        let heard = gateway.hear()
        let fills = heard.compactMap { if case .fill(let fill) = $0 { fill } else { nil } }
        #expect(
            pictures(heard).isEmpty && fills.map(\.fill.execID) == ["0001.01"] && fills.first?.brokerOrderID == 3 && fills.first?.reference == "ref")
        #expect(fills.first?.fill.transactTime == noon + .seconds(1))
        gateway.pass(.milliseconds(300))
        let frames = gateway.sent()
        #expect(frames.contains { $0[0] == "16" })
        let again = (try #require(frames.first { $0[0] == "7" })[2], try #require(frames.first { $0[0] == "62" })[2])
        for end in ends(again.0, again.1) { gateway.say(end) }
        #expect(pictures(gateway.hear()).count == 1)
    }

    @Test func aLostConnectionEndsItWithoutAConclusion() {
        var (gateway, executions, _) = asked()
        gateway.say([
            "11", executions, "3", "265598", "AAPL", "STK", "", "0", "", "", "SMART", "USD", "AAPL", "NMS", "0001.01", "20261120 10:00:01 US/Eastern",
            "DU1", "ISLAND", "BOT", "100", "230.5", "99", "7", "0", "100", "230.5", "ref", "", "", "", "2", "0",
        ])
        gateway.drop()
        let heard = gateway.hear()
        #expect(pictures(heard).isEmpty && failures(heard).count == 1)
        #expect(
            heard.contains { if case .fill(let fill) = $0 { fill.fill.execID == "0001.01" } else { false } }, "what was executed is true all the same"
        )
    }

    @Test func aCommissionMayComeLateTwiceOrWithoutAnAmount() {
        var (gateway, _, _) = asked()
        gateway.say(["59", "1", "0001.01", "1.7976931348623157E308", "USD", "1.7976931348623157E308", "", ""])
        #expect(gateway.hear().isEmpty)
        gateway.say(["59", "1", "0001.01", "2.27", "USD", "1.7976931348623157E308", "", ""])
        #expect(gateway.hear() == [.commission(Commission(execID: "0001.01", amount: Money(raw: 227_000_000), currency: "USD"))])
    }
}
