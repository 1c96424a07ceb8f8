// `rig world`: worlds of one seed or of many, on a virtual clock; exit code 5 when any promise was broken.
import Platform
import Simulation
import Synchronization
import Values
import Wire

enum WorldCommand {
    static let command = RigCommand(
        spec: CommandSpec(
            "world",
            options: [
                CommandOption("seed", value: "N", "the world of this seed"),
                CommandOption("seeds", value: "A..B", "the worlds of these seeds, one after the other; more after commas, like 1..9,17"),
                CommandOption(
                    "days", value: "D", "how long the faults last: D sessions of 6.5 hours at the pace of a session; a decimal fraction is one too"),
                CommandOption("seconds", value: "S", "the same in seconds (90) at the pace of a close look"),
                CommandOption("jobs", value: "N", "worlds that run beside one another, 1 to 64 (1)"),
                CommandOption("venue", value: "paper|gateway", "trades with the paper exchange, or with an IB Gateway over TCP (paper)"),
                CommandOption("faults", value: "LIST", isRepeatable: true, "exactly these faults, or none; without it each seed chooses"),
                CommandOption("breaker", value: "NAME", "takes one protection away: a checker has to notice"),
                CommandOption("only", value: "LIST", isRepeatable: true, "of all that the seed would do, just these: ask#3,crash#1"),
                CommandOption("shrink", "makes each failing seed small: the fewest adversities that still break the promise"),
                CommandOption("mutants", "takes each protection away in turn over the seeds, and prints who noticed"),
                CommandOption("mutant", value: "NAME", "with --mutants: this one alone"),
                CommandOption("coverage", "also prints how often which branch of the tables of verdicts and commands was met"),
                CommandOption("trace", "a line for everything that happens"),
            ],
            "Runs edge and cloud through faults in virtual time and checks what was promised.\n\nFaults:   "
                + WorldFault.allCases.map(\.rawValue).joined(separator: ", ") + "\nBreakers: "
                + Breaker.allCases.map(\.rawValue).joined(separator: ", ")),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        Log.setThreshold(.error)
        let seeds = try seeds(options)
        let duration = try duration(options)
        let faults = try faults(options)
        let name = try options.choice("breaker", of: Breaker.allCases.map(\.rawValue))
        guard let breaker = Breaker(rawValue: name) else { throw UsageError(text: "there is no breaker '\(name)'") }
        guard let venue = WorldVenue(rawValue: try options.choice("venue", of: WorldVenue.allCases.map(\.rawValue))) else { return Rig.usage }
        let isTraced = options.text("trace") != nil
        let isJSON = options.isJSON
        let isSession = options.text("days") != nil
        let only = try adversities(options)
        let isShrinking = options.text("shrink") != nil
        let make: @Sendable (UInt64, Set<Adversity>?) -> World = { seed, only in
            World(
                seed: seed, venue: venue, duration: duration, pace: isSession ? .session : .close, faults: faults, breaker: breaker,
                only: only, trace: isTraced ? { Console.out($0) } : nil)
        }
        if options.text("mutants") != nil {
            return WorldMutants.run(seeds: seeds.flatMap { Array($0) }, only: options.text("mutant"), isJSON: isJSON) { seed, breaker in
                World(seed: seed, venue: venue, duration: duration, pace: isSession ? .session : .close, faults: faults, breaker: breaker)
            }
        }
        let isCounted = options.text("coverage") != nil
        let jobs = Int(try options.number("jobs", in: 1...64, default: 1))
        let started = SystemClock.monotonic()
        let sum = Mutex(Sum()), next = Mutex(SeedQueue(seeds))
        let isOne = seeds.count == 1 && seeds[0].lowerBound == seeds[0].upperBound
        let work: @Sendable () -> Void = {
            while let seed = next.withLock({ $0.next() }) {
                let report = make(seed, only).run()
                let small = isShrinking && !report.violations.isEmpty ? Shrinker.shrink(report) { make(seed, $0).run() } : nil
                sum.withLock { sum in
                    sum.add(report)
                    if isOne || !report.violations.isEmpty { tell(report, isJSON: isJSON) }
                    if let small { tell(small) }
                }
            }
        }
        let helpers = (1..<jobs).map { SystemThread(name: "world-\($0)", body: work) }
        work()
        for helper in helpers { helper.join() }
        let all = sum.withLock { $0 }
        if isCounted { all.tellMarks(isJSON: isJSON) }
        all.tell(SystemClock.monotonic() - started, isJSON: isJSON)
        return all.violations == 0 ? 0 : Rig.different
    }

    private static func seeds(_ options: RigOptions) throws -> [ClosedRange<UInt64>] {
        switch (options.text("seed"), options.text("seeds")) {
        case (_?, nil):
            let seed = try options.number("seed", in: 0...UInt64.max, default: 1)
            return [seed...seed]
        case (nil, let text?):
            guard !text.isEmpty else { throw UsageError(text: "--seeds wants A..B, like 1..500") }
            return try options.list("seeds").map { part in
                let ends = part.split(separator: ".", omittingEmptySubsequences: true)
                if let seed = UInt64(part) { return seed...seed }
                guard part.contains(".."), ends.count == 2, let from = UInt64(ends[0]), let to = UInt64(ends[1]), from <= to else {
                    throw UsageError(text: "--seeds wants A..B, like 1..500, or a list like 1..500,612, not '\(text)'")
                }
                return from...to
            }
        default: throw UsageError(text: "name either --seed N or --seeds A..B")
        }
    }

    private static func duration(_ options: RigOptions) throws -> Span {
        guard let text = options.text("days") else { return .seconds(try options.number("seconds", in: 1...1_000_000, default: 90)) }
        guard options.text("seconds") == nil else { throw UsageError(text: "name either --days or --seconds") }
        guard let days = try? Ratio(text), days.raw > 0, days.raw <= 400_000_000 else {
            throw UsageError(text: "--days wants a number up to 400, not '\(text)'")
        }
        // A session of 6.5 hours, the ratio at 10⁻⁶.
        return Span(nanoseconds: days.raw * 23_400_000)
    }

    private static func faults(_ options: RigOptions) throws -> Set<WorldFault>? {
        guard options.text("faults") != nil else { return nil }
        var faults: Set<WorldFault> = []
        for name in options.list("faults") where name != "none" {
            guard let fault = WorldFault(rawValue: name) else { throw UsageError(text: "there is no fault '\(name)'; see rig world --help") }
            faults.insert(fault)
        }
        return faults
    }

    private static func adversities(_ options: RigOptions) throws -> Set<Adversity>? {
        guard options.text("only") != nil else { return nil }
        var named: Set<Adversity> = []
        for word in options.list("only") where word != "none" {
            guard let one = Adversity(word) else { throw UsageError(text: "--only wants a list like ask#3,crash#1, not '\(word)'") }
            named.insert(one)
        }
        return named
    }

    private static func tell(_ small: ShrunkWorld) {
        Console.out(
            "  \(small.needed.count) adversities are enough (\(small.runs) worlds tried); again with: "
                + "--seed \(small.report.seed) --only \(small.needed.isEmpty ? "none" : small.needed.map(\.description).joined(separator: ","))")
        for violation in small.report.violations { Console.out("    \(violation)") }
    }

    private static func tell(_ report: WorldReport, isJSON: Bool) {
        if isJSON {
            let line: JSONValue = [
                "seed": .string("\(report.seed)"), "events": .integer(Int64(report.events)), "crashes": .integer(Int64(report.crashes)),
                "cuts": .integer(Int64(report.cuts)), "commands": .integer(Int64(report.commands)), "orders": .integer(Int64(report.orders)),
                "fills": .integer(Int64(report.fills)), "entries": .integer(Int64(report.entries)), "ledger": .string(report.ledgerHash),
                "log": .string(String(report.logHash, radix: 16)), "violations": .array(report.violations.map { .string($0.description) }),
            ]
            return Console.out(String(decoding: JSONWriter.plain(line), as: UTF8.self))
        }
        Console.out(
            "seed \(report.seed): \(report.events) events, \(report.crashes) crashes, \(report.cuts) cuts, \(report.commands) commands, "
                + "\(report.orders) orders, \(report.fills) fills, \(report.entries) entries, ledger \(report.ledgerHash.prefix(16)), "
                + "log \(String(report.logHash, radix: 16))")
        for violation in report.violations { Console.out("  \(violation)") }
    }
}

/// The seeds that no thread has taken yet.
private struct SeedQueue {
    private var parts: ArraySlice<ClosedRange<UInt64>>
    private var taken: UInt64 = 0
    init(_ parts: [ClosedRange<UInt64>]) { self.parts = parts[...] }

    mutating func next() -> UInt64? {
        guard let part = parts.first else { return nil }
        let seed = part.lowerBound + taken
        taken += 1
        if seed == part.upperBound { parts.removeFirst(); taken = 0 }
        return seed
    }
}

/// What many worlds saw together.
private struct Sum {
    var seeds = 0
    var violations = 0
    var events = 0
    var crashes = 0
    var cuts = 0
    var orders = 0
    var fills = 0
    var entries = 0
    /// Of the seed with the most, and that seed.
    var eventsMost = 0
    var longest: UInt64 = 0
    var marks: [String: Int] = [:]

    mutating func add(_ report: WorldReport) {
        seeds += 1; violations += report.violations.count; events += report.events; crashes += report.crashes; cuts += report.cuts
        orders += report.orders; fills += report.fills; entries += report.entries
        if report.events > eventsMost { eventsMost = report.events; longest = report.seed }
        marks.merge(report.marks, uniquingKeysWith: +)
    }

    func tellMarks(isJSON: Bool) {
        let sorted = marks.sorted { $0.key < $1.key }
        if isJSON {
            return Console.out(
                String(decoding: JSONWriter.plain(.object(sorted.map { JSONMember($0.key, .integer(Int64($0.value))) })), as: UTF8.self))
        }
        for (word, count) in sorted { Console.out("\(count)\t\(word)") }
    }

    func tell(_ time: Span, isJSON: Bool) {
        let milliseconds = time.nanoseconds / 1_000_000
        if isJSON {
            let line: JSONValue = [
                "seeds": .integer(Int64(seeds)), "violations": .integer(Int64(violations)), "events": .integer(Int64(events)),
                "crashes": .integer(Int64(crashes)), "cuts": .integer(Int64(cuts)), "orders": .integer(Int64(orders)),
                "fills": .integer(Int64(fills)), "entries": .integer(Int64(entries)), "milliseconds": .integer(milliseconds),
                "most_events": .integer(Int64(eventsMost)),
            ]
            return Console.out(String(decoding: JSONWriter.plain(line), as: UTF8.self))
        }
        Console.out(
            "\(events) events (at most \(eventsMost), of seed \(longest)), \(crashes) crashes, \(cuts) cuts, \(orders) orders, \(fills) fills, \(entries) entries in \(milliseconds) ms, "
                + "\(Int64(events) * 1_000 / max(1, milliseconds)) events/s")
        Console.out("\(seeds) seeds, \(violations) violations")
    }
}
