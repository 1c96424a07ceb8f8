// Anti-entropy: both machines over two stores that rot; the side whose bytes hash into the chain heals the other, and nothing else is ever written.
import Ledger
import Sync
import Testing
import Values

/// Both ends in memory, with stores that may have something else than what was written.
private struct Pair {
    let good: [Entry]
    var sender: Sender
    var receiver: Receiver
    /// What a disk has instead of the entry; a nil value means that nothing can be read there.
    var edgeRot: [Int: Entry?] = [:]
    var cloudRot: [Int: Entry?] = [:]
    /// A journal that refuses what is offered.
    var edgeTakes = true
    var now = ClockReading(wall: Instant(seconds: 1_795_000_200), monotonic: .seconds(50))
    var reports: [AuditReport] = []
    var frames: [FrameType: Int] = [:]
    /// HEAL frames that carried something else than what was written.
    var badGifts = 0
    var loses: (Message) -> Bool = { _ in false }
    private var actions: [Sender.Action] = []
    private let peer = Peer(edge: Samples.edge, connection: 1)

    /// What the edge sent and `loses` kept back.
    private(set) var keptBack: [[UInt8]] = []

    init(_ count: Int, rules: Rules = Rules(), gaps: [GapFact] = []) throws {
        var ledger = try Samples.Ledger(seed: 4)
        try ledger.grow(count - 1)
        good = ledger.entries
        sender = Walk.sender(ledger, rules)
        if !gaps.isEmpty {
            var identity = Identity(edge: Samples.edge, boot: ledger.boot, epoch: 1, release: "test")
            identity.gaps = gaps
            sender = Sender(identity, head: ledger.head, rules: rules)
        }
        receiver = Receiver(incarnation: "i", release: "r", sessionSeed: 100, rules: rules)
        _ = receiver.handle(.enrolled(Samples.edge, EdgeMemory(have: good[count - 1].head, announced: good[count - 1].head, epoch: 1)), at: now)
        try run(sender.handle(.linkUp, at: now))
    }

    private func stored(_ rot: [Int: Entry?], _ from: Seq, _ through: Seq) -> [Entry?] {
        (Int(from.raw)...Int(through.raw)).map { seq in if let rotten = rot[seq] { rotten } else { good[seq - 1] } }
    }

    mutating func pass(_ span: Span) throws {
        now.wall = now.wall + span; now.monotonic = now.monotonic + span
        try cloud(.tick)
        try run(sender.handle(.tick, at: now))
    }
    mutating func compare(hurried: Bool = true) throws { try cloud(.audit(Samples.edge, by: "test", isHurried: hurried)) }

    mutating func run(_ more: [Sender.Action]) throws {
        for action in more {
            switch action {
            case .send(_, let bytes):
                let message = try Message(Frame(bytes))
                frames[message.type, default: 0] += 1
                if case .heal(let body) = message, try isBad(body) { badGifts += 1 }
                if loses(message) { keptBack.append(bytes) } else { try cloud(.frame(bytes, from: peer)) }
            case .readHeads(let attempt, let seqs):
                try run(sender.handle(.heads(attempt: attempt, asked: seqs, seqs.map { good[Int($0.raw) - 1].head }), at: now))
            case .readStored(let from, let through): try run(sender.handle(.stored(from: from, stored(edgeRot, from, through)), at: now))
            case .mend(let entry):
                let after = entry.seq.raw < UInt64(good.count) ? stored(edgeRot, entry.seq.next, entry.seq.next)[0] : nil
                let isRight = Chain.refusal(of: entry, before: after, end: good[good.count - 1].head, edge: Samples.edge) == nil
                if edgeTakes, isRight { edgeRot[Int(entry.seq.raw)] = nil }
                try run(sender.handle(.mended(entry.seq), at: now))
            default: break
            }
        }
    }

    private func isBad(_ body: [UInt8]) throws -> Bool {
        var batch = try Batch(body)
        var verifier = ChainVerifier(edge: Samples.edge, after: batch.previous)
        do { try batch.verify(with: &verifier) } catch { return true }
        return batch.entries.contains { $0 != good[Int($0.seq.raw) - 1] }
    }

    /// What was kept back arrives after all.
    mutating func arriveLate() throws {
        let frames = keptBack
        keptBack = []
        for bytes in frames { try cloud(.frame(bytes, from: peer)) }
    }

    private mutating func cloud(_ input: Receiver.Input) throws {
        for action in receiver.handle(input, at: now) {
            switch action {
            case .send(let bytes, _):
                let message = try Message(Frame(bytes))
                frames[message.type, default: 0] += 1
                if case .heal(let body) = message, try isBad(body) { badGifts += 1 }
                if !loses(message) { try run(sender.handle(.frame(bytes), at: now)) }
            case .readStored(let edge, let from, let through): try cloud(.stored(edge, from: from, stored(cloudRot, from, through)))
            case .mend(let edge, let entry):
                #expect(entry == good[Int(entry.seq.raw) - 1], "something else than what was written was to be put in its place")
                cloudRot[Int(entry.seq.raw)] = nil
                try cloud(.mended(edge, entry.seq, isDone: true))
            case .audited(_, let report): if report.state != .running { reports.append(report) }
            case .lookUp(let edge, let seqs): try cloud(.lookedUp(edge, seqs, seqs.map { good[Int($0.raw) - 1].head }))
            default: break
            }
        }
    }

    /// An entry as damage leaves it.
    func rotten(_ seq: Int, _ way: Int) -> Entry? {
        var entry = good[seq - 1]
        switch way % 5 {
        case 0: entry.body[entry.body.count / 2] ^= 1
        case 1: entry.hash[5] ^= 1
        case 2: entry.previous[5] ^= 1
        case 3: return nil
        // A forger's: it hashes to itself, and nobody names it.
        default:
            entry.body[entry.body.count / 2] ^= 1
            entry.hash = Chain.hash(entry, edge: Samples.edge)
        }
        return entry
    }
}

@Suite struct AuditTests {
    @Test func equalStoresAgree() throws {
        var pair = try Pair(2_500)
        try pair.compare()
        let report = try #require(pair.reports.first)
        #expect(pair.reports.count == 1 && report.state == .agrees && report.ranges == 3 && report.from == Seq(1) && report.entries == 2_500)
        #expect(pair.frames[.range] == 3 && pair.frames[.heal] == nil && report.digest.count == 32)
        #expect(report.head == pair.good[2_499].head && report.findings.isEmpty && report.endedAt != nil)
    }

    /// Ranges that the edge lost are read one a turn: a million entries read inside each other would leave nobody else an answer.
    @Test func whatTheEdgeLostIsReadOneRangeATurn() throws {
        let hash = try Pair(3_000).good[2_047].hash
        var pair = try Pair(3_000, gaps: [GapFact(from: Seq(1), to: Seq(2_048), hash: hash)])
        for number in 1...2_048 { pair.edgeRot.updateValue(nil, forKey: number) }
        try pair.compare()
        #expect(pair.reports.isEmpty && pair.receiver.isAuditing(Samples.edge))
        try pair.pass(.milliseconds(250))
        #expect(pair.reports.map(\.state) == [.agrees] && pair.reports.first?.ranges == 3)
    }

    /// The search's question was asked twice: its second answer tells of the bytes before they were put right.
    @Test func aLateAnswerIsNoVerdict() throws {
        var pair = try Pair(1)
        pair.edgeRot[1] = .some(pair.rotten(1, 0))
        pair.loses = { if case .rangeHash(let answer) = $0 { answer.question.step == 1 } else { false } }
        try pair.compare()
        #expect(pair.keptBack.count == 1)
        let first = pair.keptBack
        pair.loses = { if case .heal = $0 { true } else { false } }
        try pair.pass(.seconds(11))
        #expect(pair.keptBack == first && pair.reports.isEmpty, "the second answer came, and the right bytes are on their way")
        try pair.arriveLate()
        #expect(pair.reports.isEmpty)
        pair.loses = { _ in false }
        try pair.pass(.seconds(11))
        #expect(pair.reports.map(\.state) == [.healed] && pair.edgeRot.isEmpty)
    }

    /// Who asks wants to know of what is stored now: a comparison under way may have read it before the damage was done.
    @Test func askedAgainItBeginsAnew() throws {
        var pair = try Pair(2_500)
        pair.loses = { if case .rangeHash = $0 { true } else { false } }
        try pair.compare(hurried: false)
        pair.cloudRot[2_400] = .some(pair.rotten(2_400, 0))
        pair.loses = { _ in false }
        try pair.compare(hurried: false)
        #expect(pair.receiver.isAuditing(Samples.edge) && pair.reports.isEmpty, "the night's waits its turn")
        try pair.compare()
        #expect(pair.reports.map(\.state) == [.healed] && pair.cloudRot.isEmpty)
    }

    /// One entry, any damage, any place, either end.
    @Test(arguments: 0..<5, [1, 2, 1_024, 1_025, 1_800, 2_499, 2_500]) func theDamagedSideIsHealed(way: Int, seq: Int) throws {
        for isCloud in [false, true] {
            var pair = try Pair(2_500)
            if isCloud { pair.cloudRot[seq] = .some(pair.rotten(seq, way)) } else { pair.edgeRot[seq] = .some(pair.rotten(seq, way)) }
            try pair.compare()
            let report = try #require(pair.reports.first)
            #expect(report.state == .healed && report.healed == 1 && pair.edgeRot.isEmpty && pair.cloudRot.isEmpty, "\(report)")
            #expect(report.findings.map(\.entry) == [pair.good[seq - 1].head] && report.findings.map(\.wrong) == [isCloud ? .cloud : .edge])
            #expect(report.from == Seq(1) && pair.badGifts == 0)
        }
    }

    /// Both damaged in different places: each heals the other.
    @Test(arguments: 1...12) func manyPlacesAtBothEnds(seed: UInt64) throws {
        var pair = try Pair(1_500)
        var random = SeededRandom(seed: seed)
        for _ in 0..<random.int(1...12) {
            let (seq, way) = (random.int(1...1_500), random.int(0...4))
            if random.chance(1, in: 2) {
                if pair.cloudRot[seq] == nil { pair.edgeRot[seq] = .some(pair.rotten(seq, way)) }
            } else if pair.edgeRot[seq] == nil {
                pair.cloudRot[seq] = .some(pair.rotten(seq, way))
            }
        }
        let count = pair.edgeRot.count + pair.cloudRot.count
        try pair.compare()
        #expect(pair.reports.map(\.state) == [.healed] && pair.reports.first?.healed == count)
        #expect(pair.edgeRot.isEmpty && pair.cloudRot.isEmpty && pair.badGifts == 0)
    }

    /// The same entry damaged at both ends, alike or not: told, and nothing is touched.
    @Test(arguments: [true, false]) func whenNeitherIsRightNothingIsTouched(isAlike: Bool) throws {
        var pair = try Pair(1_500)
        pair.cloudRot[700] = .some(pair.rotten(700, 0))
        pair.edgeRot[700] = .some(pair.rotten(700, isAlike ? 0 : 1))
        let before = (pair.cloudRot, pair.edgeRot)
        try pair.compare()
        let report = try #require(pair.reports.first)
        #expect(report.state == .differs && report.findings.map(\.wrong) == [.both] && report.findings.map(\.entry.seq) == [Seq(700)])
        #expect(pair.cloudRot == before.0 && pair.edgeRot == before.1 && pair.badGifts == 0, "a damaged entry was sent as good")
        #expect(report.from == Seq(1_025), "what was compared is said")
    }

    /// A forger at the edge with a whole chain of his own cannot change the cloud: the hashes above are known.
    @Test func aForgedTailIsNotTaken() throws {
        var pair = try Pair(300)
        pair.cloudRot[200] = .some(pair.rotten(200, 0))
        pair.edgeRot[200] = .some(pair.rotten(200, 4))
        try pair.compare()
        #expect(pair.reports.map(\.state) == [.differs] && pair.cloudRot[200] != nil)
    }

    @Test func anEdgeThatTakesNothingIsTold() throws {
        var pair = try Pair(300)
        pair.edgeTakes = false
        pair.edgeRot[200] = .some(pair.rotten(200, 0))
        try pair.compare()
        let report = try #require(pair.reports.first)
        #expect(report.state == .differs && report.findings.map(\.wrong) == [.edge] && report.findings.map(\.isHealed) == [false])
    }

    /// An entry stays wrong at the edge: what is damaged below it is put right at both ends as ever, and what stays is named.
    @Test(arguments: [1_024, 700, 1]) func whatStaysWrongAtTheEdgeEndsNothing(seq: Int) throws {
        var pair = try Pair(2_500)
        pair.edgeRot[2_200] = .some(pair.rotten(2_200, 0))
        pair.edgeRot[seq] = .some(pair.rotten(seq, 1))
        pair.cloudRot[2_100] = .some(pair.rotten(2_100, 0))
        pair.cloudRot[300] = .some(pair.rotten(300, 3))
        pair.edgeTakes = false
        try pair.compare()
        let report = try #require(pair.reports.first)
        #expect(pair.reports.count == 1 && report.state == .differs && report.isThrough && report.from == Seq(1))
        #expect(pair.cloudRot.isEmpty && report.healed == 2 && report.staysAtEdge == 2 && report.unsearched == 0 && pair.badGifts == 0)
        #expect(
            report.words.hasPrefix("entry 2200 is damaged: the edge did not put") && report.words.hasSuffix(", and 1 more there"), "\(report.words)")
    }

    /// A whole file of the edge's is gone: a few of its entries are looked for, and the rest of this end is read and put right all the same.
    @Test func ofManyOnlyAFewAreLookedFor() throws {
        var pair = try Pair(5_000)
        for seq in 1_500...4_500 { pair.edgeRot.updateValue(nil, forKey: seq) }
        pair.cloudRot[700] = .some(pair.rotten(700, 0))
        pair.edgeTakes = false
        try pair.compare()
        let report = try #require(pair.reports.first)
        #expect(report.state == .differs && report.isThrough && pair.cloudRot.isEmpty && report.staysAtEdge == 8 && report.unsearched == 4)
        #expect((pair.frames[.heal] ?? 0) < 16, "\(pair.frames)")
    }

    /// At night one range, then a pause: neither end is busy for long.
    /// A disk on which many entries rotted: each is put right and counted, and the report lists the first of them.
    @Test func aReportListsSoManyFindings() throws {
        var pair = try Pair(5_000)
        for seq in stride(from: 50, to: 5_000, by: 60) { pair.cloudRot[seq] = pair.rotten(seq, 0) }
        let places = pair.cloudRot.count
        try pair.compare(hurried: false)
        for _ in 0..<40 where pair.reports.isEmpty { try pair.pass(.seconds(1)) }
        let report = try #require(pair.reports.last)
        #expect(report.state == .healed && report.healed == places && places > 64 && pair.cloudRot.isEmpty, "\(report.state) \(report.words)")
        #expect(report.findings.count == 64 && AuditReport.findingsMax == 64)
    }

    @Test func nobodyHurriesAtNight() throws {
        var pair = try Pair(2_500)
        try pair.compare(hurried: false)
        #expect(pair.frames[.range] == 1 && pair.reports.isEmpty)
        try pair.pass(.milliseconds(200))
        #expect(pair.frames[.range] == 1)
        try pair.pass(.milliseconds(50))
        #expect(pair.frames[.range] == 2)
        try pair.pass(.milliseconds(250))
        #expect(pair.reports.map(\.state) == [.agrees])
    }

    @Test func aLostQuestionIsAskedAgainAndGivenUpAtLast() throws {
        var pair = try Pair(10)
        var lost = 0
        pair.loses = { message in if case .range = message, lost < 2 { lost += 1; return true } else { return false } }
        try pair.compare()
        #expect(pair.reports.isEmpty)
        for _ in 0..<10 { try pair.pass(.seconds(2)) }
        #expect(pair.reports.map(\.state) == [.agrees] && lost == 2)
        pair.loses = { if case .range = $0 { true } else { false } }
        try pair.compare()
        for _ in 0..<16 { try pair.pass(.seconds(2)) }
        #expect(pair.reports.map(\.state) == [.agrees, .interrupted] && pair.reports.allSatisfy { !$0.isCutOff })
    }

    @Test func aLinkThatClosesEndsTheComparison() throws {
        var pair = try Pair(10)
        pair.loses = { if case .range = $0 { true } else { false } }
        try pair.compare()
        let actions = pair.receiver.handle(.gone(Peer(edge: Samples.edge, connection: 1)), at: pair.now)
        #expect(actions.contains { if case .audited(_, let report) = $0 { report.state == .interrupted && report.isCutOff } else { false } })
        #expect(!pair.receiver.isAuditing(Samples.edge))
    }

    /// Edges of older releases are not asked.
    @Test func onlyAnEdgeThatCanIsAsked() throws {
        var tower = try Tower(10, have: 10)
        try tower.open()
        #expect(!tower.receiver.mayAudit(Samples.edge))
        #expect(tower.say(.audit(Samples.edge, by: "test", isHurried: true)).isEmpty)
    }

    @Test func impossibleQuestionsAreMalformed() throws {
        for (from, through, step) in [(0, 5, 1), (5, 4, 1), (1, 1_025, 1_024), (1, 65, 1), (1, 5, 0)] {
            let body = #"{"audit":1,"from":\#(from),"step":\#(step),"through":\#(through)}"#
            #expect(throws: FrameError.self) { try Message(Frame(type: .range, session: 1, number: 1, body: Array(body.utf8))) }
        }
        let short = #"{"audit":1,"from":1,"hashes":["\#(String(repeating: "ab", count: 32))"],"step":1,"through":2}"#
        #expect(throws: FrameError.self) { try Message(Frame(type: .rangeHash, session: 1, number: 1, body: Array(short.utf8))) }
    }
}
