// The cloud's end of the link: a ROUTER behind CURVE, whose callers are known by their keys alone.
internal import CZMQ
internal import Glibc
internal import Synchronization

/// Where a link server listens and whom it lets in.
package struct LinkServerConfiguration: Sendable {
    /// Addresses (`0.0.0.0`, `::`, `127.0.0.1`) and ports; port 0 lets the system choose.
    package var endpoints: [(host: String, port: Int)]
    package var keys: CurveKeys
    package var settings = LinkSettings.ofServer
    /// Asked on the link's thread for each handshake; must be quick. The enrolment socket accepts every key and takes the key
    /// itself, in Z85, for the user.
    package var verdict: @Sendable (LinkKnock) -> LinkVerdict
    package init(endpoints: [(host: String, port: Int)], keys: CurveKeys, verdict: @escaping @Sendable (LinkKnock) -> LinkVerdict) {
        self.endpoints = endpoints; self.keys = keys; self.verdict = verdict
    }
    /// The verdict of the enrolment socket.
    package static func anyone(_ knock: LinkKnock) -> LinkVerdict { CurveKeys.z85(knock.key).map { .accept(userID: $0) } ?? .refuse }
}

/// Receives frames from edges and sends frames to them. All methods from any thread.
///
/// A key that is withdrawn later keeps its open connection, which libzmq 4.3 cannot cut: the shell ignores that user's frames.
package final class LinkServer: Sendable {
    private let thread: LinkThread<LinkServerEngine>
    private let counters: LinkCounters
    /// The actual ports, in the order of the configuration's endpoints.
    package let ports: [Int]

    /// Binds and starts. `handler` is called on the link's thread, one frame at a time, and must return quickly.
    package init(_ configuration: LinkServerConfiguration, handler: @escaping @Sendable (LinkMessage) -> Void) throws(LinkError) {
        counters = LinkCounters()
        let engine = try LinkServerEngine(configuration, handler: handler, counters: counters)
        ports = engine.ports
        thread = LinkThread()
        thread.start(name: "link", engine)
    }

    /// Hands one frame to one peer's connection, without waiting for the network.
    package func send(_ frame: [UInt8], to peer: LinkPeer) -> LinkSend { send([(frame, peer)]).first ?? .unreachable }

    /// Hands frames over in order, with one visit to the link's thread; an answer for each.
    /// From inside the handler use the shell's inbox instead: there this traps, because it would wait for itself.
    package func send(_ frames: [(frame: [UInt8], peer: LinkPeer)]) -> [LinkSend] {
        precondition(!thread.isCurrent, "LinkServer.send called from its own handler")
        return thread.call { engine in frames.map { engine.send($0.frame, to: $0.peer) } } ?? frames.map { _ in .unreachable }
    }

    /// A copy of the counters.
    package var statistics: LinkStatistics { counters.value.withLock { $0 } }
    /// Closes everything; frames not yet on the wire are dropped (the ledger sends them again).
    package func stop() { thread.stop() }
}

/// The counters, shared with the engine.
final class LinkCounters: Sendable {
    let value = Mutex(LinkStatistics())
    func count(_ change: (inout LinkStatistics) -> Void) { value.withLock { change(&$0) } }
}

/// The sockets of a server and what is done with them, on the link's thread.
final class LinkServerEngine: LinkEngine {
    private let zap: LinkSocket
    private let router: LinkSocket
    private let verdict: @Sendable (LinkKnock) -> LinkVerdict
    private let handler: @Sendable (LinkMessage) -> Void
    private let counters: LinkCounters
    private(set) var ports: [Int] = []
    /// Frames taken from the router before the doors and jobs are looked at again.
    private static let batchMax = 256

    init(_ configuration: LinkServerConfiguration, handler: @escaping @Sendable (LinkMessage) -> Void, counters: LinkCounters) throws(LinkError) {
        self.handler = handler
        self.counters = counters
        verdict = configuration.verdict
        let context = try LinkContext()
        // The handler of keys must be bound before the socket it guards, or the first clients are let in unasked.
        guard let zap = LinkSocket(context, type: ZMQ_REP), zmq_bind(zap.raw, "inproc://zeromq.zap.01") == 0,
            let router = LinkSocket(context, type: ZMQ_ROUTER)
        else { throw .noCurve }
        self.zap = zap
        self.router = router
        router.apply(configuration.settings)
        router.set(ZMQ_ROUTER_MANDATORY, 1)
        router.set(ZMQ_ROUTER_HANDOVER, 1)
        guard router.set(ZMQ_CURVE_SERVER, 1), router.set(ZMQ_CURVE_SECRETKEY, configuration.keys.secretKey) else { throw .noCurve }
        for (host, port) in configuration.endpoints {
            guard zmq_bind(router.raw, LinkSocket.endpoint(host: host, port: port)) == 0, let actual = router.boundPort else {
                throw .cannotBind(host: host, port: port, reason: LinkSocket.lastError)
            }
            ports.append(actual)
        }
    }

    var waiting: [LinkSocket] { [zap, router] }
    var deadline: Int64? { nil }

    func turn() {
        while let request = zap.receive(limit: 7) { answer(request.parts) }
        for _ in 0..<LinkServerEngine.batchMax {
            guard let message = router.receive(limit: 3) else { break }
            guard message.parts.count == 2, let user = message.user, !user.isEmpty else {
                counters.count { $0.malformed += 1 }
                continue
            }
            counters.count { $0.received += 1 }
            handler(LinkMessage(peer: LinkPeer(routingID: message.parts[0]), userID: user, frame: message.parts[1]))
        }
    }

    /// ZAP 1.0: version, request id, domain, address, routing id, mechanism, key.
    private func answer(_ request: [[UInt8]]) {
        guard request.count == 7, request[0].elementsEqual("1.0".utf8), request[5].elementsEqual("CURVE".utf8), request[6].count == 32 else {
            reply(request.count > 1 ? request[1] : [], status: "400", user: "")
            return
        }
        // IPv4 clients of a dual-stack socket come as ::ffff:a.b.c.d.
        let address = request[3].starts(with: Array("::ffff:".utf8)) ? request[3].dropFirst(7) : request[3][...]
        let verdict = verdict(LinkKnock(key: request[6], address: String(decoding: address, as: UTF8.self)))
        counters.count { if case .accept = verdict { $0.accepted += 1 } else { $0.refused += 1 } }
        switch verdict {
        case .accept(let user) where !user.isEmpty && user.utf8.count <= 255: reply(request[1], status: "200", user: user)
        case .notNow: reply(request[1], status: "300", user: "")
        case .accept, .refuse: reply(request[1], status: "400", user: "")
        }
    }

    private func reply(_ id: [UInt8], status: String, user: String) {
        let parts: [[UInt8]] = [Array("1.0".utf8), id, Array(status.utf8), [], Array(user.utf8), []]
        for (index, part) in parts.enumerated() where zap.send(part, more: index < parts.count - 1) != 0 { return }
    }

    func send(_ frame: [UInt8], to peer: LinkPeer) -> LinkSend {
        switch router.send(peer.routingID, more: true) {
        case 0: break
        case EHOSTUNREACH: return .unreachable
        default: return .wouldBlock
        }
        // The first part has reserved the place; the second cannot block.
        guard router.send(frame) == 0 else { return .unreachable }
        counters.count { $0.sent += 1 }
        return .sent
    }
}
