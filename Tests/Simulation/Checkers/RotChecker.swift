// A damaged entry is never taken for good: not folded by a start, not shown, and put right by the comparison; nobody speaks of damage where there is none.
package import Values

/// Invariant I16.
package struct RotChecker: Checker {
    package static let name = "rot"
    private var rotten: (side: LedgerSide, seq: UInt64)?
    /// Words about a damage may come after it was put right: so long they are no false alarm.
    private var until = Span.zero
    private static let echo = Span.minutes(30)
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .injected(.rotten(let side, let seq)): rotten = (side, seq)
        case .injected(.rotHadTime(let isMended, let isFair)):
            guard let (side, seq) = rotten else { return nil }
            rotten = nil
            until = now + RotChecker.echo
            if isFair, !isMended { return "entry \(seq) stays damaged at the \(side.rawValue) beside a sound copy, and somebody asked to compare" }
        case .shown(let seq): return "the damaged bytes of entry \(seq) are shown as good"
        case .started(let side, let isRefused, let isSpared):
            guard let (place, seq) = rotten, place == side, !isRefused, !isSpared else { return nil }
            return "the \(side.rawValue) has started on a ledger whose entry \(seq) is damaged"
        case .compared(let end, let words):
            if end != .agrees, rotten == nil, now > until { return "nothing was damaged, and the comparison says: \(words)" }
        case .troubled(let words): if rotten == nil, now > until { return "nothing was damaged, and it says: \(words)" }
        default: break
        }
        return nil
    }
}
