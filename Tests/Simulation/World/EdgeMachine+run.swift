// One run of the edge in the world: it starts as production does, talks to the cloud before its first entry, and takes turns.
internal import EdgeAgent
package import Ledger
internal import Platform
internal import Sync
internal import Trading
internal import Values
internal import Venues
internal import Views
internal import Wire

extension EdgeMachine {
    package func start(at clock: ClockReading) throws {
        disk.now = clock.wall
        try guarded { try recover(at: clock) }
    }

    /// A new run on what the disk holds.
    private func recover(at clock: ClockReading) throws {
        generation += 1
        let opened = try openLedger()
        let journal = opened.journal
        let death = deathAtNextOrder.map { (moment: $0, orders: chance.int(1...2)) }
        deathAtNextOrder = nil
        let boot = Boot(raw: chance.next())
        var isShort = false
        if case .rolledBack = try finding(journal) { isShort = true }
        let identity = try StartTalk.identity(journal, boot, release: release, mayHeal: setup.greets)
        let uplink = UplinkCore(
            identity, head: journal.head, acked: try UplinkCore.acknowledged(in: journal), ledger: journal, rules: setup.rules)
        let talk = setup.greets ? try StartTalk(journal, isShort: isShort, at: clock.monotonic) : nil
        program = Program(
            death: death, journal: journal, boot: boot, book: opened.book, milestones: opened.milestones, snapshots: opened.snapshots, talk: talk,
            uplink: uplink, linkKeys: LinkKeyChanger(keys, isHasty: setup.breaker == .takesKeyUpEarly))
        if talk == nil { try begin(StartFindings(), at: clock) }
    }

    private func finding(_ journal: Journal) throws -> MarkFinding {
        if setup.breaker == .forgetsTheMark { return .agrees }
        return try MarkFinding.compare(DiskMark(disk).read(), with: journal)
    }

    /// The run may write: the agent and its first entries.
    private func begin(_ findings: StartFindings, at clock: ClockReading) throws {
        guard let program else { return }
        let signing = Witness(keys: try signingKeys(after: program.journal.signer), mark: DiskMark(disk))
        var postings = PostingRules()
        postings.postsCounterLeg = setup.breaker != .oneSidedBooks
        postings.checksBalance = setup.breaker != .oneSidedBooks
        let agent = Agent(
            journal: program.journal, book: program.book, boot: program.boot, settings: settings,
            session: session(program.book, program.boot, death: program.death), witness: signing,
            // After what was lost came back: only what is still missing is missing.
            finding: try finding(program.journal), postingRules: postings, milestones: program.milestones, snapshots: program.snapshots,
            compaction: compaction, release: release)
        self.program?.talk = nil
        self.program?.agent = agent
        seen.append(.begins(boot: program.boot.raw))
        let effects = try agent.start(
            BootFact(version: release, mode: .paper, machine: "m", kernelBoot: "k", configuration: "c"), healed: findings.healed,
            settlement: findings.adopted, at: clock)
        witness(from: 0)
        toBroker(effects)
        try perform(self.program?.uplink.note(effects, at: clock) ?? [], at: clock)
        if !findings.inputs.isEmpty { try toAgent(findings.inputs, at: clock) }
        if setup.breaker == .resumesByItself { try toAgent([.desk(.resume(reason: "a new run"))], at: clock) }
    }

    package func turn(_ event: MachineEvent, at clock: ClockReading) throws {
        guard program != nil else { return }
        disk.now = clock.wall
        try guarded {
            switch event {
            case .linkUp(let connection):
                self.connection = connection
                firstConnection = firstConnection ?? connection
                try uplink(.linkDown, at: clock)
                try uplink(.linkUp, at: clock)
            case .linkDown(let gone):
                guard connection == gone else { return }
                connection = nil
                try uplink(.linkDown, at: clock)
            // A frame of an earlier connection of this process may still lie in its socket.
            case .frame(_, let bytes, let over): if over >= firstConnection ?? .max { try uplink(.frame(bytes), at: clock) }
            case .tick: try tick(at: clock)
            case .broker(let events):
                let inputs: [AgentInput] = events.map { event in
                    switch event {
                    case .connected: .transport(.connected)
                    case .disconnected(let words): .transport(.disconnected(words))
                    case .bytes(let bytes): .bytes(bytes)
                    }
                }
                try toAgent(inputs, at: clock)
                while program?.agent?.hasPending == true { try toAgent([], at: clock) }
            case .ask: break
            }
            try listen(at: clock)
        }
    }

    private func tick(at clock: ClockReading) throws {
        guard let agent = program?.agent else { return try uplink(.tick, at: clock) }
        try toAgent([.tick], at: clock)
        while program?.agent?.hasPending == true { try toAgent([], at: clock) }
        let kept = try agent.keep(at: clock)
        try perform(program?.uplink.note(kept, at: clock) ?? [], at: clock)
        try uplink(.tick, at: clock)
        try stepKeys(at: clock)
        if case .refused(let trouble)? = phase, trouble.haltsTrading, agent.desk.book.haltLevel < .halt { try toAgent([trouble.halt], at: clock) }
        try rest(at: clock)
    }

    /// What the driver looks at after each change of the link: whether the run may begin, and what a person decided.
    private func listen(at clock: ClockReading) throws {
        guard let program else { return }
        let decided = program.decided
        self.program?.decided = nil
        if program.agent != nil {
            guard let decided else { return }
            if decided.kept == .cloud { try giveUp(decided, at: clock) } else { try toAgent([.settle(decided)], at: clock) }
            return
        }
        guard
            try self.program?.talk?.isOver(program.uplink.sender, decided, isKeyRefused: isKeyRefused, of: program.journal, at: clock.monotonic)
                == true,
            let findings = self.program?.talk?.findings
        else { return }
        if let settlement = findings.givingUp { try giveUp(settlement, at: clock) } else { try begin(findings, at: clock) }
    }

    /// The run ends, its branch is sealed, and a new run begins with what is left.
    private func giveUp(_ settlement: Settlement, at clock: ClockReading) throws {
        endRun()
        left.append(.reopen)
        try seal(settlement, at: clock)
        seen.append(.setBack(LedgerSide.edge))
        try recover(at: clock)
    }

    private func seal(_ settlement: Settlement, at clock: ClockReading) throws {
        let journal = try Journal(
            store: openFile(.create), edge: setup.edge, check: setup.signatures.check)
        _ = try StartTalk.giveUp(settlement, journal, mark: DiskMark(disk), at: clock.wall) { (epoch, base) throws(JournalError) in
            var number = 1
            while disk.names.contains("sealed-\(epoch)-\(number).db") { number += 1 }
            let path = "sealed-\(epoch)-\(number).db"
            do throws(StoreError) { return try EntryStore(path: path, .init(.create, vfs: disk.name), base: base) } catch { throw .store(error) }
        }
    }

    /// The process's memory is gone, the broker's is not.
    func endRun() {
        if let session = program?.agent?.session as? WatchedSession { broker = session.broker }
        program = nil
        connection = nil
        firstConnection = nil
    }

    // MARK: - Within a turn

    static let ledger = "ledger.db"

    private var settings: DeskSettings {
        let bot = BreakoutSettings(
            name: "breakout", instruments: [InstrumentID("AAPL.NASDAQ"), InstrumentID("NVDA.NASDAQ")], entryOffset: Ratio(raw: 300),
            trail: Ratio(raw: 2_000), notional: Money(whole: 20_000), cooldown: .seconds(5 * setup.pace.rarity),
            entryLifetime: .seconds(20 * setup.pace.rarity))
        var settings = DeskSettings(mode: .paper, settle: .seconds(2), snapshotGap: .seconds(1), bots: [bot])
        settings.commandRules = setup.breaker.commands
        settings.brokerRules = setup.breaker.broker
        return settings
    }

    /// Runs part of a turn; on a dead disk whatever fails is the disk's death.
    func guarded(_ body: () throws -> Void) throws {
        do { try body() } catch let error {
            if error is MachineDied || disk.isFrozen || (isDiskFailing && EdgeMachine.isOfDisk(error)) { throw MachineDied() }
            throw error
        }
    }

    /// The product's rule: whatever the disk refuses ends the process, and the next start reads what is true.
    private static func isOfDisk(_ error: any Error) -> Bool {
        switch error {
        case JournalError.store, AgentFailure.journal(.store), AgentFailure.mark, is MarkError, is StoreError: true
        default: false
        }
    }

    /// Tells the checkers of the orders placed after the first `count` of this run.
    private func witness(from count: Int) {
        guard let session = program?.agent?.session as? WatchedSession else { return }
        seen += session.placed.dropFirst(count).map { .placed(tag: $0) }
    }

    private func session(_ book: Book, _ boot: Boot, death: (moment: DeathAtOrder, orders: Int)?) -> any VenueSession {
        guard setup.venue == .gateway else {
            return WatchedSession(
                broker: broker, time: brokerTime, generation: generation, death: death, breaker: setup.breaker, isUnplugged: setup.isClone)
        }
        let eastern = Zone(name: "US/Eastern", fixedOffset: -5 * 3_600)
        let central = Zone(name: "US/Central", fixedOffset: -6 * 3_600)
        let zones = ZoneResolver(standard: eastern) { ["US/Eastern": eastern, "US/Central": central][$0] }
        var settings = IBKRSettings(clientID: 7, mode: .paper, zones: zones)
        settings.history = .minutes(2)
        let stocks = ["AAPL", "NVDA"].map { InstrumentWish.stock(symbol: $0, primaryExchange: "NASDAQ", currency: "USD") }
        return IBKRSession(
            settings: settings, instruments: [.future(symbol: "MBT", exchange: "CME", currency: "USD")] + stocks,
            nextOrderID: book.highestBrokerOrderID + 1, random: SeededRandom(seed: boot.raw), known: Array(book.instruments.values))
    }

    private func toBroker(_ effects: [AgentEffect]) {
        // A gateway lets one of two copies in.
        guard !setup.isClone else { return }
        for effect in effects {
            switch effect {
            case .write(let bytes): left.append(.broker(.write(bytes)))
            case .transport(.connect), .transport(.connectTo): left.append(.broker(.connect))
            case .transport(.disconnect): left.append(.broker(.disconnect))
            case .live, .committed, .heldBack, .entries: break
            }
        }
    }

    /// True when the process is to die in the turn of these effects, before or after its bytes leave.
    private func diesNow(_ effects: [AgentEffect]) -> DeathAtOrder? {
        guard setup.venue == .gateway, let death = program?.death else { return nil }
        let places = effects.contains { if case .entries(let entries) = $0 { entries.contains { $0.kind == Kind.intent.rawValue } } else { false } }
        guard places else { return nil }
        program?.death = death.orders > 1 ? (death.moment, death.orders - 1) : nil
        return death.orders > 1 ? nil : death.moment
    }

    /// One turn of the agent. Bytes leave for the broker, entries and live state for the uplink. A process that died at an order did nothing more.
    func toAgent(_ inputs: [AgentInput], at clock: ClockReading) throws {
        guard let agent = program?.agent else { return }
        let before = (agent.session as? WatchedSession)?.placed.count ?? 0
        let effects = try agent.turn(inputs, at: clock)
        witness(from: before)
        if (agent.session as? WatchedSession)?.isDead == true { throw MachineDied() }
        let death = diesNow(effects)
        if death == .before { throw MachineDied() }
        toBroker(effects)
        if death == .after { throw MachineDied() }
        try perform(program?.uplink.note(effects, at: clock) ?? [], at: clock)
    }

    private func uplink(_ input: Sender.Input, at clock: ClockReading) throws {
        try perform(program?.uplink.handle(input, at: clock) ?? [], at: clock)
    }

    /// Does what the uplink wants, and lets it read on; no call finds it in the middle of another.
    func perform(_ effects: [UplinkEffect], at clock: ClockReading) throws {
        var commands: [AgentInput] = []
        var mends: [Entry] = []
        var witness: CountersignedFact?
        var effects = effects
        repeat {
            var more: [UplinkEffect] = []
            for effect in effects {
                switch effect {
                case .send(let lane, let bytes): if let connection { left.append(.frame(lane, bytes, connection: connection)) }
                case .deliver(let command, let deadline): commands.append(.command(command, deadline: deadline))
                case .acked(let head):
                    if head.seq > Seq(0) { seen.append(.acked(seq: head.seq.raw, hash: head.hash)) }
                    program?.toNote = head.seq
                case .reopen: left.append(.reopen)
                case .incarnation(let name, let have): try program?.journal.noteIncarnation(name, have: have)
                case .heal(let entries): more += try takeBack(entries, at: clock)
                case .mend(let entry): mends.append(entry)
                case .countersigned(let fact):
                    witness = fact
                    seen.append(.countersigned(seq: fact.head.seq.raw, hash: fact.head.hash))
                case .backedUp(let seq): try program?.journal.noteBackup(seq)
                case .settle(let settlement): program?.decided = settlement
                case .phase(.open): seen.append(.opened(setup.isClone ? .twin : .edge))
                // The lane stands still, and both never come to rest.
                case .phase, .copied, .malformed, .missing, .signers, .serverKey: break
                }
            }
            if program?.uplink.hasMore == true { more += try program?.uplink.readOn(at: clock) ?? [] }
            effects = more
        } while !effects.isEmpty || program?.uplink.hasMore == true
        if let witness {
            let noted = try program?.agent?.countersigned(witness, at: clock) ?? []
            try perform(program?.uplink.note(noted, at: clock) ?? [], at: clock)
        }
        for entry in mends {
            let noted = try program?.agent?.mend(entry, at: clock) ?? []
            try perform(program?.uplink.note(noted, at: clock) ?? [], at: clock)
            try uplink(.mended(entry.seq), at: clock)
        }
        if !commands.isEmpty { try toAgent(commands, at: clock) }
    }

    /// Entries that came back become durable, as the driver does it.
    private func takeBack(_ entries: [Entry], at clock: ClockReading) throws -> [UplinkEffect] {
        guard let program else { return [] }
        var (book, milestones) = (program.book, program.milestones)
        try self.program?.talk?.takeBack(entries, of: program.uplink.sender.behind, into: program.journal) { entry in
            book.apply(entry)
            milestones.note(entry)
        }
        self.program?.book = book
        self.program?.milestones = milestones
        return try self.program?.uplink.handle(.healed(entries), at: clock) ?? []
    }

    /// What the loop does when it has nothing to do.
    private func rest(at clock: ClockReading) throws {
        guard let program else { return }
        if let seq = program.toNote, noting.chance(1, in: 8) {
            try program.journal.noteAcknowledged(seq)
            self.program?.toNote = nil
        }
        if setup.house != nil, let agent = program.agent { try keepHouse(agent, at: clock) } else { try program.journal.idle(at: clock.wall) }
    }
}
