// The simulated account valued at the market: net liquidation, margins, what an order would change.
package import Values

extension PaperExchange {
    /// The account at this moment's prices.
    package mutating func balance() -> PaperBalance { balance(of: account) }

    /// The account as if `quantity` of the ticket (all of it when nil) were filled at the market's price now.
    mutating func balance(adding ticket: PaperTicket, quantity: Quantity? = nil) -> PaperBalance {
        guard let listing = listing(ticket.instrument), let touch = touch(ticket.instrument) else { return balance() }
        let size = quantity ?? ticket.quantity
        let price = touch.opposite(of: ticket.side)
        let value = Money.value(price, size, multiplier: listing.instrument.multiplier)
        var imagined = account
        let realised = try? account.realised(by: (ticket.side, size, price), in: listing)
        let fill = PaperFill(
            serial: 0, order: ticket.id, instrument: ticket.instrument, side: ticket.side, quantity: size, price: price, at: now, cumulative: size,
            averagePrice: price, commission: listing.commission.total(for: size, value: value) ?? .zero, realised: realised ?? nil, added: false)
        do { try imagined.apply(fill, in: listing) } catch { return balance() }
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

    private mutating func balance(of account: PaperAccount) -> PaperBalance {
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
