// Two histories of one edge, from the first refusal to the first entry of the new lineage: shown, decided by a person, sealed, and durable all the way.
import CloudNode
import Contract
import Control
import Foundation
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Values
import Wire

/// The process dies as soon as the entries of a sealed branch are out of the ledger.
private final class DyingFile: ForwardingLedgerFile {
    let store: EntryStore
    init(_ store: EntryStore) { self.store = store }
    func cut(after seq: UInt64) throws(StoreError) {
        try store.cut(after: seq)
        throw .failed(.busy("the process is gone"))
    }
}

@Suite struct DisputeTests {
    /// A linked edge whose ledger is then set back to `common` entries; its copy wrote on without the cloud.
    private func forked(common: Int = 4) throws -> (cloud: TestCloud, before: [Entry], edge: TestEdge) {
        let (cloud, edge) = try TestCloud.linked()
        for _ in 0..<3 { edge.fill(nil) }
        try edge.pump()
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        let copy = TestEdge(cloud, boot: 8, after: Array(edge.entries.prefix(common)))
        copy.fill(nil, side: .sell, quantity: 5)
        try copy.connect()
        try copy.pass(.milliseconds(250))
        return (cloud, edge.entries, copy)
    }

    private func file(_ cloud: TestCloud, _ name: String) throws -> [Entry] {
        let store = try EntryStore(path: "\(cloud.folder)/edges/\(TestEdge.id)\(name).db", .init(.readOnly))
        return try store.read(from: 1, limit: 1_000).map { try Entry($0) }
    }

    private func decision(_ cloud: TestCloud, _ who: [Request.Pair]) throws -> JSONValue? {
        let answer = try #require(try cloud.get("/api/v1/edges", who)?.json)
        #expect(try Contract().problems(of: answer, as: "edges") == [])
        return answer["refusals"]?.elements?.first { $0["decision"] != nil }?["decision"]
    }

    private func settle(_ cloud: TestCloud, _ keep: String, _ who: [Request.Pair], confirm: String = "home-1") throws -> Answer {
        try #require(try cloud.post("/api/v1/edges/home-1/settle", #"{"keep":"\#(keep)","confirm":"\#(confirm)"}"#, who))
    }

    @Test func theEdgesHistoryGoesOnAndTheCloudsIsSealed() throws {
        let (cloud, before, edge) = try forked()
        guard case .refused(let trouble) = edge.sender.phase else { Issue.record("\(edge.sender.phase)"); return }
        #expect(trouble.code == "FORK" && trouble.haltsTrading)
        let who = try cloud.bearer()
        let shown = try #require(try decision(cloud, who))
        #expect(shown["choices"]?.elements?.compactMap { $0["keep"]?.text } == ["cloud", "edge"] && shown["edge"]?.text == "home-1")
        #expect(try file(cloud, ".fork-1-1") == Array(edge.entries[4...]), "the edge's branch is here before anybody decides")
        // A verified backup has all that the cloud has; of the edge's history that is the common part alone.
        let newest = try #require(before.last?.head)
        let body = #"{"heads":[{"edge":"\#(TestEdge.id)","seq":\#(newest.seq),"hash":"\#(Hex.text(newest.hash))"}]}"#
        let told = try cloud.send(Request(method: "POST", path: "/console/store/backed-up", body: Array(body.utf8), isLocal: true))
        #expect(told.answer?.status == 200)
        #expect(try settle(cloud, "edge", who).status == 200)
        #expect(try settle(cloud, "edge", who).status == 200, "deciding the same twice is deciding once")
        #expect(try settle(cloud, "cloud", who).status == 409)
        // The decision is durable: the next process tells it to the edge.
        edge.disconnect()
        try cloud.restart()
        #expect(try decision(cloud, cloud.bearer())?["decided"]?.text?.contains("cloud:admin decided") == true)
        try edge.connect()
        try edge.pass(.seconds(5))
        let settlement = try #require(edge.settlements.first)
        #expect(settlement.kept == .edge && settlement.epoch == 2 && settlement.decidedBy == "cloud:admin")
        let ours = try #require(edge.entries.last?.head)
        edge.write(.lineage(settlement.lineage(after: ours)))
        try edge.pump()
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.phase == .open && edge.sender.isCaughtUp)
        #expect(edge.backups.allSatisfy { $0 <= Seq(4) } && !edge.backups.isEmpty, "\(edge.backups)")
        #expect(try file(cloud, "") == edge.entries && file(cloud, ".fork-1-2") == Array(before[4...]))
        try cloud.turn([.follow])
        let book = try #require(cloud.node.control.edges[TestEdge.id]?.book)
        #expect(book.head == edge.entries.last?.head && book.positions[TestEdge.mbt]?.quantity == Quantity(whole: -5), "folded anew")
        #expect(try decision(cloud, cloud.bearer()) == nil)
        // The copy that was set aside comes back beside the chosen one: refused, with nothing to decide.
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        let clone = TestEdge(cloud, boot: 9, after: before)
        try clone.connect()
        try clone.pass(.milliseconds(250))
        guard case .refused(let fenced) = clone.sender.phase else { Issue.record("\(clone.sender.phase)"); return }
        #expect(fenced.code == "FENCED" && fenced.haltsTrading)
        #expect(try decision(cloud, cloud.bearer()) == nil && file(cloud, "") == edge.entries)
    }

    /// A person keeps the branch of this edge, which writes the word of that and has yet to tell it.
    private func goOn(_ cloud: TestCloud, _ edge: TestEdge) throws {
        #expect(try settle(cloud, "edge", cloud.bearer()).status == 200)
        try edge.pass(.seconds(5))
        let settlement = try #require(edge.settlements.first)
        edge.write(.lineage(settlement.lineage(after: try #require(edge.entries.last?.head))))
    }

    /// The backup has the branch that is sealed, and the process dies just then: the next one does not say that the backup has what came instead.
    @Test func aDeathAtTheSealingLeavesNoMarkAboveTheCommonEntry() throws {
        let cloud = try TestCloud(edges: [TestEdge.id]) { DyingFile($0) }
        let edge = TestEdge(cloud)
        edge.goLive()
        for _ in 0..<3 { edge.fill(nil) }
        try edge.connect()
        try edge.pass(.milliseconds(250))
        let newest = try #require(edge.entries.last?.head)
        let body = #"{"heads":[{"edge":"\#(TestEdge.id)","seq":\#(newest.seq),"hash":"\#(Hex.text(newest.hash))"}]}"#
        let told = try cloud.send(Request(method: "POST", path: "/console/store/backed-up", body: Array(body.utf8), isLocal: true))
        #expect(told.answer?.status == 200)
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        let copy = TestEdge(cloud, boot: 8, after: Array(edge.entries.prefix(4)))
        copy.fill(nil, side: .sell, quantity: 5)
        try copy.connect()
        try copy.pass(.milliseconds(250))
        try goOn(cloud, copy)
        #expect(throws: StoreError.self) { try copy.pump() }
        copy.disconnect()
        try cloud.restart()
        #expect(try file(cloud, "").count == 4)
        try copy.connect()
        for _ in 0..<4 { try copy.pass(.seconds(5)) }
        #expect(copy.sender.phase == .open && copy.sender.isCaughtUp)
        #expect(copy.backups.last == Seq(4) && copy.backups.allSatisfy { $0 <= Seq(4) }, "\(copy.backups)")
    }

    /// A branch with a signature that does not hold is nobody's choice: nothing of it is stored, the page says so, and the cloud's ledger stays.
    @Test(arguments: ["good", "another key", "countersignature"]) func aForgedBranchIsNotStored(_ way: String) throws {
        let (cloud, edge) = try TestCloud.linked()
        let keys = try #require(SigningKeys(seed: [UInt8](0..<32))), other = try #require(SigningKeys(seed: [UInt8](1..<33)))
        func sign(_ edge: TestEdge, _ keys: SigningKeys) throws {
            let head = try #require(edge.entries.last?.head)
            edge.write(.checkpoint(CheckpointFact(head: head, digest: Head.start.hash, edge: TestEdge.id, epoch: 1, keys: keys)))
        }
        try sign(edge, keys)
        let common = edge.entries.count
        edge.fill(nil)
        try edge.pump()
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        let copy = TestEdge(cloud, boot: 8, after: Array(edge.entries.prefix(common)))
        copy.fill(nil, side: .sell, quantity: 5)
        if way == "countersignature" {
            var word = CountersignedFact(head: edge.entries[0].head, edge: TestEdge.id, keys: keys)
            word.signature[1] ^= 1
            copy.write(.countersigned(word))
        }
        try sign(copy, way == "another key" ? other : keys)
        try copy.connect()
        try copy.pass(.milliseconds(250))
        let page = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json)
        let row = page["refusals"]?.elements?.first { $0["verdict"]?.text == "UNSIGNED_BRANCH" }
        let asked = try decision(cloud, cloud.bearer())
        #expect((row == nil) == (way == "good") && (asked != nil) == (way == "good"))
        #expect(try file(cloud, ".fork-1-1") == (way == "good" ? Array(copy.entries[common...]) : []))
        #expect(try file(cloud, "") == edge.entries)
        guard way != "good" else { return }
        let wanted = way == "another key" ? "signed by another key" : "signature of countersigned head"
        #expect(row?["words"]?.text?.contains(wanted) == true && row?["cure"]?.text?.contains("edge revoke home-1") == true)
        // It hears that there is another history: it must not trade.
        guard case .refused(let trouble) = copy.sender.phase else { Issue.record("\(copy.sender.phase)"); return }
        #expect(trouble.code == "FORK" && trouble.haltsTrading && trouble.text.contains(wanted))
        // The true edge goes on.
        copy.disconnect()
        try cloud.tick(after: .seconds(20))
        let back = TestEdge(cloud, boot: 9, after: edge.entries)
        try back.connect()
        try back.pass(.milliseconds(250))
        #expect(back.sender.phase == .open && back.sender.isCaughtUp)
        let later = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements)
        #expect(later.contains { $0["verdict"]?.text == "UNSIGNED_BRANCH" }, "that somebody has its key is no less true now")
    }

    /// A file that holds a branch of long ago is damaged: in its head, in its newest page, in an old one that nobody reads before more is written.
    /// What comes has another file, and no other edge, page or command hears of it.
    @Test(arguments: ["head", "entries", "old entries"]) func aRottenBranchEndsNothing(_ way: String) throws {
        let (cloud, before, edge) = try forked()
        for _ in 0..<60 { edge.fill(nil) }
        try edge.pass(.seconds(5))
        #expect(try file(cloud, ".fork-1-1") == Array(edge.entries[4...]))
        edge.disconnect()
        let path = "\(cloud.folder)/edges/\(TestEdge.id).fork-1-1.db"
        try cloud.restart {
            switch way {
            case "head": try Page.spoil(path, at: 0)
            case "entries": try Page.spoil(path, table: "entry")
            default: try Page.spoil(path, holding: String(decoding: edge.entries[7].body, as: UTF8.self))
            }
        }
        edge.fill(nil)
        try edge.connect()
        for _ in 0..<4 { try edge.pass(.seconds(5)) }
        guard case .refused(let trouble) = edge.sender.phase else { Issue.record("\(edge.sender.phase)"); return }
        #expect(trouble.code == "FORK")
        #expect(try file(cloud, ".fork-1-2") == Array(edge.entries[4...]), "whole, in the next file")
        #expect(cloud.take { if case .log(_, "branch damaged", let words) = $0 { words } else { nil } }.allSatisfy { $0.contains("fork-1-1.db") })
        // And what the decision seals has a third.
        try decide(for: edge, cloud)
        #expect(edge.sender.phase == .open)
        #expect(try file(cloud, ".fork-1-3") == Array(before[4...]) && file(cloud, "") == edge.entries)
    }

    /// The branch has a hole that the edge confessed: it is shown around the hole, kept with it, and goes on when a person says so. One that nobody
    /// confessed is not passed over.
    @Test(arguments: [true, false]) func aBranchIsShownOverWhatWasLost(isConfessed: Bool) throws {
        let (cloud, edge) = try TestCloud.linked()
        for _ in 0..<3 { edge.fill(nil) }
        try edge.pump()
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        let copy = TestEdge(cloud, boot: 8, after: Array(edge.entries.prefix(4)))
        for _ in 0..<3 { copy.fill(nil, side: .sell, quantity: 5) }
        let last = copy.entries[copy.entries.count - 3].head
        copy.lost = 7...last.seq.raw
        if isConfessed { copy.write(.gap(GapFact(from: Seq(7), to: last.seq, hash: last.hash))) }
        try copy.connect()
        for _ in 0..<4 { try copy.pass(.seconds(5)) }
        let who = try cloud.bearer()
        let kept = isConfessed ? Array(copy.entries[4..<6]) + Array(copy.entries[Int(last.seq.raw)...]) : Array(copy.entries[4..<6])
        #expect(try file(cloud, ".fork-1-1") == kept)
        let asked = try decision(cloud, who)
        #expect((asked != nil) == isConfessed, "what is not here is not decided about")
        guard isConfessed else { return }
        #expect(try settle(cloud, "edge", who).status == 200)
        for _ in 0..<2 where copy.settlements.isEmpty { try copy.pass(.seconds(5)) }
        let settlement = try #require(copy.settlements.first), ours = try #require(copy.entries.last?.head)
        copy.write(.lineage(settlement.lineage(after: ours)))
        try copy.pump()
        for _ in 0..<2 { try copy.pass(.seconds(5)) }
        #expect(copy.sender.phase == .open && copy.sender.isCaughtUp)
        #expect(try file(cloud, "") == edge.entries.prefix(4) + copy.entries.filter { $0.seq.raw > 4 && copy.lost?.contains($0.seq.raw) != true })
        try cloud.restart()
        #expect(try file(cloud, "").last == copy.entries.last)
    }

    /// Two copies of one edge that part at the same entry and ask in turns: each has one file, which grows with it.
    @Test func copiesThatTakeTurnsKeepAFileEach() throws {
        let (cloud, before, edge) = try forked()
        let other = TestEdge(cloud, boot: 9, after: Array(before.prefix(4)))
        edge.disconnect()
        for turn in 0..<6 {
            try cloud.tick(after: .seconds(20))
            let copy = turn.isMultiple(of: 2) ? other : edge
            copy.fill(nil, side: .buy, quantity: 2)
            try copy.connect()
            try copy.pass(.seconds(5))
            guard case .refused(let trouble) = copy.sender.phase else { Issue.record("\(copy.sender.phase)"); return }
            #expect(trouble.code == "FORK")
            copy.disconnect()
        }
        #expect(try file(cloud, ".fork-1-1") == Array(edge.entries[4...]) && file(cloud, ".fork-1-2") == Array(other.entries[4...]))
        #expect(throws: (any Error).self) { try file(cloud, ".fork-1-3") }
    }

    /// A decision is about the branch that was shown. When that copy never comes back, the other one's question is open all the same.
    @Test func aDecisionAboutOneCopyDoesNotAnswerForAnother() throws {
        let (cloud, before, edge) = try forked()
        #expect(try settle(cloud, "cloud", cloud.bearer()).status == 200)
        edge.disconnect()
        let other = TestEdge(cloud, boot: 9, after: Array(before.prefix(4)))
        other.fill(nil, side: .buy, quantity: 2)
        try other.connect()
        try other.pass(.milliseconds(250))
        let who = try cloud.bearer()
        let asked = try #require(try decision(cloud, who))
        #expect(asked["decided"] == nil && asked["choices"]?.elements?.count == 2)
        #expect(try settle(cloud, "edge", who).status == 200)
        try other.pass(.seconds(5))
        #expect(other.settlements.first?.kept == .edge)
    }

    /// The copy that was chosen vanishes before its first entry comes; the other's question is decided next. What the cloud had acknowledged to it
    /// lies in a sealed file: nobody is told of a cloud that forgot, unless that file is gone too. Another file that is damaged hides it from nobody.
    @Test(arguments: ["there", "gone", "beside a damaged one"]) func whatWasSealedIsNotForgotten(_ state: String) throws {
        let isFileThere = state != "gone"
        let (cloud, original) = try TestCloud.linked()
        for _ in 0..<3 { original.fill(nil) }
        try original.pump()
        let before = original.entries
        #expect(original.sender.acked == before.last?.head)
        original.disconnect()
        try cloud.tick(after: .seconds(20))
        let copy = TestEdge(cloud, boot: 8, after: Array(before.prefix(4)))
        copy.fill(nil, side: .sell, quantity: 5)
        copy.losesBatches = true
        try decide(for: copy, cloud)
        #expect(copy.sender.phase == .open)
        #expect(try file(cloud, "").count == 4)
        #expect(try file(cloud, ".fork-1-2") == Array(before[4...]))
        copy.disconnect()
        try cloud.tick(after: .seconds(20))
        if !isFileThere {
            for tail in ["", "-wal"] { try? FileManager.default.removeItem(atPath: "\(cloud.folder)/edges/\(original.id).fork-1-2.db\(tail)") }
        }
        if state == "beside a damaged one" { try Page.spoil("\(cloud.folder)/edges/\(original.id).fork-1-1.db", at: 0) }
        try decide(for: original, cloud)
        #expect(original.sender.phase == .open && original.sender.isCaughtUp)
        let rows = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements)
        #expect(rows.contains { $0["verdict"]?.text == "CLOUD_RESTORED" } == !isFileThere)
        #expect(try file(cloud, "") == original.entries)
    }

    /// The edge comes, is refused, a person decides for its history, and it goes on as the first entry of a new lineage says.
    private func decide(for edge: TestEdge, _ cloud: TestCloud) throws {
        try edge.connect()
        try edge.pass(.milliseconds(250))
        guard case .refused(let trouble) = edge.sender.phase else { Issue.record("\(edge.sender.phase)"); return }
        #expect(trouble.code == "FORK")
        #expect(try settle(cloud, "edge", cloud.bearer()).status == 200)
        try edge.pass(.seconds(5))
        let settlement = try #require(edge.settlements.last)
        edge.write(.lineage(settlement.lineage(after: try #require(edge.entries.last?.head))))
        try edge.pump()
        try edge.pass(.milliseconds(250))
    }

    @Test func theCloudsHistoryGoesOnAndTheEdgesIsSealed() throws {
        let (cloud, before, edge) = try forked()
        #expect(try settle(cloud, "cloud", cloud.bearer()).status == 200)
        edge.fill(nil, side: .sell, quantity: 1)
        try edge.pass(.seconds(5))
        let settlement = try #require(edge.settlements.first)
        #expect(settlement.kept == .cloud && settlement.dispute.edgeHead == edge.entries.last?.head)
        #expect(try file(cloud, ".fork-1-1") == Array(edge.entries[4...]), "with what the edge wrote since the decision")
        // The edge gave its branch up, took the cloud's entries and starts anew.
        edge.disconnect()
        let anew = TestEdge(cloud, boot: 10, after: before)
        anew.write(.lineage(settlement.lineage(after: try #require(anew.entries.last?.head))))
        // Its session opens, and its first entry is late: until that is here it may lose its way back, and the question stays.
        anew.losesBatches = true
        try anew.connect()
        try cloud.tick(after: .milliseconds(250))
        #expect(anew.sender.phase == .open && cloud.node.control.refusals.contains { $0.verdict == "FORK" })
        anew.losesBatches = false
        for _ in 0..<8 { try anew.pass(.seconds(2)) }
        #expect(anew.sender.phase == .open && anew.sender.isCaughtUp)
        #expect(try file(cloud, "") == anew.entries)
        #expect(try decision(cloud, cloud.bearer()) == nil)
        #expect(!cloud.node.control.refusals.contains { $0.verdict == "FORK" }, "the row goes with the question")
    }

    /// Only an admin who signed in just now and types the edge's name decides.
    @Test func aDecisionNeedsAPerson() throws {
        let (cloud, _, edge) = try forked()
        let who = try cloud.bearer()
        #expect(try settle(cloud, "edge", cloud.bearer("trader")).status == 403)
        #expect(try settle(cloud, "edge", []).status == 401)
        #expect(try settle(cloud, "edge", who, confirm: "home-2").json?["type"]?.text == "/problems/not-confirmed")
        #expect(try settle(cloud, "both", who).status == 400)
        #expect(try cloud.post("/api/v1/edges/nobody/settle", "{}", who)?.status == 404)
        try cloud.tick(after: .minutes(6))
        let old = try settle(cloud, "edge", who)
        #expect(old.status == 403 || old.status == 401, "an old sign-in")
        if old.status == 403 { #expect(old.json?["type"]?.text == "/problems/step-up") }
        try edge.pass(.seconds(5))
        #expect(edge.settlements.isEmpty)
        let (whole, _) = try TestCloud.linked()
        #expect(try settle(whole, "edge", whole.bearer()).json?["type"]?.text == "/problems/nothing-to-settle")
    }

    /// The console on the cloud's own machine decides too; it needs no password there.
    @Test func theConsoleDecides() throws {
        let (cloud, _, edge) = try forked()
        let body = Array(#"{"name":"home-1","keep":"edge"}"#.utf8)
        #expect(try cloud.send(Request(method: "POST", path: "/console/edges/settle", body: body)).answer?.status == 404, "not over the network")
        #expect(
            try cloud.send(Request(method: "POST", path: "/console/edges/settle", body: body, address: "unix", isLocal: true)).answer?.status == 200)
        try edge.pass(.seconds(5))
        #expect(edge.settlements.first?.decidedBy == "cloud-console")
    }

    /// An edge tells of entries that never come, the cloud's process dies, and the edge comes back without them: the next process knows of them.
    /// The control takes that word out of the file in between.
    @Test(arguments: ["hello", "beat"], [true, false]) func whatWasAnnouncedOutlivesTheCloudsProcess(_ way: String, isDurable: Bool) throws {
        let (cloud, edge) = try TestCloud.linked()
        let common = edge.entries, have = try #require(common.last?.head)
        #expect(cloud.node.receiver.link(TestEdge.id)?.announced == have)
        edge.losesBatches = true
        if way == "hello" { edge.disconnect() }
        for _ in 0..<3 { edge.fill(nil) }
        if way == "hello" { try edge.connect() } else { try edge.pass(.seconds(2)) }
        let lost = try #require(edge.entries.last?.head)
        #expect(cloud.node.receiver.link(TestEdge.id)?.announced == lost && cloud.node.receiver.link(TestEdge.id)?.have == have)
        edge.disconnect()
        try cloud.restart {
            guard !isDurable else { return }
            let file = try Database(path: cloud.folder + "/control.db", .init(.readWrite))
            try file.run("UPDATE edge SET announced_seq = ?, announced_hash = ?", .integer(Int64(have.seq.raw)), .blob(have.hash))
        }
        #expect(cloud.node.receiver.link(TestEdge.id)?.announced == (isDurable ? lost : have))
        let short = TestEdge(cloud, boot: 8, after: common)
        try short.connect()
        try short.pass(.milliseconds(250))
        let verdicts = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements).compactMap { $0["verdict"]?.text }
        #expect(verdicts == (isDurable ? ["ROLLBACK_UNSYNCED"] : []))
        guard isDurable else { #expect(short.sender.phase == .open && short.sender.isCaughtUp); return }
        guard case .refused(let trouble) = short.sender.phase else { Issue.record("\(short.sender.phase)"); return }
        #expect(trouble.code == "ROLLBACK_UNSYNCED" && trouble.haltsTrading)
        #expect(try file(cloud, "") == common, "nothing of it is taken before a person decides")
    }

    /// A command that the lost part of the ledger would have told of has no outcome any more, and says so.
    @Test func commandsOfALostLineageAreLost() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        let key = String(repeating: "ab", count: 16)
        #expect(try cloud.post("/api/v1/orders", #"{"instrument":"MBTZ6.CME","side":"BUY","quantity":"1"}"#, who, key: key)?.status == 202)
        edge.fill(nil)
        // The command is at the edge, its outcome is not here; then the edge loses its end and goes on elsewhere.
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        let stored = Int(cloud.node.receiver.link(TestEdge.id)?.have.seq.raw ?? 0)
        let copy = TestEdge(cloud, boot: 8, after: Array(edge.entries.prefix(stored - 1)))
        try copy.connect()
        try copy.pass(.milliseconds(250))
        try goOn(cloud, copy)
        try copy.pump()
        try copy.pass(.milliseconds(250))
        try cloud.turn([.follow])
        let row = try #require(try cloud.get("/api/v1/commands/\(key)", cloud.bearer())?.json)
        #expect(row["reason"]?.text?.hasPrefix("Lost:") == true, "\(row)")
    }
}
