// Taking back, replacing, and what the person saw, from the request to the frame and back.
import CloudNode
import Contract
import Control
import Ledger
import Testing
import Values
import Wire

@Suite struct TakeBackTests {
    private static func key(_ number: UInt8) -> String { Hex.text([UInt8](repeating: number, count: 16)) }
    private let long3 = #"{"side":"BUY","quantity":"3"}"#

    private func state(_ cloud: TestCloud, _ number: UInt8, _ who: [Request.Pair]) throws -> String? {
        try cloud.get("/api/v1/commands/\(Self.key(number))", who)?.json?["state"]?.text
    }

    @Test func whatWasSentIsTakenBackByTheEdge() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        _ = try cloud.post("/api/v1/orders", long3, who, key: Self.key(1))
        #expect(try state(cloud, 1, who) == "dispatched", "bound and sent, not yet known to be there")
        let answer = try cloud.post("/api/v1/commands/\(Self.key(1))/withdraw", "{}", who, key: Self.key(2))
        #expect(answer?.status == 202)
        try edge.pump()
        let sent = try #require(edge.commands.last)
        let target = try #require(CommandID(hex: Self.key(1)))
        #expect(sent.body == .withdraw(command: target, boot: edge.boot, kind: "order"))
        edge.write(
            .commandRefused(
                CommandOutcome(command: edge.commands[0].id, kind: "order", issuer: "cloud:admin", code: "withdrawn", text: "Taken back.")))
        edge.accept(sent)
        try edge.pump()
        let row = try #require(try cloud.get("/api/v1/commands/\(Self.key(1))", who)?.json)
        #expect(row["state"]?.text == "withdrawn" && row["final"]?.boolValue == true)
        #expect(try Contract().problems(of: row, as: "command") == [])
        let own = try #require(try cloud.get("/api/v1/commands/\(Self.key(2))", who)?.json)
        #expect(own["state"]?.text == "accepted" && own["kind"]?.text == "withdraw" && own["target"]?.text == Self.key(1))
        #expect(own["title"]?.text == "Take back: Long 3 MBTZ6")
        #expect(try Contract().problems(of: own, as: "command") == [])
        let late = try cloud.post("/api/v1/commands/\(Self.key(1))/withdraw", "{}", who, key: Self.key(3))
        #expect(late?.status == 409 && late?.json?["type"]?.text == "/problems/already-decided")
    }

    @Test func whatWaitsForASilentEdgeIsTakenBackAtOnce() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        edge.fill(nil)
        try edge.pump()
        edge.disconnect()
        try cloud.turn([.tick])
        cloud.pass(.seconds(20))
        try cloud.turn([.tick])
        _ = try cloud.post("/api/v1/positions/MBTZ6.CME/close", "{}", who, key: Self.key(1))
        #expect(try state(cloud, 1, who) == "queued")
        #expect(try cloud.post("/api/v1/commands/\(Self.key(1))/withdraw", "{}", who, key: Self.key(2))?.status == 202)
        #expect(try state(cloud, 1, who) == "withdrawn")
        #expect(try state(cloud, 2, who) == "accepted")
    }

    @Test func aHaltAndWhatNobodyKnowsAreNotTakenBack() throws {
        let (cloud, _) = try TestCloud.linked()
        let who = try cloud.bearer()
        _ = try cloud.post("/api/v1/kill", #"{"level":"HALT","reason":"r"}"#, who, key: Self.key(1))
        let halt = try cloud.post("/api/v1/commands/\(Self.key(1))/withdraw", "{}", who, key: Self.key(2))
        #expect(halt?.status == 409 && halt?.json?["type"]?.text == "/problems/stays-asked")
        #expect(try cloud.post("/api/v1/commands/\(Self.key(9))/withdraw", "{}", who, key: Self.key(3))?.status == 404)
    }

    @Test func whatThePersonSawTravelsWithTheCommand() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        edge.fill(nil)
        try edge.pump()
        func sent(_ path: String, _ body: String, _ number: UInt8) throws -> Command? {
            let answer = try cloud.post(path, body, who, key: Self.key(number))
            guard answer?.status == 202 else { return nil }
            try edge.pump()
            return edge.commands.last
        }
        let close = "/api/v1/positions/MBTZ6.CME/close"
        let three = Quantity(whole: 3)
        #expect(
            try sent(close, #"{"confirmed":{"quantity":"3"}}"#, 1)?.expects?.held == .init(instrument: TestEdge.mbt, quantity: three, orLess: true))
        let full = try sent(close, #"{"expected":{"position":"-2","halt":"NONE","price":{"low":"98000","high":"99000"}}}"#, 2)
        #expect(full?.expects?.held == .init(instrument: TestEdge.mbt, quantity: Quantity(whole: -2), orLess: true) && full?.expects?.halt == .normal)
        #expect(full?.expects?.band == .init(instrument: TestEdge.mbt, low: Price(whole: 98_000), high: Price(whole: 99_000)))
        #expect(full?.place == CommandPlace(key: "trade/MBTZ6.CME", number: 2, floor: 1) && full?.mode == .paper)
        let reversal = try sent("/api/v1/orders", #"{"side":"SELL","quantity":"1","reverse":true}"#, 3)
        #expect(reversal?.expects?.held == .init(instrument: TestEdge.mbt, quantity: three), "a reversal rests on the position it was reckoned from")
        let newer = try sent("/api/v1/orders", #"{"side":"BUY","quantity":"1","supersedes":"\#(Self.key(3))"}"#, 4)
        #expect(newer?.supersedes == CommandID(hex: Self.key(3)))
        #expect(try cloud.post(close, #"{"expected":{"halt":"MAYBE"}}"#, who, key: Self.key(5))?.status == 400)
    }

    /// Whatever the edge holds by then, an order does what was shown or nothing.
    @Test func everyOrderRestsOnThePositionThatWasShown() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        func sent(_ path: String, _ body: String, _ number: UInt8) throws -> Command? {
            guard try cloud.post(path, body, who, key: Self.key(number))?.status == 202 else { return nil }
            try edge.pump()
            return edge.commands.last
        }
        func held(_ quantity: Int64, orLess: Bool = false) -> Ledger.Expectation.Held {
            .init(instrument: TestEdge.mbt, quantity: Quantity(whole: quantity), orLess: orLess)
        }
        let orders = "/api/v1/orders"
        #expect(try sent(orders, #"{"side":"BUY","quantity":"1"}"#, 1)?.expects?.held == held(0))
        let said = try sent(orders, #"{"side":"BUY","quantity":"1","expected":{"position":"5"}}"#, 2)
        #expect(said?.expects?.held == held(5), "what the caller says goes")
        let close = try sent("/api/v1/positions/MBTZ6.CME/close", #"{"confirmed":{"quantity":"3"}}"#, 3)
        #expect(close?.expects?.held == held(0, orLess: true), "what was confirmed is gone: what came instead is not closed")
        edge.fill(nil)
        try edge.pump()
        #expect(try sent(orders, #"{"side":"BUY","quantity":"1"}"#, 4)?.expects?.held == held(3))
        func size(_ command: Command?) -> OrderSize? { if case .order(_, _, let size, _, _)? = command?.body { size } else { nil } }
        let closing = try sent(orders, #"{"side":"SELL","quantity":"1","confirmed":{"quantity":"3","price":"98745"}}"#, 5)
        #expect(size(closing) == .quantity(Quantity(whole: 3)) && closing?.expects?.held == held(3), "what was confirmed is what is closed")
        #expect(size(try sent(orders, #"{"side":"SELL","quantity":"1"}"#, 6)) == .quantity(Quantity(whole: 1)), "nobody confirmed more")
    }

    /// What opens does so near the price that was confirmed; what closes, at any.
    @Test func anOrderThatOpensRestsOnThePriceThatWasConfirmed() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        func band(_ body: String, _ number: UInt8) throws -> Ledger.Expectation.Band? {
            guard try cloud.post("/api/v1/orders", body, who, key: Self.key(number))?.status == 202 else { return nil }
            try edge.pump()
            return edge.commands.last?.expects?.band
        }
        func band(_ low: String, _ high: String) throws -> Ledger.Expectation.Band {
            .init(instrument: TestEdge.mbt, low: try Price(low), high: try Price(high))
        }
        #expect(try band(#"{"side":"BUY","quantity":"1","confirmed":{"quantity":"1","price":"98745"}}"#, 1) == band("97757.55", "99732.45"))
        let own =
            #"{"side":"BUY","quantity":"1","confirmed":{"quantity":"1","price":"98745"},"#
            + #""expected":{"price":{"low":"98000","high":"99000"}}}"#
        #expect(try band(own, 2) == band("98000", "99000"), "what the caller says goes")
        #expect(try band(#"{"side":"BUY","quantity":"1","confirmed":{"quantity":"1"}}"#, 3) == nil)
        // The ends of the range.
        let most = try #require(try band(#"{"side":"BUY","quantity":"1","confirmed":{"quantity":"1","price":"92233720368.54775807"}}"#, 4))
        #expect(most.high == Price(raw: .max) && most.low < most.high)
        edge.fill(nil)
        try edge.pump()
        let closing = #"{"side":"SELL","quantity":"3","confirmed":{"quantity":"3","price":"98745"}}"#
        #expect(try band(closing, 5) == nil, "a closing is taken at any price")
    }

    /// Entries that are announced and not here: nothing is opened on the book without them, and closing goes on.
    @Test func nothingIsOpenedWhileTheBookIsBehind() throws {
        let (cloud, edge) = try TestCloud.linked()
        let who = try cloud.bearer()
        edge.losesBatches = true
        edge.write(.difference(Difference(rule: "R9", instrument: nil, text: "t")))
        // Told of by one beat, and still not here by the next.
        for _ in 0..<2 { try edge.pass(.seconds(3)) }
        let refused = try cloud.post("/api/v1/orders", long3, who, key: Self.key(1))
        #expect(refused?.status == 503 && refused?.json?["type"]?.text == "/problems/book-behind")
        #expect(refused?.json?["detail"]?.text?.contains("is 1 entry behind") == true)
        #expect(try cloud.post("/api/v1/positions/MBTZ6.CME/close", "{}", who, key: Self.key(2))?.status == 202)
        #expect(try cloud.post("/api/v1/kill", #"{"level":"HALT","reason":"r"}"#, who, key: Self.key(3))?.status == 202)
    }
}
