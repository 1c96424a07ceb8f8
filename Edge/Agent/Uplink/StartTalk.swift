// What comes before a run's first entry, without thread or socket: lost entries that come back, a person's decision, and when the run may write.
package import Ledger
package import Platform
package import Sync
internal import Trading
package import Values
package import Wire

/// What came of the talk with the cloud.
package struct StartFindings: Hashable, Sendable {
    /// Entries that came back, to be noted in the ledger.
    package var healed: HealedFact?
    /// A person's decision that this run carries out: already half done for the cloud's history, or just heard.
    package var settlement: Settlement?
    /// A decision just heard that this ledger's branch is to be given up: no run begins.
    package var givingUp: Settlement?
    /// Why trading is halted from the start.
    package var trouble: Trouble?
    package init() {}

    /// The decision that the cloud's entries came back by; the run's first entries carry it out.
    package var adopted: Settlement? { settlement?.kept == .cloud ? settlement : nil }
    /// What the run's first turn is told.
    package var inputs: [AgentInput] {
        var inputs: [AgentInput] = []
        if let trouble { inputs.append(trouble.halt) }
        if let settlement, settlement.kept == .edge { inputs.append(.settle(settlement)) }
        return inputs
    }
}

/// The talk itself, fed by whoever moves the frames. Times are of the boot clock.
package struct StartTalk {
    package private(set) var findings = StartFindings()
    private var gate: StartGate

    /// - Parameter isShort: the head mark says that entries are missing here.
    /// - Throws: when the journal's note of an unfinished decision cannot be read.
    package init(_ journal: Journal, isShort: Bool, at now: Span) throws(JournalError) {
        findings.settlement = try StartTalk.unfinished(journal)
        mustHear = findings.settlement != nil || journal.stillMissing != nil
        gate = StartGate(at: now, mustHear: mustHear, isShort: isShort)
    }
    /// The cloud has this ledger's end for certain: nothing is written before it has spoken.
    package let mustHear: Bool

    /// A piece of what was lost: durable on return, and folded.
    /// - Parameters:
    ///   - end: how far the cloud said that the ledger came.
    ///   - reserve: given up when the disk is full: what comes back is the ledger, too.
    /// - Throws: `.unsigned` for a piece with a signature that does not hold; nothing of it is written then.
    package mutating func takeBack(
        _ entries: [Entry], of end: Seq?, into journal: Journal, reserve: (any DiskReserve)? = nil, fold: (Entry) -> Void
    ) throws(JournalError) {
        do throws(JournalError) { try journal.adopt(entries, of: end) } catch {
            guard error.isDiskFull, let reserve, reserve.isHeld else { throw error }
            journal.isShortOfRoom = true
            reserve.release()
            try journal.adopt(entries, of: end)
        }
        for entry in entries { fold(entry) }
    }

    /// To be asked after every change of the link and at least ten times a second.
    /// - Parameter decided: a person's decision that the cloud has just told.
    /// - Returns: true when the run may write, or has to end because its branch is given up; `findings` says which.
    /// - Throws: when what came back cannot be read.
    package mutating func isOver(
        _ sender: Sender, _ decided: Settlement?, isKeyRefused: Bool = false, of journal: Journal, at now: Span
    ) throws(JournalError) -> Bool {
        if let decided {
            if decided.kept == .cloud { findings.givingUp = decided } else { findings.settlement = decided }
        } else {
            switch gate.decide(sender, isKeyRefused: isKeyRefused, at: now) {
            case .wait: return false
            case .start: break
            case .startHalted(let trouble): findings.trouble = trouble
            }
        }
        // Also what a run before took back and died over.
        findings.healed = journal.adoptedFrom.map { HealedFact(from: $0, to: journal.head.seq, source: "cloud") }
        if findings.trouble == nil, let from = journal.adoptedFrom, let seq = try journal.unsignedLoosening(from: from) {
            findings.trouble = Trouble(
                code: "UNSIGNED_RESUME",
                text: "entry \(seq), which came back from the cloud, lets trading go on, and no signature of this edge covers it",
                cure: "Nothing from afar may lift a halt. Look whether it was you, then let trading go on here.", ends: false)
        }
        return true
    }

    /// A decision for the cloud's history whose first entry is not written yet.
    private static func unfinished(_ journal: Journal) throws(JournalError) -> Settlement? {
        guard let settlement = try journal.settlement() else { return nil }
        if settlement.epoch > journal.last?.epoch ?? 0 { return settlement }
        try journal.forgetSettlement()
        return nil
    }

    /// Who the run says it is.
    /// - Parameters:
    ///   - mayHeal: true for a run that has written nothing yet.
    ///   - greeted: the number of the last HELLO of this run. Whoever goes on counts on from there: the cloud hears no number twice.
    package static func identity(
        _ journal: Journal, _ boot: Boot, release: String, mayHeal: Bool, after greeted: Int64 = 0
    ) throws(JournalError) -> Identity {
        var identity = Identity(
            edge: journal.edge, boot: boot, epoch: journal.last?.epoch ?? 1, release: release, mayHeal: mayHeal,
            incarnation: try journal.incarnation(), signer: journal.signer, attempts: max(attempts(of: boot), greeted))
        identity.formerStores = try journal.formerStores()
        identity.gaps = try journal.gaps()
        return identity
    }

    /// Where the numbers of a run's HELLOs begin: a random place, with room for a million.
    private static func attempts(of boot: Boot) -> Int64 { Int64(boot.raw >> 20) << 20 }

    /// Seals this ledger's branch and cuts it off, as a person decided; the next run takes the cloud's history.
    /// - Parameter makeBranch: opens an empty log for the branch of an epoch, which begins after a head.
    /// - Returns: false when the ledger is not the one that was decided about; nothing is done then.
    package static func giveUp(
        _ settlement: Settlement, _ journal: Journal, mark: any MarkStore, at now: Instant,
        makeBranch: (UInt32, LogHead) throws(JournalError) -> any JournalStore
    ) throws -> Bool {
        guard journal.head == settlement.dispute.edgeHead else { return false }
        let common = settlement.dispute.common
        // Before the mark is set back: an edge that keeps its ledger keeps what guards it.
        guard common.seq >= journal.compacted else { throw JournalError.moved(common: common.seq, last: journal.compacted) }
        let branch = try makeBranch(journal.last?.epoch ?? 1, LogHead(seq: common.seq.raw, hash: common.hash))
        // Before the cut: a mark behind the ledger is in order, a ledger behind its mark is not.
        let before = HeadMark(edge: journal.edge, epoch: settlement.epoch - 1, head: common, writtenAt: now)
        do throws(MarkError) { try mark.write(before.bytes) } catch { throw AgentFailure.mark(error) }
        try journal.giveUp(settlement, into: branch)
        return true
    }
}

extension Trouble {
    /// Another history of this edge may be trading: this one stops until somebody has looked. What rests at the broker stays.
    package var halt: AgentInput { .desk(.halt(source: "link:\(code)", reason: "\(text). \(cure)")) }
}
