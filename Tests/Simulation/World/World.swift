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
    /// The same for the last entry within the duration, whatever came to rest after it.
    package var tradingHash = ""
    /// Of everything that happened, in order.
    package var logHash: UInt64 = 0
    package var violations: [Violation] = []
    /// Entries that waited when the kill command was tried, and whether it was.
    package var backlog = 0
    package var drilled = false
    /// How often what happened that the tables of verdicts and commands speak of, and what was done for the files.
    package var marks: [String: Int] = [:]
    /// What the world suffered and was asked; to leave some of it out in another run.
    package var happened: [Adversity] = []
    package init(seed: UInt64) { self.seed = seed }
}

/// Whether there is a cloud beside the edge.
package enum WorldCloud: Sendable {
    /// The edge asks it before its first entry, as an enrolled one does.
    case asked
    /// The edge does not wait for it: it was enrolled while it ran.
    case late
    /// None.
    case absent
}

/// The world of one seed. Made, run once, and read.
package final class World {
    enum Who: UInt64 { case edge = 1, cloud = 2, twin = 3 }
    enum Happening {
        /// Of this generation: an older one was overtaken.
        case tick(UInt64)
        /// - Parameter age: how often the cloud's ledger had been set back, or decided about, when it left.
        case arrive(FaultyLink.Parcel, to: Who, age: Int)
        /// Of the edge's link, or its twin's.
        case connect(Who)
        case learnOfCut(Who, connection: UInt64)
        case cut
        /// A copy of both disks is put away.
        case image
        case rollback, restore, twin
        case backup, compare, rot
        case rotate, revoke, wish
        /// Somebody lets a revoked edge in again, after having decided that it stays out, or at once.
        case readmit(closesFirst: Bool)
        /// The person's comparison of a damaged entry has had its time.
        case rotHadTime(number: Int)
        case twinHadTime, twinEnds
        /// A person looks at the page and the console.
        case visit
        /// The link breaks for a while, a person halts the edge as soon as it is back, and the edge has to be halted by then.
        case drill(KillDrill)
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
    static let start = Instant(seconds: 1_795_186_800)
    let breaker: Breaker
    let presence: WorldCloud
    let setup: EdgeSetup
    let linkRules: Rules
    /// Connections of the twin are numbered from here on.
    static let twinConnections: UInt64 = 1_000_000
    let duration: Span
    let pace: Pace
    let trace: ((String) -> Void)?
    let edge: EdgeMachine
    let cloud: NodeMachine
    let site: GatewaySite?
    var menu: FaultMenu
    var house: HouseMenu
    var keyMenu: KeyMenu
    var wishMenu: WishMenu
    /// The cloud refuses the edge's key, and nobody has let it in again.
    var isRevoked = false
    /// By which key each connection of the edge was made.
    var keysOfConnections: [UInt64: [UInt8]] = [:]
    /// Before then the edge does not try a door again that did not know its key.
    var knockAt = Span.zero
    /// A stored entry that is damaged now.
    var rotten: Rotten?
    var rots = 0
    var link: FaultyLink
    var twinLink: FaultyLink
    /// A copy of the edge that runs beside it.
    var twin: EdgeMachine?
    /// How often the cloud's ledger was set back, or a decision about it carried out.
    var age = 0
    /// Of the frame that is being taken in, when it is an old one.
    var isLate = false
    /// Older copies of the disks, the newest last.
    var images: [Who: [FaultyDisk]] = [:]
    /// Until then nobody is hurt: what a twin meets is to be decided by the two alone.
    var quietUntil = Span.zero
    /// Heads of the edge's HELLOs by attempt, and the highest that the cloud has answered with a session.
    var said: [Int64: UInt64] = [:]
    var told: UInt64 = 0
    /// Of the last HELLO that the cloud took from the edge.
    var lastSaid: UInt64 = 0
    /// The highest head that the edge, or a copy of it, ever put on the wire: the cloud may know of it.
    var announced: UInt64 = 0
    var plans: AdversityPlan
    var queue = EventQueue<Happening>()
    var now = Span.zero
    var isCalm = false
    var ticks: UInt64 = 0
    /// Those that came about.
    var ticked = 0
    var busyUntil = Span.zero
    /// What each disk was found to hold.
    var sights: [Who: StoredRows] = [:]
    var wallOffset = Span.zero
    var brokerPlannedAt: Span?
    var checkers: Checkers
    var report: WorldReport

    /// - Parameters:
    ///   - duration: how long the faults last; afterwards the world gets time to come to rest.
    ///   - pace: how fast time and faults go by.
    ///   - faults: exactly these; nil lets the seed choose.
    ///   - cloud: whether there is one.
    ///   - asks: whether a person asks for anything.
    ///   - drills: whether the kill command is tried under a backlog.
    ///   - keepsHouse: false for a seed of the time before anybody kept house, damage came about or clocks drifted, whose story is to stay.
    ///   - changesKeys: the same for a seed of the time before anybody changed keys, revoked one, or wanted more than plain orders.
    ///   - only: of all that the seed would do, just these: how a failing seed is made smaller. Nil for everything.
    ///   - trace: gets a line for everything that happens.
    package init(
        seed: UInt64, venue: WorldVenue = .paper, duration: Span = .seconds(90), pace: Pace = .close, faults: Set<WorldFault>? = nil,
        breaker: Breaker = .none, cloud presence: WorldCloud = .asked, asks: Bool = true, drills: Bool = false,
        keepsHouse: Bool = true, changesKeys: Bool = true, only: Set<Adversity>? = nil, trace: ((String) -> Void)? = nil
    ) {
        self.breaker = breaker; self.duration = max(duration, breaker.durationMin); self.pace = pace; self.trace = trace
        report = WorldReport(seed: seed)
        var chance = SeededRandom(seed: seed)
        menu = FaultMenu(&chance, only: faults, breaker, venue, rarity: pace.rarity)
        house = HouseMenu(seed: seed, only: keepsHouse ? faults : [], breaker, rarity: pace.rarity)
        keyMenu = KeyMenu(seed: seed, only: changesKeys && keepsHouse ? faults : [], breaker, rarity: pace.rarity)
        keyMenu.change(&menu, rarity: pace.rarity)
        wishMenu = WishMenu(seed: seed, only: changesKeys && keepsHouse ? faults : [], breaker, rarity: pace.wishRarity)
        wishMenu.change(&menu, rarity: pace.rarity)
        if !asks { wishMenu.wishes = .zero }
        if house.rots > .zero, menu.visits == .zero { menu.visits = Span(nanoseconds: Span.seconds(12).nanoseconds * max(1, pace.rarity / 8)) }
        if !asks { menu.asks = .zero }
        if drills { menu.isNarrow = true; queue.add(.drill(.cut), at: .seconds(10)) }
        let id = EdgeID(bytes: (0..<16).map { UInt8(truncatingIfNeeded: seed >> UInt64($0 % 8)) ^ UInt8($0) })
        guard let id else { preconditionFailure("an edge id has 16 bytes") }
        var rules = breaker.link(pace.rules)
        if menu.isNarrow { rules.credit = Credit(entries: 6, bytes: 6_000); rules.batchEntries = 3 }
        linkRules = rules
        var setup = EdgeSetup(edge: id, seed: chance.next(), start: World.start)
        setup.rules = rules; setup.breaker = breaker; setup.venue = venue; setup.pace = pace
        setup.changesKeys = keyMenu.isOn
        setup.house = house.keeps ? Housekeeping(isSession: pace.rarity > 1) : nil
        setup.greets = presence == .asked && breaker != .writesFirst
        self.setup = setup; self.presence = presence
        edge = EdgeMachine(setup)
        cloud = NodeMachine(
            edge: id, seed: chance.next(), start: World.start, rules: rules, breaker: breaker, signatures: setup.signatures,
            keepsHouse: house.keeps)
        link = FaultyLink(menu.weather, plan: AdversityPlan(seed: chance.next(), only: only))
        plans = AdversityPlan(seed: chance.next(), only: only)
        checkers = Checkers(edge: id, credit: rules.credit, watchesKeys: keyMenu.isOn, watchesWords: breaker.leavesWordsTrue)
        twinLink = FaultyLink(menu.weather, plan: AdversityPlan(seed: chance.next(), only: only), first: World.twinConnections)
        site = venue == .gateway ? GatewaySite(seed: chance.next(), start: World.start) : nil
        site?.delay = menu.wireDelay
    }

    /// Runs to the end: faults, then rest, then the comparison of both ledgers. An error that no fault explains is a violation too.
    package func run() -> WorldReport {
        if trace != nil { cloud.hear = { [unowned self] words in tell("cloud: \(words)") } }
        do { try live() } catch {
            tell("BROKEN \(error)")
            report.violations.append(Violation("error", "\(error)"))
        }
        return report
    }

    private func live() throws {
        if presence != .absent { queue.add(.restart(.cloud), at: .zero) }
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
        planDisasters()
        planHouse()
        planKeys()
        plan(.wish, .wish, within: wishMenu.wishes)
        plan(.wireCut, .wireCut, within: menu.wireCuts)
        plan(.gatewayCrash, .gatewayCrash, within: menu.gatewayCrashes)
        plan(.brokerTrouble, .brokerTrouble, within: menu.brokerTroubles)
        while now < duration, report.violations.isEmpty { try step() }
        guard presence == .asked else { return try compareAlone() }
        isCalm = true
        tell("calm")
        if twin != nil { endTwin() }
        link.weather = LinkWeather()
        wallOffset = .zero
        edge.wallOffset = .zero
        hurry()
        if isRevoked { queue.add(.readmit(closesFirst: false), at: now + .seconds(1)) }
        // A cut that was to last longer than the world ends here.
        queue.add(.connect(.edge), at: now + .milliseconds(200))
        let limit = now + pace.rest
        // At rest for a second: whatever the last answers set off has happened too.
        var restless = now
        while now < limit, report.violations.isEmpty, now - restless < .seconds(1) || !(site?.isQuiet ?? true) {
            try step()
            if !isAtRest { restless = now }
        }
        try compare()
        markEvents()
        report.events += edge.diskOperations + cloud.diskOperations
        report.happened = plans.happened + link.happened + twinLink.happened
    }

    /// After anything out of the ordinary the programs are looked at often, as long as it takes them to settle.
    func hurry() {
        // Where the edge is compared with one that never saw a cloud, time must not follow the link.
        guard presence == .asked else { return }
        busyUntil = now + .seconds(8)
        planTick(at: now + closeTick)
    }

    /// A session with a gateway wants to be called more often.
    var closeTick: Span { site == nil ? pace.closeTick : .milliseconds(100) }

    func planTick(at time: Span) {
        ticks += 1
        queue.add(.tick(ticks), at: time)
    }

    /// When time alone is to be looked at again: the link's own timers are met, and nothing waits longer than the pace.
    var nextTick: Span {
        if now < busyUntil || site != nil || presence != .asked { return now + closeTick }
        if edge.isMoving { return now + .milliseconds(100) }
        let timer = edge.wakeAt.map { $0 - (edgeClock.monotonic - now) }
        return min(now + pace.tick, max(timer ?? .seconds(.max / 1_000_000_000), now + closeTick))
    }

    /// Both sides know of the session: an edge that was overtaken may still believe in its own.
    var isAtRest: Bool { twin == nil && rotten == nil && edge.isRunning && cloud.serves(edge.boot) && edge.isCaughtUp && edge.isSettled }

    var edgeClock: ClockReading {
        ClockReading(wall: World.start + now + wallOffset, monotonic: .seconds(5_000) + now.drifted(house.edgeDrift))
    }
    var cloudClock: ClockReading {
        ClockReading(wall: World.start + .milliseconds(700) + now, monotonic: .seconds(77) + now.drifted(house.cloudDrift))
    }
    func machine(_ who: Who) -> (any Machine)? {
        switch who {
        case .edge: edge
        case .cloud: cloud
        case .twin: twin
        }
    }
    func clock(_ who: Who) -> ClockReading { who == .cloud ? cloudClock : edgeClock }
}
