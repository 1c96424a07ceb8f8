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
    private var linkEvents: [LinkEvent] = []
    private let budget = LinkBudget()
    var requests: [HTTPRequest] = []
    private(set) var stopReason: String?
    private var messages: LoopInbox<LoopMessage>?

    package init() {}

    /// What a link's thread calls with each event.
    func linkHandler() -> @Sendable (LinkEvent) -> Void {
        let (messages, budget) = (open(), budget)
        return { event in if budget.offer(event) { messages.post(.link(event)) } }
    }

    /// The link's events since last asked, oldest first.
    func takeLinkEvents() -> [LinkEvent] {
        defer { linkEvents.removeAll(keepingCapacity: true) }
        for event in linkEvents { budget.release(event) }
        return linkEvents
    }

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
