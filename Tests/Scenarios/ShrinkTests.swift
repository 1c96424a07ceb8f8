// A failing seed becomes small: few adversities, the same broken promise, and the same again each time.
import Simulation
import Testing
import Values

struct ShrinkTests {
    @Test func aFailingSeedIsMadeSmall() throws {
        func world(_ seed: UInt64, _ only: Set<Adversity>?) -> WorldReport {
            World(seed: seed, duration: .seconds(60), breaker: .ordersBeforeTheDisk, only: only).run()
        }
        let failing = try #require((1...20).lazy.map { world($0, nil) }.first { Set($0.violations.map(\.checker)) == ["intent"] })
        let small = try #require(Shrinker.shrink(failing) { world(failing.seed, $0) })
        #expect(small.needed.count < failing.happened.count && small.needed.count < 12, "\(small.needed) of \(failing.happened.count)")
        #expect(!small.needed.isEmpty, "a process that never dies loses nothing")
        let again = world(failing.seed, Set(small.needed))
        #expect(again == world(failing.seed, Set(small.needed)) && !again.violations.isEmpty)
    }

    @Test func whatIsLeftOutDoesNotChangeTheRest() {
        var all = AdversityPlan(seed: 5)
        var some = AdversityPlan(seed: 5, only: [Adversity(.cut, 1)])
        for index in 0..<6 {
            var (a, isSpared) = all.next(.cut)
            var (b, isLeftOut) = some.next(.cut)
            #expect(a.next() == b.next() && !isSpared && isLeftOut == (index != 1))
            #expect(all.distance(.cut, lane: 1, rate: .seconds(9)) == some.distance(.cut, lane: 1, rate: .seconds(9)))
        }
        #expect(Adversity("crash#12") == Adversity(.crash, 12) && Adversity("crash") == nil && Adversity("nothing#1") == nil)
    }

    /// The third is one with `wishes` and crashes, which took the most at a closer pace.
    @Test func aSessionGoesByInFewEvents() {
        for seed in [UInt64(1), 2, 103] {
            let report = World(seed: seed, duration: .minutes(390), pace: .session).run()
            #expect(report.violations.isEmpty, "\(report.violations)")
            #expect(report.events < 20_000 && report.entries > 100, "\(report.events) events, \(report.entries) entries")
            #expect(report == World(seed: seed, duration: .minutes(390), pace: .session).run())
        }
    }
}
