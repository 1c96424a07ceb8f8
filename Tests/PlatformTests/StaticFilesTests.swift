// Static files: types, caching, compression, and that nothing outside the folder can be reached.
import Foundation
import Platform
import Testing

struct StaticFilesTests {
    private let folder: TemporaryFolder
    private let files: StaticFiles

    init() throws {
        folder = try TemporaryFolder()
        let root = folder.file("web")
        try FileManager.default.createDirectory(atPath: root + "/assets", withIntermediateDirectories: true)
        for (name, text) in [
            ("web/index.html", "<!doctype html>"), ("web/assets/app-3FQ7K2XA.js", "let plain"), ("web/assets/app-3FQ7K2XA.js.gz", "zipped"),
            ("web/assets/style.css", "a{}"), ("web/.env", "secret"), ("outside.txt", "secret"),
        ] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        }
        try FileManager.default.createSymbolicLink(atPath: root + "/link.txt", withDestinationPath: folder.file("outside.txt"))
        files = StaticFiles(root: root)
    }

    /// A request as a handler would see it: caught from a live server, because only the server can make one.
    private func ask(_ path: String, _ headers: String = "") throws -> (status: Int, head: String, body: String) {
        let files = files
        let server = try startServer(ScriptedHandler(request: { .answer(files.response(path: $0.path, for: $0) ?? HTTPResponse(status: 404)) }))
        defer { server.stop() }
        let socket = try #require(RawSocket(port: server.ports[0]))
        socket.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\(headers)\r\n")
        let answer = try #require(socket.readResponse())
        return (answer.status, answer.head, String(decoding: answer.body, as: UTF8.self))
    }

    @Test func typesAndCaching() throws {
        let page = try ask("/index.html")
        #expect(page.status == 200 && page.body == "<!doctype html>")
        #expect(page.head.contains("content-type: text/html; charset=utf-8\r\n") && page.head.contains("cache-control: no-cache\r\n"))
        let script = try ask("/assets/app-3FQ7K2XA.js")
        #expect(script.body == "let plain" && script.head.contains("text/javascript") && script.head.contains("max-age=31536000, immutable"))
        #expect(try ask("/assets/style.css").head.contains("cache-control: no-cache"))
    }

    @Test func zippedSiblingOnlyWhenAccepted() throws {
        let zipped = try ask("/assets/app-3FQ7K2XA.js", "Accept-Encoding: br, gzip;q=0.8\r\n")
        #expect(zipped.body == "zipped" && zipped.head.contains("content-encoding: gzip\r\n") && zipped.head.contains("text/javascript"))
        #expect(try ask("/assets/app-3FQ7K2XA.js", "Accept-Encoding: gzip;q=0.0, br\r\n").body == "let plain")
        #expect(try ask("/assets/style.css", "Accept-Encoding: gzip\r\n").body == "a{}")
    }

    @Test func unchangedFilesAreNotSentAgain() throws {
        let first = try ask("/index.html")
        let tag = try #require(first.head.split(separator: "\r\n").first { $0.hasPrefix("etag: ") }?.dropFirst(6))
        let second = try ask("/index.html", "If-None-Match: \"x\", \(tag)\r\n")
        #expect(second.status == 304 && second.body.isEmpty && second.head.contains("etag: \(tag)"))
        try Data("<!doctype html> changed".utf8).write(to: URL(fileURLWithPath: folder.file("web/index.html")))
        #expect(try ask("/index.html", "If-None-Match: \(tag)\r\n").status == 200)
    }

    @Test(arguments: [
        "/../outside.txt", "/assets/../../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/assets/..%5c..%5coutside.txt", "/.env",
        "/link.txt", "/assets", "/assets/", "/", "/missing.js", "/index.html/",
    ])
    func nothingElseIsServed(path: String) throws {
        let answer = try ask(path)
        #expect([400, 403, 404].contains(answer.status) && answer.body.isEmpty || answer.status == 400)
        #expect(!answer.body.contains("secret"))
    }

    /// The same paths without a server in front that cleans them.
    @Test func theFolderGuardsItself() throws {
        let files = files
        let results = Letterbox<[Int]>()
        let server = try startServer(
            ScriptedHandler(request: { request in
                results.put(
                    [
                        "/../outside.txt", "/assets/../../outside.txt", "//etc/passwd", "/./index.html", "/a\u{0}b", "/..\\outside.txt", "index.html",
                        "",
                    ]
                    .map { files.response(path: $0, for: request) == nil ? 0 : 1 })
                return .answer(HTTPResponse(status: 200))
            }))
        defer { server.stop() }
        try #require(RawSocket(port: server.ports[0])).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(results.take() == [Int](repeating: 0, count: 8))
    }
}
