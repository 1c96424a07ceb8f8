// The other side's clocks, learned from stamps that travel with HELLO, WELCOME and BEAT.
package import Values

/// Round trip, offset and a safe translation of the other side's boot clock into ours.
package struct ClockExchange: Hashable, Sendable {
    private struct Sample: Hashable, Sendable {
        var roundTrip: Span
        /// Their wall minus ours.
        var offset: Span
        /// Their boot clock when their stamp left …
        var theirs: Span
        /// … which was not before this moment of ours: our own stamp came back in it.
        var notBefore: Span
    }
    /// The shortest of these many round trips tells most about the clocks.
    private static let samplesMax = 16
    private var samples: [Sample] = []
    private var lastHeard: (theirs: Span, at: Span)?
    /// As last measured.
    package private(set) var roundTrip: Span?

    package init() {}

    package static func == (a: ClockExchange, b: ClockExchange) -> Bool {
        a.samples == b.samples && a.lastHeard?.theirs == b.lastHeard?.theirs && a.lastHeard?.at == b.lastHeard?.at && a.roundTrip == b.roundTrip
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(samples) }

    /// The stamp for a frame that leaves now.
    package func stamp(at now: Span, wall: Instant) -> Stamp {
        Stamp(sentAt: now, wall: wall, echo: lastHeard.map { Echo(sentAt: $0.theirs, held: now - $0.at) })
    }

    /// Takes in the stamp of a frame that arrived now. An echo from the future or with a negative hold is ignored.
    package mutating func heard(_ stamp: Stamp, at now: Span, wall: Instant) {
        // A late copy of an older frame must not be echoed as the latest.
        if lastHeard.map({ stamp.sentAt > $0.theirs }) ?? true { lastHeard = (stamp.sentAt, now) }
        guard let echo = stamp.echo, echo.held >= .zero, now - echo.sentAt >= echo.held else { return }
        let there = now - echo.sentAt - echo.held
        roundTrip = there
        samples.append(
            Sample(
                roundTrip: there, offset: stamp.wall - wall + Span(nanoseconds: there.nanoseconds / 2), theirs: stamp.sentAt,
                notBefore: echo.sentAt + echo.held))
        if samples.count > ClockExchange.samplesMax { samples.removeFirst() }
    }

    private var best: Sample? { samples.min { $0.roundTrip < $1.roundTrip } }

    /// The shortest recent round trip.
    package var shortestRoundTrip: Span? { best?.roundTrip }
    /// The other side's wall clock minus ours, from the shortest recent round trip.
    package var offset: Span? { best?.offset }
    /// The earliest moment of our boot clock at which theirs can have shown `theirs`; off by at most one round trip, never late.
    package func earliest(_ theirs: Span) -> Span? { best.map { $0.notBefore + (theirs - $0.theirs) } }
}
