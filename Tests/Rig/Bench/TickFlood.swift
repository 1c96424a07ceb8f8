// `rig bench ticks`: what a flood of ticks costs the real edge, and what a burst in one write leaves behind.
import Platform
import Values
import Wire

enum TickFlood {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench ticks",
            options: [
                CommandOption("rate", value: "N", "frames a second (50000)"), CommandOption("seconds", value: "N", "how long (10)"),
                CommandOption("burst", value: "N", "then three times so many frames in one write; 0 for none (100000)"),
            ],
            "Starts rig t2o-client, the edge's own loop, agent and session, against a player of ticks: its share of one core, then its memory after bursts.\n"
                + "A traded price behind each part proves by its order that all before it were read; ends with 5 when one is not answered."),
        run: run)

    private static let bursts = 3
    private static let answerMax = Span.seconds(60)

    private static func run(_ options: RigOptions) throws -> Int32 {
        let rate = try options.number("rate", in: 1_000...1_000_000, default: Int64(50_000))
        let seconds = try options.number("seconds", in: 1...600, default: Int64(10))
        let burst = try options.number("burst", in: 0...1_000_000, default: 100_000)
        let load = Machine.load
        let stage = try Stage()
        guard stage.isReady() else { throw UsageError(text: "the client did not become ready") }
        var isWhole = stage.isAnswered()
        let before = Machine.processorMillis(stage.trader.pid)
        let (sent, took) = stage.pour(rate: Int(rate), for: .seconds(seconds))
        let cost = Machine.processorMillis(stage.trader.pid) - before
        isWhole = stage.isAnswered() && isWhole
        var memory = [Machine.residentMegabytes(stage.trader.pid)]
        var digested: [Double] = []
        if burst > 0 {
            let bytes = stage.ticks(burst)
            for _ in 0..<bursts {
                let started = SystemClock.monotonic()
                stage.send(bytes)
                isWhole = stage.isAnswered() && isWhole
                digested.append((SystemClock.monotonic() - started).inMilliseconds)
                memory.append(Machine.residentMegabytes(stage.trader.pid))
            }
        }
        let milliseconds = took.inMilliseconds
        let report: JSONValue = [
            "bench": "ticks", "rate": .integer(rate), "frames": .integer(Int64(sent)),
            "frames_per_second": .decimal(Double(sent) * 1_000 / milliseconds, 0),
            "cpu_percent": .decimal(cost / milliseconds * 100, 1), "us_per_frame": .decimal(cost * 1_000 / Double(max(1, sent)), 2),
            "burst_frames": .integer(Int64(burst)), "burst_ms": .array(digested.map { .decimal($0, 1) }),
            "rss_mb_before_and_after_each": .array(memory.map { .decimal($0, 1) }), "unanswered": .integer(isWhole ? 0 : 1),
            "load": .decimal(load, 2),
        ]
        BenchReport.print(report, isJSON: options.isJSON)
        return isWhole ? 0 : Rig.different
    }

    /// The player, its client, and the loop that both are driven by.
    private final class Stage {
        private let loop = EventLoop()
        private let player = TickPlayer()
        private let listener: TCPListener
        let trader: ChildProcess

        init() throws {
            let player = player
            player.isManual = true
            listener = try loop.listen(host: "127.0.0.1", port: 0, queuedBytesMax: 256 << 20) { player.accept($0) }
            trader = try ChildProcess(nil, ["t2o-client", "127.0.0.1", "\(listener.port)"])
        }
        deinit { trader.stop() }

        private func wait(until isDone: () -> Bool) -> Bool {
            let end = SystemClock.monotonic() + answerMax
            while !isDone(), !player.isOver, SystemClock.monotonic() < end { loop.turn(milliseconds: 10) }
            return isDone()
        }
        /// The client has compared itself with the broker; from here on it answers.
        func isReady() -> Bool {
            guard wait(until: { player.isReady }) else { return false }
            // Under load it may still be comparing: the first trigger that is answered begins the bench.
            return (0..<20).contains { _ in
                player.trigger()
                let end = SystemClock.monotonic() + .milliseconds(500)
                while !player.isLastAnswered, SystemClock.monotonic() < end { loop.turn(milliseconds: 10) }
                return player.isLastAnswered
            }
        }
        /// A traded price is told and its order awaited: everything before it was read.
        func isAnswered() -> Bool {
            player.trigger()
            return wait { player.isLastAnswered }
        }
        func send(_ bytes: [UInt8]) { player.pour(bytes) }

        /// So many frames in the mix of a lively stock: bid, ask and their sizes, and every eighth a traded price.
        func ticks(_ count: Int) -> [UInt8] {
            let request = player.request ?? ""
            var out: [UInt8] = []
            out.reserveCapacity(count * 36)
            for index in 0..<count {
                let price = "\(500 + index / 64 % 25).\(["00", "25", "50", "75"][index / 16 % 4])"
                let fields: [String] =
                    switch index % 8 {
                    case 0: ["1", "6", request, "4", price, "100", "0"]
                    case 1, 5: ["1", "6", request, "1", price, "\(1 + index % 90)", "1"]
                    case 2, 6: ["1", "6", request, "2", price, "\(1 + index % 80)", "1"]
                    case 3: ["2", "6", request, "0", "\(1 + index % 70)"]
                    case 4: ["2", "6", request, "3", "\(1 + index % 60)"]
                    default: ["2", "6", request, "8", "\(index)"]
                    }
                TickPlayer.append(fields, to: &out)
            }
            return out
        }

        /// Frames in steps of a millisecond, as many as are due; gives how many and how long it took.
        func pour(rate: Int, for span: Span) -> (Int, Span) {
            // Prepared, so that the player's own work does not slow the flood: a thousand blocks of a millisecond each, over and over.
            let step = max(1, rate / 1_000)
            let blocks = (0..<64).map { _ in ticks(step) }
            let started = SystemClock.monotonic()
            var sent = 0
            while !player.isOver, case let now = SystemClock.monotonic() - started, now < span {
                let due = Int(now.nanoseconds / 1_000_000) * step
                while sent < due {
                    player.pour(blocks[sent / step % blocks.count])
                    sent += step
                }
                loop.turn(milliseconds: 1)
            }
            return (sent, SystemClock.monotonic() - started)
        }
    }
}
