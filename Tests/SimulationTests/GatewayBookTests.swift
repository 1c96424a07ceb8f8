// Every request that the book of the protocol knows: each is answered, or refused in the broker's words; none is met with silence.
import Simulation
import Testing

@Suite struct GatewayBookTests {
    /// One request of the book and what must come back first of it: message ids, or error codes.
    private struct Row {
        var name: String
        var fields: [String]
        var messages: [String] = []
        var codes: [String] = []
        /// Requests that must run before, so that this one has something to stop.
        var before: [String] = []
    }

    private static let mbt = contract("MBTZ6")
    private static let apple = contract("AAPL")
    private static let quotes = ["1", "11", "5"] + mbt + ["0", "", "0", "0", ""]
    private static let history = ["20", "5"] + mbt + ["0", "", "1 min", "600 S", "0", "TRADES", "2", "1", ""]

    private static let table: [Row] = [
        Row(name: "reqMktData", fields: quotes, messages: ["58", "81", "1"]),
        Row(name: "cancelMktData", fields: ["2", "2", "5"], codes: ["300"]),
        Row(name: "placeOrder", fields: order(1, "BUY", "1", "LMT", ["lmtPrice": "90000"]), messages: ["5", "3"]),
        Row(name: "cancelOrder", fields: ["4", "1", "77", ""], codes: ["10147"]),
        Row(name: "reqOpenOrders", fields: ["5", "1"], messages: ["53"]),
        Row(name: "reqAccountUpdates", fields: ["6", "2", "1", ""], messages: ["6", "8", "54"]),
        Row(name: "reqExecutions", fields: ["7", "3", "5", "0", "", "", "", "", "", ""], messages: ["55"]),
        Row(name: "reqIds", fields: ["8", "1", "1"], messages: ["9"]),
        Row(name: "reqContractDetails", fields: ["9", "8", "5"] + apple + ["0", "", "", ""], messages: ["10", "52"]),
        Row(name: "reqMktDepth", fields: ["10", "5", "5"] + mbt + ["5", "0", ""], messages: ["12"]),
        Row(name: "cancelMktDepth", fields: ["11", "1", "5", "0"], codes: ["310"]),
        Row(name: "reqNewsBulletins", fields: ["12", "1", "1"], messages: ["14"]),
        Row(name: "reqManagedAccts", fields: ["17", "1"], messages: ["15"]),
        Row(name: "requestFA", fields: ["18", "1", "1"], codes: ["321"]),
        Row(name: "replaceFA", fields: ["19", "1", "1", "<x/>", "5"], codes: ["321"]),
        Row(name: "reqHistoricalData", fields: history, messages: ["17"]),
        Row(
            name: "reqHistoricalData SCHEDULE", fields: ["20", "5"] + mbt + ["0", "", "1 day", "3 D", "1", "SCHEDULE", "1", "0", ""],
            messages: ["106"]),
        Row(
            name: "exerciseOptions", fields: ["21", "2", "5", "265598", "AAPL", "OPT", "", "", "", "", "SMART", "USD", "", "", "1", "1", "", "0"],
            codes: ["322"]),
        Row(
            name: "reqScannerSubscription", fields: ["22", "5", "10", "STK", "STK.US", "TOP_PERC_GAIN"] + Array(repeating: "", count: 19),
            codes: ["162"]),
        Row(name: "cancelScannerSubscription", fields: ["23", "1", "5"], codes: ["365"]),
        Row(name: "reqScannerParameters", fields: ["24", "1"], messages: ["19"]),
        Row(name: "cancelHistoricalData", fields: ["25", "1", "5"], codes: ["366"]),
        Row(name: "reqCurrentTime", fields: ["49", "1"], messages: ["49"]),
        Row(name: "cancelRealTimeBars", fields: ["51", "1", "5"], codes: ["300"]),
        Row(name: "reqFundamentalData", fields: ["52", "2", "5", "0", "AAPL", "STK", "SMART", "", "USD", "", "ReportSnapshot", ""], codes: ["430"]),
        Row(name: "cancelFundamentalData", fields: ["53", "1", "5"], codes: ["300"]),
        Row(name: "calculateImpliedVolatility", fields: ["54", "3", "5"] + apple + ["1.5", "230", ""], codes: ["321"]),
        Row(name: "calculateOptionPrice", fields: ["55", "3", "5"] + apple + ["0.3", "230", ""], codes: ["321"]),
        Row(name: "reqMarketDataType", fields: ["59", "1", "9"], codes: ["321"]),
        Row(name: "reqPositions", fields: ["61", "1"], messages: ["62"]),
        Row(name: "reqAccountSummary", fields: ["62", "1", "5", "All", "NetLiquidation"], messages: ["63", "64"]),
        Row(name: "cancelAccountSummary", fields: ["63", "1", "5"], codes: ["300"]),
        Row(name: "reqPositionsMulti", fields: ["74", "1", "5", "", ""], messages: ["72"]),
        Row(name: "cancelPositionsMulti", fields: ["75", "1", "5"], codes: ["300"]),
        Row(name: "reqAccountUpdatesMulti", fields: ["76", "1", "5", "", "", "0"], messages: ["73", "74"]),
        Row(name: "cancelAccountUpdatesMulti", fields: ["77", "1", "5"], codes: ["300"]),
        Row(name: "reqSecDefOptParams", fields: ["78", "5", "AAPL", "", "STK", "265598"], messages: ["76"]),
        Row(name: "reqSecDefOptParams without a number", fields: ["78", "5", "AAPL", "", "STK", "0"], codes: ["321"]),
        Row(name: "reqSoftDollarTiers", fields: ["79", "5"], messages: ["77"]),
        Row(name: "reqFamilyCodes", fields: ["80", "1"], messages: ["78"]),
        Row(name: "reqMatchingSymbols", fields: ["81", "5", "AAPL"], messages: ["79"]),
        Row(name: "reqMktDepthExchanges", fields: ["82"], messages: ["80"]),
        Row(name: "reqSmartComponents", fields: ["83", "5", "9c0001"], messages: ["82"]),
        Row(name: "reqSmartComponents unknown", fields: ["83", "5", "zz"], codes: ["321"]),
        Row(name: "reqNewsArticle", fields: ["84", "5", "BRFG", "BRFG$1", ""], codes: ["10172"]),
        Row(name: "reqNewsProviders", fields: ["85"], messages: ["85"]),
        Row(name: "reqHistoricalNews", fields: ["86", "5", "265598", "BRFG", "", "", "10", ""], codes: ["10276"]),
        Row(name: "reqHeadTimestamp", fields: ["87", "5"] + mbt + ["0", "0", "TRADES", "2"], messages: ["88"]),
        Row(name: "reqHistogramData", fields: ["88", "5"] + apple + ["0", "1", "3 days"], messages: ["89"]),
        Row(name: "reqMarketRule", fields: ["91", "26"], messages: ["93"]),
        Row(name: "reqMarketRule unknown", fields: ["91", "4711"], codes: ["321"]),
        Row(name: "reqPnL", fields: ["92", "5", "DU1234567", ""], messages: ["94"]),
        Row(name: "cancelPnL", fields: ["93", "5"], codes: ["300"]),
        Row(name: "reqPnLSingle", fields: ["94", "5", "DU1234567", "", "265598"], messages: ["95"]),
        Row(name: "cancelPnLSingle", fields: ["95", "5"], codes: ["300"]),
        Row(
            name: "reqHistoricalTicks", fields: ["96", "5"] + mbt + ["0", "", "20261120 09:00:00 US/Eastern", "100", "TRADES", "0", "0", ""],
            messages: ["98"]),
        Row(name: "reqTickByTickData", fields: ["97", "5"] + mbt + ["BidAsk", "0", "0"], messages: ["99"]),
        Row(name: "cancelTickByTickData", fields: ["98", "5"], codes: ["300"]),
        Row(name: "reqCompletedOrders", fields: ["99", "0"], messages: ["102"]),
        Row(name: "reqWshMetaData", fields: ["100", "5"], codes: ["10279"]),
        Row(name: "cancelWshMetaData", fields: ["101", "5"], codes: ["10280"]),
        Row(name: "reqWshEventData", fields: ["102", "5", "265598", "", "0", "0", "0", "", "", ""], codes: ["10283"]),
        Row(name: "cancelWshEventData", fields: ["103", "5"], codes: ["10284"]),
        Row(name: "reqUserInfo", fields: ["104", "5"], messages: ["107"]),
        Row(name: "reqAllOpenOrders", fields: ["16", "1"], messages: ["53"]),
        Row(name: "reqAutoOpenOrders", fields: ["15", "1", "1"], codes: ["321"]),
        Row(name: "what nobody knows", fields: ["4711", "1"], codes: ["320"]),
    ]
    /// Requests whose answer is that something stops, or happens later; nothing comes back by the protocol itself.
    private static let quiet: Set<String> = ["13", "14", "50", "56", "57", "58", "64", "71", "89", "90"]

    @Test func everyRequestOfTheBookIsAnswered() throws {
        let ids = Set(Self.table.compactMap { $0.fields.first }).subtracting(["4711"])
        let book = Set((1...25).filter { $0 != 0 } + Array(49...59) + Array(61...64) + [71] + Array(74...104)).subtracting([60])
        #expect(ids.union(Self.quiet) == Set(book.map(String.init)), "the table and the book differ")
        for row in Self.table {
            var bench = try GatewayBench()
            bench.start(1)
            _ = bench.hear(1)
            bench.send(1, row.fields)
            let heard = bench.hear(1)
            let messages = Set(heard.map { $0[0] })
            let codes = heard.filter { $0[0] == "4" }.map { $0[3] }
            #expect(messages.isSuperset(of: row.messages) && codes == row.codes, "\(row.name): \(heard.prefix(3))")
            #expect(heard.filter { $0[0] == "4" }.allSatisfy { $0[4].count > 10 }, "\(row.name): in words")
        }
    }

    @Test func requestsOfEveryContractThatIsNoneAreRefusedWith200() throws {
        let none = contract("NOSUCH")
        let requests: [[String]] = [
            ["1", "11", "5"] + none + ["0", "", "0", "0", ""], ["9", "8", "5"] + none + ["0", "", "", ""], ["10", "5", "5"] + none + ["5", "0", ""],
            ["20", "5"] + none + ["0", "", "1 min", "600 S", "0", "TRADES", "2", "0", ""], ["50", "3", "5"] + none + ["5", "TRADES", "0", ""],
            ["87", "5"] + none + ["0", "0", "TRADES", "2"], ["88", "5"] + none + ["0", "1", "3 days"],
            ["96", "5"] + none + ["0", "", "20261120 09:00:00 US/Eastern", "100", "TRADES", "0", "0", ""],
            ["97", "5"] + none + ["BidAsk", "0", "0"], ["54", "3", "5"] + none + ["1.5", "230", ""],
            order(1, "BUY", "1", symbol: "NOSUCH"),
        ]
        for request in requests {
            var bench = try GatewayBench()
            bench.start(1)
            _ = bench.hear(1)
            bench.send(1, request)
            #expect(bench.errors(1) == ["200"], "\(request)")
        }
    }

    @Test func schedulesListTheSessionsOfTheLastTradeDates() throws {
        var bench = try GatewayBench(realHours: true)
        bench.start(1)
        _ = bench.hear(1)
        bench.send(1, ["20", "5"] + contract("AAPL") + ["0", "20261118 23:00:00 US/Eastern", "1 day", "3 D", "1", "SCHEDULE", "1", "0", ""])
        #expect(
            bench.hear(1, "106").first == [
                "106", "5", "20261116-09:30:00", "20261118-16:00:00", "US/Eastern", "3", "20261116-09:30:00", "20261116-16:00:00", "20261116",
                "20261117-09:30:00", "20261117-16:00:00", "20261117", "20261118-09:30:00", "20261118-16:00:00", "20261118",
            ])
        bench.send(1, ["20", "6"] + contract("AAPL") + ["0", "", "1 hour", "3 D", "1", "SCHEDULE", "1", "0", ""])
        #expect(bench.errors(1) == ["321"])
        var old = try GatewayBench(GatewaySettings(maximumVersion: 164))
        old.start(1)
        old.send(1, ["20", "5"] + contract("AAPL") + ["0", "", "1 day", "3 D", "1", "SCHEDULE", "1", "0", ""])
        #expect(old.errors(1) == ["321"])
    }
}
