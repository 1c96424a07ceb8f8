// Compaction: old entries move from the table into segment files, and every reader finds them there.
internal import Wire

/// The segments beside one log. One owner, one thread.
final class SegmentShelf {
    private let files: any KeptFiles
    private let stem: String
    /// The one read last: whoever walks reads it many times.
    private var open: (first: UInt64, rows: [EntryRow])?

    init(files: any KeptFiles, stem: String) { self.files = files; self.stem = stem }

    func name(of seq: UInt64, after base: UInt64) -> (name: String, first: UInt64) {
        let first = base + (seq - base - 1) / Segment.rows * Segment.rows + 1
        return (Segment.name(stem, first: first), first)
    }

    /// The rows of the segment that holds an entry.
    func rows(holding seq: UInt64, after base: UInt64) throws(StoreError) -> [EntryRow] {
        let (name, first) = name(of: seq, after: base)
        if let open, open.first == first { return open.rows }
        let rows = try read(name, first)
        open = (first, rows)
        return rows
    }

    /// What is read next is read from the disk.
    func forget() { open = nil }

    /// Reads a file again from the disk.
    func read(_ name: String, _ first: UInt64) throws(StoreError) -> [EntryRow] {
        let last = first + Segment.rows - 1
        let bytes: [UInt8]?
        do throws(KeptFileError) { bytes = try files.read(name) } catch { throw .missing(from: first, to: last, "\(name): \(error)") }
        guard let bytes else { throw .missing(from: first, to: last, "\(name) is gone") }
        do throws(SegmentError) {
            let rows = try Segment.decode(bytes)
            guard rows[0].seq == first, rows.count == Int(Segment.rows) else { throw SegmentError("it holds other entries") }
            return rows
        } catch { throw .missing(from: first, to: last, "\(name) is damaged: \(error)") }
    }

    /// Durable on return, and read back from the file.
    func write(_ rows: [EntryRow], _ name: String) throws(StoreError) {
        do throws(KeptFileError) { try files.write(name, Segment.encode(rows)) } catch {
            if case .full(let words) = error { throw .database(DatabaseError(extendedCode: DatabaseError.fullCode, message: words)) }
            throw .database(.refused(error.description))
        }
        guard try read(name, rows[0].seq) == rows else { throw .database(.refused("\(name) does not read back as it was written")) }
    }
}

/// What one step of compaction did, or would do.
package struct Compaction: Hashable, Sendable {
    package let from: UInt64
    package let to: UInt64
    /// The file's name.
    package let file: String
}

extension EntryStore {
    /// Forward from schema 2: where the table begins once entries have moved out of it.
    static let toSchema3 = """
        CREATE TABLE anchor(one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
        PRAGMA user_version = 3;
        """

    /// The next segment that may move: complete, below `limit`, older than `wall` (ns), and read by all that follow the entries.
    /// - Parameter done: the last entry that has moved; nil for the anchor.
    package func compactable(after done: UInt64? = nil, through limit: UInt64, olderThan wall: Int64) throws(StoreError) -> Compaction? {
        guard let shelf else { return nil }
        let from = (done ?? anchor.seq) + 1, to = from + Segment.rows - 1
        // The last entry stays where the next one is chained to it.
        guard to <= limit, to < head.seq, to <= followed.subjects, to <= followed.postings else { return nil }
        guard let last = try read(from: to, limit: 1).first, last.seq == to, last.wall < wall else { return nil }
        return Compaction(from: from, to: to, file: shelf.name(of: from, after: base.seq).name)
    }

    /// Moves the next segment that may move. The file is durable and was read back before a row goes; a crash in between leaves both.
    /// - Returns: nil when none may.
    package func compact(through limit: UInt64, olderThan wall: Int64) throws(StoreError) -> Compaction? {
        guard let shelf, let next = try compactable(through: limit, olderThan: wall) else { return nil }
        try beOfToday()
        let rows = try read(from: next.from, limit: Int(Segment.rows))
        guard rows.count == Int(Segment.rows), let last = rows.last, last.seq == next.to, rows[0].prev == anchor.hash else {
            throw .database(.refused("entries \(next.from) to \(next.to) do not follow the anchor"))
        }
        for (row, after) in zip(rows, rows.dropFirst()) where after.prev != row.hash || after.seq != row.seq + 1 {
            throw .database(.refused("entry \(after.seq) does not follow the one before it"))
        }
        try shelf.write(rows, next.file)
        let moved = LogHead(seq: last.seq, hash: last.hash)
        try transaction { () throws(DatabaseError) in
            try self.database.script("DROP TRIGGER entry_no_delete")
            try self.database.run("DELETE FROM entry WHERE seq <= ?", .integer(Int64(moved.seq)))
            try self.database.script(EntryStore.noDelete)
            try self.database.run(
                "INSERT INTO anchor(one, seq, hash) VALUES (1, ?, ?) ON CONFLICT(one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
                .integer(Int64(moved.seq)), .blob(moved.hash))
        }
        anchor = moved
        return next
    }

    /// What the table begins after; the log's own base as long as nothing has moved, and in a file of an older schema.
    func storedAnchor() throws(StoreError) -> LogHead {
        let tables = try query { () throws(DatabaseError) in
            try self.database.first("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'anchor'") { $0.integer(0) }
        }
        guard tables == 1 else { return base }
        return try query { () throws(DatabaseError) in
            try self.database.first("SELECT seq, hash FROM anchor WHERE one = 1") { row throws(DatabaseError) in
                guard let seq = UInt64(exactly: row.integer(0)) else { throw .corrupt("the anchor has number \(row.integer(0))") }
                return LogHead(seq: seq, hash: row.bytes(1))
            }
        } ?? base
    }

    /// The rows from `seq` up to the anchor, out of the segments, until `visit` answers false.
    /// - Returns: false when it did.
    func eachMoved(from seq: UInt64, visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) -> Bool {
        var next = max(seq, base.seq + 1)
        while next <= anchor.seq {
            let rows = try moved(holding: next)
            for row in rows where row.seq >= next {
                guard try query({ () throws(DatabaseError) in try visit(row) }) else { return false }
            }
            next = (rows.last?.seq ?? next) + 1
        }
        return true
    }

    /// The rows of these numbers, which have all moved.
    func moved(_ seqs: [UInt64]) throws(StoreError) -> [EntryRow] {
        var found: [EntryRow] = []
        for seq in seqs { found += try moved(holding: seq).filter { $0.seq == seq } }
        return found
    }

    /// The moved rows of these numbers as the files have them now; those of a file that cannot be read are left out.
    func storedMoved(from: UInt64, through: UInt64) -> [EntryRow] {
        shelf?.forget()
        var found: [EntryRow] = []
        var next = from
        while next <= through {
            let (name, first) = shelf?.name(of: next, after: base.seq) ?? ("", next)
            found += ((try? shelf?.read(name, first)) ?? []).filter { $0.seq >= next && $0.seq <= through }
            next = first + Segment.rows
        }
        return found
    }

    /// Moved rows of some kinds between two numbers, from either end.
    func moved(kinds: [UInt16], from: UInt64, below: UInt64, newestFirst: Bool, limit: Int) throws(StoreError) -> [EntryRow] {
        let low = max(from, base.seq + 1), high = min(below == 0 ? 0 : below - 1, anchor.seq)
        var found: [EntryRow] = []
        guard low <= high else { return [] }
        var at = newestFirst ? high : low
        while found.count < limit {
            let rows = try moved(holding: at)
            let fitting = rows.filter { $0.seq >= low && $0.seq <= high && kinds.contains($0.kind) }
            found += newestFirst ? fitting.reversed() : fitting
            guard let first = rows.first?.seq, let last = rows.last?.seq else { break }
            if newestFirst { guard first > low else { break }; at = first - 1 } else { guard last < high else { break }; at = last + 1 }
        }
        return Array(found.prefix(limit))
    }

    private func moved(holding seq: UInt64) throws(StoreError) -> [EntryRow] {
        guard let shelf else { throw .missing(from: base.seq + 1, to: anchor.seq, "this log's segments are nowhere") }
        return try shelf.rows(holding: seq, after: base.seq)
    }
}
