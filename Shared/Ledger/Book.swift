// The book: what all facts so far add up to. The edge, the cloud and recovery fold it with this same code.
package import Values

/// One order as the ledger knows it.
package struct OrderRecord: Hashable, Sendable {
    package let tag: ClOrdID
    package let intent: IntentID
    package let leg: Leg
    package let legIndex: Int
    package let account: String
    package let origin: OrderOrigin
    package let command: CommandID?
    package let bot: String?
    package let reason: String
    /// When the intent was recorded.
    package let createdAt: Instant
    package var status: OrdStatus
    /// What the order was before its fate became unknown.
    package var permID: Int64 = 0
    package var wasSent = false
    /// From executions only; never decreases.
    package var cumQty = Quantity.zero
    /// Sum of price times quantity of the executions, at 10^-16.
    package var filledValue: Int128 = 0
    /// The order's size and prices as last asked for.
    package var quantity: Quantity
    package var limitPrice: Price?
    package var stopPrice: Price?
    package var updatedAt: Instant
    /// When the broker last did not cancel it; nil when it was never so.
    package var cancelRefusedAt: Instant?
    /// The broker's last words about it.
    package var text = ""
    package var code: Int64?

    /// Average price of the fills, or nil without one.
    package var avgPx: Price? { cumQty.raw > 0 ? Decimals.divide(filledValue, by: Int128(cumQty.raw)).map { Price(raw: $0) } : nil }
    /// What is still to fill; never below zero, whatever an edge wrote of its size and its fills.
    package var leavesQty: Quantity {
        guard !status.isTerminal, quantity.raw > 0 else { return .zero }
        // Both are above zero now: the difference fits.
        return Quantity(raw: max(0, quantity.raw - max(0, cumQty.raw)))
    }
    /// True for orders that may still change the position.
    package var isWorking: Bool { !status.isTerminal }
}

/// A fill with its place in the ledger.
package struct FillRecord: Hashable, Sendable {
    package let seq: Seq
    package let fill: Fill
    package let recordedAt: Instant
    package let wasReplayed: Bool
    /// False when nothing was posted for it, as for an execution of what the ledger did not know yet: what was not posted is not posted back.
    package var wasPosted = true
    package var commission: Money?
    /// The execution that the broker put in the place of this one, which no longer counts.
    package var reversedBy: String?
}

/// One bot's step on one instrument.
package struct BotRecord: Hashable, Sendable {
    package let fact: BotFact
    package let seq: Seq
    package let at: Instant
}

/// The fold of an edge's ledger.
package struct Book: Sendable {
    package internal(set) var head = Head.start
    /// Whose ledger this is; nil while it is not known.
    package let edge: EdgeID?
    package internal(set) var boot: BootFact?
    package internal(set) var bootID: Boot?
    /// In the order their intents were recorded.
    package internal(set) var orders = Records<OrderRecord>()
    var orderPlaces = KeyIndex<ClOrdID>()
    var brokerPlaces = KeyIndex<Int64>()
    /// Places in `orders` of those that may still fill, ascending: few, however long the ledger is.
    var workingPlaces: [Int] = []
    /// Those of them whose fate is unknown: every order that is to leave asks, and hundreds may be working.
    var unknownPlaces: [Int] = []
    package internal(set) var positions: [InstrumentID: Position] = [:]
    package internal(set) var instruments: [InstrumentID: Instrument] = [:]
    /// Oldest first.
    package internal(set) var fills = Records<FillRecord>()
    var fillPlaces = KeyIndex<String>()
    var earlyCommissions: [String: Commission] = [:]
    /// Sums over what is settled, for the digest; kept by every change below.
    var settled = Settled()
    package internal(set) var commands: [CommandID: CommandOutcome] = [:]
    /// Orders that a command brought about, in order.
    package internal(set) var commandOrders: [CommandID: [ClOrdID]] = [:]
    package internal(set) var haltLevel = HaltLevel.normal
    package internal(set) var haltFact: HaltFact?
    package internal(set) var haltedInstruments: [InstrumentID: String] = [:]
    package internal(set) var session: BrokerSessionFact?
    package internal(set) var reconciled: ReconciledFact?
    package internal(set) var differences: [Difference] = []
    package internal(set) var bots: [String: BotRecord] = [:]
    package internal(set) var denials: [Denial] = []
    /// What all postings add up to.
    package internal(set) var balances = Balances()
    /// Instruments with something in suspense, each with the asset it is counted in: they take no new exposure.
    package internal(set) var suspended: [InstrumentID: String] = [:]
    /// The first entry whose lines do not add up to zero; nil for books that balance.
    package internal(set) var unbalanced: Seq?
    /// The highest broker order id ever written; the next one is above it.
    package internal(set) var highestBrokerOrderID: Int64 = 0
    /// Entries of a kind or body this build cannot read; kept and counted, never guessed at.
    package internal(set) var unreadable: UInt64 = 0

    /// How many denials and differences the book keeps for showing; the ledger keeps all.
    private static let shownMax = 200

    package init(edge: EdgeID? = nil) { self.edge = edge }

    /// Takes the next entry in. Entries come in order, without gaps (checked by Chain before).
    package mutating func apply(_ entry: Entry) {
        precondition(entry.seq == head.seq.next, "the book is at \(head.seq) and was handed \(entry.seq)")
        head = entry.head
        guard let reading = try? entry.reading() else { unreadable += 1; return }
        let tags = reading.tags
        take(reading.postings, entry.seq)
        switch reading.fact {
        case .boot(let fact):
            boot = fact; bootID = entry.boot; session = nil
            // A new run knows nothing of orders in flight until the broker has told it.
            loseSight(at: entry.wall)
        case .shutdown, .checkpoint, .snapshot, .healed, .lineage, .gap, .countersigned, .keyRotated, .cloudKey, .linkKey, .serverKey: break
        case .intent(let ticket): record(ticket, tags, entry)
        case .sent(let tags): for tag in tags { change(tag) { $0.wasSent = true } }
        case .cancelIntent(let cancel):
            link(cancel.command, cancel.tag)
            // A wish of ours proves nothing of an order whose fate is unknown.
            if let order = order(cancel.tag), order.isWorking, order.status != .unknown { raise(cancel.tag, to: .pendingCancel, entry.wall) }
        case .modifyIntent(let modify): change(modify, entry.wall)
        case .orderReport(let report): apply(report, entry.wall)
        case .fill(let fill): apply(fill, entry, isPosted: !reading.postings.isEmpty)
        case .commission(let commission): apply(commission)
        case .orderDead(let tag, _): raise(tag, to: .dead, entry.wall)
        case .stopMoved(let tag, let level): change(tag) { $0.stopPrice = level }
        case .cancelRefused(let refusal): apply(refusal, entry.wall)
        case .commandAccepted(let outcome), .commandRefused(let outcome): settle(outcome)
        case .denied(let denial): denials.append(denial); denials.removeFirst(max(0, denials.count - Book.shownMax))
        case .halt(let fact), .resume(let fact): haltLevel = fact.level; haltFact = fact
        case .instrumentHalt(let instrument, let halted, let reason): haltedInstruments[instrument] = halted ? reason : nil
        case .brokerSession(let fact):
            session = fact
            if !fact.connected { loseSight(at: entry.wall) }
        case .reconciled(let fact): reconciled = fact
        case .difference(let fact): differences.append(fact); differences.removeFirst(max(0, differences.count - Book.shownMax))
        case .instrument(let instrument): instruments[instrument.id] = instrument
        case .correction(let correction): reverse(correction, entry.wall)
        // All that these say is in their postings.
        case .transfer, .dividend, .interest, .accountFee, .borrowFee, .exchange: break
        case .suspense(let suspense):
            guard let id = suspense.instrument else { return }
            suspended[id] = balances.total(.suspense, suspense.asset) == 0 ? nil : suspense.asset
        case .bot(let fact): bots["\(fact.bot)/\(fact.instrument)"] = BotRecord(fact: fact, seq: entry.seq, at: entry.wall)
        }
    }

    /// Goes on behind entries that are missing for good. What they did is not known: orders, positions and money are what the others add up to.
    package mutating func passOver(_ anchor: Head) {
        precondition(anchor.seq > head.seq, "the book is at \(head.seq) and was to pass over to \(anchor.seq)")
        head = anchor
    }

    /// The order of a tag.
    package func order(_ tag: ClOrdID) -> OrderRecord? { orderPlace(tag).map { orders[$0] } }
    /// Orders that may still fill, oldest first.
    package var workingOrders: [OrderRecord] { workingPlaces.map { orders[$0] } }
    /// The oldest order of an instrument whose fate is unknown.
    package func unknownOrder(of instrument: InstrumentID) -> ClOrdID? {
        for place in unknownPlaces where orders[place].leg.instrument == instrument { return orders[place].tag }
        return nil
    }
    /// From the newest order to the oldest, until `visit` answers false; each is looked at where it is.
    package func ordersBackward(_ visit: (OrderRecord) -> Bool) { orders.backward(visit) }
    /// The order at a place, which it keeps for good.
    package func order(at place: Int) -> OrderRecord { orders[place] }
    /// True when this execution is already in the ledger.
    package func hasExecution(_ execID: String) -> Bool { fillPlace(execID) != nil }
    /// True when the execution's commission is already in the ledger.
    package func hasCommission(_ execID: String) -> Bool {
        earlyCommissions[execID] != nil || fillPlace(execID).map { fills[$0].commission != nil } ?? false
    }
    /// The fill of an execution.
    package func fill(_ execID: String) -> FillRecord? { fillPlace(execID).map { fills[$0] } }
    /// The order that carries this broker id in this or an earlier run (ids are never used twice).
    package func order(brokerOrderID: Int64) -> OrderRecord? {
        brokerPlaces.place(of: brokerOrderID) { orders[$0].leg.brokerOrderID == brokerOrderID }.map { orders[$0] }
    }
    private func orderPlace(_ tag: ClOrdID) -> Int? { orderPlaces.place(of: tag) { orders[$0].tag.exact == tag.exact } }
    private func fillPlace(_ execID: String) -> Int? { fillPlaces.place(of: execID) { fills[$0].fill.execID.exact == execID.exact } }
    /// Net quantity of an instrument.
    package func netQuantity(_ instrument: InstrumentID) -> Quantity { positions[instrument]?.quantity ?? .zero }

    private mutating func record(_ ticket: Ticket, _ tags: [ClOrdID], _ entry: Entry) {
        let intent = IntentID(boot: entry.boot, seq: entry.seq)
        // What an edge sent up is folded here too: a tag that is used twice is noted, never a trap.
        guard tags.count == ticket.legs.count, Set(tags).count == tags.count, tags.allSatisfy({ orderPlace($0) == nil }) else {
            unreadable += 1
            return
        }
        for (index, leg) in ticket.legs.enumerated() {
            orderPlaces.add(tags[index], at: orders.count)
            brokerPlaces.add(leg.brokerOrderID, at: orders.count)
            workingPlaces.append(orders.count)
            orders.append(
                OrderRecord(
                    tag: tags[index], intent: intent, leg: leg, legIndex: index, account: ticket.account, origin: ticket.origin,
                    command: ticket.command, bot: ticket.bot, reason: ticket.reason, createdAt: entry.wall, status: .pendingNew,
                    quantity: leg.quantity, limitPrice: leg.limitPrice, stopPrice: leg.stopPrice, updatedAt: entry.wall))
            highestBrokerOrderID = max(highestBrokerOrderID, leg.brokerOrderID)
            link(ticket.command, tags[index])
        }
    }

    private mutating func link(_ command: CommandID?, _ tag: ClOrdID) {
        guard let command else { return }
        settled.links.add(Settled.link(command, tag, commandOrders[command]?.count ?? 0))
        commandOrders[command, default: []].append(tag)
    }

    private mutating func settle(_ outcome: CommandOutcome) {
        if let earlier = commands[outcome.command] { settled.commands.remove(earlier.canonical) }
        settled.commands.add(outcome.canonical)
        commands[outcome.command] = outcome
    }

    /// Changes an order in its place and keeps the list of working ones; does nothing for a tag that is not known.
    private mutating func change(_ tag: ClOrdID, _ body: (inout OrderRecord) -> Void) {
        guard let place = orderPlace(tag) else { return }
        let wasWorking = orders[place].isWorking, wasUnknown = orders[place].status == .unknown
        if !wasWorking { settled.orders.remove(orders[place].canonical) }
        orders.change(place, body)
        let isWorking = orders[place].isWorking, isUnknown = orders[place].status == .unknown
        if !isWorking { settled.orders.add(orders[place].canonical) }
        if wasWorking != isWorking { Book.set(place, isWorking, in: &workingPlaces) }
        if wasUnknown != isUnknown { Book.set(place, isUnknown, in: &unknownPlaces) }
    }

    /// Puts a place into an ascending list, or takes it out.
    private static func set(_ place: Int, _ isIn: Bool, in places: inout [Int]) {
        let index = places.firstIndex { $0 >= place } ?? places.count
        if isIn { places.insert(place, at: index) } else { places.remove(at: index) }
    }

    private mutating func loseSight(at instant: Instant) {
        for place in workingPlaces where orders[place].status != .unknown {
            orders.change(place) {
                $0.status = .unknown; $0.updatedAt = instant
            }
        }
        unknownPlaces = workingPlaces
    }

    /// Moves an order's status; never down in rank, except that any proof ends UNKNOWN.
    private mutating func raise(_ tag: ClOrdID, to status: OrdStatus, _ instant: Instant) {
        change(tag) { order in
            // Seen again after absence was proved.
            if order.status == .dead, !status.isTerminal { order.status = .zombie; order.updatedAt = instant; return }
            guard order.status == .unknown || status.rank >= order.status.rank else { return }
            order.status = status; order.updatedAt = instant
        }
    }

    private mutating func change(_ modify: ModifyIntent, _ instant: Instant) {
        link(modify.command, modify.tag)
        change(modify.tag) { order in
            order.quantity = modify.quantity ?? order.quantity
            order.limitPrice = modify.limitPrice ?? order.limitPrice
            order.stopPrice = modify.stopPrice ?? order.stopPrice
            order.updatedAt = instant
        }
    }

    private mutating func apply(_ report: OrderReport, _ instant: Instant) {
        change(report.tag) { order in
            if report.permID != 0 { order.permID = report.permID }
            if !report.text.isEmpty { order.text = report.text; order.code = report.code }
        }
        raise(report.tag, to: report.status, instant)
    }

    /// The one fact that lowers a rank: the broker was seen to work the order after its cancel.
    private mutating func apply(_ refusal: CancelRefusal, _ instant: Instant) {
        change(refusal.tag) { order in
            if !refusal.text.isEmpty { order.text = refusal.text; order.code = refusal.code }
            guard order.status == .pendingCancel else { return }
            order.status = order.cumQty.raw > 0 ? .partiallyFilled : .new
            order.cancelRefusedAt = instant
            order.updatedAt = instant
        }
    }

    private mutating func apply(_ fill: Fill, _ entry: Entry, isPosted: Bool) {
        guard fillPlace(fill.execID) == nil else { return }
        fillPlaces.add(fill.execID, at: fills.count)
        let record = FillRecord(seq: entry.seq, fill: fill, recordedAt: entry.wall, wasReplayed: entry.flags.contains(.replayed), wasPosted: isPosted)
        fills.append(record)
        settled.fills.add(record.digested)
        positions[fill.instrument, default: Position(instrument: fill.instrument)].apply(
            fill, multiplier: instruments[fill.instrument]?.multiplier)
        if let early = earlyCommissions.removeValue(forKey: fill.execID) { apply(early) }
        guard let tag = fill.tag else { return }
        change(tag) { order in
            order.cumQty = order.cumQty.adding(fill.lastQty) ?? order.cumQty
            let (value, over) = order.filledValue.addingReportingOverflow(Int128(fill.lastPx.raw) * Int128(fill.lastQty.raw))
            if !over { order.filledValue = value }
            order.permID = fill.permID == 0 ? order.permID : fill.permID
            order.updatedAt = entry.wall
            // An execution is taken in every state; after a cancel it changes the quantity, not the verdict.
            if order.cumQty >= order.quantity {
                order.status = .filled
            } else if order.status.rank < OrdStatus.partiallyFilled.rank {
                order.status = .partiallyFilled
            }
        }
    }

    private mutating func apply(_ commission: Commission) {
        guard let index = fillPlace(commission.execID) else { earlyCommissions[commission.execID] = commission; return }
        guard fills[index].commission == nil else { return }
        settled.fills.remove(fills[index].digested)
        fills.change(index) { $0.commission = commission.amount }
        settled.fills.add(fills[index].digested)
        positions[fills[index].fill.instrument]?.charge(commission.amount)
    }

    private mutating func take(_ postings: [Posting], _ seq: Seq) {
        guard !postings.isEmpty else { return }
        balances.add(postings)
        if unbalanced == nil, !Posting.imbalance(of: postings).isEmpty { unbalanced = seq }
    }

    /// The position of an instrument as if one execution had never been, folded anew from the others.
    func position(of instrument: InstrumentID, without execID: String) -> Position {
        var position = (positions[instrument] ?? Position(instrument: instrument)).emptied()
        let multiplier = instruments[instrument]?.multiplier
        for record in fills where record.fill.instrument == instrument && record.reversedBy == nil && record.fill.execID != execID {
            position.apply(record.fill, multiplier: multiplier)
        }
        return position
    }

    /// Takes an execution back. Its order has filled that much less until the corrected execution follows.
    private mutating func reverse(_ correction: Correction, _ instant: Instant) {
        guard let index = fillPlace(correction.execID), fills[index].reversedBy == nil else { return }
        let fill = fills[index].fill
        positions[fill.instrument] = position(of: fill.instrument, without: fill.execID)
        settled.fills.remove(fills[index].digested)
        fills.change(index) { $0.reversedBy = correction.by }
        settled.fills.add(fills[index].digested)
        guard let tag = fill.tag else { return }
        change(tag) { order in
            order.cumQty = order.cumQty.subtracting(fill.lastQty) ?? order.cumQty
            let (value, over) = order.filledValue.subtractingReportingOverflow(Int128(fill.lastPx.raw) * Int128(fill.lastQty.raw))
            if !over { order.filledValue = value }
            order.updatedAt = instant
        }
    }
}
