// Every read against the dashboard's own types.
import CloudNode
import Contract
import Control
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Values
import Wire

/// A file of one edge out of which a row is gone when a test says so.
private final class TornFile: ForwardingLedgerFile {
    let store: EntryStore
    var torn: UInt64?
    init(_ store: EntryStore) { self.store = store }
    func read(from seq: UInt64, limit: Int) throws(StoreError) -> [EntryRow] { try store.read(from: seq, limit: limit).filter { $0.seq != torn } }
}

@Suite struct ReadTests {
    private func row(_ cloud: TestCloud) throws -> JSONValue? {
        // Signed in anew each time: a token is not valid before it was made.
        let answer = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json)
        #expect(try Contract().problems(of: answer, as: "edges") == [])
        return answer["edges"]?.elements?.first
    }
    private func lag(_ entries: Int, _ since: Instant) -> JSONValue {
        ["entries": .integer(Int64(entries)), "since": .string(since.description)]
    }

    /// A backlog is stored first, and read into book and tables afterwards. Once that has lasted for more than two seconds it is said, with how many
    /// entries and since when; setting the wall clock makes it no older.
    @Test func whatFollowsLateIsShownAfterTwoSeconds() throws {
        let cloud = try TestCloud(edges: [TestEdge.id])
        let edge = TestEdge(cloud)
        for _ in 0..<2_000 { edge.fill(nil, quantity: 1) }
        var since = cloud.clock.wall
        try edge.connect()
        #expect(edge.sender.isCaughtUp && cloud.node.isBehind)
        cloud.pass(.seconds(2))
        #expect(try row(cloud)?["bookBehind"] == nil && row(cloud)?["tablesBehind"] == nil)
        cloud.pass(.milliseconds(1))
        #expect(try row(cloud)?["bookBehind"] == lag(6_001, since) && row(cloud)?["tablesBehind"] == lag(6_001, since))
        cloud.setClock(by: .hours(-1))
        since = since + .hours(-1)
        edge.fill(nil, quantity: 1)
        try edge.pump()
        #expect(try row(cloud)?["bookBehind"] == lag(6_004, since) && row(cloud)?["tablesBehind"] == lag(6_004, since))
        for _ in 0..<5 where cloud.node.isBehind { try cloud.turn([.follow]) }
        #expect(try row(cloud)?["bookBehind"] == nil && row(cloud)?["tablesBehind"] == lag(6_004, since))
        let metrics = String(decoding: try #require(try cloud.get("/metrics")).body, as: UTF8.self)
        #expect(metrics.contains(#"tidewire_edge_book_seq{edge="home-1"} 6004"#) && metrics.contains(#"tidewire_edge_tables_seq{edge="home-1"} 0"#))
        try cloud.tick()
        #expect(try row(cloud)?["tablesBehind"] == lag(4_004, since))
        for _ in 0..<3 { try cloud.tick() }
        #expect(try row(cloud)?["tablesBehind"] == nil)
        // What comes and is followed on an ordinary day is never behind.
        try edge.pass(.seconds(5))
        edge.fill(nil, quantity: 1)
        try edge.pump()
        try edge.pass(.seconds(5))
        #expect(try row(cloud)?["bookBehind"] == nil && row(cloud)?["tablesBehind"] == nil)
    }

    /// A book that waits before an entry that is gone is behind for as long as that lasts.
    @Test func aBookThatWaitsIsShownAsBehind() throws {
        var file: TornFile?
        let cloud = try TestCloud(edges: [TestEdge.id]) { store in
            let torn = TornFile(store)
            file = torn
            return torn
        }
        let edge = TestEdge(cloud)
        for _ in 0..<200 { edge.fill(nil, quantity: 1) }
        let since = cloud.clock.wall
        try edge.connect()
        #expect(edge.sender.isCaughtUp && cloud.node.isBehind)
        edge.disconnect()
        file?.torn = 101
        for _ in 0..<9 { try cloud.tick() }
        #expect(!cloud.node.isBehind && cloud.node.control.edges[TestEdge.id]?.book.head.seq == Seq(100))
        #expect(try row(cloud)?["bookBehind"] == lag(501, since) && row(cloud)?["tablesBehind"] == nil)
    }

    /// Entries that cannot come up: how many, and since when at least; once they are stored there are none, though the book follows later.
    @Test func theBacklogHasANumberAndAnAge() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        func row() throws -> JSONValue? { try cloud.get("/api/v1/edges", who)?.json?["edges"]?.elements?.first }
        for _ in 0..<3 { try edge.pass(.seconds(1)) }
        #expect(try row()?["backlog"]?.integerValue == 0 && row()?["backlogOldest"] == nil)
        edge.losesBatches = true
        let since = cloud.clock.wall
        edge.fill(nil)
        for _ in 0..<5 { try edge.pass(.seconds(1)) }
        let oldest = try row()?["backlogOldest"]?.text
        #expect(
            try row()?["backlog"]?.integerValue ?? 0 > 0 && [1, 2, 3].contains { (since + .seconds($0)).description == oldest },
            "\(oldest ?? "") since \(since)")
        cloud.setClock(by: .minutes(10))
        let later = try row()?["backlogOldest"]?.text
        #expect([1, 2, 3].contains { (since + .seconds($0 + 600)).description == later }, "setting the clock makes it no older")
        cloud.setClock(by: .minutes(-10))
        edge.fill(nil)
        for _ in 0..<5 { try edge.pass(.seconds(1)) }
        #expect(try row()?["backlogOldest"]?.text == oldest, "the age is that of the first of them")
        edge.losesBatches = false
        for _ in 0..<20 where !edge.sender.isCaughtUp { try edge.pass(.seconds(5)) }
        #expect(try row()?["backlog"]?.integerValue == 0 && row()?["backlogOldest"] == nil)
        #expect(try row()?["storedSeq"]?.integerValue == Int64(edge.entries.count))
    }

    @Test(arguments: [
        ("/api/v1/session", "session"), ("/api/v1/accounts", "accounts"), ("/api/v1/positions", "positions"), ("/api/v1/orders", "orders"),
        ("/api/v1/orders?working=true", "orders"), ("/api/v1/fills", "fills"), ("/api/v1/bots", "bots"), ("/api/v1/edges", "edges"),
        ("/api/v1/market/instruments", "instruments"), ("/api/v1/market/quotes/MBTZ6.CME", "quote"), ("/api/v1/market/candles", "candles"),
        ("/api/v1/ledger", "ledger"), ("/api/positions", "positions"), ("/api/account", "account"), ("/api/candles/history", "candles"),
    ]) func fitsTheContract(_ path: String, _ shape: String) throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.fill(nil)
        try edge.pump()
        let answer = try #require(try cloud.get(path, cloud.bearer()))
        #expect(answer.status == 200 && answer.type == "application/json")
        #expect(try Contract().problems(of: #require(answer.json), as: shape) == [])
    }

    @Test func anEdgeIsChosenByNameOrID() throws {
        let cloud = try TestCloud(edges: [TestEdge.id, TestEdge.edge(2)])
        let second = TestEdge(cloud, id: TestEdge.edge(2), boot: 8)
        second.goLive()
        try second.connect()
        try second.pass(.zero)
        let who = try cloud.bearer()
        #expect(try cloud.get("/api/v1/accounts", who)?.json?["accounts"] == .array([]), "the first by name knows none")
        for name in ["home-2", TestEdge.edge(2).description] {
            #expect(try cloud.get("/api/v1/accounts?edge=\(name)", who)?.json?["accounts"]?.elements?.count == 1)
        }
        #expect(try cloud.get("/api/v1/accounts?edge=home-2&account=DU1", who)?.json?["accounts"] == .array([]))
        let ready = try #require(try cloud.get("/ready"))
        #expect(ready.status == 503 && ready.json?["missing"]?.elements == ["edge home-1 is not linked"])
    }

    @Test func aHaltReachesEveryEdge() throws {
        let cloud = try TestCloud(edges: [TestEdge.id, TestEdge.edge(2)])
        let edges = [TestEdge(cloud), TestEdge(cloud, id: TestEdge.edge(2), boot: 8)]
        for edge in edges { try edge.connect() }
        _ = try cloud.post("/api/v1/kill", #"{"level":"HALT","reason":"x"}"#, cloud.bearer(), key: "0192f3a4b5c67d8e9fa0b1c2d3e4f501")
        for edge in edges { try edge.pump() }
        #expect(edges.allSatisfy { $0.commands.count == 1 && $0.commands.first?.body == .halt(reason: "x") })
    }

    /// One edge of an older release neither keeps the others from hearing nor goes unstopped itself.
    @Test func aLevelThatOneEdgeDoesNotKnowReachesTheOthers() throws {
        let cloud = try TestCloud(edges: [TestEdge.id, TestEdge.edge(2)])
        let edges = [TestEdge(cloud), TestEdge(cloud, id: TestEdge.edge(2), boot: 8)]
        edges[0].commandKinds = ["order", "close", "cancel", "halt", "watch", "withdraw"]
        for edge in edges { try edge.connect() }
        let who = try cloud.bearer()
        let body = #"{"level":"CANCEL","reason":"x"}"#
        #expect(try cloud.post("/api/v1/kill", body, who, key: "0192f3a4b5c67d8e9fa0b1c2d3e4f501")?.status == 202)
        for edge in edges { try edge.pump() }
        #expect(edges[0].commands.map(\.body.kind) == ["halt"] && edges[1].commands.map(\.body) == [.raise(.cancel, reason: "x")])
    }

    @Test func healthAndMetricsKnowWhoAsks() throws {
        let (cloud, _) = try TestCloud.linked()
        #expect(try cloud.get("/health")?.json?["status"]?.text == "ok")
        #expect(try cloud.get("/ready")?.status == 200)
        #expect(try cloud.get("/metrics")?.status == 200)
        let far = Request(method: "GET", path: "/metrics", address: "10.0.0.1")
        #expect(try cloud.send(far).answer?.status == 401)
        let proxied = Request(method: "GET", path: "/metrics", headers: [("x-forwarded-for", "10.0.0.1")])
        #expect(try cloud.send(proxied).answer?.status == 401, "a proxy on this machine is not this machine")
    }
}
