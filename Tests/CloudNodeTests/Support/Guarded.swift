// A value behind a lock, and a letterbox between threads, for tests with real sockets.
import Dispatch
import Synchronization

/// One value, one lock.
final class Guarded<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
    func with<Answer: Sendable>(_ body: @Sendable (inout Value) -> Answer) -> Answer { value.withLock { body(&$0) } }
}

/// Values from other threads; taking gives up after ten seconds, so that a test fails instead of hanging.
final class Letterbox<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    private let filled = DispatchSemaphore(value: 0)
    func put(_ value: Value) {
        values.withLock { $0.append(value) }
        filled.signal()
    }
    func take() -> Value? {
        guard filled.wait(timeout: .now() + 10) == .success else { return nil }
        return values.withLock { $0.removeFirst() }
    }
}
