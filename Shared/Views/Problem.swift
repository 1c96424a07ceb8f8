// An error as people and scripts get it: RFC 9457, with the cure. The cloud's web and the edge's own panel answer in this one form.
package import Values
package import Wire

/// An error answer.
package struct Problem: Error, Hashable, Sendable {
    /// The last part of the type: `/problems/<name>`.
    package let name: String
    /// The HTTP status, 400...599.
    package let status: Int
    package let title: String
    package var detail: String?
    /// What to do.
    package var cure: String?
    /// When it is worth asking again.
    package var retryAfter: Span?
    /// Of a 405: the methods that the path takes.
    package private(set) var allowed: [String] = []

    /// A header that belongs to a status.
    package struct Header: Hashable, Sendable {
        /// In lower case.
        package let name: String
        package let value: String
    }

    package init(_ name: String, _ status: Int, _ title: String, detail: String? = nil, cure: String? = nil, retryAfter: Span? = nil) {
        self.name = name; self.title = title; self.status = status; self.detail = detail; self.cure = cure; self.retryAfter = retryAfter
    }

    /// No handler for this method on a path that has others.
    package static func methodNotAllowed(_ method: String, allowed: [String]) -> Problem {
        // What answers GET answers HEAD.
        let all = allowed.flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] }
        var problem = Problem(
            "method-not-allowed", 405, "This path does not take \(method)", detail: "It takes \(all.joined(separator: ", ")).",
            cure: "Use another method.")
        problem.allowed = all
        return problem
    }

    /// The media type of `value`.
    package static let type = "application/problem+json"

    /// The body.
    package var value: JSONValue {
        var row = Row()
        row.put("type", "/problems/\(name)"); row.put("title", title); row.integer("status", Int64(status)); row.put("detail", detail)
        row.put("cure", cure); row.integer("retryAfterMs", retryAfter.map { max(0, $0.nanoseconds / 1_000_000) })
        return row.value
    }

    /// The headers that belong to the status, beside the type.
    package var headers: [Header] {
        var headers: [Header] = []
        if let retryAfter {
            headers.append(Header(name: "retry-after", value: String(max(1, (retryAfter.nanoseconds + 999_999_999) / 1_000_000_000))))
        }
        if status == 405 { headers.append(Header(name: "allow", value: allowed.joined(separator: ", "))) }
        if status == 401 { headers.append(Header(name: "www-authenticate", value: "Bearer")) }
        return headers
    }
}
