// What a broker session tells the desk: the words that Trading and Venues share.
package import Values

/// One open or finished order as the broker lists it.
package struct BrokerOrder: Hashable, Sendable {
    /// `orderRef` as found; empty for orders without one.
    package var reference: String
    package var brokerOrderID: Int64
    package var permID: Int64
    package var clientID: Int64
    package var account: String
    /// Nil when the session does not know the contract by our id.
    package var instrument: InstrumentID?
    package var side: Side
    package var quantity: Quantity
    package var cumQty: Quantity
    package var status: OrdStatus
    /// The level of a resting stop as the broker has it.
    package var stopPrice: Price?
    package var text: String
    package init(
        reference: String, brokerOrderID: Int64, permID: Int64, clientID: Int64, account: String, instrument: InstrumentID?, side: Side,
        quantity: Quantity,
        cumQty: Quantity, status: OrdStatus, stopPrice: Price? = nil, text: String = ""
    ) {
        self.reference = reference; self.brokerOrderID = brokerOrderID; self.permID = permID; self.clientID = clientID; self.account = account
        self.instrument = instrument; self.side = side; self.quantity = quantity; self.cumQty = cumQty; self.status = status
        self.stopPrice = stopPrice; self.text = text
    }
}

/// One position as the broker lists it.
package struct BrokerPosition: Hashable, Sendable {
    package var account: String
    /// Our id, or the broker's symbol when the contract is not one we know.
    package var instrument: InstrumentID
    package var quantity: Quantity
    package init(account: String, instrument: InstrumentID, quantity: Quantity) {
        self.account = account; self.instrument = instrument; self.quantity = quantity
    }
}

/// An execution as the broker reports it; `reference` is the order's `orderRef`.
package struct BrokerFill: Hashable, Sendable {
    package var fill: Fill
    package var reference: String
    /// The order's number in the session, 0 or negative for foreign orders.
    package var brokerOrderID: Int64
    /// True when it was read from the broker's history, not heard as it happened.
    package var isReplayed = false
    package init(fill: Fill, reference: String, brokerOrderID: Int64) {
        self.fill = fill; self.reference = reference; self.brokerOrderID = brokerOrderID
    }
}

/// A whole picture of the account at the broker; exists only when every end mark arrived (R12).
package struct BrokerSnapshot: Hashable, Sendable {
    /// The connection it was taken in.
    package var generation: Int64
    package var startedAt: Instant
    package var completedAt: Instant
    package var openOrders: [BrokerOrder]
    package var completedOrders: [BrokerOrder]
    package var fills: [BrokerFill]
    package var positions: [BrokerPosition]
    package init(
        generation: Int64, startedAt: Instant, completedAt: Instant, openOrders: [BrokerOrder], completedOrders: [BrokerOrder], fills: [BrokerFill],
        positions: [BrokerPosition]
    ) {
        self.generation = generation; self.startedAt = startedAt; self.completedAt = completedAt; self.openOrders = openOrders
        self.completedOrders = completedOrders; self.fills = fills; self.positions = positions
    }
}

/// One thing a venue's session tells the desk.
package enum VenueEvent: Hashable, Sendable {
    /// The session's condition changed. Orders may be asked for only while it is `.connected` or `.reconciling`.
    case condition(GatewayState, generation: Int64)
    /// Logged in: the account, and the lowest order id the broker will take.
    case ready(account: String, generation: Int64, nextOrderID: Int64)
    /// Order ids below this one are used up, by the session itself or at the broker.
    case orderIDFloor(Int64)
    case instrument(Instrument)
    /// The front-month contract of a root symbol was found.
    case front(symbol: String, InstrumentID)
    /// No such contract, or none without a doubt.
    case noInstrument(symbol: String, text: String)
    case quote(InstrumentID, Quote)
    /// A trade; `Quote.last` says the same, this keeps each one for bars.
    case trade(InstrumentID, price: Price, size: Quantity, at: Instant)
    /// History or a live update; the last bar may still be forming.
    case bars(InstrumentID, [Bar], isHistory: Bool)
    case account(AccountValues)
    case margin(InstrumentID, ContractMargin)
    /// What the broker says of an order of ours, by the number it was sent under (reference empty) or by reference.
    case order(BrokerOrder, code: Int64?)
    case fill(BrokerFill)
    /// A cancel came to nothing: the broker was seen to work the order after it, as the order says.
    case cancelRefused(BrokerOrder, code: Int64?, text: String)
    /// The broker said something of an order that is over or in doubt, and does not list it as open: only a comparison can tell its fate.
    case orderMissing(reference: String, brokerOrderID: Int64, text: String)
    case commission(Commission)
    /// A request was refused or a warning came for this instrument.
    case notice(Notice)
    case snapshot(BrokerSnapshot)
    /// A snapshot was asked for and could not be completed: no conclusion.
    case snapshotFailed(generation: Int64, text: String)
    /// The bytes of these orders were handed to the socket.
    case sent(brokerOrderIDs: [Int64])
}
