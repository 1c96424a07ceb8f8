// Streams of bars that stay whole: what a drop tore is fetched in pages, midnight makes them anew, and nothing comes twice.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct BarGapTests {
    private static let stock = IBKRSessionNoticeTests.stock
    private static let minuteOfNoon = Timeframe.minute.start(of: noon)

    private func bar(_ start: Instant) -> Bar {
        Bar(start: start, open: Price(whole: 1), high: Price(whole: 2), low: Price(whole: 1), close: Price(whole: 2), volume: Quantity(whole: 3))
    }
    private func history(_ request: String, _ starts: [Instant]) -> [String] {
        ["17", request, "", "", String(starts.count)]
            + starts.flatMap { [String($0.seconds), "230", "231", "229", "230.5", "100", "230.1", "9"] }
    }
    private func told(_ events: [VenueEvent]) -> [Instant] {
        events.flatMap { if case .bars(_, let bars, true) = $0 { bars.map(\.start) } else { [Instant]() } }
    }

    /// Watching one stock whose first answer was these minutes before noon, the newest still forming.
    private func watching(minutes: Int = 3) throws -> ScriptedGateway {
        var gateway = ScriptedGateway.up(known: [Self.stock]) { $0.limits.quiet = .hours(400) }
        gateway.ask(.watch(Self.stock.id))
        gateway.pass(.seconds(1))
        let first = try #require(gateway.sent("20").first)
        #expect(first[15] == "" && first[17] == "1 D" && first[21] == "1")
        gateway.say(history(first[1], (0..<minutes).map { Self.minuteOfNoon - .minutes(Int64(minutes - 1 - $0)) }))
        #expect(told(gateway.hear()).count == minutes)
        return gateway
    }
    /// The connection ends for so long; gives the requests for history after it.
    private func drop(_ gateway: inout ScriptedGateway, for span: Span) -> [[String]] {
        gateway.drop()
        gateway.pass(span, step: .minutes(1))
        while gateway.wishes.last != .connect { gateway.pass(.milliseconds(100)) }
        _ = gateway.sent()
        gateway.connect()
        gateway.say(["178", "x"])
        gateway.say(["15", "1", "DU1"])
        gateway.say(["9", "1", "1"])
        gateway.pass(.seconds(1))
        return gateway.sent("20")
    }

    // MARK: After a drop

    @Test func aShortDropIsFilledByTheStreamItself() throws {
        var gateway = try watching()
        let asked = drop(&gateway, for: .minutes(30))
        _ = gateway.hear()
        #expect(asked.count == 1 && asked[0][15] == "" && asked[0][21] == "1")
        // From the minute that was forming, with the one before it, to now.
        let seconds = try #require(Int64(asked[0][17].dropLast(2)))
        #expect((1_920...2_040).contains(seconds), "\(asked[0][17])")
        let starts = (-2...30).map { Self.minuteOfNoon + .minutes(Int64($0)) }
        gateway.say(history(asked[0][1], starts))
        let heard = gateway.hear()
        #expect(told(heard) == starts.filter { $0 >= Self.minuteOfNoon } && heard.notices.isEmpty, "what was whole is not told again")
    }

    @Test func aDropIsFilledInPages() throws {
        var gateway = try watching()
        var asked = drop(&gateway, for: .hours(60))
        let missing = try #require(gateway.hear().notices.first { $0.code == Notice.missingBars })
        #expect(missing.instrument == Self.stock.id && missing.text.contains("from 2026-11-20 15:00 to 2026-11-22 03:"))
        #expect(asked.count == 2 && asked[0][17] == "86400 S" && asked[0][21] == "1")
        gateway.say(history(asked[0][1], [gateway.now - .minutes(1), gateway.now].map { Timeframe.minute.start(of: $0) }))
        _ = gateway.hear()
        var fetched: [Instant] = []
        var pages: [[String]] = []
        while let page = asked.last, page[21] == "0" {
            pages.append(page)
            let (day, clock) = (page[15].prefix(8), page[15].dropFirst(9).split(separator: ":").compactMap { Int64($0) })
            let end = Instant(
                seconds: (day == "20261120" ? 1_795_132_800 : day == "20261121" ? 1_795_219_200 : 1_795_305_600) + clock[0] * 3_600 + clock[1] * 60)
            // More than was asked for, out of order, and the end itself: only what is missing is told, once.
            let seconds = try #require(Int64(page[17].dropLast(2)))
            let starts = [end - .minutes(1), end, end - .seconds(seconds), end - .minutes(2), end - .minutes(1), end + .hours(2)]
            gateway.say(history(page[1], starts))
            let more = told(gateway.hear())
            #expect(more == more.sorted() && Set(more).count == more.count)
            fetched += more
            gateway.pass(.seconds(1))
            asked = gateway.sent("20")
        }
        #expect(pages.count == 2 && pages[0][17] == "86400 S" && pages.map { $0[15] }.sorted(by: >) == pages.map { $0[15] }, "newest first")
        #expect(Set(fetched).count == fetched.count && fetched.min() == Self.minuteOfNoon, "down to the minute that was forming")
    }

    @Test func aFilledGapIsTakenBack() throws {
        var gateway = try watching()
        let asked = drop(&gateway, for: .hours(30))
        let page = try #require(asked.last)
        let newest = Timeframe.minute.start(of: gateway.now)
        gateway.say(history(asked[0][1], [newest - .minutes(1), newest]))
        _ = gateway.hear()
        gateway.say(history(page[1], [Self.minuteOfNoon, Self.minuteOfNoon + .minutes(1)]))
        let heard = gateway.hear()
        #expect(told(heard).count == 2 && heard.notices.map(\.text) == [""] && heard.notices.first?.code == Notice.missingBars)
        gateway.pass(.hours(2), step: .minutes(1))
        #expect(gateway.sent("20").allSatisfy { $0[21] == "1" }, "nothing more is asked of the past")
    }

    @Test func aHoleTheBrokerDoesNotHaveIsMarked() throws {
        var gateway = try watching()
        let page = try #require(drop(&gateway, for: .hours(30)).last)
        _ = gateway.hear()
        gateway.complain(
            try #require(Int64(page[1])), 162, "Historical Market Data Service error message:HMDS query returned no data: AAPL@SMART Trades")
        let notices = gateway.hear().notices
        #expect(notices.map(\.code) == [Notice.missingBars] && notices.first?.text.contains("has no minutes") == true)
    }

    @Test func aPageThatIsRefusedIsTriedFiveTimes() throws {
        var gateway = try watching()
        var page = try #require(drop(&gateway, for: .hours(30)).last)
        _ = gateway.hear()
        for attempt in 1...5 {
            gateway.complain(try #require(Int64(page[1])), 162, "Historical Market Data Service error message:service is busy")
            let notices = gateway.hear().notices
            #expect(notices.contains { $0.text.contains("could not be fetched") } == (attempt == 5))
            gateway.pass(.seconds(62), step: .seconds(1))
            let again = gateway.sent("20").filter { $0[21] == "0" }
            #expect(again.count == (attempt < 5 ? 1 : 0))
            page = again.first ?? page
        }
    }

    @Test func aSecondDropInTheMiddleOfAGapLosesNothingOfIt() throws {
        var gateway = try watching()
        _ = drop(&gateway, for: .hours(30))
        let asked = drop(&gateway, for: .minutes(2))
        let page = try #require(asked.last)
        #expect(page[21] == "0")
        _ = gateway.hear()
        gateway.say(history(page[1], [Self.minuteOfNoon]))
        #expect(told(gateway.hear()) == [Self.minuteOfNoon])
    }

    // MARK: Midnight

    @Test func midnightRestartsTheStream() throws {
        var gateway = try watching()
        _ = gateway.sent()
        // Midnight in New York is 05:00 UTC.
        gateway.pass(.hours(14) - .seconds(1), step: .seconds(30))
        #expect(gateway.sent("20").isEmpty)
        gateway.pass(.seconds(62), step: .seconds(1))
        let frames = gateway.sent()
        #expect(frames.filter { $0[0] == "20" && $0[21] == "1" }.count == 1 && frames.filter { $0[0] == "25" }.count == 1)
        gateway.pass(.hours(23), step: .minutes(1))
        #expect(gateway.sent("25").isEmpty)
    }

    // MARK: The bookkeeping alone

    @Test func oldGapsAreFetchedTenDaysBack() {
        var gaps = BarGaps()
        #expect(gaps.span(at: noon, standard: .hours(24)) == .hours(24) && gaps.span(at: noon, standard: .minutes(2)) == .minutes(2))
        let isFirst = gaps.open(at: noon, asks: .hours(24))
        #expect(!isFirst && gaps.nextPage == nil)
        _ = gaps.take(stream: [bar(Self.minuteOfNoon - .minutes(1)), bar(Self.minuteOfNoon)])
        #expect(gaps.whole == Self.minuteOfNoon - .minutes(1) && gaps.from == Self.minuteOfNoon)
        let later = noon + .hours(24 * 30)
        let isNew = gaps.open(at: later, asks: .hours(24))
        #expect(gaps.span(at: later, standard: .minutes(2)) == .hours(24) && isNew)
        var pages = 0
        while let page = gaps.nextPage {
            pages += 1
            #expect(page.upperBound - page.lowerBound <= BarGaps.page)
            let fresh = gaps.take(page: page, [])
            #expect(fresh.isEmpty)
        }
        #expect(pages == 9 && gaps.isHole && gaps.gap.map { $0.lowerBound } == Timeframe.minute.start(of: later - BarGaps.reach))
    }

    @Test func aPageThatReachesFurtherBackSavesTheNext() {
        var gaps = BarGaps()
        _ = gaps.take(stream: [bar(Self.minuteOfNoon - .minutes(1)), bar(Self.minuteOfNoon)])
        _ = gaps.open(at: noon + .hours(80), asks: .hours(24))
        guard let page = gaps.nextPage else { Issue.record("no page"); return }
        // Nothing traded on the page's day: the broker answers with the day before.
        let fresh = gaps.take(page: page, [bar(Self.minuteOfNoon + .hours(2)), bar(Self.minuteOfNoon + .hours(1))])
        #expect(fresh.map(\.start) == [Self.minuteOfNoon + .hours(1), Self.minuteOfNoon + .hours(2)])
        #expect(gaps.nextPage?.upperBound == Self.minuteOfNoon + .hours(1) && gaps.nextPage?.lowerBound == Self.minuteOfNoon)
    }
}
