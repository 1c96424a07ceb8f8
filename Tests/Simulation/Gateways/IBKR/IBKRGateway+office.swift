// Research, news, scanners, advisers: answered with what a simulation has, or refused in the broker's words. Nothing is met with silence.
internal import Values
internal import Venues

extension IBKRGateway {
    mutating func serve(_ request: ResearchRequest, _ connection: GatewayConnection) {
        switch request {
        case .tickByTick(let id, let contract, let kind, let count, let ignoresSize):
            startTicks(connection, id, contract, kind, count, ignoresSize)
        case .cancelTickByTick(let id):
            guard let index = index(of: connection), clients[index].ticks.contains(where: { $0.id == id }) else {
                return unknownStream(connection, id)
            }
            clients[index].ticks.removeAll { $0.id == id }
            unwatchUnused()
        case .historicalTicks(let id, let request): tellHistoricalTicks(connection, id, request)
        case .depth(let id, let contract, let rows, let isSmart): startDepth(connection, id, contract, rows, isSmart)
        case .cancelDepth(let id, _): stopDepth(connection, id)
        case .depthExchanges: tellDepthExchanges(connection)
        case .smartComponents(let id, let exchange): tellSmartComponents(connection, id, exchange)
        case .optionParameters(let id, let request): tellChains(connection, id, request)
        case .histogram(let id, let contract, let regular, let period): tellHistogram(connection, id, contract, regular, period)
        case .impliedVolatility(let id, let contract, let price, let underlying):
            calculate(connection, id, contract, .volatility(of: price), underlying: underlying)
        case .optionPrice(let id, let contract, let volatility, let underlying):
            calculate(connection, id, contract, .price(at: volatility), underlying: underlying)
        // What was computed once needs no end.
        case .cancelHistogram, .cancelImpliedVolatility, .cancelOptionPrice: break
        case .exercise(let id, _) where settings.switches.contains(.readOnly):
            error(connection, Int64(id), GatewayComplaint.readOnly.code, GatewayComplaint.readOnly.text)
        case .exercise(let id, let request):
            guard resolve(request.contract, Int64(id), connection) != nil else { return }
            error(
                connection, Int64(id), 322, "Error processing request.-'bE' : cause - Exercising and lapsing options is not possible on this gateway")
        }
    }

    mutating func serve(_ request: OfficeRequest, _ connection: GatewayConnection) {
        func refuse(_ id: Int, _ code: Int, _ text: String) { error(connection, Int64(id), code, text) }
        switch request {
        case .newsProviders: send(connection, GatewayMessages.newsProviders([]))
        case .newsArticle(let id, _, let article): refuse(id, 10_172, "Failed to request news article:\(article) is not available")
        case .historicalNews(let id, _): refuse(id, 10_276, "News feed is not allowed.")
        case .newsBulletins(let all): tellBulletin(connection, again: all)
        case .cancelNewsBulletins: break
        case .scannerParameters: send(connection, GatewayMessages.scannerParameters(Self.scannerXML))
        case .scanner(let id, let fields):
            let code = zip(fields.names, fields.values).first { $0.0 == "scanCode" }?.1 ?? ""
            refuse(id, 162, "Historical Market Data Service error message:Scanner \(code) is not available")
        case .cancelScanner(let id): refuse(id, 365, "No scanner subscription found for ticker id:\(id)")
        case .fundamentals(let id, _, _): refuse(id, 430, "The fundamentals data for the security specified is not available.")
        case .cancelFundamentals(let id): unknownStream(connection, id)
        case .adviserData: refuse(-1, 321, Self.notAnAdviser)
        case .replaceAdviserData(let id, _, _): refuse(id, 321, Self.notAnAdviser)
        case .softDollarTiers(let id): send(connection, GatewayMessages.softDollarTiers(id: id, []))
        case .familyCodes: send(connection, GatewayMessages.familyCodes([(account: settings.account, code: "")]))
        case .eventKinds(let id): refuse(id, 10_279, "Failed request WSH metadata: News feed is not allowed.")
        case .cancelEventKinds(let id): refuse(id, 10_280, "Failed cancel WSH metadata: there is no request \(id)")
        case .events(let id, _, _): refuse(id, 10_283, "Failed request WSH event data: News feed is not allowed.")
        case .cancelEvents(let id): refuse(id, 10_284, "Failed cancel WSH event data: there is no request \(id)")
        }
    }

    /// 300, for a request that stops what does not run.
    mutating func unknownStream(_ connection: GatewayConnection, _ id: Int) {
        error(connection, Int64(id), 300, "Can't find EId with tickerId:\(id)")
    }

    private static var notAnAdviser: String {
        "Error validating request.-'bF' : cause - FA data operations ignored for non FA customers."
    }
    private static var scannerXML: String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ScanParameterResponse><InstrumentList varName=\"instrumentList\"/>"
            + "<LocationTree varName=\"locationTree\"/><ScanTypeList varName=\"scanTypeList\"/></ScanParameterResponse>"
    }

    /// The one bulletin there is: to a client that has not had it, or wants all of the day again.
    private mutating func tellBulletin(_ connection: GatewayConnection, again: Bool) {
        guard let index = index(of: connection), again || !clients[index].hasBulletin else { return }
        clients[index].hasBulletin = true
        send(connection, GatewayMessages.newsBulletin(id: 1, type: 1, text: "Simulated trading: prices and fills are not real.", exchange: ""))
    }

    /// How much was traded at which price, from evenly taken bars.
    private mutating func tellHistogram(_ connection: GatewayConnection, _ id: Int, _ contract: WireContract, _ regular: Bool, _ period: String) {
        guard let listing = resolve(contract, Int64(id), connection) else { return }
        let parts = period.split(separator: " ")
        let unit: Span? = parts.count == 2 ? HistoryWords.period(String(parts[1])) : nil
        guard let unit, let count = Int64(parts[0]), (1...366).contains(count), count <= Span.hours(366 * 24).nanoseconds / unit.nanoseconds else {
            return error(connection, Int64(id), 321, "Error validating request.-'bH' : cause - Invalid period: \(period)")
        }
        let bars = 48
        let seconds = max(1, unit.nanoseconds * count / 1_000_000_000 / Int64(bars))
        let tick = listing.instrument.minPriceIncrement
        var sizes: [Price: Int64] = [:]
        for bar in exchange.bars(listing.instrument.id, length: .seconds(seconds), count: bars, end: now, regularHours: regular) {
            sizes[bar.close.rounded(to: tick, up: false), default: 0] += bar.volume.raw
        }
        let rows = sizes.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        // Whole units, at least one: a popular client reads an integer here.
        send(
            connection,
            GatewayMessages.histogram(id: id, rows.map { (price: $0.key.description, size: String(max($0.value / 100_000_000, 1))) }))
    }
}

extension HistoryWords {
    /// The length of a unit of a period, in words.
    fileprivate static func period(_ unit: String) -> Span? {
        switch unit {
        case "day", "days": .hours(24)
        case "week", "weeks": .hours(168)
        case "month", "months": .hours(720)
        case "year", "years": .hours(8_760)
        case "hour", "hours": .hours(1)
        case "min", "mins", "minute", "minutes": .minutes(1)
        case "sec", "secs", "second", "seconds": .seconds(1)
        default: nil
        }
    }
}
