// The edge's ledger in use: opened and checked once, then the only way a fact becomes durable and an intent may be sent.
package import Ledger
package import Platform
package import Sync
package import Values
package import Wire

/// Why the journal would not open or commit.
package enum JournalError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The disk or the file; after `.failed` the process must end with exit code 70 and start again.
    case store(StoreError)
    /// An entry that is stored is not as it must be: trading may not start on it.
    case damaged(String)
    /// The file is the ledger of another edge.
    case foreign(found: String, expected: EdgeID)
    /// The entries offered do not continue the chain: a bug of the caller.
    case broken(ChainError)
    /// A checkpoint or a change of the key that is not signed as it must be; nothing was written.
    case unsigned(String)
    /// A person decided for another history after `common`, and entries behind that have moved out of the table, up to the other number.
    case moved(common: Seq, last: Seq)
    /// An intent whose body cannot be read back: a bug of the codec, found before anything is written.
    case unreadable(at: Seq, CodecError)

    package var description: String {
        switch self {
        case .store(let error): error.description
        case .damaged(let words):
            "the ledger is damaged: \(words). It is not used, and not mended at a start. If the cloud has it, move ledger.db* of the data folder into a folder of "
                + "their own, keep them, and start the edge: it takes every entry back; without a cloud put your newest copy of them in their place. "
                + "deploy/guide/ledger.md, 'The edge lost its ledger', says more"
        case .foreign(let found, let expected): "this is the ledger of edge \(found), and this edge is \(expected)"
        case .broken(let error): "the entries to write do not follow: \(error)"
        case .unsigned(let words): "what was offered is not this ledger's: \(words)"
        case .moved(let common, let last):
            "a person decided for the cloud's history from entry \(common.next) on, and this ledger's entries up to \(last) lie in segment files, which are "
                + "not given up in part; nothing was changed. Stop the edge, move ledger.db*, ledger-*.seg, snapshot-*.zst and head.mark of its data folder "
                + "into a folder of their own and keep them, and start it again: it takes the whole history from the cloud. deploy/guide/ledger.md, "
                + "'Two histories', says more"
        case .unreadable(let seq, let error): "intent \(seq) cannot be read back: \(error)"
        }
    }

    /// True when nothing was written and the same commit may be tried again once there is room.
    package var isDiskFull: Bool { if case .store(.database(let error)) = self { error.isFull } else { false } }
    /// True when another process has the ledger: nothing is wrong with it, and nothing beside it is this one's to touch.
    package var isBusy: Bool { if case .store(.database(let error)) = self { error.isBusy } else { false } }
}

/// The one writer of the edge's ledger. It belongs to the loop.
package final class Journal {
    package let edge: EdgeID
    /// The last entry of all, or nil for a new ledger: what `Chain` continues from.
    package private(set) var last: Entry?
    /// The key by which this ledger is signed; nil before the first signature.
    package var signer: [UInt8]? { checkpoints.key }
    /// The key before it, which may still sign for a day.
    package var formerSigner: FormerSigner? { checkpoints.before }
    private var checkpoints: CheckpointRule
    /// Which key of the cloud's this ledger believes.
    package private(set) var trust = CloudTrust()
    /// The first of the entries that came back from a copy and of which this ledger does not speak yet: a run that dies before it said so
    /// leaves the saying to the next.
    package private(set) var adoptedFrom: Seq?
    private static let adoptedKey = "adopted"
    /// How far a copy was known to reach when entries came back from it: a run that died in between leaves the ledger short of that, and to write
    /// on before the rest is here would fork it. Nil when all of them came, or a run has begun since.
    package private(set) var stillMissing: Seq?
    private static let missingKey = "still_missing"

    let store: any JournalStore
    /// The name of the cloud's store, while there is no room for it.
    var owedName: String?
    private var verifier: ChainVerifier
    /// True while the disk is full: nothing but entries is written, and the log is left where it is.
    package var isShortOfRoom = false { didSet { if isShortOfRoom { store.leaveLog() } } }
    /// When the loop was first seen idle after the last commit, and until when neither index nor checkpoint is tried.
    private var idleSince: Instant?
    private var notBefore: Instant?

    /// Below this the log is left alone: opening with it costs under a millisecond.
    package static let logBytesWorthCopying = 4 << 20
    /// From here on the log is copied at the next commit even when the loop is busy, or it would grow without bound.
    package static let logBytesMax = 64 << 20
    /// How long the loop must have been idle: a checkpoint syncs the file, which would delay an order.
    package static let idleBeforeCheckpoint = Span.milliseconds(50)
    /// Looking through so many rows costs less than a commit, so the index need not be closer than that.
    package static let subjectsWorthIndexing = 256
    /// How long to wait after a disk that was full, or a reader that held the log.
    private static let retryAfterFull = Span.seconds(10)

    /// Reads and checks every entry from the first, handing each good one on, then is ready to write after the last.
    /// - Parameters:
    ///   - anchor: an entry that a snapshot of the fold stands at, with the key of the checkpoints before it: checking and replay begin after it.
    ///   - former: who signed before that key.
    ///   - replay: gets the entries in order; what it folds is the state that the process starts from.
    ///   - check: of the checkpoints' signatures.
    /// - Throws: `.foreign`, `.damaged` at the first entry that does not verify (entries before it have been handed on), `.store`.
    package init(
        store: any JournalStore, edge: EdgeID, after anchor: (entry: Entry, signer: [UInt8]?)? = nil, former: FormerSigner? = nil,
        replay: (Entry) -> Void = { _ in }, check: @escaping SignatureCheck = Signing.check
    ) throws(JournalError) {
        self.store = store
        self.edge = edge
        verifier = ChainVerifier(edge: edge)
        checkpoints = CheckpointRule(edge: edge, check: check)
        try Journal.adopt(store, edge)
        var checked =
            anchor.map { LedgerVerifier(edge: edge, after: $0.entry, key: $0.signer, former: former) }
            ?? LedgerVerifier(edge: edge, check: check)
        var newest = anchor?.entry
        let first = checked.head.seq.next.raw
        try Journal.reading { () throws(StoreError) in
            try store.each(from: first) { row in
                guard let entry = checked.accept(row) else { return false }
                newest = entry
                replay(entry)
                return true
            }
        }
        if let difference = checked.difference { throw .damaged(difference) }
        last = newest
        // In pairs: what was walked must be what the store will write after.
        guard checked.head == Head(seq: Seq(store.head.seq), hash: store.head.hash) else {
            throw .damaged("the entries end at \(checked.head.seq), the file's head is \(store.head.seq)")
        }
        verifier = checked.chain
        checkpoints = checked.checkpoints
        let kept = try Journal.kept(store)
        trust = checked.countersigned.trust.over(kept)
        if trust != kept {
            // What the walk found need not be found again: the next one may begin above it. A full disk keeps nobody from starting.
            do throws(StoreError) { try store.setMeta(Journal.trustKey, trust.text) } catch {
                guard case .database(let cause) = error, cause.isFull else { throw .store(error) }
            }
        }
        let noted = try Journal.reading { () throws(StoreError) in try store.meta(Journal.adoptedKey) }
        adoptedFrom = noted.flatMap { UInt64($0) }.flatMap { $0 <= store.head.seq ? Seq($0) : nil }
        guard adoptedFrom != nil else { return }
        let reach = try Journal.reading { () throws(StoreError) in try store.meta(Journal.missingKey) }
        stillMissing = reach.flatMap { UInt64($0) }.flatMap { $0 > store.head.seq ? Seq($0) : nil }
    }

    /// Opens the ledger file: its lock, its settings, then as above.
    package convenience init(
        path: String, edge: EdgeID, vfs: String? = nil, replay: (Entry) -> Void = { _ in }
    ) throws(JournalError) {
        let store: EntryStore
        do throws(StoreError) { store = try EntryStore(path: path, .init(.create, vfs: vfs, copiesBehind: true)) } catch { throw .store(error) }
        try self.init(store: store, edge: edge, replay: replay)
    }

    /// Makes the entries of a turn durable, all or none, in one transaction. On return, and only then, their intents may be sent.
    /// - Returns: the receipt that hands out each intent once.
    /// - Throws: an error after which none of them may be acted on; unless `isDiskFull`, the process must end.
    package func commit(_ entries: [Entry]) throws(JournalError) -> Receipt {
        let rules = try accepting(entries)
        var intents: [Receipt.Slot] = []
        for entry in entries where entry.kind == Kind.intent.rawValue {
            let id = IntentID(boot: entry.boot, seq: entry.seq)
            let (tags, ticket) = try intent(entry)
            intents.append(Receipt.Slot(id, DurableIntent(id: id, tags: tags, ticket: ticket)))
        }
        let isTold = adoptedFrom != nil && entries.contains { $0.kind == Kind.healed.rawValue }
        let gaps = try confessed(entries)
        do throws(StoreError) {
            if isTold || gaps != nil || rules.trust != trust {
                // In the transaction of the entries that say so: a crash in between would leave a snapshot to stand on what was not kept.
                let adopted = isTold ? "" : adoptedFrom.map { String($0.raw) } ?? ""
                var lost = gaps
                if lost == nil { lost = try store.meta(Journal.gapsKey) }
                try store.append(
                    entries.map(\.row),
                    meta: [
                        Journal.adoptedKey: adopted, Journal.missingKey: isTold ? "" : stillMissing.map { String($0.raw) } ?? "",
                        Journal.gapsKey: lost ?? "", Journal.trustKey: rules.trust.text,
                    ])
            } else {
                try store.append(entries.map(\.row), meta: [:])
            }
        } catch { throw .store(error) }
        if isTold { (adoptedFrom, stillMissing) = (nil, nil) }
        stand(after: entries, rules)
        idleSince = nil
        return Receipt(head: verifier.head, intents)
    }

    /// The rules after these entries, which are checked before the write as they will be checked after the read.
    private func accepting(_ entries: [Entry]) throws(JournalError) -> Rules {
        var verified = verifier, signed = checkpoints, trust = trust
        for entry in entries {
            do throws(ChainError) { try verified.accept(entry) } catch { throw .broken(error) }
            var words = signed.accept(entry) ?? trust.accept(entry)
            if words == nil {
                words = try CountersignedFact.fault(in: entry, edge: edge) { (seq) throws(JournalError) in try hash(of: seq, among: entries) }
            }
            if let words { throw .unsigned(words) }
        }
        return (verified, signed, trust)
    }

    /// Of one of these entries, or of a stored one; nil for one that cannot be read.
    private func hash(of seq: Seq, among entries: [Entry]) throws(JournalError) -> [UInt8]? {
        if let first = entries.first, seq >= first.seq { return entries.first { $0.seq == seq }?.hash }
        do throws(JournalError) { return try read(from: seq, limit: 1).first { $0.seq == seq }?.hash } catch {
            if case .damaged = error { return nil }
            guard error.missing != nil else { throw error }
            return nil
        }
    }
    private typealias Rules = (chain: ChainVerifier, signed: CheckpointRule, trust: CloudTrust)

    private static func kept(_ store: any JournalStore) throws(JournalError) -> CloudTrust {
        let text = try Journal.reading { () throws(StoreError) in try store.meta(Journal.trustKey) } ?? ""
        do throws(CodecError) { return try CloudTrust(text: text) } catch {
            throw .damaged("which key of the cloud's it believes cannot be read: \(error)")
        }
    }
    private static let trustKey = "cloud_key"

    /// These entries are durable, whatever becomes of the copying: a store that fails here refuses the next commit.
    private func stand(after entries: [Entry], _ rules: Rules) {
        (verifier, checkpoints, trust) = rules
        last = entries.last ?? last
        if store.logBytes >= Journal.logBytesMax, !isShortOfRoom { try? store.checkpoint() }
    }

    /// Takes entries that this ledger had lost, byte for byte as a copy has them. None of their intents may be sent: an earlier run sent them or not.
    /// - Parameter end: how far the copy reaches.
    /// - Throws: `.broken` when they do not continue the chain, `.unsigned` when a signature among them does not hold: nothing is written then.
    package func adopt(_ entries: [Entry], of end: Seq? = nil) throws(JournalError) {
        let rules = try accepting(entries)
        guard let from = adoptedFrom ?? entries.first?.seq, let last = entries.last?.seq else { return }
        let missing = end.flatMap { $0 > last ? $0 : nil }
        do throws(StoreError) {
            try store.append(
                entries.map(\.row),
                meta: [
                    Journal.adoptedKey: String(from.raw), Journal.missingKey: missing.map { String($0.raw) } ?? "",
                    Journal.trustKey: rules.trust.text,
                ])
        } catch { throw .store(error) }
        (adoptedFrom, stillMissing) = (from, missing)
        stand(after: entries, rules)
    }

    /// To be called by the loop when it has nothing to do: prepares the log for the commits to come, lets the subject index follow, and copies a
    /// large write-ahead log into its file once the loop has been idle for a while. One piece a call, so that none delays an order for long.
    /// - Throws: `.store(.failed)` when the disk failed; a full disk only postpones.
    package func idle(at now: Instant) throws(JournalError) {
        guard !isShortOfRoom else { return }
        if store.prepareLog() { return }
        guard let since = idleSince else { idleSince = now; return }
        if let earliest = notBefore, now < earliest { return }
        do throws(StoreError) {
            if store.subjectsBehind >= Journal.subjectsWorthIndexing {
                _ = try store.indexSubjects(limit: Journal.subjectsWorthIndexing)
            } else if now - since >= Journal.idleBeforeCheckpoint, store.logBytes > Journal.logBytesWorthCopying {
                try store.checkpoint()
                // A reader may have held it back: ask again after the pause, not at every turn.
                notBefore = store.logBytes > Journal.logBytesWorthCopying ? now + Journal.retryAfterFull : nil
            }
        } catch {
            guard case .database = error else { throw .store(error) }
            notBefore = now + Journal.retryAfterFull
        }
    }

    /// How the tables stand that follow the entries, and how many entries they have yet to read.
    var followers: FollowerState { store.followers }
    var tablesBehind: Int { store.subjectsBehind }

    /// The last entry's position; what the uplink tells the cloud.
    package var head: Head { verifier.head }

    /// Entries from `seq` on, for the uplink: at most `limit`, or `maxBytes` as `EntryRow.byteCount` counts, at least one when there is one.
    /// - Throws: `.damaged` when a row read back is not the one that was written: nothing damaged leaves the house.
    package func read(from seq: Seq, limit: Int, maxBytes: Int = .max) throws(JournalError) -> [Entry] {
        precondition(limit > 0 && maxBytes > 0)
        var entries: [Entry] = []
        var bytes = 0
        var damage: JournalError?
        do throws(StoreError) {
            // Each row becomes an entry where it is: a backlog has many.
            try store.each(from: seq.raw) { row in
                bytes += row.byteCount
                guard entries.isEmpty || bytes <= maxBytes else { return false }
                do throws(JournalError) { entries.append(try checked(row)) } catch {
                    damage = error
                    return false
                }
                return entries.count < limit
            }
        } catch {
            // What stands before a hole is read.
            guard case .missing = error, !entries.isEmpty else { throw .store(error) }
        }
        if let damage { throw damage }
        return entries
    }

    /// Rows as they are stored, unchecked: for whoever checks them.
    func rows(from seq: Seq, limit: Int) throws(JournalError) -> [EntryRow] {
        try Journal.reading { () throws(StoreError) in try store.read(from: seq.raw, limit: limit, maxBytes: .max) }
    }

    /// The entries about one subject (an intent's or a command's bytes), oldest first.
    package func entries(about ref: [UInt8], limit: Int) throws(JournalError) -> [Entry] {
        try checked(Journal.reading { () throws(StoreError) in try store.entries(ref: ref, limit: limit) })
    }

    /// What the cloud has acknowledged, as last noted; advice only, learned again at each session.
    package func acknowledged() throws(JournalError) -> Seq {
        Seq(UInt64(try Journal.reading { () throws(StoreError) in try store.meta("acked") } ?? "") ?? 0)
    }

    /// Notes what the cloud has acknowledged. Costs a commit: call it lazily.
    package func noteAcknowledged(_ seq: Seq) throws(JournalError) {
        // Never beside the name of another store.
        if let owedName { return try noteIncarnation(owedName, have: seq) }
        try noteAdvice { () throws(StoreError) in try store.setMeta("acked", String(seq.raw)) }
    }

    /// Writes what the cloud tells again: a full disk ends nothing because of it, and keeps its last room for entries.
    /// - Returns: false when it was not written.
    @discardableResult func noteAdvice(_ body: () throws(StoreError) -> Void) throws(JournalError) -> Bool {
        guard !isShortOfRoom else { return false }
        do throws(JournalError) { try Journal.reading(body) } catch {
            guard error.isDiskFull else { throw error }
            return false
        }
        return true
    }

    // MARK: - Comparing with the cloud's copy

    /// The entries of these numbers as the disk has them now, unchecked; nil where nothing can be read.
    package func stored(from: Seq, through: Seq) throws(JournalError) -> [Entry?] {
        let rows = try Journal.reading { () throws(StoreError) in try store.storedRows(from: from.raw, through: through.raw) }
        return rows.map { row in row.flatMap { try? Entry($0) } }
    }

    /// Puts right bytes in the place of damaged ones. Nothing but the bytes that this ledger's own chain names is ever taken.
    /// - Returns: false when these are not they, or there is no room.
    package func mend(_ entry: Entry, source: String, at now: Instant) throws(JournalError) -> Bool {
        guard entry.seq > Seq(0), entry.seq <= head.seq else { return false }
        let after = entry.seq < head.seq ? try stored(from: entry.seq.next, through: entry.seq.next).first ?? nil : nil
        guard after != nil || entry.seq == head.seq, Chain.refusal(of: entry, before: after, end: head, edge: edge) == nil else { return false }
        do throws(StoreError) { try store.mend(entry.row, note: "bytes from the \(source), \(now)") } catch {
            if case .failed = error { throw .store(error) }
            return false
        }
        return true
    }

    // MARK: - Compaction

    /// The last entry that is in a segment file; 0 for none.
    package var compacted: Seq { Seq(store.anchor.seq) }

    /// Moves a piece of the next old entries into a segment file. Nothing else is put there than what was hashed into the chain.
    package func compactStep(through limit: Seq, olderThan: Instant) throws(JournalError) -> CompactionStep {
        try Journal.reading { () throws(StoreError) in
            try store.compactStep(through: limit.raw, olderThan: olderThan.nanoseconds) { row in
                (try? Entry(row)).map { Chain.hash($0, edge: edge) == $0.hash } ?? false
            }
        }
    }

    // MARK: - A person's decision

    /// Gives up this ledger's branch after `settlement.dispute.common`: its entries go into `branch`, then out of here. A new process then takes the
    /// cloud's entries and begins the new lineage.
    /// - Parameter branch: an empty log that begins after the last common entry.
    package func giveUp(_ settlement: Settlement, into branch: any JournalStore) throws(JournalError) {
        let common = settlement.dispute.common
        guard common.seq >= compacted else { throw .moved(common: common.seq, last: compacted) }
        guard branch.head == LogHead(seq: common.seq.raw, hash: common.hash) else {
            throw .damaged("the file for the sealed branch begins elsewhere")
        }
        // The holes stay, and what speaks of them goes: the history that goes on has to say it again.
        var unsaid = try sealedGaps()
        try Journal.reading { () throws(StoreError) in
            while branch.head.seq < store.head.seq {
                let rows = try store.read(from: branch.head.seq + 1, limit: 1_000, maxBytes: 4 << 20)
                unsaid += rows.filter { $0.kind == Kind.gap.rawValue }.compactMap { (try? Entry($0))?.gap }.filter { !unsaid.contains($0) }
                try branch.append(rows, meta: [:])
            }
        }
        guard branch.head == store.head else { throw .damaged("the sealed branch is not what this ledger has") }
        let text = String(decoding: JSONWriter.plain(settlement.value), as: UTF8.self)
        // What the branch said of the cloud's key goes with it.
        let word = try believed(through: common.seq)
        try Journal.reading { () throws(StoreError) in
            try store.cut(
                after: common.seq.raw,
                meta: [Journal.settlementKey: text, Journal.trustKey: word.text, Journal.sealedGapsKey: Journal.text(unsaid)])
        }
    }

    /// What the entries up to this one say of the cloud's key. When some are lost and the others say nothing, what is believed now stays.
    private func believed(through last: Seq) throws(JournalError) -> CloudTrust {
        var trust = CloudTrust()
        var isWhole = true
        var next: UInt64 = 1
        while next <= last.raw {
            let end = min(last.raw, next + 4_095)
            for row in try Journal.reading({ () throws(StoreError) in try store.storedRows(from: next, through: end) }) {
                guard let row, let entry = try? Entry(row) else { isWhole = false; continue }
                if entry.kind == Kind.cloudKey.rawValue { _ = trust.accept(entry) }
            }
            next = end + 1
        }
        return trust.key == nil && !isWhole ? self.trust : trust
    }

    /// A decision for the cloud's history that this edge has not finished: its entries have to come before anything is written.
    package func settlement() throws(JournalError) -> Settlement? {
        guard let text = try Journal.reading({ () throws(StoreError) in try store.meta(Journal.settlementKey) }), !text.isEmpty else { return nil }
        guard let value = try? JSONReader.read(Array(text.utf8)), let settlement = try? Settlement(value) else {
            throw .damaged("the decision about its history cannot be read")
        }
        return settlement
    }

    /// The decision is carried out. A disk without room for that leaves the forgetting to the next start.
    package func forgetSettlement() throws(JournalError) {
        try noteAdvice { () throws(StoreError) in try store.setMeta(Journal.settlementKey, "") }
    }
    private static let settlementKey = "settlement"

    // MARK: - The file

    /// Names a new file's edge, or checks that this is the edge's own file.
    private static func adopt(_ store: any JournalStore, _ edge: EdgeID) throws(JournalError) {
        guard let found = try reading({ () throws(StoreError) in try store.meta("edge_id") }) else {
            guard store.head == .empty else { throw .foreign(found: "unknown", expected: edge) }
            return try reading { () throws(StoreError) in try store.setMeta("edge_id", edge.description) }
        }
        guard found == edge.description else { throw .foreign(found: found, expected: edge) }
    }

    private func intent(_ entry: Entry) throws(JournalError) -> (tags: [ClOrdID], ticket: Ticket) {
        do throws(CodecError) {
            guard case (.intent(let ticket), let tags) = try entry.decodedWithTags() else { throw CodecError.unknownKind(entry.kind) }
            guard tags.count == ticket.legs.count else { throw CodecError.badValue("legs") }
            return (tags, ticket)
        } catch { throw .unreadable(at: entry.seq, error) }
    }

    private func checked(_ rows: [EntryRow]) throws(JournalError) -> [Entry] {
        var entries: [Entry] = []
        for row in rows { entries.append(try checked(row)) }
        return entries
    }

    private func checked(_ row: EntryRow) throws(JournalError) -> Entry {
        let entry: Entry
        do throws(RowError) { entry = try Entry(row) } catch { throw .damaged(error.description) }
        guard Chain.hash(entry, edge: edge) == entry.hash else { throw .damaged(ChainError.hash(at: entry.seq).description) }
        return entry
    }

    static func reading<Value>(_ body: () throws(StoreError) -> Value) throws(JournalError) -> Value {
        do throws(StoreError) { return try body() } catch { throw .store(error) }
    }
}

/// One writer, one thread.
@available(*, unavailable) extension Journal: Sendable {}
