// Twenty times `kill -9`: of each process while the bot trades and commands come, of edge and cloud while a backlog is on its way. Nothing lost, nothing doubled, both ledgers with one head.
import Processes
import Testing

@Suite struct KillTests {
    @ThirdStage @Test func eachProcessIsKilledAndNothingIsLostOrDoubled() throws {
        var plan = CampaignPlan(seed: 7, kills: 4)
        plan.backlogKills = 16
        let report = try Campaign(plan).run()
        #expect(report.violations == [])
        #expect(report.kills == ["gateway": 1, "relay": 1, "edge": 9, "cloud": 9])
        #expect(report.killsOnBacklog >= 4, "so many of the sixteen met entries under way; on a quiet machine thirteen")
        #expect(report.fills > 0)
        #expect(report.head.count == 64)
    }
}
