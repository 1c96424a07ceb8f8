// `rig bench t2o`: how long from a traded price to the order that answers it, journalled in between.
import Platform
import Values
import Wire

enum T2OBench {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench t2o",
            options: [
                CommandOption("seconds", value: "N", "how long prices are played, after one second of warming up (5)"),
                CommandOption("stub", value: "FILE", "plays with this program instead: it takes --port --rate --secs and prints LISTEN and RESULT"),
                CommandOption("rate", value: "N", "ticks a second of the stub, 200 of them triggers (1000)"),
                CommandOption("client", value: "FILE", "with --stub: measures this program with HOST and PORT, and perhaps a --journal, after it"),
                CommandOption("journal", value: "FILE", "a third word for the --client: the file that it writes each order to"),
            ],
            "Starts rig t2o-client against a player of prices and takes the time of each order."),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        let seconds = try options.number("seconds", in: 1...600, default: Int64(5))
        let load = Machine.load
        if let stub = options.text("stub") {
            let rate = try options.number("rate", in: 200...100_000, default: Int64(1_000))
            let own = try measure(stub, rate, seconds, nil, ["t2o-client", "127.0.0.1"], [])
            var members = report(own)
            if let client = options.text("client") {
                let other = report(try measure(stub, rate, seconds, client, ["127.0.0.1"], options.text("journal").map { [$0] } ?? []))
                members += other.filter { $0.key != "bench" }.map { JSONMember("other_" + $0.key, $0.value) }
            }
            BenchReport.print(.object(members + [JSONMember("load", .decimal(load, 2))]), isJSON: options.isJSON)
            return own["lost"]?.integerValue == 0 ? 0 : 5
        }
        return try play(seconds, load, isJSON: options.isJSON)
    }

    // MARK: With a stub

    /// One run of a client against the stub; the stub's own result.
    private static func measure(
        _ stub: String, _ rate: Int64, _ seconds: Int64, _ client: String?, _ words: [String], _ more: [String]
    ) throws -> JSONValue {
        let player = try ChildProcess(
            stub, ["--port", "0", "--rate", "\(rate)", "--trigger-rate", "200", "--secs", "\(seconds)", "--warmup", "1", "--grace", "1"])
        guard let port = player.line()?.split(separator: " ").last else { throw UsageError(text: "\(stub) does not listen") }
        let trader = try ChildProcess(client, words + [String(port)] + more)
        defer { trader.stop() }
        while let line = player.line(withinMillis: Int32(seconds + 20) * 1_000) {
            guard line.hasPrefix("RESULT ") else { continue }
            return try JSONReader.read(Array(line.dropFirst(7).utf8))
        }
        throw UsageError(text: "\(stub) gave no result")
    }

    private static func report(_ result: JSONValue) -> [JSONMember] {
        let latency = result["lat_us"] ?? .null
        return [JSONMember("bench", "t2o")]
            + [("p50_us", "p50"), ("p99_us", "p99"), ("p999_us", "p999"), ("max_us", "max")].map { JSONMember($0.0, latency[$0.1] ?? .null) }
            + [("triggers", "triggers"), ("orders", "orders"), ("lost", "lost"), ("doubled", "dup")].map { JSONMember($0.0, result[$0.1] ?? .null) }
    }

    // MARK: With our own player

    private static func play(_ seconds: Int64, _ load: Double, isJSON: Bool) throws -> Int32 {
        let loop = EventLoop()
        let player = TickPlayer()
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { player.accept($0) }
        let trader = try ChildProcess(nil, ["t2o-client", "127.0.0.1", "\(listener.port)"])
        let started = SystemClock.monotonic()
        // Connecting and comparing take most of two seconds; the last second is for answers only.
        let end = started + .seconds(seconds + 3)
        while !player.isOver, SystemClock.monotonic() < end + .seconds(1) { loop.turn(milliseconds: player.advance(until: end)) }
        let memory = Machine.residentMegabytes(trader.pid)
        trader.stop()
        let warm = player.latencies.dropFirst(player.latencies.count / (Int(seconds) + 1)).sorted()
        func microseconds(_ share: Double) -> JSONValue {
            guard !warm.isEmpty else { return .null }
            return .decimal(Double(warm[Int(Double(warm.count - 1) * share)].nanoseconds) / 1_000, 1)
        }
        let report: JSONValue = [
            "bench": "t2o", "p50_us": microseconds(0.5), "p99_us": microseconds(0.99), "p999_us": microseconds(0.999), "max_us": microseconds(1),
            "triggers": .integer(Int64(player.counted)), "orders": .integer(Int64(player.latencies.count)),
            "lost": .integer(Int64(player.unanswered)), "doubled": .integer(Int64(player.doubled)), "rss_mb": .decimal(memory, 1),
            "load": .decimal(load, 2),
        ]
        BenchReport.print(report, isJSON: isJSON)
        return player.unanswered == 0 && player.doubled == 0 && player.counted > 0 ? 0 : 5
    }
}
