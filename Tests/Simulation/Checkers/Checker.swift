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
    /// A person's decision is carried out: this lineage goes on.
    case chosen(epoch: UInt32)
    /// The edge put entries on the wire: those after the first number up to the second, and how large they are.
    case sent(after: UInt64, upTo: UInt64, bytes: Int)
    /// The cloud sent a command to a run.
    case bound(command: String, boot: UInt64)
    /// Nothing is under way any more; both ledgers as they stand.
    case quiet(edge: StoredRows, cloud: StoredRows, BrokerBooks)
}

/// Who speaks with the edge's key.
package enum Claimant: String, Sendable { case edge, twin }

/// What a person, or a thief, does to a whole machine.
package enum Disaster: Hashable, Sendable {
    /// The edge's disk was put back from an older copy.
    /// - Parameters:
    ///   - losesKnown: the cloud has entries that are gone there, or was told of them.
    ///   - isFair: the copy is the beginning of what the cloud has, which is there to give it back, and nothing else happens for a while.
    ///   - short: entries in the copy when the mark beside it speaks of more.
    case edgeRestored(losesKnown: Bool, isFair: Bool, short: Int?)
    /// The cloud's disk was put back.
    /// - Parameters:
    ///   - isRenamed: it says so by the name of its store, which the running edge does not know.
    ///   - mayBeKnown: the name is an old one: a copy of the edge from its time is right to complain.
    ///   - losesAcked: the running edge knows of an acknowledgement that the copy does not remember.
    case cloudRestored(isRenamed: Bool, mayBeKnown: Bool, losesAcked: Bool)
    /// A copy of the edge runs beside it.
    /// - Parameter meetsOriginal: the original believes that it has an open session, and until both had time nothing else happens to either.
    case twinStarted(meetsOriginal: Bool)
    case twinStopped
    /// Both had time to show themselves.
    case twinHadTime
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
    ///   - watchesWords: false in a world whose broken rules make the cloud say false things as a matter of course.
    package init(edge: EdgeID, credit: Credit = .standard, watchesWords: Bool = true) {
        all = [
            ChainChecker(edge: edge), AckChecker(), IntentChecker(), OnceChecker(), MirrorChecker(), BrokerChecker(), CommandChecker(),
            PostingChecker(), LineageChecker(), BoundsChecker(entries: credit.entries, bytes: credit.bytes), BookChecker(edge: edge), HaltChecker(),
        ]
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
