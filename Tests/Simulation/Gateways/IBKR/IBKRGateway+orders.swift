// Placing, modifying, cancelling and previewing orders.
internal import Values
internal import Venues

extension IBKRGateway {
    mutating func serveOrders(_ request: GatewayRequest, _ connection: GatewayConnection) {
        if settings.switches.contains(.readOnly), let id = request.changedOrder {
            return error(connection, id, GatewayComplaint.readOnly.code, GatewayComplaint.readOnly.text)
        }
        switch request {
        case .placeOrder(let fields): placeOrder(connection, fields)
        case .cancelOrder(let id, _): cancelOrder(connection, id)
        case .globalCancel:
            // One that ended with its parent has been told.
            for old in orders.live { if let order = orders[old.permId], order.isLive { end(order) } }
        case .openOrders: tellOpenOrders(connection, own: true)
        case .allOpenOrders: tellOpenOrders(connection, own: false)
        case .autoOpenOrders(let bind):
            guard client(connection)?.clientId == 0 else {
                return error(connection, -1, 321, "Error validating request.-'bJ' : cause - Only the client with id 0 can bind orders")
            }
            binder = bind ? connection : nil
            if bind { bindManualOrders(for: connection) }
        case .completedOrders: tellCompletedOrders(connection)
        case .executions(let id, let filter): tellExecutions(connection, id, filter)
        default: break
        }
    }

    private mutating func placeOrder(_ connection: GatewayConnection, _ fields: OrderFields) {
        guard let clientId = client(connection)?.clientId else { return }
        guard let orderId = Int64(fields["orderId"]) else {
            return error(connection, -1, 320, "Error reading request. Order id '\(fields["orderId"])' could not be read.")
        }
        let key = OrderKey(clientId: clientId, orderId: orderId)
        ordersReceived += 1
        if settings.switches.contains(.loseOrder(ordersReceived)) { return close(connection) }
        do throws(GatewayComplaint) {
            guard (1...Int64(Int32.max)).contains(orderId) || orderId < 0 && orders[key] != nil else { throw .invalid("Invalid order id \(orderId)") }
            guard fields.byteCount <= OrderFields.bytesMax else {
                throw .invalid("The order has \(fields.byteCount) bytes; \(OrderFields.bytesMax) are the most.")
            }
            let account = fields["account"]
            guard account.isEmpty || isOwn(account) else { throw .invalid("Invalid account code '\(account)'.") }
            guard let listing = resolve(WireContract(fields), orderId, connection) else { return }
            if listing.isFuture, settings.switches.contains(.noPermission) {
                throw GatewayComplaint(code: 203, text: "The security \(listing.instrument.localSymbol) is not available or allowed for this account")
            }
            if fields["whatIf"] == "1" { return try preview(connection, key, fields, listing) }
            countRequest(connection, orderId)
            if let known = orders[key] { try modify(known, fields, listing) } else { try submit(key, fields, listing) }
        } catch {
            self.error(connection, orderId, error.code, error.text)
        }
        if settings.switches.contains(.cutAfterOrder(ordersReceived)) {
            swallow(connection)
            close(connection)
        }
    }

    private mutating func translation(_ fields: OrderFields, _ listing: PaperInstrument) -> OrderTranslation {
        let touch = exchange.touch(listing.instrument.id)
        return OrderTranslation(
            fields: fields, listing: listing, zone: settings.zone, now: now, mark: fields["action"] == "BUY" ? touch?.ask : touch?.bid)
    }

    private mutating func submit(_ key: OrderKey, _ fields: OrderFields, _ listing: PaperInstrument) throws(GatewayComplaint) {
        guard key.orderId >= orders.nextId(for: key.clientId) else { throw GatewayComplaint(code: 103, text: "Duplicate order id") }
        orders.burn(key)
        var parent: Int64?
        if let id = Int64(fields["parentId"]), id != 0 {
            guard let known = orders[OrderKey(clientId: key.clientId, orderId: id)] else {
                throw GatewayComplaint(code: 135, text: "Can't find order with id = \(id)")
            }
            parent = known.permId
        }
        let permId = orders.takePerm()
        let ticket = try translation(fields, listing).ticket(permId: permId, parent: parent)
        let order = GatewayOrder(key: key, permId: permId, fields: fields, ticket: ticket, isTransmitted: false, isRefused: false, paper: nil)
        orders.store(order)
        if fields["transmit"] == "0" { tellOrder(order) } else { transmitFamily(of: order) }
    }

    /// Sends an order with everything of its family that still waits: the parent first, then the children by their numbers.
    private mutating func transmitFamily(of order: GatewayOrder) {
        let root = order.ticket.parent?.raw ?? order.permId
        for member in orders.live where !member.isTransmitted && (member.permId == root || member.ticket.parent?.raw == root) {
            // A child whose parent was refused has nothing to wait for.
            if let parent = member.ticket.parent, orders[parent.raw]?.isRefused == true {
                refuse(member, Self.parentRejected)
            } else {
                transmit(member)
            }
        }
    }

    mutating func transmit(_ order: GatewayOrder) {
        var order = order
        order.isTransmitted = true
        orders.store(order)
        records.append(.order(order))
        if order.isCancelledByConditions { conditioned.append(order.permId) }
        if mustWait(order) { wait(order) } else { place(order) }
    }

    /// To the exchange.
    mutating func place(_ order: GatewayOrder) {
        if hasTooManyActive(besides: order) { return refuse(order, Self.tooManyActive) }
        let events = exchange.handle(.place(order.ticket), at: now)
        for case .refused(_, let why) in events { refuse(order, OrderTranslation.complaint(why)) }
        deliver(events)
        warnWhenShut(order)
        placeTwin(of: order)
    }

    /// The same order once more, under another permId: what an order that crossed a broken line can leave behind. True when it was placed.
    @discardableResult private mutating func placeTwin(of order: GatewayOrder) -> Bool {
        guard settings.switches.contains(.twinPerm(ordersReceived)), twinOf != ordersReceived, order.ticket.parent == nil else { return false }
        twinOf = ordersReceived
        var twin = order
        twin.permId = orders.takePerm()
        twin.ticket.id = PaperOrderID(twin.permId)
        twin.paper = nil
        transmit(twin)
        return true
    }

    private mutating func refuse(_ order: GatewayOrder, _ complaint: GatewayComplaint) {
        var order = order
        order.isTransmitted = true
        order.isRefused = true
        orders.store(order)
        records.append(.order(order))
        defer { for child in orders.live where child.ticket.parent?.raw == order.permId && isWaiting(child) { refuse(child, Self.parentRejected) } }
        guard let owner = client(withId: order.key.clientId) else { return }
        // Only the broker's own rejection follows an order that was seen; what the gateway turns down at the door is told by its code alone.
        if complaint.code == 201 { tellOrder(order) }
        error(owner.connection, order.key.orderId, complaint.code, complaint.text)
    }

    private static var parentRejected: GatewayComplaint {
        GatewayComplaint(code: 201, text: "Order rejected - reason:The parent order was rejected.")
    }

    /// 399: the order rests until the market opens.
    private mutating func warnWhenShut(_ order: GatewayOrder) {
        guard let owner = client(withId: order.key.clientId), let listing = exchange.listing(order.ticket.instrument),
            let paper = orders[order.permId]?.paper,
            paper.state == .working, let opening = opening(of: listing, order.ticket)
        else { return }
        let text =
            "Order Message:\n\(order.ticket.side.rawValue) \(order.ticket.quantity) \(listing.instrument.localSymbol)\n"
            + "Warning: your order will not be placed at the exchange until \(GatewayText.time(opening, zone: settings.zone, version: 178))"
        error(owner.connection, order.key.orderId, 399, text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n"))
    }
    /// When the market of an order opens; nil while it is open.
    func opening(of listing: PaperInstrument, _ ticket: PaperTicket) -> Instant? {
        let hours = ticket.outsideHours ? listing.tradingHours : listing.liquidHours
        return hours.isOpen(at: now) ? nil : hours.nextOpen(after: now)
    }

    private mutating func modify(_ known: GatewayOrder, _ fields: OrderFields, _ listing: PaperInstrument) throws(GatewayComplaint) {
        if known.isRefused { throw GatewayComplaint(code: 103, text: "Duplicate order id") }
        var order = known
        let ticket = try translation(fields, listing).ticket(permId: known.permId, parent: known.ticket.parent?.raw)
        guard ticket.instrument == known.ticket.instrument, ticket.side == known.ticket.side, order.parentId == (Int64(fields["parentId"]) ?? 0)
        else {
            throw GatewayComplaint(code: 105, text: "Order being modified does not match original order")
        }
        order.fields = fields
        order.ticket = ticket
        guard known.isTransmitted else {
            orders.store(order)
            if fields["transmit"] == "0" { tellOrder(order) } else { transmitFamily(of: order) }
            return
        }
        if isWaiting(known) {
            records.append(.order(order))
            return change(order, to: .held)
        }
        // The change becomes an order of its own, and the old one works on.
        if placeTwin(of: order) { return }
        let events = exchange.handle(.replace(ticket), at: now)
        for case .refused(_, let why) in events { throw OrderTranslation.complaint(why) }
        orders.store(order)
        records.append(.order(order))
        deliver(events)
        // A change of nothing that the exchange knows is answered too: clients wait for it.
        if ticket == known.ticket, let same = orders[known.permId] { tellOrder(same) }
    }

    private mutating func cancelOrder(_ connection: GatewayConnection, _ orderId: Int64) {
        guard let clientId = client(connection)?.clientId else { return }
        countRequest(connection, orderId)
        guard let order = orders[OrderKey(clientId: clientId, orderId: orderId)], !order.isUnbound else {
            return error(connection, orderId, 10_147, "OrderId \(orderId) that needs to be cancelled is not found.")
        }
        guard !order.isRefused else {
            return error(connection, orderId, 10_148, "OrderId \(orderId) that needs to be cancelled cannot be cancelled, state: Inactive.")
        }
        switch order.paper?.state {
        case .filled:
            error(connection, orderId, 161, "Cancel attempted when order is not in a cancellable state.  Order permId =\(order.permId)")
        case .cancelled, .expired:
            error(connection, orderId, 10_148, "OrderId \(orderId) that needs to be cancelled cannot be cancelled, state: Cancelled.")
        default: end(order)
        }
    }

    /// Cancels a live order, sent or not.
    mutating func end(_ order: GatewayOrder) {
        guard order.isTransmitted else { return abandon(order) }
        if let current = orders[order.permId], current.isLive {
            for client in audience(of: order) { send(client.connection, GatewayMessages.orderStatus(status(of: current, as: "PendingCancel"))) }
        }
        if isWaiting(order) { return change(order, to: .cancelled) }
        if settings.switches.contains(.fillAfterCancel), orders[order.permId]?.paper?.state == .working { return fillBehindCancel(order) }
        deliver(exchange.handle(.cancel(order.ticket.id), at: now))
    }

    /// The order trades what it can before the cancel reaches it, and its client hears of that only after the cancel.
    private mutating func fillBehindCancel(_ order: GatewayOrder) {
        guard let before = orders[order.permId] else { return }
        var ticket = before.paper?.ticket ?? before.ticket
        ticket.type = .market
        ticket.limitPrice = nil
        ticket.timeInForce = .ioc
        faults.behindCancel = (String(order.key.orderId), now + faults.milliseconds(100...1_500))
        deliver(exchange.handle(.replace(ticket), at: now))
        // What is left of it, when the exchange is shut.
        deliver(exchange.handle(.cancel(order.ticket.id), at: now))
        faults.behindCancel = nil
        guard let owner = client(withId: order.key.clientId) else { return }
        write(owner.connection, GatewayMessages.orderStatus(status(of: before, as: "Cancelled")))
        error(owner.connection, order.key.orderId, 202, "Order Canceled - reason:")
    }

    /// Ends an order that never left the gateway, and its children with it.
    mutating func abandon(_ order: GatewayOrder) {
        var order = order
        order.paper = PaperOrder(
            ticket: order.ticket, state: .cancelled, filled: .zero, filledValue: 0, lastPrice: nil, stop: nil, triggered: false, placedAt: now,
            changedAt: now,
            expiresAt: nil, priority: 0)
        order.isTransmitted = true
        orders.store(order)
        tellOrder(order)
        for child in orders.live where child.ticket.parent?.raw == order.permId && !child.isTransmitted { abandon(child) }
    }

    private mutating func preview(_ connection: GatewayConnection, _ key: OrderKey, _ fields: OrderFields, _ listing: PaperInstrument)
        throws(GatewayComplaint)
    {
        let ticket = try translation(fields, listing).ticket(permId: 0, parent: nil)
        let preview: PaperPreview
        do throws(PaperRefusal) { preview = try exchange.preview(ticket) } catch { throw OrderTranslation.complaint(error) }
        let (before, after) = (preview.before, preview.after)
        func difference(_ a: Money, _ b: Money) -> String { GatewayText.amount(Money(raw: b.raw - a.raw)) }
        let order = GatewayOrder(key: key, permId: 0, fields: fields, ticket: ticket, isTransmitted: true, isRefused: false, paper: nil)
        var report = self.report(of: order, listing)
        report.values["status"] = "PreSubmitted"
        report.values["whatIf"] = "1"
        report.values["initMarginBefore"] = GatewayText.amount(before.initialMargin)
        report.values["maintMarginBefore"] = GatewayText.amount(before.maintenanceMargin)
        report.values["equityWithLoanBefore"] = GatewayText.amount(before.netLiquidation)
        report.values["initMarginChange"] = difference(before.initialMargin, after.initialMargin)
        report.values["maintMarginChange"] = difference(before.maintenanceMargin, after.maintenanceMargin)
        report.values["equityWithLoanChange"] = difference(before.netLiquidation, after.netLiquidation)
        report.values["initMarginAfter"] = GatewayText.amount(after.initialMargin)
        report.values["maintMarginAfter"] = GatewayText.amount(after.maintenanceMargin)
        report.values["equityWithLoanAfter"] = GatewayText.amount(after.netLiquidation)
        report.values["commission"] = GatewayText.amount(preview.commission)
        report.values["commissionCurrency"] = listing.instrument.currency
        guard let version = client(connection)?.version else { return }
        send(connection, report.openOrder(version: version))
    }
}
