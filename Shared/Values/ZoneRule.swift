// The rule at the end of a TZif file: `EST5EDT,M3.2.0,M11.1.0` and its kin.

/// Standard and summer offset with the days on which they change each year.
struct ZoneRule: Hashable, Sendable {
    private let standard: Int
    private let summer: Summer?

    fileprivate struct Summer: Hashable { var offset: Int; var start: Change; var end: Change }
    fileprivate struct Change: Hashable { var day: Day; var seconds: Int }
    fileprivate enum Day: Hashable {
        /// 1...365, 29 February never counted.
        case julian(Int)
        /// 0...365, 29 February counted.
        case ordinal(Int)
        /// Month, week 1...5 (5 = last), weekday 0 = Sunday.
        case weekday(month: Int, week: Int, day: Int)
    }

    /// Reads the text of a POSIX TZ rule with the extension of RFC 8536 (hours -167...167).
    init(_ text: [UInt8]) throws(ZoneError) {
        var scan = Scanner(text: text)
        try scan.name()
        standard = -(try scan.clock())
        guard !scan.isAtEnd else { summer = nil; return }
        try scan.name()
        var offset = standard + 3_600
        if !scan.isAtEnd, !scan.peeks(",") { offset = -(try scan.clock()) }
        let start = try Change(&scan)
        summer = Summer(offset: offset, start: start, end: try Change(&scan))
        guard scan.isAtEnd else { throw .badRule }
    }

    /// Seconds east of Greenwich at a second since 1970.
    func offset(atSecond second: Int64) -> Int {
        guard let summer else { return standard }
        let local = second + Int64(standard)
        let year = CivilDate(dayNumber: Int(local >= 0 ? local / 86_400 : (local - 86_399) / 86_400)).year
        // A change is told in the clock time before it; both are turned into universal time here.
        let start = summer.start.localSecond(in: year) - Int64(standard)
        let end = summer.end.localSecond(in: year) - Int64(summer.offset)
        let isSummer = start < end ? second >= start && second < end : second >= start || second < end
        return isSummer ? summer.offset : standard
    }
}

extension ZoneRule.Change {
    fileprivate init(_ scan: inout Scanner) throws(ZoneError) {
        try scan.expect(",")
        if scan.takes("M") {
            let month = try scan.number(1...12)
            try scan.expect(".")
            let week = try scan.number(1...5)
            try scan.expect(".")
            day = .weekday(month: month, week: week, day: try scan.number(0...6))
        } else if scan.takes("J") {
            day = .julian(try scan.number(1...365))
        } else {
            day = .ordinal(try scan.number(0...365))
        }
        seconds = scan.takes("/") ? try scan.clock() : 7_200
    }

    /// Seconds from 1970 to the change in that year, on the local clock.
    fileprivate func localSecond(in year: Int) -> Int64 {
        let january = ZoneRule.dayNumber(year, 1, 1)
        let number: Int
        switch day {
        case .ordinal(let day): number = january + day
        case .julian(let day):
            let isLeap = CivilDate.length(of: 2, in: year) == 29
            number = january + day - 1 + (isLeap && day >= 60 ? 1 : 0)
        case .weekday(let month, let week, let weekday):
            let first = ZoneRule.dayNumber(year, month, 1)
            let firstMatch = first + (weekday - CivilDate(dayNumber: first).weekday + 7) % 7
            let wanted = firstMatch + (week - 1) * 7
            // Week 5 means the last one, which may be the fourth.
            number = wanted - first >= CivilDate.length(of: month, in: year) ? wanted - 7 : wanted
        }
        return Int64(number) * 86_400 + Int64(seconds)
    }
}

extension ZoneRule {
    fileprivate static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
        // Outside the years that dates are made of, the nearest one serves: nobody asks.
        CivilDate(year: min(max(year, 1), 9_999), month: month, day: day)?.dayNumber ?? 0
    }
}

/// Walks over the text of a rule.
private struct Scanner {
    let text: [UInt8]
    var at = 0
    var isAtEnd: Bool { at >= text.count }

    func peeks(_ mark: Unicode.Scalar) -> Bool { at < text.count && text[at] == UInt8(ascii: mark) }
    mutating func takes(_ mark: Unicode.Scalar) -> Bool {
        guard peeks(mark) else { return false }
        at += 1
        return true
    }
    mutating func expect(_ mark: Unicode.Scalar) throws(ZoneError) { guard takes(mark) else { throw .badRule } }

    /// Skips a zone's abbreviation: letters, or anything in angle brackets.
    mutating func name() throws(ZoneError) {
        if takes("<") {
            while !isAtEnd, !peeks(">") { at += 1 }
            return try expect(">")
        }
        let start = at
        while at < text.count, case UInt8(ascii: "A")...UInt8(ascii: "Z") = text[at] & 0xDF { at += 1 }
        guard at - start >= 3 else { throw .badRule }
    }

    mutating func number(_ range: ClosedRange<Int>) throws(ZoneError) -> Int {
        let start = at
        var value = 0
        while at < text.count, at - start < 4, case 0x30...0x39 = text[at] { value = value * 10 + Int(text[at] - 0x30); at += 1 }
        guard at > start, range.contains(value) else { throw .badRule }
        return value
    }

    /// `[+-]h[h][:mm[:ss]]` in seconds.
    mutating func clock() throws(ZoneError) -> Int {
        let isNegative = takes("-")
        if !isNegative { _ = takes("+") }
        var seconds = try number(0...167) * 3_600
        if takes(":") { seconds += try number(0...59) * 60 }
        if takes(":") { seconds += try number(0...59) }
        return isNegative ? -seconds : seconds
    }
}
