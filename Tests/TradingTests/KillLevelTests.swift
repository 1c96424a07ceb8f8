// The levels of the kill switch: what each ends, what it leaves, and that a cancel that could not be said is not forgotten.
import Ledger
import Testing
import Trading
import Values

struct KillLevelTests {
    /// Three bought with a stop, and one more purchase that the broker has taken and not filled.
    private func resting() throws -> (desk: TestDesk, opening: ClOrdID, stop: ClOrdID) {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(3, trailing: .percent(Ratio(raw: 100_000))))
        let stop = try #require(desk.placed.last)
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "x1", 3, 98_000)))
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .filled), code: nil))
        try desk.send(.order(desk.brokerOrder(stop, .new, permID: 71), code: nil))
        desk.now = desk.now + .seconds(10)
        try desk.quote(98_000)
        _ = try desk.command(DeskTests.buy(1))
        let opening = try #require(desk.placed.last)
        try desk.send(.order(desk.brokerOrder(opening, .new, permID: 72), code: nil))
        return (desk, opening, stop)
    }

    private func cancelled(_ desk: TestDesk) -> [ClOrdID] {
        desk.facts.compactMap { if case .cancelIntent(let intent) = $0 { intent.tag } else { nil } }
    }

    @Test func cancelEndsWhatCouldOpenAndLeavesTheStop() throws {
        var (desk, opening, stop) = try resting()
        _ = try desk.command(.raise(.cancel, reason: "news"))
        #expect(desk.desk.book.haltLevel == .cancel)
        guard case .commandAccepted(let outcome)? = desk.facts.last else { Issue.record("no outcome"); return }
        #expect(outcome.text == "Trading is halted. One working order that could open is to be cancelled. Stops that protect positions stay.")
        try desk.tick()
        #expect(cancelled(desk) == [opening] && desk.actions.contains { if case .cancel(_, let order) = $0 { order == opening } else { false } })
        try desk.tick()
        #expect(cancelled(desk) == [opening], "asked once while the broker has not answered")
        #expect(desk.desk.book.order(stop)?.status == .new)
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.refusal?.code == "halted")
        try desk.send(.order(desk.brokerOrder(opening, .canceled, permID: 72), code: nil))
        try desk.tick()
        #expect(cancelled(desk) == [opening])
    }

    @Test func aHaltCancelsNothing() throws {
        var (desk, opening, _) = try resting()
        _ = try desk.command(.halt(reason: "news"))
        try desk.tick()
        #expect(cancelled(desk).isEmpty && desk.desk.book.order(opening)?.status == .new)
        _ = try desk.command(.raise(.cancel, reason: "worse"))
        try desk.tick()
        #expect(cancelled(desk) == [opening], "a higher level is taken above a lower one")
        _ = try desk.command(.halt(reason: "less"))
        #expect(desk.desk.book.haltLevel == .cancel, "and a lower one lowers nothing")
    }

    @Test func whatCannotBeSaidNowIsSaidWhenTheBrokerIsBack() throws {
        var (desk, opening, _) = try resting()
        try desk.send(.condition(desk.gateway(.unreachable), generation: 1))
        _ = try desk.command(.raise(.cancel, reason: "news"))
        guard case .commandAccepted(let outcome)? = desk.facts.last else { Issue.record("no outcome"); return }
        #expect(outcome.text.contains("As soon as the broker can be reached."))
        try desk.tick(60)
        #expect(cancelled(desk).isEmpty)
        // Another run on the same ledger: the level stands there, so nothing has to be remembered.
        var next = try TestDesk()
        next.chain = desk.chain
        next.desk = Desk(settings: DeskSettings(mode: .paper), book: desk.desk.book)
        next.now = desk.now
        try next.commit([Draft(.boot(BootFact(version: "v", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))])
        try next.send(.condition(next.gateway(.connected), generation: 2))
        try next.send(.ready(account: "DU1", generation: 2, nextOrderID: 50))
        try next.send(.order(next.brokerOrder(opening, .new, permID: 72), code: nil))
        try next.tick()
        #expect(cancelled(next) == [opening])
    }

    @Test func whatTheBrokerRefusesIsAskedAgainLater() throws {
        var (desk, opening, _) = try resting()
        _ = try desk.command(.raise(.cancel, reason: "news"))
        try desk.tick()
        try desk.send(.cancelRefused(desk.brokerOrder(opening, .new, permID: 72), code: 10_148, text: "not now"))
        try desk.tick(9)
        #expect(cancelled(desk) == [opening], "not at every turn")
        try desk.tick(2)
        #expect(cancelled(desk) == [opening, opening])
    }

    /// The broker has no such order: a comparison is what helps, and asking every ten seconds would fill the ledger.
    @Test func whatTheBrokerDoesNotKnowIsSeldomAskedFor() throws {
        var (desk, opening, _) = try resting()
        _ = try desk.command(.raise(.cancel, reason: "news"))
        try desk.tick()
        try desk.send(.cancelRefused(desk.brokerOrder(opening, .new, permID: 72), code: 10_147, text: "not found"))
        for _ in 0..<59 { try desk.tick(10) }
        #expect(cancelled(desk) == [opening])
        try desk.tick(20)
        #expect(cancelled(desk) == [opening, opening])
    }

    @Test func aLowerLevelIsAnsweredByWhatStands() throws {
        var (desk, _, _) = try resting()
        _ = try desk.command(.raise(.cancel, reason: "news"))
        _ = try desk.command(.raise(.reducing, reason: "less"))
        guard case .commandAccepted(let outcome)? = desk.facts.last else { Issue.record("no outcome"); return }
        #expect(outcome.text.hasPrefix("Trading is halted."))
    }

    @Test func reduceOnlyOpensNothingAndClosesOn() throws {
        var (desk, opening, _) = try resting()
        _ = try desk.command(.raise(.reducing, reason: "calm down"))
        #expect(desk.desk.book.haltLevel == .reducing)
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.refusal?.code == "halted")
        try desk.tick()
        #expect(cancelled(desk).isEmpty && desk.desk.book.order(opening)?.status == .new)
        let placed = desk.placed.count
        try desk.send(.order(desk.brokerOrder(opening, .canceled, permID: 72), code: nil))
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        for order in desk.desk.book.workingOrders where order.status == .pendingCancel {
            try desk.send(.order(desk.brokerOrder(order.tag, .canceled, permID: 71), code: nil))
        }
        try desk.tick()
        let closing = try #require(desk.placed.last)
        #expect(desk.placed.count == placed + 1 && desk.desk.book.order(closing)?.leg.role == .close)
    }

    /// The way down is the console's alone, from every level.
    @Test(arguments: [HaltLevel.reducing, .halt, .cancel]) func onlyTheConsoleLowersIt(level: HaltLevel) throws {
        var desk = try TestDesk()
        try desk.makeReady()
        _ = try desk.command(.raise(level, reason: "news"))
        #expect(desk.desk.book.haltLevel == level && HaltLevel(killWord: level.apiWord) == level)
        try desk.send(.resume(reason: "looked"))
        #expect(desk.desk.book.haltLevel == .normal && HaltLevel(killWord: "NONE") == nil)
    }
}
