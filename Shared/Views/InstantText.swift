// Times as text: RFC 3339 in UTC, with or without milliseconds, and how long ago one was.
package import Values
package import Wire

extension Instant {
    /// `2026-12-01T14:30:00Z` or with `.000`; nil for anything else.
    package init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard (20...30).contains(bytes.count), bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            bytes.last == UInt8(ascii: "Z"), let date = CivilDate(text.prefix(10)), date.description == text.prefix(10)
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            guard bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        guard let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19), hour < 24, minute < 60, second < 60 else {
            return nil
        }
        var fraction = Span.zero
        if bytes.count > 20 {
            let digits = bytes.count - 21
            guard bytes[19] == UInt8(ascii: "."), (1...9).contains(digits), let value = number(20..<20 + digits) else { return nil }
            fraction = Span(nanoseconds: (digits..<9).reduce(value) { scaled, _ in scaled * 10 })
        }
        self = date.startUTC + .seconds(hour * 3_600 + minute * 60 + second) + fraction
    }
}

extension Plain {
    /// How long before `now` a row's time was, as `age` says it; nil where the row has none.
    package static func age(of value: JSONValue?, at now: Instant) -> String? {
        value?.text.flatMap { Instant(rfc3339: $0) }.map { age(now - $0) }
    }
}
