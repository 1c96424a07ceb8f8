// `rig commands`: commands by the million through outbox, link and desk, with every fault that may befall them; exit code 5 when a promise was broken.
import Platform
import Simulation
import Values
import Wire

enum CommandsCommand {
    static let command = RigCommand(
        spec: CommandSpec(
            "commands",
            options: [
                CommandOption("seed", value: "N", "from which everything follows (1)"),
                CommandOption("count", value: "M", "how many commands are asked (10,000)"),
                CommandOption("mutant", value: "NAME", "takes one protection away: the auditor has to notice"),
                CommandOption("mutants", "each mutant in turn until it is caught, as a table"),
            ],
            "Pushes commands through the pure machines of edge and cloud: doubled, late, replayed, taken back, with clocks set by an hour and "
                + "restarts at every point.\n\nMutants: " + CommandMutant.allCases.map(\.rawValue).joined(separator: ", ")),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        let seed = try options.number("seed", in: 0...UInt64.max, default: 1)
        let count = try options.number("count", in: 1...100_000_000, default: 10_000)
        let name = try options.choice("mutant", of: CommandMutant.allCases.map(\.rawValue))
        guard let mutant = CommandMutant(rawValue: name) else { throw UsageError(text: "there is no mutant '\(name)'") }
        if options.text("mutants") != nil { return table(seed, count) }
        let started = SystemClock.monotonic()
        let report = CommandWorld.run(seed: seed, count: count, mutant: mutant)
        let milliseconds = (SystemClock.monotonic() - started).nanoseconds / 1_000_000
        for violation in report.violations.prefix(20) { Console.out("violation: \(violation)") }
        if options.isJSON {
            Console.out(String(decoding: JSONWriter.plain(value(report, milliseconds)), as: UTF8.self))
        } else {
            Console.out("ends      " + words(report.ends))
            Console.out("refusals  " + words(report.refusals))
            Console.out(
                "\(report.effects) effects, \(report.restarts) restarts, \(report.jumps) clocks set, \(report.frames) frames in \(milliseconds) ms")
            Console.out("\(report.commands) commands, \(report.violations.count) violations")
        }
        return report.violations.isEmpty ? 0 : Rig.different
    }

    private static func table(_ seed: UInt64, _ count: Int) -> Int32 {
        var alive = 0
        for mutant in CommandMutant.allCases where mutant != .none {
            let report = CommandWorld.run(seed: seed, count: count, mutant: mutant, stopAtFirst: true)
            if report.violations.isEmpty { alive += 1 }
            let name = mutant.rawValue + String(repeating: " ", count: max(1, 24 - mutant.rawValue.count))
            Console.out(
                name + (report.violations.first.map { "killed after \(report.commands) commands: \($0)" } ?? "alive after \(report.commands)"))
        }
        Console.out("\(CommandMutant.allCases.count - 1) mutants, \(alive) alive")
        return alive == 0 ? 0 : Rig.different
    }

    private static func words(_ counts: [String: Int]) -> String {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    private static func value(_ report: CommandReport, _ milliseconds: Int64) -> JSONValue {
        func table(_ counts: [String: Int]) -> JSONValue {
            .object(counts.sorted { $0.key < $1.key }.map { JSONMember($0.key, .integer(Int64($0.value))) })
        }
        return [
            "commands": .integer(Int64(report.commands)), "violations": .integer(Int64(report.violations.count)),
            "effects": .integer(Int64(report.effects)), "restarts": .integer(Int64(report.restarts)), "frames": .integer(Int64(report.frames)),
            "milliseconds": .integer(milliseconds), "ends": table(report.ends), "refusals": table(report.refusals),
        ]
    }
}
