// The HTTP and WebSocket server seen from other threads: start, answer, send, stop.
internal import CWebSockets
internal import Synchronization

/// An HTTP/1.1 and WebSocket server whose own thread owns the libwebsockets context.
///
/// All methods may be called from any thread. Nothing blocks but `stop`.
package final class WebServer: Sendable {
    let mailbox: ServerMailbox
    private let thread: Mutex<SystemThread?>
    /// The listeners' actual ports in configuration order; 0 for a unix socket.
    package let ports: [Int]

    /// Opens the listeners and starts serving. Requests may reach `handler` before this returns.
    package init(_ configuration: WebServerConfiguration, handler: any WebHandler) throws(WebServerError) {
        let mailbox = ServerMailbox()
        let loop = ServerLoop(configuration, handler: handler, mailbox: mailbox)
        try loop.open()
        self.mailbox = mailbox
        ports = loop.ports
        // The loop object moves to its thread here and is never touched from this one again.
        let address = UInt(bitPattern: Unmanaged.passRetained(loop).toOpaque())
        let thread = SystemThread(name: "web") { @Sendable in
            guard let raw = UnsafeRawPointer(bitPattern: address) else { return }
            Unmanaged<ServerLoop>.fromOpaque(raw).takeRetainedValue().run()
        }
        self.thread = Mutex(thread)
    }

    /// Answers a request that the handler kept with `.later`. A second answer, or one to a client that left, is dropped.
    package func respond(_ id: RequestID, _ response: HTTPResponse) { mailbox.post(.respond(id, response)) }
    /// Queues one frame for one client.
    package func send(_ frame: WebFrame, to client: WebClientID) { mailbox.post(.send(frame, [client])) }
    /// Queues one shared frame for many clients, or for all when `clients` is nil.
    package func broadcast(_ frame: WebFrame, to clients: [WebClientID]? = nil) { mailbox.post(.send(frame, clients)) }
    /// Sends what is queued, then closes with `code` (1000, 1001, or 4000...4999).
    package func close(_ client: WebClientID, code: UInt16, reason: String) { mailbox.post(.close(client, code, reason)) }
    /// A copy of the counters.
    package var statistics: WebServerStatistics { mailbox.statistics.withLock { $0 } }

    /// Refuses new connections, lets answers and queues drain (bounded), closes everything, ends the thread. Twice does nothing.
    package func stop() {
        let running = thread.withLock { thread in
            let running = thread
            thread = nil
            return running
        }
        guard let running else { return }
        mailbox.post(.stop)
        running.join()
    }
}

/// What other threads ask of the server's thread.
enum ServerJob: Sendable {
    case respond(RequestID, HTTPResponse)
    case send(WebFrame, [WebClientID]?)
    case close(WebClientID, UInt16, String)
    case stop
}

/// The door between other threads and the loop: a list of jobs, and the one thread-safe call of libwebsockets to wake it.
final class ServerMailbox: Sendable {
    private struct State {
        var jobs: [ServerJob] = []
        /// The context's address; 0 before it lives and from just before it dies.
        var context: UInt = 0
    }
    private let state = Mutex(State())
    let statistics = Mutex(WebServerStatistics())

    func post(_ job: ServerJob) {
        state.withLock { state in
            guard let context = OpaquePointer(bitPattern: state.context) else { return }
            state.jobs.append(job)
            // One wake-up serves all jobs that arrive before the loop takes them.
            if state.jobs.count == 1 { lws_cancel_service(context) }
        }
    }
    func take() -> [ServerJob] {
        state.withLock { state in
            let jobs = state.jobs
            state.jobs = []
            return jobs
        }
    }
    /// From here on `post` wakes `context`; nil ends that, and jobs not yet taken are dropped.
    func attach(_ context: OpaquePointer?) {
        state.withLock { state in
            state.context = UInt(bitPattern: context)
            if context == nil { state.jobs = [] }
        }
    }
    func count(_ change: (inout WebServerStatistics) -> Void) { statistics.withLock { change(&$0) } }
}
