// Positions that have lost their protection: read from the book, so that a restart tells it again.
internal import Ledger
internal import Values

extension Desk {
    /// Raises a notice for each position whose last stop ended without filling: rejected, cancelled, dead. Silent while a closing is under way,
    /// and for positions that were opened without protection. Looks only when the ledger has grown.
    mutating func tellUnprotected(at now: Instant, into out: inout Outcome) {
        guard book.head.seq != protectionLookedAt else { return }
        protectionLookedAt = book.head.seq
        for id in book.positions.keys.sorted() where programs[id] == nil {
            // What this very outcome places is in the book the next time.
            guard let stop = lostProtection(of: id), !out.isPlacing(id) else { continue }
            let givenUp = closings(thatTook: stop)
            if !givenUp.isEmpty, restorations[id] == nil { restorations[id] = givenUp }
            let why = stop.text.isEmpty ? "" : " (\(stop.text))"
            let fate = stop.status == .rejected ? "the broker rejected its stop" : "its stop ended as \(stop.status.rawValue)"
            let text = "The position of \(book.netQuantity(id)) \(id) has no protection: \(fate)\(why)."
            if case .notice(let told) = live.items["notice/\(Notice.unprotected)/\(id.text)"], told.text == text { continue }
            let cure = "Close the position, or place a stop at the broker's own screen."
            out.live.append(.notice(Notice(code: Notice.unprotected, instrument: id, text: text, cure: cure, asOf: now)))
        }
    }

    /// Closings that took this stop away and came to nothing: an earlier run may have ended before the stop was placed again.
    private func closings(thatTook stop: OrderRecord) -> [CommandID] {
        guard stop.status != .rejected else { return [] }
        return book.commands.values.filter { $0.code == "notCompleted" && book.commandOrders[$0.command]?.contains(stop.tag) == true }
            .map(\.command).sorted()
    }

    /// The newest stop of the open position, when none works and it did not fill; nil for a position that never had one.
    func lostProtection(of id: InstrumentID) -> OrderRecord? {
        guard !working(on: id).contains(where: { $0.leg.role == .protect }), let stop = newestStop(of: id) else { return nil }
        return stop.status == .filled ? nil : stop
    }

    /// The newest stop of the open position, of those that are meant; nil when there is none, or nothing is held.
    func newestStop(of id: InstrumentID, where isMeant: (OrderRecord) -> Bool = { _ in true }) -> OrderRecord? {
        let held = book.netQuantity(id)
        guard held.raw != 0 else { return nil }
        let (intents, opened) = opening(of: id, held: held)
        guard let opened else { return nil }
        let side: Side = held.raw > 0 ? .sell : .buy
        return book.orders.last { order in
            order.leg.role == .protect && order.leg.instrument == id && order.leg.side == side
                && (intents.contains(order.intent) || order.intent.seq >= opened) && isMeant(order)
        }
    }

    /// The intents whose fills made the open position, back to when it was last flat, and the place of the first of them in the ledger: the wall
    /// clock may have been set since.
    private func opening(of id: InstrumentID, held: Quantity) -> (intents: Set<IntentID>, opened: Seq?) {
        var intents: Set<IntentID> = []
        var opened: Seq?
        var rest = held
        book.fills.backward { record in
            guard record.fill.instrument == id else { return true }
            opened = record.seq
            if let order = record.fill.tag.flatMap({ book.order($0) }) { intents.insert(order.intent) }
            let signed = record.fill.side == .buy ? record.fill.lastQty : record.fill.lastQty.negated
            guard let before = rest.subtracting(signed), before.raw != 0, (before.raw > 0) == (held.raw > 0) else { return false }
            rest = before
            return true
        }
        return (intents, opened)
    }
}

extension Outcome {
    /// True when an order on the instrument is among the drafts.
    fileprivate func isPlacing(_ id: InstrumentID) -> Bool {
        drafts.contains { if case .intent(let ticket) = $0.fact { ticket.legs.contains { $0.instrument == id } } else { false } }
    }
}
