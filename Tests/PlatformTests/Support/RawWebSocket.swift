// The client's half of RFC 6455 in forty lines: handshake, masked text frames out, frames in.

struct RawFrame: Equatable {
    let opcode: UInt8
    let payload: [UInt8]
    var text: String { String(decoding: payload, as: UTF8.self) }
    /// The code of a close frame.
    var closeCode: Int? { opcode == 8 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil }
}

final class RawWebSocket {
    let socket: RawSocket
    /// The handshake's answer.
    let head: String

    /// Nil when the server did not switch protocols.
    init?(port: Int, path: String = "/ws", headers: String = "") {
        guard let socket = RawSocket(port: port) else { return nil }
        socket.send(
            "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(headers)\r\n")
        guard let head = socket.readHead(), head.hasPrefix("HTTP/1.1 101") else { return nil }
        self.socket = socket
        self.head = head
    }

    func send(text: String, opcode: UInt8 = 1, final: Bool = true) {
        let payload = Array(text.utf8)
        let mask: [UInt8] = [0x11, 0x22, 0x33, 0x44]
        var frame: [UInt8] = [(final ? 0x80 : 0) | opcode]
        if payload.count < 126 {
            frame.append(0x80 | UInt8(payload.count))
        } else if payload.count < 65_536 {
            frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        } else {
            frame += [0x80 | 127] + (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 0xFF) }
        }
        frame += mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
        socket.send(frame)
    }

    /// The next frame; nil at the end of the stream or after five silent seconds.
    func receive() -> RawFrame? {
        guard let start = socket.read(2) else { return nil }
        var length = Int(start[1] & 0x7F)
        if length == 126 {
            guard let more = socket.read(2) else { return nil }
            length = Int(more[0]) << 8 | Int(more[1])
        } else if length == 127 {
            guard let more = socket.read(8) else { return nil }
            length = more.reduce(0) { $0 << 8 | Int($1) }
        }
        guard let payload = length == 0 ? [] : socket.read(length) else { return nil }
        return RawFrame(opcode: start[0] & 0x0F, payload: payload)
    }
}
