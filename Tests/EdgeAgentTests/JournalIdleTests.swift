// When the journal copies its write-ahead log, over a store that only counts.
import EdgeAgent
import Ledger
import Platform
import Testing
import Values
import Wire

/// A store in memory whose log grows by a fixed step per commit.
private final class CountingStore: JournalStore {
    var rows: [EntryRow] = []
    var texts: [String: String] = [:]
    var logBytes = 0
    var step = 0
    var checkpoints = 0
    var answer: StoreError?
    var head: LogHead { rows.last.map { LogHead(seq: $0.seq, hash: $0.hash) } ?? .empty }
    func append(_ more: [EntryRow], meta: KeyValuePairs<String, String>) throws(StoreError) {
        rows += more
        logBytes += step
    }
    func read(from seq: UInt64, limit: Int, maxBytes: Int) throws(StoreError) -> [EntryRow] { Array(rows.filter { $0.seq >= seq }.prefix(limit)) }
    func each(from seq: UInt64, visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) {
        do throws(DatabaseError) { for row in rows where row.seq >= seq { guard try visit(row) else { return } } } catch { throw .database(error) }
    }
    func entries(ref: [UInt8], limit: Int) throws(StoreError) -> [EntryRow] { Array(rows.filter { $0.ref == ref }.prefix(limit)) }
    func meta(_ key: String) throws(StoreError) -> String? { texts[key] }
    func setMeta(_ key: String, _ text: String) throws(StoreError) { texts[key] = text }
    func cut(after seq: UInt64, meta: KeyValuePairs<String, String>) throws(StoreError) {
        rows.removeAll { $0.seq > seq }
        for (key, text) in meta { texts[key] = text }
    }
    let anchor = LogHead.empty
    func compactStep(through limit: UInt64, olderThan wall: Int64, isSound: (EntryRow) -> Bool) throws(StoreError) -> CompactionStep { .nothing }
    func prepareLog() -> Bool { false }
    func leaveLog() {}
    func storedRows(from: UInt64, through: UInt64) throws(StoreError) -> [EntryRow?] { (from...through).map { seq in rows.first { $0.seq == seq } } }
    func mend(_ row: EntryRow, note: String) throws(StoreError) {
        for index in rows.indices where rows[index].seq == row.seq { rows[index] = row }
    }
    var indexed = 0
    var subjectsBehind: Int { rows.count - indexed }
    func indexSubjects(limit: Int) throws(StoreError) -> Int {
        if let answer { throw answer }
        let count = min(limit, subjectsBehind)
        indexed += count
        return count
    }
    func checkpoint() throws(StoreError) {
        checkpoints += 1
        if let answer { throw answer }
        logBytes = 0
    }
}

@Suite struct JournalIdleTests {
    private let store = CountingStore()
    private let start = Instant(seconds: 100)

    private func journal(step: Int) throws -> Journal {
        let journal = try Journal(store: store, edge: LedgerWriter.edge)
        store.step = step
        var writer = LedgerWriter(boot: 1, after: nil)
        _ = try journal.commit([try writer.entry(LedgerWriter.bootFact)])
        return journal
    }

    @Test func aSmallLogIsLeftAlone() throws {
        let journal = try journal(step: Journal.logBytesWorthCopying)
        for millis in [0, 50, 5_000] { try journal.idle(at: start + .milliseconds(Int64(millis))) }
        #expect(store.checkpoints == 0)
    }

    @Test func aLargeLogIsCopiedOnceTheLoopHasBeenIdle() throws {
        let journal = try journal(step: Journal.logBytesWorthCopying + 1)
        try journal.idle(at: start)
        try journal.idle(at: start + .milliseconds(49))
        #expect(store.checkpoints == 0)
        try journal.idle(at: start + .milliseconds(50))
        try journal.idle(at: start + .milliseconds(60))
        #expect(store.checkpoints == 1)
    }

    @Test func aCommitBeginsTheIdleTimeAgain() throws {
        let journal = try journal(step: Journal.logBytesWorthCopying + 1)
        try journal.idle(at: start)
        var writer = LedgerWriter(boot: 2, after: journal.last)
        _ = try journal.commit([try writer.entry(LedgerWriter.bootFact)])
        try journal.idle(at: start + .milliseconds(60))
        #expect(store.checkpoints == 0)
        try journal.idle(at: start + .milliseconds(110))
        #expect(store.checkpoints == 1)
    }

    @Test func theSubjectIndexFollowsInPieces() throws {
        let journal = try journal(step: 0)
        var writer = LedgerWriter(boot: 2, after: journal.last)
        _ = try journal.commit(try (1..<Journal.subjectsWorthIndexing).map { _ in try writer.entry(LedgerWriter.bootFact) })
        try journal.idle(at: start)
        #expect(store.indexed == 0, "the loop is idle from now on")
        try journal.idle(at: start)
        #expect(store.indexed == Journal.subjectsWorthIndexing)
        _ = try journal.commit([try writer.entry(LedgerWriter.bootFact)])
        for millis in [0, 1, 5_000] { try journal.idle(at: start + .milliseconds(Int64(millis))) }
        #expect(store.subjectsBehind == 1, "a handful is not worth a commit")
    }

    @Test func aHugeLogIsCopiedByTheCommitItself() throws {
        _ = try journal(step: Journal.logBytesMax)
        #expect(store.checkpoints == 1)
    }

    @Test func aFullDiskPostponesAndADeadDiskThrows() throws {
        let journal = try journal(step: Journal.logBytesWorthCopying + 1)
        try journal.idle(at: start)
        store.answer = .database(DatabaseError(extendedCode: 13, message: "full"))
        try journal.idle(at: start + .seconds(1))
        try journal.idle(at: start + .seconds(2))
        #expect(store.checkpoints == 1)
        let dead = StoreError.failed(DatabaseError(extendedCode: 10, message: "dead"))
        store.answer = dead
        #expect(throws: JournalError.store(dead)) { try journal.idle(at: self.start + .seconds(12)) }
        #expect(store.checkpoints == 2)
    }
}
