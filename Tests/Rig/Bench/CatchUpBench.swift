// `rig bench catch-up`: a backlog goes from the edge's real journal through CURVE into the real cloud's store, two processes and a relay between.
import CloudNode
import EdgeAgent
import Ledger
import Platform
import Sync
import Values
import Wire

enum CatchUpBench {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench catch-up",
            options: [
                CommandOption("entries", value: "N", "how long the backlog is (200000)"),
                CommandOption("rtt-ms", value: "MS", "the round trip of the relay between the two (0)"),
                CommandOption("noise", value: "BYTES", "random bytes in each entry, as text of six bits a letter (the entries of a trading day)"),
            ],
            "How fast a backlog becomes durable in the cloud: full syncs on both sides, every hash checked on both sides, then compared."),
        run: run)

    /// Longer than any machine should need; a stall is told, not waited for.
    private static let secondsMax: Int64 = 300

    private static func run(_ options: RigOptions) throws -> Int32 {
        let count = try options.number("entries", in: 1...10_000_000, default: 200_000)
        let roundTrip = try options.number("rtt-ms", in: 0...10_000, default: 0)
        let noise = options.text("noise") == nil ? nil : try options.number("noise", in: 1...40_000, default: 200)
        Log.setThreshold(.warning)
        let load = Machine.load
        let data = try BenchFolder()
        let folder = try EdgeFolder(data.path + "/edge")
        let journal = try Journal(path: folder.ledger, edge: try folder.identity())
        try DayLedger.write(count, to: journal, noise: noise)
        let keys = try folder.linkKeys()
        let far = try BenchCloud(data.path + "/cloud", edge: journal.edge, keys: keys, delay: roundTrip / 2)
        let run = try drain(journal, far, keys)
        let cloudMemory = Machine.residentMegabytes(far.cloud.pid)
        let bytes = try far.bytesForth()
        far.stop()
        let difference = try compare(folder.ledger, EdgeLedgers.path(folder: data.path + "/cloud/edges", journal.edge))
        let report: JSONValue = [
            "bench": "catch-up", "entries": .integer(Int64(count)), "rtt_ms": .integer(Int64(roundTrip)),
            "entries_per_second": .integer(Int64(Double(count) / run.open)),
            "seconds": .decimal(run.open, 3), "seconds_with_connecting": .decimal(run.total, 3), "lost": .integer(difference.lost),
            "doubled": .integer(difference.doubled), "wire_bytes_per_entry": .decimal(Double(bytes) / Double(count), 1),
            "cpu_edge_us_per_entry": .decimal(run.edgeMillis * 1_000 / Double(count), 2),
            "cpu_cloud_us_per_entry": .decimal(run.cloudMillis * 1_000 / Double(count), 2), "rss_edge_mb": .decimal(run.edgeMemory, 1),
            "rss_cloud_mb": .decimal(cloudMemory, 1), "load": .decimal(load, 2),
        ]
        BenchReport.print(report, isJSON: options.isJSON)
        return difference.lost == 0 && difference.doubled == 0 ? 0 : 5
    }

    // MARK: The backlog's way

    private struct Run {
        /// From the open session to the last acknowledgement, and with the handshakes before it. Seconds.
        var open = 0.0, total = 0.0
        var edgeMillis = 0.0, cloudMillis = 0.0, edgeMemory = 0.0
    }

    private static func drain(_ journal: Journal, _ far: BenchCloud, _ keys: CurveKeys) throws -> Run {
        let link = try BenchUplink(journal, to: far, keys)
        let own = Machine.ownPID
        let started = SystemClock.monotonic()
        var run = Run(edgeMillis: Machine.processorMillis(own), cloudMillis: Machine.processorMillis(far.cloud.pid))
        var openAt: Span?
        while link.uplink.acked.seq < journal.head.seq {
            let now = try link.turn(milliseconds: 50).monotonic
            if openAt == nil, link.uplink.phase == .open { openAt = now }
            guard now - started < .seconds(secondsMax) else {
                throw UsageError(text: "after \(secondsMax) s the cloud has \(link.uplink.acked.seq) of \(journal.head.seq) entries")
            }
        }
        let ended = SystemClock.monotonic()
        run.open = seconds(ended - (openAt ?? started)); run.total = seconds(ended - started)
        run.edgeMillis = Machine.processorMillis(own) - run.edgeMillis
        run.cloudMillis = Machine.processorMillis(far.cloud.pid) - run.cloudMillis
        run.edgeMemory = Machine.residentMegabytes(own)
        link.stop()
        return run
    }

    private static func seconds(_ span: Span) -> Double { Double(span.nanoseconds) / 1e9 }

    // MARK: What arrived

    /// Both files read row by row: what the edge has and the cloud has not just so, and what the cloud has beyond.
    private static func compare(_ near: String, _ far: String) throws -> (lost: Int64, doubled: Int64) {
        let (near, far) = (try open(near), try open(far))
        var (lost, seen) = (Int64(0), Int64(0))
        var from: UInt64 = 1
        while true {
            let rows = try near.read(from: from, limit: 4_096)
            guard let last = rows.last else { break }
            let found = try far.read(from: from, limit: rows.count)
            seen += Int64(found.count)
            for (index, row) in rows.enumerated() where index >= found.count || found[index] != row { lost += 1 }
            from = last.seq + 1
        }
        return (lost, Int64(try far.count()) - seen)
    }

    private static func open(_ path: String) throws -> EntryStore { try EntryStore(path: path, .init(.readOnly)) }
}
