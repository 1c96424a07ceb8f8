// The change of the link's key: made, announced in the ledger, and used once the cloud has the announcement.
package import Ledger
internal import Platform
package import Sync
package import Values
internal import Wire

/// How the link stands for a change of its key.
package struct LinkKeyView: Sendable {
    /// It has an open session.
    package var isOpen: Bool
    /// The cloud's release reads announcements.
    package var takesLinkKeys: Bool
    /// The cloud has everything up to here.
    package var acked: Seq
    /// The cloud's door refused the present key when it was last tried.
    package var isKeyRefused: Bool

    /// - Parameter isKeyRefused: what the door said.
    package init(_ sender: Sender, acked: Seq, isKeyRefused: Bool) {
        isOpen = sender.phase == .open; takesLinkKeys = sender.takesLinkKeys
        self.acked = acked; self.isKeyRefused = isKeyRefused
    }
}

/// Belongs to the loop's thread. What waits lies in its place, so that a run that dies leaves it to the next.
package struct LinkKeyChanger {
    private let places: any LinkKeyPlaces
    /// The entry that announces the key that waits; nil while this run has announced none.
    private var announced: Seq?
    /// The places were looked at once in this run.
    private var hasLooked = false
    private var isWaiting = false
    private var search = LinkKeySearch()
    /// False in production. A test takes the protection away: a key is used before the cloud has read of it.
    private let isHasty: Bool

    package init(_ places: any LinkKeyPlaces, isHasty: Bool = false) { self.places = places; self.isHasty = isHasty }

    /// Makes a new key and announces it.
    /// - Parameter link: nil for an edge without a cloud.
    /// - Returns: whether it was done, in which words, and what leaves the agent by it.
    package mutating func begin(
        _ agent: Agent, _ link: LinkKeyView?, at clock: ClockReading
    ) throws -> (isDone: Bool, words: String, effects: [AgentEffect]) {
        guard let link else { return (false, "This edge has no cloud: enrolling it makes the key known. Nothing was changed.", []) }
        if try places.waitingLinkKey() != nil {
            return (false, "A new key waits for the cloud already; it is used once the cloud has it.", [])
        }
        if link.isOpen, !link.takesLinkKeys {
            return (false, "The cloud's release knows no change of the link's key: update it first. Nothing was changed.", [])
        }
        let key = try places.freshLinkKey()
        hasLooked = true
        isWaiting = true
        let effects = try announce(key, agent, at: clock)
        return (
            true,
            "A new key is \(effects == nil ? "made" : "announced"); the link changes to it once the cloud has read so. Copy the folder keys/ again then.",
            effects ?? []
        )
    }

    /// Once a second: announces what waits, and takes it up when the cloud has read so.
    package mutating func step(_ agent: Agent, _ link: LinkKeyView?, at clock: ClockReading) throws -> [AgentEffect] {
        if !hasLooked {
            isWaiting = try places.waitingLinkKey() != nil
            hasLooked = true
        }
        guard isWaiting, let link else { return [] }
        guard let key = try places.waitingLinkKey() else { isWaiting = false; announced = nil; return [] }
        // Announced twice it is the same key; what a run before announced it need not look for.
        guard let seq = announced else { return try announce(key, agent, at: clock) ?? [] }
        let isRead = isHasty || (link.isOpen && link.takesLinkKeys && link.acked >= seq)
        // A day after the announcement the old key is refused: a run that was not there to change has only the new one left. But a cloud that
        // never had the announcement knows neither.
        if !isRead {
            guard link.isKeyRefused, try search.isRead(key, in: agent.journal, acked: link.acked) else { return [] }
        }
        try places.promoteLinkKey()
        isWaiting = false
        announced = nil
        search = LinkKeySearch()
        Log.write(.info, "link key changed", ["key": Hex.text(key)])
        return []
    }

    /// - Returns: nil when nothing can be written now; it is tried again.
    private mutating func announce(_ key: [UInt8], _ agent: Agent, at clock: ClockReading) throws -> [AgentEffect]? {
        guard let said = try agent.announceLinkKey(old: try places.linkKey(), new: key, at: clock) else { return nil }
        announced = said.seq
        return said.effects
    }
}
