// One order as the session follows it: what was sent, what the broker said, and what is held back until it is proved.
internal import Ledger
internal import Values

/// An order of our client id.
struct SessionOrder: Hashable, Sendable {
    /// A final word that waits for its executions.
    struct Held: Hashable, Sendable {
        var word: String
        /// How much must be executed before it is believed; nil when the broker did not say.
        var filled: Quantity?
        /// When executions are asked for, unless they came before; again later while a list ends without them.
        var askAt: Instant
        /// From then on a list that ends without them is believed.
        var endBy: Instant
        /// A list of executions that was asked for under this request id or a later one ends the wait, if it holds what is missing or comes late.
        let since: Int64
        /// Lists of executions that were asked for and did not end.
        var misses = 0
    }
    /// Something was said of the order that only the broker's list of open orders can settle.
    struct Question: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            /// Refused by a code that may be about something else.
            case refused
            /// A code that nobody has described came before any word of the order: refused if neither the open orders nor the executions hold it.
            case undescribed
            /// A cancel was refused or came to nothing.
            case cancel
            /// Anything else: what the list says is told.
            case other
        }
        var kind: Kind
        var code: Int64?
        var text: String
        /// Reads of open orders begun before the question was there.
        let since: Int64
        /// Not listed as open: a list of executions asked for under this request id or a later one settles whether it filled meanwhile.
        var executionsFrom: Int64?
        /// Lists of executions that were asked for and did not end.
        var misses = 0
    }

    let id: Int64
    /// Whose number it is.
    let clientID: Int64
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
    /// The quantity that the broker has, while a change of it has not left.
    var quantityBefore: Quantity?
    /// When a cancel was last sent, until the broker has it.
    var cancelAskedAt: Instant?
    var held: Held?
    var question: Question?
    /// The number of the read of open orders in which the broker last told that the order is there.
    var seenIn: Int64 = 0
    /// Ended by the broker: nothing more is expected but late fills.
    var isOver = false
    /// What was last told, so that the same is not told twice.
    var told: BrokerOrder?

    init(id: Int64, clientID: Int64) { self.id = id; self.clientID = clientID }

    /// True while time may change something about it.
    var needsLooking: Bool { deadline != nil || held != nil || question?.executionsFrom != nil }
    /// True once the broker has said anything of it but a refusal.
    var isAcknowledged: Bool { !word.isEmpty }

    /// Nothing that was learnt holds any longer, but who the order is.
    mutating func connectionEnded() {
        deadline = nil; lookups = 0; held = nil; told = nil; changedAt = nil; cancelAskedAt = nil; question = nil; seenIn = 0
    }
    /// A word about it is due by then.
    mutating func await(until instant: Instant) { deadline = instant; lookups = 0 }

    /// True for the words of an order that may fill and whose end nobody has asked for.
    static func isWorking(_ word: String) -> Bool { word == "PreSubmitted" || word == "Submitted" }
    /// True while nothing speaks for it that the broker took it.
    var isUntaken: Bool { (word.isEmpty || word == "Inactive" || word == "PendingSubmit") && executed.raw == 0 }

    /// The broker's word in ours. `Inactive` alone says only that the order is held: it may wake up again.
    var status: OrdStatus {
        switch word {
        case "PreSubmitted", "Submitted": executed.raw > 0 ? .partiallyFilled : .new
        case "PendingCancel": .pendingCancel
        case "ApiCancelled", "Cancelled": isRefused && executed.raw == 0 ? .rejected : .canceled
        case "Filled": .filled
        case "Inactive": isRefused ? executed.raw == 0 ? .rejected : .canceled : .pendingNew
        default: isRefused ? .rejected : .pendingNew
        }
    }

    /// As the desk is told.
    var record: BrokerOrder {
        BrokerOrder(
            reference: reference, brokerOrderID: id, permID: permID, clientID: clientID, account: account, instrument: instrument, side: side,
            quantity: quantity, cumQty: executed, status: status, stopPrice: isTrailing ? stopPrice : nil, text: text)
    }
}
