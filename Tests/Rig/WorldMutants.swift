// `rig world --mutants`: each protection taken away in turn, and the seeds that noticed.
import Platform
import Simulation
import Wire

enum WorldMutants {
    /// Runs every breaker over the seeds and prints a table of who was killed, by how many seeds and by which promises.
    /// - Returns: 0 when the checker that stands for the promise caught each of them, else the code for a difference.
    static func run(seeds: ClosedRange<UInt64>, isJSON: Bool, world: (UInt64, Breaker) -> World) -> Int32 {
        var survivors: [String] = []
        var rows: [JSONValue] = []
        for breaker in Breaker.allCases where breaker != .none {
            var killers: [UInt64] = []
            var checkers: [String: Int] = [:]
            for seed in seeds {
                let names = Set(world(seed, breaker).run().violations.map(\.checker))
                if !names.isEmpty { killers.append(seed) }
                for name in names { checkers[name, default: 0] += 1 }
            }
            let wanted = breaker.caughtBy ?? ""
            if checkers[wanted] == nil { survivors.append(breaker.rawValue) }
            let by = checkers.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            if isJSON {
                rows.append([
                    "mutant": .string(breaker.rawValue), "killed_by": .integer(Int64(killers.count)),
                    "first": .string(killers.first.map { "\($0)" } ?? ""),
                    "checkers": .object(checkers.keys.sorted().map { JSONMember($0, .integer(Int64(checkers[$0] ?? 0))) }),
                ])
            } else {
                let count = "\(killers.count) of \(seeds.count)"
                let first = killers.first.map { "\($0)" } ?? "-"
                Console.out("\(padded(breaker.rawValue, 22)) killed by \(padded(count, 12)) first \(padded(first, 8)) \(by)")
            }
        }
        if isJSON {
            Console.out(String(decoding: JSONWriter.plain(.array(rows)), as: UTF8.self))
        } else {
            let names = survivors.isEmpty ? "" : ": " + survivors.joined(separator: ", ")
            Console.out("\(Breaker.allCases.count - 1) mutants, \(survivors.count) alive\(names)")
        }
        return survivors.isEmpty ? 0 : Rig.different
    }

    private static func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
}
