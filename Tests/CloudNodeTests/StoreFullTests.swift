// A disk without room: what is asked for is refused in words and undone, what is known goes on being shown, and nothing promised is lost.
import CloudNode
import Control
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Values
import Wire

/// A linked, quiet cloud on a disk that can run out of room.
private struct Stage {
    let disk: FaultyDisk
    let cloud: TestCloud
    let edge: TestEdge
    let who: [Request.Pair]

    init() throws {
        disk = FaultyDisk(seed: 5, now: TestCloud.start)
        cloud = try TestCloud(edges: [TestEdge.id], vfs: disk.name)
        edge = TestEdge(cloud)
        edge.goLive()
        try edge.connect()
        try edge.pass(.milliseconds(250))
        who = try cloud.bearer()
    }

    func key(_ number: Int) -> String { "000000000000000000000000000000" + (number < 10 ? "0" : "") + String(number) }
    func order(_ number: Int) throws -> Answer? {
        try cloud.post("/api/v1/orders", #"{"side":"BUY","quantity":"3"}"#, who, key: key(number))
    }
    /// Nothing of control.db may grow; the ledgers may.
    func fill() { disk.fullPrefix = "control.db" }
}

@Suite struct StoreFullTests {
    @Test func anOrderIsRefusedInWordsAndTakenOnceThereIsRoom() throws {
        let stage = try Stage()
        stage.fill()
        for _ in 0..<3 {
            let answer = try #require(try stage.order(1))
            #expect(answer.status == 507 && answer.json?["type"]?.text == "/problems/store-full")
            #expect(answer.json?["cure"]?.text?.contains("Make room") == true)
            try stage.edge.pass(.milliseconds(500))
        }
        #expect(stage.cloud.node.control.outbox.records.isEmpty && stage.edge.commands.isEmpty, "it was never asked for")
        stage.disk.fullPrefix = nil
        #expect(try stage.order(1)?.status == 202, "the same key is free")
        try stage.edge.pass(.milliseconds(500))
        #expect(stage.edge.commands.count == 1)
        try stage.cloud.restart()
        #expect(stage.cloud.node.control.outbox.records.count == 1)
    }

    @Test func readsFactsAndTheStreamGoOn() throws {
        let stage = try Stage()
        try stage.cloud.turn([
            .streamOpened(900, Request(method: "GET", path: "/api/v1/stream", headers: stage.who + [("origin", "http://127.0.0.1:8000")]))
        ])
        stage.fill()
        #expect(try stage.order(1)?.status == 507)
        _ = stage.cloud.take { if case .push = $0 { true } else { nil } }
        for _ in 0..<20 {
            stage.edge.fill(nil, quantity: 1)
            try stage.edge.pass(.seconds(1))
        }
        let told = stage.cloud.take { if case .push(let text, _) = $0 { String(decoding: text, as: UTF8.self) } else { nil } }
        #expect(told.contains { $0.contains(#""type":"delta""#) && $0.contains("positions") })
        #expect(stage.cloud.node.control.edges[TestEdge.id]?.book.head == stage.edge.entries.last?.head && stage.edge.sender.isCaughtUp)
        #expect(try stage.cloud.get("/api/v1/positions", stage.who)?.status == 200)
        #expect(try stage.cloud.get("/api/v1/ledger?limit=5", stage.who)?.status == 200)
        #expect(try stage.cloud.get("/ready")?.json?["missing"]?.elements?.contains { $0.text?.contains("disk is full") == true } == true)
        stage.disk.fullPrefix = nil
        try stage.edge.pass(.seconds(2))
        #expect(try stage.cloud.get("/ready")?.json?["ready"]?.boolValue == true)
    }

    @Test func nothingOfARefusedWishIsLeft() throws {
        let stage = try Stage()
        let other = try stage.cloud.bearer("trader")
        stage.fill()
        #expect(try stage.cloud.signIn("viewer", "right", token: true).status == 507)
        #expect(stage.cloud.node.access.sessions.count == 2, "no session that a restart would forget")
        #expect(try stage.cloud.post("/api/v1/auth/logout", "", other)?.status == 507)
        #expect(try stage.cloud.get("/api/v1/orders", other)?.status == 200, "and none ended that a restart would bring back")
        let change = Array(#"{"name":"trader","password":"a new one"}"#.utf8)
        let (number, _) = try stage.cloud.send(Request(method: "POST", path: "/console/users/password", body: change, address: "unix", isLocal: true))
        try stage.cloud.turn([.passwordHashed(number, "fresh")])
        #expect(stage.cloud.answer(number)?.status == 507)
        #expect(stage.cloud.node.access.users["trader"]?.passwordHash == "right")
        let revoke = Request(
            method: "POST", path: "/console/edges/revoke", body: Array(#"{"name":"home-1"}"#.utf8), address: "unix", isLocal: true)
        #expect(try stage.cloud.send(revoke).answer?.status == 507)
        try stage.edge.pass(.milliseconds(500))
        #expect(stage.edge.sender.phase == .open, "the edge heard nothing of it")
        #expect(try stage.cloud.post("/api/v1/kill", #"{"level":"HALT","reason":"r"}"#, stage.who, key: stage.key(9))?.status == 507)
        stage.disk.fullPrefix = nil
        #expect(try stage.cloud.send(revoke).answer?.status == 200)
    }

    /// The boot that a command is bound to must be durable before the first byte leaves, disk or no disk.
    @Test func aCommandWaitsUntilItsRunIsDurable() throws {
        let stage = try Stage()
        stage.edge.disconnect()
        try stage.cloud.tick(after: .seconds(20))
        #expect(try stage.cloud.post("/api/v1/kill", #"{"level":"HALT","reason":"r"}"#, stage.who, key: stage.key(1))?.status == 202)
        stage.fill()
        try stage.edge.connect()
        for _ in 0..<5 { try stage.edge.pass(.seconds(1)) }
        #expect(stage.edge.sender.phase == .open && stage.edge.commands.isEmpty)
        stage.disk.fullPrefix = nil
        try stage.edge.pass(.seconds(2))
        #expect(stage.edge.commands.count == 1)
        stage.disk.crash(.nothing)
        try stage.cloud.restart()
        #expect(stage.cloud.node.control.outbox.records.values.first?.command.boundBoot == stage.edge.boot)
    }

    /// With no room at all the entries are not taken either: the edge keeps them, and is told.
    @Test func aDiskWithoutAnyRoomLosesNothing() throws {
        let stage = try Stage()
        let intent = stage.edge.fill(nil, quantity: 1)
        try stage.edge.pump()
        stage.disk.capacity = 0
        for _ in 0..<5 {
            stage.edge.fill(nil, quantity: 1)
            try stage.edge.pass(.seconds(1))
            if stage.edge.sender.phase == .down { try stage.edge.connect() }
        }
        #expect(!stage.edge.sender.isCaughtUp)
        #expect(try stage.cloud.post("/api/v1/kill", #"{"level":"HALT","reason":"r"}"#, stage.who, key: stage.key(1))?.status == 507)
        #expect(try stage.cloud.get("/api/v1/positions", stage.who)?.status == 200)
        let followed = try stage.cloud.get("/api/v1/ledger?follow=\(intent.boot)-\(intent.seq)", stage.who)
        #expect(followed?.status == 200 && followed?.json?["entries"]?.elements?.count == 3, "found without its index")
        stage.disk.capacity = nil
        if stage.edge.sender.phase == .down { try stage.edge.connect() }
        for _ in 0..<5 { try stage.edge.pass(.seconds(1)) }
        #expect(stage.edge.sender.isCaughtUp && stage.cloud.node.control.edges[TestEdge.id]?.book.head == stage.edge.entries.last?.head)
    }

    /// A disk that fails is no full disk: what it holds is not known, and the process ends.
    @Test func aFailingDiskStillEndsTheProcess() throws {
        let stage = try Stage()
        stage.disk.fault = DiskFault(.sync, stage.disk.syncs + 1, .io)
        #expect(throws: DatabaseError.self) { try stage.order(1) }
    }
}
