// The cloud's computer as far as the link needs it: the real receiver over a real entry store on a simulated disk.
package import Ledger
internal import Platform
package import Sync
package import Values
package import Wire

/// One cloud with one edge enrolled.
package final class CloudMachine: CloudSide {
    package let name = "cloud"
    private let edge: EdgeID
    private let rules: Rules
    private let disk: FaultyDisk
    private var chance: SeededRandom
    private var program: Program?
    /// Refusals the cloud spoke, in words: in a world without rollbacks every one is a false alarm.
    package private(set) var refusals: [String] = []
    /// Commands that were dispatched.
    package private(set) var commands = 0

    private var left: [MachineEffect] = []
    private var seen: [Observation] = []

    private struct Program {
        var receiver: Receiver
        let store: EntryStore
    }

    package init(edge: EdgeID, seed: UInt64, rules: Rules, start: Instant) {
        self.edge = edge; self.rules = rules
        chance = SeededRandom(seed: seed)
        disk = FaultyDisk(seed: chance.next(), now: start)
    }

    package var isRunning: Bool { program != nil }
    /// When the receiver must be ticked, by the boot clock.
    package var wakeAt: Span? { program?.receiver.wakeAt }

    package private(set) var isDiskFailing = false

    package func failDisk(_ operation: DiskFault.Operation, after count: Int, _ answer: DiskFault.Answer) {
        disk.fault = DiskFault(operation, (operation == .write ? disk.writes : disk.syncs) + count, answer)
        isDiskFailing = true
    }

    package func freezeDisk(after mutations: Int) { disk.freezeAt = disk.mutations + mutations }

    package func survivors() throws -> [EntryRow] {
        guard disk.names.contains("edge.db") else { return [] }
        return try EntryStore(path: "edge.db", .init(.readWrite, vfs: disk.name)).read(from: 1, limit: .max)
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
            let store = try EntryStore(path: "edge.db", .init(.create, vfs: disk.name))
            var receiver = Receiver(incarnation: "world", release: "world", sessionSeed: chance.next(), rules: rules)
            let have = Head(seq: Seq(store.head.seq), hash: store.head.hash)
            let memory = EdgeMemory(have: have, announced: try CloudMachine.head(store.meta("announced")) ?? .start)
            _ = receiver.handle(.enrolled(edge, memory), at: clock)
            program = Program(receiver: receiver, store: store)
        }
    }

    package func turn(_ event: MachineEvent, at clock: ClockReading) throws {
        guard program != nil else { return }
        disk.now = clock.wall
        try guarded {
            switch event {
            case .linkUp, .broker: break
            case .linkDown(let connection): try receiver(.gone(Peer(edge: edge, connection: connection)), at: clock)
            case .frame(_, let bytes, let connection): try receiver(.frame(bytes, from: Peer(edge: edge, connection: connection)), at: clock)
            case .tick: try receiver(.tick, at: clock)
            case .ask(let body): try ask(body, at: clock)
            }
        }
    }

    package func crash(_ mode: CrashMode) {
        if mode != .everything { disk.freezeAt = disk.mutations }
        program = nil
        disk.crash(mode)
        isDiskFailing = false
    }

    // MARK: - Within a turn

    private func guarded(_ body: () throws -> Void) throws {
        do { try body() } catch let error {
            if disk.isFrozen || (isDiskFailing && error is StoreError) { throw MachineDied() }
            throw error
        }
    }

    private func ask(_ body: CommandBody, at clock: ClockReading) throws {
        guard let boot = program?.receiver.link(edge)?.boot, let id = CommandID(bytes: (0..<16).map { _ in UInt8(chance.int(0...255)) }) else {
            return
        }
        commands += 1
        seen.append(.asked(command: id.description, lifetime: body.lifetime))
        let command = Command(
            id: id, edge: edge, boundBoot: boot, issuer: "cloud:admin", tier: 2, issuedAt: clock.wall,
            expiresAt: body.lifetime.map { clock.wall + $0 },
            body: body)
        try receiver(.dispatch(command), at: clock)
    }

    /// The receiver's actions, each done before the next: what left before a death has left.
    private func receiver(_ input: Receiver.Input, at clock: ClockReading) throws {
        guard let actions = program?.receiver.handle(input, at: clock), let store = program?.store else { return }
        for action in actions {
            switch action {
            case .send(let bytes, let peer): left.append(.frame(.control, bytes, connection: peer.connection))
            case .commit(_, let entries):
                try append(entries, to: store)
                guard let last = entries.last else { continue }
                try receiver(.committed(edge, last.head), at: clock)
            case .compare(_, let head):
                let found = head.seq == Seq(0) ? [] : try store.read(from: head.seq.raw, limit: 1)
                let isEqual = head == .start || (found.first?.seq == head.seq.raw && found.first?.hash == head.hash)
                try receiver(.compared(edge, head, isEqual: isEqual), at: clock)
            case .announced(_, let head): try store.setMeta("announced", "\(head.seq) \(Hex.text(head.hash))")
            case .refused(let refusal): refusals.append("\(refusal.verdict.rawValue): \(refusal.text)")
            case .opened, .closed, .presence, .live, .market, .commandReceived, .commandNotDelivered, .malformed: break
            }
        }
    }

    /// The store itself refuses holes; the breaker that takes gaps renumbers, as a careless receiver would.
    private func append(_ entries: [Entry], to store: EntryStore) throws {
        var rows = entries.map(\.row)
        if rules.acceptGaps || rules.skipHashCheck {
            var head = store.head
            for index in rows.indices {
                rows[index].seq = head.seq + 1
                rows[index].prev = head.hash
                head = LogHead(seq: rows[index].seq, hash: rows[index].hash)
            }
        }
        try store.append(rows)
    }

    private static func head(_ text: String?) -> Head? {
        let parts = (text ?? "").split(separator: " ")
        guard parts.count == 2, let seq = UInt64(parts[0]), let hash = Hex.bytes(parts[1]) else { return nil }
        return Head(seq: Seq(seq), hash: hash)
    }
}
