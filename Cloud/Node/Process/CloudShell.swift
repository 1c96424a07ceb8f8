// The process around the node: one loop thread, the link's and the web's threads, two for passwords; events become inputs, effects become calls.
internal import Control
internal import Ledger
internal import Platform
internal import Sync
internal import Synchronization
internal import Values

/// What other threads tell the loop.
enum ShellMessage: Sendable {
    case link(EdgeID, LinkMessage)
    /// A frame of this edge found no room.
    case flooded(EdgeID)
    case stranger(key: [UInt8], address: String)
    case enrolment(LinkMessage)
    case request(HTTPRequest)
    case streamOpened(WebClientID, HTTPRequest)
    case streamClosed(WebClientID)
    case passwordChecked(UInt64, fits: Bool)
    case passwordHashed(UInt64, String?)
    case stop
}

/// Where a running cloud listens.
package struct CloudAddresses: Sendable {
    package let web: Int
    package let link: Int
    /// CURVE public key of the link.
    package let serverKey: [UInt8]
    private let inbox: LoopInbox<ShellMessage>

    init(web: Int, link: Int, serverKey: [UInt8], inbox: LoopInbox<ShellMessage>) {
        self.web = web; self.link = link; self.serverKey = serverKey; self.inbox = inbox
    }

    /// Asks the process to stop in order, from any thread.
    package func stop() { inbox.post(.stop) }
}

/// A cloud that runs on the calling thread until it is stopped.
package final class CloudShell {
    private let configuration: CloudConfiguration
    private let loop = EventLoop()
    private let pool: WorkerPool
    private let front: WebFront
    private let keys: CurveKeys
    private let node: Node
    private var inbox: LoopInbox<ShellMessage>?
    private let arrived = ArrivedMessages()
    /// Inputs that effects brought about.
    private var followUps: [NodeInput] = []
    private var isStopping = false
    private var web: WebServer?
    private var link: LinkServer?
    private var door: LinkDoor?
    private let intake = LinkIntake()
    private var enrolment: LinkServer?
    private var enrolmentPort: Int?
    private var peers = PeerNumbers()
    private var enrolmentPeers = PeerNumbers()
    private var requests: [UInt64: (id: RequestID, isSecure: Bool)] = [:]
    private var clients: [UInt64: WebClientID] = [:]
    private var clientNumbers: [WebClientID: UInt64] = [:]
    private var lastNumber: UInt64 = 0
    private var gaugesAt = Span.zero

    /// Four times a second: the finest time anything here is measured by.
    private static let tickMillis = 250
    /// What edges send, as much of it in one turn: a backlog fills its credit, and each batch waits for the disk, but nobody who asks for
    /// something waits for more than one of them.
    private static let linkBytesPerTurn = 32 << 10
    /// How long nothing must have come before books follow their ledgers: between two batches of a backlog that would take the processor from
    /// whoever sends the next. Each tick lets them follow too.
    private static let restMillis = 5
    /// Nothing came in the last turn.
    private var isAtRest = false

    /// Opens the stores, walks the ledgers, and listens.
    package init(_ configuration: CloudConfiguration) throws {
        self.configuration = configuration
        let arrived = arrived
        // Before the first thread: one that was started earlier would still die of SIGTERM, and the process with it.
        if configuration.watchesSignals { loop.signals { _ in arrived.isStopped = true } }
        pool = WorkerPool(name: "hash", threads: 2, waitingMax: 16)
        let folder = try CloudFolder(configuration.folder)
        let stores = try NodeStores(folder: folder.path)
        let now = SystemClock.now()
        try FirstUser.prepare(stores.control, folder, given: configuration.givenUser, cost: configuration.passwordCost, at: now)
        keys = try folder.linkKeys()
        guard let decoy = Passwords.hash(Chance.password(), cost: configuration.passwordCost) else {
            throw CloudRefusal("there is no memory to hash a password", exitCode: ExitCode.failed)
        }
        front = WebFront(hasCertificate: configuration.certificate != nil, trustedProxies: configuration.trustedProxies)
        let tokenKey = try configuration.tokenSecret.map { Array($0.utf8) } ?? folder.tokenKey()
        var settings = NodeSettings(
            serverKey: keys.publicKey, tokenKey: tokenKey, decoyHash: decoy, random: { Chance.bytes($0) })
        settings.comparesNightly = true
        settings.signingKeys = try folder.signingKeys()
        settings.signerChanges = try folder.signerChanges()
        settings.serverKeyChange = try folder.serverKeyChange()
        node = try Node(stores: stores, settings: settings, at: CloudShell.clock())
        let inbox = loop.inbox(of: ShellMessage.self) { arrived.messages += $0 }
        self.inbox = inbox
        do { try listen(inbox, folder) } catch {
            close()
            throw error
        }
    }

    private static func clock() -> ClockReading { ClockReading(wall: SystemClock.now(), monotonic: SystemClock.monotonic()) }

    private func listen(_ inbox: LoopInbox<ShellMessage>, _ folder: CloudFolder) throws {
        let door = LinkDoor { key, address in
            // A stranger may knock as often as he likes; he fills no more than this.
            if inbox.count < 1_000 { inbox.post(.stranger(key: key, address: address)) }
        }
        self.door = door
        let linkConfiguration = LinkServerConfiguration(
            endpoints: [(configuration.linkHost, configuration.linkPort)], keys: keys, verdict: { door.verdict($0) })
        let intake = intake
        let link = try LinkServer(linkConfiguration) { message in
            guard let edge = door.edge(of: message.userID) else { return }
            switch intake.offer(edge, bytes: message.frame.count, edges: door.edgeCount) {
            case .take: inbox.post(.link(edge, message))
            case .drop: break
            case .dropAndTell: inbox.post(.flooded(edge))
            }
        }
        self.link = link
        let address = try LinkAddress(configuration.linkAddress)
        let own = ["0.0.0.0", "::", ""].contains(configuration.linkHost) ? "127.0.0.1" : configuration.linkHost
        node.edgesDial(
            host: address.host ?? own, linkPort: address.linkPort ?? link.ports[0], enrolmentPort: address.enrolmentPort)
        var webConfiguration = WebServerConfiguration(
            listeners: [.tcp(host: configuration.host, port: configuration.port), .unix(path: folder.socket)])
        webConfiguration.certificate = configuration.certificate
        webConfiguration.drainMillisMax = 2_000
        web = try WebServer(webConfiguration, handler: WebDoor(front: front, dashboard: configuration.dashboard, inbox: inbox))
    }

    /// Turns until it is asked to stop.
    /// - Parameter onReady: called once, when everything listens.
    /// - Throws: when a store failed: exit with `ExitCode.storeFailed`, and start again.
    package func run(onReady: (CloudAddresses) -> Void) throws {
        defer { close() }
        perform(node.takeEffects())
        let first = followUps
        followUps = []
        try turn(first + [.tick])
        if let web, let link, let inbox {
            onReady(
                CloudAddresses(web: web.ports[0], link: link.ports[0], serverKey: keys.publicKey, inbox: inbox))
        }
        armTick()
        while !isStopping {
            loop.turn(milliseconds: arrived.hasWaiting ? 0 : node.isBehind ? (isAtRest ? 0 : CloudShell.restMillis) : nil)
            try step()
        }
    }

    private func armTick() {
        let arrived = arrived
        loop.after(milliseconds: CloudShell.tickMillis) { arrived.isTickDue = true }
    }

    /// One turn of the node with all that came since the last.
    private func step() throws {
        let messages = arrived.take(linkBytes: CloudShell.linkBytesPerTurn)
        // What waits is counted until the node is done with it.
        defer { for message in messages { workedOff(message) } }
        var inputs = messages.compactMap { input($0) }
        if arrived.isTickDue {
            arrived.isTickDue = false
            inputs += [.gauges(gauges), .tick]
            armTick()
        }
        if arrived.isStopped {
            inputs.append(.stop)
            isStopping = true
        }
        isAtRest = inputs.isEmpty
        if isAtRest, node.isBehind { inputs = [.follow] }
        try turn(inputs)
    }

    /// Effects may bring about inputs of their own: a broken connection, an opened socket.
    private func turn(_ inputs: [NodeInput]) throws {
        var inputs = inputs
        while !inputs.isEmpty {
            perform(try node.turn(inputs, at: CloudShell.clock()))
            inputs = followUps
            followUps = []
        }
    }

    private func close() {
        // The last frames (BYE) are with the library when `stop` is called; it has this long to write them.
        web?.stop()
        enrolment?.stop()
        link?.stop()
        pool.stop()
    }

    // MARK: - Events become inputs

    private func input(_ message: ShellMessage) -> NodeInput? {
        switch message {
        case .link(let edge, let message):
            // Its key may have been replaced while it waited.
            guard door?.edge(of: message.userID) == edge else { return nil }
            return .frame(message.frame, from: Peer(edge: edge, connection: peers.number(of: message.peer)))
        case .flooded(let edge): return .flooded(edge)
        case .stranger(let key, let address): return .stranger(key: key, address: address)
        case .enrolment(let message):
            guard let key = CurveKeys.bytes(z85: message.userID) else { return nil }
            return .enrolment(message.frame, key: key, from: enrolmentPeers.number(of: message.peer))
        case .request(let request):
            lastNumber += 1
            let seen = front.request(request)
            requests[lastNumber] = (request.id, seen.origin.isSecure)
            return .request(lastNumber, seen)
        case .streamOpened(let client, let request):
            lastNumber += 1
            clients[lastNumber] = client
            clientNumbers[client] = lastNumber
            return .streamOpened(lastNumber, front.request(request))
        case .streamClosed(let client):
            guard let number = clientNumbers.removeValue(forKey: client) else { return nil }
            clients[number] = nil
            return .streamClosed(number)
        case .passwordChecked(let number, let fits): return .passwordChecked(number, fits: fits)
        case .passwordHashed(let number, let hash): return .passwordHashed(number, hash)
        case .stop:
            arrived.isStopped = true
            return nil
        }
    }

    private func workedOff(_ message: ShellMessage) {
        switch message {
        case .link(let edge, let message): intake.release(edge, bytes: message.frame.count)
        case .flooded(let edge): intake.forgive(edge)
        case .stranger, .enrolment, .request, .streamOpened, .streamClosed, .passwordChecked, .passwordHashed, .stop: break
        }
    }

    private var gauges: [Gauge] {
        let web = web?.statistics ?? WebServerStatistics()
        let link = link?.statistics ?? LinkStatistics()
        return [
            Gauge("connections", "Open HTTP connections.", web.connectionsOpen),
            Gauge("connections_refused_total", "Connections refused.", web.connectionsRefused, isCounter: true),
            Gauge("requests_timed_out_total", "Requests answered too late.", web.requestsTimedOut, isCounter: true),
            Gauge("slow_streams_closed_total", "Streams cut off because they read too slowly.", web.slowClientsClosed, isCounter: true),
            Gauge("link_frames_received_total", "Frames from edges.", link.received, isCounter: true),
            Gauge("link_frames_sent_total", "Frames to edges.", link.sent, isCounter: true),
            Gauge("link_frames_dropped_total", "Frames from edges that found no room.", intake.dropped, isCounter: true),
            Gauge("link_waiting_bytes", "Bytes of edges that wait for the node.", intake.waiting),
            Gauge("link_keys_refused_total", "Link handshakes refused.", link.refused, isCounter: true),
        ]
    }

    // MARK: - Effects become calls

    private func perform(_ effects: [NodeEffect]) {
        var frames: [(frame: [UInt8], peer: LinkPeer)] = []
        var owners: [Peer] = []
        for effect in effects {
            switch effect {
            case .send(let bytes, let peer):
                guard let connection = peers.peer(peer.connection) else { continue }
                frames.append((bytes, connection))
                owners.append(peer)
            case .answerEnrolment(let bytes, let peer):
                if let connection = enrolmentPeers.peer(peer) { _ = enrolment?.send(bytes, to: connection) }
            case .enrolmentSocket(let isOpen): isOpen ? openEnrolment() : closeEnrolment()
            case .respond(let number, let answer):
                guard let request = requests.removeValue(forKey: number) else { continue }
                web?.respond(request.id, front.response(answer, isSecure: request.isSecure))
            case .push(let text, let numbers): web?.broadcast(WebFrame(text), to: numbers.compactMap { clients[$0] })
            case .closeStream(let number, let code, let reason):
                if let client = clients[number] { web?.close(client, code: code, reason: reason) }
            case .checkPassword(let number, let password, let hash):
                let inbox = inbox
                let job: @Sendable () -> Void = { inbox?.post(.passwordChecked(number, fits: Passwords.verify(password, hash: hash))) }
                if !pool.submit(job) { inbox?.post(.passwordChecked(number, fits: false)) }
            case .hashPassword(let number, let password):
                let inbox = inbox, cost = configuration.passwordCost
                let job: @Sendable () -> Void = { inbox?.post(.passwordHashed(number, Passwords.hash(password, cost: cost))) }
                if !pool.submit(job) { inbox?.post(.passwordHashed(number, nil)) }
            case .admit(let keys): door?.admit(keys)
            case .log(let level, let event, let text): Log.write(level, event, ["text": text])
            }
        }
        guard !frames.isEmpty, let results = link?.send(frames) else { return }
        for (peer, result) in zip(owners, results) where result == .unreachable { followUps.append(.gone(peer)) }
    }

    private func openEnrolment() {
        guard enrolment == nil, let inbox else { return followUps.append(.enrolmentOpen(port: enrolmentPort)) }
        var settings = LinkSettings()
        // One frame of 1 KiB, and some room so that a longer one can be refused in words.
        settings.messageBytesMax = 4_096
        var server = LinkServerConfiguration(
            endpoints: [(configuration.linkHost, configuration.enrolmentPort)], keys: keys, verdict: { LinkServerConfiguration.anyone($0) })
        server.settings = settings
        do throws(LinkError) {
            let opened = try LinkServer(server) { message in if inbox.count < 1_000 { inbox.post(.enrolment(message)) } }
            enrolment = opened
            enrolmentPort = opened.ports[0]
        } catch { Log.write(.error, "enrolment socket", ["error": error.description]) }
        followUps.append(.enrolmentOpen(port: enrolmentPort))
    }

    private func closeEnrolment() {
        enrolment?.stop()
        enrolment = nil
        enrolmentPort = nil
    }
}

/// What the loop's callbacks leave for the next step.
private final class ArrivedMessages {
    var messages: [ShellMessage] = []
    var isTickDue = false
    var isStopped = false
    var hasWaiting: Bool { !messages.isEmpty }

    /// What people and programs ask, whatever came before it, then frames of edges in their order: one, and more while they are small. The
    /// others stay.
    func take(linkBytes: Int) -> [ShellMessage] {
        var asked: [ShellMessage] = [], link: [ShellMessage] = [], left: [ShellMessage] = []
        var bytes = 0
        for message in messages {
            switch message {
            case .link(_, let frame):
                if bytes < linkBytes { link.append(message) } else { left.append(message) }
                bytes += frame.frame.count
            case .flooded: if bytes < linkBytes { link.append(message) } else { left.append(message) }
            case .stranger, .enrolment, .request, .streamOpened, .streamClosed, .passwordChecked, .passwordHashed, .stop: asked.append(message)
            }
        }
        messages = left
        return asked + link
    }
}
