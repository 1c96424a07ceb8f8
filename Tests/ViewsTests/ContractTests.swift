// The contract reader against the golden samples: it must take them all and see every breach.
import Contract
import Testing
import Wire

@Suite struct ContractTests {
    private static let samples: [(String, String)] = [
        ("accepted", "accepted"), ("accepted-kill", "accepted"), ("accounts", "accounts"), ("auth-login", "loginAnswer"),
        ("auth-login-token", "loginAnswer"), ("auth-login-token.request", "loginRequest"), ("bots", "bots"), ("close.request", "closeRequest"),
        ("command-expired", "command"), ("command-filled", "command"), ("command-queued", "command"), ("command-refused", "command"),
        ("edges", "edges"), ("edges-gateway-gone", "edges"), ("edges-silent", "edges"), ("fills", "fills"), ("kill.request", "killRequest"),
        ("ledger", "ledger"), ("market-candles", "candles"), ("market-instruments", "instruments"), ("market-quote", "quote"),
        ("orders-place.request", "orderRequest"), ("orders-preview", "preview"), ("orders-preview.request", "previewRequest"), ("orders", "orders"),
        ("positions", "positions"), ("problem-edge-silent", "problem"), ("session", "session"), ("session-out", "session"),
        ("stream-beat", "beat"), ("stream-delta", "delta"), ("stream-delta-notices", "delta"), ("stream-resumed", "resumed"), ("stream-snap", "snap"),
    ]

    @Test(arguments: samples) func takesTheSamples(_ sample: String, _ shape: String) throws {
        #expect(try Contract().problems(of: Contract.sample(sample), as: shape) == [])
    }

    @Test func seesEveryBreach() throws {
        let contract = try Contract()
        let good = try Contract.sample("positions")
        let row = try #require(good["positions"]?.elements?.first?.members)
        func broken(_ change: (inout [JSONMember]) -> Void) -> Int {
            var members = row
            change(&members)
            return contract.problems(of: .object(members), as: "position").count
        }
        #expect(broken { _ in } == 0)
        #expect(broken { $0.removeFirst() } == 1, "a missing key")
        #expect(broken { $0.append(JSONMember("extra", .bool(true))) } == 1, "an unknown key")
        #expect(broken { $0 = $0.map { $0.key == "quantity" ? JSONMember("quantity", .integer(3)) : $0 } } == 1, "a number for a decimal")
        #expect(broken { $0 = $0.map { $0.key == "quantity" ? JSONMember("quantity", "1e5") : $0 } } == 1, "an exponent")
        #expect(broken { $0 = $0.map { $0.key == "side" ? JSONMember("side", "BUY") : $0 } } == 1, "a word of another list")
        #expect(broken { $0 = $0.map { $0.key == "asOf" ? JSONMember("asOf", "2026-12-01T14:30:05Z") : $0 } } == 1, "no milliseconds")
        #expect(broken { $0 = $0.map { $0.key == "stopPrice" ? JSONMember("stopPrice", .null) : $0 } } == 1, "a null")
    }
}
