// The planted rule breakers: each takes one protection away, and its checker must notice.
internal import CloudNode
internal import Platform
internal import Sync
internal import Values

/// One deliberately broken world.
package enum Breaker: String, CaseIterable, Sendable {
    case none
    /// The cloud keeps what it cannot have verified.
    case noHashCheck
    /// The cloud acknowledges before its disk has the entries.
    case ackBeforeCommit
    /// The journal says "durable" before the disk says so.
    case ordersBeforeTheDisk
    /// The session sends the last order again when it connects.
    case ordersTwice
    /// The cloud takes entries that leave a hole.
    case gaps
    /// The session tells of no execution, neither at once nor in snapshots.
    case losesFills
    /// The edge counts a command's life from when it came.
    case lateCommands
    /// The desk's books forget the other side of each trade, and nobody looks before it is written.
    case oneSidedBooks

    /// The name of the checker that must catch it.
    package var caughtBy: String? {
        switch self {
        case .none: nil
        case .noHashCheck: ChainChecker.name
        case .ackBeforeCommit: AckChecker.name
        case .ordersBeforeTheDisk: IntentChecker.name
        case .ordersTwice: OnceChecker.name
        case .gaps: MirrorChecker.name
        case .losesFills: BrokerChecker.name
        case .lateCommands: CommandChecker.name
        case .oneSidedBooks: PostingChecker.name
        }
    }
}

extension Breaker {
    /// The link's rules without the protection.
    func link(_ rules: Rules) -> Rules {
        var rules = rules
        rules.skipHashCheck = self == .noHashCheck
        rules.acceptGaps = self == .gaps
        rules.deadlineFromReceipt = self == .lateCommands
        // One copy of each command, so that a late one has no sibling that came in time.
        if self == .lateCommands { rules.commandRetry = .seconds(60) }
        return rules
    }

    /// False where the cloud says false things as a matter of course.
    var leavesWordsTrue: Bool { self == .none }

    /// What stands before the file of the cloud's entries; the node itself is production's.
    func ledgerFile(_ store: EntryStore) -> any LedgerFile {
        switch self {
        case .ackBeforeCommit: LyingLedgerFile(store)
        // The store, too, refuses what does not follow: whoever takes the receiver's protection away has to take this one as well.
        case .gaps, .noHashCheck: RenumberingLedgerFile(store)
        case .none, .ordersBeforeTheDisk, .ordersTwice, .losesFills, .lateCommands, .oneSidedBooks: store
        }
    }
}
