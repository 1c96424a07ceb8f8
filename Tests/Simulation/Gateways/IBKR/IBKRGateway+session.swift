// Handshake, client ids, and which request goes where.
internal import Values
internal import Venues

extension IBKRGateway {
    mutating func greet(_ greeting: GatewayGreeting, _ index: Int) {
        let version = min(settings.maximumVersion, greeting.highest)
        // A client that is older than this gateway's oldest form, or newer than its newest, cannot be served.
        guard version >= 157, version >= greeting.lowest else { return close(clients[index].connection) }
        clients[index].version = version
        send(clients[index].connection, GatewayMessages.greeting(version: version, time: GatewayText.time(now, zone: settings.zone, version: 178)))
    }

    mutating func serve(_ request: GatewayRequest, _ connection: GatewayConnection) throws(GatewayFault) {
        guard let client = client(connection) else { return }
        if case .startApi(let id, _) = request { return start(connection, id) }
        // Anything before startApi is lost without an answer, as with the real one.
        guard client.clientId != nil else { return }
        if case .research(let research) = request { return serve(research, connection) }
        if case .office(let office) = request { return serve(office, connection) }
        if serveSession(request, connection) || serveData(request, connection) || serveAccount(request, connection) { return }
        if troubles.isResetting || isLinkLost, request.isOrderWork { return troubles.waiting.append((connection, request)) }
        serveOrders(request, connection)
    }

    private mutating func start(_ connection: GatewayConnection, _ id: Int) {
        guard let index = index(of: connection), clients[index].clientId == nil else { return }
        if case .clientIdInUse(let times)? = settings.switches.first(where: { if case .clientIdInUse = $0 { true } else { false } }),
            refusedClientIds < times
        {
            refusedClientIds += 1
            return refuse(connection)
        }
        guard client(withId: id) == nil else { return refuse(connection) }
        clients[index].clientId = id
        send(connection, GatewayMessages.managedAccounts(settings.account))
        send(connection, GatewayMessages.nextValidId(nextId(for: id)))
        error(connection, -1, 2104, "Market data farm connection is OK:usfuture")
        error(connection, -1, 2104, "Market data farm connection is OK:usfarm")
        error(connection, -1, 2106, "HMDS data farm connection is OK:ushmds")
        error(connection, -1, 2158, "Sec-def data farm connection is OK:secdefnj")
        if isLinkLost { error(connection, -1, 1100, "Connectivity between IBKR and Trader Workstation has been lost.") }
    }

    /// The next free order id of a client, right or wrong. Ids have 32 bits.
    private func nextId(for id: Int) -> Int64 {
        let right = orders.nextId(for: id)
        for case .nextId(let fault) in settings.switches {
            switch fault {
            case .back: return max(1, right / 2)
            case .forward: return min(right + 1_000, Int64(Int32.max))
            case .edge: return min(max(right, Int64(Int32.max) - 2), Int64(Int32.max))
            }
        }
        return min(right, Int64(Int32.max))
    }

    private mutating func refuse(_ connection: GatewayConnection) {
        error(connection, -1, 326, "Unable to connect as the client id is already in use. Retry with a unique client id.")
        close(connection)
    }

    private mutating func serveSession(_ request: GatewayRequest, _ connection: GatewayConnection) -> Bool {
        guard let client = client(connection), let id = client.clientId else { return true }
        switch request {
        case .ids: send(connection, GatewayMessages.nextValidId(nextId(for: id)))
        case .currentTime: send(connection, GatewayMessages.currentTime(now.seconds))
        case .managedAccounts: send(connection, GatewayMessages.managedAccounts(settings.account))
        case .userInfo(let id): send(connection, GatewayMessages.userInfo(id: id, brandingId: ""))
        case .serverLogLevel: break
        case .contractDetails(let id, let contract, let expired, let register, let number):
            tellDetails(connection, id, contract, expired, register, number)
        case .matchingSymbols(let id, let pattern): tellSamples(connection, id, pattern)
        case .marketRule(let id): tellRule(connection, id)
        default: return false
        }
        return true
    }

    /// Stops the exchange from telling quotes that no client wants any more.
    mutating func unwatchUnused() {
        for instrument in watched {
            guard let board = boardOf[instrument], boards[board].streams.isEmpty, !clients.contains(where: { $0.watches(instrument) }) else {
                continue
            }
            watched.removeAll { $0 == instrument }
            deliver(exchange.handle(.unwatch(instrument), at: now))
        }
    }

    /// Makes the exchange tell quotes and trades of an instrument.
    mutating func watch(_ instrument: InstrumentID) {
        guard !watched.contains(instrument) else { return }
        watched.append(instrument)
        deliver(exchange.handle(.watch(instrument), at: now))
    }
}
