// The fake cloud keeps the contract that the real one keeps: every answer and every message of its stream, strictly, to the last key.
import Contract
import Foundation
import Testing
import Wire

extension Dashboard {
    @Suite struct FakeCloud {
        private static let order = "1f3c5a7790b2d4e6-1041"
        private static let reads: [(String, String)] = [
            ("/session", "session"), ("/accounts", "accounts"), ("/positions", "positions"), ("/orders", "orders"),
            ("/orders?working=true", "orders"),
            ("/fills", "fills"), ("/bots", "bots"), ("/edges", "edges"), ("/market/instruments", "instruments"),
            ("/market/quotes/MBTZ6.CME", "quote"), ("/market/candles?instrument=MBTZ6.CME&limit=30", "candles"), ("/ledger?limit=5", "ledger"),
            ("/ledger?from=1045&limit=3", "ledger"), ("/ledger?follow=\(order)", "ledger"),
        ]

        @Test func everyReadHasItsShape() async throws {
            let guest = try await Guest()
            for (path, shape) in Self.reads {
                let answer = try await guest.ask("GET", path)
                #expect(answer.status == 200, "\(path)")
                #expect(try guest.problems(answer, shape) == [], "\(path)")
            }
        }

        @Test func writesAnswerOnceForOneKey() async throws {
            let guest = try await Guest()
            let key = ["Idempotency-Key": "0192f3a4b5c67d8e9fa0b1c2d3e4f5a6"]
            let order: JSONValue = ["side": "BUY", "quantity": "1"]
            let first = try await guest.ask("POST", "/orders", order, key)
            let second = try await guest.ask("POST", "/orders", order, key)
            #expect(first.status == 202 && first.body == second.body)
            #expect(try guest.problems(first, "accepted") == [])
            #expect(try guest.problems(await guest.ask("GET", "/commands/0192f3a4b5c67d8e9fa0b1c2d3e4f5a6"), "command") == [])
            #expect(try guest.problems(await guest.ask("POST", "/orders:preview", order), "preview") == [])
        }

        @Test(
            arguments: [
                ("/orders", "{}", 400, "key-missing"), ("/orders", "not json", 400, "not-json"), ("/nothing", "{}", 404, "not-found"),
                ("/auth/login", #"{"username":"admin","password":"no"}"#, 401, "wrong-credentials"),
            ])
        func refusalsAreProblemsWithTheirStatus(_ path: String, _ body: String, _ status: Int, _ type: String) async throws {
            let guest = try await Guest()
            let answer = try await guest.post(path, body)
            #expect(answer.status == status && answer.headers["content-type"] == "application/problem+json")
            #expect(try guest.problems(answer, "problem") == [])
            #expect(try JSONValue(answer: answer.body)["type"] == .string("/problems/\(type)"))
        }

        @Test func strangersAndOtherSitesAreTurnedAway() async throws {
            let guest = try await Guest()
            #expect(try await guest.ask("GET", "/orders", cookie: false).status == 401)
            #expect(try await guest.ask("POST", "/kill", ["level": "HALT", "reason": "x"], ["Origin": "https://evil.example"]).status == 403)
        }

        @Test func theStreamSpeaksTheContract() async throws {
            try await Stage.set { stage in
                try await stage.ask(".ticket .long")
                let listen = """
                    const socket = new WebSocket("/api/v1/stream".replace(/^/, location.origin.replace("http", "ws")));
                    const heard = [];
                    const done = new Promise((go) => {
                      socket.onmessage = (event) => {
                        heard.push(event.data);
                        if (heard.some((text) => text.includes('"filled","final":true')) && heard.some((text) => text.includes('"beat"'))) go();
                      };
                    });
                    document.querySelector("[data-testid=confirm]").click();
                    await done;
                    socket.close();
                    return heard;
                    """
                let messages = try await stage.browser.runAsync(listen).list.compactMap(\.text)
                #expect(messages.count > 5 && messages.first?.contains(#""type":"snap""#) == true)
                let contract = try Contract()
                for message in messages {
                    let value = try JSONReader.read(Array(message.utf8), limits: JSONLimits(depth: 12, bytes: 1 << 20))
                    #expect(contract.problems(of: value, as: value["type"]?.text ?? "") == [])
                }
            }
        }
    }
}

/// A script that has signed in to a fake cloud of its own.
private struct Guest: Sendable {
    private let cloud: Child
    private let exchange: HTTPExchange
    private let cookie: String

    init() async throws {
        if let missing = Needs.missing { throw Browser.Failure(description: missing) }
        cloud = try await Stage.fakeCloud()
        exchange = HTTPExchange(port: cloud.port)
        let answer = try await exchange.send("POST", "/api/v1/auth/login", ["username": "admin", "password": "tidewire-demo"])
        cookie = String(answer.headers["set-cookie"]?.prefix { $0 != ";" } ?? "")
    }

    func ask(
        _ method: String, _ path: String, _ body: JSONValue? = nil, _ headers: [String: String] = [:], cookie isSignedIn: Bool = true
    ) async throws -> HTTPExchange.Answer {
        try await exchange.send(method, "/api/v1\(path)", body, headers: isSignedIn ? headers.merging(["Cookie": cookie]) { own, _ in own } : headers)
    }

    /// Sends the body as it stands, JSON or not.
    func post(_ path: String, _ body: String) async throws -> HTTPExchange.Answer {
        try await exchange.send("POST", "/api/v1\(path)", raw: Data(body.utf8), headers: ["Cookie": cookie])
    }

    /// What is wrong with an answer's body by the contract.
    func problems(_ answer: HTTPExchange.Answer, _ shape: String) throws -> [String] {
        let value = try JSONReader.read(Array(answer.body), limits: JSONLimits(depth: 12, bytes: 1 << 20))
        return try Contract().problems(of: value, as: shape)
    }
}
