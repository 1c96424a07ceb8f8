// The loops' clock for their own deadlines; decisions take their time from the shell instead.
internal import Glibc

/// Milliseconds of CLOCK_MONOTONIC.
func monotonicMillis() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
}
