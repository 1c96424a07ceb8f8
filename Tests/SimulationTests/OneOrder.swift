// One order of a hundred shares under number 5, sent through the real session to a gateway written out by hand.
import Ledger
import Simulation
import Testing
import Values
import Venues

/// The order is on the wire and not yet answered; the test says each word of the broker.
struct OneOrder {
    static let stock = Instrument(
        id: InstrumentID("AAPL.NASDAQ"), symbol: "AAPL", securityType: .stock, exchange: "SMART", currency: "USD", localSymbol: "AAPL",
        tradingClass: "NMS", multiplier: Quantity(whole: 1), minPriceIncrement: Price(raw: 1_000_000), lotStep: Quantity(whole: 1), maturityDate: nil,
        brokerContractID: 265_598)

    var gateway: ScriptedGateway
    let tag: String
    let leg: Leg
    private let mint: IntentMint

    init(_ type: OrdType = .market) throws {
        mint = try IntentMint()
        gateway = .up(next: 5, known: [OneOrder.stock])
        gateway.pass(.seconds(1))
        var leg = Leg(
            role: .open, instrument: OneOrder.stock.id, side: .buy, quantity: Quantity(whole: 100), ordType: type, timeInForce: .day, brokerOrderID: 5
        )
        if type == .limit { leg.limitPrice = Price(whole: 230) }
        let intent = try mint.mint(Ticket(account: "DU1", origin: .manual, reason: "t", legs: [leg]), at: gateway.now)
        tag = intent.tags[0].text
        self.leg = leg
        _ = gateway.sent()
        _ = gateway.hear()
        gateway.place(intent)
    }

    mutating func status(_ word: String, filled: Int = 0, id: Int = 5, perm: Int = 900, client: Int = 7) {
        gateway.say([
            "3", String(id), word, String(filled), String(100 - filled), filled > 0 ? "230.5" : "0", String(perm), "0", "0", String(client), "",
            "0",
        ])
    }
    /// The order's own message, as lists and changes bring it: it tells no filled quantity.
    mutating func open(_ word: String) {
        let listing = WireListing(
            conId: 265_598, symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD", localSymbol: "AAPL", tradingClass: "NMS")
        let values = [
            "action": "BUY", "totalQuantity": "100", "orderType": "LMT", "lmtPrice": "230", "clientId": "7", "permId": "900", "orderRef": tag,
            "account": "DU1", "status": word,
        ]
        gateway.say(OrderReport(orderId: 5, listing: listing, values: values).openOrder(version: 178))
    }
    mutating func execution(
        _ id: String, shares: Int, sum: Int, request: String = "-1", client: Int = 7, order: Int = 5, contract: (id: String, symbol: String)? = nil,
        reference: String? = nil
    ) {
        gateway.say([
            "11", request, String(order), contract?.id ?? "265598", contract?.symbol ?? "AAPL", "STK", "", "0", "", "",
            contract == nil ? "SMART" : "ISLAND",
            "USD", contract?.symbol ?? "AAPL", "NMS", id, "20261120 10:00:05 US/Eastern", "DU1", "ISLAND", "BOT", String(shares), "230.5", "900",
            String(client), "0", String(sum), "230.5", reference ?? tag, "", "", "", "2", "0",
        ])
    }
    mutating func statuses() -> [OrdStatus] { gateway.hear().orders(5).map(\.status) }
    mutating func cancel() { gateway.ask(.cancel(brokerOrderID: 5, tag: ClOrdID(tag))) }
    /// The end of a list of open orders.
    mutating func endOpenOrders() { gateway.say(["53", "1"]) }
}

extension [VenueEvent] {
    var refusedCancels: [(code: Int64?, text: String)] {
        compactMap { if case .cancelRefused(_, let code, let text) = $0 { (code, text) } else { nil } }
    }
    var missingOrders: [Int64] { compactMap { if case .orderMissing(_, let id, _) = $0 { id } else { nil } } }
}
