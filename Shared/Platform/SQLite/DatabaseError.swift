// What SQLite (or the lock beside the database) answered when something did not work.
internal import CSQLite

/// One failed call: SQLite's result code, its words, and the SQL that was running.
package struct DatabaseError: Error, Equatable, Sendable, CustomStringConvertible {
    /// SQLite's primary result code, 1...28.
    package let code: Int32
    /// The extended code (say 1034, IOERR_FSYNC); equal to `code` when there is none.
    package let extendedCode: Int32
    /// A sentence for people.
    package let message: String
    /// The statement, when one was running.
    package let sql: String?

    /// From an extended code as SQLite gives it.
    package init(extendedCode: Int32, message: String, sql: String? = nil) {
        code = extendedCode & 0xFF
        self.extendedCode = extendedCode
        self.message = message
        self.sql = sql
    }

    /// The disk failed: what was written since the last good commit may or may not be there.
    package var isIO: Bool { code == SQLITE_IOERR }
    /// The disk (or the file's size limit) is full; everything committed earlier is intact.
    package var isFull: Bool { code == SQLITE_FULL }
    /// The file holds something SQLite (or a reader of its rows) cannot accept.
    package var isCorrupt: Bool { code == SQLITE_CORRUPT || code == SQLITE_NOTADB }
    /// Somebody else holds the database.
    package var isBusy: Bool { code == SQLITE_BUSY || code == SQLITE_LOCKED }
    /// A constraint or a trigger of the schema refused the change.
    package var isConstraint: Bool { code == SQLITE_CONSTRAINT }
    /// The file does not exist or may not be opened.
    package var isMissing: Bool { code == SQLITE_CANTOPEN }
    /// The connection was opened for reading only.
    package var isReadOnly: Bool { code == SQLITE_READONLY }

    /// A stored value that no writer of ours can have put there.
    package static func corrupt(_ message: String) -> DatabaseError { DatabaseError(extendedCode: SQLITE_CORRUPT, message: message) }
    /// Another process owns the database.
    package static func busy(_ message: String) -> DatabaseError { DatabaseError(extendedCode: SQLITE_BUSY, message: message) }
    /// SQLITE_IOERR_SHMSIZE: the index of a log has no room. At an opening that is a full disk: nothing was written yet.
    package var isShortOfIndex: Bool { extendedCode == 4_874 }
    /// No room, in words of our own.
    package static func full(_ message: String) -> DatabaseError { DatabaseError(extendedCode: SQLITE_FULL, message: message) }
    /// What `isFull` looks for.
    static var fullCode: Int32 { SQLITE_FULL }
    /// A setting did not take, or the file is not what was expected.
    package static func refused(_ message: String) -> DatabaseError { DatabaseError(extendedCode: SQLITE_ERROR, message: message) }
    /// A file beside the database cannot be used.
    package static func cannotOpen(_ message: String) -> DatabaseError { DatabaseError(extendedCode: SQLITE_CANTOPEN, message: message) }

    package var description: String {
        let place = sql.map { " in: \($0)" } ?? ""
        return "SQLite \(extendedCode): \(message)\(place)"
    }
}
