// The ticks of running streams as small values: read without any allocation, however many come.
package import Values

/// One tick. `decode` reads the same frames, for everybody who is not in a hurry.
package enum IBTick: Hashable, Sendable {
    case price(IBTickPrice)
    case size(requestId: Int64, type: Int64, WireSize?)
    case generic(requestId: Int64, type: Int64, WireNumber?)
    /// A trade told as text (tick types 48 and 77).
    case trade(requestId: Int64, type: Int64, IBVolumeTrade)
    /// The time of the last trade (45, delayed 88), in seconds since 1970.
    case stamp(requestId: Int64, type: Int64, seconds: Int64)
    /// Another tick of text, or one of the above that does not hold what it should; `decode` gives the text.
    case text(requestId: Int64, type: Int64)
    /// Exchanges and conditions of up to 15 letters need no memory of their own.
    case byTick(requestId: Int64, IBTickByTick)
}

/// A trade of the volume stream: `price;size;milliseconds;total;average;single`, each part perhaps empty.
package struct IBVolumeTrade: Hashable, Sendable {
    package var price: Price?
    package var size: WireSize?
    /// Since 1970; nil when it is not told.
    package var milliseconds: Int64?
    /// The day's volume.
    package var total: WireSize?
    /// The day's average price, half to even at 10^-8.
    package var average: Price?
    /// True when one participant took it all.
    package var isSingle: Bool
}

extension IBDecoder {
    /// The tick of a payload; nil when the payload is another message. Reads nothing into memory of its own.
    package func tick(_ b: RawSpan) throws(FieldFault) -> IBTick? {
        var c = FieldCursor()
        switch try c.required(b) {
        case 1:
            try c.skip(b)
            return .price(try tickPrice(b, &c))
        case 2:
            try c.skip(b)
            return .size(requestId: try c.required(b), type: try c.required(b), try c.size(b))
        case 45:
            try c.skip(b)
            return .generic(requestId: try c.required(b), type: try c.required(b), try c.number(b))
        case 46:
            try c.skip(b)
            return try textTick(requestId: try c.required(b), type: try c.required(b), b, &c)
        case 99: return .byTick(requestId: try c.required(b), try tickByTick(b, &c))
        default: return nil
        }
    }

    private func textTick(requestId: Int64, type: Int64, _ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBTick {
        switch type {
        case 45, 88:
            do throws(FieldFault) {
                if let seconds = try c.long(b) { return .stamp(requestId: requestId, type: type, seconds: seconds) }
            } catch {
                // What is no number is a text; what is not there is not there.
                if case .missing = error { throw error }
            }
        case 48, 77:
            let range = try c.field(b)
            if let trade = IBVolumeTrade(b, range) { return .trade(requestId: requestId, type: type, trade) }
        default: try c.skip(b)
        }
        return .text(requestId: requestId, type: type)
    }
}

extension IBVolumeTrade {
    /// Nil for text of another form.
    fileprivate init?(_ b: RawSpan, _ range: Range<Int>) {
        var parts = PartReader(at: range.lowerBound, end: range.upperBound)
        do throws(PartFault) {
            let (price, size, time) = (try parts.fixed(b), try parts.fixed(b), try parts.whole(b))
            let (total, average) = (try parts.fixed(b), try parts.fixed(b))
            self.init(
                price: price.map { Price(raw: $0) }, size: size.map { WireSize(raw: Int128($0)) }, milliseconds: time,
                total: total.map { WireSize(raw: Int128($0)) }, average: average.map { Price(raw: $0) }, isSingle: try parts.word(b))
        } catch { return nil }
    }
}

/// A part that is no number, or that is missing.
private struct PartFault: Error {}

/// Reads the parts of one field, each ended by `;` or by the end of the field.
private struct PartReader {
    var at: Int
    let end: Int

    /// A number at 10^-8, half to even; nil when the part is empty.
    mutating func fixed(_ b: RawSpan) throws(PartFault) -> Int64? {
        var (value, digits, places, rest, isOverHalf) = (Int64(0), 0, -1, UInt8(0), false)
        let isNegative = at < end && b.byte(at) == 0x2D
        if isNegative { at += 1 }
        while at < end, b.byte(at) != 0x3B {
            let byte = b.byte(at)
            at += 1
            if byte == 0x2E, places < 0 { places = 0; continue }
            guard case 0x30...0x39 = byte else { throw PartFault() }
            digits += 1
            if places >= 0 { places += 1 }
            // Beyond 10^-8 only what the rounding needs is kept.
            if places == 9 { rest = byte - 0x30 } else if places > 9 { isOverHalf = isOverHalf || byte != 0x30 }
            guard places <= 8 else { continue }
            let (product, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(byte - 0x30))
            if over || carry { throw PartFault() }
            value = sum
        }
        try pass(b)
        guard digits > 0 else {
            if isNegative || places >= 0 { throw PartFault() }
            return nil
        }
        for _ in min(max(places, 0), 8)..<8 {
            let (product, over) = value.multipliedReportingOverflow(by: 10)
            if over { throw PartFault() }
            value = product
        }
        if rest > 5 || (rest == 5 && (isOverHalf || value % 2 != 0)) {
            let (rounded, over) = value.addingReportingOverflow(1)
            if over { throw PartFault() }
            value = rounded
        }
        return isNegative ? -value : value
    }

    /// A whole number; nil when the part is empty.
    mutating func whole(_ b: RawSpan) throws(PartFault) -> Int64? {
        var value: Int64 = 0
        let start = at
        while at < end, b.byte(at) != 0x3B {
            guard case 0x30...0x39 = b.byte(at), at - start < 18 else { throw PartFault() }
            value = value * 10 + Int64(b.byte(at) - 0x30)
            at += 1
        }
        let isEmpty = at == start
        try pass(b)
        return isEmpty ? nil : value
    }

    /// `true` or `false`, the last part.
    mutating func word(_ b: RawSpan) throws(PartFault) -> Bool {
        guard at < end, b.byte(at) == UInt8(ascii: "t") || b.byte(at) == UInt8(ascii: "f") else { throw PartFault() }
        return b.byte(at) == UInt8(ascii: "t")
    }

    /// Over the semicolon behind a part that is not the last.
    private mutating func pass(_ b: RawSpan) throws(PartFault) {
        guard at < end, b.byte(at) == 0x3B else { throw PartFault() }
        at += 1
    }
}
