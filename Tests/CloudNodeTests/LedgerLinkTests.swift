// Entries on their way up: durable before they are acknowledged, resumed after a restart, refused when they do not fit, and read back by page.
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

/// A file of one edge whose log is as long as a test says.
private final class LongLog: ForwardingLedgerFile {
    let store: EntryStore
    var logBytes = 0
    private(set) var copies = 0
    var answer: StoreError?
    init(_ store: EntryStore) { self.store = store }
    func checkpoint() throws(StoreError) {
        copies += 1
        if let answer { throw answer }
        logBytes = 0
    }
}

@Suite struct LedgerLinkTests {
    /// The acknowledgements among frames to the edge.
    private func acks(_ effects: [NodeEffect]) -> [Head] {
        effects.compactMap { effect in
            guard case .send(let bytes, _) = effect, let frame = try? Frame(bytes), case .ack(let head)? = try? Message(frame) else { return nil }
            return head
        }
    }

    @Test func anAckLeavesOnlyForWhatIsOnTheDisk() throws {
        let disk = FaultyDisk(seed: 5, now: TestCloud.start)
        let cloud = try TestCloud(edges: [TestEdge.id], vfs: disk.name)
        let edge = TestEdge(cloud)
        try edge.connect()
        for _ in 0..<20 { edge.fill(nil) }
        try edge.pump()
        #expect(edge.sender.isCaughtUp && edge.sender.acked == edge.entries.last?.head)
        // The power goes, and takes everything that no sync has carried over.
        edge.disconnect()
        disk.crash(.nothing)
        try cloud.restart()
        #expect(cloud.node.receiver.link(TestEdge.id)?.have == edge.entries.last?.head)
        #expect(cloud.node.control.edges[TestEdge.id]?.book.head == edge.entries.last?.head)
    }

    @Test func aDiskThatLiesAboutSyncsLosesWhatWasAcknowledged() throws {
        let disk = FaultyDisk(seed: 5, now: TestCloud.start)
        let cloud = try TestCloud(edges: [TestEdge.id], vfs: disk.name)
        let edge = TestEdge(cloud)
        try edge.connect()
        disk.ignoresSyncs = true
        for _ in 0..<20 { edge.fill(nil) }
        try edge.pump()
        edge.disconnect()
        disk.crash(.nothing)
        try cloud.restart()
        #expect(cloud.node.receiver.link(TestEdge.id)?.have != edge.entries.last?.head, "the control: the test above can fail")
    }

    @Test func aFullDiskIsToldAndNothingIsAcknowledged() throws {
        let disk = FaultyDisk(seed: 5, now: TestCloud.start)
        let cloud = try TestCloud(edges: [TestEdge.id], vfs: disk.name)
        let edge = TestEdge(cloud)
        try edge.connect()
        try edge.pass(.seconds(2))
        let before = edge.sender.acked
        disk.capacity = 0
        edge.fill(nil)
        try edge.pump()
        #expect(edge.sender.acked == before && edge.sender.phase != .open, "the session ended with a word")
        edge.disconnect()
        disk.capacity = nil
        try edge.connect()
        try edge.pass(.seconds(2))
        #expect(edge.sender.isCaughtUp && edge.sender.acked != before)
    }

    @Test func goesOnFromItsOwnHeadAfterARestart() throws {
        let (cloud, edge) = try TestCloud.linked()
        let stored = edge.entries.count
        edge.disconnect()
        try cloud.restart()
        for _ in 0..<5 { edge.fill(nil) }
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.isCaughtUp && cloud.node.control.edges[TestEdge.id]?.book.head == edge.entries.last?.head)
        #expect(edge.entries.count == stored + 15)
        #expect(cloud.node.control.edges[TestEdge.id]?.book.positions[TestEdge.mbt]?.quantity == Quantity(whole: 15))
    }

    @Test func anotherHistoryIsRefusedAndListed() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        edge.disconnect()
        try cloud.tick(after: .seconds(20))
        let twin = TestEdge(cloud, boot: 8)
        for _ in 0..<9 { twin.fill(nil) }
        try twin.connect()
        try twin.pass(.milliseconds(250))
        guard case .refused(let trouble) = twin.sender.phase else { Issue.record("\(twin.sender.phase)"); return }
        #expect(trouble.code == "FORK")
        let edges = try #require(try cloud.get("/api/v1/edges", who)?.json)
        #expect(try Contract().problems(of: edges, as: "edges") == [])
        let row = try #require(edges["refusals"]?.elements?.first)
        #expect(row["verdict"]?.text == "FORK" && row["edge"]?.text == TestEdge.id.description && row["times"]?.integerValue == 1)
        #expect(cloud.node.control.edges[TestEdge.id]?.book.head == edge.entries.last?.head, "nothing was merged")
        #expect(try cloud.get("/ready")?.status == 503)
    }

    @Test func malformedFramesAreCountedAndHarmNothing() throws {
        let (cloud, edge) = try TestCloud.linked()
        let peer = Peer(edge: TestEdge.id, connection: 1)
        for bytes in [[], [1], [UInt8](repeating: 0xFF, count: 64), [UInt8](repeating: 0, count: Frame.headerBytes + Frame.bodyBytesMax + 1)] {
            try cloud.turn([.frame(bytes, from: peer)])
        }
        try cloud.turn([.frame([1, 2, 3], from: Peer(edge: TestEdge.edge(99), connection: 2))])
        edge.fill(nil)
        try edge.pump()
        #expect(edge.sender.isCaughtUp)
        let metrics = String(decoding: try #require(try cloud.get("/metrics")).body, as: UTF8.self)
        #expect(metrics.contains("\ntidewire_malformed_frames_total 4\n"))
        #expect(metrics.contains(#"tidewire_edge_live{edge="home-1"} 1"#))
    }

    @Test func anUnknownKeyIsListedWithItsCure() throws {
        let (cloud, _) = try TestCloud.linked()
        for _ in 0..<3 { try cloud.turn([.stranger(key: [UInt8](repeating: 5, count: 32), address: "10.0.0.7")]) }
        let row = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements?.first)
        #expect(row["verdict"]?.text == "UNKNOWN_KEY" && row["times"]?.integerValue == 3)
        #expect(row["words"]?.text == "An unknown key knocked from 10.0.0.7.")
    }

    @Test func marketDataIsKeptAndReadBack() throws {
        let (cloud, edge) = try TestCloud.linked()
        let start = Timeframe.minute.start(of: cloud.clock.wall)
        let bars = (1...5).map { Bar(start: start - .minutes(Int64($0)), price: Price(whole: 98_000 + Int64($0)), size: Quantity(whole: 1)) }
        edge.market(MarketBars(instrument: TestEdge.mbt, timeframe: .minute, bars: bars, isHistory: true))
        try edge.pump()
        let who = try cloud.bearer()
        let answer = try #require(try cloud.get("/api/v1/market/candles?limit=3", who)?.json)
        #expect(try Contract().problems(of: answer, as: "candles") == [])
        #expect(answer["candles"]?.elements?.compactMap { $0["close"]?.text } == ["98002", "98001", "98750"], "oldest first, the forming one last")
        let from = try cloud.get("/api/v1/market/candles?limit=2&from=\(start - .minutes(4))", who)?.json
        #expect(from?["candles"]?.elements?.compactMap { $0["close"]?.text } == ["98004", "98003"])
    }

    // MARK: - Pages

    private func page(_ cloud: TestCloud, _ query: String) throws -> (seqs: [Int64], older: Bool, newer: Bool) {
        let answer = try #require(try cloud.get("/api/v1/ledger?\(query)", cloud.bearer())?.json)
        #expect(try Contract().problems(of: answer, as: "ledger") == [])
        return (
            answer["entries"]?.elements?.compactMap { $0["seq"]?.integerValue } ?? [], answer["older"]?.boolValue ?? false,
            answer["newer"]?.boolValue ?? false
        )
    }

    @Test func theLedgerIsTurnedPageByPage() throws {
        let (cloud, edge) = try TestCloud.linked()
        for _ in 0..<4 { edge.fill(nil) }
        try edge.pump()
        // Four entries of the start, then intent, report and fill four times.
        #expect(edge.entries.count == 16)
        #expect(try page(cloud, "limit=3") == ([14, 15, 16], true, false))
        #expect(try page(cloud, "limit=3&before=14") == ([11, 12, 13], true, true))
        #expect(try page(cloud, "limit=20&before=4") == ([1, 2, 3], false, true))
        #expect(try page(cloud, "limit=3&from=1") == ([1, 2, 3], false, true))
        #expect(try page(cloud, "limit=3&from=15") == ([15, 16], true, false))
        #expect(try page(cloud, "kind=fill&limit=2") == ([13, 16], true, false))
        #expect(try page(cloud, "kind=fill,boot&before=10") == ([1, 7], false, true))
        #expect(try page(cloud, "kind=fill&from=8&limit=1") == ([10], true, true))
        #expect(try page(cloud, "kind=halt") == ([], false, false))
    }

    /// A rare kind: each call looks through so many rows and no more, says how far it came, and the next one goes on there, until nothing is left out.
    @Test func aRareKindIsLookedForInSteps() throws {
        let (cloud, edge) = try TestCloud.linked()
        for number in 0..<40 { edge.fill(nil, quantity: Int64(number + 1)) }
        try edge.pump()
        edge.disconnect()
        cloud.ledgerScanMax = 25
        try cloud.restart()
        let who = try cloud.bearer(), count = Int64(edge.entries.count)
        func ask(_ query: String) throws -> JSONValue {
            let answer = try #require(try cloud.get("/api/v1/ledger?kind=reconciled&limit=5&\(query)", who)?.json)
            #expect(try Contract().problems(of: answer, as: "ledger") == [])
            return answer
        }
        var query = "limit=5", found: [Int64] = [], calls = 0
        while true {
            let answer = try ask(query)
            calls += 1
            found += (answer["entries"]?.elements ?? []).compactMap { $0["seq"]?.integerValue }
            guard let from = answer["lookedFrom"]?.integerValue else { #expect(answer["older"]?.boolValue == false); break }
            #expect(answer["older"]?.boolValue == true)
            query = "before=\(from)"
        }
        #expect(found == [4] && calls == Int((count + 24) / 25), "\(calls) calls over \(count) entries")
        (query, found) = ("from=1", [])
        while true {
            let answer = try ask(query)
            found += (answer["entries"]?.elements ?? []).compactMap { $0["seq"]?.integerValue }
            guard let to = answer["lookedTo"]?.integerValue else { break }
            query = "from=\(to + 1)"
        }
        #expect(found == [4])
    }

    @Test func oneOrderIsFollowedFromIntentToFill() throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.fill(nil)
        let intent = edge.fill(nil)
        edge.fill(nil)
        try edge.pump()
        let first = Int64(intent.seq.raw)
        #expect(try page(cloud, "follow=\(intent.boot)-\(intent.seq)").seqs == [first, first + 1, first + 2])
    }
}

extension LedgerLinkTests {
    @Test func aDamagedLedgerIsSetAsideAndTheOthersGoOn() throws {
        let cloud = try TestCloud(edges: [TestEdge.id, TestEdge.edge(2)])
        let edges = [TestEdge(cloud), TestEdge(cloud, id: TestEdge.edge(2), boot: 8)]
        for edge in edges { try edge.connect(); edge.fill(nil); try edge.pump(); edge.disconnect() }
        let who = try cloud.bearer()
        try cloud.restart(after: {
            let file = try Database(path: EdgeLedgers.path(folder: cloud.folder + "/edges", TestEdge.id), .init(.readWrite))
            try file.run("DROP TRIGGER entry_no_update")
            try file.run("UPDATE entry SET body = replace(body, 'DU4402117', 'DU4402118') WHERE seq = 2")
        })
        #expect(cloud.node.control.edges.keys.sorted() == [TestEdge.edge(2)])
        let admitted = cloud.take { effect -> [Bool]? in if case .admit(let keys) = effect { keys.map(\.isConfirmed) } else { nil } }
        #expect(admitted.last == [false, true], "the door says not now to the damaged one")
        let row = try #require(try cloud.get("/api/v1/edges", who)?.json?["refusals"]?.elements?.first)
        #expect(row["verdict"]?.text == "LEDGER_DAMAGED" && row["words"]?.text?.contains("entry 2 is not what was written") == true)
        #expect(try cloud.get("/ready")?.json?["missing"]?.elements?.first == "the stored ledger of edge home-1 is damaged")
        try edges[1].connect()
        try edges[1].pass(.milliseconds(250))
        #expect(edges[1].sender.phase == .open)
        try edges[0].connect()
        try edges[0].pass(.milliseconds(250))
        #expect(edges[0].sender.phase == .opening, "nothing of the damaged one is taken")
        try cloud.tick(after: .hours(25))
        #expect(cloud.node.control.refusals.count == 1, "the word stays as long as the damage")
    }

    @Test func damagedMarketDataBeginsAnew() throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.disconnect()
        try cloud.restart(after: {
            for ending in ["", "-wal", "-shm"] { try PrivateFiles.remove(cloud.folder + "/market.db" + ending) }
            try PrivateFiles.write(cloud.folder + "/market.db", [UInt8](repeating: 0x55, count: 8_192))
        })
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.isCaughtUp)
    }

    /// What the next start has to walk stays short: each edge's log by itself, at the next tick, and again later when the disk is full.
    @Test func aLogOf64MebibytesIsCopied() throws {
        var logs: [LongLog] = []
        let cloud = try TestCloud(edges: [TestEdge.id, TestEdge.edge(2)]) { store in
            logs.append(LongLog(store))
            return logs[logs.count - 1]
        }
        #expect(logs.count == 2)
        let most = 64 << 20
        for log in logs { log.logBytes = most }
        try cloud.tick()
        #expect(logs.map(\.copies) == [0, 0])
        logs[1].logBytes = most + 1
        try cloud.tick()
        try cloud.tick()
        #expect(logs.map(\.copies) == [0, 1] && logs.map(\.logBytes) == [most, 0])
        logs[0].logBytes = most + 1
        logs[0].answer = .database(DatabaseError(extendedCode: 13, message: "full"))
        try cloud.tick()
        try cloud.tick()
        #expect(logs.map(\.copies) == [2, 1])
        logs[0].answer = nil
        try cloud.tick()
        try cloud.tick()
        #expect(logs.map(\.copies) == [3, 1])
        logs[0].logBytes = most + 1
        let dead = StoreError.failed(DatabaseError(extendedCode: 10, message: "dead"))
        logs[0].answer = dead
        #expect(throws: dead) { try cloud.tick() }
    }

    @Test func aBacklogIsAcknowledgedFirstAndReadAfterwards() throws {
        let cloud = try TestCloud(edges: [TestEdge.id])
        let edge = TestEdge(cloud)
        for _ in 0..<2_000 { edge.fill(nil, quantity: 1) }
        try edge.connect()
        #expect(edge.sender.isCaughtUp && cloud.node.isBehind)
        let metrics = String(decoding: try #require(try cloud.get("/metrics")).body, as: UTF8.self)
        #expect(metrics.contains(#"tidewire_edge_stored_seq{edge="home-1"} 6001"#))
        // New entries wait behind the old ones.
        edge.fill(nil, quantity: 1)
        try edge.pump()
        var turns = 0
        while cloud.node.isBehind, turns < 10 {
            try cloud.turn([.follow])
            turns += 1
        }
        #expect(turns == 2 && cloud.node.control.edges[TestEdge.id]?.book.head == edge.entries.last?.head)
        #expect(cloud.node.control.edges[TestEdge.id]?.book.positions[TestEdge.mbt]?.quantity == Quantity(whole: 2_001))
        edge.fill(nil, quantity: 1)
        try edge.pump()
        #expect(!cloud.node.isBehind, "an ordinary batch is folded at once")
    }

    /// Presence has one judge, the link's boot clock: setting the wall clock neither silences an edge nor keeps a silent one alive.
    @Test func aWallClockThatIsSetChangesNobodysPresence() throws {
        let (cloud, edge) = try TestCloud.linked()
        try edge.pass(.seconds(2))
        // Signed in anew each time: a token is not valid before it was made.
        func row() throws -> JSONValue? { try cloud.get("/api/v1/edges", cloud.bearer())?.json?["edges"]?.elements?.first }
        func isAged(_ age: Span) throws -> Bool { try row()?["lastHeard"]?.text == (cloud.clock.wall - age).description }
        for jump in [3_600, -7_200] as [Int64] {
            cloud.setClock(by: .seconds(jump))
            try cloud.tick(after: .seconds(2))
            #expect(cloud.node.control.edges[TestEdge.id]?.presence == .live && edge.sender.phase == .open)
            #expect(try row()?["state"]?.text == "live")
            #expect(try isAged(.seconds(2)))
            try edge.pass(.seconds(1))
        }
        edge.disconnect()
        cloud.setClock(by: .seconds(-3_600))
        try cloud.tick(after: .seconds(7))
        #expect(cloud.node.control.edges[TestEdge.id]?.presence == .silent && cloud.node.receiver.link(TestEdge.id)?.presence == .silent)
        #expect(try isAged(.seconds(7)))
        let refused = try cloud.post("/api/v1/orders", #"{"side":"BUY","quantity":"3"}"#, cloud.bearer(), key: "00000000000000000000000000000001")
        #expect(refused?.status == 503 && refused?.json?["detail"]?.text?.contains("last heard") == true)
        try cloud.tick(after: .seconds(10))
        #expect(cloud.node.control.edges[TestEdge.id]?.presence == .dead && cloud.node.control.edges[TestEdge.id]?.session == nil)
    }
}
