// Minutes that are passed on when they are over, and again when history corrects them.
import Testing
import Trading
import Values

@Suite struct BarBuilderTests {
    private static let start = Instant(seconds: 1_795_186_800)
    private func minute(_ index: Int64) -> Instant { Self.start + .minutes(index) }
    private func bar(_ index: Int64, _ price: Int64 = 100) -> Bar { Bar(start: minute(index), price: Price(whole: price), size: Quantity(whole: 1)) }

    @Test func closedBarsAreTakenOnce() {
        var builder = BarBuilder()
        builder.merge((0..<5).map { bar($0) })
        let all = builder.takeClosed(before: minute(4), after: nil)
        #expect(all.map(\.start) == (0..<4).map { minute($0) })
        let none = builder.takeClosed(before: minute(4), after: minute(3))
        builder.add(price: Price(whole: 101), size: Quantity(whole: 1), at: minute(4) + .seconds(10))
        let stillNone = builder.takeClosed(before: minute(4), after: minute(3))
        #expect(none.isEmpty && stillNone.isEmpty)
        let next = builder.takeClosed(before: minute(5), after: minute(3))
        #expect(next.map(\.start) == [minute(4)] && next.first?.high == Price(whole: 101))
    }

    @Test func whatHistoryCorrectsOrFillsIsTakenAgain() {
        var builder = BarBuilder()
        builder.merge([0, 1, 4, 5, 6].map { bar($0) })
        _ = builder.takeClosed(before: minute(6), after: nil)
        // The same again is no correction.
        builder.merge([bar(0), bar(1)])
        let same = builder.takeClosed(before: minute(6), after: minute(5))
        #expect(same.isEmpty)
        builder.merge([bar(2), bar(3)])
        let filled = builder.takeClosed(before: minute(6), after: minute(5))
        #expect(filled.map(\.start) == (2..<6).map { minute($0) })
        builder.merge([bar(5, 102)])
        let corrected = builder.takeClosed(before: minute(6), after: minute(5))
        #expect(corrected.map(\.start) == [minute(5)] && corrected.first?.close == Price(whole: 102))
        let nothing = builder.takeClosed(before: minute(6), after: minute(5))
        #expect(nothing.isEmpty)
    }
}
