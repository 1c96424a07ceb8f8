// A counting semaphore for a thread that waits for another.
internal import Glibc

/// Sendable by this proof: the POSIX semaphore lies at one fixed address, and its calls are the kind made for several threads.
final class Semaphore: @unchecked Sendable {
    private let raw: UnsafeMutablePointer<sem_t>
    init() {
        raw = .allocate(capacity: 1)
        raw.initialize(to: sem_t())
        sem_init(raw, 0, 0)
    }
    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }
    func signal() { sem_post(raw) }
    /// Waits for one `signal`; a signal handler that interrupts does not end the wait.
    func wait() { while sem_wait(raw) != 0 && errno == EINTR {} }
}
