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
    /// What the person saw.
    package var expects: Expectation?
    /// The waiting command that this one is to replace.
    package var supersedes: CommandID?
    /// The edge is enrolled, and is not shown for now: nothing is known of it, and a halt waits for it all the same.
    package var isOfUnseen = false
    package init(id: CommandID, edge: EdgeID, user: String, body: CommandBody, title: String, fingerprint: [UInt8]) {
        self.id = id; self.edge = edge; self.user = user; self.body = body; self.title = title; self.fingerprint = fingerprint
    }

    func command(mode: TradingMode?, at now: Instant) -> Command {
        var command = Command(
            id: id, edge: edge, issuer: "cloud:\(user)", tier: body.tier, issuedAt: now, expiresAt: body.lifetime.map { now + $0 }, body: body)
        command.mode = mode; command.expects = expects; command.supersedes = supersedes
        return command
    }
}

/// Why a command was not taken.
package enum AskRefusal: Hashable, Sendable {
    case unknownEdge
    /// The id was used for another request.
    case keyReused
    /// Nothing is opened through an edge that is not heard.
    case edgeSilent(name: String)
    /// The edge has entries that its book here does not hold yet (0: they are here and not read): nothing is opened on what is not so any more.
    case bookBehind(name: String, entries: UInt64)
    case halted(HaltLevel, HaltFact?)
    case tooManyOpen
    /// The command that was to be taken back or replaced is not known.
    case unknownCommand
    /// It has been decided, so that nothing is left to take back or to replace.
    case alreadyDecided(CommandRecord)
    /// A halt is not taken back, and neither is a taking back.
    case staysAsked
}

/// What became of an ask.
package enum AskVerdict: Hashable, Sendable {
    case queued(CommandRecord)
    /// The same wish was taken before; this is how far it has come.
    case repeated(CommandRecord)
    case refused(AskRefusal)
}

extension Ask {
    /// The command that this one takes back.
    var withdraws: CommandID? { if case .withdraw(let id, _, _) = body { id } else { nil } }
}
