// A segment: 4,096 old entries of a log in one immutable, compressed file, with what it begins after, what it ends with, and a hash over all.
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
    private static let magic = Array("tidewire.segment".utf8)
    private static let trailerBytes = 32 + 32 + 32
    /// No body is longer than 64 KiB, no subject than 255 bytes.
    private static let rawBytesMax = Int(rows) * 66_000

    /// Domain, first number, count, zstd of the rows without what follows from the row before; then the first previous hash, the last hash, and
    /// BLAKE2b-256 of everything before that.
    package static func encode(_ rows: [EntryRow]) -> [UInt8] {
        precondition(
            !rows.isEmpty && zip(rows, rows.dropFirst()).allSatisfy { $1.seq == $0.seq + 1 && $1.prev == $0.hash }, "rows that do not follow")
        var raw = ByteWriter(reserving: rows.reduce(0) { $0 + $1.byteCount })
        for row in rows {
            raw.little(row.epoch); raw.little(row.boot); raw.little(row.wall); raw.little(row.mono); raw.little(row.hlc)
            raw.little(row.kind); raw.little(row.kver); raw.little(row.flags)
            // One more than the length: an empty subject is not none.
            raw.little(UInt16((row.ref?.count ?? -1) + 1)); raw.append(row.ref ?? [])
            raw.little(UInt32(row.body.count)); raw.append(row.body); raw.append(row.hash)
        }
        let packed = Compression.compress(raw.bytes)
        var out = ByteWriter(reserving: packed.count + 160)
        out.append(magic); out.little(rows[0].seq); out.little(UInt32(rows.count)); out.append(packed)
        out.append(rows[0].prev); out.append(rows[rows.count - 1].hash)
        out.append(Hashing.blake2b(out.bytes))
        return out.bytes
    }

    /// The rows of a file whose hash is right; whether they hash into the chain is for whoever understands them.
    package static func decode(_ bytes: [UInt8]) throws(SegmentError) -> [EntryRow] {
        let header = magic.count + 12
        guard bytes.count > header + trailerBytes, bytes.starts(with: magic) else { throw SegmentError("it does not begin or end as it must") }
        guard Hashing.blake2b(bytes, in: 0..<bytes.count - 32).elementsEqual(bytes.suffix(32)) else {
            throw SegmentError("its bytes do not give its hash")
        }
        do throws(BytesError) {
            var head = ByteReader(bytes, at: magic.count)
            let first = try head.little(UInt64.self), count = Int(try head.little(UInt32.self))
            let raw: [UInt8]
            do throws(CompressionError) {
                raw = try Compression.decompress(bytes, in: header..<bytes.count - trailerBytes, limit: rawBytesMax)
            } catch { throw BytesError(at: header, wanted: 0) }
            var reader = ByteReader(raw)
            var trailer = ByteReader(bytes, at: bytes.count - trailerBytes)
            var previous = try trailer.take(32)
            let last = try trailer.take(32)
            var rows: [EntryRow] = []
            rows.reserveCapacity(count)
            while rows.count < count {
                var row = EntryRow(
                    seq: first + UInt64(rows.count), epoch: try reader.little(UInt32.self), boot: try reader.little(UInt64.self),
                    wall: try reader.little(Int64.self), mono: try reader.little(Int64.self), hlc: try reader.little(Int64.self),
                    kind: try reader.little(UInt16.self), kver: try reader.little(UInt16.self), flags: try reader.little(UInt16.self), ref: nil,
                    body: [], prev: previous, hash: [])
                let ref = Int(try reader.little(UInt16.self))
                if ref > 0 { row.ref = try reader.take(ref - 1) }
                row.body = try reader.take(Int(try reader.little(UInt32.self)))
                row.hash = try reader.take(32)
                previous = row.hash
                rows.append(row)
            }
            guard reader.remaining == 0, previous == last, !rows.isEmpty else { throw BytesError(at: reader.at, wanted: 0) }
            return rows
        } catch { throw SegmentError("it cannot be read at byte \(error.at)") }
    }

    /// The file of the entries from `first` on, beside the log `stem`; names sort as their entries do.
    package static func name(_ stem: String, first: UInt64) -> String {
        let digits = String(first)
        return "\(stem)-" + String(repeating: "0", count: max(0, 20 - digits.count)) + digits + ".seg"
    }
}
