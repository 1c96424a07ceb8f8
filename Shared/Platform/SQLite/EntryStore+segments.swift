// Compaction: old entries move from the table into segment files, and every reader finds them there.
package import Wire

/// The segments beside one log. One owner, one thread.
final class SegmentShelf {
    private let files: any KeptFiles
    private let stem: String
    /// Entries of one file, as the log says.
    var rows = Segment.rows
    /// Those read last, the newest first: whoever walks reads one many times, and another's look at an old entry does not cost him his.
    private var open: [(first: UInt64, rows: [EntryRow])] = []
    private static let openMax = 2

    init(files: any KeptFiles, stem: String) { self.files = files; self.stem = stem }

    func name(of seq: UInt64, after base: UInt64) -> (name: String, first: UInt64) {
        let first = base + (seq - base - 1) / rows * rows + 1
        return (Segment.name(stem, first: first), first)
    }

    /// The rows of the segment that holds an entry, all of them: some may still be in the table too.
    func rows(holding seq: UInt64, after base: UInt64) throws(StoreError) -> [EntryRow] {
        let (name, first) = name(of: seq, after: base)
        if let place = open.firstIndex(where: { $0.first == first }) {
            open.swapAt(0, place)
        } else {
            open.insert((first, try read(name, first)), at: 0)
            open.removeLast(max(0, open.count - SegmentShelf.openMax))
        }
        return open[0].rows
    }

    /// What is read next is read from the disk.
    func forget() { open = [] }

    /// Reads a file again from the disk.
    func read(_ name: String, _ first: UInt64) throws(StoreError) -> [EntryRow] {
        var reader = try reader(name, first)
        var rows: [EntryRow] = []
        rows.reserveCapacity(reader.count)
        while let block = try next(&reader, name) { rows += block }
        return rows
    }

    /// The same a block at a time.
    func reader(_ name: String, _ first: UInt64) throws(StoreError) -> SegmentReader {
        let last = first + rows - 1
        let bytes: [UInt8]?
        do throws(KeptFileError) { bytes = try files.read(name) } catch { throw .missing(from: first, to: last, "\(name): \(error)") }
        guard let bytes else { throw .missing(from: first, to: last, "\(name) is gone") }
        do throws(SegmentError) {
            let reader = try SegmentReader(bytes)
            guard reader.first == first, reader.count == Int(rows) else { throw SegmentError("it holds other entries") }
            return reader
        } catch { throw .missing(from: first, to: last, "\(name) is damaged: \(error)") }
    }

    func next(_ reader: inout SegmentReader, _ name: String) throws(StoreError) -> [EntryRow]? {
        do throws(SegmentError) { return try reader.next() } catch {
            throw .missing(from: reader.first, to: reader.first + rows - 1, "\(name) is damaged: \(error)")
        }
    }

    func begin(_ name: String) throws(StoreError) -> any KeptFileWriter {
        do throws(KeptFileError) { return try files.begin(name) } catch { throw StoreError(error) }
    }
}

extension StoreError {
    /// A segment that cannot be written leaves the log as it was.
    fileprivate init(_ error: KeptFileError) {
        switch error {
        case .full(let words): self = .database(DatabaseError(extendedCode: DatabaseError.fullCode, message: words))
        case .failed(let words): self = .database(.refused(words))
        }
    }
}

/// What one step of compaction did, or would do.
package struct Compaction: Hashable, Sendable {
    package let from: UInt64
    package let to: UInt64
    /// The file's name.
    package let file: String
}

/// What one piece of a move brought.
package enum CompactionStep: Hashable, Sendable {
    /// Nothing may move.
    case nothing
    /// More is to be done for these.
    case working(Compaction)
    /// These have moved.
    case moved(Compaction)
}

/// Entries on their way out of the table. A process that dies in between leaves each of them in the table, in a whole file, or in both.
struct SegmentMove {
    enum Stage {
        /// Out of the table, a piece at a time.
        case reading
        /// Into a file under a temporary name; so many bytes are written.
        case writing(any KeptFileWriter, [UInt8], Int)
        /// The file is durable and is now read back, a block at a time; nil before the first.
        case checking(SegmentReader?)
        /// Every byte came back: the rows leave the table, a piece at a time.
        case deleting
    }
    let compaction: Compaction
    /// The first entry of the file: some of its entries may have left the table before an earlier process died.
    let first: UInt64
    var stage = Stage.reading
    var rows: [EntryRow] = []
    /// What they come to as a file, a piece at a time.
    var builder = SegmentBuilder()
    /// What had left already when the file had to be written anew.
    var kept: [EntryRow] = []

    func abandon() { if case .writing(let writer, _, _) = stage { writer.abandon() } }
}

extension EntryStore {
    /// Forward from schema 2: where the table begins once entries have moved out of it.
    static let toSchema3 = """
        CREATE TABLE anchor(one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
        PRAGMA user_version = 3;
        """

    /// What the log says of its segments; a new one is told what a test wants.
    func rowsOfSegments(_ wanted: UInt64, mayWrite: Bool) throws(StoreError) -> UInt64 {
        let key = "segment_rows"
        if let said = try meta(key).flatMap({ UInt64($0) }), said > 0 { return said }
        guard mayWrite, wanted != Segment.rows, try count() == 0 else { return Segment.rows }
        try setMeta(key, String(wanted))
        return wanted
    }

    /// The next entries that may move: up to the end of a segment, below `limit`, older than `wall` (ns), and read by all that follow the entries.
    /// - Parameter done: the last entry that has moved; nil for the anchor.
    package func compactable(after done: UInt64? = nil, through limit: UInt64, olderThan wall: Int64) throws(StoreError) -> Compaction? {
        guard let shelf else { return nil }
        let from = (done ?? anchor.seq) + 1
        let (file, first) = shelf.name(of: from, after: base.seq)
        let to = first + shelf.rows - 1
        // The last entry stays where the next one is chained to it.
        guard to <= limit, to < head.seq, to <= followed.subjects, to <= followed.postings else { return nil }
        guard let last = try read(from: to, limit: 1).first, last.seq == to, last.wall < wall else { return nil }
        return Compaction(from: from, to: to, file: file)
    }

    /// Moves the next segment that may move, at once.
    /// - Parameter isSound: whether a row's bytes are those that were hashed into the chain.
    /// - Returns: nil when none may.
    package func compact(through limit: UInt64, olderThan wall: Int64, isSound: (EntryRow) -> Bool = { _ in true }) throws(StoreError) -> Compaction?
    {
        while true {
            switch try compactStep(through: limit, olderThan: wall, isSound: isSound) {
            case .nothing: return nil
            case .working: continue
            case .moved(let compaction): return compaction
            }
        }
    }

    /// Does a piece of moving the next segment that may move: rows or bytes up to a bound, or a look at how far the disk is. The file is durable and
    /// was read back before a row goes.
    /// - Parameter isSound: whether a row's bytes are those that were hashed into the chain; nothing else is put into a file.
    /// - Throws: an error of the file or a full disk after which the log is as it was and the same may be tried later; `.failed` as any write.
    package func compactStep(through limit: UInt64, olderThan wall: Int64, isSound: (EntryRow) -> Bool) throws(StoreError) -> CompactionStep {
        guard let shelf else { return .nothing }
        if move == nil {
            guard let next = try compactable(through: limit, olderThan: wall) else { return .nothing }
            try beOfToday()
            move = SegmentMove(compaction: next, first: shelf.name(of: next.from, after: base.seq).first)
        }
        // Taken out and put back: what stands in two places would be copied whole by each piece.
        guard var current = move.take() else { return .nothing }
        do throws(StoreError) { try advance(&current, shelf, isSound) } catch {
            current.abandon()
            throw error
        }
        guard anchor.seq < current.compaction.to else { return .moved(current.compaction) }
        move = current
        return .working(current.compaction)
    }

    func forgetSegments() { shelf?.forget() }

    /// Gives up a move that is under way: nothing has left the table that is not in a whole file.
    func stopMoving() {
        move?.abandon()
        move = nil
    }

    private func advance(_ move: inout SegmentMove, _ shelf: SegmentShelf, _ isSound: (EntryRow) -> Bool) throws(StoreError) {
        let pieceRows = max(1, shelf.rows / EntryStore.piecesOfMove)
        switch move.stage {
        case .reading: try gather(&move, shelf, isSound, limit: pieceRows)
        case .writing(let writer, let bytes, let done):
            do throws(KeptFileError) {
                // What was written before reaches the disk beside the loop.
                if done > 0 { guard try done == bytes.count ? writer.finish() : writer.sync() else { return } }
                guard done < bytes.count else { move.stage = .checking(nil); return }
                let end = min(bytes.count, done + EntryStore.pieceBytes)
                try writer.append(Array(bytes[done..<end]))
                move.stage = .writing(writer, bytes, end)
            } catch { throw StoreError(error) }
        case .checking(nil):
            // What was read of it before may be of the file as it was.
            shelf.forget()
            move.stage = .checking(try shelf.reader(move.compaction.file, move.first))
        case .checking(var reader?):
            guard let stored = try shelf.next(&reader, move.compaction.file) else { move.stage = .deleting; return }
            for row in stored {
                let isSame =
                    row.seq >= move.compaction.from
                    ? row == move.rows[Int(row.seq - move.compaction.from)] : move.kept.isEmpty || row == move.kept[Int(row.seq - move.first)]
                guard isSame else { return try writeAnew(&move, shelf) }
            }
            move.stage = .checking(reader)
        case .deleting:
            let end = min(move.compaction.to, anchor.seq + pieceRows)
            let last = move.rows[Int(end - move.compaction.from)]
            try leave(LogHead(seq: last.seq, hash: last.hash))
        }
    }

    /// An earlier process made the file, and the log was cut behind what had left the table by then: another branch has the numbers now. The file is
    /// written anew, with what had left as it is; of any other file that differs nothing is believed.
    private func writeAnew(_ move: inout SegmentMove, _ shelf: SegmentShelf) throws(StoreError) {
        let from = move.compaction.from
        let kept = move.kept.isEmpty && move.first < from ? try shelf.read(move.compaction.file, move.first).filter { $0.seq < from } : []
        guard let last = kept.last, LogHead(seq: last.seq, hash: last.hash) == anchor else {
            throw .database(.refused("\(move.compaction.file) does not read back as it was written"))
        }
        move.kept = kept
        move.builder = SegmentBuilder()
        let pieceRows = max(1, Int(shelf.rows / EntryStore.piecesOfMove)), rows = kept + move.rows
        for start in stride(from: 0, to: rows.count, by: pieceRows) { move.builder.append(Array(rows[start...].prefix(pieceRows))) }
        move.stage = .writing(try shelf.begin(move.compaction.file), move.builder.finished(), 0)
    }

    /// Each piece of a move has so many of a segment's rows.
    private static let piecesOfMove: UInt64 = 16
    private static let pieceBytes = 256 << 10

    /// The next rows, each compared with the chain, and the block that they come to.
    private func gather(
        _ move: inout SegmentMove, _ shelf: SegmentShelf, _ isSound: (EntryRow) -> Bool, limit: UInt64
    ) throws(StoreError) {
        var before = move.rows.last.map { LogHead(seq: $0.seq, hash: $0.hash) } ?? anchor
        let piece = try read(from: before.seq + 1, limit: Int(min(limit, move.compaction.to - before.seq)))
        for row in piece {
            guard row.seq == before.seq + 1, row.prev == before.hash, isSound(row) else {
                throw .database(.refused("entry \(before.seq + 1) is not what follows the one before it: it is not moved"))
            }
            before = LogHead(seq: row.seq, hash: row.hash)
        }
        move.rows += piece
        // An earlier process may have made the file, and died before all rows had left.
        let isMade = move.first != move.compaction.from
        if !isMade { move.builder.append(piece) }
        guard before.seq == move.compaction.to else { return }
        move.stage = isMade ? .checking(nil) : .writing(try shelf.begin(move.compaction.file), move.builder.finished(), 0)
    }

    /// Rows up to here leave the table, which begins after them.
    private func leave(_ moved: LogHead) throws(StoreError) {
        try transaction { () throws(DatabaseError) in
            try self.deleting { () throws(DatabaseError) in
                try self.database.run("DELETE FROM entry WHERE seq <= ?", .integer(Int64(moved.seq)))
            }
            try self.database.run(
                "INSERT INTO anchor(one, seq, hash) VALUES (1, ?, ?) ON CONFLICT(one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
                .integer(Int64(moved.seq)), .blob(moved.hash))
        }
        anchor = moved
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

    /// For a reader beside a writer that moves entries: `body` again until no entry has moved while it read.
    func settled<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        guard isReader else { return try body() }
        while true {
            anchor = try storedAnchor()
            let value = try body()
            if try storedAnchor() == anchor { return value }
        }
    }

    /// The rows from `seq` up to the anchor, out of the segments, until `visit` answers false.
    /// - Returns: false when it did.
    func eachMoved(from seq: UInt64, visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) -> Bool {
        var next = max(seq, base.seq + 1)
        while next <= anchor.seq {
            let rows = try moved(holding: next)
            for row in rows[Int(next - rows[0].seq)...] where row.seq <= anchor.seq {
                guard try query({ () throws(DatabaseError) in try visit(row) }) else { return false }
            }
            next = rows[0].seq + UInt64(rows.count)
        }
        return true
    }

    /// The rows of these numbers, which have all moved.
    func moved(_ seqs: [UInt64]) throws(StoreError) -> [EntryRow] {
        var found: [EntryRow] = []
        for seq in seqs {
            let rows = try moved(holding: seq)
            found.append(rows[Int(seq - rows[0].seq)])
        }
        return found
    }

    /// The moved rows of these numbers as the files have them now; those of a file that cannot be read are left out.
    func storedMoved(from: UInt64, through: UInt64) -> [EntryRow] {
        guard let shelf else { return [] }
        shelf.forget()
        var found: [EntryRow] = []
        var next = from
        while next <= through {
            let (name, first) = shelf.name(of: next, after: base.seq)
            found += ((try? shelf.read(name, first)) ?? []).filter { $0.seq >= next && $0.seq <= through }
            next = first + shelf.rows
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
        do throws(StoreError) { return try shelf.rows(holding: seq, after: base.seq) } catch {
            // A file may hold entries that have not left the table yet: those are there.
            guard case .missing(let from, let to, let words) = error else { throw error }
            throw .missing(from: from, to: min(to, anchor.seq), words)
        }
    }
}
