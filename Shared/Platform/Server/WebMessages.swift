// What passes between the web server and the shell above it: requests, responses, WebSocket frames and verdicts.
internal import Wire

/// One name and value pair of a header block or a query.
package struct WebField: Hashable, Sendable {
    /// Lower case for headers, as sent for query parameters.
    package var name: String
    package var value: String
    package init(_ name: String, _ value: String) { self.name = name; self.value = value }
}

/// Names one request of one connection. A late answer to a request whose client left finds nobody and is dropped.
package struct RequestID: Hashable, Sendable {
    let connection: Int
    let serial: Int
}

/// Names one open WebSocket. Never used twice in a process, so a late send cannot reach a stranger.
package struct WebClientID: Hashable, Comparable, Sendable {
    let connection: Int
    package static func < (a: WebClientID, b: WebClientID) -> Bool { a.connection < b.connection }
}

/// The methods the server's parser knows; any other is answered 403 by the library before a handler sees it.
package enum HTTPMethod: String, Sendable {
    case get = "GET", head = "HEAD", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE", options = "OPTIONS"
}

/// A whole request: its head, and its body when it had one.
package struct HTTPRequest: Sendable {
    package let id: RequestID
    package let method: HTTPMethod
    /// Percent-decoded, starts with `/`, dot segments and doubled slashes resolved, no control characters.
    package let path: String
    /// Decoded, in the order sent; a parameter without `=` has an empty value.
    package let query: [WebField]
    /// Known headers and the configured `extraHeaders` only; repeated ones are joined with commas (cookies with semicolons).
    package let headers: [WebField]
    package var body: [UInt8]
    /// The socket's peer: an IP address, or `unix` on a unix socket. What a proxy claims is in `x-forwarded-for`.
    package let peerAddress: String
    /// Index in `WebServerConfiguration.listeners`.
    package let listener: Int

    /// The first header of that (lower case) name.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    /// The first query parameter of that name.
    package func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// A whole response. The server adds `content-length`, `date` is not sent, and no banner names the software.
package struct HTTPResponse: Sendable {
    /// 200...599
    package var status: Int
    package var headers: [WebField]
    package var body: [UInt8]

    package init(status: Int, headers: [WebField] = [], body: [UInt8] = []) {
        self.status = status; self.headers = headers; self.body = body
    }
    /// What the server refuses before any handler sees it, in the form of RFC 9457. `title` is one of the server's own phrases.
    static func problem(_ status: Int, _ title: String) -> HTTPResponse {
        let body = JSONWriter.plain(["type": "about:blank", "title": .string(title), "status": .integer(Int64(status))])
        return HTTPResponse(
            status: status, headers: [WebField("content-type", "application/problem+json"), WebField("cache-control", "no-store")], body: body)
    }
    /// A body of UTF-8 text with its content type.
    package init(status: Int, type: String, text: String) {
        self.init(status: status, headers: [WebField("content-type", type)], body: Array(text.utf8))
    }
}

/// What a handler says to a request.
package enum RequestVerdict: Sendable {
    case answer(HTTPResponse)
    /// `WebServer.respond` follows from any thread; after the request timeout the server answers 503 itself.
    case later
}

/// What a handler says to a WebSocket upgrade.
package enum UpgradeVerdict: Sendable {
    case accept
    /// The handshake is completed and the socket closed with this code (4000...4999), so that a browser's script can read why.
    case refuse(code: UInt16, reason: String)
}

/// One outgoing WebSocket text message, held once and shared by all the clients it goes to.
///
/// Sendable by this proof: the payload is written in `init` only; the room in front of it, where the library writes the
/// frame header, is touched on the server's thread alone.
package final class WebFrame: @unchecked Sendable {
    static let room = 16
    let storage: UnsafeMutablePointer<UInt8>
    /// Bytes of payload.
    package let count: Int

    /// Copies UTF-8 text.
    package init(_ text: some Collection<UInt8>) {
        count = text.count
        storage = .allocate(capacity: WebFrame.room + text.count)
        storage.initialize(repeating: 0, count: WebFrame.room)
        var at = WebFrame.room
        for byte in text { (storage + at).initialize(to: byte); at += 1 }
    }
    package convenience init(text: String) { self.init(Array(text.utf8)) }
    deinit { storage.deallocate() }
}

/// What the shell gives the server. Every method is called on the server's thread and must return quickly;
/// a shell with a turn of its own posts to its inbox and answers `.later`.
package protocol WebHandler: Sendable {
    func request(_ request: HTTPRequest) -> RequestVerdict
    /// `request` is the GET that asked for the upgrade: look at its path, origin, cookies and ticket.
    func upgrade(_ request: HTTPRequest) -> UpgradeVerdict
    /// An accepted WebSocket is open; `request.id` is spent, `client` names it from here on.
    func opened(_ client: WebClientID, _ request: HTTPRequest)
    /// One whole text message.
    func received(_ text: [UInt8], from client: WebClientID)
    /// Called once for each `opened`.
    func closed(_ client: WebClientID)
}

extension WebHandler {
    /// A server without WebSockets refuses each upgrade.
    package func upgrade(_ request: HTTPRequest) -> UpgradeVerdict { .refuse(code: 4404, reason: "no WebSocket here") }
    package func opened(_ client: WebClientID, _ request: HTTPRequest) {}
    package func received(_ text: [UInt8], from client: WebClientID) {}
    package func closed(_ client: WebClientID) {}
}
