// Both ledgers are whole: numbers without holes, each entry hashed over its own bytes and the hash before. The layout is written here a second time.
package import Values
internal import Wire

/// Invariant I1.
package struct ChainChecker: Checker {
    package static let name = "chain"
    /// What the next row must follow.
    private struct Place: Sendable {
        var count: UInt64 = 0
        var hash = [UInt8](repeating: 0, count: 32)
        var clock = Int64.min
        var run: (boot: UInt64, mono: Int64)?
    }
    private var edgeEnd = RowFold(Place()), cloudEnd = RowFold(Place())
    private let edge: EdgeID
    package init(edge: EdgeID) { self.edge = edge }

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        let edge = edge
        switch observation {
        case .rows(.edge, let rows): return edgeEnd.follow(rows) { ChainChecker.follow(&$0, $1, edge) }.map { "edge: \($0)" }
        case .rows(.cloud, let rows): return cloudEnd.follow(rows) { ChainChecker.follow(&$0, $1, edge) }.map { "cloud: \($0)" }
        default: return nil
        }
    }

    private static func follow(_ end: inout Place, _ row: EntryRow, _ edge: EdgeID) -> String? {
        end.count += 1
        guard row.seq == end.count else { return "entry \(row.seq) stands at place \(end.count)" }
        guard row.prev == end.hash else { return "entry \(row.seq) does not follow the one before" }
        guard Hashing.blake2b(bytes(row, edge)) == row.hash else { return "entry \(row.seq) has another hash than its bytes" }
        guard row.hlc > end.clock else { return "the hybrid clock stands still at entry \(row.seq)" }
        if let run = end.run, run.boot == row.boot, row.mono < run.mono { return "the boot clock runs back at entry \(row.seq)" }
        end.hash = row.hash
        end.clock = row.hlc
        end.run = (row.boot, row.mono)
        return nil
    }

    private static func bytes(_ row: EntryRow, _ edge: EdgeID) -> [UInt8] {
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
