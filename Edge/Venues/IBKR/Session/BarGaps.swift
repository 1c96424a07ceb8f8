// Which minutes of an instrument are known, and which are missing after a time without a stream.
package import Values

/// The minutes of one instrument, as far as this session saw them. Starts of bars are whole minutes.
package struct BarGaps: Hashable, Sendable {
    /// The start of the newest bar that is known to be complete, with all before it known or missing: a later one was seen.
    package private(set) var whole: Instant?
    /// The newest start that was seen; it may be of a bar that still forms.
    private var newest: Instant?
    /// Starts that are missing, oldest first, each range up to but not including its end; none touches another.
    package private(set) var missing: [Range<Instant>] = []
    /// From the oldest to the end of the newest that was missing since nothing was, for a person.
    package private(set) var gap: Range<Instant>?
    /// All before this was asked for once: it is known, or stands in `missing`.
    private var covered: Instant?
    /// The first start that the stream's first answer has to bring; nil when all of it is new.
    private var asked: Instant?
    /// The stream's first answer is still to come: live bars prove nothing about those before them.
    private var awaitsAnswer = false
    /// No answer was awaited when the stream was opened.
    private var wasSettled = true
    /// The newest bar that was completed by live ones while the answer was awaited.
    private var passed: Instant?
    /// Bars that pages of the gap brought.
    private var found = 0
    /// Failures in a row of the page that is asked for.
    package private(set) var tries = 0

    /// One page of the past, as one request may ask.
    package static let page = Span.hours(24)
    /// Older minutes than this are not fetched again.
    package static let reach = Span.hours(240)
    /// A minute is asked for this long after its end: the broker's history follows the market.
    package static let settling = Span.seconds(15)
    /// Failures in a row after which a person is told, and it is asked only seldom.
    package static let triesMax = 5
    /// More ranges than this are not kept apart: the oldest are joined, and what lies between them is fetched again.
    private static let rangesMax = 32

    package init() {}

    /// The first start that the next request has to bring; nil when nothing was seen yet.
    package var from: Instant? { whole.map { max($0 + .minutes(1), covered ?? $0) } }

    /// The first start that is not known to be whole; nil when nothing was seen yet.
    package var next: Instant? { from ?? newest }

    /// How much of the past a new stream asks for: what is missing, a page at most, `standard` when nothing is known.
    package func span(at now: Instant, standard: Span) -> Span {
        guard let from else { return min(standard, BarGaps.page) }
        // The forming minute and the one before are part of every answer.
        return min(BarGaps.page, max(.minutes(2), now - from + .minutes(2)))
    }

    /// A new stream asks for the last `span` before `now`: what lies between that and what is known is missing. True when there is a new gap.
    package mutating func open(at now: Instant, asks span: Span) -> Bool {
        asked = from
        wasSettled = !awaitsAnswer
        awaitsAnswer = true
        passed = nil
        guard let from else { return false }
        let start = Timeframe.minute.start(of: now - span)
        guard from < start else { return false }
        // What is fetched of it meanwhile is not missing again when this stream, too, dies before its answer.
        covered = start
        return miss(from..<start, at: now)
    }

    /// These starts are missing, or not known well enough. True when nothing was missing before.
    package mutating func miss(_ range: Range<Instant>, at now: Instant) -> Bool {
        let isNew = missing.isEmpty
        let oldest = max(range.lowerBound, Timeframe.minute.start(of: now - BarGaps.reach))
        guard oldest < range.upperBound else { return false }
        var joined = oldest..<range.upperBound
        var apart: [Range<Instant>] = []
        for old in missing {
            if old.upperBound < joined.lowerBound || joined.upperBound < old.lowerBound {
                apart.append(old)
            } else {
                joined = min(old.lowerBound, joined.lowerBound)..<max(old.upperBound, joined.upperBound)
            }
        }
        missing = (apart + [joined]).sorted { $0.lowerBound < $1.lowerBound }
        if missing.count > BarGaps.rangesMax { missing.replaceSubrange(0...1, with: [missing[0].lowerBound..<missing[1].upperBound]) }
        if isNew {
            found = 0
            tries = 0
            gap = joined
        } else {
            gap = min(gap?.lowerBound ?? joined.lowerBound, joined.lowerBound)..<max(gap?.upperBound ?? joined.upperBound, joined.upperBound)
        }
        return isNew
    }

    /// The next page to ask for, the newest of what is missing and over; nil when there is none now.
    package func nextPage(at now: Instant) -> Range<Instant>? {
        let settled = Timeframe.minute.start(of: now - BarGaps.settling)
        for range in missing.reversed() {
            let end = min(range.upperBound, settled)
            if range.lowerBound < end { return max(range.lowerBound, end - BarGaps.page)..<end }
        }
        return nil
    }

    /// A page was answered or is known to hold nothing. Gives the bars of it that were missing, oldest first.
    package mutating func take(page: Range<Instant>, _ bars: [Bar]) -> [Bar] {
        let fresh = BarGaps.inOrder(bars.filter { bar in bar.start < page.upperBound && missing.contains { $0.contains(bar.start) } })
        found += fresh.count
        tries = 0
        // Trading may have paused: then an answer reaches further back than its page.
        remove(min(page.lowerBound, fresh.first?.start ?? page.lowerBound)..<page.upperBound)
        return fresh
    }

    private mutating func remove(_ range: Range<Instant>) {
        missing = missing.flatMap { old in
            guard old.overlaps(range) else { return [old] }
            return [
                old.lowerBound..<max(old.lowerBound, range.lowerBound), min(old.upperBound, range.upperBound)..<old.upperBound,
            ].filter { !$0.isEmpty }
        }
    }

    /// True when the gap's pages brought nothing at all.
    package var isHole: Bool { found == 0 }

    /// The page that was asked for did not come. Gives how often in a row; what is too old by now is forgotten.
    package mutating func failed(at now: Instant) -> Int {
        tries += 1
        remove(Instant(nanoseconds: .min)..<Timeframe.minute.start(of: now - BarGaps.reach))
        return tries
    }

    /// How long the page is not asked for after so many failures in a row, from 1: a minute, doubled; seldom once a person was told.
    package static func pause(after tries: Int) -> Span {
        tries < triesMax ? .seconds(60 << Int64(max(0, tries - 1))) : .hours(1 << Int64(min(tries - triesMax, 3)))
    }

    /// The stream's first answer: those of its bars that were not known, oldest first.
    package mutating func take(answer bars: [Bar]) -> [Bar] {
        let fresh = BarGaps.inOrder(asked.map { first in bars.filter { $0.start >= first } } ?? bars)
        awaitsAnswer = false
        let last = BarGaps.later(newest, fresh.last?.start)
        newest = last
        // Complete is what a later one followed.
        let complete = last.flatMap { last in fresh.last { $0.start < last }?.start }
        whole = BarGaps.later(BarGaps.later(whole, passed), complete)
        passed = nil
        return fresh
    }

    /// The answer will not come, and live bars of an older stream went on all the time: they prove what they did before.
    package mutating func goOn() {
        guard awaitsAnswer, wasSettled else { return }
        awaitsAnswer = false
        whole = BarGaps.later(whole, passed)
        passed = nil
    }

    /// A live bar, which may still form.
    package mutating func take(live bar: Bar) {
        guard let newest else {
            self.newest = bar.start
            return
        }
        guard bar.start > newest else { return }
        if awaitsAnswer { passed = newest } else { whole = BarGaps.later(whole, newest) }
        self.newest = bar.start
    }

    private static func later(_ one: Instant?, _ other: Instant?) -> Instant? {
        guard let one, let other else { return one ?? other }
        return max(one, other)
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
