// The machine's clocks, read only by the shells and handed down as values.
internal import Glibc
package import Values

/// The two clocks of this machine.
package enum SystemClock {
    /// Wall time as the system has it; may jump.
    package static func now() -> Instant { Instant(nanoseconds: read(CLOCK_REALTIME)) }
    /// CLOCK_BOOTTIME: never goes back, counts through suspend.
    package static func monotonic() -> Span { Span(nanoseconds: read(CLOCK_BOOTTIME)) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        let status = clock_gettime(clock, &time)
        precondition(status == 0, "clock_gettime failed for clock \(clock)")
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
