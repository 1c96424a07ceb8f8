// A wall clock that is set neither stretches a command's life nor holds up the comparison with the broker.
import EdgeAgent
import Ledger
import Testing
import Trading
import Values
import Venues

struct ClockSetTests {
    /// Runs `rig` for a while with a wall clock that is `offset` from the boot clock's time.
    private func pass(_ rig: AgentRig, seconds: Int64, offset: Span, steps: ((Int64) throws -> Void)? = nil) throws {
        for step in 0..<(seconds * 4) {
            rig.now = rig.now + .milliseconds(250)
            let clock = ClockReading(wall: rig.now + offset, monotonic: Span(nanoseconds: rig.now.nanoseconds))
            _ = try rig.agent.turn([.tick], at: clock)
            while rig.agent.hasPending { _ = try rig.agent.turn([], at: clock) }
            try steps?(step)
        }
    }

    private func close(_ rig: AgentRig, number: UInt8) throws -> Command {
        let id = try #require(CommandID(bytes: [UInt8](repeating: number, count: 16)))
        return Command(
            id: id, edge: AgentRig.edge, boundBoot: rig.agent.boot, issuer: "cloud:admin", tier: 2, issuedAt: rig.now, expiresAt: nil,
            body: .close(instrument: rig.front))
    }

    /// The deadline is of the boot clock: five seconds are five seconds, whatever the wall clock said when they began and says when they end.
    @Test(arguments: [Int64(-3_600), -5, 0, 5, 3_600]) func aCommandsLifeIsNotStretched(jump: Int64) throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        let command = try close(rig, number: 9)
        let deadline = Span(nanoseconds: rig.now.nanoseconds) + .seconds(5)
        try pass(rig, seconds: 4, offset: .seconds(jump))
        let clock = ClockReading(wall: rig.now + .seconds(jump), monotonic: Span(nanoseconds: rig.now.nanoseconds))
        _ = try rig.agent.turn([.command(command, deadline: deadline)], at: clock)
        #expect(rig.agent.desk.book.commands[command.id]?.code == "nothingToClose", "in time, and there is nothing to close")
        let late = try close(rig, number: 10)
        try pass(rig, seconds: 1, offset: .zero)
        let after = ClockReading(wall: rig.now, monotonic: Span(nanoseconds: rig.now.nanoseconds))
        _ = try rig.agent.turn([.command(late, deadline: deadline)], at: after)
        #expect(rig.agent.desk.book.commands[late.id]?.code == "expired")
    }

    /// The comparison waits two seconds by the boot clock, also when the wall clock goes back by an hour meanwhile.
    @Test func aClockSetBackDoesNotHoldUpTheComparison() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        _ = try rig.command(.order(instrument: rig.front, side: .buy, size: .quantity(Quantity(whole: 60)), trailing: nil, reverse: false))
        try rig.crash()
        #expect(!rig.agent.desk.isTrading)
        try pass(rig, seconds: 8, offset: .seconds(-3_600))
        #expect(rig.agent.desk.isTrading)
    }
}
