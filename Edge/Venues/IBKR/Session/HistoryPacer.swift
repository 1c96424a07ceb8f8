// How fast the past is asked for: the broker's own limits on history, so that it need not refuse.
package import Values

/// Admits requests for history, or keeps them until the broker's limits allow them.
///
/// At most 50 are open. For bars of 30 seconds or less, head timestamps and histograms also: nothing identical within 15 s, fewer than six of one
/// contract, exchange and type within 2 s, and 60 within ten minutes, where BID_ASK counts twice.
package struct HistoryPacer: Sendable {
    /// A request, as far as the limits look at it.
    package struct Ask: Hashable, Sendable {
        /// The broker's number of the contract.
        package var contract: Int64
        package var exchange: String
        /// `TRADES`, `MIDPOINT`, `BID_ASK`.
        package var type: String
        /// All else that makes two requests identical: bar size, duration, end.
        package var rest: String
        /// True for small bars, head timestamps and histograms; the limits on larger bars are the broker's own business.
        package var isCounted: Bool
        package init(contract: Int64, exchange: String, type: String, rest: String, isCounted: Bool) {
            self.contract = contract; self.exchange = exchange; self.type = type; self.rest = rest; self.isCounted = isCounted
        }
        var weight: Int { type == "BID_ASK" ? 2 : 1 }
    }
    private struct Sent: Sendable { var ask: Ask; var at: Instant }

    /// Requests that may be open at a time.
    package static let openMax = 50
    private static let identical = Span.seconds(15)
    private static let (burst, burstMax) = (Span.seconds(2), 5)
    private static let (window, windowMax) = (Span.minutes(10), 60)
    /// After a refusal for pacing nothing is asked for this long, doubled with each further refusal ...
    private static let firstPause = Span.seconds(15)
    /// ... up to this.
    private static let longestPause = Span.minutes(10)

    private var sent: [Sent] = []
    private var open: Set<Int64> = []
    private var waiting: [(request: Int64, ask: Ask)] = []
    private var violations = 0
    private var heldUntil: Instant?

    package init() {}

    /// Requests that were admitted and have not ended.
    package var openCount: Int { open.count }
    /// Requests that wait for their turn.
    package var waitingCount: Int { waiting.count }

    /// True when the request may leave now. Otherwise it waits: see `due`.
    package mutating func admit(_ request: Int64, _ ask: Ask, at now: Instant) -> Bool {
        if waiting.isEmpty || !waiting.contains(where: { $0.ask == ask }), allows(ask, at: now) {
            note(request, ask, at: now)
            return true
        }
        waiting.append((request, ask))
        return false
    }

    /// The requests whose turn has come, oldest first. One that has to wait holds up none but those like it.
    package mutating func due(at now: Instant) -> [Int64] {
        guard !waiting.isEmpty else { return [] }
        var free: [Int64] = []
        var still: [(request: Int64, ask: Ask)] = []
        for entry in waiting {
            if allows(entry.ask, at: now) {
                note(entry.request, entry.ask, at: now)
                free.append(entry.request)
            } else {
                still.append(entry)
            }
        }
        waiting = still
        return free
    }

    /// The request was answered whole, refused, cancelled or given up.
    package mutating func end(_ request: Int64) {
        open.remove(request)
        waiting.removeAll { $0.request == request }
    }
    /// An answer came: refusals for pacing are counted from here.
    package mutating func answered() { violations = 0 }

    /// True for bars of 30 seconds or less.
    package static func isCounted(barSize: String) -> Bool { barSize.hasSuffix("secs") || barSize.hasSuffix("sec") }

    /// The broker refused for pacing all the same. Gives when it may be asked again.
    package mutating func slowDown(at now: Instant) -> Instant {
        let pause = min(HistoryPacer.longestPause.nanoseconds, HistoryPacer.firstPause.nanoseconds << Int64(min(violations, 6)))
        violations += 1
        let until = now + Span(nanoseconds: pause)
        heldUntil = until
        return until
    }

    /// The connection is over. What was asked still counts: the broker remembers.
    package mutating func lose() { open = []; waiting = [] }

    private func allows(_ ask: Ask, at now: Instant) -> Bool {
        if let heldUntil, now < heldUntil { return false }
        guard open.count < HistoryPacer.openMax else { return false }
        guard ask.isCounted else { return true }
        var (burst, window) = (ask.weight, ask.weight)
        for entry in sent {
            let age = now - entry.at
            // A clock that was set back forgets, rather than never asking again.
            guard age >= .zero, age < HistoryPacer.window else { continue }
            window += entry.ask.weight
            if entry.ask == ask, age < HistoryPacer.identical { return false }
            let isAlike = entry.ask.contract == ask.contract && entry.ask.exchange == ask.exchange && entry.ask.type == ask.type
            if isAlike, age < HistoryPacer.burst { burst += entry.ask.weight }
        }
        return burst <= HistoryPacer.burstMax && window <= HistoryPacer.windowMax
    }

    private mutating func note(_ request: Int64, _ ask: Ask, at now: Instant) {
        open.insert(request)
        guard ask.isCounted else { return }
        sent.removeAll { now - $0.at >= HistoryPacer.window || now < $0.at }
        sent.append(Sent(ask: ask, at: now))
    }
}
