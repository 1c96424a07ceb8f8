// The time before a run's first entry: the link is opened, and a ledger that was set back takes from the cloud what it lost.
internal import Ledger
internal import Platform
internal import Sync
internal import Values

/// What came of it.
package struct Greeting {
    /// Open or opening; nil for an edge that is not enrolled.
    var uplink: Uplink?
    /// Entries that came back, to be noted in the ledger.
    var healed: HealedFact?
    /// A person's decision that this run carries out: already half done for the cloud's history, or just heard.
    var settlement: Settlement?
    /// A decision just heard that this ledger's branch is to be given up: no run begins.
    var givingUp: Settlement?
    /// Why trading is halted from the start.
    var trouble: Trouble?
    package init() {}

    /// Waits until the run may write, or is asked to stop.
    /// - Parameters:
    ///   - isShort: the head mark says that entries are missing here.
    ///   - fold: gets each entry that came back, in order, once it is durable.
    static func greet(_ inbox: EdgeInbox, _ journal: Journal, _ boot: Boot, _ folder: EdgeFolder, isShort: Bool = false, fold: (Entry) -> Void) throws
        -> Greeting
    {
        var greeting = Greeting()
        let messages = inbox.open()
        let link: UplinkSettings?
        do throws(EdgeFolderError) { link = try folder.uplink() } catch {
            // Trading goes on without a cloud; the loop says the words and looks again.
            return greeting
        }
        guard let link else { return greeting }
        let uplink = try Uplink(link, journal: journal, identity: try identity(journal, boot, mayHeal: true)) { messages.post(.link($0)) }
        greeting.uplink = uplink
        greeting.settlement = try unfinished(journal)
        var gate = StartGate(at: SystemClock.monotonic(), mustHear: greeting.settlement != nil, isShort: isShort)
        var from: Seq?
        while inbox.stopReason == nil {
            inbox.loop.turn(milliseconds: 20)
            let clock = ClockReading(wall: SystemClock.now(), monotonic: SystemClock.monotonic())
            for event in inbox.linkEvents { try uplink.receive(event, at: clock) }
            inbox.linkEvents.removeAll(keepingCapacity: true)
            while let entries = uplink.takeHealing() {
                try journal.adopt(entries)
                for entry in entries { fold(entry) }
                from = from ?? entries.first?.seq
                try uplink.healed(entries, at: clock)
            }
            try uplink.tick(at: clock)
            if let settlement = uplink.takeSettlement() {
                if settlement.kept == .cloud { greeting.givingUp = settlement } else { greeting.settlement = settlement }
                break
            }
            let decision = gate.decide(uplink.sender, isKeyRefused: uplink.isKeyRefused, at: clock.monotonic)
            guard decision != .wait else { continue }
            if case .startHalted(let trouble) = decision { greeting.trouble = trouble }
            break
        }
        if let from {
            greeting.healed = HealedFact(from: from, to: journal.head.seq, source: "cloud")
            Log.write(.warning, "entries came back from the cloud", ["from": "\(from)", "to": "\(journal.head.seq)"])
        }
        return greeting
    }

    /// A decision for the cloud's history whose first entry is not written yet.
    private static func unfinished(_ journal: Journal) throws(JournalError) -> Settlement? {
        guard let settlement = try journal.settlement() else { return nil }
        if settlement.epoch > journal.last?.epoch ?? 0 { return settlement }
        try journal.forgetSettlement()
        return nil
    }

    static func identity(_ journal: Journal, _ boot: Boot, mayHeal: Bool) throws(JournalError) -> Identity {
        Identity(
            edge: journal.edge, boot: boot, epoch: journal.last?.epoch ?? 1, release: Version.product, mayHeal: mayHeal,
            incarnation: try journal.incarnation())
    }
}

/// One owner, one thread.
@available(*, unavailable) extension Greeting: Sendable {}
