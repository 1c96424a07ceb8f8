// Prices of simulated options in fixed point: the normal model, whose every term is a table and a square root.
package import Values

/// What makes a listing an option.
package struct OptionTerms: Hashable, Sendable {
    package var strike: Price
    package var isCall: Bool
    package var underlying: InstrumentID
    /// The grid on which the underlying moves.
    package var underlyingTick: Price
    /// When the right ends.
    package var expires: Instant
    /// Of one year, as a part of the underlying's price; what the simulated dealers believe.
    package var volatility: Ratio
    package init(strike: Price, isCall: Bool, underlying: InstrumentID, underlyingTick: Price, expires: Instant, volatility: Ratio) {
        precondition(strike.raw > 0 && underlyingTick.raw > 0 && volatility.raw > 0, "an option without terms")
        self.strike = strike; self.isCall = isCall; self.underlying = underlying; self.underlyingTick = underlyingTick; self.expires = expires
        self.volatility = volatility
    }
}

/// What the model says of an option at one moment.
package struct OptionValue: Hashable, Sendable {
    package var price: Price
    /// Change of the price for a change of one in the underlying, at 10^-8; below zero for puts.
    package var delta: Int64
    /// Change of delta for a change of one in the underlying, at 10^-8.
    package var gamma: Int64
    /// Change of the price for one hundredth more volatility, at 10^-8.
    package var vega: Int64
    /// Change of the price in one day, at 10^-8; below zero.
    package var theta: Int64
}

extension OptionTerms {
    private static var yearSeconds: Int64 { 31_536_000 }
    /// No volatility that a price implies is looked for beyond this.
    private static var volatilityMax: Int64 { 5_000_000 }

    /// The square root, at 10^-9, of what is left of the year in which the right ends; whole minutes only, so that it changes rarely.
    func timeRoot(at instant: Instant) -> Int64 {
        let left = (expires.seconds / 60 - PriceCursor.floorDivide(instant.seconds, 60)) * 60
        guard left > 0 else { return 0 }
        return Self.squareRoot(Int128(left) * 1_000_000_000_000_000_000 / Int128(Self.yearSeconds))
    }

    /// The value at an underlying's price.
    package func value(underlying: Price, at instant: Instant) -> OptionValue {
        value(underlying: underlying, volatility: volatility, root: timeRoot(at: instant))
    }
    /// The value at an underlying's price and a volatility that somebody names.
    package func value(underlying: Price, volatility: Ratio, at instant: Instant) -> OptionValue {
        value(underlying: underlying, volatility: volatility, root: timeRoot(at: instant))
    }

    /// The volatility at which the model says `price`; nil when none does: below what exercise brings, or beyond all reason.
    package func impliedVolatility(price: Price, underlying: Price, at instant: Instant) -> Ratio? {
        let root = timeRoot(at: instant)
        func told(_ volatility: Int64) -> Price { value(underlying: underlying, volatility: Ratio(raw: volatility), root: root).price }
        guard root > 0, price > told(1), price <= told(Self.volatilityMax) else { return nil }
        var (low, high) = (Int64(1), Self.volatilityMax)
        while low < high {
            let middle = (low + high) / 2
            if told(middle) < price { low = middle + 1 } else { high = middle }
        }
        return Ratio(raw: low)
    }

    func value(underlying: Price, volatility: Ratio, root: Int64) -> OptionValue {
        let distance = isCall ? underlying.raw - strike.raw : strike.raw - underlying.raw
        let intrinsic = max(distance, 0)
        // The deviation of the underlying until the end; Int128 holds price * 10^9 * 10^6 with room.
        let perYear = Int64(clamping: Int128(max(underlying.raw, 0)) * Int128(volatility.raw) / 1_000_000)
        let deviation = Int64(clamping: Int128(perYear) * Int128(root) / 1_000_000_000)
        guard deviation > 0 else {
            return OptionValue(
                price: Price(raw: intrinsic), delta: distance > 0 ? (isCall ? NormalTable.one : -NormalTable.one) : 0, gamma: 0, vega: 0, theta: 0)
        }
        let part = Int64(clamping: Int128(abs(distance)) * Int128(NormalTable.one) / Int128(deviation))
        let density = NormalTable.density(part)
        func scaled(_ value: Int64, _ by: Int64) -> Int64 { Int64(clamping: Int128(value) * Int128(by) / Int128(NormalTable.one)) }
        let inside = distance >= 0 ? NormalTable.below(part) : NormalTable.one - NormalTable.below(part)
        let perRoot = Int64(clamping: Int128(underlying.raw) * Int128(root) / 1_000_000_000)
        return OptionValue(
            price: Price(raw: intrinsic + scaled(deviation, NormalTable.timeValue(part))), delta: isCall ? inside : -inside,
            gamma: Int64(clamping: Int128(density) * Int128(NormalTable.one) / Int128(deviation)), vega: scaled(perRoot, density) / 100,
            theta: root > 0 ? -Int64(clamping: Int128(scaled(perYear, density)) * 1_000_000_000 / Int128(root) / 730) : 0)
    }

    private static func squareRoot(_ value: Int128) -> Int64 {
        guard value > 1 else { return Int64(clamping: value) }
        // Newton's steps from above never pass below the root.
        var guess = Int128(1) << ((128 - value.leadingZeroBitCount + 1) / 2)
        while true {
            let next = (guess + value / guess) / 2
            if next >= guess { return Int64(clamping: guess) }
            guess = next
        }
    }
}

/// The normal distribution at 10^-8, from tables in sixteenths of a deviation, straight lines in between; beyond five deviations as at five.
private enum NormalTable {
    static let one: Int64 = 100_000_000
    private static let step: Int64 = one / 16

    static func timeValue(_ x: Int64) -> Int64 { look(x, timeValues) }
    static func below(_ x: Int64) -> Int64 { look(x, belows) }
    static func density(_ x: Int64) -> Int64 { look(x, densities) }

    private static func look(_ x: Int64, _ table: [Int64]) -> Int64 {
        let index = Int(x / step)
        guard index + 1 < table.count else { return table[table.count - 1] }
        return table[index] + (table[index + 1] - table[index]) * (x % step) / step
    }

    /// What a right that far from its strike is worth beyond exercise, in deviations.
    private static let timeValues: [Int64] = [
        39_894_228, 36_847_121, 33_955_497, 31_218_446, 28_634_470, 26_201_489, 23_916_876, 21_777_477, 19_779_656, 17_919_326, 16_192_001,
        14_592_839, 13_116_692, 11_758_160, 10_511_641, 9_371_386, 8_331_547, 7_386_227, 6_529_531, 5_755_607, 5_058_687, 4_433_127, 3_873_440,
        3_374_321, 2_930_679, 2_537_651, 2_190_619, 1_885_226, 1_617_379, 1_383_258, 1_179_310, 1_002_253, 849_070, 716_998, 603_521, 506_360,
        423_459, 352_973, 293_252, 242_832, 200_414, 164_854, 135_150, 110_427, 89_921, 72_976, 59_023, 47_574, 38_215, 30_592, 24_405, 19_402,
        15_372, 12_136, 9_548, 7_486, 5_848, 4_553, 3_532, 2_730, 2_103, 1_614, 1_235, 941, 715, 541, 408, 306, 229, 171, 127, 94, 69, 51, 37, 27,
        20, 14, 10, 7, 0,
    ]
    private static let belows: [Int64] = [
        50_000_000, 52_491_767, 54_973_822, 57_436_569, 59_870_633, 62_266_972, 64_616_977, 66_912_561, 69_146_246, 71_311_230, 73_401_447,
        75_411_615, 77_337_265, 79_174_761, 80_921_305, 82_574_929, 84_134_475, 85_599_562, 86_970_548, 88_248_477, 89_435_023, 90_532_426,
        91_543_428, 92_471_201, 93_319_280, 94_091_488, 94_791_872, 95_424_638, 95_994_084, 96_504_551, 96_960_364, 97_365_787, 97_724_987,
        98_041_992, 98_320_669, 98_564_698, 98_777_553, 98_962_493, 99_122_552, 99_260_539, 99_379_033, 99_480_392, 99_566_755, 99_640_054,
        99_702_024, 99_754_210, 99_797_986, 99_834_565, 99_865_010, 99_890_252, 99_911_097, 99_928_246, 99_942_297, 99_953_767, 99_963_092,
        99_970_644, 99_976_737, 99_981_633, 99_985_552, 99_988_677, 99_991_158, 99_993_122, 99_994_669, 99_995_883, 99_996_833, 99_997_573,
        99_998_146, 99_998_590, 99_998_931, 99_999_193, 99_999_393, 99_999_545, 99_999_660, 99_999_747, 99_999_813, 99_999_862, 99_999_898,
        99_999_925, 99_999_946, 99_999_960, 100_000_000,
    ]
    private static let densities: [Int64] = [
        39_894_228, 39_816_386, 39_583_769, 39_199_090, 38_666_812, 37_993_061, 37_185_509, 36_253_232, 35_206_533, 34_056_759, 32_816_097,
        31_497_354, 30_113_743, 28_678_667, 27_205_500, 25_707_391, 24_197_072, 22_686_693, 21_187_665, 19_710_540, 18_264_909, 16_859_318,
        15_501_227, 14_196_970, 12_951_760, 11_769_701, 10_653_827, 9_606_150, 8_627_732, 7_718_758, 6_878_628, 6_106_041, 5_399_097, 4_755_389,
        4_172_099, 3_646_083, 3_173_965, 2_752_208, 2_377_190, 2_045_267, 1_752_830, 1_496_350, 1_272_418, 1_077_780, 909_356, 764_261, 639_812,
        533_540, 443_185, 366_696, 302_226, 248_119, 202_905, 165_283, 134_112, 108_395, 87_268, 69_985, 55_906, 44_485, 35_260, 27_838, 21_893,
        17_151, 13_383, 10_402, 8_054, 6_212, 4_772, 3_652, 2_783, 2_113, 1_598, 1_204, 904, 675, 503, 373, 276, 203, 0,
    ]
}
