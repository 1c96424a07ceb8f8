// What the agent does for its ledger beside the turns: checkpoints and the mark, a lost end, and the room on the disk.
package import Ledger
internal import Platform
internal import Trading
package import Values
package import Views
package import Wire

extension Agent {
    /// To be called after each turn, once its effects are done: looks at the disk, writes what waits for room, and signs and
    /// marks the ledger when that is due.
    package func keep(at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        try mustLive()
        var effects: [AgentEffect] = []
        var nothing = Turn()
        if !unwritten.isEmpty { _ = try commit(&nothing, at: clock, into: &effects) }
        effects += try noteUnsaid(at: clock)
        watchDisk(at: clock)
        noteTables(at: clock)
        tell(at: clock, into: &effects)
        guard unwritten.isEmpty, let keeper, keeper.isDue(at: clock.monotonic) else { return effects }
        return effects + (try sign([], at: clock))
    }

    private func noteTables(at clock: ClockReading) {
        if journal.tablesBehind >= Journal.subjectsWorthIndexing { tables.note(journal.head.seq, at: clock.monotonic) }
        tables.followed(through: Seq(journal.head.seq.raw - UInt64(journal.tablesBehind)))
    }

    /// How far the index and the posting table have been behind the ledger for longer than a moment; nil for the handful that they always may be.
    package func tablesLag(at clock: ClockReading) -> Lag? {
        guard journal.tablesBehind >= Journal.subjectsWorthIndexing else { return nil }
        return tables.lasting(of: Seq(journal.head.seq.raw - UInt64(journal.tablesBehind)), at: clock)
    }

    /// The entries that the mark speaks of and the ledger does not hold are given up: a person decided so at the console.
    /// - Returns: nil when nothing is missing.
    package func acceptRollback(reason: String, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect]? {
        try mustLive()
        guard unwritten.isEmpty, let lost = keeper?.lost else { return nil }
        var effects: [AgentEffect] = []
        var turn = Turn()
        let words = "The end of the ledger up to entry \(lost.head.seq) is given up: \(reason)"
        let isOurs = desk.book.haltFact?.source == Agent.rollbackRule
        let fact = HaltFact(level: isOurs ? .normal : desk.book.haltLevel, source: "console", reason: words)
        try number([Draft(fact.level == .normal ? .resume(fact) : .halt(fact))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        settleRollback(at: clock, into: &effects)
        return effects + (try sign([], at: clock))
    }

    /// Announces another ledger key, under the present one, and signs with it from then on. The new key must be durable before.
    /// - Returns: nil when that cannot be now: the disk is full, or the ledger's end is missing. Nothing was written then.
    package func changeKey(to new: SigningKeys, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect]? {
        try mustLive()
        guard mayChangeKey, let keeper else { return nil }
        var effects: [AgentEffect] = []
        var turn = Turn()
        let fact = KeyRotatedFact(old: keeper.witness.keys, new: new, edge: chain.edge, epoch: chain.epoch, after: chain.head)
        try number([Draft(.keyRotated(fact))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        self.keeper?.change(to: new)
        return effects + (try sign([], at: clock))
    }

    /// False while the disk is full or the ledger's end is missing.
    var mayChangeKey: Bool { unwritten.isEmpty && !journal.isShortOfRoom && keeper != nil && keeper?.lost == nil }

    /// Announces another key of the link, under the ledger's; it may be used once the cloud has the entry. The new key must be durable before.
    /// - Returns: the entry's number; nil when that cannot be now. Nothing was written then.
    package func announceLinkKey(
        old: [UInt8], new: [UInt8], at clock: ClockReading
    ) throws(AgentFailure) -> (seq: Seq, effects: [AgentEffect])? {
        try mustLive()
        guard unwritten.isEmpty, !journal.isShortOfRoom, let keeper, keeper.lost == nil else { return nil }
        var effects: [AgentEffect] = []
        // Who reads the announcement must know by whose signature: a ledger that was never signed is signed first.
        if journal.signer == nil { effects += try sign([], at: clock) }
        var turn = Turn()
        let fact = LinkKeyFact(old: old, key: new, edge: chain.edge, epoch: chain.epoch, after: chain.head, keys: keeper.witness.keys)
        try number([Draft(.linkKey(fact))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        return (chain.head.seq, effects)
    }

    /// The cloud signed that it has this ledger up to a head: written down when it is true, new, and not too often.
    package func countersigned(_ fact: CountersignedFact, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        try mustLive()
        var effects: [AgentEffect] = []
        guard unwritten.isEmpty, fact.head.seq <= chain.head.seq,
            // The key's entry may come before it.
            chain.nextSeq.raw + 1 - fact.head.seq.raw < CountersignRule.reach,
            fact.isSigned(edge: chain.edge)
        else { return effects }
        guard journal.trust.believes(fact.key, at: clock.wall) else {
            notBelieved(fact, at: clock, into: &effects)
            return effects
        }
        if fact.key == journal.trust.key, troubles.removeValue(forKey: .strangeKey) != nil { tell(at: clock, into: &effects) }
        guard witnessed.isDue(fact.head, at: clock.monotonic) else { return effects }
        do throws(JournalError) { guard try journal.read(from: fact.head.seq, limit: 1).first?.head == fact.head else { return effects } } catch {
            // What is damaged or missing is found and told by the check of the whole.
            if case .damaged = error { return effects }
            guard error.missing != nil else { throw fail(.journal(error)) }
            return effects
        }
        witnessed.covered(fact.head, at: clock.monotonic)
        var turn = Turn()
        let first = journal.trust.key == nil ? [Draft(.cloudKey(CloudKeyFact(key: fact.key, ground: .firstUse)))] : []
        try number(first + [Draft(.countersigned(fact))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        return effects
    }

    /// Writes down that the cloud is going to answer by another key of its link, which the caller has kept.
    /// - Returns: nil when that cannot be written now.
    package func note(_ word: ServerKeyFact, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect]? {
        try writeWhenThereIsRoom(.serverKey(word), at: clock)
    }

    /// One entry about keys, which can wait: nil while the disk is full.
    private func writeWhenThereIsRoom(_ fact: Fact, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect]? {
        try mustLive()
        guard unwritten.isEmpty, !journal.isShortOfRoom else { return nil }
        var effects: [AgentEffect] = []
        var turn = Turn()
        try number([Draft(fact)], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        return effects
    }

    /// Believes this key of the cloud's from now on, for the reason that the fact gives.
    /// - Returns: nil when that cannot be written now.
    package func believe(_ fact: CloudKeyFact, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect]? {
        guard var effects = try writeWhenThereIsRoom(.cloudKey(fact), at: clock) else { return nil }
        if troubles.removeValue(forKey: .strangeKey) != nil { tell(at: clock, into: &effects) }
        return effects
    }

    /// Follows the cloud's key from the one that is believed, as far as each announces the next; what else is announced says nothing.
    package func follow(_ changes: [CloudKeyChange], at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        var effects: [AgentEffect] = []
        // Each step is one of them at most: announcements that lead back and forth come to an end.
        for change in changes where change.old == journal.trust.key && change.key != change.old && change.isSigned {
            guard let more = try believe(CloudKeyFact(change), at: clock) else { break }
            effects += more
        }
        return effects
    }

    /// A true signature by another key is no witness: it is told, and nothing of it is written down.
    private func notBelieved(_ fact: CountersignedFact, at clock: ClockReading, into effects: inout [AgentEffect]) {
        let known = journal.trust.key.map { Hex.text($0) } ?? ""
        let trouble = LedgerTrouble(
            .strangeKey,
            "The cloud signs by the key \(Hex.text(fact.key)), and this ledger believes \(known). Its word is not taken; trading goes on.",
            cure: "Look at the cloud: tidewire-cloud keys show. If the new key is its own (keys/ was lost, or the cloud set up anew), say so here: "
                + "tidewire-edge keys trust KEY. If it is not, somebody else holds the cloud's link key: take the cloud off the network and look.")
        guard troubles[.strangeKey] != trouble else { return }
        troubles[.strangeKey] = trouble
        Log.write(.error, trouble.text, ["cure": trouble.cure])
        tell(at: clock, into: &effects)
    }

    /// The cloud turned away another running copy of this edge. This run has its place and goes on; who looks at it is told, for a day after the last
    /// word, and however often a copy knocks the words change once in a while only.
    package func noteCopy(_ words: String, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        try mustLive()
        guard copiedAt.map({ clock.monotonic - $0 >= Agent.copyToldEvery }) ?? true else { return [] }
        copiedAt = clock.monotonic
        let trouble = LedgerTrouble(
            .copied, "Another copy of this edge is running, and the cloud turned it away (\(words)). This one goes on.",
            cure: "Find the other machine and stop it: it has this edge's keys and ledger, and may trade on the same account.")
        guard troubles[.copied] != trouble else { return [] }
        troubles[.copied] = trouble
        Log.write(.error, trouble.text, ["cure": trouble.cure])
        var effects: [AgentEffect] = []
        tell(at: clock, into: &effects)
        return effects
    }

    /// Nobody has knocked for long.
    private func forgetCopy(at clock: ClockReading, into effects: inout [AgentEffect]) {
        guard let at = copiedAt, clock.monotonic - at >= Agent.copyShownFor else { return }
        copiedAt = nil
        troubles[.copied] = nil
        tell(at: clock, into: &effects)
    }
    private static let copyToldEvery = Span.minutes(1)
    private static let copyShownFor = Span.hours(24)

    /// Tries right bytes for a damaged entry on the journal: taken, they are noted in the ledger, and the check from the first entry begins anew.
    package func mend(_ entry: Entry, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        try mustLive()
        var effects: [AgentEffect] = []
        guard unwritten.isEmpty else { return effects }
        do throws(JournalError) { guard try journal.mend(entry, source: "cloud", at: clock.wall) else { return effects } } catch {
            throw fail(.journal(error))
        }
        if troubles.removeValue(forKey: .damaged) != nil { tell(at: clock, into: &effects) }
        rebuild.beginAnew()
        var turn = Turn()
        try number([Draft(.healed(HealedFact(from: entry.seq, to: entry.seq, source: "cloud")))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        return effects
    }

    /// What is wrong with the ledger, the weightiest first.
    package var ledgerTroubles: [LedgerTrouble] { troubles.values.sorted { $0.kind < $1.kind } }

    /// Who says so in the ledger when its end is missing.
    static let rollbackRule = "rule:rollback"
    /// Who says so when the book is not what the entries add up to, or nobody can tell.
    static let rebuildRule = "rule:rebuild"

    /// Writes these drafts and the checkpoint that covers them, then the mark: never before what it speaks of is durable.
    func sign(_ drafts: [Draft], at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        var effects: [AgentEffect] = []
        guard let keeper else { return effects }
        var turn = Turn()
        try number(drafts, at: clock, into: &turn)
        let checkpoint = CheckpointFact(
            head: chain.head, digest: desk.book.digest(), edge: chain.edge, epoch: chain.epoch, keys: keeper.witness.keys)
        try number([Draft(.checkpoint(checkpoint))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        guard unwritten.isEmpty else { return effects }
        self.keeper?.covered()
        if let last = journal.last { try mark(last) }
        if keeper.lost == nil, troubles.removeValue(forKey: .unmarked) != nil { tell(at: clock, into: &effects) }
        return effects
    }

    /// A full disk leaves the old mark, which is still true; a disk that fails ends the process as a failed commit does.
    func mark(_ entry: Entry) throws(AgentFailure) {
        do throws(MarkError) { try keeper?.mark(entry, edge: chain.edge) } catch {
            guard case .full = error else { throw fail(.mark(error)) }
        }
    }

    func settleRollback(at clock: ClockReading, into effects: inout [AgentEffect]) {
        keeper?.settle()
        troubles[.rolledBack] = nil
        tell(at: clock, into: &effects)
    }

    /// Puts the weightiest trouble before the desk and on the screens.
    func tell(at clock: ClockReading, into effects: inout [AgentEffect]) {
        guard !troubles.isEmpty || desk.ledgerTrouble != nil, desk.ledgerTrouble != ledgerTroubles.first else { return }
        // Not by moving the steady clock on: only a turn may learn that it was set.
        effects.append(.live(desk.note(ledgerTroubles.first, at: steady?.now ?? clock.wall)))
    }

    /// To be called by the loop when it has nothing to do: the journal's own work, then a piece of the nightly check.
    package func idle(at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        try mustLive()
        var effects: [AgentEffect] = []
        var step: RebuildCheck.Step
        do throws(JournalError) {
            try journal.idle(at: clock.wall)
            noteFollowers(at: clock, into: &effects)
            forgetCopy(at: clock, into: &effects)
            guard unwritten.isEmpty, troubles[.damaged] == nil else { return effects }
            step = try rebuild.step(
                at: clock, edge: chain.edge, head: journal.head, digest: { desk.book.digest() }, kept: compactor == nil ? [] : snapshots?.kept ?? [],
                rows: { seq, limit throws(JournalError) in try journal.rows(from: seq, limit: limit) })
        } catch {
            // Old entries that cannot be read stop nothing that is written now: they are told of, and the chain is checked on from behind them.
            guard let (from, to) = error.missing else { throw fail(.journal(error)) }
            let hole: Hole?
            step = .nothing
            do throws(JournalError) { hole = try journal.hole(around: from, to) } catch {
                guard case .damaged(let words) = error else { throw fail(.journal(error)) }
                hole = nil
                step = .damaged(words)
            }
            if let hole {
                rebuild.passOver(hole.anchor)
                return try note(hole, at: clock)
            }
        }
        switch step {
        case .nothing: break
        case .agrees:
            if troubles.removeValue(forKey: .different) != nil { tell(at: clock, into: &effects) }
            if let fact = rebuild.snapshot { compactor?.agrees(fact) }
        case .damaged(let words):
            let cure =
                "At the cloud: tidewire-cloud reconcile NAME puts right what it has, while both run. If it cannot: stop the edge, move ledger.db* of its data "
                + "folder away and keep them, start it, and it takes every entry back from the cloud (deploy/guide/ledger.md, 'The edge lost its ledger'). "
                + "Close positions at the broker's own screen if you must."
            try found(LedgerTrouble(.damaged, "The stored ledger is damaged: \(words). No order leaves.", cure: cure), at: clock, into: &effects)
        case .differs(let words):
            let cure = "Keep the ledger file and report this: the program added up wrongly. Restarting reads everything again."
            try found(LedgerTrouble(.different, "The rebuilt book differs: \(words).", cure: cure), at: clock, into: &effects)
        }
        guard step == .nothing else { return effects }
        effects += try keepSnapshot(at: clock)
        try compact(at: clock)
        return effects
    }

    /// Damage in what only follows the entries stops nothing.
    private func noteFollowers(at clock: ClockReading, into effects: inout [AgentEffect]) {
        let trouble: LedgerTrouble
        switch journal.followers {
        case .sound: return
        case .renewed(let words):
            let cure = "Nothing is to be done now. Look at the disk: what damaged these pages may damage others."
            trouble = LedgerTrouble(.unindexed, "The ledger's index was damaged and is made anew from its entries (\(words)).", cure: cure)
        case .damaged(let words):
            let cure =
                "Orders go on, and old entries move no more. Look at the disk, and when it suits stop the edge and run tidewire-edge "
                + "ledger reindex; if that cannot do it, put the ledger back from the cloud's copy."
            trouble = LedgerTrouble(.unindexed, "The ledger's index is damaged and follows no more (\(words)).", cure: cure)
        }
        guard troubles[.unindexed] != trouble else { return }
        troubles[.unindexed] = trouble
        tell(at: clock, into: &effects)
    }

    /// How far old entries have moved into segments; nil when they stay where they are.
    package var compaction: CompactionProgress? { compactor?.progress }

    /// A piece of moving old entries; not beside a snapshot's.
    private func compact(at clock: ClockReading) throws(AgentFailure) {
        guard unwritten.isEmpty, pending.isEmpty, !journal.isShortOfRoom, snapshots?.isWorking != true else { return }
        do throws(JournalError) { try compactor?.step(at: clock, journal) } catch { throw fail(.journal(error)) }
    }

    /// A finding about the ledger itself is a fact of its own: trading is reduced until a person has looked.
    private func found(_ trouble: LedgerTrouble, at clock: ClockReading, into effects: inout [AgentEffect]) throws(AgentFailure) {
        troubles[trouble.kind] = trouble
        var turn = Turn()
        if desk.book.haltLevel < .reducing {
            try number([Draft(.halt(HaltFact(level: .reducing, source: Agent.rebuildRule, reason: trouble.text)))], at: clock, into: &turn)
        }
        _ = try commit(&turn, at: clock, into: &effects)
    }

    /// Once a second: what the room that is left means, and the reserve made again when there is enough.
    func watchDisk(at clock: ClockReading) {
        guard watch?.isDue(at: clock.monotonic) == true, let reserve = watch?.reserve, let room = reserve.room else { return }
        let present = [LedgerTrouble.Kind.short, .warning].first { troubles[$0] != nil }
        let trouble = DiskWatch.trouble(room, present: present)
        troubles[.short] = nil
        troubles[.warning] = nil
        if let trouble { troubles[trouble.kind] = trouble }
        if unwritten.isEmpty, room.free >= DiskWatch.retakeAbove, reserve.isHeld || reserve.take() {
            troubles[.full] = nil
            journal.isShortOfRoom = false
        }
    }
}

extension LedgerTrouble {
    /// What a comparison with the mark means for trading; nil when nothing is wrong.
    init?(_ finding: MarkFinding, head: Head) {
        switch finding {
        case .agrees: return nil
        case .missing, .unreadable:
            let what = finding == .missing ? "There is no mark beside the ledger" : "The mark beside the ledger cannot be read"
            self.init(
                .unmarked, "\(what): a ledger put back from a copy would not have been noticed at this start.",
                cure: "Nothing is to be done if the ledger was not restored; a new mark is written.")
        case .rolledBack(let mark):
            let ends = mark.head.seq > head.seq
            self.init(
                .rolledBack,
                ends
                    ? "This ledger ends at entry \(head.seq) and once reached entry \(mark.head.seq): it was put back from a copy, or lost its end."
                    : "Entry \(mark.head.seq) of this ledger is not the one that was there: another copy of it went on.",
                cure: "Let the cloud's copy decide, or give the lost end up at the edge's console: tidewire-edge ledger accept-rollback.")
        }
    }
}
