// The verdict on a HELLO: a pure table over what both ends have, or the question that has to be asked first.
package import Ledger
package import Values

/// What the cloud durably knows of one edge.
package struct EdgeMemory: Hashable, Sendable {
    /// The last durable entry.
    package var have: Head
    /// The highest head the edge ever announced, whether its entries have come or not.
    package var announced: Head
    /// Of the last durable entry; 0 before the first.
    package var epoch: UInt32
    /// What waits for a person's decision.
    package var dispute: Dispute?
    /// A decision that the edge has not carried out yet.
    package var settlement: Settlement?
    /// What its stored ledger has no entries for, in order.
    package var holes: [LedgerHole]
    /// Its key was revoked, and it is enrolled anew: what it wrote since does not count before a person says so.
    package var isQuarantined = false
    package init(
        have: Head = .start, announced: Head = .start, epoch: UInt32 = 0, dispute: Dispute? = nil, settlement: Settlement? = nil,
        holes: [LedgerHole] = []
    ) {
        self.have = have; self.announced = announced; self.epoch = epoch; self.dispute = dispute; self.settlement = settlement; self.holes = holes
    }

    /// A person decided.
    mutating func settle(_ settlement: Settlement, _ rules: Rules) {
        self.settlement = settlement
        if let announced = settlement.announcedAnew(announced, rules) { self.announced = announced }
    }
}

/// What has been found out about one HELLO so far: hashes by number, from either side.
package struct Evidence: Hashable, Sendable {
    /// Asked of the edge; nil for one it did not show.
    private var edge: [Seq: [UInt8]?] = [:]
    /// Asked of the cloud's own store; nil for one it does not have.
    private var cloud: [Seq: [UInt8]?] = [:]
    package init() {}

    /// The edge answered a PROVE. What was asked for and not shown is as good as another hash.
    package mutating func shown(_ heads: [Head], of asked: [Seq]) {
        for seq in asked { edge[seq] = .some(heads.first { $0.seq == seq }?.hash) }
    }
    /// The store answered.
    package mutating func stored(_ heads: [Head], of asked: [Seq]) {
        for seq in asked { cloud[seq] = .some(heads.first { $0.seq == seq }?.hash) }
    }
    /// What both sides were asked for, ascending.
    fileprivate var both: [Seq] { edge.keys.filter { cloud[$0] != nil }.sorted() }
    func edgeHash(_ seq: Seq) -> [UInt8]?? { edge[seq] }
    fileprivate func cloudHash(_ seq: Seq) -> [UInt8]?? { cloud[seq] }
}

/// What to do with a HELLO.
package enum Verdict: Hashable, Sendable {
    /// CONTINUE: the session may open.
    case goOn
    case refused(Refusal)
    /// The edge has to show these hashes first.
    case prove([Seq])
    /// The cloud's store has to be asked for these hashes first.
    case lookUp([Seq])
    /// EDGE_BEHIND: the edge's ledger is the beginning of the cloud's.
    case behind
    /// FORK or ROLLBACK_UNSYNCED: a person has to decide.
    case disputed(Dispute)
    /// A person has decided about this dispute; the edge has to be told.
    case settled(Settlement, Dispute)
    /// The edge carried out the decision to keep its branch: the cloud's own branch is to be sealed.
    case adopt(Settlement)

    /// Every row of the table, by comparing both histories where they can differ.
    package static func judge(_ hello: Hello, _ memory: EdgeMemory, _ evidence: Evidence = Evidence(), _ rules: Rules = Rules()) -> Verdict {
        guard hello.protocolMin <= Int64(Frame.version), hello.protocolMax >= Int64(Frame.version) else {
            return refuse(
                hello, .version,
                "the edge (release \(hello.release)) speaks \(hello.protocolMin) to \(hello.protocolMax), the cloud speaks \(Frame.version)")
        }
        let judge = Judge(hello: hello, memory: memory, evidence: evidence, rules: rules)
        let top = judge.shown(min(hello.head.seq, memory.have.seq))
        if top > Seq(0), !rules.skipForkCheck {
            // What is no longer kept at the edge is not asked for: it was acknowledged, and the first batch says what it follows.
            switch top < hello.oldest ? .same : judge.compare(top) {
            case .same: break
            case .unknown(.prove): return .prove([top] + judge.announcedToo)
            case .unknown(let question): return question
            case .different: return judge.fork(below: top)
            }
        }
        if hello.head.seq < memory.have.seq { return .behind }
        guard hello.oldest.raw <= memory.have.seq.raw + 1 else {
            return refuse(
                hello, .cloudRestored, "the cloud needs entry \(memory.have.seq.next), the edge keeps entries from \(hello.oldest) on")
        }
        if memory.isQuarantined, !rules.noQuarantine {
            // First of all: what else was decided about this edge must not let in what it wrote meanwhile.
            let asked = judge.quarantine()
            if asked != .goOn { return asked }
        }
        return judge.unsynced()
    }

    fileprivate static func refuse(_ hello: Hello, _ verdict: RefusalCase, _ text: String) -> Verdict {
        .refused(Refusal(verdict, edge: hello.edge, text: text))
    }
}

/// One judgement's parts.
private struct Judge {
    enum Finding: Hashable { case same, different, unknown(Verdict) }
    let hello: Hello
    let memory: EdgeMemory
    let evidence: Evidence
    let rules: Rules

    /// Whether both sides have the same entry of this number, which is not above either head.
    func compare(_ seq: Seq) -> Finding {
        guard let ours = cloudHash(seq) else { return .unknown(.lookUp([seq])) }
        guard let theirs = edgeHash(seq) else { return .unknown(.prove([seq])) }
        return ours != nil && ours == theirs ? .same : .different
    }

    /// The highest entry up to this one that the edge can show: of those that it lost for good it has a word about the last one at most.
    func shown(_ seq: Seq) -> Seq {
        var seq = seq
        while let gap = hello.gaps.first(where: { $0.hides(seq) }) { seq = Seq(gap.from.raw - 1) }
        return seq
    }

    /// Numbers behind holes at either end, whose hashes are known though the entries are not.
    private var anchors: [Seq] { (hello.gaps.map(\.to) + memory.holes.map(\.last.seq)).sorted() }

    private func edgeHash(_ seq: Seq) -> [UInt8]?? {
        if seq == Seq(0) { return .some(Head.start.hash) }
        if let gap = hello.gaps.last(where: { $0.to == seq }) { return .some(gap.hash) }
        return seq == hello.head.seq ? .some(hello.head.hash) : evidence.edgeHash(seq)
    }
    private func cloudHash(_ seq: Seq) -> [UInt8]?? {
        if seq == Seq(0) { return .some(Head.start.hash) }
        return seq == memory.have.seq ? .some(memory.have.hash) : evidence.cloudHash(seq)
    }

    // MARK: - Fork

    /// They differ at `top`: finds the last common entry, then what a person has said.
    func fork(below top: Seq) -> Verdict {
        // Of what the edge no longer keeps nothing can be shown; it is taken for common, and a batch that does not follow it is refused.
        // What an earlier HELLO of the run has shown is not asked again.
        var (low, high) = (hello.oldest > Seq(1) ? Seq(hello.oldest.raw - 1) : Seq(0), top)
        for seq in evidence.both where seq > low && seq < high && compare(seq) == .same { low = seq }
        for seq in evidence.both where seq > low && seq < high { high = seq }
        // What lies in a hole tells nothing; what stands behind it does.
        for seq in anchors where seq > low && seq < high && !hello.gaps.contains(where: { $0.hides(seq) }) {
            switch compare(seq) {
            case .same: low = seq
            case .different: break
            case .unknown(let question): return question
            }
        }
        // Behind another history's entry nothing that the edge cannot show is common, and it is not asked for: it would never answer.
        for gap in hello.gaps where gap.from > low && gap.from < high { high = gap.from }
        var search = Bisection(same: low, different: high, asked: 1)
        while !search.isDone {
            let round = search.questions
            let missing = round.filter { edgeHash($0) == nil }
            if !missing.isEmpty { return .prove(missing) }
            let unread = round.filter { cloudHash($0) == nil }
            if !unread.isEmpty { return .lookUp(unread) }
            search.take { compare($0) == .same }
        }
        guard let common = cloudHash(search.low) else { return .lookUp([search.low]) }
        let dispute = Dispute(
            verdict: .fork, common: Head(seq: search.low, hash: common ?? []), edgeHead: hello.head, edgeEpoch: hello.epoch, cloudHead: memory.have,
            isCloudBranchKept: true)
        return answer(dispute)
    }

    // MARK: - What was announced and never came

    /// The announced entry, when it will be asked for in any case: in one round trip with the cloud's last.
    var announcedToo: [Seq] {
        let seq = memory.announced.seq
        let isShown = !hello.gaps.contains { $0.hides(seq) }
        return seq > memory.have.seq && seq < hello.head.seq && memory.have.seq < hello.head.seq && isShown && !rules.noRollbackCheck ? [seq] : []
    }

    /// The edge has everything the cloud has: does it also have what it once announced?
    func unsynced() -> Verdict {
        let announced = memory.announced, head = hello.head
        guard announced.seq > memory.have.seq, !isForgiven, !rules.noRollbackCheck else { return fenced() ?? .goOn }
        if announced.seq > head.seq { return answer(lost(.rollbackUnsynced, after: head)) }
        if announced.seq == head.seq { return announced.hash == head.hash ? fenced() ?? .goOn : answer(lost(.fork, after: memory.have)) }
        if hello.gaps.contains(where: { $0.hides(announced.seq) }) { return fenced() ?? .goOn }
        guard let theirs = edgeHash(announced.seq) else { return .prove([announced.seq]) }
        return theirs == announced.hash ? fenced() ?? .goOn : answer(lost(.fork, after: memory.have))
    }

    /// The edge wrote on while its key was revoked: a person has to say whether that counts. Carried out, the decision begins an epoch.
    func quarantine() -> Verdict {
        if let settlement = memory.settlement, settlement.dispute.verdict == .quarantined, hello.epoch >= settlement.epoch {
            // An epoch is soon said: what was set aside must be gone from the edge, too.
            let decided = settlement.dispute.edgeHead
            guard settlement.kept == .cloud, hello.head.seq >= decided.seq else { return .goOn }
            guard let theirs = edgeHash(decided.seq) else { return .prove([decided.seq]) }
            if theirs != decided.hash { return .goOn }
        }
        guard hello.head.seq > memory.have.seq else { return .goOn }
        return answer(
            Dispute(
                verdict: .quarantined, common: memory.have, edgeHead: hello.head, edgeEpoch: hello.epoch, cloudHead: memory.have,
                isCloudBranchKept: true))
    }

    /// An entry that was announced is gone. The same loss found again keeps its first description: the edge goes on writing in the meantime.
    private func lost(_ verdict: RefusalCase, after common: Head) -> Dispute {
        if var known = memory.dispute, known.cloudHead == memory.announced, !known.isCloudBranchKept {
            known.edgeHead = hello.head; known.edgeEpoch = hello.epoch
            return known
        }
        return Dispute(
            verdict: verdict, common: common, edgeHead: hello.head, edgeEpoch: hello.epoch, cloudHead: memory.announced, isCloudBranchKept: false)
    }

    /// True when a person has decided for this branch and what was announced before no longer counts. A decision for the cloud's has set the announced
    /// head anew when it was made, once.
    private var isForgiven: Bool { memory.settlement.map { $0.kept == .edge ? hello.epoch >= $0.epoch : rules.forgivesForEver } ?? false }

    // MARK: - The person's word

    private func answer(_ dispute: Dispute) -> Verdict {
        if let refusal = fenced() { return refusal }
        guard let settlement = memory.settlement, settlement.dispute.common == dispute.common, settlement.dispute.cloudHead == dispute.cloudHead
        else {
            return .disputed(dispute)
        }
        // The decision is about the branch that was shown, and not about another copy's.
        let decided = settlement.dispute.edgeHead
        if decided.seq > hello.head.seq { return .disputed(dispute) }
        guard let theirs = edgeHash(decided.seq) else { return .prove([decided.seq]) }
        guard theirs == decided.hash else { return .disputed(dispute) }
        if settlement.kept == .edge, hello.epoch >= settlement.epoch { return .adopt(settlement) }
        return .settled(settlement, dispute)
    }

    /// A ledger of a lineage that was ended cannot come back beside the one that was chosen.
    private func fenced() -> Verdict? {
        guard hello.epoch < chosen, hello.head.seq > Seq(0), !rules.noEpochFence else { return nil }
        return Verdict.refuse(
            hello, .fenced, "this copy belongs to lineage \(hello.epoch) of the edge's ledger; lineage \(chosen) was chosen to go on")
    }

    /// The lineage that goes on. Between the sealing of the cloud's branch and the first entry of the edge's only the decision tells: a copy of
    /// the sealed branch would look like an edge that goes on where the cloud ends.
    private var chosen: UInt32 {
        guard let settlement = memory.settlement, settlement.kept == .edge, settlement.dispute.isCloudBranchKept,
            memory.have == settlement.dispute.common, hello.head.seq > memory.have.seq, settlement.dispute.verdict != .quarantined
        else { return memory.epoch }
        return max(memory.epoch, settlement.epoch)
    }
}

extension Verdict {
    /// CLOUD_RESTORED: the cloud has less than it had acknowledged. With a store that says it was restored, by a name that the edge never met, that is
    /// in order; otherwise somebody has to look. The session opens either way: the edge sends again what the cloud lost.
    package static func alarm(_ hello: Hello, _ memory: EdgeMemory, incarnation: String, _ rules: Rules = Rules()) -> Refusal? {
        let isOldImage = hello.formerStores.contains(incarnation)
        guard hello.acked.seq > memory.have.seq, hello.incarnation.isEmpty || hello.incarnation == incarnation || isOldImage, !rules.silentRestore
        else { return nil }
        let image = isOldImage ? ", an image from before it was renamed" : ""
        return Refusal(
            .cloudRestored, edge: hello.edge,
            text: "the cloud had acknowledged entry \(hello.acked.seq) and now ends at \(memory.have.seq)\(image); the edge sends the rest again")
    }
}
