// The server's thread: owns the libwebsockets context and every connection, runs the jobs other threads post.
internal import CShim
internal import CWebSockets
internal import Glibc

/// Created on the thread that opens the listeners, then handed to its own thread once; no other touches it afterwards.
final class ServerLoop {
    let configuration: WebServerConfiguration
    let handler: any WebHandler
    let mailbox: ServerMailbox
    var ports: [Int] = []
    var connections: [Int: ServerConnection] = [:]
    /// Counts the returns of `lws_service`.
    private(set) var turn = 0
    /// One write's worth of bytes behind the room the library needs.
    let scratch: UnsafeMutablePointer<UInt8>
    private let memory: ServerMemory
    private var context: OpaquePointer?
    private var perAddress: [String: Int] = [:]
    private var lastID = 0
    private var stopping = false
    private var drainDeadline: Int64 = 0
    private let drainTimer: UnsafeMutablePointer<lws_sorted_usec_list_t>

    /// One `lws_write` of an HTTP body: what a socket buffer usually takes at once.
    static let writeBytesMax = 64 * 1_024
    /// A job whose wake-up was lost waits no longer than this.
    private static let lookEveryMicros: Int64 = 1_000_000

    init(_ configuration: WebServerConfiguration, handler: any WebHandler, mailbox: ServerMailbox) {
        self.configuration = configuration
        self.handler = handler
        self.mailbox = mailbox
        memory = ServerMemory(configuration: configuration)
        scratch = .allocate(capacity: WebFrame.room + ServerLoop.writeBytesMax)
        scratch.initialize(repeating: 0, count: WebFrame.room + ServerLoop.writeBytesMax)
        drainTimer = .allocate(capacity: 1)
        drainTimer.initialize(to: lws_sorted_usec_list_t())
    }

    deinit {
        scratch.deallocate()
        drainTimer.deallocate()
    }

    /// Creates the context and its listeners; on an error everything is taken down again.
    func open() throws(WebServerError) {
        guard !configuration.listeners.isEmpty else { throw .noListener }
        routeServerLog()
        var info = lws_context_creation_info()
        info.options = UInt64(LWS_SERVER_OPTION_EXPLICIT_VHOSTS)
        if configuration.certificate != nil { info.options |= UInt64(LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT) }
        info.user = Unmanaged.passUnretained(self).toOpaque()
        // The table of descriptors is allocated whole: listeners, the wake-up pipe and one spare for an accept to be refused.
        info.fd_limit_per_thread = UInt32(configuration.connectionsMax + configuration.listeners.count + 8)
        info.max_http_header_data2 = UInt32(configuration.headerBytesMax)
        info.timeout_secs = UInt32(configuration.requestSecondsMax)
        info.timeout_secs_ah_idle = UInt32(configuration.requestSecondsMax)
        guard let context = lws_create_context(&info) else { throw .contextRefused }
        self.context = context
        do {
            for index in configuration.listeners.indices { ports.append(try listen(index, in: context)) }
        } catch {
            lws_context_destroy(context)
            self.context = nil
            throw error
        }
        mailbox.attach(context)
    }

    /// Serves until `stop` was posted and everything has drained. Runs on the server's own thread.
    func run() {
        guard let context else { return }
        lws_sul_schedule(context, 0, drainTimer, drainTick, ServerLoop.lookEveryMicros)
        while lws_service(context, 0) >= 0 {
            turn &+= 1
            for job in mailbox.take() { perform(job) }
            // A tick every 50 ms while draining, so that the deadline is seen without traffic.
            lws_sul_schedule(context, 0, drainTimer, drainTick, stopping ? 50_000 : ServerLoop.lookEveryMicros)
            if stopping && (connections.values.allSatisfy(isQuiet) || monotonicMillis() >= drainDeadline) { break }
        }
        mailbox.attach(nil)
        lws_context_destroy(context)
        self.context = nil
    }

    private func listen(_ index: Int, in context: OpaquePointer) throws(WebServerError) -> Int {
        let listener = configuration.listeners[index]
        var info = lws_context_creation_info()
        info.protocols = UnsafePointer(memory.protocols)
        info.retry_and_idle_policy = UnsafePointer(memory.policy)
        info.user = UnsafeMutableRawPointer(bitPattern: index + 1)
        info.vhost_name = UnsafePointer(memory.text("listener-\(index)"))
        info.keepalive_timeout = Int32(configuration.idleSecondsMax)
        info.timeout_secs_ah_idle = UInt32(configuration.requestSecondsMax)
        info.options = UInt64(LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND)
        switch listener {
        case .tcp(let host, let port):
            if !["", "0.0.0.0", "::"].contains(host) { info.iface = UnsafePointer(memory.text(host)) }
            if !host.utf8.contains(UInt8(ascii: ":")) { info.options |= UInt64(LWS_SERVER_OPTION_DISABLE_IPV6) }
            info.port = Int32(clamping: port)
            if let certificate = configuration.certificate {
                // Without this on the listener itself the library serves plain text and says nothing.
                info.options |= UInt64(LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT)
                info.ssl_cert_filepath = UnsafePointer(memory.text(certificate.certificatePath))
                info.ssl_private_key_filepath = UnsafePointer(memory.text(certificate.keyPath))
                info.alpn = UnsafePointer(memory.text("http/1.1"))
                info.ssl_options_set = Int(tidewire_tls_minimum_1_2())
            }
            guard let vhost = lws_create_vhost(context, &info) else { throw .cannotListen(listener) }
            let actual = Int(lws_get_vhost_listen_port(vhost))
            guard actual > 0 else { throw .cannotListen(listener) }
            return actual
        case .unix(let path):
            try listenUnix(path, context, &info)
            return 0
        }
    }

    private func listenUnix(_ path: String, _ context: OpaquePointer, _ info: inout lws_context_creation_info) throws(WebServerError) {
        guard path.utf8.count <= 107 else { throw .socketPathTooLong(path: path, bytes: path.utf8.count) }
        info.options |= UInt64(LWS_SERVER_OPTION_UNIX_SOCK)
        info.iface = UnsafePointer(memory.text(path))
        // The library makes the socket with the umask's mode; a chmod afterwards would leave a moment of 0755.
        let before = umask(0o177)
        let vhost = lws_create_vhost(context, &info)
        _ = umask(before)
        var status = stat()
        // A path that could not be bound is only logged by the library, so the socket is looked for.
        guard vhost != nil, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { throw .cannotListen(.unix(path: path)) }
    }

    // MARK: Jobs

    private func perform(_ job: ServerJob) {
        switch job {
        case .respond(let id, let response):
            guard let connection = connections[id.connection], connection.serial == id.serial, case .waiting = connection.phase else { return }
            respond(connection, response)
        case .send(let frame, let clients):
            if let clients {
                for client in clients { if let connection = connections[client.connection] { enqueue(frame, connection) } }
            } else {
                for connection in connections.values { enqueue(frame, connection) }
            }
        case .close(let client, let code, let reason):
            guard let connection = connections[client.connection], case .webSocket = connection.phase else { return }
            connection.phase = .closing(code: code, reason: reason)
            lws_callback_on_writable(connection.wsi)
        case .stop:
            beginDrain()
        }
    }

    private func beginDrain() {
        guard !stopping else { return }
        stopping = true
        drainDeadline = monotonicMillis() + Int64(configuration.drainMillisMax)
        for connection in connections.values {
            switch connection.phase {
            case .waiting: respond(connection, HTTPResponse.problem(503, "the server is stopping"))
            case .webSocket:
                connection.phase = .closing(code: 1_001, reason: "server stopping")
                lws_callback_on_writable(connection.wsi)
            default: break
            }
        }
    }

    private func isQuiet(_ connection: ServerConnection) -> Bool {
        switch connection.phase {
        case .idle, .receiving, .complete, .discarding, .waiting: true
        case .sending, .upgrading, .webSocket, .closing: false
        }
    }

    // MARK: Connections come and go

    func connection(_ wsi: OpaquePointer) -> ServerConnection? { connections[Int(bitPattern: lws_get_opaque_user_data(wsi))] }

    /// 0 lets the accepted socket in, 1 hangs up before a byte is read.
    func admit(_ listening: OpaquePointer, descriptor: Int32) -> Int32 {
        let peer = peerName(descriptor, listener: listener(of: listening))
        let admitted =
            !stopping && peer != nil && connections.count < configuration.connectionsMax
            && perAddress[peer ?? "", default: 0] < configuration.connectionsPerAddressMax
        mailbox.count { if admitted { $0.connectionsAccepted += 1 } else { $0.connectionsRefused += 1 } }
        return admitted ? 0 : 1
    }

    func opened(_ wsi: OpaquePointer) {
        lastID += 1
        let listener = listener(of: wsi)
        let peer = peerName(lws_get_socket_fd(wsi), listener: listener) ?? "gone"
        connections[lastID] = ServerConnection(id: lastID, wsi: wsi, peer: peer, listener: listener)
        perAddress[peer, default: 0] += 1
        lws_set_opaque_user_data(wsi, UnsafeMutableRawPointer(bitPattern: lastID))
        let open = connections.count
        mailbox.count { $0.connectionsOpen = open }
    }

    func destroyed(_ wsi: OpaquePointer) {
        guard let connection = connection(wsi) else { return }
        leave(connection)
        connections[connection.id] = nil
        let left = perAddress[connection.peer, default: 1] - 1
        perAddress[connection.peer] = left > 0 ? left : nil
        let open = connections.count
        mailbox.count { $0.connectionsOpen = open }
    }

    /// The WebSocket is over, however it ended; tells the handler once.
    func leave(_ connection: ServerConnection) {
        guard connection.announced else { return }
        connection.announced = false
        connection.queue.removeAll()
        mailbox.count { $0.clientsOpen -= 1 }
        handler.closed(connection.client)
    }

    private func listener(of wsi: OpaquePointer) -> Int { Int(bitPattern: lws_vhost_user(lws_get_vhost(wsi))) - 1 }

    /// The address of a TCP peer, `unix` for a process of this user, nil for anyone else.
    private func peerName(_ descriptor: Int32, listener: Int) -> String? {
        guard configuration.listeners.indices.contains(listener) else { return nil }
        if case .unix = configuration.listeners[listener] {
            return tidewire_peer_uid(descriptor) == Int64(geteuid()) ? "unix" : nil
        }
        var text = [UInt8](repeating: 0, count: 64)
        let length = text.withUnsafeMutableBytes { tidewire_peer_address(descriptor, $0.baseAddress, Int32($0.count)) }
        return length > 0 ? String(decoding: text.prefix(Int(length)), as: UTF8.self) : nil
    }
}

private func drainTick(_ timer: UnsafeMutablePointer<lws_sorted_usec_list_t>?) {}
