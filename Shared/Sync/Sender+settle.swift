// The edge's part in a dispute: it shows its branch, and hands a person's decision to whoever owns the ledger.
internal import Ledger
internal import Values

extension Sender {
    /// The cloud asks for entries of this branch: read from the journal, one piece at a time.
    mutating func show(after: Head, upTo: Seq, at now: ClockReading, into out: inout [Action]) {
        guard after.seq < upTo, upTo <= head.seq else { return }
        openedAt = now.monotonic
        hellos = 0
        showing = upTo
        out.append(.readBranch(after: after))
    }

    /// The journal's answer; empty when another entry stands there.
    mutating func branch(_ after: Head, _ entries: [Entry], into out: inout [Action]) {
        // What was written since the HELLO is shown after the next one.
        let piece = Batch.fitting(entries.filter { $0.seq <= showing })
        guard phase == .opening, let first = piece.first, first.previous == after.hash || isBehindLost(first, after) else { return }
        send(.heal(Batch.encode(piece).body), into: &out)
    }

    /// True for the first entry behind what this ledger confessed as lost, when nothing else lies between: the cloud has heard of it with the HELLO.
    private func isBehindLost(_ first: Entry, _ after: Head) -> Bool {
        guard first.seq.raw > after.seq.raw + 1 else { return false }
        return LedgerHole(after: after, last: Head(seq: Seq(first.seq.raw - 1), hash: first.previous)).isTold(by: identity.gaps)
    }

    /// A person's decision. It is about what this ledger was when it was shown: one that has grown since is shown again first.
    mutating func take(_ settlement: Settlement, at now: ClockReading, into out: inout [Action]) {
        guard settlement.edge == identity.edge else { return }
        switch settlement.kept {
        case .edge: guard settlement.epoch == identity.epoch &+ 1 else { return }
        case .cloud:
            guard settlement.dispute.edgeHead == head else { open(at: now, into: &out); return }
        }
        openedAt = now.monotonic
        out.append(.settle(settlement))
    }
}
