// The paper venue's session as the world sees it: every order counted, and a process that may die around the moment of sending.
package import Ledger
package import Values
package import Venues

/// When the process dies around an order.
package enum DeathAtOrder: Sendable { case before, after }

/// A paper session with a witness. The broker inside outlives the edge's process.
package struct WatchedSession: VenueSession {
    private var session: PaperSession
    /// Tags the broker was asked to place since the last `takePlaced`, in order.
    package private(set) var placed: [String] = []
    /// The process died at an order: nothing after it happened.
    package private(set) var isDead = false
    /// Dies at the order that this counts down to.
    private var death: (moment: DeathAtOrder, orders: Int)?
    /// The rule breaker that sends the last order once more when it connects.
    private let resends: Bool

    package init(broker: PaperBroker, generation: Int64, death: (moment: DeathAtOrder, orders: Int)? = nil, resends: Bool = false) {
        // A chart's history costs most of a world's time and decides nothing in it.
        session = PaperSession(broker: broker, generation: generation, history: 3)
        self.death = death; self.resends = resends
    }

    /// The exchange and its books.
    package var broker: PaperBroker { session.broker }

    package mutating func start(at now: Instant, into out: inout SessionOutput) {
        session.start(at: now, into: &out)
        guard resends, let last = session.broker.exchange.orders.last else { return }
        placed.append(session.broker.reference(of: last.ticket.id))
    }
    package mutating func transport(_ event: TransportEvent, at now: Instant, into out: inout SessionOutput) {
        if !isDead { session.transport(event, at: now, into: &out) }
    }
    package mutating func receive(_ bytes: RawSpan, at now: Instant, into out: inout SessionOutput) {
        if !isDead { session.receive(bytes, at: now, into: &out) }
    }
    package mutating func tick(at now: Instant, into out: inout SessionOutput) { if !isDead { session.tick(at: now, into: &out) } }

    package mutating func place(_ intent: consuming DurableIntent, at now: Instant, into out: inout SessionOutput) {
        guard !isDead else { return }
        var dies = false
        if let (moment, orders) = death {
            death = orders > 1 ? (moment, orders - 1) : nil
            dies = orders <= 1
            if dies, moment == .before { isDead = true; return }
        }
        placed += intent.tags.map(\.text)
        session.place(intent, at: now, into: &out)
        isDead = dies
    }
    package mutating func request(_ request: VenueRequest, at now: Instant, into out: inout SessionOutput) {
        if !isDead { session.request(request, at: now, into: &out) }
    }
}
