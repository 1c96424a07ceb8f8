// The time by which the edge decides: it runs with the boot clock, follows small corrections of the wall clock slowly, and takes a large one at once.
internal import Ledger
internal import Values

/// Deadlines are kept in this time, so that a wall clock that is set neither stretches nor cuts them.
struct SteadyClock {
    /// As `advance` last left it.
    private(set) var now: Instant
    private var monotonic: Span

    /// A wall clock further away than this was set: the design refuses to trade on such a skew.
    static let stepMin = Span.seconds(10)
    /// A hundredth of the time that passes: ten seconds of a command's life change by a tenth of a second at most.
    private static let slewPart: Int64 = 100

    init(_ reading: ClockReading) { now = reading.wall; monotonic = reading.monotonic }

    /// Moves on to a reading.
    /// - Returns: by how much the time was set, when the wall clock had been; nil as a rule.
    mutating func advance(to reading: ClockReading) -> Span? {
        let passed = max(.zero, reading.monotonic - monotonic)
        monotonic = max(monotonic, reading.monotonic)
        now = now + passed
        let drift = reading.wall - now
        guard abs(drift.nanoseconds) <= SteadyClock.stepMin.nanoseconds else {
            now = reading.wall
            return drift
        }
        let most = passed.nanoseconds / SteadyClock.slewPart
        now = now + Span(nanoseconds: max(-most, min(most, drift.nanoseconds)))
        return nil
    }
}
