// The edge beside the gateway: a bot trades, a person trades, and the process, the network or the gateway fails at any moment.
import EdgeAgent
import Ledger
import Simulation
import Testing
import Trading
import Values
import Venues

@Suite struct EdgeBesideGatewayTests {
    private func order(_ quantity: Int64, trailing: TrailingOffset? = nil) -> CommandBody {
        .order(instrument: SessionBench.front, side: .buy, size: .quantity(Quantity(whole: quantity)), trailing: trailing, reverse: false)
    }

    @Test(arguments: SessionJoinedTests.versions) func itConnectsComparesTradesAndClosesFlat(version: Int) throws {
        let bench = try EdgeBench(GatewaySettings(maximumVersion: version))
        try bench.pass(.seconds(8))
        #expect(bench.agent.desk.isTrading && bench.agent.desk.live.front("MBT") == SessionBench.front)
        #expect(bench.agent.desk.live.margin(SessionBench.front) != nil && bench.agent.desk.bars(of: SessionBench.front).count >= 30)
        _ = try bench.command(order(25, trailing: .percent(Ratio(raw: 100_000))))
        try bench.pass(.seconds(15))
        #expect(bench.book.netQuantity(SessionBench.front) == Quantity(whole: 25) && bench.book.fills.allSatisfy { $0.commission != nil })
        #expect(bench.book.workingOrders.map(\.leg.ordType) == [.trailingStop] && bench.book.fills.count > 1)
        #expect(bench.book.workingOrders[0].stopPrice != nil, "the level is learnt from the broker")
        _ = try bench.command(.close(instrument: SessionBench.front))
        try bench.pass(.seconds(15))
        #expect(bench.book.netQuantity(SessionBench.front) == .zero && bench.book.workingOrders.isEmpty)
        #expect(bench.differences() == [])
    }

    @Test func theBotTradesByItself() throws {
        let bench = try EdgeBench(bots: [EdgeBench.bot], seed: 3)
        try bench.pass(.minutes(4))
        let fills = bench.book.fills
        #expect(fills.contains { $0.fill.side == .buy } && fills.contains { $0.fill.side == .sell }, "a round trip at least")
        #expect(bench.differences() == [])
        #expect(bench.book.orders.contains { $0.bot == "breakout" && $0.leg.ordType == .trailingStop })
    }

    /// After any turn of an order's life the process may die, its last bytes written or not. Afterwards both sides agree, nothing was sent twice.
    @Test(arguments: 0..<10, [false, true]) func aDeathAtAnyTurnLosesAndDoublesNothing(turns: Int, beforeWriting: Bool) throws {
        let bench = try EdgeBench(seed: UInt64(turns + 1))
        try bench.pass(.seconds(8))
        bench.deathIn = (turns, beforeWriting)
        _ = try bench.command(order(60, trailing: .amount(Price(whole: 400))))
        if bench.deaths == 0 { try bench.pass(.seconds(3)) }
        #expect(bench.deaths == 1)
        try bench.pass(.seconds(2))
        try bench.restart()
        try bench.pass(.seconds(40))
        #expect(bench.agent.desk.isTrading)
        #expect(bench.differences() == [])
        #expect(bench.book.orders.count == 2 && bench.gateway.exchange.orders.count <= 2)
        // Sent and executed, or proved dead; never in between.
        let entry = try #require(bench.book.orders.first)
        #expect(entry.status == .filled || entry.status == .dead, "\(entry.status)")
        #expect((entry.status == .dead) == bench.gateway.exchange.orders.isEmpty)
    }

    @Test(arguments: 0..<4) func theBotGoesOnThroughDeathsAndCuts(seed: UInt64) throws {
        var chance = SeededRandom(seed: seed &+ 40)
        let bench = try EdgeBench(bots: [EdgeBench.bot], seed: seed)
        for _ in 0..<5 {
            try bench.pass(.seconds(Int64(chance.int(12...25))))
            switch chance.int(0...2) {
            case 0:
                bench.deathIn = (chance.int(0...30), chance.chance(1, in: 2))
                try bench.pass(.seconds(8))
                if bench.deaths > 0, bench.deathIn == nil { try bench.restart() }
            case 1: bench.cut()
            default:
                bench.suffer(.linkLost)
                try bench.pass(.seconds(3))
                bench.suffer(.linkRestored(dataLost: chance.chance(1, in: 2)))
            }
        }
        try bench.pass(.seconds(60))
        #expect(bench.agent.desk.isTrading, "\(String(describing: bench.agent.desk.live.gateway))")
        #expect(bench.differences() == [])
    }

    /// A connection that drops with each order: the fate is learnt, never guessed.
    @Test(arguments: [GatewaySwitch.cutAfterOrder(9), .loseOrder(9), .cutAfterOrder(10), .loseOrder(10), .cutAfterOrder(11), .loseOrder(11)])
    func aCutAroundAnOrderIsSettledByTheComparison(fault: GatewaySwitch) throws {
        // Eight what-if questions come first: one for each contract.
        let bench = try EdgeBench(GatewaySettings(switches: [fault]))
        try bench.pass(.seconds(8))
        _ = try bench.command(order(20, trailing: .amount(Price(whole: 400))))
        try bench.pass(.seconds(60))
        #expect(bench.agent.desk.isTrading)
        #expect(bench.differences() == [])
    }
}
