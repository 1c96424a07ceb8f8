// The comparison of stored bytes as a person asks for it: on real files that rot, shown on the page, kept over restarts, proved in lines.
import CloudNode
import Contract
import Control
import Foundation
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

@Suite struct ReconcileTests {
    /// Flips bytes in the stored file and its log, wherever this text of an entry's body stands. The node holds the file open meanwhile.
    private func flip(_ cloud: TestCloud, _ text: String, at offset: Int) throws {
        var flipped = 0
        for suffix in ["", "-wal"] {
            let path = "\(cloud.folder)/edges/\(TestEdge.id).db\(suffix)"
            guard let bytes = FileManager.default.contents(atPath: path).map({ [UInt8]($0) }) else { continue }
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            for place in bytes.ranges(of: Array(text.utf8)) {
                let at = place.lowerBound + offset
                try file.seek(toOffset: UInt64(at))
                try file.write(contentsOf: [bytes[at] ^ 1])
                flipped += 1
            }
            try file.close()
        }
        #expect(flipped > 0, "the text stands nowhere")
    }

    private func row(_ cloud: TestCloud) throws -> JSONValue? {
        let answer = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json)
        #expect(try Contract().problems(of: answer, as: "edges") == [])
        return answer["edges"]?.elements?.first?["comparison"]
    }

    private func ask(_ cloud: TestCloud, _ user: String = "admin") throws -> Answer {
        try #require(try cloud.post("/api/v1/edges/home-1/reconcile", "{}", cloud.bearer(user)))
    }

    private func stored(_ cloud: TestCloud) throws -> [Entry] {
        let store = try EntryStore(path: "\(cloud.folder)/edges/\(TestEdge.id).db", .init(.readOnly))
        return try store.read(from: 1, limit: 1_000).map { try Entry($0) }
    }

    /// A linked edge with orders, the text of one of its bodies, and that entry's number.
    private func rig(_ rules: Rules = Rules()) throws -> (cloud: TestCloud, edge: TestEdge, text: String, entry: Entry) {
        let (cloud, edge) = try TestCloud.linked(rules)
        for _ in 0..<4 { edge.fill(nil) }
        try edge.pass(.milliseconds(250))
        let fill = try #require(edge.entries.first { $0.kind == Kind.fill.rawValue })
        return (cloud, edge, String(decoding: fill.body, as: UTF8.self), fill)
    }

    @Test func nothingWrongIsSaidWithAProof() throws {
        let (cloud, edge, _, _) = try rig()
        #expect(try row(cloud) == nil)
        let answer = try ask(cloud)
        #expect(answer.status == 202)
        #expect(try Contract().problems(of: try #require(answer.json), as: "reconciled") == [])
        try edge.pump()
        let done = try #require(try row(cloud))
        let head = try #require(edge.entries.last)
        #expect(done["state"]?.text == "agrees" && done["askedBy"]?.text == "cloud:admin" && done["compared"]?.integerValue == Int64(head.seq.raw))
        let proof = (done["proof"]?.elements ?? []).compactMap(\.text)
        #expect(proof.first == "head \(head.seq) \(Hex.text(head.hash))")
        #expect(proof.contains("check: tidewire-cloud ledger verify --edge \(TestEdge.id)"))
        #expect(try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements?.isEmpty == true, "no alarm")
    }

    /// Flipped in the file while the node runs: what memory holds is not asked, the file is read, and the edge's bytes are put back.
    @Test func aFlippedByteInTheCloudsFileIsHealed() throws {
        let (cloud, edge, text, entry) = try rig()
        try flip(cloud, text, at: 20)
        #expect(try stored(cloud)[Int(entry.seq.raw) - 1] != entry)
        _ = try ask(cloud)
        try edge.pump()
        let done = try #require(try row(cloud))
        #expect(done["state"]?.text == "healed" && done["healed"]?.integerValue == 1, "\(done)")
        let line = try #require((done["proof"]?.elements ?? []).compactMap(\.text).first { $0.hasPrefix("entry \(entry.seq):") })
        #expect(line.contains("the chain says \(Hex.text(entry.hash)), wrong at the cloud, its damaged bytes gave ") && line.contains("put right"))
        #expect(try stored(cloud) == edge.entries)
        let alarm = try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements?.first
        #expect(alarm?["verdict"]?.text == "HEALED")
        // It is as it was: the next process reads it from its first entry and takes it.
        edge.disconnect()
        try cloud.restart()
        #expect(cloud.node.control.edges[TestEdge.id]?.book.head == edge.entries.last?.head)
        #expect(try row(cloud)?["state"]?.text == "healed", "and it still says what was done")
    }

    /// A page that is none any more, in the file that the node holds: the edge hears what is wrong, and of no key.
    @Test func damageHereIsNotToldAsARevokedKey() throws {
        let (cloud, _, text, _) = try rig()
        let who = try cloud.bearer()
        try Page.spoil("\(cloud.folder)/edges/\(TestEdge.id).db", holding: text)
        _ = try cloud.post("/api/v1/edges/home-1/reconcile", "{}", who)
        let words = try cloud.take { if case .send(let bytes, _) = $0 { bytes } else { nil } }.compactMap { bytes -> Trouble? in
            if case .error(let trouble) = try Message(Frame(bytes)) { trouble } else { nil }
        }
        let word = try #require(words.first)
        #expect(words.count == 1 && word.code == "LEDGER_DAMAGED" && !word.haltsTrading && word.cure.hasPrefix("Nothing is to be done here"))
        #expect(!(word.text + word.cure).contains("key") && !word.cure.contains("enrol"))
        let admitted = cloud.take { effect -> [Bool]? in if case .admit(let keys) = effect { keys.map(\.isConfirmed) } else { nil } }
        #expect(admitted.last == [false], "the door says not now")
        try cloud.tick()
        let row = try cloud.get("/api/v1/edges", who)?.json?["refusals"]?.elements?.first { $0["verdict"]?.text == "LEDGER_DAMAGED" }
        #expect(row?["cure"]?.text?.contains("newest copy") == true)
    }

    @Test func theEdgeIsHealedFromTheCloud() throws {
        let (cloud, edge, _, entry) = try rig()
        var rotten = entry
        rotten.body[4] ^= 1
        edge.rotten[entry.seq] = rotten
        _ = try ask(cloud)
        try edge.pump()
        #expect(edge.rotten.isEmpty)
        #expect(try row(cloud)?["state"]?.text == "healed" && stored(cloud) == edge.entries)
    }

    /// Damaged at both ends: nothing is touched, and a person is called.
    @Test func whereNeitherIsRightAPersonIsCalled() throws {
        let (cloud, edge, text, entry) = try rig()
        try flip(cloud, text, at: 20)
        let before = try stored(cloud)
        var rotten = entry
        rotten.body[4] ^= 1
        edge.rotten[entry.seq] = rotten
        _ = try ask(cloud)
        try edge.pump()
        #expect(try row(cloud)?["state"]?.text == "differs" && stored(cloud) == before && edge.rotten[entry.seq] == .some(rotten))
        let alarm = try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements?.first
        #expect(alarm?["verdict"]?.text == "LEDGERS_DIFFER" && alarm?["words"]?.text?.contains("entry \(entry.seq) is damaged") == true)
    }

    @Test func onlyAnAdminAsksAndOnlyOfALinkedEdge() throws {
        let (cloud, edge, _, _) = try rig()
        #expect(try ask(cloud, "trader").status == 403)
        #expect(try cloud.post("/api/v1/edges/home-9/reconcile", "{}", cloud.bearer())?.status == 404)
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        #expect(try ask(cloud).json?["type"]?.text == "/problems/cannot-compare")
    }

    /// Damaged at both ends and read again and again: one comparison, one word to the person, until somebody asks or the night comes.
    @Test func whatCannotBeHealedIsTriedOnce() throws {
        let (cloud, edge, text, entry) = try rig()
        try flip(cloud, text, at: 20)
        var rotten = entry
        rotten.body[4] ^= 1
        edge.rotten[entry.seq] = rotten
        let who = try cloud.bearer()
        func reads() throws -> (comparisons: Int, words: Int) {
            for _ in 0..<5 {
                #expect(try cloud.get("/api/v1/ledger?limit=500", who)?.status == 503)
                try edge.pump()
                try edge.pass(.seconds(1))
            }
            let logs = cloud.take { if case .log(_, let event, _) = $0 { event } else { nil } }
            return (logs.count { $0 == "ledgers compared" }, logs.count { $0 == "entry damaged" })
        }
        // Asked by a person, who hears that it cannot be.
        _ = try ask(cloud)
        try edge.pump()
        let words = try row(cloud)?["words"]?.text ?? ""
        #expect(words.hasSuffix("No entry is known to be the same at both ends."), "\(words)")
        _ = cloud.take { if case .log(_, let event, _) = $0 { event } else { nil } }
        #expect(try reads() == (0, 1), "a comparison at each reading would never end")
        #expect(try reads() == (0, 0), "said once")
        // By then the edge has the right bytes again.
        edge.rotten = [:]
        _ = try ask(cloud)
        try edge.pump()
        #expect(try row(cloud)?["state"]?.text == "healed" && stored(cloud) == edge.entries)
    }

    /// A person pressed the button and the link broke under the comparison: nobody has to press it again.
    @Test(arguments: [false, true]) func whatABrokenLinkEndedBeginsAgain(isLeft: Bool) throws {
        var rules = Rules()
        rules.leavesCutOffAudits = isLeft
        let (cloud, edge, _, entry) = try rig(rules)
        var rotten = entry
        rotten.body[4] ^= 1
        edge.rotten[entry.seq] = rotten
        edge.readsStored = false
        _ = try ask(cloud)
        try edge.pump()
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        let ended = try #require(try row(cloud))
        #expect(ended["state"]?.text == "interrupted" && ended["cure"]?.text?.hasPrefix("It begins again") == true)
        edge.readsStored = true
        try edge.connect()
        for _ in 0..<4 { try edge.pass(.milliseconds(250)) }
        let again = try #require(try row(cloud))
        #expect(again["state"]?.text == (isLeft ? "interrupted" : "healed") && again["askedBy"]?.text == "cloud:admin")
        #expect(edge.rotten.isEmpty == !isLeft)
    }

    /// A link that breaks under each comparison may break because of it, and an edge that does not answer is no broken link.
    @Test func itBeginsAgainSoOftenAndNoMore() throws {
        let (cloud, edge, _, _) = try rig()
        func compared() -> Int { cloud.take { if case .log(_, "ledgers compared", let words) = $0 { words } else { nil } }.count }
        edge.readsStored = false
        _ = try ask(cloud)
        for _ in 0..<20 {
            try edge.pump()
            edge.disconnect()
            try cloud.tick(after: .seconds(20))
            try edge.connect()
            try edge.pass(.milliseconds(250))
        }
        #expect(compared() == 9, "the first and eight more")
        _ = try ask(cloud)
        for _ in 0..<60 { try edge.pass(.seconds(1)) }
        #expect(compared() == 1)
        edge.readsStored = true
        for _ in 0..<60 { try edge.pass(.seconds(1)) }
        #expect(try compared() == 0 && row(cloud)?["state"]?.text == "interrupted")
    }

    /// One entry stays wrong at the edge, in a file that it cannot mend by itself: it is named, and every other one is compared.
    @Test func whatStaysWrongAtTheEdgeIsNamed() throws {
        let (cloud, edge, _, _) = try rig()
        var rotten = try #require(edge.entries.last)
        rotten.body[4] ^= 1
        edge.rotten[rotten.seq] = rotten
        edge.takesMends = false
        _ = try ask(cloud)
        try edge.pump()
        let done = try #require(try row(cloud)), words = done["words"]?.text ?? ""
        #expect(done["state"]?.text == "differs" && done["compared"]?.integerValue == Int64(edge.entries.count))
        #expect(words.hasPrefix("entry \(rotten.seq) is damaged: the edge did not put") && words.contains("is whole here"), "\(words)")
        #expect(done["cure"]?.text?.hasPrefix("Every entry is whole here.") == true)
        edge.disconnect()
        try cloud.restart()
        #expect(try row(cloud) == done, "as it was said")
    }

    /// Damage that is met while no comparison can begin is put right as soon as one can, whether anybody reads that entry again or not.
    @Test func whatIsMetInAPauseIsHealedAfterIt() throws {
        let (cloud, edge, text, _) = try rig()
        try flip(cloud, text, at: 20)
        edge.readsStored = false
        _ = try ask(cloud)
        for _ in 0..<60 { try edge.pass(.seconds(1)) }
        #expect(try row(cloud)?["state"]?.text == "interrupted")
        edge.readsStored = true
        #expect(try cloud.get("/api/v1/ledger?limit=500", cloud.bearer())?.status == 503)
        for _ in 0..<700 { try edge.pass(.seconds(1)) }
        #expect(try row(cloud)?["state"]?.text == "healed" && stored(cloud) == edge.entries)
    }

    /// Broken off at night: tried again in the same night, after pauses that grow.
    @Test(arguments: [false, true]) func aNightlyComparisonThatWasBrokenOffIsTriedAgain(restarts: Bool) throws {
        let cloud = try TestCloud(edges: [TestEdge.id], comparesNightly: true)
        let edge = TestEdge(cloud)
        edge.goLive()
        edge.readsStored = false
        try edge.connect()
        let who = try cloud.bearer()
        func passes(_ seconds: Int64, until state: String) throws -> Int64? {
            for second in 0..<seconds {
                try edge.pass(.seconds(1))
                let rows = try cloud.get("/api/v1/edges", who)?.json?["edges"]?.elements
                if rows?.first?["comparison"]?["state"]?.text == state { return second }
            }
            return nil
        }
        #expect(try passes(60, until: "interrupted") != nil)
        edge.readsStored = true
        if restarts {
            edge.disconnect()
            try cloud.restart()
            try edge.connect()
        }
        let waited = try #require(try passes(700, until: "agrees"))
        #expect(restarts || waited > 500, "not at once: the edge has something else to do")
        // Done for this day.
        func compared() -> Int { cloud.take { if case .log(_, "ledgers compared", let words) = $0 { words } else { nil } }.count }
        _ = compared()
        for _ in 0..<40 { try edge.pass(.seconds(1)) }
        #expect(compared() == 0)
    }

    /// A damaged entry that nobody can put right is not shown as good: the page says which one it is.
    @Test func aDamagedEntryIsNotShown() throws {
        let (cloud, edge, text, entry) = try rig()
        try flip(cloud, text, at: 20)
        edge.rotten.updateValue(nil, forKey: entry.seq)
        _ = try ask(cloud)
        try edge.pump()
        let answer = try #require(try cloud.get("/api/v1/ledger?limit=500", cloud.bearer()))
        #expect(answer.status == 503 && answer.json?["type"]?.text == "/problems/ledger-damaged", "\(answer.status)")
        #expect(answer.json?["detail"]?.text?.contains("entry \(entry.seq) ") == true)
    }
}
