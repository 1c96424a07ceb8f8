// Payload to message: the table of message ids, and the small messages.
internal import Values

/// Reads payloads of one negotiated server version (157...178). Surplus fields are ignored, missing ones skip the message.
package struct IBDecoder: Sendable {
    package let version: Int

    package init(version: Int) {
        precondition(IBProtocol.versions.contains(version), "server version \(version) was not to be accepted")
        self.version = version
    }

    /// The message of one payload.
    package func decode(_ b: RawSpan) throws(FieldFault) -> IBMessage {
        var c = FieldCursor()
        let id = try c.required(b)
        switch id {
        case 1:
            try c.skip(b)
            return .tickPrice(try tickPrice(b, &c))
        case 2:
            try c.skip(b)
            return .tickSize(requestId: try c.required(b), type: try c.required(b), size: try c.size(b))
        case 3: return .orderStatus(try orderStatus(b, &c))
        case 4: return .error(try error(b, &c))
        case 5: return .openOrder(try openOrder(b, &c))
        case 11: return try execution(b, &c)
        case 45:
            try c.skip(b)
            return .tickGeneric(requestId: try c.required(b), type: try c.required(b), value: try c.number(b))
        case 46:
            try c.skip(b)
            return .tickString(requestId: try c.required(b), type: try c.required(b), text: try c.list(b))
        case 59: return .commission(try commission(b, &c))
        case 6, 7, 8, 54, 61, 62, 63, 64: return try account(id, b, &c)
        case 10, 17, 50, 52, 57, 58, 81, 90: return try market(id, b, &c)
        case 9, 15, 49, 53, 55, 100, 101, 102: return try session(id, b, &c)
        case 12, 13, 21, 47, 96...99: return try ticks(id, b, &c)
        case 18, 19, 20, 51, 56, 75, 76, 79, 80, 82, 88, 89, 91, 92, 93, 106: return try research(id, b, &c)
        case 16, 71...74, 77, 78, 94, 95, 103, 107: return try books(id, b, &c)
        case 14, 83...87, 104, 105: return try news(id, b, &c)
        default: return .unknown(id: id)
        }
    }

    private func session(_ id: Int64, _ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        switch id {
        case 9:
            try c.skip(b)
            return .nextValidId(try c.required(b))
        case 15:
            try c.skip(b)
            return .managedAccounts(try c.list(b).split(separator: ",").map(String.init))
        case 49:
            try c.skip(b)
            return .currentTime(try c.required(b))
        case 53: return .openOrderEnd
        case 55:
            try c.skip(b)
            return .executionsEnd(requestId: try c.required(b))
        case 100: return .orderBound(permId: try c.required(b), clientId: try c.required(b), orderId: try c.required(b))
        case 101: return .completedOrder(try completedOrder(b, &c))
        case 102: return .completedOrdersEnd
        default: return .unknown(id: id)
        }
    }

    func tickPrice(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBTickPrice {
        IBTickPrice(requestId: try c.required(b), type: try c.required(b), price: try c.price(b), size: try c.size(b), mask: try c.integer(b) ?? 0)
    }

    private func error(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBError {
        try c.skip(b)
        return IBError(
            id: try c.long(b) ?? -1, code: try c.required(b), text: try c.unescapedText(b),
            rejectJSON: version >= IBProtocol.advancedReject && !c.isAtEnd(b) ? try c.document(b) : "")
    }

    private func orderStatus(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBOrderStatus {
        IBOrderStatus(
            orderId: try c.required(b), status: try c.text(b), filled: try c.size(b), remaining: try c.size(b), avgFillPrice: try c.price(b),
            permId: try c.long(b) ?? 0, parentId: try c.integer(b) ?? 0, lastFillPrice: try c.price(b), clientId: try c.integer(b) ?? 0,
            whyHeld: try c.text(b), mktCapPrice: try c.price(b))
    }

    private func execution(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBMessage {
        let requestId = try c.long(b) ?? -1
        let orderId = try c.integer(b)
        let execution = IBExecution(
            contract: try contract11(b, &c), orderId: orderId, execId: try c.text(b), time: try c.text(b), account: try c.text(b),
            exchange: try c.text(b),
            side: try c.text(b), shares: try c.size(b), price: try c.price(b), permId: try c.long(b) ?? 0, clientId: try c.integer(b) ?? 0,
            liquidation: try c.integer(b) ?? 0, cumQty: try c.size(b), avgPrice: try c.price(b), orderRef: try c.text(b), evRule: try c.text(b),
            evMultiplier: try c.number(b), modelCode: try c.text(b), lastLiquidity: try c.integer(b) ?? 0,
            pendingPriceRevision: version >= IBProtocol.priceRevision ? try c.flag(b) : false)
        return .execution(requestId: requestId, execution)
    }

    private func commission(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBCommission {
        try c.skip(b)
        return IBCommission(
            execId: try c.text(b), commission: try c.money(b), currency: try c.text(b), realizedPnL: try c.money(b), yield: try c.number(b),
            yieldRedemptionDate: try c.integer(b) ?? 0)
    }

    /// The eleven contract fields of most inbound messages.
    func contract11(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBContract {
        var contract = IBContract()
        contract.conId = try c.long(b) ?? 0; contract.symbol = try c.text(b); contract.secType = try c.text(b)
        contract.lastTradeDateOrContractMonth = try c.text(b); contract.strike = try c.price(b); contract.right = OptionRight(wire: try c.text(b))
        contract.multiplier = try c.text(b); contract.exchange = try c.text(b); contract.currency = try c.text(b)
        contract.localSymbol = try c.text(b); contract.tradingClass = try c.text(b)
        return contract
    }
}

/// The server versions at which fields come and go.
package enum IBProtocol {
    /// Offered to the gateway, and accepted from it.
    package static let versions = 157...178
    static let duration = 158, postToAts = 160, eventCalendar = 161, autoCancelParent = 162
    /// One size field stands at the end of contract details: the suggested step.
    static let sizeRule = 163
    /// Three size fields come, the version field and the size multiplier go.
    static let sizeRules = 164
    static let schedule = 165, advancedReject = 166, userInfo = 167, manualOrderTime = 169, atsTerms = 170
    static let eventFilters = 171, eventDates = 173, issuerId = 176
    /// The obsolete profile of advisors goes.
    static let noFaProfile = 177
    static let priceRevision = 178
}
