// Requests that are wrong: each gets a problem with a name, a sentence and a cure.
import CloudNode
import Contract
import Testing
import Values
import Wire

@Suite struct BadInputTests {
    private static let key = "0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f501"

    /// Method, path, body, with a key or not; the status and name of the problem.
    private static let cases: [(String, String, String, Bool, Int, String)] = [
        ("GET", "/api/v1/nothing", "", false, 404, "not-found"), ("GET", "/api/v1/orders/", "", false, 404, "not-found"),
        ("GET", "/api", "", false, 404, "not-found"), ("DELETE", "/api/v1/orders", "", false, 405, "method-not-allowed"),
        ("GET", "/api/v1/kill", "", false, 405, "method-not-allowed"), ("GET", "/console/edges", "", false, 404, "not-found"),
        ("POST", "/api/v1/orders", "not json", true, 400, "not-json"), ("POST", "/api/v1/orders", "", true, 400, "not-json"),
        ("POST", "/api/v1/orders", "[1]", true, 400, "not-json"), ("POST", "/api/v1/orders", "{\"side\":\"BUY\",}", true, 400, "not-json"),
        ("POST", "/api/v1/orders", "{\"side\":\"BUY\",\"side\":\"SELL\",\"quantity\":\"1\"}", true, 400, "not-json"),
        ("POST", "/api/v1/orders", #"{"side":"UP","quantity":"1"}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/orders", #"{"quantity":"1"}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/orders", #"{"side":"BUY"}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/orders", #"{"side":"BUY","quantity":"-1"}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/orders", #"{"side":"BUY","quantity":"1e3"}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/orders", #"{"side":"BUY","quantity":"99999999999999999999"}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/orders", #"{"side":"BUY","quantity":"1","revers":true}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/orders", #"{"side":"BUY","quantity":"1","trailingStop":{}}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/orders", #"{"side":"BUY","quantity":"1","trailingStop":{"percent":"100"}}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/orders", #"{"side":"BUY","quantity":"1","trailingStop":{"percent":"1","amount":"5"}}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/orders", #"{"side":"BUY","quantity":"1","instrument":"ESZ6.CME"}"#, true, 404, "not-watched"),
        ("POST", "/api/v1/orders", #"{"side":"BUY","quantity":"1"}"#, false, 400, "key-missing"),
        ("POST", "/api/v1/orders/1f3c5a7790b2d4e6-99/cancel", "{}", true, 404, "unknown"),
        ("POST", "/api/v1/orders/x/cancel", "{}", true, 404, "unknown"),
        ("POST", "/api/v1/positions/ESZ6.CME/close", "{}", true, 404, "not-watched"),
        ("POST", "/api/v1/kill", #"{"level":"FLATTEN","reason":"x"}"#, true, 400, "bad-request"),
        ("POST", "/api/v1/kill", #"{"level":"HALT","reason":""}"#, true, 400, "bad-request"),
        ("GET", "/api/v1/commands/zz", "", false, 404, "unknown"), ("GET", "/api/v1/market/quotes/ESZ6.CME", "", false, 404, "not-watched"),
        ("POST", "/api/order", #"{"side":"LONG"}"#, false, 400, "bad-request"),
    ]

    @Test(arguments: [("/api/v1/orders", "GET, HEAD, POST"), ("/api/v1/kill", "POST"), ("/health", "GET, HEAD")])
    func aWrongMethodIsToldTheRightOnes(_ path: String, _ allow: String) throws {
        let cloud = try TestCloud()
        let answer = try #require(try cloud.send(Request(method: "DELETE", path: path)).answer)
        #expect(answer.status == 405 && answer.headers.first { $0.name == "allow" }?.value == allow)
    }

    @Test(arguments: cases) func isRefusedInWords(
        _ method: String, _ path: String, _ body: String, _ hasKey: Bool, _ status: Int, _ name: String
    ) throws {
        let (cloud, _) = try TestCloud.linked()
        let headers = try cloud.bearer() + (hasKey ? [("idempotency-key", BadInputTests.key)] : [])
        let answer = try #require(try cloud.send(Request(method: method, path: path, headers: headers, body: Array(body.utf8))).answer)
        #expect(answer.status == status)
        #expect(answer.json?["type"]?.text == "/problems/\(name)", "\(String(decoding: answer.body, as: UTF8.self))")
        #expect(try Contract().problems(of: #require(answer.json), as: "problem") == [])
        #expect(answer.json?["cure"]?.text?.isEmpty == false)
    }

    private static let parameters: [(String, Int)] = [
        ("/api/v1/ledger?limit=0", 400), ("/api/v1/ledger?limit=501", 400), ("/api/v1/ledger?from=0", 400), ("/api/v1/ledger?from=a", 400),
        ("/api/v1/ledger?from=1&before=5", 400), ("/api/v1/ledger?kind=nonsense", 400), ("/api/v1/ledger?follow=1f-1", 404),
        ("/api/v1/ledger?edge=elsewhere", 404), ("/api/v1/market/candles?limit=1501", 400), ("/api/v1/market/candles?from=yesterday", 400),
        ("/api/v1/orders?working=perhaps", 400), ("/api/v1/market/candles?instrument=ESZ6.CME", 404),
    ]

    @Test(arguments: parameters) func parametersAreChecked(_ path: String, _ status: Int) throws {
        let (cloud, _) = try TestCloud.linked()
        #expect(try cloud.get(path, cloud.bearer())?.status == status)
    }

    @Test func keysHaveTheFormOfAUUID() throws {
        let (cloud, _) = try TestCloud.linked()
        for key in ["", "1", "not-a-uuid", "0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f5"] {
            #expect(try cloud.post("/api/v1/orders", #"{"side":"BUY","quantity":"1"}"#, cloud.bearer(), key: key)?.status == 400)
        }
    }

    @Test(arguments: [
        ("2026-12-01T14:30:00Z", Int64(0)), ("2026-12-01T14:30:00.000Z", 0), ("2026-12-01T14:30:00.250Z", 250),
    ]) func timesAreRead(_ text: String, _ millis: Int64) throws {
        let (cloud, _) = try TestCloud.linked()
        #expect(try cloud.get("/api/v1/market/candles?from=\(text)", cloud.bearer())?.status == 200, "\(millis)")
    }

    @Test func withoutAnEdgeListsAreEmptyAndWritesSaySo() throws {
        let cloud = try TestCloud()
        let who = try cloud.bearer()
        #expect(try cloud.get("/api/v1/positions", who)?.json?["positions"] == .array([]))
        let answer = try cloud.post("/api/v1/orders", #"{"side":"BUY","quantity":"1"}"#, who, key: BadInputTests.key)
        #expect(answer?.status == 404 && answer?.json?["type"]?.text == "/problems/no-edge")
        #expect(try cloud.get("/ready")?.status == 503)
    }
}
