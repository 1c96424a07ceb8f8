// From exchange events to messages: open orders, statuses, executions, commissions, and the lists of them.
internal import Values
internal import Venues

extension IBKRGateway {
    /// Turns what the exchange told into records and messages. Refusals are the business of whoever asked.
    mutating func deliver(_ events: [PaperEvent]) {
        var lastFill: PaperFill?
        for event in events {
            switch event {
            case .quote(let instrument, let touch, _): quoted(instrument, touch)
            case .trade(let instrument, let trade, _): traded(instrument, trade)
            // Refusals are told by whoever asked; a corrected fill by whoever corrected it.
            case .refused, .corrected: break
            case .halted(let instrument, let isHalted, _): halted(instrument, isHalted)
            case .fill(let fill):
                records.append(.fill(fill))
                if isLinkLost { unheard.append(event) } else { hear(event, after: &lastFill) }
            case .order(let paper):
                records.append(.state(paper))
                if isLinkLost { unheard.append(event) } else { hear(event, after: &lastFill) }
            }
        }
    }

    /// Takes up what happened at the exchange while there was no line to it.
    mutating func hearUnheard() {
        let events = unheard
        unheard = []
        accountAtLoss = nil
        var lastFill: PaperFill?
        for event in events { hear(event, after: &lastFill) }
    }

    /// What the gateway learns from the exchange, and tells.
    private mutating func hear(_ event: PaperEvent, after lastFill: inout PaperFill?) {
        switch event {
        case .fill(let fill):
            orders.append(fill)
            countExecuted(fill)
            expectCorrection(of: fill)
            tell(fill)
            lastFill = fill
        case .order(let paper):
            changed(paper)
            // The commission follows the status; a fill's own order event comes right behind it.
            guard let fill = lastFill, fill.order == paper.ticket.id else { return }
            lastFill = nil
            tellCommission(fill)
            positionChanged(fill.instrument)
            settleWaiting(behind: fill)
        default: break
        }
    }

    private mutating func changed(_ paper: PaperOrder) {
        let old = orders[paper.ticket.id.raw]?.paper
        orders.update(paper)
        guard let order = orders[paper.ticket.id.raw] else { return }
        // A trailing stop's level is told only when somebody asks.
        if let old, old.state == paper.state, old.filled == paper.filled, old.ticket == paper.ticket, old.triggered == paper.triggered { return }
        tellOrder(order)
        if paper.state.isFinal { endWaitingChildren(of: order) }
    }

    /// An order and its status to its owner and the master client.
    mutating func tellOrder(_ order: GatewayOrder) {
        guard let listing = exchange.listing(order.ticket.instrument) else { return }
        let status = status(of: order)
        for client in audience(of: order) {
            if status.status != "Cancelled" { send(client.connection, report(of: order, listing).openOrder(version: client.version)) }
            send(client.connection, GatewayMessages.orderStatus(status))
            guard status.status == "Cancelled", client.clientId == order.key.clientId else { continue }
            error(client.connection, order.key.orderId, 202, "Order Canceled - reason:")
        }
    }

    /// How an order stands, in the words of the wire.
    func status(of order: GatewayOrder, as forced: String? = nil) -> GatewayMessages.Status {
        let (word, held) = words(order)
        let filled = order.paper?.filled ?? .zero
        let quantity = order.paper?.ticket.quantity ?? order.ticket.quantity
        return GatewayMessages.Status(
            orderId: order.key.orderId, status: forced ?? word, filled: filled.description,
            remaining: Quantity(raw: max(quantity.raw - filled.raw, 0)).description,
            averagePrice: order.paper?.averagePrice?.description ?? "0", permId: order.permId, parentId: order.parentId,
            lastPrice: order.paper?.lastPrice?.description ?? "0", clientId: order.key.clientId, whyHeld: held)
    }

    private func words(_ order: GatewayOrder) -> (status: String, whyHeld: String) {
        if order.isRefused { return ("Inactive", "") }
        guard let paper = order.paper else { return ("PendingSubmit", "") }
        switch paper.state {
        case .held: return ("PreSubmitted", paper.ticket.type == .market || paper.ticket.type == .limit ? "child" : "child,trigger")
        case .armed: return ("PreSubmitted", "trigger")
        case .working:
            let isShut = exchange.listing(paper.ticket.instrument).map { opening(of: $0, paper.ticket) != nil } ?? false
            return (isShut ? "PreSubmitted" : "Submitted", "")
        case .filled: return ("Filled", "")
        case .cancelled, .expired: return ("Cancelled", "")
        }
    }

    // MARK: Orders as they are reported

    /// Fields that a report takes from elsewhere or that gateways never echo.
    private static let notEchoed: Set<String> = [
        "messageId", "orderId", "transmit", "lmtPrice", "auxPrice", "displaySize", "dontUseAutoPriceForHedge", "faProfile", "whatIf", "status",
        "ocaType",
    ]

    func report(of order: GatewayOrder, _ listing: PaperInstrument) -> OrderReport {
        var values: [String: String] = [:]
        for (name, value) in zip(order.fields.names, order.fields.values) where !Unset.matches(value) && !Self.notEchoed.contains(name) {
            values[name] = value
        }
        let ticket = order.paper?.ticket ?? order.ticket
        values["totalQuantity"] = ticket.quantity.description
        for name in ["lmtPrice", "auxPrice"] where order.fields.isSet(name) { values[name] = order.fields[name] }
        if order.fields.isSet("ocaGroup"), order.fields["ocaType"] != "0" { values["ocaType"] = order.fields["ocaType"] }
        if let parent = ticket.parent, !order.fields.isSet("ocaGroup") { values["ocaGroup"] = String(parent.raw) }
        values["account"] = settings.account
        values["clientId"] = String(order.key.clientId)
        values["permId"] = String(order.permId)
        values["sharesAllocation(ignored)"] = "\(order.permId).0/\(settings.account)/\(ticket.quantity)"
        values["status"] = words(order).status
        if ticket.type == .trailingStop, let stop = order.paper?.stop ?? ticket.stopPrice {
            values["trailStopPrice"] = stop.description
            values["adjTrailStopPrice"] = stop.description
        }
        return OrderReport(
            orderId: order.key.orderId, listing: Self.wire(listing).with(right: listing.option == nil ? "?" : nil), values: values,
            lists: order.fields.lists)
    }

    mutating func tellOpenOrders(_ connection: GatewayConnection, own: Bool) {
        guard let client = client(connection) else { return }
        // Client 0 is given the orders made by hand when it asks for its own.
        if own, client.clientId == 0 { bindManualOrders(for: connection) }
        faults.isListing = true
        defer { faults.isListing = false }
        for order in orders.live where !own || order.key.clientId == client.clientId && !order.isUnbound {
            guard let listing = exchange.listing(order.ticket.instrument) else { continue }
            send(connection, report(of: order, listing).openOrder(version: client.version))
            send(connection, GatewayMessages.orderStatus(status(of: order)))
        }
        send(connection, GatewayMessages.openOrderEnd)
    }

    mutating func tellCompletedOrders(_ connection: GatewayConnection) {
        guard let version = client(connection)?.version else { return }
        let today = settings.zone.local(now).date
        for order in orders.all {
            guard let paper = order.paper, paper.state.isFinal, settings.zone.local(paper.changedAt).date == today,
                let listing = exchange.listing(order.ticket.instrument)
            else { continue }
            var report = report(of: order, listing)
            report.values["totalQuantity"] = "0"
            report.values["filledQuantity"] = paper.filled.description
            report.values["completedTime"] = GatewayText.time(paper.changedAt, zone: settings.zone, version: 178)
            report.values["completedStatus"] =
                switch paper.state {
                case .filled: "Filled Size: \(paper.filled)"
                case .expired: "Expired"
                default: "Cancelled by Trader"
                }
            if let parent = paper.ticket.parent { report.values["parentPermId"] = String(parent.raw) }
            send(connection, report.completedOrder(version: version))
        }
        send(connection, GatewayMessages.completedOrdersEnd)
    }

    // MARK: Executions

    private func execution(_ fill: PaperFill, for client: GatewayClient) -> GatewayMessages.Execution? {
        let version = client.version
        guard let order = orders[fill.order.raw], let listing = exchange.listing(fill.instrument) else { return nil }
        var execution = GatewayMessages.Execution(
            listing: Self.wire(listing), orderId: order.isUnbound && client.clientId != 0 ? Int64(Int32.max) : order.key.orderId,
            execId: orders.execId(fill),
            time: GatewayText.time(fill.at, zone: settings.zone, version: version), account: settings.account,
            exchange: facts(listing).tradePlace,
            side: fill.side == .buy ? "BOT" : "SLD", shares: fill.quantity.description, price: told(fill, listing).description,
            permId: order.permId, clientId: order.key.clientId, cumulative: fill.cumulative.description,
            averagePrice: fill.averagePrice.description,
            orderRef: order.fields["orderRef"], lastLiquidity: fill.added ? "1" : "2")
        if orders.misprinted.contains(fill.serial) { execution.pendingRevision = "1" }
        return execution
    }

    /// A misprint is a tick better than what was traded, until it is corrected.
    private func told(_ fill: PaperFill, _ listing: PaperInstrument) -> Price {
        guard orders.misprinted.contains(fill.serial) else { return fill.price }
        let tick = listing.instrument.minPriceIncrement.raw
        return Price(raw: fill.price.raw - tick * fill.side.sign)
    }
    private mutating func expectCorrection(of fill: PaperFill) {
        guard settings.switches.contains(.correction(Int(clamping: fill.serial))) else { return }
        orders.misprint(fill.serial)
        records.append(.misprinted(serial: fill.serial))
        troubles.add(.correct(serial: fill.serial), at: now + faults.milliseconds(500...2_000))
    }
    /// Tells an execution again under its corrected id, with what was really traded.
    mutating func correct(_ serial: UInt64) {
        // Nothing is heard of it before the line is back.
        guard !isLinkLost else { return troubles.add(.correct(serial: serial), at: now + .seconds(1)) }
        guard let fill = orders.executions.last(where: { $0.serial == serial }), !orders.corrected.contains(serial) else { return }
        orders.correct(serial)
        records.append(.corrected(serial: serial))
        tell(fill)
        tellCommission(fill)
    }

    /// A fill to the client whose order it was.
    mutating func tell(_ fill: PaperFill) {
        guard let order = orders[fill.order.raw] else { return }
        for client in audience(of: order) {
            guard let execution = execution(fill, for: client) else { continue }
            send(client.connection, GatewayMessages.execDetails(id: -1, execution, version: client.version))
        }
    }

    private mutating func tellCommission(_ fill: PaperFill) {
        guard let order = orders[fill.order.raw] else { return }
        for client in audience(of: order) { send(client.connection, commission(fill)) }
    }

    private func commission(_ fill: PaperFill) -> [String] {
        GatewayMessages.commissionReport(
            execId: orders.execId(fill), commission: fill.commission.description,
            currency: exchange.listing(fill.instrument)?.instrument.currency ?? "USD",
            realised: fill.realised.map { GatewayText.amount(Money(raw: $0.raw - fill.commission.raw)) } ?? Unset.double)
    }

    mutating func tellExecutions(_ connection: GatewayConnection, _ id: Int, _ filter: ExecutionFilter) {
        guard let client = client(connection) else { return }
        let today = settings.zone.local(now).date
        let since = GatewayText.instant(filter.time, zone: settings.zone) ?? settings.zone.instant(today, minute: 0)
        faults.isListing = true
        defer { faults.isListing = false }
        for fill in orders.executions where fill.at >= since && settings.zone.local(fill.at).date == today {
            guard let execution = execution(fill, for: client), matches(execution, filter) else { continue }
            send(connection, GatewayMessages.execDetails(id: id, execution, version: client.version))
            send(connection, commission(fill))
        }
        send(connection, GatewayMessages.execDetailsEnd(id: id))
    }

    private func matches(_ execution: GatewayMessages.Execution, _ filter: ExecutionFilter) -> Bool {
        func agrees(_ given: String, _ own: String) -> Bool { given.isEmpty || given == own }
        let side = execution.side == "BOT" ? "BUY" : "SELL"
        return (filter.clientId == 0 || filter.clientId == execution.clientId) && agrees(filter.account, settings.account)
            && agrees(filter.symbol, execution.listing.symbol) && agrees(filter.secType, execution.listing.secType)
            && (filter.exchange.isEmpty || filter.exchange == execution.listing.exchange || filter.exchange == execution.exchange)
            && (filter.side.isEmpty || filter.side == side || filter.side == execution.side)
    }
}
