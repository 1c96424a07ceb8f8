// The edge and the cloud's key: the first one is pinned in the ledger, another one's word is told and not taken, a person changes it.
import EdgeAgent
import Ledger
import Simulation
import Testing
import Values
import Wire

@Suite struct CloudKeyTests {
    let cloud: SigningKeys, other: SigningKeys
    init() throws {
        cloud = try #require(SigningKeys(seed: [UInt8](3..<35)))
        other = try #require(SigningKeys(seed: [UInt8](5..<37)))
    }

    private func rig() throws -> DiskRig {
        let rig = DiskRig()
        try rig.start()
        try rig.settle(seconds: 4)
        return rig
    }
    /// The cloud's word about the last entry, a minute after the one before, so that it is due.
    private func say(_ rig: DiskRig, _ keys: SigningKeys) throws {
        _ = try rig.buy(1)
        try rig.settle(seconds: 61)
        let agent = try #require(rig.agent)
        _ = try agent.countersigned(CountersignedFact(head: agent.journal.head, edge: LedgerWriter.edge, keys: keys), at: rig.clock)
    }
    private func kinds(_ rig: DiskRig) throws -> [UInt16] { try rig.entries().map(\.kind) }
    private func heads(_ rig: DiskRig) throws -> Int { try kinds(rig).count { $0 == Kind.countersigned.rawValue } }
    private func isTold(_ rig: DiskRig) -> Bool { rig.agent?.ledgerTroubles.contains { $0.kind == .strangeKey } == true }

    @Test func theFirstKeyIsPinned() throws {
        let rig = try rig()
        try say(rig, cloud)
        #expect(try kinds(rig).suffix(2) == [Kind.cloudKey.rawValue, Kind.countersigned.rawValue])
        guard case .cloudKey(let fact)? = try rig.entries().dropLast().last?.decoded() else { Issue.record("no pin"); return }
        #expect(fact == CloudKeyFact(key: cloud.publicKey, ground: .firstUse))
        try say(rig, cloud)
        #expect(try kinds(rig).count { $0 == Kind.cloudKey.rawValue } == 1 && heads(rig) == 2)
    }

    @Test func anotherKeysWordIsToldAndNotTaken() throws {
        let rig = try rig()
        try say(rig, cloud)
        try say(rig, other)
        #expect(try heads(rig) == 1 && isTold(rig))
        let trouble = try #require(rig.agent?.ledgerTroubles.first)
        #expect(trouble.text.contains(Hex.text(other.publicKey)) && trouble.text.contains(Hex.text(cloud.publicKey)))
        #expect(trouble.cure.contains("tidewire-edge keys trust") && !trouble.kind.stopsOpening, "no witness is needed to trade")
        // A forged one says nothing about anybody.
        try say(rig, cloud)
        #expect(try heads(rig) == 2 && !isTold(rig))
        // The next run believes the same.
        rig.crash()
        try rig.start()
        try rig.settle(seconds: 4)
        try say(rig, other)
        #expect(try heads(rig) == 2 && isTold(rig))
        #expect(try LedgerAudit.verify(path: "ledger.db", key: nil, vfs: rig.disk.name).difference == nil)
    }

    @Test func aPersonsWordChangesIt() throws {
        let rig = try rig()
        try say(rig, cloud)
        try say(rig, other)
        let agent = try #require(rig.agent)
        #expect(try agent.believe(CloudKeyFact(key: other.publicKey, ground: .person), at: rig.clock)?.isEmpty == false && !isTold(rig))
        try say(rig, other)
        #expect(try heads(rig) == 2)
        try say(rig, cloud)
        #expect(try heads(rig) == 2 && isTold(rig), "the one before is out")
        #expect(try LedgerAudit.verify(path: "ledger.db", key: nil, vfs: rig.disk.name).difference == nil)
    }

    /// From the believed key on, as far as each announces the next; nobody else's announcement moves anything.
    @Test func anAnnouncedKeyIsFollowed() throws {
        let rig = try rig(), agent = try #require(rig.agent)
        let last = try #require(SigningKeys(seed: [UInt8](7..<39))), stranger = try #require(SigningKeys(seed: [UInt8](9..<41)))
        let changes = [CloudKeyChange(from: stranger, to: last), CloudKeyChange(from: cloud, to: other), CloudKeyChange(from: other, to: last)]
        #expect(try agent.follow(changes, at: rig.clock).isEmpty && agent.journal.trust.key == nil, "nothing is believed yet")
        try say(rig, cloud)
        var forged = changes[1]
        forged.signature[0] ^= 1
        #expect(try agent.follow([changes[0], forged], at: rig.clock).isEmpty && agent.journal.trust.key == cloud.publicKey)
        #expect(try agent.follow(changes, at: rig.clock).isEmpty == false)
        #expect(agent.journal.trust.key == last.publicKey && agent.journal.trust.before?.key == other.publicKey)
        #expect(try agent.follow(changes, at: rig.clock).isEmpty, "each is said once")
        try say(rig, last)
        #expect(try heads(rig) == 2 && !isTold(rig))
        #expect(try LedgerAudit.verify(path: "ledger.db", key: nil, vfs: rig.disk.name).difference == nil)
    }

    @Test func theEnrolmentsKeyIsPinnedBeforeAnythingWasSigned() throws {
        let rig = try rig(), agent = try #require(rig.agent)
        let word = CloudKeyFact(key: cloud.publicKey, ground: .enrolled, enrolment: [UInt8](0..<8))
        _ = try agent.believe(word, at: rig.clock)
        #expect(agent.journal.trust.enrolment == word.enrolment)
        try say(rig, other)
        #expect(try heads(rig) == 0 && isTold(rig))
        rig.crash()
        let journal = try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: rig.disk.name)
        #expect(journal.trust.key == cloud.publicKey && journal.trust.enrolment == word.enrolment, "it is not taken up a second time")
    }
}
