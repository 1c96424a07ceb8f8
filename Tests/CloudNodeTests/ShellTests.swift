// The whole process over real sockets, on ports that the system gives: web, stream, console, enrolment, link.
import CloudNode
import Control
import Foundation
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

/// A cloud on a thread of its own.
private final class RunningCloud: Sendable {
    let addresses: CloudAddresses
    let folder: String
    private let ended = Letterbox<String>()

    /// - Parameter hold: runs on the loop's own thread when everything listens, before the first turn.
    init(folder: String? = nil, hold: @escaping @Sendable (CloudAddresses) -> Void = { _ in }) throws {
        let path = folder ?? NSTemporaryDirectory() + "tw-" + UUID().uuidString.prefix(8)
        self.folder = path
        let started = Letterbox<Result<CloudAddresses, CloudRefusal>>(), ended = ended
        // The end is told when the shell and its locks are gone.
        _ = SystemThread(name: "cloud") { ended.put(RunningCloud.life(path, started, hold)) }
        addresses = try #require(started.take()).get()
    }

    private static func life(
        _ folder: String, _ started: Letterbox<Result<CloudAddresses, CloudRefusal>>, _ hold: @Sendable (CloudAddresses) -> Void
    ) -> String {
        do {
            try CloudShell(configuration(folder)).run {
                hold($0)
                started.put(.success($0))
            }
            return ""
        } catch {
            started.put(.failure(CloudRefusal("\(error)", exitCode: 1)))
            return "\(error)"
        }
    }

    private static func configuration(_ folder: String) -> CloudConfiguration {
        var configuration = CloudConfiguration(folder: folder)
        configuration.port = 0
        configuration.linkHost = "127.0.0.1"
        configuration.linkPort = 0
        configuration.enrolmentPort = 0
        configuration.passwordCost = .least
        configuration.givenUser = GivenUser(name: "admin", password: "a long password")
        configuration.watchesSignals = false
        configuration.dashboard = folder + "/dashboard"
        return configuration
    }

    /// Nil when it did not stop within ten seconds; empty when it stopped in order.
    func stop() -> String? {
        addresses.stop()
        return ended.take()
    }
    func call(_ method: HTTPMethod, _ path: String, _ body: String = "", headers: [WebField] = []) throws -> (status: Int, json: JSONValue) {
        let answer = try HTTPClient.send(
            HTTPCall(method, url: "http://127.0.0.1:\(addresses.web)\(path)", headers: headers, body: Array(body.utf8)))
        return (answer.status, (try? JSONReader.read(answer.body, limits: .frame)) ?? .null)
    }
    func console(_ path: String, _ body: String) throws -> (status: Int, json: JSONValue) {
        let answer = try HTTPClient.send(
            HTTPCall(.post, url: "http://cloud/console/\(path)", body: Array(body.utf8), unixSocket: folder + "/cloud.sock"))
        return (answer.status, (try? JSONReader.read(answer.body)) ?? .null)
    }
    func bearer() throws -> WebField {
        let answer = try call(.post, "/api/auth/login", #"{"username":"admin","password":"a long password"}"#)
        return WebField("authorization", "Bearer \(try #require(answer.json["token"]?.text))")
    }
}

/// A real link client with a real sender behind it, on the client's own thread.
private final class LinkedEdge: Sendable {
    let phases = Letterbox<LinkPhase>()
    let acks = Letterbox<Head>()
    private let state: Guarded<Sender>
    private let entries: [Entry]
    private let link: Guarded<LinkClient?>
    private let outbox = Letterbox<[Sender.Action]>()

    init(_ id: EdgeID, keys: CurveKeys, port: Int, serverKey: [UInt8], entries: [Entry]) throws {
        self.entries = entries
        let first = try #require(entries.first), last = try #require(entries.last)
        state = Guarded(Sender(Identity(edge: id, boot: first.boot, epoch: 1, release: "0.1.0"), head: last.head))
        link = Guarded(nil)
        var configuration = LinkClientConfiguration(host: "127.0.0.1", port: port, serverKey: serverKey, keys: keys)
        configuration.lanes = 2
        configuration.refusalMillisMin = 20
        configuration.settings.handshakeMillis = 500
        configuration.settings.reconnectMillisMin = 20
        let client = try LinkClient(configuration) { [self] event in
            switch event {
            case .connected(lane: 0): outbox.put(handle(.linkUp))
            case .message(_, let bytes): outbox.put(handle(.frame(bytes)))
            case .handshakeFailed(_, .refused): phases.put(.stopped)
            case .connected, .disconnected, .handshakeFailed: break
            }
        }
        link.with { $0 = client }
        // Sends leave from here: the link's own thread may not wait for itself.
        _ = SystemThread(name: "edge") { [self] in while let actions = outbox.take() { perform(actions, client) } }
    }

    private func handle(_ input: Sender.Input) -> [Sender.Action] {
        let clock = ClockReading(wall: SystemClock.now(), monotonic: SystemClock.monotonic())
        return state.with { $0.handle(input, at: clock) }
    }
    private func perform(_ actions: [Sender.Action], _ client: LinkClient) {
        for action in actions {
            switch action {
            case .send(let lane, let bytes): _ = client.send(bytes, lane: Int(lane.rawValue))
            case .read(let from, let count, _):
                perform(handle(.entries(from: from, Array(entries.dropFirst(Int(from.raw) - 1).prefix(count)))), client)
            case .readHeads(let attempt, let seqs):
                perform(handle(.heads(attempt: attempt, asked: seqs, seqs.map { entries[Int($0.raw) - 1].head })), client)
            case .acked(let head): acks.put(head)
            case .phase(let phase): phases.put(phase)
            case .deliver, .reopen, .malformed, .heal, .settle, .incarnation, .readBranch, .readStored, .mend, .countersigned, .signers,
                .serverKey, .copied, .backedUp:
                break
            }
        }
    }
    func stop() {
        outbox.put([])
        link.with { client in
            client?.stop()
            client = nil
        }
    }
}

@Suite struct ShellTests {
    @Test func servesSignsInAndStops() throws {
        let cloud = try RunningCloud()
        defer { try? FileManager.default.removeItem(atPath: cloud.folder) }
        #expect(try cloud.call(.get, "/health").status == 200)
        #expect(try cloud.call(.get, "/ready").json["missing"]?.elements?.isEmpty == false)
        let wrong = try cloud.call(.post, "/api/v1/auth/login", #"{"username":"admin","password":"wrong"}"#)
        #expect(wrong.status == 401)
        let who = try cloud.bearer()
        #expect(try cloud.call(.get, "/api/v1/edges", headers: [who]).status == 200)
        #expect(try cloud.call(.get, "/").json["type"]?.text == "/problems/no-dashboard")
        #expect(try cloud.call(.get, "/nothing.js").status == 404)
        #expect(try cloud.call(.post, "/").status == 405)
        #expect(try cloud.call(.get, "/console/edges").status == 404)
        let big = #"{"username":"\#(String(repeating: "a", count: 70_000))"}"#
        #expect(try cloud.call(.post, "/api/v1/auth/login", big).status == 413)
        #expect(cloud.stop() == "")
    }

    @Test func servesTheDashboardWithItsHeaders() throws {
        let cloud = try RunningCloud()
        defer { try? FileManager.default.removeItem(atPath: cloud.folder) }
        try PrivateFiles.makeFolder(cloud.folder + "/dashboard")
        try PrivateFiles.write(cloud.folder + "/dashboard/index.html", Array("<!doctype html>".utf8))
        let socket = try #require(RawWeb(port: cloud.addresses.web))
        socket.send("GET /ledger HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        let text = socket.readAll()
        #expect(text.hasPrefix("HTTP/1.1 200") && text.hasSuffix("<!doctype html>"))
        for header in [
            "content-security-policy: default-src 'none'", "x-content-type-options: nosniff", "referrer-policy: no-referrer", "x-frame-options: DENY",
        ] {
            #expect(text.contains(header))
        }
        #expect(!text.contains("unsafe-inline"))
        #expect(cloud.stop() == "")
    }

    @Test func theStreamBeginsOrIsClosedWithItsCode() throws {
        let cloud = try RunningCloud()
        defer { try? FileManager.default.removeItem(atPath: cloud.folder) }
        let stranger = try #require(RawWeb(port: cloud.addresses.web))
        #expect(stranger.upgrade("/api/v1/stream") && stranger.frame() == .close(4401))
        let who = try cloud.bearer()
        let socket = try #require(RawWeb(port: cloud.addresses.web))
        #expect(socket.upgrade("/api/v1/stream", headers: "Authorization: \(who.value)\r\n"))
        guard case .text(let snap) = socket.frame() else { Issue.record("no snap"); return }
        #expect(try JSONReader.read(Array(snap.utf8), limits: .frame)["type"]?.text == "snap")
        guard case .text(let beat) = socket.frame() else { Issue.record("no beat"); return }
        #expect(try JSONReader.read(Array(beat.utf8))["type"]?.text == "beat")
        #expect(cloud.stop() == "")
        #expect(socket.frame() == .close(1001), "going down")
    }

    @Test func anEdgeEnrolsLinksAndIsStoredAcrossARestart() throws {
        let keys = CurveKeys.generate(), stranger = CurveKeys.generate()
        let entries = try Samples.entries(200)
        var cloud = try RunningCloud()
        let folder = cloud.folder
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let invited = try cloud.console("edges/invite", #"{"name":"home-1"}"#)
        let token = try EnrolmentToken(text: #require(invited.json["token"]?.text))
        let request = EnrolmentRequest(edge: Samples.edge, linkKey: keys.publicKey, token: token)
        let answer = try enrol(request, token, keys)
        guard case .accepted(_, let code, _, _) = answer else { Issue.record("\(answer)"); return }
        #expect(try cloud.console("edges/confirm", #"{"name":"home-1","code":"\#(code)"}"#).status == 200)
        guard case .refused(let words) = try enrol(request, token, keys) else { Issue.record("a token worked twice"); return }
        #expect(words.contains("used already"))
        let unknown = try LinkedEdge(
            Samples.edge, keys: stranger, port: Int(token.linkPort), serverKey: token.serverKey, entries: entries)
        #expect(unknown.phases.take() == .stopped, "an unknown key is refused")
        unknown.stop()
        let edge = try LinkedEdge(Samples.edge, keys: keys, port: Int(token.linkPort), serverKey: token.serverKey, entries: Array(entries[..<150]))
        while let head = edge.acks.take() { if head == entries[149].head { break } }
        edge.stop()
        #expect(cloud.stop() == "")
        cloud = try RunningCloud(folder: folder)
        let who = try cloud.bearer()
        let stored = try cloud.call(.get, "/api/v1/ledger?limit=1", headers: [who]).json["head"]
        #expect(stored?["seq"]?.integerValue == 150 && stored?["hash"]?.text == Hex.text(entries[149].hash))
        let again = try LinkedEdge(
            Samples.edge, keys: keys, port: cloud.addresses.link, serverKey: token.serverKey, entries: entries)
        #expect(again.acks.take() == entries[149].head, "it goes on from the cloud's own head")
        while let head = again.acks.take() { if head == entries[199].head { break } }
        again.stop()
        let refusals = try cloud.call(.get, "/api/v1/edges", headers: [who]).json["edges"]?.elements?.first
        #expect(refusals?["storedSeq"]?.integerValue == 200)
        #expect(cloud.stop() == "")
        #expect(CloudProgram.run(["ledger", "verify", "--data", folder], environment: [:]) == 0)
    }

    /// The node stands still while an edge that means no good sends without end: memory stays bounded, and the edge's next session is taken.
    @Test func aFloodIsCutOffAndTheLinkOpensAgain() throws {
        let keys = CurveKeys.generate()
        let entries = try Samples.entries(50)
        let folder = NSTemporaryDirectory() + "tw-" + UUID().uuidString.prefix(8)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try PrivateFiles.makeFolder(folder)
        try ControlStore(path: folder + "/control.db").commit([
            .edge(
                EnrolledEdge(
                    id: Samples.edge, name: "home-1", linkKey: keys.publicKey, status: .confirmed, code: "123456", enrolledAt: TestCloud.start))
        ])
        let sent = Letterbox<Int>()
        let cloud = try RunningCloud(folder: folder) { addresses in sent.put(ShellTests.flood(addresses, keys, frames: 200)) }
        #expect(sent.take() == 200)
        let who = try cloud.bearer()
        func metric(_ name: String) throws -> Int? {
            let answer = try HTTPClient.send(HTTPCall(.get, url: "http://127.0.0.1:\(cloud.addresses.web)/metrics", headers: [who]))
            let line = String(decoding: answer.body, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("tidewire_\(name) ") }
            return line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }
        }
        // The figures are brought up to date four times a second, and asked for no faster.
        func eventually(_ name: String, _ isSo: (Int) -> Bool) throws -> Bool {
            for _ in 0..<100 {
                if let value = try metric(name), isSo(value) { return true }
                poll(nil, 0, 50)
            }
            return false
        }
        #expect(try eventually("link_frames_dropped_total") { $0 >= 16 }, "of 200 MiB few found room")
        let edge = try LinkedEdge(
            Samples.edge, keys: keys, port: cloud.addresses.link, serverKey: cloud.addresses.serverKey, entries: entries)
        while let head = edge.acks.take() { if head == entries[49].head { break } }
        edge.stop()
        #expect(try eventually("link_waiting_bytes") { $0 == 0 })
        #expect(cloud.stop() == "")
    }

    /// Sends frames of a MiB; answers how many were taken. The queues of both ends hold 64 each: the rest is in the server.
    private static func flood(_ addresses: CloudAddresses, _ keys: CurveKeys, frames: Int) -> Int {
        let connected = Letterbox<Bool>()
        let configuration = LinkClientConfiguration(host: "127.0.0.1", port: addresses.link, serverKey: addresses.serverKey, keys: keys)
        guard
            let client = try? LinkClient(
                configuration,
                handler: { event in
                    if case .connected = event { connected.put(true) }
                }), connected.take() == true
        else { return 0 }
        defer { client.stop() }
        var sent = 0
        let frame = [UInt8](repeating: 0x55, count: 1 << 20)
        let end = SystemClock.monotonic() + .seconds(30)
        while sent < frames, SystemClock.monotonic() < end { if client.send(frame) == .sent { sent += 1 } }
        return sent
    }

    private func enrol(_ request: EnrolmentRequest, _ token: EnrolmentToken, _ keys: CurveKeys) throws -> EnrolmentAnswer {
        let connected = Letterbox<Bool>(), answers = Letterbox<[UInt8]>()
        let client = try LinkClient(
            LinkClientConfiguration(host: "127.0.0.1", port: Int(token.enrolPort), serverKey: token.serverKey, keys: keys)
        ) { event in
            switch event {
            case .connected: connected.put(true)
            case .message(_, let bytes): answers.put(bytes)
            case .disconnected, .handshakeFailed: break
            }
        }
        defer { client.stop() }
        try #require(connected.take() == true)
        _ = client.send(request.encode())
        return try EnrolmentAnswer(#require(answers.take()))
    }

    @Test func aSecondCloudOnTheFolderIsRefused() throws {
        let cloud = try RunningCloud()
        defer { try? FileManager.default.removeItem(atPath: cloud.folder) }
        let refusal = #expect(throws: CloudRefusal.self) { try RunningCloud(folder: cloud.folder) }
        #expect(refusal?.description.contains("is held by process") == true)
        #expect(cloud.stop() == "")
    }
}

/// A ledger as another machine would have written it.
private enum Samples {
    static let edge = TestEdge.edge(6)
    static func entries(_ count: Int) throws -> [Entry] {
        var chain = Chain(edge: edge, boot: Boot(raw: 77), last: nil)
        var clock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(5))
        return try (0..<count).map { index in
            clock.wall = clock.wall + .milliseconds(1)
            clock.monotonic = clock.monotonic + .milliseconds(1)
            let boot = BootFact(version: "0.1.0", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")
            return try chain.append(Draft(index == 0 ? .boot(boot) : .shutdown(reason: "entry \(index)")), at: clock)
        }
    }
}
