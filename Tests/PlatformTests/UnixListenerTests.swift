// The local socket: its mode, its peer, its path, beside a TCP listener of the same server.
import Foundation
import Platform
import Testing

struct UnixListenerTests {
    @Test func servesThisUserOnASocketOfMode0600() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("edge.sock")
        let server = try startServer(
            ScriptedHandler(request: { .answer(HTTPResponse(status: 200, type: "t/t", text: "\($0.peerAddress) \($0.listener)")) })
        ) {
            $0.listeners.append(.unix(path: path))
        }
        defer { server.stop() }
        #expect(server.ports.count == 2 && server.ports[0] > 0 && server.ports[1] == 0)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        for (socket, expected) in [(RawSocket(path: path), "unix 1"), (RawSocket(port: server.ports[0]), "127.0.0.1 0")] {
            let socket = try #require(socket)
            for _ in 0..<2 {
                socket.send("GET / HTTP/1.1\r\nHost: edge\r\n\r\n")
                #expect(try #require(socket.readResponse()).body == Array(expected.utf8))
            }
        }
    }

    @Test func theSocketGoesWithTheServer() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("edge.sock")
        try WebServer(WebServerConfiguration(listeners: [.unix(path: path)]), handler: ScriptedHandler()).stop()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func impossiblePathsAreErrors() throws {
        let folder = try TemporaryFolder()
        let long = folder.file(String(repeating: "d", count: 108))
        #expect(throws: WebServerError.socketPathTooLong(path: long, bytes: long.utf8.count)) {
            _ = try WebServer(WebServerConfiguration(listeners: [.unix(path: long)]), handler: ScriptedHandler())
        }
        let nowhere = folder.file("no/such/edge.sock")
        #expect(throws: WebServerError.cannotListen(.unix(path: nowhere))) {
            _ = try WebServer(WebServerConfiguration(listeners: [.unix(path: nowhere)]), handler: ScriptedHandler())
        }
    }
}
