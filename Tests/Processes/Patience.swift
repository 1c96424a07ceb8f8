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

    /// A port of 127.0.0.1 that nobody has at the moment.
    package func freePort() throws -> Int {
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { _ in nil }
        defer { listener.close() }
        return listener.port
    }
}
