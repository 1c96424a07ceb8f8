// Commands and nothing else, fast enough for a million: outbox, receiver, sender and desk as pure machines over a bad link.
internal import Control
internal import Ledger
internal import Sync
internal import Trading
internal import Values

/// What a run of commands came to.
package struct CommandReport: Sendable {
    package var commands = 0
    /// Commands that had an effect.
    package var effects = 0
    package var restarts = 0
    package var jumps = 0
    package var frames = 0
    /// Codes of refusals in the ledger, counted.
    package var refusals: [String: Int] = [:]
    /// Stages at which rows of the cloud ended, counted.
    package var ends: [String: Int] = [:]
    package var violations: [String] = []

    mutating func add(_ other: CommandReport) {
        commands += other.commands; effects += other.effects; restarts += other.restarts; jumps += other.jumps; frames += other.frames
        refusals.merge(other.refusals, uniquingKeysWith: +); ends.merge(other.ends, uniquingKeysWith: +)
        violations += other.violations
    }
}

/// One edge, one cloud and some people, from one seed.
package struct CommandWorld {
    static let edge = EdgeID(bytes: [UInt8](repeating: 5, count: 16)) ?? { preconditionFailure("16 bytes") }()
    static let mbt = InstrumentID("MBTZ6.CME")
    static let start = Instant(seconds: 1_795_000_000)
    /// Commands of one world; a longer run has many.
    static let commandsEach = 120

    let mutant: CommandMutant
    var chance: SeededRandom
    var now = Span.zero
    var link: FaultyLink
    var parcels: [(at: Span, number: Int, isUpward: Bool, parcel: FaultyLink.Parcel)] = []
    var parcelCount = 0
    /// Frames of the past, which come again now and then.
    var past: [FaultyLink.Parcel] = []
    var upAgain: Span? = .zero
    var auditor: CommandAuditor
    var report = CommandReport()
    // The edge.
    var ledger: [Entry] = []
    var process: CommandEdge
    var edgeOffset = Span.zero
    var broker: [BrokerFill] = []
    // The cloud.
    var room: ControlRoom
    var receiver: Receiver
    var rows: [CommandID: CommandRecord] = [:]
    var rowOrder: [CommandID] = []
    var stored: [Entry] = []
    var announced = Head.start
    var cloudOffset = Span.zero
    var sessionNumber: UInt64 = 0
    var toldAt: Instant?
    let isFlood: Bool
    /// The edge comes back from an old image: the cloud opens no session any more.
    var isRolledBack = false

    package init(seed: UInt64, mutant: CommandMutant = .none) {
        self.mutant = mutant
        chance = SeededRandom(seed: seed)
        isFlood = chance.chance(1, in: 6)
        auditor = CommandAuditor(watchesOrder: mutant.watchesOrder)
        var weather = LinkWeather()
        weather.loss = chance.int(0...15); weather.duplication = chance.int(0...15); weather.reorders = chance.chance(2, in: 3)
        weather.stragglers = chance.int(0...20); weather.holds = chance.chance(1, in: 2)
        // Many orders in a short time, so that nothing but their number stops them.
        if isFlood { weather.loss = 0; weather.stragglers = 0 }
        // Commands that come after their time, and a clock that says that it is not: what the rule is for, many times over.
        if mutant == .ttlByWallClock { weather.loss = 0; weather.stragglers = 50 }
        link = FaultyLink(weather, plan: AdversityPlan(seed: chance.next()))
        room = ControlRoom(rules: mutant.outbox)
        receiver = Receiver(incarnation: "i", release: "r", sessionSeed: chance.next(), rules: mutant.link)
        process = CommandEdge(mutant, boot: Boot(raw: chance.next()), ledger: [], at: .zero)
    }

    /// Runs worlds until `count` commands were asked; each world's seed follows from `seed`.
    package static func run(seed: UInt64, count: Int, mutant: CommandMutant = .none, stopAtFirst: Bool = false) -> CommandReport {
        var sum = CommandReport()
        var seeds = SeededRandom(seed: seed)
        while sum.commands < count {
            var world = CommandWorld(seed: seeds.next(), mutant: mutant)
            sum.add(world.run(commands: min(commandsEach, count - sum.commands)))
            if stopAtFirst, !sum.violations.isEmpty { break }
        }
        return sum
    }

    /// People ask, faults happen; then rest, and a last look.
    package mutating func run(commands: Int) -> CommandReport {
        _ = receiver.handle(.enrolled(CommandWorld.edge, EdgeMemory()), at: cloudClock)
        tell(.enrolled(CommandWorld.edge, name: "home"))
        boot()
        let endsByRollback = chance.chance(1, in: 10)
        while report.commands < commands {
            step()
            if chance.chance(isFlood ? 20 : 8, in: 100) { ask() }
            if chance.chance(isFlood ? 0 : 4, in: 100) { takeBack() }
            if !isFlood { faults() }
        }
        if endsByRollback { rollBack() }
        link.weather = LinkWeather()
        let end = now + .seconds(endsByRollback ? 40 : 150)
        while now < end { step() }
        if !endsByRollback { auditor.atRest(Array(rows.values)) }
        report.effects = auditor.effects.count; report.refusals = auditor.refusals; report.violations = auditor.violations
        for row in rows.values { report.ends[row.stage.rawValue, default: 0] += 1 }
        return report
    }

    // MARK: - Time and faults

    var cloudClock: ClockReading { ClockReading(wall: CommandWorld.start + now + cloudOffset, monotonic: now + .seconds(77)) }
    var edgeClock: ClockReading { ClockReading(wall: CommandWorld.start + now + edgeOffset, monotonic: now + .seconds(1_000)) }
    /// What the edge decides by: it never jumps.
    var edgeNow: Instant { CommandWorld.start + now }

    private mutating func step() {
        now = now + .milliseconds(Int64(chance.int(30...150)))
        if let time = upAgain, time <= now { connect() }
        while let index = parcels.indices.min(by: { (parcels[$0].at, parcels[$0].number) < (parcels[$1].at, parcels[$1].number) }),
            parcels[index].at <= now
        {
            let next = parcels.remove(at: index)
            report.frames += 1
            if next.isUpward {
                cloud(.frame(next.parcel.bytes, from: Peer(edge: CommandWorld.edge, connection: next.parcel.connection)))
            } else if next.parcel.connection == link.connection {
                uplink(.frame(next.parcel.bytes))
            }
        }
        uplink(.tick)
        if process.quoteDue(at: edgeNow) { for event in [process.quote(at: edgeNow)] + process.figures(at: edgeNow) { decide(.venue(event)) } }
        decide(.timer)
        cloud(.tick)
        tell(.tick)
        if process.desk.book.haltLevel == .halt, chance.chance(2, in: 100) { decide(.resume(reason: "looked")) }
    }

    private mutating func faults() {
        if mutant == .ttlByWallClock {
            if chance.chance(1, in: 40) { edgeOffset = chance.chance(1, in: 2) ? .zero : .seconds(-Int64(chance.int(10...3_600))) }
            return
        }
        if chance.chance(1, in: 150) { cut(for: .milliseconds(Int64(chance.int(100...20_000)))) }
        if chance.chance(1, in: 200) { process.dies = chance.chance(1, in: 2) ? .beforeCommit : .afterCommit }
        if chance.chance(1, in: 300) { restart() }
        if chance.chance(1, in: 300) { restartCloud() }
        if chance.chance(1, in: 200) {
            report.jumps += 1
            let hours = Span.seconds(Int64(chance.int(-3_600...3_600)))
            if chance.chance(1, in: 2) {
                edgeOffset = chance.chance(1, in: 2) ? .zero : hours
            } else {
                setCloudClock(chance.chance(1, in: 2) ? .zero : hours)
            }
        }
        if chance.chance(1, in: 40), !past.isEmpty {
            let old = past[chance.int(0...(past.count - 1))]
            parcelCount += 1
            parcels.append((now, parcelCount, false, FaultyLink.Parcel(old, connection: link.connection)))
        }
    }

    private mutating func setCloudClock(_ offset: Span) {
        let step = offset - cloudOffset
        cloudOffset = offset
        tell(.clockWasSet(by: step))
    }

    // MARK: - Link

    private mutating func connect() {
        upAgain = nil
        let held = link.connect()
        uplink(.linkDown)
        uplink(.linkUp)
        for frame in held { carry(frame.bytes, frame.lane, isUpward: frame.isUpward) }
    }

    private mutating func cut(for time: Span) {
        let connection = link.connection
        link.cut()
        upAgain = now + time
        if chance.chance(1, in: 2) { cloud(.gone(Peer(edge: CommandWorld.edge, connection: connection))) }
    }

    mutating func carry(_ bytes: [UInt8], _ lane: Lane, isUpward: Bool) {
        for arrival in link.carry(bytes, lane: lane, isUpward: isUpward, at: now) {
            parcelCount += 1
            parcels.append((arrival.at, parcelCount, isUpward, arrival.parcel))
            if !isUpward, past.count < 200 { past.append(arrival.parcel) }
        }
    }

    // MARK: - The edge

    private mutating func boot() {
        let first = Draft(
            .boot(BootFact(version: "v", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))
        commit([first])
        process.announce(ledger.last?.head ?? .start)
        for event in process.venue(broker, at: edgeNow) { decide(.venue(event)) }
    }

    /// The process ends; what was committed stays.
    private mutating func restart() {
        report.restarts += 1
        process = CommandEdge(mutant, boot: Boot(raw: chance.next()), ledger: ledger, at: now)
        link.forget(isUpward: true)
        cut(for: .milliseconds(Int64(chance.int(50...2_000))))
        boot()
    }

    /// A restored image: the newest entries are gone, and the broker has all.
    private mutating func rollBack() {
        isRolledBack = true
        let count = min(ledger.count - 1, chance.int(1...12))
        auditor.edgeLost(ledger.suffix(count))
        ledger.removeLast(count)
        restart()
    }

    private mutating func commit(_ drafts: [Draft]) {
        for draft in drafts {
            guard let entry = process.append(draft, at: edgeClock) else { continue }
            ledger.append(entry)
            auditor.edgeWrote(entry, at: now)
        }
    }

    /// One decision, made durable, then done. The process may die on either side of the disk.
    mutating func decide(_ input: DeskInput) {
        let outcome = process.desk.handle(input, at: edgeNow)
        guard !outcome.drafts.isEmpty || !outcome.actions.isEmpty else { return }
        if !outcome.drafts.isEmpty, process.dies == .beforeCommit { return restart() }
        let first = ledger.count
        commit(outcome.drafts)
        if ledger.count > first {
            if process.dies == .afterCommit { return restart() }
            uplink(.committed(Array(ledger[first...])))
        }
        for action in outcome.actions {
            switch action {
            case .place(let draft, _):
                for fill in process.fills(of: ledger[first + draft], count: broker.count, at: edgeNow) {
                    broker.append(fill)
                    decide(.venue(.fill(fill)))
                }
            case .snapshot: decide(.venue(process.snapshot(broker, at: edgeNow)))
            case .cancel, .modify, .margin, .watch: break
            }
        }
    }

    mutating func uplink(_ input: Sender.Input) {
        for action in process.sender.handle(input, at: edgeClock) {
            switch action {
            case .send(let lane, let bytes): carry(bytes, lane, isUpward: true)
            case .read(let from, let limit, _):
                uplink(.entries(from: from, Array(ledger.dropFirst(Int(from.raw) - 1).prefix(limit))))
            case .readHeads(let attempt, let seqs):
                uplink(
                    .heads(
                        attempt: attempt, asked: seqs,
                        seqs.compactMap { $0.raw >= 1 && $0.raw <= UInt64(ledger.count) ? ledger[Int($0.raw) - 1].head : nil }))
            case .deliver(let command, let deadline):
                // By the edge's own steady time, as the agent does.
                decide(.command(command, deadline: deadline.map { edgeNow + ($0 - edgeClock.monotonic) }))
            case .reopen: cut(for: .milliseconds(200))
            default: break
            }
        }
    }
}
