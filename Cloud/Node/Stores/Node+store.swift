// Storing what a turn decided: a wish that finds no room is refused and undone, everything else waits until there is room again.
internal import Control
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Views

/// What waits for control.db.
struct StoreDesk {
    /// Between two tries while the disk is full; wishes try by themselves.
    static let retryEvery = Span.seconds(1)
    /// In order; while the disk is full the newest of each row.
    var writes: [StoreWrite] = []
    /// Commands whose bound boot is among the writes: they leave when it is durable.
    var dispatches: [Command] = []
    /// Since when there is no room, by the boot clock.
    var fullSince: Span?
    var retryAt = Span.zero
}

extension Node {
    /// Stores what waits, as far as there is room, and lets go what waited for it.
    /// - Throws: for anything but a full disk: what is on the disk is not known then.
    func settleStore() throws {
        if desk.fullSince == nil || clock.monotonic >= desk.retryAt {
            do { try commit() } catch let error as DatabaseError where error.isFull { noteFull(error) }
        }
        guard desk.writes.isEmpty else { return }
        let ready = desk.dispatches
        desk.dispatches = []
        for command in ready { try link(.dispatch(command)) }
    }

    /// Handles wishes, which may be refused: all of them are durable on return, or none has happened.
    func attempt(_ wishes: [NodeInput]) throws {
        // What came before is stored first: a refusal takes back the wishes and nothing else.
        try settleStore()
        let before = NodeMoment(self), known = desk.writes.count
        do {
            for wish in wishes { try handle(wish) }
            if desk.writes.count > known { try commit() }
        } catch let error where Node.isFull(error) {
            restore(before)
            noteFull(error)
            for wish in wishes { refuse(wish) }
        }
    }

    /// True when nothing is wrong but that there is no room.
    static func isFull(_ error: any Error) -> Bool {
        if let error = error as? DatabaseError { return error.isFull }
        if case StoreError.database(let cause) = error { return cause.isFull }
        return false
    }

    private func commit() throws {
        guard !desk.writes.isEmpty else { return }
        try stores.control.commit(desk.writes)
        desk.writes = []
        guard let since = desk.fullSince else { return }
        desk.fullSince = nil
        log(.info, "disk has room", "what waited for \((clock.monotonic - since).nanoseconds / 1_000_000_000) s is stored")
    }

    private func noteFull(_ error: any Error) {
        desk.retryAt = clock.monotonic + StoreDesk.retryEvery
        desk.writes = StoreWrite.newest(desk.writes)
        guard desk.fullSince == nil else { return }
        desk.fullSince = clock.monotonic
        log(.error, "disk full", "wishes are refused until there is room: \(error)")
    }

    private func refuse(_ wish: NodeInput) {
        switch wish {
        case .request(let number, _), .passwordChecked(let number, _), .passwordHashed(let number, _):
            signIns.signIns[number] = nil
            signIns.passwords[number] = nil
            counters.problems += 1
            effect(.respond(number, Problem.storeFull.answer))
        case .enrolment(_, _, let peer):
            effect(.answerEnrolment(EnrolmentAnswer.refused("The cloud's disk is full. Make room there, then try again.").encode(), to: peer))
        case .enrolmentOpen:
            for asked in enrolment.asked { effect(.respond(asked.number, Problem.storeFull.answer)) }
            enrolment.asked = []
        case .frame, .gone, .flooded, .stranger, .streamOpened, .streamClosed, .gauges, .follow, .tick, .stop: break
        }
    }
}

extension NodeInput {
    /// True for what somebody asks for and may be refused; everything else has happened.
    var isWish: Bool {
        switch self {
        case .request(_, let request): request.method != "GET" && request.method != "HEAD"
        case .passwordChecked, .passwordHashed, .enrolment, .enrolmentOpen: true
        case .frame, .gone, .flooded, .stranger, .streamOpened, .streamClosed, .gauges, .follow, .tick, .stop: false
        }
    }
}

extension StoreWrite {
    /// The row that is written.
    private enum Place: Hashable {
        case user(String), session(String), command(CommandID), edge(EdgeID), announced(EdgeID), invitation([UInt8]), meta(String)
    }

    private var place: Place {
        switch self {
        case .access(.user(let user)): .user(user.name)
        case .access(.removeUser(let name)): .user(name)
        case .access(.session(let session)): .session(session.id)
        case .access(.endSession(let id)): .session(id)
        case .command(let record): .command(record.id)
        case .forgetCommand(let id): .command(id)
        case .edge(let edge): .edge(edge.id)
        case .announced(let edge, _): .announced(edge)
        case .invitation(let invitation): .invitation(invitation.secret)
        case .removeInvitation(let secret): .invitation(secret)
        case .meta(let key, _): .meta(key)
        }
    }

    /// The last write of each row, in order: what waits for room stays as small as the tables.
    static func newest(_ writes: [StoreWrite]) -> [StoreWrite] {
        var seen: Set<Place> = []
        return writes.reversed().filter { seen.insert($0.place).inserted }.reversed()
    }
}

/// Everything that a wish can change, as it was before: the parts are values, so that keeping them costs next to nothing.
struct NodeMoment {
    fileprivate let control: ControlRoom, access: Access, receiver: Receiver
    fileprivate let enrolled: [EdgeID: EnrolledEdge], invitations: [Invitation], enrolment: EnrolmentDesk
    fileprivate let revocations: [EdgeID: [Revocation]], quarantined: Set<EdgeID>, formerKeys: [EdgeID: FormerKey], linkKeysFrom: [EdgeID: Seq]
    fileprivate let matters: [EdgeID: EdgeMatter], audits: AuditDesk, backups: [EdgeID: Seq], firstKeys: [EdgeID: [UInt8]]
    fileprivate let milestones: [EdgeID: Milestones], books: BookWatch, damaged: [EdgeID: SetAside]
    fileprivate let signIns: SignInDesk, waiting: [WaitingRequest], streams: StreamDesk, desk: StoreDesk
    fileprivate let effects: Int

    init(_ node: Node) {
        control = node.control; access = node.access; receiver = node.receiver
        enrolled = node.enrolled; invitations = node.invitations; enrolment = node.enrolment
        revocations = node.revocations; quarantined = node.quarantined; formerKeys = node.formerKeys; linkKeysFrom = node.linkKeysFrom
        matters = node.matters; audits = node.audits; backups = node.backups; firstKeys = node.stores.ledgers.firstKeys; milestones = node.milestones;
        books = node.books; damaged = node.damaged
        signIns = node.signIns; waiting = node.waiting; streams = node.streams; desk = node.desk
        effects = node.effects.count
    }
}

extension Node {
    private func restore(_ moment: NodeMoment) {
        control = moment.control; access = moment.access; receiver = moment.receiver
        enrolled = moment.enrolled; invitations = moment.invitations; enrolment = moment.enrolment
        revocations = moment.revocations; quarantined = moment.quarantined; formerKeys = moment.formerKeys; linkKeysFrom = moment.linkKeysFrom
        matters = moment.matters; audits = moment.audits; backups = moment.backups; milestones = moment.milestones;
        books = moment.books;
        damaged = moment.damaged
        signIns = moment.signIns; waiting = moment.waiting; streams = moment.streams; desk = moment.desk
        stores.ledgers.firstKeys = moment.firstKeys
        effects.removeSubrange(moment.effects...)
    }
}
