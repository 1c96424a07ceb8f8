// Market data: subscriptions, ticks, bars, and streams that fell silent.
internal import Ledger
internal import Values

extension IBKRSession {
    mutating func watch(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard !streams.isWanted(id) else { return }
        guard contracts.instrument(id) != nil else { return streams.await(id) }
        streams.add(id, at: now)
        open(id, at: now, into: &out)
    }

    mutating func openIfWanted(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard streams.awaited.contains(id) else { return }
        streams.add(id, at: now)
        open(id, at: now, into: &out)
    }

    /// After a new connection, or when the broker lost them: everything that is wanted, with new request ids.
    mutating func reopenStreams(at now: Instant, into out: inout SessionOutput) {
        for id in streams.order { open(id, at: now, into: &out) }
    }

    private mutating func open(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard phase == .up, refusal == nil else { return }
        openQuotes(id, at: now, into: &out)
        openBars(id, at: now, into: &out)
    }

    /// Closes what was open, so that a late tick of the old request meets nobody, and asks anew.
    private mutating func openQuotes(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard let instrument = contracts.instrument(id) else { return }
        if let old = streams[id]?.quoteRequest, requests.removeValue(forKey: old) != nil {
            send(.cancelMarketData(requestId: old), at: now, into: &out)
        }
        let request = takeRequestID()
        requests[request] = Request(kind: .quote(id))
        streams.change(id) {
            $0.quoteRequest = request; $0.tickAt = now; $0.quoteRetryAt = nil
        }
        // 233: each trade with its size and time.
        let ask = IBRequest.marketData(
            requestId: request, IBContract(instrument), genericTicks: "233", snapshot: false, regulatorySnapshot: false)
        send(ask, at: now, into: &out)
    }

    private mutating func openBars(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard let instrument = contracts.instrument(id), let stream = streams[id] else { return }
        if let old = stream.barsRequest, requests.removeValue(forKey: old) != nil { send(.cancelHistoricalData(requestId: old), at: now, into: &out) }
        let request = takeRequestID()
        requests[request] = Request(kind: .bars(id), deadline: now + settings.limits.history)
        streams.change(id) {
            $0.barsRequest = request; $0.barAt = now; $0.barsRetryAt = nil
        }
        var query = IBHistoryQuery()
        query.keepUpToDate = !stream.usesFiveSeconds
        query.duration = settings.history >= .hours(24) ? "1 D" : "\(max(60, settings.history.nanoseconds / 1_000_000_000)) S"
        send(.historicalData(requestId: request, IBContract(instrument), query), at: now, into: &out)
        if stream.usesFiveSeconds { openFiveSeconds(id, instrument, at: now, into: &out) }
    }

    private mutating func openFiveSeconds(_ id: InstrumentID, _ instrument: Instrument, at now: Instant, into out: inout SessionOutput) {
        if let old = streams[id]?.fiveSecondRequest, requests.removeValue(forKey: old) != nil {
            send(.cancelRealTimeBars(requestId: old), at: now, into: &out)
        }
        let request = takeRequestID()
        requests[request] = Request(kind: .fiveSeconds(id))
        streams.change(id) {
            $0.fiveSecondRequest = request; $0.minute = nil
        }
        send(.realTimeBars(requestId: request, IBContract(instrument), whatToShow: "TRADES", useRTH: false), at: now, into: &out)
    }

    // MARK: Ticks

    private func quoted(_ request: Int64) -> InstrumentID? { if case .quote(let id)? = requests[request]?.kind { id } else { nil } }

    mutating func take(_ tick: IBTickPrice, at now: Instant, into out: inout SessionOutput) {
        guard let id = quoted(tick.requestId) else { return }
        let price = tick.isNoQuote ? nil : tick.price
        let size = tick.size?.quantity
        let isDelayed = (66...76).contains(tick.type)
        switch tick.type {
        case 1, 66:
            streams.tick(id, at: now) {
                $0.bid = price; $0.bidSize = price == nil ? nil : size ?? $0.bidSize; $0.mark(isDelayed)
            }
        case 2, 67:
            streams.tick(id, at: now) {
                $0.ask = price; $0.askSize = price == nil ? nil : size ?? $0.askSize; $0.mark(isDelayed)
            }
        case 4, 68:
            // Quotes of one read are told once; a traded price is never skipped: who waits for a level must see that it was touched.
            if let price, let untold = streams.untold(id), let last = untold.last, last != price { out.events.append(.quote(id, untold)) }
            streams.tick(id, at: now) {
                $0.last = price ?? $0.last; $0.lastSize = size ?? $0.lastSize; $0.mark(isDelayed)
            }
        case 9, 75:
            streams.tick(id, at: now) {
                $0.close = price ?? $0.close; $0.mark(isDelayed)
            }
        default: break
        }
    }

    mutating func take(size: WireSize?, type: Int64, request: Int64, at now: Instant) {
        guard let id = quoted(request), let size = size?.quantity else { return }
        switch type {
        case 0, 69: streams.tick(id, at: now) { $0.bidSize = size }
        case 3, 70: streams.tick(id, at: now) { $0.askSize = size }
        case 5, 71: streams.tick(id, at: now) { $0.lastSize = size }
        default: break
        }
    }

    /// RTVolume: `price;size;milliseconds;total;average;single`. A part of it may be empty: then it is no trade.
    mutating func take(text: String, type: Int64, request: Int64, at now: Instant, into out: inout SessionOutput) {
        guard type == 48, let id = quoted(request) else { return }
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count >= 3, let price = try? Price(parts[0], rounding: .halfEven), let size = try? Quantity(parts[1], rounding: .halfEven),
            let time = Int64(parts[2]), time > 0, time <= Int64.max / 1_000_000
        else { return }
        streams.tick(id, at: now) {
            $0.last = price; $0.lastSize = size
        }
        out.events.append(.trade(id, price: price, size: size, at: Instant(milliseconds: time)))
    }

    /// 1 live; frozen and delayed data are shown and never traded on.
    mutating func take(dataType: Int64, request: Int64, at now: Instant) {
        guard let id = quoted(request) else { return }
        streams.change(id) { $0.quote.isDelayed = dataType != 1 }
    }

    // MARK: Bars

    mutating func take(_ history: IBHistory, at now: Instant, into out: inout SessionOutput) {
        guard case .bars(let id)? = requests[history.requestId]?.kind else { return }
        // The answer is there; from now on it is a stream.
        requests[history.requestId]?.deadline = nil
        streams.change(id) { $0.barAt = now }
        let bars = history.bars.compactMap { bar($0) }
        malformedMessages += history.bars.count - bars.count
        if !bars.isEmpty { out.events.append(.bars(id, bars, isHistory: true)) }
        if streams[id]?.usesFiveSeconds == true { requests[history.requestId] = nil }
    }

    mutating func take(update: IBBar, request: Int64, at now: Instant, into out: inout SessionOutput) {
        guard case .bars(let id)? = requests[request]?.kind else { return }
        guard let bar = bar(update) else { malformedMessages += 1; return }
        streams.change(id) { $0.barAt = now }
        out.events.append(.bars(id, [bar], isHistory: false))
    }

    mutating func take(fiveSeconds wire: IBBar, request: Int64, at now: Instant, into out: inout SessionOutput) {
        guard case .fiveSeconds(let id)? = requests[request]?.kind else { return }
        guard let part = bar(wire) else { malformedMessages += 1; return }
        let start = Timeframe.minute.start(of: part.start)
        var minute = Bar(start: start, open: part.open, high: part.high, low: part.low, close: part.close, volume: part.volume)
        if let earlier = streams[id]?.minute, earlier.start == start {
            minute.open = earlier.open
            minute.high = max(earlier.high, part.high)
            minute.low = min(earlier.low, part.low)
            minute.volume = earlier.volume.adding(part.volume) ?? earlier.volume
        }
        let whole = minute
        streams.change(id) {
            $0.minute = whole; $0.barAt = now
        }
        out.events.append(.bars(id, [minute], isHistory: false))
    }

    private func bar(_ bar: IBBar) -> Bar? {
        guard let start = WireTime.instant(bar.date, settings.zones), let open = bar.open, let high = bar.high, let low = bar.low,
            let close = bar.close
        else { return nil }
        return Bar(start: start, open: open, high: high, low: low, close: close, volume: bar.volume?.quantity ?? .zero)
    }

    // MARK: What the broker refuses, and silence

    /// The quotes or bars of a request are refused: asked again after a while.
    mutating func refuseStream(_ request: Int64, retryAt: Instant, fallsBack: Bool = false) {
        guard let kind = requests.removeValue(forKey: request)?.kind else { return }
        switch kind {
        case .quote(let id):
            streams.change(id) {
                $0.quoteRequest = nil; $0.quoteRetryAt = retryAt
            }
        case .bars(let id):
            streams.change(id) {
                $0.barsRequest = nil; $0.barsRetryAt = retryAt; $0.usesFiveSeconds = $0.usesFiveSeconds || fallsBack
            }
        case .fiveSeconds(let id):
            streams.change(id) {
                $0.fiveSecondRequest = nil; $0.barsRetryAt = retryAt
            }
        default: requests[request] = Request(kind: kind)
        }
    }

    /// A stream that died without our doing.
    mutating func reopen(_ request: Int64, at now: Instant, into out: inout SessionOutput) {
        switch requests.removeValue(forKey: request)?.kind {
        case .quote(let id): openQuotes(id, at: now, into: &out)
        case .bars(let id), .fiveSeconds(let id): openBars(id, at: now, into: &out)
        default: break
        }
    }

    /// Streams die without a word (after link losses, after the nightly reset): who is silent in trading hours is asked again.
    mutating func checkStreams(at now: Instant, into out: inout SessionOutput) {
        guard isLinkUp, refusal == nil else { return }
        checkKeptData(at: now, into: &out)
        for id in streams.order {
            guard let stream = streams[id] else { continue }
            if let retry = stream.quoteRetryAt, now >= retry { openQuotes(id, at: now, into: &out) }
            if let retry = stream.barsRetryAt, now >= retry { openBars(id, at: now, into: &out) }
            guard contracts.isOpen(id, at: now) else {
                if stream.isToldSilent { tellHeard(id, at: now, into: &out) }
                continue
            }
            // Each fruitless renewal doubles the patience, up to eight minutes: a quiet market is not a dead stream.
            let patience = Span(nanoseconds: settings.limits.silentStream.nanoseconds << Int64(min(stream.silences, 4)))
            if stream.quoteRequest != nil, now - stream.tickAt >= patience {
                streams.change(id) { $0.silences += 1 }
                if stream.silences == 1 { tellSilent(id, since: stream.heardAt, at: now, into: &out) }
                openQuotes(id, at: now, into: &out)
            } else if stream.barsRequest != nil, now - stream.barAt >= patience + .seconds(60), stream.tickAt > stream.barAt {
                // Ticks flow and bars do not.
                openBars(id, at: now, into: &out)
            }
        }
    }

    /// The gateway said that all subscriptions were kept: those that have said nothing since were not.
    private mutating func checkKeptData(at now: Instant, into out: inout SessionOutput) {
        guard let since = dataKeptAt, now - since >= settings.limits.silentStream else { return }
        dataKeptAt = nil
        for id in streams.order {
            guard let stream = streams[id], stream.quoteRequest != nil, stream.tickAt <= since, contracts.isOpen(id, at: now) else { continue }
            open(id, at: now, into: &out)
        }
    }

    private mutating func tellSilent(_ id: InstrumentID, since: Instant, at now: Instant, into out: inout SessionOutput) {
        streams.change(id) { $0.isToldSilent = true }
        notice(
            Notice.silentStream, "No price of \(id) has come for \(words(now - since)) although its market is open. Its stream is asked for again.",
            instrument: id, cure: "If it stays silent, compare with TWS: the market may be halted, or the subscription gone.", at: now, into: &out)
    }
    /// Prices came again, or the market closed.
    mutating func tellHeard(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        streams.change(id) { $0.isToldSilent = false }
        notice(Notice.silentStream, "", instrument: id, at: now, into: &out)
    }
}

extension Quote {
    /// Delayed tick types make a quote delayed whatever was announced.
    fileprivate mutating func mark(_ delayed: Bool) { if delayed { isDelayed = true } }
}
