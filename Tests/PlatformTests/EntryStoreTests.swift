// The table of entries on the real disk: what is written is read, in order, for ever, and nothing can be changed.
import Foundation
import Platform
import Testing
import Wire

@Suite struct EntryStoreTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func open(_ access: Database.Options.Access = .create) throws -> EntryStore {
        try EntryStore(path: folder.file("ledger.db"), .init(access))
    }

    /// Rows 1...count with a made-up chain: only the table is under test here.
    private func rows(_ range: ClosedRange<UInt64>, ref: (UInt64) -> [UInt8]? = { _ in nil }) -> [EntryRow] {
        range.map { seq in
            EntryRow(
                seq: seq, epoch: 1, boot: .max >> 1, wall: -5, mono: Int64(seq), hlc: .max, kind: .max, kver: 2, flags: 5, ref: ref(seq),
                body: Array("{\"n\":\(seq)}".utf8), prev: seq == 1 ? LogHead.empty.hash : hash(seq - 1), hash: hash(seq))
        }
    }
    private func hash(_ seq: UInt64) -> [UInt8] { (0..<32).map { UInt8(truncatingIfNeeded: seq &* 31 &+ UInt64($0)) } }

    @Test func rowsComeBackAsTheyWent() throws {
        let written = rows(1...5) { $0 == 3 ? [] : $0 == 4 ? [1, 2] : nil }
        do {
            let store = try open()
            #expect(store.head == .empty)
            try store.append(Array(written[..<2]))
            try store.append(Array(written[2...]))
            #expect(store.head == LogHead(seq: 5, hash: hash(5)))
        }
        let again = try open()
        #expect(again.head == LogHead(seq: 5, hash: hash(5)))
        #expect(try again.read(from: 1, limit: 100) == written)
        #expect(try again.read(from: 4, limit: 100) == Array(written[3...]))
        #expect(try again.read(from: 6, limit: 100).isEmpty)
        #expect(try again.read(from: 2, limit: 2).map(\.seq) == [2, 3])
        #expect(try again.count() == 5)
    }

    /// Whoever reads beside the owner may wait for a person at a pager: meanwhile the log is used again, and nothing that comes is missed.
    @Test func aReaderHoldsNothingWhileItVisits() throws {
        let store = try open()
        try store.append(rows(1...3_000))
        let reader = try open(.readOnly)
        var walked: [UInt64] = []
        try reader.each { row in
            walked.append(row.seq)
            if row.seq == 20 {
                do throws(StoreError) {
                    try store.append(rows(3_001...3_010))
                    try store.checkpoint()
                } catch { Issue.record("\(error)") }
                #expect(store.logBytes == 0, "the reader keeps the log")
            }
            return true
        }
        #expect(walked == Array(1...3_010))
        #expect(try reader.read(from: 17, limit: 1).map(\.seq) == [17] && reader.read(from: 1_000, limit: 2_500).count == 2_011)
    }

    /// The files as a kill leaves them, under a name that is a link: the system's VFS writes the log over itself piece by piece.
    @Test func aLogThatAKilledRunLeftIsReadWhole() throws {
        let store = try open()
        for step in UInt64(0)..<40 { try store.append(rows((step * 50 + 1)...(step * 50 + 50)) { [UInt8($0 % 251)] }) }
        while store.prepareLog() {}
        #expect(store.logBytes > 300 << 10)
        for end in ["", "-wal"] { try FileManager.default.copyItem(atPath: folder.file("ledger.db\(end)"), toPath: folder.file("killed.db\(end)")) }
        let log = try Data(contentsOf: URL(fileURLWithPath: folder.file("killed.db-wal")))
        try FileManager.default.createSymbolicLink(atPath: folder.file("link.db"), withDestinationPath: folder.file("killed.db"))
        let again = try EntryStore(path: folder.file("link.db"), .init(.readWrite))
        #expect(again.head == store.head)
        #expect(try again.read(from: 1, limit: .max) == rows(1...2_000) { [UInt8($0 % 251)] })
        #expect(try again.structuralDamage(limit: 1).isEmpty)
        // Byte for byte up to what the opening itself committed behind it.
        let now = try Data(contentsOf: URL(fileURLWithPath: folder.file("killed.db-wal")))
        #expect(now.prefix(store.logBytes) == log.prefix(store.logBytes))
    }

    @Test func aReadStaysInItsByteBudgetButAlwaysMovesOn() throws {
        let store = try open()
        let written = rows(1...10)
        try store.append(written)
        let one = written[0].byteCount
        #expect(try store.read(from: 1, limit: 10, maxBytes: one * 3).count == 3)
        #expect(try store.read(from: 1, limit: 10, maxBytes: 1).map(\.seq) == [1])
    }

    @Test func whatDoesNotFollowTheHeadIsNotWritten() throws {
        let store = try open()
        try store.append(rows(1...3))
        let head = store.head
        var gap = rows(5...5)
        #expect(throws: StoreError.notNext(head: head, offered: LogHead(seq: 5, hash: gap[0].prev))) { try store.append(gap) }
        gap = rows(4...4)
        gap[0].prev = hash(2)
        #expect(throws: StoreError.notNext(head: head, offered: LogHead(seq: 4, hash: hash(2)))) { try store.append(gap) }
        #expect(throws: StoreError.self) { try store.append(self.rows(3...4)) }
        #expect(store.failure == nil)
        try store.append(rows(4...4))
        #expect(try store.count() == 4)
    }

    @Test(arguments: [
        "UPDATE entry SET body = '{}' WHERE seq = 2", "DELETE FROM entry WHERE seq = 2", "DELETE FROM entry",
        "REPLACE INTO entry SELECT seq, 9, boot, wall, mono, hlc, kind, kver, flags, ref, body, prev, hash FROM entry WHERE seq = 2",
    ])
    func noStatementChangesAnEntry(sql: String) throws {
        let written = rows(1...3)
        do { try open().append(written) }
        do {
            let anybody = try Database(path: folder.file("ledger.db"), .init(.readWrite))
            let error = #expect(throws: DatabaseError.self) { try anybody.run(sql) }
            #expect(error?.message.contains("never") == true)
        }
        #expect(try open().read(from: 1, limit: 10) == written)
    }

    @Test func entriesAreFoundByTheirSubject() throws {
        let store = try open()
        try store.append(rows(1...100) { [[1], [2], nil][Int($0 % 3)] })
        #expect(try store.entries(ref: [1], limit: 1_000).map(\.seq) == (1...100).filter { $0 % 3 == 0 })
        #expect(try store.entries(ref: [2], limit: 2).map(\.seq) == [1, 4])
        #expect(try store.entries(ref: [3], limit: 2).isEmpty)
    }

    @Test func theSubjectIndexCanFollowLater() throws {
        let store = try open()
        try store.append(rows(1...10) { [UInt8($0 % 2)] })
        for step in [4, 6, 0] {
            // Wherever the index stands, a subject's entries are found, each once.
            #expect(try store.entries(ref: [1], limit: 10).map(\.seq) == [1, 3, 5, 7, 9])
            #expect(try store.entries(ref: [1], limit: 4).map(\.seq) == [1, 3, 5, 7])
            #expect(try store.indexSubjects(limit: step == 4 ? 4 : 100) == step)
        }
        #expect(store.subjectsBehind == 0)
        let index = try Database(path: folder.file("ledger.db"), .init(.readOnly))
        #expect(try index.rows("SELECT seq FROM subject WHERE ref = ? ORDER BY seq", .blob([1])) { $0.integer(0) } == [1, 3, 5, 7, 9])
        try store.append(rows(11...11) { _ in [1] })
        #expect(store.subjectsBehind == 1)
        #expect(try open(.readOnly).entries(ref: [1], limit: 10).map(\.seq) == [1, 3, 5, 7, 9, 11], "a reader looks on from where the index stops")
        #expect(try store.indexSubjects(limit: 100) == 1)
    }

    @Test func metaKeysAreKeptAndCommittedWithTheirRows() throws {
        do {
            let store = try open()
            #expect(try store.meta("edge_id") == nil)
            try store.setMeta("edge_id", "00ff")
            try store.append(rows(1...1), meta: ["acked": "1", "edge_id": "00fe"])
        }
        let again = try open()
        #expect(try again.meta("edge_id") == "00fe")
        #expect(try again.meta("acked") == "1")
    }

    @Test func aReaderSeesWhatTheWriterAdds() throws {
        let writer = try open()
        try writer.append(rows(1...1))
        let reader = try open(.readOnly)
        #expect(reader.head.seq == 1)
        try writer.append(rows(2...3))
        try reader.refreshHead()
        #expect(reader.head == writer.head)
        #expect(throws: StoreError.self) { try reader.append(self.rows(4...4)) }
        #expect(try writer.count() == 3)
    }

    @Test func aPreparedLogHoldsTheSameEntries() throws {
        let size = { (name: String) in try #require(try FileManager.default.attributesOfItem(atPath: name)[.size] as? Int) }
        let log = folder.file("ledger.db-wal")
        let written: [EntryRow]
        do {
            let store = try open()
            try store.append(rows(1...3))
            let before = try size(log)
            var pieces = 0
            while store.prepareLog() { pieces += 1 }
            let prepared = try size(log)
            #expect(pieces > 1 && before < 1 << 20 && prepared > 8 << 20 && prepared < 10 << 20)
            try store.append(rows(4...500))
            written = try store.read(from: 1, limit: 1_000)
            let after = try size(log)
            #expect(written.map(\.seq) == Array(1...500) && after == prepared)
            #expect(store.logBytes < 1 << 20, "zeros are no log")
            // As a power cut leaves them: the log with its zeros behind the last frame.
            for name in ["ledger.db", "ledger.db-wal"] {
                try FileManager.default.copyItem(atPath: folder.file(name), toPath: folder.file("cut-" + name))
            }
        }
        let cut = try EntryStore(path: folder.file("cut-ledger.db"), .init(.create))
        #expect(try cut.read(from: 1, limit: 1_000) == written)
        #expect(try open().read(from: 1, limit: 1_000) == written)
    }

    @Test func aForeignOrNewerFileIsRefused() throws {
        do { try Database(path: folder.file("ledger.db"), .init(.create)).run("CREATE TABLE other(a)") }
        #expect(throws: StoreError.schema(found: 0, expected: 3)) { try self.open() }
        // Another program's own layout 1 is left alone.
        do { try Database(path: folder.file("ledger.db"), .init(.readWrite)).run("PRAGMA user_version=1") }
        #expect(throws: StoreError.schema(found: 1, expected: 3)) { try self.open() }
        do { try Database(path: folder.file("ledger.db"), .init(.readWrite)).run("PRAGMA user_version=4") }
        for access in [Database.Options.Access.create, .readWrite, .readOnly] {
            #expect(throws: StoreError.schema(found: 4, expected: 3)) { try self.open(access) }
        }
        #expect(StoreError.schema(found: 4, expected: 3).description.contains("newer release"))
    }

    // MARK: The posting table

    private func row(_ seq: UInt64, _ body: String) -> EntryRow {
        EntryRow(
            seq: seq, epoch: 1, boot: 1, wall: 0, mono: 0, hlc: Int64(seq), kind: 21, kver: 2, flags: 0, ref: nil, body: Array(body.utf8),
            prev: seq == 1 ? LogHead.empty.hash : hash(seq - 1), hash: hash(seq))
    }

    /// The table follows in pieces, across restarts, and holds the lines of the bodies, the last unit included. What is no line is left out.
    @Test func postingsFollowTheBodies() throws {
        let line = #"{"account":"cash:DU1","amount":9223372036854775807,"asset":"USD"}"#
        let other = #"{"account":"fee:DU1","amount":-5,"asset":"USD"}"#
        let written = [
            row(1, #"{"postings":[\#(line),\#(other)]}"#), row(2, #"{"a":1}"#), row(3, "no JSON \"postings\":[{"),
            row(4, #"{"postings":[{"account":"x","amount":1e99,"asset":"USD"},{"amount":5},\#(other)]}"#), row(5, #"{"postings":[]}"#),
            row(6, #"{"postings":[\#(other)],"text":"\"postings\":[{"}"#),
        ]
        do {
            let store = try open()
            try store.append(written)
            #expect(try store.indexSubjects(limit: 4) == 4 && store.postedThrough() == 4)
        }
        let store = try open()
        #expect(try store.indexSubjects(limit: 100) == 2 && store.subjectsBehind == 0)
        let fee = PostingRow(line: 1, account: "fee:DU1", asset: "USD", amount: -5)
        #expect(try store.postings(of: 1) == [PostingRow(line: 0, account: "cash:DU1", asset: "USD", amount: .max), fee])
        #expect(try store.postings(of: 4) == [PostingRow(line: 2, account: "fee:DU1", asset: "USD", amount: -5)])
        #expect(try store.postings(of: 6) == [PostingRow(line: 0, account: "fee:DU1", asset: "USD", amount: -5)])
        #expect(try store.postingCount(through: 6) == 4 && store.postingCount(through: 1) == 2)
        try store.forgetFollowers()
        #expect(try store.subjectsBehind == 6 && store.postingCount(through: 6) == 0)
        #expect(try store.indexSubjects(limit: 100) == 6 && store.postingCount(through: 6) == 4)
        #expect(try store.read(from: 1, limit: 10) == written)
    }
}
