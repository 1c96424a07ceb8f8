// The simulated account valued at the market: net liquidation, margins, what an order would change.
package import Values

extension PaperExchange {
    /// The account at this moment's prices.
    package mutating func balance() -> PaperBalance { balance(of: account) }

    /// Most that a position may be worth, at 10^-8: an eighth of what the type holds, so that no sum of a balance leaves it.
    private static var worthMax: Int64 { .max / 8 }

    /// The account as if `quantity` of the ticket (all of it when nil) were filled at the market's price now.
    /// - Throws: `.overflow` when the position would be worth more than can be counted.
    mutating func balance(adding ticket: PaperTicket, quantity: Quantity? = nil) throws(PaperRefusal) -> PaperBalance {
        guard let listing = listing(ticket.instrument), let touch = touch(ticket.instrument) else { return balance() }
        let size = quantity ?? ticket.quantity
        let price = touch.opposite(of: ticket.side)
        guard let value = Money.value(price, size, multiplier: listing.instrument.multiplier), value.raw <= Self.worthMax else { throw .overflow }
        var imagined = account
        let realised = try? account.realised(by: (ticket.side, size, price), in: listing)
        let fill = PaperFill(
            serial: 0, order: ticket.id, instrument: ticket.instrument, side: ticket.side, quantity: size, price: price, at: now, cumulative: size,
            averagePrice: price, commission: listing.commission.total(for: size, value: value) ?? .zero, realised: realised ?? nil, added: false)
        try imagined.apply(fill, in: listing)
        let position = imagined.position(ticket.instrument)
        guard let mark = mark(ticket.instrument), let worth = PaperAccount.marketValue(position, at: mark, in: listing),
            abs(worth.raw) <= Self.worthMax, margin(of: position) != nil
        else { throw .overflow }
        return balance(of: imagined)
    }

    /// The price positions are valued at: the newest trade.
    package mutating func mark(_ id: InstrumentID) -> Price? { last(id)?.price }

    /// Margins of a position at its mark; nil when the numbers do not fit.
    package mutating func margin(of position: PaperPosition) -> (initial: Money, maintenance: Money)? {
        guard let listing = listing(position.instrument), position.quantity != .zero else { return (.zero, .zero) }
        switch listing.margin {
        case .perContract(let initial, let maintenance):
            let size = position.quantity.magnitude.raw
            guard let first = Decimals.product(initial.raw, size, scale: 8), let second = Decimals.product(maintenance.raw, size, scale: 8) else {
                return nil
            }
            return (Money(raw: first), Money(raw: second))
        case .fraction(let initial, let maintenance):
            guard let price = mark(position.instrument), let value = PaperAccount.marketValue(position, at: price, in: listing) else { return nil }
            let size = abs(value.raw)
            guard let first = Decimals.product(size, initial.raw, scale: 6), let second = Decimals.product(size, maintenance.raw, scale: 6) else {
                return nil
            }
            return (Money(raw: first), Money(raw: second))
        }
    }

    /// Any account at this moment's prices; what this exchange does not list counts for nothing.
    package mutating func balance(of account: PaperAccount) -> PaperBalance {
        var sum = PaperBalance(
            cash: account.cash, stockValue: .zero, grossValue: .zero, unrealised: .zero, futuresUnrealised: .zero, realised: .zero,
            initialMargin: .zero,
            maintenanceMargin: .zero)
        for position in account.positions {
            sum.realised.raw += position.realised.raw
            guard position.quantity != .zero, let listing = listing(position.instrument), let price = mark(position.instrument),
                let value = PaperAccount.marketValue(position, at: price, in: listing), let margin = margin(of: position),
                let open = PaperAccount.unrealised(position, at: price, in: listing)
            else { continue }
            sum.unrealised.raw += open.raw
            if listing.isFuture {
                sum.futuresUnrealised.raw += open.raw
            } else {
                sum.stockValue.raw += value.raw; sum.grossValue.raw += abs(value.raw)
            }
            sum.initialMargin.raw += margin.initial.raw
            sum.maintenanceMargin.raw += margin.maintenance.raw
        }
        return sum
    }
}
