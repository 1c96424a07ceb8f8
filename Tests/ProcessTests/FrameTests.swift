// Strangers and broken peers at the cloud's doors: raw bytes, half a handshake, frames of nonsense, frames too long.
import Platform
import Processes
import Sync
import Testing
import Values
import Wire

@Suite struct FrameTests {
    /// Bytes from no ZeroMQ peer at all, at the link and at enrolment: the doors stay open for those who belong there.
    @ThirdStage @Test func rawBytesAtTheDoorsDoNoHarm() throws {
        let stage = try Stage()
        try stage.openCloud()
        let token = try stage.invite("home-1")
        var chance = SeededRandom(seed: 3)
        // A greeting cut short, one of another mechanism, HTTP, and noise of several lengths.
        let greeting: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)
        var volleys: [[UInt8]] = [Array(greeting.prefix(11)), greeting, greeting + [4, 0x29, 5], Array("GET / HTTP/1.1\r\n\r\n".utf8), []]
        for length in [1, 64, 4_000, 2_000_000] { volleys.append((0..<length).map { _ in UInt8(truncatingIfNeeded: chance.next()) }) }
        let loop = EventLoop()
        for port in [stage.linkPort, stage.enrolmentPort] {
            for volley in volleys {
                let end = Caller()
                let connection = loop.connect(host: "127.0.0.1", port: port, timeoutMillis: 2_000, queuedBytesMax: 4 << 20, owner: end)
                _ = connection.send(volley)
                let deadline = SystemClock.monotonic() + .milliseconds(300)
                while !end.isOver, SystemClock.monotonic() < deadline { loop.turn(milliseconds: 20) }
                connection.close()
            }
        }
        #expect(stage.isRunning(.cloud))
        try stage.enrol(by: token)
        try stage.start(.edge)
        try stage.awaitLink()
    }

    /// A client with a proper key on the enrolment socket that sends nonsense: each frame is answered in words, five a minute.
    @ThirdStage @Test func framesOfNonsenseAtEnrolmentAreAnsweredInWords() throws {
        let stage = try Stage()
        try stage.openCloud()
        let token = try EnrolmentToken(text: try stage.invite("home-1"))
        let client = try Client(port: stage.enrolmentPort, serverKey: token.serverKey, keys: .generate())
        let frames: [([UInt8], String)] = [
            ([], "The request cannot be read"), (Array("{\"type\":\"enrol\"".utf8), "The request cannot be read"),
            ([UInt8](repeating: 0x41, count: 1_025), "The request is longer than 1024 bytes."),
            (
                EnrolmentRequest(
                    edge: try #require(EdgeID(bytes: [UInt8](repeating: 7, count: 16))), linkKey: [UInt8](repeating: 9, count: 32), token: token
                ).encode(),
                "The request shows another key than the connection has."
            ),
        ]
        for (frame, words) in frames {
            guard case .refused(let reason) = try client.ask(frame, stage.patience) else {
                Issue.record("\(frame.count) bytes were accepted"); continue
            }
            #expect(reason.contains(words), "\(reason)")
        }
        // The fifth in this minute is read (the overlong one did not count), the next are not.
        var last = ""
        for _ in 0..<3 { if case .refused(let reason) = try client.ask(Array("{}".utf8), stage.patience) { last = reason } }
        #expect(last == "Too many tries: 5 a minute are taken. Wait a minute, then try again.")
        #expect(stage.isRunning(.cloud))
        try client.stop()
    }

    /// The enrolled edge's own key in broken hands: its frames are refused and counted, nothing reaches the ledger, and the edge itself links again.
    @ThirdStage @Test func framesOfNonsenseOnTheLinkAreRefusedAndCounted() throws {
        let stage = try Stage()
        try stage.openUnbrokered()
        let head = try stage.awaitSameHead()
        #expect(try stage.stop(.edge) == 0)
        let secret = try #require(Hex.bytes(Files.text(stage.edgeFolder + "/keys/link.key").filter { $0 != "\n" }))
        let cloud = try JSONReader.read(Files.bytes(stage.edgeFolder + "/keys/cloud.json"))
        let key = try #require(cloud["serverKey"]?.text.flatMap { Hex.bytes($0) })
        let client = try Client(port: stage.linkPort, serverKey: key, keys: try #require(CurveKeys(secretKey: secret)))
        var chance = SeededRandom(seed: 5)
        for length in [0, 1, 7, 300, 60_000] { try client.send((0..<length).map { _ in UInt8(truncatingIfNeeded: chance.next()) }, stage.patience) }
        // Longer than any frame may be: the connection is dropped.
        try client.send([UInt8](repeating: 1, count: 1_200_000), stage.patience)
        try stage.patience.until("the cloud counts them") { try stage.metric("malformed_frames_total") >= 4 }
        try client.stop()
        #expect(try stage.cloudHead().seq >= head.seq)
        try stage.start(.edge)
        try stage.awaitLink()
        _ = try stage.awaitSameHead()
    }
}

/// The end of a raw connection.
private final class Caller: TCPOwner {
    private(set) var isOver = false
    func received(_ bytes: RawSpan, on connection: TCPConnection) {}
    func closed(_ connection: TCPConnection, _ reason: TCPClose) { isOver = true }
}

/// A ZeroMQ client with a key, driven by the test's thread.
private final class Client {
    private let loop = EventLoop()
    private let heard = Heard()
    private let client: LinkClient

    final class Heard { var isConnected = false; var answers: [[UInt8]] = [] }

    init(port: Int, serverKey: [UInt8], keys: CurveKeys) throws {
        let heard = heard
        let inbox = loop.inbox(of: LinkEvent.self) { events in
            for event in events {
                switch event {
                case .connected: heard.isConnected = true
                case .message(_, let bytes): heard.answers.append(bytes)
                case .disconnected, .handshakeFailed: heard.isConnected = false
                }
            }
        }
        client = try LinkClient(LinkClientConfiguration(host: "127.0.0.1", port: port, serverKey: serverKey, keys: keys)) { inbox.post($0) }
    }

    func send(_ frame: [UInt8], _ patience: Patience) throws {
        try patience.until("the frame is sent") {
            loop.turn(milliseconds: 5)
            return heard.isConnected && client.send(frame) == .sent
        }
    }

    func ask(_ frame: [UInt8], _ patience: Patience) throws -> EnrolmentAnswer {
        heard.answers = []
        try send(frame, patience)
        return try patience.first("an answer") {
            loop.turn(milliseconds: 5)
            return try heard.answers.first.map { try EnrolmentAnswer($0) }
        }
    }

    func stop() throws { client.stop() }
}

extension Stage {
    fileprivate func metric(_ name: String) throws -> Int {
        let text = String(decoding: try HTTPClient.send(HTTPCall(.get, url: url + "/metrics")).body, as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("tidewire_\(name) ") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
    }
}
