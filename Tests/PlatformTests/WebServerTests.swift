// HTTP over real sockets: requests, limits, keep-alive, broken clients, the unix socket, stopping.
import Glibc
import Platform
import Synchronization
import Testing

struct WebServerTests {
    /// Says back what it was asked, in one line.
    private static func echo(_ request: HTTPRequest) -> RequestVerdict {
        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
        let body = String(decoding: request.body, as: UTF8.self)
        return .answer(HTTPResponse(status: 200, type: "text/plain", text: "\(request.method.rawValue) \(request.path) [\(query)] \(body)"))
    }

    private func ask(_ port: Int, _ text: String, bodiless: Bool = false) throws -> (status: Int, head: String, body: String) {
        let socket = try #require(RawSocket(port: port))
        socket.send(text)
        let response = try #require(socket.readResponse(bodiless: bodiless))
        return (response.status, response.head, String(decoding: response.body, as: UTF8.self))
    }

    @Test func answersAndKeepsTheConnection() throws {
        let server = try startServer(ScriptedHandler(request: WebServerTests.echo))
        defer { server.stop() }
        let socket = try #require(RawSocket(port: server.ports[0]))
        for round in 0..<5 {
            socket.send("GET /api/v1/x%20y?a=1&b=%26%3D+z&c HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = try #require(socket.readResponse(), "round \(round)")
            #expect(answer.status == 200)
            #expect(String(decoding: answer.body, as: UTF8.self) == "GET /api/v1/x y [a=1|b=&= z|c=] ")
        }
        #expect(server.statistics.requests == 5 && server.statistics.connectionsAccepted == 1)
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        let server = try startServer(ScriptedHandler(request: WebServerTests.echo))
        defer { server.stop() }
        let socket = try #require(RawSocket(port: server.ports[0]))
        socket.send(
            "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
                + "POST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\nGET /4 HTTP/1.1\r\nHost: h\r\n\r\n")
        for expected in ["POST /1 [] abc", "GET /2 [] ", "POST /3 [] ", "GET /4 [] "] {
            let answer = try #require(socket.readResponse(), "waiting for \(expected)")
            #expect(String(decoding: answer.body, as: UTF8.self) == expected)
        }
    }

    /// One packet of this shape makes libwebsockets 4.1.6 loop for ever inside one call.
    @Test func aBufferedBodyWithBytesBehindItDoesNotHangTheServer() throws {
        let seen = Letterbox<String>()
        let server = try startServer(
            ScriptedHandler(request: {
                seen.put($0.path); return .answer(HTTPResponse(status: 200))
            }))
        defer { server.stop() }
        let socket = try #require(RawSocket(port: server.ports[0]))
        socket.send(
            "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                + "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(socket.readResponse()).status == 200)
        #expect(socket.isClosedByPeer())
        #expect(seen.take() == "/1" && seen.count == 0)
        #expect(try ask(server.ports[0], "GET /still HTTP/1.1\r\nHost: h\r\n\r\n").status == 200)
    }

    @Test func lateAnswersComeFromOtherThreadsInOrder() throws {
        let asked = Letterbox<RequestID>()
        let server = try startServer(
            ScriptedHandler(request: {
                asked.put($0.id); return .later
            }))
        defer { server.stop() }
        let socket = try #require(RawSocket(port: server.ports[0]))
        // The second request waits in the socket and must not be taken for a body, nor spin the loop.
        socket.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\nHost: h\r\n\r\n")
        for text in ["first", "second"] {
            let id = try #require(asked.take())
            #expect(asked.count == 0)
            server.respond(id, HTTPResponse(status: 202, type: "text/plain", text: text))
            server.respond(id, HTTPResponse(status: 500))
            let answer = try #require(socket.readResponse())
            #expect(answer.status == 202 && String(decoding: answer.body, as: UTF8.self) == text)
        }
    }

    @Test func aLateAnswerToAClientThatLeftIsDropped() throws {
        let asked = Letterbox<RequestID>()
        let server = try startServer(
            ScriptedHandler(request: {
                asked.put($0.id); return .later
            }))
        defer { server.stop() }
        var socket = RawSocket(port: server.ports[0])
        socket?.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        let id = try #require(asked.take())
        socket = nil
        server.respond(id, HTTPResponse(status: 200, body: [UInt8](repeating: 65, count: 1_000_000)))
        #expect(eventually { server.statistics.connectionsOpen == 0 })
    }

    @Test func silenceOfTheHandlerIsA503() throws {
        let server = try startServer(ScriptedHandler(request: { _ in .later })) { $0.requestSecondsMax = 1 }
        defer { server.stop() }
        #expect(try ask(server.ports[0], "GET / HTTP/1.1\r\nHost: h\r\n\r\n").status == 503)
        #expect(server.statistics.requestsTimedOut == 1)
    }

    @Test func headHasTheLengthAndNoBody() throws {
        let server = try startServer(ScriptedHandler(request: WebServerTests.echo))
        defer { server.stop() }
        let socket = try #require(RawSocket(port: server.ports[0]))
        socket.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n")
        let answer = try #require(socket.readResponse(bodiless: true))
        #expect(answer.status == 200 && answer.head.contains("content-length: 11\r\n"))
        socket.send("GET /y HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(socket.readResponse()).body == Array("GET /y [] ".utf8))
    }

    @Test func noBannerAndNoForeignPage() throws {
        let server = try startServer(ScriptedHandler(request: WebServerTests.echo))
        defer { server.stop() }
        let good = try ask(server.ports[0], "GET /x HTTP/1.1\r\nHost: h\r\n\r\n").head.lowercased()
        #expect(!good.contains("server:") && !good.contains("lws") && !good.contains("libwebsockets"))
        let strange = try ask(server.ports[0], "BREW /x HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(strange.status == 403 || strange.status == 405)
        #expect(!strange.head.lowercased().contains("server:"))
    }

    @Test func bodiesAreWholeAndBounded() throws {
        let sizes = Letterbox<Int>()
        let server = try startServer(
            ScriptedHandler(request: {
                sizes.put($0.body.count); return .answer(HTTPResponse(status: 200))
            }))
        defer { server.stop() }
        let most = 64 * 1_024
        for size in [1, 5_000, most] {
            let body = String(repeating: "b", count: size)
            #expect(try ask(server.ports[0], "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n" + body).status == 200)
            #expect(sizes.take() == size)
        }
        let socket = try #require(RawSocket(port: server.ports[0]))
        socket.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(most + 1)\r\n\r\n" + String(repeating: "b", count: most + 1))
        #expect(try #require(socket.readResponse()).status == 413)
        socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(socket.readResponse()).status == 200)
        #expect(sizes.take() == 0)
        let huge = try #require(RawSocket(port: server.ports[0]))
        huge.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n")
        #expect(try #require(huge.readResponse()).status == 413)
        #expect(huge.isClosedByPeer())
    }

    @Test(arguments: [
        ("Transfer-Encoding: chunked\r\n", 411), ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 411), ("Content-Length: +3\r\n", 400),
        ("Content-Length: 3\r\nContent-Length: 4\r\n", 400), ("Content-Length: -1\r\n", 400), ("Content-Length: 0x3\r\n", 400),
    ])
    func bodiesOfUnclearLengthAreRefusedAndTheConnectionEnds(header: String, status: Int) throws {
        let server = try startServer(ScriptedHandler(request: WebServerTests.echo))
        defer { server.stop() }
        let socket = try #require(RawSocket(port: server.ports[0]))
        socket.send("POST /x HTTP/1.1\r\nHost: h\r\n\(header)\r\n3\r\nabc\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(socket.readResponse()).status == status)
        #expect(socket.isClosedByPeer())
        #expect(server.statistics.requests == 0)
    }

    @Test func aPostWithoutLengthHasNoBodyAndEndsTheConnection() throws {
        let server = try startServer(ScriptedHandler(request: WebServerTests.echo))
        defer { server.stop() }
        let socket = try #require(RawSocket(port: server.ports[0]))
        socket.send("POST /x HTTP/1.1\r\nHost: h\r\n\r\n")
        let answer = try #require(socket.readResponse())
        #expect(answer.status == 200 && answer.head.contains("connection: close"))
        #expect(socket.isClosedByPeer())
    }

    @Test func headersAreBounded() throws {
        let server = try startServer(ScriptedHandler(request: { .answer(HTTPResponse(status: 200, type: "t/t", text: $0.header("cookie") ?? "")) }))
        defer { server.stop() }
        let cookie = String(repeating: "c", count: 12_000)
        #expect(try ask(server.ports[0], "GET / HTTP/1.1\r\nHost: h\r\nCookie: \(cookie)\r\n\r\n").body == cookie)
        let socket = try #require(RawSocket(port: server.ports[0]))
        socket.send("GET / HTTP/1.1\r\nHost: h\r\nCookie: \(cookie)\r\nX-More: \(cookie)\r\n\r\n")
        #expect(socket.isClosedByPeer())
        #expect(try ask(server.ports[0], "GET / HTTP/1.1\r\nHost: h\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n").body.contains("b=2"))
    }

    @Test func customHeadersArriveWhenConfigured() throws {
        let server = try startServer(
            ScriptedHandler(request: {
                .answer(HTTPResponse(status: 200, type: "t/t", text: $0.headers.map { "\($0.name)=\($0.value)" }.joined(separator: ";")))
            }))
        defer { server.stop() }
        let text = try ask(server.ports[0], "GET / HTTP/1.1\r\nHost: h\r\nX-CSRF-Token:  t0k \r\nX-Other: 1\r\nOrigin: http://o\r\n\r\n").body
        #expect(text.contains("x-csrf-token=t0k") && text.contains("origin=http://o") && text.contains("host=h") && !text.contains("x-other"))
    }

    @Test func pathsAreCleanedAndControlBytesRefused() throws {
        let server = try startServer(ScriptedHandler(request: WebServerTests.echo))
        defer { server.stop() }
        let port = server.ports[0]
        #expect(try ask(port, "GET /a/../../b//c/./d HTTP/1.1\r\nHost: h\r\n\r\n").body == "GET /b/c/d [] ")
        #expect(try ask(port, "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n").body == "GET /etc/passwd [] ")
        #expect(try ask(port, "GET /a%0ab HTTP/1.1\r\nHost: h\r\n\r\n").status == 400)
        #expect(try ask(port, "GET /a%ff HTTP/1.1\r\nHost: h\r\n\r\n").status == 400)
        #expect(try ask(port, "GET /?x=%0d%0aSet-Cookie:a HTTP/1.1\r\nHost: h\r\n\r\n").status == 400)
        let nul = try #require(RawSocket(port: port))
        nul.send("GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(nul.isClosedByPeer())
    }

    @Test func responsesThatWouldBreakTheHeadBecome500() throws {
        let server = try startServer(
            ScriptedHandler(request: { _ in .answer(HTTPResponse(status: 200, headers: [WebField("location", "/a\r\nset-cookie: b")], body: [65])) }))
        defer { server.stop() }
        let answer = try ask(server.ports[0], "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(answer.status == 500 && !answer.head.contains("set-cookie") && answer.body.isEmpty)
    }

    @Test func aBigResponseReachesASlowReader() throws {
        let size = 8 * 1_024 * 1_024
        let server = try startServer(ScriptedHandler(request: { _ in .answer(HTTPResponse(status: 200, body: [UInt8](repeating: 90, count: size))) }))
        defer { server.stop() }
        let socket = try #require(RawSocket(port: server.ports[0]))
        for _ in 0..<2 {
            socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = try #require(socket.readResponse())
            #expect(answer.body.count == size && answer.body.allSatisfy { $0 == 90 })
        }
    }

    @Test func connectionsPerAddressAreBounded() throws {
        let server = try startServer(ScriptedHandler(request: WebServerTests.echo)) { $0.connectionsPerAddressMax = 3 }
        defer { server.stop() }
        var sockets = try (0..<3).map { _ in try #require(RawSocket(port: server.ports[0])) }
        #expect(eventually { server.statistics.connectionsOpen == 3 })
        #expect(try #require(RawSocket(port: server.ports[0])).isClosedByPeer())
        #expect(server.statistics.connectionsRefused == 1)
        sockets.removeLast()
        #expect(eventually { server.statistics.connectionsOpen == 2 })
        #expect(try ask(server.ports[0], "GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status == 200)
    }

    @Test func slowHeadsBodiesAndIdleConnectionsAreClosed() throws {
        let server = try startServer(ScriptedHandler(request: WebServerTests.echo)) {
            $0.requestSecondsMax = 1; $0.idleSecondsMax = 1
        }
        defer { server.stop() }
        let silent = try #require(RawSocket(port: server.ports[0]))
        let head = try #require(RawSocket(port: server.ports[0]))
        head.send("GET / HTTP/1.1\r\nHo")
        let body = try #require(RawSocket(port: server.ports[0]))
        body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        let kept = try #require(RawSocket(port: server.ports[0]))
        kept.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(kept.readResponse()).status == 200)
        #expect(head.isClosedByPeer() && body.isClosedByPeer() && kept.isClosedByPeer() && silent.isClosedByPeer())
    }

    @Test func aTakenPortIsAnError() throws {
        let server = try startServer(ScriptedHandler())
        defer { server.stop() }
        let listener = WebListener.tcp(host: "127.0.0.1", port: server.ports[0])
        #expect(throws: WebServerError.cannotListen(listener)) {
            _ = try WebServer(WebServerConfiguration(listeners: [listener]), handler: ScriptedHandler())
        }
        #expect(throws: WebServerError.noListener) { _ = try WebServer(WebServerConfiguration(listeners: []), handler: ScriptedHandler()) }
    }

    @Test func stopAnswersWhatWaitsAndFreesThePort() throws {
        let asked = Letterbox<RequestID>()
        let server = try startServer(
            ScriptedHandler(request: {
                asked.put($0.id); return .later
            }))
        let socket = try #require(RawSocket(port: server.ports[0]))
        socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        let id = try #require(asked.take())
        server.stop()
        server.stop()
        server.respond(id, HTTPResponse(status: 200))
        #expect(try #require(socket.readResponse()).status == 503)
        #expect(socket.isClosedByPeer())
        #expect(RawSocket(port: server.ports[0]) == nil)
    }
}
