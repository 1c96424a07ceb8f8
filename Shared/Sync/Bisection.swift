// The search for the last entry that two histories share, in few hashes and few rounds.
package import Values

/// Between an entry known to be the same and one known to be another: which numbers to ask for next, and what the answers leave.
package struct Bisection: Hashable, Sendable {
    /// Hashes that one search may ask for, whatever the length of the histories: 63 halvings part all numbers there are.
    package static let hashesMax = 64
    /// Numbers in one round.
    package static let roundMax = 16

    /// The same on both sides; `Seq(0)` stands before the first.
    package private(set) var low: Seq
    /// Different.
    package private(set) var high: Seq
    /// Hashes asked for so far.
    package private(set) var asked: Int

    /// - Parameter asked: hashes that the caller has asked for already, of the same budget.
    package init(same low: Seq, different high: Seq, asked: Int = 0) {
        precondition(low < high, "nothing lies between \(low) and \(high)")
        self.low = low; self.high = high; self.asked = asked
    }

    /// True when `low` is the last common entry.
    package var isDone: Bool { high == low.next }

    /// The next round, ascending; empty when the search is done. As many at once as the budget allows, so that a slow link sees few rounds.
    package var questions: [Seq] {
        let unknown = high.raw - low.raw - 1
        guard unknown > 0 else { return [] }
        let left = max(1, Bisection.hashesMax - asked)
        var probes = min(UInt64(Bisection.roundMax), unknown)
        while probes > 1, probes * Bisection.rounds(of: probes, over: unknown) > left { probes -= 1 }
        let (step, rest) = (unknown + 1).quotientAndRemainder(dividingBy: probes + 1)
        return (1...probes).map { Seq(low.raw + $0 * step + $0 * rest / (probes + 1)) }
    }

    /// Takes the answers to `questions`: the place of the first that differs decides, whatever stands after it.
    package mutating func take(_ isSame: (Seq) -> Bool) {
        let round = questions
        asked += round.count
        for seq in round {
            guard isSame(seq) else { high = seq; return }
            low = seq
        }
    }

    /// Rounds of that many probes until nothing is unknown.
    private static func rounds(of probes: UInt64, over unknown: UInt64) -> UInt64 {
        var (rounds, left): (UInt64, UInt64) = (0, unknown)
        while left > 0 {
            left /= probes + 1
            rounds += 1
        }
        return rounds
    }
}
