// `rig bench steps`: how long one step of what the edge does beside trading holds up its loop, and what an ordinary append costs meanwhile.
import EdgeAgent
import Glibc
import Ledger
import Platform
import Trading
import Values
import Venues
import Views
import Wire

enum StepsBench {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench steps",
            options: [
                CommandOption("entries", value: "N", "how long the ledger is (1000000)"),
                CommandOption("segments", value: "N", "how many segments of it are moved (4)"),
                CommandOption("appends", value: "N", "appends to measure with nothing beside them (400)"),
            ],
            "Lets an idle edge keep a snapshot of a long ledger, read it again from the first entry, and move old entries into segments, a step at a\n"
                + "time as in its own loop: milliseconds of each step, and of appends with their sync alone and between the steps. cpu: without waiting."
        ),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        let count = try options.number("entries", in: 5_000...20_000_000, default: 1_000_000)
        let segments = try options.number("segments", in: 0...1_000, default: 4)
        let appends = try options.number("appends", in: 1...100_000, default: 400)
        Log.setThreshold(.warning)
        let load = Machine.load
        let stage = try Stage(entries: count)
        for _ in 0..<appends { try stage.append("append_alone") }
        try stage.keepSnapshot()
        try stage.readAgain()
        try stage.move(segments)
        var report: [JSONMember] = [
            JSONMember("bench", "steps"), JSONMember("entries", .integer(Int64(count))), JSONMember("segments", .integer(Int64(segments))),
            JSONMember("snapshot_bytes", .integer(stage.snapshotBytes)),
        ]
        for (name, times) in stage.times.sorted(by: { $0.key < $1.key }) {
            let measured = Measured(times.map(\.whole)), busy = Measured(times.map(\.busy))
            report += [
                JSONMember("\(name)_count", .integer(Int64(times.count))), JSONMember("\(name)_p50_ms", .decimal(measured.part(0.5), 3)),
                JSONMember("\(name)_p99_ms", .decimal(measured.part(0.99), 3)), JSONMember("\(name)_max_ms", .decimal(measured.most, 3)),
                JSONMember("\(name)_cpu_p50_ms", .decimal(busy.part(0.5), 3)), JSONMember("\(name)_cpu_max_ms", .decimal(busy.most, 3)),
            ]
        }
        report.append(JSONMember("load", .decimal(load, 2)))
        BenchReport.print(.object(report), isJSON: options.isJSON)
        return 0
    }

    /// The real agent over a real file, its idle time in the bench's hands: the boot clock of the agent runs ahead as far as the bench wants.
    private final class Stage {
        private let data: BenchFolder
        private let agent: Agent
        private let loop = EventLoop()
        private var ahead = Span.zero
        private var number = 0
        /// Milliseconds of each step, whole and those in which this thread was working.
        private(set) var times: [String: [(whole: Double, busy: Double)]] = [:]
        private(set) var snapshotBytes: Int64 = 0

        init(entries: Int) throws {
            data = try BenchFolder()
            let folder = try EdgeFolder(data.path)
            try FootprintBench.makeLedger(folder, entries)
            let files = FolderFiles(data.path)
            let edge = try folder.identity()
            let recovered = try FastStart.open(try EntryStore(path: folder.ledger, .init(.create, copiesBehind: true)), edge: edge, files: files)
            agent = Agent(
                journal: recovered.journal, book: recovered.book, boot: Boot(raw: UInt64.random(in: .min ... .max)),
                settings: DeskSettings(mode: .paper), session: NoBroker(), milestones: recovered.milestones,
                snapshots: SnapshotSettings(files: files, recovered), compaction: CompactionSettings(files: files, days: 1))
            let fact = BootFact(version: Version.product, mode: .paper, machine: "bench", kernelBoot: "bench", configuration: "bench")
            _ = try agent.start(fact, at: clock)
        }

        /// Entries of a day before are old by this wall clock.
        private var clock: ClockReading { ClockReading(wall: SystemClock.now() + .hours(48), monotonic: SystemClock.monotonic() + ahead) }

        /// A fact of the desk's, decided, numbered, written and synced.
        func append(_ name: String) throws {
            number += 1
            let input = number % 2 == 1 ? AgentInput.desk(.halt(source: "bench", reason: "x")) : .desk(.resume(reason: "y"))
            let head = agent.journal.head.seq
            try measured(name) { _ = try agent.turn([input], at: clock) }
            guard agent.journal.head.seq > head else { throw UsageError(text: "a halt wrote no entry") }
        }

        /// One call of the loop's idle work, so much later by the agent's clock; in between the disk has the pause that it has in the loop.
        private func idle(_ name: String, later: Span, isPaused: Bool) throws -> [AgentEffect] {
            ahead = ahead + later
            if isPaused { loop.turn(milliseconds: Stage.pauseMillis) }
            // The log's own work first, so that it is told apart.
            try measured("log_step") { try agent.journal.idle(at: clock.wall) }
            return try measured(name) { try agent.idle(at: clock) }
        }
        private static let pauseMillis = 10
        private static let stepsMax = 10_000_000

        private func measured<Value>(_ name: String, _ body: () throws -> Value) rethrows -> Value {
            let began = SystemClock.monotonic(), busy = Stage.busy
            let value = try body()
            times[name, default: []].append(((SystemClock.monotonic() - began).inMilliseconds, Stage.busy - busy))
            return value
        }

        /// Processor time of this thread in milliseconds.
        private static var busy: Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) * 1_000 + Double(time.tv_nsec) / 1_000_000
        }

        /// Until the entry of the first snapshot is written. What the book prepares for it comes first, and is measured for itself.
        func keepSnapshot() throws {
            let files = FolderFiles(data.path)
            var isWriting = false
            for _ in 0..<Stage.stepsMax {
                let effects = try idle(isWriting ? "snapshot_step" : "prepare_step", later: .milliseconds(20), isPaused: isWriting)
                for case .entries(let entries) in effects {
                    for entry in entries { if case .snapshot(let fact)? = try? entry.decoded() { snapshotBytes = fact.bytes } }
                }
                if snapshotBytes > 0 { return }
                if isWriting { try append("append_beside_snapshot"); continue }
                isWriting = try files.names().contains { $0.hasPrefix("snapshot-") }
                // The step that began the file is one of the snapshot's.
                if isWriting, let begun = times["prepare_step"]?.popLast() { times["snapshot_step"] = [begun] }
            }
            throw UsageError(text: "no snapshot was kept")
        }

        /// The nightly check from the first entry to the last, until the compactor has looked at the snapshot.
        func readAgain() throws {
            for _ in 0..<Stage.stepsMax where (agent.compaction?.snapshot ?? Seq(0)) == Seq(0) {
                _ = try idle("check_step", later: .milliseconds(100), isPaused: false)
                if agent.ledgerTroubles != [] { throw UsageError(text: "the ledger is not as it was written") }
            }
        }

        func move(_ segments: Int) throws {
            guard segments > 0 else { return }
            try agent.journal.noteAcknowledged(agent.journal.head.seq)
            try agent.journal.noteBackup(agent.journal.head.seq)
            let goal = Seq(UInt64(segments) * Segment.rows)
            // What the check held back is asked for again after a while.
            ahead = ahead + .hours(1)
            for _ in 0..<Stage.stepsMax where agent.journal.compacted < goal {
                _ = try idle("compaction_step", later: .milliseconds(50), isPaused: true)
                try append("append_beside_compaction")
                if let trouble = agent.compaction?.trouble { throw UsageError(text: trouble) }
            }
        }
    }
}

/// A broker that says and does nothing: what is measured is the ledger.
private struct NoBroker: VenueSession {
    mutating func start(at now: Instant, into out: inout SessionOutput) {}
    mutating func transport(_ event: TransportEvent, at now: Instant, into out: inout SessionOutput) {}
    mutating func receive(_ bytes: RawSpan, at now: Instant, into out: inout SessionOutput) {}
    mutating func tick(at now: Instant, into out: inout SessionOutput) {}
    mutating func clockWasSet(by step: Span, at now: Instant, into out: inout SessionOutput) {}
    mutating func place(_ intent: consuming DurableIntent, at now: Instant, into out: inout SessionOutput) { _ = consume intent }
    mutating func request(_ request: VenueRequest, at now: Instant, into out: inout SessionOutput) {}
}
