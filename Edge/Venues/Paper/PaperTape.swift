// What a simulated market shows beyond its touch: the book behind it, and the tape of what was quoted and traded.
package import Values

/// One price of the book with what rests there.
package struct PaperLevel: Hashable, Sendable {
    package var price: Price
    package var size: Quantity
}

/// One step of the past: what was quoted, and what was traded if anything was.
package struct PaperPrint: Hashable, Sendable {
    package var at: Instant
    package var touch: PaperTouch
    package var trade: PaperTrade?
}

/// Which steps of the past are wanted.
package enum PaperTapeFilter: Sendable {
    /// Those with a trade.
    case trades
    /// Those in which the touch changed; with its sizes, or in price alone.
    case touches(sizes: Bool)
}

extension PaperExchange {
    /// Most rows a side of the book shows.
    package static let depthRowsMax = 10
    /// Most steps, or shut minutes, that one look into the past goes through.
    private static var tapeStepsMax: Int { 100_000 }

    /// The book of the current step, best first; at most `depthRowsMax` rows a side, none when the instrument is unknown.
    package mutating func depth(_ id: InstrumentID, rows: Int) -> (bids: [PaperLevel], asks: [PaperLevel]) {
        let count = min(max(rows, 0), Self.depthRowsMax)
        let step = step(of: now)
        return (markets[id]?.levels(.buy, count, at: step) ?? [], markets[id]?.levels(.sell, count, at: step) ?? [])
    }

    /// Steps from `from` on until before `to`, oldest first: the first `most` that pass the filter, or the last ones when `isBackward`. All of the
    /// last second are given, so that a reader can go on with the next. Steps in which the market was shut are none.
    package mutating func tape(
        _ id: InstrumentID, from: Instant, to: Instant, most: Int, filter: PaperTapeFilter, isBackward: Bool = false, regularHours: Bool = false
    ) -> [PaperPrint] {
        guard var market = markets[id], most > 0 else { return [] }
        defer { markets[id] = market }
        let hours = regularHours ? market.listing.liquidHours : market.listing.tradingHours
        let (first, end) = (step(of: from), min(step(of: to), step(of: now) + 1))
        var found: [PaperPrint] = []
        var (isOpen, minute) = (false, Int64.min)
        var at = isBackward ? end - 1 : first
        for _ in 0..<Self.tapeStepsMax {
            guard at >= first, at < end else { break }
            let instant = instant(of: at)
            if found.count >= most, found.last?.at.seconds != instant.seconds { break }
            let its = PriceCursor.floorDivide(instant.seconds, 60)
            if its != minute { (isOpen, minute) = (hours.isOpen(at: instant), its) }
            if isOpen, let print = market.print(at: at, instant, filter) { found.append(print) }
            // Sessions change on whole minutes: a shut one is left in one stride.
            let stride = isOpen ? 1 : isBackward ? at - step(of: Instant(seconds: its * 60)) + 1 : step(of: Instant(seconds: its * 60 + 60)) - at
            at += isBackward ? -max(stride, 1) : max(stride, 1)
        }
        return isBackward ? found.reversed() : found
    }

    private func step(of instant: Instant) -> Int64 { PriceCursor.floorDivide(instant.nanoseconds, rules.step.nanoseconds) }
    private func instant(of step: Int64) -> Instant { Instant(nanoseconds: step * rules.step.nanoseconds) }
}

extension PaperMarket {
    /// What rests on a side, best first; behind the levels that a taker can reach it goes on with whole ticks.
    mutating func levels(_ side: Side, _ count: Int, at index: Int64) -> [PaperLevel] {
        takeable(by: side.opposite, at: index, levels: count).map { PaperLevel(price: $0.price, size: $0.size) }
    }

    fileprivate mutating func print(at index: Int64, _ instant: Instant, _ filter: PaperTapeFilter) -> PaperPrint? {
        switch filter {
        case .trades:
            guard let trade = trade(at: index) else { return nil }
            return PaperPrint(at: instant, touch: touch(at: index), trade: trade)
        case .touches(let sizes):
            let (touch, before) = (touch(at: index), touch(at: index - 1))
            let isSame = sizes ? touch == before : touch.bid == before.bid && touch.ask == before.ask
            return isSame ? nil : PaperPrint(at: instant, touch: touch, trade: nil)
        }
    }
}
