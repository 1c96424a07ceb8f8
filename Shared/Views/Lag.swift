// How far something that follows a ledger's entries is behind them, and since when.
package import Ledger
package import Values
internal import Wire

/// What is shown of something that has been behind for a while.
package struct Lag: Hashable, Sendable {
    /// Numbers between what it has followed and the last one there is.
    package let entries: UInt64
    /// When the first of them was there at the latest.
    package let since: Instant
    package init(entries: UInt64, since: Instant) { self.entries = entries; self.since = since }

    /// As the API shows it.
    var row: JSONValue {
        var row = Row()
        row.count("entries", entries); row.put("since", since)
        return row.value
    }
}

/// When entries were there, as far as something has yet to follow them. Times are of the boot clock: setting the wall clock ages nothing.
package struct LagWatch: Sendable {
    /// Rising numbers, each with when it was there first.
    private var marks: [(seq: Seq, at: Span)] = []
    /// Of what grows for days the age of its first entries is kept, and that of the rest is rounded up.
    private static let marksMax = 256
    /// What lasts no longer is not worth a word: whatever follows takes a moment.
    package static let shownAfter = Span.seconds(2)

    package init() {}

    /// Entries up to `seq` are there at this moment.
    package mutating func note(_ seq: Seq, at moment: Span) {
        guard seq > marks.last?.seq ?? Seq(0) else { return }
        if marks.count == LagWatch.marksMax { marks[marks.count - 1].seq = seq } else { marks.append((seq, moment)) }
    }
    /// What has been followed needs no mark.
    package mutating func followed(through seq: Seq) { marks.removeAll { $0.seq <= seq } }

    /// How far `done` is behind what was noted; nil when it is not.
    package func lag(of done: Seq, at clock: ClockReading) -> Lag? {
        guard let first = marks.first(where: { $0.seq > done }), let last = marks.last else { return nil }
        return Lag(entries: last.seq.raw - done.raw, since: clock.wall - (clock.monotonic - first.at))
    }
    /// The same once it has lasted.
    package func lasting(of done: Seq, at clock: ClockReading) -> Lag? {
        lag(of: done, at: clock).flatMap { clock.wall - $0.since > LagWatch.shownAfter ? $0 : nil }
    }
}
