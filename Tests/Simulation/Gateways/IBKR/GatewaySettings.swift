// How a simulated gateway is set up, and the switches that make it misbehave on purpose.
package import Values
package import Venues

/// One way of misbehaving; several may be on at once.
package enum GatewaySwitch: Hashable, Sendable {
    /// Accepts connections and never says a word.
    case wedge
    /// The account may not trade futures: 203 on every such order.
    case noPermission
    /// No live market data: 354, 10089 or 10168 on every request for quotes of a symbol, or of all.
    case noMarketData(code: Int, symbol: String? = nil)
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
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let value = parts.count == 2 ? parts[1] : nil
        let number = value.flatMap { Int($0) }
        if parts[0] == "no-market-data" { self.init(data: value ?? "354"); return }
        guard value == nil || (number ?? 0) > 0 else { return nil }
        switch (parts[0], number) {
        case ("wedge", nil): self = .wedge
        case ("no-permission", nil): self = .noPermission
        case ("read-only", nil): self = .readOnly
        case ("cut-after-order", let count): self = .cutAfterOrder(count ?? 1)
        case ("lose-order", let count): self = .loseOrder(count ?? 1)
        case ("drop-every", let seconds?): self = .dropEvery(.seconds(Int64(seconds)))
        case ("client-id-in-use", let times): self = .clientIdInUse(times: times ?? .max)
        default: return nil
        }
    }
    /// `CODE`, `SYMBOL` or `CODE:SYMBOL`.
    private init?(data text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let code = Int(parts[0])
        guard parts.count <= 2, code.map({ [354, 10_089, 10_168].contains($0) }) ?? (parts.count == 1), !parts.contains("") else { return nil }
        self = .noMarketData(code: code ?? 354, symbol: code == nil ? parts[0] : parts.count == 2 ? parts[1] : nil)
    }
    /// One line a switch, for a usage text.
    package static let usage = """
        wedge                  accept connections, never answer
        no-permission          203 on futures orders
        no-market-data[=CODE[:SYMBOL]|=SYMBOL]
                               354 (or 10089, 10168) on requests for quotes
        read-only              321 on every order
        cut-after-order[=N]    place the Nth order, drop the connection before the acknowledgement
        lose-order[=N]         drop the connection with the Nth order, which is lost
        drop-every=SECONDS     drop all connections every so often
        client-id-in-use[=N]   answer every attempt, or the first N, with 326
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
    /// Instruments whose quotes all clients of the login together may watch.
    package var lines: Int
    /// Streams of single ticks they may have: a twentieth of the lines, and three at least.
    var tickStreamsMax: Int { max(lines / 20, 3) }
    package init(
        account: String = "DU1234567", maximumVersion: Int = 178, zone: USZone = .eastern, switches: [GatewaySwitch] = [], isPacing: Bool = true,
        lines: Int = 100
    ) {
        precondition((157...178).contains(maximumVersion) && lines > 0, "server version out of 157...178, or no market data lines")
        self.account = account; self.maximumVersion = maximumVersion; self.zone = zone; self.switches = switches; self.isPacing = isPacing
        self.lines = lines
    }

    /// The code with which quotes of a symbol are refused; nil when they are not.
    func dataRefusal(of symbol: String) -> Int? {
        for case .noMarketData(let code, let only) in switches where only == nil || only == symbol { return code }
        return nil
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
