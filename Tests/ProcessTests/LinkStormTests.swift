// Bits turn, connections break off, fall deaf and come back late between two real processes: one history on both sides at the end.
import Processes
import Testing

@Suite struct LinkStormTests {
    @ThirdStage @Test func whateverTheLinkDoesBothEndsHaveOneHistory() throws {
        var plan = CampaignPlan(seed: 5, kills: 0)
        plan.storms = [.corrupt, .reset, .halfOpen, .latency]
        plan.stormSeconds = 3...5
        let report = try Campaign(plan).run()
        #expect(report.violations == [])
        #expect(report.storms == ["corrupt": 1, "reset": 1, "half-open": 1, "latency": 1])
        #expect(report.corrupted > 0 && report.resets > 0 && report.fills > 0 && report.head.count == 64)
    }
}
