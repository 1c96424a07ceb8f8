// The cloud's signed word in the edge's ledger: only a true one, only about something new, at most one a minute, and never for ever.
import EdgeAgent
import Ledger
import Simulation
import Testing
import Trading
import Values
import Wire

@Suite struct CountersignedTests {
    let cloud: SigningKeys
    init() throws { cloud = try #require(SigningKeys(seed: [UInt8](3..<35))) }

    private func rig() throws -> DiskRig {
        let rig = DiskRig()
        try rig.start()
        try rig.settle(seconds: 4)
        return rig
    }
    private func word(_ head: Head) -> CountersignedFact { CountersignedFact(head: head, edge: LedgerWriter.edge, keys: cloud) }
    /// True when it was written down.
    private func say(_ rig: DiskRig, _ fact: CountersignedFact) throws -> Bool {
        try #require(rig.agent).countersigned(fact, at: rig.clock).isEmpty == false
    }

    @Test func aTrueWordIsWrittenDown() throws {
        let rig = try rig()
        let head = try #require(rig.agent?.journal.head)
        #expect(try say(rig, word(head)))
        guard case .countersigned(let fact)? = try rig.agent?.journal.last?.decoded() else { Issue.record("not written"); return }
        #expect(fact.head == head)
        #expect(try LedgerAudit.verify(path: "ledger.db", key: nil, vfs: rig.disk.name).difference == nil)
    }

    @Test func whatIsNotSoIsNot() throws {
        let rig = try rig()
        let head = try #require(rig.agent?.journal.head)
        var forged = word(head)
        forged.signature[0] ^= 1
        #expect(try say(rig, forged) == false)
        #expect(try say(rig, word(Head(seq: head.seq, hash: [UInt8](repeating: 1, count: 32)))) == false, "another entry than is here")
        #expect(try say(rig, word(Head(seq: head.seq.next, hash: head.hash))) == false, "an entry that is not here")
        #expect(rig.agent?.journal.head == head)
    }

    @Test func atMostOnceAMinuteAndNeverAboutNothing() throws {
        let rig = try rig()
        #expect(try say(rig, word(try #require(rig.agent?.journal.head))))
        _ = try rig.buy(1)
        try rig.settle(seconds: 20)
        #expect(try say(rig, word(try #require(rig.agent?.journal.head))) == false, "within the minute")
        try rig.settle(seconds: 45)
        #expect(try say(rig, word(try #require(rig.agent?.journal.head))))
        // From here on nothing happens but signatures: they must not go on answering one another.
        let before = try #require(rig.agent?.journal.head)
        for _ in 0..<10 {
            try rig.settle(seconds: 70)
            _ = try say(rig, word(try #require(rig.agent?.journal.head)))
        }
        #expect(rig.agent?.journal.head == before)
    }

    /// On first use the key's own entry comes before the head's: what is written is never one entry too far from what it speaks of.
    @Test(arguments: [4_094, 4_095, 4_096] as [UInt64]) func theFirstWordIsNotOneEntryTooFar(distance: UInt64) throws {
        let rig = try rig()
        let agent = try #require(rig.agent), head = agent.journal.head
        let halts = (0..<Int(distance - 1)).map { number in
            number % 2 == 0 ? AgentInput.desk(.halt(source: "file", reason: "x")) : .desk(.resume(reason: "y"))
        }
        _ = try agent.turn(halts, at: rig.clock)
        #expect(agent.journal.head.seq.raw + 1 - head.seq.raw == distance)
        #expect(try say(rig, word(head)) == (distance == 4_094))
        #expect(try LedgerAudit.verify(path: "ledger.db", key: nil, vfs: rig.disk.name).difference == nil)
    }

    /// A new key: announced by the old one, in force at once, and known to the next start.
    @Test func theLedgerKeyIsChanged() throws {
        let rig = try rig()
        let agent = try #require(rig.agent), new = try #require(SigningKeys(seed: [UInt8](5..<37)))
        let old = try #require(agent.journal.signer)
        #expect(try agent.changeKey(to: new, at: rig.clock)?.isEmpty == false)
        #expect(agent.journal.signer == new.publicKey)
        let entries = try rig.entries()
        guard case .keyRotated(let change) = try entries[entries.count - 2].decoded(), case .checkpoint(let signed)? = try entries.last?.decoded()
        else {
            Issue.record("not announced")
            return
        }
        #expect(change.old == old && change.key == new.publicKey && signed.key == new.publicKey)
        _ = try rig.buy(1)
        try rig.settle(seconds: 70)
        let finding = try LedgerAudit.verify(path: "ledger.db", key: old, vfs: rig.disk.name)
        #expect(finding.difference == nil, "it begins under the first key, and each next one was announced")
        rig.crash()
        let journal = try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: rig.disk.name)
        #expect(journal.signer == new.publicKey)
    }

    @Test func theWatermarkIsRemembered() throws {
        let rig = try rig()
        #expect(try rig.agent?.journal.backupWatermark() == nil)
        try rig.agent?.journal.noteBackup(Seq(3))
        rig.crash()
        try rig.start()
        #expect(try rig.agent?.journal.backupWatermark() == Seq(3))
    }
}
