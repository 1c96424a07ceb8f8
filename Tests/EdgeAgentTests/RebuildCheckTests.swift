// The check behind the running edge: it walks the ledger in small pieces, agrees with a sound one, and stops trading on a damaged one.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Trading
import Values
import Wire

/// A store whose rows can rot after they were written.
private final class RottingStore: ForwardingStore {
    let store: EntryStore
    var rotten: UInt64?
    private(set) var mostRowsAtOnce = 0
    private(set) var reads = 0
    init(_ store: EntryStore) { self.store = store }
    func read(from seq: UInt64, limit: Int, maxBytes: Int) throws(StoreError) -> [EntryRow] {
        reads += 1
        var rows = try store.read(from: seq, limit: limit, maxBytes: maxBytes)
        mostRowsAtOnce = max(mostRowsAtOnce, rows.count)
        for index in rows.indices where rows[index].seq == rotten { rows[index].body[3] ^= 1 }
        return rows
    }
}

@Suite struct RebuildCheckTests {
    /// An edge that trades, with three hundred entries behind it.
    /// - Parameter other: what the live book was told instead of the second entry.
    private func running(other: Fact? = nil) throws -> (DiskRig, Agent, RottingStore) {
        let rig = DiskRig()
        let store = RottingStore(try EntryStore(path: "ledger.db", .init(.create, vfs: rig.disk.name)))
        let journal = try Journal(store: store, edge: LedgerWriter.edge)
        let known = Fact.instrumentHalt(instrument: InstrumentID("X"), halted: false, reason: "")
        var book = Book(edge: LedgerWriter.edge)
        var written = LedgerWriter(boot: 9, after: nil), told = LedgerWriter(boot: 9, after: nil)
        _ = try journal.commit([try written.entry(LedgerWriter.bootFact), try written.entry(known)])
        book.apply(try told.entry(LedgerWriter.bootFact))
        book.apply(try told.entry(other ?? known))
        let agent = rig.agent(over: journal, book: book)
        _ = try agent.start(DiskRig.bootFact, at: rig.clock)
        for number in 0..<300 {
            rig.now = rig.now + .milliseconds(20)
            _ = try agent.turn(number % 2 == 0 ? [.desk(.halt(source: "file", reason: "x"))] : [.desk(.resume(reason: "y"))], at: rig.clock)
        }
        return (rig, agent, store)
    }
    private func idle(_ rig: DiskRig, _ agent: Agent, seconds: Int) throws -> [AgentEffect] {
        var effects: [AgentEffect] = []
        for _ in 0..<(seconds * 20) {
            rig.now = rig.now + .milliseconds(50)
            effects += try agent.idle(at: rig.clock)
        }
        return effects
    }

    @Test func aSoundLedgerIsWalkedInPiecesAndAgrees() throws {
        let (rig, agent, store) = try running()
        #expect(try idle(rig, agent, seconds: 55).isEmpty && store.mostRowsAtOnce == 0, "a start has better things to do")
        #expect(try idle(rig, agent, seconds: 15).isEmpty)
        #expect(store.mostRowsAtOnce == 128)
        #expect(agent.ledgerTroubles == [] && agent.desk.book.haltLevel == .normal)
    }

    @Test func aRottenEntryMakesTheEdgeBlind() throws {
        let (rig, agent, store) = try running()
        store.rotten = 200
        let effects = try idle(rig, agent, seconds: 75)
        #expect(agent.ledgerTroubles.map(\.kind) == [.damaged] && agent.desk.isTrading == false)
        #expect(agent.desk.book.haltLevel == .reducing && agent.desk.book.haltFact?.source == "rule:rebuild")
        #expect(agent.desk.book.haltFact?.reason.contains("entry 200 is not what was written") == true)
        #expect(effects.contains { if case .live = $0 { true } else { false } })
    }

    /// An edge over a ledger whose first segment is lost, and the store in between.
    private func holed(_ trouble: LedgerTrouble? = nil) throws -> (DiskRig, Agent, RottingStore) {
        let disk = FaultyDisk(seed: 8)
        let entries = try SegmentTests.ledger(disk, Int(Segment.rows) + 300)
        do { _ = try #require(try SegmentTests.store(disk).compact(through: .max, olderThan: .max)) }
        try disk.remove(try #require(disk.names.first { $0.hasSuffix(".seg") }))
        let store = RottingStore(try SegmentTests.store(disk))
        let journal = try Journal(store: store, edge: LedgerWriter.edge, after: (entries[entries.count - 1], nil))
        var book = Book(edge: LedgerWriter.edge)
        for entry in entries { book.apply(entry) }
        let rig = DiskRig()
        let agent = rig.agent(over: journal, book: book, trouble: trouble)
        _ = try agent.start(DiskRig.bootFact, at: rig.clock)
        return (rig, agent, store)
    }

    /// Lost for good is said once; that and what was said before stop nothing. The chain behind is looked at as ever.
    @Test func aHoleIsSaidAndTradingGoesOn() throws {
        let (rig, agent, store) = try holed()
        let head = agent.journal.head.seq
        _ = try idle(rig, agent, seconds: 75)
        #expect(agent.ledgerTroubles == [] && agent.desk.book.haltLevel == .normal)
        let said = try agent.journal.read(from: head.next, limit: 9)
        #expect(said.map(\.kind) == [Kind.gap.rawValue])
        // In the next day's quietest hour the check meets it again.
        let reads = store.reads
        rig.now = Instant(seconds: (rig.now.seconds / 86_400 + 1) * 86_400 + 600)
        _ = try idle(rig, agent, seconds: 90)
        #expect(store.reads > reads)
        #expect(agent.ledgerTroubles == [] && agent.journal.head.seq == head.next)
    }

    @Test func behindAHoleDamageIsStillFound() throws {
        let (rig, agent, store) = try holed()
        store.rotten = Segment.rows + 100
        _ = try idle(rig, agent, seconds: 75)
        #expect(agent.ledgerTroubles.map(\.kind) == [.damaged] && agent.desk.book.haltLevel == .reducing)
    }

    /// A walk over a hole compared no book: it lifts no word about one.
    @Test func behindAHoleNoBookIsSaidToAgree() throws {
        let (rig, agent, _) = try holed(LedgerTrouble(.different, "It differs.", cure: "Look."))
        #expect(agent.desk.book.haltLevel == .reducing && agent.desk.book.haltFact?.source == "rule:rebuild")
        _ = try idle(rig, agent, seconds: 75)
        #expect(agent.ledgerTroubles.map(\.kind) == [.different])
    }

    /// A live book that is not what the entries say (a bug of the fold, a flipped bit in memory).
    @Test func aLiveBookThatDiffersReducesTrading() throws {
        let (rig, agent, _) = try running(other: .difference(Difference(rule: "R9", instrument: nil, text: "no entry says so")))
        _ = try idle(rig, agent, seconds: 75)
        #expect(agent.ledgerTroubles.map(\.kind) == [.different])
        #expect(agent.desk.book.haltLevel == .reducing && agent.desk.book.haltFact?.reason.contains("another book") == true)
    }
}
