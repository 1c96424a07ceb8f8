// The promises of the product, checked from outside: what machines and broker were seen to do, and what their disks hold.
package import Sync
package import Values

/// Which of the two ledgers.
package enum LedgerSide: String, Sendable { case edge, cloud }

/// Something a checker may look at. Rows are read by a process of their own, while the machine is down or quiet.
package enum Observation: Sendable {
    /// The broker was asked to place the order of this tag.
    case placed(tag: String)
    /// The cloud sent a command (its id in hex) that is to have no effect after `lifetime`; nil for never.
    case asked(command: String, lifetime: Span?)
    /// The edge was told that the cloud has everything up to here on its disk.
    case acked(seq: UInt64, hash: [UInt8])
    /// A copy of the edge was told so, of everything up to here.
    case copyAcked(seq: UInt64)
    /// What a disk holds after a restart, or at the end.
    case rows(LedgerSide, StoredRows)
    /// A ledger was set back, by a person or by a person's decision: what it held before may be gone from it.
    case setBack(LedgerSide)
    /// The world did this to a machine.
    case injected(Disaster)
    /// The cloud told a person of a verdict that is not CONTINUE, by its name.
    case reported(String)
    /// The cloud opened a session, as its edge sees it.
    case opened(Claimant)
    /// The same by a WELCOME that left before the cloud's ledger was put back, or before a person's decision about it: it opens nothing there.
    case openedLate(Claimant)
    /// The cloud answered somebody's HELLO with this word instead of a session, while its last stored entry was of lineage `stored`.
    case refused(Claimant, String, stored: UInt32)
    /// A run of the edge begins to write.
    case begins(boot: UInt64)
    /// Somebody at the edge's console may let trading go on.
    case lowers
    /// Somebody said HELLO to the cloud, of this lineage.
    case greeted(Claimant, epoch: UInt32)
    /// A person decides which of two histories goes on.
    case decided(KeptBranch)
    /// Commands of which the page did not tell how they ended, right after their edge was revoked.
    case unended(commands: [String])
    /// A person's decision is carried out: this lineage goes on.
    case chosen(epoch: UInt32)
    /// The edge put entries on the wire: those after the first number up to the second, and how large they are.
    case sent(after: UInt64, upTo: UInt64, bytes: Int)
    /// The cloud sent a command to a run.
    case bound(command: String, boot: UInt64)
    /// A start of the edge folded its ledger up to here, from a snapshot or from the first entry; the digest is that of the book it goes on with.
    case folded(through: UInt64, digest: [UInt8])
    /// Entries up to here lie in segment files.
    case moved(through: UInt64)
    /// The cloud's signed word that it has everything up to here reached the edge.
    case countersigned(seq: UInt64, hash: [UInt8])
    /// A backup of the cloud that holds entries up to here was put back on trial, and the cloud was told.
    case backedUp(through: UInt64)
    /// The stored bytes of both ends were compared, by the cloud's word: they agree, or some were put right, or they differ.
    case compared(ComparisonEnd, String)
    /// The two books differ, or the edge calls its own ledger or book wrong.
    case troubled(String)
    /// The API was asked for a stored entry that is damaged and showed the damaged bytes.
    case shown(seq: UInt64)
    /// A program started on a ledger with a damaged entry: whether it refused, and whether a snapshot spared it the reading.
    case started(LedgerSide, refused: Bool, isSpared: Bool)
    /// Nothing is under way any more; both ledgers as they stand.
    case quiet(edge: StoredRows, cloud: StoredRows, BrokerBooks)
}

/// How a comparison of stored bytes ended.
package enum ComparisonEnd: String, Sendable { case agrees, healed, differs }

/// Who speaks with the edge's key.
package enum Claimant: String, Sendable { case edge, twin }

/// What a person, or a thief, does to a whole machine.
package enum Disaster: Hashable, Sendable {
    /// The edge's disk was put back from an older copy.
    /// - Parameters:
    ///   - losesKnown: the cloud has entries that are gone there, or was told of them; nil when nothing is gone that was not missing before, and what
    ///     had to be told still has to.
    ///   - isFair: the copy is the beginning of what the cloud has, which is there to give it back, and nothing else happens for a while.
    ///   - short: entries in the copy when the mark beside it speaks of more.
    case edgeRestored(losesKnown: Bool?, isFair: Bool, short: Int?)
    /// The cloud's disk was put back.
    /// - Parameters:
    ///   - isRenamed: it says so by the name of its store, which the running edge does not know.
    ///   - mayBeKnown: the name is an old one: a copy of the edge from its time is right to complain.
    ///   - lacks: the entry up to which the running edge has an acknowledgement, when the copy does not reach so far.
    case cloudRestored(isRenamed: Bool, mayBeKnown: Bool, lacks: UInt64?)
    /// A copy of the edge runs beside it.
    /// - Parameter meetsOriginal: the original believes that it has an open session, and until both had time nothing else happens to either.
    case twinStarted(meetsOriginal: Bool)
    case twinStopped
    /// Both had time to show themselves.
    case twinHadTime
    /// The cloud refuses the edge's key from now on, and had so many entries of it.
    case revoked(have: Int)
    /// It is let in again by another key; the hashes of what it wrote meanwhile.
    case readmitted(wrote: [[UInt8]])
    /// The stored bytes of an entry that both have were changed.
    case rotten(LedgerSide, seq: UInt64)
    /// The comparison that a person asked for had time: whether the disk has the right bytes again, or why nothing can be said.
    case rotHadTime(isMended: Bool, isFair: Bool)
}

/// What the broker's own books say at rest.
package struct BrokerBooks: Sendable {
    /// An execution as the broker did it.
    package struct Execution: Hashable, Sendable {
        package var instrument: String
        package var side: String
        /// At 10⁻⁸.
        package var quantity: Int64
        package init(instrument: String, side: String, quantity: Int64) {
            self.instrument = instrument; self.side = side; self.quantity = quantity
        }
    }
    /// By execution id.
    package var executions: [String: Execution]
    /// References of the orders that are live at the broker.
    package var working: Set<String>
    /// Tags of the orders that the edge believes live.
    package var believed: Set<String>
    package init(executions: [String: Execution], working: Set<String>, believed: Set<String>) {
        self.executions = executions; self.working = working; self.believed = believed
    }
}

/// A broken promise, with the facts.
package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    package let checker: String
    package let text: String
    package init(_ checker: String, _ text: String) { self.checker = checker; self.text = text }
    package var description: String { "\(checker): \(text)" }
}

/// One promise. It knows nothing of the code it watches but the layout of what is stored.
package protocol Checker: Sendable {
    /// Its name in violations.
    static var name: String { get }
    /// Looks at one observation, made at `now` of the world's time; answers what is broken, in words.
    mutating func look(_ observation: Observation, at now: Span) -> String?
}

/// All checkers together.
package struct Checkers: Sendable {
    private var all: [any Checker]

    /// All there are, for the ledger of `edge`.
    /// - Parameters:
    ///   - credit: of a session.
    ///   - watchesKeys: somebody changes the edge's keys.
    ///   - watchesWords: false in a world whose broken rules make the cloud say false things as a matter of course.
    package init(edge: EdgeID, credit: Credit = .standard, watchesKeys: Bool = false, watchesWords: Bool = true) {
        all = [
            ChainChecker(edge: edge), AckChecker(), IntentChecker(), OnceChecker(), MirrorChecker(), BrokerChecker(), CommandChecker(),
            PostingChecker(), LineageChecker(), BoundsChecker(entries: credit.entries, bytes: credit.bytes), BookChecker(edge: edge), HaltChecker(),
            FoldChecker(edge: edge), ShelfChecker(), RotChecker(), CountersignChecker(),
        ]
        if watchesKeys { all += [KeyChecker(edge: edge), RevokeChecker()] }
        if watchesWords { all += [TellChecker(), MarkChecker()] }
    }

    /// Shows one observation to every checker.
    package mutating func look(_ observation: Observation, at now: Span) -> [Violation] {
        var found: [Violation] = []
        for index in all.indices {
            guard let text = all[index].look(observation, at: now) else { continue }
            found.append(Violation(type(of: all[index]).name, text))
        }
        return found
    }
}

extension Observation {
    /// True for what concerns a copy too: its own ledger is its own, what the link says of it counts.
    package var isOfLink: Bool {
        switch self {
        case .opened, .openedLate: true
        default: false
        }
    }
}
