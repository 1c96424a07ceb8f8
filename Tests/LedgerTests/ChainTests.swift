// The chain: numbering, hashing, and every way in which a stored entry can fail to follow.
import Ledger
import Testing
import Values
import Wire

/// A ledger in memory for tests: drafts in, entries out, one millisecond apart.
struct TestLedger {
    static let edge = EdgeID(bytes: Array(0..<16)) ?? { preconditionFailure("16 bytes") }()
    var chain: Chain
    var entries: [Entry] = []
    var book = Book()
    var clock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(5))

    init(boot: UInt64 = 77) throws {
        chain = Chain(edge: TestLedger.edge, boot: Boot(raw: boot), last: nil)
        try add(.boot(BootFact(version: "0.1.0", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))
    }

    mutating func restart(boot: UInt64) throws {
        chain = Chain(edge: TestLedger.edge, boot: Boot(raw: boot), last: entries.last)
        try add(.boot(BootFact(version: "0.1.0", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))
    }

    @discardableResult mutating func add(_ fact: Fact, flags: EntryFlags = []) throws -> Entry {
        clock.wall = clock.wall + .milliseconds(1); clock.monotonic = clock.monotonic + .milliseconds(1)
        var draft = Draft(fact, flags: flags)
        draft.postings = book.postings(of: fact).lines
        let entry = try chain.append(draft, at: clock)
        entries.append(entry); book.apply(entry)
        return entry
    }
}

struct ChainTests {
    func ledger() throws -> TestLedger {
        var ledger = try TestLedger()
        for index in 0..<5 { try ledger.add(.shutdown(reason: "r\(index)")) }
        try ledger.restart(boot: 78)
        try ledger.add(.shutdown(reason: "end"))
        return ledger
    }

    func verify(_ entries: [Entry]) throws(ChainError) -> UInt64 {
        var verifier = ChainVerifier(edge: TestLedger.edge)
        for entry in entries { try verifier.accept(entry) }
        return verifier.count
    }

    @Test func aWholeChainVerifies() throws { #expect(try verify(ledger().entries) == 8) }

    /// The layout is a promise to other tools: this figure was made with Python's hashlib from the written header layout.
    @Test func hashedBytesHaveTheWrittenLayout() throws {
        let entry = Entry(
            seq: Seq(2), epoch: 1, boot: Boot(raw: 3), wall: Instant(nanoseconds: 4), mono: Span(nanoseconds: 5), hlc: 6, kind: 7, kindVersion: 8,
            flags: EntryFlags(rawValue: 9), ref: [0xAA, 0xBB], body: Array("{}".utf8), previous: [UInt8](repeating: 1, count: 32), hash: [])
        let bytes = Chain.hashedBytes(entry, edge: TestLedger.edge)
        #expect(bytes.count == 16 + 1 + 16 + 4 + 8 + 8 + 8 + 8 + 8 + 2 + 2 + 2 + 1 + 2 + 4 + 32 + 2)
        #expect(Hex.text(Chain.hash(entry, edge: TestLedger.edge)) == "da57c1132e1416421ac832d21803d973fd145b9d400e9df08e3b55015dcbd5f5")
    }

    @Test func everyDamageIsNamed() throws {
        let good = try ledger().entries
        var entries = good
        entries.remove(at: 2)
        #expect(throws: ChainError.gap(expected: Seq(3), found: Seq(4))) { try verify(entries) }
        entries = good; entries[3].body[2] ^= 1
        #expect(throws: ChainError.hash(at: Seq(4))) { try verify(entries) }
        entries = good; entries[3].body[2] ^= 1; entries[3].hash = Chain.hash(entries[3], edge: TestLedger.edge)
        #expect(throws: ChainError.previousHash(at: Seq(5))) { try verify(entries) }
        entries = good; rehash(&entries, from: 3) { $0.hlc = 0 }
        #expect(throws: ChainError.clockOrder(at: Seq(4))) { try verify(entries) }
        entries = good; rehash(&entries, from: 3) { $0.mono = .zero }
        #expect(throws: ChainError.monotonicOrder(at: Seq(4))) { try verify(entries) }
        entries = good; rehash(&entries, from: 6) { $0.kind = Kind.shutdown.rawValue }
        #expect(throws: ChainError.noBoot(at: Seq(7))) { try verify(entries) }
        entries = good; rehash(&entries, from: 3) { $0.epoch = 0 }
        #expect(throws: ChainError.epoch(at: Seq(4))) { try verify(entries) }
    }

    /// Every single-bit flip of every header field and body changes the hash.
    @Test func everyBitCounts() throws {
        let entry = try ledger().entries[3]
        let bytes = Chain.hashedBytes(entry, edge: TestLedger.edge)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1 << UInt8(index % 8)
            #expect(Hashing.blake2b(damaged) != entry.hash)
        }
    }

    func rehash(_ entries: inout [Entry], from index: Int, _ change: (inout Entry) -> Void) {
        change(&entries[index])
        for later in index..<entries.count {
            if later > index { entries[later].previous = entries[later - 1].hash }
            entries[later].hash = Chain.hash(entries[later], edge: TestLedger.edge)
        }
    }

    @Test func aJumpingClockDoesNotDragTheOrder() throws {
        var ledger = try TestLedger()
        ledger.clock.wall = ledger.clock.wall + .hours(10_000)
        let jumped = try ledger.add(.shutdown(reason: "future"))
        #expect(jumped.flags.contains(.clockUnsound) && jumped.hlc < jumped.wall.nanoseconds)
        ledger.clock.wall = ledger.clock.wall - .hours(20_000)
        let back = try ledger.add(.shutdown(reason: "past"))
        #expect(back.hlc > jumped.hlc && back.mono >= jumped.mono)
        #expect(try verify(ledger.entries) == 3)
    }

    /// Sixty seconds ahead of where the run's own clock says it should be is taken, and no nanosecond more.
    @Test(arguments: [(0, true), (1, false)]) func aWallClockIsHeldBackBeyondSixtySeconds(beyond: Int64, isTaken: Bool) throws {
        var ledger = try TestLedger()
        ledger.clock.monotonic = ledger.clock.monotonic + .seconds(5)
        ledger.clock.wall = ledger.clock.wall + .seconds(65) + Span(nanoseconds: beyond)
        let entry = try ledger.add(.shutdown(reason: "n"))
        #expect(entry.flags.contains(.clockUnsound) != isTaken && (entry.hlc == entry.wall.nanoseconds) == isTaken)
    }

    /// What was written by a clock that nobody keeps right says so.
    @Test func anUnsynchronisedClockIsMarked() throws {
        var ledger = try TestLedger()
        for isSynchronised in [true, false] {
            ledger.clock.isSynchronised = isSynchronised
            #expect(try ledger.add(.shutdown(reason: "n")).flags.contains(.clockUnsound) != isSynchronised)
        }
    }

    @Test func tagsHaveOneForm() throws {
        let tag = ClOrdID(edge: TestLedger.edge, intent: IntentID(boot: Boot(raw: 1), seq: Seq(2)), leg: 0)
        let child = ClOrdID(edge: TestLedger.edge, intent: IntentID(boot: Boot(raw: 1), seq: Seq(2)), leg: 2)
        #expect(tag.text.utf8.count == 23 && child.text == tag.text + "C" && ClOrdID.hasOurForm(tag.text) && ClOrdID.hasOurForm(child.text))
        #expect(!ClOrdID.hasOurForm("TW1") && !ClOrdID.hasOurForm("someone's order") && !ClOrdID.hasOurForm("TW1abcdefghijklmnopqrst"))
    }

    /// Whoever talks too long neither ends the run nor loses the fact: its words are cut, and stay cut in every copy.
    @Test func wordsThatDoNotFitAnEntryAreCut() throws {
        var ledger = try ledger()
        let report = OrderReport(tag: ClOrdID("TW1X"), status: .rejected, permID: 4, code: 201, text: String(repeating: "\u{1}", count: 1 << 20))
        let entry = try ledger.add(.orderReport(report))
        guard case .orderReport(let kept) = try entry.decoded() else { return #expect(Bool(false), "another fact") }
        #expect(kept.status == .rejected && kept.code == 201 && kept.text.hasSuffix("\u{1}\u{2026}") && kept.text.utf8.count < 2_000)
        #expect(entry.body.count < 65_536 && Chain.hash(entry, edge: TestLedger.edge) == entry.hash)
        let long = String(repeating: "x", count: 60_000)
        #expect(try ledger.add(.shutdown(reason: long)).decoded() == .shutdown(reason: long), "what fits stays whole")
    }
}
