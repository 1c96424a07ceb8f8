// A closing that comes to nothing gives its position the protection back.
import Ledger
import Testing
import Trading
import Values

struct RestoringTests {
    private static let trail = TrailingOffset.percent(Ratio(raw: 100_000))

    /// Ten held with a trailing stop, and a closing whose cancel has gone out.
    private func closing() throws -> (desk: TestDesk, command: CommandID, stop: ClOrdID) {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(10, trailing: Self.trail))
        for tag in desk.placed { try desk.send(.order(desk.brokerOrder(tag, .new), code: nil)) }
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "e1", 10, 98_000)))
        let command = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        return (desk, command, desk.placed[1])
    }

    private func expectProtected(_ desk: TestDesk, _ quantity: Int64, after count: Int) throws {
        try #require(desk.placed.count == count + 1)
        let again = try #require(desk.placed.last.flatMap { desk.desk.book.order($0) })
        #expect(again.leg.role == .protect && again.leg.side == .sell && again.leg.ordType == .trailingStop && again.leg.trailing == Self.trail)
        #expect(again.quantity == Quantity(whole: quantity) && again.leg.timeInForce == .gtc && again.leg.parent == nil)
    }

    /// The market is shut, or the broker will not: four of ten were sold before it said so.
    @Test(arguments: [0, 4] as [Int64]) func aRejectedClosingOrderBringsTheStopBack(sold: Int64) throws {
        var (desk, command, stop) = try closing()
        try desk.send(.order(desk.brokerOrder(stop, .canceled), code: nil))
        try desk.tick()
        #expect(desk.placed.count == 3)
        if sold > 0 { try desk.send(.fill(desk.brokerFill(desk.placed[2], "c1", sold, 98_000))) }
        try desk.send(.order(desk.brokerOrder(desk.placed[2], .rejected, text: "closed"), code: 201))
        try desk.tick()
        try expectProtected(desk, 10 - sold, after: 3)
        let outcome = try #require(desk.desk.book.commands[command])
        #expect(outcome.code == "notCompleted" && outcome.text.contains("placed again for \(Quantity(whole: 10 - sold))"))
        try desk.tick(); try desk.tick()
        #expect(desk.placed.count == 4, "once")
        #expect(desk.desk.live.items["notice/\(Notice.unprotected)/\(TestDesk.mbt)"] == nil, "it is protected")
    }

    /// The cancel is confirmed after the closing was given up: until then the stop may still fill, and a second one would sell twice.
    @Test func aStopThatEndsLateIsReplacedThen() throws {
        var (desk, command, stop) = try closing()
        try desk.tick(61)
        #expect(desk.desk.book.commands[command]?.code == "notCompleted" && desk.placed.count == 2)
        try desk.send(.order(desk.brokerOrder(stop, .canceled), code: nil))
        try desk.tick()
        try expectProtected(desk, 10, after: 2)
    }

    /// A stop that filled after all leaves nothing to protect.
    @Test func aStopThatFilledIsNotReplaced() throws {
        var (desk, _, stop) = try closing()
        try desk.tick(61)
        try desk.send(.fill(desk.brokerFill(stop, "s", 10, 97_000)))
        try desk.tick()
        #expect(desk.placed.count == 2 && desk.desk.book.netQuantity(TestDesk.mbt) == .zero)
    }

    /// A new run finds a closing cut off after its protection was gone.
    @Test func aRestartBringsTheStopBackOnceCompared() throws {
        var (desk, command, stop) = try closing()
        try desk.send(.order(desk.brokerOrder(stop, .canceled), code: nil))
        var book = Book(edge: TestDesk.edge)
        for entry in desk.entries { book.apply(entry) }
        desk.desk = Desk(settings: DeskSettings(mode: .paper), book: book)
        try desk.tick()
        #expect(desk.placed.count == 2, "nothing leaves before the comparison")
        let held = [BrokerPosition(account: "DU1", instrument: TestDesk.mbt, quantity: Quantity(whole: 10))]
        try desk.makeReady(generation: 2, positions: held)
        try desk.tick()
        try expectProtected(desk, 10, after: 2)
        #expect(desk.desk.book.commands[command]?.code == "notCompleted")
    }

    /// Given up, and the run ended before the broker had confirmed the cancel: the ledger still says which closing took the stop away.
    @Test func aRestartBringsBackWhatAGivenUpClosingStillOwed() throws {
        var (desk, command, stop) = try closing()
        try desk.tick(61)
        #expect(desk.desk.book.commands[command]?.code == "notCompleted" && desk.placed.count == 2)
        var book = Book(edge: TestDesk.edge)
        for entry in desk.entries { book.apply(entry) }
        desk.desk = Desk(settings: DeskSettings(mode: .paper), book: book)
        try desk.commit([Draft(.boot(BootFact(version: "v", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))])
        try desk.send(.condition(desk.gateway(.connected), generation: 2))
        try desk.send(.ready(account: "DU1", generation: 2, nextOrderID: 1))
        let held = [BrokerPosition(account: "DU1", instrument: TestDesk.mbt, quantity: Quantity(whole: 10))]
        for _ in 0..<2 {
            try desk.tick(11)
            #expect(desk.placed.count == 2)
            let gone = try desk.brokerOrder(stop, .canceled)
            try desk.send(.snapshot(desk.snapshot(2, completed: [gone], positions: held)))
        }
        for _ in 0..<3 { try desk.tick() }
        try expectProtected(desk, 10, after: 2)
    }

    /// A closing whose order was rejected, and the stop that was placed again rejected too.
    private func refused() throws -> TestDesk {
        var (desk, _, stop) = try closing()
        try desk.send(.order(desk.brokerOrder(stop, .canceled), code: nil))
        try desk.tick()
        try desk.send(.order(desk.brokerOrder(desk.placed[2], .rejected, text: "closed"), code: 201))
        try desk.tick()
        try #require(desk.placed.count == 4)
        try desk.send(.order(desk.brokerOrder(desk.placed[3], .rejected, text: "no such offset"), code: 201))
        return desk
    }
    private func unprotected(_ desk: TestDesk) -> [String] {
        desk.facts.compactMap { if case .difference(let fact) = $0, fact.rule == Difference.unprotected { fact.text } else { nil } }
    }

    /// It is said in the ledger, tried once more with a fresh order, and said again; then the instrument takes no new exposure.
    @Test func aRejectedRestorationIsToldAndTriedOnce() throws {
        var desk = try refused()
        #expect(unprotected(desk).count == 1 && unprotected(desk)[0].contains("no such offset") && desk.desk.book.haltedInstruments.isEmpty)
        try desk.tick()
        #expect(desk.desk.live.items["notice/\(Notice.unprotected)/\(TestDesk.mbt)"] != nil && desk.placed.count == 4)
        try desk.tick(3)
        #expect(desk.placed.count == 4)
        try desk.tick(2)
        try expectProtected(desk, 10, after: 4)
        #expect(desk.placed[4] != desk.placed[3])
        try desk.send(.order(desk.brokerOrder(desk.placed[4], .rejected, text: "no such offset"), code: 201))
        #expect(unprotected(desk).count == 2 && desk.desk.book.haltedInstruments[TestDesk.mbt]?.hasPrefix("P1") == true)
        for _ in 0..<20 { try desk.tick() }
        #expect(desk.placed.count == 5 && desk.desk.book.netQuantity(TestDesk.mbt) == Quantity(whole: 10))
        try desk.quote(98_000)
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.refusal?.code == "instrumentHalted")
    }

    /// Set back by an hour before the stop is placed again, or after it was rejected: the position stays bare for seconds, not for the hour.
    @Test(arguments: [false, true]) func aClockThatIsSetBackDelaysNothing(before: Bool) throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(10, trailing: Self.trail))
        for tag in desk.placed { try desk.send(.order(desk.brokerOrder(tag, .new), code: nil)) }
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "e1", 10, 98_000)))
        if before { desk.setClock(by: .hours(-1)) }
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        try desk.send(.order(desk.brokerOrder(desk.placed[1], .canceled), code: nil))
        try desk.tick()
        try desk.send(.order(desk.brokerOrder(desk.placed[2], .rejected, text: "closed"), code: 201))
        try desk.tick()
        try desk.send(.order(desk.brokerOrder(desk.placed[3], .rejected, text: "no such offset"), code: 201))
        if !before { desk.setClock(by: .hours(-1)) }
        try desk.tick(3)
        #expect(desk.placed.count == 4, "it rests before the repetition")
        try desk.tick(3)
        try expectProtected(desk, 10, after: 4)
    }

    /// The one that is taken ends the matter, and is a stop like any other.
    @Test func aSecondAttemptThatIsTakenProtects() throws {
        var desk = try refused()
        try desk.tick(6)
        try #require(desk.placed.count == 5)
        try desk.send(.order(desk.brokerOrder(desk.placed[4], .new), code: nil))
        for _ in 0..<10 { try desk.tick() }
        #expect(desk.placed.count == 5 && unprotected(desk).count == 1 && desk.desk.book.haltedInstruments.isEmpty)
    }

    /// Which attempt it was stands in the ledger: a restart makes the second one, and never a third.
    @Test(arguments: [false, true]) func aRestartMakesNoThirdAttempt(afterSecond: Bool) throws {
        var desk = try refused()
        if afterSecond {
            try desk.tick(6)
            try #require(desk.placed.count == 5)
            try desk.send(.order(desk.brokerOrder(desk.placed[4], .rejected), code: 201))
        }
        let before = desk.placed.count
        var book = Book(edge: TestDesk.edge)
        for entry in desk.entries { book.apply(entry) }
        desk.desk = Desk(settings: DeskSettings(mode: .paper), book: book)
        try desk.tick(6)
        #expect(desk.placed.count == before, "nothing leaves before the comparison")
        try desk.makeReady(generation: 2, positions: [BrokerPosition(account: "DU1", instrument: TestDesk.mbt, quantity: Quantity(whole: 10))])
        for _ in 0..<10 { try desk.tick() }
        #expect(desk.placed.count == (afterSecond ? before : before + 1))
    }

    /// An entry that rests beside the position is no reason to leave it bare.
    @Test func anotherWorkingOrderDoesNotKeepTheProtectionAway() throws {
        var desk = try refused()
        try desk.quote(98_000)
        _ = try desk.command(DeskTests.buy(2, trailing: Self.trail))
        try #require(desk.placed.count == 6)
        for tag in desk.placed.suffix(2) { try desk.send(.order(desk.brokerOrder(tag, .new), code: nil)) }
        try desk.tick(6)
        try expectProtected(desk, 10, after: 6)
        for _ in 0..<10 { try desk.tick() }
        #expect(desk.placed.count == 7, "once")
    }

    /// What the gate refuses is said where the owner sees it, once, and tried again until it passes.
    @Test func aRefusedAttemptIsToldAndTriedAgain() throws {
        var desk = try refused()
        try desk.send(.orderIDFloor(Int64(Int32.max)))
        for _ in 0..<10 { try desk.tick() }
        #expect(desk.placed.count == 4 && unprotected(desk).count == 2)
        #expect(unprotected(desk).last?.contains("could not be placed again") == true && desk.desk.book.haltedInstruments.isEmpty)
        try desk.makeReady(generation: 2, positions: [BrokerPosition(account: "DU1", instrument: TestDesk.mbt, quantity: Quantity(whole: 10))])
        try desk.tick()
        try expectProtected(desk, 10, after: 4)
    }

    /// Two stops were to be placed again and one was taken: the rejected one is tried again for its own part.
    @Test func aStopThatWasTakenDoesNotKeepTheRejectedOneAway() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        for (place, size) in [(0, 4), (2, 6)] as [(Int, Int64)] {
            _ = try desk.command(DeskTests.buy(size, trailing: Self.trail))
            for tag in desk.placed.suffix(2) { try desk.send(.order(desk.brokerOrder(tag, .new), code: nil)) }
            try desk.send(.fill(desk.brokerFill(desk.placed[place], "e\(place)", size, 98_000)))
        }
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        for place in [1, 3] { try desk.send(.order(desk.brokerOrder(desk.placed[place], .canceled), code: nil)) }
        try desk.tick()
        try desk.send(.order(desk.brokerOrder(desk.placed[4], .rejected, text: "closed"), code: 201))
        try desk.tick()
        try #require(desk.placed.count == 7)
        try desk.send(.order(desk.brokerOrder(desk.placed[5], .rejected, text: "no"), code: 201))
        try desk.send(.order(desk.brokerOrder(desk.placed[6], .new), code: nil))
        try desk.tick(6)
        try expectProtected(desk, 4, after: 7)
        try desk.send(.order(desk.brokerOrder(desk.placed[7], .new), code: nil))
        for _ in 0..<10 { try desk.tick() }
        #expect(desk.placed.count == 8 && desk.desk.book.haltedInstruments.isEmpty)
    }

    /// A stop that its owner cancelled is not placed again by anything, and its absence is told.
    @Test func aStopCancelledByHandStaysAway() throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(10, trailing: Self.trail))
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "e1", 10, 98_000)))
        _ = try desk.command(.cancel(tag: desk.placed[1]))
        try desk.send(.order(desk.brokerOrder(desk.placed[1], .canceled), code: nil))
        for _ in 0..<3 { try desk.tick() }
        #expect(desk.placed.count == 2 && desk.desk.live.items["notice/\(Notice.unprotected)/\(TestDesk.mbt)"] != nil)
    }
}
