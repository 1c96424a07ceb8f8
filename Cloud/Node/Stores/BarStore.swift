// market.db: closed one-minute bars as the edges sent them; may be thrown away, never a source of decisions.
package import Platform
package import Values

/// Where new bars went.
package enum BarIntake: Hashable, Sendable {
    case kept
    /// In the place of this instrument's, which had been quiet for longest.
    case keptFor(InstrumentID)
    /// As many instruments as there is room for had bars in the last day.
    case noRoom
}

/// Bars by instrument and start. One owner, one thread.
package final class BarStore {
    /// Bars kept of one instrument: thirty days of minutes.
    package static let barsMax = 43_200
    /// More instruments than a person watches at once. Contracts end and new ones come: beyond it, the one that has been quiet for longest goes.
    package static let instrumentsMax = 256
    /// What had a bar in this time is not pushed out: of more than `instrumentsMax` that live, those there are keep their charts, and an edge that
    /// makes instruments up takes nobody's.
    package static let quietMin = Span.hours(24)
    /// Bars that may come before those beyond `barsMax` go.
    private static let pruneEvery = 1_000
    private let database: Database
    /// Each instrument that has bars, with how many came since it was pruned, and when its newest began, or came if that was earlier.
    private var held: [InstrumentID: (fresh: Int, newest: Instant)] = [:]

    /// Opens or creates the file.
    package init(path: String, vfs: String? = nil) throws(DatabaseError) {
        database = try Database(path: path, Database.Options(.create, synchronous: .normal, vfs: vfs))
        guard try database.first("PRAGMA user_version", read: { $0.integer(0) }) ?? 0 == 0 else {
            try findInstruments()
            return
        }
        try database.create(
            """
            CREATE TABLE bar(instrument TEXT NOT NULL, start INTEGER NOT NULL, open INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL,
              close INTEGER NOT NULL, volume INTEGER NOT NULL, PRIMARY KEY(instrument, start)) STRICT, WITHOUT ROWID;
            PRAGMA user_version = 1;
            """)
    }

    private func findInstruments() throws(DatabaseError) {
        var last = ""
        while let next = try database.first(
            "SELECT instrument FROM bar WHERE instrument > ? ORDER BY instrument LIMIT 1", .text(last), read: { $0.text(0) })
        {
            let newest = try database.first("SELECT max(start) FROM bar WHERE instrument = ?", .text(next), read: { $0.integer(0) }) ?? 0
            held[InstrumentID(next)] = (0, Instant(nanoseconds: newest))
            last = next
        }
    }

    /// Puts bars in place; one of the same minute is replaced. The oldest go beyond `barsMax`, and the instrument that was quiet for longest beyond
    /// `instrumentsMax`.
    @discardableResult package func put(_ instrument: InstrumentID, _ bars: [Bar], at now: Instant) throws -> BarIntake {
        guard let newest = bars.map(\.start).max() else { return .kept }
        var quiet: InstrumentID?
        if held[instrument] == nil, held.count >= BarStore.instrumentsMax {
            quiet = quietest(at: now)
            guard quiet != nil else { return .noRoom }
        }
        try database.write { database in
            if let quiet { try database.run("DELETE FROM bar WHERE instrument = ?", .text(quiet.text)) }
            for bar in bars {
                try database.run(
                    "INSERT OR REPLACE INTO bar(instrument, start, open, high, low, close, volume) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    .text(instrument.text), .integer(bar.start.nanoseconds), .integer(bar.open.raw), .integer(bar.high.raw), .integer(bar.low.raw),
                    .integer(bar.close.raw), .integer(bar.volume.raw))
            }
        }
        if let quiet { held[quiet] = nil }
        let known = held[instrument] ?? (0, min(newest, now))
        held[instrument] = (known.fresh + bars.count, max(known.newest, min(newest, now)))
        if known.fresh + bars.count >= BarStore.pruneEvery { try prune(instrument) }
        if database.logBytes > 4 << 20 { try database.checkpoint() }
        return quiet.map { .keptFor($0) } ?? .kept
    }

    /// Whose newest bar is the oldest; nil when that is no day ago. A bar found in the file that is said to come from tomorrow is today's from now on:
    /// else an edge with a wrong clock would hold its place for good.
    private func quietest(at now: Instant) -> InstrumentID? {
        for (id, state) in held where state.newest > now { held[id]?.newest = now }
        let last = held.min { ($0.value.newest, $0.key.text) < ($1.value.newest, $1.key.text) }
        return last.flatMap { now - $0.value.newest >= BarStore.quietMin ? $0.key : nil }
    }

    /// Oldest first: the `limit` bars from `from` on, or the newest `limit`.
    package func bars(_ instrument: InstrumentID, from: Instant?, limit: Int) throws(DatabaseError) -> [Bar] {
        let columns = "SELECT start, open, high, low, close, volume FROM bar WHERE instrument = ?"
        if let from {
            return try database.rows(
                columns + " AND start >= ? ORDER BY start LIMIT ?", .text(instrument.text), .integer(from.nanoseconds), .integer(Int64(limit))
            ) { BarStore.bar($0) }
        }
        return try database.rows(columns + " ORDER BY start DESC LIMIT ?", .text(instrument.text), .integer(Int64(limit))) { BarStore.bar($0) }
            .reversed()
    }

    /// The first bar held of an instrument.
    package func oldest(_ instrument: InstrumentID) throws(DatabaseError) -> Instant? {
        try database.first("SELECT start FROM bar WHERE instrument = ? ORDER BY start LIMIT 1", .text(instrument.text)) {
            Instant(nanoseconds: $0.integer(0))
        }
    }

    /// Deletes what is beyond `barsMax` of an instrument.
    private func prune(_ instrument: InstrumentID) throws(DatabaseError) {
        held[instrument]?.fresh = 0
        try database.run(
            """
            DELETE FROM bar WHERE instrument = ?1 AND start < (SELECT start FROM bar WHERE instrument = ?1 ORDER BY start DESC LIMIT 1 OFFSET ?2)
            """, .text(instrument.text), .integer(Int64(BarStore.barsMax - 1)))
    }

    private static func bar(_ row: borrowing Row) -> Bar {
        Bar(
            start: Instant(nanoseconds: row.integer(0)), open: Price(raw: row.integer(1)), high: Price(raw: row.integer(2)),
            low: Price(raw: row.integer(3)), close: Price(raw: row.integer(4)), volume: Quantity(raw: row.integer(5)))
    }
}

/// One owner, one thread.
@available(*, unavailable) extension BarStore: Sendable {}
