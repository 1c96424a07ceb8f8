// How other threads reach a loop: messages in a locked list, and an eventfd that ends its wait.
internal import CShim
internal import Glibc
internal import Synchronization

/// Messages for a loop from any thread, taken whole and in order. After the loop is gone they are kept and nobody reads them.
package final class LoopInbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let wake: WakeUp
    init(wake: WakeUp) { self.wake = wake }

    /// Never blocks for longer than the list's lock. The list has no bound of its own: who posts keeps one.
    package func post(_ message: Message) {
        let first = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        // One wake-up serves all messages that arrive before the loop takes them.
        if first { wake.signal() }
    }
    /// Messages waiting: the measure by which a producer holds back.
    package var count: Int { messages.withLock { $0.count } }

    func take() -> [Message] {
        messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }
}

/// An eventfd, closed with its last user.
final class WakeUp: Sendable {
    let descriptor: Int32
    init() {
        descriptor = tidewire_eventfd()
        precondition(descriptor >= 0, "eventfd failed with errno \(errno)")
    }
    deinit { close(descriptor) }
    func signal() { tidewire_eventfd_signal(descriptor) }
    func drain() { tidewire_eventfd_drain(descriptor) }
}
