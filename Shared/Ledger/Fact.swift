// Everything that can happen and is kept: the facts of the ledger.
package import Values

/// One thing that happened. Its body is canonical JSON (Fact+codec.swift); the fold is in Book.
package enum Fact: Hashable, Sendable {
    /// First entry of a run.
    case boot(BootFact)
    /// The end of an orderly run; only the checkpoint that covers it follows.
    case shutdown(reason: String)
    /// Where the chain stood and what it added up to, signed.
    case checkpoint(CheckpointFact)
    /// A file beside the ledger holds the fold up to an entry.
    case snapshot(SnapshotFact)
    /// Entries that this ledger had lost came back.
    case healed(HealedFact)
    /// First entry of an epoch.
    case lineage(LineageFact)
    /// Entries that are missing for good.
    case gap(GapFact)
    /// The cloud holds the chain up to an entry, and signed that.
    case countersigned(CountersignedFact)
    /// Another key signs this ledger from here on.
    case keyRotated(KeyRotatedFact)
    /// Which key of the cloud's is believed from here on.
    case cloudKey(CloudKeyFact)
    /// The edge links by another key from here on.
    case linkKey(LinkKeyFact)
    /// The cloud is going to answer by another key of its link.
    case serverKey(ServerKeyFact)
    case intent(Ticket)
    /// The bytes of these orders were handed to the socket (lazy, batched).
    case sent(tags: [ClOrdID])
    case cancelIntent(CancelIntent)
    case modifyIntent(ModifyIntent)
    case orderReport(OrderReport)
    case fill(Fill)
    case commission(Commission)
    /// Absence proved by two equal snapshots.
    case orderDead(tag: ClOrdID, evidence: String)
    /// The broker told a new level of a resting stop.
    case stopMoved(tag: ClOrdID, level: Price)
    /// The broker did not cancel an order that was to be cancelled: it works on.
    case cancelRefused(CancelRefusal)
    case commandAccepted(CommandOutcome)
    case commandRefused(CommandOutcome)
    /// A risk rule or gate refused an order before it became an intent.
    case denied(Denial)
    case halt(HaltFact)
    /// The halt level fell; only at the edge console.
    case resume(HaltFact)
    case instrumentHalt(instrument: InstrumentID, halted: Bool, reason: String)
    case brokerSession(BrokerSessionFact)
    case reconciled(ReconciledFact)
    case difference(Difference)
    case instrument(Instrument)
    case bot(BotFact)
    /// A deposit or a withdrawal.
    case transfer(CashMove)
    case dividend(CashMove)
    /// Earned, or paid for what was borrowed.
    case interest(CashMove)
    /// A fee of the account, not of an execution.
    case accountFee(CashMove)
    /// What the broker takes for shares that were lent for a short sale.
    case borrowFee(CashMove)
    case exchange(CashExchange)
    case correction(Correction)
    case suspense(Suspense)
}

/// How a run began.
package struct BootFact: Hashable, Sendable {
    package var version: String
    package var mode: TradingMode
    /// First 16 hex digits of hashes: which machine, which kernel boot, which configuration.
    package var machine: String
    package var kernelBoot: String
    package var configuration: String
    package init(version: String, mode: TradingMode, machine: String, kernelBoot: String, configuration: String) {
        self.version = version; self.mode = mode; self.machine = machine; self.kernelBoot = kernelBoot; self.configuration = configuration
    }
}

/// The wish to cancel one order, durable before it is sent.
package struct CancelIntent: Hashable, Sendable {
    package var tag: ClOrdID
    package var origin: OrderOrigin
    package var command: CommandID?
    package var reason: String
    package init(tag: ClOrdID, origin: OrderOrigin, command: CommandID? = nil, reason: String) {
        self.tag = tag; self.origin = origin; self.command = command; self.reason = reason
    }
}

/// The wish to change one order; nil leaves a value as it is. Quantity is the new total, the filled part included.
package struct ModifyIntent: Hashable, Sendable {
    package var tag: ClOrdID
    package var quantity: Quantity?
    package var limitPrice: Price?
    package var stopPrice: Price?
    package var command: CommandID?
    package var reason: String
    package init(
        tag: ClOrdID, quantity: Quantity? = nil, limitPrice: Price? = nil, stopPrice: Price? = nil, command: CommandID? = nil, reason: String
    ) {
        self.tag = tag; self.quantity = quantity; self.limitPrice = limitPrice; self.stopPrice = stopPrice; self.command = command
        self.reason = reason
    }
}

/// What the broker says of an order (FIX ExecutionReport without a fill).
package struct OrderReport: Hashable, Sendable {
    package var tag: ClOrdID
    package var status: OrdStatus
    /// The broker's permanent id (IBKR permId); 0 while it has none.
    package var permID: Int64
    /// The broker's cumulative quantity; advice, never a fill.
    package var cumQty: Quantity?
    /// The broker's words and number, when it gave a reason.
    package var code: Int64?
    package var text: String
    package init(tag: ClOrdID, status: OrdStatus, permID: Int64, cumQty: Quantity? = nil, code: Int64? = nil, text: String = "") {
        self.tag = tag; self.status = status; self.permID = permID; self.cumQty = cumQty; self.code = code; self.text = text
    }
}

/// A cancel that came to nothing. It says that the broker was seen to work the order after the cancel was refused or went unanswered.
package struct CancelRefusal: Hashable, Sendable {
    package var tag: ClOrdID
    /// The broker's number, when it gave one.
    package var code: Int64?
    /// Why, in words.
    package var text: String
    package init(tag: ClOrdID, code: Int64?, text: String) { self.tag = tag; self.code = code; self.text = text }
}

/// One execution, once per execID. The only source of position and money.
package struct Fill: Hashable, Sendable {
    package var execID: String
    /// Nil for an order that is not ours.
    package var tag: ClOrdID?
    package var account: String
    package var instrument: InstrumentID
    package var side: Side
    /// Above zero.
    package var lastQty: Quantity
    package var lastPx: Price
    /// Cumulative quantity of the order after this fill, as the broker says.
    package var cumQty: Quantity
    package var permID: Int64
    /// The venue's time (FIX TransactTime).
    package var transactTime: Instant
    /// The execution that this one replaces or adds to, when the broker corrected it.
    package var corrects: String?
    package init(
        execID: String, tag: ClOrdID?, account: String, instrument: InstrumentID, side: Side, lastQty: Quantity, lastPx: Price, cumQty: Quantity,
        permID: Int64, transactTime: Instant
    ) {
        self.execID = execID; self.tag = tag; self.account = account; self.instrument = instrument; self.side = side; self.lastQty = lastQty
        self.lastPx = lastPx; self.cumQty = cumQty; self.permID = permID; self.transactTime = transactTime
    }
}

/// The price of one execution, joined by execID, in either order with it.
package struct Commission: Hashable, Sendable {
    package var execID: String
    package var amount: Money
    package var currency: String
    package init(execID: String, amount: Money, currency: String) { self.execID = execID; self.amount = amount; self.currency = currency }
}

/// What became of a command.
package struct CommandOutcome: Hashable, Sendable {
    package var command: CommandID
    /// The command's kind, `order`, `close`, `cancel`, `halt`, `watch`, `withdraw`.
    package var kind: String
    package var issuer: String
    /// A refusal's name (`expired`, `edgeHalted`, …) or `done`.
    package var code: String
    /// In words, with what to do.
    package var text: String
    package init(command: CommandID, kind: String, issuer: String, code: String, text: String) {
        self.command = command; self.kind = kind; self.issuer = issuer; self.code = code; self.text = text
    }
    /// True when the command had no effect and never will. A closing that was not completed had some.
    package var hadNoEffect: Bool { !["done", "closing", "notCompleted"].contains(code) }
}

/// An order that a rule refused.
package struct Denial: Hashable, Sendable {
    package var rule: String
    package var instrument: InstrumentID
    package var side: Side
    package var quantity: Quantity
    package var origin: OrderOrigin
    package var command: CommandID?
    package var bot: String?
    /// In words, with limit and actual value.
    package var text: String
    package init(
        rule: String, instrument: InstrumentID, side: Side, quantity: Quantity, origin: OrderOrigin, command: CommandID? = nil, bot: String? = nil,
        text: String
    ) {
        self.rule = rule; self.instrument = instrument; self.side = side; self.quantity = quantity; self.origin = origin; self.command = command
        self.bot = bot; self.text = text
    }
}

/// The whole edge's trading state. Raising is free, lowering needs the edge console.
package enum HaltLevel: Int64, Hashable, Comparable, Sendable, CaseIterable {
    /// `reducing` refuses what opens; `halt` also stops watching; `cancel` besides cancels every working order that could open.
    case normal = 0, reducing = 2, halt = 3, cancel = 4
    package static func < (a: HaltLevel, b: HaltLevel) -> Bool { a.rawValue < b.rawValue }
    /// `ACTIVE`, `REDUCING`, `HALTED`: what trading is, not how it came to be so.
    package var word: String {
        switch self {
        case .normal: "ACTIVE"
        case .reducing: "REDUCING"
        case .halt, .cancel: "HALTED"
        }
    }
    /// The word of the APIs and of the console: `NONE`, `REDUCING`, `HALT`, `CANCEL`.
    package var apiWord: String {
        switch self {
        case .normal: "NONE"
        case .reducing: "REDUCING"
        case .halt: "HALT"
        case .cancel: "CANCEL"
        }
    }
    /// Reads `apiWord` back; nil for any other word.
    package init?(apiWord word: String) {
        guard let level = HaltLevel.allCases.first(where: { $0.apiWord == word }) else { return nil }
        self = level
    }
    /// What the kill switch can be set to, as words: every level but `NONE`, lowest first.
    package static let killWords = HaltLevel.allCases.filter { $0 > .normal }.map(\.apiWord)
    /// Reads one of `killWords`; nil for any other word, `NONE` too.
    package init?(killWord word: String) {
        guard HaltLevel.killWords.contains(word) else { return nil }
        self.init(apiWord: word)
    }
}

/// A change of the halt level.
package struct HaltFact: Hashable, Sendable {
    package var level: HaltLevel
    /// `cloud:<user>`, `console`, `file`, `rule:<name>`.
    package var source: String
    package var reason: String
    package var command: CommandID?
    package init(level: HaltLevel, source: String, reason: String, command: CommandID? = nil) {
        self.level = level; self.source = source; self.reason = reason; self.command = command
    }
}

/// The broker's session came or went.
package struct BrokerSessionFact: Hashable, Sendable {
    package var connected: Bool
    /// Counts connections of this run; conclusions never cross one.
    package var generation: Int64
    package var account: String
    package var text: String
    package init(connected: Bool, generation: Int64, account: String, text: String) {
        self.connected = connected; self.generation = generation; self.account = account; self.text = text
    }
}

/// A finished comparison with the broker.
package struct ReconciledFact: Hashable, Sendable {
    package var generation: Int64
    /// Digest of the two equal snapshots.
    package var evidence: String
    package var differences: Int64
    package init(generation: Int64, evidence: String, differences: Int64) {
        self.generation = generation; self.evidence = evidence; self.differences = differences
    }
}

/// A difference with the broker that no automatic rule explains.
package struct Difference: Hashable, Sendable {
    /// `R5`, `R6`, `R7`, `R9`, ...
    package var rule: String
    /// The rule of a position whose protection the broker refuses to take back: it needs a person, though the books agree.
    package static let unprotected = "P1"
    /// The rule of money that could not be posted.
    package static let unposted = "M1"
    package var instrument: InstrumentID?
    package var text: String
    package init(rule: String, instrument: InstrumentID?, text: String) { self.rule = rule; self.instrument = instrument; self.text = text }
}

/// A step of a bot's state machine on one instrument.
package struct BotFact: Hashable, Sendable {
    package var bot: String
    package var instrument: InstrumentID
    package var state: String
    package var reason: String
    /// Until when the bot stays out, when it does.
    package var until: Instant?
    package init(bot: String, instrument: InstrumentID, state: String, reason: String, until: Instant? = nil) {
        self.bot = bot; self.instrument = instrument; self.state = state; self.reason = reason; self.until = until
    }
}
