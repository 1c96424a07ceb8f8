// `rig bench durable`: how long one entry takes from the edge's hands until the edge knows that the cloud's disk has it.
import EdgeAgent
import Ledger
import Platform
import Sync
import Values
import Wire

enum DurableBench {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench durable",
            options: [
                CommandOption("entries", value: "N", "how many entries are appended (1000)"),
                CommandOption("rate", value: "N", "entries a second (200)"),
                CommandOption("rtt-ms", value: "MS", "the round trip of the relay between the two (0)"),
            ],
            "From an entry that is appended to the acknowledgement that it is synced at the far end, one entry at a time; both disks are synced."),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        let count = try options.number("entries", in: 1...1_000_000, default: 1_000)
        let rate = try options.number("rate", in: 1...10_000, default: 200)
        let roundTrip = try options.number("rtt-ms", in: 0...10_000, default: 0)
        Log.setThreshold(.warning)
        let load = Machine.load
        let data = try BenchFolder()
        let folder = try EdgeFolder(data.path + "/edge")
        let journal = try Journal(path: folder.ledger, edge: try folder.identity())
        try DayLedger.write(warmUp, to: journal)
        var chain = try begin(journal)
        let keys = try folder.linkKeys()
        let far = try BenchCloud(data.path + "/cloud", edge: journal.edge, keys: keys, delay: roundTrip / 2)
        let link = try BenchUplink(journal, to: far, keys)
        try link.settle(at: journal.head.seq, within: 60)
        var (near, all): ([Double], [Double]) = ([], [])
        var life: [Fact] = []
        let started = SystemClock.monotonic()
        for index in 0..<count {
            let due = started + Span(nanoseconds: Int64(index) * 1_000_000_000 / Int64(rate))
            var clock = try link.turn(milliseconds: 0)
            while clock.monotonic < due {
                try journal.idle(at: clock.wall)
                clock = try link.turn(milliseconds: Int((due - clock.monotonic).nanoseconds / 1_000_000))
            }
            if life.isEmpty { life = DayLedger.life(Int64(journal.head.seq.raw), chain, at: clock.wall).reversed() }
            let began = SystemClock.monotonic()
            let entry = try chain.append(Draft(life.removeLast()), at: ClockReading(wall: SystemClock.now(), monotonic: began))
            _ = try journal.commit([entry])
            near.append((SystemClock.monotonic() - began).inMilliseconds)
            try link.uplink.note([.entries([entry])], at: ClockReading(wall: SystemClock.now(), monotonic: SystemClock.monotonic()))
            while link.uplink.acked.seq < entry.seq {
                let now = try link.turn(milliseconds: 50).monotonic
                guard now - began < .seconds(30) else { throw UsageError(text: "entry \(entry.seq) was not acknowledged within 30 s") }
            }
            all.append((SystemClock.monotonic() - began).inMilliseconds)
        }
        link.stop()
        far.stop()
        let (whole, own) = (Measured(all), Measured(near))
        let report: JSONValue = [
            "bench": "durable", "entries": .integer(Int64(count)), "rate": .integer(Int64(rate)), "rtt_ms": .integer(Int64(roundTrip)),
            "p50_ms": .decimal(whole.part(0.5), 3), "p90_ms": .decimal(whole.part(0.9), 3), "p99_ms": .decimal(whole.part(0.99), 3),
            "max_ms": .decimal(whole.most, 3), "near_p50_ms": .decimal(own.part(0.5), 3), "near_p99_ms": .decimal(own.part(0.99), 3),
            "load": .decimal(load, 2),
        ]
        BenchReport.print(report, isJSON: options.isJSON)
        return 0
    }

    /// Entries that are there before the first is measured.
    private static let warmUp = 200

    /// A run of its own, whose chain goes on entry by entry.
    private static func begin(_ journal: Journal) throws -> Chain {
        var chain = Chain(edge: journal.edge, boot: Boot(raw: UInt64.random(in: .min ... .max)), last: journal.last)
        let boot = BootFact(version: Version.product, mode: .paper, machine: "bench", kernelBoot: "bench", configuration: "bench")
        let entry = try chain.append(Draft(.boot(boot)), at: ClockReading(wall: SystemClock.now(), monotonic: SystemClock.monotonic()))
        _ = try journal.commit([entry])
        return chain
    }
}
