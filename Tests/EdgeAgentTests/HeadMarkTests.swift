// The head mark: its bytes, its file, and what it says of a ledger that was put back; with the database it survives any power cut.
import CAllocations
import EdgeAgent
import Foundation
import Ledger
import Platform
import Simulation
import Testing
import Values

@Suite struct HeadMarkTests {
    private static let mark = HeadMark(
        edge: LedgerWriter.edge, epoch: 3, head: Head(seq: Seq(70_000), hash: [UInt8](repeating: 7, count: 32)), writtenAt: Instant(seconds: 9))

    @Test func aMarkIs256BytesAndReadBack() throws {
        #expect(HeadMarkTests.mark.bytes.count == 256)
        #expect(HeadMark(HeadMarkTests.mark.bytes) == HeadMarkTests.mark)
        let folder = try TemporaryFolder()
        let file = FileMark(path: folder.file("head.mark"))
        #expect(try file.read() == nil)
        try file.write(HeadMarkTests.mark.bytes)
        try file.write(HeadMarkTests.mark.bytes)
        #expect(try file.read() == HeadMarkTests.mark.bytes)
    }

    /// The real file's calls, seen at the C library's door: written beside, synced, put in place, the folder synced. Whichever of them fails is told, and
    /// leaves a whole mark.
    @Test func theFileIsSyncedAndPutInPlaceByRename() throws {
        func calls(failing: Int = 0, _ body: () throws -> Void) rethrows -> [String] {
            files_trace(Int32(failing))
            defer { _ = files_traced() }
            try body()
            return String(cString: files_traced()).split(separator: "\n").map(String.init)
        }
        let folder = try TemporaryFolder()
        let path = folder.file("head.mark"), file = FileMark(path: path)
        let place = try #require(folder.path.split(separator: "/").last)
        let order = ["write head.mark.new", "sync head.mark.new", "rename head.mark.new head.mark", "sync \(place)"]
        let old = HeadMarkTests.mark.bytes
        let new = HeadMark(edge: LedgerWriter.edge, epoch: 3, head: HeadMarkTests.mark.head, writtenAt: Instant(seconds: 10)).bytes
        #expect(try calls { try file.write(old) } == order)
        for failing in 1...order.count {
            try file.write(old)
            #expect(calls(failing: failing) { #expect(throws: MarkError.self) { try file.write(new) } } == Array(order.prefix(failing)))
            #expect(try file.read() == (failing < order.count ? old : new), "\(order[failing - 1])")
        }
        // The control: what is written in the place itself has none of this.
        let plain = try calls { try FileHandle(forWritingAtPath: path)?.write(contentsOf: Data(new)) }
        #expect(plain == ["write head.mark"])
    }

    @Test func noDamagedMarkIsTrusted() {
        let good = HeadMarkTests.mark.bytes
        for bit in 0..<good.count * 8 {
            var bytes = good
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(HeadMark(bytes) == nil, "bit \(bit)")
        }
        for count in 0..<good.count { #expect(HeadMark(Array(good.prefix(count))) == nil) }
        #expect(HeadMark(good + [0]) == nil)
    }

    @Test func aLedgerIsComparedWithItsMark() throws {
        let disk = FaultyDisk(seed: 1)
        let journal = try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: disk.name)
        #expect(try MarkFinding.compare(nil, with: journal) == .agrees)
        var writer = LedgerWriter(boot: 1, after: nil)
        let entries = [try writer.entry(LedgerWriter.bootFact), try writer.intent(1), try writer.intent(2)]
        _ = try journal.commit(entries)
        func mark(_ seq: UInt64, _ hash: [UInt8], edge: EdgeID = LedgerWriter.edge) -> HeadMark {
            HeadMark(edge: edge, epoch: 1, head: Head(seq: Seq(seq), hash: hash), writtenAt: Instant(seconds: 1))
        }
        #expect(try MarkFinding.compare(nil, with: journal) == .missing)
        for entry in entries { #expect(try MarkFinding.compare(mark(entry.seq.raw, entry.hash).bytes, with: journal) == .agrees) }
        let beyond = mark(4, entries[2].hash), other = mark(2, entries[2].hash)
        #expect(try MarkFinding.compare(beyond.bytes, with: journal) == .rolledBack(beyond))
        #expect(try MarkFinding.compare(other.bytes, with: journal) == .rolledBack(other))
        #expect(try MarkFinding.compare(Array(beyond.bytes.dropLast()), with: journal) == .unreadable)
        let stranger = try #require(EdgeID(bytes: [UInt8](repeating: 9, count: 16)))
        #expect(try MarkFinding.compare(mark(1, entries[0].hash, edge: stranger).bytes, with: journal) == .unreadable)
    }

    /// Lives of an edge that marks after every few commits, with the power cut at any change of either file.
    private func lives(seeds: Range<UInt64>, synchronous: Database.Options.Synchronous) throws -> (opened: Int, rolledBack: Int, marked: Int) {
        var result = (opened: 0, rolledBack: 0, marked: 0)
        for seed in seeds {
            let disk = FaultyDisk(seed: seed)
            var chance = SeededRandom(seed: seed &+ 5)
            for cut in 0..<25 {
                disk.freezeAt = disk.mutations + chance.int(1...50)
                do {
                    let store = try EntryStore(path: "ledger.db", .init(.create, synchronous: synchronous, vfs: disk.name))
                    let journal = try Journal(store: store, edge: LedgerWriter.edge)
                    let mark = DiskMark(disk)
                    result.opened += 1
                    switch try MarkFinding.compare(mark.read(), with: journal) {
                    case .rolledBack: result.rolledBack += 1
                    case .unreadable: Issue.record("seed \(seed), cut \(cut): half a mark")
                    case .agrees: result.marked += mark.read() == nil ? 0 : 1
                    case .missing: break
                    }
                    var writer = LedgerWriter(boot: UInt64(cut + 1), after: journal.last)
                    var entries = [try writer.entry(LedgerWriter.bootFact)]
                    while true {
                        _ = try journal.commit(entries)
                        let last = entries[entries.count - 1]
                        if chance.chance(1, in: 3) {
                            try mark.write(HeadMark(edge: LedgerWriter.edge, epoch: 1, head: last.head, writtenAt: last.wall).bytes)
                        }
                        entries = try (0..<chance.int(1...3)).map { try writer.intent(Int64($0)) }
                    }
                } catch { #expect(disk.isFrozen, "seed \(seed), cut \(cut): \(error)") }
                disk.crash(CrashMode.allCases[chance.int(0...3)])
            }
        }
        return result
    }

    @Test func afterAnyPowerCutTheLedgerReachesItsMark() throws {
        let result = try lives(seeds: 0..<12, synchronous: .full)
        #expect(result.rolledBack == 0)
        #expect(result.marked > 100)
    }

    /// The control: a ledger that loses its end at a power cut is found out by the mark.
    @Test func withSynchronousNormalTheMarkFindsTheLostEnd() throws {
        #expect(try lives(seeds: 0..<6, synchronous: .normal).rolledBack > 0)
    }
}
