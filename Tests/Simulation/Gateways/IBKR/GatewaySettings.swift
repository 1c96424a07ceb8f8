// How a simulated gateway is set up, and the switches that make it misbehave on purpose.
package import Values
package import Venues

/// How a gateway is set up.
package struct GatewaySettings: Sendable {
    /// The paper account; live accounts begin with U.
    package var account: String
    /// 157...178; a gateway of an older release answers less.
    package var maximumVersion: Int
    /// The zone of the gateway's login, in which it writes times.
    package var zone: USZone
    package var switches: [GatewaySwitch]
    /// Of the chance in faults.
    package var faultSeed: UInt64
    /// The client id that hears of every client's orders and executions; nil for none.
    package var master: Int?
    /// Somebody trades by hand at the TWS, too.
    package var isManual: Bool
    /// Messages a client may send in a second; each one more is answered with error 100 alone, and the third time the connection closes. 0 for no limit.
    package var rate: Int
    /// Instruments whose quotes all clients of the login together may watch.
    package var lines: Int
    /// Orders that are over and are remembered for lists and late questions, 1 or more.
    package var finishedOrdersMax: Int
    /// Streams of single ticks they may have: a twentieth of the lines, and three at least.
    var tickStreamsMax: Int { max(lines / 20, 3) }
    package init(
        account: String = "DU1234567", maximumVersion: Int = 178, zone: USZone = .eastern, switches: [GatewaySwitch] = [], rate: Int = 50,
        lines: Int = 100, faultSeed: UInt64 = 1, master: Int? = nil, isManual: Bool = false,
        finishedOrdersMax: Int = PaperExchange.finalOrdersMax
    ) {
        precondition((157...178).contains(maximumVersion) && lines > 0, "server version out of 157...178, or no market data lines")
        precondition(rate >= 0, "a rate below zero")
        self.account = account; self.maximumVersion = maximumVersion; self.zone = zone; self.switches = switches; self.rate = rate
        self.lines = lines; self.faultSeed = faultSeed; self.master = master; self.isManual = isManual
        self.finishedOrdersMax = finishedOrdersMax
    }

    /// Most messages a client may send in a second; nil for any number.
    var messagesPerSecondMax: Int? {
        for case .pacing(let rate) in switches { return rate }
        return rate == 0 ? nil : rate
    }
    /// Bytes of one piece of output; nil for whole messages.
    var pieceBytes: Int? {
        for case .split(let bytes) in switches { return bytes }
        return nil
    }
    /// Bytes a second that are read from a client; nil for all there are.
    var readBytes: Int? {
        for case .slowReader(let bytes) in switches { return bytes }
        return nil
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
    /// The nightly reset begins: 1100 and broken farms, false refusals, no orders; it ends by itself with 1101 or 1102.
    case reset(lasting: Span)
    /// The gateway restarts: connections close, untransmitted orders are gone, nobody is served so long.
    case restart(lasting: Span)
    /// Another session of the user takes the market data for so long.
    case competingSession(lasting: Span)
    /// The last execution is corrected to another price.
    case correctLastExecution
    /// Trading in an instrument stops, or goes on.
    case halt(InstrumentID), resume(InstrumentID)
}
