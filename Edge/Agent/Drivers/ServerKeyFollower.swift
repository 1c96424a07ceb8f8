// The edge follows its cloud to another key of the link: kept in a file first, said in the ledger then, and in its place once the cloud answered by it.
package import Ledger
internal import Platform
internal import Values
internal import Wire

/// Where the cloud's link keys lie on whatever keeps them. Every call is durable on return.
package protocol ServerKeyPlaces {
    /// The key by which the cloud answers, 32 bytes; nil for an edge without a cloud.
    func serverKey() throws -> [UInt8]?
    /// The one that it announced; nil when there is none.
    func nextServerKey() throws -> [UInt8]?
    /// Keeps an announced one beside the present one, in the place of another.
    func keepServerKey(_ key: [UInt8]) throws
    /// The cloud answered by this key: it is the present one, and none waits.
    func promoteServerKey(_ key: [UInt8]) throws
}

/// Belongs to the loop's thread.
package struct ServerKeyFollower {
    private let places: any ServerKeyPlaces
    /// Announced, and not written down by this run.
    private var heard: ServerKeyFact?
    private var written: ServerKeyFact?
    /// The cloud answered by it, and its file does not say so yet.
    private var answered: [UInt8]?

    package init(_ places: any ServerKeyPlaces) { self.places = places }

    /// The cloud said so when a session was opened.
    package mutating func hear(_ word: ServerKeyFact) { heard = word }
    /// A session showed that this key is the cloud's.
    package mutating func answered(by key: [UInt8]) { answered = key }

    /// Once a second: keeps what was heard, and writes it down.
    /// - Returns: what leaves the agent by it, and a key that the link may try from now on.
    /// - Throws: what the places throw, before anything was written into the ledger; `AgentFailure`.
    package mutating func step(_ agent: Agent, at clock: ClockReading) throws -> (effects: [AgentEffect], mayTry: [UInt8]?) {
        if let key = answered {
            try places.promoteServerKey(key)
            answered = nil
            Log.write(.info, "the cloud answers by another key", ["key": Hex.text(key)])
        }
        // Before any key of the cloud's is believed nobody can say whose word it is; the first one comes within a minute.
        guard let word = heard, agent.journal.trust.key != nil else { return ([], nil) }
        // What speaks of another key than the present one is for another cloud, or for a time that is over.
        guard try places.serverKey() == word.old, word.key != word.old, word.isSigned,
            agent.journal.trust.believes(word.signer, at: clock.wall)
        else {
            heard = nil
            Log.write(.warning, "an announced key of the cloud's link is not taken", ["key": Hex.text(word.key), "signer": Hex.text(word.signer)])
            return ([], nil)
        }
        // The file first: who reads in the ledger that this edge knows the key may change to it.
        if try places.nextServerKey() != word.key { try places.keepServerKey(word.key) }
        // Said once a run; kept each time, as an enrolment in between writes the file anew.
        if word == written {
            heard = nil
            return ([], word.key)
        }
        guard let effects = try agent.note(word, at: clock) else { return ([], word.key) }
        heard = nil
        written = word
        return (effects, word.key)
    }
}
