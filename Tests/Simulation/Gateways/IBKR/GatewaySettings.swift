// How a simulated gateway is set up, and the switches that make it misbehave on purpose.
package import Values
package import Venues

/// One way of misbehaving; several may be on at once.
package enum GatewaySwitch: Hashable, Sendable {
    /// Accepts connections and never says a word.
    case wedged
    /// The account may not trade futures: 203 on every such order.
    case refuseFutures
    /// No live market data: 354, 10089 or 10168 on every request for quotes.
    case noMarketData(code: Int)
    /// Orders are refused with 321: the API is set to read-only.
    case readOnly
    /// After this many orders the connection drops: the order is placed, its acknowledgement never sent. Once.
    case cutAfterOrder(Int)
    /// The same, but the order is lost with the connection. Once.
    case loseOrder(Int)
    /// All connections drop every so often.
    case dropEvery(Span)
    /// The first so many attempts to use a client id are answered 326.
    case clientIdInUse(times: Int)

    /// Reads `NAME` or `NAME=VALUE`; nil for what is unknown or has a senseless value.
    package init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        let number = parts.count == 2 ? Int(parts[1]) : nil
        guard let name = parts.first, parts.count == 1 || (number ?? 0) > 0 else { return nil }
        switch (name, number) {
        case ("wedged", nil): self = .wedged
        case ("refuse-futures", nil): self = .refuseFutures
        case ("no-market-data", nil): self = .noMarketData(code: 354)
        case ("no-market-data", let code?): self = .noMarketData(code: code)
        case ("read-only", nil): self = .readOnly
        case ("cut-after-order", let count): self = .cutAfterOrder(count ?? 1)
        case ("lose-order", let count): self = .loseOrder(count ?? 1)
        case ("drop-every", let seconds?): self = .dropEvery(.seconds(Int64(seconds)))
        case ("client-id-in-use", let times): self = .clientIdInUse(times: times ?? 1)
        default: return nil
        }
    }
    /// One line a switch, for a usage text.
    package static let usage = """
        wedged                 accept connections, never answer
        refuse-futures         203 on futures orders
        no-market-data[=CODE]  354 (or 10089, 10168) on requests for quotes
        read-only              321 on every order
        cut-after-order[=N]    place the Nth order, drop the connection before the acknowledgement
        lose-order[=N]         drop the connection with the Nth order, which is lost
        drop-every=SECONDS     drop all connections every so often
        client-id-in-use[=N]   answer the first N attempts with 326
        """
}

/// How a gateway is set up.
package struct GatewaySettings: Sendable {
    /// The paper account; live accounts begin with U.
    package var account: String
    /// 157...178; a gateway of an older release answers less.
    package var maximumVersion: Int
    /// The zone of the gateway's login, in which it writes times.
    package var zone: USZone
    package var switches: [GatewaySwitch]
    /// Answers more than 50 messages a second with error 100, and the third time with a closed connection.
    package var isPacing: Bool
    package init(
        account: String = "DU1234567", maximumVersion: Int = 178, zone: USZone = .eastern, switches: [GatewaySwitch] = [], isPacing: Bool = true
    ) {
        precondition((157...178).contains(maximumVersion), "server version out of 157...178")
        self.account = account; self.maximumVersion = maximumVersion; self.zone = zone; self.switches = switches; self.isPacing = isPacing
    }
}

/// What the world does to a running gateway.
package enum GatewayIncident: Hashable, Sendable {
    /// IBKR cannot be reached (1100): no data flows.
    case linkLost
    /// It can again: 1101 when subscriptions are gone, 1102 when they are not.
    case linkRestored(dataLost: Bool)
    /// All connections close.
    case dropConnections
    /// The last execution is told again, as gateways do.
    case repeatLastExecution
}
