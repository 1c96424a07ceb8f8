// Accounts and models by request, profit and loss, advisors, news and the calendar of events.
internal import Values

extension IBDecoder {
    /// Streams of any account of the login, and who it belongs to.
    func books(_ id: Int64, _ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        switch id {
        case 71: return try positionMulti(b, &c)
        case 72:
            try c.skip(b)
            return .positionMultiEnd(requestId: try c.required(b))
        case 73:
            try c.skip(b)
            return .accountUpdateMulti(
                IBAccountUpdateMulti(
                    requestId: try c.required(b), account: try c.text(b), model: try c.text(b), key: try c.text(b),
                    value: try c.unescapedText(b), currency: try c.text(b)))
        case 74:
            try c.skip(b)
            return .accountUpdateMultiEnd(requestId: try c.required(b))
        case 94:
            return .profit(
                IBProfit(requestId: try c.required(b), daily: try c.money(b), unrealized: try c.money(b), realized: try c.money(b)))
        case 95:
            return .positionProfit(
                IBPositionProfit(
                    requestId: try c.required(b), position: try c.size(b), daily: try c.money(b), unrealized: try c.money(b),
                    realized: try c.money(b), value: try c.money(b)))
        case 16:
            try c.skip(b)
            return .advisorData(type: try c.required(b), xml: try c.list(b))
        case 77:
            return .softDollarTiers(
                requestId: try c.required(b),
                try list(b, &c) { b, c throws(FieldFault) in
                    var tier = SoftDollarTier()
                    tier.name = try c.text(b); tier.value = try c.text(b); tier.displayName = try c.text(b)
                    return tier
                })
        case 78:
            return .familyCodes(
                try list(b, &c) { b, c throws(FieldFault) in IBFamilyCode(account: try c.text(b), code: try c.text(b)) })
        case 103: return .advisorDataReplaced(requestId: try c.required(b), text: try c.list(b))
        default: return .userInfo(requestId: try c.required(b), brand: try c.unescapedText(b))
        }
    }

    private func positionMulti(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        try c.skip(b)
        let requestId = try c.required(b)
        let line = IBPositionLine(account: try c.text(b), contract: try contract11(b, &c), position: try c.size(b), averageCost: try c.money(b))
        return .positionMulti(requestId: requestId, line, model: try c.text(b))
    }

    /// Bulletins, headlines, articles, events.
    func news(_ id: Int64, _ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        switch id {
        case 14:
            try c.skip(b)
            return .bulletin(
                IBBulletin(id: try c.required(b), type: try c.required(b), text: try c.document(b), exchange: try c.text(b)))
        case 83: return .newsArticle(requestId: try c.required(b), type: try c.required(b), text: try c.document(b))
        case 84:
            return .newsTick(
                IBNewsTick(
                    requestId: try c.required(b), milliseconds: try c.required(b), provider: try c.text(b), articleId: try c.text(b),
                    headline: try c.document(b), extra: try c.list(b)))
        case 85:
            return .newsProviders(
                try list(b, &c) { b, c throws(FieldFault) in IBNewsProvider(code: try c.text(b), name: try c.unescapedText(b)) })
        case 86:
            return .historicalNews(
                IBHistoricalHeadline(
                    requestId: try c.required(b), time: try c.text(b), provider: try c.text(b), articleId: try c.text(b),
                    headline: try c.document(b)))
        case 87: return .historicalNewsEnd(requestId: try c.required(b), hasMore: try c.flag(b))
        case 104: return .eventMetaData(requestId: try c.required(b), json: try c.list(b))
        default: return .eventData(requestId: try c.required(b), json: try c.list(b))
        }
    }
}
