// `rig images`: what power cuts at every change of the real stores' disks would leave, started as production starts; exit code 5 on any loss.
import Platform
import Simulation
import Values
import Wire

enum ImagesCommand {
    static let command = RigCommand(
        spec: CommandSpec(
            "images",
            options: [
                CommandOption("seed", value: "N", "decides the work, and what each cut leaves (1)"),
                CommandOption("images", value: "M", "how many images are opened, on either side (20000)"),
                CommandOption("side", value: "both|edge|cloud", "whose files (both)"),
                CommandOption("synchronous", value: "full|normal", "normal is the control: it has to lose (full)"),
                CommandOption("drive", value: "honest|pretending", "pretending answers syncs and does nothing: a control too (honest)"),
                CommandOption("jobs", value: "N", "threads (2)"),
            ],
            "Lets journal, head mark and reserve (or the cloud's store) work on a traced disk, cuts the power after every change - unsynced data\n"
                + "dropped, any of it, sectors torn, the last write torn - and starts on each image as production does.\n"
                + "Last line: 'M images, L lost acknowledged entries, N violations'."),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        let images = try options.number("images", in: 1...100_000_000, default: 20_000)
        let jobs = try options.number("jobs", in: 1...64, default: 2)
        let side = try options.choice("side", of: ["both"] + ImageSide.allCases.map(\.rawValue))
        var plan = ImagePlan()
        plan.seed = try options.number("seed", in: 0...UInt64.max, default: 1)
        plan.synchronous = try options.choice("synchronous", of: ["full", "normal"]) == "normal" ? .normal : .full
        plan.heedsSyncs = try options.choice("drive", of: ["honest", "pretending"]) == "honest"
        var all = ImageOutcome()
        let started = SystemClock.monotonic()
        for one in ImageSide.allCases where side == "both" || side == one.rawValue {
            plan.side = one
            plan.images = side == "both" ? (one == .edge ? images - images / 3 : images / 3) : images
            guard plan.images > 0 else { continue }
            let outcome = try ImageCampaign.run(plan, jobs: jobs)
            all.add(outcome)
            if !options.isJSON {
                Console.out(
                    "\(one.rawValue): \(outcome.traces) pieces of work, \(outcome.changes) changes, \(outcome.images) images, "
                        + "\(outcome.unacknowledged) with entries nobody was told of, \(outcome.losing) lost up to \(outcome.mostLost), \(outcome.refused) refused"
                )
            }
        }
        say(all, (SystemClock.monotonic() - started).nanoseconds / 1_000_000_000, options)
        return all.losing == 0 && all.violations.isEmpty && all.refused == 0 ? 0 : Rig.different
    }

    private static func say(_ all: ImageOutcome, _ seconds: Int64, _ options: RigOptions) {
        let violations = all.violations + all.refusals
        if options.isJSON {
            let line: JSONValue = [
                "images": .integer(Int64(all.images)), "changes": .integer(Int64(all.changes)), "losing": .integer(Int64(all.losing)),
                "most_lost": .integer(Int64(all.mostLost)), "refused": .integer(Int64(all.refused)), "seconds": .integer(seconds),
                "violations": .array(violations.map { .string($0) }),
            ]
            return Console.out(String(decoding: JSONWriter.plain(line), as: UTF8.self))
        }
        for violation in violations.prefix(20) { Console.out("  \(violation)") }
        Console.out(
            "\(all.images) images, \(all.losing) lost acknowledged entries, \(all.violations.count + all.refused) violations, \(seconds) s")
    }
}
