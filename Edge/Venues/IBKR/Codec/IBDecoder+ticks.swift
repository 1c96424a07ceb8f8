// Ticks: the way without allocation, and the messages of books, tick-by-tick streams and options.
internal import Values

extension IBDecoder {
    /// Depth, option figures, exchanges for physicals, ticks one by one and of the past.
    func ticks(_ id: Int64, _ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        switch id {
        case 12, 13: return .depth(try depth(b, &c, hasMaker: id == 13))
        case 21: return .optionComputation(try optionComputation(b, &c))
        case 47:
            try c.skip(b)
            return .exchangeForPhysical(
                IBExchangeForPhysical(
                    requestId: try c.required(b), type: try c.required(b), basisPoints: try c.number(b), formattedBasisPoints: try c.text(b),
                    impliedFuturesPrice: try c.price(b), holdDays: try c.integer(b), futureLastTradeDate: try c.text(b),
                    dividendImpact: try c.price(b), dividendsToLastTradeDate: try c.price(b)))
        case 96, 97, 98: return .historicalTicks(try historicalTicks(id, b, &c))
        default: return .tickByTick(requestId: try c.required(b), try tickByTick(b, &c))
        }
    }

    private func depth(_ b: RawSpan, _ c: inout FieldCursor, hasMaker: Bool) throws(FieldFault) -> IBDepthRow {
        try c.skip(b)
        return IBDepthRow(
            requestId: try c.required(b), position: try c.required(b), marketMaker: hasMaker ? try c.text(b) : nil,
            operation: try c.required(b), side: try c.required(b), price: try c.price(b), size: try c.size(b),
            isSmart: hasMaker ? try c.flag(b) : false)
    }

    /// No version field in our range. What was not computed is -1 (volatility, prices) or -2 (the greeks).
    private func optionComputation(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBOptionComputation {
        let (minusOne, minusTwo): (Int64, Int64) = (-100_000_000, -200_000_000)
        func computed(_ number: WireNumber?) -> WireNumber? { number?.raw == minusTwo ? nil : number }
        func priced(_ price: Price?) -> Price? { price?.raw == minusOne ? nil : price }
        var out = IBOptionComputation(requestId: try c.required(b), type: try c.required(b), attribute: try c.integer(b) ?? 0)
        // A volatility below zero is no volatility.
        if let volatility = try c.number(b), volatility.raw >= 0 { out.impliedVolatility = volatility }
        out.delta = computed(try c.number(b))
        out.price = priced(try c.price(b)); out.dividend = priced(try c.price(b))
        out.gamma = computed(try c.number(b)); out.vega = computed(try c.number(b)); out.theta = computed(try c.number(b))
        out.underlying = priced(try c.price(b))
        return out
    }

    private func historicalTicks(_ id: Int64, _ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBHistoricalTicks {
        guard let kind = IBHistoricalTicks.Kind(rawValue: id) else { throw .notANumber(field: 0) }
        var out = IBHistoricalTicks(requestId: try c.required(b), kind: kind, ticks: [], isDone: false)
        let count = try c.count(b)
        // A made-up count reserves little.
        out.ticks.reserveCapacity(min(count, 1_000))
        for _ in 0..<count {
            let time = try c.required(b)
            switch kind {
            case .midpoints:
                try c.skip(b)
                out.ticks.append(.midpoint(time: time, price: try c.price(b), size: try c.size(b)))
            case .quotes:
                // The two bits stand the other way round than in the live stream.
                let mask = try c.integer(b) ?? 0
                out.ticks.append(
                    .quote(
                        IBQuoteTick(
                            time: time, bid: try c.price(b), ask: try c.price(b), bidSize: try c.size(b), askSize: try c.size(b),
                            isBidPastLow: mask & 2 != 0, isAskPastHigh: mask & 1 != 0)))
            case .trades:
                let mask = try c.integer(b) ?? 0
                let (price, size) = (try c.price(b), try c.size(b))
                out.ticks.append(.trade(try trade(time, price, size, mask, b, &c)))
            }
        }
        out.isDone = try c.flag(b)
        return out
    }

    /// type, time, then by type: 1 last, 2 all last, 3 bid and ask, 4 midpoint.
    func tickByTick(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBTickByTick {
        let type = try c.required(b)
        let time = try c.required(b)
        switch type {
        case 1, 2:
            let (price, size) = (try c.price(b), try c.size(b))
            var trade = try trade(time, price, size, try c.integer(b) ?? 0, b, &c)
            trade.isAllLast = type == 2
            return .trade(trade)
        case 3:
            var quote = IBQuoteTick(
                time: time, bid: try c.price(b), ask: try c.price(b), bidSize: try c.size(b), askSize: try c.size(b), isBidPastLow: false,
                isAskPastHigh: false)
            let mask = try c.integer(b) ?? 0
            quote.isBidPastLow = mask & 1 != 0
            quote.isAskPastHigh = mask & 2 != 0
            return .quote(quote)
        case 4: return .midpoint(time: time, price: try c.price(b), size: nil)
        default: throw .notANumber(field: c.index - 2)
        }
    }

    private func trade(
        _ time: Int64, _ price: Price?, _ size: WireSize?, _ mask: Int64, _ b: RawSpan, _ c: inout FieldCursor
    ) throws(FieldFault) -> IBTradeTick {
        IBTradeTick(
            time: time, price: price, size: size, isPastLimit: mask & 1 != 0, isUnreported: mask & 2 != 0, exchange: try c.text(b),
            conditions: try c.text(b))
    }
}
