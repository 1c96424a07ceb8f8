// Orders, denials and fills as the API shows them; newest first.
package import Ledger
internal import Values
package import Wire

extension EdgePicture {
    /// Orders and denied wishes, newest first.
    package func orderRows(workingOnly: Bool = false, limit: Int = 500) -> [JSONValue] {
        let orders = workingOnly ? Array(book.workingOrders.reversed().prefix(limit)) : book.orders.newest(limit)
        var rows = orders.map { (seq: $0.intent.seq, leg: $0.legIndex, row: orderRow($0)) }
        if !workingOnly { rows += milestones.denials.suffix(limit).map { ($0.id.seq, 0, denialRow($0)) } }
        return rows.sorted { ($1.seq, $1.leg) < ($0.seq, $0.leg) }.prefix(limit).map(\.row)
    }

    /// One order.
    package func orderRow(_ order: OrderRecord) -> JSONValue {
        var row = Row()
        row.put("id", OrderName.text(order)); row.put("account", order.account); row.put("instrument", order.leg.instrument)
        row.put("side", order.leg.side.rawValue); row.put("type", order.leg.ordType.rawValue); row.put("quantity", order.quantity)
        row.put("filled", order.cumQty); row.put("status", order.status.rawValue); row.put("working", order.isWorking)
        row.put("limitPrice", order.limitPrice); row.put("stopPrice", order.stopPrice)
        switch order.leg.trailing {
        case .amount(let amount): row.put("trailingAmount", amount)
        case .percent(let percent): row.put("trailingPercent", Plain.percent(percent))
        case nil: break
        }
        row.put("averagePrice", order.avgPx); row.put("timeInForce", order.leg.timeInForce.rawValue); row.put("origin", order.origin.rawValue)
        row.put("bot", order.bot); row.put("command", order.command?.description)
        row.put("parent", order.leg.parent.map { OrderName.text(order.intent, leg: $0) })
        row.put("brokerOrderId", order.permID == 0 ? nil : String(order.permID))
        row.put("reason", order.text.isEmpty ? nil : order.text)
        row.count("seq", order.intent.seq.raw); row.put("createdAt", order.createdAt); row.put("updatedAt", order.updatedAt)
        return row.value
    }

    /// A wish that a rule refused, as an order that never was.
    package func denialRow(_ denied: DenialRow) -> JSONValue {
        let denial = denied.denial
        var row = Row()
        row.put("id", denied.id.description); row.put("account", account); row.put("instrument", denial.instrument)
        row.put("side", denial.side.rawValue); row.put("type", OrdType.market.rawValue); row.put("quantity", denial.quantity)
        row.put("filled", Quantity.zero); row.put("status", "DENIED"); row.put("working", false); row.put("timeInForce", TimeInForce.day.rawValue)
        row.put("origin", denial.origin.rawValue); row.put("bot", denial.bot); row.put("command", denial.command?.description)
        row.put("reason", denial.text); row.count("seq", denied.id.seq.raw); row.put("createdAt", denied.at); row.put("updatedAt", denied.at)
        return row.value
    }

    /// The newest fills, newest first.
    package func fillRows(limit: Int = 500) -> [JSONValue] { book.fills.newest(limit).map { fillRow($0) } }

    /// One fill.
    package func fillRow(_ record: FillRecord) -> JSONValue {
        let fill = record.fill
        let order = fill.tag.flatMap { book.order($0) }
        var row = Row()
        row.put("id", fill.execID); row.put("order", order.map { OrderName.text($0) }); row.put("account", fill.account)
        row.put("instrument", fill.instrument); row.put("side", fill.side.rawValue); row.put("quantity", fill.lastQty); row.put("price", fill.lastPx)
        row.put("currency", currency(fill.instrument)); row.put("commission", record.commission)
        row.put("origin", (order?.origin ?? .external).rawValue); row.put("bot", order?.bot); row.count("seq", record.seq.raw)
        row.put("corrects", fill.corrects); row.put("correctedBy", record.reversedBy)
        row.put("time", fill.transactTime)
        return row.value
    }
}
