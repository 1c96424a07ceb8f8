// The relay on real sockets: it passes all bytes on, and a cut is a cut.
import Platform
import Simulation
import Testing

/// Sends everything back.
private final class Echo: TCPOwner {
    func received(_ bytes: RawSpan, on connection: TCPConnection) { _ = connection.send(bytes) }
    func closed(_ connection: TCPConnection, _ reason: TCPClose) {}
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
}
