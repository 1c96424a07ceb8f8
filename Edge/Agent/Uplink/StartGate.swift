// Whether a run may write its first entry: a ledger that was set back must take back what it lost before anything of its own stands in the way.
package import Sync
package import Values

/// Waits for the cloud's word, never long: the edge trades without the cloud. Times are of the boot clock.
package struct StartGate: Hashable, Sendable {
    package enum Decision: Hashable, Sendable {
        case wait
        case start
        /// Start, and halt at once: the cloud knows another history of this edge, or another edge of this name.
        case startHalted(Trouble)
    }

    /// Without a word of the cloud the edge starts after this.
    package static let silence = Span.seconds(3)
    /// The same for a ledger that ends before its mark: it is put back or damaged, and the cloud may have what it lost.
    package static let silenceWhenShort = Span.seconds(60)
    /// A cloud that speaks gets this long for its verdict: a run before, if there is one, has two seconds to show that it lives.
    package static let patience = Span.seconds(15)

    private let begun: Span
    private let isShort: Bool
    /// The cloud is known to have this ledger's end: to write now would fork it for certain.
    private var isBehind: Bool

    /// - Parameters:
    ///   - mustHear: a decision says that entries are missing here; the edge then waits as long as it takes.
    ///   - isShort: the head mark says so.
    package init(at now: Span, mustHear: Bool = false, isShort: Bool = false) { begun = now; isBehind = mustHear; self.isShort = isShort }

    /// To be asked after every change of the link and at least ten times a second.
    package mutating func decide(_ sender: Sender, isKeyRefused: Bool = false, at now: Span) -> Decision {
        // Also when the word and the end of the connection came in one breath.
        isBehind = isBehind || sender.behind != nil
        switch sender.phase {
        case .open: return .start
        case .healing: return .wait
        case .refused(let trouble) where trouble.haltsTrading: return .startHalted(trouble)
        case .down, .opening, .refused, .stopped:
            if isBehind { return .wait }
            if case .refused = sender.phase { return .start }
            if isKeyRefused { return .start }
            let silence = isShort ? StartGate.silenceWhenShort : StartGate.silence
            return now - begun >= (sender.hasHeard ? max(silence, StartGate.patience) : silence) ? .start : .wait
        }
    }
}
