// What the broker says of an order, in every order it may say it: statuses before fills, refusals, duplicates, changes that failed.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct SessionReportTests {
    private typealias Desk = OneOrder
    private static var stock: Instrument { OneOrder.stock }

    @Test func theFrameCarriesOurTagAccountAndNumber() throws {
        var desk = try Desk()
        let frame = try #require(desk.gateway.sent("3").first)
        #expect(frame.count == 114 && frame[1] == "5" && frame[2] == "265598" && frame[16] == "BUY" && frame[17] == "100" && frame[18] == "MKT")
        #expect(frame[23] == "DU1" && frame[26] == desk.tag && frame[27] == "1" && frame[84] == "0" && ClOrdID.hasOurForm(desk.tag))
        #expect(desk.gateway.hear() == [.sent(brokerOrderIDs: [5])])
    }

    /// The gateway holds every member of a family until the last one lets all go.
    @Test func onlyTheLastOfAFamilyIsTransmitted() throws {
        let mint = try IntentMint()
        var gateway = ScriptedGateway.up(known: [Self.stock])
        gateway.pass(.seconds(1))
        _ = gateway.sent()
        func leg(_ id: Int64, _ type: OrdType, parent: Int? = nil) -> Leg {
            Leg(
                role: parent == nil ? .open : .protect, instrument: Self.stock.id, side: parent == nil ? .buy : .sell, quantity: Quantity(whole: 10),
                ordType: type, limitPrice: Price(whole: 230), stopPrice: Price(whole: 220), timeInForce: .gtc, parent: parent, brokerOrderID: id)
        }
        let legs = [leg(11, .limit), leg(12, .limit, parent: 0), leg(13, .stop, parent: 0), leg(14, .stopLimit), leg(15, .stop, parent: 3)]
        gateway.place(try mint.mint(Ticket(account: "DU1", origin: .manual, reason: "t", legs: legs), at: gateway.now))
        let frames = gateway.sent("3")
        #expect(frames.map { $0[1] } == ["11", "12", "13", "14", "15"])
        #expect(frames.map { $0[27] } == ["0", "0", "1", "0", "1"] && frames.map { $0[28] } == ["0", "11", "11", "0", "14"])
        #expect(frames.map { $0[18] } == ["LMT", "LMT", "STP", "STP LMT", "STP"] && frames.map { $0[21] } == Array(repeating: "GTC", count: 5))
        #expect(frames.map { $0[19] } == ["230", "230", "", "230", ""] && frames.map { $0[20] } == ["", "", "220", "220", "220"])
    }

    @Test func aFillBeforeAnyAcknowledgementIsTaken() throws {
        var desk = try Desk()
        _ = desk.gateway.hear()
        desk.execution("e.01", shares: 100, sum: 100)
        #expect(desk.gateway.hear().fills.map(\.fill.lastQty) == [Quantity(whole: 100)])
        desk.status("Filled", filled: 100)
        #expect(desk.statuses() == [.filled])
    }

    /// Position and money come from executions alone: FILLED is held back until they came.
    @Test func filledBeforeItsExecutionsWaitsForThem() throws {
        var desk = try Desk()
        desk.status("Submitted")
        desk.status("Filled", filled: 100)
        #expect(desk.statuses() == [.new])
        desk.execution("e.01", shares: 60, sum: 60)
        #expect(desk.statuses().allSatisfy { $0 != .filled })
        desk.execution("e.02", shares: 40, sum: 100)
        #expect(desk.statuses() == [.filled])
    }

    @Test func executionsThatDoNotComeAreAskedFor() throws {
        var desk = try Desk()
        desk.status("Filled", filled: 100)
        desk.gateway.pass(.milliseconds(900))
        #expect(desk.gateway.sent("7").isEmpty)
        desk.gateway.pass(.milliseconds(300))
        let request = try #require(desk.gateway.sent("7").first)
        desk.execution("e.01", shares: 100, sum: 100, request: request[2])
        desk.gateway.say(["55", "1", request[2]])
        let heard = desk.gateway.hear()
        #expect(heard.fills.count == 1 && heard.orders(5).last?.status == .filled)
    }

    @Test func aPartlyFilledCancelEndsAfterItsFills() throws {
        var desk = try Desk(.limit)
        desk.status("Submitted")
        desk.status("PendingCancel")
        desk.status("Cancelled", filled: 30)
        #expect(desk.statuses() == [.new, .pendingCancel])
        desk.execution("e.01", shares: 30, sum: 30)
        let last = try #require(desk.gateway.hear().orders(5).last)
        #expect(last.status == .canceled && last.cumQty == Quantity(whole: 30))
        // A fill that comes after the end is still a fill.
        desk.execution("e.02", shares: 10, sum: 40)
        #expect(desk.gateway.hear().fills.count == 1)
    }

    @Test func repeatsAndLateWordsChangeNothing() throws {
        var desk = try Desk()
        for _ in 0..<3 { desk.status("Submitted") }
        #expect(desk.statuses() == [.new])
        desk.execution("e.01", shares: 100, sum: 100)
        desk.status("Filled", filled: 100)
        desk.status("Filled", filled: 100)
        #expect(desk.statuses() == [.filled])
        desk.status("Submitted", filled: 50)
        #expect(desk.statuses().isEmpty)
    }

    @Test(arguments: [201, 203, 110, 463]) func aRefusedOrderIsRejectedWithItsReason(code: Int) throws {
        var desk = try Desk(.limit)
        desk.status("Inactive", perm: 0)
        #expect(desk.statuses() == [.pendingNew], "inactive alone may wake up again")
        desk.gateway.complain(5, code, "Order rejected - reason: YOUR ORDER IS NOT ACCEPTED")
        let heard = desk.gateway.hear()
        #expect(heard.orders(5).map(\.status) == [.rejected] && heard.orders(5).first?.text.contains("NOT ACCEPTED") == true)
        #expect(heard.notices.map(\.code) == [Int64(code)] && heard.contains { if case .order(_, Int64(code)) = $0 { true } else { false } })
    }

    @Test(arguments: [399, 404, 2_109, 2_148, 10_349, 9_999]) func aWarningLeavesTheOrderAlive(code: Int) throws {
        var desk = try Desk(.limit)
        desk.status("PreSubmitted")
        _ = desk.gateway.hear()
        desk.gateway.complain(5, code, "Order Message: not before the open")
        let heard = desk.gateway.hear()
        #expect(heard.orders(5).map(\.status) == [.new] && heard.orders(5).first?.text.contains("not before") == true)
        desk.execution("e.01", shares: 100, sum: 100)
        desk.status("Filled", filled: 100)
        #expect(desk.statuses() == [.filled])
    }

    /// A refused change says nothing of the order: the broker's list is read.
    @Test(arguments: [201, 110, 105]) func aRefusedChangeLeavesTheOldOrderWorking(code: Int) throws {
        var desk = try Desk(.limit)
        desk.status("Submitted")
        var leg = desk.leg
        leg.limitPrice = Price(raw: 22_999_999_999)
        desk.gateway.ask(.modify(leg, tag: ClOrdID(desk.tag), account: "DU1"))
        #expect(desk.gateway.sent("3").last?[19] == "229.99999999")
        _ = desk.gateway.hear()
        desk.gateway.complain(5, code, "The price does not conform to the minimum price variation")
        let heard = desk.gateway.hear()
        #expect(heard.orders(5).isEmpty && heard.notices.count == 1)
        desk.gateway.pass(.milliseconds(200))
        #expect(desk.gateway.sent("5").count == 1)
    }

    /// 103 may mean that our first copy lives: nothing is sent again, the list decides.
    @Test(arguments: [false, true]) func aDuplicateIdIsLookedUpAndNeverSentAgain(firstCopyLives: Bool) throws {
        var desk = try Desk(.limit)
        _ = desk.gateway.sent()
        desk.gateway.complain(5, 103, "Duplicate order id")
        #expect(desk.statuses().isEmpty)
        let asked = desk.gateway.sent()
        #expect(Set(asked.map { $0[0] }) == ["5", "7", "8"] && !asked.contains { $0[0] == "3" })
        if firstCopyLives { desk.status("Submitted") }
        desk.gateway.say(["53", "1"])
        #expect(desk.statuses() == (firstCopyLives ? [.new] : [.rejected]))
    }

    @Test func anOrderWithoutAWordIsLookedUpAndThenTheConnectionIsRenewed() throws {
        var desk = try Desk()
        _ = desk.gateway.sent()
        desk.gateway.pass(.milliseconds(4_800))
        #expect(desk.gateway.sent().isEmpty)
        desk.gateway.pass(.milliseconds(400))
        #expect(Set(desk.gateway.sent().map { $0[0] }) == ["5", "7"])
        #expect(desk.statuses().isEmpty, "no answer is not an answer")
        desk.gateway.say(["53", "1"])
        desk.gateway.pass(.seconds(10))
        let heard = desk.gateway.hear()
        #expect(heard.conditions.last?.condition == .unreachable && heard.conditions.last?.text.contains(desk.tag) == true)
        #expect(heard.orders(5).isEmpty && desk.gateway.wishes.contains(.disconnect), "its fate stays unknown: nobody calls it refused")
    }

    @Test func aCancelWithoutAWordIsLookedUpOnce() throws {
        var desk = try Desk(.limit)
        desk.status("Submitted")
        desk.gateway.ask(.cancel(brokerOrderID: 5, tag: ClOrdID(desk.tag)))
        _ = desk.gateway.sent()
        desk.gateway.pass(.seconds(20))
        #expect(desk.gateway.sent().map { $0[0] }.sorted() == ["5", "7"] && !desk.gateway.wishes.contains(.disconnect))
    }

    @Test func anotherClientsOrderOfTheSameNumberIsNotOurs() throws {
        var desk = try Desk()
        _ = desk.gateway.hear()
        desk.status("Cancelled", client: 3)
        #expect(desk.gateway.hear().isEmpty)
        desk.execution("x.01", shares: 10, sum: 10, client: 3)
        let fill = try #require(desk.gateway.hear().fills.first)
        #expect(fill.brokerOrderID == 0)
        desk.status("Submitted")
        #expect(desk.statuses() == [.new])
    }

    @Test func twoPermanentIdsUnderOneNumberAreShown() throws {
        var desk = try Desk(.limit)
        desk.status("Submitted", perm: 900)
        desk.status("Submitted", perm: 901)
        #expect(desk.gateway.hear().notices.contains { $0.code == 103 && $0.text.contains("900") && $0.text.contains("901") })
    }

    @Test func anExecutionWithoutAPriceIsNotBookedAndNotHidden() throws {
        var desk = try Desk()
        _ = desk.gateway.hear()
        desk.gateway.say([
            "11", "-1", "5", "265598", "AAPL", "STK", "", "0", "", "", "SMART", "USD", "AAPL", "NMS", "e.01", "20261120 10:00:05 US/Eastern", "DU1",
            "ISLAND", "BOT", "100", "", "900", "7", "0", "100", "230.5", desk.tag, "", "", "", "2", "0",
        ])
        let heard = desk.gateway.hear()
        #expect(heard.fills.isEmpty && heard.notices.map(\.code) == [505])
    }
}
