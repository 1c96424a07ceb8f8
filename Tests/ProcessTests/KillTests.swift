// Twenty times `kill -9`: of each process while the bot trades and commands come, of edge and cloud while a backlog is on its way; then disks that
// fail under them. Nothing lost, nothing doubled, both ledgers with one head.
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

    /// The kernel refuses every byte behind the first four thousand of a file from one moment on, as a disk that fails does: a running program ends and
    /// says by its exit code that its store failed, and the next one reads everything again and goes on.
    @FirstStage @Test(arguments: [Stage.Part.edge, .cloud]) func aDiskThatFailsUnderARunningProgramEndsItWith70(part: Stage.Part) throws {
        let stage = try Stage(.busy())
        try stage.open()
        let before = try stage.edgeHead()
        let child = try #require(stage.child(part))
        try stage.shell("prlimit --pid \(child.pid) --fsize=4096")
        let code = try stage.patience.first("\(part) ends", within: 40, excuse: { child.complaints }) { child.exitCode }
        #expect(code == 70, "\(child.complaints)")
        for other in Stage.Part.allCases where other != part { #expect(stage.isRunning(other), "\(other)") }
        if part == .edge {
            let words = Files.text(stage.edgeFolder + "/last-failure")
            #expect(words.contains("the ledger cannot be written"), "\(words)")
        }
        try stage.start(part)
        try stage.awaitLink()
        try stage.awaitBroker()
        #expect(try stage.edge("kill", "--reason", "the end", "--yes").code == 0)
        #expect(try stage.lastingViolations() == [])
        #expect(try stage.stop(.edge) == 0)
        #expect(try stage.awaitSameHead().seq > before.seq)
    }
}
