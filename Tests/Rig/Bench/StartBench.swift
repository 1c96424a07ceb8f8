// `rig bench start`: how long the real edge takes to be ready on a ledger of a thousand entries and on one of many, by turns in one run.
import EdgeAgent
import Ledger
import Platform
import Values
import Wire

enum StartBench {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench start",
            options: [
                CommandOption("entries", value: "N", "how long the long ledger is (1000000)"),
                CommandOption("runs", value: "N", "starts of each to measure (9)"),
                CommandOption("edge", value: "FILE", "the program to start (the tidewire-edge beside this one)"),
            ],
            "Starts tidewire-edge on a short and a long ledger by turns, after orderly ends and after a crash: milliseconds until its socket answers."
        ),
        run: run)

    private static let short = 1_000
    /// Entries behind the newest snapshot at the worst: the next one is due.
    private static let tail = Int(SnapshotSettings.standardInterval) - 10

    private static func run(_ options: RigOptions) throws -> Int32 {
        let count = try options.number("entries", in: 1_000...20_000_000, default: 1_000_000)
        let runs = try options.number("runs", in: 1...100, default: 9)
        let program = try options.text("edge") ?? FootprintBench.beside("tidewire-edge")
        let load = Machine.load
        Log.setThreshold(.warning)
        let gateway = try ChildProcess(nil, ["gateway", "--port", "0"])
        guard let port = gateway.line().flatMap({ RelayAddressText.port(Substring($0)) }) else { throw UsageError(text: "the gateway did not start") }
        let small = try BenchFolder(), large = try BenchFolder()
        try FootprintBench.makeLedger(EdgeFolder(small.path), short)
        try FootprintBench.makeLedger(EdgeFolder(large.path), count)
        // The first start reads every entry, and its end keeps what they add up to.
        let whole = try start(program, large.path, port)
        _ = try start(program, small.path, port)
        var shorts: [Double] = [], longs: [Double] = [], crashed: [Double] = []
        for _ in 0..<runs {
            shorts.append(try start(program, small.path, port))
            longs.append(try start(program, large.path, port))
        }
        // As after a power cut just before the next snapshot; each of these runs is killed, so that the next finds the same.
        try lengthen(EdgeFolder(large.path))
        for _ in 0..<runs { crashed.append(try start(program, large.path, port, isKilled: true)) }
        let report: JSONValue = [
            "bench": "start", "entries": .integer(Int64(count)), "runs": .integer(Int64(runs)), "ready_ms_1000": .decimal(median(shorts), 1),
            "ready_ms": .decimal(median(longs), 1), "ratio": .decimal(median(longs) / median(shorts), 2),
            "ready_ms_after_crash": .decimal(median(crashed), 1), "ratio_after_crash": .decimal(median(crashed) / median(shorts), 2),
            "ready_ms_every_entry": .decimal(whole, 1), "load": .decimal(load, 2),
        ]
        BenchReport.print(report, isJSON: options.isJSON)
        return 0
    }

    private static func lengthen(_ folder: EdgeFolder) throws {
        let journal = try Journal(path: folder.ledger, edge: try folder.identity())
        try DayLedger.write(Int(journal.head.seq.raw) + tail, to: journal)
    }

    private static func start(_ program: String, _ data: String, _ port: Int, isKilled: Bool = false) throws -> Double {
        var ready: [Double] = []
        let edge = try FootprintBench.start(program, data, port, into: &ready)
        if isKilled { edge.kill() } else { edge.stop() }
        return ready[0]
    }

    private static func median(_ times: [Double]) -> Double { times.sorted()[times.count / 2] }
}
