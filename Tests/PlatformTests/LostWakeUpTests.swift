// Wake-ups that never arrive: a write that fails must not let a loop sleep on, nor a caller or a stopping process wait for ever.
import CAllocations
import Platform
import Synchronization
import Testing

/// What a thread of its own did meanwhile; nobody joins it, so that a hanging one fails a test and does not stop it.
private func finishes(within seconds: Int = 20, _ work: @escaping @Sendable () -> Void) -> Bool {
    let isDone = Flag()
    SystemThread.detached(name: "stuck") {
        work()
        isDone.raise()
    }
    return isDone.wait(seconds: seconds)
}

private final class Flag: Sendable {
    private let state = Mutex(false)
    func raise() { state.withLock { $0 = true } }
    func wait(seconds: Int) -> Bool {
        let loop = EventLoop()
        for _ in 0..<(seconds * 20) where !state.withLock({ $0 }) { loop.turn(milliseconds: 50) }
        return state.withLock { $0 }
    }
}

/// Every write of this thread fails while `body` runs.
private func losing<Value>(_ body: () throws -> Value) rethrows -> Value {
    wakeups_lose(1)
    defer { wakeups_lose(0) }
    return try body()
}

@Suite struct LostWakeUpTests {
    /// The loop looks into its inboxes now and then, whatever its eventfd says.
    @Test func aMessageWhoseWakeUpWasLostIsTaken() {
        let isTaken = finishes {
            let loop = EventLoop()
            var received: [Int] = []
            let inbox = loop.inbox(of: Int.self) { received += $0 }
            losing { inbox.post(1) }
            // The second finds the list filled and wakes nobody.
            inbox.post(2)
            while received.isEmpty { loop.turn() }
            if received != [1, 2] { Issue.record("\(received)") }
        }
        #expect(isTaken)
    }

    /// Who asks the link's thread waits for its answer; the thread hears of it without being woken.
    @Test func theLinkAnswersAndEndsWithoutWakeUps() throws {
        let keys = CurveKeys.generate()
        let configuration = LinkServerConfiguration(endpoints: [("127.0.0.1", 0)], keys: keys, verdict: LinkServerConfiguration.anyone)
        let server = try LinkServer(configuration) { _ in }
        let client = try LinkClient(LinkClientConfiguration(host: "127.0.0.1", port: server.ports[0], serverKey: keys.publicKey, keys: .generate())) {
            _ in
        }
        #expect(finishes { _ = losing { client.send([1]) } }, "a sender waits for ever")
        #expect(finishes { losing { client.stop() } }, "a client never ends")
        #expect(finishes { losing { server.stop() } }, "a server never ends")
    }
}
