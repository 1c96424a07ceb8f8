// Ticks: quotes and trades of the instruments that are watched.
internal import Ledger
internal import Values

extension IBKRSession {
    /// What streams say all day: read without memory of its own, and looked up by number.
    mutating func take(_ tick: IBTick, at now: Instant, into out: inout SessionOutput) {
        switch tick {
        case .price(let price): take(price, at: now, into: &out)
        case .size(let request, let type, let size): take(size: size, type: type, request: request, at: now)
        case .trade(let request, 48, let trade): take(trade, request: request, at: now, into: &out)
        case .trade, .generic, .stamp, .text, .byTick: break
        }
    }

    private mutating func take(_ tick: IBTickPrice, at now: Instant, into out: inout SessionOutput) {
        guard let place = streams.place(ofQuotes: tick.requestId) else { return }
        let price = tick.isNoQuote ? nil : tick.price
        let size = tick.size?.quantity
        let isDelayed = (66...76).contains(tick.type)
        switch tick.type {
        case 1, 66:
            streams.tick(place, at: now) {
                $0.bid = price; $0.bidSize = price == nil ? nil : size ?? $0.bidSize; $0.mark(isDelayed)
            }
        case 2, 67:
            streams.tick(place, at: now) {
                $0.ask = price; $0.askSize = price == nil ? nil : size ?? $0.askSize; $0.mark(isDelayed)
            }
        case 4, 68:
            // Quotes of one read are told once; a traded price is never skipped: who waits for a level must see that it was touched.
            if let price, let untold = streams.untold(place), let last = untold.last, last != price {
                out.events.append(.quote(streams.order[place], untold))
            }
            streams.tick(place, at: now) {
                $0.last = price ?? $0.last; $0.lastSize = size ?? $0.lastSize; $0.mark(isDelayed)
            }
        case 9, 75:
            streams.tick(place, at: now) {
                $0.close = price ?? $0.close; $0.mark(isDelayed)
            }
        default: break
        }
    }

    private mutating func take(size: WireSize?, type: Int64, request: Int64, at now: Instant) {
        guard let place = streams.place(ofQuotes: request), let size = size?.quantity else { return }
        switch type {
        case 0, 69: streams.tick(place, at: now) { $0.bidSize = size }
        case 3, 70: streams.tick(place, at: now) { $0.askSize = size }
        case 5, 71: streams.tick(place, at: now) { $0.lastSize = size }
        default: break
        }
    }

    /// Each trade with its size and time. A part of it may be empty: then it is no trade.
    private mutating func take(_ trade: IBVolumeTrade, request: Int64, at now: Instant, into out: inout SessionOutput) {
        guard let place = streams.place(ofQuotes: request), let price = trade.price, let size = trade.size?.quantity, let time = trade.milliseconds,
            time > 0, time <= Int64.max / 1_000_000
        else { return }
        streams.tick(place, at: now) {
            $0.last = price; $0.lastSize = size
        }
        out.events.append(.trade(streams.order[place], price: price, size: size, at: Instant(milliseconds: time)))
    }

    /// 1 live; frozen and delayed data are shown and never traded on.
    mutating func take(dataType: Int64, request: Int64, at now: Instant) {
        guard let place = streams.place(ofQuotes: request) else { return }
        streams.change(streams.order[place]) { $0.quote.isDelayed = dataType != 1 }
    }
}

extension Quote {
    /// Delayed tick types make a quote delayed whatever was announced.
    fileprivate mutating func mark(_ delayed: Bool) { if delayed { isDelayed = true } }
}
