// Requests for news, bulletins and the calendar of corporate events; and the one that exercises an option.
internal import Values

/// What is asked of the news desk.
package enum NewsRequest: Hashable, Sendable {
    case providers
    case article(requestId: Int64, provider: String, articleId: String)
    /// `providers` joined by `+`; times as `2026-11-20 00:00:00.0`.
    case history(requestId: Int64, conId: Int64, providers: String, start: String, end: String, most: Int64)
    /// `all`: also those of today that came before.
    case bulletins(all: Bool)
    case cancelBulletins
    /// The calendar of corporate events, from server version 161.
    case eventMetaData(requestId: Int64)
    case cancelEventMetaData(requestId: Int64)
    case events(requestId: Int64, IBEventQuery)
    case cancelEvents(requestId: Int64)
}

/// Which corporate events are asked for.
package struct IBEventQuery: Hashable, Sendable {
    /// Nil = no single contract.
    package var conId: Int64?
    /// JSON; this and the three flags from server version 171.
    package var filter = ""
    package var fillsWatchlist = false
    package var fillsPortfolio = false
    package var fillsCompetitors = false
    /// yyyymmdd; these and the limit from server version 173.
    package var start = ""
    package var end = ""
    package var limit: Int64?
    package init() {}
}

/// An option to exercise, or to let lapse.
package struct ExerciseOrder: Hashable, Sendable {
    package var requestId: Int64
    package var contract: IBContract
    /// True exercises, false lets it lapse.
    package var exercises: Bool
    package var quantity: Int64
    package var account = ""
    /// Exercises also what is out of the money.
    package var overrides = false
    package init(requestId: Int64, contract: IBContract, exercises: Bool, quantity: Int64) {
        self.requestId = requestId; self.contract = contract; self.exercises = exercises; self.quantity = quantity
    }
}

extension IBEncoder {
    func write(_ request: NewsRequest, _ w: inout FrameWriter) {
        switch request {
        case .providers: head(85, &w)
        case .article(let id, let provider, let article): head(84, &w); w.integer(id); w.text(provider); w.text(article); w.empty()
        case .history(let id, let conId, let providers, let start, let end, let most):
            head(86, &w); w.integer(id); w.integer(conId); w.text(providers); w.text(start); w.text(end); w.integer(most); w.empty()
        case .bulletins(let all): head(12, 1, &w); w.flag(all)
        case .cancelBulletins: head(13, 1, &w)
        case .eventMetaData(let id): calendar(100, id, &w)
        case .cancelEventMetaData(let id): calendar(101, id, &w)
        case .events(let id, let query): events(id, query, &w)
        case .cancelEvents(let id): calendar(103, id, &w)
        }
    }

    private func calendar(_ message: Int64, _ id: Int64, _ w: inout FrameWriter) {
        needs(IBProtocol.eventCalendar, "calendar of events", &w)
        head(message, &w); w.integer(id)
    }

    private func events(_ id: Int64, _ query: IBEventQuery, _ w: inout FrameWriter) {
        calendar(102, id, &w)
        w.integer(query.conId)
        let (fills, dates) = (query.fillsWatchlist || query.fillsPortfolio || query.fillsCompetitors, query.limit != nil || !query.end.isEmpty)
        if fills || !query.filter.isEmpty { needs(IBProtocol.eventFilters, "filter of events", &w) }
        if dates || !query.start.isEmpty { needs(IBProtocol.eventDates, "dates of events", &w) }
        if version >= IBProtocol.eventFilters {
            w.lines(query.filter); w.flag(query.fillsWatchlist); w.flag(query.fillsPortfolio); w.flag(query.fillsCompetitors)
        }
        if version >= IBProtocol.eventDates { w.text(query.start); w.text(query.end); w.integer(query.limit) }
    }

    /// The contract stands here without its primary exchange.
    func write(_ order: ExerciseOrder, _ w: inout FrameWriter) {
        let contract = order.contract
        head(21, 2, &w); w.integer(order.requestId); w.integer(contract.conId); w.text(contract.symbol); w.text(contract.secType)
        w.text(contract.lastTradeDateOrContractMonth); w.price(contract.strike ?? Price(raw: 0)); w.text(contract.right?.rawValue ?? "")
        w.text(contract.multiplier); w.text(contract.exchange); w.text(contract.currency); w.text(contract.localSymbol)
        w.text(contract.tradingClass); w.integer(Int64(order.exercises ? 1 : 2)); w.integer(order.quantity); w.text(order.account)
        w.flag(order.overrides)
    }
}
