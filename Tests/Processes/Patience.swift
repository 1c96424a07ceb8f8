// Waiting for something that other processes do: look, turn a loop for a moment, look again, until a deadline.
internal import Platform
internal import Values

/// Owned by one thread.
package final class Patience {
    private let loop = EventLoop()
    /// Between two looks.
    private static let lookMillis = 25
    package init() {}

    /// Nothing happens for so long, but what `body` holds open.
    package func pass(milliseconds: Int) {
        let end = SystemClock.monotonic() + .milliseconds(Int64(milliseconds))
        while SystemClock.monotonic() < end { loop.turn(milliseconds: min(milliseconds, Patience.lookMillis)) }
    }

    /// The first answer that is not nil.
    /// - Parameter excuse: called when time is up, to say how things stand.
    package func first<Answer>(
        _ what: String, within seconds: Int = 20, excuse: () -> String = { "" }, _ look: () throws -> Answer?
    ) throws -> Answer {
        let end = SystemClock.monotonic() + .seconds(Int64(seconds))
        while true {
            if let answer = try look() { return answer }
            guard SystemClock.monotonic() < end else {
                throw ProcessTrouble("not within \(seconds) s: \(what). \(excuse())")
            }
            loop.turn(milliseconds: Patience.lookMillis)
        }
    }

    /// Until `look` holds.
    package func until(_ what: String, within seconds: Int = 20, excuse: () -> String = { "" }, _ look: () throws -> Bool) throws {
        _ = try first(what, within: seconds, excuse: excuse) { try look() ? true : nil }
    }

    /// A port of 127.0.0.1 that nobody has at the moment, for a program that listens on it later. It lies below those that the kernel hands out by
    /// itself: one of these would be given to somebody's connection in between.
    package func freePort() throws -> Int {
        for _ in 0..<1_000 {
            let port = Int.random(in: 10_000..<Patience.handedOut)
            guard let listener = try? loop.listen(host: "127.0.0.1", port: port, accept: { _ in nil }) else { continue }
            listener.close()
            return port
        }
        throw ProcessTrouble("no port below \(Patience.handedOut) is free")
    }

    /// The least port that the kernel hands out by itself, unless somebody has set another (ip(7), `ip_local_port_range`).
    private static let handedOut = 32_768
}
