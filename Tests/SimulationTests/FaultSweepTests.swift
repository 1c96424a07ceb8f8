// An I/O error or a full disk at each call of the stores' work, from the opening to the orderly end: nothing acknowledged goes, and it starts again.
import Platform
import Simulation
import Testing

@Suite struct FaultSweepTests {
    /// Opening, commits, followers, copies of the log, marks, reserve, orderly ends and starts: each call of each kind once.
    @Test(arguments: ImageSide.allCases, [DiskFault.Operation.call, .read]) func anErrorAtAnyCallLosesNothing(
        side: ImageSide, operation: DiskFault.Operation
    ) {
        let outcome = FaultSweep(side, operation, .io).run()
        #expect(outcome.violations == [])
        // Most reads are those of a close, which copies the log if it can and never fails.
        #expect(outcome.calls > (operation == .read ? 20 : 100) && outcome.ended > (operation == .read ? 1 : outcome.calls / 3), "\(outcome)")
    }

    @Test(arguments: ImageSide.allCases, [DiskFault.Operation.write, .sync]) func aFullDiskAtAnyCallLosesNothing(
        side: ImageSide, operation: DiskFault.Operation
    ) {
        let outcome = FaultSweep(side, operation, .full).run()
        #expect(outcome.violations == [])
        #expect(outcome.calls > 10 && outcome.ended > outcome.calls / 10, "\(outcome)")
    }

    /// The control: where commits are not synced the same sweep finds what went.
    @Test func withSynchronousNormalTheSweepFindsLosses() {
        let outcome = FaultSweep(.edge, .write, .io, synchronous: .normal).run()
        #expect(outcome.violations.contains { $0.contains("were acknowledged") })
    }
}
