// The one matching engine of simulation, paper trading and backtest: deterministic from a seed and the time it is told.
package import Values

/// How a simulated exchange is set up.
package struct PaperRules: Sendable {
    package var seed: UInt64
    /// Distance of two market steps; prices, trades and matching happen on this grid of absolute time.
    package var step: Span
    /// Steps of market time in one step: above 1 the prices move as if time ran faster, while all stamps stay true.
    package var speed: Int64
    package var startingCash: Money
    /// What takers pay beyond the book's own prices.
    package var slippage: SlippageRule
    package init(
        seed: UInt64, step: Span = .milliseconds(250), speed: Int64 = 1, startingCash: Money = Money(whole: 1_000_000), slippage: SlippageRule = .none
    ) {
        precondition(step > .zero && speed >= 1, "step and speed must be positive")
        self.seed = seed; self.step = step; self.speed = speed; self.startingCash = startingCash; self.slippage = slippage
    }
}

/// An exchange with one account. `handle` and `advance` answer with what happened, in order; the same calls give the same answers.
package struct PaperExchange: Sendable {
    /// Orders that are over and still remembered for duplicate ids, late cancels and lists; older ones are known by number only.
    package static let finalOrdersMax = 10_000

    package let rules: PaperRules
    package private(set) var now: Instant
    package private(set) var account: PaperAccount
    var log: FillLog
    /// Every remembered order, by id.
    package var orders: [PaperOrder] { ids.compactMap { book[$0] } }
    /// The serial of the last fill.
    package internal(set) var fillSerial: UInt64 = 0

    var markets: [InstrumentID: PaperMarket] = [:]
    let listed: [InstrumentID]
    var book: [PaperOrderID: PaperOrder] = [:]
    /// The keys of `book` in rising order; iteration goes by this list, never by the dictionary.
    var ids: [PaperOrderID] = []
    /// Ids of orders that are not over, in rising order.
    var live: [PaperOrderID] = []
    var highestID = PaperOrderID(.min)
    private var watched: [InstrumentID] = []
    private var lastStep: Int64
    private var nextPriority: UInt64 = 0
    /// What has been taken from each side's levels in the current step, by instrument.
    var taken: [InstrumentID: Taken] = [:]
    /// What the children of an order have filled together, at 10^-8.
    var childrenFilled: [PaperOrderID: Int64] = [:]

    /// - Parameter start: the time before which nothing happens.
    package init(rules: PaperRules, listings: [PaperInstrument], start: Instant) {
        self.rules = rules; now = start
        account = PaperAccount(cash: rules.startingCash)
        log = FillLog(base: account)
        var listed: [InstrumentID] = []
        for listing in listings {
            let id = listing.instrument.id
            precondition(markets[id] == nil, "instrument \(id) listed twice")
            markets[id] = PaperMarket(listing: listing, seed: rules.seed, step: rules.step, speed: rules.speed)
            listed.append(id)
        }
        self.listed = listed
        lastStep = PriceCursor.floorDivide(start.nanoseconds, rules.step.nanoseconds)
    }

    /// The listing of an instrument, nil when unknown.
    package func listing(_ id: InstrumentID) -> PaperInstrument? { markets[id]?.listing }
    /// All listings, in the order given.
    package var listings: [PaperInstrument] { listed.compactMap { markets[$0]?.listing } }
    /// An order by its id, nil when unknown or forgotten.
    package func order(_ id: PaperOrderID) -> PaperOrder? { book[id] }
    /// Orders that are not over, by id.
    package var liveOrders: [PaperOrder] { live.compactMap { book[$0] } }
    /// When the next market step is due: call `advance` then.
    package var nextStep: Instant { Instant(nanoseconds: (lastStep + 1) * rules.step.nanoseconds) }

    /// Moves time on; every step in between is played for instruments with live orders, quotes and trades are told for watched ones.
    /// A time before `now` changes nothing.
    package mutating func advance(to instant: Instant) -> [PaperEvent] {
        guard instant > now else { return [] }
        var events: [PaperEvent] = []
        let target = PriceCursor.floorDivide(instant.nanoseconds, rules.step.nanoseconds)
        while lastStep < target {
            // Without orders only the newest state of the market can matter.
            if live.isEmpty, watched.isEmpty { lastStep = target } else { lastStep += 1 }
            now = max(now, Instant(nanoseconds: lastStep * rules.step.nanoseconds))
            playStep(&events)
        }
        now = instant
        return events
    }

    /// Takes one input at its time; time moves on first.
    package mutating func handle(_ input: PaperInput, at instant: Instant) -> [PaperEvent] {
        var events = advance(to: instant)
        switch input {
        case .place(let ticket): place(ticket, &events)
        case .replace(let ticket): replace(ticket, &events)
        case .cancel(let id): cancel(id, &events)
        case .watch(let id): watch(id, &events)
        case .unwatch(let id): watched.removeAll { $0 == id }
        case .halt(let id): halt(id, true, &events)
        case .resume(let id): halt(id, false, &events)
        case .correct(let serial, let price): correct(serial, to: price, &events)
        }
        forget()
        return events
    }

    private mutating func watch(_ id: InstrumentID, _ events: inout [PaperEvent]) {
        guard let touch = touch(id) else { return }
        if !watched.contains(id) { watched.append(id) }
        events.append(.quote(id, touch, at: now))
    }

    /// Stops trading in an instrument, or lets it go on with the next step; what is armed then is looked at by that step's trade.
    private mutating func halt(_ id: InstrumentID, _ isHalted: Bool, _ events: inout [PaperEvent]) {
        guard markets[id] != nil, markets[id]?.isHalted(at: lastStep) != isHalted else { return }
        if isHalted { markets[id]?.halt(after: lastStep) } else { markets[id]?.resume(after: lastStep) }
        events.append(.halted(id, isHalted, at: now))
    }
    /// True while trading in an instrument is stopped.
    package func isHalted(_ id: InstrumentID) -> Bool { markets[id]?.isHalted(at: lastStep) ?? false }

    private mutating func playStep(_ events: inout [PaperEvent]) {
        taken.removeAll(keepingCapacity: true)
        expire(&events)
        for id in watched {
            guard let listing = listing(id), listing.tradingHours.isOpen(at: now), var market = markets[id] else { continue }
            let touch = market.touch(at: lastStep)
            if touch != market.touch(at: lastStep - 1) { events.append(.quote(id, touch, at: now)) }
            if let trade = market.trade(at: lastStep) { events.append(.trade(id, trade, at: now)) }
            markets[id] = market
        }
        for id in instrumentsWithOrders() { match(id, fresh: true, &events) }
    }

    private func instrumentsWithOrders() -> [InstrumentID] {
        var found: [InstrumentID] = []
        for order in liveOrders where !found.contains(order.ticket.instrument) { found.append(order.ticket.instrument) }
        return found.sorted()
    }

    // MARK: The market now

    /// The touch of the current step; nil when the instrument is unknown.
    package mutating func touch(_ id: InstrumentID) -> PaperTouch? { markets[id]?.touch(at: lastStep) }
    /// Price and size of the newest trade.
    package mutating func last(_ id: InstrumentID) -> (price: Price, size: Quantity)? { markets[id]?.last(at: lastStep) }
    /// The current step's trade, if any.
    mutating func stepTrade(_ id: InstrumentID) -> PaperTrade? { markets[id]?.trade(at: lastStep) }
    /// What an order could take now.
    mutating func takeable(_ id: InstrumentID, by side: Side) -> [(price: Price, size: Quantity)] {
        markets[id]?.takeable(by: side, at: lastStep) ?? []
    }

    /// The `count` bars of `length` that end with the one of `end` (cut at now), oldest first; minutes in which the market was shut have none.
    package mutating func bars(
        _ id: InstrumentID, length: Span, count: Int, end: Instant, source: BarSource = .trades, regularHours: Bool = false
    ) -> [Bar] {
        guard var market = markets[id], length >= .seconds(1), count > 0 else { return [] }
        let hours = regularHours ? market.listing.liquidHours : market.listing.tradingHours
        let frame = Timeframe(seconds: length.nanoseconds / 1_000_000_000)
        let newest = frame.start(of: min(end, now))
        var bars: [Bar] = []
        for back in stride(from: count - 1, through: 0, by: -1) {
            let start = newest - Span(nanoseconds: length.nanoseconds * Int64(back))
            if let bar = market.bar(start: start, length: length, source: source, now: now, hours: hours) { bars.append(bar) }
        }
        markets[id] = market
        return bars
    }

    /// Steps of the market that one bar of this length is made from: what it costs.
    package func stepsPerBar(of length: Span) -> Int64 { max(1, min(length.nanoseconds / rules.step.nanoseconds, PaperMarket.samplesPerBar)) }

    // MARK: State shared by the parts

    mutating func takePriority() -> UInt64 { nextPriority += 1; return nextPriority }

    mutating func store(_ order: PaperOrder) {
        let id = order.ticket.id
        if book.updateValue(order, forKey: id) == nil { Self.insert(id, into: &ids) }
        if order.state.isFinal { live.removeAll { $0 == id } } else if !live.contains(id) { Self.insert(id, into: &live) }
        highestID = max(highestID, id)
        nextPriority = max(nextPriority, order.priority)
    }

    mutating func book(_ fill: PaperFill) throws(PaperRefusal) {
        guard let listing = listing(fill.instrument) else { throw .unknownInstrument }
        try account.apply(fill, in: listing)
        remember(fill)
        fillSerial = max(fillSerial, fill.serial)
        if let parent = book[fill.order]?.ticket.parent { childrenFilled[parent, default: 0] += fill.quantity.raw }
    }

    /// For corrections alone: everything else goes through fills.
    mutating func replaceAccount(_ account: PaperAccount) { self.account = account }

    private mutating func forget() {
        guard ids.count - live.count > Self.finalOrdersMax, let oldest = ids.first(where: { book[$0]?.state.isFinal == true }) else { return }
        book[oldest] = nil
        childrenFilled[oldest] = nil
        ids.removeAll { $0 == oldest }
    }

    private static func insert(_ id: PaperOrderID, into list: inout [PaperOrderID]) {
        if let last = list.last, last > id { list.insert(id, at: list.firstIndex { $0 > id } ?? list.count) } else { list.append(id) }
    }
}

extension PaperExchange {
    /// Puts back an order as it stood when it was last told. For a start from a journal: orders and fills in the order they were told, before any input.
    package mutating func restore(_ order: PaperOrder) { store(order) }

    /// Puts back a fill into the account.
    /// - Throws: `.unknownInstrument` when its instrument is not listed any more.
    package mutating func restore(_ fill: PaperFill) throws(PaperRefusal) { try book(fill) }
}
