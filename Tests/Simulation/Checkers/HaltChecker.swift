// A halt falls only when somebody at the edge's console lets trading go on, whatever crashed in between.
package import Values
internal import Wire

/// Invariant I12.
package struct HaltChecker: Checker {
    package static let name = "halt"
    /// What the rows say: the level in force, and how often it was lowered.
    private struct Fold: Sendable {
        var level: Int64 = 0
        var lowered: Set<[UInt8]> = []
    }
    private var edge = RowFold(Fold())
    /// How often somebody asked for it, and the entries that did it: one of a ledger that was put back comes again with the same hash.
    private var asked = 0
    private var done: Set<[UInt8]> = []
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .lowers: asked += 1
        case .rows(.edge, let rows):
            if let words = edge.follow(rows, HaltChecker.follow) { return words }
            done.formUnion(edge.state.lowered)
            if done.count > asked { return "trading was let go on \(done.count) times, and somebody asked for it \(asked) times" }
        default: break
        }
        return nil
    }

    private static func follow(_ fold: inout Fold, _ row: EntryRow) -> String? {
        guard row.kind == 40 || row.kind == 41, let body = try? JSONReader.read(row.body), let level = body["level"]?.integerValue else { return nil }
        defer { fold.level = level }
        if row.kind == 40 {
            return level >= fold.level ? nil : "entry \(row.seq) halts at level \(level), and level \(fold.level) was in force"
        }
        fold.lowered.insert(row.hash)
        return body["source"]?.text == "console" ? nil : "entry \(row.seq) lets trading go on, and nobody at the console did"
    }
}
