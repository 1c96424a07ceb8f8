// The cloud's end of all links: told what happened, it answers what to do. An ACK leaves only after the store has said that the entries are durable.
package import Ledger
package import Values
package import Wire

/// The store-and-forward receiver. Times are of the cloud's boot clock.
package struct Receiver: Sendable {
    /// What happened.
    package enum Input: Hashable, Sendable {
        /// An edge is enrolled, or was found at the start, with what the store durably knows of it.
        case enrolled(EdgeID, EdgeMemory)
        /// Its key is no longer accepted.
        case revoked(EdgeID)
        /// Nothing of it is taken for now, for another reason; the edge hears which.
        case setAside(EdgeID, Trouble)
        case frame([UInt8], from: Peer)
        /// The connection is known to be gone.
        case gone(Peer)
        /// Frames of the edge were lost on this side: the session ends loudly, and the edge opens the next from what is acknowledged.
        case drop(EdgeID, Trouble)
        /// Everything up to here is on the disk.
        case committed(EdgeID, Head)
        /// The store refused a commit (disk full) and holds what it held.
        case commitFailed(EdgeID, reason: String)
        /// Answer to `.compare`.
        case compared(EdgeID, Head, isEqual: Bool)
        /// Answer to `.lookUp`: those that the store has.
        case lookedUp(EdgeID, [Seq], [Head])
        /// Answer to `.read`.
        case read(EdgeID, after: Head, [Entry])
        /// A backup that was restored and verified holds this edge's entries up to here.
        case backedUp(EdgeID, Seq)
        /// Compare all stored bytes with the edge's; `isHurried` when somebody waits for it.
        case audit(EdgeID, by: String, isHurried: Bool)
        /// Answer to `.readStored`: one for each number, nil where nothing can be read; nil when the store could not read at all.
        case stored(EdgeID, from: Seq, [Entry?]?)
        /// Answer to `.mend`.
        case mended(EdgeID, Seq, isDone: Bool)
        /// A person decided, durably.
        case settle(Settlement)
        /// Answer to `.openBranch` and `.keepBranch`: the last entry stored after `common`; nil when the store could not.
        case branch(EdgeID, common: Head, Head?)
        /// The other answer to `.keepBranch`: the branch is not signed as the edge's ledger is, so that nothing of it is kept.
        case branchForged(EdgeID, common: Head, words: String)
        /// Answer to `.cut`, with the epoch of the last entry left; nil when the store could not.
        case wasCut(EdgeID, Head, epoch: UInt32?)
        /// Send a command; its bound boot is already durable.
        case dispatch(Command)
        case tick
        /// The process stops in order.
        case stop(reason: String)
    }

    /// What to do, in this order.
    package enum Action: Equatable, Sendable {
        /// Always the control lane.
        case send([UInt8], to: Peer)
        /// Write these verified entries durably and answer `.committed`, or `.commitFailed`.
        case commit(EdgeID, [Entry])
        /// The entries of the next `.commit` or `.keepBranch` stand behind this hole: to be written with them, in one transaction.
        case hole(EdgeID, LedgerHole)
        /// Ask the store, after the commits asked for before, whether it has this entry with this hash.
        case compare(EdgeID, Head)
        /// Ask the store, after the commits asked for before, for its hashes of these entries.
        case lookUp(EdgeID, [Seq])
        /// Read a piece of the stored entries that follow `after`, and answer `.read`; with nothing when another entry stands there.
        case read(EdgeID, after: Head, upTo: Seq)
        /// Read these entries from the disk as they are, unchecked, and answer `.stored`.
        case readStored(EdgeID, from: Seq, through: Seq)
        /// Put this entry in the place of its damaged bytes, if the stored chain names its hash, and answer `.mended`.
        case mend(EdgeID, Entry)
        /// How a comparison stands, and how it ended; without an end's time when nobody read a clock.
        case audited(EdgeID, AuditReport)
        /// Open the file number `place` (from 0) of those that hold a branch of this edge after `common`, a new one when there are no more, and
        /// answer `.branch`.
        case openBranch(EdgeID, Head, place: Int)
        /// Store verified entries in it, durably, and answer `.branch`.
        case keepBranch(EdgeID, Head, [Entry])
        /// Seal the stored entries after this one in a file of their own, take them out of the ledger, and answer `.wasCut`.
        case cut(EdgeID, after: Head)
        /// Remember durably that a person has to decide.
        case disputed(EdgeID, Dispute)
        /// Nothing is to be decided any more.
        case undisputed(EdgeID)
        /// What it wrote while its key was revoked is decided about, or it wrote nothing: to be remembered durably.
        case quarantineOver(EdgeID)
        /// A decision is carried out; it is over.
        case settled(EdgeID, Settlement)
        /// The edge's ledger was set back to `after` and takes the rest from here; to be shown.
        case healing(EdgeID, after: Head, to: Head)
        /// Remember durably the highest head ever announced.
        case announced(EdgeID, Head)
        case opened(EdgeID, Boot)
        case closed(EdgeID, reason: String)
        case presence(EdgeID, Presence)
        /// No session; to be listed on the Edges page.
        case refused(Refusal)
        /// The ledger ends before an entry that was acknowledged to a run of lineage `epoch`: to be listed too, unless the entry was sealed with a
        /// branch when a person decided for another.
        case short(Refusal, of: Head, epoch: UInt32)
        case live(EdgeID, [LiveItem])
        case market(EdgeID, MarketBars)
        /// The edge has the command; what becomes of it comes up as a fact.
        case commandReceived(CommandID, EdgeID)
        case commandNotDelivered(CommandID, EdgeID, Undelivered)
        case malformed(EdgeID, FrameError)
    }

    /// Why a command did not reach the edge, or is not known to have reached it.
    package enum Undelivered: String, Hashable, Sendable, CaseIterable {
        /// It never left.
        case noSession, wrongRun, expired, tooMany
        /// The edge's release does not know this kind of command.
        case unknownToEdge
        /// It left and was never acknowledged: the edge may have it or not, its ledger will tell.
        case inDoubt
        /// The edge has another run than the command is bound to.
        case refusedByEdge
    }

    let incarnation: String
    let release: String
    let rules: Rules
    /// Signs the heads that are stored; nil for a cloud that is nobody's witness.
    let keys: SigningKeys?
    /// What the keys before these announced, oldest first.
    let changes: [CloudKeyChange]
    /// What they announce of the link's key.
    let serverKey: ServerKeyFact?
    var edges: [EdgeID: EdgeState] = [:]
    /// In order, so that no dictionary's order decides.
    private var order: [EdgeID] = []
    private var nextSession: UInt64

    /// - Parameters:
    ///   - incarnation: names the store; changes when it is restored from a backup.
    ///   - sessionSeed: random, so that no two processes give one session id.
    package init(
        incarnation: String, release: String, sessionSeed: UInt64, rules: Rules = Rules(), keys: SigningKeys? = nil, changes: [CloudKeyChange] = [],
        serverKey: ServerKeyFact? = nil
    ) {
        self.incarnation = incarnation; self.release = release; self.rules = rules; self.keys = keys; self.changes = changes
        self.serverKey = serverKey
        nextSession = sessionSeed
    }

    /// Takes one input in and says what to do.
    package mutating func handle(_ input: Input, at clock: ClockReading) -> [Action] {
        var out: [Action] = []
        switch input {
        case .enrolled(let edge, let memory):
            guard edges[edge] == nil else { break }
            edges[edge] = EdgeState(edge: edge, memory: memory)
            order.append(edge)
            order.sort()
        case .revoked(let edge):
            // The edge hears why; silence would look like a broken network to whoever stands there.
            expel(edge, .revoked, into: &out)
        case .setAside(let edge, let trouble): expel(edge, trouble, into: &out)
        case .frame(let bytes, let peer): receive(bytes, from: peer, at: clock, into: &out)
        case .gone(let peer):
            if edges[peer.edge]?.session?.peer == peer { close(peer.edge, "the connection is gone", into: &out) }
            if edges[peer.edge]?.opening?.peer == peer { edges[peer.edge]?.opening = nil }
        case .drop(let edge, let trouble): fail(edge, trouble, into: &out)
        case .committed(let edge, let head): committed(edge, head, at: clock, into: &out)
        case .commitFailed(let edge, let reason): commitFailed(edge, reason, into: &out)
        case .compared(let edge, let head, let isEqual): compared(edge, head, isEqual, into: &out)
        case .lookedUp(let edge, let seqs, let heads): lookedUp(edge, seqs, heads, at: clock, into: &out)
        case .read(let edge, let after, let entries): read(edge, after: after, entries, into: &out)
        case .backedUp(let edge, let seq): edges[edge]?.backup = seq
        case .audit(let edge, let by, let isHurried): beginAudit(edge, by: by, isHurried: isHurried, at: clock, into: &out)
        case .stored(let edge, let from, let entries): stored(edge, from: from, entries, at: clock, into: &out)
        case .mended(let edge, let seq, let isDone): mended(edge, seq, isDone: isDone, at: clock, into: &out)
        case .settle(let settlement): edges[settlement.edge]?.memory.settle(settlement, rules)
        case .branch(let edge, let common, let head): branch(edge, common, head, at: clock, into: &out)
        case .branchForged(let edge, let common, let words): branchForged(edge, common, words, into: &out)
        case .wasCut(let edge, let common, let epoch): wasCut(edge, common, epoch: epoch, at: clock, into: &out)
        case .dispatch(let command): dispatch(command, at: clock, into: &out)
        case .tick: for edge in order { watch(edge, at: clock, into: &out) }
        case .stop(let reason):
            for edge in order {
                send(.bye(reason: reason), to: edge, into: &out)
                close(edge, reason, into: &out)
            }
        }
        return out
    }

    /// The enrolled edges, in order.
    package var enrolled: [EdgeID] { order }

    /// False when the open session's edge said that it does not know this kind of command.
    package func understands(_ edge: EdgeID, _ body: CommandBody) -> Bool {
        guard let kinds = edges[edge]?.session?.commandKinds else { return true }
        return kinds.contains(Receiver.inWords(of: kinds, body).wanted)
    }

    /// The link of one edge as it stands.
    package func link(_ edge: EdgeID) -> EdgeLink? {
        edges[edge].map { state in
            EdgeLink(
                presence: state.presence, heard: state.heard, roundTrip: state.roundTrip, clockOffset: state.session?.clock.offset,
                have: state.memory.have, announced: state.memory.announced.seq > state.memory.have.seq ? state.memory.announced : state.memory.have,
                toldAt: state.toldAt, boot: state.session?.boot, release: state.session?.release)
        }
    }

    /// When `.tick` is due at the latest; nil when nothing is awaited.
    package var wakeAt: Span? { order.compactMap { edges[$0].flatMap(wakeAt) }.min() }

    private func wakeAt(_ state: EdgeState) -> Span? {
        var times: [Span] = []
        if let session = state.session {
            times.append(session.heardAt + (state.presence == .live ? rules.silentAfter : session.silenceMax(rules)))
            times += session.commands.map { $0.sentAt + rules.commandRetry }
            if let audit = state.audit {
                if case .resting(let until) = audit.stage { times.append(until) } else { times.append(audit.askedAt + rules.auditPatience) }
            }
        }
        if let opening = state.opening {
            if case .twin(let challengedAt, _, _) = opening.stage {
                times.append(challengedAt + opening.twinEnds(beside: state.session, rules))
            } else {
                times.append(opening.since + opening.keptFor(rules))
            }
        }
        return times.min()
    }

    // MARK: - Sessions

    mutating func newSessionID() -> UInt64 {
        repeat { nextSession &+= 1 } while nextSession == 0
        return nextSession
    }

    /// Sends into the open session of an edge; does nothing without one.
    mutating func send(_ message: Message, to edge: EdgeID, into out: inout [Action]) {
        guard let session = edges[edge]?.session else { return }
        edges[edge]?.session?.number = session.number + 1
        out.append(.send(message.frame(session: session.id, number: session.number + 1).bytes, to: session.peer))
    }

    /// Ends the session of an edge, if it has one. Commits under way go on; their ACK has nobody to go to.
    mutating func close(_ edge: EdgeID, _ reason: String, into out: inout [Action]) {
        guard let session = edges[edge]?.session else { return }
        edges[edge]?.audit?.report.isCutOff = true
        endAudit(edge, .interrupted, "the link closed: \(reason)", at: nil, into: &out)
        for waiting in session.commands { out.append(.commandNotDelivered(waiting.command.id, edge, .inDoubt)) }
        edges[edge]?.session = nil
        out.append(.closed(edge, reason: reason))
        show(edge, .dead, into: &out)
        shareCredit(into: &out)
    }

    /// Ends the session with a word to the edge, and knows it no more.
    private mutating func expel(_ edge: EdgeID, _ trouble: Trouble, into out: inout [Action]) {
        fail(edge, trouble, into: &out)
        edges[edge] = nil
        order.removeAll { $0 == edge }
    }

    /// Ends the session with a word to the edge.
    mutating func fail(_ edge: EdgeID, _ trouble: Trouble, into out: inout [Action]) {
        send(.error(trouble), to: edge, into: &out)
        close(edge, trouble.text, into: &out)
    }

    /// Refuses what an open session offers, loudly.
    mutating func refuse(_ refusal: Refusal, into out: inout [Action]) {
        out.append(.refused(refusal))
        fail(refusal.edge, refusal.trouble, into: &out)
    }

    /// Signs what is stored, when it is more than what was signed last.
    mutating func countersign(_ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard let keys, let state = edges[edge], state.session?.features.contains(.countersign) == true else { return }
        let have = state.memory.have
        guard have.seq > Seq(0), state.countersigned?.head != have else { return }
        edges[edge]?.countersigned = (have, now.monotonic)
        send(.countersigned(CountersignedFact(head: have, edge: edge, keys: keys)), to: edge, into: &out)
    }

    mutating func show(_ edge: EdgeID, _ presence: Presence, into out: inout [Action]) {
        guard let state = edges[edge], state.presence != presence else { return }
        edges[edge]?.presence = presence
        out.append(.presence(edge, presence))
    }

    /// What each session may have under way, now that there are this many.
    func creditOfEach(_ sessions: Int) -> Credit {
        Credit(entries: rules.credit.entries, bytes: min(rules.credit.bytes, max(1 << 20, rules.creditBytesOfAll / max(1, sessions))))
    }

    /// Tells every session its new credit when the number of sessions changed it.
    mutating func shareCredit(into out: inout [Action]) {
        let credit = creditOfEach(order.count { edges[$0]?.session != nil })
        for edge in order {
            guard let session = edges[edge]?.session, session.credit != credit else { continue }
            edges[edge]?.session?.credit = credit
            send(.credit(credit), to: edge, into: &out)
        }
    }

    /// Everything that time alone brings about for one edge.
    private mutating func watch(_ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        if let opening = edges[edge]?.opening { watch(opening, at: now, into: &out) }
        guard let session = edges[edge]?.session else { return }
        let quiet = now.monotonic - session.heardAt
        if quiet >= session.silenceMax(rules) {
            close(edge, "not heard for \(quiet.nanoseconds / 1_000_000_000) s", into: &out)
            return
        }
        show(edge, quiet >= rules.silentAfter ? .silent : .live, into: &out)
        retryCommands(edge, at: now, into: &out)
        watchAudit(edge, at: now, into: &out)
        if edges[edge]?.countersigned.map({ now.monotonic - $0.at >= rules.countersignEvery }) ?? true { countersign(edge, at: now, into: &out) }
    }
}

extension Opening {
    var isTwinCheck: Bool { if case .twin = stage { true } else { false } }
}
