// What reaches the edge's one thread from outside: signals, events of the link's thread, requests of the local socket.
internal import Platform

/// What other threads post.
enum LoopMessage: Sendable {
    case link(LinkEvent)
    case local(HTTPRequest)
}

/// Owned by the edge's thread, from before the run's first entry to its last.
package final class EdgeInbox {
    let loop = EventLoop()
    /// Taken and cleared by whoever turns the loop.
    var linkEvents: [LinkEvent] = []
    var requests: [HTTPRequest] = []
    private(set) var stopReason: String?
    private var messages: LoopInbox<LoopMessage>?

    package init() {}

    /// Watches SIGTERM, SIGINT and the other threads, once.
    func open() -> LoopInbox<LoopMessage> {
        if let messages { return messages }
        loop.signals { [unowned self] number in stopReason = number == 2 ? "interrupted at the console" : "asked to stop" }
        let fresh = loop.inbox(of: LoopMessage.self) { [unowned self] messages in
            for message in messages {
                switch message {
                case .link(let event): linkEvents.append(event)
                case .local(let request): requests.append(request)
                }
            }
        }
        messages = fresh
        return fresh
    }
}
