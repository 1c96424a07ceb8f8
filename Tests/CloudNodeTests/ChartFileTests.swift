// market.db is damaged, or its disk fails: charts are lost and come again, and the cloud goes on.
import CloudNode
import Control
import Foundation
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

@Suite struct ChartFileTests {
    private func bars(_ count: Int64, endingAt end: Instant) -> [Bar] {
        (0..<count).map { Bar(start: end - .minutes(count - $0), price: Price(whole: 98_000 + $0), size: Quantity(whole: 1)) }
    }
    private func file(_ cloud: TestCloud) -> String { cloud.folder + "/market.db" }

    /// Leaves in the middle rot, which no start looks at. Whoever asks for them is told so, the file gives way to an empty one, and fills again.
    @Test func aDamagedPageEndsNoCloud() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        let end = Timeframe.minute.start(of: cloud.clock.wall)
        edge.disconnect()
        try cloud.restart {
            do {
                let store = try BarStore(path: file(cloud))
                try store.put(TestEdge.mbt, bars(20_000, endingAt: end), at: end)
            }
            let pages = try #require(FileManager.default.contents(atPath: file(cloud))).count / 4_096
            #expect(pages > 100)
            for page in pages / 4..<pages * 3 / 4 { try Page.spoil(file(cloud), at: page * 4_096) }
        }
        #expect(cloud.node.control.edges[TestEdge.id] != nil)
        let from = end - .minutes(10_000)
        func candles() throws -> Answer? { try cloud.get("/api/v1/market/candles?limit=1500&from=\(from)", who) }
        let answer = try #require(try candles())
        #expect(answer.status == 503 && answer.json?["type"]?.text == "/problems/no-charts")
        #expect(answer.headers.contains { $0.name == "retry-after" })
        #expect(try candles()?.json?["candles"]?.elements?.isEmpty == true, "the damaged file has given way to an empty one")
        try edge.connect()
        edge.market(MarketBars(instrument: TestEdge.mbt, timeframe: .minute, bars: bars(5, endingAt: end), isHistory: true))
        try edge.pass(.milliseconds(250))
        #expect(try candles()?.json?["candles"]?.elements?.count ?? 0 >= 5, "and the forming one")
    }

    /// The file cannot be opened at the start: the edges are served without charts, and a minute later with them.
    @Test func aFileThatDoesNotOpenEndsNoStart() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        edge.disconnect()
        try cloud.restart {
            for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file(cloud) + ending) }
            try FileManager.default.createDirectory(atPath: file(cloud), withIntermediateDirectories: false)
        }
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.phase == .open)
        #expect(try cloud.get("/api/v1/market/candles", who)?.status == 503)
        try FileManager.default.removeItem(atPath: file(cloud))
        #expect(try cloud.get("/api/v1/market/candles", who)?.status == 503, "the next try is a minute away")
        cloud.pass(.minutes(1))
        #expect(try cloud.get("/api/v1/market/candles", who)?.status == 200)
    }
}
