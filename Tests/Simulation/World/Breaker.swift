// The planted rule breakers: each takes one protection away, and its checker must notice.
internal import CloudNode
internal import Platform
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
    /// An execution that the broker tells again is booked again.
    case countsTwice
    /// A command that comes twice is executed twice: link, outbox and ledger have no memory of it.
    case executesTwice
    /// A command goes to a run that it was not bound to, and that run executes it.
    case anyBoot
    /// How long a command lives is read from the wall clock.
    case lifeByWallClock
    /// A command is executed after its time.
    case ignoresDeadline
    /// What was lost on the way is never sent again.
    case neverRewinds
    /// More is under way than the other side has room for.
    case ignoresCredit
    /// A newcomer takes the place of a run that lives.
    case noTwinCheck, noTwinWait
    /// Somebody is accused before he has shown that he lives.
    case accusesTheDead
    /// Two histories are not compared; what was announced and is gone is not missed; any verdict opens a session.
    case noForkCheck, noRollbackCheck, anyVerdict
    /// A lineage that was ended comes back.
    case noFence
    /// A cloud that forgot what it acknowledged says nothing.
    case silentRestore
    /// Nobody is asked which history goes on.
    case mergesForks
    /// What comes back from the cloud is not checked.
    case healsUnseen
    /// The edge carries a decision out and goes on calling itself by the old lineage.
    case keepsOldEpoch
    /// The mark beside the ledger is not looked at.
    case forgetsTheMark
    /// A run writes before it has asked the cloud.
    case writesFirst
    /// A new run lets trading go on that was halted.
    case resumesByItself
    /// Old entries move into segments that nobody else has.
    case movesTooEarly
    /// A segment counts before the disk has it.
    case segmentsUnsynced
    /// A start from a snapshot goes on without the entries after it.
    case forgetsTheTail
    /// Damaged bytes are called put right and are not.
    case mendsNothing
    /// The cloud signs for entries that its disk does not have.
    case signsAhead
    /// The key of the link before the announced one is refused at once.
    case dropsFormerKey
    /// The announced key of the link is used before the cloud has read of it.
    case takesKeyUpEarly
    /// A run signs by a key that no entry has announced.
    case signsUnannounced
    /// Commands of a revoked edge stay open.
    case keepsRevokedCommands
    /// What a revoked edge wrote comes in unasked.
    case noQuarantine

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
        case .countsTwice: BrokerChecker.name
        case .executesTwice, .anyBoot, .lifeByWallClock, .ignoresDeadline: CommandChecker.name
        case .neverRewinds, .keepsOldEpoch, .noForkCheck: "rest"
        case .ignoresCredit: BoundsChecker.name
        case .noTwinCheck, .noTwinWait, .accusesTheDead, .noRollbackCheck, .anyVerdict, .noFence, .silentRestore, .writesFirst:
            TellChecker.name
        case .mergesForks: LineageChecker.name
        case .healsUnseen: "error"
        case .forgetsTheMark: MarkChecker.name
        case .resumesByItself: HaltChecker.name
        case .movesTooEarly: ShelfChecker.name
        case .segmentsUnsynced: "error"
        case .forgetsTheTail: FoldChecker.name
        case .mendsNothing: RotChecker.name
        case .signsAhead: CountersignChecker.name
        case .dropsFormerKey, .takesKeyUpEarly: "rest"
        case .signsUnannounced: "error"
        case .keepsRevokedCommands: RevokeChecker.name
        case .noQuarantine: TellChecker.name
        }
    }
}

extension Breaker {
    /// What the missing protection belongs to has to happen.
    var needsHouse: Bool { [.movesTooEarly, .segmentsUnsynced, .forgetsTheTail, .signsAhead].contains(self) }
    var needsRot: Bool { self == .mendsNothing }
    var needsRotations: Bool { [.dropsFormerKey, .takesKeyUpEarly, .signsUnannounced].contains(self) }
    var needsRevokes: Bool { [.keepsRevokedCommands, .noQuarantine].contains(self) }
    /// The check behind the live book begins a minute after the start, and nothing moves before it.
    var durationMin: Span { self == .movesTooEarly || self == .segmentsUnsynced ? .seconds(180) : .zero }

    /// What stands before the file of the cloud's entries; the node itself is production's.
    func ledgerFile(_ store: EntryStore) -> any LedgerFile {
        switch self {
        case .ackBeforeCommit, .signsAhead: LyingLedgerFile(store)
        case .mendsNothing: MendlessLedgerFile(store)
        // The store, too, refuses what does not follow: whoever takes the receiver's protection away has to take this one as well.
        case .gaps, .noHashCheck: RenumberingLedgerFile(store)
        default: store
        }
    }
}
