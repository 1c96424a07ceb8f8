// The journal on the real disk: what it opens, what it refuses, what its receipt hands out.
import EdgeAgent
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

@Suite struct JournalTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private var path: String { folder.file("ledger.db") }
    private func open(replay: (Entry) -> Void = { _ in }) throws(JournalError) -> Journal {
        try Journal(path: path, edge: LedgerWriter.edge, replay: replay)
    }

    /// A cloud that was put back and says so has less than it acknowledged: the name and what it has are noted together.
    @Test func aNewStoreIsNotedWithWhatItHas() throws {
        let journal = try open()
        var writer = LedgerWriter(boot: 1, after: nil)
        _ = try journal.commit((0..<5).map { _ in try writer.entry(LedgerWriter.bootFact) })
        try journal.noteAcknowledged(Seq(5))
        try journal.noteIncarnation("b", have: Seq(2))
        #expect(try journal.acknowledged() == Seq(2) && journal.incarnation() == "b" && journal.formerStores() == [])
        for name in ["c", "d", "b"] { try journal.noteIncarnation(name, have: Seq(2)) }
        #expect(try journal.incarnation() == "b" && journal.formerStores() == ["c", "d"], "what it is called now is no former name")
    }

    @Test func aRunIsReadBackEntryByEntry() throws {
        var written: [Entry] = []
        do {
            let journal = try open()
            #expect(journal.last == nil)
            #expect(journal.head == .start)
            var writer = LedgerWriter(boot: 1, after: nil)
            for turn in 0..<5 {
                let entries =
                    turn == 0 ? [try writer.entry(LedgerWriter.bootFact)] : [try writer.intent(Int64(turn)), try writer.entry(.sent(tags: []))]
                let receipt = try journal.commit(entries)
                #expect(receipt.head == entries.last?.head)
                written += entries
            }
            #expect(journal.last == written.last)
        }
        var replayed: [Entry] = []
        var journal: Journal? = try open { replayed.append($0) }
        #expect(replayed == written)
        #expect(journal?.last == written.last)
        var writer = LedgerWriter(boot: 2, after: journal?.last)
        _ = try journal?.commit([try writer.entry(LedgerWriter.bootFact)])
        #expect(try journal?.read(from: Seq(9), limit: 10).map(\.seq.raw) == [9, 10])
        journal = nil
        #expect(try open().head.seq == Seq(10))
    }

    @Test func theReceiptHandsOutEachIntentOnce() throws {
        let journal = try open()
        var writer = LedgerWriter(boot: 1, after: nil)
        let entries = [try writer.entry(LedgerWriter.bootFact), try writer.intent(11), try writer.intent(12)]
        let receipt = try journal.commit(entries)
        #expect(receipt.intents == [entries[1].intentID, entries[2].intentID])
        let second = receipt.take(entries[2].intentID)
        let tags = try entries[2].intentTags()
        if let second {
            #expect(second.id == entries[2].intentID)
            #expect(second.tags == tags)
            #expect(second.ticket.legs.map(\.brokerOrderID) == [12])
        } else {
            Issue.record("the intent is not in the receipt")
        }
        let again = receipt.take(entries[2].intentID) == nil
        #expect(again)
        let stranger = receipt.take(entries[0].intentID) == nil
        #expect(stranger)
        let first = receipt.take(entries[1].intentID) != nil
        #expect(first)
    }

    @Test func whatDoesNotFollowIsRefusedAndNothingIsWritten() throws {
        let journal = try open()
        var writer = LedgerWriter(boot: 1, after: nil)
        let boot = try writer.entry(LedgerWriter.bootFact)
        let skipped = try writer.intent(1)
        let next = try writer.intent(2)
        _ = try journal.commit([boot])
        #expect(throws: JournalError.broken(.gap(expected: Seq(2), found: Seq(3)))) { _ = try journal.commit([next]) }
        var forged = skipped
        forged.body = Array("{}".utf8)
        #expect(throws: JournalError.broken(.hash(at: Seq(2)))) { _ = try journal.commit([forged]) }
        #expect(journal.head == boot.head)
        _ = try journal.commit([skipped, next])
        #expect(try journal.read(from: Seq(1), limit: 10) == [boot, skipped, next])
    }

    @Test func anotherEdgesLedgerIsRefused() throws {
        do {
            let journal = try open()
            var writer = LedgerWriter(boot: 1, after: nil)
            _ = try journal.commit([try writer.entry(LedgerWriter.bootFact)])
        }
        let other = try #require(EdgeID(bytes: Array(1...16)))
        #expect(throws: JournalError.foreign(found: LedgerWriter.edge.description, expected: other)) { try Journal(path: self.path, edge: other) }
    }

    @Test func aSecondJournalOnTheFileIsRefused() throws {
        let journal = try open()
        let error = #expect(throws: JournalError.self) { try self.open() }
        guard case .store(.database(let cause)) = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(cause.isBusy)
        #expect(journal.head == .start)
    }

    @Test func entriesAreFoundByTheirSubject() throws {
        let journal = try open()
        var writer = LedgerWriter(boot: 1, after: nil)
        let entries = [try writer.entry(LedgerWriter.bootFact), try writer.intent(1), try writer.intent(2)]
        _ = try journal.commit(entries)
        #expect(try journal.entries(about: entries[2].intentID.bytes, limit: 10) == [entries[2]])
        #expect(try journal.entries(about: [1], limit: 10).isEmpty)
    }

    /// Of what it lost for good and of the stores that welcomed it the newest are kept; the entries say all of it for ever.
    @Test func whatIsToldOfThePastIsBounded() throws {
        let journal = try open()
        var writer = LedgerWriter(boot: 1, after: nil)
        var entries = [try writer.entry(LedgerWriter.bootFact)]
        let gaps = (1...UInt64(Identity.gapsMax) + 6).map { GapFact(from: Seq($0), to: Seq($0), hash: [UInt8](repeating: UInt8($0), count: 32)) }
        for gap in gaps { entries.append(try writer.entry(.gap(gap))) }
        _ = try journal.commit(Array(entries.prefix(60)))
        _ = try journal.commit(Array(entries.dropFirst(60)))
        #expect(try journal.gaps() == Array(gaps.suffix(Identity.gapsMax)))
        for number in 0...(Identity.formerStoresMax + 4) { try journal.noteIncarnation("store-\(number)", have: Seq(0)) }
        let former = try journal.formerStores()
        #expect(former.count == Identity.formerStoresMax && former.last == "store-\(Identity.formerStoresMax + 3)" && former.first == "store-4")
    }

    @Test func theAcknowledgedNumberIsKept() throws {
        do {
            let journal = try open()
            #expect(try journal.acknowledged() == Seq(0))
            try journal.noteAcknowledged(Seq(41))
        }
        #expect(try open().acknowledged() == Seq(41))
    }
}
