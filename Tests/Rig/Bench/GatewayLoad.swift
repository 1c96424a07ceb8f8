// `rig bench gateway`: many clients on one simulated gateway, each with many streams of quotes, and what that costs the gateway's process.
import Glibc
import Platform
import Values
import Wire

enum GatewayLoad {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench gateway",
            options: [
                CommandOption("clients", value: "N", "connections (20)"), CommandOption("instruments", value: "N", "streams of each (100)"),
                CommandOption("ticks", value: "N", "moves of the market in a second (10)"), CommandOption("seconds", value: "N", "how long (10)"),
            ],
            "Loads a gateway of its own with clients that watch the same instruments: frames a second, and the gateway's share of one core."),
        run: run)

    /// Requests a client sends at once while it subscribes; the gateway takes fifty in a second, and a busy machine bunches what is sent apart.
    private static let requestsAtOnce = 40
    private static let answerSeconds = 20
    private static let settleMillis: Int64 = 1_000

    private static func run(_ options: RigOptions) throws -> Int32 {
        let clients = try options.number("clients", in: 1...200, default: 20)
        let instruments = try options.number("instruments", in: 1...5_000, default: 100)
        let ticks = try options.number("ticks", in: 1...100, default: 10)
        let seconds = try options.number("seconds", in: 1...86_400, default: 10)
        let load = Machine.load
        Log.setThreshold(.warning)
        let gateway = try ChildProcess(
            nil, ["gateway", "--port", "0", "--instruments", "\(instruments)", "--ticks", "\(ticks)", "--lines", "\(instruments)"])
        guard let port = gateway.line().flatMap({ RelayAddressText.port(Substring($0)) }) else { throw UsageError(text: "the gateway did not start") }
        let loop = EventLoop()
        let watchers = (0..<clients).map { LoadClient(loop, port: port, clientId: $0 + 1, instruments: instruments) }
        try subscribe(watchers, loop, instruments)
        turn(loop, milliseconds: settleMillis)
        for watcher in watchers { watcher.begin() }
        let (cpu, memory, began) = (Machine.processorMillis(gateway.pid), Machine.residentMegabytes(gateway.pid), SystemClock.monotonic())
        turn(loop, milliseconds: Int64(seconds) * 1_000)
        let elapsed = Double((SystemClock.monotonic() - began).nanoseconds) / 1e9
        let used = (Machine.processorMillis(gateway.pid) - cpu) / 1_000
        let frames = watchers.reduce(0) { $0 + $1.frames }
        let silent = watchers.reduce(0) { $0 + $1.silent }
        let broken = watchers.filter { !$0.isWell }.count
        let uneven = unevenness(watchers)
        let report: JSONValue = [
            "bench": "gateway", "clients": .integer(Int64(clients)), "instruments": .integer(Int64(instruments)), "ticks": .integer(Int64(ticks)),
            "seconds": .decimal(elapsed, 1), "frames": .integer(Int64(frames)), "frames_per_second": .decimal(Double(frames) / elapsed, 0),
            "megabytes_per_second": .decimal(Double(watchers.reduce(0) { $0 + $1.bytes }) / elapsed / 1e6, 1),
            "frames_per_stream_second": .decimal(Double(frames) / elapsed / Double(clients * instruments), 1),
            "cpu_percent": .decimal(used / elapsed * 100, 1), "silent": .integer(Int64(silent)), "lost": .integer(Int64(broken + uneven)),
            "rss_mb_before": .decimal(memory, 1), "rss_mb_after": .decimal(Machine.residentMegabytes(gateway.pid), 1), "load": .decimal(load, 2),
        ]
        BenchReport.print(report, isJSON: options.isJSON)
        return broken + uneven + silent == 0 ? 0 : 1
    }

    /// Asks for all streams, no faster than the gateway allows.
    private static func subscribe(_ watchers: [LoadClient], _ loop: EventLoop, _ instruments: Int) throws {
        turn(loop, milliseconds: 500)
        guard watchers.allSatisfy(\.isReady) else { throw UsageError(text: "not every client was let in") }
        for start in stride(from: 0, to: instruments, by: requestsAtOnce) {
            let numbers = start..<min(start + requestsAtOnce, instruments)
            for watcher in watchers { for number in numbers { watcher.ask(number) } }
            // A second after the last answer is another second of the gateway's too.
            for _ in 0..<answerSeconds {
                turn(loop, milliseconds: 1_000)
                if watchers.allSatisfy({ $0.answered >= numbers.upperBound || $0.refusal != nil }) { break }
            }
            turn(loop, milliseconds: 1_000)
        }
        if let refused = watchers.lazy.compactMap(\.refusal).first { throw UsageError(text: "the gateway refused a stream: \(refused)") }
    }

    /// Streams that heard another number of trades than the first client's stream of the same instrument.
    private static func unevenness(_ watchers: [LoadClient]) -> Int {
        // Clients begin and end to count between two steps of the market; more than one trade at each end is a loss.
        guard let first = watchers.first else { return 0 }
        return watchers.dropFirst().reduce(0) { sum, other in
            sum + zip(first.trades, other.trades).filter { abs($0 - $1) > 2 }.count
        }
    }

    private static func turn(_ loop: EventLoop, milliseconds: Int64) {
        let end = SystemClock.monotonic() + .milliseconds(milliseconds)
        while SystemClock.monotonic() < end { loop.turn(milliseconds: max(0, Int((end - SystemClock.monotonic()).nanoseconds / 1_000_000))) }
    }
}

/// One client: counts what it hears and looks no further.
private final class LoadClient: TCPOwner {
    private(set) var isReady = false
    private(set) var isWell = true
    /// The first error about a request, or about too many of them.
    private(set) var refusal: String?
    private(set) var frames = 0
    /// Streams that have begun.
    private(set) var answered = 0
    private(set) var bytes = 0
    /// By stream: trades told in the measured time, and whether anything was.
    private(set) var trades: [Int]
    private var heard: [Bool]
    private let clientId: Int
    private var connection: TCPConnection?
    private var rest: [UInt8] = []
    private static let firstRequest = 1_000

    init(_ loop: EventLoop, port: Int, clientId: Int, instruments: Int) {
        self.clientId = clientId
        trades = Array(repeating: 0, count: instruments)
        heard = Array(repeating: false, count: instruments)
        connection = loop.connect(host: "127.0.0.1", port: port, timeoutMillis: 5_000, owner: self)
    }

    var silent: Int { heard.filter { !$0 }.count }

    func begin() {
        (frames, bytes) = (0, 0)
        for index in trades.indices { trades[index] = 0; heard[index] = false }
    }
    func ask(_ number: Int) {
        let contract = ["\(900_000_001 + number)", "", "", "", "", "", "", "", "", "", "", ""]
        send(["1", "11", "\(Self.firstRequest + number)"] + contract + ["0", "", "0", "0", ""])
    }

    func opened(_ connection: TCPConnection) {
        let greeting = Array("v157..178".utf8)
        write(connection, Array("API\0".utf8) + Self.length(greeting.count) + greeting)
    }
    func closed(_ connection: TCPConnection, _ reason: TCPClose) { isWell = false }

    func received(_ span: RawSpan, on connection: TCPConnection) {
        span.withUnsafeBytes { rest.append(contentsOf: $0) }
        bytes += span.byteCount
        let taken = rest.withUnsafeBytes { take($0) }
        rest.removeFirst(taken)
    }

    private func take(_ buffer: UnsafeRawBufferPointer) -> Int {
        var at = 0
        while buffer.count - at >= 4 {
            let count = Int(buffer[at]) << 24 | Int(buffer[at + 1]) << 16 | Int(buffer[at + 2]) << 8 | Int(buffer[at + 3])
            guard buffer.count - at - 4 >= count else { break }
            look(UnsafeRawBufferPointer(rebasing: buffer[at + 4..<at + 4 + count]))
            at += 4 + count
        }
        return at
    }

    private func look(_ frame: UnsafeRawBufferPointer) {
        frames += 1
        if !isReady {
            // The server's version, then the next order id.
            if frames == 1 { send(["71", "2", "\(clientId)", ""]) } else if frame.first == 0x39, frame.count > 1, frame[1] == 0 { isReady = true }
            return
        }
        if frame.count > 2, frame[0] == 0x34, frame[1] == 0 { return complain(frame) }
        var (at, field) = (0, 0)
        var numbers = [0, 0, 0, 0]
        while at < frame.count, field < 4 {
            if frame[at] == 0 { field += 1 } else { numbers[field] = numbers[field] &* 10 &+ Int(frame[at]) &- 0x30 }
            at += 1
        }
        if numbers[0] == 81 { answered += 1 }
        // Message, version, request, tick type.
        guard [1, 2, 45, 46].contains(numbers[0]), trades.indices.contains(numbers[2] - Self.firstRequest) else { return }
        heard[numbers[2] - Self.firstRequest] = true
        if numbers[0] == 46, numbers[3] == 45 { trades[numbers[2] - Self.firstRequest] += 1 }
    }

    private func complain(_ frame: UnsafeRawBufferPointer) {
        let fields = frame.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        // Notices that farms are well are none.
        guard refusal == nil, fields.count > 4, !fields[3].hasPrefix("21") else { return }
        refusal = "\(fields[3]) \(fields[4])"
    }

    private func send(_ fields: [String]) {
        guard let connection else { return }
        var payload: [UInt8] = []
        for field in fields { payload += Array(field.utf8) + [0] }
        write(connection, Self.length(payload.count) + payload)
    }
    private func write(_ connection: TCPConnection, _ bytes: [UInt8]) {
        if connection.send(bytes) == .full { isWell = false }
    }
    private static func length(_ count: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(count >> $0 & 0xFF) } }
}
