// Who hears of an order besides its client: orders made by hand at the TWS, client 0 that binds them, and the master client.
internal import Values
internal import Venues

extension IBKRGateway {
    /// The clients that are told about an order: its own, and the master.
    func audience(of order: GatewayOrder) -> [GatewayClient] {
        clients.filter { client in
            guard let id = client.clientId else { return false }
            return id == order.key.clientId && !order.isUnbound || id == settings.master
        }
    }

    /// Gives client 0 every order that was made by hand and still lives, under negative ids.
    mutating func bindManualOrders(for connection: GatewayConnection) {
        for order in orders.live where order.isUnbound {
            let bound = orders.bind(order)
            records.append(.order(bound))
            send(connection, GatewayMessages.orderBound(permId: bound.permId, clientId: bound.key.clientId, orderId: bound.key.orderId))
            tellOrder(bound)
        }
    }

    /// A person at the TWS trades by hand, now and then: mostly an order far from the market, sometimes one that fills.
    mutating func placeByHand() {
        let listings = catalogue.filter { $0.hasTrades && $0.option == nil && $0.instrument.securityType != .crypto }
        guard !listings.isEmpty else { return }
        let listing = listings[faults.pick(listings.count)]
        guard let touch = exchange.touch(listing.instrument.id) else { return }
        let isMarket = faults.chance(1, in: 4)
        let isBuy = faults.chance(1, in: 2)
        let away = Price(raw: isBuy ? touch.bid.raw / 2 : touch.ask.raw * 2)
        let limit = away.rounded(to: listing.instrument.minPriceIncrement, up: isBuy)
        let words: [(String, String)] = [
            ("messageId", "3"), ("orderId", "0"), ("contract.conId", String(listing.instrument.brokerContractID)),
            ("contract.secType", listing.instrument.securityType.rawValue), ("action", isBuy ? "BUY" : "SELL"), ("totalQuantity", "1"),
            ("orderType", isMarket ? "MKT" : "LMT"), ("lmtPrice", isMarket ? "" : limit.description), ("tif", "DAY"), ("transmit", "1"),
            ("outsideRth", "1"),
        ]
        guard let fields = OrderFields(names: words.map(\.0), values: words.map(\.1)) else { return }
        let permId = orders.takePerm()
        let translation = OrderTranslation(fields: fields, listing: listing, zone: settings.zone, now: now, mark: nil)
        guard let ticket = try? translation.ticket(permId: permId, parent: nil) else { return }
        let order = GatewayOrder(
            key: OrderKey(clientId: 0, orderId: 0), permId: permId, fields: fields, ticket: ticket, isTransmitted: false, isRefused: false,
            paper: nil)
        orders.store(order)
        transmit(order)
        // A client 0 that binds by itself has new orders at once.
        if let binder, index(of: binder) != nil { bindManualOrders(for: binder) }
    }
}

extension GatewayOrder {
    /// Made by hand and no client's yet.
    var isUnbound: Bool { key.clientId == 0 && key.orderId == 0 }
}
