// What the views are made from: one edge's book and live state, and how its link stands.
package import Ledger
package import Values
package import Wire

/// How the link to an edge stands; at the edge itself it is always live.
package struct LinkPicture: Hashable, Sendable {
    /// `live`, `silent` or `never`.
    package enum State: String, Hashable, Sendable { case live, silent, never }
    package var state: State
    package var lastHeard: Instant?
    package var roundTrip: Span?
    /// The edge's clock minus ours.
    package var clockOffset: Span?
    /// When the first entry behind the last stored one was there at the latest.
    package var backlogOldest: Instant?
    /// The last entry the edge is known to have.
    package var announced: Seq
    /// The last entry that is stored and acknowledged; the book may be behind it.
    package var acked: Seq
    /// Everything that the edge wrote before this moment is in the book; nil when that is not known.
    package var settled: Instant?
    package init(state: State, lastHeard: Instant? = nil, announced: Seq, acked: Seq) {
        self.state = state; self.lastHeard = lastHeard; self.announced = announced; self.acked = acked
    }
}

/// A denial with its place in the ledger; the book keeps only what was denied.
package struct DenialRow: Hashable, Sendable {
    package let id: IntentID
    package let at: Instant
    package let denial: Denial
    package init(id: IntentID, at: Instant, denial: Denial) { self.id = id; self.at = at; self.denial = denial }
}

/// What was handed to the gateway at one place of the ledger; the entry itself carries no subject to be found by.
package struct SentRow: Hashable, Sendable {
    package let seq: Seq
    package let tags: [ClOrdID]
    package init(seq: Seq, tags: [ClOrdID]) { self.seq = seq; self.tags = tags }
}

/// When things that the book holds without a time came to be so.
package struct Milestones: Hashable, Sendable {
    package var halt: Instant?
    package var reconciled: Instant?
    package var session: Instant?
    /// Wall time of the last entry.
    package var lastEntry: Instant?
    /// Oldest first, the newest 100.
    package var denials: [DenialRow] = []
    /// Oldest first, the newest 1,000.
    package var sent: [SentRow] = []
    package init() {}

    /// Takes in the time of one entry that the book has just applied.
    package mutating func note(_ entry: Entry) {
        lastEntry = entry.wall
        switch Kind(rawValue: entry.kind) {
        case .halt, .resume: halt = entry.wall
        case .reconciled, .difference: reconciled = entry.wall
        case .brokerSession, .boot: session = entry.wall
        case .denied:
            guard case .denied(let denial) = try? entry.decoded() else { return }
            denials.append(DenialRow(id: IntentID(boot: entry.boot, seq: entry.seq), at: entry.wall, denial: denial))
            denials.removeFirst(max(0, denials.count - 100))
        case .sent:
            guard case .sent(let tags) = try? entry.decoded() else { return }
            sent.append(SentRow(seq: entry.seq, tags: tags))
            sent.removeFirst(max(0, sent.count - 1_000))
        default: break
        }
    }
}

/// Everything that is shown of one edge.
package struct EdgePicture: Sendable {
    package let id: EdgeID
    package let name: String
    package let book: Book
    package let live: LiveState
    package let link: LinkPicture
    package let milestones: Milestones
    /// The newest comparison of stored bytes, as it is shown; only the cloud makes them.
    package var comparison: JSONValue?
    /// How far what is shown here, and the tables beside the entries that are stored here, have been behind them for longer than a moment.
    package var bookLag: Lag?
    package var tablesLag: Lag?
    package init(id: EdgeID, name: String, book: Book, live: LiveState, link: LinkPicture, milestones: Milestones) {
        self.id = id; self.name = name; self.book = book; self.live = live; self.link = link; self.milestones = milestones
    }

    /// Paper until the ledger says otherwise.
    package var mode: TradingMode { book.boot?.mode ?? .paper }
    /// The time up to which anything of this edge can be known.
    package var asOf: Instant { link.lastHeard ?? milestones.lastEntry ?? Instant(nanoseconds: 0) }
    /// True while the edge, or the store, has entries that the book does not hold yet.
    package var isBookBehind: Bool { link.announced > book.head.seq }
    /// The time that positions and orders are of: of a book that lags behind its edge the last that it is known to be whole up to.
    package var bookAsOf: Instant {
        guard isBookBehind, let whole = [link.settled, milestones.lastEntry].compactMap({ $0 }).max() else { return asOf }
        return min(whole, asOf)
    }
    /// The broker account, as the session or the gateway named it; empty before either spoke.
    package var account: String {
        if let account = book.session?.account, !account.isEmpty { return account }
        return live.gateway?.account ?? ""
    }
    /// The instrument that a ticket opens with: the front month of a root symbol, futures first.
    package var front: InstrumentID? {
        let fronts = live.sorted.compactMap { if case .front(_, let id, _) = $0 { id } else { nil } }
        return fronts.first { book.instruments[$0]?.securityType == .future } ?? fronts.first ?? frontByLedger
    }
    /// Until the edge says which, after a start of the cloud: the future of the ledger that ends next, by the same rule.
    private var frontByLedger: InstrumentID? {
        let today = CivilDate(dayNumber: Int(asOf.nanoseconds / Span.hours(24).nanoseconds))
        let trading = book.instruments.values.filter { $0.securityType == .future && $0.maturityDate.map { $0 >= today } ?? false }
        return trading.min { ($0.maturityDate ?? today, $0.id) < ($1.maturityDate ?? today, $1.id) }?.id
    }
    /// Instruments with live data, a position or a working order, and the front; by id.
    package var watched: [InstrumentID] {
        var ids = Set(live.sorted.compactMap { if case .quote(let id, _) = $0 { id } else { nil } })
        ids.formUnion(book.positions.filter { $0.value.quantity.raw != 0 }.keys)
        ids.formUnion(book.workingOrders.map(\.leg.instrument))
        if let front { ids.insert(front) }
        return ids.filter { book.instruments[$0] != nil }.sorted()
    }
    /// Short name for sentences: `MBTZ6`.
    package func shortName(_ id: InstrumentID) -> String { book.instruments[id]?.localSymbol ?? id.text }
    package func currency(_ id: InstrumentID) -> String { book.instruments[id]?.currency ?? "USD" }
}

/// An order's id in the API: its intent's `boot-seq`, with `.leg` for every leg but the first.
package enum OrderName {
    package static func text(_ order: OrderRecord) -> String { text(order.intent, leg: order.legIndex) }
    package static func text(_ intent: IntentID, leg: Int) -> String { leg == 0 ? intent.description : "\(intent).\(leg)" }

    /// Reads `text` back.
    package static func parse(_ text: some StringProtocol) -> (intent: IntentID, leg: Int)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let intent = IntentID(parts[0]) else { return nil }
        guard parts.count == 2 else { return (intent, 0) }
        guard let leg = Int(parts[1]), (1..<26).contains(leg), String(leg) == parts[1] else { return nil }
        return (intent, leg)
    }
}

extension EdgePicture {
    /// The order of an API id.
    package func order(named text: some StringProtocol) -> OrderRecord? {
        guard let name = OrderName.parse(text) else { return nil }
        return book.order(ClOrdID(edge: id, intent: name.intent, leg: name.leg))
    }
}
