// Entries that an edge lost for good, and a cloud that never had them: the copy goes on behind the hole when the edge's own ledger says so, never otherwise.
import Ledger
import Sync
import Testing
import Values

/// Both machines over stores in memory; the edge's disk has lost a range.
private struct Pair {
    var ledger: Samples.Ledger
    let lost: ClosedRange<Int>
    var sender: Sender
    var receiver: Receiver
    var stored: [Entry]
    var holes: [LedgerHole] = []
    var refusals: [RefusalCase] = []
    var nacks = 0
    var forks = 0
    var reports: [AuditReport] = []
    var now = ClockReading(wall: Instant(seconds: 1_795_000_200), monotonic: .seconds(50))
    private var holeToCome: LedgerHole?

    /// A ledger of 100 entries and what it confesses; the cloud has the first `have` of them.
    init(lost: ClosedRange<Int>, have: Int, announced: Int? = nil, says gap: ((Samples.Ledger) -> GapFact)?, rules: Rules = Rules()) throws {
        var ledger = try Samples.Ledger(seed: 4)
        try ledger.grow(99)
        let known = ledger.entries
        var gaps: [GapFact] = []
        if let gap { gaps = [gap(ledger)]; try ledger.confess(gaps[0]) }
        self.ledger = ledger; self.lost = lost
        var identity = Identity(edge: Samples.edge, boot: ledger.boot, epoch: 1, release: "test")
        identity.gaps = gaps
        sender = Sender(identity, head: ledger.head, rules: rules)
        receiver = Receiver(incarnation: "i", release: "r", sessionSeed: 100, rules: rules)
        stored = Array(known.prefix(have))
        let memory = EdgeMemory(
            have: stored.last?.head ?? .start, announced: announced.map { known[$0 - 1].head } ?? stored.last?.head ?? .start, epoch: 1)
        _ = receiver.handle(.enrolled(Samples.edge, memory), at: now)
    }
    static func truth(_ lost: ClosedRange<Int>) -> (Samples.Ledger) -> GapFact {
        { GapFact(from: Seq(UInt64(lost.lowerBound)), to: Seq(UInt64(lost.upperBound)), hash: $0.entries[lost.upperBound - 1].hash) }
    }

    mutating func link() throws {
        try edge(sender.handle(.linkUp, at: now))
        for _ in 0..<40 { try pass(.milliseconds(500)) }
    }
    mutating func pass(_ span: Span) throws {
        now.wall = now.wall + span; now.monotonic = now.monotonic + span
        try cloud(.tick)
        try edge(sender.handle(.tick, at: now))
    }

    mutating func edge(_ actions: [Sender.Action]) throws {
        for action in actions {
            switch action {
            case .send(_, let bytes): try cloud(.frame(bytes, from: Peer(edge: Samples.edge, connection: 1)))
            case .read(let from, let count, _):
                let first = Int(from.raw)
                if lost.contains(first) {
                    if sender.mayPassOver(from) { try edge(sender.handle(.unreadable(from), at: now)) }
                } else {
                    let end = first < lost.lowerBound ? lost.lowerBound - 1 : ledger.entries.count
                    try edge(sender.handle(.entries(from: from, Array(ledger.entries[(first - 1)..<end].prefix(min(count, 7)))), at: now))
                }
            case .readHeads(let attempt, let seqs):
                // As production does: a proof without what is missing would read as another history, so there is none.
                guard seqs.allSatisfy({ !lost.contains(Int($0.raw)) || Int($0.raw) == lost.upperBound }) else { continue }
                try edge(sender.handle(.heads(attempt: attempt, asked: seqs, seqs.map { ledger.entries[Int($0.raw) - 1].head }), at: now))
            case .readStored(let from, let through):
                let rows = (Int(from.raw)...Int(through.raw)).map { lost.contains($0) ? nil : ledger.entries[$0 - 1] }
                try edge(sender.handle(.stored(from: from, rows), at: now))
            default: break
            }
        }
    }

    mutating func cloud(_ input: Receiver.Input) throws {
        for action in receiver.handle(input, at: now) {
            switch action {
            case .send(let bytes, _):
                if case .nack = try Message(Frame(bytes)) { nacks += 1 }
                try edge(sender.handle(.frame(bytes), at: now))
            case .hole(_, let hole): holeToCome = hole
            case .commit(let edge, let entries):
                if let hole = holeToCome {
                    #expect(hole.after == stored.last?.head ?? .start && hole.last.hash == entries[0].previous)
                    holes.append(hole)
                    holeToCome = nil
                } else {
                    #expect(entries[0].previous == (stored.last?.head ?? .start).hash)
                }
                stored += entries
                try cloud(.committed(edge, stored[stored.count - 1].head))
            case .lookUp(let edge, let seqs): try cloud(.lookedUp(edge, seqs, stored.map(\.head).filter { seqs.contains($0.seq) }))
            case .readStored(let edge, let from, let through):
                let rows = (from.raw...through.raw).map { number in stored.first { $0.seq.raw == number } }
                try cloud(.stored(edge, from: from, rows))
            case .openBranch: forks += 1
            case .refused(let refusal): refusals.append(refusal.verdict)
            case .audited(_, let report): if report.state != .running { reports.append(report) }
            default: break
            }
        }
    }
    var missing: [Int] { Array(Set(1...ledger.entries.count).subtracting(stored.map { Int($0.seq.raw) })).sorted() }
}

@Suite struct HoleTests {
    /// Wherever the cloud's copy ends: before the hole, at its border, within it, at its end.
    @Test(arguments: [0, 20, 39, 40, 50, 59, 60, 61, 80]) func theCopyGoesOnBehindWhatIsConfessed(have: Int) throws {
        var pair = try Pair(lost: 40...60, have: have, says: Pair.truth(40...60))
        try pair.link()
        #expect(pair.sender.phase == .open && pair.sender.isCaughtUp && pair.refusals == [])
        #expect(pair.missing == (40...60).filter { $0 > have && have < 60 })
        #expect(pair.holes.count == (have < 60 ? 1 : 0) && pair.stored.last?.head == pair.ledger.head)
        #expect(pair.receiver.link(Samples.edge)?.have == pair.ledger.head)
    }

    /// A ledger that does not speak of it, or names another hash, or less than is missing: the lane stands still and nothing is taken.
    @Test(arguments: ["nothing", "another hash", "less"]) func nothingElseIsTaken(_ word: String) throws {
        let says: ((Samples.Ledger) -> GapFact)? =
            switch word {
            case "nothing": nil
            case "another hash": { _ in GapFact(from: Seq(40), to: Seq(60), hash: [UInt8](repeating: 7, count: 32)) }
            default: { GapFact(from: Seq(45), to: Seq(60), hash: $0.entries[59].hash) }
            }
        var pair = try Pair(lost: 40...60, have: 20, says: says)
        try pair.link()
        #expect(pair.stored.count == 39 && pair.holes.isEmpty && !pair.sender.isCaughtUp)
    }

    /// An edge that jumps over entries without a word: refused by the receiver, taken by a receiver that lacks the rule.
    @Test(arguments: [false, true]) func aJumpWithoutAWordIsRefused(isMutant: Bool) throws {
        var rules = Rules()
        rules.unspokenGapsAreTaken = isMutant
        var pair = try Pair(lost: 40...60, have: 20, says: nil, rules: rules)
        try pair.edge(pair.sender.handle(.linkUp, at: pair.now))
        let jump = Batch.encode(Array(pair.ledger.entries[60..<70]))
        // A frame in the open session's name, as the edge would send it.
        try pair.edge([.send(.bulk, try pair.frame(.batch(jump.body)))])
        #expect(pair.holes.isEmpty != isMutant && (pair.nacks > 0) != isMutant)
    }

    /// Said in the middle of a session: the cloud hears it at once.
    @Test func aWordInASessionIsHeard() throws {
        var pair = try Pair(lost: 40...60, have: 20, says: nil)
        try pair.link()
        #expect(pair.stored.count == 39)
        let gap = Pair.truth(40...60)(pair.ledger)
        try pair.ledger.confess(gap)
        try pair.edge(pair.sender.handle(.committed([pair.ledger.entries[pair.ledger.entries.count - 1]]), at: pair.now))
        for _ in 0..<10 { try pair.pass(.milliseconds(500)) }
        #expect(pair.sender.isCaughtUp && pair.missing == Array(40...60))
    }

    /// What was announced before it was lost is no rollback when it lies in the hole.
    @Test func anAnnouncedEntryInTheHoleAccusesNobody() throws {
        var pair = try Pair(lost: 40...60, have: 30, announced: 50, says: Pair.truth(40...60))
        try pair.link()
        #expect(pair.refusals == [] && pair.sender.isCaughtUp)
    }

    /// Another history below the hole is still another history.
    @Test func aForkBelowTheHoleIsFound() throws {
        var pair = try Pair(lost: 40...60, have: 50, says: Pair.truth(40...60))
        var other = try Samples.Ledger(seed: 9)
        try other.grow(49)
        pair.stored = other.entries
        pair.receiver = Receiver(incarnation: "i", release: "r", sessionSeed: 100)
        _ = pair.receiver.handle(.enrolled(Samples.edge, EdgeMemory(have: other.head, announced: other.head, epoch: 1)), at: pair.now)
        try pair.link()
        #expect(pair.forks > 0 && pair.sender.phase != .open && pair.holes.isEmpty)
    }

    /// Two histories part below the hole or in it, and the cloud's goes on above it: nothing that is hidden is asked for, and the fork is found.
    @Test(arguments: [10, 38, 39, 40, 45, 59, 60, 70]) func aForkThatReachesOverTheHoleIsFound(after common: Int) throws {
        var pair = try Pair(lost: 40...60, have: 80, says: Pair.truth(40...60))
        var other = pair.ledger
        try other.cut(to: common)
        try other.restart()
        try other.grow(80 - other.entries.count)
        pair.stored = other.entries
        pair.receiver = Receiver(incarnation: "i", release: "r", sessionSeed: 100)
        _ = pair.receiver.handle(.enrolled(Samples.edge, EdgeMemory(have: other.head, announced: other.head, epoch: 1)), at: pair.now)
        try pair.link()
        #expect(pair.forks > 0 && pair.sender.phase != .open && pair.holes.isEmpty)
    }

    /// The comparison of stored bytes passes over the hole, and finds damage on both sides of it.
    @Test(arguments: [nil, 20, 39, 61, 90]) func aComparisonPassesOverTheHole(damage: Int?) throws {
        var pair = try Pair(lost: 40...60, have: 30, says: Pair.truth(40...60))
        try pair.link()
        if let damage {
            let place = try #require(pair.stored.firstIndex { Int($0.seq.raw) == damage })
            pair.stored[place].body[3] ^= 1
        }
        try pair.cloud(.audit(Samples.edge, by: "test", isHurried: true))
        for _ in 0..<10 { try pair.pass(.milliseconds(500)) }
        // Nothing here carries out a mending: what is damaged is found, and that is what is asked.
        #expect(damage == nil ? pair.reports.map(\.state) == [.agrees] : pair.reports.allSatisfy { $0.state != .agrees })
        #expect(damage != nil || pair.reports.first?.from == Seq(1))
    }

    /// The cloud has what the edge lost: its bytes are checked alone, and nobody calls the edge's loss damage each night.
    @Test func whatTheEdgeLostIsCheckedAlone() throws {
        var pair = try Pair(lost: 40...60, have: 80, says: Pair.truth(40...60))
        try pair.link()
        try pair.cloud(.audit(Samples.edge, by: "test", isHurried: true))
        try pair.pass(.milliseconds(250))
        #expect(pair.reports.map(\.state) == [.agrees] && pair.missing == [])
        pair.stored[49].body[3] ^= 1
        try pair.cloud(.audit(Samples.edge, by: "test", isHurried: true))
        #expect(pair.reports.last?.state == .differs && pair.reports.last?.findings.first?.entry.seq == Seq(50))
    }

    /// One word for each of two neighbouring holes is as good as one for both.
    @Test func severalWordsCoverOneHole() {
        let hash = [UInt8](repeating: 1, count: 32), other = [UInt8](repeating: 2, count: 32)
        let hole = LedgerHole(after: Head(seq: Seq(9), hash: other), last: Head(seq: Seq(30), hash: hash))
        let first = GapFact(from: Seq(5), to: Seq(20), hash: other), second = GapFact(from: Seq(21), to: Seq(30), hash: hash)
        #expect(hole.isTold(by: [second, first]) && !hole.isTold(by: [second]) && !hole.isTold(by: [first]) && !hole.isTold(by: []))
        #expect(!hole.isTold(by: [GapFact(from: Seq(5), to: Seq(40), hash: hash)]), "its end is another")
    }
}

extension Pair {
    /// A frame of the session that is open.
    func frame(_ message: Message) throws -> [UInt8] { message.frame(session: 101, number: 99).bytes }
}
