// Market data: what is watched, by which lines, and streams that fell silent.
internal import Ledger
internal import Values

extension IBKRSession {
    mutating func watch(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard !streams.isWanted(id) else { return }
        guard contracts.instrument(id) != nil else { return streams.await(id) }
        add(id, at: now, into: &out)
    }

    private mutating func add(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        streams.add(id, at: now)
        open(id, at: now, into: &out)
        // Gateways tell of their farms at login, before anything is watched.
        tellFarms(at: now, into: &out)
    }

    mutating func openIfWanted(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard streams.awaited.contains(id) else { return }
        add(id, at: now, into: &out)
    }

    /// After a new connection, or when the broker lost them: everything that is wanted, with new request ids.
    mutating func reopenStreams(at now: Instant, into out: inout SessionOutput) {
        for id in streams.order { open(id, at: now, into: &out) }
    }

    mutating func open(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard phase == .up, refusal == nil else { return }
        openQuotes(id, at: now, into: &out)
        renewBars(id, at: now, into: &out)
    }

    /// Closes what was open, so that a late tick of the old request meets nobody, and asks anew, when there is a line for it.
    mutating func openQuotes(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard let instrument = contracts.instrument(id) else { return }
        closeQuotes(id, at: now, into: &out)
        guard takeLine(for: id, at: now, into: &out) else { return wait(id, at: now, into: &out) }
        let request = takeRequestID()
        requests[request] = Request(kind: .quote(id))
        streams.change(id) {
            $0.quoteRequest = request; $0.tickAt = now; $0.quoteRetryAt = nil; $0.waitsForLine = false
        }
        // 233: each trade with its size and time.
        let ask = IBRequest.marketData(
            requestId: request, IBContract(instrument), genericTicks: "233", snapshot: false, regulatorySnapshot: false)
        send(ask, at: now, into: &out)
    }

    private mutating func closeQuotes(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard let old = streams[id]?.quoteRequest else { return }
        streams.change(id) { $0.quoteRequest = nil }
        if requests.removeValue(forKey: old) != nil { send(.cancelMarketData(requestId: old), at: now, into: &out) }
    }

    // MARK: Lines

    /// True when there is a line for the instrument, if need be that of the least wanted one.
    private mutating func takeLine(for id: InstrumentID, at now: Instant, into out: inout SessionOutput) -> Bool {
        let open = streams.order.filter { $0 != id && streams[$0]?.quoteRequest != nil }
        if open.count < lines.limit { return true }
        guard let least = open.max(by: { rank($0) < rank($1) }), rank(id) < rank(least) else { return false }
        closeQuotes(least, at: now, into: &out)
        wait(least, at: now, into: &out)
        return true
    }
    /// The lower, the more wanted: what has orders first, then what was wanted first.
    private func rank(_ id: InstrumentID) -> (Int, Int) { (hasOrder(id) ? 0 : 1, streams[id]?.place ?? .max) }
    private func hasOrder(_ id: InstrumentID) -> Bool { orders.values.contains { $0.instrument == id && !$0.isOver } }

    private mutating func wait(_ id: InstrumentID, at now: Instant, into out: inout SessionOutput) {
        guard streams[id]?.waitsForLine == false else { return }
        streams.change(id) {
            $0.waitsForLine = true; $0.quoteRetryAt = nil
        }
        notice(
            101, "All market data lines are in use; \(id) waits for one.", instrument: id, cure: NoticeTable.cure(101), at: now, into: &out)
    }

    /// The broker refused one more line: other clients of the login use them too.
    mutating func lineRefused(_ error: IBError, at now: Instant, into out: inout SessionOutput) {
        guard case .quote(let id)? = requests[error.id]?.kind else {
            return refuseStream(error, retryAt: now + .seconds(60), at: now, into: &out)
        }
        requests[error.id] = nil
        streams.change(id) {
            $0.quoteRequest = nil; $0.waitsForLine = true
        }
        lines.refuse(open: streams.order.count(where: { streams[$0]?.quoteRequest != nil }))
        linesGrowAt = now + .seconds(60)
        // In the place of one that is wanted less.
        openQuotes(id, at: now, into: &out)
    }

    /// Lines that became free, or may have.
    private mutating func checkLines(at now: Instant, into out: inout SessionOutput) {
        if let at = linesGrowAt, now >= at {
            lines.grow()
            linesGrowAt = lines.limit < lines.most ? now + .seconds(60) : nil
        }
        for id in streams.order where streams[id]?.waitsForLine == true {
            let open = streams.order.count(where: { streams[$0]?.quoteRequest != nil })
            if open < lines.limit || hasOrder(id) { openQuotes(id, at: now, into: &out) }
        }
    }

    // MARK: What the broker refuses, and silence

    /// The quotes or bars of a request are refused: asked again after a while.
    mutating func refuseStream(
        _ error: IBError, retryAt: Instant, fallsBack: Bool = false, at now: Instant, into out: inout SessionOutput
    ) {
        let request = error.id
        guard let refused = requests.removeValue(forKey: request) else { return }
        switch refused.kind {
        case .quote(let id):
            streams.change(id) {
                $0.quoteRequest = nil; $0.quoteRetryAt = retryAt
            }
        case .bars(let id):
            history.end(request)
            if fallsBack { fallBack(id, retryAt: retryAt, at: now) } else { streams.barsFailed(id, retryAt: retryAt) }
        case .page(let id, _):
            history.end(request)
            pageFailed(id, error.text, notBefore: retryAt, at: now, into: &out)
        case .fiveSeconds(let id):
            streams.change(id) {
                $0.fiveSecondRequest = nil; $0.barsRetryAt = retryAt
            }
        // What is no stream keeps its deadline, by which it is asked again.
        default: requests[request] = refused
        }
    }

    /// A stream that died without our doing.
    mutating func reopen(_ error: IBError, at now: Instant, into out: inout SessionOutput) {
        let request = error.id
        switch requests.removeValue(forKey: request)?.kind {
        case .quote(let id): openQuotes(id, at: now, into: &out)
        case .bars(let id), .fiveSeconds(let id):
            history.end(request)
            let losses = streams[id]?.barLosses ?? 0
            streams.change(id) {
                $0.barLosses = losses + 1
                if $0.fiveSecondRequest == request { $0.fiveSecondRequest = nil }
                // The first time at once; a source that stays away is not asked as fast as it answers.
                if losses > 0 { $0.barsRequest = nil; $0.barsRetryAt = now + .seconds(1 << Int64(min(losses, 6))) }
            }
            if losses == 0 { openBars(id, at: now, into: &out) }
        case .page(let id, _):
            history.end(request)
            pageFailed(id, error.text, at: now, into: &out)
        default: break
        }
    }

    /// Streams die without a word (after link losses, after the nightly reset): who is silent in trading hours is asked again.
    mutating func checkStreams(at now: Instant, into out: inout SessionOutput) {
        guard isLinkUp, refusal == nil else { return }
        checkKeptData(at: now, into: &out)
        checkLines(at: now, into: &out)
        checkHistory(at: now, into: &out)
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
            }
            checkBars(id, at: now, into: &out)
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
