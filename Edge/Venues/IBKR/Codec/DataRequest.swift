// Requests for ticks one by one, books, history in ticks, histograms and option figures.
package import Values

/// What is asked of a market, beyond quotes and bars.
package enum DataRequest: Hashable, Sendable {
    /// `formatDate` 1 text, 2 epoch seconds.
    case headTimestamp(requestId: Int64, IBContract, whatToShow: String, useRTH: Bool, formatDate: Int64)
    case cancelHeadTimestamp(requestId: Int64)
    case historicalTicks(requestId: Int64, IBContract, IBTickQuery)
    /// `kind`: Last, AllLast, BidAsk, MidPoint. `count` past ticks come first; 0 for none.
    case tickByTick(requestId: Int64, IBContract, kind: String, count: Int64, ignoreSize: Bool)
    case cancelTickByTick(requestId: Int64)
    case depth(requestId: Int64, IBContract, rows: Int64, isSmart: Bool)
    /// `isSmart` as it was asked for.
    case cancelDepth(requestId: Int64, isSmart: Bool)
    case depthExchanges
    case smartComponents(requestId: Int64, bboExchange: String)
    /// `period`: `3 days`, `1 week`.
    case histogram(requestId: Int64, IBContract, useRTH: Bool, period: String)
    case cancelHistogram(requestId: Int64)
    case impliedVolatility(requestId: Int64, IBContract, optionPrice: Price, underlying: Price, options: [TagValue])
    case cancelImpliedVolatility(requestId: Int64)
    case optionPrice(requestId: Int64, IBContract, volatility: WireNumber, underlying: Price, options: [TagValue])
    case cancelOptionPrice(requestId: Int64)
}

/// Which ticks of the past are asked for: from `start` on, or up to `end`; one of the two is empty.
package struct IBTickQuery: Hashable, Sendable {
    package var start = ""
    package var end = ""
    /// 1000 at most.
    package var count: Int64 = 1_000
    /// TRADES, BID_ASK, MIDPOINT.
    package var whatToShow = "TRADES"
    package var useRTH = false
    /// Leaves ticks out that change a size only.
    package var ignoreSize = false
    package init() {}
}

extension IBEncoder {
    func write(_ request: DataRequest, _ w: inout FrameWriter) {
        switch request {
        case .headTimestamp(let id, let contract, let what, let useRTH, let format):
            dated(87, id, contract, &w); w.flag(useRTH); w.text(what); w.integer(format)
        case .cancelHeadTimestamp(let id): head(90, &w); w.integer(id)
        case .historicalTicks(let id, let contract, let query):
            dated(96, id, contract, &w); w.text(query.start); w.text(query.end); w.integer(query.count); w.text(query.whatToShow)
            w.flag(query.useRTH); w.flag(query.ignoreSize); w.empty()
        case .tickByTick(let id, let contract, let kind, let count, let ignoreSize):
            head(97, &w); w.integer(id); contract12(contract, &w); w.text(kind); w.integer(count); w.flag(ignoreSize)
        case .cancelTickByTick(let id): head(98, &w); w.integer(id)
        case .depth(let id, let contract, let rows, let isSmart):
            head(10, 5, &w); w.integer(id); contract12(contract, &w); w.integer(rows); w.flag(isSmart); w.empty()
        case .cancelDepth(let id, let isSmart): head(11, 1, &w); w.integer(id); w.flag(isSmart)
        case .depthExchanges: head(82, &w)
        case .smartComponents(let id, let exchange): head(83, &w); w.integer(id); w.text(exchange)
        case .histogram(let id, let contract, let useRTH, let period): dated(88, id, contract, &w); w.flag(useRTH); w.text(period)
        case .cancelHistogram(let id): head(89, &w); w.integer(id)
        case .impliedVolatility(let id, let contract, let price, let underlying, let options):
            head(54, 3, &w); w.integer(id); contract12(contract, &w); w.price(price); w.price(underlying); counted(options, &w)
        case .cancelImpliedVolatility(let id): head(56, 1, &w); w.integer(id)
        case .optionPrice(let id, let contract, let volatility, let underlying, let options):
            head(55, 3, &w); w.integer(id); contract12(contract, &w); w.number(volatility); w.price(underlying); counted(options, &w)
        case .cancelOptionPrice(let id): head(57, 1, &w); w.integer(id)
        }
    }

    /// id, request, contract, and whether expired ones count: the start of what looks back.
    private func dated(_ id: Int64, _ requestId: Int64, _ contract: IBContract, _ w: inout FrameWriter) {
        head(id, &w); w.integer(requestId); contract12(contract, &w); w.flag(contract.includeExpired)
    }
}
