// One named POSIX thread with a body, for the loops that must never sit on Swift's cooperative pool.
internal import CShim
internal import Glibc

/// A running thread that ends when its body returns. The owner joins it exactly once.
package final class SystemThread: Sendable {
    private let handle: pthread_t

    /// Starts a thread. `name` (15 bytes are kept) shows in `ps -L`; `body` runs on the new thread.
    package init(name: String, body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(ThreadBody(name: name, run: body))
        var created = pthread_t()
        let status = pthread_create(&created, nil, threadEntry, start.toOpaque())
        precondition(status == 0, "pthread_create failed with errno \(status) for thread \(name)")
        handle = created
    }

    private init(_ handle: pthread_t) { self.handle = handle }

    /// The same for work that can be done without one.
    /// - Returns: nil when the machine gives no thread now.
    package static func attempt(name: String, body: @escaping @Sendable () -> Void) -> SystemThread? {
        let start = Unmanaged.passRetained(ThreadBody(name: name, run: body))
        var created = pthread_t()
        guard pthread_create(&created, nil, threadEntry, start.toOpaque()) == 0 else {
            start.release()
            return nil
        }
        return SystemThread(created)
    }

    /// Starts a thread that nobody waits for: it ends by itself, also after its maker is gone. What `body` holds must be made for that.
    package static func detached(name: String, body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(ThreadBody(name: name, run: body))
        var created = pthread_t()
        let status = pthread_create(&created, nil, threadEntry, start.toOpaque())
        precondition(status == 0, "pthread_create failed with errno \(status) for thread \(name)")
        pthread_detach(created)
    }

    /// Waits until the body has returned. Call once, and never from the thread itself.
    package func join() {
        let status = pthread_join(handle, nil)
        precondition(status == 0, "pthread_join failed with errno \(status)")
    }
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void
    init(name: String, run: @escaping @Sendable () -> Void) { self.name = name; self.run = run }
}

private func threadEntry(_ raw: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let raw else { return nil }
    let body = Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue()
    tidewire_name_thread(body.name)
    body.run()
    return nil
}
