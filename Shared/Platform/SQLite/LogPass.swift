// Copying the write-ahead log into its file on a thread: its waits for the disk hold up nobody's loop.
internal import CSQLite
internal import Synchronization

/// One passive checkpoint, over a connection of its own that lives as long as it does.
final class LogPass: Sendable {
    /// Frames in the log when it looked, and how many of them are in the file by now.
    struct Count: Equatable, Sendable {
        var inLog: Int32 = 0, copied: Int32 = 0
    }

    private let ended: Ended
    private let thread: SystemThread
    private let isJoined = Atomic<Bool>(false)

    private final class Ended: Sendable {
        let result = Mutex<Result<Count, DatabaseError>?>(nil)
    }

    /// Begins at once; nil when there is no thread for it. The database must be in WAL mode, and its owner must not run a checkpoint of its own
    /// before the end.
    init?(path: String) {
        let ended = Ended()
        let thread = SystemThread.attempt(name: "log") {
            let result = Result<Count, DatabaseError> { () throws(DatabaseError) in try LogPass.run(path) }
            ended.result.withLock { $0 = result }
        }
        guard let thread else { return nil }
        self.ended = ended
        self.thread = thread
    }

    deinit { wait() }

    /// Nil while it runs.
    var end: Result<Count, DatabaseError>? { ended.result.withLock { $0 } }

    /// Until it has ended and let go of the file.
    func wait() { if !isJoined.exchange(true, ordering: .relaxed) { thread.join() } }

    private static func run(_ path: String) throws(DatabaseError) -> Count {
        var connection: OpaquePointer?
        let opened = sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard let connection else { throw .cannotOpen("SQLite found no memory to open \(path)") }
        // The owner's connection is open too, so that closing this one copies nothing.
        defer { sqlite3_close(connection) }
        guard opened == SQLITE_OK else { throw Statement.error(opened, connection, "open \(path)") }
        // The query opens the log; a connection that has read nothing yet has none to copy.
        for text in ["PRAGMA synchronous=FULL", "SELECT 1 FROM sqlite_schema LIMIT 1"] {
            let code = sqlite3_exec(connection, text, nil, nil, nil)
            guard code == SQLITE_OK else { throw Statement.error(code, connection, text) }
        }
        var count = Count()
        let code = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, &count.inLog, &count.copied)
        guard code == SQLITE_OK else { throw Statement.error(code, connection, "PASSIVE checkpoint") }
        return count
    }
}

/// Pass after pass: while the first one copies, commits lengthen the log, and it begins anew only once all of it is in the file.
struct LogCopying {
    private var pass: LogPass
    private var passes = 1
    /// What the pass before had copied.
    private var copied: Int32 = -1

    /// What is left for the owner to copy itself: a megabyte of pages, and the sync after it.
    private static let restFramesMax: Int32 = 256
    /// Each pass finds a fraction of what the one before found, unless the disk is slower than the commits.
    private static let passesMax = 8

    /// No pass follows the present one, and the owner copies nothing: there is no room for it.
    private var isLast = false

    /// Nil when there is no thread for it: the owner copies then.
    init?(path: String) {
        guard let pass = LogPass(path: path) else { return nil }
        self.pass = pass
    }

    mutating func endWithThisPass() { isLast = true }

    enum Step: Equatable {
        case running
        /// All of it is in the file; `isWhole` when nothing was committed since.
        case done(isWhole: Bool)
        /// The rest is short, or does not get shorter: the owner copies it.
        case rest
        /// A reader keeps the log: it is asked again later.
        case held
    }

    /// - Parameter frames: in the log as of the owner's last commit.
    mutating func step(frames: Int32, path: String) throws(DatabaseError) -> Step {
        guard let end = pass.end else { return .running }
        pass.wait()
        let count: LogPass.Count
        do throws(DatabaseError) { count = try end.get() } catch {
            if error.isBusy { return .held }
            throw error
        }
        // A commit after the end of a complete pass has begun the log anew.
        guard frames > count.copied else { return .done(isWhole: frames == count.copied) }
        if isLast { return .held }
        // A commit that was just ending looks like a reader once; a reader stays.
        if count.copied < count.inLog, count.copied <= copied { return .held }
        guard frames - count.copied > LogCopying.restFramesMax, passes < LogCopying.passesMax, let next = LogPass(path: path) else { return .rest }
        passes += 1
        copied = count.copied
        pass = next
        return .running
    }

    func wait() { pass.wait() }
}
