// Edge and cloud both put back to before a command that lives on: the broker alone remembers that it was carried out.
import Ledger
import Testing
import Trading
import Values

struct LostLineageTests {
    /// A run that holds three and has just connected; nothing is compared yet.
    private func stage(trusts: Bool = false) throws -> TestDesk {
        var settings = DeskSettings(mode: .paper)
        settings.commandRules.trustsLostLineage = trusts
        var desk = try TestDesk(settings: settings)
        try desk.makeReady()
        _ = try desk.command(DeskTests.buy(3))
        try desk.send(.fill(desk.brokerFill(desk.placed[0], "a.1", 3, 98_000)))
        try desk.send(.order(desk.brokerOrder(desk.placed[0], .filled), code: nil))
        try desk.send(.condition(desk.gateway(.unreachable), generation: 1))
        try desk.send(.condition(desk.gateway(.connected), generation: 2))
        try desk.send(.ready(account: "DU1", generation: 2, nextOrderID: 5))
        return desk
    }

    /// An execution under a tag of our form that no ledger here knows.
    private func lost(_ exec: String, at now: Instant) -> BrokerFill {
        let tag = ClOrdID(edge: TestDesk.edge, intent: IntentID(boot: Boot(raw: 99), seq: Seq(4)), leg: 0)
        let fill = Fill(
            execID: exec, tag: nil, account: "DU1", instrument: TestDesk.mbt, side: .buy, lastQty: Quantity(whole: 2), lastPx: Price(whole: 98_000),
            cumQty: Quantity(whole: 2), permID: 71, transactTime: now)
        return BrokerFill(fill: fill, reference: tag.text, brokerOrderID: 9)
    }

    private func compare(_ desk: inout TestDesk) throws {
        let held = [BrokerPosition(account: "DU1", instrument: TestDesk.mbt, quantity: Quantity(whole: 5))]
        try desk.send(.snapshot(desk.snapshot(2, fills: [lost("b.1", at: desk.now)], positions: held)))
    }

    @Test func aClosingThatWaitedForTheComparisonEnds() throws {
        for trusts in [false, true] {
            var desk = try stage(trusts: trusts)
            _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
            #expect(desk.desk.isClosing && desk.placed.count == 1)
            try compare(&desk)
            #expect(desk.desk.book.haltLevel == .halt && desk.desk.isTrading)
            for _ in 0..<5 { try desk.tick() }
            #expect(desk.desk.isClosing == trusts && desk.placed.count == (trusts ? 2 : 1), "the control closes what it may have closed before")
            #expect(trusts || (desk.refusal?.code == "notCompleted" && desk.refusal?.text.contains("put back") == true))
        }
    }

    @Test func forAsLongAsAnOldCommandLivesNothingIsOpenedOrClosedFromAfar() throws {
        var desk = try stage()
        try compare(&desk)
        try desk.tick(30)
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        #expect(desk.refusal?.code == "lostLineage" && !desk.desk.isClosing)
        try desk.send(.resume(reason: "looked"))
        _ = try desk.command(DeskTests.buy(1))
        #expect(desk.refusal?.code == "lostLineage", "also when trading goes on")
        _ = try desk.command(.raise(.cancel, reason: "r"))
        #expect(desk.desk.book.haltLevel == .cancel, "the kill switch is always heard")
        let life = try #require(CommandBody.close(instrument: TestDesk.mbt).lifetimeMax)
        #expect(CommandRules().unclearFor >= life && CommandRules().unclearFor >= DeskTests.buy(1).lifetimeMax ?? .zero)
        try desk.tick(30)
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        #expect(desk.desk.isClosing)
    }

    @Test func theConsoleIsHeard() throws {
        var desk = try stage()
        try compare(&desk)
        let id = try #require(CommandID(bytes: [UInt8](repeating: 9, count: 16)))
        let body = CommandBody.close(instrument: TestDesk.mbt)
        try desk.send(
            .command(
                Command(id: id, edge: TestDesk.edge, boundBoot: nil, issuer: "console", tier: 3, issuedAt: desk.now, expiresAt: nil, body: body),
                deadline: desk.now + .seconds(60)))
        #expect(desk.desk.isClosing)
    }

    /// The run that found it may die before the command comes.
    @Test func theNextRunIsAsCareful() throws {
        var first = try stage()
        try compare(&first)
        for isResumed in [false, true] {
            if isResumed { try first.send(.resume(reason: "looked")) }
            var desk = first
            desk.desk = Desk(settings: DeskSettings(mode: .paper), book: first.desk.book)
            try desk.tick(30)
            _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
            #expect((desk.refusal?.code == "lostLineage") == !isResumed && desk.desk.isClosing == isResumed)
        }
    }

    @Test func aClockThatIsSetMovesNothing() throws {
        var desk = try stage()
        try compare(&desk)
        desk.now = desk.now + .hours(1)
        desk.desk.clockWasSet(by: .hours(1))
        _ = try desk.command(.close(instrument: TestDesk.mbt), lifetime: 60)
        #expect(desk.refusal?.code == "lostLineage")
    }
}
