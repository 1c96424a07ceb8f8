// Kept files on the real disk: whole under their name or not at all, synced beside whoever writes them, read in parts.
import Foundation
import Platform
import Testing

@Suite struct KeptFilesTests {
    private let folder: TemporaryFolder
    private let files: FolderFiles
    init() throws {
        folder = try TemporaryFolder()
        files = FolderFiles(folder.path)
    }

    @Test func aFileComesInPiecesAndIsThereWholeAtTheEnd() throws {
        let writer = try files.begin("kept")
        var bytes: [UInt8] = []
        for piece in 0..<5 {
            let more = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ piece) }
            try writer.append(more)
            bytes += more
            // As often as it is asked: there is one sync, and its end.
            while !(try writer.sync()) { #expect(try files.read("kept") == nil) }
        }
        #expect(try files.names() == ["kept.new"])
        // Asked for before the last sync is over.
        _ = try writer.sync()
        while !(try writer.finish()) { writer.wait() }
        #expect(try files.names() == ["kept"] && files.read("kept") == bytes && files.size("kept") == bytes.count)
        #expect(try files.read("kept", in: 69_990..<70_010) == Array(bytes[69_990..<70_010]))
        #expect(try files.read("kept", in: 0..<bytes.count + 1) == nil && files.read("other", in: 0..<1) == nil && files.size("other") == nil)
    }

    /// Two threads read a large file, each its half.
    @Test(arguments: [(4 << 20) - 1, 4 << 20, (4 << 20) + 1, (9 << 20) + 3]) func aLargeFileIsReadWhole(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        try files.write("large", bytes)
        #expect(try files.read("large") == bytes)
        #expect(try files.read("large", in: 1..<count) == Array(bytes.dropFirst()) && files.read("large", in: 1..<count + 1) == nil)
    }

    @Test func whatIsAbandonedLeavesNothing() throws {
        for isSyncing in [false, true] {
            let writer = try files.begin("kept")
            try writer.append([UInt8](repeating: 1, count: 1_000_000))
            if isSyncing { _ = try writer.sync() }
            writer.abandon()
            #expect(try files.names() == [])
        }
    }

    /// What the disk answers to the thread is told to whoever asks.
    @Test func anErrorOfTheEndIsTold() throws {
        let writer = try files.begin("kept")
        try writer.append([1, 2, 3])
        try writer.syncNow()
        // Nothing can be put in the place of a folder that holds something.
        try FileManager.default.createDirectory(atPath: folder.path + "/kept/x", withIntermediateDirectories: true)
        #expect(throws: KeptFileError.self) { try writer.finishNow() }
        writer.abandon()
        #expect(try files.names() == ["kept"])
    }
}
