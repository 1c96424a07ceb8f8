// Market data values: quotes, trades and bars.

/// The best bid and ask with their sizes, as last told; a side that was never told is nil.
package struct Quote: Hashable, Sendable {
    package var bid: Price?
    package var bidSize: Quantity?
    package var ask: Price?
    package var askSize: Quantity?
    package var last: Price?
    package var lastSize: Quantity?
    /// Previous session's close, for the day's change.
    package var close: Price?
    /// When the edge last heard any of the above.
    package var asOf: Instant
    /// True when the venue says that the data is delayed; no order is placed on it.
    package var isDelayed: Bool
    package init(asOf: Instant) { self.asOf = asOf; isDelayed = false }
    /// The price to value a position at: the last trade, else the middle of bid and ask.
    package var mark: Price? {
        if let last { return last }
        guard let bid, let ask else { return nil }
        return Price(raw: bid.raw / 2 + ask.raw / 2 + (bid.raw % 2 + ask.raw % 2) / 2)
    }

    /// What a market order of a side meets: the ask when it buys, the bid when it sells. Nil unless both are there and above zero: one side alone
    /// is no market.
    package func touch(_ side: Side) -> QuotedPrice? {
        guard let bid, let ask, bid.raw > 0, ask.raw > 0 else { return nil }
        return side == .buy ? QuotedPrice(price: ask, part: .ask) : QuotedPrice(price: bid, part: .bid)
    }

    /// What is shown of an order before it is confirmed, and what it is held to afterwards: what it would meet, else the last trade.
    package func shown(_ side: Side) -> QuotedPrice? { touch(side) ?? last.map { QuotedPrice(price: $0, part: .last) } }
}

/// A price with the part of the quote that it is.
package struct QuotedPrice: Hashable, Sendable {
    package enum Part: String, Hashable, Sendable { case bid, ask, last }
    package let price: Price
    package let part: Part
    package init(price: Price, part: Part) { self.price = price; self.part = part }
}

/// A bar length in seconds.
package struct Timeframe: Hashable, Comparable, Sendable {
    package let seconds: Int64
    package init(seconds: Int64) { self.seconds = seconds }
    package static let minute = Timeframe(seconds: 60)
    package static func < (a: Timeframe, b: Timeframe) -> Bool { a.seconds < b.seconds }
    /// The start of the bar that contains `instant`.
    package func start(of instant: Instant) -> Instant {
        let whole = instant.seconds
        return Instant(seconds: whole - ((whole % seconds) + seconds) % seconds)
    }
}

/// Open, high, low, close and volume of one interval.
package struct Bar: Hashable, Sendable {
    /// Start of the interval.
    package var start: Instant
    package var open: Price
    package var high: Price
    package var low: Price
    package var close: Price
    package var volume: Quantity
    package init(start: Instant, open: Price, high: Price, low: Price, close: Price, volume: Quantity) {
        self.start = start; self.open = open; self.high = high; self.low = low; self.close = close; self.volume = volume
    }
    /// A bar of one trade.
    package init(start: Instant, price: Price, size: Quantity) {
        self.init(start: start, open: price, high: price, low: price, close: price, volume: size)
    }
    /// Takes one more trade in.
    package mutating func add(price: Price, size: Quantity) {
        high = max(high, price); low = min(low, price); close = price
        volume = volume.adding(size) ?? volume
    }
}
