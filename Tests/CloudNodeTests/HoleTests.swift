// A copy with a hole: named on the page, in `ledger verify`, `prove` and the comparison; followed by book and restart; never made by guess.
import CloudNode
import Control
import Foundation
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

@Suite struct HoleTests {
    private struct Stage {
        let cloud: TestCloud
        let edge: TestEdge
        let hole: LedgerHole
    }

    /// The cloud is put back from an image, and the edge has lost what is missing there.
    private func stage() throws -> Stage {
        let (cloud, edge) = try TestCloud.linked()
        edge.disconnect()
        let image = cloud.folder + "-image"
        defer { try? FileManager.default.removeItem(atPath: image) }
        try cloud.restart { try FileManager.default.copyItem(atPath: cloud.folder, toPath: image) }
        let after = try #require(edge.entries.last?.head)
        try edge.connect()
        for _ in 0..<6 { edge.fill(nil) }
        try edge.pass(.milliseconds(250))
        edge.disconnect()
        try cloud.restart {
            for file in ["control.db", "control.db-wal", "edges"] {
                try? FileManager.default.removeItem(atPath: "\(cloud.folder)/\(file)")
                guard FileManager.default.fileExists(atPath: "\(image)/\(file)") else { continue }
                try FileManager.default.copyItem(atPath: "\(image)/\(file)", toPath: "\(cloud.folder)/\(file)")
            }
            #expect(CloudProgram.run(["store", "renew-incarnation", "--yes", "--data", cloud.folder, "--json"], environment: [:]) == 0)
        }
        // A few entries that the cloud has are lost at the edge too.
        let first = after.seq.raw - 2, last = after.seq.raw + 9
        edge.lost = first...last
        edge.write(.gap(GapFact(from: Seq(first), to: Seq(last), hash: edge.entries[Int(last) - 1].hash)))
        return Stage(cloud: cloud, edge: edge, hole: LedgerHole(after: after, last: edge.entries[Int(last) - 1].head))
    }
    private func run(_ words: [String], _ cloud: TestCloud) -> Int32 { CloudProgram.run(words + ["--data", cloud.folder], environment: [:]) }

    @Test func theCopyGoesOnAndTheHoleIsNamed() throws {
        let stage = try stage(), (cloud, edge, hole) = (stage.cloud, stage.edge, stage.hole)
        try edge.connect()
        for _ in 0..<8 { try edge.pass(.milliseconds(250)) }
        let head = try #require(edge.entries.last?.head)
        #expect(edge.sender.isCaughtUp && cloud.node.receiver.link(TestEdge.id)?.have == head)
        let expected = edge.entries.filter { $0.seq <= hole.after.seq || $0.seq > hole.last.seq }
        func stored() throws -> [Entry] {
            try EntryStore(path: "\(cloud.folder)/edges/\(TestEdge.id).db", .init(.readOnly)).read(from: 1, limit: 1_000).map { try Entry($0) }
        }
        #expect(try stored() == expected)
        let who = try cloud.bearer()
        func rows() throws -> [JSONValue] {
            (try cloud.get("/api/v1/edges", who)?.json?["refusals"]?.elements ?? []).filter { $0["verdict"]?.text == "ENTRIES_MISSING" }
        }
        #expect(
            try rows().count == 1 && rows().first?["words"]?.text?.contains("entries \(hole.from) to \(hole.last.seq) are missing for good") == true)
        #expect(cloud.node.control.edges[TestEdge.id]?.book.head == head)
        // It goes on as any ledger does.
        edge.fill(nil)
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.isCaughtUp && cloud.node.control.edges[TestEdge.id]?.book.head == edge.entries.last?.head)
        // The comparison passes over it and says so.
        _ = try cloud.post("/api/v1/edges/home-1/reconcile", "{}", who)
        for _ in 0..<4 { try edge.pass(.milliseconds(250)) }
        let comparison = try cloud.get("/api/v1/edges", who)?.json?["edges"]?.elements?.first?["comparison"]
        #expect(comparison?["state"]?.text == "agrees", "\(comparison ?? .null)")
        #expect((comparison?["proof"]?.elements ?? []).contains { $0.text?.contains("missing for good and not compared") == true })
        // Of the next process too, with and without a kept book.
        edge.disconnect()
        try cloud.restart {
            #expect(run(["ledger", "verify", "--json"], cloud) == 0)
            #expect(run(["ledger", "reindex", "home-1", "--json"], cloud) == 0 && run(["ledger", "reindex", "nobody"], cloud) == 1)
            #expect(run(["ledger", "rebuild", "home-1", "--json"], cloud) == 0)
            #expect(run(["ledger", "prove", "home-1", "\(hole.after.seq)", "--json"], cloud) == 5, "there is no way across")
            #expect(run(["ledger", "prove", "home-1", "\(hole.last.seq.next)", "--json"], cloud) == 3, "not signed yet, and no hole in the way")
        }
        #expect(cloud.node.control.edges[TestEdge.id]?.book.head == edge.entries.last?.head)
        try cloud.turn([.stop])
        try cloud.restart()
        for _ in 0..<4 { try cloud.tick() }
        #expect(try rows().count == 1 && cloud.node.control.edges[TestEdge.id]?.book.head == edge.entries.last?.head)
        try edge.connect()
        edge.fill(nil)
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.isCaughtUp)
    }

    /// A hole that no entry speaks of is a difference: written by no cloud of ours, it might be anybody's.
    @Test func aHoleThatNobodySpeaksOfIsADifference() throws {
        for isTold in [true, false] {
            let cloud = try TestCloud(edges: [TestEdge.id])
            let edge = TestEdge(cloud)
            for _ in 0..<4 { edge.fill(nil) }
            let last = edge.entries[6].head
            if isTold { edge.write(.gap(GapFact(from: Seq(4), to: last.seq, hash: last.hash))) }
            let hole = LedgerHole(after: edge.entries[3].head, last: last)
            try cloud.restart {
                let ledgers = EdgeLedgers(folder: cloud.folder + "/edges")
                try ledgers.append(TestEdge.id, Array(edge.entries[..<4]))
                try ledgers.append(TestEdge.id, Array(edge.entries[7...]), over: hole)
                #expect(try ledgers.heads(TestEdge.id, [Seq(5), last.seq, last.seq.next]) == [last, edge.entries[7].head])
                #expect(try ledgers.piece(TestEdge.id, after: edge.entries[1].head, upTo: Seq(12)).map(\.seq.raw) == [3, 4])
            }
            #expect(run(["ledger", "verify"], cloud) == (isTold ? 0 : 5))
        }
    }

    /// A sealed branch takes its hole with it.
    @Test func aCutTakesTheHoleWithIt() throws {
        let cloud = try TestCloud(edges: [TestEdge.id])
        let edge = TestEdge(cloud)
        for _ in 0..<6 { edge.fill(nil) }
        try cloud.restart {
            let ledgers = EdgeLedgers(folder: cloud.folder + "/edges")
            try ledgers.append(TestEdge.id, Array(edge.entries[..<6]))
            try ledgers.append(TestEdge.id, Array(edge.entries[9...]), over: LedgerHole(after: edge.entries[5].head, last: edge.entries[8].head))
            try ledgers.cut(TestEdge.id, after: edge.entries[2].head)
            #expect(ledgers.holes(TestEdge.id) == [] && ledgers.head(TestEdge.id) == edge.entries[2].head)
            try ledgers.append(TestEdge.id, Array(edge.entries[3...]))
            let sealed = try EntryStore(path: "\(cloud.folder)/edges/\(TestEdge.id).fork-1-1.db", .init(.readOnly))
            #expect(try sealed.read(from: 1, limit: 100).map { try Entry($0) } == Array(edge.entries[3..<6] + edge.entries[9...]))
            #expect(sealed.holes.map(\.last.seq) == [9])
        }
    }
}
