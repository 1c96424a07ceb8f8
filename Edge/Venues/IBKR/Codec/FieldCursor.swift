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
        var end = at
        let count = bytes.byteCount
        while end < count, bytes.byte(end) != 0 { end += 1 }
        guard end < count else { throw .missing(field: index) }
        let range = at..<end
        at = end + 1
        index += 1
        return range
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
        let range = try field(bytes)
        guard !range.isEmpty else { return nil }
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
        let range = try field(bytes)
        guard !range.isEmpty else { return false }
        let first = bytes.byte(range.lowerBound)
        if first == UInt8(ascii: "t") || first == UInt8(ascii: "T") { return true }
        if first == UInt8(ascii: "f") || first == UInt8(ascii: "F") { return false }
        guard let value = try fixed8(bytes, range) else { return true }
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

    private mutating func double(_ bytes: RawSpan) throws(FieldFault) -> Int64? {
        let range = try field(bytes)
        return try fixed8(bytes, range)
    }

    /// A size; nil for each of the five spellings of unset.
    package mutating func size(_ bytes: RawSpan) throws(FieldFault) -> WireSize? {
        let range = try field(bytes)
        if let quick = quick8(bytes, range) { return quick == 214_748_364_700_000_000 ? nil : WireSize(raw: Int128(quick)) }
        guard !range.isEmpty, !isWord(bytes, range, "9223372036854775807"), !isWord(bytes, range, "-9223372036854775808") else { return nil }
        if let narrow = try slow(bytes, range, scale: 8) { return WireSize(raw: Int128(narrow)) }
        // Too large for 10^-8: take as many decimals as 64 bits hold, exactly.
        let text = copy(bytes, range)
        for scale in stride(from: 7, through: 0, by: -1) {
            if let value = try? Decimals.parse(bytes: text, scale: scale) { return WireSize(raw: Int128(value) * Int128(Decimals.powers[8 - scale])) }
        }
        return nil
    }

    /// A peg offset, which may be infinite.
    package mutating func pegOffset(_ bytes: RawSpan) throws(FieldFault) -> PegOffset? {
        let range = try field(bytes)
        if isWord(bytes, range, "Infinity") || isWord(bytes, range, "Infinite") { return .upToMid }
        return try fixed8(bytes, range).map { .amount(Price(raw: $0)) }
    }

    /// Text as it stands; bytes that are not UTF-8 become U+FFFD.
    package mutating func text(_ bytes: RawSpan) throws(FieldFault) -> String {
        bytes.extracting(try field(bytes)).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Text in which `\uXXXX` stands for characters beyond ASCII.
    package mutating func unescapedText(_ bytes: RawSpan) throws(FieldFault) -> String { WireText.unescaped(try text(bytes)) }

    private func fixed8(_ bytes: RawSpan, _ range: Range<Int>) throws(FieldFault) -> Int64? {
        if let quick = quick8(bytes, range) { return quick }
        return range.isEmpty ? nil : try slow(bytes, range, scale: 8)
    }

    /// Plain decimals of at most 8 places: nearly every number of the wire. Nil sends the caller the slow way.
    private func quick8(_ bytes: RawSpan, _ range: Range<Int>) -> Int64? {
        guard !range.isEmpty, range.count <= 19 else { return nil }
        var at = range.lowerBound
        let isNegative = bytes.byte(at) == 0x2D
        if isNegative { at += 1 }
        var value: Int64 = 0
        var digits = 0
        var decimals = -1
        while at < range.upperBound {
            let byte = bytes.byte(at)
            let digit = byte &- 0x30
            if digit <= 9 {
                // At most 18 digits get here, so this cannot overflow.
                value = value &* 10 &+ Int64(digit)
                digits += 1
                if decimals >= 0 { decimals += 1 }
            } else if byte == 0x2E, decimals < 0 {
                decimals = 0
            } else {
                return nil
            }
            at += 1
        }
        let places = max(decimals, 0)
        guard digits > 0, digits <= 18, places <= 8 else { return nil }
        let (scaled, over) = value.multipliedReportingOverflow(by: Decimals.powers[8 - places])
        return over ? nil : isNegative ? -scaled : scaled
    }

    /// Exponents, long fractions, words. Nil for what does not fit, infinity and not-a-number among them.
    private func slow(_ bytes: RawSpan, _ range: Range<Int>, scale: Int) throws(FieldFault) -> Int64? {
        do {
            return try Decimals.parse(bytes: copy(bytes, range), scale: scale, rounding: scale == 0 ? .exact : .halfEven)
        } catch {
            for word in ["Infinity", "-Infinity", "Infinite", "NaN"] where isWord(bytes, range, word) { return nil }
            if error == .tooLarge { return nil }
            throw .notANumber(field: index - 1)
        }
    }

    private func copy(_ bytes: RawSpan, _ range: Range<Int>) -> [UInt8] { bytes.extracting(range).withUnsafeBytes { [UInt8]($0) } }

    private func isWord(_ bytes: RawSpan, _ range: Range<Int>, _ word: String) -> Bool {
        guard range.count == word.utf8.count else { return false }
        var at = range.lowerBound
        for byte in word.utf8 {
            guard bytes.byte(at) == byte else { return false }
            at += 1
        }
        return true
    }
}
