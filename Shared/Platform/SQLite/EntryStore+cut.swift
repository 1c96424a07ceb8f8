// Branches: a log that begins after an entry of another one, and the one way in which entries leave a log.
internal import Values
internal import Wire

extension EntryStore {
    /// Takes the entries after `seq` out of the log, in one transaction: the one exception to "never deleted". The caller keeps them elsewhere first.
    /// - Parameter meta: keys of the meta table written in the same transaction.
    package func cut(after seq: UInt64, meta: KeyValuePairs<String, String> = [:]) throws(StoreError) {
        precondition(seq >= base.seq, "cut after \(seq), the log begins after \(base.seq)")
        guard seq >= anchor.seq else {
            throw .database(.refused("entries up to \(anchor.seq) have moved into segment files, and are no longer given up"))
        }
        try beOfToday()
        stopMoving()
        try transactionWithFollowers(min(seq, head.seq)...head.seq) { touchesFollowers throws(DatabaseError) in
            try self.deleting { () throws(DatabaseError) in
                for table in touchesFollowers ? ["entry", "subject", "posting"] : ["entry"] {
                    try self.database.run("DELETE FROM \(table) WHERE seq > ?", .integer(Int64(seq)))
                }
            }
            try self.writeMeta(EntryStore.indexedKey, String(min(self.followed.subjects, seq)))
            try self.writeMeta(EntryStore.postedKey, String(min(self.followed.postings, seq)))
            for hole in self.holes where hole.last.seq > seq { try self.database.run("DELETE FROM meta WHERE key = ?", .text(EntryStore.key(hole))) }
            for (key, text) in meta { try self.writeMeta(key, text) }
        }
        holes.removeAll { $0.last.seq > seq }
        followed = (min(followed.subjects, seq), min(followed.postings, seq))
        try refreshHead()
    }

    /// The guard over the entries is away for `body`, inside the caller's transaction: a cut, a mend and a move are the only ones.
    func deleting(_ body: () throws(DatabaseError) -> Void) throws(DatabaseError) {
        try database.script("DROP TRIGGER entry_no_delete")
        try body()
        try database.script(EntryStore.noDelete)
    }
    static let noDelete = "CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;"

    private static var baseKey: String { "base" }

    /// A new file's first entry will follow this one; a file that has entries, or another base, is left as it is.
    func beginAfter(_ base: LogHead) throws(StoreError) {
        guard try meta(EntryStore.baseKey) == nil, try count() == 0 else { return }
        try setMeta(EntryStore.baseKey, "\(base.seq):\(Hex.text(base.hash))")
    }

    /// What the file says that it begins after.
    func storedBase() throws(StoreError) -> LogHead {
        let parts = (try meta(EntryStore.baseKey) ?? "").split(separator: ":")
        guard parts.count == 2, let seq = UInt64(parts[0]), let hash = Hex.bytes(String(parts[1])) else { return .empty }
        return LogHead(seq: seq, hash: hash)
    }
}
