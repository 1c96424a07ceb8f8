// One edge and the cloud over a bad link, in memory, from one seed; and the simpler model they are compared with.
import Ledger
import Sync
import Testing
import Values

/// What a walk may meet.
struct Weather {
    var loss = 0
    var duplication = 0
    var delayMax = Span.milliseconds(40)
    /// Whole frames overtake one another.
    var reorders = false
    var cuts = 0
    var edgeCrashes = 0
    var cloudCrashes = 0
    var flips = 0
    var commands = 0
    static let calm = Weather()
    static let storm = Weather(
        loss: 5, duplication: 5, delayMax: .milliseconds(900), reorders: true, cuts: 4, edgeCrashes: 2, cloudCrashes: 2, commands: 10)
}

/// A broken promise, in words.
struct Broken: Error, CustomStringConvertible { let description: String }

/// The two ends, their stores and the link between them.
struct Walk {
    struct Parcel { var at: Span; var order: UInt64; var lane: Lane; var bytes: [UInt8]; var connection: UInt64 }

    let rules: Rules
    var weather: Weather
    var random: SeededRandom
    var now = Span.zero
    var ledger: Samples.Ledger
    var sender: Sender
    var receiver: Receiver
    /// Durable in the cloud.
    var stored: [Entry] = []
    var announced = Head.start
    /// Handed to the store, not yet on the disk.
    var committing: [(at: Span, entries: [Entry])] = []
    var up: [Parcel] = []
    var down: [Parcel] = []
    var connection: UInt64 = 0
    var isConnected = false
    var reconnectAt: Span? = .zero
    var parcels: UInt64 = 0
    var lastArrival: [Lane: Span] = [:]
    /// Reads that the edge has not answered yet.
    var reads: [(at: Span, from: Seq, limit: Int)] = []
    var refusals: [Refusal] = []
    var delivered: [(id: CommandID, boot: Boot, at: Span, deadline: Span?)] = []
    var seen: Set<CommandID> = []
    var checked = 0
    var issued: [CommandID: (boot: Boot, expires: Span?)] = [:]
    var asked: [Command] = []
    var mostUnderWay = 0
    /// The edge was set back and its new run has written nothing yet.
    var isGated = false
    /// Refusals that are no false alarms.
    var allowed: Set<RefusalCase> = []
    var dispute: Dispute?
    var decision: Settlement?
    var settled: Settlement?
    /// The edge's branch beside the cloud's ledger, and what either end sealed.
    var branch: [Entry] = []
    var sealedByCloud: [Entry] = []
    /// The cloud's disk takes no branches.
    var hasNoRoom = false
    var sealedByEdge: [Entry] = []
    /// The decision for the cloud's history that the edge carries out.
    var pending: Settlement?
    /// The edge lost entries that it had announced.
    var hasLost = false
    /// Comparisons that ended.
    var audits: [AuditReport] = []
    var edgeOffset = Span.seconds(1_000)
    var cloudOffset = Span.seconds(77)

    init(seed: UInt64, rules: Rules = Rules(), weather: Weather = .calm) throws {
        self.rules = rules; self.weather = weather
        random = SeededRandom(seed: seed)
        ledger = try Samples.Ledger(seed: seed)
        sender = Walk.sender(ledger, rules)
        receiver = Receiver(incarnation: "i", release: "test", sessionSeed: seed, rules: rules)
        _ = receiver.handle(.enrolled(Samples.edge, EdgeMemory()), at: ClockReading(wall: Instant(seconds: 0), monotonic: .zero))
    }

    static func sender(_ ledger: Samples.Ledger, _ rules: Rules) -> Sender {
        Sender(
            Identity(edge: Samples.edge, boot: ledger.boot, epoch: ledger.entries.last?.epoch ?? 1, release: "test"), head: ledger.head, rules: rules)
    }

    var edgeClock: ClockReading { ClockReading(wall: Instant(seconds: 1_795_000_000) + now, monotonic: edgeOffset + now) }
    var cloudClock: ClockReading { ClockReading(wall: Instant(seconds: 1_795_000_003) + now, monotonic: cloudOffset + now) }

    // MARK: - The two machines

    mutating func edge(_ input: Sender.Input) throws {
        for action in sender.handle(input, at: edgeClock) {
            switch action {
            case .send(let lane, let bytes): if isConnected { post(bytes, lane, to: \.up) }
            case .read(let from, let entries, _): reads.append((now + Span(nanoseconds: Int64(random.int(0...2_000_000))), from, entries))
            case .readHeads(let attempt, let seqs):
                try edge(.heads(attempt: attempt, asked: seqs, seqs.filter { $0 <= ledger.head.seq }.map { ledger.entries[Int($0.raw) - 1].head }))
            case .deliver(let command, let deadline): delivered.append((command.id, ledger.boot, now, deadline.map { $0 - edgeOffset }))
            case .heal(let entries):
                ledger.adopt(entries)
                try edge(.healed(entries))
            case .phase(.open) where isGated, .phase(.refused) where isGated: try startGated()
            case .readStored(let from, let through):
                try edge(.stored(from: from, Array(ledger.entries[Int(from.raw) - 1..<Int(through.raw)])))
            case .mend(let entry): try edge(.mended(entry.seq))
            case .readBranch(let after):
                let isOurs = after.seq == Seq(0) || (after.seq <= ledger.head.seq && ledger.entries[Int(after.seq.raw) - 1].head == after)
                let piece = isOurs ? Array(ledger.entries[Int(after.seq.raw)...].prefix(random.int(1...40))) : []
                try edge(.branch(after: after, piece))
            case .settle(let settlement): try carryOut(settlement)
            case .acked(let head):
                guard head.seq.raw <= UInt64(stored.count) else { throw Broken(description: "acked \(head.seq), stored \(stored.count)") }
            case .reopen: try disconnect(until: now + .milliseconds(100))
            case .phase, .copied, .malformed, .incarnation, .countersigned, .signers, .serverKey, .backedUp: break
            }
        }
        mostUnderWay = max(mostUnderWay, sender.head.seq.raw >= sender.acked.seq.raw ? Int(sender.sent.raw) - Int(sender.acked.seq.raw) : 0)
    }

    mutating func cloud(_ input: Receiver.Input) throws {
        for action in receiver.handle(input, at: cloudClock) {
            switch action {
            case .send(let bytes, let peer): if isConnected, peer.connection == connection { post(bytes, .control, to: \.down) }
            case .commit(_, let entries): committing.append((now + Span(nanoseconds: Int64(random.int(0...30_000_000))), entries))
            case .compare(_, let head):
                while !committing.isEmpty { try commit() }
                let isEqual = head.seq == Seq(0) || (head.seq.raw <= UInt64(stored.count) && stored[Int(head.seq.raw) - 1].head == head)
                try cloud(.compared(Samples.edge, head, isEqual: isEqual))
            case .lookUp(let edge, let seqs):
                while !committing.isEmpty { try commit() }
                let heads = seqs.filter { $0.raw <= UInt64(stored.count) }.map { $0 == Seq(0) ? .start : stored[Int($0.raw) - 1].head }
                try cloud(.lookedUp(edge, seqs, heads))
            case .read(let edge, let after, let upTo):
                let isOurs = after.seq == Seq(0) || stored[Int(after.seq.raw) - 1].head == after
                try cloud(.read(edge, after: after, isOurs ? Array(stored[Int(after.seq.raw)..<Int(upTo.raw)].prefix(random.int(1...40))) : []))
            case .readStored(let edge, let from, let through):
                while !committing.isEmpty { try commit() }
                try cloud(.stored(edge, from: from, Array(stored[Int(from.raw) - 1..<Int(through.raw)])))
            case .mend: throw Broken(description: "an entry was damaged and nobody had damaged one")
            case .hole: throw Broken(description: "a hole was taken and nobody had lost an entry")
            case .audited(_, let report): if report.state != .running { audits.append(report) }
            case .announced(_, let head): announced = head
            case .refused(let refusal), .short(let refusal, _, _): refusals.append(refusal)
            case .opened:
                if hasLost, decision == nil { throw Broken(description: "an edge that lost what it had announced was let in") }
            case .openBranch(let edge, let common, let place):
                if place > 0 || branch.first.map({ $0.previous != common.hash }) ?? false { branch = [] }
                try cloud(.branch(edge, common: common, hasNoRoom ? nil : branch.last?.head ?? common))
            case .keepBranch(let edge, let common, let entries):
                if !hasNoRoom { branch += entries }
                try cloud(.branch(edge, common: common, hasNoRoom ? nil : entries.last?.head))
            case .cut(let edge, let common):
                guard decision != nil else { throw Broken(description: "entries were sealed and nobody had decided") }
                sealedByCloud = Array(stored[Int(common.seq.raw)...])
                stored.removeLast(sealedByCloud.count)
                try cloud(.wasCut(edge, common, epoch: stored.last?.epoch ?? 0))
            case .disputed(_, let found): dispute = found
            case .undisputed: dispute = nil
            case .quarantineOver: break
            case .settled(_, let settlement): settled = settlement; dispute = nil
            case .healing, .closed, .presence, .live, .market, .malformed, .commandReceived, .commandNotDelivered: break
            }
        }
    }

    mutating func commit() throws {
        let entries = committing.removeFirst().entries
        try store(entries)
        guard let last = stored.last else { return }
        try cloud(.committed(Samples.edge, last.head))
    }

    // MARK: - The link

    private mutating func post(_ bytes: [UInt8], _ lane: Lane, to box: WritableKeyPath<Walk, [Parcel]>) {
        if random.chance(weather.loss, in: 100) { return }
        for _ in 0..<(random.chance(weather.duplication, in: 100) ? 2 : 1) {
            var bytes = bytes
            if random.chance(weather.flips, in: 100) { bytes[random.int(Frame.headerBytes...bytes.count - 1)] ^= 1 << UInt8(random.int(0...7)) }
            var at = now + Span(nanoseconds: Int64.random(in: 100_000...weather.delayMax.nanoseconds, using: &random))
            if !weather.reorders { at = max(at, lastArrival[lane] ?? .zero); lastArrival[lane] = at }
            parcels += 1
            self[keyPath: box].append(Parcel(at: at, order: parcels, lane: lane, bytes: bytes, connection: connection))
        }
    }

    mutating func disconnect(until time: Span) throws {
        isConnected = false; reconnectAt = time
        down = []
        // The cloud may be told, or find out by silence.
        if random.chance(1, in: 2) { try cloud(.gone(Peer(edge: Samples.edge, connection: connection))) }
    }

    mutating func crashEdge() throws {
        if random.chance(1, in: 2) { try grow(random.int(1...20)) }
        try ledger.restart()
        sender = Walk.sender(ledger, rules)
        reads = []
        try disconnect(until: now + .milliseconds(Int64(random.int(50...1_500))))
    }

    /// The gate of a set-back run opens: it writes its boot, and a decision that it carries out.
    mutating func startGated() throws {
        isGated = false
        let before = ledger.entries.count
        try ledger.restart(as: ledger.boot)
        if let pending { try ledger.decide(pending) }
        pending = nil
        try edge(.committed(Array(ledger.entries[before...])))
    }

    /// What the edge does with a person's word.
    mutating func carryOut(_ settlement: Settlement) throws {
        guard decision != nil || rules.mergeForks else { throw Broken(description: "the edge was told what nobody decided") }
        switch settlement.kept {
        case .edge:
            if isGated { try startGated() }
            try ledger.decide(settlement)
            try edge(.committed(Array(ledger.entries.suffix(1))))
        case .cloud:
            let common = Int(settlement.dispute.common.seq.raw)
            sealedByEdge = Array(ledger.entries[common...])
            try setBack(to: common)
            pending = settlement
        }
    }

    /// The edge was set back, found no cloud, and wrote.
    mutating func fork(at count: Int, growing: Int) throws {
        try disconnect(until: now + .milliseconds(300))
        try ledger.cut(to: count)
        try ledger.restart()
        sender = Walk.sender(ledger, rules)
        reads = []
        try grow(growing)
    }

    /// The newest ledger is on the edge's disk again, and its next run writes.
    mutating func putBack(_ newest: Samples.Ledger) throws {
        try disconnect(until: now + .milliseconds(300))
        ledger = newest
        try ledger.restart()
        sender = Walk.sender(ledger, rules)
        reads = []
    }

    /// The edge announces entries, loses all but a few of them before they are stored, and its next run waits for the cloud's word.
    mutating func announceAndLose(_ count: Int, keeping kept: Int) throws {
        try disconnect(until: now + .milliseconds(300))
        let before = ledger.entries.count
        try grow(count)
        announced = ledger.head
        try crashCloud()
        try setBack(to: before + kept)
        hasLost = true
    }

    /// A person decides.
    mutating func decide(_ kept: KeptBranch) throws {
        guard let dispute else { throw Broken(description: "nothing is to be decided") }
        let epoch = kept == .edge ? dispute.edgeEpoch : stored.last?.epoch ?? 0
        let settlement = Settlement(
            edge: Samples.edge, kept: kept, epoch: epoch + 1, dispute: dispute, decidedBy: "cloud:admin", decidedAt: cloudClock.wall)
        decision = settlement
        try cloud(.settle(settlement))
    }

    /// The edge's disk is an older one; its next run waits for the cloud's word before it writes.
    mutating func setBack(to count: Int) throws {
        try ledger.cut(to: count)
        ledger.nextRun()
        isGated = true
        sender = Sender(
            Identity(edge: Samples.edge, boot: ledger.boot, epoch: ledger.entries.last?.epoch ?? 1, release: "test", mayHeal: true),
            head: ledger.head, rules: rules)
        reads = []
        try disconnect(until: now + .milliseconds(Int64(random.int(50...1_500))))
    }

    mutating func crashCloud() throws {
        // Of what was being committed the disk has all, or nothing.
        if let first = committing.first, random.chance(1, in: 2) { try store(first.entries) }
        committing = []; up = []
        receiver = Receiver(incarnation: "i", release: "test", sessionSeed: random.next(), rules: rules)
        try cloud(
            .enrolled(
                Samples.edge,
                EdgeMemory(
                    have: stored.last?.head ?? .start, announced: announced, epoch: stored.last?.epoch ?? 0, dispute: dispute,
                    settlement: settled == nil ? decision : nil)))
        try disconnect(until: now + .milliseconds(Int64(random.int(50...1_500))))
    }

    mutating func grow(_ count: Int) throws {
        if isGated { return }
        let entries = try ledger.grow(count)
        try edge(.committed(entries))
    }

    mutating func issue() throws {
        guard let boot = receiver.link(Samples.edge)?.boot, let id = CommandID(bytes: (0..<16).map { _ in UInt8(random.int(0...255)) }) else {
            return
        }
        // An outbox that has not heard the fate of an earlier command offers it again; it may be bound to a run that is gone.
        if random.chance(1, in: 3), let old = asked.last, old.expiresAt.map({ $0 > cloudClock.wall }) ?? true { try cloud(.dispatch(old)); return }
        let life = Span.milliseconds(Int64(random.int(50...12_000)))
        issued[id] = (boot, now + life)
        let command = Command(
            id: id, edge: Samples.edge, boundBoot: boot, issuer: "cloud:admin", tier: 1, issuedAt: cloudClock.wall,
            expiresAt: cloudClock.wall + life, body: .halt(reason: "r"))
        asked.append(command)
        try cloud(.dispatch(command))
    }

    // MARK: - Time

    /// One millisecond-sized step: whatever is due happens, then chance adds something.
    mutating func step() throws {
        now = now + .milliseconds(Int64(random.int(1...40)))
        try settle()
        let dice = random.int(1...1_000)
        if dice <= weather.cuts { try disconnect(until: now + .milliseconds(Int64(random.int(50...9_000)))) }
        if random.int(1...1_000) <= weather.edgeCrashes { try crashEdge() }
        if random.int(1...1_000) <= weather.cloudCrashes { try crashCloud() }
        if random.int(1...100) <= weather.commands { try issue() }
    }

    /// Everything that is due by now, in order of time.
    mutating func settle() throws {
        if let time = reconnectAt, time <= now {
            reconnectAt = nil; isConnected = true; connection += 1
            try edge(.linkDown)
            try edge(.linkUp)
        }
        for parcel in due(\.up) { try cloud(.frame(parcel.bytes, from: Peer(edge: Samples.edge, connection: parcel.connection))) }
        for parcel in due(\.down) where isConnected && parcel.connection == connection { try edge(.frame(parcel.bytes)) }
        while let first = committing.first, first.at <= now { try commit() }
        while let read = reads.first, read.at <= now {
            reads.removeFirst()
            try edge(.entries(from: read.from, Array(ledger.entries[(Int(read.from.raw) - 1)...].prefix(read.limit))))
        }
        if let wake = sender.wakeAt, wake <= edgeOffset + now { try edge(.tick) }
        if let wake = receiver.wakeAt, wake <= cloudOffset + now { try cloud(.tick) }
        try check()
    }

    private mutating func due(_ box: WritableKeyPath<Walk, [Parcel]>) -> [Parcel] {
        let time = now
        let ready = self[keyPath: box].filter { $0.at <= time }.sorted { ($0.at, $0.order) < ($1.at, $1.order) }
        self[keyPath: box].removeAll { $0.at <= time }
        return ready
    }

    /// Good weather until nothing is left to do, at most for `limit`.
    mutating func calmDown(limit: Span = .seconds(120)) throws {
        weather = .calm
        let end = now + limit
        while now < end, !isQuiet { try step() }
        guard isQuiet else { throw Broken(description: "not quiet: acked \(sender.acked.seq) of \(sender.head.seq), \(sender.phase)") }
        guard stored == ledger.entries else { throw Broken(description: "the cloud has other entries than the edge") }
    }

    var isQuiet: Bool { sender.phase == .open && sender.isCaughtUp && committing.isEmpty && stored.count == ledger.entries.count }

    // MARK: - The model

    /// What is stored must be the edge's own entry at that place.
    private mutating func store(_ entries: [Entry]) throws {
        for entry in entries {
            stored.append(entry)
            guard stored.count <= ledger.entries.count, ledger.entries[stored.count - 1] == entry else {
                throw Broken(description: "the cloud's entry \(stored.count) is not the edge's")
            }
        }
    }

    private mutating func check() throws {
        guard sender.acked.seq.raw <= UInt64(stored.count) else { throw Broken(description: "acked \(sender.acked.seq), stored \(stored.count)") }
        guard mostUnderWay <= rules.credit.entries else { throw Broken(description: "\(mostUnderWay) entries under way") }
        for one in delivered[checked...] {
            guard seen.insert(one.id).inserted else { throw Broken(description: "command \(one.id) delivered twice") }
            guard let command = issued[one.id], command.boot == one.boot else {
                throw Broken(description: "command \(one.id) delivered to another run")
            }
            if let deadline = one.deadline, let expires = command.expires, deadline > expires {
                throw Broken(description: "command \(one.id) may live until \(deadline.nanoseconds), it expires at \(expires.nanoseconds)")
            }
        }
        checked = delivered.count
        if let alarm = refusals.first(where: { !allowed.contains($0.verdict) }) {
            throw Broken(description: "false alarm: \(alarm.verdict) \(alarm.text)")
        }
    }
}
