// Entries that are missing for good: said in the ledger once, with the hash from which the chain goes on.
package import Ledger
internal import Platform
package import Values

extension Agent {
    /// To be called when entries were asked for that cannot be read any more.
    package func noteMissing(from: Seq, to: Seq, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        try mustLive()
        guard unwritten.isEmpty else { return [] }
        let after: Entry?
        do throws(JournalError) {
            guard try journal.isNoted(gapFrom: from, to: to) == false else { return [] }
            after = try journal.read(from: to.next, limit: 1).first
        } catch { throw fail(.journal(error)) }
        guard let after, after.seq == to.next else { return [] }
        Log.write(.error, "entries are missing for good", ["from": "\(from)", "to": "\(to)"])
        var effects: [AgentEffect] = []
        var turn = Turn()
        try number([Draft(.gap(GapFact(from: from, to: to, hash: after.previous)))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        guard unwritten.isEmpty else { return effects }
        do throws(JournalError) { try journal.note(gapFrom: from, to: to) } catch { throw fail(.journal(error)) }
        return effects
    }
}
