// What the benches of the link share: a real cloud behind a relay, and the edge's side as the edge's loop turns it.
import EdgeAgent
import Ledger
import Platform
import Sync
import Values
import Wire

/// A cloud in a process of its own that knows one edge, and the relay before it; both end with it.
final class BenchCloud {
    let cloud: ChildProcess
    private let relay: ChildProcess
    private let control: String
    /// Where the relay listens, and the key of the cloud behind it.
    let port: Int
    let key: [UInt8]
    /// Where the cloud's API answers.
    let web: Int
    static let user = "admin"
    static let password = "bench password"

    /// - Parameter delay: each way, in milliseconds.
    init(_ data: String, edge: EdgeID, keys: CurveKeys, delay: Int) throws {
        cloud = try ChildProcess(nil, ["bench", "cloud", "--data", data, "--edge", edge.description, "--key", Hex.text(keys.publicKey)])
        let said = cloud.line().flatMap { try? JSONReader.read(Array($0.utf8)) }
        guard let said, let link = said["link"]?.integerValue, let web = said["web"]?.integerValue,
            let key = said["key"]?.text.flatMap({ Hex.bytes($0) })
        else { throw UsageError(text: "the cloud did not start") }
        self.key = key; self.web = Int(web)
        control = data + "/relay.control"
        relay = try ChildProcess(
            nil, ["relay", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:\(link)", "--control", control, "--weather", "delay=\(delay)"])
        // "listening on ADDRESS to ADDRESS"
        let words = relay.line()?.split(separator: " ") ?? []
        guard words.count == 5, let port = RelayAddressText.port(words[2]) else { throw UsageError(text: "the relay did not start") }
        self.port = port
    }

    /// Bytes that went through the relay from the edge to the cloud.
    func bytesForth() throws -> Int64 {
        guard case .answer(let answer) = RelayControl.ask("status", control), let bytes = answer["bytes_forth"]?.integerValue else {
            throw UsageError(text: "the relay does not answer")
        }
        return bytes
    }

    func stop() {
        relay.stop()
        cloud.stop()
    }
}

/// The edge's uplink on its journal, without an agent.
final class BenchUplink {
    let uplink: Uplink
    private let loop = EventLoop()
    private let arrivals = Arrivals()
    private var tickedAt = Span.zero

    private final class Arrivals { var events: [LinkEvent] = [] }

    init(_ journal: Journal, to cloud: BenchCloud, _ keys: CurveKeys) throws {
        let identity = Identity(edge: journal.edge, boot: journal.last?.boot ?? Boot(raw: 1), epoch: 1, release: Version.product)
        let inbox = loop.inbox(of: LinkEvent.self) { [arrivals] in arrivals.events += $0 }
        uplink = try Uplink(
            UplinkSettings(host: "127.0.0.1", port: cloud.port, serverKey: cloud.key, keys: keys), journal: journal, identity: identity
        ) { inbox.post($0) }
    }

    /// As the edge's loop turns: events, entries, and ten times a second the clock.
    /// - Parameter milliseconds: how long it may wait for an event when nothing is to be read.
    @discardableResult func turn(milliseconds: Int) throws -> ClockReading {
        loop.turn(milliseconds: uplink.hasMore ? 0 : milliseconds)
        let clock = ClockReading(wall: SystemClock.now(), monotonic: SystemClock.monotonic())
        for event in arrivals.events { try uplink.receive(event, at: clock) }
        arrivals.events.removeAll(keepingCapacity: true)
        try uplink.readOn(at: clock)
        if clock.monotonic - tickedAt >= .milliseconds(100) {
            tickedAt = clock.monotonic
            try uplink.tick(at: clock)
        }
        return clock
    }

    /// Turns until the session is open and the cloud has everything up to `seq`.
    func settle(at seq: Seq, within seconds: Int64) throws {
        let started = SystemClock.monotonic()
        while uplink.phase != .open || uplink.acked.seq < seq {
            let now = try turn(milliseconds: 50).monotonic
            guard now - started < .seconds(seconds) else {
                throw UsageError(text: "after \(seconds) s the cloud has \(uplink.acked.seq) of \(seq) entries")
            }
        }
    }

    func stop() { uplink.stop(reason: "the bench is over", at: ClockReading(wall: SystemClock.now(), monotonic: SystemClock.monotonic())) }
}

extension Span {
    /// For a report.
    var inMilliseconds: Double { Double(nanoseconds) / 1e6 }
}

/// The middle and the ends of what was measured.
struct Measured {
    private let sorted: [Double]
    init(_ values: [Double]) { sorted = values.sorted() }
    /// The value below which this part of all lies; 0 when nothing was measured.
    func part(_ share: Double) -> Double { sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] }
    var most: Double { sorted.last ?? 0 }
}
