// The loop: other threads, timers, and TCP connections in all their ends.
import Glibc
import Platform
import Synchronization
import Testing

/// Collects what a connection tells.
private final class Recorder: TCPOwner {
    var bytes: [UInt8] = []
    var openings = 0
    var drains = 0
    var closes: [TCPClose] = []
    var onBytes: (TCPConnection, [UInt8]) -> Void = { _, _ in }
    func opened(_ connection: TCPConnection) { openings += 1 }
    func received(_ bytes: RawSpan, on connection: TCPConnection) {
        let copy = bytes.withUnsafeBytes { Array($0) }
        self.bytes += copy
        onBytes(connection, copy)
    }
    func drained(_ connection: TCPConnection) { drains += 1 }
    func closed(_ connection: TCPConnection, _ reason: TCPClose) { closes.append(reason) }
}

extension EventLoop {
    /// Turns until the condition holds, at most for ten seconds.
    fileprivate func turns(until condition: () -> Bool) -> Bool {
        var late = false
        let limit = after(milliseconds: 10_000) { late = true }
        while !condition() && !late { turn(milliseconds: 1_000) }
        cancel(limit)
        return condition()
    }
}

struct EventLoopTests {
    @Test func messagesOfOtherThreadsArriveInOrderOnTheLoopsThread() {
        let loop = EventLoop()
        var received: [Int] = []
        var thread: pthread_t?
        let inbox = loop.inbox(of: Int.self) {
            received += $0
            thread = pthread_self()
        }
        let producers = (0..<4).map { part in
            SystemThread(name: "producer") { for n in 0..<1_000 { inbox.post(part * 10_000 + n) } }
        }
        #expect(loop.turns { received.count == 4_000 })
        for producer in producers { producer.join() }
        for part in 0..<4 { #expect(received.filter { $0 / 10_000 == part } == (0..<1_000).map { part * 10_000 + $0 }) }
        #expect(thread.map { pthread_equal($0, pthread_self()) != 0 } == true && inbox.count == 0)
    }

    @Test func timersFireInOrderAndOnlyWhenDue() {
        let loop = EventLoop()
        var fired: [Int] = []
        for delay in [30, 10, 20, 10] { loop.after(milliseconds: delay) { fired.append(delay) } }
        let cancelled = loop.after(milliseconds: 15) { fired.append(-1) }
        loop.cancel(cancelled)
        loop.cancel(cancelled)
        loop.after(milliseconds: 60_000) { fired.append(60_000) }
        loop.turn(milliseconds: 0)
        #expect(fired.isEmpty || fired == [10, 10])
        #expect(loop.turns { fired.count == 4 })
        #expect(fired == [10, 10, 20, 30])
    }

    @Test func aTimerMaySetAnother() {
        let loop = EventLoop()
        var count = 0
        func again() {
            count += 1
            if count < 5 { loop.after(milliseconds: 1, again) }
        }
        loop.after(milliseconds: 0, again)
        #expect(loop.turns { count == 5 })
    }

    /// On a thread of its own: the signals stay blocked on the thread that asked for them.
    @Test func signalsBecomeCallbacks() {
        let received = Letterbox<Int32>()
        let thread = SystemThread(name: "signals") {
            let loop = EventLoop()
            var count = 0
            loop.signals { number in
                received.put(number)
                count += 1
            }
            // `raise` signals the calling thread alone.
            raise(SIGTERM)
            raise(SIGINT)
            _ = loop.turns { count == 2 }
        }
        thread.join()
        let first = received.take(), second = received.take()
        #expect([first, second].contains(SIGTERM) && [first, second].contains(SIGINT))
    }

    @Test func bytesGoBothWays() throws {
        let loop = EventLoop()
        let serverSide = Recorder(), clientSide = Recorder()
        serverSide.onBytes = { connection, bytes in _ = connection.send(bytes.map { $0 &+ 1 }) }
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { _ in serverSide }
        let client = loop.connect(host: "localhost", port: listener.port, timeoutMillis: 5_000, owner: clientSide)
        // Sent before the connection is there: queued, not lost.
        #expect(client.send([1, 2, 3]) == .queued)
        #expect(loop.turns { clientSide.bytes == [2, 3, 4] })
        #expect(clientSide.openings == 1 && client.isOpen && client.peerAddress == "127.0.0.1")
        client.close()
        #expect(client.send([1]) == .closed)
        #expect(loop.turns { serverSide.closes == [.byPeer] })
        #expect(clientSide.closes.isEmpty)
    }

    @Test func aBigWriteIsQueuedWithinItsBoundAndArrivesWhole() throws {
        let loop = EventLoop()
        let reader = Recorder(), writer = Recorder()
        var accepted: TCPConnection?
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { connection in
            accepted = connection
            return reader
        }
        let client = loop.connect(host: "127.0.0.1", port: listener.port, timeoutMillis: 5_000, queuedBytesMax: 1_000_000, owner: writer)
        #expect(loop.turns { client.isOpen && accepted != nil })
        accepted?.pause()
        let chunk = (0..<100_000).map { UInt8($0 & 0xFF) }
        var taken = 0, answer = TCPSend.written
        while taken < 1_000, answer != .full {
            answer = client.send(chunk)
            if answer != .full { taken += 1 }
        }
        #expect(answer == .full && client.queuedBytes <= 1_000_000 && client.queuedBytes > 900_000)
        loop.turn(milliseconds: 20)
        #expect(reader.bytes.count < taken * chunk.count && writer.drains == 0)
        accepted?.resume()
        #expect(loop.turns { reader.bytes.count == taken * chunk.count })
        #expect(loop.turns { writer.drains == 1 })
        #expect((0..<taken).allSatisfy { reader.bytes[($0 * chunk.count)..<(($0 + 1) * chunk.count)].elementsEqual(chunk) })
    }

    @Test func closeAfterFlushingDeliversEverything() throws {
        let loop = EventLoop()
        let reader = Recorder(), writer = Recorder()
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { _ in reader }
        let client = loop.connect(host: "127.0.0.1", port: listener.port, timeoutMillis: 5_000, queuedBytesMax: 32 << 20, owner: writer)
        #expect(loop.turns { client.isOpen })
        #expect(client.send([UInt8](repeating: 5, count: 16 << 20)) == .queued)
        client.close(flushing: true)
        #expect(client.send([1]) == .closed)
        #expect(loop.turns { reader.closes == [.byPeer] })
        #expect(reader.bytes.count == 16 << 20 && writer.closes.isEmpty)
    }

    @Test func aPausedReaderStillGetsWhatThePeerSentBeforeLeaving() throws {
        let loop = EventLoop()
        let reader = Recorder()
        var accepted: TCPConnection?
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { connection in
            accepted = connection
            connection.pause()
            return reader
        }
        var socket = RawSocket(port: listener.port)
        socket?.send([7, 8, 9])
        socket = nil
        #expect(loop.turns { accepted != nil })
        loop.turn(milliseconds: 20)
        loop.turn(milliseconds: 20)
        #expect(reader.bytes.isEmpty && reader.closes.isEmpty)
        accepted?.resume()
        #expect(loop.turns { reader.closes == [.byPeer] })
        #expect(reader.bytes == [7, 8, 9])
    }

    @Test func endsAreToldOnceAndByName() throws {
        let loop = EventLoop()
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { _ in nil }
        let port = listener.port
        let refusedByUs = Recorder()
        _ = loop.connect(host: "127.0.0.1", port: port, timeoutMillis: 5_000, owner: refusedByUs)
        #expect(loop.turns { refusedByUs.closes.count == 1 })
        listener.close()
        listener.close()
        let nobody = Recorder()
        _ = loop.connect(host: "127.0.0.1", port: port, timeoutMillis: 5_000, owner: nobody)
        #expect(nobody.closes.isEmpty)
        #expect(loop.turns { nobody.closes == [.unreachable(ECONNREFUSED)] })
        let nameless = Recorder()
        _ = loop.connect(host: "no such host", port: 1, timeoutMillis: 5_000, owner: nameless)
        #expect(loop.turns { nameless.closes.count == 1 })
        #expect(nameless.closes.first.map { "\($0)".hasPrefix("cannot resolve no such host: ") } == true)
        #expect(nobody.openings == 0 && nobody.closes.count == 1)
    }

    /// The name service hangs: the loop goes on with its timers and its other connections, and says what it waited for.
    @Test func aNameThatIsLookedUpDoesNotHoldUpTheLoop() throws {
        let gate = Mutex(0)
        let loop = EventLoop { host in
            gate.withLock { asked in
                asked += 1
                return host == "gateway.example" ? .addresses(["127.0.0.1"]) : .unknown("no such name")
            }
        }
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { _ in Recorder() }
        let (early, late, unknown, direct) = (Recorder(), Recorder(), Recorder(), Recorder())
        gate.withLock { _ in
            _ = loop.connect(host: "gateway.example", port: listener.port, timeoutMillis: 30, owner: early)
            _ = loop.connect(host: "gateway.example", port: listener.port, timeoutMillis: 9_000, owner: late)
            _ = loop.connect(host: "nowhere.example", port: listener.port, timeoutMillis: 9_000, owner: unknown)
            _ = loop.connect(host: "127.0.0.1", port: listener.port, timeoutMillis: 9_000, owner: direct)
            var ticks = 0
            func again() {
                ticks += 1
                loop.after(milliseconds: 1, again)
            }
            again()
            #expect(loop.turns { ticks > 20 && direct.openings == 1 && early.closes.count == 1 })
            #expect(early.closes == [.unresolved(name: "gateway.example", why: "no answer from the name service in time")])
            #expect("\(early.closes[0])" == "cannot resolve gateway.example: no answer from the name service in time")
        }
        #expect(loop.turns { late.openings == 1 && unknown.closes.count == 1 })
        #expect(unknown.closes == [.unresolved(name: "nowhere.example", why: "no such name")] && early.openings == 0)
        #expect(gate.withLock { $0 } == 2, "one thread a name")
    }

    @Test func aConnectionThatDoesNotComeTimesOut() throws {
        let loop = EventLoop()
        // A listener whose queue is full does not answer: nobody accepts on it, because its loop is never turned.
        let deaf = EventLoop()
        let listener = try deaf.listen(host: "127.0.0.1", port: 0) { _ in nil }
        var late: [Recorder] = []
        for _ in 0..<80 {
            let recorder = Recorder()
            late.append(recorder)
            _ = loop.connect(host: "127.0.0.1", port: listener.port, timeoutMillis: 100, owner: recorder)
        }
        #expect(loop.turns { late.contains { $0.closes == [.timedOut] } })
    }

    @Test func aResetIsNoCrash() throws {
        let loop = EventLoop()
        let recorder = Recorder()
        var accepted: TCPConnection?
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { connection in
            accepted = connection
            return recorder
        }
        var socket = RawSocket(port: listener.port)
        #expect(loop.turns { accepted != nil })
        #expect(accepted?.send([UInt8](repeating: 1, count: 100_000)) != .closed)
        // Closing with unread bytes makes the kernel send a reset.
        socket = nil
        #expect(socket == nil && loop.turns { recorder.closes.count == 1 })
        #expect(accepted?.send([1]) == .closed && accepted?.isOpen == false)
    }

    @Test func aTakenPortAndABadAddressAreErrors() throws {
        let loop = EventLoop()
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { _ in nil }
        #expect(throws: TCPListenError(host: "127.0.0.1", port: listener.port, code: EADDRINUSE)) {
            _ = try loop.listen(host: "127.0.0.1", port: listener.port) { _ in nil }
        }
        #expect(throws: TCPListenError(host: "nowhere", port: 0, code: EINVAL)) { _ = try loop.listen(host: "nowhere", port: 0) { _ in nil } }
    }

    @Test func aConnectionOutlivesItsLoopHarmlessly() throws {
        var loop: EventLoop? = EventLoop()
        let recorder = Recorder()
        var accepted: TCPConnection?
        let listener = try #require(
            try loop?.listen(host: "127.0.0.1", port: 0) { connection in
                accepted = connection
                return recorder
            })
        let socket = try #require(RawSocket(port: listener.port))
        #expect(loop?.turns { accepted != nil } == true)
        loop = nil
        #expect(accepted?.send([1]) == .closed && recorder.closes.isEmpty && socket.isClosedByPeer())
        accepted?.close()
    }
}
