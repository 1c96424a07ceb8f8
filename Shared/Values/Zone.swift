// Time zones from TZif bytes: offset at an instant, and the instant of a local time.

/// Why TZif bytes were refused.
package enum ZoneError: Error, Equatable, Sendable {
    /// The magic word is missing or the version is 1 (32-bit times only).
    case notTZif
    /// A block ends before its own counts say it does.
    case truncated
    /// An index points outside its table, or an offset is a day or more.
    case badTable
    /// The footer's rule text cannot be read.
    case badRule
}

/// A time zone: its past transitions and the rule that follows them. Made from the bytes of a tzdata file, read by the shell.
package struct Zone: Hashable, Sendable {
    /// The name it was asked for by: `US/Eastern`.
    package let name: String
    /// Seconds since 1970 of each change, rising; `offsets[i]` holds from `transitions[i]` on.
    private let transitions: [Int64]
    private let offsets: [Int]
    /// Holds before the first transition.
    private let firstOffset: Int
    /// Holds after the last transition; nil when the file has no footer.
    private let rule: ZoneRule?

    /// Coordinated universal time.
    package static let utc = Zone(name: "UTC", fixedOffset: 0)

    /// A zone that never changes, `seconds` east of Greenwich.
    package init(name: String, fixedOffset seconds: Int) {
        self.name = name; transitions = []; offsets = []; firstOffset = seconds; rule = nil
    }

    /// Reads the 64-bit block and the footer of a TZif file of version 2 or later.
    package init(name: String, tzif bytes: [UInt8]) throws(ZoneError) {
        var reader = TZifReader(bytes: bytes)
        let block = try reader.block()
        self.name = name
        transitions = block.transitions; offsets = block.offsets; firstOffset = block.firstOffset; rule = block.rule
    }

    /// Seconds east of Greenwich at `instant`.
    package func offset(at instant: Instant) -> Int { offset(atSecond: instant.seconds) }

    private func offset(atSecond second: Int64) -> Int {
        guard let last = transitions.last, let first = transitions.first else { return rule?.offset(atSecond: second) ?? firstOffset }
        if second < first { return firstOffset }
        if second >= last, let rule { return rule.offset(atSecond: second) }
        var low = 0
        var high = transitions.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if transitions[middle] <= second { low = middle } else { high = middle }
        }
        return offsets[low]
    }

    /// The instant of a local time. A time that occurs twice is the earlier one; a time that is skipped moves on by the skipped span.
    package func instant(of date: CivilDate, secondOfDay: Int) -> Instant {
        let local = Int64(date.dayNumber) * 86_400 + Int64(secondOfDay)
        // A day around holds at most one change in practice, so that these two are the only candidates.
        let before = offset(atSecond: local - 86_400)
        let after = offset(atSecond: local + 86_400)
        for candidate in [before, after] where offset(atSecond: local - Int64(candidate)) == candidate {
            return Instant(seconds: local - Int64(candidate))
        }
        return Instant(seconds: local - Int64(before))
    }

    /// The date and the second of the day that clocks in the zone show.
    package func local(at instant: Instant) -> (date: CivilDate, secondOfDay: Int) {
        let local = instant.seconds + Int64(offset(at: instant))
        let day = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        return (CivilDate(dayNumber: Int(day)), Int(local - day * 86_400))
    }
}

/// The bytes of one TZif file, read in order.
private struct TZifReader {
    let bytes: [UInt8]
    var at = 0

    struct Block {
        var transitions: [Int64]
        var offsets: [Int]
        var firstOffset: Int
        var rule: ZoneRule?
    }
    private struct Counts { var isUT = 0, isStd = 0, leap = 0, time = 0, type = 0, char = 0 }

    mutating func block() throws(ZoneError) -> Block {
        let first = try header()
        // The 32-bit block is there for old readers only.
        at += first.time * 5 + first.type * 6 + first.char + first.leap * 8 + first.isStd + first.isUT
        let counts = try header()
        guard counts.type > 0 else { throw .badTable }
        var transitions: [Int64] = []
        for _ in 0..<counts.time { transitions.append(try big(8)) }
        guard zip(transitions, transitions.dropFirst()).allSatisfy({ $0 < $1 }) else { throw .badTable }
        var indices: [Int] = []
        for _ in 0..<counts.time { indices.append(Int(try big(1))) }
        var types: [Int] = []
        for _ in 0..<counts.type {
            let offset = Int(try big(4))
            guard abs(offset) < 93_600 else { throw .badTable }
            types.append(offset)
            at += 2
        }
        guard indices.allSatisfy({ $0 < types.count }) else { throw .badTable }
        at += counts.char + counts.leap * 12 + counts.isStd + counts.isUT
        guard at <= bytes.count else { throw .truncated }
        return Block(transitions: transitions, offsets: indices.map { types[$0] }, firstOffset: types[0], rule: try footer())
    }

    private mutating func header() throws(ZoneError) -> Counts {
        guard at + 44 <= bytes.count else { throw at == 0 ? .notTZif : .truncated }
        guard Array(bytes[at..<at + 4]) == Array("TZif".utf8), bytes[at + 4] >= UInt8(ascii: "2") else { throw .notTZif }
        at += 20
        var numbers: [Int] = []
        for _ in 0..<6 { numbers.append(Int(UInt32(truncatingIfNeeded: try big(4)))) }
        // Far above any real file, far below what could overflow the sums.
        guard numbers.allSatisfy({ $0 <= 100_000 }) else { throw .badTable }
        return Counts(isUT: numbers[0], isStd: numbers[1], leap: numbers[2], time: numbers[3], type: numbers[4], char: numbers[5])
    }

    /// A big-endian integer of 1, 4 or 8 bytes; 4 and 8 are signed.
    private mutating func big(_ width: Int) throws(ZoneError) -> Int64 {
        guard at + width <= bytes.count else { throw .truncated }
        var value: UInt64 = 0
        for byte in bytes[at..<at + width] { value = value << 8 | UInt64(byte) }
        at += width
        return width == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    /// The rule between two line feeds at the end; an empty one means that the last offset stays.
    private mutating func footer() throws(ZoneError) -> ZoneRule? {
        guard at < bytes.count, bytes[at] == 0x0A else { return nil }
        let text = bytes[(at + 1)...].prefix { $0 != 0x0A }
        return text.isEmpty ? nil : try ZoneRule(Array(text))
    }
}
