// Random walks of both ends over a bad link against the simpler model, and every protection shown to be needed.
import Ledger
import Sync
import Testing
import Values

struct WalkTests {
    /// Runs one walk to its end; throws what was broken.
    static func run(seed: UInt64, rules: Rules = Rules(), weather: Weather = .storm, steps: Int = 500) throws {
        var walk = try Walk(seed: seed, rules: rules, weather: weather)
        for _ in 0..<steps {
            if walk.random.chance(1, in: 6) { try walk.grow(walk.random.int(1...24)) }
            try walk.step()
        }
        try walk.calmDown()
    }

    /// Small windows, so that credit, rewinds and gaps all happen within a few hundred entries.
    static var tight: Rules {
        var rules = Rules()
        rules.credit = Credit(entries: 120, bytes: 60_000); rules.batchEntries = 16
        rules.stallAfter = .seconds(3); rules.refusedRetry = .seconds(2)
        return rules
    }

    @Test(arguments: 1...24) func nothingIsLostOrDoubledInAStorm(seed: UInt64) throws { try Self.run(seed: seed, rules: Self.tight) }

    @Test(arguments: 1...6) func productionNumbersInAStorm(seed: UInt64) throws { try Self.run(seed: seed, steps: 1_500) }

    @Test func aCalmLinkNeedsNoRewind() throws {
        var walk = try Walk(seed: 9)
        for _ in 0..<300 { try walk.grow(3); try walk.step() }
        try walk.calmDown(limit: .seconds(2))
        #expect(walk.sender.clock.roundTrip != nil && walk.receiver.link(Samples.edge)?.roundTrip != nil)
    }

    struct Mutant: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var weather = Weather.storm
        let change: @Sendable (inout Rules) -> Void
    }

    static let mutants: [Mutant] = [
        Mutant(testDescription: "ackBeforeCommit") { $0.ackBeforeCommit = true },
        Mutant(testDescription: "acceptGaps") { $0.acceptGaps = true },
        Mutant(testDescription: "skipHashCheck", weather: Weather(flips: 3)) { $0.skipHashCheck = true },
        Mutant(testDescription: "noCommandDedup") { $0.noCommandDedup = true },
        Mutant(testDescription: "neverRewind") {
            $0.neverRewind = true; $0.stallsMax = .max
        },
        Mutant(testDescription: "ignoreCredit", weather: Weather(delayMax: .milliseconds(900), cuts: 4)) { $0.ignoreCredit = true },
        Mutant(testDescription: "deadlineFromReceipt") { $0.deadlineFromReceipt = true },
        Mutant(testDescription: "anyBootExecutes", weather: Weather(edgeCrashes: 10, commands: 20)) { $0.anyBootExecutes = true },
    ]

    /// Without the protection some seed breaks a promise; with it, in the same weather, none does.
    @Test(arguments: mutants) func everyProtectionIsNeeded(mutant: Mutant) throws {
        var rules = Self.tight
        mutant.change(&rules)
        var caught = 0
        for seed in UInt64(1)...12 {
            do { try Self.run(seed: seed, rules: rules, weather: mutant.weather) } catch is Broken { caught += 1; break }
        }
        #expect(caught > 0, "nothing noticed \(mutant.testDescription)")
        if mutant.weather.flips == 0 {
            for seed in UInt64(1)...2 { try Self.run(seed: seed, rules: Self.tight, weather: mutant.weather) }
        }
    }
}
