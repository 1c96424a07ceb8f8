// What descriptions of a contract say beyond its own fields: one row a class of instrument.
internal import Values
internal import Venues

/// Facts by class of instrument, as contract details tell them.
struct ContractFacts: Sendable {
    /// Where orders may be routed, in the order told; the first is the contract's own.
    var exchanges: [String]
    /// Where it is listed, for messages that want the primary exchange.
    var primary: String
    /// Where a trade is said to have happened.
    var tradePlace: String
    var marketName: String
    var industry = ""
    var category = ""
    var aggGroup = Unset.integer
    var underConId: Int64 = 0
    var underSymbol = ""
    var underSecType = ""
    /// One rule for each exchange.
    var marketRules: [Int]
    var stockType = ""
    var minSize = "1"
    var suggestedSize = "1"
    /// The map of exchanges that quotes name; empty when there is none.
    var components = ""
    /// 1 to 4, what snapshots an account may have.
    var snapshots = 4
    var secIds: [(tag: String, value: String)] = []

    init(_ listing: PaperInstrument, underlying: PaperInstrument?) {
        let instrument = listing.instrument
        switch instrument.securityType {
        case .future:
            (exchanges, primary, tradePlace, marketName) = (["CME"], "CME", "CME", instrument.tradingClass)
            (underSymbol, underSecType, marketRules) = ("BRR", "IND", [67])
        case .option:
            (exchanges, primary, tradePlace) = (["SMART", "AMEX", "CBOE", "ISE", "PHLX"], "", "CBOE")
            marketName = instrument.tradingClass
            (underConId, underSymbol) = (underlying?.instrument.brokerContractID ?? 0, instrument.symbol)
            (underSecType, marketRules, aggGroup) = ("STK", [32, 109, 109, 109, 109], "2")
            components = Self.stockComponents
        case .currency:
            (exchanges, primary, tradePlace, marketName) = (["IDEALPRO"], "", "IDEALPRO", instrument.localSymbol)
            (marketRules, aggGroup) = ([239], "4")
        case .crypto:
            (exchanges, primary, tradePlace, marketName) = (["PAXOS"], "", "PAXOS", instrument.symbol)
            marketRules = [instrument.symbol == "BTC" ? 1_968 : 26]
            (minSize, suggestedSize) = ("0.00000001", "0.00000001")
        default:
            (exchanges, primary, tradePlace, marketName) = (["SMART", "NASDAQ", "ISLAND"], "NASDAQ", "ISLAND", "NMS")
            (industry, category, aggGroup) = ("Technology", "Computers", "1")
            (marketRules, stockType, suggestedSize, components, snapshots) = ([26, 26, 26], "COMMON", "100", Self.stockComponents, 3)
            if let isin = Self.isins[instrument.symbol] { secIds = [(tag: "ISIN", value: isin)] }
        }
    }

    /// The map of exchanges that quotes of US stocks name.
    static let stockComponents = "9c0001"
    private static let isins = ["AAPL": "US0378331005", "MSFT": "US5949181045", "NVDA": "US67066G1040", "TSLA": "US88160R1014"]
    /// The symbol of a stock by a number of another register; nil when it names none of ours.
    static func symbol(_ register: String, _ number: String) -> String? {
        switch register {
        case "ISIN": isins.sorted { $0.key < $1.key }.first { $0.value == number }?.key
        // The American register's number stands inside the international one.
        case "CUSIP": isins.sorted { $0.key < $1.key }.first { $0.value.dropFirst(2).dropLast() == number }?.key
        default: nil
        }
    }

    /// When a future on a coin is priced for the last time: at four in London, which has summer time from the last Sunday of March to that of
    /// October. Nil for what is no future.
    static func lastTrade(_ listing: PaperInstrument) -> Instant? {
        guard listing.isFuture, let date = listing.instrument.maturityDate else { return nil }
        let isBehindLastSunday = date.adding(days: 7 - date.weekday).month != date.month
        let isSummer = (4...9).contains(date.month) || date.month == 3 && isBehindLastSunday || date.month == 10 && !isBehindLastSunday
        return date.startUTC + .hours(isSummer ? 15 : 16)
    }

    /// The price steps of a market rule; nil for an unknown one.
    static func rule(_ id: Int) -> [(lowEdge: String, increment: String)]? {
        switch id {
        case 67: [("0", "5")]
        case 26, 32, 109: [("0", "0.01")]
        case 239: [("0", "0.00005")]
        case 1_968: [("0", "0.25")]
        default: nil
        }
    }
}
