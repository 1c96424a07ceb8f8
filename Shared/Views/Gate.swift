// Whether an instrument may be opened from here now, and if not: why, and what to do. A column of rules; the first that speaks wins.
internal import Ledger
package import Values
package import Wire

/// One reason against opening.
package struct GateRefusal: Hashable, Sendable {
    /// A word for scripts: `edgeSilent`, `halted`, `delayedData`, …
    package let term: String
    package let reason: String
    package let cure: String?
}

extension EdgePicture {
    /// Codes of the broker that say: no market data for this account and instrument.
    static let dataNotices: Set<Int64> = [354, 10_089, 10_090, 10_167, 10_168, 10_186, 10_197]

    /// Nil when an order that opens may be asked for. The edge judges again with what it knows then.
    package func openingRefusal(_ instrument: InstrumentID, at now: Instant) -> GateRefusal? {
        if link.state != .live {
            let heard = link.lastHeard.map { "was last heard \(Plain.age(now - $0)) ago" } ?? "was never heard"
            return GateRefusal(
                term: "edgeSilent", reason: "\(name) \(heard); no opening order is taken until it reports.",
                cure: "Look at the edge's machine and its network. Close and Kill are still taken, and expire.")
        }
        if book.haltLevel > .normal {
            let since = milestones.halt.map { " since \($0)" } ?? ""
            return GateRefusal(
                term: "halted", reason: "\(book.haltLevel.word)\(since): \(book.haltFact?.reason ?? "").",
                cure: "Lower it at the edge's console: tidewire-edge resume.")
        }
        if let reason = book.haltedInstruments[instrument] {
            return GateRefusal(
                term: "instrumentHalted", reason: reason, cure: "Explain the difference with the broker, then resume at the edge's console.")
        }
        guard let gateway = live.gateway else {
            return GateRefusal(term: "gateway", reason: "The edge has not told yet how it stands with its gateway.", cure: nil)
        }
        if gateway.condition != .connected && gateway.condition != .reconciling {
            return GateRefusal(term: "gateway", reason: gateway.text, cure: gateway.cure.isEmpty ? nil : gateway.cure)
        }
        if !gateway.isTrading {
            return GateRefusal(
                term: "reconciling", reason: "Orders, fills and positions are still being compared with the broker.", cure: "Wait a moment.")
        }
        return dataRefusal(instrument) ?? permissionRefusal(instrument)
    }

    private func dataRefusal(_ instrument: InstrumentID) -> GateRefusal? {
        let quote = live.quote(instrument)
        if DataSource.of(quote) == .delayed {
            return GateRefusal(
                term: "delayedData", reason: "The market data is delayed; no order is placed on it.",
                cure: "Subscribe to \(book.instruments[instrument]?.exchange ?? "the exchange")'s live data with the broker.")
        }
        guard DataSource.of(quote) == .none else { return nil }
        let notice = notices.last { EdgePicture.dataNotices.contains($0.code) && ($0.instrument == instrument || $0.instrument == nil) }
        if let notice { return GateRefusal(term: "noData", reason: notice.text, cure: notice.cure.isEmpty ? nil : notice.cure) }
        return GateRefusal(term: "noData", reason: "There is no quote for \(shortName(instrument)) yet.", cure: nil)
    }

    /// Error 203: the account may not trade this kind of thing.
    private func permissionRefusal(_ instrument: InstrumentID) -> GateRefusal? {
        notices.last { $0.code == 203 && $0.instrument == instrument }.map {
            GateRefusal(term: "noPermission", reason: $0.text, cure: $0.cure.isEmpty ? nil : $0.cure)
        }
    }

    /// The stream's row.
    package func gateRow(_ instrument: InstrumentID, at now: Instant) -> JSONValue {
        let refusal = openingRefusal(instrument, at: now)
        var row = Row()
        row.put("edge", id.description); row.put("instrument", instrument); row.put("account", account); row.put("opening", refusal == nil)
        row.put("closing", live.gateway?.condition != .wrongAccount)
        row.put("reason", refusal?.reason); row.put("cure", refusal?.cure); row.put("asOf", bookAsOf)
        return row.value
    }

    /// The broker's notices, oldest first.
    var notices: [Notice] {
        live.sorted.compactMap { if case .notice(let notice) = $0 { notice } else { nil } }.sorted { ($0.asOf, $0.code) < ($1.asOf, $1.code) }
    }
}
