// The edge's end of the link as one synchronous part: the sender with the ledger it reads from. Its driver moves frames, clocks and commands.
package import Ledger
internal import Platform
package import Sync
package import Values

/// Where the uplink reads entries from: the journal itself, or a read-only connection of the uplink's own thread.
package protocol LedgerReader: AnyObject {
    /// Entries from `seq` on, checked, at most `limit` or `maxBytes`, at least one when there is one.
    func read(from seq: Seq, limit: Int, maxBytes: Int) throws(JournalError) -> [Entry]
    /// The entries of these numbers as the disk has them now, unchecked; nil where nothing can be read.
    func stored(from: Seq, through: Seq) throws(JournalError) -> [Entry?]
}

extension Journal: LedgerReader {}

/// What the driver does for the uplink, in order.
package enum UplinkEffect: Equatable, Sendable {
    case send(Lane, [UInt8])
    /// Into the agent's next turn as `AgentInput.command`.
    case deliver(Command, deadline: Span?)
    /// Durable in the cloud up to here: to be noted in the journal when there is nothing else to do.
    case acked(Head)
    /// Lost entries: into the journal, bytes as they are, then `.healed` to the sender.
    case heal([Entry])
    /// Right bytes for a damaged entry: into the journal if its chain names them, then `.mended` to the sender.
    case mend(Entry)
    /// A person decided about this ledger.
    case settle(Settlement)
    /// To be written into the ledger, if it is true and new.
    case countersigned(CountersignedFact)
    /// The cloud's keys announced these: for the agent to follow.
    case signers([CloudKeyChange])
    /// The cloud announces another key of its link: for the agent to write down, and for the driver to try.
    case serverKey(ServerKeyFact)
    /// To be remembered in the journal: how far the cloud's newest verified backup reaches.
    case backedUp(Seq)
    /// To be remembered in the journal.
    case incarnation(String, have: Seq)
    /// Close the connection and make a new one.
    case reopen
    case phase(LinkPhase)
    /// Another running copy of this edge was turned away, in the cloud's words: for the agent to tell.
    case copied(String)
    case malformed(FrameError)
    /// The cloud wants entries that this ledger cannot read any more: to be said in the ledger.
    case missing(from: Seq, to: Seq)
}

/// The sender with its ledger. One owner, one thread, which may be another than the agent's.
package struct UplinkCore {
    package private(set) var sender: Sender
    private let ledger: any LedgerReader
    private var wanted: (from: Seq, entries: Int, bytes: Int)?
    private var wantedStored: (from: Seq, through: Seq)?

    /// - Parameters:
    ///   - head: the ledger's last entry.
    ///   - acked: as `acknowledged(in:)` gives it; `Head.start` is always safe and only costs a comparison.
    package init(_ identity: Identity, head: Head, acked: Head = .start, ledger: any LedgerReader, rules: Rules = Rules()) {
        sender = Sender(identity, head: head, acked: acked, rules: rules)
        self.ledger = ledger
    }

    /// What the cloud had acknowledged when it was last noted.
    package static func acknowledged(in journal: Journal) throws(JournalError) -> Head {
        let seq = try journal.acknowledged()
        guard seq > Seq(0), seq <= journal.head.seq else { return .start }
        return try head(of: seq, in: journal).head ?? .start
    }

    /// Which entries a read could not give, when the file itself can be read: those of a lost segment, or one whose bytes are not what was written.
    /// What is damaged is told by the check of the whole; the link alone is no reason to end a run that trades.
    private static func unreadable(_ error: JournalError, at seq: Seq) -> (from: Seq, to: Seq)? {
        if case .damaged = error { (seq, seq) } else { error.missing }
    }

    /// An entry's number and hash; of a damaged one and of the last entry of a hole the one behind it tells. What is missing is no failure of the link.
    private static func head(of seq: Seq, in ledger: any LedgerReader) throws(JournalError) -> (head: Head?, missing: (from: Seq, to: Seq)?) {
        do throws(JournalError) {
            let entry = try ledger.read(from: seq, limit: 1, maxBytes: .max).first
            return (entry.flatMap { $0.seq == seq ? $0.head : nil }, nil)
        } catch {
            guard let missing = unreadable(error, at: seq) else { throw error }
            guard missing.to == seq else { return (nil, missing) }
            do throws(JournalError) {
                guard let behind = try ledger.read(from: seq.next, limit: 1, maxBytes: .max).first, behind.seq == seq.next else {
                    return (nil, missing)
                }
                return (Head(seq: seq, hash: behind.previous), nil)
            } catch {
                guard unreadable(error, at: seq.next) != nil else { throw error }
                return (nil, missing)
            }
        }
    }

    /// True when the sender waits for entries: call `readOn`. Frames, beats and commands may go in between.
    package var hasMore: Bool { wanted != nil || wantedStored != nil }
    /// When `handle(.tick)` is due at the latest, by the boot clock; nil when nothing is awaited.
    package var wakeAt: Span? { sender.wakeAt }

    /// Tells the uplink what a turn of the agent brought: its entries and its live state. Other effects are passed over.
    package mutating func note(_ effects: [AgentEffect], at clock: ClockReading) throws(JournalError) -> [UplinkEffect] {
        var out: [UplinkEffect] = []
        for effect in effects {
            switch effect {
            case .entries(let entries):
                try committed(entries, at: clock, into: &out)
                if sender.holdsBack { out += try handle(.holdsBack(false), at: clock) }
            case .live(let items): for item in items { out += try handle(.live(item), at: clock) }
            case .heldBack: if !sender.holdsBack { out += try handle(.holdsBack(true), at: clock) }
            case .committed, .write, .transport: break
            }
        }
        return out
    }

    /// Tells the sender what happened on the link or in time.
    /// - Throws: when the ledger cannot be read; the link then stops, trading need not.
    package mutating func handle(_ input: Sender.Input, at clock: ClockReading) throws(JournalError) -> [UplinkEffect] {
        var out: [UplinkEffect] = []
        try perform(sender.handle(input, at: clock), at: clock, into: &out)
        return out
    }

    /// Reads one batch of the entries the sender waits for, and lets it send them; or one range for a comparison, when no batch waits.
    package mutating func readOn(at clock: ClockReading) throws(JournalError) -> [UplinkEffect] {
        if wanted == nil, let (from, through) = wantedStored {
            wantedStored = nil
            return try handle(.stored(from: from, ledger.stored(from: from, through: through)), at: clock)
        }
        guard let (from, limit, bytes) = wanted else { return [] }
        wanted = nil
        let entries: [Entry]
        do throws(JournalError) { entries = try sound(from: from, limit: limit, maxBytes: bytes) } catch {
            // The lane of the ledger stands still; commands, live state and trading go on.
            guard let missing = UplinkCore.unreadable(error, at: from) else { throw error }
            // What was confessed is passed over, if the cloud takes what stands behind it.
            if sender.mayPassOver(from) { return try handle(.unreadable(from), at: clock) }
            return [.missing(from: missing.from, to: missing.to)]
        }
        // The sender asks only for what is durable; an empty answer would be asked for again without end.
        guard entries.first?.seq == from else { throw .damaged("entry \(from) is not where the ledger's head says it is") }
        return try handle(.entries(from: from, entries), at: clock)
    }

    /// The entries from here on, or those of them that stand before a damaged one.
    private func sound(from: Seq, limit: Int, maxBytes: Int) throws(JournalError) -> [Entry] {
        var limit = limit
        while true {
            do throws(JournalError) { return try ledger.read(from: from, limit: limit, maxBytes: maxBytes) } catch {
                guard case .damaged = error, limit > 1 else { throw error }
                limit /= 2
            }
        }
    }

    /// A piece of this ledger's branch, from behind what was confessed as lost when it begins there; or what is missing and was not.
    private func branch(from first: Seq) throws(JournalError) -> (entries: [Entry], missing: (from: Seq, to: Seq)?) {
        var from = first
        while true {
            do throws(JournalError) {
                return (try sound(from: from, limit: Batch.entriesMax, maxBytes: Batch.rawBytesTarget), nil)
            } catch {
                guard let missing = UplinkCore.unreadable(error, at: from) else { throw error }
                guard let gap = sender.gap(over: from) else { return ([], missing) }
                from = gap.to.next
            }
        }
    }

    /// Entries go to the sender as they are when they follow what it knows, so that none is read twice; after a hole it reads them itself.
    private mutating func committed(_ entries: [Entry], at clock: ClockReading, into out: inout [UplinkEffect]) throws(JournalError) {
        let fresh = Array(entries.drop { $0.seq <= sender.head.seq })
        guard let first = fresh.first, let last = fresh.last else { return }
        out += try handle(first.seq == sender.head.seq.next ? .committed(fresh) : .grew(last.head), at: clock)
    }

    private mutating func perform(_ actions: [Sender.Action], at clock: ClockReading, into out: inout [UplinkEffect]) throws(JournalError) {
        for action in actions {
            switch action {
            case .send(let lane, let bytes): out.append(.send(lane, bytes))
            case .read(let from, let entries, let bytes): wanted = (from, entries, bytes)
            case .readHeads(let attempt, let seqs):
                var heads: [Head] = []
                var missing: (from: Seq, to: Seq)?
                for seq in seqs {
                    let found = try UplinkCore.head(of: seq, in: ledger)
                    missing = missing ?? found.missing
                    if let head = found.head { heads.append(head) }
                }
                if let (from, to) = missing {
                    // A proof without them would read as another history: the link stays closed, and trading goes on.
                    out.append(.missing(from: from, to: to))
                } else {
                    try perform(sender.handle(.heads(attempt: attempt, asked: seqs, heads), at: clock), at: clock, into: &out)
                }
            case .deliver(let command, let deadline): out.append(.deliver(command, deadline: deadline))
            case .acked(let head): out.append(.acked(head))
            case .readBranch(let after):
                let (entries, missing) = try branch(from: after.seq.next)
                if let missing {
                    out.append(.missing(from: missing.from, to: missing.to))
                } else {
                    try perform(sender.handle(.branch(after: after, entries), at: clock), at: clock, into: &out)
                }
            case .settle(let settlement): out.append(.settle(settlement))
            case .heal(let entries): out.append(.heal(entries))
            case .readStored(let from, let through): wantedStored = (from, through)
            case .mend(let entry): out.append(.mend(entry))
            case .incarnation(let name): out.append(.incarnation(name, have: sender.acked.seq))
            case .countersigned(let fact): out.append(.countersigned(fact))
            case .signers(let changes): out.append(.signers(changes))
            case .serverKey(let word): out.append(.serverKey(word))
            case .backedUp(let seq): out.append(.backedUp(seq))
            case .reopen: out.append(.reopen)
            case .phase(let phase): out.append(.phase(phase))
            case .copied(let words): out.append(.copied(words))
            case .malformed(let error): out.append(.malformed(error))
            }
        }
    }
}
