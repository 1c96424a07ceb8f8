// Books kept for the next start of the cloud: files that may be thrown away, and the whole ledger read behind a start that used one.
internal import Control
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Views

/// What is under way for the books of all edges.
struct BookKeeping {
    /// Entries that a book in a file may be behind.
    static let every: UInt64 = 10_000
    /// At an orderly end it is worth the wait for more than this.
    static let worthAtEnd: UInt64 = 1_024
    static let bytesPerTick = 1 << 20
    /// A tick comes four times a second: some milliseconds of each.
    static let rowsPerTick = 1_000
    /// The entry that each file stands at.
    var saved: [EdgeID: Seq] = [:]
    var work: (edge: EdgeID, seq: Seq, builder: SnapshotBuilder, writer: any KeptFileWriter)?
    /// Ledgers of which only the end was read at the start, each with its walk from the first entry.
    var unread: [EdgeID: LedgerRebuild] = [:]
    /// Walks that stand before an entry that rotted, each not to be tried before this, by the boot clock.
    var waits: [EdgeID: Span] = [:]
    static let waitEvery = Span.seconds(5)
    /// The last word of each index that went to the log.
    var indexesTold: [EdgeID: String] = [:]
    /// The disk had no room: not before this, by the boot clock.
    var notBefore = Span.zero
    /// Books that a file cannot hold, each not to be tried before this: they keep nobody else's from being kept.
    var refused: [EdgeID: Span] = [:]
}

/// What was stored of one edge's ledger and its followers have yet to read.
struct FollowLags {
    var book = LagWatch()
    var tables = LagWatch()
}

extension Node {
    /// Notes what is stored now, and how far the book and the tables beside the entries have come.
    func noteLag(of edge: EdgeID) {
        guard let book = control.edges[edge]?.book.head.seq else { return }
        var lags = lags[edge] ?? FollowLags()
        let stored = stores.ledgers.head(edge).seq
        lags.book.note(stored, at: clock.monotonic)
        lags.book.followed(through: book)
        lags.tables.note(stored, at: clock.monotonic)
        lags.tables.followed(through: stores.ledgers.tablesThrough(edge))
        self.lags[edge] = lags
    }

    /// How far they have been behind for longer than a moment.
    func lasting(_ edge: EdgeRoom) -> (book: Lag?, tables: Lag?) {
        guard let lags = lags[edge.id] else { return (nil, nil) }
        return (
            lags.book.lasting(of: edge.book.head.seq, at: clock), lags.tables.lasting(of: stores.ledgers.tablesThrough(edge.id), at: clock)
        )
    }

    /// Takes an edge's book out of its file, when there is one that fits the stored ledger.
    /// - Returns: false when every entry has to be read.
    func restoreBook(_ edge: EdgeID) throws -> Bool {
        guard let restored = try stores.ledgers.restore(edge, release: settings.release) else { return false }
        tell(.restored(edge, restored.book, recent: restored.recent, news: restored.news))
        milestones[edge] = restored.milestones
        keeping.saved[edge] = restored.from
        // The checks of a whole start, no more: what a release adds up to is for the edge to compare.
        keeping.unread[edge] = LedgerRebuild(edge: edge, release: "", key: stores.ledgers.firstKeys[edge])
        log(.info, "book restored", "\(name(edge)): from entry \(restored.from), the ledger ends at \(restored.book.head.seq)")
        return true
    }

    /// A piece of whatever is due, once a tick.
    func keepBooks() throws {
        try readOn()
        guard clock.monotonic >= keeping.notBefore else { return }
        do throws(KeptFileError) {
            if keeping.work == nil { try beginBook(behind: BookKeeping.every) }
            try writeBook(limit: BookKeeping.bytesPerTick)
        } catch { dropBook(error) }
    }

    /// Everything that is worth it at the end.
    func saveBooks() {
        guard desk.writes.isEmpty, !isBehind else { return }
        do throws(KeptFileError) {
            keeping.work?.writer.abandon()
            keeping.work = nil
            while true {
                try beginBook(behind: BookKeeping.worthAtEnd)
                guard keeping.work != nil else { return }
                try writeBook(limit: .max)
            }
        } catch { dropBook(error) }
    }

    /// The stored ledger was cut: a book half written tells of entries that are gone, and a walk half done would meet others than it expects.
    func dropKept(_ edge: EdgeID) {
        keeping.saved[edge] = nil
        if keeping.work?.edge == edge {
            keeping.work?.writer.abandon()
            keeping.work = nil
        }
        if keeping.unread[edge] != nil { keeping.unread[edge] = LedgerRebuild(edge: edge, release: "", key: stores.ledgers.firstKeys[edge]) }
    }

    /// Begins with the first book that has gone on far enough. What its entries did to commands must be stored: a start from the file does not
    /// look at them again.
    private func beginBook(behind least: UInt64) throws(KeptFileError) {
        guard let files = stores.ledgers.kept, desk.writes.isEmpty, desk.dispatches.isEmpty, !isBehind else { return }
        for edge in control.sortedEdges where edge.book.head.seq.raw >= (keeping.saved[edge.id]?.raw ?? 0) + least {
            guard clock.monotonic >= keeping.refused[edge.id] ?? .zero else { continue }
            let rule = stores.ledgers.checkpointRule(edge.id)
            let header = SnapshotHeader(edge: edge.id, release: settings.release, head: edge.book.head, signer: rule?.key, former: rule?.before)
            let beside = KeptBeside(milestones[edge.id] ?? Milestones(), stores.ledgers.trust(edge.id))
            let builder = SnapshotBuilder(header, edge.book, beside: beside.bytes)
            guard !builder.isTooLarge else {
                refuseBook(edge.id, "it has more commands than a kept book holds")
                continue
            }
            keeping.work = (edge.id, edge.book.head.seq, builder, try files.begin(EdgeLedgers.bookName(edge.id)))
            return
        }
    }

    private func writeBook(limit: Int) throws(KeptFileError) {
        // Taken out and put back: what stands in two places would be copied whole by the first change.
        guard var work = keeping.work.take() else { return }
        do throws(KeptFileError) {
            var given = 0
            while given < limit {
                guard let bytes = work.builder.nextBytes() else {
                    guard !work.builder.isUnpackable else {
                        work.writer.abandon()
                        return refuseBook(work.edge, "a part of it does not come back from its packed form")
                    }
                    // The disk's work goes on beside the loop; at an orderly end it is waited for.
                    if limit == .max { try work.writer.finishNow() } else if !(try work.writer.finish()) { break }
                    keeping.saved[work.edge] = work.seq
                    return
                }
                try work.writer.append(bytes)
                given += bytes.count
            }
            keeping.work = work
        } catch {
            keeping.work = work
            throw error
        }
    }

    /// A start of this edge reads every entry.
    private func refuseBook(_ edge: EdgeID, _ words: String) {
        keeping.refused[edge] = clock.monotonic + .minutes(10)
        log(.warning, "book not kept", "\(name(edge)): \(words)")
    }

    /// A book can always be made of its entries again: without room, or with a failing disk, there is none.
    private func dropBook(_ error: KeptFileError) {
        keeping.work?.writer.abandon()
        keeping.work = nil
        keeping.notBefore = clock.monotonic + .minutes(10)
        log(.warning, "book not kept", "\(error)")
    }

    /// The walk behind a start that read the end alone.
    private func readOn() throws {
        // Taken out and put back: its book would be copied whole by the first entry otherwise.
        let due = keeping.unread.keys.filter { clock.monotonic >= keeping.waits[$0] ?? .zero }
        guard let id = due.min(), var walk = keeping.unread.removeValue(forKey: id) else { return }
        guard control.edges[id] != nil, stores.ledgers.isOpen(id), damaged[id] == nil else { return }
        let holes = stores.ledgers.holes(id)
        for row in try stores.ledgers.rows(id, from: walk.next, limit: BookKeeping.rowsPerTick) {
            if let hole = walk.hole(before: row, holes) { walk.passOver(hole.last) }
            if !walk.accept(row) { break }
        }
        if let words = walk.difference, let edge = enrolled[id] {
            // What the edge's copy may put right is no end: the walk stands before it.
            let cannotHeal = audits.unhealed.contains(id) || (receiver.link(id)?.boot != nil && !receiver.mayAudit(id))
            guard walk.isRotten, !cannotHeal else { return try setAside(edge, SetAside(words: words)) }
            walk.retry()
            keeping.unread[id] = walk
            keeping.waits[id] = clock.monotonic + BookKeeping.waitEvery
            tellRotten(LedgerDamage(edge: id, words: words))
            try found(LedgerDamage(edge: id, words: words))
        } else if let book = control.edges[id]?.book, walk.verifier.head == book.head {
            guard walk.isFolding, walk.book.digest() != book.digest() else { return }
            log(.error, "book differs", "\(name(id)): the kept book is another than its entries add up to; it is read anew")
            try refold(id)
        } else {
            keeping.unread[id] = walk
        }
    }
}

extension Node {
    /// Folds entries of a ledger with holes. Its book is not what the edge's adds up to, so that nothing is compared.
    func fold(_ entries: [Entry], of edge: EdgeID, _ holes: [LedgerHole]) {
        var rest = entries[...]
        while let first = rest.first {
            if let hole = holes.first(where: { $0.last.seq.next == first.seq }), control.edges[edge]?.book.head == hole.after {
                tell(.passedOver(edge, hole.last))
            }
            let end = holes.first { $0.last.seq >= first.seq }?.after.seq
            let piece = rest.prefix { entry in end.map { entry.seq <= $0 || entry.seq == first.seq } ?? true }
            tell(.entries(edge, Array(piece)))
            rest = rest.dropFirst(piece.count)
        }
    }
}
