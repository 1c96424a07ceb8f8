// A write-ahead log that is copied on a thread while its owner goes on committing.
import Foundation
import Platform
import Testing
import Values

@Suite struct LogPassTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func open() throws -> Database { try Database(path: folder.file("a.db"), .init(.create, copiesBehind: true)) }

    /// Some 10 MB of log.
    private func filled() throws -> Database {
        let db = try open()
        try db.run("CREATE TABLE t(a)")
        for _ in 0..<24 { try db.run("INSERT INTO t VALUES (zeroblob(400000))") }
        #expect(db.logBytes > 8 << 20)
        return db
    }

    /// Calls until the answer is yes; the thread has as long as a busy machine may need.
    private func until(_ isSo: () throws -> Bool) throws {
        let began = SystemClock.monotonic()
        while try isSo() == false {
            try #require(SystemClock.monotonic() - began < .seconds(120), "the log is not copied")
            sched_yield()
        }
    }

    @Test func aLongLogIsInTheFileWhileCommitsGoOn() throws {
        let db = try filled()
        #expect(try db.checkpoint() == false, "the first call only begins")
        var more = 0
        try until {
            try db.run("INSERT INTO t VALUES (?)", .integer(Int64(more)))
            more += 1
            return try db.checkpoint()
        }
        #expect(db.logBytes < 8 << 20)
        // The next commits begin the log anew: it does not grow for ever.
        try db.run("INSERT INTO t VALUES (0)")
        #expect(db.logBytes < 1 << 20)
        #expect(try db.first("SELECT count(*) FROM t") { $0.integer(0) } == Int64(25 + more))
    }

    @Test func nobodyCommitsAndItIsDone() throws {
        let db = try filled()
        try until { try db.checkpoint() }
        #expect(db.logBytes == 0)
    }

    @Test func aReaderHoldsItBackAndIsNotWaitedFor() throws {
        let db = try filled()
        let reader = try Database(path: folder.file("a.db"), .init(.readOnly))
        try reader.each("SELECT 1 FROM t") { row throws(DatabaseError) in
            try db.run("INSERT INTO t VALUES (1)")
            for _ in 0..<2_000 {
                let isWhole = try db.checkpoint()
                #expect(!isWhole)
                sched_yield()
            }
            return false
        }
        try until { try db.checkpoint() }
        #expect(db.logBytes == 0)
    }

    /// On a full disk what is copied takes the room that fills and closings need: no pass follows, and the owner copies nothing.
    @Test(arguments: [true, false]) func withoutRoomItGoesNoFurther(isFull: Bool) throws {
        let db = try filled()
        var isLeft = false
        for _ in 0..<20 where !isLeft {
            _ = try db.checkpoint()
            if isFull { db.endCopying() }
            try until {
                try db.run("INSERT INTO t VALUES (zeroblob(400000))")
                try db.goOnCopying()
                return !db.isCopying
            }
            isLeft = db.logBytes > 8 << 20
            if !isLeft { for _ in 0..<24 { try db.run("INSERT INTO t VALUES (zeroblob(400000))") } }
        }
        #expect(isLeft == isFull)
        try until { try db.checkpoint() }
        #expect(db.logBytes == 0, "with room again all of it is copied")
    }

    @Test func whoeverClosesWaitsForIt() throws {
        do {
            let db = try filled()
            #expect(try db.checkpoint() == false)
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("a.db-wal")), "the last to close copies what is left")
        let db = try open()
        #expect(try db.first("SELECT count(*) FROM t") { $0.integer(0) } == 24)
        #expect(try db.first("PRAGMA integrity_check") { $0.text(0) } == "ok")
    }

    @Test func aSimulatedOrReadOnlyFileHasNoThread() {
        #expect(
            !Database.Options(.create, vfs: "x", copiesBehind: true).copiesBehind && !Database.Options(.readOnly, copiesBehind: true).copiesBehind)
        #expect(Database.Options(.create, copiesBehind: true).copiesBehind)
    }
}
