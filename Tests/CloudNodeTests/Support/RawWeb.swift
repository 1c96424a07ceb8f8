// A blocking socket that speaks just enough HTTP and WebSocket to look at answers byte by byte.
import Foundation
import Glibc

/// Gives up after five silent seconds, so that a test fails instead of hanging.
final class RawWeb {
    enum Frame: Equatable { case text(String), close(Int), other(UInt8), none }
    private let descriptor: Int32
    private var pending: [UInt8] = []

    init?(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        if status != 0 { close(descriptor); return nil }
    }
    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    private func more() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { pending += buffer[..<count] }
        return count > 0
    }
    private func read(_ count: Int) -> [UInt8]? {
        while pending.count < count { guard more() else { return nil } }
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }

    /// Everything until the other side closes.
    func readAll() -> String {
        while more() {}
        return String(decoding: pending, as: UTF8.self)
    }

    /// Asks for a WebSocket; true when the server switched.
    func upgrade(_ path: String, headers: String = "") -> Bool {
        send(
            "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(headers)\r\n")
        while true {
            if let end = pending.firstRange(of: Array("\r\n\r\n".utf8)) {
                let isSwitched = pending.starts(with: Array("HTTP/1.1 101".utf8))
                pending.removeFirst(end.upperBound)
                return isSwitched
            }
            guard more() else { return false }
        }
    }

    func frame() -> Frame {
        guard let head = read(2) else { return .none }
        var length = Int(head[1] & 0x7F)
        if length == 126 || length == 127 {
            guard let long = read(length == 126 ? 2 : 8) else { return .none }
            length = long.reduce(0) { $0 << 8 | Int($1) }
        }
        guard let payload = read(length) else { return .none }
        switch head[0] & 0x0F {
        case 1: return .text(String(decoding: payload, as: UTF8.self))
        case 8: return .close(payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : 0)
        case let other: return .other(other)
        }
    }
}
