// A line whose answers take many seconds: the link opens all the same, a ledger that was set back is healed over it, and twins are found out.
import Ledger
import Sync
import Testing
import Values

/// The cloud and one or two runs of one edge, each on a line of its own that carries everything and takes its time.
private struct LongLine {
    struct Run {
        var ledger: Samples.Ledger
        var sender: Sender
        /// Each way.
        var way: Span
        var connection: UInt64
        var upAt: Span?
        var isDead = false
        var opened: [Span] = []
        var reopened = 0
        var refused: Set<String> = []
        /// What it was told of copies.
        var copies: [String] = []
    }
    private struct Parcel { var at: Span, run: Int, connection: UInt64, isUpward: Bool, bytes: [UInt8] }

    private(set) var runs: [Run] = []
    private var receiver: Receiver
    private(set) var stored: [Entry]
    private var parcels: [Parcel] = []
    private(set) var now = Span.zero
    private(set) var refusals: [RefusalCase] = []
    /// Runs that had a session, in order.
    private(set) var sessions: [Boot] = []
    private let rules: Rules
    /// Connections of the second run are numbered from here on.
    private static let others: UInt64 = 1_000

    init(stored: [Entry] = [], rules: Rules = Rules()) {
        self.rules = rules
        self.stored = stored
        receiver = Receiver(incarnation: "i", release: "r", sessionSeed: 1, rules: rules)
        let head = stored.last?.head ?? .start
        _ = receiver.handle(.enrolled(Samples.edge, EdgeMemory(have: head, announced: head)), at: Self.clock(now, of: 77))
    }

    private static func clock(_ now: Span, of start: Int64) -> ClockReading {
        ClockReading(wall: Instant(seconds: 1_795_000_000) + now, monotonic: .seconds(start) + now)
    }

    /// - Parameter attempts: where its HELLOs are numbered from: a place of its own for each run.
    mutating func start(_ ledger: Samples.Ledger, roundTrip: Span, mayHeal: Bool = false, attempts: Int64 = 0) {
        let identity = Identity(
            edge: Samples.edge, boot: ledger.boot, epoch: ledger.entries.last?.epoch ?? 1, release: "test", mayHeal: mayHeal, attempts: attempts)
        runs.append(
            Run(
                ledger: ledger, sender: Sender(identity, head: ledger.head, rules: rules), way: Span(nanoseconds: roundTrip.nanoseconds / 2),
                connection: UInt64(runs.count) * Self.others))
        connect(runs.count - 1)
    }
    mutating func kill(_ run: Int) { runs[run].isDead = true }
    mutating func make(_ run: Int, roundTrip: Span) { runs[run].way = Span(nanoseconds: roundTrip.nanoseconds / 2) }
    /// The connection of a run breaks, and another one is made.
    mutating func cut(_ run: Int) { edge(run, .linkDown); connect(run) }

    /// Transport, key exchange and the first word take some ways more.
    private mutating func connect(_ run: Int) {
        runs[run].connection += 1
        runs[run].upAt = now + runs[run].way + runs[run].way + runs[run].way
    }

    private mutating func edge(_ run: Int, _ input: Sender.Input) {
        var inputs = [input]
        while !inputs.isEmpty {
            let input = inputs.removeFirst()
            for action in runs[run].sender.handle(input, at: Self.clock(now, of: 1_000 * Int64(run + 1))) {
                switch action {
                case .send(_, let bytes):
                    let line = runs[run]
                    parcels.append(Parcel(at: now + line.way, run: run, connection: line.connection, isUpward: true, bytes: bytes))
                case .read(let from, let entries, _):
                    inputs.append(.entries(from: from, Array(runs[run].ledger.entries[(Int(from.raw) - 1)...].prefix(entries))))
                case .readHeads(let attempt, let seqs):
                    let entries = runs[run].ledger.entries
                    inputs.append(
                        .heads(attempt: attempt, asked: seqs, seqs.filter { $0.raw <= entries.count }.map { entries[Int($0.raw) - 1].head }))
                case .readBranch(let after):
                    let entries = runs[run].ledger.entries
                    inputs.append(.branch(after: after, Array(entries[Int(after.seq.raw)...])))
                case .heal(let entries):
                    runs[run].ledger.adopt(entries)
                    inputs.append(.healed(entries))
                case .phase(.open): runs[run].opened.append(now)
                case .phase(.refused(let trouble)): runs[run].refused.insert(trouble.code)
                case .copied(let words): runs[run].copies.append(words)
                case .reopen:
                    runs[run].reopened += 1
                    inputs.append(.linkDown)
                    connect(run)
                default: break
                }
            }
        }
    }

    private mutating func cloud(_ input: Receiver.Input) {
        var inputs = [input]
        while !inputs.isEmpty {
            for action in receiver.handle(inputs.removeFirst(), at: Self.clock(now, of: 77)) {
                switch action {
                case .send(let bytes, let peer):
                    let run = Int(peer.connection / Self.others)
                    parcels.append(Parcel(at: now + runs[run].way, run: run, connection: peer.connection, isUpward: false, bytes: bytes))
                case .commit(let edge, let entries):
                    stored += entries
                    inputs += entries.last.map { [.committed(edge, $0.head)] } ?? []
                case .lookUp(let edge, let seqs):
                    inputs.append(.lookedUp(edge, seqs, seqs.filter { $0 > Seq(0) && $0.raw <= stored.count }.map { stored[Int($0.raw) - 1].head }))
                case .read(let edge, let after, let upTo):
                    // So little in a piece that the way is gone more than once.
                    let entries = stored[Int(after.seq.raw)..<min(Int(upTo.raw), Int(after.seq.raw) + 40)]
                    inputs.append(.read(edge, after: after, Array(entries)))
                case .openBranch(let edge, let common, _): inputs.append(.branch(edge, common: common, common))
                case .keepBranch(let edge, let common, let entries): inputs.append(.branch(edge, common: common, entries.last?.head ?? common))
                case .opened(_, let boot): sessions.append(boot)
                case .refused(let refusal): refusals.append(refusal.verdict)
                default: break
                }
            }
        }
    }

    /// Runs until it is so, or so long.
    /// - Returns: how long it took; nil when it did not come to pass.
    mutating func run(atMost limit: Span, until isDone: (LongLine) -> Bool) -> Span? {
        let start = now
        while true {
            guard let next = nextAt, next - start <= limit else { now = start + limit; return nil }
            now = max(now, next)
            for run in runs.indices where !runs[run].isDead {
                if let time = runs[run].upAt, time <= now { runs[run].upAt = nil; edge(run, .linkUp) }
            }
            let due = parcels.filter { $0.at <= now }
            parcels.removeAll { $0.at <= now }
            for parcel in due {
                if parcel.isUpward {
                    cloud(.frame(parcel.bytes, from: Peer(edge: Samples.edge, connection: parcel.connection)))
                } else if !runs[parcel.run].isDead, runs[parcel.run].connection == parcel.connection, runs[parcel.run].upAt == nil {
                    edge(parcel.run, .frame(parcel.bytes))
                }
            }
            for run in runs.indices where !runs[run].isDead {
                if let wake = runs[run].sender.wakeAt, wake <= Span.seconds(1_000 * Int64(run + 1)) + now { edge(run, .tick) }
            }
            if let wake = receiver.wakeAt, wake <= .seconds(77) + now { cloud(.tick) }
            if isDone(self) { return now - start }
        }
    }

    /// When something happens next.
    private var nextAt: Span? {
        var times = parcels.map(\.at) + runs.filter { !$0.isDead }.compactMap(\.upAt)
        for run in runs.indices where !runs[run].isDead {
            if let wake = runs[run].sender.wakeAt { times.append(wake - Span.seconds(1_000 * Int64(run + 1))) }
        }
        if let wake = receiver.wakeAt { times.append(wake - .seconds(77)) }
        return times.min()
    }

    func isCaughtUp(_ run: Int) -> Bool { runs[run].sender.isCaughtUp && runs[run].sender.phase == .open }
}

struct LongLineTests {
    private static func ledger(_ count: Int) throws -> Samples.Ledger {
        var ledger = try Samples.Ledger(seed: 4)
        try ledger.grow(count - 1)
        return ledger
    }
    private static var hasty: Rules { var rules = Rules(); rules.neverWaitsLonger = true; return rules }

    /// A new edge, and one of which the cloud has a part, so that it asks before it welcomes. Once open the link stays open, and everything gets up.
    @Test(arguments: [8, 14, 20, 40], [0, 300]) func theLinkOpensHoweverLongTheWayIs(seconds: Int64, have: Int) throws {
        let ledger = try Self.ledger(600)
        var line = LongLine(stored: Array(ledger.entries.prefix(have)))
        line.start(ledger, roundTrip: .seconds(seconds))
        let took = try #require(line.run(atMost: .minutes(15)) { $0.isCaughtUp(0) }, "\(line.runs[0].sender.phase)")
        #expect(took < .seconds(15 * seconds), "\(took)")
        let opened = line.runs[0].opened.count
        #expect(line.run(atMost: .minutes(10)) { $0.runs[0].sender.phase != .open } == nil && line.runs[0].opened.count == opened)
        #expect(line.stored == ledger.entries && line.refusals.isEmpty)
        var hasty = LongLine(stored: Array(ledger.entries.prefix(have)), rules: Self.hasty)
        hasty.start(ledger, roundTrip: .seconds(seconds))
        #expect(hasty.run(atMost: .hours(1)) { $0.isCaughtUp(0) } == nil, "an edge that never waits longer never gets in")
    }

    /// What was learned of a slow line is forgotten once it is quick again: a HELLO that is lost is said again as soon as ever.
    @Test func aLineThatIsQuickAgainIsAskedAsEver() throws {
        var line = LongLine()
        line.start(try Self.ledger(20), roundTrip: .seconds(20))
        _ = try #require(line.run(atMost: .minutes(5)) { $0.isCaughtUp(0) })
        line.make(0, roundTrip: .milliseconds(500))
        line.cut(0)
        _ = try #require(line.run(atMost: .minutes(2)) { $0.runs[0].sender.phase == .open })
        line.make(0, roundTrip: .seconds(1_000))
        line.cut(0)
        var sender = line.runs[0].sender
        let at = ClockReading(wall: Instant(seconds: 1_795_000_000) + line.now, monotonic: .seconds(1_000) + line.now)
        _ = sender.handle(.linkUp, at: at)
        #expect(sender.wakeAt == at.monotonic + Rules().helloEvery)
    }

    @Test(arguments: [8, 20]) func whatWasLostComesBackOverALongWay(seconds: Int64) throws {
        let whole = try Self.ledger(100)
        var short = whole
        try short.cut(to: 10)
        short.nextRun()
        var line = LongLine(stored: whole.entries)
        line.start(short, roundTrip: .seconds(seconds), mayHeal: true)
        let took = try #require(line.run(atMost: .minutes(15)) { $0.isCaughtUp(0) }, "\(line.runs[0].sender.phase)")
        #expect(line.runs[0].ledger.entries == whole.entries && took < .seconds(20 * seconds), "\(took)")
        var hasty = LongLine(stored: whole.entries, rules: Self.hasty)
        hasty.start(short, roundTrip: .seconds(seconds), mayHeal: true)
        #expect(hasty.run(atMost: .hours(1)) { $0.isCaughtUp(0) } == nil)
    }

    /// The verdict on another history is heard too.
    @Test(arguments: [8, 20]) func aForkIsRefusedOverALongWay(seconds: Int64) throws {
        let known = try Self.ledger(40)
        var other = known
        try other.rollBack(to: 30)
        try other.grow(5)
        var line = LongLine(stored: known.entries)
        line.start(other, roundTrip: .seconds(seconds))
        #expect(line.run(atMost: .minutes(15)) { !$0.runs[0].refused.isEmpty } != nil)
        #expect(line.runs[0].refused.count == 1 && line.runs[0].opened.isEmpty && line.stored == known.entries)
    }

    /// Two living runs, whichever of them is far away: neither takes the session from the other, and the one that came later is told.
    @Test(arguments: [(20_000, 50), (50, 20_000), (8_000, 8_000), (3_000, 50), (50, 3_000), (50, 4_500), (2_300, 50), (3_500, 3_500)])
    func twinsAreFoundOutOverALongWay(first: Int64, second: Int64) throws {
        let ledger = try Self.ledger(20)
        func meet(_ rules: Rules) throws -> LongLine {
            var line = LongLine(rules: rules)
            line.start(ledger, roundTrip: .milliseconds(50))
            _ = try #require(line.run(atMost: .minutes(1)) { $0.isCaughtUp(0) })
            // The line gets slow under the open session, and its beats say so.
            line.make(0, roundTrip: .milliseconds(first))
            _ = line.run(atMost: .minutes(1)) { _ in false }
            _ = line.run(atMost: .minutes(10)) { $0.isCaughtUp(0) }
            _ = line.run(atMost: .minutes(1)) { _ in false }
            var copy = ledger
            copy.nextRun()
            line.start(copy, roundTrip: .milliseconds(second), attempts: 1 << 40)
            _ = line.run(atMost: .minutes(10)) { $0.runs[1].refused.contains("TWIN") }
            return line
        }
        var line = try meet(Rules())
        #expect(line.runs[1].refused == ["TWIN"] && line.refusals.contains(.twin))
        _ = line.run(atMost: .minutes(3)) { _ in false }
        #expect(line.runs[0].copies.count == 1 && line.runs[0].copies[0].contains("\(line.runs[1].ledger.boot)"), "\(line.runs[0].copies)")
        #expect(line.runs[1].opened.isEmpty && line.sessions.allSatisfy { $0 == ledger.boot } && line.runs[0].sender.phase == .open)
        let hasty = try meet(Self.hasty)
        #expect(hasty.runs[1].refused.isEmpty || !hasty.runs[1].opened.isEmpty, "without the time to answer they are not found out, or trade places")
    }

    /// A run that died gives way to the next one on the same long line.
    @Test(arguments: [8, 20]) func theNextRunGetsInOverALongWay(seconds: Int64) throws {
        let ledger = try Self.ledger(20)
        var line = LongLine()
        line.start(ledger, roundTrip: .seconds(seconds))
        _ = try #require(line.run(atMost: .minutes(10)) { $0.isCaughtUp(0) })
        line.kill(0)
        var next = ledger
        try next.restart()
        line.start(next, roundTrip: .seconds(seconds), attempts: 1 << 40)
        #expect(line.run(atMost: .minutes(10)) { $0.isCaughtUp(1) } != nil, "\(line.runs[1].sender.phase)")
        #expect(line.refusals.isEmpty && line.stored == next.entries)
    }
}
