// Commands down: once, in time, to the run they are bound to.
import Ledger
import Sync
import Testing
import Values

struct CommandTests {
    static func command(boot: Boot?, number: UInt8 = 1, expiresAt: Instant? = nil) throws -> Command {
        let id = try #require(CommandID(bytes: [UInt8](repeating: number, count: 16)))
        return Command(
            id: id, edge: Samples.edge, boundBoot: boot, issuer: "cloud:admin", tier: 1, issuedAt: Instant(seconds: 1), expiresAt: expiresAt,
            body: .halt(reason: "r"))
    }

    /// As the edge's end of the link hands it on.
    private static func noted(_ command: Command, _ desk: Desk) -> Command {
        var noted = command
        noted.skew = desk.sender.clock.offset
        return noted
    }

    @Test func theEdgeHandsACommandOnOnce() throws {
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        let command = try Self.command(boot: desk.ledger.boot)
        let order = Message.command(CommandOrder(command: command, remaining: nil, sentAt: .seconds(9)))
        let first = desk.hear(order)
        #expect(try messages(first) == [.commandAck(command.id, refusal: nil)] && has(first, .deliver(Self.noted(command, desk), deadline: nil)))
        #expect(try messages(desk.hear(order)) == [.commandAck(command.id, refusal: nil)])
        let other = try Self.command(boot: Boot(raw: 1), number: 2)
        #expect(
            try messages(desk.hear(.command(CommandOrder(command: other, remaining: nil, sentAt: .seconds(9))))) == [
                .commandAck(other.id, refusal: "wrongRun")
            ])
    }

    /// A command of a kind or version that the edge did not name in HELLO is not sent: it would be refused at best, misread at worst.
    @Test(arguments: [true, false]) func onlyWhatTheEdgeKnowsIsSent(isKnown: Bool) throws {
        for isCareless in [false, true] {
            var rules = Rules()
            rules.anyKindIsSent = isCareless
            var tower = try Tower(3, rules: rules)
            guard case .hello(var hello) = tower.hello() else { return }
            hello.commandKinds = isKnown ? ["halt"] : ["halt.2", "order"]
            let opened = tower.hear(.hello(hello), session: 0)
            for case .send(let bytes, _) in opened { if let frame = try? Frame(bytes), frame.type == .welcome { tower.session = frame.session } }
            let command = try Self.command(boot: tower.ledger.boot)
            let actions = tower.say(.dispatch(command))
            #expect(try tower.sent(actions).count == (isKnown || isCareless ? 1 : 0))
            #expect(actions.contains(.commandNotDelivered(command.id, Samples.edge, .unknownToEdge)) == !(isKnown || isCareless))
            #expect(tower.receiver.understands(Samples.edge, command.body) == isKnown)
        }
    }

    /// An edge of a release that knew HALT alone is told to halt, whichever level was asked for; a newer one is told the level.
    @Test(arguments: [HaltLevel.reducing, .cancel]) func theKillSwitchDoesNotFailForAWord(level: HaltLevel) throws {
        for isOld in [true, false] {
            var tower = try Tower(3)
            guard case .hello(var hello) = tower.hello() else { return }
            if isOld { hello.commandKinds = ["halt", "order"] }
            let opened = tower.hear(.hello(hello), session: 0)
            for case .send(let bytes, _) in opened { if let frame = try? Frame(bytes), frame.type == .welcome { tower.session = frame.session } }
            var command = try Self.command(boot: tower.ledger.boot)
            command.body = .raise(level, reason: "r")
            guard case .command(let order)? = try tower.sent(tower.say(.dispatch(command))).last else { Issue.record("nothing was sent"); return }
            guard case .raise(let told, let reason) = order.command.body else { Issue.record("no kill"); return }
            #expect(told == (isOld ? .halt : level) && reason.hasSuffix("r") && reason.contains(level.apiWord) == isOld)
            #expect(order.command.id == command.id && tower.receiver.understands(Samples.edge, command.body))
        }
    }

    /// The console has rights that the cloud has not: its name over the link is a forgery.
    @Test func theCloudCannotSpeakAsTheConsole() throws {
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        var command = try Self.command(boot: desk.ledger.boot)
        command.issuer = "console"
        let actions = desk.hear(.command(CommandOrder(command: command, remaining: nil, sentAt: .seconds(9))))
        #expect(
            try messages(actions) == [.commandAck(command.id, refusal: "badIssuer")]
                && !has(actions, .deliver(Self.noted(command, desk), deadline: nil)))
    }

    /// The life is counted from when the cloud sent it, so that a frame held up for eight of its ten seconds has two left at most.
    @Test func aDelayedCommandLivesNoLonger() throws {
        var desk = try Desk(5)
        // The cloud's boot clock shows 9 s while the edge's shows 500 s.
        _ = desk.open(have: 5)
        desk.pass(.seconds(8))
        let command = try Self.command(boot: desk.ledger.boot)
        let actions = desk.hear(.command(CommandOrder(command: command, remaining: .seconds(10), sentAt: .seconds(9))))
        #expect(has(actions, .deliver(Self.noted(command, desk), deadline: .seconds(510))))
    }

    @Test func theCloudSendsRepeatsAndGivesUpInTime() throws {
        var tower = try Tower(5)
        try tower.open()
        let command = try Self.command(boot: tower.ledger.boot, expiresAt: tower.now.wall + .seconds(3))
        guard case .command(let order)? = try tower.sent(tower.say(.dispatch(command))).first else { Issue.record("nothing sent"); return }
        #expect(order.remaining == .seconds(3) && order.sentAt == tower.now.monotonic)
        #expect(tower.say(.dispatch(command)).isEmpty, "it is on its way already")
        tower.pass(.seconds(1))
        guard case .command(let again)? = try tower.sent(tower.say(.tick)).first else { Issue.record("not repeated"); return }
        #expect(again.remaining == .seconds(2) && again.sentAt == tower.now.monotonic)
        tower.pass(.seconds(2))
        #expect(tower.say(.tick).contains(.commandNotDelivered(command.id, Samples.edge, .inDoubt)))
        tower.pass(.seconds(1))
        #expect(try tower.sent(tower.say(.tick)).isEmpty)
        #expect(tower.say(.dispatch(command)) == [.commandNotDelivered(command.id, Samples.edge, .expired)])
    }

    @Test func anAcknowledgedCommandIsNotRepeated() throws {
        var tower = try Tower(5)
        try tower.open()
        let command = try Self.command(boot: tower.ledger.boot)
        _ = tower.say(.dispatch(command))
        #expect(tower.hear(.commandAck(command.id, refusal: nil)) == [.commandReceived(command.id, Samples.edge)])
        #expect(tower.hear(.commandAck(command.id, refusal: nil)).isEmpty)
        tower.pass(.seconds(2))
        #expect(try tower.sent(tower.say(.tick)).isEmpty)
        let refused = try Self.command(boot: tower.ledger.boot, number: 2)
        _ = tower.say(.dispatch(refused))
        #expect(tower.hear(.commandAck(refused.id, refusal: "wrongRun")) == [.commandNotDelivered(refused.id, Samples.edge, .refusedByEdge)])
    }

    @Test func whatCannotBeDeliveredIsSaidAtOnce() throws {
        var tower = try Tower(5)
        let early = try Self.command(boot: tower.ledger.boot)
        #expect(tower.say(.dispatch(early)) == [.commandNotDelivered(early.id, Samples.edge, .noSession)])
        try tower.open()
        let foreign = try Self.command(boot: Boot(raw: 1))
        #expect(tower.say(.dispatch(foreign)) == [.commandNotDelivered(foreign.id, Samples.edge, .wrongRun)])
        for number in 0..<256 {
            let id = try #require(CommandID(bytes: [UInt8](repeating: 0, count: 14) + [UInt8(number / 256), UInt8(number % 256)]))
            var command = early
            command.id = id
            _ = tower.say(.dispatch(command))
        }
        #expect(tower.say(.dispatch(early)) == [.commandNotDelivered(early.id, Samples.edge, .tooMany)])
        #expect(tower.say(.gone(tower.peer)).filter { if case .commandNotDelivered(_, _, .inDoubt) = $0 { true } else { false } }.count == 256)
    }
}
