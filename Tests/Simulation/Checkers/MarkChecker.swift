// A ledger that ends before the mark beside it either gets its end back or says aloud that it is gone.
package import Values
internal import Wire

/// Invariant I14, for the mark outside the database.
package struct MarkChecker: Checker {
    package static let name = "mark"
    /// Rows of the copy that was put back under a mark which had seen more.
    private var owed: Int?
    /// Runs that began to write since then. What else is new came back from the cloud.
    private var begun: Set<UInt64> = []
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .setBack(.edge): owed = nil
        case .injected(.edgeRestored(_, _, let short)):
            owed = short
            begun = []
        case .begins(let boot): begun.insert(boot)
        case .rows(.edge, let rows):
            guard let from = owed else { return nil }
            guard let first = rows.firstIndex(where: { begun.contains($0.boot) }) else { return nil }
            owed = nil
            let isTold = rows[first...].contains { row in
                if row.kind == 5 || row.kind == 6 { return true }
                guard row.kind == 40, let body = try? JSONReader.read(row.body) else { return false }
                return body["source"]?.text.map { $0 == "rule:rollback" || $0.hasPrefix("link:") } ?? false
            }
            // Trading is reduced already: the screens say the rest.
            let level =
                rows[..<first].last { $0.kind == 40 || $0.kind == 41 }.flatMap { (try? JSONReader.read($0.body))?["level"]?.integerValue } ?? 0
            return isTold || level >= 2 ? nil : "the ledger ended before its mark at entry \(from), and it went on without a word"
        default: break
        }
        return nil
    }
}
