// Gateways that misbehave: what the edge's console and the cloud's page say, in words and with a cure, and that nothing is traded.
import Processes
import Testing
import Wire

@Suite struct GatewayTroubleTests {
    struct Trouble: Sendable, CustomTestStringConvertible {
        var name: String
        /// Words for `rig gateway`; nil when none is started.
        var gateway: [String]?
        var state: String
        var words: String
        var cure: String
        var testDescription: String { name }
    }

    private static let troubles = [
        Trouble(
            name: "nobody listens", gateway: nil, state: "unreachable", words: "The gateway does not answer",
            cure: "Start IB Gateway and check host and port in the settings."),
        Trouble(
            name: "accepts and never answers", gateway: ["--fault", "wedge"], state: "silent",
            words: "The gateway accepted the connection and said nothing for", cure: "Restart IB Gateway: it hangs."),
        Trouble(
            name: "client id in use", gateway: ["--fault", "client-id-in-use"], state: "refusing",
            words: "Client id 1 is already in use at the gateway.",
            cure: "Stop the other program with this client id, or set another `client_id`."),
        Trouble(
            name: "a live account", gateway: ["--fault", "live-account"], state: "wrongAccount",
            words: "The account U1234567 is a live account and the mode is PAPER. Nothing is sent.",
            cure: "Log the gateway in to the right account, or correct `mode` and `account` in the settings."),
    ]

    @SecondStage @Test(arguments: troubles) func sayWhatIsWrongAtBothEnds(_ trouble: Trouble) throws {
        var wishes = StageWishes()
        wishes.gateway = trouble.gateway ?? []
        let stage = try Stage(wishes)
        if trouble.gateway != nil { try stage.start(.gateway) }
        try stage.openUnbrokered()
        let isTold = { (row: JSONValue?) in
            row?["gateway"]?["state"]?.text == trouble.state && row?["gateway"]?["words"]?.text?.contains(trouble.words) == true
                && row?["gateway"]?["cure"]?.text == trouble.cure
        }
        var here: JSONValue?, there: JSONValue?
        try stage.patience.until("the edge says so", within: 30, excuse: { "It says \(String(describing: here?["gateway"]))" }) {
            here = try stage.edgeStatus()?["edge"]
            return isTold(here)
        }
        try stage.patience.until("the cloud says so", excuse: { "It says \(String(describing: there?["gateway"]))" }) {
            there = try stage.edgeRow()
            return isTold(there)
        }
        // For people too.
        let told = try stage.edge("status").output
        #expect(told.contains(trouble.words) && told.contains(trouble.cure), "\(told)")
        // Whatever is asked for, nothing is sent.
        let answer = try stage.edge("close", "NVDA.NASDAQ", "--yes")
        #expect(answer.code == 3)
        #expect(try stage.brokerOrders() == 0)
    }

    /// The control of the live account: the same login is welcome when the mode fits it, so it is the mode that refuses.
    @SecondStage @Test func aLiveAccountIsNamedWhenTheModeIsLive() throws {
        var wishes = StageWishes()
        wishes.gateway = ["--fault", "live-account"]
        wishes.edge = ["--mode", "live"]
        let stage = try Stage(wishes)
        try stage.start(.gateway)
        try stage.openUnbrokered()
        try stage.awaitBroker()
        let row = try stage.edgeStatus()?["edge"]
        #expect(row?["mode"]?.text == "LIVE")
        #expect(row?["gateway"]?["state"]?.text == "connected")
        // Real money is not opened from afar: that needs a consent at the edge's console.
        let front = try stage.instrument()
        let key = Stage.key()
        #expect(try stage.post("orders", stage.long(front), key: key).status == 202)
        let refused = try stage.command(key, "refused") { $0["state"]?.text == "refused" }
        #expect(refused["reason"]?.text == "This edge takes no opening orders from afar (its setting remote_orders).")
        #expect(try stage.brokerOrders() == 0)
    }

    @SecondStage @Test func withoutMarketDataNoOrderLeaves() throws {
        var wishes = StageWishes()
        wishes.gateway = ["--fault", "no-market-data=354"]
        let stage = try Stage(wishes)
        try stage.open()
        let front = try stage.instrument()
        let words = "not subscribed"
        var preview: JSONValue?
        try stage.patience.until("the confirm step says why", excuse: { "It says \(String(describing: preview))" }) {
            preview = try stage.post("orders:preview", stage.long(front), key: nil).value
            return preview?["allowed"]?.boolValue == false && preview?["reason"]?.text?.contains(words) == true
        }
        #expect(preview?["cure"]?.text == "Subscribe to the exchange's live data: Client Portal, Settings, Market Data Subscriptions.")
        let key = Stage.key()
        #expect(try stage.post("orders", stage.long(front), key: key).status == 202)
        let refused = try stage.command(key, "refused") { $0["state"]?.text == "refused" }
        #expect(refused["reason"]?.text?.contains(words) == true, "\(refused)")
        #expect(try stage.brokerOrders() == 0)
    }

    @SecondStage @Test func aMissingPermissionIsToldWithItsCure() throws {
        var wishes = StageWishes()
        wishes.gateway = ["--fault", "no-permission"]
        let stage = try Stage(wishes)
        try stage.open()
        let front = try stage.instrument()
        let key = Stage.key()
        // The broker answers the what-if of its margin with 203 already, so that no order can leave: the reason must reach the person.
        let words = "is not available or allowed for this account"
        var preview: JSONValue?
        try stage.patience.until("the confirm step says why", excuse: { "It says \(String(describing: preview))" }) {
            preview = try stage.post("orders:preview", stage.long(front), key: nil).value
            return preview?["allowed"]?.boolValue == false && preview?["reason"]?.text?.contains(words) == true
        }
        #expect(try stage.post("orders", stage.long(front), key: key).status == 202)
        let refused = try stage.command(key, "refused") { $0["state"]?.text == "refused" }
        #expect(refused["reason"]?.text?.contains(words) == true, "\(refused)")
        #expect(try stage.get("positions").value["positions"]?.elements?.isEmpty == true)
    }
}
