// Market depth: the book row by row, told by its changes.
internal import Values
internal import Venues

/// A stream of depth.
struct DepthStream: Sendable {
    var id: Int
    var instrument: InstrumentID
    var rows: Int
    /// Rows carry the exchange they rest at.
    var isSmart: Bool
    /// What the client's book holds.
    var bids: [PaperLevel] = []
    var asks: [PaperLevel] = []
}

extension IBKRGateway {
    /// Depth subscriptions of all clients together.
    private static var depthStreamsMax: Int { 3 }

    mutating func startDepth(_ connection: GatewayConnection, _ id: Int, _ contract: WireContract, _ rows: Int, _ isSmart: Bool) {
        guard let index = index(of: connection) else { return }
        let wireId = Int64(id)
        guard !isTaken(id, index) else { return error(connection, wireId, 102, "Duplicate ticker id") }
        guard rows > 0 else { return error(connection, wireId, 321, "Error validating request.-'bD' : cause - Number of rows must be positive") }
        guard let listing = resolve(contract, wireId, connection) else { return }
        guard listing.hasDepth else {
            return error(connection, wireId, 10_092, "Deep market data is not supported for this combination of security type/exchange")
        }
        if troubles.isDataElsewhere { return error(connection, wireId, 10_197, Self.competing) }
        if let code = settings.dataRefusal(of: listing.instrument.symbol) {
            return error(connection, wireId, code, "Requested market data is not subscribed.")
        }
        guard clients.reduce(0, { $0 + $1.depths.count }) < Self.depthStreamsMax else {
            return error(connection, wireId, 309, "Max number (\(Self.depthStreamsMax)) of market depth requests has been reached")
        }
        let instrument = listing.instrument.id
        watch(instrument)
        var stream = DepthStream(id: id, instrument: instrument, rows: rows, isSmart: isSmart)
        tell(connection, &stream, listing)
        clients[index].depths.append(stream)
    }

    mutating func stopDepth(_ connection: GatewayConnection, _ id: Int) {
        guard let index = index(of: connection) else { return }
        guard clients[index].depths.contains(where: { $0.id == id }) else {
            return error(connection, Int64(id), 310, "Can't find the subscribed market depth with tickerId:\(id)")
        }
        clients[index].depths.removeAll { $0.id == id }
        unwatchUnused()
    }

    /// After a move of the market: every book that has changed.
    mutating func tellDepths() {
        guard !isDark else { return }
        for index in clients.indices {
            for position in clients[index].depths.indices {
                var stream = clients[index].depths[position]
                guard let listing = exchange.listing(stream.instrument), listing.tradingHours.isOpen(at: now) else { continue }
                tell(clients[index].connection, &stream, listing)
                clients[index].depths[position] = stream
            }
        }
    }

    private mutating func tell(_ connection: GatewayConnection, _ stream: inout DepthStream, _ listing: PaperInstrument) {
        let book = exchange.depth(stream.instrument, rows: stream.rows)
        let version = client(connection)?.version ?? 178
        for (side, old, new) in [(1, stream.bids, book.bids), (0, stream.asks, book.asks)] {
            for (position, level) in new.enumerated() where position >= old.count || old[position] != level {
                let row = GatewayMessages.DepthRow(
                    position: position, operation: position < old.count ? 1 : 0, side: side, price: level.price.description,
                    size: GatewayText.size(level.size, version: version))
                tell(connection, stream, row, listing)
            }
            // From the end, so that no row moves before it is taken away.
            for position in stride(from: old.count - 1, through: new.count, by: -1) {
                tell(connection, stream, GatewayMessages.DepthRow(position: position, operation: 2, side: side, price: "0", size: "0"), listing)
            }
        }
        stream.bids = book.bids
        stream.asks = book.asks
    }

    private mutating func tell(_ connection: GatewayConnection, _ stream: DepthStream, _ row: GatewayMessages.DepthRow, _ listing: PaperInstrument) {
        guard listing.instrument.securityType == .stock else { return send(connection, GatewayMessages.depth(id: stream.id, row)) }
        let makers = ["NSDQ", "ARCA", "BATS", "EDGX"]
        let maker = stream.isSmart ? makers[row.position % makers.count] : makers[0]
        send(connection, GatewayMessages.depth(id: stream.id, row, maker: maker, isSmart: stream.isSmart))
    }

    // MARK: What there is

    mutating func tellDepthExchanges(_ connection: GatewayConnection) {
        send(
            connection,
            GatewayMessages.depthExchanges([
                .init("CME", "FUT", listing: "", service: "Deep", group: Unset.integer), .init("ISLAND", "STK", listing: "NASDAQ", service: "Deep2"),
                .init("SMART", "STK", listing: "NASDAQ", service: "Deep2", group: "1"), .init("IDEALPRO", "CASH", service: "Deep"),
                .init("PAXOS", "CRYPTO", service: "Deep"),
            ]))
    }

    mutating func tellSmartComponents(_ connection: GatewayConnection, _ id: Int, _ exchange: String) {
        guard exchange == ContractFacts.stockComponents else {
            return error(connection, Int64(id), 321, "Error validating request.-'bS' : cause - BBO exchange '\(exchange)' is unknown")
        }
        let list = ["AMEX", "ISLAND", "BATS", "EDGX", "ARCA", "NYSE", "IEX"].enumerated()
        send(
            connection,
            GatewayMessages.smartComponents(
                id: id, list.map { (bit: $0.offset, exchange: $0.element, letter: ["A", "Q", "Z", "K", "P", "N", "V"][$0.offset]) }))
    }
}
