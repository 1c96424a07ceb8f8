// Why the cloud opens no session: the named cases, with the words and the cure a person reads.
internal import Ledger
package import Values

/// One row of the verdict table other than CONTINUE. Until the cases can be mended by the program they are refused, shown, and nothing is merged.
package enum RefusalCase: String, Hashable, Sendable, CaseIterable {
    /// The edge's ledger is the beginning of the cloud's: restored from a backup, nothing lost.
    case edgeBehind = "EDGE_BEHIND"
    /// The edge announced entries that neither side has any more.
    case rollbackUnsynced = "ROLLBACK_UNSYNCED"
    /// The two ledgers differ at a common entry.
    case fork = "FORK"
    /// The cloud no longer has what it acknowledged.
    case cloudRestored = "CLOUD_RESTORED"
    /// Two running edges claim one identity.
    case twin = "TWIN"
    /// A copy of a lineage that a person has ended: another one goes on.
    case fenced = "FENCED"
    /// It was revoked and is enrolled anew; what it wrote meanwhile is kept apart until a person says whether it counts.
    case quarantined = "QUARANTINED"
    /// No common version of the protocol.
    case version = "VERSION"
    /// The key is enrolled for another edge than the one named.
    case identity = "IDENTITY"
}

/// A refused session open, as listed on the Edges page.
package struct Refusal: Error, Hashable, Sendable {
    package var edge: EdgeID
    package var verdict: RefusalCase
    /// What was found, with its numbers.
    package var text: String
    package var cure: String

    package init(_ verdict: RefusalCase, edge: EdgeID, text: String) {
        self.edge = edge; self.verdict = verdict; self.text = text; cure = verdict.cure
    }

    /// The ERR message that tells the edge.
    var trouble: Trouble { Trouble(code: verdict.rawValue, text: text, cure: cure, ends: true) }
}

extension Trouble {
    /// A person revoked the edge's key while it was linked: no verdict on its ledger, and the end of the link.
    static let revoked = Trouble(
        code: "REVOKED", text: "The cloud revoked this edge's key.",
        cure: "To let it in again, at the cloud: tidewire-cloud edge settle NAME --keep readmit, then invite it; here: tidewire-edge enrol TOKEN "
            + "--replace --new-key.",
        ends: true)
    /// The cloud's own file of this edge is not what was written: no word about the edge, its key or its ledger.
    package static let ledgerDamaged = Trouble(
        code: "LEDGER_DAMAGED", text: "The cloud's copy of this edge's ledger is damaged.",
        cure:
            "Nothing is to be done here: the edge trades on, and sends what is missing once the copy is put right. The cloud's page Edges says how.",
        ends: true)
    /// What came up is not signed as this ledger's entries are.
    package static func unsigned(_ words: String) -> Trouble {
        Trouble(
            code: "UNSIGNED_ENTRIES", text: "The cloud takes nothing of this edge: what it sent is not signed as it must be (\(words)).",
            cure: "Put back the copy of keys/ that belongs to this ledger, and start the edge; then start the cloud again.", ends: true)
    }
    /// The edge's history is another than the cloud's, and not signed as this edge's is.
    static func forged(after common: Seq, _ words: String) -> Trouble {
        Trouble(
            code: RefusalCase.fork.rawValue,
            text:
                "This ledger is another than the cloud's from entry \(common.next) on, and the cloud keeps nothing of it: it is not signed as it must be "
                + "(\(words)).",
            cure:
                "Stop every copy of this edge but the one whose history the cloud has. If this is the one, put back the copy of keys/ that belongs to its "
                + "ledger, and start it again.", ends: true)
    }
    /// Somebody enrolled this edge with another key.
    package static let enrolledAnew = Trouble(
        code: "ENROLLED_ANEW", text: "This edge was enrolled anew, and its link opens again when the digits are confirmed.",
        cure: "If it was not you: tidewire-cloud edge revoke NAME, at the cloud.", ends: true)
    /// More frames waited in the cloud than it holds for one edge: what came after them is lost and comes again.
    package static let flooded = Trouble(
        code: "FLOODED", text: "more frames of this edge waited than the cloud holds for one edge", cure: "The link opens again by itself.",
        ends: true)
}

extension Trouble {
    /// Another run said HELLO, and this one did not show in time that it lives.
    static func overtaken(by run: Boot) -> Trouble {
        Trouble(
            code: "OVERTAKEN", text: "run \(run) came, and this one was not heard from", cure: "The link opens again by itself.", ends: true)
    }
}

extension Trouble {
    /// The cloud's disk took nothing.
    static func store(_ reason: String) -> Trouble {
        Trouble(code: "STORE", text: "the cloud could not store entries: \(reason)", cure: "Make room on the cloud's disk.", ends: true)
    }
    /// True when the trouble was one session's own, so that the next may open at once. A code that this release does not know is not.
    var endedWithTheSession: Bool { ["BATCH", "CREDIT", "PROTOCOL", Trouble.flooded.code, "OVERTAKEN"].contains(code) }
    /// True when it may be over soon: a person decides, or makes room.
    var endsSoon: Bool {
        [RefusalCase.fork, .rollbackUnsynced, .quarantined].contains { $0.rawValue == code } || code == Trouble.store("").code
    }
}

extension Trouble {
    /// True when another history of this edge, or another edge of this name, may be trading: this one must not.
    package var haltsTrading: Bool {
        switch RefusalCase(rawValue: code) {
        case .edgeBehind, .rollbackUnsynced, .fork, .twin, .fenced: true
        case .cloudRestored, .version, .identity, .quarantined, nil: false
        }
    }
}

extension RefusalCase {
    /// What a person can do.
    package var cure: String {
        switch self {
        case .edgeBehind:
            "The edge was set back to an older copy of its ledger. Restart it: a run that has not written yet takes the missing entries back by itself."
        case .rollbackUnsynced:
            "Entries that the edge wrote but never sent are gone from its disk. If there is a newer ledger.db, stop the edge and put that back. If not, "
                + "give them up on the page Edges or with tidewire-cloud edge settle, and compare orders and positions with the broker."
        case .fork:
            "Two different histories exist under one edge, and nothing was merged. Stop every copy of this edge but one, then say on the page Edges, or "
                + "with tidewire-cloud edge settle, whose history goes on."
        case .cloudRestored:
            "The cloud's store is older than what it had acknowledged; the edge sends again what is missing. If a backup was put back, say so the next "
                + "time before the start: tidewire-cloud store renew-incarnation. If not, check the cloud's disk."
        case .fenced:
            "This copy of the edge was set aside by a person's decision. Stop it. To use this machine as the edge, move its ledger.db away and start it: "
                + "it then takes the cloud's copy."
        case .quarantined:
            "It traded while its key was revoked. Look at what it wrote (the sealed file beside its ledger, orders and fills at the broker), then say on "
                + "the page Edges, or with tidewire-cloud edge settle, whether that goes on (edge) or is set aside (cloud)."
        case .twin: "Stop the copy of the edge that should not run; the other goes on."
        case .version: "Bring edge and cloud to releases that speak a common protocol: update the older one."
        case .identity: "The edge's key belongs to another edge. Enrol this machine with an invitation of its own."
        }
    }
}
