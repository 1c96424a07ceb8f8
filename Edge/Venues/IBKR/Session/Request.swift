// What was asked under which request id, and until when an answer is waited for.
internal import Ledger
internal import Values

/// One open request.
struct Request: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Contract details for one of the wishes, by its place.
        case wish(Int)
        /// Contract details of a contract met in a position or order.
        case contract(Int64)
        case quote(InstrumentID)
        case bars(InstrumentID)
        /// Missing minutes, by their starts.
        case page(InstrumentID, Range<Instant>)
        case fiveSeconds(InstrumentID)
        case summary
        case executions(ExecutionRead)
        /// A what-if order; its id is an order id.
        case margin(InstrumentID, Side)
    }
    /// Why executions were asked for.
    enum ExecutionRead: Hashable, Sendable { case snapshot, check }

    var kind: Kind
    /// Nil for streams, whose silence is judged elsewhere.
    var deadline: Instant?
}

extension IBKRSession {
    /// Requests whose answer did not come.
    mutating func checkRequests(at now: Instant, into out: inout SessionOutput) {
        // Nobody can answer while the gateway has lost the broker.
        guard isLinkUp else { return }
        var late: [Int64] = []
        for (id, request) in requests { if let deadline = request.deadline, now >= deadline { late.append(id) } }
        for id in late.sorted() {
            guard let request = requests.removeValue(forKey: id) else { continue }
            switch request.kind {
            case .wish(let index): contracts.retry(index, at: now + settings.limits.request)
            case .contract(let conId): contractLate(conId, at: now, into: &out)
            case .bars(let instrument):
                giveUpHistory(id, at: now, into: &out)
                streams.barsFailed(instrument, retryAt: now + .seconds(60))
            case .page(let instrument, _):
                giveUpHistory(id, at: now, into: &out)
                pageFailed(instrument, "no answer came.", at: now, into: &out)
            case .margin(let id, _): margins[id] = MarginState(askAt: now + .seconds(60))
            case .executions: executionsLate(at: now, into: &out)
            case .quote, .fiveSeconds, .summary: break
            }
        }
    }

    /// The broker still works on it: without a word it would keep one of the few places, and answer when nobody waits any more.
    private mutating func giveUpHistory(_ request: Int64, at now: Instant, into out: inout SessionOutput) {
        history.end(request)
        send(.cancelHistoricalData(requestId: request), at: now, into: &out)
    }

    /// The instrument that an error or a message of a request id is about.
    func instrument(ofRequest id: Int64) -> InstrumentID? {
        switch requests[id]?.kind {
        case .quote(let id), .bars(let id), .page(let id, _), .fiveSeconds(let id), .margin(let id, _): id
        case .wish(let index): InstrumentID(wishes[index].symbol)
        case .contract, .summary, .executions, nil: nil
        }
    }
}
