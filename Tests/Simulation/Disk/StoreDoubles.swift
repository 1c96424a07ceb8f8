// What stands before a real store in a test: everything is passed on, and a double says only where it differs.
package import CloudNode
package import EdgeAgent
package import Platform
package import Wire

/// A journal's store that passes everything on to the real one behind it.
package protocol ForwardingStore: JournalStore {
    /// The one that keeps the rows.
    var store: EntryStore { get }
}

extension ForwardingStore {
    package var head: LogHead { store.head }
    package func append(_ rows: [EntryRow], meta: KeyValuePairs<String, String>) throws(StoreError) { try store.append(rows, meta: meta) }
    package func read(from seq: UInt64, limit: Int, maxBytes: Int) throws(StoreError) -> [EntryRow] {
        try store.read(from: seq, limit: limit, maxBytes: maxBytes)
    }
    package func each(from seq: UInt64, visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) {
        try store.each(from: seq, visit: visit)
    }
    package func entries(ref: [UInt8], limit: Int) throws(StoreError) -> [EntryRow] { try store.entries(ref: ref, limit: limit) }
    package func meta(_ key: String) throws(StoreError) -> String? { try store.meta(key) }
    package func setMeta(_ key: String, _ text: String) throws(StoreError) { try store.setMeta(key, text) }
    package func prepareLog() -> Bool { store.prepareLog() }
    package var subjectsBehind: Int { store.subjectsBehind }
    package func indexSubjects(limit: Int) throws(StoreError) -> Int { try store.indexSubjects(limit: limit) }
    package func cut(after seq: UInt64, meta: KeyValuePairs<String, String>) throws(StoreError) { try store.cut(after: seq, meta: meta) }
    package var anchor: LogHead { store.anchor }
    package func compactStep(through limit: UInt64, olderThan wall: Int64, isSound: (EntryRow) -> Bool) throws(StoreError) -> CompactionStep {
        try store.compactStep(through: limit, olderThan: wall, isSound: isSound)
    }
    package var logBytes: Int { store.logBytes }
    package func checkpoint() throws(StoreError) { try store.checkpoint() }
    package func leaveLog() { store.leaveLog() }
    package func storedRows(from: UInt64, through: UInt64) throws(StoreError) -> [EntryRow?] { try store.storedRows(from: from, through: through) }
    package func mend(_ row: EntryRow, note: String) throws(StoreError) { try store.mend(row, note: note) }
}

/// A file of the cloud's that passes everything on to the real one behind it.
package protocol ForwardingLedgerFile: LedgerFile {
    /// The one that keeps the rows.
    var store: EntryStore { get }
}

extension ForwardingLedgerFile {
    package var head: LogHead { store.head }
    package func append(_ rows: [EntryRow]) throws(StoreError) { try store.append(rows) }
    package func append(_ rows: [EntryRow], over hole: LogHole) throws(StoreError) { try store.append(rows, over: hole) }
    package var holes: [LogHole] { store.holes }
    package func each(visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) { try store.each(visit: visit) }
    package func read(from seq: UInt64, limit: Int) throws(StoreError) -> [EntryRow] { try store.read(from: seq, limit: limit) }
    package func read(kinds: [UInt16], from: UInt64, below: UInt64, newestFirst: Bool, limit: Int) throws(StoreError) -> [EntryRow] {
        try store.read(kinds: kinds, from: from, below: below, newestFirst: newestFirst, limit: limit)
    }
    package func entries(ref: [UInt8], limit: Int) throws(StoreError) -> [EntryRow] { try store.entries(ref: ref, limit: limit) }
    package func indexSubjects(limit: Int) throws(StoreError) -> Int { try store.indexSubjects(limit: limit) }
    package var subjectsBehind: Int { store.subjectsBehind }
    package func cut(after seq: UInt64) throws(StoreError) { try store.cut(after: seq) }
    package var logBytes: Int { store.logBytes }
    package func checkpoint() throws(StoreError) { try store.checkpoint() }
    package func storedRows(from: UInt64, through: UInt64) throws(StoreError) -> [EntryRow?] { try store.storedRows(from: from, through: through) }
    package func mend(_ row: EntryRow, note: String) throws(StoreError) { try store.mend(row, note: note) }
}

/// A journal's store that answers before it has written: the rows of one commit reach the disk with the next.
package final class LyingStore: ForwardingStore {
    package let store: EntryStore
    private var held: [EntryRow] = []
    package init(_ store: EntryStore) { self.store = store }

    package var head: LogHead { held.last.map { LogHead(seq: $0.seq, hash: $0.hash) } ?? store.head }
    package func append(_ rows: [EntryRow], meta: KeyValuePairs<String, String>) throws(StoreError) {
        try store.append(held, meta: meta)
        held = rows
    }
    package func read(from seq: UInt64, limit: Int, maxBytes: Int) throws(StoreError) -> [EntryRow] {
        let written = try store.read(from: seq, limit: limit, maxBytes: maxBytes)
        return written.isEmpty ? Array(held.drop { $0.seq < seq }.prefix(limit)) : written
    }
    package func each(from seq: UInt64, visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) {
        var goesOn = true
        try store.each(from: seq) { row throws(DatabaseError) in
            goesOn = try visit(row)
            return goesOn
        }
        do throws(DatabaseError) {
            for row in held where goesOn && row.seq >= seq { goesOn = try visit(row) }
        } catch { throw .failed(error) }
    }
}

/// The same lie in the cloud.
final class LyingLedgerFile: ForwardingLedgerFile {
    let store: EntryStore
    private var held: [EntryRow] = []
    init(_ store: EntryStore) { self.store = store }

    var head: LogHead { held.last.map { LogHead(seq: $0.seq, hash: $0.hash) } ?? store.head }
    func append(_ rows: [EntryRow]) throws(StoreError) {
        try store.append(held)
        held = rows
    }
    func read(from seq: UInt64, limit: Int) throws(StoreError) -> [EntryRow] {
        Array((try store.read(from: seq, limit: limit) + held.drop { $0.seq < seq }).prefix(limit))
    }
}

/// A file of the cloud's that takes whatever comes and numbers it on, as a careless one would.
final class RenumberingLedgerFile: ForwardingLedgerFile {
    let store: EntryStore
    init(_ store: EntryStore) { self.store = store }

    func append(_ rows: [EntryRow]) throws(StoreError) {
        var rows = rows
        var head = store.head
        for index in rows.indices {
            rows[index].seq = head.seq + 1
            rows[index].prev = head.hash
            head = LogHead(seq: rows[index].seq, hash: rows[index].hash)
        }
        try store.append(rows)
    }
}

/// A journal's store that moves old rows whether anybody else has them or not.
final class EagerStore: ForwardingStore {
    let store: EntryStore
    init(_ store: EntryStore) { self.store = store }
    func compactStep(through limit: UInt64, olderThan wall: Int64, isSound: (EntryRow) -> Bool) throws(StoreError) -> CompactionStep {
        try store.compactStep(through: .max, olderThan: .max, isSound: isSound)
    }
}

/// A journal's store that says it has put right bytes in place, and has not.
final class MendlessStore: ForwardingStore {
    let store: EntryStore
    init(_ store: EntryStore) { self.store = store }
    func mend(_ row: EntryRow, note: String) throws(StoreError) {}
}

/// The same in the cloud.
final class MendlessLedgerFile: ForwardingLedgerFile {
    let store: EntryStore
    init(_ store: EntryStore) { self.store = store }
    func mend(_ row: EntryRow, note: String) throws(StoreError) {}
}
