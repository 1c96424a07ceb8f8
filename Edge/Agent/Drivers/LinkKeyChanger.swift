// The change of the link's key: made, announced in the ledger, and used once the cloud has the announcement.
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Wire

/// Belongs to the loop's thread. What waits lies in the folder, so that a run that dies leaves it to the next.
struct LinkKeyChanger {
    private let folder: EdgeFolder
    /// The entry that announces the key that waits; nil while this run has announced none.
    private var announced: Seq?
    /// The folder was looked into once in this run.
    private var hasLooked = false
    private var isWaiting = false
    private var search = LinkKeySearch()

    init(folder: EdgeFolder) { self.folder = folder }

    /// Makes a new key and announces it.
    mutating func begin(_ agent: Agent, _ uplink: Uplink?, at clock: ClockReading) throws -> (isDone: Bool, words: String, effects: [AgentEffect]) {
        guard let uplink else { return (false, "This edge has no cloud: enrolling it makes the key known. Nothing was changed.", []) }
        if try folder.waitingLinkKey(.announced) != nil {
            return (false, "A new key waits for the cloud already; it is used once the cloud has it.", [])
        }
        if uplink.phase == .open, !uplink.sender.takesLinkKeys {
            return (false, "The cloud's release knows no change of the link's key: update it first. Nothing was changed.", [])
        }
        let key = try folder.freshLinkKeys(.announced).publicKey
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
    mutating func step(_ agent: Agent, _ uplink: Uplink?, at clock: ClockReading) throws -> [AgentEffect] {
        if !hasLooked {
            isWaiting = try folder.waitingLinkKey(.announced) != nil
            hasLooked = true
        }
        guard isWaiting, let uplink else { return [] }
        guard let key = try folder.waitingLinkKey(.announced) else { isWaiting = false; announced = nil; return [] }
        // Announced twice it is the same key; what a run before announced it need not look for.
        guard let seq = announced else { return try announce(key, agent, at: clock) ?? [] }
        let isRead = uplink.phase == .open && uplink.sender.takesLinkKeys && uplink.acked.seq >= seq
        // A day after the announcement the old key is refused: a run that was not there to change has only the new one left. But a cloud that
        // never had the announcement knows neither.
        if !isRead {
            guard uplink.isKeyRefused, try search.isRead(key, in: agent.journal, acked: uplink.acked.seq) else { return [] }
        }
        try folder.promoteLinkKey(.announced)
        isWaiting = false
        announced = nil
        search = LinkKeySearch()
        Log.write(.info, "link key changed", ["key": Hex.text(key)])
        return []
    }

    /// - Returns: nil when nothing can be written now; it is tried again.
    private mutating func announce(_ key: [UInt8], _ agent: Agent, at clock: ClockReading) throws -> [AgentEffect]? {
        guard let said = try agent.announceLinkKey(old: try folder.linkKeys().publicKey, new: key, at: clock) else { return nil }
        announced = said.seq
        return said.effects
    }
}
