// The whole edge beside a gateway that repeats, delays and disorders what it tells: position and ledger move once.
import EdgeAgent
import Ledger
import Simulation
import Testing
import Trading
import Values
import Venues

@Suite struct FaultyBrokerTests {
    private func order(_ quantity: Int64) -> CommandBody {
        .order(
            instrument: SessionBench.front, side: .buy, size: .quantity(Quantity(whole: quantity)), trailing: .amount(Price(whole: 400)),
            reverse: false)
    }

    static let disorders: [[GatewaySwitch]] = [
        [.execution(.duplicate)], [.execution(.late(nil))], [.execution(.reorder)], [.status(.duplicate)], [.status(.late(nil))], [.status(.reorder)],
        [.fillBeforeAck], [.commission(.late(nil))], [.split(1)], [.endless(nil)], [.nextId(.back)], [.nextId(.forward)],
        [.execution(.duplicate), .status(.reorder), .commission(.late(nil))], [.execution(.late(nil)), .status(.duplicate), .fillBeforeAck],
        [.slowReader(4_000)], [.link(code: 1_101, every: .seconds(9))], [.link(code: 1_102, every: .seconds(9))],
        [.link(code: 2_110, every: .seconds(9))],
    ]

    /// In and out again by 25 contracts, with a protecting order that is cancelled on the way.
    @Test(arguments: disorders.indices) func positionAndLedgerMoveOnce(disorder: Int) throws {
        let bench = try EdgeBench(GatewaySettings(switches: Self.disorders[disorder], faultSeed: UInt64(disorder)))
        try bench.pass(.seconds(40))
        #expect(bench.agent.desk.isTrading)
        _ = try bench.command(order(25))
        try bench.pass(.seconds(20))
        #expect(bench.book.netQuantity(SessionBench.front) == Quantity(whole: 25))
        #expect(bench.gateway.exchange.account.position(SessionBench.front).quantity == Quantity(whole: 25))
        _ = try bench.command(.close(instrument: SessionBench.front))
        try bench.pass(.seconds(40))
        #expect(bench.book.netQuantity(SessionBench.front) == .zero && bench.book.workingOrders.isEmpty)
        #expect(bench.differences() == [])
        let executions = Set(bench.book.fills.map(\.fill.execID))
        #expect(executions.count == bench.book.fills.count && UInt64(executions.count) == bench.gateway.exchange.fillSerial)
        #expect(bench.book.fills.allSatisfy { $0.commission != nil })
    }

    private func shares(_ events: [VenueEvent]) -> Int64 { events.fills.map(\.fill.lastQty.raw).reduce(0, +) }

    /// The broker fills what it said to have cancelled: the position is told, once, and the picture agrees.
    @Test func aFillBehindACancelIsTold() throws {
        var bench = try SessionBench.ready(GatewaySettings(switches: [.fillAfterCancel]))
        let mark = try #require(bench.hear().quotes(SessionBench.front).last?.bid)
        let limit = mark.raw / Price(whole: 5).raw * 5 - 400
        let id = try bench.place([leg(.buy, 3, .limit, limit: limit)])[0]
        bench.pass(.seconds(1))
        let reference = try #require(bench.hear().compactMap { if case .order(let order, _) = $0 { order.reference } else { nil } }.last)
        bench.ask(.cancel(brokerOrderID: id, tag: ClOrdID(reference)))
        bench.pass(.seconds(5))
        let heard = bench.hear()
        let held = bench.gateway.exchange.account.position(SessionBench.front).quantity
        #expect(held > .zero && shares(heard) == held.raw && heard.orders(id).contains { $0.status == .canceled })
        bench.ask(.snapshot)
        bench.pass(.seconds(1))
        let picture = try #require(bench.hear().snapshots.last)
        #expect(picture.positions.map(\.quantity) == [held] && picture.fills.map(\.fill) == heard.fills.map(\.fill))
    }

    /// Both copies of an order fill: both are told, under their own permIds and one tag.
    @Test func anOrderThatWorksTwiceIsSeenTwice() throws {
        var bench = try SessionBench.ready(GatewaySettings(switches: [.twinPerm(1)]))
        _ = bench.hear()
        try bench.place([leg(.buy, 2)])
        bench.pass(.seconds(5))
        let fills = bench.hear().fills
        let held = bench.gateway.exchange.account.position(SessionBench.front).quantity
        #expect(held == Quantity(whole: 4) && fills.map(\.fill.lastQty.raw).reduce(0, +) == held.raw)
        #expect(Set(fills.map(\.fill.permID)).count == 2 && Set(fills.map(\.reference)).count == 1)
    }

    /// A corrected execution moves no contracts; the first word stays in the ledger and the instrument is halted with the reason.
    @Test func aCorrectionMovesNoContracts() throws {
        let bench = try EdgeBench(GatewaySettings(switches: [.correction(1)]))
        try bench.pass(.seconds(8))
        _ = try bench.command(order(1))
        try bench.pass(.seconds(20))
        #expect(bench.book.netQuantity(SessionBench.front) == Quantity(whole: 1))
        #expect(bench.gateway.exchange.account.position(SessionBench.front).quantity == Quantity(whole: 1))
    }

    /// Without commission reports the executions still count; the money of them is open.
    @Test(arguments: [CommissionFault.never, .sentinel]) func aMissingCommissionHoldsNoExecutionBack(fault: CommissionFault) throws {
        let bench = try EdgeBench(GatewaySettings(switches: [.commission(fault)]))
        try bench.pass(.seconds(8))
        _ = try bench.command(order(25))
        try bench.pass(.seconds(15))
        #expect(bench.book.netQuantity(SessionBench.front) == Quantity(whole: 25) && bench.differences() == [])
        let most = Money(whole: 1_000)
        #expect(bench.book.fills.allSatisfy { ($0.commission ?? .zero) < most })
    }

    /// Three numbers are left: an order that needs them goes out, one that does not fit is refused in words.
    @Test func atTheEndOfTheNumbersNothingWrapsAround() throws {
        var bench = try SessionBench.ready(GatewaySettings(switches: [.nextId(.edge)]))
        _ = bench.hear()
        for _ in 0..<4 {
            _ = try? bench.place([leg(.buy, 1)])
            bench.pass(.seconds(2))
        }
        let placed = bench.gateway.exchange.orders.count
        #expect(placed <= 3 && bench.gateway.malformedMessages == 0)
        // A refused number makes the session ask for the executions again.
        let fills = bench.hear().fills
        #expect(Set(fills.map(\.fill.execID)).count == placed && bench.gateway.exchange.fillSerial == UInt64(placed))
    }
}
