// Why an order is refused before it leaves: one list of reasons and words for the edge that judges and the cloud that shows beforehand.
package import Values

/// Why an order was refused here (FIX DENIED), with the numbers that were compared.
package enum RiskRefusal: Error, Hashable, Sendable {
    case halted(level: HaltLevel, source: String)
    /// The ledger or its disk is not as it must be: closing goes on, opening waits.
    case ledgerUnsound(text: String, cure: String)
    case gatewayNotConnected(text: String, cure: String)
    case notReconciled
    case wrongMode(account: String)
    case unknownInstrument(InstrumentID)
    case instrumentHalted(reason: String)
    case fateUnknown(ClOrdID)
    case noQuote
    case staleQuote(age: Span, limit: Span)
    case delayedData
    case noMarketData(text: String, cure: String)
    case badQuantity(Quantity, step: Quantity)
    case quantityMax(limit: Quantity, actual: Quantity)
    case notionalMax(limit: Money, actual: Money)
    case overflow
    case badStop(Price)
    case badTrailing
    case noMargin
    /// The broker would not tell the margin: mostly a permission that the account lacks.
    case marginRefused(text: String, cure: String)
    case insufficientFunds(needed: Money, available: Money)
    case duplicate(within: Span)
    case nothingToClose
    case noOrderID

    /// Quotes older than this refuse an opening order.
    package static let quoteAgeMax = Span.seconds(5)

    /// The refusal's stable name.
    package var name: String { String(String(describing: self).prefix { $0 != "(" }) }

    /// What happened and what to do, for a person.
    package var text: String {
        switch self {
        case .halted(let level, let source): "Trading is \(level.word) (\(source)). Resume at the edge console with `tidewire-edge resume`."
        case .gatewayNotConnected(let text, let cure): cure.isEmpty ? text : "\(text) \(cure)"
        case .notReconciled: "The account is still being compared with the broker. Wait until the gateway shows as trading."
        case .wrongMode(let account):
            "The account \(account) does not fit the configured mode. Correct `mode` or the gateway's login; nothing is sent."
        case .unknownInstrument(let id): "\(id) is not an instrument this edge knows."
        case .instrumentHalted(let reason): "The instrument is halted: \(reason)"
        case .fateUnknown(let tag): "The fate of order \(tag) is not known yet. New orders wait until the broker has told it."
        case .noQuote: "There is no quote for the instrument yet."
        case .staleQuote(let age, let limit):
            "The quote is \(age.nanoseconds / 1_000_000_000) s old; the limit is \(limit.nanoseconds / 1_000_000_000) s."
        case .delayedData: "The market data is delayed; no order is placed on it. Subscribe to live data with the broker."
        case .noMarketData(let text, let cure), .marginRefused(let text, let cure), .ledgerUnsound(let text, let cure): "\(text) \(cure)"
        case .badQuantity(let quantity, let step): "The quantity \(quantity) is not a multiple of \(step) above zero."
        case .quantityMax(let limit, let actual): "The quantity \(actual) is over the limit of \(limit) for one order."
        case .notionalMax(let limit, let actual): "The notional \(actual) is over the limit of \(limit) for one order."
        case .overflow: "A number in this order is too large to be computed."
        case .badStop(let price): "The stop price \(price) is on the wrong side of the market or off the price step."
        case .badTrailing: "The trailing distance must be above zero, on the price step, and less than the price itself."
        case .noMargin: "The broker has not told the margin of this contract yet."
        case .insufficientFunds(let needed, let available): "The order needs \(needed) of initial margin and \(available) is available."
        case .duplicate(let within): "The same order was placed less than \(within.nanoseconds / 1_000_000_000) s ago."
        case .nothingToClose: "There is no open position to close."
        case .noOrderID: "The broker's order numbers are used up (2^31); reset the API order ids in the gateway's settings."
        }
    }
}
