// A dumb pump of TCP bytes between two addresses, with a hand on its valve: cut drops and refuses, mend lets through again.
package import Platform

/// `HOST:PORT` with a numeric host; port 0 on the listening side lets the system choose.
package struct RelayAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int
    package init(host: String, port: Int) { self.host = host; self.port = port }
    /// Nil when it is not `HOST:PORT` with a port of 0...65,535.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port) else { return nil }
        host = String(text[..<colon].filter { $0 != "[" && $0 != "]" })
        self.port = port
        if host.isEmpty { return nil }
    }
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What a relay has done so far.
package struct RelayStatus: Hashable, Sendable {
    package var isCut = false
    /// Pairs of connections that are up.
    package var pairs = 0
    /// Since the start, of all routes: from the listening side to the other, and back.
    package var bytesForth: UInt64 = 0
    package var bytesBack: UInt64 = 0
    package var cuts = 0
}

/// Owned by the loop's thread. Closed by `cut` for the last time: there is no other end.
package final class TCPRelay {
    private let loop: EventLoop
    /// As they are: a port that the system chose is kept through cuts.
    package private(set) var routes: [(listen: RelayAddress, to: RelayAddress)]
    package private(set) var status = RelayStatus()
    private var listeners: [TCPListener] = []
    private var pairs: [UInt64: RelayPair] = [:]
    private var lastPair: UInt64 = 0

    /// Listens on all routes at once.
    package init(_ loop: EventLoop, routes: [(listen: RelayAddress, to: RelayAddress)]) throws(TCPListenError) {
        self.loop = loop; self.routes = routes
        try open()
    }

    /// Drops every connection and refuses new ones; twice is once.
    package func cut() {
        for listener in listeners { listener.close() }
        listeners = []
        for pair in pairs.values { pair.drop() }
        pairs = [:]
        status.pairs = 0
        if !status.isCut { status.cuts += 1 }
        status.isCut = true
    }

    /// Listens again; who was cut off must connect anew.
    /// - Throws: when somebody has taken a port meanwhile; the relay is then still cut.
    package func mend() throws(TCPListenError) {
        guard status.isCut else { return }
        try open()
        status.isCut = false
    }

    private func open() throws(TCPListenError) {
        do throws(TCPListenError) {
            for index in routes.indices {
                let to = routes[index].to
                let listener = try loop.listen(host: routes[index].listen.host, port: routes[index].listen.port) { [unowned self] in
                    accept($0, to)
                }
                routes[index].listen.port = listener.port
                listeners.append(listener)
            }
        } catch {
            for listener in listeners { listener.close() }
            listeners = []
            throw error
        }
    }

    private func accept(_ client: TCPConnection, _ to: RelayAddress) -> (any TCPOwner)? {
        lastPair += 1
        let number = lastPair
        let pair = RelayPair(client: client) { [unowned self] forth, back, isOver in
            status.bytesForth += UInt64(forth)
            status.bytesBack += UInt64(back)
            if isOver { pairs[number] = nil }
            status.pairs = pairs.count
        }
        pairs[number] = pair
        status.pairs = pairs.count
        pair.server = loop.connect(host: to.host, port: to.port, timeoutMillis: 5_000, owner: pair)
        return pair
    }
}

/// Two connections tied together; bytes are held back on one side while the other cannot take them.
private final class RelayPair: TCPOwner {
    /// Above this many waiting bytes the other side is not read until they have gone.
    private static let waitingBytesMax = 256 << 10
    private let client: TCPConnection
    var server: TCPConnection?
    private let tell: (_ forth: Int, _ back: Int, _ isOver: Bool) -> Void

    init(client: TCPConnection, tell: @escaping (_ forth: Int, _ back: Int, _ isOver: Bool) -> Void) { self.client = client; self.tell = tell }

    private func other(_ connection: TCPConnection) -> TCPConnection? { connection === client ? server : client }

    func received(_ bytes: RawSpan, on connection: TCPConnection) {
        guard let other = other(connection) else { return }
        let sent = other.send(bytes)
        // Reading stops long before the queue's bound, so `full` can only mean a mistake: end rather than lose bytes.
        guard sent != .full, sent != .closed else { return end() }
        if other.queuedBytes > Self.waitingBytesMax { connection.pause() }
        let isForth = connection === client
        tell(isForth ? bytes.byteCount : 0, isForth ? 0 : bytes.byteCount, false)
    }
    func drained(_ connection: TCPConnection) { other(connection)?.resume() }
    func closed(_ connection: TCPConnection, _ reason: TCPClose) {
        other(connection)?.close(flushing: true)
        tell(0, 0, true)
    }

    private func end() {
        drop()
        tell(0, 0, true)
    }
    func drop() {
        client.close()
        server?.close()
    }
}
