// The cloud as a witness: it signs what it has stored, tells how far its verified backups reach, and compares its book with the edge's signed one.
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

@Suite struct WitnessTests {
    @Test func theStoredHeadIsSignedAtTheOpeningAndOnceAMinute() throws {
        let cloud = try TestCloud(edges: [TestEdge.id], signs: true)
        let edge = TestEdge(cloud)
        try edge.connect()
        try edge.pass(.milliseconds(250))
        let first = try #require(edge.countersigned.first)
        #expect(first.isSigned(edge: TestEdge.id) && first.head == edge.entries[0].head && edge.countersigned.count == 1)
        for _ in 0..<50 {
            edge.fill(nil)
            try edge.pass(.seconds(1))
        }
        #expect(edge.countersigned.count == 1, "a minute has not passed")
        for _ in 0..<12 { try edge.pass(.seconds(1)) }
        #expect(edge.countersigned.count == 2 && edge.countersigned.last?.head == edge.entries.last?.head)
        for _ in 0..<130 { try edge.pass(.seconds(1)) }
        #expect(edge.countersigned.count == 2, "nothing is signed twice")
        edge.disconnect()
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.countersigned.allSatisfy { $0.isSigned(edge: TestEdge.id) && $0.key == first.key })
        // Only what is on the disk is signed.
        for word in edge.countersigned { #expect(edge.entries[Int(word.head.seq.raw) - 1].head == word.head) }
    }

    /// A backup is made of a running store; the edge hears of it only when it was put back on trial.
    @Test func aVerifiedBackupReachesTheEdge() throws {
        let (cloud, edge) = try TestCloud.linked()
        let target = cloud.folder + "-backup"
        defer { try? FileManager.default.removeItem(atPath: target) }
        try PrivateFiles.makeFolder(cloud.folder + "/keys")
        let head = try #require(edge.entries.last?.head)
        // Nobody listens on a socket here: the store is told by the command itself, and the next process tells the edge.
        edge.disconnect()
        try cloud.restart { #expect(CloudProgram.run(["store", "backup", target, "--data", cloud.folder, "--json"], environment: [:]) == 0) }
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.backups == [head.seq])
        let copy = try EntryStore(path: "\(target)/edges/\(TestEdge.id).db", .init(.readOnly))
        #expect(try copy.read(from: 1, limit: 1_000).map { try Entry($0) } == edge.entries)
        #expect(FileManager.default.fileExists(atPath: target + "/control.db") && !FileManager.default.fileExists(atPath: target + "/.trial"))
        // By the socket of a running cloud, inside the session, with the next beat.
        edge.fill(nil)
        try edge.pass(.milliseconds(250))
        let newest = try #require(edge.entries.last?.head)
        func tell(_ head: Head) throws -> Int? {
            let body = #"{"heads":[{"edge":"\#(TestEdge.id)","hash":"\#(Hex.text(head.hash))","seq":\#(head.seq.raw)}]}"#
            return try cloud.send(Request(method: "POST", path: "/console/store/backed-up", body: Array(body.utf8), isLocal: true)).answer?.status
        }
        #expect(try tell(Head(seq: newest.seq, hash: head.hash)) == 400, "another store's backup")
        #expect(try tell(newest) == 200)
        try edge.pass(.seconds(3))
        #expect(edge.backups == [head.seq, newest.seq])
    }

    /// Of an edge that was revoked the ledger lies in every backup, and is open in no later process: the others hear of theirs all the same.
    @Test func aRevokedEdgeKeepsNobodyFromHearingOfTheBackup() throws {
        let cloud = try TestCloud(edges: [TestEdge.id, TestEdge.edge(2)])
        let edges = [TestEdge(cloud), TestEdge(cloud, id: TestEdge.edge(2), boot: 8)]
        for edge in edges { try edge.connect(); edge.fill(nil); try edge.pump(); edge.disconnect() }
        let revoke = Request(method: "POST", path: "/console/edges/revoke", body: Array(#"{"name":"home-2"}"#.utf8), isLocal: true)
        #expect(try cloud.send(revoke).answer?.status == 200)
        try cloud.restart()
        try edges[0].connect()
        try edges[0].pass(.milliseconds(250))
        let rows: [JSONValue] = try edges.map { edge in
            let head = try #require(edge.entries.last?.head)
            return ["edge": .string(edge.id.description), "hash": .string(Hex.text(head.hash)), "seq": .integer(Int64(head.seq.raw))]
        }
        let body = JSONWriter.plain(["heads": .array(rows)])
        let answer = try cloud.send(Request(method: "POST", path: "/console/store/backed-up", body: body, isLocal: true)).answer
        #expect(answer?.status == 200 && answer?.json?["told"]?.elements == [.string(TestEdge.id.description)])
        let left = try #require(answer?.json?["leftOut"]?.elements?.first)
        #expect(left["name"]?.text == "home-2" && left["why"]?.text == "it was revoked")
        try edges[0].pass(.seconds(3))
        #expect(edges[0].backups == [edges[0].entries[edges[0].entries.count - 1].seq])
    }

    /// What the running cloud answers decides: a backup that it does not take is told as one that it does not take.
    @Test(arguments: [(200, ExitCode.ok), (400, ExitCode.refused), (507, ExitCode.refused)]) func theCloudsAnswerDecides(status: Int, code: Int32)
        throws
    {
        let (cloud, edge) = try TestCloud.linked()
        let target = cloud.folder + "-backup"
        defer { try? FileManager.default.removeItem(atPath: target) }
        try PrivateFiles.makeFolder(cloud.folder + "/keys")
        edge.disconnect()
        try cloud.restart {
            let answerer = try OneAnswer(path: cloud.folder + "/cloud.sock", status: status)
            #expect(CloudProgram.run(["store", "backup", target, "--data", cloud.folder, "--json"], environment: [:]) == code)
            #expect(answerer.wasAsked)
        }
    }

    /// A backup in which an entry is damaged is worth nothing: no edge hears of it.
    @Test func aDamagedBackupIsNotBelieved() throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.fill(nil)
        try edge.pass(.milliseconds(250))
        let target = cloud.folder + "-backup"
        defer { try? FileManager.default.removeItem(atPath: target) }
        edge.disconnect()
        try PrivateFiles.makeFolder(cloud.folder + "/keys")
        let path = "\(cloud.folder)/edges/\(TestEdge.id).db"
        var written: [UInt8] = []
        try cloud.restart {
            let database = try Database(path: path, .init(.readWrite))
            written = try #require(try database.first("SELECT body FROM entry WHERE seq = 2") { $0.bytes(0) })
            try database.script("DROP TRIGGER entry_no_update; UPDATE entry SET body = '{}' WHERE seq = 2")
            #expect(CloudProgram.run(["store", "backup", target, "--data", cloud.folder, "--json"], environment: [:]) != 0)
            #expect(FileManager.default.fileExists(atPath: target + "/control.db"), "it was made, and then tried")
            try database.run("UPDATE entry SET body = ? WHERE seq = 2", .utf8(written))
        }
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.backups.isEmpty && edge.sender.phase == .open)
    }

    /// The trial is a whole start: what a restored cloud would set aside or could not read is no backup.
    @Test(arguments: ["another key", "a decision that cannot be read", "a key file"]) func theTrialProvesWhatAStartWould(_ damage: String) throws {
        let cloud = try TestCloud(edges: [TestEdge.id])
        let edge = TestEdge(cloud)
        try edge.connect()
        let keys = try #require(SigningKeys(seed: [UInt8](1...32))), head = try #require(edge.entries.last?.head)
        edge.write(
            .checkpoint(CheckpointFact(head: head, digest: [UInt8](repeating: 1, count: 32), edge: TestEdge.id, epoch: 1, keys: keys)))
        try edge.pass(.milliseconds(250))
        edge.disconnect()
        try PrivateFiles.makeFolder(cloud.folder + "/keys")
        let target = cloud.folder + "-backup"
        defer { for name in [target, target + "-2"] { try? FileManager.default.removeItem(atPath: name) } }
        let other = try #require(SigningKeys(seed: [UInt8](2...33)))
        try cloud.restart {
            do {
                let store = try ControlStore(path: cloud.folder + "/control.db")
                switch damage {
                case "another key": try store.commit([.meta(key: "ledger-key:\(TestEdge.id)", value: Hex.text(other.publicKey))])
                case "a key file": try PrivateFiles.write(cloud.folder + "/keys/sign.key", Array("short\n".utf8))
                default: try store.commit([.meta(key: "matter:\(TestEdge.id)", value: "{")])
                }
            }
            #expect(CloudProgram.run(["store", "backup", target, "--data", cloud.folder, "--json"], environment: [:]) != 0)
            do {
                let store = try ControlStore(path: cloud.folder + "/control.db")
                #expect(try store.load().meta["backup:\(TestEdge.id)"] == nil)
                try store.commit([
                    .meta(key: "ledger-key:\(TestEdge.id)", value: Hex.text(keys.publicKey)), .meta(key: "matter:\(TestEdge.id)", value: ""),
                ])
                try? PrivateFiles.remove(cloud.folder + "/keys/sign.key")
            }
            // The control: the same ledger with the right key.
            #expect(CloudProgram.run(["store", "backup", target + "-2", "--data", cloud.folder, "--json"], environment: [:]) == 0)
        }
    }

    /// The same entries must add up to the same book at both ends; a difference is told with both digests.
    @Test(arguments: [true, false]) func theBooksAreComparedAtEachSignature(isWrong: Bool) throws {
        let cloud = try TestCloud(edges: [TestEdge.id])
        let edge = TestEdge(cloud)
        edge.goLive()
        try edge.connect()
        edge.fill(nil)
        var book = Book(edge: TestEdge.id)
        for entry in edge.entries { book.apply(entry) }
        let keys = try #require(SigningKeys(seed: [UInt8](1...32))), head = try #require(edge.entries.last?.head)
        let digest = isWrong ? [UInt8](repeating: 1, count: 32) : book.digest()
        edge.write(.checkpoint(CheckpointFact(head: head, digest: digest, edge: TestEdge.id, epoch: 1, keys: keys)))
        edge.fill(nil)
        try edge.pass(.milliseconds(250))
        let rows = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements)
        #expect(rows.compactMap { $0["verdict"]?.text } == (isWrong ? ["BOOKS_DIFFER"] : []))
        if isWrong { #expect(rows.first?["words"]?.text?.contains(Hex.text(digest)) == true) }
        #expect(cloud.node.control.edges[TestEdge.id]?.book.head == edge.entries.last?.head, "it goes on all the same")
        _ = try cloud.post("/api/v1/edges/home-1/reconcile", "{}", cloud.bearer())
        try edge.pump()
        let proof = try cloud.get("/api/v1/edges", cloud.bearer())?.json?["edges"]?.elements?.first?["comparison"]?["proof"]?.elements ?? []
        #expect(proof.compactMap(\.text).contains { $0.contains(isWrong ? "THE BOOKS DIFFER" : "the books agree at entry \(head.seq)") })
    }
}
