// The gateway on real sockets, its journal, and a start after a death.
import Foundation
import Platform
import Simulation
import Testing
import Values
import Venues

/// One gateway process's life, without the process.
private final class Life {
    let loop = EventLoop()
    let server: GatewayServer
    let port: Int

    init(_ folder: String?, _ settings: GatewaySettings = GatewaySettings()) throws {
        let now = SystemClock.now()
        let listings = PaperCatalogue.standard(asOf: USZone.central.local(now).date)
        let exchange = PaperExchange(rules: PaperRules(seed: 1), listings: listings, start: now)
        let journal = try folder.map { try GatewayJournal(folder: $0) }
        let gateway =
            if let records = journal?.records, !records.isEmpty {
                try IBKRGateway(settings: settings, exchange: exchange, records: records, at: now)
            } else {
                IBKRGateway(settings: settings, exchange: exchange, at: now)
            }
        server = try GatewayServer(loop, gateway: gateway, journal: journal, now: SystemClock.now)
        port = try server.listen(host: "127.0.0.1", port: 0)
    }

    func connect(id: Int) -> (TCPConnection, Listener) {
        let listener = Listener()
        let connection = loop.connect(host: "127.0.0.1", port: port, timeoutMillis: 5_000, owner: listener)
        let greeting = Array("v157..178".utf8)
        _ = connection.send(Array("API\0".utf8) + [0, 0, 0, UInt8(greeting.count)] + greeting)
        send(["71", "2", String(id), ""], connection)
        return (connection, listener)
    }
    func send(_ fields: [String], _ connection: TCPConnection) {
        let payload: [UInt8] = fields.flatMap { Array($0.utf8) + [0] }
        _ = connection.send([24, 16, 8, 0].map { UInt8(payload.count >> $0 & 0xFF) } + payload)
    }
    func wait(_ condition: () -> Bool) -> Bool { loop.turns(each: server.advance, until: condition) }
}

@Suite struct GatewayServerTests {
    /// The month that trades now, by the same rule as the catalogue.
    private func front() throws -> String {
        let today = USZone.central.local(SystemClock.now()).date
        let alive = PaperCatalogue.microBitcoin(asOf: today).map(\.instrument).filter { ($0.maturityDate ?? today) > today.adding(days: 40) }
        return try #require(alive.first).localSymbol
    }

    @Test func manyClientsAreServedAndQuotesFlow() throws {
        let life = try Life(nil)
        let (first, heardFirst) = life.connect(id: 1)
        let (_, heardSecond) = life.connect(id: 2)
        life.send(["1", "11", "5"] + contract("AAPL") + ["0", "", "0", "0", ""], first)
        #expect(life.wait { heardFirst.heard("1").count > 8 && heardSecond.heard("9").count == 1 })
        #expect(heardFirst.frames.first?.first == "178" && life.server.clientCount == 2)
        first.close()
        #expect(life.wait { life.server.clientCount == 1 })
        life.server.stop()
        #expect(life.wait { heardSecond.isClosed } && life.server.clientCount == 0)
    }

    /// What a slow reader does not read stays in the sockets: the client's writes do not get through.
    @Test func aSlowReaderHoldsItsClientBack() throws {
        let life = try Life(nil, GatewaySettings(switches: [.slowReader(100)], rate: 0))
        let heard = Listener()
        let connection = life.loop.connect(host: "127.0.0.1", port: life.port, timeoutMillis: 5_000, queuedBytesMax: 64 << 20, owner: heard)
        let greeting = Array("v157..178".utf8)
        _ = connection.send(Array("API\0".utf8) + [0, 0, 0, UInt8(greeting.count)] + greeting)
        life.send(["71", "2", "1", ""], connection)
        life.send(["49", "1"], connection)
        // Many times what the kernel keeps for two sockets, as frames of a megabyte.
        for _ in 0..<32 { #expect(connection.send([0, 16, 0, 0] + [UInt8](repeating: 0, count: 1 << 20)) == .queued) }
        #expect(life.wait { heard.heard("49").count == 1 }, "it reads")
        let waiting = connection.queuedBytes
        var turns = 0
        #expect(
            life.wait {
                turns += 1; return turns > 100 || connection.queuedBytes == 0
            })
        #expect(connection.queuedBytes > 8 << 20 && connection.queuedBytes == waiting, "and takes no more than it reads")
        life.server.stop()
    }

    /// A turn that is longer than a line can be is read back whole, and one that is torn in its second line is none at all.
    @Test func aTurnMayTakeSeveralLinesAndIsOne() throws {
        var bench = try GatewayBench()
        bench.start(1)
        let text = String(repeating: "\u{1}x", count: 30_000)
        for id in 1...20 { bench.send(1, order(id, "BUY", "1", "LMT", ["lmtPrice": "5000", "tif": "GTC", "orderRef": text])) }
        let turn = Array(bench.journal.joined().dropFirst())
        #expect(turn.count == 40)
        let folder = ScratchFolder()
        let file = folder.path + "/gateway.journal"
        let born = GatewayRecord.born(at: friday, account: "DU1")
        do {
            let journal = try GatewayJournal(folder: folder.path)
            try journal.append([born])
            try journal.append(turn)
        }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        let lines = bytes.split(separator: 10)
        #expect(bytes.count > GatewayRecord.lineBytesMax && lines.count > 2 && lines.allSatisfy { $0.count < GatewayRecord.lineBytesMax })
        #expect(try GatewayJournal(folder: folder.path).records.count == 41)
        let torn = lines.dropLast().reduce(into: Data()) { $0 += $1 + [10] }
        try torn.write(to: URL(fileURLWithPath: file))
        #expect(try GatewayJournal(folder: folder.path).records == [born])
    }

    @Test func anOrderThatIsTooLongIsRefusedAtTheDoor() throws {
        var bench = try GatewayBench()
        bench.start(1)
        _ = bench.hear(1)
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": "5000", "orderRef": String(repeating: "x", count: OrderFields.bytesMax)]))
        let refusal = try #require(bench.hear(1).first)
        #expect(refusal[2] == "1" && refusal[3] == "321" && refusal[4].contains("\(OrderFields.bytesMax) are the most"))
        #expect(bench.journal.count == 1, "nothing but the birth is remembered")
        // An ordinary order has its words twice over, each at its worst spelling.
        bench.send(1, order(1, "BUY", "1", "LMT", ["lmtPrice": "5000", "orderRef": String(repeating: "\u{1}", count: 60_000), "ocaGroup": "g"]))
        #expect(bench.hear(1, "3").last?[2] == "Submitted")
        for turn in bench.journal { #expect(try GatewayRecord.line(turn).count < GatewayRecord.lineBytesMax / 2) }
    }

    @Test func garbageEndsThatConnectionAlone() throws {
        let life = try Life(nil)
        let (_, good) = life.connect(id: 1)
        let bad = Listener()
        let connection = life.loop.connect(host: "127.0.0.1", port: life.port, timeoutMillis: 5_000, owner: bad)
        _ = connection.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(life.wait { bad.isClosed && good.heard("15").count == 1 })
        #expect(!good.isClosed)
    }

    @Test func ordersAndExecutionsOutliveTheGateway() throws {
        let folder = ScratchFolder()
        let symbol = try front()
        var permId = ""
        do {
            let life = try Life(folder.path)
            let (connection, heard) = life.connect(id: 7)
            #expect(life.wait { heard.heard("9").count == 1 })
            life.send(order(1, "BUY", "25", "MKT", symbol: symbol), connection)
            life.send(order(2, "BUY", "1", "LMT", ["lmtPrice": "5000", "tif": "GTC"], symbol: symbol), connection)
            #expect(life.wait { heard.heard("3").contains { $0[1] == "1" && $0[2] == "Filled" } && heard.heard("3").contains { $0[1] == "2" } })
            #expect(heard.heard("11").count > 1, "25 are more than one level holds")
            permId = try #require(heard.heard("3").last { $0[1] == "2" })[6]
        }
        // A death in the middle of a line: nobody was told of it.
        let file = folder.path + "/gateway.journal"
        let handle = try #require(FileHandle(forWritingAtPath: file))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("[{\"fill\":{\"added\"".utf8))
        try handle.close()

        let life = try Life(folder.path)
        let (connection, heard) = life.connect(id: 7)
        life.send(["5", "1"], connection)
        life.send(["61", "1"], connection)
        life.send(["7", "3", "9", "0", "", "", "", "", "", ""], connection)
        #expect(life.wait { heard.heard("53").count == 1 && heard.heard("62").count == 1 && heard.heard("55").count == 1 })
        #expect(heard.heard("9").first == ["9", "1", "3"])
        let open = try #require(heard.heard("3").first)
        #expect(open[1] == "2" && open[6] == permId && heard.heard("5").count == 1)
        #expect(heard.heard("61").first?.contains("25") == true && heard.heard("11").count > 1)
    }

    @Test func aFolderBelongsToOneGatewayAndToOneAccount() throws {
        let folder = ScratchFolder()
        do {
            let life = try Life(folder.path)
            #expect(throws: GatewayJournalError.self) { try Life(folder.path) }
            #expect(life.server.failure == nil)
        }
        #expect(throws: GatewayRestoreError.otherAccount("DU1234567")) { try Life(folder.path, GatewaySettings(account: "DU7")) }
        let file = folder.path + "/gateway.journal"
        try Data("[{\"strange\":1}]\n".utf8).write(to: URL(fileURLWithPath: file))
        #expect(throws: GatewayJournalError.unreadable(path: file, line: 1)) { try Life(folder.path) }
    }

    @Test func theJournalIsShortenedWithoutLosingAnything() throws {
        let folder = ScratchFolder()
        var bench = try GatewayBench()
        bench.start(1)
        bench.send(1, order(1, "BUY", "3"))
        bench.send(1, order(2, "SELL", "1", "TRAIL", ["auxPrice": "50", "tif": "GTC"]))
        for _ in 0..<40 { bench.pass(.seconds(5)) }
        do {
            let journal = try GatewayJournal(folder: folder.path)
            for turn in bench.journal { try journal.append(turn) }
        }
        let file = folder.path + "/gateway.journal"
        let long = try Data(contentsOf: URL(fileURLWithPath: file)).count
        let records = try GatewayJournal(folder: folder.path).records
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count < long)
        let again = try IBKRGateway(settings: GatewaySettings(), exchange: GatewayBench.exchange(at: bench.now), records: records, at: bench.now)
        #expect(again.exchange.orders == bench.gateway.exchange.orders && again.exchange.account == bench.gateway.exchange.account)
    }
}

@Suite struct TapeTextTests {
    @Test func barsAreReadWithAndWithoutHeaderAndVolume() throws {
        let tape = try TapeText.tape(
            "time,open,high,low,close,volume\r\n1795186800,95000,95040,94990,95010,12\r\n2026-11-20T15:01:00Z, 95010, 95010, 95000, 95005,3\n")
        #expect(tape.bars.count == 2 && tape.length == .minutes(1) && tape.bars[1].start == friday + .minutes(1))
        #expect(tape.bars[0].high == Price(whole: 95_040) && tape.bars[0].volume == Quantity(whole: 12))
        #expect(try TapeText.tape("1795186800,5,5,5,5").bars.count == 1)
    }
    @Test(arguments: [
        ("1795186800,1,2,3,4", TapeError.line(1)), ("t,o\n1795186800,1,1,1,1\nx,1,1,1,1", .line(3)), ("", .notRising),
        ("1795186800,0,0,0,0", .line(1)), ("60,1,1,1,1\n60,1,1,1,1", .notRising),
    ]) func whatIsNoTapeIsNamed(_ text: String, _ error: TapeError) {
        #expect(throws: error) { try TapeText.tape(text) }
    }
}
