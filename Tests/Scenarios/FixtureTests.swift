// Seeds that once showed something, and one seed for each protection that is taken away: kept as data, run every time.
import Foundation
import Simulation
import Testing
import Values

struct FixtureTests {
    struct Seed: Decodable, Sendable, CustomTestStringConvertible {
        let seed: UInt64
        let pace: String
        let faults: [String]?
        /// How long the faults last; the pace's own time without it.
        let seconds: Int64?
        /// False for a seed of the time before worlds kept house.
        let house: Bool?
        /// False for one of the time before anybody changed keys in them.
        let keys: Bool?
        /// What it broke then.
        let showed: String
        var testDescription: String { "\(seed) \(pace): \(showed)" }
    }
    struct Mutant: Decodable, Sendable, CustomTestStringConvertible {
        let mutant: String
        let seed: UInt64
        var testDescription: String { mutant }
    }

    private static func read<Value: Decodable>(_ name: String) -> [Value] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/world")
        guard let data = try? Data(contentsOf: folder.appending(path: name)), let values = try? JSONDecoder().decode([Value].self, from: data)
        else { return [] }
        return values
    }
    private static let seeds: [Seed] = read("seeds.json")
    private static let mutants: [Mutant] = read("mutants.json")

    @Test(arguments: seeds) func whatItShowedIsMended(seed: Seed) throws {
        let isSession = seed.pace == "session"
        #expect(isSession || seed.pace == "close", "there is no pace '\(seed.pace)'")
        let faults = try seed.faults.map { names in try names.map { try #require(WorldFault(rawValue: $0), "there is no fault '\($0)'") } }
        let report = World(
            seed: seed.seed, duration: isSession ? .minutes(390) : .seconds(seed.seconds ?? 90), pace: isSession ? .closeSession : .close,
            faults: faults.map { Set($0) }, keepsHouse: seed.house ?? true, changesKeys: seed.keys ?? true
        ).run()
        #expect(report.violations == [], "\(seed.showed)")
    }

    /// The recorded seed, or another of the first twenty: one changed byte of a frame changes what a flipped bit meets.
    @Test(arguments: mutants) func aSeedKillsTheMutant(mutant: Mutant) throws {
        let breaker = try #require(Breaker(rawValue: mutant.mutant))
        let wanted = try #require(breaker.caughtBy)
        var others: Set<String> = []
        for seed in [mutant.seed] + Array(1...20) {
            let broken = World(seed: seed, breaker: breaker).run().violations.map(\.checker)
            if broken.contains(wanted) { return }
            others.formUnion(broken)
        }
        Issue.record("\(mutant.mutant) was not caught by \(wanted), only by \(others.sorted())")
    }

    @Test func everyMutantHasItsSeed() {
        #expect(Set(Self.mutants.map(\.mutant)) == Set(Breaker.allCases.filter { $0 != .none }.map(\.rawValue)))
        #expect(Self.mutants.count + CommandMutant.allCases.count - 1 >= 30)
        #expect(!Self.seeds.isEmpty)
    }
}
