// The account as clients see it: summary, values, portfolio, positions, profit and loss.
internal import Values
internal import Venues

/// One account value.
private struct AccountRow {
    var key: String
    var value: String
    var currency: String
}

extension IBKRGateway {
    /// How often account values are told when nothing was traded.
    private static var accountEvery: Span { .seconds(180) }

    mutating func serveAccount(_ request: GatewayRequest, _ connection: GatewayConnection) -> Bool {
        guard let index = index(of: connection) else { return true }
        switch request {
        case .accountUpdates(let subscribe, let account):
            guard account.isEmpty || isOwn(account) || !subscribe else { return refuseAccount(connection, -1, account) }
            clients[index].wantsAccount = subscribe
            if subscribe { tellAccount(connection, all: true) }
        case .accountSummary(let id, _, let tags): startSummary(connection, id, tags)
        case .cancelAccountSummary(let id): stop(connection, id) { client in client.summaries.removeAll { $0.id == id } }
        case .positions:
            clients[index].wantsPositions = true
            for position in account.positions { tellPosition(connection, position) }
            send(connection, GatewayMessages.positionEnd)
        case .cancelPositions: clients[index].wantsPositions = false
        case .positionsMulti(let id, let account, let model):
            guard account.isEmpty || isOwn(account) else { return refuseAccount(connection, id, account) }
            clients[index].positionsMulti.removeAll { $0.id == id }
            clients[index].positionsMulti.append((id, model))
            for position in self.account.positions { tellPositionMulti(connection, id, model, position) }
            send(connection, GatewayMessages.positionMultiEnd(id: id))
        case .cancelPositionsMulti(let id): stop(connection, id) { client in client.positionsMulti.removeAll { $0.id == id } }
        case .accountUpdatesMulti(let id, let account, let model, let ledger):
            guard account.isEmpty || isOwn(account) else { return refuseAccount(connection, id, account) }
            clients[index].updatesMulti.removeAll { $0.id == id }
            clients[index].updatesMulti.append(AccountStream(id: id, tags: ledger ? Self.ledgerTags : Self.allTags, model: model))
            tellUpdatesMulti(connection, id)
            send(connection, GatewayMessages.accountUpdateMultiEnd(id: id))
        case .cancelAccountUpdatesMulti(let id): stop(connection, id) { client in client.updatesMulti.removeAll { $0.id == id } }
        case .pnl(let id, let account, _):
            guard isOwn(account) else { return refuseAccount(connection, id, account) }
            clients[index].pnls.removeAll { $0 == id }
            clients[index].pnls.append(id)
            tellPnl(connection, id)
        case .cancelPnl(let id): stop(connection, id) { client in client.pnls.removeAll { $0 == id } }
        case .pnlSingle(let id, let account, _, let conId):
            guard isOwn(account) else { return refuseAccount(connection, id, account) }
            clients[index].pnlSingles.removeAll { $0.id == id }
            clients[index].pnlSingles.append((id, conId))
            tellPnlSingle(connection, id, conId)
        case .cancelPnlSingle(let id): stop(connection, id) { client in client.pnlSingles.removeAll { $0.id == id } }
        default: return false
        }
        return true
    }

    /// Ends a stream of account values; 300 when there was none of this id.
    private mutating func stop(_ connection: GatewayConnection, _ id: Int, _ remove: (inout GatewayClient) -> Void) {
        guard let index = index(of: connection) else { return }
        let before = clients[index].accountStreams
        remove(&clients[index])
        if clients[index].accountStreams == before { unknownStream(connection, id) }
    }

    func isOwn(_ account: String) -> Bool { account == settings.account }
    private mutating func refuseAccount(_ connection: GatewayConnection, _ id: Int, _ account: String) -> Bool {
        error(connection, Int64(id), 321, "Error validating request.-'bI' : cause - Invalid account code '\(account)'.")
        return true
    }

    // MARK: On time and on trades

    /// On every whole second.
    mutating func tellAccounts() {
        guard !isLinkLost else { return }
        for index in clients.indices {
            let client = clients[index]
            for id in client.pnls { tellPnl(client.connection, id) }
            for single in client.pnlSingles { tellPnlSingle(client.connection, single.id, single.conId) }
            guard now - client.accountToldAt >= Self.accountEvery else { continue }
            clients[index].accountToldAt = now
            tellSubscribers(client.connection)
        }
    }

    /// A position has changed: everybody who wanted to know is told.
    mutating func positionChanged(_ instrument: InstrumentID) {
        let position = account.position(instrument)
        for client in clients {
            if client.wantsPositions { tellPosition(client.connection, position) }
            for multi in client.positionsMulti { tellPositionMulti(client.connection, multi.id, multi.model, position) }
            tellSubscribers(client.connection)
        }
    }

    private mutating func tellSubscribers(_ connection: GatewayConnection) {
        guard let client = client(connection) else { return }
        if client.wantsAccount { tellAccount(connection, all: false) }
        for summary in client.summaries { tellSummary(connection, summary.id) }
        for multi in client.updatesMulti { tellUpdatesMulti(connection, multi.id) }
    }

    // MARK: Summary and values

    private mutating func startSummary(_ connection: GatewayConnection, _ id: Int, _ tags: String) {
        guard let index = index(of: connection) else { return }
        guard clients[index].summaries.count < 2 || clients[index].summaries.contains(where: { $0.id == id }) else {
            return error(connection, Int64(id), 322, "Error processing request.-'bM' : cause - Maximum number of account summary requests exceeded")
        }
        clients[index].summaries.removeAll { $0.id == id }
        let wanted = tags.split(separator: ",").map { String($0.filter { $0 != " " }) }
        clients[index].summaries.append(AccountStream(id: id, tags: wanted.isEmpty ? Self.allTags : wanted, model: ""))
        tellSummary(connection, id)
        send(connection, GatewayMessages.accountSummaryEnd(id: id))
    }

    private mutating func tellSummary(_ connection: GatewayConnection, _ id: Int) {
        guard let index = index(of: connection), let position = clients[index].summaries.firstIndex(where: { $0.id == id }) else { return }
        for row in rows(clients[index].summaries[position].tags) where clients[index].summaries[position].told[row.key] != row.value {
            clients[index].summaries[position].told[row.key] = row.value
            send(
                connection, GatewayMessages.accountSummary(id: id, account: settings.account, tag: row.key, value: row.value, currency: row.currency))
        }
    }

    private mutating func tellUpdatesMulti(_ connection: GatewayConnection, _ id: Int) {
        guard let index = index(of: connection), let position = clients[index].updatesMulti.firstIndex(where: { $0.id == id }) else { return }
        let model = clients[index].updatesMulti[position].model
        for row in rows(clients[index].updatesMulti[position].tags) where clients[index].updatesMulti[position].told[row.key] != row.value {
            clients[index].updatesMulti[position].told[row.key] = row.value
            send(
                connection,
                GatewayMessages.accountUpdateMulti(
                    id: id, account: settings.account, model: model, key: row.key, value: row.value, currency: row.currency))
        }
    }

    private mutating func tellAccount(_ connection: GatewayConnection, all: Bool) {
        for row in rows(Self.allTags) + [
            AccountRow(key: "AccountReady", value: "true", currency: ""), AccountRow(key: "Currency", value: "USD", currency: "USD"),
        ] {
            send(connection, GatewayMessages.accountValue(row.key, row.value, row.currency, account: settings.account))
        }
        for position in account.positions { tellPortfolio(connection, position) }
        send(connection, GatewayMessages.accountUpdateTime(GatewayText.minute(now, zone: settings.zone)))
        if all { send(connection, GatewayMessages.accountDownloadEnd(settings.account)) }
        if let index = index(of: connection) { clients[index].accountToldAt = now }
    }

    private static var allTags: [String] {
        [
            "AccountType", "Cushion", "DayTradesRemaining", "DayTradesRemainingT+1", "DayTradesRemainingT+2", "DayTradesRemainingT+3",
            "DayTradesRemainingT+4", "LookAheadNextChange", "HighestSeverity", "Leverage",
            "AccruedCash",
            "AvailableFunds", "BuyingPower", "EquityWithLoanValue", "ExcessLiquidity", "FullAvailableFunds", "FullExcessLiquidity",
            "FullInitMarginReq",
            "FullMaintMarginReq", "GrossPositionValue", "InitMarginReq", "LookAheadAvailableFunds", "LookAheadExcessLiquidity",
            "LookAheadInitMarginReq",
            "LookAheadMaintMarginReq", "MaintMarginReq", "NetLiquidation", "PreviousDayEquityWithLoanValue", "PreviousEquityWithLoanValue",
            "RegTEquity",
            "RegTMargin", "SMA", "SettledCash", "TotalCashValue",
        ] + ledgerTags
    }
    private static var ledgerTags: [String] {
        ["CashBalance", "TotalCashBalance", "RealizedPnL", "UnrealizedPnL", "NetLiquidationByCurrency", "ExchangeRate"]
    }

    /// The value of every known tag that is asked for, in the order asked; `$LEDGER` stands for the ledger's tags.
    private mutating func rows(_ tags: [String]) -> [AccountRow] {
        let b = exchange.balance(of: account)
        var rows: [AccountRow] = []
        for tag in tags {
            if tag.hasPrefix("$LEDGER") { rows += Self.ledgerTags.compactMap { row($0, b) } } else if let row = row(tag, b) { rows.append(row) }
        }
        return rows
    }

    private func row(_ tag: String, _ b: PaperBalance) -> AccountRow? {
        func plain(_ text: String) -> AccountRow { AccountRow(key: tag, value: text, currency: "") }
        func dollars(_ money: Money) -> AccountRow { AccountRow(key: tag, value: GatewayText.amount(money), currency: "USD") }
        switch tag {
        case "AccountType": return plain("INDIVIDUAL")
        case "Cushion": return plain(GatewayText.quotient(b.excessLiquidity, b.netLiquidation))
        case "DayTradesRemaining", "DayTradesRemainingT+1", "DayTradesRemainingT+2", "DayTradesRemainingT+3", "DayTradesRemainingT+4":
            // No limit: the account is above 25,000 dollars.
            return plain("-1")
        case "LookAheadNextChange", "HighestSeverity": return plain("0")
        case "Leverage": return plain(GatewayText.quotient(b.grossValue, b.netLiquidation))
        case "AccruedCash": return dollars(.zero)
        case "AvailableFunds", "FullAvailableFunds", "LookAheadAvailableFunds": return dollars(b.availableFunds)
        // A margin account may hold four times its free funds in stocks within a day.
        case "BuyingPower": return dollars(Money(raw: max(b.availableFunds.raw, 0) * 4))
        case "ExcessLiquidity", "FullExcessLiquidity", "LookAheadExcessLiquidity", "SMA": return dollars(b.excessLiquidity)
        case "InitMarginReq", "FullInitMarginReq", "LookAheadInitMarginReq": return dollars(b.initialMargin)
        case "MaintMarginReq", "FullMaintMarginReq", "LookAheadMaintMarginReq": return dollars(b.maintenanceMargin)
        case "RegTMargin": return dollars(Money(raw: b.grossValue.raw / 2))
        case "GrossPositionValue": return dollars(b.grossValue)
        case "NetLiquidation", "EquityWithLoanValue", "RegTEquity", "NetLiquidationByCurrency": return dollars(b.netLiquidation)
        case "PreviousEquityWithLoanValue", "PreviousDayEquityWithLoanValue": return dollars(dayStart.net)
        case "TotalCashValue", "SettledCash", "CashBalance", "TotalCashBalance": return dollars(b.cash)
        case "RealizedPnL": return dollars(b.realised)
        case "UnrealizedPnL": return dollars(b.unrealised)
        case "ExchangeRate": return AccountRow(key: tag, value: "1.00", currency: "USD")
        default: return nil
        }
    }

    // MARK: Positions

    /// Cost of one contract in money: average price times multiplier, as IBKR writes it.
    private func averageCost(_ position: PaperPosition, _ listing: PaperInstrument) -> String {
        guard let price = position.averagePrice else { return "0.0" }
        return Money.value(price, Quantity(whole: 1), multiplier: listing.instrument.multiplier).map { $0.description } ?? "0.0"
    }

    private mutating func tellPosition(_ connection: GatewayConnection, _ position: PaperPosition) {
        guard let listing = exchange.listing(position.instrument) else { return }
        let wire = listing.isFuture ? Self.wire(listing).with(exchange: "") : Self.wire(listing)
        send(
            connection,
            GatewayMessages.position(
                wire, account: settings.account, size: position.quantity.description, averageCost: averageCost(position, listing)))
    }

    private mutating func tellPositionMulti(_ connection: GatewayConnection, _ id: Int, _ model: String, _ position: PaperPosition) {
        guard let listing = exchange.listing(position.instrument) else { return }
        let fields = GatewayMessages.positionMulti(
            id: id, Self.wire(listing), account: settings.account, size: position.quantity.description, averageCost: averageCost(position, listing),
            model: model)
        send(connection, fields)
    }

    private mutating func tellPortfolio(_ connection: GatewayConnection, _ position: PaperPosition) {
        guard let listing = exchange.listing(position.instrument), let price = exchange.mark(position.instrument),
            let value = PaperAccount.marketValue(position, at: price, in: listing),
            let open = PaperAccount.unrealised(position, at: price, in: listing)
        else { return }
        let item = GatewayMessages.Portfolio(
            listing: Self.wire(listing).with(exchange: primaryExchange(listing), right: listing.option == nil ? "0" : nil),
            position: position.quantity.description,
            marketPrice: price.description, marketValue: GatewayText.amount(value), averageCost: averageCost(position, listing),
            unrealised: GatewayText.amount(open), realised: GatewayText.amount(Money(raw: position.realised.raw - position.commissions.raw)))
        send(connection, GatewayMessages.portfolioValue(item, account: settings.account))
    }

    private mutating func tellPnl(_ connection: GatewayConnection, _ id: Int) {
        let b = exchange.balance(of: account)
        let daily = Money(raw: b.netLiquidation.raw - dayStart.net.raw)
        send(
            connection,
            GatewayMessages.pnl(
                id: id, daily: GatewayText.amount(daily), unrealised: GatewayText.amount(b.unrealised), realised: GatewayText.amount(b.realised)))
    }

    private mutating func tellPnlSingle(_ connection: GatewayConnection, _ id: Int, _ conId: Int64) {
        guard let listing = listing(contract: conId) else {
            return send(
                connection, GatewayMessages.pnlSingle(id: id, position: "0", daily: "0", unrealised: Unset.double, realised: Unset.double, value: "0")
            )
        }
        let position = account.position(listing.instrument.id)
        guard let price = exchange.mark(listing.instrument.id), let value = PaperAccount.marketValue(position, at: price, in: listing),
            let open = PaperAccount.unrealised(position, at: price, in: listing)
        else { return }
        let realised = Money(raw: position.realised.raw - position.commissions.raw)
        let fields = GatewayMessages.pnlSingle(
            id: id, position: position.quantity.description, daily: GatewayText.amount(Money(raw: open.raw + realised.raw)),
            unrealised: GatewayText.amount(open), realised: GatewayText.amount(realised), value: GatewayText.amount(value))
        send(connection, fields)
    }
}
