// Power cuts at every change of the real stores' disks: each image starts, with all that was acknowledged; the controls lose, and are refused.
import Platform
import Simulation
import Testing

@Suite struct CrashImageTests {
    private func plan(_ side: ImageSide, _ images: Int, seed: UInt64) -> ImagePlan {
        var plan = ImagePlan()
        plan.side = side; plan.images = images; plan.seed = seed
        return plan
    }

    /// Together twenty thousand images, on two threads.
    @Test(arguments: [(ImageSide.edge, 14_000), (ImageSide.cloud, 6_000)]) func everyImageHoldsWhatWasAcknowledged(
        side: ImageSide, images: Int
    ) throws {
        let outcome = try ImageCampaign.run(plan(side, images, seed: 1), jobs: 2)
        #expect(outcome.images == images)
        #expect(outcome.losing == 0 && outcome.violations == [] && outcome.refusals == [])
        #expect(outcome.unacknowledged > images / 100, "the last changes are imaged too")
    }

    /// The control: without the sync of each commit acknowledged entries go, and nothing else is ever wrong.
    @Test(arguments: ImageSide.allCases) func withSynchronousNormalAcknowledgedEntriesGo(side: ImageSide) throws {
        var plan = plan(side, 600, seed: 2)
        plan.synchronous = .normal
        let outcome = try ImageCampaign.run(plan, jobs: 2)
        #expect(outcome.losing > outcome.images / 10)
        #expect(outcome.violations == [] && outcome.refusals == [])
    }

    /// The control of the judgement: over a drive that pretends to sync files are torn apart; some are refused by name, and none shows an entry
    /// that was not written.
    @Test(arguments: ImageSide.allCases) func overADriveThatPretendsTheStartRefuses(side: ImageSide) throws {
        var plan = plan(side, 2_000, seed: 3)
        plan.heedsSyncs = false
        let outcome = try ImageCampaign.run(plan, jobs: 2)
        #expect(outcome.refused > 20 && outcome.losing > 500)
        #expect(!outcome.violations.contains { $0.contains("an entry is not what was offered") })
    }
}
