// A disk that takes its time: an order whose command's life ended while it was being written does not leave, and everybody knows so.
import Ledger
import Testing
import Trading
import Values

@Suite struct LateCommitTests {
    private func trading() throws -> DiskRig {
        let rig = DiskRig()
        try rig.start()
        try rig.settle(seconds: 4)
        return rig
    }

    @Test func anOrderDoesNotLeaveAfterItsTime() throws {
        for late in [false, true] {
            let rig = try trading()
            rig.commitTakes = late ? .seconds(10) : .milliseconds(9_999)
            let buy = try rig.buy(2)
            rig.commitTakes = .zero
            try rig.settle(seconds: 10)
            let order = try #require(rig.book.commandOrders[buy]?.first.flatMap { rig.book.order($0) })
            #expect(rig.placed.contains(order.tag.text) != late)
            #expect(order.status == (late ? .rejected : .filled), "\(order.text)")
            if late { #expect(order.text.contains("its time was up")) }
            #expect(rig.book.netQuantity(rig.front) == (late ? .zero : Quantity(whole: 2)))
        }
    }

    /// A closing takes the protection away first. When its own order comes too late, the protection is placed again.
    @Test func aClosingThatComesTooLateLeavesNoNakedPosition() throws {
        let rig = try trading()
        try rig.buy(2, trailing: .percent(Ratio(raw: 200_000)))
        try rig.settle(seconds: 10)
        let before = Set(rig.placed)
        rig.commitTakes = .seconds(10)
        let close = try rig.command(.close(instrument: rig.front))
        try rig.settle(seconds: 8)
        #expect(rig.book.commands[close]?.code == "notCompleted" && rig.book.netQuantity(rig.front) == Quantity(whole: 2))
        let more = rig.placed.filter { !before.contains($0) }.compactMap { rig.book.order(ClOrdID($0))?.leg.role }
        #expect(more == [.protect], "no closing order reached the broker")
        #expect(rig.book.workingOrders.map(\.leg.role) == [.protect])
    }
}
