// The simulated gateway on TCP: one loop, many clients, and a journal that is on disk before any answer leaves.
package import Platform
package import Values

/// Owned by the loop's thread. Turn the loop for `millisecondsToWait` at most and call `advance` after each turn.
package final class GatewayServer {
    /// Unread bytes a client may leave with us; the longest history has about two million.
    private static let queuedBytesMax = 8 << 20

    private let loop: EventLoop
    private let journal: GatewayJournal?
    private let now: () -> Instant
    private var gateway: IBKRGateway
    private var listener: TCPListener?
    private var connections: [GatewayConnection: TCPConnection] = [:]
    private var lastConnection: UInt64 = 0
    /// Connections that are not read at the moment.
    private var held: Set<GatewayConnection> = []
    /// Why the journal could not be written; from then on the server answers nobody.
    package private(set) var failure: GatewayJournalError?

    /// - Parameter journal: nil for a gateway that may forget everything.
    /// - Throws: when the gateway's birth cannot be written.
    package init(_ loop: EventLoop, gateway: IBKRGateway, journal: GatewayJournal?, now: @escaping () -> Instant) throws(GatewayJournalError) {
        self.loop = loop; self.journal = journal; self.now = now; self.gateway = gateway
        let records = self.gateway.takeRecords()
        try journal?.append(records)
    }

    /// Begins to accept clients; port 0 lets the system choose.
    /// - Returns: the actual port.
    package func listen(host: String, port: Int) throws(TCPListenError) -> Int {
        let listener = try loop.listen(host: host, port: port, queuedBytesMax: GatewayServer.queuedBytesMax) { [unowned self] in accept($0) }
        self.listener = listener
        return listener.port
    }

    /// Clients that are connected.
    package var clientCount: Int { connections.count }
    /// Until the next `advance` is due.
    package var millisecondsToWait: Int { Int(clamping: max(0, (gateway.nextWake - now()).nanoseconds / 1_000_000 + 1)) }

    /// Lets the market and the clocks of the subscriptions move on to now.
    package func advance() { perform(gateway.advance(to: now())) }
    /// Something happens to the gateway from outside.
    package func suffer(_ incident: GatewayIncident) { perform(gateway.suffer(incident, at: now())) }

    /// Hangs up on everybody and stops listening.
    package func stop() {
        listener?.close()
        for connection in connections.values { connection.close() }
        connections = [:]
    }

    // MARK: Clients

    private func accept(_ connection: TCPConnection) -> (any TCPOwner)? {
        guard failure == nil else { return nil }
        lastConnection += 1
        let id = GatewayConnection(lastConnection)
        connections[id] = connection
        perform(gateway.connect(id, at: now()))
        return connections[id] == nil ? nil : Peer(id: id, server: self)
    }
    fileprivate func received(_ bytes: [UInt8], from id: GatewayConnection) {
        guard connections[id] != nil else { return }
        perform(gateway.receive(id, bytes, at: now()))
    }
    fileprivate func closed(_ id: GatewayConnection) {
        guard connections.removeValue(forKey: id) != nil else { return }
        held.remove(id)
        perform(gateway.disconnect(id, at: now()))
    }

    /// Writes first what must outlive us, then tells.
    private func perform(_ outputs: [GatewayOutput]) {
        guard failure == nil else { return }
        do throws(GatewayJournalError) { try journal?.append(gateway.takeRecords()) } catch {
            failure = error
            return stop()
        }
        for output in outputs {
            switch output {
            case .send(let id, let bytes):
                guard let connection = connections[id], connection.send(bytes) == .full else { continue }
                // Who does not read is cut off, as by the real one.
                connection.close()
                closed(id)
            case .close(let id):
                connections.removeValue(forKey: id)?.close(flushing: true)
                held.remove(id)
            }
        }
        holdBack()
    }

    private func holdBack() {
        guard gateway.settings.readBytes != nil else { return }
        // What a slow reader has not got to stays in the sockets, until they are full and the client cannot write any more.
        for (id, connection) in connections {
            if gateway.isBehind(id) {
                if held.insert(id).inserted { connection.pause() }
            } else if held.remove(id) != nil {
                connection.resume()
            }
        }
    }
}

private final class Peer: TCPOwner {
    private let id: GatewayConnection
    private unowned let server: GatewayServer
    init(id: GatewayConnection, server: GatewayServer) { self.id = id; self.server = server }
    func received(_ bytes: RawSpan, on connection: TCPConnection) { server.received(bytes.withUnsafeBytes { Array($0) }, from: id) }
    func closed(_ connection: TCPConnection, _ reason: TCPClose) { server.closed(id) }
}
