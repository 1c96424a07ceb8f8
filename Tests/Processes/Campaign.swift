// A day of faults on real processes: kills, cuts and commands by seed while a bot trades fast, then quiet, then the comparison.
internal import Ledger
internal import Values
internal import Wire

/// How hard a campaign is.
package struct CampaignPlan: Sendable {
    package var seed: UInt64
    /// `kill -9`s, spread over all four processes.
    package var kills: Int
    /// How long the link stays cut in one piece after the kills, by the wall clock; nil for short cuts only.
    package var cutSeconds: Int?
    /// More `kill -9`s, of edge and cloud by turns, each while a backlog is on its way over a slow link.
    package var backlogKills = 0
    /// Troubles of the link after the kills, in turn, each so long.
    package var storms: [LinkStorm] = []
    package var stormSeconds = 3...10
    /// For root alone: system calls of edge or cloud that fail, and times that the edge's file system is full.
    package var diskFaults = 0
    package var diskFills = 0
    package init(seed: UInt64, kills: Int, cutSeconds: Int? = nil) { self.seed = seed; self.kills = kills; self.cutSeconds = cutSeconds }
}

/// What a campaign did and found.
package struct CampaignReport: Sendable {
    package var kills: [String: Int] = [:]
    /// Those of them that came while entries were on their way to the cloud.
    package var killsOnBacklog = 0
    package var cuts = 0
    /// Storms by name, connections that they broke off, and bits that they turned.
    package var storms: [String: Int] = [:]
    package var resets: Int64 = 0
    package var corrupted: Int64 = 0
    /// What failing disks did, by how the process ended.
    package var diskEnds: [String: Int] = [:]
    package var commands = 0
    package var entries: Int64 = 0
    package var intents = 0
    package var fills = 0
    /// Entries of the edge that were written while the link was cut for long, and the fills among them.
    package var entriesWhileCut: Int64 = 0
    package var fillsWhileCut = 0
    package var head = ""
    package var violations: [String] = []
    package var killCount: Int { kills.values.reduce(0, +) }
}

/// One campaign; owned by one thread.
package final class Campaign {
    let plan: CampaignPlan
    let stage: Stage
    let tell: (String) -> Void
    var chance: SeededRandom
    var report = CampaignReport()
    var isCut = false
    private var front = ""
    /// Every command that was asked for, with whether the cloud took it; nil when its answer never came.
    private var asked: [(key: String, path: String, body: JSONValue, isTaken: Bool?)] = []
    /// The bodies of the entries that were added for a backlog: each must be at both ends, once.
    var backlog: [[UInt8]] = []

    /// - Parameter tell: called with a line for everything that is done.
    package init(_ plan: CampaignPlan, tell: @escaping (String) -> Void = { _ in }) throws {
        self.plan = plan; self.tell = tell
        chance = SeededRandom(seed: plan.seed)
        stage = try Stage(.busy(seed: plan.seed))
    }

    /// Runs to the end and compares. Throws when the stage itself does not work: that is no finding about a promise.
    package func run() throws -> CampaignReport {
        if plan.diskFills > 0 { try mountDisks() }
        defer { if plan.diskFills > 0 { unmountDisks() } }
        try stage.open()
        front = try stage.frontMonth()
        tell("all four run in \(stage.folder)")
        // An equal share for each, in an order that the seed shuffles.
        let parts = Stage.Part.allCases
        var victims = (0..<plan.kills).map { parts[$0 % parts.count] }
        victims.shuffle(using: &chance)
        for victim in victims {
            for _ in 0..<chance.int(1...3) { try disturb() }
            if chance.chance(2, in: 3) { trade() }
            try murder(victim)
        }
        if plan.backlogKills > 0 { try killOnBacklog() }
        for storm in plan.storms { try blow(storm) }
        for _ in 0..<plan.diskFaults { try failDisk() }
        for _ in 0..<plan.diskFills {
            try fillDisk()
            try fillCloud()
        }
        if let seconds = plan.cutSeconds { try cutLong(seconds) }
        try quieten()
        try compare()
        return report
    }

    /// Leaves logs and ledgers where they are, and says where.
    package func keep() -> String {
        stage.scratch.isKept = true
        return stage.folder
    }

    // MARK: Disturbances

    private func disturb() throws {
        switch chance.int(0...9) {
        case 0...1: try isCut ? mend() : cut()
        case 2...3: order()
        case 4: ask("positions/\(front)/close", [:])
        case 5: ask("positions/\(chance.int(0...1) == 0 ? "NVDA" : "TSLA").NASDAQ/close", [:])
        case 6: again()
        default: break
        }
        stage.patience.pass(milliseconds: chance.int(100...2_500))
        if isCut, chance.chance(1, in: 2) { try mend() }
    }

    /// Lets the edge come to itself after the last death, so that the next one meets orders under way. Some deaths come before.
    func trade() {
        let isTrading = { try self.stage.edgeStatus()?["edge"]?["reconciliation"]?["state"]?.text == "clean" }
        try? stage.patience.until("the bot trades", within: 25, isTrading)
        stage.patience.pass(milliseconds: chance.int(500...3_000))
    }

    private func cut() throws {
        guard stage.isRunning(.relay) else { return }
        try stage.link("cut")
        isCut = true
        report.cuts += 1
        tell("link cut")
    }

    func mend() throws {
        try stage.link("mend")
        isCut = false
        tell("link mended")
    }

    func order() {
        let side = chance.chance(1, in: 2) ? "BUY" : "SELL"
        ask("orders", ["instrument": .string(front), "side": .string(side), "quantity": "1", "trailingStop": ["percent": "0.5"]])
    }

    private func ask(_ path: String, _ body: JSONValue) {
        let key = (0..<2).map { _ in Campaign.hex(chance.next()) }.joined()
        let status = try? stage.post(path, body, key: key).status
        asked.append((key, path, body, status.map { $0 == 202 }))
        report.commands += 1
        tell("\(path) is answered \(status.map { "\($0)" } ?? "by nobody")")
    }

    /// A person clicks again: the same request under the same key.
    private func again() {
        guard let index = asked.indices.last else { return }
        let before = asked[index]
        guard let answer = try? stage.post(before.path, before.body, key: before.key) else { return }
        asked[index].isTaken = answer.status == 202 || before.isTaken == true
        tell("\(before.path) again is answered \(answer.status)")
        if before.isTaken == true, answer.status != 202 {
            report.violations.append("command \(before.key) was taken, and refused with \(answer.status) when it was asked again")
        }
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Kills, looks at what is left, lets the others go on for a moment, starts anew.
    private func murder(_ part: Stage.Part) throws {
        stage.kill(part)
        report.kills[part.rawValue, default: 0] += 1
        tell("kill -9 \(part)")
        try examine(part)
        stage.patience.pass(milliseconds: chance.int(0...1_500))
        if chance.chance(1, in: 3) { order() }
        try stage.start(part)
        tell("\(part) runs again")
    }

    /// What a dead process left, before anything is mended.
    func examine(_ part: Stage.Part) throws {
        switch part {
        case .cloud:
            if let acked = try stage.edgeStatus()?["edge"]?["ackedSeq"]?.integerValue {
                let durable = acked == 0 ? 0 : try stage.cloudHead().seq
                if durable < acked { report.violations.append("the edge was told \(acked) entries are safe, the dead cloud has \(durable)") }
            }
        case .edge:
            let up = try stage.cloudHead()
            let finding = try stage.edge("ledger", "verify", "--witness", "\(up.seq):\(up.hash)")
            if finding.code != 0 { report.violations.append("the dead edge's ledger: \(finding.output)") }
        case .relay: isCut = false
        case .gateway: break
        }
    }

    private func cutLong(_ seconds: Int) throws {
        if isCut { try mend() }
        try stage.awaitBroker(within: 90)
        try stage.awaitLink()
        try cut()
        let before = try LedgerBooks(path: stage.edgeLedger)
        for second in stride(from: 0, to: seconds, by: 10) {
            stage.patience.pass(milliseconds: 10_000)
            if second % 60 == 50 {
                let now = try LedgerBooks(path: stage.edgeLedger)
                tell("cut for \(second + 10) s: \(now.book.fills.count - before.book.fills.count) fills since")
            }
            if second % 30 == 20 { order() }
        }
        let after = try LedgerBooks(path: stage.edgeLedger)
        report.entriesWhileCut = Int64(after.book.head.seq.raw - before.book.head.seq.raw)
        report.fillsWhileCut = after.book.fills.count - before.book.fills.count
        if report.fillsWhileCut == 0 { report.violations.append("nothing was traded while the link was cut") }
        try mend()
    }

    /// One trouble of the link, with orders in it; then it is fair, and the two find each other again.
    private func blow(_ storm: LinkStorm) throws {
        if isCut { try mend() }
        let words = storm.weather(&chance)
        try stage.link("weather", words)
        report.storms[storm.rawValue, default: 0] += 1
        tell("link: \(words)")
        for _ in 0..<chance.int(1...2) {
            order()
            stage.patience.pass(milliseconds: chance.int(plan.stormSeconds) * 500)
        }
        let status = try stage.json(try stage.run("rig", ["relay", "status", "--control", stage.folder + "/relay.control", "--json"]))
        try stage.link("weather", "fair")
        tell("link: fair after \(status["resets"]?.integerValue ?? 0) resets and \(status["corrupted"]?.integerValue ?? 0) bits so far")
        report.resets = status["resets"]?.integerValue ?? 0
        report.corrupted = status["corrupted"]?.integerValue ?? 0
        do { try stage.awaitLink(within: 90) } catch let trouble as ProcessTrouble {
            report.violations.append("after \(words) the two do not find each other: \(trouble)")
        }
    }

    // MARK: The end

    /// Everything runs and is whole; trading is halted at the edge's own console.
    private func quieten() throws {
        if isCut { try mend() }
        try stage.awaitBroker(within: 120)
        try stage.awaitLink(within: 90)
        let halt = try stage.edge("kill", "--yes", "--reason", "the campaign is over")
        guard halt.code == 0 else { throw ProcessTrouble("the halt is refused: \(halt.output)\(halt.complaints)") }
        tell("trading is halted")
    }

    private func compare() throws {
        report.violations += try stage.lastingViolations(within: 90)
        do {
            let head = try stage.awaitSameHead(within: 120)
            report.entries = head.seq
            report.head = head.hash
        } catch let trouble as ProcessTrouble { report.violations.append(trouble.description) }
        report.violations += try Comparison.rowViolations(
            edgeLedger: stage.edgeLedger, cloudLedger: cloudLedger(), through: UInt64(report.entries), once: backlog)
        let books = try LedgerBooks(path: stage.edgeLedger)
        report.fills = books.book.fills.count
        report.intents = books.intents
        if plan.kills + plan.storms.count + plan.diskFaults + plan.diskFills > 0, books.book.fills.isEmpty {
            report.violations.append("nothing was traded: the campaign proves nothing")
        }
        for command in asked where command.isTaken == true { try judge(command.key, books) }
    }

    /// A command that was taken ends, and ends as the ledger says.
    private func judge(_ key: String, _ books: LedgerBooks) throws {
        guard let id = CommandID(hex: key) else { return }
        let told: JSONValue
        do { told = try stage.command(key, "at its end", within: 90) { $0["final"]?.boolValue == true } } catch let trouble as ProcessTrouble {
            return report.violations.append(trouble.description)
        }
        let state = told["state"]?.text ?? ""
        let hasOrders = !(books.book.commandOrders[id] ?? []).isEmpty
        if state == "expired", hasOrders { report.violations.append("command \(key) is told expired, and has orders in the ledger") }
        if state == "filled", !hasOrders { report.violations.append("command \(key) is told filled, and has no order in the ledger") }
    }
}
