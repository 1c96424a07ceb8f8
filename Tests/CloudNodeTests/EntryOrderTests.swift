// Clocks, runs and epochs of entries that come after a start of the cloud, or after a cut: what the next start would refuse is not stored.
import CloudNode
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Values
import Wire

@Suite struct EntryOrderTests {
    private enum Way: CaseIterable { case good, hybridClock, bootClock, epoch, run }

    /// Five entries of one run; the last is spoilt, and hashed as it is.
    private func entries(_ way: Way) throws -> [Entry] {
        var chain = Chain(edge: TestEdge.id, boot: Boot(raw: 5), last: nil)
        var clock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(5))
        var all = [
            try chain.append(Draft(.boot(BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c"))), at: clock)
        ]
        for number in 0..<4 {
            clock.wall = clock.wall + .seconds(1); clock.monotonic = clock.monotonic + .seconds(1)
            all.append(try chain.append(Draft(.halt(HaltFact(level: .halt, source: "console", reason: "\(number)"))), at: clock))
        }
        all[4] = EntryOrderTests.spoilt(all[4], after: all[3], way)
        return all
    }
    private static func spoilt(_ entry: Entry, after last: Entry, _ way: Way) -> Entry {
        var spoilt = entry
        switch way {
        case .good: break
        case .hybridClock: spoilt.hlc = last.hlc
        case .bootClock: spoilt.mono = last.mono - .seconds(1)
        case .epoch: spoilt.epoch += 1
        case .run: spoilt.boot = Boot(raw: 6)
        }
        spoilt.seq = last.seq.next
        spoilt.previous = last.hash
        spoilt.hash = Chain.hash(spoilt, edge: TestEdge.id)
        return spoilt
    }

    @Test(arguments: Way.allCases, [false, true]) private func whatBreaksTheOrderIsNotStored(_ way: Way, isRestarted: Bool) throws {
        let disk = FaultyDisk(seed: 1)
        var ledgers: EdgeLedgers? = EdgeLedgers(folder: "edges", vfs: disk.name)
        let offered = try entries(way)
        try ledgers?.append(TestEdge.id, Array(offered[..<4]))
        if isRestarted {
            ledgers = nil
            ledgers = EdgeLedgers(folder: "edges", vfs: disk.name)
        }
        if way == .good {
            try ledgers?.append(TestEdge.id, [offered[4]])
        } else {
            let damage = #expect(throws: LedgerDamage.self) { try ledgers?.append(TestEdge.id, [offered[4]]) }
            #expect(damage?.offered == .clocks)
            #expect(ledgers?.head(TestEdge.id).seq == Seq(4))
        }
        // What was taken, the next start takes.
        ledgers = nil
        try EdgeLedgers(folder: "edges", vfs: disk.name).open(TestEdge.id) { _ in }
    }

    /// A branch was sealed: what follows is held to the entry that is the last now, and not to the sealed ones.
    @Test func afterACutTheCommonEntryCounts() throws {
        let disk = FaultyDisk(seed: 1)
        let ledgers = EdgeLedgers(folder: "edges", vfs: disk.name)
        let offered = try entries(.good)
        try ledgers.append(TestEdge.id, offered)
        try ledgers.cut(TestEdge.id, after: offered[2].head)
        let bad = EntryOrderTests.spoilt(offered[3], after: offered[2], .hybridClock)
        #expect(throws: LedgerDamage.self) { try ledgers.append(TestEdge.id, [bad]) }
        try ledgers.append(TestEdge.id, [offered[3]])
        #expect(ledgers.head(TestEdge.id).seq == Seq(4))
    }

    /// Over a real link, from a book that a file kept or a walk of all entries made: the edge is set aside with words of its own.
    @Test(arguments: [false, true]) func theEdgeIsSetAside(isKept: Bool) throws {
        let (cloud, edge) = try TestCloud.linked()
        for number in 0..<(isKept ? 1_100 : 1) { edge.write(.halt(HaltFact(level: .halt, source: "console", reason: "\(number)"))) }
        try edge.pass(.milliseconds(250))
        for _ in 0..<20 where cloud.node.isBehind { try cloud.turn([.follow]) }
        if isKept { try cloud.turn([.stop]) }
        edge.disconnect()
        try cloud.restart()
        let last = try #require(edge.entries.last)
        let broken = TestEdge(
            cloud, boot: 8, after: edge.entries + [EntryOrderTests.spoilt(last, after: last, .hybridClock)], writes: false)
        try broken.connect()
        try broken.pass(.milliseconds(250))
        #expect(!broken.sender.isCaughtUp)
        let rows = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements)
        let row = try #require(rows.first { $0["verdict"]?.text == "ENTRIES_OUT_OF_ORDER" })
        #expect(row["words"]?.text?.contains("hybrid clock that is not above the one before") == true)
        #expect(try cloud.get("/ready")?.json?["missing"]?.elements?.first?.text == "edge home-1 sends what no start would take")
    }
}
