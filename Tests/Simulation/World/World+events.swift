// What happens in the world, one event after the other, and what leaves a machine by it.
internal import Ledger
internal import Sync
internal import Values
internal import Wire

extension World {
    // MARK: - Events

    func step() throws {
        guard let (at, happening) = queue.next() else { preconditionFailure("the world stands still at \(now.nanoseconds)") }
        now = max(now, at)
        report.events += 1
        switch happening {
        case .tick(let generation):
            guard generation == ticks else { report.events -= 1; return }
            log(1)
            ticked += 1
            try broker()
            try turn(.edge, .tick)
            if twin != nil { try turn(.twin, .tick) }
            try turn(.cloud, .tick)
            planTick(at: nextTick)
        case .arrive(let parcel, let to, let age):
            guard to != .cloud || !keyMenu.isOn || isLetIn(parcel.connection) else { return }
            isLate = age < self.age && to != .cloud
            defer { isLate = false }
            log(2, to == .cloud ? 1 : 0, parcel.connection, bytes: parcel.bytes)
            tell("\(to == .cloud ? "up" : "down") \(World.name(of: parcel.bytes)) over \(parcel.connection)")
            try turn(to, .frame(parcel.lane, parcel.bytes, connection: parcel.connection))
        case .connect(let who): try connect(who)
        case .drill(let step): try drill(step)
        case .image, .rollback, .restore, .twin, .twinHadTime, .twinEnds, .visit: try disaster(happening)
        case .backup, .compare, .rot, .rotHadTime: try keepHouse(happening)
        case .rotate, .revoke, .readmit: try changeKeys(happening)
        case .wish: try wish()
        case .learnOfCut(let who, let connection): try turn(who, .linkDown(connection: connection))
        case .cut:
            if var chance = due(.cut, if: link.isUp) { cut(.edge, &chance) }
            plan(.cut, .cut, within: menu.cuts)
        case .restart(let who): try restart(who)
        case .crash(let who):
            if due(.crash, if: machine(who)?.isRunning == true) != nil { try die(who) }
            plan(.crash(who), .crash, within: menu.crashes)
        case .freeze(let who):
            if var chance = due(.freeze, if: machine(who)?.isRunning == true) { machine(who)?.freezeDisk(after: chance.int(1...60)) }
            plan(.freeze(who), .freeze, within: menu.freezes)
        case .diskFault(let who):
            if var chance = due(.diskFault, if: machine(who)?.isRunning == true) {
                machine(who)?.failDisk(chance.chance(1, in: 2) ? .write : .sync, after: chance.int(1...8), chance.chance(1, in: 3) ? .full : .io)
            }
            plan(.diskFault(who), .diskFault, within: menu.diskFaults)
        case .clockJump:
            if var chance = due(.clockJump) { jump(&chance) }
            plan(.clockJump, .clockJump, within: menu.clockJumps)
        case .broker:
            if at >= brokerPlannedAt ?? .zero { brokerPlannedAt = nil }
            try broker()
        case .wireCut:
            if due(.wireCut) != nil {
                tell("the line to the gateway breaks")
                site?.cut(at: now)
            }
            plan(.wireCut, .wireCut, within: menu.wireCuts)
        case .gatewayCrash:
            if due(.gatewayCrash) != nil {
                tell("the gateway dies")
                site?.crash(at: now)
            }
            plan(.gatewayCrash, .gatewayCrash, within: menu.gatewayCrashes)
        case .brokerTrouble:
            if due(.brokerTrouble) != nil { site?.suffer(at: now) }
            plan(.brokerTrouble, .brokerTrouble, within: menu.brokerTroubles)
        case .ask:
            if var chance = due(.ask, if: edge.front != nil) { try ask(&chance) }
            plan(.ask, .ask, within: menu.asks)
        }
    }

    /// Lets the gateway and its line move, and gives the edge what came of it.
    func broker() throws {
        guard let site else { return }
        let events = site.advance(to: now)
        look(site.takePlaced().map { .placed(tag: $0) })
        if !events.isEmpty {
            for event in events { tell("from the gateway: \(World.name(of: event))"); log(9, UInt64(World.size(of: event))) }
            try turn(.edge, .broker(events))
        }
        planBroker()
    }

    func planBroker() {
        guard let at = site?.nextAt, at < brokerPlannedAt ?? .seconds(.max / 1_000_000_000) else { return }
        brokerPlannedAt = max(at, now)
        queue.add(.broker, at: max(at, now))
    }

    static func name(of event: BrokerEvent) -> String {
        switch event {
        case .connected: "connected"
        case .disconnected(let words): "disconnected, \(words)"
        case .bytes(let bytes): "\(bytes.count) bytes"
        }
    }

    static func size(of event: BrokerEvent) -> Int { if case .bytes(let bytes) = event { bytes.count } else { 0 } }

    /// Plans the next one of a kind; `rate` is its mean distance, zero for never.
    func plan(_ happening: Happening, _ kind: AdversityKind, within rate: Span) {
        guard rate > .zero else { return }
        var lane: UInt64 = 0
        switch happening {
        case .crash(let who), .freeze(let who), .diskFault(let who): lane = who.rawValue
        default: break
        }
        queue.add(happening, at: now + plans.distance(kind, lane: lane, rate: rate))
    }

    /// The generator of an adversity that is due now and has somebody to meet; nil when the world is calm or it is left out.
    func due(_ kind: AdversityKind, if isMet: Bool = true) -> SeededRandom? {
        let (chance, isSpared) = plans.next(kind)
        guard !isCalm, isMet, !isSpared, now >= quietUntil else { return nil }
        plans.note(kind)
        return chance
    }

    /// The edge's wall clock is set, by a moment or by an hour, to either side.
    func jump(_ chance: inout SeededRandom) {
        let seconds = chance.chance(1, in: 3) ? chance.int(60...3_600) : chance.int(0...5)
        wallOffset = .milliseconds(Int64(seconds * 1_000 + chance.int(0...999)) * (chance.chance(1, in: 2) ? 1 : -1))
        edge.wallOffset = wallOffset
        tell("the edge's wall clock is set off by \(wallOffset.nanoseconds / 1_000_000) ms")
        log(8, UInt64(bitPattern: wallOffset.nanoseconds))
    }

    /// The link of an edge, or of its twin.
    func link(of who: Who) -> FaultyLink { who == .twin ? twinLink : link }

    func connect(_ who: Who) throws {
        guard presence != .absent, let machine = machine(who) else { return }
        guard !link(of: who).isUp, machine.isRunning, cloud.isRunning else {
            if !link(of: who).isUp { queue.add(.connect(who), at: now + .milliseconds(200)) }
            return
        }
        guard try who != .edge || knock(), machine.isRunning, cloud.isRunning else { return }
        let held = who == .twin ? twinLink.connect() : link.connect()
        let connection = link(of: who).connection
        if keyMenu.isOn, who == .edge { keysOfConnections[connection] = edge.linkedBy }
        tell("\(who)'s connection \(connection)")
        log(3, connection)
        hurry()
        try turn(.cloud, .linkUp(connection: connection))
        try turn(who, .linkUp(connection: connection))
        for (isUpward, lane, bytes) in held { travel(bytes, lane, isUpward: isUpward, over: who) }
    }

    /// The link breaks. What is on its way may still arrive; the edge learns of it a little later, the cloud perhaps only by silence.
    func cut(_ who: Who, _ chance: inout SeededRandom) {
        guard link(of: who).isUp else { return }
        let connection = link(of: who).connection
        if who == .twin { twinLink.cut() } else { link.cut() }
        report.cuts += 1
        tell("\(who)'s link breaks")
        log(4)
        let isShort = isCalm || now < quietUntil
        let wait = chance.int(20...(isShort ? 200 : 12_000)) * (pace.rarity > 1 && chance.chance(1, in: 4) && !isShort ? Int(pace.rarity) * 5 : 1)
        let learns = min(wait, chance.chance(1, in: 2) ? 0 : chance.int(0...1_500))
        queue.add(.learnOfCut(who, connection: connection), at: now + .milliseconds(Int64(learns)))
        if chance.chance(1, in: 2) {
            queue.add(.learnOfCut(.cloud, connection: connection), at: now + .milliseconds(Int64(chance.int(0...3_000))))
        }
        queue.add(.connect(who), at: now + .milliseconds(Int64(wait)))
    }

    func ask(_ chance: inout SeededRandom) throws {
        guard let front = edge.front else { return }
        let size = Quantity(whole: Int64(chance.int(1...25)))
        let body: CommandBody =
            switch chance.int(0...9) {
            case 0...5:
                .order(
                    instrument: front, side: chance.chance(1, in: 2) ? .buy : .sell, size: .quantity(size),
                    trailing: chance.chance(1, in: 3) ? .percent(Ratio(raw: 20_000)) : nil, reverse: chance.chance(1, in: 2))
            case 6...8: .close(instrument: front)
            default: .watch(instrument: front)
            }
        report.commands += 1
        hurry()
        tell("asked: \(body)")
        log(5, UInt64(report.commands))
        try turn(.cloud, .ask(body))
    }

    /// Gives a machine a turn and carries what left it; a machine that dies in its turn is restarted.
    func turn(_ who: Who, _ event: MachineEvent) throws {
        try act(who) { try $0.turn(event, at: clock(who)) }
    }

    /// Lets a running machine do something, and carries what left it.
    func act(_ who: Who, _ body: (any Machine) throws -> Void) throws {
        guard let machine = machine(who), machine.isRunning else { return }
        var died = false
        do { try body(machine) } catch is MachineDied { died = true }
        try carry(who)
        if died { try die(who) }
    }

    func carry(_ who: Who) throws {
        guard let machine = machine(who) else { return }
        let seen = machine.takeSeen().map { one in
            switch one {
            case .setBack(.cloud), .chosen: age += 1
            case .opened(let who) where isLate: return Observation.openedLate(who)
            default: break
            }
            return one
        }
        // A copy's own ledger is its own; only what the link says of it counts.
        look(who == .twin ? seen.filter { $0.isOfLink } : seen)
        var reopens = false
        for effect in machine.takeEffects() {
            switch effect {
            case .frame(let lane, let bytes, let connection):
                let over: Who = connection > World.twinConnections ? .twin : .edge
                overhear(bytes, from: who, over: over)
                if connection == link(of: over).connection { travel(bytes, lane, isUpward: who != .cloud, over: over) }
            case .reopen: reopens = true
            case .broker(let wish):
                site?.wish(wish, at: now)
                planBroker()
            }
        }
        if who == .cloud { mindDoor() }
        if reopens, who != .cloud {
            var chance = plans.next(.life).chance
            cut(who, &chance)
        }
    }

    func travel(_ bytes: [UInt8], _ lane: Lane, isUpward: Bool, over: Who) {
        let arrivals =
            over == .twin
            ? twinLink.carry(bytes, lane: lane, isUpward: isUpward, at: now) : link.carry(bytes, lane: lane, isUpward: isUpward, at: now)
        for (at, parcel) in arrivals { queue.add(.arrive(parcel, to: isUpward ? .cloud : over, age: age), at: at) }
    }

    /// What checkers are to know of the talk between edge and cloud.
    private func overhear(_ bytes: [UInt8], from who: Who, over: Who) {
        guard let frame = try? Frame(bytes) else { return }
        mark(frame)
        switch frame.type {
        case .ack: guard over == .twin else { return }
        case .hello, .welcome, .error, .beat: guard menu.images > .zero else { return }
        case .batch: guard menu.isNarrow, over == .edge else { return }
        case .command: break
        default: return
        }
        guard let message = try? Message(frame) else { return }
        switch message {
        case .hello(let hello):
            look([.greeted(over == .twin ? .twin : .edge, epoch: hello.epoch)])
            if over == .edge {
                said[hello.attempt] = hello.head.seq.raw
                lastSaid = hello.head.seq.raw
            }
            announced = max(announced, hello.head.seq.raw)
        case .ack(let head): look([.copyAcked(seq: head.seq.raw)])
        case .beat(let beat): if who != .cloud { announced = max(announced, beat.head?.seq.raw ?? 0) }
        case .error(let trouble) where who == .cloud && frame.session == 0:
            // Read from a copy of the disk, and only where it matters.
            guard ["FORK", "ROLLBACK_UNSYNCED"].contains(trouble.code), let stored = try? cloud.storedLineage() else { return }
            look([.refused(over == .twin ? .twin : .edge, trouble.code, stored: stored)])
        // What the edge announced and the cloud answered with a session: that much the cloud knows to be there.
        case .welcome(let welcome): if over == .edge { told = max(told, said[welcome.attempt] ?? 0) }
        case .batch(let body):
            guard let batch = try? Batch(body) else { return }
            look([.sent(after: batch.previous.seq.raw, upTo: batch.last.seq.raw, bytes: batch.rawBytes)])
        case .command(let order):
            if let boot = order.command.boundBoot { look([.bound(command: order.command.id.description, boot: boot.raw)]) }
        default: break
        }
    }
}
