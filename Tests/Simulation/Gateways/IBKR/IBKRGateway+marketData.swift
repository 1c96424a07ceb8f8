// Quotes: subscriptions, snapshots, and what a change of the market sends to whom.
internal import Values
internal import Venues

extension IBKRGateway {
    mutating func serveData(_ request: GatewayRequest, _ connection: GatewayConnection) -> Bool {
        guard let index = index(of: connection) else { return true }
        switch request {
        case .marketData(let id, let request): subscribe(connection, id, request)
        case .cancelMarketData(let id):
            guard let position = clients[index].quotes.firstIndex(where: { $0.id == id }) else { unknownStream(connection, id); return true }
            let board = clients[index].quotes.remove(at: position).board
            boards[board].streams.removeAll { $0.connection == connection && $0.id == id }
            unwatchUnused()
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
            let known =
                clients[index].histories.contains { $0.id == id } || historyJobs.contains { $0.connection == connection && $0.stream.id == id }
            clients[index].histories.removeAll { $0.id == id }
            historyJobs.removeAll { $0.connection == connection && $0.stream.id == id }
            guard known else { error(connection, Int64(id), 366, "No historical data query found for ticker id:\(id)"); return true }
            error(connection, Int64(id), 162, "Historical Market Data Service error message:API historical data query cancelled: \(id)")
        case .headTimestamp(let id, let contract, _, _, let what, let format): tellHead(connection, id, contract, what, format)
        case .cancelHeadTimestamp: break
        default: return false
        }
        return true
    }

    private mutating func subscribe(_ connection: GatewayConnection, _ id: Int, _ request: MarketDataRequest) {
        guard let index = index(of: connection) else { return }
        guard !isTaken(id, index) else { return error(connection, Int64(id), 102, "Duplicate ticker id") }
        guard let listing = resolve(request.contract, Int64(id), connection) else { return }
        // A word may follow a number, as in `292:BRFG`, or stand alone (`mdoff`).
        let generics = request.genericTicks.split(separator: ",").map { String($0.split(separator: ":").first ?? "").filter { $0 != " " } }
        let isSnapshot = request.snapshot || request.regulatorySnapshot
        func invalid(_ why: String) { error(connection, Int64(id), 321, "Error validating request.-'b0' : cause - \(why)") }
        guard !isSnapshot || generics.isEmpty else {
            return invalid("Snapshot market data subscription is not applicable to generic ticks")
        }
        if let wrong = generics.first(where: { Int($0) == nil && $0 != "mdoff" }) { return invalid("Incorrect generic tick list of \(wrong).") }
        guard let type = permittedType(connection, id, listing), let board = boardOf[listing.instrument.id] else { return }
        guard isSnapshot || hasLine(for: listing.instrument.id) else {
            return error(connection, Int64(id), 101, "Max number of tickers has been reached")
        }
        if boards[board].streams.isEmpty { open(board, listing) }
        watch(listing.instrument.id)
        let stream = QuoteStream(
            connection: connection, id: id, instrument: listing.instrument.id, generics: generics.compactMap { Int($0) }, dataType: type)
        send(connection, GatewayMessages.marketDataType(id: id, type: type))
        let tick = listing.instrument.minPriceIncrement.description
        let facts = facts(listing)
        send(
            connection, GatewayMessages.tickReqParams(id: id, minTick: tick, bboExchange: facts.components, snapshotPermissions: facts.snapshots))
        if !generics.contains("mdoff") { tellStart(board, stream, listing) }
        if isSnapshot {
            send(connection, GatewayMessages.snapshotEnd(id: id))
            unwatchUnused()
        } else {
            boards[board].streams.append(stream)
            clients[index].quotes.append((id: id, board: board))
        }
    }

    /// True when an instrument may be watched besides those that are: all clients together share the lines, each instrument once.
    private func hasLine(for instrument: InstrumentID) -> Bool {
        var watched: Set<InstrumentID> = [instrument]
        for board in boards where !board.streams.isEmpty { watched.insert(board.instrument) }
        for client in clients { watched.formUnion(client.ticks.map(\.instrument)) }
        return watched.count <= settings.lines
    }

    /// 1 to 4; nil when the account may not see the data, which the client has then been told.
    private mutating func permittedType(_ connection: GatewayConnection, _ id: Int, _ listing: PaperInstrument) -> Int? {
        guard let client = client(connection) else { return nil }
        if troubles.isDataElsewhere {
            error(connection, Int64(id), 10_197, Self.competing)
            return nil
        }
        // Frozen is what stands while the market is shut; a running one is live for whoever may see it.
        let isFrozen = client.dataType % 2 == 0 && !listing.tradingHours.isOpen(at: now)
        guard let code = settings.dataRefusal(of: listing.instrument.symbol) else { return isFrozen ? 2 : 1 }
        if client.dataType >= 3 {
            error(connection, Int64(id), 10_167, "Requested market data is not subscribed. Displaying delayed market data.")
            return isFrozen ? 4 : 3
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

    // MARK: The beginning of a stream

    /// Takes up an instrument that nobody has watched: its day so far.
    private mutating func open(_ board: Int, _ listing: PaperInstrument) {
        let id = listing.instrument.id
        let days = exchange.bars(id, length: .hours(24), count: 2, end: now, source: listing.hasTrades ? .trades : .midpoint)
        let today = days.last
        var day = QuoteDay()
        (day.high, day.low, day.open) = (today?.high, today?.low, today?.open)
        day.close = days.count > 1 ? days.first?.close : today?.open
        day.volume = today?.volume.raw ?? 0
        day.trades = day.volume / max(listing.instrument.lotStep.raw * listing.depth.tradeLots / 2, 1)
        if listing.hasTrades, let last = exchange.last(id) { (day.last, day.lastSize) = (last.price, last.size) }
        boards[board].day = day
        boards[board].touch = exchange.touch(id)
    }

    /// Everything that is known of a market, to a new subscriber.
    private mutating func tellStart(_ board: Int, _ stream: QuoteStream, _ listing: PaperInstrument) {
        let types = stream.isDelayed ? TickTypes.delayed : .live
        guard let touch = boards[board].touch else { return }
        var batch = batch(for: stream, board)
        var empty = boards[board]
        empty.touch = nil
        empty.changes(to: touch, types, into: &batch)
        let day = boards[board].day
        if let last = day.last {
            batch.price(types.last, last, day.lastSize)
            batch.size(types.lastSize, day.lastSize)
            batch.size(types.volume, Quantity(raw: day.volume))
        }
        if let high = day.high { batch.price(types.high, high, nil) }
        if let low = day.low { batch.price(types.low, low, nil) }
        if let close = day.close { batch.price(types.close, close, nil) }
        if listing.hasTrades, let open = day.open { batch.price(types.open, open, nil) }
        if day.last != nil { batch.text(types.lastTime, String(now.seconds)) }
        batch.generic(types.halted, boards[board].isHalted ? "1.0" : "0.0")
        tellGenerics(stream, listing, day, &batch)
        tell(batch, stream)
        if listing.option != nil { tellComputations(stream, touch) }
    }

    private mutating func tell(_ batch: TickBatch, _ stream: QuoteStream) {
        guard let index = index(of: stream.connection) else { return }
        batch.write(stream.id, into: &clients[index].outbox)
    }

    // MARK: Changes

    mutating func quoted(_ instrument: InstrumentID, _ touch: PaperTouch) {
        guard !isDark else { return }
        tickQuoted(instrument, touch)
        guard let board = boardOf[instrument], !boards[board].streams.isEmpty, boards[board].touch != touch else { return }
        tellAll(board) { board, types, batch in board.changes(to: touch, types, into: &batch) }
        let pricesMoved = boards[board].touch?.bid != touch.bid || boards[board].touch?.ask != touch.ask
        boards[board].touch = touch
        guard boards[board].isOption, pricesMoved else { return }
        for stream in boards[board].streams { tellComputations(stream, touch) }
    }

    mutating func traded(_ instrument: InstrumentID, _ trade: PaperTrade) {
        guard let board = boardOf[instrument], boards[board].hasTrades else { return }
        // What nobody is told is part of the day all the same.
        defer { if !boards[board].streams.isEmpty { boards[board].take(trade) } }
        guard !isDark else { return }
        tickTraded(instrument, trade, at: now)
        guard !boards[board].streams.isEmpty else { return }
        let now = now
        tellAll(board) { board, types, batch in board.changes(by: trade, types, at: now, into: &batch) }
        for stream in boards[board].streams where stream.wantsTrades {
            var batch = batch(for: stream, board)
            boards[board].generics(by: trade, stream, at: now, into: &batch)
            tell(batch, stream)
        }
    }

    /// Trading in an instrument has stopped or goes on.
    mutating func halted(_ instrument: InstrumentID, _ isHalted: Bool) {
        guard let board = boardOf[instrument] else { return }
        boards[board].isHalted = isHalted
        guard !isDark else { return }
        tellAll(board) { _, types, batch in batch.generic(types.halted, isHalted ? "1.0" : "0.0") }
    }

    /// Writes once for each kind of stream there is (live, delayed; whole sizes for old clients), and tells each stream.
    private mutating func tellAll(_ board: Int, _ write: (QuoteBoard, TickTypes, inout TickBatch) -> Void) {
        var isWritten = (false, false, false, false)
        for stream in boards[board].streams {
            guard let index = index(of: stream.connection) else { continue }
            let isWhole = boards[board].isFractional && clients[index].version < 163
            switch (isWhole, stream.isDelayed) {
            case (false, false): tell(stream.id, index, 0, &isWritten.0, board, write)
            case (false, true): tell(stream.id, index, 1, &isWritten.1, board, write)
            case (true, false): tell(stream.id, index, 2, &isWritten.2, board, write)
            case (true, true): tell(stream.id, index, 3, &isWritten.3, board, write)
            }
        }
    }

    private mutating func tell(
        _ id: Int, _ client: Int, _ kind: Int, _ isWritten: inout Bool, _ board: Int, _ write: (QuoteBoard, TickTypes, inout TickBatch) -> Void
    ) {
        if !isWritten {
            batches[kind].removeAll()
            write(boards[board], kind % 2 == 0 ? .live : .delayed, &batches[kind])
            isWritten = true
        }
        batches[kind].write(id, into: &clients[client].outbox)
    }

    /// A batch for one stream alone.
    private func batch(for stream: QuoteStream, _ board: Int) -> TickBatch {
        TickBatch(isWhole: boards[board].isFractional && (client(stream.connection)?.version ?? 178) < 163)
    }
}
