// Decimal text to fixed point and back: vectors, refusals and a round-trip property.
import Testing
import Values

struct DecimalsTests {
    @Test(arguments: [
        ("0", 0), ("1", 100_000_000), ("-1.5", -150_000_000), ("98750.25", 9_875_025_000_000), ("1e-8", 1), ("1.5E3", 150_000_000_000),
        (".5", 50_000_000),
        ("9007199254740993e-5", 9_007_199_254_740_993_000), ("+2", 200_000_000), ("0.00000000000", 0), ("0e99999", 0),
    ])
    func exactTextIsRead(text: String, raw: Int64) throws { #expect(try Decimals.parse(text, scale: 8) == raw) }

    @Test func badTextIsRefusedByName() {
        #expect(throws: DecimalError.empty) { try Decimals.parse("", scale: 8) }
        #expect(throws: DecimalError.empty) { try Decimals.parse("-.", scale: 8) }
        #expect(throws: DecimalError.notANumber(at: 1)) { try Decimals.parse("1x", scale: 8) }
        #expect(throws: DecimalError.notANumber(at: 3)) { try Decimals.parse("1.2.3", scale: 8) }
        #expect(throws: DecimalError.tooPrecise) { try Decimals.parse("0.123456789", scale: 8) }
        #expect(throws: DecimalError.tooLarge) { try Decimals.parse("92233720369", scale: 8) }
        #expect(throws: DecimalError.tooLarge) { try Decimals.parse("1e400", scale: 8) }
    }

    @Test(arguments: [("0.125", 12), ("0.135", 14), ("-0.125", -12), ("-0.1251", -13), ("0.0049", 0), ("0.005", 0), ("0.0051", 1), ("1e-300", 0)])
    func halfEven(text: String, raw: Int64) throws { #expect(try Decimals.parse(text, scale: 2, rounding: .halfEven) == raw) }

    @Test func everyRawRoundTrips() throws {
        var random = SeededRandom(seed: 7)
        for _ in 0..<5_000 {
            let raw = Int64(bitPattern: random.next()) >> Int64(random.int(0...62))
            #expect(try Decimals.parse(Decimals.text(raw, scale: 8), scale: 8) == raw)
        }
        #expect(try Decimals.parse(Decimals.text(.min, scale: 8), scale: 8) == .min)
    }

    /// Against the same written with texts.
    @Test func textsHaveNoMoreDigitsThanTheyNeed() {
        func plain(_ raw: Int64, _ scale: Int, _ minimum: Int) -> String {
            let digits = String(raw.magnitude)
            let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
            var fraction = String(padded.suffix(scale))
            while fraction.count > minimum, fraction.hasSuffix("0") { fraction.removeLast() }
            return (raw < 0 ? "-" : "") + padded.dropLast(scale) + (fraction.isEmpty ? "" : ".") + fraction
        }
        var random = SeededRandom(seed: 9)
        var numbers: [Int64] = [0, 1, -1, 9, 10, 100, -100, 99_999_999, 100_000_000, 1_000_000_000, .max, .min]
        for _ in 0..<300 { numbers.append(Int64(bitPattern: random.next()) >> Int64(random.int(0...62))) }
        for raw in numbers {
            for scale in [0, 1, 2, 4, 8, 16, 18] {
                for minimum in 0...min(3, scale) {
                    #expect(Decimals.text(raw, scale: scale, minimum: minimum) == plain(raw, scale, minimum))
                }
            }
        }
    }

    @Test func notionalOfMicroBitcoin() throws {
        let value = Money.value(try Price("98750"), Quantity(whole: 3), multiplier: try Quantity("0.1"))
        #expect(value == Money(whole: 29_625))
        #expect(Money.value(Price(raw: .max), Quantity(raw: .max), multiplier: Quantity(whole: 1)) == nil)
    }

    /// By hand: a product that lies between two numbers goes to the even one, whichever signs its factors have; any other goes to the nearer one.
    @Test(arguments: [
        (5, 10, 0), (15, 10, 2), (25, 10, 2), (35, 10, 4), (-5, 10, 0), (-15, 10, -2), (25, -10, -2), (-25, -10, 2), (-35, 10, -4),
        (49, 1, 0), (51, 1, 1), (149, 1, 1), (151, 1, 2), (-51, 1, -1), (-149, 1, -1), (249, 1, 2), (251, 1, 3), (0, -50, 0),
    ])
    func productsRoundHalfToEven(a: Int64, b: Int64, product: Int64) {
        #expect(Decimals.product(a, b, scale: 2) == product)
    }

    @Test func quotientsRoundHalfToEvenUpToBothEndsOfTheRange() {
        for (dividend, divisor, quotient) in [(5, 2, 2), (7, 2, 4), (5, -2, -2), (-7, 2, -4), (-7, -2, 4), (1, 2, 0), (-1, 2, 0), (8, 3, 3)] {
            #expect(Decimals.divide(Int128(dividend), by: Int128(divisor)) == Int64(quotient), "\(dividend) / \(divisor)")
        }
        #expect(Decimals.divide(1, by: 0) == nil)
        let (most, least) = (Int128(Int64.max), Int128(Int64.min))
        #expect(Decimals.divide(most * 2, by: 2) == .max && Decimals.divide(least * 2, by: 2) == .min)
        // The largest number is odd, so that its tie goes out of the range; the least one is even.
        #expect(Decimals.divide(most * 2 + 1, by: 2) == nil && Decimals.divide(least * 2 - 1, by: 2) == .min)
        #expect(Decimals.divide(most * 4 + 1, by: 4) == .max && Decimals.divide(least * 4 - 3, by: 4) == nil)
        #expect(Decimals.product(.max, 1, scale: 0) == .max && Decimals.product(.max, 2, scale: 0) == nil)
        #expect(Decimals.product(.min, -1, scale: 0) == nil)
    }

    /// Price by quantity by multiplier is rounded once, at the end: 0.00000149 by 0.1 by 0.1 is one unit, and would be two if it were rounded twice.
    @Test(arguments: [
        ("0.00000005", "0.1", "1", 0), ("0.00000015", "0.1", "1", 2), ("0.00000025", "0.1", "1", 2), ("-0.00000015", "0.1", "1", -2),
        ("0.00000005", "0.3", "1", 2), ("0.00000005", "0.3", "0.1", 0), ("0.00000149", "0.1", "0.1", 1), ("0.0000015", "0.1", "0.1", 2),
        ("0.0000025", "-0.1", "0.1", -2),
    ])
    func amountsRoundOnceAndHalfToEven(price: String, quantity: String, multiplier: String, raw: Int64) throws {
        #expect(Money.value(try Price(price), try Quantity(quantity), multiplier: try Quantity(multiplier)) == Money(raw: raw))
    }

    @Test func amountsThatLeaveTheRangeAreNone() throws {
        // 92,233,720,368.54775807 is the most.
        let one = Quantity(whole: 1)
        #expect(Money.value(Price(whole: 92_233_720_368), one, multiplier: one) == Money(whole: 92_233_720_368))
        #expect(Money.value(Price(whole: 46_116_860_184), Quantity(whole: 2), multiplier: one) == Money(whole: 92_233_720_368))
        #expect(Money.value(Price(whole: 46_116_860_185), Quantity(whole: 2), multiplier: one) == nil)
        // A product beyond 64 bits in between is no reason, one beyond 128 is.
        let millionth = try Quantity("0.000001")
        #expect(Money.value(Price(whole: 90_000_000_000), Quantity(whole: 1_000_000), multiplier: millionth) == Money(whole: 90_000_000_000))
        #expect(Money.value(Price(raw: .max), Quantity(raw: .max), multiplier: Quantity(raw: .max)) == nil)
        #expect(Money.value(Price(raw: .min), Quantity(raw: .max), multiplier: Quantity(raw: .max)) == nil)
    }

    @Test func pricesRoundToTheirIncrement() throws {
        let tick = Price(whole: 5)
        #expect(try Price("98752.5").rounded(to: tick, up: true) == Price(whole: 98_755))
        #expect(try Price("98752.5").rounded(to: tick, up: false) == Price(whole: 98_750))
        #expect(try Price("-2").rounded(to: tick, up: false) == Price(whole: -5))
        #expect(Price(raw: .min).isMultiple(of: Price(raw: -1)), "an increment that is none, and no trap")
        #expect(Price(whole: 98_755).isMultiple(of: tick) && !Price(whole: 98_756).isMultiple(of: tick))
    }
}
