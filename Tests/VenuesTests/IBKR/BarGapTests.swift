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

    private func update(_ request: String, _ start: Instant) -> [String] {
        ["90", request, "1", String(start.seconds), "230", "230.5", "231", "229", "230.1", "9"]
    }
    /// Time in which the market is busy: a live bar every half minute.
    private func passBusy(_ gateway: inout ScriptedGateway, _ span: Span, bars request: String) {
        let end = gateway.now + span
        while gateway.now < end {
            gateway.pass(min(.seconds(30), end - gateway.now), step: .seconds(10))
            gateway.say(update(request, Timeframe.minute.start(of: gateway.now)))
        }
    }

    /// Watches the stock, whose stream is answered with two minutes; gives the stream's request.
    private func watch(_ gateway: inout ScriptedGateway) throws -> String {
        gateway.ask(.watch(Self.stock.id))
        gateway.pass(.seconds(1))
        let stream = try #require(gateway.sent("20").first)[1]
        gateway.say(history(stream, [Self.minuteOfNoon - .minutes(1), Self.minuteOfNoon]))
        return stream
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

    /// Refused in whatever words: a minute's pause, doubled, then the gap is told, and asked for every few hours.
    @Test(arguments: [
        (162, "Historical Market Data Service error message:service is busy"), (162, "API historical data query cancelled"),
        (162, "Historical Market Data Service error message:Historical data request pacing violation"),
        (366, "No historical data query found for ticker id"), (10_182, "Failed to request live updates (disconnected)."),
        (354, "Requested market data is not subscribed"), (200, "No security definition"), (321, "Error validating request"), (420, "Pacing"),
    ]) func aPageThatIsRefusedIsAskedForMoreAndMoreSeldom(code: Int, text: String) throws {
        var gateway = try watching()
        var page = try #require(drop(&gateway, for: .hours(30)).last)
        _ = gateway.hear()
        var pauses: [Span] = []
        for attempt in 1...8 {
            gateway.complain(try #require(Int64(page[1])), code, text)
            let notices = gateway.hear().notices.filter { $0.text.contains("could not be fetched") }
            #expect(notices.count == (attempt == 5 ? 1 : 0), "\(attempt)")
            let refused = gateway.now
            var again: [[String]] = []
            while again.isEmpty, gateway.now - refused < .hours(9) {
                gateway.pass(.seconds(10), step: .seconds(10))
                again = gateway.sent("20").filter { $0[21] == "0" && $0[15] != "" }
            }
            pauses.append(gateway.now - refused)
            page = try #require(again.first)
        }
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 <= $1 } && pauses[0] >= .seconds(60) && pauses[4] >= .hours(1), "\(pauses)")
        // In the end the broker serves it, and the word is taken back.
        let newest = Timeframe.minute.start(of: gateway.now)
        gateway.say(history(page[1], [Self.minuteOfNoon, newest]))
        #expect(told(gateway.hear()).first == Self.minuteOfNoon)
    }

    /// A page and a stream that are not answered in time are taken back, and nobody hears them later.
    @Test func aLateAnswerIsTakenBackAndMeetsNobody() throws {
        var gateway = try watching()
        let asked = drop(&gateway, for: .hours(30))
        #expect(asked.map { $0[21] } == ["1", "0"])
        _ = gateway.sent()
        gateway.pass(.seconds(61), step: .seconds(1))
        #expect(gateway.sent("25").map { $0[2] }.sorted() == asked.map { $0[1] }.sorted())
        _ = gateway.hear()
        for request in asked {
            gateway.say(history(request[1], [Self.minuteOfNoon, Self.minuteOfNoon + .minutes(1)]))
            gateway.say(update(request[1], Self.minuteOfNoon + .minutes(2)))
        }
        #expect(gateway.hear().isEmpty)
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

    @Test func aSecondDropFetchesOnlyWhatIsStillMissing() throws {
        var gateway = try watching()
        let asked = drop(&gateway, for: .hours(60))
        let reopened = Timeframe.minute.start(of: gateway.now)
        gateway.say(history(asked[0][1], [reopened - .minutes(1), reopened]))
        gateway.say(history(asked[1][1], [reopened - .hours(25)]))
        gateway.pass(.seconds(1))
        let second = try #require(gateway.sent("20").last)
        #expect(second[21] == "0" && second[17] != "86400 S", "the gap's older part")
        // The second drop is short: the stream brings it, and of the first gap only the unanswered page is asked for again.
        let again = drop(&gateway, for: .minutes(10))
        #expect(again.count == 2 && again[0][21] == "1" && again[1][15] == second[15] && again[1][17] == second[17])
        #expect((Int64(again[0][17].dropLast(2)) ?? 0) < 900, "\(again[0][17])")
        gateway.say(history(again[1][1], [Self.minuteOfNoon]))
        gateway.pass(.minutes(1), step: .seconds(1))
        #expect(gateway.sent("20").allSatisfy { $0[21] == "1" })
    }

    // MARK: The link between gateway and broker

    /// After 1102 the gateway goes on with its streams, and what happened meanwhile is in none of them.
    @Test func minutesOfAnOutageAreFetchedAndMarked() throws {
        var gateway = ScriptedGateway.up(known: [Self.stock]) { $0.limits.quiet = .hours(400) }
        let stream = try watch(&gateway)
        passBusy(&gateway, .minutes(10), bars: stream)
        let quotes = try #require(gateway.sent("1").last)[2]
        gateway.complain(-1, 1_100, "lost")
        let lost = Timeframe.minute.start(of: gateway.now)
        gateway.pass(.minutes(7), step: .seconds(10))
        _ = (gateway.hear(), gateway.sent())
        gateway.complain(-1, 1_102, "restored - data maintained")
        let back = Timeframe.minute.start(of: gateway.now)
        gateway.pass(.seconds(20))
        let page = try #require(gateway.sent("20").first)
        let marked = gateway.hear().notices.filter { $0.code == Notice.missingBars }
        #expect(marked.count == 1 && marked.first?.text.contains("are missing") == true && page[21] == "0" && page[17] == "360 S", "\(page[17])")
        // Quotes flow: all was kept.
        gateway.say(["1", "6", quotes, "4", "230.5", "100", "0"])
        // The gateway's first bar after it is believed and does not hide the gap.
        gateway.say(update(stream, back))
        let starts = (0..<6).map { lost + .minutes($0) }
        gateway.say(history(page[1], starts))
        #expect(told(gateway.hear()) == starts)
        // What was not settled then follows; the minute in which it came back is not whole either, and asked for when it is over.
        for start in [back - .minutes(1), back] {
            passBusy(&gateway, start == back ? .seconds(70) : .seconds(10), bars: stream)
            let asked = gateway.sent("20")
            #expect(asked.count == 1 && asked.first?[17] == "60 S", "\(start)")
            _ = gateway.hear()
            gateway.say(history(try #require(asked.first)[1], [start]))
            let heard = gateway.hear()
            #expect(told(heard) == [start] && heard.notices.map(\.text) == (start == back ? [""] : []))
        }
        passBusy(&gateway, .minutes(5), bars: stream)
        #expect(gateway.sent("20").isEmpty)
    }

    // MARK: Silence

    /// Neither ticks nor bars come: the clock finds the stream, more and more patiently, and a live bar ends that.
    @Test func silentBarsAreFoundByTheClock() throws {
        var gateway = try watching()
        var times: [Instant] = []
        for _ in 0..<900 {
            gateway.pass(.seconds(1), step: .seconds(1))
            if let again = gateway.sent("20").last {
                times.append(gateway.now)
                gateway.say(history(again[1], [Timeframe.minute.start(of: gateway.now)]))
            }
        }
        #expect((3...5).contains(times.count), "\(times.count) in a quarter of an hour")
        let pauses = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 < $1 } && times.first.map { $0 - noon < .seconds(100) } == true)
    }

    // MARK: Midnight

    @Test func midnightRestartsTheStream() throws {
        var gateway = ScriptedGateway.up(known: [Self.stock]) { $0.limits.quiet = .hours(400) }
        let stream = try watch(&gateway)
        // Midnight in New York is 05:00 UTC.
        passBusy(&gateway, .hours(14) - .seconds(1), bars: stream)
        #expect(gateway.sent("20").isEmpty)
        gateway.pass(.seconds(62), step: .seconds(1))
        let frames = gateway.sent()
        let again = frames.filter { $0[0] == "20" && $0[21] == "1" }
        #expect(again.count == 1 && frames.filter { $0[0] == "25" }.map { $0[2] } == [stream])
        gateway.say(history(try #require(again.first)[1], [Timeframe.minute.start(of: gateway.now)]))
        passBusy(&gateway, .hours(23), bars: try #require(again.first)[1])
        #expect(gateway.sent("25").isEmpty)
    }

    // MARK: The bookkeeping alone

    @Test func oldGapsAreFetchedTenDaysBack() {
        var gaps = BarGaps()
        #expect(gaps.span(at: noon, standard: .hours(24)) == .hours(24) && gaps.span(at: noon, standard: .minutes(2)) == .minutes(2))
        let isFirst = gaps.open(at: noon, asks: .hours(24))
        #expect(!isFirst && gaps.nextPage(at: noon) == nil)
        _ = gaps.take(answer: [bar(Self.minuteOfNoon - .minutes(1)), bar(Self.minuteOfNoon)])
        #expect(gaps.whole == Self.minuteOfNoon - .minutes(1) && gaps.from == Self.minuteOfNoon)
        let later = noon + .hours(24 * 30)
        let isNew = gaps.open(at: later, asks: .hours(24))
        #expect(gaps.span(at: later, standard: .minutes(2)) == .hours(24) && isNew)
        var pages = 0
        while let page = gaps.nextPage(at: later) {
            pages += 1
            #expect(page.upperBound - page.lowerBound <= BarGaps.page)
            let fresh = gaps.take(page: page, [])
            #expect(fresh.isEmpty)
        }
        #expect(pages == 9 && gaps.isHole && gaps.gap.map { $0.lowerBound } == Timeframe.minute.start(of: later - BarGaps.reach))
    }

    @Test func aPageThatReachesFurtherBackSavesTheNext() {
        var gaps = BarGaps()
        _ = gaps.take(answer: [bar(Self.minuteOfNoon - .minutes(1)), bar(Self.minuteOfNoon)])
        _ = gaps.open(at: noon + .hours(80), asks: .hours(24))
        guard let page = gaps.nextPage(at: noon + .hours(80)) else { Issue.record("no page"); return }
        // Nothing traded on the page's day: the broker answers with the day before.
        let fresh = gaps.take(page: page, [bar(Self.minuteOfNoon + .hours(2)), bar(Self.minuteOfNoon + .hours(1))])
        #expect(fresh.map(\.start) == [Self.minuteOfNoon + .hours(1), Self.minuteOfNoon + .hours(2)])
        let next = gaps.nextPage(at: noon + .hours(80))
        #expect(next == Self.minuteOfNoon..<Self.minuteOfNoon + .hours(1))
    }

    /// Live bars that come before the stream's own answer prove nothing about the time before them.
    @Test func liveBarsDoNotHideAnAnswerThatNeverCame() {
        var gaps = BarGaps()
        _ = gaps.take(answer: [bar(Self.minuteOfNoon - .minutes(1)), bar(Self.minuteOfNoon)])
        _ = gaps.open(at: noon + .minutes(30), asks: .minutes(32))
        for minute in 30...33 { gaps.take(live: bar(Self.minuteOfNoon + .minutes(Int64(minute)))) }
        #expect(gaps.from == Self.minuteOfNoon)
        let fresh = gaps.take(answer: (0...30).map { bar(Self.minuteOfNoon + .minutes(Int64($0))) })
        #expect(fresh.count == 31 && gaps.whole == Self.minuteOfNoon + .minutes(32))
    }

    @Test func rangesThatTouchAreJoinedAndAMinuteIsFetchedWhenItIsOver() {
        var gaps = BarGaps()
        func minutes(_ from: Int64, _ to: Int64) -> Range<Instant> { Self.minuteOfNoon + .minutes(from)..<Self.minuteOfNoon + .minutes(to) }
        let isFirst = gaps.miss(minutes(0, 1), at: noon)
        #expect(gaps.nextPage(at: noon + .seconds(60)) == nil && gaps.nextPage(at: noon + .seconds(75)) == minutes(0, 1))
        let isSecond = gaps.miss(minutes(5, 7), at: noon) || gaps.miss(minutes(1, 2), at: noon)
        #expect(isFirst && !isSecond && gaps.missing == [minutes(0, 2), minutes(5, 7)])
        #expect(gaps.gap == minutes(0, 7))
        _ = gaps.take(page: minutes(6, 7), [bar(Self.minuteOfNoon + .minutes(6))])
        #expect(gaps.missing == [minutes(0, 2), minutes(5, 6)])
        for minute in 10..<80 { _ = gaps.miss(minutes(Int64(minute * 2), Int64(minute * 2 + 1)), at: noon) }
        #expect(gaps.missing.count <= 32 && gaps.missing.last == minutes(158, 159) && gaps.missing.first?.lowerBound == Self.minuteOfNoon)
    }
}
