// Stored bytes read again from the file, and the one way in which damaged ones are replaced.
package import Wire

extension EntryStore {
    /// The rows of these numbers as the file has them now, one for each; nil for one that is missing or cannot be read as a row. What SQLite holds
    /// in memory is let go before, so that the file is read.
    /// - Throws: `.failed` when the file's structure is damaged.
    package func storedRows(from: UInt64, through: UInt64) throws(StoreError) -> [EntryRow?] {
        precondition(from > 0 && from <= through)
        var rows = [EntryRow?](repeating: nil, count: Int(through - from) + 1)
        if from <= anchor.seq { for row in storedMoved(from: from, through: min(through, anchor.seq)) { rows[Int(row.seq - from)] = row } }
        try query { () throws(DatabaseError) in
            try self.database.forgetPages()
            try self.database.each(
                "SELECT \(EntryRow.columns) FROM entry WHERE seq >= ? AND seq <= ? ORDER BY seq", .integer(Int64(from)), .integer(Int64(through))
            ) { row throws(DatabaseError) in
                let seq = row.integer(0)
                guard seq >= Int64(from), seq <= Int64(through), seq > Int64(self.anchor.seq) else { return true }
                rows[Int(seq - Int64(from))] = try? EntryRow(row)
                return true
            }
        }
        return rows
    }

    /// Puts a row back in the place of damaged bytes, in one transaction, with a note of it: the one exception to "never changed". The caller has
    /// proved that the row hashes into the chain; that it fits the row after it, or the head, is looked at here once more.
    /// - Parameter note: kept in the table of texts under `mended:<seq>`.
    /// - Throws: `.notNext` when the row is not the one that the chain names: nothing is written then.
    package func mend(_ row: EntryRow, note: String) throws(StoreError) {
        let next = row.seq < head.seq ? try storedRows(from: row.seq + 1, through: row.seq + 1).first ?? nil : nil
        let named = row.seq == head.seq ? head.hash : holes.first { $0.after.seq == row.seq }?.after.hash ?? next?.prev
        guard row.seq > base.seq, row.seq <= head.seq, row.hash == named else {
            throw .notNext(head: head, offered: LogHead(seq: row.seq, hash: row.hash))
        }
        guard row.seq > anchor.seq else {
            throw .database(.refused("entry \(row.seq) has moved into a segment file: put that file back from a copy"))
        }
        try beOfToday()
        stopMoving()
        try transactionWithFollowers(row.seq...row.seq) { touchesFollowers throws(DatabaseError) in
            try self.deleting { () throws(DatabaseError) in try self.database.run("DELETE FROM entry WHERE seq = ?", .integer(Int64(row.seq))) }
            try self.insert([row])
            try self.writeMeta("mended:\(row.seq)", note)
            guard touchesFollowers else { return }
            // What followed the damaged bytes follows the right ones.
            try self.database.run("DELETE FROM posting WHERE seq = ?", .integer(Int64(row.seq)))
            try self.database.run("DELETE FROM subject WHERE seq = ?", .integer(Int64(row.seq)))
            if row.seq <= self.followed.postings { try self.copyPostings(after: row.seq - 1, through: row.seq) }
            if row.seq <= self.followed.subjects, let ref = row.ref {
                try self.database.run("INSERT OR IGNORE INTO subject(ref, seq) VALUES (?, ?)", .blob(ref), .integer(Int64(row.seq)))
            }
        }
    }
}
