// The simulated IB Gateway on the far side of a TCP line that splits, delays and breaks anywhere; both outlive the edge's process.
internal import Values
internal import Venues

/// What reaches the edge from its broker's socket.
package enum BrokerEvent: Sendable {
    case connected
    case disconnected(String)
    case bytes([UInt8])
}

/// What the edge does with that socket.
package enum BrokerWish: Sendable {
    case connect
    case disconnect
    case write([UInt8])
}

/// One gateway and the line to it. Times are the world's.
final class GatewaySite {
    private enum Happening {
        case accept(UInt64)
        case arrive([UInt8], isForth: Bool, UInt64)
        /// The other end is gone, in words for the edge.
        case gatewayLearns(UInt64)
        case edgeLearns(UInt64, String)
        case restart
        case linkRestored(dataLost: Bool)
    }

    /// Of one frame's pieces, in milliseconds.
    var delay: ClosedRange<Int64> = 1...20
    private let seed: UInt64
    private let start: Instant
    private let settings: GatewaySettings
    private var chance: SeededRandom
    private var gateway: IBKRGateway?
    /// What the gateway has on its disk.
    private var records: [GatewayRecord] = []
    private var queue = EventQueue<Happening>()
    private var known: Set<OrderKey> = []
    private var connections: UInt64 = 0
    private var edgeEnd: UInt64?
    private var gatewayEnd: UInt64?
    /// Nothing of a broken connection arrives after this.
    private var brokenAt: [UInt64: Span] = [:]
    private var lastForth = Span.zero
    private var lastBack = Span.zero
    private var flying = 0
    private var heard: [BrokerEvent] = []
    private var now = Span.zero
    /// Tags of orders the gateway was asked to place since `takePlaced`, in order.
    private var placed: [String] = []

    init(seed: UInt64, start: Instant) {
        var chance = SeededRandom(seed: seed)
        self.seed = chance.next()
        self.start = start
        // A lane of its own: whatever misbehaviour is added here leaves the rest of the world as it was.
        var lane = SeededRandom(seed: seed ^ 0xFA_17)
        settings = GatewaySettings(
            maximumVersion: [157, 163, 176, 178][chance.int(0...3)], switches: GatewaySite.habits(&lane), faultSeed: lane.next())
        self.chance = chance
        let gateway = IBKRGateway(settings: settings, exchange: exchange(at: start), at: start)
        self.gateway = gateway
        keep()
    }

    /// Bad habits of this world's gateway: about half of all gateways have none. What a person would have to put right is not among them.
    private static func habits(_ lane: inout SeededRandom) -> [GatewaySwitch] {
        let all: [GatewaySwitch] = [
            .execution(.duplicate), .execution(.late(nil)), .execution(.reorder), .status(.duplicate), .status(.late(nil)), .status(.reorder),
            .commission(.late(nil)), .fillBeforeAck, .fillAfterCancel, .split(7), .nextId(.back), .nextId(.forward), .endless(nil),
            .slowReader(20_000),
        ]
        return all.filter { _ in lane.chance(1, in: 14) }
    }

    /// When `advance` must be called again at the latest; nil when nothing is under way.
    var nextAt: Span? { queue.nextAt }
    /// True when gateway and line stand and nothing is on its way.
    var isQuiet: Bool { gateway != nil && edgeEnd != nil && edgeEnd == gatewayEnd && flying == 0 }

    func takePlaced() -> [String] {
        defer { placed = [] }
        return placed
    }

    /// Lets time pass; answers what reaches the edge.
    func advance(to now: Span) -> [BrokerEvent] {
        while let at = queue.nextAt, at <= now, let (_, happening) = queue.next() {
            self.now = max(self.now, at)
            handle(happening)
        }
        self.now = max(self.now, now)
        let instant = start + self.now
        play { $0.advance(to: instant) }
        defer { heard = [] }
        return heard
    }

    // MARK: - The edge's end

    func wish(_ wish: BrokerWish, at now: Span) {
        self.now = max(self.now, now)
        switch wish {
        case .connect:
            hangUp()
            connections += 1
            edgeEnd = connections
            queue.add(.accept(connections), at: now + pause())
        case .disconnect: hangUp()
        case .write(let bytes): if let edgeEnd { send(bytes, isForth: true, edgeEnd) }
        }
    }

    /// The edge's process is gone: its system closes the socket after what was written.
    func edgeDied(at now: Span) {
        self.now = max(self.now, now)
        hangUp()
    }

    private func hangUp() {
        guard let edgeEnd else { return }
        self.edgeEnd = nil
        queue.add(.gatewayLearns(edgeEnd), at: max(now + pause(), lastForth))
    }

    // MARK: - What goes wrong

    /// The line breaks at any byte. Each end learns of it by itself, the edge sometimes only by silence.
    func cut(at now: Span) {
        guard let edgeEnd, brokenAt[edgeEnd] == nil else { return }
        self.now = max(self.now, now)
        brokenAt[edgeEnd] = now + .milliseconds(Int64(chance.int(0...Int(delay.upperBound))))
        queue.add(.gatewayLearns(edgeEnd), at: now + .milliseconds(Int64(chance.int(0...5_000))))
        if !chance.chance(1, in: 5) {
            queue.add(.edgeLearns(edgeEnd, "connection reset"), at: now + .milliseconds(Int64(chance.int(0...2_000))))
        }
    }

    /// The gateway is killed. What it told was on its disk before.
    func crash(at now: Span) {
        guard gateway != nil else { return }
        self.now = max(self.now, now)
        gateway = nil
        gatewayEnd = nil
        if let edgeEnd {
            brokenAt[edgeEnd] = brokenAt[edgeEnd] ?? now
            queue.add(.edgeLearns(edgeEnd, "closed by the gateway"), at: now + .milliseconds(Int64(chance.int(0...500))))
        }
        queue.add(.restart, at: now + .milliseconds(Int64(chance.int(500...12_000))))
    }

    /// The gateway loses IBKR or its data for a while, is reset, restarts, closes all connections, or tells an execution twice.
    func suffer(at now: Span) {
        self.now = max(self.now, now)
        let instant = start + now
        let lasting = Int64(chance.int(1_000...20_000))
        switch chance.int(0...6) {
        case 0:
            play { $0.suffer(.linkLost, at: instant) }
            queue.add(.linkRestored(dataLost: chance.chance(1, in: 2)), at: now + .milliseconds(Int64(chance.int(100...8_000))))
        case 1: play { $0.suffer(.dropConnections, at: instant) }
        case 2: play { $0.suffer(.reset(lasting: .milliseconds(lasting)), at: instant) }
        case 3: play { $0.suffer(.restart(lasting: .milliseconds(lasting)), at: instant) }
        case 4: play { $0.suffer(.competingSession(lasting: .milliseconds(lasting)), at: instant) }
        default: play { $0.suffer(.repeatLastExecution, at: instant) }
        }
    }

    // MARK: - At rest

    /// The gateway's books beside what the edge believes.
    func books(believed: Set<String>) -> BrokerBooks? {
        guard let gateway else { return nil }
        let working = gateway.orders.all.filter { $0.isLive && $0.isTransmitted }.map { $0.fields["orderRef"] }
        var executions: [String: BrokerBooks.Execution] = [:]
        for fill in gateway.orders.executions {
            executions[gateway.orders.execId(fill)] = BrokerBooks.Execution(
                instrument: fill.instrument.text, side: fill.side.rawValue, quantity: fill.quantity.raw)
        }
        return BrokerBooks(executions: executions, working: Set(working), believed: believed)
    }

    // MARK: - Within

    private func exchange(at instant: Instant) -> PaperExchange {
        let day = CivilDate(dayNumber: Int(start.seconds / 86_400))
        return PaperExchange(rules: PaperRules(seed: seed, step: .milliseconds(500)), listings: PaperCatalogue.standard(asOf: day), start: instant)
    }

    private func pause() -> Span { Span(nanoseconds: Int64.random(in: delay, using: &chance) * 1_000_000 + Int64(chance.int(0...999_999))) }

    private func handle(_ happening: Happening) {
        let instant = start + now
        switch happening {
        case .accept(let connection):
            guard edgeEnd == connection else { return }
            guard gateway != nil else {
                edgeEnd = nil
                heard.append(.disconnected("connection refused"))
                return
            }
            gatewayEnd = connection
            heard.append(.connected)
            play { $0.connect(GatewayConnection(connection), at: instant) }
        case .arrive(let bytes, let isForth, let connection):
            flying -= 1
            guard now <= brokenAt[connection] ?? now else { return }
            if isForth {
                if gatewayEnd == connection { play { $0.receive(GatewayConnection(connection), bytes, at: instant) } }
            } else if edgeEnd == connection {
                heard.append(.bytes(bytes))
            }
        case .gatewayLearns(let connection):
            play { $0.disconnect(GatewayConnection(connection), at: instant) }
            if gatewayEnd == connection { gatewayEnd = nil }
        case .edgeLearns(let connection, let words):
            guard edgeEnd == connection else { return }
            edgeEnd = nil
            heard.append(.disconnected(words))
        case .restart:
            let kept = records
            guard gateway == nil, let restored = try? IBKRGateway(settings: settings, exchange: exchange(at: instant), records: kept, at: instant)
            else { return }
            gateway = restored
        case .linkRestored(let dataLost): play { $0.suffer(.linkRestored(dataLost: dataLost), at: instant) }
        }
    }

    /// One call of the gateway: on its disk first, then on the line.
    private func play(_ call: (inout IBKRGateway) -> [GatewayOutput]) {
        guard var gateway else { return }
        let outputs = call(&gateway)
        self.gateway = gateway
        keep()
        for output in outputs {
            switch output {
            case .send(let connection, let bytes): send(bytes, isForth: false, connection.raw)
            case .close(let connection):
                if gatewayEnd == connection.raw { gatewayEnd = nil }
                queue.add(.edgeLearns(connection.raw, "closed by the gateway"), at: max(now + pause(), lastBack))
            }
        }
    }

    private func keep() {
        let fresh = gateway?.takeRecords() ?? []
        records += fresh
        for case .order(let order) in fresh where known.insert(order.key).inserted { placed.append(order.fields["orderRef"]) }
    }

    /// Bytes leave one end, in up to three pieces of any length, and keep their order.
    private func send(_ bytes: [UInt8], isForth: Bool, _ connection: UInt64) {
        var rest = bytes[...]
        for piece in 0..<3 where !rest.isEmpty {
            let count = piece == 2 || chance.chance(1, in: 2) ? rest.count : chance.int(1...rest.count)
            let at = max(now + pause(), isForth ? lastForth : lastBack)
            if isForth { lastForth = at } else { lastBack = at }
            flying += 1
            queue.add(.arrive(Array(rest.prefix(count)), isForth: isForth, connection), at: at)
            rest = rest.dropFirst(count)
        }
    }
}
