// Entries that are missing for good: said in the ledger once, with the hash from which the chain goes on.
package import Ledger
internal import Platform
package import Values

/// Neighbouring entries that cannot be read.
struct Hole {
    var from: Seq
    var to: Seq
    /// The entry behind them.
    var behind: Entry
    /// Where the chain goes on.
    var anchor: Head { Head(seq: to, hash: behind.previous) }
}

extension Agent {
    /// To be called when entries were asked for that cannot be read any more. Trading goes on: what is written now follows the last entry, and that is there.
    package func noteMissing(from: Seq, to: Seq, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        try mustLive()
        guard unwritten.isEmpty else {
            // The link asks once and waits for the word: it is said as soon as there is room for it. The word itself may be what waits for room.
            let isWaiting = unwritten.contains { $0.gap.map { $0.from <= from && to <= $0.to } ?? false }
            if !isWaiting, !unsaid.contains(where: { $0.from <= from && to <= $0.to }) { unsaid.append((from, to)) }
            return []
        }
        let hole: Hole?
        do throws(JournalError) { hole = try journal.hole(around: from, to) } catch {
            // What is damaged is found and told by the check of the whole.
            guard case .damaged = error else { throw fail(.journal(error)) }
            return []
        }
        return try hole.map { hole throws(AgentFailure) in try note(hole, at: clock) } ?? []
    }

    /// What a decision sealed with its branch and is true of this one all the same: the same entries are missing.
    func sealedWords() throws(AgentFailure) -> [Draft] {
        do throws(JournalError) { return try journal.sealedGaps().map { Draft(.gap($0)) } } catch { throw fail(.journal(error)) }
    }

    /// Says what was asked for while nothing could be written.
    func noteUnsaid(at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        var effects: [AgentEffect] = []
        while unwritten.isEmpty, !unsaid.isEmpty {
            let (from, to) = unsaid.removeFirst()
            effects += try noteMissing(from: from, to: to, at: clock)
        }
        return effects
    }

    /// Says in the ledger that these are missing, unless an entry already does.
    func note(_ hole: Hole, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        do throws(JournalError) { guard try journal.isNoted(hole) == false else { return [] } } catch { throw fail(.journal(error)) }
        Log.write(
            .error, "entries are missing for good: put their segment files back from a copy if there is one",
            ["from": "\(hole.from)", "to": "\(hole.to)"])
        var effects: [AgentEffect] = []
        var turn = Turn()
        try number([Draft(.gap(GapFact(from: hole.from, to: hole.to, hash: hole.anchor.hash)))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        guard unwritten.isEmpty else { return effects }
        do throws(JournalError) { try journal.note(hole) } catch {
            // Said twice at the worst.
            guard error.isDiskFull else { throw fail(.journal(error)) }
        }
        return effects
    }
}

extension Journal {
    /// The hole that these entries lie in: a segment beside a lost one may be lost too. Nil when they can be read.
    /// - Throws: `.damaged` when no entry follows it, which is more than a lost file.
    func hole(around from: Seq, _ to: Seq) throws(JournalError) -> Hole? {
        guard from > Seq(0), from <= to, case .missing(let first, let last) = try look(at: from) else { return nil }
        var low = first, end = max(last, to)
        while low > Seq(1), case .missing(let before, _) = try look(at: Seq(low.raw - 1)), before < low { low = before }
        while true {
            switch try look(at: end.next) {
            case .there(let entry?): return Hole(from: low, to: end, behind: entry)
            case .missing(_, let further) where further > end: end = further
            // The last entry of all stays in the table.
            case .there, .missing: throw .damaged("entries \(low) to \(end) are missing, and the one behind them too")
            }
        }
    }

    private enum Look {
        case there(Entry?)
        case missing(Seq, Seq)
    }

    private func look(at seq: Seq) throws(JournalError) -> Look {
        do throws(JournalError) { return .there(try read(from: seq, limit: 1).first.flatMap { $0.seq == seq ? $0 : nil }) } catch {
            guard let (from, to) = error.missing else { throw error }
            return .missing(from, to)
        }
    }
}

extension JournalError {
    /// Which entries cannot be read, when that is all that is wrong.
    package var missing: (from: Seq, to: Seq)? {
        if case .store(.missing(let from, let to, _)) = self { (Seq(from), Seq(to)) } else { nil }
    }
}
