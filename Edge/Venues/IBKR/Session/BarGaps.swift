// Which minutes of an instrument are known, and which are missing after a time without a stream.
package import Values

/// The minutes of one instrument, as far as this session saw them. Starts of bars are whole minutes.
package struct BarGaps: Hashable, Sendable {
    /// The start of the newest bar that is known to be complete: a later one was seen.
    package private(set) var whole: Instant?
    /// The newest start that was seen; it may be of a bar that still forms.
    private var newest: Instant?
    /// Starts that are missing, up to but not including the end; nil when nothing is.
    package private(set) var missing: Range<Instant>?
    /// The whole gap that `missing` is left of, for a person.
    package private(set) var gap: Range<Instant>?
    /// All before this was asked for once; a gap is not asked for twice.
    private var covered: Instant?
    /// Bars that pages of the gap brought.
    private var found = 0
    /// Failures of the present page.
    package var tries = 0

    /// One page of the past, as one request may ask.
    package static let page = Span.hours(24)
    /// Older minutes than this are not fetched again.
    package static let reach = Span.hours(240)

    package init() {}

    /// The first start that the next request has to bring; nil when nothing was seen yet.
    package var from: Instant? { whole.map { max($0 + .minutes(1), covered ?? $0) } }

    /// How much of the past a new stream asks for: what is missing, a page at most, `standard` when nothing is known.
    package func span(at now: Instant, standard: Span) -> Span {
        guard let from else { return min(standard, BarGaps.page) }
        // The forming minute and the one before are part of every answer.
        return min(BarGaps.page, max(.minutes(2), now - from + .minutes(2)))
    }

    /// A new stream asks for the last `span` before `now`: what lies between that and what is known is missing. True when there is a new gap.
    package mutating func open(at now: Instant, asks span: Span) -> Bool {
        guard let from = missing?.lowerBound ?? from else { return false }
        let start = Timeframe.minute.start(of: now - span)
        let oldest = max(from, Timeframe.minute.start(of: now - BarGaps.reach))
        guard oldest < start else { return false }
        let isNew = missing == nil
        missing = oldest..<start
        gap = (isNew ? oldest : gap?.lowerBound ?? oldest)..<start
        if isNew {
            found = 0
            tries = 0
        }
        return isNew
    }

    /// The next page to ask for, the newest of what is missing.
    package var nextPage: Range<Instant>? { missing.map { max($0.lowerBound, $0.upperBound - BarGaps.page)..<$0.upperBound } }

    /// A page was answered or is known to hold nothing. Gives the bars of it that were missing, oldest first.
    package mutating func take(page: Range<Instant>, _ bars: [Bar]) -> [Bar] {
        guard let missing else { return [] }
        let fresh = BarGaps.inOrder(bars.filter { missing.contains($0.start) })
        found += fresh.count
        tries = 0
        // Trading may have paused: then an answer reaches further back than its page.
        let reached = min(page.lowerBound, fresh.first?.start ?? page.lowerBound)
        self.missing = reached > missing.lowerBound && reached < missing.upperBound ? missing.lowerBound..<reached : nil
        if self.missing == nil { covered = gap?.upperBound }
        return fresh
    }

    /// True when the gap's pages brought nothing at all.
    package var isHole: Bool { found == 0 }

    /// Nothing more of the gap is asked for.
    package mutating func giveUp() {
        missing = nil
        covered = gap?.upperBound
    }

    /// Bars of the stream: those that were not complete before, oldest first.
    package mutating func take(stream bars: [Bar]) -> [Bar] {
        let fresh = BarGaps.inOrder(whole.map { known in bars.filter { $0.start > known } } ?? bars)
        for bar in fresh {
            if let newest, bar.start > newest { whole = newest }
            newest = max(newest ?? bar.start, bar.start)
        }
        return fresh
    }

    private static func inOrder(_ bars: [Bar]) -> [Bar] {
        let sorted = zip(bars, bars.dropFirst()).allSatisfy { $0.start < $1.start } ? bars : bars.sorted { $0.start < $1.start }
        // Of two bars of one minute the later one stands.
        var single: [Bar] = []
        single.reserveCapacity(sorted.count)
        for bar in sorted { if single.last?.start == bar.start { single[single.count - 1] = bar } else { single.append(bar) } }
        return single
    }
}
