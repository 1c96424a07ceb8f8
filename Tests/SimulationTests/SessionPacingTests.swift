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
}
