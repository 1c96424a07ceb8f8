// Old entries leave the database only when somebody else has them: the cloud on its disk, and a backup of the cloud that was put back on trial.
package import Values

/// What moves into segments. It remembers the most that was ever promised: a cloud put back promises less, and what has moved stays moved.
package struct ShelfChecker: Checker {
    package static let name = "shelf"
    private var acked: UInt64 = 0
    private var backedUp: UInt64 = 0
    private var moved: UInt64 = 0
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .acked(let seq, _): acked = max(acked, seq)
        case .backedUp(let seq): backedUp = max(backedUp, seq)
        case .moved(let seq):
            guard seq > moved else { return nil }
            moved = seq
            if seq > backedUp { return "entries up to \(seq) have moved, the newest backup has \(backedUp)" }
            if seq > acked { return "entries up to \(seq) have moved, the cloud has \(acked)" }
        default: break
        }
        return nil
    }
}
