// Connecting, greeting, logging in, losing the connection, and waiting before the next.
internal import Ledger
internal import Values

extension IBKRSession {
    /// True when an order may be written now.
    var canOrder: Bool { phase == .up && isLinkUp && refusal == nil }

    mutating func connect(at now: Instant, into out: inout SessionOutput) {
        phase = .connecting
        deadline = now + settings.limits.connect
        reachedStart = false
        out.transport = movedPort.map { .connectTo(port: $0) } ?? .connect
        // A failure that is being retried stays on the screen until it is over.
        if shown == nil { show(.connecting, "Connecting to the gateway.", at: now, into: &out) }
    }

    mutating func greet(at now: Instant, into out: inout SessionOutput) {
        guard phase == .connecting else { return }
        socket += 1
        phase = .greeting
        deadline = now + settings.limits.greeting
        lastHeard = now
        splitter = FrameSplitter()
        decoder = IBDecoder(version: settings.maximumVersion)
        out.bytes += IBEncoder.hello(maximum: settings.maximumVersion)
    }

    /// The first frame of exactly two fields: the version and the time. False for anything before it.
    mutating func takeGreeting(_ payload: RawSpan, at now: Instant, into out: inout SessionOutput) -> Bool {
        var cursor = FieldCursor()
        guard let version = try? cursor.long(payload), (try? cursor.skip(payload)) != nil, cursor.isAtEnd(payload) else { return false }
        guard IBProtocol.versions.contains(Int(clamping: version)), version <= Int64(settings.maximumVersion) else {
            hangUp(
                .refusing,
                "The gateway answered with protocol version \(version); this edge speaks \(IBProtocol.versions.lowerBound) to "
                    + "\(settings.maximumVersion).", cure: "Install a current IB Gateway.", at: now, into: &out)
            return true
        }
        serverVersion = Int(version)
        encoder = IBEncoder(version: serverVersion)
        decoder = IBDecoder(version: serverVersion)
        phase = .starting
        reachedStart = true
        deadline = now + settings.limits.start
        offeredID = nil
        offeredAccounts = nil
        send(.startApi(clientId: clientID), .login, at: now, into: &out)
        return true
    }

    mutating func takeNextID(_ id: Int64, at now: Instant, into out: inout SessionOutput) {
        // The gateway's number may go back after its restart: it only ever raises ours.
        raiseFloor(to: id, into: &out)
        guard phase == .starting else { return }
        offeredID = id
        finishStart(at: now, into: &out)
    }

    mutating func takeAccounts(_ accounts: [String], at now: Instant, into out: inout SessionOutput) {
        guard phase == .starting, !accounts.isEmpty else { return }
        offeredAccounts = accounts
        finishStart(at: now, into: &out)
    }

    private mutating func finishStart(at now: Instant, into out: inout SessionOutput) {
        guard offeredID != nil, let accounts = offeredAccounts else { return }
        phase = .up
        failures = 0
        clientIDTries = 0
        heartbeatDeadline = nil
        refusal = nil
        let choice = choose(accounts)
        account = choice.account
        if let text = choice.refusal {
            // The connection is kept, so that the screen shows what the login is; nothing is asked and nothing is sent.
            _ = pacer.reset()
            refusal = show(
                .wrongAccount, text, cure: "Log the gateway in to the right account, or correct `mode` and `account` in the settings.", at: now,
                into: &out)
            return
        }
        if clientID == 0 { send(.autoOpenOrders(bind: true), at: now, into: &out) }
        // Before the first stream is asked for; live is what the gateway gives unasked.
        if settings.marketData != .live { send(.marketDataType(settings.marketData.wire), at: now, into: &out) }
        askAccount(at: now, into: &out)
        askContracts(at: now, into: &out)
        askUnnamed(at: now, into: &out)
        reopenStreams(at: now, into: &out)
        tellFarms(at: now, into: &out)
        becomeReady(at: now, into: &out)
    }

    /// The account to trade, and why it may not be traded.
    private func choose(_ accounts: [String]) -> (account: String, refusal: String?) {
        // An advisor's login may have hundreds.
        let list = accounts.prefix(20).joined(separator: ", ") + (accounts.count > 20 ? " and \(accounts.count - 20) more" : "")
        if settings.account.isEmpty, accounts.count > 1 { return (accounts[0], "The login has several accounts (\(list)) and none is chosen.") }
        let account = settings.account.isEmpty ? accounts[0] : settings.account
        guard accounts.contains(account) else { return (account, "The account \(account) is not one of this login's (\(list)).") }
        // Paper and demonstration accounts begin with D, whatever follows.
        let isPaper = account.hasPrefix("D")
        if settings.mode == .paper, !isPaper { return (account, "The account \(account) is a live account and the mode is PAPER. Nothing is sent.") }
        if settings.mode == .live, isPaper { return (account, "The account \(account) is a paper account and the mode is LIVE. Nothing is sent.") }
        return (account, nil)
    }

    /// Logged in with the broker's link up: a new generation begins, and the desk compares anew.
    mutating func becomeReady(at now: Instant, into out: inout SessionOutput) {
        guard phase == .up, refusal == nil, isLinkUp else { return }
        // What was asked for an earlier picture may still come, and must not end this one.
        abandonSnapshot("the broker's link came back", at: now, into: &out)
        generation += 1
        show(.connected, "Connected to account \(account) by server version \(serverVersion).", at: now, into: &out)
        out.events.append(.ready(account: account, generation: generation, nextOrderID: nextOrderID))
    }

    /// Ids of real orders are 31 bits; TWS shows orders placed by hand under the largest of them.
    mutating func raiseFloor(to id: Int64, into out: inout SessionOutput) {
        guard id > nextOrderID, id < Int64(Int32.max) else { return }
        nextOrderID = id
        tellFloor(into: &out)
    }

    /// Ids below are used up; the desk takes none of them.
    func tellFloor(into out: inout SessionOutput) { out.events.append(.orderIDFloor(nextOrderID)) }

    // MARK: The end of a connection

    /// We end it.
    mutating func hangUp(
        _ condition: GatewayCondition, _ text: String, cure: String, isStubborn: Bool = false, at now: Instant, into out: inout SessionOutput
    ) {
        out.transport = .disconnect
        lose(condition, text, cure: cure, isStubborn: isStubborn, at: now, into: &out)
    }

    /// The other side or the network ended it.
    mutating func connectionEnded(_ text: String, at now: Instant, into out: inout SessionOutput) {
        let reason = text.isEmpty ? "" : " (\(text))"
        switch phase {
        case .idle, .waiting: return
        case .connecting:
            movedPort = nil
            lose(
                .unreachable, "The gateway does not answer\(reason).", cure: "Start IB Gateway and check host and port in the settings.", at: now,
                into: &out)
        case .greeting:
            lose(
                .refusing, "The gateway closed the connection at the greeting\(reason).",
                cure: "Enable the API in the gateway's settings and trust this address.", at: now, into: &out)
        case .starting:
            lose(
                .refusing, "The gateway closed the connection at login\(reason).",
                cure: "Check that the gateway is logged in, the API enabled and client id \(clientID) free.", at: now, into: &out)
        case .up: lose(.unreachable, "The connection to the gateway was lost\(reason).", cure: "", at: now, into: &out)
        }
    }

    private mutating func lose(
        _ condition: GatewayCondition, _ text: String, cure: String, isStubborn: Bool, at now: Instant, into out: inout SessionOutput
    ) {
        phase = .waiting
        socket += 1
        deadline = now + pause(isStubborn: isStubborn)
        failures += 1
        // What never left is known never to have left; all else is unknown until the broker tells.
        let unsent = pacer.reset()
        for id in unsent.orders { refuse(id, "The connection ended before the order was sent. It was never sent.", code: 504, into: &out) }
        takeBack(changes: unsent.changes, "the connection ended.", at: now, into: &out)
        abandonSnapshot("the connection ended", at: now, into: &out)
        requests = [:]
        lists = ListReads()
        summaryRequest = nil
        heartbeatDeadline = nil
        accountUpdatesAskedAt = nil
        trailingReadAt = nil
        isLinkUp = true
        linkLostAt = nil
        dataKeptAt = nil
        farms = FarmTable()
        refusal = nil
        splitter = FrameSplitter()
        streams.lose()
        history.lose()
        waitingHistory = [:]
        lines.reset()
        linesGrowAt = nil
        barsDay = nil
        barsRenewAt = nil
        contracts.lose()
        for id in margins.keys { margins[id]?.request = nil }
        // What is over has told all it can; a late fill needs no entry here.
        orders = orders.filter { !$0.value.isOver }
        for id in orders.keys { orders[id]?.connectionEnded() }
        show(condition, text, cure: cure, at: now, into: &out)
    }
    private mutating func lose(_ condition: GatewayCondition, _ text: String, cure: String, at now: Instant, into out: inout SessionOutput) {
        lose(condition, text, cure: cure, isStubborn: false, at: now, into: &out)
    }

    /// Full jitter: a random part of a bound that doubles with each failure.
    private mutating func pause(isStubborn: Bool) -> Span {
        let limits = settings.limits
        let doublings = min(failures, 12)
        let bound = min(limits.backoffMax.nanoseconds, limits.backoffFirst.nanoseconds << Int64(doublings))
        var wait = Span(nanoseconds: Int64.random(in: 0...max(1, bound), using: &random))
        // The gateway holds a client id for a moment after its socket closed.
        if reachedStart { wait = max(wait, limits.sameClientID) }
        if isStubborn { wait = wait + limits.stubborn }
        return wait
    }

    /// Phases that took too long.
    mutating func checkDeadline(at now: Instant, into out: inout SessionOutput) {
        guard phase != .up, phase != .idle, now >= deadline else { return }
        switch phase {
        case .waiting: connect(at: now, into: &out)
        case .connecting:
            // Whoever moved is looked for where the settings say, too.
            movedPort = nil
            hangUp(
                .unreachable, "The gateway did not accept the connection within \(words(settings.limits.connect)).",
                cure: "Start IB Gateway and check host and port in the settings.", at: now, into: &out)
        case .greeting:
            hangUp(
                .wedged, "The gateway accepted the connection and said nothing for \(words(settings.limits.greeting)).",
                cure: "Restart IB Gateway: it hangs.", isStubborn: true, at: now, into: &out)
        case .starting:
            hangUp(
                .refusing, "The gateway named no account within \(words(settings.limits.start)).",
                cure: "Finish the gateway's login (two-factor too) and enable the API in its settings.", isStubborn: true, at: now, into: &out)
        case .idle, .up: break
        }
    }

    /// A silent peer is asked for the time, then given up.
    mutating func checkLiveness(at now: Instant, into out: inout SessionOutput) {
        if let limit = heartbeatDeadline {
            if lastHeard > limit - settings.limits.heartbeat { heartbeatDeadline = nil; return }
            guard now >= limit else { return }
            return hangUp(
                .unreachable, "The gateway has said nothing for \(words(now - lastHeard)).", cure: "Look at the gateway; restart it if it hangs.",
                at: now, into: &out)
        }
        guard now - lastHeard >= settings.limits.quiet else { return }
        heartbeatDeadline = now + settings.limits.heartbeat
        send(.currentTime, .urgent, at: now, into: &out)
    }

    // MARK: The condition on the screen

    /// Tells a condition once; its age counts from its first telling.
    @discardableResult
    mutating func show(
        _ condition: GatewayCondition, _ text: String, cure: String = "", at now: Instant, into out: inout SessionOutput
    ) -> GatewayState {
        let since = shown?.condition == condition ? shown?.since ?? now : now
        let state = GatewayState(condition: condition, since: since, text: text, cure: cure, account: account, isTrading: false)
        if state != shown || condition == .connected {
            shown = state
            out.events.append(.condition(state, generation: generation))
        }
        return state
    }

    func words(_ span: Span) -> String { "\(span.nanoseconds / 1_000_000_000) s" }
}
