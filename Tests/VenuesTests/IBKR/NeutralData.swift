// What two other clients would report of depth, ticks, options, contracts looked for, news and books.
import Values
import Venues
import Wire

extension NeutralCalls {
    /// Nil for a message of another group.
    func data(_ message: IBMessage) -> [[JSONValue]]? {
        switch message {
        case .depth(let row): [depth(row)]
        case .tickByTick(let id, let tick): [byTick(id, tick)]
        case .historicalTicks(let ticks): [[.integer(ticks.requestId), .array(ticks.ticks.map(pastTick)), .bool(ticks.isDone)]]
        case .optionComputation(let figures): [computation(figures)]
        case .exchangeForPhysical(let efp):
            [
                [
                    .integer(efp.requestId), .integer(efp.type), Neutral.number(efp.basisPoints?.raw), .string(efp.formattedBasisPoints),
                    Neutral.number(efp.impliedFuturesPrice?.raw), Neutral.integer(efp.holdDays), .string(efp.futureLastTradeDate),
                    Neutral.number(efp.dividendImpact?.raw), Neutral.number(efp.dividendsToLastTradeDate?.raw),
                ]
            ]
        case .headTimestamp(let id, let text): [[.integer(id), .string(text)]]
        case .histogram(let id, let rows):
            [[.integer(id), .array(rows.map { .object([price("price", $0.price), JSONMember(histogramSize, Neutral.size($0.size))]) })]]
        case .schedule(let s):
            [[.integer(s.requestId), .string(s.start), .string(s.end), .string(s.zone), .array(s.sessions.map(session))]]
        case .marketRule(let id, let steps):
            [[.integer(id), .array(steps.map { .object([price("lowEdge", $0.lowEdge), price("increment", $0.increment)]) })]]
        case .depthExchanges(let exchanges): [[.array(exchanges.map(exchange))]]
        case .smartComponents(let id, let parts): [[.integer(id), .array(parts.map(component))]]
        case .reroute(let id, let conId, let exchange, _): isSilent ? [] : [[.integer(id), .integer(conId), .string(exchange)]]
        default: nil
        }
    }

    /// Messages for which one client has no callback at all.
    private var isSilent: Bool { client == .ibAsync }
    private var histogramSize: String { client == .ibAsync ? "count" : "size" }
    private func price(_ name: String, _ price: Price?) -> JSONMember { JSONMember(name, Neutral.number(price?.raw)) }

    private func depth(_ row: IBDepthRow) -> [JSONValue] {
        let head: [JSONValue] = [.integer(row.requestId), .integer(row.position)]
        let change: [JSONValue] = [.integer(row.operation), .integer(row.side), Neutral.number(row.price?.raw), Neutral.size(row.size)]
        guard let maker = row.marketMaker else { return head + change }
        return head + [.string(maker)] + change + [.bool(row.isSmart)]
    }

    private func byTick(_ id: Int64, _ tick: IBTickByTick) -> [JSONValue] {
        switch tick {
        case .trade(let t):
            [
                .integer(id), .integer(t.isAllLast ? 2 : 1), .integer(t.time), Neutral.number(t.price?.raw), Neutral.size(t.size),
                ["pastLimit": .bool(t.isPastLimit), "unreported": .bool(t.isUnreported)], .string(t.exchange), .string(t.conditions),
            ]
        case .quote(let q):
            [
                .integer(id), .integer(q.time), Neutral.number(q.bid?.raw), Neutral.number(q.ask?.raw), Neutral.size(q.bidSize),
                Neutral.size(q.askSize), ["bidPastLow": .bool(q.isBidPastLow), "askPastHigh": .bool(q.isAskPastHigh)],
            ]
        case .midpoint(let time, let price, _): [.integer(id), .integer(time), Neutral.number(price?.raw)]
        }
    }

    /// One client makes an instant of the seconds.
    private func past(_ seconds: Int64) -> JSONMember {
        JSONMember("time", client == .ibAsync ? .string(Instant(seconds: seconds).description.replacing(".000Z", with: "+00:00")) : .integer(seconds))
    }

    private func pastTick(_ tick: IBTickByTick) -> JSONValue {
        switch tick {
        case .trade(let t):
            .object([
                past(t.time), price("price", t.price), JSONMember("size", Neutral.size(t.size)), JSONMember("exchange", .string(t.exchange)),
                JSONMember("specialConditions", .string(t.conditions)),
                JSONMember("tickAttribLast", ["pastLimit": .bool(t.isPastLimit), "unreported": .bool(t.isUnreported)]),
            ])
        case .quote(let q):
            .object([
                past(q.time), price("priceBid", q.bid), price("priceAsk", q.ask), JSONMember("sizeBid", Neutral.size(q.bidSize)),
                JSONMember("sizeAsk", Neutral.size(q.askSize)),
                JSONMember("tickAttribBidAsk", ["bidPastLow": .bool(q.isBidPastLow), "askPastHigh": .bool(q.isAskPastHigh)]),
            ])
        case .midpoint(let time, let midpoint, let size):
            .object([past(time), price("price", midpoint), JSONMember("size", Neutral.size(size))])
        }
    }

    private func computation(_ f: IBOptionComputation) -> [JSONValue] {
        [
            .integer(f.requestId), .integer(f.type), .integer(f.attribute), Neutral.number(f.impliedVolatility?.raw), Neutral.number(f.delta?.raw),
            Neutral.number(f.price?.raw), Neutral.number(f.dividend?.raw), Neutral.number(f.gamma?.raw), Neutral.number(f.vega?.raw),
            Neutral.number(f.theta?.raw), Neutral.number(f.underlying?.raw),
        ]
    }

    private func session(_ s: IBScheduleSession) -> JSONValue {
        ["startDateTime": .string(s.start), "endDateTime": .string(s.end), "refDate": .string(s.day)]
    }

    private func exchange(_ e: IBDepthExchange) -> JSONValue {
        [
            "exchange": .string(e.exchange), "secType": .string(e.secType), "listingExch": .string(e.listingExchange),
            "serviceDataType": .string(e.service), "aggGroup": Neutral.integer(e.aggregateGroup),
        ]
    }

    private func component(_ c: IBSmartComponent) -> JSONValue {
        ["bitNumber": .integer(c.bit), "exchange": .string(c.exchange), "exchangeLetter": .string(c.letter)]
    }
}

extension NeutralCalls {
    /// Nil for a message of another group.
    func research(_ message: IBMessage) -> [[JSONValue]]? {
        switch message {
        case .bondDetails(let id, let details): [[.integer(id), Neutral.details(details)]]
        case .optionChain(let c):
            [
                [
                    .integer(c.requestId), .string(c.exchange), .integer(c.underlyingConId), .string(c.tradingClass), .string(c.multiplier),
                    .array(c.expirations.map { .string($0) }), .array(c.strikes.map { Neutral.number($0?.raw) }),
                ]
            ]
        case .symbolSamples(let id, let samples): [[.integer(id), .array(samples.map(sample))]]
        case .scannerParameters(let xml): [[.string(xml)]]
        case .scannerData(let id, let rows): rows.map { [.integer(id)] + scan($0) } + [[.integer(id)]]
        case .fundamentalData(let id, let xml): [[.integer(id), .string(xml)]]
        case .deltaNeutralValidation(let id, let hedge):
            [[.integer(id), ["conId": .integer(hedge.conId), "delta": Neutral.number(hedge.delta.raw), "price": Neutral.number(hedge.price.raw)]]]
        case .bulletin(let b): [[.integer(b.id), .integer(b.type), .string(b.text), .string(b.exchange)]]
        case .newsTick(let n):
            [
                [
                    .integer(n.requestId), .integer(n.milliseconds), .string(n.provider), .string(n.articleId), .string(n.headline),
                    .string(n.extra),
                ]
            ]
        case .newsArticle(let id, let type, let text): [[.integer(id), .integer(type), .string(text)]]
        case .newsProviders(let providers): [[.array(providers.map { ["code": .string($0.code), "name": .string($0.name)] })]]
        case .historicalNews(let n):
            [[.integer(n.requestId), .string(n.time), .string(n.provider), .string(n.articleId), .string(n.headline)]]
        case .historicalNewsEnd(let id, let hasMore): [[.integer(id), .bool(hasMore)]]
        case .eventMetaData(let id, let json), .eventData(let id, let json): [[.integer(id), .string(json)]]
        case .optionChainEnd(let id), .positionMultiEnd(let id), .accountUpdateMultiEnd(let id): [[.integer(id)]]
        default: nil
        }
    }

    private func sample(_ sample: IBSymbolSample) -> JSONValue {
        var contract = Neutral.contract(sample.contract).members ?? []
        contract.append(JSONMember("description", .string(sample.description)))
        return ["contract": .object(contract), "derivativeSecTypes": .array(sample.derivatives.map { .string($0) })]
    }

    private func scan(_ row: IBScanRow) -> [JSONValue] {
        var details = IBContractDetails()
        details.contract = row.contract
        details.marketName = row.marketName
        details.priceMagnifier = 0
        return [
            .integer(row.rank), Neutral.details(details), .string(row.distance), .string(row.benchmark), .string(row.projection),
            .string(row.legs),
        ]
    }

    /// Nil for a message of another group.
    func books(_ message: IBMessage) -> [[JSONValue]]? {
        switch message {
        case .positionMulti(let id, let line, let model):
            [
                [
                    .integer(id), .string(line.account), .string(model), Neutral.contract(line.contract), Neutral.size(line.position),
                    Neutral.number(line.averageCost?.raw),
                ]
            ]
        case .accountUpdateMulti(let u):
            [[.integer(u.requestId), .string(u.account), .string(u.model), .string(u.key), .string(u.value), .string(u.currency)]]
        case .profit(let p): [[.integer(p.requestId)] + [p.daily, p.unrealized, p.realized].map { Neutral.number($0?.raw) }]
        case .positionProfit(let p):
            [
                [.integer(p.requestId), Neutral.size(p.position)]
                    + [p.daily, p.unrealized, p.realized, p.value].map { Neutral.number($0?.raw) }
            ]
        case .advisorData(let type, let xml): [[.integer(type), .string(xml)]]
        case .advisorDataReplaced(let id, let text): client == .ibAsync ? [] : [[.integer(id), .string(text)]]
        case .softDollarTiers(let id, let tiers):
            [
                [
                    .integer(id),
                    .array(tiers.map { ["name": .string($0.name), "val": .string($0.value), "displayName": .string($0.displayName)] }),
                ]
            ]
        case .familyCodes(let codes): [[.array(codes.map { ["accountID": .string($0.account), "familyCodeStr": .string($0.code)] })]]
        case .userInfo(let id, let brand): [[.integer(id), .string(brand)]]
        default: nil
        }
    }
}
