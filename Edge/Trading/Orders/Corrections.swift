// Executions that the broker corrects (R2): whether the new one replaces the old or adds to it is read off the position, never guessed.
internal import Ledger
internal import Values

extension Desk {
    /// The execution that this one corrects, booked or about to be: IBKR's ids have four parts, and a correction differs in the last alone.
    /// - Returns: nil for an execution of its own; the newest revision that counts, and whether this one is newer than it.
    func corrected(by execID: String, in out: Outcome) -> (execID: String, isNewer: Bool)? {
        guard let new = ExecutionName(execID) else { return nil }
        var found: (execID: String, isNewer: Bool)?
        func look(_ id: String) {
            guard found == nil, let old = ExecutionName(id), old.root == new.root else { return }
            found = (id, new.revision > old.revision)
        }
        for draft in out.drafts.reversed() { if case .fill(let other) = draft.fact { look(other.execID) } }
        var looked = 0
        book.fills.backward { record in
            if looked < Desk.correctable, record.reversedBy == nil { look(record.fill.execID) }
            looked += 1
            return found == nil && looked < Desk.correctable
        }
        return found
    }

    /// Keeps a correction until positions are compared, and asks for that. An older revision than the one that counts is none.
    mutating func hold(_ correction: BrokerFill, isNewer: Bool, at now: Instant, into out: inout Outcome) {
        guard isNewer, let name = ExecutionName(correction.fill.execID) else { return }
        if let place = corrections.firstIndex(where: { ExecutionName($0.fill.execID)?.root == name.root }) {
            guard (ExecutionName(corrections[place].fill.execID)?.revision ?? 0) < name.revision else { return }
            corrections[place] = correction
        } else {
            corrections.append(correction)
        }
        // No order leaves until it is known what is held.
        compareAgain(at: now, into: &out)
    }

    /// Books the corrections of one instrument in the reading that makes the position match: in place of the originals, or beside them.
    /// - Parameter ours: the sum of executions without them.
    /// - Returns: the sum with what was booked.
    mutating func settleCorrections(of id: InstrumentID, ours: Quantity, theirs: Quantity, into out: inout Outcome) -> Quantity {
        let pending = corrections.filter { $0.fill.instrument == id }
        guard !pending.isEmpty else { return ours }
        corrections.removeAll { $0.fill.instrument == id }
        let pairs = pending.compactMap { new in
            corrected(by: new.fill.execID, in: out).flatMap { fill($0.execID, in: out) }.map { (old: $0, new: new) }
        }
        var replaced = Int128(ours.raw), added = Int128(ours.raw)
        for pair in pairs {
            replaced += Int128(pair.new.fill.signedQuantity.raw) - Int128(pair.old.signedQuantity.raw)
            added += Int128(pair.new.fill.signedQuantity.raw)
        }
        guard replaced == Int128(theirs.raw) || added == Int128(theirs.raw) else {
            for pair in pairs {
                let new = pair.new.fill
                let text = "The broker corrected execution \(pair.old.execID) as \(new.execID): \(new.lastQty) at \(new.lastPx). It is not booked."
                halt(id, rule: "R2", text: text, into: &out)
            }
            return ours
        }
        let replaces = replaced == Int128(theirs.raw)
        for pair in pairs {
            var new = pair.new.fill
            new.tag = pair.old.tag
            new.corrects = pair.old.execID
            if replaces {
                let reason = "The broker's position of \(theirs) matches when \(new.execID) stands in the place of \(pair.old.execID)."
                out.add(.correction(Correction(execID: pair.old.execID, by: new.execID, reason: reason)))
            }
            out.add(.fill(new), flags: pair.new.isReplayed ? .replayed : [])
        }
        return theirs
    }

    private func fill(_ execID: String, in out: Outcome) -> Fill? {
        for draft in out.drafts { if case .fill(let fill) = draft.fact, fill.execID == execID { return fill } }
        return book.fill(execID)?.fill
    }

    /// How far back a correction may reach, in executions: more than a day's.
    private static var correctable: Int { 2_000 }
}

/// The parts of the broker's execution id: what all revisions share, and the number of this one.
private struct ExecutionName {
    let root: Substring
    let revision: Int
    /// Nil for an id of another form: such an execution has no revisions.
    init?(_ execID: String) {
        guard execID.utf8.count(where: { $0 == 0x2E }) >= 3, let dot = execID.lastIndex(of: "."),
            let revision = Int(execID[execID.index(after: dot)...])
        else { return nil }
        root = execID[..<dot]
        self.revision = revision
    }
}
