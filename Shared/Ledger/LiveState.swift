// What is shown but not kept: quotes, the forming bar, account values and states, each with the time it was heard.
package import Values

/// How the broker's gateway is, in a word and in words.
package enum GatewayCondition: String, Hashable, Sendable, CaseIterable {
    case connected, connecting, unreachable, refusing, wedged, brokerLinkDown, wrongAccount, reconciling
}

/// The state of the broker session, with the cure when something is wrong.
package struct GatewayState: Hashable, Sendable {
    package var condition: GatewayCondition
    /// Since when it is so.
    package var since: Instant
    package var text: String
    /// What a person can do about it; empty when there is nothing to do.
    package var cure: String
    package var account: String
    /// True once this connection's reconciliation is done and orders may go out.
    package var isTrading: Bool
    package init(condition: GatewayCondition, since: Instant, text: String, cure: String, account: String, isTrading: Bool) {
        self.condition = condition; self.since = since; self.text = text; self.cure = cure; self.account = account; self.isTrading = isTrading
    }
}

/// The broker's figures for one account.
package struct AccountValues: Hashable, Sendable {
    package var account: String
    package var currency: String
    package var netLiquidation: Money?
    package var availableFunds: Money?
    package var initialMargin: Money?
    package var maintenanceMargin: Money?
    package var asOf: Instant
    package init(account: String, currency: String, asOf: Instant) { self.account = account; self.currency = currency; self.asOf = asOf }
}

/// Margin of one more contract, from the broker's what-if.
package struct ContractMargin: Hashable, Sendable {
    package var initial: Money
    package var maintenance: Money
    package var asOf: Instant
    package init(initial: Money, maintenance: Money, asOf: Instant) { self.initial = initial; self.maintenance = maintenance; self.asOf = asOf }
}

/// What one bot says of itself on one instrument.
package struct BotLive: Hashable, Sendable {
    package var bot: String
    package var instrument: InstrumentID
    package var state: String
    /// Why it trades or does not, in words.
    package var text: String
    package var asOf: Instant
    package init(bot: String, instrument: InstrumentID, state: String, text: String, asOf: Instant) {
        self.bot = bot; self.instrument = instrument; self.state = state; self.text = text; self.asOf = asOf
    }
}

/// A word to the person: a broker's warning or refusal with its cure, by instrument when it concerns one.
package struct Notice: Hashable, Sendable {
    package var code: Int64
    package var instrument: InstrumentID?
    package var text: String
    package var cure: String
    package var asOf: Instant
    /// The edge's own word: a position has lost its protection. The broker's codes start at 100.
    package static let unprotected: Int64 = 1
    /// Minutes of a chart are missing and being fetched, or will stay missing.
    package static let missingBars: Int64 = 2
    /// A stream of prices says nothing in trading hours.
    package static let silentStream: Int64 = 3
    /// The broker's own source of an instrument's data is broken.
    package static let dataFarm: Int64 = 4
    /// The gateway sends messages that cannot be read here.
    package static let gatewayUnreadable: Int64 = 5
    /// Something is wrong with the edge's ledger or the disk under it; in force until taken back.
    package static let ledger: Int64 = 6
    /// True for the edge's own words; an empty text takes one back.
    package var isOwn: Bool { code < 100 }
    package init(code: Int64, instrument: InstrumentID?, text: String, cure: String, asOf: Instant) {
        self.code = code; self.instrument = instrument; self.text = text; self.cure = cure; self.asOf = asOf
    }
}

/// One item of live state; conflated by key, the newest wins.
package enum LiveItem: Hashable, Sendable {
    case quote(InstrumentID, Quote)
    case formingBar(InstrumentID, Bar, asOf: Instant)
    case account(AccountValues)
    case margin(InstrumentID, ContractMargin)
    case gateway(GatewayState)
    case bot(BotLive)
    case notice(Notice)
    /// The front-month contract of a root symbol.
    case front(symbol: String, InstrumentID, asOf: Instant)

    /// Items of one key replace each other.
    package var key: String {
        switch self {
        case .quote(let id, _): "quote/" + id.text
        case .formingBar(let id, _, _): "bar/" + id.text
        case .account(let values): "account/" + values.account
        case .margin(let id, _): "margin/" + id.text
        case .gateway: "gateway"
        case .bot(let bot): "bot/" + bot.bot + "/" + bot.instrument.text
        case .notice(let notice): "notice/\(notice.code)/\(notice.instrument?.text ?? "")"
        case .front(let symbol, _, _): "front/" + symbol
        }
    }
}

extension LiveItem {
    /// The same, heard so much later.
    fileprivate func moved(by step: Span) -> LiveItem {
        switch self {
        case .quote(let id, var quote):
            quote.asOf = quote.asOf + step
            return .quote(id, quote)
        case .formingBar(let id, let bar, let asOf): return .formingBar(id, bar, asOf: asOf + step)
        case .account(var values):
            values.asOf = values.asOf + step
            return .account(values)
        case .margin(let id, var margin):
            margin.asOf = margin.asOf + step
            return .margin(id, margin)
        case .gateway(var state):
            state.since = state.since + step
            return .gateway(state)
        case .bot(var bot):
            bot.asOf = bot.asOf + step
            return .bot(bot)
        case .notice(var notice):
            notice.asOf = notice.asOf + step
            return .notice(notice)
        case .front(let symbol, let id, let asOf): return .front(symbol: symbol, id, asOf: asOf + step)
        }
    }
}

/// The live half of what the screens show.
package struct LiveState: Sendable {
    package private(set) var items: [String: LiveItem] = [:]
    /// No more than this many keys are kept; further ones are refused and counted (each instrument has four).
    package static let keysMax = 4_096
    package private(set) var refused: UInt64 = 0
    package init() {}

    package mutating func apply(_ item: LiveItem) {
        let key = item.key
        guard items[key] != nil || items.count < LiveState.keysMax else { refused += 1; return }
        items[key] = item
    }

    /// The clock that all times are told by was set by `step`: everything stays as old as it is.
    package mutating func clockWasSet(by step: Span) { items = items.mapValues { $0.moved(by: step) } }

    package func quote(_ id: InstrumentID) -> Quote? { if case .quote(_, let quote) = items["quote/\(id)"] { quote } else { nil } }
    package func formingBar(_ id: InstrumentID) -> (bar: Bar, asOf: Instant)? {
        if case .formingBar(_, let bar, let asOf) = items["bar/\(id)"] { (bar, asOf) } else { nil }
    }
    package func margin(_ id: InstrumentID) -> ContractMargin? { if case .margin(_, let margin) = items["margin/\(id)"] { margin } else { nil } }
    package func account(_ account: String) -> AccountValues? { if case .account(let values) = items["account/\(account)"] { values } else { nil } }
    package var gateway: GatewayState? { if case .gateway(let state) = items["gateway"] { state } else { nil } }
    package func front(_ symbol: String) -> InstrumentID? { if case .front(_, let id, _) = items["front/\(symbol)"] { id } else { nil } }
    /// Items of all keys, in key order.
    package var sorted: [LiveItem] { items.sorted { $0.key < $1.key }.map(\.value) }
}
