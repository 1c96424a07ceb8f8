// The session against the simulated gateway, at both server versions: the day of an order, from the login to the picture of the account.
import Ledger
import Simulation
import Testing
import Values
import Venues

func leg(
    _ side: Side, _ quantity: Int64, _ type: OrdType = .market, of id: InstrumentID = SessionBench.front, role: LegRole = .open, limit: Int64? = nil,
    stop: Int64? = nil, trailing: TrailingOffset? = nil, tif: TimeInForce = .day, parent: Int? = nil
) -> Leg {
    Leg(
        role: role, instrument: id, side: side, quantity: Quantity(whole: quantity), ordType: type, limitPrice: limit.map { Price(whole: $0) },
        stopPrice: stop.map { Price(whole: $0) }, trailing: trailing, timeInForce: tif, parent: parent, brokerOrderID: 0)
}

@Suite struct SessionJoinedTests {
    static let versions = [178, 157]

    @Test(arguments: versions) func itLogsInFindsTheChainAndQuotes(version: Int) throws {
        var bench = try SessionBench.ready(GatewaySettings(maximumVersion: version))
        let heard = bench.hear()
        #expect(bench.session.serverVersion == version && heard.generations == [1])
        #expect(heard.conditions.map(\.condition) == [.connecting, .connected])
        #expect(heard.contains(.front(symbol: "MBT", SessionBench.front)))
        let future = try #require(heard.instruments.first { $0.id == SessionBench.front })
        #expect(future.multiplier == Quantity(raw: 10_000_000) && future.minPriceIncrement == Price(whole: 5) && future.brokerContractID != 0)
        #expect(future.maturityDate == CivilDate(year: 2026, month: 11, day: 27))
        #expect(heard.instruments.map(\.id).contains(InstrumentID("AAPL.NASDAQ")) && heard.instruments.count == 8)
        let quote = try #require(heard.quotes(SessionBench.front).last)
        #expect(quote.bid != nil && quote.ask != nil && quote.last != nil && quote.close != nil && !quote.isDelayed)
        let history = heard.compactMap { if case .bars(SessionBench.front, let bars, true) = $0 { bars } else { nil } }
        #expect(history.count == 1 && history.first?.count == 30)
        #expect(heard.contains { if case .account(let values) = $0 { values.availableFunds == Money(whole: 1_000_000) } else { false } })
        let margins = heard.compactMap { if case .margin(let id, let margin) = $0 { (id, margin) } else { nil } }
        #expect(margins.isEmpty, "nobody asked")
        bench.ask(.margin(SessionBench.front))
        bench.pass(.seconds(2))
        let margin = bench.hear().compactMap { if case .margin(SessionBench.front, let margin) = $0 { margin } else { nil } }
        #expect(margin.map(\.initial) == [Money(whole: 2_800)] && margin.map(\.maintenance) == [Money(whole: 2_240)])
    }

    @Test(arguments: versions) func twentyFiveLotsFillInPartsWithTheirCommissions(version: Int) throws {
        var bench = try SessionBench.ready(GatewaySettings(maximumVersion: version))
        _ = bench.hear()
        let id = try bench.place([leg(.buy, 25)])[0]
        bench.pass(.seconds(20))
        let heard = bench.hear()
        #expect(heard.sent == [id])
        #expect(heard.fills.count > 1 && heard.fills.map(\.fill.lastQty.raw).reduce(0, +) == Quantity(whole: 25).raw)
        #expect(Set(heard.fills.map(\.fill.execID)).count == heard.fills.count && heard.fills.allSatisfy { $0.brokerOrderID == id })
        #expect(Set(heard.commissions.map(\.execID)) == Set(heard.fills.map(\.fill.execID)))
        #expect(heard.fills.allSatisfy { $0.fill.transactTime > friday && $0.fill.transactTime <= bench.now && ClOrdID.hasOurForm($0.reference) })
        #expect(heard.orders(id).last?.status == .filled && heard.orders(id).last?.permID != 0)
        // The last fill is told before the end.
        let end = try #require(heard.firstIndex { if case .order(let order, _) = $0 { order.status == .filled } else { false } })
        #expect(heard[..<end].map { $0 }.fills.count == heard.fills.count)
        bench.ask(.snapshot)
        bench.pass(.seconds(1))
        let picture = try #require(bench.hear().snapshots.first)
        #expect(picture.positions.map(\.quantity) == [Quantity(whole: 25)] && picture.positions.map(\.instrument) == [SessionBench.front])
        #expect(picture.fills.map(\.fill) == heard.fills.map(\.fill) && picture.openOrders.isEmpty)
        #expect(picture.completedOrders.map(\.status) == [.filled] && picture.completedOrders.first?.reference == heard.fills.first?.reference)
    }

    @Test func tradedPricesOfOneReadAreAllTold() throws {
        var bench = try SessionBench.ready()
        _ = bench.hear()
        // The session numbers its requests upwards from here; the front month's quotes are among the first.
        let ids = 1_000_000_000..<1_000_000_020
        func trade(_ price: String) -> [[String]] { ids.map { GatewayMessages.tickPrice(id: $0, type: 4, price: price, size: "1", mask: 0) } }
        func bid(_ price: String) -> [[String]] { ids.map { GatewayMessages.tickPrice(id: $0, type: 1, price: price, size: "1", mask: 0) } }
        bench.say(trade("1000") + trade("1000") + trade("2000") + trade("500"))
        #expect(bench.hear().quotes(SessionBench.front).map(\.last) == [1_000, 2_000, 500].map { Price(whole: $0) })
        bench.say(bid("1") + bid("2") + bid("3"))
        #expect(bench.hear().quotes(SessionBench.front).map(\.bid) == [Price(whole: 3)], "quotes are told once a read")
    }
}
