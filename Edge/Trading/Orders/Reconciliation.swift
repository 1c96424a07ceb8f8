// Comparing with the broker: after every start and reconnect, before any order leaves (LEDGER-AND-SYNC 2.4 and 2.5).
internal import Ledger
internal import Values

/// Where the comparison of this connection stands.
struct Reconciliation: Sendable {
    enum Phase: Sendable {
        case idle
        /// Nothing is asked before this instant; with orders of unknown fate the broker gets time to settle.
        case waiting(until: Instant)
        case asked
        case done
    }
    private(set) var phase = Phase.idle
    private(set) var generation: Int64 = 0
    /// The first of two snapshots that must agree, when absence has to be proved.
    private(set) var first: BrokerSnapshot?
    /// True while what is concluded rests on two snapshots: then it also proves absence.
    private(set) var needsTwo = false

    var isDone: Bool { if case .done = phase { true } else { false } }

    mutating func begin(generation: Int64, at now: Instant, hasUnknown: Bool, _ settings: DeskSettings) {
        self = Reconciliation()
        self.generation = generation; needsTwo = hasUnknown
        phase = .waiting(until: hasUnknown ? now + settings.settle : now)
    }

    /// Moves what is waited for with the clock. A first snapshot of before proves no distance any more.
    mutating func clockWasSet(by step: Span) {
        first = nil
        if case .waiting(let until) = phase { phase = .waiting(until: until + step) }
    }

    /// Compares once more in the same connection; does nothing while a comparison is under way.
    mutating func again(at now: Instant, hasUnknown: Bool, _ settings: DeskSettings) {
        if isDone { begin(generation: generation, at: now, hasUnknown: hasUnknown, settings) }
    }

    /// Compares once more, by two pictures, so that absence is proved too.
    mutating func prove(at now: Instant, _ settings: DeskSettings) {
        guard isDone else { return }
        begin(generation: generation, at: now, hasUnknown: true, settings)
        phase = .waiting(until: now + settings.snapshotGap)
    }

    mutating func reset() { self = Reconciliation() }
    mutating func finish() { phase = .done; first = nil }

    /// An incomplete snapshot proves nothing (R12): ask again after a while.
    mutating func failed(generation: Int64, at now: Instant, _ settings: DeskSettings) {
        guard generation == self.generation, case .asked = phase else { return }
        phase = .waiting(until: now + settings.snapshotGap)
    }

    /// True when it is time to ask.
    mutating func shouldAsk(at now: Instant) -> Bool {
        guard case .waiting(let until) = phase, now >= until else { return false }
        phase = .asked
        return true
    }

    /// True when `snapshot` may be concluded from; otherwise it is kept as the first of two.
    mutating func accepts(_ snapshot: BrokerSnapshot, at now: Instant, _ settings: DeskSettings) -> Bool {
        guard snapshot.generation == generation, case .asked = phase else { return false }
        guard needsTwo else { return true }
        if let first, first.saysTheSame(as: snapshot), snapshot.startedAt >= first.completedAt + settings.snapshotGap { return true }
        first = snapshot
        phase = .waiting(until: now + settings.snapshotGap)
        return false
    }
}

extension BrokerSnapshot {
    /// Equal on orders, fills and positions; the times differ by nature, and so does the level of a stop that trails the market.
    func saysTheSame(as other: BrokerSnapshot) -> Bool {
        Set(openOrders.map(\.lasting)) == Set(other.openOrders.map(\.lasting))
            && Set(completedOrders.map(\.lasting)) == Set(other.completedOrders.map(\.lasting))
            && Set(fills.map(\.fill.execID)) == Set(other.fills.map(\.fill.execID)) && Set(positions) == Set(other.positions)
    }

    /// A short digest of what was seen, for the entry that rests on it.
    var evidence: String {
        "open \(openOrders.count), completed \(completedOrders.count), executions \(fills.count), positions \(positions.count) at \(completedAt)"
    }
}

extension BrokerOrder {
    /// Without what changes from minute to minute and proves nothing.
    fileprivate var lasting: BrokerOrder {
        var order = self
        order.stopPrice = nil; order.text = ""
        return order
    }
}

extension Desk {
    mutating func advanceReconciliation(at now: Instant, into out: inout Outcome) {
        if reconciliation.shouldAsk(at: now) { out.actions.append(.snapshot) }
    }

    /// Orders that the broker does not list although they work here: their end is read from its lists, or their absence proved.
    mutating func compareMissing(at now: Instant, into out: inout Outcome) {
        guard reconciliation.isDone else { return }
        let isWorking = missing.contains { book.order($0)?.isWorking ?? false }
        missing = []
        if isWorking {
            reconciliation.prove(at: now, settings)
            if let gateway = live.gateway { show(gateway, into: &out) }
        } else if isShort {
            compareAgain(at: now, into: &out)
        }
        isShort = false
    }

    /// Executions, then orders, then positions: each explains the next.
    mutating func take(_ snapshot: BrokerSnapshot, at now: Instant, into out: inout Outcome) {
        // R1. What was executed is true whatever becomes of the picture, and comes before anything is said of its order.
        for fill in snapshot.fills { apply(fill, flags: .replayed, at: now, into: &out) }
        guard reconciliation.accepts(snapshot, at: now, settings) else { return }
        for order in snapshot.openOrders + snapshot.completedOrders { apply(order, code: nil, into: &out) }  // R3
        adoptForeign(snapshot, into: &out)
        findRevived(snapshot, into: &out)
        findDoubles(snapshot, into: &out)  // R7
        bury(absentFrom: snapshot, into: &out)  // R4
        comparePositions(snapshot, into: &out)
        let differences = out.drafts.count { if case .difference = $0.fact { true } else { false } }
        out.add(.reconciled(ReconciledFact(generation: snapshot.generation, evidence: snapshot.evidence, differences: Int64(differences))))
        reconciliation.finish()
        findInterrupted()
        if let gateway = live.gateway { show(gateway, into: &out) }
    }

    /// Working orders that the ledger does not know: shown, and their instrument takes no new exposure.
    private func adoptForeign(_ snapshot: BrokerSnapshot, into out: inout Outcome) {
        for order in snapshot.openOrders where ourOrder(order) == nil {
            let id = order.instrument ?? InstrumentID("unknown")
            let isOurForm = ClOrdID.hasOurForm(order.reference)
            let rule = isOurForm ? LostLineage.rule : "R6"
            let text =
                "The broker lists a working order (\(order.side.rawValue) \(order.quantity), permId \(order.permID)) that this ledger did not place."
            halt(id, rule: rule, text: text, into: &out)
            if isOurForm { raiseLineageHalt(text, into: &out) }
        }
    }

    /// Orders of ours that ended here, by a refusal or a cancel, and that the broker works all the same: they may still fill, and only a person knows
    /// whether they should. What absence had ended is no end: such an order is cancelled as it comes back.
    private func findRevived(_ snapshot: BrokerSnapshot, into out: inout Outcome) {
        for order in snapshot.openOrders where !order.status.isTerminal && order.status != .pendingNew {
            guard let ours = ourOrder(order), [.rejected, .canceled, .expired].contains(ours.status) else { continue }
            let text =
                "The broker works order \(ours.tag) (\(order.side.rawValue) \(order.quantity)), which stands as \(ours.status.rawValue) here. "
                + "Cancel it at the broker's own screen."
            halt(ours.leg.instrument, rule: "R3", text: text, into: &out)
        }
    }

    private func raiseLineageHalt(_ text: String, into out: inout Outcome) {
        if book.haltLevel < .halt { out.add(.halt(HaltFact(level: .halt, source: LostLineage.source, reason: text))) }
    }

    /// Working in the ledger and absent at the broker, without a new execution: absence is proved by two equal snapshots.
    private func bury(absentFrom snapshot: BrokerSnapshot, into out: inout Outcome) {
        let listed = Set((snapshot.openOrders + snapshot.completedOrders).compactMap { ourOrder($0)?.tag })
        for order in book.workingOrders where !listed.contains(order.tag) {
            var filled = order.cumQty
            for draft in out.drafts {
                if case .fill(let fill) = draft.fact, fill.tag == order.tag { filled = filled.adding(fill.lastQty) ?? filled }
            }
            if filled >= order.quantity { continue }
            // A replayed execution ends UNKNOWN without telling what became of the rest: nothing was placed since, so the proof holds for it too.
            guard order.status == .unknown || reconciliation.needsTwo else { continue }
            out.add(.orderDead(tag: order.tag, evidence: snapshot.evidence))
        }
    }

    /// Broker positions against the sum of executions (R9, R13): a difference halts the instrument, nothing is invented.
    private mutating func comparePositions(_ snapshot: BrokerSnapshot, into out: inout Outcome) {
        disagreeing = []
        var expected: [InstrumentID: Quantity] = book.positions.mapValues(\.quantity)
        for draft in out.drafts {
            guard case .fill(let fill) = draft.fact else { continue }
            let signed = fill.side == .buy ? fill.lastQty : fill.lastQty.negated
            expected[fill.instrument] = (expected[fill.instrument] ?? .zero).adding(signed)
        }
        var actual: [InstrumentID: Quantity] = [:]
        for position in snapshot.positions where position.account == account { actual[position.instrument] = position.quantity }
        for id in Set(expected.keys).union(actual.keys).union(book.suspended.keys).sorted() {
            var ours = expected[id] ?? .zero
            let theirs = actual[id] ?? .zero
            ours = settleCorrections(of: id, ours: ours, theirs: theirs, into: &out)  // R2
            suspend(id, ours: ours, theirs: theirs, into: &out)
            if ours != theirs {
                disagreeing.insert(id)
                halt(id, rule: "R9", text: "The broker holds \(theirs) of \(id) and the executions in the ledger add up to \(ours).", into: &out)
            }
        }
    }

    /// Two working orders under one tag: one intent became two. Which to cancel is the person's choice.
    private func findDoubles(_ snapshot: BrokerSnapshot, into out: inout Outcome) {
        var first: [String: BrokerOrder] = [:]
        for order in snapshot.openOrders where ClOrdID.hasOurForm(order.reference) {
            guard let other = first[order.reference], other.permID != order.permID else { first[order.reference] = order; continue }
            let id = order.instrument ?? other.instrument ?? InstrumentID("unknown")
            let text = "The broker works two orders of tag \(order.reference): permId \(other.permID) and \(order.permID). Cancel one of them."
            halt(id, rule: "R7", text: text, into: &out)
        }
    }

    /// Tells a difference once and lets the instrument take no new exposure.
    func halt(_ id: InstrumentID, rule: String, text: String, into out: inout Outcome) {
        let difference = Difference(rule: rule, instrument: id, text: text)
        if !book.differences.contains(difference) { out.add(.difference(difference)) }
        if book.haltedInstruments[id] == nil { out.add(.instrumentHalt(instrument: id, halted: true, reason: "\(rule): \(text)")) }
    }
}
