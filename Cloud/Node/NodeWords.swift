// What happens to the node, and what it wants done: the whole border between its turns and the world.
package import Control
package import Ledger
package import Platform
package import Sync
package import Values
package import Wire

/// What happened, in the order of arrival.
package enum NodeInput: Sendable {
    /// A frame of an enrolled edge's connection.
    case frame([UInt8], from: Peer)
    /// A connection is known to be gone.
    case gone(Peer)
    /// Frames of this edge were lost here, because too many waited.
    case flooded(EdgeID)
    /// A key that nobody enrolled knocked at the link's door.
    case stranger(key: [UInt8], address: String)
    /// A frame on the enrolment socket, from a connection that proved to hold `key`.
    case enrolment([UInt8], key: [UInt8], from: UInt64)
    /// The enrolment socket is open on this port; nil when it could not be opened.
    case enrolmentOpen(port: Int?)
    case request(UInt64, Request)
    /// What became of `.checkPassword`.
    case passwordChecked(UInt64, fits: Bool)
    /// What became of `.hashPassword`; nil when there was no memory for it.
    case passwordHashed(UInt64, String?)
    /// A WebSocket is open; its request says which stream it wants and who it is.
    case streamOpened(UInt64, Request)
    case streamClosed(UInt64)
    /// Numbers of the shell for `/metrics`, by name.
    case gauges([Gauge])
    /// Nothing else is to do: books that were left behind may follow.
    case follow
    /// At least four times a second.
    case tick
    /// The process stops in order.
    case stop
}

/// What the shell does once the turn has returned: everything it rests on is durable then.
package enum NodeEffect: Sendable, Equatable {
    case send([UInt8], to: Peer)
    case answerEnrolment([UInt8], to: UInt64)
    /// Open or close the enrolment socket; opening is answered by `.enrolmentOpen`.
    case enrolmentSocket(open: Bool)
    case respond(UInt64, Answer)
    /// One text message to each of these streams.
    case push([UInt8], to: [UInt64])
    case closeStream(UInt64, code: UInt16, reason: String)
    /// Answered by `.passwordChecked` of the same number.
    case checkPassword(UInt64, password: String, hash: String)
    /// Answered by `.passwordHashed` of the same number.
    case hashPassword(UInt64, password: String)
    /// Whom the link's door lets in from now on.
    case admit([LinkKey])
    case log(LogLevel, String, String)
}

/// A key that the link's door knows.
package struct LinkKey: Hashable, Sendable {
    package let key: [UInt8]
    package let edge: EdgeID
    /// False while a person has still to confirm the six digits: the door says "not now".
    package let isConfirmed: Bool
    package init(key: [UInt8], edge: EdgeID, isConfirmed: Bool) { self.key = key; self.edge = edge; self.isConfirmed = isConfirmed }
}

/// One number for `/metrics`.
package struct Gauge: Hashable, Sendable {
    package let name: String
    package let help: String
    package let value: Int
    /// A counter only grows; a gauge is what is now.
    package let isCounter: Bool
    package init(_ name: String, _ help: String, _ value: Int, isCounter: Bool = false) {
        self.name = name; self.help = help; self.value = value; self.isCounter = isCounter
    }
}

/// What a node is told once, at its start.
package struct NodeSettings: Sendable {
    /// The host that edges dial, and the port of the link as they dial it.
    package var linkHost: String
    package var linkPort: Int
    /// The port of the enrolment socket as edges dial it; nil when it is the one the socket opens on.
    package var enrolmentPort: Int?
    /// This cloud's CURVE public key.
    package var serverKey: [UInt8]
    /// At least 32 bytes; signs bearer tokens.
    package var tokenKey: [UInt8]
    /// Hash of a password nobody has.
    package var decoyHash: String
    package var release: String
    /// What the link's receiver keeps to; only tests pass others.
    package var linkRules = Rules()
    /// Countersigns the heads of the edges' ledgers; nil for a cloud that is nobody's witness.
    package var signingKeys: SigningKeys?
    /// What the keys before it announced, oldest first.
    package var signerChanges: [CloudKeyChange] = []
    /// What it announces of this cloud's CURVE key; nil while that stays.
    package var serverKeyChange: ServerKeyFact?
    /// Production's, but for worlds with a planted fault.
    package var outboxRules = OutboxRules()
    /// Compares stored bytes with each edge's every night; the process does, a test asks.
    package var comparesNightly = false
    /// Rows that one question for entries of some kinds looks through; another number in tests.
    package var ledgerScanMax = EdgeLedgers.scanMax
    /// Fresh random bytes; the world passes a seeded source.
    package var random: @Sendable (Int) -> [UInt8]

    package init(
        linkHost: String = "127.0.0.1", linkPort: Int = 5_570, enrolmentPort: Int? = nil, serverKey: [UInt8], tokenKey: [UInt8], decoyHash: String,
        release: String = Version.product, random: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.linkHost = linkHost; self.linkPort = linkPort; self.enrolmentPort = enrolmentPort; self.serverKey = serverKey
        self.tokenKey = tokenKey; self.decoyHash = decoyHash; self.release = release; self.random = random
    }
}
