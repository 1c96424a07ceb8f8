// The append-only table of entries: the edge's ledger.db, and one file per edge in the cloud.
package import Wire

/// Why a log would not do what was asked.
package enum StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An earlier I/O error or damage ended this store's life in this process: only a restart, which reads everything again, tells what is true.
    case failed(DatabaseError)
    /// SQLite refused, nothing was written, and trying again may work: the disk is full, or somebody holds the file.
    case database(DatabaseError)
    /// The rows do not follow the head; nothing was written.
    case notNext(head: LogHead, offered: LogHead)
    /// Old entries whose segment file is gone or damaged; everything else can be read, and written.
    case missing(from: UInt64, to: UInt64, String)
    /// The file belongs to another program, or to a release that writes another schema.
    case schema(found: Int64, expected: Int64)

    package var description: String {
        switch self {
        case .failed(let cause): "the log has failed and takes nothing more until the process restarts: \(cause)"
        case .database(let cause): cause.description
        case .notNext(let head, let offered): "entry \(offered.seq) does not follow the head, entry \(head.seq)"
        case .missing(let from, let to, let words): "entries \(from) to \(to) cannot be read: \(words)"
        case .schema(let found, let expected) where found > expected:
            "the file has schema \(found) of a newer release, this one reads up to schema \(expected): install the newer release again"
        case .schema(let found, let expected): "the file has schema \(found) and is none of ours, this release reads schema \(expected)"
        }
    }
}

/// A log of entries in one database file, with one writer. What `append` took and what a writer's store reads is on the disk.
package final class EntryStore {
    /// The number of the table layout below, kept in `user_version`.
    package static let schema: Int64 = 3

    /// The entry that the next one must follow.
    package private(set) var head: LogHead
    /// The entry before the first one kept here: `LogHead.empty` but for a branch of another log.
    package private(set) var base = LogHead.empty
    /// The last entry that has moved out of the table into a segment file; `base` while none has.
    package internal(set) var anchor = LogHead.empty
    /// Numbers that it has no entries for, in order.
    package internal(set) var holes: [LogHole] = []
    /// The first error that ended this store's life, if one did.
    package private(set) var failure: DatabaseError?

    let database: Database
    let shelf: SegmentShelf?
    /// Entries on their way into a segment.
    var move: SegmentMove?
    private let isSimulated: Bool
    let isReader: Bool
    /// The disk was full at the opening: the commit that shows that it takes a sync is still to come.
    private var isUnsettled = false
    /// The disk was full at the opening: the step to the present schema is still to come.
    private var isOld = false
    /// How far the subject index and the posting table have followed.
    var followed: (subjects: UInt64, postings: UInt64) = (0, 0)
    /// Whether they can be read: damage in them is none of the log's.
    package internal(set) var followers = FollowerState.sound

    /// Opens or creates the log.
    /// - Parameters:
    ///   - base: what a new file's first entry follows; an old file keeps its own.
    ///   - kept: where segments lie; the file's own folder on a real disk, and nowhere on a simulated one unless it is given.
    ///   - segmentRows: entries of one segment of a new log, production's but for tests; an old one keeps its own.
    /// - Throws: `.database`, or `.schema` for a file of another layout.
    package init(
        path: String, _ options: Database.Options, base: LogHead = .empty, kept: (any KeptFiles)? = nil, segmentRows: UInt64 = Segment.rows
    ) throws(StoreError) {
        isSimulated = options.vfs != nil
        isReader = options.access == .readOnly
        let (folder, stem) = EntryStore.place(path)
        shelf = (kept ?? (options.vfs == nil ? FolderFiles(folder) : nil)).map { SegmentShelf(files: $0, stem: stem) }
        do throws(DatabaseError) { database = try Database(path: path, options) } catch { throw .database(error) }
        head = .empty
        try guarded { () throws(StoreError) in
            if options.access != .readOnly {
                try self.createIfNew()
                do throws(StoreError) { try self.migrate() } catch {
                    guard case .database(let cause) = error, cause.isFull else { throw error }
                    self.isOld = true
                }
            }
            let found = try self.query { () throws(DatabaseError) in try self.database.first("PRAGMA user_version") { $0.integer(0) } } ?? 0
            // A reader takes an older file as it is, and so does a writer who has no room for more.
            guard found == EntryStore.schema || ((options.access == .readOnly || self.isOld) && (1...EntryStore.schema).contains(found)) else {
                throw .schema(found: found, expected: EntryStore.schema)
            }
        }
        if options.access != .readOnly {
            do throws(StoreError) { try settle() } catch {
                // What the log holds was synced before it was opened: a full disk can be read from, and written when there is room.
                guard case .database(let cause) = error, cause.isFull else { throw error }
                isUnsettled = true
            }
        }
        if base != .empty, options.access != .readOnly { try beginAfter(base) }
        try shelf?.rows = self.rowsOfSegments(segmentRows, mayWrite: options.access != .readOnly)
        self.base = try storedBase()
        anchor = try storedAnchor()
        holes = try storedHoles()
        followed = (
            max(UInt64(try meta(EntryStore.indexedKey) ?? "") ?? 0, self.base.seq), max(try postedThrough(), self.base.seq)
        )
        followers = try storedFollowers()
        try refreshHead()
    }

    // MARK: - Writing

    /// Writes all rows in one transaction and waits for the disk. On return they are durable; on any error none is acknowledged.
    /// - Parameter meta: keys of the meta table written in the same transaction.
    /// - Throws: `.notNext` before anything is written; `.database` when the disk is full (nothing written); `.failed` when the store is lost.
    package func append(_ rows: [EntryRow], meta: KeyValuePairs<String, String> = [:]) throws(StoreError) {
        try write(rows, after: head, meta.map { ($0.key, $0.value) })
    }

    func write(_ rows: [EntryRow], after start: LogHead, _ meta: [(key: String, text: String)]) throws(StoreError) {
        guard let last = rows.last else { return }
        var previous = start
        for row in rows {
            guard row.seq == previous.seq + 1, row.prev == previous.hash else {
                throw .notNext(head: previous, offered: LogHead(seq: row.seq, hash: row.prev))
            }
            previous = LogHead(seq: row.seq, hash: row.hash)
        }
        try transaction { () throws(DatabaseError) in
            try self.insert(rows)
            for (key, text) in meta { try self.writeMeta(key, text) }
            if self.isUnsettled { try self.countOpening() }
        }
        isUnsettled = false
        head = LogHead(seq: last.seq, hash: last.hash)
        // These rows are durable, whatever becomes of the copying: a store that fails here refuses the next commit.
        if database.isCopying { _ = try? query { () throws(DatabaseError) in try self.database.goOnCopying() } }
    }

    /// Sets a key of the meta table, durably.
    package func setMeta(_ key: String, _ text: String) throws(StoreError) {
        try transaction { () throws(DatabaseError) in try self.writeMeta(key, text) }
    }

    /// Copies the write-ahead log into the file as far as readers allow; behind the owner's back where the store was opened so, call after call.
    /// - Throws: `.database` on a full disk: wait until there is room; `.failed` otherwise.
    package func checkpoint() throws(StoreError) {
        _ = try query { () throws(DatabaseError) in try self.database.checkpoint() }
    }

    /// Prepares a piece of the write-ahead log's file ahead of the commits that will fill it; each piece costs about a millisecond of writing.
    /// - Returns: false when enough is prepared, or nothing can be (a simulated disk, a full one).
    package func prepareLog() -> Bool {
        guard failure == nil, !isSimulated else { return false }
        return database.lengthenLog(ahead: EntryStore.preparedLogBytes, step: EntryStore.preparedLogStep)
    }
    /// What a busy second writes.
    private static let preparedLogBytes = 8 << 20
    private static let preparedLogStep = 1 << 20

    /// Bytes in the write-ahead log that wait for a checkpoint.
    package var logBytes: Int { database.logBytes }

    /// From now on closing leaves the log as it is, and copying that has begun goes no further: on a full disk a checkpoint only takes room.
    package func leaveLog() {
        database.closeWithoutCheckpoint()
        database.endCopying()
    }

    // MARK: - Reading

    /// Entries from `seq` on, in order, until `limit` entries or `maxBytes` (counted by `EntryRow.byteCount`); at least one when there is one.
    /// - Throws: `.missing` when the first of them cannot be read; of those before a hole it gives what there is.
    package func read(from seq: UInt64, limit: Int, maxBytes: Int = .max) throws(StoreError) -> [EntryRow] {
        precondition(limit > 0 && maxBytes > 0)
        var rows: [EntryRow] = []
        var bytes = 0
        do throws(StoreError) {
            try each(from: seq) { row throws(DatabaseError) in
                bytes += row.byteCount
                guard rows.isEmpty || bytes <= maxBytes else { return false }
                rows.append(row)
                return rows.count < limit
            }
        } catch {
            guard case .missing = error, !rows.isEmpty else { throw error }
        }
        return rows
    }

    /// Each entry from `seq` on, in order, until `visit` answers false. The owner sees one snapshot of the log, with memory for one entry. A reader
    /// beside it takes a page at a time and holds nothing while it visits: a visit may wait for whoever reads the output, and a snapshot that is
    /// held keeps the owner's log from being used again.
    package func each(from seq: UInt64 = 1, visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) {
        var next = seq
        var known: LogHead?
        var page = EntryStore.firstPage
        while true {
            // The writer may have moved more meanwhile.
            if isReader {
                let moved = try storedAnchor()
                // A file that has grown into the log may have been written anew since it was read.
                if moved != anchor { forgetSegments() }
                anchor = moved
            }
            if next <= anchor.seq {
                guard try eachMoved(from: next, visit: visit) else { return }
                next = anchor.seq + 1
            }
            let expected = max(next, base.seq + 1)
            let mayHaveMoved = known != anchor
            known = anchor
            if isReader {
                let (rows, damage) = try rows(from: next, limit: page)
                // From its first row on the page is one moment of the file; before that the writer may have been faster.
                if mayHaveMoved, let first = rows.first, first.seq > expected { continue }
                for row in rows { guard try query({ () throws(DatabaseError) in try visit(row) }) else { return } }
                if let damage { try query { () throws(DatabaseError) in throw damage } }
                guard rows.count == page, let last = rows.last else { return }
                next = last.seq + 1
                known = nil
                page = min(page * 2, EntryStore.pageMax)
                continue
            }
            var before: [UInt8]?
            try query { () throws(DatabaseError) in
                try self.database.each("SELECT \(EntryRow.columns) FROM entry WHERE seq >= ? ORDER BY seq", .integer(Int64(clamping: next))) {
                    row throws(DatabaseError) in
                    let row = try EntryRow(row, after: before)
                    before = row.hash
                    return try visit(row)
                }
            }
            return
        }
    }

    /// Rows a reader asks for first, and at most.
    private static let firstPage = 16
    private static let pageMax = 1_024

    /// A page of the table, and the damage that it ends at.
    private func rows(from seq: UInt64, limit: Int) throws(StoreError) -> (rows: [EntryRow], damage: DatabaseError?) {
        var rows: [EntryRow] = []
        var damage: DatabaseError?
        try query { () throws(DatabaseError) in
            do throws(DatabaseError) {
                try self.database.each(
                    "SELECT \(EntryRow.columns) FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?", .integer(Int64(clamping: seq)),
                    .integer(Int64(limit))
                ) { row throws(DatabaseError) in
                    rows.append(try EntryRow(row, after: rows.last?.hash))
                    return true
                }
            } catch { damage = error }
        }
        return (rows, damage)
    }

    /// Entries of these kinds with numbers from `from` to below `below`, beginning at the newest or the oldest, at most `limit`.
    package func read(kinds: [UInt16], from: UInt64, below: UInt64, newestFirst: Bool, limit: Int) throws(StoreError) -> [EntryRow] {
        try settled { () throws(StoreError) in
            try self.found(kinds: kinds, from: from, below: below, newestFirst: newestFirst, limit: limit)
        }
    }

    private func found(kinds: [UInt16], from: UInt64, below: UInt64, newestFirst: Bool, limit: Int) throws(StoreError) -> [EntryRow] {
        let list = "[" + kinds.map { String($0) }.joined(separator: ",") + "]"
        let order = newestFirst ? "DESC" : "ASC"
        let moved = from <= anchor.seq && !newestFirst ? try moved(kinds: kinds, from: from, below: below, newestFirst: false, limit: limit) : []
        guard moved.count < limit else { return moved }
        let stored = try query { () throws(DatabaseError) in
            try self.database.rows(
                """
                SELECT \(EntryRow.columns) FROM entry WHERE seq >= ? AND seq < ? AND kind IN (SELECT value FROM json_each(?)) \
                ORDER BY seq \(order) LIMIT ?
                """, .integer(Int64(clamping: from)), .integer(Int64(clamping: below)), .text(list), .integer(Int64(limit - moved.count))
            ) { row throws(DatabaseError) in try EntryRow(row) }
        }
        guard newestFirst, from <= anchor.seq, stored.count < limit else { return moved + stored }
        return stored + (try self.moved(kinds: kinds, from: from, below: below, newestFirst: true, limit: limit - stored.count))
    }

    /// The number of entries stored, those of the table counted.
    package func count() throws(StoreError) -> Int {
        try settled { () throws(StoreError) in
            Int(self.anchor.seq - self.base.seq)
                + Int(try self.query { () throws(DatabaseError) in try self.database.first("SELECT count(*) FROM entry") { $0.integer(0) } } ?? 0)
        }
    }

    /// What SQLite's own check of the file's structure finds, at most `limit` lines; empty for a sound file. Reads all of it.
    package func structuralDamage(limit: Int) throws(StoreError) -> [String] {
        let lines = try query { () throws(DatabaseError) in try self.database.rows("PRAGMA integrity_check(\(limit))") { $0.text(0) } }
        return lines == ["ok"] ? [] : lines
    }

    /// A key of the meta table.
    package func meta(_ key: String) throws(StoreError) -> String? {
        try query { () throws(DatabaseError) in try self.database.first("SELECT value FROM meta WHERE key = ?", .text(key)) { $0.text(0) } }
    }

    /// Reads the head again: a reader sees what the writer has added since.
    package func refreshHead() throws(StoreError) {
        head =
            try query { () throws(DatabaseError) in
                try self.database.first("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1") { row throws(DatabaseError) in
                    guard let seq = UInt64(exactly: row.integer(0)) else { throw .corrupt("the last entry has number \(row.integer(0))") }
                    return LogHead(seq: seq, hash: row.bytes(1))
                }
            } ?? anchor
    }

    // MARK: - The one way in

    /// - Parameter touchesFollowers: damage that the body meets is thrown as `.database`, after everything was rolled back.
    func transaction(touchesFollowers: Bool = false, _ body: () throws(DatabaseError) -> Void) throws(StoreError) {
        try guarded { () throws(StoreError) in
            do {
                try self.database.write { _ in try body() }
            } catch let error as DatabaseError where error.isFull || error.isBusy || (touchesFollowers && error.isCorrupt) {
                throw .database(error)
            } catch let error as DatabaseError {
                throw .failed(error)
            } catch {
                throw .failed(.refused("\(error)"))
            }
        }
    }

    func query<Value>(_ body: () throws(DatabaseError) -> Value) throws(StoreError) -> Value {
        try guarded { () throws(StoreError) in
            do throws(DatabaseError) { return try body() } catch {
                throw error.isIO || error.isCorrupt ? .failed(error) : .database(error)
            }
        }
    }

    /// Runs `body` unless the store has failed, and remembers when it fails: a commit that answered an error may be on the disk or not, and
    /// memory may hold pages the disk never got, so no further commit is tried and closing copies nothing on.
    private func guarded<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        if let failure { throw .failed(failure) }
        do throws(StoreError) { return try body() } catch {
            if case .failed(let cause) = error {
                failure = cause
                database.closeWithoutCheckpoint()
            }
            throw error
        }
    }

    private static let insertEntry = "INSERT INTO entry(\(EntryRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

    /// A backlog comes in thousands of rows: the statement is looked up once.
    func insert(_ rows: [EntryRow]) throws(DatabaseError) {
        let entry = try database.statement(EntryStore.insertEntry)
        defer { entry.forgetValues() }
        for row in rows {
            try entry.bind(.integer(Int64(row.seq)), at: 1)
            try entry.bind(.integer(Int64(row.epoch)), at: 2)
            try entry.bind(.integer(Int64(row.boot)), at: 3)
            try entry.bind(.integer(row.wall), at: 4)
            try entry.bind(.integer(row.mono), at: 5)
            try entry.bind(.integer(row.hlc), at: 6)
            try entry.bind(.integer(Int64(row.kind)), at: 7)
            try entry.bind(.integer(Int64(row.kver)), at: 8)
            try entry.bind(.integer(Int64(row.flags)), at: 9)
            // Lent, not copied: the statement has run before the row is let go.
            try EntryStore.lend(row.body) { body throws(DatabaseError) in
                try EntryStore.lend(row.prev) { prev throws(DatabaseError) in
                    try EntryStore.lend(row.hash) { hash throws(DatabaseError) in
                        try entry.bind(Bound(row.ref), at: 10)
                        try entry.bind(lentText: body, at: 11)
                        try entry.bind(lent: prev, at: 12)
                        try entry.bind(lent: hash, at: 13)
                        try entry.execute()
                    }
                }
            }
        }
    }

    private static func lend(
        _ bytes: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        try bytes.withUnsafeBufferPointer { buffer throws(DatabaseError) in try body(buffer) }
    }

    func writeMeta(_ key: String, _ text: String) throws(DatabaseError) {
        try database.run("INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value", .text(key), .text(text))
    }

    /// A process killed between writing and syncing leaves entries in the system's cache that the next power cut may take. They would be read
    /// here as if they were durable: one commit of our own shows that the log still takes a sync before anybody sees them. What an earlier sync
    /// failed on, no sync of ours writes: that is `LogRenewal`'s work, done before.
    private func settle() throws(StoreError) {
        try transaction { () throws(DatabaseError) in try self.countOpening() }
    }

    private func countOpening() throws(DatabaseError) {
        try database.run(
            "INSERT INTO meta(key, value) VALUES ('openings', '1') ON CONFLICT(key) DO UPDATE SET value = CAST(value AS INTEGER) + 1")
    }

    private func createIfNew() throws(StoreError) {
        let version = try query { () throws(DatabaseError) in try self.database.first("PRAGMA user_version") { $0.integer(0) } } ?? 0
        guard version == 0 else { return }
        let tables = try query { () throws(DatabaseError) in try self.database.first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) } } ?? 0
        guard tables == 0 else { throw .schema(found: 0, expected: EntryStore.schema) }
        try transaction { () throws(DatabaseError) in try self.database.script(EntryStore.tables) }
    }

    /// Makes the step that a full disk put off.
    func beOfToday() throws(StoreError) {
        guard isOld else { return }
        try guarded { () throws(StoreError) in try self.migrate() }
        isOld = false
    }

    /// Forward, one schema at a time, each in one transaction: a power cut leaves the old file or the new one.
    private func migrate() throws(StoreError) {
        let version = try query { () throws(DatabaseError) in try self.database.first("PRAGMA user_version") { $0.integer(0) } } ?? 0
        guard version == 1 || version == 2 else { return }
        // A file of another program may call its own layout so.
        let tables = try query { () throws(DatabaseError) in
            try self.database.first("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('entry', 'meta', 'subject')") {
                $0.integer(0)
            }
        }
        guard tables == 3 else { throw .schema(found: version, expected: EntryStore.schema) }
        if version == 1 { try transaction { () throws(DatabaseError) in try self.database.script(EntryStore.toSchema2) } }
        try transaction { () throws(DatabaseError) in try self.database.script(EntryStore.toSchema3) }
    }

    /// The folder of a path, and its file's name without the extension.
    private static func place(_ path: String) -> (folder: String, stem: String) {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let folder = path.hasSuffix("/" + name) ? String(path.dropLast(name.count + 1)) : "."
        return (folder.isEmpty ? "/" : folder, name.hasSuffix(".db") ? String(name.dropLast(3)) : name)
    }

    /// Schema 1, which a new file begins with: the steps forward are the only way to a later one.
    private static let tables = """
        CREATE TABLE entry(
          seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, boot INTEGER NOT NULL, wall INTEGER NOT NULL, mono INTEGER NOT NULL,
          hlc INTEGER NOT NULL, kind INTEGER NOT NULL, kver INTEGER NOT NULL, flags INTEGER NOT NULL,
          ref BLOB, body TEXT NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
        \(noDelete)
        CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT;
        \(subjectTable)
        PRAGMA user_version = 1;
        """
}

/// One writer, one thread: the store goes where its owner goes.
@available(*, unavailable) extension EntryStore: Sendable {}
