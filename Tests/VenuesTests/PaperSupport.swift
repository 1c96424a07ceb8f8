// Small markets whose prices a test knows in advance.
import Testing
import Values
import Venues

/// 2026-11-20 15:00 UTC, a Friday.
let friday = Instant(seconds: 1_795_186_800)

/// A market that plays the given closes, one a minute from `friday` on, in dollars; each bar is flat, so that prices jump from minute to minute.
func market(_ closes: [Int64], hours: ExchangeHours = .always(.central), margin: MarginRule? = nil) throws -> PaperInstrument {
    let bars = closes.enumerated().map { index, close in
        Bar(start: friday + .minutes(Int64(index)), price: Price(whole: close), size: Quantity(whole: 1))
    }
    let tape = try #require(PriceTape(bars: bars))
    let chain = PaperCatalogue.microBitcoin(asOf: try day(2026, 11, 20), tape: tape)
    var listing = try #require(chain.first { $0.instrument.id == mbt })
    listing.tradingHours = hours
    listing.liquidHours = hours
    if let margin { listing.margin = margin }
    return listing
}

/// An exchange with that one market.
func exchange(_ closes: [Int64], cash: Money = Money(whole: 1_000_000), hours: ExchangeHours = .always(.central)) throws -> PaperExchange {
    PaperExchange(rules: PaperRules(seed: 1, step: .seconds(1), startingCash: cash), listings: [try market(closes, hours: hours)], start: friday)
}

/// A date that exists.
func day(_ year: Int, _ month: Int, _ day: Int) throws -> CivilDate { try #require(CivilDate(year: year, month: month, day: day)) }

let mbt = InstrumentID("MBTZ6.CME")

/// A ticket for MBT.
func ticket(_ id: Int64, _ side: Side, _ lots: Int64, _ type: OrdType = .market, limit: Int64? = nil, stop: Int64? = nil) -> PaperTicket {
    PaperTicket(
        id: PaperOrderID(id), instrument: mbt, side: side, quantity: Quantity(whole: lots), type: type, limitPrice: limit.map { Price(whole: $0) },
        stopPrice: stop.map { Price(whole: $0) }, timeInForce: .gtc)
}

extension [PaperEvent] {
    var fills: [PaperFill] { compactMap { if case .fill(let fill) = $0 { fill } else { nil } } }
    var refusals: [PaperRefusal] { compactMap { if case .refused(_, let why) = $0 { why } else { nil } } }
    /// The states that an order went through.
    func states(of id: Int64) -> [PaperOrderState] {
        compactMap { if case .order(let order) = $0, order.ticket.id == PaperOrderID(id) { order.state } else { nil } }
    }
}
