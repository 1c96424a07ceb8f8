// The seam between the edge and a broker: a session takes bytes and requests, and gives events and bytes.
package import Ledger
package import Values

/// What the edge asks of a venue besides placing an intent.
package enum VenueRequest: Hashable, Sendable {
    /// The whole picture of the account for reconciliation.
    case snapshot
    /// Margin of one contract, by what-if.
    case margin(InstrumentID)
    /// Quotes, trades and one-minute bars of an instrument.
    case watch(InstrumentID)
    /// Cancel the order known by this number; the intent to cancel is durable already.
    case cancel(brokerOrderID: Int64, tag: ClOrdID)
    /// Replace the order's leg by this one (same broker order id); the intent to modify is durable already.
    case modify(Leg, tag: ClOrdID, account: String)
}

/// What the transport under a session tells it.
package enum TransportEvent: Hashable, Sendable {
    case connected
    /// Connecting failed or the connection ended, in words.
    case disconnected(String)
}

/// What a session wants done with its transport.
package enum TransportWish: Hashable, Sendable {
    /// To the address of the settings.
    case connect
    /// To the same host at another port, 1...65535: the gateway named it.
    case connectTo(port: Int)
    case disconnect
}

/// One reused output of a session's calls. The shell empties it after each call.
package struct SessionOutput: Sendable {
    package var events: [VenueEvent] = []
    /// Bytes to write, in order.
    package var bytes: [UInt8] = []
    package var transport: TransportWish?
    package init() {}
    /// Empties it, keeping the storage.
    package mutating func clear() { events.removeAll(keepingCapacity: true); bytes.removeAll(keepingCapacity: true); transport = nil }
}

/// One broker's session as a state machine: no socket, no clock, no chance of its own.
package protocol VenueSession: Sendable {
    /// Begins: usually wishes to connect.
    mutating func start(at now: Instant, into out: inout SessionOutput)
    mutating func transport(_ event: TransportEvent, at now: Instant, into out: inout SessionOutput)
    /// Bytes as they came; frames may be split anywhere.
    mutating func receive(_ bytes: RawSpan, at now: Instant, into out: inout SessionOutput)
    /// Time passed: timeouts, heartbeats, paced requests. Called at least every 100 ms.
    mutating func tick(at now: Instant, into out: inout SessionOutput)
    /// The time that all calls are told was set by `step`, to `now`: nothing that was waited for may take longer for it.
    mutating func clockWasSet(by step: Span, at now: Instant, into out: inout SessionOutput)
    /// Sends the orders of an intent that is on disk. Uses the proof up.
    mutating func place(_ intent: consuming DurableIntent, at now: Instant, into out: inout SessionOutput)
    mutating func request(_ request: VenueRequest, at now: Instant, into out: inout SessionOutput)
}
