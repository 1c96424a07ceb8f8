// What a person has to decide about an edge's ledger, and the decision on its way to the edge.
package import Ledger
package import Values
package import Wire

/// Two histories of one edge, or one that lost its end: nothing is merged, somebody has to say which one goes on.
package struct Dispute: Hashable, Sendable {
    /// `.fork`, `.rollbackUnsynced` or `.quarantined`.
    package var verdict: RefusalCase
    /// The last entry that both sides have; of a rollback, where the edge's ledger ended when it was found.
    package var common: Head
    /// Where the edge's ledger ends.
    package var edgeHead: Head
    /// Of the edge's last entry.
    package var edgeEpoch: UInt32
    /// Where the other branch ended: the cloud's last entry, or the highest that the edge had announced.
    package var cloudHead: Head
    /// False when the other branch was only announced and never came: nobody has it.
    package var isCloudBranchKept: Bool
    package init(verdict: RefusalCase, common: Head, edgeHead: Head, edgeEpoch: UInt32, cloudHead: Head, isCloudBranchKept: Bool) {
        self.verdict = verdict; self.common = common; self.edgeHead = edgeHead; self.edgeEpoch = edgeEpoch; self.cloudHead = cloudHead
        self.isCloudBranchKept = isCloudBranchKept
    }

    /// What was found, with its numbers.
    package var text: String {
        switch verdict {
        case .rollbackUnsynced:
            "the edge had announced entry \(cloudHead.seq) and ended at \(common.seq); entries \(common.seq.next) to \(cloudHead.seq) are gone"
        case .quarantined:
            "the edge's key was revoked when its ledger here ended at entry \(common.seq); what it wrote since, up to entry \(edgeHead.seq), is kept apart"
        case _ where !isCloudBranchKept:
            "the edge had announced another entry \(cloudHead.seq) than it has now; what followed entry \(common.seq) is gone"
        default:
            "the two ledgers agree up to entry \(common.seq); the edge's goes on to entry \(edgeHead.seq), the cloud's to entry \(cloudHead.seq)"
        }
    }
    /// What a person may choose.
    package var choices: [KeptBranch] { isCloudBranchKept ? [.cloud, .edge] : [.edge] }
}

/// The branch that goes on; the other one is sealed.
package enum KeptBranch: String, Hashable, Sendable, CaseIterable {
    case edge, cloud
}

extension Dispute {
    /// True when both tell of the same two histories, however far the edge's has grown since.
    package func isSame(as other: Dispute) -> Bool {
        verdict == other.verdict && common == other.common && cloudHead == other.cloudHead && isCloudBranchKept == other.isCloudBranchKept
    }
}

/// A person's decision: which branch goes on, as the first entry of which epoch says.
package struct Settlement: Hashable, Sendable {
    package var edge: EdgeID
    package var kept: KeptBranch
    /// The epoch that begins with it.
    package var epoch: UInt32
    package var dispute: Dispute
    /// `cloud:<user>` or `console`.
    package var decidedBy: String
    package var decidedAt: Instant
    package init(edge: EdgeID, kept: KeptBranch, epoch: UInt32, dispute: Dispute, decidedBy: String, decidedAt: Instant) {
        self.edge = edge; self.kept = kept; self.epoch = epoch; self.dispute = dispute; self.decidedBy = decidedBy; self.decidedAt = decidedAt
    }
}

extension Settlement {
    /// What counts as announced from this decision on, when it is another head than before. With the branch that is sealed goes what was told of it: that
    /// is not missed, whether the decision is carried out or given up. What is announced from now on is.
    package func announcedAnew(_ announced: Head, _ rules: Rules = Rules()) -> Head? {
        guard kept == .cloud, announced.seq > dispute.cloudHead.seq, !rules.keepsSealedHeads else { return nil }
        return dispute.cloudHead
    }

    /// The entry that begins the epoch, on the branch that goes on after `ours`.
    package func lineage(after ours: Head) -> LineageFact {
        let other: LineageFact.Other
        if dispute.isCloudBranchKept {
            other = .sealed(kept == .edge ? dispute.cloudHead : dispute.edgeHead)
        } else {
            other = .lost(from: dispute.common.seq.next, to: dispute.cloudHead.seq)
        }
        return LineageFact(oldEpoch: epoch - 1, other: other, ours: ours, decidedBy: decidedBy)
    }
}

extension Dispute {
    /// The JSON form in frames and in the cloud's store.
    package var value: JSONValue {
        var out = FieldWriter()
        out.put("verdict", verdict.rawValue); out.put("common", common.value); out.put("edgeHead", edgeHead.value)
        out.put("edgeEpoch", Int64(edgeEpoch)); out.put("cloudHead", cloudHead.value); out.put("kept", isCloudBranchKept)
        return out.value
    }
    /// Reads `value` back.
    package init(_ value: JSONValue) throws(CodecError) {
        let f = try Fields(value)
        guard let edgeEpoch = UInt32(exactly: try f.integer("edgeEpoch")) else { throw .badValue("edgeEpoch") }
        self.init(
            verdict: try f.word("verdict", RefusalCase.self), common: try f.head("common"), edgeHead: try f.head("edgeHead"),
            edgeEpoch: edgeEpoch,
            cloudHead: try f.head("cloudHead"), isCloudBranchKept: try f.flag("kept"))
    }
}

extension Settlement {
    /// The JSON form in frames, in the cloud's store and in the edge's.
    package var value: JSONValue {
        var out = FieldWriter()
        out.put("edge", edge.description); out.put("kept", kept.rawValue); out.put("epoch", Int64(epoch)); out.put("dispute", dispute.value)
        out.put("decidedBy", decidedBy); out.put("decidedAt", decidedAt)
        return out.value
    }
    /// Reads `value` back.
    package init(_ value: JSONValue) throws(CodecError) {
        let f = try Fields(value)
        guard let edge = EdgeID(hex: try f.text("edge")) else { throw .badValue("edge") }
        guard let epoch = UInt32(exactly: try f.integer("epoch")), epoch > 0 else { throw .badValue("epoch") }
        self.init(
            edge: edge, kept: try f.word("kept", KeptBranch.self), epoch: epoch, dispute: try Dispute(f.raw("dispute")),
            decidedBy: try f.text("decidedBy"), decidedAt: try f.instant("decidedAt"))
    }
}
