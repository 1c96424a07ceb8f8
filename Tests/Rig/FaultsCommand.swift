// `rig faults`: a campaign of kills, cuts and commands on the four real processes; exit code 5 when any promise was broken.
import Platform
import Processes
import Values
import Wire

enum FaultsCommand {
    static let command = RigCommand(
        spec: CommandSpec(
            "faults",
            options: [
                CommandOption("seed", value: "N", "decides what is done when (1)"),
                CommandOption("kills", value: "K", "how many processes are killed, an equal share of each of the four (20)"),
                CommandOption("backlog", value: "K", "so many more kills, of edge and cloud by turns, while a backlog is on its way (0)"),
                CommandOption("minutes", value: "M", "cuts the link for M minutes in one piece after the kills"),
                CommandOption(
                    "link", value: "LIST", isRepeatable: true,
                    "troubles of the link after the kills, or all: \(LinkStorm.allCases.map(\.rawValue).joined(separator: ", "))"),
                CommandOption("rounds", value: "R", "how many troubles of that list (one of each)"),
                CommandOption(
                    "root", "as root: failing system calls (libfiu) and full file systems of the edge's and the cloud's own (loop devices) come after"
                ),
                CommandOption("calls", value: "C", "with --root: how many starts with failing system calls (12)"),
                CommandOption("fills", value: "F", "with --root: how often each file system is full (2)"),
                CommandOption("keep", "leaves the folder with logs and ledgers"),
            ],
            "Starts gateway, relay, cloud and edge with a bot that trades fast; kills, cuts, mends and sends commands by the seed;\n"
                + "then halts trading and compares both ledgers and the broker's books. Last line: 'K kills, N violations'."),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        let minutes = try options.number("minutes", in: 0...1_440, default: 0)
        let storms = try storms(options)
        var plan = CampaignPlan(
            seed: try options.number("seed", in: 0...UInt64.max, default: 1),
            kills: try options.number(
                "kills", in: 0...10_000, default: storms.isEmpty && options.text("root") == nil && options.text("backlog") == nil ? 20 : 0),
            cutSeconds: minutes == 0 ? nil : minutes * 60)
        plan.backlogKills = try options.number("backlog", in: 0...10_000, default: 0)
        plan.storms = storms
        if options.text("root") != nil {
            plan.diskFaults = try options.number("calls", in: 0...10_000, default: 12)
            plan.diskFills = try options.number("fills", in: 0...1_000, default: 2)
        }
        let started = SystemClock.monotonic()
        let campaign = try Campaign(plan) { line in
            let seconds = (SystemClock.monotonic() - started).nanoseconds / 1_000_000_000
            if !options.isJSON { Console.out("\(seconds) s: \(line)") }
        }
        let report: CampaignReport
        do { report = try campaign.run() } catch {
            Console.fail("the campaign itself failed, its files are in \(campaign.keep()): \(error)")
            return 1
        }
        if options.text("keep") != nil || !report.violations.isEmpty { Console.out("files: \(campaign.keep())") }
        say(report, plan, (SystemClock.monotonic() - started).nanoseconds / 1_000_000_000, options)
        return report.violations.isEmpty ? 0 : Rig.different
    }

    /// As many of the named troubles as rounds were asked for, in turn.
    private static func storms(_ options: RigOptions) throws -> [LinkStorm] {
        let named = try options.list("link").flatMap { word in
            if word == "all" { return LinkStorm.allCases }
            guard let storm = LinkStorm(rawValue: word) else { throw UsageError(text: "--link knows no '\(word)'; see --help") }
            return [storm]
        }
        let rounds = try options.number("rounds", in: 0...10_000, default: named.count)
        return named.isEmpty ? [] : (0..<rounds).map { named[$0 % named.count] }
    }

    private static func say(_ report: CampaignReport, _ plan: CampaignPlan, _ seconds: Int64, _ options: RigOptions) {
        let shares = report.kills.sorted { $0.key < $1.key }
        if options.isJSON {
            let line: JSONValue = [
                "seed": .string("\(plan.seed)"), "kills": .object(shares.map { JSONMember($0.key, .integer(Int64($0.value))) }),
                "kills_on_backlog": .integer(Int64(report.killsOnBacklog)),
                "cuts": .integer(Int64(report.cuts)),
                "storms": .object(report.storms.sorted { $0.key < $1.key }.map { JSONMember($0.key, .integer(Int64($0.value))) }),
                "resets": .integer(report.resets), "bits_turned": .integer(report.corrupted),
                "disk_ends": .object(report.diskEnds.sorted { $0.key < $1.key }.map { JSONMember($0.key, .integer(Int64($0.value))) }),
                "commands": .integer(Int64(report.commands)),
                "entries": .integer(report.entries),
                "intents": .integer(Int64(report.intents)), "fills": .integer(Int64(report.fills)),
                "entriesWhileCut": .integer(report.entriesWhileCut), "fillsWhileCut": .integer(Int64(report.fillsWhileCut)),
                "head": .string(report.head), "seconds": .integer(seconds), "violations": .array(report.violations.map { .string($0) }),
            ]
            return Console.out(String(decoding: JSONWriter.plain(line), as: UTF8.self))
        }
        for violation in report.violations { Console.out("  \(violation)") }
        Console.out(
            "seed \(plan.seed): \(shares.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")); \(report.cuts) cuts, \(report.commands) commands, "
                + "\(report.intents) intents, \(report.fills) fills, \(report.entries) entries, head \(report.head.prefix(16)), \(seconds) s")
        if plan.cutSeconds != nil { Console.out("while the link was cut: \(report.entriesWhileCut) entries, \(report.fillsWhileCut) fills") }
        if !plan.storms.isEmpty {
            let list = report.storms.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
            Console.out("the link: \(list); \(report.resets) connections broken off, \(report.corrupted) bits turned")
        }
        for (end, times) in report.diskEnds.sorted(by: { $0.key < $1.key }) { Console.out("\(times) × \(end)") }
        if plan.backlogKills > 0 { Console.out("\(report.killsOnBacklog) of the kills while a backlog was on its way") }
        Console.out("\(report.killCount) kills, \(report.violations.count) violations")
    }
}
