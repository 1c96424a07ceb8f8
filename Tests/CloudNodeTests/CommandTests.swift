// Wishes on their way down: keys, the walk of a command, expiry, silence, and what was confirmed.
import CloudNode
import Contract
import Control
import Foundation
import Ledger
import Testing
import Values
import Wire

@Suite struct CommandTests {
    private let long3 = #"{"side":"BUY","quantity":"3","trailingStop":{"percent":"1.5"}}"#
    private let key = "0192f3a4b5c67d8e9fa0b1c2d3e4f501"

    private func state(_ cloud: TestCloud, _ key: String, _ who: [Request.Pair]) throws -> String? {
        try cloud.get("/api/v1/commands/\(key)", who)?.json?["state"]?.text
    }

    @Test func aCommandWalksToFilled() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        let answer = try #require(try cloud.post("/api/v1/orders", long3, who, key: key))
        #expect(answer.status == 202 && answer.json?["state"]?.text == "queued" && answer.json?["commandId"]?.text == key)
        #expect(try Contract().problems(of: #require(answer.json), as: "accepted") == [])
        try edge.pump()
        let command = try #require(edge.commands.first)
        #expect(command.boundBoot == edge.boot && command.issuer == "cloud:admin" && command.tier == 2)
        #expect(try state(cloud, key, who) == "delivered")
        edge.fill(command); edge.accept(command)
        try edge.pump()
        let row = try #require(try cloud.get("/api/v1/commands/\(key)", who)?.json)
        #expect(row["state"]?.text == "filled" && row["final"]?.boolValue == true && row["filled"]?.text == "3")
        #expect(row["walk"]?.elements?.compactMap { $0["state"]?.text } == ["queued", "dispatched", "delivered", "accepted", "filled"])
        #expect(try Contract().problems(of: row, as: "command") == [])
        #expect(try cloud.get("/api/v1/positions", who)?.json?["positions"]?.elements?.first?["quantity"]?.text == "3")
    }

    @Test func oneKeyIsOneWish() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        let first = try cloud.post("/api/v1/orders", long3, who, key: key)
        try edge.pump()
        let again = try cloud.post("/api/v1/orders", long3, who, key: "0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f501")
        #expect(first == again, "dashes or not, delivered or not: the same answer")
        try edge.pump()
        #expect(edge.commands.count == 1)
        let other = try cloud.post("/api/v1/orders", #"{"side":"SELL","quantity":"3"}"#, who, key: key)
        #expect(other?.status == 422 && other?.json?["type"]?.text == "/problems/key-reused")
        let close = try cloud.post("/api/v1/positions/MBTZ6.CME/close", "{}", who, key: key)
        #expect(close?.status == 422)
        #expect(try cloud.post("/api/v1/orders", long3, cloud.bearer("trader"), key: key)?.status == 422, "somebody else's key")
    }

    @Test func oneKeyIsOneWishAcrossARestart() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        let first = try cloud.post("/api/v1/orders", long3, who, key: key)
        edge.disconnect()
        try cloud.restart()
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(try cloud.post("/api/v1/orders", long3, who, key: key) == first)
        #expect(edge.commands.count == 1)
    }

    @Test func whatTheEdgeRefusesIsRefusedInItsWords() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        _ = try cloud.post("/api/v1/orders", long3, who, key: key)
        try edge.pump()
        edge.refuse(try #require(edge.commands.first), "Not enough funds.")
        try edge.pump()
        let row = try cloud.get("/api/v1/commands/\(key)", who)?.json
        #expect(row?["state"]?.text == "refused" && row?["reason"]?.text == "Not enough funds.")
    }

    @Test func nothingIsOpenedThroughASilentEdge() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        edge.fill(nil)
        try edge.pump()
        edge.disconnect()
        try cloud.tick(after: .seconds(7))
        let refused = try #require(try cloud.post("/api/v1/orders", long3, who, key: key))
        #expect(refused.status == 503 && refused.json?["type"]?.text == "/problems/edge-silent")
        #expect(refused.json?["detail"]?.text?.contains("was last heard 7 s ago") == true)
        #expect(try cloud.post("/api/v1/positions/MBTZ6.CME/close", "{}", who, key: "0192f3a4b5c67d8e9fa0b1c2d3e4f502")?.status == 202)
        let kill = try cloud.post("/api/v1/kill", #"{"level":"HALT","reason":"news"}"#, who, key: "0192f3a4b5c67d8e9fa0b1c2d3e4f503")
        #expect(kill?.status == 202 && kill?.json?["expiresAt"] == nil, "a halt waits as long as it takes")
    }

    @Test func aCommandThatNobodyTookExpires() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        edge.fill(nil)
        try edge.pump()
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        _ = try cloud.post("/api/v1/positions/MBTZ6.CME/close", "{}", who, key: key)
        try cloud.tick(after: .seconds(59))
        #expect(try state(cloud, key, who) == "queued")
        try cloud.tick(after: .seconds(2))
        let row = try cloud.get("/api/v1/commands/\(key)", who)?.json
        #expect(row?["state"]?.text == "expired" && row?["reason"]?.text == "The edge did not take it within 60 s.")
        try edge.connect()
        try edge.pass(.seconds(2))
        #expect(edge.commands.isEmpty, "nothing reaches the edge after its time")
    }

    @Test func aHaltWaitsForTheEdgeAndEndsOpening() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        _ = try cloud.post("/api/v1/kill", #"{"level":"HALT","reason":"news"}"#, who, key: key)
        try cloud.tick(after: .hours(2))
        let later = try cloud.bearer()
        try edge.connect()
        try edge.pass(.seconds(2))
        let command = try #require(edge.commands.first)
        edge.write(.halt(HaltFact(level: .halt, source: command.issuer, reason: "news", command: command.id)))
        edge.accept(command)
        try edge.pump()
        #expect(try cloud.get("/api/v1/commands/\(key)", later)?.json?["final"]?.boolValue == true)
        let refused = try cloud.post("/api/v1/orders", long3, later, key: "0192f3a4b5c67d8e9fa0b1c2d3e4f509")
        #expect(refused?.status == 409 && refused?.json?["type"]?.text == "/problems/halted")
        #expect(refused?.json?["detail"]?.text?.hasSuffix(": news") == true)
    }

    private func kill(_ cloud: TestCloud, _ who: [Request.Pair], edge: String? = nil) throws -> Answer? {
        let body = Array(#"{"level":"HALT","reason":"news"}"#.utf8)
        return try cloud.send(
            Request(
                method: "POST", path: "/api/v1/kill", query: edge.map { [("edge", $0)] } ?? [], headers: who + [("idempotency-key", key)], body: body)
        ).answer
    }

    /// Nothing of an edge is taken here, and it trades on: the halt is there for it when it links again, and whoever asks is told which edge cannot
    /// hear it and where to give it. The other edge hears it at once.
    @Test(arguments: [1, 2], [false, true]) func aHaltIsKeptForAnEdgeThatIsSetAside(edges: Int, isNamed: Bool) throws {
        let cloud = try TestCloud(edges: (1...edges).map { TestEdge.edge(UInt8($0)) })
        let all = (1...edges).map { TestEdge(cloud, id: TestEdge.edge(UInt8($0))) }
        for edge in all {
            edge.goLive()
            try edge.connect()
            try edge.pass(.milliseconds(250))
            edge.disconnect()
        }
        let path = "\(cloud.folder)/edges/\(TestEdge.id).db"
        try cloud.restart { try Page.spoil(path, table: "entry") }
        #expect(cloud.node.control.edges[TestEdge.id] == nil)
        for edge in all.dropFirst() { try edge.connect() }
        let who = try cloud.bearer(), open = isNamed ? 1 : edges
        for _ in 0..<2 {
            let told = try #require(try kill(cloud, who, edge: isNamed ? "home-1" : nil))
            #expect(told.status == 503 && told.json?["type"]?.text == "/problems/not-told", "\(told.status)")
            #expect(told.json?["title"]?.text == "home-1 cannot be told to stop")
            #expect(told.json?["cure"]?.text?.contains("tidewire-edge kill") == true)
            #expect(cloud.node.control.outbox.open.count == open, "asked twice is asked once")
        }
        for edge in all.dropFirst() {
            try edge.pass(.milliseconds(250))
            #expect(edge.commands.count == (isNamed ? 0 : 1))
        }
        // The file is put right: what waited goes down.
        for edge in all.dropFirst() { edge.disconnect() }
        try cloud.restart { for tail in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + tail) } }
        try all[0].connect()
        try all[0].pass(.milliseconds(250))
        #expect(all[0].commands.map(\.body) == [.raise(.halt, reason: "news")])
        // The control: with all of them taken up again it is an ordinary 202.
        for edge in all.dropFirst() { try edge.connect() }
        let again = try cloud.post("/api/v1/kill", #"{"level":"HALT","reason":"more"}"#, cloud.bearer(), key: "0192f3a4b5c67d8e9fa0b1c2d3e4f503")
        #expect(again?.status == 202)
    }

    @Test(arguments: [("REDUCING", "reduceOnly"), ("HALT", "halt"), ("CANCEL", "cancelAll")])
    func everyLevelOfTheKillSwitchHasItsCommand(_ level: String, _ kind: String) throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        let kill = try cloud.post("/api/v1/kill", #"{"level":"\#(level)","reason":"news"}"#, who, key: key)
        #expect(kill?.status == 202 && kill?.json?["expiresAt"] == nil)
        try edge.pass(.seconds(2))
        let command = try #require(edge.commands.first)
        let wanted = try #require(HaltLevel(killWord: level))
        #expect(command.body.kind == kind && command.body == .raise(wanted, reason: "news"))
        for word in ["NONE", "FLATTEN", "halt", ""] {
            let refused = try cloud.post("/api/v1/kill", #"{"level":"\#(word)","reason":"news"}"#, who, key: "0192f3a4b5c67d8e9fa0b1c2d3e4f503")
            #expect(refused?.status == 400)
        }
    }

    @Test func noMoreIsSentThanWasConfirmed() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        let preview = try #require(try cloud.post("/api/v1/orders:preview", #"{"side":"BUY","quantity":"max"}"#, who)?.json)
        #expect(try Contract().problems(of: preview, as: "preview") == [])
        let seen = try #require(preview["quantity"]?.text.flatMap { Int64($0) })
        #expect(seen > 2 && preview["allowed"]?.boolValue == true)
        let small = try cloud.post("/api/v1/orders", #"{"side":"BUY","quantity":"max","confirmed":{"quantity":"2","price":"98750"}}"#, who, key: key)
        #expect(small?.status == 409 && small?.json?["type"]?.text == "/problems/changed-since-confirmed")
        let exact = #"{"side":"BUY","quantity":"max","confirmed":{"quantity":"\#(seen)","price":"98750"}}"#
        #expect(try cloud.post("/api/v1/orders", exact, who, key: key)?.status == 202)
        try edge.pump()
        guard case .order(_, _, let size, _, _)? = edge.commands.first?.body else { Issue.record("no order"); return }
        #expect(size == .quantity(Quantity(whole: seen)), "max became the number that was seen")
        edge.fill(edge.commands.first, quantity: seen)
        try edge.pump()
        let close = try cloud.post(
            "/api/v1/positions/MBTZ6.CME/close", #"{"confirmed":{"quantity":"1"}}"#, who, key: "0192f3a4b5c67d8e9fa0b1c2d3e4f504")
        #expect(close?.status == 409)
    }

    @Test func previewOfClosingAndOfDelayedData() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        edge.fill(nil, quantity: 2)
        try edge.pump()
        let close = try cloud.post("/api/v1/orders:preview", #"{"side":"CLOSE"}"#, who)?.json
        #expect(close?["side"]?.text == "SELL" && close?["closing"]?.text == "2" && close?["opening"]?.text == "0")
        let against = try cloud.post("/api/v1/orders:preview", #"{"side":"SELL","quantity":"1"}"#, who)?.json
        #expect(against?["closing"]?.text == "2" && against?["opening"]?.text == "0", "long first goes flat")
        var delayed = Quote(asOf: cloud.clock.wall)
        delayed.last = Price(whole: 98_000); delayed.isDelayed = true
        edge.live(.quote(TestEdge.mbt, delayed))
        try edge.pass(.milliseconds(250))
        let refused = try cloud.post("/api/v1/orders:preview", #"{"side":"BUY","quantity":"1"}"#, who)?.json
        #expect(refused?["allowed"]?.boolValue == false && refused?["reason"]?.text?.contains("delayed") == true)
    }

    @Test func theSeedOrderWaitsForTheVerdict() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        let (number, now) = try cloud.send(Request(method: "POST", path: "/api/order", headers: who, body: Array(#"{"side":"BUY"}"#.utf8)))
        #expect(now == nil)
        try edge.pump()
        let command = try #require(edge.commands.first)
        guard case .order(_, .buy, .max, nil, false) = command.body else { Issue.record("\(command.body)"); return }
        edge.refuse(command, "Too much.")
        try edge.pump()
        let verdict = cloud.answer(number)
        #expect(verdict?.status == 409 && verdict?.json?["detail"]?.text == "Too much.")
        let slow = try cloud.send(Request(method: "POST", path: "/api/order", headers: who, body: Array(#"{"side":"SELL"}"#.utf8)))
        try edge.pass(.seconds(4))
        #expect(cloud.answer(slow.number) == nil)
        try edge.pass(.milliseconds(1_100))
        #expect(cloud.answer(slow.number)?.status == 202, "after five seconds: on its way")
    }
}
