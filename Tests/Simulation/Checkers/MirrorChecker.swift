// The cloud holds the edge's ledger: never anything else, and all of it once the link has had time.
package import Values
internal import Wire

/// Invariants I2 (second half) and I9.
package struct MirrorChecker: Checker {
    package static let name = "mirror"
    private var edge = StoredRows()
    /// Places at which both were seen to be equal.
    private var compared = 0
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .rows(.edge, let rows):
            edge = rows
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
        case .placed, .asked, .acked: return nil
        }
    }
}
