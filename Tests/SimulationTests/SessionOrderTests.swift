// Orders through the real session and the simulated gateway: changes, cancels, families, refusals, and connections that break in between.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct SessionOrderTests {
    private func price(_ bench: inout SessionBench) throws -> Price { try #require(bench.hear().quotes(SessionBench.front).last?.mark) }
    private func away(_ price: Price, _ ticks: Int64) -> Int64 { price.raw / 100_000_000 / 5 * 5 + ticks * 5 }

    @Test(arguments: SessionJoinedTests.versions) func aRestingLimitIsChangedAndCancelled(version: Int) throws {
        var bench = try SessionBench.ready(GatewaySettings(maximumVersion: version))
        let mark = try price(&bench)
        var order = leg(.buy, 3, .limit, limit: away(mark, -400))
        let id = try bench.place([order])[0]
        bench.pass(.seconds(1))
        let placed = try #require(bench.hear().orders(id).last)
        #expect(placed.status == .new && placed.quantity == Quantity(whole: 3) && placed.permID != 0)
        order.brokerOrderID = id; order.quantity = Quantity(whole: 5); order.limitPrice = Price(whole: away(mark, -500))
        bench.ask(.modify(order, tag: ClOrdID(placed.reference), account: "DU1234567"))
        bench.pass(.seconds(1))
        #expect(bench.hear().orders(id).last?.quantity == Quantity(whole: 5))
        #expect(bench.gateway.exchange.orders.first?.ticket.limitPrice == Price(whole: away(mark, -500)))
        bench.ask(.cancel(brokerOrderID: id, tag: ClOrdID(placed.reference)))
        bench.pass(.seconds(1))
        #expect(bench.hear().orders(id).last?.status == .canceled && bench.gateway.exchange.orders.count == 1)
        // A cancel of what is over is told in words, and harms nothing.
        bench.ask(.cancel(brokerOrderID: id, tag: ClOrdID(placed.reference)))
        bench.pass(.seconds(1))
        #expect(bench.hear().notices.map(\.code) == [10_148])
    }

    @Test(arguments: SessionJoinedTests.versions) func aBracketGoesOutAsOneAndItsChildrenWait(version: Int) throws {
        var bench = try SessionBench.ready(GatewaySettings(maximumVersion: version))
        let mark = try price(&bench)
        let ids = try bench.place([
            leg(.buy, 2, .limit, limit: away(mark, -400)),
            leg(.sell, 2, .limit, role: .protect, limit: away(mark, 400), tif: .gtc, parent: 0),
            leg(.sell, 2, .stop, role: .protect, stop: away(mark, -800), tif: .gtc, parent: 0),
        ])
        bench.pass(.seconds(1))
        #expect(ids.allSatisfy { id in bench.gateway.exchange.orders.contains { $0.ticket.quantity == Quantity(whole: 2) && id > 0 } })
        #expect(bench.gateway.exchange.orders.map(\.state) == [.working, .held, .held])
        let heard = bench.hear()
        #expect(heard.sent == ids && ids.allSatisfy { heard.orders($0).last?.status == .new })
        bench.ask(.cancel(brokerOrderID: ids[0], tag: ClOrdID("TW1")))
        bench.pass(.seconds(2))
        let after = bench.hear()
        #expect(ids.allSatisfy { after.orders($0).last?.status == .canceled })
    }

    @Test(arguments: SessionJoinedTests.versions) func aTrailingStopMovesUnseenAndIsReadAgain(version: Int) throws {
        var bench = try SessionBench.ready(GatewaySettings(maximumVersion: version))
        let ids = try bench.place([
            leg(.buy, 2), leg(.sell, 2, .trailingStop, role: .protect, trailing: .amount(Price(whole: 500)), tif: .gtc, parent: 0),
        ])
        bench.pass(.minutes(5), step: .milliseconds(500))
        let levels = bench.hear().orders(ids[1]).compactMap(\.stopPrice)
        #expect(Set(levels).count > 1 && levels == levels.sorted(), "a sell stop only rises: \(levels)")
        let resting = try #require(bench.gateway.exchange.orders.last)
        #expect(resting.state != .armed || resting.stop == levels.last)
    }

    @Test func aPercentageTrailsByThatMuch() throws {
        var bench = try SessionBench.ready()
        let ids = try bench.place([
            leg(.buy, 1), leg(.sell, 1, .trailingStop, role: .protect, trailing: .percent(Ratio(raw: 20_000)), tif: .gtc, parent: 0),
        ])
        bench.pass(.seconds(10))
        let heard = bench.hear()
        let level = try #require(heard.orders(ids[1]).compactMap(\.stopPrice).last)
        let mark = try #require(heard.quotes(SessionBench.front).last?.mark)
        let distance = Double(mark.raw - level.raw) / Double(mark.raw)
        #expect(abs(distance - 0.02) < 0.002)
    }

    // MARK: Refusals

    @Test func aMissingFuturesPermissionIsToldWithItsCure() throws {
        var bench = try SessionBench.ready(GatewaySettings(switches: [.noPermission]))
        _ = bench.hear()
        let id = try bench.place([leg(.buy, 1)])[0]
        bench.pass(.seconds(1))
        let heard = bench.hear()
        let refused = try #require(heard.orders(id).last)
        #expect(refused.status == .rejected && refused.text.contains("MBTX6"))
        #expect(heard.notices.contains { $0.code == 203 && $0.cure.contains("permission") })
    }

    @Test func aReadOnlyGatewayIsFoundOutByTheMarginQuestion() throws {
        var bench = try SessionBench.ready(GatewaySettings(switches: [.readOnly]))
        bench.ask(.margin(SessionBench.front))
        bench.pass(.seconds(1))
        let heard = bench.hear()
        #expect(heard.conditions.last?.condition == .refusing && heard.conditions.last?.cure.contains("Read-Only") == true)
        let id = try bench.place([leg(.buy, 1)])[0]
        #expect(bench.hear().orders(id).map(\.status) == [.rejected] && bench.gateway.exchange.orders.isEmpty)
    }

    @Test(arguments: [354, 10_089, 10_168]) func withoutLiveDataItSaysSoAndMarksWhatIsDelayed(code: Int) throws {
        var bench = try SessionBench.ready(GatewaySettings(switches: [.noMarketData(code: code)]))
        let heard = bench.hear()
        #expect(heard.quotes(SessionBench.front).isEmpty)
        let notice = try #require(heard.notices.first { $0.code == code })
        #expect(notice.instrument == SessionBench.front && notice.cure.contains("live data"))
        var delayed = try SessionBench(GatewaySettings(switches: [.noMarketData(code: code)]), delayed: true)
        delayed.pass(.seconds(2))
        delayed.ask(.watch(SessionBench.front))
        delayed.pass(.seconds(2))
        let shown = delayed.hear()
        #expect(!shown.quotes(SessionBench.front).isEmpty && shown.quotes(SessionBench.front).allSatisfy(\.isDelayed))
        #expect(shown.notices.contains { $0.code == 10_167 })
    }

    @Test func anOrderOnTheWrongPriceStepIsRefusedWithTheReason() throws {
        var bench = try SessionBench.ready()
        let mark = try price(&bench)
        let id = try bench.place([leg(.buy, 1, .limit, limit: away(mark, -100) + 1)])[0]
        bench.pass(.seconds(1))
        let last = try #require(bench.hear().orders(id).last)
        #expect(last.status == .rejected && !last.text.isEmpty)
    }

    // MARK: Broken connections

    @Test func withoutAConnectionAnOrderIsRefusedAtOnceBecauseNoByteLeft() throws {
        var bench = try SessionBench.ready()
        bench.isGatewayGone = true
        bench.cut()
        _ = bench.hear()
        let id = try bench.place([leg(.buy, 1)])[0]
        let heard = bench.hear()
        #expect(heard.orders(id).map(\.status) == [.rejected] && heard.sent.isEmpty)
        #expect(heard.orders(id).first?.text.contains("not sent") == true)
        bench.isGatewayGone = false
        bench.pass(.seconds(40))
        #expect(bench.gateway.exchange.orders.isEmpty && bench.hear().generations == [2])
    }

    /// The order is placed and its acknowledgement never comes: nothing is sent again, and the picture shows it.
    @Test func anOrderWhoseAcknowledgementWasLostIsFoundAgain() throws {
        var bench = try SessionBench.ready(GatewaySettings(switches: [.cutAfterOrder(1)]))
        let mark = try price(&bench)
        let id = try bench.place([leg(.buy, 3, .limit, limit: away(mark, -400))])[0]
        let cut = bench.hear()
        #expect(cut.sent == [id] && cut.orders(id).isEmpty && cut.conditions.last?.condition == .unreachable)
        bench.pass(.seconds(5))
        #expect(bench.hear().generations == [2])
        bench.ask(.snapshot)
        bench.pass(.seconds(1))
        let picture = try #require(bench.hear().snapshots.first)
        #expect(picture.openOrders.map(\.brokerOrderID) == [id] && picture.openOrders.first?.status == .new && picture.generation == 2)
        #expect(bench.gateway.exchange.orders.count == 1)
        // And it can be cancelled from the new connection.
        bench.ask(.cancel(brokerOrderID: id, tag: ClOrdID(picture.openOrders.first?.reference ?? "")))
        bench.pass(.seconds(1))
        #expect(bench.hear().orders(id).last?.status == .canceled)
    }

    @Test func anOrderThatWasLostWithTheConnectionIsAbsentFromThePicture() throws {
        var bench = try SessionBench.ready(GatewaySettings(switches: [.loseOrder(1)]))
        try bench.place([leg(.buy, 1)])
        bench.pass(.seconds(5))
        bench.ask(.snapshot)
        bench.pass(.seconds(1))
        let picture = try #require(bench.hear().snapshots.first)
        #expect(picture.openOrders.isEmpty && picture.completedOrders.isEmpty && picture.fills.isEmpty && bench.gateway.exchange.orders.isEmpty)
    }

    @Test func fillsWhileWeWereAwayAreInTheNextPicture() throws {
        var bench = try SessionBench.ready()
        let id = try bench.place([leg(.buy, 90)])[0]
        bench.isGatewayGone = true
        bench.cut()
        bench.pass(.seconds(20))
        let before = bench.hear().fills.count
        bench.isGatewayGone = false
        bench.pass(.seconds(40))
        bench.ask(.snapshot)
        bench.pass(.seconds(1))
        let picture = try #require(bench.hear().snapshots.last)
        #expect(picture.fills.map(\.fill.lastQty.raw).reduce(0, +) == Quantity(whole: 90).raw && picture.fills.count > before)
        #expect(picture.fills.allSatisfy { $0.brokerOrderID == id } && picture.completedOrders.map(\.cumQty) == [Quantity(whole: 90)])
    }

    @Test func aRepeatedExecutionHasTheSameId() throws {
        var bench = try SessionBench.ready()
        try bench.place([leg(.buy, 1)])
        bench.pass(.seconds(3))
        let fill = try #require(bench.hear().fills.last)
        bench.suffer(.repeatLastExecution)
        #expect(bench.hear().fills.map(\.fill) == [fill.fill])
    }

    /// Orders of another program at the same gateway never pass for ours, though they may have our numbers.
    @Test func anotherClientsOrderIsListedAsForeign() throws {
        var bench = try SessionBench.ready()
        let mark = try price(&bench)
        let other = GatewayBench.client(9, greetingOn: &bench.gateway, at: bench.now)
        other.send(order(1, "BUY", "4", "LMT", ["lmtPrice": String(away(mark, -300))], symbol: "MBTX6"), to: &bench.gateway, at: bench.now)
        let id = try bench.place([leg(.buy, 1, .limit, limit: away(mark, -400))])[0]
        bench.pass(.seconds(1))
        bench.ask(.snapshot)
        bench.pass(.seconds(1))
        let picture = try #require(bench.hear().snapshots.first)
        let foreign = try #require(picture.openOrders.first { $0.clientID == 9 })
        #expect(foreign.brokerOrderID == 0 && foreign.reference.isEmpty && foreign.quantity == Quantity(whole: 4))
        #expect(picture.openOrders.contains { $0.brokerOrderID == id && $0.clientID == 7 } && picture.openOrders.count == 2)
    }
}
