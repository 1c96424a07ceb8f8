// One simulated market, step by step: touch, depth and trades as pure functions of seed and step number.
package import Values

/// One trade of the simulated market.
package struct PaperTrade: Hashable, Sendable {
    package var price: Price
    package var size: Quantity
    /// Which side took: a buyer lifts the ask.
    package var taker: Side
}

/// The best bid and ask with sizes.
package struct PaperTouch: Hashable, Sendable {
    package var bid: Price
    package var bidSize: Quantity
    package var ask: Price
    package var askSize: Quantity
    /// The side that an order of `side` would take from.
    package func opposite(of side: Side) -> Price { side == .buy ? ask : bid }
}

/// The market of one instrument. Everything it tells is a function of (seed, step); the cursor inside is a cache only.
struct PaperMarket: Sendable {
    let listing: PaperInstrument
    private let seed: UInt64
    private let step: Span
    private let speed: Int64
    private var cursor: PriceCursor
    /// Steps in which trading was stopped, oldest first: the market stands as in the step before each.
    private var halts: [Range<Int64>] = []
    private var tick: Int64 { listing.instrument.minPriceIncrement.raw }
    private var lot: Int64 { listing.instrument.lotStep.raw }

    init(listing: PaperInstrument, seed: UInt64, step: Span, speed: Int64) {
        precondition(speed >= 1, "speed below one")
        self.listing = listing; self.step = step; self.speed = speed
        // FNV-1a of the key, so that markets of one seed differ and the months of one future agree.
        let salt = listing.walkKey.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        self.seed = seed ^ salt
        let grid = listing.option?.underlyingTick ?? listing.instrument.minPriceIncrement
        cursor = PriceCursor(process: listing.process, seed: seed ^ salt, tick: grid, step: step)
    }

    /// The step that `instant` falls into.
    func index(of instant: Instant) -> Int64 { PriceCursor.floorDivide(instant.nanoseconds, step.nanoseconds) }
    func instant(of index: Int64) -> Instant { Instant(nanoseconds: index * step.nanoseconds) }

    /// Halts that are remembered; older ones are as if they had not been.
    private static let haltsMax = 64
    mutating func halt(after index: Int64) {
        halts.append(index + 1..<Int64.max)
        if halts.count > Self.haltsMax { halts.removeFirst() }
    }
    mutating func resume(after index: Int64) {
        guard let last = halts.popLast(), last.lowerBound <= index else { return }
        halts.append(last.lowerBound..<index + 1)
    }
    func isHalted(at index: Int64) -> Bool { halts.last.map { $0.upperBound == .max && index + 1 >= $0.lowerBound } ?? false }
    /// The halt that a step falls into.
    private func halt(of index: Int64) -> Range<Int64>? { halts.isEmpty ? nil : halts.last { $0.contains(index) } }
    /// The step whose market a step shows.
    private func shown(_ index: Int64) -> Int64 { halt(of: index).map { $0.lowerBound - 1 } ?? index }

    mutating func touch(at index: Int64) -> PaperTouch {
        let index = shown(index)
        let (bid, ask) = ticks(at: index)
        return PaperTouch(
            bid: Price(raw: bid * tick), bidSize: size(side: .buy, level: 0, at: index), ask: Price(raw: ask * tick),
            askSize: size(side: .sell, level: 0, at: index))
    }

    /// Prices and sizes that an order of `side` can take at a step, best first.
    mutating func takeable(by side: Side, at index: Int64, levels: Int? = nil) -> [(price: Price, size: Quantity)] {
        let index = shown(index)
        let (bid, ask) = ticks(at: index)
        return (0..<(levels ?? listing.depth.levels)).map { level in
            let price = side == .buy ? ask + Int64(level) : max(bid - Int64(level), 1)
            return (Price(raw: price * tick), size(side: side.opposite, level: level, at: index))
        }
    }

    /// The trade of a step, if something trades in it. A tape trades in every step, so that its highs and lows are touched.
    mutating func trade(at index: Int64) -> PaperTrade? {
        if halt(of: index) != nil { return nil }
        let key = mixed(seed, 902, index)
        if case .walk = listing.process, key % 100 >= listing.depth.tradesPerHundred { return nil }
        let (bid, ask) = ticks(at: index)
        let taker: Side = key >> 32 & 1 == 0 ? .buy : .sell
        let lots = 1 + Int64((key >> 40) % UInt64(listing.depth.tradeLots))
        return PaperTrade(price: Price(raw: (taker == .buy ? ask : bid) * tick), size: Quantity(raw: lots * lot), taker: taker)
    }

    /// The price of the newest trade at or before a step; the bid when the last minute had none.
    mutating func last(at index: Int64) -> (price: Price, size: Quantity) {
        let reach = max(1, Span.minutes(1).nanoseconds / step.nanoseconds)
        let index = shown(index)
        for back in 0..<reach { if let trade = trade(at: index - back) { return (trade.price, trade.size) } }
        let touch = touch(at: index)
        return (touch.bid, touch.bidSize)
    }

    private mutating func ticks(at index: Int64) -> (bid: Int64, ask: Int64) {
        let middle = optionMilliTicks(cursor.milliTicks(at: index * speed), at: index)
        let key = mixed(seed, 901, index)
        if case .tape = listing.process {
            // The recorded price is the trade: the side of this step's taker decides whether it is bid or ask.
            let price = middle / 1_000 + listing.offsetTicks
            return mixed(seed, 902, index) >> 32 & 1 == 0 ? (price - 1, price) : (price, price + 1)
        }
        let bid = middle / 1_000 + listing.offsetTicks
        // Mostly one tick wide, now and then wider.
        let wide = key % 4 == 0 ? Int64(key >> 8 % 64) % listing.depth.spreadTicks : 0
        return (bid, bid + 1 + wide)
    }

    /// What an option costs when its underlying stands there; of anything else the price itself.
    private func optionMilliTicks(_ milliTicks: Int64, at index: Int64) -> Int64 {
        guard let option = listing.option else { return milliTicks }
        let underlying = Price(raw: milliTicks * option.underlyingTick.raw / 1_000)
        // Never below one tick and a bit: a bid of nothing is none.
        return max(option.value(underlying: underlying, at: instant(of: index)).price.raw * 1_000 / tick, 1_000)
    }

    private func size(side: Side, level: Int, at index: Int64) -> Quantity {
        // Sizes rest for a few steps, as in a real book.
        let key = mixed(seed, (side == .buy ? 910 : 930) + UInt64(level), index >> 2)
        let span = UInt64(listing.depth.lots.upperBound - listing.depth.lots.lowerBound + 1)
        return Quantity(raw: (listing.depth.lots.lowerBound + Int64(key % span)) * lot)
    }
}

/// Which price a bar is made of.
package enum BarSource: String, Sendable { case trades = "TRADES", midpoint = "MIDPOINT", bid = "BID", ask = "ASK" }

extension PaperMarket {
    /// Most steps looked at for one bar; longer bars are sampled evenly.
    static let samplesPerBar: Int64 = 1_200

    /// The bar that starts at `start`, built from the steps up to and including the one of `now`; nil when the market had not one open step in it.
    mutating func bar(start: Instant, length: Span, source: BarSource, now: Instant, hours: ExchangeHours) -> Bar? {
        let first = index(of: start)
        let end = min(index(of: start + length), index(of: now) + 1)
        guard end > first else { return nil }
        let stride = max(1, (end - first + Self.samplesPerBar - 1) / Self.samplesPerBar)
        var bar: Bar?
        var at = first
        // Asked once a session, and once a minute outside of them, not once a step.
        var openUntil = first
        var (isOpen, wasOpen) = (false, false)
        while at < end {
            if at >= openUntil {
                let session = hours.session(at: instant(of: at))
                isOpen = session != nil
                openUntil = index(of: session?.close ?? Timeframe.minute.start(of: instant(of: at)) + .minutes(1))
            }
            if isOpen { wasOpen = true }
            if isOpen, let (price, size) = sample(source, at: at, sampled: stride > 1) {
                let volume = Quantity(raw: size.raw * stride)
                if bar == nil { bar = Bar(start: start, price: price, size: volume) } else { bar?.add(price: price, size: volume) }
            }
            at += stride
        }
        // Open, but nothing traded (the first moments of a forming bar): it stands at the price before it.
        if bar == nil, wasOpen { bar = Bar(start: start, price: last(at: end - 1).price, size: .zero) }
        return bar
    }

    private mutating func sample(_ source: BarSource, at index: Int64, sampled: Bool) -> (Price, Quantity)? {
        if source == .trades, let trade = trade(at: index) { return (trade.price, trade.size) }
        if source == .trades, !sampled { return nil }
        let (bid, ask) = ticks(at: shown(index))
        switch source {
        case .trades, .bid: return (Price(raw: bid * tick), .zero)
        case .ask: return (Price(raw: ask * tick), .zero)
        case .midpoint: return (Price(raw: bid * tick + (ask - bid) * tick / 2), .zero)
        }
    }
}
