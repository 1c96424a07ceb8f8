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
    package var entries = 0
    /// Of the edge's last entry: equal seeds give equal ledgers.
    package var ledgerHash = ""
    /// Of everything that happened, in order.
    package var logHash: UInt64 = 0
    package var violations: [Violation] = []
    package init(seed: UInt64) { self.seed = seed }
}

/// The world of one seed. Made, run once, and read.
package final class World {
    private enum Who: UInt64 { case edge = 1, cloud = 2 }
    private enum Happening {
        case tick
        case arrive(FaultyLink.Parcel, isUpward: Bool)
        case connect
        case learnOfCut(Who, connection: UInt64)
        case cut
        case restart(Who)
        case crash(Who)
        case freeze(Who)
        case ask
    }

    /// The day on which every world begins: 2026-11-20, 15:00 UTC, a Friday.
    private static let start = Instant(seconds: 1_795_186_800)
    private static let tickEvery = Span.milliseconds(250)

    private let breaker: Breaker
    private let duration: Span
    private let edge: EdgeMachine
    private let cloud: CloudMachine
    private var menu: Menu
    private var link: FaultyLink
    private var chance: SeededRandom
    private var queue = EventQueue<Happening>()
    private var now = Span.zero
    private var isCalm = false
    private var checkers: Checkers
    private var report: WorldReport

    /// - Parameter duration: how long the faults last; afterwards the world gets time to come to rest.
    package init(seed: UInt64, duration: Span = .seconds(90), breaker: Breaker = .none) {
        self.breaker = breaker; self.duration = duration
        report = WorldReport(seed: seed)
        chance = SeededRandom(seed: seed)
        menu = Menu(&chance, breaker)
        let id = EdgeID(bytes: (0..<16).map { UInt8(truncatingIfNeeded: seed >> UInt64($0 % 8)) ^ UInt8($0) })
        guard let id else { preconditionFailure("an edge id has 16 bytes") }
        var rules = Rules()
        rules.ackBeforeCommit = breaker == .ackBeforeCommit
        rules.skipHashCheck = breaker == .noHashCheck
        rules.acceptGaps = breaker == .gaps
        var setup = EdgeSetup(edge: id, seed: chance.next(), start: World.start)
        setup.rules = rules; setup.breaker = breaker
        edge = EdgeMachine(setup)
        cloud = CloudMachine(edge: id, seed: chance.next(), rules: rules, start: World.start)
        link = FaultyLink(menu.weather, chance: chance.fork())
        checkers = Checkers(edge: id)
    }

    /// Runs to the end: faults, then rest, then the comparison of both ledgers.
    package func run() throws -> WorldReport {
        queue.add(.restart(.cloud), at: .zero)
        queue.add(.restart(.edge), at: .milliseconds(5))
        queue.add(.tick, at: .milliseconds(10))
        plan(.ask, within: menu.asks)
        plan(.cut, within: menu.cuts)
        for who in [Who.edge, .cloud] {
            plan(.crash(who), within: menu.crashes)
            plan(.freeze(who), within: menu.freezes)
        }
        while now < duration, report.violations.isEmpty { try step() }
        isCalm = true
        link.weather = LinkWeather()
        let limit = now + .seconds(120)
        while now < limit, report.violations.isEmpty, !isAtRest { try step() }
        try compare()
        return report
    }

    private var isAtRest: Bool { edge.isRunning && cloud.isRunning && edge.isCaughtUp }

    private var edgeClock: ClockReading { ClockReading(wall: World.start + now, monotonic: .seconds(5_000) + now) }
    private var cloudClock: ClockReading { ClockReading(wall: World.start + .milliseconds(700) + now, monotonic: .seconds(77) + now) }
    private func machine(_ who: Who) -> any Machine { who == .edge ? edge : cloud }
    private func clock(_ who: Who) -> ClockReading { who == .edge ? edgeClock : cloudClock }

    // MARK: - Events

    private func step() throws {
        guard let (at, happening) = queue.next() else { preconditionFailure("the world stands still at \(now.nanoseconds)") }
        now = max(now, at)
        report.events += 1
        switch happening {
        case .tick:
            queue.add(.tick, at: now + World.tickEvery)
            log(1)
            try turn(.edge, .tick)
            try turn(.cloud, .tick)
        case .arrive(let parcel, let isUpward):
            log(2, isUpward ? 1 : 0, parcel.connection, bytes: parcel.bytes)
            try turn(isUpward ? .cloud : .edge, .frame(parcel.lane, parcel.bytes, connection: parcel.connection))
        case .connect: try connect()
        case .learnOfCut(let who, let connection): try turn(who, .linkDown(connection: connection))
        case .cut:
            plan(.cut, within: menu.cuts)
            if !isCalm { cut() }
        case .restart(let who): try restart(who)
        case .crash(let who):
            plan(.crash(who), within: menu.crashes)
            if !isCalm, machine(who).isRunning { try die(who) }
        case .freeze(let who):
            plan(.freeze(who), within: menu.freezes)
            if !isCalm, machine(who).isRunning { machine(who).freezeDisk(after: chance.int(1...60)) }
        case .ask:
            plan(.ask, within: menu.asks)
            if !isCalm { try ask() }
        }
    }

    /// Plans the next one of a kind; `rate` is its mean distance, zero for never.
    private func plan(_ happening: Happening, within rate: Span) {
        guard rate > .zero else { return }
        queue.add(happening, at: now + Span(nanoseconds: Int64.random(in: 0...(2 * rate.nanoseconds), using: &chance)))
    }

    private func connect() throws {
        guard !link.isUp, edge.isRunning, cloud.isRunning else {
            if !link.isUp { queue.add(.connect, at: now + .milliseconds(200)) }
            return
        }
        let held = link.connect()
        log(3, link.connection)
        try turn(.cloud, .linkUp(connection: link.connection))
        try turn(.edge, .linkUp(connection: link.connection))
        for (isUpward, lane, bytes) in held { travel(bytes, lane, isUpward: isUpward) }
    }

    /// The link breaks. What is on its way may still arrive; the edge learns of it a little later, the cloud perhaps only by silence.
    private func cut() {
        guard link.isUp else { return }
        link.cut()
        report.cuts += 1
        log(4)
        let wait = chance.int(20...(isCalm ? 200 : 12_000))
        let learns = min(wait, chance.chance(1, in: 2) ? 0 : chance.int(0...1_500))
        queue.add(.learnOfCut(.edge, connection: link.connection), at: now + .milliseconds(Int64(learns)))
        if chance.chance(1, in: 2) {
            queue.add(.learnOfCut(.cloud, connection: link.connection), at: now + .milliseconds(Int64(chance.int(0...3_000))))
        }
        queue.add(.connect, at: now + .milliseconds(Int64(wait)))
    }

    private func ask() throws {
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
            }
        }
        if reopens { cut() }
    }

    private func travel(_ bytes: [UInt8], _ lane: Lane, isUpward: Bool) {
        for (at, parcel) in link.carry(bytes, lane: lane, isUpward: isUpward, at: now) { queue.add(.arrive(parcel, isUpward: isUpward), at: at) }
    }

    // MARK: - Life and death

    private func die(_ who: Who) throws {
        let modes = CrashMode.allCases
        machine(who).crash(modes[chance.int(0...modes.count - 1)])
        report.crashes += 1
        log(6, who.rawValue)
        link.forget(isUpward: who == .edge)
        queue.add(.restart(who), at: now + .milliseconds(Int64(chance.int(50...3_000))))
        cut()
    }

    private func restart(_ who: Who) throws {
        let machine = machine(who)
        guard !machine.isRunning else { return }
        log(7, who.rawValue)
        look([.rows(who == .edge ? .edge : .cloud, try machine.survivors())])
        if !isCalm, menu.freezes > .zero, chance.chance(1, in: 6) { machine.freezeDisk(after: chance.int(1...12)) }
        if who == .edge, !isCalm, menu.diesAtOrders, chance.chance(1, in: 2) { edge.deathAtNextOrder = chance.chance(1, in: 2) ? .before : .after }
        var died = false
        do { try machine.start(at: clock(who)) } catch is MachineDied { died = true }
        try carry(who)
        if died { try die(who) } else { queue.add(.connect, at: now + .milliseconds(Int64(chance.int(1...300)))) }
    }

    /// Both processes end, and their disks are compared.
    private func compare() throws {
        let rested = isAtRest
        edge.crash(.everything)
        cloud.crash(.everything)
        let (ours, theirs) = (try edge.survivors(), try cloud.survivors())
        look([.rows(.edge, ours), .rows(.cloud, theirs)])
        if report.violations.isEmpty { look([.quiet(edge: ours, cloud: theirs)]) }
        if report.violations.isEmpty, !rested { report.violations.append(Violation("rest", "the link did not catch up within two minutes")) }
        if breaker == .none { report.violations += cloud.refusals.map { Violation("alarm", "false alarm: \($0)") } }
        report.entries = ours.count
        report.ledgerHash = Hex.text(ours.last?.hash ?? [])
        report.orders = ours.count { $0.kind == Kind.intent.rawValue }
    }

    private func look(_ seen: [Observation]) { for one in seen { report.violations += checkers.look(one) } }

    // MARK: - The log

    /// Folds what happened, and when, into the log's hash.
    private func log(_ words: UInt64..., bytes: [UInt8] = []) {
        var text: [UInt8] = []
        for word in [report.logHash, UInt64(bitPattern: now.nanoseconds)] + words {
            for place in 0..<8 { text.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * place))) }
        }
        report.logHash = Hashing.blake2b(text + bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Which faults a seed brings, and how often: each seed switches a subset on.
private struct Menu {
    var weather = LinkWeather()
    var cuts: Span
    var crashes: Span
    var freezes: Span
    var asks: Span
    var diesAtOrders: Bool

    init(_ chance: inout SeededRandom, _ breaker: Breaker) {
        func sometimes(_ range: ClosedRange<Int>) -> Int { chance.chance(1, in: 2) ? chance.int(range) : 0 }
        weather.delay = 1...Int64(chance.int(2...(chance.chance(1, in: 4) ? 900 : 60)))
        weather.loss = sometimes(1...15)
        weather.duplication = sometimes(1...20)
        weather.reorders = chance.chance(1, in: 3)
        weather.holds = chance.chance(1, in: 3)
        cuts = .seconds(Int64(sometimes(8...40)))
        crashes = .seconds(Int64(sometimes(10...40)))
        freezes = .seconds(Int64(sometimes(10...40)))
        asks = .seconds(Int64(chance.int(2...8)))
        diesAtOrders = chance.chance(1, in: 2)
        switch breaker {
        case .none: break
        case .noHashCheck: weather.flips = 3
        case .gaps: weather.loss = 15
        case .ackBeforeCommit, .ordersBeforeTheDisk, .ordersTwice: crashes = .seconds(8); freezes = .seconds(4); diesAtOrders = true
        }
    }
}
