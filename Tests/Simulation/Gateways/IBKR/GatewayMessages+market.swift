// What the gateway tells of markets beyond quotes and bars: ticks one by one, depth, schedules, option computations.

/// Ticks, now and in the past.
extension GatewayMessages {
    /// One trade; mask bit 0 past limit, bit 1 unreported.
    package struct WireTrade: Sendable {
        package var seconds: Int64
        package var price, size: String
        package var mask = 0
        package var exchange, conditions: String
        package init(seconds: Int64, price: String, size: String, mask: Int = 0, exchange: String, conditions: String = "") {
            self.seconds = seconds; self.price = price; self.size = size; self.mask = mask; self.exchange = exchange; self.conditions = conditions
        }
    }
    /// One touch; which bit of the mask means what differs between live and historical ticks.
    package struct WireTouch: Sendable {
        package var seconds: Int64
        package var bid, ask, bidSize, askSize: String
        package var mask = 0
        package init(seconds: Int64, bid: String, ask: String, bidSize: String, askSize: String, mask: Int = 0) {
            self.seconds = seconds; self.bid = bid; self.ask = ask; self.bidSize = bidSize; self.askSize = askSize; self.mask = mask
        }
    }

    /// - Parameter type: 1 last, 2 all last.
    package static func tickByTick(id: Int, type: Int, _ t: WireTrade) -> [String] {
        ["99", String(id), String(type), String(t.seconds), t.price, t.size, String(t.mask), t.exchange, t.conditions]
    }
    /// The mask's bit 0 is a bid past the low, bit 1 an ask past the high.
    package static func tickByTick(id: Int, _ t: WireTouch) -> [String] {
        ["99", String(id), "3", String(t.seconds), t.bid, t.ask, t.bidSize, t.askSize, String(t.mask)]
    }
    package static func tickByTick(id: Int, midpoint: String, seconds: Int64) -> [String] { ["99", String(id), "4", String(seconds), midpoint] }

    /// - Parameter isDone: false when more frames of the same request follow.
    package static func historicalTicks(id: Int, trades: [WireTrade], isDone: Bool) -> [String] {
        ["98", String(id), String(trades.count)]
            + trades.flatMap { [String($0.seconds), String($0.mask), $0.price, $0.size, $0.exchange, $0.conditions] } + [isDone ? "1" : "0"]
    }
    /// Here the mask's bit 0 is an ask past the high, bit 1 a bid past the low: the reverse of live ticks.
    package static func historicalTicks(id: Int, touches: [WireTouch], isDone: Bool) -> [String] {
        ["97", String(id), String(touches.count)]
            + touches.flatMap { [String($0.seconds), String($0.mask), $0.bid, $0.ask, $0.bidSize, $0.askSize] } + [isDone ? "1" : "0"]
    }
    package static func historicalTicks(id: Int, midpoints: [(seconds: Int64, price: String, size: String)], isDone: Bool) -> [String] {
        ["96", String(id), String(midpoints.count)] + midpoints.flatMap { [String($0.seconds), "0", $0.price, $0.size] } + [isDone ? "1" : "0"]
    }
}

/// Depth.
extension GatewayMessages {
    /// One row of a book: operation 0 insert, 1 update, 2 delete; side 1 bid, 0 ask.
    package struct DepthRow: Sendable {
        package var position, operation, side: Int
        package var price, size: String
        package init(position: Int, operation: Int, side: Int, price: String, size: String) {
            self.position = position; self.operation = operation; self.side = side; self.price = price; self.size = size
        }
    }
    package static func depth(id: Int, _ row: DepthRow) -> [String] {
        ["12", "1", String(id), String(row.position), String(row.operation), String(row.side), row.price, row.size]
    }
    package static func depth(id: Int, _ row: DepthRow, maker: String, isSmart: Bool) -> [String] {
        ["13", "1", String(id), String(row.position), maker, String(row.operation), String(row.side), row.price, row.size, isSmart ? "1" : "0"]
    }

    /// A market whose depth can be asked for.
    package struct DepthExchange: Sendable {
        package var exchange, secType, listing, service, group: String
        package init(_ exchange: String, _ secType: String, listing: String = "", service: String, group: String = Unset.integer) {
            self.exchange = exchange; self.secType = secType; self.listing = listing; self.service = service; self.group = group
        }
    }
    package static func depthExchanges(_ list: [DepthExchange]) -> [String] {
        ["80", String(list.count)] + list.flatMap { [$0.exchange, $0.secType, $0.listing, $0.service, $0.group] }
    }
    package static func smartComponents(id: Int, _ list: [(bit: Int, exchange: String, letter: String)]) -> [String] {
        ["82", String(id), String(list.count)] + list.flatMap { [String($0.bit), $0.exchange, $0.letter] }
    }
}

/// Schedules, computations and other numbers.
extension GatewayMessages {
    /// The sessions of a market, as local times of `zone`.
    package static func schedule(id: Int, start: String, end: String, zone: String, _ sessions: [(start: String, end: String, date: String)])
        -> [String]
    {
        ["106", String(id), start, end, zone, String(sessions.count)] + sessions.flatMap { [$0.start, $0.end, $0.date] }
    }

    /// What was computed of an option; -1 (volatility, prices, dividend) or -2 (the others) where nothing was.
    package struct OptionNumbers: Sendable {
        package var volatility = "-1"
        package var delta = "-2"
        package var price = "-1"
        package var dividend = "-1"
        package var gamma = "-2"
        package var vega = "-2"
        package var theta = "-2"
        package var underlying = "-1"
        package init() {}
    }
    /// - Parameter attribute: 0 return based, 1 price based.
    package static func optionComputation(id: Int, type: Int, attribute: Int, _ n: OptionNumbers) -> [String] {
        [
            "21", String(id), String(type), String(attribute), n.volatility, n.delta, n.price, n.dividend, n.gamma, n.vega, n.theta, n.underlying,
        ]
    }
    package static func histogram(id: Int, _ rows: [(price: String, size: String)]) -> [String] {
        ["89", String(id), String(rows.count)] + rows.flatMap { [$0.price, $0.size] }
    }
    /// An exchange for physical, fields in wire order from the basis points on.
    package static func tickEFP(id: Int, type: Int, _ values: [String]) -> [String] { ["47", "1", String(id), String(type)] + values }
    /// Quotes of a CFD come from its underlying.
    package static func rerouteQuotes(id: Int, conId: Int64, exchange: String) -> [String] { ["91", String(id), String(conId), exchange] }
    package static func rerouteDepth(id: Int, conId: Int64, exchange: String) -> [String] { ["92", String(id), String(conId), exchange] }
    package static func deltaNeutralValidation(id: Int, conId: Int64, delta: String, price: String) -> [String] {
        ["56", "1", String(id), String(conId), delta, price]
    }
}
