// A unix socket that gives one answer, whatever it is asked: what a command makes of the running cloud's word.
import Foundation
import Glibc

/// Gives up after five silent seconds, so that a test fails instead of hanging.
final class OneAnswer {
    private let descriptor: Int32
    private let done = DispatchSemaphore(value: 0)
    private let asked = Guarded(false)

    struct Failed: Error {}

    init(path: String, status: Int) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in for (index, byte) in path.utf8.enumerated() { room[index] = byte } }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard bound == 0, listen(descriptor, 1) == 0 else { throw Failed() }
        let (asked, done) = (asked, done)
        Thread {
            OneAnswer.serve(descriptor, status, asked); done.signal()
        }.start()
    }
    deinit { close(descriptor) }

    /// True once somebody asked and was answered.
    var wasAsked: Bool {
        _ = done.wait(timeout: .now() + .seconds(5))
        return asked.with { $0 }
    }

    private static func serve(_ descriptor: Int32, _ status: Int, _ asked: Guarded<Bool>) {
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let peer = accept(descriptor, nil, nil)
        guard peer >= 0 else { return }
        defer { close(peer) }
        setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var request: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 65_536)
        // The body is one JSON object: its last brace ends it.
        while request.last != UInt8(ascii: "}") {
            let count = recv(peer, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            request += buffer[..<count]
        }
        let body = #"{"title":"no","detail":"not taken","leftOut":[]}"#
        let answer =
            "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        let bytes = Array(answer.utf8)
        _ = bytes.withUnsafeBytes { Glibc.send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        asked.with { $0 = true }
    }
}
