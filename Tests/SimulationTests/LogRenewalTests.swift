// A failed sync, a restart and then a power cut: what the second run saw and wrote is there for the third.
import Platform
import Simulation
import Testing
import Wire

/// Three runs on one disk: the first ends at a failed sync, the second reads on from the page cache until the power is cut.
private struct ThreeRuns {
    /// Entries that the second run found or was acknowledged and the third does not have.
    var lost = 0
    /// Third runs that did not open, or found a broken file.
    var damaged = 0
    var runs = 0
    /// Second runs that read entries whose sync had failed: without them nothing is shown.
    var readUnsynced = 0

    /// - Parameters:
    ///   - commit: the commit of the first run whose sync fails, from 1.
    ///   - cut: the mutation of the second run at which the power goes.
    mutating func run(commit: Int, cut: Int, _ mode: CrashMode, prepare: (FaultyDisk) -> Void = { _ in }) {
        runs += 1
        let disk = FaultyDisk(seed: UInt64(commit * 1_000 + cut))
        prepare(disk)
        let acknowledged = first(disk, commit)
        disk.crash(.everything)
        disk.freezeAt = disk.mutations + cut
        let known = second(disk)
        if known.count > acknowledged { readUnsynced += 1 }
        disk.crash(mode)
        guard let third = try? open(disk), let found = try? third.read(from: 1, limit: .max),
            let damage = try? third.structuralDamage(limit: 1), damage.isEmpty
        else {
            damaged += 1
            return
        }
        if Array(found.prefix(known.count)) != known || found.count < acknowledged { lost += 1 }
    }

    private func open(_ disk: FaultyDisk) throws -> EntryStore {
        try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
    }

    private func first(_ disk: FaultyDisk, _ commit: Int) -> Int {
        guard let store = try? open(disk) else { return 0 }
        for number in 1...commit {
            if number == commit { disk.fault = DiskFault(.sync, disk.syncs + 1) }
            let rows = MadeUpRows.next(5, after: store.head, mark: 1)
            guard (try? store.append(rows)) != nil else { break }
            // So that the log holds some of the file's pages and not all: old ones of them do not fit the others.
            if number == commit - 2 { try? store.checkpoint() }
        }
        #expect(store.failure?.isIO == true)
        return Int(store.head.seq)
    }

    private func second(_ disk: FaultyDisk) -> [EntryRow] {
        guard let store = try? open(disk), var known = try? store.read(from: 1, limit: .max) else { return [] }
        for number in 0..<6 {
            let rows = MadeUpRows.next(2, after: store.head, mark: 2)
            guard (try? store.append(rows)) != nil else { break }
            known += rows
            if number % 2 == 1 { try? store.checkpoint() }
        }
        return known
    }

    mutating func everywhere(_ prepare: (FaultyDisk) -> Void = { _ in }) {
        for commit in stride(from: 1, through: 16, by: 3) {
            for cut in 1...40 {
                for mode in [CrashMode.nothing, .anySubset, .prefix] { run(commit: commit, cut: cut, mode, prepare: prepare) }
            }
        }
    }
}

@Suite struct LogRenewalTests {
    @Test func whatARunReadsAfterAFailedSyncOutlivesThePower() {
        var runs = ThreeRuns()
        runs.everywhere()
        #expect(runs.damaged == 0 && runs.lost == 0, "\(runs)")
        #expect(runs.readUnsynced > 100)
    }

    /// The control: where writing the log over itself has no effect, the same runs lose entries and leave files that do not open.
    @Test func withoutWritingTheLogAgainItDoesNot() {
        var runs = ThreeRuns()
        runs.everywhere { $0.ignoresEqualWrites = true }
        #expect(runs.damaged > 10, "\(runs)")
        #expect(runs.lost > 10, "\(runs)")
    }

    /// A disk that refuses the log again is not worked with: the next opening tries again.
    @Test(arguments: [DiskFault.Operation.write, .sync]) func whereTheLogCannotBeWrittenNothingOpens(operation: DiskFault.Operation) throws {
        let disk = FaultyDisk(seed: 1)
        var store: EntryStore? = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
        try store?.append(MadeUpRows.next(3, after: .empty, mark: 1))
        // Killed: nothing is copied and the log stays.
        disk.crash(.everything)
        store = nil
        let before = disk.bytes(of: "ledger.db")
        disk.fault = DiskFault(operation, (operation == .write ? disk.writes : disk.syncs) + 1)
        let error = #expect(throws: StoreError.self) {
            _ = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
        }
        guard case .database(let cause) = error else {
            Issue.record("told as \(String(describing: error))")
            return
        }
        #expect(cause.isIO && cause.message.contains("ledger.db-wal"))
        #expect(disk.bytes(of: "ledger.db") == before)
        disk.fault = nil
        #expect(try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name)).head.seq == 3)
    }

    /// Whoever owns the database: closing it after a failed sync copies nothing on.
    @Test func aFailedSyncLeavesTheFileAsItWas() throws {
        let disk = FaultyDisk(seed: 2)
        var database: Database? = try Database(path: "a.db", .init(.create, vfs: disk.name))
        try database?.write { try $0.script("CREATE TABLE t(n INTEGER)") }
        let before = disk.bytes(of: "a.db")
        disk.fault = DiskFault(.sync, disk.syncs + 1)
        #expect(throws: DatabaseError.self) { try database?.write { try $0.run("INSERT INTO t VALUES (1)") } }
        disk.fault = nil
        database = nil
        #expect(disk.names == ["a.db", "a.db-wal"])
        #expect(disk.bytes(of: "a.db") == before)
    }
}
