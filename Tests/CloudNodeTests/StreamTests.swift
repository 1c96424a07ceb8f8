// The stream: everything first, then what changed, resumed by number, closed when the session is over.
import CloudNode
import Contract
import Ledger
import Testing
import Values
import Wire

@Suite struct StreamTests {
    private func open(_ cloud: TestCloud, _ number: UInt64, _ who: [Request.Pair], from: Int64? = nil, path: String = "/api/v1/stream") throws {
        let query = from.map { [("from", String($0))] } ?? []
        try cloud.turn([.streamOpened(number, Request(method: "GET", path: path, query: query, headers: who))])
    }
    /// Messages pushed to one stream since the last call.
    private func messages(_ cloud: TestCloud, _ number: UInt64) throws -> [JSONValue] {
        let texts = cloud.take { if case .push(let text, let numbers) = $0, numbers.contains(number) { text } else { nil } }
        return try texts.map { try JSONReader.read($0, limits: JSONLimits(depth: 16, bytes: 16 << 20)) }
    }
    private func closes(_ cloud: TestCloud) -> [UInt16] { cloud.take { if case .closeStream(_, let code, _) = $0 { code } else { nil } } }

    /// What is held for those who come back is bounded: who missed more gets everything.
    @Test func whatIsHeldForThoseWhoComeBackIsBounded() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.browser()
        try open(cloud, 1, who)
        var seq = try #require(try messages(cloud, 1).first?["seq"]?.integerValue)
        let first = seq
        while seq < first + 2_010 {
            edge.quote(98_760 + seq % 2 * 5)
            try edge.pass(.milliseconds(250))
            seq = try messages(cloud, 1).compactMap { $0["seq"]?.integerValue }.max() ?? seq
        }
        try open(cloud, 2, who, from: first)
        #expect(try messages(cloud, 2).first?["type"]?.text == "snap")
        try open(cloud, 3, who, from: seq - 1_990)
        let missed = try messages(cloud, 3)
        #expect(missed.first?["type"]?.text == "resumed" && missed.count == 1_991)
    }

    @Test func beginsWithEverythingAndFollows() throws {
        let (cloud, edge) = try TestCloud.linked()
        let contract = try Contract()
        try open(cloud, 1, cloud.browser())
        let snap = try #require(try messages(cloud, 1).first)
        #expect(contract.problems(of: snap, as: "snap") == [])
        #expect(snap["put"]?["instruments"]?.elements?.first?["front"]?.boolValue == true)
        #expect(snap["put"]?["entries"]?.elements?.count == edge.entries.count)
        #expect(snap["put"]?["gates"]?.elements?.first?["opening"]?.boolValue == true)
        var seq = try #require(snap["seq"]?.integerValue)
        edge.fill(nil)
        edge.quote(98_760)
        try edge.pass(.milliseconds(250))
        var topics: Set<String> = []
        for message in try messages(cloud, 1) where message["type"]?.text == "delta" {
            #expect(contract.problems(of: message, as: "delta") == [])
            #expect(message["seq"]?.integerValue == seq + 1, "each number is one above the last")
            seq += 1
            for member in message["put"]?.members ?? [] { topics.insert(member.key) }
        }
        #expect(topics.isSuperset(of: ["orders", "fills", "positions", "entries", "quotes", "edges"]))
        try cloud.tick(after: .seconds(2))
        let beat = try #require(try messages(cloud, 1).last { $0["type"]?.text == "beat" })
        #expect(contract.problems(of: beat, as: "beat") == [] && (beat["seq"]?.integerValue ?? 0) >= seq)
    }

    /// The wall clock is set by an hour: who listens hears a beat within its time all the same.
    @Test(arguments: [-60, 60]) func beatsGoOnWhenTheClockIsSet(minutes: Int64) throws {
        let cloud = try TestCloud()
        try open(cloud, 1, cloud.browser())
        for _ in 0..<3 { try cloud.tick(after: .seconds(1)) }
        _ = try messages(cloud, 1)
        cloud.setClock(by: .minutes(minutes))
        var beats = 0
        for _ in 0..<8 {
            try cloud.tick(after: .seconds(1))
            beats += try messages(cloud, 1).filter { $0["type"]?.text == "beat" }.count
        }
        #expect((3...4).contains(beats), "\(beats) beats in eight seconds")
    }

    /// Two edges watch one instrument: each has its own gate, quote and bar, and while nothing happens nothing is sent but beats.
    @Test func twoEdgesThatWatchOneInstrumentHaveTheirOwnRows() throws {
        let cloud = try TestCloud(edges: [TestEdge.id, TestEdge.edge(2)])
        let edges = [TestEdge(cloud), TestEdge(cloud, id: TestEdge.edge(2), boot: 8)]
        edges[0].goLive()
        edges[1].goLive(at: 98_500)
        for edge in edges { try edge.connect() }
        for _ in 0..<4 { try edges[0].pass(.milliseconds(250)); try edges[1].pass(.milliseconds(250)) }
        edges[1].write(.halt(HaltFact(level: .halt, source: "console", reason: "look")))
        try edges[1].pump()
        try open(cloud, 1, cloud.browser())
        let snap = try #require(try messages(cloud, 1).first)
        #expect(try Contract().problems(of: snap, as: "snap") == [])
        let ids = edges.map(\.id.description)
        for topic in ["gates", "quotes", "bars"] {
            #expect((snap["put"]?[topic]?.elements ?? []).compactMap { $0["edge"]?.text } == ids, "\(topic)")
        }
        #expect(snap["put"]?["gates"]?.elements?.compactMap { $0["opening"]?.boolValue } == [true, false])
        #expect(snap["put"]?["quotes"]?.elements?.compactMap { $0["last"]?.text } == ["98750", "98500"])
        #expect(snap["put"]?["instruments"]?.elements?.count == 1)
        // Both say the same again and again: rows that take each other's place would be sent with every tick.
        var sent: [JSONValue] = []
        for _ in 0..<8 {
            try cloud.tick()
            sent += try messages(cloud, 1).filter { $0["put"]?["gates"] != nil || $0["put"]?["quotes"] != nil || $0["put"]?["bars"] != nil }
        }
        #expect(sent.isEmpty, "\(sent.count)")
        edges[0].quote(98_760)
        edges[1].quote(98_510)
        for edge in edges { try edge.pump() }
        try cloud.tick()
        let quotes = try messages(cloud, 1).flatMap { $0["put"]?["quotes"]?.elements ?? [] }
        #expect(quotes.compactMap { $0["last"]?.text }.sorted() == ["98510", "98760"])
        #expect(try messages(cloud, 1).isEmpty)
    }

    @Test func aPositionThatIsGoneIsDropped() throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.fill(nil)
        try edge.pump()
        try open(cloud, 1, cloud.browser())
        _ = try messages(cloud, 1)
        edge.fill(nil, side: .sell, role: .close)
        try edge.pump()
        let dropped = try messages(cloud, 1).compactMap { $0["drop"]?["positions"]?.elements }.flatMap { $0 }
        #expect(dropped == ["DU4402117:MBTZ6.CME"])
    }

    @Test func resumesFromItsNumberAndElseBeginsAnew() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.browser()
        try open(cloud, 1, who)
        let seq = try #require(try messages(cloud, 1).first?["seq"]?.integerValue)
        try cloud.turn([.streamClosed(1)])
        for price in [98_760, 98_770, 98_780] as [Int64] {
            edge.quote(price)
            try edge.pass(.milliseconds(250))
        }
        try open(cloud, 2, who, from: seq)
        let missed = try messages(cloud, 2)
        #expect(missed.first?["type"]?.text == "resumed" && missed.first?["from"]?.integerValue == seq)
        #expect(try Contract().problems(of: #require(missed.first), as: "resumed") == [])
        let numbers = missed.dropFirst().compactMap { $0["seq"]?.integerValue }
        #expect(!numbers.isEmpty && numbers == Array((seq + 1)...(seq + Int64(numbers.count))))
        try open(cloud, 3, who, from: seq - 1_000_000)
        #expect(try messages(cloud, 3).first?["type"]?.text == "snap", "a number of another process")
        try open(cloud, 4, who, from: seq + 1_000_000)
        #expect(try messages(cloud, 4).first?["type"]?.text == "snap", "a number of the future")
    }

    @Test func afterARestartAnOldNumberGetsEverything() throws {
        let (cloud, _) = try TestCloud.linked()
        let who = try cloud.browser()
        try open(cloud, 1, who)
        let old = try #require(try messages(cloud, 1).first?["seq"]?.integerValue)
        cloud.pass(.seconds(3))
        try cloud.restart()
        try open(cloud, 2, who, from: old)
        let first = try #require(try messages(cloud, 2).first)
        #expect(first["type"]?.text == "snap" && (first["seq"]?.integerValue ?? 0) > old)
    }

    @Test func aLongAbsenceBeginsAnew() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.browser()
        try open(cloud, 1, who)
        let seq = try #require(try messages(cloud, 1).first?["seq"]?.integerValue)
        try cloud.turn([.streamClosed(1)])
        for _ in 0..<13 { try edge.pass(.seconds(5)) }
        edge.quote(98_900)
        try edge.pass(.milliseconds(250))
        try open(cloud, 2, who, from: seq)
        let snap = try #require(try messages(cloud, 2).first)
        #expect(snap["type"]?.text == "snap")
        #expect(snap["put"]?["quotes"]?.elements?.first?["last"]?.text == "98900")
    }

    @Test func badAndEndedSessionsAreClosedWithTheirCode() throws {
        let (cloud, _) = try TestCloud.linked()
        try open(cloud, 1, [])
        #expect(closes(cloud) == [4401])
        let who = try cloud.browser()
        try open(cloud, 2, [who[0], ("origin", "http://evil.example")])
        #expect(closes(cloud) == [4403], "another page's script")
        try open(cloud, 3, who)
        #expect(try cloud.post("/api/v1/auth/logout", "", who)?.status == 204)
        #expect(closes(cloud) == [4401])
        let other = try cloud.browser()
        try open(cloud, 4, other)
        try cloud.tick(after: .hours(12))
        #expect(closes(cloud) == [4401])
    }

    @Test func aSilentEdgeClosesItsGateByTimeAlone() throws {
        let (cloud, edge) = try TestCloud.linked()
        try open(cloud, 1, cloud.browser())
        _ = try messages(cloud, 1)
        edge.disconnect()
        try cloud.tick(after: .seconds(7))
        let news = try messages(cloud, 1)
        let gate = news.compactMap { $0["put"]?["gates"]?.elements?.first }.last
        #expect(gate?["opening"]?.boolValue == false && gate?["closing"]?.boolValue == true)
        #expect(news.compactMap { $0["put"]?["edges"]?.elements?.first }.last?["state"]?.text == "silent")
    }

    @Test func theSeedStreamSendsBarsOfTheFrontContract() throws {
        let (cloud, edge) = try TestCloud.linked()
        let token = try #require(cloud.bearer().first?.value.split(separator: " ").last)
        try cloud.turn([.streamOpened(1, Request(method: "GET", path: "/api/ws/candles", query: [("token", String(token))]))])
        let start = Timeframe.minute.start(of: cloud.clock.wall)
        edge.live(.formingBar(TestEdge.mbt, Bar(start: start, price: Price(whole: 98_800), size: Quantity(whole: 2)), asOf: cloud.clock.wall))
        try edge.pass(.milliseconds(250))
        let bar = try #require(try messages(cloud, 1).last)
        #expect(bar["close"]?.text == "98800" && bar["instrument"]?.text == "MBTZ6.CME")
        try open(cloud, 2, [], path: "/api/ws/candles")
        #expect(closes(cloud) == [4401])
    }
}
