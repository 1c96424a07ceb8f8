// The promises of the product, checked from outside: what machines and broker were seen to do, and what their disks hold.
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
    /// Nothing is under way any more; both ledgers as they stand.
    case quiet(edge: StoredRows, cloud: StoredRows, BrokerBooks)
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
    package init(edge: EdgeID) {
        all = [
            ChainChecker(edge: edge), AckChecker(), IntentChecker(), OnceChecker(), MirrorChecker(), BrokerChecker(), CommandChecker(),
            PostingChecker(),
        ]
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
