// `rig bench footprint`: what the real edge costs, how much memory it holds and how long it takes to be ready on a ledger of some age.
import EdgeAgent
import Glibc
import Platform
import Values
import Wire

enum FootprintBench {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench footprint",
            options: [
                CommandOption("entries", value: "N", "how long the ledger is (20000)"), CommandOption("runs", value: "N", "starts to measure (5)"),
                CommandOption("edge", value: "FILE", "the program to start (the tidewire-edge beside this one)"),
            ],
            "Starts tidewire-edge beside a simulated gateway: milliseconds until its local socket answers, then megabytes."),
        run: run)

    /// How long the edge then runs before its memory is looked at: quotes flow, bars and account are there.
    private static let settleMillis: Int64 = 3_000
    private static let startMillisMax: Int64 = 120_000

    private static func run(_ options: RigOptions) throws -> Int32 {
        let count = try options.number("entries", in: 1...10_000_000, default: 20_000)
        let runs = try options.number("runs", in: 1...100, default: 5)
        let program = try options.text("edge") ?? beside("tidewire-edge")
        let load = Machine.load
        Log.setThreshold(.warning)
        let data = try BenchFolder()
        try makeLedger(EdgeFolder(data.path), count)
        let gateway = try ChildProcess(nil, ["gateway", "--port", "0"])
        guard let port = gateway.line().flatMap({ RelayAddressText.port(Substring($0)) }) else { throw UsageError(text: "the gateway did not start") }
        var ready: [Double] = []
        var memory: [Double] = []
        for number in 0..<runs {
            let edge = try start(program, data.path, port, into: &ready)
            if number == runs - 1 { wait(settleMillis) }
            memory.append(Machine.residentMegabytes(edge.pid))
            edge.stop()
        }
        ready.sort()
        let report: JSONValue = [
            "bench": "footprint", "entries": .integer(Int64(count)), "runs": .integer(Int64(runs)), "ready_ms": .decimal(ready[ready.count / 2], 1),
            "ready_ms_best": .decimal(ready[0], 1), "ready_ms_worst": .decimal(ready[ready.count - 1], 1), "rss_mb": .decimal(memory.last ?? 0, 1),
            "rss_mb_at_ready": .decimal(memory.first ?? 0, 1), "load": .decimal(load, 2),
        ]
        BenchReport.print(report, isJSON: options.isJSON)
        return 0
    }

    static func makeLedger(_ folder: EdgeFolder, _ count: Int) throws {
        let journal = try Journal(path: folder.ledger, edge: try folder.identity())
        try DayLedger.write(count, to: journal)
    }

    /// From the start of the process until `status` is answered on its socket; the ledger is verified before there is a socket.
    static func start(_ program: String, _ data: String, _ port: Int, into ready: inout [Double]) throws -> ChildProcess {
        let began = SystemClock.monotonic()
        let edge = try ChildProcess(program, ["run", "--data", data, "--gateway-port", "\(port)", "--log-level", "warning"])
        while SystemClock.monotonic() - began < .milliseconds(startMillisMax) {
            if (try? HTTPClient.send(HTTPCall(.get, url: "http://edge/api/v1/status", unixSocket: data + "/edge.sock")))?.status == 200 {
                ready.append((SystemClock.monotonic() - began).inMilliseconds)
                return edge
            }
            wait(1)
        }
        throw UsageError(text: "\(program) did not become ready")
    }

    private static func wait(_ milliseconds: Int64) {
        let loop = EventLoop()
        let end = SystemClock.monotonic() + .milliseconds(milliseconds)
        while SystemClock.monotonic() < end { loop.turn(milliseconds: max(0, Int((end - SystemClock.monotonic()).nanoseconds / 1_000_000))) }
    }

    static func beside(_ name: String) throws -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        guard count > 0 else { throw UsageError(text: "cannot find this program's own folder; say --edge FILE") }
        let own = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let program = own[...(own.lastIndex(of: "/") ?? own.startIndex)] + name
        guard access(String(program), X_OK) == 0 else { throw UsageError(text: "there is no \(program); build it, or say --edge FILE") }
        return String(program)
    }
}
