// The outbound client against our own server: over TCP and a unix socket, with bodies, and with nobody there.
import Foundation
import Platform
import Testing

@Suite struct HTTPClientTests {
    /// Answers with what it was asked.
    private struct Echo: WebHandler {
        func request(_ request: HTTPRequest) -> RequestVerdict {
            let mark = request.header("idempotency-key") ?? "-"
            let said = "\(request.method.rawValue) \(request.path) \(mark) " + String(decoding: request.body, as: UTF8.self)
            return .answer(HTTPResponse(status: request.path == "/teapot" ? 418 : 200, type: "text/plain", text: said))
        }
    }

    @Test func asksOverTCPAndUnixSocket() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tidewire-\(UUID().uuidString)").path
        try PrivateFiles.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try WebServer(
            WebServerConfiguration(listeners: [.tcp(host: "127.0.0.1", port: 0), .unix(path: folder + "/a.sock")]), handler: Echo())
        defer { server.stop() }
        let get = try HTTPClient.send(HTTPCall(.get, url: "http://127.0.0.1:\(server.ports[0])/a?b=c", headers: [WebField("idempotency-key", "7")]))
        #expect(get.status == 200)
        #expect(String(decoding: get.body, as: UTF8.self) == "GET /a 7 ")
        let post = try HTTPClient.send(HTTPCall(.post, url: "http://edge/teapot", body: Array("{}".utf8), unixSocket: folder + "/a.sock"))
        #expect(post.status == 418)
        #expect(String(decoding: post.body, as: UTF8.self) == "POST /teapot - {}")
        let empty = try HTTPClient.send(HTTPCall(.post, url: "http://edge/x", unixSocket: folder + "/a.sock"))
        #expect(String(decoding: empty.body, as: UTF8.self) == "POST /x - ")
        var small = HTTPCall(.get, url: "http://edge/long-enough", unixSocket: folder + "/a.sock")
        small.answerBytesMax = 4
        #expect(throws: HTTPClientError.tooLong) { try HTTPClient.send(small) }
    }

    @Test func nobodyThereIsUnreachable() {
        let error = #expect(throws: HTTPClientError.self) { try HTTPClient.send(HTTPCall(.get, url: "http://edge/", unixSocket: "/nowhere/a.sock")) }
        guard case .unreachable = error else { Issue.record("\(String(describing: error))"); return }
    }
}
