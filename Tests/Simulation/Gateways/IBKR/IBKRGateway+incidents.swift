// What happens to a running gateway from outside, and what it has put on its calendar: resets, restarts, broken lines, corrections.
internal import Values
internal import Venues

/// Something that will happen at a set time.
struct GatewayDate: Sendable {
    enum Matter: Sendable {
        case linkLost(code: Int, every: Span)
        case linkRestored(dataLost: Bool)
        case restart(GatewayHour), restarted
        case reset(GatewayHour), resetOver(dataLost: Bool)
        case competingBegins(every: Span), competingEnds
        case correct(serial: UInt64)
        /// A person at the TWS places an order.
        case byHand
        /// Reads on from what clients have sent.
        case read
    }
    var at: Instant
    var matter: Matter
}

/// What a gateway is in the midst of.
struct GatewayTroubles: Sendable {
    /// In the order in which it was put down.
    var calendar: [GatewayDate] = []
    /// Nobody is served.
    var isRestarting = false
    /// The nightly reset: good contracts are unknown, history is refused, orders wait.
    var isResetting = false
    /// Another session of the user has the market data.
    var isDataElsewhere = false
    /// Requests about orders that wait for the line to IBKR or the end of a reset.
    var waiting: [(GatewayConnection, GatewayRequest)] = []
    /// Sent by clients and not yet read.
    var unread: [(connection: GatewayConnection, bytes: [UInt8])] = []
    /// The next reading stands on the calendar.
    var isReadingOn = false
    /// Connections that were taken so far, and those of them that nobody will answer.
    var accepted = 0
    var deaf: Set<GatewayConnection> = []

    mutating func add(_ matter: GatewayDate.Matter, at instant: Instant) { calendar.append(GatewayDate(at: instant, matter: matter)) }
    /// When the next date is due.
    var nextDue: Instant? { calendar.map(\.at).min() }
    /// The earliest date that is due, taken off the calendar.
    mutating func takeDue(at now: Instant) -> GatewayDate.Matter? {
        guard let due = calendar.min(by: { $0.at < $1.at }), due.at <= now, let index = calendar.firstIndex(where: { $0.at == due.at }) else {
            return nil
        }
        return calendar.remove(at: index).matter
    }
}

extension IBKRGateway {
    /// A restart and a reset take this long when they come by the clock.
    private static var restartLasts: Span { .seconds(10) }
    private static var resetLasts: Span { .minutes(1) }
    private static var lost: String { "Connectivity between IBKR and Trader Workstation has been lost." }

    /// Puts down what the switches say will happen.
    mutating func plan() {
        if settings.isManual { troubles.add(.byHand, at: now + .seconds(5)) }
        for item in settings.switches {
            switch item {
            case .link(let code, let every): troubles.add(.linkLost(code: code, every: every), at: now + every)
            case .competingSession(nil): troubles.isDataElsewhere = true
            case .competingSession(let span?): troubles.add(.competingBegins(every: span), at: now + span)
            case .restartAt(let hour): troubles.add(.restart(hour), at: next(hour))
            case .resetAt(let hour): troubles.add(.reset(hour), at: next(hour))
            default: break
            }
        }
    }

    private func next(_ hour: GatewayHour) -> Instant {
        switch hour {
        case .after(let span): return now + span
        case .daily(let seconds):
            let today = settings.zone.local(now).date
            let at = settings.zone.instant(today, minute: seconds / 60) + .seconds(Int64(seconds % 60))
            return at > now ? at : settings.zone.instant(today.adding(days: 1), minute: seconds / 60) + .seconds(Int64(seconds % 60))
        }
    }

    /// Does what is due now, and tells what was held until now.
    mutating func sufferDue() {
        while let matter = troubles.takeDue(at: now) { meet(matter) }
        for (connection, fields) in faults.takeDue(at: now) { write(connection, fields) }
    }

    private mutating func meet(_ matter: GatewayDate.Matter) {
        switch matter {
        case .linkLost(let code, let every):
            troubles.add(.linkLost(code: code, every: every), at: now + every)
            loseLink(code)
            let dataLost = code == 1_101 || code == 1_100 && faults.chance(1, in: 2)
            troubles.add(.linkRestored(dataLost: dataLost), at: now + Span(nanoseconds: min(every.nanoseconds / 2, 3_000_000_000)))
        case .linkRestored(let dataLost): restoreLink(dataLost: dataLost)
        case .restart(let hour):
            // Daily ones come again.
            if case .daily = hour { troubles.add(.restart(hour), at: next(hour)) }
            restart(lasting: Self.restartLasts)
        case .restarted: troubles.isRestarting = false
        case .reset(let hour):
            if case .daily = hour { troubles.add(.reset(hour), at: next(hour)) }
            beginReset(lasting: Self.resetLasts)
        case .resetOver(let dataLost): endReset(dataLost: dataLost)
        case .competingBegins(let every):
            troubles.add(.competingBegins(every: Span(nanoseconds: every.nanoseconds * 2)), at: now + Span(nanoseconds: every.nanoseconds * 2))
            loseData(for: every)
        case .competingEnds: regainData()
        case .correct(let serial): correct(serial)
        case .byHand:
            if !isLinkLost { placeByHand() }
            troubles.add(.byHand, at: now + faults.milliseconds(20_000...40_000))
        case .read: readOn()
        }
    }

    mutating func meet(_ incident: GatewayIncident) {
        switch incident {
        case .dropConnections: for client in clients { close(client.connection) }
        case .linkLost: loseLink(1_100)
        case .linkRestored(let dataLost): restoreLink(dataLost: dataLost)
        case .repeatLastExecution: if !isLinkLost, let last = orders.executions.last { tell(last) }
        case .reset(let span): beginReset(lasting: span)
        case .restart(let span): restart(lasting: span)
        case .competingSession(let span): loseData(for: span)
        case .halt(let instrument): deliver(exchange.handle(.halt(instrument), at: now))
        case .resume(let instrument): deliver(exchange.handle(.resume(instrument), at: now))
        case .correctLastExecution: if let last = orders.executions.last { correct(last.serial) }
        }
    }

    // MARK: The line to IBKR

    private mutating func loseLink(_ code: Int) {
        if !isLinkLost { accountAtLoss = exchange.account }
        isLinkLost = true
        let isOwn = code == 2_110
        noticeAll(
            isOwn ? 2_110 : 1_100,
            isOwn ? "Connectivity between Trader Workstation and server is broken. It will be restored automatically." : Self.lost)
    }
    private mutating func restoreLink(dataLost: Bool) {
        isLinkLost = false
        if dataLost { forgetStreams() }
        noticeAll(
            dataLost ? 1_101 : 1_102,
            "Connectivity between IBKR and Trader Workstation has been restored - data \(dataLost ? "lost" : "maintained").")
        hearUnheard()
        guard !troubles.isResetting else { return }
        let waiting = troubles.waiting
        troubles.waiting = []
        for (connection, request) in waiting { serveOrders(request, connection) }
    }
    private mutating func forgetStreams() {
        historyJobs = []
        for index in clients.indices { clients[index].dropStreams() }
        for index in boards.indices { boards[index].streams = [] }
        unwatchUnused()
    }

    // MARK: The night

    private mutating func beginReset(lasting span: Span) {
        guard !troubles.isResetting else { return }
        troubles.isResetting = true
        for farm in ["usfuture", "usfarm"] { noticeAll(2_103, "Market data farm connection is broken:\(farm)") }
        noticeAll(2_105, "HMDS data farm connection is broken:ushmds")
        noticeAll(2_157, "Sec-def data farm connection is broken:secdefnj")
        loseLink(1_100)
        troubles.add(.resetOver(dataLost: faults.chance(1, in: 2)), at: now + span)
    }
    private mutating func endReset(dataLost: Bool) {
        troubles.isResetting = false
        for farm in ["usfuture", "usfarm"] { noticeAll(2_104, "Market data farm connection is OK:\(farm)") }
        noticeAll(2_106, "HMDS data farm connection is OK:ushmds")
        noticeAll(2_158, "Sec-def data farm connection is OK:secdefnj")
        restoreLink(dataLost: dataLost)
    }

    private mutating func restart(lasting span: Span) {
        troubles.isRestarting = true
        for client in clients { close(client.connection) }
        // What no sibling let go was never more than a thought of the gateway's.
        for order in orders.live where !order.isTransmitted { abandon(order) }
        isLinkLost = false
        hearUnheard()
        troubles.add(.restarted, at: now + span)
    }

    // MARK: Another session

    /// Every stream of the market is told, and silent until the other session ends; new ones are refused.
    private mutating func loseData(for span: Span) {
        troubles.isDataElsewhere = true
        for client in clients {
            let ids =
                client.quotes.map(\.id) + client.ticks.map(\.id) + client.depths.map(\.id) + client.bars.map(\.id) + client.histories.map(\.id)
            for id in ids { error(client.connection, Int64(id), 10_197, Self.competing) }
        }
        troubles.add(.competingEnds, at: now + span)
    }
    /// The streams go on with what the market says now.
    private mutating func regainData() {
        troubles.isDataElsewhere = false
        for instrument in watched { if let touch = exchange.touch(instrument) { quoted(instrument, touch) } }
    }
    /// No stream of the market flows.
    var isDark: Bool { isLinkLost || troubles.isDataElsewhere }
    static var competing: String { "No market data during competing live session" }

    // MARK: A slow reader

    /// Puts bytes behind those that wait; the first ones begin the reading.
    mutating func queue(_ bytes: [UInt8], of connection: GatewayConnection) {
        // Those for whom it was put down may have hung up meanwhile: it is still the next one.
        if !troubles.isReadingOn { troubles.add(.read, at: now + .milliseconds(100)) }
        troubles.isReadingOn = true
        if let index = troubles.unread.firstIndex(where: { $0.connection == connection }) {
            troubles.unread[index].bytes += bytes
        } else {
            troubles.unread.append((connection, bytes))
        }
    }
    private mutating func readOn() {
        let count = max(1, (settings.readBytes ?? .max) / 10)
        for connection in troubles.unread.map(\.connection) {
            guard let index = troubles.unread.firstIndex(where: { $0.connection == connection }) else { continue }
            let piece = Array(troubles.unread[index].bytes.prefix(count))
            troubles.unread[index].bytes.removeFirst(piece.count)
            read(connection, piece)
        }
        // Who hung up on reading has been taken off the list already.
        troubles.unread.removeAll { $0.bytes.isEmpty }
        troubles.isReadingOn = !troubles.unread.isEmpty
        if troubles.isReadingOn { troubles.add(.read, at: now + .milliseconds(100)) }
    }
}
