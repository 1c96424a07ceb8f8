// The loop under a synchronous shell: waits for sockets, timers, signals and other threads, and calls back on its own thread.
internal import CShim
internal import Glibc

/// Owned by one thread, which calls `turn` again and again; every callback runs inside `turn`, on that thread.
/// Other threads reach it only through a `LoopInbox`.
package final class EventLoop {
    let epoll: Int32
    /// One buffer for all reads of all connections: what is not consumed in the callback is the callback's to copy.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: EventLoop.readBytesMax, alignment: 16)
    private let wake: WakeUp
    private var sources: [UInt64: any LoopSource] = [:]
    private var lastToken: UInt64 = 0
    /// Each takes what waits; true when there was something.
    private var inboxes: [() -> Bool] = []
    /// When they were last looked at, in monotonic milliseconds.
    private var lookedAt: Int64 = 0
    private var timers = TimerQueue()
    private let resolve: @Sendable (String) -> NameAnswer
    /// Made when the first name is met.
    private(set) lazy var lookups = NameLookups(self, resolve: resolve)
    private var ready = [tidewire_ready](repeating: tidewire_ready(), count: EventLoop.eventsMax)

    /// One `read` of a socket.
    static let readBytesMax = 64 * 1_024
    /// Ready descriptors taken by one turn; the rest come with the next.
    private static let eventsMax = 64
    private static let wakeToken: UInt64 = 0
    /// A wake-up is a write, and a write may fail: a message whose wake-up was lost waits no longer than this.
    private static let lookEveryMillis: Int64 = 1_000

    /// `resolve` finds the addresses of a host name; it is called on threads of its own and may take its time. The system's way unless given.
    package init(resolve: @escaping @Sendable (String) -> NameAnswer = { NameLookups.system($0) }) {
        self.resolve = resolve
        tidewire_ignore_write_signals()
        epoll = tidewire_epoll()
        precondition(epoll >= 0, "epoll_create1 failed with errno \(errno)")
        wake = WakeUp()
        let status = tidewire_epoll_add(epoll, wake.descriptor, Readiness.readable, EventLoop.wakeToken)
        precondition(status == 0, "epoll_ctl failed with errno \(errno)")
    }

    deinit {
        for source in sources.values { source.loopEnded() }
        buffer.deallocate()
        close(epoll)
    }

    /// Waits for something to happen, but at most `milliseconds` (nil = until something does), and calls back what did.
    package func turn(milliseconds: Int? = nil) {
        let end = milliseconds.map { monotonicMillis() + Int64($0) } ?? .max
        while !(wait(until: end) || monotonicMillis() >= end) {}
    }

    /// Waits once and calls back what happened.
    /// - Returns: false when nothing did.
    private func wait(until end: Int64) -> Bool {
        let now = monotonicMillis()
        let limit = min(end, timers.next ?? .max, inboxes.isEmpty ? .max : now + EventLoop.lookEveryMillis)
        let count = Int(tidewire_epoll_wait(epoll, &ready, Int32(ready.count), limit == .max ? -1 : Int32(clamping: max(0, limit - now))))
        var isNews = count != 0
        for index in 0..<max(0, count) {
            let event = ready[index]
            if event.token == EventLoop.wakeToken {
                wake.drain()
                _ = look()
            } else {
                // A source closed earlier in this turn is not there any more.
                sources[event.token]?.ready(event.flags)
            }
        }
        if monotonicMillis() - lookedAt >= EventLoop.lookEveryMillis, look() { isNews = true }
        let after = monotonicMillis()
        while let body = timers.takeDue(after) {
            body()
            isNews = true
        }
        return isNews
    }

    private func look() -> Bool {
        lookedAt = monotonicMillis()
        return inboxes.reduce(false) { $1() || $0 }
    }

    /// A door for other threads. `receive` gets, within `turn`, all messages that came since it was last called, in order.
    package func inbox<Message: Sendable>(of type: Message.Type = Message.self, _ receive: @escaping ([Message]) -> Void) -> LoopInbox<Message> {
        let inbox = LoopInbox<Message>(wake: wake)
        inboxes.append {
            let messages = inbox.take()
            if !messages.isEmpty { receive(messages) }
            return !messages.isEmpty
        }
        return inbox
    }

    /// Calls `body` once, `milliseconds` from now, within `turn`.
    @discardableResult package func after(milliseconds: Int, _ body: @escaping () -> Void) -> LoopTimer {
        timers.add(at: monotonicMillis() + Int64(max(0, milliseconds)), body)
    }
    /// A timer that has fired or was cancelled may be cancelled again.
    package func cancel(_ timer: LoopTimer) { timers.cancel(timer) }

    /// Takes SIGTERM and SIGINT away from their default and reports their numbers. Call before any other thread is started,
    /// because a thread inherits what its maker blocks.
    package func signals(_ receive: @escaping (Int32) -> Void) {
        let source = SignalSource(receive)
        let token = add(source, descriptor: source.descriptor, interest: Readiness.readable)
        precondition(token != 0, "cannot watch signals: errno \(errno)")
    }

    // MARK: Sources

    /// Watches a descriptor; its token, or 0 when the kernel refused.
    func add(_ source: any LoopSource, descriptor: Int32, interest: UInt32) -> UInt64 {
        lastToken += 1
        guard tidewire_epoll_add(epoll, descriptor, interest, lastToken) == 0 else { return 0 }
        sources[lastToken] = source
        return lastToken
    }
    func change(_ descriptor: Int32, interest: UInt32, token: UInt64) {
        let status = tidewire_epoll_change(epoll, descriptor, interest, token)
        precondition(status == 0, "epoll_ctl failed with errno \(errno)")
    }
    func remove(_ descriptor: Int32, token: UInt64) {
        sources[token] = nil
        tidewire_epoll_remove(epoll, descriptor)
    }
}

/// What may be ready of a descriptor; the last two come unasked.
enum Readiness {
    static let readable = UInt32(TIDEWIRE_READABLE)
    static let writable = UInt32(TIDEWIRE_WRITABLE)
    static let hungUp = UInt32(TIDEWIRE_HUNG_UP)
    static let failed = UInt32(TIDEWIRE_FAILED)
}

/// Something with a descriptor that the loop watches.
protocol LoopSource: AnyObject {
    /// `flags` of `Readiness`.
    func ready(_ flags: UInt32)
    /// The loop is going away: close the descriptor, call nobody.
    func loopEnded()
}

private final class SignalSource: LoopSource {
    let descriptor = tidewire_signalfd()
    private let receive: (Int32) -> Void
    init(_ receive: @escaping (Int32) -> Void) { self.receive = receive }
    func ready(_ flags: UInt32) {
        while true {
            let number = tidewire_signalfd_read(descriptor)
            guard number != 0 else { return }
            receive(number)
        }
    }
    func loopEnded() { close(descriptor) }
}
