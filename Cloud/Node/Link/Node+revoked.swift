// A revoked edge: shut out at once, its commands ended, listed until a person says whether it may come back, and kept apart when it does.
internal import Control
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Views
internal import Wire

/// One revocation, as it is kept for ever: what was known then, who did it, and what was decided afterwards.
struct Revocation: Hashable, Sendable {
    enum Decision: String, Hashable, Sendable, CaseIterable {
        /// It may be enrolled anew, with another key; what it wrote meanwhile is kept apart first.
        case readmit
        /// It stays out, and the page no longer asks.
        case close
    }
    /// The key that is refused since, 32 bytes.
    var linkKey: [UInt8]
    /// The key before it, when that was still let in.
    var formerKey: [UInt8]?
    var at: Instant
    /// `cloud-console` or `cloud:<user>`.
    var by: String
    var reason: String?
    /// The last stored entry, and the highest that the edge had told of.
    var have: Seq
    var announced: Seq
    /// Commands that were ended by it.
    var ended: Int64
    var decision: Decision?
    var decidedBy: String?
    var decidedAt: Instant?

    /// Names of rows in control.db.
    static func key(_ edge: EdgeID) -> String { "revocations:\(edge)" }
    static func quarantineKey(_ edge: EdgeID) -> String { "quarantine:\(edge)" }

    var value: JSONValue {
        var out = FieldWriter()
        out.put("key", Hex.text(linkKey)); out.put("formerKey", formerKey.map { Hex.text($0) }); out.put("at", at); out.put("by", by);
        out.put("reason", reason); out.put("have", Int64(clamping: have.raw))
        out.put("announced", Int64(clamping: announced.raw)); out.put("ended", ended); out.put("decision", decision?.rawValue)
        out.put("decidedBy", decidedBy); out.put("decidedAt", decidedAt)
        return out.value
    }

    /// Reads what was stored; empty for an empty text.
    /// - Throws: `DatabaseError` for a text that is none of ours.
    static func list(_ text: String) throws(DatabaseError) -> [Revocation] {
        if text.isEmpty { return [] }
        do {
            return try (JSONReader.read(Array(text.utf8), limits: .frame).elements ?? []).map { value in
                let f = try Fields(value)
                guard let have = UInt64(exactly: try f.integer("have")), let announced = UInt64(exactly: try f.integer("announced")) else {
                    throw CodecError.badValue("have")
                }
                return Revocation(
                    linkKey: try f.bytes("key", count: 32), formerKey: try f.has("formerKey") ? f.bytes("formerKey", count: 32) : nil,
                    at: try f.instant("at"), by: try f.text("by"), reason: try f.optional("reason", f.text),
                    have: Seq(have), announced: Seq(announced), ended: try f.integer("ended"),
                    decision: try f.has("decision") ? f.word("decision", Decision.self) : nil, decidedBy: try f.optional("decidedBy", f.text),
                    decidedAt: try f.optional("decidedAt", f.instant))
            }
        } catch { throw .corrupt("the revocations in control.db cannot be read: \(error)") }
    }
}

extension Node {
    /// Refuses an edge's key for ever, at once; its ledger stays on the disk.
    func revoke(_ name: String, reason: String?, by user: String) throws {
        guard
            var edge = enrolled.values.filter({ $0.name == name && $0.status != .revoked }).max(by: {
                ($0.enrolledAt, $0.id) < ($1.enrolledAt, $1.id)
            })
        else { throw Problem.noEdge }
        let have = stores.ledgers.storedHead(edge.id)
        let ended = control.outbox.open(of: edge.id).count
        edge.status = .revoked
        enrolled[edge.id] = edge
        store(.edge(edge))
        let fact = Revocation(
            linkKey: edge.linkKey, formerKey: formerKeys[edge.id]?.key, at: now, by: user, reason: reason, have: have,
            announced: max(have, edge.announced.seq), ended: Int64(ended))
        revocations[edge.id, default: []].append(fact)
        keepRevocations(of: edge.id)
        // Its other question is asked again when it is back: nobody can answer it before.
        if let matter = matters[edge.id] { tell(.refusalOver(id: Node.refusalID(matter.dispute.verdict, edge.id))) }
        // What was asked, or decided and not carried out, about an earlier revocation spoke of what the edge had written by then.
        if matters[edge.id]?.dispute.verdict == .quarantined {
            matters[edge.id] = nil
            store(.meta(key: EdgeMatter.key(edge.id), value: ""))
        }
        forgetFormerKey(of: edge.id)
        // What is wrong with its ledger, or with what it sent, is looked at again when it is let in again.
        damaged[edge.id] = nil
        tell(.refusalOver(id: Node.damagedID(edge.id)))
        try link(.revoked(edge.id))
        tell(.expelled(edge.id))
        effect(.admit(linkKeys))
        streams.restart(at: now)
        tellRevocations()
        log(.warning, "edge revoked", "\(name), by \(user)\(reason.map { ": \($0)" } ?? "")")
    }

    /// Whose key this was, if it was revoked.
    func ownerOfRevoked(_ key: [UInt8]) -> EnrolledEdge? {
        enrolled.values.sorted { $0.id < $1.id }.first { edge in
            (edge.status == .revoked && edge.linkKey == key) || revocations[edge.id]?.contains { $0.linkKey == key || $0.formerKey == key } == true
        }
    }

    /// A person decides about a revoked edge, durably.
    func decide(_ edge: EdgeID, _ decision: Revocation.Decision, by user: String) throws {
        guard enrolled[edge]?.status == .revoked, var list = revocations[edge], let last = list.indices.last else {
            throw Problem.nothingToSettle(name(edge))
        }
        // Who stays out may be let in later; one that may come back can be shut out again.
        guard list[last].decision != decision else { return }
        list[last].decision = decision
        list[last].decidedBy = user
        list[last].decidedAt = now
        revocations[edge] = list
        keepRevocations(of: edge)
        tell(.refusalOver(id: Node.revokedID(edge)))
        tellRevocations()
        log(.warning, "decided", "\(name(edge)), whose key was revoked: \(decision.rawValue), says \(user)")
    }

    /// The revoked edge of a name or an id in hexadecimal; of several of one name the one revoked last.
    func revokedEdge(named text: String) -> EdgeID? {
        let known = enrolled.values.filter { $0.status == .revoked && ($0.name == text || $0.id.description == text) }
        return known.max { (revocations[$0.id]?.last?.at ?? $0.enrolledAt, $0.id) < (revocations[$1.id]?.last?.at ?? $1.enrolledAt, $1.id) }?.id
    }

    /// It is enrolled anew: from here on it is like any other, but for what it wrote meanwhile.
    func beginQuarantine(of edge: EdgeID) {
        quarantined.insert(edge)
        store(.meta(key: Revocation.quarantineKey(edge), value: "1"))
        tell(.refusalOver(id: Node.revokedID(edge)))
    }

    func endQuarantine(of edge: EdgeID) {
        quarantined.remove(edge)
        store(.meta(key: Revocation.quarantineKey(edge), value: ""))
        log(.warning, "quarantine over", "\(name(edge)): its ledger is taken in again")
    }

    /// Keeps each revoked edge on the Edges page until somebody has decided that it stays out, or it is enrolled anew.
    func tellRevocations() {
        for (edge, list) in revocations.sorted(by: { $0.key < $1.key }) {
            guard enrolled[edge]?.status == .revoked, let fact = list.last, fact.decision != .close else { continue }
            let row = Node.revokedID(edge)
            guard !control.refusals.contains(where: { $0.id == row }) else { continue }
            let reason = fact.reason.map { " (\($0))" } ?? ""
            let missing =
                fact.announced > fact.have
                ? " It had told of entries up to \(fact.announced): those after \(fact.have) are on its own disk only, if anywhere." : ""
            let commands = fact.ended == 0 ? "" : " \(fact.ended) command\(fact.ended == 1 ? " was" : "s were") ended; each says what is known of it."
            show(
                row, of: edge, "REVOKED",
                "\(fact.by) revoked its key on \(fact.at)\(reason). Nothing of it is taken since. Its ledger here ends at entry \(fact.have).\(missing)\(commands)",
                cure:
                    "It may be trading on: look at orders and positions at the broker, and change the broker's password if the machine was stolen. Then decide here, "
                    + "or with tidewire-cloud edge settle.")
        }
    }

    /// What may be decided about a revoked edge, as the page shows it.
    func revokedChoices(of edge: EdgeID) -> RefusalPicture.Decision? {
        guard let known = enrolled[edge], known.status == .revoked, let fact = revocations[edge]?.last else { return nil }
        let isNameTaken = enrolled.values.contains { $0.name == known.name && $0.id != edge }
        let choices = Revocation.Decision.allCases.filter { $0 != fact.decision }.map {
            RefusalPicture.Decision.Choice(keep: $0.rawValue, words: $0.words)
        }
        let decided = fact.decision.map {
            "\(fact.decidedBy ?? "") decided on \(fact.decidedAt ?? fact.at): \($0.words) Invite it again, and enrol it with --replace --new-key"
        }
        return RefusalPicture.Decision(edge: isNameTaken ? edge.description : known.name, since: fact.at, choices: choices, decided: decided)
    }

    private func keepRevocations(of edge: EdgeID) {
        let rows = (revocations[edge] ?? []).map(\.value)
        store(.meta(key: Revocation.key(edge), value: String(decoding: JSONWriter.plain(.array(rows)), as: UTF8.self)))
    }
    private static func revokedID(_ edge: EdgeID) -> String { "revoked-\(edge.description.prefix(8))" }
}

extension Revocation.Decision {
    /// What choosing it means.
    var words: String {
        switch self {
        case .readmit:
            "It may be enrolled anew, with another key. What it wrote meanwhile is kept apart until you have looked at it."
        case .close: "It stays out for good and leaves this page. Its ledger up to here stays, and so does the record of this."
        }
    }
}
