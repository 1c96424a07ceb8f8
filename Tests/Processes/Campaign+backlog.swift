// Kills while a backlog is on its way: the edge's ledger grows by the thousand while it is dead, the link is slow, and both ends die by turns.
internal import EdgeAgent
internal import Ledger
internal import Platform
internal import Values
internal import Wire

extension Campaign {
    /// So slow that a backlog is under way for some seconds.
    private static let bytesPerSecond = 400_000
    /// Entries that a dead edge's ledger grows by, with so many letters each that nothing can make shorter.
    private static let entriesEach = 500, letters = 2_000

    /// The edge first, then the cloud, and so on; the moment is drawn each time.
    func killOnBacklog() throws {
        if isCut { try mend() }
        try stage.awaitLink(within: 90)
        try stage.link("weather", "limit=\(Campaign.bytesPerSecond)")
        for number in 0..<plan.backlogKills {
            let part: Stage.Part = number % 2 == 0 ? .edge : .cloud
            try awaitMoment()
            let told = part == .cloud ? try stage.edgeStatus()?["edge"]?["ackedSeq"]?.integerValue : nil
            stage.kill(part)
            report.kills[part.rawValue, default: 0] += 1
            try weigh(part, told: told)
            if part == .edge { try grow() }
            try stage.start(part, within: 60)
        }
        try stage.link("weather", "fair")
        tell("\(plan.backlogKills) kills, \(report.killsOnBacklog) of them while a backlog was under way")
    }

    /// Now, or when some more entries have come to the cloud: never by the clock, which a busy machine stretches.
    private func awaitMoment() throws {
        guard chance.chance(3, in: 4) else { return }
        let more = UInt64(chance.int(1...(Campaign.entriesEach / 4)))
        let before = try cloudEnd().seq
        try stage.patience.until("the cloud stores more of the backlog", within: 90) {
            let (up, down) = (try cloudEnd().seq, try edgeEnd().seq)
            return up >= before + more || up >= down
        }
    }

    /// What a dead process left: nothing that was told is missing, and the cloud has only what the edge wrote.
    private func weigh(_ part: Stage.Part, told: Int64?) throws {
        let up = try cloudEnd(), down = try edgeEnd()
        tell("kill -9 \(part) at entry \(up.seq) of \(down.seq)")
        if up.seq < down.seq { report.killsOnBacklog += 1 }
        if let told, told > Int64(up.seq) { report.violations.append("the edge was told \(told) entries are safe, the dead cloud has \(up.seq)") }
        guard up.seq > 0 else { return }
        let row = try EntryStore(path: stage.edgeLedger, .init(.readOnly)).read(from: up.seq, limit: 1).first
        if row?.seq != up.seq || row?.hash != up.hash {
            report.violations.append("the cloud has entry \(up.seq), and the edge's disk has another or none")
        }
    }

    /// Entries by the production journal, as a run would write them that had no link.
    private func grow() throws {
        let journal = try Journal(path: stage.edgeLedger, edge: try EdgeFolder(stage.edgeFolder).identity())
        var chain = Chain(edge: journal.edge, boot: Boot(raw: chance.next()), last: journal.last)
        var clock = ClockReading(wall: SystemClock.now(), monotonic: .seconds(1))
        let boot = BootFact(version: "0", mode: .paper, machine: "backlog", kernelBoot: "backlog", configuration: "backlog")
        var entries = [try chain.append(Draft(.boot(boot)), at: clock)]
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for _ in 0..<Campaign.entriesEach {
            clock.wall = clock.wall + Span(nanoseconds: 10_000)
            clock.monotonic = clock.monotonic + Span(nanoseconds: 10_000)
            var text: [UInt8] = []
            while text.count < Campaign.letters {
                let word = chance.next()
                for place in 0..<10 { text.append(letters[Int(word >> UInt64(6 * place) & 63)]) }
            }
            let entry = try chain.append(Draft(.shutdown(reason: "backlog \(String(decoding: text, as: UTF8.self))")), at: clock)
            backlog.append(entry.body)
            entries.append(entry)
        }
        _ = try journal.commit(entries)
    }

    // MARK: The two files, read beside whoever has them

    func cloudLedger() throws -> String { "\(stage.cloudFolder)/edges/\(try EdgeFolder(stage.edgeFolder).identity()).db" }
    private func cloudEnd() throws -> LogHead { try EntryStore(path: cloudLedger(), .init(.readOnly)).head }
    private func edgeEnd() throws -> LogHead { try EntryStore(path: stage.edgeLedger, .init(.readOnly)).head }
}

extension Comparison {
    /// Both ledgers row by row up to an entry that both have, and some bodies that must stand in it once.
    package static func rowViolations(edgeLedger: String, cloudLedger: String, through last: UInt64, once bodies: [[UInt8]]) throws -> [String] {
        let near = try EntryStore(path: edgeLedger, .init(.readOnly)), far = try EntryStore(path: cloudLedger, .init(.readOnly))
        var found: [String] = []
        var seen: [[UInt8]: Int] = [:]
        for body in bodies { seen[body] = 0 }
        var next: UInt64 = 1
        while next <= last {
            let limit = Int(min(1_000, last - next + 1))
            let here = try near.read(from: next, limit: limit), there = try far.read(from: next, limit: limit)
            for place in 0..<limit {
                let (mine, theirs) = (place < here.count ? here[place] : nil, place < there.count ? there[place] : nil)
                let seq = next + UInt64(place)
                if mine?.seq != seq { found.append("entry \(seq) is missing at the edge") }
                if mine != theirs { found.append("entry \(seq) is \(theirs?.seq == seq ? "another" : "missing") at the cloud") }
                if let body = theirs?.body, let times = seen[body] { seen[body] = times + 1 }
            }
            next += UInt64(limit)
        }
        let wrong = bodies.count { seen[$0] != 1 }
        if wrong > 0 { found.append("\(wrong) of \(bodies.count) entries that were written stand in the cloud's ledger never or more than once") }
        return found
    }
}
