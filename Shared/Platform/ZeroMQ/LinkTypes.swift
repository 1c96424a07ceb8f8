// The words of the link: settings, verdicts, messages, events and errors.

/// How both ends of the link are tuned. ZeroMQ is a layer of datagrams here: the ledger is the queue, so every queue is short.
package struct LinkSettings: Sendable {
    /// A silent peer is pinged after this and dropped after `heartbeatTimeoutMillis`. Milliseconds.
    package var heartbeatMillis = 5_000
    package var heartbeatTimeoutMillis = 15_000
    /// A handshake that takes longer is started over; it is also what a peer told "not now" waits.
    package var handshakeMillis = 10_000
    /// For the connection itself: time for a line whose round trip is nearly as long.
    package var connectMillis = 25_000
    package var reconnectMillisMin = 100
    package var reconnectMillisMax = 8_000
    /// One frame: a megabyte of body and the header. A longer one drops the connection.
    package var messageBytesMax = 1_024 * 1_024 + 64
    /// Messages in each direction between the library and us.
    package var queuedMessagesMax = 64
    package init() {}

    /// What the cloud uses for everybody: a handshake takes four round trips, and each client keeps to its own time.
    package static let ofServer: LinkSettings = {
        var settings = LinkSettings()
        settings.handshakeMillis = LinkSettings.handshakeMillisMax
        settings.heartbeatTimeoutMillis = LinkSettings.heartbeatTimeoutMillisMax
        return settings
    }()
    private static let handshakeMillisMax = 120_000
    private static let heartbeatTimeoutMillisMax = 60_000
    /// True when a handshake may not be over in time on a line on which a connection took so long: it needs four times that.
    package func isTooShort(for connection: Int64) -> Bool {
        handshakeMillis < LinkSettings.handshakeMillisMax && connection > Int64(handshakeMillis) / 5
    }
    /// These, with the time that such a line takes.
    package func patient(for connection: Int64) -> LinkSettings {
        var settings = self
        let time = Int(min(Int64(LinkSettings.handshakeMillisMax), min(connection, Int64(LinkSettings.handshakeMillisMax)) * 8))
        settings.handshakeMillis = max(handshakeMillis, time)
        settings.heartbeatTimeoutMillis = max(heartbeatTimeoutMillis, min(time, LinkSettings.heartbeatTimeoutMillisMax))
        return settings
    }
}

/// A client at the server's door.
package struct LinkKnock: Sendable {
    /// The CURVE public key it proved to hold, 32 bytes.
    package let key: [UInt8]
    /// Its IP address.
    package let address: String
    package init(key: [UInt8], address: String) { self.key = key; self.address = address }
}

/// What the server says to a client's key.
package enum LinkVerdict: Sendable, Hashable {
    /// `userID` (1...255 bytes, no NUL) comes back with each of the client's messages and is its identity.
    case accept(userID: String)
    /// ZAP 400: the client hears it and stops; ours knocks again with a growing pause.
    case refuse
    /// ZAP 300: the client tries again after its handshake interval.
    case notNow
}

/// One connection at the server, until it breaks. Chosen by the server's library; not an identity.
package struct LinkPeer: Hashable, Sendable {
    let routingID: [UInt8]
    /// For logs: hexadecimal.
    package var description: String { routingID.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

/// One frame as the server received it.
package struct LinkMessage: Sendable {
    package let peer: LinkPeer
    /// From the verdict on the key: the only identity of the sender.
    package let userID: String
    package let frame: [UInt8]
}

/// What became of a send. `sent` means "handed to the library": only the other end's acknowledgement means "arrived".
package enum LinkSend: Sendable, Hashable {
    case sent
    /// No connection, or its queue is full: keep the frame and try again later.
    case wouldBlock
    /// The peer of a server's send is gone.
    case unreachable
}

/// Why a handshake failed, as far as the client can know.
package enum LinkHandshakeFailure: Sendable, Hashable {
    /// The server does not know our key (or not any more). We knock again with a growing pause.
    case refused
    /// Not our server's key, or not a CURVE server at all.
    case wrongServer
    /// The connection broke or timed out in the handshake; the server may also have said "not now".
    case interrupted
}

/// What happens to a client's lane.
package enum LinkEvent: Sendable, Hashable {
    /// The handshake succeeded. Whether the other end lives only its answers show.
    case connected(lane: Int)
    case disconnected(lane: Int)
    case handshakeFailed(lane: Int, LinkHandshakeFailure)
    case message(lane: Int, [UInt8])
}

/// Why a link end did not start.
package enum LinkError: Error, Hashable, CustomStringConvertible {
    case noCurve
    /// The library's version, as `major.minor.patch`.
    case tooOld(String)
    case cannotBind(host: String, port: Int, reason: String)
    case cannotConnect(host: String, port: Int, reason: String)
    package var description: String {
        switch self {
        case .noCurve: "this libzmq has no CURVE, or a key is not of 32 bytes"
        case .tooOld(let version): "this libzmq is \(version), and the link needs \(LinkLibrary.least) or a newer one: install it and start again"
        case .cannotBind(let host, let port, let reason): "cannot listen for the link on \(host) port \(port): \(reason)"
        case .cannotConnect(let host, let port, let reason): "cannot use \(host) port \(port) for the link: \(reason)"
        }
    }
}

/// Which libzmq carries a link. Its version counts where the program runs, not where it was built.
package struct LinkLibrary: Comparable, Sendable, CustomStringConvertible {
    package let major: Int
    package let minor: Int
    package let patch: Int
    package init(major: Int, minor: Int, patch: Int) { self.major = major; self.minor = minor; self.patch = patch }
    package var description: String { "\(major).\(minor).\(patch)" }
    package static func < (left: LinkLibrary, right: LinkLibrary) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// Its NEWS says what lacks below. 4.3.0 brought the events that tell how a handshake went; 4.3.2 and 4.3.3 closed what anybody could do to a CURVE
    /// port without a key (CVE-2019-13132, CVE-2020-15166) and a use of freed memory by heartbeats; 4.3.4 dials link-local addresses of IPv6 again,
    /// which 4.3.3 had lost, and is the one on which everything that is said here of the library's ways was measured.
    package static let least = LinkLibrary(major: 4, minor: 3, patch: 4)

    /// Why no link is opened on this version; nil when one is.
    package var refusal: LinkError? { self < LinkLibrary.least ? .tooOld(description) : nil }
}

/// Counted since the start.
package struct LinkStatistics: Sendable, Hashable {
    package var received = 0
    package var sent = 0
    /// Not exactly one frame, or without a user: dropped.
    package var malformed = 0
    package var accepted = 0
    package var refused = 0
    package init() {}
}
