// The edge's end of the link: a few DEALER lanes behind CURVE to one server, rebuilt when the server has refused us.
internal import CZMQ
internal import Glibc
internal import Synchronization

/// Where a link client connects and as whom.
package struct LinkClientConfiguration: Sendable {
    package var host: String
    package var port: Int
    /// The server's CURVE public key, 32 bytes.
    package var serverKey: [UInt8]
    package var keys: CurveKeys
    /// Connections side by side, so that a backlog on one does not delay another; lane 0 is read first.
    package var lanes = 1
    package var settings = LinkSettings()
    /// The first pause after a refusal; doubles to `settings.reconnectMillisMax`, each time with full jitter.
    package var refusalMillisMin = 1_000
    package init(host: String, port: Int, serverKey: [UInt8], keys: CurveKeys) {
        self.host = host; self.port = port; self.serverKey = serverKey; self.keys = keys
    }
}

/// Connects, reconnects and moves frames. All methods from any thread.
package final class LinkClient: Sendable {
    private let thread: LinkThread<LinkClientEngine>
    private let counters: LinkCounters

    /// Starts connecting. `handler` is called on the link's thread, one event at a time, and must return quickly.
    package init(_ configuration: LinkClientConfiguration, handler: @escaping @Sendable (LinkEvent) -> Void) throws(LinkError) {
        counters = LinkCounters()
        let engine = try LinkClientEngine(configuration, handler: handler, counters: counters)
        thread = LinkThread()
        thread.start(name: "link", engine)
    }

    /// Hands one frame to a lane, without waiting for the network.
    package func send(_ frame: [UInt8], lane: Int = 0) -> LinkSend { send([frame], lane: lane) == 1 ? .sent : .wouldBlock }

    /// Hands frames to a lane in order until one would block; answers how many were taken.
    /// From inside the handler use the shell's inbox instead: there this traps, because it would wait for itself.
    package func send(_ frames: [[UInt8]], lane: Int) -> Int {
        precondition(!thread.isCurrent, "LinkClient.send called from its own handler")
        return thread.call { $0.send(frames, lane: lane) } ?? 0
    }

    /// Closes every lane and connects anew; frames that are not on the wire yet are dropped. A lane that was connected is told to be disconnected.
    /// One that was refused waits for its next knock. Not from inside the handler.
    package func renew() {
        precondition(!thread.isCurrent, "LinkClient.renew called from its own handler")
        thread.call { $0.renew() }
    }

    /// The same, and looks for a server of another CURVE public key (32 bytes) from now on; a lane that was refused knocks at once.
    package func renew(serverKey: [UInt8]) {
        precondition(!thread.isCurrent, "LinkClient.renew called from its own handler")
        thread.call { $0.renew(serverKey: serverKey) }
    }

    /// A copy of the counters.
    package var statistics: LinkStatistics { counters.value.withLock { $0 } }
    /// Closes everything; frames not yet on the wire are dropped.
    package func stop() { thread.stop() }
}

/// The sockets of a client and their fate, on the link's thread.
final class LinkClientEngine: LinkEngine {
    /// One connection and the monitor that tells how its handshakes go.
    private struct Lane {
        var socket: LinkSocket
        var monitor: LinkSocket
        /// Used for it: more patient than ours on a slow line.
        var settings: LinkSettings
        var connected = false
        /// When the connection under way began, and how long the last one took.
        var beganAt: Int64?
        var connectionTook: Int64 = 0
        /// Refusals in a row, and when the next knock is due.
        var refusals = 0
        var rebuildAt: Int64?
    }
    private var configuration: LinkClientConfiguration
    private let handler: @Sendable (LinkEvent) -> Void
    private let counters: LinkCounters
    private let context: LinkContext
    private var lanes: [Lane] = []
    private var monitors = 0
    private static let batchMax = 64

    init(_ configuration: LinkClientConfiguration, handler: @escaping @Sendable (LinkEvent) -> Void, counters: LinkCounters) throws(LinkError) {
        self.configuration = configuration
        self.handler = handler
        self.counters = counters
        context = try LinkContext()
        guard configuration.serverKey.count == 32 else { throw .noCurve }
        for _ in 0..<max(1, configuration.lanes) {
            guard let lane = open(configuration.settings) else {
                throw .cannotConnect(host: configuration.host, port: configuration.port, reason: LinkSocket.lastError)
            }
            lanes.append(lane)
        }
    }

    var waiting: [LinkSocket] { lanes.flatMap { [$0.monitor, $0.socket] } }
    var deadline: Int64? { lanes.compactMap(\.rebuildAt).min() }

    func turn() {
        let now = monotonicMillis()
        for index in lanes.indices {
            while let event = lanes[index].monitor.receive(limit: 2) { observe(event.parts, lane: index, now: now) }
            if let due = lanes[index].rebuildAt, due <= now { rebuild(index) }
        }
        for index in lanes.indices {
            for _ in 0..<LinkClientEngine.batchMax {
                guard let message = lanes[index].socket.receive(limit: 2) else { break }
                guard message.parts.count == 1 else {
                    counters.count { $0.malformed += 1 }
                    continue
                }
                counters.count { $0.received += 1 }
                handler(.message(lane: index, message.parts[0]))
            }
        }
    }

    func send(_ frames: [[UInt8]], lane: Int) -> Int {
        guard lanes.indices.contains(lane) else { return 0 }
        var count = 0
        for frame in frames {
            guard lanes[lane].socket.send(frame) == 0 else { break }
            count += 1
        }
        counters.count { $0.sent += count }
        return count
    }

    func renew() {
        for index in lanes.indices where lanes[index].rebuildAt == nil {
            let wasConnected = lanes[index].connected
            lanes[index].connected = false
            rebuild(index)
            if wasConnected { handler(.disconnected(lane: index)) }
        }
    }

    func renew(serverKey: [UInt8]) {
        configuration.serverKey = serverKey
        for index in lanes.indices { lanes[index].rebuildAt = nil; lanes[index].refusals = 0 }
        renew()
    }

    /// The connection begins with the call; nil when the library refuses an option or the address.
    private func open(_ settings: LinkSettings) -> Lane? {
        guard let socket = LinkSocket(context, type: ZMQ_DEALER), let monitor = LinkSocket(context, type: ZMQ_PAIR) else { return nil }
        socket.apply(settings)
        socket.set(ZMQ_IMMEDIATE, 1)
        socket.set(ZMQ_RECONNECT_IVL, settings.reconnectMillisMin)
        socket.set(ZMQ_RECONNECT_IVL_MAX, settings.reconnectMillisMax)
        socket.set(ZMQ_CONNECT_TIMEOUT, settings.connectMillis)
        guard socket.set(ZMQ_CURVE_SERVERKEY, configuration.serverKey), socket.set(ZMQ_CURVE_PUBLICKEY, configuration.keys.publicKey),
            socket.set(ZMQ_CURVE_SECRETKEY, configuration.keys.secretKey)
        else { return nil }
        monitors += 1
        let address = "inproc://monitor-\(monitors)"
        let events =
            ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
            | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_DELAYED | ZMQ_EVENT_CONNECTED
        guard zmq_socket_monitor(socket.raw, address, events) == 0, zmq_connect(monitor.raw, address) == 0,
            zmq_connect(socket.raw, LinkSocket.endpoint(host: configuration.host, port: configuration.port)) == 0
        else { return nil }
        return Lane(socket: socket, monitor: monitor, settings: settings)
    }

    /// A monitor's message: event (16 bits) and value (32 bits) in the machine's order, then the address.
    private func observe(_ parts: [[UInt8]], lane index: Int, now: Int64) {
        guard let head = parts.first, head.count == 6 else { return }
        let event = Int32(UInt16(head[0]) | UInt16(head[1]) << 8)
        let value = UInt32(head[2]) | UInt32(head[3]) << 8 | UInt32(head[4]) << 16 | UInt32(head[5]) << 24
        switch event {
        case ZMQ_EVENT_CONNECT_DELAYED: lanes[index].beganAt = now
        case ZMQ_EVENT_CONNECTED:
            guard let began = lanes[index].beganAt else { return }
            lanes[index].beganAt = nil
            lanes[index].connectionTook = now - began
            // What the library was told is for the next connection: this one would be given up in its handshake, and so would each after it.
            if lanes[index].settings.isTooShort(for: now - began), lanes[index].rebuildAt == nil { lanes[index].rebuildAt = now }
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            lanes[index].connected = true
            lanes[index].refusals = 0
            lanes[index].rebuildAt = nil
            handler(.connected(lane: index))
        case ZMQ_EVENT_DISCONNECTED:
            guard lanes[index].connected else { return }
            lanes[index].connected = false
            handler(.disconnected(lane: index))
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH where value == 300:
            handler(.handshakeFailed(lane: index, .interrupted))
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            knockLater(index, now)
            handler(.handshakeFailed(lane: index, .refused))
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            knockLater(index, now)
            handler(.handshakeFailed(lane: index, .wrongServer))
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            handler(.handshakeFailed(lane: index, .interrupted))
        default: break
        }
    }

    /// The library never tries again after a refusal (measured on 4.3.4), so the socket is made anew after a pause.
    private func knockLater(_ index: Int, _ now: Int64) {
        guard lanes[index].rebuildAt == nil else { return }
        let ceiling = min(configuration.settings.reconnectMillisMax, configuration.refusalMillisMin << min(lanes[index].refusals, 16))
        lanes[index].refusals += 1
        lanes[index].rebuildAt = now + Int64(Int.random(in: max(1, ceiling / 2)...max(1, ceiling)))
    }

    private func rebuild(_ index: Int) {
        let refusals = lanes[index].refusals
        zmq_socket_monitor(lanes[index].socket.raw, nil, 0)
        guard var lane = open(configuration.settings.patient(for: lanes[index].connectionTook)) else {
            lanes[index].rebuildAt = monotonicMillis() + Int64(configuration.settings.reconnectMillisMax)
            return
        }
        lane.refusals = refusals
        lane.connectionTook = lanes[index].connectionTook
        lanes[index] = lane
    }
}
