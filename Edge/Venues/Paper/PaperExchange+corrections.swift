// Executions that were told wrong: kept for a while, and put right with all that follows from them.
package import Values

/// The newest executions, and the account as it stood before the oldest of them.
struct FillLog: Sendable {
    /// Executions that can still be put right.
    static let fillsMax = 10_000
    /// Older ones are folded in lots of this size.
    static let foldedAtOnce = 1_000
    var base: PaperAccount
    var fills: [PaperFill] = []
}

extension PaperExchange {
    /// Remembers a fill that the account has already taken.
    mutating func remember(_ fill: PaperFill) {
        log.fills.append(fill)
        guard log.fills.count >= FillLog.fillsMax + FillLog.foldedAtOnce else { return }
        for old in log.fills.prefix(FillLog.foldedAtOnce) {
            guard let listing = listing(old.instrument) else { continue }
            // It went into the account once, so it goes in again.
            try? log.base.apply(old, in: listing)
        }
        log.fills.removeFirst(FillLog.foldedAtOnce)
    }

    /// A remembered fill by its serial.
    package func fill(_ serial: UInt64) -> PaperFill? {
        var (low, high) = (0, log.fills.count)
        while low < high {
            let middle = (low + high) / 2
            if log.fills[middle].serial < serial { low = middle + 1 } else { high = middle }
        }
        return low < log.fills.count && log.fills[low].serial == serial ? log.fills[low] : nil
    }

    mutating func correct(_ serial: UInt64, to price: Price, _ events: inout [PaperEvent]) {
        do throws(PaperRefusal) {
            let (old, new) = try corrected(serial, to: price)
            events.append(.corrected(old: old, new: new))
            if let order = book[new.order] { events.append(.order(order)) }
        } catch {
            events.append(.refused(fill(serial)?.order ?? PaperOrderID(0), error))
        }
    }

    /// Puts back a correction. For a start from a journal: after the fill it belongs to.
    /// - Throws: the refusal that the correction would meet.
    package mutating func restore(correction serial: UInt64, price: Price) throws(PaperRefusal) { _ = try corrected(serial, to: price) }

    /// Folds the account anew with one fill at another price; what later fills realised changes with it, commissions stand.
    private mutating func corrected(_ serial: UInt64, to price: Price) throws(PaperRefusal) -> (old: PaperFill, new: PaperFill) {
        guard let old = fill(serial), let listing = listing(old.instrument) else { throw .unknownOrder }
        guard price.raw > 0, price.isMultiple(of: listing.instrument.minPriceIncrement) else {
            throw .price(increment: listing.instrument.minPriceIncrement)
        }
        var (account, fills) = (log.base, log.fills)
        var new = old
        for index in fills.indices {
            guard let its = self.listing(fills[index].instrument) else { throw .unknownInstrument }
            if fills[index].serial == serial { fills[index].price = price }
            if fills[index].instrument == old.instrument {
                let (side, quantity, at) = (fills[index].side, fills[index].quantity, fills[index].price)
                fills[index].realised = try account.realised(by: (side, quantity, at), in: its)
            }
            try account.apply(fills[index], in: its)
        }
        if var order = book[old.order] {
            order.filledValue += (Int128(price.raw) - Int128(old.price.raw)) * Int128(old.quantity.raw)
            if order.lastPrice == old.price, order.filled == old.cumulative { order.lastPrice = price }
            order.changedAt = now
            store(order)
        }
        average(&fills, of: old.order)
        log.fills = fills
        self.replaceAccount(account)
        new = fill(serial) ?? new
        return (old, new)
    }

    /// Average prices of an order's remembered fills, after one of them has changed. What filled before the oldest of them keeps its part.
    private func average(_ fills: inout [PaperFill], of order: PaperOrderID) {
        var value: Int128?
        for index in fills.indices where fills[index].order == order {
            let own = Int128(fills[index].price.raw) * Int128(fills[index].quantity.raw)
            let before = value ?? Int128(fills[index].averagePrice.raw) * Int128(fills[index].cumulative.raw - fills[index].quantity.raw)
            value = (fills[index].cumulative == fills[index].quantity ? 0 : before) + own
            if let total = value, let raw = Decimals.divide(total, by: Int128(fills[index].cumulative.raw)) {
                fills[index].averagePrice = Price(raw: raw)
            }
        }
    }
}
