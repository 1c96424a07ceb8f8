// One row of the ledger's table, as bytes and numbers: what it means is the ledger's business.

/// A ledger entry as it is stored. Platform keeps it unchanged and understands none of it.
package struct EntryRow: Equatable, Sendable {
    /// 1, 2, 3… without holes.
    package var seq: UInt64
    package var epoch: UInt32
    /// 63 bits.
    package var boot: UInt64
    /// Nanoseconds since 1970 as read.
    package var wall: Int64
    /// Nanoseconds since this boot's first entry.
    package var mono: Int64
    package var hlc: Int64
    package var kind: UInt16
    package var kver: UInt16
    package var flags: UInt16
    /// The subject: what `EntryStore.entries(ref:)` finds it by.
    package var ref: [UInt8]?
    /// UTF-8 text, byte for byte as hashed.
    package var body: [UInt8]
    /// The hash of the entry before.
    package var prev: [UInt8]
    package var hash: [UInt8]

    package init(
        seq: UInt64, epoch: UInt32, boot: UInt64, wall: Int64, mono: Int64, hlc: Int64, kind: UInt16, kver: UInt16, flags: UInt16,
        ref: [UInt8]?, body: [UInt8], prev: [UInt8], hash: [UInt8]
    ) {
        self.seq = seq
        self.epoch = epoch
        self.boot = boot
        self.wall = wall
        self.mono = mono
        self.hlc = hlc
        self.kind = kind
        self.kver = kver
        self.flags = flags
        self.ref = ref
        self.body = body
        self.prev = prev
        self.hash = hash
    }

    /// The columns in the order of `columns`.
    init(_ row: borrowing Row) throws(DatabaseError) {
        let number = row.integer(0)
        func narrow<Number: FixedWidthInteger>(_ value: Int64, _ column: String) throws(DatabaseError) -> Number {
            guard let result = Number(exactly: value) else { throw .corrupt("entry \(number): \(column) \(value) is out of range") }
            return result
        }
        seq = try narrow(number, "seq")
        epoch = try narrow(row.integer(1), "epoch")
        boot = try narrow(row.integer(2), "boot")
        wall = row.integer(3)
        mono = row.integer(4)
        hlc = row.integer(5)
        kind = try narrow(row.integer(6), "kind")
        kver = try narrow(row.integer(7), "kver")
        flags = try narrow(row.integer(8), "flags")
        ref = row.optionalBytes(9)
        body = row.bytes(10)
        prev = row.bytes(11)
        hash = row.bytes(12)
    }

    static let columns = "seq, epoch, boot, wall, mono, hlc, kind, kver, flags, ref, body, prev, hash"
    /// The bytes it takes on the wire and in memory, roughly: what a reader's byte budget counts.
    package var byteCount: Int { 64 + (ref?.count ?? 0) + body.count + prev.count + hash.count }
}

/// The last entry of a log: what the next one follows.
package struct LogHead: Equatable, Sendable {
    /// 0 for an empty log.
    package var seq: UInt64
    /// 32 zero bytes for an empty log.
    package var hash: [UInt8]
    package init(seq: UInt64, hash: [UInt8]) {
        self.seq = seq
        self.hash = hash
    }
    /// Before the first entry.
    package static let empty = LogHead(seq: 0, hash: [UInt8](repeating: 0, count: 32))
}
