// The cloud holds the edge's ledger: never anything else, and all of it once the link has had time.
package import Values
internal import Wire

/// Invariants I2 (second half) and I9.
package struct MirrorChecker: Checker {
    package static let name = "mirror"
    private var edge = StoredRows()
    /// Places at which both were seen to be equal.
    private var compared = 0
    /// Since one of the two was set back, or while a copy speaks for the edge: they may differ until a session opens again.
    private var isApart = false
    private var hasTwin = false
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .rows(.edge, let rows):
            edge = isApart ? StoredRows() : rows
            compared = Swift.min(compared, rows.news)
            return nil
        case .rows(.cloud, let rows):
            // The edge's rows were read some time ago: only what both have can be compared.
            let both = min(rows.count, edge.count)
            defer { compared = both }
            guard let place = (min(compared, rows.news, both)..<both).first(where: { rows[$0] != edge[$0] }) else { return nil }
            return "entry \(place + 1) of the cloud is not the edge's"
        case .quiet(let edge, let cloud, _):
            guard edge.count == cloud.count else { return "the edge has \(edge.count) entries, the cloud \(cloud.count)" }
            guard let place = edge.indices.first(where: { edge[$0] != cloud[$0] }) else { return nil }
            return "entry \(place + 1) of the cloud is not the edge's"
        case .setBack, .injected(.twinStarted):
            if case .injected = observation { hasTwin = true }
            isApart = true
            edge = StoredRows()
            compared = 0
            return nil
        case .injected(.twinStopped): hasTwin = false; return nil
        case .opened(.edge): isApart = isApart && hasTwin; return nil
        default: return nil
        }
    }
}
