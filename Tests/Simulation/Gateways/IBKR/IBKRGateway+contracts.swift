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
    private func isExpired(_ listing: PaperInstrument) -> Bool {
        listing.instrument.maturityDate.map { $0 < listing.tradingHours.zone.local(now).date } ?? false
    }
    private var alive: [PaperInstrument] { exchange.listings.filter { !isExpired($0) } }

    /// What matches, soonest expiry first.
    func find(_ contract: WireContract, includeExpired: Bool = false) -> [PaperInstrument] {
        let candidates = includeExpired ? exchange.listings : alive
        if contract.conId != 0 { return exchange.listings.filter { $0.instrument.brokerContractID == contract.conId } }
        guard !contract.symbol.isEmpty || !contract.localSymbol.isEmpty else { return [] }
        if contract.secType == "CONTFUT" {
            guard contract.exchange.isEmpty || contract.exchange == "CME" else { return [] }
            return frontMonth(contract.symbol).map { [$0] } ?? []
        }
        return candidates.filter { matches($0, contract) }
    }

    private func matches(_ listing: PaperInstrument, _ contract: WireContract) -> Bool {
        let instrument = listing.instrument
        func agrees(_ given: String, _ own: String) -> Bool { given.isEmpty || given == own }
        let exchanges = listing.isFuture ? ["CME"] : ["SMART", "NASDAQ", "ISLAND"]
        guard agrees(contract.symbol, instrument.symbol), agrees(contract.secType, instrument.securityType.rawValue),
            agrees(contract.localSymbol, instrument.localSymbol), agrees(contract.tradingClass, instrument.tradingClass),
            agrees(contract.currency, instrument.currency), contract.exchange.isEmpty || exchanges.contains(contract.exchange),
            contract.primaryExchange.isEmpty || exchanges.contains(contract.primaryExchange)
        else { return false }
        guard let date = instrument.maturityDate else { return true }
        if !contract.multiplier.isEmpty, (try? Quantity(contract.multiplier)) != instrument.multiplier { return false }
        return contract.expiry.isEmpty || date.compact.hasPrefix(contract.expiry) || String(date.compact.prefix(6)) == contract.expiry
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
            expiry: instrument.maturityDate?.compact ?? "", multiplier: listing.isFuture ? instrument.multiplier.description : "",
            exchange: instrument.exchange, currency: instrument.currency, localSymbol: instrument.localSymbol, tradingClass: instrument.tradingClass)
    }
    /// Where it is listed, for messages that want the primary exchange.
    static func primaryExchange(_ listing: PaperInstrument) -> String { listing.isFuture ? listing.instrument.exchange : "NASDAQ" }

    /// Where a trade is said to have happened.
    static func tradeExchange(_ listing: PaperInstrument) -> String { listing.isFuture ? listing.instrument.exchange : "ISLAND" }

    /// The securities' public numbers (ISO 6166); clients there are that refuse a stock without one.
    private static let isins = ["AAPL": "US0378331005", "MSFT": "US5949181045", "NVDA": "US67066G1040", "TSLA": "US88160R1014"]

    mutating func tellDetails(_ connection: GatewayConnection, _ id: Int, _ contract: WireContract, _ expired: Bool, _ secIdType: String) {
        guard let version = client(connection)?.version else { return }
        // Securities are not listed by ISIN or CUSIP here.
        let found = secIdType.isEmpty ? find(contract, includeExpired: expired) : []
        guard !found.isEmpty else { return error(connection, Int64(id), 200, "No security definition has been found for the request") }
        for listing in found {
            var details = describe(listing)
            if contract.secType == "CONTFUT" { details.listing.secType = "CONTFUT" }
            send(connection, GatewayMessages.contractDetails(id: id, details, version: version))
        }
        send(connection, GatewayMessages.contractDetailsEnd(id: id))
    }

    private func describe(_ listing: PaperInstrument) -> GatewayMessages.Details {
        let instrument = listing.instrument
        let today = listing.tradingHours.zone.local(now).date
        let isFuture = listing.isFuture
        return GatewayMessages.Details(
            listing: Self.wire(listing), marketName: isFuture ? instrument.tradingClass : "NMS", minTick: instrument.minPriceIncrement.description,
            orderTypes: "DAY,FOK,GTC,GTD,IOC,LMT,MKT,OCA,STP,STPLMT,TRAIL,TRAILLMT,WHATIF", validExchanges: isFuture ? "CME" : "SMART,NASDAQ,ISLAND",
            priceMagnifier: "1", underConId: "0", longName: listing.longName, primaryExchange: isFuture ? "" : "NASDAQ",
            contractMonth: isFuture ? String((instrument.maturityDate?.compact ?? "").prefix(6)) : "", industry: isFuture ? "" : "Technology",
            category: isFuture ? "" : "Computers", subcategory: isFuture ? "" : "Computers", timeZoneId: listing.tradingHours.zone.rawValue,
            tradingHours: Self.hours(listing.tradingHours, from: today), liquidHours: Self.hours(listing.liquidHours, from: today), evRule: "",
            evMultiplier: "0", secIds: Self.isins[instrument.symbol].map { [(tag: "ISIN", value: $0)] } ?? [],
            aggGroup: isFuture ? Unset.integer : "1", underSymbol: isFuture ? "BRR" : "",
            underSecType: isFuture ? "IND" : "",
            marketRuleIds: isFuture ? "67" : "26,26,26", realExpirationDate: instrument.maturityDate?.compact ?? "",
            stockType: isFuture ? "" : "COMMON",
            minSize: "1", sizeIncrement: "1", suggestedSizeIncrement: isFuture ? "1" : "100")
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

    mutating func tellSamples(_ connection: GatewayConnection, _ id: Int, _ pattern: String) {
        guard let version = client(connection)?.version else { return }
        let wanted = pattern.uppercased()
        var samples: [GatewayMessages.Sample] = []
        for listing in alive where listing.instrument.symbol.hasPrefix(wanted) || listing.longName.uppercased().contains(wanted) {
            let symbol = listing.instrument.symbol
            guard !wanted.isEmpty, !samples.contains(where: { $0.symbol == symbol }) else { continue }
            samples.append(
                GatewayMessages.Sample(
                    conId: listing.isFuture ? 0 : listing.instrument.brokerContractID, symbol: symbol, secType: listing.isFuture ? "IND" : "STK",
                    primaryExchange: Self.primaryExchange(listing), currency: listing.instrument.currency,
                    derivatives: listing.isFuture ? ["FUT"] : [],
                    description: listing.longName, issuerId: ""))
        }
        send(connection, GatewayMessages.symbolSamples(id: id, samples, version: version))
    }

    mutating func tellRule(_ connection: GatewayConnection, _ id: Int) {
        switch id {
        case 67: send(connection, GatewayMessages.marketRule(id: id, [("0", "5")]))
        case 26: send(connection, GatewayMessages.marketRule(id: id, [("0", "0.01")]))
        default: error(connection, -1, 321, "Error validating request.-'b' : cause - Market rule \(id) is unknown")
        }
    }
}
