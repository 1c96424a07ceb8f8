// The cloud of a world of commands: rows are stored before anything leaves, entries before anything is called done.
internal import Control
internal import Ledger
internal import Sync
internal import Trading
internal import Values

extension CommandWorld {
    // MARK: - People

    mutating func newID() -> CommandID {
        guard let id = CommandID(bytes: (0..<16).map { _ in UInt8(chance.int(0...255)) }) else { preconditionFailure("16 bytes") }
        return id
    }

    /// One person wants something.
    mutating func ask() {
        report.commands += 1
        let user = isFlood ? "a" : "user\(chance.int(0...5))"
        let body: CommandBody
        switch chance.int(0...9) {
        case 0...5:
            let quantity = Quantity(whole: Int64(chance.int(1...40)))
            body = .order(
                instrument: CommandWorld.mbt, side: chance.chance(1, in: 2) ? .buy : .sell, size: .quantity(quantity), trailing: nil,
                reverse: chance.chance(1, in: 8))
        case 6, 7: body = .close(instrument: CommandWorld.mbt)
        case 8: body = .watch(instrument: CommandWorld.mbt)
        default: body = !isFlood && chance.chance(1, in: 3) ? .halt(reason: "r") : .watch(instrument: CommandWorld.mbt)
        }
        var wish = Ask(id: newID(), edge: CommandWorld.edge, user: user, body: body, title: "t", fingerprint: [1])
        let isHalt = body.isKill
        let isOnFalsePicture = !isHalt && chance.chance(1, in: 12)
        if isOnFalsePicture {
            wish.expects = Expectation(held: .init(instrument: CommandWorld.mbt, quantity: Quantity(whole: 1_000_000)))
        } else if !isHalt, chance.chance(1, in: 8) {
            wish.expects = Expectation(held: .init(instrument: CommandWorld.mbt, quantity: process.desk.book.netQuantity(CommandWorld.mbt)))
        }
        if chance.chance(1, in: 6) {
            wish.supersedes = rowOrder.suffix(6).first { rows[$0]?.isUndecided == true && rows[$0]?.command.body.isKill == false }
        }
        auditor.asked(
            wish.id,
            CommandAuditor.Wish(
                body: body, issuer: user, askedAt: now, life: body.lifetime, isOnFalsePicture: isOnFalsePicture, supersedes: wish.supersedes))
        submit(wish)
    }

    /// Somebody takes back what was asked lately.
    mutating func takeBack() {
        guard let target = rowOrder.suffix(5).first(where: { rows[$0]?.isUndecided == true }), let record = rows[target] else { return }
        let body = CommandBody.withdraw(command: target, boot: record.command.boundBoot ?? Boot(raw: 0), kind: record.command.body.kind)
        let wish = Ask(id: newID(), edge: CommandWorld.edge, user: "user0", body: body, title: "t", fingerprint: [1])
        auditor.asked(
            wish.id, CommandAuditor.Wish(body: body, issuer: "user0", askedAt: now, life: body.lifetime, isOnFalsePicture: false))
        submit(wish)
    }

    private mutating func submit(_ wish: Ask) {
        let (_, outcome) = room.ask(wish, at: cloudClock.wall)
        follow(outcome)
    }

    // MARK: - The node

    mutating func tell(_ input: ControlInput) { follow(room.handle(input, at: cloudClock.wall)) }

    private mutating func follow(_ outcome: ControlOutcome) {
        for write in outcome.writes {
            switch write {
            case .command(let record):
                if rows.updateValue(record, forKey: record.id) == nil { rowOrder.append(record.id) }
                auditor.cloudTold(record)
            case .forgetCommand(let id):
                rows[id] = nil
                rowOrder.removeAll { $0 == id }
            }
        }
        // The power may fail between the row and the frame.
        if !outcome.dispatches.isEmpty, chance.chance(1, in: 150) { return restartCloud() }
        for dispatch in outcome.dispatches { cloud(.dispatch(dispatch.command)) }
    }

    /// A new process reads its rows and entries; the connections are gone.
    mutating func restartCloud() {
        report.restarts += 1
        room = ControlRoom(commands: rowOrder.compactMap { rows[$0] }, rules: mutant.outbox)
        receiver = Receiver(incarnation: "i", release: "r", sessionSeed: chance.next(), rules: mutant.link)
        sessionNumber = 0
        toldAt = nil
        link.forget(isUpward: false)
        link.cut()
        upAgain = now + .milliseconds(Int64(chance.int(50...1_500)))
        tell(.enrolled(CommandWorld.edge, name: "home"))
        if !stored.isEmpty { tell(.entries(CommandWorld.edge, stored)) }
        cloud(.enrolled(CommandWorld.edge, EdgeMemory(have: stored.last?.head ?? .start, announced: announced)))
    }

    mutating func cloud(_ input: Receiver.Input) {
        for action in receiver.handle(input, at: cloudClock) {
            switch action {
            case .send(let bytes, let peer): if peer.connection == link.connection { carry(bytes, .control, isUpward: false) }
            case .commit(_, let entries):
                stored += entries
                for entry in entries { auditor.cloudStored(entry) }
                tell(.entries(CommandWorld.edge, entries))
                if let last = entries.last { cloud(.committed(CommandWorld.edge, last.head)) }
            case .compare(_, let head):
                let isEqual = head.seq == Seq(0) || (head.seq.raw <= UInt64(stored.count) && stored[Int(head.seq.raw) - 1].head == head)
                cloud(.compared(CommandWorld.edge, head, isEqual: isEqual))
            case .announced(_, let head): announced = head
            case .opened(_, let boot):
                let state = receiver.link(CommandWorld.edge)
                sessionNumber += 1
                toldAt = state?.toldAt
                let session = LinkSession(number: sessionNumber, boot: boot, release: "r", openedAt: cloudClock.wall)
                tell(.opened(CommandWorld.edge, session, announced: state?.announced.seq ?? Seq(0)))
            case .closed: tell(.closed(CommandWorld.edge, session: sessionNumber))
            case .presence(_, let presence): tell(.presence(CommandWorld.edge, presence == .live ? .live : presence == .silent ? .silent : .dead))
            case .commandReceived(let id, _): tell(.commandReceived(CommandWorld.edge, id))
            default: break
            }
        }
        guard case .frame = input, let state = receiver.link(CommandWorld.edge), state.boot != nil, let told = state.toldAt, told != toldAt else {
            return
        }
        toldAt = told
        let pulse = Pulse(announced: state.announced.seq, roundTrip: state.roundTrip, clockOffset: state.clockOffset, toldAt: told)
        tell(.heard(CommandWorld.edge, session: sessionNumber, pulse))
    }
}

extension FaultyLink.Parcel {
    /// An old frame on a connection of now.
    init(_ old: FaultyLink.Parcel, connection: UInt64) { self.init(lane: old.lane, bytes: old.bytes, connection: connection) }
}
