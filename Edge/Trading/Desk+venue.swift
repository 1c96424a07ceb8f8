// Venue events: what the broker says becomes facts (orders, fills, money) or live state (quotes, values).
internal import Ledger
internal import Values

extension Desk {
    mutating func handle(_ event: VenueEvent, at now: Instant, into out: inout Outcome) {
        switch event {
        case .condition(let state, let generation): condition(state, generation, at: now, into: &out)
        case .ready(let account, let generation, let next):
            self.account = account
            sessionOrderID = max(next, 1)
            out.add(
                .brokerSession(BrokerSessionFact(connected: true, generation: generation, account: account, text: "Connected to account \(account)."))
            )
            reconciliation.begin(generation: generation, at: now, hasUnknown: book.workingOrders.contains { $0.status == .unknown }, settings)
            advanceReconciliation(at: now, into: &out)
        case .orderIDFloor(let next): sessionOrderID = max(sessionOrderID, next)
        case .instrument(let instrument):
            if book.instruments[instrument.id] != instrument { out.add(.instrument(instrument)) }
            out.actions.append(.margin(instrument.id))
        case .front(let symbol, let id): out.live.append(.front(symbol: symbol, id, asOf: now))
        case .noInstrument(let symbol, let text):
            out.live.append(
                .notice(Notice(code: 200, instrument: InstrumentID(symbol), text: text, cure: "Check the symbol and the permissions.", asOf: now)))
        case .quote(let id, let quote):
            out.live.append(.quote(id, quote))
            followPrice(id, quote, at: now, into: &out)
        case .trade(let id, let price, let size, let at):
            bars[id, default: BarBuilder()].add(price: price, size: size, at: at)
            if let bar = bars[id]?.bars.last { out.live.append(.formingBar(id, bar, asOf: now)) }
        case .bars(let id, let more, _):
            bars[id, default: BarBuilder()].merge(more)
            if let bar = bars[id]?.bars.last { out.live.append(.formingBar(id, bar, asOf: now)) }
        case .account(let values): out.live.append(.account(values))
        case .margin(let id, let margin): out.live.append(.margin(id, margin))
        case .order(let order, let code): apply(order, code: code, into: &out)
        case .fill(let fill): apply(fill, flags: fill.isReplayed ? .replayed : [], at: now, into: &out)
        case .cancelRefused(let order, let code, let text): keep(order, code: code, text, into: &out)
        case .orderMissing(let reference, let id, _): findMissing(ClOrdID(reference), id)
        case .commission(let commission): if !book.hasCommission(commission.execID) { out.add(.commission(commission)) }
        case .notice(let notice): out.live.append(.notice(notice))
        case .snapshot(let snapshot): take(snapshot, at: now, into: &out)
        case .snapshotFailed(let generation, _): reconciliation.failed(generation: generation, at: now, settings)
        case .sent(let ids):
            let tags = ids.compactMap { book.order(brokerOrderID: $0)?.tag }
            if !tags.isEmpty { out.add(.sent(tags: tags)) }
        }
    }

    private mutating func condition(_ state: GatewayState, _ generation: Int64, at now: Instant, into out: inout Outcome) {
        let lostLink = state.condition != .connected && state.condition != .reconciling
        if lostLink, book.session?.connected == true {
            out.add(.brokerSession(BrokerSessionFact(connected: false, generation: generation, account: account, text: state.text)))
        }
        if lostLink { reconciliation.reset() }
        show(state, into: &out)
    }

    /// Puts the gateway's state on the screen with our own verdict on trading.
    func show(_ state: GatewayState, into out: inout Outcome) {
        var shown = state
        let isUp = state.condition == .connected || state.condition == .reconciling
        if isUp { shown.condition = reconciliation.isDone ? .connected : .reconciling }
        shown.isTrading = isUp && reconciliation.isDone && book.haltLevel == .normal
        out.live.append(.gateway(shown))
    }

    /// A halt that came or went after the gateway last said something changes what its state means for trading.
    mutating func showTrading(into out: inout Outcome) {
        guard let shown = live.gateway else { return }
        let isUp = shown.condition == .connected || shown.condition == .reconciling
        if shown.isTrading != (isUp && reconciliation.isDone && book.haltLevel == .normal) { show(shown, into: &out) }
    }

    /// The order of ours that the broker means: by reference first, by session number for what it lists without one.
    func ourOrder(_ order: BrokerOrder) -> OrderRecord? {
        if let found = book.order(ClOrdID(order.reference)) { return found }
        return order.reference.isEmpty && order.brokerOrderID > 0 ? book.order(brokerOrderID: order.brokerOrderID) : nil
    }

    /// Drafts what the broker's word changes; saying the same again drafts nothing.
    mutating func apply(_ order: BrokerOrder, code: Int64?, into out: inout Outcome) {
        guard let ours = ourOrder(order) else { return }
        if let stop = order.stopPrice, stop != ours.stopPrice, ours.leg.ordType == .trailingStop { out.add(.stopMoved(tag: ours.tag, level: stop)) }
        let moves = ours.status == .unknown || order.status.rank > ours.status.rank || (ours.status == .dead && !order.status.isTerminal)
        let learns = (order.permID != 0 && order.permID != ours.permID) || (!order.text.isEmpty && order.text != ours.text)
        guard moves || learns else { return }
        // PENDING_NEW from the broker ends UNKNOWN only together with a permanent id: without one nobody has accepted it.
        if ours.status == .unknown, order.status == .pendingNew, order.permID == 0 { return }
        out.add(
            .orderReport(
                OrderReport(
                    tag: ours.tag, status: order.status == .pendingNew && ours.status == .unknown ? .new : order.status, permID: order.permID,
                    cumQty: order.cumQty, code: code, text: order.text)))
        if ours.status == .dead, !order.status.isTerminal { endZombie(ours, into: &out) }
        // A comparison that is under way reads the executions anyway.
        if order.status == .filled, ours.status != .filled, ours.cumQty < ours.quantity, reconciliation.isDone { isShort = true }
        guard order.status == .rejected, moves else { return }
        endEntry(unprotectedBy: ours, into: &out)
        tellRejected(ours, text: order.text, into: &out)
    }

    /// A cancel that came to nothing gives the order back its working state, with the reason. One that does not stand as cancelled keeps its state.
    private func keep(_ order: BrokerOrder, code: Int64?, _ text: String, into out: inout Outcome) {
        guard let ours = ourOrder(order), ours.status == .pendingCancel else { return }
        out.add(.cancelRefused(CancelRefusal(tag: ours.tag, code: code, text: text)))
    }

    /// An order that works here and that the broker does not list: a comparison of two pictures tells whether it ended, and how.
    private mutating func findMissing(_ tag: ClOrdID, _ brokerOrderID: Int64) {
        guard let ours = book.order(tag) ?? book.order(brokerOrderID: brokerOrderID), ours.isWorking else { return }
        missing.insert(ours.tag)
    }

    /// Drafts an execution once. One that is no order of ours is kept too, halts its instrument and is shown.
    mutating func apply(_ broker: BrokerFill, flags: EntryFlags, at now: Instant, into out: inout Outcome) {
        var fill = broker.fill
        let isDrafted = out.drafts.contains { if case .fill(let other) = $0.fact { other.execID == fill.execID } else { false } }
        guard settings.brokerRules.countsTwice || !(book.hasExecution(fill.execID) || isDrafted) else { return }
        if let earlier = corrected(by: fill.execID, in: out) {
            // Whether a correction replaces or adds is not documented: nothing is booked on a guess.
            var correction = broker
            correction.isReplayed = flags.contains(.replayed)
            return hold(correction, isNewer: earlier.isNewer, at: now, into: &out)
        }
        let ours = book.order(ClOrdID(broker.reference)) ?? (broker.reference.isEmpty ? book.order(brokerOrderID: broker.brokerOrderID) : nil)
        fill.tag = ours?.tag
        out.add(.fill(fill), flags: flags)
        guard ours == nil else { return }
        let isLostLineage = ClOrdID.hasOurForm(broker.reference)
        let rule = isLostLineage ? LostLineage.rule : "R6"
        let text =
            isLostLineage
            ? "An execution of \(fill.instrument) carries a tag of ours that this ledger does not know: another copy of this edge may be trading."
            : "An execution of \(fill.instrument) belongs to an order placed elsewhere."
        out.add(.difference(Difference(rule: rule, instrument: fill.instrument, text: text)))
        out.add(.instrumentHalt(instrument: fill.instrument, halted: true, reason: "\(rule): \(text)"))
        if isLostLineage, book.haltLevel < .halt { out.add(.halt(HaltFact(level: .halt, source: LostLineage.source, reason: text))) }
    }
}
