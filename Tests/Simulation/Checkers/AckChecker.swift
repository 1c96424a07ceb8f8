// What the cloud acknowledged, the cloud has on disk, whatever happened to its power since.
package import Values
internal import Wire

/// Invariant I2.
package struct AckChecker: Checker {
    package static let name = "acked"
    private var highest: (seq: UInt64, hash: [UInt8]) = (0, [])
    /// The cloud's ledger was set back: what it acknowledged before counts again from the next session on.
    private var isVoid = false
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .acked(let seq, let hash):
            if seq > highest.seq, !isVoid { highest = (seq, hash) }
            return nil
        case .rows(.cloud, let rows):
            guard highest.seq > 0 else { return nil }
            guard rows.count >= highest.seq else { return "the cloud acknowledged entry \(highest.seq) and holds \(rows.count) after a restart" }
            return rows[Int(highest.seq) - 1].hash == highest.hash ? nil : "the cloud acknowledged another entry \(highest.seq) than it holds"
        case .setBack(.cloud):
            highest = (0, [])
            isVoid = true
            return nil
        case .opened(.edge):
            isVoid = false
            return nil
        default: return nil
        }
    }
}
