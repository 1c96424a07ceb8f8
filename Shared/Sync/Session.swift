// One open session of one edge, and one on its way to be opened, as the cloud holds them.
package import Ledger
package import Values

/// Where frames come from and go to: the edge by its authenticated key, and the connection that HELLO came on.
package struct Peer: Hashable, Sendable {
    /// By the key, never by what the frame says.
    package var edge: EdgeID
    /// The driver's own number of a connection.
    package var connection: UInt64
    package init(edge: EdgeID, connection: UInt64) { self.edge = edge; self.connection = connection }
}

/// How alive an edge is.
package enum Presence: String, Hashable, Sendable, CaseIterable {
    case live, silent, dead
}

/// Verified entries that are being committed.
struct Pending: Hashable, Sendable {
    var last: Head
    var entries: Int
    var bytes: Int
}

/// A command that the edge has not acknowledged.
struct OnTheWay: Hashable, Sendable {
    var command: Command
    var sentAt: Span
    /// On the cloud's boot clock; nil for what never expires.
    var deadline: Span?
}

/// An open session.
struct Session: Hashable, Sendable {
    /// Commands under way at most; more are not dispatched.
    static let commandsMax = 256

    let id: UInt64
    let peer: Peer
    let boot: Boot
    let release: String
    /// What the edge said that it can do.
    var features: Set<Feature> = []
    /// What its ledger says that it lost for good.
    var gaps: [GapFact] = []
    /// Runs that claimed to be this edge while this session stood, as far as its own run was told.
    var knocked: Set<Boot> = []
    /// So many of them are told: a copy that starts over and over is the same news.
    static let knocksMax = 16
    /// Kinds and versions of commands that the edge understands.
    var commandKinds: Set<String> = []
    var number: UInt64 = 0
    var heardAt: Span
    /// Nothing was heard in it yet: its first word has the whole way of the line before it.
    var isUnheard = true
    /// How long this edge waits for an answer on a slow line; nil on any other.
    var patience: Span?
    var clock = ClockExchange()
    var credit: Credit
    /// Entries and bytes handed to the store and not yet durable.
    var pending: [Pending] = []
    /// For which place, and when, the last NACK went.
    var nacked: (have: Seq, at: Span)?
    /// Number of the newest STATE frame taken in.
    var stateNumber: UInt64 = 0
    var commands: [OnTheWay] = []

    /// After how much silence it is over.
    func silenceMax(_ rules: Rules) -> Span { isUnheard ? rules.deadAfter + (patience ?? .zero) : rules.deadAfter }

    static func == (a: Session, b: Session) -> Bool { a.id == b.id && a.number == b.number }
    func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// A HELLO that has not been answered yet.
struct Opening: Hashable, Sendable {
    enum Stage: Hashable, Sendable {
        /// Commits of the session before are not finished.
        case draining
        /// Another run of the same edge has a session: both have to show that they live.
        case twin(challengedAt: Span, oldAnswered: Bool, newAnswered: Bool)
        /// Waiting for PROOF of these.
        case proving([Seq])
        /// Waiting for the store's hashes of these.
        case lookingUp([Seq])
        /// The edge takes back what it lost.
        case healing
        /// The edge shows its branch after this entry.
        case branching(Head)
        /// The edge was told what a person decided.
        case told
        /// The store seals what follows this entry.
        case cutting(Head)
        /// The verdict is a refusal; waiting for a sign of life before anybody is accused.
        case confirming
    }
    let hello: Hello
    let peer: Peer
    /// When it began, or was last heard of.
    var since: Span
    var stage: Stage
    var evidence = Evidence()
    /// The newcomer answered something asked after its HELLO.
    var isAlive = false
    /// How many files of branches were looked at for its own.
    var branchesSeen = 0
    /// It takes back what it lost.
    var isFetching = false
    var clock = ClockExchange()

    /// How long the edge waits for an answer, as far as that is believed; nil when as long as usual.
    func patience(_ rules: Rules) -> Span? {
        hello.patience.flatMap { $0 > rules.helloEvery && !rules.neverWaitsLonger ? min($0, rules.helloEveryMax) : nil }
    }
    /// How long it is kept without a word.
    func keptFor(_ rules: Rules) -> Span { patience(rules) ?? rules.helloEvery }
    /// The same, and until a newcomer that has not answered is given up: its line may be slower than anything it could say of it.
    func twinEnds(beside session: Session?, _ rules: Rules) -> Span {
        let wait = twinWait(beside: session, rules)
        guard case .twin(_, _, newAnswered: false) = stage, !rules.neverWaitsLonger else { return wait }
        return max(wait, keptFor(rules))
    }
    /// How long both runs have to show themselves: each answer has its line's whole way before it.
    func twinWait(beside session: Session?, _ rules: Rules) -> Span {
        let slow = session?.clock.roundTrip.map { min($0 + $0, rules.helloEveryMax) }
        return max(rules.twinWait, patience(rules) ?? .zero, rules.neverWaitsLonger ? .zero : slow ?? .zero)
    }
}

/// Everything the receiver holds about one edge.
struct EdgeState: Sendable {
    /// Durable.
    var memory: EdgeMemory
    /// The chain through the last verified entry, committed or not.
    var tail: ChainVerifier
    /// Hashes shown by a run: it only adds to its ledger, so they hold for its next HELLO too.
    var shown: (boot: Boot, evidence: Evidence)?
    /// The edge's branch of a fork, as far as it is stored; volatile, the store has it.
    var branch: Branch?
    /// Entries verified and not yet committed with which a new epoch begins.
    var raises: [(seq: Seq, epoch: UInt32)] = []
    var session: Session?
    var audit: Audit?
    /// What was countersigned last, and when.
    var countersigned: (head: Head, at: Span)?
    /// The last entry of the newest verified backup.
    var backup: Seq?
    var opening: Opening?
    /// The newest HELLO of each of the runs that spoke last. One of before says what its run had then: taken for news, a ledger that has grown since
    /// would look rolled back, and the run that lives would answer for it.
    private var greeted: [(boot: Boot, attempt: Int64)] = []
    /// So many runs are remembered; more never speak for one edge within the life of a delayed frame, unless somebody starts copies of it.
    private static let greetedMax = 8
    var presence = Presence.dead
    /// By both clocks at the last frame of a session.
    var heard: ClockReading?
    /// As the edge measured it.
    var roundTrip: Span?
    /// When, by the cloud's wall clock and never too late, the edge told its head last.
    var toldAt: Instant?

    init(edge: EdgeID, memory: EdgeMemory) {
        self.memory = memory
        tail = ChainVerifier(edge: edge, after: memory.have)
    }

    /// Takes note of a HELLO; false for one that its run has said a newer one after, or that came twice.
    mutating func isNew(_ hello: Hello) -> Bool {
        if let known = greeted.first(where: { $0.boot == hello.boot }), known.attempt >= hello.attempt { return false }
        greeted.removeAll { $0.boot == hello.boot }
        greeted = greeted.suffix(EdgeState.greetedMax - 1) + [(hello.boot, hello.attempt)]
        return true
    }
}

/// What the Edges page shows of the link.
package struct EdgeLink: Hashable, Sendable {
    package var presence: Presence
    /// By both clocks of the cloud; nil when never heard in this process.
    package var heard: ClockReading?
    package var roundTrip: Span?
    /// The edge's wall clock minus the cloud's.
    package var clockOffset: Span?
    package var have: Head
    package var announced: Head
    /// Everything the edge wrote before this moment of the cloud's wall clock is not above `announced`.
    package var toldAt: Instant?
    /// Of the open session.
    package var boot: Boot?
    package var release: String?

    /// When it was last heard, told so that `now.wall` minus this is the time that really passed since, whatever was done to the wall clock.
    package func lastHeard(at now: ClockReading) -> Instant? {
        guard let heard else { return nil }
        let counted = now.wall - (now.monotonic - heard.monotonic)
        // Two clocks that nobody set stay closer than this; what was read then stands still on a screen.
        let isUnset = counted < heard.wall + .seconds(1) && heard.wall < counted + .seconds(1)
        return isUnset ? heard.wall : counted
    }

    /// Entries the edge has and the cloud has not.
    package var backlog: UInt64 { announced.seq.raw > have.seq.raw ? announced.seq.raw - have.seq.raw : 0 }
}
