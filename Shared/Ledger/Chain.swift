// Numbering and hashing of entries, and the check that a stored chain is whole.
package import Values
package import Wire

/// Why a stored or received entry does not continue the chain.
package enum ChainError: Error, Equatable, Sendable {
    case gap(expected: Seq, found: Seq)
    case previousHash(at: Seq)
    case hash(at: Seq)
    case clockOrder(at: Seq)
    case monotonicOrder(at: Seq)
    case noBoot(at: Seq)
    case epoch(at: Seq)
}

/// The clocks of one turn, read once by the shell.
package struct ClockReading: Hashable, Sendable {
    package var wall: Instant
    /// CLOCK_BOOTTIME.
    package var monotonic: Span
    /// False when the system says that its clock is not synchronised.
    package var isSynchronised: Bool
    package init(wall: Instant, monotonic: Span, isSynchronised: Bool = true) {
        self.wall = wall; self.monotonic = monotonic; self.isSynchronised = isSynchronised
    }
}

/// The writer's end of a chain: turns drafts into entries. Only the loop that owns the journal holds one.
package struct Chain: Sendable {
    package let edge: EdgeID
    package let boot: Boot
    package private(set) var epoch: UInt32
    package private(set) var head: Head
    private var hlc: Int64
    private var firstMonotonic: Span?
    private var lastMono = Span.zero
    private var lastGood: ClockReading?

    /// Continues after `last` (nil for an empty ledger). The first draft numbered must be a `.boot` fact.
    package init(edge: EdgeID, boot: Boot, last: Entry?) {
        self.edge = edge; self.boot = boot
        epoch = last?.epoch ?? 1
        head = last?.head ?? .start
        hlc = last?.hlc ?? 0
    }

    /// The number that the next draft will get.
    package var nextSeq: Seq { head.seq.next }

    /// Numbers and hashes one draft. Throws when the fact's body has no canonical form or is too large; the chain is then unchanged.
    package mutating func append(_ draft: Draft, at clock: ClockReading) throws(CanonicalError) -> Entry {
        precondition(head.seq.raw < UInt64(Int64.max), "the ledger is full")
        if case .boot = draft.fact {} else { precondition(firstMonotonic != nil, "the first entry of a run is its boot") }
        let seq = nextSeq
        var epoch = epoch
        if case .lineage = draft.fact { epoch += 1 }
        var flags = draft.flags
        if !clock.isSynchronised { flags.insert(.clockUnsound) }
        // A wall clock over 60 s ahead of where the boot clock says it should be does not drag the hybrid clock with it.
        var forOrder = clock.wall
        if let good = lastGood, clock.wall > good.wall + (clock.monotonic - good.monotonic) + .seconds(60) {
            forOrder = good.wall + (clock.monotonic - good.monotonic); flags.insert(.clockUnsound)
        } else {
            lastGood = clock
        }
        let start = firstMonotonic ?? clock.monotonic
        let mono = max(clock.monotonic - start, lastMono)
        var entry = Entry(
            seq: seq, epoch: epoch, boot: boot, wall: clock.wall, mono: mono, hlc: max(hlc + 1, forOrder.nanoseconds), kind: draft.fact.kind.rawValue,
            kindVersion: draft.fact.kind.version, flags: flags, ref: draft.fact.ref(boot: boot, seq: seq),
            body: try Chain.text(of: draft.body(edge: edge, boot: boot, seq: seq)), previous: head.hash, hash: [])
        entry.hash = Chain.hash(entry, edge: edge)
        self.epoch = epoch; firstMonotonic = start; lastMono = mono; hlc = entry.hlc; head = entry.head
        return entry
    }

    /// The canonical text of a body. One that is too large for an entry is written with its words cut: a fact must not be lost, nor end the
    /// process, because somebody talked too long.
    private static func text(of body: JSONValue) throws(CanonicalError) -> [UInt8] {
        do throws(CanonicalError) { return try JSONWriter.canonical(body) } catch {
            guard case .tooLarge = error else { throw error }
            return try JSONWriter.canonical(body.cut(to: Chain.wordsBytesMax))
        }
    }
    /// What is left of each text of a body that is too large, in bytes.
    private static let wordsBytesMax = 1_024

    /// The bytes that are hashed: domain, fixed little-endian header, body.
    package static func hashedBytes(_ entry: Entry, edge: EdgeID) -> [UInt8] {
        let count = hashedCount(entry)
        return [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            var out = RawWriter(UnsafeMutableRawBufferPointer(room))
            write(entry, edge, into: &out)
            filled = out.count
        }
    }

    private static let domain = Array("tidewire.ledger1".utf8)
    /// Domain, algorithm, edge, epoch, number, boot, three clocks, kind, version, flags, length of the subject, length of the body, previous hash.
    private static let headerBytes = 16 + 1 + 16 + 4 + 8 + 8 + 3 * 8 + 3 * 2 + 1 + 4 + 32

    private static func hashedCount(_ entry: Entry) -> Int { headerBytes + entry.ref.count + entry.body.count }

    private static func write(_ entry: Entry, _ edge: EdgeID, into out: inout RawWriter) {
        precondition(entry.ref.count <= 255 && entry.previous.count == 32, "malformed entry \(entry.seq)")
        out.append(domain)
        let owner = edge.words
        out.little(UInt8(1)); out.little(owner.high.byteSwapped); out.little(owner.low.byteSwapped); out.little(entry.epoch);
        out.little(entry.seq.raw); out.little(entry.boot.raw)
        out.little(entry.wall.nanoseconds); out.little(entry.mono.nanoseconds); out.little(entry.hlc)
        out.little(entry.kind); out.little(entry.kindVersion); out.little(entry.flags.rawValue)
        out.little(UInt8(entry.ref.count)); out.append(entry.ref)
        out.little(UInt32(entry.body.count)); out.append(entry.previous); out.append(entry.body)
    }

    /// BLAKE2b-256 of `hashedBytes`; plain `b2sum -l 256` gives the same.
    package static func hash(_ entry: Entry, edge: EdgeID) -> [UInt8] {
        Hashing.blake2b(count: hashedCount(entry)) { write(entry, edge, into: &$0) }
    }
}

/// What the clocks, the runs and the epochs of entries must say of the entries before them.
package struct ClockRules: Sendable {
    /// The beginning of the year 2200, in nanoseconds, and more decisions than anybody makes.
    private static let hlcMax: Int64 = 7_258_118_400_000_000_000, epochMax: UInt32 = 1 << 30
    /// What they need of the entry before.
    private var last: (boot: Boot, epoch: UInt32, mono: Span, hlc: Int64)?

    /// Nothing is known of the entry before: they begin with the first that comes.
    package init() {}

    /// They hold from an entry on that is known to be good.
    package init(after entry: Entry) { last = (entry.boot, entry.epoch, entry.mono, entry.hlc) }

    /// Takes the next entry, whose place in the chain is known to be right.
    package mutating func accept(_ entry: Entry) throws(ChainError) {
        let startsRun = last.map { $0.boot != entry.boot } ?? (entry.seq == Seq(1))
        if startsRun, entry.kind != Kind.boot.rawValue { throw .noBoot(at: entry.seq) }
        // The next entry's clock and epoch are counted from these: at the end of their ranges there is no next one.
        guard entry.hlc < ClockRules.hlcMax else { throw .clockOrder(at: entry.seq) }
        guard entry.epoch < ClockRules.epochMax else { throw .epoch(at: entry.seq) }
        if let last {
            guard entry.hlc > last.hlc else { throw .clockOrder(at: entry.seq) }
            // A new epoch is a person's word, and that word is its first entry.
            let raises = entry.kind == Kind.lineage.rawValue
            guard entry.epoch == (raises ? last.epoch &+ 1 : last.epoch) else { throw .epoch(at: entry.seq) }
            if entry.boot == last.boot, entry.mono < last.mono { throw .monotonicOrder(at: entry.seq) }
        }
        last = (entry.boot, entry.epoch, entry.mono, entry.hlc)
    }
}

/// The reader's end: walks entries in order and refuses the first that does not follow.
package struct ChainVerifier: Sendable {
    package let edge: EdgeID
    package private(set) var head: Head
    /// Entries accepted so far.
    package private(set) var count: UInt64 = 0
    /// What the next entry's clocks are held to.
    package private(set) var clocks: ClockRules

    /// Starts after `anchor`; the clock rules begin with the first entry seen.
    package init(edge: EdgeID, after anchor: Head = .start) { self.edge = edge; head = anchor; clocks = ClockRules() }

    /// Continues after an entry that is known to be good: the clock rules hold from there.
    package init(edge: EdgeID, after entry: Entry) { self.edge = edge; head = entry.head; clocks = ClockRules(after: entry) }

    /// Accepts the next entry, its stored hash included.
    package mutating func accept(_ entry: Entry) throws(ChainError) {
        guard entry.seq == head.seq.next else { throw .gap(expected: head.seq.next, found: entry.seq) }
        guard entry.previous == head.hash else { throw .previousHash(at: entry.seq) }
        guard entry.hash == Chain.hash(entry, edge: edge) else { throw .hash(at: entry.seq) }
        try follow(entry)
    }

    /// Accepts the next entry as it comes over the link, without hashes: fills in `previous` and `hash`. They are right only if a hash known from
    /// elsewhere is met later on; the caller compares.
    package mutating func complete(_ entry: inout Entry) throws(ChainError) {
        guard entry.seq == head.seq.next else { throw .gap(expected: head.seq.next, found: entry.seq) }
        entry.previous = head.hash
        entry.hash = Chain.hash(entry, edge: edge)
        try follow(entry)
    }

    private mutating func follow(_ entry: Entry) throws(ChainError) {
        try clocks.accept(entry)
        head = entry.head; count += 1
    }
}
