// The relay on real sockets: it passes all bytes on, and a cut is a cut.
import Platform
import Simulation
import Synchronization
import Testing
import Values

/// Sends everything back.
private final class Echo: TCPOwner {
    func received(_ bytes: RawSpan, on connection: TCPConnection) { _ = connection.send(bytes) }
    func closed(_ connection: TCPConnection, _ reason: TCPClose) {}
}

/// What both ends of a link have told from their threads.
private final class Heard: Sendable {
    struct State { var isConnected = false, isLost = false, peer: LinkPeer? }
    let state = Mutex(State())
}

/// Both ends of the product's link with the relay between them, and nothing above them: no protocol, no timer.
private final class BareLink {
    let server: LinkServer
    private let clientBeats: Bool
    private let keys: (client: CurveKeys, server: CurveKeys)
    private let heard = Heard()
    private var client: LinkClient?

    /// - Parameter beats: the ends that ping the other one; both do in production.
    init(beats: (client: Bool, server: Bool)) throws {
        clientBeats = beats.client
        keys = (CurveKeys.generate(), CurveKeys.generate())
        var configuration = LinkServerConfiguration(endpoints: [("127.0.0.1", 0)], keys: keys.server, verdict: { LinkServerConfiguration.anyone($0) })
        configuration.settings = BareLink.settings(beats.server)
        let heard = heard
        server = try LinkServer(configuration) { message in heard.state.withLock { $0.peer = message.peer } }
    }
    deinit { client?.stop(); server.stop() }

    func connect(to port: Int) throws {
        var configuration = LinkClientConfiguration(host: "127.0.0.1", port: port, serverKey: keys.server.publicKey, keys: keys.client)
        configuration.settings = BareLink.settings(clientBeats)
        let heard = heard
        client = try LinkClient(configuration) { event in
            heard.state.withLock { state in
                if case .connected = event { state.isConnected = true }
                if case .disconnected = event { state.isLost = true }
            }
        }
    }
    private static func settings(_ beats: Bool) -> LinkSettings {
        var settings = LinkSettings()
        // Short, but not so short that a busy machine is taken for a silent one.
        settings.heartbeatMillis = beats ? 250 : 0
        settings.heartbeatTimeoutMillis = 1_500
        return settings
    }

    /// A frame of the client has come to the server.
    var isUp: Bool {
        let state = heard.state.withLock { $0 }
        if state.isConnected, state.peer == nil { _ = client?.send([1]) }
        return state.peer != nil
    }
    var isLostAtClient: Bool { heard.state.withLock { $0.isLost } }
    var isLostAtServer: Bool { heard.state.withLock { $0.peer }.map { server.send([2], to: $0) == .unreachable } ?? false }
}

@Suite struct RelayTests {
    private let loop = EventLoop()

    private func relay() throws -> (TCPRelay, [TCPListener], [Int]) {
        let echoes = try (0..<2).map { _ in try loop.listen(host: "127.0.0.1", port: 0, queuedBytesMax: 16 << 20) { _ in Echo() } }
        let here = RelayAddress(host: "127.0.0.1", port: 0)
        let relay = try TCPRelay(loop, routes: echoes.map { (listen: here, to: RelayAddress(host: "127.0.0.1", port: $0.port)) })
        return (relay, echoes, relay.routes.map(\.listen.port))
    }
    private func connect(_ port: Int) -> (TCPConnection, Listener) {
        let listener = Listener()
        return (loop.connect(host: "127.0.0.1", port: port, timeoutMillis: 5_000, queuedBytesMax: 16 << 20, owner: listener), listener)
    }

    @Test func bytesPassBothWaysOnEveryRoute() throws {
        let (relay, echoes, ports) = try relay()
        let clients = ports.map(connect)
        for (index, client) in clients.enumerated() { _ = client.0.send([UInt8(index), 7]) }
        #expect(loop.turns { clients.allSatisfy { $0.1.bytes.count == 2 } })
        #expect(clients.map(\.1.bytes) == [[0, 7], [1, 7]] && relay.status.pairs == 2)
        #expect(relay.status.bytesForth == 4 && relay.status.bytesBack == 4)
        clients[0].0.close()
        #expect(loop.turns { relay.status.pairs == 1 })
        #expect(echoes.count == 2)
    }

    @Test func muchMoreThanTheBuffersHoldArrivesWholeAndInOrder() throws {
        let (relay, echoes, ports) = try relay()
        let (client, heard) = connect(ports[0])
        let bytes = (0..<6 << 20).map { UInt8(truncatingIfNeeded: $0 / 251) }
        #expect(client.send(bytes) == .queued)
        #expect(loop.turns { heard.bytes.count == bytes.count })
        #expect(heard.bytes == bytes && relay.status.bytesBack == UInt64(bytes.count) && echoes.count == 2)
    }

    @Test func aCutDropsAndRefusesAndAMendLetsThroughOnTheSamePort() throws {
        let (relay, echoes, ports) = try relay()
        let (client, heard) = connect(ports[0])
        _ = client.send([1])
        #expect(loop.turns { heard.bytes == [1] })
        relay.cut()
        relay.cut()
        #expect(loop.turns { heard.isClosed })
        let (_, refused) = connect(ports[0])
        #expect(loop.turns { refused.isClosed })
        #expect(relay.status.isCut && relay.status.cuts == 1 && relay.status.pairs == 0)
        try relay.mend()
        try relay.mend()
        let (again, answer) = connect(ports[0])
        _ = again.send([2])
        #expect(loop.turns { answer.bytes == [2] })
        #expect(!relay.status.isCut && relay.routes.map(\.listen.port) == ports && echoes.count == 2)
    }

    @Test func aDeadTargetHangsUpOnTheClient() throws {
        let (relay, echoes, ports) = try relay()
        for echo in echoes { echo.close() }
        let (_, heard) = connect(ports[1])
        #expect(loop.turns { heard.isClosed && relay.status.pairs == 0 })
    }

    @Test func addressesAreReadStrictly() {
        #expect(RelayAddress("127.0.0.1:5570") == RelayAddress(host: "127.0.0.1", port: 5_570))
        #expect(RelayAddress("[::1]:1")?.host == "::1" && RelayAddress("[::1]:1")?.description == "[::1]:1")
        for text in ["", ":1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1"] {
            #expect(RelayAddress(text) == nil, "\(text)")
        }
    }

    // MARK: Weather

    private func weather(_ words: String) throws -> RelayWeather { try #require(RelayWeather(words)) }

    @Test func weatherIsReadStrictly() throws {
        #expect(try weather("") == RelayWeather() && weather("fair") == RelayWeather())
        let all = try weather("delay=25,jitter=3,limit=100,corrupt=7,reset=8,shuffle=9,stall,black-hole,half-open=back")
        #expect(all.delayMillis == 25 && all.bytesPerSecond == 100 && all.corruptEvery == 7 && all.resetEvery == 8 && all.shuffleMillis == 9)
        #expect(all.isStalled && all.muted == [.forth, .back] && all.halfOpen == .back && all.jitterMillis == 3)
        for text in ["delay", "delay=x", "delay=-1", "mute", "mute=up", "stall=1", "rain"] { #expect(RelayWeather(text) == nil, "\(text)") }
    }

    @Test func latencyIsPaidOnBothWaysAndOrderIsKept() throws {
        let (relay, echoes, ports) = try relay()
        relay.weather = try weather("delay=40,jitter=20")
        let (client, heard) = connect(ports[0])
        var millis = 0
        let started = SystemClock.monotonic()
        for number in 0..<20 { _ = client.send([UInt8(number)]) }
        #expect(loop.turns { heard.bytes.count == 20 })
        millis = Int((SystemClock.monotonic() - started).nanoseconds / 1_000_000)
        #expect(heard.bytes == (0..<20).map { UInt8($0) } && millis >= 80 && echoes.count == 2)
    }

    @Test func aSlowLineDrips() throws {
        let (relay, echoes, ports) = try relay()
        relay.weather = try weather("limit=100000")
        let (client, heard) = connect(ports[0])
        let bytes = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let started = SystemClock.monotonic()
        _ = client.send(bytes)
        #expect(loop.turns { heard.bytes.count == bytes.count })
        #expect(heard.bytes == bytes && SystemClock.monotonic() - started >= .milliseconds(380) && echoes.count == 2)
    }

    @Test func bitsTurnAndNothingElse() throws {
        let (relay, echoes, ports) = try relay()
        relay.weather = try weather("corrupt=2000")
        let (client, heard) = connect(ports[0])
        let bytes = [UInt8](repeating: 0, count: 200)
        for number in 1...100 {
            _ = client.send(bytes)
            #expect(loop.turns { heard.bytes.count == 200 * number })
        }
        let turned = heard.bytes.filter { $0 != 0 }
        #expect(relay.status.corrupted >= turned.count && turned.count > 5 && turned.allSatisfy { $0.nonzeroBitCount <= 2 } && echoes.count == 2)
    }

    @Test func connectionsBreakOffInTheMiddle() throws {
        let (relay, echoes, ports) = try relay()
        relay.weather = try weather("reset=1000")
        let (client, heard) = connect(ports[0])
        _ = client.send([UInt8](repeating: 1, count: 1_001))
        _ = client.send([UInt8](repeating: 1, count: 1_001))
        #expect(loop.turns { heard.isClosed })
        #expect(relay.status.resets == 1 && relay.status.pairs == 0 && heard.bytes.count < 2_002 && echoes.count == 2)
    }

    @Test func aStallHoldsWhatABlackHoleSwallows() throws {
        let (relay, echoes, ports) = try relay()
        let (client, heard) = connect(ports[0]), (other, deaf) = connect(ports[1])
        _ = client.send([1])
        _ = other.send([1])
        #expect(loop.turns { heard.bytes == [1] && deaf.bytes == [1] })
        relay.weather = try weather("stall")
        _ = client.send([2])
        #expect(loop.turns { relay.status.bytesForth == 3 } && heard.bytes == [1])
        relay.weather = try weather("fair")
        #expect(loop.turns { heard.bytes == [1, 2] })
        relay.weather = try weather("black-hole")
        relay.weather = try weather("fair")
        _ = client.send([3])
        _ = other.send([3])
        let (fresh, answer) = connect(ports[0])
        _ = fresh.send([4])
        #expect(loop.turns { answer.bytes == [4] && relay.status.bytesForth == 6 })
        #expect(heard.bytes == [1, 2] && deaf.bytes == [1] && !heard.isClosed && !deaf.isClosed, "old connections stay deaf, and are not told")
        #expect(echoes.count == 2)
    }

    @Test(arguments: RelayWay.allCases) func halfAnOpenPairStaysOpenAndSilent(way: RelayWay) throws {
        let (relay, echoes, ports) = try relay()
        let (client, heard) = connect(ports[0])
        _ = client.send([1])
        #expect(loop.turns { heard.bytes == [1] })
        relay.weather = try weather("half-open=\(way.rawValue)")
        _ = client.send([2])
        let (fresh, answer) = connect(ports[0])
        _ = fresh.send([3])
        #expect(loop.turns { answer.bytes == [3] }, "new connections work")
        if way == .back { #expect(loop.turns { heard.isClosed }) } else { #expect(!heard.isClosed) }
        #expect(heard.bytes == [1] && echoes.count == 2)
    }

    /// A line that swallows what one end says, with every connection up: the other end's own heartbeats find it, with no timer of the protocol above
    /// them. The control beside it, on the same relay, has none: it is still up when the first one has been lost.
    @Test(arguments: RelayWay.allCases) func heartbeatsAloneFindASilentPeer(way: RelayWay) throws {
        // What comes back is missed by the client, what goes forth by the server.
        let link = try BareLink(beats: (client: way == .back, server: way == .forth))
        let control = try BareLink(beats: (client: false, server: false))
        let here = RelayAddress(host: "127.0.0.1", port: 0)
        let relay = try TCPRelay(
            loop, routes: [link, control].map { (listen: here, to: RelayAddress(host: "127.0.0.1", port: $0.server.ports[0])) })
        try link.connect(to: relay.routes[0].listen.port)
        try control.connect(to: relay.routes[1].listen.port)
        #expect(loop.turns { link.isUp && control.isUp })
        #expect(!link.isLostAtClient && !link.isLostAtServer)
        relay.weather = try weather("mute=\(way.rawValue)")
        #expect(loop.turns { way == .back ? link.isLostAtClient : link.isLostAtServer })
        #expect(!control.isLostAtClient && !control.isLostAtServer)
    }

    @Test func lateConnectionsLoseNothing() throws {
        let (relay, echoes, ports) = try relay()
        relay.weather = try weather("shuffle=200")
        let clients = (0..<8).map { _ in connect(ports[0]) }
        for (number, client) in clients.enumerated() { _ = client.0.send([UInt8(number), 9]) }
        #expect(loop.turns { clients.allSatisfy { $0.1.bytes.count == 2 } })
        #expect(clients.enumerated().allSatisfy { $0.element.1.bytes == [UInt8($0.offset), 9] } && echoes.count == 2)
    }
}
