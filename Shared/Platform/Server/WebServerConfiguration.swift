// The web server's settings: where it listens and the bound on everything a stranger can make it hold.

/// One listening socket.
package enum WebListener: Hashable, Sendable {
    /// `host` is an address (`127.0.0.1`, `0.0.0.0`, `::`); port 0 lets the system choose.
    case tcp(host: String, port: Int)
    /// A unix socket of mode 0600 at an absolute path of at most 107 bytes; only this user's processes may speak.
    /// The library unlinks whatever is at the path: hold the data folder's lock first.
    case unix(path: String)
}

/// TLS for all TCP listeners.
package struct WebCertificate: Hashable, Sendable {
    /// PEM, leaf first, then its chain.
    package var certificatePath: String
    /// PEM, unencrypted.
    package var keyPath: String
    package init(certificatePath: String, keyPath: String) { self.certificatePath = certificatePath; self.keyPath = keyPath }
}

/// Limits are in bytes, seconds or pieces as their names say.
package struct WebServerConfiguration: Sendable {
    package var listeners: [WebListener]
    package var certificate: WebCertificate?
    /// More is answered 413.
    package var bodyBytesMax = 64 * 1_024
    /// The whole request head; more closes the connection without an answer (the library's habit).
    package var headerBytesMax = 16 * 1_024
    /// From the first byte of a request to the handler's answer; then 503, or a close while the body is still coming.
    package var requestSecondsMax = 10
    /// Without traffic on a kept connection; a WebSocket gets a ping at half of it and must pong.
    package var idleSecondsMax = 30
    /// For a WebSocket client that is given up to take its close frame.
    package var closeSecondsMax = 5
    /// For a client to take a whole response.
    package var sendSecondsMax = 60
    package var connectionsPerAddressMax = 200
    package var connectionsMax = 2_000
    /// Frames waiting for one WebSocket client; one more and the client is cut off and counted.
    package var queuedFramesMax = 256
    /// One incoming WebSocket message; more is closed with 1009.
    package var messageBytesMax = 64 * 1_024
    /// At `stop`, how long open answers and queues may still be written.
    package var drainMillisMax = 3_000
    /// Lower case names of headers beyond the well-known ones that handlers want to see.
    package var extraHeaders = [
        "x-forwarded-proto", "x-forwarded-host", "x-csrf-token", "idempotency-key", "sec-fetch-site", "sec-fetch-mode", "x-request-id",
    ]
    package init(listeners: [WebListener]) { self.listeners = listeners }
}

/// Why a server did not start.
package enum WebServerError: Error, Hashable, CustomStringConvertible {
    case noListener
    case socketPathTooLong(path: String, bytes: Int)
    case contextRefused
    /// The address is taken, not of this machine, or not permitted; for TLS also an unreadable certificate.
    case cannotListen(WebListener)

    package var description: String {
        switch self {
        case .noListener: "the web server was given no listener"
        case .socketPathTooLong(let path, let bytes): "the socket path \(path) has \(bytes) bytes, 107 are possible: choose a shorter data folder"
        case .contextRefused: "libwebsockets could not create its context"
        case .cannotListen(.tcp(let host, let port)): "cannot listen on \(host) port \(port): is it taken, or the certificate unreadable?"
        case .cannotListen(.unix(let path)): "cannot listen on the unix socket \(path): does its folder exist and belong to this user?"
        }
    }
}

/// Counted since the start; gauges say what is now.
package struct WebServerStatistics: Hashable, Sendable {
    package var connectionsAccepted = 0
    /// Over a connection limit, or a foreign user on the unix socket.
    package var connectionsRefused = 0
    package var connectionsOpen = 0
    package var requests = 0
    /// Answered by the server itself: 400, 411, 413, 503.
    package var requestsRefused = 0
    package var requestsTimedOut = 0
    package var clientsOpen = 0
    /// WebSocket clients cut off because their queue was full.
    package var slowClientsClosed = 0
    package var framesSent = 0
    package init() {}
}
