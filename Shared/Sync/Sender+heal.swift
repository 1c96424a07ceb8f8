// A ledger that was set back takes from the cloud what it has lost, before its run writes anything.
internal import Ledger
internal import Values

/// Entries on their way back.
struct Healing: Hashable, Sendable {
    /// Where it ends.
    let target: Head
    /// The chain through the last entry taken.
    var verifier: ChainVerifier
    /// The signatures through it: who wrote every hash anew has not the edge's key.
    var checkpoints: CheckpointRule
    /// A piece is being stored; the next one is asked for then.
    var isStoring = false
    static func == (a: Healing, b: Healing) -> Bool { a.target == b.target && a.verifier.head == b.verifier.head && a.isStoring == b.isStoring }
    func hash(into hasher: inout Hasher) { hasher.combine(target); hasher.combine(verifier.head) }
}

extension Sender {
    /// EDGE_BEHIND: the cloud has this ledger's end. A run that has written can no longer be healed: its entries stand in the way.
    mutating func beginHealing(_ target: Head, at now: ClockReading, into out: inout [Action]) {
        guard identity.mayHeal, target.seq > head.seq else { return }
        healing = Healing(
            target: target, verifier: ChainVerifier(edge: identity.edge, after: head),
            checkpoints: CheckpointRule(edge: identity.edge, key: identity.signer))
        behind = target.seq
        phase = .healing(upTo: target.seq)
        out.append(.phase(phase))
        fetch(at: now, into: &out)
    }

    private mutating func fetch(at now: ClockReading, into out: inout [Action]) {
        guard let healing else { return }
        openedAt = now.monotonic
        hellos = 0
        send(.fetch(attempt: attempt, after: head, upTo: healing.target.seq), into: &out)
    }

    /// A piece of what was lost. It is stored only when it continues the chain and meets the hash that the cloud named.
    mutating func heal(_ body: [UInt8], at now: ClockReading, into out: inout [Action]) {
        guard var current = healing, !current.isStoring else { return }
        do throws(BatchError) {
            var batch = try Batch(body)
            // A late copy of an earlier piece.
            guard batch.previous.seq == head.seq else { return }
            if rules.healWithoutVerify {
                var loose = ChainVerifier(edge: identity.edge, after: batch.previous)
                do { try batch.verify(with: &loose) } catch {}
            } else {
                guard batch.previous == head, batch.last.seq <= current.target.seq else { throw .lastHash(at: batch.previous.seq) }
                try batch.verify(with: &current.verifier)
                if batch.last.seq == current.target.seq, batch.last != current.target { throw .lastHash(at: batch.last.seq) }
                for entry in batch.entries where current.checkpoints.accept(entry) != nil { throw .signature(at: entry.seq) }
            }
            current.isStoring = true
            healing = current
            openedAt = now.monotonic
            out.append(.heal(batch.entries))
        } catch {
            distrust("what the cloud sent after entry \(head.seq) does not follow: \(error)", at: now, into: &out)
        }
    }

    /// What was taken is durable here.
    mutating func healed(_ entries: [Entry], at now: ClockReading, into out: inout [Action]) {
        guard let last = entries.last else { return }
        head = last.head; identity.epoch = last.epoch
        if let end = behind, head.seq >= end { behind = nil }
        // A change of the key may be among them: what comes after is signed by the new one.
        var rule = CheckpointRule(edge: identity.edge, key: identity.signer)
        for entry in entries { _ = rule.accept(entry) }
        identity.signer = rule.key
        guard let target = healing?.target else { return }
        healing?.isStoring = false
        // The whole beginning is the cloud's own now: the verdict on the next HELLO says so.
        if head.seq < target.seq { fetch(at: now, into: &out) } else { open(at: now, into: &out) }
    }

    /// A signature among them does not hold: nothing of the cloud's history is used, and somebody has to look.
    mutating func healRefused(_ words: String, at now: ClockReading, into out: inout [Action]) {
        guard case .healing = phase else { return }
        distrust("what the cloud sent after entry \(head.seq) is not this edge's history: \(words)", at: now, into: &out)
    }

    /// What the cloud says cannot be true: said aloud, nothing of it used.
    mutating func distrust(_ text: String, at now: ClockReading, into out: inout [Action]) {
        let trouble = Trouble(code: RefusalCase.fork.rawValue, text: text, cure: RefusalCase.fork.cure, ends: true)
        send(.error(trouble), into: &out)
        openedAt = now.monotonic
        fall(to: .refused(trouble), into: &out)
    }
}
