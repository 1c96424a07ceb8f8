// Entries that are gone for good: the edge says so once, the check goes on from the hash behind the hole, and a hole nobody speaks of is a difference.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Values
import Wire

@Suite struct GapTests {
    /// A ledger whose first segment has moved out and is lost.
    private func holed() throws -> (FaultyDisk, [Entry]) {
        let disk = FaultyDisk(seed: 8)
        let entries = try SegmentTests.ledger(disk, Int(Segment.rows) + 60)
        do { _ = try #require(try SegmentTests.store(disk).compact(through: .max, olderThan: .max)) }
        try disk.remove(try #require(disk.names.first { $0.hasSuffix(".seg") }))
        return (disk, entries)
    }
    private func verify(_ disk: FaultyDisk) throws -> LedgerAudit.Finding {
        try LedgerAudit.verify(path: "ledger.db", vfs: disk.name, kept: DiskFiles(disk))
    }

    @Test func aHoleIsADifferenceUntilAnEntrySpeaksOfIt() throws {
        let (disk, entries) = try holed()
        let last = Seq(Segment.rows)
        #expect(try verify(disk).difference?.contains("entries 1 to 4096 cannot be read") == true)
        let anchor = (entry: entries[entries.count - 1], signer: [UInt8]?.none)
        let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: anchor)
        let rig = DiskRig()
        let agent = rig.agent(
            over: journal,
            book: {
                var book = Book(edge: LedgerWriter.edge); for entry in entries { book.apply(entry) }; return book
            }())
        _ = try agent.start(DiskRig.bootFact, at: rig.clock)
        let effects = try agent.noteMissing(from: Seq(1), to: last, at: rig.clock)
        #expect(effects.contains { if case .committed = $0 { true } else { false } })
        #expect(try agent.noteMissing(from: Seq(1), to: last, at: rig.clock) == [], "said once")
        guard case .gap(let gap)? = try journal.last?.decoded() else { Issue.record("no gap was written"); return }
        #expect(gap.from == Seq(1) && gap.to == last && gap.hash == entries[Int(Segment.rows) - 1].hash)
        let finding = try verify(disk)
        #expect(finding.difference == nil && finding.exitCode == 0)
        #expect(finding.report.contains("entries 1 to 4096 are missing for good, as entry \(try #require(journal.last).seq) says"))
        #expect(finding.head == journal.head && finding.count == journal.head.seq.raw - Segment.rows)
    }

    /// The words of an entry do not cover another hash: what stands behind the hole must follow what was there.
    @Test func anotherHashIsNoExcuse() throws {
        let (disk, entries) = try holed()
        let anchor = (entry: entries[entries.count - 1], signer: [UInt8]?.none)
        let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: anchor)
        var writer = LedgerWriter(boot: 6, after: journal.last)
        let lie = GapFact(from: Seq(1), to: Seq(Segment.rows), hash: [UInt8](repeating: 7, count: 32))
        _ = try journal.commit([try writer.entry(LedgerWriter.bootFact), try writer.entry(.gap(lie))])
        #expect(try verify(disk).difference?.contains("entries 1 to 4096 cannot be read") == true)
    }

    /// The cloud asks for what is gone: the link stays, the ledger's lane stands still, and the edge is told once what to write down.
    @Test func theUplinkTellsWhatItCannotRead() throws {
        let (disk, entries) = try holed()
        let anchor = (entry: entries[entries.count - 1], signer: [UInt8]?.none)
        let journal = try Journal(store: try SegmentTests.store(disk), edge: LedgerWriter.edge, after: anchor)
        #expect {
            _ = try journal.read(from: Seq(9), limit: 3)
        } throws: { error in
            guard case .store(.missing(from: 1, to: Segment.rows, _)) = error as? JournalError else { return false }
            return true
        }
        #expect(try journal.read(from: Seq(Segment.rows).next, limit: 3).count == 3)
    }
}
