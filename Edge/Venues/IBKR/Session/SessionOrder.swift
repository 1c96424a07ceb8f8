// One order as the session follows it: what was sent, what the broker said, and what is held back until it is proved.
internal import Ledger
internal import Values

/// An order of our client id.
struct SessionOrder: Hashable, Sendable {
    /// A final word that waits for its executions.
    struct Held: Hashable, Sendable {
        var word: String
        /// How much must be executed before it is believed.
        var filled: Quantity
        /// When executions are asked for, unless they came before.
        var askAt: Instant
        /// When it is told although executions are missing; the comparison with the broker then finds the difference.
        var tellAt: Instant
        var hasAsked = false
    }

    let id: Int64
    var reference = ""
    var account = ""
    var instrument: InstrumentID?
    var side = Side.buy
    var quantity = Quantity.zero
    var permID: Int64 = 0
    var parentID: Int64 = 0
    var isTrailing = false
    /// The level of a trailing stop as the broker last told it.
    var stopPrice: Price?
    /// The broker's own word; empty before the first.
    var word = ""
    /// Cumulative by execDetails, never by status.
    var executed = Quantity.zero
    /// The broker's number and reason when it refused or warned.
    var code: Int64?
    var text = ""
    /// True once a code said that the order itself was refused.
    var isRefused = false
    var sentAt: Instant?
    /// Until when a first word is due.
    var deadline: Instant?
    /// How often the broker was asked about it since a word was due.
    var lookups = 0
    /// When a change was last sent: a refusal soon after is about the change.
    var changedAt: Instant?
    var held: Held?
    /// Ended by the broker: nothing more is expected but late fills.
    var isOver = false
    /// The broker says that this id was used before: until the open orders are read nobody knows which order it means.
    var isDoubtful = false
    /// What was last told, so that the same is not told twice.
    var told: BrokerOrder?

    init(id: Int64) { self.id = id }

    /// True while time may change something about it.
    var needsLooking: Bool { deadline != nil || held != nil }
    /// True once the broker has said anything of it but a refusal.
    var isAcknowledged: Bool { !word.isEmpty }

    /// Nothing that was learnt holds any longer, but who the order is.
    mutating func connectionEnded() {
        deadline = nil; lookups = 0; held = nil; told = nil; changedAt = nil; isDoubtful = false
    }
    /// A word about it is due by then.
    mutating func await(until instant: Instant) { deadline = instant; lookups = 0 }

    /// The broker's word in ours. `Inactive` alone says only that the order is held: it may wake up again.
    var status: OrdStatus {
        switch word {
        case "PreSubmitted", "Submitted": executed.raw > 0 ? .partiallyFilled : .new
        case "PendingCancel": .pendingCancel
        case "ApiCancelled", "Cancelled": isRefused && executed.raw == 0 ? .rejected : .canceled
        case "Filled": .filled
        case "Inactive": isRefused ? .rejected : .pendingNew
        default: isRefused ? .rejected : .pendingNew
        }
    }

    /// As the desk is told.
    func record(clientID: Int64) -> BrokerOrder {
        BrokerOrder(
            reference: reference, brokerOrderID: id, permID: permID, clientID: clientID, account: account, instrument: instrument, side: side,
            quantity: quantity, cumQty: executed, status: status, stopPrice: isTrailing ? stopPrice : nil, text: text)
    }
}
