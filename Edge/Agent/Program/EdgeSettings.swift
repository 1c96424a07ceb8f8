// The edge's settings: one table of keys, and the typed values that a run is made of.
internal import Ledger
package import Platform
package import Trading
package import Values
package import Venues

/// What `edge.yaml`, the environment and flags may say, with the defaults.
package enum EdgeSettings {
    package static let keys: [SettingKey] = [
        SettingKey("name", default: "home", "what this edge is called on its own screens"),
        SettingKey("mode", variables: ["TRADING_MODE"], default: "paper", "paper or live; must fit the account, or nothing is traded"),
        SettingKey("account", variables: ["IB_ACCOUNT"], default: "", "the account to trade; empty takes the only one the gateway names"),
        SettingKey("gateway.host", variables: ["IB_HOST", "IB_GATEWAY_HOST"], default: "127.0.0.1", "where IB Gateway listens"),
        SettingKey("gateway.port", variables: ["IB_PORT", "IB_GATEWAY_PORT"], default: "4002", "its API port: 4002 paper, 4001 live"),
        SettingKey("gateway.client_id", variables: ["IB_CLIENT_ID"], default: "1", "the API client id, 1 to 31; one per edge"),
        SettingKey("gateway.client_ids_spare", default: "", "ids to take when the first stays in use, with commas; each strands the other's orders"),
        SettingKey("gateway.version_max", default: "178", "the highest version of the gateway's protocol to offer, 157 to 178"),
        SettingKey("gateway.data_lines", default: "100", "market data lines of the login: how many instruments may have live prices at a time"),
        SettingKey(
            "gateway.market_data", default: "live",
            "live, frozen, delayed or delayed-frozen: what is shown where live prices are not subscribed; only live ones are traded on"),
        SettingKey("gateway.zone", default: "America/New_York", "the time zone of the gateway's login, for times without a name"),
        SettingKey("futures", default: "MBT@CME", "futures to trade, ROOT@EXCHANGE with commas; the front month is chosen"),
        SettingKey("stocks", default: "", "stocks to trade, SYMBOL@PRIMARY with commas"),
        SettingKey("limits.utilisation", default: "0.8", "the share of available funds that one order may use"),
        SettingKey("limits.quantity_max", default: "100", "the most contracts or shares of one order"),
        SettingKey("limits.notional_max", default: "1000000", "the most notional value of one order"),
        SettingKey(
            "remote_orders", default: "session",
            "session: the cloud may open positions within the limits (paper only); signed: only what a user's key signed; never: close and halt only"),
        SettingKey("bots.breakout.stocks", default: "", "stocks the breakout bot trades, from `stocks`; empty: the bot is off"),
        SettingKey("bots.breakout.notional", default: "5000", "money one entry may use"),
        SettingKey("bots.breakout.entry_offset", default: "0.001", "how far above the last price the buy stop rests, as a ratio"),
        SettingKey("bots.breakout.trail", default: "0.005", "the trailing distance, as a ratio"),
        SettingKey("bots.breakout.cooldown_seconds", default: "60", "how long it stays out after a trade"),
        SettingKey("bots.breakout.entry_seconds", default: "300", "how long an entry rests before it is placed anew"),
        SettingKey(
            "ledger.compact_days", default: "30",
            "entries older than so many days move out of ledger.db into segment files while the edge runs, once the cloud's verified backup has them; "
                + "0: none does"),
        SettingKey("log.level", variables: ["LOG_LEVEL"], default: "info", "debug, info, warning or error"),
    ]
}

/// Who decides over opening orders that come from the cloud.
package enum RemoteOrders: String, Sendable, CaseIterable { case session, signed, never }

/// One contract to trade, as the settings name it.
package struct WantedContract: Hashable, Sendable {
    package var symbol: String
    /// Exchange of a future; primary exchange of a stock.
    package var exchange: String
}

/// The typed settings of a run.
package struct EdgeConfiguration: Sendable {
    package var name: String
    package var mode: TradingMode
    /// Empty: the only account.
    package var account: String
    package var gatewayHost: String
    package var gatewayPort: Int
    package var clientID: Int
    package var spareClientIDs: [Int64]
    package var gatewayVersionMax: Int
    package var gatewayDataLines: Int
    package var gatewayMarketData: MarketDataKind
    package var gatewayZone: String
    package var futures: [WantedContract]
    package var stocks: [WantedContract]
    package var desk: DeskSettings
    /// Entries younger than this stay in the database; 0 for all.
    package var compactDays: Int

    package init(_ settings: Settings) throws(SettingsError) {
        name = try settings.text("name")
        mode = try settings.word("mode", TradingMode.self)
        account = try settings.text("account")
        gatewayHost = try settings.text("gateway.host")
        gatewayPort = try settings.integer("gateway.port", in: 1...65_535)
        clientID = try settings.integer("gateway.client_id", in: 0...31)
        spareClientIDs = try EdgeConfiguration.spareIDs(settings, besides: clientID)
        gatewayVersionMax = try settings.integer("gateway.version_max", in: 157...178)
        gatewayDataLines = try settings.integer("gateway.data_lines", in: 1...10_000)
        gatewayMarketData = try settings.word("gateway.market_data", MarketDataKind.self)
        gatewayZone = try settings.text("gateway.zone")
        futures = try EdgeConfiguration.contracts("futures", settings)
        stocks = try EdgeConfiguration.contracts("stocks", settings)
        guard !futures.isEmpty || !stocks.isEmpty else { throw .missing("futures") }
        let limits = SizingLimits(
            utilisation: Ratio(
                raw: try EdgeConfiguration.decimal("limits.utilisation", settings, scale: 6, in: 1...1_000_000, wanted: "above 0, at most 1")),
            quantityMax: Quantity(raw: try EdgeConfiguration.decimal("limits.quantity_max", settings, scale: 8)),
            notionalMax: Money(raw: try EdgeConfiguration.decimal("limits.notional_max", settings, scale: 8)))
        compactDays = try settings.integer("ledger.compact_days", in: 0...36_500)
        desk = DeskSettings(mode: mode, limits: limits, bots: try EdgeConfiguration.bots(settings, stocks: stocks))
        let remote = try settings.word("remote_orders", RemoteOrders.self)
        // Live money from afar needs a consent at this console, which comes with the access work: until then the edge alone opens.
        desk.acceptsRemoteOpenings = remote != .never && mode == .paper
        desk.wantsSignature = remote == .signed
        desk.listed = Set((futures + stocks).map(\.symbol))
    }

    private static func contracts(_ key: String, _ settings: Settings) throws(SettingsError) -> [WantedContract] {
        var found: [WantedContract] = []
        let text = try settings.text(key)
        for word in text.split(separator: ",") {
            let parts = word.filter { !$0.isWhitespace }.split(separator: "@").map { $0.uppercased() }
            guard parts.count == 2, parts.allSatisfy({ $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") } }) else {
                throw .badValue(
                    key: key, value: text, source: settings.value(key)?.source ?? "", wanted: "SYMBOL@EXCHANGE, with commas between several")
            }
            found.append(WantedContract(symbol: parts[0], exchange: parts[1]))
        }
        return found
    }

    private static func spareIDs(_ settings: Settings, besides first: Int) throws(SettingsError) -> [Int64] {
        let text = try settings.text("gateway.client_ids_spare")
        let ids = text.split(separator: ",").map { Int64($0.filter { !$0.isWhitespace }) ?? -1 }
        guard ids.allSatisfy({ (1...31).contains($0) && $0 != Int64(first) }), Set(ids).count == ids.count else {
            throw .badValue(
                key: "gateway.client_ids_spare", value: text, source: settings.value("gateway.client_ids_spare")?.source ?? "",
                wanted: "different whole numbers of 1 to 31, none of them `gateway.client_id`, with commas")
        }
        return ids
    }

    private static func decimal(
        _ key: String, _ settings: Settings, scale: Int, in range: ClosedRange<Int64> = 1...Int64.max, wanted: String = "a number above 0"
    ) throws(SettingsError) -> Int64 {
        let text = try settings.text(key)
        guard let raw = try? Decimals.parse(text, scale: scale), range.contains(raw) else {
            throw .badValue(key: key, value: text, source: settings.value(key)?.source ?? "", wanted: wanted)
        }
        return raw
    }

    private static func bots(_ settings: Settings, stocks: [WantedContract]) throws(SettingsError) -> [BreakoutSettings] {
        let text = try settings.text("bots.breakout.stocks")
        let symbols = text.split(separator: ",").map { $0.filter { !$0.isWhitespace }.uppercased() }
        guard !symbols.isEmpty else { return [] }
        var instruments: [InstrumentID] = []
        for symbol in symbols {
            guard let stock = stocks.first(where: { $0.symbol == symbol }) else {
                throw .badValue(
                    key: "bots.breakout.stocks", value: text, source: settings.value("bots.breakout.stocks")?.source ?? "",
                    wanted: "symbols that stand in stocks")
            }
            instruments.append(InstrumentID("\(stock.symbol).\(stock.exchange)"))
        }
        return [
            BreakoutSettings(
                name: "breakout", instruments: instruments,
                entryOffset: Ratio(raw: try decimal("bots.breakout.entry_offset", settings, scale: 6)),
                trail: Ratio(raw: try decimal("bots.breakout.trail", settings, scale: 6)),
                notional: Money(raw: try decimal("bots.breakout.notional", settings, scale: 8)),
                cooldown: .seconds(Int64(try settings.integer("bots.breakout.cooldown_seconds", in: 1...86_400))),
                entryLifetime: .seconds(Int64(try settings.integer("bots.breakout.entry_seconds", in: 1...86_400))))
        ]
    }
}
