// Ticks: the reading without allocation, the bits of their masks, figures that were not computed, and the size of a message.
import Testing
import Values
import Venues

struct TickTests {
    private let decoder = IBDecoder(version: 178)

    private func payload(_ fields: [String]) -> [UInt8] { fields.flatMap { Array($0.utf8) + [0] } }
    private func tick(_ fields: String...) throws -> IBTick? {
        let bytes = payload(fields)
        return try decoder.tick(bytes.span.bytes)
    }
    private func message(_ fields: String...) throws -> IBMessage {
        let bytes = payload(fields)
        return try decoder.decode(bytes.span.bytes)
    }

    private func trade(_ text: String) throws -> IBVolumeTrade? {
        guard case .trade(let id, let type, let trade)? = try tick("46", "6", "1000000001", "48", text)
        else { return nil }
        #expect(id == 1_000_000_001 && type == 48)
        return trade
    }

    @Test func tradesToldAsTextAreRead() throws {
        let plain = try #require(try trade("701.28;1;1348075471534;67854;701.46918464;true"))
        #expect(
            plain.price == Price(raw: 70_128_000_000) && plain.size == WireSize(whole: 1)
                && plain.milliseconds == 1_348_075_471_534)
        #expect(
            plain.total == WireSize(whole: 67_854) && plain.average == Price(raw: 70_146_918_464)
                && plain.isSingle)
        var other = plain
        other.price = nil
        other.size = WireSize(raw: 12_345)
        other.isSingle = false
        #expect(try trade(";0.00012345;1348075471534;67854;701.46918464;false") == other)
        other.total = nil
        other.milliseconds = nil
        other.average = nil
        #expect(try trade(";0.00012345;;;;false") == other)
    }

    @Test(arguments: [
        ("1.000000005", 100_000_000), ("1.000000015", 100_000_002), ("1.0000000050000", 100_000_000),
        ("1.0000000050001", 100_000_001),
        ("1.0000000149999", 100_000_001), ("-0.5", -50_000_000), ("-1.000000016", -100_000_002),
        (".5", 50_000_000), ("5.", 500_000_000),
        ("0.000000001", 0),
    ])
    func averagesAreRoundedHalfToEven(text: String, raw: Int64) throws {
        #expect(try trade("1;1;1;1;\(text);true")?.average == Price(raw: raw))
    }

    @Test(arguments: [
        "", ";", ";;;;;", "1;2;3", "1;2;3;4;5;", "1;2;3;4;5;yes", "x;2;3;4;5;true", "1;2;3.5;4;5;true",
        "1;2;-3;4;5;true", "1;-;3;4;5;true",
        "1;.;3;4;5;true", "1;2;3;4;1.2.3;true", "99999999999999999999;2;3;4;5;true",
        "1;2;3;4;99999999999;true", "1;2;3;4;92233720368.547758079;true", "1e5;2;3;4;5;true",
    ])
    func otherTextIsOnlyText(text: String) throws {
        #expect(try tick("46", "6", "7", "48", text) == .text(requestId: 7, type: 48))
    }

    @Test func stampsAndOtherTexts() throws {
        #expect(
            try tick("46", "6", "7", "45", "1795217400")
                == .stamp(requestId: 7, type: 45, seconds: 1_795_217_400))
        #expect(try tick("46", "6", "7", "88", "") == .text(requestId: 7, type: 88))
        #expect(try tick("46", "6", "7", "45", "soon") == .text(requestId: 7, type: 45))
        #expect(try tick("46", "6", "7", "32", "ABC") == .text(requestId: 7, type: 32))
        #expect(try tick("9", "1", "7") == nil)
        #expect(throws: FieldFault.missing(field: 4)) { try tick("46", "6", "7", "48") }
        let cut = Array(payload(["46", "6", "7", "45", "1795217400"]).dropLast())
        #expect(throws: FieldFault.missing(field: 4)) { try decoder.tick(cut.span.bytes) }
        #expect(throws: FieldFault.self) { try tick("99", "7", "9", "1") }
    }

    @Test func pastAndLiveQuotesHaveTheirBitsTheOtherWayRound() throws {
        guard
            case .tickByTick(_, .quote(let live)) = try message(
                "99", "7", "3", "1", "5", "6", "1", "1", "1"),
            case .historicalTicks(let past) = try message(
                "97", "7", "1", "1", "1", "5", "6", "1", "1", "1"),
            case .quote(let old)? = past.ticks.first
        else {
            Issue.record("not read")
            return
        }
        #expect(
            live.isBidPastLow && !live.isAskPastHigh && !old.isBidPastLow && old.isAskPastHigh
                && past.isDone)
    }

    @Test func figuresThatWereNotComputedAreNone() throws {
        guard
            case .optionComputation(let none) = try message(
                "21", "7", "10", "1", "-1", "-2", "-1", "-1", "-2", "-2", "-2", "-1")
        else {
            Issue.record("not read")
            return
        }
        #expect(none.requestId == 7 && none.type == 10 && none.attribute == 1)
        #expect(
            [none.impliedVolatility, none.delta, none.gamma, none.vega, none.theta].allSatisfy {
                $0 == nil
            })
        #expect([none.price, none.dividend, none.underlying].allSatisfy { $0 == nil })
        // A delta of -1 and prices of -2 are figures.
        guard
            case .optionComputation(let all) = try message(
                "21", "7", "10", "1", "0.2", "-1", "-2", "0", "-1", "-1", "-1", "-2")
        else {
            Issue.record("not read")
            return
        }
        #expect(
            all.delta?.raw == -100_000_000 && all.price?.raw == -200_000_000
                && all.theta?.raw == -100_000_000)
        #expect(all.underlying?.raw == -200_000_000 && all.impliedVolatility?.raw == 20_000_000)
    }

    @Test func everySpellingOfTheLargestDoubleIsUnset() throws {
        for text in [
            "1.7976931348623157E308", "1.7976931348623157e+308", "1.7976931348623157E+308", "",
            "1.7976931348623157E307",
        ] {
            guard case .tickPrice(let tick) = try message("1", "6", "7", "1", text, "4", "0") else {
                Issue.record("not read")
                return
            }
            #expect(tick.price == nil && tick.size == WireSize(whole: 4), "\(text)")
        }
        // The same beginning, another number: not taken for it.
        guard
            case .tickPrice(let tick) = try message("1", "6", "7", "1", "1.7976931348623157", "4", "0")
        else {
            Issue.record("not read")
            return
        }
        #expect(tick.price == Price(raw: 179_769_313))
    }

    @Test func minusOneIsNoQuoteUnlessASizeStandsBehindIt() throws {
        for (price, size, isNone) in [("-1", "0", true), ("-1", "", true), ("", "4", true), ("-1", "5", false), ("0", "0", false), ("-2", "", false)]
        {
            guard case .tickPrice(let tick) = try message("1", "6", "7", "1", price, size, "0") else {
                Issue.record("not read")
                return
            }
            #expect(tick.isNoQuote == isNone, "\(price) \(size)")
        }
    }

    @Test func aMessageIsSmall() {
        // It is handed on by value for each tick; what is larger stands in a box.
        #expect(MemoryLayout<IBMessage>.size <= 96)
    }
}
