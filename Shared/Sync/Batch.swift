// A run of ledger entries on the wire: compressed, without their hashes; the far side recomputes the chain and meets the last hash or refuses.
package import Ledger
package import Values
package import Wire

/// Why a batch was refused before or while its chain was recomputed.
package enum BatchError: Error, Equatable, Sendable {
    case truncated
    /// Bytes left over after the declared number of entries.
    case trailing(bytes: Int)
    case count(UInt32)
    case compression(CompressionError)
    /// An entry's body or reference is longer than the ledger allows.
    case entryTooLarge(at: Seq)
    /// The entries do not follow one another by the chain's rules.
    case chain(ChainError)
    /// The recomputed last hash differs from the one the sender named.
    case lastHash(at: Seq)
    /// A checkpoint, or a change of the key, that the ledger's own key did not sign.
    case signature(at: Seq)
}

/// Entries `from ... to` with the hashes before and at their end.
package struct Batch: Hashable, Sendable {
    /// No more entries than this in one batch, so that one commit stays short.
    package static let entriesMax = 4_096
    /// Uncompressed bytes a sender puts into one batch; incompressible entries still fit a frame.
    package static let rawBytesTarget = 900_000
    /// Uncompressed bytes a receiver unpacks at most.
    package static let rawBytesMax = 4 << 20
    /// from, count, previous hash, last hash.
    private static let headerBytes = 8 + 4 + 32 + 32

    /// The entry before the first one.
    package let previous: Head
    /// The last entry as the sender has it.
    package let last: Head
    /// Without hashes (empty arrays) until `verified`.
    package private(set) var entries: [Entry]
    /// Uncompressed size, what credit counts.
    package let rawBytes: Int

    /// An upper bound of what one entry adds to a batch, in bytes before compression.
    package static func size(of entry: Entry) -> Int { entry.body.count + entry.ref.count + 72 }

    /// As many of these as go into one batch: at least one when there is one.
    package static func fitting(_ entries: [Entry]) -> [Entry] {
        var (count, bytes) = (0, 0)
        while count < min(entries.count, entriesMax) {
            bytes += size(of: entries[count])
            guard count == 0 || bytes <= rawBytesTarget else { break }
            count += 1
        }
        return Array(entries.prefix(count))
    }

    /// The body of a BATCH frame and its uncompressed size. `entries` are consecutive and hashed, 1 to `entriesMax` of them.
    package static func encode(_ entries: [Entry]) -> (body: [UInt8], rawBytes: Int) { encode(entries[...]) }

    /// The same of a part of some entries, where they are.
    package static func encode(_ entries: ArraySlice<Entry>) -> (body: [UInt8], rawBytes: Int) {
        guard let first = entries.first, let last = entries.last, entries.count <= entriesMax else {
            preconditionFailure("a batch of \(entries.count) entries")
        }
        precondition(last.seq.raw - first.seq.raw == UInt64(entries.count - 1), "a batch with holes: \(first.seq)...\(last.seq)")
        var packer = EntryPacker(reserving: entries.reduce(0) { $0 + size(of: $1) })
        for entry in entries { packer.pack(entry) }
        let block = Compression.compress(packer.bytes)
        var out = ByteWriter(reserving: headerBytes + block.count)
        out.little(first.seq.raw); out.little(UInt32(entries.count)); out.append(first.previous); out.append(last.hash); out.append(block)
        return (out.bytes, packer.bytes.count)
    }

    /// Unpacks a BATCH body. The entries carry no hashes yet and prove nothing.
    package init(_ body: [UInt8]) throws(BatchError) {
        let from: UInt64, count: UInt32, before: [UInt8], after: [UInt8], block: [UInt8]
        do {
            var reader = ByteReader(body)
            from = try reader.little(UInt64.self); count = try reader.little(UInt32.self)
            before = try reader.take(32); after = try reader.take(32); block = try reader.take(reader.remaining)
        } catch { throw .truncated }
        guard from > 0, from < UInt64(Int64.max) - UInt64(Batch.entriesMax), count > 0, count <= Batch.entriesMax else { throw .count(count) }
        let raw: [UInt8]
        do { raw = try Compression.decompress(block, limit: Batch.rawBytesMax) } catch { throw .compression(error) }
        var unpacker = EntryUnpacker(raw)
        entries = []
        entries.reserveCapacity(Int(count))
        for index in 0..<UInt64(count) { entries.append(try unpacker.unpack(Seq(from + index))) }
        guard unpacker.remaining == 0 else { throw .trailing(bytes: unpacker.remaining) }
        previous = Head(seq: Seq(from - 1), hash: before)
        last = Head(seq: Seq(from + UInt64(count) - 1), hash: after)
        rawBytes = raw.count
    }

    /// Recomputes the hashes of the entries after `verifier`'s head, which must be this batch's `previous`, and compares the last one.
    package mutating func verify(with verifier: inout ChainVerifier) throws(BatchError) {
        precondition(verifier.head.seq == previous.seq, "verified from \(verifier.head.seq), the batch begins after \(previous.seq)")
        for index in entries.indices {
            do { try verifier.complete(&entries[index]) } catch { throw .chain(error) }
        }
        guard verifier.head == last else { throw .lastHash(at: last.seq) }
    }
}

/// Entries to bytes: times as differences from the entry before, everything of unknown size as a varint. Both clocks run alike but when one is set:
/// of the boot clock only that is said by how much it moved on otherwise than the wall clock.
private struct EntryPacker {
    private(set) var bytes: [UInt8] = []
    private var before: EntryPlace?

    init(reserving capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func pack(_ entry: Entry) {
        let place = EntryPlace(boot: entry.boot, epoch: entry.epoch, wall: entry.wall.nanoseconds, mono: entry.mono.nanoseconds)
        let base = before.flatMap { $0.boot == place.boot && $0.epoch == place.epoch ? $0 : nil }
        bytes.append(base == nil ? 0 : 1)
        if base == nil { varint(UInt64(entry.epoch)); varint(entry.boot.raw) }
        difference(place.wall, base?.wall ?? 0)
        difference(place.mono, base.map { $0.mono &+ (place.wall &- $0.wall) } ?? 0)
        difference(entry.hlc, place.wall)
        varint(UInt64(entry.kind)); varint(UInt64(entry.kindVersion)); varint(UInt64(entry.flags.rawValue))
        varint(UInt64(entry.ref.count)); bytes.append(contentsOf: entry.ref)
        varint(UInt64(entry.body.count)); bytes.append(contentsOf: entry.body)
        before = place
    }

    private mutating func difference(_ value: Int64, _ base: Int64) {
        let gap = value &- base
        varint(UInt64(bitPattern: (gap << 1) ^ (gap >> 63)))
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 { bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80); rest >>= 7 }
        bytes.append(UInt8(rest))
    }
}

/// What the next entry is told by.
private struct EntryPlace {
    let boot: Boot, epoch: UInt32, wall: Int64, mono: Int64
}

/// Bytes back to entries; every length is checked before it is used.
private struct EntryUnpacker {
    private let bytes: [UInt8]
    private var at = 0
    private var before: EntryPlace?

    init(_ bytes: [UInt8]) { self.bytes = bytes }
    var remaining: Int { bytes.count - at }

    mutating func unpack(_ seq: Seq) throws(BatchError) -> Entry {
        guard remaining > 0 else { throw .truncated }
        let mark = bytes[at]
        at += 1
        guard mark <= 1, mark == 0 || before != nil else { throw .truncated }
        var epoch = before?.epoch ?? 0
        var boot = before?.boot ?? Boot(raw: 0)
        if mark == 0 {
            epoch = try number(UInt32.self); boot = Boot(raw: try varint())
        }
        let base = mark == 1 ? before : nil
        let wall = try difference(base?.wall ?? 0)
        let mono = try difference(base.map { $0.mono &+ (wall &- $0.wall) } ?? 0)
        let hlc = try difference(wall)
        let kind = try number(UInt16.self), version = try number(UInt16.self), flags = try number(UInt16.self)
        let ref = try slice(limit: 255, seq)
        before = EntryPlace(boot: boot, epoch: epoch, wall: wall, mono: mono)
        return Entry(
            seq: seq, epoch: epoch, boot: boot, wall: Instant(nanoseconds: wall), mono: Span(nanoseconds: mono), hlc: hlc, kind: kind,
            kindVersion: version, flags: EntryFlags(rawValue: flags), ref: ref, body: try slice(limit: JSONLimits.body.bytes, seq), previous: [],
            hash: [])
    }

    private mutating func slice(limit: Int, _ seq: Seq) throws(BatchError) -> [UInt8] {
        let count = try varint()
        guard count <= UInt64(limit) else { throw .entryTooLarge(at: seq) }
        guard Int(count) <= remaining else { throw .truncated }
        defer { at += Int(count) }
        return Array(bytes[at..<at + Int(count)])
    }

    private mutating func difference(_ base: Int64) throws(BatchError) -> Int64 {
        let folded = try varint()
        return base &+ (Int64(bitPattern: folded >> 1) ^ (0 &- Int64(folded & 1)))
    }

    private mutating func number<T: FixedWidthInteger>(_: T.Type) throws(BatchError) -> T {
        guard let value = T(exactly: try varint()) else { throw .truncated }
        return value
    }

    private mutating func varint() throws(BatchError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < bytes.count, shift < 64 {
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .truncated
    }
}
