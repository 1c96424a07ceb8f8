// One edge, one cloud and the link between them on a virtual clock: everything that happens follows from one seed.
internal import Ledger
internal import Sync
package import Values
internal import Wire

/// What a world saw.
package struct WorldReport: Sendable, Hashable {
    package var seed: UInt64
    package var events = 0
    package var crashes = 0
    package var cuts = 0
    package var commands = 0
    package var orders = 0
    package var fills = 0
    package var entries = 0
    /// Of the edge's last entry: equal seeds give equal ledgers.
    package var ledgerHash = ""
    /// Of everything that happened, in order.
    package var logHash: UInt64 = 0
    package var violations: [Violation] = []
    /// What the world suffered and was asked; to leave some of it out in another run.
    package var happened: [Adversity] = []
    package init(seed: UInt64) { self.seed = seed }
}

/// The world of one seed. Made, run once, and read.
package final class World {
    private enum Who: UInt64 { case edge = 1, cloud = 2 }
    private enum Happening {
        /// Of this generation: an older one was overtaken.
        case tick(UInt64)
        case arrive(FaultyLink.Parcel, isUpward: Bool)
        case connect
        case learnOfCut(Who, connection: UInt64)
        case cut
        case restart(Who)
        case crash(Who)
        case freeze(Who)
        case diskFault(Who)
        case clockJump
        case ask
        case broker
        case wireCut
        case gatewayCrash
        case brokerTrouble
    }

    /// The day on which every world begins: 2026-11-20, 15:00 UTC, a Friday.
    private static let start = Instant(seconds: 1_795_186_800)
    private let breaker: Breaker
    private let duration: Span
    private let pace: Pace
    private let trace: ((String) -> Void)?
    private let edge: EdgeMachine
    private let cloud: NodeMachine
    private let site: GatewaySite?
    private let menu: FaultMenu
    private var link: FaultyLink
    private var plans: AdversityPlan
    private var queue = EventQueue<Happening>()
    private var now = Span.zero
    private var isCalm = false
    private var ticks: UInt64 = 0
    private var busyUntil = Span.zero
    /// What each disk was found to hold.
    private var sights: [Who: StoredRows] = [:]
    private var wallOffset = Span.zero
    private var brokerPlannedAt: Span?
    private var checkers: Checkers
    private var report: WorldReport

    /// - Parameters:
    ///   - duration: how long the faults last; afterwards the world gets time to come to rest.
    ///   - pace: how fast time and faults go by.
    ///   - faults: exactly these; nil lets the seed choose.
    ///   - only: of all that the seed would do, just these: how a failing seed is made smaller. Nil for everything.
    ///   - trace: gets a line for everything that happens.
    package init(
        seed: UInt64, venue: WorldVenue = .paper, duration: Span = .seconds(90), pace: Pace = .close, faults: Set<WorldFault>? = nil,
        breaker: Breaker = .none,
        only: Set<Adversity>? = nil, trace: ((String) -> Void)? = nil
    ) {
        self.breaker = breaker; self.duration = duration; self.pace = pace; self.trace = trace
        report = WorldReport(seed: seed)
        var chance = SeededRandom(seed: seed)
        menu = FaultMenu(&chance, only: faults, breaker, venue, rarity: pace.rarity)
        let id = EdgeID(bytes: (0..<16).map { UInt8(truncatingIfNeeded: seed >> UInt64($0 % 8)) ^ UInt8($0) })
        guard let id else { preconditionFailure("an edge id has 16 bytes") }
        var rules = pace.rules
        rules.skipHashCheck = breaker == .noHashCheck
        rules.acceptGaps = breaker == .gaps
        rules.deadlineFromReceipt = breaker == .lateCommands
        // One copy of each command, so that a late one has no sibling that came in time.
        if breaker == .lateCommands { rules.commandRetry = .seconds(60) }
        var setup = EdgeSetup(edge: id, seed: chance.next(), start: World.start)
        setup.rules = rules; setup.breaker = breaker; setup.venue = venue; setup.pace = pace
        edge = EdgeMachine(setup)
        cloud = NodeMachine(edge: id, seed: chance.next(), start: World.start, rules: rules, breaker: breaker)
        link = FaultyLink(menu.weather, plan: AdversityPlan(seed: chance.next(), only: only))
        plans = AdversityPlan(seed: chance.next(), only: only)
        checkers = Checkers(edge: id)
        site = venue == .gateway ? GatewaySite(seed: chance.next(), start: World.start) : nil
        site?.delay = menu.wireDelay
    }

    /// Runs to the end: faults, then rest, then the comparison of both ledgers. An error that no fault explains is a violation too.
    package func run() -> WorldReport {
        do { try live() } catch {
            tell("BROKEN \(error)")
            report.violations.append(Violation("error", "\(error)"))
        }
        return report
    }

    private func live() throws {
        queue.add(.restart(.cloud), at: .zero)
        queue.add(.restart(.edge), at: .milliseconds(5))
        planTick(at: .milliseconds(10))
        plan(.ask, .ask, within: menu.asks)
        plan(.cut, .cut, within: menu.cuts)
        for who in [Who.edge, .cloud] {
            plan(.crash(who), .crash, within: menu.crashes)
            plan(.freeze(who), .freeze, within: menu.freezes)
            plan(.diskFault(who), .diskFault, within: menu.diskFaults)
        }
        plan(.clockJump, .clockJump, within: menu.clockJumps)
        plan(.wireCut, .wireCut, within: menu.wireCuts)
        plan(.gatewayCrash, .gatewayCrash, within: menu.gatewayCrashes)
        plan(.brokerTrouble, .brokerTrouble, within: menu.brokerTroubles)
        while now < duration, report.violations.isEmpty { try step() }
        isCalm = true
        tell("calm")
        link.weather = LinkWeather()
        wallOffset = .zero
        edge.wallOffset = .zero
        hurry()
        let limit = now + pace.rest
        // At rest for a second: whatever the last answers set off has happened too.
        var restless = now
        while now < limit, report.violations.isEmpty, now - restless < .seconds(1) || !(site?.isQuiet ?? true) {
            try step()
            if !isAtRest { restless = now }
        }
        try compare()
        report.events += edge.diskOperations + cloud.diskOperations
        report.happened = plans.happened + link.happened
    }

    /// After anything out of the ordinary the programs are looked at often, as long as it takes them to settle.
    private func hurry() {
        busyUntil = now + .seconds(8)
        planTick(at: now + closeTick)
    }

    /// A session with a gateway wants to be called more often.
    private var closeTick: Span { site == nil ? pace.closeTick : .milliseconds(100) }

    private func planTick(at time: Span) {
        ticks += 1
        queue.add(.tick(ticks), at: time)
    }

    /// When time alone is to be looked at again: the link's own timers are met, and nothing waits longer than the pace.
    private var nextTick: Span {
        if now < busyUntil || site != nil { return now + closeTick }
        let timer = edge.wakeAt.map { $0 - (edgeClock.monotonic - now) }
        return min(now + pace.tick, max(timer ?? .seconds(.max / 1_000_000_000), now + closeTick))
    }

    private var isAtRest: Bool { edge.isRunning && cloud.isRunning && edge.isCaughtUp && edge.isSettled }

    private var edgeClock: ClockReading { ClockReading(wall: World.start + now + wallOffset, monotonic: .seconds(5_000) + now) }
    private var cloudClock: ClockReading { ClockReading(wall: World.start + .milliseconds(700) + now, monotonic: .seconds(77) + now) }
    private func machine(_ who: Who) -> any Machine { who == .edge ? edge : cloud }
    private func clock(_ who: Who) -> ClockReading { who == .edge ? edgeClock : cloudClock }

    // MARK: - Events

    private func step() throws {
        guard let (at, happening) = queue.next() else { preconditionFailure("the world stands still at \(now.nanoseconds)") }
        now = max(now, at)
        report.events += 1
        switch happening {
        case .tick(let generation):
            guard generation == ticks else { report.events -= 1; return }
            log(1)
            try broker()
            try turn(.edge, .tick)
            try turn(.cloud, .tick)
            planTick(at: nextTick)
        case .arrive(let parcel, let isUpward):
            log(2, isUpward ? 1 : 0, parcel.connection, bytes: parcel.bytes)
            tell("\(isUpward ? "up" : "down") \(World.name(of: parcel.bytes)) over \(parcel.connection)")
            try turn(isUpward ? .cloud : .edge, .frame(parcel.lane, parcel.bytes, connection: parcel.connection))
        case .connect: try connect()
        case .learnOfCut(let who, let connection): try turn(who, .linkDown(connection: connection))
        case .cut:
            if var chance = due(.cut, if: link.isUp) { cut(&chance) }
            plan(.cut, .cut, within: menu.cuts)
        case .restart(let who): try restart(who)
        case .crash(let who):
            if due(.crash, if: machine(who).isRunning) != nil { try die(who) }
            plan(.crash(who), .crash, within: menu.crashes)
        case .freeze(let who):
            if var chance = due(.freeze, if: machine(who).isRunning) { machine(who).freezeDisk(after: chance.int(1...60)) }
            plan(.freeze(who), .freeze, within: menu.freezes)
        case .diskFault(let who):
            if var chance = due(.diskFault, if: machine(who).isRunning) {
                machine(who).failDisk(chance.chance(1, in: 2) ? .write : .sync, after: chance.int(1...8), chance.chance(1, in: 3) ? .full : .io)
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
    private func broker() throws {
        guard let site else { return }
        let events = site.advance(to: now)
        look(site.takePlaced().map { .placed(tag: $0) })
        if !events.isEmpty {
            for event in events { tell("from the gateway: \(World.name(of: event))"); log(9, UInt64(World.size(of: event))) }
            try turn(.edge, .broker(events))
        }
        planBroker()
    }

    private func planBroker() {
        guard let at = site?.nextAt, at < brokerPlannedAt ?? .seconds(.max / 1_000_000_000) else { return }
        brokerPlannedAt = max(at, now)
        queue.add(.broker, at: max(at, now))
    }

    private static func name(of event: BrokerEvent) -> String {
        switch event {
        case .connected: "connected"
        case .disconnected(let words): "disconnected, \(words)"
        case .bytes(let bytes): "\(bytes.count) bytes"
        }
    }

    private static func size(of event: BrokerEvent) -> Int { if case .bytes(let bytes) = event { bytes.count } else { 0 } }

    /// Plans the next one of a kind; `rate` is its mean distance, zero for never.
    private func plan(_ happening: Happening, _ kind: AdversityKind, within rate: Span) {
        guard rate > .zero else { return }
        var lane: UInt64 = 0
        switch happening {
        case .crash(let who), .freeze(let who), .diskFault(let who): lane = who.rawValue
        default: break
        }
        queue.add(happening, at: now + plans.distance(kind, lane: lane, rate: rate))
    }

    /// The generator of an adversity that is due now and has somebody to meet; nil when the world is calm or it is left out.
    private func due(_ kind: AdversityKind, if isMet: Bool = true) -> SeededRandom? {
        let (chance, isSpared) = plans.next(kind)
        guard !isCalm, isMet, !isSpared else { return nil }
        plans.note(kind)
        return chance
    }

    /// The edge's wall clock is set, by a moment or by an hour, to either side.
    private func jump(_ chance: inout SeededRandom) {
        let seconds = chance.chance(1, in: 3) ? chance.int(60...3_600) : chance.int(0...5)
        wallOffset = .milliseconds(Int64(seconds * 1_000 + chance.int(0...999)) * (chance.chance(1, in: 2) ? 1 : -1))
        edge.wallOffset = wallOffset
        tell("the edge's wall clock is set off by \(wallOffset.nanoseconds / 1_000_000) ms")
        log(8, UInt64(bitPattern: wallOffset.nanoseconds))
    }

    private func connect() throws {
        guard !link.isUp, edge.isRunning, cloud.isRunning else {
            if !link.isUp { queue.add(.connect, at: now + .milliseconds(200)) }
            return
        }
        let held = link.connect()
        tell("connection \(link.connection)")
        log(3, link.connection)
        hurry()
        try turn(.cloud, .linkUp(connection: link.connection))
        try turn(.edge, .linkUp(connection: link.connection))
        for (isUpward, lane, bytes) in held { travel(bytes, lane, isUpward: isUpward) }
    }

    /// The link breaks. What is on its way may still arrive; the edge learns of it a little later, the cloud perhaps only by silence.
    private func cut(_ chance: inout SeededRandom) {
        guard link.isUp else { return }
        link.cut()
        report.cuts += 1
        tell("the link breaks")
        log(4)
        let wait = chance.int(20...(isCalm ? 200 : 12_000)) * (pace.rarity > 1 && chance.chance(1, in: 4) ? Int(pace.rarity) * 5 : 1)
        let learns = min(wait, chance.chance(1, in: 2) ? 0 : chance.int(0...1_500))
        queue.add(.learnOfCut(.edge, connection: link.connection), at: now + .milliseconds(Int64(learns)))
        if chance.chance(1, in: 2) {
            queue.add(.learnOfCut(.cloud, connection: link.connection), at: now + .milliseconds(Int64(chance.int(0...3_000))))
        }
        queue.add(.connect, at: now + .milliseconds(Int64(wait)))
    }

    private func ask(_ chance: inout SeededRandom) throws {
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
    private func turn(_ who: Who, _ event: MachineEvent) throws {
        let machine = machine(who)
        guard machine.isRunning else { return }
        var died = false
        do { try machine.turn(event, at: clock(who)) } catch is MachineDied { died = true }
        try carry(who)
        if died { try die(who) }
    }

    private func carry(_ who: Who) throws {
        let machine = machine(who)
        look(machine.takeSeen())
        var reopens = false
        for effect in machine.takeEffects() {
            switch effect {
            case .frame(let lane, let bytes, let connection):
                if connection == link.connection { travel(bytes, lane, isUpward: who == .edge) }
            case .reopen: reopens = true
            case .broker(let wish):
                site?.wish(wish, at: now)
                planBroker()
            }
        }
        if reopens {
            var chance = plans.next(.life).chance
            cut(&chance)
        }
    }

    private func travel(_ bytes: [UInt8], _ lane: Lane, isUpward: Bool) {
        for (at, parcel) in link.carry(bytes, lane: lane, isUpward: isUpward, at: now) { queue.add(.arrive(parcel, isUpward: isUpward), at: at) }
    }

    // MARK: - Life and death

    private func die(_ who: Who) throws {
        var (chance, _) = plans.next(.life)
        let modes = CrashMode.allCases
        // A process that ends because its disk failed leaves the machine running.
        let mode = machine(who).isDiskFailing ? .everything : modes[chance.int(0...modes.count - 1)]
        tell("\(who) dies, its disk keeps \(mode)")
        machine(who).crash(mode)
        report.crashes += 1
        log(6, who.rawValue)
        link.forget(isUpward: who == .edge)
        if who == .edge { site?.edgeDied(at: now); planBroker() }
        queue.add(.restart(who), at: now + .milliseconds(Int64(chance.int(50...3_000))))
        cut(&chance)
    }

    private func restart(_ who: Who) throws {
        let machine = machine(who)
        guard !machine.isRunning else { return }
        log(7, who.rawValue)
        tell("\(who) starts")
        hurry()
        look([.rows(who == .edge ? .edge : .cloud, try sight(of: who))])
        var (chance, isSpared) = plans.next(.life)
        let (freezes, mutations) = (chance.chance(1, in: 6), chance.int(1...12))
        let (diesAtOrder, dies) = (chance.chance(1, in: 2), chance.chance(1, in: 2))
        if !isCalm, !isSpared {
            if menu.freezes > .zero, freezes { machine.freezeDisk(after: mutations); plans.note(.life) }
            if who == .edge, menu.diesAtOrders, diesAtOrder { edge.deathAtNextOrder = dies ? .before : .after; plans.note(.life) }
        }
        var died = false
        do { try machine.start(at: clock(who)) } catch is MachineDied { died = true }
        try carry(who)
        if died { try die(who) } else { queue.add(.connect, at: now + .milliseconds(Int64(chance.int(1...300)))) }
    }

    /// Both processes end, and their disks are compared.
    private func compare() throws {
        let rested = isAtRest
        let (books, unrest) = (site.map { $0.books(believed: edge.believed) } ?? edge.brokerBooks, edge.unrest)
        edge.crash(.everything)
        cloud.crash(.everything)
        let (ours, theirs) = (try sight(of: .edge, isWhole: true), try sight(of: .cloud, isWhole: true))
        look([.rows(.edge, ours), .rows(.cloud, theirs)])
        if report.violations.isEmpty, rested, let books { look([.quiet(edge: ours, cloud: theirs, books)]) }
        if report.violations.isEmpty, !rested {
            report.violations.append(Violation("rest", "long after the last fault the two had not come to rest: \(unrest)"))
        }
        if breaker == .none { report.violations += cloud.refusals.map { Violation("alarm", "false alarm: \($0)") } }
        for row in ours {
            tell("\(row.seq) \(Kind(rawValue: row.kind).map { "\($0)" } ?? "\(row.kind)") \(String(decoding: row.body, as: UTF8.self))")
        }
        report.entries = ours.count
        report.ledgerHash = Hex.text(ours.last?.hash ?? [])
        report.orders = ours.count { $0.kind == Kind.intent.rawValue }
        report.fills = ours.count { $0.kind == Kind.fill.rawValue }
    }

    /// What a machine's disk holds. Between restarts only the end is read again; the last look takes everything.
    private func sight(of who: Who, isWhole: Bool = false) throws -> StoredRows {
        let known = sights[who] ?? StoredRows()
        var start = isWhole ? 0 : max(0, known.count - World.overlap)
        var tail = try machine(who).survivors(from: UInt64(start) + 1)
        // Not even the overlap is as it was: look at everything.
        if start > 0, tail.first != known[start] {
            start = 0
            tail = try machine(who).survivors(from: 1)
        }
        let rows = StoredRows(known, upTo: start, then: tail)
        sights[who] = rows
        return rows
    }
    /// Rows at the end that are compared with what was known.
    private static let overlap = 64

    private func look(_ seen: [Observation]) {
        for one in seen {
            let found = checkers.look(one, at: now)
            for violation in found { tell("BROKEN \(violation)") }
            report.violations += found
        }
    }

    // MARK: - The log

    private static func name(of bytes: [UInt8]) -> String {
        do throws(FrameError) {
            let frame = try Frame(bytes)
            switch try Message(frame) {
            case .hello(let hello): return "HELLO head \(hello.head.seq) acked \(hello.acked.seq)"
            case .welcome(let welcome): return "WELCOME have \(welcome.have.seq)"
            case .ack(let head): return "ACK \(head.seq)"
            case .nack(let head): return "NACK \(head.seq)"
            case .command(let order): return "CMD \(order.command.id)"
            case .error(let trouble): return "ERR \(trouble.code) \(trouble.text)"
            default: return "\(frame.type) \(frame.number)"
            }
        } catch { return "unreadable: \(error)" }
    }

    private func tell(_ text: @autoclosure () -> String) {
        guard let trace else { return }
        trace("\(now.nanoseconds / 1_000_000) ms  \(text())")
    }

    /// Folds what happened, and when, into the log's hash.
    private func log(_ words: UInt64..., bytes: [UInt8] = []) {
        var text: [UInt8] = []
        for word in [report.logHash, UInt64(bitPattern: now.nanoseconds)] + words {
            for place in 0..<8 { text.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * place))) }
        }
        report.logHash = Hashing.blake2b(text + bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
