// How often somebody may try to sign in: a window and a growing wait per account and address, and a window per address.
package import Values

/// Counts tries before their passwords are looked at, so that parallel tries cannot slip through.
package struct Throttle: Sendable {
    /// Tries of one account from one address within a minute before the wait begins.
    package static let pairTriesMax = 5
    /// Tries from one address, whatever the accounts.
    package static let addressTriesMax = 20
    /// Tries of one account from all addresses; high, so that a stranger cannot lock the owner out by a few tries.
    package static let accountTriesMax = 60
    /// The longest wait after repeated failures.
    package static let waitMax = Span.minutes(15)
    /// Windows kept; beyond it the oldest tenth is forgotten (each is about 100 bytes).
    package static let windowsMax = 10_000
    private static let window = Span.minutes(1)

    private struct Window: Sendable {
        var startedAt: Instant
        var lastTry: Instant
        var tries = 0
        /// Failures in a row.
        var failures = 0
        var blockedUntil: Instant?
    }
    private var windows: [String: Window] = [:]

    package init() {}

    /// Counts one try, or answers how long to wait without counting it.
    package mutating func admit(account: String, address: String, at now: Instant) -> Span? {
        let network = Throttle.network(address)
        let limits = [
            ("p/\(account)/\(network)", Throttle.pairTriesMax), ("n/\(network)", Throttle.addressTriesMax),
            ("a/\(account)", Throttle.accountTriesMax),
        ]
        let waits = limits.compactMap { wait($0.0, limit: $0.1, at: now) }
        if let longest = waits.max() { return longest }
        for (key, _) in limits { count(key, at: now) }
        return nil
    }

    /// A wrong password: from the fifth in a row on, the wait doubles from 1 s to `waitMax`.
    package mutating func failed(account: String, address: String, at now: Instant) {
        let key = "p/\(account)/\(Throttle.network(address))"
        guard var window = windows[key] else { return }
        window.failures += 1
        if window.failures >= Throttle.pairTriesMax {
            let doublings = min(window.failures - Throttle.pairTriesMax, 20)
            window.blockedUntil = now + min(Throttle.waitMax, .seconds(Int64(1) << Int64(doublings)))
        }
        windows[key] = window
    }

    /// A right password forgets the account's failures from this address.
    package mutating func succeeded(account: String, address: String) { windows["p/\(account)/\(Throttle.network(address))"] = nil }

    /// Times are told by a clock that was set by `step`: every wait stays as long as it was.
    package mutating func clockWasSet(by step: Span) {
        windows = windows.mapValues { window in
            var moved = window
            moved.startedAt = window.startedAt + step
            moved.lastTry = window.lastTry + step
            moved.blockedUntil = window.blockedUntil.map { $0 + step }
            return moved
        }
    }

    /// The part of an address that one customer has: a whole IPv4 address, the first 64 bits of an IPv6 address.
    package static func network(_ address: String) -> String {
        guard address.contains(":"), !address.hasPrefix("::ffff:") else { return address }
        let halves = address.split(separator: ":", omittingEmptySubsequences: false)
        var groups: [String] = []
        for half in halves {
            // `::` stands for as many zero groups as are missing; within the first four it can only be followed by fewer.
            if half.isEmpty, !groups.isEmpty || halves.first?.isEmpty == true {
                while groups.count < 4 { groups.append("0") }
                break
            }
            groups.append(String(half).lowercased())
        }
        return groups.prefix(4).joined(separator: ":") + "::/64"
    }

    private mutating func wait(_ key: String, limit: Int, at now: Instant) -> Span? {
        guard let window = windows[key] else { return nil }
        if let until = window.blockedUntil, until > now { return until - now }
        guard window.tries >= limit, now - window.startedAt < Throttle.window else { return nil }
        return Throttle.window - (now - window.startedAt)
    }

    private mutating func count(_ key: String, at now: Instant) {
        if windows[key] == nil, windows.count >= Throttle.windowsMax { forgetOldest() }
        var window = windows[key] ?? Window(startedAt: now, lastTry: now)
        if now - window.startedAt >= Throttle.window { window.startedAt = now; window.tries = 0 }
        // An hour of silence ends the row of failures.
        if now - window.lastTry >= .hours(1) { window.failures = 0; window.blockedUntil = nil }
        window.tries += 1
        window.lastTry = now
        windows[key] = window
    }

    private mutating func forgetOldest() {
        let oldestFirst = windows.sorted { ($0.value.lastTry, $0.key) < ($1.value.lastTry, $1.key) }
        for (key, _) in oldestFirst.prefix(Throttle.windowsMax / 10) { windows[key] = nil }
    }
}
