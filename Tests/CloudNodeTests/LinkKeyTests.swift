// The link's next key at the cloud: let in as soon as the ledger says so, beside the old one for a day, and never on anybody else's word.
import CloudNode
import Control
import Ledger
import Sync
import Testing
import Values
import Wire

@Suite struct LinkKeyTests {
    private let old = [UInt8](repeating: 1, count: 32), new = [UInt8](repeating: 2, count: 32), third = [UInt8](repeating: 3, count: 32)

    private func keys() throws -> SigningKeys { try #require(SigningKeys(seed: [UInt8](0..<32))) }
    private func sign(_ cloud: TestCloud, _ edge: TestEdge) throws {
        let head = try #require(edge.entries.last?.head), book = try #require(cloud.node.control.edges[TestEdge.id]?.book)
        edge.write(.checkpoint(CheckpointFact(head: head, digest: book.digest(), edge: TestEdge.id, epoch: 1, keys: try keys())))
        try edge.pump()
    }
    private func announce(_ edge: TestEdge, from old: [UInt8], to key: [UInt8]) throws {
        let head = try #require(edge.entries.last?.head)
        edge.write(.linkKey(LinkKeyFact(old: old, key: key, edge: TestEdge.id, epoch: 1, after: head, keys: try keys())))
        try edge.pump()
    }
    private func admitted(_ cloud: TestCloud) -> [[UInt8]]? {
        cloud.take { if case .admit(let keys) = $0 { keys } else { nil } }.last?.filter(\.isConfirmed).map(\.key)
    }

    @Test func bothAreLetInForADay() throws {
        let (cloud, edge) = try TestCloud.linked()
        try sign(cloud, edge)
        _ = admitted(cloud)
        try announce(edge, from: old, to: new)
        #expect(admitted(cloud) == [new, old] && edge.sender.isCaughtUp && edge.sender.takesLinkKeys)
        try cloud.restart()
        #expect(admitted(cloud) == [new, old], "the store remembers both")
        try cloud.tick(after: .hours(23))
        #expect(admitted(cloud) == nil)
        try cloud.tick(after: .hours(2))
        #expect(admitted(cloud) == [new])
        try cloud.restart()
        #expect(admitted(cloud) == [new])
    }

    /// The ledger was durable and control.db was not: the next start finds the announcement in the ledger.
    @Test func aDeathInBetweenLosesNoKey() throws {
        let (cloud, edge) = try TestCloud.linked()
        try sign(cloud, edge)
        try announce(edge, from: old, to: new)
        try cloud.restart {
            let store = try ControlStore(path: cloud.folder + "/control.db")
            try store.commit([.edge(TestCloud.enrolled(TestEdge.id, key: 1)), .meta(key: "former-key:\(TestEdge.id)", value: "")])
        }
        #expect(admitted(cloud) == [new, old])
    }

    @Test func whoIsNotTheEdgeAnnouncesNothing() throws {
        let (cloud, edge) = try TestCloud.linked()
        try announce(edge, from: old, to: new)
        #expect(admitted(cloud).map { $0 == [old] } ?? true, "whoever has the link's key alone cannot give it away")
        try sign(cloud, edge)
        try announce(edge, from: third, to: new)
        #expect(admitted(cloud).map { $0 == [old] } ?? true, "it follows a key that is not in use")
        // Signed by another key than the ledger's: the chain is refused, and the edge set aside.
        let head = try #require(edge.entries.last?.head), stranger = try #require(SigningKeys(seed: [UInt8](9..<41)))
        edge.write(.linkKey(LinkKeyFact(old: old, key: new, edge: TestEdge.id, epoch: 1, after: head, keys: stranger)))
        try edge.pump()
        let row = try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements?.first { $0["verdict"]?.text == "LEDGER_DAMAGED" }
        #expect(row?["words"]?.text?.contains("not announced by this ledger's key") == true)
    }

    @Test func aRevocationEndsTheOverlapToo() throws {
        let (cloud, edge) = try TestCloud.linked()
        try sign(cloud, edge)
        try announce(edge, from: old, to: new)
        let body = Array(#"{"name":"home-1"}"#.utf8)
        _ = try cloud.send(Request(method: "POST", path: "/console/edges/revoke", body: body, address: "unix", isLocal: true))
        #expect(admitted(cloud) == [])
        try cloud.turn([.stranger(key: old, address: "10.0.0.7")])
        let verdicts = try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements?.compactMap { $0["verdict"]?.text } ?? []
        #expect(verdicts.contains("REVOKED_KEY"), "both are known as revoked")
        try cloud.restart()
        #expect(admitted(cloud) == [])
    }
}
