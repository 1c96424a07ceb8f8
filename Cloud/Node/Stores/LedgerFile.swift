// What the node needs of the file of one edge's entries.
package import Platform
package import Wire

/// One edge's stored entries: the one in production is `EntryStore`; a test puts a liar in its place, to see that checkers notice. One owner.
package protocol LedgerFile: AnyObject {
    /// The last row; `LogHead.empty` before the first.
    var head: LogHead { get }
    /// Durable on return; the rows follow the head. A full disk is `.database`, and nothing was written.
    func append(_ rows: [EntryRow]) throws(StoreError)
    /// The same for rows behind a hole that begins at the head; both are written at once.
    func append(_ rows: [EntryRow], over hole: LogHole) throws(StoreError)
    /// Numbers that it has no rows for, in order.
    var holes: [LogHole] { get }
    /// Each row from the first on, until `visit` answers false.
    func each(visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError)
    /// Rows from `seq` on, in order, at most `limit`.
    func read(from seq: UInt64, limit: Int) throws(StoreError) -> [EntryRow]
    /// Rows of these kinds between two numbers, from either end, at most `limit`.
    func read(kinds: [UInt16], from: UInt64, below: UInt64, newestFirst: Bool, limit: Int) throws(StoreError) -> [EntryRow]
    /// Rows about one subject, oldest first, however far the index has followed.
    func entries(ref: [UInt8], limit: Int) throws(StoreError) -> [EntryRow]
    /// Lets the index of subjects follow by at most `limit` rows; 0 when it has caught up.
    func indexSubjects(limit: Int) throws(StoreError) -> Int
    /// Rows that the index has yet to read.
    var subjectsBehind: Int { get }
    /// Whether that index can be read; damage in it is none of the rows'.
    var followers: FollowerState { get }
    /// Why it takes and gives nothing any more in this process; nil for one that does.
    var failure: DatabaseError? { get }
    /// Takes the rows after this one out, durably; they are kept elsewhere.
    func cut(after seq: UInt64) throws(StoreError)
    /// The rows of these numbers as the disk has them now, one for each; nil where none can be read.
    func storedRows(from: UInt64, through: UInt64) throws(StoreError) -> [EntryRow?]
    /// Puts a row back in the place of damaged bytes, with a note of it; the row is the one that the chain names.
    func mend(_ row: EntryRow, note: String) throws(StoreError)
    /// Bytes written ahead that wait for a checkpoint.
    var logBytes: Int { get }
    /// Moves them into place as far as readers allow.
    func checkpoint() throws(StoreError)
}

extension LedgerFile {
    package var followers: FollowerState { .sound }
    package var failure: DatabaseError? { nil }
}

extension EntryStore: LedgerFile {
    package func cut(after seq: UInt64) throws(StoreError) { try cut(after: seq, meta: [:]) }
    package func append(_ rows: [EntryRow]) throws(StoreError) { try append(rows, meta: [:]) }
    package func each(visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) { try each(from: 1, visit: visit) }
    package func read(from seq: UInt64, limit: Int) throws(StoreError) -> [EntryRow] { try read(from: seq, limit: limit, maxBytes: .max) }
}
