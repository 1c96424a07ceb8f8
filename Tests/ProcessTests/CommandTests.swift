// Commands on bad days: too late, twice, under a used key, at a silent edge, in a form nobody agreed to.
import Ledger
import Platform
import Processes
import Testing
import Values
import Wire

@Suite struct CommandTests {
    /// A command that could not be delivered in its ten seconds is told expired, and does nothing when the link is there again.
    @FirstStage @Test func aCommandThatIsTooLateTradesNothing() throws {
        let stage = try Stage()
        try stage.open()
        let front = try stage.frontMonth()
        try stage.link("cut")
        // The cloud does not know yet that the edge cannot hear it.
        let key = Stage.key()
        let answer = try stage.post("orders", stage.long(front), key: key)
        #expect(answer.status == 202)
        stage.patience.pass(milliseconds: 11_000)
        // It may have arrived and its answer not: until the edge speaks again nobody claims to know.
        #expect(try stage.get("commands/\(key)").value["final"]?.boolValue == false)
        let silent = try stage.post("orders", stage.long(front), key: Stage.key())
        #expect(silent.status == 503)
        #expect(silent.value["type"]?.text == "/problems/edge-silent")
        #expect(silent.value["detail"]?.text?.contains("no opening order is taken until it reports") == true)

        try stage.link("mend")
        let expired = try stage.command(key, "expired", within: 60) { $0["state"]?.text == "expired" }
        #expect(expired["final"]?.boolValue == true)
        #expect(expired["reason"]?.text == "The edge did not take it within 10 s.", "\(expired)")
        #expect(expired["cure"]?.text == "Look at the position, then ask again.")
        _ = try stage.awaitSameHead()
        #expect(try LedgerBooks(path: stage.edgeLedger).intents == 0)
        #expect(try stage.brokerOrders() == 0)
        #expect(try stage.get("commands/\(key)").value["state"]?.text == "expired")
    }

    /// The control: the same cut, mended in time, and the same command trades.
    @FirstStage @Test func aCommandThatIsStillInTimeIsDelivered() throws {
        let stage = try Stage()
        try stage.open()
        let front = try stage.frontMonth()
        try stage.link("cut")
        let key = Stage.key()
        #expect(try stage.post("orders", stage.long(front), key: key).status == 202)
        try stage.link("mend")
        let done = try stage.command(key, "at its end") { $0["final"]?.boolValue == true }
        #expect(done["state"]?.text == "filled", "\(done)")
    }

    @FirstStage @Test func aDoubleClickIsOneOrder() throws {
        let stage = try Stage()
        try stage.open()
        let front = try stage.frontMonth()
        let key = Stage.key(), body = stage.long(front)
        let first = try stage.post("orders", body, key: key), second = try stage.post("orders", body, key: key)
        #expect(first.status == 202 && second.status == 202)
        #expect(first.value["commandId"] == second.value["commandId"])
        let other = try stage.post("orders", stage.long(front, percent: "2"), key: key)
        #expect(other.status == 422)
        #expect(other.value["type"]?.text == "/problems/key-reused")
        _ = try stage.command(key, "filled") { $0["state"]?.text == "filled" }
        #expect(try stage.post("orders", body, key: key).status == 202)
        let id = try #require(CommandID(hex: key))
        _ = try stage.awaitSameHead()
        #expect(try LedgerBooks(path: stage.edgeLedger).openings[id] == 1)
        #expect(try stage.get("positions").value["positions"]?.elements?.first?["quantity"]?.text == "1")

        // The control: another key is another order. The edge takes no twin of it within seconds unless it differs.
        let further = Stage.key()
        var two = stage.long(front)
        two = ["instrument": .string(front), "side": "BUY", "quantity": "2"]
        #expect(try stage.post("orders", two, key: further).status == 202)
        _ = try stage.command(further, "filled") { $0["state"]?.text == "filled" }
        #expect(try stage.get("positions").value["positions"]?.elements?.first?["quantity"]?.text == "3")
        // Another rule for double clicks that carry two keys.
        let twin = Stage.key()
        #expect(try stage.post("orders", two, key: twin).status == 202)
        let refused = try stage.command(twin, "at its end") { $0["final"]?.boolValue == true }
        #expect(refused["state"]?.text == "refused", "\(refused)")
        try expectProblems(stage, front)
    }

    /// Requests that are none: each has its status, its name and its cure.
    private func expectProblems(_ stage: Stage, _ front: String) throws {
        let word = try stage.signIn()
        func send(_ method: HTTPMethod, _ path: String, _ body: String, token: String) throws -> (status: Int, type: String?) {
            var call = HTTPCall(method, url: stage.url + path, headers: [WebField("authorization", "Bearer \(token)")])
            call.headers += [WebField("content-type", "application/json"), WebField("idempotency-key", Stage.key())]
            call.body = Array(body.utf8)
            let answer = try HTTPClient.send(call)
            return (answer.status, try JSONReader.read(answer.body)["type"]?.text)
        }
        #expect(try send(.post, "/api/v1/orders", "{\"side\": ", token: word) == (400, "/problems/not-json"))
        #expect(try send(.post, "/api/v1/orders", "{\"side\": \"UP\"}", token: word) == (400, "/problems/bad-request"))
        #expect(try send(.get, "/api/v1/nothing", "", token: word) == (404, "/problems/not-found"))
        #expect(try send(.get, "/api/v1/positions", "", token: word + "x") == (401, "/problems/not-signed-in"))
        #expect(try stage.post("orders", stage.long(front), key: nil).value["type"]?.text == "/problems/key-missing")
    }
}
