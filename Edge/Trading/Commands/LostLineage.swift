// When the broker shows orders of ours that this ledger does not know, nobody can tell which commands were carried out before: what is alive ends.
internal import Ledger
internal import Values

/// What a run knows of a lost lineage. Edge and cloud may both have been put back to before a command that still lives: then neither remembers that it
/// was carried out, and only the broker's executions speak of it.
struct LostLineage: Sendable {
    /// Until then commands that may bring about an order are refused: those from before have ended by themselves afterwards.
    private(set) var until: Instant?
    /// Closings that were begun before it was known are still to be ended.
    fileprivate(set) var hasNews = false
    /// The halt that an earlier run raised for it still stands: this run's first moment counts as the finding.
    private var isInherited: Bool

    init(_ book: Book) { isInherited = book.haltLevel >= .halt && book.haltFact?.source == LostLineage.source }

    static let rule = "R5"
    static let source = "rule:R5"

    fileprivate mutating func begin(at now: Instant, _ rules: CommandRules) {
        guard isInherited else { return }
        isInherited = false
        until = now + rules.unclearFor
    }

    fileprivate mutating func found(at now: Instant, _ rules: CommandRules) {
        until = now + rules.unclearFor
        hasNews = true
    }

    mutating func clockWasSet(by step: Span) { until = until.map { $0 + step } }
}

extension Desk {
    /// Before anything is decided in a turn: a run that begins under such a halt is as careful as the one that raised it.
    mutating func inheritLoss(at now: Instant) { lost.begin(at: now, settings.commandRules) }

    /// Notes that what was just drafted speaks of orders that this ledger does not know.
    mutating func noteLoss(_ out: Outcome, at now: Instant) {
        let isFound = out.drafts.contains { if case .difference(let difference) = $0.fact { difference.rule == LostLineage.rule } else { false } }
        if isFound { lost.found(at: now, settings.commandRules) }
    }

    /// Ends the closings that commands began before it was known, unless their order has left already.
    mutating func endUnclear(at now: Instant, into out: inout Outcome) {
        guard lost.hasNews else { return }
        lost.hasNews = false
        guard !settings.commandRules.trustsLostLineage else { return }
        for instrument in programs.keys.sorted() {
            guard let program = programs[instrument], !program.hasClosed, program.command?.issuer != "console", program.command != nil else {
                continue
            }
            give(up: instrument, program, CommandVeto.lostLineage.text, at: now, into: &out)
        }
    }

    /// Refuses what may have been done before: it may bring about an order, and was not asked at this edge's own console.
    func judgeLoss(_ command: Command, at now: Instant) throws(CommandVeto) {
        guard let until = lost.until, now < until, command.issuer != "console", !settings.commandRules.trustsLostLineage else { return }
        switch command.body {
        case .order, .close: throw .lostLineage
        case .cancel, .raise, .watch, .withdraw: break
        }
    }
}

extension CommandVeto {
    fileprivate static let lostLineage = CommandVeto(
        "lostLineage",
        "The broker shows orders of this edge that its ledger does not know: the edge, and perhaps the cloud too, was put back to an older copy, and "
            + "what you ask may have been done before. Look at orders and positions at the broker, and ask again in a minute.")
}
