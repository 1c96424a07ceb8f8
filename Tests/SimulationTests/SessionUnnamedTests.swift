// Executions in contracts that no setting names: never lost, and never booked under a name that nobody gave.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct SessionUnnamedTests {
    private static let name = InstrumentID("NVDA.NASDAQ")

    /// Ten of them, by an order that was placed by hand.
    private static func fill(_ desk: inout OneOrder, request: String = "-1") {
        desk.execution("x.01", shares: 10, sum: 10, request: request, client: 0, order: 0, contract: ("4815747", "NVDA"), reference: "")
    }
    /// What the broker says of the contract. Stocks are listed at their primary exchange, wherever they are routed.
    private static func describe(_ desk: inout OneOrder, _ request: String) {
        let details =
            [
                "10", request, "NVDA", "STK", "", "0", "", "SMART", "USD", "NVDA", "NMS", "NMS", "4815747", "0.01", "", "LMT,MKT", "SMART,ISLAND",
                "1",
            ]
            + ["0", "NVIDIA CORP", "NASDAQ", "", "", "", "", "US/Eastern", "", "", "", "", "0", "", "", "", "26", "", "COMMON", "1", "1", "100"]
        desk.gateway.say(details)
        desk.gateway.say(["52", "1", request])
    }
    /// The connection is made again.
    private static func reconnect(_ desk: inout OneOrder) {
        let wishes = desk.gateway.wishes.count
        while desk.gateway.wishes.count == wishes { desk.gateway.pass(.milliseconds(500)) }
        _ = desk.gateway.sent()
        desk.gateway.connect()
        desk.gateway.say(["178", "20261120 10:00:00 US/Eastern"])
        desk.gateway.say(["15", "1", "DU1"])
        desk.gateway.say(["9", "1", "6"])
        desk.gateway.pass(.milliseconds(300))
    }

    /// An order placed by hand fills in a contract that no setting names: the place where it filled is not its name.
    @Test func aForeignFillHasTheNameOfItsListing() throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        _ = desk.gateway.hear()
        _ = desk.gateway.sent()
        Self.fill(&desk)
        desk.gateway.pass(.milliseconds(200))
        let request = try #require(desk.gateway.sent("9").first)
        #expect(request[3] == "4815747" && desk.gateway.hear().fills.isEmpty)
        Self.describe(&desk, request[2])
        let heard = desk.gateway.hear()
        #expect(heard.fills.map(\.fill.instrument) == [InstrumentID("NVDA.NASDAQ")] && heard.instruments.map(\.id) == [InstrumentID("NVDA.NASDAQ")])
        desk.execution("x.02", shares: 10, sum: 20, client: 0, order: 0, contract: ("4815747", "NVDA"), reference: "")
        #expect(desk.gateway.hear().fills.map(\.fill.instrument) == [InstrumentID("NVDA.NASDAQ")], "and the next at once")
    }

    /// The broker will not describe it: the fill goes under the contract's own words.
    @Test func aRefusedDescriptionDoesNotKeepTheFill() throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        _ = desk.gateway.sent()
        Self.fill(&desk)
        desk.gateway.pass(.milliseconds(200))
        let request = try #require(desk.gateway.sent("9").first)
        desk.gateway.complain(try #require(Int64(request[2])), 200, "No security definition has been found for the request")
        #expect(desk.gateway.hear().fills.map(\.fill.instrument) == [InstrumentID("NVDA.STK")])
    }

    /// The connection ends before the answer: the next one is asked, and the fill is told once, by its right name.
    @Test(arguments: [false, true]) func anEndedConnectionLosesNoFillAndInventsNoName(isOfAPicture: Bool) throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        _ = desk.gateway.sent()
        if isOfAPicture {
            desk.gateway.ask(.snapshot)
            desk.gateway.pass(.milliseconds(300))
            Self.fill(&desk, request: try #require(desk.gateway.sent("7").first)[2])
        } else {
            Self.fill(&desk)
        }
        desk.gateway.pass(.milliseconds(200))
        for _ in 0..<3 {
            desk.gateway.drop()
            #expect(desk.gateway.hear().fills.isEmpty)
            Self.reconnect(&desk)
        }
        let request = try #require(desk.gateway.sent("9").first { $0[3] == "4815747" })
        // The broker lists it again meanwhile.
        Self.fill(&desk)
        #expect(desk.gateway.hear().fills.isEmpty)
        Self.describe(&desk, request[2])
        let heard = desk.gateway.hear()
        #expect(heard.fills.map(\.fill.instrument) == [Self.name] && heard.fills.map(\.fill.execID) == ["x.01"])
    }

    /// No answer is no refusal: it is asked once more.
    @Test func aQuestionWithoutAnAnswerIsAskedAgain() throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        _ = desk.gateway.sent()
        Self.fill(&desk)
        desk.gateway.pass(.milliseconds(200))
        _ = desk.gateway.sent()
        desk.gateway.pass(.seconds(16), step: .seconds(1))
        #expect(desk.gateway.hear().fills.isEmpty)
        let request = try #require(desk.gateway.sent("9").first { $0[3] == "4815747" })
        Self.describe(&desk, request[2])
        #expect(desk.gateway.hear().fills.map(\.fill.instrument) == [Self.name])
    }

    /// While the gateway has lost the broker nobody can name it, and that it waits costs nothing.
    @Test func itWaitsForTheBrokersLine() throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        Self.fill(&desk)
        desk.gateway.pass(.milliseconds(200))
        let request = try #require(desk.gateway.sent("9").first { $0[3] == "4815747" })
        desk.gateway.complain(-1, 1_100, "lost")
        for _ in 0..<10 { desk.gateway.pass(.seconds(15), step: .seconds(1)); desk.gateway.say(["49", "1", "1"]) }
        #expect(desk.gateway.hear().fills.isEmpty)
        desk.gateway.complain(-1, 1_102, "restored")
        Self.describe(&desk, request[2])
        #expect(desk.gateway.hear().fills.map(\.fill.instrument) == [Self.name])
    }
}
