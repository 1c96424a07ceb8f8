// The pages of deploy/guide/ledger.md that give a ledger back, walked with the real programs: a lost edge, a lost cloud, two histories.
import Ledger
import Platform
import Processes
import Testing
import Wire

@Suite struct RecoveryTests {
    /// Relay, cloud and a linked edge whose ledger the cloud has whole.
    private func opened() throws -> Stage {
        let stage = try Stage()
        try stage.openUnbrokered()
        _ = try stage.awaitSameHead()
        return stage
    }

    private func forgetLedger(_ stage: Stage) { for end in ["", "-wal", "-shm"] { Files.removeFile(stage.edgeLedger + end) } }

    /// The words of every refusal on the Edges page.
    private func refusals(_ stage: Stage) throws -> [JSONValue] { try stage.get("edges").value["refusals"]?.elements ?? [] }

    /// The whole ledger as text, a line an entry.
    private func lines(_ ending: Ending) -> [Substring] { ending.output.split(separator: "\n") }

    @FirstStage @Test func anEdgeThatLostItsLedgerHasItBackFromTheCloud() throws {
        let stage = try opened()
        #expect(try stage.stop(.edge) == 0)
        let before = try stage.awaitSameHead()
        let written = lines(try stage.edge("ledger", "export"))
        forgetLedger(stage)

        try stage.start(.edge)
        #expect(try stage.edgeStatus()?["troubles"]?.elements?.isEmpty == true, "what was lost came back: nothing waits for a person")
        #expect(try stage.edgeStatus()?["edge"]?["halt"]?["level"]?.text == "NONE")
        #expect(try stage.stop(.edge) == 0)
        let after = try stage.awaitSameHead()
        #expect(after.seq > before.seq)
        let healed = lines(try stage.edge("ledger", "export"))
        #expect(Array(healed.prefix(written.count)) == written, "byte for byte")
        let own = healed.dropFirst(written.count).prefix(2).joined()
        #expect(own.contains("\"boot\"") && own.contains("\"healed\""), "and the new run says so: \(own)")
        #expect(try refusals(stage).isEmpty)
    }

    /// With a broker beside it, a position there and an open bot: an edge that lost its ledger says nothing to the broker, with and without the link,
    /// until all has come back; then it compares, and trades on.
    @FirstStage @Test func aBrokerIsNotSpokenToBeforeTheLedgerIsBack() throws {
        let stage = try Stage(.busy())
        try stage.open()
        try stage.patience.until("the bot has traded", within: 60) { try LedgerBooks(path: stage.edgeLedger).intents > 1 }
        #expect(Files.clients(ofPort: stage.gatewayPort) == 1, "what this looks at shows the edge")
        #expect(try stage.stop(.edge) == 0)
        let before = try stage.awaitSameHead()
        // What the broker has taken, or still reads from its socket.
        let known = try LedgerBooks(path: stage.edgeLedger).book.orders.count
        // The mark stays and says that entries are missing.
        forgetLedger(stage)
        try stage.link("cut")
        let edge = try stage.spawn("edge-behind", "tidewire-edge", stage.edgeWords)
        try stage.patience.until("the edge has opened what it has", within: 30) { edge.complaints.contains("ledger verified") }
        var looks = 0
        func look() throws -> Bool {
            let clients = Files.clients(ofPort: stage.gatewayPort)
            // In this order: what came back may come back between the two.
            if edge.complaints.contains("entries came back from the cloud") { return true }
            guard edge.isRunning else { throw ProcessTrouble("the edge ended: \(edge.complaints)") }
            #expect(clients == 0, "the broker is spoken to before the ledger is back")
            looks += 1
            return false
        }
        try stage.patience.until("it was looked at for two seconds", within: 50) { try look() || looks >= 80 }
        #expect(looks >= 80, "nothing can come back over a cut link")
        try stage.link("mend")
        try stage.patience.until("the ledger is back", within: 50, excuse: { edge.complaints }, look)
        try stage.patience.until("the edge is ready", within: 30) { edge.complaints.contains("edge ready") }
        try stage.awaitBroker()
        #expect(Files.clients(ofPort: stage.gatewayPort) == 1)

        try stage.patience.until("the bot goes on", within: 60) { try stage.brokerOrders() > known }
        #expect(try stage.edge("kill", "--reason", "the end", "--yes").code == 0)
        #expect(try stage.lastingViolations() == [])
        edge.terminate()
        #expect(try stage.patience.first("the edge ends") { edge.exitCode } == 0)
        let rows = try EntryStore(path: stage.edgeLedger, .init(.readOnly)).read(from: UInt64(before.seq) + 1, limit: 100_000)
        let kinds: [Kind] = rows.compactMap { Kind(rawValue: $0.kind) }
        #expect(kinds.prefix(2) == [.boot, .healed] && kinds.filter { $0 == .boot }.count == 1)
        let compared = try #require(kinds.firstIndex(of: .reconciled)), placed = try #require(kinds.firstIndex(of: .intent))
        #expect(compared < placed)
    }

    @FirstStage @Test func aCloudThatLostItsCopiesHasThemBackFromTheEdge() throws {
        let stage = try opened()
        #expect(try stage.stop(.cloud) == 0)
        Files.remove(stage.cloudFolder + "/edges")
        #expect(try stage.cloud("store", "renew-incarnation", "--yes").code == 0)
        try stage.start(.cloud)
        try stage.awaitLink()
        #expect(try stage.awaitSameHead().seq > 0)
        #expect(try refusals(stage).isEmpty, "a store that says that it was put back alarms nobody")
    }

    @FirstStage @Test func aStoreThatSilentlyLostEntriesIsTold() throws {
        let stage = try opened()
        #expect(try stage.stop(.cloud) == 0)
        Files.remove(stage.cloudFolder + "/edges")
        try stage.start(.cloud)
        try stage.awaitLink()
        #expect(try stage.awaitSameHead().seq > 0, "the entries come again all the same")
        #expect(try refusals(stage).first?["verdict"]?.text == "CLOUD_RESTORED")
    }

    @FirstStage @Test func aCloudThatLostEverythingTakesTheEdgeUpAnew() throws {
        let stage = try opened()
        #expect(try stage.stop(.cloud) == 0)
        Files.remove(stage.cloudFolder + "/edges")
        Files.remove(stage.cloudFolder + "/keys")
        for end in ["", "-wal", "-shm"] { Files.removeFile(stage.cloudFolder + "/control.db" + end) }
        try stage.start(.cloud)
        stage.forgetSignIn()
        let token = try stage.invite("home-1")
        let answer = try stage.json(try stage.edge("enrol", token, "--replace", "--json"))
        #expect(try stage.cloud("edge", "confirm", "home-1", try #require(answer["code"]?.text)).code == 0)
        try stage.awaitLink()
        #expect(try stage.awaitSameHead().seq > 0)
    }

    /// Two histories after a common beginning: the edge was put back from a copy and went on alone. Both are whole; a person says which goes on.
    @FirstStage @Test(arguments: ["edge", "cloud"])
    func aForkIsSettledByAPerson(kept: String) throws {
        let stage = try opened()
        #expect(try stage.stop(.edge) == 0)
        let common = try stage.awaitSameHead()
        let copy = try FolderCopy(of: stage.edgeFolder, names: ["ledger.db", "head.mark"])
        try stage.start(.edge)
        try stage.awaitLink()
        #expect(try stage.stop(.edge) == 0)
        let clouds = try stage.awaitSameHead()
        #expect(clouds.seq > common.seq)

        #expect(try stage.stop(.cloud) == 0)
        forgetLedger(stage)
        try copy.putBack()
        try stage.start(.edge)
        #expect(try stage.edgeHead().seq > common.seq, "alone, nobody can tell it")
        try stage.start(.cloud)
        let decision = try stage.patience.first("the fork is shown", within: 45) {
            try refusals(stage).first { $0["verdict"]?.text == "FORK" }?["decision"]
        }
        #expect(decision["choices"]?.elements?.count == 2, "\(decision)")
        try stage.patience.until("the edge halts", within: 20) { try stage.edgeStatus()?["edge"]?["halt"]?["level"]?.text == "HALT" }
        #expect(try stage.cloudHead().hash == clouds.hash, "nothing was merged")

        #expect(try stage.cloud("edge", "settle", "home-1", "--keep", kept, "--yes").code == 0)
        try stage.awaitLink(within: 60)
        let settled = try stage.awaitSameHead()
        let all = lines(try stage.edge("ledger", "export"))
        let there = try JSONReader.read(Array(all[Int(clouds.seq) - 1].utf8))
        #expect((there["hash"]?.text == clouds.hash) == (kept == "cloud"), "the history that goes on is the one that was chosen: \(there)")
        #expect(all.contains { $0.contains("\"name\":\"lineage\"") } && settled.seq > common.seq)
        let sealed = Files.names(kept == "cloud" ? stage.edgeFolder : stage.cloudFolder + "/edges")
        #expect(sealed.contains { $0.contains(".fork-1-") && $0.hasSuffix(".db") }, "the other branch is sealed beside it: \(sealed)")
        try stage.patience.until("nothing is left to decide", within: 20) { try refusals(stage).isEmpty }
    }
}

/// Some files of a folder, to be put back as they were.
private struct FolderCopy {
    private let folder: String
    private let files: [(name: String, bytes: [UInt8])]
    init(of folder: String, names: [String]) throws {
        self.folder = folder
        files = names.map { ($0, Files.bytes("\(folder)/\($0)")) }
        for file in files where file.bytes.isEmpty { throw ProcessTrouble("there is no \(folder)/\(file.name) to copy") }
    }
    func putBack() throws { for file in files { try Files.write("\(folder)/\(file.name)", file.bytes) } }
}
