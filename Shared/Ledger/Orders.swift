// The words for an order on its way: ticket, leg, tag, status.
package import Values
internal import Wire

/// Our own order id (FIX ClOrdID): the text sent to the broker as `orderRef`. At most 24 characters.
package struct ClOrdID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    /// `TW1` + base32(edge tag 32 bit || BLAKE2b-64(edge, boot, seq)) + a letter for every leg but the first.
    package init(edge: EdgeID, intent: IntentID, leg: Int) {
        let hash = Hashing.blake2b(edge.bytes + intent.bytes, length: 32).prefix(8)
        precondition((0..<26).contains(leg), "a ticket has at most 26 legs")
        let suffix = leg == 0 ? "" : String(UnicodeScalar(UInt8(ascii: "A") + UInt8(leg)))
        text = "TW1" + TextCoding.base32(Array(edge.bytes.prefix(4)) + hash) + suffix
    }
    /// True when a text found at the broker has the form of one of ours, whoever's ledger it belongs to.
    package static func hasOurForm(_ text: String) -> Bool {
        text.hasPrefix("TW1") && (23...24).contains(text.utf8.count) && TextCoding.fromBase32(text.dropFirst(3).prefix(20))?.count == 12
    }
    package static func < (a: ClOrdID, b: ClOrdID) -> Bool { a.text < b.text }
    package var description: String { text }
}

/// Where an order came from (FIX 1028 and our own).
package enum OrderOrigin: String, Hashable, Sendable, CaseIterable { case bot = "BOT", manual = "MANUAL", system = "SYSTEM", external = "EXTERNAL" }

/// What a leg does to the position.
package enum LegRole: String, Hashable, Sendable, CaseIterable { case open = "OPEN", close = "CLOSE", protect = "PROTECT" }

/// The distance of a trailing stop.
package enum TrailingOffset: Hashable, Sendable {
    /// In price units.
    case amount(Price)
    /// As a fraction of the price: 0.1 = 10 %.
    case percent(Ratio)
}

/// One order of a ticket.
package struct Leg: Hashable, Sendable {
    package var role: LegRole
    package var instrument: InstrumentID
    package var side: Side
    /// Above zero.
    package var quantity: Quantity
    package var ordType: OrdType
    package var limitPrice: Price?
    /// Trigger of a stop; the first level of a trailing stop (nil lets the broker choose).
    package var stopPrice: Price?
    package var trailing: TrailingOffset?
    package var timeInForce: TimeInForce
    /// Index of the leg that must fill first, for attached protection.
    package var parent: Int?
    /// The number the broker's session knows the order by; written to the ledger before it is used.
    package var brokerOrderID: Int64

    package init(
        role: LegRole, instrument: InstrumentID, side: Side, quantity: Quantity, ordType: OrdType, limitPrice: Price? = nil, stopPrice: Price? = nil,
        trailing: TrailingOffset? = nil, timeInForce: TimeInForce, parent: Int? = nil, brokerOrderID: Int64
    ) {
        self.role = role; self.instrument = instrument; self.side = side; self.quantity = quantity; self.ordType = ordType
        self.limitPrice = limitPrice; self.stopPrice = stopPrice; self.trailing = trailing; self.timeInForce = timeInForce
        self.parent = parent; self.brokerOrderID = brokerOrderID
    }
}

/// An intent with all its legs: what the journal holds before a byte leaves.
package struct Ticket: Hashable, Sendable {
    package var account: String
    package var origin: OrderOrigin
    /// The command that asked, when one did.
    package var command: CommandID?
    /// The bot that asked, when one did.
    package var bot: String?
    /// Why, in words for the person who reads the ledger.
    package var reason: String
    package var legs: [Leg]
    package init(account: String, origin: OrderOrigin, command: CommandID? = nil, bot: String? = nil, reason: String, legs: [Leg]) {
        precondition(!legs.isEmpty && legs.count <= 8, "a ticket has one to eight legs")
        self.account = account; self.origin = origin; self.command = command; self.bot = bot; self.reason = reason; self.legs = legs
    }
}

/// FIX OrdStatus (39) with our own UNKNOWN, DEAD and ZOMBIE.
package enum OrdStatus: String, Hashable, Sendable, CaseIterable {
    case pendingNew = "PENDING_NEW", new = "NEW", partiallyFilled = "PARTIALLY_FILLED", pendingCancel = "PENDING_CANCEL", pendingReplace =
        "PENDING_REPLACE"
    case filled = "FILLED", canceled = "CANCELED", rejected = "REJECTED", expired = "EXPIRED"
    case unknown = "UNKNOWN", dead = "DEAD", zombie = "ZOMBIE"
    /// Nothing more is expected, though a late fill is still taken.
    package var isTerminal: Bool {
        switch self {
        case .filled, .canceled, .rejected, .expired, .dead: true
        case .pendingNew, .new, .partiallyFilled, .pendingCancel, .pendingReplace, .unknown, .zombie: false
        }
    }
    /// An event never lowers the rank; equal ranks replace each other. UNKNOWN stands apart: it is left by any proof.
    package var rank: Int {
        switch self {
        case .pendingNew, .unknown: 0
        case .new, .zombie: 1
        case .pendingReplace: 2
        case .partiallyFilled: 2
        case .pendingCancel: 3
        case .canceled, .rejected, .expired, .dead: 4
        case .filled: 5
        }
    }
}

/// Proof that an intent is on disk. Made only by the journal's commit, used up by sending.
package struct DurableIntent: ~Copyable, Sendable {
    package let id: IntentID
    package let tags: [ClOrdID]
    package let ticket: Ticket
    /// For `Journal.commit` alone: HouseTests refuses any other call.
    package init(id: IntentID, tags: [ClOrdID], ticket: Ticket) { self.id = id; self.tags = tags; self.ticket = ticket }
}
