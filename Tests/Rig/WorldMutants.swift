// `rig world --mutants`: each protection taken away in turn, and the seeds that noticed.
import Platform
import Simulation
import Wire

enum WorldMutants {
    /// Worlds of commands are small: so many commands stand for one seed.
    private static let commandsEach = 2_400
    private static let shownMax = 8

    /// One mutant's row.
    private struct Row {
        let name: String
        let world: String
        var killers: [UInt64] = []
        var checkers: [String: Int] = [:]
        /// The first seed on which the checker that stands for the promise noticed.
        var proof: UInt64?
        var isKilled: Bool { proof != nil }
    }

    /// Runs every mutant over the seeds and prints a table of the seeds that killed it and the promises that were broken.
    /// - Parameter name: only this one; nil for all.
    /// - Returns: 0 when the checker that stands for the promise caught each of them, else the code for a difference.
    static func run(seeds: [UInt64], only name: String?, isJSON: Bool, world: (UInt64, Breaker) -> World) -> Int32 {
        var rows: [Row] = []
        for breaker in Breaker.allCases where breaker != .none && name ?? breaker.rawValue == breaker.rawValue {
            var row = Row(name: breaker.rawValue, world: "world")
            for seed in seeds { note(seed, Set(world(seed, breaker).run().violations.map(\.checker)), wanted: breaker.caughtBy ?? "", in: &row) }
            rows.append(row)
            tell(row, of: seeds.count, isJSON: isJSON)
        }
        for mutant in CommandMutant.allCases where mutant != .none && name ?? mutant.rawValue == mutant.rawValue {
            var row = Row(name: mutant.rawValue, world: "commands")
            for seed in seeds {
                let report = CommandWorld.run(seed: seed, count: commandsEach, mutant: mutant, stopAtFirst: true)
                note(seed, report.violations.isEmpty ? [] : ["auditor"], wanted: "auditor", in: &row)
            }
            rows.append(row)
            tell(row, of: seeds.count, isJSON: isJSON)
        }
        let survivors = rows.filter { !$0.isKilled }.map(\.name)
        if !isJSON {
            Console.out("\(rows.count) mutants, \(survivors.count) alive\(survivors.isEmpty ? "" : ": " + survivors.joined(separator: ", "))")
        }
        return survivors.isEmpty ? 0 : Rig.different
    }

    private static func note(_ seed: UInt64, _ names: Set<String>, wanted: String, in row: inout Row) {
        guard !names.isEmpty else { return }
        if row.proof == nil, names.contains(wanted) { row.proof = seed }
        row.killers.append(seed)
        for name in names { row.checkers[name, default: 0] += 1 }
    }

    private static func tell(_ row: Row, of count: Int, isJSON: Bool) {
        if isJSON {
            let line: JSONValue = [
                "mutant": .string(row.name), "world": .string(row.world), "killed": .bool(row.isKilled),
                "proof": .string(row.proof.map { "\($0)" } ?? ""), "seeds": .array(row.killers.map { .string("\($0)") }),
                "checkers": .object(row.checkers.keys.sorted().map { JSONMember($0, .integer(Int64(row.checkers[$0] ?? 0))) }),
            ]
            return Console.out(String(decoding: JSONWriter.plain(line), as: UTF8.self))
        }
        let by = row.checkers.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let shown = row.killers.prefix(shownMax).map { "\($0)" }.joined(separator: " ")
        let more = row.killers.count > shownMax ? " …" : ""
        Console.out(
            "\(padded(row.name, 20)) \(padded("\(row.killers.count) of \(count)", 10)) \(padded(row.isKilled ? by : "ALIVE \(by)", 34)) seeds \(shown)\(more)"
        )
    }

    private static func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
}
