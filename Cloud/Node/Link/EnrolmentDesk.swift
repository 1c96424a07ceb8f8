// Enrolment: one-time tokens given out, keys taken in once, six digits confirmed by a person.
internal import Control
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Views
internal import Wire

/// What enrolment remembers between turns.
struct EnrolmentDesk {
    /// How long the socket stays open behind the last token that was used: the answer is on its way, or asked for once more.
    static let answerTime = Span.minutes(1)
    /// Frames taken a minute; more are answered with a refusal unread.
    static let framesPerMinuteMax = 5
    /// A used or expired token is known for this long, so that its replay is refused by name.
    static let memory = Span.hours(24)
    /// Invitations that wait for the socket; one more is refused.
    static let askedMax = 16
    var isOpen = false
    var port: Int?
    /// Invitations asked for while the socket was being opened.
    var asked: [(number: UInt64, name: String, host: String?)] = []
    private var frames: [Instant] = []

    /// Times are told by a clock that was set by `step`: a minute stays a minute.
    mutating func clockWasSet(by step: Span) { frames = frames.map { $0 + step } }

    /// True when one more frame may be read now.
    mutating func admit(at now: Instant) -> Bool {
        frames.removeAll { now - $0 >= .minutes(1) }
        guard frames.count < EnrolmentDesk.framesPerMinuteMax else { return false }
        frames.append(now)
        return true
    }
}

extension Node {
    /// Keys that the link's door knows; revoked ones are not among them.
    var linkKeys: [LinkKey] {
        enrolled.values.filter { $0.status != .revoked }.sorted { $0.id < $1.id }.flatMap { edge in
            let isConfirmed = edge.status == .confirmed && damaged[edge.id] == nil
            return ([edge.linkKey] + (formerKeys[edge.id].map { [$0.key] } ?? [])).map { LinkKey(key: $0, edge: edge.id, isConfirmed: isConfirmed) }
        }
    }
    /// Invitations that somebody may still use, and those just used, whose answer is on its way: while there is one the socket stays open.
    var openInvitations: [Invitation] {
        invitations.filter { now < $0.expiresAt && ($0.usedAt.map { now - $0 < EnrolmentDesk.answerTime } ?? true) }
    }

    /// Someone with a key that nobody enrolled.
    func noteStranger(_ key: [UInt8], _ address: String) {
        let text = Hex.text(key)
        let revoked = ownerOfRevoked(key)
        let words = revoked.map { "The key of \($0.name), which was revoked, knocked from \(address)." } ?? "An unknown key knocked from \(address)."
        tell(
            .linkRefused(
                LinkRefusal(
                    id: "key-\(text.prefix(16))", edge: revoked?.id, key: text, verdict: revoked == nil ? "UNKNOWN_KEY" : "REVOKED_KEY", words: words,
                    cure: revoked.map {
                        "To let it in again: tidewire-cloud edge settle \($0.name) --keep readmit, then invite it; at the edge: tidewire-edge enrol "
                            + "TOKEN --replace --new-key."
                    } ?? "If it is yours, enrol it: tidewire-cloud edge invite NAME.", at: now)))
    }

    // MARK: - Tokens

    /// Begins an invitation; the answer follows when the socket is open.
    func invite(_ name: String, host: String?, _ number: UInt64) {
        guard enrolment.asked.count < EnrolmentDesk.askedMax else { return effect(.respond(number, Problem.busyNode.answer)) }
        enrolment.asked.append((number, name, host))
        if enrolment.isOpen { enrolmentOpened(enrolment.port) } else { effect(.enrolmentSocket(open: true)) }
    }

    func enrolmentOpened(_ port: Int?) {
        enrolment.isOpen = port != nil
        enrolment.port = port
        let asked = enrolment.asked
        enrolment.asked = []
        for (number, name, host) in asked {
            guard let port, let linkPort = UInt16(exactly: settings.linkPort), let enrolPort = UInt16(exactly: settings.enrolmentPort ?? port) else {
                effect(.respond(number, Problem.enrolmentClosed.answer))
                continue
            }
            let secret = settings.random(16)
            let token = EnrolmentToken(
                host: host ?? settings.linkHost, linkPort: linkPort, enrolPort: enrolPort, serverKey: settings.serverKey, secret: secret)
            guard let token else { effect(.respond(number, Problem.badRequest("the host must have 1 to 255 bytes.").answer)); continue }
            let invitation = Invitation(name: name, secret: secret, createdAt: now, expiresAt: now + Invitation.life)
            invitations.removeAll { $0.name == name && $0.usedAt == nil }
            invitations.append(invitation)
            store(.invitation(invitation))
            log(.info, "edge invited", name)
            effect(.respond(number, invitationAnswer(token, invitation)))
        }
    }

    // MARK: - The socket

    /// One frame: at most 1 KiB, five a minute, and the key in it is the key that brought it.
    func enrol(_ bytes: [UInt8], key: [UInt8], from peer: UInt64) throws {
        func refuse(_ words: String) {
            counters.enrolmentsRefused += 1
            log(.warning, "enrolment refused", words)
            effect(.answerEnrolment(EnrolmentAnswer.refused(words).encode(), to: peer))
        }
        guard bytes.count <= EnrolmentRequest.bytesMax else { return refuse("The request is longer than \(EnrolmentRequest.bytesMax) bytes.") }
        guard enrolment.admit(at: now) else {
            return refuse("Too many tries: \(EnrolmentDesk.framesPerMinuteMax) a minute are taken. Wait a minute, then try again.")
        }
        let request: EnrolmentRequest
        do throws(EnrolmentError) { request = try EnrolmentRequest(bytes) } catch { return refuse("The request cannot be read: \(error).") }
        guard request.linkKey == key else { return refuse("The request shows another key than the connection has.") }
        let match = invitations.first { EnrolmentRequest.invitation(of: $0.secret) == request.invitation }
        guard let invitation = match, let token = token(of: invitation), request.isProved(by: token) else {
            return refuse("This token was not given out here. Ask for a new one: tidewire-cloud edge invite NAME.")
        }
        if invitation.usedAt != nil {
            return refuse("This token was used already; it works once. Ask for a new one: tidewire-cloud edge invite \(invitation.name).")
        }
        guard now < invitation.expiresAt else {
            return refuse("This token expired at \(invitation.expiresAt). Ask for a new one: tidewire-cloud edge invite \(invitation.name).")
        }
        if enrolled[request.edge]?.status == .revoked, revocations[request.edge]?.last?.decision != .readmit {
            return refuse(
                "This edge's identity was revoked. Start it with an empty data folder, or enrol another machine; to let it come back, say so first: "
                    + "tidewire-cloud edge settle \(name(request.edge)) --keep readmit.")
        }
        if ownerOfRevoked(request.linkKey) != nil {
            return refuse("This key was revoked and is refused for ever. Enrol with a new one: tidewire-edge enrol TOKEN --replace --new-key.")
        }
        if let known = enrolled[request.edge], known.name != invitation.name {
            return refuse("This identity belongs to \(known.name). Ask for a token of that name, or start the edge with an empty data folder.")
        }
        if let other = enrolled.values.first(where: { $0.name == invitation.name && $0.id != request.edge && $0.status != .revoked }) {
            return refuse("\(other.name) is another edge here. Revoke it first: tidewire-cloud edge revoke \(other.name).")
        }
        if let known = stores.ledgers.firstKeys[request.edge], let shown = request.ledgerKey, known != shown {
            return refuse("This edge's ledger began under another key than the one it showed when it was enrolled first. Nothing was changed.")
        }
        try accept(request, invitation, token, from: peer)
    }

    /// Of an invitation the secret proves; host and ports are no part of the proof.
    private func token(of invitation: Invitation) -> EnrolmentToken? {
        EnrolmentToken(host: "-", linkPort: 0, enrolPort: 0, serverKey: settings.serverKey, secret: invitation.secret)
    }

    private func accept(_ request: EnrolmentRequest, _ invitation: Invitation, _ token: EnrolmentToken, from peer: UInt64) throws {
        var used = invitation
        used.usedAt = now
        invitations = invitations.map { $0.secret == used.secret ? used : $0 }
        store(.invitation(used))
        let known = enrolled[request.edge]
        // A new key for a known edge cuts the old one off until the digits are confirmed.
        if known?.status == .confirmed { try link(.setAside(request.edge, .enrolledAnew)); tell(.revoked(request.edge)) }
        if known?.status == .revoked { beginQuarantine(of: request.edge) }
        let edge = EnrolledEdge(
            id: request.edge, name: invitation.name, linkKey: request.linkKey, status: .pending, code: request.code(serverKey: settings.serverKey),
            enrolledAt: now, announced: known?.announced ?? .start)
        beginLinkKeys(of: edge.id, after: request.head ?? Seq(0))
        enrolled[edge.id] = edge
        store(.edge(edge))
        if let key = request.ledgerKey { expect(edge.id, firstKey: key) }
        effect(.admit(linkKeys))
        log(.info, "edge enrolled", "\(edge.name) \(edge.id), to be confirmed")
        let answer = EnrolmentAnswer.accepting(request, as: edge.name, token: token, signer: settings.signingKeys?.publicKey)
        effect(.answerEnrolment(answer.encode(), to: peer))
    }

    /// The ledger of this edge begins under this key, as it said when its six digits were compared.
    private func expect(_ edge: EdgeID, firstKey key: [UInt8]) {
        stores.ledgers.expect(edge, firstKey: key)
        store(.meta(key: Node.firstKeyName(edge), value: Hex.text(key)))
    }
    /// Where control.db keeps it.
    static func firstKeyName(_ edge: EdgeID) -> String { "ledger-key:\(edge)" }

    // MARK: - By a person

    /// Lets an edge in whose digits a person has compared.
    func confirm(_ name: String, code: String) throws {
        guard var edge = enrolled.values.filter({ $0.name == name }).max(by: { ($0.enrolledAt, $0.id) < ($1.enrolledAt, $1.id) }) else {
            throw Problem.noEdge
        }
        guard edge.status != .revoked else { throw Problem.verdict(refused: "\(name) was revoked.", cure: "Invite it again.") }
        guard edge.status == .pending else { return }
        guard code.filter({ $0 != " " && $0 != "-" }) == edge.code else {
            throw Problem.verdict(
                refused: "These are not the six digits of \(name).",
                cure: "Compare with the digits that the edge shows; if they differ, somebody else answered: revoke it and invite again.")
        }
        edge.status = .confirmed
        enrolled[edge.id] = edge
        store(.edge(edge))
        try openOrSetAside(edge)
        effect(.admit(linkKeys))
        log(.info, "edge confirmed", name)
    }

    /// The wall clock was set by `step`. Set back, it would let tokens live on; set forward, it may be right, and ends them as it says.
    func moveInvitations(by step: Span) {
        for index in invitations.indices {
            let old = invitations[index]
            let end = step < .zero ? old.expiresAt + step : old.expiresAt
            invitations[index] = Invitation(
                name: old.name, secret: old.secret, createdAt: old.createdAt, expiresAt: end, usedAt: old.usedAt.map { $0 + step })
            store(.invitation(invitations[index]))
        }
    }

    /// Of a clock that was set back while no process looked: no token has more than its whole life before it.
    private func shortenInvitations() {
        for index in invitations.indices where invitations[index].expiresAt > now + Invitation.life {
            let old = invitations[index]
            invitations[index] = Invitation(
                name: old.name, secret: old.secret, createdAt: old.createdAt, expiresAt: now + Invitation.life, usedAt: old.usedAt)
            store(.invitation(invitations[index]))
        }
    }

    /// Closes the socket after the last invitation and forgets the old ones.
    func tickEnrolment() {
        shortenInvitations()
        for invitation in invitations where now - invitation.expiresAt >= EnrolmentDesk.memory {
            store(.removeInvitation(secret: invitation.secret))
        }
        invitations.removeAll { now - $0.expiresAt >= EnrolmentDesk.memory }
        if enrolment.isOpen, openInvitations.isEmpty, enrolment.asked.isEmpty {
            enrolment.isOpen = false
            effect(.enrolmentSocket(open: false))
        }
    }
}
