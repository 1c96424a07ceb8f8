// Every signature in the ledger is by the key that the ledger itself names: the first one, or one that the key before announced. Written a second time.
package import Values
internal import Wire

/// The keys that sign, over both ledgers: checkpoints (kind 3), changes of the ledger's key (9) and of the link's (91).
package struct KeyChecker: Checker {
    package static let name = "keys"
    private static let day: Int64 = 86_400_000_000_000
    /// The key in use, and the one before it with the end of its day.
    private struct Keys: Sendable {
        var now: [UInt8]?
        var before: (key: [UInt8], until: Int64)?
    }
    private var edgeEnd = RowFold(Keys()), cloudEnd = RowFold(Keys())
    private let edge: EdgeID
    package init(edge: EdgeID) { self.edge = edge }

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        let edge = edge
        switch observation {
        case .rows(.edge, let rows): return edgeEnd.follow(rows) { KeyChecker.follow(&$0, $1, edge) }.map { "edge: \($0)" }
        case .rows(.cloud, let rows): return cloudEnd.follow(rows) { KeyChecker.follow(&$0, $1, edge) }.map { "cloud: \($0)" }
        default: return nil
        }
    }

    private static func follow(_ keys: inout Keys, _ row: EntryRow, _ edge: EdgeID) -> String? {
        guard [3, 9, 91].contains(row.kind) else { return nil }
        guard let body = try? JSONReader.read(row.body) else { return "entry \(row.seq) cannot be read" }
        func bytes(_ name: String) -> [UInt8] { Hex.bytes(body[name]?.text ?? "") ?? [] }
        var said = Array((row.kind == 3 ? "tidewire.checkpoint1" : row.kind == 9 ? "tidewire.keyrotate1" : "tidewire.linkkey1").utf8) + edge.bytes
        for place in 0..<4 { said.append(UInt8(truncatingIfNeeded: row.epoch >> UInt32(8 * place))) }
        for place in 0..<8 { said.append(UInt8(truncatingIfNeeded: (row.seq - 1) >> UInt64(8 * place))) }
        said += row.prev
        let isInDay = keys.before.map { row.wall <= $0.until } ?? false
        switch row.kind {
        case 3:
            let key = bytes("key")
            guard keys.now == nil || key == keys.now || (isInDay && key == keys.before?.key) else {
                return "checkpoint \(row.seq) is signed by a key that this ledger does not name"
            }
            guard Signing.verifies(bytes("signature"), over: said + bytes("digest"), by: key) else { return "checkpoint \(row.seq) is not signed" }
            keys.now = keys.now ?? key
        case 9:
            let (old, key) = (bytes("old"), bytes("key"))
            guard keys.now == nil || old == keys.now else { return "entry \(row.seq) follows a key that does not sign this ledger" }
            guard Signing.verifies(bytes("signature"), over: said + old + key, by: old),
                Signing.verifies(bytes("proof"), over: said + old + key, by: key)
            else { return "the change of keys in entry \(row.seq) is not signed" }
            keys = Keys(now: key, before: (old, row.wall + day))
        default:
            guard let now = keys.now else { return nil }
            let signers = [now] + (isInDay ? [keys.before?.key ?? []] : [])
            guard signers.contains(where: { Signing.verifies(bytes("signature"), over: said + bytes("old") + bytes("key"), by: $0) }) else {
                return "the link's key in entry \(row.seq) is not announced by this ledger's key"
            }
        }
        return nil
    }
}
