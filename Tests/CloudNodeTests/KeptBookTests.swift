// The cloud's start from books in files: the same picture as from every entry, whatever is wrong with a file, and the whole ledger read behind it.
import CloudNode
import Control
import Foundation
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

@Suite struct KeptBookTests {
    private func path(_ cloud: TestCloud, _ ending: String) -> String { "\(cloud.folder)/edges/\(TestEdge.id).\(ending)" }

    /// A linked edge with enough entries to be worth a book, and a few that came after it.
    private func kept(_ count: Int = 1_100) throws -> (TestCloud, TestEdge) {
        let (cloud, edge) = try TestCloud.linked()
        for number in 0..<count { edge.write(.halt(HaltFact(level: number % 2 == 0 ? .halt : .normal, source: "console", reason: "\(number)"))) }
        try edge.pass(.milliseconds(250))
        for _ in 0..<20 where cloud.node.isBehind { try cloud.turn([.follow]) }
        #expect(edge.sender.isCaughtUp && !cloud.node.isBehind)
        try cloud.turn([.stop])
        #expect(PrivateFiles.exists(path(cloud, "book")))
        edge.disconnect()
        return (cloud, edge)
    }
    private func room(_ cloud: TestCloud) throws -> EdgeRoom { try #require(cloud.node.control.edges[TestEdge.id]) }
    private func restored(_ cloud: TestCloud) -> Bool {
        !cloud.take { effect in if case .log(_, "book restored", _) = effect { true } else { nil } }.isEmpty
    }

    @Test func theBookIsTheSameAndTheTailFollows() throws {
        let (cloud, edge) = try kept()
        try cloud.restart()
        #expect(restored(cloud))
        var folded = Book(edge: TestEdge.id)
        for entry in edge.entries { folded.apply(entry) }
        var room = try room(cloud)
        #expect(room.book.digest() == folded.digest() && room.book.head == folded.head)
        #expect(room.recent == Array(edge.entries.suffix(EdgeRoom.recentMax)))
        // What comes now is folded on; the next start finds it after the file's entry.
        try edge.connect()
        for _ in 0..<5 { edge.fill(nil) }
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.isCaughtUp)
        edge.disconnect()
        try cloud.restart()
        #expect(restored(cloud))
        for entry in edge.entries.dropFirst(Int(folded.head.seq.raw)) { folded.apply(entry) }
        room = try self.room(cloud)
        #expect(room.book.digest() == folded.digest() && room.book.fills.count == 5)
    }

    /// What became of a command stands behind the entry of the file: it is no less known for that.
    @Test func whatTheTailSaysOfCommandsIsHeard() throws {
        let (cloud, edge) = try kept()
        try cloud.restart()
        #expect(restored(cloud))
        try edge.connect()
        let bearer = try cloud.bearer()
        let body = #"{"level":"HALT","reason":"x"}"#
        #expect(try cloud.post("/api/v1/kill", body, bearer, key: "0192f3a4b5c67d8e9fa0b1c2d3e4f501")?.status == 202)
        let command = try #require(cloud.node.control.outbox.open.first)
        edge.disconnect()
        // It is executed, and comes with a backlog that no book has followed when the cloud stops.
        edge.write(.commandAccepted(CommandOutcome(command: command.id, kind: "halt", issuer: "cloud:admin", code: "done", text: "")))
        for number in 0..<400 { edge.write(.halt(HaltFact(level: .halt, source: "console", reason: "\(number)"))) }
        try edge.connect()
        try edge.pump()
        #expect(edge.sender.isCaughtUp && cloud.node.isBehind && cloud.node.control.outbox.open.map(\.id) == [command.id])
        try cloud.restart()
        #expect(restored(cloud))
        #expect(cloud.node.control.outbox.records[command.id]?.stage == .accepted && cloud.node.control.outbox.open.isEmpty)
    }

    /// What its early entries say of the cloud's key holds after a start that did not read them.
    @Test func theCloudsKeyThatIsBelievedIsKept() throws {
        let (cloud, edge) = try TestCloud.linked()
        let keys = try #require(SigningKeys(seed: [UInt8](3..<35))), other = try #require(SigningKeys(seed: [UInt8](5..<37)))
        edge.write(.cloudKey(CloudKeyFact(key: keys.publicKey, ground: .firstUse)))
        for number in 0..<1_100 { edge.write(.halt(HaltFact(level: .halt, source: "console", reason: "\(number)"))) }
        try edge.pass(.milliseconds(250))
        for _ in 0..<20 where cloud.node.isBehind { try cloud.turn([.follow]) }
        try cloud.turn([.stop])
        edge.disconnect()
        try cloud.restart()
        #expect(restored(cloud))
        try edge.connect()
        let head = try #require(edge.entries.last?.head)
        edge.write(.countersigned(CountersignedFact(head: head, edge: TestEdge.id, keys: keys)))
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.isCaughtUp)
        edge.write(.countersigned(CountersignedFact(head: head, edge: TestEdge.id, keys: other)))
        try edge.pump()
        #expect(!edge.sender.isCaughtUp)
        let row = try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements?.first { $0["verdict"]?.text == "UNSIGNED_ENTRIES" }
        #expect(row?["words"]?.text?.contains("another key than the one this ledger believes") == true)
    }

    /// Damaged, of another edge's length of history, gone: every entry is read, and the picture is the same.
    @Test(arguments: [0, 1, 2, 3]) func aFileThatDoesNotFitIsPassedOver(way: Int) throws {
        let (cloud, edge) = try kept()
        try cloud.restart {
            let file = path(cloud, "book")
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
            switch way {
            case 0: bytes[bytes.count / 2] ^= 4
            case 1: bytes.removeLast(9)
            case 2: bytes = []
            default:
                // The ledger is put back to before the entry that the book stands at.
                let store = try EntryStore(path: path(cloud, "db"), .init(.readWrite))
                try store.cut(after: 500)
            }
            try Data(bytes).write(to: URL(fileURLWithPath: file))
        }
        #expect(!restored(cloud))
        var folded = Book(edge: TestEdge.id)
        for entry in edge.entries.prefix(way == 3 ? 500 : .max) { folded.apply(entry) }
        #expect(try room(cloud).book.digest() == folded.digest())
    }

    /// Rows rot in a file that nobody holds.
    private func rot(_ cloud: TestCloud, _ change: String) throws {
        let database = try Database(path: path(cloud, "db"), .init(.readWrite))
        try database.write { _ in
            try database.script("DROP TRIGGER entry_no_update")
            try database.script("UPDATE entry SET \(change)")
            try database.script(
                "CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;")
        }
    }
    private func verdicts(_ cloud: TestCloud) -> [String] { cloud.node.control.refusals.map(\.verdict).sorted() }

    /// An old entry rots in a file of which only the end was read at the start: the walk behind it finds that. The edge's copy puts it right; where
    /// that is rotten too, the edge is set aside.
    @Test(arguments: [true, false]) func theWholeLedgerIsReadBehindTheStart(canHeal: Bool) throws {
        let (cloud, edge) = try kept()
        try cloud.restart { try rot(cloud, "body = '{}' WHERE seq = 300") }
        #expect(restored(cloud))
        for _ in 0..<3 { try cloud.tick() }
        #expect(cloud.node.control.edges[TestEdge.id] != nil && verdicts(cloud) == ["ENTRY_DAMAGED"], "what is shown does not rest on it")
        if !canHeal {
            var rotten = edge.entries[299]
            rotten.body[4] ^= 1
            edge.rotten[Seq(300)] = .some(rotten)
        }
        try edge.connect()
        for _ in 0..<8 { try edge.pass(.seconds(2)) }
        guard canHeal else {
            #expect(cloud.node.control.edges[TestEdge.id] == nil && verdicts(cloud).contains("LEDGER_DAMAGED"))
            return
        }
        #expect(cloud.node.control.edges[TestEdge.id] != nil && verdicts(cloud) == ["HEALED"] && edge.sender.phase == .open)
        try cloud.turn([.stop])
        try cloud.restart()
        for _ in 0..<4 { try cloud.tick() }
        #expect(!verdicts(cloud).contains("ENTRY_DAMAGED"), "it is right on the disk")
    }

    /// One entry stays wrong at the edge, in a file that it cannot mend by itself, and was told. What rots here later is put right from the edge all the
    /// same, and the edge is not set aside.
    @Test func whatStaysWrongAtTheEdgeHealsTheCloud() throws {
        let (cloud, edge) = try kept()
        try cloud.restart()
        var rotten = try #require(edge.entries.last)
        rotten.body[4] ^= 1
        edge.rotten[rotten.seq] = rotten
        edge.takesMends = false
        try edge.connect()
        #expect(try cloud.post("/api/v1/edges/home-1/reconcile", "{}", cloud.bearer())?.status == 202)
        for _ in 0..<8 { try edge.pass(.seconds(1)) }
        #expect(verdicts(cloud) == ["LEDGERS_DIFFER"])
        edge.disconnect()
        try cloud.turn([.stop])
        try cloud.restart { try rot(cloud, "body = '{}' WHERE seq = 300") }
        #expect(restored(cloud) && verdicts(cloud) == ["ENTRY_DAMAGED"])
        try edge.connect()
        for _ in 0..<8 { try edge.pass(.seconds(2)) }
        #expect(cloud.node.control.edges[TestEdge.id] != nil && edge.sender.phase == .open && !verdicts(cloud).contains("LEDGER_DAMAGED"))
        let row = try cloud.get("/api/v1/edges", cloud.bearer())?.json?["edges"]?.elements?.first?["comparison"]
        #expect(row?["healed"]?.integerValue == 1 && row?["askedBy"]?.text == "damage", "\(row as Any)")
        #expect(!verdicts(cloud).contains("ENTRY_DAMAGED"))
    }

    /// A copy of the edge writes on from entry 300, whose row has rotted here: the two histories part behind it, not before. Where the next row has
    /// rotted too, nobody knows what stood there, and nobody is accused.
    @Test(arguments: [true, false]) func noVerdictRestsOnARottenRow(isNamed: Bool) throws {
        let (cloud, edge) = try kept()
        let copy = TestEdge(cloud, boot: 8, after: Array(edge.entries.prefix(300)))
        copy.fill(nil, side: .sell, quantity: 5)
        try cloud.restart { try rot(cloud, "hash = zeroblob(32) WHERE seq \(isNamed ? "=" : ">=") 300 AND seq < 400") }
        #expect(restored(cloud))
        try copy.connect()
        try copy.pass(.milliseconds(250))
        guard isNamed else {
            #expect(verdicts(cloud) == ["ENTRY_DAMAGED"] && copy.sender.phase == .opening)
            return
        }
        #expect(verdicts(cloud).contains("FORK"))
        let branch = try EntryStore(path: path(cloud, "fork-1-1.db"), .init(.readOnly))
        #expect(try branch.read(from: 1, limit: 100).map { try Entry($0) } == Array(copy.entries[300...]))
    }

    /// An entry here and the one behind it have rotted, and the edge's next entry carries the cloud's own word of the first. What stood there is not
    /// known here: the edge is blamed for nothing, its entries are taken, and its copy puts both right.
    @Test func nobodyIsBlamedForWhatRottedHere() throws {
        let (cloud, edge) = try kept()
        let keys = try #require(SigningKeys(seed: [UInt8](3..<35)))
        try cloud.restart { try rot(cloud, "body = '{}' WHERE seq IN (300, 301)") }
        #expect(restored(cloud))
        edge.write(.countersigned(CountersignedFact(head: edge.entries[299].head, edge: TestEdge.id, keys: keys)))
        try edge.connect()
        #expect(edge.sender.isCaughtUp && edge.sender.phase == .open, "\(edge.sender.phase)")
        for _ in 0..<4 { try edge.pass(.seconds(2)) }
        #expect(edge.sender.phase == .open && verdicts(cloud) == ["HEALED"])
    }

    /// The same in another copy's history: it is kept and shown like any other, and is no forger's.
    @Test func noCopyIsBlamedForWhatRottedHere() throws {
        let (cloud, edge) = try kept()
        let keys = try #require(SigningKeys(seed: [UInt8](3..<35)))
        let copy = TestEdge(cloud, boot: 8, after: Array(edge.entries.prefix(400)))
        copy.write(.countersigned(CountersignedFact(head: edge.entries[299].head, edge: TestEdge.id, keys: keys)))
        try cloud.restart { try rot(cloud, "body = '{}' WHERE seq IN (300, 301)") }
        try copy.connect()
        try copy.pass(.milliseconds(250))
        #expect(verdicts(cloud).contains("FORK") && !verdicts(cloud).contains("UNSIGNED_BRANCH"), "\(verdicts(cloud))")
        let branch = try EntryStore(path: path(cloud, "fork-1-1.db"), .init(.readOnly))
        #expect(try branch.read(from: 1, limit: 100).map { try Entry($0) } == Array(copy.entries[400...]))
    }

    /// A page of the entries themselves is none any more: this edge is set aside, and its cloud goes on.
    @Test func aFileThatFailsEndsNoCloud() throws {
        let (cloud, edge) = try kept()
        try cloud.restart { try Page.spoil(path(cloud, "db"), holding: String(decoding: edge.entries[299].body, as: UTF8.self)) }
        #expect(restored(cloud) && cloud.node.control.edges[TestEdge.id] == nil && verdicts(cloud) == ["LEDGER_DAMAGED"])
        try cloud.tick()
        #expect(try cloud.get("/api/v1/ledger", cloud.bearer())?.status == 404)
    }

    /// A page of the index is none any more: it is made anew, and the edge goes on.
    @Test func aDamagedIndexIsMadeAnew() throws {
        let (cloud, edge) = try kept()
        try cloud.restart { for table in ["subject", "posting"] { try Page.spoil(path(cloud, "db"), table: table) } }
        try edge.connect()
        for _ in 0..<3 { edge.fill(nil) }
        for _ in 0..<4 { try edge.pass(.milliseconds(250)) }
        #expect(edge.sender.isCaughtUp && cloud.node.control.edges[TestEdge.id] != nil && verdicts(cloud) == ["INDEX_DAMAGED"])
        // A session that opens says nothing about it, and neither does the next day.
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.phase == .open && verdicts(cloud) == ["INDEX_DAMAGED"])
        for _ in 0..<2 { try cloud.tick(after: .hours(25)) }
        #expect(verdicts(cloud).contains("INDEX_DAMAGED"))
        edge.disconnect()
        try cloud.restart {
            let store = try EntryStore(path: path(cloud, "db"), .init(.readOnly))
            #expect(store.subjectsBehind == 0)
            #expect(try store.subjectDamage(limit: 9).isEmpty)
        }
        #expect(restored(cloud) && verdicts(cloud) == [])
    }

    /// The control: a sound ledger is read to its end, and nobody is told anything.
    @Test func aSoundLedgerIsReadAndNothingIsSaid() throws {
        let (cloud, _) = try kept()
        try cloud.restart()
        for _ in 0..<4 { try cloud.tick() }
        #expect(cloud.node.control.edges[TestEdge.id] != nil && cloud.node.control.refusals.isEmpty)
    }
}
