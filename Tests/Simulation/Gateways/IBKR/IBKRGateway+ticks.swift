// Ticks one by one: streams of trades, touches and midpoints, and those of the past.
internal import Values
internal import Venues

/// What a stream of single ticks, or a look into the past, is made of.
enum TickKind: String, Sendable {
    case last = "Last", allLast = "AllLast", touch = "BidAsk", midpoint = "MidPoint"

    /// By the words of requests for the past.
    init?(history: String) {
        switch history {
        case "TRADES": self = .last
        case "BID_ASK": self = .touch
        case "MIDPOINT": self = .midpoint
        default: return nil
        }
    }
    var isTrade: Bool { self == .last || self == .allLast }
}

/// A stream of single ticks.
struct TickStream: Sendable {
    var id: Int
    var instrument: InstrumentID
    var kind: TickKind
    /// Changes of size alone are not told.
    var ignoresSize: Bool
    var touch: PaperTouch?
}

extension IBKRGateway {
    /// Most ticks of the past in one answer.
    static var historicalTicksMax: Int { 1_000 }

    mutating func startTicks(
        _ connection: GatewayConnection, _ id: Int, _ contract: WireContract, _ kind: String, _ count: Int, _ ignoresSize: Bool
    ) {
        guard let index = index(of: connection) else { return }
        let wireId = Int64(id)
        guard !isTaken(id, index) else { return error(connection, wireId, 102, "Duplicate ticker id") }
        guard let kind = TickKind(rawValue: kind) else {
            return error(connection, wireId, 10_189, "Failed to request tick-by-tick data:Unknown tick type \(kind)")
        }
        guard (0...Self.historicalTicksMax).contains(count) else {
            return error(connection, wireId, 10_189, "Failed to request tick-by-tick data:Number of ticks must be 0 to \(Self.historicalTicksMax)")
        }
        guard let listing = resolve(contract, wireId, connection) else { return }
        if troubles.isDataElsewhere { return error(connection, wireId, 10_197, Self.competing) }
        guard settings.dataRefusal(of: listing.instrument.symbol) == nil else {
            return error(connection, wireId, 10_189, "Failed to request tick-by-tick data:No market data permissions for this contract")
        }
        guard !kind.isTrade || listing.hasTrades else {
            return error(connection, wireId, 10_189, "Failed to request tick-by-tick data:There are no trades of this contract")
        }
        guard clients.reduce(0, { $0 + $1.ticks.count }) < settings.tickStreamsMax else {
            return error(connection, wireId, 10_190, "Max number of tick-by-tick requests has been reached")
        }
        let instrument = listing.instrument.id
        watch(instrument)
        if count > 0 { tellPast(connection, id, listing, kind, count, ignoresSize) }
        var stream = TickStream(id: id, instrument: instrument, kind: kind, ignoresSize: ignoresSize)
        if let touch = exchange.touch(instrument), !isDark { tell(touch, connection, &stream) }
        if let index = self.index(of: connection) { clients[index].ticks.append(stream) }
    }

    private mutating func tellPast(
        _ connection: GatewayConnection, _ id: Int, _ listing: PaperInstrument, _ kind: TickKind, _ count: Int, _ ignoresSize: Bool
    ) {
        let filter: PaperTapeFilter = kind.isTrade ? .trades : .touches(sizes: kind == .touch && !ignoresSize)
        let end = now + exchange.rules.step
        let prints = exchange.tape(listing.instrument.id, from: now - .hours(168), to: end, most: count, filter: filter, isBackward: true)
        tell(prints, connection, id, kind, listing)
    }

    // MARK: The past

    mutating func tellHistoricalTicks(_ connection: GatewayConnection, _ id: Int, _ request: HistoricalTicksRequest) {
        func refuse(_ why: String) { error(connection, Int64(id), 10_187, "Failed to request historical ticks:\(why)") }
        guard let listing = resolve(request.contract, Int64(id), connection, includeExpired: request.includeExpired) else { return }
        guard let kind = TickKind(history: request.whatToShow) else { return refuse("\(request.whatToShow) is not supported") }
        guard (1...Self.historicalTicksMax).contains(request.count) else { return refuse("Number of ticks must be 1 to \(Self.historicalTicksMax)") }
        guard settings.dataRefusal(of: listing.instrument.symbol) == nil else { return refuse("No market data permissions for this contract") }
        guard !kind.isTrade || listing.hasTrades else { return refuse("There are no trades of this contract") }
        guard !request.start.isEmpty || !request.end.isEmpty else { return refuse("One of start and end time must be given") }
        let (start, end) = (GatewayText.instant(request.start, zone: settings.zone), GatewayText.instant(request.end, zone: settings.zone))
        guard request.start.isEmpty || start != nil, request.end.isEmpty || end != nil else {
            return error(connection, Int64(id), 10_314, "End Date/Time: The date, time, or time-zone entered is invalid.")
        }
        let filter: PaperTapeFilter = kind.isTrade ? .trades : .touches(sizes: kind == .touch && !request.ignoreSize)
        // The step that is now is past enough to be told.
        let present = now + exchange.rules.step
        let last = min(end ?? present, present)
        let prints = exchange.tape(
            listing.instrument.id, from: start ?? last - .hours(168), to: last, most: request.count, filter: filter, isBackward: start == nil,
            regularHours: request.regularHours)
        tell(prints, connection, id, kind, listing)
    }

    private mutating func tell(_ prints: [PaperPrint], _ connection: GatewayConnection, _ id: Int, _ kind: TickKind, _ listing: PaperInstrument) {
        guard let version = client(connection)?.version else { return }
        let fields: [String]
        switch kind {
        case .last, .allLast:
            let trades = prints.compactMap { print in
                print.trade.map {
                    GatewayMessages.WireTrade(
                        seconds: print.at.seconds, price: $0.price.description, size: GatewayText.size($0.size, version: version),
                        exchange: facts(listing).tradePlace)
                }
            }
            fields = GatewayMessages.historicalTicks(id: id, trades: trades, isDone: true)
        case .touch:
            fields = GatewayMessages.historicalTicks(id: id, touches: prints.map { Self.wire($0.touch, $0.at.seconds, version) }, isDone: true)
        case .midpoint:
            let points = prints.map { (seconds: $0.at.seconds, price: $0.touch.midpoint.description, size: "0") }
            fields = GatewayMessages.historicalTicks(id: id, midpoints: points, isDone: true)
        }
        send(connection, fields)
    }

    private static func wire(_ touch: PaperTouch, _ seconds: Int64, _ version: Int) -> GatewayMessages.WireTouch {
        GatewayMessages.WireTouch(
            seconds: seconds, bid: touch.bid.description, ask: touch.ask.description, bidSize: GatewayText.size(touch.bidSize, version: version),
            askSize: GatewayText.size(touch.askSize, version: version))
    }

    // MARK: Now

    /// A changed touch to every stream of single ticks that shows it.
    mutating func tickQuoted(_ instrument: InstrumentID, _ touch: PaperTouch) {
        for index in clients.indices {
            for position in clients[index].ticks.indices where clients[index].ticks[position].instrument == instrument {
                var stream = clients[index].ticks[position]
                tell(touch, clients[index].connection, &stream)
                clients[index].ticks[position] = stream
            }
        }
    }

    /// A trade to every stream of single ticks that shows it.
    mutating func tickTraded(_ instrument: InstrumentID, _ trade: PaperTrade, at instant: Instant) {
        guard let listing = exchange.listing(instrument) else { return }
        let place = facts(listing).tradePlace
        for client in clients where client.ticks.contains(where: { $0.instrument == instrument && $0.kind.isTrade }) {
            let wire = GatewayMessages.WireTrade(
                seconds: instant.seconds, price: trade.price.description, size: GatewayText.size(trade.size, version: client.version),
                exchange: place)
            for stream in client.ticks where stream.instrument == instrument && stream.kind.isTrade {
                send(client.connection, GatewayMessages.tickByTick(id: stream.id, type: stream.kind == .last ? 1 : 2, wire))
            }
        }
    }

    private mutating func tell(_ touch: PaperTouch, _ connection: GatewayConnection, _ stream: inout TickStream) {
        let old = stream.touch
        stream.touch = touch
        switch stream.kind {
        case .last, .allLast: return
        case .touch:
            // A new subscriber makes the exchange tell the touch again.
            if old == touch || (stream.ignoresSize && old?.bid == touch.bid && old?.ask == touch.ask) { return }
            send(connection, GatewayMessages.tickByTick(id: stream.id, Self.wire(touch, now.seconds, client(connection)?.version ?? 178)))
        case .midpoint:
            if old?.midpoint == touch.midpoint { return }
            send(connection, GatewayMessages.tickByTick(id: stream.id, midpoint: touch.midpoint.description, seconds: now.seconds))
        }
    }
}

extension PaperTouch {
    /// Halfway between bid and ask.
    var midpoint: Price { Price(raw: bid.raw + (ask.raw - bid.raw) / 2) }
}
