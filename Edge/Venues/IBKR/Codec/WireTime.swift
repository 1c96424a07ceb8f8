// Times of the wire: epoch seconds, dates, and local times with or without a zone's name.
package import Values

/// How the names of zones become zones. The shell reads their files; the session only looks them up.
package struct ZoneResolver: Sendable {
    private let lookup: @Sendable (String) -> Zone?
    /// For times without a name: the zone of the gateway's login settings.
    package let standard: Zone

    package init(standard: Zone, lookup: @escaping @Sendable (String) -> Zone?) { self.standard = standard; self.lookup = lookup }

    /// The zone of a name as the gateway writes it; nil when nobody knows it.
    package func zone(_ name: some StringProtocol) -> Zone? {
        switch String(name) {
        case "": standard
        case "UTC", "GMT", "Z": .utc
        default: lookup(String(name))
        }
    }
}

/// Reads the gateway's spellings of a time.
package enum WireTime {
    /// `1795217400`, `1795217400123`, `20261120`, `20261120 09:30:00 US/Eastern`, `20261120  09:30:00`, `20261120-14:30:00` (UTC), `20261120 10:00 CST`.
    /// Nil for any other text and for a zone that is not known: a guessed hour is worse than none.
    package static func instant(_ text: String, _ zones: ZoneResolver) -> Instant? {
        let bytes = Array(text.utf8)
        let digits = bytes.prefix { (0x30...0x39).contains($0) }.count
        guard digits == 8 else { return digits == bytes.count ? epoch(bytes) : nil }
        guard let date = CivilDate(String(text.prefix(8))), years.contains(date.year) else { return nil }
        guard bytes.count > 8 else { return zones.standard.instant(of: date, secondOfDay: 0) }
        let isUniversal = bytes[8] == 0x2D
        let rest = text.dropFirst(8).drop { $0 == " " || $0 == "-" }
        let clock = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ":") }
        guard let second = secondOfDay(clock) else { return nil }
        let name = rest.dropFirst(clock.count).drop { $0 == " " || $0 == "-" }
        let zone: Zone? = name.isEmpty && isUniversal ? .utc : zones.zone(name)
        return zone?.instant(of: date, secondOfDay: second)
    }

    /// Years of which every day is an instant.
    static let years = 1_900...2_261

    private static func epoch(_ digits: [UInt8]) -> Instant? {
        guard (9...13).contains(digits.count) else { return nil }
        let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
        // An instant ends in the year 2262.
        if digits.count == 13 { return value <= Int64.max / 1_000_000 ? Instant(nanoseconds: value * 1_000_000) : nil }
        return digits.count <= 10 && value <= Int64.max / 1_000_000_000 ? Instant(seconds: value) : nil
    }

    private static func secondOfDay(_ clock: some StringProtocol) -> Int? {
        let parts = clock.split(separator: ":", omittingEmptySubsequences: false).map { $0.count == 2 ? Int($0) : nil }
        guard parts.count == 2 || parts.count == 3, let hour = parts[0], let minute = parts[1], hour < 24, minute < 60 else { return nil }
        let second = parts.count == 3 ? parts[2] : 0
        guard let second, second <= 60 else { return nil }
        return hour * 3_600 + minute * 60 + min(second, 59)
    }
}
