// A blocking socket with time limits, for tests that must speak broken HTTP and WebSocket on purpose.
import Glibc

/// Closes itself; every receive gives up after five seconds, so that a test fails instead of hanging.
final class RawSocket {
    let descriptor: Int32

    init?(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        limit(seconds: 5)
        if status != 0 { close(descriptor); return nil }
    }

    init?(path: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8.prefix(107))) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        limit(seconds: 5)
        if status != 0 { close(descriptor); return nil }
    }
    deinit { close(descriptor) }

    private func limit(seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    @discardableResult func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
    @discardableResult func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// What one receive gives; empty when the peer closed; nil after a reset or five silent seconds.
    func receive(max: Int = 65_536) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: max)
        let count = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    private var pending: [UInt8] = []

    /// Exactly `count` bytes, or nil.
    func read(_ count: Int) -> [UInt8]? {
        while pending.count < count {
            guard let more = receive(), !more.isEmpty else { return nil }
            pending += more
        }
        defer { pending.removeFirst(count) }
        return Array(pending.prefix(count))
    }

    /// Bytes up to and with the end of an HTTP head, or nil.
    func readHead() -> String? {
        while true {
            if let end = RawSocket.endOfHead(pending) { return read(end).map { String(decoding: $0, as: UTF8.self) } }
            guard let more = receive(), !more.isEmpty else { return nil }
            pending += more
        }
    }

    /// A response: status line and headers as sent, and the body of `content-length`.
    func readResponse(bodiless: Bool = false) -> (status: Int, head: String, body: [UInt8])? {
        guard let head = readHead() else { return nil }
        let fields = head.split(separator: "\r\n")
        let status = Int(fields.first?.split(separator: " ").dropFirst().first ?? "") ?? 0
        let length = fields.first { $0.lowercased().hasPrefix("content-length:") }.flatMap { Int($0.dropFirst(15).filter(\.isNumber)) } ?? 0
        guard !bodiless, length > 0 else { return (status, head, []) }
        return read(length).map { (status, head, $0) }
    }

    /// True when the peer has closed or reset, after at most five seconds; bytes on the way are dropped.
    func isClosedByPeer() -> Bool {
        while true {
            guard let bytes = receive() else { return errno == ECONNRESET }
            if bytes.isEmpty { return true }
        }
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (4...bytes.count).first { bytes[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }
    }
}
