// One HTTP/1.1 request over a plain socket of its own. chromedriver keeps connections open whatever one asks, so the answer is read by its length.
import Dispatch
import Foundation
import Glibc
import Wire

struct HTTPExchange: Sendable {
    enum Failure: Error { case socket(String), answer(String) }
    struct Answer: Sendable { let status: Int; let headers: [String: String]; let body: Data }

    let port: UInt16
    /// No answer within this many seconds is a failure: nothing may hang.
    var secondsMax = 40

    /// `headers` come on top of those that every request has.
    func send(_ method: String, _ path: String, _ body: JSONValue? = nil, headers: [String: String] = [:]) async throws -> Answer {
        try await send(method, path, raw: Data((body?.json ?? "").utf8), headers: headers)
    }

    /// The same with a body that may be anything.
    func send(_ method: String, _ path: String, raw body: Data, headers: [String: String] = [:]) async throws -> Answer {
        // Blocking calls stay off the pool that runs the tests.
        return try await withCheckedThrowingContinuation { done in
            DispatchQueue.global().async { done.resume(with: Result { try exchange(method, path, body, headers) }) }
        }
    }

    private func exchange(_ method: String, _ path: String, _ body: Data, _ more: [String: String]) throws -> Answer {
        let handle = try connected()
        defer { close(handle) }
        let own = ["Host": "127.0.0.1:\(port)", "Content-Type": "application/json", "Content-Length": "\(body.count)", "Connection": "close"]
        let fields = own.merging(more) { _, given in given }.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
        let head = "\(method) \(path) HTTP/1.1\r\n\(fields)\r\n"
        try write(Data(head.utf8) + body, to: handle)
        return try answer(from: handle)
    }

    private func connected() throws -> Int32 {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard handle >= 0 else { throw Failure.socket("socket: errno \(errno)") }
        var limit = timeval(tv_sec: secondsMax, tv_usec: 0)
        setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(handle, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else {
            let reason = errno
            close(handle)
            throw Failure.socket("connect to port \(port): errno \(reason)")
        }
        return handle
    }

    private func write(_ data: Data, to handle: Int32) throws {
        var left = data[...]
        while !left.isEmpty {
            let sent = left.withUnsafeBytes { Glibc.send(handle, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // A call with a time limit is broken off when the process is stopped and continued.
            if sent < 0, errno == EINTR { continue }
            guard sent > 0 else { throw Failure.socket("send: errno \(errno)") }
            left = left.dropFirst(sent)
        }
    }

    private func answer(from handle: Int32) throws -> Answer {
        var data = Data()
        let end = Data("\r\n\r\n".utf8)
        while true {
            if let gap = data.range(of: end) {
                let lines = String(decoding: data[..<gap.lowerBound], as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
                let headers = Dictionary(lines.dropFirst().compactMap(field)) { first, _ in first }
                let length = Int(headers["content-length"] ?? "0") ?? 0
                if data.count - gap.upperBound >= length {
                    guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
                        throw Failure.answer("no status")
                    }
                    return Answer(status: status, headers: headers, body: data[gap.upperBound..<gap.upperBound + length])
                }
            }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(handle, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure.answer(count == 0 ? "ended early" : "recv: errno \(errno)") }
            data.append(contentsOf: chunk[..<count])
        }
    }

    private func field(_ line: Substring) -> (String, String)? {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        return (line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
    }
}
