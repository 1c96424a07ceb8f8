// Contract details, bars and the small words around a stream of ticks.
internal import Values

extension IBDecoder {
    func market(_ id: Int64, _ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        switch id {
        case 10: return try contractDetails(b, &c)
        case 17: return .historicalData(try history(b, &c))
        case 50:
            try c.skip(b)
            return .realTimeBar(requestId: try c.required(b), try bar(b, &c))
        case 52:
            try c.skip(b)
            return .contractDetailsEnd(requestId: try c.required(b))
        case 57:
            try c.skip(b)
            return .tickSnapshotEnd(requestId: try c.required(b))
        case 58:
            try c.skip(b)
            return .marketDataType(requestId: try c.required(b), type: try c.required(b))
        case 81:
            return .tickRequestParameters(
                requestId: try c.required(b), minTick: try c.price(b), bboExchange: try c.text(b), snapshotPermissions: try c.integer(b) ?? 0)
        case 90: return try historicalUpdate(b, &c)
        default: return .unknown(id: id)
        }
    }

    private func history(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBHistory {
        var history = IBHistory(requestId: try c.required(b), start: try c.text(b), end: try c.text(b), bars: [])
        let count = try c.count(b)
        // A made-up count reserves little.
        history.bars.reserveCapacity(min(count, 4_096))
        for _ in 0..<count { history.bars.append(try bar(b, &c)) }
        return history
    }

    /// date, open, high, low, close, volume, average, count.
    private func bar(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBBar {
        IBBar(
            date: try c.text(b), open: try c.price(b), high: try c.price(b), low: try c.price(b), close: try c.price(b),
            volume: told(try c.size(b)), average: try average(b, &c), count: told(try c.integer(b)))
    }

    /// count, date, open, close, high, low, average, volume: another order than everywhere else.
    private func historicalUpdate(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        let requestId = try c.required(b)
        let count = told(try c.integer(b))
        let date = try c.text(b)
        let open = try c.price(b)
        let close = try c.price(b)
        let high = try c.price(b)
        let low = try c.price(b)
        let average = try average(b, &c)
        let volume = told(try c.size(b))
        return .historicalUpdate(
            requestId: requestId,
            IBBar(date: date, open: open, high: high, low: low, close: close, volume: volume, average: average, count: count))
    }

    private func told(_ size: WireSize?) -> WireSize? { size?.raw == -100_000_000 ? nil : size }
    private func told(_ count: Int64?) -> Int64? { count == -1 ? nil : count }
    private func average(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> Price? {
        let price = try c.price(b)
        return price?.raw == -100_000_000 ? nil : price
    }

    private func contractDetails(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        if version < IBProtocol.sizeRules { try c.skip(b) }
        let requestId = try c.required(b)
        var d = IBContractDetails()
        d.contract.symbol = try c.text(b); d.contract.secType = try c.text(b)
        splitLastTradeDate(try c.text(b), &d)
        d.contract.strike = try c.price(b); d.contract.right = OptionRight(wire: try c.text(b)); d.contract.exchange = try c.text(b)
        d.contract.currency = try c.text(b); d.contract.localSymbol = try c.text(b); d.marketName = try c.text(b)
        d.contract.tradingClass = try c.text(b); d.contract.conId = try c.long(b) ?? 0; d.minTick = try c.price(b)
        if version < IBProtocol.sizeRules { try c.skip(b) }
        d.contract.multiplier = try c.text(b); d.orderTypes = try c.list(b); d.validExchanges = try c.list(b)
        d.priceMagnifier = try c.integer(b) ?? 1; d.underConId = try c.long(b) ?? 0; d.longName = try c.unescapedText(b)
        d.contract.primaryExchange = try c.text(b); d.contractMonth = try c.text(b); d.industry = try c.unescapedText(b)
        d.category = try c.unescapedText(b); d.subcategory = try c.unescapedText(b); d.timeZoneId = try c.text(b)
        d.tradingHours = try c.list(b); d.liquidHours = try c.list(b); d.evRule = try c.text(b); d.evMultiplier = try c.number(b)
        for _ in 0..<(try c.count(b)) { d.secIds.append(TagValue(try c.text(b), try c.text(b))) }
        d.aggGroup = try c.integer(b); d.underSymbol = try c.text(b); d.underSecType = try c.text(b); d.marketRuleIds = try c.list(b)
        d.realExpirationDate = try c.text(b); d.stockType = try c.text(b)
        if version == IBProtocol.sizeRule { d.suggestedSizeIncrement = try c.size(b) }
        if version >= IBProtocol.sizeRules {
            d.minSize = try c.size(b); d.sizeIncrement = try c.size(b); d.suggestedSizeIncrement = try c.size(b)
        }
        return .contractDetails(requestId: requestId, d)
    }

    /// `20261224`, `20261224 10:00 CST` or `20261224-10:00:00-US/Central`.
    private func splitLastTradeDate(_ text: String, _ details: inout IBContractDetails) {
        let parts = dateParts(text)
        details.contract.lastTradeDateOrContractMonth = parts.date
        details.lastTradeTime = parts.time
        details.lastTradeZone = parts.zone
    }

    /// A date, with a clock time and a zone where they follow it behind blanks or hyphens.
    func dateParts(_ text: String) -> (date: String, time: String, zone: String) {
        let separator: Character = text.contains("-") ? "-" : " "
        let parts = text.split(separator: separator).map(String.init)
        return (parts.first ?? "", parts.count > 1 ? parts[1] : "", parts.count > 2 ? parts[2...].joined(separator: String(separator)) : "")
    }
}
