// What the agent does for its ledger: checkpoints when they are due, the mark after them, and no opening order on a ledger that was put back.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Trading
import Values
import Wire

@Suite struct WitnessTests {
    private func trading(seed: UInt64 = 7) throws -> DiskRig {
        let rig = DiskRig(seed: seed)
        try rig.start()
        try rig.settle(seconds: 4)
        return rig
    }
    private func marked(_ rig: DiskRig) throws -> HeadMark { try #require(rig.mark.read().flatMap { HeadMark($0) }) }

    @Test func theSessionsOpeningIsSignedAndMarked() throws {
        let rig = try trading()
        let kinds = try rig.kinds()
        let opened = try #require(kinds.firstIndex(of: .brokerSession))
        let signed = try #require(kinds.firstIndex(of: .checkpoint))
        #expect(opened < signed && kinds.filter { $0 == .checkpoint }.count == 1)
        let entries = try rig.entries()
        #expect(try marked(rig).head == entries[signed].head)
        guard case .checkpoint(let fact) = try entries[signed].decoded() else { Issue.record("no checkpoint"); return }
        #expect(fact.head == entries[signed - 1].head)
        var book = Book(edge: LedgerWriter.edge)
        for entry in entries[..<signed] { book.apply(entry) }
        #expect(fact.digest == book.digest())
    }

    @Test func aMinuteOfActivityIsSignedAndIdlenessIsNot() throws {
        let rig = try trading()
        try rig.settle(seconds: 70)
        let before = try rig.kinds().filter { $0 == .checkpoint }.count
        _ = try rig.buy(1)
        try rig.settle(seconds: 50)
        #expect(try rig.kinds().filter { $0 == .checkpoint }.count == before)
        try rig.settle(seconds: 15)
        #expect(try rig.kinds().filter { $0 == .checkpoint }.count == before + 1)
        let head = rig.agent?.journal.head
        try rig.settle(seconds: 300)
        #expect(rig.agent?.journal.head == head, "nothing happened, nothing is signed")
    }

    @Test func athousandEntriesAreSignedAtOnce() throws {
        let rig = try trading()
        let before = try rig.entries().count
        for _ in 0..<600 {
            // A halt by a file is one entry each time the console has lifted it.
            try rig.turn([.desk(.halt(source: "file", reason: "x"))])
            try rig.turn([.desk(.resume(reason: "y"))])
        }
        let kinds = try rig.kinds()
        let places = kinds.indices.filter { kinds[$0] == .checkpoint && $0 >= before }
        #expect(places.count == 1)
        #expect((places.first ?? 0) - before <= 1_024 + 1)
    }

    @Test func theShutdownIsCoveredAndTheMarkReachesTheEnd() throws {
        let rig = try trading()
        _ = try rig.agent?.shutdown(reason: "asked", at: rig.clock)
        #expect(Array(try rig.kinds().suffix(2)) == [.shutdown, .checkpoint])
        #expect(try marked(rig).head == rig.agent?.journal.head)
        rig.crash()
        let finding = try LedgerAudit.verify(path: "ledger.db", key: SigningKeys(seed: DiskRig.seed)?.publicKey, vfs: rig.disk.name)
        #expect(finding.difference == nil && finding.checkpoints == 2)
        let other = try LedgerAudit.verify(path: "ledger.db", key: SigningKeys(seed: [UInt8](2...33))?.publicKey, vfs: rig.disk.name)
        #expect(other.difference?.contains("another key") == true && other.exitCode == 5)
        try rig.start()
        #expect(rig.finding == .agrees)
    }

    /// A backup of the database is put back, the mark stays: closing goes on, opening waits for a person.
    @Test func aLedgerPutBackOpensNothingUntilItsEndIsGivenUp() throws {
        let rig = try trading()
        _ = try rig.buy(2)
        try rig.settle(seconds: 10)
        let backup = FaultyDisk(seed: 3, now: rig.now)
        backup.copy(rig.disk)
        try rig.settle(seconds: 70)
        _ = try rig.agent?.shutdown(reason: "asked", at: rig.clock)
        let newest = try #require(rig.mark.read())
        rig.crash(replacing: backup)
        try rig.mark.write(newest)
        for start in 0..<3 {
            rig.now = rig.now + .seconds(20)
            try rig.start()
            guard case .rolledBack = rig.finding else { Issue.record("start \(start): \(String(describing: rig.finding))"); return }
            #expect(rig.mark.read() == newest, "the mark that tells stays")
            #expect(rig.book.haltLevel == .reducing && rig.book.haltFact?.source == "rule:rollback")
            try rig.settle(seconds: 15)
            if start == 1 { try rig.turn([.desk(.resume(reason: "somebody hurries"))]) }
            let id = try rig.buy(1)
            #expect(rig.book.commands[id].map { ["halted", "ledgerUnsound"].contains($0.code) } == true, "start \(start)")
            #expect(rig.notices.last?.text.isEmpty == false)
            if start < 2 { rig.crash() }
        }
        _ = try rig.command(.close(instrument: rig.front))
        try rig.settle(seconds: 20)
        #expect(rig.book.netQuantity(rig.front) == .zero, "closing goes on")
        let effects = try rig.agent?.acceptRollback(reason: "the backup is what there is", at: rig.clock)
        #expect(effects != nil)
        #expect(try rig.kinds().suffix(2) == [.resume, .checkpoint])
        #expect(try marked(rig).head == rig.agent?.journal.head)
        #expect(try rig.agent?.acceptRollback(reason: "again", at: rig.clock) == nil)
        let id = try rig.buy(1)
        #expect(rig.book.commands[id] == nil && rig.book.commandOrders[id]?.count == 1)
        rig.crash()
        try rig.start()
        #expect(rig.finding == .agrees && rig.agent?.ledgerTroubles == [])
    }

    @Test func aMissingOrDamagedMarkIsSaidAloudAndReplaced() throws {
        for isDamaged in [false, true] {
            let rig = try trading()
            let other = FaultyDisk(seed: 3, now: rig.now)
            other.copy(rig.disk)
            if isDamaged { other.flip(bit: 1, at: 40, of: "head.mark") } else { try other.remove("head.mark") }
            rig.crash(replacing: other)
            try rig.start()
            #expect(rig.finding == (isDamaged ? .unreadable : .missing))
            #expect(rig.notices.last?.text.contains("mark") == true)
            #expect(rig.agent?.ledgerTroubles.map(\.kind) == [.unmarked])
            try rig.settle(seconds: 8)
            #expect(rig.agent?.ledgerTroubles == [] && rig.notices.last?.text == "")
            let id = try rig.buy(1)
            #expect(rig.book.commandOrders[id]?.count == 1, "it hinders nobody")
            #expect(HeadMark(rig.mark.read() ?? []) != nil)
        }
    }
}
