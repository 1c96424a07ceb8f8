// One stored entry as bytes and numbers, the common tongue of those who store it and those who understand it.

/// A ledger entry as it is stored. Whoever keeps rows keeps them unchanged and understands none of it.
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
    /// The subject: what a store finds it by.
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

    /// The bytes it takes on the wire and in memory, roughly: what a reader's byte budget counts.
    package var byteCount: Int { 64 + (ref?.count ?? 0) + body.count + prev.count + hash.count }
}

/// One line of the posting table.
package struct PostingRow: Hashable, Sendable {
    /// Its place in the entry's list, from 0.
    package let line: Int
    /// `cash:DU1`, as the body has it.
    package let account: String
    package let asset: String
    /// At 10⁻⁸.
    package let amount: Int64
    package init(line: Int, account: String, asset: String, amount: Int64) {
        self.line = line; self.account = account; self.asset = asset; self.amount = amount
    }
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

/// Numbers of a log that nobody has entries for: the entry before them, and the last of them, which the entry behind them follows.
package struct LogHole: Equatable, Sendable {
    package let after: LogHead
    package let last: LogHead
    package init(after: LogHead, last: LogHead) { self.after = after; self.last = last }
}
