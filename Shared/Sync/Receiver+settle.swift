// Two histories of one edge: both are kept, nothing is merged, and a person's decision goes down to the edge.
internal import Ledger
internal import Values

/// The edge's branch of a fork as the cloud has it, beside its own ledger.
struct Branch: Hashable, Sendable {
    /// The last entry of both.
    var common: Head
    /// The last one that is stored.
    var head: Head
}

extension Receiver {
    /// FORK or ROLLBACK_UNSYNCED. The edge's branch is stored first; then the edge hears what a person decided, or that somebody must.
    mutating func dispute(_ opening: Opening, _ dispute: Dispute, _ settlement: Settlement?, at now: ClockReading, into out: inout [Action]) {
        let refusal = Refusal(dispute.verdict, edge: opening.peer.edge, text: dispute.text)
        guard opening.hello.can(.settle) else { conclude(opening, refusal, at: now, into: &out); return }
        if dispute.isCloudBranchKept, !hasBranch(opening, dispute, into: &out) { return }
        guard var settlement = settlement ?? unasked(opening, dispute, at: now) else {
            conclude(opening, refusal, dispute, at: now, into: &out)
            return
        }
        // All of the edge's branch is here: what it wrote since the decision is sealed with the rest.
        if settlement.kept == .cloud { settlement.dispute.edgeHead = opening.hello.head }
        var told = opening
        told.stage = .told
        told.since = now.monotonic
        edges[opening.peer.edge]?.opening = told
        answer(told, .settle(attempt: opening.hello.attempt, settlement), into: &out)
    }

    /// Only a mutant decides for a person.
    private mutating func unasked(_ opening: Opening, _ dispute: Dispute, at now: ClockReading) -> Settlement? {
        guard rules.mergeForks else { return nil }
        let settlement = Settlement(
            edge: opening.peer.edge, kept: .edge, epoch: dispute.edgeEpoch + 1, dispute: dispute, decidedBy: "nobody", decidedAt: now.wall)
        edges[opening.peer.edge]?.memory.settlement = settlement
        return settlement
    }

    /// True when all of the edge's branch is stored beside the cloud's ledger; otherwise asks for what is missing.
    private mutating func hasBranch(_ current: Opening, _ dispute: Dispute, into out: inout [Action]) -> Bool {
        var opening = current
        let edge = opening.peer.edge
        opening.stage = .branching(dispute.common)
        /// Copies of one edge that part at the same entry have a file each: each looks for its own from the first on.
        func openNext() {
            opening.branchesSeen += 1
            edges[edge]?.opening = opening
            out.append(.openBranch(edge, dispute.common, place: opening.branchesSeen - 1))
        }
        guard let branch = edges[edge]?.branch, branch.common == dispute.common else { openNext(); return false }
        if branch.head == opening.hello.head { return true }
        if branch.head != branch.common {
            // What is stored may be the branch of another copy of the edge: it stays, and this one has a place of its own.
            guard branch.head.seq < opening.hello.head.seq else { openNext(); return false }
            guard let shown = opening.evidence.edgeHash(branch.head.seq) else {
                opening.stage = .proving([branch.head.seq])
                edges[edge]?.opening = opening
                answer(opening, .prove(attempt: opening.hello.attempt, seqs: [branch.head.seq]), into: &out)
                return false
            }
            guard shown == branch.head.hash else { openNext(); return false }
        }
        edges[edge]?.opening = opening
        answer(opening, .fetch(attempt: opening.hello.attempt, after: branch.head, upTo: opening.hello.head.seq), into: &out)
        return false
    }

    /// A piece of the edge's branch.
    mutating func takeBranch(_ body: [UInt8], of current: Opening, at now: ClockReading, into out: inout [Action]) {
        var opening = current
        guard case .branching(let common) = opening.stage, let branch = edges[opening.peer.edge]?.branch, branch.common == common else { return }
        do throws(BatchError) {
            var batch = try Batch(body)
            guard batch.last.seq <= opening.hello.head.seq else { return }
            var hole: LedgerHole?
            if batch.previous != branch.head {
                // The branch goes on behind what the edge has lost for good, if its HELLO says so.
                guard batch.previous.seq > branch.head.seq, !rules.noGapIsTaken else { return }
                let lost = LedgerHole(after: branch.head, last: batch.previous)
                guard lost.isTold(by: opening.hello.gaps) || rules.unspokenGapsAreTaken else { return }
                hole = lost
            }
            var verifier = ChainVerifier(edge: opening.peer.edge, after: batch.previous)
            try batch.verify(with: &verifier)
            opening.isAlive = true
            opening.since = now.monotonic
            opening.evidence.shown([batch.last], of: [batch.last.seq])
            edges[opening.peer.edge]?.opening = opening
            if let hole { out.append(.hole(opening.peer.edge, hole)) }
            out.append(.keepBranch(opening.peer.edge, common, batch.entries))
        } catch {
            out.append(.malformed(opening.peer.edge, .batch(error)))
            edges[opening.peer.edge]?.opening = nil
        }
    }

    /// The store has the edge's branch up to here; nil when it could not be stored. Then nobody is asked, for what would be sealed is not here; but
    /// the edge hears that there are two histories, so that it does not trade on beside the other.
    mutating func branch(_ edge: EdgeID, _ common: Head, _ head: Head?, at now: ClockReading, into out: inout [Action]) {
        guard let opening = edges[edge]?.opening, opening.stage == .branching(common) else { return }
        guard let head else {
            edges[edge]?.opening = nil
            guard !rules.forkUntoldWithoutRoom, let memory = edges[edge]?.memory,
                case .disputed(let found) = Verdict.judge(opening.hello, memory, opening.evidence, rules)
            else { return }
            let text = "\(found.text); the edge's branch cannot be stored here now, and until it is nobody can decide"
            conclude(opening, Refusal(found.verdict, edge: edge, text: text), at: now, into: &out)
            return
        }
        edges[edge]?.branch = Branch(common: common, head: head)
        judge(opening, at: now, into: &out)
    }

    /// There are two histories, and one of them is nobody's choice: the edge hears of the fork, and no person is asked.
    mutating func branchForged(_ edge: EdgeID, _ common: Head, _ words: String, into out: inout [Action]) {
        guard let opening = edges[edge]?.opening, opening.stage == .branching(common) else { return }
        edges[edge]?.opening = nil
        answer(opening, .error(.forged(after: common.seq, words)), into: &out)
    }

    /// The edge has carried out the decision to keep its branch: the cloud's own goes into a sealed file.
    mutating func adopt(_ current: Opening, _ settlement: Settlement, into out: inout [Action]) {
        var opening = current
        opening.stage = .cutting(settlement.dispute.common)
        edges[opening.peer.edge]?.opening = opening
        out.append(.cut(opening.peer.edge, after: settlement.dispute.common))
    }

    /// The cloud's ledger ends at `common` now; nil when that could not be done.
    mutating func wasCut(_ edge: EdgeID, _ common: Head, epoch: UInt32?, at now: ClockReading, into out: inout [Action]) {
        guard var opening = edges[edge]?.opening, opening.stage == .cutting(common) else { return }
        guard let epoch else { edges[edge]?.opening = nil; return }
        edges[edge]?.memory.have = common
        edges[edge]?.memory.holes.removeAll { $0.last.seq > common.seq }
        edges[edge]?.memory.epoch = epoch
        edges[edge]?.tail = ChainVerifier(edge: edge, after: common)
        edges[edge]?.branch = nil
        edges[edge]?.shown = nil
        opening.evidence = Evidence()
        judge(opening, at: now, into: &out)
    }

    /// A session opens: what was decided is done, what was disputed is over, and what counts as announced is what the edge has.
    mutating func close(disputesOf edge: EdgeID, _ hello: Hello, into out: inout [Action]) {
        guard let memory = edges[edge]?.memory else { return }
        if let settlement = memory.settlement {
            let isOnItsWay = settlement.kept == .cloud && hello.head.seq <= settlement.dispute.cloudHead.seq
            guard isOnItsWay || hello.epoch >= settlement.epoch else {
                // The newest ledger was put back, or a run has gone on behind the cloud's branch without being told to: the right copy was started, or
                // the files were put in place by hand. There is nothing to decide any more.
                edges[edge]?.memory.settlement = nil
                edges[edge]?.memory.dispute = nil
                out.append(.undisputed(edge))
                return
            }
            edges[edge]?.memory.announced = hello.head
            out.append(.announced(edge, hello.head))
            // One for the cloud's branch is over with the first entry of its epoch; until then the edge may lose its way back.
            if settlement.kept == .edge { finish(settlement, of: edge, into: &out) }
        } else if memory.dispute != nil {
            edges[edge]?.memory.dispute = nil
            out.append(.undisputed(edge))
        }
        edges[edge]?.branch = nil
    }

    /// The first entry of the new epoch is stored.
    mutating func finishSettlement(of edge: EdgeID, into out: inout [Action]) {
        guard let memory = edges[edge]?.memory, let settlement = memory.settlement, memory.epoch >= settlement.epoch else { return }
        finish(settlement, of: edge, into: &out)
    }

    private mutating func finish(_ settlement: Settlement, of edge: EdgeID, into out: inout [Action]) {
        edges[edge]?.memory.settlement = nil
        edges[edge]?.memory.dispute = nil
        out.append(.settled(edge, settlement))
    }
}
