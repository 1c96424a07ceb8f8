// Rules that decide at each traded price, not with the clock: what they wish takes the one road every order takes.
internal import Ledger
package import Values

/// Decides the moment a price is traded. It holds no state: what it did before stands in the book.
package protocol PriceRule: Sendable {
    /// The instruments it wants watched.
    var instruments: [InstrumentID] { get }
    /// The order to place now that `instrument` traded at `price`, another price than the last one told; nil for none.
    func wish(_ instrument: InstrumentID, tradedAt price: Price, at now: Instant) -> OrderWish?
}

extension Desk {
    /// Lets the rules look at a quote whose last price has moved. The quote is applied first: the gate judges by it.
    mutating func followPrice(_ id: InstrumentID, _ quote: Quote, at now: Instant, into out: inout Outcome) {
        guard !settings.priceRules.isEmpty, let price = quote.last, price != live.quote(id)?.last else { return }
        live.apply(.quote(id, quote))
        for rule in settings.priceRules where rule.instruments.contains(id) {
            guard let wish = rule.wish(id, tradedAt: price, at: now) else { continue }
            place(wish, reason: "traded at \(price)", at: now, into: &out)
        }
    }
}
