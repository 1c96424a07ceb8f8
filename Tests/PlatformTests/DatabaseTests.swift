// The SQLite wrapper on the real disk: settings, values, transactions, errors, locks.
import Foundation
import Platform
import Testing

@Suite struct DatabaseTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func open(_ access: Database.Options.Access = .create) throws -> Database { try Database(path: folder.file("a.db"), .init(access)) }

    @Test(arguments: [
        ("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("trusted_schema", "0"), ("cell_size_check", "1"),
        ("mmap_size", "0"), ("page_size", "4096"), ("busy_timeout", "0"), ("wal_autocheckpoint", "0"), ("secure_delete", "0"),
    ])
    func everySettingIsInForce(name: String, value: String) throws {
        let found = try open().first("PRAGMA \(name)") { $0.text(0) }
        #expect(found == value)
    }

    @Test func aSettingThatDoesNotTakeIsAnError() throws {
        do {
            let foreign = try open()
            try foreign.run("PRAGMA journal_mode=DELETE")
        }
        // A reader cannot switch the mode back, so it must refuse a file that lost it.
        let error = #expect(throws: DatabaseError.self) { try self.open(.readOnly) }
        #expect(error?.message.contains("journal_mode") == true)
        #expect(error?.message.contains("delete") == true)
    }

    @Test func valuesComeBackAsTheyWent() throws {
        let db = try open()
        try db.run("CREATE TABLE t(a, b, c, d, e, f)")
        let allBytes = [UInt8](0...255)
        try db.run("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", .integer(.min), "naïve 🌊", .blob(allBytes), nil, .blob([]), "")
        let read = try db.first("SELECT a, b, c, d, e, f, typeof(e), typeof(f) FROM t") { row in
            (row.integer(0), row.text(1), row.bytes(2), row.isNull(3), row.isNull(4), row.isNull(5), row.text(6) + row.text(7))
        }
        let found = try #require(read)
        #expect(found.0 == .min)
        #expect(found.1 == "naïve 🌊")
        #expect(found.2 == allBytes)
        #expect(found.3)
        #expect(!found.4 && !found.5)
        #expect(found.6 == "blobtext")
    }

    @Test func utf8BytesAreStoredByteForByte() throws {
        let db = try open()
        try db.run("CREATE TABLE t(a TEXT) STRICT")
        let bytes = Array("{\"x\":\"e\u{301}\"}".utf8)
        try db.run("INSERT INTO t VALUES (?)", .utf8(bytes))
        let read = try db.first("SELECT a FROM t") { $0.bytes(0) }
        #expect(read == bytes)
    }

    @Test func aTransactionThatThrowsLeavesNothing() throws {
        struct Stop: Error {}
        let db = try open()
        try db.run("CREATE TABLE t(a)")
        #expect(throws: Stop.self) {
            try db.write { db in
                try db.run("INSERT INTO t VALUES (1)")
                throw Stop()
            }
        }
        #expect(!db.isInTransaction)
        try db.write { try $0.run("INSERT INTO t VALUES (2)") }
        let rows = try db.rows("SELECT a FROM t") { $0.integer(0) }
        #expect(rows == [2])
    }

    @Test func theSameStatementMayRunInsideItself() throws {
        let db = try open()
        try db.run("CREATE TABLE t(a)")
        for number in 1...3 { try db.run("INSERT INTO t VALUES (?)", .integer(Int64(number))) }
        var pairs: [Int64] = []
        let sql = "SELECT a FROM t ORDER BY a"
        try db.each(sql) { outer throws(DatabaseError) in
            let first = outer.integer(0)
            try db.each(sql) { inner in
                pairs.append(first * 10 + inner.integer(0))
                return true
            }
            return true
        }
        #expect(pairs == [11, 12, 13, 21, 22, 23, 31, 32, 33])
    }

    @Test func anErrorNamesTheStatementAndItsKind() throws {
        let db = try open()
        try db.run("CREATE TABLE t(a INTEGER PRIMARY KEY) STRICT")
        try db.run("INSERT INTO t VALUES (1)")
        let twice = #expect(throws: DatabaseError.self) { try db.run("INSERT INTO t VALUES (1)") }
        #expect(twice?.isConstraint == true)
        #expect(twice?.extendedCode == 1555)
        #expect(twice?.sql == "INSERT INTO t VALUES (1)")
        let reader = try open(.readOnly)
        let refused = #expect(throws: DatabaseError.self) { try reader.run("INSERT INTO t VALUES (2)") }
        #expect(refused?.isReadOnly == true)
        let missing = #expect(throws: DatabaseError.self) { try Database(path: self.folder.file("none.db"), .init(.readOnly)) }
        #expect(missing?.isMissing == true)
        try Data(repeating: 0x41, count: 8_192).write(to: URL(fileURLWithPath: folder.file("junk.db")))
        let junk = #expect(throws: DatabaseError.self) { try Database(path: self.folder.file("junk.db"), .init(.readWrite)) }
        #expect(junk?.isCorrupt == true)
    }

    @Test func aFullFileIsFullAndStaysUsable() throws {
        let db = try open()
        try db.run("CREATE TABLE t(a)")
        try db.run("PRAGMA max_page_count=8")
        let full = #expect(throws: DatabaseError.self) {
            for _ in 0..<100 { try db.write { try $0.run("INSERT INTO t VALUES (zeroblob(2000))") } }
        }
        #expect(full?.isFull == true)
        #expect(!db.isInTransaction)
        let kept = try db.first("SELECT count(*) FROM t") { $0.integer(0) }
        #expect((1..<100).contains(kept ?? 0))
    }

    @Test func oneOwnerAtATime() throws {
        do {
            let owner = try open()
            try owner.run("CREATE TABLE t(a)")
            let second = #expect(throws: DatabaseError.self) { try self.open(.readWrite) }
            #expect(second?.isBusy == true)
            #expect(second?.message.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
            _ = try open(.readOnly)
        }
        _ = try open(.readWrite)
    }

    @Test func theLogGrowsUntilACheckpointAndAReaderHoldsItBack() throws {
        let db = try open()
        try db.run("CREATE TABLE t(a)")
        #expect(db.logBytes > 0)
        #expect(try db.checkpoint())
        #expect(db.logBytes == 0)
        let reader = try open(.readOnly)
        try db.run("INSERT INTO t VALUES (1)")
        try reader.each("SELECT a FROM t") { row throws(DatabaseError) in
            try db.run("INSERT INTO t VALUES (zeroblob(100000))")
            let complete = try db.checkpoint()
            #expect(!complete)
            return false
        }
        #expect(db.logBytes > 100_000)
        #expect(try db.checkpoint())
    }
}
