// Options: the chains of an underlying, what a model says of one, and the numbers that go with its quotes.
internal import Values
internal import Venues

extension IBKRGateway {
    mutating func tellChains(_ connection: GatewayConnection, _ id: Int, _ request: OptionParametersRequest) {
        guard request.conId > 0 else { return error(connection, Int64(id), 321, "Error validating request.-'bO' : cause - Invalid contract id") }
        guard let underlying = listing(contract: request.conId), underlying.instrument.symbol == request.symbol || request.symbol.isEmpty,
            underlying.instrument.securityType.rawValue == request.secType || request.secType.isEmpty
        else { return error(connection, Int64(id), 200, "No security definition has been found for the request") }
        let options = alive.filter { $0.option?.underlying == underlying.instrument.id }
        if request.futureExchange.isEmpty, let first = options.first {
            let expirations = Set(options.compactMap { $0.instrument.maturityDate }).sorted().map(\.compact)
            let strikes = Set(options.compactMap { $0.option?.strike }).sorted().map(\.description)
            for exchange in facts(first).exchanges {
                let chain = GatewayMessages.OptionChain(
                    exchange: exchange, underlying: request.conId, tradingClass: first.instrument.tradingClass,
                    multiplier: first.instrument.multiplier.description, expirations: expirations, strikes: strikes)
                send(connection, GatewayMessages.optionChain(id: id, chain))
            }
        }
        send(connection, GatewayMessages.optionChainEnd(id: id))
    }

    // MARK: Questions to the model

    /// What a client wants to know of an option.
    enum Calculation {
        /// The volatility that a price implies.
        case volatility(of: String)
        /// The price that a volatility gives.
        case price(at: String)
    }

    mutating func calculate(_ connection: GatewayConnection, _ id: Int, _ contract: WireContract, _ wanted: Calculation, underlying: String) {
        guard let listing = resolve(contract, Int64(id), connection) else { return }
        func invalid(_ why: String) { error(connection, Int64(id), 321, "Error validating request.-'bC' : cause - \(why)") }
        guard let option = listing.option else { return invalid("Option calculation needs an option contract") }
        guard let price = try? Price(underlying, rounding: .halfEven), price.raw > 0 else {
            return invalid("Invalid underlying price: \(underlying)")
        }
        let volatility: Ratio
        switch wanted {
        case .price(let text):
            guard let given = try? Ratio(text, rounding: .halfEven), given.raw > 0, given.raw <= 10_000_000 else {
                return invalid("Invalid volatility: \(text)")
            }
            volatility = given
        case .volatility(let text):
            guard let paid = try? Price(text, rounding: .halfEven), let found = option.impliedVolatility(price: paid, underlying: price, at: now)
            else {
                return invalid("No volatility gives the option price \(text)")
            }
            volatility = found
        }
        let value = option.value(underlying: price, volatility: volatility, at: now)
        let numbers = Self.numbers(value, volatility, underlying: price)
        send(connection, GatewayMessages.optionComputation(id: id, type: 53, attribute: 1, numbers))
    }

    private static func numbers(_ value: OptionValue, _ volatility: Ratio, underlying: Price) -> GatewayMessages.OptionNumbers {
        func text(_ raw: Int64) -> String { Decimals.text(raw, scale: 8) }
        var numbers = GatewayMessages.OptionNumbers()
        numbers.volatility = volatility.description
        numbers.delta = text(value.delta)
        numbers.price = value.price.description
        numbers.dividend = "0"
        numbers.gamma = text(value.gamma)
        numbers.vega = text(value.vega)
        numbers.theta = text(value.theta)
        numbers.underlying = underlying.description
        return numbers
    }

    // MARK: With quotes

    /// The computations of bid, ask and model after a move; nothing for what is no option.
    mutating func tellComputations(_ stream: QuoteStream, _ touch: PaperTouch) {
        let connection = stream.connection
        guard let option = exchange.listing(stream.instrument)?.option, let around = exchange.touch(option.underlying) else { return }
        let underlying = around.midpoint
        for (type, price) in [(10, touch.bid), (11, touch.ask)] {
            var numbers = GatewayMessages.OptionNumbers()
            if let volatility = option.impliedVolatility(price: price, underlying: underlying, at: now) {
                numbers = Self.numbers(option.value(underlying: underlying, volatility: volatility, at: now), volatility, underlying: underlying)
            }
            numbers.price = price.description
            numbers.underlying = underlying.description
            send(connection, GatewayMessages.optionComputation(id: stream.id, type: stream.isDelayed ? type + 70 : type, attribute: 1, numbers))
        }
        let model = option.value(underlying: underlying, at: now)
        let numbers = Self.numbers(model, option.volatility, underlying: underlying)
        send(connection, GatewayMessages.optionComputation(id: stream.id, type: stream.isDelayed ? 83 : 13, attribute: 0, numbers))
    }
}
