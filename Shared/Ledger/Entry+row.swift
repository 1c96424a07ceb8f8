// Entries as stored rows and back: the bytes that are hashed never change on the way.
package import Values
package import Wire

/// A stored row that no writer of ours can have written.
package enum RowError: Error, Equatable, Sendable {
    /// The subject has more than 255 bytes.
    case ref(at: Seq, length: Int)
    /// A hash is not 32 bytes long.
    case hashLength(at: Seq, length: Int)
    /// The body is longer than an entry may be.
    case body(at: Seq, length: Int)
}

extension Entry {
    /// The longest body of an entry, checked before anything parses it: 64 KiB.
    package static let bodyBytesMax = 65_536

    /// The row to store.
    package var row: EntryRow {
        EntryRow(
            seq: seq.raw, epoch: epoch, boot: boot.raw, wall: wall.nanoseconds, mono: mono.nanoseconds, hlc: hlc, kind: kind, kver: kindVersion,
            flags: flags.rawValue, ref: ref.isEmpty ? nil : ref, body: body, prev: previous, hash: hash)
    }

    /// The entry of a stored row. Its hash is not checked here: hand it to a `ChainVerifier`.
    package init(_ row: EntryRow) throws(RowError) {
        let seq = Seq(row.seq)
        guard (row.ref?.count ?? 0) <= 255 else { throw .ref(at: seq, length: row.ref?.count ?? 0) }
        guard row.prev.count == 32 else { throw .hashLength(at: seq, length: row.prev.count) }
        guard row.hash.count == 32 else { throw .hashLength(at: seq, length: row.hash.count) }
        guard row.body.count <= Entry.bodyBytesMax else { throw .body(at: seq, length: row.body.count) }
        self.init(
            seq: seq, epoch: row.epoch, boot: Boot(raw: row.boot), wall: Instant(nanoseconds: row.wall), mono: Span(nanoseconds: row.mono),
            hlc: row.hlc,
            kind: row.kind, kindVersion: row.kver, flags: EntryFlags(rawValue: row.flags), ref: row.ref ?? [], body: row.body, previous: row.prev,
            hash: row.hash)
    }
}
