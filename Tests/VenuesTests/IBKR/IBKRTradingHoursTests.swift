// Trading hours as contract details write them, seen from outside: in closed hours silence is no fault.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct IBKRTradingHoursTests {
    /// Logged in with one stock found, whose hours read as given; gives the number of quote requests in the next five minutes.
    private func renewals(hours: String, zone: String = "US/Eastern") throws -> Int {
        var gateway = ScriptedGateway.up(instruments: [.stock(symbol: "AAPL", primaryExchange: "NASDAQ", currency: "USD")])
        gateway.pass(.milliseconds(300))
        let request = try #require(gateway.sent("9").first)[2]
        gateway.say([
            "10", request, "AAPL", "STK", "", "0", "", "SMART", "USD", "AAPL", "NMS", "NMS", "265598", "0.01", "", "LMT,MKT", "SMART,NASDAQ", "1",
            "0",
            "APPLE INC", "NASDAQ", "", "Technology", "Computers", "Computers", zone, hours, hours, "", "0", "0", "1", "", "", "26,26", "", "COMMON",
            "1",
            "1", "100",
        ])
        gateway.say(["52", "1", request])
        gateway.ask(.watch(InstrumentID("AAPL.NASDAQ")))
        gateway.pass(.seconds(1))
        try #require(gateway.sent("1").count == 1)
        for _ in 0..<20 { gateway.pass(.seconds(15), step: .seconds(1)); gateway.say(["49", "1", "1"]) }
        return gateway.sent("1").count
    }

    @Test func silenceInTradingHoursIsAnsweredAndOutsideOfThemIsNot() throws {
        #expect(try renewals(hours: "20261120:0400-20261120:2000;20261121:CLOSED") == 3, "after 30, 60 and 120 s: patience doubles")
        #expect(try renewals(hours: "20261120:1100-20261120:2000;20261121:CLOSED") == 0)
        #expect(try renewals(hours: "20261120:CLOSED;20261121:CLOSED") == 0)
        #expect(try renewals(hours: "20261118:0400-20261118:2000") == 3, "days that are not listed count as open")
        #expect(try renewals(hours: "20261120:CLOSED", zone: "Mars/Olympus") == 3, "in a zone that nobody knows nothing is claimed")
        #expect(try renewals(hours: "closed, probably") == 3)
    }
}
