// Commands by the thousand through the pure machines: no promise is broken, and each protection taken away is noticed.
import Simulation
import Testing

@Suite struct CommandWorldTests {
    @Test(arguments: [UInt64(1), 2]) func noCommandBreaksAPromise(seed: UInt64) {
        let report = CommandWorld.run(seed: seed, count: 480)
        #expect(report.violations == [])
        #expect(report.effects > 30 && report.restarts > 5, "\(report)")
    }

    /// Those that show themselves soon; `rig commands --mutants` has the table of all.
    private static let quick: [CommandMutant] = [
        .noOrderKeys, .ignoresPrecondition, .executesAfterWithdraw, .executesSuperseded, .anyBoot, .executesTwice, .reissuesOrders, .doneWhenReceived,
        .numbersRepeat, .ttlByWallClock,
    ]
    @Test(arguments: quick) func aMissingRuleIsNoticed(mutant: CommandMutant) {
        let report = CommandWorld.run(seed: 1, count: 1_200, mutant: mutant, stopAtFirst: true)
        #expect(!report.violations.isEmpty, "\(mutant) lived through \(report.commands) commands")
    }

    @Test func theSameSeedTellsTheSameStory() {
        let first = CommandWorld.run(seed: 5, count: 240), second = CommandWorld.run(seed: 5, count: 240)
        #expect(first.frames == second.frames && first.ends == second.ends && first.refusals == second.refusals && first.effects == second.effects)
    }
}
