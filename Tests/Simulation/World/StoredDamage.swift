// Damage to one stored entry, made and taken back behind the back of whoever has the file open.
internal import Platform
internal import Wire

/// A body that nobody wrote.
enum StoredDamage {
    /// Stands in no true entry.
    static let word = "rotten"
    private static let body = #"{"rotten":1}"#

    /// - Returns: the row as it was; nil when the table has none of this number.
    static func rot(_ seq: UInt64, in path: String, on disk: FaultyDisk) throws -> EntryRow? {
        guard let row = try EntryStore(path: path, .init(.readOnly, vfs: disk.name)).storedInTable(seq) else { return nil }
        try write(body, seq, path, disk)
        return row
    }

    static func putRight(_ row: EntryRow, in path: String, on disk: FaultyDisk) throws {
        try write(String(decoding: row.body, as: UTF8.self), row.seq, path, disk)
    }

    private static func write(_ body: String, _ seq: UInt64, _ path: String, _ disk: FaultyDisk) throws {
        let file = try Database(path: path, .init(.readWrite, vfs: disk.name))
        try file.write { _ in
            try file.script("DROP TRIGGER entry_no_update")
            try file.run("UPDATE entry SET body = ? WHERE seq = ?", .text(body), .integer(Int64(seq)))
            try file.script("CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;")
        }
    }
}

extension EntryStore {
    /// The row of this number as the table has it; nil when it is not there, or in a file beside.
    fileprivate func storedInTable(_ seq: UInt64) throws -> EntryRow? {
        guard seq > anchor.seq else { return nil }
        return try storedRows(from: seq, through: seq).first ?? nil
    }
}
