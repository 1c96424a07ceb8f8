// Orders of the simulated exchange: what is asked, how it stands, what is told about it.
package import Values

/// An order's number, given by whoever places it, unique for the life of the exchange.
package struct PaperOrderID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let raw: Int64
    package init(_ raw: Int64) { self.raw = raw }
    package static func < (a: PaperOrderID, b: PaperOrderID) -> Bool { a.raw < b.raw }
    @usableFromInline package var description: String { String(raw) }
}

/// How far a trailing stop stays behind the market.
package enum Trail: Hashable, Sendable {
    /// A distance in price.
    case amount(Price)
    /// A part of the last price, above 0 and below 1.
    case fraction(Ratio)
}

/// What a fill of one member of a group does to the others.
package enum GroupRule: Hashable, Sendable {
    /// The others are cancelled at the first fill.
    case cancel
    /// The others shrink by what was filled.
    case reduce
}

/// What is asked of the exchange.
package struct PaperTicket: Hashable, Sendable {
    package var id: PaperOrderID
    package var instrument: InstrumentID
    package var side: Side
    package var quantity: Quantity
    package var type: OrdType
    /// LIMIT and STOP_LIMIT.
    package var limitPrice: Price?
    /// STOP and STOP_LIMIT; for TRAILING_STOP the first stop, nil = the trail's distance from the market.
    package var stopPrice: Price?
    /// TRAILING_STOP only.
    package var trail: Trail?
    /// TRAILING_STOP: when set, the triggered stop becomes a limit order this far beyond its stop price.
    package var limitOffset: Price?
    package var timeInForce: TimeInForce
    /// GTD only.
    package var goodTill: Instant?
    /// Trade outside regular hours too.
    package var outsideHours: Bool
    /// Wait until this order has filled; at most as much as it has filled.
    package var parent: PaperOrderID?
    /// Members of one group exclude each other.
    package var group: String?
    package var groupRule: GroupRule

    package init(
        id: PaperOrderID, instrument: InstrumentID, side: Side, quantity: Quantity, type: OrdType = .market, limitPrice: Price? = nil,
        stopPrice: Price? = nil,
        trail: Trail? = nil, limitOffset: Price? = nil, timeInForce: TimeInForce = .day, goodTill: Instant? = nil, outsideHours: Bool = false,
        parent: PaperOrderID? = nil, group: String? = nil, groupRule: GroupRule = .reduce
    ) {
        self.id = id; self.instrument = instrument; self.side = side; self.quantity = quantity; self.type = type; self.limitPrice = limitPrice
        self.stopPrice = stopPrice; self.trail = trail; self.limitOffset = limitOffset; self.timeInForce = timeInForce; self.goodTill = goodTill
        self.outsideHours = outsideHours; self.parent = parent; self.group = group; self.groupRule = groupRule
    }
}

/// Where an order stands.
package enum PaperOrderState: String, Sendable {
    /// Waits for its parent to fill.
    case held
    /// A stop that has not triggered.
    case armed
    /// Can trade whenever the market is open.
    case working
    case filled, cancelled, expired
    package var isFinal: Bool { self == .filled || self == .cancelled || self == .expired }
}

/// An order as the exchange holds it.
package struct PaperOrder: Hashable, Sendable {
    package var ticket: PaperTicket
    package var state: PaperOrderState
    package var filled: Quantity
    /// Sum of price * quantity of the fills, at 10^-16.
    package var filledValue: Int128
    package var lastPrice: Price?
    /// The stop as it stands now; a trailing stop's moves.
    package var stop: Price?
    /// True once a stop has triggered.
    package var triggered: Bool
    package var placedAt: Instant
    package var changedAt: Instant
    /// When it lapses; nil = never.
    package var expiresAt: Instant?
    /// Place in the queue; a change of price or a bigger quantity gives a new one.
    package var priority: UInt64
    package init(
        ticket: PaperTicket, state: PaperOrderState, filled: Quantity, filledValue: Int128, lastPrice: Price?, stop: Price?, triggered: Bool,
        placedAt: Instant,
        changedAt: Instant, expiresAt: Instant?, priority: UInt64
    ) {
        self.ticket = ticket; self.state = state; self.filled = filled; self.filledValue = filledValue; self.lastPrice = lastPrice; self.stop = stop
        self.triggered = triggered; self.placedAt = placedAt; self.changedAt = changedAt; self.expiresAt = expiresAt; self.priority = priority
    }
    /// What is still to be filled.
    package var remaining: Quantity { Quantity(raw: max(ticket.quantity.raw - filled.raw, 0)) }
    /// Average price of the fills; nil before the first.
    package var averagePrice: Price? { filled > .zero ? Decimals.divide(filledValue, by: Int128(filled.raw)).map { Price(raw: $0) } : nil }
    /// What it does once it can trade: the limit of a limit order, nil for a market order.
    var workingLimit: Price? {
        switch ticket.type {
        case .market, .stop: nil
        case .limit, .stopLimit: ticket.limitPrice
        case .trailingStop:
            ticket.limitOffset.flatMap { offset in stop.flatMap { ticket.side == .buy ? $0.adding(offset) : $0.subtracting(offset) } }
        }
    }
}

/// One execution.
package struct PaperFill: Hashable, Sendable {
    /// 1, 2, 3 ... for the life of the exchange.
    package var serial: UInt64
    package var order: PaperOrderID
    package var instrument: InstrumentID
    package var side: Side
    package var quantity: Quantity
    package var price: Price
    package var at: Instant
    /// Of the order, after this fill.
    package var cumulative: Quantity
    package var averagePrice: Price
    package var commission: Money
    /// Profit or loss before commission of what this fill closed; nil when it only opened.
    package var realised: Money?
    /// True when the order rested and somebody else took.
    package var added: Bool
    package init(
        serial: UInt64, order: PaperOrderID, instrument: InstrumentID, side: Side, quantity: Quantity, price: Price, at: Instant,
        cumulative: Quantity,
        averagePrice: Price, commission: Money, realised: Money?, added: Bool
    ) {
        self.serial = serial; self.order = order; self.instrument = instrument; self.side = side; self.quantity = quantity; self.price = price
        self.at = at; self.cumulative = cumulative; self.averagePrice = averagePrice; self.commission = commission; self.realised = realised
        self.added = added
    }
}

/// Why the exchange did not do what was asked.
package enum PaperRefusal: Error, Hashable, Sendable {
    /// The id was used before.
    case duplicateID
    case unknownInstrument
    /// Expired before `at`.
    case instrumentExpired
    /// Zero, negative, or not a multiple of the lot.
    case quantity
    /// A price is missing, not positive or not on the tick grid.
    case price(increment: Price)
    /// A field that this order type needs is missing or senseless.
    case incomplete(String)
    case unknownParent
    /// GTD without a time, or a time that has passed.
    case goodTillPassed
    case margin(equity: Money, required: Money)
    /// Cancel or change of an order that is not known.
    case unknownOrder
    /// Cancel or change of an order that is over.
    case final(PaperOrderState)
    /// A change of what cannot be changed: instrument, side, parent.
    case cannotChange
    /// Numbers beyond what the exchange can hold.
    case overflow
}

/// What is asked.
package enum PaperInput: Sendable {
    case place(PaperTicket)
    /// The ticket takes the place of the one with the same id; the filled part stays.
    case replace(PaperTicket)
    case cancel(PaperOrderID)
    /// Quotes and trades of this instrument are told from now on.
    case watch(InstrumentID)
    case unwatch(InstrumentID)
    /// Nothing trades any more; orders are still taken, and rest.
    case halt(InstrumentID)
    case resume(InstrumentID)
    /// A remembered fill was told at a wrong price.
    case correct(serial: UInt64, price: Price)
}

/// What happened.
package enum PaperEvent: Sendable {
    case quote(InstrumentID, PaperTouch, at: Instant)
    case trade(InstrumentID, PaperTrade, at: Instant)
    /// The order stands differently; the first one says that it was accepted.
    case order(PaperOrder)
    /// Always followed by the order as it stands after it.
    case fill(PaperFill)
    case refused(PaperOrderID, PaperRefusal)
    case halted(InstrumentID, Bool, at: Instant)
    /// Followed by the order when it is still remembered; the account is as if the new fill had been told at once.
    case corrected(old: PaperFill, new: PaperFill)
}
