// Keys of the real processes: the ledger's is changed while the edge runs, an interrupted change is mended by the next start, and a revoked edge is heard no more until a person lets it back in.
import Platform
import Processes
import Testing
import Values
import Wire

@Suite struct KeyTests {
    @FirstStage @Test func theLedgerKeyIsChangedAndTheLinkKeyRevoked() throws {
        let stage = try Stage()
        try stage.openUnbrokered()
        let file = stage.edgeFolder + "/keys/ledger.key", next = file + ".next"
        let first = Files.bytes(file)
        #expect(try stage.edge("keys", "rotate").code == 3, "not without a person's yes")
        let changed = try stage.edge("keys", "rotate", "--yes")
        #expect(changed.code == 0 && changed.output.contains("signed by a new key"), "\(changed)")
        let second = Files.bytes(file)
        #expect(second != first && second.count == first.count && !Files.exists(next))
        #expect(try stage.edge("ledger", "verify").output.contains("the ledger key was changed 1 times"))

        // Ended between the announcement and the renaming: the ledger says which key is the one.
        #expect(try stage.stop(.edge) == 0)
        try Files.write(next, second)
        try Files.write(file, first)
        try stage.start(.edge)
        #expect(Files.bytes(file) == second && !Files.exists(next))
        try stage.awaitLink()
        try stage.patience.until("the cloud has everything") { try stage.edgeRow()?["backlog"]?.integerValue == 0 }
        let verified = try stage.cloud("ledger", "verify")
        #expect(verified.code == 0 && verified.output.contains("the ledger key was changed 1 times"), "\(verified)")

        // The link's key: announced, read by the cloud, then used; a run in between that dies leaves it to the next.
        let linkFile = stage.edgeFolder + "/keys/link.key"
        let linkKey = Files.bytes(linkFile)
        #expect(try stage.edge("keys", "rotate", "--link").code == 3, "not without a person's yes")
        let turned = try stage.edge("keys", "rotate", "--link", "--yes")
        #expect(turned.code == 0 && turned.output.contains("announced"), "\(turned)")
        try stage.patience.until("the new key is in its place") { Files.bytes(linkFile) != linkKey && !Files.exists(linkFile + ".next") }
        try stage.patience.until("the link stands by the new key") { try stage.edge("status").output.contains("open") }
        let relinked = Files.bytes(linkFile)
        #expect(try stage.stop(.edge) == 0)
        try stage.start(.edge)
        try stage.awaitLink()
        #expect(Files.bytes(linkFile) == relinked)

        // The cloud lost the key that it countersigns by: its word is told and not taken until a person says so.
        func statusSays() throws -> Bool { try stage.edge("status").output.contains("Its word is not taken") }
        #expect(try stage.edge("ledger", "verify").output.contains("the cloud's key that is believed"))
        #expect(try stage.stop(.cloud) == 0)
        Files.removeFile(stage.cloudFolder + "/keys/sign.key")
        try stage.start(.cloud)
        try stage.awaitLink()
        try stage.patience.until("the edge tells of the other key") { try statusSays() }
        let shown = try stage.cloud("keys", "show", "--json")
        let key = try #require(try JSONReader.read(Array(shown.output.utf8))["signing"]?.text)
        #expect(try stage.edge("keys", "trust", key).code == 3, "not without a person's yes")
        #expect(try stage.edge("keys", "trust", key, "--yes").code == 0 && !statusSays())
        #expect(try stage.edge("ledger", "verify").output.contains("the cloud's key that is believed: \(key)"))

        // Changed by the cloud itself: announced under the key before, and followed without a person.
        #expect(try stage.stop(.cloud) == 0)
        #expect(try stage.cloud("keys", "rotate", "--yes").code == 0)
        try stage.start(.cloud)
        try stage.awaitLink()
        let followed = try #require(try JSONReader.read(Array(stage.cloud("keys", "show", "--json").output.utf8))["signing"]?.text)
        try stage.patience.until("the edge follows the cloud's key") {
            try stage.edge("ledger", "verify").output.contains("the cloud's key that is believed: \(followed)")
        }
        #expect(try followed != key && !statusSays())

        // Revoked: the session falls, the door stays shut, and nothing that the edge writes from then on is taken.
        let id = try #require(try stage.edgeRow()?["id"]?.text)
        #expect(try stage.cloud("edge", "revoke", "home-1", "--yes").code == 0)
        let stored = try EntryStore(path: "\(stage.cloudFolder)/edges/\(id).db", .init(.readOnly)).head
        #expect(try stage.edge("kill", "--yes").code == 0, "it trades, and can be stopped, without a cloud")
        try stage.patience.until("the edge is told") { try stage.edge("status").output.contains("refused") }
        #expect(try stage.stop(.edge) == 0)
        try stage.start(.edge)
        try stage.patience.until("the door is shut") { try stage.edge("status").output.contains("does not know this edge's key") }
        #expect(try EntryStore(path: "\(stage.cloudFolder)/edges/\(id).db", .init(.readOnly)).head == stored)
        #expect(try stage.cloud("ledger", "verify").code == 0, "what came before stays")

        // Let back in with a new key; what it wrote meanwhile counts once a person says so.
        #expect(try stage.cloud("edge", "settle", "home-1", "--keep", "readmit", "--yes").code == 0)
        let token = try stage.invite("home-1")
        #expect(try stage.edge("enrol", token, "--replace").complaints.contains("refused for ever"))
        let enrolled = try stage.json(try stage.edge("enrol", token, "--replace", "--new-key", "--json"))
        #expect(Files.bytes(linkFile) != relinked)
        #expect(try stage.cloud("edge", "confirm", "home-1", try #require(enrolled["code"]?.text)).code == 0)
        try stage.patience.until("the edge is quarantined") { try stage.edge("status").output.contains("is kept apart") }
        #expect(try EntryStore(path: "\(stage.cloudFolder)/edges/\(id).db", .init(.readOnly)).head == stored)
        #expect(try stage.cloud("edge", "settle", "home-1", "--keep", "edge", "--yes").code == 0)
        try stage.awaitLink()
        try stage.patience.until("all of it is taken in") { try stage.edgeRow()?["backlog"]?.integerValue == 0 }
        #expect(try stage.cloud("ledger", "verify").code == 0)
        #expect(try EntryStore(path: "\(stage.cloudFolder)/edges/\(id).db", .init(.readOnly)).head.seq > stored.seq)
    }

    /// The cloud's end of the link: told of, written down by the edge, and changed only then; who was not there is enrolled anew.
    @FirstStage @Test func theCloudAnswersByAnotherKeyOnceItsEdgeKnows() throws {
        let stage = try Stage()
        try stage.openUnbrokered()
        func keys() throws -> JSONValue { try stage.json(try stage.cloud("keys", "show", "--json")) }
        func present() throws -> String? { try JSONReader.read(Files.bytes(stage.edgeFolder + "/keys/cloud.json"))["serverKey"]?.text }
        let first = try #require(try keys()["link"]?.text)
        #expect(try present() == first)
        #expect(try stage.cloud("keys", "adopt", "--yes").complaints.contains("keys rotate --link"))
        #expect(try stage.cloud("keys", "rotate", "--link", "--yes").output.contains("home-1 does not have it yet"))
        let next = try #require(try keys()["nextLink"]?.text)
        #expect(try keys()["link"]?.text == first && next != first)
        let early = try stage.cloud("keys", "adopt", "--yes")
        #expect(early.code != 0 && early.complaints.contains("home-1") && early.complaints.contains("Nothing was changed"), "\(early)")

        try stage.patience.until("the edge has a key of the cloud's to believe") {
            try stage.edge("ledger", "verify").output.contains("the cloud's key that is believed")
        }
        #expect(try stage.stop(.cloud) == 0)
        try stage.start(.cloud)
        try stage.awaitLink()
        try stage.patience.until("the edge's word has come") { try keys()["knownTo"]?.elements?.first?.text == "home-1" }
        #expect(try present() == first, "the cloud answers by the present one still")

        // Not there when the cloud changes: it finds it by the other key.
        #expect(try stage.stop(.edge) == 0)
        #expect(try stage.stop(.cloud) == 0)
        #expect(try stage.cloud("keys", "adopt", "--yes").code == 0)
        #expect(try keys()["link"]?.text == next && keys()["nextLink"] == nil)
        try stage.start(.cloud)
        try stage.start(.edge)
        try stage.awaitLink()
        try stage.patience.until("the edge keeps the key that answered") { try present() == next }
        #expect(try stage.edge("ledger", "verify").code == 0 && stage.cloud("ledger", "verify").code == 0)

        // The control: an edge that was not told stays out, and a person lets it in.
        #expect(try stage.stop(.edge) == 0)
        #expect(try stage.stop(.cloud) == 0)
        #expect(try stage.cloud("keys", "rotate", "--link", "--yes").code == 0)
        #expect(try stage.cloud("keys", "adopt", "--anyway", "--yes").code == 0)
        try stage.start(.cloud)
        try stage.start(.edge)
        #expect(try present() == next && keys()["link"]?.text != next)
        let token = try stage.invite("home-1")
        let enrolled = try stage.json(try stage.edge("enrol", token, "--replace", "--json"))
        #expect(try stage.cloud("edge", "confirm", "home-1", try #require(enrolled["code"]?.text)).code == 0)
        try stage.awaitLink()
        #expect(try present() == keys()["link"]?.text)
    }
}
