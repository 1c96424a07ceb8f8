// Bars: the stream of each instrument's minutes, what is missing after a time without one, and how fast the past is asked for.
internal import Ledger
internal import Values

extension IBKRSession {
    /// Streams of updated history leave this many of the broker's open requests to all else.
    private static var keptBarsMax: Int { HistoryPacer.openMax - 5 }

    /// Updated history that was refused is tried again after this, and with each new connection and day.
    private static var keepsAgainAfter: Span { .hours(1) }

    mutating func openBars(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard let instrument = contracts.instrument(id), let stream = streams[id] else { return }
        closeBars(id, at: now, into: &out)
        let kept = streams.order.count(where: { streams[$0]?.barsRequest != nil && streams[$0]?.usesFiveSeconds == false })
        let isDenied = stream.keepsAgainAt.map { now < $0 } ?? false
        let usesFiveSeconds = isDenied || kept >= IBKRSession.keptBarsMax
        let request = takeRequestID()
        requests[request] = Request(kind: .bars(id))
        let span = stream.gaps.span(at: now, standard: settings.history)
        var isNewGap = false
        streams.change(id) {
            $0.barsRequest = request; $0.barAt = now; $0.barsRetryAt = nil; $0.usesFiveSeconds = usesFiveSeconds
            if !isDenied { $0.keepsAgainAt = usesFiveSeconds ? now + IBKRSession.keepsAgainAfter : nil }
            isNewGap = $0.gaps.open(at: now, asks: span)
        }
        var query = IBHistoryQuery()
        query.keepUpToDate = !usesFiveSeconds
        // A day's duration is a trading day; seconds are seconds.
        query.duration = stream.gaps.from == nil && span >= .hours(24) ? "1 D" : IBKRSession.seconds(span)
        ask(history: request, instrument, query, at: now, into: &out)
        // Five-second bars that flow go on until updated history has come.
        if usesFiveSeconds, stream.fiveSecondRequest == nil { openFiveSeconds(id, instrument, at: now, into: &out) }
        if isNewGap { tellGap(id, at: now, into: &out) }
        askPage(id, at: now, into: &out)
    }

    private mutating func closeBars(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard let old = streams[id]?.barsRequest else { return }
        streams.change(id) { $0.barsRequest = nil }
        history.end(old)
        guard requests.removeValue(forKey: old) != nil, waitingHistory.removeValue(forKey: old) == nil else { return }
        send(.cancelHistoricalData(requestId: old), at: now, into: &out)
    }

    private mutating func openFiveSeconds(_ id: InstrumentID, _ instrument: Instrument, at now: Instant, into out: inout SessionOutput) {
        let request = takeRequestID()
        requests[request] = Request(kind: .fiveSeconds(id))
        streams.change(id) {
            $0.fiveSecondRequest = request; $0.minute = nil
        }
        send(.realTimeBars(requestId: request, IBContract(instrument), whatToShow: "TRADES", useRTH: false), at: now, into: &out)
    }

    private mutating func closeFiveSeconds(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard let old = streams[id]?.fiveSecondRequest else { return }
        streams.change(id) {
            $0.fiveSecondRequest = nil; $0.minute = nil
        }
        if requests.removeValue(forKey: old) != nil { send(.cancelRealTimeBars(requestId: old), at: now, into: &out) }
    }

    /// Bars from the beginning, as on a new connection: nothing of the old streams is believed, and updated history is tried first.
    mutating func renewBars(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        closeFiveSeconds(id, at: now, into: &out)
        streams.change(id) { $0.keepsAgainAt = nil }
        openBars(id, at: now, into: &out)
    }

    /// Updated history of it is refused: five-second bars take its place at once, and later it is tried again.
    mutating func fallBack(_ id: InstrumentID, retryAt: Instant, at now: Instant) {
        streams.change(id) {
            let isNew = !$0.usesFiveSeconds
            $0.barsRequest = nil
            // Those that still flow need nothing more.
            $0.barsRetryAt = isNew ? ($0.fiveSecondRequest == nil ? now : nil) : retryAt
            if isNew {
                if $0.fiveSecondRequest != nil { $0.gaps.goOn() }
                $0.usesFiveSeconds = true; $0.keepsAgainAt = now + IBKRSession.keepsAgainAfter
            }
        }
    }

    // MARK: What comes

    mutating func take(_ answer: IBHistory, at now: Instant, into out: inout SessionOutput) {
        let kind = requests[answer.requestId]?.kind
        let bars = answer.bars.compactMap { bar($0) }
        switch kind {
        case .bars(let id):
            malformedMessages += answer.bars.count - bars.count
            // The answer is there; from now on it is a stream.
            requests[answer.requestId]?.deadline = nil
            history.answered()
            var fresh: [Bar] = []
            streams.change(id) {
                $0.barAt = now
                fresh = $0.gaps.take(answer: bars)
                // The minute that live bars are making is newer than the answer's picture of it.
                if let minute = $0.minute, !$0.isPart { fresh.removeAll { $0.start == minute.start } }
            }
            if !fresh.isEmpty { out.events.append(.bars(id, fresh, isHistory: true)) }
            guard streams[id]?.usesFiveSeconds == true else { return closeFiveSeconds(id, at: now, into: &out) }
            requests[answer.requestId] = nil
            history.end(answer.requestId)
        case .page(let id, let page):
            malformedMessages += answer.bars.count - bars.count
            requests[answer.requestId] = nil
            history.end(answer.requestId)
            history.answered()
            take(page: page, bars, of: id, at: now, into: &out)
        default: return
        }
    }

    mutating func take(update: IBBar, request: Int64, at now: Instant, into out: inout SessionOutput) {
        guard case .bars(let id)? = requests[request]?.kind else { return }
        guard let bar = bar(update) else { malformedMessages += 1; return }
        streams.change(id) {
            $0.barAt = now; $0.barLosses = 0; $0.barSilences = 0
            $0.gaps.take(live: bar)
        }
        out.events.append(.bars(id, [bar], isHistory: false))
    }

    mutating func take(fiveSeconds wire: IBBar, request: Int64, at now: Instant, into out: inout SessionOutput) {
        guard case .fiveSeconds(let id)? = requests[request]?.kind else { return }
        guard let part = bar(wire) else { malformedMessages += 1; return }
        let start = Timeframe.minute.start(of: part.start)
        var minute = Bar(start: start, open: part.open, high: part.high, low: part.low, close: part.close, volume: part.volume)
        // Only the first minute of a stream can begin before it; such a minute is fetched when it is over.
        var isPart = streams[id]?.minute == nil && part.start > start
        if let earlier = streams[id]?.minute, earlier.start == start {
            isPart = streams[id]?.isPart == true
            minute.open = earlier.open
            minute.high = max(earlier.high, part.high)
            minute.low = min(earlier.low, part.low)
            minute.volume = earlier.volume.adding(part.volume) ?? earlier.volume
        }
        let whole = minute
        streams.change(id) {
            if isPart, $0.minute == nil { _ = $0.gaps.miss(start..<start + .minutes(1), at: now) }
            $0.minute = whole; $0.isPart = isPart; $0.barAt = now; $0.barLosses = 0; $0.barSilences = 0
            $0.gaps.take(live: whole)
        }
        if !isPart { out.events.append(.bars(id, [minute], isHistory: false)) }
    }

    private func bar(_ bar: IBBar) -> Bar? {
        guard let start = WireTime.instant(bar.date, settings.zones), let open = bar.open, let high = bar.high, let low = bar.low,
            let close = bar.close
        else { return nil }
        return Bar(start: start, open: open, high: high, low: low, close: close, volume: bar.volume?.quantity ?? .zero)
    }

    // MARK: What is missing

    /// Asks for the next page of what is missing; one at a time for each instrument.
    mutating func askPage(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard phase == .up, let instrument = contracts.instrument(id), let stream = streams[id], stream.pageRequest == nil,
            stream.pageRetryAt.map({ now >= $0 }) ?? true, let page = stream.gaps.nextPage(at: now)
        else { return }
        let request = takeRequestID()
        requests[request] = Request(kind: .page(id, page))
        streams.change(id) {
            $0.pageRequest = request; $0.pageRetryAt = nil
        }
        var query = IBHistoryQuery()
        query.endDateTime = IBKRSession.universal(page.upperBound)
        query.duration = IBKRSession.seconds(page.upperBound - page.lowerBound)
        ask(history: request, instrument, query, at: now, into: &out)
    }

    private mutating func take(
        page: Range<Instant>, _ bars: [Bar], of id: InstrumentID, at now: Instant, into out: inout SessionOutput
    ) {
        var fresh: [Bar] = []
        streams.change(id) {
            $0.pageRequest = nil
            fresh = $0.gaps.take(page: page, bars)
        }
        if !fresh.isEmpty { out.events.append(.bars(id, fresh, isHistory: true)) }
        guard let gaps = streams[id]?.gaps, gaps.missing.isEmpty, let gap = gaps.gap else { return askPage(id, at: now, into: &out) }
        guard streams[id]?.isToldMissing == true else { return }
        streams.change(id) { $0.isToldMissing = false }
        guard gaps.isHole else { return notice(Notice.missingBars, "", instrument: id, at: now, into: &out) }
        notice(
            Notice.missingBars, "The broker has no minutes of \(id) \(IBKRSession.words(gap)).", instrument: id,
            cure: "Nothing to do: the market was closed, or nothing traded.", at: now, into: &out)
    }

    /// A page was refused, or its answer did not come: tried again, more and more seldom.
    mutating func pageFailed(_ id: InstrumentID, _ text: String, notBefore: Instant? = nil, at now: Instant, into out: inout SessionOutput) {
        var tries = 0
        streams.change(id) {
            tries = $0.gaps.failed(at: now)
            let next = now + BarGaps.pause(after: tries)
            $0.pageRequest = nil; $0.pageRetryAt = max(next, notBefore ?? next)
        }
        guard tries == BarGaps.triesMax, let missing = streams[id]?.gaps.missing, let first = missing.first, let last = missing.last else { return }
        streams.change(id) { $0.isToldMissing = true }
        notice(
            Notice.missingBars,
            "The minutes of \(id) \(IBKRSession.words(first.lowerBound..<last.upperBound)) could not be fetched: \(text)", instrument: id,
            cure: "The chart keeps its gap until the broker serves them; they are asked for again, seldom. Prices and orders do not rest on it.",
            at: now, into: &out)
    }

    /// The gateway kept its streams while it had lost the broker, and they tell nothing of that time.
    mutating func missOutage(_ id: InstrumentID, since lost: Instant, at now: Instant, into out: inout SessionOutput) {
        guard let next = streams[id]?.gaps.next else { return }
        // The gateway needs a while to notice; a market that was quiet before is no part of it.
        let first = max(next, Timeframe.minute.start(of: lost - .minutes(5)))
        let end = Timeframe.minute.start(of: now) + .minutes(1)
        guard first < end, contracts.isOpen(id, within: first..<end) else { return }
        streams.change(id) { _ = $0.gaps.miss(first..<end, at: now) }
        tellGap(id, at: now, into: &out)
        askPage(id, at: now, into: &out)
    }

    private mutating func tellGap(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard let gap = streams[id]?.gaps.gap else { return }
        streams.change(id) { $0.isToldMissing = true }
        notice(
            Notice.missingBars, "Minutes of \(id) are missing \(IBKRSession.words(gap)) and are being fetched.", instrument: id,
            cure: "Nothing to do.", at: now, into: &out)
    }

    // MARK: Pacing

    private mutating func ask(
        history request: Int64, _ instrument: Instrument, _ query: IBHistoryQuery, at now: Instant, into out: inout SessionOutput
    ) {
        let message = IBRequest.historicalData(requestId: request, IBContract(instrument), query)
        let ask = HistoryPacer.Ask(
            contract: instrument.brokerContractID, exchange: instrument.exchange, type: query.whatToShow,
            rest: "\(query.barSize)/\(query.duration)/\(query.endDateTime)/\(query.keepUpToDate)",
            isCounted: HistoryPacer.isCounted(barSize: query.barSize))
        guard history.admit(request, ask, at: now) else {
            waitingHistory[request] = message
            return
        }
        leave(request, message, at: now, into: &out)
    }

    private mutating func leave(_ request: Int64, _ message: IBRequest, at now: Instant, into out: inout SessionOutput) {
        requests[request]?.deadline = now + settings.limits.history
        send(message, at: now, into: &out)
    }

    /// Requests for the past whose turn has come, pages to be tried again, and the streams' own midnight.
    mutating func checkHistory(at now: Instant, into out: inout SessionOutput) {
        for request in history.due(at: now) {
            if let message = waitingHistory.removeValue(forKey: request), requests[request] != nil {
                leave(request, message, at: now, into: &out)
            } else {
                history.end(request)
            }
        }
        for id in streams.order {
            guard let stream = streams[id] else { continue }
            if !stream.gaps.missing.isEmpty, stream.pageRequest == nil { askPage(id, at: now, into: &out) }
            let isDue = stream.keepsAgainAt.map { now >= $0 } ?? false
            if stream.usesFiveSeconds, isDue, stream.barsRetryAt == nil { openBars(id, at: now, into: &out) }
        }
        checkMidnight(at: now, into: &out)
    }

    /// Updated history stops at the midnight of the gateway's login without a word: each stream is made anew shortly after, not all edges at once.
    private mutating func checkMidnight(at now: Instant, into out: inout SessionOutput) {
        let day = today(at: now)
        if let barsDay, barsDay != day { barsRenewAt = now + Span(nanoseconds: Int64.random(in: 0...60_000_000_000, using: &random)) }
        barsDay = day
        guard let at = barsRenewAt, now >= at else { return }
        barsRenewAt = nil
        for id in streams.order {
            streams.change(id) { $0.keepsAgainAt = nil }
            if streams[id]?.barsRequest != nil || streams[id]?.fiveSecondRequest != nil { openBars(id, at: now, into: &out) }
        }
    }

    /// Bars that say nothing while the market is open, whether ticks come or not: asked for anew, by the clock.
    mutating func checkBars(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard let stream = streams[id], let opened = contracts.opened(id, at: now) else { return }
        let isAnswered = stream.barsRequest.map { waitingHistory[$0] == nil && requests[$0]?.deadline == nil } ?? false
        guard isAnswered || stream.fiveSecondRequest != nil else { return }
        // Each fruitless renewal doubles the patience, up to nine minutes: in a quiet market no bar comes either.
        let quiet = Span(nanoseconds: settings.limits.silentStream.nanoseconds << Int64(min(stream.barSilences, 4)))
        guard now - max(stream.barAt, opened) >= quiet + .seconds(60) else { return }
        streams.change(id) { $0.barSilences += 1 }
        closeFiveSeconds(id, at: now, into: &out)
        openBars(id, at: now, into: &out)
    }

    /// 162: pacing, no data, cancelled, or a refusal.
    mutating func refuseHistory(_ error: IBError, at now: Instant, into out: inout SessionOutput) -> Bool {
        let text = error.text.lowercased()
        // Mostly by ourselves, and then it is no longer open.
        if text.contains("query cancelled") {
            loseHistory(error, at: now, into: &out)
            return false
        }
        let isPacing = text.contains("pacing")
        let hasNone = text.contains("no data")
        let retryAt = isPacing ? history.slowDown(at: now) : now + .seconds(300)
        guard case .page(let id, let page)? = requests[error.id]?.kind else {
            guard instrument(ofRequest: error.id) != nil else { return false }
            refuseStream(error, retryAt: retryAt, fallsBack: !isPacing && !hasNone, at: now, into: &out)
            return !hasNone
        }
        requests[error.id] = nil
        history.end(error.id)
        if hasNone {
            take(page: page, [], of: id, at: now, into: &out)
        } else {
            pageFailed(id, error.text, notBefore: isPacing ? retryAt : nil, at: now, into: &out)
        }
        return isPacing
    }

    /// A request for history that the broker knows no more, though nobody took it back.
    mutating func loseHistory(_ error: IBError, at now: Instant, into out: inout SessionOutput) {
        switch requests[error.id]?.kind {
        case .bars, .page: reopen(error, at: now, into: &out)
        default: break
        }
    }

    // MARK: Words

    /// Whole seconds, a minute at least.
    private static func seconds(_ span: Span) -> String { "\(max(60, span.nanoseconds / 1_000_000_000)) S" }
    /// `20261120-14:30:00`, in UTC.
    private static func universal(_ instant: Instant) -> String {
        let text = instant.description
        return text.prefix(10).filter { $0 != "-" } + "-" + text.dropFirst(11).prefix(8)
    }
    private static func words(_ range: Range<Instant>) -> String { "from \(minute(range.lowerBound)) to \(minute(range.upperBound)) UTC" }
    private static func minute(_ instant: Instant) -> String {
        let text = instant.description
        return text.prefix(10) + " " + text.dropFirst(11).prefix(5)
    }
}
