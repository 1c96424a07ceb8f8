// When the ledger is signed and marked: every so many entries, after a while of activity, when the broker's session opens, at the end.
internal import Ledger
internal import Values
package import Wire

/// What an agent needs to sign its ledger and to mark how far it came.
package struct Witness {
    package let keys: SigningKeys
    package let mark: any MarkStore
    package init(keys: SigningKeys, mark: any MarkStore) { self.keys = keys; self.mark = mark }
}

/// Which of the cloud's countersigned heads are written down: at most one a minute, and none that witnesses nothing new. One owner, one thread.
struct CountersignKeeper {
    /// The first and the last entry that no countersigned head in the ledger covers and that say something of their own.
    private var first: Seq?
    private var last: Seq?
    private var writtenAt: Span?

    /// Between two of them.
    static let every = Span.seconds(60)

    /// An entry was written; signatures over others are no news.
    mutating func note(_ entry: Entry) {
        guard entry.kind != Kind.checkpoint.rawValue, entry.kind != Kind.countersigned.rawValue else { return }
        first = first ?? entry.seq
        last = entry.seq
    }

    func isDue(_ head: Head, at monotonic: Span) -> Bool {
        guard let first, first <= head.seq else { return false }
        return writtenAt.map { monotonic - $0 >= CountersignKeeper.every } ?? true
    }

    /// One is written down for everything up to here.
    mutating func covered(_ head: Head, at monotonic: Span) {
        writtenAt = monotonic
        first = last.flatMap { $0 > head.seq ? max(head.seq.next, first ?? head.seq.next) : nil }
    }
}

/// Counts what no checkpoint covers yet. One owner, one thread.
struct LedgerKeeper {
    private(set) var witness: Witness
    /// The mark that the ledger does not reach; while there is one, no other is written.
    private(set) var lost: HeadMark?
    private var uncovered = 0
    private var since: Span?
    private var isAsked = false

    /// A crash leaves at most so many entries without a signature over them.
    static let entriesMax = 1_024
    /// Entries do not wait longer than this for one that covers them.
    static let patience = Span.seconds(60)

    init(_ witness: Witness, lost: HeadMark?) { self.witness = witness; self.lost = lost }

    /// Entries were committed; `opens` says that one of them began a session with the broker.
    mutating func note(_ count: Int, opens: Bool, at monotonic: Span) {
        uncovered += count
        since = since ?? monotonic
        isAsked = isAsked || opens
    }

    func isDue(at monotonic: Span) -> Bool {
        guard uncovered > 0 else { return false }
        return isAsked || uncovered >= LedgerKeeper.entriesMax || since.map { monotonic - $0 >= LedgerKeeper.patience } ?? false
    }

    /// A checkpoint covers everything up to here.
    mutating func covered() { uncovered = 0; since = nil; isAsked = false }

    /// Marks how far the ledger reaches, which must be durable; not while an older mark says that it once reached further.
    func mark(_ entry: Entry, edge: EdgeID) throws(MarkError) {
        guard lost == nil else { return }
        try witness.mark.write(HeadMark(edge: edge, epoch: entry.epoch, head: entry.head, writtenAt: entry.wall).bytes)
    }

    /// The ledger is signed by another key from now on.
    mutating func change(to keys: SigningKeys) { witness = Witness(keys: keys, mark: witness.mark) }

    /// The lost end is given up, or is there again.
    mutating func settle() { lost = nil }
}
