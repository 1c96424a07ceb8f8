// The cloud's start from books in files: the same picture as from every entry, whatever is wrong with a file, and the whole ledger read behind it.
import CloudNode
import Control
import Foundation
import Ledger
import Platform
import Sync
import Testing
import Values

@Suite struct KeptBookTests {
    private func path(_ cloud: TestCloud, _ ending: String) -> String { "\(cloud.folder)/edges/\(TestEdge.id).\(ending)" }

    /// A linked edge with enough entries to be worth a book, and a few that came after it.
    private func kept(_ count: Int = 1_100) throws -> (TestCloud, TestEdge) {
        let (cloud, edge) = try TestCloud.linked()
        for number in 0..<count { edge.write(.halt(HaltFact(level: number % 2 == 0 ? .halt : .normal, source: "console", reason: "\(number)"))) }
        try edge.pass(.milliseconds(250))
        for _ in 0..<20 where cloud.node.isBehind { try cloud.turn([.follow]) }
        #expect(edge.sender.isCaughtUp && !cloud.node.isBehind)
        try cloud.turn([.stop])
        #expect(PrivateFiles.exists(path(cloud, "book")))
        edge.disconnect()
        return (cloud, edge)
    }
    private func room(_ cloud: TestCloud) throws -> EdgeRoom { try #require(cloud.node.control.edges[TestEdge.id]) }
    private func restored(_ cloud: TestCloud) -> Bool {
        !cloud.take { effect in if case .log(_, "book restored", _) = effect { true } else { nil } }.isEmpty
    }

    @Test func theBookIsTheSameAndTheTailFollows() throws {
        let (cloud, edge) = try kept()
        try cloud.restart()
        #expect(restored(cloud))
        var folded = Book(edge: TestEdge.id)
        for entry in edge.entries { folded.apply(entry) }
        var room = try room(cloud)
        #expect(room.book.digest() == folded.digest() && room.book.head == folded.head)
        #expect(room.recent == Array(edge.entries.suffix(EdgeRoom.recentMax)))
        // What comes now is folded on; the next start finds it after the file's entry.
        try edge.connect()
        for _ in 0..<5 { edge.fill(nil) }
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.isCaughtUp)
        edge.disconnect()
        try cloud.restart()
        #expect(restored(cloud))
        for entry in edge.entries.dropFirst(Int(folded.head.seq.raw)) { folded.apply(entry) }
        room = try self.room(cloud)
        #expect(room.book.digest() == folded.digest() && room.book.fills.count == 5)
    }

    /// Damaged, of another edge's length of history, gone: every entry is read, and the picture is the same.
    @Test(arguments: [0, 1, 2, 3]) func aFileThatDoesNotFitIsPassedOver(way: Int) throws {
        let (cloud, edge) = try kept()
        try cloud.restart {
            let file = path(cloud, "book")
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
            switch way {
            case 0: bytes[bytes.count / 2] ^= 4
            case 1: bytes.removeLast(9)
            case 2: bytes = []
            default:
                // The ledger is put back to before the entry that the book stands at.
                let store = try EntryStore(path: path(cloud, "db"), .init(.readWrite))
                try store.cut(after: 500)
            }
            try Data(bytes).write(to: URL(fileURLWithPath: file))
        }
        #expect(!restored(cloud))
        var folded = Book(edge: TestEdge.id)
        for entry in edge.entries.prefix(way == 3 ? 500 : .max) { folded.apply(entry) }
        #expect(try room(cloud).book.digest() == folded.digest())
    }

    /// An old entry rots in a file of which only the end was read at the start: the walk behind it finds that, and the edge is set aside.
    @Test func theWholeLedgerIsReadBehindTheStart() throws {
        let (cloud, _) = try kept()
        try cloud.restart {
            let database = try Database(path: path(cloud, "db"), .init(.readWrite))
            try database.write { _ in
                try database.script("DROP TRIGGER entry_no_update")
                try database.run("UPDATE entry SET body = '{}' WHERE seq = 300")
                try database.script(
                    "CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;")
            }
        }
        #expect(restored(cloud))
        for _ in 0..<3 { try cloud.tick() }
        #expect(cloud.node.control.edges[TestEdge.id] == nil)
        let rows = cloud.node.control.refusals.map(\.verdict)
        #expect(rows == ["LEDGER_DAMAGED"])
    }

    /// The control: a sound ledger is read to its end, and nobody is told anything.
    @Test func aSoundLedgerIsReadAndNothingIsSaid() throws {
        let (cloud, _) = try kept()
        try cloud.restart()
        for _ in 0..<4 { try cloud.tick() }
        #expect(cloud.node.control.edges[TestEdge.id] != nil && cloud.node.control.refusals.isEmpty)
    }
}
