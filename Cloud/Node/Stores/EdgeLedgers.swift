// One database file an edge: its entries as they came, verified before they are written.
package import Ledger
package import Platform
internal import Sync
package import Values
package import Wire

/// The ledgers of all edges. One owner, one thread.
package final class EdgeLedgers {
    private let folder: String
    private let vfs: String?
    /// Where books are kept; nil keeps none.
    let kept: (any KeptFiles)?
    private let makeFile: (EntryStore) -> any LedgerFile
    private let check: SignatureCheck
    private var stores: [EdgeID: any LedgerFile] = [:]
    /// Under which key each edge signs its checkpoints.
    private var signatures: [EdgeID: CheckpointRule] = [:]
    /// Which key of the cloud's each ledger believes: what a start refuses must not be acknowledged.
    private var trusts: [EdgeID: CloudTrust] = [:]
    /// What the clocks of each ledger's next entry are held to: over the link the rules begin anew with a session's first batch.
    private var clocks: [EdgeID: ClockRules] = [:]
    /// The key that an edge showed when it was enrolled: its first signature must be under it.
    var firstKeys: [EdgeID: [UInt8]] = [:]
    /// The branch of an edge that is being stored beside its ledger, and what the next entry of it is held to.
    private var branches: [EdgeID: (path: String, file: EntryStore)] = [:]
    private var branchRules: [EdgeID: (signed: CheckpointRule, trust: CloudTrust)] = [:]
    /// Files of branches that were found damaged in this process: they are kept as they are, and passed over.
    private var unusable: Set<String> = []

    /// - Parameters:
    ///   - folder: of the `<id>.db` files; must exist.
    ///   - makeFile: what stands before each file; only tests put something there.
    ///   - kept: where books are kept for the next start; the same folder on a real disk, nowhere on a simulated one unless it is given.
    ///   - check: of the edges' signatures.
    package init(
        folder: String, vfs: String? = nil, makeFile: @escaping (EntryStore) -> any LedgerFile = { $0 }, kept: (any KeptFiles)? = nil,
        check: @escaping SignatureCheck = Signing.check
    ) {
        self.folder = folder; self.vfs = vfs; self.makeFile = makeFile; self.check = check
        self.kept = kept ?? (vfs == nil ? FolderFiles(folder) : nil)
    }

    /// The ledger of an edge when it is open, else its file opened now; it counts as open from `take` on.
    func openFile(_ edge: EdgeID) throws -> any LedgerFile {
        try stores[edge]
            ?? makeFile(EntryStore(path: EdgeLedgers.path(folder: folder, edge), Database.Options(.create, vfs: vfs, copiesBehind: true)))
    }
    func file(_ edge: EdgeID) -> (any LedgerFile)? { stores[edge] }
    func take(_ edge: EdgeID, _ store: any LedgerFile, _ verifier: LedgerVerifier) {
        stores[edge] = store
        signatures[edge] = verifier.checkpoints
        trusts[edge] = verifier.countersigned.trust
        clocks[edge] = verifier.chain.clocks
    }
    func checkpointRule(_ edge: EdgeID) -> CheckpointRule? { signatures[edge] }
    func trust(_ edge: EdgeID) -> CloudTrust { trusts[edge] ?? CloudTrust() }

    /// The file of an edge.
    package static func path(folder: String, _ edge: EdgeID) -> String { "\(folder)/\(edge).db" }

    /// Opens an edge's ledger (or takes the open one), walks and checks it from its first entry, and hands each entry on.
    /// - Throws: `StoreError`, or `LedgerDamage` with the first entry that is not as it must be.
    package func open(_ edge: EdgeID, visit: (Entry) -> Void) throws {
        let store = try openFile(edge)
        var verifier = LedgerVerifier(edge: edge, key: firstKeys[edge], check: check)
        let holes = store.holes.map { LedgerHole($0) }
        try store.each { row throws(DatabaseError) in
            _ = verifier.pass(to: row, holes)
            guard let entry = verifier.accept(row) else { return false }
            visit(entry)
            return true
        }
        if let difference = verifier.difference { throw LedgerDamage(edge: edge, words: difference) }
        take(edge, store, verifier)
    }

    /// Remembers the key that an edge showed at its enrolment; to be told before its ledger is opened.
    package func expect(_ edge: EdgeID, firstKey: [UInt8]) { firstKeys[edge] = firstKey }

    /// Lets go of a ledger of which nothing is taken any more.
    func close(_ edge: EdgeID) {
        stores[edge] = nil; signatures[edge] = nil; trusts[edge] = nil; clocks[edge] = nil; branches[edge] = nil; branchRules[edge] = nil
    }
    /// The ledgers whose files have failed, in order.
    var failures: [(edge: EdgeID, cause: DatabaseError)] {
        stores.keys.sorted().compactMap { id in stores[id]?.failure.map { (id, $0) } }
    }
    /// How the index of each open ledger stands, in order.
    var followers: [(edge: EdgeID, state: FollowerState)] { stores.keys.sorted().compactMap { id in stores[id].map { (id, $0.followers) } } }

    /// The last entry that the index of subjects and the posting table have read; damaged ones follow no more and are behind nothing.
    func tablesThrough(_ edge: EdgeID) -> Seq { stores[edge].map { Seq($0.head.seq - UInt64($0.subjectsBehind)) } ?? Seq(0) }

    /// True when the edge's ledger is open.
    package func isOpen(_ edge: EdgeID) -> Bool { stores[edge] != nil }
    /// The last durable entry.
    package func head(_ edge: EdgeID) -> Head {
        guard let head = stores[edge]?.head else { return .start }
        return head.seq == 0 ? .start : Head(seq: Seq(head.seq), hash: head.hash)
    }

    /// The number of the last entry in an edge's file, open or not; 0 when there is none.
    func storedHead(_ edge: EdgeID) -> Seq {
        if let store = stores[edge] { return Seq(store.head.seq) }
        let file = try? EntryStore(path: EdgeLedgers.path(folder: folder, edge), Database.Options(.readOnly, vfs: vfs))
        return Seq(file?.head.seq ?? 0)
    }

    /// What this edge's ledger has no entries for, in order.
    package func holes(_ edge: EdgeID) -> [LedgerHole] { stores[edge]?.holes.map { LedgerHole($0) } ?? [] }

    /// Durable on return. Opens a new file for an edge that has none.
    /// - Parameters:
    ///   - hole: what lies between the last stored entry and these; nil when they follow it.
    ///   - noting: told of each damaged entry here of which one of these speaks: what it was is not known then, and nobody is blamed for it.
    /// - Throws: `LedgerDamage` at a checkpoint that is not signed as it must be, and at clocks that the next start would refuse: nothing was written
    ///   then.
    package func append(
        _ edge: EdgeID, _ entries: [Entry], over hole: LedgerHole? = nil, noting: (LedgerDamage) -> Void = { _ in }
    ) throws {
        if stores[edge] == nil { try open(edge) { _ in } }
        var rule = signatures[edge] ?? CheckpointRule(edge: edge, check: check)
        // Behind a hole nothing is known of what it said before.
        var trust = hole == nil ? trusts[edge] ?? CloudTrust() : CloudTrust()
        var clock = hole == nil ? clocks[edge] ?? ClockRules() : ClockRules()
        for entry in entries {
            do throws(ChainError) { try clock.accept(entry) } catch { throw LedgerDamage(edge: edge, words: error.description, offered: .clocks) }
            let words =
                try rule.accept(entry) ?? trust.accept(entry)
                ?? CountersignedFact.fault(in: entry, edge: edge) { seq in try hash(edge, of: seq, among: entries, noting) }
            if let words { throw LedgerDamage(edge: edge, words: words, offered: .signature) }
        }
        if let hole { try stores[edge]?.append(entries.map(\.row), over: hole.log) } else { try stores[edge]?.append(entries.map(\.row)) }
        signatures[edge] = rule
        trusts[edge] = trust
        clocks[edge] = clock
    }

    /// Of one of these entries, or of a stored one; nil for one that is not there.
    private func hash(_ edge: EdgeID, of seq: Seq, among entries: [Entry], _ noting: (LedgerDamage) -> Void) throws -> [UInt8]? {
        if let first = entries.first, seq >= first.seq { return entries.first { $0.seq == seq }?.hash }
        return try knownHash(edge, seq, noting)
    }

    /// Of a stored entry; nil for one that is not there, and for one that has rotted together with the one behind it.
    private func knownHash(_ edge: EdgeID, _ seq: Seq, _ noting: (LedgerDamage) -> Void) throws -> [UInt8]? {
        do { return try heads(edge, [seq], noting: noting).first?.hash } catch is LedgerDamage { return nil }
    }

    /// Entries from `seq` on, in order.
    package func read(_ edge: EdgeID, from seq: Seq, limit: Int) throws -> [Entry] {
        guard let store = stores[edge] else { return [] }
        return try checked(edge, store.read(from: seq.raw, limit: limit))
    }

    /// What is shown, sent or folded is what was written: a row whose bytes do not give its hash is named instead.
    func checked(_ edge: EdgeID, _ rows: [EntryRow]) throws(LedgerDamage) -> [Entry] {
        var entries: [Entry] = []
        for row in rows {
            do throws(RowError) { entries.append(try Entry(row)) } catch { throw LedgerDamage(edge: edge, words: error.description) }
            let entry = entries[entries.count - 1]
            guard Chain.hash(entry, edge: edge) == entry.hash else {
                throw LedgerDamage(edge: edge, words: ChainError.hash(at: entry.seq).description)
            }
        }
        return entries
    }

    /// Entries about one subject, oldest first, however far the index has followed.
    package func read(_ edge: EdgeID, ref: [UInt8], limit: Int) throws -> [Entry] {
        guard let store = stores[edge] else { return [] }
        return try checked(edge, store.entries(ref: ref, limit: limit))
    }

    /// Entries of these kinds between two numbers, from either end.
    func matching(_ edge: EdgeID, kinds: [UInt16], from: Seq?, below: Seq?, newestFirst: Bool, limit: Int) throws -> [Entry] {
        guard let store = stores[edge] else { return [] }
        return try checked(
            edge, store.read(kinds: kinds, from: from?.raw ?? 1, below: below?.raw ?? .max, newestFirst: newestFirst, limit: limit))
    }

    /// The edges whose ledgers are open, in order.
    var open: [EdgeID] { stores.keys.sorted() }

    /// Lets the subject index follow by at most `limit` entries; called when there is time.
    func followSubjects(_ edge: EdgeID, limit: Int) throws { _ = try stores[edge]?.indexSubjects(limit: limit) }

    /// Copies a long write-ahead log into its file.
    func checkpoint(_ edge: EdgeID) throws {
        if let store = stores[edge], store.logBytes > EdgeLedgers.logBytesMax { try store.checkpoint() }
    }

    /// True when this edge's ledger holds exactly this entry.
    package func has(_ edge: EdgeID, _ head: Head) throws -> Bool {
        guard head.seq > Seq(0) else { return head == .start }
        return try heads(edge, [head.seq]).first == head
    }

    // MARK: - Comparing with the edge's copy

    /// The entries of these numbers as the disk has them now, unchecked; nil where nothing can be read.
    package func stored(_ edge: EdgeID, from: Seq, through: Seq) throws -> [Entry?] {
        guard let store = stores[edge] else { return [] }
        return try store.storedRows(from: from.raw, through: through.raw).map { row in row.flatMap { try? Entry($0) } }
    }

    /// Puts right bytes in the place of damaged ones. Nothing but the bytes that the stored chain itself names is ever taken.
    /// - Returns: false when these are not they.
    package func mend(_ edge: EdgeID, _ entry: Entry, note: String) throws -> Bool {
        guard let store = stores[edge] else { return false }
        // Before a hole the hole itself says how its last entry must be.
        let end = holes(edge).first { $0.after.seq == entry.seq }?.after ?? head(edge)
        guard entry.seq > Seq(0), entry.seq <= end.seq else { return false }
        let after = entry.seq < end.seq ? try stored(edge, from: entry.seq.next, through: entry.seq.next).first ?? nil : nil
        guard after != nil || entry.seq == end.seq, Chain.refusal(of: entry, before: after, end: end, edge: edge) == nil else { return false }
        try store.mend(entry.row, note: note)
        return true
    }

    // MARK: - Branches

    /// Opens the file for another branch of an edge's ledger, which begins after `common`.
    /// - Parameters:
    ///   - place: how many of those that hold such a branch are passed over; an empty or a new file ends the search.
    ///   - noting: told of each file that is damaged. It holds a sealed branch or part of one, is none of the ledger's own, and is left alone.
    /// - Returns: the last entry in it; nil when no file is left.
    package func openBranch(_ edge: EdgeID, after common: Head, place: Int, noting: (BranchDamage) -> Void = { _ in }) throws -> Head? {
        let epoch = try epoch(edge)
        let base = LogHead(seq: common.seq.raw, hash: common.hash)
        branches[edge] = nil
        branchRules[edge] = nil
        var left = place
        for number in 1...EdgeLedgers.branchesMax {
            let path = "\(folder)/\(edge).fork-\(epoch)-\(number).db"
            guard !unusable.contains(path) else { continue }
            guard let file = try usableBranch(path, base, noting), file.base == base else { continue }
            guard file.head == base || left == 0 else { left -= 1; continue }
            branches[edge] = (path, file)
            return Head(seq: Seq(file.head.seq), hash: file.head.hash)
        }
        return nil
    }
    /// Damage in a branch's file is the end of that file's use and of nothing else: no entry of a ledger lies there alone that was acknowledged as the
    /// ledger's. A disk that fails under it is another matter: what was synced before is no longer certain, and the process ends.
    private func inBranch<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as StoreError {
            switch error {
            case .database(let cause), .failed(let cause): guard cause.isCorrupt else { throw error }
            case .notNext, .missing: throw error
            case .schema: break
            }
            unusable.insert(path)
            for edge in branches.keys where branches[edge]?.path == path { branches[edge] = nil; branchRules[edge] = nil }
            throw BranchDamage(words: "\(path) cannot be used: \(error)")
        }
    }
    private func usableBranch(_ path: String, _ base: LogHead, _ noting: (BranchDamage) -> Void) throws -> EntryStore? {
        do { return try inBranch(path) { try branchFile(path, base) } } catch let damage as BranchDamage {
            noting(damage)
            return nil
        }
    }
    /// A disk too full for the index of a new log is a full disk: nothing was written yet.
    private func branchFile(_ path: String, _ base: LogHead) throws -> EntryStore {
        do throws(StoreError) { return try EntryStore(path: path, Database.Options(.create, vfs: vfs), base: base) } catch {
            guard case .database(let cause) = error, cause.isShortOfIndex else { throw error }
            throw DatabaseError.full(cause.message)
        }
    }
    /// Sealed branches of one lineage.
    static let branchesMax = 64

    /// True when this ledger had exactly this entry, and a decision sealed it with a branch of one of the lineages up to `epoch`: it is not lost, it
    /// was set aside. Branches that an edge only showed do not count: nothing of them was acknowledged.
    package func isSealed(_ edge: EdgeID, _ head: Head, upTo epoch: UInt32) throws -> Bool {
        let newest = UInt64(try self.epoch(edge)) + UInt64(EdgeLedgers.lineagesMax)
        for lineage in 0...min(UInt64(epoch), newest) {
            for number in 1...EdgeLedgers.branchesMax {
                // A file that is not there ends a lineage's; one that cannot be read shows nothing.
                let path = "\(folder)/\(edge).fork-\(lineage)-\(number).db"
                guard isThere(path) else { break }
                guard let file = try? EntryStore(path: path, Database.Options(.readOnly, vfs: vfs)),
                    (try? file.meta(EdgeLedgers.cutKey)) == "1", let row = try? file.read(from: head.seq.raw, limit: 1).first
                else { continue }
                if row.seq == head.seq.raw, row.hash == head.hash { return true }
            }
        }
        return false
    }
    /// False for a file that nobody has begun; true for one that cannot be read, too.
    private func isThere(_ path: String) -> Bool {
        do throws(DatabaseError) { _ = try Database(path: path, Database.Options(.readOnly, vfs: vfs)) } catch { return !error.isMissing }
        return true
    }
    /// Marks the file of a branch that was taken out of the ledger.
    private static let cutKey = "cut"
    /// How many lineages above the stored ledger's an edge is believed to have.
    private static let lineagesMax = 64

    /// Stores entries in the branch that is open; durable on return.
    /// - Parameters:
    ///   - hole: what lies between the last entry in the branch and these; nil when they follow it.
    ///   - noting: told of each damaged common entry of which one of these speaks.
    /// - Throws: `LedgerDamage` at a signature that does not hold: nothing was written then. A person is not asked to choose a forged history.
    ///   `BranchDamage` when the file of the branch can no longer be used; the next one that is opened is another.
    package func appendBranch(
        _ edge: EdgeID, _ entries: [Entry], over hole: LedgerHole? = nil, noting: (LedgerDamage) -> Void = { _ in }
    ) throws -> Head? {
        guard let (path, file) = branches[edge] else { return nil }
        var (signed, trust) = try branchRules[edge] ?? branchRules(edge, path, file)
        if hole != nil { trust = CloudTrust() }
        for entry in entries {
            let words =
                try signed.accept(entry) ?? trust.accept(entry)
                ?? CountersignedFact.fault(in: entry, edge: edge) { seq in
                    // Of the common entries the cloud's own are the branch's too.
                    if seq.raw <= file.base.seq { return try knownHash(edge, seq, noting) }
                    return try entries.first { $0.seq == seq }?.hash
                        ?? inBranch(path) { try file.read(from: seq.raw, limit: 1).first { $0.seq == seq.raw }?.hash }
                }
            if let words { throw LedgerDamage(edge: edge, words: words, offered: .signature) }
        }
        try inBranch(path) {
            if let hole { try file.append(entries.map(\.row), over: hole.log) } else { try file.append(entries.map(\.row)) }
        }
        branchRules[edge] = (signed, trust)
        return Head(seq: Seq(file.head.seq), hash: file.head.hash)
    }

    /// What the common entries and those in the file say of the keys.
    private func branchRules(_ edge: EdgeID, _ path: String, _ file: EntryStore) throws -> (signed: CheckpointRule, trust: CloudTrust) {
        var rules = (signed: CheckpointRule(edge: edge, key: firstKeys[edge], check: check), trust: CloudTrust())
        if let store = stores[edge] {
            try EdgeLedgers.follow(&rules, below: file.base.seq + 1) { kinds, from, below, limit in
                try store.read(kinds: kinds, from: from, below: below, newestFirst: false, limit: limit)
            }
        }
        try EdgeLedgers.follow(&rules, below: .max) { kinds, from, below, limit in
            try inBranch(path) { try file.read(kinds: kinds, from: max(from, file.base.seq + 1), below: below, newestFirst: false, limit: limit) }
        }
        if let hole = file.holes.last {
            // Behind a hole nothing is known of what it said of the cloud's key.
            var behind = (signed: rules.signed, trust: CloudTrust())
            try EdgeLedgers.follow(&behind, below: .max) { kinds, from, below, limit in
                try inBranch(path) { try file.read(kinds: kinds, from: max(from, hole.last.seq + 1), below: below, newestFirst: false, limit: limit) }
            }
            rules.trust = behind.trust
        }
        return rules
    }

    /// Leads both rules over the stored entries that speak of keys.
    private static func follow(
        _ rules: inout (signed: CheckpointRule, trust: CloudTrust), below: UInt64, read: ([UInt16], UInt64, UInt64, Int) throws -> [EntryRow]
    ) throws {
        let kinds = [Kind.checkpoint.rawValue, Kind.keyRotated.rawValue, Kind.cloudKey.rawValue]
        var next: UInt64 = 1
        while true {
            let rows = try read(kinds, next, below, 1_000)
            guard let last = rows.last else { return }
            for row in rows {
                guard let entry = try? Entry(row) else { continue }
                _ = rules.signed.accept(entry) ?? rules.trust.accept(entry)
            }
            next = last.seq + 1
        }
    }

    /// Seals the entries after `common` in a file of their own, then takes them out of the edge's ledger.
    /// - Parameter noting: told of each file of a branch that is damaged.
    /// - Throws: `BranchDamage` when the file can no longer be used: nothing was taken out then, and the next try has another file.
    package func cut(_ edge: EdgeID, after common: Head, noting: (BranchDamage) -> Void = { _ in }) throws {
        guard let store = stores[edge] else { return }
        _ = try openBranch(edge, after: common, place: .max, noting: noting)
        guard let (path, file) = branches[edge] else {
            throw NoBranchLeft()
        }
        while file.head.seq < store.head.seq {
            let rows = try store.read(from: file.head.seq + 1, limit: 1_000)
            // One hole at a time: what lies behind the next comes with the next piece.
            let hole = store.holes.first { $0.after == file.head }
            let end = store.holes.first { $0.after.seq > file.head.seq }?.after.seq ?? .max
            let piece = rows.filter { $0.seq <= end }
            guard !piece.isEmpty else { throw DatabaseError.corrupt("entry \(file.head.seq + 1) of edge \(edge) is missing") }
            try inBranch(path) { if let hole { try file.append(piece, over: hole) } else { try file.append(piece) } }
        }
        try inBranch(path) { try file.setMeta(EdgeLedgers.cutKey, "1") }
        branches[edge] = nil
        try store.cut(after: common.seq.raw)
        // What the sealed branch signed, and the keys it changed to, are no longer this ledger's.
        var rules = (signed: CheckpointRule(edge: edge, key: firstKeys[edge], check: check), trust: CloudTrust())
        try EdgeLedgers.follow(&rules, below: .max) { try store.read(kinds: $0, from: $1, below: $2, newestFirst: false, limit: $3) }
        (signatures[edge], trusts[edge]) = (rules.signed, rules.trust)
        let last = try store.read(from: common.seq.raw, limit: 1)
        clocks[edge] = (try? checked(edge, last))?.first.map { ClockRules(after: $0) }
    }

    /// Entries after one that must be stored as `after` says, up to a number: as many as one batch takes. Nothing when another stands there.
    package func piece(_ edge: EdgeID, after: Head, upTo: Seq) throws -> [Entry] {
        guard try has(edge, after) else { return [] }
        var entries: [Entry] = []
        var bytes = 0
        while entries.count < Batch.entriesMax, bytes < Batch.rawBytesTarget {
            let next = (entries.last?.seq ?? after.seq).next
            let found = try read(edge, from: next, limit: 256).filter { $0.seq <= upTo }
            // As far as the next hole: what is missing here nobody gets from here.
            let more = found.enumerated().prefix { $1.seq.raw == next.raw + UInt64($0) }.map(\.element)
            guard !more.isEmpty else { break }
            entries += more
            bytes += more.reduce(0) { $0 + Batch.size(of: $1) }
        }
        return entries
    }

    /// The hashes of these entries, as far as they are stored: the hash of a damaged one is what the sound entry behind it names.
    /// - Parameter noting: told of each damaged one.
    /// - Throws: `LedgerDamage` for one whose hash nobody here knows.
    package func heads(_ edge: EdgeID, _ seqs: [Seq], noting: (LedgerDamage) -> Void = { _ in }) throws -> [Head] {
        try seqs.compactMap { seq in
            if seq == Seq(0) { return .start }
            // Of a hole's last entry the one behind it knows the hash.
            if let hole = holes(edge).first(where: { $0.last.seq == seq }) { return hole.last }
            let end = head(edge)
            guard let store = stores[edge], seq <= end.seq, !holes(edge).contains(where: { $0.from <= seq && seq <= $0.last.seq }) else { return nil }
            let rows = try store.read(from: seq.raw, limit: 2)
            do {
                let found = try checked(edge, rows.filter { $0.seq == seq.raw })
                guard let entry = found.first else { throw LedgerDamage(edge: edge, words: "entry \(seq) is missing") }
                return entry.head
            } catch let damage as LedgerDamage {
                noting(damage)
                if seq == end.seq { return end }
                if let hole = holes(edge).first(where: { $0.after.seq == seq }) { return hole.after }
                guard let next = try? checked(edge, rows.filter { $0.seq == seq.next.raw }).first else { throw damage }
                return Head(seq: seq, hash: next.previous)
            }
        }
    }

    /// The epoch of the last durable entry; 0 before the first.
    package func epoch(_ edge: EdgeID) throws -> UInt32 {
        let head = head(edge).seq
        return head > Seq(0) ? try stores[edge]?.read(from: head.raw, limit: 1).first?.epoch ?? 0 : 0
    }

    /// Write-ahead bytes at which the log is copied into the file: what a restart has to walk stays short.
    private static let logBytesMax = 64 << 20
}

/// All places for sealed branches of a lineage are taken.
struct NoBranchLeft: Error {}

/// A file that holds a branch beside a ledger cannot be read or written.
package struct BranchDamage: Error, Equatable, Sendable {
    package let words: String
}

/// What entries that an edge offers are held to beside their hashes.
package enum BrokenRule: Hashable, Sendable { case signature, clocks }

/// A stored ledger that is not what was written, or entries that may not be.
package struct LedgerDamage: Error, Equatable, Sendable, CustomStringConvertible {
    package let edge: EdgeID
    package let words: String
    /// Which rule breaks what an edge offers: nothing of it was written, and what is stored is as it was. Nil for what is stored.
    package let offered: BrokenRule?
    init(edge: EdgeID, words: String, offered: BrokenRule? = nil) { self.edge = edge; self.words = words; self.offered = offered }
    package var description: String { "the stored ledger of edge \(edge) is damaged: \(words)" }
}

/// One owner, one thread.
@available(*, unavailable) extension EdgeLedgers: Sendable {}
