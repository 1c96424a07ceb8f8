// Market data lines, the login before all requests, and history that waits: what leaves the session when.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct LineBudgetTests {
    private static func stock(_ number: Int64) -> Instrument {
        Instrument(
            id: InstrumentID("S\(number).NYSE"), symbol: "S\(number)", securityType: .stock, exchange: "SMART", currency: "USD",
            localSymbol: "S\(number)", tradingClass: "NMS", multiplier: Quantity(whole: 1), minPriceIncrement: Price(raw: 1_000_000),
            lotStep: Quantity(whole: 1), maturityDate: nil, brokerContractID: number)
    }
    private static let stocks = (1...4).map { stock($0) }

    /// Watches four stocks with so many lines; gives the request ids of quotes by contract.
    private func watching(_ most: Int) -> (ScriptedGateway, [String: String]) {
        var gateway = ScriptedGateway.up(known: Self.stocks) { $0.marketDataLines = most }
        gateway.pass(.seconds(1))
        _ = gateway.sent()
        for stock in Self.stocks { gateway.ask(.watch(stock.id)) }
        gateway.pass(.seconds(2))
        let frames = gateway.sent("1")
        return (gateway, quotes(frames))
    }
    private func quotes(_ frames: [[String]]) -> [String: String] { Dictionary(frames.map { ($0[3], $0[2]) }, uniquingKeysWith: { $1 }) }
    private func alive(_ gateway: inout ScriptedGateway, _ seconds: Int) {
        for _ in 0..<seconds / 10 { gateway.pass(.seconds(10), step: .seconds(1)); gateway.say(["49", "1", "1"]) }
    }

    @Test func theLimitFallsAndGrows() {
        var lines = LineBudget(100)
        lines.refuse(open: 40)
        lines.refuse(open: 60)
        #expect(lines.limit == 40)
        for _ in 0..<70 { lines.grow() }
        #expect(lines.limit == 100)
        lines.refuse(open: -1)
        #expect(lines.limit == 0)
        lines.reset()
        #expect(lines.limit == 100)
    }

    @Test func whoIsWantedLeastWaitsForALine() {
        var (gateway, open) = watching(2)
        #expect(Set(open.keys) == ["1", "2"])
        let waiting = gateway.hear().notices.filter { $0.code == 101 }
        #expect(waiting.map(\.instrument) == [Self.stocks[2].id, Self.stocks[3].id] && waiting.allSatisfy { $0.text.contains("waits") })
        alive(&gateway, 20)
        #expect(gateway.sent("1").isEmpty && gateway.hear().notices.isEmpty, "told once")
        // A refused stream gives its line to the next.
        gateway.complain(Int64(open["1"] ?? "") ?? 0, 354, "Requested market data is not subscribed.")
        gateway.pass(.seconds(1))
        #expect(Set(quotes(gateway.sent("1")).keys) == ["3"])
    }

    @Test func anInstrumentWithAnOrderTakesTheLineOfOneWithout() {
        var (gateway, open) = watching(2)
        let listing = WireListing(
            conId: 4, symbol: "S4", secType: "STK", exchange: "SMART", currency: "USD", localSymbol: "S4", tradingClass: "NMS")
        let values = ["totalQuantity": "1", "orderType": "LMT", "clientId": "7", "status": "Submitted", "action": "BUY", "permId": "99"]
        gateway.say(OrderReport(orderId: 5, listing: listing, values: values).openOrder(version: 178))
        gateway.pass(.seconds(1))
        let frames = gateway.sent()
        #expect(frames.filter { $0[0] == "2" }.map { $0[2] } == [open["2"] ?? ""] && Set(quotes(frames.filter { $0[0] == "1" }).keys) == ["4"])
    }

    @Test func aRefusedLineIsTriedAgainAfterAMinute() {
        var (gateway, open) = watching(100)
        _ = gateway.hear()
        gateway.complain(Int64(open["4"] ?? "") ?? 0, 101, "Max number of tickers has been reached")
        alive(&gateway, 50)
        #expect(!quotes(gateway.sent("1")).keys.contains("4"))
        gateway.pass(.seconds(11))
        #expect(quotes(gateway.sent("1")).keys.contains("4"))
        // Refused is the most wanted: the least wanted gives way.
        var (other, all) = watching(100)
        other.complain(Int64(all["1"] ?? "") ?? 0, 101, "Max number of tickers has been reached")
        other.pass(.seconds(1))
        let frames = other.sent()
        #expect(frames.filter { $0[0] == "2" }.map { $0[2] } == [all["4"] ?? ""] && Set(quotes(frames.filter { $0[0] == "1" }).keys) == ["1"])
    }

    // MARK: The login

    @Test func nothingLeavesBeforeTheLoginIsWhole() {
        for order in [["15", "9"], ["9", "15"]] {
            var gateway = ScriptedGateway(known: Self.stocks)
            gateway.ask(.watch(Self.stocks[0].id))
            gateway.connect()
            gateway.ask(.watch(Self.stocks[1].id))
            gateway.say(["178", "x"])
            gateway.ask(.watch(Self.stocks[2].id))
            gateway.ask(.margin(Self.stocks[0].id))
            gateway.ask(.cancel(brokerOrderID: 3, tag: ClOrdID("x")))
            // An execution in a contract that nobody knows makes the session ask for it.
            gateway.say([
                "11", "-1", "3", "777", "ZZZ", "STK", "", "0", "", "", "SMART", "USD", "ZZZ", "NMS", "0001.01", "20261120 10:00:01 US/Eastern", "",
                "ISLAND", "BOT", "100", "230.5", "99", "7", "0", "100", "230.5", "ref", "", "", "", "2", "0",
            ])
            gateway.pass(.seconds(2))
            #expect(gateway.sent() == [["71", "2", "7", ""]])
            for message in order {
                #expect(gateway.sent().isEmpty)
                gateway.say(message == "15" ? ["15", "1", "DU1"] : ["9", "1", "1"])
            }
            gateway.pass(.seconds(2))
            let frames = gateway.sent()
            #expect(
                frames.filter { $0[0] == "1" }.count == 3 && frames.contains { $0[0] == "9" && $0[3] == "777" } && frames.contains { $0[0] == "6" })
        }
    }

    @Test func aWrongAccountIsSentNothing() {
        var gateway = ScriptedGateway(known: Self.stocks)
        gateway.ask(.watch(Self.stocks[0].id))
        gateway.connect()
        gateway.say(["178", "x"])
        gateway.say(["9", "1", "1"])
        gateway.say(["15", "1", "U1"])
        gateway.pass(.seconds(5))
        #expect(gateway.sent().map { $0[0] } == ["71"])
    }
}
