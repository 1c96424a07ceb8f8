// Two lanes: a kill command reaches the edge, and its receipt the cloud, within two beats while a backlog fills the other lane.
import Ledger
import Sync
import Testing
import Values

/// Both ends over a line that carries so many bytes a second each way, with one queue for each lane, or one for all.
private struct Line {
    struct Parcel { let at: Span, bytes: [UInt8] }
    let isOneQueue: Bool
    let bytesPerSecond: Int64
    var sender: Sender
    var receiver: Receiver
    let entries: [Entry]
    var now = Span.zero
    /// What waits on the way up, lane by lane, and when each queue is free again.
    var up: [[Parcel]] = [[], []]
    var free: [Span] = [.zero, .zero]
    var down: [Parcel] = []
    var deliveredAt: Span?
    var receivedAt: Span?
    private let peer = Peer(edge: Samples.edge, connection: 1)

    init(_ count: Int, isOneQueue: Bool, bytesPerSecond: Int64) throws {
        self.isOneQueue = isOneQueue; self.bytesPerSecond = bytesPerSecond
        var ledger = try Samples.Ledger(seed: 4)
        try ledger.grow(count - 1)
        entries = ledger.entries
        sender = Walk.sender(ledger, Rules())
        receiver = Receiver(incarnation: "i", release: "r", sessionSeed: 100)
        _ = receiver.handle(.enrolled(Samples.edge, EdgeMemory()), at: Line.clock(.zero))
        edge(.linkUp)
    }

    private static func clock(_ now: Span) -> ClockReading {
        ClockReading(wall: Instant(seconds: 1_795_000_000) + now, monotonic: .seconds(100) + now)
    }

    mutating func edge(_ input: Sender.Input) {
        for action in sender.handle(input, at: Line.clock(now)) {
            switch action {
            case .send(let lane, let bytes):
                // The lanes share the line's speed; within a queue each frame waits for the one before it.
                let queue = isOneQueue ? 0 : Int(lane.rawValue)
                let share = isOneQueue ? bytesPerSecond : bytesPerSecond / 2
                let start = max(now, free[queue])
                free[queue] = start + Span(nanoseconds: Int64(bytes.count) * 1_000_000_000 / share)
                up[queue].append(Parcel(at: free[queue] + .milliseconds(25), bytes: bytes))
            case .read(let from, let count, _): edge(.entries(from: from, Array(entries[(Int(from.raw) - 1)...].prefix(count))))
            case .deliver: deliveredAt = deliveredAt ?? now
            default: break
            }
        }
    }
    mutating func cloud(_ input: Receiver.Input) {
        for action in receiver.handle(input, at: Line.clock(now)) {
            switch action {
            case .send(let bytes, _): down.append(Parcel(at: now + .milliseconds(25), bytes: bytes))
            case .commit(let edge, let taken): if let last = taken.last { cloud(.committed(edge, last.head)) }
            case .commandReceived: receivedAt = receivedAt ?? now
            default: break
            }
        }
    }
    /// Ten milliseconds pass.
    mutating func step() {
        now = now + .milliseconds(10)
        for queue in up.indices {
            while let first = up[queue].first, first.at <= now { up[queue].removeFirst(); cloud(.frame(first.bytes, from: peer)) }
        }
        while let first = down.first, first.at <= now { down.removeFirst(); edge(.frame(first.bytes)) }
        if now.nanoseconds % 100_000_000 == 0 { edge(.tick); cloud(.tick) }
    }
}

@Suite struct LanesTests {
    /// A slow line and a backlog that takes it minutes: the receipt comes within two beats with two lanes, and far later with one.
    @Test(arguments: [false, true]) func aKillOvertakesTheBacklog(isOneQueue: Bool) throws {
        var line = try Line(20_000, isOneQueue: isOneQueue, bytesPerSecond: 40_000)
        while line.receiver.link(Samples.edge)?.boot == nil, line.now < .seconds(10) { line.step() }
        // The queue is full of batches before anybody asks.
        let opened = line.now
        while line.now < opened + .seconds(3) { line.step() }
        let boot = try #require(line.receiver.link(Samples.edge)?.boot)
        #expect(!line.sender.isCaughtUp && line.free.contains { $0 > line.now + .seconds(8) }, "a full backlog")
        let asked = line.now
        line.cloud(.dispatch(try CommandTests.command(boot: boot)))
        while line.receivedAt == nil, line.now < asked + .seconds(60) { line.step() }
        let twoBeats = Rules().beatEvery + Rules().beatEvery
        let delivered = try #require(line.deliveredAt), received = line.receivedAt
        #expect(delivered - asked <= twoBeats)
        #expect((received.map { $0 - asked <= twoBeats } ?? false) == !isOneQueue, "\(String(describing: received.map { $0 - asked }))")
        #expect(!line.sender.isCaughtUp, "the backlog was still under way")
    }
}
