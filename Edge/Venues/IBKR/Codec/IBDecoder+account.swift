// Account values, portfolio lines, positions and the account summary.

extension IBDecoder {
    func account(_ id: Int64, _ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        try c.skip(b)
        switch id {
        case 6: return .accountValue(key: try c.text(b), value: try c.unescapedText(b), currency: try c.text(b), account: try c.text(b))
        case 7: return .portfolioValue(try portfolioLine(b, &c))
        case 8: return .accountUpdateTime(try c.text(b))
        case 54: return .accountDownloadEnd(account: try c.text(b))
        case 61: return .position(try positionLine(b, &c))
        case 62: return .positionEnd
        case 63:
            return .accountSummary(
                requestId: try c.required(b), account: try c.text(b), tag: try c.text(b), value: try c.unescapedText(b), currency: try c.text(b))
        case 64: return .accountSummaryEnd(requestId: try c.required(b))
        default: return .unknown(id: id)
        }
    }

    private func portfolioLine(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBPortfolioLine {
        // As in other messages, but the seventh text is the primary exchange.
        var contract = try contract11(b, &c)
        contract.primaryExchange = contract.exchange
        contract.exchange = ""
        return IBPortfolioLine(
            contract: contract, position: try c.size(b), marketPrice: try c.price(b), marketValue: try c.money(b), averageCost: try c.money(b),
            unrealizedPnL: try c.money(b), realizedPnL: try c.money(b), account: try c.text(b))
    }

    private func positionLine(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBPositionLine {
        IBPositionLine(account: try c.text(b), contract: try contract11(b, &c), position: try c.size(b), averageCost: try c.money(b))
    }
}
