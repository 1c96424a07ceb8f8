// Both ledgers are whole: numbers without holes, each entry hashed over its own bytes and the hash before. The layout is written here a second time.
package import Values
internal import Wire

/// Invariant I1.
package struct ChainChecker: Checker {
    package static let name = "chain"
    /// What was found good before, so that only new or changed rows are hashed again.
    private var good: [LedgerSide: [EntryRow]] = [:]
    private let edge: EdgeID
    package init(edge: EdgeID) { self.edge = edge }

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        guard case .rows(let side, let rows) = observation else { return nil }
        let known = good[side] ?? []
        var before = [UInt8](repeating: 0, count: 32)
        var clock = Int64.min
        var run: (boot: UInt64, mono: Int64)?
        for (index, row) in rows.enumerated() {
            guard row.seq == UInt64(index + 1) else { return "\(side): entry \(row.seq) stands at place \(index + 1)" }
            guard row.prev == before else { return "\(side): entry \(row.seq) does not follow the one before" }
            let isKnown = known.indices.contains(index) && known[index] == row
            guard isKnown || Hashing.blake2b(bytes(row)) == row.hash else { return "\(side): entry \(row.seq) has another hash than its bytes" }
            guard row.hlc > clock else { return "\(side): the hybrid clock stands still at entry \(row.seq)" }
            if let run, run.boot == row.boot, row.mono < run.mono { return "\(side): the boot clock runs back at entry \(row.seq)" }
            before = row.hash
            clock = row.hlc
            run = (row.boot, row.mono)
        }
        good[side] = rows
        return nil
    }

    private func bytes(_ row: EntryRow) -> [UInt8] {
        var out = Array("tidewire.ledger1".utf8)
        func little(_ value: UInt64, _ count: Int) { for place in 0..<count { out.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place))) } }
        out.append(1)
        out += edge.bytes
        little(UInt64(row.epoch), 4)
        little(row.seq, 8)
        little(row.boot, 8)
        for time in [row.wall, row.mono, row.hlc] { little(UInt64(bitPattern: time), 8) }
        for number in [row.kind, row.kver, row.flags] { little(UInt64(number), 2) }
        let ref = row.ref ?? []
        out.append(UInt8(ref.count))
        out += ref
        little(UInt64(row.body.count), 4)
        return out + row.prev + row.body
    }
}
