// What is under way never exceeds what the other side has room for.
package import Values

/// Invariant I15, its first part.
package struct BoundsChecker: Checker {
    package static let name = "bounds"
    private let entries: Int
    private let bytes: Int
    private var acked: UInt64 = 0
    private var flights: [(last: UInt64, bytes: Int)] = []

    /// - Parameters:
    ///   - entries: the credit of a session.
    ///   - bytes: the same in bytes.
    package init(entries: Int, bytes: Int) { self.entries = entries; self.bytes = bytes }

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .opened(.edge), .openedLate(.edge): acked = 0; flights = []
        case .acked(let seq, _):
            acked = max(acked, seq)
            flights.removeAll { $0.last <= seq }
        case .sent(let previous, let last, let size):
            // Sent again from an earlier place: what was under way beyond it no longer counts.
            flights.removeAll { $0.last > previous }
            flights.append((last, size))
            let sum = flights.reduce(0) { $0 + $1.bytes }
            if last - min(last, acked) > UInt64(entries) { return "\(last - acked) entries are under way, the credit is \(entries)" }
            if flights.count > 1, sum > bytes { return "\(sum) bytes are under way, the credit is \(bytes)" }
        default: break
        }
        return nil
    }
}
