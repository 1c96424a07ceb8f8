// One TCP connection on a loop: non-blocking reads into the loop's buffer, a bounded queue of unwritten bytes.
internal import CShim
internal import Glibc

/// What a connection tells its owner, always on the loop's thread and never from inside a call of the owner's own.
package protocol TCPOwner: AnyObject {
    /// The connection is open (not called for accepted ones, which are open from the start).
    func opened(_ connection: TCPConnection)
    /// Bytes as they came; valid during the call only.
    func received(_ bytes: RawSpan, on connection: TCPConnection)
    /// Everything queued has been handed to the kernel after `send` had answered `queued` or `full`.
    func drained(_ connection: TCPConnection)
    /// The end, told exactly once, except after the owner's own `close`.
    func closed(_ connection: TCPConnection, _ reason: TCPClose)
}

extension TCPOwner {
    package func opened(_ connection: TCPConnection) {}
    package func drained(_ connection: TCPConnection) {}
}

/// Why a connection ended.
package enum TCPClose: Hashable, Sendable, CustomStringConvertible {
    case byPeer
    case timedOut
    /// No address of the host answered: the last errno.
    case unreachable(Int32)
    /// The host's name has no address, or none was found in time: why, in words.
    case unresolved(name: String, why: String)
    case failed(Int32)
    package var description: String {
        switch self {
        case .byPeer: "closed by the peer"
        case .timedOut: "no answer in time"
        case .unreachable(let code): "not reachable: " + String(cString: strerror(code))
        case .unresolved(let name, let why): "cannot resolve \(name): \(why)"
        case .failed(let code): String(cString: strerror(code))
        }
    }
}

/// What became of a write.
package enum TCPSend: Hashable, Sendable {
    /// With the kernel.
    case written
    /// Some of it waits here and follows by itself.
    case queued
    /// Nothing of it was taken: the queue's bound would be passed. Wait for `drained`.
    case full
    case closed
}

/// Made by `EventLoop.connect` or a listener. Not Sendable: it belongs to its loop's thread. The loop keeps it alive while it is open.
package final class TCPConnection: LoopSource {
    private enum State { case connecting, open, flushing, closed }
    private unowned let loop: EventLoop
    /// Held until the end: who accepts a connection need not keep its owner elsewhere.
    private var owner: (any TCPOwner)?
    private var state: State
    private var descriptor: Int32
    private var token: UInt64 = 0
    private var interest: UInt32 = 0
    private var waiting: [UInt8] = []
    private var waitingFrom = 0
    private var owesDrained = false
    private var reading = true
    private var deadline: LoopTimer?
    private let target: (host: String, port: Int)
    /// Addresses that were not tried yet; nil until they are known.
    private var addresses: [String]?
    /// Bytes that may wait unwritten.
    private let queuedBytesMax: Int
    /// Reads of one turn, so that a flood on one socket leaves the others their share.
    private static let readsMax = 16

    /// An accepted socket.
    init(_ loop: EventLoop, accepted descriptor: Int32, queuedBytesMax: Int) {
        self.loop = loop
        self.descriptor = descriptor
        self.queuedBytesMax = queuedBytesMax
        state = .open
        target = ("", 0)
    }

    /// A connection to be made; `begin` starts it.
    init(_ loop: EventLoop, host: String, port: Int, queuedBytesMax: Int) {
        self.loop = loop
        self.queuedBytesMax = queuedBytesMax
        descriptor = -1
        state = .connecting
        target = (host, port)
    }

    /// The peer's IP address, or nil when it is gone.
    package var peerAddress: String? {
        var text = [UInt8](repeating: 0, count: 64)
        let length = text.withUnsafeMutableBytes { tidewire_peer_address(descriptor, $0.baseAddress, Int32($0.count)) }
        return length > 0 ? String(decoding: text.prefix(Int(length)), as: UTF8.self) : nil
    }
    /// Unwritten bytes.
    package var queuedBytes: Int { waiting.count - waitingFrom }
    package var isOpen: Bool { state == .open }

    // MARK: Starting

    func adopt(_ owner: any TCPOwner) {
        self.owner = owner
        watch()
    }

    func begin(_ owner: any TCPOwner, timeoutMillis: Int) {
        self.owner = owner
        deadline = loop.after(milliseconds: timeoutMillis) { [weak self] in
            guard let self, state == .connecting else { return }
            finish(addresses == nil ? .unresolved(name: target.host, why: "no answer from the name service in time") : .timedOut)
        }
        if NameLookups.isAddress(target.host) {
            addresses = [target.host]
            return tryNextAddress(last: EHOSTUNREACH)
        }
        loop.lookups.find(target.host) { [self] answer in
            guard state == .connecting else { return }
            switch answer {
            case .unknown(let why): finish(.unresolved(name: target.host, why: why))
            case .addresses(let found):
                addresses = found
                tryNextAddress(last: EHOSTUNREACH)
            }
        }
    }

    private func tryNextAddress(last: Int32) {
        var failure = last
        while addresses?.isEmpty == false, let address = addresses?.removeFirst() {
            descriptor = tidewire_tcp_connect(address, Int32(clamping: target.port))
            if descriptor >= 0 { return watch() }
            failure = errno
        }
        // Reported by the next turn, so that no callback comes from inside the owner's own call.
        loop.after(milliseconds: 0) { self.finish(.unreachable(failure)) }
    }

    private func watch() {
        interest = wanted
        token = loop.add(self, descriptor: descriptor, interest: interest)
        if token == 0 {
            let failure = errno
            loop.after(milliseconds: 0) { self.finish(.failed(failure)) }
        }
    }

    // MARK: Writing

    /// Writes at once what the kernel takes and queues the rest; order is kept.
    package func send(_ bytes: [UInt8]) -> TCPSend { send(bytes.span.bytes) }

    /// The same for borrowed bytes.
    package func send(_ bytes: RawSpan) -> TCPSend {
        guard state == .open || state == .connecting else { return .closed }
        guard queuedBytes + bytes.byteCount <= queuedBytesMax || (queuedBytes == 0 && state == .open) else {
            owesDrained = true
            return .full
        }
        var written = 0
        if queuedBytes == 0 && state == .open {
            written = bytes.withUnsafeBytes { write($0) }
            // A failure is found again by the loop, which reports it.
            if written == bytes.byteCount { return .written }
            if bytes.byteCount - written > queuedBytesMax, written == 0 {
                owesDrained = true
                return .full
            }
        }
        bytes.withUnsafeBytes { waiting.append(contentsOf: $0[written...]) }
        owesDrained = true
        updateInterest()
        return .queued
    }

    /// Bytes the kernel took, 0 when its buffer is full or the socket broken.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        var total = 0
        while total < bytes.count {
            let count = Glibc.send(descriptor, bytes.baseAddress! + total, bytes.count - total, Int32(MSG_NOSIGNAL))
            if count > 0 { total += count } else if errno != EINTR { break }
        }
        return total
    }

    private func flush() {
        let count = waiting.withUnsafeBytes { write(UnsafeRawBufferPointer(rebasing: $0[waitingFrom...])) }
        waitingFrom += count
        if queuedBytes > 0 {
            // Move the rest to the front only when half of the array is behind us.
            if waitingFrom > waiting.count / 2 {
                waiting.removeFirst(waitingFrom)
                waitingFrom = 0
            }
            return
        }
        waiting.removeAll(keepingCapacity: waiting.capacity <= EventLoop.readBytesMax)
        waitingFrom = 0
        if state == .flushing { return end() }
        updateInterest()
        if owesDrained {
            owesDrained = false
            owner?.drained(self)
        }
    }

    // MARK: Reading

    /// Stops reading, so that the peer is slowed down by its own full buffers.
    package func pause() {
        reading = false
        updateInterest()
    }
    package func resume() {
        reading = true
        if state == .open, token == 0 { watch() } else { updateInterest() }
    }

    func ready(_ flags: UInt32) {
        if state == .connecting { return connected(flags) }
        if flags & Readiness.writable != 0, queuedBytes > 0 { flush() }
        if state == .open, reading, flags & (Readiness.readable | Readiness.hungUp) != 0 { readAll() }
        if state == .flushing, flags & Readiness.hungUp != 0 { return end() }
        if state == .open, !reading, flags & Readiness.hungUp != 0, flags & Readiness.failed == 0 { return park() }
        if state != .closed, flags & Readiness.failed != 0 { finish(.failed(tidewire_socket_error(descriptor))) }
    }

    /// A hang-up is reported without being asked for, again and again; until `resume` reads what is left, the socket is not watched.
    private func park() {
        loop.remove(descriptor, token: token)
        token = 0
    }

    private func connected(_ flags: UInt32) {
        let failure = tidewire_socket_error(descriptor)
        guard failure == 0 else {
            loop.remove(descriptor, token: token)
            Glibc.close(descriptor)
            descriptor = -1
            return tryNextAddress(last: failure)
        }
        guard flags & Readiness.writable != 0 else { return }
        if let deadline { loop.cancel(deadline) }
        state = .open
        updateInterest()
        owner?.opened(self)
        if state == .open, queuedBytes > 0 { flush() }
    }

    private func readAll() {
        for _ in 0..<TCPConnection.readsMax {
            let count = recv(descriptor, loop.buffer.baseAddress, loop.buffer.count, 0)
            if count == 0 { return finish(.byPeer) }
            if count < 0 {
                let failure = errno
                if failure == EINTR { continue }
                return failure == EAGAIN ? () : finish(.failed(failure))
            }
            owner?.received(UnsafeRawBufferPointer(rebasing: loop.buffer[..<count]).bytes, on: self)
            if state != .open || !reading || count < loop.buffer.count { return }
        }
    }

    // MARK: Ending

    /// Ends the connection without a further callback; `flushing` first writes what is queued (the peer may still hang up before).
    package func close(flushing: Bool = false) {
        guard state == .open || state == .connecting else { return }
        if flushing, state == .open, queuedBytes > 0 {
            state = .flushing
            owner = nil
            updateInterest()
        } else {
            end()
        }
    }

    private func finish(_ reason: TCPClose) {
        guard state != .closed else { return }
        let owner = owner
        end()
        owner?.closed(self, reason)
    }

    private func end() {
        state = .closed
        if let deadline { loop.cancel(deadline) }
        if descriptor >= 0 {
            if token != 0 { loop.remove(descriptor, token: token) }
            Glibc.close(descriptor)
        }
        descriptor = -1
        owner = nil
        waiting = []
        waitingFrom = 0
    }

    func loopEnded() {
        state = .closed
        owner = nil
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    private var wanted: UInt32 {
        switch state {
        case .connecting: Readiness.writable
        case .open: (reading ? Readiness.readable : 0) | (queuedBytes > 0 ? Readiness.writable : 0)
        case .flushing: Readiness.writable
        case .closed: 0
        }
    }
    private func updateInterest() {
        guard token != 0, descriptor >= 0, wanted != interest else { return }
        interest = wanted
        loop.change(descriptor, interest: interest, token: token)
    }
}
