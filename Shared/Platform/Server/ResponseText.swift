// A response as HTTP/1.1 bytes.

enum ResponseText {
    /// Head and body. A header that could break the head (control characters, an odd name) turns the response into a bare 500.
    static func bytes(_ response: HTTPResponse, headOnly: Bool, close: Bool) -> [UInt8] {
        guard (200...599).contains(response.status), response.headers.allSatisfy(isSafe) else {
            return bytes(HTTPResponse(status: 500), headOnly: headOnly, close: true)
        }
        let bodiless = response.status == 204 || response.status == 304
        var head = "HTTP/1.1 \(response.status) \(reason(response.status))\r\n"
        for field in response.headers where !["content-length", "connection"].contains(field.name) { head += "\(field.name): \(field.value)\r\n" }
        if !bodiless { head += "content-length: \(response.body.count)\r\n" }
        if close { head += "connection: close\r\n" }
        head += "\r\n"
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.utf8.count + (headOnly ? 0 : response.body.count))
        bytes.append(contentsOf: head.utf8)
        if !headOnly && !bodiless { bytes.append(contentsOf: response.body) }
        return bytes
    }

    private static func isSafe(_ field: WebField) -> Bool {
        let name = field.name.utf8
        return !name.isEmpty && name.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
            && field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        case 507: "Insufficient Storage"
        default: status < 400 ? "OK" : "Error"
        }
    }
}
