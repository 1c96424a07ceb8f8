// The agent's word for the link's next key: under the ledger's own, after a first signature, and never when it cannot be written.
import EdgeAgent
import Ledger
import Simulation
import Testing
import Values
import Wire

@Suite struct LinkKeyTests {
    private let old = [UInt8](repeating: 1, count: 32), new = [UInt8](repeating: 2, count: 32)

    @Test func itIsAnnouncedUnderTheLedgersKey() throws {
        let rig = DiskRig()
        try rig.start()
        try rig.settle(seconds: 4)
        let agent = try #require(rig.agent)
        let said = try #require(try agent.announceLinkKey(old: old, new: new, at: rig.clock))
        #expect(said.seq == agent.journal.head.seq && !said.effects.isEmpty)
        guard case .linkKey(let fact)? = try rig.entries().last?.decoded() else { Issue.record("not announced"); return }
        let signer = try #require(agent.journal.signer, "who reads it must know by whose word")
        let before = try #require(try rig.entries().dropLast().last)
        #expect(fact.old == old && fact.key == new && fact.isSigned(edge: LedgerWriter.edge, epoch: before.epoch, after: before.head, by: signer))
        // Under a changed ledger key too.
        _ = try agent.changeKey(to: try #require(SigningKeys(seed: [UInt8](5..<37))), at: rig.clock)
        _ = try agent.announceLinkKey(old: new, new: old, at: rig.clock)
        #expect(try LedgerAudit.verify(path: "ledger.db", key: nil, vfs: rig.disk.name).difference == nil)
    }

    /// Turned away at the door an edge takes up its next key only when the cloud had the announcement.
    @Test func onlyWhatTheCloudAcknowledgedWasRead() throws {
        let rig = DiskRig()
        try rig.start()
        try rig.settle(seconds: 4)
        let agent = try #require(rig.agent)
        let said = try #require(try agent.announceLinkKey(old: old, new: new, at: rig.clock))
        _ = try rig.buy(1)
        try rig.settle(seconds: 10)
        let journal = agent.journal
        var search = LinkKeySearch()
        for _ in 0..<2 { #expect(try search.isRead(new, in: journal, acked: Seq(said.seq.raw - 1)) == false, "it lies behind what the cloud has") }
        #expect(try search.isRead(new, in: journal, acked: said.seq))
        var another = LinkKeySearch(), late = LinkKeySearch()
        #expect(try another.isRead(old, in: journal, acked: journal.head.seq) == false, "another key")
        #expect(try late.isRead(new, in: journal, acked: journal.head.seq))
    }
}
