// The session with IB Gateway: bytes in, events and bytes out; its parts stand in the files beside this one.
internal import Ledger
package import Values

/// One edge's session with IB Gateway or TWS, for server versions 157...178. It connects, logs in, keeps its streams and orders in step,
/// and connects again for ever; whatever goes wrong is told as a condition in plain words, with its cure.
///
/// Executions are the only source of fills: a status that runs ahead of them is held back until they came.
package struct IBKRSession: VenueSession {
    /// Where the connection stands.
    enum Phase: Hashable, Sendable {
        case idle, connecting, greeting, starting, up
        /// Between two connections.
        case waiting
    }

    let settings: IBKRSettings
    let wishes: [InstrumentWish]
    var random: SeededRandom

    // The connection
    var phase = Phase.idle
    /// When the phase is over, unless something came before.
    var deadline = Instant(nanoseconds: 0)
    /// Counts connections and returns of the broker's link: what was learnt in one proves nothing in another.
    var generation: Int64 = 0
    /// Counts sockets, so that a walk over bytes notices that its socket is gone.
    var socket = 0
    /// Connections in a row that did not become ready.
    var failures = 0
    var reachedStart = false
    /// Where the gateway said it moved to; nil = where the settings say.
    var movedPort: Int?
    /// Refusals of the present client id in a row.
    var clientIDTries = 0
    /// 0 = the client id of the settings, then the spare ones.
    var clientIDPlace = 0
    var shown: GatewayState?
    var splitter = FrameSplitter()
    var encoder: IBEncoder
    var decoder: IBDecoder
    var pacer: Pacer
    var lastHeard = Instant(nanoseconds: 0)
    /// Until when the gateway has to answer our question for the time; nil when none is open.
    var heartbeatDeadline: Instant?
    /// Messages of ids that this slice does not know, skipped.
    package internal(set) var unknownMessages: [Int64: Int] = [:]
    /// Messages that could not be read, skipped.
    package internal(set) var malformedMessages = 0
    /// The kinds of skipped messages that a person was told of.
    private var toldUnreadable: Set<Int64> = []
    /// More kinds than this are no longer told or counted apart: then it is noise.
    private static let unreadableKindsMax = 32
    /// The server version that was agreed on; 0 before.
    package internal(set) var serverVersion = 0

    // The login
    var account = ""
    var offeredID: Int64?
    var offeredAccounts: [String]?
    var isLinkUp = true
    /// When the gateway said that it lost the broker; nil while it has not.
    var linkLostAt: Instant?
    /// When the broker's link came back with word that all data was kept; nil once that was seen to be true or false.
    var dataKeptAt: Instant?
    /// The broker's data farms that are broken.
    var farms = FarmTable()
    /// Why orders are refused although the connection stands: wrong account, read-only.
    var refusal: GatewayState?
    /// No order id below this was ever free since the ledger began.
    var nextOrderID: Int64

    // What is under way
    var nextRequestID: Int64 = 1_000_000_000
    var requests: [Int64: Request] = [:]
    var contracts = ContractBook()
    var streams = StreamTable()
    var lines: LineBudget
    /// When one more line is tried after a refusal.
    var linesGrowAt: Instant?
    var history = HistoryPacer()
    /// Requests for history that wait for their turn.
    var waitingHistory: [Int64: IBRequest] = [:]
    /// The day in the gateway's zone, at whose end streams of bars stop.
    var barsDay: CivilDate?
    var barsRenewAt: Instant?
    var orders: [Int64: SessionOrder] = [:]
    var lists = ListReads()
    /// Executions in contracts that nobody has named yet.
    var unnamed: [ContractFill] = []
    var snapshot: SnapshotBuilder?
    var values: AccountValues?
    var areValuesDirty = false
    var summaryRequest: Int64?
    var accountUpdatesAskedAt: Instant?
    var summaryAskedAt: Instant?
    var margins: [InstrumentID: MarginState] = [:]
    var trailingReadAt: Instant?

    /// - Parameters:
    ///   - instruments: what to find at each connection; each becomes an `.instrument` event, futures also a `.front`.
    ///   - nextOrderID: the highest broker order id of the ledger + 1. The gateway's own number only raises it.
    ///   - random: for the jitter of reconnecting and of the bars' midnight, nothing else.
    ///   - known: instruments of the ledger, so that positions in expired contracts keep their names.
    package init(
        settings: IBKRSettings, instruments: [InstrumentWish], nextOrderID: Int64, random: SeededRandom, known: [Instrument] = []
    ) {
        self.settings = settings; wishes = instruments; self.random = random
        self.nextOrderID = max(1, nextOrderID)
        encoder = IBEncoder(version: settings.maximumVersion)
        decoder = IBDecoder(version: settings.maximumVersion)
        pacer = Pacer(perSecond: settings.limits.messagesPerSecond, reserve: settings.limits.reservedPerSecond)
        lines = LineBudget(settings.marketDataLines)
        for instrument in known.sorted(by: { $0.id < $1.id }) { contracts.learn(instrument) }
    }

    /// The id under which this connection is made.
    var clientID: Int64 { clientIDPlace == 0 ? settings.clientID : settings.spareClientIDs[clientIDPlace - 1] }

    /// The lowest order id that is free, as far as the session knows.
    package var floor: Int64 { nextOrderID }

    package mutating func start(at now: Instant, into out: inout SessionOutput) {
        guard phase == .idle else { return }
        connect(at: now, into: &out)
    }

    package mutating func transport(_ event: TransportEvent, at now: Instant, into out: inout SessionOutput) {
        switch event {
        case .connected: greet(at: now, into: &out)
        case .disconnected(let text): connectionEnded(text, at: now, into: &out)
        }
    }

    package mutating func receive(_ bytes: RawSpan, at now: Instant, into out: inout SessionOutput) {
        guard phase == .greeting || phase == .starting || phase == .up else { return }
        lastHeard = now
        if splitter.pendingBytes == 0 {
            let used = walk(bytes, at: now, into: &out)
            splitter.keep(bytes, from: used)
        } else if let all = splitter.begin(bytes) {
            let used = walk(all.span.bytes, at: now, into: &out)
            splitter.end(all, used: used)
        }
        // One event an instrument and read, however many ticks it brought.
        var heardAgain: [InstrumentID] = []
        streams.tellChanged { id, stream in
            out.events.append(.quote(id, stream.quote))
            if stream.isToldSilent { heardAgain.append(id) }
        }
        for id in heardAgain { tellHeard(id, at: now, into: &out) }
        drain(at: now, into: &out)
    }

    package mutating func tick(at now: Instant, into out: inout SessionOutput) {
        checkDeadline(at: now, into: &out)
        guard phase == .up else { return }
        checkLiveness(at: now, into: &out)
        guard phase == .up else { return }
        checkRequests(at: now, into: &out)
        checkOrders(at: now, into: &out)
        checkStreams(at: now, into: &out)
        checkContracts(at: now, into: &out)
        checkMargins(at: now, into: &out)
        checkAccount(at: now, into: &out)
        checkSnapshot(at: now, into: &out)
        checkLists(at: now, into: &out)
        guard phase == .up else { return }
        tellAccount(into: &out)
        drain(at: now, into: &out)
    }

    /// Every deadline of the connection was counted in the old time: it is given up, and a new one counts anew.
    package mutating func clockWasSet(by step: Span, at now: Instant, into out: inout SessionOutput) {
        switch phase {
        case .idle: break
        case .waiting: deadline = deadline + step
        case .connecting, .greeting, .starting, .up:
            hangUp(.unreachable, "The computer's clock was set; the connection to the gateway is made anew.", cure: "", at: now, into: &out)
        }
    }

    package mutating func request(_ request: VenueRequest, at now: Instant, into out: inout SessionOutput) {
        switch request {
        case .snapshot: startSnapshot(at: now, into: &out)
        case .margin(let id): wantMargin(id, at: now)
        case .watch(let id): watch(id, at: now, into: &out)
        case .cancel(let id, let tag): cancel(id, tag: tag, at: now, into: &out)
        case .modify(let leg, let tag, let account): modify(leg, tag: tag, account: account, at: now, into: &out)
        }
        drain(at: now, into: &out)
    }

    // MARK: Reading

    /// Reads every whole frame; gives how many bytes are done with.
    private mutating func walk(_ bytes: RawSpan, at now: Instant, into out: inout SessionOutput) -> Int {
        let socket = self.socket
        var used = 0
        do throws(FrameFault) {
            while let payload = try FrameSplitter.frame(in: bytes, at: used) {
                used = payload.upperBound
                read(bytes.extracting(payload), at: now, into: &out)
                // The connection ended in between: what follows belongs to nobody.
                if socket != self.socket { return bytes.byteCount }
            }
            return used
        } catch {
            guard case .tooLong(let length) = error else { return bytes.byteCount }
            hangUp(
                .refusing, "The gateway sent a frame of \(length) bytes: the stream is out of step, or no longer text.",
                cure: "Check that the port is IB Gateway's API port and its release serves the text protocol.", at: now, into: &out)
            return bytes.byteCount
        }
    }

    private mutating func read(_ payload: RawSpan, at now: Instant, into out: inout SessionOutput) {
        if phase == .greeting, takeGreeting(payload, at: now, into: &out) { return }
        let message: IBMessage
        do throws(FieldFault) {
            if let tick = try decoder.tick(payload) { return take(tick, at: now, into: &out) }
            message = try decoder.decode(payload)
        } catch {
            malformedMessages += 1
            return tellUnreadable(payload, "could not be read", at: now, into: &out)
        }
        switch message {
        case .orderStatus, .openOrder, .openOrderEnd, .completedOrder, .completedOrdersEnd, .execution, .executionsEnd, .commission:
            takeOrderMessage(message, at: now, into: &out)
        case .error(let error): take(error, at: now, into: &out)
        case .unknown(let id):
            if unknownMessages[id] != nil || unknownMessages.count < IBKRSession.unreadableKindsMax { unknownMessages[id, default: 0] += 1 }
            tellUnreadable(payload, "are not known here", at: now, into: &out)
        default: takeOther(message, at: now, into: &out)
        }
    }

    /// Once a kind: the program may be too old for this gateway, and a person should know before it matters.
    private mutating func tellUnreadable(_ payload: RawSpan, _ what: String, at now: Instant, into out: inout SessionOutput) {
        var cursor = FieldCursor()
        guard let id = try? cursor.long(payload), toldUnreadable.count < IBKRSession.unreadableKindsMax, toldUnreadable.insert(id).inserted else {
            return
        }
        notice(
            Notice.gatewayUnreadable, "Messages \(id) of the gateway \(what); they are skipped.",
            cure: "Nothing is lost that orders or positions rest on. Report it with the gateway's version.", at: now, into: &out)
    }

    private mutating func takeOther(_ message: IBMessage, at now: Instant, into out: inout SessionOutput) {
        switch message {
        case .nextValidId(let id): takeNextID(id, at: now, into: &out)
        case .managedAccounts(let accounts): takeAccounts(accounts, at: now, into: &out)
        case .currentTime: heartbeatDeadline = nil
        case .contractDetails(let id, let details): take(details, request: id)
        case .contractDetailsEnd(let id): endDetails(id, at: now, into: &out)
        case .marketDataType(let id, let type): take(dataType: type, request: id, at: now)
        case .historicalData(let answer): take(answer, at: now, into: &out)
        case .historicalUpdate(let id, let bar): take(update: bar, request: id, at: now, into: &out)
        case .realTimeBar(let id, let bar): take(fiveSeconds: bar, request: id, at: now, into: &out)
        case .accountValue(let key, let value, let currency, let account): take(key, value, currency, of: account, at: now)
        case .accountSummary(_, let account, let tag, let value, let currency): take(tag, value, currency, of: account, at: now)
        case .accountSummaryEnd(let id): endSummary(id, at: now, into: &out)
        case .accountDownloadEnd, .accountUpdateTime: tellAccount(into: &out)
        case .position(let line): snapshot?.take(line)
        case .positionEnd: endList(.positions, at: now, into: &out)
        default: break
        }
    }

    // MARK: Writing

    /// Puts a request behind the pacer. What cannot be encoded is a mistake of ours and is told, never sent in part.
    /// - Parameter change: the order that the request changes: taken back with it when the broker is lost before it left.
    /// - Returns: false when it was told that it will not leave.
    @discardableResult
    mutating func send(
        _ request: IBRequest, _ lane: Pacer.Lane = .request, change: Int64? = nil, at now: Instant, into out: inout SessionOutput
    ) -> Bool {
        do throws(EncodeFault) {
            if pacer.offer(Pacer.Unit(bytes: try encoder.encode(request), frames: 1, change: change), lane) { return true }
            notice(100, "Too many requests wait for the gateway; one was dropped.", at: now, into: &out)
        } catch {
            notice(505, "A request could not be written for server version \(encoder.version): \(error)", at: now, into: &out)
        }
        return false
    }

    /// Hands over what the pacer allows: before the login is whole, nothing but the login.
    mutating func drain(at now: Instant, into out: inout SessionOutput) {
        guard phase == .up || phase == .starting else { return }
        // A gateway that has not named account and order id loses requests without a word.
        let sent = pacer.drain(upTo: phase == .up ? .request : .login, at: now, into: &out.bytes)
        guard !sent.isEmpty else { return }
        for id in sent {
            orders[id]?.sentAt = now
            orders[id]?.await(until: now + settings.limits.acknowledgement)
        }
        out.events.append(.sent(brokerOrderIDs: sent))
    }

    mutating func takeRequestID() -> Int64 {
        defer { nextRequestID += 1 }
        return nextRequestID
    }

    /// A word for the person.
    func notice(
        _ code: Int64, _ text: String, instrument: InstrumentID? = nil, cure: String = "", at now: Instant, into out: inout SessionOutput
    ) {
        out.events.append(.notice(Notice(code: code, instrument: instrument, text: text, cure: cure, asOf: now)))
    }
}
