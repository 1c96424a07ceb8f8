// The numbers of the protocol, and the switches with which tests prove that each rule is needed.
package import Values

/// How the two ends behave. Production uses `init()`; only tests construct another.
package struct Rules: Hashable, Sendable {
    package init() {}

    // Numbers.
    /// Between two beats of the edge.
    package var beatEvery = Span.seconds(2)
    /// After which an edge is shown as silent.
    package var silentAfter = Span.seconds(6)
    /// After which a session without a frame is over, at either end.
    package var deadAfter = Span.seconds(15)
    /// Without progress of acks until the edge asks where the cloud stands.
    package var stallAfter = Span.seconds(15)
    /// Stalls in a row until the edge opens the link anew.
    package var stallsMax = 3
    /// Between two HELLOs that nobody answers; above the two seconds of a twin check.
    package var helloEvery = Span.seconds(5)
    /// The same on a line that has shown itself slower than that.
    package var helloEveryMax = Span.seconds(60)
    /// Unanswered HELLOs until the edge opens the link anew.
    package var hellosMax = 3
    /// How long the cloud waits for both claimants of one edge to show themselves.
    package var twinWait = Span.seconds(2)
    /// Until a refused edge asks again: a person has to act in between.
    package var refusedRetry = Span.seconds(30)
    /// Until an edge whose ledger waits for a decision, or whose cloud has no room, asks again.
    package var disputedRetry = Span.seconds(5)
    /// Live state is gathered for at least this long between two frames.
    package var stateEvery = Span.milliseconds(100)
    /// Between two dispatches of a command that the edge has not acknowledged.
    package var commandRetry = Span.seconds(1)
    /// Between two NACKs for the same place.
    package var nackEvery = Span.seconds(1)
    /// Between two countersigned heads of one session.
    package var countersignEvery = Span.seconds(60)
    /// Between two ranges of a comparison that nobody waits for.
    package var auditEvery = Span.milliseconds(250)
    /// For the edge's answer to a question of a comparison, until it is asked again.
    package var auditPatience = Span.seconds(10)
    /// Unanswered questions until a comparison is given up.
    package var auditAsksMax = 3
    /// The most that one edge may have under way.
    package var credit = Credit.standard
    /// What all edges together may have under way; the credit of each shrinks with their number.
    package var creditBytesOfAll = 256 << 20
    /// Entries in one batch.
    package var batchEntries = Batch.entriesMax

    // Switches, all off in production: each takes one protection away.
    package var ackBeforeCommit = false
    package var acceptGaps = false
    package var skipHashCheck = false
    package var noCommandDedup = false
    package var anyVerdictContinues = false
    package var neverRewind = false
    package var neverSlowsDown = false
    package var neverWaitsLonger = false
    package var ignoreCredit = false
    package var deadlineFromReceipt = false
    package var noTwinCheck = false
    package var anyBootExecutes = false
    package var refuseWithoutSignOfLife = false
    package var skipForkCheck = false
    package var noRollbackCheck = false
    package var noEpochFence = false
    package var silentRestore = false
    package var mergeForks = false
    package var healWithoutVerify = false
    package var epochNotRaised = false
    package var ttlByWallClock = false
    package var anyKindIsSent = false
    package var noGapIsTaken = false
    package var noQuarantine = false
    package var unspokenGapsAreTaken = false
    package var keepsSealedHeads = false
    package var leavesCutOffAudits = false
    package var oldHellosAreNews = false
    package var anyProofAnswers = false
    package var forgivesForEver = false
    package var forkUntoldWithoutRoom = false
}
