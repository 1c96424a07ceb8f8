// The cloud node: everything it knows, moved on by synchronous turns. No thread, no socket and no clock is in here.
package import Control
package import Ledger
internal import Platform
package import Sync
internal import Values
internal import Views
internal import Wire

/// One cloud. `turn` takes what happened and answers what to do; what must be durable is durable before it returns.
package final class Node {
    package internal(set) var control: ControlRoom
    package internal(set) var access: Access
    package internal(set) var receiver: Receiver
    private(set) var settings: NodeSettings
    let stores: NodeStores

    /// Identity, keys and status of every edge that was ever enrolled.
    var enrolled: [EdgeID: EnrolledEdge] = [:]
    var invitations: [Invitation] = []
    /// Used tokens of the last minutes, and the rate of enrolment frames.
    var enrolment = EnrolmentDesk()
    /// What waits for a person's decision.
    var matters: [EdgeID: EdgeMatter] = [:]
    /// Each time that a key of this edge was revoked, oldest first: what was known then, who did it, and what was decided.
    var revocations: [EdgeID: [Revocation]] = [:]
    /// Keys of the link that were followed by announced ones, and how long they are let in.
    var formerKeys: [EdgeID: FormerKey] = [:]
    /// Enrolled anew after that, and what they wrote meanwhile not decided about.
    var quarantined: Set<EdgeID> = []
    /// The last stored entry when the edge was enrolled: announcements of its link's key up to there are history.
    var linkKeysFrom: [EdgeID: Seq] = [:]
    var milestones: [EdgeID: Milestones] = [:]
    /// How far the newest verified backup holds each edge's ledger.
    var backups: [EdgeID: Seq] = [:]
    /// Comparisons of stored bytes, the newest of each edge.
    var audits = AuditDesk()
    /// Counts the sessions of one edge in this process.
    private var sessionNumbers: [EdgeID: UInt64] = [:]
    /// What lies before the entries that are committed next.
    var holesToCome: [EdgeID: LedgerHole] = [:]
    private var toldAt: [EdgeID: Instant] = [:]
    /// Said once in this process.
    private var isShortOfCharts = false
    /// What market.db answered last, when it was no answer.
    private var chartTrouble: String?

    var books = BookWatch()
    var keeping = BookKeeping()
    /// Edges of which nothing is taken or shown, with what is wrong.
    var damaged: [EdgeID: SetAside] = [:]
    /// What the edges had told of that was not here, with when.
    var backlogs: [EdgeID: LagWatch] = [:]
    /// What was stored, as far as the books and the tables beside the entries have yet to follow.
    var lags: [EdgeID: FollowLags] = [:]
    var signIns = SignInDesk()
    var budgets = RequestBudgets()
    /// Requests that wait for a command's verdict.
    var waiting: [WaitingRequest] = []
    var streams = StreamDesk()
    var gauges: [Gauge] = []
    var counters = NodeCounters()
    private(set) var isStopping = false
    /// True until everything was read back and looked at once.
    private(set) var isStarting = true
    var desk = StoreDesk()

    // One turn's.
    private(set) var clock: ClockReading
    var effects: [NodeEffect] = []

    /// The wall clock of this turn.
    var now: Instant { clock.wall }

    /// Reads everything back: the ledgers are walked and checked from their first entries, and folded.
    /// - Throws: `DatabaseError`, `StoreError`, or `LedgerDamage` for a ledger that is not what was written.
    package init(stores: NodeStores, settings: NodeSettings, at clock: ClockReading) throws {
        let state = try stores.control.load()
        self.stores = stores; self.settings = settings; self.clock = clock
        control = ControlRoom(commands: state.commands, rules: settings.outboxRules)
        access = Access(users: state.users, sessions: state.sessions, tokenKey: settings.tokenKey, decoyHash: settings.decoyHash)
        let incarnation = state.meta["incarnation"] ?? Hex.text(settings.random(8))
        let seed = settings.random(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        receiver = Receiver(
            incarnation: incarnation, release: settings.release, sessionSeed: seed, rules: settings.linkRules,
            keys: settings.signingKeys, changes: settings.signerChanges, serverKey: settings.serverKeyChange)
        invitations = state.invitations
        if state.meta["incarnation"] == nil { store(.meta(key: "incarnation", value: incarnation)) }
        for edge in state.edges {
            enrolled[edge.id] = edge
            matters[edge.id] = try EdgeMatter(state.meta[EdgeMatter.key(edge.id)] ?? "")
            revocations[edge.id] = try Revocation.list(state.meta[Revocation.key(edge.id)] ?? "")
            if state.meta[Revocation.quarantineKey(edge.id)] == "1" { quarantined.insert(edge.id) }
            audits.load(edge.id, state.meta[AuditDesk.key(edge.id)] ?? "")
            if let key = Hex.bytes(state.meta[Node.firstKeyName(edge.id)] ?? ""), key.count == Signing.keyBytes {
                stores.ledgers.expect(edge.id, firstKey: key)
            }
            if let seq = UInt64(state.meta[BackupMark.key(edge.id)] ?? "") { backups[edge.id] = Seq(seq) }
            formerKeys[edge.id] = try FormerKey(state.meta[FormerKey.key(edge.id)] ?? "")
            if let seq = UInt64(state.meta[Node.linkKeysName(edge.id)] ?? "") { linkKeysFrom[edge.id] = Seq(seq) }
            if edge.status == .confirmed { try openOrSetAside(edge) }
        }
        streams.start(at: clock.wall)
        // Commands of a former process are looked at against the ledgers as they are now.
        try handle(.tick)
        try settleStore()
        isStarting = false
    }

    /// What tokens of invitations say that edges dial; a nil port is the one the enrolment socket opens on.
    package func edgesDial(host: String, linkPort: Int, enrolmentPort: Int?) {
        settings.linkHost = host; settings.linkPort = linkPort; settings.enrolmentPort = enrolmentPort
    }

    /// Handles all inputs and answers what to do; what that rests on is durable then. A wish for which the disk has no room is refused.
    /// - Throws: when a store failed; nothing of this turn may be done then, and only a new process knows what is on the disk.
    package func turn(_ inputs: [NodeInput], at clock: ClockReading) throws -> [NodeEffect] {
        noteStep(to: clock)
        self.clock = clock
        var rest = inputs[...]
        while let first = rest.first {
            let group = rest.prefix { $0.isWish == first.isWish }
            rest = rest.dropFirst(group.count)
            if first.isWish { try attempt(Array(group)) } else { for input in group { try handle(input) } }
        }
        try finishWaiting()
        flushStreams()
        try settleStore()
        if isStopping { saveBooks() }
        defer { effects = [] }
        return effects
    }

    /// The wall clock was set when it moved otherwise than the boot clock: what is left of commands' lives, of waits and of beats stays as it was.
    private func noteStep(to next: ClockReading) {
        let step = (next.wall - clock.wall) - (next.monotonic - clock.monotonic)
        guard abs(step.nanoseconds) > Node.stepMin.nanoseconds else { return }
        clock = next
        tell(.clockWasSet(by: step))
        streams.clockWasSet(by: step)
        enrolment.clockWasSet(by: step)
        for index in waiting.indices { waiting[index].until = waiting[index].until + step }
        for write in access.clockWasSet(by: step) { store(.access(write)) }
        moveInvitations(by: step)
        shortenFormerKeys(by: step)
        log(.warning, "clock set", "the wall clock was set by \(step.nanoseconds / 1_000_000) ms")
    }
    /// Slower corrections are the clock's own business.
    private static let stepMin = Span.milliseconds(500)

    /// Effects that the start left over; the shell takes them before the first turn.
    package func takeEffects() -> [NodeEffect] {
        defer { effects = [] }
        return [.admit(linkKeys)] + (openInvitations.isEmpty ? [] : [.enrolmentSocket(open: true)]) + effects
    }

    func handle(_ input: NodeInput) throws {
        try bearing { try act(on: input) }
    }

    private func act(on input: NodeInput) throws {
        switch input {
        case .frame(let bytes, let peer): try link(.frame(bytes, from: peer)); hear(peer.edge)
        case .gone(let peer): try link(.gone(peer))
        case .flooded(let edge):
            log(.warning, "link flooded", "\(name(edge)) sent more than there was room for; its session ends and opens again")
            try link(.drop(edge, .flooded))
        case .stranger(let key, let address): noteStranger(key, address)
        case .enrolment(let bytes, let key, let peer): try enrol(bytes, key: key, from: peer)
        case .enrolmentOpen(let port): enrolmentOpened(port)
        case .request(let number, let request): try take(request, number)
        case .passwordChecked(let number, let fits): finishSignIn(number, fits: fits)
        case .passwordHashed(let number, let hash): finishPassword(number, hash)
        case .streamOpened(let number, let request): openStream(number, request)
        case .streamClosed(let number): streams.close(number, at: now)
        case .gauges(let numbers): gauges = numbers
        case .follow: try followBooks(limit: BookWatch.followMax)
        case .tick:
            try link(.tick)
            try followBooks(limit: BookWatch.followMax)
            tell(.tick)
            try tick()
        case .stop:
            isStopping = true
            try link(.stop(reason: "the cloud stops"))
        }
    }

    private func tick() throws {
        for write in access.sweep(at: now) { store(.access(write)) }
        tickEnrolment()
        tickLinkKeys()
        tellDamage()
        tellDisputes()
        tellHoles()
        tellRevocations()
        try tickAudits()
        tickStreams()
        for edge in control.edges.keys { noteLag(of: edge) }
        // Both come again: without room nothing is lost by leaving them.
        do {
            let isBehind = isBehind
            for edge in stores.ledgers.open {
                try bearing {
                    if !isBehind { try stores.ledgers.followSubjects(edge, limit: 2_000) }
                    try stores.ledgers.checkpoint(edge)
                }
            }
            tellIndexes()
            try bearing { try keepBooks() }
        } catch let error where Node.isFull(error) {}
    }

    // MARK: - What routes and desks use

    func store(_ write: StoreWrite) { desk.writes.append(write) }
    func effect(_ effect: NodeEffect) { effects.append(effect) }
    func log(_ level: LogLevel, _ event: String, _ text: String) { effects.append(.log(level, event, text)) }

    /// Everything that is shown of an edge, as of now.
    func picture(_ id: EdgeID) -> EdgePicture? { control.edges[id].map { picture($0) } }

    /// When an edge was last heard: an age counted from here is the time that really passed.
    func lastHeard(_ id: EdgeID) -> Instant? { receiver.link(id)?.lastHeard(at: clock) }

    func picture(_ edge: EdgeRoom) -> EdgePicture {
        let state: LinkPicture.State =
            switch edge.presence {
            case .never: .never
            case .live: .live
            case .silent, .dead: .silent
            }
        // What is on the disk is acknowledged, whether the book has followed it or not.
        let stored = stores.ledgers.head(edge.id).seq
        var link = LinkPicture(state: state, lastHeard: lastHeard(edge.id), announced: max(edge.announced, stored), acked: stored)
        link.settled = edge.settledThrough.flatMap { $0.nanoseconds > .min ? $0 : nil }
        link.roundTrip = edge.pulse.roundTrip; link.clockOffset = edge.pulse.clockOffset
        link.backlogOldest = backlogs[edge.id]?.lag(of: stored, at: clock)?.since
        var picture = EdgePicture(
            id: edge.id, name: edge.name, book: edge.book, live: edge.live, link: link, milestones: milestones[edge.id] ?? Milestones())
        picture.comparison = audits.rows[edge.id]
        (picture.bookLag, picture.tablesLag) = lasting(edge)
        return picture
    }

    // MARK: - Control

    /// Tells the control room, and does what follows.
    func tell(_ input: ControlInput) { follow(control.handle(input, at: now)) }

    /// Asks for a command.
    func ask(_ request: Ask) -> AskVerdict {
        let (verdict, outcome) = control.ask(request, at: now)
        follow(outcome)
        return verdict
    }

    private func follow(_ outcome: ControlOutcome) {
        for write in outcome.writes {
            switch write {
            case .command(let record): store(.command(record))
            case .forgetCommand(let id): store(.forgetCommand(id))
            }
        }
        for change in outcome.changes { streams.note(change) }
        desk.dispatches += outcome.dispatches.map(\.command)
    }

    // MARK: - The link

    /// Takes up an edge whose key was confirmed: its ledger is walked, checked and folded.
    func open(_ edge: EnrolledEdge) throws {
        tell(.enrolled(edge.id, name: edge.name))
        var batch: [Entry] = []
        milestones[edge.id] = nil
        tell(.behind(edge.id, true))
        if !(try restoreBook(edge.id)) {
            try stores.ledgers.open(edge.id) { entry in
                batch.append(entry)
                guard batch.count >= 1_000 else { return }
                self.fold(batch, of: edge.id, compares: false)
                batch = []
            }
            if !batch.isEmpty { fold(batch, of: edge.id, compares: false) }
        }
        tell(.behind(edge.id, false))
        try followLinkKey(of: edge.id)
        let have = stores.ledgers.head(edge.id)
        var memory = EdgeMemory(
            have: have, announced: edge.announced, epoch: try stores.ledgers.epoch(edge.id), dispute: matters[edge.id]?.dispute,
            settlement: matters[edge.id]?.settlement, holes: stores.ledgers.holes(edge.id))
        memory.isQuarantined = quarantined.contains(edge.id)
        try link(.enrolled(edge.id, memory))
        backlogs[edge.id] = LagWatch()
        backlogs[edge.id]?.note(edge.announced.seq, at: clock.monotonic)
        lags[edge.id] = nil
        if let seq = backups[edge.id] { try link(.backedUp(edge.id, seq)) }
    }

    /// The stored ledger is shorter than it was: what it adds up to is read from it anew.
    func refold(_ edge: EdgeID) throws {
        tell(.cut(edge))
        tell(.refusalOver(id: Node.rottenID(edge)))
        dropKept(edge)
        milestones[edge] = nil
        lags[edge] = nil
        leaveBehind(edge)
        noteLag(of: edge)
        // What screens hold cannot be mended by additions: they come back and see everything anew.
        for stream in streams.sorted {
            effect(.closeStream(stream.number, code: 1_012, reason: "a ledger was set back")); streams.close(stream.number, at: now)
        }
        streams.spoil()
    }

    /// - Parameter compares: the book is compared with each signed digest among the entries; the walk of a start leaves that out.
    private func fold(_ entries: [Entry], of edge: EdgeID, compares: Bool = true) {
        for entry in entries { milestones[edge, default: Milestones()].note(entry) }
        let holes = stores.ledgers.holes(edge)
        guard holes.isEmpty else { return fold(entries, of: edge, holes) }
        var rest = entries[...]
        while compares, let index = rest.firstIndex(where: { $0.kind == Kind.checkpoint.rawValue }) {
            if index > rest.startIndex { tell(.entries(edge, Array(rest[..<index]))) }
            compareBooks(edge, rest[index])
            tell(.entries(edge, [rest[index]]))
            rest = rest[(index + 1)...]
        }
        if !rest.isEmpty { tell(.entries(edge, Array(rest))) }
    }

    /// True while entries are stored that no book holds yet; the shell then turns with `.follow` whenever nothing else is to do.
    package var isBehind: Bool { !books.behind.isEmpty }

    /// Lets the books that were left behind follow their ledgers by at most `limit` entries.
    private func followBooks(limit: Int) throws { for edge in books.behind.sorted() { try bearing { try followBook(of: edge, limit: limit) } } }

    private func followBook(of id: EdgeID, limit: Int) throws {
        guard let edge = control.edges[id] else { return books.caughtUp(id) }
        let entries: [Entry]
        do { entries = try stores.ledgers.read(id, from: edge.book.head.seq.next, limit: limit) } catch let damage as LedgerDamage {
            // The book waits there until the entry is put right.
            books.caughtUp(id)
            return try found(damage)
        }
        let sound = inOrder(entries, of: id, after: edge.book.head.seq)
        if !sound.isEmpty { fold(sound, of: id) }
        if control.edges[id]?.book.head.seq == stores.ledgers.head(id).seq {
            books.caughtUp(id)
            tell(.behind(id, false))
        } else if sound.count < entries.count || entries.isEmpty {
            // A row is gone from where its page was; the book waits there.
            books.caughtUp(id)
            let next = (sound.last?.seq ?? edge.book.head.seq).next
            try found(LedgerDamage(edge: id, words: ChainError.gap(expected: next, found: entries.last?.seq ?? next).description))
        }
    }

    func leaveBehind(_ edge: EdgeID) {
        books.leaveBehind(edge)
        tell(.behind(edge, true))
    }

    /// Feeds the receiver and does what it says, in its order. A tick's actions are about all edges: one that fails ends none of the others'.
    func link(_ input: Receiver.Input) throws {
        for action in receiver.handle(input, at: clock) {
            // An edge may have been set aside just now: with its file nothing is done any more.
            if let edge = action.writesTo, damaged[edge] != nil, !stores.ledgers.isOpen(edge) { continue }
            try bearing { try perform(action) }
        }
    }

    private func perform(_ action: Receiver.Action) throws {
        switch action {
        case .send(let bytes, let peer): effect(.send(bytes, to: peer))
        case .hole(let edge, let hole): holesToCome[edge] = hole
        case .commit(let edge, let entries): try keep(entries, of: edge)
        case .compare(let edge, let head): try compare(edge, head)
        case .lookUp(let edge, let seqs): try lookUp(edge, seqs)
        case .read(let edge, let after, let upTo): try read(edge, after: after, upTo: upTo)
        case .healing(let edge, let after, let to): healing(edge, after, to)
        case .readStored(let edge, let from, let through): try readStored(edge, from: from, through: through)
        case .mend(let edge, let entry): try mend(edge, entry)
        case .audited(let edge, let report): audited(edge, report)
        case .openBranch(let edge, let common, let place): try openBranch(of: edge, common, place: place)
        case .keepBranch(let edge, let common, let entries): try keepBranch(of: edge, common, entries)
        case .cut(let edge, let common): try cut(edge, after: common)
        case .disputed(let edge, let dispute): disputed(edge, dispute)
        case .undisputed(let edge): endMatter(of: edge, nil)
        case .settled(let edge, let settlement): endMatter(of: edge, settlement)
        case .quarantineOver(let edge): endQuarantine(of: edge)
        case .announced(let edge, let head):
            enrolled[edge]?.announced = head
            store(.announced(edge, head))
        case .opened(let edge, let boot): sessionOpened(edge, boot)
        case .closed(let edge, let reason):
            log(.info, "link closed", "\(name(edge)): \(reason)")
            if let number = sessionNumbers[edge] { tell(.closed(edge, session: number)) }
        case .presence(let edge, let presence): tell(.presence(edge, EdgePresence(presence)))
        case .refused(let refusal): refused(refusal)
        case .short(let refusal, let head, let epoch):
            let isSealed = try stores.ledgers.isSealed(refusal.edge, head, upTo: epoch)
            if !isSealed { refused(refusal) }
        case .live(let edge, let items): tell(.live(edge, items))
        case .market(let edge, let bars): keep(bars, of: edge)
        case .commandReceived(let id, let edge): tell(.commandReceived(edge, id))
        case .commandNotDelivered(let id, let edge, let why): log(.warning, "command not delivered", "\(id) to \(name(edge)): \(why.rawValue)")
        case .malformed(let edge, let error):
            counters.malformed += 1
            log(.warning, "malformed frame", "\(name(edge)): \(error)")
        }
    }

    func name(_ edge: EdgeID) -> String { enrolled[edge]?.name ?? edge.description }

    /// Durable first, then acknowledged, then shown.
    private func keep(_ entries: [Entry], of edge: EdgeID) throws {
        let hole = holesToCome.removeValue(forKey: edge)
        var rotten: LedgerDamage?
        do { try stores.ledgers.append(edge, entries, over: hole) { rotten = $0 } } catch let damage as LedgerDamage {
            return try notTaken(damage)
        } catch StoreError.database(let cause) {
            log(.error, "entries not stored", "\(name(edge)): \(cause)")
            return try link(.commitFailed(edge, reason: cause.message))
        }
        if let hole { log(.error, "entries missing", "\(name(edge)): \(hole.words) are missing for good; the ledger goes on behind them") }
        counters.entries += entries.count
        for entry in entries where entry.kind == Kind.linkKey.rawValue { takeLinkKey(of: edge, entry) }
        guard let last = entries.last else { return }
        backlogs[edge]?.followed(through: last.seq)
        // A backlog is stored and acknowledged at the disk's pace; the book follows it from the store.
        if books.isDue(entries, after: control.edges[edge]?.book.head) { fold(entries, of: edge) } else { leaveBehind(edge) }
        noteLag(of: edge)
        try link(.committed(edge, last.head))
        guard let rotten else { return }
        tellRotten(rotten)
        try found(rotten)
    }

    /// Market data may be lost: a failure is told and the node goes on.
    private func keep(_ market: MarketBars, of edge: EdgeID) {
        guard market.timeframe == .minute else { return }
        do {
            let taken = try stores.bars.use(at: clock.monotonic) { try $0.put(market.instrument, market.bars, at: now) }
            chartTrouble = nil
            switch taken {
            case .kept: break
            case .keptFor(let quiet): log(.info, "bars given up", "those of \(quiet.text), in whose place \(market.instrument.text) is kept")
            case .noRoom:
                guard !isShortOfCharts else { break }
                isShortOfCharts = true
                log(
                    .warning, "bars not kept",
                    "\(BarStore.instrumentsMax) instruments had bars in the last day: those of \(market.instrument.text), and of whatever comes new, are not "
                        + "kept until one of them is quiet")
            }
        } catch { noteChartTrouble(error) }
        if !market.isHistory, let bar = market.bars.last { streams.noteClosed(edge, market.instrument, bar) }
    }

    /// Each trouble is told once: charts are asked for and bars come every few seconds.
    func noteChartTrouble(_ error: any Error) {
        guard chartTrouble != "\(error)" else { return }
        chartTrouble = "\(error)"
        log(.error, "market data", "charts are not to be had: \(error)")
    }

    private func sessionOpened(_ edge: EdgeID, _ boot: Boot) {
        lowerLinkKeys(of: edge)
        let link = receiver.link(edge)
        let number = (sessionNumbers[edge] ?? 0) + 1
        sessionNumbers[edge] = number
        toldAt[edge] = link?.toldAt
        log(.info, "link open", "\(name(edge)), run \(boot), from entry \(link.map { $0.have.seq.next.description } ?? "?")")
        backlogs[edge, default: LagWatch()].note(link?.announced.seq ?? Seq(0), at: clock.monotonic)
        let session = LinkSession(number: number, boot: boot, release: link?.release ?? "", openedAt: now)
        tell(.opened(edge, session, announced: link?.announced.seq ?? Seq(0)))
    }

    /// A beat has told the edge's head: the control room may conclude what can no longer come.
    private func hear(_ edge: EdgeID) {
        guard let link = receiver.link(edge), link.boot != nil, let told = link.toldAt, told != toldAt[edge], let number = sessionNumbers[edge]
        else { return }
        toldAt[edge] = told
        backlogs[edge, default: LagWatch()].note(link.announced.seq, at: clock.monotonic - (now - told))
        let pulse = Pulse(
            announced: link.announced.seq, roundTrip: link.roundTrip, clockOffset: link.clockOffset, toldAt: told)
        tell(.heard(edge, session: number, pulse))
    }

    private func healing(_ edge: EdgeID, _ after: Head, _ to: Head) {
        let words = "the edge was set back to entry \(after.seq) and takes entries \(after.seq.next) to \(to.seq) back from here"
        log(.warning, "edge behind", "\(name(edge)): \(words)")
        show(
            Node.refusalID(.edgeBehind, edge), of: edge, RefusalCase.edgeBehind.rawValue, "\(words).",
            cure: "Nothing is lost and nothing is to be done; it trades again when it is done.")
    }

    private func refused(_ refusal: Refusal) {
        log(.warning, "link refused", "\(name(refusal.edge)): \(refusal.verdict.rawValue), \(refusal.text)")
        show(Node.refusalID(refusal.verdict, refusal.edge), of: refusal.edge, refusal.verdict.rawValue, "\(refusal.text).", cure: refusal.cure)
    }

    /// Puts what is wrong with an edge's link or ledger, and what to do about it, on the Edges page; one row for each `id`.
    /// - Parameter stays: it is about what lies here or was shown before, and a session that opens does not end it.
    func show(_ id: String, of edge: EdgeID, _ verdict: String, _ words: String, cure: String, stays: Bool = false) {
        var row = LinkRefusal(id: id, edge: edge, key: nil, verdict: verdict, words: "\(name(edge)): \(words)", cure: cure, at: now)
        row.outlivesSessions = stays
        tell(.linkRefused(row))
    }
}

/// Which books are behind their stored ledgers.
struct BookWatch {
    /// Entries of one batch that are folded before they are acknowledged: all of the ordinary day, none of a backlog.
    static let atOnceMax = 256
    /// Entries that one tick or one idle turn folds: some 20 ms of work.
    static let followMax = 4_000
    private(set) var behind: Set<EdgeID> = []

    /// True when the entries follow the book and are few.
    func isDue(_ entries: [Entry], after head: Head?) -> Bool {
        guard let first = entries.first, let head else { return false }
        return entries.count <= BookWatch.atOnceMax && first.seq == head.seq.next
    }
    mutating func leaveBehind(_ edge: EdgeID) { behind.insert(edge) }
    mutating func caughtUp(_ edge: EdgeID) { behind.remove(edge) }
}

extension EdgePresence {
    /// As the link judges it.
    init(_ presence: Presence) {
        switch presence {
        case .live: self = .live
        case .silent: self = .silent
        case .dead: self = .dead
        }
    }
}

/// Counted since the start.
struct NodeCounters {
    var entries = 0
    var malformed = 0
    var requests = 0
    var problems = 0
    var signIns = 0
    var signInsRefused = 0
    var enrolmentsRefused = 0
}

/// One owner, one thread.
@available(*, unavailable) extension Node: Sendable {}
