// A segment: 4,096 old entries of a log in one immutable file of compressed blocks, with what it begins after, what it ends with, and a hash over all.
package import Wire

/// Why a segment file is not to be read, as a sentence's end.
package struct SegmentError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    init(_ words: String) { description = words }
}

/// Rows as a file: the bytes of a row are those that were hashed into the chain, none is lost or made anew.
package enum Segment {
    /// Entries of one file.
    package static let rows: UInt64 = 4_096
    fileprivate static let magic = Array("tidewire.segment".utf8)
    fileprivate static let trailerBytes = 32 + 32 + 32
    /// A frame of eight bytes that zstd's own tool passes over: it unpacks all blocks in one.
    fileprivate static let blockMark: (UInt32, UInt32) = (0x184D_2A50, 8)
    /// No body is longer than 64 KiB, no subject than 255 bytes.
    fileprivate static let rowBytesMax = 66_000

    /// All of these rows as one file of one block.
    package static func encode(_ rows: [EntryRow]) -> [UInt8] {
        var builder = SegmentBuilder()
        builder.append(rows)
        return builder.finished()
    }

    /// The rows of a file whose hash is right; whether they hash into the chain is for whoever understands them.
    package static func decode(_ bytes: [UInt8]) throws(SegmentError) -> [EntryRow] {
        var reader = try SegmentReader(bytes)
        var rows: [EntryRow] = []
        rows.reserveCapacity(reader.count)
        while let block = try reader.next() { rows += block }
        return rows
    }

    /// The file of the entries from `first` on, beside the log `stem`; names sort as their entries do.
    package static func name(_ stem: String, first: UInt64) -> String {
        let digits = String(first)
        return "\(stem)-" + String(repeating: "0", count: max(0, 20 - digits.count)) + digits + ".seg"
    }
}

/// Makes a file a block at a time: domain, first number, count; blocks, each a mark, its count, its length and zstd of its rows without what follows
/// from the row before; then the first previous hash, the last hash, and BLAKE2b-256 of everything before that.
package struct SegmentBuilder: Sendable {
    private var blocks = ByteWriter()
    private var first: EntryRow?
    private var last: EntryRow?
    private var count: UInt32 = 0
    package init() {}

    /// Adds a block of rows, which follow those before.
    package mutating func append(_ rows: [EntryRow]) {
        guard let end = rows.last else { return }
        var raw = ByteWriter(reserving: rows.reduce(0) { $0 + $1.byteCount })
        var before = last
        for row in rows {
            precondition(before.map { row.seq == $0.seq + 1 && row.prev == $0.hash } ?? true, "rows that do not follow")
            before = row
            raw.little(row.epoch); raw.little(row.boot); raw.little(row.wall); raw.little(row.mono); raw.little(row.hlc)
            raw.little(row.kind); raw.little(row.kver); raw.little(row.flags)
            // One more than the length: an empty subject is not none.
            raw.little(UInt16((row.ref?.count ?? -1) + 1)); raw.append(row.ref ?? [])
            raw.little(UInt32(row.body.count)); raw.append(row.body); raw.append(row.hash)
        }
        let packed = Compression.compress(raw.bytes)
        blocks.little(Segment.blockMark.0); blocks.little(Segment.blockMark.1)
        blocks.little(UInt32(rows.count)); blocks.little(UInt32(packed.count)); blocks.append(packed)
        first = first ?? rows[0]
        last = end
        count += UInt32(rows.count)
    }

    /// The whole file.
    package func finished() -> [UInt8] {
        guard let first, let last else { preconditionFailure("a segment without rows") }
        var out = ByteWriter(reserving: blocks.bytes.count + 160)
        out.append(Segment.magic); out.little(first.seq); out.little(count); out.append(blocks.bytes)
        out.append(first.prev); out.append(last.hash)
        out.append(Hashing.blake2b(out.bytes))
        return out.bytes
    }
}

/// Reads a file a block at a time; its hash is compared before anything is unpacked.
package struct SegmentReader: Sendable {
    /// The first row's number.
    package let first: UInt64
    package let count: Int
    private let end: Int
    private let last: [UInt8]
    private var reader: ByteReader
    private var given = 0
    private var previous: [UInt8]

    /// - Throws: for bytes that are no segment's or not as they were written.
    package init(_ bytes: [UInt8]) throws(SegmentError) {
        let header = Segment.magic.count + 12
        end = bytes.count - Segment.trailerBytes
        guard end > header, bytes.starts(with: Segment.magic) else { throw SegmentError("it does not begin or end as it must") }
        guard Hashing.blake2b(bytes, in: 0..<bytes.count - 32).elementsEqual(bytes.suffix(32)) else {
            throw SegmentError("its bytes do not give its hash")
        }
        do throws(BytesError) {
            reader = ByteReader(bytes, at: Segment.magic.count)
            first = try reader.little(UInt64.self)
            count = Int(try reader.little(UInt32.self))
            var trailer = ByteReader(bytes, at: end)
            previous = try trailer.take(32)
            last = try trailer.take(32)
            guard count > 0, count <= Segment.rows, first > 0, first < UInt64(Int64.max) - Segment.rows else {
                throw BytesError(at: header, wanted: 0)
            }
        } catch { throw SegmentError("it cannot be read at byte \(error.at)") }
    }

    /// The next block's rows; nil after the last, when all are there.
    package mutating func next() throws(SegmentError) -> [EntryRow]? {
        do throws(BytesError) {
            guard given < count else {
                guard reader.at == end, previous == last else { throw BytesError(at: reader.at, wanted: 0) }
                return nil
            }
            let mark = (try reader.little(UInt32.self), try reader.little(UInt32.self))
            let number = Int(try reader.little(UInt32.self)), length = Int(try reader.little(UInt32.self))
            guard mark == Segment.blockMark, number > 0, number <= count - given, length <= end - reader.at else {
                throw BytesError(at: reader.at, wanted: length)
            }
            let raw: [UInt8]
            let block = try reader.take(length)
            do throws(CompressionError) { raw = try Compression.decompress(block, limit: number * Segment.rowBytesMax) } catch {
                throw BytesError(at: reader.at, wanted: 0)
            }
            var unpacked = ByteReader(raw)
            var rows: [EntryRow] = []
            rows.reserveCapacity(number)
            while rows.count < number { rows.append(try row(&unpacked, UInt64(rows.count))) }
            guard unpacked.remaining == 0 else { throw BytesError(at: reader.at, wanted: 0) }
            given += number
            return rows
        } catch { throw SegmentError("it cannot be read at byte \(error.at)") }
    }

    private mutating func row(_ reader: inout ByteReader, _ place: UInt64) throws(BytesError) -> EntryRow {
        var row = EntryRow(
            seq: first + UInt64(given) + place, epoch: try reader.little(UInt32.self), boot: try reader.little(UInt64.self),
            wall: try reader.little(Int64.self), mono: try reader.little(Int64.self), hlc: try reader.little(Int64.self),
            kind: try reader.little(UInt16.self), kver: try reader.little(UInt16.self), flags: try reader.little(UInt16.self), ref: nil,
            body: [], prev: previous, hash: [])
        let ref = Int(try reader.little(UInt16.self))
        if ref > 0 { row.ref = try reader.take(ref - 1) }
        row.body = try reader.take(Int(try reader.little(UInt32.self)))
        row.hash = try reader.take(32)
        previous = row.hash
        return row
    }
}
