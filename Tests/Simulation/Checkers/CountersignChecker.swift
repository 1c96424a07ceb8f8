// A countersigned head in the edge's ledger is the cloud's word: of an entry this ledger has, that the cloud has on its disk whatever happens to its power.
package import Values
internal import Wire

/// Section 1's countersigned heads. The signature itself is the product's and the audits' to check; here the word is held to the disks.
package struct CountersignChecker: Checker {
    package static let name = "countersigned"
    private static let kind: UInt16 = 8
    /// The newest that the edge was given.
    private var word: (seq: UInt64, hash: [UInt8])?
    /// The cloud's ledger was set back: its word counts again from the next session on.
    private var isVoid = false
    /// The hashes of the edge's entries.
    private var ledger = RowFold([[UInt8]]())
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .rows(.edge, let rows): return ledger.follow(rows, CountersignChecker.take)
        case .countersigned(let seq, let hash): if !isVoid, seq > word?.seq ?? 0 { word = (seq, hash) }
        case .rows(.cloud, let rows):
            guard let word, !isVoid else { return nil }
            guard rows.count >= word.seq else { return "the cloud signed for entry \(word.seq) and holds \(rows.count) after a restart" }
            if rows[Int(word.seq) - 1].hash != word.hash { return "the cloud signed for another entry \(word.seq) than it holds" }
        case .setBack(.cloud):
            word = nil
            isVoid = true
        case .opened(.edge): isVoid = false
        default: break
        }
        return nil
    }

    private static func take(_ hashes: inout [[UInt8]], _ row: EntryRow) -> String? {
        hashes.append(row.hash)
        guard row.kind == kind else { return nil }
        guard let body = try? JSONReader.read(row.body), let seq = body["seq"]?.integerValue, let hash = Hex.bytes(body["hash"]?.text ?? "") else {
            return "countersigned head \(row.seq) cannot be read"
        }
        guard seq > 0, seq < row.seq, hashes[Int(seq) - 1] == hash else {
            return "countersigned head \(row.seq) speaks of an entry \(seq) that this ledger does not have"
        }
        return nil
    }
}
