// openOrder and completedOrder: the long walks, field by field, with their conditional blocks.
internal import Values

extension IBDecoder {
    func openOrder(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBOpenOrder {
        var o = IBOpenOrder()
        o.order.orderId = try c.required(b)
        o.contract = try contract11(b, &c)
        try head(b, &c, &o.order)
        o.order.clientId = try c.integer(b) ?? 0
        try body(b, &c, &o.order, skipsAllocation: true)
        o.order.auctionStrategy = try c.integer(b) ?? 0
        try reference(b, &c, &o.order)
        o.order.displaySize = try c.integer(b); o.order.blockOrder = try c.flag(b); o.order.sweepToFill = try c.flag(b)
        o.order.allOrNone = try c.flag(b); o.order.minQty = try c.integer(b); o.order.ocaType = try c.integer(b) ?? 0
        // eTradeOnly, firmQuoteOnly, nbboPriceCap: obsolete.
        try c.skip(b, 3)
        o.order.parentId = try c.integer(b) ?? 0; o.order.triggerMethod = try c.integer(b) ?? 0
        try volatility(b, &c, &o.order, isCompleted: false)
        try trailing(b, &c, &o.order)
        o.order.basisPoints = try c.number(b); o.order.basisPointsType = try c.integer(b)
        try combo(b, &c, &o)
        try scaleAndHedge(b, &c, &o.order)
        o.order.optOutSmartRouting = try c.flag(b)
        try clearingAndAlgo(b, &c, &o)
        o.order.solicited = try c.flag(b); o.order.whatIf = try c.flag(b)
        o.state = try state(b, &c)
        try randomAndConditions(b, &c, &o.order)
        try adjusted(b, &c, &o.order)
        o.order.softDollarTier.name = try c.text(b); o.order.softDollarTier.value = try c.text(b); o.order.softDollarTier.displayName = try c.text(b)
        o.order.cashQty = try c.money(b); o.order.dontUseAutoPriceForHedge = try c.flag(b); o.order.isOmsContainer = try c.flag(b)
        o.order.discretionaryUpToLimitPrice = try c.flag(b); o.order.usePriceMgmtAlgo = try c.optionalFlag(b)
        if version >= IBProtocol.duration { o.order.duration = try c.integer(b) }
        if version >= IBProtocol.postToAts { o.order.postToAts = try c.integer(b) }
        if version >= IBProtocol.autoCancelParent { o.order.autoCancelParent = try c.flag(b) }
        if version >= IBProtocol.atsTerms { o.order.ats = try ats(b, &c) }
        return o
    }

    func completedOrder(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBOpenOrder {
        var o = IBOpenOrder()
        o.contract = try contract11(b, &c)
        try head(b, &c, &o.order)
        try body(b, &c, &o.order, skipsAllocation: false)
        try reference(b, &c, &o.order)
        o.order.displaySize = try c.integer(b); o.order.sweepToFill = try c.flag(b); o.order.allOrNone = try c.flag(b)
        o.order.minQty = try c.integer(b); o.order.ocaType = try c.integer(b) ?? 0; o.order.triggerMethod = try c.integer(b) ?? 0
        try volatility(b, &c, &o.order, isCompleted: true)
        try trailing(b, &c, &o.order)
        try combo(b, &c, &o)
        try scaleAndHedge(b, &c, &o.order)
        try clearingAndAlgo(b, &c, &o)
        o.order.solicited = try c.flag(b)
        o.state.status = try c.text(b)
        try randomAndConditions(b, &c, &o.order)
        try secondTrailStop(b, &c, &o.order)
        o.order.lmtPriceOffset = try c.price(b); o.order.cashQty = try c.money(b); o.order.dontUseAutoPriceForHedge = try c.flag(b)
        o.order.isOmsContainer = try c.flag(b); o.order.autoCancelDate = try c.text(b); o.order.filledQuantity = try c.size(b)
        o.order.refFuturesConId = try c.integer(b); o.order.autoCancelParent = try c.flag(b); o.order.shareholder = try c.unescapedText(b)
        o.order.imbalanceOnly = try c.flag(b); o.order.routeMarketableToBbo = try c.flag(b); o.order.parentPermId = try c.long(b)
        o.state.completedTime = try c.text(b); o.state.completedStatus = try c.unescapedText(b)
        if version >= IBProtocol.atsTerms { o.order.ats = try ats(b, &c) }
        return o
    }

    /// action ... orderRef.
    private func head(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOrder) throws(FieldFault) {
        o.action = try c.text(b); o.totalQuantity = try c.size(b); o.orderType = try c.text(b); o.lmtPrice = try c.price(b)
        o.auxPrice = try c.price(b)
        o.tif = try c.text(b); o.ocaGroup = try c.text(b); o.account = try c.text(b); o.openClose = try c.text(b); o.origin = try c.integer(b) ?? 0
        o.orderRef = try c.text(b)
    }

    /// permId ... exemptCode.
    private func body(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOrder, skipsAllocation: Bool) throws(FieldFault) {
        o.permId = try c.long(b) ?? 0; o.outsideRth = try c.flag(b); o.hidden = try c.flag(b); o.discretionaryAmt = try c.price(b)
        o.goodAfterTime = try c.text(b)
        if skipsAllocation { try c.skip(b) }
        o.faGroup = try c.text(b); o.faMethod = try c.text(b); o.faPercentage = try c.text(b)
        if version < IBProtocol.noFaProfile { try c.skip(b) }
        o.modelCode = try c.text(b); o.goodTillDate = try c.text(b); o.rule80A = try c.text(b); o.percentOffset = try c.number(b)
        o.settlingFirm = try c.text(b); o.shortSaleSlot = try c.integer(b) ?? 0; o.designatedLocation = try c.text(b)
        o.exemptCode = try c.integer(b) ?? -1
    }

    /// startingPrice ... stockRangeUpper.
    private func reference(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOrder) throws(FieldFault) {
        o.startingPrice = try c.price(b); o.stockRefPrice = try c.price(b); o.delta = try c.number(b)
        o.stockRangeLower = try c.price(b); o.stockRangeUpper = try c.price(b)
    }

    /// volatility ... referencePriceType; the block inside is there when its order type is not empty, `None` included.
    private func volatility(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOrder, isCompleted: Bool) throws(FieldFault) {
        o.volatility = try c.number(b); o.volatilityType = try c.integer(b)
        o.deltaNeutral.orderType = try c.text(b); o.deltaNeutral.auxPrice = try c.price(b)
        if !o.deltaNeutral.orderType.isEmpty {
            o.deltaNeutral.conId = try c.long(b) ?? 0
            if !isCompleted {
                o.deltaNeutral.settlingFirm = try c.text(b); o.deltaNeutral.clearingAccount = try c.text(b)
                o.deltaNeutral.clearingIntent = try c.text(b); o.deltaNeutral.openClose = try c.text(b)
            }
            o.deltaNeutral.shortSale = try c.flag(b); o.deltaNeutral.shortSaleSlot = try c.integer(b) ?? 0
            o.deltaNeutral.designatedLocation = try c.text(b)
        }
        o.continuousUpdate = try c.flag(b); o.referencePriceType = try c.integer(b)
    }

    private func trailing(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOrder) throws(FieldFault) {
        o.trailStopPrice = try c.price(b); o.trailingPercent = try c.number(b)
    }

    /// The level is told twice; an unset second one does not wipe out the first.
    private func secondTrailStop(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOrder) throws(FieldFault) {
        if let price = try c.price(b) { o.trailStopPrice = price }
    }

    private func combo(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOpenOrder) throws(FieldFault) {
        o.contract.comboLegsDescrip = try c.list(b)
        for _ in 0..<(try c.count(b)) {
            var leg = ComboLeg()
            leg.conId = try c.long(b) ?? 0; leg.ratio = try c.integer(b) ?? 0; leg.action = try c.text(b); leg.exchange = try c.text(b)
            leg.openClose = try c.integer(b) ?? 0; leg.shortSaleSlot = try c.integer(b) ?? 0; leg.designatedLocation = try c.text(b)
            leg.exemptCode = try c.integer(b) ?? -1
            o.contract.comboLegs.append(leg)
        }
        for _ in 0..<(try c.count(b)) { o.order.comboLegPrices.append(try c.price(b)) }
        o.order.smartComboRoutingParams = try tags(b, &c)
    }

    private func scaleAndHedge(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOrder) throws(FieldFault) {
        o.scale.initLevelSize = try c.integer(b); o.scale.subsLevelSize = try c.integer(b); o.scale.priceIncrement = try c.price(b)
        if o.scale.isActive {
            o.scale.priceAdjustValue = try c.price(b); o.scale.priceAdjustInterval = try c.integer(b); o.scale.profitOffset = try c.price(b)
            o.scale.autoReset = try c.flag(b); o.scale.initPosition = try c.integer(b); o.scale.initFillQty = try c.integer(b)
            o.scale.randomPercent = try c.flag(b)
        }
        o.hedgeType = try c.text(b)
        if !o.hedgeType.isEmpty { o.hedgeParam = try c.text(b) }
    }

    private func clearingAndAlgo(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOpenOrder) throws(FieldFault) {
        o.order.clearingAccount = try c.text(b); o.order.clearingIntent = try c.text(b); o.order.notHeld = try c.flag(b)
        if try c.flag(b) {
            let zero = WireNumber(raw: 0)
            o.contract.deltaNeutral = DeltaNeutralContract(
                conId: try c.long(b) ?? 0, delta: try c.number(b) ?? zero, price: try c.price(b) ?? Price(raw: 0))
        }
        o.order.algoStrategy = try c.text(b)
        if !o.order.algoStrategy.isEmpty { o.order.algoParams = try tags(b, &c) }
    }

    private func tags(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> [TagValue] {
        var tags: [TagValue] = []
        for _ in 0..<(try c.count(b)) { tags.append(TagValue(try c.text(b), try c.list(b))) }
        return tags
    }

    private func state(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBOrderState {
        var state = IBOrderState()
        state.status = try c.text(b)
        state.before = try margins(b, &c); state.change = try margins(b, &c); state.after = try margins(b, &c)
        state.commission = try c.money(b); state.minCommission = try c.money(b); state.maxCommission = try c.money(b)
        state.commissionCurrency = try c.text(b); state.warningText = try c.unescapedText(b)
        return state
    }

    private func margins(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> MarginFigures {
        var figures = MarginFigures()
        figures.initMargin = try c.money(b); figures.maintMargin = try c.money(b); figures.equityWithLoan = try c.money(b)
        return figures
    }

    private func randomAndConditions(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOrder) throws(FieldFault) {
        o.randomizeSize = try c.flag(b); o.randomizePrice = try c.flag(b)
        if o.orderType == "PEG BENCH" || o.orderType == "PEGBENCH" {
            o.benchmark.contractId = try c.long(b) ?? 0; o.benchmark.isChangeAmountDecrease = try c.flag(b)
            o.benchmark.changeAmount = try c.price(b); o.benchmark.referenceChangeAmount = try c.price(b); o.benchmark.exchangeId = try c.text(b)
        }
        let count = try c.count(b)
        for _ in 0..<count { o.conditions.append(try condition(b, &c)) }
        if count > 0 { o.conditionsIgnoreRth = try c.flag(b); o.conditionsCancelOrder = try c.flag(b) }
    }

    private func condition(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> IBCondition {
        let type = try c.required(b)
        let isAnd = try c.text(b) == "a"
        let kind: IBCondition.Kind
        switch type {
        case 1:
            kind = .price(
                isMore: try c.flag(b), price: try c.price(b) ?? Price(raw: 0), conId: try c.long(b) ?? 0, exchange: try c.text(b),
                triggerMethod: try c.integer(b) ?? 0)
        case 3: kind = .time(isMore: try c.flag(b), time: try c.text(b))
        case 4: kind = .margin(isMore: try c.flag(b), percent: try c.integer(b) ?? 0)
        case 5: kind = .execution(secType: try c.text(b), exchange: try c.text(b), symbol: try c.text(b))
        case 6: kind = .volume(isMore: try c.flag(b), volume: try c.integer(b) ?? 0, conId: try c.long(b) ?? 0, exchange: try c.text(b))
        case 7: kind = .percentChange(isMore: try c.flag(b), percent: try c.number(b), conId: try c.long(b) ?? 0, exchange: try c.text(b))
        default: throw .notANumber(field: c.index - 2)
        }
        return IBCondition(kind, isAnd: isAnd)
    }

    private func adjusted(_ b: RawSpan, _ c: inout FieldCursor, _ o: inout IBOrder) throws(FieldFault) {
        o.adjustedOrderType = try c.text(b); o.triggerPrice = try c.price(b)
        try secondTrailStop(b, &c, &o)
        o.lmtPriceOffset = try c.price(b); o.adjustedStopPrice = try c.price(b); o.adjustedStopLimitPrice = try c.price(b)
        o.adjustedTrailingAmount = try c.price(b); o.adjustableTrailingUnit = try c.integer(b) ?? 0
    }

    private func ats(_ b: RawSpan, _ c: inout FieldCursor) throws(FieldFault) -> AtsTerms {
        var terms = AtsTerms()
        terms.minTradeQty = try c.integer(b); terms.minCompeteSize = try c.integer(b); terms.competeAgainstBestOffset = try c.pegOffset(b)
        terms.midOffsetAtWhole = try c.price(b); terms.midOffsetAtHalf = try c.price(b)
        return terms
    }
}
