// The numbers by which the edge judges commands, and the switches with which tests prove that each rule is needed.
package import Values

/// How commands are judged here. Production uses `init()`; only tests construct another.
package struct CommandRules: Hashable, Sendable {
    package init() {}

    // Numbers.
    /// How long a command waits for one that was asked before it.
    package var gapWait = Span.seconds(2)
    /// Further apart than this the cloud's clock and ours may not be for an order.
    package var skewMax = Span.seconds(10)
    /// Commands of one issuer in a minute; a minute's share may come at once. All issuers together have twice as many.
    package var commandsPerMinute = 30
    package var ordersPerMinute = 10
    /// Commands that wait for earlier ones, over all keys.
    package var waitingMax = 64
    /// After the broker showed orders that the ledger does not know: the longest life of what may bring about an order.
    package var unclearFor = Span.seconds(60)

    // Switches, all off in production: each takes one protection away.
    package var noOrderKeys = false
    package var gapNeverEnds = false
    package var ignoresPrecondition = false
    package var executesAfterWithdraw = false
    package var executesSuperseded = false
    package var noTokenBucket = false
    package var ignoresDeadline = false
    package var anyBoot = false
    package var noDedup = false
    package var anyTier = false
    package var anyInstrument = false
    package var anyMode = false
    package var ignoresSkew = false
    package var anyLifetime = false
    package var trustsLostLineage = false
    package var closesMoreThanAsked = false
}
