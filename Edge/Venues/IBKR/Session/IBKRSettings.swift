// What a session with IB Gateway is told at its start: whose orders, which contracts, and how long it waits for what.
package import Values

/// An instrument to be found at the broker.
package enum InstrumentWish: Hashable, Sendable {
    /// Every listed month of a future; the nearest to expire that still trades is the front month.
    case future(symbol: String, exchange: String, currency: String)
    /// One stock, routed by SMART.
    case stock(symbol: String, primaryExchange: String, currency: String)

    /// The root symbol.
    package var symbol: String {
        switch self {
        case .future(let symbol, _, _), .stock(let symbol, _, _): symbol
        }
    }
}

/// Which prices are asked for where live ones are not to be had. Only live ones are traded on; the rest is shown as delayed.
package enum MarketDataKind: String, CaseIterable, Sendable {
    /// Live prices or none.
    case live
    /// Live prices, and the last ones of a market that is shut.
    case frozen
    /// Prices of 10 to 20 minutes ago where live ones are not subscribed.
    case delayed
    /// Delayed ones, and the last of them while the market is shut.
    case delayedFrozen = "delayed-frozen"

    /// The gateway's number for it.
    var wire: Int64 {
        switch self {
        case .live: 1
        case .frozen: 2
        case .delayed: 3
        case .delayedFrozen: 4
        }
    }
}

/// How long the session waits, and how fast it may send. The defaults are those of the plan; tests shorten some.
package struct IBKRLimits: Hashable, Sendable {
    /// For TCP to connect.
    package var connect = Span.seconds(10)
    /// For the gateway's version after our greeting. A wedged gateway is known by this.
    package var greeting = Span.seconds(5)
    /// For account and order id after startApi.
    package var start = Span.seconds(15)
    /// For the answer to an ordinary request.
    package var request = Span.seconds(15)
    /// For history, which the broker serves slowly at times.
    package var history = Span.seconds(60)
    /// For all end marks of one snapshot.
    package var snapshot = Span.seconds(20)
    /// For the end of a list whose end mark carries no id; then the connection is made anew. Longer than a snapshot waits.
    package var list = Span.seconds(30)
    /// Silence after which the gateway is asked for its time.
    package var quiet = Span.seconds(30)
    /// For the answer to that question.
    package var heartbeat = Span.seconds(10)
    /// Silence of one stream, in trading hours, after which it is asked for anew.
    package var silentStream = Span.seconds(30)
    /// For the first word about an order; then the open orders are read again.
    package var acknowledgement = Span.seconds(5)
    /// How often the levels of trailing stops are read: the broker moves them without telling.
    package var trailingRefresh = Span.seconds(5)
    /// How long an order's last word waits for the executions that it speaks of.
    package var lateExecutions = Span.seconds(10)
    /// Figures of the account that were not told for so long are asked for.
    package var accountRefresh = Span.minutes(5)
    /// How often a contract's margin is asked for again.
    package var marginRefresh = Span.minutes(10)
    /// Reconnecting waits a random part of this, doubled with each failure ...
    package var backoffFirst = Span.milliseconds(100)
    /// ... up to this.
    package var backoffMax = Span.seconds(30)
    /// The gateway needs this long to forget a client id after its socket closed.
    package var sameClientID = Span.seconds(1)
    /// Before the next try when the client id is in use, or the gateway is wedged: hammering helps nobody.
    package var stubborn = Span.seconds(10)
    /// Messages in any second; the gateway takes 50.
    package var messagesPerSecond = 40
    /// Messages in any second kept for cancels and closing orders, beyond `messagesPerSecond`.
    package var reservedPerSecond = 5
    package init() {}
}

/// Everything that a session is set up with.
///
/// `IBKRSession(settings:instruments:nextOrderID:random:)` takes this, the instruments to find, the lowest order id that the ledger allows
/// (its highest broker order id + 1) and a generator for the jitter of reconnecting.
package struct IBKRSettings: Sendable {
    /// 1...2^31-1, always the same for an edge: only under its id can its orders be changed. 0 would bind orders placed by hand.
    package var clientID: Int64
    /// Ids to take, in turn, when the one before stays in use. Orders placed under another id are seen and cannot be changed. Mostly empty.
    package var spareClientIDs: [Int64] = []
    /// Paper refuses accounts that do not begin with D, live those that do.
    package var mode: TradingMode
    /// The account to trade; empty = the login's only one.
    package var account: String
    /// The highest server version to offer, 157...178.
    package var maximumVersion: Int
    /// What is shown where live prices are not to be had. No order is placed on anything but live ones.
    package var marketData: MarketDataKind
    /// How zone names become zones, and the zone of the gateway's login for times without a name.
    package var zones: ZoneResolver
    /// Market data lines of the login, 1 or more; IBKR gives 100 and shares them among all its clients.
    package var marketDataLines = 100
    /// How much of the past is asked for as one-minute bars; whole seconds, a day at most.
    package var history = Span.hours(24)
    package var limits: IBKRLimits

    package init(
        clientID: Int64, mode: TradingMode, account: String = "", maximumVersion: Int = IBProtocol.versions.upperBound,
        marketData: MarketDataKind = .live, zones: ZoneResolver, limits: IBKRLimits = IBKRLimits()
    ) {
        precondition(IBProtocol.versions.contains(maximumVersion), "server version \(maximumVersion) is outside \(IBProtocol.versions)")
        self.clientID = clientID; self.mode = mode; self.account = account; self.maximumVersion = maximumVersion
        self.marketData = marketData; self.zones = zones; self.limits = limits
    }
}
