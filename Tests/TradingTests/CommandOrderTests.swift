// Commands at the edge: order, replacing, taking back, what the person saw, and how many come in a minute.
import Ledger
import Testing
import Trading
import Values

struct CommandOrderTests {
    static let key = "trade/\(TestDesk.mbt)"

    /// A watch at a place of the instrument's key: it has one visible effect and no limits of its own.
    static func watch(_ desk: TestDesk, _ number: UInt8, place: Int64?, floor: Int64 = 1, lifetime: Int64 = 60, boot: UInt64 = 1) throws -> DeskInput
    {
        try make(desk, .watch(instrument: TestDesk.mbt), number, place: place, floor: floor, lifetime: lifetime, boot: boot)
    }

    static func make(
        _ desk: TestDesk, _ body: CommandBody, _ number: UInt8, place: Int64? = nil, floor: Int64 = 1, lifetime: Int64 = 10, boot: UInt64 = 1,
        _ change: (inout Command) -> Void = { _ in }
    ) throws -> DeskInput {
        var command = Command(
            id: try id(number), edge: TestDesk.edge, boundBoot: Boot(raw: boot), issuer: "cloud:admin", tier: body.tier, issuedAt: desk.now,
            expiresAt: nil, body: body)
        command.place = place.map { CommandPlace(key: key, number: $0, floor: floor) }
        change(&command)
        return .command(command, deadline: desk.now + .seconds(lifetime))
    }

    static func id(_ number: UInt8) throws -> CommandID { try #require(CommandID(bytes: [UInt8](repeating: number, count: 16))) }

    /// Codes of all outcomes, in the order of the ledger, with the first byte of the id.
    static func story(_ desk: TestDesk) -> [String] {
        desk.facts.compactMap {
            switch $0 {
            case .commandAccepted(let outcome): "\(outcome.command.bytes[0]) \(outcome.code)"
            case .commandRefused(let outcome): "\(outcome.command.bytes[0]) \(outcome.code)"
            default: nil
            }
        }
    }

    // MARK: - Order

    @Test func commandsOfOneKeyAreExecutedInTheOrderTheyWereAskedFor() throws {
        var desk = try TestDesk()
        try desk.send(Self.watch(desk, 3, place: 3))
        try desk.send(Self.watch(desk, 2, place: 2))
        #expect(Self.story(desk).isEmpty, "both wait for the first")
        try desk.send(Self.watch(desk, 1, place: 1))
        try desk.send(.timer)
        try desk.send(.timer)
        #expect(Self.story(desk) == ["1 done", "2 done", "3 done"])
        try desk.send(Self.watch(desk, 2, place: 2))
        #expect(Self.story(desk).count == 3, "a late copy does nothing")
    }

    @Test func aGapIsWaitedForTwoSecondsAndNoLonger() throws {
        var desk = try TestDesk()
        try desk.send(Self.watch(desk, 2, place: 2))
        try desk.tick(1)
        try desk.send(Self.watch(desk, 3, place: 3))
        #expect(Self.story(desk).isEmpty)
        try desk.tick(1)
        #expect(Self.story(desk) == ["2 gap", "3 gap"])
        try desk.send(Self.watch(desk, 1, place: 1))
        #expect(Self.story(desk).last == "1 outOfOrder", "it comes too late")
        try desk.send(Self.watch(desk, 4, place: 4))
        #expect(Self.story(desk).last == "4 done", "the key goes on behind the gap")
    }

    @Test func whatEndedInTheCloudIsNotWaitedFor() throws {
        var desk = try TestDesk()
        try desk.send(Self.watch(desk, 7, place: 7, floor: 7))
        #expect(Self.story(desk) == ["7 done"])
    }

    @Test func aHaltOvertakesWhatWaits() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        try desk.send(Self.make(desk, DeskTests.buy(1), 2, place: 2))
        try desk.send(Self.make(desk, .halt(reason: "enough"), 9))
        #expect(desk.desk.book.haltLevel == .halt)
        try desk.send(Self.make(desk, .close(instrument: TestDesk.mbt), 1, place: 1))
        try desk.send(.timer)
        #expect(Self.story(desk) == ["9 done", "1 nothingToClose", "2 halted"])
    }

    @Test func otherKeysDoNotWait() throws {
        var desk = try TestDesk()
        try desk.send(Self.watch(desk, 2, place: 2))
        try desk.send(
            Self.make(desk, .watch(instrument: InstrumentID("A")), 1, lifetime: 60) { $0.place = CommandPlace(key: "b", number: 1, floor: 1) })
        #expect(Self.story(desk) == ["1 done"])
    }

    @Test func whatWaitsTooLongForItsOwnLifeIsExpired() throws {
        var desk = try TestDesk()
        try desk.send(Self.watch(desk, 2, place: 2, lifetime: 1))
        try desk.tick(1)
        #expect(Self.story(desk) == ["2 expired"])
        try desk.send(Self.watch(desk, 1, place: 1))
        try desk.send(Self.watch(desk, 3, place: 3))
        #expect(Self.story(desk) == ["2 expired", "1 done", "3 done"], "its number is not waited for")
    }

    /// Numbers count within one run, so that a new run waits for nothing that an old one was sent.
    @Test func aRestartBeginsAtTheFirstNumber() throws {
        var desk = try TestDesk()
        try desk.send(Self.watch(desk, 1, place: 1))
        try desk.send(Self.watch(desk, 3, place: 3))
        var next = try TestDesk()
        next.chain = Chain(edge: TestDesk.edge, boot: Boot(raw: 2), last: desk.entries.last)
        next.desk = Desk(settings: DeskSettings(mode: .paper), book: desk.desk.book)
        next.facts = desk.facts
        try next.commit([Draft(.boot(BootFact(version: "v", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))])
        try next.send(Self.watch(next, 3, place: 3, boot: 1))
        #expect(Self.story(next) == ["1 done", "3 wrongBoot"], "what was bound to the old run is never executed")
        try next.send(Self.watch(next, 4, place: 1, boot: 2))
        #expect(Self.story(next) == ["1 done", "3 wrongBoot", "4 done"])
    }

    @Test func aSetClockNeitherStretchesNorCutsTheWaiting() throws {
        var desk = try TestDesk()
        try desk.send(Self.watch(desk, 2, place: 2, lifetime: 30))
        desk.now = desk.now + .hours(1)
        desk.desk.clockWasSet(by: .hours(1))
        try desk.send(.timer)
        #expect(Self.story(desk).isEmpty, "no time passed")
        desk.now = desk.now + .hours(-2)
        desk.desk.clockWasSet(by: .hours(-2))
        try desk.tick(2)
        #expect(Self.story(desk) == ["2 gap"])
    }

    // MARK: - Replacing and taking back

    @Test func aNewerCommandTakesThePlaceOfAWaitingOne() throws {
        var desk = try TestDesk()
        try desk.send(Self.watch(desk, 2, place: 2))
        try desk.send(Self.make(desk, .watch(instrument: TestDesk.mbt), 3, place: 3, lifetime: 60) { $0.supersedes = try? Self.id(2) })
        #expect(Self.story(desk) == ["2 superseded"])
        try desk.send(Self.watch(desk, 1, place: 1))
        try desk.send(.timer)
        #expect(Self.story(desk) == ["2 superseded", "1 done", "3 done"])
    }

    @Test func whatIsReplacedBeforeItArrivesIsNeverExecuted() throws {
        var desk = try TestDesk()
        try desk.send(Self.make(desk, .watch(instrument: TestDesk.mbt), 3, lifetime: 60) { $0.supersedes = try? Self.id(2) })
        try desk.send(Self.watch(desk, 2, place: nil))
        #expect(Self.story(desk) == ["2 superseded", "3 done"])
    }

    @Test func anOrderDoesNotComeOnTopOfTheOneItWasToReplace() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        try desk.send(Self.make(desk, DeskTests.buy(1), 1))
        try desk.send(Self.make(desk, DeskTests.buy(2), 2) { $0.supersedes = try? Self.id(1) })
        #expect(desk.placed.count == 1 && desk.refusal?.code == "alreadyExecuted")
    }

    @Test func takenBackWhileItWaitsOrBeforeItArrivesOrTooLate() throws {
        var desk = try TestDesk()
        func back(_ target: UInt8, boot: UInt64 = 1) throws -> CommandBody {
            .withdraw(command: try Self.id(target), boot: Boot(raw: boot), kind: "watch")
        }
        try desk.send(Self.watch(desk, 2, place: 2))
        try desk.send(Self.make(desk, back(2), 20))
        #expect(Self.story(desk) == ["2 withdrawn", "20 done"])
        try desk.send(Self.make(desk, back(5), 50))
        try desk.send(Self.watch(desk, 5, place: nil))
        #expect(Self.story(desk).suffix(2) == ["5 withdrawn", "50 done"], "the late copy finds its id in the ledger")
        try desk.send(Self.watch(desk, 1, place: 1))
        try desk.send(Self.make(desk, back(1), 10))
        #expect(Self.story(desk).suffix(2) == ["1 done", "10 alreadyExecuted"])
        try desk.send(Self.make(desk, back(2), 21))
        #expect(Self.story(desk).last == "21 alreadyRefused")
        try desk.send(Self.make(desk, back(77, boot: 9), 70))
        let lost = try Self.id(77)
        #expect(Self.story(desk).last == "70 unknown" && desk.desk.book.commands[lost] == nil)
    }

    // MARK: - What the person saw

    @Test func theEdgeRefusesWhatWasAskedOnAnotherPicture() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        func held(_ quantity: Int64, orLess: Bool = false) -> Ledger.Expectation {
            Ledger.Expectation(held: .init(instrument: TestDesk.mbt, quantity: Quantity(whole: quantity), orLess: orLess))
        }
        func code(_ number: UInt8, _ body: CommandBody, _ expects: Ledger.Expectation) throws -> String? {
            try desk.send(Self.make(desk, body, number) { $0.expects = expects })
            return Self.story(desk).last { $0.hasPrefix("\(number) ") }
        }
        #expect(try code(1, DeskTests.buy(3), held(2)) == "1 precondition")
        #expect(desk.refusal?.text == "The screen showed a position of 2 MBTZ6.CME; it is 0. Nothing was done. Look again, then ask again.")
        #expect(try code(2, DeskTests.buy(3), held(0)) == nil && desk.placed.count == 1)
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "x1", 3, 98_000)))
        let close = CommandBody.close(instrument: TestDesk.mbt)
        #expect(try code(3, close, held(2, orLess: true)) == "3 precondition", "more than was seen")
        #expect(try code(4, close, held(-3, orLess: true)) == "4 precondition", "the other side")
        #expect(try code(5, .cancel(tag: desk.placed[0]), Ledger.Expectation(order: .init(tag: desk.placed[0], status: .new))) == "5 precondition")
        let words = desk.refusal?.text ?? ""
        #expect(words.hasPrefix("The screen showed the order \(desk.placed[0]) as NEW; it is FILLED."))
        #expect(try code(6, close, Ledger.Expectation(halt: .halt)) == "6 precondition")
        let band = Ledger.Expectation(band: .init(instrument: TestDesk.mbt, low: Price(whole: 98_005), high: Price(whole: 99_000)))
        #expect(try code(7, close, band) == "7 precondition")
        #expect(try code(8, close, held(5, orLess: true)) == "8 closing", "less than was seen is what is left to close")
    }

    /// What was shown of an order is the side of the quote that it meets; the last trade may be of another hour, and stand where it stood when the book
    /// has moved on.
    @Test func anOrderIsHeldToThePriceItWouldMeet() throws {
        func taken(last: Int64, bid: Int64, ask: Int64, _ side: Side, _ seen: Int64) throws -> Bool {
            var desk = try TestDesk()
            try desk.makeReady()
            var quote = Quote(asOf: desk.now)
            quote.last = Price(whole: last); quote.bid = Price(whole: bid); quote.ask = Price(whole: ask)
            try desk.send(.quote(TestDesk.mbt, quote))
            let body = CommandBody.order(
                instrument: TestDesk.mbt, side: side, size: .quantity(Quantity(whole: 1)), trailing: .percent(Ratio(raw: 100_000)), reverse: false)
            try desk.send(
                Self.make(desk, body, 1) {
                    $0.expects = Ledger.Expectation(
                        band: .init(instrument: TestDesk.mbt, low: Price(whole: seen - seen / 100), high: Price(whole: seen + seen / 100)))
                })
            return !desk.placed.isEmpty
        }
        #expect(try taken(last: 95_000, bid: 98_000, ask: 98_010, .buy, 98_010), "an old trade is no price of now")
        #expect(try taken(last: 95_000, bid: 98_000, ask: 98_010, .sell, 98_000))
        #expect(try false == taken(last: 98_000, bid: 101_000, ask: 101_010, .buy, 98_010), "nobody has traded yet where the book is")
        #expect(try false == taken(last: 98_000, bid: 95_000, ask: 95_010, .sell, 98_000))
    }

    // MARK: - Vetoes

    @Test func everyVetoHasItsName() throws {
        func code(
            _ body: CommandBody = DeskTests.buy(1), settings: DeskSettings = DeskSettings(mode: .paper), lifetime: Int64 = 10,
            _ change: (inout Command) -> Void = { _ in }
        ) throws -> String? {
            var desk = try TestDesk(settings: settings)
            try desk.makeReady()
            try desk.send(Self.make(desk, body, 1, lifetime: lifetime, change))
            #expect(desk.placed.isEmpty == (desk.refusal != nil), "an order or a refusal")
            return desk.refusal?.code
        }
        func settings(_ change: (inout DeskSettings) -> Void) -> DeskSettings {
            var settings = DeskSettings(mode: .paper)
            change(&settings)
            return settings
        }
        #expect(try code() == nil)
        #expect(try code { $0.mode = .paper } == nil)
        #expect(try code { $0.mode = .live } == "wrongMode")
        #expect(try code { $0.tier = 1 } == "tier")
        #expect(try code { $0.edge = EdgeID(bytes: [UInt8](repeating: 9, count: 16)) ?? $0.edge } == "wrongEdge")
        #expect(try code { $0.skew = .seconds(10) } == nil)
        #expect(try code { $0.skew = .milliseconds(-10_001) } == "clockSkew")
        // What a stamp of the year 1677 comes to: the furthest that there is, which has no positive.
        #expect(try code { $0.skew = Span(nanoseconds: .min) } == "clockSkew")
        #expect(try code(lifetime: 61) == "lifetime")
        #expect(try code(settings: settings { $0.acceptsRemoteOpenings = false }) == "remoteOrders")
        #expect(try code(settings: settings { $0.wantsSignature = true }) == "unsigned")
        #expect(try code(settings: settings { $0.listed = ["ES"] }) == "notListed")
        #expect(try code(settings: settings { $0.listed = ["MBT"] }) == nil)
        #expect(
            try code(.order(instrument: TestDesk.mbt, side: .buy, size: .max, trailing: .percent(Ratio(raw: 0)), reverse: false)) == "badTrailing")
        #expect(try code(DeskTests.buy(0)) == "badQuantity")
        #expect(try code(DeskTests.buy(101)) == "quantityMax")
    }

    /// A setting may have waited for five minutes before it is carried out; one that was to live longer is refused.
    @Test func aSettingLivesFiveMinutes() throws {
        var desk = try TestDesk()
        try desk.send(Self.watch(desk, 1, place: nil, lifetime: 300))
        #expect(Self.story(desk) == ["1 done"] && desk.refusal == nil)
        try desk.send(Self.watch(desk, 2, place: nil, lifetime: 301))
        #expect(desk.refusal?.code == "lifetime" && Self.story(desk) == ["1 done", "2 lifetime"])
    }

    @Test func aWrongClockStopsNoClosing() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        try desk.send(Self.make(desk, DeskTests.buy(1), 1))
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "x1", 1, 98_000)))
        try desk.send(Self.make(desk, .close(instrument: TestDesk.mbt), 2) { $0.skew = .hours(1) })
        #expect(Self.story(desk) == ["2 closing"])
    }

    @Test func whileHaltedNothingButRiskReductionIsTaken() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        try desk.send(Self.make(desk, .halt(reason: "r"), 1))
        try desk.send(Self.make(desk, .watch(instrument: TestDesk.mbt), 2))
        try desk.send(Self.make(desk, DeskTests.buy(1), 3))
        try desk.send(Self.make(desk, .close(instrument: TestDesk.mbt), 4))
        #expect(Self.story(desk) == ["1 done", "2 halted", "3 halted", "4 nothingToClose"])
    }

    @Test func aMinuteHoldsThirtyCommandsAndTenOrdersOfOneIssuer() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        func send(_ body: CommandBody, _ number: UInt8, issuer: String = "cloud:admin") throws -> String? {
            try desk.send(Self.make(desk, body, number) { $0.issuer = issuer })
            return Self.story(desk).last { $0.hasPrefix("\(number) ") }
        }
        let order = CommandBody.order(instrument: InstrumentID("X"), side: .buy, size: .max, trailing: nil, reverse: false)
        for number: UInt8 in 1...10 { #expect(try send(order, number) == "\(number) unknownInstrument") }
        #expect(try send(order, 11) == "11 tooManyOrders")
        #expect(try send(order, 12, issuer: "cloud:bob") == "12 unknownInstrument", "another issuer has a share of its own")
        for number: UInt8 in 13...31 { #expect(try send(.watch(instrument: TestDesk.mbt), number) == "\(number) done") }
        #expect(try send(.watch(instrument: TestDesk.mbt), 32) == "32 tooManyCommands")
        #expect(try send(.halt(reason: "r"), 33) == "33 done", "a halt is never counted")
        desk.now = desk.now + .seconds(2)
        #expect(try send(.close(instrument: TestDesk.mbt), 34) == "34 nothingToClose", "one every two seconds")
        #expect(try send(.close(instrument: TestDesk.mbt), 35) == "35 tooManyCommands")
        for (place, issuer) in ["a", "b", "c"].enumerated() {
            for number in 0..<12 { _ = try send(.close(instrument: TestDesk.mbt), UInt8(40 + place * 20 + number), issuer: issuer) }
        }
        #expect(desk.refusal?.code == "tooManyCommands", "all issuers together have sixty")
    }

    /// Each switch takes its protection away, and the same story shows it.
    @Test func everySwitchIsSeen() throws {
        func story(
            _ change: (inout CommandRules) -> Void, listed: Set<String>? = nil, _ tell: (inout TestDesk) throws -> Void
        ) throws -> [String] {
            var settings = DeskSettings(mode: .paper)
            settings.listed = listed
            change(&settings.commandRules)
            var desk = try TestDesk(settings: settings)
            try desk.makeReady()
            try tell(&desk)
            return Self.story(desk) + desk.placed.map { _ in "placed" }
        }
        #expect(try story({ $0.noOrderKeys = true }) { try $0.send(Self.watch($0, 2, place: 2)) } == ["2 done"])
        #expect(
            try story({ $0.gapNeverEnds = true }) {
                try $0.send(Self.watch($0, 2, place: 2)); try $0.tick(9)
            } == [])
        #expect(
            try story({ $0.ignoresPrecondition = true }) {
                try $0.send(Self.make($0, DeskTests.buy(1), 1) { $0.expects = Ledger.Expectation(halt: .halt) })
            } == ["placed"])
        #expect(
            try story({ $0.executesAfterWithdraw = true }) {
                let body = CommandBody.withdraw(command: try Self.id(5), boot: Boot(raw: 1), kind: "watch")
                try $0.send(Self.make($0, body, 50)); try $0.send(Self.watch($0, 5, place: nil))
            } == ["50 done", "5 done"])
        #expect(
            try story({ $0.executesSuperseded = true }) {
                try $0.send(Self.make($0, .watch(instrument: TestDesk.mbt), 3) { $0.supersedes = try? Self.id(2) })
                try $0.send(Self.watch($0, 2, place: nil))
            } == ["3 done", "2 done"])
        #expect(
            try story({ $0.noTokenBucket = true }) { for number: UInt8 in 1...40 { try $0.send(Self.watch($0, number, place: nil)) } }.count == 40)
        #expect(try story({ $0.ignoresDeadline = true }) { try $0.send(Self.make($0, DeskTests.buy(1), 1, lifetime: -1)) } == ["placed"])
        #expect(try story({ $0.anyBoot = true }) { try $0.send(Self.make($0, DeskTests.buy(1), 1, boot: 9)) } == ["placed"])
        #expect(
            try story({ $0.noDedup = true }) {
                try $0.send(Self.watch($0, 1, place: nil)); try $0.send(Self.watch($0, 1, place: nil))
            } == ["1 done", "1 done"])
        #expect(try story({ $0.anyTier = true }) { try $0.send(Self.make($0, DeskTests.buy(1), 1) { $0.tier = 0 }) } == ["placed"])
        #expect(try story({ $0.anyMode = true }) { try $0.send(Self.make($0, DeskTests.buy(1), 1) { $0.mode = .live }) } == ["placed"])
        #expect(try story({ $0.ignoresSkew = true }) { try $0.send(Self.make($0, DeskTests.buy(1), 1) { $0.skew = .hours(1) }) } == ["placed"])
        #expect(try story({ $0.anyInstrument = true }, listed: ["ES"]) { try $0.send(Self.make($0, DeskTests.buy(1), 1)) } == ["placed"])
        #expect(try story({ $0.anyLifetime = true }) { try $0.send(Self.make($0, DeskTests.buy(1), 1, lifetime: 900)) } == ["placed"])
    }
}
