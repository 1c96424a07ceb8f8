// Instants and spans in nanoseconds, and the proleptic Gregorian calendar they are written in.

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
@frozen @usableFromInline package struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline package var nanoseconds: Int64
    @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    /// Saturates at the ends of the range (years 1677 and 2262): counts come from outside.
    @inlinable package init(seconds: Int64) { self.init(seconds, of: 1_000_000_000) }
    /// The same for milliseconds since 1970.
    @inlinable package init(milliseconds: Int64) { self.init(milliseconds, of: 1_000_000) }
    @inlinable init(_ count: Int64, of unit: Int64) {
        let (product, over) = count.multipliedReportingOverflow(by: unit)
        nanoseconds = over ? (count > 0 ? .max : .min) : product
    }
    @inlinable package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    /// Saturates at the ends of the range (years 1677 and 2262).
    @inlinable package static func + (a: Instant, b: Span) -> Instant {
        let (sum, over) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return Instant(nanoseconds: over ? (b.nanoseconds > 0 ? .max : .min) : sum)
    }
    @inlinable package static func - (a: Instant, b: Span) -> Instant { a + Span(nanoseconds: 0 &- b.nanoseconds) }
    /// The span from `b` to `a`, saturating.
    @inlinable package static func - (a: Instant, b: Instant) -> Span {
        let (difference, over) = a.nanoseconds.subtractingReportingOverflow(b.nanoseconds)
        return Span(nanoseconds: over ? (a.nanoseconds > 0 ? .max : .min) : difference)
    }
    /// Whole seconds since 1970, rounded down.
    @inlinable package var seconds: Int64 { nanoseconds / 1_000_000_000 - (nanoseconds % 1_000_000_000 < 0 ? 1 : 0) }
    /// Whole milliseconds since 1970, rounded down.
    @inlinable package var milliseconds: Int64 { nanoseconds / 1_000_000 - (nanoseconds % 1_000_000 < 0 ? 1 : 0) }
    /// RFC 3339 in UTC with milliseconds: `2026-11-20T23:30:00.000Z`.
    @usableFromInline package var description: String {
        let day = CivilDate(dayNumber: Int((seconds >= 0 ? seconds : seconds - 86_399) / 86_400))
        let inDay = seconds - Int64(day.dayNumber) * 86_400
        let millis = milliseconds - seconds * 1_000
        let clock = [inDay / 3_600, inDay / 60 % 60, inDay % 60].map { CivilDate.padded(Int($0), 2) }.joined(separator: ":")
        return "\(day)T\(clock).\(CivilDate.padded(Int(millis), 3))Z"
    }
}

/// A length of time in nanoseconds; negative before its start.
@frozen @usableFromInline package struct Span: Hashable, Comparable, Sendable {
    @usableFromInline package var nanoseconds: Int64
    @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    @inlinable package static func milliseconds(_ count: Int64) -> Span { Span(nanoseconds: count * 1_000_000) }
    @inlinable package static func seconds(_ count: Int64) -> Span { Span(nanoseconds: count * 1_000_000_000) }
    @inlinable package static func minutes(_ count: Int64) -> Span { .seconds(count * 60) }
    @inlinable package static func hours(_ count: Int64) -> Span { .seconds(count * 3_600) }
    @inlinable package static func < (a: Span, b: Span) -> Bool { a.nanoseconds < b.nanoseconds }
    @inlinable package static var zero: Span { Span(nanoseconds: 0) }
    /// Saturating sum.
    @inlinable package static func + (a: Span, b: Span) -> Span {
        let (sum, over) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return Span(nanoseconds: over ? (b.nanoseconds > 0 ? .max : .min) : sum)
    }
    /// Saturating difference.
    @inlinable package static func - (a: Span, b: Span) -> Span {
        let (difference, over) = a.nanoseconds.subtractingReportingOverflow(b.nanoseconds)
        return Span(nanoseconds: over ? (b.nanoseconds < 0 ? .max : .min) : difference)
    }
}

/// A day of the proleptic Gregorian calendar, without a zone.
package struct CivilDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var year: Int
    /// 1...12
    package var month: Int
    /// 1...31
    package var day: Int

    /// Checks that the day exists.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), (1...9_999).contains(year), day >= 1, day <= CivilDate.length(of: month, in: year) else { return nil }
        self.year = year; self.month = month; self.day = day
    }

    /// The date that lies `dayNumber` days after 1970-01-01 (days-to-civil by 400-year eras).
    package init(dayNumber: Int) {
        let shifted = dayNumber + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// `yyyymmdd`, with or without dashes.
    package init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8.filter { $0 != 0x2D })
        guard digits.count == 8, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        self.init(year: number / 10_000, month: number / 100 % 100, day: number % 100)
    }

    /// Days since 1970-01-01.
    package var dayNumber: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// 0 = Sunday ... 6 = Saturday.
    package var weekday: Int { ((dayNumber + 4) % 7 + 7) % 7 }
    /// Midnight UTC at the start of the day.
    package var startUTC: Instant { Instant(seconds: Int64(dayNumber) * 86_400) }
    /// The date `count` days later (earlier when negative).
    package func adding(days count: Int) -> CivilDate { CivilDate(dayNumber: dayNumber + count) }
    /// `yyyymmdd`.
    package var compact: String { CivilDate.padded(year, 4) + CivilDate.padded(month, 2) + CivilDate.padded(day, 2) }
    /// `yyyy-mm-dd`.
    @usableFromInline package var description: String { "\(CivilDate.padded(year, 4))-\(CivilDate.padded(month, 2))-\(CivilDate.padded(day, 2))" }
    package static func < (a: CivilDate, b: CivilDate) -> Bool { (a.year, a.month, a.day) < (b.year, b.month, b.day) }

    /// The number of days of a month.
    package static func length(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    package static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
