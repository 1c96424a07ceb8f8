// Reads the NUL-ended fields of one payload in order, without allocation for numbers.
package import Values

/// Why a field could not be read; the message it stands in is skipped and counted.
package enum FieldFault: Error, Equatable, Sendable {
    /// The payload ended before this field (counted from 0).
    case missing(field: Int)
    /// The field holds no number, or none that its type can have.
    case notANumber(field: Int)
    /// A count of repeated parts that is negative or larger than the payload could hold.
    case badCount(field: Int)
}

/// Where the reader stands in a payload. The bytes are passed to each call, because a struct cannot hold a `RawSpan`.
package struct FieldCursor: Sendable {
    private var at = 0
    /// How many fields were read.
    package private(set) var index = 0

    package init() {}

    /// True when nothing is left.
    package func isAtEnd(_ bytes: RawSpan) -> Bool { at >= bytes.byteCount }

    /// The bytes of the next field without its NUL. A last field without NUL is a cut one: missing.
    package mutating func field(_ bytes: RawSpan) throws(FieldFault) -> Range<Int> {
        let end = FieldCursor.end(bytes, from: at)
        guard end < bytes.byteCount else { throw .missing(field: index) }
        let range = at..<end
        at = end + 1
        index += 1
        return range
    }

    /// Where the next NUL stands, eight bytes at a glance; the end of the payload when there is none.
    @inline(__always) private static func end(_ bytes: RawSpan, from start: Int) -> Int {
        let count = bytes.byteCount
        var end = start
        while end &+ 8 <= count {
            let word = bytes.word(end)
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if zeros != 0 { return end &+ zeros.trailingZeroBitCount / 8 }
            end &+= 8
        }
        while end < count, bytes.byte(end) != 0 { end &+= 1 }
        return end
    }

    /// Passes over `count` fields.
    package mutating func skip(_ bytes: RawSpan, _ count: Int = 1) throws(FieldFault) { for _ in 0..<count { _ = try field(bytes) } }

    /// An integer; nil when it is empty, Int32.max or Int64.max, the three spellings of unset.
    package mutating func integer(_ bytes: RawSpan) throws(FieldFault) -> Int64? {
        guard let value = try long(bytes), value != Int64(Int32.max) else { return nil }
        return value
    }

    /// A 64-bit identifier, for which 2147483647 is an ordinary value.
    package mutating func long(_ bytes: RawSpan) throws(FieldFault) -> Int64? {
        let count = bytes.byteCount
        guard at < count else { throw .missing(field: index) }
        let isNegative = bytes.byte(at) == 0x2D
        let first = isNegative ? at &+ 1 : at
        var next = first
        var value: Int64 = 0
        while next < count {
            let digit = bytes.byte(next) &- 0x30
            guard digit <= 9 else { break }
            value = value &* 10 &+ Int64(digit)
            next &+= 1
        }
        // Up to 18 digits cannot have overflowed; everything else goes the careful way.
        guard next < count, bytes.byte(next) == 0, next &- first <= 18, next > first || !isNegative else { return try carefulLong(bytes) }
        at = next &+ 1
        index &+= 1
        return next == first ? nil : isNegative ? -value : value
    }

    @inline(never) private mutating func carefulLong(_ bytes: RawSpan) throws(FieldFault) -> Int64? {
        let range = try field(bytes)
        var at = range.lowerBound
        let isNegative = bytes.byte(at) == 0x2D
        if isNegative { at += 1 }
        var value: Int64 = 0
        guard at < range.upperBound else { throw .notANumber(field: index - 1) }
        while at < range.upperBound {
            let digit = bytes.byte(at) &- 0x30
            guard digit <= 9 else { return try slow(bytes, range, scale: 0) }
            let product = value.multipliedReportingOverflow(by: 10)
            let sum = product.partialValue.subtractingReportingOverflow(Int64(digit))
            guard !product.overflow, !sum.overflow else { throw .notANumber(field: index - 1) }
            // Kept below zero, where there is one number more.
            value = sum.partialValue
            at += 1
        }
        if isNegative { return value }
        guard value != .min else { throw .notANumber(field: index - 1) }
        return value == -.max ? nil : -value
    }

    /// An integer that must be there: a request id, a kind, a count's own field.
    package mutating func required(_ bytes: RawSpan) throws(FieldFault) -> Int64 {
        guard let value = try long(bytes) else { throw .notANumber(field: index - 1) }
        return value
    }

    /// How many parts follow; each needs at least one byte, so that a made-up count cannot reserve memory.
    package mutating func count(_ bytes: RawSpan) throws(FieldFault) -> Int {
        let value = try integer(bytes) ?? 0
        guard value >= 0, value <= Int64(bytes.byteCount - at) else { throw .badCount(field: index - 1) }
        return Int(value)
    }

    /// A flag: any number but zero is true, as is `true`; empty is false.
    package mutating func flag(_ bytes: RawSpan) throws(FieldFault) -> Bool {
        // `0`, `1` and nothing are nearly all flags of the wire.
        if at &+ 1 < bytes.byteCount {
            let byte = bytes.byte(at)
            if byte == 0 { at &+= 1; index &+= 1; return false }
            if byte & 0xFE == 0x30, bytes.byte(at &+ 1) == 0 { at &+= 2; index &+= 1; return byte == 0x31 }
        }
        return try carefulFlag(bytes)
    }

    @inline(never) private mutating func carefulFlag(_ bytes: RawSpan) throws(FieldFault) -> Bool {
        let start = self
        let range = try field(bytes)
        guard !range.isEmpty else { return false }
        let first = bytes.byte(range.lowerBound)
        if first == UInt8(ascii: "t") || first == UInt8(ascii: "T") { return true }
        if first == UInt8(ascii: "f") || first == UInt8(ascii: "F") { return false }
        self = start
        guard let value = try double(bytes) else { return true }
        return value != 0
    }

    /// A flag that may be unset.
    package mutating func optionalFlag(_ bytes: RawSpan) throws(FieldFault) -> Bool? { try integer(bytes).map { $0 != 0 } }

    /// A price at 10^-8, half to even; nil when unset or over ±92 bn.
    package mutating func price(_ bytes: RawSpan) throws(FieldFault) -> Price? { try double(bytes).map { Price(raw: $0) } }
    /// An amount of money at 10^-8, half to even; nil when unset or over ±92 bn.
    package mutating func money(_ bytes: RawSpan) throws(FieldFault) -> Money? { try double(bytes).map { Money(raw: $0) } }
    /// A pure number at 10^-8, half to even; nil when unset, infinite or over ±92 bn.
    package mutating func number(_ bytes: RawSpan) throws(FieldFault) -> WireNumber? { try double(bytes).map { WireNumber(raw: $0) } }

    /// A size; nil for each of the five spellings of unset.
    package mutating func size(_ bytes: RawSpan) throws(FieldFault) -> WireSize? {
        let start = at
        switch plain(bytes) {
        case .value(let value, let places):
            let (narrow, over) = value.multipliedReportingOverflow(by: FieldCursor.lift(places))
            if over { return WireSize(raw: Int128(value) * Int128(FieldCursor.lift(places))) }
            return narrow == unsetSize ? nil : WireSize(raw: Int128(narrow))
        case .unset: return nil
        case .other: at = start
        }
        return try carefulSize(bytes)
    }

    @inline(never) private mutating func carefulSize(_ bytes: RawSpan) throws(FieldFault) -> WireSize? {
        let range = try field(bytes)
        guard !range.isEmpty, !isWord(bytes, range, "9223372036854775807"), !isWord(bytes, range, "-9223372036854775808") else { return nil }
        if let narrow = try slow(bytes, range, scale: 8) { return narrow == unsetSize ? nil : WireSize(raw: Int128(narrow)) }
        // Too large for 10^-8: take as many decimals as 64 bits hold, exactly.
        let text = copy(bytes, range)
        for scale in stride(from: 7, through: 0, by: -1) {
            if let value = try? Decimals.parse(bytes: text, scale: scale) { return WireSize(raw: Int128(value) * Int128(Decimals.powers[8 - scale])) }
        }
        return nil
    }

    /// Int32.max at 10^-8.
    private var unsetSize: Int64 { 214_748_364_700_000_000 }

    /// A peg offset, which may be infinite.
    package mutating func pegOffset(_ bytes: RawSpan) throws(FieldFault) -> PegOffset? {
        let start = self
        let range = try field(bytes)
        if isWord(bytes, range, "Infinity") || isWord(bytes, range, "Infinite") { return .upToMid }
        self = start
        return try double(bytes).map { .amount(Price(raw: $0)) }
    }

    /// The longest name that is taken in whole, in bytes: seven of them, each byte written as an escape, still fit one entry of the ledger.
    package static let nameBytesMax = 1_024
    /// The longest words for a person that are taken in whole, in bytes.
    package static let wordsBytesMax = 4_096

    /// Text as it stands; bytes that are not UTF-8 become U+FFFD. A frame may be 16 MiB long and a ledger entry 64 KiB: what is longer than
    /// `limit` bytes is cut.
    package mutating func text(_ bytes: RawSpan, limit: Int = FieldCursor.nameBytesMax) throws(FieldFault) -> String {
        let range = try field(bytes)
        if range.isEmpty { return "" }
        var end = min(range.upperBound, range.lowerBound + limit)
        // Not within a character.
        if end < range.upperBound { while end > range.lowerBound, bytes.byte(end) & 0xC0 == 0x80 { end -= 1 } }
        return bytes.extracting(range.lowerBound..<end).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Lists, hours, and documents of a form of their own (XML, JSON), which are never kept as they stand: whole, however long.
    package mutating func list(_ bytes: RawSpan) throws(FieldFault) -> String { try text(bytes, limit: bytes.byteCount) }

    /// A document, an article or a list of reasons, in which `\uXXXX` stands for characters beyond ASCII: whole, however long. Half a document
    /// cannot be read; whoever keeps one cuts it.
    package mutating func document(_ bytes: RawSpan) throws(FieldFault) -> String { WireText.unescaped(try list(bytes)) }

    /// Words for a person, in which `\uXXXX` stands for characters beyond ASCII. What is cut ends in an ellipsis.
    package mutating func unescapedText(_ bytes: RawSpan) throws(FieldFault) -> String {
        let start = at
        let text = WireText.unescaped(try text(bytes, limit: FieldCursor.wordsBytesMax))
        return at - start - 1 > FieldCursor.wordsBytesMax ? text + "\u{2026}" : text
    }

    // MARK: Digits

    /// What the quick reading of a number found. Nothing is thrown on this way: `other` is read again, carefully.
    private enum Plain {
        /// The digits as a whole number, and how many of them stand behind the point (0...8); at most 18.
        case value(Int64, places: Int)
        case unset
        case other
    }

    /// Plain decimals, nothing, and the largest double: nearly every number of the wire, in one walk. On `.other` the place is undefined.
    @inline(__always) private mutating func plain(_ bytes: RawSpan) -> Plain {
        let count = bytes.byteCount
        var next = at
        guard next < count else { return .other }
        // 1.7976931348623157E308: an order that is told holds dozens of them.
        if next &+ 23 <= count, bytes.word(next) == 0x3339_3637_3937_2E31, bytes.word(next &+ 8) == 0x3133_3236_3834_3331,
            bytes.word(next &+ 15) == 0x0038_3033_4537_3531
        {
            at = next &+ 23
            index &+= 1
            return .unset
        }
        let isNegative = bytes.byte(next) == 0x2D
        if isNegative { next &+= 1 }
        let first = next
        var value: Int64 = 0
        while next < count {
            let digit = bytes.byte(next) &- 0x30
            guard digit <= 9 else { break }
            value = value &* 10 &+ Int64(digit)
            next &+= 1
        }
        var digits = next &- first
        var places = 0
        if next < count, bytes.byte(next) == 0x2E {
            next &+= 1
            let point = next
            while next < count {
                let digit = bytes.byte(next) &- 0x30
                guard digit <= 9 else { break }
                value = value &* 10 &+ Int64(digit)
                next &+= 1
            }
            places = next &- point
            digits &+= places
            guard digits > 0 else { return .other }
        }
        guard next < count, bytes.byte(next) == 0, digits <= 18, places <= 8, digits > 0 || !isNegative else { return .other }
        at = next &+ 1
        index &+= 1
        return digits == 0 ? .unset : .value(isNegative ? -value : value, places: places)
    }

    /// The power of ten that takes a number with so many places to 10^-8. A switch, because a table would be looked up across modules.
    @inline(__always) private static func lift(_ places: Int) -> Int64 {
        switch places {
        case 0: 100_000_000
        case 1: 10_000_000
        case 2: 1_000_000
        case 3: 100_000
        case 4: 10_000
        case 5: 1_000
        case 6: 100
        case 7: 10
        default: 1
        }
    }

    /// A number at 10^-8, half to even; nil when it is unset, infinite or does not fit.
    @inline(__always) private mutating func double(_ bytes: RawSpan) throws(FieldFault) -> Int64? {
        let start = at
        switch plain(bytes) {
        case .value(let value, let places):
            let (scaled, over) = value.multipliedReportingOverflow(by: FieldCursor.lift(places))
            return over ? nil : scaled
        case .unset: return nil
        case .other: at = start
        }
        return try carefulDouble(bytes)
    }

    @inline(never) private mutating func carefulDouble(_ bytes: RawSpan) throws(FieldFault) -> Int64? {
        let range = try field(bytes)
        return range.isEmpty ? nil : try slow(bytes, range, scale: 8)
    }

    /// Exponents, long fractions, words. Nil for what does not fit, infinity and not-a-number among them.
    private func slow(_ bytes: RawSpan, _ range: Range<Int>, scale: Int) throws(FieldFault) -> Int64? {
        do {
            return try Decimals.parse(bytes: copy(bytes, range), scale: scale, rounding: scale == 0 ? .exact : .halfEven)
        } catch {
            for word: StaticString in ["Infinity", "-Infinity", "Infinite", "NaN"] where isWord(bytes, range, word) { return nil }
            if error == .tooLarge { return nil }
            throw .notANumber(field: index - 1)
        }
    }

    private func copy(_ bytes: RawSpan, _ range: Range<Int>) -> [UInt8] { bytes.extracting(range).withUnsafeBytes { [UInt8]($0) } }

    private func isWord(_ bytes: RawSpan, _ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { letters in
            for offset in 0..<letters.count where bytes.byte(range.lowerBound + offset) != letters[offset] { return false }
            return true
        }
    }
}
