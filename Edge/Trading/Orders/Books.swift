// Money on the desk's books beside its orders: what cannot be posted, what a person writes down, what nobody can explain.
package import Ledger
internal import Values

extension Desk {
    /// The draft with its postings, from the book as it is before it; and what is to be recorded besides when it could not be posted.
    package func posted(_ draft: Draft, rules: PostingRules = PostingRules()) -> (draft: Draft, refused: [Draft]) {
        guard draft.fact.kind.hasPostings else { return (draft, []) }
        let posted = book.postings(of: draft.fact, rules: rules)
        var draft = draft
        draft.postings = posted.lines
        return (draft, posted.refusal.map { drafts(refusing: draft.fact, $0) } ?? [])
    }

    /// What follows a fact that could not be posted: told once, and its instrument takes no new exposure.
    private func drafts(refusing fact: Fact, _ refusal: PostingRefusal) -> [Draft] {
        var out = Outcome()
        switch fact {
        case .fill(let fill): halt(fill.instrument, rule: Difference.unposted, text: refusal.description, into: &out)
        case .correction(let correction):
            let instrument = book.fill(correction.execID)?.fill.instrument ?? InstrumentID("unknown")
            halt(instrument, rule: Difference.unposted, text: refusal.description, into: &out)
        default: out.add(.difference(Difference(rule: Difference.unposted, instrument: nil, text: refusal.description)))
        }
        return out.drafts
    }

    /// Writes down money that a person tells of, once for each id.
    func record(_ fact: Fact, _ command: CommandID, into out: inout Outcome) {
        guard book.commands[command] == nil else { return }
        out.add(fact)
        out.add(
            .commandAccepted(
                CommandOutcome(command: command, kind: "record", issuer: "console", code: "done", text: "Written to the ledger: \(fact.kind).")))
    }

    /// Puts the difference between broker and executions in suspense, or takes out what is explained by now: the ledger's position is then the
    /// broker's, and the sum of executions stays what it is.
    func suspend(_ id: InstrumentID, ours: Quantity, theirs: Quantity, into out: inout Outcome) {
        let asset = book.suspended[id] ?? book.instruments[id]?.asset ?? id.text
        // The lines stand with the sign of the other side.
        let present = -book.balances.total(.suspense, asset)
        let wanted = Int128(theirs.raw) - Int128(ours.raw)
        guard wanted != present, let amount = Int64(exactly: wanted - present), amount != .min else { return }
        let text =
            wanted == 0 ? "The broker's position of \(id) is explained again." : "The broker holds \(theirs) of \(id), the executions say \(ours)."
        out.add(.suspense(Suspense(rule: "R9", account: account, asset: asset, amount: amount, instrument: id, text: text)))
    }
}
