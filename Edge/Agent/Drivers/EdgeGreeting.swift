// The time before a run's first entry: the link is opened, and a ledger that was set back takes from the cloud what it lost.
internal import Ledger
internal import Platform
internal import Sync
internal import Values

/// What came of it.
package struct Greeting {
    /// Open or opening; nil for an edge that is not enrolled.
    var uplink: Uplink?
    var findings = StartFindings()
    package init() {}

    /// Waits until the run may write, or is asked to stop.
    /// - Parameters:
    ///   - isShort: the head mark says that entries are missing here.
    ///   - reserve: room for what comes back.
    ///   - fold: gets each entry that came back, in order, once it is durable.
    static func greet(
        _ inbox: EdgeInbox, _ journal: Journal, _ boot: Boot, _ folder: EdgeFolder, isShort: Bool = false, reserve: (any DiskReserve)? = nil,
        fold: (Entry) -> Void
    ) throws -> Greeting {
        var greeting = Greeting()
        // From here on a signal is a wish to stop.
        _ = inbox.open()
        var talk = try StartTalk(journal, isShort: isShort, at: SystemClock.monotonic())
        let link: UplinkSettings?
        do throws(EdgeFolderError) { link = try folder.uplink() } catch {
            // A ledger that was cut for the cloud's history, or took back a part of it, must not grow another: without the cloud it does not start.
            if talk.mustHear { throw error }
            // Trading goes on without a cloud; the loop says the words and looks again.
            return greeting
        }
        guard let link else {
            if talk.mustHear { throw EdgeFolderError.damaged(path: folder.path + "/keys/cloud.json") }
            return greeting
        }
        if let end = journal.stillMissing {
            Log.write(.warning, "entries are still to come back: nothing is begun before the cloud has sent them", ["to": "\(end)"])
        }
        let uplink = try Uplink(link, journal: journal, identity: try identity(journal, boot, mayHeal: true), events: inbox.linkHandler())
        greeting.uplink = uplink
        while inbox.stopReason == nil {
            inbox.loop.turn(milliseconds: 20)
            let clock = ClockReading.present()
            for event in inbox.takeLinkEvents() { try uplink.receive(event, at: clock) }
            while let entries = uplink.takeHealing() {
                do throws(JournalError) { try talk.takeBack(entries, of: uplink.sender.behind, into: journal, reserve: reserve, fold: fold) } catch {
                    guard case .unsigned(let words) = error else { throw error }
                    try uplink.healRefused(words, at: clock)
                    continue
                }
                try uplink.healed(entries, at: clock)
            }
            try uplink.tick(at: clock)
            let decided = uplink.takeSettlement()
            if try talk.isOver(uplink.sender, decided, isKeyRefused: uplink.isKeyRefused, of: journal, at: clock.monotonic) { break }
        }
        greeting.findings = talk.findings
        if let healed = talk.findings.healed {
            Log.write(.warning, "entries came back from the cloud", ["from": "\(healed.from)", "to": "\(healed.to)"])
        }
        return greeting
    }

    static func identity(_ journal: Journal, _ boot: Boot, mayHeal: Bool, after greeted: Int64 = 0) throws(JournalError) -> Identity {
        try StartTalk.identity(journal, boot, release: Version.product, mayHeal: mayHeal, after: greeted)
    }
}

/// One owner, one thread.
@available(*, unavailable) extension Greeting: Sendable {}
