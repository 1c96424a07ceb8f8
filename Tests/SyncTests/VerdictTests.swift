// The verdict table: every generated pair of histories gets the verdict that a plain comparison of the two lists gives.
import Ledger
import Sync
import Testing
import Values

struct VerdictTests {
    static func hello(_ entries: [Entry], acked: Head = .start, oldest: UInt64 = 1, minimum: Int64 = 1, maximum: Int64 = 1) -> Hello {
        Hello(
            edge: Samples.edge, protocolMin: minimum, protocolMax: maximum, release: "test", boot: Boot(raw: 1), attempt: 1, epoch: 1,
            head: entries.last?.head ?? .start, acked: acked, oldest: Seq(oldest), stamp: Stamp(sentAt: .zero, wall: Instant(seconds: 0)),
            isClockSound: true,
            commandKinds: CommandBody.kinds)
    }

    /// What a whole judgement came to.
    struct Outcome {
        var verdict: RefusalCase?
        var dispute: Dispute?
        /// Hashes asked of the edge, and the rounds they came in.
        var asked = 0
        var rounds = 0
    }

    /// Judges as the receiver does, answering every question from the two histories.
    static func judge(_ hello: Hello, _ memory: EdgeMemory, edge: [Entry], cloud: [Entry], rules: Rules = Rules()) -> Outcome {
        var evidence = Evidence()
        var outcome = Outcome()
        for _ in 0..<200 {
            switch Verdict.judge(hello, memory, evidence, rules) {
            case .goOn: return outcome
            case .behind:
                outcome.verdict = .edgeBehind
                return outcome
            case .refused(let refusal):
                #expect(!refusal.text.isEmpty && refusal.cure == refusal.verdict.cure && refusal.edge == Samples.edge)
                outcome.verdict = refusal.verdict
                return outcome
            case .disputed(let dispute), .settled(_, let dispute):
                #expect(!dispute.text.isEmpty && !dispute.choices.isEmpty)
                (outcome.verdict, outcome.dispute) = (dispute.verdict, dispute)
                return outcome
            case .adopt: return outcome
            case .prove(let seqs):
                #expect(seqs.count <= Bisection.roundMax && !seqs.isEmpty)
                outcome.asked += seqs.count
                outcome.rounds += 1
                evidence.shown(seqs.filter { $0 >= hello.oldest && $0.raw <= UInt64(edge.count) }.map { edge[Int($0.raw) - 1].head }, of: seqs)
            case .lookUp(let seqs):
                evidence.stored(
                    seqs.filter { $0.raw <= UInt64(cloud.count) }.map { $0 == Seq(0) ? .start : cloud[Int($0.raw) - 1].head }, of: seqs)
            }
        }
        Issue.record("the questions did not end")
        return outcome
    }

    static func verdict(_ hello: Hello, _ memory: EdgeMemory, edge: [Entry], cloud: [Entry]) -> RefusalCase? {
        judge(hello, memory, edge: edge, cloud: cloud).verdict
    }

    /// Two histories with a common beginning, and every length of what the cloud holds and what was announced and acknowledged.
    @Test func everyPairOfHistories() throws {
        let common = try Samples.Ledger(seed: 1)
        var seen: [RefusalCase?: Int] = [:]
        for shared in [1, 3] {
            var ours = common
            try ours.grow(shared - 1)
            var theirs = ours
            try ours.grow(4); try theirs.restart(); try theirs.grow(4)
            for edge in [ours.entries, theirs.entries] {
                for edgeCount in 0...edge.count {
                    for have in 0...ours.entries.count {
                        for announced in have...ours.entries.count {
                            for acked in [0, have / 2, have, have + 1] where acked <= edgeCount {
                                let edgeNow = Array(edge.prefix(edgeCount)), cloud = Array(ours.entries.prefix(have))
                                let memory = EdgeMemory(have: head(cloud), announced: head(Array(ours.entries.prefix(announced))))
                                let found = Self.verdict(
                                    Self.hello(edgeNow, acked: head(Array(edge.prefix(acked)))), memory, edge: edgeNow, cloud: cloud)
                                #expect(found == expected(edgeNow, cloud, Array(ours.entries.prefix(announced))))
                                seen[found, default: 0] += 1
                            }
                        }
                    }
                }
            }
        }
        for verdict in [nil, RefusalCase.edgeBehind, .rollbackUnsynced, .fork] { #expect(seen[verdict, default: 0] > 10) }
    }

    /// The table of LEDGER-AND-SYNC 3.4 by comparing whole lists.
    private func expected(_ edge: [Entry], _ cloud: [Entry], _ announced: [Entry]) -> RefusalCase? {
        let together = min(edge.count, cloud.count)
        if !edge.prefix(together).elementsEqual(cloud.prefix(together)) { return .fork }
        if edge.count < cloud.count { return .edgeBehind }
        if edge.count < announced.count { return .rollbackUnsynced }
        return edge.prefix(announced.count).elementsEqual(announced) ? nil : .fork
    }

    private func head(_ entries: [Entry]) -> Head { entries.last?.head ?? .start }

    @Test func versionsMustOverlap() throws {
        let entries = try Samples.Ledger(seed: 1).entries
        #expect(Self.verdict(Self.hello(entries, minimum: 2, maximum: 3), EdgeMemory(), edge: entries, cloud: []) == .version)
        #expect(Self.verdict(Self.hello(entries, minimum: 0, maximum: 0), EdgeMemory(), edge: entries, cloud: []) == .version)
        #expect(Self.verdict(Self.hello(entries, minimum: 0, maximum: 9), EdgeMemory(), edge: entries, cloud: []) == nil)
    }

    /// What an edge wrote while its key was revoked does not count before a person says so; a mutant takes it.
    @Test func whatWasWrittenWhileRevokedIsQuarantined() throws {
        var ledger = try Samples.Ledger(seed: 1)
        try ledger.grow(9)
        let entries = ledger.entries, cloud = Array(ledger.entries.prefix(6))
        var memory = EdgeMemory(have: head(cloud), announced: head(cloud), epoch: 1)
        memory.isQuarantined = true
        func judge(_ hello: Hello, rules: Rules = Rules()) -> Outcome { Self.judge(hello, memory, edge: entries, cloud: cloud, rules: rules) }
        #expect(Self.judge(Self.hello(cloud), memory, edge: cloud, cloud: cloud).verdict == nil, "it wrote nothing")
        let outcome = judge(Self.hello(entries))
        let dispute = try #require(outcome.dispute)
        #expect(outcome.verdict == .quarantined && dispute.common == head(cloud) && dispute.choices == [.cloud, .edge])
        var mutant = Rules()
        mutant.noQuarantine = true
        #expect(judge(Self.hello(entries), rules: mutant).verdict == nil)
        for kept in KeptBranch.allCases {
            memory.settlement = Settlement(
                edge: Samples.edge, kept: kept, epoch: 2, dispute: dispute, decidedBy: "cloud:admin", decidedAt: Instant(seconds: 1))
            #expect(judge(Self.hello(entries)).verdict == .quarantined, "the edge has to be told")
            var carriedOut = Self.hello(entries)
            carriedOut.epoch = 2
            #expect(judge(carriedOut).verdict == (kept == .edge ? nil : .quarantined), "what was set aside must be gone, whatever epoch is said")
        }
        // Set aside: a branch of its own, as short or as long as it may be.
        var fresh = try Samples.Ledger(seed: 1)
        try fresh.grow(5); try fresh.restart(); try fresh.grow(1)
        for _ in 0..<2 {
            var carriedOut = Self.hello(fresh.entries)
            carriedOut.epoch = 2
            #expect(Self.judge(carriedOut, memory, edge: fresh.entries, cloud: cloud).verdict == nil)
            try fresh.grow(9)
        }
    }

    /// A decision about something else lets in nothing that was written while the key was revoked, and no other question comes first.
    @Test func noOtherDecisionEndsTheQuarantine() throws {
        var ledger = try Samples.Ledger(seed: 1)
        try ledger.grow(9)
        let entries = ledger.entries, cloud = Array(ledger.entries.prefix(6))
        try ledger.grow(9)
        var memory = EdgeMemory(have: head(cloud), announced: head(cloud), epoch: 1)
        memory.isQuarantined = true
        var hello = Self.hello(entries)
        hello.epoch = 2
        func settle(_ verdict: RefusalCase, _ kept: KeptBranch, _ dispute: Dispute? = nil) {
            let about =
                dispute
                ?? Dispute(
                    verdict: verdict, common: entries[3].head, edgeHead: entries[4].head, edgeEpoch: 1, cloudHead: ledger.head,
                    isCloudBranchKept: verdict == .fork)
            memory.settlement = Settlement(
                edge: Samples.edge, kept: kept, epoch: 2, dispute: about, decidedBy: "cloud:admin", decidedAt: Instant(seconds: 1))
        }
        for (verdict, kept) in [(RefusalCase.fork, KeptBranch.edge), (.fork, .cloud), (.rollbackUnsynced, .edge)] {
            settle(verdict, kept)
            #expect(Self.judge(hello, memory, edge: entries, cloud: cloud).verdict == .quarantined, "\(verdict), \(kept)")
        }
        // It had announced more than it has now: both choices stay open.
        memory.settlement = nil
        memory.announced = ledger.head
        let outcome = Self.judge(Self.hello(entries), memory, edge: entries, cloud: cloud)
        #expect(outcome.verdict == .quarantined && outcome.dispute?.choices == [.cloud, .edge])
        settle(.quarantined, .edge, outcome.dispute)
        #expect(Self.judge(hello, memory, edge: entries, cloud: cloud).verdict == nil, "decided, it is in with what it has")
    }

    @Test func whatIsCompactedIsNotAskedFor() throws {
        var ledger = try Samples.Ledger(seed: 1)
        try ledger.grow(9)
        let entries = ledger.entries
        func verdict(have: Int, oldest: UInt64) -> RefusalCase? {
            let cloud = Array(entries.prefix(have))
            return Self.verdict(
                Self.hello(entries, oldest: oldest), EdgeMemory(have: head(cloud), announced: head(cloud)), edge: entries, cloud: cloud)
        }
        #expect(verdict(have: 5, oldest: 5) == nil)
        #expect(verdict(have: 5, oldest: 6) == nil)
        #expect(verdict(have: 5, oldest: 7) == .cloudRestored)
    }

    @Test func aHashAskedForAndNotShownIsAFork() throws {
        var ledger = try Samples.Ledger(seed: 1)
        try ledger.grow(9)
        let have = ledger.entries[4].head
        let memory = EdgeMemory(have: have, announced: have)
        #expect(Verdict.judge(Self.hello(ledger.entries), memory) == .prove([Seq(5)]))
        // The edge has ten entries and shows none of those asked for.
        let outcome = Self.judge(Self.hello(ledger.entries), memory, edge: [], cloud: Array(ledger.entries.prefix(5)))
        #expect(outcome.verdict == .fork && outcome.dispute?.common == .start)
    }

    /// The last common entry is found exactly, and never with more than 64 hashes.
    @Test func theForkIsFoundExactlyIn64Hashes() throws {
        var random = SeededRandom(seed: 20)
        var rounds = 0
        for _ in 0..<200 {
            let shared = random.int(0...300)
            var ours = try Samples.Ledger(seed: random.next())
            try ours.grow(max(0, shared - 1))
            var theirs = ours
            if shared == 0 { theirs = try Samples.Ledger(seed: random.next()) } else { try theirs.restart() }
            try theirs.grow(random.int(0...200))
            try ours.grow(random.int(1...200))
            for (edge, cloud) in [(ours.entries, theirs.entries), (theirs.entries, ours.entries)] {
                let memory = EdgeMemory(have: head(cloud), announced: head(cloud))
                let outcome = Self.judge(Self.hello(edge), memory, edge: edge, cloud: cloud)
                let expected = zip(edge, cloud).prefix { $0 == $1 }.count
                #expect(outcome.verdict == .fork && outcome.asked <= Bisection.hashesMax)
                #expect(outcome.dispute?.common == head(Array(edge.prefix(expected))), "fork after \(expected)")
                #expect(outcome.dispute?.edgeHead == head(edge) && outcome.dispute?.cloudHead == head(cloud))
                rounds = max(rounds, outcome.rounds)
            }
        }
        #expect(rounds <= 6, "\(rounds) round trips for 500 entries")
    }

    /// Forks at random places of histories of any length: 2^63 entries need 63 halvings, a million six rounds.
    @Test func anyLengthOfHistoryFitsTheBudget() {
        var random = SeededRandom(seed: 21)
        for _ in 0..<20_000 {
            let top = UInt64.random(in: 1...(1 << UInt64(random.int(1...62))), using: &random)
            let last = UInt64.random(in: 0..<top, using: &random)
            var search = Bisection(same: Seq(0), different: Seq(top), asked: 1)
            var rounds = 0
            while !search.isDone {
                let questions = search.questions
                #expect(!questions.isEmpty && questions.count <= Bisection.roundMax && zip(questions, questions.dropFirst()).allSatisfy { $0 < $1 })
                #expect(questions.allSatisfy { $0 > search.low && $0 < search.high })
                search.take { $0.raw <= last }
                rounds += 1
            }
            #expect(search.low == Seq(last) && search.asked <= Bisection.hashesMax)
            if top <= 1_000_000 { #expect(rounds <= 6) }
        }
    }

    /// Without the check a forked edge is let in; without the other one a rolled-back edge is.
    @Test func theChecksAreNeeded() throws {
        var ours = try Samples.Ledger(seed: 1)
        try ours.grow(5)
        var theirs = ours
        try theirs.restart(); try theirs.grow(9); try ours.grow(3)
        var rules = Rules()
        rules.skipForkCheck = true
        let forked = EdgeMemory(have: ours.head, announced: ours.head)
        #expect(Self.judge(Self.hello(theirs.entries), forked, edge: theirs.entries, cloud: ours.entries).verdict == .fork)
        #expect(Self.judge(Self.hello(theirs.entries), forked, edge: theirs.entries, cloud: ours.entries, rules: rules).verdict == nil)
        rules = Rules()
        rules.noRollbackCheck = true
        let cloud = Array(ours.entries.prefix(4)), edge = Array(ours.entries.prefix(6))
        let unsynced = EdgeMemory(have: head(cloud), announced: ours.head)
        let lost = Self.judge(Self.hello(edge), unsynced, edge: edge, cloud: cloud)
        #expect(lost.verdict == .rollbackUnsynced && lost.dispute?.common == head(edge) && lost.dispute?.choices == [.edge])
        #expect(lost.dispute?.text.contains("entries 7 to 9 are gone") == true)
        #expect(Self.judge(Self.hello(edge), unsynced, edge: edge, cloud: cloud, rules: rules).verdict == nil)
    }

    /// A decision for the cloud's history forgave what was announced before it. What the edge tells of since, and loses, is missed, also while the
    /// decision stands.
    @Test(arguments: [false, true]) func aDecisionForgivesOnce(isMutant: Bool) throws {
        var ours = try Samples.Ledger(seed: 1)
        try ours.grow(12)
        let cloud = Array(ours.entries.prefix(8)), edge = Array(ours.entries.prefix(10))
        let sealed = Dispute(
            verdict: .fork, common: ours.entries[3].head, edgeHead: Head(seq: Seq(6), hash: [UInt8](repeating: 7, count: 32)), edgeEpoch: 1,
            cloudHead: head(cloud), isCloudBranchKept: true)
        var memory = EdgeMemory(have: head(cloud), announced: ours.head)
        memory.settlement = Settlement(
            edge: Samples.edge, kept: .cloud, epoch: 2, dispute: sealed, decidedBy: "cloud:admin", decidedAt: Instant(seconds: 1))
        var rules = Rules()
        rules.forgivesForEver = isMutant
        #expect(Self.judge(Self.hello(edge), memory, edge: edge, cloud: cloud, rules: rules).verdict == (isMutant ? nil : .rollbackUnsynced))
    }

    /// A ledger of an ended lineage is refused by name, whatever else it is.
    @Test func anEndedLineageIsFenced() throws {
        var ours = try Samples.Ledger(seed: 1)
        try ours.grow(5)
        var clone = ours
        try clone.restart(); try ours.grow(3)
        let memory = EdgeMemory(have: ours.head, announced: ours.head, epoch: 2)
        #expect(Self.judge(Self.hello(clone.entries), memory, edge: clone.entries, cloud: ours.entries).verdict == .fenced)
        let beginning = Array(ours.entries.prefix(3))
        #expect(Self.judge(Self.hello(beginning), memory, edge: beginning, cloud: ours.entries).verdict == .edgeBehind, "a beginning is healed")
        var rules = Rules()
        rules.noEpochFence = true
        #expect(Self.judge(Self.hello(clone.entries), memory, edge: clone.entries, cloud: ours.entries, rules: rules).verdict == .fork)
    }

    /// The cloud's branch is sealed and the chosen one has not come yet: the sealed one does not slip back in.
    @Test func aSealedBranchIsFencedBeforeTheChosenOneHasCome() throws {
        var sealed = try Samples.Ledger(seed: 1)
        try sealed.grow(5)
        var chosen = sealed
        let common = sealed.head
        try chosen.restart(); try sealed.grow(4); try chosen.grow(3)
        let dispute = Dispute(
            verdict: .fork, common: common, edgeHead: chosen.head, edgeEpoch: 1, cloudHead: sealed.head, isCloudBranchKept: true)
        let settlement = Settlement(
            edge: Samples.edge, kept: .edge, epoch: 2, dispute: dispute, decidedBy: "cloud:admin", decidedAt: Instant(seconds: 1_795_000_000))
        let memory = EdgeMemory(have: common, announced: sealed.head, epoch: 1, settlement: settlement)
        let left = Array(sealed.entries.prefix(Int(common.seq.raw)))
        #expect(Self.judge(Self.hello(sealed.entries), memory, edge: sealed.entries, cloud: left).verdict == .fenced)
        #expect(Self.judge(Self.hello(left), memory, edge: left, cloud: left).verdict != .fenced, "a beginning holds nothing that was sealed")
        var rules = Rules()
        rules.noEpochFence = true
        #expect(Self.judge(Self.hello(sealed.entries), memory, edge: sealed.entries, cloud: left, rules: rules).verdict != .fenced)
    }

    /// The cloud has less than it acknowledged: told aloud unless its store says that it was restored.
    @Test func aRestoredCloudIsToldUnlessItSaysSo() throws {
        var ledger = try Samples.Ledger(seed: 1)
        try ledger.grow(9)
        var hello = Self.hello(ledger.entries, acked: ledger.entries[7].head)
        let memory = EdgeMemory(have: ledger.entries[4].head, announced: ledger.entries[4].head)
        #expect(
            Self.judge(hello, memory, edge: ledger.entries, cloud: Array(ledger.entries.prefix(5))).verdict == nil, "the session opens either way")
        hello.incarnation = "a"
        #expect(Verdict.alarm(hello, memory, incarnation: "a")?.verdict == .cloudRestored)
        #expect(Verdict.alarm(hello, memory, incarnation: "b") == nil)
        hello.formerStores = ["b", "c"]
        #expect(Verdict.alarm(hello, memory, incarnation: "b")?.text.contains("an image from before it was renamed") == true)
        #expect(Verdict.alarm(hello, memory, incarnation: "d") == nil)
        hello.formerStores = []
        hello.acked = ledger.entries[4].head
        #expect(Verdict.alarm(hello, memory, incarnation: "a") == nil)
        hello.acked = ledger.head
        var rules = Rules()
        rules.silentRestore = true
        #expect(Verdict.alarm(hello, memory, incarnation: "a", rules) == nil, "the mutant says nothing")
    }
}
