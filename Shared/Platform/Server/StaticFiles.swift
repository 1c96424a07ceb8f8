// Files of one folder as HTTP responses: types, compression, caching; nothing outside the folder can be named.
internal import Glibc

/// A folder of built assets. Each call reads from the disk, which the kernel caches.
package struct StaticFiles: Sendable {
    private let root: String
    /// A larger file is treated as missing: built assets are small, and a response is held whole in memory.
    private static let fileBytesMax = 16 * 1_024 * 1_024

    /// `root` without a trailing slash; symbolic links inside it are not followed.
    package init(root: String) { self.root = root }

    /// The file at `path` as an answer to `request` (GET or HEAD), or nil when there is none: the shell then answers 404 or,
    /// for a page of the single-page application, asks again for `/index.html`.
    ///
    /// With `accept-encoding: gzip` a `.gz` sibling is sent as it is. A name that carries a hash (`app-3FQ7K2XA.js`) may be kept a
    /// year; everything else is revalidated by its entity tag.
    package func response(path: String, for request: HTTPRequest) -> HTTPResponse? {
        guard let parts = StaticFiles.parts(of: path), let name = parts.last else { return nil }
        let file = root + "/" + parts.joined(separator: "/")
        let zipped = StaticFiles.acceptsGzip(request.header("accept-encoding") ?? "") ? StaticFiles.read(file + ".gz") : nil
        guard let content = zipped ?? StaticFiles.read(file) else { return nil }
        let tag = "\"\(content.tag)\(zipped == nil ? "" : "-gz")\""
        var headers = [
            WebField("content-type", StaticFiles.type(of: name)), WebField("etag", tag), WebField("vary", "accept-encoding"),
            WebField("cache-control", StaticFiles.carriesHash(name) ? "public, max-age=31536000, immutable" : "no-cache"),
        ]
        if zipped != nil { headers.append(WebField("content-encoding", "gzip")) }
        let known = request.header("if-none-match")?.split(separator: ",").contains { $0.trimmed == tag || $0.trimmed == "W/" + tag } ?? false
        return known ? HTTPResponse(status: 304, headers: headers) : HTTPResponse(status: 200, headers: headers, body: content.bytes)
    }

    /// The components of a request path; nil when one is empty, begins with a dot, or holds a separator or control character.
    static func parts(of path: String) -> [String]? {
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= 1_024 else { return nil }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let safe = parts.allSatisfy { part in
            guard let first = part.utf8.first, first != UInt8(ascii: ".") else { return false }
            return part.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }
        }
        return safe && parts.count <= 16 ? parts : nil
    }

    /// A stem that ends in a dash and eight or more capitals and digits (esbuild), or hexadecimal digits.
    static func carriesHash(_ name: String) -> Bool {
        guard let dot = name.firstIndex(of: "."), let dash = name[..<dot].lastIndex(of: "-") else { return false }
        let hash = name[name.index(after: dash)..<dot].utf8
        guard hash.count >= 8 else { return false }
        return hash.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
            || hash.allSatisfy { (0x61...0x66).contains($0) || (0x30...0x39).contains($0) }
    }

    /// `gzip` or `*` named without `q=0`.
    static func acceptsGzip(_ header: String) -> Bool {
        header.split(separator: ",").contains { item in
            let fields = item.split(separator: ";").map { $0.trimmed.lowercased() }
            guard let coding = fields.first, coding == "gzip" || coding == "*" else { return false }
            return !fields.dropFirst().contains { $0.hasPrefix("q=0") && $0.dropFirst(3).allSatisfy { $0 == "." || $0 == "0" } }
        }
    }

    private static func type(of name: String) -> String {
        switch name.split(separator: ".").last ?? "" {
        case "html": "text/html; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "json", "map": "application/json"
        case "webmanifest": "application/manifest+json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "ico": "image/x-icon"
        case "jpg", "jpeg": "image/jpeg"
        case "webp": "image/webp"
        case "woff2": "font/woff2"
        case "txt": "text/plain; charset=utf-8"
        case "wasm": "application/wasm"
        default: "application/octet-stream"
        }
    }

    /// A regular file's bytes and a tag made of its size and time of change.
    private static func read(_ path: String) -> (bytes: [UInt8], tag: String)? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= fileBytesMax else { return nil }
        let size = Int(status.st_size)
        var filled = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while filled < size {
                let more = Glibc.read(descriptor, buffer.baseAddress! + filled, size - filled)
                if more <= 0 { break }
                filled += more
            }
            count = filled
        }
        guard filled == size else { return nil }
        let change = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        return (bytes, String(size, radix: 16) + "-" + String(change, radix: 16))
    }
}

extension Substring {
    /// Without spaces and tabs at the ends.
    fileprivate var trimmed: Substring {
        var text = self
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
