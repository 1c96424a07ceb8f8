// WebSockets over real sockets: accept and refuse, messages both ways, fan-out, slow clients, limits, stopping.
import Platform
import Testing

struct WebSocketServerTests {
    @Test func acceptedClientsTalk() throws {
        let messages = Letterbox<String>()
        let handler = ScriptedHandler(message: { bytes, _ in messages.put(String(decoding: bytes, as: UTF8.self)) })
        let server = try startServer(handler)
        defer { server.stop() }
        let socket = try #require(RawWebSocket(port: server.ports[0], path: "/ws?ticket=abc", headers: "Origin: http://localhost\r\n"))
        #expect(socket.head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        let client = try #require(handler.openClients.take())
        socket.send(text: "hello")
        socket.send(text: "in ", final: false)
        socket.send(text: "two ", opcode: 0, final: false)
        socket.send(text: "parts", opcode: 0)
        let long = String(repeating: "x", count: 40_000)
        socket.send(text: long)
        #expect(messages.take() == "hello" && messages.take() == "in two parts" && messages.take() == long)
        for count in [0, 1, 125, 126, 65_535, 65_536, 300_000] {
            server.send(WebFrame(text: String(repeating: "y", count: count)), to: client)
            #expect(socket.receive() == RawFrame(opcode: 1, payload: [UInt8](repeating: 0x79, count: count)))
        }
        socket.send(text: "ping", opcode: 9)
        #expect(socket.receive() == RawFrame(opcode: 10, payload: Array("ping".utf8)))
    }

    @Test func theHandlerSeesTheUpgradeRequest() throws {
        let seen = Letterbox<HTTPRequest>()
        let server = try startServer(
            ScriptedHandler(upgrade: {
                seen.put($0); return .accept
            }))
        defer { server.stop() }
        _ = try #require(RawWebSocket(port: server.ports[0], path: "/live?t=1", headers: "Origin: http://o\r\nCookie: s=2\r\n"))
        let request = try #require(seen.take())
        #expect(
            request.path == "/live" && request.parameter("t") == "1" && request.header("origin") == "http://o" && request.header("cookie") == "s=2")
    }

    @Test func refusalIsACloseTheScriptCanRead() throws {
        let handler = ScriptedHandler(upgrade: { _ in .refuse(code: 4401, reason: "no session") })
        let server = try startServer(handler)
        defer { server.stop() }
        let socket = try #require(RawWebSocket(port: server.ports[0]))
        let frame = try #require(socket.receive())
        #expect(frame.closeCode == 4401 && frame.payload.dropFirst(2).elementsEqual("no session".utf8))
        #expect(handler.openClients.count == 0 && server.statistics.clientsOpen == 0)
    }

    @Test func onlyGetUpgradesAndOnlyToWebSocket() throws {
        let server = try startServer(ScriptedHandler(request: { _ in .answer(HTTPResponse(status: 200)) }))
        defer { server.stop() }
        let clear = try #require(RawSocket(port: server.ports[0]))
        clear.send(
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n")
        #expect(clear.isClosedByPeer())
        let smuggled = try #require(RawSocket(port: server.ports[0]))
        smuggled.send(
            "GET /ws%0aorigin:good HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        #expect(smuggled.isClosedByPeer())
        let raw = try #require(RawSocket(port: server.ports[0]))
        raw.send("CONNECT example.org:443 HTTP/1.1\r\nHost: h\r\n\r\nraw bytes")
        #expect(raw.isClosedByPeer())
    }

    @Test func oneFrameReachesAll() throws {
        let handler = ScriptedHandler()
        let server = try startServer(handler)
        defer { server.stop() }
        let sockets = try (0..<20).map { _ in try #require(RawWebSocket(port: server.ports[0])) }
        let clients = try (0..<20).map { _ in try #require(handler.openClients.take()) }
        let frames = (0..<30).map { WebFrame(text: "{\"n\":\($0)}") }
        for frame in frames { server.broadcast(frame) }
        server.broadcast(WebFrame(text: "some"), to: Array(clients[..<2]))
        server.broadcast(WebFrame(text: "last"))
        for socket in sockets {
            for n in 0..<30 { #expect(try #require(socket.receive()).text == "{\"n\":\(n)}") }
        }
        let after = sockets.map { $0.receive()?.text }
        #expect(after.filter { $0 == "some" }.count == 2 && after.filter { $0 == "last" }.count == 18)
        #expect(server.statistics.clientsOpen == 20)
    }

    @Test func aSlowClientIsCutOffAndCountedAndTheOthersGoOn() throws {
        let handler = ScriptedHandler()
        let server = try startServer(handler) { $0.queuedFramesMax = 16 }
        defer { server.stop() }
        let slow = try #require(RawWebSocket(port: server.ports[0]))
        let slowClient = try #require(handler.openClients.take())
        let good = try #require(RawWebSocket(port: server.ports[0]))
        _ = try #require(handler.openClients.take())
        let payload = [UInt8](repeating: 0x7A, count: 256 * 1_024)
        let frame = WebFrame(payload)
        var rounds = 0
        while server.statistics.slowClientsClosed == 0 && rounds < 500 {
            server.broadcast(frame)
            #expect(good.receive()?.payload.count == payload.count)
            rounds += 1
        }
        #expect(server.statistics.slowClientsClosed == 1)
        server.broadcast(WebFrame(text: "still here"))
        #expect(good.receive()?.text == "still here")
        // Reading on, it gets what was on the wire, whole, and then the reason.
        var last = slow.receive()
        while let frame = last, frame.opcode == 1 {
            #expect(frame.payload.count == payload.count)
            last = slow.receive()
        }
        #expect(last?.closeCode == 4_408)
        #expect(handler.closedClients.take() == slowClient)
    }

    @Test func aClientThatNeverReadsAgainIsDroppedAllTheSame() throws {
        let handler = ScriptedHandler()
        let server = try startServer(handler) {
            $0.queuedFramesMax = 16; $0.closeSecondsMax = 1
        }
        defer { server.stop() }
        let slow = try #require(RawWebSocket(port: server.ports[0]))
        let client = try #require(handler.openClients.take())
        let frame = WebFrame([UInt8](repeating: 0x7A, count: 256 * 1_024))
        #expect(
            eventually {
                server.broadcast(frame)
                return server.statistics.slowClientsClosed == 1
            })
        #expect(handler.closedClients.take() == client)
        #expect(eventually { server.statistics.connectionsOpen == 0 })
        #expect(slow.head.contains("101"))
    }

    @Test func tooLongAndBinaryMessagesEndTheClient() throws {
        let server = try startServer(ScriptedHandler()) { $0.messageBytesMax = 1_000 }
        defer { server.stop() }
        let long = try #require(RawWebSocket(port: server.ports[0]))
        long.send(text: String(repeating: "x", count: 1_001))
        #expect(long.receive()?.closeCode == 1_009)
        let binary = try #require(RawWebSocket(port: server.ports[0]))
        binary.send(text: "x", opcode: 2)
        #expect(binary.receive()?.closeCode == 1_003)
    }

    @Test func closeSendsWhatIsQueuedFirst() throws {
        let handler = ScriptedHandler()
        let server = try startServer(handler)
        defer { server.stop() }
        let socket = try #require(RawWebSocket(port: server.ports[0]))
        let client = try #require(handler.openClients.take())
        for n in 0..<5 { server.send(WebFrame(text: "\(n)"), to: client) }
        server.close(client, code: 4_403, reason: "signed out")
        server.send(WebFrame(text: "too late"), to: client)
        for n in 0..<5 { #expect(socket.receive()?.text == "\(n)") }
        #expect(socket.receive()?.closeCode == 4_403)
        #expect(handler.closedClients.take() == client)
        server.send(WebFrame(text: "to nobody"), to: client)
        #expect(server.statistics.framesSent == 5)
    }

    @Test func aClientThatVanishesIsReportedOnce() throws {
        let handler = ScriptedHandler()
        let server = try startServer(handler)
        defer { server.stop() }
        var socket = RawWebSocket(port: server.ports[0])
        let client = try #require(handler.openClients.take())
        #expect(socket != nil)
        socket = nil
        #expect(handler.closedClients.take() == client)
        #expect(handler.closedClients.count == 0 && eventually { server.statistics.connectionsOpen == 0 })
    }

    @Test func aSilentClientIsPingedThenDropped() throws {
        let handler = ScriptedHandler()
        let server = try startServer(handler) {
            $0.idleSecondsMax = 2; $0.closeSecondsMax = 1
        }
        defer { server.stop() }
        let socket = try #require(RawWebSocket(port: server.ports[0]))
        var frames: [RawFrame] = []
        while let frame = socket.receive() { frames.append(frame) }
        #expect(frames.contains { $0.opcode == 9 } && frames.last?.closeCode == 4_408, "\(frames)")
        #expect(handler.closedClients.take() != nil)
    }

    @Test func aClientThatAnswersPingsStays() throws {
        let handler = ScriptedHandler()
        let server = try startServer(handler) {
            $0.idleSecondsMax = 2; $0.closeSecondsMax = 1
        }
        defer { server.stop() }
        let socket = try #require(RawWebSocket(port: server.ports[0]))
        for _ in 0..<4 {
            let ping = try #require(socket.receive())
            #expect(ping.opcode == 9, "\(ping)")
            socket.send(text: ping.text, opcode: 10)
        }
        server.broadcast(WebFrame(text: "still here"))
        #expect(socket.receive()?.text == "still here" && handler.closedClients.count == 0)
    }

    @Test func stopClosesClientsWith1001() throws {
        let handler = ScriptedHandler()
        let server = try startServer(handler)
        let sockets = try (0..<50).map { _ in try #require(RawWebSocket(port: server.ports[0])) }
        for _ in sockets { _ = try #require(handler.openClients.take()) }
        server.broadcast(WebFrame(text: "bye"))
        server.stop()
        for socket in sockets {
            #expect(socket.receive()?.text == "bye")
            #expect(socket.receive()?.closeCode == 1_001)
        }
        #expect(handler.closedClients.count == 50 && server.statistics.connectionsOpen == 0)
    }
}
