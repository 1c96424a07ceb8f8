// What leaves first when much waits: orders of several frames beside a flood of requests.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct SessionPacingTests {
    private static func stock(_ number: Int64) -> Instrument {
        Instrument(
            id: InstrumentID("S\(number).NYSE"), symbol: "S\(number)", securityType: .stock, exchange: "SMART", currency: "USD",
            localSymbol: "S\(number)", tradingClass: "NMS", multiplier: Quantity(whole: 1), minPriceIncrement: Price(raw: 1_000_000),
            lotStep: Quantity(whole: 1), maturityDate: nil, brokerContractID: number)
    }

    /// A bracket is three frames that leave together. Requests that take each place as it comes free would keep it for as long as any wait.
    @Test func aBracketLeavesBesideRequestsThatTakeEachPlace() throws {
        let mint = try IntentMint()
        let stocks = (1...80).map { Self.stock($0) }
        var gateway = ScriptedGateway.up(next: 5, known: stocks)
        gateway.pass(.seconds(2))
        // At odd moments, so that no three places come free at once.
        for stock in stocks {
            gateway.ask(.watch(stock.id))
            gateway.pass(.milliseconds(23), step: .milliseconds(1))
        }
        func leg(_ role: LegRole, _ side: Side, parent: Int?, _ number: Int64) -> Leg {
            Leg(
                role: role, instrument: stocks[0].id, side: side, quantity: Quantity(whole: 1), ordType: role == .open ? .market : .stop,
                stopPrice: role == .open ? nil : Price(whole: Int64(number)), timeInForce: .gtc, parent: parent, brokerOrderID: number)
        }
        let legs = [leg(.open, .buy, parent: nil, 5), leg(.protect, .sell, parent: 0, 6), leg(.protect, .sell, parent: 0, 7)]
        let intent = try mint.mint(Ticket(account: "DU1", origin: .manual, reason: "t", legs: legs), at: gateway.now)
        _ = gateway.sent()
        gateway.place(intent)
        gateway.pass(.milliseconds(500), step: .milliseconds(1))
        #expect(gateway.sent("3").count == 3)
    }

    /// A picture of the account gates trading: neither its figures nor the names in it wait behind requests for data.
    @Test func aPictureIsTakenBesideAFloodOfRequests() throws {
        let stocks = (1...150).map { Self.stock($0) }
        var gateway = ScriptedGateway.up(next: 5, known: stocks)
        gateway.pass(.seconds(2))
        for stock in stocks { gateway.ask(.watch(stock.id)) }
        _ = gateway.sent()
        gateway.ask(.snapshot)
        gateway.pass(.milliseconds(1_000))
        let frames = gateway.sent()
        let executions = try #require(frames.first { $0[0] == "7" })[2]
        let summary = try #require(frames.first { $0[0] == "62" })[2]
        gateway.say(["61", "3", "DU1", "4815747", "NVDA", "STK", "", "0", "", "", "", "USD", "NVDA", "NMS", "10", "140"])
        for end in [["53", "1"], ["55", "1", executions], ["102"], ["64", "1", summary], ["62", "1"]] { gateway.say(end) }
        gateway.pass(.milliseconds(500))
        #expect(gateway.sent("9").count == 1, "the contract of the position")
        gateway.pass(.milliseconds(500))
        #expect(!gateway.sent("1").isEmpty, "the flood is still on its way")
    }

    // MARK: Changes that have not left

    private static func leg(_ quantity: Int64, _ price: Int64) -> Leg {
        Leg(
            role: .open, instrument: OneOrder.stock.id, side: .buy, quantity: Quantity(whole: quantity), ordType: .limit,
            limitPrice: Price(whole: price), timeInForce: .day, brokerOrderID: 5)
    }

    /// An order that works, and a change of it that waits behind the pace.
    private func changing() throws -> OneOrder {
        var desk = try OneOrder(.limit)
        desk.open("Submitted")
        desk.gateway.pass(.seconds(1))
        // The second's budget is used up.
        for id in 100..<160 { desk.gateway.ask(.cancel(brokerOrderID: Int64(id), tag: ClOrdID("x"))) }
        _ = desk.gateway.sent()
        _ = desk.gateway.hear()
        desk.gateway.ask(.modify(Self.leg(60, 231), tag: ClOrdID(desk.tag), account: "DU1"))
        try #require(desk.gateway.sent("3").isEmpty)
        return desk
    }

    /// The gateway would keep it for a market that nobody sees any more, and send it into another.
    @Test(arguments: [true, false]) func aChangeThatHasNotLeftIsTakenBackWithTheBroker(isLinkLost: Bool) throws {
        var desk = try changing()
        if isLinkLost { desk.gateway.complain(-1, 1_100, "lost") } else { desk.gateway.drop() }
        let notices = desk.gateway.hear().notices
        #expect(notices.contains { $0.code == 504 && $0.text.contains(desk.tag) && $0.text.contains("never sent") })
        guard isLinkLost else { return }
        desk.gateway.complain(-1, 1_102, "restored")
        desk.gateway.pass(.seconds(3))
        #expect(desk.gateway.sent("3").isEmpty)
        // The quantity is the broker's again.
        desk.status("PreSubmitted")
        #expect(desk.gateway.hear().orders(5).last?.quantity == Quantity(whole: 100))
    }

    /// A change that is sent after its order's cancel would be an order of its own.
    @Test func aCancelTakesBackTheChangeBeforeIt() throws {
        var desk = try changing()
        desk.cancel()
        desk.gateway.pass(.seconds(3))
        let frames = desk.gateway.sent()
        #expect(frames.contains { $0[0] == "4" && $0.contains("5") } && !frames.contains { $0[0] == "3" })
    }
}
