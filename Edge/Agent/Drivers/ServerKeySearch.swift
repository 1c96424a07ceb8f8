// Which key of the cloud's end of the link is tried: the one that it answered by, and the one that it announced, by turns while neither answers.
package import Values

/// Pure; the driver tells it how the connection goes and gives the socket the key that it answers with.
package struct ServerKeySearch {
    /// The key that is tried now, 32 bytes.
    package private(set) var tried: [UInt8]
    /// The key that is known to be the cloud's.
    package private(set) var proved: [UInt8]
    private var announced: [UInt8]?
    private var isConnected = false
    private var turnedAt: Span?
    private var silentSince: Span
    /// A handshake that fails right after a turn is no reason for the next: each lane fails for itself, and what the sockets before these had to say
    /// comes late.
    package static let patienceMin = Span.seconds(2)
    /// Without any word, as from a host that does not answer, the other one's turn comes after this: longer than a handshake on the slowest line takes.
    package static let patienceMax = Span.seconds(150)

    /// - Parameter announced: the key that the cloud is going to answer by, if it said so.
    package init(proved: [UInt8], announced: [UInt8]? = nil, at now: Span) {
        tried = proved; self.proved = proved; self.announced = announced; silentSince = now
    }

    /// The cloud announced this key.
    package mutating func announce(_ key: [UInt8]) { announced = key == proved ? nil : key }

    /// A handshake was made. Under which key is not certain: its word may be of the sockets before the last turn.
    package mutating func connected() { isConnected = true }

    /// A session is open: the cloud answered what was sent under the tried key.
    /// - Returns: the key when it is another than the one before; it has to be kept, as the old one is not tried again.
    package mutating func opened() -> [UInt8]? {
        guard tried != proved else { return nil }
        proved = tried
        announced = nil
        return proved
    }

    package mutating func disconnected(at now: Span) {
        guard isConnected else { return }
        isConnected = false
        silentSince = now
    }

    /// A handshake failed, by the other end or the line.
    /// - Returns: the key to try now, if it is another one.
    package mutating func failed(at now: Span) -> [UInt8]? {
        if isConnected { return nil }
        if let turnedAt, now - turnedAt < ServerKeySearch.patienceMin { return nil }
        return turn(at: now)
    }

    /// Time passed.
    /// - Returns: the key to try now, if it is another one.
    package mutating func tick(at now: Span) -> [UInt8]? { isConnected || now - silentSince < ServerKeySearch.patienceMax ? nil : turn(at: now) }

    private mutating func turn(at now: Span) -> [UInt8]? {
        guard let announced else { return nil }
        turnedAt = now
        silentSince = now
        tried = tried == proved ? announced : proved
        return tried
    }
}
