// A dumb pump of TCP bytes between two addresses, with a hand on its valve: cut drops and refuses, mend lets through again.
package import Platform
internal import Values

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
    /// Connections broken off, and bits turned.
    package var resets = 0
    package var corrupted = 0
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
    private var chance: SeededRandom
    /// What is done to the bytes from now on, also of the connections that are up.
    package var weather: RelayWeather {
        didSet {
            for number in pairs.keys.sorted() { pairs[number]?.feel() }
            weather.halfOpen = nil
        }
    }

    /// Listens on all routes at once.
    /// - Parameter seed: where bits turn and connections break.
    package init(
        _ loop: EventLoop, routes: [(listen: RelayAddress, to: RelayAddress)], weather: RelayWeather = RelayWeather(), seed: UInt64 = 1
    ) throws(TCPListenError) {
        self.loop = loop; self.routes = routes; self.weather = weather
        chance = SeededRandom(seed: seed)
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
        let pair = RelayPair(loop, client: client, seed: chance.next(), weather: { [unowned self] in weather }) { [unowned self] note in
            switch note {
            case .passed(.forth, let count): status.bytesForth += UInt64(count)
            case .passed(.back, let count): status.bytesBack += UInt64(count)
            case .corrupted: status.corrupted += 1
            case .reset: status.resets += 1
            case .over:
                pairs[number] = nil
                status.pairs = pairs.count
            }
        }
        pairs[number] = pair
        status.pairs = pairs.count
        let dial = { [unowned self] in pair.join(loop.connect(host: to.host, port: to.port, timeoutMillis: 5_000, owner: pair)) }
        if weather.shuffleMillis > 0 { loop.after(milliseconds: chance.int(1...weather.shuffleMillis), dial) } else { dial() }
        return pair
    }
}
