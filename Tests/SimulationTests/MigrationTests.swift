// Files of the first schema brought forward: by whoever writes them, whatever cuts the power meanwhile, and without touching an entry.
import Platform
import Simulation
import Testing
import Values
import Wire

struct MigrationTests {
    /// Schema 1 as it was written, for ever.
    private static let first = """
        CREATE TABLE entry(
          seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, boot INTEGER NOT NULL, wall INTEGER NOT NULL, mono INTEGER NOT NULL,
          hlc INTEGER NOT NULL, kind INTEGER NOT NULL, kver INTEGER NOT NULL, flags INTEGER NOT NULL,
          ref BLOB, body TEXT NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
        CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
        CREATE TRIGGER entry_no_replace BEFORE INSERT ON entry WHEN EXISTS (SELECT 1 FROM entry WHERE seq = NEW.seq)
          BEGIN SELECT RAISE(ABORT, 'entries are never replaced'); END;
        CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT;
        CREATE TABLE subject(ref BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(ref, seq)) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 1;
        """

    /// A file of schema 1 with `count` entries, every third with lines, and a subject index that has followed half the way.
    private func old(_ disk: FaultyDisk, count: Int = 60) throws -> [EntryRow] {
        let database = try Database(path: "ledger.db", .init(.create, vfs: disk.name))
        var rows = MadeUpRows.next(count, after: .empty, mark: 3)
        let lines = #"{"postings":[{"account":"cash:DU1","amount":5,"asset":"USD"},{"account":"fee:DU1","amount":-5,"asset":"USD"}]}"#
        for place in rows.indices where place % 3 == 0 { rows[place].body = Array(lines.utf8) }
        let written = rows
        try database.write { _ in
            try database.script(Self.first)
            for row in written {
                try database.run(
                    "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", .integer(Int64(row.seq)), .integer(Int64(row.epoch)),
                    .integer(Int64(row.boot)), .integer(row.wall), .integer(row.mono), .integer(row.hlc), .integer(Int64(row.kind)),
                    .integer(Int64(row.kver)), .integer(Int64(row.flags)), Bound(row.ref), .utf8(row.body), .blob(row.prev), .blob(row.hash))
            }
            try database.run("INSERT INTO subject(ref, seq) SELECT ref, seq FROM entry WHERE seq <= 30 AND ref IS NOT NULL")
            try database.run("INSERT INTO meta VALUES ('subjects', '30')")
        }
        return written
    }

    /// Every column of every entry as SQLite keeps it.
    private func dump(_ disk: FaultyDisk) throws -> [String] {
        let database = try Database(path: "ledger.db", .init(.readOnly, vfs: disk.name))
        return try database.rows(
            """
            SELECT seq || '|' || epoch || '|' || boot || '|' || wall || '|' || mono || '|' || hlc || '|' || kind || '|' || kver || '|' || flags || \
            '|' || quote(ref) || '|' || typeof(body) || quote(body) || '|' || quote(prev) || '|' || quote(hash) FROM entry ORDER BY seq
            """
        ) { $0.text(0) }
    }

    @Test func aFileOfTheFirstSchemaIsBroughtForwardAndKeepsItsEntries() throws {
        let disk = FaultyDisk(seed: 1)
        let written = try old(disk)
        let before = try dump(disk)
        // Who only reads takes the old file as it is.
        let reader = try EntryStore(path: "ledger.db", .init(.readOnly, vfs: disk.name))
        #expect(try reader.read(from: 1, limit: .max) == written && reader.postedThrough() == 0)
        let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
        #expect(try dump(disk) == before && store.read(from: 1, limit: .max) == written)
        #expect(store.subjectsBehind == 60)
        while try store.indexSubjects(limit: 7) > 0 {}
        #expect(try store.postedThrough() == 60 && store.postingCount(through: 60) == 40)
        #expect(try store.entries(ref: [3], limit: .max).map(\.seq) == written.filter { $0.ref == [3] }.map(\.seq))
        try store.append(MadeUpRows.next(3, after: store.head, mark: 4))
        #expect(try store.structuralDamage(limit: 1).isEmpty && EntryStore(path: "ledger.db", .init(.readOnly, vfs: disk.name)).head.seq == 63)
        #expect(Array(try dump(disk).prefix(60)) == before)
    }

    /// The power goes at every single write of the step forward and of what follows: the file opens again, with all entries as they were.
    @Test(arguments: CrashMode.allCases) func aPowerCutInTheMiddleLeavesOneSchemaOrTheOther(mode: CrashMode) throws {
        let original = FaultyDisk(seed: 1)
        let written = try old(original)
        let before = try dump(original)
        var cut = 1
        while true {
            let disk = FaultyDisk(seed: UInt64(cut))
            disk.copy(original)
            disk.freezeAt = disk.mutations + cut
            if let store = try? EntryStore(path: "ledger.db", .init(.create, vfs: disk.name)) {
                while let more = try? store.indexSubjects(limit: 20), more > 0 {}
            }
            guard disk.isFrozen else { break }
            disk.crash(mode)
            let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
            #expect(try store.read(from: 1, limit: .max) == written, "cut at write \(cut)")
            while try store.indexSubjects(limit: 20) > 0 {}
            #expect(
                try store.postingCount(through: 60) == 40 && dump(disk) == before && store.structuralDamage(limit: 1).isEmpty, "cut at write \(cut)")
            cut += 1
        }
        #expect(cut > 10, "the cuts were made")
    }
}
