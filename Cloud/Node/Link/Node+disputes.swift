// What waits for a person about an edge's ledger: kept durably, shown on the Edges page, decided there or at the console.
internal import Control
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Views
internal import Wire

/// One edge's open question, and the answer that its edge has not carried out yet.
struct EdgeMatter: Hashable, Sendable {
    var dispute: Dispute
    var since: Instant
    var settlement: Settlement?

    /// The name of its row in control.db.
    static func key(_ edge: EdgeID) -> String { "matter:\(edge)" }
    init(dispute: Dispute, since: Instant) { self.dispute = dispute; self.since = since }

    /// As it is stored.
    var text: String {
        var out = FieldWriter()
        out.put("dispute", dispute.value); out.put("since", since); out.put("settlement", settlement?.value)
        return String(decoding: JSONWriter.plain(out.value), as: UTF8.self)
    }
    /// Reads `text` back; nil for an empty one.
    /// - Throws: `DatabaseError` for a text that is none of ours.
    init?(_ text: String) throws(DatabaseError) {
        if text.isEmpty { return nil }
        do {
            let f = try Fields(JSONReader.read(Array(text.utf8)))
            dispute = try Dispute(f.raw("dispute"))
            since = try f.instant("since")
            settlement = f.has("settlement") ? try Settlement(f.raw("settlement")) : nil
        } catch { throw .corrupt("a dispute in control.db cannot be read: \(error)") }
    }
}

extension Node {
    // MARK: - From the link

    /// A person has to decide. Found again it stays one question, however far the edge has grown since. A decision that is known and does not
    /// answer it was about the branch of another copy, which may never come back: this one's needs a decision of its own.
    func disputed(_ edge: EdgeID, _ dispute: Dispute) {
        var matter = matters[edge].flatMap { $0.dispute.isSame(as: dispute) ? $0 : nil } ?? EdgeMatter(dispute: dispute, since: now)
        matter.dispute = dispute
        matter.settlement = nil
        guard matters[edge] != matter else { return }
        let isNew = matters[edge]?.dispute.isSame(as: dispute) != true
        matters[edge] = matter
        store(.meta(key: EdgeMatter.key(edge), value: matter.text))
        if isNew { log(.error, "decision wanted", "\(name(edge)): \(dispute.text)") }
    }

    /// The question is over: the decision is carried out, or the ledger that was missing is back.
    func endMatter(of edge: EdgeID, _ settlement: Settlement?) {
        guard let matter = matters[edge] else { return }
        matters[edge] = nil
        // A session has opened before: it takes no row away that was put back since.
        tell(.refusalOver(id: Node.refusalID(matter.dispute.verdict, edge)))
        store(.meta(key: EdgeMatter.key(edge), value: ""))
        let words = settlement.map { "lineage \($0.epoch) goes on with the \($0.kept.rawValue)'s history, decided by \($0.decidedBy)" }
        log(.warning, "decision no longer wanted", "\(name(edge)): \(words ?? "the edge's ledger continues the one stored here again")")
    }

    /// The file for an edge's branch, and what it holds.
    func openBranch(of edge: EdgeID, _ common: Head, place: Int) throws {
        do {
            let head = try stores.ledgers.openBranch(edge, after: common, place: place) { note($0, of: edge) }
            if head == nil { log(.error, "branch not stored", "\(name(edge)) has \(EdgeLedgers.branchesMax) sealed branches; move some away") }
            try link(.branch(edge, common: common, head))
        } catch let error where Node.isFull(error) {
            log(.error, "branch not stored", "\(name(edge)): \(error)")
            try link(.branch(edge, common: common, nil))
        }
    }

    /// A sealed branch is nobody's present: its file is left for a person, and everything goes on.
    private func note(_ damage: BranchDamage, of edge: EdgeID) { log(.error, "branch damaged", "\(name(edge)): \(damage.words)") }

    func keepBranch(of edge: EdgeID, _ common: Head, _ entries: [Entry]) throws {
        let hole = holesToCome.removeValue(forKey: edge)
        var rotten: LedgerDamage?
        do {
            let head = try stores.ledgers.appendBranch(edge, entries, over: hole) { rotten = $0 }
            try link(.branch(edge, common: common, head))
        } catch let error where Node.isFull(error) {
            log(.error, "branch not stored", "\(name(edge)): \(error)")
            try link(.branch(edge, common: common, nil))
        } catch let damage as BranchDamage {
            // The edge shows it again by its next HELLO, and another file takes it.
            note(damage, of: edge)
            try link(.branch(edge, common: common, nil))
        } catch let damage as LedgerDamage where damage.offered != nil {
            try turnAway(damage, after: common)
        }
        guard let rotten else { return }
        tellRotten(rotten)
        try found(rotten)
    }

    /// What an edge shows as its history is forged, or signed by keys that are not its own: nothing of it is kept, nobody is asked to choose it, and the
    /// edge hears that there is another history, so that it does not trade.
    private func turnAway(_ damage: LedgerDamage, after common: Head) throws {
        let edge = damage.edge
        log(.error, "branch not stored", "\(name(edge)): \(damage.words)")
        show(
            "unsigned-\(edge.description.prefix(8))", of: edge, "UNSIGNED_BRANCH",
            "\(name(edge)) shows another history than the one stored here, from entry \(common.seq.next) on, and it is not signed as it must be: "
                + "\(damage.words). Nothing of it is stored, and nothing here is changed.",
            cure:
                "Look who uses this edge's link key. If it is not your machine: tidewire-cloud edge revoke \(name(edge)). If it is, put back the "
                + "copy of its keys/ that belongs to its ledger, and start it again.", stays: true)
        try link(.branchForged(edge, common: common, words: damage.words))
    }

    /// The edge keeps its branch: what this cloud had after `common` goes into a sealed file, and everything shown is folded anew.
    func cut(_ edge: EdgeID, after common: Head) throws {
        do {
            try lowerBackup(of: edge, to: common.seq)
            try stores.ledgers.cut(edge, after: common) { note($0, of: edge) }
        } catch let error where Node.isFull(error) {
            log(.error, "branch not sealed", "\(name(edge)): \(error)")
            return try link(.wasCut(edge, common, epoch: nil))
        } catch let damage as BranchDamage {
            note(damage, of: edge)
            return try link(.wasCut(edge, common, epoch: nil))
        } catch is NoBranchLeft {
            log(.error, "branch not sealed", "\(name(edge)) has \(EdgeLedgers.branchesMax) sealed branches; move some away")
            return try link(.wasCut(edge, common, epoch: nil))
        }
        log(.warning, "branch sealed", "\(name(edge)): the entries after \(common.seq) are kept in a file of their own")
        try refold(edge)
        try link(.wasCut(edge, common, epoch: stores.ledgers.epoch(edge)))
    }

    // MARK: - From a person

    /// Decides about an edge's dispute, durably; the edge hears it when it asks next.
    func settle(_ edge: EdgeID, _ kept: KeptBranch, by user: String) throws {
        guard var matter = matters[edge] else { throw Problem.nothingToSettle(name(edge)) }
        guard matter.dispute.choices.contains(kept) else { throw Problem.noSuchBranch }
        if let settlement = matter.settlement {
            guard settlement.kept != kept else { return }
            throw Problem.alreadySettled(settlement.kept.rawValue, settlement.decidedBy)
        }
        let epoch = kept == .edge ? matter.dispute.edgeEpoch : try stores.ledgers.epoch(edge)
        let settlement = Settlement(edge: edge, kept: kept, epoch: epoch + 1, dispute: matter.dispute, decidedBy: user, decidedAt: now)
        matter.settlement = settlement
        matters[edge] = matter
        store(.meta(key: EdgeMatter.key(edge), value: matter.text))
        if let known = enrolled[edge], let head = settlement.announcedAnew(known.announced, settings.linkRules) {
            enrolled[edge]?.announced = head
            store(.announced(edge, head))
        }
        try link(.settle(settlement))
        tellDisputes()
        log(.warning, "decided", "\(name(edge)): the \(kept.rawValue)'s history goes on, says \(user)")
    }

    /// Keeps the question on the Edges page for as long as it is open.
    func tellDisputes() {
        for (edge, matter) in matters.sorted(by: { $0.key < $1.key }) {
            let row = Node.refusalID(matter.dispute.verdict, edge)
            guard control.edges[edge] != nil, !control.refusals.contains(where: { $0.id == row }) else { continue }
            show(row, of: edge, matter.dispute.verdict.rawValue, "\(matter.dispute.text).", cure: matter.dispute.verdict.cure)
        }
    }

    /// Keeps what is missing for good on the Edges page: what is shown of such an edge is what the other entries add up to.
    func tellHoles() {
        for edge in control.sortedEdges.map(\.id) {
            for hole in stores.ledgers.holes(edge) {
                let row = "hole-\(edge.description.prefix(8))-\(hole.from)"
                guard !control.refusals.contains(where: { $0.id == row }) else { continue }
                show(
                    row, of: edge, "ENTRIES_MISSING",
                    "\(hole.words) are missing for good: the edge lost them, and this cloud never had them or lost them too. "
                        + "The ledger goes on behind them.",
                    cure:
                        "Orders, positions and money here are what the other entries add up to: the edge's own pages and the broker's screen have the "
                        + "whole. If a copy of the edge's segment file, or a backup of this cloud that has them, is found, put it back.")
            }
        }
    }

    static func refusalID(_ verdict: RefusalCase, _ edge: EdgeID) -> String { "\(verdict.rawValue.lowercased())-\(edge.description.prefix(8))" }

    /// What a person may choose about a refused link, as the page shows it.
    func choices(of refusal: LinkRefusal) -> RefusalPicture.Decision? {
        if refusal.verdict == "REVOKED", let edge = refusal.edge { return revokedChoices(of: edge) }
        guard let edge = refusal.edge, let matter = matters[edge], refusal.verdict == matter.dispute.verdict.rawValue else { return nil }
        return RefusalPicture.Decision(
            edge: name(edge), since: matter.since,
            choices: matter.settlement == nil ? matter.dispute.choices.map { .init(keep: $0.rawValue, words: matter.dispute.words(of: $0)) } : [],
            decided: matter.settlement.map {
                "\($0.decidedBy) decided on \($0.decidedAt) for the \($0.kept.rawValue)'s history; the edge is told next"
            })
    }
}

extension Dispute {
    /// What choosing this branch means.
    func words(of kept: KeptBranch) -> String {
        if verdict == .quarantined { return wordsOfQuarantine(kept) }
        return switch kept {
        case .edge where !isCloudBranchKept:
            "Go on with what the edge has. Entries after \(common.seq) up to \(cloudHead.seq) are written off as lost, commands of unknown fate too."
        case .edge:
            "Go on with the edge's history. The cloud's entries \(common.seq.next) to \(cloudHead.seq) go into a sealed file and no longer count."
        case .cloud:
            "Go on with the cloud's history. The edge's entries \(common.seq.next) to \(edgeHead.seq) go into a sealed file and no longer count."
        }
    }
}

extension Dispute {
    private func wordsOfQuarantine(_ kept: KeptBranch) -> String {
        switch kept {
        case .edge: "Take it in: entries \(common.seq.next) to \(edgeHead.seq), written while its key was revoked, count like all others."
        case .cloud:
            "Set it aside: entries \(common.seq.next) to \(edgeHead.seq), written while its key was revoked, go into a sealed file and do not count. "
                + "What they did at the broker is found by the comparison with it."
        }
    }
}

extension Problem {
    static func nothingToSettle(_ name: String) -> Problem {
        Problem(
            "nothing-to-settle", 409, "Nothing waits for a decision", detail: "The ledger of \(name) has one history.",
            cure: "Look at the Edges page.")
    }
    static let noSuchBranch = Problem(
        "no-such-branch", 409, "That history is gone", detail: "It was announced and never came here: it cannot go on.", cure: "Keep the edge's.")
    static func alreadySettled(_ kept: String, _ by: String) -> Problem {
        Problem(
            "already-settled", 409, "This was decided otherwise",
            detail: "\(by) decided for the \(kept)'s history, and the edge is on its way to it.",
            cure: "Wait until the edge has carried it out.")
    }
    static let stepUp = Problem(
        "step-up", 403, "Sign in again first", detail: "This decision is taken only within five minutes of a sign-in.",
        cure: "Sign out, sign in, and decide then.")
    static func notConfirmed(_ name: String) -> Problem {
        Problem(
            "not-confirmed", 400, "The edge's name does not fit", detail: "'confirm' must be the name of the edge, \(name).",
            cure: "Type it as it stands there.")
    }
}
