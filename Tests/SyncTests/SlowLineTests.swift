// A backlog over a line of a few kilobytes a second: it gets up, and nothing piles up before it.
import Ledger
import Sync
import Testing
import Values

/// Both ends with a bulk lane as the driver and its sockets make it: a queue that empties as fast as the line carries, and what did not fit into it.
private struct SlowLine {
    var ledger: Samples.Ledger
    var sender: Sender
    var receiver: Receiver
    var now = Span.zero
    /// Bytes a second.
    var rate: Int
    /// A new session has the sockets of the former one.
    var keepsSockets = false
    /// Frames in the socket, with what is left of the first one, and those that wait for room in it.
    private var queue: [[UInt8]] = []
    private var left = 0
    private var waiting: [[UInt8]] = []
    private var isBlocked = false
    private var connection: UInt64 = 1
    private var linkUpAt: Span?
    /// Control frames on their way.
    private var control: [(at: Span, isUpward: Bool, bytes: [UInt8])] = []
    private(set) var stored: [Entry] = []
    private(set) var mostQueued = 0
    private(set) var bytesOffered = 0
    private(set) var largestBatch = 0
    private(set) var reopened = 0
    static let step = Span.milliseconds(250)

    init(_ count: Int, rate: Int, rules: Rules = Rules()) throws {
        ledger = try Samples.Ledger(seed: 3)
        try ledger.grow(count - 1)
        self.rate = rate
        sender = Walk.sender(ledger, rules)
        receiver = Receiver(incarnation: "i", release: "r", sessionSeed: 1, rules: rules)
        _ = receiver.handle(.enrolled(Samples.edge, EdgeMemory()), at: Self.clock(now, of: 77))
        edge(.linkUp)
    }

    private static func clock(_ now: Span, of start: Int64) -> ClockReading {
        ClockReading(wall: Instant(seconds: 1_795_000_000) + now, monotonic: .seconds(start) + now)
    }

    mutating func grow(_ count: Int) throws {
        largestBatch = 0
        edge(.committed(try ledger.grow(count)))
    }

    private mutating func edge(_ input: Sender.Input) {
        var inputs = [input]
        while !inputs.isEmpty {
            for action in sender.handle(inputs.removeFirst(), at: Self.clock(now, of: 1_000)) {
                switch action {
                case .send(.control, let bytes): control.append((now + .milliseconds(50), true, bytes))
                case .send(.bulk, let bytes):
                    bytesOffered += bytes.count
                    if let frame = try? Frame(bytes), let batch = try? Batch(frame.body) { largestBatch = max(largestBatch, batch.rawBytes) }
                    waiting.append(bytes)
                    inputs += flush()
                case .read(let from, let entries, let bytes):
                    var (piece, size) = (ledger.entries[(Int(from.raw) - 1)...].prefix(entries), 0)
                    piece = piece.prefix { entry in
                        size += Batch.size(of: entry)
                        return entry.seq == from || size <= bytes
                    }
                    inputs.append(.entries(from: from, Array(piece)))
                case .readHeads(let attempt, let seqs):
                    inputs.append(.heads(attempt: attempt, asked: seqs, seqs.map { ledger.entries[Int($0.raw) - 1].head }))
                case .reopen:
                    reopened += 1
                    inputs.append(.linkDown)
                    if keepsSockets { inputs.append(.linkUp); continue }
                    queue = []; waiting = []; left = 0; isBlocked = false
                    linkUpAt = now + .seconds(1)
                default: break
                }
            }
        }
        mostQueued = max(mostQueued, queue.count + waiting.count)
    }

    /// As `Uplink` does it: 64 frames fit into the socket, and the sender is told of a change.
    private mutating func flush() -> [Sender.Input] {
        let room = min(waiting.count, 64 - queue.count)
        if queue.isEmpty, let first = waiting.first, room > 0 { left = first.count }
        queue += waiting.prefix(room)
        waiting.removeFirst(room)
        guard waiting.isEmpty == isBlocked else { return [] }
        isBlocked.toggle()
        return [.blocked(.bulk, isBlocked)]
    }

    private mutating func cloud(_ input: Receiver.Input) {
        var inputs = [input]
        while !inputs.isEmpty {
            for action in receiver.handle(inputs.removeFirst(), at: Self.clock(now, of: 77)) {
                switch action {
                case .send(let bytes, _): control.append((now + .milliseconds(50), false, bytes))
                case .commit(let edge, let entries):
                    stored += entries
                    inputs += entries.last.map { [.committed(edge, $0.head)] } ?? []
                case .compare(let edge, let head):
                    inputs.append(.compared(edge, head, isEqual: head.seq == Seq(0) || stored[Int(head.seq.raw) - 1].head == head))
                case .lookUp(let edge, let seqs):
                    inputs.append(.lookedUp(edge, seqs, seqs.filter { $0 > Seq(0) }.map { stored[Int($0.raw) - 1].head }))
                default: break
                }
            }
        }
    }

    private var peer: Peer { Peer(edge: Samples.edge, connection: connection) }

    /// Runs until everything is acknowledged, or so long.
    /// - Returns: how long it took; nil when it was not done.
    mutating func run(atMost limit: Span) -> Span? {
        let start = now
        while now - start < limit {
            now = now + Self.step
            var budget = rate / 4
            while budget > 0, let first = queue.first {
                let passed = min(budget, left)
                left -= passed; budget -= passed
                guard left == 0 else { break }
                queue.removeFirst()
                left = queue.first?.count ?? 0
                cloud(.frame(first, from: peer))
            }
            for input in flush() { edge(input) }
            if let time = linkUpAt, time <= now { linkUpAt = nil; connection += 1; edge(.linkUp) }
            let due = control.filter { $0.at <= now }
            control.removeAll { $0.at <= now }
            for frame in due { if frame.isUpward { cloud(.frame(frame.bytes, from: peer)) } else { edge(.frame(frame.bytes)) } }
            if let wake = sender.wakeAt, wake <= .seconds(1_000) + now { edge(.tick) }
            if let wake = receiver.wakeAt, wake <= .seconds(77) + now { cloud(.tick) }
            if sender.isCaughtUp, sender.phase == .open { return now - start }
        }
        return nil
    }
}

struct SlowLineTests {
    private static let backlog = 6_000

    private func run(_ line: inout SlowLine) throws -> Span {
        let done = line.run(atMost: .hours(2))
        return try #require(done, "still \(line.sender.backlog) entries behind")
    }

    /// At seven kilobytes a second a full batch takes longer than the fifteen seconds until the edge asks, at two longer than a session lasts without
    /// an ack, at half a kilobyte so does half of one.
    @Test(arguments: [7_000, 2_000, 500]) func aBacklogGetsUp(rate: Int) throws {
        var line = try SlowLine(Self.backlog, rate: rate)
        _ = try run(&line)
        #expect(line.stored == line.ledger.entries && line.mostQueued < 64, "\(line.mostQueued) frames waited")
        var fast = try SlowLine(Self.backlog, rate: 10_000_000)
        _ = try run(&fast)
        // What merely takes long is not sent again; what a session could not get through is sent by the next one.
        #expect(rate < 7_000 || (line.reopened == 0 && line.bytesOffered < fast.bytesOffered * 11 / 10), "\(line.bytesOffered) \(fast.bytesOffered)")
        #expect(rate > 500 || line.reopened > 1)
    }

    /// Once the line is fast again batches have their full size again.
    @Test func whatWasMadeSmallGrowsAgain() throws {
        var line = try SlowLine(Self.backlog, rate: 500)
        _ = try run(&line)
        line.rate = 10_000_000
        var sizes: [Int] = []
        for _ in 0..<5 {
            try line.grow(3_000)
            #expect(try run(&line) < .minutes(1))
            sizes.append(line.largestBatch)
        }
        #expect(sizes[0] < 250_000 && sizes == sizes.sorted() && sizes[4] > 600_000, "\(sizes)")
    }

    /// What stood in the way: frames of former sessions in the sockets, and batches that no session lasts long enough for.
    @Test(arguments: [true, false]) func withoutTheMendItStaysDown(keepsSockets: Bool) throws {
        var rules = Rules()
        rules.neverSlowsDown = true
        var line = try SlowLine(Self.backlog, rate: 2_000, rules: rules)
        line.keepsSockets = keepsSockets
        let done = line.run(atMost: .hours(1))
        #expect(done == nil && line.stored.isEmpty && line.reopened > 50)
        #expect((line.mostQueued > 64) == keepsSockets, "\(line.mostQueued) frames waited")
    }
}
