// What the cloud durably knows of an edge's identity, and of invitations of the last day.
package import Ledger
package import Values

/// How far an edge's enrolment has come.
package enum EnrolmentStatus: String, Hashable, Sendable, CaseIterable {
    /// Its keys are here; a person has still to compare the six digits.
    case pending
    case confirmed
    /// Its key is refused for ever; its ledger stays.
    case revoked
}

/// One edge and its keys.
package struct EnrolledEdge: Hashable, Sendable {
    package let id: EdgeID
    package var name: String
    /// The CURVE public key, 32 bytes.
    package var linkKey: [UInt8]
    package var status: EnrolmentStatus
    /// Six digits that both sides show.
    package var code: String
    package var enrolledAt: Instant
    /// The highest head that it ever announced.
    package var announced: Head
    package init(
        id: EdgeID, name: String, linkKey: [UInt8], status: EnrolmentStatus, code: String, enrolledAt: Instant, announced: Head = .start
    ) {
        self.id = id; self.name = name; self.linkKey = linkKey; self.status = status; self.code = code; self.enrolledAt = enrolledAt
        self.announced = announced
    }
}

/// A one-time token that has been given out.
package struct Invitation: Hashable, Sendable {
    /// The name that the edge will have.
    package let name: String
    /// 16 random bytes: the shared secret of one enrolment.
    package let secret: [UInt8]
    package let createdAt: Instant
    package let expiresAt: Instant
    /// When an edge enrolled with it; it is kept a while so that a second use is refused by name.
    package var usedAt: Instant?
    package init(name: String, secret: [UInt8], createdAt: Instant, expiresAt: Instant, usedAt: Instant? = nil) {
        self.name = name; self.secret = secret; self.createdAt = createdAt; self.expiresAt = expiresAt; self.usedAt = usedAt
    }
    /// How long a token may be used, once.
    package static let life = Span.minutes(15)
}
