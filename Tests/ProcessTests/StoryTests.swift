// The story a person lives: sign in, buy one contract with a trailing stop, see it walk to the fill, close it; four processes, one ledger.
import Processes
import Testing
import Wire

@Suite struct StoryTests {
    @FirstStage @Test func oneContractWalksFromTheBrowserToTheBrokerAndBack() throws {
        let stage = try Stage()
        try stage.open()
        let front = try stage.frontMonth()
        let key = Stage.key()
        let answer = try stage.post("orders", stage.long(front), key: key)
        #expect(answer.status == 202)
        #expect(answer.value["commandId"]?.text == key)
        let filled = try stage.command(key, "filled") { $0["final"]?.boolValue == true }
        #expect(filled["walk"]?.elements?.compactMap { $0["state"]?.text } == ["queued", "dispatched", "delivered", "accepted", "filled"])
        #expect(filled["filled"]?.text == "1", "\(filled)")
        let held = try stage.get("positions").value["positions"]?.elements?.first
        #expect(held?["side"]?.text == "LONG")
        // The stop rests at the broker, not in our heads.
        let stop = try stage.patience.first("the stop works") { try stage.workingOrders().first { $0["type"]?.text == "TRAILING_STOP" } }
        #expect(stop["brokerOrderId"]?.text != nil)

        let close = Stage.key()
        #expect(try stage.post("positions/\(front)/close", [:], key: close).status == 202)
        _ = try stage.command(close, "filled") { $0["state"]?.text == "filled" }
        try stage.patience.until("the stop is cancelled") { try stage.workingOrders().isEmpty }
        #expect(try stage.get("positions").value["positions"]?.elements?.isEmpty == true)
        _ = try stage.awaitSameHead()
        #expect(try stage.lastingViolations() == [])

        // In order, within the time that a supervisor gives, and to the last entry.
        #expect(try stage.stop(.edge) == 0)
        let end = try stage.awaitSameHead()
        #expect(end.seq > 0)
        for part in [Stage.Part.cloud, .relay, .gateway] { #expect(try stage.stop(part) == 0, "\(part) stops in order") }
        #expect(!Files.exists(stage.folder + "/relay.control"))
    }
}
