// What the gate judges by: which price counts, and what the account can still carry.
import Ledger
import Testing
import Trading
import Values

struct RiskGateTests {
    private func told(last: Int64?, bid: Int64?, ask: Int64?) throws -> TestDesk {
        var desk = try TestDesk()
        try desk.makeReady()
        var quote = Quote(asOf: desk.now)
        quote.last = last.map { Price(whole: $0) }; quote.bid = bid.map { Price(whole: $0) }; quote.ask = ask.map { Price(whole: $0) }
        try desk.send(.quote(TestDesk.mbt, quote))
        return desk
    }

    /// A size tick or a new subscription makes the quote young and leaves an old last trade in it.
    @Test(arguments: [(nil, nil), (97_000, nil), (nil, 97_010), (97_020, 97_010)] as [(Int64?, Int64?)])
    func anOldLastPriceAloneIsNoQuote(bid: Int64?, ask: Int64?) throws {
        var desk = try told(last: 98_000, bid: bid, ask: ask)
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.placed.isEmpty && desk.refusal?.code == "noQuote")
    }

    /// Seventeen contracts at the touch are over the notional limit, at the old last price they would not be.
    @Test func aLastPriceOutsideTheTouchIsNotJudgedBy() throws {
        var inside = try told(last: 58_000, bid: 57_995, ask: 58_005)
        _ = try inside.command(DeskTests.buy(17))
        #expect(inside.placed.count == 1)
        var outside = try told(last: 58_000, bid: 599_990, ask: 600_010)
        _ = try outside.command(DeskTests.buy(17))
        #expect(outside.placed.isEmpty && outside.refusal?.code == "notionalMax")
    }
}
