// `kill -9` of each process while the bot trades and commands come: nothing lost, nothing doubled, both ledgers with one head.
import Processes
import Testing

@Suite struct KillTests {
    @ThirdStage @Test func eachProcessIsKilledAndNothingIsLostOrDoubled() throws {
        let report = try Campaign(CampaignPlan(seed: 7, kills: 4)).run()
        #expect(report.violations == [])
        #expect(report.kills == ["gateway": 1, "relay": 1, "edge": 1, "cloud": 1])
        #expect(report.fills > 0)
        #expect(report.head.count == 64)
    }
}
