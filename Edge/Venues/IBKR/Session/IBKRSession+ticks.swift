// Ticks: quotes and trades of the instruments that are watched.
internal import Ledger
internal import Values

extension IBKRSession {
    private func quoted(_ request: Int64) -> InstrumentID? { if case .quote(let id)? = requests[request]?.kind { id } else { nil } }

    mutating func take(_ tick: IBTickPrice, at now: Instant, into out: inout SessionOutput) {
        guard let id = quoted(tick.requestId) else { return }
        let price = tick.isNoQuote ? nil : tick.price
        let size = tick.size?.quantity
        let isDelayed = (66...76).contains(tick.type)
        switch tick.type {
        case 1, 66:
            streams.tick(id, at: now) {
                $0.bid = price; $0.bidSize = price == nil ? nil : size ?? $0.bidSize; $0.mark(isDelayed)
            }
        case 2, 67:
            streams.tick(id, at: now) {
                $0.ask = price; $0.askSize = price == nil ? nil : size ?? $0.askSize; $0.mark(isDelayed)
            }
        case 4, 68:
            // Quotes of one read are told once; a traded price is never skipped: who waits for a level must see that it was touched.
            if let price, let untold = streams.untold(id), let last = untold.last, last != price { out.events.append(.quote(id, untold)) }
            streams.tick(id, at: now) {
                $0.last = price ?? $0.last; $0.lastSize = size ?? $0.lastSize; $0.mark(isDelayed)
            }
        case 9, 75:
            streams.tick(id, at: now) {
                $0.close = price ?? $0.close; $0.mark(isDelayed)
            }
        default: break
        }
    }

    mutating func take(size: WireSize?, type: Int64, request: Int64, at now: Instant) {
        guard let id = quoted(request), let size = size?.quantity else { return }
        switch type {
        case 0, 69: streams.tick(id, at: now) { $0.bidSize = size }
        case 3, 70: streams.tick(id, at: now) { $0.askSize = size }
        case 5, 71: streams.tick(id, at: now) { $0.lastSize = size }
        default: break
        }
    }

    /// RTVolume: `price;size;milliseconds;total;average;single`. A part of it may be empty: then it is no trade.
    mutating func take(text: String, type: Int64, request: Int64, at now: Instant, into out: inout SessionOutput) {
        guard type == 48, let id = quoted(request) else { return }
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count >= 3, let price = try? Price(parts[0], rounding: .halfEven), let size = try? Quantity(parts[1], rounding: .halfEven),
            let time = Int64(parts[2]), time > 0, time <= Int64.max / 1_000_000
        else { return }
        streams.tick(id, at: now) {
            $0.last = price; $0.lastSize = size
        }
        out.events.append(.trade(id, price: price, size: size, at: Instant(milliseconds: time)))
    }

    /// 1 live; frozen and delayed data are shown and never traded on.
    mutating func take(dataType: Int64, request: Int64, at now: Instant) {
        guard let id = quoted(request) else { return }
        streams.change(id) { $0.quote.isDelayed = dataType != 1 }
    }
}

extension Quote {
    /// Delayed tick types make a quote delayed whatever was announced.
    fileprivate mutating func mark(_ delayed: Bool) { if delayed { isDelayed = true } }
}
