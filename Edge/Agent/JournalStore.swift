// Where the journal keeps its entries: the entry store on a disk, real or simulated.
package import Platform
package import Wire

/// What a journal needs of its disk. One owner, one thread.
package protocol JournalStore: AnyObject {
    /// The last row; `LogHead.empty` before the first.
    var head: LogHead { get }
    /// Durable on return. After `.failed` nothing more is taken in this process.
    func append(_ rows: [EntryRow], meta: KeyValuePairs<String, String>) throws(StoreError)
    /// Rows from `seq` on, at most `limit` or `maxBytes`, at least one when there is one.
    func read(from seq: UInt64, limit: Int, maxBytes: Int) throws(StoreError) -> [EntryRow]
    /// Each row from `seq` on, until `visit` answers false.
    func each(from seq: UInt64, visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError)
    /// Rows about one subject, oldest first.
    func entries(ref: [UInt8], limit: Int) throws(StoreError) -> [EntryRow]
    /// A named text kept beside the rows.
    func meta(_ key: String) throws(StoreError) -> String?
    /// Sets a named text, durably.
    func setMeta(_ key: String, _ text: String) throws(StoreError)
    /// Makes room for commits to come, a piece a call; false when there is nothing more to prepare.
    func prepareLog() -> Bool
    /// Rows that the subject index has yet to read.
    var subjectsBehind: Int { get }
    /// Lets it follow by at most `limit` rows; answers how many.
    func indexSubjects(limit: Int) throws(StoreError) -> Int
    /// Whether the index can be read; damage in it is none of the rows'.
    var followers: FollowerState { get }
    /// Takes the entries after this one out, durably; they are kept elsewhere.
    func cut(after seq: UInt64, meta: KeyValuePairs<String, String>) throws(StoreError)
    /// The rows of these numbers as the disk has them now, one for each; nil where none can be read.
    func storedRows(from: UInt64, through: UInt64) throws(StoreError) -> [EntryRow?]
    /// Puts a row back in the place of damaged bytes, with a note of it; the row is the one that the chain names.
    func mend(_ row: EntryRow, note: String) throws(StoreError)
    /// The last row that has moved out of the table into a file.
    var anchor: LogHead { get }
    /// Moves a piece of the next old rows into such a file: up to `limit`, older than `wall` (ns), each as `isSound` says.
    func compactStep(through limit: UInt64, olderThan wall: Int64, isSound: (EntryRow) -> Bool) throws(StoreError) -> CompactionStep
    /// Bytes written ahead that wait for a checkpoint.
    var logBytes: Int { get }
    /// Moves them into place as far as readers allow.
    func checkpoint() throws(StoreError)
    /// From now on they stay where they are, also when the store is closed.
    func leaveLog()
}

extension JournalStore {
    package var followers: FollowerState { .sound }
}

extension EntryStore: JournalStore {}
