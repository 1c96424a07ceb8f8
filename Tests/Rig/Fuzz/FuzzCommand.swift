// `rig fuzz tws`: spoilt frames against both codecs of the gateway's protocol, by an own seeded mutator; it is not libFuzzer.
import Glibc
import Platform
import Simulation
import Values
import Wire

enum FuzzCommand {
    static let command = RigCommand(
        spec: CommandSpec(
            "fuzz tws",
            options: [
                CommandOption("codec", value: "WORD", "client, gateway, both of them, receive (conversations with a whole gateway) or all (all)"),
                CommandOption("runs", value: "N", "inputs for each codec (100000)"),
                CommandOption("seconds", value: "N", "instead of a count: how long for each codec"),
                CommandOption("seed", value: "N", "the same seed gives the same inputs (1)"),
                CommandOption("vectors", value: "FOLDER", "recorded frames to begin with (Tests/Fixtures/vectors/tws, where it is)"),
            ],
            "Mutates frames by their structure (a mutator of our own, seeded, without coverage) and judges what both codecs and a whole gateway make of them; ends with 5 at the first fault."
        ),
        run: run)

    /// An input that takes longer hangs, as far as a gateway is concerned.
    private static let slowest = Span.seconds(1)
    /// A batch that does not end at all is ended by the alarm.
    private static let alarmSeconds: UInt32 = 60
    private static let batch = 500
    /// Memory may settle by this much after the first tenth of a run; what grows more leaks.
    private static let growthMegabytesMax = 32.0

    private static func run(_ options: RigOptions) throws -> Int32 {
        let codec = try options.choice("codec", of: ["all", "both", "client", "gateway", "receive"])
        let seed = try options.number("seed", in: 0...UInt64.max, default: 1)
        let seconds = try options.number("seconds", in: 1...86_400, default: 10 as Int64)
        let isTimed = options.text("seconds") != nil
        let runs = try options.number("runs", in: 1...1_000_000_000, default: 100_000)
        let limit = Limit(runs: isTimed ? Int.max : runs, time: isTimed ? .seconds(seconds) : .hours(24))
        let folder = options.text("vectors") ?? "Tests/Fixtures/vectors/tws"
        let inbound = frames(folder + "/inbound")
        let outbound = frames(folder + "/outbound")
        if options.text("vectors") != nil, inbound.isEmpty || outbound.isEmpty { throw UsageError(text: "there are no vectors in \(folder)") }
        if ["all", "both", "client"].contains(codec) {
            let fuzz = WireFuzz(ClientCodecFuzz(), seeds: FuzzCorpus.bare + FuzzCorpus.told + inbound, seed: seed)
            guard perform(fuzz, "client", limit, seed, options) else { return Rig.different }
        }
        if ["all", "both", "gateway"].contains(codec) {
            let fuzz = WireFuzz(GatewayCodecFuzz(), seeds: FuzzCorpus.bare + outbound, seed: seed)
            guard perform(fuzz, "gateway", limit, seed, options) else { return Rig.different }
        }
        if ["all", "receive"].contains(codec) {
            // What is never asked for in earnest is not half of what is asked.
            let seeds = FuzzCorpus.asked + FuzzCorpus.asked + FuzzCorpus.bare + outbound
            let fuzz = WireFuzz(ConversationFuzz(seeds: seeds), seeds: seeds, seed: seed)
            guard perform(fuzz, "receive", limit, seed, options) else { return Rig.different }
        }
        return 0
    }

    private struct Limit { let runs: Int; let time: Span }

    /// False at a fault, which it has told.
    private static func perform<Codec: FuzzedCodec>(
        _ fuzz: WireFuzz<Codec>, _ name: String, _ limit: Limit, _ seed: UInt64, _ options: RigOptions
    ) -> Bool {
        var fuzz = fuzz
        let started = SystemClock.monotonic()
        var (worst, worstNumber, settled) = (Span.zero, 0, 0.0)
        var elapsed = Span.zero
        while fuzz.number < limit.runs, elapsed < limit.time {
            alarm(alarmSeconds)
            for _ in 0..<min(batch, limit.runs - fuzz.number) {
                // The processor's time: on a machine that is shared the wall's says nothing of us.
                let before = clock()
                if let finding = fuzz.run(1) {
                    Console.fail("\(name) codec, seed \(seed), \(finding.words)")
                    return false
                }
                let took = Span(nanoseconds: Int64(clock() - before) * 1_000)
                if took > worst { (worst, worstNumber) = (took, fuzz.number) }
            }
            elapsed = SystemClock.monotonic() - started
            let isTenth = fuzz.number >= limit.runs / 10 || elapsed.nanoseconds >= limit.time.nanoseconds / 10
            if settled == 0, isTenth { settled = Machine.residentMegabytes(getpid()) }
        }
        alarm(0)
        let memory = Machine.residentMegabytes(getpid())
        let report: JSONValue = [
            "fuzz": "tws", "codec": .string(name), "mutator": "own, seeded, by structure; not libFuzzer", "seed": .string(String(seed)),
            "runs": .integer(Int64(fuzz.number)), "frames": .integer(Int64(fuzz.codec.frames ?? fuzz.number)),
            "read": .integer(Int64(fuzz.codec.read)), "round_trips": .integer(Int64(fuzz.codec.returned)),
            "seconds": .decimal(Double(elapsed.nanoseconds) / 1e9, 1), "slowest_ms": .decimal(Double(worst.nanoseconds) / 1e6, 2),
            "rss_mb_at_a_tenth": .decimal(settled, 1), "rss_mb_at_the_end": .decimal(memory, 1), "faults": 0,
        ]
        BenchReport.print(report, isJSON: options.isJSON)
        if worst > slowest { Console.fail("\(name) codec, seed \(seed): input \(worstNumber) took \(worst.nanoseconds / 1_000_000) ms") }
        if memory > settled + growthMegabytesMax { Console.fail("\(name) codec, seed \(seed): memory grew from \(settled) to \(memory) MB") }
        return worst <= slowest && memory <= settled + growthMegabytesMax
    }

    /// The frames of every file of a folder, in the order of their names; none when there is no such folder.
    private static func frames(_ folder: String) -> [FuzzSeed] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasSuffix(".json") { names.append(name) }
        }
        return names.sorted().flatMap { name in FuzzCorpus.frames(ofVectors: bytes(folder + "/" + name)) }
    }

    private static func bytes(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "re") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = fread(&part, 1, part.count, file), count > 0 { bytes += part[..<count] }
        return bytes
    }
}
