// Versions of the product with one protection of commands taken away; each must break a promise that the auditor watches.
internal import Control
internal import Sync
internal import Trading
internal import Values

/// One protection less.
package enum CommandMutant: String, CaseIterable, Sendable {
    case none
    // At the edge.
    case noOrderKeys, ignoresPrecondition, executesAfterWithdraw, executesSuperseded, noTokenBucket, ignoresDeadline, anyBoot, executesTwice
    // On the link.
    case ttlByWallClock, deadlineFromReceipt
    // In the cloud.
    case reissuesOrders, sendsWithdrawn, doneWhenReceived, numbersRepeat

    /// False when the order of commands is given up so that another fault can be seen.
    var watchesOrder: Bool {
        ![.anyBoot, .executesTwice, .ttlByWallClock, .deadlineFromReceipt, .ignoresDeadline, .executesAfterWithdraw, .executesSuperseded].contains(
            self)
    }

    var desk: CommandRules {
        var rules = CommandRules()
        rules.noOrderKeys = self == .noOrderKeys
        rules.ignoresPrecondition = self == .ignoresPrecondition
        rules.executesAfterWithdraw = self == .executesAfterWithdraw
        rules.executesSuperseded = self == .executesSuperseded
        rules.noTokenBucket = self == .noTokenBucket
        rules.ignoresDeadline = self == .ignoresDeadline
        rules.anyBoot = self == .anyBoot
        rules.noDedup = self == .executesTwice
        // Each of these alone is held back by another rule: that is taken away with it, and its own promise is not watched then.
        rules.anyLifetime = self == .ttlByWallClock || self == .ignoresDeadline
        // A wall clock that is an hour off refuses orders by itself.
        rules.ignoresSkew = self == .ttlByWallClock
        rules.noOrderKeys = self == .noOrderKeys || !watchesOrder
        return rules
    }

    var link: Rules {
        var rules = Rules()
        rules.ttlByWallClock = self == .ttlByWallClock
        rules.deadlineFromReceipt = self == .deadlineFromReceipt
        rules.anyBootExecutes = self == .anyBoot
        rules.noCommandDedup = self == .executesTwice
        // One copy of each command, so that a late one has no sibling that came in time.
        if [.ttlByWallClock, .deadlineFromReceipt, .ignoresDeadline].contains(self) { rules.commandRetry = .seconds(60) }
        return rules
    }

    var outbox: OutboxRules {
        var rules = OutboxRules()
        rules.reissuesOrders = self == .reissuesOrders
        rules.rebinds = self == .anyBoot
        rules.sendsWithdrawn = self == .sendsWithdrawn
        rules.doneWhenReceived = self == .doneWhenReceived
        rules.numbersRepeat = self == .numbersRepeat
        return rules
    }
}
