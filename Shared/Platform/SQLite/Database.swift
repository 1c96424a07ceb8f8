// One SQLite connection: prepared statements, transactions, checkpoints. Lent by its owner, never shared.
internal import CSQLite
internal import Glibc

/// A connection that belongs to one thread. SQLite's own mutex is off because the type cannot leave its owner: it is not `Sendable`.
package final class Database {
    /// How a database is opened.
    package struct Options: Sendable {
        /// Who may do what to the file.
        package enum Access: Sendable { case readOnly, readWrite, create }
        /// What a commit waits for: `full` survives a power cut; `normal` may lose the last commits, never the file.
        package enum Synchronous: Int, Sendable { case normal = 1, full = 2 }
        package var access: Access
        package var synchronous: Synchronous
        /// Overwrites what is deleted with zeros: for databases that hold secrets.
        package var secureDelete: Bool
        /// A registered SQLite VFS instead of the system's: the seam for a simulated disk. No lock file is taken then.
        package var vfs: String?
        /// A checkpoint is a thread's work: each call of `checkpoint` only looks how far that has come. Not with a VFS.
        package var copiesBehind: Bool

        package init(
            _ access: Access, synchronous: Synchronous = .full, secureDelete: Bool = false, vfs: String? = nil, copiesBehind: Bool = false
        ) {
            self.access = access
            self.synchronous = synchronous
            self.secureDelete = secureDelete
            self.vfs = vfs
            self.copiesBehind = copiesBehind && vfs == nil && access != .readOnly
        }
    }

    /// The path it was opened with.
    package let path: String
    private let connection: OpaquePointer
    private var statements: [String: Statement] = [:]
    /// Pages in the write-ahead log as of the last commit, written by SQLite's hook.
    private let logPages: UnsafeMutablePointer<Int32>
    /// Where the log's file ended when it was last lengthened, and whether that worked.
    private var logFileEnd = 0
    private var canLengthen = true
    private let lock: FileLock?
    private let copiesBehind: Bool
    private var copying: LogCopying?

    /// Statements kept prepared; this product's own SQL stays far below: a full cache means SQL built at run time.
    private static let statementsMax = 128
    /// A reader may meet a writer that is just restarting the log; a writer never waits: nobody else writes.
    private static let readerBusyMillis: Int32 = 2_000

    /// Opens, applies every setting and reads each one back.
    /// - Throws: `isMissing`, `isBusy` (another process owns it), `isCorrupt`, `isIO` (also when the log that an earlier run left cannot be
    ///   made durable), or a sentence about the setting that did not take.
    package init(path: String, _ options: Options) throws(DatabaseError) {
        self.path = path
        copiesBehind = options.copiesBehind
        lock = try options.access == .readOnly || options.vfs != nil ? nil : FileLock(path: path + ".lock")
        if options.access != .readOnly { try LogRenewal.run(database: path, vfs: options.vfs) }
        connection = try Database.open(path, options)
        logPages = .allocate(capacity: 1)
        logPages.initialize(to: 0)
        do throws(DatabaseError) { try apply(options) } catch {
            distrust(error)
            throw error
        }
        sqlite3_wal_hook(connection, countLogPages, logPages)
        logPages.pointee = try Int32(clamping: logFileBytes() / Database.framePitch)
    }

    deinit {
        statements = [:]
        copying?.wait()
        // Unfinished statements would make this fail; there are none: they are finalised above or lent inside a call.
        let code = sqlite3_close(connection)
        precondition(code == SQLITE_OK, "closing \(path) answered \(code)")
        logPages.deallocate()
    }

    /// Runs one statement to its end and forgets its rows.
    package func run(_ sql: String, _ values: Bound...) throws(DatabaseError) {
        try statement(sql).run(values) { _ in true }
    }

    /// The first row as `read` sees it, or nil when there is none.
    package func first<Value>(
        _ sql: String, _ values: Bound..., read: (borrowing Row) throws(DatabaseError) -> Value
    ) throws(DatabaseError) -> Value? {
        var result: Value?
        try statement(sql).run(values) { row throws(DatabaseError) in
            result = try read(row)
            return false
        }
        return result
    }

    /// All rows as `read` sees them; the caller bounds their number in the SQL.
    package func rows<Value>(
        _ sql: String, _ values: Bound..., read: (borrowing Row) throws(DatabaseError) -> Value
    ) throws(DatabaseError) -> [Value] {
        var result: [Value] = []
        try statement(sql).run(values) { row throws(DatabaseError) in
            result.append(try read(row))
            return true
        }
        return result
    }

    /// Each row in turn, until `visit` answers false.
    package func each(_ sql: String, _ values: Bound..., visit: (borrowing Row) throws(DatabaseError) -> Bool) throws(DatabaseError) {
        try statement(sql).run(values, visit)
    }

    /// Runs several statements separated by semicolons, without values: a schema.
    package func script(_ sql: String) throws(DatabaseError) {
        let code = sqlite3_exec(connection, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw Statement.error(code, connection, sql) }
    }

    /// Lends the connection for one transaction: begun at once, committed when `body` returns, rolled back when it throws.
    /// What `body` threw is thrown on; after an error of COMMIT only reopening tells whether the transaction is there.
    package func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        precondition(!isInTransaction, "a transaction inside a transaction on \(path)")
        try run("BEGIN IMMEDIATE")
        do {
            let value = try body(self)
            try run("COMMIT")
            return value
        } catch {
            if let error = error as? DatabaseError { distrust(error) }
            // After some errors SQLite has rolled back by itself.
            if isInTransaction { try run("ROLLBACK") }
            throw error
        }
    }

    /// Lets go of every page that is held in memory, so that what is read next comes from the file.
    package func forgetPages() throws(DatabaseError) {
        let code = sqlite3_db_release_memory(connection)
        guard code == SQLITE_OK else { throw Statement.error(code, connection, "releasing memory") }
    }

    /// True between BEGIN and its end.
    package var isInTransaction: Bool { sqlite3_get_autocommit(connection) == 0 }
    /// Rows changed by the last INSERT, UPDATE or DELETE.
    package var changes: Int { Int(sqlite3_changes64(connection)) }

    /// Copies the write-ahead log into the file as far as readers allow, never waiting for them; with `copiesBehind` a call begins that, or
    /// looks how far it has come, and finishes what is short enough.
    /// - Returns: true when all of it was copied, so that the next commit starts the log again.
    @discardableResult package func checkpoint() throws(DatabaseError) -> Bool {
        guard copiesBehind else { return try copyLog() }
        guard copying != nil else {
            copying = LogCopying(path: path)
            return copying == nil ? try copyLog() : false
        }
        return try goOnCopying()
    }

    /// A checkpoint that runs behind this connection ends with what it is at: on a full disk what it copies takes the room of commits.
    package func endCopying() { copying?.endWithThisPass() }

    /// True while a checkpoint runs behind this connection.
    package var isCopying: Bool { copying != nil }

    /// Looks how far a checkpoint behind this connection has come, when one runs; for between commits, which alone lengthen the log.
    /// - Returns: true when all of it was copied by now.
    @discardableResult package func goOnCopying() throws(DatabaseError) -> Bool {
        let frames = logPages.pointee
        let step: LogCopying.Step?
        do throws(DatabaseError) { step = try copying?.step(frames: frames, path: path) } catch {
            copying = nil
            distrust(error)
            throw error
        }
        switch step {
        case nil, .running: return false
        case .held:
            copying = nil
            return false
        case .rest:
            copying = nil
            return try copyLog()
        case .done(let isWhole):
            copying = nil
            // Without a commit since, the next one begins the log anew.
            if isWhole { logPages.pointee = 0 }
            return true
        }
    }

    private func copyLog() throws(DatabaseError) -> Bool {
        var inLog: Int32 = 0
        var copied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, &inLog, &copied)
        guard code == SQLITE_OK else {
            let error = Statement.error(code, connection, "PASSIVE checkpoint")
            distrust(error)
            throw error
        }
        let complete = inLog == copied
        logPages.pointee = complete ? 0 : inLog
        return complete
    }

    /// Bytes in the write-ahead log that wait for a checkpoint, as of the last commit or checkpoint.
    package var logBytes: Int { Int(logPages.pointee) * Database.framePitch }

    /// Lengthens the write-ahead log's file by `step` zero bytes while less than `ahead` lies before the commits to come, and waits for the
    /// disk. A commit that stays inside the file need not make a new length durable, which is one wait of two in its sync. Readers stop at the
    /// first frame that is none, so zeros end the log as its end does. Call it between transactions; a closed log's file goes with it, as ever.
    /// - Returns: false when there is nothing to do, or no room to do it; after that it is not tried again.
    func lengthenLog(ahead: Int, step: Int) -> Bool {
        precondition(!isInTransaction, "the log of \(path) is lengthened inside a transaction")
        guard logPages.pointee > 0 || logFileEnd > 0, logFileEnd - logBytes < ahead, canLengthen else { return false }
        // SQLite keeps no POSIX lock on this file, so closing another descriptor of it takes none away.
        let descriptor = Glibc.open(path + "-wal", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        let end = Int(lseek(descriptor, 0, SEEK_END))
        guard end > 0 else { return false }
        // What a run before this one prepared is still there.
        guard end - logBytes < ahead else {
            logFileEnd = end
            return false
        }
        let written = [UInt8](repeating: 0, count: step).withUnsafeBytes { pwrite(descriptor, $0.baseAddress, step, off_t(end)) }
        canLengthen = written == step && fdatasync(descriptor) == 0
        logFileEnd = end + max(0, written)
        return canLengthen
    }

    /// From now on closing leaves the log as it is. For after an I/O error, when what memory holds is no longer what the disk holds.
    package func closeWithoutCheckpoint() {
        let code = tidewire_close_without_checkpoint(connection)
        precondition(code == SQLITE_OK, "NO_CKPT_ON_CLOSE answered \(code)")
    }

    /// After an error of the disk, or damage, closing would copy into the file what the log's file may not hold.
    private func distrust(_ error: DatabaseError) {
        if error.isIO || error.isCorrupt { closeWithoutCheckpoint() }
    }

    /// A page of 4,096 bytes and its 24-byte header in the log.
    private static let framePitch = 4_096 + 24

    private func logFileBytes() throws(DatabaseError) -> Int {
        var file: UnsafeMutablePointer<sqlite3_file>?
        let code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file)
        guard code == SQLITE_OK else { throw Statement.error(code, connection, "size of the log") }
        var size: Int64 = 0
        guard let file, let methods = file.pointee.pMethods, let sizeOf = methods.pointee.xFileSize else { return 0 }
        guard sizeOf(file, &size) == SQLITE_OK else {
            throw DatabaseError(extendedCode: SQLITE_IOERR, message: "cannot read the size of \(path)-wal")
        }
        return Int(size)
    }

    /// The prepared statement of `sql`, for this folder's own loops: not to be kept beyond the transaction.
    func statement(_ sql: String) throws(DatabaseError) -> Statement {
        if let kept = statements[sql] {
            return kept.isRunning ? try Statement(sql, on: connection) : kept
        }
        let fresh = try Statement(sql, on: connection)
        if statements.count >= Database.statementsMax { statements = statements.filter { $0.value.isRunning } }
        statements[sql] = fresh
        return fresh
    }

    /// Said once, before the library's first use: without its counts of memory no allocation takes a lock. Where somebody was earlier (a
    /// simulated disk), the library refuses and goes on counting.
    private static let libraryIsSettled: Bool = tidewire_forget_memory_statistics() == SQLITE_OK

    private static func open(_ path: String, _ options: Options) throws(DatabaseError) -> OpaquePointer {
        _ = libraryIsSettled
        let access =
            switch options.access {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        var connection: OpaquePointer?
        let code = sqlite3_open_v2(path, &connection, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, options.vfs)
        guard let connection else { throw .cannotOpen("SQLite found no memory to open \(path)") }
        guard code == SQLITE_OK else {
            let error = Statement.error(code, connection, "open \(path)")
            sqlite3_close(connection)
            throw error
        }
        return connection
    }

    /// Sets every setting, stepping each to its end, then reads all of them back by separate queries: with an I/O error in the switch,
    /// `PRAGMA journal_mode=WAL` answers the row "wal" first and the error only on the next step (seen with the simulated disk).
    private func apply(_ options: Options) throws(DatabaseError) {
        let settings = Database.settings(options)
        for setting in settings where setting.set { try pragma("\(setting.name)=\(setting.value)") }
        for setting in settings {
            let found = try first("PRAGMA \(setting.name)") { $0.text(0) }
            // A VFS without memory mapping answers no row to mmap_size: nothing is mapped.
            guard found == setting.expected || (found == nil && setting.name == "mmap_size") else {
                throw .refused("PRAGMA \(setting.name) of \(path) is \(found ?? "not answered"), \(setting.expected) is needed")
            }
        }
    }

    private func pragma(_ text: String) throws(DatabaseError) { try Statement("PRAGMA \(text)", on: connection).run([]) { _ in true } }

    private struct Setting {
        let name: String, value: String, expected: String
        /// False where a reader can only look.
        var set = true
    }

    private static func settings(_ options: Options) -> [Setting] {
        let reads = options.access == .readOnly
        let busy = String(reads ? readerBusyMillis : 0)
        let secure = options.secureDelete ? "1" : "0"
        return [
            Setting(name: "busy_timeout", value: busy, expected: busy),
            Setting(name: "temp_store", value: "MEMORY", expected: "2"),
            Setting(name: "trusted_schema", value: "OFF", expected: "0"),
            Setting(name: "cell_size_check", value: "ON", expected: "1"),
            Setting(name: "mmap_size", value: "0", expected: "0"),
            Setting(name: "foreign_keys", value: "ON", expected: "1"),
            // A row that REPLACE would push out meets the triggers of a deletion.
            Setting(name: "recursive_triggers", value: "ON", expected: "1"),
            Setting(name: "page_size", value: "4096", expected: "4096", set: !reads),
            Setting(name: "journal_mode", value: "WAL", expected: "wal", set: !reads),
            Setting(name: "synchronous", value: String(options.synchronous.rawValue), expected: String(options.synchronous.rawValue)),
            Setting(name: "secure_delete", value: secure, expected: secure, set: !reads),
            Setting(name: "wal_autocheckpoint", value: "0", expected: "0"),
        ].filter { !reads || $0.name != "secure_delete" }
    }
}

/// Locks, statements and hooks belong to one thread: leaking a connection into another must not compile.
@available(*, unavailable) extension Database: Sendable {}

private func countLogPages(context: UnsafeMutableRawPointer?, _: OpaquePointer?, _: UnsafePointer<CChar>?, pages: Int32) -> Int32 {
    context?.assumingMemoryBound(to: Int32.self).pointee = pages
    return SQLITE_OK
}
