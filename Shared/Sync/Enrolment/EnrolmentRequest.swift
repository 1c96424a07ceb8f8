// ENROL and its answer: an edge shows its new key, proved by the token's secret; the cloud answers, proved by the same.
package import Values
internal import Wire

/// Why an enrolment message is not read.
package enum EnrolmentError: Error, Hashable, Sendable {
    /// Longer than one frame of the enrolment socket may be.
    case tooLong
    case notJSON
    /// A member is missing or has the wrong shape.
    case field(String)
}

/// An edge's request to be known: its identity, its key, and the proof that it holds an invitation.
package struct EnrolmentRequest: Hashable, Sendable {
    /// Sixteen random bytes the edge drew for itself.
    package let edge: EdgeID
    /// The edge's CURVE public key, 32 bytes.
    package let linkKey: [UInt8]
    /// The key that signed, or will sign, the ledger's first checkpoint, 32 bytes; nil from edges of older releases.
    package let ledgerKey: [UInt8]?
    /// Where the edge's ledger ends: what it announced of its link's keys up to there is history, whoever gets it. Nil from edges of older
    /// releases. No part of the proof, which older clouds would not know: it lets nobody in.
    package let head: Seq?
    /// Names the invitation without giving its secret away: 8 bytes of the secret's hash.
    package let invitation: [UInt8]
    /// HMAC-SHA-256 over the rest with the secret.
    package let proof: [UInt8]

    /// The longest frame either side sends, in bytes.
    package static let bytesMax = 1024

    /// The request of an edge that holds `token`.
    package init(edge: EdgeID, linkKey: [UInt8], ledgerKey: [UInt8]? = nil, head: Seq? = nil, token: EnrolmentToken) {
        self.edge = edge; self.linkKey = linkKey; self.ledgerKey = ledgerKey; self.head = head
        invitation = Self.invitation(of: token.secret)
        proof = Hashing.hmacSHA256(
            Self.transcript(edge: edge, linkKey: linkKey, ledgerKey: ledgerKey, serverKey: token.serverKey), key: token.secret)
    }

    /// What a request names its invitation by.
    package static func invitation(of secret: [UInt8]) -> [UInt8] {
        Array(Hashing.blake2b(Array("tidewire invitation".utf8) + secret).prefix(8))
    }

    /// Whether whoever made this request held the token: the same key of the cloud, the same secret, nothing changed on the way.
    package func isProved(by token: EnrolmentToken) -> Bool {
        Hashing.constantTimeEqual(
            proof,
            Hashing.hmacSHA256(
                Self.transcript(edge: edge, linkKey: linkKey, ledgerKey: ledgerKey, serverKey: token.serverKey), key: token.secret))
    }

    /// Six digits that a person compares on both screens; they depend on both keys and the edge's identity.
    package func code(serverKey: [UInt8]) -> String {
        let hash = Hashing.blake2b(
            Array("tidewire code".utf8) + Self.transcript(edge: edge, linkKey: linkKey, ledgerKey: ledgerKey, serverKey: serverKey))
        let number = hash.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % 1_000_000
        let digits = String(number)
        return String(repeating: "0", count: 6 - digits.count) + digits
    }

    static func transcript(edge: EdgeID, linkKey: [UInt8], ledgerKey: [UInt8]?, serverKey: [UInt8]) -> [UInt8] {
        Array("tidewire enrol 1".utf8) + serverKey + edge.bytes + linkKey + (ledgerKey ?? [])
    }

    /// The frame's bytes.
    package func encode() -> [UInt8] {
        var members = [
            JSONMember("type", "enrol"), JSONMember("edge", .string(edge.description)), JSONMember("key", .string(Hex.text(linkKey))),
            JSONMember("invitation", .string(Hex.text(invitation))), JSONMember("proof", .string(Hex.text(proof))),
        ]
        if let ledgerKey { members.append(JSONMember("ledgerKey", .string(Hex.text(ledgerKey)))) }
        if let head { members.append(JSONMember("head", .integer(Int64(clamping: head.raw)))) }
        return JSONWriter.plain(.object(members))
    }

    /// Reads a frame; the proof is not checked here.
    package init(_ bytes: [UInt8]) throws(EnrolmentError) {
        let fields = try EnrolmentFields(bytes, type: "enrol")
        guard let edge = EdgeID(hex: try fields.text("edge")) else { throw .field("edge") }
        self.edge = edge
        linkKey = try fields.bytes("key", count: 32)
        ledgerKey = fields.value["ledgerKey"] == nil ? nil : try fields.bytes("ledgerKey", count: 32)
        head = fields.value["head"]?.integerValue.flatMap { UInt64(exactly: $0) }.map { Seq($0) }
        invitation = try fields.bytes("invitation", count: 8)
        proof = try fields.bytes("proof", count: 32)
    }
}

/// The key that the cloud countersigns by, 32 bytes, and the proof by the token's secret that it is the cloud's.
package struct ShownSigner: Hashable, Sendable {
    package let key: [UInt8]
    let proof: [UInt8]
}

/// What the cloud answers to ENROL.
package enum EnrolmentAnswer: Hashable, Sendable {
    /// The key is noted under this name; a person has still to confirm the six digits. The proof shows that the cloud holds the secret.
    /// With it comes the key that the cloud countersigns by; nil from clouds of older releases, and from one that is nobody's witness.
    case accepted(name: String, code: String, proof: [UInt8], signer: ShownSigner? = nil)
    /// Refused, with the reason and its cure in words.
    case refused(String)

    /// The acceptance of `request` by the cloud that gave out `token`.
    /// - Parameter signer: the public half of the key that the cloud countersigns by.
    package static func accepting(
        _ request: EnrolmentRequest, as name: String, token: EnrolmentToken, signer: [UInt8]? = nil
    ) -> EnrolmentAnswer {
        .accepted(
            name: name, code: request.code(serverKey: token.serverKey), proof: proof(request, name: name, token: token),
            signer: signer.map { ShownSigner(key: $0, proof: proof(request, signer: $0, token: token)) })
    }

    /// Whether an acceptance was made by the cloud that gave out the token, for this very request. A refusal proves nothing.
    package func isProved(for request: EnrolmentRequest, by token: EnrolmentToken) -> Bool {
        guard case .accepted(let name, let code, let proof, let signer) = self else { return false }
        if let signer, !Hashing.constantTimeEqual(signer.proof, Self.proof(request, signer: signer.key, token: token)) { return false }
        return code == request.code(serverKey: token.serverKey)
            && Hashing.constantTimeEqual(proof, Self.proof(request, name: name, token: token))
    }

    private static func proof(_ request: EnrolmentRequest, name: String, token: EnrolmentToken) -> [UInt8] {
        Hashing.hmacSHA256(Array("tidewire enrolled 1".utf8) + said(request, token) + Array(name.utf8), key: token.secret)
    }
    /// A proof of its own: an edge of an older release does not know of it.
    private static func proof(_ request: EnrolmentRequest, signer: [UInt8], token: EnrolmentToken) -> [UInt8] {
        Hashing.hmacSHA256(Array("tidewire signer 1".utf8) + said(request, token) + signer, key: token.secret)
    }
    private static func said(_ request: EnrolmentRequest, _ token: EnrolmentToken) -> [UInt8] {
        EnrolmentRequest.transcript(edge: request.edge, linkKey: request.linkKey, ledgerKey: request.ledgerKey, serverKey: token.serverKey)
    }

    package func encode() -> [UInt8] {
        switch self {
        case .accepted(let name, let code, let proof, let signer):
            JSONWriter.plain(
                .object(
                    [
                        JSONMember("type", "enrolled"), JSONMember("name", .string(name)), JSONMember("code", .string(code)),
                        JSONMember("proof", .string(Hex.text(proof))),
                    ]
                        + (signer.map {
                            [JSONMember("signer", .string(Hex.text($0.key))), JSONMember("signerProof", .string(Hex.text($0.proof)))]
                        } ?? [])))
        case .refused(let reason): JSONWriter.plain(["type": "refused", "reason": .string(reason)])
        }
    }

    package init(_ bytes: [UInt8]) throws(EnrolmentError) {
        if let refusal = try? EnrolmentFields(bytes, type: "refused") { self = .refused(try refusal.text("reason")); return }
        let fields = try EnrolmentFields(bytes, type: "enrolled")
        let signer =
            fields.value["signer"] == nil
            ? nil : ShownSigner(key: try fields.bytes("signer", count: 32), proof: try fields.bytes("signerProof", count: 32))
        self = .accepted(
            name: try fields.text("name"), code: try fields.text("code"), proof: try fields.bytes("proof", count: 32), signer: signer)
    }
}

/// The members of an enrolment frame, each named when it is wrong.
private struct EnrolmentFields {
    let value: JSONValue
    init(_ bytes: [UInt8], type: String) throws(EnrolmentError) {
        guard bytes.count <= EnrolmentRequest.bytesMax else { throw .tooLong }
        do { value = try JSONReader.read(bytes) } catch { throw .notJSON }
        guard value["type"]?.text == type else { throw .field("type") }
    }
    func text(_ key: String) throws(EnrolmentError) -> String {
        guard let text = value[key]?.text else { throw .field(key) }
        return text
    }
    func bytes(_ key: String, count: Int) throws(EnrolmentError) -> [UInt8] {
        guard let bytes = Hex.bytes(try text(key)), bytes.count == count else { throw .field(key) }
        return bytes
    }
}
