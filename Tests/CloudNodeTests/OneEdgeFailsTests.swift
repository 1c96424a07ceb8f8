// The file of one edge fails in a turn that is about all of them: the others' news of that turn is told, and what is theirs is done.
import CloudNode
import Control
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Values
import Wire

/// A file of one edge out of which nothing can be read from a moment on.
private final class FailingFile: ForwardingLedgerFile {
    let store: EntryStore
    private(set) var failure: DatabaseError?
    var fails = false
    init(_ store: EntryStore) { self.store = store }
    private func look() throws(StoreError) {
        guard fails else { return }
        let cause = failure ?? .corrupt("page 7 is none of this file's")
        failure = cause
        throw .failed(cause)
    }
    func read(from seq: UInt64, limit: Int) throws(StoreError) -> [EntryRow] {
        try look()
        return try store.read(from: seq, limit: limit)
    }
    func indexSubjects(limit: Int) throws(StoreError) -> Int {
        try look()
        return try store.indexSubjects(limit: limit)
    }
}

@Suite struct OneEdgeFailsTests {
    private let other = TestEdge.edge(2)

    private final class Files { var all: [FailingFile] = [] }

    /// Two linked edges; the file of the first can be made to fail.
    private func two() throws -> (cloud: TestCloud, first: TestEdge, second: TestEdge, files: Files) {
        let files = Files()
        let cloud = try TestCloud(edges: [TestEdge.id, other]) { store in
            let file = FailingFile(store)
            files.all.append(file)
            return file
        }
        let first = TestEdge(cloud), second = TestEdge(cloud, id: other)
        for edge in [first, second] {
            edge.goLive()
            for _ in 0..<3 { edge.fill(nil) }
            try edge.connect()
        }
        for edge in [first, second] { try edge.pass(.milliseconds(250)) }
        return (cloud, first, second, files)
    }

    /// A copy of the first shows itself and is judged in the tick in which the second has been silent for long enough.
    @Test(arguments: [false, true]) func theOthersPresenceIsTold(isFailing: Bool) throws {
        let (cloud, first, second, files) = try two()
        #expect(cloud.node.control.edges[other]?.presence == .live)
        first.disconnect()
        second.disconnect()
        let copy = TestEdge(cloud, boot: 8, after: Array(first.entries.prefix(4)))
        copy.fill(nil, side: .sell, quantity: 5)
        try copy.connect()
        files.all[0].fails = isFailing
        try cloud.tick(after: .seconds(7))
        #expect((cloud.node.control.edges[TestEdge.id] == nil) == isFailing, "its file was read in this tick")
        #expect(cloud.node.control.edges[other]?.presence == .silent)
    }

    /// Both books are behind, and the index follows when there is time.
    @Test func theOthersBookFollows() throws {
        let (cloud, first, second, files) = try two()
        for edge in [first, second] {
            edge.disconnect()
            for _ in 0..<400 { edge.fill(nil, quantity: 1) }
            try edge.connect()
            #expect(edge.sender.isCaughtUp)
        }
        #expect(cloud.node.isBehind)
        files.all[0].fails = true
        try cloud.tick()
        #expect(cloud.node.control.edges[TestEdge.id] == nil && cloud.node.control.edges[other]?.book.head == second.entries.last?.head)
        #expect(!cloud.node.isBehind)
    }
}
