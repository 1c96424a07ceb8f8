// The edge's own paper venue: a session on the paper exchange without a gateway or a wire.
package import Ledger
package import Values

/// Speaks to a `PaperBroker` in the same process. Everything it does is told as events, never returned.
package struct PaperSession: VenueSession {
    package private(set) var broker: PaperBroker
    private let generation: Int64
    private let history: Int
    private var isConnected = false
    private var watched: Set<InstrumentID> = []
    private var quotes: [InstrumentID: Quote] = [:]
    /// Executions are told once; those of before this connection only by snapshot.
    private var nextAccountAt: Instant?
    /// How often the account's values are told when nothing trades.
    private static let accountInterval = Span.seconds(1)
    /// Whose margin was asked for: it is told again, as orders are judged by what is of now.
    private var margins: Set<InstrumentID> = []
    private var nextMarginsAt: Instant?
    private static let marginInterval = Span.minutes(10)

    /// - Parameter history: one-minute bars told when an instrument is first watched.
    package init(broker: PaperBroker, generation: Int64, history: Int = 480) {
        self.broker = broker; self.generation = generation; self.history = history
    }

    package mutating func start(at now: Instant, into out: inout SessionOutput) {
        isConnected = true
        out.events.append(.condition(state(.connected, "The paper exchange is open.", at: now), generation: generation))
        let next = (broker.exchange.orders.map(\.ticket.id.raw).max() ?? 0) + 1
        out.events.append(.ready(account: broker.account, generation: generation, nextOrderID: next))
        for listing in broker.exchange.listings { out.events.append(.instrument(listing.instrument)) }
        let today = CivilDate(dayNumber: Int(now.seconds / 86_400))
        var symbols: Set<String> = []
        let futures = broker.exchange.listings.map(\.instrument).filter { ($0.maturityDate ?? today) >= today && $0.securityType == .future }
        let nearestFirst = futures.sorted { ($0.maturityDate ?? today, $0.id) < ($1.maturityDate ?? today, $1.id) }
        for future in nearestFirst where symbols.insert(future.symbol).inserted {
            out.events.append(.front(symbol: future.symbol, future.id))
        }
        tellAccount(at: now, into: &out)
    }

    package mutating func transport(_ event: TransportEvent, at now: Instant, into out: inout SessionOutput) {
        guard case .disconnected(let text) = event, isConnected else { return }
        isConnected = false
        out.events.append(.condition(state(.unreachable, text, at: now), generation: generation))
    }

    package mutating func receive(_ bytes: RawSpan, at now: Instant, into out: inout SessionOutput) {
        preconditionFailure("the paper venue has no wire")
    }

    package mutating func tick(at now: Instant, into out: inout SessionOutput) {
        guard isConnected else { return }
        tell(broker.exchange.advance(to: now), at: now, into: &out)
        if now >= nextAccountAt ?? now { tellAccount(at: now, into: &out) }
        guard let next = nextMarginsAt, now >= next else { return }
        for id in margins.sorted() { tellMargin(id, at: now, into: &out) }
        nextMarginsAt = now + PaperSession.marginInterval
    }

    /// The account is told again at once; the exchange itself lives in the time it is told.
    package mutating func clockWasSet(by step: Span, at now: Instant, into out: inout SessionOutput) {
        nextAccountAt = nil
        nextMarginsAt = nextMarginsAt.map { _ in now }
    }

    package mutating func place(_ intent: consuming DurableIntent, at now: Instant, into out: inout SessionOutput) {
        guard isConnected else { return }
        let ids = intent.ticket.legs.map { PaperOrderID($0.brokerOrderID) }
        for (index, leg) in intent.ticket.legs.enumerated() {
            broker.remember(intent.tags[index].text, for: ids[index])
            let ticket = PaperSession.ticket(leg, id: ids[index], parent: leg.parent.map { ids[$0] })
            tell(broker.exchange.handle(.place(ticket), at: now), at: now, into: &out)
        }
        out.events.append(.sent(brokerOrderIDs: ids.map(\.raw)))
    }

    package mutating func request(_ request: VenueRequest, at now: Instant, into out: inout SessionOutput) {
        guard isConnected else { return }
        switch request {
        case .snapshot:
            tell(broker.exchange.advance(to: now), at: now, into: &out)
            let orders = broker.exchange.orders
            out.events.append(
                .snapshot(
                    BrokerSnapshot(
                        generation: generation, startedAt: now, completedAt: now, openOrders: orders.filter { !$0.state.isFinal }.map(broker.record),
                        completedOrders: orders.filter(\.state.isFinal).map(broker.record), fills: broker.executions, positions: broker.positions)))
        case .margin(let id):
            margins.insert(id)
            if nextMarginsAt == nil { nextMarginsAt = now + PaperSession.marginInterval }
            tellMargin(id, at: now, into: &out)
        case .watch(let id):
            guard watched.insert(id).inserted else { return }
            let bars = broker.exchange.bars(id, length: .minutes(1), count: history, end: now)
            if !bars.isEmpty { out.events.append(.bars(id, bars, isHistory: true)) }
            tell(broker.exchange.handle(.watch(id), at: now), at: now, into: &out)
        case .cancel(let id, _): tell(broker.exchange.handle(.cancel(PaperOrderID(id)), at: now), at: now, into: &out)
        case .modify(let leg, _, _):
            let id = PaperOrderID(leg.brokerOrderID)
            let ticket = PaperSession.ticket(leg, id: id, parent: broker.exchange.order(id)?.ticket.parent)
            tell(broker.exchange.handle(.replace(ticket), at: now), at: now, into: &out)
        }
    }

    private static func ticket(_ leg: Leg, id: PaperOrderID, parent: PaperOrderID?) -> PaperTicket {
        let trail: Trail? =
            switch leg.trailing {
            case .amount(let amount): .amount(amount)
            case .percent(let part): .fraction(part)
            case nil: nil
            }
        return PaperTicket(
            id: id, instrument: leg.instrument, side: leg.side, quantity: leg.quantity, type: leg.ordType, limitPrice: leg.limitPrice,
            stopPrice: leg.stopPrice, trail: trail, timeInForce: leg.timeInForce, outsideHours: true, parent: parent)
    }

    private mutating func tell(_ events: [PaperEvent], at now: Instant, into out: inout SessionOutput) {
        for event in events {
            switch event {
            case .quote(let id, let touch, let at):
                var quote = quotes[id] ?? Quote(asOf: at)
                quote.bid = touch.bid; quote.bidSize = touch.bidSize; quote.ask = touch.ask; quote.askSize = touch.askSize; quote.asOf = at
                show(quote, of: id, into: &out)
            case .trade(let id, let trade, let at):
                var quote = quotes[id] ?? Quote(asOf: at)
                quote.last = trade.price; quote.lastSize = trade.size; quote.asOf = at
                show(quote, of: id, into: &out)
                out.events.append(.trade(id, price: trade.price, size: trade.size, at: at))
            // This venue's exchange is never halted, and tells nothing wrong.
            case .halted, .corrected: break
            case .order(let order): out.events.append(.order(broker.record(order), code: nil))
            case .fill(let fill):
                out.events.append(.fill(broker.record(fill)))
                out.events.append(.commission(Commission(execID: "P\(fill.serial)", amount: fill.commission, currency: "USD")))
                nextAccountAt = now
            case .refused(let id, let refusal):
                out.events.append(.order(PaperSession.refused(id, broker.reference(of: id), broker.account, refusal), code: 201))
            }
        }
    }

    private mutating func show(_ quote: Quote, of id: InstrumentID, into out: inout SessionOutput) {
        quotes[id] = quote
        out.events.append(.quote(id, quote))
    }

    /// A refused order never existed at the exchange; a refused cancel or change leaves the order as it was.
    private static func refused(_ id: PaperOrderID, _ reference: String, _ account: String, _ refusal: PaperRefusal) -> BrokerOrder {
        let isAboutExisting: Bool =
            switch refusal {
            case .unknownOrder, .final, .cannotChange, .duplicateID: true
            default: false
            }
        return BrokerOrder(
            reference: reference, brokerOrderID: id.raw, permID: 0, clientID: 1, account: account, instrument: nil, side: .buy, quantity: .zero,
            cumQty: .zero, status: isAboutExisting ? .pendingNew : .rejected, text: "The paper exchange refused: \(refusal)")
    }

    private mutating func tellAccount(at now: Instant, into out: inout SessionOutput) {
        let balance = broker.exchange.balance()
        var values = AccountValues(account: broker.account, currency: "USD", asOf: now)
        values.netLiquidation = balance.netLiquidation; values.availableFunds = balance.availableFunds
        values.initialMargin = balance.initialMargin; values.maintenanceMargin = balance.maintenanceMargin
        out.events.append(.account(values))
        nextAccountAt = now + PaperSession.accountInterval
    }

    private mutating func tellMargin(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        let ticket = PaperTicket(id: PaperOrderID(.max), instrument: id, side: .buy, quantity: Quantity(whole: 1))
        guard let preview = try? broker.exchange.preview(ticket),
            let initial = preview.after.initialMargin.subtracting(preview.before.initialMargin),
            let maintenance = preview.after.maintenanceMargin.subtracting(preview.before.maintenanceMargin), initial > .zero
        else { return }
        out.events.append(.margin(id, ContractMargin(initial: initial, maintenance: maintenance, asOf: now)))
    }

    private func state(_ condition: GatewayCondition, _ text: String, at now: Instant) -> GatewayState {
        GatewayState(condition: condition, since: now, text: text, cure: "", account: broker.account, isTrading: false)
    }
}
