// Power cuts: what was acknowledged is there, and the controls prove that the disk would have told otherwise.
import Platform
import Simulation
import Testing

@Suite struct PowerCutTests {
    @Test(arguments: 0..<8) func nothingAcknowledgedIsLost(group: Int) {
        var total = PowerCuts.Outcome()
        for seed in 0..<5 { total.add(PowerCuts(seed: UInt64(group * 100 + seed)).run(crashes: 40)) }
        #expect(total.acknowledgedLost == 0)
        #expect(total.violations.isEmpty, "\(total.violations.prefix(3))")
        // The campaign must have met the interesting instants, or its zero says nothing.
        #expect(total.crashes == 200)
        #expect(total.unacknowledgedFound > 0)
        #expect(total.commits > 1_000)
    }

    /// The control: what the house refuses to run with does lose, and only then.
    @Test func withSynchronousNormalAcknowledgedEntriesAreLost() {
        var total = PowerCuts.Outcome()
        for seed in 0..<4 { total.add(PowerCuts(seed: UInt64(seed), synchronous: .normal).run(crashes: 40)) }
        #expect(total.acknowledgedLost > 100)
        #expect(total.violations.isEmpty, "NORMAL loses, it does not damage: \(total.violations.prefix(3))")
    }

    @Test func aKilledProcessLosesNothingEvenThen() {
        var total = PowerCuts.Outcome()
        for seed in 0..<3 { total.add(PowerCuts(seed: UInt64(seed), modes: [.everything], synchronous: .normal).run(crashes: 40)) }
        #expect(total.acknowledgedLost == 0)
        #expect(total.violations.isEmpty, "\(total.violations.prefix(3))")
    }

    /// The control of the controls: on a drive that only pretends to sync, FULL keeps nothing.
    @Test func aDriveThatPretendsToSyncIsFoundOut() {
        var total = PowerCuts.Outcome()
        for seed in 0..<3 { total.add(PowerCuts(seed: UInt64(seed), ignoresSyncs: true).run(crashes: 40)) }
        #expect(total.acknowledgedLost > 0 || !total.violations.isEmpty)
    }
}
