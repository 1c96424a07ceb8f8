// A kill command under a backlog reaches the edge within two beats.
import Simulation
import Testing
import Values

struct KillDrillTests {
    @Test(arguments: [UInt64(1), 2, 3]) func theKillCommandOvertakesTheBacklog(seed: UInt64) {
        let report = World(seed: seed, duration: .seconds(90), faults: [.delay], asks: false, drills: true).run()
        #expect(report.violations == [])
        #expect(report.drilled && report.backlog > 12, "\(report.backlog) entries waited")
    }
}
