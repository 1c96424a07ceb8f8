// A node on a folder of its own, with a clock that tests move by hand and effects that they look at.
import CloudNode
import Control
import Foundation
import Ledger
import Platform
import Sync
import Values
import Wire

/// Passwords are compared as text here: hashing is Platform's, and the node only carries it out.
final class TestCloud {
    static let start = Instant(seconds: 1_796_135_400)
    static let serverKey = [UInt8](repeating: 9, count: 32)
    let folder: String
    private let vfs: String?
    private var running: Node?
    private var restarts: UInt64 = 0
    private(set) var clock = ClockReading(wall: TestCloud.start, monotonic: .seconds(1_000))
    private var lastNumber: UInt64 = 0
    /// Effects that no helper has taken yet.
    private(set) var effects: [NodeEffect] = []

    private let signs: Bool

    private let comparesNightly: Bool
    private let rules: Rules
    private let makeFile: (EntryStore) -> any LedgerFile
    /// Of the next process.
    var ledgerScanMax = EdgeLedgers.scanMax

    /// - Parameters:
    ///   - signs: whether it countersigns the edges' heads.
    ///   - comparesNightly: whether it compares stored bytes with the edges' by itself.
    ///   - rules: of the link; others than production's take a protection away.
    ///   - makeFile: what stands before each edge's file.
    init(
        edges: [EdgeID] = [], vfs: String? = nil, signs: Bool = false, comparesNightly: Bool = false, rules: Rules = Rules(),
        makeFile: @escaping (EntryStore) -> any LedgerFile = { $0 }
    ) throws {
        self.vfs = vfs; self.signs = signs; self.comparesNightly = comparesNightly; self.rules = rules; self.makeFile = makeFile
        folder = vfs == nil ? NSTemporaryDirectory() + "tidewire-cloud-" + UUID().uuidString : ""
        if vfs == nil { try PrivateFiles.makeFolder(folder + "/edges") }
        let stores = try NodeStores(folder: folder, vfs: vfs, makeFile: makeFile)
        try stores.control.commit(TestCloud.users.map { .access(.user($0)) })
        try stores.control.commit(edges.enumerated().map { .edge(TestCloud.enrolled($1, key: UInt8($0 + 1))) })
        let fresh = try Node(stores: stores, settings: settings(1), at: clock)
        running = fresh
        effects = fresh.takeEffects()
    }
    deinit { if !folder.isEmpty { try? FileManager.default.removeItem(atPath: folder) } }

    var node: Node { running ?? { preconditionFailure("the cloud is down") }() }

    static var users: [User] {
        [("admin", Role.admin), ("trader", .trader), ("viewer", .viewer)].compactMap {
            User(name: $0.0, role: $0.1, passwordHash: "right", createdAt: start)
        }
    }
    static func enrolled(_ id: EdgeID, key: UInt8) -> EnrolledEdge {
        EnrolledEdge(
            id: id, name: "home-\(key)", linkKey: [UInt8](repeating: key, count: 32), status: .confirmed, code: "123456", enrolledAt: start)
    }
    private func settings(_ seed: UInt64) -> NodeSettings {
        var settings = TestCloud.settings(seed, signs: signs)
        settings.comparesNightly = comparesNightly
        settings.linkRules = rules
        settings.ledgerScanMax = ledgerScanMax
        return settings
    }
    static func settings(_ seed: UInt64, signs: Bool = false) -> NodeSettings {
        let draws = Draws(seed: seed)
        var settings = NodeSettings(
            serverKey: serverKey, tokenKey: [UInt8](repeating: 7, count: 32), decoyHash: "decoy", random: { draws.take($0) })
        if signs { settings.signingKeys = SigningKeys(seed: [UInt8](repeating: 8, count: 32)) }
        return settings
    }

    /// Ends this process as a kill does, and starts the next one on the same files.
    /// - Parameter after: what is done to the files in between.
    func restart(after meddle: () throws -> Void = {}) throws {
        // The old node holds the files' locks; it goes first.
        running = nil
        try meddle()
        restarts += 1
        let stores = try NodeStores(folder: folder, vfs: vfs, makeFile: makeFile)
        let fresh = try Node(stores: stores, settings: settings(100 + restarts), at: clock)
        running = fresh
        effects = fresh.takeEffects()
    }

    // MARK: - Turns

    func pass(_ span: Span) { clock.wall = clock.wall + span; clock.monotonic = clock.monotonic + span }

    /// Sets the wall clock; no time passes.
    func setClock(by span: Span) { clock.wall = clock.wall + span }

    /// One turn; the effects are added to those waiting.
    @discardableResult func turn(_ inputs: [NodeInput]) throws -> [NodeEffect] {
        let fresh = try node.turn(inputs, at: clock)
        effects += fresh
        return fresh
    }
    @discardableResult func tick(after span: Span = .milliseconds(250)) throws -> [NodeEffect] {
        pass(span)
        return try turn([.tick])
    }
    /// Takes the waiting effects that `pick` wants.
    func take<Value>(_ pick: (NodeEffect) -> Value?) -> [Value] {
        var taken: [Value] = []
        var kept: [NodeEffect] = []
        for effect in effects { if let value = pick(effect) { taken.append(value) } else { kept.append(effect) } }
        effects = kept
        return taken
    }

    // MARK: - Requests

    /// Sends a request and answers what it got at once; nil when the answer waits for another turn.
    func send(_ request: Request) throws -> (number: UInt64, answer: Answer?) {
        lastNumber += 1
        let number = lastNumber
        try turn([.request(number, request)])
        return (number, answer(number))
    }
    /// The answer to a request, when there is one now.
    func answer(_ number: UInt64) -> Answer? {
        take { if case .respond(number, let answer) = $0 { answer } else { nil } }.first
    }
    func get(_ path: String, _ who: [Request.Pair] = []) throws -> Answer? {
        let parts = path.split(separator: "?", maxSplits: 1)
        let query =
            parts.count < 2
            ? []
            : parts[1].split(separator: "&").map { pair -> Request.Pair in
                let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
                return (sides[0], sides.count > 1 ? sides[1] : "")
            }
        return try send(Request(method: "GET", path: String(parts[0]), query: query, headers: who)).answer
    }
    func post(_ path: String, _ body: String, _ who: [Request.Pair] = [], key: String? = nil) throws -> Answer? {
        let headers = who + (key.map { [("idempotency-key", $0)] } ?? [])
        return try send(Request(method: "POST", path: path, headers: headers, body: Array(body.utf8))).answer
    }

    /// Signs in by the API and answers the header of a bearer token.
    func bearer(_ name: String = "admin") throws -> [Request.Pair] {
        let answer = try signIn(name, "right", token: true)
        return [("authorization", "Bearer " + (answer.json?["token"]?.text ?? "none"))]
    }
    /// Signs in by the API and answers the headers of a browser with its cookie, on a page of our own.
    func browser(_ name: String = "admin") throws -> [Request.Pair] {
        let answer = try signIn(name, "right", token: false)
        let cookie = answer.headers.first { $0.name == "set-cookie" }?.value.prefix { $0 != ";" } ?? ""
        return [("cookie", String(cookie)), ("origin", "http://127.0.0.1:8000")]
    }
    func signIn(_ name: String, _ password: String, token: Bool, address: String = "127.0.0.1", path: String = "/api/v1/auth/login") throws -> Answer
    {
        let body = #"{"username":"\#(name)","password":"\#(password)"\#(token ? #","token":true"# : "")}"#
        let (number, answer) = try send(Request(method: "POST", path: path, body: Array(body.utf8), address: address))
        if let answer { return answer }
        let checks = take { if case .checkPassword(number, let password, let hash) = $0 { password == hash } else { nil } }
        try turn([.passwordChecked(number, fits: checks.first ?? false)])
        return self.answer(number) ?? Answer(status: 0, type: "", body: [])
    }
}

extension Request {
    typealias Pair = (name: String, value: String)
}

/// Random bytes from a seed, across threads.
private final class Draws: Sendable {
    private let state: Guarded<SeededRandom>
    init(seed: UInt64) { state = Guarded(SeededRandom(seed: seed)) }
    func take(_ count: Int) -> [UInt8] { state.with { random in (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) } } }
}
