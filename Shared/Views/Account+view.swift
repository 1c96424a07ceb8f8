// Accounts and positions as the API shows them.
internal import Ledger
package import Values
package import Wire

extension EdgePicture {
    /// The accounts heard of, by id.
    package var accountRows: [JSONValue] {
        live.sorted.compactMap { item in
            guard case .account(let values) = item else { return nil }
            var row = Row()
            row.put("id", values.account); row.put("edge", id.description); row.put("mode", mode.rawValue); row.put("currency", values.currency)
            row.put("netLiquidation", values.netLiquidation); row.put("availableFunds", values.availableFunds)
            row.put("initialMargin", values.initialMargin); row.put("maintenanceMargin", values.maintenanceMargin); row.put("asOf", values.asOf)
            return row.value
        }
    }

    /// The key of a position's row.
    package func positionID(_ instrument: InstrumentID) -> String { "\(account):\(instrument)" }

    /// Open positions, by instrument.
    package var positionRows: [JSONValue] { book.positions.keys.sorted().compactMap { positionRow($0) } }

    /// One open position, nil when flat.
    package func positionRow(_ instrument: InstrumentID) -> JSONValue? {
        guard let position = book.positions[instrument], position.quantity.raw != 0 else { return nil }
        let multiplier = book.instruments[instrument]?.multiplier ?? Quantity(whole: 1)
        let quote = live.quote(instrument)
        let notional = quote?.mark.flatMap { Money.value($0, position.quantity.magnitude, multiplier: multiplier) }
        let stop = book.workingOrders.last { $0.leg.instrument == instrument && $0.leg.role == .protect }
        var row = Row()
        row.put("id", positionID(instrument)); row.put("account", account); row.put("instrument", instrument)
        row.put("side", position.quantity.raw > 0 ? "LONG" : "SHORT"); row.put("quantity", position.quantity.magnitude)
        row.put("averagePrice", position.averagePrice); row.put("markPrice", quote?.mark)
        row.put("unrealizedPnL", quote?.mark.flatMap { position.unrealizedPnL(mark: $0, multiplier: multiplier) })
        row.put("realizedPnL", position.realizedPnL); row.put("notional", notional)
        row.put("leverage", leverage(of: notional, in: currency(instrument))); row.put("currency", currency(instrument))
        row.put("stopPrice", stop?.stopPrice); row.put("stopOrder", stop.map { OrderName.text($0) }); row.put("owner", owner(of: instrument))
        row.put("asOf", min(quote?.asOf ?? asOf, bookAsOf))
        return row.value
    }

    /// A notional over the account's net liquidation, to two places. Nil for amounts of two currencies: there is no rate between them here.
    func leverage(of notional: Money?, in currency: String) -> Ratio? {
        guard let notional, let values = live.account(account), values.currency == currency, let net = values.netLiquidation, net.raw > 0 else {
            return nil
        }
        return Ratio.of(notional, over: net).map { Plain.two($0) }
    }

    /// What all positions are worth at their marks, with `changed` standing in for one of them; nil when a mark is missing, or one is worth money of
    /// another currency.
    func exposure(with changed: InstrumentID, notional: Money) -> Money? {
        var total = notional
        let isMixed = book.positions.contains { $0.key != changed && $0.value.quantity.raw != 0 && currency($0.key) != currency(changed) }
        if isMixed { return nil }
        for (instrument, position) in book.positions where instrument != changed && position.quantity.raw != 0 {
            let multiplier = book.instruments[instrument]?.multiplier ?? Quantity(whole: 1)
            guard let mark = live.quote(instrument)?.mark, let value = Money.value(mark, position.quantity.magnitude, multiplier: multiplier),
                let sum = total.adding(value)
            else { return nil }
            total = sum
        }
        return total
    }

    /// Whose position it is: the bot of its last opening fill, `manual`, or `external`.
    private func owner(of instrument: InstrumentID) -> String {
        guard let fill = book.fills.last(where: { $0.fill.instrument == instrument && $0.reversedBy == nil })?.fill else { return "external" }
        guard let order = fill.tag.flatMap({ book.order($0) }) else { return "external" }
        return order.bot ?? (order.origin == .external ? "external" : "manual")
    }
}
