// Quotes: subscriptions, snapshots, and what a change of the market sends to whom.
internal import Values
internal import Venues

/// Tick types of live and delayed data.
private struct TickTypes {
    let bid, ask, last, bidSize, askSize, lastSize, high, low, volume, close, open, lastTime: Int
    static let live = TickTypes(
        bid: 1, ask: 2, last: 4, bidSize: 0, askSize: 3, lastSize: 5, high: 6, low: 7, volume: 8, close: 9, open: 14, lastTime: 45)
    static let delayed = TickTypes(
        bid: 66, ask: 67, last: 68, bidSize: 69, askSize: 70, lastSize: 71, high: 72, low: 73, volume: 74, close: 75, open: 76, lastTime: 88)
    static func of(_ stream: QuoteStream) -> TickTypes { stream.dataType == 3 ? .delayed : .live }
}

extension IBKRGateway {
    mutating func serveData(_ request: GatewayRequest, _ connection: GatewayConnection) -> Bool {
        guard let index = index(of: connection) else { return true }
        switch request {
        case .marketData(let id, let request): subscribe(connection, id, request)
        case .cancelMarketData(let id):
            let known = clients[index].quotes.contains { $0.id == id }
            clients[index].quotes.removeAll { $0.id == id }
            if known { unwatchUnused() } else { unknownStream(connection, id) }
        case .marketDataType(let type):
            guard (1...4).contains(type) else {
                error(connection, -1, 321, "Error validating request.-'b1' : cause - Market data type \(type) is unknown")
                return true
            }
            clients[index].dataType = type
        case .realTimeBars(let id, let contract, let seconds, let what, let regular): startBars(connection, id, contract, seconds, what, regular)
        case .cancelRealTimeBars(let id):
            guard clients[index].bars.contains(where: { $0.id == id }) else { unknownStream(connection, id); return true }
            clients[index].bars.removeAll { $0.id == id }
        case .history(let id, let request): tellHistory(connection, id, request)
        case .cancelHistory(let id):
            let known = clients[index].histories.contains { $0.id == id }
            clients[index].histories.removeAll { $0.id == id }
            error(connection, Int64(id), known ? 162 : 366, known ? Self.historyCancelled : "No historical data query found for ticker id:\(id)")
        case .headTimestamp(let id, let contract, _, _, _, let format): tellHead(connection, id, contract, format)
        case .cancelHeadTimestamp: break
        default: return false
        }
        return true
    }
    private static var historyCancelled: String { "Historical Market Data Service error message:API historical data query cancelled: " }

    private mutating func subscribe(_ connection: GatewayConnection, _ id: Int, _ request: MarketDataRequest) {
        guard let index = index(of: connection) else { return }
        guard !clients[index].uses(id) else { return error(connection, Int64(id), 102, "Duplicate ticker id") }
        guard let listing = resolve(request.contract, Int64(id), connection) else { return }
        let generics = request.genericTicks.split(separator: ",").map { String($0.split(separator: ":").first ?? "") }
        if request.snapshot, !generics.isEmpty {
            return error(
                connection, Int64(id), 321,
                "Error validating request.-'b0' : cause - Snapshot market data subscription is not applicable to generic ticks")
        }
        guard let type = permittedType(connection, id, listing) else { return }
        let instrument = listing.instrument.id
        deliver(exchange.handle(.watch(instrument), at: now))
        var stream = QuoteStream(id: id, instrument: instrument, generics: generics, dataType: type)
        send(connection, GatewayMessages.marketDataType(id: id, type: type))
        let tick = listing.instrument.minPriceIncrement.description
        send(
            connection,
            GatewayMessages.tickReqParams(
                id: id, minTick: tick, bboExchange: listing.isFuture ? "" : Self.stockComponents, snapshotPermissions: listing.isFuture ? 4 : 3))
        tellStart(connection, &stream, listing)
        if request.snapshot {
            send(connection, GatewayMessages.snapshotEnd(id: id))
            unwatchUnused()
        } else if let index = self.index(of: connection) {
            clients[index].quotes.append(stream)
        }
    }

    /// 1 or 3; nil when the account may not see the data, which the client has then been told.
    private mutating func permittedType(_ connection: GatewayConnection, _ id: Int, _ listing: PaperInstrument) -> Int? {
        guard let client = client(connection) else { return nil }
        guard let code = settings.dataRefusal(of: listing.instrument.symbol) else { return 1 }
        if client.dataType == 3 || client.dataType == 4 {
            error(connection, Int64(id), 10_167, "Requested market data is not subscribed. Displaying delayed market data.")
            return 3
        }
        let text =
            switch code {
            case 10_089:
                "Requested market data requires additional subscription for API. See link in 'Market Data Connections' dialog for more details."
            case 10_168: "Requested market data is not subscribed. Delayed market data is not enabled."
            default: "Requested market data is not subscribed."
            }
        error(connection, Int64(id), code, text)
        return nil
    }

    /// Everything that is known of a market, to a new subscriber.
    private mutating func tellStart(_ connection: GatewayConnection, _ stream: inout QuoteStream, _ listing: PaperInstrument) {
        let types = TickTypes.of(stream)
        guard let touch = exchange.touch(stream.instrument), let last = exchange.last(stream.instrument) else { return }
        tell(touch, connection, &stream)
        let day = exchange.bars(stream.instrument, length: .hours(24), count: 2, end: now)
        let today = day.last
        stream.high = today?.high
        stream.low = today?.low
        stream.volume = today.map { $0.volume.raw } ?? 0
        price(connection, stream, types.last, last.price, last.size)
        size(connection, stream, types.lastSize, last.size)
        size(connection, stream, types.volume, Quantity(raw: stream.volume))
        if let high = stream.high { price(connection, stream, types.high, high, nil) }
        if let low = stream.low { price(connection, stream, types.low, low, nil) }
        if let close = day.count > 1 ? day.first?.close : today?.open { price(connection, stream, types.close, close, nil) }
        if let open = today?.open { price(connection, stream, types.open, open, nil) }
        stream.last = last.price
        send(connection, GatewayMessages.tickString(id: stream.id, type: types.lastTime, text: String(now.seconds)))
        send(connection, GatewayMessages.tickGeneric(id: stream.id, type: 49, value: "0.0"))
        if stream.generics.contains("236"), !listing.isFuture {
            send(connection, GatewayMessages.tickGeneric(id: stream.id, type: 46, value: "3.0"))
            size(connection, stream, 89, Quantity(whole: 5_000_000))
        }
        if stream.generics.contains("588"), listing.isFuture { size(connection, stream, 86, Quantity(whole: 6_200)) }
    }

    // MARK: Changes

    mutating func quoted(_ instrument: InstrumentID, _ touch: PaperTouch) {
        guard !isLinkLost else { return }
        tickQuoted(instrument, touch)
        for index in clients.indices {
            for position in clients[index].quotes.indices where clients[index].quotes[position].instrument == instrument {
                var stream = clients[index].quotes[position]
                tell(touch, clients[index].connection, &stream)
                clients[index].quotes[position] = stream
            }
        }
    }

    mutating func traded(_ instrument: InstrumentID, _ trade: PaperTrade) {
        guard !isLinkLost else { return }
        tickTraded(instrument, trade, at: now)
        for index in clients.indices {
            for position in clients[index].quotes.indices where clients[index].quotes[position].instrument == instrument {
                var stream = clients[index].quotes[position]
                tell(trade, clients[index].connection, &stream)
                clients[index].quotes[position] = stream
            }
        }
    }

    private mutating func tell(_ touch: PaperTouch, _ connection: GatewayConnection, _ stream: inout QuoteStream) {
        let types = TickTypes.of(stream)
        let old = stream.touch
        if old?.bid != touch.bid { price(connection, stream, types.bid, touch.bid, touch.bidSize) }
        if old?.bid != touch.bid || old?.bidSize != touch.bidSize { size(connection, stream, types.bidSize, touch.bidSize) }
        if old?.ask != touch.ask { price(connection, stream, types.ask, touch.ask, touch.askSize) }
        if old?.ask != touch.ask || old?.askSize != touch.askSize { size(connection, stream, types.askSize, touch.askSize) }
        stream.touch = touch
    }

    private mutating func tell(_ trade: PaperTrade, _ connection: GatewayConnection, _ stream: inout QuoteStream) {
        let types = TickTypes.of(stream)
        stream.volume += trade.size.raw
        send(connection, GatewayMessages.tickString(id: stream.id, type: types.lastTime, text: String(now.seconds)))
        if stream.last != trade.price { price(connection, stream, types.last, trade.price, trade.size) }
        size(connection, stream, types.lastSize, trade.size)
        size(connection, stream, types.volume, Quantity(raw: stream.volume))
        stream.last = trade.price
        if let high = stream.high, trade.price > high { stream.high = trade.price; price(connection, stream, types.high, trade.price, nil) }
        if let low = stream.low, trade.price < low { stream.low = trade.price; price(connection, stream, types.low, trade.price, nil) }
        for (generic, type) in [("233", 48), ("375", 77)] where stream.generics.contains(generic) {
            let text = "\(trade.price);\(trade.size);\(now.milliseconds);\(Quantity(raw: stream.volume));\(trade.price);true"
            send(connection, GatewayMessages.tickString(id: stream.id, type: type, text: text))
        }
    }

    private mutating func price(_ connection: GatewayConnection, _ stream: QuoteStream, _ type: Int, _ price: Price, _ size: Quantity?) {
        send(
            connection,
            GatewayMessages.tickPrice(
                id: stream.id, type: type, price: price.description, size: size?.description ?? "0", mask: type == 1 || type == 2 ? 1 : 0))
    }
    private mutating func size(_ connection: GatewayConnection, _ stream: QuoteStream, _ type: Int, _ size: Quantity) {
        send(connection, GatewayMessages.tickSize(id: stream.id, type: type, size: size.description))
    }
}
