// Bit rot in every kind of file: nothing changed is ever folded; the control that asks nothing believes what it reads.
import Simulation
import Testing

@Suite struct RotTests {
    private func plan(_ side: ImageSide, _ runs: Int, seed: UInt64) -> RotPlan {
        var plan = RotPlan()
        plan.side = side; plan.runs = runs; plan.seed = seed
        return plan
    }

    @Test(arguments: [(ImageSide.edge, 1_200), (ImageSide.cloud, 600)]) func noChangedEntryIsEverFolded(side: ImageSide, runs: Int) throws {
        let outcome = try RotCampaign.run(plan(side, runs, seed: 1), jobs: 2)
        #expect(outcome.runs == runs && outcome.unnoticed == 0 && outcome.violations == [])
        // A damaged snapshot or segment refuses no start: it is told of, below.
        #expect(outcome.refused > runs / 25 && outcome.harmless > runs / 25, "\(outcome)")
        if side == .edge {
            #expect(outcome.toldByMark > 10 && outcome.marksTold > 10)
            #expect(outcome.toldAsUnreadable > 10 && outcome.snapshotsTold > 10)
            for file in ["snapshot", "segment"] {
                for kind in RotKind.allCases { #expect(outcome.damages["\(file) \(kind.rawValue)", default: 0] > 5, "\(file) \(kind)") }
            }
        }
        #expect(outcome.toldByOtherSide > 10 && outcome.toldByCheck > 10)
    }

    /// The control: without verification damage goes in as good.
    @Test(arguments: ImageSide.allCases) func withoutVerificationDamageGoesUnnoticed(side: ImageSide) throws {
        var plan = plan(side, 250, seed: 2)
        plan.verifies = false
        let outcome = try RotCampaign.run(plan, jobs: 2)
        #expect(outcome.unnoticed > 5, "\(outcome)")
    }
}
