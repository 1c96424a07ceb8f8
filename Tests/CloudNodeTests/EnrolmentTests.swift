// Tokens, keys and six digits: every way in, and every way that is none.
import CloudNode
import Control
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Values
import Wire

@Suite struct EnrolmentTests {
    private let key = [UInt8](repeating: 3, count: 32)

    private func console(_ cloud: TestCloud, _ path: String, _ body: String) throws -> (number: UInt64, answer: Answer?) {
        try cloud.send(Request(method: "POST", path: path, body: Array(body.utf8), address: "unix", isLocal: true))
    }
    /// What the shell was told about the enrolment socket.
    private func sockets(_ cloud: TestCloud) -> [Bool] {
        cloud.take { effect -> Bool? in if case .enrolmentSocket(let isOpen) = effect { isOpen } else { nil } }
    }
    /// Invites by the console; the shell's part is to open the socket.
    private func invite(_ cloud: TestCloud, _ name: String = "home-1") throws -> EnrolmentToken {
        let (number, now) = try console(cloud, "/console/edges/invite", #"{"name":"\#(name)"}"#)
        if now == nil {
            #expect(sockets(cloud) == [true])
            try cloud.turn([.enrolmentOpen(port: 5_571)])
        }
        let answer = try #require(now ?? cloud.answer(number))
        return try EnrolmentToken(text: #require(answer.json?["token"]?.text))
    }
    private func enrol(_ cloud: TestCloud, _ request: EnrolmentRequest, key: [UInt8]? = nil) throws -> EnrolmentAnswer {
        try cloud.turn([.enrolment(request.encode(), key: key ?? self.key, from: 1)])
        let answers = cloud.take { if case .answerEnrolment(let bytes, 1) = $0 { bytes } else { nil } }
        return try EnrolmentAnswer(try #require(answers.first))
    }
    private func words(_ answer: EnrolmentAnswer) -> String { if case .refused(let words) = answer { words } else { "accepted" } }
    private func admitted(_ cloud: TestCloud) -> [LinkKey]? { cloud.take { if case .admit(let keys) = $0 { keys } else { nil } }.last }

    @Test func anInvitedEdgeIsLetInWhenTheDigitsAreConfirmed() throws {
        let cloud = try TestCloud()
        let token = try invite(cloud)
        #expect(token.serverKey == TestCloud.serverKey && token.linkPort == 5_570 && token.enrolPort == 5_571)
        let request = EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token)
        let answer = try enrol(cloud, request)
        guard case .accepted(let name, let code, _, _) = answer else { Issue.record("\(answer)"); return }
        #expect(name == "home-1" && answer.isProved(for: request, by: token) && code == request.code(serverKey: token.serverKey))
        #expect(admitted(cloud)?.map(\.isConfirmed) == [false])
        let wrong = code == "000000" ? "000001" : "000000"
        #expect(try console(cloud, "/console/edges/confirm", #"{"name":"home-1","code":"\#(wrong)"}"#).answer?.status == 409)
        #expect(try console(cloud, "/console/edges/confirm", #"{"name":"home-1","code":"\#(code)"}"#).answer?.status == 200)
        #expect(admitted(cloud) == [LinkKey(key: key, edge: TestEdge.id, isConfirmed: true)])
        let edge = TestEdge(cloud)
        try edge.connect()
        #expect(edge.sender.phase == .open)
        try cloud.restart()
        #expect(admitted(cloud) == [LinkKey(key: key, edge: TestEdge.id, isConfirmed: true)], "the store remembers")
    }

    /// A token works for fifteen minutes, in this process and in the next, also when the clock is set back meanwhile; so does a minute of tries.
    @Test(arguments: [false, true]) func aTokenLivesNoLongerWhenTheClockIsSetBack(isRestarted: Bool) throws {
        let cloud = try TestCloud()
        let request = EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: try invite(cloud))
        cloud.pass(.minutes(5))
        cloud.setClock(by: .hours(-1))
        try cloud.tick()
        if isRestarted { try cloud.restart() }
        cloud.pass(.minutes(10) - .seconds(1))
        for _ in 0..<EnrolmentTests.triesMax { try cloud.turn([.enrolment([1], key: key, from: 2)]) }
        cloud.setClock(by: .hours(-1))
        cloud.pass(.minutes(1))
        #expect(words(try enrol(cloud, request)).contains("expired"))
    }
    private static let triesMax = 5

    /// Invitations that wait for the socket are bounded: one more is asked to come again, the others are answered.
    @Test func invitationsThatWaitAreBounded() throws {
        let cloud = try TestCloud()
        let waiting = try (0..<16).map { number -> UInt64 in
            let (call, answer) = try console(cloud, "/console/edges/invite", #"{"name":"home-\#(number)"}"#)
            #expect(answer == nil)
            return call
        }
        #expect(try console(cloud, "/console/edges/invite", #"{"name":"home-99"}"#).answer?.status == 503)
        try cloud.turn([.enrolmentOpen(port: 5_571)])
        for call in waiting { #expect(cloud.answer(call)?.json?["token"] != nil) }
        #expect(try console(cloud, "/console/edges/invite", #"{"name":"home-99"}"#).answer?.json?["token"] != nil)
    }

    /// The edge learns at its enrolment by which key the cloud signs what it has.
    @Test func theEnrolmentShowsTheKeyThatCountersigns() throws {
        let cloud = try TestCloud(signs: true)
        let answer = try enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: try invite(cloud)))
        guard case .accepted(_, _, _, let signer) = answer else { Issue.record("\(answer)"); return }
        #expect(signer?.key == SigningKeys(seed: [UInt8](repeating: 8, count: 32))?.publicKey)
    }

    /// An enrolment that the full disk refused leaves no word of the key that was shown.
    @Test func aRefusedEnrolmentLeavesNoKey() throws {
        let disk = FaultyDisk(seed: 1)
        let cloud = try TestCloud(vfs: disk.name)
        let token = try invite(cloud)
        let keys = try (1...2).map { try #require(SigningKeys(seed: [UInt8](repeating: $0, count: 32))).publicKey }
        disk.fullPrefix = "control.db"
        let first = try enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, ledgerKey: keys[0], token: token))
        #expect(words(first).contains("disk is full"))
        disk.fullPrefix = nil
        try cloud.tick(after: .seconds(2))
        let second = try enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, ledgerKey: keys[1], token: token))
        #expect(words(second) == "accepted")
    }

    @Test func aTokenWorksOnce() throws {
        let cloud = try TestCloud()
        let token = try invite(cloud)
        _ = try enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token))
        let replay = try enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token))
        #expect(words(replay).contains("used already"))
        try cloud.restart()
        #expect(words(try enrol(cloud, EnrolmentRequest(edge: TestEdge.edge(2), linkKey: key, token: token))).contains("used already"))
    }

    @Test func aTokenExpiresAndTheSocketCloses() throws {
        let cloud = try TestCloud()
        let token = try invite(cloud)
        try cloud.tick(after: .minutes(14))
        #expect(sockets(cloud) == [])
        try cloud.tick(after: .minutes(1))
        #expect(sockets(cloud) == [false])
        #expect(words(try enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token))).contains("expired"))
        #expect(cloud.node.control.edges.isEmpty)
    }

    @Test func foreignTokensKeysAndProofsAreRefused() throws {
        let cloud = try TestCloud()
        let token = try invite(cloud)
        let stranger = try #require(
            EnrolmentToken(host: "h", linkPort: 1, enrolPort: 2, serverKey: token.serverKey, secret: [UInt8](repeating: 1, count: 16)))
        #expect(words(try enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: stranger))).contains("not given out here"))
        let otherCloud = try #require(
            EnrolmentToken(host: "h", linkPort: 1, enrolPort: 2, serverKey: [UInt8](repeating: 8, count: 32), secret: token.secret))
        #expect(words(try enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: otherCloud))).contains("not given out here"))
        let borrowed = EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token)
        #expect(words(try enrol(cloud, borrowed, key: [UInt8](repeating: 4, count: 32))).contains("another key"))
        guard case .accepted = try enrol(cloud, borrowed) else { Issue.record("the token was spoilt by refusals"); return }
    }

    @Test func bytesThatAreNoRequestAndTooManyTries() throws {
        let cloud = try TestCloud()
        _ = try invite(cloud)
        func say(_ bytes: [UInt8]) throws -> String {
            try cloud.turn([.enrolment(bytes, key: key, from: 1)])
            return words(try EnrolmentAnswer(#require(cloud.take { if case .answerEnrolment(let bytes, _) = $0 { bytes } else { nil } }.first)))
        }
        #expect(try say([UInt8](repeating: 0x20, count: 1_025)).contains("longer than 1024"))
        for bytes in [[], Array("{}".utf8), Array("not json".utf8), [0xFF, 0xFE]] as [[UInt8]] { #expect(try say(bytes).contains("cannot be read")) }
        #expect(try say([]).contains("cannot be read"))
        #expect(try say([]).contains("Too many tries"))
        cloud.pass(.minutes(1))
        #expect(try say([]).contains("cannot be read"))
    }

    @Test func aRevokedEdgeIsCutOffAndStaysOut() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        let linkKey = [UInt8](repeating: 1, count: 32)
        #expect(try console(cloud, "/console/edges/revoke", #"{"name":"home-1"}"#).answer?.status == 200)
        #expect(admitted(cloud) == [])
        #expect(try cloud.get("/api/v1/edges", who)?.json?["edges"] == .array([]))
        let before = edge.sender.acked
        edge.fill(nil)
        try edge.pump()
        #expect(edge.sender.acked == before, "frames of its open connection are ignored")
        try cloud.turn([.stranger(key: linkKey, address: "10.0.0.7")])
        let row = try cloud.get("/api/v1/edges", who)?.json?["refusals"]?.elements?.first { $0["verdict"]?.text == "REVOKED_KEY" }
        #expect(row?["words"]?.text?.contains("home-1") == true)
        let token = try invite(cloud)
        #expect(words(try enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token))).contains("revoked"))
        try cloud.restart()
        #expect(cloud.node.control.edges.isEmpty)
    }

    @Test func aKnownEdgeMayComeBackWithANewKeyAndItsLedger() throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.disconnect()
        let token = try invite(cloud)
        let request = EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token)
        guard case .accepted(_, let code, _, _) = try enrol(cloud, request) else { Issue.record("refused"); return }
        #expect(cloud.node.control.edges.isEmpty, "the old key is out at once")
        _ = try console(cloud, "/console/edges/confirm", #"{"name":"home-1","code":"\#(code)"}"#)
        #expect(cloud.node.control.edges[TestEdge.id]?.book.head == edge.entries.last?.head)
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.phase == .open && edge.sender.isCaughtUp)
    }

    /// Whoever enrols a linked edge anew cuts its old key off: the run that is linked hears why, and nothing more of it is taken until the digits are
    /// confirmed.
    @Test func aLinkedEdgeHearsThatItWasEnrolledAnew() throws {
        let (cloud, edge) = try TestCloud.linked()
        let stored = try #require(cloud.node.control.edges[TestEdge.id]?.book.head)
        #expect(edge.sender.phase == .open && edge.sender.isCaughtUp)
        let token = try invite(cloud)
        _ = try #require(try? enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token)))
        edge.fill(nil)
        try edge.pass(.milliseconds(250))
        guard case .refused(let trouble) = edge.sender.phase else { Issue.record("\(edge.sender.phase)"); return }
        #expect(trouble.code == "ENROLLED_ANEW" && trouble.text.contains("enrolled anew") && trouble.cure.contains("edge revoke"))
        #expect(!trouble.haltsTrading, "it trades on without the cloud")
        try edge.pass(.seconds(31))
        try edge.pass(.seconds(31))
        #expect(cloud.node.control.edges.isEmpty && edge.sender.phase != .open)
        try cloud.restart {
            let file = try EntryStore(path: "\(cloud.folder)/edges/\(TestEdge.id).db", .init(.readOnly))
            #expect(file.head.seq == stored.seq.raw, "nothing of the old key is stored")
        }
    }

    /// Whoever holds a token for another name does not get to replace the key of an edge that is here.
    @Test func aTokenOfOneNameDoesNotTouchAnotherEdge() throws {
        let (cloud, _) = try TestCloud.linked()
        let token = try invite(cloud, "other")
        #expect(words(try enrol(cloud, EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token))).contains("belongs to home-1"))
        #expect(cloud.node.control.edges[TestEdge.id] != nil, "the edge stays as it was")
    }

    @Test func oneNameIsOneEdge() throws {
        let (cloud, _) = try TestCloud.linked()
        let token = try invite(cloud)
        #expect(words(try enrol(cloud, EnrolmentRequest(edge: TestEdge.edge(2), linkKey: key, token: token))).contains("is another edge"))
    }

    @Test func theConsoleListsAndRefusesInWords() throws {
        let (cloud, _) = try TestCloud.linked()
        _ = try invite(cloud, "boat")
        let list = try cloud.send(Request(method: "GET", path: "/console/edges", isLocal: true)).answer?.json
        #expect(list?["edges"]?.elements?.first?["status"]?.text == "confirmed")
        #expect(list?["invitations"]?.elements?.first?["name"]?.text == "boat")
        #expect(try console(cloud, "/console/edges/confirm", #"{"name":"nobody","code":"1"}"#).answer?.status == 404)
        #expect(try console(cloud, "/console/edges/invite", #"{"name":"a b"}"#).answer?.status == 400)
        #expect(try console(cloud, "/console/edges/revoke", #"{"name":"nobody"}"#).answer?.status == 404)
    }
}
