// The machine's clocks as one reading, for the edge's shells.
internal import Ledger
internal import Platform

extension ClockReading {
    /// Wall clock, boot clock, and whether a time service keeps the first one right.
    static func present() -> ClockReading {
        ClockReading(wall: SystemClock.now(), monotonic: SystemClock.monotonic(), isSynchronised: SystemClock.isSynchronised())
    }
}
