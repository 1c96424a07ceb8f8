// One prepared statement, the values bound to it, and the row it stands on.
internal import CSQLite
internal import Glibc

/// A value bound to a parameter.
package enum Bound: Equatable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
    case integer(Int64)
    case text(String)
    /// Text given as the UTF-8 bytes to store, byte for byte.
    case utf8([UInt8])
    case blob([UInt8])
    case null

    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(stringLiteral value: String) { self = .text(value) }
    package init(nilLiteral: ()) { self = .null }
    /// `.blob`, or `.null` for nil.
    package init(_ bytes: [UInt8]?) { if let bytes { self = .blob(bytes) } else { self = .null } }
}

/// The row a query stands on; lent for the length of a closure. Columns count from 0.
package struct Row: ~Copyable {
    private let statement: OpaquePointer
    fileprivate init(_ statement: OpaquePointer) { self.statement = statement }

    /// 0 for NULL.
    package func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    /// The empty string for NULL.
    package func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }
    /// The bytes of a blob, or of a text as it is stored; empty for NULL.
    package func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }
    /// The same; when they are equal to some that are there already, those.
    func bytes(_ column: Int32, sharing known: [UInt8]?) -> [UInt8] {
        guard let known, let start = sqlite3_column_blob(statement, column), Int(sqlite3_column_bytes(statement, column)) == known.count,
            known.withUnsafeBytes({ $0.baseAddress.map { memcmp($0, start, known.count) == 0 } ?? false })
        else { return bytes(column) }
        return known
    }
    /// Whether the column is NULL.
    package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }
    /// The bytes, or nil for NULL.
    package func optionalBytes(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : bytes(column) }
    /// The number of bytes `bytes(_:)` would give, without copying them.
    package func byteCount(_ column: Int32) -> Int { Int(sqlite3_column_bytes(statement, column)) }
}

/// A prepared statement; owned by its `Database`, never seen outside this folder.
final class Statement {
    private let pointer: OpaquePointer
    private let connection: OpaquePointer
    let sql: String
    /// True between the first step and the reset: a nested use of the same SQL must take another statement.
    private(set) var isRunning = false

    init(_ sql: String, on connection: OpaquePointer) throws(DatabaseError) {
        var pointer: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, nil)
        guard code == SQLITE_OK else { throw Statement.error(code, connection, sql) }
        guard let pointer else { throw .refused("there is no statement in “\(sql)”") }
        self.pointer = pointer
        self.connection = connection
        self.sql = sql
    }

    deinit { sqlite3_finalize(pointer) }

    /// Steps a statement without rows to its end, with what `bind` has set, and resets it; the values stay for the next to replace.
    func execute() throws(DatabaseError) {
        isRunning = true
        defer {
            sqlite3_reset(pointer)
            isRunning = false
        }
        let code = sqlite3_step(pointer)
        guard code == SQLITE_DONE else { throw Statement.error(code, connection, sql) }
    }

    /// Binds, steps to the end and resets, whatever happens. `onRow` answers whether it wants another row.
    func run(_ values: [Bound], _ onRow: (borrowing Row) throws(DatabaseError) -> Bool) throws(DatabaseError) {
        isRunning = true
        defer {
            // Reset repeats the error of the step before it, which has been thrown already.
            sqlite3_reset(pointer)
            sqlite3_clear_bindings(pointer)
            isRunning = false
        }
        precondition(values.count == Int(sqlite3_bind_parameter_count(pointer)), "\(values.count) values for “\(sql)”")
        for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
        while true {
            let code = sqlite3_step(pointer)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw Statement.error(code, connection, sql) }
            guard try onRow(Row(pointer)) else { return }
        }
    }

    /// Sets the parameter number `index`, counted from 1.
    func bind(_ value: Bound, at index: Int32) throws(DatabaseError) {
        // SQLITE_TRANSIENT, a cast macro Swift does not import: SQLite copies the bytes during the call.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let code =
            switch value {
            case .integer(let number): sqlite3_bind_int64(pointer, index, number)
            case .null: sqlite3_bind_null(pointer, index)
            // A nil pointer would bind NULL, and no bytes are not NULL.
            case .text(let text) where text.isEmpty: sqlite3_bind_text64(pointer, index, "", 0, copied, UInt8(SQLITE_UTF8))
            case .utf8(let bytes) where bytes.isEmpty: sqlite3_bind_text64(pointer, index, "", 0, copied, UInt8(SQLITE_UTF8))
            case .blob(let bytes) where bytes.isEmpty: sqlite3_bind_zeroblob(pointer, index, 0)
            case .text(var text): text.withUTF8 { bindText($0, at: index) }
            case .utf8(let bytes): bytes.withUnsafeBufferPointer { bindText($0, at: index) }
            case .blob(let bytes): sqlite3_bind_blob64(pointer, index, bytes, UInt64(bytes.count), copied)
            }
        guard code == SQLITE_OK else { throw Statement.error(code, connection, sql) }
    }

    /// Sets a blob that stays the caller's: it must live until the statement has run, and be replaced or forgotten before it runs again.
    func bind(lent bytes: UnsafeBufferPointer<UInt8>, at index: Int32) throws(DatabaseError) {
        let code =
            bytes.isEmpty
            ? sqlite3_bind_zeroblob(pointer, index, 0)
            : sqlite3_bind_blob64(pointer, index, bytes.baseAddress, UInt64(bytes.count), nil)
        guard code == SQLITE_OK else { throw Statement.error(code, connection, sql) }
    }

    /// The same for UTF-8 text.
    func bind(lentText bytes: UnsafeBufferPointer<UInt8>, at index: Int32) throws(DatabaseError) {
        guard !bytes.isEmpty else { return try bind(.text(""), at: index) }
        let code = bytes.withMemoryRebound(to: CChar.self) {
            sqlite3_bind_text64(pointer, index, $0.baseAddress, UInt64($0.count), nil, UInt8(SQLITE_UTF8))
        }
        guard code == SQLITE_OK else { throw Statement.error(code, connection, sql) }
    }

    /// Lets go of every value.
    func forgetValues() { sqlite3_clear_bindings(pointer) }

    private func bindText(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int32) -> Int32 {
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        return bytes.withMemoryRebound(to: CChar.self) {
            sqlite3_bind_text64(pointer, index, $0.baseAddress, UInt64($0.count), copied, UInt8(SQLITE_UTF8))
        }
    }

    static func error(_ code: Int32, _ connection: OpaquePointer, _ sql: String?) -> DatabaseError {
        // The connection knows the extended code and the words; a misuse found before it was reached does not get there.
        let extended = sqlite3_extended_errcode(connection)
        let text = sqlite3_errmsg(connection).map { String(cString: $0) } ?? ""
        return DatabaseError(extendedCode: extended & 0xFF == code & 0xFF ? extended : code, message: text, sql: sql)
    }
}
