// The entry of the ledger, the draft it is made from, and the head of a chain.
package import Values
package import Wire

/// Header flags of an entry.
package struct EntryFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    /// Bit 0: the wall clock was not synchronised, or was clamped.
    package static let clockUnsound = EntryFlags(rawValue: 1)
    /// Bit 1: written while the disk had no room but the reserve.
    package static let degraded = EntryFlags(rawValue: 2)
    /// Bit 2: replayed from the broker's history, not seen live.
    package static let replayed = EntryFlags(rawValue: 4)
}

/// One numbered, hashed record. `body` is canonical JSON: the bytes stored are the bytes hashed.
package struct Entry: Hashable, Sendable {
    package var seq: Seq
    package var epoch: UInt32
    package var boot: Boot
    /// Wall clock as read; may jump.
    package var wall: Instant
    /// Boot clock since this boot's first entry; never decreases inside a boot.
    package var mono: Span
    /// Hybrid clock, strictly increasing; for order only.
    package var hlc: Int64
    package var kind: UInt16
    package var kindVersion: UInt16
    package var flags: EntryFlags
    /// The subject: an intent's 16 bytes, a command's id, or empty.
    package var ref: [UInt8]
    package var body: [UInt8]
    /// Hash of the entry before; 32 zeros for the first.
    package var previous: [UInt8]
    package var hash: [UInt8]

    package init(
        seq: Seq, epoch: UInt32, boot: Boot, wall: Instant, mono: Span, hlc: Int64, kind: UInt16, kindVersion: UInt16, flags: EntryFlags,
        ref: [UInt8],
        body: [UInt8], previous: [UInt8], hash: [UInt8]
    ) {
        self.seq = seq; self.epoch = epoch; self.boot = boot; self.wall = wall; self.mono = mono; self.hlc = hlc; self.kind = kind
        self.kindVersion = kindVersion; self.flags = flags; self.ref = ref; self.body = body; self.previous = previous; self.hash = hash
    }

    /// The position of this entry in its chain.
    package var head: Head { Head(seq: seq, hash: hash) }
}

/// The last entry of a chain: its number and hash. `Head.start` stands before the first.
package struct Head: Hashable, Sendable {
    package var seq: Seq
    package var hash: [UInt8]
    package init(seq: Seq, hash: [UInt8]) { self.seq = seq; self.hash = hash }
    package static let start = Head(seq: Seq(0), hash: [UInt8](repeating: 0, count: 32))
}

/// A fact on its way to become an entry.
package struct Draft: Hashable, Sendable {
    package var fact: Fact
    package var flags: EntryFlags
    /// The lines of double entry; only for kinds that have them. Whoever numbers the draft sets them, from the book of that moment.
    package var postings: [Posting] = []
    package init(_ fact: Fact, flags: EntryFlags = []) { self.fact = fact; self.flags = flags }

    /// The body to write, at the present version of its kind.
    package func body(edge: EdgeID, boot: Boot, seq: Seq) -> JSONValue {
        let body = fact.body(edge: edge, boot: boot, seq: seq)
        guard fact.kind.hasPostings, case .object(let members) = body else { return body }
        return .object(members + [JSONMember("postings", .array(postings.map(\.value)))])
    }
}
