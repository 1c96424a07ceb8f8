// How far a backup reaches that was put back on trial: from the console, into the store, down to the edges.
internal import Control
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Views
internal import Wire

/// Where control.db keeps how far the newest verified backup holds an edge's ledger.
enum BackupMark {
    static func key(_ edge: EdgeID) -> String { "backup:\(edge)" }
}

extension Node {
    /// POST /console/store/backed-up. What this store does not have as the backup has it is not taken: it would be another store's.
    func consoleBackedUp(_ call: Call) throws -> Reply {
        let heads = try BackedUpHead.list(call.request.body)
        for (edge, head) in heads where enrolled[edge] != nil {
            guard try stores.ledgers.has(edge, head) else {
                throw Problem.badRequest("the backup has another entry \(head.seq) of \(name(edge)) than this cloud.", cure: "Make a new backup.")
            }
        }
        for (edge, head) in heads where enrolled[edge] != nil {
            backups[edge] = head.seq
            store(.meta(key: BackupMark.key(edge), value: String(head.seq.raw)))
            try link(.backedUp(edge, head.seq))
            log(.info, "backup verified", "\(name(edge)): up to entry \(head.seq)")
        }
        return .answer(Answer(200, ["edges": .integer(Int64(heads.count))]))
    }
}

/// The body of the call.
private enum BackedUpHead {
    static func list(_ body: [UInt8]) throws(Problem) -> [(EdgeID, Head)] {
        guard let value = try? JSONReader.read(body, limits: .frame), let rows = value["heads"]?.elements else {
            throw .notJSON("There are no heads.")
        }
        var heads: [(EdgeID, Head)] = []
        for row in rows {
            guard let edge = EdgeID(hex: row["edge"]?.text ?? ""), let seq = row["seq"]?.integerValue, seq >= 0,
                let hash = Hex.bytes(row["hash"]?.text ?? ""), hash.count == 32
            else { throw .badRequest("a head has edge, seq and hash.") }
            heads.append((edge, Head(seq: Seq(UInt64(seq)), hash: hash)))
        }
        return heads
    }
}
