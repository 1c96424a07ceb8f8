// Listening and connecting on a loop.
internal import CShim
internal import Glibc

/// A listening socket on a loop. Keeps listening until `close`.
package final class TCPListener: LoopSource {
    private unowned let loop: EventLoop
    private var descriptor: Int32
    private var token: UInt64 = 0
    private let accept: (TCPConnection) -> (any TCPOwner)?
    private let queuedBytesMax: Int
    /// The actual port.
    package let port: Int

    fileprivate init(
        _ loop: EventLoop, descriptor: Int32, queuedBytesMax: Int, accept: @escaping (TCPConnection) -> (any TCPOwner)?
    ) {
        self.loop = loop; self.descriptor = descriptor; self.accept = accept; self.queuedBytesMax = queuedBytesMax
        port = Int(tidewire_tcp_port(descriptor))
        token = loop.add(self, descriptor: descriptor, interest: Readiness.readable)
    }

    func ready(_ flags: UInt32) {
        while descriptor >= 0 {
            let accepted = tidewire_tcp_accept(descriptor)
            guard accepted >= 0 else {
                // Out of descriptors: the connection stays in the kernel's queue; a pause keeps the loop from spinning on it.
                if errno == EMFILE || errno == ENFILE { pause(milliseconds: 100) }
                return
            }
            let connection = TCPConnection(loop, accepted: accepted, queuedBytesMax: queuedBytesMax)
            guard let owner = accept(connection) else {
                connection.close()
                continue
            }
            connection.adopt(owner)
        }
    }

    private func pause(milliseconds: Int) {
        loop.change(descriptor, interest: 0, token: token)
        loop.after(milliseconds: milliseconds) { [weak self] in
            guard let self, descriptor >= 0 else { return }
            loop.change(descriptor, interest: Readiness.readable, token: token)
        }
    }

    /// Stops listening; accepted connections live on.
    package func close() {
        guard descriptor >= 0 else { return }
        loop.remove(descriptor, token: token)
        Glibc.close(descriptor)
        descriptor = -1
    }

    func loopEnded() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }
}

/// A port that cannot be listened on.
package struct TCPListenError: Error, Hashable, CustomStringConvertible {
    package let host: String
    package let port: Int
    /// errno; EINVAL also for a host that is no address.
    package let code: Int32
    package init(host: String, port: Int, code: Int32) { self.host = host; self.port = port; self.code = code }
    package var description: String { "cannot listen on \(host) port \(port): " + String(cString: strerror(code)) }
}

extension EventLoop {
    /// Listens on a numeric address; port 0 lets the system choose. `accept` names the owner of each new connection (held to its
    /// end), or nil to hang up.
    package func listen(
        host: String, port: Int, queuedBytesMax: Int = 1 << 20, accept: @escaping (TCPConnection) -> (any TCPOwner)?
    ) throws(TCPListenError) -> TCPListener {
        let descriptor = tidewire_tcp_listen(host, Int32(clamping: port))
        guard descriptor >= 0 else { throw TCPListenError(host: host, port: port, code: errno) }
        return TCPListener(self, descriptor: descriptor, queuedBytesMax: queuedBytesMax, accept: accept)
    }

    /// Connects to a host, each of its addresses in turn, and tells `owner` (held to the end) how it went. A name is looked up first, while the
    /// loop goes on; that counts towards the timeout. Bytes sent before `opened` are queued.
    package func connect(
        host: String, port: Int, timeoutMillis: Int, queuedBytesMax: Int = 1 << 20, owner: any TCPOwner
    ) -> TCPConnection {
        let connection = TCPConnection(self, host: host, port: port, queuedBytesMax: queuedBytesMax)
        connection.begin(owner, timeoutMillis: timeoutMillis)
        return connection
    }
}
