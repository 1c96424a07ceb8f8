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

    /// What does not change the broker does not tell again, and orders are judged by figures of now: old ones are asked for, once in five minutes.
    @Test func figuresOfTheAccountStayOfNow() throws {
        var gateway = ScriptedGateway.up(known: [IBKRSessionNoticeTests.stock])
        gateway.pass(.seconds(1))
        func pass(_ seconds: Int) -> Int {
            for _ in 0..<seconds / 10 {
                gateway.pass(.seconds(10), step: .seconds(1))
                gateway.say(["49", "1", String(gateway.now.seconds)])
            }
            return gateway.sent("62").count
        }
        let request = try #require(gateway.sent("62").first)[2]
        gateway.say(["63", "1", request, "DU1", "AvailableFunds", "1000", "USD"])
        gateway.say(["64", "1", request])
        #expect(pass(290) == 0)
        #expect(pass(20) == 1)
        #expect(pass(280) == 0, "a gateway that says nothing is not asked all the time")
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
    @Test(arguments: [200, 321]) func unknownContractsAreNamedFirst(refusal: Int) throws {
        var (gateway, executions, summary) = asked()
        gateway.say(["61", "3", "DU1", "4815747", "NVDA", "STK", "", "0", "", "", "", "USD", "NVDA", "NMS", "10", "140"])
        for end in ends(executions, summary) { gateway.say(end) }
        gateway.pass(.milliseconds(200))
        #expect(pictures(gateway.hear()).isEmpty)
        let request = try #require(gateway.sent("9").first)
        #expect(request[3] == "4815747")
        gateway.complain(try #require(Int64(request[2])), refusal, "No security definition has been found for the request")
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

    // MARK: End marks without an id

    private static let bare = [(0, "16"), (2, "99"), (4, "61")]

    /// A list whose end did not come in time may still end: a second one is asked for only then, and the late mark ends nothing but the first.
    @Test(arguments: bare) func aLateEndMarkEndsNoOtherList(missing: Int, message: String) {
        var (gateway, executions, summary) = asked()
        for (index, end) in ends(executions, summary).enumerated() where index != missing { gateway.say(end) }
        gateway.pass(.seconds(21))
        #expect(failures(gateway.hear()).count == 1)
        _ = gateway.sent()
        gateway.ask(.snapshot)
        gateway.pass(.milliseconds(300))
        let frames = gateway.sent()
        #expect(!frames.contains { $0[0] == message } && frames.contains { $0[0] == "7" }, "one list of a kind at a time")
        let again = (frames.first { $0[0] == "7" }?[2] ?? "", frames.first { $0[0] == "62" }?[2] ?? "")
        // What is left of the first, with its end.
        gateway.say(["61", "3", "DU1", "265598", "AAPL", "STK", "", "0", "", "", "", "USD", "AAPL", "NMS", "7", "230.5"])
        let late = ends(again.0, again.1)[missing]
        gateway.say(late)
        for (index, end) in ends(again.0, again.1).enumerated() where index != missing { gateway.say(end) }
        #expect(pictures(gateway.hear()).isEmpty)
        gateway.pass(.milliseconds(300))
        #expect(gateway.sent().contains { $0[0] == message })
        gateway.say(late)
        let picture = pictures(gateway.hear()).first
        #expect(picture != nil && (missing != 4 || picture?.positions.isEmpty == true), "what the first list held is not in it")
    }

    /// The broker's link is said to be back while a picture is taken: it is given up, and its late marks end nothing of the next.
    @Test func aLinkThatComesBackEndsThePictureUnderWay() {
        var (gateway, executions, summary) = asked()
        gateway.complain(-1, 1_102, "Connectivity between IBKR and Trader Workstation has been restored - data maintained.")
        #expect(failures(gateway.hear()).count == 1)
        gateway.ask(.snapshot)
        for end in ends(executions, summary) { gateway.say(end) }
        #expect(pictures(gateway.hear()).isEmpty)
    }

    /// An end mark that is lost for good: the next one could belong to anything, so the connection is made anew.
    @Test(arguments: bare) func aLostEndMarkRenewsTheConnection(missing: Int, message: String) {
        var (gateway, executions, summary) = asked()
        for (index, end) in ends(executions, summary).enumerated() where index != missing { gateway.say(end) }
        gateway.pass(.seconds(25))
        gateway.say(["49", "1", "1"])
        #expect(!gateway.wishes.contains(.disconnect))
        gateway.pass(.seconds(6))
        let heard = gateway.hear()
        #expect(gateway.wishes.last == .disconnect || gateway.wishes.contains(.disconnect))
        #expect(heard.conditions.last?.condition == .unreachable && heard.conditions.last?.text.contains("did not finish its list") == true)
    }

    /// A check of the open orders is under way when a snapshot is asked for: the check's end mark is not the snapshot's.
    @Test func theEndOfACheckIsNotTheEndOfASnapshotsList() {
        var gateway = ScriptedGateway.up(known: [IBKRSessionNoticeTests.stock])
        gateway.pass(.seconds(1))
        gateway.say(["3", "3", "Submitted", "0", "100", "0", "99", "0", "0", "7", "", "0"])
        gateway.complain(3, 105, "Order being modified does not match original order")
        #expect(gateway.sent("5").count == 1)
        gateway.ask(.snapshot)
        gateway.pass(.milliseconds(300))
        let frames = gateway.sent()
        #expect(!frames.contains { $0[0] == "16" })
        let (executions, summary) = (frames.first { $0[0] == "7" }?[2] ?? "", frames.first { $0[0] == "62" }?[2] ?? "")
        for end in ends(executions, summary) { gateway.say(end) }
        #expect(pictures(gateway.hear()).isEmpty)
        gateway.pass(.milliseconds(300))
        #expect(gateway.sent("16").count == 1)
        gateway.say(["53", "1"])
        #expect(pictures(gateway.hear()).count == 1)
        gateway.say(["53", "1"])
        gateway.say(["102"])
        #expect(gateway.hear().isEmpty, "marks that nobody asked for")
    }

    @Test func aCommissionMayComeLateTwiceOrWithoutAnAmount() {
        var (gateway, _, _) = asked()
        gateway.say(["59", "1", "0001.01", "1.7976931348623157E308", "USD", "1.7976931348623157E308", "", ""])
        #expect(gateway.hear().isEmpty)
        gateway.say(["59", "1", "0001.01", "2.27", "USD", "1.7976931348623157E308", "", ""])
        #expect(gateway.hear() == [.commission(Commission(execID: "0001.01", amount: Money(raw: 227_000_000), currency: "USD"))])
    }
}
