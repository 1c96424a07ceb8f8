// The entry that makes a snapshot count: which file holds the fold of everything up to an entry, and by which hashes it is known.
package import Values
internal import Wire

/// A snapshot of the fold, durable before this is written.
package struct SnapshotFact: Hashable, Sendable {
    /// The last entry that is in it.
    package var seq: Seq
    /// `Book.digest()` after that entry; 32 bytes.
    package var book: [UInt8]
    /// BLAKE2b-256 of what is folded beside the book (see `Milestones`); 32 bytes.
    package var milestones: [UInt8]
    /// The file's name, beside the ledger.
    package var file: String
    /// Its length.
    package var bytes: Int64
    /// BLAKE2b-256 of the file's table, which holds the hash of each of its parts; 32 bytes.
    package var hash: [UInt8]
    package init(seq: Seq, book: [UInt8], milestones: [UInt8], file: String, bytes: Int64, hash: [UInt8]) {
        self.seq = seq; self.book = book; self.milestones = milestones; self.file = file; self.bytes = bytes; self.hash = hash
    }
}

extension SnapshotFact {
    func write(into out: inout FieldWriter) {
        out.put("seq", Int64(clamping: seq.raw)); out.put("file", file); out.put("bytes", bytes); out.put("hash", Hex.text(hash))
        out.put("digests", ["book": .string(Hex.text(book)), "milestones": .string(Hex.text(milestones))])
    }
    init(_ f: Fields) throws(CodecError) {
        guard let seq = UInt64(exactly: try f.integer("seq")) else { throw .badValue("seq") }
        let digests = try Fields(f.raw("digests"))
        self.init(
            seq: Seq(seq), book: try digests.bytes("book", count: 32), milestones: try digests.bytes("milestones", count: 32),
            file: try f.text("file"), bytes: try f.integer("bytes"), hash: try f.bytes("hash", count: 32))
    }
}
