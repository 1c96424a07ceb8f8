// One intent, one order: no tag goes to the broker twice.
package import Values

/// Invariant I3.
package struct OnceChecker: Checker {
    package static let name = "once"
    private var placed: Set<String> = []
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        guard case .placed(let tag) = observation else { return nil }
        return placed.insert(tag).inserted ? nil : "the broker was asked twice for the order \(tag)"
    }
}
