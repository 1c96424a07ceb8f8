// A wish on its way to become a command, and the answers it can get.
package import Ledger
package import Values

/// What a signed-in user asks of an edge.
package struct Ask: Hashable, Sendable {
    /// The idempotency key: asking twice with one id is asking once.
    package let id: CommandID
    package let edge: EdgeID
    package let user: String
    package let body: CommandBody
    /// One line for people.
    package let title: String
    /// Hash of the request as it came.
    package let fingerprint: [UInt8]
    package init(id: CommandID, edge: EdgeID, user: String, body: CommandBody, title: String, fingerprint: [UInt8]) {
        self.id = id; self.edge = edge; self.user = user; self.body = body; self.title = title; self.fingerprint = fingerprint
    }

    func command(at now: Instant) -> Command {
        Command(
            id: id, edge: edge, issuer: "cloud:\(user)", tier: body.tier, issuedAt: now, expiresAt: body.lifetime.map { now + $0 }, body: body)
    }
}

/// Why a command was not taken.
package enum AskRefusal: Hashable, Sendable {
    case unknownEdge
    /// The id was used for another request.
    case keyReused
    /// Nothing is opened through an edge that is not heard.
    case edgeSilent(name: String)
    case halted(HaltLevel, HaltFact?)
    case tooManyOpen
}

/// What became of an ask.
package enum AskVerdict: Hashable, Sendable {
    case queued(CommandRecord)
    /// The same wish was taken before; this is how far it has come.
    case repeated(CommandRecord)
    case refused(AskRefusal)
}

extension CommandBody {
    /// The trust tier that the edge will ask for: 0 lowers risk, 2 opens.
    package var tier: Int64 {
        switch self {
        case .order: 2
        case .close, .cancel, .halt, .watch: 0
        }
    }
}
