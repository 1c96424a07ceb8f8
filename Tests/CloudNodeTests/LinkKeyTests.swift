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

    /// Two announcements were durable in the ledger before control.db had either: the next start follows both, in order.
    @Test func aDeathInBetweenLosesNoneOfSeveral() throws {
        let (cloud, edge) = try TestCloud.linked()
        try sign(cloud, edge)
        try announce(edge, from: old, to: new)
        try announce(edge, from: new, to: third)
        try cloud.restart {
            let store = try ControlStore(path: cloud.folder + "/control.db")
            try store.commit([.edge(TestCloud.enrolled(TestEdge.id, key: 1)), .meta(key: "former-key:\(TestEdge.id)", value: "")])
        }
        #expect(admitted(cloud) == [third, new])
        // Followed once: the day of the key before does not begin anew with each start.
        try cloud.tick(after: .hours(23))
        try cloud.restart()
        try cloud.tick(after: .hours(2))
        #expect(admitted(cloud) == [third])
    }

    /// Enrols the edge in a cloud that knows nothing of it, by a key, and says how far its ledger goes.
    private func enrol(_ cloud: TestCloud, by key: [UInt8], head: UInt64?) throws {
        let invite = Request(method: "POST", path: "/console/edges/invite", body: Array(#"{"name":"home-1"}"#.utf8), address: "unix", isLocal: true)
        _ = try cloud.send(invite)
        try cloud.turn([.enrolmentOpen(port: 5_571)])
        let answers = cloud.take { if case .respond(_, let answer) = $0 { answer } else { nil } }
        let token = try EnrolmentToken(text: #require(answers.last?.json?["token"]?.text))
        let request = EnrolmentRequest(edge: TestEdge.id, linkKey: key, ledgerKey: try keys().publicKey, head: head.map { Seq($0) }, token: token)
        #expect(try EnrolmentRequest(request.encode()) == request)
        try cloud.turn([.enrolment(request.encode(), key: key, from: 1)])
        let body = Array(#"{"name":"home-1","code":"\#(request.code(serverKey: TestCloud.serverKey))"}"#.utf8)
        _ = try cloud.send(Request(method: "POST", path: "/console/edges/confirm", body: body, address: "unix", isLocal: true))
    }

    /// An empty cloud gets the whole ledger of an edge that has changed its link's key twice: what it was enrolled by stays, whichever of the keys
    /// that is, also when the cloud starts anew between the two; what is announced from then on counts. Without the word of how far the history goes
    /// the first key would be followed to the third, which nobody holds any more.
    @Test(arguments: [0, 1, 2], [true, false]) func anEmptyCloudFollowsNoHistory(by which: Int, isTold: Bool) throws {
        let (first, before) = try TestCloud.linked()
        try sign(first, before)
        let cloud = try TestCloud(), key = [old, new, third][which]
        let edge = TestEdge(cloud, boot: 9, after: before.entries)
        try announce(edge, from: old, to: new)
        for number in 0..<5 { edge.write(.halt(HaltFact(level: .halt, source: "console", reason: "\(number)"))) }
        try announce(edge, from: new, to: third)
        try enrol(cloud, by: key, head: isTold ? UInt64(edge.entries.count) : nil)
        #expect(admitted(cloud) == [key])
        // The first batch comes, with the first change; then the cloud starts anew, and the rest comes.
        let last = UInt64(edge.entries.count)
        edge.lost = last - 3...last
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(!edge.sender.isCaughtUp && edge.sender.acked.seq.raw == last - 4)
        edge.disconnect()
        try cloud.restart()
        edge.lost = nil
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.isCaughtUp)
        try cloud.restart()
        let wanted = isTold || which == 2 ? [key] : [third, new]
        #expect(admitted(cloud) == wanted)
        let fresh = [UInt8](repeating: 4, count: 32)
        try announce(edge, from: key, to: fresh)
        if isTold { #expect(admitted(cloud) == nil, "the edge has no session yet") }
        edge.disconnect()
        try edge.connect()
        try edge.pass(.milliseconds(250))
        if isTold { #expect(admitted(cloud) == [fresh, key]) }
    }

    /// The ledger was set back since the enrolment, before the cloud had anything of it: it writes the same numbers again, and they count.
    @Test func aLedgerThatWasSetBackAnnouncesBelowItsEnrolment() throws {
        let (first, before) = try TestCloud.linked()
        try sign(first, before)
        let cloud = try TestCloud()
        try enrol(cloud, by: old, head: 500)
        let edge = TestEdge(cloud, boot: 9, after: before.entries)
        try edge.connect()
        try edge.pass(.milliseconds(250))
        _ = admitted(cloud)
        try announce(edge, from: old, to: new)
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
        let row = try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements?.first { $0["verdict"]?.text == "UNSIGNED_ENTRIES" }
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
