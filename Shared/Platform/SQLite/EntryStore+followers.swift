// What follows the entries and may be made anew from them: the index of subjects and the posting table. Damage in it is none of the log's.
package import Wire

/// How the tables stand that only follow the entries.
package enum FollowerState: Hashable, Sendable {
    case sound
    /// They were damaged, with SQLite's words; new ones stand in their place and follow the entries from the first.
    case renewed(String)
    /// They are damaged and stay so: nothing follows any more, and entries are looked for one by one.
    case damaged(String)
    package var isDamaged: Bool { if case .damaged = self { true } else { false } }
}

extension EntryStore {
    static let indexedKey = "subjects"
    private static let damagedKey = "followers_damaged"
    private static let renewedKey = "followers_renewed"
    static let subjectTable =
        "CREATE TABLE subject(ref BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(ref, seq)) STRICT, WITHOUT ROWID;"

    /// Lets the subject index and the posting table follow the entries by at most `limit` rows, from where they stopped. No commit of entries pays
    /// for their random keys. Damage in them is no error: `followers` tells it.
    /// - Returns: how many entries were read; 0 when both have caught up, or follow no more.
    package func indexSubjects(limit: Int) throws(StoreError) -> Int {
        precondition(limit > 0)
        guard subjectsBehind > 0 else { return 0 }
        try beOfToday()
        let done = min(followed.subjects, followed.postings), through = min(head.seq, done + UInt64(limit))
        do throws(StoreError) {
            try transaction(touchesFollowers: true) { () throws(DatabaseError) in
                // One of them may be ahead, in a file that is older than the other: what is there already is passed over.
                try self.copyPostings(after: done, through: through)
                try self.database.run(
                    "INSERT OR IGNORE INTO subject(ref, seq) SELECT ref, seq FROM entry WHERE seq > ? AND seq <= ? AND ref IS NOT NULL",
                    .integer(Int64(done)), .integer(Int64(through)))
                try self.writeMeta(EntryStore.indexedKey, String(max(through, self.followed.subjects)))
                try self.writeMeta(EntryStore.postedKey, String(max(through, self.followed.postings)))
            }
        } catch {
            try renewFollowers(after: error, done...through)
            return 0
        }
        followed = (max(through, followed.subjects), max(through, followed.postings))
        return Int(through - done)
    }

    /// Entries that the subject index or the posting table has yet to read; `entries(ref:)` walks them one by one meanwhile. None for damaged ones.
    package var subjectsBehind: Int {
        let done = min(followed.subjects, followed.postings)
        return head.seq > done && !followers.isDamaged ? Int(head.seq - done) : 0
    }

    /// The entries about one subject, oldest first, at most `limit`: by the index as far as it reaches, and by looking from there on.
    package func entries(ref: [UInt8], limit: Int) throws(StoreError) -> [EntryRow] {
        try settled { () throws(StoreError) in
            var cause: DatabaseError?
            if !self.followers.isDamaged, let found = try self.indexed(ref, limit: limit, &cause) { return found }
            if let cause { try self.renewFollowers(after: .database(cause), self.anchor.seq...self.head.seq) }
            return try self.walked(ref, limit: limit)
        }
    }

    /// - Parameter cause: the damage that was met.
    /// - Returns: nil when the index, or an entry that it leads to, cannot be read.
    private func indexed(_ ref: [UInt8], limit: Int, _ cause: inout DatabaseError?) throws(StoreError) -> [EntryRow]? {
        var moved: [EntryRow] = []
        if anchor.seq != base.seq {
            let seqs = try following(&cause) { () throws(DatabaseError) in
                try self.database.rows(
                    "SELECT seq FROM subject WHERE ref = ? AND seq <= ? ORDER BY seq LIMIT ?", .blob(ref), .integer(Int64(self.anchor.seq)),
                    .integer(Int64(limit))
                ) { UInt64(clamping: $0.integer(0)) }
            }
            guard let seqs else { return nil }
            // A damaged row of the index may name what no log has.
            moved = try self.moved(seqs.filter { $0 > self.base.seq })
        }
        guard moved.count < limit else { return moved }
        let stored = try following(&cause) { () throws(DatabaseError) in
            try self.database.rows(
                """
                WITH reach(seq) AS (SELECT coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = '\(EntryStore.indexedKey)'), 0)), \
                about(seq) AS (SELECT seq FROM subject WHERE ref = ?1 AND seq > ?3 \
                UNION SELECT seq FROM entry WHERE seq > (SELECT seq FROM reach) AND ref = ?1 ORDER BY 1 LIMIT ?2) \
                SELECT \(EntryRow.columns) FROM entry WHERE seq IN (SELECT seq FROM about) ORDER BY seq
                """, .blob(ref), .integer(Int64(limit - moved.count)), .integer(Int64(self.anchor.seq))
            ) { row throws(DatabaseError) in try EntryRow(row) }
        }
        return stored.map { moved + $0 }
    }

    /// Without an index.
    private func walked(_ ref: [UInt8], limit: Int) throws(StoreError) -> [EntryRow] {
        var found: [EntryRow] = []
        if anchor.seq != base.seq {
            _ = try eachMoved(from: base.seq + 1) { row throws(DatabaseError) in
                if row.ref == ref { found.append(row) }
                return found.count < limit
            }
        }
        guard found.count < limit else { return found }
        return found
            + (try query { () throws(DatabaseError) in
                try self.database.rows(
                    "SELECT \(EntryRow.columns) FROM entry WHERE ref = ? AND seq > ? ORDER BY seq LIMIT ?", .blob(ref),
                    .integer(Int64(self.anchor.seq)), .integer(Int64(limit - found.count))
                ) { row throws(DatabaseError) in try EntryRow(row) }
            })
    }

    /// Empties what follows the entries, so that it is made anew from them: the cure for a table that says something else than the bodies, and for
    /// damaged ones that were left behind, as long as no entries have moved.
    package func forgetFollowers() throws(StoreError) {
        try beOfToday()
        // What followed entries that have moved stays: it cannot be made anew from the table.
        let anchor = anchor.seq
        if followers.isDamaged, anchor == base.seq {
            let place = try renewals() + 1
            try transaction { () throws(DatabaseError) in try self.replaceFollowers(place) }
            (followed, followers) = ((base.seq, base.seq), .sound)
            return
        }
        try transaction { () throws(DatabaseError) in
            for table in ["posting", "subject"] { try self.database.run("DELETE FROM \(table) WHERE seq > ?", .integer(Int64(anchor))) }
            if anchor == 0 { for table in ["account", "asset"] { try self.database.run("DELETE FROM \(table)") } }
            try self.writeMeta(EntryStore.postedKey, String(anchor))
            try self.writeMeta(EntryStore.indexedKey, String(anchor))
            try self.database.run("DELETE FROM meta WHERE key = ?", .text(EntryStore.damagedKey))
        }
        (followed, followers) = ((anchor, anchor), .sound)
    }

    /// `forgetFollowers`, and everything that follows is made anew, a thousand entries at a time.
    /// - Parameter each: told how far it is, by the number of an entry.
    /// - Returns: how they stand then: `.damaged` when what is there cannot be replaced.
    package func remakeFollowers(_ each: (UInt64) -> Void) throws(StoreError) -> FollowerState {
        // What followed entries that lie in segments is lost with damaged tables, for those that follow read the table.
        if followers.isDamaged, anchor.seq != base.seq { return followers }
        try forgetFollowers()
        while subjectsBehind > 0 {
            _ = try indexSubjects(limit: 1_000)
            each(min(followed.subjects, followed.postings))
        }
        return followers
    }

    // MARK: - Damage

    /// Runs a query over the followers.
    /// - Parameter cause: the damage that it met; whose that is, is not known yet.
    /// - Returns: nil when there was some.
    private func following<Value>(_ cause: inout DatabaseError?, _ body: () throws(DatabaseError) -> Value) throws(StoreError) -> Value? {
        var met: DatabaseError?
        let value = try query { () throws(DatabaseError) -> Value? in
            do throws(DatabaseError) { return try body() } catch {
                guard error.isCorrupt else { throw error }
                met = error
                return nil
            }
        }
        cause = met
        return value
    }

    /// Reads every byte of these entries, as the table has them.
    /// - Throws: `.failed` when a page of theirs is damaged.
    private func readEntries(_ range: ClosedRange<UInt64>) throws(StoreError) {
        try query { () throws(DatabaseError) in
            // The last columns lie on a long row's last page.
            _ = try self.database.first(
                "SELECT sum(length(body)), max(ref), max(prev), max(hash) FROM entry WHERE seq >= ? AND seq <= ?",
                .integer(Int64(clamping: range.lowerBound)), .integer(Int64(clamping: range.upperBound)), read: { $0.integer(0) })
        }
    }

    /// A transaction that had to touch the followers met damage: new ones take their place where the entries are all in the table; the damaged
    /// tables keep their pages, under another name, for nobody knows whose pages they still point at. Otherwise nothing follows any more.
    /// - Parameter read: the entries that it read or wrote besides: damage in them is the log's, and no new tables cure it.
    /// - Throws: `error`, when it is another one than damage; none of its own but the end of the store.
    func renewFollowers(after error: StoreError, _ read: ClosedRange<UInt64>) throws(StoreError) {
        guard case .database(let cause) = error, cause.isCorrupt else { throw error }
        try readEntries(read)
        followers = .damaged(cause.description)
        guard !isReader, !cause.isIO else { return }
        let canRenew = anchor.seq == base.seq
        do throws(StoreError) {
            let place = try renewals()
            guard canRenew, place < EntryStore.renewalsMax else {
                try transaction { () throws(DatabaseError) in try self.writeMeta(EntryStore.damagedKey, cause.description) }
                return
            }
            try transaction(touchesFollowers: true) { () throws(DatabaseError) in try self.replaceFollowers(place + 1) }
            followed = (base.seq, base.seq)
            followers = .renewed(cause.description)
        } catch {
            // Without room, or with damage in the list of tables, it stays as it is until the next start.
            guard case .database = error else { throw error }
        }
    }
    private func renewals() throws(StoreError) -> Int { try meta(EntryStore.renewedKey).flatMap { Int($0) } ?? 0 }

    /// Empty ones in the place of those there are; inside the caller's transaction.
    private func replaceFollowers(_ place: Int) throws(DatabaseError) {
        for table in ["posting", "subject", "account", "asset"] {
            try database.script("ALTER TABLE \(table) RENAME TO \(table)_damaged_\(place)")
        }
        try database.script(EntryStore.postingTables + EntryStore.subjectTable)
        try writeMeta(EntryStore.postedKey, String(base.seq))
        try writeMeta(EntryStore.indexedKey, String(base.seq))
        try writeMeta(EntryStore.renewedKey, String(place))
        try database.run("DELETE FROM meta WHERE key = ?", .text(EntryStore.damagedKey))
    }
    /// A disk that rots on is no place for a ninth try.
    private static let renewalsMax = 8

    /// What an earlier run found and could not renew.
    func storedFollowers() throws(StoreError) -> FollowerState { try meta(EntryStore.damagedKey).map { .damaged($0) } ?? .sound }

    /// A transaction over entries that takes the followers along; those that are damaged, or turn out to be, are left behind.
    /// - Parameters:
    ///   - entries: those that the body reads or changes.
    ///   - body: with whether to touch the followers.
    func transactionWithFollowers(_ entries: ClosedRange<UInt64>, _ body: (Bool) throws(DatabaseError) -> Void) throws(StoreError) {
        if !followers.isDamaged {
            do throws(StoreError) { return try transaction(touchesFollowers: true) { () throws(DatabaseError) in try body(true) } } catch {
                try renewFollowers(after: error, entries)
            }
        }
        let touches = !followers.isDamaged
        try transaction { () throws(DatabaseError) in
            try body(touches)
            // Left behind, they speak of entries that are no more: no later run may take them for sound.
            if !touches { try self.writeMeta(EntryStore.damagedKey, "left behind") }
        }
    }
}
