// The simulated IB Gateway: bytes in, bytes out, over the paper exchange. No socket, no clock: it runs on pipes, in a World, and on TCP.
package import Values
package import Venues

/// A connection's name, given by whoever runs the gateway.
package struct GatewayConnection: Hashable, Comparable, Sendable {
    package let raw: UInt64
    package init(_ raw: UInt64) { self.raw = raw }
    package static func < (a: GatewayConnection, b: GatewayConnection) -> Bool { a.raw < b.raw }
}

/// What the gateway wants done, in order.
package enum GatewayOutput: Equatable, Sendable {
    case send(GatewayConnection, [UInt8])
    case close(GatewayConnection)
}

/// The gateway as one value. Each call moves time on and answers with what to send. Before sending, write `takeRecords()` to disk: what a client was
/// told must outlive a crash of the gateway.
package struct IBKRGateway: Sendable {
    package let settings: GatewaySettings
    package internal(set) var exchange: PaperExchange
    /// What the exchange lists, in its order.
    let catalogue: [PaperInstrument]
    package private(set) var now: Instant
    /// Frames that were not understood, by any client.
    package private(set) var unknownMessages = 0
    /// Frames that were understood and could not be read.
    package private(set) var malformedMessages = 0

    var clients: [GatewayClient] = []
    /// One for each listing, in the catalogue's order.
    var boards: [QuoteBoard]
    let boardOf: [InstrumentID: Int]
    /// Instruments of which the exchange tells quotes and trades.
    var watched: [InstrumentID] = []
    /// Kept for their memory: what one change says to streams of live and of delayed data, and to old clients of either.
    var batches = [TickBatch(), TickBatch(), TickBatch(isWhole: true), TickBatch(isWhole: true)]
    package internal(set) var orders: GatewayOrders
    var records: [GatewayRecord] = []
    /// IBKR cannot be reached: the exchange goes on, and nothing of it is heard here.
    var isLinkLost = false
    /// What has happened to orders meanwhile; it is on the journal already.
    var unheard: [PaperEvent] = []
    /// The account as it was known when the line broke; nil while it holds.
    var accountAtLoss: PaperAccount?
    /// The account as clients may know it.
    var account: PaperAccount { accountAtLoss ?? exchange.account }
    /// What happens to messages on their way out.
    var faults: GatewayFaults
    /// What has gone wrong, and what will.
    var troubles = GatewayTroubles()
    var ordersReceived = 0
    var refusedClientIds = 0
    /// PermIds of orders that wait in the gateway, or that their conditions will cancel.
    var conditioned: [Int64] = []
    /// Client 0 that binds orders made by hand as they come.
    var binder: GatewayConnection?
    var efficiency: OrderEfficiency
    /// The number of the order that was last placed twice.
    var twinOf = 0
    /// Net liquidation at the start of the local day, for the day's profit.
    var dayStart: (date: CivilDate, net: Money)
    private var out: [GatewayOutput] = []
    /// History that takes longer than a turn, the next one first.
    var historyJobs: [HistoryJob] = []
    var shelf = BarShelf()
    private var lastSecond: Int64
    private var nextDrop: Instant?

    /// A gateway without history. The exchange's account becomes the gateway's.
    package init(settings: GatewaySettings, exchange: PaperExchange, at now: Instant) {
        self.settings = settings
        self.exchange = exchange
        catalogue = exchange.listings
        boards = catalogue.map { listing in
            QuoteBoard(
                instrument: listing.instrument.id, hasTrades: listing.hasTrades, isOption: listing.option != nil,
                isFractional: listing.instrument.lotStep < Quantity(whole: 1))
        }
        boardOf = Dictionary(zip(boards.map(\.instrument), boards.indices)) { first, _ in first }
        self.now = now
        lastSecond = now.seconds
        efficiency = OrderEfficiency(day: settings.zone.local(now).date)
        faults = GatewayFaults(settings.switches, seed: settings.faultSeed)
        dayStart = (settings.zone.local(now).date, self.exchange.balance().netLiquidation)
        orders = GatewayOrders(finishedMax: settings.finishedOrdersMax)
        orders.begin(at: now)
        records = [.born(at: now, account: settings.account)]
        if let span = dropSpan { nextDrop = now + span }
        plan()
    }

    /// When `advance` has something to do next.
    package var nextWake: Instant {
        let soon = min(exchange.nextStep, Instant(seconds: lastSecond + 1), nextDue ?? exchange.nextStep)
        return historyJobs.isEmpty ? soon : min(soon, now + .milliseconds(1))
    }
    /// When something that is held or planned is due.
    private var nextDue: Instant? { [faults.nextDue, troubles.nextDue].compactMap { $0 }.min() }

    /// What must be on disk before the last outputs are sent; empties the list.
    package mutating func takeRecords() -> [GatewayRecord] { defer { records = [] }; return records }

    // MARK: The four calls

    /// A client has connected.
    package mutating func connect(_ connection: GatewayConnection, at instant: Instant) -> [GatewayOutput] {
        play(to: instant)
        precondition(!clients.contains { $0.connection == connection }, "connection used twice")
        clients.append(GatewayClient(connection: connection, at: instant))
        troubles.accepted += 1
        for case .wedgeAfter(let served) in settings.switches where troubles.accepted > served { troubles.deaf.insert(connection) }
        if troubles.isRestarting { close(connection) }
        return flush()
    }

    /// A client's connection is gone; its orders work on.
    package mutating func disconnect(_ connection: GatewayConnection, at instant: Instant) -> [GatewayOutput] {
        play(to: instant)
        drop(connection)
        return flush()
    }

    /// Time has passed.
    package mutating func advance(to instant: Instant) -> [GatewayOutput] {
        play(to: instant)
        return flush()
    }

    /// Bytes have come from a client.
    package mutating func receive(_ connection: GatewayConnection, _ bytes: [UInt8], at instant: Instant) -> [GatewayOutput] {
        play(to: instant)
        guard !settings.switches.contains(.wedge), !troubles.deaf.contains(connection), index(of: connection) != nil else { return flush() }
        if settings.readBytes == nil { read(connection, bytes) } else { queue(bytes, of: connection) }
        return flush()
    }

    /// Something happens to the gateway from outside.
    package mutating func suffer(_ incident: GatewayIncident, at instant: Instant) -> [GatewayOutput] {
        play(to: instant)
        meet(incident)
        return flush()
    }

    // MARK: Time

    private mutating func play(to instant: Instant) {
        let isLater = now < instant
        while now < instant {
            // Second by second, as bars and updates are told on whole seconds; a gateway without clients and waiting orders leaps.
            var next = clients.isEmpty && conditioned.isEmpty ? instant : min(instant, Instant(seconds: now.seconds + 1))
            if let nextDue, nextDue > now { next = min(next, nextDue) }
            deliver(exchange.advance(to: next))
            now = next
            tellDepths()
            if now.seconds > lastSecond { lastSecond = now.seconds; everySecond() }
            sufferDue()
        }
        if isLater { workOnHistory() }
    }

    private mutating func everySecond() {
        let today = settings.zone.local(now).date
        if today != dayStart.date { dayStart = (today, exchange.balance().netLiquidation) }
        if let due = nextDrop, let span = dropSpan, now >= due {
            for client in clients { close(client.connection) }
            nextDrop = now + span
        }
        for index in clients.indices { clients[index].messagesThisSecond = 0 }
        wakeConditioned()
        tellBars()
        tellAccounts()
    }

    private var dropSpan: Span? {
        for item in settings.switches { if case .dropEvery(let span) = item { return span } }
        return nil
    }

    // MARK: Reading

    /// True while a slow reader has something of a connection's still to read: let its bytes wait in the socket.
    package func isBehind(_ connection: GatewayConnection) -> Bool { troubles.unread.contains { $0.connection == connection } }

    mutating func read(_ connection: GatewayConnection, _ bytes: [UInt8]) {
        guard let index = index(of: connection) else { return }
        clients[index].frames.append(bytes)
        while let index = self.index(of: connection) {
            do throws(GatewayFault) {
                guard let piece = try clients[index].frames.next() else { break }
                try take(piece, from: connection)
            } catch {
                complain(error, connection)
            }
        }
    }

    private mutating func take(_ piece: GatewayFrames.Piece, from connection: GatewayConnection) throws(GatewayFault) {
        guard let index = index(of: connection) else { return }
        switch piece {
        case .greeting(let greeting): greet(greeting, index)
        case .fields(let fields):
            clients[index].messagesThisSecond += 1
            if let most = settings.messagesPerSecondMax, clients[index].messagesThisSecond > most { return slowDown(index, most) }
            let request: GatewayRequest
            do throws(GatewayFault) { request = try GatewayRequest(fields, version: clients[index].version) } catch {
                return complain(error, connection, about: GatewayRequest.order(in: fields) ?? -1)
            }
            try serve(request, connection)
        }
    }

    /// Turns down one message too many: the answer to it, whatever it was, is error 100 without its number. A second in which there were any is one
    /// violation.
    private mutating func slowDown(_ index: Int, _ most: Int) {
        let (connection, received) = (clients[index].connection, clients[index].messagesThisSecond)
        if received == most + 1 { clients[index].pacingViolations += 1 }
        let count = clients[index].pacingViolations
        error(connection, -1, 100, "Max rate of messages per second has been exceeded: max=\(most) rec=\(received) (\(count))")
        if clients[index].pacingViolations >= 3 { close(connection) }
    }

    /// - Parameter id: of the order that was meant; -1 when none can be made out.
    private mutating func complain(_ fault: GatewayFault, _ connection: GatewayConnection, about id: Int64 = -1) {
        switch fault {
        case .unknownMessage(let message):
            unknownMessages += 1
            error(connection, -1, 320, "Error reading request. Message id \(message) is unknown.")
        case .badGreeting, .frameTooLong: malformedMessages += 1; close(connection)
        case .tooFewFields(let message), .notANumber(let message, _):
            malformedMessages += 1
            error(connection, id, 320, "Error reading request. Message id \(message) could not be read.")
        }
    }

    // MARK: Writing

    func index(of connection: GatewayConnection) -> Int? { clients.firstIndex { $0.connection == connection } }
    /// The client that uses an id, if it is connected.
    func client(withId id: Int) -> GatewayClient? { clients.first { $0.clientId == id } }
    func client(_ connection: GatewayConnection) -> GatewayClient? { clients.first { $0.connection == connection } }

    mutating func send(_ connection: GatewayConnection, _ fields: [String]) {
        guard faults.isActive else { return write(connection, fields) }
        for message in faults.pass(fields, to: connection, at: now) { write(connection, message) }
    }
    /// Past the faults.
    mutating func write(_ connection: GatewayConnection, _ fields: [String]) {
        guard let index = index(of: connection) else { return }
        // All frames of a turn to one client share a write.
        GatewayFrames.write(fields, into: &clients[index].outbox)
    }
    mutating func error(_ connection: GatewayConnection, _ id: Int64, _ code: Int, _ text: String) {
        guard let client = client(connection) else { return }
        send(connection, GatewayMessages.error(id: id, code: code, text, version: client.version))
    }
    mutating func noticeAll(_ code: Int, _ text: String) {
        for client in clients where client.clientId != nil { error(client.connection, -1, code, text) }
    }

    mutating func close(_ connection: GatewayConnection) {
        guard let index = index(of: connection) else { return }
        if !clients[index].outbox.isEmpty { out.append(.send(connection, clients[index].outbox)) }
        out.append(.close(connection))
        drop(connection)
    }
    /// Forgets what was to be sent to a connection in this turn: it dropped before the words got out.
    mutating func swallow(_ connection: GatewayConnection) {
        guard let index = index(of: connection) else { return }
        clients[index].outbox = []
    }
    private mutating func drop(_ connection: GatewayConnection) {
        guard let index = index(of: connection) else { return }
        for quote in clients[index].quotes { boards[quote.board].streams.removeAll { $0.connection == connection } }
        clients.remove(at: index)
        faults.forget(connection)
        historyJobs.removeAll { $0.connection == connection }
        troubles.unread.removeAll { $0.connection == connection }
        troubles.waiting.removeAll { $0.0 == connection }
        unwatchUnused()
    }
    private mutating func flush() -> [GatewayOutput] {
        defer { out = [] }
        for index in clients.indices where !clients[index].outbox.isEmpty {
            let bytes = clients[index].outbox
            // The next turn will have about as much to say.
            clients[index].outbox = []
            clients[index].outbox.reserveCapacity(min(bytes.count, 1 << 20))
            out.append(.send(clients[index].connection, bytes))
        }
        guard let size = settings.pieceBytes else { return out }
        return out.flatMap { output -> [GatewayOutput] in
            guard case .send(let connection, let bytes) = output else { return [output] }
            return stride(from: 0, to: bytes.count, by: size).map { .send(connection, Array(bytes[$0..<min($0 + size, bytes.count)])) }
        }
    }
}
