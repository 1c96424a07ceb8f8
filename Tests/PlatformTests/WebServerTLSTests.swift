// A listener with a certificate speaks TLS and nothing else, and one without its files does not start.
import Foundation
import Platform
import Testing

@Suite struct WebServerTLSTests {
    private struct Hello: WebHandler {
        func request(_ request: HTTPRequest) -> RequestVerdict { .answer(HTTPResponse(status: 200, type: "text/plain", text: "hello")) }
    }
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/tls")

    private func server(certificate: String) throws(WebServerError) -> WebServer {
        var configuration = WebServerConfiguration(listeners: [.tcp(host: "127.0.0.1", port: 0)])
        configuration.certificate = WebCertificate(
            certificatePath: WebServerTLSTests.folder.appending(path: certificate).path,
            keyPath: WebServerTLSTests.folder.appending(path: "key.pem").path)
        return try WebServer(configuration, handler: Hello())
    }

    @Test func plainTextGetsNoAnswer() throws {
        let server = try server(certificate: "certificate.pem")
        defer { server.stop() }
        #expect(throws: HTTPClientError.self) { try HTTPClient.send(HTTPCall(.get, url: "http://127.0.0.1:\(server.ports[0])/")) }
    }

    @Test func theCertificateIsShown() throws {
        let server = try server(certificate: "certificate.pem")
        defer { server.stop() }
        // Nobody vouches for the tests' own certificate: the client gets as far as looking at it.
        let error = #expect(throws: HTTPClientError.self) { try HTTPClient.send(HTTPCall(.get, url: "https://127.0.0.1:\(server.ports[0])/")) }
        guard case .failed(let words)? = error else { Issue.record("\(String(describing: error))"); return }
        #expect(words.contains("certificate"), "\(words)")
    }

    @Test func aMissingCertificateIsRefused() {
        #expect(throws: WebServerError.self) { try server(certificate: "nothing.pem") }
    }
}
