// The desk: one reducer that turns venue events, commands and time into facts and actions.
package import Ledger
package import Values

/// Something the desk is told.
package enum DeskInput: Sendable {
    case venue(VenueEvent)
    /// From the cloud or the console; `deadline` is the end of its life by this machine's wall clock, counted from receipt.
    case command(Command, deadline: Instant?)
    /// The halt level falls; only the edge console sends this.
    case resume(reason: String)
    /// The halt file appeared, or a rule of the shell asks for a stop.
    case halt(source: String, reason: String)
    /// Money that a person writes down, under the id that makes asking twice asking once; only the edge console sends this.
    case record(Fact, command: CommandID)
    case timer
}

/// Something the shell does after the drafts are on disk. A draft is named by its place in the outcome.
package enum Action: Hashable, Sendable {
    /// Not from `before` on, by the time that the desk is told.
    case place(draft: Int, before: Instant? = nil)
    case cancel(draft: Int, order: ClOrdID)
    case modify(draft: Int, order: ClOrdID)
    case snapshot
    case margin(InstrumentID)
    case watch(InstrumentID)
}

/// The desk's answer: first what must be durable, then what leaves the house.
package struct Outcome: Sendable {
    package var drafts: [Draft] = []
    package var actions: [Action] = []
    /// Shown but not kept.
    package var live: [LiveItem] = []
    package init() {}
    /// Adds a draft and gives its place.
    @discardableResult mutating func add(_ fact: Fact, flags: EntryFlags = []) -> Int {
        drafts.append(Draft(fact, flags: flags))
        return drafts.count - 1
    }
}

/// How what the broker tells is taken. Production uses `init()`; only tests construct another, which takes protections away.
package struct BrokerRules: Hashable, Sendable {
    package init() {}
    /// An execution that is told again is booked again.
    package var countsTwice = false
}

/// What the desk may do and by which numbers.
package struct DeskSettings: Sendable {
    package var mode: TradingMode
    package var limits: SizingLimits
    /// Quotes older than this refuse an opening order.
    package var quoteAgeMax: Span
    /// The account's figures older than this do, and so does a margin of a contract.
    package var fundsAgeMax = RiskRefusal.fundsAgeMax
    package var marginAgeMax = RiskRefusal.marginAgeMax
    /// The same order again inside this window is a double click.
    package var duplicateWindow: Span
    /// How long to wait after the broker link is up before absence means anything (2.4).
    package var settle: Span
    /// The least time between the two snapshots that prove absence.
    package var snapshotGap: Span
    package var bots: [BreakoutSettings]
    /// Asked at each traded price, in this order.
    package var priceRules: [any PriceRule] = []
    /// False: commands of the cloud may close and halt, and never open.
    package var acceptsRemoteOpenings = true
    /// True: commands of the cloud open only with a user's signature.
    package var wantsSignature = false
    /// Symbols that commands of the cloud may open; nil for all that the book knows.
    package var listed: Set<String>?
    package var commandRules = CommandRules()
    package var brokerRules = BrokerRules()
    /// True: a last price without bid and ask is judged by too. Only for a feed that tells nothing but trades, as a bench's player does.
    package var trustsLastAlone = false
    /// False: opening orders younger than the account's figure do not lower it. Only for a bench, whose player tells the figure once.
    package var countsFundsInFlight = true
    package init(
        mode: TradingMode, limits: SizingLimits = .standard, quoteAgeMax: Span = RiskRefusal.quoteAgeMax, duplicateWindow: Span = .seconds(5),
        settle: Span = .seconds(10), snapshotGap: Span = .seconds(3), bots: [BreakoutSettings] = []
    ) {
        self.mode = mode; self.limits = limits; self.quoteAgeMax = quoteAgeMax; self.duplicateWindow = duplicateWindow
        self.settle = settle; self.snapshotGap = snapshotGap; self.bots = bots
    }
}

/// The state of trading. `book` is the fold of the ledger; everything else is transient and learnt again after a start.
package struct Desk: Sendable {
    package let settings: DeskSettings
    package private(set) var book: Book
    package internal(set) var live = LiveState()
    var reconciliation = Reconciliation()
    var bars: [InstrumentID: BarBuilder] = [:]
    /// Closings and reversals under way, by instrument.
    var programs: [InstrumentID: Program] = [:]
    /// Closings that an earlier run began and did not end.
    var interrupted: [CommandID] = []
    /// Closing commands that were given up before the protection they took away could be placed again, by instrument.
    var restorations: [InstrumentID: [CommandID]] = [:]
    var gate = CommandGate()
    /// Whether commands from before may have been carried out without this ledger's knowing.
    var lost: LostLineage
    /// Instruments whose position at the broker was another than ours when last compared.
    var disagreeing: Set<InstrumentID> = []
    /// The newest orders as the search for a double click wants them.
    var recent: RecentOrders
    /// Orders that the broker said something of and does not list: compared with as soon as no other comparison is under way.
    var missing: Set<ClOrdID> = []
    /// Corrections of booked executions, until a comparison tells how to read them.
    var corrections: [BrokerFill] = []
    /// An order ended as filled and its executions did not all come: positions are to be compared.
    var isShort = false
    /// Protection that is larger than what it protects, by instrument.
    var excesses: [InstrumentID: Excess] = [:]
    /// The ledger's head when positions without protection were last looked for.
    var protectionLookedAt: Seq?
    /// Where protection that was placed again was rejected, as of the ledger's head then.
    var rejections: (head: Head, instruments: [InstrumentID])?
    /// When the broker was heard to reject it, by the desk's own time; of what an earlier run heard nothing.
    var rejectedAt: [InstrumentID: Instant] = [:]
    /// The time of the last input: what is committed next was drafted then.
    private(set) var toldTime: Instant?
    /// What is wrong with the ledger; while it stops opening, only closing and protecting orders leave.
    package internal(set) var ledgerTrouble: LedgerTrouble?
    /// The lowest order id the broker will take in this session.
    var sessionOrderID: Int64 = 0
    /// Ids handed out in drafts that the book has not yet seen.
    var issuedOrderID: Int64 = 0
    var account = ""

    /// `book` is what the journal folded to.
    package init(settings: DeskSettings, book: Book) {
        self.settings = settings; self.book = book
        lost = LostLineage(book)
        recent = RecentOrders(after: book)
    }

    /// Opens a piece of what the book has packed; false when nothing is left. Changes nothing but how fast it is read.
    package mutating func openNextRecords() -> Bool { book.openNext() }
    /// Lets the book prepare what a snapshot of it needs; what it adds up to must stay as it is.
    package mutating func withBook<Value, Failure: Error>(_ body: (inout Book) throws(Failure) -> Value) throws(Failure) -> Value {
        let head = book.head
        defer { assert(book.head == head, "a snapshot changed the book") }
        return try body(&book)
    }

    /// Takes committed entries in; the same fold that recovery uses.
    package mutating func apply(_ entries: some Sequence<Entry>) {
        for entry in entries { book.apply(entry) }
        recent.follow(book, at: toldTime)
    }

    /// Decides. Never changes the book: the drafts do, once numbered.
    package mutating func handle(_ input: DeskInput, at now: Instant) -> Outcome {
        var out = Outcome()
        toldTime = now
        inheritLoss(at: now)
        switch input {
        case .venue(let event): handle(event, at: now, into: &out)
        case .command(let command, let deadline): handle(command, deadline: deadline, at: now, into: &out)
        case .resume(let reason): resume(reason, at: now, into: &out)
        case .record(let fact, let command): record(fact, command, into: &out)
        case .halt(let source, let reason): raiseHalt(HaltFact(level: .halt, source: source, reason: reason), into: &out)
        case .timer:
            if advanceCommands(at: now, into: &out) { break }
            cancelOpenings(at: now, into: &out)
            compareMissing(at: now, into: &out)
            advanceReconciliation(at: now, into: &out)
            endUnclear(at: now, into: &out)
            advancePrograms(at: now, into: &out)
            endInterrupted(at: now, into: &out)
            advanceRestorations(at: now, into: &out)
            retryRejected(at: now, into: &out)
            mendProtection(at: now, into: &out)
            tellUnprotected(at: now, into: &out)
            showTrading(into: &out)
            for bot in settings.bots { run(bot, at: now, into: &out) }
        }
        noteLoss(out, at: now)
        for item in out.live { live.apply(item) }
        return out
    }

    /// The time that `handle` is told was set by `step`: what was to last still lasts as long.
    package mutating func clockWasSet(by step: Span) {
        for id in programs.keys { if let deadline = programs[id]?.deadline { programs[id]?.deadline = deadline + step } }
        reconciliation.clockWasSet(by: step)
        gate.clockWasSet(by: step)
        lost.clockWasSet(by: step)
        recent.clockWasSet(by: step)
        rejectedAt = rejectedAt.mapValues { $0 + step }
        // A price, a figure of the account, a margin: each stays as old as it is.
        live.clockWasSet(by: step)
        toldTime = toldTime.map { $0 + step }
    }

    /// The one-minute bars of an instrument, oldest first; the last may still be forming.
    package func bars(of instrument: InstrumentID) -> [Bar] { bars[instrument]?.bars ?? [] }
    /// The closed bars of an instrument that are to be passed on: see `BarBuilder.takeClosed`.
    package mutating func takeClosedBars(of instrument: InstrumentID, before present: Instant, after sent: Instant?) -> [Bar] {
        bars[instrument]?.takeClosed(before: present, after: sent) ?? []
    }
    /// Instruments with bars, in order.
    package var charted: [InstrumentID] { bars.keys.sorted() }

    /// True when orders may leave: connected, reconciled in this connection, right account, a ledger that can be written.
    package var isTrading: Bool { reconciliation.isDone && live.gateway?.condition == .connected && ledgerTrouble?.kind.stopsAll != true }

    /// Notes what is wrong with the ledger, or that nothing is any more, and gives the words for the screens.
    package mutating func note(_ trouble: LedgerTrouble?, at now: Instant) -> [LiveItem] {
        ledgerTrouble = trouble
        let notice = LiveItem.notice(
            Notice(code: Notice.ledger, instrument: nil, text: trouble?.text ?? "", cure: trouble?.cure ?? "", asOf: now))
        live.apply(notice)
        return [notice]
    }

    mutating func raiseHalt(_ fact: HaltFact, into out: inout Outcome) {
        // Raising twice is one halt; the second asker still gets an outcome by its command.
        if book.haltLevel < fact.level { out.add(.halt(fact)) }
    }

    /// A broker order id never written to any socket before.
    mutating func takeOrderID() -> Int64? {
        let next = max(sessionOrderID, book.highestBrokerOrderID + 1, issuedOrderID + 1)
        // IBKR ids are signed 32-bit; the gateway refuses larger ones.
        guard next < Int64(Int32.max) else { return nil }
        issuedOrderID = next
        return next
    }
}
