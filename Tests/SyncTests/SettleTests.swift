// Forks and lost ends: both histories are kept, nothing is merged, and a person's decision is carried out, in a storm too.
import Ledger
import Sync
import Testing
import Values

struct SettleTests {
    /// A walk at rest, with `count` entries or more on both sides.
    static func rested(_ seed: UInt64, rules: Rules = WalkTests.tight) throws -> Walk {
        var walk = try Walk(seed: seed, rules: rules, weather: .storm)
        for _ in 0..<60 {
            try walk.grow(walk.random.int(1...9))
            try walk.step()
        }
        try walk.calmDown()
        return walk
    }

    /// Steps in a storm without restarts of the edge until `isDone`.
    static func run(_ walk: inout Walk, until isDone: (Walk) -> Bool) throws {
        walk.weather = .storm
        walk.weather.edgeCrashes = 0
        for _ in 0..<20_000 {
            if isDone(walk) { return }
            // A halted edge writes seldom; what it writes has to be shown before its branch can be sealed.
            if walk.random.chance(1, in: 300) { try walk.grow(1) }
            try walk.step()
        }
        throw Broken(description: "it never came to that: \(walk.sender.phase), \(walk.refusals.last?.text ?? "no refusal")")
    }

    /// A fork: the edge was set back, did not reach the cloud, and wrote. Nothing is taken from it until a person decides; then one history goes on
    /// and the other one lies sealed, byte for byte.
    static func fork(_ seed: UInt64, _ kept: KeptBranch, rules: Rules = WalkTests.tight) throws {
        var walk = try rested(seed, rules: rules)
        walk.allowed = [.fork]
        let cloudBefore = walk.stored
        let common = walk.random.int(1...walk.stored.count - 1)
        try walk.fork(at: common, growing: walk.random.int(0...30))
        try run(&walk) { $0.dispute != nil }
        guard let dispute = walk.dispute, dispute.verdict == .fork, dispute.common == cloudBefore[common - 1].head else {
            throw Broken(description: "found \(String(describing: walk.dispute)), forked after \(common)")
        }
        guard walk.stored == cloudBefore else { throw Broken(description: "the cloud's ledger changed before anybody decided") }
        guard walk.branch == Array(walk.ledger.entries[common..<Int(dispute.edgeHead.seq.raw)]) else {
            throw Broken(description: "the edge's branch is not kept beside the cloud's ledger")
        }
        try walk.decide(kept)
        try run(&walk) { $0.settled != nil }
        try walk.calmDown()
        let tail = Array(cloudBefore[common...])
        switch kept {
        case .edge:
            guard walk.sealedByCloud == tail else { throw Broken(description: "the cloud's branch is not sealed") }
        case .cloud:
            guard Array(walk.stored.prefix(cloudBefore.count)) == cloudBefore else { throw Broken(description: "the cloud's history was not kept") }
            guard walk.branch == walk.sealedByEdge else { throw Broken(description: "the two copies of the sealed branch differ") }
        }
        let epochs = walk.stored.map(\.epoch)
        guard let first = epochs.firstIndex(of: 2), case .lineage(let fact)? = try? walk.stored[first].decoded() else {
            throw Broken(description: "no lineage entry begins epoch 2")
        }
        guard fact.oldEpoch == 1, fact.ours == walk.stored[first - 1].head, fact.decidedBy == "cloud:admin", fact.reason == "fork" else {
            throw Broken(description: "\(fact)")
        }
        guard epochs[first...].allSatisfy({ $0 == 2 }) else { throw Broken(description: "epochs \(epochs[first...])") }
    }

    @Test(arguments: 1...10) func aForkSettledForTheEdge(seed: UInt64) throws { try Self.fork(seed, .edge) }
    @Test(arguments: 11...20) func aForkSettledForTheCloud(seed: UInt64) throws { try Self.fork(seed, .cloud) }

    /// Announced entries are gone: nothing is taken until a person writes them off; the edge goes on writing meanwhile, past the lost numbers too.
    static func rollback(_ seed: UInt64, rules: Rules = WalkTests.tight) throws {
        var walk = try rested(seed, rules: rules)
        walk.allowed = [.rollbackUnsynced, .fork]
        let stored = walk.stored.count
        let lost = walk.random.int(2...20)
        try walk.announceAndLose(lost, keeping: walk.random.int(0...lost - 1))
        let end = walk.ledger.entries.count
        try run(&walk) { $0.dispute != nil }
        guard let dispute = walk.dispute, dispute.choices == [.edge] else { throw Broken(description: "\(String(describing: walk.dispute))") }
        guard walk.stored.count == stored else { throw Broken(description: "entries were taken before anybody decided") }
        for _ in 0..<200 {
            if walk.random.chance(1, in: 4) { try walk.grow(1) }
            try walk.step()
        }
        guard walk.stored.count == stored else { throw Broken(description: "entries were taken before anybody decided") }
        try walk.decide(.edge)
        try run(&walk) { $0.settled != nil }
        try walk.calmDown()
        guard let first = walk.stored.firstIndex(where: { $0.epoch == 2 }), case .lineage(let fact)? = try? walk.stored[first].decoded(),
            case .lost(let from, let to) = fact.other
        else { throw Broken(description: "no lineage entry tells what was lost") }
        guard to == Seq(UInt64(stored + lost)), from.raw > UInt64(stored), from.raw <= UInt64(end + 1) else {
            throw Broken(description: "lost \(from) to \(to), it was after \(end) to \(stored + lost)")
        }
    }

    @Test(arguments: 1...10) func aLostEndIsWrittenOffByAPerson(seed: UInt64) throws { try Self.rollback(seed) }

    /// A decision for the cloud's history that nobody has to carry out, because the right copy was started, is over with what that one writes, and
    /// forgives nothing that is announced later.
    static func unneeded(_ seed: UInt64, rules: Rules = WalkTests.tight) throws {
        var walk = try Self.rested(seed, rules: rules)
        walk.allowed = [.fork, .rollbackUnsynced]
        let right = walk.ledger
        try walk.fork(at: walk.stored.count / 2, growing: 4)
        try Self.run(&walk) { $0.dispute != nil }
        try walk.decide(.cloud)
        try walk.putBack(right)
        try walk.calmDown()
        guard walk.settled == nil else { throw Broken(description: "it was carried out") }
        if seed % 2 == 0 {
            try walk.grow(3)
            try walk.calmDown()
            try walk.putBack(walk.ledger)
            try walk.calmDown()
            guard walk.dispute == nil else { throw Broken(description: "somebody is still told of it") }
        }
        walk.decision = nil
        walk.dispute = nil
        try walk.announceAndLose(9, keeping: 3)
        try Self.run(&walk) { $0.dispute != nil }
        guard walk.dispute?.verdict == .rollbackUnsynced || walk.dispute?.verdict == .fork else {
            throw Broken(description: "found \(String(describing: walk.dispute))")
        }
    }

    @Test(arguments: 51...54) func aDecisionThatNobodyCarriesOutForgivesNothing(seed: UInt64) throws { try Self.unneeded(seed) }

    /// A cloud without room for the edge's branch asks nobody, for it has nothing to seal; the edge hears of the fork all the same, and once there is
    /// room everything goes its way.
    static func roomless(_ seed: UInt64, rules: Rules = WalkTests.tight) throws {
        var walk = try Self.rested(seed, rules: rules)
        walk.allowed = [.fork]
        let common = walk.stored.count / 2
        try walk.fork(at: common, growing: 4)
        walk.hasNoRoom = seed % 2 == 0
        let isFull = walk.hasNoRoom
        try Self.run(&walk) { walk in if case .refused = walk.sender.phase { true } else { false } }
        guard (walk.dispute == nil) == isFull, (walk.refusals.last?.text.contains("cannot be stored here now") ?? false) == isFull else {
            throw Broken(description: "told: \(walk.refusals.last?.text ?? "nothing")")
        }
        walk.hasNoRoom = false
        try Self.run(&walk) { $0.dispute != nil }
        try walk.decide(.edge)
        try Self.run(&walk) { $0.settled != nil }
        try walk.calmDown()
        guard walk.stored == walk.ledger.entries else { throw Broken(description: "the two differ") }
    }

    @Test(arguments: 41...44) func aForkIsToldAlsoWithoutRoomForTheBranch(seed: UInt64) throws { try Self.roomless(seed) }

    /// The newest ledger is put back before anybody decides: the question is over by itself.
    @Test func theRightLedgerPutBackEndsTheDispute() throws {
        var walk = try Self.rested(31)
        walk.allowed = [.fork]
        let (ledger, common) = (walk.ledger, walk.stored.count / 2)
        try walk.fork(at: common, growing: 4)
        try Self.run(&walk) { $0.dispute != nil }
        try walk.putBack(ledger)
        try walk.calmDown()
        #expect(walk.dispute == nil && walk.stored == walk.ledger.entries && walk.settled == nil)
    }

    struct Mutant: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let world: @Sendable (UInt64, Rules) throws -> Void
        let change: @Sendable (inout Rules) -> Void
    }
    private static let forked: @Sendable (UInt64, Rules) throws -> Void = { try fork($0, .edge, rules: $1) }
    static let mutants: [Mutant] = [
        Mutant(testDescription: "skipForkCheck", world: forked) { $0.skipForkCheck = true },
        Mutant(testDescription: "mergeForks", world: forked) { $0.mergeForks = true },
        Mutant(testDescription: "noRollbackCheck", world: { try rollback($0, rules: $1) }) { $0.noRollbackCheck = true },
        Mutant(testDescription: "epochNotRaised", world: forked) { $0.epochNotRaised = true },
        Mutant(testDescription: "anyVerdictContinues", world: forked) { $0.anyVerdictContinues = true },
        Mutant(testDescription: "forkUntoldWithoutRoom", world: { try roomless($0, rules: $1) }) { $0.forkUntoldWithoutRoom = true },
    ]

    @Test(arguments: mutants) func everyProtectionIsNeeded(mutant: Mutant) throws {
        var rules = WalkTests.tight
        mutant.change(&rules)
        var caught = false
        for seed in UInt64(41)...43 where !caught {
            do { try mutant.world(seed, rules) } catch is Broken { caught = true }
        }
        #expect(caught, "nothing noticed \(mutant.testDescription)")
    }

    /// The words of frames, store and ledger come back as they went.
    @Test func aSettlementSurvivesItsJSON() throws {
        let head = Head(seq: Seq(7), hash: [UInt8](repeating: 7, count: 32))
        for kept in KeptBranch.allCases {
            for isKept in [true, false] {
                let dispute = Dispute(
                    verdict: .fork, common: .start, edgeHead: head, edgeEpoch: 3, cloudHead: Head(seq: Seq(9), hash: head.hash),
                    isCloudBranchKept: isKept)
                let settlement = Settlement(
                    edge: Samples.edge, kept: kept, epoch: 4, dispute: dispute, decidedBy: "cloud:a", decidedAt: Instant(seconds: 5))
                #expect(try Settlement(settlement.value) == settlement)
                let message = Message.settle(attempt: 2, settlement)
                #expect(try Message(message.frame(session: 0, number: 1)) == message)
                let fact = settlement.lineage(after: head)
                #expect(fact.oldEpoch == 3 && fact.reason == (isKept ? "fork" : "rollback"))
            }
        }
    }
}
