// Error messages of the gateway: warnings, refusals, link states; the table says what each code means.
internal import Ledger
internal import Values

extension IBKRSession {
    mutating func take(_ error: IBError, at now: Instant, into out: inout SessionOutput) {
        // Order ids and request ids share the field; requests count from far above any order id in use.
        if error.id > 0, orders[error.id] != nil { return take(error, ofOrder: error.id, at: now, into: &out) }
        if case .margin(let id, _)? = requests[error.id]?.kind { return refuseMargin(id, error, at: now, into: &out) }
        switch NoticeTable.rule(error.code) {
        case .ignore: break
        case .historyUnknown: loseHistory(error, at: now, into: &out)
        case .linkDown: linkDown(error, at: now, into: &out)
        case .linkUp(let dataLost): linkUp(dataLost: dataLost, at: now, into: &out)
        case .farmIdle: farm(isUp: true, error, at: now, into: &out)
        case .farm(let isUp): farm(isUp: isUp, error, at: now, into: &out)
        case .tooFast:
            pacer.slowDown(at: now)
            show(error, at: now, into: &out)
        case .accountUpdatesLost: renewAccountUpdates(at: now, into: &out)
        case .clientIDInUse: clientIDInUse(at: now, into: &out)
        case .moved: moved(error, at: now, into: &out)
        case .streamBroken: hangUp(.unreachable, error.text, cure: NoticeTable.cure(507), at: now, into: &out)
        case .invalid: invalid(error, at: now, into: &out)
        default: takeOfRequest(error, at: now, into: &out)
        }
    }

    private mutating func takeOfRequest(_ error: IBError, at now: Instant, into out: inout SessionOutput) {
        switch NoticeTable.rule(error.code) {
        case .noContract:
            switch requests[error.id]?.kind {
            case .wish, .contract: return noContract(error.id, error.text, at: now, into: &out)
            default: refuseStream(error, retryAt: now + .minutes(5), at: now, into: &out)
            }
            show(error, at: now, into: &out)
        case .noLiveData:
            show(error, at: now, into: &out)
            refuseStream(error, retryAt: now + .minutes(5), at: now, into: &out)
        case .delayed:
            take(dataType: 3, request: error.id, at: now)
            show(error, at: now, into: &out)
        case .noLine:
            show(error, at: now, into: &out)
            lineRefused(error, at: now, into: &out)
        case .history:
            let id = instrument(ofRequest: error.id)
            guard refuseHistory(error, at: now, into: &out) else { return }
            notice(error.code, error.text, instrument: id, cure: NoticeTable.cure(error.code), at: now, into: &out)
        case .resubscribe: reopen(error, at: now, into: &out)
        case .streamRefused(let seconds):
            show(error, at: now, into: &out)
            refuseStream(error, retryAt: now + .seconds(seconds), fallsBack: error.code != 10_197, at: now, into: &out)
        case .reread:
            show(error, at: now, into: &out)
            reread(at: now, into: &out)
            readExecutions(at: now, into: &out)
        default: show(error, at: now, into: &out)
        }
    }

    /// Tells a person, in the gateway's words with our cure.
    private func show(_ error: IBError, at now: Instant, into out: inout SessionOutput) {
        notice(error.code, error.text, instrument: instrument(ofRequest: error.id), cure: NoticeTable.cure(error.code), at: now, into: &out)
    }

    // MARK: About an order

    private mutating func take(_ error: IBError, ofOrder id: Int64, at now: Instant, into out: inout SessionOutput) {
        guard let order = orders[id] else { return }
        let isChange = order.isAcknowledged && !order.isOver
        switch NoticeTable.rule(error.code) {
        case .orderRefused, .invalid, .noContract:
            noteReadOnly(error, at: now, into: &out)
            // A refused change leaves the old order working; only the broker's list tells.
            if isChange, order.word != "Inactive", order.changedAt != nil {
                notice(
                    error.code, "The change of order \(order.reference) was refused: \(error.text)", instrument: order.instrument,
                    cure: NoticeTable.cure(error.code), at: now, into: &out)
                orders[id]?.changedAt = nil
                ask(.other, of: id, code: error.code, error.text, at: now, into: &out)
            } else {
                refuseOrder(id, error, at: now, into: &out)
            }
        case .orderDoubted, .duplicateID:
            // Whether it is there all the same is looked up, and nothing is sent again.
            orders[id]?.code = error.code
            orders[id]?.text = error.text
            if NoticeTable.rule(error.code) == .duplicateID { send(.ids, .order, at: now, into: &out) }
            ask(order.changedAt == nil ? .refused : .other, of: id, code: error.code, error.text, at: now, into: &out)
            orders[id]?.changedAt = nil
            readExecutions(at: now, into: &out)
        case .orderCancelled:
            orders[id]?.code = error.code
            if order.held == nil { ask(.other, of: id, code: error.code, error.text, at: now, into: &out) }
        case .reread:
            notice(
                error.code, "Order \(order.reference): \(error.text)", instrument: order.instrument, cure: NoticeTable.cure(error.code), at: now,
                into: &out)
            let isOfCancel = order.cancelAskedAt != nil || NoticeTable.isOfCancel(error.code)
            ask(isOfCancel ? .cancel : .other, of: id, code: error.code, error.text, at: now, into: &out)
            readExecutions(at: now, into: &out)
        case .ignore: break
        default:
            if NoticeTable.rule(error.code) == .tooFast { pacer.slowDown(at: now) }
            orders[id]?.code = error.code
            orders[id]?.text = error.text
            // A warning, if it is known as one or the broker has the order: it lives, and carries the words. Whether any other code refused an
            // order of which there is no word yet, only the broker's lists tell.
            let isOpen = order.isUntaken && !order.isOver && order.held == nil
            guard isOpen, NoticeTable.rule(error.code) != .orderWarning else { return tell(id, into: &out) }
            ask(.undescribed, of: id, code: error.code, error.text, at: now, into: &out)
        }
    }

    private mutating func refuseOrder(_ id: Int64, _ error: IBError, at now: Instant, into out: inout SessionOutput) {
        orders[id]?.isRefused = true
        orders[id]?.code = error.code
        orders[id]?.text = error.text
        orders[id]?.deadline = nil
        guard let order = orders[id] else { return }
        // What was partly filled is no refusal: the broker's list tells what is left of it.
        if order.executed.raw > 0 { return ask(.other, of: id, code: error.code, error.text, at: now, into: &out) }
        if order.isUntaken {
            orders[id]?.isOver = true
        } else {
            ask(.refused, of: id, code: error.code, error.text, at: now, into: &out)
        }
        tell(id, into: &out)
        let cure = NoticeTable.cure(error.code)
        notice(error.code, error.text, instrument: order.instrument, cure: cure, at: now, into: &out)
    }

    private mutating func refuseMargin(_ id: InstrumentID, _ error: IBError, at now: Instant, into out: inout SessionOutput) {
        switch NoticeTable.rule(error.code) {
        case .orderWarning, .ignore: return
        default: break
        }
        requests[error.id] = nil
        margins[id] = MarginState(askAt: now + .minutes(5))
        noteReadOnly(error, at: now, into: &out)
        notice(
            error.code, "The margin of \(id) could not be asked: \(error.text)", instrument: id, cure: NoticeTable.cure(error.code), at: now,
            into: &out)
    }

    // MARK: About the session

    private mutating func linkDown(_ error: IBError, at now: Instant, into out: inout SessionOutput) {
        guard isLinkUp else { return }
        isLinkUp = false
        linkLostAt = now
        dataKeptAt = nil
        // Nothing that was being read can be believed whole.
        abandonSnapshot("the gateway lost the broker", at: now, into: &out)
        for id in orders.keys { orders[id]?.told = nil }
        // The gateway would keep them for a market that nobody sees any more.
        let unsent = pacer.withdrawOrders()
        for id in unsent.orders { refuse(id, "The gateway lost IBKR before the order was sent. It was never sent.", code: 504, into: &out) }
        takeBack(changes: unsent.changes, "the gateway lost IBKR.", at: now, into: &out)
        show(.brokerLinkDown, "The gateway has lost its connection to IBKR.", cure: NoticeTable.cure(error.code), at: now, into: &out)
    }

    private mutating func linkUp(dataLost: Bool, at now: Instant, into out: inout SessionOutput) {
        isLinkUp = true
        defer { linkLostAt = nil }
        waitAnew(at: now)
        guard phase == .up, refusal == nil else { return }
        if dataLost {
            reopenStreams(at: now, into: &out)
            askAccount(at: now, into: &out)
        } else {
            // The gateway says that data was kept; who says nothing from here on was not.
            dataKeptAt = now
            for id in streams.order {
                streams.change(id) {
                    $0.tickAt = now; $0.barAt = now; $0.minute = nil
                }
                if let linkLostAt { missOutage(id, since: linkLostAt, at: now, into: &out) }
            }
        }
        becomeReady(at: now, into: &out)
    }

    /// A farm that works is told at every start; only a broken one is news, and its return.
    private mutating func farm(isUp: Bool, _ error: IBError, at now: Instant, into out: inout SessionOutput) {
        guard farms.take(error.code, error.text, isUp: isUp) else { return }
        let isSeen = tellFarms(at: now, into: &out)
        // What was silent while its farm was broken gets the ordinary patience again.
        if isUp {
            for id in streams.order {
                streams.change(id) {
                    if $0.quoteRequest != nil, $0.silences > 0 { $0.silences = 0; $0.tickAt = now }
                }
            }
        }
        // Nothing that is watched rests on it: said in general, and taken back there.
        let code = FarmTable.broken(error.code)
        if isUp {
            if farms.takeBack(error.code, error.text) { notice(code, error.text, at: now, into: &out) }
        } else if !isSeen {
            farms.tellInGeneral(error.code, error.text)
            notice(code, error.text, cure: NoticeTable.cure(error.code), at: now, into: &out)
        }
    }

    /// Says beside each watched instrument which of its sources are broken, where that has changed. False when nothing has.
    @discardableResult
    mutating func tellFarms(at now: Instant, into out: inout SessionOutput) -> Bool {
        var isTold = false
        for id in streams.order {
            guard let stream = streams[id], let instrument = contracts.instrument(id) else { continue }
            let words = farms.words(instrument)
            guard words != stream.sourceWords else { continue }
            isTold = true
            streams.change(id) { $0.sourceWords = words }
            notice(Notice.dataFarm, words, instrument: id, cure: words.isEmpty ? "" : NoticeTable.cure(2_103), at: now, into: &out)
        }
        return isTold
    }

    /// Mostly the ghost of our own connection, which goes with time; in the end the next id is taken, if there is one.
    private mutating func clientIDInUse(at now: Instant, into out: inout SessionOutput) {
        let held = clientID
        clientIDTries += 1
        var cure = NoticeTable.cure(326)
        if clientIDTries >= IBKRSession.clientIDTriesMax, !settings.spareClientIDs.isEmpty {
            clientIDTries = 0
            clientIDPlace = (clientIDPlace + 1) % (settings.spareClientIDs.count + 1)
            cure =
                "The next try is made as client \(clientID): orders placed as client \(held) are seen then, and can only be changed as that client."
        }
        hangUp(.refusing, "Client id \(held) is already in use at the gateway.", cure: cure, isStubborn: true, at: now, into: &out)
    }
    /// Refusals of one client id before another is tried.
    private static var clientIDTriesMax: Int { 6 }

    private mutating func moved(_ error: IBError, at now: Instant, into out: inout SessionOutput) {
        movedPort = NoticeTable.port(error.text)
        guard let movedPort else {
            return hangUp(.refusing, error.text, cure: "Set `gateway.port` to the new port.", isStubborn: true, at: now, into: &out)
        }
        hangUp(.unreachable, "The gateway moved to port \(movedPort).", cure: NoticeTable.cure(1_300), at: now, into: &out)
    }

    private mutating func invalid(_ error: IBError, at now: Instant, into out: inout SessionOutput) {
        noteReadOnly(error, at: now, into: &out)
        let id = instrument(ofRequest: error.id)
        if id != nil { refuseStream(error, retryAt: now + .minutes(5), fallsBack: true, at: now, into: &out) }
        notice(error.code, error.text, instrument: id, cure: NoticeTable.cure(error.code), at: now, into: &out)
        // Nothing more will come of it, and a picture of the account may wait for it. A wish keeps its deadline, and is asked again.
        if case .contract? = requests[error.id]?.kind { noContract(error.id, error.text, at: now, into: &out) }
    }

    /// A gateway in read-only mode shows and does not trade: said at once, not at the first order.
    private mutating func noteReadOnly(_ error: IBError, at now: Instant, into out: inout SessionOutput) {
        guard NoticeTable.isReadOnly(error.code, error.text), refusal == nil else { return }
        refusal = show(.refusing, "The gateway's API is set to read-only.", cure: NoticeTable.cure(321), at: now, into: &out)
    }
}
