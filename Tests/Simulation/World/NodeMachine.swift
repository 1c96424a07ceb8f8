// The cloud's computer with the real node: its stores on a simulated disk, its API asked as a browser would.
internal import CloudNode
internal import Control
package import Ledger
internal import Platform
package import Sync
internal import Synchronization
package import Values
internal import Views
package import Wire

/// One cloud with one edge enrolled and one person who may trade.
package final class NodeMachine: Machine {
    package let name = "cloud"
    let edge: EdgeID
    let disk: FaultyDisk
    private let start: Instant
    private let rules: Rules
    let breaker: Breaker
    let signatures: CheckedSignatures
    /// It signs for what it has, compares stored bytes and books, and backs itself up.
    private let keepsHouse: Bool
    /// The stored ledger has a damaged entry: a start has to refuse it.
    package var isRotten = false
    private var chance: SeededRandom
    private(set) var node: Node?
    /// Signed in until the node says otherwise.
    var bearer: String?
    private(set) var lastRequest: UInt64 = 0
    private var left: [MachineEffect] = []
    var seen: [Observation] = []
    /// Something may wait for a decision: nobody has looked since the start, or since a decision was wanted.
    private var isAsked = true
    package private(set) var isDiskFailing = false
    /// Its disk is going to end it.
    package var isDoomed: Bool { isDiskFailing || disk.freezeAt != nil }
    /// Whom the link's door lets in.
    private(set) var door: [LinkKey] = []
    /// What the enrolment socket answered last.
    var enrolmentAnswer: [UInt8]?
    /// Commands that were asked for, by id, since a key was revoked last.
    var asked: [String] = []
    /// What the program logs, for a world that is traced.
    var hear: ((String) -> Void)?
    /// What was said of the session that is open now.
    private var session: String?

    /// - Parameters:
    ///   - rules: what the node's receiver keeps to; a breaker takes some of them away.
    ///   - breaker: decides what stands before the node's files.
    ///   - signatures: those of the edge that need not be checked again.
    ///   - keepsHouse: it is the edge's witness and compares at night.
    package init(
        edge: EdgeID, seed: UInt64, start: Instant, rules: Rules = Rules(), breaker: Breaker = .none,
        signatures: CheckedSignatures = CheckedSignatures(), keepsHouse: Bool = false
    ) {
        self.keepsHouse = keepsHouse
        self.edge = edge; self.start = start; self.rules = rules; self.breaker = breaker; self.signatures = signatures
        chance = SeededRandom(seed: seed)
        disk = FaultyDisk(seed: chance.next(), now: start)
    }

    package var isRunning: Bool { node != nil }
    /// True when this run has the open session.
    package func serves(_ run: Boot?) -> Bool { run.map { run in session?.contains("run \(run),") ?? false } ?? false }

    package func failDisk(_ operation: DiskFault.Operation, after count: Int, _ answer: DiskFault.Answer) {
        disk.fault = DiskFault(operation, (operation == .write ? disk.writes : disk.syncs) + count, answer)
        isDiskFailing = true
    }
    /// A disk that is dead already stays dead.
    package func freezeDisk(after mutations: Int) { if !disk.isFrozen { disk.freezeAt = disk.mutations + mutations } }

    package var diskOperations: Int { disk.mutations }

    package func survivors(from seq: UInt64) throws -> [EntryRow] { try store(on: disk)?.read(from: seq, limit: .max) ?? [] }

    /// The edge's file on a disk, as another process would open it; nil without one.
    func store(on disk: FaultyDisk) throws -> EntryStore? {
        let path = "edges/\(edge).db"
        return disk.names.contains(path) ? try EntryStore(path: path, .init(.readWrite, vfs: disk.name)) : nil
    }

    package func takeEffects() -> [MachineEffect] {
        defer { left = [] }
        return left
    }
    package func takeSeen() -> [Observation] {
        defer { seen = [] }
        return seen
    }

    package func start(at clock: ClockReading) throws {
        disk.now = clock.wall
        try guarded {
            let breaker = breaker
            let stores = try NodeStores(folder: "", vfs: disk.name, check: signatures.check) { breaker.ledgerFile($0) }
            let state = try stores.control.load()
            if state.users.isEmpty {
                let user = User(name: "admin", role: .admin, passwordHash: "right", createdAt: start)
                try stores.control.commit([user].compactMap { $0.map { .access(.user($0)) } })
            }
            if state.edges.isEmpty {
                let key = SimulatedKeys.firstLink
                try stores.control.commit([
                    .edge(EnrolledEdge(id: edge, name: "home", linkKey: key, status: .confirmed, code: "123456", enrolledAt: start))
                ])
            }
            let draws = Draws(seed: chance.next())
            var settings = NodeSettings(
                serverKey: [UInt8](repeating: 9, count: 32), tokenKey: [UInt8](repeating: 7, count: 32), decoyHash: "decoy",
                release: keepsHouse ? Version.product : "world",
                random: { draws.take($0) })
            settings.linkRules = rules
            settings.outboxRules = breaker.outbox
            settings.comparesNightly = keepsHouse
            settings.signingKeys = keepsHouse ? SigningKeys(seed: [UInt8](repeating: 3, count: 32)) : nil
            let node = try Node(stores: stores, settings: settings, at: clock)
            self.node = node
            isAsked = true
            try take(node.takeEffects(), at: clock)
        }
    }

    package func turn(_ event: MachineEvent, at clock: ClockReading) throws {
        guard node != nil else { return }
        disk.now = clock.wall
        try guarded {
            switch event {
            case .linkUp, .broker: break
            case .linkDown(let connection): try node([.gone(Peer(edge: edge, connection: connection))], at: clock)
            case .frame(_, let bytes, let connection): try node([.frame(bytes, from: Peer(edge: edge, connection: connection))], at: clock)
            case .tick:
                try node([.tick], at: clock)
                if node?.isBehind == true { try node([.follow], at: clock) }
            case .ask(let body): try ask(body, at: clock)
            }
        }
    }

    package func crash(_ mode: CrashMode) {
        if mode != .everything { disk.freezeAt = disk.mutations }
        node = nil
        session = nil
        disk.crash(mode)
        isDiskFailing = false
    }

    // MARK: - Within a turn

    func guarded(_ body: () throws -> Void) throws {
        do { try body() } catch let error {
            if disk.isFrozen || (isDiskFailing && (error is StoreError || error is DatabaseError)) { throw MachineDied() }
            throw error
        }
        // A node that bore the error of a dead disk has lost its power all the same; one that bore a full disk goes on.
        if disk.isFrozen { throw MachineDied() }
        if isDiskFailing, disk.fault?.answer == .full, disk.faultIsOver { isDiskFailing = false }
    }

    func node(_ inputs: [NodeInput], at clock: ClockReading) throws {
        guard let node else { return }
        try take(node.turn(inputs, at: clock), at: clock)
    }

    private func take(_ effects: [NodeEffect], at clock: ClockReading) throws {
        for effect in effects {
            if let hear, case .log(_, let event, let words) = effect { hear("\(event): \(words)") }
            switch effect {
            case .send(let bytes, let peer): left.append(.frame(.control, bytes, connection: peer.connection))
            case .checkPassword(let number, let password, let hash): try node([.passwordChecked(number, fits: password == hash)], at: clock)
            case .respond(let number, let answer): if number == lastRequest { lastAnswer = answer }
            case .log(_, "link refused", let words):
                seen += RefusalCase.allCases.filter { words.contains(": \($0.rawValue),") }.map { .reported($0.rawValue) }
            case .log(_, "edge behind", _): seen.append(.reported(RefusalCase.edgeBehind.rawValue))
            case .log(_, "decision wanted", _): isAsked = true
            case .log(_, "decision no longer wanted", let words):
                let parts = words.split(separator: " ")
                if let place = parts.firstIndex(of: "lineage"), parts.count > place + 1, let epoch = UInt32(parts[place + 1]) {
                    seen.append(.chosen(epoch: epoch))
                }
            case .log(_, "branch sealed", _): seen.append(.setBack(.cloud))
            case .log(_, "link open", let words): session = words
            case .log(_, "link closed", _): session = nil
            case .log(let level, "ledgers compared", let words):
                let end: ComparisonEnd? = level == .info ? .agrees : level == .warning ? .healed : words.contains(": Not finished") ? nil : .differs
                if let end { seen.append(.compared(end, words)) }
            case .log(_, "books differ", let words): seen.append(.troubled(words))
            case .log(_, "ledger damaged", _) where isRotten: throw LedgerRefused()
            // An I/O error at the start sets the ledger aside until somebody restarts the cloud, as its cure says.
            case .log(_, "ledger damaged", _) where isDiskFailing: throw MachineDied()
            case .admit(let keys): door = keys
            case .answerEnrolment(let bytes, _): enrolmentAnswer = bytes
            case .enrolmentSocket, .push, .closeStream, .hashPassword, .log: break
            }
        }
    }

    // MARK: - A person

    var lastAnswer: Answer?

    func post(_ path: String, _ body: JSONValue, key: String? = nil, at clock: ClockReading) throws -> Answer? {
        var headers: [(name: String, value: String)] = []
        if let bearer { headers.append(("authorization", "Bearer " + bearer)) }
        if let key { headers.append(("idempotency-key", key)) }
        return try send(Request(method: "POST", path: path, headers: headers, body: JSONWriter.plain(body)), at: clock)
    }

    /// Asks the node and answers what it answered at once.
    func send(_ request: Request, at clock: ClockReading) throws -> Answer? {
        lastRequest += 1
        lastAnswer = nil
        try node([.request(lastRequest, request)], at: clock)
        return lastAnswer
    }

    func signIn(at clock: ClockReading) throws {
        let answer = try post("/api/v1/auth/login", ["username": "admin", "password": "right", "token": true], at: clock)
        bearer = answer.flatMap { try? JSONReader.read($0.body) }?["token"]?.text
    }

    /// Somebody looks at the Edges page and decides what waits for a decision.
    /// - Returns: what was decided; nil when nothing was.
    @discardableResult
    package func settle(_ kept: KeptBranch, at clock: ClockReading) throws -> KeptBranch? {
        guard node != nil, isAsked else { return nil }
        disk.now = clock.wall
        var decided: KeptBranch?
        try guarded {
            bearer = nil
            try signIn(at: clock)
            var answer: Answer?
            for choice in [kept, .edge] where answer?.status != 200 {
                defer {
                    if answer?.status == 200 {
                        decided = choice
                        seen.append(.decided(choice))
                    }
                }
                answer = try post("/api/v1/edges/\(edge)/settle", ["keep": .string(choice.rawValue), "confirm": "home"], at: clock)
            }
            let problem = answer.flatMap { try? JSONReader.read($0.body) }?["type"]?.text
            if problem == "/problems/nothing-to-settle" { isAsked = false }
        }
        return decided
    }

    // MARK: - Copies

    /// A copy of the disk's files as they are.
    package func image() -> FaultyDisk {
        let image = FaultyDisk(seed: 0)
        image.copy(disk)
        return image
    }

    /// Puts an older copy in the place of what the disk holds. Only while no process runs.
    /// - Parameter name: the store's new name, as the guide says to give it; nil leaves the old one.
    /// - Returns: the name it has now.
    package func restore(_ image: FaultyDisk, name: String?) throws -> String {
        for file in disk.names { try? disk.remove(file) }
        disk.copy(image)
        let store = try ControlStore(path: "control.db", vfs: disk.name)
        if let name { _ = try RestoredStore.renew(store, as: name) }
        return try store.load().meta["incarnation"] ?? ""
    }

    /// The lineage of the last entry that a process would find on the disk as it is; 0 before the first.
    package func storedLineage() throws -> UInt32 {
        guard let store = try store(on: image()) else { return 0 }
        return try store.read(from: max(1, store.head.seq), limit: 1).first?.epoch ?? 0
    }

    /// The entries in a copy.
    package func entries(in image: FaultyDisk) throws -> [EntryRow] { try store(on: image)?.read(from: 1, limit: .max) ?? [] }

    /// The name of a new command.
    func drawCommand() -> CommandID {
        let id = CommandID(bytes: (0..<16).map { _ in UInt8(chance.int(0...255)) })
        guard let id else { preconditionFailure("a command's name has 16 bytes") }
        return id
    }
    /// A key of 32 bytes that nobody had before.
    func drawKey() -> [UInt8] { (0..<32).map { _ in UInt8(chance.int(0...255)) } }

    private func ask(_ body: CommandBody, at clock: ClockReading) throws {
        if bearer == nil { try signIn(at: clock) }
        let id = drawCommand()
        let answer: Answer?
        switch body {
        case .order(let instrument, let side, .quantity(let quantity), let trailing, let reverse):
            var wish = [
                JSONMember("instrument", .string(instrument.text)), JSONMember("side", .string(side.rawValue)),
                JSONMember("quantity", .string(quantity.description)), JSONMember("reverse", .bool(reverse)),
            ]
            if case .percent = trailing { wish.append(JSONMember("trailingStop", ["percent": "2"])) }
            answer = try post("/api/v1/orders", .object(wish), key: id.description, at: clock)
        case .close(let instrument): answer = try post("/api/v1/positions/\(instrument)/close", [:], key: id.description, at: clock)
        case .raise(let level, let reason):
            answer = try post("/api/v1/kill", ["level": .string(level.apiWord), "reason": .string(reason)], key: id.description, at: clock)
        case .order, .cancel, .watch, .withdraw: return
        }
        if answer?.status == 401 { bearer = nil }
        guard answer?.status == 202 else { return }
        seen.append(.asked(command: id.description, lifetime: body.lifetime))
        asked.append(id.description)
    }
}

/// Random bytes from a seed, as the node takes them.
private final class Draws: Sendable {
    private let state: Mutex<SeededRandom>
    init(seed: UInt64) { state = Mutex(SeededRandom(seed: seed)) }
    func take(_ count: Int) -> [UInt8] { state.withLock { random in (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) } } }
}
