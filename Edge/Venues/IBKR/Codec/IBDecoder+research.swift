// Bonds, option chains, search, scans, news, and the small lists around a market.
internal import Values

extension IBDecoder {
    /// What describes contracts and markets.
    func research(_ id: Int64, _ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        switch id {
        case 18: return try bondDetails(b, &c)
        case 51:
            try c.skip(b)
            return .fundamentalData(requestId: try c.required(b), xml: try c.list(b))
        case 56:
            try c.skip(b)
            return .deltaNeutralValidation(
                requestId: try c.required(b),
                DeltaNeutralContract(
                    conId: try c.long(b) ?? 0, delta: try c.number(b) ?? WireNumber(raw: 0), price: try c.price(b) ?? Price(raw: 0)))
        case 75: return .optionChain(try optionChain(b, &c))
        case 76: return .optionChainEnd(requestId: try c.required(b))
        case 79: return try symbolSamples(b, &c)
        case 80: return .depthExchanges(try list(b, &c, depthExchange))
        case 82:
            return .smartComponents(
                requestId: try c.required(b),
                try list(b, &c) { b, c throws(FieldFault) in
                    IBSmartComponent(bit: try c.required(b), exchange: try c.text(b), letter: try c.text(b))
                })
        case 88: return .headTimestamp(requestId: try c.required(b), try c.text(b))
        case 89:
            return .histogram(
                requestId: try c.required(b),
                try list(b, &c) { b, c throws(FieldFault) in IBHistogramRow(price: try c.price(b), size: try c.size(b)) })
        case 91, 92:
            return .reroute(requestId: try c.required(b), conId: try c.long(b) ?? 0, exchange: try c.text(b), isDepth: id == 92)
        case 93:
            return .marketRule(
                id: try c.required(b),
                try list(b, &c) { b, c throws(FieldFault) in IBPriceStep(lowEdge: try c.price(b), increment: try c.price(b)) })
        case 106: return .schedule(try schedule(b, &c))
        default: return try scans(id, b, &c)
        }
    }

    private func scans(_ id: Int64, _ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        try c.skip(b)
        if id == 19 { return .scannerParameters(xml: try c.list(b)) }
        return .scannerData(requestId: try c.required(b), try list(b, &c, scanRow))
    }

    /// A count, and so many parts.
    func list<Part>(
        _ b: RawSpan, _ c: inout FieldCursor, _ part: (RawSpan, inout FieldCursor) throws(FieldFault) -> Part
    ) throws(FieldFault) -> [Part] {
        let count = try c.count(b)
        var out: [Part] = []
        // Not reserved for a count that a single frame made up: parts are larger than the bytes they are told in.
        for _ in 0..<count { out.append(try part(b, &c)) }
        return out
    }

    private func bondDetails(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        if version < IBProtocol.sizeRules { try c.skip(b) }
        let requestId = try c.required(b)
        var d = IBContractDetails()
        var bond = IBBondTerms()
        d.contract.symbol = try c.text(b); d.contract.secType = try c.text(b); bond.cusip = try c.text(b); bond.coupon = try c.number(b)
        // Of a bond, the zone of the maturity is the only one there is.
        let maturity = dateParts(try c.text(b))
        bond.maturity = maturity.date; d.lastTradeTime = maturity.time; d.lastTradeZone = maturity.zone; d.timeZoneId = maturity.zone
        bond.issueDate = try c.text(b); bond.ratings = try c.text(b); bond.bondType = try c.text(b); bond.couponType = try c.text(b)
        bond.isConvertible = try c.flag(b); bond.isCallable = try c.flag(b); bond.isPutable = try c.flag(b)
        bond.description = try c.document(b)
        d.contract.exchange = try c.text(b); d.contract.currency = try c.text(b); d.marketName = try c.text(b)
        d.contract.tradingClass = try c.text(b); d.contract.conId = try c.long(b) ?? 0; d.minTick = try c.price(b)
        if version < IBProtocol.sizeRules { try c.skip(b) }
        d.orderTypes = try c.list(b); d.validExchanges = try c.list(b); bond.nextOptionDate = try c.text(b)
        bond.nextOptionType = try c.text(b); bond.isNextOptionPartial = try c.flag(b); bond.notes = try c.document(b)
        d.longName = try c.unescapedText(b); d.evRule = try c.text(b); d.evMultiplier = try c.number(b)
        for _ in 0..<(try c.count(b)) { d.secIds.append(TagValue(try c.text(b), try c.text(b))) }
        d.aggGroup = try c.integer(b); d.marketRuleIds = try c.list(b)
        if version >= IBProtocol.sizeRules {
            d.minSize = try c.size(b); d.sizeIncrement = try c.size(b); d.suggestedSizeIncrement = try c.size(b)
        }
        d.priceMagnifier = 0
        d.bond = bond
        return .bondDetails(requestId: requestId, d)
    }

    private func optionChain(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBOptionChain {
        var chain = IBOptionChain(
            requestId: try c.required(b), exchange: try c.text(b), underlyingConId: try c.long(b) ?? 0, tradingClass: try c.text(b),
            multiplier: try c.text(b), expirations: [], strikes: [])
        chain.expirations = try list(b, &c) { b, c throws(FieldFault) in try c.text(b) }
        chain.strikes = try list(b, &c) { b, c throws(FieldFault) in try c.price(b) }
        return chain
    }

    private func symbolSamples(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        let requestId = try c.required(b)
        let tellsIssuer = version >= IBProtocol.issuerId
        let samples = try list(b, &c) { b, c throws(FieldFault) in
            var sample = IBSymbolSample(contract: IBContract(), derivatives: [], description: "")
            sample.contract.conId = try c.long(b) ?? 0; sample.contract.symbol = try c.text(b); sample.contract.secType = try c.text(b)
            sample.contract.primaryExchange = try c.text(b); sample.contract.currency = try c.text(b)
            sample.derivatives = try list(b, &c) { b, c throws(FieldFault) in try c.text(b) }
            if tellsIssuer {
                sample.description = try c.unescapedText(b)
                sample.contract.issuerId = try c.text(b)
            }
            return sample
        }
        return .symbolSamples(requestId: requestId, samples)
    }

    private func depthExchange(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBDepthExchange {
        IBDepthExchange(
            exchange: try c.text(b), secType: try c.text(b), listingExchange: try c.text(b), service: try c.text(b),
            aggregateGroup: try c.integer(b))
    }

    private func schedule(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBSchedule {
        IBSchedule(
            requestId: try c.required(b), start: try c.text(b), end: try c.text(b), zone: try c.text(b),
            sessions: try list(b, &c) { b, c throws(FieldFault) in
                IBScheduleSession(start: try c.text(b), end: try c.text(b), day: try c.text(b))
            })
    }

    private func scanRow(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBScanRow {
        let rank = try c.required(b)
        var contract = IBContract()
        contract.conId = try c.long(b) ?? 0; contract.symbol = try c.text(b); contract.secType = try c.text(b)
        contract.lastTradeDateOrContractMonth = try c.text(b); contract.strike = try c.price(b); contract.right = OptionRight(wire: try c.text(b))
        contract.exchange = try c.text(b); contract.currency = try c.text(b); contract.localSymbol = try c.text(b)
        let marketName = try c.text(b)
        contract.tradingClass = try c.text(b)
        return IBScanRow(
            rank: rank, contract: contract, marketName: marketName, distance: try c.text(b), benchmark: try c.text(b), projection: try c.text(b),
            legs: try c.list(b))
    }
}
