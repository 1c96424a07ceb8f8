// Generic ticks: what a stream of quotes brings besides, when it is asked for by number.
internal import Values
internal import Venues

extension IBKRGateway {
    /// The values that stand at the beginning of a stream.
    mutating func tellGenerics(_ stream: QuoteStream, _ listing: PaperInstrument, _ day: QuoteDay, _ batch: inout TickBatch) {
        let isStock = listing.instrument.securityType == .stock
        for generic in stream.generics {
            switch generic {
            case 100 where isStock:
                // Calls and puts of the day, in proportion to what the stock itself trades.
                batch.size(29, Quantity(raw: day.volume / 500).floored(to: Quantity(whole: 1)))
                batch.size(30, Quantity(raw: day.volume / 700).floored(to: Quantity(whole: 1)))
            case 101 where isStock || listing.option != nil: tellOpenInterest(listing, &batch)
            case 104, 411: if isStock { batch.generic(generic == 104 ? 23 : 58, range(listing).description) }
            case 106 where isStock: if let volatility = impliedVolatility(listing) { batch.generic(24, volatility.description) }
            case 165 where isStock: tellExtremes(listing, &batch)
            case 221, 232: if let mark = exchange.mark(listing.instrument.id) { batch.price(37, mark, nil) }
            case 236 where isStock:
                batch.generic(46, "3.0")
                batch.size(89, Quantity(whole: 5_000_000))
            // What is not known of a company stands as the lowest number its fields can hold.
            case 258 where isStock: batch.text(47, "PEEXCLXOR=-99999.99;MKTCAP=-99999.99;TTMEPSXCLX=-99999.99;CURRENCY=USD")
            case 293 where listing.hasTrades: batch.generic(54, String(day.trades))
            case 294 where listing.hasTrades: batch.generic(55, String(tradesAMinute(listing)))
            case 295 where listing.hasTrades: batch.generic(56, String(tradesAMinute(listing) * listing.depth.tradeLots / 2))
            case 318 where isStock: if let last = day.last { batch.price(57, last, day.lastSize) }
            case 456 where isStock: batch.text(59, ",,,")
            case 588 where listing.isFuture: batch.size(86, Quantity(whole: 6_200))
            default: break
            }
        }
    }

    private func tellOpenInterest(_ listing: PaperInstrument, _ batch: inout TickBatch) {
        let rights =
            listing.option == nil ? catalogue.compactMap { $0.option?.underlying == listing.instrument.id ? $0.option : nil } : [listing.option]
        for (type, isCall) in [(27, true), (28, false)] {
            let count = rights.reduce(0) { $0 + ($1?.isCall == isCall ? Int64(1) : 0) }
            // A hundred contracts are open of each right that is listed.
            batch.size(type, Quantity(whole: count * 100))
        }
    }

    private func tradesAMinute(_ listing: PaperInstrument) -> Int64 {
        Int64(listing.depth.tradesPerHundred) * Span.minutes(1).nanoseconds / exchange.rules.step.nanoseconds / 100
    }

    private func impliedVolatility(_ listing: PaperInstrument) -> Ratio? {
        catalogue.first { $0.option?.underlying == listing.instrument.id }?.option?.volatility
    }

    /// A year's volatility by the ranges of the last days: a day's range is about 1.67 deviations, a year 252 days.
    private mutating func range(_ listing: PaperInstrument) -> Ratio {
        let bars = exchange.bars(listing.instrument.id, length: .hours(24), count: 5, end: now)
        let parts = bars.compactMap { bar in
            Ratio.of(Money(raw: bar.high.raw - bar.low.raw), over: Money(raw: max(bar.close.raw, 1)))?.raw
        }
        guard !parts.isEmpty else { return Ratio(raw: 0) }
        return Ratio(raw: parts.reduce(0, +) / Int64(parts.count) * 1_587 / 167)
    }

    /// Highs and lows of 13, 26 and 52 weeks, and what a day trades on average.
    private mutating func tellExtremes(_ listing: PaperInstrument, _ batch: inout TickBatch) {
        let quarters = exchange.bars(listing.instrument.id, length: .hours(13 * 168), count: 4, end: now)
        for (count, low, high) in [(1, 15, 16), (2, 17, 18), (4, 19, 20)] {
            let bars = quarters.suffix(count)
            if let bottom = bars.map(\.low).min(), let top = bars.map(\.high).max() {
                batch.price(low, bottom, nil)
                batch.price(high, top, nil)
            }
        }
        let days = exchange.bars(listing.instrument.id, length: .hours(24), count: 3, end: now)
        let volume = days.isEmpty ? 0 : days.reduce(0) { $0 + $1.volume.raw / Int64(days.count) }
        batch.size(21, Quantity(raw: volume).floored(to: Quantity(whole: 1)))
    }
}
