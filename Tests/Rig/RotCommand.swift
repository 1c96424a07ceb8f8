// `rig rot`: ledgers damaged in one place each; exit code 5 when a changed entry was used as good.
import Platform
import Simulation
import Values
import Wire

enum RotCommand {
    static let command = RigCommand(
        spec: CommandSpec(
            "rot",
            options: [
                CommandOption("seed", value: "N", "decides ledgers and damages (1)"),
                CommandOption("runs", value: "M", "how many damages, on either side (10000)"),
                CommandOption("side", value: "both|edge|cloud", "whose files (both)"),
                CommandOption("trusting", "the control: rows are believed as they are read"),
                CommandOption("jobs", value: "N", "threads (2)"),
            ],
            "Turns a bit, zeroes a page, swaps two, or cuts off the end of one file of a sound ledger, then starts and checks as production does,\n"
                + "and compares every entry with the truth. Last line: 'M damages, N unnoticed, N violations'."),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        let runs = try options.number("runs", in: 1...100_000_000, default: 10_000)
        let jobs = try options.number("jobs", in: 1...64, default: 2)
        let side = try options.choice("side", of: ["both"] + ImageSide.allCases.map(\.rawValue))
        var plan = RotPlan()
        plan.seed = try options.number("seed", in: 0...UInt64.max, default: 1)
        plan.verifies = options.text("trusting") == nil
        var all = RotOutcome()
        for one in ImageSide.allCases where side == "both" || side == one.rawValue {
            plan.side = one
            plan.runs = side == "both" ? (one == .edge ? runs - runs / 3 : runs / 3) : runs
            if plan.runs > 0 { all.add(try RotCampaign.run(plan, jobs: jobs)) }
        }
        say(all, options)
        return all.violations.isEmpty && all.unnoticed == 0 ? 0 : Rig.different
    }

    private static func say(_ all: RotOutcome, _ options: RigOptions) {
        let damages = all.damages.sorted { $0.key < $1.key }
        if options.isJSON {
            let line: JSONValue = [
                "damages": .object(damages.map { JSONMember($0.key, .integer(Int64($0.value))) }), "refused": .integer(Int64(all.refused)),
                "told_by_mark": .integer(Int64(all.toldByMark)), "told_by_other_side": .integer(Int64(all.toldByOtherSide)),
                "harmless": .integer(Int64(all.harmless)), "told_by_check": .integer(Int64(all.toldByCheck)),
                "marks_told": .integer(Int64(all.marksTold)), "told_as_unreadable": .integer(Int64(all.toldAsUnreadable)),
                "snapshots_told": .integer(Int64(all.snapshotsTold)), "unnoticed": .integer(Int64(all.unnoticed)),
                "violations": .array(all.violations.map { .string($0) }),
            ]
            return Console.out(String(decoding: JSONWriter.plain(line), as: UTF8.self))
        }
        for violation in all.violations.prefix(20) { Console.out("  \(violation)") }
        Console.out(damages.map { "\($0.value) × \($0.key)" }.joined(separator: ", "))
        Console.out(
            "\(all.refused) refused at the start, \(all.toldByMark) lost ends told by the mark, \(all.toldByOtherSide) by the other side alone, "
                + "\(all.toldAsUnreadable) times old entries that cannot be read, \(all.snapshotsTold) times a snapshot passed over; "
                + "\(all.harmless) left every entry as it was (the check told \(all.toldByCheck) of them, the start \(all.marksTold) marks)")
        Console.out("\(all.runs) damages, \(all.unnoticed) unnoticed, \(all.violations.count) violations")
    }
}
