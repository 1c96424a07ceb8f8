// One libzmq socket: options, receive, send. Used by the thread that owns it only.
internal import CZMQ
internal import Glibc

final class LinkSocket {
    let raw: UnsafeMutableRawPointer
    /// Held so that the context ends after its last socket: ended earlier, it would wait for that socket for ever.
    private let context: LinkContext

    /// Nil when the context is out of sockets.
    init?(_ context: LinkContext, type: Int32) {
        guard let raw = zmq_socket(context.raw, type) else { return nil }
        self.raw = raw
        self.context = context
        set(ZMQ_LINGER, 0)
    }
    deinit { zmq_close(raw) }

    @discardableResult func set(_ option: Int32, _ value: Int) -> Bool {
        // Every integer option in use is a C int but the message limit, which is 64 bits wide.
        if option == ZMQ_MAXMSGSIZE {
            var wide = Int64(value)
            return zmq_setsockopt(raw, option, &wide, 8) == 0
        }
        var number = Int32(clamping: value)
        return zmq_setsockopt(raw, option, &number, 4) == 0
    }
    @discardableResult func set(_ option: Int32, _ bytes: [UInt8]) -> Bool { zmq_setsockopt(raw, option, bytes, bytes.count) == 0 }

    /// What both ends have in common.
    func apply(_ settings: LinkSettings) {
        set(ZMQ_SNDHWM, settings.queuedMessagesMax)
        set(ZMQ_RCVHWM, settings.queuedMessagesMax)
        set(ZMQ_MAXMSGSIZE, settings.messageBytesMax)
        set(ZMQ_HEARTBEAT_IVL, settings.heartbeatMillis)
        set(ZMQ_HEARTBEAT_TIMEOUT, settings.heartbeatTimeoutMillis)
        set(ZMQ_HEARTBEAT_TTL, settings.heartbeatTimeoutMillis)
        set(ZMQ_HANDSHAKE_IVL, settings.handshakeMillis)
        set(ZMQ_TCP_MAXRT, settings.heartbeatTimeoutMillis)
        set(ZMQ_IPV6, 1)
    }

    /// The parts of one whole message, or nil when there is none; `parts` beyond `limit` are read and dropped.
    func receive(limit: Int = 8) -> (parts: [[UInt8]], user: String?)? {
        var parts: [[UInt8]] = []
        var user: String?
        while true {
            var message = zmq_msg_t()
            zmq_msg_init(&message)
            defer { zmq_msg_close(&message) }
            guard zmq_msg_recv(&message, raw, ZMQ_DONTWAIT) >= 0 else { return nil }
            if user == nil, let text = zmq_msg_gets(&message, "User-Id") { user = String(cString: text) }
            if parts.count < limit { parts.append(Array(UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message)))) }
            if zmq_msg_more(&message) == 0 { return (parts, user) }
        }
    }

    /// 0, or errno.
    func send(_ part: [UInt8], more: Bool = false) -> Int32 {
        let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
        return part.withUnsafeBytes { zmq_send(raw, $0.baseAddress, $0.count, flags) } >= 0 ? 0 : zmq_errno()
    }

    /// The port of the last bind, or nil.
    var boundPort: Int? {
        var text = [CChar](repeating: 0, count: 256)
        var length = text.count
        guard zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, &text, &length) == 0 else { return nil }
        let endpoint = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return endpoint.lastIndex(of: ":").flatMap { Int(endpoint[endpoint.index(after: $0)...]) }
    }

    /// `tcp://host:port`, IPv6 addresses in brackets, port 0 as the library's wildcard.
    static func endpoint(host: String, port: Int) -> String {
        let shown = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return "tcp://\(shown):\(port == 0 ? "*" : String(port))"
    }
    static var lastError: String { String(cString: zmq_strerror(zmq_errno())) }
}

/// A libzmq context that ends with its owner, after every socket made in it.
final class LinkContext {
    let raw: UnsafeMutableRawPointer
    /// - Throws: `.tooOld` or `.noCurve` on a library that cannot carry a link.
    init() throws(LinkError) {
        if let refusal = LinkContext.library.refusal { throw refusal }
        guard zmq_has("curve") == 1, let raw = zmq_ctx_new() else { throw .noCurve }
        // Do not wait for undelivered messages at the end.
        zmq_ctx_set(raw, ZMQ_BLOCKY, 0)
        zmq_ctx_set(raw, ZMQ_IPV6, 1)
        self.raw = raw
    }
    deinit { zmq_ctx_term(raw) }

    private static var library: LinkLibrary {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        zmq_version(&major, &minor, &patch)
        return LinkLibrary(major: Int(major), minor: Int(minor), patch: Int(patch))
    }
}
