// Entries for an edge whose ledger was set back: read from the cloud's store, in pieces, as fast as the edge stores them.
internal import Ledger
internal import Values

extension Receiver {
    /// EDGE_BEHIND: the edge may fetch what it has lost. It has no session meanwhile: no command goes down, no entry comes up.
    mutating func beginHealing(_ current: Opening, into out: inout [Action]) {
        var opening = current
        guard let state = edges[opening.peer.edge] else { return }
        opening.stage = .healing
        edges[opening.peer.edge]?.opening = opening
        answer(opening, .behind(attempt: opening.hello.attempt, have: state.memory.have), into: &out)
    }

    /// FETCH: one piece at a time, so that neither end holds more than one.
    mutating func fetch(_ current: Opening, after: Head, upTo: Seq, at now: ClockReading, into out: inout [Action]) {
        var opening = current
        guard opening.stage == .healing, let have = edges[opening.peer.edge]?.memory.have, after.seq < upTo, upTo <= have.seq else { return }
        opening.since = now.monotonic
        // Told once somebody is there to be healed: a late HELLO of a run that is dead would look the same.
        if !opening.isFetching { out.append(.healing(opening.peer.edge, after: opening.hello.head, to: have)) }
        opening.isFetching = true
        opening.isAlive = true
        edges[opening.peer.edge]?.opening = opening
        out.append(.read(opening.peer.edge, after: after, upTo: upTo))
    }

    /// The store's answer: entries that follow `after`, none when it has another entry there.
    mutating func read(_ edge: EdgeID, after: Head, _ entries: [Entry], into out: inout [Action]) {
        guard let opening = edges[edge]?.opening, opening.stage == .healing else { return }
        let piece = Batch.fitting(entries)
        guard let first = piece.first, first.previous == after.hash else {
            // The edge fetches after an entry that is not ours: the next HELLO is judged anew.
            edges[edge]?.opening = nil
            return
        }
        answer(opening, .heal(Batch.encode(piece).body), into: &out)
    }
}
