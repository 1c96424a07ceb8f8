// No order without a durable intent: every tag the broker ever saw is in an intent that survived the edge's power cuts.
package import Values
internal import Wire

/// Invariant I4.
package struct IntentChecker: Checker {
    package static let name = "intent"
    private var placed: Set<String> = []
    private var intended = RowFold(Set<String>())
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .placed(let tag):
            placed.insert(tag)
            return nil
        case .rows(.edge, let rows):
            _ = intended.follow(rows) { tags, row in
                if row.kind == 10 { tags.formUnion(IntentChecker.tags(row.body)) }
                return nil
            }
            let missing = placed.subtracting(intended.state)
            return missing.isEmpty ? nil : "the broker has orders whose intent is not on the edge's disk: \(missing.sorted())"
        case .setBack(.edge):
            // Intents of before may be gone with the end of the ledger; they were seen when they were there.
            placed = []
            return nil
        default: return nil
        }
    }

    /// The tags in an intent's body, read without the ledger's own reader of intents.
    static func tags(_ body: [UInt8]) -> [String] {
        guard let value = try? JSONReader.read(body) else { return [] }
        return (value["legs"]?.elements ?? []).compactMap { $0["tag"]?.text }
    }
}
