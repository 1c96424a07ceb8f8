// The machine's clocks, read only by the shells and handed down as values.
internal import CShim
package import Values

/// The two clocks of this machine.
package enum SystemClock {
    /// Wall time as the system has it; may jump.
    package static func now() -> Instant { Instant(nanoseconds: tidewire_clock_nanoseconds(0)) }
    /// CLOCK_BOOTTIME: never goes back, counts through suspend.
    package static func monotonic() -> Span { Span(nanoseconds: tidewire_clock_nanoseconds(7)) }
    /// Whether a time service keeps the wall clock right, as the kernel was told (adjtimex); false when nobody said so.
    package static func isSynchronised() -> Bool { tidewire_clock_is_synchronised() != 0 }
}
