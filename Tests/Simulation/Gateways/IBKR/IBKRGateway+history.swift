// Bars: history in one frame, history kept up to date, and five-second bars.
internal import Values
internal import Venues

/// The bar sizes and durations that TWS knows, as words.
enum HistoryWords {
    /// Most bars in one answer; more is refused with 162.
    static let barsMax = 20_000

    static func length(_ text: String) -> Span? {
        let parts = text.lowercased().split(separator: " ")
        guard parts.count == 2, let count = Int64(parts[0]), count > 0 else { return nil }
        let unit = parts[1].hasSuffix("s") && parts[1].count > 1 ? String(parts[1].dropLast()) : String(parts[1])
        switch unit {
        case "sec": return [1, 5, 10, 15, 30].contains(count) ? .seconds(count) : nil
        case "min": return [1, 2, 3, 5, 10, 15, 20, 30].contains(count) ? .minutes(count) : nil
        case "hour": return [1, 2, 3, 4, 8].contains(count) ? .hours(count) : nil
        case "day": return count == 1 ? .hours(24) : nil
        case "week": return count == 1 ? .hours(168) : nil
        case "month": return count == 1 ? .hours(720) : nil
        default: return nil
        }
    }
    static func duration(_ text: String) -> Span? {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let count = Int64(parts[0]), (1...1_000_000).contains(count) else { return nil }
        guard let unit = ["S": 1, "D": 86_400, "W": 604_800, "M": 2_592_000, "Y": 31_536_000 as Int64][parts[1]] else { return nil }
        // A hundred years are more than anybody has.
        return count <= 3_153_600_000 / unit ? .seconds(unit * count) : nil
    }
}

extension IBKRGateway {
    mutating func tellHistory(_ connection: GatewayConnection, _ id: Int, _ request: HistoryRequest) {
        guard let index = index(of: connection) else { return }
        let wireId = Int64(id)
        guard !isTaken(id, index) else { return error(connection, wireId, 322, "Error processing request.-'bN' : cause - Duplicate ticker id") }
        if troubles.isResetting {
            return error(connection, wireId, 162, "Historical Market Data Service error message:HMDS connection failed; trying to reconnect.")
        }
        guard let listing = resolve(request.contract, wireId, connection, includeExpired: request.includeExpired) else { return }
        if request.whatToShow == "SCHEDULE" { return tellSchedule(connection, id, request, listing) }
        func invalid(_ what: String) { error(connection, wireId, 321, "Error validating request.-'bN' : cause - \(what)") }
        guard let length = HistoryWords.length(request.barSize) else { return invalid("Historical data bar size setting is invalid.") }
        guard let duration = HistoryWords.duration(request.duration) else { return invalid("Invalid duration unit: \(request.duration)") }
        if ["TRADES", "ADJUSTED_LAST", "AGGTRADES"].contains(request.whatToShow), !listing.hasTrades {
            return error(connection, wireId, 162, Self.noTrades(listing))
        }
        guard let source = Self.source(request.whatToShow) else {
            return invalid("Historical data request for \(request.whatToShow) is not supported.")
        }
        if request.keepUpToDate, request.whatToShow == "BID_ASK" { return invalid("Historical data request for BID_ASK is not kept up to date.") }
        if request.keepUpToDate || request.whatToShow == "ADJUSTED_LAST", !request.end.isEmpty {
            return invalid("End Date not supported with keepUpToDate or adjusted last")
        }
        var end = now
        if !request.end.isEmpty {
            guard let given = GatewayText.instant(request.end, zone: settings.zone) else {
                return error(connection, wireId, 10_314, "End Date/Time: The date, time, or time-zone entered is invalid.")
            }
            // The end is exclusive: a bar that starts there is not part of the answer.
            end = min(now, given - Span(nanoseconds: 1))
        }
        let count = max(1, Int(duration.nanoseconds / length.nanoseconds))
        guard count <= HistoryWords.barsMax else {
            return error(connection, wireId, 162, "Historical Market Data Service error message:Time length exceed max.")
        }
        guard historyJobs.count(where: { $0.connection == connection }) < Self.historyJobsMax else {
            return error(
                connection, wireId, 322,
                "Error processing request.-'bN' : cause - Only \(Self.historyJobsMax) simultaneous API historical data requests allowed.")
        }
        let stream = HistoryStream(
            id: id, instrument: listing.instrument.id, source: source, length: length, formatDate: request.formatDate,
            regularHours: request.regularHours)
        let newest = Timeframe(seconds: length.nanoseconds / 1_000_000_000).start(of: end)
        let version = clients[index].version
        begin(
            HistoryJob(
                connection: connection, stream: stream, isBidAsk: request.whatToShow == "BID_ASK", goesOn: request.keepUpToDate,
                start: GatewayText.time(end - duration, zone: settings.zone, version: version),
                end: GatewayText.time(end, zone: settings.zone, version: version),
                next: newest - Span(nanoseconds: length.nanoseconds * Int64(count - 1)), newest: newest))
    }

    /// What a word of a request stands for; nil for what this gateway does not know.
    private static func source(_ what: String) -> BarSource? {
        switch what {
        case "ADJUSTED_LAST", "AGGTRADES": .trades
        case "BID_ASK": .bid
        default: BarSource(rawValue: what)
        }
    }
    private static func noTrades(_ listing: PaperInstrument) -> String {
        let (symbol, place) = (listing.instrument.localSymbol, listing.instrument.exchange)
        return "Historical Market Data Service error message:HMDS query returned no data: \(symbol)@\(place) Trades"
    }
    func wire(_ bar: Bar, _ stream: HistoryStream, _ version: Int) -> GatewayMessages.WireBar {
        let isDaily = stream.length >= .hours(24)
        let date =
            isDaily
            ? settings.zone.local(bar.start + .hours(12)).date.compact
            : stream.formatDate == 2 ? String(bar.start.seconds) : GatewayText.time(bar.start, zone: settings.zone, version: version)
        return Self.wire(bar, date: date, source: stream.source, version: version)
    }

    private static func wire(_ bar: Bar, date: String, source: BarSource, version: Int) -> GatewayMessages.WireBar {
        // The average lies between the extremes; only trades have volume.
        let average = Price(raw: bar.low.raw + (bar.high.raw - bar.low.raw) / 2)
        let hasVolume = source == .trades
        let count = max(bar.volume.raw / 300_000_000, bar.volume.raw > 0 ? 1 : 0)
        return GatewayMessages.WireBar(
            date: date, open: bar.open.description, high: bar.high.description, low: bar.low.description, close: bar.close.description,
            volume: hasVolume ? GatewayText.size(bar.volume, version: version) : "-1", average: hasVolume ? average.description : "-1",
            count: hasVolume ? String(count) : "-1")
    }

    mutating func startBars(
        _ connection: GatewayConnection, _ id: Int, _ contract: WireContract, _ seconds: Int, _ what: String, _ regular: Bool
    ) {
        guard let index = index(of: connection) else { return }
        guard !isTaken(id, index) else { return error(connection, Int64(id), 102, "Duplicate ticker id") }
        guard seconds == 5, let source = BarSource(rawValue: what) else {
            return error(
                connection, Int64(id), 321,
                "Error validating request.-'b3' : cause - Real time bars exist for 5 seconds of TRADES, MIDPOINT, BID, ASK")
        }
        guard let listing = resolve(contract, Int64(id), connection) else { return }
        if troubles.isDataElsewhere { return error(connection, Int64(id), 10_197, Self.competing) }
        guard listing.hasTrades || source != .trades else {
            return error(connection, Int64(id), 420, "Invalid Real-time Query:There are no trades of \(listing.instrument.localSymbol)")
        }
        guard settings.dataRefusal(of: listing.instrument.symbol) == nil else {
            return error(connection, Int64(id), 420, "Invalid Real-time Query:No market data permissions for \(listing.instrument.exchange)")
        }
        clients[index].bars.append(BarStream(id: id, instrument: listing.instrument.id, source: source, regularHours: regular))
    }

    /// On every whole second: five-second bars that have just closed, and history that has moved.
    mutating func tellBars() {
        guard !isDark else { return }
        // The same bars are wanted by many: each is made once.
        var made: [BarKey: [Bar]] = [:]
        for index in clients.indices {
            let client = clients[index]
            if now.seconds % 5 == 0 { for stream in client.bars { tellBar(client.connection, stream, &made) } }
            for position in client.histories.indices { clients[index].histories[position] = told(client.histories[position], client, &made) }
        }
    }

    private mutating func bars(_ key: BarKey, count: Int, end: Instant, _ made: inout [BarKey: [Bar]]) -> [Bar] {
        if let known = made[key] { return known }
        let bars = exchange.bars(
            key.instrument, length: Span(nanoseconds: key.length), count: count, end: end, source: key.source, regularHours: key.regularHours)
        made[key] = bars
        return bars
    }

    private mutating func tellBar(_ connection: GatewayConnection, _ stream: BarStream, _ made: inout [BarKey: [Bar]]) {
        let start = Instant(seconds: now.seconds - 5)
        // A length of its own, so that history of five seconds, which looks at two bars, is another entry.
        let key = BarKey(instrument: stream.instrument, length: -5, source: stream.source, regularHours: stream.regularHours)
        if made[key] == nil {
            made[key] = exchange.bars(
                stream.instrument, length: .seconds(5), count: 1, end: start, source: stream.source, regularHours: stream.regularHours)
        }
        let version = client(connection)?.version ?? 178
        for bar in made[key] ?? [] {
            send(
                connection,
                GatewayMessages.realTimeBar(id: stream.id, Self.wire(bar, date: String(bar.start.seconds), source: stream.source, version: version)))
        }
    }

    /// Tells what has changed since the last time: the end of the bar before, when a new one has begun, and the forming one.
    private mutating func told(_ stream: HistoryStream, _ client: GatewayClient, _ made: inout [BarKey: [Bar]]) -> HistoryStream {
        var stream = stream
        let key = BarKey(
            instrument: stream.instrument, length: stream.length.nanoseconds, source: stream.source, regularHours: stream.regularHours)
        for bar in bars(key, count: 2, end: now, &made) {
            if let last = stream.lastTold, bar.start < last.start || bar == last { continue }
            send(client.connection, GatewayMessages.historicalDataUpdate(id: stream.id, wire(bar, stream, client.version)))
            stream.lastTold = bar
        }
        return stream
    }

    mutating func tellHead(_ connection: GatewayConnection, _ id: Int, _ contract: WireContract, _ what: String, _ format: Int) {
        guard let listing = resolve(contract, Int64(id), connection) else { return }
        guard listing.hasTrades || what != "TRADES" else { return error(connection, Int64(id), 162, Self.noTrades(listing)) }
        // MBT began to trade on 2021-05-03, evening before in Chicago; the stocks' data is said to begin in 1993.
        let text = listing.isFuture ? (format == 2 ? "1619992800" : "20210502-22:00:00") : (format == 2 ? "728317800" : "19930129-14:30:00")
        send(connection, GatewayMessages.headTimestamp(id: id, text: text))
    }
}
