// Real sockets on one loop: a client that collects what it hears, and a way to wait for it.
import Foundation
import Platform
import Testing

/// One end of a connection.
final class Listener: TCPOwner {
    private(set) var bytes: [UInt8] = []
    private(set) var isClosed = false
    func received(_ more: RawSpan, on connection: TCPConnection) { bytes += more.withUnsafeBytes { Array($0) } }
    func closed(_ connection: TCPConnection, _ reason: TCPClose) { isClosed = true }
    /// The whole frames heard so far, as fields.
    var frames: [[String]] {
        var rest = bytes[...]
        var frames: [[String]] = []
        while rest.count >= 4 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= 4 + length else { break }
            frames.append(
                String(decoding: rest.dropFirst(4).prefix(length), as: UTF8.self).split(separator: "\0", omittingEmptySubsequences: false).dropLast()
                    .map(String.init))
            rest = rest.dropFirst(4 + length)
        }
        return frames
    }
    func heard(_ message: String) -> [[String]] { frames.filter { $0.first == message } }
}

extension EventLoop {
    /// Turns until the condition holds, at most for twenty seconds; `each` runs after every turn.
    func turns(each: () -> Void = {}, until condition: () -> Bool) -> Bool {
        var late = false
        let limit = after(milliseconds: 20_000) { late = true }
        while !condition() && !late {
            turn(milliseconds: 20)
            each()
        }
        cancel(limit)
        return condition()
    }
}

/// A folder that is gone with the value.
final class ScratchFolder {
    let path = NSTemporaryDirectory() + "tidewire-gateway-" + UUID().uuidString
    deinit { try? FileManager.default.removeItem(atPath: path) }
}
