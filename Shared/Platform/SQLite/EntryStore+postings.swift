// The posting table: the lines that bodies list, by account and asset, for whoever asks in SQL. It follows the entries; the bodies decide.
package import Wire

extension EntryStore {
    static let postedKey = "postings"

    /// Forward from schema 1: three tables more, and not a byte of an entry is touched. The table fills up as it follows.
    static let toSchema2 = """
        \(postingTables)
        PRAGMA user_version = 2;
        """
    static let postingTables = """
        CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE asset(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE posting(
          seq INTEGER NOT NULL, line INTEGER NOT NULL, account INTEGER NOT NULL, asset INTEGER NOT NULL, amount INTEGER NOT NULL,
          PRIMARY KEY(seq, line)) STRICT, WITHOUT ROWID;
        """

    /// The lines of the entries after ?1 up to ?2. A body is canonical, so that the text looked for can stand only where the list begins; what an
    /// edge may have made up besides is left out here, and told by the check of the ledger.
    private static let listed = """
        FROM entry, json_each(CASE WHEN json_valid(entry.body) THEN entry.body ELSE '{}' END, '$.postings') AS line \
        WHERE entry.seq > ?1 AND entry.seq <= ?2 AND instr(entry.body, '"postings":[') > 0 AND line.type = 'object' \
        AND json_type(line.value, '$.account') = 'text' AND json_type(line.value, '$.asset') = 'text' \
        AND json_type(line.value, '$.amount') = 'integer' AND typeof(json_extract(line.value, '$.amount')) = 'integer'
        """

    /// Copies the lines of the entries from behind `done` to `through` into the table; inside the caller's transaction.
    func copyPostings(after done: UInt64, through: UInt64) throws(DatabaseError) {
        let bounds: (Bound, Bound) = (.integer(Int64(done)), .integer(Int64(through)))
        // Most entries have no lines, and looking for some is far cheaper than three statements over none.
        let some = "SELECT 1 FROM entry WHERE seq > ? AND seq <= ? AND instr(body, '\"postings\":[') > 0 LIMIT 1"
        guard try database.first(some, bounds.0, bounds.1, read: { $0.integer(0) }) != nil else { return }
        try database.run(
            "INSERT OR IGNORE INTO account(name) SELECT DISTINCT json_extract(line.value, '$.account') " + Self.listed, bounds.0, bounds.1)
        try database.run(
            "INSERT OR IGNORE INTO asset(name) SELECT DISTINCT json_extract(line.value, '$.asset') " + Self.listed, bounds.0, bounds.1)
        try database.run(
            """
            INSERT OR IGNORE INTO posting(seq, line, account, asset, amount) SELECT entry.seq, line.key, \
            (SELECT id FROM account WHERE name = json_extract(line.value, '$.account')), \
            (SELECT id FROM asset WHERE name = json_extract(line.value, '$.asset')), json_extract(line.value, '$.amount') \(Self.listed)
            """, bounds.0, bounds.1)
    }

    /// How far the posting table has followed; 0 for a file of schema 1 that is only read.
    package func postedThrough() throws(StoreError) -> UInt64 { UInt64(try meta(Self.postedKey) ?? "") ?? 0 }

    /// The lines of one entry as the table has them, in order.
    package func postings(of seq: UInt64) throws(StoreError) -> [PostingRow] {
        try query { () throws(DatabaseError) in try self.lines(of: seq) }
    }

    /// The same inside a visit of `each`, whose errors are the database's own.
    package func lines(of seq: UInt64) throws(DatabaseError) -> [PostingRow] {
        try database.rows(
            """
            SELECT line, account.name, asset.name, amount FROM posting LEFT JOIN account ON account.id = posting.account \
            LEFT JOIN asset ON asset.id = posting.asset WHERE seq = ? ORDER BY line
            """, .integer(Int64(clamping: seq))
        ) { PostingRow(line: Int($0.integer(0)), account: $0.text(1), asset: $0.text(2), amount: $0.integer(3)) }
    }

    /// Lines in the table of entries up to `seq`, counted; 0 for 0, also in a file of schema 1 that is only read.
    package func postingCount(through seq: UInt64) throws(StoreError) -> Int {
        guard seq > 0 else { return 0 }
        return Int(
            try query { () throws(DatabaseError) in
                try self.database.first("SELECT count(*) FROM posting WHERE seq <= ?", .integer(Int64(clamping: seq))) { $0.integer(0) }
            } ?? 0)
    }

    /// Entries that the index of subjects should lead to and does not, or leads to and should not, at most `limit`; reads all of both.
    package func subjectDamage(limit: Int) throws(StoreError) -> [UInt64] {
        try query { () throws(DatabaseError) in
            try self.database.rows(
                """
                SELECT seq FROM entry WHERE seq <= ?1 AND ref IS NOT NULL AND NOT EXISTS \
                (SELECT 1 FROM subject WHERE subject.ref = entry.ref AND subject.seq = entry.seq) \
                UNION SELECT seq FROM subject WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.seq = subject.seq AND entry.ref = subject.ref) \
                AND subject.seq > ?3 \
                ORDER BY 1 LIMIT ?2
                """, .integer(Int64(clamping: self.followed.subjects)), .integer(Int64(limit)),
                .integer(Int64(clamping: self.anchor.seq))
            ) { UInt64(bitPattern: $0.integer(0)) }
        }
    }
}
