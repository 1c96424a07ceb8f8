// Halts: nothing trades, orders rest, the market stands still for everybody, and afterwards it goes on from where it is.
import Testing
import Values
import Venues

@Suite struct PaperHaltTests {
    @Test func nothingTradesWhileHaltedAndStopsAreArmedAfterwards() throws {
        var venue = try exchange([95_000, 93_000, 93_000])
        var events = venue.handle(.place(ticket(1, .sell, 1, .stop, stop: 94_500)), at: friday)
        events += venue.handle(.watch(mbt), at: friday)
        events += venue.handle(.halt(mbt), at: friday + .seconds(50))
        #expect(venue.isHalted(mbt))
        let shown = venue.touch(mbt)
        let halted = venue.handle(.place(ticket(2, .buy, 3)), at: friday + .seconds(55)) + venue.advance(to: friday + .seconds(90))
        #expect(halted.fills.isEmpty && halted.states(of: 2) == [.working] && halted.states(of: 1).isEmpty)
        #expect(!halted.contains { if case .quote = $0 { true } else if case .trade = $0 { true } else { false } })
        #expect(venue.touch(mbt) == shown && venue.depth(mbt, rows: 1).bids.first?.price == shown?.bid, "the market stands")
        #expect(venue.bars(mbt, length: .seconds(10), count: 2, end: friday + .seconds(89)).allSatisfy { $0.volume == .zero && $0.high == $0.low })
        events = venue.handle(.resume(mbt), at: friday + .seconds(90)) + venue.advance(to: friday + .seconds(93))
        #expect(events.states(of: 1) == [.working, .filled] && events.states(of: 2).last == .filled)
        #expect(events.fills.allSatisfy { $0.at > friday + .seconds(90) && $0.price < Price(whole: 93_100) }, "at the prices after the gap")
        #expect(
            venue.bars(mbt, length: .seconds(10), count: 1, end: friday + .seconds(89)).allSatisfy { $0.volume == .zero }, "the past keeps its hole")
        let seen = try #require(shown)
        #expect(
            venue.tape(mbt, from: friday + .seconds(51), to: friday + .seconds(90), most: 10, filter: .trades).isEmpty && seen.bid > Price(raw: 0))
    }

    @Test func ordersLapseAndImmediateOnesEndInAHalt() throws {
        var venue = try exchange([95_000, 95_000])
        var dated = ticket(1, .buy, 1, .limit, limit: 95_100)
        dated.timeInForce = .gtd
        dated.goodTill = friday + .seconds(20)
        _ = venue.handle(.halt(mbt), at: friday)
        var events = venue.handle(.place(dated), at: friday + .seconds(1))
        for (id, tif) in [(Int64(2), TimeInForce.ioc), (3, .fok)] {
            var order = ticket(id, .buy, 1)
            order.timeInForce = tif
            events += venue.handle(.place(order), at: friday + .seconds(2))
        }
        events += venue.advance(to: friday + .seconds(30))
        #expect(events.states(of: 1) == [.working, .expired] && events.states(of: 2).last == .cancelled && events.states(of: 3).last == .cancelled)
        #expect(events.fills.isEmpty)
    }

    @Test func aHaltIsToldOnceAndOnlyOfWhatIsListed() throws {
        var venue = try exchange([95_000])
        func told(_ input: PaperInput) -> [Bool] {
            venue.handle(input, at: friday).compactMap { if case .halted(_, let on, _) = $0 { on } else { nil } }
        }
        #expect(told(.resume(mbt)) == [] && told(.halt(mbt)) == [true] && told(.halt(mbt)) == [] && told(.resume(mbt)) == [false])
        #expect(told(.halt(InstrumentID("NOPE"))) == [] && told(.resume(mbt)) == [])
    }
}
