// Contracts: finding them by the fields a client gave, and describing them.
internal import Values
package import Venues

extension IBKRGateway {
    /// The next contract of a symbol to expire; today's still counts.
    package func frontMonth(_ symbol: String) -> PaperInstrument? {
        alive.filter { $0.isFuture && $0.instrument.symbol == symbol }.min { isSooner($0, $1) }
    }

    private func isSooner(_ a: PaperInstrument, _ b: PaperInstrument) -> Bool {
        guard let first = a.instrument.maturityDate, let second = b.instrument.maturityDate else { return false }
        return first < second
    }
    func isExpired(_ listing: PaperInstrument) -> Bool {
        listing.instrument.maturityDate.map { $0 < listing.tradingHours.zone.local(now).date } ?? false
    }
    var alive: [PaperInstrument] { catalogue.filter { !isExpired($0) } }

    /// The listing under a broker's number.
    func listing(contract number: Int64) -> PaperInstrument? { catalogue.first { $0.instrument.brokerContractID == number } }

    func facts(_ listing: PaperInstrument) -> ContractFacts {
        ContractFacts(listing, underlying: listing.option.flatMap { exchange.listing($0.underlying) })
    }

    /// What matches, soonest expiry first.
    func find(_ contract: WireContract, includeExpired: Bool = false) -> [PaperInstrument] {
        // While IBKR's servers are reset even good contracts are unknown.
        if troubles.isResetting { return [] }
        if contract.conId != 0 { return listing(contract: contract.conId).map { [$0] } ?? [] }
        guard !contract.symbol.isEmpty || !contract.localSymbol.isEmpty else { return [] }
        if contract.secType == "CONTFUT" {
            guard contract.exchange.isEmpty || contract.exchange == "CME" else { return [] }
            return frontMonth(contract.symbol).map { [$0] } ?? []
        }
        return catalogue.filter { matches($0, contract) && (includeExpired || !isExpired($0)) }
    }

    private func matches(_ listing: PaperInstrument, _ contract: WireContract) -> Bool {
        let instrument = listing.instrument
        func agrees(_ given: String, _ own: String) -> Bool { given.isEmpty || given == own }
        guard agrees(contract.symbol, instrument.symbol), agrees(contract.secType, instrument.securityType.rawValue),
            agrees(contract.localSymbol, instrument.localSymbol), agrees(contract.tradingClass, instrument.tradingClass),
            agrees(contract.currency, instrument.currency)
        else { return false }
        // The name of a stock alone means the stock, not a thousand rights on it.
        if listing.option != nil, contract.secType.isEmpty, contract.localSymbol.isEmpty { return false }
        let exchanges = facts(listing).exchanges
        guard contract.exchange.isEmpty || exchanges.contains(contract.exchange),
            contract.primaryExchange.isEmpty || exchanges.contains(contract.primaryExchange)
        else { return false }
        guard let date = instrument.maturityDate else { return true }
        if !contract.multiplier.isEmpty, (try? Quantity(contract.multiplier)) != instrument.multiplier { return false }
        if let option = listing.option, !suits(option, contract) { return false }
        return contract.expiry.isEmpty || date.compact.hasPrefix(contract.expiry) || String(date.compact.prefix(6)) == contract.expiry
    }

    private func suits(_ option: OptionTerms, _ contract: WireContract) -> Bool {
        let strike = Unset.matches(contract.strike) ? nil : try? Price(contract.strike)
        if let strike, strike.raw != 0, strike != option.strike { return false }
        switch contract.right {
        case "", "0", "?": return true
        case "C", "CALL": return option.isCall
        case "P", "PUT": return !option.isCall
        default: return false
        }
    }

    /// The one contract a request means; tells the client with 200 when there is none or several.
    mutating func resolve(_ contract: WireContract, _ id: Int64, _ connection: GatewayConnection, includeExpired: Bool = false) -> PaperInstrument? {
        let found = find(contract, includeExpired: includeExpired)
        if found.count == 1 { return found[0] }
        let text =
            found.isEmpty
            ? "No security definition has been found for the request" : "The contract description specified for \(contract.symbol) is ambiguous."
        error(connection, id, 200, text)
        return nil
    }

    /// The contract as messages name it.
    static func wire(_ listing: PaperInstrument) -> WireListing {
        let instrument = listing.instrument
        return WireListing(
            conId: instrument.brokerContractID, symbol: instrument.symbol, secType: instrument.securityType.rawValue,
            expiry: instrument.maturityDate?.compact ?? "", strike: listing.option?.strike.description ?? "0",
            right: listing.option.map { $0.isCall ? "C" : "P" } ?? "",
            multiplier: instrument.maturityDate == nil ? "" : instrument.multiplier.description, exchange: instrument.exchange,
            currency: instrument.currency, localSymbol: instrument.localSymbol, tradingClass: instrument.tradingClass)
    }
    /// Where it is listed, for messages that want the primary exchange.
    func primaryExchange(_ listing: PaperInstrument) -> String {
        let primary = facts(listing).primary
        return primary.isEmpty ? listing.instrument.exchange : primary
    }

    mutating func tellDetails(
        _ connection: GatewayConnection, _ id: Int, _ contract: WireContract, _ expired: Bool, _ register: String, _ number: String
    ) {
        guard let version = client(connection)?.version else { return }
        var contract = contract
        if !register.isEmpty {
            // Another register's number names a stock; a number that is not in it names nothing.
            contract.symbol = ContractFacts.symbol(register, number) ?? ""
            contract.localSymbol = ""
            if contract.secType.isEmpty { contract.secType = "STK" }
        }
        let found = find(contract, includeExpired: expired)
        guard !found.isEmpty else { return error(connection, Int64(id), 200, "No security definition has been found for the request") }
        for listing in found {
            var details = describe(listing)
            // Where trading ends during the day, the clock stands behind the date; everywhere else the date stands alone.
            if let end = ContractFacts.lastTrade(listing) {
                details.listing.expiry = GatewayText.expiry(end, zone: listing.tradingHours.zone, version: version)
            }
            if contract.secType == "CONTFUT" { details.listing.secType = "CONTFUT" }
            if !contract.exchange.isEmpty { details.listing.exchange = contract.exchange }
            send(connection, GatewayMessages.contractDetails(id: id, details, version: version))
        }
        send(connection, GatewayMessages.contractDetailsEnd(id: id))
    }

    private func describe(_ listing: PaperInstrument) -> GatewayMessages.Details {
        let instrument = listing.instrument
        let facts = facts(listing)
        let today = listing.tradingHours.zone.local(now).date
        let expiry = instrument.maturityDate?.compact ?? ""
        return GatewayMessages.Details(
            listing: Self.wire(listing), marketName: facts.marketName, minTick: instrument.minPriceIncrement.description,
            orderTypes: "DAY,FOK,GTC,GTD,IOC,LMT,MKT,OCA,STP,STPLMT,TRAIL,TRAILLMT,WHATIF", validExchanges: facts.exchanges.joined(separator: ","),
            priceMagnifier: "1", underConId: String(facts.underConId), longName: listing.longName,
            primaryExchange: listing.isFuture ? "" : facts.primary, contractMonth: String(expiry.prefix(6)), industry: facts.industry,
            category: facts.category, subcategory: facts.category, timeZoneId: listing.tradingHours.zone.rawValue,
            tradingHours: Self.hours(listing.tradingHours, from: today), liquidHours: Self.hours(listing.liquidHours, from: today), evRule: "",
            evMultiplier: "0", secIds: facts.secIds, aggGroup: facts.aggGroup, underSymbol: facts.underSymbol, underSecType: facts.underSecType,
            marketRuleIds: facts.marketRules.map(String.init).joined(separator: ","), realExpirationDate: expiry, stockType: facts.stockType,
            minSize: facts.minSize, sizeIncrement: facts.minSize, suggestedSizeIncrement: facts.suggestedSize)
    }

    /// `20261120:1700-20261121:1600;20261122:CLOSED`, six days on.
    private static func hours(_ hours: ExchangeHours, from date: CivilDate) -> String {
        func stamp(_ instant: Instant) -> String {
            let (day, second) = hours.zone.local(instant)
            return "\(day.compact):\(CivilDate.padded(Int(second / 3_600), 2))\(CivilDate.padded(Int(second / 60 % 60), 2))"
        }
        return hours.table(from: date, days: 6).flatMap { day, sessions in
            sessions.isEmpty ? ["\(day.compact):CLOSED"] : sessions.map { "\(stamp($0.open))-\(stamp($0.close))" }
        }.joined(separator: ";")
    }

    /// A search by the beginning of a symbol or any part of a name; rights are found through what they are rights on.
    mutating func tellSamples(_ connection: GatewayConnection, _ id: Int, _ pattern: String) {
        guard let version = client(connection)?.version else { return }
        let wanted = pattern.uppercased()
        var samples: [GatewayMessages.Sample] = []
        for listing in alive
        where listing.option == nil && (names(listing).contains { $0.hasPrefix(wanted) } || listing.longName.uppercased().contains(wanted)) {
            let instrument = listing.instrument
            let type = listing.isFuture ? "IND" : instrument.securityType.rawValue
            guard !wanted.isEmpty, !samples.contains(where: { $0.symbol == instrument.symbol && $0.secType == type }) else { continue }
            let hasOptions = catalogue.contains { $0.option?.underlying == instrument.id }
            samples.append(
                GatewayMessages.Sample(
                    conId: listing.isFuture ? 0 : instrument.brokerContractID, symbol: instrument.symbol, secType: type,
                    primaryExchange: primaryExchange(listing), currency: instrument.currency,
                    derivatives: listing.isFuture ? ["FUT"] : hasOptions ? ["OPT"] : [], description: listing.longName, issuerId: ""))
        }
        send(connection, GatewayMessages.symbolSamples(id: id, samples, version: version))
    }
    private func names(_ listing: PaperInstrument) -> [String] { [listing.instrument.symbol, listing.instrument.localSymbol] }

    mutating func tellRule(_ connection: GatewayConnection, _ id: Int) {
        guard let steps = ContractFacts.rule(id) else {
            return error(connection, -1, 321, "Error validating request.-'b' : cause - Market rule \(id) is unknown")
        }
        send(connection, GatewayMessages.marketRule(id: id, steps))
    }
}
