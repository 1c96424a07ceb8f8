// Anti-entropy at the edge: it shows digests of its stored bytes, gives entries that are sound, and takes those that its own chain names.
internal import Ledger
internal import Values

/// Why the journal was asked for its stored bytes.
enum StoredUse: Hashable, Sendable {
    /// RANGE: its digests are wanted.
    case digests(RangeQuestion)
    /// FETCH: the entry itself is wanted, if it is sound.
    case entry(audit: Int64)
}

extension Sender {
    /// RANGE. Only one question is worked on at a time: an asker that does not wait hears nothing of the former.
    mutating func digest(_ question: RangeQuestion, into out: inout [Action]) {
        guard question.from >= identity.oldest, question.through <= head.seq else {
            send(.rangeHash(RangeAnswer(question: question, hashes: [])), into: &out)
            return
        }
        audits = question.audit
        use = .digests(question)
        out.append(.readStored(from: question.from, through: question.through))
    }

    /// FETCH inside a session: the cloud's copy of one entry is damaged.
    mutating func give(_ audit: Int64, _ seq: Seq, into out: inout [Action]) {
        guard seq >= identity.oldest, seq <= head.seq else { return }
        use = .entry(audit: audit)
        out.append(.readStored(from: seq, through: seq))
    }

    /// The journal's answer to `.readStored`.
    mutating func stored(_ from: Seq, _ entries: [Entry?], into out: inout [Action]) {
        guard phase == .open, let use, !entries.isEmpty else { return }
        let range = StoredRange(edge: identity.edge, from: from, entries)
        switch use {
        case .digests(let question):
            guard question.from == range.from, question.through == range.through else { return }
            self.use = nil
            send(.rangeHash(RangeAnswer(question: question, hashes: range.digests(step: question.step))), into: &out)
        case .entry(let audit):
            self.use = nil
            // What is damaged here too is never sent as good: its digest says so instead.
            guard let sound = range.sound(from: from) else {
                let question = RangeQuestion(audit: audit, from: range.from, through: range.through, step: 1)
                send(.rangeHash(RangeAnswer(question: question, hashes: range.digests(step: 1))), into: &out)
                return
            }
            send(.heal(Batch.encode(sound).body), into: &out)
        }
    }

    /// HEAL inside a session: bytes for an entry that is damaged here. The journal takes them only if its own chain names their hash.
    mutating func mend(_ body: [UInt8], into out: inout [Action]) {
        guard var batch = try? Batch(body), batch.entries.count == 1, batch.last.seq <= head.seq else { return }
        var verifier = ChainVerifier(edge: identity.edge, after: batch.previous)
        do { try batch.verify(with: &verifier) } catch { return }
        guard let entry = batch.entries.first else { return }
        out.append(.mend(entry))
    }

    /// The journal has looked at it: the digest of what is stored now tells the cloud whether it was taken.
    mutating func mended(_ seq: Seq, into out: inout [Action]) {
        guard phase == .open, let audits else { return }
        digest(RangeQuestion(audit: audits, from: seq, through: seq, step: 1), into: &out)
    }
}
