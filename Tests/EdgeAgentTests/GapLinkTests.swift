// What the edge lost for good, as its uplink tells it: kept with the entry that says it, named in HELLO, passed over when the cloud takes what follows.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Values
import Wire

@Suite struct GapLinkTests {
    /// A ledger whose first segment is lost and confessed.
    private func holed() throws -> (journal: Journal, entries: [Entry], gap: GapFact) {
        let disk = FaultyDisk(seed: 8)
        let entries = try SegmentTests.ledger(disk, Int(Segment.rows) + 60)
        do { _ = try #require(try SegmentTests.store(disk).compact(through: .max, olderThan: .max)) }
        try disk.remove(try #require(disk.names.first { $0.hasSuffix(".seg") }))
        let gap = GapFact(from: Seq(1), to: Seq(Segment.rows), hash: entries[Int(Segment.rows) - 1].hash)
        func open() throws -> Journal {
            try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: (entries[entries.count - 1], nil))
        }
        var written: [Entry] = []
        do {
            let journal = try open()
            #expect(try journal.gaps() == [])
            var writer = LedgerWriter(boot: 6, after: journal.last)
            written = [try writer.entry(LedgerWriter.bootFact), try writer.entry(.gap(gap))]
            _ = try journal.commit(written)
            #expect(try journal.gaps() == [gap])
        }
        let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: (written[1], nil))
        return (journal, entries + written, gap)
    }

    /// The cloud was put back with less than was lost: it gets everything behind, and says where the hole is.
    @Test(arguments: [0, 100]) func theUplinkPassesOverWhatIsConfessed(have: Int) throws {
        let (journal, entries, gap) = try holed()
        let identity = try StartTalk.identity(journal, Boot(raw: 6), release: "t", mayHeal: false)
        #expect(identity.gaps == [gap])
        var uplink = UplinkCore(identity, head: journal.head, ledger: journal)
        var receiver = Receiver(incarnation: "i", release: "t", sessionSeed: 8)
        let now = ClockReading(wall: Instant(seconds: 1_795_000_100), monotonic: .seconds(50))
        let head = have == 0 ? Head.start : entries[have - 1].head
        _ = receiver.handle(.enrolled(LedgerWriter.edge, EdgeMemory(have: head, announced: head, epoch: have == 0 ? 0 : 1)), at: now)
        var taken: [Entry] = [], holes: [LedgerHole] = [], missing = 0
        var effects = try uplink.handle(.linkUp, at: now)
        func tell(_ input: Receiver.Input) throws {
            for action in receiver.handle(input, at: now) {
                switch action {
                case .send(let bytes, _): effects += try uplink.handle(.frame(bytes), at: now)
                case .hole(_, let hole): holes.append(hole)
                case .commit(let edge, let more):
                    taken += more
                    try tell(.committed(edge, more[more.count - 1].head))
                default: break
                }
            }
        }
        while !effects.isEmpty || uplink.hasMore {
            if effects.isEmpty { effects = try uplink.readOn(at: now) }
            guard !effects.isEmpty else { continue }
            switch effects.removeFirst() {
            case .send(_, let bytes): try tell(.frame(bytes, from: Peer(edge: LedgerWriter.edge, connection: 1)))
            case .missing: missing += 1
            default: break
            }
        }
        #expect(taken == Array(entries[Int(Segment.rows)...]) && missing == 0)
        #expect(holes == [LedgerHole(after: head, last: gap.last)])
    }
}
