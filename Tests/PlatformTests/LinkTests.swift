// The link over real sockets: keys, refusals, restarts, full queues, strangers.
import Platform
import Synchronization
import Testing

/// One client with its events in a letterbox.
private final class Client: Sendable {
    let events = Letterbox<LinkEvent>()
    let link: LinkClient
    init(port: Int, server: CurveKeys, keys: CurveKeys, _ adjust: (inout LinkClientConfiguration) -> Void = { _ in }) throws {
        var configuration = LinkClientConfiguration(host: "127.0.0.1", port: port, serverKey: server.publicKey, keys: keys)
        configuration.settings = LinkTests.quick
        configuration.refusalMillisMin = 20
        adjust(&configuration)
        let events = events
        link = try LinkClient(configuration) { events.put($0) }
    }
    /// Drops events until `wanted`; false after ten silent seconds.
    func waits(for wanted: LinkEvent) -> Bool {
        while let event = events.take() { if event == wanted { return true } }
        return false
    }
}

struct LinkTests {
    /// Short times, so that tests that wait for the library's timers stay short.
    static let quick: LinkSettings = {
        var settings = LinkSettings()
        settings.handshakeMillis = 300
        settings.heartbeatMillis = 200
        settings.heartbeatTimeoutMillis = 600
        settings.reconnectMillisMin = 20
        settings.reconnectMillisMax = 200
        return settings
    }()
    private let server = CurveKeys.generate()
    private let edge = CurveKeys.generate()

    private func listen(
        port: Int = 0, _ verdict: (@Sendable (LinkKnock) -> LinkVerdict)? = nil, settings: LinkSettings = quick,
        handler: @escaping @Sendable (LinkMessage) -> Void
    ) throws -> LinkServer {
        let known = edge.publicKey
        var configuration = LinkServerConfiguration(endpoints: [("127.0.0.1", port)], keys: server) {
            $0.key == known ? .accept(userID: "edge-1") : .refuse
        }
        if let verdict { configuration.verdict = verdict }
        configuration.settings = settings
        return try LinkServer(configuration, handler: handler)
    }

    @Test func keysHaveAPrintableForm() throws {
        // The pair printed in the manual page of zmq_curve.
        let secret = try #require(CurveKeys.bytes(z85: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"))
        let keys = try #require(CurveKeys(secretKey: secret))
        #expect(CurveKeys.z85(keys.publicKey) == "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")
        #expect(CurveKeys(publicKey: keys.publicKey, secretKey: secret) != nil)
        #expect(CurveKeys(publicKey: edge.publicKey, secretKey: secret) == nil)
        #expect(CurveKeys.bytes(z85: "short") == nil && CurveKeys.bytes(z85: String(repeating: "~", count: 40)) == nil && CurveKeys.z85([1]) == nil)
        #expect(server.secretKey != edge.secretKey && server.secretKey.count == 32)
    }

    /// A session that went nowhere is left with its sockets: the next one has others, on which nothing waits.
    @Test func aRenewedClientHasOtherConnections() throws {
        let messages = Letterbox<LinkMessage>()
        let cloud = try listen { messages.put($0) }
        defer { cloud.stop() }
        let client = try Client(port: cloud.ports[0], server: server, keys: edge) { $0.lanes = 2 }
        defer { client.link.stop() }
        var isConnected: Set<Int> = []
        while isConnected.count < 2, let event = client.events.take() { if case .connected(let lane) = event { isConnected.insert(lane) } }
        #expect(client.link.send([1], lane: 1) == .sent)
        let before = try #require(messages.take())
        client.link.renew()
        #expect(client.events.take() == .disconnected(lane: 0) && client.events.take() == .disconnected(lane: 1))
        isConnected = []
        while isConnected.count < 2, let event = client.events.take() { if case .connected(let lane) = event { isConnected.insert(lane) } }
        #expect(isConnected == [0, 1] && client.link.send([2], lane: 1) == .sent)
        let after = try #require(messages.take())
        #expect(after.frame == [2] && after.peer != before.peer && after.userID == before.userID)
    }

    /// What production runs with; the tests here shorten most of it.
    @Test func theSettingsOfProductionAreThese() {
        let settings = LinkSettings()
        #expect(settings.queuedMessagesMax == 64 && settings.messageBytesMax == (1 << 20) + 64 && settings.handshakeMillis == 10_000)
        #expect(settings.reconnectMillisMin == 100 && settings.reconnectMillisMax == 8_000)
        #expect(settings.heartbeatMillis == 5_000 && settings.heartbeatTimeoutMillis == 15_000)
    }

    /// The version that the programs run with decides, whatever they were built with; the one here carries the links of all these tests.
    @Test(arguments: [
        (LinkLibrary(major: 4, minor: 3, patch: 4), true), (LinkLibrary(major: 4, minor: 3, patch: 3), false),
        (LinkLibrary(major: 4, minor: 2, patch: 5), false), (LinkLibrary(major: 3, minor: 9, patch: 9), false),
        (LinkLibrary(major: 4, minor: 3, patch: 10), true), (LinkLibrary(major: 4, minor: 4, patch: 0), true),
        (LinkLibrary(major: 5, minor: 0, patch: 0), true),
    ]) func aLibraryThatIsTooOldIsRefused(_ library: LinkLibrary, isTaken: Bool) {
        #expect(library.refusal == (isTaken ? nil : .tooOld(library.description)))
        guard let words = library.refusal?.description else { return }
        #expect(words == "this libzmq is \(library), and the link needs 4.3.4 or a newer one: install it and start again")
    }

    /// A handshake takes four round trips, and a connection one: on a line whose connections take long it gets the time, within a bound.
    @Test func aSlowLinesHandshakeGetsTheTime() {
        let usual = LinkSettings()
        #expect(!usual.isTooShort(for: 0) && !usual.isTooShort(for: 2_000) && usual.isTooShort(for: 2_100) && usual.isTooShort(for: .max))
        for connection in [2_100, 8_000, 20_000] as [Int64] {
            let patient = usual.patient(for: connection)
            #expect(!patient.isTooShort(for: connection) && patient.handshakeMillis >= 5 * Int(connection))
            #expect(patient.heartbeatTimeoutMillis >= usual.heartbeatTimeoutMillis && patient.heartbeatTimeoutMillis <= 60_000)
        }
        let most = usual.patient(for: .max)
        #expect(most.handshakeMillis == 120_000 && !most.isTooShort(for: .max), "or each connection would be given up for the next")
        #expect(usual.patient(for: 40).handshakeMillis == usual.handshakeMillis && LinkSettings.ofServer.handshakeMillis == most.handshakeMillis)
    }

    @Test func framesGoBothWaysUnderTheKeysName() throws {
        let messages = Letterbox<LinkMessage>()
        let cloud = try listen { messages.put($0) }
        defer { cloud.stop() }
        let client = try Client(port: cloud.ports[0], server: server, keys: edge) { $0.lanes = 2 }
        defer { client.link.stop() }
        #expect(eventually { client.link.send([9], lane: 1) == .sent })
        let second = try #require(messages.take())
        #expect(eventually { client.link.send([0], lane: 0) == .sent })
        #expect(messages.take()?.frame == [0])
        #expect(client.link.send([[1, 2, 3], [], [UInt8](repeating: 7, count: 1_024 * 1_024)], lane: 0) == 3)
        let first = try #require(messages.take())
        #expect(first.userID == "edge-1" && second.userID == "edge-1" && first.frame == [1, 2, 3] && first.peer != second.peer)
        #expect(messages.take()?.frame == [] && messages.take()?.frame.count == 1_024 * 1_024)
        #expect(cloud.send([([4], first.peer), ([5], second.peer), ([6], first.peer)]) == [.sent, .sent, .sent])
        var received: [LinkEvent] = []
        while received.count < 3, let event = client.events.take() { if case .message = event { received.append(event) } }
        #expect(received.filter { $0 == .message(lane: 1, [5]) }.count == 1)
        #expect(received.filter { $0 != .message(lane: 1, [5]) } == [.message(lane: 0, [4]), .message(lane: 0, [6])])
        #expect(cloud.statistics.accepted == 2 && cloud.statistics.sent == 3)
    }

    @Test func aRefusedKeyKnocksAgainAndIsLetInLater() throws {
        let messages = Letterbox<LinkMessage>()
        let gate = Gate()
        let cloud = try listen({ _ in gate.isOpen ? .accept(userID: "late") : .refuse }) { messages.put($0) }
        defer { cloud.stop() }
        let client = try Client(port: cloud.ports[0], server: server, keys: edge)
        defer { client.link.stop() }
        #expect(client.waits(for: .handshakeFailed(lane: 0, .refused)))
        #expect(client.waits(for: .handshakeFailed(lane: 0, .refused)))
        #expect(client.link.send([1]) == .wouldBlock)
        gate.open()
        #expect(client.waits(for: .connected(lane: 0)))
        #expect(eventually { client.link.send([1]) == .sent })
        #expect(messages.take()?.userID == "late" && cloud.statistics.refused >= 2)
    }

    @Test func notNowIsTriedAgainByTheLibrary() throws {
        let gate = Gate()
        let knocks = Letterbox<LinkKnock>()
        let cloud = try listen({
            knocks.put($0); return gate.isOpen ? .accept(userID: "u") : .notNow
        }) { _ in }
        defer { cloud.stop() }
        let client = try Client(port: cloud.ports[0], server: server, keys: edge)
        defer { client.link.stop() }
        let knock = try #require(knocks.take())
        #expect(knock.key == edge.publicKey && knock.address == "127.0.0.1")
        gate.open()
        #expect(client.waits(for: .connected(lane: 0)))
    }

    @Test func aStrangeKeyIsRefusedAndNothingOfItArrives() throws {
        let messages = Letterbox<LinkMessage>()
        let cloud = try listen { messages.put($0) }
        defer { cloud.stop() }
        let stranger = try Client(port: cloud.ports[0], server: server, keys: .generate())
        defer { stranger.link.stop() }
        #expect(stranger.waits(for: .handshakeFailed(lane: 0, .refused)))
        #expect(stranger.link.send([1]) == .wouldBlock)
        let friend = try Client(port: cloud.ports[0], server: server, keys: edge)
        defer { friend.link.stop() }
        #expect(friend.waits(for: .connected(lane: 0)))
        #expect(eventually { friend.link.send([2]) == .sent })
        #expect(messages.take()?.frame == [2] && messages.count == 0)
    }

    @Test func anotherServerIsNotTrusted() throws {
        let messages = Letterbox<LinkMessage>()
        let cloud = try listen { messages.put($0) }
        defer { cloud.stop() }
        let client = try Client(port: cloud.ports[0], server: .generate(), keys: edge)
        defer { client.link.stop() }
        let event = try #require(client.events.take())
        #expect([.handshakeFailed(lane: 0, .interrupted), .handshakeFailed(lane: 0, .wrongServer)].contains(event))
        #expect(client.link.send([1]) == .wouldBlock && messages.count == 0)
    }

    @Test func theEnrolmentSocketTakesAnyKeyAndTellsWhich() throws {
        let messages = Letterbox<LinkMessage>()
        let cloud = try listen(LinkServerConfiguration.anyone) { messages.put($0) }
        defer { cloud.stop() }
        let unknown = CurveKeys.generate()
        let client = try Client(port: cloud.ports[0], server: server, keys: unknown)
        defer { client.link.stop() }
        #expect(client.waits(for: .connected(lane: 0)))
        #expect(eventually { client.link.send([1]) == .sent })
        #expect(messages.take()?.userID == CurveKeys.z85(unknown.publicKey))
    }

    @Test func aServerThatComesBackIsFoundAgain() throws {
        let messages = Letterbox<LinkMessage>()
        let first = try listen { messages.put($0) }
        let port = first.ports[0]
        let client = try Client(port: port, server: server, keys: edge)
        defer { client.link.stop() }
        #expect(client.waits(for: .connected(lane: 0)))
        #expect(eventually { client.link.send([1]) == .sent })
        let before = try #require(messages.take()).peer
        first.stop()
        #expect(client.waits(for: .disconnected(lane: 0)))
        // The library tells of the end a moment before it takes the line away: what is sent in that moment is lost, and must not reach the next server.
        #expect(eventually { client.link.send([2]) == .wouldBlock })
        let second = try listen(port: port) { messages.put($0) }
        defer { second.stop() }
        #expect(client.waits(for: .connected(lane: 0)))
        #expect(second.send([9], to: before) == .unreachable && first.send([9], to: before) == .unreachable)
        #expect(eventually { client.link.send([3]) == .sent })
        let after = try #require(messages.take())
        #expect(after.frame == [3])
        #expect(second.send([4], to: after.peer) == .sent && client.waits(for: .message(lane: 0, [4])))
    }

    @Test func aFrameOverTheLimitEndsTheConnectionAndNotTheServer() throws {
        let messages = Letterbox<LinkMessage>()
        var small = LinkTests.quick
        small.messageBytesMax = 1_024
        let cloud = try listen(settings: small) { messages.put($0) }
        defer { cloud.stop() }
        let client = try Client(port: cloud.ports[0], server: server, keys: edge)
        defer { client.link.stop() }
        #expect(client.waits(for: .connected(lane: 0)))
        #expect(eventually { client.link.send([UInt8](repeating: 1, count: 5_000)) == .sent })
        #expect(client.waits(for: .disconnected(lane: 0)) && client.waits(for: .connected(lane: 0)))
        #expect(eventually { client.link.send([2]) == .sent })
        #expect(messages.take()?.frame == [2])
    }

    @Test func aFullPeerWouldBlockInsteadOfLosing() throws {
        let messages = Letterbox<LinkMessage>()
        let cloud = try listen { messages.put($0) }
        defer { cloud.stop() }
        let gate = Gate()
        var configuration = LinkClientConfiguration(host: "127.0.0.1", port: cloud.ports[0], serverKey: server.publicKey, keys: edge)
        configuration.settings = LinkTests.quick
        let received = Letterbox<[UInt8]>()
        let connected = Letterbox<Bool>()
        let client = try LinkClient(configuration) { event in
            if case .connected = event { connected.put(true) }
            guard case .message(_, let frame) = event else { return }
            // Stands for a process that has stopped reading.
            gate.wait()
            received.put(frame)
        }
        defer { gate.open(); client.stop() }
        #expect(connected.take() == true)
        #expect(eventually { client.send([1]) == .sent })
        let peer = try #require(messages.take()).peer
        var sent = 0
        while sent < 5_000, cloud.send([UInt8](repeating: UInt8(sent & 0xFF), count: 65_536), to: peer) == .sent { sent += 1 }
        #expect(sent >= 64 && sent < 5_000)
        gate.open()
        for n in 0..<sent { #expect(received.take()?.first == UInt8(n & 0xFF)) }
    }

    @Test func strangersOnThePortDoNoHarm() throws {
        let messages = Letterbox<LinkMessage>()
        let cloud = try listen { messages.put($0) }
        defer { cloud.stop() }
        // A ZMTP 3.0 greeting that asks for no security, then bytes that are no ZMTP at all.
        let signature: [UInt8] = [0xFF] + [UInt8](repeating: 0, count: 8) + [0x7F, 3, 0]
        let greeting = signature + Array("NULL".utf8) + [UInt8](repeating: 0, count: 16 + 32)
        for bytes in [greeting, Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8), [UInt8](repeating: 0xFF, count: 100_000)] {
            let socket = try #require(RawSocket(port: cloud.ports[0]))
            socket.send(bytes)
            #expect(socket.isClosedByPeer())
        }
        let client = try Client(port: cloud.ports[0], server: server, keys: edge)
        defer { client.link.stop() }
        #expect(client.waits(for: .connected(lane: 0)))
        #expect(messages.count == 0)
    }

    @Test func nobodyThereAndNoPort() throws {
        let cloud = try listen { _ in }
        let taken = cloud.ports[0]
        #expect(throws: LinkError.self) { _ = try listen(port: taken) { _ in } }
        cloud.stop()
        cloud.stop()
        let client = try Client(port: taken, server: server, keys: edge)
        #expect(client.link.send([1]) == .wouldBlock)
        client.link.stop()
        #expect(client.link.send([1]) == .wouldBlock)
    }
}

/// Closed until `open`; `wait` gives up after ten seconds.
private final class Gate: Sendable {
    private let state = Mutex(false)
    var isOpen: Bool { state.withLock { $0 } }
    func open() { state.withLock { $0 = true } }
    func wait() { _ = eventually { isOpen } }
}
