// Damaged bytes in the edge's file: only the ones that its own chain names are put back, in place, noted in the file and in the ledger.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Values
import Wire

@Suite struct MendTests {
    /// A running agent with some entries.
    private func rig() throws -> DiskRig {
        let rig = DiskRig()
        try rig.start()
        for _ in 0..<12 {
            rig.now = rig.now + .milliseconds(250)
            try rig.turn([.tick])
        }
        return rig
    }

    /// Changes a stored row behind the writer's back.
    private func damage(_ rig: DiskRig, _ seq: UInt64, _ change: String) throws {
        let other = try Database(path: "ledger.db", .init(.readWrite, vfs: rig.disk.name))
        try other.write { _ in
            try other.script("DROP TRIGGER entry_no_update")
            try other.run("UPDATE entry SET \(change) WHERE seq = ?", .integer(Int64(seq)))
            try other.script("CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;")
        }
    }

    private func check(_ rig: DiskRig) throws -> LedgerVerifier {
        var verifier = LedgerVerifier(edge: LedgerWriter.edge)
        try EntryStore(path: "ledger.db", .init(.readOnly, vfs: rig.disk.name)).each { row in verifier.accept(row) != nil }
        return verifier
    }

    @Test(arguments: ["body = replace(body, '1', '2')", "hash = zeroblob(32)", "prev = zeroblob(32)", "wall = wall + 1", "kind = 99"])
    func theRightBytesAreTakenAndNothingElse(change: String) throws {
        let rig = try rig()
        let agent = try #require(rig.agent)
        let good = try #require(try agent.journal.stored(from: Seq(2), through: Seq(2)).compactMap { $0 }.first)
        try damage(rig, 2, change)
        let rotten = try agent.journal.stored(from: Seq(2), through: Seq(2))[0]
        let found = try check(rig).difference
        #expect(rotten != good && found?.contains("entry 2") == true)

        // A forger's bytes, with a hash of their own; bytes of another entry; an entry that is not there.
        var forged = good
        forged.body = Array(#"{"reason":"forged"}"#.utf8)
        forged.hash = Chain.hash(forged, edge: LedgerWriter.edge)
        var other = try #require(try agent.journal.stored(from: Seq(3), through: Seq(3)).compactMap { $0 }.first)
        other.seq = Seq(2)
        var beyond = good
        beyond.seq = agent.journal.head.seq.next
        let head = agent.journal.head
        for bad in [forged, other, beyond] { #expect(try agent.mend(bad, at: rig.clock).isEmpty) }
        #expect(try agent.journal.stored(from: Seq(2), through: Seq(2)) == [rotten] && agent.journal.head == head, "nothing was touched")

        #expect(try agent.mend(good, at: rig.clock).isEmpty == false)
        #expect(try agent.journal.stored(from: Seq(2), through: Seq(2)) == [good])
        guard case .healed(let fact)? = try agent.journal.last?.decoded() else { Issue.record("no entry says so"); return }
        #expect(fact == HealedFact(from: Seq(2), to: Seq(2), source: "cloud"))
        let whole = try check(rig)
        #expect(whole.difference == nil && whole.head == agent.journal.head)
        let file = try EntryStore(path: "ledger.db", .init(.readOnly, vfs: rig.disk.name))
        #expect(try file.meta("mended:2")?.contains("bytes from the cloud") == true)
        // The guards stand again.
        let second = try Database(path: "ledger.db", .init(.readWrite, vfs: rig.disk.name))
        for sql in ["DELETE FROM entry WHERE seq = 2", "UPDATE entry SET kind = 1 WHERE seq = 2"] {
            #expect(throws: DatabaseError.self) { try second.run(sql) }
        }
    }

    /// The newest entry is known by the head that the process holds.
    @Test func theLastEntryIsKnownByTheHead() throws {
        let rig = try rig()
        let agent = try #require(rig.agent)
        let seq = agent.journal.head.seq
        let good = try #require(try agent.journal.stored(from: seq, through: seq).compactMap { $0 }.first)
        try damage(rig, seq.raw, "body = '{}'")
        #expect(try agent.journal.mend(good, source: "cloud", at: rig.now))
        #expect(try check(rig).difference == nil)
    }

    /// What names the bytes is damaged itself: they wait until that is put right.
    @Test func fromTheTopDown() throws {
        let rig = try rig()
        let agent = try #require(rig.agent)
        let good = try agent.journal.stored(from: Seq(2), through: Seq(3)).compactMap { $0 }
        for seq in [UInt64(2), 3] { try damage(rig, seq, "body = '{}'") }
        #expect(try agent.journal.mend(good[0], source: "cloud", at: rig.now) == false)
        #expect(try agent.journal.mend(good[1], source: "cloud", at: rig.now))
        #expect(try agent.journal.mend(good[0], source: "cloud", at: rig.now))
        #expect(try check(rig).difference == nil)
    }

    /// A damaged entry does not leave the house.
    @Test func whatIsDamagedIsNotRead() throws {
        let rig = try rig()
        let agent = try #require(rig.agent)
        try damage(rig, 2, "body = '{}'")
        #expect(throws: JournalError.self) { try agent.journal.read(from: Seq(1), limit: 5) }
    }
}
