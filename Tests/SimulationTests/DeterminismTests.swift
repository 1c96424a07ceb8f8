// The same seed gives the same run: counts and bytes.
import Platform
import Simulation
import Testing
import Values
import Wire

@Suite struct DeterminismTests {
    /// A busy life with cuts, told as numbers.
    private static func life(_ disk: FaultyDisk, _ seed: UInt64) throws -> [Int] {
        var chance = SeededRandom(seed: seed)
        var numbers: [Int] = []
        for cut in 0..<20 {
            disk.freezeAt = disk.mutations + chance.int(20...120)
            if let store = try? EntryStore(path: "ledger.db", .init(.create, vfs: disk.name)) {
                numbers.append(Int(store.head.seq))
                while (try? store.append(MadeUpRows.next(chance.int(1...3), after: store.head, mark: UInt64(cut)))) != nil {
                    if chance.chance(1, in: 10) { try? store.checkpoint() }
                }
            }
            disk.crash(CrashMode.allCases[chance.int(0...3)])
        }
        return numbers + [disk.mutations, disk.writes, disk.syncs]
    }

    @Test func theSameSeedGivesTheSameBytesButForTheSalts() throws {
        let first = FaultyDisk(seed: 42)
        let second = FaultyDisk(seed: 42)
        let other = FaultyDisk(seed: 43)
        let numbers = try DeterminismTests.life(first, 7)
        #expect(try DeterminismTests.life(second, 7) == numbers)
        #expect(first.fingerprint == second.fingerprint)
        #expect(first.names.contains("ledger.db"))
        #expect(try DeterminismTests.life(other, 8) != numbers)
        #expect(other.fingerprint != first.fingerprint)
    }

    /// In a process of its own, because the default disk is the process's: salts and all.
    @Test func aloneEveryByteIsTheSame() async {
        await #expect(processExitsWith: .success) {
            func run() throws -> (UInt64, UInt64) {
                let disk = FaultyDisk(seed: 42)
                disk.becomeDefault()
                _ = try DeterminismTests.life(disk, 7)
                return (disk.exactFingerprint, disk.fingerprint)
            }
            let first = try run()
            let second = try run()
            #expect(first == second)
            #expect(first.0 != first.1)
        }
    }

    @Test func timeIsTheWorlds() throws {
        let disk = FaultyDisk(seed: 1, now: Instant(seconds: 1_000_000_000))
        let database = try Database(path: "a.db", .init(.create, vfs: disk.name))
        #expect(try database.first("SELECT datetime('now')") { $0.text(0) } == "2001-09-09 01:46:40")
        disk.now = disk.now + .hours(1)
        #expect(try database.first("SELECT datetime('now')") { $0.text(0) } == "2001-09-09 02:46:40")
    }
}
