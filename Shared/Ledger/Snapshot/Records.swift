// A long list of records in pieces of a fixed size: what came out of a snapshot stays packed until somebody looks at it.
internal import Wire

/// A record that can be packed and comes back equal.
package protocol Packable: Hashable, Sendable {
    /// Every member, in a fixed order.
    var canonical: [UInt8] { get }
    init(_ reader: inout Unpacker) throws(PackError)
}

/// A part of a snapshot, with the hash of its bytes. One that was read stays where it is in the file's bytes.
package struct PackedPiece: Hashable, Sendable {
    let source: [UInt8]
    let range: Range<Int>
    /// BLAKE2b-256 of `bytes`.
    package let hash: [UInt8]
    init(in source: [UInt8], _ range: Range<Int>, hash: [UInt8]) { self.source = source; self.range = range; self.hash = hash }
    package var bytes: [UInt8] { range == source.indices ? source : Array(source[range]) }
    package var count: Int { range.count }
}

/// Records in the order they were added. Only ever appended to and changed in place; a place once given stays. Full pieces may be packed: reading
/// one record of a packed piece unpacks the piece, which takes a fraction of a millisecond, so whoever reads many walks with `forEach`, an
/// iterator or `backward`. Pieces are opened for good by a change, or one at a time by `openNext` when there is time.
package struct Records<Record: Packable>: RandomAccessCollection, Sendable {
    /// What is packed says what the records say.
    private struct Piece {
        var packed: PackedPiece?
        /// None for a piece that is packed only.
        var records: [Record] = []
        var isOpen: Bool { !records.isEmpty }
    }
    private var pieces: [Piece] = []
    package private(set) var count = 0
    /// Pieces from here on, down to 0, may still be packed only.
    private var openedFrom = 0

    package init() {}

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package subscript(place: Int) -> Record {
        _read {
            precondition(place >= 0 && place < count, "there is no record \(place)")
            let (piece, offset) = place.quotientAndRemainder(dividingBy: Records.pieceSize)
            if pieces[piece].isOpen {
                // Looked at where it is: a record holds a dozen texts.
                yield pieces[piece].records[offset]
            } else {
                yield Records.unpacked(pieces[piece])[offset]
            }
        }
    }

    package mutating func append(_ record: Record) {
        if count % Records.pieceSize == 0 { pieces.append(Piece()) } else { open(pieces.count - 1) }
        pieces[pieces.count - 1].packed = nil
        pieces[pieces.count - 1].records.append(record)
        count += 1
    }

    /// Changes a record in its place.
    package mutating func change(_ place: Int, _ body: (inout Record) -> Void) {
        precondition(place >= 0 && place < count, "there is no record \(place)")
        let (piece, offset) = place.quotientAndRemainder(dividingBy: Records.pieceSize)
        open(piece)
        pieces[piece].packed = nil
        body(&pieces[piece].records[offset])
    }

    // MARK: - Walking

    /// From the newest record to the oldest, until `visit` answers false.
    package func backward(_ visit: (Record) -> Bool) {
        for place in pieces.indices.reversed() {
            if pieces[place].isOpen {
                // Each is looked at where it is.
                for offset in pieces[place].records.indices.reversed() where !visit(pieces[place].records[offset]) { return }
            } else {
                for record in Records.unpacked(pieces[place]).reversed() where !visit(record) { return }
            }
        }
    }
    /// From one place to the newest record, until `visit` answers false.
    package func forward(from start: Int, _ visit: (Record) -> Bool) {
        guard start < count else { return }
        let (first, offset) = start.quotientAndRemainder(dividingBy: Records.pieceSize)
        for place in first..<pieces.count {
            for record in Records.unpacked(pieces[place]).dropFirst(place == first ? offset : 0) where !visit(record) { return }
        }
    }
    /// The newest record that fits.
    package func last(where fits: (Record) -> Bool) -> Record? {
        var found: Record?
        backward { record in
            if fits(record) { found = record }
            return found == nil
        }
        return found
    }
    /// The newest records, newest first, at most `limit` of those that fit.
    package func newest(_ limit: Int, where fits: (Record) -> Bool = { _ in true }) -> [Record] {
        guard limit > 0 else { return [] }
        var found: [Record] = []
        backward { record in
            if fits(record) { found.append(record) }
            return found.count < limit
        }
        return found
    }

    package struct Iterator: IteratorProtocol {
        private let list: Records
        private var piece = 0
        private var records: ArraySlice<Record> = []
        fileprivate init(_ list: Records) { self.list = list }
        package mutating func next() -> Record? {
            while records.isEmpty {
                guard piece < list.pieces.count else { return nil }
                records = Records.unpacked(list.pieces[piece])[...]
                piece += 1
            }
            return records.removeFirst()
        }
    }
    package func makeIterator() -> Iterator { Iterator(self) }

    // MARK: - Packing

    /// How many records a full piece has: small enough that unpacking one is not felt.
    package static var pieceSize: Int { 256 }
    /// Pieces, the last of them perhaps not full.
    package var pieceCount: Int { pieces.count }

    /// A piece as it goes into a snapshot; nil for one whose records do not come back from their packed form.
    package func packed(_ piece: Int) -> PackedPiece? { pieces[piece].packed ?? Records.pack(pieces[piece].records) }

    /// Packs one full piece that is not, the oldest first, and keeps its records at hand: what a snapshot needs is ready then.
    /// - Returns: false when there was none, or none that packs: whoever makes the snapshot meets that one.
    package mutating func packNext() -> Bool {
        let full = count / Records.pieceSize
        guard let piece = pieces[..<full].firstIndex(where: { $0.packed == nil }), let packed = packed(piece) else { return false }
        pieces[piece].packed = packed
        return true
    }

    /// Opens one piece that is packed only, the newest first; false when there is none left.
    package mutating func openNext() -> Bool {
        while openedFrom > 0 {
            openedFrom -= 1
            guard openedFrom < pieces.count, !pieces[openedFrom].isOpen else { continue }
            open(openedFrom)
            return true
        }
        return false
    }

    /// A list as a snapshot has it: pieces whose hashes were checked.
    /// - Parameter count: of all records.
    package init(packed: [PackedPiece], count: Int) throws(PackError) {
        guard packed.count == (count + Records.pieceSize - 1) / Records.pieceSize else { throw PackError(at: 0) }
        pieces = packed.map { Piece(packed: $0) }
        self.count = count
        openedFrom = pieces.count
        // The newest are looked at all the time.
        for place in pieces.indices.suffix(2) {
            let records = try Records.unpack(packed[place].bytes)
            let expected = place == pieces.count - 1 ? count - place * Records.pieceSize : Records.pieceSize
            guard records.count == expected else { throw PackError(at: 0) }
            pieces[place].records = records
        }
    }

    private mutating func open(_ piece: Int) {
        if !pieces[piece].isOpen { pieces[piece].records = Records.unpacked(pieces[piece]) }
    }

    private static func pack(_ records: [Record]) -> PackedPiece? {
        var out = ByteWriter(reserving: records.count * 320)
        out.list(records) { $1.append($0.canonical) }
        let bytes = Compression.compress(out.bytes)
        // What is read back otherwise would be noticed long after its records are gone from memory. The records stand in the ledger: without a
        // snapshot of them the next start reads that.
        guard (try? unpack(bytes)) == records else { return nil }
        return PackedPiece(bytes)
    }

    private static func unpacked(_ piece: Piece) -> [Record] {
        if piece.isOpen { return piece.records }
        // Its hash was checked when it was read, and what was hashed came back when it was packed.
        guard let records = try? unpack(piece.packed?.bytes ?? []) else { preconditionFailure("packed records cannot be read: memory is damaged") }
        return records
    }

    private static func unpack(_ bytes: [UInt8]) throws(PackError) -> [Record] {
        let plain: [UInt8]
        do throws(CompressionError) { plain = try Compression.decompress(bytes, limit: bytesMax) } catch { throw PackError(at: 0) }
        var reader = Unpacker(plain)
        let records = try reader.list { reader throws(PackError) in try Record(&reader) }
        try reader.finish()
        return records
    }
    /// A record holds the texts of two bodies at most: of an order its intent and the broker's last words, of a fill the execution and its
    /// correction. Its numbers and words of a fixed form are less than 1 KiB.
    private static var bytesMax: Int { pieceSize * (2 * Entry.bodyBytesMax + 1_024) }
}
