// A revoked edge: its commands have an end, the page asks a person, and one that comes back has what it wrote meanwhile kept apart.
import CloudNode
import Contract
import Control
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

@Suite struct RevokedTests {
    private let oldKey = [UInt8](repeating: 1, count: 32), newKey = [UInt8](repeating: 3, count: 32)
    private let keys = ["0192f3a4b5c67d8e9fa0b1c2d3e4f501", "0192f3a4b5c67d8e9fa0b1c2d3e4f502", "0192f3a4b5c67d8e9fa0b1c2d3e4f503"]

    private func console(_ cloud: TestCloud, _ path: String, _ body: String) throws -> Answer? {
        try cloud.send(Request(method: "POST", path: "/console/edges/\(path)", body: Array(body.utf8), address: "unix", isLocal: true)).answer
    }
    private func revoke(_ cloud: TestCloud) throws {
        #expect(try console(cloud, "revoke", #"{"name":"home-1","reason":"stolen"}"#)?.status == 200)
    }
    private func row(_ cloud: TestCloud, _ verdict: String) throws -> JSONValue? {
        let answer = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json)
        #expect(try Contract().problems(of: answer, as: "edges") == [])
        return answer["refusals"]?.elements?.first { $0["verdict"]?.text == verdict }
    }
    private func decide(_ cloud: TestCloud, _ keep: String, confirm: String = "home-1") throws -> Int? {
        try cloud.post("/api/v1/edges/home-1/settle", #"{"keep":"\#(keep)","confirm":"\#(confirm)"}"#, cloud.bearer())?.status
    }
    private func choices(_ row: JSONValue?) -> [String]? { row?["decision"]?["choices"]?.elements?.compactMap { $0["keep"]?.text } }
    /// Enrols the edge again; the words of a refusal, or nil when its six digits are confirmed.
    private func enrol(_ cloud: TestCloud, key: [UInt8]) throws -> String? {
        cloud.pass(.minutes(1))
        var answer = try console(cloud, "invite", #"{"name":"home-1"}"#)
        if answer == nil {
            try cloud.turn([.enrolmentOpen(port: 5_571)])
            answer = cloud.take { if case .respond(_, let answer) = $0 { answer } else { nil } }.last
        }
        let token = try EnrolmentToken(text: #require(answer?.json?["token"]?.text))
        try cloud.turn([.enrolment(EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token).encode(), key: key, from: 1)])
        let bytes = cloud.take { if case .answerEnrolment(let bytes, _) = $0 { bytes } else { nil } }
        switch try EnrolmentAnswer(#require(bytes.last)) {
        case .refused(let words): return words
        case .accepted(_, let code, _, _):
            #expect(try console(cloud, "confirm", #"{"name":"home-1","code":"\#(code)"}"#)?.status == 200)
            return nil
        }
    }
    private func stored(_ cloud: TestCloud, _ name: String = "") throws -> [Entry] {
        try EntryStore(path: "\(cloud.folder)/edges/\(TestEdge.id)\(name).db", .init(.readOnly)).read(from: 1, limit: 1_000).map { try Entry($0) }
    }

    /// It was set aside for what it sent, and is revoked as the page says: the page, the console and readiness name it for that no more.
    @Test func whatItWasSetAsideForIsOver() throws {
        let (cloud, edge) = try TestCloud.linked()
        for key in UInt8(1)...2 { edge.write(.cloudKey(CloudKeyFact(key: [UInt8](repeating: key, count: 32), ground: .firstUse))) }
        try edge.pump()
        try cloud.tick()
        func status() throws -> String? {
            let asked = try cloud.send(Request(method: "GET", path: "/console/edges", address: "unix", isLocal: true))
            return asked.answer?.json?["edges"]?.elements?.first?["status"]?.text
        }
        func missing() throws -> String { (try cloud.get("/ready")?.json?["missing"]?.elements ?? []).compactMap(\.text).joined(separator: ", ") }
        #expect(try row(cloud, "UNSIGNED_ENTRIES") != nil && status() == "damaged" && missing().contains("sends what is not signed"))
        try revoke(cloud)
        for _ in 0..<2 { try cloud.tick() }
        #expect(try row(cloud, "UNSIGNED_ENTRIES") == nil && row(cloud, "REVOKED") != nil && status() == "revoked")
        let rest = try missing()
        #expect(!rest.contains("not signed") && !rest.contains("damaged"), "\(rest)")
    }

    /// What never left had no effect, what left may have had one, and what was taken is told no further.
    @Test func itsCommandsEnd() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        func ask(_ key: String) throws {
            #expect(
                try cloud.post("/api/v1/orders", #"{"side":"BUY","quantity":"3","trailingStop":{"percent":"1.5"}}"#, who, key: key)?.status == 202)
        }
        try ask(keys[0])
        try edge.pump()
        // An order that works on: the command is accepted and has no end yet.
        let leg = Leg(
            role: .open, instrument: TestEdge.mbt, side: .buy, quantity: Quantity(whole: 3), ordType: .market, timeInForce: .day, brokerOrderID: 9)
        let command = try #require(edge.commands.first?.id)
        let intent = edge.write(.intent(Ticket(account: "DU4402117", origin: .manual, command: command, reason: "asked", legs: [leg])))
        let tag = ClOrdID(edge: TestEdge.id, intent: IntentID(boot: intent.boot, seq: intent.seq), leg: 0)
        edge.write(.orderReport(OrderReport(tag: tag, status: .new, permID: 1_480_332_900)))
        try edge.pump()
        try ask(keys[1])
        try edge.lose()
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        #expect(try cloud.post("/api/v1/positions/MBTZ6.CME/close", "{}", who, key: keys[2])?.status == 202)
        try revoke(cloud)
        let ends = try keys.map { key in
            let row = try #require(try cloud.get("/api/v1/commands/\(key)", who)?.json)
            #expect(row["final"]?.boolValue == true)
            return [row["state"]?.text ?? "", row["reason"]?.text ?? ""]
        }
        #expect(ends.map { $0[0] } == ["accepted", "expired", "withdrawn"])
        #expect(ends[0][1].contains("what became of its orders is not told"))
        #expect(ends[1][1].contains("may have been executed") && ends[2][1].contains("had no effect"))
        #expect(try row(cloud, "REVOKED")?["words"]?.text?.contains("3 commands were ended") == true)
        try cloud.restart()
        #expect(cloud.node.control.outbox.open.isEmpty, "they end once, durably")
    }

    @Test func thePageAsksAndTheAnswerIsKept() throws {
        let (cloud, edge) = try TestCloud.linked()
        try revoke(cloud)
        let before = try stored(cloud)
        edge.fill(nil)
        try edge.pump()
        #expect(try stored(cloud) == before, "nothing of it is taken")
        let shown = try #require(try row(cloud, "REVOKED"))
        let words = try #require(shown["words"]?.text)
        #expect(words.contains("cloud-console revoked its key") && words.contains("(stolen)") && words.contains("ends at entry \(before.count)"))
        #expect(choices(shown) == ["readmit", "close"])
        try cloud.restart()
        #expect(choices(try row(cloud, "REVOKED")) == ["readmit", "close"], "the question outlives the process")
        #expect(try decide(cloud, "close", confirm: "home") == 400)
        #expect(try cloud.post("/api/v1/edges/home-1/settle", #"{"keep":"close","confirm":"home-1"}"#, cloud.bearer("trader"))?.status == 403)
        #expect(try decide(cloud, "edge") == 404, "it has no second history")
        #expect(try enrol(cloud, key: newKey)?.contains("was revoked") == true, "not before somebody said so")
        #expect(try decide(cloud, "close") == 200 && row(cloud, "REVOKED") == nil)
        try cloud.restart()
        try cloud.tick()
        #expect(try row(cloud, "REVOKED") == nil && enrol(cloud, key: newKey)?.contains("was revoked") == true)
    }

    @Test(arguments: [KeptBranch.edge, .cloud]) func whatItWroteMeanwhileIsKeptApart(_ kept: KeptBranch) throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.disconnect()
        try revoke(cloud)
        let before = try stored(cloud)
        edge.fill(nil)
        #expect(try decide(cloud, "readmit") == 200)
        #expect(try row(cloud, "REVOKED")?["decision"]?["decided"]?.text?.contains("cloud:admin decided") == true)
        #expect(try enrol(cloud, key: oldKey)?.contains("refused for ever") == true)
        #expect(try enrol(cloud, key: newKey) == nil && row(cloud, "REVOKED") == nil)
        try cloud.restart()
        try edge.connect()
        try edge.pass(.milliseconds(250))
        guard case .refused(let trouble) = edge.sender.phase else { Issue.record("\(edge.sender.phase)"); return }
        #expect(trouble.code == "QUARANTINED" && !trouble.haltsTrading)
        let meanwhile = Array(edge.entries.dropFirst(before.count))
        #expect(try stored(cloud) == before && !meanwhile.isEmpty && stored(cloud, ".fork-1-1") == meanwhile)
        #expect(choices(try row(cloud, "QUARANTINED")) == ["cloud", "edge"])
        #expect(try decide(cloud, kept.rawValue) == 200)
        try edge.pass(.seconds(5))
        let settlement = try #require(edge.settlements.first)
        #expect(settlement.kept == kept && settlement.epoch == 2)
        var next = edge
        if kept == .edge {
            let ours = try #require(edge.entries.last?.head)
            edge.write(.lineage(settlement.lineage(after: ours)))
        } else {
            // What the program does: it seals its branch, and the next run begins where the cloud ends.
            edge.disconnect()
            try cloud.tick(after: .seconds(20))
            next = TestEdge(cloud, boot: 8, after: before)
            next.write(.lineage(settlement.lineage(after: try #require(next.entries.last?.head))))
            try next.connect()
        }
        for _ in 0..<8 { try next.pass(.milliseconds(250)) }
        #expect(next.sender.phase == .open && next.sender.isCaughtUp)
        #expect(try stored(cloud) == next.entries && row(cloud, "QUARANTINED") == nil)
        // From here on it is an edge like any other.
        try cloud.restart()
        next.fill(nil)
        next.disconnect()
        try next.connect()
        try next.pass(.milliseconds(250))
        #expect(next.sender.phase == .open && next.sender.isCaughtUp)
    }

    /// A decision that the edge has not heard of yet is none about what it writes after it was revoked once more.
    @Test(arguments: [nil, KeptBranch.edge, .cloud]) func aSecondRevocationAsksAnew(_ kept: KeptBranch?) throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.disconnect()
        try revoke(cloud)
        let before = try stored(cloud)
        edge.fill(nil)
        #expect(try decide(cloud, "readmit") == 200 && enrol(cloud, key: newKey) == nil)
        try edge.connect()
        try edge.pass(.milliseconds(250))
        edge.disconnect()
        if let kept { #expect(try decide(cloud, kept.rawValue) == 200) }
        try revoke(cloud)
        edge.fill(nil)
        #expect(try decide(cloud, "readmit") == 200 && enrol(cloud, key: [UInt8](repeating: 5, count: 32)) == nil)
        #expect(try row(cloud, "QUARANTINED") == nil, "nobody is asked about what was there the first time")
        try cloud.restart()
        try edge.connect()
        try edge.pass(.milliseconds(250))
        guard case .refused(let trouble) = edge.sender.phase else { Issue.record("\(edge.sender.phase)"); return }
        #expect(trouble.code == "QUARANTINED" && edge.settlements.isEmpty)
        #expect(try stored(cloud) == before && choices(row(cloud, "QUARANTINED")) == ["cloud", "edge"])
    }

    /// The edge has carried a decision out and is revoked once more before it could say so. What it had told of was set aside by a person: nothing is
    /// missed when it comes back with what the cloud has.
    @Test(arguments: [false, true], [false, true]) func whatWasSetAsideIsNotMissed(keepsHeads: Bool, restarts: Bool) throws {
        var rules = Rules()
        rules.keepsSealedHeads = keepsHeads
        let (cloud, edge) = try TestCloud.linked(rules)
        edge.losesBatches = true
        edge.fill(nil)
        for _ in 0..<3 { try edge.pass(.seconds(1)) }
        let before = try stored(cloud)
        #expect(try #require(cloud.node.receiver.link(TestEdge.id)).announced.seq > before.last?.seq ?? Seq(0), "a beat has told of more")
        edge.disconnect()
        try revoke(cloud)
        edge.losesBatches = false
        #expect(try decide(cloud, "readmit") == 200 && enrol(cloud, key: newKey) == nil)
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(try decide(cloud, "cloud") == 200)
        try edge.pass(.seconds(5))
        #expect(edge.settlements.first?.kept == .cloud)
        edge.disconnect()
        try revoke(cloud)
        #expect(try decide(cloud, "readmit") == 200 && enrol(cloud, key: [UInt8](repeating: 5, count: 32)) == nil)
        if restarts { try cloud.restart() }
        // It has sealed its branch, and the next run has not written yet.
        let next = TestEdge(cloud, boot: 8, after: before, writes: false)
        try next.connect()
        for _ in 0..<4 { try next.pass(.milliseconds(250)) }
        #expect((next.sender.phase == .open) == !keepsHeads)
        #expect(try (row(cloud, "ROLLBACK_UNSYNCED") == nil) == !keepsHeads)
    }

    /// What it asked before leaves the page with it: its buttons would lead nowhere.
    @Test func itsOtherQuestionLeavesThePage() throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.fill(nil)
        try edge.pump()
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        let copy = TestEdge(cloud, boot: 9, after: Array(edge.entries.dropLast(2)))
        copy.fill(nil)
        try copy.connect()
        for _ in 0..<4 { try copy.pass(.milliseconds(250)) }
        #expect(choices(try row(cloud, "FORK")) == ["cloud", "edge"])
        copy.disconnect()
        try revoke(cloud)
        try cloud.tick(after: .seconds(1))
        #expect(try row(cloud, "FORK") == nil && choices(row(cloud, "REVOKED")) == ["readmit", "close"])
    }

    /// One that wrote nothing meanwhile has nothing to be decided about.
    @Test func whoWroteNothingIsInAtOnce() throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.disconnect()
        try revoke(cloud)
        #expect(try decide(cloud, "readmit") == 200 && enrol(cloud, key: newKey) == nil)
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.phase == .open)
        edge.fill(nil)
        edge.disconnect()
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.phase == .open && edge.sender.isCaughtUp, "what it writes from then on counts")
    }
}
