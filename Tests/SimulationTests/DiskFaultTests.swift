// Errors instead of power cuts: at every write, every sync and every capacity of opening, writing and copying.
import Platform
import Simulation
import Testing
import Wire

/// One life of a store up to its first error, then a power cut and a second look.
private struct FaultRun {
    enum End: Equatable { case undisturbed, refusedToOpen, failed, full }
    var end = End.undisturbed
    var acknowledged = 0
    var offered = 0
    var found: [EntryRow] = []
    var rows: [EntryRow] = []
    var triedAfterFailing: StoreError?
    var journalMode: String?

    static let commits = 12

    init(_ disk: FaultyDisk, crash mode: CrashMode) throws {
        live(disk)
        disk.capacity = nil
        disk.crash(mode)
        let again = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
        found = try again.read(from: 1, limit: .max)
        let damage = try again.structuralDamage(limit: 1)
        #expect(damage.isEmpty)
        let reader = try Database(path: "ledger.db", .init(.readOnly, vfs: disk.name))
        journalMode = try reader.first("PRAGMA journal_mode") { $0.text(0) }
    }

    private mutating func live(_ disk: FaultyDisk) {
        do throws(StoreError) {
            let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
            do throws(StoreError) {
                for number in 0..<FaultRun.commits {
                    let more = MadeUpRows.next(1 + number % 2, after: store.head, mark: 1)
                    rows += more
                    try store.append(more)
                    acknowledged = rows.count
                    if number == FaultRun.commits / 2 { try store.checkpoint() }
                }
            } catch {
                if case .failed = error { end = .failed } else { end = .full }
                let next = MadeUpRows.next(1, after: store.head, mark: 2)
                if end == .failed {
                    do throws(StoreError) { try store.append(next) } catch { triedAfterFailing = error }
                }
            }
        } catch {
            end = .refusedToOpen
        }
    }

    /// What must hold whatever failed.
    func check(_ place: String) {
        #expect(found.count >= acknowledged, "\(place): \(acknowledged - found.count) acknowledged entries lost")
        #expect(found == Array(rows.prefix(found.count)), "\(place): entries changed")
        #expect(journalMode == "wal", "\(place)")
        if end == .failed {
            guard case .failed = triedAfterFailing else {
                Issue.record("\(place): a failed store took more, or answered \(String(describing: triedAfterFailing))")
                return
            }
        }
    }
}

@Suite struct DiskFaultTests {
    /// How many writes and syncs a life without faults makes.
    private func undisturbed() throws -> (writes: Int, syncs: Int) {
        let disk = FaultyDisk(seed: 1)
        let run = try FaultRun(disk, crash: .nothing)
        #expect(run.end == .undisturbed)
        #expect(run.found.count == run.rows.count)
        return (disk.writes, disk.syncs)
    }

    @Test(arguments: [DiskFault.Operation.write, .sync], [CrashMode.nothing, .everything]) func anErrorAnywhereLosesNothing(
        operation: DiskFault.Operation, mode: CrashMode
    ) throws {
        let count = try operation == .write ? undisturbed().writes : undisturbed().syncs
        #expect(count > 20)
        var ends: Set<String> = []
        for index in 1...count {
            let disk = FaultyDisk(seed: UInt64(index))
            disk.fault = DiskFault(operation, index)
            let run = try FaultRun(disk, crash: mode)
            run.check("\(operation) \(index), crash \(mode)")
            #expect(run.end != .full)
            ends.insert("\(run.end)")
        }
        // The faults were met: some at the opening, some in a commit.
        #expect(ends.isSuperset(of: ["refusedToOpen", "failed"]))
    }

    @Test func aFullDiskAnywhereIsToldAsFullAndEverythingEarlierStays() throws {
        let count = try undisturbed().writes
        var ends: Set<String> = []
        for index in 1...count {
            let disk = FaultyDisk(seed: UInt64(index))
            disk.fault = DiskFault(.write, index, .full)
            let run = try FaultRun(disk, crash: .nothing)
            run.check("full at write \(index)")
            #expect(run.end != .failed)
            ends.insert("\(run.end)")
        }
        #expect(ends.contains("full"))
        for capacity in stride(from: 1_000, to: 200_000, by: 7_000) {
            let disk = FaultyDisk(seed: UInt64(capacity))
            disk.capacity = capacity
            try FaultRun(disk, crash: .anySubset).check("capacity \(capacity)")
        }
    }

    @Test func afterMakingRoomTheSameEntriesAreTaken() throws {
        let disk = FaultyDisk(seed: 5)
        let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
        try store.append(MadeUpRows.next(3, after: store.head, mark: 1))
        let used = disk.names.reduce(0) { $0 + (disk.bytes(of: $1)?.count ?? 0) }
        disk.capacity = used + 100
        let next = MadeUpRows.next(2, after: store.head, mark: 1)
        let full = #expect(throws: StoreError.self) { try store.append(next) }
        guard case .database(let cause) = full else {
            Issue.record("a full disk was told as \(String(describing: full))")
            return
        }
        #expect(cause.isFull)
        #expect(store.failure == nil)
        #expect(store.head.seq == 3)
        disk.capacity = used + 100_000
        try store.append(next)
        disk.crash(.nothing)
        let again = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
        #expect(again.head.seq == 5)
    }

    /// The seam itself: the failed switch to WAL that reports success in its row is not believed.
    @Test func aFailedSwitchToTheLogIsNeverBelieved() throws {
        for index in 1...6 {
            let disk = FaultyDisk(seed: 1)
            disk.fault = DiskFault(.write, index)
            guard let database = try? Database(path: "a.db", .init(.create, vfs: disk.name)) else { continue }
            let mode = try database.first("PRAGMA journal_mode") { $0.text(0) }
            #expect(mode == "wal", "write \(index)")
        }
    }
}
