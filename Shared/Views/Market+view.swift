// Instruments, quotes and bars as the API shows them.
internal import Ledger
package import Values
package import Wire

/// Whether prices may be traded on.
package enum DataSource: String, Hashable, Sendable {
    case live, delayed, none
    /// Of one quote; nothing heard is `none`.
    package static func of(_ quote: Quote?) -> DataSource {
        guard let quote, quote.mark != nil else { return .none }
        return quote.isDelayed ? .delayed : .live
    }
}

extension EdgePicture {
    /// How the front month is chosen, on the screen beside it.
    package static let frontRule = "The nearest month that trades, as the broker's contract list has it; it is chosen again at each connection."

    /// One row of `/market/instruments`.
    package func instrumentRow(_ id: InstrumentID) -> JSONValue? {
        guard let instrument = book.instruments[id] else { return nil }
        var row = Row()
        row.put("id", id); row.put("symbol", instrument.symbol); row.put("localSymbol", instrument.localSymbol)
        row.put("name", EdgePicture.longName(instrument)); row.put("securityType", instrument.securityType.rawValue)
        row.put("exchange", instrument.exchange); row.put("currency", instrument.currency); row.put("multiplier", instrument.multiplier)
        row.put("tick", instrument.minPriceIncrement); row.put("lotStep", instrument.lotStep)
        row.integer("priceDecimals", Int64(instrument.priceDecimals))
        if let expiry = instrument.maturityDate {
            row.put("contractMonth", String(expiry.description.prefix(7))); row.put("expiry", expiry.description)
        }
        row.put("front", id == front)
        if id == front, instrument.securityType == .future { row.put("frontRule", EdgePicture.frontRule) }
        row.put("asOf", live.quote(id)?.asOf ?? asOf)
        return row.value
    }

    /// One row of the quotes, or nil when nothing was ever heard.
    package func quoteRow(_ id: InstrumentID) -> JSONValue? { live.quote(id).map { quoteRow(id, $0) } }

    /// As this edge hears it: of the same instrument another edge may have delayed data, or none.
    package func quoteRow(_ id: InstrumentID, _ quote: Quote) -> JSONValue {
        var row = Row()
        row.put("edge", self.id.description); row.put("instrument", id); row.put("source", DataSource.of(quote).rawValue)
        row.put("bid", quote.bid); row.put("bidSize", quote.bidSize); row.put("ask", quote.ask); row.put("askSize", quote.askSize)
        row.put("last", quote.last); row.put("lastSize", quote.lastSize); row.put("previousClose", quote.close); row.put("asOf", quote.asOf)
        return row.value
    }

    /// The stream's form of a bar, as this edge built it: two that watch one instrument do not begin at the same trade.
    package func barRow(_ id: InstrumentID, _ bar: Bar, closed: Bool, asOf: Instant) -> JSONValue {
        var row = Row()
        row.put("edge", self.id.description); row.put("instrument", id); row.merge(EdgePicture.candle(bar)); row.put("closed", closed);
        row.put("asOf", asOf)
        return row.value
    }

    /// One bar of a list.
    package static func candle(_ bar: Bar) -> JSONValue {
        var row = Row()
        row.put("time", bar.start); row.put("open", bar.open); row.put("high", bar.high); row.put("low", bar.low); row.put("close", bar.close)
        row.put("volume", bar.volume)
        return row.value
    }

    /// `/market/candles`: closed bars oldest first; a forming bar of a later minute is added at the end.
    package func candles(_ id: InstrumentID, closed: [Bar], oldest: Instant?, wantsNewest: Bool) -> JSONValue {
        var bars = closed
        let forming = live.formingBar(id)
        if wantsNewest, let forming, bars.last.map({ $0.start < forming.bar.start }) ?? true { bars.append(forming.bar) }
        var row = Row()
        row.put("instrument", id); row.put("timeframe", "1m"); row.put("source", DataSource.of(live.quote(id)).rawValue)
        row.put("candles", bars.map { EdgePicture.candle($0) })
        row.put("oldest", oldest ?? bars.first?.start)
        row.put("asOf", forming?.asOf ?? live.quote(id)?.asOf)
        return row.value
    }

    private static func longName(_ instrument: Instrument) -> String {
        let roots = [
            "MBT": "Micro Bitcoin", "BTC": "Bitcoin", "MET": "Micro Ether", "MES": "Micro E-mini S&P 500", "MNQ": "Micro E-mini Nasdaq-100",
        ]
        let name = roots[instrument.symbol] ?? instrument.symbol
        switch instrument.securityType {
        case .future: return "\(instrument.exchange) \(name)"
        default: return name
        }
    }
}
