// Minutes made of five-second bars, where the broker serves no updated history: what of them is whole, and the way back.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct FiveSecondBarTests {
    private static let stock = IBKRSessionNoticeTests.stock
    private static let minuteOfNoon = Timeframe.minute.start(of: noon)

    private func history(_ request: String, _ starts: [Instant]) -> [String] {
        ["17", request, "", "", String(starts.count)]
            + starts.flatMap { [String($0.seconds), "230", "231", "229", "230.5", "100", "230.1", "9"] }
    }
    private func five(_ request: String, _ start: Instant, high: String = "232") -> [String] {
        ["50", "3", request, String(start.seconds), "230", high, "229", "231", "10", "230.5", "3"]
    }
    private func live(_ events: [VenueEvent]) -> [Instant] {
        events.flatMap { if case .bars(_, let bars, false) = $0 { bars.map(\.start) } else { [Instant]() } }
    }
    private func past(_ events: [VenueEvent]) -> [Instant] {
        events.flatMap { if case .bars(_, let bars, true) = $0 { bars.map(\.start) } else { [Instant]() } }
    }
    /// Five-second bars until updated history is asked for, half an hour at most.
    private func waitForKept(_ gateway: inout ScriptedGateway, bars request: String) throws -> [String] {
        for _ in 0..<360 {
            pass(&gateway, .seconds(5), bars: request)
            if let asked = gateway.sent("20").first(where: { $0[21] == "1" }) { return asked }
        }
        return try #require(nil)
    }
    /// Five-second bars for so long, as the broker says them when each is over.
    private func pass(_ gateway: inout ScriptedGateway, _ span: Span, bars request: String) {
        let end = gateway.now + span
        while gateway.now < end {
            gateway.pass(.seconds(5), step: .seconds(5))
            gateway.say(five(request, Instant(seconds: gateway.now.seconds / 5 * 5 - 5)))
        }
    }

    /// Updated history was refused; gives the numbers of the plain history and of the five-second bars.
    private func fallenBack(after span: Span = .zero) throws -> (ScriptedGateway, history: String, five: String) {
        var gateway = ScriptedGateway.up(known: [Self.stock]) { $0.limits.quiet = .hours(400) }
        gateway.pass(span, step: .minutes(1))
        gateway.ask(.watch(Self.stock.id))
        gateway.pass(.seconds(1))
        let first = try #require(gateway.sent("20").first)
        gateway.complain(try #require(Int64(first[1])), 162, "Historical Market Data Service error message:keep up to date not supported")
        gateway.pass(.seconds(1))
        let frames = gateway.sent()
        let plain = try #require(frames.first { $0[0] == "20" })
        #expect(plain[21] == "0" && plain[15] == "", "its place is taken at once")
        _ = gateway.hear()
        return (gateway, plain[1], try #require(frames.first { $0[0] == "50" })[2])
    }

    @Test func aMinuteThatBeganBeforeTheStreamIsFetchedWhenItIsOver() throws {
        var (gateway, plain, request) = try fallenBack()
        gateway.say(history(plain, [Self.minuteOfNoon - .minutes(1), Self.minuteOfNoon]))
        #expect(past(gateway.hear()) == [Self.minuteOfNoon - .minutes(1), Self.minuteOfNoon])
        gateway.pass(.seconds(18), step: .seconds(1))
        for second in stride(from: 20 as Int64, to: 60, by: 5) { gateway.say(five(request, Self.minuteOfNoon + .seconds(second))) }
        #expect(gateway.hear().isEmpty, "two thirds of a minute are no minute")
        gateway.pass(.seconds(50), step: .seconds(1))
        gateway.say(five(request, Self.minuteOfNoon + .seconds(60)))
        #expect(live(gateway.hear()) == [Self.minuteOfNoon + .minutes(1)] && gateway.sent("20").isEmpty)
        gateway.pass(.seconds(10), step: .seconds(1))
        let page = try #require(gateway.sent("20").first)
        #expect(page[15] == "20261120-15:01:00" && page[17] == "60 S" && page[21] == "0")
        gateway.say(history(page[1], [Self.minuteOfNoon]))
        let heard = gateway.hear()
        #expect(past(heard) == [Self.minuteOfNoon] && heard.notices.isEmpty, "a start is no gap to tell of")
        pass(&gateway, .minutes(5), bars: request)
        #expect(gateway.sent("20").isEmpty)
    }

    @Test func aStreamThatBeginsWithAMinuteMakesItWhole() throws {
        var (gateway, plain, request) = try fallenBack()
        gateway.pass(.seconds(58), step: .seconds(1))
        gateway.say(five(request, Self.minuteOfNoon + .minutes(1)))
        #expect(live(gateway.hear()) == [Self.minuteOfNoon + .minutes(1)])
        // The answer was drawn before; the minute that forms is newer.
        gateway.say(history(plain, [Self.minuteOfNoon, Self.minuteOfNoon + .minutes(1)]))
        #expect(past(gateway.hear()) == [Self.minuteOfNoon])
        gateway.pass(.minutes(1), step: .seconds(1))
        #expect(gateway.sent("20").isEmpty)
    }

    /// After an hour updated history is asked for again; five-second bars go on until it has come, and end then.
    @Test(arguments: [true, false]) func updatedHistoryIsTriedAgain(isServed: Bool) throws {
        var (gateway, plain, request) = try fallenBack()
        gateway.say(history(plain, [Self.minuteOfNoon]))
        pass(&gateway, .minutes(3), bars: request)
        _ = gateway.sent()
        pass(&gateway, .minutes(56), bars: request)
        #expect(gateway.sent("20").allSatisfy { $0[15] != "" }, "not before")
        let again = try waitForKept(&gateway, bars: request)
        #expect(again[15] == "" && gateway.now - noon < .minutes(61))
        _ = gateway.hear()
        guard isServed else {
            gateway.complain(try #require(Int64(again[1])), 162, "Historical Market Data Service error message:keep up to date not supported")
            _ = gateway.hear()
            pass(&gateway, .minutes(3), bars: request)
            #expect(live(gateway.hear()).count > 30 && !gateway.sent().contains { ["20", "50", "51"].contains($0[0]) }, "they simply go on")
            pass(&gateway, .minutes(50), bars: request)
            #expect(!gateway.sent("20").contains { $0[21] == "1" })
            let third = try waitForKept(&gateway, bars: request)
            #expect((Int64(third[17].dropLast(2)) ?? .max) < 300, "all before is known: \(third[17])")
            return
        }
        gateway.say(history(again[1], [Timeframe.minute.start(of: gateway.now)]))
        gateway.pass(.seconds(1))
        #expect(gateway.sent("51").map { $0[2] } == [request])
        _ = gateway.hear()
        gateway.say(five(request, gateway.now))
        #expect(gateway.hear().isEmpty)
    }

    @Test func aNewConnectionTriesUpdatedHistoryFirst() throws {
        var (gateway, _, _) = try fallenBack()
        gateway.drop()
        gateway.pass(.seconds(3))
        gateway.connect()
        gateway.say(["178", "x"])
        gateway.say(["15", "1", "DU1"])
        gateway.say(["9", "1", "1"])
        gateway.pass(.seconds(1))
        let frames = gateway.sent()
        #expect(frames.filter { $0[0] == "20" }.map { $0[21] } == ["1"] && !frames.contains { $0[0] == "50" })
    }

    @Test func midnightTriesUpdatedHistoryToo() throws {
        var (gateway, plain, request) = try fallenBack(after: .minutes(30))
        gateway.say(history(plain, [Self.minuteOfNoon]))
        // Refused each hour, at the half, until shortly before midnight in New York, which is 05:00 UTC.
        while gateway.now < noon + .hours(14) - .minutes(2) {
            pass(&gateway, .minutes(1), bars: request)
            for asked in gateway.sent("20") where asked[21] == "1" {
                gateway.complain(try #require(Int64(asked[1])), 162, "Historical Market Data Service error message:keep up to date not supported")
            }
        }
        _ = try waitForKept(&gateway, bars: request)
        let midnight = noon + .hours(14)
        #expect((midnight...midnight + .seconds(65)).contains(gateway.now), "\(gateway.now)")
    }

    @Test func fiveSecondBarsThatFallSilentAreAskedForAnew() throws {
        var (gateway, plain, request) = try fallenBack()
        gateway.say(history(plain, [Self.minuteOfNoon]))
        pass(&gateway, .minutes(2), bars: request)
        _ = gateway.sent()
        gateway.pass(.seconds(95), step: .seconds(1))
        let frames = gateway.sent()
        #expect(frames.filter { $0[0] == "51" }.map { $0[2] } == [request] && frames.filter { $0[0] == "50" }.count == 1)
    }
}
