// Requests that look for contracts: by name, by chain, by scan; and what is published of a company.
package import Values

/// What is asked of the broker's catalogue.
package enum SearchRequest: Hashable, Sendable {
    /// Symbols and names that begin with the pattern.
    case matchingSymbols(requestId: Int64, pattern: String)
    /// `futFopExchange` is empty unless the underlying is a future.
    case optionChains(requestId: Int64, symbol: String, futFopExchange: String, secType: String, conId: Int64)
    case marketRule(id: Int64)
    case scannerParameters
    indirect case scan(requestId: Int64, IBScan)
    case cancelScan(requestId: Int64)
    /// `report`: ReportSnapshot, ReportsFinSummary, RESC, CalendarReport and the like.
    case fundamentals(requestId: Int64, IBContract, report: String, options: [TagValue])
    case cancelFundamentals(requestId: Int64)
}

/// What a scan filters by; nil and empty text = not filtered.
package struct IBScan: Hashable, Sendable {
    /// -1 = as many as the gateway gives.
    package var rows: Int64 = -1
    package var instrument = ""
    package var location = ""
    package var code = ""
    package var abovePrice: Price?
    package var belowPrice: Price?
    package var aboveVolume: Int64?
    package var marketCapAbove: WireSize?
    package var marketCapBelow: WireSize?
    package var moodyAbove = ""
    package var moodyBelow = ""
    package var spAbove = ""
    package var spBelow = ""
    package var maturityAbove = ""
    package var maturityBelow = ""
    package var couponAbove: WireNumber?
    package var couponBelow: WireNumber?
    package var excludesConvertible = false
    package var averageOptionVolumeAbove: Int64?
    package var settingPairs = ""
    package var stockType = ""
    package var options: [TagValue] = []
    package var filters: [TagValue] = []
    package init() {}
}

extension IBEncoder {
    func write(_ request: SearchRequest, _ w: inout FrameWriter) {
        switch request {
        case .matchingSymbols(let id, let pattern): head(81, &w); w.integer(id); w.text(pattern)
        case .optionChains(let id, let symbol, let exchange, let secType, let conId):
            head(78, &w); w.integer(id); w.text(symbol); w.text(exchange); w.text(secType); w.integer(conId)
        case .marketRule(let id): head(91, &w); w.integer(id)
        case .scannerParameters: head(24, 1, &w)
        case .scan(let id, let scan): self.scan(id, scan, &w)
        case .cancelScan(let id): head(23, 1, &w); w.integer(id)
        case .fundamentals(let id, let contract, let report, let options):
            head(52, 2, &w); w.integer(id); w.integer(contract.conId); w.text(contract.symbol); w.text(contract.secType)
            w.text(contract.exchange); w.text(contract.primaryExchange); w.text(contract.currency); w.text(contract.localSymbol); w.text(report)
            counted(options, &w)
        case .cancelFundamentals(let id): head(53, 1, &w); w.integer(id)
        }
    }

    private func scan(_ id: Int64, _ s: IBScan, _ w: inout FrameWriter) {
        head(22, &w); w.integer(id); w.integer(s.rows); w.text(s.instrument); w.text(s.location); w.text(s.code)
        w.price(s.abovePrice); w.price(s.belowPrice); w.integer(s.aboveVolume); w.size(s.marketCapAbove); w.size(s.marketCapBelow)
        w.text(s.moodyAbove); w.text(s.moodyBelow); w.text(s.spAbove); w.text(s.spBelow); w.text(s.maturityAbove); w.text(s.maturityBelow)
        w.number(s.couponAbove); w.number(s.couponBelow); w.flag(s.excludesConvertible); w.integer(s.averageOptionVolumeAbove)
        w.text(s.settingPairs); w.text(s.stockType)
        // The filters come before the options.
        w.text(joined(s.filters)); w.text(joined(s.options))
    }
}
