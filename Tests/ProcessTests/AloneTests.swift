// The edge without its cloud: its console shows, closes, halts and resumes; and who may lift a halt.
import Processes
import Testing
import Wire

@Suite struct AloneTests {
    @SecondStage @Test func theConsoleWorksWithTheCloudGone() throws {
        let stage = try Stage()
        try stage.open()
        let front = try stage.frontMonth()
        let key = Stage.key()
        #expect(try stage.post("orders", stage.long(front), key: key).status == 202)
        _ = try stage.command(key, "filled") { $0["state"]?.text == "filled" }
        stage.kill(.cloud)
        stage.kill(.relay)

        let status = try #require(try stage.edgeStatus())
        #expect(status["edge"]?["gateway"]?["state"]?.text == "connected")
        try stage.patience.until("the edge notices", within: 30) {
            try stage.edgeStatus()?["link"]?.text == "no answer from the cloud; what happens here is kept and goes up later"
        }
        let positions = try stage.json(try stage.edge("positions", "--json"))
        #expect(positions["positions"]?.elements?.first?["quantity"]?.text == "1")
        #expect(try stage.edge("positions").output.contains(front))
        let orders = try stage.json(try stage.edge("orders", "--working", "--json"))
        #expect(orders["orders"]?.elements?.first?["type"]?.text == "TRAILING_STOP")

        let closed = try stage.edge("close", front, "--yes")
        #expect(closed.code == 0, "\(closed)")
        try stage.patience.until("all is closed") { try stage.edge("positions").output == "Nothing is held.\n" }
        let nothing = try stage.edge("close", front, "--yes")
        #expect(nothing.code == 3)
        #expect(nothing.complaints + nothing.output != "")

        let killed = try stage.edge("kill", "--yes", "--reason", "a test")
        #expect(killed.code == 0)
        #expect(killed.output == "Trading is halted. Working orders and stops stay.\n")
        #expect(try stage.edgeStatus()?["edge"]?["halt"]?["level"]?.text == "HALT")
        #expect(try stage.edge("resume", "--yes").output == "Trading is resumed.\n")
        #expect(try stage.edgeStatus()?["edge"]?["halt"]?["level"]?.text == "NONE")
        let reduced = try stage.edge("kill", "--yes", "--level", "REDUCING")
        #expect(reduced.output == "Nothing opens any more. Closing and cancelling go on; working orders and stops stay.\n", "\(reduced)")
        #expect(try stage.edge("kill", "--yes", "--level", "CANCEL").output.contains("No working orders that could open are to be cancelled."))
        #expect(try stage.edgeStatus()?["edge"]?["halt"]?["level"]?.text == "CANCEL")
        #expect(try stage.edge("kill", "--yes", "--level", "NONE").code == 2)
        #expect(try stage.edge("resume", "--yes").code == 0)
        // Without a yes and without a person nothing happens.
        #expect(try stage.edge("kill").code == 3)
        #expect(try stage.edgeStatus()?["edge"]?["halt"]?["level"]?.text == "NONE")

        // Money that no order moved is written down here: shown, asked for, written, and in the balances.
        #expect(try stage.edge("ledger", "record", "deposit", "--amount", "1000", "--currency", "USD").code == 3, "nobody said yes")
        let record = try stage.edge("ledger", "record", "deposit", "--amount", "1250.75", "--currency", "USD", "--note", "first", "--yes")
        #expect(record.code == 0 && record.output.contains("transfer:") && record.output.hasSuffix("Written to the ledger: transfer.\n"), "\(record)")
        #expect(try stage.edge("ledger", "record", "gift", "--amount", "1", "--currency", "USD", "--yes").code == 3)
        let balances = try stage.json(try stage.edge("ledger", "balances", "--json"))
        #expect(balances["balances"]?.elements?.contains { $0["class"]?.text == "transfer" && $0["amount"]?.text == "-1250.75" } == true)
        #expect(try stage.edge("ledger", "balances").output.contains("-1250.75"))
        #expect(try stage.edge("ledger", "verify").code == 0)

        // What happened alone goes up later.
        try stage.start(.relay)
        try stage.start(.cloud)
        try stage.awaitLink()
        _ = try stage.awaitSameHead()
        #expect(try stage.lastingViolations() == [])
    }

    @SecondStage @Test func aHaltIsRaisedAnywhereAndLiftedOnlyAtTheEdge() throws {
        let stage = try Stage()
        try stage.open()
        let front = try stage.frontMonth()
        let key = Stage.key()
        #expect(try stage.post("kill", ["level": "HALT", "reason": "Stop until the news is out"], key: key).status == 202)
        _ = try stage.command(key, "done") { $0["final"]?.boolValue == true }
        try stage.patience.until("the halt is shown") { try stage.edgeRow()?["halt"]?["level"]?.text == "HALT" }
        let refused = try stage.post("orders", stage.long(front), key: Stage.key())
        #expect(refused.status == 409)
        #expect(refused.value["type"]?.text == "/problems/halted")
        #expect(refused.value["cure"]?.text == "Lower it at the edge's console: tidewire-edge resume.")
        // The cloud has no word for lifting it.
        for path in ["resume", "edges/home-1/resume"] { #expect(try stage.post(path, [:], key: Stage.key()).status == 404) }
        #expect(try stage.post("kill", ["level": "NONE", "reason": "try"], key: Stage.key()).status == 400)
        #expect(try stage.edge("resume", "--yes").code == 0)
        try stage.patience.until("it is lifted") { try stage.edgeRow()?["halt"]?["level"]?.text == "NONE" }

        // A file does it too, for whoever can reach the folder and nothing else; it holds through a restart.
        try Files.write(stage.edgeFolder + "/KILL", "stop\n")
        try stage.patience.until("the file halts") { try stage.edgeRow()?["halt"]?["by"]?.text == "file" }
        let stays = try stage.edge("resume", "--yes")
        #expect(stays.code == 3 && stays.output.contains(stage.edgeFolder + "/KILL lies there"), "\(stays)")
        stage.kill(.edge)
        try stage.start(.edge)
        #expect(try stage.edgeStatus()?["edge"]?["halt"]?["level"]?.text == "HALT")
        Files.removeFile(stage.edgeFolder + "/KILL")
        #expect(try stage.edge("resume", "--yes").code == 0)
        try stage.awaitLink()
        try stage.awaitBroker()
        _ = try stage.frontMonth()

        // With no edge running the halt is left as a file for its next start.
        stage.kill(.edge)
        let left = try stage.edge("kill", "--yes", "--reason", "nobody home")
        #expect(left.code == 0)
        #expect(left.output.contains("The file KILL is written: an edge that starts there is halted."))
        #expect(Files.text(stage.edgeFolder + "/KILL") == "nobody home\n")
        #expect(try stage.edge("status").code == 4)
    }
}
