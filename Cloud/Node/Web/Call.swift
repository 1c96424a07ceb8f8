// A request and its answer as values, free of any server.
package import Control
package import Values
package import Wire

/// One request.
package struct Request: Sendable {
    /// `GET`, `POST`, …
    package var method: String
    /// Decoded, without the query.
    package var path: String
    package var query: [(name: String, value: String)]
    /// Names in lower case.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// The peer's IP address after trusted proxies, or `unix`.
    package var address: String
    /// How the browser reached us.
    package var origin: OriginRule
    /// Through the unix socket: only this machine's own user can be there, and may do everything.
    package var isLocal: Bool

    package init(
        method: String, path: String, query: [(name: String, value: String)] = [], headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        address: String = "127.0.0.1", origin: OriginRule = OriginRule(host: "127.0.0.1:8000", isSecure: false), isLocal: Bool = false
    ) {
        self.method = method; self.path = path; self.query = query; self.headers = headers; self.body = body; self.address = address
        self.origin = origin; self.isLocal = isLocal
    }

    /// The first header of a (lower case) name.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    /// The first query parameter of a name.
    package func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// The value of a cookie.
    package func cookie(_ name: String) -> String? {
        for pair in (header("cookie") ?? "").split(separator: ";") {
            let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[0] == name { return String(parts[1]) }
        }
        return nil
    }
}

/// One answer.
package struct Answer: Hashable, Sendable {
    package var status: Int
    /// Beyond those that every answer carries.
    package var headers: [Header] = []
    package var body: [UInt8]
    package var type: String

    /// One header.
    package struct Header: Hashable, Sendable {
        package let name: String
        package let value: String
    }

    package init(status: Int, type: String, body: [UInt8]) { self.status = status; self.type = type; self.body = body }
    /// JSON.
    package init(_ status: Int, _ value: JSONValue) { self.init(status: status, type: "application/json", body: JSONWriter.plain(value)) }
    /// 204.
    package static var empty: Answer { Answer(status: 204, type: "", body: []) }

    package mutating func add(_ name: String, _ value: String) { headers.append(Header(name: name, value: value)) }
    /// The body as JSON, or nil.
    package var json: JSONValue? { try? JSONReader.read(body, limits: JSONLimits(depth: 16, bytes: 16 << 20)) }
}

/// One call of a route: the request, who asks, and what the path's places hold.
package struct Call: Sendable {
    package let request: Request
    /// The shell's number of the request: what a later answer names.
    package let number: UInt64
    package let caller: Caller?
    /// The texts that stood for `{name}` in the pattern.
    package let places: [String: String]
    package let now: Instant
}

/// What a route says.
package enum Reply: Sendable {
    case answer(Answer)
    /// The answer follows from another turn.
    case later
}
