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

    /// An edge that never took the next key up announces another one by the key that it still has: it must not be locked out.
    @Test func theKeyBeforeMayNameAnother() throws {
        let (cloud, edge) = try TestCloud.linked()
        try sign(cloud, edge)
        try announce(edge, from: old, to: new)
        try announce(edge, from: old, to: third)
        #expect(admitted(cloud) == [third, old])
        try cloud.tick(after: .hours(25))
        #expect(admitted(cloud) == [third])
        edge.disconnect()
        try edge.connect()
        try edge.pass(.milliseconds(250))
        try announce(edge, from: old, to: new)
        #expect(edge.sender.isCaughtUp && admitted(cloud) == nil, "its day is over")
    }

    /// The folder of keys was put back from before a change, and the edge enrolled by the old key: what its ledger says of the change is history.
    @Test(arguments: [false, true]) func anEnrolmentEndsTheHistory(isRestarted: Bool) throws {
        let (cloud, edge) = try TestCloud.linked()
        try sign(cloud, edge)
        try announce(edge, from: old, to: new)
        edge.disconnect()
        try cloud.turn([.tick])
        let invite = Request(method: "POST", path: "/console/edges/invite", body: Array(#"{"name":"home-1"}"#.utf8), address: "unix", isLocal: true)
        _ = try cloud.send(invite)
        try cloud.turn([.enrolmentOpen(port: 5_571)])
        let answers = cloud.take { if case .respond(_, let answer) = $0 { answer } else { nil } }
        let token = try EnrolmentToken(text: #require(answers.last?.json?["token"]?.text))
        let request = EnrolmentRequest(edge: TestEdge.id, linkKey: old, token: token)
        try cloud.turn([.enrolment(request.encode(), key: old, from: 1)])
        let code = request.code(serverKey: TestCloud.serverKey)
        if isRestarted { try cloud.restart() }
        let body = Array(#"{"name":"home-1","code":"\#(code)"}"#.utf8)
        _ = try cloud.send(Request(method: "POST", path: "/console/edges/confirm", body: body, address: "unix", isLocal: true))
        #expect(admitted(cloud) == [old])
        try cloud.restart()
        #expect(admitted(cloud) == [old])
        let next = TestEdge(cloud, boot: 8, after: edge.entries)
        try next.connect()
        try next.pass(.milliseconds(250))
        try announce(next, from: old, to: third)
        #expect(admitted(cloud) == [third, old], "what is announced from then on counts")
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
