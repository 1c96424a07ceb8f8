// Instants, dates and identifiers: known values and round trips.
import Testing
import Values

struct TimeTests {
    @Test func rfc3339() {
        #expect(Instant(seconds: 1_795_217_400).description == "2026-11-20T23:30:00.000Z")
        #expect(Instant(nanoseconds: -1).description == "1969-12-31T23:59:59.999Z")
    }

    @Test func everyDayNumberRoundTrips() {
        for number in stride(from: -700_000, to: 2_900_000, by: 37) { #expect(CivilDate(dayNumber: number).dayNumber == number) }
        #expect(CivilDate("20261120")?.weekday == 5)
        #expect(CivilDate("20260230") == nil && CivilDate("2026-02-28")?.adding(days: 1).description == "2026-03-01")
    }

    @Test func instantsSaturate() {
        #expect(Instant(nanoseconds: .max) + .seconds(1) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: .min) - .seconds(1) == Instant(nanoseconds: .min))
        #expect(Instant(seconds: 9_999_999_999) == Instant(nanoseconds: .max) && Instant(seconds: .min) == Instant(nanoseconds: .min))
        #expect(
            Instant(milliseconds: 9_999_999_999_999) == Instant(nanoseconds: .max)
                && Instant(milliseconds: -1).description == "1969-12-31T23:59:59.999Z")
        #expect(Instant(nanoseconds: .min).seconds == -9_223_372_037 && Instant(nanoseconds: .min).milliseconds == -9_223_372_036_855)
    }

    @Test func identifiersRoundTrip() {
        let intent = IntentID(boot: Boot(raw: .max), seq: Seq(42))
        #expect(IntentID(bytes: intent.bytes) == intent && IntentID(intent.description) == intent)
        #expect(EdgeID(hex: "00112233445566778899aabbccddeeff")?.description == "00112233445566778899aabbccddeeff")
        #expect(EdgeID(hex: "0011") == nil && CommandID(hex: "zz") == nil)
        #expect(MonthCode.text(year: 2026, month: 12) == "Z6")
    }

    @Test func barsTakeTradesIn() {
        var bar = Bar(start: Timeframe.minute.start(of: Instant(seconds: 125)), price: Price(whole: 10), size: Quantity(whole: 1))
        bar.add(price: Price(whole: 12), size: Quantity(whole: 2)); bar.add(price: Price(whole: 9), size: Quantity(whole: 1))
        #expect(
            bar
                == Bar(
                    start: Instant(seconds: 120), open: Price(whole: 10), high: Price(whole: 12), low: Price(whole: 9), close: Price(whole: 9),
                    volume: Quantity(whole: 4)))
    }
}
