// One client connection as the server's thread sees it.

/// Lives from accept to the library's destroy callback; touched by the server's thread only.
final class ServerConnection {
    enum Phase {
        /// Between requests.
        case idle
        /// The head is here, the body still coming.
        case receiving(HTTPRequest, expected: Int)
        /// Head and body are here; the handler hears of it when the socket is next writable.
        case complete(HTTPRequest)
        /// Too long a body is read to its end (bounded), so that the client sees the 413 instead of a reset.
        case discarding
        /// The handler has it.
        case waiting
        case sending
        /// The handshake is being written.
        case upgrading(HTTPRequest, UpgradeVerdict)
        case webSocket
        /// A close frame with this code goes out after the queue.
        case closing(code: UInt16, reason: String)
    }

    enum Ping { case none, wanted, sent }

    let id: Int
    let wsi: OpaquePointer
    let peer: String
    let listener: Int
    var phase = Phase.idle
    /// Counts this connection's requests: the second half of a `RequestID`.
    var serial = 0
    /// Ends of the same body reported again within one turn of the loop.
    var repeats = 0
    var repeatsTurn = 0
    var headOnly = false
    var closeAfterAnswer = false
    /// The response as it goes to the wire, head and body.
    var output: [UInt8] = []
    var sent = 0
    /// The WebSocket message being collected.
    var message: [UInt8] = []
    var queue = FrameQueue()
    /// Whether a client that has been quiet was asked for a sign of life.
    var ping = Ping.none
    /// True between the handler's `opened` and `closed`.
    var announced = false

    init(id: Int, wsi: OpaquePointer, peer: String, listener: Int) {
        self.id = id; self.wsi = wsi; self.peer = peer; self.listener = listener
    }
    var client: WebClientID { WebClientID(connection: id) }
}

/// A first-in first-out queue of shared frames that moves its elements only now and then.
struct FrameQueue {
    private var frames: [WebFrame] = []
    private var next = 0
    var count: Int { frames.count - next }
    mutating func append(_ frame: WebFrame) { frames.append(frame) }
    mutating func popFirst() -> WebFrame? {
        guard next < frames.count else { return nil }
        let frame = frames[next]
        next += 1
        if next == frames.count {
            frames.removeAll(keepingCapacity: true)
            next = 0
        } else if next >= 64 {
            frames.removeFirst(next)
            next = 0
        }
        return frame
    }
    mutating func removeAll() { frames = []; next = 0 }
}
