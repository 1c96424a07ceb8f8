// Anti-entropy at the cloud: range after range is read at both ends and compared; damaged bytes are put right from the end that has the right ones.
internal import Ledger
package import Values
internal import Wire

extension Receiver {
    /// True when an open session's edge can compare.
    package func mayAudit(_ edge: EdgeID) -> Bool { edges[edge]?.session?.features.contains(.audit) == true }
    /// True while a comparison runs.
    package func isAuditing(_ edge: EdgeID) -> Bool { edges[edge]?.audit != nil }

    mutating func beginAudit(_ edge: EdgeID, by askedBy: String, isHurried: Bool, at now: ClockReading, into out: inout [Action]) {
        // Asked for while one runs: what that one has read is not what is stored now, and nobody waits for a night's pauses. It begins anew.
        guard let state = edges[edge], mayAudit(edge), state.audit == nil || isHurried else { return }
        let report = AuditReport(edge: edge, askedBy: askedBy, startedAt: now.wall, head: state.memory.have)
        let id = Int64(newSessionID() >> 1)
        edges[edge]?.audit = Audit(
            id: id, isHurried: isHurried, report: report, known: state.memory.have, holes: state.memory.holes, gaps: state.session?.gaps ?? [])
        out.append(.audited(edge, report))
        nextRange(edge, at: now, into: &out)
    }

    /// Begins the range that ends with the entry known to be right; the comparison is over when none is left.
    private mutating func nextRange(_ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard var audit = edges[edge]?.audit else { return }
        // What nobody has is passed over; the store says which entry stands before it.
        while let hole = audit.holes.first(where: { $0.last == audit.known }) { audit.known = hole.after }
        edges[edge]?.audit?.known = audit.known
        guard audit.known.seq > Seq(0) else {
            edges[edge]?.audit?.report.isThrough = true
            let report = audit.report
            endAudit(
                edge, report.staysAtEdge > 0 ? .differs : report.healed > 0 ? .healed : .agrees, report.wordsOfEdge, at: now, into: &out)
            return
        }
        audit.stage = .comparing(theirs: nil)
        audit.mine = nil
        edges[edge]?.audit = audit
        if audit.isLostAtTheEdge {
            edges[edge]?.audit?.question = nil
        } else {
            ask(.range(audit.question(step: RangeQuestion.entriesMax)), edge, at: now, into: &out)
        }
        out.append(.readStored(edge, from: audit.from, through: audit.known.seq))
    }

    /// Asks the edge, and again while it does not answer.
    private mutating func ask(_ question: Message, _ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        // A question that was asked again may be answered again.
        let asked = edges[edge]?.audit?.asked ?? 0
        edges[edge]?.audit?.late = max(0, asked - 1)
        edges[edge]?.audit?.question = question
        edges[edge]?.audit?.askedAt = now.monotonic
        edges[edge]?.audit?.asked = 1
        send(question, to: edge, into: &out)
    }

    /// The store's answer to `.readStored`; nil when it could not read.
    mutating func stored(_ edge: EdgeID, from: Seq, _ entries: [Entry?]?, at now: ClockReading, into out: inout [Action]) {
        guard let audit = edges[edge]?.audit, case .comparing = audit.stage, from == audit.from else { return }
        guard let entries, UInt64(entries.count) == audit.known.seq.raw - from.raw + 1 else {
            endAudit(edge, .interrupted, "the cloud's stored entries from \(from) on cannot be read", at: now, into: &out)
            return
        }
        let mine = StoredRange(edge: edge, from: from, entries)
        edges[edge]?.audit?.mine = mine
        // There is nothing to compare with: the digest of this end stands for both, and damage here stays.
        if audit.isLostAtTheEdge { edges[edge]?.audit?.stage = .comparing(theirs: mine.digests(step: RangeQuestion.entriesMax)) }
        weigh(edge, at: now, into: &out)
    }

    /// The edge's digests.
    mutating func answered(_ answer: RangeAnswer, of edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard let audit = edges[edge]?.audit, answer.question.audit == audit.id else { return }
        switch audit.stage {
        case .comparing where answer.question == audit.question(step: RangeQuestion.entriesMax):
            guard !answer.hashes.isEmpty else {
                endAudit(edge, .interrupted, "the edge no longer keeps entries \(audit.from) to \(audit.known.seq)", at: now, into: &out)
                return
            }
            edges[edge]?.audit?.stage = .comparing(theirs: answer.hashes)
            weigh(edge, at: now, into: &out)
        case .searching(let question) where answer.question == question: search(answer, edge, at: now, into: &out)
        case .giving(let head) where answer.question.from == head.seq && answer.question.through == head.seq:
            let isHealed = answer.hashes == audit.mine?.digests(of: head.seq...head.seq, step: 1)
            guard isHealed || audit.late == 0 else {
                // Most likely the search's answer once more, from before the right bytes were there.
                edges[edge]?.audit?.late -= 1
                return
            }
            found(
                AuditFinding(
                    entry: head, wrong: .edge, isHealed: isHealed,
                    words: isHealed
                        ? ""
                        : "the edge did not put the right bytes in place; if the entry has moved into a segment file there, put that file back from a copy, "
                            + "or let the edge take its whole ledger back from here (deploy/guide/ledger.md)"),
                edge, at: now, into: &out)
        // Of this entry alone: the answer about the whole range may come twice, and may begin with it.
        case .fetching(let head) where answer.question == RangeQuestion(audit: audit.id, from: head.seq, through: head.seq, step: 1):
            found(
                AuditFinding(
                    entry: head, wrong: .both, found: audit.mine?.hash(at: head.seq), isHealed: false, words: "neither end has the right bytes"),
                edge, at: now, into: &out)
        default: break
        }
    }

    /// Both ends have been read. Whose bytes hash into the chain is right, whatever the other has.
    private mutating func weigh(_ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard let audit = edges[edge]?.audit, case .comparing(let theirs?) = audit.stage, let mine = audit.mine else { return }
        let digests = mine.digests(step: RangeQuestion.entriesMax)
        switch mine.check(endingAt: audit.known) {
        case .whole(let before) where digests == theirs: rangeDone(edge, before: before, digests, at: now, into: &out)
        case .whole(let before) where audit.report.staysAtEdge >= Audit.staysAtEdgeMax:
            edges[edge]?.audit?.report.unsearched += 1
            rangeDone(edge, before: before, digests, at: now, into: &out)
        case .whole:
            let question = audit.question(step: Audit.fineStep)
            edges[edge]?.audit?.stage = .searching(question)
            ask(.range(question), edge, at: now, into: &out)
        case .wrong(let head) where digests == theirs:
            found(
                AuditFinding(entry: head, wrong: .both, found: mine.hash(at: head.seq), isHealed: false, words: "neither end has the right bytes"),
                edge, at: now, into: &out)
        case .wrong(let head):
            edges[edge]?.audit?.stage = .fetching(head)
            // Asked for by its number alone: what this end believes of the entry before may be as wrong as the damaged one.
            ask(.fetch(attempt: audit.id, after: Head(seq: Seq(head.seq.raw - 1), hash: Head.start.hash), upTo: head.seq), edge, at: now, into: &out)
        }
    }

    private mutating func rangeDone(_ edge: EdgeID, before: Head, _ digests: [[UInt8]], at now: ClockReading, into out: inout [Action]) {
        guard var audit = edges[edge]?.audit else { return }
        // A range that this end reads alone has no answer to wait for: range after range would be read inside the one before.
        let goesOn = audit.isHurried && !audit.isLostAtTheEdge
        audit.report.ranges += 1
        audit.report.from = audit.from
        audit.report.digest = Hashing.blake2b(audit.report.digest + digests.flatMap { $0 })
        audit.known = before
        audit.heals = 0
        audit.question = nil
        audit.stage = .resting(until: audit.isHurried ? now.monotonic : now.monotonic + rules.auditEvery)
        edges[edge]?.audit = audit
        out.append(.audited(edge, audit.report))
        if goesOn || audit.known.seq == Seq(0) { nextRange(edge, at: now, into: &out) }
    }

    /// Finer and finer, to the highest entry that the edge has otherwise.
    private mutating func search(_ answer: RangeAnswer, _ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard let audit = edges[edge]?.audit, let mine = audit.mine else { return }
        let question = answer.question
        let ours = mine.digests(of: question.from...question.through, step: question.step) ?? []
        guard let index = ours.indices.last(where: { answer.hashes.isEmpty || ours[$0] != answer.hashes[$0] }) else {
            // It was another moment's: the range is compared again.
            retryRange(edge, at: now, into: &out)
            return
        }
        guard question.step == 1 else {
            let next = audit.question(step: 1, question.part(index))
            edges[edge]?.audit?.stage = .searching(next)
            ask(.range(next), edge, at: now, into: &out)
            return
        }
        guard let entry = mine.entries[Int(question.from.raw - mine.from.raw) + index] else { return }
        edges[edge]?.audit?.stage = .giving(entry.head)
        ask(.heal(Batch.encode([entry]).body), edge, at: now, into: &out)
    }

    /// The edge's bytes of the entry that is damaged here: good when they give the hash that the chain names.
    mutating func takeFetched(_ body: [UInt8], of edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard let audit = edges[edge]?.audit, case .fetching(let head) = audit.stage else { return }
        do throws(BatchError) {
            var batch = try Batch(body)
            guard batch.last.seq == head.seq, batch.entries.count == 1 else { return }
            var verifier = ChainVerifier(edge: edge, after: batch.previous)
            try batch.verify(with: &verifier)
            guard batch.last == head, let entry = batch.entries.first else { throw .lastHash(at: head.seq) }
            edges[edge]?.audit?.stage = .mending(head)
            edges[edge]?.audit?.question = nil
            out.append(.mend(edge, entry))
        } catch {
            found(
                AuditFinding(
                    entry: head, wrong: .both, found: audit.mine?.hash(at: head.seq), isHealed: false,
                    words: "the edge's bytes do not hash into the chain either"),
                edge, at: now, into: &out)
        }
    }

    /// The store's answer to `.mend`.
    mutating func mended(_ edge: EdgeID, _ seq: Seq, isDone: Bool, at now: ClockReading, into out: inout [Action]) {
        guard let audit = edges[edge]?.audit, case .mending(let head) = audit.stage, head.seq == seq else { return }
        found(
            AuditFinding(
                entry: head, wrong: .cloud, found: audit.mine?.hash(at: seq), isHealed: isDone,
                words: isDone ? "" : "the right bytes could not be put in place here"),
            edge, at: now, into: &out)
    }

    /// Notes a damaged entry: a healed one is looked at again with its whole range. One that stays damaged here ends the comparison; one that stays
    /// so at the edge does not, for what lies below it may be damaged here and sound there.
    private mutating func found(_ finding: AuditFinding, _ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard var audit = edges[edge]?.audit else { return }
        if audit.report.findings.count < AuditReport.findingsMax { audit.report.findings.append(finding) }
        if finding.isHealed { audit.report.healed += 1 }
        edges[edge]?.audit = audit
        if !finding.isHealed, finding.wrong == .edge, let before = audit.before(finding.entry.seq) {
            if audit.report.staysAtEdge == 0 { edges[edge]?.audit?.report.firstAtEdge = finding }
            edges[edge]?.audit?.report.staysAtEdge += 1
            // What is above it in this range is the same at both ends.
            edges[edge]?.audit?.report.from = finding.entry.seq
            edges[edge]?.audit?.known = before
            nextRange(edge, at: now, into: &out)
            return
        }
        guard finding.isHealed else {
            endAudit(edge, .differs, "entry \(finding.entry.seq) is damaged: \(finding.words)", at: now, into: &out)
            return
        }
        retryRange(edge, at: now, into: &out)
    }

    private mutating func retryRange(_ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard let audit = edges[edge]?.audit else { return }
        edges[edge]?.audit?.heals += 1
        guard audit.heals <= 2 * RangeQuestion.entriesMax else {
            endAudit(edge, .differs, "entries \(audit.from) to \(audit.known.seq) are damaged again as often as they are healed", at: now, into: &out)
            return
        }
        nextRange(edge, at: now, into: &out)
    }

    mutating func endAudit(_ edge: EdgeID, _ state: AuditReport.State, _ words: String, at now: ClockReading?, into out: inout [Action]) {
        guard var report = edges[edge]?.audit?.report else { return }
        report.state = state; report.words = words; report.endedAt = now?.wall
        edges[edge]?.audit = nil
        out.append(.audited(edge, report))
    }

    /// Time passes over a comparison.
    mutating func watchAudit(_ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard let audit = edges[edge]?.audit else { return }
        if case .resting(let until) = audit.stage {
            if now.monotonic >= until { nextRange(edge, at: now, into: &out) }
            return
        }
        guard let question = audit.question, now.monotonic - audit.askedAt >= rules.auditPatience else { return }
        guard audit.asked < rules.auditAsksMax else {
            endAudit(edge, .interrupted, "the edge does not answer", at: now, into: &out)
            return
        }
        edges[edge]?.audit?.askedAt = now.monotonic
        edges[edge]?.audit?.asked += 1
        send(question, to: edge, into: &out)
    }
}
