// The default exchange, told once and for all: what it did for one seed before there were halts, slippage and fee models, it does still.
import Testing
import Values
import Venues

@Suite struct PaperGoldenTests {
    @Test func theDefaultExchangeDoesWhatItAlwaysDid() throws {
        let date = try day(2026, 11, 20)
        let start = Instant(seconds: 1_795_186_800)
        var venue = PaperExchange(rules: PaperRules(seed: 20_261_120), listings: PaperCatalogue.standard(asOf: date), start: start)
        let apple = InstrumentID("AAPL.NASDAQ")
        var events = venue.handle(.watch(mbt), at: start)
        events += venue.handle(.watch(apple), at: start)
        events += venue.handle(.place(ticket(1, .buy, 25)), at: start + .seconds(3))
        events += venue.handle(
            .place(PaperTicket(id: PaperOrderID(2), instrument: apple, side: .sell, quantity: Quantity(whole: 1_500))), at: start + .seconds(5))
        var trailing = ticket(3, .sell, 10, .trailingStop)
        trailing.trail = .amount(Price(whole: 25))
        events += venue.handle(.place(trailing), at: start + .seconds(9))
        for step in 1...12 {
            let shown = venue.touch(mbt)
            let bid = try #require(shown).bid
            let side: Side = step % 2 == 0 ? .buy : .sell
            let limit = side == .buy ? bid : Price(raw: bid.raw + 500_000_000)
            let order = PaperTicket(
                id: PaperOrderID(Int64(10 + step)), instrument: mbt, side: side, quantity: Quantity(whole: Int64(step)), type: .limit,
                limitPrice: limit)
            events += venue.handle(.place(order), at: start + .seconds(Int64(10 + step * 20)))
        }
        events += venue.advance(to: start + .minutes(10))
        // FNV-1a over the words of every event.
        let digest = events.reduce(into: UInt64(0xCBF2_9CE4_8422_2325)) { digest, event in
            for byte in "\(event)".utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        #expect(events.count == 5_557)
        #expect(digest == 18_057_922_393_132_868_053)
        #expect(events.fills.count > 15 && venue.fillSerial == UInt64(events.fills.count))
    }
}
