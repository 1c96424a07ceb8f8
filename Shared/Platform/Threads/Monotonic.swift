// The loops' clock for their own deadlines; decisions take their time from the shell instead.
internal import CShim

/// Milliseconds of CLOCK_MONOTONIC.
func monotonicMillis() -> Int64 { tidewire_clock_nanoseconds(1) / 1_000_000 }
