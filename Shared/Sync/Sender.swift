// The edge's end of the link: a machine that is told what happened and answers what to do. It keeps no copy of the ledger.
package import Ledger
package import Values

/// Who this edge is and how its ledger stands when it starts.
package struct Identity: Hashable, Sendable {
    package var edge: EdgeID
    package var boot: Boot
    package var epoch: UInt32
    package var release: String
    /// The oldest entry that the journal can still read.
    package var oldest: Seq
    /// True for a run that has written nothing yet and waits for the cloud's word: lost entries may come back.
    package var mayHeal: Bool
    /// The cloud's store that welcomed this edge last; empty before the first time.
    package var incarnation: String
    /// The names of the stores that welcomed it before that one, oldest first, at most `formerStoresMax`.
    package var formerStores: [String] = []
    /// A store gets another name when it is put back from a backup: nobody does that more often than he looks at his edges.
    package static let formerStoresMax = 16
    /// What this ledger says that it lost for good, oldest word first; the newest `gapsMax` are told.
    package var gaps: [GapFact] = []
    /// Each is a lost file of thousands of entries, or several side by side.
    package static let gapsMax = 64
    /// The key by which the ledger here is signed; nil before its first signature.
    package var signer: [UInt8]?
    /// The run's HELLOs are numbered after this: a number that no other run uses keeps the answers to another run's apart.
    package var attempts: Int64
    package init(
        edge: EdgeID, boot: Boot, epoch: UInt32, release: String, oldest: Seq = Seq(1), mayHeal: Bool = false, incarnation: String = "",
        signer: [UInt8]? = nil, attempts: Int64 = 0
    ) {
        self.edge = edge; self.boot = boot; self.epoch = epoch; self.release = release; self.oldest = oldest; self.mayHeal = mayHeal
        self.incarnation = incarnation; self.signer = signer; self.attempts = attempts
    }
}

extension Identity {
    /// The former stores once one of them gives way to another.
    package static func former(_ known: [String], left: String, for next: String) -> [String] {
        Array((known.filter { $0 != left } + [left]).filter { !$0.isEmpty && $0 != next }.suffix(formerStoresMax))
    }
}

/// How the link looks from the edge.
package enum LinkPhase: Hashable, Sendable {
    /// No connection.
    case down
    /// Connected, HELLO sent, no answer yet.
    case opening
    case open
    /// Entries that this ledger lost come back from the cloud, up to this one.
    case healing(upTo: Seq)
    /// The cloud opens no session; asked again from time to time.
    case refused(Trouble)
    case stopped
}

/// The store-and-forward sender. Times are of the edge's boot clock; the wall clock is only told to the other side.
package struct Sender: Sendable {
    /// What happened.
    package enum Input: Hashable, Sendable {
        case linkUp
        case linkDown
        /// Bytes of one frame from the cloud.
        case frame([UInt8])
        /// These entries are durable here, in order, each commit told once.
        case committed([Entry])
        /// The ledger grew to this head; its entries are to be read from the journal.
        case grew(Head)
        /// Answer to `.read`: entries from `from` on, as many as there was room for.
        case entries(from: Seq, [Entry])
        /// Answer to `.read` when the entry of this number cannot be read any more.
        case unreadable(Seq)
        /// Answer to `.readHeads`: those that are kept.
        case heads(attempt: Int64, asked: [Seq], [Head])
        /// What `.heal` brought is durable here.
        case healed([Entry])
        /// The ledger's owner did not take what `.heal` brought, for this reason; nothing of it was written.
        case healRefused(String)
        /// Answer to `.readBranch`: entries that follow it; none when another entry stands there.
        case branch(after: Head, [Entry])
        /// Answer to `.readStored`: one for each number, nil where nothing can be read.
        case stored(from: Seq, [Entry?])
        /// Answer to `.mend`, whatever became of it.
        case mended(Seq)
        case live(LiveItem)
        case market(MarketBars)
        /// True while something is decided here that is not durable yet: the head is no word about everything that happened.
        case holdsBack(Bool)
        /// The lane's queue is full, or has room again.
        case blocked(Lane, Bool)
        case tick
        /// The process stops in order.
        case stop(reason: String)
    }

    /// What to do, in this order.
    package enum Action: Equatable, Sendable {
        case send(Lane, [UInt8])
        /// Read entries from the journal and answer with `.entries`.
        case read(from: Seq, entries: Int, bytes: Int)
        case readHeads(attempt: Int64, [Seq])
        /// Make these lost entries durable, bytes as they are, and answer `.healed`.
        case heal([Entry])
        /// Read a piece of the journal that follows this entry, and answer `.branch`.
        case readBranch(after: Head)
        /// Read these entries from the disk as they are, unchecked, when there is time, and answer `.stored`.
        case readStored(from: Seq, through: Seq)
        /// Put this entry in the place of its damaged bytes, if the stored chain names its hash, and answer `.mended`.
        case mend(Entry)
        /// A person decided: the ledger's owner carries it out.
        case settle(Settlement)
        /// The cloud's keys announced these, oldest first; to be followed from the one that is believed.
        case signers([CloudKeyChange])
        /// The cloud is going to answer by another key of its link.
        case serverKey(ServerKeyFact)
        /// The cloud signed that it has everything up to a head; to be written down if that is so and new.
        case countersigned(CountersignedFact)
        /// A verified backup of the cloud reaches up to here; to be remembered durably.
        case backedUp(Seq)
        /// The cloud's store has this name; to be remembered durably.
        case incarnation(String)
        /// Hand a command to the desk, once; it dies at `deadline` of the boot clock.
        case deliver(Command, deadline: Span?)
        /// Durable in the cloud up to here; kept lazily, used for showing and compaction.
        case acked(Head)
        /// Close the connection and make a new one.
        case reopen
        case phase(LinkPhase)
        /// Another running copy of this edge was turned away by the cloud, in its words: for a person to know; the session goes on.
        case copied(String)
        /// A frame that could not be read.
        case malformed(FrameError)
    }

    /// What has been sent and not acknowledged.
    struct Flight: Hashable, Sendable {
        var last: Seq
        /// Of `last`, to compare with its ack; nil when a rewind cut the batch in two.
        var hash: [UInt8]?
        var entries: Int
        var bytes: Int
        var sentAt: Span
    }

    var identity: Identity
    let rules: Rules
    package internal(set) var phase = LinkPhase.down
    /// The last durable entry here.
    package internal(set) var head: Head
    /// The last entry known to be durable in the cloud.
    package internal(set) var acked: Head
    /// The last entry put on the wire in this session.
    package internal(set) var sent: Seq
    package internal(set) var clock = ClockExchange()
    /// MARKET frames dropped because newer ones waited.
    package internal(set) var marketDropped: UInt64 = 0

    /// True once the cloud has said anything at all on any connection.
    package internal(set) var hasHeard = false
    var healing: Healing?
    /// The last entry of the branch that the cloud asked to see.
    var showing = Seq(0)
    /// Why stored bytes are being read.
    var use: StoredUse?
    /// How far the cloud's newest verified backup reaches, as it said last.
    var backup: Seq?
    /// The comparison that the cloud makes.
    var audits: Int64?
    var session: UInt64 = 0
    var number: UInt64 = 0
    package internal(set) var attempt: Int64 = 0
    var hellos = 0
    /// How long an answer to a HELLO is waited for: as the line has shown.
    var patience: Span
    /// HELLOs of this run whose answers may still be on their way, oldest first.
    var greetings: [(attempt: Int64, at: Span)] = []
    /// The cloud has answered one of them since the link came up.
    var isAnswered = false
    /// The first word inside the session is still on its way.
    var isUnheard = false
    /// When the current HELLO left, or when a refused edge was refused.
    var openedAt = Span.zero
    var heardAt = Span.zero
    var beatAt = Span.zero
    var credit = Credit.standard
    var flights: [Flight] = []
    var flying = Credit(entries: 0, bytes: 0)
    var progressAt = Span.zero
    var stalls = 0
    /// Uncompressed bytes of one batch: what the line carried in time, of this session and those before.
    var batchTarget = Batch.rawBytesTarget
    /// Where entries are being read from: behind the last one sent, or that one itself, to ask where the cloud stands.
    var reading: Seq?
    /// The next entry did not fit into what is left of the credit: reading it again before an ack would only cost time.
    var isFull = false
    /// The cloud takes what stands behind a gap that it was told of.
    var takesGaps = false
    /// The cloud lets in whom the ledger announces as this edge's next key; of the open session.
    package internal(set) var takesLinkKeys = false
    var isBlocked: [Bool] = [false, false]
    /// Something happened here that is in no entry yet.
    package internal(set) var holdsBack = false
    /// How far the cloud knows this ledger to have come, as it said in this run; nil once all of it is here again.
    package internal(set) var behind: Seq?
    var live = LiveState()
    /// Keys changed since the last STATE frame, oldest change first.
    var changed: [String] = []
    var isChanged: Set<String> = []
    var stateAt = Span.zero
    var market: [MarketBars] = []
    var delivered: Set<CommandID> = []
    var deliveredOrder: [CommandID] = []

    /// MARKET frames that wait at most: three watched instruments' backfill and their closing bars.
    package static let marketMax = 64
    /// Commands remembered so that a repeated dispatch is not handed on twice; the ledger remembers all.
    package static let deliveredMax = 4_096
    /// However slow the line is, a batch has this many bytes, if there are so many.
    static let batchTargetMin = 16_000
    /// Batches under way at most: on a slow line what waits before them is no more than that.
    static let batchesMax = 19
    /// An ack that comes this soon after its batch shows that the line carries larger ones.
    static let quickAck = Span.seconds(1)
    /// Bytes of the cloud's words that are passed on to people.
    static let wordsMax = 300
    /// Items in one STATE frame.
    package static let stateItemsMax = 256
    /// Bytes of the items in one STATE frame, however long the words of a broker in them are.
    static let stateBytesMax = Frame.bodyBytesMax / 2

    /// - Parameter acked: as last remembered; `Head.start` is always safe.
    package init(_ identity: Identity, head: Head, acked: Head = .start, rules: Rules = Rules()) {
        precondition(acked.seq <= head.seq, "acknowledged \(acked.seq) beyond the head \(head.seq)")
        self.identity = identity; self.head = head; self.acked = acked; self.rules = rules
        sent = acked.seq
        attempt = identity.attempts
        patience = rules.helloEvery
    }

    /// True when the cloud has everything.
    package var isCaughtUp: Bool { acked.seq == head.seq }
    /// Entries that the cloud has not acknowledged.
    package var backlog: UInt64 { head.seq.raw - acked.seq.raw }

    /// Takes one input in and says what to do.
    package mutating func handle(_ input: Input, at clock: ClockReading) -> [Action] {
        var out: [Action] = []
        switch input {
        case .linkUp: hellos = 0; isAnswered = false; isBlocked = [false, false]; open(at: clock, into: &out)
        case .linkDown:
            slowDown(at: clock.monotonic)
            isBlocked = [false, false]
            if phase != .stopped { fall(to: .down, into: &out) }
        case .frame(let bytes): receive(bytes, at: clock, into: &out)
        case .committed(let entries): committed(entries, at: clock, into: &out)
        case .grew(let head): if head.seq > self.head.seq { self.head = head }
        case .entries(let from, let entries): read(from, entries, at: clock, into: &out)
        case .unreadable(let seq): passOver(seq, into: &out)
        case .heads(let attempt, let asked, let heads):
            if phase == .opening, attempt == self.attempt { send(.proof(attempt: attempt, heads: heads, asked: asked), into: &out) }
        case .healed(let entries): healed(entries, at: clock, into: &out)
        case .healRefused(let words): healRefused(words, at: clock, into: &out)
        case .branch(let after, let entries): branch(after, entries, into: &out)
        case .stored(let from, let entries): stored(from, entries, into: &out)
        case .mended(let seq): mended(seq, into: &out)
        case .live(let item): note(item)
        case .market(let bars): queue(bars)
        case .holdsBack(let holds): holdsBack = holds
        case .blocked(let lane, let isFull): isBlocked[Int(lane.rawValue)] = isFull
        case .tick: watch(at: clock, into: &out)
        case .stop(let reason):
            if phase == .open { send(.bye(reason: reason), into: &out) }
            fall(to: .stopped, into: &out)
        }
        pump(at: clock, into: &out)
        assert(flying.entries == flights.reduce(0) { $0 + $1.entries } && acked.seq <= head.seq)
        return out
    }

    /// When `.tick` is due at the latest, by the boot clock; nil when nothing is awaited.
    package var wakeAt: Span? {
        switch phase {
        case .down, .stopped: nil
        case .opening, .healing: openedAt + patience
        case .refused(let trouble): openedAt + retry(trouble)
        case .open:
            [
                beatAt + rules.beatEvery, heardAt + silenceMax, flights.isEmpty ? nil : progressAt + rules.stallAfter + lag,
                changed.isEmpty || isBlocked[Int(Lane.control.rawValue)] ? nil : stateAt + rules.stateEvery,
            ].compactMap { $0 }.min()
        }
    }

    // MARK: - Session

    /// Says HELLO on a connection that is up.
    mutating func open(at now: ClockReading, into out: inout [Action]) {
        guard phase != .stopped else { return }
        fall(to: .opening, into: &out)
        clock = ClockExchange()
        attempt += 1; hellos += 1; openedAt = now.monotonic; heardAt = now.monotonic
        var hello = Hello(
            edge: identity.edge, protocolMin: Int64(Frame.version), protocolMax: Int64(Frame.version), release: identity.release,
            boot: identity.boot, attempt: attempt, epoch: identity.epoch, head: head, acked: acked, oldest: identity.oldest,
            stamp: clock.stamp(at: now.monotonic, wall: now.wall), isClockSound: now.isSynchronised, commandKinds: CommandBody.kinds,
            features: Feature.allCases.filter { $0 != .heal || identity.mayHeal }.map(\.rawValue),
            incarnation: identity.incarnation)
        hello.formerStores = identity.formerStores
        hello.gaps = identity.gaps.suffix(Identity.gapsMax)
        hello.patience = patience > rules.helloEvery ? patience : nil
        greetings = greetings.suffix(Sender.greetingsMax - 1) + [(attempt, now.monotonic)]
        send(.hello(hello), into: &out)
    }

    /// Leaves the session, if there is one; nothing under way counts any more. The lanes may still be full of it.
    mutating func fall(to next: LinkPhase, into out: inout [Action]) {
        session = 0; number = 0; reading = nil; stalls = 0; healing = nil; use = nil; audits = nil
        flights = []; flying = Credit(entries: 0, bytes: 0); isFull = false
        sent = acked.seq
        guard phase != next else { return }
        phase = next
        out.append(.phase(next))
    }

    /// The session begins: the cloud has everything up to `welcome.have`.
    mutating func begin(_ welcome: Welcome, session id: UInt64, at now: ClockReading, into out: inout [Action]) {
        guard welcome.have.seq <= head.seq else {
            distrust("the cloud has entry \(welcome.have.seq), this ledger ends at \(head.seq)", at: now, into: &out)
            return
        }
        clock.heard(welcome.stamp, at: now.monotonic, wall: now.wall)
        settle(on: clock.roundTrip)
        takesGaps = welcome.takesGaps
        takesLinkKeys = welcome.takesLinkKeys
        session = id; hellos = 0; isUnheard = true; credit = welcome.credit
        heardAt = now.monotonic; progressAt = now.monotonic; beatAt = now.monotonic - rules.beatEvery
        acked = welcome.have
        sent = acked.seq
        behind = nil
        // The whole picture again: whatever the cloud showed may be from before.
        changed = live.sorted.map(\.key)
        isChanged = Set(changed)
        stateAt = now.monotonic - rules.stateEvery
        phase = .open
        if identity.incarnation != welcome.incarnation {
            identity.formerStores = Identity.former(identity.formerStores, left: identity.incarnation, for: welcome.incarnation)
            identity.incarnation = welcome.incarnation
            out.append(.incarnation(welcome.incarnation))
        }
        note(backup: welcome.backup, into: &out)
        if !welcome.signers.isEmpty { out.append(.signers(welcome.signers)) }
        if let word = welcome.serverKey { out.append(.serverKey(word)) }
        out.append(.phase(.open)); out.append(.acked(acked))
        beat(wantsAnswer: true, at: now, into: &out)
    }

    /// What the cloud says of its backups, when it is news.
    mutating func note(backup said: Seq?, into out: inout [Action]) {
        guard let said, said != backup else { return }
        backup = said
        out.append(.backedUp(said))
    }

    /// Gives the connection up; the driver makes a new one.
    mutating func reopen(into out: inout [Action]) {
        fall(to: .down, into: &out)
        out.append(.reopen)
    }

    /// Everything that time alone brings about.
    private mutating func watch(at now: ClockReading, into out: inout [Action]) {
        let time = now.monotonic
        switch phase {
        case .down, .stopped: break
        case .opening where time - openedAt >= patience, .healing where time - openedAt >= patience:
            if hellos >= rules.hellosMax { waitLonger(); reopen(into: &out) } else { open(at: now, into: &out) }
        case .refused(let trouble) where time - openedAt >= retry(trouble): hellos = 0; open(at: now, into: &out)
        case .opening, .healing, .refused: break
        case .open:
            if time - heardAt >= silenceMax { slowDown(at: time); reopen(into: &out); return }
            if !flights.isEmpty, time - progressAt >= rules.stallAfter + lag {
                stalls += 1
                if stalls >= rules.stallsMax { slowDown(at: time); reopen(into: &out); return }
                progressAt = time
                askWhereItStands(into: &out)
            }
            if time - beatAt >= rules.beatEvery { beat(wantsAnswer: true, at: now, into: &out) }
        }
    }

    private func retry(_ trouble: Trouble) -> Span { trouble.endsSoon ? rules.disputedRetry : rules.refusedRetry }

    /// Beats, with this run's head and what was measured. The cloud concludes from a head that what it knows nothing of did not happen: none is told
    /// while something waits to be written.
    mutating func beat(wantsAnswer: Bool, at now: ClockReading, into out: inout [Action]) {
        if wantsAnswer { beatAt = now.monotonic }
        send(
            .beat(
                Beat(
                    boot: identity.boot, head: holdsBack ? nil : head, roundTrip: clock.roundTrip,
                    stamp: clock.stamp(at: now.monotonic, wall: now.wall), wantsAnswer: wantsAnswer)),
            into: &out)
    }

    /// Puts one message on its lane.
    mutating func send(_ message: Message, into out: inout [Action]) {
        number += 1
        out.append(.send(message.type.lane, message.frame(session: session, number: number).bytes))
    }
}
