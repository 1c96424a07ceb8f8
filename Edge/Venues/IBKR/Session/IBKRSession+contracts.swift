// Finding the instruments: contract details of each wish, the front month of each future.
internal import Ledger
internal import Values

extension IBKRSession {
    mutating func askContracts(at now: Instant, into out: inout SessionOutput) {
        contracts.askedOn = today(at: now)
        for index in wishes.indices { ask(index, at: now, into: &out) }
    }

    private mutating func ask(_ index: Int, at now: Instant, into out: inout SessionOutput) {
        var contract = IBContract()
        switch wishes[index] {
        case .future(let symbol, let exchange, let currency):
            contract.symbol = symbol; contract.secType = "FUT"; contract.exchange = exchange; contract.currency = currency
        case .stock(let symbol, let primary, let currency):
            contract.symbol = symbol; contract.secType = "STK"; contract.exchange = "SMART"; contract.primaryExchange = primary
            contract.currency = currency
        }
        let id = takeRequestID()
        requests[id] = Request(kind: .wish(index), deadline: now + settings.limits.request)
        contracts.wishes[index, default: ContractBook.WishState()].found = []
        contracts.wishes[index]?.askAt = nil
        send(.contractDetails(requestId: id, contract), at: now, into: &out)
    }

    /// Asks for a contract that a position or order mentions and nobody wished for.
    mutating func ask(contract conId: Int64, at now: Instant, into out: inout SessionOutput) {
        guard conId != 0, contracts.name(conId) == nil, !contracts.nameless.contains(conId),
            !requests.values.contains(where: { $0.kind == .contract(conId) })
        else { return }
        var contract = IBContract()
        contract.conId = conId
        contract.includeExpired = true
        let id = takeRequestID()
        requests[id] = Request(kind: .contract(conId), deadline: now + settings.limits.request)
        // A picture of the account waits for the name, and trading waits for the picture.
        send(.contractDetails(requestId: id, contract), .order, at: now, into: &out)
    }

    mutating func take(_ details: IBContractDetails, request id: Int64) {
        switch requests[id]?.kind {
        case .wish(let index): contracts.wishes[index, default: ContractBook.WishState()].found.append(details)
        case .contract: if let instrument = instrument(details) { contracts.learn(instrument, hours: hours(details)) }
        default: break
        }
    }

    mutating func endDetails(_ id: Int64, at now: Instant, into out: inout SessionOutput) {
        guard let request = requests.removeValue(forKey: id) else { return }
        switch request.kind {
        case .wish(let index):
            settle(index, at: now, into: &out)
            tellUnnamed(into: &out)
        case .contract(let conId):
            if let name = contracts.name(conId), let instrument = contracts.instrument(name) {
                out.events.append(.instrument(instrument))
            } else {
                contracts.giveUp(conId)
            }
            tellUnnamed(into: &out)
            finishSnapshot(at: now, into: &out)
        default: break
        }
    }

    /// No answer is no refusal: a mentioned contract is asked for once more before it goes without a name.
    mutating func contractLate(_ conId: Int64, at now: Instant, into out: inout SessionOutput) {
        if contracts.countUnanswered(conId) < IBKRSession.contractTriesMax { return ask(contract: conId, at: now, into: &out) }
        contracts.giveUp(conId)
        tellUnnamed(into: &out)
        finishSnapshot(at: now, into: &out)
    }
    private static var contractTriesMax: Int { 2 }

    /// 200 for a wish or a mentioned contract.
    mutating func noContract(_ id: Int64, _ text: String, at now: Instant, into out: inout SessionOutput) {
        guard let request = requests.removeValue(forKey: id) else { return }
        switch request.kind {
        case .wish(let index):
            // The broker's nightly reset denies good contracts too: asked again later, for ever.
            contracts.retry(index, at: now + .minutes(5))
            out.events.append(.noInstrument(symbol: wishes[index].symbol, text: "\(wishes[index].symbol): \(text)"))
        case .contract(let conId):
            contracts.giveUp(conId)
            tellUnnamed(into: &out)
            finishSnapshot(at: now, into: &out)
        default: break
        }
    }

    private mutating func settle(_ index: Int, at now: Instant, into out: inout SessionOutput) {
        let wish = wishes[index]
        let found = contracts.wishes[index]?.found ?? []
        contracts.wishes[index]?.found = []
        let listed = found.compactMap { details in instrument(details).map { ($0, hours(details)) } }
            .sorted { ($0.0.maturityDate?.dayNumber ?? 0, $0.0.id) < ($1.0.maturityDate?.dayNumber ?? 0, $1.0.id) }
        guard !listed.isEmpty else {
            contracts.retry(index, at: now + .minutes(5))
            return out.events.append(.noInstrument(symbol: wish.symbol, text: "\(wish.symbol): the broker lists no such contract."))
        }
        if case .stock = wish, listed.count > 1 {
            contracts.retry(index, at: now + .minutes(5))
            let text = "\(wish.symbol): the broker lists \(listed.count) such contracts; name the primary exchange."
            return out.events.append(.noInstrument(symbol: wish.symbol, text: text))
        }
        for (instrument, hours) in listed {
            contracts.learn(instrument, hours: hours)
            out.events.append(.instrument(instrument))
        }
        if case .future = wish {
            let day = today(at: now)
            if let front = listed.first(where: { ($0.0.maturityDate ?? day) >= day })?.0 { out.events.append(.front(symbol: wish.symbol, front.id)) }
        }
        for (instrument, _) in listed { openIfWanted(instrument.id, at: now, into: &out) }
    }

    /// Asks again what was refused, and everything at the turn of a day.
    mutating func checkContracts(at now: Instant, into out: inout SessionOutput) {
        guard refusal == nil else { return }
        if contracts.askedOn != today(at: now) { return askContracts(at: now, into: &out) }
        for index in wishes.indices where contracts.wishes[index]?.askAt.map({ now >= $0 }) ?? false { ask(index, at: now, into: &out) }
    }

    /// The day at the gateway's login zone, by which contracts expire.
    func today(at now: Instant) -> CivilDate { settings.zones.standard.local(at: now).date }

    private func hours(_ details: IBContractDetails) -> TradingSchedule? {
        guard let zone = settings.zones.zone(details.timeZoneId) else { return nil }
        return TradingSchedule(details.tradingHours, zone: zone)
    }

    /// Our instrument of the broker's details; nil when a figure that orders need is missing.
    private func instrument(_ details: IBContractDetails) -> Instrument? {
        let contract = details.contract
        guard let type = SecurityType(rawValue: contract.secType), let tick = details.minTick, tick.raw > 0, contract.conId != 0 else { return nil }
        let local = contract.localSymbol.isEmpty ? contract.symbol : contract.localSymbol
        let place = type == .stock && !contract.primaryExchange.isEmpty ? contract.primaryExchange : contract.exchange
        let multiplier = contract.multiplier.isEmpty ? Quantity(whole: 1) : try? Quantity(contract.multiplier)
        guard let multiplier, multiplier.raw > 0 else { return nil }
        let step = details.sizeIncrement?.quantity ?? details.minSize?.quantity ?? Quantity(whole: 1)
        return Instrument(
            id: InstrumentID("\(local).\(place)"), symbol: contract.symbol, securityType: type, exchange: contract.exchange,
            currency: contract.currency, localSymbol: local, tradingClass: contract.tradingClass, multiplier: multiplier, minPriceIncrement: tick,
            lotStep: step.raw > 0 ? step : Quantity(whole: 1),
            maturityDate: CivilDate(contract.lastTradeDateOrContractMonth) ?? CivilDate(details.realExpirationDate),
            brokerContractID: contract.conId)
    }
}
