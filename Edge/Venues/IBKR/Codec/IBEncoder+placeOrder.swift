// placeOrder, field by field, for server versions 157 to 178.
internal import Values

extension IBEncoder {
    func placeOrder(_ contract: IBContract, _ o: IBOrder, _ w: inout FrameWriter) {
        checkVersion(o, &w)
        w.integer(Int64(3)); w.integer(o.orderId)
        contract12(contract, &w)
        w.text(contract.secIdType); w.text(contract.secId)
        w.text(o.action); w.size(o.totalQuantity); w.text(o.orderType); w.price(o.lmtPrice); w.price(o.auxPrice); w.text(o.tif)
        w.text(o.ocaGroup); w.text(o.account); w.text(o.openClose); w.integer(o.origin); w.text(o.orderRef); w.flag(o.transmit)
        w.integer(o.parentId); w.flag(o.blockOrder); w.flag(o.sweepToFill); w.integer(o.displaySize ?? 0); w.integer(o.triggerMethod)
        w.flag(o.outsideRth); w.flag(o.hidden)
        if contract.secType == "BAG" { combo(contract, o, &w) }
        // The obsolete shares allocation.
        w.empty()
        w.price(o.discretionaryAmt ?? Price(raw: 0)); w.text(o.goodAfterTime); w.text(o.goodTillDate)
        w.text(o.faGroup); w.text(o.faMethod); w.text(o.faPercentage)
        if version < IBProtocol.noFaProfile { w.empty() }
        w.text(o.modelCode); w.integer(o.shortSaleSlot); w.text(o.designatedLocation); w.integer(o.exemptCode); w.integer(o.ocaType)
        w.text(o.rule80A); w.text(o.settlingFirm); w.flag(o.allOrNone); w.integer(o.minQty); w.number(o.percentOffset)
        // eTradeOnly, firmQuoteOnly, nbboPriceCap: the broker refuses anything else.
        w.flag(false); w.flag(false); w.empty()
        w.integer(o.auctionStrategy); w.price(o.startingPrice); w.price(o.stockRefPrice); w.number(o.delta)
        w.price(o.stockRangeLower); w.price(o.stockRangeUpper); w.flag(o.overridePercentageConstraints)
        volatility(o, &w)
        w.price(o.trailStopPrice); w.number(o.trailingPercent)
        scaleAndHedge(o, &w)
        w.flag(o.optOutSmartRouting); w.text(o.clearingAccount); w.text(o.clearingIntent); w.flag(o.notHeld)
        deltaNeutral(contract, &w)
        w.text(o.algoStrategy)
        if !o.algoStrategy.isEmpty { tags(o.algoParams, &w) }
        w.text(o.algoId); w.flag(o.whatIf); w.text(joined(o.orderMiscOptions))
        w.flag(o.solicited); w.flag(o.randomizeSize); w.flag(o.randomizePrice)
        tail(contract, o, &w)
    }

    /// What an older server would not read, and so would not honour, is refused rather than left out.
    private func checkVersion(_ o: IBOrder, _ w: inout FrameWriter) {
        let needs: [(Bool, Int, String)] = [
            (o.duration != nil, IBProtocol.duration, "duration"), (o.postToAts != nil, IBProtocol.postToAts, "postToAts"),
            (o.autoCancelParent, IBProtocol.autoCancelParent, "autoCancelParent"),
            (!o.advancedErrorOverride.isEmpty, IBProtocol.advancedReject, "advancedErrorOverride"),
            (!o.manualOrderTime.isEmpty, IBProtocol.manualOrderTime, "manualOrderTime"), (o.ats != AtsTerms(), IBProtocol.atsTerms, "ats"),
        ]
        for (isSet, since, field) in needs where isSet && version < since { w.refuse(.needsVersion(since, field: field)) }
    }

    private func combo(_ contract: IBContract, _ o: IBOrder, _ w: inout FrameWriter) {
        w.integer(Int64(contract.comboLegs.count))
        for leg in contract.comboLegs {
            w.integer(leg.conId); w.integer(leg.ratio); w.text(leg.action); w.text(leg.exchange); w.integer(leg.openClose)
            w.integer(leg.shortSaleSlot); w.text(leg.designatedLocation); w.integer(leg.exemptCode)
        }
        w.integer(Int64(o.comboLegPrices.count))
        for price in o.comboLegPrices { w.price(price) }
        tags(o.smartComboRoutingParams, &w)
    }

    private func tags(_ tags: [TagValue], _ w: inout FrameWriter) {
        w.integer(Int64(tags.count))
        for tag in tags { w.text(tag.tag); w.text(tag.value) }
    }

    private func volatility(_ o: IBOrder, _ w: inout FrameWriter) {
        w.number(o.volatility); w.integer(o.volatilityType); w.text(o.deltaNeutral.orderType); w.price(o.deltaNeutral.auxPrice)
        if !o.deltaNeutral.orderType.isEmpty {
            w.integer(o.deltaNeutral.conId); w.text(o.deltaNeutral.settlingFirm); w.text(o.deltaNeutral.clearingAccount)
            w.text(o.deltaNeutral.clearingIntent); w.text(o.deltaNeutral.openClose); w.flag(o.deltaNeutral.shortSale)
            w.integer(o.deltaNeutral.shortSaleSlot); w.text(o.deltaNeutral.designatedLocation)
        }
        w.flag(o.continuousUpdate); w.integer(o.referencePriceType)
    }

    private func scaleAndHedge(_ o: IBOrder, _ w: inout FrameWriter) {
        w.integer(o.scale.initLevelSize); w.integer(o.scale.subsLevelSize); w.price(o.scale.priceIncrement)
        if o.scale.isActive {
            w.price(o.scale.priceAdjustValue); w.integer(o.scale.priceAdjustInterval); w.price(o.scale.profitOffset); w.flag(o.scale.autoReset)
            w.integer(o.scale.initPosition); w.integer(o.scale.initFillQty); w.flag(o.scale.randomPercent)
        }
        w.text(o.scaleTable); w.text(o.activeStartTime); w.text(o.activeStopTime)
        w.text(o.hedgeType)
        if !o.hedgeType.isEmpty { w.text(o.hedgeParam) }
    }

    private func tail(_ contract: IBContract, _ o: IBOrder, _ w: inout FrameWriter) {
        if o.orderType == "PEG BENCH" {
            w.integer(o.benchmark.contractId); w.flag(o.benchmark.isChangeAmountDecrease); w.price(o.benchmark.changeAmount ?? Price(raw: 0))
            w.price(o.benchmark.referenceChangeAmount ?? Price(raw: 0)); w.text(o.benchmark.exchangeId)
        }
        conditions(o, &w)
        w.text(o.adjustedOrderType); w.price(o.triggerPrice); w.price(o.lmtPriceOffset); w.price(o.adjustedStopPrice)
        w.price(o.adjustedStopLimitPrice); w.price(o.adjustedTrailingAmount); w.integer(o.adjustableTrailingUnit); w.text(o.extOperator)
        w.text(o.softDollarTier.name); w.text(o.softDollarTier.value); w.money(o.cashQty)
        w.text(o.mifid.decisionMaker); w.text(o.mifid.decisionAlgo); w.text(o.mifid.executionTrader); w.text(o.mifid.executionAlgo)
        w.flag(o.dontUseAutoPriceForHedge); w.flag(o.isOmsContainer); w.flag(o.discretionaryUpToLimitPrice); w.flag(o.usePriceMgmtAlgo)
        if version >= IBProtocol.duration { w.integer(o.duration) }
        if version >= IBProtocol.postToAts { w.integer(o.postToAts) }
        if version >= IBProtocol.autoCancelParent { w.flag(o.autoCancelParent) }
        if version >= IBProtocol.advancedReject { w.text(o.advancedErrorOverride) }
        if version >= IBProtocol.manualOrderTime { w.text(o.manualOrderTime) }
        if version >= IBProtocol.atsTerms { ats(contract, o, &w) }
    }

    private func conditions(_ o: IBOrder, _ w: inout FrameWriter) {
        w.integer(Int64(o.conditions.count))
        guard !o.conditions.isEmpty else { return }
        for condition in o.conditions {
            let join = condition.isAnd ? "a" : "o"
            switch condition.kind {
            case .price(let isMore, let price, let conId, let exchange, let method):
                start(1, join, isMore, &w); w.price(price); w.integer(conId); w.text(exchange); w.integer(method)
            case .time(let isMore, let time): start(3, join, isMore, &w); w.text(time)
            case .margin(let isMore, let percent): start(4, join, isMore, &w); w.integer(percent)
            case .execution(let secType, let exchange, let symbol):
                w.integer(Int64(5)); w.text(join); w.text(secType); w.text(exchange); w.text(symbol)
            case .volume(let isMore, let volume, let conId, let exchange):
                start(6, join, isMore, &w); w.integer(volume); w.integer(conId); w.text(exchange)
            case .percentChange(let isMore, let percent, let conId, let exchange):
                start(7, join, isMore, &w); w.number(percent); w.integer(conId); w.text(exchange)
            }
        }
        w.flag(o.conditionsIgnoreRth); w.flag(o.conditionsCancelOrder)
    }

    private func start(_ type: Int64, _ join: String, _ isMore: Bool, _ w: inout FrameWriter) { w.integer(type); w.text(join); w.flag(isMore) }

    private func ats(_ contract: IBContract, _ o: IBOrder, _ w: inout FrameWriter) {
        if contract.exchange == "IBKRATS" { w.integer(o.ats.minTradeQty) }
        var sendsMidOffsets = o.orderType == "PEG MID"
        if o.orderType == "PEG BEST" {
            w.integer(o.ats.minCompeteSize)
            switch o.ats.competeAgainstBestOffset {
            case .amount(let amount): w.price(amount)
            case .upToMid: w.text("Infinity"); sendsMidOffsets = true
            case nil: w.empty()
            }
        }
        if sendsMidOffsets { w.price(o.ats.midOffsetAtWhole); w.price(o.ats.midOffsetAtHalf) }
    }
}
