// One history goes on only by a person's word: a new epoch begins with the entry that names what was given up, and nothing changes places without it.
package import Values
internal import Wire

/// Invariant I14, its middle part: never merged silently.
package struct LineageChecker: Checker {
    package static let name = "lineage"
    private var edge = RowFold(UInt32(1)), cloud = RowFold(UInt32(1))
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .rows(.edge, let rows): return edge.follow(rows, LineageChecker.follow)
        case .rows(.cloud, let rows): return cloud.follow(rows, LineageChecker.follow)
        default: return nil
        }
    }

    private static func follow(_ epoch: inout UInt32, _ row: EntryRow) -> String? {
        guard row.epoch != epoch else { return row.kind == 6 ? "entry \(row.seq) decides about histories and begins no epoch" : nil }
        guard row.epoch == epoch + 1 else { return "entry \(row.seq) is of epoch \(row.epoch), the one before of epoch \(epoch)" }
        guard row.kind == 6, let body = try? JSONReader.read(row.body), let by = body["decidedBy"]?.text, by.hasPrefix("cloud:") else {
            return "epoch \(row.epoch) begins with entry \(row.seq), which no person decided"
        }
        guard body["ours"]?["hash"]?.text == Hex.text(row.prev) else { return "entry \(row.seq) continues another history than it names" }
        epoch = row.epoch
        return nil
    }
}
