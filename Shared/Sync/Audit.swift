// A comparison of the stored bytes of one ledger at both ends: what it has found so far, and where it stands.
package import Ledger
package import Values

/// One entry whose stored bytes were not what was written.
package struct AuditFinding: Hashable, Sendable {
    /// Whose bytes do not hash into the chain.
    package enum Side: String, Hashable, Sendable, CaseIterable {
        case edge, cloud, both
    }
    /// The entry, with the hash that the chain names for it.
    package var entry: Head
    package var wrong: Side
    /// What the damaged bytes gave here; nil when there were none to read, or they are at the edge.
    package var found: [UInt8]?
    package var isHealed: Bool
    /// Why it could not be healed; empty when it was.
    package var words: String
    package init(entry: Head, wrong: Side, found: [UInt8]? = nil, isHealed: Bool, words: String = "") {
        self.entry = entry; self.wrong = wrong; self.found = found; self.isHealed = isHealed; self.words = words
    }
}

/// What a comparison has done.
package struct AuditReport: Hashable, Sendable {
    package enum State: String, Hashable, Sendable, CaseIterable {
        case running
        /// Every stored byte is the same at both ends and hashes into the chain.
        case agrees
        /// The same, after damaged entries were put right.
        case healed
        /// An entry stays damaged.
        case differs
        /// It did not come to its end.
        case interrupted
    }
    package let edge: EdgeID
    /// `nightly`, or who asked.
    package let askedBy: String
    package let startedAt: Instant
    package internal(set) var endedAt: Instant?
    package internal(set) var state = State.running
    /// Why it was interrupted; empty otherwise.
    package internal(set) var words = ""
    /// Interrupted because its link closed, and for nothing that the comparison met.
    package internal(set) var isCutOff = false
    /// Where it began: the last entry of both.
    package let head: Head
    /// The lowest entry compared so far.
    package internal(set) var from: Seq
    package internal(set) var ranges = 0
    /// The digests of all ranges under one, newest range first: the same for whoever computes it over the same bytes.
    package internal(set) var digest: [UInt8] = []
    /// The first of them, at most `findingsMax`.
    package internal(set) var findings: [AuditFinding] = []
    package internal(set) var healed = 0
    /// Entries whose bytes are right here and stay wrong at the edge, counted.
    package internal(set) var staysAtEdge = 0
    /// Ranges below them that the edge has otherwise and in which nobody looked for the entry: so many are one thing, and a person's.
    package internal(set) var unsearched = 0
    /// It came to the first entry: every one of them is whole here, whatever the edge has.
    package internal(set) var isThrough = false
    /// The highest of those that stay damaged at the edge.
    var firstAtEdge: AuditFinding?
    /// What is said of them.
    var wordsOfEdge: String {
        guard let first = firstAtEdge else { return "" }
        let more = staysAtEdge > 1 ? ", and \(staysAtEdge - 1) more there" : ""
        let rest = unsearched > 0 ? ", and \(unsearched) ranges of up to \(RangeQuestion.entriesMax) entries differ there besides" : ""
        return "entry \(first.entry.seq) is damaged: \(first.words)\(more)\(rest)"
    }
    /// More are counted, not listed.
    package static let findingsMax = 64

    init(edge: EdgeID, askedBy: String, startedAt: Instant, head: Head) {
        self.edge = edge; self.askedBy = askedBy; self.startedAt = startedAt; self.head = head; from = head.seq.next
    }

    /// It ended by something that read no clock.
    package mutating func end(at now: Instant) { endedAt = now }

    /// Entries compared so far.
    package var entries: UInt64 { head.seq.next.raw - from.raw }
}

/// Walks from the newest range to the first: the hash under which a range ends is known from the range above it.
struct Audit: Sendable {
    enum Stage: Sendable {
        /// The next range begins when this time has come.
        case resting(until: Span)
        /// Both ends read the range.
        case comparing(theirs: [[UInt8]]?)
        /// This end's bytes are right: the edge is asked for finer digests.
        case searching(RangeQuestion)
        /// The edge was given the right bytes of this entry.
        case giving(Head)
        /// The edge was asked for the right bytes of this entry.
        case fetching(Head)
        /// This end's store puts them in place.
        case mending(Head)
    }
    let id: Int64
    /// No pause between ranges.
    let isHurried: Bool
    var report: AuditReport
    /// The end of the next range, known to be right.
    var known: Head
    var stage = Stage.resting(until: .zero)
    /// The range as this end has it.
    var mine: StoredRange?
    /// Repeated while no answer comes.
    var question: Message?
    var askedAt = Span.zero
    var asked = 0
    /// Answers to the question before this one that may still come.
    var late = 0
    /// Entries healed in this range: more than it has are not believed.
    var heals = 0
    /// What this end has no entries for, and what the edge says that it lost: no range reaches across either's border.
    var holes: [LedgerHole] = []
    var gaps: [GapFact] = []

    var from: Seq {
        let start = Seq((known.seq.raw - 1) / UInt64(RangeQuestion.entriesMax) * UInt64(RangeQuestion.entriesMax) + 1)
        let borders = holes.map(\.last.seq.next) + gaps.flatMap { [$0.from, $0.to.next] }
        return borders.filter { $0 > start && $0 <= known.seq }.max() ?? start
    }
    /// True for a range that the edge lost for good: this end's bytes are checked alone.
    var isLostAtTheEdge: Bool { gaps.contains { $0.from <= known.seq && known.seq <= $0.to } }
    /// The entry before this one of the range, as the bytes here say.
    func before(_ seq: Seq) -> Head? {
        guard let mine, seq >= mine.from, seq <= mine.through, let entry = mine.entries[Int(seq.raw - mine.from.raw)] else { return nil }
        return Head(seq: Seq(seq.raw - 1), hash: entry.previous)
    }
    func question(step: Int, _ numbers: ClosedRange<UInt64>? = nil) -> RangeQuestion {
        RangeQuestion(
            audit: id, from: numbers.map { Seq($0.lowerBound) } ?? from, through: numbers.map { Seq($0.upperBound) } ?? known.seq, step: step)
    }
    /// Entries that stay damaged at the edge for which one comparison looks, each in three questions.
    static let staysAtEdgeMax = 8
    /// The second and the last of the three questions by which one entry among 1,024 is found.
    static let fineStep = 32
}
