// Times, amounts and sizes as the gateway writes them.
internal import Values
internal import Venues

/// How the gateway writes values.
enum GatewayText {
    /// `20261120 09:30:00 US/Eastern`; before version 174 two blanks and no zone.
    static func time(_ instant: Instant, zone: USZone, version: Int) -> String {
        let (date, clock) = local(instant, zone)
        return version >= 174 ? "\(date.compact) \(clock) \(zone.rawValue)" : "\(date.compact)  \(clock)"
    }
    /// The end of a contract: `20261224 10:00:00 US/Central`, before version 174 `20261224 10:00 CST`.
    static func expiry(_ instant: Instant, zone: USZone, version: Int) -> String {
        let (date, clock) = local(instant, zone)
        guard version < 174 else { return "\(date.compact) \(clock) \(zone.rawValue)" }
        let (letter, standard): (String, Int64) = zone == .eastern ? ("E", -5) : ("C", -6)
        let isSummer = (date.startUTC + .seconds(zone.local(instant).second)).seconds - instant.seconds != standard * 3_600
        return "\(date.compact) \(clock.prefix(5)) \(letter)\(isSummer ? "D" : "S")T"
    }
    /// `20261120-09:30:00`.
    static func dashed(_ instant: Instant, zone: USZone) -> String {
        let (date, clock) = local(instant, zone)
        return "\(date.compact)-\(clock)"
    }
    /// `15:04`, of the account's last update.
    static func minute(_ instant: Instant, zone: USZone) -> String { String(local(instant, zone).clock.prefix(5)) }
    private static func local(_ instant: Instant, _ zone: USZone) -> (date: CivilDate, clock: String) {
        let (date, second) = zone.local(instant)
        let clock = [second / 3_600, second / 60 % 60, second % 60].map { CivilDate.padded(Int($0), 2) }.joined(separator: ":")
        return (date, clock)
    }
    /// A size of the market. Clients before 163 read whole numbers only, as gateways wrote them then.
    static func size(_ quantity: Quantity, version: Int) -> String {
        (version >= 163 ? quantity : quantity.floored(to: Quantity(whole: 1))).description
    }
    /// Two decimals, half to even.
    static func amount(_ money: Money) -> String {
        Decimals.divide(Int128(money.raw), by: 1_000_000).map { Decimals.text($0, scale: 2, minimum: 2) } ?? "0.00"
    }
    /// `a / b` with four decimals; 0 when b is 0.
    static func quotient(_ a: Money, _ b: Money) -> String {
        Decimals.divide(Int128(a.raw) * 10_000, by: Int128(b.raw)).map { Decimals.text($0, scale: 4) } ?? "0"
    }

    /// `yyyymmdd hh:mm:ss [zone]` or `yyyymmdd-hh:mm:ss` (UTC); nil when it is neither, or in a zone this gateway does not know.
    static func instant(_ text: String, zone: USZone) -> Instant? {
        let isUTC = text.dropFirst(8).first == "-"
        let parts = text.split(whereSeparator: { $0 == " " || (isUTC && $0 == "-") }).map(String.init)
        // Years that no market of today knows would not fit our clock.
        guard parts.count == 2 || parts.count == 3, let date = CivilDate(parts[0]), (1_970...2_200).contains(date.year) else { return nil }
        let clock = parts[1].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0..<60).contains(clock[2]) else { return nil }
        let (minute, second) = (clock[0] * 60 + clock[1], clock[2])
        let named = parts.count == 3 ? parts[2] : isUTC ? "UTC" : zone.rawValue
        switch named {
        case "US/Eastern", "America/New_York", "EST", "EDT": return USZone.eastern.instant(date, minute: minute) + .seconds(Int64(second))
        case "US/Central", "America/Chicago", "CST", "CDT": return USZone.central.instant(date, minute: minute) + .seconds(Int64(second))
        case "UTC", "GMT", "Etc/UTC", "Universal": return date.startUTC + .seconds(Int64(minute * 60 + second))
        default: return nil
        }
    }
}
