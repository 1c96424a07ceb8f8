// The broker's TCP connection under a session: wishes in, transport events and bytes out, all on the loop's thread.
package import Platform
internal import Values
package import Venues

/// Connects to one address when asked, never by itself: the session alone decides when.
package final class BrokerSocket: TCPOwner {
    private let loop: EventLoop
    private let host: String
    private let port: Int
    private let told: (AgentInput) -> Void
    private var connection: TCPConnection?
    /// How long a connect may take before it is told as failed. Milliseconds.
    private static let connectMillisMax = 5_000
    /// Unwritten bytes: a gateway that reads nothing for this long is a broken one.
    private static let queuedBytesMax = 1 << 20

    /// `told` gets what happens, in order.
    package init(_ loop: EventLoop, host: String, port: Int, told: @escaping (AgentInput) -> Void) {
        self.loop = loop; self.host = host; self.port = port; self.told = told
    }

    package func take(_ wish: TransportWish) {
        switch wish {
        case .connect: connect(to: port)
        case .connectTo(let port): connect(to: port)
        case .disconnect:
            connection?.close()
            connection = nil
        }
    }

    private func connect(to port: Int) {
        connection?.close()
        connection = loop.connect(
            host: host, port: port, timeoutMillis: BrokerSocket.connectMillisMax, queuedBytesMax: BrokerSocket.queuedBytesMax, owner: self)
    }

    /// Bytes that cannot be taken end the connection: half an order must never be all that arrives.
    package func write(_ bytes: [UInt8]) {
        guard let connection else { return }
        switch connection.send(bytes) {
        case .written, .queued: break
        case .full, .closed:
            connection.close()
            self.connection = nil
            told(.transport(.disconnected("the gateway takes no more bytes")))
        }
    }

    package func opened(_ connection: TCPConnection) {
        guard connection === self.connection else { return }
        told(.transport(.connected))
    }

    package func received(_ bytes: RawSpan, on connection: TCPConnection) {
        guard connection === self.connection else { return }
        told(.bytes(bytes.withUnsafeBytes { Array($0) }))
    }

    package func closed(_ connection: TCPConnection, _ reason: TCPClose) {
        guard connection === self.connection else { return }
        self.connection = nil
        told(.transport(.disconnected("\(reason)")))
    }
}
