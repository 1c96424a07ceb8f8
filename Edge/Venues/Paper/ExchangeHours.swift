// When a simulated exchange is open: weekly rows, holidays, and the US zones they are written in.
package import Values

/// The two zones US exchanges write their hours in; the rule of 2007 (second Sunday of March to first Sunday of November, 02:00).
package enum USZone: String, Sendable {
    case eastern = "US/Eastern", central = "US/Central"

    /// Seconds to add to UTC for local time.
    package func offset(at instant: Instant) -> Int64 {
        let standard: Int64 = self == .eastern ? -18_000 : -21_600
        let local = instant.seconds + standard
        let year = CivilDate(dayNumber: Int(PriceCursor.floorDivide(local, 86_400))).year
        guard let march = CivilDate(year: year, month: 3, day: 1), let november = CivilDate(year: year, month: 11, day: 1) else { return standard }
        let spring = Int64(march.adding(days: (7 - march.weekday) % 7 + 7).dayNumber) * 86_400 + 7_200
        // In autumn 02:00 daylight time is 01:00 standard time.
        let autumn = Int64(november.adding(days: (7 - november.weekday) % 7).dayNumber) * 86_400 + 3_600
        return standard + (local >= spring && local < autumn ? 3_600 : 0)
    }
    /// The civil date and the second of the day.
    package func local(_ instant: Instant) -> (date: CivilDate, second: Int64) {
        let seconds = instant.seconds + offset(at: instant)
        let day = PriceCursor.floorDivide(seconds, 86_400)
        return (CivilDate(dayNumber: Int(day)), seconds - day * 86_400)
    }
    /// The instant of a local wall time; inside the spring gap the later one.
    package func instant(_ date: CivilDate, minute: Int) -> Instant {
        let wall = Int64(date.dayNumber) * 86_400 + Int64(minute) * 60
        let guess = Instant(seconds: wall - offset(at: Instant(seconds: wall)))
        return Instant(seconds: wall - offset(at: guess))
    }
}

/// One row of a weekly timetable: on these trade dates the session runs from `open` (some days earlier, perhaps) to `close`.
package struct SessionRow: Sendable {
    /// First trade date the row is good for; later rows replace earlier ones.
    package var from: CivilDate?
    /// 0 = Sunday ... 6 = Saturday.
    package var weekdays: [Int]
    /// Days from the trade date to the day of the open: -1 for an evening open.
    package var openDay: Int
    /// Minutes of the local day.
    package var openMinute: Int
    package var closeMinute: Int
    package init(from: CivilDate? = nil, weekdays: [Int], openDay: Int, openMinute: Int, closeMinute: Int) {
        self.from = from; self.weekdays = weekdays; self.openDay = openDay; self.openMinute = openMinute; self.closeMinute = closeMinute
    }
}

/// One session of a timetable, with the trade date it belongs to.
package struct TradingSession: Hashable, Sendable {
    package var tradeDate: CivilDate
    package var open: Instant
    package var close: Instant
}

/// A timetable as data.
package struct ExchangeHours: Sendable {
    package var zone: USZone
    package var rows: [SessionRow]
    /// Trade dates without a session.
    package var closed: [CivilDate]
    package init(zone: USZone, rows: [SessionRow], closed: [CivilDate] = []) { self.zone = zone; self.rows = rows; self.closed = closed }

    /// Open around the clock, each local day a session of its own.
    package static func always(_ zone: USZone) -> ExchangeHours {
        ExchangeHours(zone: zone, rows: [SessionRow(weekdays: Array(0...6), openDay: 0, openMinute: 0, closeMinute: 1_440)])
    }

    /// The sessions of one trade date, in order.
    package func sessions(of date: CivilDate) -> [TradingSession] {
        guard !closed.contains(date) else { return [] }
        let newest = rows.compactMap(\.from).filter { $0 <= date }.max()
        return rows.filter { $0.from == newest && $0.weekdays.contains(date.weekday) }.map { row in
            let open = zone.instant(date.adding(days: row.openDay), minute: row.openMinute)
            let close = row.closeMinute == 1_440 ? zone.instant(date.adding(days: 1), minute: 0) : zone.instant(date, minute: row.closeMinute)
            return TradingSession(tradeDate: date, open: open, close: close)
        }.sorted { $0.open < $1.open }
    }
    /// The session that is running at `instant`, if any.
    package func session(at instant: Instant) -> TradingSession? {
        let today = zone.local(instant).date
        return (-1...1).lazy.flatMap { sessions(of: today.adding(days: $0)) }.first { $0.open <= instant && instant < $0.close }
    }
    /// True while a session runs.
    package func isOpen(at instant: Instant) -> Bool { session(at: instant) != nil }
    /// The end of the running session, or of the next one: when an order for the day dies. Two weeks on when the table knows none.
    package func endOfDay(after instant: Instant) -> Instant {
        let today = zone.local(instant).date
        for day in -1...14 {
            // Sessions that follow one another without a break on one trade date are one day: the last close counts.
            if let last = sessions(of: today.adding(days: day)).last, last.close > instant { return last.close }
        }
        return instant + .hours(14 * 24)
    }
    /// When the next session opens; nil when none does within two weeks.
    package func nextOpen(after instant: Instant) -> Instant? {
        let today = zone.local(instant).date
        return (0...15).lazy.flatMap { sessions(of: today.adding(days: $0)) }.first { $0.open > instant }?.open
    }
    /// The sessions of `days` trade dates from `date` on; a date without one is listed with no session.
    package func table(from date: CivilDate, days: Int) -> [(date: CivilDate, sessions: [TradingSession])] {
        (0..<days).map {
            let day = date.adding(days: $0); return (day, sessions(of: day))
        }
    }
}

extension ExchangeHours {
    /// CME crypto futures: Sunday to Friday 17:00 to 16:00 Chicago, and around the clock from 2026-05-29 on but for two hours of weekend
    /// maintenance. CME announces those hours from week to week; Saturday 02:00 to 04:00 stands for them here.
    package static let cmeCrypto: ExchangeHours = {
        let change = CivilDate(year: 2026, month: 5, day: 29)
        return ExchangeHours(
            zone: .central,
            rows: [
                SessionRow(weekdays: [1, 2, 3, 4, 5], openDay: -1, openMinute: 1_020, closeMinute: 960),
                SessionRow(from: change, weekdays: [1, 2, 3, 4, 5], openDay: -1, openMinute: 960, closeMinute: 960),
                SessionRow(from: change, weekdays: [6], openDay: -1, openMinute: 960, closeMinute: 120),
                SessionRow(from: change, weekdays: [0], openDay: -1, openMinute: 240, closeMinute: 960),
            ], closed: dates("20240101 20240329 20241225 20250101 20251225 20260101"))
    }()
    /// US stocks, regular hours.
    package static let usStocksRegular = ExchangeHours(
        zone: .eastern, rows: [SessionRow(weekdays: [1, 2, 3, 4, 5], openDay: 0, openMinute: 570, closeMinute: 960)], closed: stockHolidays)
    /// US stocks with pre-market and after-hours.
    package static let usStocksExtended = ExchangeHours(
        zone: .eastern, rows: [SessionRow(weekdays: [1, 2, 3, 4, 5], openDay: 0, openMinute: 240, closeMinute: 1_200)], closed: stockHolidays)

    private static let stockHolidays = dates(
        "20260101 20260119 20260216 20260403 20260525 20260619 20260703 20260907 20261126 20261225"
            + " 20270101 20270118 20270215 20270326 20270531 20270618 20270705 20270906 20271125 20271224")
    private static func dates(_ text: String) -> [CivilDate] { text.split(separator: " ").compactMap { CivilDate($0) } }
}
