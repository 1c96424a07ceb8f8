// What each planted rule breaker takes away, rule by rule, and the weather in which it must show itself.
internal import Control
internal import Sync
internal import Trading
internal import Values

extension Breaker {
    /// The link's rules without the protection.
    func link(_ rules: Rules) -> Rules {
        var rules = rules
        rules.skipHashCheck = self == .noHashCheck
        rules.acceptGaps = self == .gaps
        rules.deadlineFromReceipt = self == .lateCommands
        rules.noCommandDedup = self == .executesTwice
        rules.anyBootExecutes = self == .anyBoot
        rules.ttlByWallClock = self == .lifeByWallClock
        rules.neverRewind = self == .neverRewinds
        rules.ignoreCredit = self == .ignoresCredit
        rules.noTwinCheck = self == .noTwinCheck
        rules.refuseWithoutSignOfLife = self == .accusesTheDead
        rules.skipForkCheck = self == .noForkCheck
        rules.noRollbackCheck = self == .noRollbackCheck
        rules.noEpochFence = self == .noFence
        rules.silentRestore = self == .silentRestore
        rules.mergeForks = self == .mergesForks
        rules.healWithoutVerify = self == .healsUnseen
        rules.epochNotRaised = self == .keepsOldEpoch
        rules.noQuarantine = self == .noQuarantine
        rules.anyVerdictContinues = self == .anyVerdict
        // A sender that stalls for long enough opens the link anew, which would do instead.
        if self == .neverRewinds { rules.stallsMax = .max }
        if self == .noTwinWait { rules.twinWait = .zero; rules.neverWaitsLonger = true }
        // One copy of each command, so that a late one has no sibling that came in time.
        if isAboutTime { rules.commandRetry = .seconds(60) }
        return rules
    }

    private var isAboutTime: Bool { [.lateCommands, .lifeByWallClock, .ignoresDeadline].contains(self) }

    /// The desk's rules for commands. Each of these alone is held back by another rule, which is taken away with it.
    var commands: CommandRules {
        var rules = CommandRules()
        rules.noOrderKeys = isAboutTime || self == .executesTwice || self == .anyBoot
        rules.noTokenBucket = isAboutTime
        rules.anyLifetime = self == .lifeByWallClock || self == .ignoresDeadline
        rules.ignoresSkew = self == .lifeByWallClock
        rules.ignoresDeadline = self == .ignoresDeadline
        rules.noDedup = self == .executesTwice
        rules.anyBoot = self == .anyBoot
        return rules
    }

    /// The desk's rules for what the broker tells.
    var broker: BrokerRules {
        var rules = BrokerRules()
        rules.countsTwice = self == .countsTwice
        return rules
    }

    /// The cloud's rules for commands.
    var outbox: OutboxRules {
        var rules = OutboxRules()
        rules.rebinds = self == .anyBoot
        rules.ignoresRevocation = self == .keepsRevokedCommands
        return rules
    }

    /// False where the cloud says false things as a matter of course.
    var leavesWordsTrue: Bool { self == .none || caughtBy == TellChecker.name || caughtBy == MarkChecker.name }

    /// Changes a world's menu so that the missing protection is needed.
    func spoil(_ menu: inout FaultMenu) {
        switch self {
        case .none, .losesFills, .oneSidedBooks, .countsTwice: break
        case .mendsNothing: menu.crashes = .zero; menu.freezes = .zero; menu.diskFaults = .zero; menu.cuts = .zero
        case .movesTooEarly: menu.crashes = .zero; menu.freezes = .zero; menu.diskFaults = .zero; menu.diesAtOrders = false
        case .segmentsUnsynced: menu.crashes = .seconds(90); menu.freezes = .zero; menu.diskFaults = .zero; menu.diesAtOrders = false
        case .forgetsTheTail: menu.crashes = .seconds(8); menu.asks = .seconds(2); menu.rollbacks = .zero
        case .dropsFormerKey, .takesKeyUpEarly: menu.cuts = .seconds(5)
        case .signsUnannounced: menu.crashes = .seconds(6)
        case .keepsRevokedCommands, .noQuarantine: menu.asks = .seconds(2); menu.crashes = .zero; menu.freezes = .zero; menu.diskFaults = .zero
        case .signsAhead: menu.crashes = .seconds(6); menu.freezes = .zero; menu.diskFaults = .zero
        case .lateCommands, .lifeByWallClock, .ignoresDeadline:
            menu.weather.stragglers = 30; menu.weather.loss = 0; menu.asks = .seconds(2)
            menu.crashes = .zero; menu.freezes = .zero; menu.cuts = .zero
            if self == .lifeByWallClock { menu.clockJumps = .seconds(8) }
        case .noHashCheck: menu.weather.flips = 12
        case .gaps: menu.weather.loss = 15
        case .neverRewinds: menu.weather.loss = 15; menu.crashes = .zero; menu.freezes = .zero; menu.cuts = .zero
        case .ackBeforeCommit, .ordersBeforeTheDisk, .ordersTwice:
            menu.crashes = .seconds(8); menu.freezes = .seconds(4); menu.diesAtOrders = true
        case .executesTwice: menu.weather.duplication = 40; menu.asks = .seconds(2)
        case .anyBoot:
            menu.asks = .seconds(2); menu.crashes = .seconds(5); menu.weather.loss = 15; menu.weather.delay = 1...900
        case .ignoresCredit: menu.isNarrow = true; menu.cuts = .seconds(10)
        case .noTwinCheck, .noTwinWait: menu.twins = .seconds(15); menu.crashes = .zero; menu.freezes = .zero; menu.diskFaults = .zero
        case .accusesTheDead:
            menu.weather.stragglers = 25; menu.weather.duplication = 30; menu.crashes = .seconds(6); menu.cuts = .seconds(8)
            menu.rollbacks = .zero; menu.restores = .zero; menu.twins = .zero
        case .noForkCheck, .anyVerdict, .silentRestore, .forgetsTheMark, .writesFirst, .healsUnseen, .resumesByItself:
            menu.rollbacks = .seconds(15); menu.restores = self == .silentRestore ? .seconds(12) : .zero; menu.twins = .zero
            if self == .silentRestore { menu.rollbacks = .zero; menu.crashes = .zero; menu.freezes = .zero }
            if self == .healsUnseen { menu.weather.flips = 40; menu.rollbacks = .seconds(8); menu.cuts = .zero; menu.crashes = .zero }
            // Little is lost and much is written alone, so that the histories differ where both have an entry.
            if self == .noForkCheck {
                menu.rollbacks = .seconds(10); menu.images = .milliseconds(1_500); menu.cuts = .seconds(5); menu.visits = .seconds(40)
            }
        case .noRollbackCheck: menu.rollbacks = .seconds(8); menu.weather.loss = 45; menu.weather.delay = 1...900; menu.restores = .zero
        case .noFence, .mergesForks, .keepsOldEpoch:
            menu.rollbacks = .seconds(15); menu.twins = .seconds(15); menu.cuts = .seconds(8)
            menu.restores = .zero; menu.freezes = .zero; menu.diskFaults = .zero
            // An old copy has to outlive a decision.
            if self == .noFence { menu.rollbacks = .seconds(7); menu.images = .seconds(9); menu.visits = .seconds(4); menu.crashes = .zero }
        }
        menu.looksAfter()
    }
}
