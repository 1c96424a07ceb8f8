// One edge as the cloud knows it: its ledger folded, its live state, and how its link is.
package import Ledger
package import Values

/// How lately an edge was heard, as the link's own clock judges it.
package enum EdgePresence: String, Hashable, Sendable {
    /// Never since it was enrolled.
    case never
    case live
    /// A session stands, and nobody speaks in it: nothing is opened through it.
    case silent
    /// No session.
    case dead
}

/// An open session with an edge.
package struct LinkSession: Hashable, Sendable {
    package let number: UInt64
    package let boot: Boot
    /// The edge's release.
    package let release: String
    package let openedAt: Instant
    package init(number: UInt64, boot: Boot, release: String, openedAt: Instant) {
        self.number = number; self.boot = boot; self.release = release; self.openedAt = openedAt
    }
}

/// What one sign of life tells.
package struct Pulse: Hashable, Sendable {
    /// The last entry the edge has, whether it arrived here or not.
    package var announced: Seq
    package var roundTrip: Span?
    /// The edge's clock minus ours.
    package var clockOffset: Span?
    /// When the edge said so, by our clock and never too late; nil means on arrival.
    package var toldAt: Instant?
    package init(announced: Seq, roundTrip: Span? = nil, clockOffset: Span? = nil, toldAt: Instant? = nil) {
        self.announced = announced; self.roundTrip = roundTrip; self.clockOffset = clockOffset; self.toldAt = toldAt
    }
}

/// The cloud's picture of one edge.
package struct EdgeRoom: Sendable {
    /// Entries kept at hand for screens; the store has all.
    package static let recentMax = 500

    package let id: EdgeID
    package var name: String
    package internal(set) var book: Book
    package internal(set) var live = LiveState()
    package internal(set) var session: LinkSession?
    package internal(set) var presence = EdgePresence.never
    package internal(set) var pulse = Pulse(announced: Seq(0))
    /// The newest entries, oldest first.
    package internal(set) var recent: [Entry] = []
    /// Adds to the newest entries where they are: they come with every batch.
    mutating func remember(_ entries: [Entry]) {
        recent.append(contentsOf: entries)
        if recent.count > EdgeRoom.recentMax { recent.removeFirst(recent.count - EdgeRoom.recentMax) }
    }
    /// More entries are stored here than the book holds.
    package internal(set) var isBehind = false
    /// Since when, without a moment's pause, the book lacks entries that the edge has; nil when it lacks none.
    private var lacksSince: Instant?
    /// What a batch takes on its way and through the fold is no reason to refuse an order.
    private static let lagMax = Span.seconds(2)

    /// To be called when the announced head, the book or the session changed.
    /// - Parameter isNewLink: what is missing then was missing while nobody was linked.
    mutating func noteLag(at now: Instant, isNewLink: Bool = false) {
        guard backlog > 0 || isBehind else { lacksSince = nil; return }
        lacksSince = isNewLink ? Instant(nanoseconds: .min) : lacksSince ?? now
    }
    /// True when what the book shows is not what is, for longer than a batch takes.
    func lags(at now: Instant) -> Bool { lacksSince.map { now - $0 > EdgeRoom.lagMax } ?? false }

    /// Nothing that the present run wrote before this moment is above `announced`.
    package internal(set) var toldThrough: Instant?
    /// Everything the present run wrote before this moment is in `book`.
    package internal(set) var settledThrough: Instant?

    package init(id: EdgeID, name: String) { self.id = id; self.name = name; book = Book(edge: id) }

    /// The highest entry the edge is known to have.
    package var announced: Seq { max(pulse.announced, book.head.seq) }
    /// Entries that the edge has and we do not.
    package var backlog: UInt64 { announced.raw - book.head.seq.raw }

    /// What is held and what works, in one line: what a person looks at when nobody knows what became of a command.
    var facts: String {
        let held = book.positions.keys.sorted().compactMap { id in
            let quantity = book.netQuantity(id)
            return quantity.raw == 0 ? nil : "\(quantity) \(id)"
        }
        let working = book.workingOrders.map { "\($0.leg.side == .buy ? "buy" : "sell") \($0.leavesQty) \($0.leg.instrument)" }
        let orders = working.isEmpty ? "no orders work" : "working: " + working.prefix(5).joined(separator: ", ") + (working.count > 5 ? ", …" : "")
        return "Held now: \(held.isEmpty ? "nothing" : held.joined(separator: ", ")); \(orders)."
    }

    /// The clock that times are told by was set by `step`.
    mutating func clockWasSet(by step: Span) {
        let isTold = toldThrough.map { $0.nanoseconds > .min } ?? false
        if isTold { toldThrough = toldThrough.map { $0 + step } }
        settledThrough = settledThrough.map { $0.nanoseconds > .min ? $0 + step : $0 }
        lacksSince = lacksSince.map { $0.nanoseconds > .min ? $0 + step : $0 }
    }

    /// What became of the orders of a command, or nil while they run (or none is there yet).
    func progress(of record: CommandRecord, at now: Instant) -> OrderProgress? {
        // Linked with a command is also what it cancelled: an entry that ends to make room for the closing says nothing of the closing.
        let orders = (book.commandOrders[record.id] ?? []).compactMap { book.order($0) }
            .filter { $0.leg.role != .protect && $0.command == record.id }
        let quietSince = orders.map(\.updatedAt).max() ?? record.reached(.accepted) ?? now
        let isQuiet = now - quietSince > EdgeRoom.followUp
        // The edge ends a closing itself, however long the broker takes for the protection or is away: until it has said so nothing is known.
        if book.commands[record.id]?.code == "closing", !orders.contains(where: { $0.leg.role == .open }) { return nil }
        guard !orders.isEmpty else { return isQuiet ? .done : nil }
        guard orders.allSatisfy({ $0.status.isTerminal }) else { return nil }
        // A reversal closes first and opens then: between the two it looks finished.
        if case .order(_, _, _, _, reverse: true) = record.command.body, !orders.contains(where: { $0.leg.role == .open }), !isQuiet { return nil }
        if orders.contains(where: { $0.cumQty.raw > 0 }) { return .filled }
        let last = orders.last { !$0.text.isEmpty } ?? orders[orders.count - 1]
        return .dead(reason: last.text.isEmpty ? "The order ended \(last.status.rawValue) without a fill." : last.text)
    }

    /// How long a further order of an accepted command may stay out.
    private static let followUp = Span.seconds(10)
}
