// Compaction under the running edge: small steps in idle time, never beyond what the cloud's backup has, and no moment of it loses an entry.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Trading
import Values
import Wire

@Suite struct CompactorTests {
    private static let rows: UInt64 = 32

    /// What the first run of an edge left: a few hundred entries, of which the cloud has 250 and its backup 100.
    private static let left = Result {
        let rig = DiskRig(snapshotsEvery: 60, compacting: rows)
        try rig.start()
        try rig.settle(seconds: 3)
        for number in 0..<300 {
            rig.now = rig.now + .milliseconds(30)
            try rig.turn(number % 2 == 0 ? [.desk(.halt(source: "file", reason: "x"))] : [.desk(.resume(reason: "y"))])
            _ = try rig.agent?.idle(at: rig.clock)
        }
        let journal = try #require(rig.agent?.journal)
        try journal.noteAcknowledged(Seq(250))
        try journal.noteBackup(Seq(100))
        return rig.left()
    }

    /// The edge's second run on that.
    private func running(seed: UInt64 = 7) throws -> DiskRig {
        let rig = DiskRig(seed: seed, snapshotsEvery: 60, compacting: Self.rows)
        rig.take(try Self.left.get())
        try rig.start()
        try rig.settle(seconds: 1)
        // From the first idle moment on a minute passes before the ledger is walked.
        _ = try rig.agent?.idle(at: rig.clock)
        return rig
    }
    private func idle(_ rig: DiskRig, seconds: Int, every milliseconds: Int = 50) throws {
        for _ in 0..<(seconds * 1_000 / milliseconds) {
            rig.now = rig.now + .milliseconds(Int64(milliseconds))
            _ = try rig.agent?.idle(at: rig.clock)
        }
    }
    private func verify(_ rig: DiskRig) throws -> LedgerAudit.Finding {
        try LedgerAudit.verify(path: "ledger.db", vfs: rig.disk.name, kept: DiskFiles(rig.disk))
    }
    private func segments(_ rig: DiskRig) -> Int { rig.disk.names.count { $0.hasSuffix(".seg") } }

    @Test func entriesMoveBehindTheBackupWhileTheEdgeTrades() throws {
        let rig = try running()
        let before = try #require(try rig.agent?.journal.read(from: Seq(1), limit: 1_000))
        try idle(rig, seconds: 75)
        #expect(rig.agent?.compaction?.snapshot ?? Seq(0) > Seq(100) && segments(rig) == 0, "they are young")
        rig.now = rig.now + .hours(1)
        try rig.settle(seconds: 1)
        // An order between two pieces is placed as ever.
        for _ in 0..<60 {
            try idle(rig, seconds: 1)
            if rig.agent?.compaction?.isMoving == true { break }
        }
        #expect(rig.agent?.compaction?.isMoving == true)
        let head = rig.agent?.journal.head.seq ?? Seq(0)
        try rig.turn([.desk(.halt(source: "file", reason: "x"))])
        try rig.turn([.desk(.resume(reason: "y"))])
        #expect(rig.agent?.journal.head.seq ?? head > head)
        try idle(rig, seconds: 150, every: 100)
        #expect(rig.agent?.journal.compacted == Seq(96) && rig.agent?.compaction?.moved == Seq(96) && segments(rig) == 3)
        // Whoever asks finds them: the uplink, the cloud's comparison, the check.
        let journal = try #require(rig.agent?.journal)
        #expect(try Array(journal.read(from: Seq(1), limit: 1_000).prefix(before.count)) == before)
        #expect(try journal.stored(from: Seq(90), through: Seq(99)) == before[89..<99].map { $0 })
        #expect(try verify(rig).difference == nil)
        // The backup reaches further.
        try journal.noteBackup(Seq(9_999))
        try idle(rig, seconds: 150, every: 100)
        #expect(journal.compacted == Seq(224), "no further than what the cloud has")
        // The next start stands on what is left, and the fold of all is the same.
        let digest = rig.book.digest()
        rig.crash()
        try rig.start()
        #expect(rig.recovered?.book.digest() == digest && rig.recovered?.snapshot != nil)
        try rig.settle(seconds: 1)
        try idle(rig, seconds: 75)
        #expect(rig.agent?.ledgerTroubles == [] && rig.agent?.compaction?.moved == Seq(224))
    }

    /// A page of the index of subjects is none any more while entries lie in segments, so that it cannot be made anew: the screens say so in this run
    /// and the next, orders go on, and nothing moves.
    @Test func anIndexThatIsDamagedBehindSegmentsIsTold() throws {
        let rig = try running()
        try rig.agent?.journal.noteBackup(Seq(9_999))
        rig.now = rig.now + .hours(1)
        try rig.settle(seconds: 1)
        try idle(rig, seconds: 150, every: 100)
        #expect(rig.agent?.journal.compacted == Seq(224) && rig.agent?.ledgerTroubles == [])
        rig.crash()
        let page: Int64? = try {
            let database = try Database(path: "ledger.db", .init(.readWrite, vfs: rig.disk.name))
            return try database.first("SELECT rootpage FROM sqlite_schema WHERE name = 'subject'") { $0.integer(0) }
        }()
        var bytes = try #require(rig.disk.bytes(of: "ledger.db"))
        bytes[(Int(try #require(page)) - 1) * 4_096] = 0xFF
        rig.disk.place("ledger.db", bytes)
        for _ in 0..<2 {
            try rig.start()
            try rig.settle(seconds: 4)
            try rig.turn([.desk(.resume(reason: "y"))])
            try rig.buy(1)
            for number in 0..<600 {
                rig.now = rig.now + .milliseconds(30)
                try rig.turn(number % 2 == 0 ? [.desk(.halt(source: "file", reason: "x"))] : [.desk(.resume(reason: "y"))])
            }
            try idle(rig, seconds: 30, every: 500)
            let trouble = try #require(rig.agent?.ledgerTroubles.first { $0.kind == .unindexed })
            #expect(trouble.text.contains("follows no more") && trouble.cure.contains("Orders go on") && !trouble.kind.stopsOpening)
            #expect(rig.agent?.desk.isTrading == true && rig.agent?.desk.ledgerTrouble == trouble)
            rig.now = rig.now + .hours(1)
            try idle(rig, seconds: 150, every: 100)
            #expect(rig.agent?.journal.compacted == Seq(224))
            rig.crash()
        }
    }

    /// Each bound holds by itself.
    @Test(arguments: ["acknowledged", "backup", "age"]) func nothingMovesBefore(bound: String) throws {
        let rig = try running()
        let journal = try #require(rig.agent?.journal)
        if bound == "acknowledged" { try journal.noteAcknowledged(Seq(31)) }
        if bound == "backup" { try journal.noteBackup(Seq(31)) }
        if bound != "age" { rig.now = rig.now + .hours(1) }
        try idle(rig, seconds: 150, every: 200)
        #expect(segments(rig) == 0 && journal.compacted == Seq(0), "\(bound)")
    }

    /// The power goes at moments of it; the next run stands on all entries, and finishes. Other ways to lose power are the crash images' business.
    @Test func powerCutsLoseNothing() throws {
        var ends = (cut: 0, whole: 0, between: 0)
        // Each is a start, a check of the ledger and hundreds of idle steps: some moments of the whole, and one that comes to its end.
        for step in [40, 170, 290, 100_000] {
            let rig = try running(seed: UInt64(step))
            rig.now = rig.now + .hours(1)
            try rig.settle(seconds: 1)
            #expect(rig.agent?.journal.compacted == Seq(0))
            rig.disk.freezeAt = rig.disk.mutations + step
            do {
                try idle(rig, seconds: 15)
                ends.whole += 1
            } catch is AgentFailure { ends.cut += 1 }
            let head = rig.agent?.journal.head.seq ?? Seq(0), digest = rig.book.digest()
            rig.crash(.nothing)
            rig.now = rig.now + .seconds(1)
            #expect(try verify(rig).difference == nil, "\(step)")
            try rig.start()
            #expect(rig.recovered?.book.head.seq ?? Seq(0) >= head && rig.recovered?.book.digest() == digest, "\(step)")
            let moved = rig.agent?.journal.compacted ?? Seq(0)
            if moved.raw % Self.rows != 0 { ends.between += 1 }
            guard step == 170 else { continue }
            try rig.settle(seconds: 1)
            try idle(rig, seconds: 75)
            #expect(rig.agent?.journal.compacted == Seq(96), "\(step)")
        }
        #expect(ends.whole >= 1 && ends.cut > 2, "\(ends)")
    }

    /// A folder that takes no file ends nothing: it is told, and tried again.
    @Test func aFolderThatTakesNoSegmentEndsNothing() throws {
        let rig = try running()
        rig.now = rig.now + .hours(1)
        try rig.settle(seconds: 1)
        rig.disk.failingPrefix = "ledger-"
        try idle(rig, seconds: 75)
        #expect(rig.agent?.compaction?.trouble?.contains("failed") == true && segments(rig) == 0 && rig.agent?.ledgerTroubles == [])
        rig.disk.failingPrefix = nil
        try idle(rig, seconds: 700, every: 500)
        #expect(rig.agent?.journal.compacted == Seq(96) && rig.agent?.compaction?.trouble == nil)
    }
}
