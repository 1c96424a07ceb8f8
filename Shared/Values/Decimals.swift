// Reading and writing decimal text as checked fixed-point integers; the one place where digits become numbers.

/// Why a decimal text was refused.
package enum DecimalError: Error, Equatable, Sendable {
    /// No digit was found.
    case empty
    /// A byte that has no place in a decimal number, at this offset.
    case notANumber(at: Int)
    /// More significant digits than the scale holds, where exactness was asked for.
    case tooPrecise
    /// The value does not fit 64 bits at this scale.
    case tooLarge
}

/// What to do with digits beyond the scale.
package enum Rounding: Sendable {
    /// Refuse them unless they are zeros.
    case exact
    /// Round half to even.
    case halfEven
}

/// Decimal text <-> integers at 10^-scale. Accepts a sign, one point and an exponent (`1.5E-7`); never a Double on the way.
package enum Decimals {
    /// Powers of ten that fit Int64, by exponent 0...18.
    @usableFromInline package static let powers: [Int64] = {
        var table: [Int64] = [1]
        for _ in 0..<18 { table.append(table[table.count - 1] * 10) }
        return table
    }()

    /// The integer `value * 10^scale` of a decimal text.
    /// - Throws: `DecimalError`; a value out of Int64 is `.tooLarge`, never wrapped.
    package static func parse(_ text: some StringProtocol, scale: Int, rounding: Rounding = .exact) throws(DecimalError) -> Int64 {
        try parse(bytes: Array(text.utf8), scale: scale, rounding: rounding)
    }

    /// As `parse(_:scale:rounding:)`, of ASCII bytes.
    package static func parse(bytes: [UInt8], scale: Int, rounding: Rounding = .exact) throws(DecimalError) -> Int64 {
        var digits: [UInt8] = []
        var pointAfter: Int?
        var exponent = 0
        var index = 0
        var negative = false
        if let first = bytes.first, first == 0x2D || first == 0x2B { negative = first == 0x2D; index = 1 }
        scan: while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case 0x30...0x39: digits.append(byte - 0x30)
            case 0x2E where pointAfter == nil: pointAfter = digits.count
            case 0x65, 0x45:
                exponent = try parseExponent(bytes, from: index + 1)
                break scan
            default: throw .notANumber(at: index)
            }
            index += 1
        }
        guard !digits.isEmpty else { throw .empty }
        // The number is digits * 10^(exponent - fraction digits); keep `kept` digits once scaled.
        let fractionDigits = digits.count - (pointAfter ?? digits.count)
        let shift = exponent - fractionDigits + scale
        return try assemble(digits, shift: shift, negative: negative, rounding: rounding)
    }

    private static func parseExponent(_ bytes: [UInt8], from start: Int) throws(DecimalError) -> Int {
        var index = start
        var negative = false
        if index < bytes.count, bytes[index] == 0x2D || bytes[index] == 0x2B { negative = bytes[index] == 0x2D; index += 1 }
        guard index < bytes.count else { throw .notANumber(at: index) }
        var value = 0
        while index < bytes.count {
            guard case 0x30...0x39 = bytes[index] else { throw .notANumber(at: index) }
            value = min(value * 10 + Int(bytes[index] - 0x30), 100_000)
            index += 1
        }
        return negative ? -value : value
    }

    private static func assemble(_ digits: [UInt8], shift: Int, negative: Bool, rounding: Rounding) throws(DecimalError) -> Int64 {
        var value: Int64 = 0
        let kept = shift >= 0 ? digits.count : max(digits.count + shift, 0)
        for digit in digits.prefix(kept) { value = try accumulate(value, digit, negative) }
        if shift > 0, value != 0 {
            for _ in 0..<shift { value = try accumulate(value, 0, negative) }
        }
        guard shift < 0 else { return value }
        let dropped = digits.dropFirst(kept)
        guard dropped.contains(where: { $0 != 0 }) else { return value }
        guard rounding == .halfEven else { throw .tooPrecise }
        // With fewer digits than the shift the number is below one half of the last place.
        guard digits.count + shift >= 0, let first = dropped.first else { return value }
        let above = first > 5 || (first == 5 && dropped.dropFirst().contains { $0 != 0 })
        guard above || (first == 5 && value % 2 != 0) else { return value }
        let rounded = value.addingReportingOverflow(negative ? -1 : 1)
        guard !rounded.overflow else { throw .tooLarge }
        return rounded.partialValue
    }

    private static func accumulate(_ value: Int64, _ digit: UInt8, _ negative: Bool) throws(DecimalError) -> Int64 {
        let product = value.multipliedReportingOverflow(by: 10)
        let sum = product.partialValue.addingReportingOverflow(negative ? -Int64(digit) : Int64(digit))
        guard !product.overflow, !sum.overflow else { throw .tooLarge }
        return sum.partialValue
    }

    /// The shortest decimal text of `raw * 10^-scale`: no exponent, no trailing zeros, at least `minimum` fraction digits.
    package static func text(_ raw: Int64, scale: Int, minimum: Int = 0) -> String {
        // Written where it will stand, from the last digit to the first: each price of an order on its way out passes here.
        String(unsafeUninitializedCapacity: max(20, scale + 1) + 2) { room in
            var rest = raw.magnitude
            var first = room.count
            func write(_ byte: UInt8) {
                first -= 1
                room[first] = byte
            }
            for dropped in 0..<max(0, scale) {
                let digit = UInt8(rest % 10)
                rest /= 10
                if first < room.count || digit != 0 || scale - dropped <= minimum { write(0x30 + digit) }
            }
            if first < room.count { write(0x2E) }
            repeat {
                write(0x30 + UInt8(rest % 10))
                rest /= 10
            } while rest > 0
            if raw < 0 { write(0x2D) }
            let count = room.count - first
            for place in 0..<count { room[place] = room[first + place] }
            return count
        }
    }

    /// `a * b / 10^scale`, rounded half to even, or nil when it does not fit Int64.
    package static func product(_ a: Int64, _ b: Int64, scale: Int) -> Int64? {
        precondition((0...18).contains(scale), "scale out of 0...18")
        return divide(Int128(a) * Int128(b), by: Int128(powers[scale]))
    }

    /// `dividend / divisor` rounded half to even, or nil when the divisor is zero or the result does not fit Int64.
    package static func divide(_ dividend: Int128, by divisor: Int128) -> Int64? {
        guard divisor != 0 else { return nil }
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        let twice = remainder.magnitude * 2
        var result = quotient
        if twice > divisor.magnitude || (twice == divisor.magnitude && quotient % 2 != 0) {
            result += (dividend < 0) == (divisor < 0) ? 1 : -1
        }
        return Int64(exactly: result)
    }
}
