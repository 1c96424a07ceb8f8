// The thread under a link end: waits on its sockets and an eventfd, runs what other threads ask of it.
internal import CShim
internal import CZMQ
internal import Glibc
internal import Synchronization

/// What runs on the thread. Made on the starting thread, handed over once.
protocol LinkEngine: AnyObject, SendableMetatype {
    /// The sockets to wait on, in the order of `ready`'s indices; asked anew each turn.
    var waiting: [LinkSocket] { get }
    /// When to be called without news, in monotonic milliseconds.
    var deadline: Int64? { get }
    /// One turn: read what is there, do what is due.
    func turn()
}

/// The door to the thread. Jobs run in order; a job posted after the end is dropped, and its caller told so.
final class LinkThread<Engine: LinkEngine>: Sendable {
    private struct Job: Sendable {
        let run: @Sendable (Engine) -> Void
        let drop: @Sendable () -> Void
    }
    private struct State {
        var jobs: [Job] = []
        var stopping = false
        var ended = false
        var identity: pthread_t?
        var thread: SystemThread?
    }
    private let state = Mutex(State())
    private let wake = tidewire_eventfd()
    /// A wake-up is a write, and a write may fail: who waits for an answer, or for the end, waits no longer than this for a lost one.
    private static var lookEveryMillis: Int64 { 1_000 }

    /// `make` has run already: `engine` moves to the new thread and is released there.
    func start(name: String, _ engine: Engine) {
        let address = UInt(bitPattern: Unmanaged.passRetained(engine).toOpaque())
        let thread = SystemThread(name: name) { @Sendable in
            guard let raw = UnsafeRawPointer(bitPattern: address) else { return }
            self.run(Unmanaged<Engine>.fromOpaque(raw).takeRetainedValue())
        }
        state.withLock { $0.thread = thread }
    }

    deinit { close(wake) }

    /// Runs `body` on the thread and waits for its answer; nil when the thread has ended. Never call it from the thread itself.
    func call<Answer: Sendable>(_ body: @escaping @Sendable (Engine) -> Answer) -> Answer? {
        let reply = Reply<Answer>()
        let posted = post(Job(run: { reply.set(body($0)) }, drop: { reply.set(nil) }))
        return posted ? reply.wait() : nil
    }

    /// Whether the caller is on the link's thread, where `call` would wait for itself.
    var isCurrent: Bool { state.withLock { $0.identity.map { pthread_equal($0, pthread_self()) != 0 } ?? false } }

    private func post(_ job: Job) -> Bool {
        let posted = state.withLock { state in
            guard !state.ended else { return false }
            state.jobs.append(job)
            return true
        }
        if posted { tidewire_eventfd_signal(wake) }
        return posted
    }

    /// Ends the thread after the jobs posted so far; its engine, and with it the sockets and the context, is gone on return.
    func stop() {
        let thread = state.withLock { state in
            state.stopping = true
            let thread = state.thread
            state.thread = nil
            return thread
        }
        tidewire_eventfd_signal(wake)
        thread?.join()
    }

    private func run(_ engine: Engine) {
        state.withLock { $0.identity = pthread_self() }
        while true {
            wait(engine)
            tidewire_eventfd_drain(wake)
            let (jobs, stopping) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.stopping)
            }
            for job in jobs { job.run(engine) }
            if stopping { break }
            engine.turn()
        }
        let late = state.withLock { state in
            state.ended = true
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in late { job.drop() }
    }

    private func wait(_ engine: Engine) {
        let sockets = engine.waiting
        var items = sockets.map { zmq_pollitem_t(socket: $0.raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }
        items.append(zmq_pollitem_t(socket: nil, fd: wake, events: Int16(ZMQ_POLLIN), revents: 0))
        let wait = engine.deadline.map { max(0, $0 - monotonicMillis()) } ?? LinkThread.lookEveryMillis
        _ = zmq_poll(&items, Int32(items.count), Int(min(wait, LinkThread.lookEveryMillis)))
        withExtendedLifetime(sockets) {}
    }
}

/// A value handed from the link's thread to one waiting caller.
private final class Reply<Answer: Sendable>: Sendable {
    private let value = Mutex<Answer?>(nil)
    private let done = Semaphore()
    func set(_ answer: Answer?) {
        value.withLock { $0 = answer }
        done.signal()
    }
    func wait() -> Answer? {
        done.wait()
        return value.withLock { $0 }
    }
}
