// The paper venue's session as the world sees it: every order counted, a broker with a clock of its own, and a process that may die around an order.
package import Ledger
internal import Synchronization
package import Values
package import Venues

/// How far the edge's wall clock is from the broker's, which keeps the world's time.
package final class BrokerTime: Sendable {
    private let state = Mutex(Span.zero)
    package init() {}
    package var offset: Span {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// When the process dies around an order.
package enum DeathAtOrder: Sendable { case before, after }

/// A paper session with a witness. The broker inside outlives the edge's process.
package struct WatchedSession: VenueSession {
    private var session: PaperSession
    private let time: BrokerTime
    /// Tags the broker was asked to place in this process, in order.
    package private(set) var placed: [String] = []
    /// The process died at an order: nothing after it happened.
    package private(set) var isDead = false
    /// Dies at the order that this counts down to.
    private var death: (moment: DeathAtOrder, orders: Int)?
    private let breaker: Breaker
    /// The broker lets this one not in.
    private let isUnplugged: Bool

    package init(
        broker: PaperBroker, time: BrokerTime, generation: Int64, death: (moment: DeathAtOrder, orders: Int)? = nil, breaker: Breaker = .none,
        isUnplugged: Bool = false
    ) {
        self.isUnplugged = isUnplugged
        // A chart's history costs most of a world's time and decides nothing in it.
        session = PaperSession(broker: broker, generation: generation, history: 3)
        self.time = time; self.death = death; self.breaker = breaker
    }

    /// The exchange and its books.
    package var broker: PaperBroker { session.broker }

    package mutating func start(at now: Instant, into out: inout SessionOutput) {
        guard !isUnplugged else { return }
        let heard = out.events.count
        session.start(at: now - time.offset, into: &out)
        restamp(&out, from: heard)
        guard breaker == .ordersTwice, let last = session.broker.exchange.orders.last else { return }
        placed.append(session.broker.reference(of: last.ticket.id))
    }
    package mutating func transport(_ event: TransportEvent, at now: Instant, into out: inout SessionOutput) {
        guard !isDead else { return }
        let heard = out.events.count
        session.transport(event, at: now - time.offset, into: &out)
        restamp(&out, from: heard)
    }
    package mutating func receive(_ bytes: RawSpan, at now: Instant, into out: inout SessionOutput) {
        guard !isDead else { return }
        let heard = out.events.count
        session.receive(bytes, at: now - time.offset, into: &out)
        restamp(&out, from: heard)
    }
    package mutating func tick(at now: Instant, into out: inout SessionOutput) {
        guard !isDead else { return }
        let heard = out.events.count
        session.tick(at: now - time.offset, into: &out)
        restamp(&out, from: heard)
        if breaker == .losesFills { loseFills(of: &out) }
    }

    /// When something was heard is told by the edge's own clock; only what happened at the broker has the broker's time.
    private func restamp(_ out: inout SessionOutput, from first: Int) {
        let offset = time.offset
        guard offset != .zero, first < out.events.count else { return }
        for index in first..<out.events.count {
            switch out.events[index] {
            case .quote(let id, var quote):
                quote.asOf = quote.asOf + offset
                out.events[index] = .quote(id, quote)
            case .account(var values):
                values.asOf = values.asOf + offset
                out.events[index] = .account(values)
            case .margin(let id, var margin):
                margin.asOf = margin.asOf + offset
                out.events[index] = .margin(id, margin)
            default: break
            }
        }
    }

    /// A fill that is lost live alone is found by the comparison that follows an end without executions.
    private func loseFills(of out: inout SessionOutput) {
        out.events = out.events.compactMap { event in
            switch event {
            case .fill: return nil
            case .snapshot(var picture):
                picture.fills = []
                return .snapshot(picture)
            default: return event
            }
        }
    }

    package mutating func clockWasSet(by step: Span, at now: Instant, into out: inout SessionOutput) {
        let heard = out.events.count
        session.clockWasSet(by: step, at: now - time.offset, into: &out)
        restamp(&out, from: heard)
    }

    package mutating func place(_ intent: consuming DurableIntent, at now: Instant, into out: inout SessionOutput) {
        guard !isDead else { return }
        var dies = false
        if let (moment, orders) = death {
            death = orders > 1 ? (moment, orders - 1) : nil
            dies = orders <= 1
            if dies, moment == .before { isDead = true; return }
        }
        placed += intent.tags.map(\.text)
        let heard = out.events.count
        session.place(intent, at: now - time.offset, into: &out)
        restamp(&out, from: heard)
        isDead = dies
    }
    package mutating func request(_ request: VenueRequest, at now: Instant, into out: inout SessionOutput) {
        let heard = out.events.count
        if !isDead { session.request(request, at: now - time.offset, into: &out) }
        restamp(&out, from: heard)
        if breaker == .losesFills { loseFills(of: &out) }
    }
}
