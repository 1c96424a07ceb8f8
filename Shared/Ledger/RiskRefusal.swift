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
    /// The account's figures are too old to spend by.
    case staleFunds(age: Span, limit: Span)
    /// The margin of a contract is too old to judge by.
    case staleMargin(age: Span, limit: Span)
    /// What is paid in one currency is not judged by an account kept in another: there is no rate between them here.
    case otherCurrency(account: String, instrument: String)
    case insufficientFunds(needed: Money, available: Money)
    case duplicate(within: Span)
    case nothingToClose
    case noOrderID

    /// Quotes older than this refuse an opening order.
    package static let quoteAgeMax = Span.seconds(5)
    /// The broker tells the account's figures every three minutes, and is asked after five.
    package static let fundsAgeMax = Span.minutes(10)
    /// A margin is asked for every ten minutes: two answers may be missing.
    package static let marginAgeMax = Span.minutes(30)
    /// How far ahead of the clock a figure may be said to be heard: what is further was heard before the clock was set back, nobody knows when.
    package static let aheadMax = Span.seconds(1)

    /// The age of what was heard at `asOf`, when it is more than `limit` or less than none.
    package static func age(of asOf: Instant, at now: Instant, over limit: Span, ahead: Span = aheadMax) -> Span? {
        let age = now - asOf
        return age > limit || age < .zero - ahead ? age : nil
    }

    /// The currency in which the broker tells a contract's margin is the account's own; what is paid in full is paid in the instrument's.
    package static func currencyGap(_ instrument: Instrument, account: String) -> RiskRefusal? {
        guard instrument.securityType != .future, instrument.currency != account else { return nil }
        return .otherCurrency(account: account, instrument: instrument.currency)
    }

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
        case .staleQuote(let age, _) where age < .zero, .staleFunds(let age, _) where age < .zero, .staleMargin(let age, _) where age < .zero:
            "The newest figures were heard before the clock was set back, nobody knows how long ago. Wait for the broker's next ones."
        case .staleFunds(let age, let limit):
            "The account's figures are \(age.nanoseconds / 60_000_000_000) min old; the limit is \(limit.nanoseconds / 60_000_000_000) min. "
                + "They are asked for by themselves; look whether another program takes the account's updates."
        case .staleMargin(let age, let limit):
            "The margin of this contract is \(age.nanoseconds / 60_000_000_000) min old; the limit is \(limit.nanoseconds / 60_000_000_000) min. "
                + "It is asked for by itself; look at the gateway's messages."
        case .otherCurrency(let account, let instrument):
            "The account is kept in \(account) and this is paid in \(instrument): without a rate nothing here says what it affords. "
                + "Order it at the broker's own screen, or trade what is paid in \(account)."
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
